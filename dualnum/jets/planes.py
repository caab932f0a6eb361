"""The stacked coefficients of a jet: put together, zero, read-only, apart from one another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..algebra import Algebra
from ..backend import is_array, namespace
from ..kernel import launch
from ..kinds import DType, Value
from ..operand import Operand, beside, is_jet, library
from ..operand.levels import Scope

__all__ = [
    "Level", "add_at", "aligned", "as_jets", "empty", "peeled", "placed", "readonly", "stack_blocks", "unshared",
    "zero_like",
]  # fmt: skip


# ── the levels of jets ───────────────────────────────────────────────────────────────────────────


class Level(NamedTuple):
    """The jets of one scope, and what they are made by."""

    scope: Scope
    algebra: Algebra
    kind: Any


def peeled(x: Value, down_to: int = 0) -> tuple[Any, list[tuple[Level, int]]]:
    """What lies under the jets of x above a level, and of these the levels with their extents, from the lowest up."""
    above: list[tuple[Level, int]] = []
    while is_jet(x) and x.scope.level > down_to:
        above.append((Level(x.scope, x.algebra, x.kind), x.extent))
        x = x.planes
    return x, above[::-1]


def as_jets(levels: Sequence[Level], base: Value, extents: Sequence[int | None]) -> Any:
    """The jets of these levels over an array with an axis for each; None for a level without."""
    for level, extent in zip(levels, extents, strict=True):
        if extent is not None:
            base = object.__new__(level.kind)._set(base, extent, level.algebra, level.scope)
    return base


# ── stacks ───────────────────────────────────────────────────────────────────────────────────────


def empty(shape: tuple[int, ...], dtype: DType, x: Value) -> Any:
    """``np.empty`` where the array x is, of NumPy's from kept memory."""
    if isinstance(x, np.ndarray):
        return memory.empty(shape, dtype)
    xp = namespace(x)
    return (memory if xp is np else xp).empty(shape, dtype)


def stack_blocks(blocks: Sequence[tuple[Any, int]], size: int, first: Any) -> Any:
    """Planes of shape (size, *first.shape) from blocks of one or more planes each, zeros behind them."""
    shape = tuple(first.shape)
    if all(is_array(part) or not isinstance(part, Operand) for part, _ in blocks):
        planes = None
        if not isinstance(first, (np.ndarray, np.generic)):
            planes = launch.put_together(blocks, size, shape, first.dtype)
        if planes is not None:
            return planes
        planes = empty((size, *shape), first.dtype, first)
        start = 0
        for part, count in blocks:
            planes[start : start + count] = part
            start += count
        planes[start:] = 0
        return planes
    joined = first._put_together(blocks, size) if isinstance(first, Operand) else None
    joined = _joined_below(blocks, size, first) if joined is None else joined
    if joined is not None:
        return joined
    full = [np.broadcast_to(_typed(part, first), (count, *shape)) for part, count in blocks]
    missing = size - sum(count for _, count in blocks)
    if missing:
        full.append(library(first).zeros((missing, *shape), first.dtype))
    return np.concatenate(full)


def _joined_below(blocks: Sequence[tuple[Any, int]], size: int, first: Any) -> Any:
    """The same where the parts are jets over plain arrays: filled in below all levels. None for what is recorded."""
    each = [peeled(part) for part, _ in blocks]
    if any(isinstance(base, Operand) for base, _ in each):
        return None
    known: dict[int, Level] = {}
    extents: dict[int, int] = {}
    for _, above in each:
        for level, extent in above:
            k = level.scope.level
            if known.setdefault(k, level)[:2] != level[:2]:
                return None  # and what is wrong is said there
            extents[k] = level.algebra.union(extent, extents.get(k, 0))
    levels = [known[k] for k in sorted(known)]
    shape = tuple(first.shape)
    xp = namespace(*(base for base, _ in each))
    base = xp.zeros((*(level.algebra.size for level in levels), size, *shape), first.dtype)
    start = 0
    for (part, above), (_, count) in zip(each, blocks, strict=True):
        there = {level.scope.level for level, _ in above}
        index = tuple(slice(None) if level.scope.level in there else 0 for level in levels)
        if np.ndim(part):  # the axes that broadcasting needs stand behind those of the levels
            own = part.shape[len(there) :]
            part = part.reshape(*part.shape[: len(there)], *(1,) * (1 + len(shape) - len(own)), *own)
        base[(*index, slice(start, start + count))] = part
        start += count
    return as_jets(levels, base, [extents[level.scope.level] for level in levels])


def _typed(part: Value, first: Any) -> Any:
    """A plain part in the type of the values, so that a structural zero does not widen them."""
    if isinstance(part, Operand):
        return part if part.dtype == first.dtype else part.astype(first.dtype)
    return beside(part, first)


def aligned(planes: Value, ndim: int) -> Any:
    """Planes of arrays with `ndim` axes: axes are opened behind the first, so that they broadcast as the arrays do."""
    missing = ndim + 1 - planes.ndim
    return planes[(slice(None), *[None] * missing)] if missing > 0 else planes


def placed(x: Value, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """An array of this shape, zero but at an index of slices and integers, where it is x."""
    if x.nbytes < memory.LARGE or namespace(x) is not np:
        full = (np if type(x) is np.ndarray else namespace(x)).zeros(shape, x.dtype)
        full[index] = x
        return full
    full = inside = memory.empty(shape, x.dtype)
    if all(isinstance(i, slice) and i.step in (None, 1) for i in index):
        for axis, part in enumerate(index):  # zeros before and behind: no entry is written twice
            start, stop, _ = part.indices(shape[axis])
            along = (slice(None),) * axis
            inside[(*along, slice(0, start))] = 0
            inside[(*along, slice(max(start, stop), None))] = 0
            inside = inside[(*along, slice(start, stop))]
        inside[...] = x
    else:
        full.fill(0)
        full[index] = x
    return full


def add_at(x: Value, index: Any, more: Value) -> None:
    """x[index] += more, for slices and integers."""
    if isinstance(x, np.ndarray):
        x[index] += more
    else:  # a view on a device, of one number as well: what was added is not copied there once more
        part = x[index]
        part += more


def zero_like(x: Value) -> Any:
    """A zero of x's shape that keeps Python scalars weak."""
    if isinstance(x, (bool, int, float, complex)):
        return 0.0
    shape, dtype = np.shape(x), getattr(x, "dtype", np.dtype(float))
    zero = library(x).zeros((), dtype)
    return np.broadcast_to(zero, shape) if shape else zero


def readonly(x: Value) -> Any:
    if isinstance(x, np.ndarray):
        x = x.view()
        x.flags.writeable = False
    return x


def unshared(planes: Value, target: Any) -> Any:
    if isinstance(planes, Operand):
        return planes.copy()
    if namespace(planes) is np and not np.may_share_memory(planes, target):
        return planes
    return planes.copy()
