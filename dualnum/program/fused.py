"""A fused run of the elementwise nodes of a trace, ready to run on arrays.

It reads what lies in one piece where it is; numbers are spread in its registers, and what must be broadcast, cast or
gathered comes to it block by block, so that no temporary grows with the arrays.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..backend import contiguous
from ..kernel import launch
from ..kernel.ir import Program
from ..kernel.layout import BLOCK, Group, period, ring
from ..kernel.plan import Plan
from ..kinds import DType, Value
from .nodes import Node
from .places import turned
from .sums import Reduced

__all__ = ["Kernel", "Output", "Source", "around", "ringed", "spread"]


class Source(NamedTuple):
    """What a kernel reads.

    Attributes:
        node: whose array.
        layout: see `kernel.layout`; "p" for what may have to come block by block, "t" for what is rolled before.
        planes: how many entries of its first axis are inputs, one by one; 0 where it is one input.
        ready: the array is known to lie as the layout says; else it is laid out before.
        window: for the layouts "w", "o" and "W", where in the kernel's elements it lies; for "v" and "t" period and
            shift; for "m" how long rows are, and how far apart; for "r" what a kernel is told of a ring.
    """

    node: Node
    layout: str
    planes: int = 0
    ready: bool = True
    window: tuple[int, ...] = (0, 0)


class Output(NamedTuple):
    """What a kernel writes: for a stack its first `planes` entries, of `size`; `size` is 0 where it is none.

    A small array is a stack of its entries. What is `reduced` has still to be put together.
    """

    node: Node
    planes: int = 1
    size: int = 0
    reduced: Reduced | None = None

    def shape(self, of_kernel: tuple[int, ...]) -> tuple[int, ...]:
        """Of the array that is written."""
        if self.node.op == "pack":
            shape: tuple[int, ...] = self.node.shape
            return shape
        if self.reduced is not None:
            return self.reduced.parts(of_kernel)
        return (self.size, *of_kernel) if self.size else of_kernel


@dataclass(slots=True)
class Kernel:
    """A fused run of elementwise nodes of one shape and type."""

    plan: Plan
    shape: tuple[int, ...]
    dtype: Any
    sources: list[Source]
    outputs: list[Output]
    program: Program
    groups: list[Group]

    @property
    def watches(self) -> bool:
        """Whether somebody has to ask for its alarm."""
        return self.program.alarm is not None and self.plan.mend is None

    @property
    def direct(self) -> bool:
        """Whether the machine's function can be called as it is, on arrays that are laid out in one go, if at all."""
        short = prod(self.shape) <= BLOCK
        return self.plan.direct is not None and all(
            s.layout in "crswvmWo" and (s.ready or short or s.layout == "r") for s in self.sources
        )

    @property
    def at_once(self) -> bool:
        """Whether a launch needs nothing before or after it, on a machine that is not looked at."""
        bare = self.program.alarm is None and self.plan.early is None and self.plan.target.compiled
        return bare and prod(self.shape) > 0 and all(s.layout in "cs" for s in self.sources)

    def start(self, raised: Any, *arrays: Any) -> list[Any] | None:
        """The same on a machine that is not looked at: where an alarm is raised, it is the one that is given."""
        operands = [float(x) if s.layout == "s" else _at_once(s, x) for s, x in zip(self.sources, arrays, strict=True)]
        results = [self.plan.target.empty((size or 1, *self.shape), self.dtype) for _, _, size, _ in self.outputs]
        raised = None if self.plan.mend is not None else raised  # what follows asks for an alarm of its own
        if self.plan.run(results, operands, prod(self.shape), raised=raised):
            return None
        return [y if o.size else y[0, ...] for o, y in zip(self.outputs, results, strict=True)]

    def run(self, *arrays: Any) -> list[Any] | None:
        """The outputs for the arrays of the sources; None where the alarm was raised."""
        length, target = prod(self.shape), self.plan.target
        whole = any(y.reduced is not None for y in self.outputs)
        in_blocks = "*" in target.layouts and self.plan.early is None and length > BLOCK and not whole
        operands = [self._operand(source, x, in_blocks) for source, x in zip(self.sources, arrays, strict=True)]
        results = [
            target.empty((1, *y.shape(self.shape)) if y.reduced else (y.size or 1, *self.shape), self.dtype)
            for y in self.outputs
        ]
        alarm = self.plan.run(results, operands, length)
        for output, planes in zip(self.outputs, results, strict=True):
            planes[output.planes :] = 0
        if alarm:
            return None
        pairs = zip(self.outputs, results, strict=True)
        return [_given(o, y, self.shape) for o, y in pairs]

    def _operand(self, source: Source, x: Value, in_blocks: bool) -> Any:
        """An array as a plan takes it; with `in_blocks` the target spreads it."""
        layout, count = source.layout, source.planes
        if layout == "s":
            return float(x.item() if isinstance(x, np.ndarray) else x)
        if layout == "r":
            ring = x if source.ready else ringed(x)
            return launch.Planes(ring[None], 1), layout
        x = np.asarray(x) if count else np.asarray(x)[None]
        if count and not self.shape:  # entries of an array
            x = x.reshape(-1)
        if layout == "t":
            x, layout = turned(x, *source.window), "c"
        if layout in "wvWo":
            x = np.ascontiguousarray(x)
        if layout in "wvWmo" and layout not in self.plan.target.layouts:
            x, layout = _laid(x, layout, source.window, self.shape), "c"
        if layout not in "cp" or (x.dtype == self.dtype and x.shape[1:] == self.shape and x.flags.c_contiguous):
            x = x if x.dtype == self.dtype else x.astype(self.dtype)
        elif layout == "p" and in_blocks:
            layout = "*"
        else:
            x = spread(x, (len(x), *self.shape), self.dtype)
        planes = launch.Planes(x, count or 1)
        return (planes, layout, source.window) if layout in "wvmWo" else (planes, layout)


def _given(output: Output, planes: Any, shape: tuple[int, ...]) -> Any:
    """What a kernel has written for an output, as it is read."""
    if output.reduced is not None:
        return output.reduced.finish(planes[0])
    return planes.reshape(output.shape(shape)) if output.size else planes[0, ...]


def _at_once(source: Source, x: Value) -> Any:
    """An array as a machine takes it that reads everything where it lies."""
    x = contiguous(x) if source.layout == "w" else x
    planes = launch.Planes(x if source.planes else x[None], source.planes or 1)
    return (planes, "w", source.window) if source.layout == "w" else (planes, source.layout)


def spread(x: Value, shape: tuple[int, ...], dtype: DType) -> Any:
    """x spread over this shape in one piece, in this type."""
    laid = np.empty(shape, dtype)
    laid[...] = x
    return laid


def ringed(x: Value) -> Any:
    """An array that goes round in a kernel, as the layout "r" has it."""
    return ring(np.asarray(x)[None])[0]


def around(shape: tuple[int, ...]) -> tuple[int, int]:
    """What a kernel is told of such an array: there is one plane, and after how many elements it begins again."""
    return 0, period(ring(np.zeros((1, prod(shape)), bool)))


def _laid(x: Value, layout: str, window: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """A plane in one piece, as one of these layouts has it."""
    if layout == "m":
        return np.ascontiguousarray(x)
    if layout == "v":
        return turned(x, *window)
    wide = np.zeros((1, *shape), x.dtype)
    if layout in "wo":
        wide.reshape(-1)[slice(*window)] = x.reshape(-1)
    else:
        period, _, _, west, east, north, south = window
        wide.reshape(-1, period)[north // period : south // period, west:east] = x.reshape(-1, east - west)
    return wide
