"""Straight-line scalar programs, written by running the recurrences on symbols.

A `Graph` holds operations in order (static single assignment); a `Symbol` is a number of one of them that
obeys NumPy's ufuncs and operators, so the very functions of `series` write programs. The operations *are*
NumPy's ufuncs, and so the meaning of a program is what NumPy computes (see `interpret`). Equal operations
are found as they are written (hash-consing), multiplications by one vanish; nothing else changes what
IEEE arithmetic gives.

Operations written by a recurrence are *relaxed*: a fused multiply-add or a shared reciprocal may stand in for
them. The value, coefficient 0, is never relaxed: it stays what NumPy gives. (Only arithmetic can be relaxed: a sine
is the same sine in a value and in a recurrence.)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..errors import DualnumError
from ..kinds import DType, Value
from .reduction import Way

__all__ = [
    "CONST",
    "FINAL",
    "FMA",
    "INPUT",
    "KEPT",
    "LOOP",
    "MARGIN",
    "REDUCE",
    "SELECT",
    "Graph",
    "Instruction",
    "Loop",
    "Program",
    "Series",
    "Symbol",
    "Untraceable",
    "prune",
    "verify",
]

INPUT, CONST, SELECT, FMA = "input", "const", "select", "fma"
# a loop, and of one: a carried number (−1: its alarm) after the last turn; one of those that are kept of each turn
LOOP, FINAL, KEPT = "loop", "final", "kept"
MARGIN = 2  # turns
REDUCE = "reduce"  # see `reduction`; nothing but the outputs may read it
Op = np.ufunc | str

_BOOLEAN = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isnan, np.isinf,
    np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
}  # fmt: skip
_ARITHMETIC = {
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.square, np.reciprocal, np.power, np.float_power, FMA,
}  # fmt: skip
_LOGIC = {
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.logical_and, np.logical_or, np.logical_not,
    np.logical_xor,
}  # fmt: skip
_BITWISE = {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert}


class Untraceable(DualnumError):
    """The rule looks at the numbers themselves, so no program can be written for it."""


class Instruction(NamedTuple):
    """One operation: what, on which earlier nodes; for CONST and INPUT the number in `extra`."""

    op: Op
    args: tuple[int, ...]
    extra: Any = None
    relaxed: bool = False
    boolean: bool = False


@dataclass(frozen=True, eq=False)
class Program:
    """A finished program: its nodes, how many inputs it reads, and which nodes it gives back.

    Attributes:
        nodes: operations, each after its arguments.
        inputs: number of inputs.
        outputs: indices of the result nodes.
        dtype: the real type that it computes in.
        alarm: index of a truth value, true where the program's rule fails and a mend must follow.
    """

    nodes: tuple[Instruction, ...]
    inputs: int
    outputs: tuple[int, ...]
    dtype: np.dtype[Any]
    alarm: int | None = None

    def __str__(self) -> str:
        lines = []
        for i, node in enumerate(self.nodes):
            name = node.op if isinstance(node.op, str) else node.op.__name__
            shown = repr(node.extra) if node.op in (INPUT, CONST) else ", ".join(f"%{a}" for a in node.args)
            lines.append(f"%{i} = {name} {shown}")
        lines.append("return " + ", ".join(f"%{i}" for i in self.outputs))
        if self.alarm is not None:
            lines.append(f"alarm %{self.alarm}")
        return "\n".join(lines)


class Series(NamedTuple):
    """Where a loop reads a number that differs by turn.

    Attributes:
        kind: "constant" (source: an array), "input" (source: the number of an input of the program), "kept" (source:
            which argument of the loop is another loop, and which of what that keeps), or "given" (source: which
            argument of the loop is the first of as many as there are turns).
        first, step: which input or turn is read first, and how far on the next is.
        beside: of "kept", the turns before the first and after the last one of that loop which are read as well (by at
            most MARGIN), each with the argument that stands for it.
    """

    kind: str
    source: Any
    first: int = 0
    step: int = 1
    beside: tuple[tuple[int, int], ...] = ()


class Loop(NamedTuple):
    """What a loop does: in its turn k the body reads what is carried, what stays the same, and entry k of each series.

    It gives what is carried on, and then what is kept of each turn. Arguments of the instruction are the first carried
    numbers, what stays the same, and what series need.
    """

    body: "Program"
    turns: int
    carried: int
    same: int
    series: tuple[Series, ...]

    @property
    def kept(self) -> int:
        """How many numbers are kept of each turn."""
        return len(self.body.outputs) - self.carried


class Graph:
    """A program being written."""

    def __init__(self, dtype: DType, looks: bool = True) -> None:
        self.dtype = np.dtype(dtype)
        self.looks = looks  # whether somebody asks for the alarm; else all that may be needed is written
        self.nodes: list[Instruction] = []
        self._known: dict[Any, int] = {}
        self._inputs = 0
        self.relaxed = False
        self.alarms: list[Symbol] = []  # truth values at which a mend must follow

    def input(self, number: int | None = None) -> "Symbol":
        """Input `number`, the next one when left out."""
        number = self._inputs if number is None else number
        self._inputs = max(self._inputs, number + 1)
        return self._append(Instruction(INPUT, (), number), key=(INPUT, number))

    def constant(self, x: Value) -> "Symbol":
        """x in the type of the program (a Python number is weak, as in NumPy 2)."""
        boolean = isinstance(x, (bool, np.bool_))
        value: Any = bool(x) if boolean else self.dtype.type(x)
        key = (CONST, value if boolean else value.tobytes())
        return self._append(Instruction(CONST, (), value, boolean=boolean), key=key)

    def node(self, op: Op, *args: "Symbol", relaxed: bool | None = None) -> "Symbol":
        boolean = op in _BOOLEAN or (op in _BITWISE) or (op == SELECT and args[1].boolean)
        relaxed = (self.relaxed if relaxed is None else relaxed) and op in _ARITHMETIC
        if op != SELECT and op not in _LOGIC:  # a truth value as a number is 0 or 1
            args = tuple(self.node(SELECT, a, self.constant(1.0), self.constant(0.0)) if a.boolean else a for a in args)
        if op is np.multiply:  # by one: exact, so it vanishes
            for one, other in (args, args[::-1]):
                if one.constant == 1:
                    return other
        if op in (np.divide, np.power) and args[1].constant == 1:
            return args[0]
        if op is np.positive:
            return args[0]
        if op in (np.bitwise_and, np.logical_and, np.bitwise_or, np.logical_or):
            for known, other in (args, args[::-1]):  # truth values that are known decide, or vanish
                if known.boolean and other.boolean and known.constant is not None:
                    return other if known.constant is (op in (np.bitwise_and, np.logical_and)) else known
        indices = tuple(a.index for a in args)
        constants = [a.constant for a in args]
        if not isinstance(op, str) and not boolean and all(c is not None for c in constants):
            with np.errstate(all="ignore"):
                return self.constant(op(*constants))
        ordered = tuple(sorted(indices)) if op is np.multiply else indices  # a·b and b·a are the same bits
        return self._append(Instruction(op, indices, None, relaxed, boolean), key=(op, ordered, relaxed))

    def loop(self, loop: Loop, args: "Sequence[Symbol]") -> "Symbol":
        """A loop, of which `part` gives the results."""
        return self._append(Instruction(LOOP, tuple(a.index for a in args), loop))

    def part(self, kind: str, loop: "Symbol", which: Any) -> "Symbol":
        """FINAL or KEPT of a loop."""
        node = Instruction(kind, (loop.index,), which, boolean=which == -1)
        return self._append(node, key=(kind, loop.index, which))

    def reduced(self, way: Way, x: "Symbol") -> "Symbol":
        """Elements to one number, or to one for each row or column (see `reduction`)."""
        if x.boolean:
            x = self.node(SELECT, x, self.constant(1.0), self.constant(0.0))
        return self._append(Instruction(REDUCE, (x.index,), way), key=(REDUCE, x.index, way))

    def _append(self, node: Instruction, key: Any = None) -> "Symbol":
        known: int | None = None if key is None else self._known.get(key)
        if known is None:
            known = len(self.nodes)
            self.nodes.append(node)
            if key is not None:
                self._known[key] = known
        return Symbol(self, known)

    @contextmanager
    def relax(self) -> Iterator[None]:
        """Operations written inside may be fused or rearranged within rounding."""
        before, self.relaxed = self.relaxed, True
        try:
            yield
        finally:
            self.relaxed = before

    def lift(self, x: Value) -> "Symbol":
        if isinstance(x, Symbol):
            return x
        if np.ndim(x) or not isinstance(x, (bool, int, float, np.bool_, np.number)):
            raise Untraceable(f"{type(x).__name__} inside a kernel program")
        return self.constant(x)

    def finish(self, outputs: Sequence[Any], alarm: "Symbol | None" = None) -> Program:
        """The program that gives these outputs back, without what they do not need."""
        if self.alarms:
            alarm = reduce(
                lambda a, b: self.node(np.logical_or, a, b), self.alarms, *([] if alarm is None else [alarm])
            )
        indices = [self.lift(y).index for y in outputs]
        if alarm is not None and alarm.constant is False:
            alarm = None
        program = prune(self.nodes, self._inputs, indices, self.dtype, None if alarm is None else alarm.index)
        verify(program)
        return program


def prune(
    nodes: Sequence[Instruction], inputs: int, outputs: Sequence[int], dtype: np.dtype[Any], alarm: int | None = None
) -> Program:
    """The program of these nodes, without those that no output needs."""
    needed = set(outputs) if alarm is None else {*outputs, alarm}
    for i in range(len(nodes) - 1, -1, -1):
        if i in needed:
            needed.update(nodes[i].args)
    kept = [i for i in range(len(nodes)) if i in needed]
    renamed = {old: new for new, old in enumerate(kept)}
    renumbered = (nodes[i]._replace(args=tuple(renamed[a] for a in nodes[i].args)) for i in kept)
    return Program(
        tuple(renumbered), inputs, tuple(renamed[i] for i in outputs), dtype, None if alarm is None else renamed[alarm]
    )


class Symbol(NDArrayOperatorsMixin):
    """A number that a program will compute; obeys NumPy's ufuncs and `np.where`."""

    __slots__ = ("graph", "index")
    ndim = 0
    shape = ()
    size = 1

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(bool) if self.boolean else self.graph.dtype

    @property
    def boolean(self) -> bool:
        return self.graph.nodes[self.index].boolean

    @property
    def constant(self) -> Any:
        """The number, if it is known now."""
        node = self.graph.nodes[self.index]
        return node.extra if node.op == CONST else None

    @property
    def nothing(self) -> bool:
        """Whether it is written down as zero or NaN, by whatever is chosen."""
        op, args, extra, *_ = self.graph.nodes[self.index]
        if op == SELECT:
            return all(Symbol(self.graph, a).nothing for a in args[1:])
        return op == CONST and not (extra < 0 or extra > 0)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc.nout != 1 or ufunc.signature is not None:
            raise Untraceable(f"{ufunc.__name__}.{method}")
        if _series_of_symbols(inputs):
            return NotImplemented
        args = [self.graph.lift(x) for x in inputs]
        if ufunc in _BITWISE and not all(a.boolean for a in args):
            raise Untraceable(f"{ufunc.__name__} of numbers")
        return self.graph.node(ufunc, *args)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if _series_of_symbols(args):
            return NotImplemented
        if function is np.where and len(args) == 3 and not kwargs:
            condition, x, y = args
            return self.graph.node(SELECT, *map(self.graph.lift, (condition, x, y)))
        if function is np.real and self.dtype.kind != "c":
            return args[0]
        if function is np.zeros_like:
            return self.graph.constant(0.0)
        if function is np.iscomplexobj:
            return self.dtype.kind == "c"
        if function in (np.shape, np.ndim):
            return () if function is np.shape else 0
        raise Untraceable(f"{function.__name__} in a rule")

    def _alarm(self) -> None:
        """Where this truth value holds, a row's rule has failed and its mend must follow."""
        self.graph.alarms.append(self)

    def _seldom(self) -> bool:
        """Whether what follows where this truth value holds is to be written as well; else it raises an alarm."""
        if self.graph.looks:
            self._alarm()
        return not self.graph.looks

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Untraceable("the numbers are looked at")

    def __bool__(self) -> bool:
        raise Untraceable("a branch on the numbers")

    def __float__(self) -> float:
        raise Untraceable("the numbers are looked at")

    def __index__(self) -> int:
        raise Untraceable("the numbers are looked at")

    __hash__ = None  # type: ignore[assignment]


def _series_of_symbols(args: Any) -> bool:
    """Whether an argument has symbols as its coefficients: then the operation is its own."""
    return any(isinstance(x, NDArrayOperatorsMixin) and not isinstance(x, Symbol) for x in args)


def verify(program: Program) -> None:
    """Raises AssertionError where a program is malformed: a bug of ours, never the caller's."""
    for i, node in enumerate(program.nodes):
        assert all(0 <= a < i for a in node.args), f"%{i} uses what comes later"
        if node.op == SELECT:
            condition, x, y = (program.nodes[a] for a in node.args)
            assert condition.boolean and x.boolean == y.boolean, f"%{i} selects across kinds"
        assert all(program.nodes[a].op != REDUCE for a in node.args), f"%{i} uses what is there at the end only"
        if node.op == INPUT:
            assert 0 <= node.extra < program.inputs, f"%{i} reads an input that is not there"
    assert all(0 <= i < len(program.nodes) for i in program.outputs), "an output that is not there"
    assert program.alarm is None or program.nodes[program.alarm].boolean, "an alarm that is no truth value"
