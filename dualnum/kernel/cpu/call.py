"""How a kernel's machine code is called.

    int kernel(operands…, [directions,] length, begin, end)

computes the elements from begin to end and gives back whether the alarm was raised. The operands are the outputs,
then the inputs. For a number stands the number. For planes stands their address, and behind it what their layout
leaves open: distances in bytes, the rest in elements. For "c" and "w" the array object itself stands in its address's
place, where it is known how such an object keeps the address: that is found sooner by machine code.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ..layout import Group

__all__ = ["INTEGERS", "OBJECTS", "data_offset", "signature"]

# the integers behind an address: the distance between planes, that between elements; the elements after which planes
# repeat; from which to which element a plane reaches
INTEGERS: dict[str, tuple[str, ...]] = {
    "c": (),
    "p": ("ps",),
    "g": ("ps", "es"),
    "r": ("ps", "period"),
    "w": ("first", "last"),
    "b": ("ps",),
}
OBJECTS = "cw"  # layouts whose arrays may stand for their addresses


@cache
def data_offset() -> int:
    """Where an ndarray object keeps its data pointer (the first field behind Python's header), or −1."""
    offset = object.__basicsize__
    for probe in (np.zeros(3), np.ones((2, 2))[1:]):
        if ctypes.c_void_p.from_address(id(probe) + offset).value != probe.ctypes.data:
            return -1
    return offset


def signature(
    outputs: Sequence[Group], inputs: Sequence[Group], dtype: np.dtype[Any], directed: bool = False
) -> list[Any]:
    """The types of the kernel's arguments for ctypes."""
    number = ctypes.c_double if dtype.itemsize == 8 else ctypes.c_float
    types: list[Any] = []
    for group in (*outputs, *inputs):
        if group.layout == "s":
            types.append(number)
        else:
            types += [ctypes.c_void_p, *[ctypes.c_int64] * len(INTEGERS[group.layout])]
    return [*types, *[ctypes.c_int64] * (4 if directed else 3)]
