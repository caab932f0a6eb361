"""The pull-back of a primitive as one kernel: on jets that are recorded, and on jets of what is recorded.

A recorded jet (the gradient's Taylor series) runs the pull-back as it is written, on coefficients. A jet whose
planes are recorded (derivatives inside a loss) needs the transpose of its push-forward.
"""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory, series
from ..algebra.graded import Box, NotGraded
from ..broadcasting import summed_to
from ..primitives.derived import derived
from ..primitives.table import Row, Series
from . import engine, launch
from .bounded import Bounded
from .ir import Graph, Symbol, Untraceable
from .layout import Group, laid_out, opened
from .plan import prepare
from .target import Target

__all__ = ["launched", "pulled"]

Terms = dict[tuple[int, ...], Any]  # coefficients by monomial

_NO_PLAN, _PASSED_ON = "no plan", "passed on"  # a sum hands the cotangents of its terms on


# ── recorded jets ────────────────────────────────────────────────────────────────────────────────


class _Way(NamedTuple):
    """How the contributions come: by a kernel, an operand as it is, or not at all."""

    plan: Any
    contributions: tuple[tuple[str, int] | None, ...]
    divides: bool = False  # by multiplying with reciprocals, which overflow where quotients do not


_ways: Bounded[Any, Any] = Bounded(4096)


def pulled(
    function: Callable[..., Any], order: int, operands: Sequence[Any], size: int, directions: int | None = None
) -> list[tuple[Any, int] | int | None] | None:
    """The contributions of a pull-back, by one kernel; None where there is no plan.

    Args:
        function: (cotangent, value, *arguments) → contributions, see `PullBack`.
        order: K.
        operands: the function's, as `Planes` of jets and arrays, numbers, or None for what it does not read.
        size: how many planes the contributions have in all.
        directions: P of a jet with several.

    Returns:
        For each argument (planes, degree), the number of the operand that it is, or None.
    """
    arrays = [x.array for x in operands if type(x) is launch.Planes]
    dtype = arrays[0].dtype
    if any(a.dtype != dtype for a in arrays) or any(type(x) is complex for x in operands):
        return None
    full = shape = arrays[0].shape[1:]
    if any(0 in a.strides or a.shape[1:] != shape for a in arrays):
        full = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
        operands = [_once(x) if type(x) is launch.Planes else x for x in operands]
        shape = np.broadcast_shapes(*(x.array.shape[1:] for x in operands if type(x) is launch.Planes))
    compiled = engine.target_of(arrays[0], dtype)
    if compiled is None:
        return None
    laid = [laid_out(x, shape, compiled) if type(x) is launch.Planes else x for x in operands]
    described = tuple((x[0].count, x[1]) if type(x) is tuple else "number" if x is not None else None for x in laid)
    key = (function, order, described, dtype, compiled, directions is not None)
    way = _ways.get(key)
    if way is None:
        way = _ways.put(key, _way(function, order, described, dtype, compiled, directions is not None) or _NO_PLAN)
    if way is _NO_PLAN:
        return None
    results: list[Any] = []
    if way.plan is not None:
        results = [memory.empty((size, *shape), dtype) for _ in way.plan.counts]
        if way.plan.run(results, [x for x in laid if x is not None], prod(shape), directions):
            return None  # a mend must follow
        for planes, count in zip(results, way.plan.counts, strict=True):
            planes[launch.known_planes(count, directions) :] = 0
        if order == 0 and way.divides and not all(np.isfinite(planes.sum()) for planes in results):
            return None
    if shape != full:
        results = [np.broadcast_to(opened(planes, len(full)), (size, *full)) for planes in results]
    made = [
        None if c is None else c[1] if c[0] == "operand" else (results[c[1]], way.plan.counts[c[1]] - 1)
        for c in way.contributions
    ]
    return made


def _once(x: launch.Planes) -> launch.Planes:
    """The planes with one element along each axis along which they were broadcast: a sum's cotangent is one number."""
    array = x.array
    if 0 not in array.strides[1:]:
        return x
    index = (slice(None), *(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides[1:]))
    return launch.Planes(array[index], x.count)


