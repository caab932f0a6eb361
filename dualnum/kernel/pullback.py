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
from ..primitives.table import Row
from .ir import CONST, INPUT, SELECT, Graph, Program, Untraceable
from .store import Bounded

__all__ = ["PullBack", "pullback"]


class PullBack:
    """The pull-back of one output of a primitive to the arguments that are wanted.

    Attributes:
        function: (cotangent, value, *arguments) → a contribution for each argument, None where there is none.
        keep: (value, *arguments) → the same, None for what the function does not read.
        needs: which of them it reads.
        selects: whether a branch that is not taken gets a zero for its cotangent.
    """

    __slots__ = ("function", "keep", "needs", "selects")

    def __init__(self, function: Callable[..., Any], needs: Sequence[bool], selects: bool = False) -> None:
        self.selects = selects
        self.needs = tuple(needs)
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
        return PullBack(function, needs, _selects(program))
    return PullBack(_mended(row, wanted, output, function), (True,) * len(needs), _selects(program))


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
    return function


def _selects(program: Program) -> bool:
    """Whether something that depends on the cotangent, input 0, is selected."""
    reached: set[int] = set()
    for i, node in enumerate(program.nodes):
        if (node.op == INPUT and node.extra == 0) or reached.intersection(node.args):
            reached.add(i)
            if node.op == SELECT:
                return True
    return False


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
