"""NUMERICS.md, row by row: what comes out at the hard points."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import coefficients, jet_of, worst

import dualnum as dn
from dualnum import jet
from dualnum.kernel.engine import available, engine

inf, nan = np.inf, np.nan


@pytest.fixture(autouse=True, params=available())
def machine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here runs on every engine."""
    with engine(request.param):
        yield


def along(f: Any, x: Any, order: int = 4) -> np.ndarray:
    """The coefficients of f(x + t)."""
    return jet_of(f, x, order)


# ── the value is the native function's ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "sinh", "arcsinh", "arctanh", "sin", "arctan"])
@pytest.mark.parametrize("x", [1e-17, 1e-20, 5e-324, -1e-300])
def test_small_values_survive(name: str, x: float) -> None:
    assert along(getattr(np, name), x)[0] == x


# ── tanh and the logistic function in their tails ────────────────────────────────────────────────


def test_tanh_keeps_its_second_derivative_near_zero() -> None:
    np.testing.assert_allclose(2 * along(np.tanh, 1e-20)[2], -2e-20, rtol=1e-15)


@pytest.mark.parametrize("x", [19.0, 20.0, 40.0, 300.0, -25.0])
def test_tanh_keeps_its_derivatives_in_the_tails(x: float) -> None:
    assert worst(along(np.tanh, x, 8), coefficients(mp.tanh, x, 9, abs(x)), x) <= 8


@pytest.mark.parametrize("x", [-700.0, -40.0, 1e-20, 36.0, 700.0])
def test_the_weights_of_logaddexp_are_exact_in_both_tails(x: float) -> None:
    def exact(z: Any) -> Any:
        with mp.workdps(mp.dps + 320):
            return mp.log(1 + mp.exp(z))

    c = coefficients(exact, x, 9, 1.5)
    assert worst(along(lambda u: np.logaddexp(u, 0.0), x, 8), c, x) <= 8


# ── inverse functions next to the edge of their domain ───────────────────────────────────────────


@pytest.mark.parametrize("name", ["arcsin", "arccos", "arctanh"])
@pytest.mark.parametrize("x", [1 - 2.0**-40, 1 - 2.0**-53, -1 + 2.0**-53, 1e-20])
def test_inverse_functions_near_one(name: str, x: float) -> None:
    f = {"arcsin": mp.asin, "arccos": mp.acos, "arctanh": mp.atanh}[name]
    assert worst(along(getattr(np, name), x, 8), coefficients(f, x, 9, 1 - abs(mpf(x))), x) <= 8


# from inside of the domain; along 1 − t every other sign turns
EDGES: list[tuple[Any, float, list[float]]] = [
    (np.arcsin, 1.0, [inf, inf, inf, inf]),
    (np.arcsin, -1.0, [inf, -inf, inf, -inf]),
    (np.arccos, 1.0, [-inf, -inf, -inf, -inf]),
    (np.arccos, -1.0, [-inf, inf, -inf, inf]),
    (np.arctanh, 1.0, [inf, inf, inf, inf]),
    (np.arctanh, -1.0, [inf, -inf, inf, -inf]),
    (np.arccosh, 1.0, [inf, -inf, inf, -inf]),
]


@pytest.mark.parametrize(("f", "x", "slopes"), EDGES)
def test_infinite_slopes_have_the_sign_of_the_inside(f: Any, x: float, slopes: list[float]) -> None:
    np.testing.assert_array_equal(along(f, x)[1:], slopes)
    back = f(jet(x, 4, direction=-1.0)).coeffs[1:]
    np.testing.assert_array_equal(back, [-slopes[0], slopes[1], -slopes[2], slopes[3]])
    np.testing.assert_array_equal(f(jet(np.array([x, 0.5 * x]), 4)).coeffs[1:, 0], slopes)
    assert dn.grad(f)(x) == slopes[0]
    np.testing.assert_array_equal(dn.grad(lambda u: np.sum(f(u)))(np.array([x, x])), [slopes[0]] * 2)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_angles_that_come_to_their_end_later(side: float) -> None:
    turn = (1 - side) / 2 * np.pi  # arccos(±1)
    # t² (1 − …): 1 − cos(t²) = t⁴/2 − …, as far as it is known
    np.testing.assert_allclose(along(lambda u: np.arccos(side * np.cos(u**2)), 0.0, 4)[:3], [turn, 0, side])
    np.testing.assert_allclose(along(lambda u: np.arcsin(side * np.cos(u**2)), 0.0, 4)[1:3], [0, -side])
    # |t|, whose subgradient is 0
    np.testing.assert_array_equal(along(lambda u: np.arccos(side * np.cos(u)), 0.0, 3), [turn, 0, 0, 0])
    for order in (1, 4):
        for f in (np.arccos, np.arcsin):
            np.testing.assert_array_equal(along(lambda u, f=f: f(np.clip(u, -1, 1)), 2 * side, order)[1:], [0] * order)
            assert dn.grad(lambda u, f=f: f(np.clip(u, -1, 1)))(2 * side) == 0


