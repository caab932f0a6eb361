"""Functions that move entries about and leave them as they are: shapes, axes, order along axes.

What NumPy does by a view stays a view: writing into ``x.T`` or ``np.flip(x)`` writes into x.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from ..backend import namespace, to_device
from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, DType, Shape, Value
from ..operand import Operand, as_array, batched, implements, library, primal, rearrange
from ..operand.constants import frozen
from .arguments import index_values, numbers, stand_in
from .keywords import array, present

# ── shapes ───────────────────────────────────────────────────────────────────────────────────────


@implements(np.reshape, without_axes="view")
def reshape(a: Value, /, shape: Shape = None, order: Any = "C", *, copy: bool | None = None) -> Any:
    """Views where NumPy has views; "A" and "K" go by the memory of the value."""
    # NumPy works out -1 on the plain shape: under leading axes it could swallow them
    shape = np.reshape(stand_in(a.shape), shape).shape
    if order == "A":
        flags = primal(a).flags
        order = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    if order == "F":  # C order of the transpose
        return np.transpose(np.reshape(np.transpose(a), shape[::-1], copy=copy))
    if order != "C":
        raise InvalidValue(f"reshape: order is {order!r}; expected 'C', 'F' or 'A'")
    keywords: Any = {} if copy is None else {"copy": copy}
    given = a.shape
    return batched(lambda x, b: np.reshape(x, x.shape[:b] + shape, **keywords), a, lambda g: np.reshape(g, given))


@implements(np.ravel)
def ravel(a: Value, order: Any = "C") -> Any:
    if order == "K":  # as the value lies in memory: the longest strides first
        strides = primal(a).strides
        a, order = np.transpose(a, sorted(range(a.ndim), key=lambda i: -abs(strides[i]))), "C"
    return np.reshape(a, (-1,), order=order)


@implements(np.transpose, without_axes="view")
def transpose(a: Value, axes: Axis = None) -> Any:
    np.transpose(stand_in(a.shape), axes)
    order: Any = range(a.ndim)[::-1] if axes is None else normalize_axis_tuple(axes, a.ndim)
    back = sorted(range(a.ndim), key=order.__getitem__)
    return batched(
        lambda x, b: np.transpose(x, (*range(b), *(b + i for i in order))), a, lambda g: np.transpose(g, back)
    )


@implements(np.swapaxes)
def swapaxes(a: Value, axis1: Any, axis2: Any) -> Any:
    i, j = (normalize_axis_index(axis, a.ndim) for axis in (axis1, axis2))
    return batched(lambda x, b: np.swapaxes(x, b + i, b + j), a, lambda g: np.swapaxes(g, i, j))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Value, /) -> Any:
    if x.ndim < 2:
        raise InvalidValue(f"matrix_transpose: x has shape {x.shape}; expected two axes at least")
    return np.swapaxes(x, -1, -2)


@implements(np.moveaxis, without_axes="view")
def moveaxis(a: Value, source: Any, destination: Any) -> Any:
    source, destination = (normalize_axis_tuple(axes, a.ndim) for axes in (source, destination))
    return batched(
        lambda x, b: np.moveaxis(x, [b + i for i in source], [b + i for i in destination]),
        a,
        lambda g: np.moveaxis(g, destination, source),
    )


@implements(np.rollaxis)
def rollaxis(a: Value, axis: int, start: int = 0) -> Any:
    order = np.rollaxis(np.empty(range(a.ndim)), axis, start).shape  # the axes have their numbers as lengths
    return np.transpose(a, order)


@implements(np.squeeze, without_axes="view")
def squeeze(a: Value, axis: Axis = None) -> Any:
    shape = np.squeeze(stand_in(a.shape), axis).shape
    return np.reshape(a, shape)


@implements(np.expand_dims)
def expand_dims(a: Value, axis: Axis) -> Any:
    return np.reshape(a, np.expand_dims(stand_in(a.shape), axis).shape)


@implements(np.broadcast_to, without_axes="view")
def broadcast_to(array: Value, shape: Shape, subok: bool = False) -> Any:
    shape = np.broadcast_to(stand_in(array.shape), shape).shape
    missing = len(shape) - array.ndim

    def spread(x: Value, b: int) -> Any:
        x = np.reshape(x, x.shape[:b] + (1,) * missing + x.shape[b:])
        return np.broadcast_to(x, x.shape[:b] + shape)

    given = array.shape

    def gathered(g: Value) -> Any:
        axes = tuple(i for i in range(len(shape)) if i < missing or given[i - missing] != shape[i])
        return np.reshape(np.sum(g, axis=axes, keepdims=True), given)

    return batched(spread, array, gathered)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(as_array(x, *args), shape) for x in args)


def _at_least(ndim: int, a: Value) -> Any:
    """Axes of length 1 in front, and for the third dimension behind, as NumPy has it."""
    shape = (np.atleast_1d, np.atleast_2d, np.atleast_3d)[ndim - 1](stand_in(a.shape)).shape
    return a if shape == a.shape else np.reshape(a, shape)


def _each(ndim: int) -> Callable[..., Any]:
    def at_least(*arys: Any) -> Any:
        results = tuple(_at_least(ndim, as_array(a, *arys)) for a in arys)
        return results[0] if len(results) == 1 else results

    return at_least


implements(np.atleast_1d)(_each(1))
implements(np.atleast_2d)(_each(2))
implements(np.atleast_3d)(_each(3))


@implements(sliding_window_view)
def sliding_windows(
    x: Value, window_shape: Any, axis: Axis = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    window_shape = frozen(window_shape)
    sliding_window_view(stand_in(x.shape), window_shape, axis)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    return batched(lambda x, b: _windows(x, window_shape, tuple(b + i for i in axes), writeable), x)


def _windows(x: Value, window_shape: Any, axes: tuple[int, ...], writeable: bool) -> Any:
    xp = namespace(x)
    if xp is np:
        return sliding_window_view(x, window_shape, axes, writeable=writeable)
    shape = sliding_window_view(stand_in(x.shape), window_shape, axes).shape  # CuPy's asks the device for it
    return xp.lib.stride_tricks.as_strided(x, shape, (*x.strides, *(x.strides[i] for i in axes)))


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise InvalidValue(f"meshgrid: indexing is {indexing!r}; expected 'xy' or 'ij'")
    place = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        place[:2] = 1, 0
    lines = [np.reshape(x, (1,) * i + (-1,) + (1,) * (len(xi) - 1 - i)) for x, i in zip(xi, place, strict=True)]
    grid = tuple(lines) if sparse else np.broadcast_arrays(*lines)
    return tuple(map(np.copy, grid)) if copy else tuple(grid)


@implements(np.ix_)
def ix_(*args: Any) -> Any:
    raise InvalidType("ix_: an argument carries derivatives; expected integers or booleans: use its .value")


# ── order along axes ─────────────────────────────────────────────────────────────────────────────


@implements(np.flip, without_axes="view")
def flip(m: Value, axis: Axis = None) -> Any:
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(m.ndim))]


@implements(np.fliplr)
def fliplr(m: Value) -> Any:
    if m.ndim < 2:
        raise InvalidValue(f"fliplr: the array has shape {m.shape}; expected two axes at least")
    return np.flip(m, 1)


@implements(np.flipud)
def flipud(m: Value) -> Any:
    if m.ndim < 1:
        raise InvalidValue("flipud: the array has no axes; expected one at least")
    return np.flip(m, 0)


@implements(np.rot90)
def rot90(m: Value, k: int = 1, axes: Axis = (0, 1)) -> Any:
    np.rot90(stand_in(m.shape), k, axes)
    first, second = axes
    k %= 4
    if k == 2:
        return np.flip(m, axes)
    if k == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    if k == 3:
        return np.flip(np.swapaxes(m, first, second), second)
    return m[...]


@implements(np.roll, without_axes="array")
def roll(a: Value, shift: Any, axis: Axis = None) -> Any:
    if axis is None:
        return np.reshape(np.roll(np.ravel(a), shift, 0), a.shape)
    axes, shift = normalize_axis_tuple(axis, a.ndim, allow_duplicate=True), index_values(shift, "roll")
    back = np.negative(shift)
    return batched(
        lambda x, b: np.roll(x, shift, tuple(b + i for i in axes)), a, adjoint=lambda g: np.roll(g, back, axes)
    )


@implements(np.fft.fftshift)
def fftshift(x: Value, axes: Axis = None) -> Any:
    return _shifted(x, axes, lambda n: n // 2)


@implements(np.fft.ifftshift)
def ifftshift(x: Value, axes: Axis = None) -> Any:
    return _shifted(x, axes, lambda n: -(n // 2))


def _shifted(x: Value, axes: Axis, shift: Callable[[int], int]) -> Any:
    axes = tuple(range(x.ndim)) if axes is None else normalize_axis_tuple(axes, x.ndim)
    return np.roll(x, tuple(shift(x.shape[i]) for i in axes), axes)


# ── fewer and more entries ───────────────────────────────────────────────────────────────────────


@implements(np.delete)
def delete(arr: Value, obj: Any, axis: Axis = None) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    kept = np.delete(namespace(obj).arange(arr.shape[axis]), index_values(obj, "delete"))
    return np.take(arr, kept, axis=axis)


@implements(np.insert)
def insert(arr: Value, obj: Any, values: Value, axis: Axis = None) -> Any:
    obj = index_values(obj, "insert")
    arr, values = numbers("insert", arr, values)
    # NumPy casts the values to the array's type: it must hold them
    if not isinstance(arr, Operand):
        arr = library(arr, values).asarray(arr, np.result_type(arr, np.result_type(values)))
    if arr.dtype.kind == "f" and np.result_type(values).kind == "c":
        raise InvalidType("insert: the values are complex and the array is real; use arr.astype(complex)")
    if library(arr) is not np:
        return _inserted(arr, obj, array(values, arr), axis)
    return rearrange(lambda a, v: np.insert(a, obj, v, axis=axis), arr, values)


def _inserted(arr: Value, obj: Any, values: Value, axis: Axis) -> Any:
    """The same as np.take of both: CuPy has no np.insert."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    n, shape = arr.shape[axis], list(arr.shape)
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    if not isinstance(obj, slice) and np.ndim(obj) == 0:
        values = np.moveaxis(values, 0, axis)
    if isinstance(obj, slice):
        count = len(range(*obj.indices(n)))
    else:
        places = np.asarray(obj)
        count = int(places.sum()) if places.dtype == bool else places.size
    shape[axis] = values.shape[axis] if count == 1 else count
    order = np.insert(np.arange(n), obj, np.arange(n, n + shape[axis]))
    both = np.concatenate([arr, np.broadcast_to(values, shape).astype(arr.dtype)], axis)
    return np.take(both, order, axis)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Axis = None) -> Any:
    """Zeros by value: an entry 0 + t·v is one."""
    if trim.lower() not in ("fb", "bf", "f", "b"):
        raise InvalidValue(f"trim_zeros: trim is {trim!r}; expected 'f', 'b' or 'fb'")
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim)
    places = np.nonzero(to_device(primal(filt) != 0, "cpu"))  # how many there are must be known
    return filt[tuple(_kept(p, trim.lower()) if i in axes else slice(None) for i, p in enumerate(places))]


def _kept(positions: Any, trim: str) -> slice:
    if not len(positions):
        return slice(0, 0)
    return slice(int(positions.min()) if "f" in trim else None, int(positions.max()) + 1 if "b" in trim else None)


# ── copies ───────────────────────────────────────────────────────────────────────────────────────


@implements(np.copy, without_axes="array")
def copy(a: Value, order: Any = "K", subok: bool = False) -> Any:
    return rearrange(lambda x: np.array(x, order=order) if isinstance(x, np.ndarray) else np.copy(x), a)


@implements(*present("astype"), without_axes="view")
def astype(x: Value, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Any:
    return x.astype(dtype, copy=copy)
