"""What tracers write down: constants as they are found, and elementwise nodes, of which those that are known vanish."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..backend import is_array
from ..kernel import engine
from ..kernel.target import Target
from ..kinds import Value
from ..operand.levels import Scope
from .constants import compact, is_uniform, same
from .following import Guard, Numbers, together
from .narrowed import narrow
from .nodes import MOST_PLANES, Node, Trace, added, broadcast, by_pieces, sliced, stacked
from .scalars import KEEP_WEAK, Pack, Scalars

__all__ = ["Elsewhere", "Tracing", "is_tracing", "select"]


_tracing: ContextVar[bool] = ContextVar("tracing", default=False)
is_tracing = _tracing.get  # whether a function is being traced
_FEW = 300  # elementwise operations that are one kernel of vectors: of more a loop is looked for


class Elsewhere(Exception):
    """A trace for one machine has met an array of another, which it must be made for."""

    def __init__(self, machine: Target) -> None:
        self.machine = machine


class Tracing:
    """What all tracers of one trace share.

    Attributes:
        scope: their level.
        machine: where the arrays will be that are traced.
        alarms: truth values at which a mend must follow.
        seldom: the numbers of those that choose what is written for such points.
        scalars: the entries of small arrays; None where these stay whole.
        numbers: those of the arguments at hand, and of what is computed from them.
        guards: those that decided what the function did, by their nodes.
        shaped: nodes whose shape or type follows from numbers.
        exact: whether shapes and types of results are told by the numbers, not by others like them.
        following: whether functions of the package look at numbers as the user's do.
        refused: what the user's function asked for in vain.
        short: whether arithmetic may go the short way.
    """

    def __init__(
        self,
        scope: Scope,
        machine: Target,
        samples: Sequence[Any] = (),
        exact: bool = False,
        following: bool = False,
        in_one: bool = False,
    ) -> None:
        self.numbers = Numbers(samples, machine.looks)
        self.guards: dict[int, Guard] = {}
        self.shaped: list[Node] = []
        self.exact = exact
        self.following = following
        self.refused: Exception | None = None
        self.scope = scope
        self.machine = machine
        self.short = machine.looks
        self.scalars = None if in_one or not machine.loops else Scalars(machine.possible, samples)
        self.alarms: list[Node] = []
        self.seldom: set[int] = set()
        self._constants: dict[int, tuple[Any, Node]] = {}
        self._parts: dict[tuple[int, str], Node] = {}
        self._stacks: dict[int, Node] = {}

    def constant(self, x: Value) -> Node:
        """An array from outside, as it is now; one node for each, as long as nobody writes to it."""
        known = self._constants.get(id(x))
        if known is None and is_array(x) and not isinstance(x, (np.ndarray, np.generic)):
            if type(x) is not self.machine.arrays:
                raise Elsewhere(engine.machine_of(type(x)) or self.machine)
            known = self._constants[id(x)] = (x, Node("held", (), x.shape, x.dtype, x.copy()))
        if known is None or (isinstance(x, np.ndarray) and not same(x, np.asarray(known[1].extra))):
            weak = isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic)
            array = np.asarray(x)
            node = Node("constant", (), array.shape, array.dtype, x if weak else compact(array), weak=weak)
            known = self._constants[id(x)] = (x, node)  # x is held, so its id stays its own
        return known[1]

    def part(self, node: Node, index: tuple[Any, ...]) -> Node:
        """node[index] for a basic index; one node for each."""
        key = node.number, repr(index)
        if key not in self._parts:
            self._parts[key] = sliced(node, index)
        return self._parts[key]

    def in_one(self, node: Node) -> Node:
        """The node as NumPy reads it: planes of which kernels compute some are written one behind the other."""
        if node.op != "concatenate" or node.shape[0] > MOST_PLANES:
            return node
        if node.number not in self._stacks:
            stack = stacked(node)
            own = stack.op == "stack" and stack.args[-1].elementwise
            self._stacks[node.number] = stack if own else node
        return self._stacks[node.number]

    def __enter__(self) -> "Tracing":
        self._token = _tracing.set(True)
        return self

    def __exit__(self, *error: Any) -> None:
        _tracing.reset(self._token)
        if self.scalars is not None:
            self.scalars.forget()

    def finished(self, inputs: Sequence[Node], outputs: Sequence[Node], written: dict[int, Node]) -> Trace:
        """The trace; small arrays are whole again where nothing needed their entries."""
        guards, alarms = list(self.guards.values()), self.alarms
        if self.scalars is not None and not self.scalars.needed and self.scalars.packs < _FEW:
            nodes = iter(_whole([*outputs, *alarms, *written.values(), *(g.node for g in guards)]))
            outputs, alarms = [next(nodes) for _ in outputs], [next(nodes) for _ in alarms]
            written = {i: next(nodes) for i in written}
            for guard in guards:
                guard.node = next(nodes)
        alarms = [a for n in alarms for a in (n.args if n.op == "pack" else (n,))]
        traced = Trace(inputs, list(map(stacked, outputs)), alarms, self.seldom, guards, written, self.shaped)
        if len(guards) > 1 and self.machine.looks:
            traced.guards = together(guards, list(traced.nodes()))
        narrow(traced)
        return traced

    def elementwise(self, ufunc: np.ufunc, *nodes: Node) -> Node:
        """What a ufunc gives; a constant where its arguments are."""
        for n in nodes:
            if n.op != "constant":
                break
        else:
            return self._of_constants(ufunc, nodes)
        if self.scalars is not None:
            apart = self.scalars.elementwise(ufunc, nodes)
            if apart is not None:
                return apart
        found = added(nodes[0], nodes[1], lambda a, b: self.elementwise(np.add, a, b)) if ufunc is np.add else None
        if found is None:
            shape, dtype = _outcome(ufunc, nodes)
            found = by_pieces(lambda *parts: self.elementwise(ufunc, *parts), nodes, shape)
        weak = ufunc in KEEP_WEAK and all(n.weak for n in nodes)
        return found or Node(ufunc, nodes, shape, dtype, weak=weak)

    def _of_constants(self, ufunc: np.ufunc, nodes: Sequence[Node]) -> Node:
        """What a ufunc gives of constants: one itself."""
        with np.errstate(all="ignore"):
            if all(is_uniform(n.extra) and np.size(n.extra) for n in nodes):  # one number, spread
                numbers = (n.extra if n.weak else np.asarray(n.extra).flat[0] for n in nodes)
                y = np.broadcast_to(ufunc(*numbers), np.broadcast_shapes(*(n.shape for n in nodes)))[()]
            else:
                y = ufunc(*(n.extra for n in nodes))
        weak = ufunc in KEEP_WEAK and all(n.weak for n in nodes)
        return self.constant(y.item() if weak else y)


def _outcome(ufunc: np.ufunc, nodes: tuple[Node, ...]) -> tuple[tuple[int, ...], Any]:
    """Shape and type of an elementwise result."""
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    with np.errstate(all="ignore"):
        return shape, ufunc(*(_number(n) if n.weak else np.ones((), n.dtype) for n in nodes)).dtype


def select(*nodes: Node) -> Node:
    """np.where of three nodes, block by block where they are stacks; what is chosen alone where that is known."""
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    dtype = np.result_type(*(_number(n) if n.weak else n.dtype for n in nodes[1:]))
    condition, *choices = nodes
    if condition.op == "constant" and np.size(condition.extra) and is_uniform(condition.extra):
        chosen = choices[0 if np.asarray(condition.extra).flat[0] else 1]
        if chosen.op == "constant" and is_uniform(chosen.extra) and np.size(chosen.extra):
            one = dtype.type(np.asarray(chosen.extra).flat[0])
            return Node("constant", (), shape, dtype, np.broadcast_to(one, shape))
        if chosen.dtype == dtype and not chosen.weak:
            return chosen if chosen.shape == shape else broadcast(chosen, shape)
    return by_pieces(select, nodes, shape) or Node("select", nodes, shape, dtype)


def _number(node: Node) -> Any:
    """A Python number that stands for a weak node: itself where it is known."""
    return node.extra if node.op == "constant" else 1.0 if node.dtype.kind != "c" else 1j


def _whole(nodes: Sequence[Node]) -> list[Node]:
    """Nodes in which nothing is taken apart, where elementwise operations are all that was done."""
    packs: dict[int, Pack] = {}
    seen: set[int] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node.number not in seen:
            seen.add(node.number)
            if isinstance(node, Pack):
                packs[node.number] = node
            waiting.extend(node.made[1] if isinstance(node, Pack) else node.args)
    made: dict[int, Node] = {}
    for number in sorted(packs):
        node = packs[number]
        op, args = node.made
        made[number] = y = Node(op, tuple([made.get(a.number, a) for a in args]), node.shape, node.dtype)
        y.relaxed = node.relaxed
    return [made.get(n.number, n) for n in nodes]
