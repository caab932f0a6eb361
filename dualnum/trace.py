"""Functions to programs: `jit` calls a function once on tracers, fuses what it did, and replays it.

A tracer stands on a level of its own for an array of known shape and type. Elementwise operations on tracers,
also those that jets of higher levels do with their coefficients, become nodes; runs of them of one shape become
one kernel each. Every other function of NumPy is a node that NumPy executes between kernels.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import optree

from .errors import InvalidType, NotDifferentiable
from .levels import Scope, open_scope
from .operand import Operand, highest, operands
from .primitives.table import in_recurrence

__all__ = ["Node", "Trace", "Tracer", "is_uniform", "row", "trace"]

# results whose shape depends on the numbers cannot be traced
_SHAPED_BY_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.trim_zeros, np.unique_all,
    np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d,
}  # fmt: skip


class Node:
    """One array of a trace.

    Attributes:
        op: "input" (extra: its number), "constant" (extra: the array), "concatenate" and "broadcast" (which
            kernels see through), "stack" (planes with zeros behind), "select" or a ufunc (elementwise), "call"
            (extra: a function of the arguments).
        weak: a Python float, which does not widen other types.
        relaxed: written by a recurrence (see `kernel.ir`).
    """

    __slots__ = ("args", "dtype", "extra", "number", "op", "relaxed", "shape", "weak")
    _numbers = itertools.count()

    def __init__(
        self,
        op: Any,
        args: tuple["Node", ...],
        shape: tuple[int, ...],
        dtype: Any,
        extra: Any = None,
        weak: bool = False,
    ) -> None:
        self.op = op
        self.args = args
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.extra = extra
        self.weak = weak
        self.relaxed = in_recurrence()
        self.number = next(Node._numbers)

    @property
    def elementwise(self) -> bool:
        return self.op == "select" or isinstance(self.op, np.ufunc)

    def sample(self) -> Any:
        """Something of the same shape and type, for asking NumPy what comes out."""
        if self.weak:
            return 1.0
        # an integer may be an index, and 0 is in the range of any axis
        one = np.zeros((), self.dtype) if self.dtype.kind in "iu" else np.ones((), self.dtype)
        return np.broadcast_to(one, self.shape)


class Tracer(Operand):
    """An array of which only the shape and the type are known."""

    __slots__ = ("alarms", "node", "scope")

    def __init__(self, node: Node, scope: Scope, alarms: list[Node]) -> None:
        self.node = node
        self.scope = scope
        self.alarms = alarms  # of the whole trace: truth values at which a mend must follow

    @property
    def value(self) -> Any:
        """A tracer carries no derivatives of its own."""
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.node.dtype
        return dtype

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        return self._call(lambda x: np.asarray(x).astype(dtype, **kwargs), self)

    def copy(self, order: str = "C") -> Any:
        return self

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, np.integer)) and not isinstance(index, bool) and self.shape:
            return self._wrap(row(self.node, int(index)))
        if any(isinstance(i, Tracer) and i.dtype == bool for i in (index if isinstance(index, tuple) else (index,))):
            raise _untraceable("indexing by a mask of traced values", "np.where(mask, …)")
        return self._call(lambda x, i: x[i], self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _untraceable("assignment into a traced array", "np.where, np.stack or np.concatenate")

    def __bool__(self) -> bool:
        raise _untraceable("a branch on a traced value", "np.where(condition, …), or static_argnums for a parameter")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise _untraceable("turning a traced value into an ndarray", "functions of NumPy on it")

    def __float__(self) -> float:
        raise _untraceable("float() of a traced value", "functions of NumPy on it, or static_argnums")

    def __repr__(self) -> str:
        return f"Tracer(shape={self.shape}, dtype={self.dtype})"

    # ── recording ────────────────────────────────────────────────────────────────────────────────

    def _wrap(self, node: Node) -> "Tracer":
        return Tracer(node, self.scope, self.alarms)

    def _alarm(self) -> None:
        self.alarms.append(self.node)

    def _node(self, x: Any) -> Node:
        """x as a node of this trace."""
        if isinstance(x, Tracer):
            return x.node
        if isinstance(x, Operand):
            raise InvalidType(
                "jit: a jet or variable from outside is used inside the function without being one of its "
                "arguments; pass it as an argument"
            )
        array = np.asarray(x)
        return Node("constant", (), array.shape, array.dtype, x, weak=isinstance(x, (bool, int, float, complex)))

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "out" in kwargs:
            raise _untraceable("out= in a traced function", "the result itself")
        if method == "at":
            raise _untraceable(f"{ufunc.__name__}.at", "np.where or np.concatenate")
        if method != "__call__" or kwargs or ufunc.nout > 1 or ufunc.signature is not None:
            return self._call(getattr(ufunc, method), *inputs, **kwargs)
        nodes = tuple(map(self._node, inputs))
        return self._wrap(Node(ufunc, nodes, *_outcome(ufunc, nodes)))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        top = highest(operands((args, kwargs)))
        if not isinstance(top, Tracer):  # jets above: their implementation finds its way down
            return super().__array_function__(function, types, args, kwargs)
        if function in _SHAPED_BY_VALUES or (function is np.where and len(args) == 1):
            raise _untraceable(f"{function.__name__}: the shape of the result depends on traced values", "np.where")
        if function is np.where and len(args) == 3:
            nodes = tuple(map(self._node, args))
            shape = np.broadcast_shapes(*(n.shape for n in nodes))
            dtype = np.result_type(*(1.0 if n.weak else n.dtype for n in nodes[1:]))
            return self._wrap(Node("select", nodes, shape, dtype))
        if function is np.broadcast_to and len(args) == 2 and not kwargs:
            return self._wrap(Node("broadcast", (self._node(args[0]),), tuple(args[1]), args[0].dtype))
        if function is np.concatenate and len(args) == 1 and not kwargs:
            nodes = tuple(map(self._node, args[0]))
            shape = (sum(n.shape[0] for n in nodes), *nodes[0].shape[1:])
            return self._wrap(Node("concatenate", nodes, shape, np.result_type(*(n.dtype for n in nodes))))
        if function in (np.shape, np.ndim, np.size):
            return getattr(top, function.__name__)
        if function is np.iscomplexobj:
            return top.dtype.kind == "c"
        if function is np.real and top.dtype.kind != "c":
            return top
        if function is np.copyto or function is np.put:
            raise _untraceable(f"{function.__name__} in a traced function", "np.where")
        return self._call(function, *args, **kwargs)

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A node that NumPy executes: the function, with the arrays of the trace put in their places."""
        leaves, structure = optree.tree_flatten((args, kwargs), none_is_leaf=True)  # type: ignore[arg-type]
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Operand)]
        nodes = tuple(self._node(leaves[i]) for i in places)

        def call(*arrays: Any) -> Any:
            filled = list(leaves)
            for i, array in zip(places, arrays, strict=True):
                filled[i] = array
            args, kwargs = optree.tree_unflatten(structure, filled)  # type: ignore[misc]
            return function(*args, **kwargs)

        with np.errstate(all="ignore"):
            outcome = call(*(n.sample() for n in nodes))
        return self._outcome_of(call, nodes, outcome)

    def _outcome_of(self, call: Callable[..., Any], nodes: tuple[Node, ...], outcome: Any) -> Any:
        if isinstance(outcome, (tuple, list)):
            return type(outcome)(
                self._outcome_of(lambda *a, i=i: call(*a)[i], nodes, one) for i, one in enumerate(outcome)
            )
        if not isinstance(outcome, (np.ndarray, np.generic)):
            return outcome
        return self._wrap(Node("call", nodes, outcome.shape, outcome.dtype, call))

    def _linear(self, function: Callable[..., Any], data: tuple[Any, ...], adjoint: Any = None) -> Any:
        return self._call(function, *data)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Any = None) -> Any:
        return self._call(lambda x: function(x, 0), self)

    def _bilinear(self, function: Callable[[Any, Any], Any], a: Any, b: Any, adjoints: Any = None) -> Any:
        return self._call(function, a, b)


