"""What is left of a trace once it is cut: its steps, and of its nodes what the replay must know of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..kernel.target import Target
from .cut import Cut
from .fused import Kernel
from .nodes import Node, Trace

__all__ = ["Pared"]


class Pared:
    """The steps of a trace, without the nodes that went into kernels.

    Attributes:
        steps: kernels, and nodes that NumPy executes, in order.
        inputs, outputs, alarms, shaped: as in `Trace`; of alarms those that no kernel watches.
        guards, written: likewise.
        computed: the numbers of nodes that kernels compute.
        apart: see `Cut`.
        machine: that it was cut for.
    """

    def __init__(
        self,
        steps: Sequence[Kernel | Node],
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        alarms: Sequence[Node],
        guards: Sequence[Any],
        written: dict[int, Node],
        shaped: Sequence[Node],
        computed: set[int],
        apart: set[int],
        machine: Target,
    ) -> None:
        self.steps, self.inputs, self.outputs, self.alarms = steps, inputs, outputs, alarms
        self.guards, self.written, self.shaped = guards, written, shaped
        self.computed, self.apart, self.machine = computed, apart, machine

    @staticmethod
    def of(traced: Trace, cut: Cut) -> "Pared":
        known: dict[int, Node] = {}
        running = {s.number for s in cut.steps if isinstance(s, Node)}

        def bare(node: Node) -> Node:
            """The node without the trace that it comes from; of steps the arguments stay."""
            found = known.get(node.number)
            if found is None:
                found = known[node.number] = node.alone()
                if node.number in running:
                    found.args = tuple(map(bare, node.args))
            return found

        steps: list[Kernel | Node] = []
        for step in cut.steps:
            if isinstance(step, Kernel):
                step.sources = [s._replace(node=bare(s.node)) for s in step.sources]
                step.outputs = [o._replace(node=bare(o.node)) for o in step.outputs]
                steps.append(step)
            else:
                steps.append(bare(step))
        for guard in (g for whole in traced.guards for g in (whole, *whole.parts)):
            guard.node = bare(guard.node)
        lists = ([*map(bare, nodes)] for nodes in (traced.inputs, traced.outputs, cut.alarms, traced.shaped))
        inputs, outputs, alarms, shaped = lists
        written = {i: bare(n) for i, n in traced.written.items()}
        computed = {number for number in known if cut.kinds.get(number) is not None}
        apart = {number for number in known if number in cut.apart}
        return Pared(
            steps, inputs, outputs, alarms, traced.guards, written, shaped, computed, apart, cut.target
        )  # fmt: skip

    @property
    def reduced(self) -> set[int]:
        """The numbers of nodes that kernels reduce."""
        kernels = (s for s in self.steps if isinstance(s, Kernel))
        return {o.node.number for k in kernels for o in k.outputs if o.reduced is not None}

    @property
    def wanted(self) -> list[Node]:
        """The nodes whose arrays somebody looks at."""
        return [*self.outputs, *(g.node for g in self.guards), *self.written.values(), *self.shaped]

    def nodes(self) -> Iterator[Node]:
        """All that are named, each once, arguments first."""
        found: dict[int, Node] = {}
        for step in self.steps:
            if isinstance(step, Kernel):
                named = [*(s.node for s in step.sources), *(o.node for o in step.outputs)]
            else:
                named = [*step.args, step]
            found.update((n.number, n) for n in named)
        found.update((n.number, n) for n in (*self.inputs, *self.wanted, *self.alarms))
        found.update((g.node.number, g.node) for whole in self.guards for g in whole.parts)
        return iter(sorted(found.values(), key=lambda n: (bool(n.args), n.number)))
