"""A fused run of the elementwise nodes of a trace, ready to run on arrays.

It reads what lies in one piece where it is; numbers are spread in its registers, and what must be broadcast, cast or
gathered comes to it block by block, so that no temporary grows with the arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..kernel import launch
from ..kernel.cpu.call import data_offset
from ..kernel.ir import Program
from ..kernel.layout import Group
from .nodes import Node

__all__ = ["BLOCK", "Kernel", "Source", "Target", "laid_out"]

BLOCK = 32768  # elements that are broadcast, cast or gathered at a time


class Source(NamedTuple):
    """What a kernel reads.

    Attributes:
        node: whose array.
        layout: see `kernel.layout`; "p" for what may have to come block by block.
        planes: how many entries of its first axis are inputs, one by one; 0 where it is one input.
        ready: the array is known to lie as the layout says; else it is laid out before.
        window: for the layout "w", from where to where in the kernel's elements it lies.
    """

    node: Node
    layout: str
    planes: int = 0
    ready: bool = True
    window: tuple[int, int] = (0, 0)


class Target(NamedTuple):
    """What a kernel writes: for a stack its first `planes` entries, of `size`; `size` is 0 where it is none."""

    node: Node
    planes: int = 1
    size: int = 0


@dataclass(slots=True)
class Kernel:
    """A fused run of elementwise nodes of one shape and type."""

    plan: launch.Plan
    shape: tuple[int, ...]
    dtype: Any
    sources: list[Source]
    targets: list[Target]
    program: Program
    groups: list[Group]

    @property
    def direct(self) -> bool:
        """Whether its machine code can be called as it is, on arrays that are laid out in one go, if at all."""
        if self.plan.call is None or self.plan.early is not None or data_offset() < 0:
            return False
        short = prod(self.shape) <= BLOCK
        return all(s.layout in "csw" and (s.ready or short) for s in self.sources)

    def run(self, *arrays: Any) -> list[Any] | None:
        """The targets for the arrays of the sources; None where the alarm was raised."""
        length = prod(self.shape)
        arguments: list[Any] = []
        spread = False
        in_blocks = self.plan.call is not None and self.plan.early is None and length > BLOCK
        for source, x in zip(self.sources, arrays, strict=True):
            layout, count = source.layout, source.planes
            if layout == "s":
                arguments.append(float(x.item() if isinstance(x, np.ndarray) else x))
                continue
            if type(x) is not np.ndarray:
                x = np.asarray(x)
            x = x if count else x[None]
            if layout == "w":
                x = np.ascontiguousarray(x)
                if self.plan.call is None:
                    x, layout = _widened(x, source.window, self.shape), "c"
            if layout == "c" or layout == "p":
                if x.dtype != self.dtype or x.shape[1:] != self.shape or not x.flags.c_contiguous:
                    if layout == "p" and in_blocks:
                        spread = True
                    else:
                        x = laid_out(x, (len(x), *self.shape), self.dtype)
            elif x.dtype != self.dtype:
                x = x.astype(self.dtype)
            arguments.append((launch.Planes(x, count or 1), layout))
        results = [memory.empty((size or 1, *self.shape), self.dtype) for _, _, size in self.targets]
        if self.plan.call is not None and length:
            spread = spread or any(s.layout == "w" for s in self.sources)
        run = self._run_in_blocks if spread else launch.run
        alarm = run(self.plan, results, arguments, length)
        for (_, count, _), planes in zip(self.targets, results, strict=True):
            planes[count:] = 0
        return None if alarm else [y if t.size else y[0, ...] for t, y in zip(self.targets, results, strict=True)]

    def _run_in_blocks(self, plan: launch.Plan, results: Sequence[Any], arguments: Sequence[Any], length: int) -> bool:
        """The kernel over pieces of the elements, each after its part of the awkward inputs was laid out."""
        given = [_address(y) for y in results]
        views: list[tuple[int, Any, Any]] = []  # place among the arguments, the spread array, its buffer
        for x, source in zip(arguments, self.sources, strict=True):
            if type(x) is not tuple:
                given.append(x)
                continue
            array, layout = x[0].array, x[1]
            if layout == "p" and (array.dtype != self.dtype or array.shape[1:] != self.shape or not _flat(array)):
                buffer = np.empty(min(length, BLOCK), self.dtype)
                views.append((len(given), np.broadcast_to(array[0], self.shape), buffer))
            given.append(_address(array) if layout in "cw" else array.__array_interface__["data"][0])
            given += [array.strides[0]] if layout in "pbg" else []
            given += [array.strides[1]] if layout == "g" else []
            given += source.window if layout == "w" else []
        assert plan.call is not None
        alarm = 0
        for begin, end, index in _blocks(self.shape):
            for place, view, buffer in views:
                part = view[index]
                np.copyto(buffer[: end - begin].reshape(part.shape), part, casting="unsafe")
                given[place] = buffer.__array_interface__["data"][0] - begin * self.dtype.itemsize
            alarm |= plan.call(*given, length, begin, end)
        return bool(alarm)


def laid_out(x: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """x spread over this shape in one piece, in this type."""
    laid = np.empty(shape, dtype)
    laid[...] = x
    return laid


def _widened(x: Any, window: tuple[int, int], shape: tuple[int, ...]) -> Any:
    """An array that is zero but in a window of its entries."""
    wide = np.zeros((1, *shape), x.dtype)
    wide.reshape(-1)[slice(*window)] = x.reshape(-1)
    return wide


def _flat(array: Any) -> bool:
    return bool(array.flags.c_contiguous)


def _address(array: Any) -> int:
    """What a kernel takes for a contiguous array."""
    return id(array) if data_offset() >= 0 else array.ctypes.data


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, Any]]:
    """Consecutive elements of an array of this shape, at most BLOCK at a time: begin, end, and their index."""
    axis, inner = 0, prod(shape)
    while axis < len(shape) and inner > BLOCK:  # the first axis whose entries fit into a block
        inner //= shape[axis]
        axis += 1
    axis = max(axis - 1, 0)
    inner = prod(shape[axis + 1 :])
    step = max(1, BLOCK // inner)
    begin = 0
    for outer in np.ndindex(shape[:axis]):
        for i in range(0, shape[axis], step):
            count = min(step, shape[axis] - i)
            yield begin, begin + count * inner, (*outer, slice(i, i + count))
            begin += count * inner
