"""What a trace is made of: nodes for arrays of known shape and type, and planes found again in what stacks them."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..kinds import DType
from ..primitives.table import in_recurrence
from .constants import compact, is_uniform
from .places import located

__all__ = [
    "HOLE",
    "MOST_PLANES",
    "Applied",
    "Node",
    "StayWhole",
    "Trace",
    "added",
    "broadcast",
    "by_pieces",
    "is_zero",
    "joined",
    "lifted",
    "placed",
    "planes",
    "rolled",
    "row",
    "sliced",
    "stacked",
]


class Node:
    """One array of a trace.

    Attributes:
        op: "input" (extra: its number), "constant" (extra: the array), "held" (extra: an array that
            lives on a device and is not looked at), "concatenate", "broadcast" (extra: "C" for a copy in this order)
            and "rolled" (extra: period and shift), which kernels see through, "row" (extra: k, of x[k]), "slice"
            (extra: an index of slices and integers), "placed" (extra: such indices; the sum of arrays that are zero
            but there), "stack" (planes with zeros behind), "select" or a ufunc (elementwise), "call" (extra: a
            function of the arguments), "item" (extra: which of a call's results), "entry" (extra: its place in an
            array read row by row), "pack" (extra: the entries).
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
        dtype: DType,
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

    def alone(self) -> "Node":
        """The same node, without the trace that it comes from."""
        node = object.__new__(Node)
        node.op, node.args, node.shape, node.dtype, node.weak = self.op, (), self.shape, self.dtype, self.weak
        node.extra = None if self.op == "pack" else self.extra
        node.relaxed, node.number = self.relaxed, self.number
        return node

    @property
    def elementwise(self) -> bool:
        return self.op == "select" or isinstance(self.op, np.ufunc)

    def samples(self, own: Callable[[Any], Any]) -> Iterator[Any]:
        """Things of the same shape and type, for asking NumPy what comes out; the first is the cheapest.

        Where a function fails on ones (a singular matrix), it may work on generic numbers (square matrices are
        positive definite), or on sorted ones. They are arrays of the machine that `own` brings them to.
        """
        return (x if self.weak and type(x) in (float, complex) else own(x) for x in self._samples())

    def _samples(self) -> Iterator[Any]:
        # an integer may be an index, and 0 is in the range of any axis
        one = np.zeros((), self.dtype) if self.dtype.kind in "iu" else np.ones((), self.dtype)
        yield (1j if self.dtype.kind == "c" else 1.0) if self.weak else np.broadcast_to(one, self.shape)
        if self.weak or self.dtype.kind not in "fc":
            yield from itertools.repeat(np.broadcast_to(one, self.shape))
        numbers = np.random.default_rng(0).uniform(0.5, 1.5, self.shape)
        square = len(self.shape) > 1 and self.shape[-1] == self.shape[-2]
        yield (numbers + 2 * self.shape[-1] * np.eye(self.shape[-1]) if square else numbers).astype(self.dtype)
        yield np.sort(numbers, axis=None).reshape(self.shape).astype(self.dtype)


HOLE = object()  # in arguments, the place of an array of the trace


