"""Stencils under jit: rolls, differences and pads are read where they lie, and give NumPy's bits."""

from typing import Any

import numpy as np
import pytest

import dualnum as dn

SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000]


def compiled(f: Any, *args: Any) -> Any:
    """jit(f), which must have called NumPy for nothing."""
    fast = dn.jit(f)
    text = fast.lower(*args).python
    assert "turned" not in text and "placed" not in text and "ALARM" not in text, text
    return fast


def bits(a: Any, b: Any) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype and a.shape == b.shape
    np.testing.assert_array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", SIZES)
def test_rolls_in_a_row(n: int, dtype: Any) -> None:
    x = np.random.default_rng(n).normal(size=n).astype(dtype)
    x[n // 2] = -0.0
    for shift in (0, 1, -1, 2, n - 1, n + 3, -5 * n - 2):
        f = lambda x, s=shift: np.roll(x, s) * -1.0  # noqa: E731
        bits(compiled(f, x)(x), f(x))
        bits(dn.jit(lambda x, s=shift: np.roll(x, s))(x), np.roll(x, shift))


@pytest.mark.parametrize("shape", [(3, 5), (4, 16), (5, 17), (2, 3, 33), (20, 31)])
def test_rolls_along_axes(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    for axis in (None, *range(-len(shape), len(shape)), (0,), (0, 1)):
        shift = (2, -3) if axis == (0, 1) else 3
        f = lambda x, s=shift, a=axis: np.roll(x, s, a) - 2.0 * x  # noqa: E731
        bits(dn.jit(f)(x), f(x))
        bits(dn.jit(f)(np.asfortranarray(x)), f(x))
        bits(dn.jit(lambda x, s=shift, a=axis: np.roll(x[::-1], s, a) + 1)(x), np.roll(x[::-1], shift, axis) + 1)


def test_in_pieces_of_threads() -> None:
    x = np.random.default_rng(1).normal(size=(300, 1001))

    def f(x: Any) -> Any:
        return np.roll(x, 1, 0) + np.roll(x, -1, 0) + np.roll(x, 7, 1) - 4 * np.sin(np.roll(x, -1))

    np.testing.assert_allclose(compiled(f, x)(x), f(x), rtol=1e-13, atol=1e-13)


def heat(u: Any, steps: int = 5) -> Any:
    for _ in range(steps):
        u = u + 0.1 * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return np.sum(u**2)


def plane(u: Any) -> Any:
    for _ in range(3):
        around = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
        u = u + 0.1 * (around - 4 * u) * u
    return np.sum(u**2)


def differences(u: Any) -> Any:
    return np.sum(np.tanh(np.diff(u)) ** 2) + np.sum(np.diff(u, axis=0) ** 3)


def padded(u: Any) -> Any:
    v = np.pad(u, 1)
    return np.sum(
        (v[2:] - 2 * v[1:-1] + v[:-2]) ** 2 * np.arange(1.0, v.shape[0] - 1).reshape(-1, *(1,) * (u.ndim - 1))
    )


def inner(u: Any) -> Any:
    for _ in range(2):
        c = u[1:-1, 1:-1]
        around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
        u = np.pad(c + 0.1 * (around - 4 * c) * c, 1)
    return np.sum(u**2)


@pytest.mark.parametrize("f", [heat, plane, differences, padded, inner])
@pytest.mark.parametrize("shape", [(40,), (6, 20), (20, 3), (5, 18)])
def test_derivatives(f: Any, shape: tuple[int, ...]) -> None:
    if f in (plane, inner) and len(shape) == 1:
        return
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=shape), rng.normal(size=shape)
    ways = [
        f, dn.grad(f), lambda x: dn.hvp(f)(x, v), lambda x: dn.vhp(f)(x, v), dn.derivative(lambda x: f(x * 1.0), 3),
        dn.jacfwd(f), dn.grad(lambda x: np.sum(dn.grad(f)(x) ** 2)), dn.hessian(f),
    ]  # fmt: skip
    for way in ways:
        np.testing.assert_allclose(dn.jit(way)(x), way(x), rtol=1e-10, atol=1e-10)


def test_one_kernel_a_step() -> None:
    x = np.linspace(0.0, 1.0, 100)
    lowered = dn.jit(dn.grad(lambda u: heat(u, 5))).lower(x)
    assert len(lowered.programs) == 10
    assert "roll" not in lowered.python


def test_pads_keep_the_sign_of_zero() -> None:
    x = np.array([-0.0, 1.0, -2.0])
    for width in (1, (0, 2), ((3, 0),)):
        bits(dn.jit(lambda x, w=width: np.pad(x, w))(x), np.pad(x, width))
        with np.errstate(divide="ignore"):
            bits(dn.jit(lambda x, w=width: 1.0 / np.pad(x, w))(x), 1.0 / np.pad(x, width))
    with pytest.raises(ValueError):
        dn.jit(lambda x: np.pad(x, ((1, 2), (3, 4))))(x)


def test_other_machines() -> None:
    x = np.random.default_rng(3).normal(size=33)
    with dn.engine("interpret"):
        np.testing.assert_allclose(dn.jit(dn.grad(heat))(x), dn.grad(heat)(x), rtol=1e-13)
    c = np.float32(x) + 1j * np.float32(x[::-1])
    f = lambda z: np.roll(z, 2) * z  # noqa: E731
    np.testing.assert_allclose(dn.jit(f)(c), f(c), rtol=1e-6)
    i = np.arange(20)
    np.testing.assert_array_equal(dn.jit(lambda i: np.roll(i, 3) * 2)(i), np.roll(i, 3) * 2)


INDICES = [
    np.s_[1:-1, 1:-1], np.s_[:, 1:-1], np.s_[2:, :-2], np.s_[::2, 3:], np.s_[::-1, 1:], np.s_[1:2, 2:], np.s_[:, :16],
    np.s_[::-3, :-1], np.s_[:, ::2], np.s_[1:1, 1:], np.s_[0, 1:-1], np.s_[..., 2:], np.s_[:, None, 1:], np.s_[1:-1],
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(7, 17), (5, 18), (4, 40), (3, 5), (300, 301), (4, 3, 21)])
def test_parts_of_a_matrix(shape: tuple[int, ...], dtype: Any) -> None:
    x = np.random.default_rng(4).normal(size=shape).astype(dtype)
    for index in INDICES:
        f = lambda x, i=index: x[i] * 2.0 + 1.0  # noqa: E731
        bits(dn.jit(f)(x), f(x))
        bits(dn.jit(lambda x, f=f: f(x * 3.0))(x), f(x * 3.0))
        gradient = dn.grad(lambda x, i=index: np.sum(np.sin(x[i])) + np.sum(x[1:, ..., 2:-2] ** 2))
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(dn.jit(gradient)(x), gradient(x), rtol=20 * eps, atol=20 * eps)


