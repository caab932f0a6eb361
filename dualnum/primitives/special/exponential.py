"""Logistic functions, entropies, Box–Cox transforms, exprel and other conveniences of scipy.special."""

from collections.abc import Sequence
from math import inf, log, pi
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...kinds import Coefficient
from ...series import special as series_special
from ..explog import overflowed
from ..table import (
    POSITIVE,
    REAL,
    Mend,
    by_coefficients,
    by_derivative,
    by_equation,
    composed,
    linear,
    lookup,
    on_series,
    recurrence,
)
from ..trigonometric import cosine, sine

Coefficients = Sequence[Any]
_LN10 = log(10.0)
_DEGREE = pi / 180


# ── functions of NumPy under other names ─────────────────────────────────────────────────────────


def _like(ufunc: np.ufunc, twin: np.ufunc) -> None:
    """The rule of NumPy's function, its value from SciPy's."""
    row = lookup(twin)
    assert row.rule is not None
    if ufunc is not twin:
        recurrence(ufunc, row.rule, kind=row.kind, domain=row.domain, sample=row.sample, kink=row.kink, mend=row.mend)


for _ufunc, _twin in (
    (sp.exp2, np.exp2), (sp.expm1, np.expm1), (sp.log1p, np.log1p), (sp.cbrt, np.cbrt), (sp.round, np.rint),
):  # fmt: skip
    _like(_ufunc, _twin)


by_equation(sp.exp10, lambda du, y: _LN10 * du * y, mend=overflowed(sp.exp10, _LN10))
# of u^v − 1 and cos u − 1 only the value can cancel
composed(sp.powm1, np.power, domain=(POSITIVE, REAL), sample=((0.2, 3.0), (-2.0, 2.5)))
composed(sp.cosm1, np.cos)
by_coefficients(sp.exprel, lambda order, value, x: series_special.exprel(order, x, sp.exprel(-np.abs(x))))


# ── angles in degrees ────────────────────────────────────────────────────────────────────────────


def _in_radians(u: Coefficients) -> list[Any]:
    """u with its higher coefficients in radians; u_0 is for the functions that take degrees exactly."""
    return [u[0], *(_DEGREE * u_k for u_k in u[1:])]


