"""Products of many planes by one matrix, without the planes that nobody reads."""

from collections.abc import Sequence

import numpy as np

from .nodes import Applied, Node, Trace

__all__ = ["narrow"]


def narrow(traced: Trace) -> None:
    """Leaves out of a stack what its product has for nobody: of a last layer the slopes, where its Laplacian is asked.

    The nodes of the trace are changed where they stand.
    """
    nodes = list(traced.nodes())
    readers: dict[int, list[Node]] = {}
    for node in nodes:
        for arg in node.args:
            readers.setdefault(arg.number, []).append(node)
    fixed = {n.number for n in (*traced.wanted, *traced.alarms)}
    for node in nodes:
        rows = readers.get(node.number, [])
        if node.op != "call" or not rows or any(r.op != "row" for r in rows):
            continue
        chain = _chain(node)
        if not chain or any(n.number in fixed or len(readers[n.number]) > 1 for n in chain[1:]) or node.number in fixed:
            continue
        needed = sorted({r.extra for r in rows})
        stack = chain[-1]
        if len(needed) == stack.shape[0] or needed[-1] >= len(stack.args):
            continue
        _keep(chain, needed)
        for r in rows:
            r.extra = needed.index(r.extra)


def _chain(node: Node) -> list[Node]:
    """From planes of products down to the stack of planes that enter them, each from the next; else nothing."""
    chain, count = [node], node.shape[0]
    while chain[-1].op == "call":
        node = chain[-1]
        if not isinstance(node.extra, Applied) or node.extra.kwargs or node.extra.function not in _BY_PLANES:
            return []
        before, shape = node.args[0], node.shape
        if not shape or not before.shape or before.shape[0] % count or shape[0] % count:
            return []
        if node.extra.function is np.matmul and (
            len(shape) != 2 or len(before.shape) != 2 or _is_constant_first(node) or before in node.args[1:]
        ):
            return []
        chain.append(before)
    return chain if chain[-1].op == "stack" and chain[-1].shape[0] == count else []


def _is_constant_first(node: Node) -> bool:
    return isinstance(node.extra.args[0], np.ndarray)


def _keep(chain: Sequence[Node], needed: Sequence[int]) -> None:
    """Only these planes in all nodes of a chain."""
    stack = chain[-1]
    count = stack.shape[0]
    stack.args = tuple([stack.args[k] for k in needed])
    for node in chain:
        node.shape = (node.shape[0] // count * len(needed), *node.shape[1:])
        if node.op == "call" and node.extra.function is np.ndarray.reshape:
            node.extra = Applied(np.ndarray.reshape, (node.extra.args[0], node.shape), {})


_BY_PLANES = {np.matmul, np.ndarray.reshape}
