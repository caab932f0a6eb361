"""np.pad: the array grows axis after axis by slabs that are computed from what is there."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..operand import as_array, batched, implements, library, linear, operands, primal, visible

Pairs = list[tuple[Any, Any]]
Slab = Callable[[Any, int, int, int], Any]  # (array, axis, side: 0 before and 1 after, width)


@implements(np.pad)
def pad(array: Value, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Every mode of NumPy's but a function; "empty" pads zeros: derivatives are never left undefined."""
    if callable(mode):
        raise InvalidType("pad: mode is a function, which would write into a plain array; use np.concatenate")
    widths = _widths(pad_width, array.ndim)
    if not widths:
        return np.copy(array)
    _check(array.shape, widths, mode, kwargs)

    def margins(b: int) -> Pairs:
        return [(0, 0)] * b + widths

    if mode == "empty" or (mode == "constant" and not _varied(kwargs.get("constant_values", 0))):
        inside = tuple([slice(before, before + n) for n, (before, _) in zip(array.shape, widths, strict=True)])
        return batched(lambda x, b: np.pad(x, margins(b)), array, adjoint=lambda g: g[inside])
    if kwargs.get("reflect_type", "even") == "odd":  # 2·edge − x: linear, but no copy of an entry
        keywords = {"mode": mode, "reflect_type": "odd"}
        adjoint = _separable_adjoint(array.shape, widths, keywords)
        return linear(lambda x: np.pad(x, widths, **keywords), array, adjoint=adjoint)
    if mode in ("edge", "wrap", "reflect", "symmetric"):
        return batched(lambda x, b: np.pad(x, margins(b), mode), array)
    slab = _SLABS[mode](array.ndim, **kwargs)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            slabs = slab(array, axis, 0, before), array, slab(array, axis, 1, after)
            array = np.concatenate(slabs, axis)
    return array if any(map(any, widths)) else np.copy(array)


def _separable_adjoint(shape: tuple[int, ...], widths: Pairs, keywords: Any) -> Callable[[Any], Any]:
    """Padding is a matrix along each axis, which the unit vectors show; its adjoint is the transpose of each."""

    def adjoint(g: Value) -> Any:
        for axis, (n, margins) in enumerate(zip(shape, widths, strict=True)):
            matrix = np.pad(library(g).eye(n), [margins, (0, 0)], **keywords)
            g = np.moveaxis(np.tensordot(g, matrix, (axis, 0)), -1, axis)
        return g

    return adjoint


def _widths(pad_width: Any, ndim: int) -> Pairs:
    """(before, after) for each axis."""
    if isinstance(pad_width, dict):
        widths: Pairs = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            widths[normalize_axis_index(axis, ndim)] = _widths(width, 1)[0]
        return widths
    given = np.asarray(pad_width)
    if given.dtype.kind not in "iu":
        raise InvalidType(f"pad: pad_width is {pad_width!r}; expected integers")
    if (given < 0).any():
        raise InvalidValue(f"pad: pad_width is {pad_width!r}; expected 0 or more")
    return [(int(before), int(after)) for before, after in _pairs(given, ndim)]


def _pairs(x: Value, ndim: int) -> Any:
    """A number, a pair, or a pair for each axis, as (ndim, 2)."""
    return np.broadcast_to(as_array(x, x), (ndim, 2))


def _check(shape: tuple[int, ...], widths: Pairs, mode: Any, kwargs: Any) -> None:
    """NumPy's own words for unknown modes, foreign keywords and empty axes, on an array of one element."""
    small = np.zeros(tuple(min(n, 1) for n in shape))
    plain = {name: primal(value) for name, value in kwargs.items()}
    np.pad(small, [(min(before, 1), min(after, 1)) for before, after in widths], mode, **plain)


def _varied(x: Value) -> bool:
    """Whether a constant is anything but a plain zero."""
    return any(True for _ in operands(x)) or not visible(x) or bool(np.any(np.asarray(x) != 0))


def _end(array: Value, axis: int, side: int, count: int) -> Any:
    """The first (side 0) or last entries along an axis."""
    n = array.shape[axis]
    return array[(slice(None),) * axis + (slice(0, count) if side == 0 else slice(n - count, n),)]


def _constant(ndim: int, constant_values: Any = 0) -> Slab:
    values = _pairs(constant_values, ndim)

    def slab(array: Value, axis: int, side: int, width: int) -> Any:
        shape = (*array.shape[:axis], width, *array.shape[axis + 1 :])
        return np.full_like(array, values[axis, side], shape=shape)

    return slab


def _linear_ramp(ndim: int, end_values: Any = 0) -> Slab:
    """From the edge to the end value, which is reached."""
    values = _pairs(end_values, ndim)

    def slab(array: Value, axis: int, side: int, width: int) -> Any:
        edge = np.squeeze(_end(array, axis, side, 1), axis)
        ramp = np.linspace(values[axis, side], edge, width, endpoint=False, axis=axis, dtype=array.dtype)
        return np.flip(ramp, axis) if side else ramp

    return slab


def _statistic(function: Callable[..., Any]) -> Callable[..., Slab]:
    """A statistic of the stat_length entries next to the edge (of all for None)."""

    def prepared(ndim: int, stat_length: Any = None) -> Slab:
        lengths = None if stat_length is None else _pairs(stat_length, ndim)

        def slab(array: Value, axis: int, side: int, width: int) -> Any:
            count = array.shape[axis] if lengths is None else min(int(lengths[axis, side]), array.shape[axis])
            return np.repeat(function(_end(array, axis, side, count), axis=axis, keepdims=True), width, axis)

        return slab

    return prepared


_SLABS: dict[str, Callable[..., Slab]] = {
    "constant": _constant,
    "linear_ramp": _linear_ramp,
    "mean": _statistic(np.mean),
    "median": _statistic(np.median),
    "maximum": _statistic(np.max),
    "minimum": _statistic(np.min),
}
