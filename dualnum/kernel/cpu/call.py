"""How a kernel's machine code is called.

    int kernel(operands…, [directions,] length, begin, end)

computes the elements from begin to end and gives back whether the alarm was raised. The operands are the outputs,
then the inputs. For a number stands the number. For planes stands their address, and behind it what their layout
leaves open: distances in bytes, the rest in elements. For "c" and "w" the array object itself stands in its address's
place, where it is known how such an object keeps the address: that is found sooner by machine code.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ...kinds import Value
from ..layout import BLOCK, Routine, period
from .threads import alone, in_chunks

__all__ = ["INTEGERS", "NAMES", "OBJECTS", "arguments", "called", "data_offset", "in_blocks", "signature", "written"]

# the integers behind an address: the distance between planes, that between elements; the elements after which planes
# repeat; from which to which element a plane reaches; how many elements go round, and how far; how
# many are in a row, how far from its end to the next, and for zeros around them what comes before in memory and where
# in the result they begin and end
INTEGERS: dict[str, tuple[str, ...]] = {
    "c": (),
    "+": (),
    "p": ("ps",),
    "g": ("ps", "es"),
    "r": ("ps", "period"),
    "w": ("first", "last"),
    "o": ("first", "last"),
    "v": ("period", "shift"),
    "m": ("period", "gap"),
    "W": ("period", "gap", "ahead", "west", "east", "north", "south"),
    "b": ("ps",),
}
_GIVEN: dict[str, Callable[[Any, Any], Sequence[int]]] = {  # for an array, of an operand
    "p": lambda x, operand: x.strides[:1],
    "g": lambda x, operand: x.strides[:2],
    "r": lambda x, operand: (x.strides[0], period(x)),
    "w": lambda x, operand: operand[2],
    "o": lambda x, operand: operand[2],
    "v": lambda x, operand: operand[2],
    "m": lambda x, operand: operand[2],
    "W": lambda x, operand: operand[2],
    "b": lambda x, operand: x.strides[:1],
    "*": lambda x, operand: x.strides[:1],
}
OBJECTS = "crwvmWo"  # layouts whose arrays may stand for their addresses
NAMES = {"in_chunks": in_chunks}  # what `called` takes for granted


@cache
def data_offset() -> int:
    """Where an ndarray object keeps its data pointer (the first field behind Python's header), or −1."""
    offset = object.__basicsize__
    for probe in (np.zeros(3), np.ones((2, 2))[1:]):
        if ctypes.c_void_p.from_address(id(probe) + offset).value != probe.ctypes.data:
            return -1
    return offset


def signature(routine: Routine) -> list[Any]:
    """The types of the kernel's arguments for ctypes."""
    number = ctypes.c_double if routine.program.dtype.itemsize == 8 else ctypes.c_float
    types: list[Any] = []
    for group in (*routine.outputs, *routine.inputs):
        if group.layout == "s":
            types.append(number)
        else:
            types += [ctypes.c_void_p, *[ctypes.c_int64] * len(INTEGERS[group.layout])]
    return [*types, *[ctypes.c_int64] * (4 if routine.directed else 3)]


# ── arguments ────────────────────────────────────────────────────────────────────────────────────


def arguments(results: Any, operands: Sequence[Any], objects: bool) -> tuple[list[Any], list[tuple[int, Any]]]:
    """The operands as a kernel takes them, and of those to be spread their places and arrays; see `Target.run`."""
    whole: Callable[[Any], int] = id if objects else _address
    given: list[Any] = [whole(y) for y in results]
    spread: list[tuple[int, Any]] = []
    for x in operands:
        if type(x) is not tuple:
            given.append(x)
            continue
        array, layout = x[0].array, x[1]
        if layout == "c":
            given.append(whole(array))
            continue
        if layout == "*":
            spread.append((len(given), array[0]))
        given.append(whole(array) if layout in OBJECTS else array.__array_interface__["data"][0])
        given += _GIVEN[layout](array, x)
    return given, spread


def _address(array: Value) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def in_blocks(
    call: Callable[..., int], given: list[Any], spread: Sequence[tuple[int, Any]], result: Any, length: int
) -> bool:
    """The call over pieces of the elements, each after its part of the operands to be spread was laid out."""
    shape, dtype = result.shape[1:], result.dtype
    views = [(place, np.broadcast_to(x, shape), np.empty(min(length, BLOCK), dtype)) for place, x in spread]
    alarm = 0
    for begin, end, index in _blocks(shape):
        for place, view, buffer in views:
            part = view[index]
            np.copyto(buffer[: end - begin].reshape(part.shape), part, casting="unsafe")
            given[place] = _address(buffer) - begin * dtype.itemsize
        alarm |= call(*given, length, begin, end)
    return bool(alarm)


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


# ── calls written out ────────────────────────────────────────────────────────────────────────────


def written(name: str, layout: str, window: tuple[int, ...] = (0, 0)) -> str:
    """The text of the arguments for an array object of this name."""
    return ", ".join([f"id({name})", *(map(str, window) if layout in "rwvmWo" else ())])


def called(call: str, arguments: Sequence[str], owners: Sequence[str], length: int, work: int, unit: int = 0) -> str:
    """The text of the call of a kernel of this name over all elements."""
    given = ", ".join(arguments)
    if length <= alone(work):
        return f"{call}({given}, {length}, 0, {length})"
    return f"in_chunks({call}, ({given},), ({', '.join(owners)},), {length}, {work}{f', {unit}' * (unit > 0)})"
