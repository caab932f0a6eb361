"""A trace cut into steps: kernels, and what NumPy runs between them.

Nodes of one shape and type that need nothing but each other become one kernel, whatever their number.
"""

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..kernel import launch
from ..kernel.cpu.call import data_offset
from ..kernel.emit import renderable
from ..kernel.ir import SELECT, Graph, Symbol
from ..kernel.layout import Group
from .fused import BLOCK, Kernel, Source, Target, laid_out
from .nodes import MOST_PLANES, Node, Trace, is_uniform, place

__all__ = ["Cut"]

_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.longdouble))
_MOST_WINDOWS = 16  # that one node of a kernel sums
_MOST_ARGUMENTS = 1000  # of a call through ctypes


class Cut:
    """The steps of a trace.

    Attributes:
        steps: kernels, and nodes that NumPy executes, in order.
        alarms: alarms that no kernel watches.
    """

    def __init__(self, traced: Trace, samples: Sequence[Any], compiled: bool) -> None:
        self.compiled = compiled
        self.steps: list[Kernel | Node] = []
        self.alarms: list[Node] = []
        self.nodes = list(traced.nodes())
        self.layouts = {n.number: _layout_of(x) for n, x in zip(traced.inputs, samples, strict=True)}
        self.kinds: dict[int, Any] = {}
        self._assign(traced)
        self._drop_unread(traced)

    def _assign(self, traced: Trace) -> None:
        stages: dict[int, int] = {}
        groups: dict[Any, list[Node]] = {}
        kinds = self.kinds
        for node in self.nodes:
            kind = kinds[node.number] = self._kind(node)
            stage = 0
            for arg in node.args:
                same = node.op == "broadcast" or (kind is not None and kinds.get(arg.number) == kind)
                stage = max(stage, stages[arg.number] + (0 if same else 1))
            stages[node.number] = stage
            groups.setdefault((stage, kind if kind is not None else node.number), []).append(node)
        users: dict[int, set[Any]] = {}
        where = {n.number: key for key, members in groups.items() for n in members}
        for node in self.nodes:
            for arg in node.args:
                users.setdefault(arg.number, set()).add(where[node.number])
        # a stack whose planes one kernel computes is written by it
        stacks: dict[Any, list[Node]] = {}
        for node in self.nodes:
            made = {where[a.number] for a in node.args if a.elementwise}
            if node.op == "stack" and len(made) == 1 and node.args[-1].elementwise:
                (key,) = made
                others = [_origin(a) for a in node.args if where[a.number] != key]
                if kinds[node.args[-1].number] is not None and all(stages[a.number] < key[0] for a in others):
                    stacks.setdefault(key, []).append(node)
        written = {n.number: key for key, members in stacks.items() for n in members}
        wanted = {n.number for n in traced.outputs}
        alarms = {n.number for n in traced.alarms}
        for key in sorted(groups, key=lambda k: (k[0], groups[k][0].number)):
            members = groups[key]
            first = members[0]
            if first.number in written:
                continue
            if kinds[first.number] is None:
                if first.op not in ("input", "constant"):
                    self.steps.append(first)
                if first.number in alarms:
                    self.alarms.append(first)
            else:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                given = [n for n in members if n.number in wanted or users.get(n.number, set()) - here]
                self._kernel(members, given, stacks.get(key, []), alarms)

    def _drop_unread(self, traced: Trace) -> None:
        """Leaves out what NumPy would execute for kernels that see through it."""
        read = {n.number for n in (*traced.outputs, *self.alarms)}
        kept = []
        for step in reversed(self.steps):
            if isinstance(step, Kernel):
                read.update(s.node.number for s in step.sources)
            elif step.number in read:
                read.update(a.number for a in step.args)
            else:
                continue
            kept.append(step)
        self.steps = kept[::-1]

    # ── what can be part of a kernel, and how it reads the rest ──────────────────────────────────

    def _kind(self, node: Node) -> Any:
        """(shape, type) of the kernel that a node can be part of, or None."""
        if node.op == "placed":
            possible = self._direct((), node.dtype) and len(node.args) <= _MOST_WINDOWS
            possible = possible and all(a.shape != node.shape for a in node.args)
            return (node.shape, node.dtype) if possible and None not in _windows(node) else None
        return _elementwise_kind(node, self.kinds)

    def _direct(self, members: Sequence[Node], dtype: Any) -> bool:
        """Whether a kernel of these nodes is one piece of machine code that takes arrays as they are."""
        if not self.compiled or dtype not in launch.COMPILED or data_offset() < 0:
            return False
        return all(n.op in ("select", "placed") or renderable(n.op) for n in members)

    def _is_plane(self, node: Node, kind: Any) -> bool:
        """Whether a node is a plane of an input that kernels of this kind read where it lies."""
        if node.op != "row" or node.args[0].op != "input" or node.extra >= MOST_PLANES:
            return False
        return kind == (node.shape, node.dtype) and self.layouts[node.args[0].number] == "c"

    def _in_one_piece(self, node: Node) -> bool:
        """Whether what is computed for a node is known to be a contiguous array."""
        if node.op == "input":
            return self.layouts[node.number] == "c"
        if node.op in ("slice", "row"):
            index = node.extra if node.op == "slice" else (node.extra,)
            parent = node.args[0]
            return node.shape != () and self._in_one_piece(parent) and place(index, parent.shape) is not None
        if node.op == "constant":
            return bool(np.asarray(node.extra).flags.c_contiguous)
        return node.op in ("placed", "stack", "concatenate") or self.kinds.get(node.number) is not None

    def _source(self, node: Node, kind: Any, direct: bool) -> Source:
        """How a kernel of this shape and type reads an array."""
        shape, dtype = kind
        plain = node.shape == shape and node.dtype == dtype
        ready = plain and self._in_one_piece(node)
        if node.weak or (direct and not ready and prod(node.shape) == 1):
            return Source(node, "s")
        short = prod(shape) <= BLOCK
        if node.op == "constant" and not ready and short and prod(node.shape) != 1:
            return Source(_laid_out(node, shape, dtype), "c")
        if ready or (direct and short):
            return Source(node, "c", ready=ready)
        if plain:
            return Source(node, self.layouts.get(node.number, "p"), ready=False)
        return Source(node, "b" if prod(node.shape) == 1 else "p", ready=False)

    def _kernel(self, members: list[Node], given: list[Node], stacks: list[Node], alarms: set[int]) -> None:
        shape, dtype = kind = self.kinds[members[0].number]
        graph = Graph(dtype)
        symbols: dict[int, Symbol] = {}
        sources: list[Source] = []
        planes: dict[int, list[Symbol]] = {}  # of inputs whose planes are read one by one
        direct = self._direct(members, dtype)
        inside = {n.number for n in members}
        if not direct:  # windows are read by machine code only
            self.steps += [n for n in members if n.op == "placed"]
            inside -= {n.number for n in members if n.op == "placed"}
        outside = [a for n in (*members, *stacks) for a in n.args if a.number not in inside]

        def symbol(node: Node) -> Symbol:
            known = symbols.get(node.number)
            if known is None:
                known = symbols[node.number] = made(node)
            return known

        def made(node: Node) -> Symbol:
            if self._is_plane(node, kind):
                parent = node.args[0]
                if parent.number not in planes:
                    count = 1 + max(a.extra for a in outside if a.op == "row" and a.args[0] is parent)
                    sources.append(Source(parent, "c", count))
                    planes[parent.number] = [graph.input() for _ in range(count)]
                plane: Symbol = planes[parent.number][node.extra]
                return plane
            while node.op == "broadcast":
                node = node.args[0]
            if node.op == "constant" and np.size(node.extra) and is_uniform(node.extra):
                one = graph.constant(np.asarray(node.extra).ravel()[0])
            elif node.number in symbols:
                return symbols[node.number]
            else:
                sources.append(self._source(node, kind, direct))
                one = symbols[node.number] = graph.input()
            if node.dtype == bool and not one.boolean:
                one = symbols[node.number] = graph.node(np.not_equal, one, graph.constant(0.0))
            return one

        def windows(node: Node) -> Symbol:
            pieces = []
            for piece, window in zip(node.args, _windows(node), strict=True):
                if piece.op == "constant":
                    piece = _laid_out(piece, piece.shape, dtype)
                sources.append(Source(piece, "w", ready=self._in_one_piece(piece), window=window))
                pieces.append(graph.input())
            return reduce(lambda a, b: graph.node(np.add, a, b), pieces)

        for node in members:
            if node.op == "placed":
                if node.number in inside:
                    symbols[node.number] = windows(node)
                continue
            args = [symbols[a.number] if a.number in inside else symbol(a) for a in node.args]
            op = SELECT if node.op == "select" else node.op
            if op == SELECT and not args[0].boolean:
                args[0] = graph.node(np.not_equal, args[0], graph.constant(0.0), relaxed=False)
            symbols[node.number] = graph.node(op, *args, relaxed=node.relaxed)
        watched = [symbols[n.number] for n in members if n.number in alarms]
        alarm = reduce(lambda a, b: graph.node(np.logical_or, a, b), watched) if watched else None
        given = [n for n in given if n.number in inside]
        if alarm is not None and not given and not stacks:
            given = members[-1:]  # the interpreter runs over what it writes
        outputs = [symbols[n.number] for n in given]
        outputs += [symbols[n.number] if n.number in inside else symbol(n) for s in stacks for n in s.args]
        program = graph.finish(outputs, alarm)
        targets = [Target(n) for n in given] + [Target(s, len(s.args), s.shape[0]) for s in stacks]
        groups = [Group(s.layout, s.planes or 1) for s in sources]
        possible = self.compiled and dtype in launch.COMPILED and 3 * len(sources) + len(targets) < _MOST_ARGUMENTS
        plan = launch.prepare(program, groups, tuple(t.planes for t in targets), possible)
        self.steps.append(Kernel(plan, shape, dtype, sources, targets, program, groups))


