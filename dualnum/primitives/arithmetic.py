"""Arithmetic: sums, products, quotients, powers and roots."""

import operator
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from .. import series
from ..backend import is_array, to_device
from ..kinds import Coefficient, DType
from . import rescale, valuation
from .table import POSITIVE, REAL, Mend, linear, recurrence

Coefficients = Sequence[Any]


linear(np.add, 1, 1)
linear(np.subtract, 1, -1)
# sums that a derivative would form twice over
recurrence(np.multiply, series.multiply)
recurrence(np.divide, series.divide, sample=((-3.0, 3.0), (0.5, 3.0)))
recurrence(np.square, series.square)
recurrence(np.reciprocal, series.reciprocal, sample=(0.5, 3.0))
linear(np.positive)
linear(np.negative)
linear(np.conjugate)


# ── roots ────────────────────────────────────────────────────────────────────────────────────────


def _cbrt(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    """y' = u'/(3 y²), with u^{−2/3} by its own value, for either sign of u_0."""
    slope = series.power(order - 1, 1 / (value * value), u[:order], -2 / 3)
    return series.integral(order, value, (u, [s / 3 for s in slope]))


def _at_zero(value: Coefficient, *u: Any) -> Any:
    return value == 0


def _sqrt_at_zero(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    return valuation.power(order, value, u, 0.5, lambda order, w: series.sqrt(order, np.sqrt(w[0]), w))


def _cbrt_at_zero(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    return valuation.power(order, value, u, 1 / 3, lambda order, w: _cbrt(order, np.cbrt(w[0]), w))


def _root_of_squares(u: Coefficient, sign: int, zero: Any) -> Any:
    """A modulus, with the subgradient 0 at its zeros."""
    if sign < 0:
        return np.where(zero, 0.0, np.sqrt(np.where(zero, -1.0, u)))
    root: Any = np.where(zero, 0.0, np.sqrt(np.where(zero, 1.0, u)))
    return root._remembering(u)


recurrence(
    np.sqrt, series.sqrt, domain=POSITIVE, sample=(0.1, 4.0), mend=Mend(_at_zero, _sqrt_at_zero),
    even=lambda u: +u, of_squares=_root_of_squares,
)  # fmt: skip
recurrence(np.cbrt, _cbrt, sample=(0.1, 4.0), mend=Mend(_at_zero, _cbrt_at_zero))
_hypot_rescaled = rescale.rescaled(series.hypot)


def _hypot_near_zero(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    at_zero = valuation.hypot(order, value, u, v)
    return series.select(order, value, value == 0, at_zero, _hypot_rescaled(order, value, u, v))


recurrence(
    np.hypot, series.hypot, kink=lambda a, b: (a == 0) & (b == 0),
    mend=Mend(lambda value, u, v: rescale.is_small(value), _hypot_near_zero),
    even=lambda u, v: np.square(u) + np.square(v), special=((3e-5, -4e-5), (0.0, 2.0)),
)  # fmt: skip


# ── powers ───────────────────────────────────────────────────────────────────────────────────────


def _number(p: Coefficient) -> Any:
    """p as a Python number where it is one number known now, an int where it is integral; else None."""
    if is_array(p):
        if p.ndim or p.dtype.kind not in "biufc":
            return None
        p = p.item()
    try:
        return operator.index(p)
    except TypeError:
        if not isinstance(p, (float, complex)):
            return None
    return int(p) if isinstance(p, float) and p.is_integer() else p


def _constant_power(order: int, value: Coefficient, u: Coefficients, p: Coefficient) -> list[Any]:
    """y = u^p for one number p known now."""
    if isinstance(p, int):
        if p >= 0:
            return series.integer_power(order, value, u, p)
        # powers of 1/u: its coefficients alternate in sign, so their products do not cancel
        return series.integer_power(order, value, series.reciprocal(order, 1 / u[0], u), -p)
    return _descend(order, value, u, p)


def _descend(order: int, value: Coefficient, u: Coefficients, p: Coefficient) -> list[Any]:
    """y' = p u^{p−1} u' down to the first exponent below zero, then the recurrence of the power.

    Each level has a value of its own, so a coefficient is finite where it should be although others overflow
    or underflow (x^1.5 at 1e−300 and at 1e250).
    """
    if order == 0 or len(u) == 1:
        return [value]
    if np.real(p) < 0:
        return series.power(order, value, u, p)
    slope = _descend(order - 1, _raised(u[0], p - 1), u[:order], p - 1)
    return series.integral(order, value, (u, [p * s for s in slope]))


_BY_PRODUCTS = 8  # the largest exponent that is reached by products


def _raised(x: Coefficient, p: Coefficient) -> Any:
    """x^p; for a moderate p by products from the lowest power, which neither overflows nor underflows.

    (Then one function of libm serves all levels. What p is decides, not the order: see `series`.)
    """
    if not 0 <= np.real(p) <= _BY_PRODUCTS:
        return np.power(x, p)
    return np.where(x == np.inf, x, x * _raised(x, p - 1))


def _elementwise_power(order: int, value: Coefficient, u: Coefficients, p: Any) -> list[Any]:
    """An array of constant exponents, decided per element: integral ones by repeated multiplication."""
    # the exponent of the slope is p − 1, so that its own value at u_0 = 0 is right
    slope = series.power(order - 1, np.power(u[0], p - 1), u[:order], p - 1)
    y = series.integral(order, value, (u, [p * s for s in slope]))
    if getattr(p, "value", p) is not p:  # it moves with an outer derivative: products would hold it still
        return y
    for n in _distinct(p):
        if not (np.isfinite(n) and n == np.floor(n)):
            continue
        by_products = _constant_power(order, value, u, int(n))
        here = p == n
        y = series.select(order, value, here, by_products, y)
    return y


def _distinct(p: Coefficient) -> Any:
    """The exponents that occur, which are looked at: on a device as well."""
    return to_device(np.unique(np.real(p)), "cpu")


def _power(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """y = u^v: by the kind of the exponent, or e^{v log u} where it varies.

    Of u_0 = 0 with both moving, y_k is that of u^{v_0} for k ≤ v_0, u_1^k where v_0 = k and 0 below; from
    v_0 + 1 on there are logarithms of t. Of u_0 < 0 there is no real y_k.
    """
    if len(v) == 1:
        p = _number(v[0])
        if p is not None:
            return _constant_power(order, value, u, p)
        return _elementwise_power(order, value, u, v[0])
    zero = u[0] == 0
    log_u = series.log(order, _chosen(zero, 0.0, np.log(_chosen(zero, 1.0, u[0]))), u)
    w0 = v[0] * log_u[0]
    y = series.exp(order, value, series.multiply(order, w0, v, log_u))
    if len(u) == 1:
        return y
    y[1] = np.where(zero, v[0] * np.power(u[0], v[0] - 1) * u[1], y[1])
    power = u[1]
    for k in range(2, order + 1):
        power = power * u[1]
        y[k] = np.where(zero & (np.real(v[0]) > k), 0.0, np.where(zero & (v[0] == k), power, y[k]))
    return y


def _power_of_unit(p: Coefficient, order: int, w: Coefficients) -> list[Any]:
    return _descend(order, np.power(w[0], p), w, p)


def _power_at_zero(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """u^v where u_0 = 0 and v_0 > 0 is no whole number, by the valuation of u."""
    if len(v) > 1:
        return _power(order, value, u, v)
    y = [value, *[0.0] * order]
    p = np.real(v[0])
    for p0 in _distinct(p):
        if not (p0 > 0 and p0 != np.floor(p0)):
            continue
        root = valuation.power(order, value, u, float(p0), partial(_power_of_unit, p0))
        y = series.select(order, value, p == p0, root, y)
    return y


def _power_slope(u: Coefficient, p: Coefficient) -> Any:
    """p u^{p−1} for constant exponents, 0 for those that are 0."""
    if type(p) is np.ndarray and p.nbytes <= _SHORT:
        return p * np.power(u, _lowered(p.tobytes(), p.shape, p.dtype))
    return p * np.power(u, _chosen(p == 0, 1, p - 1))


def _chosen(condition: Coefficient, x: Coefficient, y: Coefficient) -> Any:
    """np.where; of numbers a number, which goes with arrays on a device."""
    result: Any = np.where(condition, x, y)
    return result[()] if type(result) is np.ndarray else result


_SHORT = 1 << 10  # bytes of exponents that are kept


@lru_cache(maxsize=256)
def _lowered(data: bytes, shape: tuple[int, ...], dtype: DType) -> Any:
    """p − 1, and 1 for an exponent of 0."""
    p = np.frombuffer(data, dtype).reshape(shape)
    lower = np.where(p == 0, 1, p - 1)
    lower.flags.writeable = False
    return lower


_POWER: dict[str, Any] = {
    "slopes": (_power_slope, None),
    "domain": (POSITIVE, REAL),
    "sample": ((0.2, 3.0), (-2.0, 2.5)),
    "mend": Mend(lambda value, u, v: (u == 0) & (np.real(v) > 0) & (v != np.floor(np.real(v))), _power_at_zero),
}
recurrence(np.power, _power, **_POWER)
recurrence(np.float_power, _power, **_POWER)
