"""Bessel functions of constant order, and their kin.

The differential equation as a forward recurrence is unstable: its singular solution brings in x^{−n}.
Stable at every point is the sum over neighbouring orders (DLMF 10.6.7 and 10.29.5)

    C_ν⁽ⁿ⁾(x) = 2^{−n} Σ_k (∓1)^k binom(n, k) C_{ν−n+2k}(x).
"""

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ... import series
from ...counterparts import applied
from ...kinds import Coefficient
from ..table import POSITIVE, REAL, Mend, by_coefficients, by_derivative, unsupported
from .arguments import require_real, whole

Coefficients = Sequence[Any]


# ── orders 0 and 1: integer orders by three-term recurrences ─────────────────────────────────────
#
# The tables hold Ĉ_m = C_m/(2^m m!), m = 0, 1, …, which overflows no sooner than the coefficients do:
# C_{m+1} = (2m/x) C_m ∓ C_{m−1} reads Ĉ_{m+1} = (m/(m+1)) Ĉ_m/x ∓ Ĉ_{m−1}/(4 m (m+1)).


def _upward(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient, sign: float) -> list[Any]:
    """Ĉ_0 … Ĉ_{size−1} for the solutions that grow with the order (Y with sign −1, K with +1)."""
    c = [c0, 0.5 * c1]
    for m in range(1, size - 1):
        next_ = (m / (m + 1)) * (c[m] / x) + (sign / (4 * m * (m + 1))) * c[m - 1]
        c.append(np.where(np.isfinite(c[m]), next_, c[m]))
    return c


