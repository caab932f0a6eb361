"""Taylor maps: against closed forms, exact polynomials and mpmath; a map after its inverse is the identity."""

from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from numpy.testing import assert_allclose

import dualnum as dn
from dualnum import (
    compose,
    convergence_radius,
    fixed_point,
    flow,
    implicit,
    inverse_map,
    pade,
    reversion,
    taylor_step,
)

RNG = np.random.default_rng(4)


def alike(a, b, tol=1e-13):
    """Two jets in the same variables agree in all coefficients."""
    assert a.algebra.named(None) is b.algebra.named(None)
    assert a.shape == b.shape
    assert_allclose(a.coeffs, b.coeffs, rtol=tol, atol=tol * max(1.0, np.abs(b.coeffs).max(initial=0.0)))


# ── composition ──────────────────────────────────────────────────────────────────────────────────

POINTS = RNG.uniform(0.2, 0.9, (3, 2))


def outer_function(u, v):
    return np.exp(u * v) / (1 + u**2) + np.sin(v)


def inner_function(*x):
    total = sum(x)
    return np.cos(total) * x[0], np.sqrt(1 + x[0] * x[-1])


INNER = {
    "one variable": lambda: (dn.jet(POINTS[:, 0], 4),),
    "along directions": lambda: (dn.jet(POINTS[:, 0], 4, directions=RNG.normal(size=(2, 3))),),
    "total degree": lambda: dn.jets(*POINTS.T, order=4),
    "three variables": lambda: dn.jets(*POINTS.T, 0.3, order=4),
    "box": lambda: dn.jets(*POINTS.T, order=(1, 3)),
    "nilpotent": lambda: (dn.hyperdual(POINTS[:, 0], 1.0, 2.0, 0.5),),
    "names": lambda: dn.jets(a=POINTS[:, 0], b=0.5, order=4),
}


@pytest.mark.parametrize("kind", INNER)
def test_composition_is_the_function_of_the_jets(kind):
    g = inner_function(*INNER[kind]())
    f = outer_function(*dn.jets(*(x.value for x in g), order=4))
    alike(compose(f, g), outer_function(*g))


@pytest.mark.parametrize("kind", INNER)
def test_a_series_of_jets(kind):
    g = inner_function(*INNER[kind]())[0]
    f = np.exp(np.sin(dn.jet(g.value, 4)))
    alike(compose(f, g), np.exp(np.sin(g)))
    alike(compose(f, [g]), np.exp(np.sin(g)))


@pytest.mark.parametrize("axis", [0, -1, 1])
def test_maps_with_an_axis(axis):
    x = dn.jets(np.moveaxis(POINTS, -1, axis), order=3, axis=axis)
    split = np.moveaxis(x, axis, 0)
    g = np.stack(inner_function(split[0], split[1]), axis=axis)
    s = np.moveaxis(dn.jets(g.value, order=3, axis=axis), axis, 0)
    wanted = np.moveaxis(g, axis, 0)
    field, components = outer_function(*s), np.stack([s[0] * s[1], outer_function(*s)], axis=axis)
    alike(compose(field, g, axis=axis), outer_function(*wanted))
    alike(compose(components, g, axis=axis), np.stack([wanted[0] * wanted[1], outer_function(*wanted)], axis=axis))


def test_containers_and_constants():
    x, y = dn.jets(2.0, 3.0, order=2)
    u, v = dn.jets(6.0, 0.5, order=2)
    found = compose({"a": u * v, "b": (v**2, u)}, (x * y, 0.5))
    alike(found["a"], 0.5 * x * y)
    alike(found["b"][0], 0 * x + 0.25)
    assert found["b"][0].extent == 0  # of a constant nothing is computed
    alike(found["b"][1], x * y)
    assert compose(u, (x, y)).algebra is x.algebra


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 3), order=st.integers(0, 3), seed=st.integers(0, 10**6))
def test_composition_is_associative(n, order, seed):
    """Of polynomials with whole coefficients to the last bit."""
    rng = np.random.default_rng(seed)

    def some(shape):
        t = dn.jets(np.zeros(n), order=order, axis=0)
        for _ in range(2):
            t = (
                t * np.sum(rng.integers(-2, 3, (*shape, n, n)) * t[..., None, :], axis=-1)
                + rng.integers(-2, 3, (*shape, n)) * t
            )
        return t

    f, g, h = some((2,)), some((1,)), some((1,))
    left, right = compose(compose(f, g), h), compose(f, compose(g, h))
    assert left.shape == right.shape == (2, n)
    np.testing.assert_array_equal(left.coeffs, right.coeffs)


