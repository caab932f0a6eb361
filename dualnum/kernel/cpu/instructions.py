"""The operations of a program as LLVM text, on explicit vectors of the host's width.

Mathematical functions are glibc's vector ones (libmvec, at most 4 ulp) where the process finds them by symbol,
else the scalar libm lane by lane. Fused multiply-adds are explicit, and no fast-math flag is set.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ir import FMA, SELECT, Node
from .host import host

__all__ = ["MATH", "Unrenderable", "Writer", "renderable", "write"]


class Unrenderable(Exception):
    """An operation of the program has no counterpart in machine code."""


# ── operations as text ───────────────────────────────────────────────────────────────────────────

MATH = {
    np.sin: "sin", np.cos: "cos", np.tan: "tan", np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan",
    np.sinh: "sinh", np.cosh: "cosh", np.tanh: "tanh", np.arcsinh: "asinh", np.arccosh: "acosh",
    np.arctanh: "atanh", np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1", np.log: "log", np.log2: "log2",
    np.log10: "log10", np.log1p: "log1p", np.cbrt: "cbrt", np.power: "pow", np.float_power: "pow",
    np.arctan2: "atan2", np.hypot: "hypot",
}  # fmt: skip
_BY_NAME = {"erf": "erf", "erfc": "erfc", "exp10": "exp10"}  # of scipy.special, which is not imported here
_INFIX = {np.add: "fadd", np.subtract: "fsub", np.multiply: "fmul", np.divide: "fdiv"}
_COMPARE = {
    np.equal: "oeq", np.not_equal: "une", np.less: "olt", np.less_equal: "ole", np.greater: "ogt",
    np.greater_equal: "oge",
}  # fmt: skip
_LOGIC = {
    np.logical_and: "and", np.bitwise_and: "and", np.logical_or: "or", np.bitwise_or: "or",
    np.logical_xor: "xor", np.bitwise_xor: "xor",
}  # fmt: skip
_INTRINSIC = {
    np.sqrt: "sqrt", np.absolute: "fabs", np.fabs: "fabs", np.floor: "floor", np.ceil: "ceil",
    np.trunc: "trunc", np.rint: "rint", np.copysign: "copysign",
}  # fmt: skip
_SCALED = {
    np.deg2rad: np.pi / 180, np.radians: np.pi / 180, np.rad2deg: 180 / np.pi, np.degrees: 180 / np.pi,
}  # fmt: skip


class Writer:
    """The body of one loop iteration."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.h = host()
        self.dtype = dtype
        self.lanes = self.h.lanes(dtype)
        self.scalar = "double" if dtype.itemsize == 8 else "float"
        self.vector = f"<{self.lanes} x {self.scalar}>"
        self.mask = f"<{self.lanes} x i1>"
        self.suffix = f"v{self.lanes}f{8 * dtype.itemsize}"
        self.lines: list[str] = []
        self.declared: dict[str, str] = {}
        self._count = 0

    def emit(self, text: str) -> str:
        self._count += 1
        self.lines.append(f"  %v{self._count} = {text}")
        return f"%v{self._count}"

    def number(self, x: Any) -> str:
        """A constant in all lanes; LLVM writes both types with the bits of a double."""
        bits = struct.unpack("<Q", struct.pack("<d", float(x)))[0]
        return f"splat ({self.scalar} 0x{bits:016X})"

    def splat(self, one: str) -> str:
        """A number in all lanes."""
        first = self.emit(f"insertelement {self.vector} poison, {self.scalar} {one}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {self.vector} {first}, {self.vector} poison, {zeros}")

    def declare(self, name: str, result: str, *arguments: str) -> str:
        self.declared[name] = f"declare {result} @{name}({', '.join(arguments)})"
        return name

    def intrinsic(self, name: str, *args: str) -> str:
        full = self.declare(f"llvm.{name}.{self.suffix}", self.vector, *[self.vector] * len(args))
        return self.emit(f"call {self.vector} @{full}({', '.join(f'{self.vector} {a}' for a in args)})")

    def compare(self, how: str, a: str, b: str) -> str:
        return self.emit(f"fcmp {how} {self.vector} {a}, {b}")

    def select(self, condition: str, a: str, b: str, kind: str | None = None) -> str:
        kind = kind or self.vector
        return self.emit(f"select {self.mask} {condition}, {kind} {a}, {kind} {b}")

    def infix(self, op: str, a: str, b: str) -> str:
        return self.emit(f"{op} {self.vector} {a}, {b}")

    def logic(self, op: str, a: str, b: str) -> str:
        return self.emit(f"{op} {self.mask} {a}, {b}")

    def math(self, name: str, *args: str) -> str:
        """A function of libm: the vector one, or lane by lane."""
        short = name if self.dtype.itemsize == 8 else name + "f"
        symbol = f"_ZGV{self.h.mvec_letter}N{self.lanes}{'v' * len(args)}_{short}"
        if self.h.mvec is not None and hasattr(self.h.mvec, symbol):
            self.declare(symbol, self.vector, *[self.vector] * len(args))
            return self.emit(f"call {self.vector} @{symbol}({', '.join(f'{self.vector} {a}' for a in args)})")
        self.declare(short, self.scalar, *[self.scalar] * len(args))
        result = "poison"
        for lane in range(self.lanes):
            scalars = [self.emit(f"extractelement {self.vector} {a}, i32 {lane}") for a in args]
            one = self.emit(f"call {self.scalar} @{short}({', '.join(f'{self.scalar} {s}' for s in scalars)})")
            result = self.emit(f"insertelement {self.vector} {result}, {self.scalar} {one}, i32 {lane}")
        return result

    def truth(self, x: str, boolean: bool) -> str:
        return x if boolean else self.compare("une", x, self.number(0.0))


