"""What tracers write down: constants as they are found, and elementwise nodes, of which those that are known vanish."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import is_array
from ..kernel import engine
from ..kernel.target import Target
from ..kinds import Value
from ..operand.levels import Scope
from .nodes import Node, added, compact, row_by_row, sliced, stacked
from .scalars import KEEP_WEAK, Numbers, whole

__all__ = ["Elsewhere", "Tracing", "select"]


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
        numbers: the entries of small arrays; None where these stay whole.
    """

    def __init__(self, scope: Scope, machine: Target, in_one: bool = False) -> None:
        self.scope = scope
        self.machine = machine
        self.numbers = None if in_one or not machine.loops else Numbers(machine.possible)
        self.alarms: list[Node] = []
        self.seldom: set[int] = set()
        self._constants: dict[int, tuple[Any, Node]] = {}
        self._parts: dict[tuple[int, str], Node] = {}

    def constant(self, x: Value) -> Node:
        """An array from outside, as it is now; one node for each, as long as nobody writes to it."""
        known = self._constants.get(id(x))
        if known is None and is_array(x) and not isinstance(x, (np.ndarray, np.generic)):
            if type(x) is not self.machine.arrays:
                raise Elsewhere(engine.machine_of(type(x)) or self.machine)
            known = self._constants[id(x)] = (x, Node("held", (), x.shape, x.dtype, x.copy()))
        if known is None or (isinstance(x, np.ndarray) and x.tobytes() != np.asarray(known[1].extra).tobytes()):
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

    def __enter__(self) -> "Tracing":
        return self

    def __exit__(self, *error: Any) -> None:
        if self.numbers is not None:
            self.numbers.forget()

    def whole_array(self, node: Node, array: bool) -> Node:
        """An output; what is an array without axes is no entry any more."""
        return self.numbers.array(node) if array and self.numbers is not None else node

    def finished(self, outputs: Sequence[Node]) -> tuple[list[Node], list[Node]]:
        """The outputs and alarms of the trace; small arrays whole again where nothing needed their entries."""
        alarms = self.alarms
        if self.numbers is not None and not self.numbers.needed and self.numbers.packs < _FEW:
            nodes = whole([*outputs, *alarms])
            outputs, alarms = nodes[: len(outputs)], nodes[len(outputs) :]
        return list(map(stacked, outputs)), [a for n in alarms for a in (n.args if n.op == "pack" else (n,))]

    def elementwise(self, ufunc: np.ufunc, *nodes: Node) -> Node:
        """What a ufunc gives; a constant where its arguments are."""
        weak = ufunc in KEEP_WEAK and all(n.weak for n in nodes)
        if all(n.op == "constant" for n in nodes):
            with np.errstate(all="ignore"):
                y = ufunc(*(n.extra for n in nodes))
            return self.constant(y.item() if weak else y)
        if self.numbers is not None:
            apart = self.numbers.elementwise(ufunc, nodes)
            if apart is not None:
                return apart
        found = added(nodes[0], nodes[1], lambda a, b: self.elementwise(np.add, a, b)) if ufunc is np.add else None
        return found or Node(ufunc, nodes, *_outcome(ufunc, nodes), weak=weak)


def _outcome(ufunc: np.ufunc, nodes: tuple[Node, ...]) -> tuple[tuple[int, ...], Any]:
    """Shape and type of an elementwise result."""
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    with np.errstate(all="ignore"):
        return shape, ufunc(*(_number(n) if n.weak else np.ones((), n.dtype) for n in nodes)).dtype


def select(*nodes: Node) -> Node:
    """np.where of three nodes, plane by plane where they are stacks."""
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    dtype = np.result_type(*(_number(n) if n.weak else n.dtype for n in nodes[1:]))
    return row_by_row(select, nodes, shape) or Node("select", nodes, shape, dtype)


def _number(node: Node) -> Any:
    """A Python number that stands for a weak node: itself where it is known."""
    return node.extra if node.op == "constant" else 1.0 if node.dtype.kind != "c" else 1j
