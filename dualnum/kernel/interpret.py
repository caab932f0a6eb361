"""The reference interpreter: a program means what NumPy computes, operation by operation.

It runs on arrays of NumPy or CuPy, of any type that NumPy has, block by block so that temporaries stay in
the cache.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import namespace
from .ir import CONST, FMA, INPUT, SELECT, Program

__all__ = ["BLOCK", "evaluate", "run"]

BLOCK = 4096  # elements: a few dozen float64 temporaries fit the second-level cache


def evaluate(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """The outputs of the program for these inputs (arrays that broadcast, or numbers), and its alarm, if any."""
    values: list[Any] = []
    xp = namespace(*inputs)
    for node in program.nodes:
        args = [values[a] for a in node.args]
        if node.op == INPUT:
            values.append(inputs[node.extra])
        elif node.op == CONST:
            values.append(node.extra)
        elif node.op == SELECT:
            values.append(xp.where(*args))
        elif node.op == FMA:
            values.append(args[0] * args[1] + args[2])
        else:
            values.append(node.op(*args))  # type: ignore[operator]
    return [values[i] for i in program.outputs] + ([] if program.alarm is None else [values[program.alarm]])


def run(program: Program, inputs: Sequence[Any], outputs: Sequence[Any], block: int = BLOCK) -> bool:
    """Fills one-dimensional output arrays of one length from inputs of that length, or numbers.

    Returns whether the alarm was raised anywhere.
    """
    length = len(outputs[0]) if outputs else 0
    alarm = False
    with np.errstate(all="ignore"):
        for start in range(0, length, block):
            here = slice(start, start + block)
            results = evaluate(program, [x[here] if np.ndim(x) else x for x in inputs])
            for out, result in zip(outputs, results, strict=False):
                out[here] = result
            if program.alarm is not None:
                alarm = alarm or bool(np.any(results[-1]))
    return alarm
