"""Where the entries of a part of an array lie, how kernels read and write them there, and what NumPy does instead."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..backend import namespace
from ..kinds import DType, Index, Value

__all__ = ["SHORTEST", "basic", "located", "pieced", "place", "rows", "turned", "window"]

SHORTEST = 16  # entries of a row that kernels follow from its end to another: what a vector has at most


def basic(index: Index) -> tuple[Any, ...] | None:
    """An index of slices and integers, by which no entry is found twice, as a tuple; None for others."""
    items = index if isinstance(index, tuple) else (index,)
    items = tuple([int(i) if isinstance(i, np.integer) else i for i in items])
    return items if all(i is None or i is Ellipsis or type(i) in (int, slice) for i in items) else None


def place(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, int] | None:
    """From where to where the entries of x[index] lie in x, read row by row; None where not in one piece."""
    part = located(shape, index)
    if not part.flags.c_contiguous:
        return None
    first = _first(part)
    return first, first + part.size


def rows(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, int] | None:
    """How long the rows of x[index] are, and how far from the end of one to the next; None where they are not alike."""
    return _rows(located(shape, index))


def window(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where x[index] lies in x, as `place` says, or as rows of a matrix: what the layouts "w" and "W" are told.

    None where it is neither.
    """
    whole = place(index, shape)
    if whole is not None:
        return whole
    part = located(shape, index)
    its, period = _rows(part), shape[-1]
    if its is None or sum(its) != period:
        return None
    wide, gap = its
    (top, left), count = divmod(_first(part), period), part.size // wide
    return period, -gap, top * wide + left, left, left + wide, top * period, (top + count) * period


def _rows(part: Any) -> tuple[int, int] | None:
    if part.ndim < 2 or part.size == 0 or part.shape[-1] < SHORTEST or part.strides[-1] != 1:
        return None
    axes = [(n, stride) for n, stride in zip(part.shape[:-1], part.strides, strict=False) if n > 1]
    if any(a[1] != b[0] * b[1] for a, b in pairwise(axes)):
        return None
    return part.shape[-1], (axes[-1][1] if axes else part.shape[-1]) - part.shape[-1]


def located(shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """x[index] of an array whose entries lie one byte apart, where there is no memory: to ask where they would lie."""
    strides = [1] * len(shape)
    for axis in range(len(shape) - 1, 0, -1):
        strides[axis - 1] = strides[axis] * shape[axis]
    whole = np.lib.stride_tricks.as_strided(_BYTE, shape, strides, writeable=False)
    return whole[index if any(i is Ellipsis for i in index) else (*index, ...)]  # a view also of a single entry


def _first(part: Any) -> int:
    first: int = part.__array_interface__["data"][0] - _BYTE.__array_interface__["data"][0]
    return first


def pieced(pieces: Sequence[Any], indices: Iterable[Any], shape: tuple[int, ...], dtype: DType) -> Any:
    """What NumPy computes for a "placed" node: the sum of arrays that are zero but at their indices."""
    total = namespace(*pieces).zeros(shape, dtype)
    if len(pieces) == 1:  # −0 stays what it is
        total[next(iter(indices))] = pieces[0]
        return total
    for index, piece in zip(indices, pieces, strict=True):
        total[index] += piece
    return total


def turned(x: Value, period: int, shift: int) -> Any:
    """What it computes for a "rolled" one: the entries in groups, of which each goes round."""
    return np.roll(np.reshape(x, (-1, period)), shift, 1).reshape(x.shape)


_BYTE = np.zeros(1, np.uint8)
