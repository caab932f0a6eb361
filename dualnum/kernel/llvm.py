"""Programs as LLVM text, on explicit vectors of the host's width.

A program becomes a loop over vectors; the tail of an array takes the same path under a mask, so a value does
not depend on its position. Mathematical functions are glibc's vector ones (libmvec, at most 4 ulp) where the
process finds them by symbol, else the scalar libm lane by lane. Fused multiply-adds are explicit, and no
fast-math flag is set.
"""

import ctypes
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .host import host
from .ir import CONST, FMA, INPUT, SELECT, Node, Program

__all__ = ["MATH", "Group", "Unrenderable", "data_offset", "render", "renderable", "signature"]


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


class _Writer:
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


def _extremum(how: str, nan_of: int) -> Callable[[_Writer, str, str], str]:
    """NumPy's choice: a where it compares so or where the operand number `nan_of` is NaN, else b (of −0 and 0 too)."""

    def write(w: _Writer, a: str, b: str) -> str:
        x = (a, b)[nan_of]
        return w.select(w.logic("or", w.compare(how, a, b), w.compare("uno", x, x)), a, b)

    return write


def _sign(w: _Writer, x: str) -> str:
    zero = w.number(0.0)
    negative = w.select(w.compare("olt", x, zero), w.number(-1.0), w.select(w.compare("oeq", x, zero), zero, x))
    return w.select(w.compare("ogt", x, zero), w.number(1.0), negative)


def _heaviside(w: _Writer, x: str, at_zero: str) -> str:
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


def _write(w: _Writer, node: Node, args: list[str], kinds: list[bool]) -> str:
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


# ── a kernel ─────────────────────────────────────────────────────────────────────────────────────
#
# Groups of planes are the operands: the outputs first, then the inputs. A group has one layout:
#   "c"  contiguous planes, one after the other:                 argument: the array object, or its address
#   "p"  contiguous planes at any distance:                      arguments: address, plane stride
#   "g"  planes and elements at any distances (gathered):        arguments: address, plane stride, element stride
#   "b"  one number a plane, the same everywhere:                arguments: address, plane stride
#   "s"  one number:                                             argument: the number
# Strides are in bytes. The kernel is int kernel(arguments…, length, begin, end); it gives back whether the
# alarm was raised.


@dataclass(frozen=True)
class Group:
    """Operands of one layout: `planes` program inputs (or outputs) in a row."""

    layout: str
    planes: int