@pytest.mark.parametrize("x", [np.pi / 2, -np.pi / 2, np.pi / 2 - 1e-12, 1.5, -1.2])
def test_tan_next_to_its_pole(x: float) -> None:
    """Finite to the last coefficient that a float holds."""
    with mp.workdps(60):
        exact = coefficients(mp.tan, x, 21, abs(mp.pi / 2 - abs(mpf(x))))
    got = along(np.tan, x, 20)
    fits = [k for k, c in enumerate(exact[:21]) if abs(c) < mpf(np.finfo(float).max)]
    assert len(fits) == (19 if abs(x) == np.pi / 2 else 21)
    # 1/(π/2 − x)^{k+1}, of which every power has a rounding
    np.testing.assert_allclose(got[fits], [float(exact[k]) for k in fits], rtol=2e-14)


@pytest.mark.parametrize("x", [1 + 2.0**-52, 1 + 2.0**-40, 1e200])
def test_arccosh_near_one_and_far(x: float) -> None:
    assert worst(along(np.arccosh, x, 8), coefficients(mp.acosh, x, 9, mpf(x) - 1), x) <= 8


# ── finite where the true coefficient is finite ──────────────────────────────────────────────────

BEYOND: list[tuple[Any, Any, float, Any]] = [
    (np.exp, mp.exp, 710.0, mp.inf),
    (np.exp, mp.exp, 720.0, mp.inf),
    (np.expm1, mp.exp, 712.0, mp.inf),
    (np.exp2, lambda z: mp.power(2, z), 1024.0, mp.inf),
    (np.exp2, lambda z: mp.power(2, z), 1030.0, mp.inf),
    (np.sinh, mp.sinh, 711.0, mp.inf),
    (np.sinh, mp.sinh, -720.0, mp.inf),
    (np.cosh, mp.cosh, -715.0, mp.inf),
    (lambda u: u**2.5, lambda z: z ** mpf(2.5), 1e200, 1e200),
    (lambda u: u**3, lambda z: z**3, 1e150, 1e150),
    (lambda u: u**0.5, mp.sqrt, 5e-324, 5e-324),
    (np.sqrt, mp.sqrt, 5e-324, 5e-324),
    (np.cbrt, mp.cbrt, 5e-324, 5e-324),
    (np.arcsinh, mp.asinh, 1e200, 1e200),
    (np.arctan, mp.atan, 1.7e308, 1e308),
    (lambda u: np.hypot(u, 3e200), lambda z: mp.sqrt(z * z + mpf(3e200) ** 2), 4e200, 1e200),
    (lambda u: np.hypot(u, 3e-200), lambda z: mp.sqrt(z * z + mpf(3e-200) ** 2), 4e-200, 1e-200),
    (lambda u: np.arctan2(u, 3e200), lambda z: mp.atan(z / mpf(3e200)), 4e200, 1e200),
    (lambda u: np.arctan2(u, 3e-200), lambda z: mp.atan(z / mpf(3e-200)), 4e-200, 1e-200),
]


@pytest.mark.parametrize(("f", "exact", "x", "radius"), BEYOND)
def test_coefficients_beyond_the_overflow_of_others(f: Any, exact: Any, x: float, radius: Any) -> None:
    assert worst(along(f, x, 8), coefficients(exact, x, 9, radius), x) <= 8


@pytest.mark.parametrize("f", [np.exp, np.expm1])
def test_a_small_direction_brings_the_first_coefficient_back(f: Any) -> None:
    c = f(jet(720.0, order=3, direction=1e-10)).coeffs
    expected = [mp.exp(720) * mpf(1e-10) ** k / mp.factorial(k) for k in range(4)]
    assert c[0] == inf
    np.testing.assert_allclose(c[1:], [float(e) for e in expected[1:]], rtol=1e-13)