def test_polynomials_are_exact():
    """(1 + s + t)³ of s = 2x + y², t = xy: whole numbers."""
    x, y = dn.jets(0.0, 0.0, order=6)
    s, t = dn.jets(0.0, 0.0, order=6)
    found = compose((1 + s + t) ** 3, (2 * x + y**2, x * y))
    wanted: dict = {}
    for i in range(4):
        for j in range(4 - i):
            for k in range(i + 1):  # (2x)^k y^(2(i−k)) (xy)^j
                m = (k + j, 2 * (i - k) + j)
                c = factorial(3) // (factorial(i) * factorial(j) * factorial(3 - i - j)) * comb(i, k) * 2**k
                wanted[m] = wanted.get(m, 0) + c
    assert {m: found.coefficient(*m) for m in found.algebra.monomials if found.coefficient(*m)} == wanted


def test_composition_of_single_precision_and_complex_jets():
    x = dn.jet(np.float32(0.5), 3)
    assert compose(np.exp(dn.jet(np.sin(x).value, 3)), np.sin(x)).dtype == np.float32
    z = dn.jet(0.5 + 0.25j, 5)
    alike(compose(np.exp(dn.jet(np.sin(z).value, 5)), np.sin(z)), np.exp(np.sin(z)))


def test_composition_under_transforms():
    """The coefficients of the outer jet may carry derivatives themselves."""

    def f(a):
        x = dn.jet(0.5, 3)
        return compose(np.exp(a * dn.jet(np.sin(0.5), 3)), np.sin(x)).derivative(2)

    def direct(a):
        return np.exp(a * np.sin(dn.jet(0.5, 3))).derivative(2)

    assert_allclose(dn.grad(f)(0.7), dn.grad(direct)(0.7), rtol=1e-13)
    assert_allclose(dn.derivative(f, 2)(0.7), dn.derivative(direct, 2)(0.7), rtol=1e-13)
    assert_allclose(dn.jit(f)(0.7), direct(0.7), rtol=1e-13)


