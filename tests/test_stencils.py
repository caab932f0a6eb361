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


@pytest.mark.parametrize("f", [heat, plane, differences, padded])
@pytest.mark.parametrize("shape", [(40,), (6, 20), (20, 3)])
def test_derivatives(f: Any, shape: tuple[int, ...]) -> None:
    if f is plane and len(shape) == 1:
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
