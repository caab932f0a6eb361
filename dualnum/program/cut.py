"""A trace cut into steps: kernels, and what NumPy runs between them.

Nodes of one shape and type that need nothing but each other become one kernel, whatever their number.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..kernel import engine, launch
from ..kernel.interpret import INTERPRETER
from ..kernel.layout import BLOCK, Group, goes_round
from ..kernel.plan import prepare
from ..kernel.target import Target
from ..kinds import DType
from .body import Body, layout_of, spread_constant, windows
from .eligible import elementwise_kind, is_laid_out, layout_of_argument, numbers, once
from .fused import Kernel, Output, Source, around, ringed
from .lifting import Lifted, Rider, lifted, riders
from .nodes import MOST_PLANES, Node, Trace
from .order import depth_first, split
from .places import place, rows
from .scalars import Pack, Scalar
from .sums import Reduced, reduced

__all__ = ["Cut"]

_MOST_WINDOWS = 16  # that one node of a kernel sums


class Cut:
    """The steps of a trace.

    Attributes:
        steps: kernels, and nodes that NumPy executes, in order.
        alarms: alarms that no kernel watches.
        apart: numbers that are no arrays of a device: they are computed here.
    """

    def __init__(self, traced: Trace, samples: Sequence[Any], target: Target) -> None:
        self.target = target
        self.steps: list[Kernel | Node] = []
        self.alarms: list[Node] = []
        self.nodes = list(traced.nodes())
        self.seldom = traced.seldom
        self.apart = set() if target.looks else set(numbers(self.nodes, traced, samples))
        self.layouts = {n.number: layout_of_argument(x) for n, x in zip(traced.inputs, samples, strict=True)}
        self.kinds: dict[int, Any] = {}
        self.rows: dict[Any, int] = {}  # how long those are that kernels of a kind reduce
        self.reduced: dict[int, Reduced] = {}  # what a kernel gives that is one number of all elements
        self.places: dict[
            int, tuple[Node, int]
        ] = {}  # of scalars that one kernel leaves to others: an array, and where
        self._scalars: dict[Any, Any] = {}  # kinds of scalars, by operation and type
        for node in self.nodes:
            self.kinds[node.number] = self._kind(node)
        self._lift(traced)
        self._assign(traced)
        self._drop_unread(traced)

    def _lift(self, traced: Trace) -> None:
        """Finds what is computed where it is put into longer arrays, and drops what nothing else needs."""
        self.lifted: dict[int, Lifted] = {}
        self.riders: dict[int, Rider] = {}
        if "o" not in self.target.layouts:
            return
        fixed = {n.number for n in (*traced.wanted, *traced.alarms)} | set(self.seldom)
        self.lifted = lifted(self.nodes, self.kinds, fixed, self.in_one_piece, self._direct)
        if self.lifted:
            reductions = [n for n in self.nodes if self._reduces(n) and self.reduced[n.number].whole]
            self.riders = riders(self.nodes, self.kinds, self.lifted, reductions, self._direct)
            needed = set(fixed)
            for node in reversed(self.nodes):
                if node.number in needed:
                    needed.update(a.number for a in self.reads(node))
            self.nodes = [n for n in self.nodes if n.number in needed]

    def reads(self, node: Node) -> Sequence[Node]:
        """What a node needs of others."""
        rider = self.riders.get(node.number)
        its = self.lifted.get(node.number if rider is None else rider.on.number)
        return node.args if its is None else its.leaves

    def _assign(self, traced: Trace) -> None:
        stages, kinds = self._stages(), self.kinds
        groups: dict[Any, list[Node]] = {}
        self._sink(stages, traced)
        for node in self.nodes:
            of = self._computed_with(node)
            kind, stage, away = kinds[of.number], stages[node.number], of.number in self.apart
            groups.setdefault((stage, kind if kind is not None else node.number, away), []).append(node)
        together = len(groups)
        if self.target.looks:
            on = {number: rider.on.number for number, rider in self.riders.items()}
            groups = split(groups, [n for n in self.nodes if n.op == "stack"], on)
        users: dict[int, set[Any]] = {}  # of a node the other groups that read it
        where = {n.number: key for key, members in groups.items() for n in members}
        for node in self.nodes:
            key = where[node.number]
            for arg in self.reads(node):
                if where[arg.number] is not key:
                    users.setdefault(arg.number, set()).add(key)
        # a stack whose planes one kernel computes is written by it
        stacks: dict[Any, list[Node]] = {}
        for node in (n for n in self.nodes if n.op == "stack"):
            made = {where[a.number] for a in node.args if a.elementwise}
            if len(made) == 1 and node.args[-1].elementwise:
                (key,) = made
                others = [_origin(a) for a in node.args if where[a.number] != key]
                if kinds[node.args[-1].number] is not None and all(stages[a.number] < key[0] for a in others):
                    stacks.setdefault(key, []).append(node)
        written = {n.number: key for key, members in stacks.items() for n in members}
        wanted = {n.number for n in traced.wanted}
        alarms = {n.number for n in traced.alarms}
        for key in sorted(groups, key=lambda k: (k[0], groups[k][0].number)):
            members = sorted(groups[key], key=lambda n: n.number in self.reduced)
            first = members[0]
            if first.number in written:
                continue
            if kinds[first.number] is None:
                if first.op not in ("input", "constant", "held"):
                    self.steps.append(first)
                if first.number in alarms:
                    self.alarms.append(first)
            elif not self.kinds[first.number][0] and self.target.handle is not None:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                outside = {n.number: users[n.number] - here for n in members if n.number in users}
                given = [n for n in members if n.op == "pack" or n.number in wanted or outside.get(n.number)]
                shared = [n for n in given if n.op != "pack" and n.number not in wanted]
                shared = [n for n in shared if all(_is_scalar(k) for k in outside[n.number])]
                self._kernel(members, self._shared(given, shared, kinds), stacks.get(key, []), alarms)
            else:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                given = [n for n in members if n.number in wanted or users.get(n.number, set()) - here]
                self._kernel(members, given, stacks.get(key, []), alarms)
        if len(groups) > together:
            self.steps = depth_first(self.steps, [*traced.wanted, *self.alarms])

    def _stages(self) -> dict[int, int]:
        """Of each node how many kernels and steps must run one after the other before it."""
        stages: dict[int, int] = {}
        kinds = self.kinds
        for node in self.nodes:
            if self._reduces(node) and node.number not in self.riders:
                stages[node.number] = stages[node.args[0].number]
                continue
            kind = kinds[self._computed_with(node).number]
            stage = 0
            apart = node.number in self.apart
            broadcast = node.op == "broadcast"
            for arg in self.reads(node):
                before, its = stages[arg.number], kinds[arg.number]
                same = kind is not None and (its is kind or its == kind) and apart == (arg.number in self.apart)
                if not (same or broadcast or (arg.op == "rolled" and self.turns(arg, kind))):
                    before += 1
                if before > stage:
                    stage = before
            stages[node.number] = stage
        return stages

    def _sink(self, stages: dict[int, int], traced: Trace) -> None:
        """Moves nodes to the first kernel that reads them, where nothing else has to be written for it then."""
        if not any(kind is not None and kind[0] for kind in self.kinds.values()):  # of numbers alone
            return
        readers: dict[int, list[Node]] = {}
        for node in self.nodes:
            for arg in self.reads(node):
                readers.setdefault(arg.number, []).append(node)
        fixed = {n.number for n in (*traced.wanted, *traced.alarms)} | set(self.seldom)
        fixed.update(rider.on.number for rider in self.riders.values())
        for node in reversed(self.nodes):
            kind, stage, users = self.kinds[node.number], stages[node.number], readers.get(node.number, ())
            if kind is None or not kind[0] or node.number in fixed or any(self.kinds[u.number] != kind for u in users):
                continue
            first = min((stages[u.number] for u in users), default=stage)
            here = [a for a in self.reads(node) if self.kinds[a.number] is not None and stages[a.number] == stage]
            if first > stage and all(self._is_written(a, node, stages, readers, fixed) for a in here):
                stages[node.number] = first

    def _is_written(self, node: Node, but: Node, stages: dict[int, int], readers: Any, fixed: Collection[int]) -> bool:
        """Whether the kernel of a node must write it, whatever becomes of one of its readers."""
        others = (u for u in readers[node.number] if u is not but)
        return node.number in fixed or any(stages[u.number] > stages[node.number] for u in others)

    def _shared(self, given: list[Node], shared: list[Node], kinds: dict[int, Any]) -> list[Node]:
        """What a kernel of scalars gives back, those that only other such kernels read as one array."""
        if len(shared) < 2:
            return given
        entries = np.empty(len(shared), object)
        for i, n in enumerate(shared):
            entries[i] = n
        together = Pack(entries, kinds[shared[0].number][1])
        kinds[together.number] = kinds[shared[0].number]
        self.places.update({n.number: (together, i) for i, n in enumerate(shared)})
        return [*(n for n in given if n.number not in self.places), together]

    def _drop_unread(self, traced: Trace) -> None:
        """Leaves out what NumPy would execute for kernels that see through it."""
        read = {n.number for n in (*traced.wanted, *self.alarms)}
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
        if type(node) is Scalar and node.dtype != bool:  # there are many
            key = node.op, node.dtype
            if key not in self._scalars:
                possible = node.op == "select" or (node.op != "entry" and launch.uniform(node.op, node.dtype))
                self._scalars[key] = ((), node.dtype) if possible else None
            return self._scalars[key]
        if node.op == "placed":
            possible = self._direct((), node.dtype) and len(node.args) <= _MOST_WINDOWS
            possible = possible and all(a.shape != node.shape for a in node.args)
            if possible and all(w is not None and layout_of(w) in "w" + self.target.layouts for w in windows(node)):
                return node.shape, node.dtype
            return None
        if node.op == "pack":
            if node.dtype == bool:
                return next((self.kinds[a.number] for a in node.args if self.kinds.get(a.number) is not None), None)
            return (), node.dtype
        return elementwise_kind(node, self.kinds)

    def _reduces(self, node: Node) -> bool:
        """Whether the kernel of a node's argument finds it by the way."""
        its = reduced(node) if self.target.reduces and self.kinds[node.number] is None else None
        of = None if its is None else self.kinds[node.args[0].number]
        if its is None or of is None or node.args[0].number in self.apart or not self.target.computes(of[1]):
            return False
        if prod(of[0]) < 2 or (its.way.row and self.rows.setdefault(of, its.way.row) != its.way.row):
            return False
        self.reduced[node.number] = its
        return True

    def _computed_with(self, node: Node) -> Node:
        """The node whose kernel computes this one: of what is reduced another's."""
        if node.number in self.riders:
            return self.riders[node.number].on
        return node.args[0] if node.number in self.reduced else node

    def _direct(self, members: Sequence[Node], dtype: DType) -> bool:
        """Whether a kernel of these nodes is one piece of machine code that takes arrays as they are."""
        target = self.target
        if (target.handle is None and target.looks) or not target.computes(dtype):
            return False
        return all(op in ("select", "placed", "pack") or target.possible(op) for op in {n.op for n in members})

    def turns(self, node: Node, kind: Any) -> bool:
        """Whether a kernel of this kind reads what is rolled where it was before."""
        return node.op == "rolled" and self.target.looks and kind == (node.shape, node.dtype)

    def is_plane(self, node: Node, kind: Any) -> bool:
        """Whether a node is a plane of an input that kernels of this kind read where it lies."""
        if node.op != "row" or node.extra >= MOST_PLANES or kind != (node.shape, node.dtype):
            return False
        (whole,) = node.args
        return (whole.op == "input" or (whole.op == "call" and self.target.looks)) and self.in_one_piece(whole)

    def in_one_piece(self, node: Node) -> bool:
        """Whether what is computed for a node is known to be a contiguous array."""
        if node.op == "input":
            return self.layouts[node.number] == "c"
        if node.op in ("slice", "row"):
            index = node.extra if node.op == "slice" else (node.extra,)
            parent = node.args[0]
            return node.shape != () and self.in_one_piece(parent) and place(index, parent.shape) is not None
        if node.op == "constant":
            return bool(np.asarray(node.extra).flags.c_contiguous)
        if node.op == "held":
            return bool(node.extra.flags.c_contiguous)
        if node.op == "call":
            return is_laid_out(node, self.in_one_piece)
        return node.op in ("placed", "stack", "concatenate") or self.kinds.get(node.number) is not None

    def source(self, node: Node, kind: Any, direct: bool) -> Source:
        """How a kernel of this shape and type reads an array."""
        shape, dtype = kind
        whole, node = node, once(node)
        plain = node.shape == shape and node.dtype == dtype
        ready = plain and self.in_one_piece(node)
        if not self.target.looks:
            own = not (node.weak or node.number in self.apart)
            return Source(node, "s" if not own else "c" if ready else "n", ready=ready)
        if node.weak or (direct and not ready and prod(node.shape) == 1):
            return Source(node, "s")
        if plain and direct and node.op == "slice" and "m" in self.target.layouts and self.in_one_piece(node.args[0]):
            its = None if ready else rows(node.extra, node.args[0].shape)
            if its is not None:
                return Source(node, "m", window=its)
        short = prod(shape) <= BLOCK
        if node.op == "constant" and not ready and short and prod(node.shape) != 1:
            return Source(spread_constant(node, shape, dtype), "c")
        if ready or (direct and short and not goes_round(node.shape, shape)):
            return Source(node, "c", ready=ready)
        if plain and node is whole:
            return Source(node, self.layouts.get(node.number, "p"), ready=False)
        if direct and "r" in self.target.layouts and node.dtype == dtype and goes_round(node.shape, shape):
            turns = around(node.shape)
            ring = Node("constant", (), (), dtype, ringed(node.extra)) if node.op == "constant" else node
            return Source(ring, "r", ready=ring is not node, window=turns)
        if node is not whole:
            return Source(spread_constant(node, shape, dtype), "c")
        return Source(node, "b" if prod(node.shape) == 1 else "p", ready=False)

    def _kernel(self, members: list[Node], given: list[Node], stacks: list[Node], alarms: set[int]) -> None:
        shape, dtype = kind = self.kinds[members[0].number]
        direct = self._direct(members, dtype)
        ways = {n.number: self.reduced[n.number] for n in members if n.number in self.reduced}
        row = max((its.way.row for its in ways.values()), default=0)
        self.reduced.update({k: its._replace(way=its.way._replace(row=row)) for k, its in ways.items()})
        if not direct:  # windows are read by machine code only
            self.steps += [n for n in members if n.op == "placed"]
            members = [n for n in members if n.op != "placed"]
        inside = {n.number for n in members}
        outside = [a for n in (*members, *stacks) for a in self.reads(n) if a.number not in inside]
        watched = [n for n in members if n.number in alarms]
        seldom = {n.args[0].number for n in members if n.op == "select"} & set(self.seldom)
        target = engine.target() if members[0].number in self.apart else self.target
        target = target if target.computes(dtype) else target.interpreter or INTERPRETER
        # what is chosen seldom is left to a program that follows where it is needed
        follows = bool(seldom) and not watched and target is self.target
        body = Body(self, kind, direct, outside, seldom if follows else ())
        given = [n for n in given if n.number in inside or n.op == "pack"]
        if watched and not given and not stacks:
            given = members[-1:]  # the interpreter runs over what it writes
        program = body.program(members, given, stacks, watched)
        results = [self._output(n) for n in given] + [
            Output(s, len(s.args) if self.target.looks else s.shape[0], s.shape[0]) for s in stacks
        ]
        groups = [Group("c" if s.layout == "t" else s.layout, s.planes or 1) for s in body.sources]
        counts = [y.planes for y in results]
        plan = prepare(program, groups, counts, target, single=not shape)
        if follows:
            mending = Body(self, kind, direct, outside, seldom, follows=True).program(members, given, stacks, watched)
            plan = replace(plan, mend=prepare(mending, groups, counts, target, guarded=True))
        self.steps.append(Kernel(plan, shape, dtype, body.sources, results, program, groups))

    def _output(self, node: Node) -> Output:
        if node.op == "pack":
            return Output(node, len(node.args), len(node.args))
        return Output(node, reduced=self.reduced.get(node.number))


def _is_scalar(key: Any) -> bool:
    """Whether a group of nodes is a kernel of scalars."""
    return type(key[1]) is tuple and key[1][0] == ()


def _origin(node: Node) -> Node:
    """The node whose array a kernel reads for this one."""
    while node.op == "broadcast" or (node.op == "row" and node.args[0].op == "input"):
        node = node.args[0]
    return node
