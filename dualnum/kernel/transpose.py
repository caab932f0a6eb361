"""The pull-back of a primitive as one kernel: on jets that are recorded, and on jets of what is recorded.

A recorded jet (the gradient's Taylor series) runs the pull-back as it is written, on coefficients. A jet whose
planes are recorded (derivatives inside a loss) needs the transpose of its push-forward.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import series
from ..algebra import Algebra, Monomial, Univariate
from ..broadcasting import summed_to
from ..kinds import DType, Value
from ..primitives.derived import derived
from ..primitives.mends import mended
from ..primitives.table import Row, Series
from . import engine, launch
from .ir import Symbol
from .layout import laid_out, opened
from .target import Target
from .writing import NOT_WRITTEN, Kept, Writing

__all__ = ["planes", "pull_back"]

Terms = dict[Monomial, Any]  # coefficients by monomial

_PASSED_ON = "passed on"  # a sum hands the cotangents of its terms on


# ── recorded jets ────────────────────────────────────────────────────────────────────────────────


class _Way(NamedTuple):
    """How the contributions come: by a kernel, an operand as it is, or not at all."""

    plan: Any
    contributions: tuple[tuple[str, int] | None, ...]
    extents: Sequence[tuple[int, ...]] = ()  # of what the kernel writes
    divides: bool = False  # by multiplying with reciprocals, which overflow where quotients do not


_ways = Kept(4096)


_ARRAYS = Univariate(0)


def pull_back(
    function: Callable[..., Any], operands: Sequence[Any], algebra: Algebra = _ARRAYS
) -> list[tuple[Any, int] | int | None] | None:
    """The contributions of a pull-back, by one kernel; None where there is no plan.

    Args:
        function: (cotangent, value, *arguments) → contributions, see `PullBack`.
        operands: the function's, `Planes` of each jet and array, numbers, or None for what it does not read.
        algebra: that of the jets.

    Returns:
        For each argument (planes, extent), the number of the operand that it is, or None.
    """
    directions, single = algebra.directions, algebra.single
    arrays = [x.array for x in operands if type(x) is launch.Planes]
    dtype = arrays[0].dtype
    if any(a.dtype != dtype for a in arrays) or any(type(x) is complex for x in operands):
        return None
    full = shape = arrays[0].shape[1:]
    if any(0 in a.strides or a.shape[1:] != shape for a in arrays):
        full = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
        operands = [_once(x) if type(x) is launch.Planes else x for x in operands]
        shape = np.broadcast_shapes(*(x.array.shape[1:] for x in operands if type(x) is launch.Planes))
    target = engine.target_of(arrays[0], dtype)
    if target is None:
        return None
    laid = [laid_out(x, shape, target) if type(x) is launch.Planes else x for x in operands]
    described = tuple((x[0].extents, x[1]) if type(x) is tuple else "number" if x is not None else None for x in laid)
    key = (function, single, described, dtype, target, directions is not None)
    way = _ways.get(key, lambda: _way(function, single, described, dtype, target, directions is not None))
    if way is None:
        return None
    results: list[Any] = []
    if way.plan is not None:
        results = [target.empty((algebra.size, *shape), dtype) for _ in way.plan.counts]
        if way.plan.run(results, [x for x in laid if x is not None], prod(shape), directions):
            return None  # a mend must follow
        if target.looks:
            for planes, extents in zip(results, way.extents, strict=True):
                planes[algebra.filled(extents) :] = 0
        if target.looks and algebra is _ARRAYS and way.divides:
            if not all(np.isfinite(planes.sum()) for planes in results):
                return None
    if shape != full:
        results = [np.broadcast_to(opened(planes, len(full)), (len(planes), *full)) for planes in results]
    made = [
        None if c is None else c[1] if c[0] == "operand" else (results[c[1]], way.extents[c[1]][0])
        for c in way.contributions
    ]
    return made


def _once(x: launch.Planes) -> launch.Planes:
    """The planes with one element along each axis along which they were broadcast: a sum's cotangent is one number."""
    array = x.array
    if 0 not in array.strides[1:]:
        return x
    index = (slice(None), *(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides[1:]))
    return launch.Planes(array[index], x.count, x.extents)


