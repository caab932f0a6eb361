"""From a primitive to its pull-back, as a Python function that NumPy, jets, variables and tracers can run.

The pull-back is the row's own rule at order 1 with the cotangent for a tangent (see `Row.pull`), written down
once as a program: it shares what the arguments have in common, and it says which values it will need, so that
a tape keeps no others. Rules that look at the numbers themselves are run as they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..algebra import NotGraded
from ..backend import is_array, occurs
from ..kinds import Value
from ..operand import Operand, primal, visible
from ..primitives.derived import Derived, derived
from ..primitives.mends import mended
from ..primitives.table import Row, Series
from .bounded import Bounded
from .ir import CONST, INPUT, SELECT, Graph, Program, Symbol, Untraceable
from .python import in_python

__all__ = ["PullBack", "pullback", "written_value"]


class PullBack:
    """The pull-back of one output of a primitive to the arguments that are wanted.

    Attributes:
        function: (cotangent, value, *arguments) → a contribution for each argument, None where there is none; on
            plain arrays.
        exact: the same on operands that are differentiated again, right with all derivatives.
        keep: (value, *arguments) → the same, None for what neither function reads.
        reached: (value, *arguments) → for each argument the mask of the elements that the result depends on at all,
            None for all of them; None where that never leaves one out. Branches not taken are absent, not zero.
        scales: whether a contribution is the cotangent times something, so that 0·∞ can occur.
        squares: whether it is that of a square.
        moved: by which of the wanted arguments the value moves at all; of the others it is piecewise constant.
    """

    __slots__ = ("exact", "function", "keep", "moved", "reached", "scales", "squares")

    def __init__(
        self,
        function: Callable[..., Any],
        needs: Sequence[bool],
        exact: Callable[..., Any] | None = None,
        reached: Callable[..., Any] | None = None,
        scales: bool = True,
        moved: tuple[bool, ...] = (),
    ) -> None:
        names = [f"u{j}" for j in range(len(needs))]
        kept = "".join(f"{name}, " if needed else "None, " for name, needed in zip(names, needs, strict=True))
        self.function = function
        self.exact = function if exact is None else exact
        self.keep: Callable[..., Any] = eval(f"lambda {', '.join(names)}: ({kept})")
        self.reached = reached
        self.scales = scales
        self.moved = moved
        self.squares = False


_known: dict[Any, PullBack] = {}
_known_by_number: Bounded[Any, PullBack] = Bounded(4096)
_BY_NUMBER = PullBack(lambda *operands: None, ())


def pullback(row: Row, wanted: tuple[bool, ...], value: Value, arguments: Sequence[Any], output: int = 0) -> PullBack:
    """The pull-back to the arguments that are `wanted`; numbers among the others may decide how it goes.

    Complex numbers run the rule itself: programs are real.
    """
    key: Any = (row.ufunc, wanted, output)
    known = _known.get(key)
    if known is None:
        known = _known.setdefault(key, _written(row, wanted, output, None))
    # a real value of complex arguments is that of a function of one argument (abs)
    if value.dtype.kind == "c" or (len(arguments) == 1 and arguments[0].dtype.kind == "c"):
        return _interpreted(row, wanted, output, True)
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


def _number(x: Value) -> Any:
    """x as a Python number, if it is one number."""
    if is_array(x) and x.ndim == 0 and x.dtype.kind in "fiu":
        return x.item()
    return x if type(x) in (int, float) else None


_interpreters: dict[Any, PullBack] = {}


def _interpreted(row: Row, wanted: tuple[bool, ...], output: int, is_complex: bool = False) -> PullBack:
    key = row.ufunc, wanted, output, is_complex
    known = _interpreters.get(key)
    return known if known is not None else _interpreters.setdefault(key, _interpreter(row, wanted, output, is_complex))


def _interpreter(row: Row, wanted: tuple[bool, ...], output: int, is_complex: bool) -> PullBack:
    """The rule itself, run on the operands."""

    def pulled(i: int, cotangent: Value, value: Value, arguments: Sequence[Any]) -> Any:
        slope = _slope(row, i, arguments)
        if slope is not None:
            return cotangent * slope(*arguments)
        return row.pull(i, cotangent, value, *arguments, output=output)

    def function(cotangent: Value, value: Value, *arguments: Any) -> Any:
        return tuple([pulled(i, cotangent, value, arguments) if w else None for i, w in enumerate(wanted)])

    if row.slopes and sum(wanted) == 1 and (slope := row.slopes[wanted.index(True)]) is not None:
        i, moving = wanted.index(True), _by_derivatives(row, wanted, output)

        def along(cotangent: Value, value: Value, *arguments: Any) -> Any:
            if any(j != i and isinstance(u, Operand) for j, u in enumerate(arguments)):  # of an outer transform
                return moving(cotangent, value, *arguments)
            return tuple([cotangent * slope(*arguments) if j == i else None for j in range(len(wanted))])

        return PullBack(along, (False,) + (True,) * len(wanted), moved=wanted)
    exact = None if is_complex else _by_derivatives(row, wanted, output)
    if exact is not None and row.mend is not None:
        exact = _either(row, exact, exact)
    return PullBack(_mended(row, wanted, output, function), (True,) * (1 + len(wanted)), exact, moved=wanted)


def _slope(row: Row, i: int, arguments: Sequence[Any]) -> Any:
    """The partial derivative by other primitives, of arrays on a device, at which the rule would have to look."""
    if not row.slopes or visible(*arguments) or any(isinstance(u, Operand) for u in arguments):
        return None
    return row.slopes[i]


def _written(row: Row, wanted: tuple[bool, ...], output: int, numbers: Value) -> PullBack:
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
    except (Untraceable, NotGraded):
        return _BY_NUMBER
    inputs = ["g", *(["y"] if nout == 1 else [f"y[{k}]" for k in range(nout)]), *(f"u{j}" for j in range(len(wanted)))]
    outputs = iter(program.outputs)
    places = [None if c is None else next(outputs) for c in pulled]
    function = in_python(program, inputs, places, row.name)
    may_fail = _may_fail(row, numbers or (None,) * len(wanted))
    plain = nout == 1 and _is_plain(program)  # of several values none is a variable of its own
    exact = None if plain else _by_derivatives(row, [c is not None for c in pulled], output)
    reached = _reached(program, inputs, places, row.name)
    read = {node.extra for node in program.nodes if node.op == INPUT}
    needs = [any(k in read for k in range(1, 1 + nout)), *(1 + nout + j in read for j in range(len(wanted)))]
    if may_fail:
        needs = [True] * len(needs)
        function = _mended(row, wanted, output, function)
        by_derivatives = _by_derivatives(row, [c is not None for c in pulled], output)
        exact = _either(row, function if plain else by_derivatives, by_derivatives)
    if exact is not None:
        needs = [needs[0], *[True] * len(wanted)]
    return PullBack(function, needs, exact, reached, _scales(program), tuple([c is not None for c in pulled]))


def _by_derivatives(row: Row, wanted: Sequence[bool], output: int) -> Callable[..., Any]:
    """ȳ·∂_i f, the derivative being a primitive in turn."""
    partials = [
        derived(row, tuple(int(i == j) for j in range(len(wanted))), output) if w else None
        for i, w in enumerate(wanted)
    ]

    def function(cotangent: Value, value: Value, *arguments: Any) -> Any:
        return tuple([None if partial is None else cotangent * _right(partial, arguments) for partial in partials])

    return function


def _right(partial: Derived, arguments: Sequence[Any]) -> Any:
    """A derivative, with what its mend gives in programs of which nobody asks for an alarm."""
    y = partial(*arguments)
    series = isinstance(y, Series)
    first = y.coefficients[0] if series else y
    if not isinstance(first, Symbol) or first.graph.looks:
        return y
    operands = [u.coefficients if isinstance(u, Series) else [u] for u in arguments]
    redone = mended(partial.row, y.order if series else 0, y.coefficients if series else [y], operands)
    return Series(y.order, redone) if series else redone[0]


def _either(row: Row, function: Callable[..., Any], exact: Callable[..., Any]) -> Callable[..., Any]:
    """The function, and by derivatives wherever the row's rule may have failed."""
    mend = row.mend
    assert mend is not None

    def chosen(cotangent: Value, value: Value, *arguments: Any) -> Any:
        where = mend.where(value if isinstance(value, tuple) else primal(value), *map(primal, arguments))
        return (exact if _seldom(where) else function)(cotangent, value, *arguments)

    return chosen


