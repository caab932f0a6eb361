"""The gamma function and its kin: y' = y ψ(u) u', with the coefficients of ψ from Hurwitz's zeta function.

ψ(x + t) = ψ(x) + Σ_{n≥1} (−1)^{n+1} ζ(n+1, x) tⁿ (DLMF 25.11.12); left of zero by reflection.
"""

from collections.abc import Sequence
from functools import cache
from math import comb, inf, pi
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ... import series
from ...counterparts import applied
from ...kinds import Coefficient
from ...operand import primal
from ..table import POSITIVE, by_coefficients, by_derivative, lookup, on_series, recurrence, unsupported, zero
from .arguments import require_real, somewhere, unseen

Coefficients = Sequence[Any]

# B_{2j}/(2j)! = (−1)^{j+1} 2 ζ(2j)/(2π)^{2j}, the weights of Euler and Maclaurin's sum
_EULER_MACLAURIN = [(-1) ** (j + 1) * 2 * float(sp.zeta(2 * j)) / (2 * pi) ** (2 * j) for j in range(1, 13)]


# ── Hurwitz's zeta function and ψ ────────────────────────────────────────────────────────────────


def _first_terms(s: int) -> int:
    """How many terms are summed before the sum of Euler and Maclaurin is exact to the last bit."""
    return 20 + s


def _tail(s: int, power: Any) -> Any:
    """Σ_{k≥0} of f(w + k) without the integral, from power(p), which stands for w^{−p} (DLMF 25.11.28)."""
    result, rising = 0.5 * power(s), float(s)
    for j, weight in enumerate(_EULER_MACLAURIN, 1):
        result = result + (weight * rising) * power(s + 2 * j - 1)
        rising *= (s + 2 * j - 1) * (s + 2 * j)
    return result


def _zeta(s: int, z: Coefficient) -> Any:
    """ζ(s, z) = Σ_{k≥0} (z + k)^{−s} for an integer s ≥ 2 and Re z ≥ 0."""
    if not np.iscomplexobj(z):
        return applied(private._zeta, s, z)
    w = z + _first_terms(s)
    head = series.total((z + k) ** -s for k in range(_first_terms(s)))
    return head + (w ** (1 - s) / (s - 1) + _tail(s, lambda p: w**-p))


def _zeta_difference(s: int, a: Coefficient, b: Coefficient) -> Any:
    """ζ(s, a) − ζ(s, a + b) for a > 0 and a + b > 0 without cancellation; ψ(a + b) − ψ(a) for s = 1.

    Each a^{−s} − (a+b)^{−s} is −a^{−s} expm1(−s log1p(b/a)).
    """

    def drop(a_k: Any, p: int) -> Any:
        return -(a_k**-p) * np.expm1(-p * np.log1p(b / a_k))

    w = a + _first_terms(s)
    integral = np.log1p(b / w) if s == 1 else drop(w, s - 1) / (s - 1)
    return series.total(drop(a + k, s) for k in range(_first_terms(s))) + (integral + _tail(s, lambda p: drop(w, p)))


def _cotangent(order: int, x: Coefficient) -> list[Any]:
    """T = π cot π(x + t):  T' = −w, w' = −2 T w with w = π²/sin² πx, which π² + T² would lose far from the axis."""
    f = x - np.rint(np.real(x))
    t, w = [pi / np.tan(pi * f)], [(pi / np.sin(pi * f)) ** 2]
    for k in range(1, order + 1):
        t.append(-series.over(w[k - 1], k))
        w.append(-2 * series.over(series.convolve(t, w, k - 1), k))
    return t


