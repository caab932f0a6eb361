"""Weighted means, variances and correlations."""

from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, DType, Value
from ..operand import implements, primal, visible
from .arguments import into
from .keywords import array, axes_of, cast, of_reduction, real_dtype, with_value
from .norms import root_of_squares, squared_modulus
from .reductions import masked_mean, without_nan


@implements(np.average)
def average(
    a: Value, axis: Axis = None, weights: Value = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Σ w a / Σ w; the weights may carry derivatives as well."""
    a = array(a)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full_like(primal(result), a.size / max(np.size(primal(result)), 1))
    else:
        weights = array(weights)
        whole = [np.float64] if a.dtype.kind in "biu" else []
        weights = _spread_weights(cast(weights, np.result_type(a.dtype, weights.dtype, *whole)), a, axis)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        zero = np.any(primal(total) == 0)
        if visible(zero) and zero:  # of a traced sum nothing is known yet
            raise ZeroDivisionError("average: the weights sum to zero, so they cannot be normalized")
        result = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    if not returned:
        return result
    return result, total if np.shape(total) == np.shape(result) else np.copy(np.broadcast_to(total, result.shape))


def _spread_weights(weights: Value, a: Value, axis: Axis) -> Any:
    """The weights, which are given for the averaged axes only or for all of a, over a's axes."""
    if weights.shape == a.shape:
        return weights
    if axis is None:
        raise InvalidType(
            f"average: a has shape {a.shape} and weights has {weights.shape}; expected the same, or an axis"
        )
    axes = axes_of(axis, a.ndim)
    if weights.shape != tuple(a.shape[i] for i in axes):
        raise InvalidValue(
            f"average: weights has shape {weights.shape}; expected {tuple(a.shape[i] for i in axes)}, that of a "
            f"along axis {axis}"
        )
    in_order = np.transpose(weights, tuple(int(i) for i in np.argsort(axes)))
    return np.reshape(in_order, tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))


@implements(np.var)
def var(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """Σ |a − ā|²/(n − ddof)."""
    deviation = _deviation(cast(a, dtype), axis, where, mean)
    squares = np.sum(squared_modulus(deviation), axis=axis, keepdims=keepdims)
    return into(out, squares / _freedom(deviation, axis, where, keepdims, ddof, correction), "var")


@implements(np.std)
def std(
    a: Value,
    axis: Axis = None,
    dtype: DType = None,
    out: Value = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """√var, with the subgradient 0 where nothing varies."""
    deviation = _deviation(cast(a, dtype), axis, where, mean)
    freedom = _freedom(deviation, axis, where, keepdims, ddof, correction)
    return into(out, root_of_squares(deviation, axes_of(axis, deviation.ndim), keepdims, freedom), "std")


def _deviation(a: Value, axis: Axis, where: Any, mean: Any) -> Any:
    """a − ā, zero where the mask does not hold."""
    if where is True:
        return a - (np.mean(a, axis=axis, keepdims=True) if mean is None else mean)
    return np.where(where, a - (masked_mean(a, where, axis, True) if mean is None else mean), 0.0)


def _freedom(deviation: Any, axis: Axis, where: Any, keepdims: bool, ddof: Any, correction: Any) -> Any:
    """n − ddof, not below zero; in the type of the result, which it must not widen."""
    if correction is not None:
        if ddof != 0:
            raise InvalidValue(f"var: ddof is {ddof} and correction is {correction}; expected one of them")
        ddof = correction
    if where is True:
        count = 1
        for i in axes_of(axis, deviation.ndim):
            count *= deviation.shape[i]
        return max(count - ddof, 0)
    count = np.sum(np.broadcast_to(where, deviation.shape), axis=axis, keepdims=keepdims)
    return np.maximum(count - ddof, 0).astype(real_dtype(deviation))


# ── leaving NaN out ──────────────────────────────────────────────────────────────────────────────


@implements(np.nanvar)
def nanvar(a: Value, axis: Axis = None, dtype: DType = None, *args: Any, where: Any = True, **kwargs: Any) -> Any:
    numbers, mask = without_nan(a, 0.0, dtype)
    return np.var(numbers, axis, None, *args, where=mask & where, **kwargs)


@implements(np.nanstd)
def nanstd(a: Value, axis: Axis = None, dtype: DType = None, *args: Any, where: Any = True, **kwargs: Any) -> Any:
    numbers, mask = without_nan(a, 0.0, dtype)
    axis = of_reduction(axis, numbers.ndim)
    return np.std(numbers, axis, None, *args, where=mask & where, **kwargs)


# ── covariance ───────────────────────────────────────────────────────────────────────────────────


@implements(np.cov, without_axes="array")
def cov(
    m: Value,
    y: Value = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: DType = None,
) -> Any:
    """The covariances of the rows: X W Xᴴ/(Σw − …) of the deviations X from the weighted means."""
    if ddof is not None and ddof != int(ddof):
        raise InvalidValue(f"cov: ddof is {ddof}; expected an integer")
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _variables(y, rowvar)], axis=0)
    x = cast(x, np.result_type(x.dtype, np.float64) if dtype is None else dtype)
    if ddof is None:
        ddof = 0 if bias else 1
    weights = _observation_weights(fweights, aweights, x.shape[1])
    mean, total = np.average(x, axis=1, weights=weights, returned=True)
    total = total[0]
    if weights is None:
        freedom = x.shape[1] - ddof
    elif ddof == 0:
        freedom = total
    elif aweights is None:
        freedom = total - ddof
    else:
        freedom = total - ddof * np.sum(weights * array(aweights)) / total
    if not visible(primal(freedom)):
        freedom = np.where(primal(freedom) <= 0, 0.0, freedom)
    elif np.any(primal(freedom) <= 0):
        freedom = 0.0
    x = x - mean[:, None]
    weighted = x if weights is None else x * weights
    return np.squeeze(np.dot(x, np.conjugate(np.transpose(weighted))) / freedom)


def _variables(m: Value, rowvar: bool) -> Any:
    """m as a matrix with one variable to a row."""
    m = array(m)
    if m.ndim > 2:
        raise InvalidValue(f"cov: m has {m.ndim} axes; expected at most 2")
    m = np.reshape(m, (1, -1)) if m.ndim < 2 else m
    return np.transpose(m) if not rowvar and m.shape[0] != 1 else m


def _observation_weights(fweights: Any, aweights: Any, count: int) -> Any:
    weights = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        given = array(given)
        if given.shape != (count,):
            raise InvalidValue(f"cov: {name} has shape {given.shape}; expected ({count},), one for each observation")
        if visible(primal(given)) and np.any(primal(given) < 0):
            raise InvalidValue(f"cov: {name} has negative entries")
        weights = given if weights is None else weights * given
    return weights


@implements(np.corrcoef)
def corrcoef(x: Value, y: Value = None, rowvar: bool = True, *, dtype: DType = None, **deprecated: Any) -> Any:
    """cov(x)_ij/√(cov(x)_ii cov(x)_jj)."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviations[:, None] / deviations[None, :]
    # roundings beyond ±1 are cut off from the value alone: a correlation of 1 still has higher derivatives
    native = primal(c)
    if c.dtype.kind == "c":
        return with_value(c, np.clip(native.real, -1, 1) + 1j * np.clip(native.imag, -1, 1))
    return with_value(c, np.clip(native, -1, 1))
