"""A trace cut into steps: kernels, and what NumPy runs between them.

Nodes of one shape and type that need nothing but each other become one kernel, whatever their number.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from .fused import Kernel
from .kernel import launch, llvm
from .kernel.ir import SELECT, Graph, Symbol
from .nodes import Node, Trace, is_uniform

__all__ = ["Cut"]

_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.longdouble))


class Cut:
    """The steps of a trace, and the slots in which they keep arrays.

    Attributes:
        steps: kernels, and (slot, function, slots of its arguments, shape and type to come out) for the rest.
        slot: the slot of each node, by its number.
        constants: (slot, array).
        alarms: slots of alarms that no kernel watches.
    """

    def __init__(self, traced: Trace, samples: Sequence[Any], compiled: bool) -> None:
        self.compiled = compiled
        self.steps: list[Any] = []
        self.slot: dict[int, int] = {}
        self.constants: list[tuple[int, Any]] = []
        self.alarms: list[int] = []  # slots of alarms that no kernel watches
        self.count = 0
        self.nodes = list(traced.nodes())
        self.made: set[int] = set()  # numbers of the nodes that kernels or calls have put into their slots
        self.layouts = {n.number: _layout_of(x) for n, x in zip(traced.inputs, samples, strict=True)}
        self._assign(traced)

    def _assign(self, traced: Trace) -> None:
        for node in (*traced.inputs, *self.nodes):
            self.slot.setdefault(node.number, len(self.slot))
        self.count = len(self.slot)
        stages: dict[int, int] = {}
        groups: dict[Any, list[Node]] = {}
        kinds: dict[int, Any] = {}
        for node in self.nodes:
            kind = kinds[node.number] = _kind(node, kinds)
            stage = 0
            for arg in node.args:
                same = kind is not None and kinds.get(arg.number) == kind
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
                others = [_source(a) for a in node.args if where[a.number] != key]
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
                readers = {written.get(groups[k][0].number, k) for k in users.get(first.number, ())}
                if first.number in wanted or not readers or not all(self._is_plane(first, k[1]) for k in readers):
                    self._single_step(first)
                if first.number in alarms:
                    self.alarms.append(self.slot[first.number])
            else:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                given = [n for n in members if n.number in wanted or users.get(n.number, set()) - here]
                self._kernel(members, given, stacks.get(key, []), alarms, kinds[first.number])

    def _is_plane(self, node: Node, kind: Any) -> bool:
        """Whether a node is a plane of an input that kernels of this kind read where it lies."""
        if node.op != "row" or node.args[0].op != "input":
            return False
        return kind == (node.shape, node.dtype) and self.layouts[node.args[0].number] == "c"

    def _single_step(self, node: Node) -> None:
        if node.op == "input":
            return
        if node.op == "constant":
            self.constants.append((self.slot[node.number], node.extra))
            return
        sources = [self.slot[a.number] for a in node.args]
        checked = (node.shape, node.dtype) if node.op in ("call", "item") and node.dtype != object else (None, None)
        self.steps.append((self.slot[node.number], _executed(node), sources, *checked))

    def _kernel(self, members: list[Node], given: list[Node], stacks: list[Node], alarms: set[int], kind: Any) -> None:
        shape, dtype = kind
        graph = Graph(dtype)
        symbols: dict[int, Symbol] = {}
        sources: list[tuple[int, str, int]] = []
        planes: dict[int, list[Symbol]] = {}  # of inputs whose planes are read one by one
        inside = {n.number for n in members}
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
                    sources.append((self.slot[parent.number], "c", count))
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
                sources.append((self.slot[node.number], self._layout(node, shape, dtype), 0))
                one = symbols[node.number] = graph.input()
            if node.dtype == bool and not one.boolean:
                one = symbols[node.number] = graph.node(np.not_equal, one, graph.constant(0.0))
            return one

        for node in members:
            args = [symbols[a.number] if a.number in inside else symbol(a) for a in node.args]
            op = SELECT if node.op == "select" else node.op
            if op == SELECT and not args[0].boolean:
                args[0] = graph.node(np.not_equal, args[0], graph.constant(0.0), relaxed=False)
            symbols[node.number] = graph.node(op, *args, relaxed=node.relaxed)
        watched = [symbols[n.number] for n in members if n.number in alarms]
        alarm = reduce(lambda a, b: graph.node(np.logical_or, a, b), watched) if watched else None
        outputs = [symbols[n.number] for n in given]
        outputs += [symbols[n.number] if n.number in inside else symbol(n) for s in stacks for n in s.args]
        program = graph.finish(outputs, alarm)
        targets = [(self.slot[n.number], 1, 0) for n in given]
        targets += [(self.slot[s.number], len(s.args), s.shape[0]) for s in stacks]
        groups = [llvm.Group(layout, count or 1) for _, layout, count in sources]
        counts = tuple(count for _, count, _ in targets)
        plan = launch.prepare(program, groups, counts, self.compiled and dtype in launch.COMPILED)
        booleans = [self.slot[n.number] for n in given if n.dtype == bool]
        self.steps.append(Kernel(plan, shape, dtype, sources, targets, booleans, program, groups))

    def _layout(self, node: Node, shape: tuple[int, ...], dtype: Any) -> str:
        """How a kernel of this shape and type reads what a slot holds."""
        if node.weak:
            return "s"
        if node.shape == shape and node.dtype == dtype:
            if node.op == "input":
                return self.layouts[node.number]
            return "c" if node.elementwise or node.op == "constant" else "p"
        return "b" if prod(node.shape) == 1 else "p"


def _kind(node: Node, kinds: dict[int, Any]) -> Any:
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


def _source(node: Node) -> Node:
    """The node whose slot a kernel reads for this one."""
    while node.op == "broadcast" or (node.op == "row" and node.args[0].op == "input"):
        node = node.args[0]
    return node


def _executed(node: Node) -> Callable[..., Any]:
    """What runs for a node outside the kernels."""
    k = node.extra
    if node.op == "call":
        return k  # type: ignore[no-any-return]
    if node.op in ("item", "row"):
        return lambda x: x[k]
    if node.op == "concatenate":
        return lambda *xs: np.concatenate(xs)
    if node.op == "broadcast":
        return lambda x: np.broadcast_to(x, node.shape)
    if node.op == "stack":
        return lambda *xs: _stack(xs, node)
    return np.where if node.op == "select" else _quietly(node.op)


def _quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return quiet


def _stack(planes: Sequence[Any], node: Node) -> Any:
    stack = np.zeros(node.shape, node.dtype)
    for k, plane in enumerate(planes):
        stack[k] = plane
    return stack


def _layout_of(x: Any) -> str:
    """How a kernel reads an argument of its own shape and type."""
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous:
        return "c"
    return "g" if x.ndim == 1 and x.flags.aligned else "p"
