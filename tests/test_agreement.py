"""One derivative, whatever the way to it: against exact series, at kinks, and for every kind of number."""

from typing import Any

import numpy as np
import pytest
import scipy.special
from mpmath import mp
from oracle import coefficients
from ways import HESSIANS, in_turn, jitted, ways_of

import dualnum as dn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def agree(given: Any, expected: Any, what: str, tolerance: float = 1e-9) -> None:
    """The same number, or infinity; where the one is not known (NaN), nothing is asked of the other."""
    given, expected = np.asarray(given, float), np.asarray(expected, float)
    known = ~np.isnan(expected)
    error = 1e-300
    if expected.ndim:
        error += tolerance * float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    given, expected = (np.where(known, x, 0.0) for x in (given, expected))
    np.testing.assert_allclose(given, expected, rtol=tolerance, atol=error, err_msg=what)


# ── the one jet against what we did not write ────────────────────────────────────────────────────

EXACT = {
    "logaddexp": (lambda t: np.logaddexp(1 + t, 1 - 2 * t), lambda t: mp.log(mp.exp(1 + t) + mp.exp(1 - 2 * t)), 0.5),
    "logaddexp2": (lambda t: np.logaddexp2(t, 3 * t), lambda t: mp.log(2**t + 8**t, 2), 0.5),
    "ndtri at ½": (
        lambda t: scipy.special.ndtri(0.5 + t), lambda t: mp.sqrt(2) * _erfinv(2 * t), 0.2),
    "erfinv at 0": (scipy.special.erfinv, lambda t: _erfinv(t), 0.5),
    "erfcinv at 1": (lambda t: scipy.special.erfcinv(1 + t), lambda t: _erfinv(-t), 0.5),
    "spence at 1": (lambda t: scipy.special.spence(1 + t), lambda t: mp.polylog(2, -t), 0.5),
    "xlogy at (0, y)": (lambda t: scipy.special.xlogy(t, 2 + t), lambda t: t * mp.log(2 + t), 1.0),
    "xlogy with slope 0": (lambda t: scipy.special.xlogy(t * t, 2 + t), lambda t: t * t * mp.log(2 + t), 1.0),
    "xlog1py": (lambda t: scipy.special.xlog1py(t * t, 1 + t), lambda t: t * t * mp.log(2 + t), 1.0),
    "poch": (lambda t: scipy.special.poch(3 + t, 2 + t), lambda t: mp.gamma(5 + 2 * t) / mp.gamma(3 + t), 1.0),
    "binom": (
        lambda t: scipy.special.binom(6 + 2 * t, 3 + t),
        lambda t: mp.gamma(7 + 2 * t) / (mp.gamma(4 + t) * mp.gamma(4 + t)), 1.0),
    "boxcox at λ = 0": (lambda t: scipy.special.boxcox(2 + t, t), lambda t: _boxcox(2 + t, t), 1.0),
    "boxcox at x = 1": (lambda t: scipy.special.boxcox(1 + t, 1 + t), lambda t: _boxcox(1 + t, 1 + t), 0.5),
    "boxcox of 0": (lambda t: scipy.special.boxcox(0.0, 2 + t), lambda t: -1 / (2 + t), 1.0),
    "gammainc(2, ·) at 0": (lambda t: scipy.special.gammainc(2.0, t), lambda t: 1 - mp.exp(-t) * (1 + t), 1.0),
    "tanh at 1e-200": (lambda t: np.tanh(1e-200 + t), lambda t: mp.tanh(mp.mpf(1e-200) + t), 1.0),
    "expit at 0": (scipy.special.expit, lambda t: 1 / (1 + mp.exp(-t)), 2.0),
    "x**y": (lambda t: (2 + t) ** (3 + t), lambda t: (2 + t) ** (3 + t), 1.0),
    "a sum of whole powers at 0": (lambda t: np.sum(t ** np.arange(4)), lambda t: 1 + t + t**2 + t**3, 1.0),
    "softmax, unshifted": (
        lambda t: np.logaddexp.reduce(np.stack([t, 2 * t, -t])),
        lambda t: mp.log(mp.exp(t) + mp.exp(2 * t) + mp.exp(-t)), 0.5),
}  # fmt: skip


