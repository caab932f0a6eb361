"""SciPy's error functions, logistic kin, integrals and Lambert's W against exact coefficients."""

import functools
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special as sp
from mpmath import mp, mpf
from oracle import coefficients, jet_of, worst

import dualnum as dn
from dualnum.kernel import engine

LIMIT = 8.0
ORDERS = 8, 24

# ── the exact functions, analytic on the complex plane around the points ─────────────────────────


def entire(x: float) -> Any:
    return mp.inf


def to(*singularities: complex) -> Any:
    return lambda x: min(abs(mpmath.mpmathify(x) - mpmath.mpmathify(s)) for s in singularities)


def ndtr(z: Any) -> Any:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def erfcx(z: Any) -> Any:
    return mp.exp(z * z) * mp.erfc(z)


def log_ndtr(z: Any) -> Any:
    """Two forms, each without a cancellation on its side, and without a jump of the logarithm near the real line."""
    if mp.re(z) > 0:
        return mp.log1p(-mp.erfc(z / mp.sqrt(2)) / 2)
    return mp.log(erfcx(-z / mp.sqrt(2)) / 2) - z * z / 2


def beside_zeros(x: float) -> Any:
    """Of the normal distribution function: they lie at 1.92 ± 2.82i and beyond."""
    return abs(mp.mpc(x - 1.9, 2.8)) if x < 0 else mpf(2)  # Gauss's tail falls too fast for a wide circle


def dawsn(z: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(-z * z) * mp.erfi(z)


def _newton(step: Any, start: Any) -> Any:
    """w ← w − step(w), with as many digits as the steps are worth."""
    w, goal, bits, before = start, mp.prec, 64, mp.inf
    for _ in range(200):
        with mp.workprec(min(bits, goal)):
            change = step(w)
            w = w - change
            close = abs(change) <= abs(w) * mp.sqrt(mp.eps)  # the step after it is exact
        if close and bits >= goal:
            return w
        stuck, before = abs(change) >= before, abs(change)
        if close or stuck:
            bits = 9 * bits // 5
    raise ArithmeticError("no convergence")


def erfinv(z: Any) -> Any:
    start = mp.mpc(float(sp.erfinv(float(mp.re(z)))))
    return _newton(lambda y: (mp.erf(y) - z) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y), start)


def erfcinv(z: Any) -> Any:
    start = mp.mpc(float(sp.erfcinv(float(mp.re(z)))))
    return _newton(lambda y: (z - mp.erfc(y)) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y), start)


def ndtri(z: Any) -> Any:
    return -mp.sqrt(2) * erfcinv(2 * z)


def ndtri_exp(z: Any) -> Any:
    def step(y: Any) -> Any:
        if mp.re(y) > 0:
            tail = ndtr(-y)
            return (mp.log1p(-tail) - z) * (1 - tail) / mp.npdf(y)
        scaled = erfcx(-y / mp.sqrt(2)) / 2
        return (mp.log(scaled) - y * y / 2 - z) * scaled * mp.sqrt(2 * mp.pi)

    return _newton(step, mp.mpc(float(sp.ndtri_exp(float(mp.re(z))))))


def sinc(z: Any) -> Any:
    return mp.sin(z) / z if z else mpf(1)


def wrightomega(z: Any) -> Any:
    start = mp.mpc(float(sp.wrightomega(float(mp.re(z)))))
    return _newton(lambda w: (w + mp.log(w) - z) / (1 + 1 / w), start)