def _way(
    function: Callable[..., Any], order: int, described: Sequence[Any], dtype: Any, compiled: Target, directed: bool
) -> _Way | None:
    graph = Graph(dtype)
    groups: list[Group] = []
    given: list[Any] = []
    inputs: dict[tuple[int, ...], int] = {}  # operands by the nodes of their coefficients
    for j, x in enumerate(described):
        if x is None:
            given.append(None)
            continue
        count, layout = (1, "s") if x == "number" else x
        groups.append(Group(layout, count))
        coefficients = [graph.input() for _ in range(count)]
        inputs[tuple([c.index for c in coefficients])] = j
        given.append(Series(order, coefficients) if count > 1 else coefficients[0])
    contributions: list[tuple[str, int] | None] = []
    outputs: list[list[Any]] = []
    try:
        with graph.relax():
            for c in function(*given):
                if c is None:
                    contributions.append(None)
                    continue
                coefficients = [graph.lift(a) for a in (c.coefficients if isinstance(c, Series) else [c])]
                same = inputs.get(tuple([a.index for a in coefficients]))
                if same is not None and described[same] != "number":
                    contributions.append(("operand", same))
                    continue
                contributions.append(("result", len(outputs)))
                outputs.append(coefficients)
        program = graph.finish([a for c in outputs for a in c])
    except (Untraceable, NotGraded):
        return None
    if any(program.nodes[i].boolean for i in program.outputs):
        return None
    if not outputs:
        return _Way(None, tuple(contributions))
    plan = prepare(program, groups, tuple(map(len, outputs)), compiled, directed)
    divides = any(node.op is np.divide for node in program.nodes)
    return None if plan is None else _Way(plan, tuple(contributions), divides)


# ── jets whose planes are recorded ───────────────────────────────────────────────────────────────


def transposed(
    row: Row, wanted: Sequence[bool], box: Box, cotangents: Terms, arguments: Sequence[Terms]
) -> list[Terms | None]:
    """The cotangents of the coefficients of the arguments from those of the result's, all by monomial.

    With p = ∂f, dy_n = Σ_j p_{n−j} du_j, and so ū_j = Σ_n p_{n−j} ȳ_n.
    """
    results: list[Terms | None] = []
    parts = [box.parts(u) for u in arguments]
    for i, w in enumerate(wanted):
        if not w:
            results.append(None)
            continue
        partial = derived(row, tuple(int(i == j) for j in range(len(wanted)))).row
        if partial.mend is not None:
            where = partial.mend.where(None, *(u[0] for u in parts))
            if hasattr(where, "_alarm"):
                where._alarm()
        p = box.coefficients(partial.expand(box.order, *parts))
        results.append({j: _paired(p, cotangents, j) for j in arguments[i]})
    return results


def _paired(p: Terms, cotangents: Terms, j: tuple[int, ...]) -> Any:
    """Σ_n p_{n−j} ȳ_n."""
    places = ((tuple([a - b for a, b in zip(n, j, strict=True)]), g) for n, g in cotangents.items())
    return series.total(p[m] * g for m, g in places if m in p)