def _erfinv(y):
    """By its series at 0, of which the k-th coefficient follows from those below (OEIS A092676)."""
    c, total, z = [mp.mpf(1)], mp.mpf(0), mp.sqrt(mp.pi) * y / 2
    for k in range(60):
        if k:
            c.append(sum(c[m] * c[k - 1 - m] / ((m + 1) * (2 * m + 1)) for m in range(k)))
        total += c[k] / (2 * k + 1) * z ** (2 * k + 1)
    return total


def _boxcox(x, p):
    z = p * mp.log(x)
    return mp.log(x) * sum(z**k / mp.factorial(k + 1) for k in range(80))


@pytest.mark.parametrize("name", EXACT)
def test_special_points_against_exact_series(name):
    f, exact, radius = EXACT[name]
    c = coefficients(exact, 0.0, 4, radius)
    true = [float(c[n] * mp.factorial(n)) for n in range(5)]
    for n in range(1, 5):
        for way, make in ways_of(n).items():
            agree(make(f, n)(0.0), true[n], f"{name}, derivative {n}: {way}", 1e-9)
    for way in ("one jet", "nested grad", "derivative of grad", "grad of derivative", "hessian"):
        agree(jitted(ways_of(2)[way])(f, 2)(0.0), true[2], f"{name}: jit of {way}")


@pytest.mark.parametrize(
    "kind", [float, np.float64, np.array, lambda x: np.array([x, 1.0])], ids=["float", "float64", "0-d", "1-d"]
)
def test_whatever_kind_of_number_the_argument_is(kind):
    f = lambda t: np.sum(np.logaddexp(t, -t) * np.where(t > 0, np.sqrt(t), 1.0))  # noqa: E731
    for x in (0.0, 0.25):
        exact = dn.hessian(f)(np.array([x, 1.0]))
        h = np.reshape(dn.hessian(f)(kind(x)), (-1,))[0]
        agree(h, exact[0, 0], "hessian")
        for name, way in HESSIANS.items():
            if np.ndim(kind(x)) == 1:
                agree(way(f)(kind(x)), exact, name)
                agree(dn.jit(way(f))(kind(x)), exact, f"jit of {name}")


def test_infinite_slopes_have_the_sign_of_the_inside():
    for f, x, sign in (
        (np.arcsin, 1.0, 1),
        (np.arcsin, -1.0, 1),
        (np.arccos, 1.0, -1),
        (np.arctanh, 1.0, 1),
        (np.arccosh, 1.0, 1),
    ):
        for way, make in ways_of(1).items():
            assert make(f, 1)(x) == sign * np.inf, f"{f.__name__} at {x}: {way}"
    for way, make in ways_of(2).items():
        assert make(np.arcsin, 2)(1.0) == np.inf and make(np.arcsin, 2)(-1.0) == -np.inf, way
        assert make(lambda t: np.arccos(np.clip(t, -1, 1)), 2)(2.0) == 0, way


# ── kinks, and what is smooth beside them ────────────────────────────────────────────────────────

