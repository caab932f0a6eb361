"""A program as CUDA C: what surrounds the steps, and how a thread reads and writes its element.

Values have the bits of CuPy's own ufuncs: both call CUDA's functions, and contraction is off, so that nothing is fused
but what the program says. What raises an alarm leaves a ticket in a slot; a guarded kernel looks for it there first.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...kinds import Value
from ..emit import write
from ..layout import Routine

__all__ = ["BY_NAME", "FEW", "SLOTS", "THREADS", "Variant", "render"]

THREADS = 256
SLOTS = 1024  # for tickets of alarms, one after the other
FEW = 1 << 18  # threads of a guarded kernel at most: it seldom has anything to do, and blocks that return take time too

# functions of scipy.special that CUDA has
BY_NAME: Mapping[str, str] = {
    "erf": "erf", "erfc": "erfc", "erfcx": "erfcx", "erfinv": "erfinv", "erfcinv": "erfcinv", "exp10": "exp10",
    "exp2": "exp2", "expm1": "expm1", "log1p": "log1p", "cbrt": "cbrt", "gammaln": "lgamma", "gamma": "tgamma",
    "ndtr": "normcdf", "ndtri": "normcdfinv", "j0": "j0", "j1": "j1", "y0": "y0", "y1": "y1",
    "i0": "cyl_bessel_i0", "i1": "cyl_bessel_i1",
}  # fmt: skip

# by the character of a type: what is read as a number
_C = {
    "?": "bool", "b": "signed char", "B": "unsigned char", "h": "short", "H": "unsigned short", "i": "int",
    "I": "unsigned", "l": "long long", "L": "unsigned long long", "q": "long long", "Q": "unsigned long long",
    "f": "float", "d": "double",
}  # fmt: skip


class Variant(NamedTuple):
    """What a kernel takes for granted beside the layouts of its operands.

    Attributes:
        axes: of the strided operands, those that lie in a row being one.
        wide: whether places need 64 bits.
        types: the type characters of the operands that are read from memory.
    """

    axes: int
    wide: bool
    types: str


class _Thread:
    """The steps for one element; see `emit.Writer`."""

    by_name = BY_NAME

    def __init__(self, routine: Routine) -> None:
        self.dtype = routine.program.dtype
        self.real, self.suffix = ("double", "") if self.dtype.itemsize == 8 else ("float", "f")
        self.groups = [*routine.outputs, *routine.inputs]
        self.once: list[str] = []
        self.each: list[str] = []
        self.lines = self.once
        self.stored: tuple[list[str], list[str]] = [], []
        self.raised = ""
        self._count = 0
        self._angles: dict[str, tuple[str, list[str], int, str]] = {}

    def _emit(self, text: str, kind: str = "") -> str:
        self._count += 1
        self.lines.append(f"const {kind or self.real} v{self._count} = {text};")
        return f"v{self._count}"

    # ── the steps ────────────────────────────────────────────────────────────────────────────────

    def number(self, x: Value) -> str:
        if not np.isfinite(x):
            code, bits = ("<d", "__longlong_as_double") if self.dtype.itemsize == 8 else ("<f", "__int_as_float")
            return f"{bits}(0x{struct.pack(code, float(x))[::-1].hex()})"
        text = f"{abs(float(x)).hex()}{self.suffix}"
        return f"(-{text})" if np.signbit(x) else text

    def boolean(self, x: bool) -> str:
        return str(x).lower()

    def negative(self, x: str) -> str:
        return self._emit(f"-{x}")

    def infix(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}")

    def compare(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}", "bool")

    def logic(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}", "bool")

    def select(self, condition: str, a: str, b: str, boolean: bool = False) -> str:
        return self._emit(f"{condition} ? {a} : {b}", "bool" if boolean else "")

    def intrinsic(self, name: str, *args: str) -> str:
        return self._emit(f"{name}{self.suffix}({', '.join(args)})")

    def math(self, name: str, *args: str) -> str:
        """A function of CUDA's; of a sine and a cosine of one angle the second makes them one call."""
        if name == "exp2":  # as CuPy has it
            name, args = "pow", (self.number(2.0), *args)
        if name not in ("sin", "cos"):
            return self.intrinsic(name, *args)
        other = self._angles.get(args[0])
        if other is None or other[0] == name:
            y = self.intrinsic(name, *args)
            self._angles[args[0]] = name, self.lines, len(self.lines) - 1, y
            return y
        _, lines, place, first = other
        self._count += 1
        y = f"v{self._count}"
        sin, cos = (y, first) if name == "sin" else (first, y)
        lines[place] = f"{self.real} {sin}, {cos}; sincos{self.suffix}({args[0]}, &{sin}, &{cos});"
        return y

    # ── memory ───────────────────────────────────────────────────────────────────────────────────

    def load(self, g: int, m: int, again: bool) -> str:
        layout = self.groups[g].layout
        if layout == "s":
            return self._emit(f"({self.real})n{g}")
        if layout == "w":
            return self._emit(f"first{g} <= i && i < last{g} ? p{g}[i - first{g}] : ({self.real})0")
        return self._emit(f"({self.real})p{g}[{self._place(g, m, again)}]")

    def store(self, g: int, m: int, y: str, again: bool) -> None:
        self.stored[again].append(f"p{g}[{self._place(g, m, again)}] = {y};")

    def _place(self, g: int, m: int, again: bool) -> str:
        """Of the element in a plane, or in that of the direction at hand."""
        between, within = (f"ps{g}", f"e{g}") if self.groups[g].layout == "n" else ("length", "i")
        plane = f"({m - 1} * directions + d + 1)" if again else str(m)
        return within if plane == "0" else f"{plane} * {between} + {within}"

    def watch(self, alarm: str) -> None:
        self.raised = alarm