# ── products, powers and roots at zero ───────────────────────────────────────────────────────────


def test_products_with_zero_factors() -> None:
    x = jet(np.array([0.0, 2.0, 0.0, 3.0]), order=3)
    np.testing.assert_array_equal(np.prod(x).coeffs, [0, 0, 6, 5])  # t·(2+t)·t·(3+t)
    np.testing.assert_array_equal(np.cumprod(x).coeffs, [[0, 0, 0, 0], [1, 2, 0, 0], [0, 1, 2, 6], [0, 0, 1, 5]])


@pytest.mark.parametrize("two", [2, np.int64(2), np.int8(2), 2.0, np.float64(2), np.array(2)])
def test_the_square_at_zero_whatever_two_is(two: Any) -> None:
    np.testing.assert_array_equal(along(lambda u: u**two, 0.0), [0, 0, 1, 0, 0])


@pytest.mark.parametrize("three", [3, np.int64(3), 3.0])
def test_the_cube_at_zero_and_at_a_negative_point(three: Any) -> None:
    np.testing.assert_array_equal(along(lambda u: u**three, 0.0), [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(along(lambda u: u**three, -2.0), [-8, 12, -6, 1, 0])


@pytest.mark.parametrize("zero", [0, 0.0, np.int64(0), np.array([0.0, 0.0])])
def test_the_power_zero_is_one(zero: Any) -> None:
    c = along(lambda u: u**zero, [0.0, 3.0])
    np.testing.assert_array_equal(c, [[1, 1], [0, 0], [0, 0], [0, 0], [0, 0]])


def test_a_huge_base_keeps_the_finite_coefficients_of_its_power() -> None:
    np.testing.assert_array_equal(along(lambda u: u**3, 1e200, 3), [inf, inf, 3e200, 1])
    np.testing.assert_array_equal(along(lambda u: u**2.5, 1e-300, 3)[:2], [0, 0])


def test_zero_to_a_moving_exponent() -> None:
    np.testing.assert_array_equal(along(lambda p: 0.0**p, 2.0), [0, 0, 0, 0, 0])
    x, y = jet(0.0, order=1, direction=3.0), jet(2.0, order=1, direction=5.0)
    np.testing.assert_array_equal((x**y).coeffs, [0, 0])
    x, y = jet(0.0, order=1, direction=3.0), jet(1.0, order=1, direction=5.0)
    np.testing.assert_array_equal((x**y).coeffs, [0, 3])


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 2.5])
def test_a_power_from_zero_with_both_moving(p: float) -> None:
    """t^{p+t} = t^p (1 + t log t + …): the terms to order p, and infinite or unknown ones above."""
    c = (jet(0.0, 4) ** jet(p, 4)).coeffs
    np.testing.assert_array_equal(c[: int(p) + 1], [1.0 if k == p else 0.0 for k in range(int(p) + 1)])
    assert not np.isfinite(c[int(p) + 1 :]).any()
    fast = (jet(0.0, 4, direction=3.0) ** jet(p, 4)).coeffs
    np.testing.assert_array_equal(fast[: int(p) + 1], 3.0**p * c[: int(p) + 1])
    # along t², the term of t² comes at degree 4
    later = (dn.Jet([0.0, 0, 1, 0, 0]) ** jet(2.0, 4)).coeffs
    np.testing.assert_array_equal(later[:3], [0, 0, 0])


def test_a_negative_base_has_no_real_derivative_in_the_exponent() -> None:
    np.testing.assert_array_equal(dn.grad(lambda x, y: x**y, argnums=(0, 1))(-2.0, 2.0), [-4.0, nan])
    np.testing.assert_array_equal(along(lambda p: (-2.0) ** p, 3.0, 1), [-8, nan])
    np.testing.assert_array_equal(along(lambda u: u**3.0, -2.0, 3), [-8, 12, -6, 1])


def test_negative_whole_powers() -> None:
    c = along(lambda u: u**-2, [-2.0, 0.5])
    np.testing.assert_allclose(c, [[0.25, 4], [0.25, -16], [3 / 16, 48], [1 / 8, -128], [5 / 64, 320]], rtol=1e-15)
    np.testing.assert_array_equal(along(lambda u: u**-1.0, 0.0, 3), [inf, -inf, inf, -inf])