S, T = dn.jets(0.5, 2.0, order=2)
X = dn.jets(POINTS, order=2, axis=-1)
BAD = {
    "holds a float": (dn.InvalidType, lambda: compose(2.0, S)),
    "holds nothing": (dn.InvalidType, lambda: compose([], S)),
    "inner holds no jets": (dn.InvalidType, lambda: compose(S, (1.0, 2.0))),
    "1 components": (dn.InvalidValue, lambda: compose(S, (S,))),
    r"coefficient of \(3, 0\)": (dn.InvalidValue, lambda: compose(S, dn.jets(0.5, 2.0, order=3))),
    r"coefficient of \(3,\)": (dn.InvalidValue, lambda: compose(dn.jet(0.5, 2), dn.jet(0.5, 3))),
    r"coefficient of \(2, 0\)": (dn.InvalidValue, lambda: compose(dn.jets(0.5, 2.0, order=(1, 1))[0], (S, T))),
    "different variables": (dn.InvalidValue, lambda: compose(S, (S, dn.jet(0.5, 2)))),
    "along 2 directions": (dn.InvalidValue, lambda: compose(dn.jet(0.5, 2, directions=[1.0, 2.0]), S)),
    "broadcast": (dn.InvalidValue, lambda: compose(dn.jets(np.ones(4), 1.0, order=2)[0], (X[:, 0], X[:, 1]))),
    "axis 2": (dn.InvalidAxis, lambda: compose(S, X, axis=2)),
    "3 components": (dn.InvalidValue, lambda: compose(S, X, axis=0)),
    "f is not made of jets": (dn.InvalidType, lambda: inverse_map((1.0, 2.0))),
    "f has 1 components": (dn.InvalidValue, lambda: inverse_map((S,))),
    "total degree": (dn.InvalidValue, lambda: inverse_map(dn.jets(0.5, 2.0, order=(1, 1)))),
    "singular at the point": (dn.InvalidValue, lambda: inverse_map((S + T, 2 * S + 2 * T))),
    r"singular at points 0, 2": (dn.InvalidValue, lambda: inverse_map(X * np.array([[0.0], [1.0], [0.0]]))),
    r"x has shape \(4": (dn.InvalidValue, lambda: inverse_map(X, np.ones((4, 3, 2)))),
    r"x has shape \(3,\)": (dn.InvalidValue, lambda: inverse_map(X, np.ones(3))),
    "y is a float": (dn.InvalidType, lambda: reversion(2.0)),
    "expected one variable": (dn.InvalidValue, lambda: reversion(S)),
    r"y_1 is 0 at point \(1, 0\)": (dn.InvalidValue, lambda: reversion(dn.jet([[1.0], [0.0]], 2) ** 2)),
    "pade: y is a float": (dn.InvalidType, lambda: pade(2.0, 1)),
    "expected integers": (dn.InvalidType, lambda: pade(dn.jet(0.5, 2), 1.0)),
    "together 2": (dn.InvalidValue, lambda: pade(dn.jet(0.5, 2), 2, 1)),
    "write .along": (dn.InvalidValue, lambda: pade(S, 1)),
    "expected 4 or more": (dn.InvalidValue, lambda: convergence_radius(dn.jet(0.5, 3))),
    "expected 'root', 'ratio', 'pair'": (dn.InvalidValue, lambda: convergence_radius(dn.jet(0.5, 5), "x")),
    "x does not solve": (dn.InvalidValue, lambda: implicit(lambda x, p: x**2 - p, np.ones(3), 2.0)),
    "does not solve .* at point 1:": (dn.InvalidValue, lambda: implicit(lambda x, p: x - p, np.arange(3.0), [0, 5, 2])),
    "∂g/∂x is singular at point 1": (dn.InvalidValue, lambda: implicit(lambda x, p: x**2 + 0 * p, [1e-9, 0], 2.0)),
    "treats each entry": (
        dn.InvalidValue,
        lambda: implicit(
            lambda x, p: x - 0.25 * np.sum(x) - p, 4 * np.ones(3), dn.jet(np.ones(3), 1, direction=[1, 2, 3])
        ),
    ),
    "gives shape": (dn.InvalidValue, lambda: implicit(lambda x, p: np.sum(x), np.ones(3), 2.0)),
    "x carries derivatives": (dn.InvalidType, lambda: implicit(lambda x, p: x, dn.jet(0.5, 1), 2.0)),
    "axis 1": (dn.InvalidAxis, lambda: implicit(lambda x, p: x, np.ones(3), 2.0, axis=1)),
    "level": (dn.LevelError, lambda: implicit(lambda x, p: x - p, 2.0, dn.jet(2.0, 1), order=2)),
    "after 1000 iterations": (dn.InvalidValue, lambda: fixed_point(lambda x, p: p * x * (1 - x), 0.3, 3.9)),
    r"t has shape \(\)": (dn.InvalidValue, lambda: flow(lambda t, y: y, 1.0, 2.0)),
    "method is 'x'": (dn.InvalidValue, lambda: flow(lambda t, y: y, 1.0, [0, 1], method="x")),
    "with 0 steps": (dn.InvalidValue, lambda: flow(lambda t, y: y, 1.0, [0, 1], steps=0)),
    r"shapes \[\(\), \(\)\]": (dn.InvalidValue, lambda: flow(lambda t, y: (y, y), 1.0, [0, 1])),
    "f is a float": (dn.InvalidType, lambda: flow(2.0, 1.0, [0, 1])),
    "order is 0": (dn.InvalidValue, lambda: taylor_step(lambda t, y: y, 0.0, 1.0, 0.5, order=0)),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    kind, call = BAD[message]
    with pytest.raises(kind, match=message):
        call()


# ── inverses ─────────────────────────────────────────────────────────────────────────────────────


def henon(x, a=1.4, b=0.3):
    return np.stack([1 - a * x[..., 0] ** 2 + x[..., 1], b * x[..., 0]], axis=-1)


def henon_inverse(y, a=1.4, b=0.3):
    return np.stack([y[..., 1] / b, y[..., 0] - 1 + a * (y[..., 1] / b) ** 2], axis=-1)


def test_the_inverse_of_the_henon_map_is_a_polynomial():
    at = RNG.normal(size=(5, 2))
    y = henon(dn.jets(at, order=5, axis=-1))
    alike(inverse_map(y, at), henon_inverse(dn.jets(y.value, order=5, axis=-1)))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 4), order=st.integers(1, 4), points=st.integers(0, 3), seed=st.integers(0, 10**6))
def test_a_map_after_its_inverse_is_the_identity(n, order, points, seed):
    rng = np.random.default_rng(seed)
    at = rng.uniform(-0.5, 0.5, (points, n))
    mixing = np.eye(n) + 0.3 * rng.uniform(-1, 1, (n, n)) / n
    x = dn.jets(at, order=order, axis=-1)
    f = np.sinh(x @ mixing) + 0.1 * np.cos(x) * x[..., :1]
    inverse = inverse_map(f, at)
    assert inverse.shape == f.shape
    alike(compose(f, inverse), dn.jets(f.value, order=order, axis=-1), 1e-11)
    alike(compose(inverse, f), x, 1e-11)