def _cotdg(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    """y' = −(1 + y²) u', not from SciPy's value, which near 0 has lost half its digits."""
    y0 = sp.cosdg(u[0]) / sp.sindg(u[0])
    return [value, *series.tan(order, y0, [-u_k for u_k in _in_radians(u)])[1:]]


by_equation(sp.sindg, lambda du, s, c: sine(_DEGREE * du, s, c), lambda s, u: sp.cosdg(u), sample=(-170.0, 170.0))
by_equation(sp.cosdg, lambda du, c, s: cosine(_DEGREE * du, c, s), lambda c, u: sp.sindg(u), sample=(-170.0, 170.0))
recurrence(sp.tandg, lambda order, value, u: series.tan(order, value, _in_radians(u)), sample=(-80.0, 80.0))
recurrence(sp.cotdg, _cotdg, sample=(10.0, 170.0))
linear(sp.radian, _DEGREE, _DEGREE / 60, _DEGREE / 3600, sample=((-90.0, 90.0), (0.0, 60.0), (0.0, 60.0)))


# ── the logistic function ────────────────────────────────────────────────────────────────────────

composed(sp.expit, lambda u: 0.5 * np.tanh(0.5 * u), special=((1e-200,), (40.0,)))  # ½ + …, right in the tails
by_derivative(sp.log_expit, lambda u: sp.expit(-u))
# the parts of the pole at the nearer end and the farther one
composed(sp.logit, lambda u: np.log(u) - np.log(1 - u), domain=(0.0, 1.0), sample=(0.1, 0.9))


# ── products with a logarithm ────────────────────────────────────────────────────────────────────


def _times_log(order: int, value: Coefficient, u: Coefficients, w: Coefficients, log_w0: Coefficient) -> list[Any]:
    """u log w, with u_0 log w_0 = 0 where u_0 = 0: a constant 0 makes 0 of everything, w = 0 and ∞ included.

    (u·ℓ)_k = u_0 ℓ_k + Σ_{j≥1} u_j ℓ_{k−j}; whether u_0 is 0 is asked of the number alone.
    """
    if len(u) == 1:
        logs = series.log(order, log_w0, [np.where(u[0] == 0, 1.0, w[0]), *w[1:]])
        return [value, *(u[0] * c for c in logs[1:])]
    logs = series.log(order, log_w0, w)[: order + 1 if len(w) > 1 else 1]
    return series.multiply(order, value, u, logs)


def _from_zeros(shift: int, log: np.ufunc) -> Mend:
    """Where log w is infinite, the zeros that u begins with make zeros of its terms: t² log t ~ 0, 0, −∞."""

    def rule(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
        logs = series.log(order, log(v[0]), [v[0] + shift, *v[1:]])
        y = [value]
        for k in range(1, min(order, len(u) + len(logs) - 2) + 1):
            below = range(max(0, k + 1 - len(logs)), min(k + 1, len(u)))
            y.append(series.total(np.where(np.equal(u[j], 0), 0.0, u[j] * logs[k - j]) for j in below))
        return y

    return Mend(lambda value, u, v: (u == 0) & ((v == -shift) | (v == inf)), rule)


def _xlogy(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """u log v."""
    return _times_log(order, value, u, v, np.log(v[0]))


def _xlog1py(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """u log(1 + v)."""
    return _times_log(order, value, u, [1 + v[0], *v[1:]], np.log1p(v[0]))


@on_series
def _log_quotient(order: int, u: Coefficients, v: Coefficients) -> list[Any]:
    """log(u/v), its constant term from the quotient where that neither over- nor underflows."""
    quotient = u[0] / v[0]
    safe = (quotient > 1e-30) & (quotient < 1e30)
    logs = [series.log(order, np.log(w[0]), w) for w in (u, v)]
    first = np.where(safe, np.log(np.where(safe, quotient, 1.0)), logs[0][0] - logs[1][0])
    return [first, *series.added(logs[0], [-c for c in logs[1]])[1:]]


@on_series
def _excess(order: int, u: Coefficients, v: Coefficients) -> list[Any]:
    """1 − u/v, whose constant term does not cancel so."""
    quotient = series.divide(order, u[0] / v[0], u, v)
    return [(v[0] - u[0]) / v[0], *(-q for q in quotient[1:])]


recurrence(sp.xlogy, _xlogy, domain=(REAL, POSITIVE), sample=((-3.0, 3.0), (0.2, 3.0)), mend=_from_zeros(0, np.log))
recurrence(
    sp.xlog1py, _xlog1py, domain=(REAL, (-1.0, inf)), sample=((-3.0, 3.0), (-0.5, 3.0)), mend=_from_zeros(1, np.log1p)
)
_ENTROPY: dict[str, Any] = {"domain": POSITIVE, "sample": (0.1, 3.0)}
by_derivative(sp.entr, lambda u: -np.log(u) - 1, **_ENTROPY)
by_derivative(sp.rel_entr, lambda u, v: 1 + _log_quotient(u, v), lambda u, v: -(u / v), **_ENTROPY)
by_derivative(sp.kl_div, _log_quotient, _excess, **_ENTROPY)


# ── Box and Cox ──────────────────────────────────────────────────────────────────────────────────


def _box_cox(order: int, value: Coefficient, w: Coefficients, log_w0: Coefficient, p: Coefficients) -> list[Any]:
    """(w^p − 1)/p:  y' = w^{p−1} w' for a constant p; else log w · exprel(p log w), smooth at p = 0."""
    if len(p) == 1:
        slope = lookup(np.power).expand(order - 1, w[:order], [p[0] - 1])
        return series.integral(order, value, (w, slope))
    zero = w[0] == 0
    if len(w) == 1:  # (0^p − 1)/p
        at_zero = [-c for c in series.reciprocal(order, 1 / p[0], p)]
        w, log_w0 = [np.where(zero, 1.0, w[0])], np.where(zero, 0.0, log_w0)
        return series.select(order, value, zero, at_zero, _box_cox_moving(order, value, w, log_w0, p))
    return _box_cox_moving(order, value, w, log_w0, p)


def _box_cox_moving(order: int, value: Coefficient, w: Coefficients, log_w0: Coefficient, p: Coefficients) -> list[Any]:
    logs = series.log(order, log_w0, w)[: order + 1 if len(w) > 1 else 1]
    product = series.multiply(order, logs[0] * p[0], logs, p)
    ratio = lookup(sp.exprel).expand(order, product)
    return series.multiply(order, value, logs, ratio)


def _boxcox(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
    return _box_cox(order, value, u, np.log(u[0]), p)


def _boxcox1p(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
    return _box_cox(order, value, [1 + u[0], *u[1:]], np.log1p(u[0]), p)


def _inv_boxcox(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
    """y = (1 + p u)^{1/p}, e^u for p = 0: (1 + p u) y' = y u' for a constant p,

    y_k = (1/(k (1 + p u_0))) Σ_{j=1}^{k} (j − p (k−j)) u_j y_{k−j};  else exp(u ℓ(p u)), ℓ(x) = log(1+x)/x.
    """
    if len(p) == 1:
        base = 1 + p[0] * u[0]
        y = [value]
        for k in range(1, order + 1):
            terms = (((j - p[0] * (k - j)) / k) * (u[j] * y[k - j]) for j in range(1, min(k + 1, len(u))))
            y.append(series.total(terms) / base)
        return y
    product = series.multiply(order, u[0] * p[0], u, p)
    outer = series_special.log1prel(order, product[0], np.log1p(product[0]))
    ratio = series.compose(order, outer, product)
    return series.exp(order, value, series.multiply(order, u[0] * ratio[0], u, ratio))


def _inv_boxcox1p(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
    return [value, *_inv_boxcox(order, sp.inv_boxcox(u[0], p[0]), u, p)[1:]]


def _power_from_zero(order: int, w: Coefficients, p: Coefficients) -> list[Any]:
    """w^p where w_0 = 0."""
    row = lookup(np.power)
    y = row.expand(order, w, p)
    assert row.mend is not None
    if order == 0 or len(w) == len(p) == 1:
        return list(y)
    return series.select(order, y[0], p[0] != np.floor(p[0]), row.mend.rule(order, y[0], w, p), y)


def _box_cox_from_zero(shift: int) -> Mend:
    """(w^p − 1)/p itself where w_0 = 0 and p_0 > 0: there is no logarithm."""

    def rule(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
        y = _power_from_zero(order, [u[0] + shift, *u[1:]], p)
        return series.divide(order, value, [y[0] - 1, *y[1:]], p)

    return Mend(lambda value, u, p: (u == -shift) & (p > 0), rule)


def _inv_box_cox_from_zero(order: int, value: Coefficient, u: Coefficients, p: Coefficients) -> list[Any]:
    """(1 + p u)^{1/p} itself where 1 + p_0 u_0 = 0 and p_0 > 0."""
    product = series.multiply(order, u[0] * p[0], u, p)
    inverse = series.reciprocal(order if len(p) > 1 else 0, 1 / p[0], p)
    return [value, *_power_from_zero(order, [product[0] + 1, *product[1:]], inverse)[1:]]


def _nothing_left(value: Coefficient, u: Coefficient, p: Coefficient) -> Any:
    return (p * u == -1) & (p > 0)


_INV_BOX_COX: dict[str, Any] = {
    "domain": REAL, "sample": ((-0.4, 2.0), (0.2, 2.0)), "mend": Mend(_nothing_left, _inv_box_cox_from_zero),
}  # fmt: skip
recurrence(sp.boxcox, _boxcox, domain=(POSITIVE, REAL), sample=((0.2, 3.0), (-2.0, 2.0)), mend=_box_cox_from_zero(0))
recurrence(
    sp.boxcox1p, _boxcox1p, domain=((-1.0, inf), REAL), sample=((-0.5, 3.0), (-2.0, 2.0)), mend=_box_cox_from_zero(1)
)
recurrence(sp.inv_boxcox, _inv_boxcox, **_INV_BOX_COX)
recurrence(sp.inv_boxcox1p, _inv_boxcox1p, **_INV_BOX_COX)


# ── Huber ────────────────────────────────────────────────────────────────────────────────────────


def _huber(order: int, value: Coefficient, delta: Coefficients, r: Coefficients) -> list[Any]:
    """½r² for |r| ≤ δ, else δ(|r| − ½δ)."""
    inside = [0.5 * c for c in series.square(order, r[0] * r[0], r)]
    sign = np.sign(r[0])
    arm = series.added([sign * r_k for r_k in r], [-0.5 * d_k for d_k in delta])
    outside = series.multiply(order, value, delta, arm)
    return series.select(order, value, np.abs(r[0]) <= delta[0], inside, outside)


def _pseudo_huber(order: int, value: Coefficient, delta: Coefficients, r: Coefficients) -> list[Any]:
    """δ²(√(1 + (r/δ)²) − 1) = δh − δ², h = hypot(δ, r):  y' = δ(r/h) r' + ((h − δ)²/h) δ', h − δ = r²/(h + δ).

    For a constant δ the slope follows from its own, (δ/h)³: as a quotient it would lose (r/δ)² for large r.
    """
    n = order - 1
    h0 = np.hypot(delta[0], r[0])
    nowhere = h0 == 0  # δ = r = 0, where the function is constant
    safe = np.where(nowhere, 1.0, h0)
    h = series.hypot(n, safe, delta[:order], r[:order])
    slope0 = np.where(nowhere, 0.0, delta[0] * (r[0] / safe))
    if len(delta) == 1:
        ratio = series.divide(n, delta[0] / safe, delta, h)
        cube = series.integer_power(n, ratio[0] * ratio[0] * ratio[0], ratio, 3)
        return series.integral(order, value, (r, series.integral(n, slope0, (r, cube))))
    cosine = series.divide(n, r[0] / safe, r[:order], h)
    slope = series.multiply(n, slope0, delta[:order], cosine)
    above = series.added(h, delta[:order])
    ratio = series.divide(n, r[0] / above[0], r[:order], above)
    rise = series.multiply(n, r[0] * ratio[0], r[:order], ratio)  # h − δ
    growth = series.multiply(n, rise[0] * (rise[0] / safe), rise, series.divide(n, rise[0] / safe, rise, h))
    y = series.integral(order, value, (r, slope), (delta, growth))
    if len(r) > 1:
        return y
    # for |r| > 2δ the product δ(h − δ) itself, of which (h − δ)²/h would lose the small higher coefficients
    whole = [*h, series.hypot(order, safe, delta, r)[order]]
    square = series.square(order, 0.0, delta)
    product = series.multiply(order, value, delta, whole)
    difference = [value, *(product[k] - series.coefficient(square, k) for k in range(1, order + 1))]
    return series.select(order, value, np.abs(r[0]) > 2 * delta[0], difference, y)


def _on_corner(delta: Any, r: Coefficient) -> Any:
    """Where the second derivative of huber jumps; the side |r| < δ stands in."""
    return np.abs(r) == delta


recurrence(sp.huber, _huber, domain=(POSITIVE, REAL), sample=((0.5, 1.5), (-3.0, 3.0)), kink=_on_corner)
recurrence(sp.pseudo_huber, _pseudo_huber, domain=(POSITIVE, REAL), sample=((0.5, 1.5), (-3.0, 3.0)))
