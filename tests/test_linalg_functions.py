"""Functions of a matrix to any order: against mpmath and SciPy, by identities, and the same by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from mpmath import mp
from test_linalg import SQUARE, C, X, at, by_differences, exact, jet, matrix, zero
from ways import HESSIANS, JITTED_HESSIANS, differences, in_turn

import dualnum as dn

RNG = np.random.default_rng(7)
# A(t) with eigenvalues apart from the negative axis
CALM = SQUARE * np.array([0.5, 0.25, 0.25])[:, None, None]

CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "expm": (lambda: dn.linalg.expm(jet(CALM)), lambda t: mp.expm(at(CALM, t))),
    "expm, large": (lambda: dn.linalg.expm(jet(4 * CALM)), lambda t: mp.expm(at(4 * CALM, t))),
    "expm, small": (lambda: dn.linalg.expm(jet(CALM / 64)), lambda t: mp.expm(at(CALM / 64, t))),
}


@pytest.mark.parametrize("name", CASES)
def test_against_exact_coefficients(name: str) -> None:
    ours, theirs = CASES[name]
    expected = exact(theirs, (3, 3))
    np.testing.assert_allclose(ours().coeffs, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("order", [1, 2, 5, 12, 30])
@pytest.mark.parametrize("size", [0.0, 0.3, 3.0, 20.0])
def test_the_exponential_has_all_digits_to_high_orders(order: int, size: float) -> None:
    """e^((x + t) R) is a rotation for a generator R."""
    y = dn.linalg.expm((size + dn.jet(0.0, order)) * np.array([[0.0, -1.0], [1.0, 0.0]]))
    t = np.cos(size + dn.jet(0.0, order)), np.sin(size + dn.jet(0.0, order))
    for k in range(order + 1):
        expected = [[t[0].derivative(k), -t[1].derivative(k)], [t[1].derivative(k), t[0].derivative(k)]]
        np.testing.assert_allclose(y.derivative(k), expected, rtol=0, atol=1e-15 * max(1.0, size) * (k + 8))


def test_high_orders_are_right_in_nested_jets_and_records() -> None:
    generator = np.array([[0.0, -1.0], [1.0, 0.0]])
    f = lambda t: dn.linalg.expm(t * generator)[1, 0]  # noqa: E731
    sixteenth = dn.derivative(dn.derivative(f, 8), 8)
    np.testing.assert_allclose(sixteenth(2.0), np.sin(2.0), rtol=1e-13)
    np.testing.assert_allclose(dn.grad(dn.derivative(dn.grad(f), 6))(2.0), np.sin(2.0), rtol=1e-13)


@pytest.mark.parametrize("kind", [float, complex, np.float32])
@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (0, 0), (2, 4, 4), (2, 1, 3, 3), (0, 3, 3)])
def test_exponentials_of_batches_by_identities(shape: tuple[int, ...], kind: Any) -> None:
    parts = RNG.normal(size=(3, *shape)) + (1j * RNG.normal(size=(3, *shape)) if kind is complex else 0)
    a = jet(parts.astype(kind))
    y, back = dn.linalg.expm(a), dn.linalg.expm(-a)
    assert y.shape == shape
    assert y.dtype == kind
    if a.size:
        zero(y @ back - np.eye(shape[-1], dtype=kind), y, back)
        zero(np.linalg.det(y) - np.exp(np.trace(a, axis1=-2, axis2=-1)), np.linalg.det(y), y)
        np.testing.assert_array_equal(y.value, scipy.linalg.expm(a.value))


def test_the_exponential_where_parts_have_other_sizes() -> None:
    """Along t = 0 coefficients are those of a polynomial in what moves, however large it is."""
    v = 100 * RNG.normal(size=(4, 4))
    y = dn.linalg.expm(dn.jet(np.zeros((4, 4)), 5, direction=v))
    power = np.eye(4)
    for k in range(6):
        np.testing.assert_allclose(y.derivative(k), power, rtol=1e-13, atol=1e-13 * np.max(np.abs(power)))
        power = power @ v


def test_many_directions_are_one_series() -> None:
    v = RNG.normal(size=(4, 3, 3))
    for function in (dn.linalg.expm,):
        many = function(dn.jet(CALM[0], 5, directions=v))
        for p in range(4):
            one = function(dn.jet(CALM[0], 5, direction=v[p]))
            for k in range(1, 6):
                scale = np.max(np.abs(one.coefficient(k)))
                np.testing.assert_allclose(many.coefficient(k)[p], one.coefficient(k), rtol=0, atol=1e-12 * scale)


# ── the derivative of the exponential ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [float, complex])
def test_the_derivative_is_that_of_scipy(kind: Any) -> None:
    a, e = (RNG.normal(size=(5, 5)) + (1j * RNG.normal(size=(5, 5)) if kind is complex else 0) for _ in range(2))
    value, slope = scipy.linalg.expm_frechet(a, e)
    np.testing.assert_allclose(dn.linalg.expm(dn.jet(a, 1, direction=e)).derivative(1), slope, rtol=1e-12, atol=1e-12)
    y = dn.linalg.expm_frechet(dn.jet(a, 2), e)
    np.testing.assert_allclose(y[0].value, value, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(y[1].value, slope)
    how = {"method": "blockEnlarge", "compute_expm": False}
    np.testing.assert_array_equal(dn.linalg.expm_frechet(a, e, **how), scipy.linalg.expm_frechet(a, e, **how))
    second = dn.linalg.expm(dn.jet(a, 2, direction=e)).derivative(2)
    moved = dn.linalg.expm_frechet(dn.jet(a, 1, direction=e), e, compute_expm=False)
    np.testing.assert_allclose(moved.derivative(1), second, rtol=1e-11, atol=1e-11)


def test_the_sweep_transposes_the_derivative() -> None:
    a, e, g = RNG.normal(size=(3, 4, 4))
    swept = dn.grad(lambda a: np.sum(dn.linalg.expm(a) * g))(a)
    np.testing.assert_allclose(np.sum(swept * e), np.sum(g * scipy.linalg.expm_frechet(a, e)[1]), rtol=1e-12)


# ── every way ────────────────────────────────────────────────────────────────────────────────────

PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "expm": lambda x: np.sum(dn.linalg.expm(0.3 * matrix(x)) * C) * 1e-2,
    "expm_frechet": lambda x: np.sum(dn.linalg.expm_frechet(0.3 * matrix(x), x[2] * C)[1] * C) * 1e-2,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    f = PROGRAMS[name]
    expected = HESSIANS["one jet along lines"](f)(X)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(by_differences(f), expected, rtol=0, atol=1e-4 * scale + 1e-5)
    k = list(PROGRAMS).index(name)
    ways: dict[str, Any] = {**HESSIANS, **in_turn(JITTED_HESSIANS, k, 3)}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected)
    assert not found, "\n".join(found)


# ── what has no derivative ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (dn.InvalidValue, r"expm: a has shape \(3, 2\)", lambda x: dn.linalg.expm(x * np.ones((3, 2)))),
        (dn.InvalidValue, "expm_frechet: A has shape", lambda x: dn.linalg.expm_frechet(x * np.eye(2), np.eye(3))[1]),
    ],
)  # fmt: skip
def test_what_has_no_derivative_says_so(error: Any, message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(error, match=message):
        dn.grad(lambda x: np.sum(np.abs(call(x))))(1.0)
