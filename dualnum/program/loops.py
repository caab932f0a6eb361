"""Loops found again in a trace of scalars: runs of segments that do the same with what lies at the same distances.

A loop of Python leaves its body once for each turn. In the order in which the nodes were written the operations repeat
after a period, which equal stretches of a few operations tell. In such a run an argument is computed in the same turn,
or so many turns before, and then it is carried; or it comes from outside, as one number for all turns or as a series.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .nodes import Node

__all__ = ["OUTSIDE", "Rolled", "Turns"]

_FEWEST = 300  # nodes in which loops are looked for: fewer are compiled soon enough
_GRAM = 12  # operations in a row by which a period is recognized
_NEAR = 48  # a distance up to here is told from others before a period is known
_PERIODS = 12  # that are tried
_BACK = 2  # turns, at most, from which a number is carried
_SAVED = 100  # nodes that a loop must save
OUTSIDE, _NONE = np.int64(1) << 40, np.int64(1) << 41
_MISSING = [[int(_NONE)] * (3 - count) for count in range(3)]


class Turns(NamedTuple):
    """A loop: from which position on, how many nodes a turn has, how many turns.

    Attributes:
        rows: of one turn's nodes the arguments: the position in the turn, negative for a node of a turn before, or
            OUTSIDE.
    """

    start: int
    period: int
    times: int
    rows: Any

    @property
    def stop(self) -> int:
        return self.start + self.period * self.times


class Rolled:
    """The nodes of a kernel by position, and their arguments: positions, or −1 − the number of another node.

    Attributes:
        members: the nodes.
        others: the nodes from outside.
        args: a row of three for each node, _NONE where there are fewer.
        loops: in order, none within another.
    """

    def __init__(self, members: Sequence[Node]) -> None:
        self.members = members
        self.others: list[Node] = []
        self.args = np.empty((0, 3), np.int64)
        self.loops: list[Turns] = []
        tokens = self._tokens()
        waiting = [(0, len(members))] if len(members) >= _FEWEST else []
        while waiting:
            begin, end = waiting.pop()
            loop = self._longest(tokens, begin, end)
            if loop is not None:
                self.loops.append(loop)
                waiting += [(begin, loop.start), (loop.stop, end)]
        self.loops.sort()

    def _tokens(self) -> Any:
        """What each node does, as a number; the arguments are filled in."""
        at = {n.number: i for i, n in enumerate(self.members)}
        outside: dict[int, int] = {}
        ops: dict[Any, int] = {}
        rows: list[int] = []
        kinds = []
        for n in self.members:
            constants = 0
            for a in n.args:
                number = a.number
                place = at.get(number)
                if place is None:
                    place = outside.get(number)
                    if place is None:
                        place = outside[number] = -1 - len(self.others)
                        self.others.append(a)
                    constants = 2 * constants + (a.op == "constant")
                else:
                    constants *= 2
                rows.append(place)
            count = len(n.args)
            if count < 3:
                rows += _MISSING[count]
            key = n.op, n.relaxed, count, constants
            kind = ops.get(key)
            kinds.append(ops.setdefault(key, len(ops)) if kind is None else kind)
        self._plain = np.array(kinds, np.int64)
        self.args = np.array(rows, np.int64).reshape(-1, 3)
        # how far back an argument lies, if that is near; what comes from outside is told from what is far
        back = np.arange(len(kinds))[:, None] - self.args
        codes = np.where((self.args < 0) | (self.args >= OUTSIDE), _NEAR + 1, np.where(back <= _NEAR, back, 0))
        token = self._plain
        for column in codes.T:
            token = token * (_NEAR + 2) + column
        return np.unique(token, return_inverse=True)[1].reshape(-1).astype(np.int64)

    def _longest(self, tokens: Any, begin: int, end: int) -> Turns | None:
        """The loop between two positions that saves most."""
        t = tokens[begin:end]
        if len(t) < _SAVED:
            return None
        found: list[tuple[int, int, int]] = []
        for period in _periods(t):
            if 2 * period > len(t):
                continue
            same = np.concatenate(([False], t[period:] == t[:-period], [False]))
            edges = np.flatnonzero(same[1:] != same[:-1]).reshape(-1, 2)
            lengths = edges[:, 1] - edges[:, 0]
            for which in np.argsort(-lengths)[:2]:
                if lengths[which] < period:
                    continue
                length, start = int(lengths[which]), begin + int(edges[which, 0])
                found.append((length, period, start))
                earlier = max(begin, start - period)  # the first turn reads from outside what others carry
                plain = self._plain[earlier:start] != self._plain[earlier + period : start + period]
                more = start - earlier - 1 - int(np.flatnonzero(plain).max(initial=-1))
                if more:
                    found.append((length + more, period, start - more))
        best = None
        for length, period, start in sorted(found, key=lambda f: (-f[0], f[1])):
            if best is not None and (best.times - 1) * best.period >= length:
                break
            loop = self._turns(start, period, (length + period) // period)
            if loop is not None and (best is None or _saved(loop) > _saved(best)):
                best = loop
        return best if best is not None and best.times > 2 and _saved(best) >= _SAVED else None

    def _turns(self, start: int, period: int, count: int) -> Turns | None:
        """The turns among these that do the same with the same."""
        for _ in range(4):
            if count < 3:
                return None
            args = self.args[start : start + count * period].reshape(count, period, 3)
            inner = (args >= start) & (args < OUTSIDE)
            relative = args - (start + period * np.arange(count))[:, None, None]
            codes = np.where(args == _NONE, _NONE, np.where(inner, relative, OUTSIDE))
            row = codes[count // 2]
            back = np.where((row < 0), (-row + period - 1) // period, 0)  # turns
            if back.max() > _BACK:
                return None
            equal = codes == row
            for k in range(min(_BACK, count)):  # what is carried comes from outside in the first turns
                equal[k] |= (back > k) & (codes[k] == OUTSIDE)
            good = equal.all(axis=(1, 2))
            middle = count // 2
            bad = np.flatnonzero(~good)
            first = int(bad[bad < middle].max(initial=-1)) + 1
            last = int(bad[bad > middle].min(initial=count))
            if first == 0 and last == count:
                return Turns(start, period, count, row)
            start, count = start + first * period, last - first
        return None


def _saved(loop: Turns) -> int:
    return (loop.times - 1) * loop.period


def _periods(t: Any) -> list[int]:
    """After how many operations equal stretches come again, the likeliest first."""
    if len(t) <= _GRAM:
        return []
    hashed = np.zeros(len(t) - _GRAM + 1, np.uint64)
    for i in range(_GRAM):
        hashed = hashed * np.uint64(1_099_511_628_211) + t[i : len(t) - _GRAM + 1 + i].astype(np.uint64)
    order = np.argsort(hashed, kind="stable")
    equal = hashed[order[1:]] == hashed[order[:-1]]
    distances = (order[1:] - order[:-1])[equal]
    periods, votes = np.unique(distances, return_counts=True)
    return [int(periods[i]) for i in np.argsort(-votes * 1.0, kind="stable")[:_PERIODS]]