@dataclass(frozen=True, slots=True)
class Applied:
    """function(*args, **kwargs) with the arrays of the trace, one after the other, in the holes of args."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, *arrays: Any) -> Any:
        given = iter(arrays)
        return self.function(*(next(given) if x is HOLE else x for x in self.args), **self.kwargs)


# ── planes of a stack ────────────────────────────────────────────────────────────────────────────


def joined(nodes: Sequence[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    shape = (sum(n.shape[0] for n in nodes), *nodes[0].shape[1:])
    return Node("concatenate", tuple(nodes), shape, np.result_type(*(n.dtype for n in nodes)))


def lifted(node: Node) -> Node:
    """The node under a new first axis of length 1."""
    if node.op == "constant":
        return Node("constant", (), (1, *node.shape), node.dtype, np.asarray(node.extra)[None])
    return Node("broadcast", (node,), (1, *node.shape), node.dtype)


MOST_PLANES = 128


def broadcast(node: Node, shape: tuple[int, ...]) -> Node:
    if node.op == "constant":
        return Node("constant", (), shape, node.dtype, np.broadcast_to(node.extra, shape))
    return Node("broadcast", (node,), shape, node.dtype)


def by_pieces(make: Callable[..., Node], nodes: Sequence[Node], shape: tuple[int, ...]) -> Node | None:
    """make(*nodes) for the pieces of a concatenation of few planes, where the nodes are broadcast to this shape.

    So what is known of a plane, that it is zero, is not forgotten, and pieces are not put together to be read.
    """

    def whole(node: Node) -> bool:
        return len(node.shape) == len(shape) and node.shape[0] == shape[0]

    joints = [n for n in nodes if n.op == "concatenate" and whole(n) and all(p.dtype == n.dtype for p in n.args)]
    if not joints or sum(len(n.args) for n in joints) > MOST_PLANES:
        return None
    ends = sorted({end for n in joints for end in itertools.accumulate(p.shape[0] for p in n.args)})

    def part(node: Node, start: int, end: int) -> Node:
        if len(node.shape) < len(shape):
            return node
        if end == start + 1:
            return row(node, start if node.shape[0] > 1 else 0)
        return sliced(node, (slice(start, end),)) if whole(node) else node

    pieces = []
    for start, end in itertools.pairwise([0, *ends]):
        if start < end:
            made = make(*(part(n, start, end) for n in nodes))
            pieces.append(lifted(made) if end == start + 1 else made)
    return joined(pieces)


def planes(node: Node) -> list[Node]:
    """The entries of the first axis of a concatenation of a few, as a jet's planes are; else none."""
    if node.op != "concatenate" or node.shape[0] > MOST_PLANES:
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
        return Node("constant", (), shape, node.dtype, compact(np.asarray(node.extra)[k]))
    if node.op == "slice" and node.extra[0] == slice(None) and len(node.extra) > 1:
        return sliced(row(node.args[0], k), node.extra[1:])
    if node.op == "rolled" and node.extra[0] <= prod(shape):
        return rolled(row(node.args[0], k), *node.extra)
    if node.op == "placed" and all(map(_is_row, node.extra.values())):
        found = [x for (i,), x in zip(node.extra.values(), node.args, strict=True) if i == k]
        return found[0] if found else _zero(shape, node.dtype)
    return Node("row", (node,), shape, node.dtype, k)


# ── parts of an array ────────────────────────────────────────────────────────────────────────────


def sliced(node: Node, index: tuple[Any, ...]) -> Node:
    """node[index], for a basic index."""
    if node.op == "constant":
        part = compact(np.asarray(node.extra)[index])
        return Node("constant", (), part.shape, node.dtype, part)
    if index and isinstance(index[0], slice) and node.op == "concatenate":
        pieces = _parts_of_pieces(node, index)
        if pieces:
            return joined(pieces)
    if not index:
        return node
    if type(index[0]) is int and node.shape:
        return sliced(row(node, index[0]), index[1:])
    return Node("slice", (node,), located(node.shape, index).shape, node.dtype, index)


def _parts_of_pieces(node: Node, index: tuple[Any, ...]) -> list[Node]:
    """What an index that begins with a slice takes of each piece of a concatenation; nothing where it goes back."""
    start, stop, step = index[0].indices(node.shape[0])
    if step < 0 or any(piece.dtype != node.dtype for piece in node.args):
        return []
    parts, before = [], 0
    for piece in node.args:
        count = piece.shape[0]
        first, end = start - before, min(stop - before, count)
        first = first % step if first < 0 else first
        before += count
        if first >= end:
            continue
        if count == 1:
            parts.append(lifted(sliced(row(piece, 0), index[1:])))
        else:
            whole = first == 0 and end == count and step == 1
            here = slice(None) if whole else slice(first, end, step)
            parts.append(piece if whole and len(index) == 1 else sliced(piece, (here, *index[1:])))
    return parts


def placed(node: Node, index: tuple[Any, ...], shape: tuple[int, ...]) -> Node:
    """An array of this shape that is zero but at a basic index, where it is the node."""
    if not index:
        return node
    if type(index[0]) is int:
        index = (index[0] % shape[0], *index[1:])
    if index[0] == slice(None) and len(index) > 1 and node.op == "concatenate" and Ellipsis not in index:
        return joined([_placed_piece(piece, index, shape[1:]) for piece in node.args])
    return Node("placed", (node,), shape, node.dtype, {repr(index): index})