def test_inverses_of_tuples_axes_types_and_names():
    x, y = dn.jets(x=0.5, y=np.array([2.0, 3.0]), order=3)
    f = (x * y, x + y**2)
    a, b = inverse_map(f, (0.5, [2.0, 3.0]))
    u, v = dn.jets(f[0].value, f[1].value, order=3)
    alike(compose(f[0], (a, b)), u)
    alike(compose(f[1], (a, b)), v + 0 * u)
    along = inverse_map(np.stack(f), np.array([[0.5, 0.5], [2.0, 3.0]]), axis=0)
    alike(along[1], b)
    z = dn.jets(np.array([0.5 + 1j, 0.25j]), order=3, axis=0)
    g = np.exp(z) + z[::-1] ** 2
    alike(compose(g, inverse_map(g, z.value)), dn.jets(g.value, order=3, axis=0), 1e-12)
    single = inverse_map(henon(dn.jets(np.ones(2, np.float32), order=2, axis=0)))
    assert single.dtype == np.float32
    assert not single.value.any()


def test_inverse_of_a_linear_map():
    a = np.array([[2.0, 1.0], [1.0, 1.0]])
    x = dn.jets(np.zeros(2), order=3, axis=0)
    assert_allclose(inverse_map(np.stack([2 * x[0] + x[1], x[0] + x[1]])).gradient(), np.linalg.inv(a))


def test_units_do_not_make_a_map_singular():
    x, y = dn.jets(0.5, 2.0, order=2)
    f = (1e-150 * x * y, 1e150 * (x + y))
    a, b = inverse_map(f, (0.5, 2.0))
    assert_allclose([compose(u, (a, b)).gradient() for u in f], np.eye(2), atol=1e-13)
    series = dn.jet(np.array([0.5]), 4)
    alike(inverse_map(np.exp(series), np.array([0.5])), np.log(dn.jet(np.exp(np.array([0.5])), 4)))


def test_points_that_are_not_finite_stay_alone():
    at = np.array([[0.5, 0.25], [np.nan, 0.5]])
    found = inverse_map(henon(dn.jets(at, order=2, axis=-1)), at)
    assert np.isfinite(found.coeffs[:, 0]).all()


# ── reversion ────────────────────────────────────────────────────────────────────────────────────


def test_reversion_of_the_sine():
    """arcsin: (2k)!/(4^k k!² (2k + 1)) at t^(2k+1)."""
    found = reversion(np.sin(dn.jet(0.0, 21))).coeffs
    for k in range(11):
        wanted = Fraction(factorial(2 * k), 4**k * factorial(k) ** 2 * (2 * k + 1))
        assert_allclose(found[2 * k + 1], float(wanted), rtol=1e-13)
    assert not found[::2].any()


@pytest.mark.parametrize("x0", [0.0, 0.5, 2.0, -0.5])
def test_lambert_w(x0):
    """The inverse of x eˣ; around 0 its coefficients are (−k)^(k−1)/k!."""
    x = dn.jet(x0, 12)
    found = reversion(x * np.exp(x), x0)
    with mp.workdps(60):
        z0 = mp.mpf(x0) * mp.e**x0
        wanted = [float(c) for c in mp.taylor(mp.lambertw, z0, 12)]
    assert_allclose(found.coeffs, wanted, rtol=1e-12)
    if x0 == 0:
        assert_allclose(found.coeffs[1:], [(-k) ** (k - 1) / factorial(k) for k in range(1, 13)], rtol=1e-13)


def test_reversion_of_many_and_of_other_types():
    at = np.array([[0.5, 1.0, 2.0]])
    alike(reversion(np.exp(dn.jet(at, 8)), at), np.log(dn.jet(np.exp(at), 8)), 1e-12)
    z = np.array([0.5 + 1j, 2.0])
    alike(reversion(np.exp(dn.jet(z, 6)), z), np.log(dn.jet(np.exp(z), 6)), 1e-12)
    assert reversion(np.exp(dn.jet(np.float32(0.5), 4))).dtype == np.float32
    assert_allclose(reversion(3 * dn.jet(0.5, 1), 0.5).coeffs, [0.5, 1 / 3])
    slope = dn.grad(lambda a: reversion(np.sinh(a * dn.jet(0.0, 3))).derivative(3))  # of arcsinh(s)/a
    assert_allclose(slope(2.0), 1 / 2**2)


# ── Padé and the radius of convergence ───────────────────────────────────────────────────────────