def test_array_exponents_are_decided_element_by_element() -> None:
    p = np.array([0.0, 1.0, 2.0, 3.0, 2.5, -1.0])
    c = along(lambda u: u**p, np.array([0.0, 0.0, 0.0, -2.0, 4.0, 2.0]), 3)
    expected = [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [-8, 12, -6, 1],
        [32, 20, 3.75, 0.15625],
        [1 / 2, -1 / 4, 1 / 8, -1 / 16],
    ]
    np.testing.assert_allclose(c.T, expected, rtol=1e-14)


def test_array_exponents_keep_infinities_and_nans_in_their_element() -> None:
    c = along(lambda u: u ** np.array([2.0, nan, inf]), np.array([3.0, 3.0, 3.0]), 2)
    np.testing.assert_array_equal(c[:, 0], [9, 6, 1])
    assert np.isnan(c[:, 1]).all() and c[0, 2] == inf


def test_fractional_powers_at_zero() -> None:
    np.testing.assert_array_equal(along(lambda u: u**1.5, 0.0), [0, 0, inf, -inf, inf])
    np.testing.assert_array_equal(along(lambda u: u**2.5, 0.0), [0, 0, 0, inf, -inf])
    np.testing.assert_array_equal(along(lambda u: u**0.5, 0.0), [0, inf, -inf, inf, -inf])
    np.testing.assert_array_equal(
        along(lambda u: u ** np.array([1.5, 2.0, 0.5]), 0.0, 2).T, [[0, 0, inf], [0, 0, 1], [0, inf, -inf]]
    )
    np.testing.assert_array_equal(
        along(lambda u: (u**2) ** 1.5, 0.0), [0, 0, 0, 0, 0]
    )  # |t|³: the mean of its two sides
    np.testing.assert_array_equal(along(lambda u: (u**4) ** 0.5, 0.0)[:3], [0, 0, 1])


def test_roots_at_zero() -> None:
    np.testing.assert_array_equal(along(np.sqrt, 0.0), [0, inf, -inf, inf, -inf])
    np.testing.assert_array_equal(along(lambda u: np.sqrt(-u), 0.0), [0, -inf, -inf, -inf, -inf])
    np.testing.assert_array_equal(along(np.cbrt, 0.0), [0, inf, -inf, inf, -inf])
    np.testing.assert_array_equal(along(lambda u: np.sqrt(u**3), 0.0), [0, 0, inf, -inf, inf])


def test_the_root_of_a_square_is_the_modulus() -> None:
    np.testing.assert_array_equal(along(lambda u: np.sqrt(u**2), 0.0), [0, 0, 0, 0, 0])
    np.testing.assert_array_equal(
        along(lambda u: np.sqrt(u * u), [-2.0, 0.0, 3.0], 2).T, [[2, -1, 0], [0, 0, 0], [3, 1, 0]]
    )


def test_the_root_of_a_fourth_power_is_exact_as_far_as_it_is_known() -> None:
    # x⁴ + O(t⁹) under the root gives t² + O(t⁷)
    np.testing.assert_array_equal(along(lambda u: np.sqrt(u**4), 0.0, 8), [0, 0, 1, 0, 0, 0, 0, nan, nan])
    c = along(lambda u: np.sqrt(u**4 * (1 + u)), 0.0, 6)
    np.testing.assert_allclose(c[:5], [0, 0, 1, 0.5, -0.125], rtol=1e-15)
    assert np.isnan(c[5:]).all()
    np.testing.assert_array_equal(along(lambda u: np.cbrt(u**3), 0.0, 4)[:3], [0, 1, 0])


def test_roots_at_zero_along_several_directions() -> None:
    y = np.sqrt(jet(np.zeros(2), order=4, directions=[[1.0, 2.0], [3.0, 0.0]]) ** 4)
    np.testing.assert_array_equal(y.coefficient(1), np.zeros((2, 2)))
    np.testing.assert_array_equal(y.coefficient(2), [[1, 4], [9, 0]])