def psi_coefficients(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """The Taylor coefficients of ψ at x; left of zero ψ(x) = ψ(1 − x) − π cot πx (DLMF 5.5.4)."""
    left = np.real(x) < 0
    right = np.where(left, 1 - x, x)
    z = [_zeta(n + 1, right) for n in range(1, order + 1)]
    c = [z_n if n % 2 else -z_n for n, z_n in enumerate(z, 1)]
    if somewhere(left):
        t = _cotangent(order, np.where(left, x, 0.25))
        c = [np.where(left, -(t_n + z_n), c_n) for t_n, z_n, c_n in zip(t[1:], z, c, strict=True)]
    return [value, *c]


def _psi(order: int, u: Coefficients) -> list[Any]:
    return series.compose(order, psi_coefficients(order, sp.psi(u[0]), u[0]), u[: order + 1])


def _hurwitz(order: int, value: Coefficient, s: Coefficient, q: Coefficient) -> list[Any]:
    """ζ(s, q + t)_n = binom(−s, n) ζ(s + n, q) (DLMF 25.11.17)."""
    weight, c = 1.0, [value]
    for n in range(1, order + 1):
        weight = weight * (-(s + n - 1) / n)
        c.append(weight * applied(private._zeta, s + n, q))
    return c


by_coefficients(sp.psi, psi_coefficients, sample=(0.5, 5.0))
by_derivative(sp.gammaln, sp.psi, sample=(0.5, 5.0))
by_derivative(sp.loggamma, sp.psi, domain=POSITIVE, sample=(0.5, 5.0))
by_coefficients(private._zeta, _hurwitz, "x", domain=((1.0, inf), POSITIVE), sample=((1.5, 4.0), (0.5, 5.0)))
zero(sp.gammasgn)


# ── Γ and 1/Γ ────────────────────────────────────────────────────────────────────────────────────


def _gamma(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    """y' = y ψ(u) u'; where Γ overflows, Γ(x) = Γ(x−8) (x−8)…(x−1), so that y_k is finite where it should be."""
    y = series.exponential(order, value, (u, _psi(order - 1, u)))
    x = u[0]
    far = np.real(x) > 150
    if not somewhere(far):
        return y
    x = np.where(far, x, 160.0)
    below = series.exponential(order, sp.gamma(x - 8), (u, _psi(order - 1, u)))
    factor = series.total([1.0])
    for i in range(1, 9):
        factor = factor * (x - i)
    return [value, *(np.where(far, b * factor, y_k) for b, y_k in zip(below[1:], y[1:], strict=True))]


@cache
def _reciprocal_table(center: int, size: int) -> list[float]:
    """The Taylor coefficients of 1/Γ at a whole number, each by Cauchy's integral over its best circle.

    The radius r makes |1/Γ| r^{−k} least, where the integrand hardly oscillates, so all digits are
    right (Bornemann, "Accuracy and stability of computing high-order derivatives of analytic
    functions by Cauchy integrals", Found. Comput. Math. 11, 2011).
    """
    turns = np.exp(2j * pi * (np.arange(512) + 0.5) / 512)
    radii = np.concatenate([np.linspace(0.25, 4.0, 16), np.linspace(4.5, 40.0, 72)])
    on_circles = sp.rgamma(center + radii[:, None] * turns)
    sizes = np.log(np.abs(on_circles).mean(axis=1))
    table = []
    for k in range(size):
        best = int(np.argmin(sizes - k * np.log(radii)))
        table.append(float(np.mean(on_circles[best] * turns**-k).real * radii[best] ** -k))
    return table


def _around(center: int, order: int, h: Coefficient) -> list[Any]:
    """The coefficients of 1/Γ at center + h, |h| ≤ 1:  Σ_{k≥n} binom(k, n) d_k h^{k−n}."""
    d = _reciprocal_table(center, 64 * (1 + (order + 32) // 64))
    c = []
    for n in range(order + 1):
        sum_ = comb(n + 28, n) * d[n + 28] + 0.0 * h
        for k in range(n + 27, n - 1, -1):
            sum_ = sum_ * h + comb(k, n) * d[k]
        c.append(sum_)
    return c


def _reciprocal_gamma(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """1/Γ is entire: its coefficients fall faster than x^{−n}, which the recurrence of y' = −y ψ u' would bring in.

    Near zero a Taylor series about 1 or 3 is shifted, and y(x) = x y(x+1) leads left of zero, where
    each zero comes out exactly; from 4 on the recurrence is stable; below −6, y(x) = Γ(1−x) sin(πx)/π.
    """
    require_real("rgamma", x)
    m = np.where((x < 0) & (x >= -6), -np.floor(x), 0.0)
    inner = np.minimum(np.maximum(x + m, 0.0), 4.0)
    c = [np.where(inner < 2, a, b) for a, b in zip(
        _around(1, order, np.where(inner < 2, inner - 1, 0.0)),
        _around(3, order, np.where(inner < 2, 0.0, inner - 3)), strict=True,
    )]  # fmt: skip
    for j in range(5, -1, -1):
        times = [(x + j) * c[0], *((x + j) * c[n] + c[n - 1] for n in range(1, order + 1))]
        c = [np.where(j < m, a, b) for a, b in zip(times, c, strict=True)]
    far = x >= 4
    if somewhere(far):
        right = [np.where(far, x, 8.0), 1.0]
        decay = series.exponential(order, np.where(far, value, 0.0), (right, [-p for p in _psi(order - 1, right)]))
        c = [np.where(far, a, b) for a, b in zip(decay, c, strict=True)]
    left = x < -6
    if somewhere(left):
        f = np.where(left, x - np.rint(x), 0.0)
        even = np.where(np.rint(x) % 2 == 0, 1 / pi, -1 / pi)
        sine = lookup(np.sin).expand(order, [pi * f, pi])
        mirrored = [np.where(left, 1 - x, 8.0), -1.0]
        growth = series.exponential(order, 1.0, (mirrored, _psi(order - 1, mirrored)))
        scale = even * sp.gamma(mirrored[0])
        c = [np.where(left, scale * series.convolve(growth, sine, n), c[n]) for n in range(order + 1)]
    return [value, *c[1:]]


recurrence(sp.gamma, _gamma, sample=(0.5, 5.0))
by_coefficients(sp.rgamma, _reciprocal_gamma)


# ── quotients of Γ ───────────────────────────────────────────────────────────────────────────────


def _psi_difference(order: int, a: Coefficients, b: Coefficients) -> list[Any]:
    """ψ(a + b) − ψ(a), where b may be much smaller than a.

    With a = a_0 + α and a + b = s_0 + σ it is Σ_n (ψ_n(s_0) − ψ_n(a_0)) αⁿ + Σ_n ψ_n(s_0) (σⁿ − αⁿ).
    """
    a, b = a[: order + 1], b[: order + 1]
    s0 = a[0] + b[0]
    here, there = (psi_coefficients(order, sp.psi(x), x) for x in (a[0], s0))
    plain = (a[0] <= 0) | (s0 <= 0)
    a0, b0 = np.where(plain, 1.0, a[0]), np.where(plain, 1.0, b[0])
    steps = []
    for n in range(order + 1):
        step = _zeta_difference(n + 1, a0, b0)
        step = np.where(plain, there[n] - here[n], -step if n % 2 else step)
        steps.append(np.where(b[0] == 0, 0.0, step))
    result = series.compose(order, steps, a)
    if len(b) == 1:
        return result
    s = [s0, *(series.coefficient(a, k) + series.coefficient(b, k) for k in range(1, max(len(a), len(b))))]
    moved = series.compose(order, there, s)
    fixed = series.compose(order, there, a)
    change = [0.0, *(p - series.coefficient(fixed, k) for k, p in enumerate(moved[1:], 1))]
    return [series.coefficient(result, k) + c for k, c in enumerate(change)]


def _log_beta_slope(a: Coefficient, b: Coefficient) -> Any:
    """∂_a log B = ψ(a) − ψ(a+b) (DLMF 5.12.1)."""
    return -on_series(_psi_difference)(a, b)


_FACTORS = 32


def _rising(order: int, z: Coefficients, m: Coefficients) -> list[Any]:
    """(z)_m = z (z+1) … (z+J−1) Γ(z+m)/Γ(z+J) with m_0 ≤ J < m_0 + 1.

    The zeros stand in the product, right and harmless; for a whole m the quotient is 1. Where z is large
    beside an m that is not whole, they are far and J = 0.
    """
    near = (m[0] == np.rint(m[0])) | ((m[0] >= 0.25) & (z[0] < 8 * m[0]))
    size = np.where(near, np.minimum(np.maximum(np.ceil(m[0]), 0), _FACTORS), 0)
    y = _quotient(order, [z[0] + size, *z[1:]], [m[0] - size, *m[1:]])
    factors = primal(size)
    for j in range(_FACTORS if unseen(factors) else int(np.max(factors, initial=0))):
        factor = [np.where(j < size, z[0] + j, 1.0), *(np.where(j < size, z_k, 0.0) for z_k in z[1:])]
        y = series.multiply(order, y[0] * factor[0], y, factor)
    return y


def _quotient(order: int, z: Coefficients, m: Coefficients) -> list[Any]:
    """Γ(z+m)/Γ(z):  (log y)' = (ψ(z+m) − ψ(z)) z' + ψ(z+m) m'."""
    slopes: list[tuple[Coefficients, Coefficients]] = []
    if len(z) > 1:
        slopes.append((z, _psi_difference(order - 1, z, m)))
    if len(m) > 1:
        s = [series.coefficient(z, k) + series.coefficient(m, k) for k in range(max(len(z), len(m)))]
        slopes.append((m, _psi(order - 1, s)))
    return series.exponential(order, sp.poch(z[0], m[0]), *slopes)


def _poch(order: int, value: Coefficient, z: Coefficients, m: Coefficients) -> list[Any]:
    """(z)_m = Γ(z+m)/Γ(z)."""
    return [value, *_rising(order, z, m)[1:]]


def _binom(order: int, value: Coefficient, n: Coefficients, k: Coefficients) -> list[Any]:
    """Γ(n+1)/(Γ(k+1) Γ(r)) with r = n−k+1: (r)_k/Γ(k+1), or for constant n with 1/Γ twice, which is entire."""
    r = [series.coefficient(n, j) - series.coefficient(k, j) for j in range(max(len(n), len(k)))]
    r = [r[0] + 1, *r[1:]]
    inverse = lookup(sp.rgamma).expand(order, [k[0] + 1, *k[1:]])
    if len(n) > 1:
        y = _rising(order, r, k)
    else:
        y = [sp.gamma(n[0] + 1) * c for c in lookup(sp.rgamma).expand(order, r)]
    return [value, *series.multiply(order, y[0] * inverse[0], y, inverse)[1:]]


_BETA: dict[str, Any] = {"domain": POSITIVE, "sample": (0.5, 4.0)}
_LOG_BETA = _log_beta_slope, lambda a, b: _log_beta_slope(b, a)
by_derivative(sp.beta, *_LOG_BETA, of_log=True, **_BETA)
by_derivative(sp.betaln, *_LOG_BETA, **_BETA)
recurrence(sp.poch, _poch, domain=POSITIVE, sample=((0.5, 4.0), (0.5, 3.0)))
recurrence(sp.binom, _binom, domain=(POSITIVE, POSITIVE), sample=((3.0, 6.0), (0.5, 2.5)))

unsupported(
    "the derivatives of Riemann's zeta function have no stable formula in SciPy's functions",
    sp.zetac, private._riemann_zeta,
)  # fmt: skip
