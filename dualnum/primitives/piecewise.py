"""Piecewise functions: a branch is chosen on values, element by element.

At a kink a subgradient stands in, as documented per row: 0 for abs (the symmetric one, as PyTorch and
autograd have it), equal shares for ties of maximum and minimum (as JAX). `dualnum.nonsmooth("raise")`
reports such elements instead.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy._core import umath

from .. import series
from ..kinds import Coefficient
from . import valuation
from .table import Mend, linear, recurrence, zero

Coefficients = Sequence[Any]


def _absolute(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    """|u|: sign(u_0) u_k; of a complex u the modulus of a function of a real t."""
    if np.iscomplexobj(u[0]):
        return series.hypot(order, value, [np.real(a) for a in u], [np.imag(a) for a in u])
    return series.combination(value, (np.sign(u[0]), u))


def _extremum(first: Callable[..., Any]) -> Callable[..., list[Any]]:
    """The coefficients of the operand that is chosen; of equal ones the mean (the value is never in doubt)."""

    def rule(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
        chosen = series.select(order, value, first(u[0], v[0]), u, v)
        mean = [value, *(0.5 * (series.coefficient(u, k) + series.coefficient(v, k)) for k in range(1, len(chosen)))]
        return series.select(order, value, u[0] == v[0], mean, chosen)

    return rule


def _or_nan(first: Callable[..., Any]) -> Callable[..., Any]:
    """maximum and minimum take a NaN where there is one."""
    return lambda a, b: first(a, b) | np.isnan(a)


def _or_number(first: Callable[..., Any]) -> Callable[..., Any]:
    """fmax and fmin take the number where there is one."""
    return lambda a, b: first(a, b) | np.isnan(b)


def _clip(order: int, value: Coefficient, u: Coefficients, low: Coefficients, high: Coefficients) -> list[Any]:
    """min(max(u, low), high); inside and on the bounds the derivative is that of u."""
    inside = series.select(order, value, u[0] < low[0], low, u)
    return series.select(order, value, np.maximum(u[0], low[0]) > high[0], high, inside)


def _floored(value: Coefficient, a: Coefficient, b: Coefficient) -> Any:
    """What remainder takes away, with its sign."""
    return -np.floor_divide(a, b)


def _truncated(value: Coefficient, a: Coefficient, b: Coefficient) -> Any:
    """What fmod takes away: trunc(a/b) would be one too many where a/b is rounded up to a whole number."""
    return -np.rint((a - value) / b)


def _divmod(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> tuple[list[Any], list[Any]]:
    return [value[0]], series.combination(value[1], (1, u), (_floored(value[1], u[0], v[0]), v))


def _modf(order: int, value: Coefficient, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """The fractional part moves with u; the whole part does not."""
    return [value[0], *u[1:]], [value[1]]


def _frexp(order: int, value: Coefficient, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """u = m 2^e: m_k = u_k 2^{−e}; the exponent is a plain integer."""
    return [value[0], *(np.ldexp(u_k, -value[1]) for u_k in u[1:])], [value[1]]


def _ldexp(order: int, value: Coefficient, u: Coefficients, e: Coefficients) -> list[Any]:
    return [value, *(np.ldexp(u_k, e[0]) for u_k in u[1:])]


def _heaviside(order: int, value: Coefficient, u: Coefficients, at_zero: Coefficients) -> list[Any]:
    """Constant in u; at u_0 = 0 it is the second operand."""
    return series.select(order, value, u[0] == 0, at_zero, [0])


def _at_zero(u: Coefficient, *others: Any) -> Any:
    return u == 0


def _is_whole(u: Coefficient) -> Any:
    return u == np.rint(u)


def _tie(a: Coefficient, b: Coefficient) -> Any:
    return a == b


def _squared_modulus(u: Coefficient) -> Any:
    return np.square(np.real(u)) + np.square(np.imag(u)) if np.iscomplexobj(u) else np.square(u)


def _modulus_of_squares(u: Coefficient, sign: int, zero: Any) -> Any:
    return +u if sign > 0 else -u


_MODULUS: dict[str, Any] = {
    "kink": _at_zero, "mend": Mend(_at_zero, valuation.modulus), "even": _squared_modulus,
    "of_squares": _modulus_of_squares,
}  # fmt: skip
recurrence(np.absolute, _absolute, **_MODULUS)
linear(np.fabs, lambda value, u: np.sign(u), **_MODULUS)
recurrence(np.maximum, _extremum(_or_nan(np.greater)), kink=_tie)
recurrence(np.minimum, _extremum(_or_nan(np.less)), kink=_tie)
recurrence(np.fmax, _extremum(_or_number(np.greater)), kink=_tie)
recurrence(np.fmin, _extremum(_or_number(np.less)), kink=_tie)
recurrence(
    umath.clip, _clip,  # type: ignore[attr-defined]
    sample=((-3.0, 3.0), (-1.0, -0.5), (0.5, 1.0)),
    kink=lambda a, low, high: (a == low) | (a == high),
)  # fmt: skip
linear(np.copysign, lambda value, a, b: np.copysign(1.0, a) * np.copysign(1.0, b), 0, kink=_at_zero)
linear(np.nextafter, 1, 0)
recurrence(np.ldexp, _ldexp, sample=((-3.0, 3.0), (-2, 3)))
recurrence(np.frexp, _frexp, sample=(0.6, 3.0))
recurrence(np.modf, _modf, kink=_is_whole)
linear(np.remainder, 1, _floored, sample=((-3.0, 3.0), (0.7, 2.0)), kink=lambda a, b: np.remainder(a, b) == 0)
linear(
    np.fmod, 1, _truncated, sample=((-3.0, 3.0), (0.7, 2.0)),
    kink=lambda a, b: np.fmod(a, b) == 0,
)  # fmt: skip
recurrence(np.divmod, _divmod, sample=((-3.0, 3.0), (0.7, 2.0)), kink=lambda a, b: np.remainder(a, b) == 0)
recurrence(np.heaviside, _heaviside, kink=_at_zero)
zero(np.sign, kink=_at_zero)
zero(np.floor, kink=_is_whole)
zero(np.ceil, kink=_is_whole)
zero(np.trunc, kink=lambda u: _is_whole(u) & (u != 0))
zero(np.rint, kink=lambda u: u - np.floor(u) == 0.5)
zero(np.floor_divide, sample=((-3.0, 3.0), (0.7, 2.0)), kink=lambda a, b: np.remainder(a, b) == 0)
zero(np.spacing)