SMOOTH = {
    "|t|²": (lambda t: np.abs(t) ** 2, 2.0),
    "|t|·|t|": (lambda t: (lambda y: y * y)(np.abs(t)), 2.0),
    "hypot²": (lambda t: np.hypot(t, 2 * t) ** 2, 10.0),
    "norm²": (lambda t: np.linalg.norm(np.stack([t, 2 * t])) ** 2, 10.0),
    "std²": (lambda t: np.std(np.stack([t, 2 * t])) ** 2, 0.5),
    "exp(−norm²)": (lambda t: np.exp(-(np.linalg.norm(np.stack([t, 2 * t])) ** 2)), -10.0),
    "|−t²|": (lambda t: np.abs(-(t**2)), 2.0),
    "√t²": (lambda t: np.sqrt(t**2), 0.0),
    "√(t·t)": (lambda t: np.sqrt(t * t), 0.0),
    "(√Σt²)²": (lambda t: np.sqrt(np.sum(np.stack([t, 2 * t]) ** 2)) ** 2, 10.0),
    "|t|·|t|, from two calls": (lambda t: np.abs(t) * np.abs(t), 2.0),
    "hypot·hypot, from two calls": (lambda t: np.hypot(t, 2 * t) * np.hypot(t, 2 * t), 10.0),
    "cos|t|": (lambda t: np.cos(np.abs(t)), -1.0),
    "cos(3‖t‖)": (lambda t: np.cos(3 * np.linalg.norm(np.stack([t, 2 * t]))), -45.0),
    "sinc‖t‖": (lambda t: np.sinc(np.linalg.norm(np.stack([t, 2 * t]))), -5 * np.pi**2 / 3),
    "J₀(−|t|/2)": (lambda t: scipy.special.j0(-np.abs(t) / 2), -0.125),
    "cosh hypot": (lambda t: np.cosh(np.hypot(t, 2 * t)), 5.0),
    "sin|t|": (lambda t: np.sin(np.abs(t)), 0.0),
    "|t|": (np.abs, 0.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_even_functions_of_kinks(name):
    f, second = SMOOTH[name]
    for way, make in ways_of(1).items():
        assert make(f, 1)(0.0) == 0, way
    for way, make in ways_of(2).items():
        agree(make(f, 2)(0.0), second, f"{name}: {way}")
    for way, make in in_turn(ways_of(2, jit=True), list(SMOOTH).index(name), 14).items():
        agree(make(f, 2)(0.0), second, f"{name}: {way}")


def test_even_functions_of_kinks_to_fourth_order():
    for f, fourth in ((lambda t: np.cos(np.abs(t)), 1.0), (lambda t: np.cosh(np.hypot(t, 2 * t)), 25.0)):
        for n in (3, 4):
            for way, make in ways_of(n).items():
                agree(make(f, n)(0.0), fourth if n == 4 else 0.0, f"derivative {n}: {way}")


def test_norms_at_zero_in_many_variables():
    f = lambda x: np.exp(-(np.linalg.norm(x) ** 2))  # noqa: E731
    for name, way in HESSIANS.items():
        agree(way(f)(np.zeros(3)), -2 * np.eye(3), name)


def test_derivatives_that_are_flat_by_their_form():
    """The slope of a step is absent, so that an infinity above it is not multiplied by zero."""
    at_edge = lambda t: np.sum(np.arccos(np.sign(t)) + np.sqrt(0.0 * np.floor(t)) + t**3)  # noqa: E731
    curved = lambda x: np.sum(dn.derivative(np.abs, 2)(x))  # noqa: E731
    for n in (1, 2, 3):
        for way, make in ways_of(n).items():
            agree(make(at_edge, n)(1.1), [3.63, 6.6, 6.0][n - 1], way)
            agree(jitted(make)(at_edge, n)(1.1), [3.63, 6.6, 6.0][n - 1], f"jit of {way}")
    for name, way in HESSIANS.items():
        if name == "create_graph":  # says that nothing depends on x
            continue
        agree(way(curved)(np.array([0.0, -1.0, 0.9])), np.zeros((3, 3)), name)


def test_numbers_beside_vectors_along_many_directions():
    f = lambda x: np.sum(np.arange(5.0) * x[0] * x[1])  # noqa: E731
    for name, way in HESSIANS.items():
        for made in (way(f), dn.jit(way(f))):
            agree(made(np.array([0.2, 0.3])), [[0.0, 10.0], [10.0, 0.0]], name)


# ── the examination itself ───────────────────────────────────────────────────────────────────────


def test_a_rule_that_is_wrong_only_at_a_tie_and_only_at_second_order_is_found():
    @dn.custom_derivative
    def softplus(x):
        return np.logaddexp(x, 0.0)

    @softplus.derivative
    def _(x):
        return np.where(x == 0, 0.5, 1 / (1 + np.exp(-x)))  # right in value and slope, at 0 there only

    exact = lambda t: np.logaddexp(t, 0.0)  # noqa: E731
    for way, make in ways_of(1).items():
        agree(make(softplus, 1)(0.0), make(exact, 1)(0.0), way)
    for way, make in ways_of(2).items():
        agree(make(softplus, 2)(0.5), make(exact, 2)(0.5), way)
        with pytest.raises(AssertionError):
            agree(make(softplus, 2)(0.0), make(exact, 2)(0.0), way)