def test_pade_of_the_tangent():
    """[3/2]: (15 t − t³)/(15 − 6 t²)."""
    p, q = pade(np.tan(dn.jet(0.0, 5)), 2)
    assert_allclose(p, [0, 1, 0, -1 / 15], atol=1e-15)
    assert_allclose(q, [1, 0, -6 / 15], atol=1e-15)
    r = pade(np.tan(dn.jet(0.0, 9)), 4)
    assert_allclose(p_of(r)(1.5) / q_of(r)(1.5), r(1.5))
    assert abs(r(1.5) / np.tan(1.5) - 1) < 2e-4 < abs(np.tan(dn.jet(0.0, 9))(1.5) / np.tan(1.5) - 1)


def p_of(r):
    return np.polynomial.Polynomial(r.p)


def q_of(r):
    return np.polynomial.Polynomial(r.q)


@pytest.mark.parametrize(("m", "n"), [(4, None), (2, 3), (0, 5), (5, 0), (1, 1)])
def test_pade_agrees_with_scipy_and_with_the_series(m, n):
    from scipy import interpolate

    at = np.array([0.3, 1.5])
    y = np.exp(np.sin(dn.jet(at, 8)))
    r = pade(y, m, n)
    n = 8 - m if n is None else n
    assert r.p.shape == (n + 1, 2) and r.q.shape == (m + 1, 2)
    for i in range(2):
        p, q = interpolate.pade(y.coeffs[: n + m + 1, i], m, n)
        assert_allclose(r.p[:, i], np.r_[p.c[::-1], np.zeros(n + 1 - len(p.c))], rtol=1e-9, atol=1e-11)
        assert_allclose(r.q[:, i], np.r_[q.c[::-1], np.zeros(m + 1 - len(q.c))], rtol=1e-9, atol=1e-11)
    t = dn.jet(np.zeros(2), 8)
    assert_allclose(r(t).coeffs[: n + m + 1], y.coeffs[: n + m + 1], atol=1e-11)


def test_common_factors_of_pade_are_removed():
    t = dn.jet(0.0, 8)
    p, q = pade((1 + t) / (1 - 2 * t), 3, 4)  # of lower degrees than asked for
    assert_allclose(p, [1, 1, 0, 0, 0], atol=1e-13)
    assert_allclose(q, [1, -2, 0, 0], atol=1e-13)
    p, q = pade(1 + t**2, 1, 1)  # there is no [1/1] with q_0 = 1 that agrees to t²
    assert_allclose(p, [1, 0], atol=1e-13)
    assert_allclose(q, [1, 0], atol=1e-13)
    both = pade(dn.Jet(np.stack([np.exp(t).coeffs, (1 / (1 - t)).coeffs, (0 * t).coeffs], axis=1)), 3, 4)
    assert_allclose(both.q[:, 0], pade(np.exp(t), 3, 4).q)
    assert_allclose(both.q[:, 1], [1, -1, 0, 0], atol=1e-13)
    assert_allclose(both.p[:, 2], 0)
    assert_allclose(both(0.25), [np.exp(0.25), 4 / 3, 0], rtol=1e-9)
    apart = pade(np.exp(dn.jet([np.nan, 0.5, np.inf], 4)), 2)(0.5)
    assert_allclose(apart, [np.nan, np.e, np.nan], rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-30, 1e-3, 1e6, 1e30])
def test_the_unit_of_t_does_not_count_for_pade(unit):
    t = dn.jet(0.0, 8, direction=unit)
    assert_allclose(pade(np.exp(t), 4)(0.25 / unit), np.exp(0.25), rtol=1e-12)
    assert_allclose(pade(1e-8 + np.tan(t), 4)(0.25 / unit), 1e-8 + np.tan(0.25), rtol=1e-9)
    assert_allclose(pade((1 + t) / (1 - 2 * t), 3, 4)(0.25 / unit), 2.5, rtol=1e-12)


def test_pade_under_a_gradient_and_in_other_types():
    def f(a):
        return pade(np.exp(a * dn.jet(0.0, 4)), 2)(0.5)

    u = 0.7 * 0.5
    slope = (12 * (12 - u**2) / (12 - 6 * u + u**2) ** 2) * 0.5  # of (12 + 6u + u²)/(12 − 6u + u²)
    assert_allclose(dn.grad(f)(0.7), slope, rtol=1e-12)
    assert pade(np.exp(dn.jet(np.float32(0.5), 4)), 2).q.dtype == np.float32
    z = pade(np.exp(1j * dn.jet(0.0j, 6)), 3)
    assert_allclose(z(0.5), np.exp(0.5j), rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "function", "radius"),
    [
        ("root", lambda t: 1 / (1 - t / 3), 3.0),
        ("root", lambda t: np.log(2 + t), 2.0),
        ("root", lambda t: np.tan(t), np.pi / 2),
        ("ratio", lambda t: np.sqrt(2 - t), 2.0),
        ("ratio", lambda t: 1 / (0.5 + t) ** 3, 0.5),
        ("pair", lambda t: 1 / (1 + 2 * t**2), np.sqrt(0.5)),
        ("pair", lambda t: np.log((t - 1) ** 2 + 4), np.sqrt(5)),
    ],
)
def test_convergence_radius(method, function, radius):
    estimate = convergence_radius(function(dn.jet(np.zeros(2), 60)), method)
    assert_allclose(estimate, [radius, radius], rtol=2e-2)


