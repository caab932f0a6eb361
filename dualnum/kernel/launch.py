"""From a primitive and its operands to a running kernel: layout, choice of engine, allocation, the call.

A *plan* is made once for a primitive, the orders and layouts of its operands and their type, and kept: a
compiled kernel, or a program for the interpreter. What no program can be written for (rules that look at the
numbers themselves) has no plan and runs on whole arrays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..algebra.graded import Box, NotGraded
from ..primitives.composition import Composition
from ..primitives.derived import Derived
from ..primitives.table import Row
from . import engine, interpret
from .bounded import Bounded
from .cpu import threads
from .cpu.call import data_offset, signature
from .cpu.render import render
from .cpu.store import kernel
from .emit import MATH, Unrenderable, renderable
from .ir import INPUT, Graph, Node, Program, Untraceable, prune
from .layout import Group, moving
from .optimize import optimize

__all__ = [
    "COMPILED",
    "laid_out",
    "Plan",
    "Planes",
    "evaluate",
    "known_planes",
    "plan_for",
    "prepare",
    "run",
    "split",
    "structural_degrees",
    "uniform",
]

COMPILED = (np.dtype(np.float32), np.dtype(np.float64))
_LONG = 60  # a mathematical function costs about as much as so many additions: only for cutting into chunks


class Planes(NamedTuple):
    """One operand as it comes: stacked planes of shape (…, *shape), of which `count` coefficients are read.

    With several directions a coefficient above the value has a plane for each.
    """

    array: Any
    count: int  # type: ignore[assignment]
    degrees: tuple[int | None, ...] = ()  # in several variables: the highest power of each, None where it has no axis


@dataclass(frozen=True, slots=True)
class Plan:
    """A program, ready to run on operands laid out in one way.

    Attributes:
        program: what the interpreter runs (`call` is None), or what was compiled.
        call: the machine code.
        early: what is computed before, operation by operation, for want of a machine counterpart.
        counts: how many coefficients each result has.
        work: operations an element, for cutting long arrays into chunks.
        literal: numbers among the operands are written into the program.
        each: those of the operations that are done again for each of several directions.
        degrees: of results in several variables, the highest power of each that occurs.
    """

    program: Program
    call: Callable[..., int] | None
    early: Program | None
    counts: tuple[int, ...]
    work: int
    literal: bool = False
    each: int = 0
    degrees: tuple[tuple[int, ...], ...] = ()


_plans: Bounded[Any, Any] = Bounded(4096)
_by_number: Bounded[Any, int] = Bounded(1024)
_NUMBERS = 256  # as many programs for different numbers in one place, say exponents
_COMPILED_NODES = 20_000  # beyond, LLVM takes seconds: the interpreter begins at once
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
    compiled = dtype in COMPILED and engine.current() == "llvm"
    laid = [laid_out(x, shape, compiled) if type(x) is Planes else x for x in operands]
    described = tuple(_described(*x) if type(x) is tuple else "number" for x in laid)
    plan = plan_for(row, order, described, dtype, compiled, operands, directions is not None)
    if plan is None:
        return None
    results = [memory.empty((size, *shape), dtype) for _ in plan.counts]
    arguments = [x for x in laid if type(x) is tuple or not plan.literal]
    alarm = run(plan, results, arguments, prod(shape), directions)
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


def laid_out(x: Planes, shape: tuple[int, ...], compiled: bool) -> tuple[Planes, str]:
    """The planes as a kernel can read them, with the name of the layout; copied where it must be."""
    array = x.array
    flags = array.flags
    if array.shape[1:] == shape and flags.c_contiguous and flags.aligned:
        return x, "c"
    if compiled and flags.aligned:
        if prod(array.shape[1:]) == 1:
            return x, "b"
        if array.shape[1:] == shape:
            if array[0].flags.c_contiguous:
                return x, "p"
            if len(shape) == 1:
                return x, "g"
        elif prod(shape) > _WORTH_A_RING and _goes_round(array.shape[1:], shape):
            return x._replace(array=_ring(array)), "r"
    full = np.empty((len(array), *shape), array.dtype)
    full[...] = opened(array, len(shape))
    return x._replace(array=full), "c"


_RING = 64  # more elements than any vector has
_WORTH_A_RING = 4096  # elements of the result; of fewer a copy is made sooner


def _goes_round(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of one shape, broadcast to another, is itself again and again in memory."""
    while given and given[0] == 1:
        given = given[1:]
    return len(given) < len(shape) and shape[len(shape) - len(given) :] == given and 0 not in given


