"""From a primitive and its operands to a running kernel: layout, choice of engine, allocation, the call.

A *plan* is made once for a primitive, the orders and layouts of its operands and their type, and kept: a
compiled kernel, or a program for the interpreter. What no program can be written for (rules that look at the
numbers themselves) has no plan and runs on whole arrays.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..algebra import Algebra, Extents, Stack, Univariate
from ..kinds import DType, Value
from ..primitives.composition import Composition
from ..primitives.derived import Derived
from ..primitives.mends import mending
from ..primitives.table import Row
from . import engine
from .bounded import Bounded
from .ir import Graph
from .layout import Group, Planes, laid_out
from .plan import Plan
from .target import Target
from .writing import NOT_WRITTEN, Kept, Writing

__all__ = [
    "Planes",
    "has_kernel",
    "primitive",
    "plan_for",
    "planes_of",
    "put_together",
    "structural_extents",
    "uniform",
    "written",
]


_plans = Kept(4096)
_by_number: Bounded[Any, int] = Bounded(1024)
_NUMBERS = 256  # as many programs for different numbers in one place, say exponents
_BY_NUMBER = "by number"


# ── primitives ───────────────────────────────────────────────────────────────────────────────────


def primitive(row: Row, algebra: Algebra, operands: Sequence[Any]) -> tuple[list[tuple[Any, Any]], bool] | None:
    """The stacked planes of a primitive's results, each with its extents; None where there is no plan.

    Beside them whether the row's mend must follow.

    Args:
        row: the primitive.
        algebra: that of the jets, of jets of jets the product of all levels.
        operands: `Planes` of each jet or constant array, or a number.

    Returns:
        ([(planes, extents), …], mend), the planes along one axis.
    """
    directions = algebra.directions
    arrays = [x.array for x in operands if type(x) is Planes]
    dtype = arrays[0].dtype
    if not all(x.array.dtype == dtype if type(x) is Planes else type(x) in (float, int) for x in operands):
        dtype = np.result_type(*(x.array.dtype if type(x) is Planes else x for x in operands))
        operands = [_in_type(x, dtype) for x in operands]
        arrays = [x.array for x in operands if type(x) is Planes]
    shape = arrays[0].shape[1:]
    if any(a.shape[1:] != shape for a in arrays):
        shape = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    target = engine.target_of(arrays[0], dtype)
    if target is None or not all(type(a) is target.arrays for a in arrays):
        return None
    laid = [laid_out(x, shape, target) if type(x) is Planes else x for x in operands]
    described = tuple((x[0].extents, x[1]) if type(x) is tuple else "number" for x in laid)
    plan = plan_for(row, algebra.single, described, dtype, target, operands, directions is not None)
    if plan is None:
        return None
    results = [target.empty((algebra.size, *shape), dtype) for _ in plan.counts]
    arguments = [x for x in laid if type(x) is tuple or not plan.literal]
    alarm = plan.run(results, arguments, prod(shape), directions)
    if target.looks:  # else the zeros are written
        for planes, extents in zip(results, plan.extents, strict=True):
            planes[algebra.filled(extents) :] = 0
    return list(zip(results, plan.extents, strict=True)), alarm


def put_together(blocks: Sequence[tuple[Any, int]], size: int, shape: tuple[int, ...], dtype: DType) -> Any:
    """Planes of shape (size, *shape) from blocks of one or more planes each, zeros behind them, by one kernel.

    None where there is none for it. A block is an array of one plane, or of so many, or a number; one of them is an
    array of a machine that writes zeros.
    """
    target = engine.target_of(next(x for x, _ in blocks if engine.accepted(x)), dtype)
    if target is None or target.looks or size > _MOST_PLANES:
        return None
    operands: list[Any] = []
    for x, count in blocks:
        if not engine.accepted(x):
            if type(x) not in (float, int) or count > 1:
                return None
            operands.append(float(x))
        elif type(x) is target.arrays and x.dtype.kind in "fbiu" and (count == 1) == (x.ndim <= len(shape)):
            operands.append(laid_out(Planes(x[None] if count == 1 else x, count), shape, target))
        else:
            return None
    described = tuple((x[0].count, x[1]) if type(x) is tuple else None for x in operands)
    plan = _plans.get((described, size, dtype, target), lambda: _stack(described, size, dtype, target))
    if plan is None:
        return None
    result = target.empty((size, *shape), dtype)
    plan.run([result], operands, prod(shape))
    return result


_MOST_PLANES = 64


def _stack(described: Sequence[Any], size: int, dtype: DType, target: Target) -> Plan | None:
    writing = Writing(dtype, Univariate(0))
    coefficients: list[Any] = []
    for x in described:
        if x is None:
            coefficients.append(writing.number())
            continue
        writing.groups.append(Group(x[1], x[0]))
        coefficients += [writing.graph.input() for _ in range(x[0])]
    return writing.planned([[*coefficients, *[0.0] * (size - len(coefficients))]], target)


def planes_of(algebra: Algebra, x: Stack) -> Planes:
    """A stack as a kernel reads it; the algebra along one direction."""
    base, extents = x
    if len(extents) > 1:
        return Planes(x.flat, algebra.read(extents), extents)
    extent = extents[0]
    return Planes(base[None], 1, extents) if extent is None else Planes(base, algebra.coefficients(extent), extents)


def _in_type(x: Value, dtype: DType) -> Any:
    if type(x) is Planes:
        return x if x.array.dtype == dtype else x._replace(array=x.array.astype(dtype))
    x = x.item() if isinstance(x, (np.generic, np.ndarray)) else x  # its type has had its say
    return int(x) if type(x) is bool else x  # the logarithm of True is of half precision


_UFUNCS = (np.ufunc, Composition, Derived)


def has_kernel(row: Row) -> bool:
    """Whether there may be a program for a primitive, on some machine."""
    return isinstance(row.ufunc, _UFUNCS) or getattr(row.ufunc, "native", False)


def plan_for(
    row: Row,
    algebra: Algebra,
    described: tuple[Any, ...],
    dtype: DType,
    target: Target,
    operands: Sequence[Any],
    directed: bool = False,
) -> Plan | None:
    """The plan of a primitive on operands so described, or None where it has none.

    Args:
        row: the primitive.
        algebra: along one direction.
        described: (extents, layout) of each operand, or "number".
        dtype: the one type of all operands.
        target: the machine.
        operands: the operands themselves, for the numbers among them.
        directed: jets with several directions.
    """
    key: Any = (row.ufunc, algebra, described, dtype, target, directed)
    plan = _plans.get(key, lambda: _made(row, algebra, described, dtype, target, None, directed))
    if plan is _BY_NUMBER:  # the number decides how the rule goes: x**3 and x**2.5
        numbers = tuple(x for x in operands if type(x) is not Planes)

        def make() -> Any:
            made = _by_number.get(key) or 0
            _by_number.put(key, made + 1)
            # numbers that keep changing are not worth a program each: whole arrays do
            return None if made >= _NUMBERS else _made(row, algebra, described, dtype, target, numbers, directed)

        # 2 is not 2.0, nor 0.0 −0.0; a NaN is itself
        plan = _plans.get((*key, repr(numbers)), make)
    return plan  # type: ignore[no-any-return]


def _made(
    row: Row, algebra: Algebra, described: Any, dtype: DType, target: Target, numbers: Value, directed: bool
) -> Any:
    """A plan, None where there is none, or that the numbers decide."""
    if not (uniform(row.ufunc, dtype) if isinstance(row.ufunc, _UFUNCS) else row.ufunc.native and not target.looks):
        return None
    writing = Writing(dtype, algebra, target.looks)
    symbols = _symbols(writing, described, numbers)
    try:
        results = [algebra.terms(y) for y in _expanded(writing.graph, row, algebra.order, symbols)]
        if algebra.order == 0:  # goes the way of the higher orders: a number decides there, it decides here
            moving = [[u[0], u[0]] if x != "number" else u for u, x in zip(symbols, described, strict=True)]
            _expanded(writing.graph, row, 1, moving)
        alarm = None
        if row.mend is not None and (row.kind == "derived" or (algebra.order and any(len(u) > 1 for u in symbols))):
            alarm = writing.graph.lift(row.mend.where(results[0][algebra.monomials[0]], *(u[0] for u in symbols)))
        extents = tuple(map(algebra.extents, results))
        outputs = [written(algebra, y, d, target) for y, d in zip(results, extents, strict=True)]
        plan = writing.planned(outputs, target, directed, alarm)
        mend = None
        if plan is not None and plan.program.alarm is not None and not target.looks:  # some are known to be silent
            mend = _mend(row, algebra, described, dtype, target, numbers, directed)
            if mend is not None:
                extents = tuple(_union(algebra, d, e) for d, e in zip(extents, mend.extents, strict=True))
    except NOT_WRITTEN:
        return _BY_NUMBER if numbers is None and "number" in described else None
    return None if plan is None else replace(plan, literal=numbers is not None, extents=extents, mend=mend)


def _symbols(writing: Writing, described: Any, numbers: Value) -> list[list[Any]]:
    """The series of the operands; numbers that are known stand for themselves."""
    known = iter(numbers or ())
    symbols: list[list[Any]] = []
    for x in described:
        if x == "number":
            symbols.append([writing.number() if numbers is None else next(known)])
        else:
            symbols.append(writing.algebra.homogeneous(writing.operand(*x)))
    return symbols


def written(algebra: Algebra, terms: Any, extents: tuple[int, ...], target: Target) -> list[Any]:
    """The coefficients that a kernel writes for a result: all of them, where nobody clears the others afterwards."""
    reach = extents if target.looks else tuple(a.full for a in algebra.factors)
    return [terms.get(m, 0.0) for m in algebra.written(reach)]


def _union(algebra: Algebra, a: Extents, b: Extents) -> tuple[int, ...]:
    """What occurs in the one or in the other, in each level."""
    return tuple(part.union(p or 0, q or 0) for part, p, q in zip(algebra.factors, a, b, strict=True))


def _mend(
    row: Row, algebra: Algebra, described: Any, dtype: DType, target: Target, numbers: Value, directed: bool
) -> Plan | None:
    """What follows on a machine that is not looked at: the row's mend, written where the alarm holds.

    None where no program can be written for it: then somebody has to look.
    """
    writing = Writing(dtype, algebra, target.looks)
    symbols = _symbols(writing, described, numbers)
    try:
        value = row.ufunc(*(u[0] for u in symbols))
        with writing.graph.relax():
            made = mending(row, algebra.order, value, symbols)
        if made is None:
            return None
        where, result = made[0], algebra.terms(made[1])
        extents = algebra.extents(result)
        outputs = [written(algebra, result, extents, target)]
        plan = writing.planned(outputs, target, directed, writing.graph.lift(where), guarded=True)
    except NOT_WRITTEN:
        return None
    return None if plan is None else replace(plan, literal=numbers is not None, extents=(extents,))


@lru_cache(maxsize=1024)
def structural_extents(row: Row, algebra: Algebra, extents: tuple[Extents, ...]) -> tuple[int, ...]:
    """What can occur in each level in a primitive, whatever the numbers are."""
    writing = Writing(np.float64, algebra)
    operands = [algebra.homogeneous(writing.operand(d)) for d in extents]
    try:
        (y,) = (algebra.terms(y) for y in _expanded(writing.graph, row, algebra.order, operands))
    except NOT_WRITTEN:  # numbers decide
        return tuple(a.full for a in algebra.factors)
    return algebra.extents(y)


def uniform(ufunc: np.ufunc, dtype: DType) -> bool:
    """Whether the ufunc takes and gives this one type (float_power widens, ldexp takes integers, wofz is complex)."""
    if isinstance(ufunc, Derived):
        ufunc = ufunc.of.ufunc
    if isinstance(ufunc, Composition):
        return all(uniform(part, dtype) for part in ufunc.ufuncs)
    if not isinstance(ufunc, np.ufunc):
        return False
    try:
        resolved = ufunc.resolve_dtypes((dtype,) * ufunc.nin + (None,) * ufunc.nout)
    except TypeError:
        return False
    return all(t == dtype for t in resolved[: ufunc.nin + 1])


def _expanded(graph: Graph, row: Row, order: int, operands: Sequence[list[Any]]) -> Sequence[list[Any]]:
    """The row on symbols: the value strictly, the recurrence relaxed."""
    value = row.ufunc(*(u[0] for u in operands))
    with graph.relax():
        result = row.expand(order, *operands, value=value)
    return result if isinstance(result, tuple) else [result]
