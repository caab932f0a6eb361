"""Mixed partial derivatives: exact where they are whole numbers, by mpmath elsewhere, and one number in all ways."""

import pickle
from fractions import Fraction
from math import factorial, perm, prod

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn
from dualnum.algebra import amplification, polarized, weights
from dualnum.algebra.families import of_degree
from dualnum.errors import InvalidType, InvalidValue

METHODS = ["polynomial", "nilpotent", "interpolation"]
EPS = np.finfo(float).eps


def smooth(x, t):
    return np.sin(x * t) * np.exp(-x * x) + np.log(1 + x * x + t * t) / (2 + np.cos(t))


def in_mpmath(x, t):
    return mpmath.sin(x * t) * mpmath.exp(-x * x) + mpmath.log(1 + x * x + t * t) / (2 + mpmath.cos(t))


def up_to(count, order):
    return [m for k in range(order + 1) for m in of_degree(count, k)]


def polynomial(terms):
    """Σ c x^p as a function, and its derivatives in exact arithmetic."""

    def f(*xs):
        return sum(c * prod((x**k for x, k in zip(xs, p, strict=True) if k), start=1.0) for p, c in terms.items())

    def derivative(m, xs):
        def of_term(p):
            return prod(perm(k, j) * Fraction(x) ** (k - j) if k >= j else 0 for x, k, j in zip(xs, p, m, strict=True))

        return sum(c * of_term(p) for p, c in terms.items())

    return f, derivative


# ── weights ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_weights_are_exact_of_all_monomials_of_the_degree(count):
    ms = [m for m in up_to(count, 4) if any(m)] + [(2, 2, 1, 1)[:count], (3, 3, 0, 0)[:count], (1, 0, 4, 0)[:count]]
    for m in ms:
        for family in (polarized(m), weights(m, sum(m)), weights(m, sum(m) + 2)):
            for p in of_degree(count, sum(m)):
                read = sum(w * prod(x**k for x, k in zip(v, p, strict=True) if k) for v, w in family.items())
                assert read == (prod(map(factorial, m)) if p == m else 0)


def test_families_are_small():
    assert set(polarized((1, 1))) == {(1, 1), (1, -1)}
    assert set(polarized((3, 0))) == {(1, 0)}
    assert len(polarized((3, 3))) == 6  # the real rank of x³y³: Boij, Carlini & Geramita, 2011
    assert len(polarized((1,) * 6)) == 2**5
    assert len({v for m in up_to(3, 4) for v in weights(m, 4)}) == 15  # C(6, 4)


def test_amplification_bounds_what_is_lost():
    f, exact = polynomial(dict.fromkeys(up_to(2, 6), 1))
    m = (3, 3)
    found = dn.partial(f, m, method="interpolation")(0.0, 0.0)
    assert abs(found - float(exact(m, (0, 0)))) <= 720 * EPS * amplification(m, polarized(m))


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [None, *METHODS])
def test_polynomials_have_their_exact_derivatives(method):
    f, exact = polynomial({(3, 0, 1): 2, (2, 2, 0): -3, (1, 1, 1): 5, (0, 4, 0): 7, (0, 0, 2): 11, (0, 0, 0): 13})
    ms = up_to(3, 4)
    points = np.array([[2.0, -1.0], [0.0, 3.0], [0.5, 4.0]])
    found = dn.mixed(f, ms, method=method)(*points)
    for m, y in zip(ms, found, strict=True):
        expected = [float(exact(m, xs)) for xs in points.T]
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=2e-10)
        if method in (None, "polynomial"):
            assert y.tolist() == expected


def test_fateman():
    f = lambda x, y, z, w: (1 + x + y + z + w) ** 8  # noqa: E731
    assert dn.partial(f, (2, 1, 3, 2))(0.0, 0.0, 0.0, 0.0) == factorial(8)
    assert dn.partial(f, (1, 1, 2, 0))(1.0, 2.0, -3.0, 1.0) == perm(8, 4) * 2**4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("m", [(0, 0), (1, 1), (2, 0), (2, 1), (0, 3), (2, 2), (4, 1), (3, 3)])
def test_smooth_functions_agree_with_mpmath(m, method):
    points = [(0.5, 1.25), (-0.75, 2.0), (1.5, 0.0)]
    with mpmath.workdps(60):
        exact = np.array([float(mpmath.diff(in_mpmath, p, m) if any(m) else in_mpmath(*p)) for p in points])
    found = dn.partial(smooth, m, method=method)(*np.array(points).T)
    np.testing.assert_allclose(found, exact, rtol=2e-13, atol=2e-13 * np.abs(exact).max())