def _native(size: int, function: np.ufunc, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    """The same from the function itself, for the solutions that fall with the order."""
    c, scale = [c0, 0.5 * c1], 0.5
    for m in range(2, size):
        scale = scale / (2 * m)
        c.append(scale * applied(function, m, x))
    return c


def _regular(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    """Ĵ_m: upward where m < |x|, where both solutions are of one size; else natively, for J falls with m."""
    natively = _native(size, sp.jv, c0, c1, x)
    upward = _upward(size, c0, c1, np.where(x == 0, 1.0, x), -1.0)
    return [*natively[:2], *(np.where(np.abs(x) > m, upward[m], natively[m]) for m in range(2, size))]


def _sum(n: int, nu: int, table: Sequence[Any], sign: int, reflected: int) -> Any:
    """C_ν⁽ⁿ⁾/n! = Σ_k sign^k binom(n, k) C_{ν−n+2k}/(2ⁿ n!), where C_{−m} = reflected^m C_m."""
    terms: dict[int, float] = {}
    for k in range(n + 1):
        m = nu - n + 2 * k
        weight = _ratio(abs(m), n) * comb(n, k) * sign**k * (reflected ** abs(m) if m < 0 else 1)
        terms[abs(m)] = terms.get(abs(m), 0.0) + weight
    m = max(terms)
    largest = terms[m] * table[m]
    rest = series.total(terms[m] * table[m] for m in sorted(terms, reverse=True)[1:] if terms[m])
    return np.where(np.isfinite(largest), largest + rest, largest)  # near the pole of Y it alone decides


def _ratio(m: int, n: int) -> float:
    """2^m m!/(2ⁿ n!), rounded once."""
    result = 1.0
    for i in range(min(m, n) + 1, max(m, n) + 1):
        result = result * (2 * i) if m > n else result / (2 * i)
    return result


def _whole_order(
    nu: int, zeroth: np.ufunc, first: np.ufunc, table: Callable[..., list[Any]], sign: int, reflected: int
) -> Callable[..., list[Any]]:
    """The coefficients of C_0 or C_1 from the table of Ĉ_m."""

    def outer(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
        c0, c1 = (value, first(x)) if nu == 0 else (zeroth(x), value)
        c = table(order + nu + 1, c0, c1, x)
        return [value, *(_sum(n, nu, c, sign, reflected) for n in range(1, order + 1))]

    return outer


def _y_table(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    return _upward(size, c0, c1, x, -1.0)


def _k_table(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    return _upward(size, c0, c1, x, 1.0)


def _signed_k(nu: int) -> Callable[..., list[Any]]:
    """K_ν⁽ⁿ⁾ = (−1)ⁿ 2^{−n} Σ binom(n, k) K_{ν−n+2k}: e^{iνπ}K_ν is the cylinder function of the formula."""
    outer = _whole_order(nu, sp.k0, sp.k1, _k_table, 1, 1)

    def alternating(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
        return [c if n % 2 == 0 else -c for n, c in enumerate(outer(order, value, x))]

    return alternating


def _i_table(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    return _native(size, sp.iv, c0, c1, x)


def _scaled_i_table(size: int, c0: Coefficient, c1: Coefficient, x: Coefficient) -> list[Any]:
    return _native(size, sp.ive, c0, c1, x)


def _rescued(scaled: Callable[..., list[Any]], start: Callable[..., Any]) -> Mend:
    """Where I itself overflows: from e^{−|Re x|} I, multiplied by e^{|Re x|/2} twice."""

    def rule(order: int, value: Coefficient, *operands: Coefficients) -> list[Any]:
        arguments = [u[0] for u in operands]
        half = np.exp(0.5 * np.abs(np.real(arguments[-1])))
        if not np.iscomplexobj(arguments[-1]):  # far out SciPy's function is NaN, and only the sign matters
            arguments[-1] = np.minimum(np.maximum(arguments[-1], -1e4), 1e4)
        c = scaled(order, applied(start, *arguments), *arguments)
        return series.compose(order, [value, *((c_n * half) * half for c_n in c[1:])], operands[-1])

    return Mend(lambda value, *arguments: np.isinf(np.real(value)), rule)


by_coefficients(sp.j0, _whole_order(0, sp.j0, sp.j1, _regular, -1, -1))
by_coefficients(sp.j1, _whole_order(1, sp.j0, sp.j1, _regular, -1, -1))
_POSITIVE: dict[str, Any] = {"domain": POSITIVE, "sample": (0.5, 6.0)}
by_coefficients(sp.y0, _whole_order(0, sp.y0, sp.y1, _y_table, -1, -1), **_POSITIVE)
by_coefficients(sp.y1, _whole_order(1, sp.y0, sp.y1, _y_table, -1, -1), **_POSITIVE)
by_coefficients(
    sp.i0, _whole_order(0, sp.i0, sp.i1, _i_table, 1, 1),
    mend=_rescued(_whole_order(0, sp.i0e, sp.i1e, _scaled_i_table, 1, 1), sp.i0e),
)  # fmt: skip
by_coefficients(
    sp.i1, _whole_order(1, sp.i0, sp.i1, _i_table, 1, 1),
    mend=_rescued(_whole_order(1, sp.i0e, sp.i1e, _scaled_i_table, 1, 1), sp.i1e),
)  # fmt: skip
by_coefficients(sp.k0, _signed_k(0), **_POSITIVE)
by_coefficients(sp.k1, _signed_k(1), **_POSITIVE)


# ── exponentially scaled, orders 0 and 1 ─────────────────────────────────────────────────────────


def _scaled_moments(size: int, i0e: Any, x: Coefficient) -> list[Any]:
    """g_n = (1/π) ∫_0^π (1 − cos θ)ⁿ e^{−x(1−cos θ)} dθ for x ≥ 0, so that (e^{−x} I_0)⁽ⁿ⁾ = (−1)ⁿ g_n.

    (2n+1) g_n = (n+1+2x) g_{n+1} − x g_{n+2}, of which g is the minimal solution: the ratios
    g_{n+1}/g_n come downwards (Gautschi, SIAM Review 9, 1967), from where they are known well enough.
    """
    r: Any = 2.0
    ratios = []
    for n in range(64 * (2 + size // 64), -1, -1):
        r = (2 * n + 1) / ((n + 1 + 2 * x) - x * r)
        if n < size:
            ratios.append(r)
    g = [i0e]
    for ratio in ratios[:0:-1]:
        g.append(g[-1] * ratio)
    return g


def _i0e(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """e^{−|x|} I_0(x), even; at 0 the mean of both sides stands in for the odd coefficients."""
    g = _scaled_moments(order + 2, value, np.abs(x))
    return _even(order, value, _over_factorials(g), x)


def _i1e(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """e^{−|x|} I_1(x), odd; e^{−x} I_1 = w + w' for w = e^{−x} I_0."""
    w = _over_factorials(_scaled_moments(order + 2, sp.i0e(x), np.abs(x)))
    c = [w[n] + (n + 1) * w[n + 1] for n in range(order + 1)]
    return _odd(order, value, c, x)


def _over_factorials(g: Sequence[Any]) -> list[Any]:
    """(−1)ⁿ g_n/n!."""
    c, scale = [g[0]], 1.0
    for n in range(1, len(g)):
        scale = -scale / n
        c.append(scale * g[n])
    return c


def _even(order: int, value: Coefficient, c: Sequence[Any], x: Coefficient) -> list[Any]:
    sign = np.sign(x)
    return [value, *(c[n] if n % 2 == 0 else sign * c[n] for n in range(1, order + 1))]


def _odd(order: int, value: Coefficient, c: Sequence[Any], x: Coefficient) -> list[Any]:
    sign = np.sign(x)
    return [value, *(c[n] if n % 2 else sign * c[n] for n in range(1, order + 1))]


by_coefficients(sp.i0e, _i0e)
by_coefficients(sp.i1e, _i1e)


# ── any constant order ───────────────────────────────────────────────────────────────────────────


def _neighbours(ufunc: np.ufunc, sign: int, alternating: bool = False) -> Callable[..., list[Any]]:
    """The sum over neighbouring orders, for any constant order.

    Near 0, where C_{ν−n} overflows before its sum over 2ⁿ n! does, the singular solution rules and the
    equation z² y'' + z y' ± (z² ∓ ν²) y = 0 is a stable recurrence.
    """

    def outer(order: int, value: Coefficient, nu: Coefficient, z: Coefficient) -> list[Any]:
        table = {m: applied(ufunc, nu + m, z) for m in range(-order, order + 1)} if order else {}
        c, scale = [value], 1.0
        for n in range(1, order + 1):
            scale = scale / (-2 * n if alternating else 2 * n)
            whole = series.total((comb(n, k) * sign**k * scale) * table[2 * k - n] for k in range(n + 1))
            c.append(np.where(np.isfinite(whole), whole, singular(n, c, nu, z, scale * table[-n])))
        return c

    def singular(n: int, c: Sequence[Any], nu: Coefficient, z: Coefficient, lowest: Any) -> Any:
        step = lowest
        if n > 1:
            m, z_, scale = n - 2, np.where(z == 0, 1.0, z), 1 / (n * (n - 1))
            far = (2 * z * c[m - 1] + (c[m - 2] if m > 1 else 0.0)) if m else 0.0
            rest = (scale * (m * m - nu * nu - sign * z * z)) * c[m] - (scale * sign) * far
            step = np.where(z == 0, lowest, -((scale * (m + 1) * (2 * m + 1)) * c[n - 1] + rest / z_) / z_)
        return np.where(np.isfinite(c[n - 1]), step, -c[n - 1])  # once infinite, the signs alternate

    return outer


_ORDERED: dict[str, Any] = {"domain": (REAL, POSITIVE), "sample": ((0.0, 3.0), (0.5, 6.0))}
by_coefficients(sp.jv, _neighbours(sp.jv, -1), "v", **_ORDERED)
by_coefficients(sp.yv, _neighbours(sp.yv, -1), "v", **_ORDERED)
by_coefficients(sp.iv, _neighbours(sp.iv, 1), "v", **_ORDERED, mend=_rescued(_neighbours(sp.ive, 1), sp.ive))
by_coefficients(sp.kv, _neighbours(sp.kv, 1, alternating=True), "v", **_ORDERED)
by_coefficients(sp.hankel1, _neighbours(sp.hankel1, -1), "v", **_ORDERED)
by_coefficients(sp.hankel2, _neighbours(sp.hankel2, -1), "v", **_ORDERED)


# ── K scaled by e^x, any constant order ──────────────────────────────────────────────────────────

_NODES, _REACH = 64, 250.0


def _kve_outer(order: int, value: Coefficient, nu: Coefficient, x: Coefficient) -> list[Any]:
    """(e^x K_ν)⁽ⁿ⁾/n! = ((−1)ⁿ/n!) ∫_0^∞ cosh(νθ) (cosh θ − 1)ⁿ e^{−x(cosh θ−1)} dθ (DLMF 10.32.9).

    Beyond ½ by the trapezoidal rule, which converges geometrically and whose terms have one sign, up to
    where x (cosh θ − 1) = 250, enough for n + ν up to a hundred; up to ½ as a product, which does not
    cancel there.
    """
    require_real("kve", x)
    near = x <= 0.5
    inner = np.where(near, x, 0.5)
    product = _neighbours(sp.kv, 1, alternating=True)(order, applied(sp.kv, nu, inner), nu, inner)
    growth = series.exp(order, np.exp(inner), [inner, 1.0])
    outer = np.where(near, 1.0, x)
    step = np.arccosh(1 + _REACH / outer) / _NODES
    sums: list[Any] = []
    for i in range(1, _NODES + 1):
        half = np.sinh(0.5 * i * step)
        y = 2 * half * half  # cosh θ − 1
        term = step * np.cosh(nu * (i * step)) * np.exp(-outer * y)
        for n in range(1, order + 1):
            term = term * (-y / n)
            if i == 1:
                sums.append(term)
            else:
                sums[n - 1] = sums[n - 1] + term
    return [value, *(np.where(near, series.convolve(product, growth, n), sums[n - 1]) for n in range(1, order + 1))]


by_coefficients(sp.kve, _kve_outer, "v", **_ORDERED)
by_coefficients(sp.k0e, lambda order, value, x: _kve_outer(order, value, 0, x), **_POSITIVE)
by_coefficients(sp.k1e, lambda order, value, x: _kve_outer(order, value, 1, x), **_POSITIVE)


# ── whole orders through the functions of any order ──────────────────────────────────────────────


def _cut(outer: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """SciPy cuts the fraction of the order off, and so does the derivative."""
    return lambda order, value, n, x: outer(order, value, whole(n), x)


_WHOLE: dict[str, Any] = {"domain": (REAL, POSITIVE), "sample": ((0, 3), (0.5, 6.0))}
by_coefficients(sp.yn, _cut(_neighbours(sp.yv, -1)), "n", **_WHOLE)
by_coefficients(sp.kn, _cut(_neighbours(sp.kv, 1, alternating=True)), "n", **_WHOLE)


def _on_the_line(ufunc: np.ufunc, unscaled: np.ufunc) -> Callable[..., list[Any]]:
    """jve and yve have the factor e^{−|Im z|}, which is 1 on the real line and nowhere analytic."""
    neighbours = _neighbours(unscaled, -1)

    def outer(order: int, value: Coefficient, nu: Coefficient, x: Coefficient) -> list[Any]:
        require_real(str(ufunc.__name__), x)
        return neighbours(order, value, nu, x)

    return outer


by_coefficients(sp.jve, _on_the_line(sp.jve, sp.jv), "v", **_ORDERED)
by_coefficients(sp.yve, _on_the_line(sp.yve, sp.yv), "v", **_ORDERED)


# ── Airy functions ───────────────────────────────────────────────────────────────────────────────


def _airy_series(order: int, y0: Coefficient, slope: Any, x: Coefficient) -> list[Any]:
    """y'' = x y (DLMF 9.2.1):  (n+2)(n+1) y_{n+2} = x y_n + y_{n−1}."""
    y = [y0, slope]
    for n in range(order - 1):
        y.append((x * y[n] + (y[n - 1] if n else 0.0)) / ((n + 1) * (n + 2)))
    return y


def _airy(order: int, value: Coefficient, x: Coefficient) -> list[list[Any]]:
    """Ai, Ai', Bi, Bi'."""
    results = []
    for y0, slope in (value[:2], value[2:]):
        y = _airy_series(order + 1, y0, slope, x)
        results += [y[: order + 1], [slope, *(n * y[n] for n in range(2, order + 2))]]
    return results


by_coefficients(sp.airy, _airy)


# ── integrals from 0 ─────────────────────────────────────────────────────────────────────────────


by_derivative(sp.itj0y0, lambda u: (sp.j0(u), sp.y0(u)), **_POSITIVE)
by_derivative(sp.iti0k0, lambda u: (sp.i0(u), sp.k0(u)), **_POSITIVE)

unsupported(
    "no stable rule is known for the derivatives of this scaled function of any order; for iv and hankel1 there is one",
    sp.ive, sp.hankel1e, sp.hankel2e, sp.airye,
)  # fmt: skip
unsupported(
    "dualnum has no rule for it yet",
    sp.it2j0y0, sp.it2i0k0, sp.itairy, sp.besselpoly, sp.struve, sp.modstruve, sp.itstruve0, sp.it2struve0,
    sp.itmodstruve0, sp.kelvin, sp.ber, sp.bei, sp.ker, sp.kei, sp.berp, sp.beip, sp.kerp, sp.keip,
    *(getattr(private, f"_spherical_{kind}n{d}") for kind in "jyik" for d in ("", "_d")),
)  # fmt: skip
