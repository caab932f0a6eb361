"""Exact Taylor coefficients, and the measure of accuracy, for tests of anything.

Nothing here knows dualnum's recurrences: the coefficients of t ↦ f(x0 + t) are Cauchy's integrals

    c_k = (1/2πi) ∮ f(z) dz/(z − x0)^{k+1}

over a circle well inside the disc of convergence, by the N-point trapezoidal rule (a discrete Fourier
transform) over values from mpmath. On a circle of 10^−s times the radius of convergence the rule is
exact to 10^−sN (Trefethen & Weideman, "The exponentially convergent trapezoidal rule",
SIAM Review 56, 2014). Both that error and the rounding are estimated, and s and the number of digits
raised until 30 digits are right.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf

__all__ = ["coefficients", "edge_grid", "error", "jet_of", "sensitivity", "worst"]

_SHRINK = 4  # the circle has 10^−_SHRINK of the radius of convergence, to begin with
_DIGITS = 30  # correct digits asked of every coefficient (float64 has 16, longdouble 19)
_FLOOR = 345  # below 10^−_FLOOR nothing is told from zero (the smallest float64 is 5e-324)


def coefficients(f: Callable[[Any], Any], x0: Any, order: int, radius: Any = mpmath.inf) -> list[Any]:
    """[c_0, …, c_order] of f(x0 + t), each correct to 30 digits (or to 1e-345 in absolute terms).

    Args:
        f: an analytic function of one mpmath number; it is called at points around x0 on the complex
            plane, at the precision in force.
        x0: the point, a float or complex (taken exactly) or an mpmath number.
        order: the highest coefficient; ask for one more than the jet's order where `error` is to use it.
        radius: distance from x0 to the nearest singularity of f or of its branch; a smaller number is
            as good, and inf will do for entire functions.

    Returns:
        mpf (mpc for complex x0 or where f is not real on the real line).
    """
    shrink = _SHRINK
    digits = 50 + shrink * (order + 2)
    x0 = _mp(x0)
    radius = mpf(1) if mp.isinf(mpf(radius)) else mpf(radius)
    for _ in range(8):
        with mp.workdps(digits + 10):
            c, noise, alias, n = _cauchy(f, x0, order, radius, shrink)
            # a rounding of x0 itself is allowed for in every measure, so zeros of c_k need no digits
            known = [abs(a) if abs(a) > 10 * (e + b) else 0 for a, e, b in zip(c, noise, alias, strict=True)]
            near = [a + abs(x0) * (k + 1) * b for k, (a, b) in enumerate(zip(known, [*known[1:], 0], strict=True))]
            goal = [max(a * mpf(10) ** -_DIGITS, mpf(10) ** -_FLOOR) for a in near]
            rough = max(e / g for e, g in zip(noise, goal, strict=True))
            folded = max(e / g for e, g in zip(alias, goal, strict=True))
            if rough <= 1 and folded <= 1:
                return c
            more = int(mp.ceil(mp.log10(folded) / n)) if folded > 1 else 0
            shrink += more
            digits += 5 + more * (order + 1) + (int(mp.ceil(mp.log10(rough))) if rough > 1 else 0)
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


@cache
def _roots(n: int, digits: int) -> list[Any]:
    return [mp.expjpi(mpf(2) * j / n) for j in range(n)]


def _cauchy(f: Callable[[Any], Any], x0: Any, order: int, radius: Any, shrink: int) -> Any:
    """The coefficients at the precision in force, bounds of their rounding errors and of c_{k+N} rᴺ, and N."""
    r = radius * mpf(10) ** -shrink
    digits = mp.dps
    spread = max(0, int(mp.ceil(mp.log10(abs(x0) / r)))) if x0 else 0  # so that x0 + r is no rounding of x0
    n = 2 * ((order + 8) // 2) + 2
    with mp.workdps(digits + spread):
        real = not isinstance(x0, mpc)
        roots = _roots(n, mp.dps)
        values = [f(x0 + r * w) for w in roots[: n // 2 + 1]]
        if real and all(mp.im(v) == 0 for v in (values[0], values[n // 2])):
            values += [mp.conj(v) for v in values[n // 2 - 1 : 0 : -1]]
        else:
            real = False
            values += [f(x0 + r * w) for w in roots[n // 2 + 1 :]]
    size = max(abs(v) for v in values)
    # fixed point, where the sums of the transform are sums of integers
    bits = mp.prec - mp.mag(size) if size else 0
    fixed = [(_fix(mp.re(v), bits), _fix(mp.im(v), bits)) for v in values]
    turns = [(_fix(mp.re(w), mp.prec), _fix(mp.im(w), mp.prec)) for w in roots]
    c, noise = [], []
    for k in range(order + 1):
        re = im = 0
        for j, (a, b) in enumerate(fixed):
            p, q = turns[-j * k % n]
            re += a * p - b * q
            if not real:
                im += a * q + b * p
        scale = mp.ldexp(1, -bits - mp.prec) / (n * r**k)
        c.append(re * scale if real else mpc(re * scale, im * scale))
        noise.append(100 * n * size * mp.eps / r**k)
    growth = max((abs(a) * radius**k for k, a in enumerate(c)), default=mpf(0))
    alias = [100 * growth / radius**k * (r / radius) ** n for k in range(order + 1)]
    return c, noise, alias, n


def _fix(x: Any, bits: int) -> int:
    return int(mp.nint(mp.ldexp(x, bits)))


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
    tiny, huge = max(_mp(info.tiny), mpf(10) ** (5 - _FLOOR)), _mp(info.max)
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