@settings(max_examples=25, deadline=None)
@given(
    ms=st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[st.integers(0, 2)] * n), min_size=1, max_size=3)),
    seed=st.integers(0, 100),
)
def test_all_ways_are_one_number(ms, seed):
    n = len(ms[0])

    def f(*xs):
        s = sum((k + 1) * x for k, x in enumerate(xs)) / n
        return np.exp(-s * xs[0]) * np.cos(s) + xs[-1] / (1 + xs[0] ** 2)

    points = np.random.default_rng(seed).uniform(0.25, 1.25, (n, 4))
    ways = dn.mixed(f, ms).plan.ways.values()
    assert [way.name for way in ways] == METHODS
    first, *others = [dn.mixed(f, ms, method=way.name)(*points) for way in ways]
    for way, other in zip(list(ways)[1:], others, strict=True):
        for a, b in zip(first, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=300 * EPS * way.amplification * (1 + np.abs(a).max()))


def test_the_order_in_which_variables_are_named_says_nothing():
    x, t = np.linspace(0.25, 2.0, 7), np.linspace(-1.0, 1.0, 7)
    named = [dn.partial(smooth, m)(x, t) for m in ({"x": 2, "t": 1}, {"t": 1, "x": 2}, (2, 1))]
    assert named[0].tobytes() == named[1].tobytes() == named[2].tobytes()
    nested = dn.derivative(dn.derivative(smooth, argnums=1), argnums=0)(x, t)
    np.testing.assert_allclose(dn.partial(smooth, (1, 1))(x, t), nested, rtol=1e-13)


def test_arguments_that_change_places():
    """Along (1, 1) and (1, −1) nothing tells them apart; a product adds its terms in the order of the variables."""
    x, t = np.random.default_rng(3).uniform(0.25, 2.0, (2, 200))
    for method in METHODS:
        f_xt = dn.partial(smooth, (1, 1), method=method)(x, t)
        f_tx = dn.partial(lambda t, x: smooth(x, t), (1, 1), method=method)(t, x)
        np.testing.assert_allclose(f_xt, f_tx, rtol=0, atol=8 * EPS * np.abs(f_xt).max())
        assert method != "interpolation" or f_xt.tobytes() == f_tx.tobytes()


def test_one_of_several_is_that_one_alone():
    ms = [(1, 1), (2, 0), (0, 0)]
    for y, m in zip(dn.mixed(smooth, ms)(0.5, 1.5), ms, strict=True):
        np.testing.assert_allclose(y, dn.partial(smooth, m)(0.5, 1.5), rtol=1e-14)


# ── arguments, results, nesting ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_points_broadcast_and_types_are_kept(method):
    x, t = np.linspace(0.5, 1.0, 3, dtype=np.float32)[:, None], np.linspace(1.0, 2.0, 4, dtype=np.float32)
    found = dn.partial(smooth, (2, 1), method=method)(x, t)
    assert found.shape == (3, 4) and found.dtype == np.float32
    wide = dn.partial(smooth, (2, 1))(x.astype(float), t.astype(float))
    np.testing.assert_allclose(found, wide, rtol=0, atol=3e-5)
    assert isinstance(dn.partial(smooth, (1, 1), method=method)(1, 2), np.float64)


@pytest.mark.parametrize("method", METHODS)
def test_containers_and_what_is_constant(method):
    def f(x, t):
        return {"product": x**2 * t, "constant": 3.0, "more": (x, np.ones(2))}

    first, second = dn.mixed(f, [(0, 0), (1, 1)], method=method)(1.5, 2.0)
    assert first["product"] == 4.5 and first["constant"] == 3.0 and first["more"][1].tolist() == [1.0, 1.0]
    assert second["product"] == 3.0 and second["constant"] == 0.0 and second["more"][0] == 0.0
    assert second["more"][1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("method", METHODS)
def test_chosen_arguments_and_entries_of_points(method):
    f = lambda a, x, scale=1.0, *, t: scale * a * x**2 * t**3  # noqa: E731
    assert dn.partial(f, (1, 1), argnums=(1, 2), method=method)(2.0, 3.0, 5.0, t=1.0) == pytest.approx(12.0, rel=1e-14)
    assert dn.partial(f, {"x": 2}, method=method)(2.0, 3.0, t=2.0) == pytest.approx(32.0, rel=1e-14)
    points = np.random.default_rng(2).uniform(0.5, 1.5, (5, 3))
    g = lambda p: p[..., 0] ** 3 * p[..., 1] * np.exp(p[..., 2])  # noqa: E731
    expected = 6 * points[:, 0] * np.exp(points[:, 2])
    np.testing.assert_allclose(dn.partial(g, (2, 1, 1), axis=-1, method=method)(points), expected, rtol=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_it_nests(method):
    x, t = np.linspace(0.5, 1.5, 4), np.linspace(1.0, 2.0, 4)
    f_xt = dn.partial(smooth, (1, 1), method=method)
    f_xxt = dn.partial(smooth, (2, 1))(x, t)
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(dn.derivative(f_xt)(x, t), f_xxt, **close)
    np.testing.assert_allclose(dn.jvp(lambda x: f_xt(x, t), (x,), (np.ones(4),))[1], f_xxt, **close)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(f_xt(x, t)))(x), f_xxt, **close)
    np.testing.assert_allclose(dn.partial(f_xt, (1, 0), method=method)(x, t), f_xxt, **close)
    np.testing.assert_allclose(f_xt(dn.jet(x, 2), t).derivative(1), f_xxt, **close)
    np.testing.assert_allclose(dn.jit(f_xt)(x, t), f_xt(x, t), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(dn.derivative(f_xt))(x, t), f_xxt, **close)