def _ring(array: Any) -> Any:
    """The planes, each followed by its beginning, so that a vector read at any place of the period is in one piece."""
    flat = array.reshape(len(array), -1)
    period = flat.shape[1]
    if period < _RING:
        flat = np.tile(flat, (1, -(-_RING // period)))
    return np.concatenate((flat, flat[:, :_RING]), axis=1)


def opened(array: Any, ndim: int) -> Any:
    """Planes with axes opened behind the first, so that they broadcast to `ndim` axes."""
    return array.reshape(array.shape[0], *(1,) * (ndim + 1 - array.ndim), *array.shape[1:])


def plan_for(
    row: Row,
    order: int | Box,
    described: tuple[Any, ...],
    dtype: Any,
    compiled: bool,
    operands: Sequence[Any],
    directed: bool = False,
) -> Plan | None:
    """The plan of a primitive on operands so described, or None where it has none.

    Args:
        row: the primitive.
        order: K, or the polynomials in several variables.
        described: (number of planes, layout) of each operand, in several variables with its degrees; or "number".
        dtype: the one type of all operands.
        compiled: machine code, or a program for the interpreter.
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


def _made(row: Row, order: int | Box, described: Any, dtype: Any, compiled: bool, numbers: Any, directed: bool) -> Any:
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


# ── any program ──────────────────────────────────────────────────────────────────────────────────


def prepare(
    program: Program, groups: Sequence[Group], counts: tuple[int, ...], compiled: bool, directed: bool = False
) -> Any:
    """The plan of a program whose inputs come in `groups` and whose outputs are stacks of `counts` coefficients.

    None where jets with several directions have none: they are compiled, or go the way of whole arrays.
    """
    work = sum(map(_weight, program.nodes))
    if not compiled or len(program.nodes) > _COMPILED_NODES:
        return None if directed else Plan(program, None, None, counts, work)
    early, rest = split(program, renderable)
    late = optimize(rest)
    outputs = [Group("c", n) for n in counts]
    inputs = [*groups, *(Group("c", 1) for _ in (early.outputs if early else ()))]
    each = 0
    if directed:
        if early is not None and any(moving(early, groups)):
            return None
        each = sum(_weight(n) for n, moves in zip(late.nodes, moving(late, inputs), strict=True) if moves)
    try:
        text = render(late, outputs, inputs, directed)
    except Unrenderable:
        return None
    call = kernel(text, signature(outputs, inputs, program.dtype, directed))
    return Plan(program, call, early, counts, work, each=each)


def _weight(node: Node) -> int:
    return _LONG if not isinstance(node.op, str) and node.op in MATH else 1


def split(program: Program, possible: Callable[[Any], bool]) -> tuple[Program | None, Program]:
    """Two programs: what impossible operations need and give, and the rest, which reads it.

    The inputs of the second are those of the first, and then the first's outputs.
    """
    missing = [i for i, n in enumerate(program.nodes) if not possible(n.op)]
    if not missing:
        return None, program
    nodes = list(program.nodes)
    for number, i in enumerate(missing):
        nodes[i] = Node(INPUT, (), program.inputs + number)
    late = prune(nodes, program.inputs + len(missing), program.outputs, program.dtype, program.alarm)
    return prune(program.nodes, program.inputs, missing, program.dtype), late


def run(
    plan: Plan, results: Sequence[Any], arguments: Sequence[Any], length: int, directions: int | None = None
) -> bool:
    """Fills stacked result planes (the first `counts` of each) from (Planes, layout) pairs and numbers.

    Returns whether the program's alarm was raised.
    """
    if length == 0:
        return False
    if plan.call is None:
        flat = [y for out, n in zip(results, plan.counts, strict=True) for y in out.reshape(len(out), length)[:n]]
        return interpret.run(plan.program, _flat_inputs(arguments, length), flat)
    extra = []
    if plan.early is not None:
        with np.errstate(all="ignore"):
            computed = interpret.evaluate(plan.early, _flat_inputs(arguments, length))
        extra = [np.ascontiguousarray(np.broadcast_to(y, (length,)), plan.program.dtype) for y in computed]
    by_object = data_offset() >= 0
    given: list[Any] = [id(y) if by_object else y.ctypes.data for y in results]
    for x in arguments:
        if type(x) is not tuple:
            given.append(x)
            continue
        planes, layout = x
        array = planes.array
        if layout == "c":
            given.append(id(array) if by_object else array.ctypes.data)
            continue
        given += [array.__array_interface__["data"][0], array.strides[0]]
        if layout == "g":
            given.append(array.strides[1])
        elif layout == "r":
            given.append(array.shape[1] - _RING)
    given += [id(y) if by_object else y.ctypes.data for y in extra]
    work = plan.work
    if directions is not None:
        given.append(directions)
        work += plan.each * directions
    return threads.in_chunks(plan.call, given, (plan, results, arguments, extra), length, work)


def _flat_inputs(arguments: Sequence[Any], length: int) -> list[Any]:
    """The program's inputs one by one, as arrays of one axis or numbers."""
    flat: list[Any] = []
    for x in arguments:
        if type(x) is not tuple:
            flat.append(x)
            continue
        planes = x[0].array[: x[0].count]
        missing = x[0].count - len(planes)  # of a jet with no directions at all, nothing above the value is there
        if x[1] == "r":
            planes = planes[:, np.arange(length) % (planes.shape[1] - _RING)]
        single = prod(planes.shape[1:]) == 1 and length != 1
        flat += list(planes.reshape(len(planes))) if single else list(planes.reshape(len(planes), length))
        flat += [None] * missing
    return flat
