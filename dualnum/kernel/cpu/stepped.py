"""Loops over rows as LLVM text, and how they are called.

    int kernel(carry, same, count, most, first, by, rows read…, rows written…)

takes at most so many steps, on rows `first`, `first + by`, …; what is carried is in registers meanwhile. It leaves the
number of steps in `count`, and gives back whether the alarm was raised.
"""

import ctypes
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from ..ir import LOOP, Program
from ..layout import Group, Routine
from ..steps import CARRY, SAME, Steps
from .single import Single, written
from .store import kernel

__all__ = ["stepped"]

_MOST = 8000  # instructions; a compiler takes some 0.2 ms for each


def stepped(steps: Steps) -> Callable[..., int] | None:
    """The function of the machine; None where it is not written."""
    programs = [steps.body] if steps.test is None else [steps.body, steps.test]
    if sum(len(p.nodes) for p in programs) > _MOST or any(map(_reads_inputs, programs)):
        return None
    arrays = len(steps.rows) + len(steps.written)
    types = [*[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3, *[ctypes.c_void_p] * arrays]
    return kernel(_Text(steps).whole(), types)


def _reads_inputs(program: Program) -> bool:
    """Whether a loop within reads arrays by itself."""
    return any(n.op == LOOP and any(s.kind == "input" for s in n.extra.series) for n in program.nodes)


class _Text:
    """The text, block by block."""

    def __init__(self, steps: Steps) -> None:
        body = steps.body
        self.steps = steps
        groups = [Group("c", len(body.outputs))], [Group("c", max(body.inputs, 1))]
        self.w = Single(Routine(body, *groups, single=True))
        self.carried = [f"%carried{j}" for j in range(steps.carried)]
        self.same: list[str] = []

    def whole(self) -> str:
        """A function with blocks: entry, head, trying (the test), turn, next, and raised or done."""
        w, steps = self.w, self.steps
        self.same = [w.read("%same", j, alone=True) for j in range(steps.same)]
        firsts = [w.read("%carry", j, alone=True) for j in range(steps.carried)]
        entry = self._taken()
        trying = [] if steps.test is None else ["trying:", *self._test(steps.test)]
        turn, later = self._turn()
        phis = ["  %k = phi i64 [ 0, %entry ], [ %k1, %next ]"]
        phis += [
            f"  {c} = phi {w.scalar} [ {first}, %entry ], [ {y}, %next ]"
            for c, first, y in zip(self.carried, firsts, later, strict=True)
        ]
        for j, c in enumerate(self.carried):
            w.write(c, "%carry", j)
        ending, leaving = self._taken(), []
        if w.scratch:
            w.declare("malloc", "ptr", "i64")
            w.declare("free", "void", "ptr")
            entry.insert(0, f"  %scratch = call ptr @malloc(i64 {w.scratch})")
            leaving.append("  call void @free(ptr %scratch)")
        arguments = ["ptr %carry", "ptr %same", "ptr %count", "i64 %most", "i64 %first", "i64 %by"]
        arguments += [f"ptr %x{g}" for g in range(len(steps.rows))] + [f"ptr %y{g}" for g in range(len(steps.written))]
        lines = [
            *w.declared.values(),
            f"define i32 @kernel({', '.join(arguments)}) {{",
            "entry:", *entry, "  br label %head",
            "head:", *phis, "  %open = icmp slt i64 %k, %most",
            f"  br i1 %open, label %{'trying' if trying else 'turn'}, label %done",
            *trying,
            "turn:", *turn,
            "next:", "  %k1 = add i64 %k, 1", "  br label %head",
            "raised:", *leaving, "  ret i32 1",
            "done:", *ending, "  store i64 %k, ptr %count, align 1", *leaving, "  ret i32 0",
            "}", "",
        ]  # fmt: skip
        return "\n".join(lines)

    def _taken(self) -> list[str]:
        """The lines that were written since the last time."""
        lines, self.w.lines = self.w.lines, []
        return lines

    def _test(self, test: Program) -> list[str]:
        w = self.w
        w.label = "trying"
        values = written(w, test, self._given(self.steps.tested, "0").__getitem__)
        on = w.emit(f"fcmp une {w.scalar} {self._number(test, values, test.outputs[0])}, {w.number(0.0)}")
        w.lines.append(f"  br i1 {on}, label %turn, label %done")
        return self._taken()

    def _turn(self) -> tuple[list[str], list[Any]]:
        """The body, and what is carried on."""
        w, steps, body = self.w, self.steps, self.steps.body
        w.label = "turn"
        row = w.emit("add i64 %first, " + w.emit("mul i64 %k, %by"))
        values = written(w, body, self._given(steps.reads, row).__getitem__)
        outputs = [self._number(body, values, i) for i in body.outputs]
        for g, (start, size) in enumerate(
            zip(accumulate((steps.carried, *steps.written)), steps.written, strict=False)
        ):
            at = w.emit(f"mul i64 {row}, {size}")
            for m in range(size):
                w.write(outputs[start + m], f"%y{g}", w.emit(f"add i64 {at}, {m}"))
        alarm = "false" if body.alarm is None else values[body.alarm]
        w.lines.append(f"  br i1 {alarm}, label %raised, label %next")
        return self._taken(), outputs[: steps.carried]

    def _given(self, reads: Sequence[tuple[int, int]], row: str) -> list[str]:
        """The inputs of a program."""
        w, found, places = self.w, [], {}
        for which, place in reads:
            if which in (CARRY, SAME):
                found.append((self.carried if which == CARRY else self.same)[place])
                continue
            if which not in places:
                places[which] = w.emit(f"mul i64 {row}, {self.steps.rows[which]}")
            found.append(w.read(f"%x{which}", w.emit(f"add i64 {places[which]}, {place}")))
        return found

    def _number(self, program: Program, values: Sequence[Any], i: int) -> Any:
        """An output, truth values as numbers."""
        w = self.w
        return w.select(values[i], w.number(1.0), w.number(0.0)) if program.nodes[i].boolean else values[i]
