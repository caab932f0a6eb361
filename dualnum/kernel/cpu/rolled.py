"""Programs too long to be written out run as a loop over a table, inside the same kernel.

A product of polynomials in many variables is thousands of fused multiply-adds, and a compiler takes seconds for them.
So the vectors of all nodes lie in scratch memory, and one loop goes through a table of (result, a, b, c): result is
a·b + c. Sums, differences and products are such, with constants that change nothing in IEEE arithmetic:

    a + b = a·1 + b,  a − b = b·(−1) + a,  a·b = a·b + (−0),  −a = a·(−1) + (−0).

What is left, functions of libm, comparisons, choices, divisions, is written out: in stages, each before the run through
the table that needs it. Entries of a table that do not wait for one another stand side by side.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..emit import step
from ..ir import CONST, FMA, INPUT, REDUCE, Instruction, Program
from ..layout import Routine

__all__ = ["LONGEST", "is_long", "write_rolled"]

# Nodes that are written out. A compiler takes 0.2 ms for each of the first thousands and more for later ones, the table
# 0.03 ms; the loop then takes two to three times as long as what was written out (measured at 700 to 4,200 nodes).
_WRITTEN = 3000
_EACH = 200  # nodes of a table at least, on the average: else there is little to go through
LONGEST = 1_000_000  # nodes that a program may have at all

_SUM = {np.add, np.subtract, np.multiply, np.negative, np.square, FMA}


def is_long(routine: Routine) -> bool:
    """Whether a program runs through a table: it is long, and wide rather than deep."""
    count = len(routine.program.nodes)
    reduces = any(node.op == REDUCE for node in routine.program.nodes)
    return count > _WRITTEN and not routine.directed and not reduces and max(_stages(routine.program)) * _EACH < count


def _is_sum(node: Instruction) -> bool:
    return node.op in _SUM and not node.boolean


def _stages(program: Program) -> list[int]:
    """Of each node the stage; in a stage what is written out comes before the table."""
    stages: list[int] = []
    for node in program.nodes:
        wait = 0 if _is_sum(node) else 1  # for the table of the stage before
        stages.append(max((stages[a] + (wait if _is_sum(program.nodes[a]) else 0) for a in node.args), default=0))
    return stages


def _ordered(program: Program, chosen: Sequence[int]) -> list[int]:
    """Nodes of one table by how many others they wait for in a row."""
    depth: dict[int, int] = {}
    for i in chosen:
        depth[i] = 1 + max((depth.get(a, -1) for a in program.nodes[i].args), default=-1)
    return sorted(chosen, key=depth.__getitem__)


class _Slots:
    """Where vectors lie in scratch memory; a place is used again when nobody needs what is there."""

    def __init__(self) -> None:
        self.of: dict[Any, int] = {}
        self.count = 0
        self.free: list[int] = []

    def put(self, key: Any) -> int:
        slot = self.free.pop() if self.free else self.count
        self.count = max(self.count, slot + 1)
        self.of[key] = slot
        return slot

    def row(self, keys: Sequence[Any]) -> int:
        """The first of as many places side by side."""
        first = self.count
        self.count += len(keys)
        self.of.update(zip(keys, range(first, self.count), strict=True))
        return first


def write_rolled(w: Any, routine: Routine) -> None:
    """All of a long program; `w` is a loop that can read and write planes whose number is a register."""
    _Rolled(w, routine).write()


class _Rolled:
    def __init__(self, w: Any, routine: Routine) -> None:
        self.w: Any = w
        self.routine = routine
        self.program = routine.program
        self.slots = _Slots()
        self.names: dict[int, str] = {}  # of nodes in registers
        self.size = w.dtype.itemsize * w.lanes

    def write(self) -> None:
        w, nodes = self.w, self.program.nodes
        w.lines = w.once
        self._read()
        stages = _stages(self.program)
        written = {i for i, node in enumerate(nodes) if not _is_sum(node) and node.op not in (INPUT, CONST)}
        kept = {a for i in written for a in nodes[i].args} | {*self.program.outputs} | {*written}
        kept |= {a for i, node in enumerate(nodes) for a in node.args if stages[a] != stages[i]}
        count = max(stages, default=0) + 1
        tables: list[list[int]] = [[] for _ in range(count)]
        others: list[list[int]] = [[] for _ in range(count)]
        for i, node in enumerate(nodes):
            if _is_sum(node):
                tables[stages[i]].append(i)
            elif i in written:
                others[stages[i]].append(i)
        for stage in range(count):
            for i in others[stage]:
                self._written_out(i)
            if tables[stage]:
                self._table(stage, _ordered(self.program, tables[stage]), kept)
        self._store()
        if self.program.alarm is not None:
            w.watch(self._value(self.program.alarm))
        w.memory("scratch", max(self.slots.count, 1) * self.size)

    # ── scratch memory ───────────────────────────────────────────────────────────────────────────

    def _at(self, slot: int | str) -> str:
        place = str(slot * self.size) if isinstance(slot, int) else self.w.emit(f"mul i64 {slot}, {self.size}")
        return str(self.w.emit(f"getelementptr i8, ptr %scratch, i64 {place}"))

    def _load(self, slot: int | str) -> str:
        return str(self.w.emit(f"load {self.w.vector}, ptr {self._at(slot)}, align 8"))

    def _save(self, value: str, slot: int | str) -> None:
        at = self._at(slot)
        self.w.lines.append(f"  store {self.w.vector} {value}, ptr {at}, align 8")

    def _value(self, i: int) -> str:
        """A node in a register."""
        node = self.program.nodes[i]
        if i not in self.names:
            if node.op == CONST:
                self.names[i] = self.w.boolean(node.extra) if node.boolean else self.w.number(node.extra)
            else:
                self.names[i] = self._load(self.slots.of[i])
        return self.names[i]

    def _slot(self, key: Any) -> int:
        """Where a node lies, or a number that is ("number", x)."""
        known = self.slots.of.get(key)
        if known is not None:
            return known
        if isinstance(key, tuple):
            number = self.w.number(key[1])
        else:
            node = self.program.nodes[key]
            if node.op == CONST:
                return self._slot(("number", node.extra))
            number = self._value(key)
        slot = self.slots.row([key])
        lines, self.w.lines = self.w.lines, self.w.entry if isinstance(key, tuple) else self.w.lines
        self._save(number, slot)
        self.w.lines = lines
        return slot

    # ── loops ────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        """All planes of all inputs."""
        number = 0
        at = {node.extra: i for i, node in enumerate(self.program.nodes) if node.op == INPUT}
        for g, group in enumerate(self.routine.inputs, len(self.routine.outputs)):
            keys = [at.get(number + m, ("unread", number + m)) for m in range(group.planes)]
            number += group.planes
            first = self.slots.row(keys)

            def one(m: str, g: int = g, first: int = first) -> None:
                value = self.w.load(g, m, False)
                self._save(value, self.w.emit(f"add i64 {m}, {first}"))

            self.w.repeat(f"read{g}", group.planes, one)

    def _store(self) -> None:
        outputs = iter(self.program.outputs)
        for g, group in enumerate(self.routine.outputs):
            places = [self._place_of(next(outputs)) for _ in range(group.planes)]
            table = self._constant(f"places{g}", places)

            def one(m: str, g: int = g, table: str = table) -> None:
                at = self.w.emit(f"getelementptr i32, ptr {table}, i64 {m}")
                place = self.w.emit(f"load i32, ptr {at}, align 4")
                self.w.store(g, m, self._load(self.w.emit(f"zext i32 {place} to i64")), False)

            self.w.repeat(f"store{g}", group.planes, one)

    def _place_of(self, i: int) -> int:
        node = self.program.nodes[i]
        if node.boolean:
            number = self.w.select(self._value(i), self.w.number(1.0), self.w.number(0.0))
            slot = self.slots.row([("truth", i)])
            self._save(number, slot)
            return slot
        return self._slot(i)

    def _constant(self, name: str, numbers: Sequence[int]) -> str:
        entries = ", ".join(f"i32 {n}" for n in numbers)
        self.w.declared[name] = f"@{name} = private constant [{len(numbers)} x i32] [{entries}], align 16"
        return f"@{name}"

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────

    def _written_out(self, i: int) -> None:
        node = self.program.nodes[i]
        args = [self._value(a) for a in node.args]
        self.names[i] = step(self.w, node.op, args, [self.program.nodes[a].boolean for a in node.args])

    def _table(self, stage: int, order: Sequence[int], kept: set[int]) -> None:
        nodes, slots = self.program.nodes, self.slots
        own = set(order)
        last = {a: i for i in order for a in nodes[i].args}
        rows: list[int] = []
        for i in order:
            a, b, c = (self._slot(key) for key in self._fused(nodes[i]))
            for x in dict.fromkeys(nodes[i].args):
                if last[x] == i and x in own and x not in kept:
                    slots.free.append(slots.of.pop(x))
            rows += [slots.put(i), a, b, c]
        table = self._constant(f"table{stage}", [n * self.size for n in rows])
        w = self.w

        def one(e: str) -> None:
            at = w.emit(f"getelementptr [4 x i32], ptr {table}, i64 {e}")
            four = w.emit(f"load <4 x i32>, ptr {at}, align 16")
            places = [w.emit(f"extractelement <4 x i32> {four}, i32 {k}") for k in range(4)]
            at = [
                w.emit(f"getelementptr i8, ptr %scratch, i64 {w.emit(f'zext i32 {place} to i64')}") for place in places
            ]
            a, b, c = (w.emit(f"load {w.vector}, ptr {x}, align 8") for x in at[1:])
            w.lines.append(f"  store {w.vector} {w.intrinsic('fma', a, b, c)}, ptr {at[0]}, align 8")

        self.w.repeat(f"run{stage}", len(order), one)

    def _fused(self, node: Instruction) -> tuple[Any, Any, Any]:
        """a, b and c of a·b + c."""
        one, minus, nothing = ("number", 1.0), ("number", -1.0), ("number", -0.0)
        x, *rest = node.args
        if node.op == FMA:
            return (x, rest[0], rest[1])
        if node.op is np.add:
            return (x, one, rest[0])
        if node.op is np.subtract:
            return (rest[0], minus, x)
        if node.op is np.negative:
            return (x, minus, nothing)
        return (x, rest[0] if rest else x, nothing)
