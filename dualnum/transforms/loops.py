"""A loop as one operation on arrays, jets, variables and tracers, whatever its body and its number of steps.

The body is closed (`program.formal`): it has been traced once. Over jets the loop is another one, whose body computes
planes; of variables it is one step of the record, whose pull-back is a loop backwards over the iterates that were kept,
with the pull-back of the body as its body; so both are loops again, of operands of lower levels. On tracers it is a
node, which runs the compiled body as often as the numbers say.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..jets.jet import Jet
from ..kinds import Value
from ..operand import Operand, highest, primal
from ..program.formal import Closed, Given
from ..program.nodes import Node
from ..program.trace import Tracer
from ..tape.recorded import Recorded
from ..tape.step import Step
from .reverse import vjp
from .rows import JetOf, Joint, Rows, joint_step, lifted, of_planes, peel, unlifted
from .running import Running

__all__ = ["Loop", "item_step", "top_of"]


class Loop:
    """A loop.

    Attributes:
        body: of the carry, a row of each of the xs, and what stays the same, to the carry and a row of each of the ys.
        carries: how many arrays the carry is.
        fixed: how many arrays stay the same for the body; others do so for the test.
        test: of the carry and what stays the same for it; the loop goes on as long as it holds. None where the number
            of steps is known before.
        reverse: whether rows are read and written from the last to the first.
        name: of the function that made it.
        pulls: whether it is a pull-back. Which entries of a result are reached is not told to it: where 0 meets an
            infinite slope, and NaN comes out, the function itself has to run.
    """

    def __init__(
        self,
        body: Closed,
        carries: int,
        fixed: int,
        test: Closed | None = None,
        reverse: bool = False,
        name: str = "",
        pulls: bool = False,
    ) -> None:
        self.body, self.carries, self.fixed = body, carries, fixed
        self.test, self.reverse, self.name, self.pulls = test, reverse, name, pulls
        self._running: Running | None = None

    def __call__(
        self, carry: Sequence[Any], xs: Sequence[Rows], same: Sequence[Any], count: Any = None
    ) -> tuple[list[Any], list[Rows]]:
        """The carry at the end, and the ys.

        Args:
            carry: at the beginning.
            xs: what is read row by row.
            same: what stays the same, for the body and for the test.
            count: the number of steps; None where the test or the rows tell it.
        """
        top = top_of([*carry, *same], xs)
        if top is None:
            values, ys = self.running(carry, [x.base for x in xs], same, count)
            return values, [Rows(y, row=(n.shape, n.dtype)) for y, n in zip(ys, self._ys, strict=True)]
        if isinstance(top, Jet):
            return _of_jets(self, top.scope, carry, xs, same, count)
        if isinstance(top, JetOf):
            return _of_jets(self, top.scope, carry, xs, same, count)
        if isinstance(top, Recorded):
            return _recorded(self, top, carry, xs, same, count)
        assert isinstance(top, Tracer)
        return self._traced(top, carry, xs, same, count)

    @property
    def running(self) -> Running:
        """The loop on arrays."""
        if self._running is None:
            self._running = Running(self.body, self.carries, self.fixed, self.test, self.reverse)
        return self._running

    @property
    def _ys(self) -> list[Node]:
        return self.body.outputs[self.carries :]

    def keeping(self) -> "Loop":
        """The same loop that gives the carry before each step as well, behind the other ys."""
        body = self.body.giving(self.body.inputs[: self.carries])
        return Loop(body, self.carries, self.fixed, self.test, self.reverse, self.name, self.pulls)

    def _traced(
        self, top: Tracer, carry: Sequence[Any], xs: Sequence[Rows], same: Sequence[Any], count: Any
    ) -> tuple[list[Any], list[Rows]]:
        """One node of the trace."""
        known = count if type(count) is int else None
        call = _Call(self, len(xs), known)
        given = [*carry, *(x.base for x in xs), *same, *([] if known is not None or count is None else [count])]
        nodes = tuple(map(top._node, given))
        many = Node("call", nodes, None, object, call)
        if self.pulls:
            left_to_itself_at_nan(top, many)
        results, ys = [], []
        for i, n in enumerate(self.body.outputs):
            if i < self.carries:
                results.append(top._wrap(Node("item", (many,), n.shape, n.dtype, i)))
                continue
            row = (n.shape, n.dtype)
            y = Node("item", (many,), None, object, i) if known is None else None
            y = Node("item", (many,), (known, *n.shape), n.dtype, i) if y is None else y
            ys.append(Rows(top._wrap(y), row=row))
        return results, ys


def left_to_itself_at_nan(top: Tracer, many: Node) -> None:
    """Raises an alarm where one of many results of a pull-back has a NaN."""
    top._wrap(Node("call", (many,), (), np.bool_, _has_nan))._alarm()


def _has_nan(results: Sequence[Any]) -> Any:
    """Whether there is one in any coefficient."""
    found: Any = np.bool_(False)
    for x in results:
        while isinstance(x, (Jet, Recorded)):
            x = x.planes if isinstance(x, Jet) else x.value
        if not isinstance(x, Rows) and x.dtype.kind in "fc":
            found = found | np.any(np.isnan(x))
    return found


class _Call:
    """A loop as what a node calls: of its arguments in a row, on arrays, or on operands where a body is evaluated.

    Attributes:
        loop: the loop.
        rows: of how many arrays rows are read.
        known: the number of steps; None where it is not known before.
    """

    def __init__(self, loop: Loop, rows: int, known: int | None) -> None:
        self.loop, self.rows, self.known = loop, rows, known
        self.__name__ = loop.name

    def __call__(self, *given: Any) -> list[Any]:
        loop, k = self.loop, self.loop.carries
        carry, xs = list(given[:k]), given[k : k + self.rows]
        fixed = len(loop.body.inputs) + _tested(loop)
        same, rest = list(given[k + self.rows : fixed]), given[fixed:]
        count = rest[0] if rest else self.known
        if not any(isinstance(x, (Operand, Rows)) for x in given):
            values, ys = loop.running(carry, xs, same, count)
            return [*values, *ys]
        values, rows = loop(carry, list(map(self._rows, xs, range(len(xs)))), same, count)
        return [*values, *(y.array() if self.known is not None else y for y in rows)]

    def _rows(self, x: Value, i: int) -> Rows:
        node = self.loop.body.inputs[self.loop.carries + i]
        plain = not isinstance(x, (Rows, Operand))
        return Rows(x, row=(node.shape, node.dtype)) if plain else Rows.of(x)


def _tested(loop: Loop) -> int:
    """How many arrays stay the same for the test."""
    return 0 if loop.test is None else len(loop.test.inputs) - loop.carries


def top_of(leaves: Sequence[Any], rows: Sequence[Rows] = ()) -> Any:
    """What stands on the highest level: an operand, or what stands above planes of rows; None where all are arrays."""
    top: Any = highest(leaves)
    for x in rows:
        scope = x.scope
        if scope is not None and (top is None or scope.level > top.scope.level):
            top = x.jet if x.jet is not None else x.top
    return top


# ── jets ─────────────────────────────────────────────────────────────────────────────────────────


def _of_jets(
    loop: Loop, scope: Any, carry: Sequence[Any], xs: Sequence[Rows], same: Sequence[Any], count: Any
) -> tuple[list[Any], list[Rows]]:
    """The loop over planes: of the carry as many as there are in the end, which shows when nothing new comes."""
    k, (firsts, own), (rows, over) = loop.carries, _peeled(carry, scope), _peeled(xs, scope)
    (constants, its), above = _peeled(same, scope), own
    while True:
        values = [lifted(x, a, o) for x, a, o in zip(firsts, above, own, strict=True)]
        given = [*map(Given.of, values), *(x.given() for x in rows), *map(Given.of, constants)]
        body, found = of_planes(
            loop.body, given[: k + len(rows) + loop.fixed], [*above, *over, *its[: loop.fixed]], scope, above
        )
        joined = [b if a is None else a.joined(b) for a, b in zip(above, found[:k], strict=True)]
        if joined == above:
            break
        above = joined
    test = loop.test
    if test is not None:  # which reads values only
        there = [*above, *its[loop.fixed :]]
        given = [*given[:k], *given[k + len(rows) + loop.fixed :]]
        test = Closed(lambda *flat: loop.test(*map(_value, flat, there)), given, test.machine)  # type: ignore[misc]
    planes = Loop(body, k, loop.fixed, test, loop.reverse, loop.name, loop.pulls)
    values, ys = planes(values, rows, constants, count)
    return unlifted(values, above), [y if a is None else Rows(y, jet=a) for y, a in zip(ys, found[k:], strict=True)]


def _value(x: Value, above: JetOf | None) -> Any:
    return x if above is None else x[0]


def _peeled(leaves: Sequence[Any], scope: Any) -> tuple[list[Any], list[JetOf | None]]:
    pairs = [peel(x, scope) for x in leaves]
    return [x for x, _ in pairs], [a for _, a in pairs]


# ── variables ────────────────────────────────────────────────────────────────────────────────────


def _recorded(
    loop: Loop, top: Recorded, carry: Sequence[Any], xs: Sequence[Rows], same: Sequence[Any], count: Any
) -> tuple[list[Any], list[Rows]]:
    """One step of the record, which keeps the iterates."""
    k, n, kept = loop.carries, len(loop.body.outputs), loop.keeping()
    values, steps = top._parts([*carry, *same])
    of_rows = [x.step if _is_own(x, top) else None for x in xs]
    rows = [x.base if _is_own(x, top) else x for x in xs]
    parents = [*steps[:k], *of_rows, *steps[k:]]
    count = primal(count)
    varied = [p is not None for p in parents]
    while True:  # what depends on something after one step depends on it from then on
        after = loop.body.depending(varied[: len(loop.body.inputs)])
        joined = [a or b for a, b in zip(varied, after[:k], strict=False)] + varied[k:]
        if joined == varied:
            break
        varied = joined
    (results, ys), iterates = kept(values[:k], rows, values[k:], count), None
    ys, iterates = ys[: n - k], ys[n - k :]
    pull = _Pull(loop, top, varied, iterates, count, len(xs))
    saved = (None, *values[:k], *rows, *values[k:])
    joint = joint_step(loop.name, tuple(parents), pull, saved)

    carried = [
        top._new(y, item_step(joint, i, y) if a else None)
        for i, (y, a) in enumerate(zip(results, after[:k], strict=True))
    ]
    written = [
        Rows(y, like=top, step=joint_step("rows", (joint,), lambda g, i=k + i: (Joint({i: g}),)) if a else None)
        for i, (y, a) in enumerate(zip(ys, after[k:], strict=True))
    ]
    return carried, written


def item_step(joint: Step, i: int, y: Value) -> Step:
    """The step of result y, the i-th of a joint step."""
    return Step("item", (joint,), lambda g: (Joint({i: g}),), (), y.shape, y.dtype)


def _is_own(x: Rows, top: Recorded) -> bool:
    return x.like is not None and x.like.scope is top.scope


class _Pull:
    """The pull-back of a loop.

    Attributes:
        varied: which of the carry, the rows and what stays the same depend on variables.
        iterates: the carry before each step.
    """

    def __init__(
        self, loop: Loop, top: Recorded, varied: Sequence[bool], iterates: Sequence[Rows], count: Any, rows: int
    ) -> None:
        self.loop, self.top, self.varied, self.iterates = loop, top, varied, iterates
        self.count, self.rows = count, rows

    def __call__(self, cotangent: Joint, _: Any, *saved: Any) -> list[Any]:
        loop, k, m = self.loop, self.loop.carries, self.rows
        size = len(loop.body.inputs)
        xs = [Rows.of(x) if isinstance(x, Recorded) else x for x in saved[k : k + m]]
        carry, same = saved[:k], saved[k + m :]
        iterates = self.iterates
        if any(isinstance(x, Recorded) and x.scope is self.top.scope for x in saved):  # this is recorded as well
            iterates = loop.keeping()(carry, xs, same, self.count)[1][-k or len(loop.body.outputs) :]
        parts, varied = cotangent.parts, self.varied[:size]
        present = [i in parts for i in range(len(loop.body.outputs))]
        while True:  # of which of the carry there are cotangents, after some steps
            found = [r and v for r, v in zip(loop.body.reached(present), varied, strict=True)]
            joined = [p or f for p, f in zip(present[:k], found[:k], strict=True)] + present[k:]
            if joined == present:
                break
            present = joined
        back = _Backward(loop, present, found, m)
        firsts = [parts[i] if i in parts else np.zeros_like(carry[i]) for i in range(k) if present[i]]
        sums = [np.zeros_like(x) for x, f in zip(same, found[k + m :], strict=False) if f]
        rows = [*iterates, *xs, *(Rows.of(parts[i]) for i in range(k, len(present)) if present[i])]
        given = [*map(Given.of, firsts), *map(Given.of, sums), *map(_row, rows), *map(Given.of, same[: loop.fixed])]
        body = Closed(back.step, given, loop.body.machine)
        reversed_loop = Loop(body, len(firsts) + len(sums), loop.fixed, None, not loop.reverse, loop.name, pulls=True)
        count = None if loop.test is not None else self.count
        found_ends, found_rows = reversed_loop([*firsts, *sums], rows, same[: loop.fixed], count)
        ends, ys = iter(found_ends), iter(found_rows)
        # of the carry the cotangent is there even if nothing of it was reached
        of_carry = [next(ends) if present[i] else None for i in range(k)]
        of_rows = [next(ys) if f else None for f in found[k : k + m]]
        of_same = [next(ends) if f else None for f in found[k + m :]]
        return [*of_carry, *of_rows, *of_same, *[None] * (len(saved) - size)]


def _row(rows: Rows) -> Given:
    return rows.given()


class _Backward:
    """One step of the pull-back: the cotangents of the carry after the step, sums, and rows, to those before it."""

    def __init__(self, loop: Loop, present: Sequence[bool], found: Sequence[bool], rows: int) -> None:
        self.loop, self.present, self.found, self.rows = loop, present, found, rows

    def step(self, *flat: Any) -> list[Any]:
        """The cotangents of the carry, the sums, and those of the rows."""
        k, m, present, found = self.loop.carries, self.rows, self.present, self.found
        it = iter(flat)
        carried = {i: next(it) for i in range(k) if present[i]}
        sums = [next(it) for f in found[k + m :] if f]
        args = [next(it) for _ in range(k + m)]
        written = {i: next(it) for i in range(k, len(present)) if present[i]}
        args += it
        which = [i for i, f in enumerate(found) if f]
        cotangents = carried | written
        pulled = iter(self._pulled(args, which, cotangents))
        by = {i: next(pulled) for i in which}
        before = [by[i] if i in by else np.zeros_like(carried[i]) for i in carried]
        of_same = [s + by[i] for s, i in zip(sums, (i for i in which if i >= k + m), strict=True)]
        return [*before, *of_same, *(by[i] for i in which if k <= i < k + m)]

    def _pulled(self, args: list[Any], which: list[int], cotangents: dict[int, Any]) -> Sequence[Any]:
        if not which:
            return ()

        def partial(*xs: Any) -> list[Any]:
            filled = list(args)
            for i, x in zip(which, xs, strict=True):
                filled[i] = x
            results = self.loop.body(*filled)
            return [results[i] for i in cotangents]

        pulled: Any = vjp(partial, *(args[i] for i in which))[1](list(cotangents.values()))
        return (pulled,) if len(which) == 1 else pulled