def rolled(node: Node, period: int, shift: int) -> Node:
    """The entries, row by row in memory, in groups of `period`, of which each goes round: entry i to (i + shift)."""
    shift %= period
    if node.op == "rolled" and node.extra[0] == period:
        return rolled(node.args[0], period, node.extra[1] + shift)
    if shift == 0 or (node.op == "constant" and is_uniform(node.extra)):
        return node
    if node.op == "concatenate" and period <= prod(node.shape[1:]):
        one = [row(p, 0) if p.shape[0] == 1 else p for p in node.args]
        turned = [rolled(p, period, shift) for p in one]
        return joined([lifted(p) if len(p.shape) < len(node.shape) else p for p in turned])
    return Node("rolled", (node,), node.shape, node.dtype, (period, shift))


def _placed_piece(piece: Node, index: tuple[Any, ...], shape: tuple[int, ...]) -> Node:
    """Some planes, each of them placed."""
    if is_zero(piece):
        return _zero((piece.shape[0], *shape), piece.dtype)
    if piece.shape[0] == 1:
        return lifted(placed(row(piece, 0), index[1:], shape))
    return placed(piece, index, (piece.shape[0], *shape))


def added(a: Node, b: Node, add: Callable[[Node, Node], Node]) -> Node | None:
    """a + b where both are zero but at some indices, without a sum of whole arrays; else None."""
    if a.shape != b.shape or a.dtype != b.dtype or "placed" not in (a.op, b.op):
        return None
    for x, y in ((a, b), (b, a)):
        if x.op == "placed" and is_zero(y):
            return x
    if a.op != b.op:
        return None
    pieces = dict(zip(a.extra, a.args, strict=True))
    for key, x in zip(b.extra, b.args, strict=True):
        pieces[key] = add(pieces[key], x) if key in pieces else x
    return Node("placed", tuple(pieces.values()), a.shape, a.dtype, a.extra | b.extra)


# ── traces ───────────────────────────────────────────────────────────────────────────────────────


class Trace:
    """What a function did.

    Attributes:
        inputs: its inputs.
        outputs: the nodes of its results.
        alarms: those that raise an alarm where true.
        seldom: the numbers of those that are hardly ever true.
        guards: those whose numbers decided what the function did (see `following`).
        written: of inputs that it wrote into, what is in them at its end, by their number.
        shaped: those whose shape or type follows from numbers; the function may have looked at them.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        alarms: Sequence[Node],
        seldom: Collection[int],
        guards: Sequence[Any] = (),
        written: dict[int, Node] | None = None,
        shaped: Sequence[Node] = (),
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.alarms = alarms
        self.seldom = seldom
        self.guards = guards
        self.written = written or {}
        self.shaped = shaped

    @property
    def wanted(self) -> list[Node]:
        """The nodes whose arrays somebody looks at."""
        return [*self.outputs, *(g.node for g in self.guards), *self.written.values(), *self.shaped]

    def nodes(self) -> Iterator[Node]:
        """All nodes that the outputs need, arguments before results."""
        found: dict[int, Node] = {}
        waiting = [*self.wanted, *self.alarms]
        while waiting:
            node = waiting.pop()
            if node.number not in found:
                found[node.number] = node
                waiting.extend(node.args)
        # constants of a pack are made after it
        return iter(sorted(found.values(), key=lambda n: -1 if n.op == "constant" else n.number))


def stacked(node: Node) -> Node:
    """A concatenation of planes as a "stack" of them, which one kernel can write; other nodes as they are.

    The zeros behind the last plane that is computed are left out: its shape tells how many rows there are.
    """
    shape = node.shape[1:]
    rows = node.op == "placed" and node.shape[0] <= MOST_PLANES and all(map(_is_row, node.extra.values()))
    if node.op != "concatenate" and not rows:
        return node
    stack = [row(node, k) for k in range(node.shape[0])]
    while stack and is_zero(stack[-1]):
        stack.pop()
    if not stack or any(p.shape != shape or p.dtype != node.dtype for p in stack):
        return node
    return Node("stack", tuple(stack), node.shape, node.dtype)


def _is_row(index: tuple[Any, ...]) -> bool:
    return len(index) == 1 and type(index[0]) is int


def _zero(shape: tuple[int, ...], dtype: DType) -> Node:
    return Node("constant", (), shape, dtype, np.broadcast_to(dtype.type(0), shape))


def is_zero(node: Node) -> bool:
    """Whether a node is known to be zero everywhere."""
    return node.op == "constant" and is_uniform(node.extra) and not np.any(node.extra)


class StayWhole(Exception):
    """Small arrays are not to be taken apart in this trace."""
