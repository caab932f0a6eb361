"""The program of a kernel of a trace as it is written, with what it reads."""

from collections.abc import Collection, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..kernel.ir import LOOP, SELECT, Graph, Program, Symbol
from ..kernel.reduction import IDENTITY
from ..kinds import DType
from .constants import is_uniform
from .fused import Source, spread
from .loops import Rolled
from .nodes import Node, StayWhole
from .places import window
from .turns import Writer

__all__ = ["Body", "layout_of", "spread_constant", "windows"]

_MOST_SCALARS = 8000  # nodes of a kernel: a compiler takes some 0.2 ms for each


class Body:
    """The program of a kernel as it is written, with the sources that it reads.

    Args:
        cut: the trace that it is part of.
        kind: shape and type.
        direct: whether it becomes one piece of machine code.
        outside: the nodes that it needs of others.
        seldom: the numbers of conditions that raise an alarm, what they choose being left to a program that follows.
        follows: whether this is that program.
    """

    def __init__(
        self,
        cut: Any,
        kind: Any,
        direct: bool,
        outside: Sequence[Node],
        seldom: Collection[int] = (),
        follows: bool = False,
    ) -> None:
        self.cut, self.kind, self.direct, self.outside = cut, kind, direct, outside
        self.seldom, self.follows = seldom, follows
        self.graph = Graph(kind[1])
        self.sources: list[Source] = []
        self._symbols: dict[int, Symbol] = {}
        self._windowed: dict[Any, Symbol] = {}  # what is read at windows, or computed there
        self._planes: dict[int, list[Symbol]] = {}  # of inputs whose planes are read one by one

    def program(
        self, members: Sequence[Node], given: Sequence[Node], stacks: Sequence[Node], watched: Sequence[Node]
    ) -> Program:
        """The program of these nodes that gives some of them and stacks of them back."""
        graph = self.graph
        if not self.kind[0] and self.cut.target.loops:
            return self._of_scalars(members, [*given, *stacks], {n.number for n in watched})
        for node in members:
            if node.op != "pack":
                self.add(node)
        raised = [self.symbol(n) for n in watched] or [self._symbols[k] for k in sorted(self.seldom)]
        outputs = [self.symbol(n) for y in given for n in (y.args if y.op == "pack" else (y,))]
        for s in stacks:
            behind = [] if self.cut.target.looks else [graph.constant(0.0)] * (s.shape[0] - len(s.args))
            outputs += [*map(self.symbol, s.args), *behind]
        return graph.finish(outputs, reduce(lambda a, b: graph.node(np.logical_or, a, b), raised) if raised else None)

    def _of_scalars(self, members: Sequence[Node], given: Sequence[Node], watched: set[int]) -> Program:
        """The same of scalars, where loops are found again."""
        wanted = [n for y in given for n in (y.args if y.op in ("pack", "stack") else (y,))]
        rolled = Rolled([n for n in members if n.op != "pack"])
        writer = Writer(self.graph, rolled, self.symbol, self._input_of, watched)
        writer.write(wanted)
        raised = writer.raised
        outputs = [writer.asked(n) for n in wanted]
        alarm = reduce(lambda a, b: self.graph.node(np.logical_or, a, b), raised) if raised else None
        program = self.graph.finish(outputs, alarm)
        if sum(1 if n.op != LOOP else len(n.extra.body.nodes) for n in program.nodes) > _MOST_SCALARS:
            raise StayWhole
        return program

    def _input_of(self, node: Node) -> tuple[int, int] | None:
        """The first input of the array that a node lies in, and its place there; None for others."""
        if node.op != "entry" and node.number not in self.cut.places:
            return None
        parent, place = self.cut.places.get(node.number) or (node.args[0], node.extra)
        self.symbol(node)
        return self.graph.nodes[self._planes[parent.number][0].index].extra, place

    def add(self, node: Node) -> None:
        """Writes a node of the kernel's own."""
        if node.op == "placed":
            self._symbols[node.number] = self._windows(node)
            return
        if node.number in self.cut.reduced:
            self._symbols[node.number] = self._reduced(node)
            return
        args = [self.symbol(a) for a in node.args]
        if node.op == "select" and node.args[0].number in self.seldom and not self.follows:
            self._symbols[node.number] = args[2]
            return
        self._symbols[node.number] = self._operation(node, args)

    def _reduced(self, node: Node) -> Symbol:
        """All of an array, or of a window of the elements, to one number."""
        its, rider, (array,) = self.cut.reduced[node.number], self.cut.riders.get(node.number), node.args
        x: Symbol = self.symbol(array) if rider is None else self._at(array, rider.window, rider.inside)
        if its.truth and not x.boolean:
            x = self.graph.node(np.not_equal, x, self.graph.constant(0.0))
        if rider is not None:
            if x.boolean:
                x = self.graph.node(SELECT, x, self.graph.constant(1.0), self.graph.constant(0.0))
            nothing = self.graph.constant(IDENTITY[its.way.ufunc])
            x = self.graph.node(SELECT, self._whether_in(rider.window), x, nothing)
        return self.graph.reduced(its.way, x)

    def _operation(self, node: Node, args: list[Symbol]) -> Symbol:
        """An elementwise node of these arguments."""
        op = SELECT if node.op == "select" else node.op
        if op == SELECT and not args[0].boolean:
            args[0] = self.graph.node(np.not_equal, args[0], self.graph.constant(0.0), relaxed=False)
        return self.graph.node(op, *args, relaxed=node.relaxed)

    def symbol(self, node: Node) -> Symbol:
        """A node that was written, or is read."""
        known = self._symbols.get(node.number)
        if known is None:
            known = self._symbols[node.number] = self._read(node)
        return known

    def _read(self, node: Node) -> Symbol:
        if self.cut.is_plane(node, self.kind):
            return self._plane(node)
        if not self.kind[0] and (node.op == "entry" or node.number in self.cut.places):
            return self._entry(node)
        while node.op == "broadcast":
            node = node.args[0]
        if node.op == "constant" and np.size(node.extra) and is_uniform(node.extra):
            one = self.graph.constant(np.asarray(node.extra).ravel()[0])
        elif node.number in self._symbols:
            return self._symbols[node.number]
        elif self.cut.turns(node, self.kind):
            self.sources.append(self._turned(node))
            one = self._symbols[node.number] = self.graph.input()
        else:
            self.sources.append(self.cut.source(node, self.kind, self.direct))
            one = self._symbols[node.number] = self.graph.input()
        if node.dtype == bool and not one.boolean:
            one = self._symbols[node.number] = self.graph.node(np.not_equal, one, self.graph.constant(0.0))
        return one

    def _plane(self, node: Node) -> Symbol:
        parent = node.args[0]
        if parent.number not in self._planes:
            count = 1 + max(a.extra for a in self.outside if a.op == "row" and a.args[0] is parent)
            self.sources.append(Source(parent, "c", count))
            self._planes[parent.number] = [self.graph.input() for _ in range(count)]
        plane: Symbol = self._planes[parent.number][node.extra]
        return plane

    def _entry(self, node: Node) -> Symbol:
        """A scalar that lies in an array."""
        parent, place = self.cut.places.get(node.number) or (node.args[0], node.extra)
        if parent.number not in self._planes:
            count = prod(parent.shape)
            ready = parent.dtype == self.kind[1] and self.cut.in_one_piece(parent)
            self.sources.append(Source(parent, "c", count, ready=ready))
            self._planes[parent.number] = [self.graph.input() for _ in range(count)]
        entry: Symbol = self._planes[parent.number][place]
        if node.dtype == bool and not entry.boolean:
            return self.graph.node(np.not_equal, entry, self.graph.constant(0.0))
        return entry

    def _turned(self, node: Node) -> Source:
        (before,) = node.args
        layout = "v" if self.direct and "v" in self.cut.target.layouts else "t"
        if before.op == "constant":
            before = spread_constant(before, before.shape, self.kind[1])
        return Source(before, layout, ready=self.cut.in_one_piece(before), window=node.extra)

    def _windows(self, node: Node) -> Symbol:
        its = self.cut.lifted.get(node.number)
        read = self._window if its is None else lambda piece, window: self._lifted(piece, window, its.inside)
        pieces = list(map(read, node.args, windows(node)))
        return reduce(lambda a, b: self.graph.node(np.add, a, b), pieces)

    def _window(self, piece: Node, window: Any) -> Symbol:
        """An array with zeros on all sides."""
        key = piece.number, window
        if key not in self._windowed:
            if piece.op == "constant":
                piece = spread_constant(piece, piece.shape, self.kind[1])
            ready = piece.dtype == self.kind[1] and self.cut.in_one_piece(piece)
            self.sources.append(Source(piece, layout_of(window), ready=ready, window=window))
            self._windowed[key] = self.graph.input()
        return self._windowed[key]

    def _lifted(self, piece: Node, window: Any, inside: Collection[int]) -> Symbol:
        """The same of an array that is computed here."""
        if piece.number not in inside:
            return self._window(piece, window)
        computed = self._at(piece, window, inside)
        return self.graph.node(SELECT, self._whether_in(window), computed, self.graph.constant(0.0))

    def _whether_in(self, window: Any) -> Symbol:
        """Whether an element lies in a window."""
        key = None, window
        if key not in self._windowed:
            one = Node("constant", (), (1,), self.kind[1], np.ones(1, self.kind[1]))
            self.sources.append(Source(one, "o", window=window))
            self._windowed[key] = self.graph.node(np.not_equal, self.graph.input(), self.graph.constant(0.0))
        return self._windowed[key]

    def _at(self, node: Node, window: Any, inside: Collection[int]) -> Symbol:
        """A node of another kernel at a window of this one; beside it is anything."""
        if node.number not in inside:
            its = node
            while its.op == "broadcast":
                its = its.args[0]
            if prod(its.shape) == 1 or (its.op == "constant" and np.size(its.extra) and is_uniform(its.extra)):
                return self.symbol(node)
            read = self._window(node, window)
            return read if node.dtype != bool else self.graph.node(np.not_equal, read, self.graph.constant(0.0))
        key = node.number, window, True
        if key not in self._windowed:
            self._windowed[key] = self._operation(node, [self._at(a, window, inside) for a in node.args])
        return self._windowed[key]


def spread_constant(constant: Node, shape: tuple[int, ...], dtype: DType) -> Node:
    return Node("constant", (), shape, dtype, spread(constant.extra, shape, dtype))


def windows(node: Node) -> list[Any]:
    """Where the pieces of a "placed" node lie in it; None for one that kernels cannot put there."""
    return [window(index, node.shape) for index in node.extra.values()]


def layout_of(window: Sequence[int]) -> str:
    """In one piece, or row by row."""
    return "w" if len(window) == 2 else "W"