def launched(
    row: Row,
    wanted: tuple[bool, ...],
    box: Box,
    cotangent: launch.Planes,
    arguments: Sequence[Any],
) -> list[Any] | None:
    """The same from stacked planes to stacked planes, by one kernel; None where there is no plan.

    Args:
        row: the primitive.
        wanted: which arguments.
        box: the polynomials that the planes are the coefficients of.
        cotangent: of the result, with its degrees.
        arguments: `Planes` with their degrees, constants without any; or numbers.

    Returns:
        The planes of each argument that is wanted, summed where it was broadcast.
    """
    shape, dtype = cotangent.array.shape[1:], cotangent.array.dtype
    arrays = [x for x in arguments if type(x) is launch.Planes]
    if not all(x.array.dtype == dtype for x in arrays):
        return None
    compiled = engine.target_of(cotangent.array)
    if compiled is None:
        return None
    laid = [laid_out(x, shape, compiled) for x in (cotangent, *arrays)]
    numbers = tuple(None if type(x) is launch.Planes else x for x in arguments)
    described = tuple((x.count, layout, x.degrees) for x, layout in laid)
    key = (row.ufunc, wanted, box.limits, described, numbers, tuple(map(type, numbers)), dtype, compiled)
    plan = _transposed_plans.get(key)
    if plan is None:
        made = _transposed_plan(row, wanted, box, described, numbers, dtype, compiled)
        plan = _transposed_plans.put(key, made or _NO_PLAN)
    if plan is _NO_PLAN:
        return None
    if plan is _PASSED_ON:
        g = cotangent.array
        bare = not g[cotangent.count :].any()  # zeros above the result's degree: it can go on as it is
        return [
            None
            if not w
            else g
            if bare and x.degrees and x.count == cotangent.count and x.array.shape == g.shape
            else _of_shape(g[: x.count], x)
            for x, w in zip(arguments, wanted, strict=True)
        ]
    chosen = [x for x, w in zip(arguments, wanted, strict=True) if w]
    results = []
    for x in chosen:
        whole = x.degrees and x.array.shape[1:] == shape
        results.append(memory.empty((len(x.array) if whole else x.count, *shape), dtype))
    if plan.run(results, laid, prod(shape)):
        return None  # a mend must follow
    found = iter([_of_shape(planes, x) for planes, x in zip(results, chosen, strict=True)])
    return [next(found) if w else None for w in wanted]


def _of_shape(planes: Any, x: launch.Planes) -> Any:
    """The first planes summed where x was broadcast, zeros behind them; of a constant without their axis."""
    u, count = x.array, x.count
    if planes.shape == u.shape:
        if count < len(planes):
            planes[count:] = 0
        return planes if x.degrees else planes[0]
    if planes.shape[1:] != u.shape[1:]:
        ones = (1,) * (planes.ndim - u.ndim)
        planes = summed_to(planes, (count, *ones, *u.shape[1:])).reshape(count, *u.shape[1:])
    if not x.degrees:
        return planes[0]
    if count == len(u):
        return planes
    full = memory.empty(u.shape, u.dtype)
    full[:count] = planes
    full[count:] = 0
    return full


def _transposed_plan(
    row: Row,
    wanted: Sequence[bool],
    box: Box,
    described: Sequence[Any],
    numbers: Sequence[Any],
    dtype: Any,
    compiled: Target,
) -> Any:
    graph = Graph(dtype)
    groups = [Group(layout, count) for count, layout, _ in described]
    inputs = [[graph.input() for _ in range(count)] for count, _, _ in described]
    nothing = (None,) * len(box.limits)
    terms = [
        {m: planes[place] for place, m in box.within(degrees or nothing)}
        for planes, (_, _, degrees) in zip(inputs, described, strict=True)
    ]
    known = iter(terms[1:])
    try:
        with graph.relax():
            arguments = [next(known) if number is None else {(0,) * len(box.limits): number} for number in numbers]
            pulled = transposed(row, wanted, box, terms[0], arguments)
        outputs = [
            [p.get(m, 0.0) for m in (box.monomials[: len(planes)] if degrees else box.monomials[:1])]
            for p, planes, degrees in _arguments_of(pulled, inputs, described, numbers)
        ]
        program = graph.finish([c for coefficients in outputs for c in coefficients])
    except (Untraceable, NotGraded):
        return None
    if any(program.nodes[i].boolean for i in program.outputs):
        return None
    if all(
        isinstance(c, Symbol) and c.index == g.index
        for coefficients in outputs
        for c, g in zip(coefficients, inputs[0], strict=False)
    ) and all(len(coefficients) <= len(inputs[0]) for coefficients in outputs):
        return _PASSED_ON
    return prepare(program, groups, tuple(map(len, outputs)), compiled)


def _arguments_of(pulled: Any, inputs: Any, described: Any, numbers: Any) -> Iterator[tuple[Terms, Any, Any]]:
    """What is pulled back to each argument that is wanted, with its inputs and degrees."""
    its = iter(list(zip(inputs, described, strict=True))[1:])
    for p, number in zip(pulled, numbers, strict=True):
        planes, (_, _, degrees) = next(its) if number is None else ((), (0, "", ()))
        if p is not None:
            yield p, planes, degrees


_transposed_plans: Bounded[Any, Any] = Bounded(4096)
