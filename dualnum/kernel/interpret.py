"""The reference interpreter: a program means what NumPy computes, operation by operation.

It runs on arrays of NumPy or CuPy, of any type that NumPy has, block by block so that temporaries stay in
the cache.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..backend import namespace
from ..counterparts import on_device
from .ir import CONST, FINAL, FMA, INPUT, KEPT, LOOP, REDUCE, SELECT, Loop, Program
from .layout import elements, flat_inputs
from .target import Target

__all__ = ["BLOCK", "INTERPRETER", "Interpreter", "evaluate", "run"]

BLOCK = 16384  # elements: the temporaries that live at once fit the second-level cache, and calls cost little beside


def evaluate(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of the program for these inputs (arrays that broadcast, or numbers), and its alarm, if any."""
    steps = [step._replace(long=False) for step in _steps(program, (False,) * program.inputs)]
    return _evaluate(program, steps, inputs, [])


def run(
    program: Program, inputs: Sequence[Any], outputs: Sequence[Any], block: int = BLOCK, length: int | None = None
) -> bool:
    """Fills one-dimensional output arrays of one length from inputs of that length, or numbers.

    Of what is reduced an output has the parts (see `reduction`), and the length is told.

    Returns whether the alarm was raised anywhere.
    """
    if length is None:
        length = len(outputs[0]) if outputs else 0
    if length == 1 and program.dtype == np.float64 and all(n.op not in (LOOP, REDUCE) for n in program.nodes):
        return _run_on_numbers(program, inputs, outputs)
    alarm = False
    for node in program.nodes:
        if node.op == REDUCE:
            block = max(block // node.extra.unit, 1) * node.extra.unit
    steps = _steps(program, tuple([np.ndim(x) > 0 for x in inputs]))
    free: list[Any] = []
    with np.errstate(all="ignore"):
        for start in range(0, length, block):
            here = slice(start, start + block)
            if start + block > length:
                free = []  # the last block is shorter
            results = _evaluate(program, steps, [x[here] if np.ndim(x) else x for x in inputs], free)
            for out, result, i in zip(outputs, results, program.outputs, strict=False):
                if program.nodes[i].op == REDUCE:
                    way, end = program.nodes[i].extra, min(start + block, length)
                    whole = np.broadcast_to(np.asarray(result, program.dtype), (end - start,))
                    out[way.place(start) : way.place(end)] = way.partial(whole).reshape(-1)
                else:
                    out[here] = result
            if program.alarm is not None:
                alarm = alarm or bool(np.any(results[-1]))
    return alarm


class Interpreter(Target):
    """The machine that is always there."""

    name = "interpret"

    def run(
        self,
        plan: Any,
        results: Any,
        operands: Sequence[Any],
        length: int,
        directions: int | None,
        raised: Any = None,
    ) -> bool:
        stacks = zip(results, plan.counts, strict=True)
        flat = [y for stack, count in stacks for y in stack.reshape(len(stack), prod(stack.shape[1:]))[:count]]
        return run(plan.program, flat_inputs(operands, elements(results, length)), flat, length=length)


INTERPRETER = Interpreter()


class _Step(NamedTuple):
    """One node as it is run."""

    op: Any
    args: tuple[int, ...]
    extra: Any
    long: bool  # the result has an entry for each element, of the program's type
    done: tuple[int, ...]  # such results that nothing needs any more


@lru_cache(maxsize=1024)
def _steps(program: Program, long_inputs: tuple[bool, ...]) -> list[_Step]:
    long: list[bool] = []
    last: dict[int, int] = {}
    for i, node in enumerate(program.nodes):
        loops = node.op in (LOOP, FINAL, KEPT, REDUCE)  # what these give is never written to
        long.append(long_inputs[node.extra] if node.op == INPUT else not loops and any(long[a] for a in node.args))
        last.update(dict.fromkeys(node.args, i))
    kept = {*program.outputs, program.alarm, *(a for n in program.nodes if n.op == REDUCE for a in n.args)}
    done: list[list[int]] = [[] for _ in program.nodes]
    for a, i in last.items():
        if a not in kept and program.nodes[a].op != INPUT:
            done[i].append(a)
    return [
        _Step(n.op, n.args, n.extra, long[i] and not n.boolean, tuple(done[i])) for i, n in enumerate(program.nodes)
    ]


def _evaluate(program: Program, steps: Sequence[_Step], inputs: Sequence[Any], free: list[Any]) -> list[Any]:
    """One pass over the nodes; `free` holds arrays of one block that may be written to."""
    values: list[Any] = []
    xp = namespace(*inputs)
    for op, args, extra, long, done in steps:
        if op == INPUT:
            values.append(inputs[extra])
            continue
        if op == CONST:
            values.append(extra)
            continue
        given = [values[a] for a in args]
        op = op if xp is np or type(op) is str else on_device(op)
        if op == LOOP:
            y = _looped(extra, given, inputs)
        elif op == FINAL:
            y = given[0][2] if extra == -1 else given[0][0][extra]
        elif op == KEPT:
            y = given[0][1][extra[0]][extra[1]]
        elif op == REDUCE:
            (y,) = given
        elif op == SELECT:
            y = xp.where(*given)
        elif op == FMA:
            y = given[0] * given[1] + given[2]
        elif long and free and xp is np:
            y = op(*given, out=free.pop())
        else:
            y = op(*given)
        values.append(y)
        for a in done:
            if steps[a].long:
                free.append(values[a])
            values[a] = None
    return [values[i] for i in program.outputs] + ([] if program.alarm is None else [values[program.alarm]])


def _looped(loop: Loop, args: Sequence[Any], inputs: Sequence[Any]) -> tuple[list[Any], list[list[Any]], Any]:
    """What is carried after the last turn, what was kept of each, and whether the alarm was raised in any."""
    carried, same = list(args[: loop.carried]), args[loop.carried : loop.carried + loop.same]
    kept: list[list[Any]] = [[] for _ in range(loop.kept)]
    alarm: Any = False
    for k in range(loop.turns):
        read = []
        for kind, source, first, step, beside in loop.series:
            at = first + k * step
            if at in dict(beside):
                read.append(args[dict(beside)[at]])
            elif kind == "constant":
                read.append(source[at])
            elif kind == "input":
                read.append(inputs[at])
            else:
                read.append(args[source[0]][1][source[1]][at] if kind == "kept" else args[source + at])
        results = evaluate(loop.body, [*carried, *same, *read])
        if loop.body.alarm is not None:
            alarm = np.logical_or(alarm, results.pop())
        carried = results[: loop.carried]
        for list_, y in zip(kept, results[loop.carried :], strict=True):
            list_.append(y)
    return carried, kept, alarm


# ── on single numbers ────────────────────────────────────────────────────────────────────────────


def _run_on_numbers(program: Program, inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    """The same for arrays of one entry, as a function of Python on its own numbers: ten times as fast as arrays."""
    with np.errstate(all="ignore"):
        results = _on_numbers(program)(*[float(x[0]) if np.ndim(x) else float(x) for x in inputs])
    for out, result in zip(outputs, results, strict=False):
        out[0] = result
    return program.alarm is not None and bool(results[-1])


_SYMBOLS = {np.add: "+", np.subtract: "-", np.multiply: "*"}


@lru_cache(maxsize=256)
def _on_numbers(program: Program) -> Callable[..., Any]:
    names: dict[str, Any] = {"divided": _divided, "number": float}
    lines = []
    for i, node in enumerate(program.nodes):
        args = [f"t{a}" for a in node.args]
        if node.op == INPUT:
            text = f"x{node.extra}"
        elif node.op == CONST:
            names[f"c{i}"] = bool(node.extra) if node.boolean else float(node.extra)
            text = f"c{i}"
        elif node.op == SELECT:
            text = f"{args[1]} if {args[0]} else {args[2]}"
        elif node.op == FMA:
            text = f"{args[0]} * {args[1]} + {args[2]}"
        elif node.op in _SYMBOLS:
            text = f"{args[0]} {_SYMBOLS[node.op]} {args[1]}"
        elif node.op is np.divide:
            text = f"divided({', '.join(args)})"
        elif node.op is np.negative:
            text = f"-{args[0]}"
        else:
            names[f"f{i}"] = node.op
            call = f"f{i}({', '.join(args)})"
            text = call if node.boolean else f"number({call})"
        lines.append(f"    t{i} = {text}")
    kept = [*program.outputs, *([] if program.alarm is None else [program.alarm])]
    head = f"def run({', '.join(f'x{k}' for k in range(program.inputs))}):"
    source = "\n".join([head, *lines, f"    return ({''.join(f't{i}, ' for i in kept)})"])
    exec(compile(source, "<program on numbers>", "exec"), names)
    function: Callable[..., Any] = names["run"]
    return function


def _divided(a: float, b: float) -> float:
    """a/b as IEEE has it."""
    return a / b if b else float(np.divide(a, b))