def test_the_root_of_nothing() -> None:
    # nothing up to t⁴ may be t⁵: what its roots have from t^{5/2} and t^{5/3} on cannot be known
    np.testing.assert_array_equal(np.sqrt(dn.Jet(np.zeros(5))).coeffs, [0, 0, 0, nan, nan])
    np.testing.assert_array_equal(np.cbrt(dn.Jet(np.zeros(5))).coeffs, [0, 0, nan, nan, nan])
    # a polynomial of lower degree goes on with zeros; and |t| has the symmetric subgradient 0 in first order
    np.testing.assert_array_equal(along(lambda u: np.sqrt((u - u) ** 2), 1.0, 4), np.zeros(5))
    np.testing.assert_array_equal(along(lambda u: np.sqrt(u**2), 0.0, 1), [0, 0])
    np.testing.assert_array_equal(along(lambda u: np.sqrt(u**4), 0.0, 2), [0, 0, nan])
    np.testing.assert_array_equal(np.hypot(dn.Jet(np.zeros(5)), 0.0).coeffs, np.zeros(5))


def test_a_root_at_zero_leaves_its_neighbours_alone() -> None:
    x = np.array([0.0, 2.0, 0.3])
    assert (
        along(lambda u: np.sqrt(u**4 + 0 * u), x, 6)[:, 1:].tobytes()
        == along(lambda u: np.sqrt(u**4 + 0 * u), x[1:], 6).tobytes()
    )