def _outcome(ufunc: np.ufunc, nodes: tuple[Node, ...]) -> tuple[tuple[int, ...], Any]:
    """Shape and type of an elementwise result."""
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    with np.errstate(all="ignore"):
        return shape, ufunc(*(n.extra if n.weak and n.op == "constant" else _one(n) for n in nodes)).dtype


def _one(node: Node) -> Any:
    return 1.0 if node.weak else np.ones((), node.dtype)


def row(node: Node, k: int) -> Node:
    """node[k], seen through concatenation and broadcasting, so that a jet's planes are found again."""
    if not -node.shape[0] <= k < node.shape[0]:
        raise IndexError(f"index {k} is out of bounds for axis 0 with size {node.shape[0]}")
    k %= node.shape[0]
    shape = node.shape[1:]
    if node.op == "concatenate":
        for piece in node.args:
            if k < piece.shape[0]:
                return row(piece, k)
            k -= piece.shape[0]
    if node.op == "broadcast":
        source = node.args[0]
        if len(source.shape) <= len(shape):
            return source if source.shape == shape else Node("broadcast", (source,), shape, node.dtype)
        if source.shape[0] == 1:
            source = row(source, 0)
            return source if source.shape == shape else Node("broadcast", (source,), shape, node.dtype)
    if node.op == "constant":
        return Node("constant", (), shape, node.dtype, np.asarray(node.extra)[k])
    return Node("call", (node,), shape, node.dtype, lambda x: x[k])


