"""Functions as programs of their own: traced once with formal arguments, run on whatever stands for these.

A formal tracer stands on a level above all that are open. So everything that the function does is a node, also what it
does with operands from outside, which become further arguments: the function is closed. The nodes are then evaluated
on arrays, jets, variables or tracers, whose own rules apply, and whose derivatives are right with that.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import collector
from ..kernel import engine
from ..kinds import DType, Index, Value
from ..operand import Operand, bilinear, linear, primal, rearrange
from ..operand.levels import open_scope
from ..primitives.row import recurring
from .evaluated import evaluated
from .nodes import Node
from .trace import Tracer
from .tracing import Tracing

__all__ = ["Closed", "Given", "numbers_of"]

_SMALL = 1 << 20  # a constant by which is counted


class Given(NamedTuple):
    """What is known of a formal argument.

    Attributes:
        shape, dtype: of the array; None and object for what is no array.
        weak: whether it is a number of Python's.
        sample: () → an array like those that will come, for functions that fail on others.
    """

    shape: Any
    dtype: Any
    weak: bool = False
    sample: Callable[[], Any] | None = None

    @staticmethod
    def of(x: Value) -> "Given":
        """What is known of such an array, operand or number."""
        weak = type(x) in (bool, int, float, complex)
        return Given(
            np.shape(x), x.dtype if hasattr(x, "dtype") else np.result_type(type(x)), weak, lambda: numbers_of(x)
        )


def numbers_of(x: Value) -> Any:
    """The numbers at hand of an operand, or an array."""
    x = primal(x)
    return x.record.numbers.of(x.node) if isinstance(x, Tracer) else x


class _Samples:
    """The numbers of the arguments, looked up when they are asked for."""

    def __init__(self, given: Sequence[Given]) -> None:
        self.given = list(given)

    def __getitem__(self, i: int) -> Any:
        its = self.given[i]
        x = its.sample() if its.sample is not None else None
        return np.ones(its.shape, its.dtype) if x is None else x


class _Closing(Tracing):
    """The record of a function that is being closed.

    Attributes:
        captured: operands from outside, by the nodes that stand for them.
    """

    def __init__(self, scope: Any, machine: Any, given: Sequence[Given]) -> None:
        super().__init__(scope, machine, in_one=True)
        self.samples = self.numbers._samples = _Samples(given)  # type: ignore[assignment]
        self.captured: list[tuple[Node, Any]] = []
        self._captured: dict[int, Node] = {}

    def capture(self, x: Operand) -> Node:
        found = self._captured.get(id(x))
        if found is None:
            known = Given.of(x)
            found = self._captured[id(x)] = Node("input", (), known.shape, known.dtype, len(self.samples.given))
            self.samples.given.append(known)
            self.captured.append((found, x))  # held, so that its id stays its own
        return found


class Formal(Tracer):
    """A formal argument, and what follows from it."""

    __slots__ = ()

    def _wrap(self, node: Node) -> "Formal":
        return Formal(node, self.record)

    def _as_array(self) -> "Formal":
        return FormalArray(self.node, self.record) if self.node.shape == () else self

    def _node(self, x: Value) -> Node:
        if isinstance(x, Operand) and not (isinstance(x, Tracer) and x.record is self.record):
            return self.record.capture(x)  # type: ignore[no-any-return]
        return super()._node(x)

    def _own(self, x: Any) -> Any:
        """x, also in containers of arguments, with formal tracers in the place of operands from outside."""
        if isinstance(x, Operand):
            return self._wrap(self._node(x)) if x.scope.level < self.scope.level else x
        if type(x) in (tuple, list):
            return type(x)(map(self._own, x))
        if type(x) is dict:
            return {k: self._own(v) for k, v in x.items()}
        if type(x) is slice:
            return slice(self._own(x.start), self._own(x.stop), self._own(x.step))
        return x

    _holding = _own

    def _known(self, what: str, instead: str) -> Any:
        if self.node.op == "constant":
            return self.node.extra
        raise self._refused(what, instead)

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return super()._ufunc(ufunc, method, self._own(inputs), self._own(kwargs))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return super().__array_function__(function, types, self._own(tuple(args)), self._own(dict(kwargs)))

    def __getitem__(self, index: Index) -> Any:
        return super().__getitem__(self._own(index))

    def _write(self, write: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        super()._write(write, *self._own(args), **self._own(kwargs))

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        return super()._operation(operation, self._own(args))

    def _linear(
        self, function: Callable[..., Any], data: tuple[Any, ...], adjoint: Any = None, stacked: Any = None
    ) -> Any:
        return self._call(_Linear(function, adjoint, stacked).run, *self._own(data))

    def _rearrange(self, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        return self._call(_Rearranged(function).run, *self._own(data))

    def _bilinear(
        self, function: Callable[[Any, Any], Any], a: Value, b: Value, adjoints: Any = None, stacked: Any = None
    ) -> Any:
        return self._call(_Bilinear(function, adjoints, stacked).run, *self._own((a, b)))


class FormalArray(Formal):
    """A formal array without axes, where others are numbers."""

    __slots__ = ()
    _is_array = True

    def _as_number(self) -> Formal:
        return self._wrap(self.node)


class _Linear(NamedTuple):
    """A linear function, with its adjoint."""

    function: Callable[..., Any]
    adjoint: Any
    stacked: Any

    def run(self, *data: Any) -> Any:
        return linear(self.function, *data, adjoint=self.adjoint, stacked=self.stacked)


class _Rearranged(NamedTuple):
    function: Callable[..., Any]

    def run(self, *data: Any) -> Any:
        return rearrange(self.function, *data)


class _Bilinear(NamedTuple):
    function: Callable[..., Any]
    adjoints: Any
    stacked: Any

    def run(self, a: Value, b: Value) -> Any:
        return bilinear(self.function, a, b, self.adjoints, self.stacked)


class _Typed(NamedTuple):
    """An array, operand or number in a type."""

    dtype: Any

    def __call__(self, x: Value) -> Any:
        return x.astype(self.dtype) if hasattr(x, "astype") else np.asarray(x, self.dtype)[()]


class Alarmed(ArithmeticError):
    """Numbers were met that the rules of the trace do not hold for; the function itself knows what to do with them."""


class Closed:
    """A function of flat lists of arrays, traced once.

    Attributes:
        inputs: its arguments, and after them what it reads from outside.
        outputs: the nodes of its results.
        captured: the operands from outside, in order.

    Args:
        function: (*formal arguments) → a list of results.
        given: what is known of the arguments.
        machine: where they are.

    Raises:
        NotTraceable: the function looks at numbers.
    """

    def __init__(self, function: Callable[..., Sequence[Any]], given: Sequence[Given], machine: Any = None) -> None:
        machine = machine or engine.target()
        with collector.seldom(), open_scope("jit") as scope, _Closing(scope, machine, given) as record:
            assert isinstance(record, _Closing)
            nodes = [Node("input", (), g.shape, g.dtype, i, weak=g.weak) for i, g in enumerate(given)]
            results = function(*(Formal(n, record) for n in nodes))
            if record.refused is not None:
                raise record.refused
            anyone = Formal(record.constant(0.0), record)
            self.outputs = [anyone._node(y) for y in results]
            self.alarms = list(record.alarms)
            self.captured = [x for _, x in record.captured]
            self.inputs = [*nodes, *(n for n, _ in record.captured)]
        self.machine = machine
        self._nodes = self._needed()

    def _needed(self) -> list[Node]:
        """What is evaluated, arguments before results."""
        found: dict[int, Node] = {}
        waiting = [*self.outputs, *self.alarms]
        while waiting:
            node = waiting.pop()
            if node.number not in found:
                found[node.number] = node
                waiting.extend(node.args)
        return [n for n in sorted(found.values(), key=lambda n: n.number) if n.op != "input"]

    def giving(self, more: Sequence[Node]) -> "Closed":
        """The same with more of its nodes among the results."""
        other: Closed = object.__new__(Closed)
        other.__dict__.update(self.__dict__)
        other.outputs = [*self.outputs, *more]
        other._nodes = other._needed()
        return other

    def typed(self, dtypes: Sequence[DType]) -> "Closed":
        """The same with results of these types."""
        other: Closed = object.__new__(Closed)
        other.__dict__.update(self.__dict__)
        other.outputs = [
            n if n.dtype == dtype and not n.weak else Node("call", (n,), n.shape, dtype, _Typed(dtype))
            for n, dtype in zip(self.outputs, dtypes, strict=True)
        ]
        other._nodes = other._needed()
        return other

    def __call__(self, *args: Any) -> list[Any]:
        """The results for arguments (and what else is read) of any kind."""
        known = {n.number: x for n, x in zip(self.inputs, args, strict=True)}
        for node in self._nodes:
            if node.relaxed and node.op != "call":
                with recurring():
                    known[node.number] = evaluated(node, [known[a.number] for a in node.args])
            else:
                known[node.number] = evaluated(node, [known[a.number] for a in node.args])
        for node in self.alarms:
            raised = primal(known[node.number])
            if isinstance(raised, Operand):
                raised._alarm()
            elif np.any(raised):
                raise Alarmed("jit: a point was met at which the rules that are compiled do not hold")
        return [known[n.number] for n in self.outputs]

    def counts(self) -> bool:
        """Whether integers are added to small constants only, so that they are the same as floats."""
        whole = {n.number for n in self.inputs if n.dtype.kind in "iu"}
        for node in self._nodes:
            if node.op == "constant" or node.dtype.kind not in "iu":
                continue
            if not any(a.number in whole for a in node.args) or node.op not in (np.add, np.subtract):
                return False
            known = [a for a in node.args if a.op == "constant"]
            if len(known) != 1 or node.shape != () or abs(int(np.asarray(known[0].extra))) > _SMALL:
                return False
            whole.add(node.number)
        return True

    # ── what depends on what ─────────────────────────────────────────────────────────────────────

    def depending(self, varied: Sequence[bool]) -> list[bool]:
        """Which outputs carry derivatives by these inputs on."""
        known = {n.number: v and _carries(n) for n, v in zip(self.inputs, varied, strict=True)}
        for node in self._nodes:
            known[node.number] = _carries(node) and any(known[a.number] for a in node.args)
        return [known[n.number] for n in self.outputs]

    def reached(self, wanted: Sequence[bool]) -> list[bool]:
        """By which inputs these outputs have derivatives."""
        found = {n.number for n, w in zip(self.outputs, wanted, strict=True) if w and _carries(n)}
        for node in reversed(self._nodes):
            if node.number in found:
                found.update(a.number for a in node.args if _carries(a))
        return [n.number in found for n in self.inputs]


def _carries(node: Node) -> bool:
    return node.dtype.kind in "fcO"
