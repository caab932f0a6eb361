"""Reductions of whole arrays to one number, which the kernel that computes the array does by the way."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..kernel.reduction import blocks
from .nodes import HOLE, Applied, Node

__all__ = ["Reduced", "reduced"]

_UFUNCS: dict[Any, np.ufunc] = {
    np.add.reduce: np.add, np.sum: np.add, np.prod: np.multiply, np.multiply.reduce: np.multiply,
    np.max: np.maximum, np.amax: np.maximum, np.maximum.reduce: np.maximum, np.any: np.maximum,
    np.min: np.minimum, np.amin: np.minimum, np.minimum.reduce: np.minimum, np.all: np.minimum,
    np.count_nonzero: np.add, np.logical_or.reduce: np.maximum, np.logical_and.reduce: np.minimum,
}  # fmt: skip
_OF_TRUTH = {np.any, np.all, np.logical_or.reduce, np.logical_and.reduce, np.count_nonzero}


class Reduced(NamedTuple):
    """How a kernel reduces the elements of a node.

    Attributes:
        ufunc: what puts two numbers together.
        truth: whether only it counts whether an element is zero.
        shape: of the result.
        dtype: its type.
    """

    ufunc: np.ufunc
    truth: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def parts(self, of_kernel: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a kernel writes."""
        return (blocks(prod(of_kernel)),)

    @property
    def finish(self) -> Callable[[Any], Any]:
        """What remains to be done with that."""
        whole, dtype, shape = self.ufunc.reduce, self.dtype, self.shape
        if shape == () and dtype.kind == "f":
            return whole
        if dtype.kind == "f":
            return lambda parts: whole(parts).reshape(shape)
        # counts of float32 are exact in a block, and beyond it in float64
        if shape == ():
            return lambda parts: dtype.type(whole(parts, dtype=np.float64))
        return lambda parts: np.asarray(whole(parts, dtype=np.float64)).astype(dtype).reshape(shape)


def reduced(node: Node) -> Reduced | None:
    """How a node reduces its argument, if it is all of it, to one number."""
    call = node.extra
    if node.op != "call" or not isinstance(call, Applied) or call.function not in _UFUNCS:
        return None
    (array,) = node.args[:1]
    if len(node.args) != 1 or call.args[:1] != (HOLE,) or len(call.args) > 2 or prod(array.shape) < 2:
        return None
    given = call.kwargs | ({"axis": call.args[1]} if len(call.args) > 1 else {})
    default = 0 if isinstance(getattr(call.function, "__self__", None), np.ufunc) else None
    axis = given.pop("axis", default)
    if given.keys() - {"keepdims"} or (len(call.args) > 1 and "axis" in call.kwargs):
        return None
    axes = (axis,) if isinstance(axis, int) else range(len(array.shape)) if axis is None else axis
    if not isinstance(axes, (tuple, range)) or len({a % len(array.shape) for a in axes}) != len(array.shape):
        return None
    truth = call.function in _OF_TRUTH
    summed = _UFUNCS[call.function] is np.add
    types = "biu" if truth or (summed and array.dtype == bool) else "f"
    if node.dtype.kind not in types or (types == "f" and node.dtype != array.dtype):
        return None
    return Reduced(_UFUNCS[call.function], truth, node.shape, node.dtype)
