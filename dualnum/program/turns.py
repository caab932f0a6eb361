"""Loops of a trace as instructions of a program."""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from ..kernel.ir import FINAL, KEPT, MARGIN, SELECT, Graph, Loop, Series, Symbol
from .loops import OUTSIDE, Rolled, Turns
from .nodes import Node

__all__ = ["Writer"]


class Writer:
    """Writes the nodes of a kernel of scalars, loops as such.

    Args:
        graph: the program.
        rolled: the nodes and their loops.
        read: what a node from outside is in the program.
        input_of: of a node from outside that lies in an array the array's first input and its place there, or None.
        alarms: the numbers of nodes that raise the alarm.
    """

    def __init__(
        self,
        graph: Graph,
        rolled: Rolled,
        read: Callable[[Node], Symbol],
        input_of: Callable[[Node], Any],
        alarms: set[int],
    ) -> None:
        self.graph, self.rolled, self.read, self.input_of, self.alarms = graph, rolled, read, input_of, alarms
        self.at = {n.number: i for i, n in enumerate(rolled.members)}
        self.made: dict[int, Symbol] = {}
        self.loops: list[_Written] = []  # those that are written
        self.raised: list[Symbol] = []

    def write(self, wanted: Sequence[Node]) -> None:
        """Writes all, so that the nodes that are wanted can be asked for."""
        used = self._used(wanted)
        position, members = 0, self.rolled.members
        for which, loop in enumerate(self.rolled.loops):
            self._straight(range(position, loop.start))
            self.loops.append(_Written(self, loop, used[which]))
            position = loop.stop
        self._straight(range(position, len(members)))

    def _used(self, wanted: Sequence[Node]) -> list[Any]:
        """Of each loop the positions that are read from outside."""
        args, found = self.rolled.args, []
        asked = np.array([self.at[n.number] for n in wanted if n.number in self.at], np.int64)
        for loop in self.rolled.loops:
            outside = np.concatenate((args[: loop.start].ravel(), args[loop.stop :].ravel(), asked))
            found.append(np.unique(outside[(outside >= loop.start) & (outside < loop.stop)]))
        return found

    def _straight(self, positions: range) -> None:
        for i in positions:
            node = self.rolled.members[i]
            self.made[i] = self.node(self.graph, node, [self.symbol(p) for p in self.rolled.args[i, : len(node.args)]])
            if node.number in self.alarms:
                self.raised.append(self.made[i])

    @staticmethod
    def node(graph: Graph, node: Node, args: list[Symbol]) -> Symbol:
        op = SELECT if node.op == "select" else node.op
        if op == SELECT and not args[0].boolean:
            args[0] = graph.node(np.not_equal, args[0], graph.constant(0.0), relaxed=False)
        return graph.node(op, *args, relaxed=node.relaxed)

    def symbol(self, position: int) -> Symbol:
        """What a position, or −1 − the number of a node from outside, is after all that is written."""
        if position < 0:
            return self.read(self.rolled.others[-1 - position])
        known = self.made.get(int(position))
        if known is None:
            loop = next(x for x in self.loops if x.turns.start <= position < x.turns.stop)
            known = self.made[int(position)] = loop.value(int(position))
        return known

    def asked(self, node: Node) -> Symbol:
        """The same of a node."""
        place = self.at.get(node.number)
        return self.read(node) if place is None else self.symbol(place)