def _laid_out(constant: Node, shape: tuple[int, ...], dtype: Any) -> Node:
    return Node("constant", (), shape, dtype, laid_out(constant.extra, shape, dtype))


def _windows(node: Node) -> list[Any]:
    """Where the pieces of a "placed" node lie in it; None for one that is not in one piece."""
    return [place(index, node.shape) for index in node.extra.values()]


def _elementwise_kind(node: Node, kinds: dict[int, Any]) -> Any:
    """(shape, type) of the kernel that a node can be part of, or None."""
    if not node.elementwise or any(a.dtype.kind not in "fbiu" for a in node.args):
        return None
    if node.dtype in _FLOATS:
        return (node.shape, node.dtype) if node.op == "select" or launch.uniform(node.op, node.dtype) else None
    if node.dtype == bool:  # a comparison goes where its operands are compared
        types = {a.dtype for a in node.args if a.dtype in _FLOATS and not a.weak}
        types = types or {a.dtype for a in node.args if a.dtype in _FLOATS}
        if len(types) == 1 and all(a.dtype in _FLOATS or a.dtype == bool or a.weak for a in node.args):
            return node.shape, types.pop()
        inner = {kinds[a.number] for a in node.args if kinds.get(a.number) is not None}
        if len(inner) == 1 and all(a.dtype == bool for a in node.args) and next(iter(inner))[0] == node.shape:
            return inner.pop()
    return None


def _origin(node: Node) -> Node:
    """The node whose array a kernel reads for this one."""
    while node.op == "broadcast" or (node.op == "row" and node.args[0].op == "input"):
        node = node.args[0]
    return node


def _layout_of(x: Any) -> str:
    """How a kernel reads an argument of its own shape and type."""
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous:
        return "c"
    return "g" if x.ndim == 1 and x.flags.aligned else "p"
