"""Programs of scalars as LLVM text: straight-line code with loops, and no vectors.

What is carried from turn to turn of a loop is in registers; what is kept of each turn lies in scratch memory, the turns
one after the other, and later loops read it there.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...kinds import Value
from ..emit import step
from ..ir import CONST, FINAL, INPUT, KEPT, LOOP, MARGIN, Loop, Program
from ..layout import Routine
from .call import OBJECTS
from .instructions import Instructions

__all__ = ["write_single"]

_STACK = 1 << 16  # bytes of scratch memory on the stack


class _Single(Instructions):
    """The steps, of one number each."""

    def __init__(self, routine: Routine) -> None:
        super().__init__(routine.program.dtype)
        self.lanes, self.vector, self.mask = 1, self.scalar, "i1"
        self.suffix = f"f{8 * self.dtype.itemsize}"
        self.label = "entry"
        self.scratch = 0  # bytes
        self.loops = 0
        self.answer = "0"
        outputs = len(routine.outputs)
        self.layouts = [group.layout for group in (*routine.outputs, *routine.inputs)]
        self.places = [(g, m) for g, group in enumerate(routine.inputs, outputs) for m in range(group.planes)]

    def number(self, x: Value) -> str:
        return f"0x{struct.unpack('<Q', struct.pack('<d', float(x)))[0]:016X}"

    def boolean(self, x: bool) -> str:
        return str(bool(x)).lower()

    def math(self, name: str, *args: str) -> str:
        """As a vector of which one lane counts: a function is the same in all kernels."""
        wide = Instructions(self.dtype)
        if not wide.in_vectors(name, len(args)):
            return self._called(name if self.dtype.itemsize == 8 else name + "f", args)
        wide.lines, wide.declared, wide.names = self.lines, self.declared, self.names
        ones = f"{wide.vector} {wide.number(1.0)}"
        given = [wide.emit(f"insertelement {ones}, {self.scalar} {a}, i32 0") for a in args]
        return self.emit(f"extractelement {wide.vector} {wide.math(name, *given)}, i32 0")

    def at(self, base: str, place: str | int) -> str:
        """The address of a number of an array."""
        return self.emit(f"getelementptr {self.scalar}, ptr {base}, i64 {place}")

    # In straight-line code numbers are read and written one by one ("volatile"): the time that LLVM takes to order and
    # to merge n of them grows as n³.

    def read(self, base: str, place: str | int, alone: bool = False) -> str:
        kind = "load volatile" if alone else "load"
        return self.emit(f"{kind} {self.scalar}, ptr {self.at(base, place)}, align 1")

    def write(self, y: str, base: str, place: str | int, alone: bool = False) -> None:
        at, kind = self.at(base, place), "store volatile" if alone else "store"
        self.lines.append(f"  {kind} {self.scalar} {y}, ptr {at}, align 1")

    def load(self, g: int, m: int | str, again: bool = False) -> str:
        if self.layouts[g] == "s":
            return f"%n{g}"
        if self.layouts[g] in OBJECTS:
            return self.read(f"%p{g}", m, alone=True)
        plane = self.emit(f"mul i64 %ps{g}, {m}")
        return self.read(self.emit(f"getelementptr i8, ptr %a{g}, i64 {plane}"), 0, alone=True)

    def store(self, g: int, m: int | str, y: str, again: bool = False) -> None:
        self.write(y, f"%p{g}", m, alone=True)

    def watch(self, alarm: str) -> None:
        self.answer = self.emit(f"zext i1 {alarm} to i32")

    def allocated(self, count: int) -> str:
        """The address of so many numbers of scratch memory."""
        first, self.scratch = self.scratch, self.scratch + count * self.dtype.itemsize
        return self.emit(f"getelementptr i8, ptr %scratch, i64 {first}")

    def constants(self, numbers: Any) -> str:
        """The address of numbers that are known."""
        name = f"@numbers{len(self.declared)}"
        entries = ", ".join(f"{self.scalar} {self.number(x)}" for x in numbers)
        self.declared[name] = f"{name} = private constant [{len(numbers)} x {self.scalar}] [{entries}], align 16"
        return name


def write_single(routine: Routine, whole: str, arguments: Sequence[str]) -> str:
    """The text of a kernel with these arguments; `whole` is how the address of an array is found."""
    w = _Single(routine)
    program = routine.program
    values = _written(w, program, lambda number: w.load(*w.places[number]))
    stored = iter(program.outputs)
    for g, group in enumerate(routine.outputs):
        for m in range(group.planes):
            i = next(stored)
            y = w.select(values[i], w.number(1.0), w.number(0.0)) if program.nodes[i].boolean else values[i]
            w.store(g, m, y)
    entry = [f"  {whole.format(g=g)}" for g, layout in enumerate(w.layouts) if layout in OBJECTS]
    leaving = []
    if 0 < w.scratch <= _STACK:
        entry.append(f"  %scratch = alloca i8, i64 {w.scratch}, align 64")
    elif w.scratch:
        w.declare("malloc", "ptr", "i64")
        w.declare("free", "void", "ptr")
        entry.append(f"  %scratch = call ptr @malloc(i64 {w.scratch})")
        leaving.append("  call void @free(ptr %scratch)")
    if program.alarm is not None:
        w.watch(values[program.alarm])
    newline = "\n"
    return f"""{newline.join(w.declared.values())}