def test_modulus_at_zero() -> None:
    np.testing.assert_array_equal(along(np.abs, 0.0), [0, 0, 0, 0, 0])
    np.testing.assert_array_equal(along(lambda u: np.abs(-(u**2)), 0.0), [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(along(lambda u: np.abs(u**3), 0.0), [0, 0, 0, 0, 0])


# ── kinks ────────────────────────────────────────────────────────────────────────────────────────


def test_ties_share_and_jumps_are_flat() -> None:
    x = jet(np.array([1.0, 1.0]), order=1, direction=[2.0, 4.0])
    np.testing.assert_array_equal(np.maximum(x[0], x[1]).coeffs, [1, 3])
    np.testing.assert_array_equal(np.minimum(x[0], x[1]).coeffs, [1, 3])
    np.testing.assert_array_equal(np.maximum(x, 1.0).coeffs[1], [1, 2])
    for f in (np.sign, np.floor, np.ceil, np.rint, np.trunc):
        assert not along(f, [0.0, 0.5, 2.0])[1:].any()


def test_kinks_raise_on_demand() -> None:
    x = jet([1.0, 0.0, -2.0, 0.0], order=1)
    with dn.nonsmooth("raise"):
        with pytest.raises(ArithmeticError, match=r"absolute: .*\(1,\), \(3,\)"):
            np.abs(x)
        np.abs(x[::2])
    assert np.abs(x).coeffs[1, 1] == 0


# ── the origin ───────────────────────────────────────────────────────────────────────────────────


def test_norm_and_hypot_at_the_origin() -> None:
    x = jet(0.0, order=3)
    np.testing.assert_array_equal(np.hypot(x, 2 * x).coeffs, [0, 0, 0, 0])
    np.testing.assert_array_equal(np.hypot(3 * x**2, 4 * x**2).coeffs[:3], [0, 0, 5])
    np.testing.assert_array_equal(np.hypot(x, 1e200).coeffs, [1e200, 0, 5e-201, 0])
    np.testing.assert_array_equal(np.linalg.norm(jet(np.zeros(3), order=2)).coeffs, [0, 0, 0])


@pytest.mark.parametrize("y", [2.0, -0.5])
def test_arctan2_on_the_axis(y: float) -> None:
    # dθ/dx = −y/r², dθ/dy = x/r²
    np.testing.assert_allclose(np.arctan2(y, jet(0.0, order=2)).coeffs, [np.arctan2(y, 0), -1 / y, 0], rtol=1e-15)
    np.testing.assert_allclose(np.arctan2(jet(y, order=2), 0.0).coeffs, [np.arctan2(y, 0), 0, 0], rtol=1e-15)
    np.testing.assert_allclose(np.arctan2(jet(0.0, order=1), -y).coeffs, [np.arctan2(0.0, -y), -1 / y], rtol=1e-15)


def test_there_is_no_angle_at_the_origin() -> None:
    assert np.isnan(np.arctan2(jet(0.0, order=2), 0.0).coeffs[1:]).all()


# ── the branch not taken, and neighbours ─────────────────────────────────────────────────────────


def test_where_with_nan_in_the_branch_not_taken() -> None:
    x = jet(np.array([-1.0, 0.0, 4.0]), order=2)
    y = np.where(x > 0, np.sqrt(x), 0.0)
    np.testing.assert_array_equal(y.coeffs.T, [[0, 0, 0], [0, 0, 0], [2, 0.25, -1 / 64]])


@pytest.mark.parametrize(
    "f", [np.exp, np.sin, np.tanh, np.sqrt, np.log, np.arctan, np.abs, np.square, np.cosh, np.arcsinh]
)
def test_nan_and_inf_stay_in_their_element(f: Any) -> None:
    x = np.array([0.5, nan, 0.7, inf, 0.9, 0.0, 0.3])
    c = along(f, x)
    good = [0, 2, 4, 6]
    assert np.isfinite(c[:, good]).all()
    assert np.isnan(c[0, 1])
    for i in good:
        assert c[:, i].tobytes() == along(f, x[i : i + 1])[:, 0].tobytes()


# ── quotients by nothing ─────────────────────────────────────────────────────────────────────────


def test_division_by_a_series_without_constant_term_is_ieee() -> None:
    x = jet(0.0, order=3)
    for y in (1 / x, x / x, x**2 / x, (1 + x) / x**2):
        assert y.order == 3 and y.coeffs.shape == (4,)
        assert not np.isfinite(y.coeffs).any()


# ── factorials ───────────────────────────────────────────────────────────────────────────────────


def test_derivatives_of_high_order_have_exact_factorials() -> None:
    y = jet(0.0, order=180)
    y = y**180 * 1e-30
    assert y.coeffs[180] == 1e-30
    for k in (20, 25, 100, 170):
        assert (jet(0.0, order=k) ** k).derivative(k) == float(math.factorial(k))
    np.testing.assert_allclose(y.derivative(180), float(mp.factorial(180) * mpf(1e-30)), rtol=1e-15)
    assert (jet(0.0, order=171) ** 171).derivative(171) == inf
    assert (jet(0.0, order=171) ** 171).coeffs[171] == 1
    np.testing.assert_allclose(
        (1e-2 * jet(0.0, order=171) ** 171).derivative(171), float(mp.factorial(171) / 100), rtol=1e-15
    )
    assert (-(jet(0.0, order=200) ** 200)).derivative(200) == -inf


def test_factorials_in_single_and_half_precision() -> None:
    for k in (10, 13, 20, 34):
        x = jet(np.float32(0), order=k)
        assert (x**k).derivative(k) == np.float32(math.factorial(k))
        assert (x**k).derivative(k).dtype == np.float32
    assert (jet(np.float32(0), order=36) ** 36).derivative(36) == np.float32(inf)
    x = jet(np.float32(0), order=36)
    np.testing.assert_allclose((np.float32(1e-5) * x**36).derivative(36), math.factorial(36) * 1e-5, rtol=3e-7)
    assert (jet(np.float16(0), order=8) ** 8).derivative(8) == np.float16(math.factorial(8))


# ── coefficients that are too small ──────────────────────────────────────────────────────────────


def test_derivatives_whose_coefficients_underflow_warn() -> None:
    y = np.exp(jet(1.0, order=180))
    exact = math.e
    for k in range(181):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            derivative = y.derivative(k)
        if not math.isclose(derivative, exact, rel_tol=1e-13):
            assert [w.category for w in caught] == [dn.PrecisionWarning], k
            assert caught[0].filename == __file__
        assert not caught or k > 170
    with pytest.warns(dn.PrecisionWarning, match=r"order 178 .* direction=2\.0\*\*6 "):
        y.derivative(178)
    with pytest.warns(dn.PrecisionWarning):
        dn.derivative(np.exp, 178)(1.0)
    with pytest.warns(dn.PrecisionWarning):
        np.exp(jet(np.float32(1.0), order=36)).derivative(36)
    with pytest.warns(dn.PrecisionWarning):  # from 7e-304 on down to 5e-324: 2e-324 is zero
        np.exp(jet(-698.0, order=22)).derivative(22)


def test_the_way_out_of_an_underflow() -> None:
    y = np.exp(jet(1.0, order=180, direction=2.0**6))
    np.testing.assert_allclose(y.coefficient(178) * (math.factorial(178) / 2**1068), math.e, rtol=1e-13)


@pytest.mark.parametrize("f", [
    lambda u: u**3, lambda u: np.log(2 + u), lambda u: 1 / (1 + u), lambda u: np.sqrt(1 + u), lambda u: (u / 3) ** 2,
])  # fmt: skip
def test_no_warning_without_a_loss(f: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(jet(np.array([0.0, 0.5]), order=200)).derivatives()
        np.exp(-(jet(np.linspace(0.0, 40.0, 60), order=20) ** 2)).derivatives()
        np.exp(jet([-800.0, 1.0], order=24)).derivatives()
        dn.derivative(np.exp, 20)(1.0)


# ── types ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, np.complex64])
def test_python_numbers_do_not_widen(dtype: Any) -> None:
    x = jet(np.array([0.5, 0.7], dtype), order=3)
    for y in (
        2 * x + 1.5, x**3, x**2.5, x**-2, 2.0**x, 1 / x, x / 3, np.exp2(x), np.log2(x), np.log10(x), np.log1p(x),
        np.tanh(x), np.arctan(x), np.arcsinh(x), np.arctanh(x), np.sinh(x), np.sqrt(x), np.abs(x).astype(dtype), x(0.5),
    ):  # fmt: skip
        assert y.dtype == dtype
    if dtype is not np.complex64:
        for y in (np.hypot(x, 3.0), np.arctan2(x, 3.0), np.logaddexp(x, 1.0), np.maximum(x, 0.6), np.cbrt(x), x % 0.3):
            assert y.dtype == dtype
        assert x.derivative(2).dtype == dtype


def test_integers_become_floats() -> None:
    assert jet(3, order=2).dtype == np.float64
    assert jet([True, False], order=2).dtype == np.float64
    np.testing.assert_array_equal(along(lambda u: u**2, np.array([3, 4])), [[9, 16], [6, 8], [1, 1], [0, 0], [0, 0]])


def test_complex_functions_of_a_real_variable() -> None:
    t0 = 0.7
    t = jet(t0, order=4)
    z = np.exp((1 + 2j) * t)
    c = coefficients(lambda s: mp.exp((1 + 2j) * s), t0, 5)
    assert worst(z.coeffs, c, t0) <= 8
    for f, exact in (
        (np.abs, mp.exp),
        (np.real, lambda s: mp.exp(s) * mp.cos(2 * s)),
        (np.imag, lambda s: mp.exp(s) * mp.sin(2 * s)),
        (np.angle, lambda s: 2 * s),
        (lambda z: (np.conj(z) * z).real, lambda s: mp.exp(2 * s)),
    ):
        y = f(z)
        assert y.dtype == np.float64
        expected = [float(a) for a in coefficients(exact, t0, 4)]
        np.testing.assert_allclose(y.coeffs, expected, rtol=1e-13, atol=1e-13)


# ── nothing shortened in silence ─────────────────────────────────────────────────────────────────


def test_orders_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"order 2.*order 3.*truncate\(2\)"):
        jet(1.0, order=2) + jet(1.0, order=3)


@pytest.mark.parametrize(
    "use",
    [
        np.asarray,
        float,
        complex,
        int,
        math.sin,
        lambda x: np.sin(x, out=np.zeros(())),
        lambda x: np.copyto(np.zeros(()), x),
    ],
)
def test_derivatives_are_not_dropped_in_silence(use: Any) -> None:
    with pytest.raises(TypeError):
        use(jet(0.5, order=2))


def test_sinc_at_its_removable_singularity() -> None:
    expected = [(-1) ** (k // 2) * math.pi**k / math.factorial(k + 1) if k % 2 == 0 else 0 for k in range(9)]
    np.testing.assert_allclose(along(np.sinc, 0.0, 8), expected, rtol=1e-14, atol=1e-14)


def test_exponents_without_bounds() -> None:
    # a large fractional exponent takes as many steps as the order, not as many as it is large
    y = jet(np.array([1.0 + 2.0**-20]), order=3) ** 1000.5
    np.testing.assert_allclose(y.coeffs[1] / y.coeffs[0], 1000.5 / (1 + 2.0**-20), rtol=1e-14)
    np.testing.assert_allclose(y.coeffs[2] / y.coeffs[0], 1000.5 * 999.5 / 2 / (1 + 2.0**-20) ** 2, rtol=1e-14)
    assert np.isnan((jet([2.0], order=3) ** nan).coeffs).all()


def test_the_sign_of_a_zero_that_is_a_constant_counts() -> None:
    x = jet(np.array([0.0, -0.0]), order=2)
    for zero in (0.0, -0.0, 0.0):
        np.testing.assert_array_equal(np.arctan2(x, zero).value, np.arctan2(x.value, zero))
