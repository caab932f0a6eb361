"""The steps of a program as LLVM text, on explicit vectors of the host's width.

Mathematical functions are glibc's vector ones (libmvec, at most 4 ulp) where the process finds them by symbol; else
those of `elementary`, which stand as functions beside the kernel, or the scalar libm lane by lane. Fused multiply-adds
are explicit, and no fast-math flag is set.
"""

import struct
from itertools import count
from typing import Any

import numpy as np

from ...kinds import Value
from ..elementary import ELEMENTARY
from ..emit import BY_NAME
from .host import host

__all__ = ["Instructions"]

_INFIX = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_COMPARE = {"==": "oeq", "!=": "une", "<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}
_LOGIC = {"&": "and", "|": "or", "^": "xor"}


class Instructions:
    """The body of one loop iteration; see `emit.Writer` for the steps."""

    by_name = BY_NAME

    def __init__(self, dtype: np.dtype[Any], lanes: int = 0) -> None:
        self.h = host()
        self.dtype = dtype
        self.lanes = lanes or self.h.lanes(dtype)
        self.scalar = "double" if dtype.itemsize == 8 else "float"
        self.vector = f"<{self.lanes} x {self.scalar}>"
        self.mask = f"<{self.lanes} x i1>"
        self.longs = f"<{self.lanes} x i64>"
        self.iota = ", ".join(f"i64 {i}" for i in range(self.lanes))
        self.suffix = f"v{self.lanes}f{8 * dtype.itemsize}"
        self.once: list[str] = []
        self.each: list[str] = []
        self.lines = self.once
        self.declared: dict[str, str] = {}
        self.names = count(1)

    def emit(self, text: str) -> str:
        name = f"%v{next(self.names)}"
        self.lines.append(f"  {name} = {text}")
        return name

    def declare(self, name: str, result: str, *arguments: str) -> str:
        self.declared[name] = f"declare {result} @{name}({', '.join(arguments)})"
        return name

    def splat(self, one: str, scalar: str = "", vector: str = "") -> str:
        """A number in all lanes."""
        vector = vector or self.vector
        first = self.emit(f"insertelement {vector} poison, {scalar or self.scalar} {one}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {vector} {first}, {vector} poison, {zeros}")

    # ── the steps ────────────────────────────────────────────────────────────────────────────────

    def number(self, x: Value) -> str:
        """A constant in all lanes; LLVM writes both types with the bits of a double."""
        bits = struct.unpack("<Q", struct.pack("<d", float(x)))[0]
        return f"splat ({self.scalar} 0x{bits:016X})"

    def boolean(self, x: bool) -> str:
        return f"splat (i1 {str(x).lower()})"

    def negative(self, x: str) -> str:
        return self.emit(f"fneg {self.vector} {x}")

    def infix(self, op: str, a: str, b: str) -> str:
        return self.emit(f"{_INFIX[op]} {self.vector} {a}, {b}")

    def compare(self, op: str, a: str, b: str) -> str:
        return self.emit(f"fcmp {_COMPARE[op]} {self.vector} {a}, {b}")

    def logic(self, op: str, a: str, b: str) -> str:
        return self.emit(f"{_LOGIC[op]} {self.mask} {a}, {b}")

    def select(self, condition: str, a: str, b: str, boolean: bool = False) -> str:
        kind = self.mask if boolean else self.vector
        return self.emit(f"select {self.mask} {condition}, {kind} {a}, {kind} {b}")

    def intrinsic(self, name: str, *args: str) -> str:
        return self._called(f"llvm.{name}.{self.suffix}", args)

    def math(self, name: str, *args: str) -> str:
        """A function of libm: the vector one, or lane by lane."""
        short = name if self.dtype.itemsize == 8 else name + "f"
        symbol = self._symbol(name, len(args))
        if symbol:
            return self._called(symbol, args)
        if self.in_vectors(name, len(args)):
            return self._written(name, args)
        return self._lane_by_lane(short, args)

    def in_vectors(self, name: str, count: int) -> bool:
        """Whether a function of so many arguments is there for a vector as a whole."""
        return (name in ELEMENTARY and self.h.fuses) or bool(self._symbol(name, count))

    def _symbol(self, name: str, count: int) -> str:
        """The function of the vector library; empty where there is none."""
        short = name if self.dtype.itemsize == 8 else name + "f"
        symbol = f"_ZGV{self.h.mvec_letter}N{self.lanes}{'v' * count}_{short}"
        return symbol if self.h.mvec is not None and hasattr(self.h.mvec, symbol) else ""

    def _lane_by_lane(self, name: str, args: tuple[str, ...]) -> str:
        self.declare(name, self.scalar, *[self.scalar] * len(args))
        result = "poison"
        for lane in range(self.lanes):
            scalars = [self.emit(f"extractelement {self.vector} {a}, i32 {lane}") for a in args]
            one = self.emit(f"call {self.scalar} @{name}({', '.join(f'{self.scalar} {s}' for s in scalars)})")
            result = self.emit(f"insertelement {self.vector} {result}, {self.scalar} {one}, i32 {lane}")
        return result

    def _written(self, name: str, args: tuple[str, ...]) -> str:
        """The call of a function that stands beside the kernel."""
        own = f"elementary.{name}.{self.suffix}"
        if own not in self.declared:
            function = _Function(self.lanes, self.dtype.itemsize == 4)
            self.declared[own] = function.text(own, name, len(args), self.vector)
            self.declared.update(function.declared)
        return self.emit(f"call {self.vector} @{own}({', '.join(f'{self.vector} {a}' for a in args)})")

    def _called(self, name: str, args: tuple[str, ...]) -> str:
        self.declare(name, self.vector, *[self.vector] * len(args))
        return self.emit(f"call {self.vector} @{name}({', '.join(f'{self.vector} {a}' for a in args)})")


class _Function(Instructions):
    """A function of `elementary`, in double precision; see `elementary.Bits`."""

    def __init__(self, lanes: int, short: bool) -> None:
        super().__init__(np.dtype(np.float64), lanes)
        self.short = short

    def text(self, symbol: str, name: str, count: int, kind: str) -> str:
        """Its definition, for so many vectors of this kind."""
        args = given = tuple(f"%x{i}" for i in range(count))
        if self.short:
            args = tuple(self.emit(f"fpext {kind} {x} to {self.vector}") for x in given)
        y, holds = ELEMENTARY[name](self, *args)
        if holds is not None:
            reduce = self.declare(f"llvm.vector.reduce.and.v{self.lanes}i1", "i1", self.mask)
            everywhere = self.emit(f"call i1 @{reduce}({self.mask} {holds})")
            self.lines += [f"  br i1 {everywhere}, label %done, label %far", "far:"]
            far = self.select(holds, y, self._lane_by_lane(name, args))
            self.lines += ["  br label %done", "done:"]
            y = self.emit(f"phi {self.vector} [ {y}, %entry ], [ {far}, %far ]")
        if self.short:
            y = self.emit(f"fptrunc {self.vector} {y} to {kind}")
        head = f"define internal {kind} @{symbol}({', '.join(f'{kind} {x}' for x in given)})"
        return "\n".join([head + " {", "entry:", *self.lines, f"  ret {kind} {y}", "}"])

    def power_of_two(self, k: str) -> str:
        """The last bits of k + 1.5·2⁵² are those of k, as an integer."""
        bits = self._bits(self.infix("+", k, self.number(1.5 * 2.0**52)))
        biased = self.emit(f"add {self.longs} {bits}, splat (i64 1023)")
        return self._number(self.emit(f"shl {self.longs} {biased}, splat (i64 52)"))

    def taken_apart(self, x: str) -> tuple[str, str]:
        bits = self._bits(x)
        shifted = self.emit(f"sub {self.longs} {bits}, splat (i64 {_SQRT_HALF - (1023 << 52)})")
        exponent = self.emit(f"lshr {self.longs} {shifted}, splat (i64 52)")  # from 1023
        whole = self._number(self.emit(f"or {self.longs} {exponent}, splat (i64 {0x433 << 52})"))
        place = self.emit(f"shl {self.longs} {exponent}, splat (i64 52)")
        mantissa = self.emit(f"sub {self.longs} {bits}, {place}")
        mantissa = self.emit(f"add {self.longs} {mantissa}, splat (i64 {1023 << 52})")
        return self._number(mantissa), self.infix("-", whole, self.number(2.0**52 + 1023.0))

    def _bits(self, x: str) -> str:
        return self.emit(f"bitcast {self.vector} {x} to {self.longs}")

    def _number(self, x: str) -> str:
        return self.emit(f"bitcast {self.longs} {x} to {self.vector}")


_SQRT_HALF = struct.unpack("<Q", struct.pack("<d", 0.5**0.5))[0]