def test_the_radius_of_polynomials_and_entire_functions():
    t = dn.jet(0.5, 40)
    for method in ("root", "ratio", "pair"):
        assert convergence_radius(t**3, method) == np.inf
    assert convergence_radius(np.exp(t)) > 5


# ── implicit functions ───────────────────────────────────────────────────────────────────────────


def kepler(E, p):
    M, e = p
    return E - e * np.sin(E) - M


def eccentric_anomaly(M, e):
    E = np.asarray(M, float)
    for _ in range(60):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return E


def test_keplers_equation_around_the_circle():
    """At e = 0, ∂ₑⁿ∂ₘᵏ E = dⁿ⁻¹⁺ᵏ/dMⁿ⁻¹⁺ᵏ sinⁿ M (Lagrange)."""
    M = np.array([0.5, 2.0])
    E = implicit(kepler, M, dn.jets(M, 0.0, order=6))
    for n in range(1, 7):
        for k in range(7 - n):
            wanted = dn.derivative(lambda x, n=n: np.sin(x) ** n, n - 1 + k)(M)
            assert_allclose(E.partial(k, n), wanted, rtol=1e-11, atol=1e-11)
    assert_allclose(E.partial(1, 0), 1)


def test_keplers_equation_by_mpmath():
    M, e = 0.75, 0.5
    E = implicit(kepler, eccentric_anomaly(M, e), (M, e), order=6)
    with mp.workdps(40):
        for v in ((1, 0), (0, 1), (1, 1), (1, -2)):
            along = mp.taylor(
                lambda t, v=v: mp.findroot(lambda E: E - (e + v[1] * t) * mp.sin(E) - M - v[0] * t, 1.2), 0, 6
            )
            assert_allclose(E.along(*map(float, v)).coeffs, [float(c) for c in along], rtol=1e-11)


def test_quadratic_equations():
    """Both roots of x² + p x + q at many points, against the formula."""
    p, q = dn.jets(np.array([3.0, 4.0, -5.0]), np.array([1.0, 2.0, 0.5]), order=5)
    for sign in (1, -1):
        wanted = (-p + sign * np.sqrt(p**2 - 4 * q)) / 2
        alike(implicit(lambda x, p: x**2 + p[0] * x + p[1], wanted.value, (p, q)), wanted, 1e-12)


def test_systems_at_many_points():
    """Where a circle meets a line: x² + y² = r², y = k x."""
    r, k = dn.jets(np.array([1.0, 2.0]), np.array([0.5, -1.0]), order=4)
    x = r / np.sqrt(1 + k**2)
    wanted = np.stack([x, k * x], axis=-1)

    def g(z, p):
        return np.stack([z[..., 0] ** 2 + z[..., 1] ** 2 - p["r"] ** 2, z[..., 1] - p["k"] * z[..., 0]], axis=-1)

    alike(implicit(g, wanted.value, {"r": r, "k": k}, axis=-1), wanted, 1e-12)
    turned = implicit(
        lambda z, p: np.moveaxis(g(np.moveaxis(z, 0, -1), p), -1, 0), wanted.value.T, {"r": r, "k": k}, axis=0
    )
    alike(turned, np.swapaxes(wanted, 0, 1), 1e-12)
    plain = implicit(g, wanted.value, {"r": r.value, "k": k.value}, axis=-1, order=4)
    alike(plain, wanted, 1e-12)
    assert plain.algebra.names == ("r", "k")


def test_a_linear_system_with_an_axis_of_parameters():
    a = RNG.normal(size=(3, 3)) + 4 * np.eye(3)
    p = dn.jets(RNG.normal(size=3), order=2, axis=0)
    wanted = np.linalg.solve(a + np.cos(p) * np.eye(3), p)
    alike(implicit(lambda x, p: (a + np.cos(p) * np.eye(3)) @ x - p, wanted.value, p, axis=0), wanted)