@pytest.mark.parametrize("shape", [(5, 17), (3, 5), (2, 3, 20)])
def test_pads_of_a_matrix(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(5).normal(size=shape)
    x[0, -1] = -0.0
    for width in (1, (0, 2), ((2, 3), (1, 4)), ((0, 0), (3, 0)), ((1, 0), (0, 0))):
        if len(shape) == 3 and np.shape(width) == (2, 2):
            continue
        f = lambda x, w=width: -np.pad(x, w)  # noqa: E731
        bits(dn.jit(f)(x), f(x))
        bits(dn.jit(lambda x, f=f: f(x * 2.0))(x), f(x * 2.0))


def test_a_step_on_the_inner_points_is_two_kernels() -> None:
    x = np.random.default_rng(6).normal(size=(40, 50))
    assert len(dn.jit(inner).lower(x).programs) == 4
    text = dn.jit(dn.grad(inner)).lower(x).python
    assert "placed" not in text and "contiguous" not in text and "ALARM" not in text


def test_programs_too_long_to_compile() -> None:
    x = np.random.default_rng(7).normal(size=(5, 33)) * 0.1

    def f(x: Any) -> Any:
        y, z, w = np.roll(x, 3, 1), np.pad((x * 2.0)[1:-1, 1:-1], 1), np.pad(x[1:] * 1.5, ((1, 0), (0, 0)))
        part = x[1:-1, 2:-2] * 0.5
        for k in range(900):
            y = y * 0.9 + z * 0.01 * (k % 7) + np.sin(float(k)) * np.roll(x, k % 33, 1) + x * w
            part = part * 0.9 + np.cos(float(k)) * x[1:-1, 1 + k % 3 :][:, :29] * part
        return y, part

    assert not all(k.direct for k in dn.jit(f).lower(x)._kernels)
    for y, expected in zip(dn.jit(f)(x), f(x), strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)
