"""Which writes of a trace may go into the array itself, because nobody reads what was in it before."""

from collections.abc import Sequence

import numpy as np

from .fused import Kernel
from .nodes import Applied, Node
from .writes import rewritten

__all__ = ["FRESH", "overwritten"]

FRESH = {np.add.reduce, np.dot, np.outer, np.matmul, rewritten}  # functions whose results have memory of their own


def overwritten(steps: Sequence[Kernel | Node], kept: set[int]) -> set[int]:
    """The numbers of the nodes of writes that need no copy.

    Args:
        steps: those of a replay, in order.
        kept: the numbers of nodes that are read at its end.
    """
    memory: dict[int, set[int]] = {}  # of each node the nodes whose memory it may share, itself among them
    last: dict[int, int] = {}  # the last step that reads a memory
    own: set[int] = set()
    writes: list[tuple[int, Node]] = []
    for i, step in enumerate(steps):
        if isinstance(step, Kernel):
            made, read, fresh = [o.node for o in step.outputs], [s.node for s in step.sources], True
        else:
            made, read, fresh = [step], list(step.args), _is_fresh(step)
        for node in read:
            for n in memory.setdefault(node.number, {node.number}):
                last[n] = i
        for node in made:
            memory[node.number] = {node.number}
            if fresh:
                own.add(node.number)
            else:
                memory[node.number] |= {n for a in read for n in memory[a.number]}
        if isinstance(step, Node) and _is_write(step):
            writes.append((i, step))
    for number in kept:
        for n in memory.get(number, ()):
            last[n] = len(steps)
    return {
        node.number
        for i, node in writes
        if (whole := node.args[0].number) in own
        and node.shape != ()
        and last[whole] == i
        and not any(whole in memory[a.number] for a in node.args[1:])
    }


def _is_write(node: Node) -> bool:
    return node.op == "call" and isinstance(node.extra, Applied) and node.extra.function is rewritten


def _is_fresh(node: Node) -> bool:
    """Whether the result of a step outside of kernels is in memory of its own."""
    if node.op == "call":
        return isinstance(node.extra, Applied) and node.extra.function in FRESH
    return node.elementwise or node.op in ("stack", "placed", "concatenate", "rolled", "entry", "pack")