def test_implicit_of_plain_numbers_and_other_types():
    x = implicit(lambda x, p: x**2 - p, np.array([1.41421356, 1.7320508]), np.array([2.0, 3.0]), tol=1e-6)
    assert_allclose(x, np.sqrt([2.0, 3.0]), rtol=1e-14)  # a step nearer
    single = implicit(lambda x, p: x**2 - p, np.float32(2.0), dn.jet(np.float32(4.0), 2))
    assert single.dtype == np.float32
    z = implicit(lambda z, p: z**2 - p, 1j, dn.jet(-1.0 + 0j, 3))
    alike(z, -np.sqrt(dn.jet(-1.0 + 0j, 3)) * (1 if np.sqrt(-1.0 + 0j) == -1j else -1), 1e-12)


def cube(p):
    """The real root of x³ + x = p."""
    x = np.asarray(dn.stop_gradient(p))
    for _ in range(80):
        x = x - (x**3 + x - dn.stop_gradient(p)) / (3 * x**2 + 1)
    return implicit(lambda x, p: x**3 + x - p, x, p)


def test_implicit_under_every_transform():
    """x(10) = 2: x' = 1/13, x'' = −12/13³."""
    first, second = 1 / 13, -12 / 13**3
    assert_allclose(dn.grad(cube)(10.0), first)
    assert_allclose(dn.derivative(cube, 2)(10.0), second)
    assert_allclose(dn.grad(dn.grad(cube))(10.0), second)
    assert_allclose(dn.derivative(dn.grad(cube))(10.0), second)
    assert_allclose(dn.hessian(lambda p: np.sum(cube(p)))(np.array([10.0, 2.0])), np.diag([second, -6 / 4**3]))
    closure = dn.grad(lambda p: implicit(lambda x, _: x**3 + x - p, 2.0, 0.0))
    assert_allclose(closure(10.0), first)
    found = dn.jit(lambda x, p: implicit(lambda x, p: x**3 + x - p, x, p))(2.0, 10.0)
    assert_allclose(found, 2.0)
    compiled = dn.jit(lambda x, p: dn.grad(lambda p: implicit(lambda x, p: x**3 + x - p, x, p))(p))
    assert_allclose(compiled(2.0, 10.0), first)


# ── fixed points ─────────────────────────────────────────────────────────────────────────────────


def by_iteration(p):
    return fixed_point(lambda E, p: p[0] + p[1] * np.sin(E), p[0] * 0 + 1.0 if isinstance(p[0], float) else 1.0, p)


def test_fixed_points_have_the_derivatives_of_the_equation():
    M, e = dn.jets(0.75, 0.25, order=5)
    alike(by_iteration((M, e)), implicit(kepler, eccentric_anomaly(0.75, 0.25), (M, e)), 1e-12)


def test_fixed_points_of_systems():
    a = 0.2 * RNG.normal(size=(4, 3, 3))
    b = dn.jet(RNG.normal(size=(4, 3)), 3)
    found = fixed_point(lambda x, b: (a @ x[..., None])[..., 0] + np.sin(b), np.zeros((4, 3)), b, axis=-1)
    alike(found, np.linalg.solve(np.eye(3) - a, np.sin(b)[..., None])[..., 0], 1e-12)


def test_fixed_points_under_transforms():
    def root(p):  # Newton's iteration for √p, which forgets where it began
        return fixed_point(lambda x, p: (x + p / x) / 2, 1.0, p)

    p = 5.0
    assert_allclose(dn.grad(root)(p), 0.5 * p**-0.5)
    assert_allclose(dn.derivative(root, 3)(p), 0.375 * p**-2.5)
    assert_allclose(dn.grad(dn.grad(root))(p), -0.25 * p**-1.5)
    assert_allclose(dn.jit(root)(p), np.sqrt(p))
    assert_allclose(dn.jit(dn.grad(root))(7.0), 0.5 * 7.0**-0.5)
    with pytest.warns(dn.PerformanceWarning, match="pass it as p"):
        assert_allclose(dn.jit(lambda p: fixed_point(lambda x, _: (x + p / x) / 2, 1.0, 0.0))(2.0), np.sqrt(2.0))


# ── flows ────────────────────────────────────────────────────────────────────────────────────────


def oscillator(t, y):
    return np.stack([y[..., 1], -y[..., 0]], axis=-1)


def orbit(t, y):
    """Two bodies in the plane: position and velocity."""
    r3 = (y[..., 0] ** 2 + y[..., 1] ** 2) ** 1.5
    return np.stack([y[..., 2], y[..., 3], -y[..., 0] / r3, -y[..., 1] / r3], axis=-1)


@pytest.mark.parametrize(("method", "steps", "tol"), [("rk4", 200, 1e-8), ("taylor", 5, 1e-10)])
def test_the_flow_of_an_oscillator_is_a_rotation(method, steps, tol):
    y = dn.jets(np.array([[1.0, 0.5], [0.0, 2.0]]), order=2, axis=-1)
    times = np.array([0.0, 1.0, 3.0])
    found = flow(oscillator, y, times, steps=steps, method=method)
    assert found.shape == (3, 2, 2)
    for i, t in enumerate(times):
        turn = np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])
        alike(found[i], y @ turn.T, tol)


