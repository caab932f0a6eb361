"""Functions that select entries, or write some, by position or by a condition on values."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..backend import asked, is_array, namespace
from ..errors import InvalidType, InvalidValue, dropped
from ..kinds import Axis, DType, Index, Shape, Value
from ..operand import Moving, Operand, as_array, batched, implements, library, linear, primal, rearrange, visible
from ..operand.constants import frozen
from .arguments import NOT_GIVEN, index_values, into, numbers, on_values, stand_in
from .keywords import array, of_number

# ── by position ──────────────────────────────────────────────────────────────────────────────────


@implements(np.take)
def take(a: Value, indices: Index, axis: Axis = None, out: Value = None, mode: Any = "raise") -> Any:
    indices = index_values(indices, "take")
    if not isinstance(a, Operand):  # out= alone is one
        return into(out, np.take(a, indices, axis, **asked("raise", mode=mode)), "take")
    if axis is None or of_number(axis, a.ndim):
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    how: Any = {}
    if mode != "raise":
        indices, how = _within(indices, a, axis, mode)
    return into(out, batched(lambda x, b: np.take(x, indices, axis=b + axis, **how), a), "take")


def _within(indices: Index, a: Value, axis: int, mode: Any) -> tuple[Any, dict[str, Any]]:
    """The indices and what to tell np.take of the mode: CuPy's has none."""
    if library(a, indices) is np:
        return indices, asked("raise", mode=mode)
    if mode == "raise":
        return indices, {}
    if mode not in ("wrap", "clip"):
        raise InvalidValue(f"take: mode is {mode!r}; expected 'raise', 'wrap' or 'clip'")
    n = a.shape[axis]
    return np.mod(indices, n) if mode == "wrap" else np.clip(indices, 0, n - 1), {}


@implements(np.take_along_axis)
def take_along_axis(arr: Value, indices: Index, axis: Axis = -1) -> Any:
    indices = index_values(indices, "take_along_axis")
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    if np.ndim(indices) != arr.ndim:
        raise InvalidValue(
            f"take_along_axis: indices have {np.ndim(indices)} axes, the array has {arr.ndim}; expected as many"
        )
    return batched(lambda x, b: np.take_along_axis(x, indices[(None,) * b], axis=b + axis), arr)


