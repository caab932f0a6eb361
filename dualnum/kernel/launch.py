"""From a primitive and its operands to a running kernel: layout, choice of engine, allocation, the call.

A *plan* is made once for a primitive, the orders and layouts of its operands and their type, and kept: a
compiled kernel, or a program for the interpreter. What no program can be written for (rules that look at the
numbers themselves) has no plan and runs on whole arrays.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..algebra.graded import Box, NotGraded
from ..primitives.composition import Composition
from ..primitives.derived import Derived
from ..primitives.table import Row
from . import engine
from .bounded import Bounded
from .ir import Graph, Untraceable
from .layout import Group, laid_out
from .plan import Plan, prepare
from .target import Target

__all__ = [
    "Planes",
    "evaluate",
    "known_planes",
    "plan_for",
    "structural_degrees",
    "uniform",
]


class Planes(NamedTuple):
    """One operand as it comes: stacked planes of shape (…, *shape), of which `count` coefficients are read.

    With several directions a coefficient above the value has a plane for each.
    """

    array: Any
    count: int  # type: ignore[assignment]
    degrees: tuple[int | None, ...] = ()  # in several variables: the highest power of each, None where it has no axis


_plans: Bounded[Any, Any] = Bounded(4096)
_by_number: Bounded[Any, int] = Bounded(1024)
_NUMBERS = 256  # as many programs for different numbers in one place, say exponents
_NO_PLAN = "no plan"
_BY_NUMBER = "by number"


# ── primitives ───────────────────────────────────────────────────────────────────────────────────


def evaluate(
    row: Row, order: int | Box, operands: Sequence[Any], size: int, directions: int | None = None
) -> tuple[list[tuple[Any, Any]], bool] | None:
    """The stacked planes of a primitive's results, each with its degree; None where there is no plan.

    Beside them whether the row's mend must follow.

    Args:
        row: the primitive.
        order: K, or of jets of jets the polynomials that they are.
        operands: `Planes` of jets and constant arrays, or numbers.
        size: how many planes the results have in all.
        directions: P of a jet with several.

    Returns:
        ([(planes, degree), …], mend); of polynomials the highest power of each variable in place of a degree.
    """
    arrays = [x.array for x in operands if type(x) is Planes]
    dtype = arrays[0].dtype
    if not all(x.array.dtype == dtype if type(x) is Planes else type(x) in (float, int) for x in operands):
        dtype = np.result_type(*(x.array.dtype if type(x) is Planes else x for x in operands))
        operands = [_in_type(x, dtype) for x in operands]
        arrays = [x.array for x in operands if type(x) is Planes]
    shape = arrays[0].shape[1:]
    if any(a.shape[1:] != shape for a in arrays):
        shape = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    compiled = engine.target_of(arrays[0], dtype)
    if compiled is None:
        return None
    laid = [laid_out(x, shape, compiled) if type(x) is Planes else x for x in operands]
    described = tuple(_described(*x) if type(x) is tuple else "number" for x in laid)
    plan = plan_for(row, order, described, dtype, compiled, operands, directions is not None)
    if plan is None:
        return None
    results = [memory.empty((size, *shape), dtype) for _ in plan.counts]
    arguments = [x for x in laid if type(x) is tuple or not plan.literal]
    alarm = plan.run(results, arguments, prod(shape), directions)
    for planes, count in zip(results, plan.counts, strict=True):
        planes[known_planes(count, directions) :] = 0
    degrees = plan.degrees or [count - 1 for count in plan.counts]
    return list(zip(results, degrees, strict=True)), alarm


def _described(x: Planes, layout: str) -> tuple[Any, ...]:
    return (x.count, layout, x.degrees) if x.degrees else (x.count, layout)


def known_planes(count: int, directions: int | None) -> int:
    """How many planes `count` coefficients have."""
    return count if directions is None else 1 + (count - 1) * directions


def _in_type(x: Any, dtype: Any) -> Any:
    if type(x) is Planes:
        return x if x.array.dtype == dtype else x._replace(array=x.array.astype(dtype))
    x = x.item() if isinstance(x, (np.generic, np.ndarray)) else x  # its type has had its say
    return int(x) if type(x) is bool else x  # the logarithm of True is of half precision


def plan_for(
    row: Row,
    order: int | Box,
    described: tuple[Any, ...],
    dtype: Any,
    compiled: Target,
    operands: Sequence[Any],
    directed: bool = False,
) -> Plan | None:
    """The plan of a primitive on operands so described, or None where it has none.

    Args:
        row: the primitive.
        order: K, or the polynomials in several variables.
        described: (number of planes, layout) of each operand, in several variables with its degrees; or "number".
        dtype: the one type of all operands.
        compiled: the machine.
        operands: the operands themselves, for the numbers among them.
        directed: jets with several directions.
    """
    key: Any = (row.ufunc, order, described, dtype, compiled, directed)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans.put(key, _made(row, order, described, dtype, compiled, None, directed))
    if plan is _BY_NUMBER:  # the number decides how the rule goes: x**3 and x**2.5
        numbers = tuple(x for x in operands if type(x) is not Planes)
        general, key = key, (*key, repr(numbers))  # 2 is not 2.0, nor 0.0 −0.0; a NaN is itself
        plan = _plans.get(key)
        if plan is None:
            made = _by_number.get(general) or 0
            _by_number.put(general, made + 1)
            # numbers that keep changing are not worth a program each: whole arrays do
            plan = _NO_PLAN if made >= _NUMBERS else _made(row, order, described, dtype, compiled, numbers, directed)
            _plans.put(key, plan)
    return None if isinstance(plan, str) else plan


def _made(
    row: Row, order: int | Box, described: Any, dtype: Any, compiled: Target, numbers: Any, directed: bool
) -> Any:
    """A plan, or the reason why there is none."""
    if not uniform(row.ufunc, dtype):
        return _NO_PLAN
    graph = Graph(dtype)
    known = iter(numbers or ())
    groups: list[Group] = []
    symbols: list[list[Any]] = []
    for x in described:
        if x == "number" and numbers is not None:
            symbols.append([next(known)])
            continue
        count, layout, *degrees = (1, "s") if x == "number" else x
        groups.append(Group(layout, count))
        inputs = [graph.input() for _ in range(count)]
        if degrees and isinstance(order, Box):
            inputs = order.parts({m: inputs[place] for place, m in order.within(degrees[0])})
        symbols.append(inputs)
    limits: tuple[tuple[int, ...], ...] = ()
    try:
        if isinstance(order, Box):
            in_parts = [order.coefficients(y) for y in _expanded(graph, row, order.order, symbols)]
            limits = tuple(tuple(map(max, zip(*y, strict=True))) for y in in_parts)
            results: Sequence[list[Any]] = [[y.get(m, 0.0) for m in order.monomials] for y in in_parts]
        else:
            results = _expanded(graph, row, order, symbols)
        if order == 0:  # goes the way of the higher orders: a number decides there, it decides here
            moving = [[u[0], u[0]] if x != "number" else u for u, x in zip(symbols, described, strict=True)]
            _expanded(graph, row, 1, moving)
        alarm = None
        if row.mend is not None and (row.kind == "derived" or (order and any(len(u) > 1 for u in symbols))):
            alarm = graph.lift(row.mend.where(results[0][0], *(u[0] for u in symbols)))
        program = graph.finish([y for result in results for y in result], alarm)
    except (Untraceable, NotGraded):
        return _BY_NUMBER if numbers is None and "number" in described else _NO_PLAN
    if any(program.nodes[i].boolean for i in program.outputs):
        return _NO_PLAN
    plan = prepare(program, groups, tuple(map(len, results)), compiled, directed)
    return _NO_PLAN if plan is None else replace(plan, literal=numbers is not None, degrees=limits)


@lru_cache(maxsize=1024)
def structural_degrees(row: Row, box: Box, degrees: tuple[tuple[int | None, ...], ...]) -> tuple[int, ...]:
    """The highest power of each variable that can occur in a primitive, whatever the numbers are."""
    graph = Graph(np.float64)
    operands = [box.parts({m: graph.input() for _, m in box.within(d)}) for d in degrees]
    try:
        (y,) = (box.coefficients(y) for y in _expanded(graph, row, box.order, operands))
    except (Untraceable, NotGraded):  # numbers decide
        return box.limits
    return tuple(map(max, zip(*y, strict=True)))


def uniform(ufunc: np.ufunc, dtype: Any) -> bool:
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
