"""Elementwise primitives on jets of jets: all levels at once, as polynomials in several variables.

The coefficients of nested jets lie in one array, an axis for each level. A primitive runs its recurrence once on the
homogeneous parts (see `graded`), whatever the array is made of: as one kernel on numbers, as one step of a record on
variables, coefficient by coefficient on tracers.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..algebra import Algebra, Extents, Monomial, Stack, directions, product_of, unlike
from ..backend import device_of, namespace, to_device
from ..errors import InvalidValue
from ..kernel import engine, launch
from ..kinds import DType, Value
from ..operand import Operand, highest, is_jet, library
from ..operand.levels import same_scope
from ..primitives.mends import mended
from ..primitives.table import Row
from .planes import Level, as_jets, peeled, stack_blocks

__all__ = ["by_parts", "coefficients", "joint", "on_jets", "primitive", "spread", "stacked_up", "together"]


def joint(levels: Sequence[Level]) -> Algebra:
    """The algebra of all levels together, along one direction each."""
    return product_of([level.algebra for level in levels])


def primitive(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> Any:
    """The primitive on stacks over these levels: a stack, of several results a tuple of them.

    Below the levels the bases may be numbers, arrays, variables or tracers.
    """
    bases = [s.base for s in operands]
    below = highest(bases)
    if below is None:
        return _on_arrays(row, levels, operands)
    recorded = below._stacked(row, levels, operands)
    return by_parts(row, levels, operands) if recorded is None else recorded


def _on_arrays(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> Any:
    directed = len(levels) > 1 and any(level.algebra.directions is not None for level in levels)
    launched = (_launched_along if directed else _launched)(row, levels, operands)
    if launched is None:
        return by_parts(row, levels, operands)
    return by_parts(row, levels, operands, launched[0]) if launched[1] else launched[0]


def _launched(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> tuple[Any, bool] | None:
    """As one kernel, and whether the row's mend must follow; None where there is none."""
    algebra = levels[0].algebra if len(levels) == 1 else joint(levels)
    given = [_given(algebra.single, stack) for stack in operands]
    made = launch.primitive(row, algebra, given) if launch.has_kernel(row) and None not in given else None
    if made is None:
        return None
    sizes = [level.algebra.size for level in levels]
    results = [Stack(planes.reshape(*sizes, *planes.shape[1:]), extents) for planes, extents in made[0]]
    return results[0] if row.ufunc.nout == 1 else tuple(results), made[1]


def _given(algebra: Algebra, stack: Stack) -> Any:
    """A stack as a kernel takes it; None of what is no number nor array of NumPy."""
    base = stack.base
    if engine.accepted(base) and (base.ndim or not isinstance(base, np.ndarray)):
        return launch.planes_of(algebra, stack)
    return base if _is_number(base) and not stack.axes else None


def _is_number(x: Value) -> bool:
    """Whether x is a number or array that kernels read."""
    return isinstance(x, (float, int, complex, np.generic, np.ndarray))