define i32 @kernel({", ".join(arguments)}) {{
entry:
{newline.join([*entry, *w.lines, *leaving])}
  ret i32 {w.answer}
}}
"""


def _written(w: _Single, program: Program, given: Callable[[int], str]) -> list[Any]:
    """The names of all nodes of a program, whose inputs are given."""
    values: list[Any] = []
    kinds = [node.boolean for node in program.nodes]
    for node in program.nodes:
        if node.op == INPUT:
            values.append(given(node.extra))
        elif node.op == CONST:
            values.append(w.boolean(node.extra) if node.boolean else w.number(node.extra))
        elif node.op == LOOP:
            values.append(_Turns(w, node.extra, [values[a] for a in node.args]))
        elif node.op == FINAL:
            turns = values[node.args[0]]
            values.append(turns.alarm if node.extra == -1 else turns.final[node.extra])
        elif node.op == KEPT:
            turns, (which, k) = values[node.args[0]], node.extra
            values.append(w.read(turns.base, k * turns.loop.kept + which, alone=True))
        else:
            values.append(step(w, node.op, [values[a] for a in node.args], [kinds[a] for a in node.args]))
    return values


class _Turns:
    """A loop that is written.

    Attributes:
        base: where what it keeps lies.
        final: what is carried after the last turn.
        alarm: whether it was raised in any turn.
    """

    def __init__(self, w: _Single, loop: Loop, args: Sequence[Any]) -> None:
        self.loop = loop
        self.base = w.at(w.allocated((loop.turns + 2 * MARGIN) * loop.kept), MARGIN * loop.kept) if loop.kept else ""
        series = [self._series(w, s, args) for s in loop.series]
        w.loops += 1
        name, before, body = f"turn{w.loops}", w.label, loop.body
        w.lines += [f"  br label %{name}", f"{name}:"]
        w.label = name
        head = len(w.lines)
        carried = [f"%{name}.c{j}" for j in range(loop.carried)]
        same = list(args[loop.carried : loop.carried + loop.same])
        read = [w.read(base, self._place(w, f"%{name}.k", first, step)) for base, first, step in series]
        given = [*carried, *same, *read]
        values = _written(w, body, given.__getitem__)
        outputs = [
            w.select(values[i], w.number(1.0), w.number(0.0)) if body.nodes[i].boolean else values[i]
            for i in body.outputs
        ]
        if loop.kept:
            row = w.emit(f"mul i64 %{name}.k, {loop.kept}")
            for j, y in enumerate(outputs[loop.carried :]):
                w.write(y, self.base, w.emit(f"add i64 {row}, {j}"))
        self.final, self.alarm = outputs[: loop.carried], "false"
        if body.alarm is not None:
            self.alarm = w.emit(f"or i1 %{name}.alarm, {values[body.alarm]}")
        phis = [f"  %{name}.k = phi i64 [ 0, %{before} ], [ %{name}.k1, %{w.label} ]"]
        for phi, first, later in zip(carried, args, self.final, strict=False):
            phis.append(f"  {phi} = phi {w.scalar} [ {first}, %{before} ], [ {later}, %{w.label} ]")
        if body.alarm is not None:
            phis.append(f"  %{name}.alarm = phi i1 [ false, %{before} ], [ {self.alarm}, %{w.label} ]")
        w.lines[head:head] = phis
        w.lines += [
            f"  %{name}.k1 = add i64 %{name}.k, 1",
            f"  %{name}.on = icmp slt i64 %{name}.k1, {loop.turns}",
            f"  br i1 %{name}.on, label %{name}, label %{name}.end",
            f"{name}.end:",
        ]
        w.label = f"{name}.end"

    @staticmethod
    def _place(w: _Single, k: str, first: int, step: int) -> str:
        on = k if step == 1 else w.emit(f"mul i64 {k}, {step}")
        return on if first == 0 else w.emit(f"add i64 {on}, {first}")

    def _series(self, w: _Single, series: Any, args: Sequence[Any]) -> tuple[str, int, int]:
        """Where a series lies, and the place and the distance of its numbers there."""
        kind, source, first, step_, beside = series
        if kind == "constant":
            return w.constants(np.asarray(source)), first, step_
        if kind == "input":
            g, m = w.places[first]
            return f"%p{g}", m, step_
        if kind == "kept":
            turns = args[source[0]]
            for k, which in beside:
                w.write(args[which], turns.base, k * turns.loop.kept + source[1], alone=True)
            return turns.base, first * turns.loop.kept + source[1], step_ * turns.loop.kept
        base = w.allocated(self.loop.turns)
        for k in range(self.loop.turns):
            w.write(args[source + k], base, k, alone=True)
        return base, first, step_