# ── what a program says of itself ────────────────────────────────────────────────────────────────


def _depends(program: Program) -> list[bool]:
    """Which nodes depend on the cotangent, input 0."""
    depends: list[bool] = []
    for node in program.nodes:
        depends.append((node.op == INPUT and node.extra == 0) or any(depends[a] for a in node.args))
    return depends


def _is_plain(program: Program) -> bool:
    """Whether the program is the derivative for all that comes: a product of functions of the operands.

    A sum may cancel and a branch be right at its point only; then the derivative is a primitive of its own. Which
    branch gets the cotangent is no such branch: it is the same all around.
    """
    depends = _depends(program)
    for i, node in enumerate(program.nodes):
        if node.op in (INPUT, CONST) or node.op in _SCALING or node.boolean:
            continue
        if node.op == SELECT:
            if not depends[i]:
                return False
        elif node.op in (np.add, np.subtract) or not all(program.nodes[a].op in (INPUT, CONST) for a in node.args):
            return False
    # a selected contribution goes out as it is
    outside = {a for i, node in enumerate(program.nodes) if node.op != SELECT for a in node.args}
    return not any(node.op == SELECT and i in outside for i, node in enumerate(program.nodes))


_SCALING = {np.multiply, np.divide, np.negative, np.positive, np.square}


