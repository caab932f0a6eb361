"""Loops and branches as functions: plain Python outside of `jit`, and one step of the program within.

So a loop's body is traced and compiled once, whatever the number of steps, which may hang on traced numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from ..backend import is_array
from ..errors import DualnumError, InvalidType, InvalidValue
from ..kinds import DType, Value
from ..operand import Operand, primal
from ..program.formal import Closed, Given
from ..program.trace import Tracer
from ..program.tracing import is_tracing
from .branches import Branch
from .loops import Loop
from .rows import Rows

__all__ = ["cond", "fori_loop", "scan", "while_loop"]

_NUMBERS = (bool, int, float, complex)


def scan(
    f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    name = "scan"
    _check_callable(f, name, "f")
    rows, row_structure = optree.tree_flatten(xs)
    rows = [x if isinstance(x, Operand) or is_array(x) else np.asarray(x) for x in rows]
    n = _length(rows, length)
    carry = _Carry(init, name)

    def step(leaves: Sequence[Any], its: Sequence[Any]) -> tuple[list[Any], list[Any], Any]:
        result = f(carry.tree(leaves), optree.tree_unflatten(row_structure, its))
        if not (isinstance(result, tuple) and len(result) == 2):
            given = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"a {type(result).__name__}"
            raise InvalidType(f"scan: f returned {given}; expected a pair (carry, y), y = None where there is none")
        after = carry.after(result[0])
        ys, structure = optree.tree_flatten(result[1])
        return after, ys, structure

    if is_tracing():
        found = _as_loop(step, carry, rows, n, reverse)
        if found is not None:
            return found
    return _stepped(step, carry, rows, n, reverse)


def _stepped(step: Any, carry: "_Carry", rows: Sequence[Any], n: int, reverse: bool) -> tuple[Any, Any]:
    """The loop of Python."""
    leaves, kept, structure = carry.first, [], None
    for i in range(n - 1, -1, -1) if reverse else range(n):
        leaves, ys, structure = step(leaves, [x[i] for x in rows])
        kept.append(ys)
    if not n:  # what comes out is told by a step that is not taken
        with np.errstate(all="ignore"):
            after, ys, structure = step(leaves, [np.ones(x.shape[1:], x.dtype)[()] for x in rows])
        return carry.tree(_numbers(leaves, after)), optree.tree_map(lambda y: np.zeros((0, *np.shape(y)), np.result_type(primal(y))), optree.tree_unflatten(structure, ys))
    if reverse:
        kept.reverse()
    return carry.tree(_numbers(leaves)), optree.tree_unflatten(structure, [np.stack(y) for y in zip(*kept, strict=True)])


def _numbers(leaves: Sequence[Any], like: Sequence[Any] | None = None) -> list[Any]:
    """The leaves, numbers of Python's as NumPy's; in the types of others, if there are any."""
    types = [np.result_type(type(y)) if type(y) in _NUMBERS else y.dtype for y in (leaves if like is None else like)]
    return [np.asarray(x, t)[()] if type(x) in _NUMBERS else x for x, t in zip(leaves, types, strict=True)]


def _as_loop(step: Any, carry: "_Carry", rows: Sequence[Any], n: Any, reverse: bool) -> Any:
    """The loop as a step of the program that is being traced; None where it cannot be one."""
    structures: list[Any] = []
    k = len(carry.first)
    over = list(map(Rows.of, rows))

    def body(*flat: Any) -> list[Any]:
        after, ys, structure = step(flat[:k], flat[k:])
        structures[:] = [structure]
        return [*after, *ys]

    try:
        given = [Given(tuple(x.shape[1:]), x.dtype, sample=lambda r=r: r.sample()) for x, r in zip(rows, over, strict=True)]
        closed = carry.closed(body, given)
        loop = Loop(closed, k, len(closed.captured), None, reverse, "scan")
        leaves, ys = loop(carry.first, over, closed.captured, n)
        found = [y.array() for y in ys]
    except _FAILURES:
        if DEBUG:
            raise
        return None
    return carry.tree(leaves), optree.tree_unflatten(structures[0], found)


DEBUG = False
_FAILURES = (DualnumError, ArithmeticError, ValueError, TypeError, IndexError)


def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any) -> Any:
    name = "fori_loop"
    _check_callable(body_fun, name, "body_fun")
    for x, which in ((lower, "lower"), (upper, "upper")):
        if np.shape(x) != () or np.result_type(primal(x)).kind not in "iu":
            raise InvalidType(f"{name}: {which} is {x!r}; expected an integer")
    carry = _Carry(init_val, name)
    if is_tracing():
        found = _counted(body_fun, carry, lower, upper)
        if found is not None:
            return found
    leaves = carry.first
    for i in range(int(primal(lower)), int(primal(upper))):
        leaves = carry.after(body_fun(i, carry.tree(leaves)))
    return carry.tree(_numbers(leaves))


def _counted(body_fun: Any, carry: "_Carry", lower: Any, upper: Any) -> Any:
    lower, upper = primal(lower), primal(upper)

    def body(*flat: Any) -> list[Any]:
        i, *leaves = flat
        return [i + 1, *carry.after(body_fun(i, carry.tree(leaves)))]

    try:
        first = lower.astype(np.int64) if isinstance(lower, Operand) else np.int64(lower)
        counted = carry.behind(first)
        closed = counted.closed(body, [])
        loop = Loop(closed, len(counted.first), len(closed.captured), None, False, "fori_loop")
        traced = isinstance(lower, Operand) or isinstance(upper, Operand)
        count = upper - lower if traced else int(upper) - int(lower)
        leaves, _ = loop(counted.first, [], closed.captured, count)
    except _FAILURES:
        if DEBUG:
            raise
        return None
    carry.first = counted.first[1:]
    return carry.tree(leaves[1:])


def while_loop(cond_fun: Callable[..., Any], body_fun: Callable[..., Any], init_val: Any) -> Any:
    name = "while_loop"
    _check_callable(cond_fun, name, "cond_fun")
    _check_callable(body_fun, name, "body_fun")
    carry = _Carry(init_val, name)
    if is_tracing():
        found = _tested(cond_fun, body_fun, carry)
        if found is not None:
            return found
    leaves = carry.first
    while bool(_truth(cond_fun(carry.tree(leaves)))):
        leaves = carry.after(body_fun(carry.tree(leaves)))
    return carry.tree(_numbers(leaves))


def _truth(x: Any) -> Any:
    if np.shape(x) != ():
        raise InvalidValue(f"while_loop: cond_fun returned an array of shape {np.shape(x)}; expected one truth value: use np.any or np.all")
    return primal(x)


def _tested(cond_fun: Any, body_fun: Any, carry: "_Carry") -> Any:
    try:
        closed = carry.closed(lambda *leaves: carry.after(body_fun(carry.tree(leaves))), [])
        given = list(map(Given.of, carry.first))
        test = Closed(lambda *leaves: [_truth(cond_fun(carry.tree(leaves))) != 0], given, closed.machine)
        loop = Loop(closed, len(carry.first), len(closed.captured), test, False, "while_loop")
        leaves, _ = loop(carry.first, [], [*closed.captured, *test.captured])
    except _FAILURES:
        if DEBUG:
            raise
        return None
    return carry.tree(leaves)


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    _check_callable(true_fun, "cond", "true_fun")
    _check_callable(false_fun, "cond", "false_fun")
    if np.shape(pred) != ():
        raise InvalidValue(f"cond: pred has shape {np.shape(pred)}; expected one truth value: use np.any or np.all, or np.where")
    pred = primal(pred)
    if isinstance(pred, Operand):
        found = _branched(pred, (true_fun, false_fun), operands)
        if found is not None:
            return found
    return (true_fun if bool(pred) else false_fun)(*operands)


def _branched(pred: Operand, functions: Sequence[Callable[..., Any]], operands: tuple[Any, ...]) -> Any:
    leaves, structure = optree.tree_flatten(operands)
    structures: list[Any] = []
    varying = [i for i, x in enumerate(leaves) if isinstance(x, Operand) or is_array(x)]

    def side(f: Callable[..., Any]) -> Callable[..., Any]:
        def run(*flat: Any) -> list[Any]:
            filled = list(leaves)
            for i, x in zip(varying, flat, strict=True):
                filled[i] = x
            results, its = optree.tree_flatten(f(*optree.tree_unflatten(structure, filled)))
            structures.append(its)
            return results

        return run

    try:
        shared = [leaves[i] for i in varying]
        sides = [Closed(side(f), list(map(Given.of, shared))) for f in functions]
    except _FAILURES:
        if DEBUG:
            raise
        return None
    _check_alike(structures, sides)
    try:
        sides = _of_one_type(sides)
        branch = Branch(sides, len(shared))
        found = branch(pred != 0, [*shared, *sides[0].captured, *sides[1].captured])
    except _FAILURES:
        if DEBUG:
            raise
        return None
    return optree.tree_unflatten(structures[0], found)


def _of_one_type(sides: Sequence[Closed]) -> list[Closed]:
    """The sides, numbers of Python's among the results in the type of the other side's."""
    kinds = [
        a.dtype if b.weak and not a.weak else b.dtype if a.weak and not b.weak else np.result_type(a.dtype, b.dtype)
        for a, b in zip(*(side.outputs for side in sides), strict=True)
    ]
    return [side.typed(kinds) for side in sides]


def _check_alike(structures: Sequence[Any], sides: Sequence[Closed]) -> None:
    if structures[0] != structures[1]:
        raise InvalidValue(
            f"cond: true_fun returned {structures[0]}, false_fun {structures[1]}; expected the same containers"
        )
    for i, (a, b) in enumerate(zip(*(side.outputs for side in sides), strict=True)):
        path = optree.treespec_paths(structures[0])[i]
        place = "leaf " + "".join(f"[{p!r}]" for p in path) if path else "the result"
        if a.shape != b.shape:
            raise InvalidValue(f"cond: {place} has shape {a.shape} from true_fun, {b.shape} from false_fun; expected the same")
        if a.dtype != b.dtype and not (a.weak or b.weak):
            raise InvalidType(f"cond: {place} is {a.dtype} from true_fun, {b.dtype} from false_fun; expected the same type")


# ── what is carried from step to step ────────────────────────────────────────────────────────────


class _Carry:
    """The carry of a loop.

    Attributes:
        first: its leaves at first.
        weak: which of them are numbers of Python's, that take the type of what comes after a step.
    """

    def __init__(self, init: Any, name: str) -> None:
        self.name = name
        self.first, self.structure = optree.tree_flatten(init)
        for i, x in enumerate(self.first):
            if not (isinstance(x, (Operand, *_NUMBERS)) or is_array(x)):
                raise InvalidType(
                    f"{name}: {_place(self.structure, i)} of the carry is a {type(x).__name__}; expected an array or a "
                    "number"
                )
        self.weak = list(map(_is_weak, self.first))

    def behind(self, more: Any) -> "_Carry":
        """The same leaves behind another one."""
        other: _Carry = object.__new__(_Carry)
        other.name, other.structure = self.name, self.structure
        other.first, other.weak = [more, *self.first], [False, *self.weak]
        return other

    def tree(self, leaves: Sequence[Any]) -> Any:
        """The containers that hold these leaves."""
        return optree.tree_unflatten(self.structure, leaves)

    def after(self, tree: Any) -> list[Any]:
        """The leaves after a step, which must be like those before."""
        leaves, structure = optree.tree_flatten(tree)
        if structure != self.structure:
            raise InvalidValue(
                f"{self.name}: the carry is {structure} after a step, {self.structure} before; give back the same "
                "containers"
            )
        return [self._checked(i, y) for i, y in enumerate(leaves)]

    def _checked(self, i: int, y: Any) -> Any:
        x, weak = self.first[i], self.weak[i]
        if type(y) in _NUMBERS and not weak and np.can_cast(type(y), x.dtype, "same_kind"):
            y = np.asarray(y, x.dtype)[()]
        shape, its = np.shape(y), np.result_type(type(y)) if type(y) in _NUMBERS else y.dtype
        before = np.result_type(type(x)) if type(x) in _NUMBERS else x.dtype
        if shape != np.shape(x):
            raise InvalidValue(
                f"{self.name}: {_place(self.structure, i)} of the carry has shape {shape} after a step, {np.shape(x)} "
                "before; expected the same: start with an array of that shape, np.zeros(shape)"
            )
        if its != before and not (weak and np.can_cast(before, its, "same_kind")):
            raise InvalidType(
                f"{self.name}: {_place(self.structure, i)} of the carry is {its} after a step, {before} before; expected "
                f"the same: start with an array of that type, or give back y.astype({before.name!r})"
            )
        return y

    def closed(self, body: Callable[..., Any], given: Sequence[Given]) -> Closed:
        """The body, closed, for a carry none of whose leaves is a number of Python's any more."""
        self.first = [np.int64(x) if type(x) is int else np.bool_(x) if type(x) is bool else x for x in self.first]
        while True:
            its = [Given.of(x)._replace(weak=_is_weak(x)) for x in self.first]
            closed = Closed(body, [*its, *given])
            settled = [
                _settled(x, n.dtype) if weak else x
                for x, n, weak in zip(self.first, closed.outputs, self.weak, strict=False)
            ]
            if all(x is y for x, y in zip(self.first, settled, strict=True)):
                return closed
            self.first = settled


