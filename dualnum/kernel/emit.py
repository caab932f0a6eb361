"""What NumPy's operations are made of: a few steps that every machine has.

How maximum, sign or heaviside come of comparisons and choices is said here, once for all machines. A `Writer` says
how a step is spelled in a machine's language; values are names or expressions of that language.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from ..kinds import Value
from .ir import CONST, FMA, INPUT, REDUCE, SELECT, Instruction
from .layout import Routine, moving
from .reduction import Way

__all__ = ["BY_NAME", "MATH", "Arithmetic", "Unrenderable", "Writer", "renderable", "step", "write"]


class Unrenderable(Exception):
    """An operation of the program has no counterpart in machine code."""


class Arithmetic(Protocol):
    """The steps that compute, for one element, or for as many as fit a machine's registers."""

    def number(self, x: Value) -> str: ...
    def boolean(self, x: bool) -> str: ...
    def negative(self, x: str) -> str: ...
    def infix(self, op: str, a: str, b: str) -> str:
        """a + b, a - b, a * b or a / b."""

    def compare(self, op: str, a: str, b: str) -> str:
        """==, !=, <, <=, > or >=, of which a NaN meets != alone."""

    def logic(self, op: str, a: str, b: str) -> str:
        """&, | or ^ of truth values."""

    def select(self, condition: str, a: str, b: str, boolean: bool = False) -> str:
        """a where the condition holds, else b; numbers, or truth values."""

    def intrinsic(self, name: str, *args: str) -> str:
        """What is exactly rounded: fma, sqrt, fabs, floor, ceil, trunc, rint, copysign."""


class Writer(Arithmetic, Protocol):
    """What a machine's language spells.

    Attributes:
        dtype: of the numbers.
        by_name: functions of the machine by the names that SciPy has for them.
        lines: where the next step is written: `once`, or `each` for what is done again for each direction.
    """

    dtype: np.dtype[Any]
    by_name: Mapping[str, str]
    lines: list[str]
    once: list[str]
    each: list[str]

    def math(self, name: str, *args: str) -> str:
        """A function of libm."""

    def load(self, g: int, m: int, again: bool) -> str:
        """Plane m of group g; `again` for each direction."""

    def store(self, g: int, m: int, y: str, again: bool) -> None:
        """The same, of an output."""

    def watch(self, alarm: str) -> None:
        """The alarm, a truth value."""


class Reducing(Writer, Protocol):
    """What is spelled of a machine that reduces."""

    def accumulate(self, g: int, way: Way, y: str) -> None:
        """What is reduced to group g of the outputs."""


# ── operations ───────────────────────────────────────────────────────────────────────────────────

MATH = {
    np.sin: "sin", np.cos: "cos", np.tan: "tan", np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan",
    np.sinh: "sinh", np.cosh: "cosh", np.tanh: "tanh", np.arcsinh: "asinh", np.arccosh: "acosh",
    np.arctanh: "atanh", np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1", np.log: "log", np.log2: "log2",
    np.log10: "log10", np.log1p: "log1p", np.cbrt: "cbrt", np.power: "pow", np.float_power: "pow",
    np.arctan2: "atan2", np.hypot: "hypot",
}  # fmt: skip
BY_NAME: Mapping[str, str] = {"erf": "erf", "erfc": "erfc", "exp10": "exp10"}  # that libm has of scipy.special
_INFIX = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}
_COMPARE = {
    np.equal: "==", np.not_equal: "!=", np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=",
}  # fmt: skip
_LOGIC = {
    np.logical_and: "&", np.bitwise_and: "&", np.logical_or: "|", np.bitwise_or: "|", np.logical_xor: "^",
    np.bitwise_xor: "^",
}  # fmt: skip
_NOT = (np.logical_not, np.invert)
_INTRINSIC = {
    FMA: "fma", np.sqrt: "sqrt", np.absolute: "fabs", np.fabs: "fabs", np.floor: "floor", np.ceil: "ceil",
    np.trunc: "trunc", np.rint: "rint", np.copysign: "copysign",
}  # fmt: skip
_SCALED = {
    np.deg2rad: np.pi / 180, np.radians: np.pi / 180, np.rad2deg: 180 / np.pi, np.degrees: 180 / np.pi,
}  # fmt: skip


def _extremum(how: str, nan_of: int) -> Callable[[Writer, str, str], str]:
    """NumPy's choice: a where it compares so or where the operand number `nan_of` is NaN, else b (of −0 and 0 too)."""

    def write(w: Writer, a: str, b: str) -> str:
        x = (a, b)[nan_of]
        return w.select(w.logic("|", w.compare(how, a, b), w.compare("!=", x, x)), a, b)

    return write


def _sign(w: Writer, x: str) -> str:
    zero = w.number(0.0)
    negative = w.select(w.compare("<", x, zero), w.number(-1.0), w.select(w.compare("==", x, zero), zero, x))
    return w.select(w.compare(">", x, zero), w.number(1.0), negative)


