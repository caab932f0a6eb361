"""How a kernel of CUDA's is called: its variant by what the operands turn out to be, its arguments, the launch.

Nothing here waits for the device. An alarm is a ticket that the kernel leaves in a slot, which is looked at only where
somebody asks; each launch that may raise one has a ticket of its own.
"""

import itertools
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ...backend import cupy
from ..layout import Routine
from .text import FEW, SLOTS, THREADS, Variant, render

__all__ = ["OPTIONS", "Alarm", "Kernel"]

OPTIONS = ("--fmad=false",)
_NARROW = (1 << 31) - FEW  # places from which on they need 64 bits, also those of a guarded kernel's next elements
_tickets = itertools.count(1)


class Kernel:
    """A routine, compiled for each variant at its first use."""

    def __init__(self, routine: Routine) -> None:
        self.routine = routine
        self._functions: dict[Any, Any] = {}
        self._watches = routine.program.alarm is not None
        self._alike = routine.program.dtype.char * sum(group.layout != "s" for group in routine.inputs)

    def __call__(
        self,
        results: Sequence[Any],
        operands: Sequence[Any],
        length: int,
        directions: int | None,
        raised: "Alarm | None" = None,
    ) -> "Alarm | bool":
        """Starts it on the current device and stream; a guarded one after the alarm that was `raised`, or was not."""
        given: list[Any] = [*results]
        types: list[str] = []
        strided: list[Any] = []
        most = results[0].size
        for x in operands:
            if type(x) is not tuple:
                given.append(float(x))
                continue
            array, layout = x[0].array, x[1]
            types.append(array.dtype.char)
            most = max(most, array.size)
            given.append(array)
            if layout == "n":
                strided.append((len(given), array))
            elif layout == "w":
                given += x[2]
        sizes: Sequence[int] = ()
        if strided:
            shape = results[0].shape[1:]
            distances, sizes, reach = _in_steps(shape, tuple([(a.shape, a.strides, a.itemsize) for _, a in strided]))
            most = max(most, reach)
            for (place, _), steps in zip(reversed(strided), reversed(distances), strict=True):
                given[place:place] = steps
        if directions is not None:
            given.append(directions)
        given.append(length)
        given += sizes[1:]
        alarm: Alarm | bool = False
        if self._watches:
            alarm = Alarm() if raised is None else raised
            given += [alarm.slots, alarm.ticket]
        self._launch((len(sizes), most >= _NARROW, "".join(types)), given, results[0].data.device_id, length)
        return alarm if raised is None else False

    def direct(self, given: list[Any], array: Any, length: int) -> None:
        """The same of arrays in one piece, of one type and size like `array`, and of numbers; without an alarm."""
        given.append(length)
        self._launch((0, array.size >= _NARROW, self._alike), given, array.data.device_id, length)

    def _launch(self, variant: tuple[int, bool, str], given: list[Any], device: int, length: int) -> None:
        function = self._functions.get((variant, device))
        if function is None:
            text = render(self.routine, Variant(*variant))
            function = self._functions[variant, device] = _compiled(text).kernel.linear_launch
        function(min(length, FEW) if self.routine.guarded else length, given, 0, THREADS)


class Alarm:
    """Whether a kernel, or one of several, raised it: true or false once it is asked, which waits for the device."""

    __slots__ = ("slots", "ticket")

    def __init__(self) -> None:
        self.ticket = next(_tickets)
        self.slots = _slots(cupy().cuda.runtime.getDevice())

    def __bool__(self) -> bool:
        return int(self.slots[self.ticket % SLOTS]) == self.ticket & 0xFFFFFFFF


@cache
def _slots(device: int) -> Any:
    """The slots of the current device, cleared for all streams."""
    slots = cupy().zeros(SLOTS, np.uint32)
    slots.device.synchronize()
    return slots


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Any:
    module = cupy().RawModule(code=text, options=OPTIONS)
    return module.get_function("kernel")


@lru_cache(maxsize=4096)
def _in_steps(shape: tuple[int, ...], operands: Any) -> tuple[list[tuple[int, ...]], tuple[int, ...], int]:
    """The distances between planes and along each axis for operands that broadcast to a shape, axes in a row joined.

    Beside them the sizes of the axes, and how many elements lie between any two that are read.
    """
    steps = []
    for its, strides, size in operands:
        missing = len(shape) - (len(its) - 1)
        along = [0] * missing + [0 if n == 1 else s // size for n, s in zip(its[1:], strides[1:], strict=True)]
        steps.append((strides[0] // size if its[0] > 1 else 0, along, its[0]))
    axes: list[int] = []  # those that stay, each with the size of the joined ones
    sizes: list[int] = []
    for k, n in enumerate(shape):
        if n == 1:
            continue
        if axes and all(along[axes[-1]] == n * along[k] for _, along, _ in steps):
            axes[-1], sizes[-1] = k, sizes[-1] * n
        else:
            axes.append(k)
            sizes.append(n)
    if not axes:
        axes, sizes = [0], [1]
        steps = [(first, along or [0], planes) for first, along, planes in steps]
    distances = [(first, *(along[k] for k in axes)) for first, along, _ in steps]
    reach = max(
        abs(first) * planes + sum(abs(along[k]) * n for k, n in zip(axes, sizes, strict=True))
        for first, along, planes in steps
    )
    return distances, tuple(sizes), reach
