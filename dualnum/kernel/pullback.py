"""From a primitive to its pull-back, as a Python function that NumPy, jets, variables and tracers can run.

The pull-back is the row's own rule at order 1 with the cotangent for a tangent (see `Row.pull`), written down
once as a program: it shares what the arguments have in common, and it says which values it will need, so that
a tape keeps no others. Rules that look at the numbers themselves are run as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import series
from ..backend import is_array
from ..broadcasting import summed_to
from ..primitives.table import Row, Series
from . import engine, launch, llvm
from .ir import CONST, INPUT, SELECT, Graph, Program, Symbol, Untraceable
from .store import Bounded

__all__ = ["PullBack", "TransposedPull", "pullback", "transposed"]


class PullBack:
    """The pull-back of one output of a primitive to the arguments that are wanted.

    Attributes:
        function: (cotangent, value, *arguments) → a contribution for each argument, None where there is none.
        keep: (value, *arguments) → the same, None for what the function does not read.
    """

    __slots__ = ("function", "keep")

    def __init__(self, function: Callable[..., Any], needs: Sequence[bool]) -> None:
        names = [f"u{j}" for j in range(len(needs))]
        kept = "".join(f"{name}, " if needed else "None, " for name, needed in zip(names, needs, strict=True))
        self.function = function
        self.keep: Callable[..., Any] = eval(f"lambda {', '.join(names)}: ({kept})")


_known: dict[Any, PullBack] = {}
_known_by_number: Bounded[Any, PullBack] = Bounded(4096)
_BY_NUMBER = PullBack(lambda *operands: None, ())


def pullback(row: Row, wanted: tuple[bool, ...], value: Any, arguments: Sequence[Any], output: int = 0) -> PullBack:
    """The pull-back to the arguments that are `wanted`; numbers among the others may decide how it goes.

    Complex numbers run the rule itself: programs are real.
    """
    key: Any = (row.ufunc, wanted, output)
    known = _known.get(key)
    if known is None:
        known = _known.setdefault(key, _written(row, wanted, output, None))
    # a real value of complex arguments is that of a function of one argument (abs)
    if value.dtype.kind == "c" or (len(arguments) == 1 and arguments[0].dtype.kind == "c"):
        return _interpreted(row, wanted, output)
    if known is _BY_NUMBER:
        numbers = tuple(None if w else _number(x) for w, x in zip(wanted, arguments, strict=True))
        if all(w or n is not None for w, n in zip(wanted, numbers, strict=True)) and not all(wanted):
            key = (*key, numbers, tuple(map(type, numbers)))
            known = _known_by_number.get(key)
            if known is None:
                known = _known_by_number.put(key, _written(row, wanted, output, numbers))
        if known is _BY_NUMBER:
            known = _interpreted(row, wanted, output)
    return known


def _number(x: Any) -> Any:
    """x as a Python number, if it is one number."""
    if is_array(x) and x.ndim == 0 and x.dtype.kind in "fiu":
        return x.item()
    return x if type(x) in (int, float) else None


def _interpreted(row: Row, wanted: tuple[bool, ...], output: int) -> PullBack:
    """The rule itself, run on the operands."""

    def function(cotangent: Any, value: Any, *arguments: Any) -> Any:
        return tuple(
            row.pull(i, cotangent, value, *arguments, output=output) if w else None for i, w in enumerate(wanted)
        )

    return PullBack(_mended(row, wanted, output, function), (True,) * (1 + len(wanted)))


def _written(row: Row, wanted: tuple[bool, ...], output: int, numbers: Any) -> PullBack:
    """The rule written down: for symbols, or with known numbers in place of what is not wanted."""
    graph = Graph(np.float64)
    nout = row.ufunc.nout
    cotangent = graph.input()
    values = [graph.input() for _ in range(nout)]
    arguments = [graph.input() for _ in wanted]
    given = [n if numbers and n is not None else u for u, n in zip(arguments, numbers or wanted, strict=True)]
    try:
        y = values[0] if nout == 1 else tuple(values)
        pulled = [row.pull(i, cotangent, y, *given, output=output) if w else None for i, w in enumerate(wanted)]
        program = graph.finish([c for c in pulled if c is not None])
    except (Untraceable, TypeError, OverflowError):
        return _BY_NUMBER
    read = {node.extra for node in program.nodes if node.op == INPUT}
    needs = [any(k in read for k in range(1, 1 + nout)), *(1 + nout + j in read for j in range(len(wanted)))]
    function = _function(program, pulled, nout, len(wanted), row.name)
    if not _may_fail(row, numbers or (None,) * len(wanted)):
        return PullBack(function, needs)
    return PullBack(_mended(row, wanted, output, function), (True,) * len(needs))


_OPERATORS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}


def _function(program: Program, pulled: Sequence[Any], nout: int, nin: int, name: str) -> Callable[..., Any]:
    """The program in Python."""
    names: list[str] = []
    lines: list[str] = []
    functions: dict[str, Any] = {"where": np.where}
    inputs = ["g", *(["y"] if nout == 1 else [f"y[{k}]" for k in range(nout)]), *(f"u{j}" for j in range(nin))]
    for i, node in enumerate(program.nodes):
        args = [names[a] for a in node.args]
        if node.op == INPUT:
            names.append(inputs[node.extra])
            continue
        if node.op == CONST:
            functions[f"c{i}"] = float(node.extra)  # a Python number, which widens nothing
            names.append(f"c{i}")
            continue
        if node.op == SELECT:
            text = f"where({', '.join(args)})"
        elif node.op in _OPERATORS:
            text = f"{args[0]} {_OPERATORS[node.op]} {args[1]}"
        elif node.op is np.negative:
            text = f"-{args[0]}"
        else:
            functions[f"f{i}"] = node.op
            text = f"f{i}({', '.join(args)})"
        names.append(f"t{i}")
        lines.append(f"    t{i} = {text}")
    results = iter(program.outputs)
    returned = "".join("None, " if c is None else f"{names[next(results)]}, " for c in pulled)
    arguments = ", ".join(["g", "y", *(f"u{j}" for j in range(nin))])
    source = "\n".join([f"def pull({arguments}):", *lines, f"    return ({returned})"])
    exec(compile(source, f"<pull-back of {name}>", "exec"), functions)
    function: Callable[..., Any] = functions["pull"]
    # whether a branch that is not taken gets a zero for its cotangent
    reached = {i for i, node in enumerate(program.nodes) if node.op == INPUT and node.extra == 0}
    for i, node in enumerate(program.nodes):
        if reached.intersection(node.args):
            reached.add(i)
            if node.op == SELECT:
                function.selects = True  # type: ignore[attr-defined]
    return function


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
            return tuple(
                self._of_shape(cotangent[: max(count, 1)], u, count) if w else None
                for u, count, w in zip(arguments, self.counts, self.wanted, strict=True)
            )
        results = [np.empty((max(self.counts[i], 1), *shape), dtype) for i in chosen]
        launch.run(plan, results, laid, int(np.prod(shape)))
        full: list[Any] = [None] * len(self.wanted)
        for i, planes in zip(chosen, results, strict=True):
            full[i] = self._of_shape(planes, arguments[i], self.counts[i])
        return tuple(full)

    def _of_shape(self, planes: Any, u: Any, count: int) -> Any:
        """The planes summed where u was broadcast, zeros behind the first."""
        if not count:
            return planes[0]
        shape = (count, *u.shape[1:])
        if count == len(u) and planes.shape == u.shape:
            return planes
        if planes.shape != shape:
            planes = planes.reshape(count, *planes.shape[1:])
            planes = summed_to(planes, (count, *(1,) * (planes.ndim - u.ndim), *u.shape[1:])).reshape(shape)
        if count == len(u):
            return planes
        full = np.zeros(u.shape, u.dtype)
        full[:count] = planes
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
_NO_PLAN, _PASSED_ON = "no plan", "passed on"  # a sum hands the cotangents of its terms on


# ── the rare points at which a rule fails ────────────────────────────────────────────────────────


def _mended(row: Row, wanted: tuple[bool, ...], output: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the row's mend where its results are not finite."""
    mend = row.mend
    if mend is None:
        return function

    def mended(cotangent: Any, value: Any, *arguments: Any) -> Any:
        pulled = function(cotangent, value, *arguments)
        if all(c is None or not is_array(c) or _finite(c) for c in pulled):
            return pulled
        where = mend.where(value, *arguments)
        if not np.any(where):
            return pulled
        results = []
        for i, c in enumerate(pulled):
            if c is not None:
                operands = [[u, cotangent] if j == i else [u] for j, u in enumerate(arguments)]
                c = series.select(1, value, where, mend.rule(1, value, *operands), [value, c])[1]
            results.append(c)
        return tuple(results)

    if getattr(function, "selects", False):
        mended.selects = True  # type: ignore[attr-defined]
    return mended


def _may_fail(row: Row, numbers: Sequence[Any]) -> bool:
    """Whether the row's own rule can fail for these numbers (None: for any), tried where rules fail."""
    if row.mend is None:
        return False
    if row.ufunc.nout > 1:
        return True
    edges = np.array([-np.inf, -1.5, -1.0, 0.0, 0.5, 1.0, 2.5, np.inf, np.nan])
    unknown = [None, *numbers].count(None)
    grid = iter(np.meshgrid(*[edges] * unknown))
    with np.errstate(all="ignore"):
        return bool(np.any(row.mend.where(*(next(grid) if n is None else n for n in (None, *numbers)))))


def _finite(x: Any) -> bool:
    return bool(np.isfinite(x.sum()))
