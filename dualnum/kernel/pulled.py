"""The pull-back of a primitive as one kernel: on jets that are recorded, and on jets of what is recorded.

A recorded jet (the gradient's Taylor series) runs the pull-back as it is written, on coefficients. A jet whose
planes are recorded (derivatives inside a loss) needs the transpose of its push-forward.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..broadcasting import summed_to
from ..primitives.table import Row, Series
from . import engine, launch, llvm
from .ir import Graph, Symbol, Untraceable
from .store import Bounded

__all__ = ["TransposedPull", "pulled", "transposed"]

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
    full = np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    operands = [_once(x) if type(x) is launch.Planes else x for x in operands]
    shape = np.broadcast_shapes(*(x.array.shape[1:] for x in operands if type(x) is launch.Planes))
    compiled = dtype in launch.COMPILED and engine.current() == "llvm"
    laid = [launch.laid_out(x, shape, compiled) if type(x) is launch.Planes else x for x in operands]
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
        launch.run(way.plan, results, [x for x in laid if x is not None], prod(shape), directions)
        for planes, count in zip(results, way.plan.counts, strict=True):
            planes[launch.known_planes(count, directions) :] = 0
        if order == 0 and way.divides and not all(np.isfinite(planes.sum()) for planes in results):
            return None
    if shape != full:
        results = [np.broadcast_to(launch.opened(planes, len(full)), (size, *full)) for planes in results]
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
    function: Callable[..., Any], order: int, described: Sequence[Any], dtype: Any, compiled: bool, directed: bool
) -> _Way | None:
    graph = Graph(dtype)
    groups: list[llvm.Group] = []
    given: list[Any] = []
    inputs: dict[tuple[int, ...], int] = {}  # operands by the nodes of their coefficients
    for j, x in enumerate(described):
        if x is None:
            given.append(None)
            continue
        count, layout = (1, "s") if x == "number" else x
        groups.append(llvm.Group(layout, count))
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
    except (Untraceable, TypeError, OverflowError):
        return None
    if any(program.nodes[i].boolean for i in program.outputs):
        return None
    if not outputs:
        return _Way(None, tuple(contributions))
    plan = launch.prepare(program, groups, tuple(map(len, outputs)), compiled, directed)
    divides = any(node.op is np.divide for node in program.nodes)
    return None if plan is None else _Way(plan, tuple(contributions), divides)


# ── jets whose planes are recorded ───────────────────────────────────────────────────────────────


def transposed(
    row: Row, wanted: Sequence[bool], cotangents: Sequence[Any], value: Any, arguments: Sequence[Sequence[Any]]
) -> list[list[Any] | None]:
    """The cotangents of the coefficients of the arguments from those of the result's; `value` is coefficient 0.

    With p = f'(u), dy_k = Σ_j p_{k−j} du_j, and so ū_j = Σ_k p_{k−j} ȳ_k: that is (p·r)_{n−j} with r_m = ȳ_{n−m}.
    The transpose is the push-forward of the cotangents in reverse order, by the same recurrence: it runs on
    coefficients u_k + ε r_k.
    """
    n = len(cotangents) - 1
    results: list[list[Any] | None] = []
    for i, w in enumerate(wanted):
        if not w:
            results.append(None)
            continue
        u = arguments[i]
        moving = [Series(1, [u[k] if k < len(u) else 0.0, cotangents[n - k]]) for k in range(n + 1)]
        slope = row.pull(i, cotangents[n], value, *(v[0] for v in arguments))
        y0 = Series(1, [value] if slope is None else [value, slope])
        y = row.expand(n, *(moving if j == i else list(v[: n + 1]) for j, v in enumerate(arguments)), value=y0)
        pushed = [c.coefficients[1] if isinstance(c, Series) and len(c.coefficients) > 1 else 0.0 for c in y]
        results.append([pushed[n - j] if 0 <= n - j < len(pushed) else 0.0 for j in range(len(u))])
    return results


class TransposedPull:
    """The pull-back of a primitive on jets, from stacked planes to stacked planes: one kernel.

    Attributes:
        row: the primitive.
        wanted: which arguments.
        planes: how many planes of the result may be nonzero.
        counts: how many of each argument; 0 for a constant, without the axis of planes.
    """

    __slots__ = ("counts", "planes", "row", "wanted")

    def __init__(self, row: Row, wanted: tuple[bool, ...], planes: int, counts: tuple[int, ...]) -> None:
        self.row = row
        self.wanted = wanted
        self.planes = planes
        self.counts = counts

    def __call__(self, cotangent: Any, value: Any, *arguments: Any) -> tuple[Any, ...]:
        if type(cotangent) is np.ndarray and all(type(x) is np.ndarray or not hasattr(x, "dtype") for x in arguments):
            results = self._launched(cotangent, value, arguments)
            if results is not None:
                return results
        split = [
            [u] if not count else [u[k] for k in range(count)] for u, count in zip(arguments, self.counts, strict=True)
        ]
        pulled = transposed(self.row, self.wanted, [cotangent[k] for k in range(self.planes)], value[0], split)
        return tuple(
            None if parts is None else self._joined(parts, u, count, cotangent)
            for parts, u, count in zip(pulled, arguments, self.counts, strict=True)
        )

    def _joined(self, parts: list[Any], u: Any, count: int, cotangent: Any) -> Any:
        """Planes of the shape of u, zeros behind the first."""
        shape = tuple(cotangent.shape[1:])
        parts = [summed_to(np.broadcast_to(c, shape), tuple(u.shape[1 if count else 0 :])) for c in parts]
        if not count:
            return parts[0]
        zero = np.zeros_like(parts[0])
        return np.stack([*parts, *[zero] * (u.shape[0] - count)])

    def _launched(self, cotangent: Any, value: Any, arguments: Sequence[Any]) -> tuple[Any, ...] | None:
        shape, dtype = cotangent.shape[1:], cotangent.dtype
        if not all(x.dtype == dtype for x in arguments if type(x) is np.ndarray):
            return None
        compiled = dtype in launch.COMPILED and engine.current() == "llvm"
        given = [launch.Planes(cotangent, self.planes), launch.Planes(value, 1)]
        given += [
            launch.Planes(x if count else x[None], max(count, 1))
            for x, count in zip(arguments, self.counts, strict=True)
            if type(x) is np.ndarray
        ]
        laid = [launch.laid_out(x, shape, compiled) for x in given]
        numbers = tuple(None if type(x) is np.ndarray else x for x in arguments)
        described = tuple((x.count, layout) for x, layout in laid)
        key = (self.row.ufunc, self.wanted, self.planes, self.counts, described, numbers, dtype, compiled)
        plan = _transposed_plans.get(key)
        if plan is None:
            plan = _transposed_plans.put(key, self._plan(described, numbers, dtype, compiled) or _NO_PLAN)
        if plan is _NO_PLAN:
            return None
        chosen = [i for i, w in enumerate(self.wanted) if w]
        if plan is _PASSED_ON:
            bare = not cotangent[self.planes :].any()  # zeros above the result's degree: it can go on as it is
            return tuple(
                None
                if not w
                else cotangent
                if bare and count == self.planes and u.shape == cotangent.shape
                else self._of_shape(cotangent[: max(count, 1)], u, count)
                for u, count, w in zip(arguments, self.counts, self.wanted, strict=True)
            )
        results = []
        for i in chosen:
            u, count = arguments[i], self.counts[i]
            whole = count and u.shape[1:] == shape
            results.append(memory.empty((len(u) if whole else max(count, 1), *shape), dtype))
        launch.run(plan, results, laid, prod(shape))
        full: list[Any] = [None] * len(self.wanted)
        for i, planes in zip(chosen, results, strict=True):
            full[i] = self._of_shape(planes, arguments[i], self.counts[i])
        return tuple(full)

    def _of_shape(self, planes: Any, u: Any, count: int) -> Any:
        """The first planes summed where u was broadcast, zeros behind them."""
        if not count:
            return planes[0]
        if planes.shape == u.shape:
            if count < len(planes):
                planes[count:] = 0
            return planes
        if planes.shape[1:] != u.shape[1:]:
            ones = (1,) * (planes.ndim - u.ndim)
            planes = summed_to(planes, (count, *ones, *u.shape[1:])).reshape(count, *u.shape[1:])
        if count == len(u):
            return planes
        full = memory.empty(u.shape, u.dtype)
        full[:count] = planes
        full[count:] = 0
        return full

    def _plan(self, described: Sequence[Any], numbers: Sequence[Any], dtype: Any, compiled: bool) -> Any:
        graph = Graph(dtype)
        groups = [llvm.Group(layout, count) for count, layout in described]
        cotangents, (value,), *rest = [[graph.input() for _ in range(count)] for count, _ in described]
        known = iter(rest)
        try:
            with graph.relax():
                arguments = [next(known) if number is None else [number] for number in numbers]
                pulled = transposed(self.row, self.wanted, cotangents, value, arguments)
            parts = [p for p in pulled if p is not None]
            program = graph.finish([c for p in parts for c in p])
        except (Untraceable, TypeError, OverflowError):
            return None
        if any(program.nodes[i].boolean for i in program.outputs):
            return None
        if all(
            isinstance(c, Symbol) and c.index == g.index for p in parts for c, g in zip(p, cotangents, strict=False)
        ) and all(len(p) <= len(cotangents) for p in parts):
            return _PASSED_ON
        return launch.prepare(program, groups, tuple(map(len, parts)), compiled)


_transposed_plans: Bounded[Any, Any] = Bounded(4096)