def _scales(program: Program) -> bool:
    """Whether the cotangent is multiplied by what is not a number known now."""
    depends = _depends(program)
    for i, node in enumerate(program.nodes):
        if depends[i] and node.op not in (INPUT, SELECT, np.negative, np.add, np.subtract):
            if any(program.nodes[a].op != CONST and not depends[a] for a in node.args):
                return True
    return False


def _reached(program: Program, inputs: Sequence[str], places: Sequence[int | None], name: str) -> Any:
    """Where a contribution is no structural zero, as a function of Python; None if that is everywhere."""
    masks: list[Any] = []  # True, False, or an expression
    for node in program.nodes:
        if node.op == CONST:
            masks.append(bool(node.extra != 0))
        elif node.op == SELECT:
            condition, x, y = node.args
            a, b = masks[x], masks[y]
            if a is b:
                masks.append(a)
            else:
                masks.append(_or(_and(f"t{condition}", a), _and(f"~t{condition}", b)))
        elif node.op in (np.add, np.subtract):
            masks.append(_or(*(masks[a] for a in node.args)))
        elif node.op is np.multiply:
            masks.append(_and(*(masks[a] for a in node.args)))
        elif node.op in (np.divide, np.negative):
            masks.append(masks[node.args[0]])
        else:
            masks.append(True)
    wanted = [True if i is None else masks[i] for i in places]
    if all(mask is True for mask in wanted):
        return None
    texts = ["None" if mask is True else str(mask) for mask in wanted]
    return in_python(program, inputs, places, f"mask of {name}", ", ".join(texts))


def _and(a: Value, b: Value) -> Any:
    if a is False or b is False:
        return False
    return b if a is True else a if b is True else f"({a} & {b})"


def _or(a: Value, b: Value) -> Any:
    if a is True or b is True:
        return True
    return b if a is False else a if b is False else f"({a} | {b})"


# ── derivatives as functions of Python ─────────────────────────────────────────────────────────


def written_value(function: Derived) -> Callable[..., Any]:
    """The derivative of a primitive as a function of Python on real arrays; itself where none can be written."""
    known = _values.get(function)
    if known is None:
        known = _values.put(function, _value(function))
    return known


_values: Bounded[Derived, Callable[..., Any]] = Bounded(4096)


def _value(function: Derived) -> Callable[..., Any]:
    graph = Graph(np.float64)
    try:
        program = graph.finish([function(*[graph.input() for _ in range(function.nin)])])
    except (Untraceable, NotGraded):
        return function
    if program.nodes[program.outputs[0]].op == CONST:  # which has no shape
        return function
    run = in_python(program, [f"u{j}" for j in range(function.nin)], program.outputs, function.__name__)
    mend = function.row.mend

    def value(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            (y,) = run(*arguments)
        return function(*arguments) if mend is not None and not _finite(y) else y

    return value


# ── the rare points at which a rule fails ────────────────────────────────────────────────────────


def _mended(row: Row, wanted: tuple[bool, ...], output: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the row's mend where its results are not finite."""
    mend = row.mend
    if mend is None:
        return function

    def pull(cotangent: Value, value: Value, *arguments: Any) -> Any:
        pulled = function(cotangent, value, *arguments)
        if not all(c is None or is_array(c) for c in pulled):
            where = mend.where(primal(value), *map(primal, arguments))
        elif all(c is None or _finite(c) for c in pulled):
            return pulled
        else:
            where = mend.where(value, *arguments)
        if not _seldom(where):
            return pulled
        results = []
        for i, c in enumerate(pulled):
            if c is not None and _slope(row, i, arguments) is None:
                partial = derived(row, tuple(int(i == j) for j in range(len(wanted))), output)
                c = np.where(where, cotangent * _right(partial, arguments), c)
            results.append(c)
        return tuple(results)

    return pull


def _seldom(where: Any) -> bool:
    """Whether what follows where this truth value holds is to be worked out.

    Of what has no numbers yet: whether it is to be written as well, with no alarm raised in its place.
    """
    return where._seldom() if hasattr(where, "_seldom") else occurs(where)


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


def _finite(x: Value) -> bool:
    """Whether all numbers are seen to be finite; those on a device are not looked at."""
    return isinstance(x, (np.ndarray, np.generic)) and bool(np.isfinite(x.sum()))
