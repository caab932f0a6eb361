"""Taylor coefficients of special functions at a point, by stable recurrences.

The derivatives of erfcx, Dawson's integral, (e^x − 1)/x or sin x/x satisfy recurrences of which they are the
minimal (recessive) solution: run forward, a rounding error grows like the dominant solution and soon swamps
the result, by (2x)ⁿ for erfcx (Gautschi, "Computational aspects of three-term recurrence relations", SIAM
Review 9, 1967; "Computation of successive derivatives of f(z)/z", Math. Comp. 20, 1966). Here such sequences
are computed downward, from a start whose asymptotic form is known, and upward only where that is stable.

Each function returns the coefficients [f_0, …, f_K] of f(x + t) at x itself, elementwise, for `series.compose`;
f_k never depends on the order asked for. Values at x that a native function knows better are arguments.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import factorial, pi, sqrt
from typing import Any

import numpy as np

from ..kinds import Coefficient
from . import recurrences as series

__all__ = [
    "coshm1c", "dawson", "erfcx", "exprel", "faddeeva", "first_ratio", "gaussian", "log1prel", "ratios", "revert",
    "sinc", "sinhc",
]  # fmt: skip

Coefficients = Sequence[Any]
_STEPS = 90  # downward steps from the asymptotic start to the first ratio used; with 60, E = 24 near x² = 2n


# ── the repeated integrals of the error function ─────────────────────────────────────────────────


def _liouville_green(terms: int) -> list[list[float]]:
    """P_1, P_2, … of `_start`, by  P_{m+1} = ½((1−2m) ξ P_m + (1−ξ²) P_m' + Σ_{j=1}^{m} P_j P_{m+1−j})."""
    p = [[Fraction(-1)], [Fraction(0), Fraction(-1, 2)]]
    for m in range(1, terms):
        size = m + 2
        new = [Fraction(0)] * size
        for i, c in enumerate(p[m]):
            new[i + 1] += (1 - 2 * m) * c - i * c  # ξ P and −ξ² P'
            if i:
                new[i - 1] += i * c
        for j in range(1, m + 1):
            for i, a in enumerate(p[j]):
                for l, b in enumerate(p[m + 1 - j]):  # noqa: E741
                    new[i + l] += a * b
        p.append([c / 2 for c in new])
    return [[float(c) for c in q] for q in p[1:]]


_POLYNOMIALS = _liouville_green(7)


def _start(n: int, v: Coefficient, r: Coefficient) -> Any:
    """ρ_{n+1}(v) for large n, to about (2n)^{−8} relatively, uniformly in Re v ≥ 0; r = √(v² + 2n + 1).

    a_n e^{−v²/2} solves W'' = r² W (DLMF 12.2.2), whose recessive solution has the logarithmic derivative
    −r + Σ_m r^{1−2m} P_m(v/r) (the Liouville–Green or WKB expansion, DLMF 2.7(iii), 12.10(ii)).
    """
    xi = v / r
    scale = 1 / r
    factor = scale * scale
    correction: Any = 0.0
    for p in _POLYNOMIALS:
        value: Any = p[-1]
        for c in p[-2::-1]:
            value = value * xi + c
        correction = correction + value * scale
        scale = scale * factor
    return ((2 * n + 1) / (r + v) - correction) / (n + 1)


def _root(v: Coefficient, n: int) -> Any:
    """√(v² + 2n + 1), the branch that is v for large v (the imaginary axis included)."""
    r = np.sqrt(v * v + (2 * n + 1))
    if np.iscomplexobj(v):
        r = np.where(np.real(r * np.conjugate(v)) < 0, -r, r)
    return r


def _blocks(order: int) -> Iterator[tuple[int, int]]:
    """(first, last): 1…8, 9…16, 17…32, …: each block has one start, the same whatever the order."""
    first, last = 1, 8
    while first <= order:
        yield first, last
        first, last = last + 1, 2 * last


def ratios(order: int, v: Coefficient) -> list[Any]:
    """[ρ_1, …, ρ_K], ρ_n = a_n/a_{n−1} with a_n = 2ⁿ e^{v²} iⁿerfc(v), for Re v ≥ 0.

    iⁿerfc is the repeated integral of erfc (DLMF 7.18). From n a_n = 2 a_{n−2} − 2v a_{n−1} (7.18.7), of
    which a_n is the minimal solution,  ρ_n = 1/(v + ½(n+1) ρ_{n+1}):  the continued fraction 7.18.8,
    evaluated downward, where every step damps what is wrong with its start.
    """
    result: list[Any] = []
    for first, last in _blocks(order):
        n = last + _STEPS
        far = np.abs(v) > 1e8  # where v² may overflow the start is of no account
        rho = np.where(far, 0.0, _start(n, v, _root(v, n)))
        block = []
        for m in range(n, first - 1, -1):
            rho = 1 / (v + (0.5 * (m + 1)) * rho)
            if m <= min(last, order):
                block.append(rho)
        result.extend(reversed(block))
    return result


def first_ratio(order: int, v: Coefficients) -> list[Any]:
    """The series of ρ_1 at a series v with v_0 > 0: the same continued fraction in series arithmetic.

    (Differencing the ρ_n, by ρ_n' = ρ_n (n ρ_n − (n+1) ρ_{n+1}), would lose one digit in three orders.)
    """
    n = _STEPS
    v = v[: order + 1]
    square = series.square(order, v[0] * v[0], v)
    square[0] = square[0] + (2 * n + 1)
    r = series.sqrt(order, np.sqrt(square[0]), square)
    far = v[0] > 1e8
    rho = [np.where(far, 0.0, c) for c in _start_series(order, n, v, r)]
    for m in range(n, 0, -1):
        half = 0.5 * (m + 1)
        below = [half * c for c in rho]
        for k in range(len(v)):
            below[k] = below[k] + v[k] if k < len(below) else v[k]
        rho = series.reciprocal(order, 1 / below[0], below)
    return rho


def _start_series(order: int, n: int, v: Coefficients, r: Coefficients) -> Coefficients:
    """`_start` on series: the reciprocals of r first, so that only products are left."""
    inverse = series.reciprocal(order, 1 / r[0], r)

    def times(a: Coefficients, b: Coefficients) -> list[Any]:
        return series.multiply(order, a[0] * b[0], a, b)

    xi = times(v, inverse)
    factor = times(inverse, inverse)
    scale: Coefficients = inverse
    total = [r[k] + v[k] if k < len(v) else r[k] for k in range(len(r))]
    result = [(2 * n + 1) * c for c in series.reciprocal(order, 1 / total[0], total)]
    for p in _POLYNOMIALS:
        value: list[Any] = [p[-1]]
        for c in p[-2::-1]:
            value = times(value, xi)
            value[0] = value[0] + c
        term = times(value, scale)
        result = [a - b for a, b in zip(result, term, strict=True)]
        scale = times(scale, factor)
    return [c / (n + 1) for c in result]


def gaussian(order: int, a: float, u: Coefficients) -> list[Any]:
    """e^{a u²}, zero where it underflows although its polynomial factors overflow."""
    square = series.square(order, u[0] * u[0], u)
    w = [a * s for s in square]
    y = series.exp_by_halves(order, np.exp(w[0]), np.exp(w[0] / 2), w)
    nothing = np.real(w[0]) < -1500.0
    return [y[0], *(np.where(nothing, 0.0, c) for c in y[1:])]


def erfcx(order: int, x: Coefficient, of_right: Any) -> list[Any]:
    """e^{x²} erfc(x) from `of_right`, its value at ±x, whichever lies in the right half plane.

    There f_n = (−1)ⁿ a_n (DLMF 7.18.4), a_n = a_{n−1} ρ_n; on the left f(x) = 2e^{x²} − f(−x).
    """
    left = np.real(x) < 0
    a = [of_right]
    for rho in ratios(order, np.where(left, -x, x)):
        a.append(a[-1] * rho)
    rising = gaussian(order, 1.0, [x, 1.0])
    rising += [0.0] * (order + 1 - len(rising))
    return [np.where(left, 2 * rising[n] - a[n], -a[n] if n % 2 else a[n]) for n in range(order + 1)]


def faddeeva(order: int, z: Coefficient, of_upper: Any) -> list[Any]:
    """w(z) = erfcx(−iz), from its value at ±z, whichever lies in the upper half plane."""
    f = erfcx(order, -1j * z, of_upper)
    return [(-1j) ** n * f_n if n else f_n for n, f_n in enumerate(f)]


def dawson(order: int, y0: Coefficient, x: Coefficient, of_upper: Any) -> list[Any]:
    """F(x) = e^{−x²} ∫_0^x e^{s²} ds,  n F_n = −2x F_{n−1} − 2 F_{n−2}  (from DLMF 7.10.4).

    Forward near 0 only: from x = 2 on it loses up to e^{x²}. There F = (i√π/2)(e^{−x²} − w(x)) (DLMF 7.5.1)
    in the upper half plane, F being odd; w(±x) is `of_upper`. On the real axis F is the imaginary part of w,
    for which the continued fraction keeps its digits: it singles out the one solution that decays upward.
    """
    forward = [y0, 1 - 2 * x * y0]
    for n in range(2, order + 1):
        forward.append((x * forward[n - 1] + forward[n - 2]) * (-2 / n))
    real = not np.iscomplexobj(x)
    lower = (x < 0) if real else (np.imag(x) < 0)
    z = np.where(lower, -x, x)
    w = faddeeva(order, z if not real else z + 0j, of_upper)
    if real:
        outer = [(sqrt(pi) / 2) * np.imag(w_n) for w_n in w]
    else:
        falling = gaussian(order, -1.0, [z, 1.0])
        falling += [0.0] * (order + 1 - len(falling))
        outer = [(0.5j * sqrt(pi)) * (g - w_n) for g, w_n in zip(falling, w, strict=True)]
    outer = [np.where(lower, f if n % 2 else -f, f) for n, f in enumerate(outer)]
    return [y0, *(np.where(np.abs(x) < 2, forward[n], outer[n]) for n in range(1, order + 1))]


# ── entire functions f(z)/z ──────────────────────────────────────────────────────────────────────


def _terms(k: int) -> int:
    """How many terms of Σ_m z^m/(k+2)_m leave nothing to add where |z| ≤ k + 2."""
    return 22 + 8 * int(sqrt(k + 1))


def exprel(order: int, x: Coefficient, of_minus: Any) -> list[Any]:
    """g(x) = (e^x − 1)/x, its Taylor coefficients g_k = ∫_0^1 s^k e^{xs} ds/k!, from `of_minus` = g(−|x|) (real x).

    Upward, x g_k = e^x/k! − g_{k−1}, while k ≤ |x|; from there on by parts, g_k = e^x/(k+1)! ·
    (1 − x/(k+2) (1 − x/(k+3) (…))). For x > 0 all of it is done on g e^{−x}, so that nothing overflows early.
    """
    rising = x > 0
    e = np.where(rising, 1.0, np.exp(np.where(rising, 0.0, x)))
    half = np.where(rising, np.exp(0.5 * x), 1.0)
    scaled = [of_minus]
    for k in range(1, order + 1):
        upward = (e / factorial(k) - scaled[-1]) / x
        near = np.abs(x) < k
        z = np.where(near, x, 0.0)
        tail: Any = 1.0
        for m in range(_terms(k), -1, -1):
            tail = 1 - z * tail / (k + 2 + m)
        scaled.append(np.where(near, e * tail / factorial(k + 1), upward))
    return [(g * half) * half for g in scaled]


def sinc(order: int, x: Coefficient, s: Coefficient, c: Coefficient) -> list[Any]:
    """sin x/x from s = sin x, c = cos x: f_k = ∫_0^1 s^k cos(xs + kπ/2) ds/k!.

    Upward, x f_k = s_k − f_{k−1}, while k ≤ |x|; from there on by parts:
    k! f_k = A cos(x + kπ/2) + B sin(x + kπ/2) with A = Σ (−1)^j x^{2j}/(k+1)_{2j+1}, B the odd terms.
    """
    turns = [s, c, -s, -c]  # sin(x + kπ/2)
    f = [np.where(x == 0, 1.0, s / np.where(x == 0, 1.0, x))]
    for k in range(1, order + 1):
        sin, cos = turns[k % 4], turns[(k + 1) % 4]
        near = np.abs(x) < k
        z = np.where(near, x, 0.0)
        square = z * z
        even, odd = _parts_of_tail(k, -square)
        by_parts = (cos * even + z * sin * odd) / factorial(k + 1)
        f.append(np.where(near, by_parts, (sin / factorial(k) - f[-1]) / x))
    return f


def _parts_of_tail(k: int, square: Coefficient) -> tuple[Any, Any]:
    """Σ_j q^j/(k+2)_{2j} and Σ_j q^j/(k+2)_{2j+1}, q = `square`."""
    even: Any = 1.0
    odd: Any = 1.0
    for m in range(_terms(k), -1, -2):
        even = 1 + square * even / ((k + 2 + m) * (k + 3 + m))
        odd = 1 + square * odd / ((k + 3 + m) * (k + 4 + m))
    return even, odd / (k + 2)


def sinhc(order: int, x: Coefficient, sh: Any, ch: Any) -> list[Any]:
    """sinh x/x from sh = sinh x, ch = cosh x."""
    return _hyperbolic(order, x, np.where(x == 0, 1.0, sh / np.where(x == 0, 1.0, x)), (sh, ch), 0)


def coshm1c(order: int, x: Coefficient, sh: Any, ch: Any) -> list[Any]:
    """(cosh x − 1)/x from sh = sinh x, ch = cosh x."""
    half = np.sinh(0.5 * x)
    return _hyperbolic(order, x, np.where(x == 0, 0.0, 2 * half * (half / np.where(x == 0, 1.0, x))), (ch, sh), 1)


def _hyperbolic(order: int, x: Coefficient, f0: Coefficient, derivatives: tuple[Any, Any], parity: int) -> list[Any]:
    """f(x) = d(x)/x for d = sinh x or cosh x − 1:  x f_k = d_k − f_{k−1} upward while k ≤ |x|; from there on
    Σ x^m/(m! (m+k+1))/k! over m ≡ k + parity mod 2, whose terms have one sign."""
    f = [f0]
    for k in range(1, order + 1):
        near = np.abs(x) < k
        z = np.where(near, x, 0.0)
        square = z * z
        odd = (k + parity) % 2
        total: Any = 0.0
        for m in range(2 * (10 + k // 2 + 5 * int(sqrt(k))) + odd, -1, -2):
            total = 1 / (m + k + 1) + square * total / ((m + 1) * (m + 2))
        upward = (derivatives[k % 2] / factorial(k) - f[-1]) / x
        f.append(np.where(near, (z * total if odd else total) / factorial(k), upward))
    return f


def log1prel(order: int, x: Coefficient, l0: Any) -> list[Any]:
    """ℓ(x) = log(1 + x)/x from l0 = log(1 + x): ℓ_k = (−1)^k ∫_0^1 s^k (1 + xs)^{−k−1} ds.

    Upward, x ℓ_k = (−1)^{k+1}/(k (1+x)^k) − ℓ_{k−1}, where Re x < −½ or |x| is large; between, by Gauss's
    quadrature of the integral, whose integrand has one sign for real x.
    """
    nodes, weights = np.polynomial.legendre.leggauss(56)
    safe = np.where(x == 0, 1.0, x)
    f = [np.where(x == 0, 1.0, l0 / safe)]
    inverse = 1 / (1 + x)
    power: Any = 1.0
    for k in range(1, order + 1):
        power = power * -inverse
        upward = (-power / k - f[-1]) / safe
        near = (np.real(x) > -0.5) & (np.abs(x) < 4.0 + k)
        z = np.where(near, x, 0.0)
        total: Any = 0.0
        for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            s = 0.5 * (node + 1)
            step = 1 / (1 + s * z)
            total = total + (0.5 * weight) * step * (s * step) ** k
        f.append(np.where(near, -total if k % 2 else total, upward))
    return f


# ── inverse functions ────────────────────────────────────────────────────────────────────────────


def revert(order: int, y0: Coefficient, outer: Coefficients) -> list[Any]:
    """The Taylor coefficients g_n of the inverse of f at f(y_0), from those of f at y_0.

    With d = g − y_0:  f_1 d_1 = 1  and  f_1 d_n = −Σ_{m=2}^{n} f_m (d^m)_n  (Knuth, TAOCP vol. 2, 4.7, algorithm N).
    """
    d: list[Any] = [1 / outer[1]]  # d_1, d_2, …
    for n in range(2, order + 1):
        # (d^m)_n for m ≥ 2 holds d_1 … d_{n−1} only
        power, total = list(d), 0
        for m in range(2, n + 1):
            # power becomes (d^m)_{m}, (d^m)_{m+1}, …
            power = [series.convolve(d, power, i) for i in range(n - m + 1)]
            total = total + outer[m] * power[-1]
        d.append(-total / outer[1])
    return [y0, *d[:order]]