def _way(
    function: Callable[..., Any],
    algebra: Algebra,
    described: Sequence[Any],
    dtype: DType,
    target: Target,
    directed: bool,
) -> _Way | None:
    writing = Writing(dtype, algebra, target.looks)
    given: list[Any] = []
    operands: dict[tuple[int, ...], int] = {}  # by the nodes of their coefficients
    for j, x in enumerate(described):
        if x is None or x == "number":
            given.append(x and writing.number())
            continue
        terms = writing.operand(*x)
        operands[tuple([c.index for c in terms.values()])] = j
        parts = algebra.homogeneous(terms)
        given.append(Series(algebra.order, parts) if len(parts) > 1 else parts[0])
    contributions: list[tuple[str, int] | None] = []
    outputs: list[list[Any]] = []
    extents: list[tuple[int, ...]] = []
    # a quotient is no product with a reciprocal, which may overflow, where nobody can look whether it did
    exactly = algebra is _ARRAYS and not target.looks
    try:
        with nullcontext() if exactly else writing.graph.relax():
            for c in function(*given):
                if c is None:
                    contributions.append(None)
                    continue
                terms = algebra.terms(c.coefficients if isinstance(c, Series) else [c])
                reach = algebra.extents(terms)
                coefficients = [writing.graph.lift(terms.get(m, 0.0)) for m in algebra.written(reach)]
                same = operands.get(tuple([a.index for a in coefficients]))
                if same is not None:
                    contributions.append(("operand", same))
                    continue
                contributions.append(("result", len(outputs)))
                outputs.append(launch.written(algebra, terms, reach, target))
                extents.append(reach)
        if not outputs:
            return _Way(None, tuple(contributions))
        plan = writing.planned(outputs, target, directed)
    except NOT_WRITTEN:
        return None
    if plan is None:
        return None
    divides = any(node.op is np.divide for node in plan.program.nodes)
    return _Way(plan, tuple(contributions), extents, divides)


# ── jets whose planes are recorded ───────────────────────────────────────────────────────────────


def transposed(
    row: Row, wanted: Sequence[bool], algebra: Algebra, cotangents: Terms, arguments: Sequence[Terms]
) -> list[Terms | None]:
    """The cotangents of the coefficients of the arguments from those of the result's, all by monomial.

    With p = ∂f, dy = p du, and so ū_j = Σ p_m ȳ_n over the products of t^j t^m in which t^n occurs: m = n − j.
    """
    results: list[Terms | None] = []
    parts = [algebra.homogeneous(u) for u in arguments]
    for i, w in enumerate(wanted):
        if not w:
            results.append(None)
            continue
        partial = derived(row, tuple(int(i == j) for j in range(len(wanted)))).row
        slope = partial.expand(algebra.order, *parts)
        if partial.mend is not None:
            where = partial.mend.where(None, *(u[0] for u in parts))
            if hasattr(where, "_seldom") and where._seldom():
                slope = mended(partial, algebra.order, slope, parts)
        p = algebra.terms(slope)
        results.append({j: _paired(algebra, p, cotangents, j) for j in arguments[i]})
    return results


def _paired(algebra: Algebra, p: Terms, cotangents: Terms, j: Monomial) -> Any:
    """Σ p_m ȳ_n."""
    found = ((p[m], n, c) for m, combination in algebra.multiples(j).items() if m in p for n, c in combination)
    return series.total(
        a * cotangents[n] if c == 1 else c * (a * cotangents[n]) for a, n, c in found if n in cotangents
    )