def _launched_along(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> tuple[Any, bool] | None:
    """The same with several directions, which are axes of the kernel's arrays: on short arrays."""
    if not launch.has_kernel(row):
        return None
    ndim = max(map(_ndim, operands))
    given = [spread(levels, stack, ndim) for stack in operands]
    if None in given:
        return None
    made = launch.primitive(row, joint(levels), given)
    if made is None:
        return None
    algebras = tuple(level.algebra for level in levels)
    everything = _table(made[0][0][0], algebras, tuple(a.full for a in algebras))
    results = []
    for planes, extents in made[0]:
        shape = planes.shape[1 + len(everything.axes) :]
        if planes.shape[1 : -len(shape) or None] != everything.axes:
            planes = np.broadcast_to(planes, (len(planes), *everything.axes, *shape))
        results.append(Stack(everything.gathered(planes, shape), extents))
    return results[0] if row.ufunc.nout == 1 else tuple(results), made[1]


def spread(levels: Sequence[Level], stack: Stack, ndim: int, once: bool = False, as_array: bool = False) -> Any:
    """The planes as a kernel takes them, directions as axes in front; or a number. None for what is long or no array.

    With `once`, of what will be summed, each plane stands in one place only; with `as_array` a number is one of those.
    """
    base, extents = stack
    base = np.asarray(base) if as_array and isinstance(base, np.generic) else base
    if not np.ndim(base) and not stack.axes and not as_array:
        return base if _is_number(base) else None
    algebras = tuple([level.algebra for level in levels])
    shape = tuple(np.shape(base))[stack.axes :]
    shape = (1,) * (ndim - len(shape)) + shape
    if not engine.accepted(base) or not directions.is_short(algebras, shape):
        return None
    its = _table(base, algebras, extents, once)
    full = (its.once if once else its.spread)(base, shape)
    return launch.Planes(full, len(full), extents)


def _table(base: Value, algebras: Sequence[Algebra], extents: Extents, full: bool = False) -> directions.Table:
    """`directions.table`, for what it takes of the planes of this base."""
    device = device_of(base)
    return directions.table(algebras, extents, full) if device == "cpu" else _placed(algebras, extents, full, device)


@lru_cache(maxsize=1024)
def _placed(algebras: Sequence[Algebra], extents: Extents, full: bool, device: str) -> directions.Table:
    its = directions.table(algebras, extents, full)
    return its._replace(there=to_device(its.there, device), stands=to_device(its.stands, device))


def on_jets(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> Stack:
    """The primitive on stacks whose bases may be anything, as jets of these levels do it."""
    jets = [as_jets(levels, base, extents) for base, extents in operands]
    ufunc = row.ufunc
    if isinstance(ufunc, np.ufunc):
        y = ufunc(*jets)
    else:
        top = highest(jets)
        assert top is not None
        y = top._primitive(row, tuple(jets))
    extents: list[int | None] = []
    for level in reversed(levels):
        own = isinstance(y, Operand) and y.scope is level.scope
        extents.append(y.extent if own else None)
        y = y.planes if own else y
    return Stack(y, tuple(reversed(extents)))


# ── coefficient by coefficient ───────────────────────────────────────────────────────────────────


def by_parts(row: Row, levels: tuple[Level, ...], operands: Sequence[Stack], known: Any = None) -> Any:
    """The recurrence on homogeneous parts, with operations of the base; or the mend of a `known` result."""
    ndim = max(_ndim(s) for s in operands)
    algebra = joint(levels)
    parts = [_parts(levels, algebra, s, ndim) for s in operands]
    several = row.ufunc.nout > 1
    with np.errstate(all="ignore"):
        if known is None:
            result = row.expand(algebra.order, *parts)
        else:
            stacks = known if several else (known,)
            each = [_parts(levels, algebra, s, ndim) for s in stacks]
            result = tuple(each) if several else each[0]
        result = mended(row, algebra.order, result, parts)
    return (
        tuple(_joined(levels, algebra, y, ndim) for y in result) if several else _joined(levels, algebra, result, ndim)
    )


def _parts(levels: tuple[Level, ...], algebra: Algebra, stack: Stack, ndim: int) -> list[Any]:
    """The homogeneous parts: of one level the coefficients themselves."""
    if len(levels) > 1:
        return algebra.homogeneous(coefficients(levels, stack, ndim))
    (extent,) = stack.extents
    return [stack.base] if extent is None else levels[0].algebra.parts(stack.base, extent, ndim)


def _joined(levels: tuple[Level, ...], algebra: Algebra, parts: Sequence[Any], ndim: int) -> Stack:
    """The stack of these parts, zeros between and behind them."""
    first = parts[0]
    if first.dtype.kind not in "fc":  # the exponents of frexp have no derivatives
        return Stack(first, (None,) * len(levels))
    if len(levels) > 1:
        terms = algebra.terms(parts)
        return Stack(stacked_up(levels, terms, first.dtype), algebra.extents(terms))
    algebra = levels[0].algebra
    if algebra.directions is not None and first.ndim > ndim:  # see `_filled`
        first, parts = first[0], [first[0], *parts[1:]]
    return Stack(stack_blocks(algebra.blocks(parts), algebra.size, first), (algebra.reached(parts),))


def _ndim(stack: Stack) -> int:
    base = stack.base
    return (base.ndim if isinstance(base, Operand) else int(np.ndim(base))) - stack.axes


def coefficients(levels: Sequence[Level], stack: Stack, ndim: int) -> dict[Monomial, Any]:
    """The coefficients of a stack by monomial, for operands broadcast to `ndim` axes.

    A level with several directions has an axis for them in every coefficient, of length 1 where they do not occur.
    """
    directed = any(level.algebra.directions is not None for level in levels)
    missing = ndim - _ndim(stack) if directed and np.ndim(stack.base) else 0
    found = {}
    algebra = joint(levels)
    for _, m in algebra.within(stack.extents):
        index: list[Any] = []
        for part, d, level in zip(algebra.split(m), stack.extents, levels, strict=True):
            at = level.algebra.at(part)
            if level.algebra.directions is None:
                index += [] if d is None else [at]
            elif np.ndim(stack.base):
                index.append(None if d is None else at if isinstance(at, slice) else slice(0, 1))
        index += [None] * missing
        found[m] = stack.base[tuple(index)] if index else stack.base
    return found


def stacked_up(levels: Sequence[Level], terms: dict[Monomial, Any], dtype: DType = None) -> Any:
    """The coefficients in one array with an axis for each level, in the type of the value, or of all of them."""
    directed = [i for i, level in enumerate(levels) if level.algebra.directions is not None]
    shape = np.broadcast_shapes(*(tuple(np.shape(c))[len(directed) :] for c in terms.values()))
    if not any(isinstance(c, Operand) for c in terms.values()):
        return _filled(levels, directed, terms, shape, np.result_type(*terms.values()) if dtype is None else dtype)
    example = next(c for c in terms.values() if isinstance(c, Operand))
    dtype, xp = example.dtype, library(example)

    split = {joint(levels).split(m): c for m, c in terms.items()}

    def build(ms: tuple[Monomial, ...]) -> Any:
        i = len(ms)
        if i == len(levels):
            c = split.get(ms)
            full = (*(_wide(levels[j].algebra, ms[j]) for j in directed), *shape)
            if not isinstance(c, Operand):
                c = xp.asarray(0.0 if c is None else c, dtype)
            elif c.dtype != dtype:
                c = c.astype(dtype)
            if tuple(np.shape(c)) == full:
                return c
            # what a mend has found out from other directions holds for this one's constant as well
            one = tuple([slice(0, 1) if n == 1 else slice(None) for n in full[: len(directed)]])
            return np.broadcast_to(c[one] if one and len(np.shape(c)) == len(full) else c, full)
        pieces = [build((*ms, m)) for m in levels[i].algebra.monomials]
        place = sum(j < i for j in directed)
        return np.concatenate(pieces, axis=place) if i in directed else np.stack(pieces, axis=place)

    return build(())


def _wide(algebra: Algebra, m: Monomial) -> int:
    """How many directions a coefficient has."""
    at = algebra.at(m)
    return at.stop - at.start if isinstance(at, slice) else 1


def _filled(levels: Sequence[Level], directed: Sequence[int], terms: Any, shape: tuple[int, ...], dtype: DType) -> Any:
    array = namespace(*terms.values()).zeros((*(level.algebra.size for level in levels), *shape), dtype)
    algebra = joint(levels)
    for m, c in terms.items():
        at = [level.algebra.at(part) for level, part in zip(levels, algebra.split(m), strict=True)]
        index = [slice(0, 1) if i in directed and not isinstance(place, slice) else place for i, place in enumerate(at)]
        # what a mend has found out from other directions holds for this one's constant as well
        if np.ndim(c):
            c = c[tuple(slice(None) if isinstance(at[i], slice) else slice(0, 1) for i in directed)]
        if array.size:
            array[tuple(index)] = c
    return array


# ── operands of several levels ───────────────────────────────────────────────────────────────────


def highest_base(x: Value) -> int:
    """The level of what lies under the jets of x: of variables or tracers; 0 of numbers."""
    while is_jet(x):
        x = x.planes
    return x.scope.level if isinstance(x, Operand) else 0


def together(row: Row, operands: Sequence[Any]) -> tuple[tuple[Level, ...], list[Stack]]:
    """All levels of jets above what is recorded or traced, and the operands as stacks over them."""
    ground = max(map(highest_base, operands))
    each = [peeled(x, ground) for x in operands]
    known: dict[int, Level] = {}
    for _, above in each:
        for level, _ in above:
            other = known.setdefault(level.scope.level, level)
            if other.scope is not level.scope:
                same_scope(other.scope, level.scope)
            if other.algebra is not level.algebra:
                raise InvalidValue(f"{row.name}: {unlike(other.algebra, level.algebra)}")
    levels = tuple(known[k] for k in sorted(known))
    stacks = []
    for base, above in each:
        extents = {level.scope.level: extent for level, extent in above}
        stacks.append(Stack(base, tuple(extents.get(level.scope.level) for level in levels)))
    return levels, stacks
