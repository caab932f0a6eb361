"""Sums, products and means along axes, their running forms, and those that leave NaN out."""

from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..kinds import Axis, DType, Value
from ..operand import implements, library, linear, primal
from . import adjoints
from .arguments import into
from .keywords import axes_of, below, cast, of_number, of_reduction, present, real_dtype, with_value

__all__ = ["masked_mean", "without_nan"]

# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


@implements(np.sum)
def sum(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    keepdims: bool = False,
    initial: Value = None,
    where: Any = True,
) -> Any:
    a = cast(a, dtype)
    axis = of_reduction(axis, a.ndim)
    if where is not True and library(a) is not np:  # CuPy has no where=
        a, where = np.where(where, a, 0.0), True
    mask = {} if where is True else {"where": where}
    adjoint = adjoints.spread(axis, a.ndim, keepdims, where)
    result = linear(
        lambda x: x.sum(axis=axis, keepdims=keepdims, **mask),
        a,
        adjoint=adjoint,
        stacked=lambda xs: xs.sum(axis=below(axis, a.ndim), keepdims=keepdims, **mask),
    )
    return into(out, result if initial is None else result + initial, "sum")


@implements(np.cumsum)
def cumsum(a: Value, axis: Axis = None, dtype: DType = None, out: Value = None) -> Any:
    a = cast(a, dtype)
    result = linear(
        lambda x: np.cumsum(x, axis=axis),
        a,
        adjoint=adjoints.running_sum(axis, a.shape),
        stacked=None if axis is None else lambda xs: np.cumsum(xs, axis=axis if axis < 0 else axis + 1),
    )
    return into(out, result, "cumsum")