def planes(
    row: Row,
    wanted: tuple[bool, ...],
    algebra: Algebra,
    cotangent: launch.Planes,
    arguments: Sequence[Any],
    there: frozenset[int] | None = None,
) -> list[Any] | None:
    """The same from stacked planes to stacked planes, by one kernel; None where there is no plan.

    Args:
        row: the primitive.
        wanted: which arguments.
        algebra: of all levels, along one direction.
        cotangent: of the result.
        arguments: `Planes` of each array; or numbers.
        there: the planes of the cotangent that there are; the others are absent. None for all.

    Returns:
        The planes of each argument that is wanted, summed where it was broadcast.
    """
    shape, dtype = cotangent.array.shape[1:], cotangent.array.dtype
    arrays = [x for x in arguments if type(x) is launch.Planes]
    if not all(x.array.dtype == dtype for x in arrays):
        return None
    target = engine.target_of(cotangent.array)
    if target is None:
        return None
    laid = [laid_out(x, shape, target) for x in (cotangent, *arrays)]
    numbers = tuple(None if type(x) is launch.Planes else x for x in arguments)
    described = tuple((x.extents, layout) for x, layout in laid)
    what = row, wanted, algebra, described, numbers, there, dtype, target
    key = (row.ufunc, *what[1:], tuple(map(type, numbers)))
    plan = _transposed_plans.get(key, lambda: _transposed_plan(*what))
    if plan is None:
        return None
    chosen = [x for x, w in zip(arguments, wanted, strict=True) if w]
    if plan is _PASSED_ON:
        g, count = cotangent.array, cotangent.count
        # zeros above the result's extent: it can go on as it is
        bare = count == len(g) or (target.looks and not g[count:].any())
        as_it_is = [bare and x.moves and x.count == count and x.array.shape == g.shape for x in chosen]
        pairs = zip(chosen, as_it_is, strict=True)
        found = iter([g if its else _of_shape(g[: x.count], x, target) for x, its in pairs])
        return [next(found) if w else None for w in wanted]
    results = []
    for x in chosen:
        whole = x.moves and x.array.shape[1:] == shape
        results.append(target.empty((len(x.array) if whole else x.count, *shape), dtype))
    if plan.run(results, laid, prod(shape)):
        return None  # a mend must follow
    found = iter([_of_shape(stack, x, target) for stack, x in zip(results, chosen, strict=True)])
    return [next(found) if w else None for w in wanted]


def _of_shape(planes: Value, x: launch.Planes, target: Target) -> Any:
    """The first planes summed where x was broadcast, zeros behind them."""
    u, count = x.array, x.count
    if planes.shape == u.shape:
        planes[count:] = 0
        return planes
    if planes.shape[1:] != u.shape[1:]:
        ones = (1,) * (planes.ndim - u.ndim)
        planes = summed_to(planes, (count, *ones, *u.shape[1:])).reshape(count, *u.shape[1:])
    if count == len(u):
        return planes
    full = target.empty(u.shape, u.dtype)
    full[:count] = planes
    full[count:] = 0
    return full


def _transposed_plan(
    row: Row,
    wanted: Sequence[bool],
    algebra: Algebra,
    described: Sequence[Any],
    numbers: Sequence[Any],
    there: frozenset[int] | None,
    dtype: DType,
    target: Target,
) -> Any:
    writing = Writing(dtype, algebra, target.looks)
    cotangent, *terms = (writing.operand(*x) for x in described)
    if there is not None:
        cotangent = {m: g for m, g in cotangent.items() if algebra.places[m] in there}
    known = iter(terms)
    try:
        with writing.graph.relax():
            arguments = [next(known) if number is None else {algebra.monomials[0]: number} for number in numbers]
            pulled = transposed(row, wanted, algebra, cotangent, arguments)
        outputs = [
            [p.get(m, 0.0) for m in algebra.laid(extents)] for p, extents in _arguments_of(pulled, described, numbers)
        ]
        given = [cotangent.get(m) for m in algebra.laid(described[0][0])]
        if all(_is_beginning(coefficients, given) for coefficients in outputs):
            return _PASSED_ON
        return writing.planned(outputs, target)
    except NOT_WRITTEN:
        return None


def _is_beginning(coefficients: Sequence[Any], given: Sequence[Any]) -> bool:
    """Whether these are the first of the given symbols."""
    pairs = zip(coefficients, given, strict=False)
    return len(coefficients) <= len(given) and all(
        isinstance(c, Symbol) and g is not None and c.index == g.index for c, g in pairs
    )


def _arguments_of(pulled: Any, described: Any, numbers: Value) -> Iterator[tuple[Terms, Any]]:
    """What is pulled back to each argument that is wanted, with its extents."""
    its = iter(described[1:])
    for p, number in zip(pulled, numbers, strict=True):
        extents = next(its)[0] if number is None else ()
        if p is not None:
            yield p, extents


_transposed_plans = Kept(4096)
