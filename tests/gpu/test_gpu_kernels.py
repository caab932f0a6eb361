"""Kernels on a device: every layout and type, launches counted, and the bits of CuPy's own functions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum import jet
from dualnum.kernel import engine
from dualnum.kernel.cuda import call


def same(got: Any, expected: Any, ulps: float = 64.0) -> None:
    """A device's result against NumPy's, within some units of the largest entry."""
    got, expected = getattr(got, "planes", got), getattr(expected, "planes", expected)
    assert type(got).__module__.partition(".")[0] == "cupy"
    assert got.shape == expected.shape and got.dtype == expected.dtype
    scale = np.max(np.abs(np.where(np.isfinite(expected), expected, 0)), initial=0.0)
    eps = np.finfo(expected.dtype).eps if expected.dtype.kind in "fc" else 0.0
    np.testing.assert_allclose(got.get(), expected, rtol=ulps * eps, atol=ulps * eps * scale)


def f(x: Any) -> Any:
    return np.sin(x) * np.exp(-x * x) / (1 + x)


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────

_X = np.linspace(0.2, 0.9, 24).reshape(2, 3, 4)
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in one piece": lambda x: x,
    "transposed": lambda x: x.transpose(2, 0, 1),
    "every second": lambda x: x[:, ::2, 1:],
    "backwards": lambda x: x[::-1, :, ::-1],
    "one row": lambda x: x[1, 2],
    "one column": lambda x: x[:, 0, 3],
    "a new axis": lambda x: x[:, None],
    "one entry": lambda x: x[1:, 1:2, 3:],
    "empty": lambda x: x[:0],
    "without axes": lambda x: x[0, 0, 0, ...],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(cp: Any, layout: str) -> None:
    cut = LAYOUTS[layout]
    for made in (lambda x: cut(jet(x, 2)), lambda x: jet(cut(x), 2)):
        for op in (np.sin, lambda x: x * x, lambda x: x + 2.0):
            same(op(made(cp.asarray(_X))), op(made(_X)))


@pytest.mark.parametrize("index", [0, (0, 0), (slice(0, 1),), (slice(None), slice(0, 1)), (..., slice(0, 1)), ()])
def test_broadcasting(cp: Any, index: Any) -> None:
    for a, b in ((_X, _X[index]), (_X[index], _X), (_X[0, :, :1], _X[index])):
        u, v = cp.asarray(a), cp.asarray(b)
        same(jet(u, 2) * v, jet(a, 2) * b)
        same(v - jet(u, 2), b - jet(a, 2))
        same(jet(u, 2) / jet(v, 2), jet(a, 2) / jet(b, 2))


def test_places_of_64_bits(cp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "_NARROW", 1)
    with monkeypatch.context() as fresh:
        fresh.setattr(call.Kernel, "__init__", call.Kernel.__init__)
        x = _X[:, :, 1:]
        same(np.arctan(jet(cp.asarray(_X)[:, :, 1:], 3)), np.arctan(jet(x, 3)))


def test_one_text_for_one_layout(cp: Any) -> None:
    first, *others = (jet(cp.linspace(0.1, 0.9, n), 3) for n in (5, 50, 500))
    np.arcsinh(first)
    before = call._compiled.cache_info().misses
    for x in others:
        np.arcsinh(x)
    assert call._compiled.cache_info().misses == before


# ── types ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "complex64", "complex128"])
def test_types(cp: Any, dtype: str) -> None:
    x = _X[0].astype(dtype)
    same(f(jet(cp.asarray(x), 3)), f(jet(x, 3)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "uint64", "float32"])
def test_constants_of_other_types(cp: Any, dtype: str) -> None:
    c = (np.arange(4) % 3).astype(dtype)
    same(jet(cp.asarray(_X), 1) * cp.asarray(c), jet(_X, 1) * c)
    same(dn.jit(lambda x: x * cp.asarray(c))(cp.asarray(_X)), _X * c)


# ── several directions, levels, algebras ─────────────────────────────────────────────────────────


def test_several_directions(cp: Any) -> None:
    x, d = _X[0, 0], np.eye(4)
    same(f(jet(cp.asarray(x), 3, directions=cp.asarray(d))), f(jet(x, 3, directions=d)))
    same(f(jet(cp.asarray(x), 1, directions=cp.asarray(d))) * cp.asarray(x), f(jet(x, 1, directions=d)) * x)


def test_levels(cp: Any) -> None:
    x = _X[0, 0]
    nested = dn.derivative(lambda u: u * dn.derivative(f)(u))
    same(nested(cp.asarray(x)), nested(x))


def test_several_variables(cp: Any) -> None:
    x, t = _X[0, 0], _X[1, 0]
    u, v = dn.jets(x, t, order=3)
    w, z = dn.jets(cp.asarray(x), cp.asarray(t), order=3)
    same(f(w * z), f(u * v))


# ── launches ─────────────────────────────────────────────────────────────────────────────────────


def launches(counted: Any, g: Callable[[], Any]) -> int:
    """Of a warm call, which copies nothing and waits for nothing."""
    g()
    with counted() as counts:
        g()
    assert counts["d2h"] == counts["h2d"] == counts["sync"] == 0, counts
    assert counts["memset"] == 0
    return int(counts["launch"])


@pytest.mark.parametrize("ufunc", [np.sin, np.log1p, np.arctan, np.tanh, np.negative, np.square])
def test_a_row_is_one_launch(cp: Any, counted: Any, ufunc: Any) -> None:
    x = jet(cp.asarray(_X), 3)
    assert launches(counted, lambda: ufunc(x)) == 1


@pytest.mark.parametrize("ufunc", [np.exp, np.exp2, np.expm1, np.cosh, np.arcsin, np.cbrt])
def test_with_a_mend_it_is_two(cp: Any, counted: Any, ufunc: Any) -> None:
    x = jet(cp.asarray(_X), 3)
    assert launches(counted, lambda: ufunc(x)) <= 2


def test_a_mend_reaches_every_element(cp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "FEW", call.THREADS)  # so that each thread has several
    x = np.linspace(-1.0, 1.0, 4 * call.THREADS + 1)  # the root of a square is mended at 0
    same(np.sqrt(jet(cp.asarray(x), 3) ** 2), np.sqrt(jet(x, 3) ** 2))


def test_a_jet_with_a_number_or_an_array_is_one_launch(cp: Any, counted: Any) -> None:
    x, c = jet(cp.asarray(_X), 3), cp.asarray(_X[0, 0])
    for op in (lambda: x * 2.0, lambda: x + c, lambda: c / x, lambda: x * x, lambda: x[:, ::2] * c):
        assert launches(counted, op) == 1


def test_a_trace_is_one_launch(cp: Any, counted: Any) -> None:
    x = cp.asarray(_X)
    fast = dn.jit(dn.taylor(lambda x: np.sin(x) * np.tanh(x), 3))
    assert launches(counted, lambda: fast(x)) == 1
    same(fast(x), dn.taylor(lambda x: np.sin(x) * np.tanh(x), 3)(_X))


def test_gradient_of_rosenbrock(cp: Any, counted: Any) -> None:
    def rosenbrock(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = cp.asarray(_X.ravel())
    fast = dn.jit(dn.grad(rosenbrock))
    assert launches(counted, lambda: fast(x)) <= 4
    same(fast(x), dn.grad(rosenbrock)(_X.ravel()))


# ── alarms ───────────────────────────────────────────────────────────────────────────────────────


def test_an_alarm_is_a_ticket_in_a_slot(cp: Any) -> None:
    first, second = engine.machine_of(cp.ndarray).alarm(), engine.machine_of(cp.ndarray).alarm()  # type: ignore[union-attr]
    assert not first and not second
    second.slots[second.ticket % call.SLOTS] = second.ticket
    assert second and not first


# ── bits ─────────────────────────────────────────────────────────────────────────────────────────

_BITS = [
    np.sin, np.cos, np.tan, np.exp, np.exp2, np.expm1, np.tanh, np.sinh, np.cosh, np.arctan, np.arcsinh, np.cbrt,
]  # fmt: skip


@pytest.mark.parametrize("ufunc", _BITS, ids=lambda u: u.__name__)
def test_values_have_the_bits_of_cupy(cp: Any, ufunc: Any) -> None:
    x = cp.asarray(np.concatenate([np.linspace(-3, 3, 2000), np.geomspace(1e-300, 700, 500)]))
    for order in (1, 3):
        np.testing.assert_array_equal(ufunc(jet(x, order)).value.get(), ufunc(x).get())
    both = dn.jit(lambda x: (np.sin(x), np.cos(x)))(x)  # of one angle, reduced once
    for y, u in zip(both, (np.sin, np.cos), strict=True):
        np.testing.assert_array_equal(y.get(), u(x).get())


# ── zeros, which nobody sees ─────────────────────────────────────────────────────────────────────

KINKS: dict[str, Callable[[Any], Any]] = {
    "modulus": np.abs,
    "square of a modulus": lambda u: np.abs(u) ** 2,
    "two moduli of the same": lambda u: np.abs(u) * np.abs(u),
    "two moduli of others": lambda u: np.abs(u) * np.abs(2 * u),
    "even function of a modulus": lambda u: np.cos(np.abs(u)),
    "root of a square": lambda u: np.sqrt(u**2) ** 2,
    "hypot": lambda u: np.hypot(u, 0.0) ** 2,
    "root": lambda u: np.sqrt(u**4 + u**6),
    "power": lambda u: (u**2) ** 1.5,
    "norm": lambda u: np.linalg.norm(u) ** 2,
}


@pytest.mark.parametrize("kink", KINKS)
def test_zeros(cp: Any, counted: Any, kink: str) -> None:
    x = np.array([-1.0, 0.0, 0.5, 0.0])
    same(KINKS[kink](jet(cp.asarray(x), 4)), KINKS[kink](jet(x, 4)))
    u = jet(cp.asarray(x), 4)
    with counted() as counts:
        KINKS[kink](u)
    assert counts["d2h"] == counts["sync"] == 0
    second = dn.hessian(lambda u: np.sum(KINKS[kink](u)))
    np.testing.assert_allclose(second(cp.asarray(x)).get(), second(x), rtol=1e-13, atol=1e-13)


def test_what_is_remembered_is_that_before_a_write(cp: Any) -> None:
    x = np.array([-1.0, 0.0])
    u = jet(cp.asarray(x), 2)
    modulus = np.abs(u)
    u[1] = 5.0
    same(modulus**2, np.abs(jet(x, 2)) ** 2)
