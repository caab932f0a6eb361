"""Reductions of arrays, which the kernel that computes the array does by the way."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..kernel.reduction import Way
from .nodes import HOLE, Applied, Node

__all__ = ["Reduced", "reduced"]

_UFUNCS: dict[Any, np.ufunc] = {
    np.add.reduce: np.add, np.sum: np.add, np.prod: np.multiply, np.multiply.reduce: np.multiply,
    np.max: np.maximum, np.amax: np.maximum, np.maximum.reduce: np.maximum, np.any: np.maximum,
    np.min: np.minimum, np.amin: np.minimum, np.minimum.reduce: np.minimum, np.all: np.minimum,
    np.count_nonzero: np.add, np.logical_or.reduce: np.maximum, np.logical_and.reduce: np.minimum,
}  # fmt: skip
_OF_TRUTH = {np.any, np.all, np.logical_or.reduce, np.logical_and.reduce, np.count_nonzero}
_SHORTEST = 32  # elements of a row that is reduced by itself


class Reduced(NamedTuple):
    """How a kernel reduces the elements of a node.

    Attributes:
        way: rows, columns, or all.
        truth: whether only it counts whether an element is zero.
        shape: of the result.
        dtype: its type.
        whole: whether all elements are reduced, in rows though they may be.
    """

    way: Way
    truth: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    whole: bool

    def parts(self, of_kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a kernel writes."""
        return self.way.parts(prod(of_kernel))

    @property
    def finish(self) -> Callable[[Any], Any]:
        """What remains to be done with that."""
        (ufunc, row, columns), dtype, shape = self.way, self.dtype, self.shape
        put_together = ufunc.reduce
        if self.whole and shape == () and row == 0 and dtype.kind == "f":
            return put_together
        axis = None if self.whole else 0 if columns else 1
        wide = None if dtype.kind == "f" else np.float64  # counts of float32 are exact in a block alone

        def finished(parts: Any) -> Any:
            parts = parts[:, :row] if columns else parts
            if axis == 1 and parts.shape[1] == 1 and wide is None:
                return parts.reshape(shape)
            y = put_together(parts, axis=axis, dtype=wide)
            y = y if wide is None else y.astype(dtype)
            return y if y.shape == shape else y.reshape(shape)

        return finished


def reduced(node: Node) -> Reduced | None:
    """How a node reduces its argument, if kernels can do it."""
    call = node.extra
    if node.op != "call" or not isinstance(call, Applied) or call.function not in _UFUNCS:
        return None
    array = node.args[0]
    if len(node.args) != 1 or call.args[:1] != (HOLE,) or len(call.args) > 2 or prod(array.shape) < 2:
        return None
    given = call.kwargs | ({"axis": call.args[1]} if len(call.args) > 1 else {})
    default = 0 if isinstance(getattr(call.function, "__self__", None), np.ufunc) else None
    axis = given.pop("axis", default)
    if given.keys() - {"keepdims"} or (len(call.args) > 1 and "axis" in call.kwargs):
        return None
    ufunc, truth = _UFUNCS[call.function], call.function in _OF_TRUTH
    types = "biu" if truth or (ufunc is np.add and array.dtype == bool) else "f"
    if node.dtype.kind not in types or (types == "f" and node.dtype != array.dtype):
        return None
    axes = (axis,) if isinstance(axis, int) else range(len(array.shape)) if axis is None else axis
    way = _way(ufunc, array.shape, axes) if isinstance(axes, (tuple, range)) else None
    return None if way is None else Reduced(way, truth, node.shape, node.dtype, not way.row)


def _way(ufunc: np.ufunc, shape: tuple[int, ...], axes: Any) -> Way | None:
    """All, rows or columns of what lies in memory one after another; None for other axes."""
    gone = {a % len(shape) for a in axes if shape[a] > 1}
    kept = {a for a, n in enumerate(shape) if n > 1} - gone
    if not gone or not kept:
        return Way(ufunc) if gone else None
    columns = max(gone) < min(kept)
    row = prod(shape[a] for a in (kept if columns else gone))
    if row < _SHORTEST or not (columns or min(gone) > max(kept)):
        return None
    return Way(ufunc, row, columns)
