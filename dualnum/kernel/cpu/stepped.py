"""Loops over rows as LLVM text, and how they are called.

    int kernel(carry, same, done, most, first, by, rows read…, rows written…)

takes at most so many steps, on rows `first`, `first + by`, …; what is carried is in registers meanwhile. It leaves the
number of steps in `done`, and gives back whether the alarm was raised.
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
    return kernel(_text(steps), types)


def _reads_inputs(program: Program) -> bool:
    """Whether a loop within reads arrays by itself."""
    return any(n.op == LOOP and any(s.kind == "input" for s in n.extra.series) for n in program.nodes)


def _text(steps: Steps) -> str:
    body, test = steps.body, steps.test
    w = Single(Routine(body, [Group("c", len(body.outputs))], [Group("c", max(body.inputs, 1))], single=True))
    same = [w.read("%same", j) for j in range(steps.same)]
    firsts = [w.read("%carry", j) for j in range(steps.carried)]
    carried = [f"%carried{j}" for j in range(steps.carried)]
    entry, w.lines, before = w.lines, [], w.label

    def given(reads: Sequence[tuple[int, int]], row: str) -> list[str]:
        places: dict[int, str] = {}
        found = []
        for which, place in reads:
            if which in (CARRY, SAME):
                found.append((carried if which == CARRY else same)[place])
                continue
            if which not in places:
                places[which] = w.emit(f"mul i64 {row}, {steps.rows[which]}")
            found.append(w.read(f"%x{which}", w.emit(f"add i64 {places[which]}, {place}")))
        return found

    leave = ["head.0"]
    if test is not None:
        w.label = "trying"
        values = written(w, test, given(steps.tested, "0").__getitem__)
        on = w.emit(f"fcmp une {w.scalar} {_number(w, test, values, test.outputs[0])}, {w.number(0.0)}")
        w.lines.append(f"  br i1 {on}, label %turn, label %done")
        leave.append(w.label)
    trying, w.lines = w.lines, []
    w.label = "turn"
    row = w.emit("add i64 %first, " + w.emit("mul i64 %k, %by"))
    values = written(w, body, given(steps.reads, row).__getitem__)
    outputs = [_number(w, body, values, i) for i in body.outputs]
    ends = list(accumulate((steps.carried, *steps.written)))
    for g, (start, size) in enumerate(zip(ends, steps.written, strict=False)):
        at = w.emit(f"mul i64 {row}, {size}")
        for m in range(size):
            w.write(outputs[start + m], f"%y{g}", w.emit(f"add i64 {at}, {m}"))
    alarm = "false" if body.alarm is None else values[body.alarm]
    w.lines.append(f"  br i1 {alarm}, label %raised, label %next")
    turn, w.lines, last = w.lines, [], w.label
    phis = [f"  %k = phi i64 [ 0, %{before} ], [ %k1, %next ]"]
    phis += [
        f"  {c} = phi {w.scalar} [ {first}, %{before} ], [ {later}, %next ]"
        for c, first, later in zip(carried, firsts, outputs, strict=False)
    ]
    for j, c in enumerate(carried):
        w.write(c, "%carry", j)
    ending, leaving = w.lines, []
    if w.scratch:
        w.declare("malloc", "ptr", "i64")
        w.declare("free", "void", "ptr")
        entry.insert(0, f"  %scratch = call ptr @malloc(i64 {w.scratch})")
        leaving.append("  call void @free(ptr %scratch)")
    assert last
    arguments = ["ptr %carry", "ptr %same", "ptr %count", "i64 %most", "i64 %first", "i64 %by"]
    arguments += [f"ptr %x{g}" for g in range(len(steps.rows))] + [f"ptr %y{g}" for g in range(len(steps.written))]
    lines = [
        *entry, "  br label %head", "head:", *phis,
        "  %open = icmp slt i64 %k, %most",
        f"  br i1 %open, label %{'turn' if test is None else 'trying'}, label %done",
        *(["trying:"] if test is not None else []), *trying,
        "turn:", *turn,
        "next:", "  %k1 = add i64 %k, 1", "  br label %head",
        "raised:", *leaving, "  ret i32 1",
        "done:", *ending, "  store i64 %k, ptr %count, align 1", *leaving, "  ret i32 0",
    ]  # fmt: skip
    text = "\n".join(lines)
    return "\n".join(w.declared.values()) + f"\ndefine i32 @kernel({', '.join(arguments)}) {{\nentry:\n{text}\n}}\n"


def _number(w: Single, program: Program, values: Sequence[Any], i: int) -> Any:
    """An output, truth values as numbers."""
    return w.select(values[i], w.number(1.0), w.number(0.0)) if program.nodes[i].boolean else values[i]
