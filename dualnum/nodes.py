"""What a trace is made of: nodes for arrays of known shape and type, and planes found again in what stacks them."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .primitives.table import in_recurrence

__all__ = ["Node", "Trace", "is_uniform", "joined", "lifted", "planes", "row", "stacked"]


class Node:
    """One array of a trace.

    Attributes:
        op: "input" (extra: its number), "constant" (extra: the array), "concatenate" and "broadcast" (which
            kernels see through), "row" (extra: k, of x[k]), "stack" (planes with zeros behind), "select" or a ufunc
            (elementwise), "call" (extra: a function of the arguments), "item" (extra: which of a call's results).
        weak: a Python float, which does not widen other types.
        relaxed: written by a recurrence (see `kernel.ir`).
    """

    __slots__ = ("args", "dtype", "extra", "number", "op", "relaxed", "shape", "weak")
    _numbers = itertools.count()

    def __init__(
        self,
        op: Any,
        args: tuple["Node", ...],
        shape: Any,
        dtype: Any,
        extra: Any = None,
        weak: bool = False,
    ) -> None:
        self.op = op
        self.args = args
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.extra = extra
        self.weak = weak
        self.relaxed = in_recurrence()
        self.number = next(Node._numbers)

    @property
    def elementwise(self) -> bool:
        return self.op == "select" or isinstance(self.op, np.ufunc)

    def samples(self) -> Iterator[Any]:
        """Things of the same shape and type, for asking NumPy what comes out; the first is the cheapest.

        Where a function fails on ones (a singular matrix), it may work on generic numbers, or on sorted ones.
        """
        # an integer may be an index, and 0 is in the range of any axis
        one = np.zeros((), self.dtype) if self.dtype.kind in "iu" else np.ones((), self.dtype)
        yield 1.0 if self.weak else np.broadcast_to(one, self.shape)
        if self.weak or self.dtype.kind not in "fc":
            yield from itertools.repeat(np.broadcast_to(one, self.shape))
        numbers = np.random.default_rng(0).uniform(0.5, 1.5, self.shape)
        yield numbers.astype(self.dtype)
        yield np.sort(numbers, axis=None).reshape(self.shape).astype(self.dtype)


def joined(nodes: Sequence[Node]) -> Node:
    shape = (sum(n.shape[0] for n in nodes), *nodes[0].shape[1:])
    return Node("concatenate", tuple(nodes), shape, np.result_type(*(n.dtype for n in nodes)))


def lifted(node: Node) -> Node:
    """The node under a new first axis of length 1."""
    return Node("broadcast", (node,), (1, *node.shape), node.dtype)


_MOST_PLANES = 128


def planes(node: Node) -> list[Node]:
    """The entries of the first axis of a concatenation of a few, as a jet's planes are; else none."""
    if node.op != "concatenate" or node.shape[0] > _MOST_PLANES:
        return []
    return [row(node, k) for k in range(node.shape[0])]


def row(node: Node, k: int) -> Node:
    """node[k], seen through concatenation and broadcasting, so that a jet's planes are found again."""
    if not -node.shape[0] <= k < node.shape[0]:
        raise IndexError(f"index {k} is out of bounds for axis 0 with size {node.shape[0]}")
    k %= node.shape[0]
    shape = node.shape[1:]
    if node.op == "concatenate":
        place = k
        for piece in node.args:
            if place < piece.shape[0]:
                if piece.dtype != node.dtype:
                    break
                return row(piece, place)
            place -= piece.shape[0]
    if node.op == "broadcast":
        source = node.args[0]
        if len(source.shape) <= len(shape):
            return source if source.shape == shape else Node("broadcast", (source,), shape, node.dtype)
        if len(source.shape) == len(node.shape):
            source = row(source, 0 if source.shape[0] == 1 else k)
            return source if source.shape == shape else Node("broadcast", (source,), shape, node.dtype)
    if node.op == "constant":
        return Node("constant", (), shape, node.dtype, np.asarray(node.extra)[k])
    return Node("row", (node,), shape, node.dtype, k)


class Trace:
    """What a function did: its inputs, the nodes of its results, and those that raise an alarm where true."""

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node], alarms: Sequence[Node]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.alarms = alarms

    def nodes(self) -> Iterator[Node]:
        """All nodes that the outputs need, arguments before results."""
        found: dict[int, Node] = {}
        waiting = [*self.outputs, *self.alarms]
        while waiting:
            node = waiting.pop()
            if node.number not in found:
                found[node.number] = node
                waiting.extend(node.args)
        return iter(sorted(found.values(), key=lambda n: n.number))


def stacked(node: Node) -> Node:
    """A concatenation of planes as a "stack" of them, which one kernel can write; other nodes as they are.

    The zeros behind the last plane that is computed are left out: its shape tells how many rows there are.
    """
    if node.op != "concatenate":
        return node
    rows = [row(node, k) for k in range(node.shape[0])]
    while rows and rows[-1].op == "constant" and is_uniform(rows[-1].extra) and not np.any(rows[-1].extra):
        rows.pop()
    if not rows or any(p.shape != node.shape[1:] or p.dtype != node.dtype for p in rows):
        return node
    return Node("stack", tuple(rows), node.shape, node.dtype)


def is_uniform(x: Any) -> bool:
    """Whether an array holds one number only, in one place or spread over its shape."""
    x = np.asarray(x)
    return x.size == 1 or not any(x.strides)
