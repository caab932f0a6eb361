"""A fused run of the elementwise nodes of a trace, ready to run on arrays.

It reads what lies in one piece where it is; numbers are spread in its registers, and what must be broadcast, cast or
gathered comes to it block by block, so that no temporary grows with the arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .kernel import launch, llvm, memory
from .kernel.ir import Program

__all__ = ["Kernel"]

_BLOCK = 32768  # elements that are broadcast, cast or gathered at a time


@dataclass(slots=True)
class Kernel:
    """A fused run of elementwise nodes of one shape and type.

    Attributes:
        sources: slot, layout and number of planes of each input (see `kernel.llvm`; "p" for what may have to come
            block by block).
        targets: slot of each output, how many planes are computed, and how many it has (0: it is no stack).
        booleans: slots to turn into booleans.
    """

    plan: launch.Plan
    shape: tuple[int, ...]
    dtype: Any
    sources: list[tuple[int, str, int]]
    targets: list[tuple[int, int, int]]
    booleans: list[int]
    program: Program
    groups: list[llvm.Group]

    def run(self, slots: list[Any]) -> bool:
        """Computes the targets from the sources in the slots; true where its alarm was raised."""
        arguments: list[Any] = []
        spread = False
        in_blocks = self.plan.call is not None and self.plan.early is None and prod(self.shape) > _BLOCK
        for i, layout, count in self.sources:
            x = slots[i]
            if layout == "s":
                arguments.append(float(x))
                continue
            if type(x) is not np.ndarray:
                x = np.asarray(x)
            if layout == "c" or layout == "p":
                x = x if count else x[None]
                if x.dtype != self.dtype or x.shape[1:] != self.shape or not x.flags.c_contiguous:
                    if layout == "p" and in_blocks:
                        spread = True
                    else:
                        x = np.ascontiguousarray(np.broadcast_to(x, (len(x), *self.shape)), self.dtype)
            else:
                x = x[None] if x.dtype == self.dtype else x[None].astype(self.dtype)
            arguments.append((launch.Planes(x, count or 1), layout))
        results = [memory.empty((size or 1, *self.shape), self.dtype) for _, _, size in self.targets]
        run = self._run_in_blocks if spread else launch.run
        alarm = run(self.plan, results, arguments, prod(self.shape))
        for (i, count, size), planes in zip(self.targets, results, strict=True):
            planes[count:] = 0
            slots[i] = planes if size else planes[0]
        for i in self.booleans:
            slots[i] = slots[i].astype(bool)
        return bool(alarm)

    def _run_in_blocks(self, plan: launch.Plan, results: Sequence[Any], arguments: Sequence[Any], length: int) -> bool:
        """The kernel over pieces of the elements, each after its part of the awkward inputs was laid out."""
        given = [_address(y) for y in results]
        views: list[tuple[int, Any, Any]] = []  # place among the arguments, the spread array, its buffer
        for x in arguments:
            if type(x) is not tuple:
                given.append(x)
                continue
            array, layout = x[0].array, x[1]
            if layout == "p" and (array.dtype != self.dtype or array.shape[1:] != self.shape or not _flat(array)):
                buffer = np.empty(min(length, _BLOCK), self.dtype)
                views.append((len(given), np.broadcast_to(array[0], self.shape), buffer))
            given.append(_address(array) if layout == "c" else array.__array_interface__["data"][0])
            given += [array.strides[0]] if layout in "pbg" else []
            given += [array.strides[1]] if layout == "g" else []
        assert plan.call is not None
        alarm = 0
        for begin, end, index in _blocks(self.shape):
            for place, view, buffer in views:
                part = view[index]
                np.copyto(buffer[: end - begin].reshape(part.shape), part, casting="unsafe")
                given[place] = buffer.__array_interface__["data"][0] - begin * self.dtype.itemsize
            alarm |= plan.call(*given, length, begin, end)
        return bool(alarm)


def _flat(array: Any) -> bool:
    return bool(array.flags.c_contiguous)


def _address(array: Any) -> int:
    """What a kernel takes for a contiguous array."""
    return id(array) if llvm.data_offset() >= 0 else array.ctypes.data


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, Any]]:
    """Consecutive elements of an array of this shape, at most _BLOCK at a time: begin, end, and their index."""
    axis, inner = 0, prod(shape)
    while axis < len(shape) and inner > _BLOCK:  # the first axis whose entries fit into a block
        inner //= shape[axis]
        axis += 1
    axis = max(axis - 1, 0)
    inner = prod(shape[axis + 1 :])
    step = max(1, _BLOCK // inner)
    begin = 0
    for outer in np.ndindex(shape[:axis]):
        for i in range(0, shape[axis], step):
            count = min(step, shape[axis] - i)
            yield begin, begin + count * inner, (*outer, slice(i, i + count))
            begin += count * inner