class _Written:
    """A loop that is written."""

    def __init__(self, writer: Writer, turns: Turns, used: Any) -> None:
        self.writer, self.turns = writer, turns
        start, period, count = turns.start, turns.period, turns.times
        self.args = writer.rolled.args[start : turns.stop].reshape(count, period, 3)
        self.body = Graph(writer.graph.dtype)
        offsets, ks = (used - start) % period, (used - start) // period
        early = set(offsets[ks < count - 1].tolist())
        self.kept = {o: j for j, o in enumerate(sorted(early))}
        last = [o for o in sorted(set(offsets.tolist())) if o not in early]
        # (position in the turn, turns back, what the first turns read): the number among the carried
        self.carried: dict[Any, int] = {}
        self.first: list[Symbol] = []
        self.later: list[Any] = []  # what is carried on: another carried number, or a position in the turn
        self.same: dict[int, int] = {}
        self.series: dict[bytes, int] = {}
        self.beside: dict[Any, int] = {}  # what later loops read of turns beside those of this one
        sources = self._sources()
        self.final = {}
        for o in last:
            self.final[o] = len(self.first)
            self.first.append(writer.graph.constant(0.0))
            self.later.append(("turn", o))
        self._write(sources)

    def _sources(self) -> list[list[Any]]:
        """Where each argument of a turn comes from."""
        found = []
        for o in range(self.turns.period):
            row = []
            node = self.writer.rolled.members[self.turns.start + o]
            for s in range(len(node.args)):
                code = int(self.turns.rows[o, s])
                if code == OUTSIDE:
                    row.append(self._from_outside(self.args[:, o, s]))
                elif code >= 0:
                    row.append(("turn", code))
                else:
                    row.append(("carried", self._carry(code, self.args[:, o, s])))
            found.append(row)
        return found

    def _carry(self, code: int, column: Any) -> int:
        period = self.turns.period
        back = -(code // period)
        key = code, column[:back].tobytes()
        if key not in self.carried:
            inits = [self.writer.symbol(p) for p in column[:back]]
            before: Any = ("turn", code % period)
            for first in reversed(inits):  # the nearest turn first
                self.first.append(_number(self.writer.graph, first))
                self.later.append(before)
                before = ("carried", len(self.first) - 1)
            self.carried[key] = len(self.first) - 1
        return self.carried[key]

    def _from_outside(self, column: Any) -> Any:
        first = int(column[0])
        if (column == first).all():
            if first < 0 and self.writer.rolled.others[-1 - first].op == "constant":
                return "constant", self.writer.rolled.others[-1 - first]
            return "same", self.same.setdefault(first, len(self.same))
        return "series", self.series.setdefault(column.tobytes(), len(self.series))

    def _write(self, sources: list[list[Any]]) -> None:
        graph, writer, body = self.writer.graph, self.writer, self.body
        args = [*self.first, *(_number(graph, writer.symbol(p)) for p in self.same)]
        series = [self._series(np.frombuffer(c, np.int64), args) for c in self.series]
        base = {"carried": 0, "same": len(self.first), "series": len(self.first) + len(self.same)}
        inputs = [body.input() for _ in range(base["series"] + len(self.series))]
        made: list[Symbol] = []
        middle = self.turns.start + self.turns.period * (self.turns.times // 2)
        raised = []
        for o, row in enumerate(sources):
            node = writer.rolled.members[middle + o]
            given = []
            for (kind, which), a in zip(row, node.args, strict=True):
                if kind == "turn":
                    given.append(made[which])
                elif kind == "constant":
                    given.append(body.constant(np.asarray(which.extra)[()]))
                else:
                    x = inputs[base[kind] + which]
                    given.append(body.node(np.not_equal, x, body.constant(0.0)) if a.dtype == bool else x)
            made.append(writer.node(body, node, given))
            if node.number in writer.alarms:
                raised.append(made[o])
        later = [made[x] if kind == "turn" else inputs[x] for kind, x in self.later]
        outputs = [_number(body, y) for y in (*later, *(made[o] for o in self.kept))]
        alarm = reduce(lambda a, b: body.node(np.logical_or, a, b), raised) if raised else None
        program = body.finish(outputs, alarm)
        loop = Loop(program, self.turns.times, len(self.first), len(self.same), tuple(series))
        self.symbol = graph.loop(loop, args)
        if program.alarm is not None:
            writer.raised.append(graph.part(FINAL, self.symbol, -1))

    def _series(self, column: Any, args: list[Symbol]) -> Series:
        """How the numbers of the turns are found; what must be given is appended to the arguments."""
        writer, others = self.writer, self.writer.rolled.others
        if (column < 0).all():
            nodes = [others[-1 - p] for p in column]
            if all(n.op == "constant" for n in nodes):
                dtype = writer.graph.dtype
                return Series("constant", np.array([np.asarray(n.extra)[()] for n in nodes]).astype(dtype))
            places = [writer.input_of(n) for n in nodes]
            if None not in places and len({p[0] for p in places}) == 1:
                steps = {b[1] - a[1] for a, b in pairwise(places)}
                if len(steps) == 1:
                    return Series("input", 0, places[0][0] + places[0][1], steps.pop())
        for other in writer.loops:
            found = other.kept_series(column, args)
            if found is not None:
                return found
        first = len(args)
        args.extend(_number(writer.graph, writer.symbol(int(p))) for p in column)
        return Series("given", first)

    def kept_series(self, column: Any, args: list[Symbol]) -> Series | None:
        """These positions as a series of what this loop keeps; None for others."""
        start, period, count = self.turns.start, self.turns.period, self.turns.times
        inside = np.flatnonzero((column >= start) & (column < self.turns.stop))
        if len(inside) < 2 or len(inside) < len(column) - 2 * MARGIN:
            return None
        offset = int((column[inside[0]] - start) % period)
        ks = (column[inside] - start) // period
        step = int(ks[1] - ks[0]) // int(inside[1] - inside[0])
        first = int(ks[0]) - step * int(inside[0])
        if offset not in self.kept or ((column[inside] - start) % period != offset).any():
            return None
        if (ks != first + step * inside).any():
            return None
        beside = {first + step * int(i): int(column[i]) for i in range(len(column)) if i not in set(inside.tolist())}
        if not all(-MARGIN <= k < 0 or count <= k < count + MARGIN for k in beside):
            return None
        if any(self.beside.get((offset, k), p) != p for k, p in beside.items()):
            return None
        self.beside.update({(offset, k): p for k, p in beside.items()})
        args.append(self.symbol)
        loop, filled = len(args) - 1, []
        for k, p in beside.items():
            args.append(_number(self.writer.graph, self.writer.symbol(p)))
            filled.append((k, len(args) - 1))
        return Series("kept", (loop, self.kept[offset]), first, step, tuple(filled))

    def value(self, position: int) -> Symbol:
        """A node of the loop, to be read after it."""
        o, k = (position - self.turns.start) % self.turns.period, (position - self.turns.start) // self.turns.period
        graph = self.writer.graph
        if o in self.kept:
            y = graph.part(KEPT, self.symbol, (self.kept[o], k))
        else:
            y = graph.part(FINAL, self.symbol, self.final[o])
        boolean = self.writer.rolled.members[position].dtype == bool
        return graph.node(np.not_equal, y, graph.constant(0.0)) if boolean else y


def _number(graph: Graph, x: Symbol) -> Symbol:
    """A truth value as a number."""
    return graph.node(SELECT, x, graph.constant(1.0), graph.constant(0.0)) if x.boolean else x
