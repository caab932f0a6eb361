"""Joining arrays into one, repeating them, and splitting one into views."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..backend import floating_dtype
from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, DType, Index, Shape, Value
from ..operand import Moving, as_array, batched, implements, library, linear, operands, rearrange
from ..operand.constants import frozen
from .arguments import index_values, into, numbers
from .creation import array as collected
from .keywords import of_number, present

# ── joining ──────────────────────────────────────────────────────────────────────────────────────


def _joined(function: Callable[..., Any], arrays: Any, out: Value = None, dtype: DType = None, **keywords: Any) -> Any:
    """function(arrays, …), which puts all of them into one."""
    name = function.__name__
    if dtype is not None:
        keywords["dtype"] = floating_dtype(dtype, name)
        if keywords["dtype"].kind == "f" and any(getattr(x, "dtype", np.dtype(float)).kind == "c" for x in arrays):
            raise InvalidType(f"{name}: dtype is {dtype}, but an array is complex; expected a complex type")
    return into(out, rearrange(lambda *xs: function(xs, **keywords), *_arrays(name, arrays)), name)


def _arrays(name: str, items: Sequence[Any]) -> list[Any]:
    """The items as `numbers`; on a device numbers as arrays, as NumPy's functions make them of themselves."""
    items = numbers(name, *items)
    return items if library(*items) is np else [as_array(x, *items) for x in items]


def _pieces_of(shapes: list[tuple[int, ...]], axis: int) -> Callable[[Any], Any]:
    """The adjoint of concatenate: the cotangents of the pieces, as views."""
    ends = [0]
    for shape in shapes:
        ends.append(ends[-1] + shape[axis])
    places = [(slice(None),) * axis + (slice(i, j),) for i, j in pairwise(ends)]
    return Moving(lambda g: g[places[0]] if len(places) == 1 else tuple(g[place] for place in places), omits=False)


def _of_planes(function: Callable[..., Any], shapes: list[tuple[int, ...]], axis: int) -> Callable[..., Any] | None:
    """The function of several arrays on stacked planes of them, with the axis behind that of the planes."""
    if len(shapes) < 2:
        return None

    def on_planes(*xs: Any) -> Any:
        count = next(x.shape[0] for x in xs if np.ndim(x))
        full = [
            (x if x.shape == (count, *shape) else x.reshape(count, *shape))
            if np.ndim(x)
            else library(*xs).zeros((count, *shape), bool)
            for x, shape in zip(xs, shapes, strict=True)
        ]
        return function(*full, axis=axis + 1)

    return on_planes


@implements(np.concatenate)
def concatenate(
    arrays: Any, /, axis: Axis = 0, out: Value = None, *, dtype: DType = None, casting: str = "same_kind"
) -> Any:
    if out is not None or dtype is not None or axis is None:
        return _joined(np.concatenate, arrays, out, dtype, axis=axis, casting=casting)
    arrays = numbers("concatenate", *arrays)
    axis = normalize_axis_index(axis, np.ndim(arrays[0]))
    shapes = [np.shape(x) for x in arrays]
    joined = lambda *xs, axis=axis: np.concatenate(xs, axis=axis, casting=casting)  # type: ignore[call-overload]  # noqa: E731
    adjoint = _pieces_of(shapes, axis) if len({*map(len, shapes)}) == 1 else None
    return linear(joined, *arrays, adjoint=adjoint, stacked=_of_planes(joined, shapes, axis))


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: Value = None, *, dtype: DType = None, casting: str = "same_kind") -> Any:
    arrays = list(arrays)
    if out is not None or dtype is not None or not arrays:
        return _joined(np.stack, arrays, out, dtype, axis=axis, casting=casting)
    arrays = _arrays("stack", arrays)
    axis = normalize_axis_index(axis, np.ndim(arrays[0]) + 1)
    place = (slice(None),) * axis

    def adjoint(g: Value) -> Any:
        return g[(*place, 0)] if len(arrays) == 1 else tuple(g[(*place, i)] for i in range(len(arrays)))

    stacked = lambda *xs, axis=axis: np.stack(xs, axis=axis, casting=casting)  # type: ignore[call-overload]  # noqa: E731
    shapes = [np.shape(x) for x in arrays]
    return linear(stacked, *arrays, adjoint=Moving(adjoint, omits=False), stacked=_of_planes(stacked, shapes, axis))


@implements(np.hstack)
def hstack(tup: Any, *, dtype: DType = None, casting: str = "same_kind") -> Any:
    return _joined(np.hstack, tup, dtype=dtype, casting=casting)