def render(routine: Routine, variant: Variant) -> str:
    """The text of ``kernel(outputs…, inputs…, [directions,] length, sizes…, [tickets, ticket])``.

    For a number stands a double; for planes "c" their address; for "n" behind it the distances between planes and along
    each axis, for "w" from where to where they reach, in elements. The sizes are those of the axes but the first. A
    thread takes one element, of a guarded kernel as many as it must.
    """
    w = _Thread(routine)
    write(w, routine)
    arguments: list[str] = []
    head: list[str] = []
    types, strided = iter(variant.types), []
    for g, group in enumerate(w.groups):
        if group.layout == "s":
            arguments.append(f"const double n{g}")
            continue
        kind = w.real if g < len(routine.outputs) else f"const {_C[next(types)]}"
        arguments.append(f"{kind}* __restrict__ p{g}")
        names = [f"first{g}", f"last{g}"] if group.layout == "w" else []
        if group.layout == "n":
            strided.append(g)
            names = [f"ps{g}", *(f"s{g}_{k}" for k in range(variant.axes))]
        _integers(names, arguments, head)
    _integers(["directions"] * routine.directed + ["length"], arguments, head)
    place = f"(I)blockIdx.x * {THREADS} + threadIdx.x"
    if routine.guarded:
        head.append(f"for (I i = {place}; i < length; i += (I)gridDim.x * {THREADS}) {{")
    else:
        head += [f"const I i = {place};", "if (i >= length) return;"]
    if strided:
        _integers([f"size{k}" for k in range(1, variant.axes)], arguments, head)
        head += _elements(strided, variant.axes)
    tail = ["}"] * routine.guarded
    if w.raised:
        arguments += ["unsigned* tickets", "const long long ticket"]
        flag = f"tickets[(unsigned)ticket % {SLOTS}]"
        if routine.guarded:
            head.insert(0, f"if ({flag} != (unsigned)ticket) return;")
            known = (k for k, line in enumerate(w.once, 1) if line.startswith(f"const bool {w.raised} ="))
            w.once.insert(next(known, 0), f"if (!{w.raised}) continue;")
        else:
            tail.append(f"if ({w.raised}) {flag} = (unsigned)ticket;")
    each = ["for (I d = 0; d < directions; ++d) {", *w.each, *w.stored[True], "}"] if routine.directed else []
    return "\n".join([
        f"typedef {'long long' if variant.wide else 'int'} I;",
        f'extern "C" __global__ void kernel({", ".join(arguments)}) {{',
        *head, *w.once, *w.stored[False], *each, *tail, "}", "",
    ])  # fmt: skip


def _integers(names: list[str], arguments: list[str], head: list[str]) -> None:
    """Integers among the arguments, in the width that places have."""
    arguments += [f"const long long {name}_" for name in names]
    head += [f"const I {name} = (I){name}_;" for name in names]


def _elements(strided: list[int], axes: int) -> list[str]:
    """Where a thread's element lies in the planes of strided operands."""
    lines, rest = [], "i"
    for k in range(axes - 1, 0, -1):
        lines += [f"const I q{k} = {rest} / size{k};", f"const I x{k} = {rest} - q{k} * size{k};"]
        rest = f"q{k}"
    lines.append(f"const I x0 = {rest};")
    return lines + [f"const I e{g} = {' + '.join(f'x{k} * s{g}_{k}' for k in range(axes))};" for g in strided]
