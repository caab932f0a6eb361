"""Exact Taylor coefficients, and the measure of accuracy, for tests of anything.

Nothing here knows dualnum's recurrences: the coefficients of t ↦ f(x0 + t) are Cauchy's integrals

    c_k = (1/2πi) ∮ f(z) dz/(z − x0)^{k+1}

over a circle well inside the disc of convergence, by the n-point trapezoidal rule (a discrete Fourier
transform) over values from mpmath. On a circle of 2^−s times the radius of convergence the rule is
exact to 2^−sn (Trefethen & Weideman, "The exponentially convergent trapezoidal rule",
SIAM Review 56, 2014). Both that error and the rounding are estimated, and s and the precision raised
until 30 digits are right.

The values are what takes the time, and the precision in which they are asked for: so there are no more
points than coefficients need, the circle is no smaller than n of them allow, and the tests share what
they have asked for once. The estimates are whole powers of two, and the circle's radius is one.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf
from mpmath.libmp import to_fixed

__all__ = ["coefficients", "edge_grid", "error", "jet_of", "sensitivity", "worst"]

_DIGITS = 30  # correct digits asked of every coefficient (float64 has 16, longdouble 19)
FLOOR = 345  # below 10^−FLOOR nothing is told from zero (the smallest float64 is 5e-324)
_BIT = math.log2(10)  # bits of a decimal digit
_NONE = -(10**400)  # log2 of zero; all the estimates are integers, as e^{1e300} is too large for floats of them
_LOST = 24  # bits by which values of f may be wrong; what cancels more asks for digits to spare itself


def coefficients(
    f: Callable[[Any], Any], x0: Any, order: int, radius: Any = mpmath.inf, floor: float = FLOOR
) -> list[Any]:
    """[c_0, …, c_order] of f(x0 + t), each correct to 30 digits (or to 10^−floor in absolute terms).

    Args:
        f: an analytic function of one mpmath number; it is called at points around x0 on the complex
            plane, at the precision in force. Its series must not begin with more than `order` zeros.
        x0: the point, a float or complex (taken exactly) or an mpmath number.
        order: the highest coefficient; ask for one more than the jet's order where `error` is to use it.
        radius: distance from x0 to the nearest singularity of f or of its branch; a smaller number is
            as good, and inf will do for entire functions.
        floor: for tests with an absolute tolerance; telling zeros from tiny numbers takes digits.

    Returns:
        mpf (mpc for complex x0 or where f is not real on the real line).
    """
    x0, entire = _mp(x0), mp.isinf(mpf(radius))
    log_radius = 0.0 if entire else float(mp.log(mpf(radius), 2))
    decay = math.factorial(order).bit_length() if entire else 0  # c_k is about 1/k!
    n = order + 2 + order % 2
    wanted = math.ceil(_DIGITS * _BIT) + _LOST + n.bit_length() + decay + 32
    shrink = -(-wanted // n)
    bits = wanted + (shrink + 1) * order
    for _ in range(8):
        e = shrink - math.floor(log_radius)  # the circle has the radius 2^−e
        c, size, noise = _cauchy(f, x0, order, n, e, bits)
        known = _above(noise, size)
        alias = _alias(known, log_radius, e, n)
        known = _above(alias, known)
        alias = _alias(known, log_radius, e, n, _growth(known, log_radius))
        known = _above(alias, known)
        # a rounding of x0 itself is allowed for in every measure, so zeros of c_k need no digits
        moved = [_log2(x0) + (k + 1).bit_length() - 1 + a for k, a in enumerate([*known[1:], _NONE])]
        least = -math.floor(floor * _BIT)
        goal = [max(a - 102, b - 102, least) for a, b in zip(known, moved, strict=True)]
        rough = max(a - b for a, b in zip(noise, goal, strict=True))
        folded = max(a - b for a, b in zip(alias, goal, strict=True))
        if rough <= 0 and folded <= 0:
            return c
        more = max(0, -(-folded // n))
        shrink += more
        bits += 16 + more * (order + 1) + max(0, rough)
        if bits > 1 << 16:
            break
    raise ArithmeticError(
        f"no {_DIGITS} digits of the coefficients at {x0}: is f analytic there, and the radius right?"
    )


def _mp(x: Any) -> Any:
    """x exactly."""
    if isinstance(x, (mpf, mpc)):
        return x
    if isinstance(x, (complex, np.complexfloating)):
        return mpc(_mp(x.real), _mp(x.imag))
    if isinstance(x, np.longdouble):
        mantissa, exponent = np.frexp(x)
        return mp.ldexp(int(np.ldexp(mantissa, 64)), int(exponent) - 64) if np.isfinite(x) else mpf(float(x))
    return mpf(float(x))


def _log2(x: Any) -> int:
    """A whole number that log2|x| does not exceed, and is less than 2 below."""
    return int(mp.mag(x)) if x else _NONE


@cache
def _roots(n: int, bits: int) -> tuple[list[Any], list[tuple[int, int]]]:
    """The n-th roots of unity, and the same in fixed point."""
    with mp.workprec(bits):
        roots = [mp.expjpi(mpf(2) * j / n) for j in range(n)]
        return roots, [_fixed(w, bits) for w in roots]


def _fixed(x: Any, bits: int) -> tuple[int, int]:
    """Real and imaginary part in units of 2^−bits."""
    return to_fixed(mp.re(x)._mpf_, bits), to_fixed(mp.im(x)._mpf_, bits)


def _cauchy(f: Callable[[Any], Any], x0: Any, order: int, n: int, e: int, bits: int) -> Any:
    """The coefficients from n points on a circle of radius 2^−e, and log2 of their sizes and rounding errors."""
    spread = max(0, _log2(x0) + e)  # so that x0 + r is no rounding of x0
    step = 1 << max(6, bits.bit_length() - 4)
    bits = -(-bits // step) * step  # few precisions, for what is kept by precision
    with mp.workprec(bits + spread):
        circle = [x0 + mp.ldexp(1, -e) * w for w in _roots(n, bits)[0]]
        values = [mp.mpmathify(f(z)) for z in circle[: n // 2 + 1]]
        real = not isinstance(x0, mpc) and not (mp.im(values[0]) or mp.im(values[-1]))
        if not real:
            values += [mp.mpmathify(f(z)) for z in circle[n // 2 + 1 :]]
    # fixed point, where the sums of the transform are sums of integers
    top = max(_log2(part) for v in values for part in (mp.re(v), mp.im(v)))
    fixed = [_fixed(v, bits - top) if v else (0, 0) for v in values]
    turns = _roots(n, bits)[1]
    c, size = [], []
    for k in range(order + 1):
        re, im = _real_sum(fixed, turns, k, n) if real else _sum(fixed, turns, k, n)
        unit = top - 2 * bits + e * k
        with mp.workprec(bits):
            c.append(mp.ldexp(mpf(re) / n, unit) if real else mp.ldexp(1, unit) * mpc(re, im) / n)
        size.append(max(abs(re), abs(im)).bit_length() + unit - n.bit_length() + 1 if re or im else _NONE)
    noise = [_LOST + n.bit_length() + top - bits + e * k for k in range(order + 1)]
    return c, size, noise


def _sum(values: Any, turns: Any, k: int, n: int) -> tuple[int, int]:
    """Σ_j v_j w^−jk, in units of the two together."""
    re = im = 0
    for j, (a, b) in enumerate(values):
        p, q = turns[-j * k % n]
        re += a * p - b * q
        im += a * q + b * p
    return re, im


def _real_sum(values: Any, turns: Any, k: int, n: int) -> tuple[int, int]:
    """The same where v_{n−j} is the conjugate of v_j, from the first half."""
    half = 0
    for j in range(1, n // 2):
        (a, b), (p, q) = values[j], turns[-j * k % n]
        half += a * p - b * q
    ends = values[0][0] + (-values[-1][0] if k % 2 else values[-1][0])
    return 2 * half + ends * turns[0][0], 0


def _above(errors: list[int], size: list[int]) -> list[int]:
    """The sizes of what is not lost in its error."""
    return [a if a > b + 5 else _NONE for a, b in zip(size, errors, strict=True)]


def _alias(size: list[int], log_radius: float, e: int, n: int, growth: int = 0) -> list[int]:
    """log2 of bounds of c_{k+n} rⁿ, which the rule takes for a part of c_k."""
    order = len(size) - 1
    ahead = max(a + math.ceil(k * log_radius) for k, a in enumerate(size)) + 8
    return [
        ahead + growth * (k + n - order) - math.floor(k * log_radius + n * (e + log_radius)) for k in range(order + 1)
    ]


def _growth(size: list[int], log_radius: float) -> int:
    """By how much |c_k Rᵏ| grows from one k to the next, and will go on to grow: as it does at the end."""
    scaled = [a + math.ceil(k * log_radius) for k, a in enumerate(size)]
    quarter = len(size) // 4
    if quarter == 0 or max(size[-2 * quarter : -quarter]) == _NONE:
        return 0
    return max(0, -((max(scaled[-2 * quarter : -quarter]) - max(scaled[-quarter:])) // quarter))


def sensitivity(f: Callable[..., list[Any]], *points: Any) -> list[Any]:
    """Σ_i |x_i ∂c_k/∂x_i|: what relative roundings of the inputs do to each coefficient of f(*points).

    For functions of several arguments and for compositions; give it to `error` as `slack`.
    """
    base = f(*map(_mp, points))
    slack = [mpf(0)] * len(base)
    with mp.workdps(mp.dps + 60):
        h = mpf(10) ** -12  # far above the errors of c (30 digits), far below what matters
        for i, x in enumerate(points):
            moved = [_mp(p) * (1 + h) if j == i else _mp(p) for j, p in enumerate(points)]
            if x:
                slack = [s + abs(b - a) / h for s, a, b in zip(slack, base, f(*moved), strict=True)]
    return slack


def error(
    c_hat: Any, c: Sequence[Any], x0: Any = 0.0, eps: float | None = None, slack: Sequence[Any] | None = None
) -> np.ndarray:
    """E_k = |ĉ_k − c_k| / (eps (k+1) (|c_k| + |x0| (k+1) |c_{k+1}|)) for k = 0 … len(c_hat)−1.

    Where c_k overflows the type, ĉ_k must be ±inf of its sign; differences up to the smallest normal
    number count as none; NaN (where c_k is not) counts as inf.

    Args:
        c_hat: computed coefficients of one element, an array of a real or complex type.
        c: exact ones; one more than c_hat for the second term (without it that term is 0 at the end).
        x0: the point.
        eps: the type's own when left out.
        slack: in place of |x0| (k+1) |c_{k+1}|, see `sensitivity`.
    """
    c_hat = np.asarray(c_hat)
    info = np.finfo(c_hat.dtype)
    eps_ = mpf(float(info.eps if eps is None else eps))
    tiny, huge = max(_mp(info.tiny), mpf(10) ** (5 - FLOOR)), _mp(info.max)
    errors = []
    for k, a in enumerate(c_hat):
        exact = c[k]
        if slack is not None:
            free = slack[k]
        else:
            free = abs(_mp(x0)) * (k + 1) * abs(c[k + 1]) if k + 1 < len(c) else mpf(0)
        unit = eps_ * (k + 1) * (abs(exact) + free)
        if np.isnan(a):
            errors.append(0.0 if mp.isnan(exact) else np.inf)
        elif np.isinf(a):
            far = abs(exact) + 8 * unit >= huge
            errors.append(0.0 if far and _same_side(a, exact, 8 * unit) else np.inf)
        else:
            gap = abs(_mp(a) - exact)
            errors.append(0.0 if gap <= tiny else float(gap / unit) if unit else np.inf)
    return np.array(errors)


def _same_side(a: Any, exact: Any, unit: Any) -> bool:
    if isinstance(exact, mpc) or np.iscomplexobj(a):
        return True
    return bool((a > 0) == (exact > 0) or abs(exact) < unit)


def worst(c_hat: Any, c: Sequence[Any], x0: Any = 0.0, **kwargs: Any) -> float:
    """max_k E_k."""
    return float(error(c_hat, c, x0, **kwargs).max())


def jet_of(f: Callable[[Any], Any], x0: Any, order: int) -> np.ndarray:
    """The coefficients that dualnum computes for f(x0 + t), shape (order+1,) for a scalar x0."""
    import dualnum as dn

    with np.errstate(all="ignore"):
        return np.array(f(dn.jet(x0, order=order)).coeffs)


# ── where functions are tested ───────────────────────────────────────────────────────────────────

_EDGES = (
    0.0, 5e-324, 1e-300, 1e-160, 1e-20, 1e-8, 2.0**-12, 0.1, 0.5, 0.9, 1 - 2.0**-40, 1 - 2.0**-53, 1.0, 1 + 2.0**-52,
    1 + 2.0**-40, 1.1, np.pi / 2, np.nextafter(np.pi / 2, 2), np.nextafter(np.pi / 2, 1), 1.57, 2.0, np.pi,
    np.nextafter(np.pi, 4), np.nextafter(np.pi, 3), 3 * np.pi / 2, 5.0, 5.9, 6.5, 9.0, 18.7, 20.0, 22.5, 26.6, 27.3,
    36.7, 40.0, 88.5, 100.0, 354.9, 355.3, 370.0, 709.7, 709.8, 710.0, 710.4, 710.5, 715.0, 745.0, 745.2, 750.0,
    1023.9, 1024.0, 1074.0, 1e4, 1e8, 1e16, 1e20, 1e100, 1e154, 1.4e154, 1e160, 1e200, 1e300,
)  # fmt: skip
_EDGES_32 = (
    0.0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-10, 1e-4, 0.1, 0.5, 1 - 2.0**-24, 1.0, 1 + 2.0**-23, 1.1, 1.5707963, 1.5707964,
    2.0, 3.1415925, 3.1415927, 4.0, 6.5, 9.1, 17.0, 44.3, 44.5, 88.7, 88.8, 89.5, 103.0, 104.0, 127.9, 128.0, 149.0,
    1e4, 1e10, 1e18, 1e19, 1e20, 1e30, 3e38,
)  # fmt: skip


def edge_grid(dtype: Any = np.float64, domain: tuple[float, float] = (-np.inf, np.inf)) -> np.ndarray:
    """The hard points of both signs inside the open interval `domain`, ascending, as the given type.

    Zero, the smallest numbers, both sides of 1 to the last bit, π/2 and π from both sides, the points
    where exp, sinh, tanh and erf saturate or overflow, and huge numbers.
    """
    dtype = np.dtype(dtype)
    edges = _EDGES_32 if np.finfo(dtype).bits <= 32 else _EDGES
    points = np.array(edges, dtype)
    points = np.unique(np.concatenate([-points, points]))
    return points[(points > domain[0]) & (points < domain[1])]