def test_it_can_be_kept():
    again = pickle.loads(pickle.dumps(dn.partial(np.hypot, (2, 1), method="nilpotent")))
    assert again(3.0, 4.0) == dn.partial(np.hypot, (2, 1), method="nilpotent")(3.0, 4.0)
    assert again.plan.chosen.name == "nilpotent"


# ── the plan ─────────────────────────────────────────────────────────────────────────────────────


def test_only_divisors_are_kept():
    ways = dn.partial(smooth, (2, 1)).plan.ways
    assert ways["polynomial"].planes == 6 and ways["polynomial"].products == 18  # C(5, 3) planes to degree 3 are 10
    assert ways["nilpotent"].planes == 8 and ways["nilpotent"].products == 27
    assert ways["interpolation"].planes == 1 + 3 * 3
    all_of_them = dn.mixed(smooth, up_to(2, 4)).plan.ways
    assert all_of_them["polynomial"].planes == 15 and all_of_them["polynomial"].products == 70  # C(6, 4), C(8, 4)
    assert all_of_them["interpolation"].planes == 1 + 4 * 5


@pytest.mark.parametrize("ms", [up_to(2, 8), up_to(2, 16), up_to(3, 6), [(1,) * 8], [(5, 5)]])
def test_the_plan_loses_no_digits_of_its_own_accord(ms):
    plan = dn.mixed(np.add, ms).plan
    assert plan.chosen.is_accurate
    assert plan.chosen.cost == min(way.cost for way in plan.ways.values() if way.is_accurate)
    text = repr(plan)
    assert all(f"{way.planes} planes" in text for way in plan.ways.values()) and "chosen, the least" in text
    assert ("only if asked for" in text) == (not all(way.is_accurate for way in plan.ways.values()))


def test_a_family_of_few_directions_is_not_taken_where_it_loses_digits():
    family = dn.partial(np.add, (6, 6)).plan.ways["interpolation"]
    assert len(weights((6, 6), 12)) < len(polarized((6, 6))) and amplification((6, 6), weights((6, 6), 12)) > 1e4
    assert family.amplification == amplification((6, 6), polarized((6, 6))) < 100


def test_a_method_that_is_asked_for_is_taken():
    for method in METHODS:
        plan = dn.partial(np.hypot, (2, 1), method=method).plan
        assert plan.chosen is plan.ways[method] and "(asked for)" in repr(plan)


# ── bad input ────────────────────────────────────────────────────────────────────────────────────

BAD = [
    (lambda: dn.partial(smooth, (1, -1)), InvalidValue, r"the multi-index is \(1, -1\); expected 0 or more"),
    (lambda: dn.partial(smooth, (1, 0.5)), InvalidType, r"expected integers"),
    (lambda: dn.partial(smooth, (True, 1)), InvalidType, r"expected integers"),
    (lambda: dn.partial(smooth, ()), InvalidValue, r"the multi-index is \(\)"),
    (lambda: dn.partial(smooth, {"y": 1}), InvalidValue, r"f has no argument y; expected some of x, t"),
    (lambda: dn.partial(smooth, (1, 1, 1))(0.5, 2.0), InvalidValue, r"\(1, 1, 1\) for 2 arguments"),
    (lambda: dn.partial(smooth, (1, 1), argnums=0)(0.5, 2.0), InvalidValue, r"argnums is 0; expected as many"),
    (lambda: dn.partial(np.sum, (1, 1), axis=-1)(np.ones(3)), InvalidValue, r"the points have 3 entries"),
    (lambda: dn.partial(smooth, (1, 1), method="taylor"), InvalidValue, r"method is 'taylor'; expected one of"),
    (
        lambda: dn.partial(smooth, (9, 9), method="nilpotent")(0.5, 2.0),
        InvalidValue,
        r"method 'nilpotent' takes too many planes",
    ),
    (lambda: dn.partial(smooth, (1, 1))(1j, 2.0), InvalidType, r"complex"),
    (lambda: dn.partial(smooth, (1, 1))("x", 2.0), InvalidType, r"argument 0"),
    (lambda: dn.partial(lambda x, t: None, (1, 1))(1.0, 2.0), InvalidType, r"f returned None"),
    (lambda: dn.partial(3, (1, 1)), InvalidType, r"f is a int"),
    (lambda: dn.mixed(smooth, []), InvalidValue, r"expected a list of one or more"),
    (lambda: dn.mixed(smooth, {"x": 1}), InvalidValue, r"expected a list of one or more"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