def _untraceable(what: str, instead: str) -> NotDifferentiable:
    return NotDifferentiable(f"jit: {what} is not possible while a function is traced; use {instead}")


class Trace:
    """What a function did: its inputs, the nodes of its results, and those that raise an alarm where true."""

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node], alarms: Sequence[Node]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.alarms = alarms

    def nodes(self) -> Iterator[Node]:
        """All nodes that the outputs need, arguments before results."""
        found: dict[int, Node] = {}
        waiting = [*self.outputs, *self.alarms]
        while waiting:
            node = waiting.pop()
            if node.number not in found:
                found[node.number] = node
                waiting.extend(node.args)
        return iter(sorted(found.values(), key=lambda n: n.number))


def trace(run: Callable[..., Sequence[Any]], samples: Sequence[Any]) -> Trace:
    """Runs a function on tracers like `samples` (arrays, or Python floats) and keeps what it did."""
    with open_scope("jit") as scope:
        inputs = [
            Node("input", (), np.shape(x), getattr(x, "dtype", np.float64), i, weak=isinstance(x, float))
            for i, x in enumerate(samples)
        ]
        alarms: list[Node] = []
        tracers = [Tracer(n, scope, alarms) for n in inputs]
        results = run(*tracers)
        anyone = tracers[0] if tracers else Tracer(Node("constant", (), (), float, 0.0), scope, alarms)
        return Trace(inputs, [_stacked(anyone._node(y)) for y in results], alarms)


def _stacked(node: Node) -> Node:
    """A concatenation of planes as a "stack" of them, which one kernel can write; other nodes as they are.

    The zeros behind the last plane that is computed are left out: its shape tells how many planes there are.
    """
    if node.op != "concatenate":
        return node
    planes = [row(node, k) for k in range(node.shape[0])]
    while planes and planes[-1].op == "constant" and is_uniform(planes[-1].extra) and not np.any(planes[-1].extra):
        planes.pop()
    if not planes or any(p.shape != node.shape[1:] or p.dtype != node.dtype for p in planes):
        return node
    return Node("stack", tuple(planes), node.shape, node.dtype)


def is_uniform(x: Any) -> bool:
    """Whether an array holds one number only, in one place or spread over its shape."""
    x = np.asarray(x)
    return x.size == 1 or not any(x.strides)