def test_a_taylor_map_of_an_orbit_against_trajectories():
    """Displaced orbits, integrated by SciPy, against one map: a cloud of initial states."""
    from scipy.integrate import solve_ivp

    start = np.array([1.0, 0.0, 0.0, 1.1])
    end = flow(orbit, dn.jets(start, order=4, axis=-1), [0.0, 3.0], steps=400)[-1]
    cloud = 0.001 * RNG.normal(size=(20, 4))
    mapped = end(*cloud.T[..., None])
    assert mapped.shape == (20, 4)
    for displacement, found in zip(cloud, mapped, strict=True):
        exact = solve_ivp(orbit, (0.0, 3.0), start + displacement, method="DOP853", rtol=1e-12, atol=1e-13)
        assert_allclose(found, exact.y[:, -1], atol=2e-8)
    symplectic = np.block([[np.zeros((2, 2)), np.eye(2)], [-np.eye(2), np.zeros((2, 2))]])
    slopes = end.gradient()
    assert_allclose(slopes.T @ symplectic @ slopes, symplectic, atol=1e-7)


def test_a_flow_there_and_back_is_the_identity():
    y = dn.jets(np.array([1.0, 0.0, 0.0, 1.1]), order=3, axis=-1)
    there = flow(orbit, y, [0.0, 1.0], steps=100)[-1]
    alike(flow(orbit, there, [1.0, 0.0], steps=100)[-1], y, 1e-7)
    alike(compose(inverse_map(there, y.value), there), y, 1e-11)


def test_a_whole_orbit_returns():
    """The period of an ellipse with a = 1 and e = ½ is 2π."""
    start = np.array([0.5, 0.0, 0.0, np.sqrt(3)])
    found = flow(orbit, start, [0.0, 2 * np.pi], steps=60, method="taylor", order=20)[-1]
    assert_allclose(found, start, atol=1e-11)


def test_flows_of_containers_and_under_transforms():
    def f(t, y):
        return {"x": y["v"], "v": -(2.0**2) * y["x"]}

    found = flow(f, {"x": 1.0, "v": 0.0}, [0.0, 0.5, 1.0], steps=100)
    assert_allclose(found["x"], np.cos([0.0, 1.0, 2.0]), rtol=1e-6)

    def end(w):
        return flow(lambda t, y: -w * y * np.cos(t), 2.0, [0.0, 1.0], steps=50)[-1]

    wanted = 2 * np.exp(-0.7 * np.sin(1.0))
    assert_allclose(end(0.7), wanted, rtol=1e-8)
    assert_allclose(dn.grad(end)(0.7), -np.sin(1.0) * wanted, rtol=1e-7)
    assert_allclose(dn.jit(end)(0.7), wanted, rtol=1e-8)
    until = dn.grad(lambda t: flow(lambda t, y: -y, 2.0, [0.0, t], steps=50)[-1])
    assert_allclose(until(1.0), -2 * np.exp(-1.0), rtol=1e-7)


@pytest.mark.parametrize("method", ["rk4", "taylor"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_flows_keep_the_type_of_the_state(method, dtype):
    found = flow(lambda t, y: np.cos(t) * y, np.ones(2, dtype), [0, 1], steps=20, method=method)
    assert found.dtype == dtype
    assert_allclose(found[-1], np.exp(np.sin(1.0)), rtol=1e-5)


def test_a_step_by_the_series_in_time():
    """y' = 2 t y: y = exp(t²)."""
    assert_allclose(taylor_step(lambda t, y: 2 * t * y, 0.5, np.exp(0.25), 0.25, order=25), np.exp(0.75**2), rtol=1e-14)
    for order in (1, 2, 5):  # the polynomial itself
        wanted = sum(0.5**k / factorial(k) for k in range(order + 1))
        assert_allclose(taylor_step(lambda t, y: y, 0.0, 1.0, 0.5, order=order), wanted)
    assert_allclose(taylor_step(lambda t, y: 0 * y + 3.0, 0.0, 1.0, 0.5), 2.5)
    assert_allclose(taylor_step(lambda t, y: np.float64(3.0), 0.0, 1.0, 0.5), 2.5)
    assert_allclose(dn.grad(lambda y: taylor_step(lambda t, y: -y, 0.0, y, 0.5))(2.0), np.exp(-0.5))
    assert taylor_step(lambda t, y: -y, 0.0, np.float32([1, 2]), 0.5).dtype == np.float32