def _is_weak(x: Value) -> bool:
    return type(x) in _NUMBERS or (isinstance(x, Tracer) and x.node.weak)


def _settled(x: Value, dtype: DType) -> Any:
    """A number of Python's as what it must be at first, if it is of this type after a step."""
    if _is_weak(x):
        return x.astype(dtype) if isinstance(x, Tracer) else np.asarray(x, dtype)[()]
    if x.dtype == dtype:
        return x
    return float(x) if dtype.kind == "f" and x.dtype.kind in "bi" else np.asarray(x, dtype)[()]


def _place(structure: Any, i: int) -> str:
    """How a leaf is found."""
    path = optree.treespec_paths(structure)[i]
    return "leaf " + "".join(f"[{p!r}]" for p in path) if path else "the value"


def _length(rows: Sequence[Any], length: Any) -> int:
    if any(np.ndim(x) == 0 for x in rows):
        raise InvalidValue("scan: an array among xs has no axes; expected the steps along the first axis")
    lengths = {int(x.shape[0]) for x in rows}
    if len(lengths) > 1:
        raise InvalidValue(f"scan: the arrays of xs have lengths {sorted(lengths)} along their first axis; expected one")
    if length is None and not lengths:
        raise InvalidValue("scan: neither xs nor length is given; give the number of steps, length=n")
    n = next(iter(lengths)) if lengths else length
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise InvalidType(f"scan: length is {length!r}; expected the number of steps, an integer that is known")
    if length is not None and length != n:
        raise InvalidValue(f"scan: length is {length}, and the arrays of xs have {n} rows; expected the same")
    return int(n)


def _check_callable(f: Any, name: str, which: str) -> None:
    if not callable(f):
        raise InvalidType(f"{name}: {which} is a {type(f).__name__}; expected a function")