def _extremum(how: str, nan_of: int) -> Callable[[Writer, str, str], str]:
    """NumPy's choice: a where it compares so or where the operand number `nan_of` is NaN, else b (of −0 and 0 too)."""

    def write(w: Writer, a: str, b: str) -> str:
        x = (a, b)[nan_of]
        return w.select(w.logic("or", w.compare(how, a, b), w.compare("uno", x, x)), a, b)

    return write


def _sign(w: Writer, x: str) -> str:
    zero = w.number(0.0)
    negative = w.select(w.compare("olt", x, zero), w.number(-1.0), w.select(w.compare("oeq", x, zero), zero, x))
    return w.select(w.compare("ogt", x, zero), w.number(1.0), negative)


def _heaviside(w: Writer, x: str, at_zero: str) -> str:
    zero = w.number(0.0)
    other = w.select(w.compare("oeq", x, zero), at_zero, x)  # a NaN stays one
    return w.select(w.compare("olt", x, zero), zero, w.select(w.compare("ogt", x, zero), w.number(1.0), other))


_SPECIAL: dict[Any, Callable[..., str]] = {
    np.negative: lambda w, x: w.emit(f"fneg {w.vector} {x}"),
    np.square: lambda w, x: w.infix("fmul", x, x),
    np.reciprocal: lambda w, x: w.infix("fdiv", w.number(1.0), x),
    np.conjugate: lambda w, x: x,
    np.maximum: _extremum("ogt", 0),
    np.minimum: _extremum("olt", 0),
    np.fmax: _extremum("ogt", 1),
    np.fmin: _extremum("olt", 1),
    np.sign: _sign,
    np.heaviside: _heaviside,
    np.isnan: lambda w, x: w.compare("uno", x, x),
    np.isinf: lambda w, x: w.compare("oeq", w.intrinsic("fabs", x), w.number(np.inf)),
    np.isfinite: lambda w, x: w.compare("olt", w.intrinsic("fabs", x), w.number(np.inf)),
    np.signbit: lambda w, x: w.compare("olt", w.intrinsic("copysign", w.number(1.0), x), w.number(0.0)),
}


def write(w: Writer, node: Node, args: list[str], kinds: list[bool]) -> str:
    op: Any = node.op
    if op == FMA:
        return w.intrinsic("fma", *args)
    if op == SELECT:
        condition, x, y = args
        return w.select(condition, x, y, w.mask if kinds[1] else w.vector)
    if op in _INFIX:
        return w.infix(_INFIX[op], *args)
    if op in _COMPARE:
        return w.compare(_COMPARE[op], *args)
    if op in _LOGIC:
        return w.logic(_LOGIC[op], *(w.truth(a, k) for a, k in zip(args, kinds, strict=True)))
    if op in (np.logical_not, np.invert):
        return w.logic("xor", w.truth(args[0], kinds[0]), "splat (i1 true)")
    if op in _INTRINSIC:
        return w.intrinsic(_INTRINSIC[op], *args)
    if op in _SCALED:
        return w.infix("fmul", args[0], w.number(w.dtype.type(_SCALED[op])))
    if op in _SPECIAL:
        return _SPECIAL[op](w, *args)
    return w.math(_math_name(op), *args)


def _math_name(op: Any) -> str:
    name = MATH.get(op) or _BY_NAME.get(op.__name__)
    if name is None:
        raise Unrenderable(op.__name__)
    return name


def renderable(op: Any) -> bool:
    """Whether an operation can be written as machine code."""
    known: tuple[Any, ...] = (_INFIX, _COMPARE, _LOGIC, _INTRINSIC, _SCALED, _SPECIAL, MATH)
    if isinstance(op, str) or op in (np.logical_not, np.invert) or any(op in table for table in known):
        return True
    return op.__name__ in _BY_NAME