@implements(np.mean)
def mean(
    a: Value, axis: Axis = None, dtype: DType = None, out: Value = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    mask = {} if where is True else {"where": where}
    a = cast(a, dtype)
    count = _count(a, axis, keepdims, where)
    if where is not True and (library(a) is not np or np.any(count == 0)):
        return into(out, masked_mean(a, where, axis, keepdims), "mean")
    adjoint = adjoints.spread(axis, a.ndim, keepdims, where, count)
    result = linear(
        lambda x: x.mean(axis=axis, keepdims=keepdims, **mask),
        a,
        adjoint=adjoint,
        stacked=lambda xs: xs.mean(axis=below(axis, a.ndim), keepdims=keepdims, **mask),
    )
    return into(out, result, "mean")


def _count(a: Value, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many entries a mean is taken of."""
    if where is not True:
        return np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims, dtype=float)
    count = 1.0
    for i in axes_of(axis, a.ndim):
        count *= a.shape[i]
    return count


# ── products ─────────────────────────────────────────────────────────────────────────────────────


@implements(np.prod)
def prod(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    keepdims: bool = False,
    initial: Value = None,
    where: Any = True,
) -> Any:
    """By products of pairs, and of those: no division, so factors may be zero."""
    a = cast(a, dtype)
    axis = of_reduction(axis, a.ndim)
    if where is not True:
        a = np.where(where, a, 1.0)
    axes = axes_of(axis, a.ndim)
    factors = np.moveaxis(a, axes, range(len(axes)))
    rest = factors.shape[len(axes) :]
    factors = np.reshape(factors, (-1 if a.size else int(np.prod(factors.shape[: len(axes)])), *rest))
    result = with_value(_product(factors), np.prod(primal(a), axis=axis))
    if keepdims:
        result = np.expand_dims(result, axes)
    return into(out, result if initial is None else result * initial, "prod")


def _product(factors: Any) -> Any:
    """The product along the first axis, halving it again and again."""
    if factors.shape[0] == 0:
        return np.sum(factors, axis=0) + 1.0
    while (n := factors.shape[0]) > 1:
        half = n // 2
        pairs = factors[:half] * factors[half : 2 * half]
        factors = pairs if n % 2 == 0 else np.concatenate([pairs, factors[2 * half :]])
    return factors[0]


@implements(np.cumprod)
def cumprod(a: Value, axis: Axis = None, dtype: DType = None, out: Value = None) -> Any:
    """The products of the prefixes, by doubling their length: y_i ← y_{i−d} y_i, d = 1, 2, 4, …

    (Hillis & Steele, "Data parallel algorithms", CACM 29, 1986: about log₂ n products of whole arrays.)
    """
    a = cast(a, dtype)
    if axis is None or of_number(axis, a.ndim):
        a, axis = np.ravel(a), 0
    (axis,) = axes_of(axis, a.ndim)
    y = np.moveaxis(a, axis, 0)
    d = 1
    while d < y.shape[0]:
        y = np.concatenate([y[:d], y[:-d] * y[d:]])
        d *= 2
    y = np.moveaxis(y, 0, axis)
    return into(out, with_value(y, np.cumprod(primal(a), axis=axis)), "cumprod")


# ── running sums and products as the array API has them ──────────────────────────────────────────


@implements(*present("cumulative_sum"))
def cumulative_sum(
    x: Value, /, *, axis: Axis = None, dtype: DType = None, out: Value = None, include_initial: bool = False
) -> Any:
    return into(out, _running(np.cumsum, 0.0, cast(x, dtype), axis, include_initial), "cumulative_sum")


@implements(*present("cumulative_prod"))
def cumulative_prod(
    x: Value, /, *, axis: Axis = None, dtype: DType = None, out: Value = None, include_initial: bool = False
) -> Any:
    return into(out, _running(np.cumprod, 1.0, cast(x, dtype), axis, include_initial), "cumulative_prod")


def _running(function: Any, first: float, x: Value, axis: Axis, include_initial: bool) -> Any:
    """function(x) along the axis, with the value of no terms at all in front if that is wanted."""
    if axis is None:
        if x.ndim > 1:
            raise InvalidValue(
                f"{function.__name__}: axis is None and the array has {x.ndim} axes; "
                "expected an axis, or an array with one"
            )
        axis = 0
    x = np.atleast_1d(x)
    result = function(x, axis=axis)
    if include_initial:
        shape = list(x.shape)
        shape[axis] = 1
        result = np.concatenate([library(x).full(shape, first, x.dtype), result], axis=axis)
    return result


# ── leaving NaN out ──────────────────────────────────────────────────────────────────────────────


def without_nan(a: Value, instead: float, dtype: DType = None) -> tuple[Any, Any]:
    """The array with another number in place of NaN, and where there was none."""
    a = cast(a, dtype)
    number = ~np.isnan(primal(a))
    return np.where(number, a, instead), number


@implements(np.nansum)
def nansum(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    keepdims: bool = False,
    initial: Value = None,
    where: Any = True,
) -> Any:
    return np.sum(without_nan(a, 0.0, dtype)[0], axis, None, out, keepdims, 0.0 if initial is None else initial, where)


@implements(np.nanprod)
def nanprod(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    keepdims: bool = False,
    initial: Value = None,
    where: Any = True,
) -> Any:
    initial = 1.0 if initial is None else initial
    return np.prod(without_nan(a, 1.0, dtype)[0], axis, None, out, keepdims, initial, where)


@implements(np.nancumsum)
def nancumsum(a: Value, axis: Axis = None, dtype: DType = None, out: Value = None) -> Any:
    return np.cumsum(without_nan(a, 0.0, dtype)[0], axis, None, out)


@implements(np.nancumprod)
def nancumprod(a: Value, axis: Axis = None, dtype: DType = None, out: Value = None) -> Any:
    return np.cumprod(without_nan(a, 1.0, dtype)[0], axis, None, out)


@implements(np.nanmean)
def nanmean(
    a: Value, axis: Axis = None, dtype: DType = None, out: Value = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    numbers, mask = without_nan(a, 0.0, dtype)
    return into(out, masked_mean(numbers, mask & where, axis, keepdims), "nanmean")


def masked_mean(a: Value, where: Any, axis: Axis, keepdims: bool) -> Any:
    """The mean of those entries for which the mask holds."""
    total = np.sum(np.where(where, a, 0.0), axis=axis, keepdims=keepdims)
    count = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    count = count.astype(real_dtype(a))
    # of no entries: NaN, as NumPy's, and constant, for nothing is read
    return np.where(count == 0, np.nan, total / np.maximum(count, 1))