@implements(np.diagonal)
def diagonal(a: Value, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    np.diagonal(stand_in(a.shape), offset, axis1, axis2)
    i, j = (normalize_axis_index(axis, a.ndim) for axis in (axis1, axis2))
    return batched(lambda x, b: np.diagonal(x, offset, b + i, b + j), a)


@implements(np.linalg.diagonal)
def matrix_diagonal(x: Value, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@implements(np.diag)
def diag(v: Value, k: int = 0) -> Any:
    """The diagonal of a matrix (a view), or the matrix with this diagonal."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    return rearrange(lambda x: np.diag(x, k), v)


@implements(np.diagflat)
def diagflat(v: Value, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


@implements(np.trace)
def trace(a: Value, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DType = None, out: Value = None) -> Any:
    if not isinstance(a, Operand):
        return into(out, np.trace(a, offset, axis1, axis2, dtype), "trace")
    entries: Any = np.diagonal(a, offset, axis1, axis2)
    return into(out, np.sum(entries if dtype is None else entries.astype(dtype), axis=-1), "trace")


@implements(np.tril)
def tril(m: Value, k: int = 0) -> Any:
    return _triangle(np.tril, m, k)


@implements(np.triu)
def triu(m: Value, k: int = 0) -> Any:
    return _triangle(np.triu, m, k)


def _triangle(function: Callable[..., Any], m: Value, k: int) -> Any:
    if m.ndim == 0:
        raise InvalidValue(f"{function.__name__}: the array has no axes; expected two, or one")
    if m.ndim == 1:  # NumPy takes a vector for all rows of a square matrix
        m = np.broadcast_to(m, m.shape * 2)
    return batched(lambda x, b: function(x, k), m)


# ── by a condition ───────────────────────────────────────────────────────────────────────────────


@implements(np.where, without_axes="array")
def where(condition: Value, x: Value = NOT_GIVEN, y: Value = NOT_GIVEN, /) -> Any:
    """The condition counts by value; with it alone: the positions where it holds."""
    condition = as_array(condition, x, y) if isinstance(condition, (list, tuple, bool)) else condition
    condition = frozen(primal(condition))
    if x is NOT_GIVEN and y is NOT_GIVEN:
        return np.where(condition)
    if x is NOT_GIVEN or y is NOT_GIVEN:
        raise InvalidValue("where: only one of x and y is given; expected both or neither")
    return linear(
        lambda x, y: np.where(condition, x, y),
        *numbers("where", x, y),
        adjoint=Moving(lambda g: (np.where(condition, g, 0.0), np.where(condition, 0.0, g))),
        stacked=lambda xs, ys: np.where(condition, xs, ys),
    )


@implements(np.select, without_axes="array")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition holds, entry by entry."""
    if len(condlist) != len(choicelist):
        raise InvalidValue(f"select: {len(condlist)} conditions and {len(choicelist)} choices; expected as many")
    if len(condlist) == 0:
        raise InvalidValue("select: no conditions; expected one at least")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        condition = array(primal(as_array(condition, choicelist)))
        if condition.dtype.kind != "b":
            raise InvalidType(f"select: a condition has dtype {condition.dtype}; expected booleans")
        result = np.where(condition, choice, result)
    return result


@implements(np.choose)
def choose(a: Value, choices: Any, out: Value = None, mode: Any = "raise") -> Any:
    index = index_values(a, "choose")
    result = rearrange(lambda *xs: _chosen(index, xs, mode), *numbers("choose", *choices))
    return into(out, result, "choose")


def _chosen(index: Index, choices: Sequence[Any], mode: Any) -> Any:
    if library(index, choices) is np:
        return np.choose(index, choices, mode=mode)
    # CuPy's has one array of all choices, and looks at the indices
    dtype = np.result_type(*choices)
    index = as_array(index, choices)
    index, *choices = np.broadcast_arrays(index, *(as_array(x, index, choices).astype(dtype) for x in choices))
    stacked = np.stack(choices)
    index, _ = _within(index, stacked, 0, mode)
    return np.take_along_axis(stacked, index[None], 0)[0]


@implements(np.compress)
def compress(condition: Value, a: Value, axis: Axis = None, out: Value = None) -> Any:
    condition = array(primal(condition))
    if condition.ndim != 1:
        raise InvalidValue(f"compress: the condition has shape {condition.shape}; expected one axis")
    return into(out, np.take(a, np.flatnonzero(condition), axis=axis), "compress")


@implements(np.extract)
def extract(condition: Value, arr: Value) -> Any:
    return np.take(np.ravel(arr), np.flatnonzero(primal(condition)))


@implements(np.piecewise, without_axes="array")
def piecewise(x: Value, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function sees the entries of its own condition only; where several hold the last one counts."""
    if not isinstance(x, Operand):
        x = np.asarray(x)
    conditions = primal(condlist)
    if np.isscalar(conditions) or (not _are_several(conditions) and x.ndim):
        conditions = [conditions]
    xp = library(x, conditions)
    conditions = xp.asarray(conditions, bool)
    # a condition of fewer axes is one on the leading axes, as in x[condition]
    conditions = np.reshape(conditions, conditions.shape + (1,) * (x.ndim + 1 - conditions.ndim))
    conditions = np.broadcast_to(conditions, (len(conditions), *x.shape))
    if len(conditions) == len(funclist) - 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    elif len(conditions) != len(funclist):
        n = len(conditions)
        raise InvalidValue(f"piecewise: {n} conditions, {len(funclist)} functions; expected {n} or {n + 1} functions")
    flat, dtype = np.ravel(x), np.result_type(x)
    pieces, start = [np.zeros_like(flat, shape=(1,))], 1  # the zero stands where no condition holds
    source = xp.zeros(x.size, np.intp)
    for condition, function in zip(conditions, funclist, strict=True):
        positions = np.flatnonzero(condition)
        if not positions.size:
            continue
        result = function(np.take(flat, positions), *args, **kw) if callable(function) else function
        pieces.append(np.broadcast_to(result, positions.shape))
        source[positions] = start + xp.arange(positions.size)
        start += positions.size
    return np.reshape(np.take(np.concatenate(pieces, dtype=dtype), source), x.shape)


def _are_several(conditions: Any) -> bool:
    """Whether the first item of a list or an array is a condition for all entries, and not for one."""
    first = conditions[0]
    if not is_array(first) or isinstance(first, np.generic):
        return isinstance(first, list)
    return first.ndim > 0 or isinstance(conditions, (list, tuple))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def _writable(array: Value, name: str) -> Operand:
    """The array that a function writes into: it must hold derivatives."""
    if not isinstance(array, Operand):
        raise dropped(
            f"{name} of derivatives into an array of type {type(array).__name__}",
            "into np.zeros_like(x), or build the result with np.where, np.stack or dn.array([...])",
        )
    return array


@implements(np.put)
def put(a: Value, ind: Any, v: Value, mode: Any = "raise") -> None:
    a = _writable(a, "put")
    index_values(ind, "put")
    everywhere = namespace(ind).arange(a.size)
    ind, how = _within(ind, everywhere, 0, mode)
    _put(a, np.ravel(np.take(everywhere, ind, **how)), v)


def _put(a: Value, positions: Any, v: Value, which: Any = None) -> None:
    """a.flat[positions] = v.flat[which], v repeated as often as needed."""
    v = np.ravel(array(v, a))
    if not len(positions) or not v.size:
        return
    which = namespace(positions).arange(len(positions)) if which is None else which
    chosen = np.take(v, which, mode="wrap") if isinstance(v, Operand) else v[which % v.size]
    if a.ndim:
        a[_unraveled(positions, a.shape)] = chosen
    else:
        a[...] = chosen[-1]


def _unraveled(positions: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """np.unravel_index of positions that are inside: CuPy's looks at them."""
    index = []
    for n in reversed(shape):
        index.append(positions % n)
        positions = positions // n
    return tuple(reversed(index))


@implements(np.place)
def place(arr: Value, mask: Value, vals: Any) -> None:
    arr = _writable(arr, "place")
    positions = np.flatnonzero(primal(mask))
    if len(positions) and not np.size(vals):
        raise InvalidValue("place: there are no values to insert")
    _put(arr, positions, vals)


@implements(np.putmask)
def putmask(a: Value, /, mask: Value, values: Value) -> None:
    a = _writable(a, "putmask")
    if np.shape(mask) != a.shape:
        raise InvalidValue(f"putmask: the mask has shape {np.shape(mask)}, the array has shape {a.shape}")
    if visible(primal(mask)):
        positions = np.flatnonzero(primal(mask))
        _put(a, positions, values, positions)
    else:
        a[...] = np.where(mask, np.resize(array(values, a), a.shape), a)


@implements(np.put_along_axis)
def put_along_axis(arr: Value, indices: Index, values: Value, axis: Axis) -> None:
    arr = _writable(arr, "put_along_axis")
    indices = index_values(indices, "put_along_axis")
    xp = namespace(indices)
    indices, everywhere = xp.asarray(indices), xp.arange(arr.size)
    if axis is None:
        positions = np.take_along_axis(everywhere, indices, 0)
        _put(arr, positions, np.broadcast_to(values, positions.shape))
        return
    axis = normalize_axis_index(axis, arr.ndim)
    positions = np.take_along_axis(np.reshape(everywhere, arr.shape), indices, axis)
    arr[_unraveled(positions, arr.shape)] = values


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    dst = _writable(dst, "copyto")
    (src,) = numbers("copyto", src)
    source = np.result_type(src)
    if not np.can_cast(source, dst.dtype, casting):
        raise InvalidType(f"copyto: cannot cast from {source} to {dst.dtype} with casting={casting!r}")
    if where is True:
        dst[...] = src
    else:
        mask = np.broadcast_to(primal(where), dst.shape)
        if visible(mask):
            dst[mask] = np.broadcast_to(src, dst.shape)[mask]
        else:
            dst[...] = np.where(mask, src, dst)


@implements(np.fill_diagonal)
def fill_diagonal(a: Value, val: Any, wrap: bool = False) -> None:
    a = _writable(a, "fill_diagonal")
    if a.ndim == 2:
        step, end = a.shape[1] + 1, a.size if wrap else min(a.size, a.shape[1] ** 2)
    else:
        np.diag_indices_from(stand_in(a.shape))  # all axes must be equally long
        step, end = 1 + int(np.sum(np.cumprod(a.shape[:-1]))), a.size
    _put(a, library(a).arange(0, end, step), val)


# ── along axes ───────────────────────────────────────────────────────────────────────────────────


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: Axis, arr: Value, *args: Any, **kwargs: Any) -> Any:
    axis = normalize_axis_index(axis, arr.ndim)
    lines = np.moveaxis(arr, axis, -1)
    leading = lines.shape[:-1]
    if 0 in leading:
        raise InvalidValue(f"apply_along_axis: the array has shape {arr.shape} and no lines along axis {axis}")
    results = [func1d(lines[i], *args, **kwargs) for i in np.ndindex(*leading)]
    shape = np.shape(results[0])
    stacked = np.reshape(np.stack(results), (*leading, *shape))
    return np.moveaxis(stacked, range(len(leading), stacked.ndim), range(axis, axis + len(shape)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Value, axes: Axis) -> Any:
    for axis in axes if np.ndim(axes) else (axes,):
        axis = normalize_axis_index(axis, a.ndim)
        result = func(a, axis)
        if result.ndim != a.ndim:
            result = np.expand_dims(result, axis)
        if result.ndim != a.ndim:
            raise InvalidValue(f"apply_over_axes: {func.__name__} gave {result.ndim} axes; expected {a.ndim}")
        a = result
    return a


# ── positions ────────────────────────────────────────────────────────────────────────────────────


@implements(np.diag_indices_from)
def diag_indices_from(arr: Value) -> Any:
    np.diag_indices_from(stand_in(arr.shape))
    return library(arr).diag_indices(arr.shape[0], arr.ndim)


@implements(np.tril_indices_from)
def tril_indices_from(arr: Value, k: int = 0) -> Any:
    return _inside(np.tril, arr, k)


@implements(np.triu_indices_from)
def triu_indices_from(arr: Value, k: int = 0) -> Any:
    return _inside(np.triu, arr, k)


def _inside(function: Callable[..., Any], arr: Value, k: int) -> Any:
    """The positions in the triangle that np.tril or np.triu leaves."""
    if arr.ndim != 2:
        raise InvalidValue(f"{function.__name__}_indices_from: the array has {arr.ndim} axes; expected two")
    return tuple(map(library(arr).asarray, np.nonzero(function(np.ones(arr.shape, bool), k))))


@implements(np.unravel_index)
def unravel_index(indices: Index, shape: Shape, order: Any = "C") -> Any:
    return np.unravel_index(index_values(indices, "unravel_index"), shape, order)


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: Any = "C") -> Any:
    for indices in multi_index:
        index_values(indices, "ravel_multi_index")
    return np.ravel_multi_index(multi_index, dims, mode, order)


on_values(np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero)