def render(program: Program, outputs: Sequence[Group], inputs: Sequence[Group]) -> str:
    """The LLVM text of a kernel."""
    w = _Writer(program.dtype)
    size = program.dtype.itemsize
    arguments, head = [], []
    groups = [*outputs, *inputs]
    for g, group in enumerate(groups):
        if group.layout == "s":
            arguments.append(f"{w.scalar} %n{g}")
            continue
        arguments.append(f"ptr %a{g}")
        if group.layout == "c" and data_offset() >= 0:  # an array object: its data pointer is a field
            head.append(f"  %o{g} = getelementptr i8, ptr %a{g}, i64 {data_offset()}")
            head.append(f"  %p{g} = load ptr, ptr %o{g}")
        else:
            head.append(f"  %p{g} = getelementptr i8, ptr %a{g}, i64 0")
        if group.layout == "c":
            head.append(f"  %ps{g} = mul i64 %length, {size}")
        else:
            arguments.append(f"i64 %ps{g}")
        if group.layout == "g":
            arguments.append(f"i64 %es{g}")
        else:
            head.append(f"  %es{g} = add i64 0, {0 if group.layout == 'b' else size}")
    arguments += ["i64 %length", "i64 %begin", "i64 %end"]

    iota = ", ".join(f"i64 {i}" for i in range(w.lanes))
    pointers = f"<{w.lanes} x ptr>"
    loads: list[str] = []
    for g, group in enumerate(inputs, len(outputs)):
        if group.layout == "s":
            loads.append(w.splat(f"%n{g}"))
            continue
        for m in range(group.planes):
            at = _plane_address(w, g, m)
            if group.layout == "b":
                one = w.emit(f"load {w.scalar}, ptr {at}, align 1")
                loads.append(w.splat(one))
            elif group.layout != "g":
                name = w.declare(f"llvm.masked.load.{w.suffix}.p0", w.vector, "ptr", w.mask, w.vector)
                loads.append(
                    w.emit(f"call {w.vector} @{name}(ptr align 1 {at}, {w.mask} %mask, {w.vector} {w.number(1.0)})")
                )
            else:
                name = w.declare(f"llvm.masked.gather.{w.suffix}.v{w.lanes}p0", w.vector, pointers, w.mask, w.vector)
                many = _lane_addresses(w, g, at, iota)
                loads.append(
                    w.emit(
                        f"call {w.vector} @{name}({pointers} align {size} {many}, {w.mask} %mask, "
                        f"{w.vector} {w.number(1.0)})"
                    )
                )

    values: list[str] = []
    kinds: list[bool] = []
    for node in program.nodes:
        if node.op == INPUT:
            values.append(loads[node.extra])
        elif node.op == CONST:
            values.append(w.number(node.extra) if not node.boolean else f"splat (i1 {str(node.extra).lower()})")
        else:
            values.append(_write(w, node, [values[a] for a in node.args], [kinds[a] for a in node.args]))
        kinds.append(node.boolean)

    stored = iter(program.outputs)
    for g, group in enumerate(outputs):
        for m in range(group.planes):
            i = next(stored)
            y = values[i]
            if kinds[i]:
                y = w.emit(f"uitofp {w.mask} {y} to {w.vector}")
            at = _plane_address(w, g, m)
            if group.layout != "g":
                name = w.declare(f"llvm.masked.store.{w.suffix}.p0", "void", w.vector, "ptr", w.mask)
                w.lines.append(f"  call void @{name}({w.vector} {y}, ptr align 1 {at}, {w.mask} %mask)")
            else:
                name = w.declare(f"llvm.masked.scatter.{w.suffix}.v{w.lanes}p0", "void", w.vector, pointers, w.mask)
                many = _lane_addresses(w, g, at, iota)
                w.lines.append(f"  call void @{name}({w.vector} {y}, {pointers} align {size} {many}, {w.mask} %mask)")

    if program.alarm is not None:
        raised = w.logic("and", values[program.alarm], "%mask")
        w.lines.append(f"  %alarm1 = or {w.mask} %alarm, {raised}")
        reduce = w.declare(f"llvm.vector.reduce.or.v{w.lanes}i1", "i1", w.mask)
        start = f"  %alarm = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %loop ]\n"
        finish = (
            f"  %final = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %loop ]\n"
            f"  %any1 = call i1 @{reduce}({w.mask} %final)\n  %answer = zext i1 %any1 to i32\n  ret i32 %answer"
        )
    else:
        start, finish = "", "  ret i32 0"
    body = "\n".join(w.lines)
    lanes = w.lanes
    declared = "\n".join(w.declared.values())
    return f"""{declared}
define i32 @kernel({", ".join(arguments)}) {{
entry:
{chr(10).join(head)}
  %any = icmp slt i64 %begin, %end
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %loop ]
{start}  %left = sub i64 %end, %i
  %left1 = insertelement <{lanes} x i64> poison, i64 %left, i32 0
  %lefts = shufflevector <{lanes} x i64> %left1, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer
  %mask = icmp slt <{lanes} x i64> <{iota}>, %lefts
{body}
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
{finish}
}}
"""


def _plane_address(w: _Writer, g: int, m: int) -> str:
    plane = w.emit(f"mul i64 %ps{g}, {m}")
    element = w.emit(f"mul i64 %es{g}, %i")
    offset = w.emit(f"add i64 {plane}, {element}")
    return w.emit(f"getelementptr i8, ptr %p{g}, i64 {offset}")


def _lane_addresses(w: _Writer, g: int, at: str, iota: str) -> str:
    longs = f"<{w.lanes} x i64>"
    one = w.emit(f"insertelement {longs} poison, i64 %es{g}, i32 0")
    stride = w.emit(f"shufflevector {longs} {one}, {longs} poison, <{w.lanes} x i32> zeroinitializer")
    offsets = w.emit(f"mul {longs} {stride}, <{iota}>")
    return w.emit(f"getelementptr i8, ptr {at}, {longs} {offsets}")


@cache
def data_offset() -> int:
    """Where an ndarray object keeps its data pointer (the first field behind Python's header), or −1."""
    offset = object.__basicsize__
    for probe in (np.zeros(3), np.ones((2, 2))[1:]):
        if ctypes.c_void_p.from_address(id(probe) + offset).value != probe.ctypes.data:
            return -1
    return offset


def signature(outputs: Sequence[Group], inputs: Sequence[Group], dtype: np.dtype[Any]) -> list[Any]:
    """The types of the kernel's arguments for ctypes."""
    number = ctypes.c_double if dtype.itemsize == 8 else ctypes.c_float
    types: list[Any] = []
    for group in (*outputs, *inputs):
        if group.layout == "s":
            types.append(number)
        else:
            types += [ctypes.c_void_p, *[ctypes.c_int64] * {"c": 0, "p": 1, "b": 1, "g": 2}[group.layout]]
    return [*types, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
