"""The steps of a program as LLVM text, on explicit vectors of the host's width.

Mathematical functions are glibc's vector ones (libmvec, at most 4 ulp) where the process finds them by symbol,
else the scalar libm lane by lane. Fused multiply-adds are explicit, and no fast-math flag is set.
"""

import struct
from typing import Any

import numpy as np

from ...kinds import Value
from ..emit import BY_NAME
from .host import host

__all__ = ["Instructions"]

_INFIX = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_COMPARE = {"==": "oeq", "!=": "une", "<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}
_LOGIC = {"&": "and", "|": "or", "^": "xor"}


class Instructions:
    """The body of one loop iteration; see `emit.Writer` for the steps."""

    by_name = BY_NAME

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.h = host()
        self.dtype = dtype
        self.lanes = self.h.lanes(dtype)
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
        self._count = 0

    def emit(self, text: str) -> str:
        self._count += 1
        self.lines.append(f"  %v{self._count} = {text}")
        return f"%v{self._count}"

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
        symbol = f"_ZGV{self.h.mvec_letter}N{self.lanes}{'v' * len(args)}_{short}"
        if self.h.mvec is not None and hasattr(self.h.mvec, symbol):
            return self._called(symbol, args)
        self.declare(short, self.scalar, *[self.scalar] * len(args))
        result = "poison"
        for lane in range(self.lanes):
            scalars = [self.emit(f"extractelement {self.vector} {a}, i32 {lane}") for a in args]
            one = self.emit(f"call {self.scalar} @{short}({', '.join(f'{self.scalar} {s}' for s in scalars)})")
            result = self.emit(f"insertelement {self.vector} {result}, {self.scalar} {one}, i32 {lane}")
        return result

    def _called(self, name: str, args: tuple[str, ...]) -> str:
        self.declare(name, self.vector, *[self.vector] * len(args))
        return self.emit(f"call {self.vector} @{name}({', '.join(f'{self.vector} {a}' for a in args)})")