def expit(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def beside_pi(x: float) -> Any:
    return mp.hypot(x, mp.pi)


BOTH = -6.5, -5.9, -3.0, -1.99, -1.0, -0.1, -1e-20, 0.0, 5e-324, 1e-300, 1e-8, 0.5, 0.9, 1.5, 2.0, 2.5, 4.0, 5.0, 5.9
FAR = (9.0, 12.0, 26.0)
PROBABILITY = 1e-300, 1e-20, 1e-3, 0.1, 0.25, 0.4, 0.5, 0.6, 0.9, 0.999, 1 - 2.0**-40, 1 - 2.0**-53
POSITIVE = 1e-300, 1e-20, 1e-8, 0.1, 0.5, 1.0, 2.0, 3.3, 5.0, 8.0, 12.0, 20.0, 30.0, 100.0, 700.0


def mirrored(*x: float) -> tuple[float, ...]:
    return (*(-a for a in reversed(x)), *x)


# name: exact function, distance to the nearest singularity, points
UNARY: dict[str, tuple[Any, Any, tuple[float, ...]]] = {
    "erf": (mp.erf, entire, BOTH[::3]),
    "erfc": (mp.erfc, entire, (1e-300, 0.5, 5.9, 26.0)),
    "erfi": (mp.erfi, entire, (*BOTH, *mirrored(9.0, 12.0, 20.0, 25.0))),
    "erfcx": (erfcx, entire, (*BOTH, -26.0, *FAR, 100.0, 1e4)),
    "dawsn": (dawsn, entire, (*BOTH, *mirrored(*FAR, 11.7), 50.0)),
    "ndtr": (ndtr, entire, (-37.0, -5.9, 1e-300, 1.5)),
    "log_ndtr": (log_ndtr, beside_zeros, (*BOTH, *mirrored(*FAR, 37.0), -100.0, -1e3)),
    "erfinv": (erfinv, to(1, -1), (-0.999, 0.0, 1e-300, 1e-20, 0.4, 0.9, 1 - 2.0**-53)),
    "erfcinv": (erfcinv, to(0, 2), (1e-300, 0.25, 1.0, 1.5, 2 - 2.0**-40)),
    "ndtri": (ndtri, to(0, 1), (1e-300, 0.1, 0.5, 1 - 2.0**-53)),
    "ndtri_exp": (ndtri_exp, to(0), (-1e-20, -0.1, -1.0, -1.8, -1.9, -10.0, -1e4)),
    "expit": (expit, beside_pi, (*BOTH, *mirrored(20.0, 36.7, 40.0, 700.0), -745.0)),
    "log_expit": (lambda z: -mp.log1p(mp.exp(-z)), beside_pi, (*BOTH, *mirrored(20.0, 36.7, 40.0, 700.0))),
    "logit": (lambda z: mp.log(z / (1 - z)), to(0, 1), PROBABILITY),
    "entr": (lambda z: -z * mp.log(z), to(0), (*POSITIVE, mp.exp(-1), 1e300)),
    "exprel": (lambda z: mp.expm1(z) / z if z else mpf(1), entire, (*BOTH, *mirrored(7.3, *FAR, 40.0, 700.0, 715.0))),
    "cosm1": (lambda z: mp.cos(z) - 1, entire, BOTH),
    "exp10": (lambda z: mp.exp(z * mp.log(10)), entire, (*BOTH, *mirrored(20.0, 300.0))),
    "sindg": (lambda z: mp.sin(z * mp.pi / 180), entire, mirrored(0.0, 1e-300, 1e-8, 30.0, 89.9, 90.0, 180.0, 360.0)),
    "cosdg": (lambda z: mp.cos(z * mp.pi / 180), entire, mirrored(0.0, 1e-300, 1e-8, 30.0, 89.9, 90.0, 180.0, 360.0)),
    "tandg": (lambda z: mp.tan(z * mp.pi / 180), to(90, -90), mirrored(0.0, 1e-300, 1e-8, 30.0, 89.9)),
    "cotdg": (lambda z: mp.cot(z * mp.pi / 180), to(0, 180, -180), mirrored(1e-300, 1e-8, 30.0, 89.9, 90.0, 91.0)),
    "exp1": (mp.e1, to(0), (*POSITIVE,)),
    "expi": (lambda z: -mp.e1(-z) if mp.re(z) < 0 else mp.ei(z), to(0), (*mirrored(*POSITIVE[:-1]), 700.0)),
    "spence": (lambda z: mp.polylog(2, 1 - z), to(0), (0.01, 0.4, 0.5, 0.6, 0.9, 1.1, 3.0, 8.0, 30.0)),
    "wrightomega": (wrightomega, beside_pi, mirrored(0.0, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0)),
}  # fmt: skip


def exact_of(f: Any, x: float, order: int, radius: Any) -> list[Any]:
    return [mp.re(c) for c in coefficients(f, x, order, radius)]


@pytest.mark.parametrize("name", UNARY)
def test_of_one_argument(name: str) -> None:
    f, radius, points = UNARY[name]
    ufunc = getattr(sp, name)
    bad = []
    for x in points:
        x = float(x)
        exact = exact_of(f, x, max(ORDERS) + 1, radius(x))
        for order, (machine, limit) in product(ORDERS, (("interpret", LIMIT), (engine.current(), 2 * LIMIT))):
            with engine.engine(machine):
                got = jet_of(ufunc, x, order)
            got[0] = float(exact[0])  # the value is SciPy's
            e = worst(got, exact, x)
            if not e <= limit:
                bad.append((x, order, machine, e))
    assert not bad, f"{name}: {bad}"


# ── several results ──────────────────────────────────────────────────────────────────────────────

MULTIPLE: dict[str, tuple[tuple[Any, Any], tuple[Any, Any], tuple[float, ...]]] = {
    "sici": ((mp.si, mp.ci), (entire, to(0)), (1e-300, 1e-8, 1.0, 7.7, 20.0, 23.9, 50.0)),
    "shichi": ((mp.shi, mp.chi), (entire, to(0)), (1e-300, 1e-8, 1.0, 7.7, 20.0, 23.9, 50.0)),
    "fresnel": ((mp.fresnels, mp.fresnelc), (entire, entire), mirrored(0.0, 1e-300, 1e-8, 0.1, 1.0, 3.0, 10.0, 100.0)),
}


@pytest.mark.parametrize("name", MULTIPLE)
def test_of_several_results(name: str) -> None:
    functions, radii, points = MULTIPLE[name]
    bad = []
    for x in points:
        for i, (f, radius) in enumerate(zip(functions, radii, strict=True)):
            exact = exact_of(f, x, max(ORDERS) + 1, radius(x))
            for order in ORDERS:
                got = jet_of(lambda u, i=i: getattr(sp, name)(u)[i], x, order)
                got[0] = float(exact[0])
                e = worst(got, exact, x)
                if not e <= LIMIT:
                    bad.append((x, i, order, e))
    assert not bad, f"{name}: {bad}"


def test_entire_integrals_at_zero_have_no_pole() -> None:
    zero = jet_of(lambda u: sp.sici(u)[0], 0.0, 5)
    np.testing.assert_allclose(zero, [0, 1, 0, -1 / 18, 0, 1 / 600], rtol=1e-15)
    zero = jet_of(lambda u: sp.shichi(u)[0], 0.0, 5)
    np.testing.assert_allclose(zero, [0, 1, 0, 1 / 18, 0, 1 / 600], rtol=1e-15)


# ── several arguments: one of them varies ────────────────────────────────────────────────────────


def _boxcox(x: Any, p: Any) -> Any:
    return (mp.exp(p * mp.log(x)) - 1) / p if p else mp.log(x)


def _inv_boxcox(y: Any, p: Any) -> Any:
    return mp.exp(mp.log(1 + p * y) / p) if p else mp.exp(y)


def _owens_t(h: Any, a: Any) -> Any:
    """By Owen's series in a, |a| < 1 (Ann. Math. Statist. 27, 1956, p. 1075)."""
    term = part = mp.exp(-h * h / 2)
    total, power, j = mp.atan(a), a, 0
    while abs(power) > mp.eps * abs(a):
        total -= (1 - part) * power / (2 * j + 1)
        j += 1
        power *= -a * a
        term *= h * h / (2 * j)
        part += term
    return total / (2 * mp.pi)


def _expn(n: Any, x: Any) -> Any:
    """Upward from E_1 (DLMF 8.19.12); the oracle has digits to lose."""
    e = mp.e1(x) if n else mp.exp(-x) / x
    for j in range(1, int(n)):
        e = (mp.exp(-x) - x * e) / j
    return e


# name, exact function, which argument varies, distance to the nearest singularity, points
BINARY: tuple[tuple[str, Any, int, Any, tuple[tuple[float, ...], ...]], ...] = (
    ("xlogy", lambda x, y: x * mp.log(y), 1, to(0), ((2.0, 1e-3), (-1.0, 1.0), (3.0, 1e200), (0.5, 0.5))),
    ("xlogy", lambda x, y: x * mp.log(y), 0, entire, ((2.0, 1e-3), (0.0, 3.0), (-1.0, 1.0))),
    ("xlog1py", lambda x, y: x * mp.log(1 + y), 1, to(-1), ((2.0, 1e-30), (-1.0, 1.0), (3.0, -0.999))),
    ("rel_entr", lambda x, y: x * mp.log(x / y), 0, to(0), ((1.0, 1.0), (1e-9, 3.0), (2.0, 2.0 + 1e-12), (1e300, 1.0))),
    ("rel_entr", lambda x, y: x * mp.log(x / y), 1, to(0), ((1.0, 1.0), (1e-9, 3.0), (2.0, 2.0 + 1e-12), (1e300, 1.0))),
    ("kl_div", lambda x, y: x * mp.log(x / y) - x + y, 0, to(0), ((1.0, 1.0), (1e-9, 3.0), (2.0, 2.0 + 1e-12))),
    ("kl_div", lambda x, y: x * mp.log(x / y) - x + y, 1, to(0), ((1.0, 1.0), (1e-9, 3.0), (2.0, 2.0 + 1e-12))),
    ("boxcox", _boxcox, 0, to(0), ((0.7, 0.3), (2.0, 0.0), (3.0, -1.5), (5.0, 2.0), (1.0, 1e-20))),
    ("boxcox", _boxcox, 1, entire, ((0.7, 0.3), (2.0, 0.0), (3.0, -1.5), (5.0, 2.0), (1e-8, 1e-20))),
    ("boxcox1p", lambda x, p: _boxcox(1 + x, p), 0, to(-1), ((0.7, 0.3), (1e-30, 0.0), (-0.5, -1.5))),
    ("inv_boxcox", _inv_boxcox, 0, lambda y: mpf("0.3"), ((0.7, 0.5), (2.0, 0.0), (1.0, -0.4), (1.0, 0.125))),
    ("inv_boxcox1p", lambda y, p: _inv_boxcox(y, p) - 1, 0, lambda y: mpf("0.3"),
     ((0.7, 0.5), (1e-20, 0.0), (1.0, -0.4))),
    ("pseudo_huber", lambda d, r: d * mp.sqrt(d * d + r * r) - d * d, 1, lambda r: mp.hypot(r, 1.5),
     ((1.5, 0.0), (1.5, 1e-20), (1.5, 1.0), (1.5, -40.0), (1.5, 1e6))),
    ("pseudo_huber", lambda d, r: d * mp.sqrt(d * d + r * r) - d * d, 0, lambda d: mpf("0.9"),
     ((1.5, 1.0), (0.1, -40.0), (3.0, 1.0))),
    ("huber", lambda d, r: r * r / 2, 1, entire, ((1.0, 0.3), (1.0, -1.0))),
    ("huber", lambda d, r: d * (r - d / 2), 0, entire, ((1.0, 1.3), (0.5, 7.0))),
    ("powm1", lambda x, y: mp.exp(y * mp.log(x)) - 1, 0, to(0), ((0.7, 0.3), (1.0, 1e-9), (2.0, -1.5))),
    ("powm1", lambda x, y: mp.exp(y * mp.log(x)) - 1, 1, entire, ((0.7, 0.3), (3.0, 1e-9))),
    ("owens_t", _owens_t, 0, entire, ((1.5, 0.5),)),
    ("owens_t", _owens_t, 1, lambda a: mpf("0.9"), ((0.3, 0.0),)),
    ("expn", _expn, 1, to(0),
     ((0, 0.7), (3, 1e-8), (12, 0.5), (30, 9.0), (2, 300.0))),
)  # fmt: skip


@pytest.mark.parametrize("case", BINARY, ids=lambda case: f"{case[0]}-{case[2]}")
def test_of_several_arguments(case: Any) -> None:
    name, f, varies, radius, points = case
    bad = []
    orders = (4,) if name == "owens_t" else ORDERS
    for point in points:
        x = point[varies]

        def put(u: Any, point: Any = point) -> list[Any]:
            return [u if i == varies else c for i, c in enumerate(point)]

        def along(z: Any, put: Any = put) -> Any:
            return f(*(mpf(float(c)) if isinstance(c, (int, float)) else c for c in put(z)))

        exact = exact_of(along, x, max(orders) + 1, radius(x))
        for order in orders:
            got = jet_of(lambda u, put=put: getattr(sp, name)(*put(u)), x, order)
            got[0] = float(exact[0])
            e = worst(got, exact, x)
            if not e <= LIMIT:
                bad.append((point, order, e))
    assert not bad, f"{name}: {bad}"


@pytest.mark.parametrize("y, p", [(0.7, 0.5), (2.0, 0.0), (1.0, -0.3), (3.0, 1e-20)])
def test_inverse_box_cox_in_its_parameter(y: float, p: float) -> None:
    exact = exact_of(lambda z: mp.exp(mp.log1p(z * mpf(y)) / z) if z else mp.exp(mpf(y)), p, 9, mpf("0.2"))
    got = jet_of(lambda u: sp.inv_boxcox(y, u), p, 8)
    assert worst(got, exact, p) <= 4 * LIMIT  # y is rounded as well


def test_nothing_is_left_in_the_far_tails() -> None:
    for name in ("erf", "erfc", "ndtr"):
        for x in (1e3, 1e200, -1e200):
            np.testing.assert_array_equal(jet_of(getattr(sp, name), x, 8)[1:], np.zeros(8))


def test_zero_times_log_of_zero() -> None:
    np.testing.assert_array_equal(jet_of(lambda u: sp.xlogy(0.0, u), 0.0, 3), np.zeros(4))
    assert jet_of(lambda u: sp.xlogy(u, 0.0), 0.0, 1)[1] == -np.inf


# ── several arguments: all of them vary ──────────────────────────────────────────────────────────


def _poch(z: Any, m: Any) -> Any:
    return mp.gamma(z + m) * mp.rgamma(z)


def _binom(n: Any, k: Any) -> Any:
    return mp.gamma(n + 1) * mp.rgamma(k + 1) * mp.rgamma(n - k + 1)


# name, exact function, distance of t = 0 to the nearest singularity, points where the rule changes over
JOINT: tuple[tuple[str, Any, float, tuple[tuple[float, ...], ...]], ...] = (
    ("xlogy", lambda x, y: x * mp.log(y), 0.2, ((0.0, 2.0), (0.0, 1.0), (-1.0, 1.0))),
    ("xlog1py", lambda x, y: x * mp.log(1 + y), 0.2, ((0.0, 0.0), (0.0, 2.0), (2.0, 0.0))),
    ("poch", _poch, 0.2, ((2.0, 2.0), (2.0, 3.0), (2.0, 0.0), (3.0, -1.0), (1.0, 1.0), (0.5, 2.0), (2.5, 1.5))),
    ("binom", _binom, 0.2, ((5.0, 2.0), (2.0, 2.0), (2.0, 3.0), (0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (4.5, 2.0))),
    ("boxcox", _boxcox, 0.2, ((1.0, 0.0), (2.0, 0.0), (1.0, 0.5), (1.0, -1.0), (3.0, 1.0))),
    ("boxcox1p", lambda x, p: _boxcox(1 + x, p), 0.2, ((0.0, 0.0), (1.0, 0.0), (0.0, 0.5), (0.0, -1.0))),
    ("inv_boxcox", _inv_boxcox, 0.1, ((0.0, 0.0), (1.0, 0.0), (0.0, 0.5), (2.0, 0.5), (1.0, 1.0))),
    ("inv_boxcox1p", lambda y, p: _inv_boxcox(y, p) - 1, 0.1, ((0.0, 0.0), (1.0, 0.0), (0.0, 0.5))),
    ("rel_entr", lambda x, y: x * mp.log(x / y), 0.2, ((2.0, 2.0), (1.0, 1.0))),
    ("kl_div", lambda x, y: x * mp.log(x / y) - x + y, 0.2, ((2.0, 2.0), (1.0, 1.0))),
)  # fmt: skip
# how the arguments move: both at once, the first later than the second, neither in first order
CURVES = (((1.0, 0.5), (0.7, -0.2)), ((0.0, 1.0), (1.0, 0.0)), ((0.0, 0.8), (0.0, -0.6)), ((1.0, 0.0), (0.0, 1.0)))


@functools.cache
def exact_along(f: Any, point: Any, curve: Any, radius: float) -> list[float]:
    """The machines share it; zeros are told apart as far as the test's absolute tolerance asks."""

    def along(t: Any) -> Any:
        return f(*(mpf(x) + mpf(a) * t + mpf(b) * t * t for x, (a, b) in zip(point, curve, strict=True)))

    return [float(mp.re(c)) for c in coefficients(along, 0.0, 6, radius, floor=40)]


@pytest.mark.parametrize("case", JOINT, ids=lambda case: case[0])
@pytest.mark.parametrize("machine", engine.available())
def test_all_arguments_vary_at_special_points(case: Any, machine: str) -> None:
    name, f, radius, points = case
    for point in points:
        for curve in CURVES:
            exact = exact_along(f, point, curve, radius)
            with engine.engine(machine):
                u = [dn.Jet([x, a, b, 0, 0, 0, 0]) for x, (a, b) in zip(point, curve, strict=True)]
                got = getattr(sp, name)(*u).coeffs
            scale = max(map(abs, exact))
            np.testing.assert_allclose(got, exact, rtol=1e-12, atol=3e-14 * scale, err_msg=f"{name}{point} {curve}")


def test_box_cox_from_zero() -> None:
    mu = dn.Jet([0.5, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(sp.boxcox(0.0, mu).coeffs, [-2, 4, -8, 16])  # −1/λ
    np.testing.assert_array_equal(sp.boxcox(dn.jet(0.0, 3), 2.0).coeffs, [-0.5, 0, 0.5, 0])
    np.testing.assert_array_equal(sp.boxcox(dn.jet(0.0, 2), 0.5).coeffs, [-2, np.inf, -np.inf])
    np.testing.assert_allclose(sp.boxcox1p(-1.0, mu).coeffs, [-2, 4, -8, 16])
    # (t² − 1)/(2 + t), with the logarithm of t from the third order on
    both = sp.boxcox(dn.Jet([0.0, 1.0, 0.0]), dn.Jet([2.0, 1.0, 0.0])).coeffs
    np.testing.assert_allclose(both, [-1 / 2, 1 / 4, -1 / 8 + 1 / 2])
    np.testing.assert_allclose(sp.inv_boxcox(dn.jet(-2.0, 3), 0.5).coeffs, [0, 0, 0.25, 0])  # (1 + u/2)²
    np.testing.assert_allclose(dn.grad(lambda p: sp.boxcox(0.0, p))(0.5), 4)


def test_zero_times_a_logarithm_that_is_infinite() -> None:
    """t² log t, whose second derivative is infinite, and 0·log v, which is 0."""
    np.testing.assert_array_equal(sp.xlogy(dn.Jet([0.0, 0, 1]), dn.Jet([0.0, 1, 0])).coeffs, [0, 0, -np.inf])
    np.testing.assert_array_equal(sp.xlogy(dn.Jet([0.0, 1, 0]), 0.0).coeffs, [0, -np.inf, 0])
    for v in (0.0, np.inf, 2.0):
        np.testing.assert_array_equal(sp.xlogy(0.0, dn.jet(v, 3)).coeffs, np.zeros(4))
        np.testing.assert_array_equal(sp.xlog1py(0.0, dn.jet(v - 1, 3)).coeffs, np.zeros(4))
        np.testing.assert_array_equal(dn.grad(lambda y: sp.xlogy(0.0, y))(v), 0.0)
    np.testing.assert_array_equal(dn.grad(lambda x: sp.xlogy(x, 2.0))(0.0), np.log(2.0))


@pytest.mark.parametrize("name, x, slopes", [
    ("ndtri", 0.5, [0, np.sqrt(2 * np.pi), 0, np.sqrt(2 * np.pi) ** 3 / 6, 0]),
    ("erfinv", 0.0, [0, np.sqrt(np.pi) / 2, 0, np.pi**1.5 / 24, 0]),
    ("erfcinv", 1.0, [0, -np.sqrt(np.pi) / 2, 0, -(np.pi**1.5) / 24, 0]),
    ("spence", 1.0, [0, -1, 1 / 4, -1 / 9, 1 / 16]),
    ("expit", 0.0, [0.5, 0.25, 0, -1 / 48, 0]),
])  # fmt: skip
def test_in_the_middle(name: str, x: float, slopes: list[float]) -> None:
    f = getattr(sp, name)
    np.testing.assert_allclose(f(dn.jet(x, 4)).coeffs, slopes, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dn.grad(f)(x), slopes[1], rtol=1e-14)
    # along x + t²: the coefficients of odd degree are gone, the others those of t²
    squared = f(dn.Jet([x, 0.0, 1.0, 0.0, 0.0])).coeffs
    np.testing.assert_allclose(squared, [slopes[0], 0, slopes[1], 0, slopes[2]], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("x", [0.3, 0.0, -1.7])
def test_voigt_profile_without_a_width(x: float) -> None:
    """Cauchy's profile γ/(π(x² + γ²)), and nothing off the peak where γ = 0 too."""
    exact = [float(c) for c in exact_of(lambda u: mpf(0.5) / (mp.pi * (u * u + mpf(0.25))), x, 4, mpf(0.4))]
    for sigma in (0.0, np.array([0.0, 1.0])):
        got = sp.voigt_profile(dn.jet(x, 4), sigma, 0.5).coeffs.reshape(5, -1)
        np.testing.assert_allclose(got[:, 0], exact, rtol=1e-14, atol=1e-15)
    in_gamma = [float(c) for c in exact_of(lambda g: g / (mp.pi * (mpf(x) ** 2 + g * g)), 0.5, 3, mpf(0.4))]
    np.testing.assert_allclose(sp.voigt_profile(x, 0.0, dn.jet(0.5, 3)).coeffs, in_gamma, rtol=1e-13, atol=1e-15)
    if x:
        np.testing.assert_array_equal(sp.voigt_profile(dn.jet(x, 2), 0.0, 0.0).coeffs, np.zeros(3))


def test_a_rule_is_no_narrower_than_its_value() -> None:
    x = np.array([0.5, 0.7], np.float16)
    wide = x.astype(float)
    for f in (lambda u: sp.xlog1py(u, True), lambda u: sp.xlog1py(u, np.array([True, False])), sp.erf, sp.gammaln,
              lambda u: sp.boxcox(u, 0.3), lambda u: sp.xlogy(u, np.array([3, 5], np.int8))):  # fmt: skip
        y = f(dn.jet(x, 2))
        assert y.dtype == f(x).dtype and y.dtype != np.float16
        np.testing.assert_allclose(y.coeffs, f(dn.jet(wide, 2)).coeffs, rtol=1e-6)
    for machine in engine.available():
        with engine.engine(machine):
            y = sp.xlog1py(dn.jet(x.astype(np.float32), 1), True)
            np.testing.assert_allclose(y.derivative(), np.full(2, np.log(2)), rtol=1e-6)


def test_a_factorial_says_what_to_write() -> None:
    for f in (sp.factorial, sp.factorial2):
        with pytest.raises(TypeError, match=r"unhashable type: Jet.*gamma\(n \+ 1\)"):
            f(dn.jet(2.5, 2))


# ── Lambert, complex arguments, parameters ───────────────────────────────────────────────────────


@pytest.mark.parametrize("k", [0, 1, -1])
def test_lambert(k: int) -> None:
    near = (0.0, 1e-300, 1e-8, -0.2, 0.1) if k == 0 else (-0.2, 0.1)
    for x in (*near, 0.5, 1.0, 10.0, 1e3, 1e100, 1e300):
        x = complex(x) if k else x
        radius = min(abs(mpmath.mpmathify(x) + mp.exp(-1)), abs(mpmath.mpmathify(x)) if k else mp.inf)
        start = complex(sp.lambertw(x, k))
        if k == 0 and x < -0.36:
            continue

        def exactly(z: Any, start: Any = start) -> Any:
            return _newton(lambda w: (w - z * mp.exp(-w)) / (1 + w), mp.mpc(start)) if z else mpf(0)

        exact = coefficients(exactly, x, 25, radius)
        for order in ORDERS:
            got = jet_of(lambda u: sp.lambertw(u, k), x, order)
            assert got.dtype == complex
            got[0] = complex(exact[0])
            assert worst(got, exact, x) <= LIMIT, (x, order)


COMPLEX: dict[str, Any] = {
    "wofz": lambda z: mp.exp(-z * z) * mp.erfc(-1j * z),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfi": mp.erfi,
    "erfcx": erfcx,
    "dawsn": dawsn,
    "ndtr": ndtr,
    "log_ndtr": log_ndtr,
    "exp1": mp.e1,
    "sici": mp.si,
    "shichi": mp.shi,
    "fresnel": mp.fresnels,
    "spence": lambda z: mp.polylog(2, 1 - z),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_arguments(name: str) -> None:
    f = COMPLEX[name]
    for z in (0.3 + 0.4j, 1.5 - 0.2j, 2.0 + 3.0j, -1.0 - 0.8j):
        if name in ("exp1", "spence") and z.real < 0:
            continue
        radius = min(abs(z), abs(z - 1)) if name in ("exp1", "spence") else 1.0
        exact = coefficients(f, z, 9, radius)

        def first(u: Any) -> Any:
            y = getattr(sp, name)(u)
            return y[0] if isinstance(y, tuple) else y

        got = jet_of(first, z, 8)
        got[0] = complex(exact[0])
        # log_ndtr has its table on the real line only
        assert worst(got, exact, z) <= (4000 if name == "log_ndtr" else 2 * LIMIT), (name, z)


def test_voigt_profile() -> None:
    for x, sigma, gamma in ((0.3, 1.0, 0.5), (-2.0, 0.7, 1.0), (4.0, 1.0, 2.0)):

        def voigt(u: Any, sigma: float = sigma, gamma: float = gamma) -> Any:
            v = [(s * u + mp.mpc(0, gamma)) / (mpf(sigma) * mp.sqrt(2)) for s in (1, -1)]
            w = [mp.exp(-z * z) * mp.erfc(-1j * z) for z in v]  # w(−z̄) is the conjugate of w(z)
            return sum(w) / (2 * mpf(sigma) * mp.sqrt(2 * mp.pi))

        exact = exact_of(voigt, x, 9, mpf(1))
        got = jet_of(lambda u, sigma=sigma, gamma=gamma: sp.voigt_profile(u, sigma, gamma), x, 8)
        assert worst(got, exact, x) <= 4 * LIMIT


def test_parameters_must_be_constant() -> None:
    u = dn.jet(1.5, order=2)
    for call, argument in (
        (lambda: sp.expn(u, 2.0), "n"),
        (lambda: sp.voigt_profile(0.5, u, 1.0), "sigma"),
    ):
        with pytest.raises(dn.NotDifferentiable, match=f"argument {argument} "):
            call()


def test_prefix_of_higher_orders() -> None:
    x = np.array([-9.0, -3.0, -0.4, 0.3, 1.7, 2.5, 6.0, 30.0])
    for name in ("erfcx", "dawsn", "log_ndtr", "exprel", "erf", "expit", "ndtr", "wrightomega"):
        high = getattr(sp, name)(dn.jet(x, order=13)).coeffs
        low = getattr(sp, name)(dn.jet(x, order=6)).coeffs
        np.testing.assert_array_equal(low, high[:7], err_msg=name)


def test_nested_is_direct() -> None:
    for name in ("erfcx", "dawsn", "log_ndtr", "exprel", "ndtri_exp", "spence", "expi", "erfinv"):
        for x in (0.4, 2.6) if name not in ("ndtri_exp", "erfinv") else (-0.4, -0.8):
            f = getattr(sp, name)
            nested = dn.derivative(dn.derivative(f))(x)
            direct = dn.derivative(f, order=2)(x)
            np.testing.assert_allclose(nested, direct, rtol=1e-11, err_msg=f"{name} at {x}")


def test_float32_stays() -> None:
    x = np.array([0.2, 0.5, 0.7], np.float32)
    for name in ("erf", "erfcx", "dawsn", "log_ndtr", "erfinv", "expit", "logit", "exprel", "entr", "spence", "exp1"):
        y = getattr(sp, name)(dn.jet(x, order=4))
        assert y.dtype == np.float32, name
        z = getattr(sp, name)(dn.jet(x.astype(float), order=4))
        np.testing.assert_allclose(y.coeffs, z.coeffs, rtol=2e-5, atol=2e-6, err_msg=name)


def test_kink_of_huber_is_reported() -> None:
    with dn.nonsmooth("raise"), pytest.raises(ArithmeticError):
        sp.huber(1.0, dn.jet([0.5, 1.0], order=1))


def test_every_ufunc_is_classified() -> None:
    from dualnum.primitives import rows

    known = {row.ufunc for row in rows()}
    public = [getattr(sp, n) for n in dir(sp) if isinstance(getattr(sp, n), np.ufunc)]
    assert [u.__name__ for u in public if u not in known] == []


def test_python_functions_work_or_raise() -> None:
    u = dn.jet([0.1, 0.7, 2.0], order=2)
    np.testing.assert_allclose(sp.softplus(u).derivative(1), sp.expit([0.1, 0.7, 2.0]), rtol=1e-15)
    for f in (sp.softmax, sp.log_softmax, sp.logsumexp):
        with pytest.raises(dn.DerivativeDropped):
            f(u)
