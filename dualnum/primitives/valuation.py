"""Roots, powers and moduli of a series that begins with zeros, by its valuation.

Where u_0 = 0 the recurrences divide by zero. There u = t^v w with w_0 ≠ 0, v being the valuation of u,
and u^p = t^{pv} w^p can often be told exactly: √(t⁴ + …) = t² √(1 + …). Which v it is differs from
element to element, so these rules try all that occur; they are mends (see `table.Mend`), run only where some
u_0 is 0. A series without any nonzero coefficient up to order K may
still go on with t^{K+1}: coefficients of its root from degree p(K+1) on cannot be known and are NaN (but
for coefficient 1 of a square root, whose symmetric subgradient is 0 whatever follows).
"""

from collections.abc import Callable, Sequence
from functools import reduce
from math import ceil, inf, nan
from typing import Any

import numpy as np

from .. import series
from ..algebra import NotGraded, Part
from ..backend import occurs
from ..kinds import Coefficient
from .mends import without_rule
from .table import Mend

__all__ = ["edge", "hypot", "modulus", "power"]

Coefficients = Sequence[Any]


def _by_valuation(
    order: int,
    y0: Coefficient,
    operands: Sequence[Coefficients],
    expansion: Callable[[int], Sequence[Any]],
    unknown: float = inf,
) -> list[Any]:
    """expansion(v) at the elements where v is the lowest degree that occurs in the operands.

    Else zeros, and NaN from degree `unknown` on.
    """
    y: Sequence[Any] = [y0, *(0.0 if k < unknown else nan for k in range(1, order + 1))]
    open_: Any = True  # the elements without a coefficient so far
    for v in range(1, max(map(len, operands))):
        begins: Any = False
        for u in operands:
            begins = np.logical_or(begins, _is_there(series.coefficient(u, v)))
        here = np.logical_and(open_, begins)
        if occurs(here):
            try:
                y = series.select(order, y0, here, expansion(v), y)
            except NotGraded as error:
                without_rule(here, error)
        open_ = np.logical_and(open_, np.logical_not(begins))
    return list(y)


def _is_there(c: Coefficient) -> Any:
    """Where a coefficient is not zero; of a homogeneous part, any of its terms."""
    if not isinstance(c, Part):
        return np.not_equal(c, 0)
    return reduce(np.logical_or, (np.not_equal(a, 0) for a in c.terms.values()), np.False_)


def _sign(c: Coefficient) -> Any:
    """The sign of a coefficient; of a part like c·(t_1 + t_2)², all of whose terms have one, that of the first."""
    if not isinstance(c, Part):
        return np.sign(c)
    sign: Any = 0.0
    for a in reversed(c.terms.values()):
        sign = np.where(np.equal(a, 0), sign, np.sign(a))
    return sign


def _shifted(order: int, by: int, known: int, tail: Sequence[Any]) -> list[Any]:
    """t^by · tail, whose coefficients above degree `known` cannot be known: NaN."""
    tail = [*tail, *[0.0] * (known + 1 - len(tail))]
    y = [*[0.0] * by, *tail[: known + 1]]
    return [*y, *[nan] * (order + 1 - len(y))][: order + 1]


def power(
    order: int, y0: Coefficient, u: Coefficients, p: float, of_unit: Callable[[int, Coefficients], Sequence[Any]]
) -> list[Any]:
    """u^p for p > 0 where u_0 = 0, from `of_unit`, which gives w^p for a series w with w_0 ≠ 0.

    With e = p·v: t^e w^p if e is a whole number; but (t^v)^p = |t|^e if v is even and e odd, whose
    one-sided expansions differ in sign: their mean 0 stands in, the symmetric subgradient. If e is no
    whole number: 0 below degree e, and ±inf above (as t → 0 from the side where u > 0).
    """

    def expansion(v: int) -> Sequence[Any]:
        e = p * v
        if e != int(e):
            smooth = min(order + 1, ceil(e))
            # the sign of the k-th derivative of t^e, and of (−t)^e
            size = [inf if (k - smooth) % 2 == 0 else -inf for k in range(smooth, order + 1)]
            mirrored = [s if k % 2 == 0 else -s for k, s in enumerate(size, smooth)]
            # an even power of t has the sign of u_v on both sides, where w^p is real or NaN
            left = mirrored if v % 2 else [s * np.sign(of_unit(0, u[v : v + 1])[0]) for s in size]
            return [*[0.0] * smooth, *(series.chosen(u[v] > 0, s, m) for s, m in zip(size, left, strict=True))]
        if v % 2 == 0 and e % 2:
            negative = _sign(u[v]) < 0
            return [series.chosen(negative, nan, 0.0) if occurs(negative) else 0.0] * (order + 1)
        tail = of_unit(order - v, u[v:]) if len(u) > v + 1 else of_unit(0, u[v:])
        return _shifted(order, int(e), order - v, tail)

    # coefficients past the end are exact zeros: then u is the function 0
    unknown = inf if len(u) <= order else max(p * (order + 1), 1.5 if p == 0.5 else 0.0)
    return _by_valuation(order, y0, [u], expansion, unknown)


def hypot(order: int, y0: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """√(u² + v²) where u_0 = v_0 = 0: t^m √(û² + v̂²) for an even valuation m, and the subgradient 0 else."""

    def expansion(m: int) -> Sequence[Any]:
        if m % 2:
            return [0.0] * (order + 1)
        a, b = ([*w[m:], 0.0][: max(1, len(w) - m)] for w in (u, v))
        r0 = np.hypot(a[0], b[0])
        tail = series.hypot(order - m, r0, a, b) if len(a) > 1 or len(b) > 1 else [r0]
        return _shifted(order, m, order - m, tail)

    return _by_valuation(order, y0, [u, v], expansion)


def modulus(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """|u| where u_0 = 0: ±u for an even valuation (|t²| = t²), and the subgradient 0 else."""
    if np.iscomplexobj(u[0]):
        return hypot(order, y0, [np.real(a) for a in u], [np.imag(a) for a in u])

    def expansion(v: int) -> Sequence[Any]:
        sign = 0.0 if v % 2 else _sign(u[v])
        return [y0, *(sign * u_k for u_k in u[1:])]

    return _by_valuation(order, y0, [u], expansion)


# ── infinite slopes ──────────────────────────────────────────────────────────────────────────────


def edge(odd: float, even: float) -> Mend:
    """At the ends ±1 of the domain of an odd function whose derivatives are infinite there, one-sided from inside.

    Args:
        odd, even: the infinities that derivatives of odd and of even orders have at 1.
    """

    def rule(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
        left = np.where(np.real(u[0]) < 0, -1.0, 1.0)
        outer = [y0, *(odd if n % 2 else even * left for n in range(1, order + 1))]
        return series.compose_safely(order, outer, u)

    return Mend(lambda value, u: (np.abs(u) == 1) & (value == value), rule)