@implements(np.vstack)
def vstack(tup: Any, *, dtype: DType = None, casting: str = "same_kind") -> Any:
    return _joined(np.vstack, tup, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    return _joined(np.dstack, tup)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    return _joined(np.column_stack, tup)


@implements(np.block)
def block(arrays: Any) -> Any:
    leaves: list[Any] = []

    def numbered(nested: Any) -> Any:
        if isinstance(nested, list):
            return [numbered(item) for item in nested]
        leaves.append(nested)
        return len(leaves) - 1

    def filled(nested: Any, xs: tuple[Any, ...]) -> Any:
        return [filled(item, xs) for item in nested] if isinstance(nested, list) else xs[nested]

    structure = numbered(arrays)
    leaves = _arrays("block", leaves)
    joined = np.block if library(*leaves) is np else lambda nested: _blocked(nested, _depth(nested))
    return rearrange(lambda *xs: joined(filled(structure, xs)), *leaves)


def _depth(nested: Any) -> int:
    return 1 + _depth(nested[0]) if isinstance(nested, list) else 0


def _blocked(nested: Any, depth: int) -> Any:
    """np.block, which CuPy lacks: lists are joined along axes −1, −2, … from the innermost out."""
    if not isinstance(nested, list):
        return nested

    def opened(x: Value, ndim: int) -> Any:
        return np.reshape(x, (1,) * (ndim - x.ndim) + x.shape)

    blocks = [_blocked(item, depth - 1) for item in nested]
    ndim = max(depth, *(x.ndim for x in blocks))
    return np.concatenate([opened(x, ndim) for x in blocks], axis=-depth)


@implements(np.append)
def append(arr: Value, values: Value, axis: Axis = None) -> Any:
    arr, values = (x if next(operands(x), x) is x else collected(x) for x in (arr, values))  # lists of operands
    if axis is None:
        arr, values, axis = np.ravel(as_array(arr, values)), np.ravel(as_array(values, arr)), 0
    return np.concatenate((arr, values), axis=axis)


@implements(np.tile)
def tile(A: Any, reps: Shape) -> Any:
    reps = index_values(reps, "tile")
    return rearrange(lambda x: np.tile(x, reps), A)


@implements(np.repeat)
def repeat(a: Value, repeats: Any, axis: Axis = None) -> Any:
    if axis is None or of_number(axis, a.ndim):
        a, axis = np.ravel(a), 0
    axis, repeats = normalize_axis_index(axis, a.ndim), index_values(repeats, "repeat")
    if np.ndim(repeats) and library(repeats) is np is not library(a):  # CuPy counts on the device, and waits
        return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)
    return batched(lambda x, b: np.repeat(x, repeats, axis=b + axis), a)


@implements(np.resize)
def resize(a: Value, new_shape: Any) -> Any:
    new_shape = frozen(new_shape)
    return rearrange(lambda x: np.resize(x, new_shape), a)


# ── splitting ────────────────────────────────────────────────────────────────────────────────────


def _pieces(a: Value, function: Callable[..., Any], indices_or_sections: Index, axis: int) -> list[Any]:
    """Views of a, cut where function(numbers of the entries along the axis, …) cuts."""
    axis = normalize_axis_index(axis, a.ndim)
    parts = function(np.arange(a.shape[axis]), index_values(indices_or_sections, function.__name__))
    return [a[(slice(None),) * axis + (_span(part),)] for part in parts]


def _span(positions: Any) -> slice:
    return slice(int(positions[0]), int(positions[-1]) + 1) if len(positions) else slice(0, 0)


@implements(np.array_split)
def array_split(ary: Value, indices_or_sections: Index, axis: int = 0) -> list[Any]:
    return _pieces(ary, np.array_split, indices_or_sections, axis)


@implements(np.split)
def split(ary: Value, indices_or_sections: Index, axis: int = 0) -> list[Any]:
    return _pieces(ary, np.split, indices_or_sections, axis)


@implements(np.hsplit)
def hsplit(ary: Value, indices_or_sections: Index) -> list[Any]:
    return _along("hsplit", ary, indices_or_sections, 1 if ary.ndim > 1 else 0, 1)


@implements(np.vsplit)
def vsplit(ary: Value, indices_or_sections: Index) -> list[Any]:
    return _along("vsplit", ary, indices_or_sections, 0, 2)


@implements(np.dsplit)
def dsplit(ary: Value, indices_or_sections: Index) -> list[Any]:
    return _along("dsplit", ary, indices_or_sections, 2, 3)


def _along(name: str, ary: Value, indices_or_sections: Index, axis: int, least: int) -> list[Any]:
    if ary.ndim < least:
        raise InvalidValue(f"{name}: the array has shape {ary.shape}; expected {least} or more axes")
    return _pieces(ary, np.split, indices_or_sections, axis)


@implements(*present("unstack"))
def unstack(x: Value, /, *, axis: int = 0) -> tuple[Any, ...]:
    return tuple(np.moveaxis(x, axis, 0))
