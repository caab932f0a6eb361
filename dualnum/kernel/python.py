"""A program written out as a function of Python, which NumPy, jets, variables and tracers can run."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ir import CONST, INPUT, SELECT, Program

__all__ = ["in_python"]

_OPERATORS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}


def in_python(
    program: Program, inputs: Sequence[str], places: Sequence[int | None], name: str, returned: str = ""
) -> Callable[..., Any]:
    """The program as a function of Python that gives back the nodes at these places, or an expression."""
    lines: list[str] = []
    names: list[str] = []
    functions: dict[str, Any] = {"where": _where}
    for i, node in enumerate(program.nodes):
        args = [names[a] for a in node.args]
        names.append(f"t{i}")
        if node.op == INPUT:
            names[i] = inputs[node.extra]
            continue
        if node.op == CONST:
            # a Python number, which widens nothing
            functions[f"t{i}"] = np.bool_(node.extra) if node.boolean else float(node.extra)
            continue
        if node.op == SELECT:
            text = f"where({', '.join(args)})"
        elif node.op in _OPERATORS:
            text = f"{args[0]} {_OPERATORS[node.op]} {args[1]}"
        elif node.op is np.negative:
            text = f"-{args[0]}"
        else:
            functions[f"f{i}"] = node.op
            text = f"f{i}({', '.join(args)})"
        lines.append(f"    t{i} = {text}")
    if not returned:
        returned = "".join("None, " if i is None else f"{names[i]}, " for i in places)
    else:
        lines = _needed(lines, returned)
        returned = f"{returned}, "
    arguments = ", ".join(dict.fromkeys(x.partition("[")[0] for x in inputs))
    source = "\n".join([f"def run({arguments}):", *lines, f"    return ({returned})"])
    exec(compile(source, f"<pull-back of {name}>", "exec"), functions)
    function: Callable[..., Any] = functions["run"]
    return function


def _where(condition: Any, a: Any, b: Any) -> Any:
    """``np.where``, of numbers a number: a device takes no array of the host without axes for one."""
    y = np.where(condition, a, b)
    return y[()] if type(y) is np.ndarray and not y.ndim else y


def _needed(lines: Sequence[str], returned: str) -> list[str]:
    """The lines that an expression needs."""
    kept: list[str] = []
    words = set(re.findall(r"\bt\d+\b", returned))
    for line in reversed(lines):
        target, _, text = line.strip().partition(" = ")
        if target in words:
            words.update(re.findall(r"\bt\d+\b", text))
            kept.append(line)
    return kept[::-1]
