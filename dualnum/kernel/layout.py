"""How the operands of a program lie in memory.

Groups of planes are the operands: the outputs first, then the inputs. A group has one layout:

    "c"  contiguous planes, one after the other
    "p"  contiguous planes at any distance
    "n"  planes of any strides, which broadcast to the shape of the results
    "g"  planes and elements at any distances, to be gathered
    "r"  planes that repeat, each followed by its beginning
    "w"  a contiguous plane with zeros before and behind it
    "o"  one where the plane of such a layout would be, zero before and behind it
    "W"  contiguous rows of a matrix with zeros on all sides
    "m"  rows in one piece each, at one distance
    "v"  a contiguous plane, whose elements in groups of a period go round by a shift
    "b"  one number a plane, the same everywhere
    "s"  one number
    "+"  of results, what is left to be put together (see `reduction`)
    "*"  a plane of any shape and type, to be spread over the elements: what is compiled for "p" is called with it

Of jets with several directions plane 0 of a group, the values, is followed by a plane for each direction for each
further program input.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..algebra import Extents
from ..kinds import DType, Value
from .ir import INPUT, Program

__all__ = [
    "BLOCK", "Group", "Planes", "Routine", "elements", "flat_inputs", "goes_round", "laid_out", "moving", "opened",
    "period", "ring",
]  # fmt: skip

BLOCK = 32768  # elements that are broadcast, cast or gathered at a time


class Planes(NamedTuple):
    """An operand as a kernel reads it: stacked planes of shape (…, *shape), of which `count` coefficients are read.

    With several directions a coefficient above the value has a plane for each.
    """

    array: Any
    count: int  # type: ignore[assignment]
    extents: Extents = ()

    @property
    def moves(self) -> bool:
        """Whether there are planes above the value."""
        return self.extents.count(None) < len(self.extents)


class Reads(Protocol):
    """What is asked of a target before operands are laid out."""

    layouts: str

    def empty(self, shape: tuple[int, ...], dtype: DType) -> Any: ...


class Group(NamedTuple):
    """Operands of one layout: `planes` program inputs (or outputs) in a row."""

    layout: str
    planes: int


class Routine(NamedTuple):
    """A program with the layouts of what it writes and reads.

    Attributes:
        directed: for jets with several directions.
        guarded: it runs after another raised the alarm, and writes the elements where its own holds.
        single: planes have one element.
    """

    program: Program
    outputs: Sequence[Group]
    inputs: Sequence[Group]
    directed: bool = False
    guarded: bool = False
    single: bool = False


def moving(program: Program, inputs: Sequence[Group]) -> list[bool]:
    """Which nodes depend on more than the values, the first of each group of inputs."""
    numbers = [m for group in inputs for m in range(group.planes)]
    result: list[bool] = []
    for node in program.nodes:
        result.append(numbers[node.extra] > 0 if node.op == INPUT else any(result[a] for a in node.args))
    return result


# ── laying out ───────────────────────────────────────────────────────────────────────────────────


def laid_out(x: Planes, shape: tuple[int, ...], target: Reads) -> tuple[Planes, str]:
    """The planes as a kernel can read them, with the name of the layout; copied where it must be."""
    array = x.array
    flags = array.flags
    if "n" in target.layouts:
        if array.shape[1:] == shape and flags.c_contiguous:
            return x, "c"
        return x if _in_elements(array) else x._replace(array=array.copy()), "n"
    if array.shape[1:] == shape and flags.c_contiguous and flags.aligned:
        return x, "c"
    if flags.aligned:
        layouts = target.layouts
        if "b" in layouts and prod(array.shape[1:]) == 1:
            return x, "b"
        if array.shape[1:] == shape:
            if "p" in layouts and array[0].flags.c_contiguous:
                return x, "p"
            if "g" in layouts and len(shape) == 1:
                return x, "g"
        elif "r" in layouts and goes_round(array.shape[1:], shape):
            return x._replace(array=ring(array)), "r"
    full = target.empty((len(array), *shape), array.dtype)
    full[...] = opened(array, len(shape))
    return x._replace(array=full), "c"


def _in_elements(array: Value) -> bool:
    """Whether all strides are whole numbers of elements."""
    return all(stride % array.itemsize == 0 for stride in array.strides)


_RING = 64  # more elements than any vector has
_WORTH_A_RING = 4096  # elements of the result; of fewer a copy is made sooner


def goes_round(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of one shape, broadcast to another that is long, is itself again and again in memory."""
    if prod(shape) <= _WORTH_A_RING:
        return False
    while given and given[0] == 1:
        given = given[1:]
    return len(given) < len(shape) and shape[len(shape) - len(given) :] == given and 0 not in given


def ring(array: Value) -> Any:
    """The planes, each followed by its beginning, so that a vector read at any place of the period is in one piece."""
    flat = array.reshape(len(array), -1)
    period = flat.shape[1]
    if period < _RING:
        flat = np.tile(flat, (1, -(-_RING // period)))
    return np.concatenate((flat, flat[:, :_RING]), axis=1)


def period(ring: Any) -> int:
    """After how many elements the planes of a ring begin again."""
    size: int = ring.shape[1]
    return size - _RING


def opened(array: Value, ndim: int) -> Any:
    """Planes with axes opened behind the first, so that they broadcast to `ndim` axes."""
    return array.reshape(array.shape[0], *(1,) * (ndim + 1 - array.ndim), *array.shape[1:])


def elements(results: Sequence[Any], length: int) -> tuple[int, ...]:
    """The shape of the elements, so many, of which these are the results."""
    shape: tuple[int, ...] = results[0].shape[1:]
    return shape if prod(shape) == length else (length,)  # of what is reduced there are blocks


def flat_inputs(arguments: Sequence[Any], shape: tuple[int, ...]) -> list[Any]:
    """The program's inputs one by one, as arrays of one axis or numbers, for results of this shape."""
    length = prod(shape)
    flat: list[Any] = []
    for x in arguments:
        if type(x) is not tuple:
            flat.append(x)
            continue
        planes = x[0].array[: x[0].count]
        missing = x[0].count - len(planes)  # of a jet with no directions at all, nothing above the value is there
        if x[1] == "n" and planes.shape[1:] != shape:
            planes = np.broadcast_to(opened(planes, len(shape)), (len(planes), *shape))
        if x[1] == "r":
            planes = planes[:, np.arange(length) % period(planes)]
        single = prod(planes.shape[1:]) == 1 and length != 1
        flat += list(planes.reshape(len(planes))) if single else list(planes.reshape(len(planes), length))
        flat += [None] * missing
    return flat