def _heaviside(w: Writer, x: str, at_zero: str) -> str:
    zero = w.number(0.0)
    other = w.select(w.compare("==", x, zero), at_zero, x)  # a NaN stays one
    return w.select(w.compare("<", x, zero), zero, w.select(w.compare(">", x, zero), w.number(1.0), other))


_SPECIAL: dict[Any, Callable[..., str]] = {
    np.negative: lambda w, x: w.negative(x),
    np.square: lambda w, x: w.infix("*", x, x),
    np.reciprocal: lambda w, x: w.infix("/", w.number(1.0), x),
    np.conjugate: lambda w, x: x,
    np.maximum: _extremum(">", 0),
    np.minimum: _extremum("<", 0),
    np.fmax: _extremum(">", 1),
    np.fmin: _extremum("<", 1),
    np.sign: _sign,
    np.heaviside: _heaviside,
    np.isnan: lambda w, x: w.compare("!=", x, x),
    np.isinf: lambda w, x: w.compare("==", w.intrinsic("fabs", x), w.number(np.inf)),
    np.isfinite: lambda w, x: w.compare("<", w.intrinsic("fabs", x), w.number(np.inf)),
    np.signbit: lambda w, x: w.compare("<", w.intrinsic("copysign", w.number(1.0), x), w.number(0.0)),
}


_STEPS: dict[str, dict[Any, Any]] = {"infix": _INFIX, "compare": _COMPARE, "intrinsic": _INTRINSIC, "math": MATH}


def step(w: Writer, op: Any, args: Sequence[str], kinds: Sequence[bool]) -> str:
    """One operation; `kinds` tells which arguments are truth values."""
    if op == SELECT:
        return w.select(args[0], args[1], args[2], kinds[1])
    if op in _SCALED:
        return w.infix("*", args[0], w.number(w.dtype.type(_SCALED[op])))
    if op in _SPECIAL:
        return _SPECIAL[op](w, *args)
    if op in _LOGIC or op in _NOT:
        truths = [a if k else w.compare("!=", a, w.number(0.0)) for a, k in zip(args, kinds, strict=True)]
        return w.logic(_LOGIC[op], *truths) if op in _LOGIC else w.logic("^", truths[0], w.boolean(True))
    for step, names in _STEPS.items():
        if op in names:
            written: str = getattr(w, step)(names[op], *args)
            return written
    if op.__name__ in w.by_name:
        return w.math(w.by_name[op.__name__], *args)
    raise Unrenderable(op.__name__)


def renderable(op: Any, by_name: Mapping[str, str] = BY_NAME) -> bool:
    """Whether an operation can be written as machine code, of a machine that has these functions by name."""
    known: Any = (_SCALED, _SPECIAL, _LOGIC, _NOT, *_STEPS.values())
    return isinstance(op, str) or any(op in ops for ops in known) or op.__name__ in by_name


# ── programs ─────────────────────────────────────────────────────────────────────────────────────


def write(w: Writer, routine: Routine) -> None:
    """All of a program: what depends on values only is written once, the rest for each of several directions."""
    program, outputs, inputs, directed, *_ = routine
    places = [(g, m) for g, group in enumerate(inputs, len(outputs)) for m in range(group.planes)]
    moves = moving(program, inputs) if directed else [False] * len(program.nodes)
    values: list[str] = []
    kinds = [node.boolean for node in program.nodes]
    for node, again in zip(program.nodes, moves, strict=True):
        w.lines = w.each if again else w.once
        values.append(_value(w, node, values, kinds, places, again))
    stored = iter(program.outputs)
    for g, group in enumerate(outputs):
        for m in range(group.planes):
            i = next(stored)
            if program.nodes[i].op == REDUCE:
                cast(Reducing, w).accumulate(g, program.nodes[i].extra, values[i])
                continue
            if moves[i] and m == 0:
                raise Unrenderable("a value that depends on more than values")
            w.lines = w.each if directed and m else w.once
            y = w.select(values[i], w.number(1.0), w.number(0.0)) if kinds[i] else values[i]
            w.store(g, m, y, directed and m > 0)
    if program.alarm is not None:
        if moves[program.alarm]:
            raise Unrenderable("an alarm that depends on more than values")
        w.lines = w.once
        w.watch(values[program.alarm])


def _value(w: Writer, node: Instruction, values: Sequence[str], kinds: Sequence[bool], places: Any, again: bool) -> str:
    if node.op == INPUT:
        g, m = places[node.extra]
        return w.load(g, m, again)
    if node.op == REDUCE:
        return values[node.args[0]]
    if node.op == CONST:
        return w.boolean(node.extra) if node.boolean else w.number(node.extra)
    return step(w, node.op, [values[a] for a in node.args], [kinds[a] for a in node.args])
