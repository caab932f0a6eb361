"""Order statistics: extremes, medians and quantiles.

Each is an entry of the data, or a mixture of two neighbours in the order of values. Where several
entries have that value, it is their mean: the symmetric subgradient, which max and min share with
``np.maximum`` and with JAX's reductions. The value is always the one that NumPy computes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import namespace
from ..errors import InvalidType, NotDifferentiable, not_on_device
from ..kinds import Axis, Value
from ..operand import Operand, implements, library, primal, visible
from .arguments import NOT_GIVEN, into
from .keywords import axes_of, of_reduction, real_dtype, with_value


def _in_line(x: Value, axis: Axis) -> Any:
    """x with the reduced axes merged into one, which is the last."""
    axes = axes_of(axis, x.ndim)
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    length = 1
    for i in axes:
        length *= x.shape[i]
    moved = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
    return np.reshape(moved, (*kept, length))


def _entry(lines: Any, chosen: Any, native: Any, constants: Any = 0) -> Any:
    """The entry of each line where the mask holds; of several, and `constants` more, the mean."""
    count = np.count_nonzero(chosen, axis=-1) + constants
    if visible(count) and lines.shape[-1] and np.all(count == 1) and not np.any(constants):
        return np.take_along_axis(lines, np.argmax(chosen, axis=-1)[..., None], -1)[..., 0]
    share = lines / np.maximum(count, 1).astype(real_dtype(lines))[..., None]
    mean = with_value(np.sum(np.where(chosen, share, 0.0), axis=-1), native)
    return np.where(np.any(chosen, axis=-1), mean, native)


def _equal(values: Value, target: Any) -> Any:
    """Where a line has the value; NaN is the value of a line that holds one."""
    target = target[..., None]
    return (values == target) | (np.isnan(values) & np.isnan(target))


# ── extremes ─────────────────────────────────────────────────────────────────────────────────────


def _extreme(function: Callable[..., Any], pair: np.ufunc, worst: float, *aliases: Callable[..., Any]) -> None:
    """max, min and the forms that leave NaN out; `initial` counts as one more entry."""
    name = function.__name__
    plain: Any = np.max if worst < 0 else np.min

    def extreme_of(values: Value, axis: Axis, keywords: dict[str, Any]) -> Any:
        if library(values) is np:
            return function(values, axis=axis, **keywords)
        if "where" in keywords:  # CuPy's have neither, and those that leave NaN out look for it
            values = np.where(keywords["where"], values, worst)
        if pair in (np.maximum, np.minimum):
            native = plain(values, axis=axis)
        else:
            missing = np.isnan(values)
            native = plain(np.where(missing, worst, values), axis=axis)
            native = np.where(np.all(missing, axis=axis), np.nan, native)
        return pair(native, keywords["initial"]) if "initial" in keywords else native

    def extreme(
        a: Value,
        axis: Axis = None,
        out: Value = None,
        keepdims: Any = NOT_GIVEN,
        initial: Value = NOT_GIVEN,
        where: Any = NOT_GIVEN,
    ) -> Any:
        where, axis = primal(where), of_reduction(axis, np.ndim(a))
        keywords = {key: x for key, x in (("initial", initial), ("where", where)) if x is not NOT_GIVEN}
        keepdims = bool(keepdims is not NOT_GIVEN and keepdims)
        if isinstance(initial, Operand):
            result = extreme(a, axis, None, keepdims, worst, where)
            return into(out, pair(result, initial), name)
        native = extreme_of(primal(a), axis, keywords)
        if not isinstance(a, Operand):  # out= alone is one
            result = native
        else:
            values = _in_line(primal(a), axis)
            chosen = _equal(values, native)
            if where is not NOT_GIVEN:
                chosen = chosen & _in_line(np.broadcast_to(where, a.shape), axis)
            ties = 0 if initial is NOT_GIVEN else (native == initial).astype(np.intp)
            result = _entry(_in_line(a, axis), chosen, native, ties)
        if keepdims:
            result = np.expand_dims(result, axes_of(axis, np.ndim(a)))
        return into(out, result, name)

    implements(function, *aliases)(extreme)


_extreme(np.max, np.maximum, -np.inf, np.amax)
_extreme(np.min, np.minimum, np.inf, np.amin)
_extreme(np.nanmax, np.fmax, -np.inf)
_extreme(np.nanmin, np.fmin, np.inf)


@implements(np.ptp)
def ptp(a: Value, axis: Axis = None, out: Value = None, keepdims: Any = NOT_GIVEN) -> Any:
    return into(out, np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims), "ptp")


# ── quantiles ────────────────────────────────────────────────────────────────────────────────────


def _quantile(
    a: Value, q: Value, axis: Axis, native: Any, method: Any = "linear", keepdims: bool = False, skips_nan: bool = False
) -> Any:
    """Entries of the sorted lines at the positions where NumPy finds the quantiles, mixed linearly.

    The positions are the quantiles of 0, 1, …, n−1 (n counts the entries that are not NaN), so every
    method of NumPy's is right by construction. The value is the native one, or has that type.
    """
    q = np.asarray(q)
    lines = _in_line(a, axis)
    values = primal(lines)
    position = _positions(values, q.ravel(), method, skips_nan)
    ordered = np.sort(values, axis=-1)  # NaN at the end
    if lines.size:
        results = [_between(lines, values, ordered, position[j]) for j in range(q.size)]
    else:
        results = [np.zeros_like(lines, shape=lines.shape[:-1]) + np.nan] * q.size
    if isinstance(native, np.dtype):
        results = [y.astype(native) for y in results]
    else:
        native = np.reshape(native, (q.size, *lines.shape[:-1]))
        results = [with_value(y, native[j]) for j, y in enumerate(results)]
    stacked = np.stack(results) if results else np.zeros_like(lines, shape=(0, *lines.shape[:-1]))
    kept = lines.shape[:-1]
    if keepdims:
        axes = axes_of(axis, a.ndim)
        kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return np.reshape(stacked, (*q.shape, *kept))


def _native(function: Callable[..., Any], a: Value, axis: Axis) -> Any:
    """The value that NumPy computes; on a device, whose functions lack methods or look at the data, its type alone."""
    return function(primal(a), axis) if library(a) is np else function(np.zeros(1, a.dtype), None).dtype


def _positions(values: Value, q: Value, method: Any, skips_nan: bool) -> Any:
    """Where the quantiles lie among 0 … n−1, as fractions; shape (len(q), *number of lines), or broadcasts to it."""

    def among(n: int) -> Any:
        return np.quantile(np.arange(float(n)), q, method=method) if n else np.zeros(q.size)

    length, xp = values.shape[-1], namespace(values)
    spread = (q.size, *(1,) * (values.ndim - 1))
    missing = np.count_nonzero(np.isnan(values), axis=-1)
    if not skips_nan:
        position, spoiled = np.reshape(xp.asarray(among(length)), spread), missing > 0
    elif xp is np:
        position, spoiled = np.zeros((q.size, *values.shape[:-1])), missing == length
        for absent in np.unique(missing):
            position[:, missing == absent] = np.reshape(among(length - int(absent)), (q.size, 1))
    elif method == "linear":  # without a look at how many are missing
        position = np.maximum(length - 1 - missing, 0) * np.reshape(xp.asarray(q, float), spread)
        spoiled = missing == length
    else:
        raise not_on_device("a quantile without NaN", f"on a device method={method!r} is missing")
    return np.where(spoiled, float(length - 1), position)


def _between(lines: Any, values: Value, ordered: Any, position: Any) -> Any:
    below = np.floor(position).astype(np.intp)
    weight = (position - below).astype(real_dtype(lines))
    low, high = (
        _value_entry(lines, values, np.take_along_axis(ordered, index[..., None], -1)[..., 0])
        for index in (below, np.ceil(position).astype(np.intp))
    )
    return np.where(weight == 0, low, low * (1 - weight) + high * weight)


def _value_entry(lines: Any, values: Value, value: Value) -> Any:
    return _entry(lines, _equal(values, value), value)


def _constant(q: Value, name: str) -> None:
    if namespace(q) is not np:
        raise InvalidType(f"{name}: q is on a device, and where it lies must be known; give a number or a NumPy array")
    if isinstance(q, Operand):
        raise NotDifferentiable(f"{name}: q carries derivatives; only constant positions have a rule: use q.value")


def _family(function: Callable[..., Any], scale: float, skips_nan: bool = False) -> None:
    """quantile and percentile, and the forms that leave NaN out; q is constant and the data vary."""
    name = function.__name__

    @implements(function)
    def quantile(
        a: Value,
        q: Value,
        axis: Axis = None,
        out: Value = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: Any = False,
        *,
        weights: Value = None,
    ) -> Any:
        _constant(q, name)
        if weights is not None:
            raise NotDifferentiable(f"{name}: weights= has no rule; repeat the entries, or apply it to x.value")
        native = _native(lambda x, axis: function(x, q, axis, method=method), a, axis)
        keepdims = keepdims is not NOT_GIVEN and bool(keepdims)
        if not isinstance(a, Operand):
            return into(out, function(a, q, axis, method=method, keepdims=keepdims), name)
        return into(out, _quantile(a, np.asarray(q) / scale, axis, native, method, keepdims, skips_nan), name)


_family(np.quantile, 1)
_family(np.nanquantile, 1, True)
_family(np.percentile, 100)
_family(np.nanpercentile, 100, True)


def _middle(function: Callable[..., Any], skips_nan: bool = False) -> None:
    name = function.__name__

    @implements(function)
    def median(
        a: Value, axis: Axis = None, out: Value = None, overwrite_input: bool = False, keepdims: Any = False
    ) -> Any:
        native = _native(function, a, axis)
        keepdims = keepdims is not NOT_GIVEN and bool(keepdims)
        if not isinstance(a, Operand):
            return into(out, function(a, axis, keepdims=keepdims), name)
        return into(out, _quantile(a, 0.5, axis, native, "linear", keepdims, skips_nan), name)


_middle(np.median)
_middle(np.nanmedian, True)
