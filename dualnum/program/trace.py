"""Functions to programs: a function is called once on tracers, which write down what it does with them.

A tracer stands on a level of its own for an array of known shape and type. Elementwise operations on tracers,
also those that jets of higher levels do with their coefficients, become nodes; `replay` makes one kernel of each
run of them of one shape. Every other function of NumPy is a node that NumPy executes between kernels; so is a
function, or a rule, of jets that looks at their numbers: it runs on jets of the numbers then.
"""

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, cast

import numpy as np
import optree

from ..algebra import Part
from ..backend import is_array
from ..errors import DualnumError, InvalidType, NotTraceable
from ..jets.jet import Jet
from ..kernel.target import Target
from ..kinds import DType, Index, Value
from ..operand import Operand, highest, operands
from ..operand.levels import open_scope
from .apart import ENTRYWISE, apart, put_together, taken
from .layers import as_it_is, described, peeled, rebuilt
from .nodes import HOLE, Applied, Node, Trace, basic, placed
from .scalars import StayWhole
from .shortcuts import SHORT, SUMS
from .tracing import Tracing

__all__ = ["Tracer", "trace"]

# results whose shape depends on the numbers cannot be traced
_SHAPED_BY_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.trim_zeros, np.unique_all,
    np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d,
}  # fmt: skip
# these look at a condition or a count of theirs: their other arguments may be traced
_SHAPED_BY_FIRST = {np.compress, np.extract}
_OF_MEMORY = {np.shares_memory, np.may_share_memory}
_IN_PLACE = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}
# what these do with an array, by a short way as well
_METHODS = {
    np.reshape: np.ndarray.reshape, np.ravel: np.ndarray.ravel, np.transpose: np.ndarray.transpose,
    np.swapaxes: np.ndarray.swapaxes, np.squeeze: np.ndarray.squeeze,
}  # fmt: skip
# what these say of an array is said by its shape and type
_BY_TYPE = {
    np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj, np.isrealobj, np.einsum_path,
}  # fmt: skip

_OURS = "dualnum"


def _coefficients(part: Value) -> tuple[tuple[Any, ...], Any]:
    return tuple(part.terms.values()), (part.algebra, tuple(part.terms))


def _part(known: Any, coefficients: Any) -> Any:
    return Part(known[0], dict(zip(known[1], coefficients, strict=True)))


optree.register_pytree_node(cast(Any, Part), _coefficients, _part, namespace=_OURS)


class Tracer(Operand):
    """An array of which only the shape and the type are known."""

    __slots__ = ("node", "record", "scope")

    def __init__(self, node: Node, record: Tracing) -> None:
        self.node = node
        self.record = record
        self.scope = record.scope

    @property
    def value(self) -> Any:
        """A tracer carries no derivatives of its own."""
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.node.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.node.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the arrays will be that it stands for."""
        return self.record.machine.place

    def astype(self, dtype: DType, **kwargs: Any) -> Any:
        return self._call(lambda x: (x if hasattr(x, "astype") else np.asarray(x)).astype(dtype, **kwargs)[()], self)

    def _as_array(self) -> "Tracer":
        return ArrayTracer(self.node, self.record) if self.node.shape == () else self

    def copy(self, order: str = "C") -> Any:
        return self

    def __getitem__(self, index: Index) -> Any:
        entries = taken(self, index)
        if entries is not NotImplemented:
            return entries
        part = basic(index)
        if part is not None:
            node = self.record.part(self.node, part)
            if node.op == "input" and node.shape == ():  # an entry is a number of NumPy's own
                node = Node("broadcast", (node,), (), node.dtype)
            entry = self._wrap(node)
            return entry._as_array() if node.shape == () and Ellipsis in part else entry
        if any(isinstance(i, Tracer) and i.dtype == bool for i in (index if isinstance(index, tuple) else (index,))):
            raise self._refused("indexing by a mask of traced values", "np.where(mask, …)")
        return self._call(lambda x, i: x[i], self, index)

    def __setitem__(self, index: Index, value: Value) -> None:
        raise self._refused("assignment into a traced array", "np.where, np.stack or np.concatenate")

    def __bool__(self) -> bool:
        raise self._refused("a branch on a traced value", "np.where(condition, …), or static_argnums for a parameter")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._refused("turning a traced value into an ndarray", "functions of NumPy on it")

    def __float__(self) -> float:
        raise self._refused("float() of a traced value", "functions of NumPy on it, or static_argnums")

    def __int__(self) -> int:
        raise self._refused("int() of a traced value", "functions of NumPy on it, or static_argnums")

    def __index__(self) -> int:
        raise InvalidType(
            "jit: a traced value as an index or a count is not possible while a function is traced; use np.take, or "
            "static_argnums for a parameter"
        )

    def __complex__(self) -> complex:
        raise self._refused("complex() of a traced value", "functions of NumPy on it, or static_argnums")

    def __contains__(self, item: Value) -> bool:
        raise self._refused("`in` on a traced array", "np.isin")

    def item(self, *args: Any) -> Any:
        raise self._refused("item() of a traced value", "x[i], or the array itself")

    def tolist(self) -> Any:
        raise self._refused("tolist() of a traced value", "the array itself")

    def tobytes(self, order: str = "C") -> Any:
        raise self._refused("tobytes() of a traced value", "the array itself")

    def __repr__(self) -> str:
        return f"Tracer(shape={self.shape}, dtype={self.dtype})"

    def _refused(self, what: str, instead: str) -> NotTraceable:
        return NotTraceable(what, instead, self._instead)

    # ── recording ────────────────────────────────────────────────────────────────────────────────

    def _wrap(self, node: Node) -> "Tracer":
        return Tracer(node, self.record)

    def _strong(self) -> "Tracer":
        if self.node.weak and self.record.numbers is not None:
            return self._wrap(self.record.numbers.strong(self.node))
        return self._wrap(Node("broadcast", (self.node,), self.shape, self.dtype)) if self.node.weak else self

    def _alarm(self) -> None:
        self.record.alarms.append(self.node)

    def _seldom(self) -> bool:
        if self.record.machine.looks:
            return super()._seldom()
        self.record.seldom.add(self.node.number)
        return True

    def _node(self, x: Value) -> Node:
        """x as a node of this trace."""
        if isinstance(x, Tracer):
            return x.node
        if isinstance(x, Operand):
            raise _from_outside()
        return self.record.constant(x)

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "out" in kwargs:
            raise self._refused("writing into a traced array (out=, or x += y)", "the result itself, as in x = x + y")
        if method == "at":
            raise self._refused(f"{ufunc.__name__}.at", "np.where or np.concatenate")
        if method != "__call__" or kwargs or ufunc.nout > 1 or ufunc.signature is not None:
            function = ufunc if method == "__call__" else getattr(ufunc, method)
            entries = apart(self, function, inputs, kwargs) if function in ENTRYWISE else NotImplemented
            return self._call(function, *inputs, **kwargs) if entries is NotImplemented else entries
        return self._wrap(self.record.elementwise(ufunc, *map(self._node, inputs)))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if Part in types:
            return NotImplemented
        top = highest(operands((args, kwargs)))
        if not isinstance(top, Tracer):  # jets above: their implementation finds its way down
            return super().__array_function__(function, types, args, kwargs)
        self._check_possible(function, args, kwargs)
        result = apart(top, function, args, kwargs) if function in ENTRYWISE else NotImplemented
        if result is not NotImplemented:
            return result
        short = SHORT.get(function)
        result = NotImplemented if short is None else short(top, function, args, kwargs)
        if result is not NotImplemented:
            return result
        return self._call(function, *args, **kwargs)

    def _check_possible(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Raises where what a function gives, or does, cannot be told from shapes and types."""
        name = getattr(function, "__name__", str(function))
        if function in _IN_PLACE or kwargs.get("out") is not None:
            raise self._refused(f"{name} into a traced array", "np.where, np.stack or np.concatenate")
        if function in _OF_MEMORY and self.record.numbers is not None:
            raise StayWhole
        looked_at = args[:1] if function in _SHAPED_BY_FIRST else (args, kwargs)
        if function in _SHAPED_BY_VALUES or (function is np.where and len(args) == 1):
            if next(operands(looked_at), None) is not None:
                raise self._refused(f"{name}, whose result has a shape that depends on values,", "np.where")

    def _instead(self, error: NotTraceable, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """function(*args, **kwargs) as one node, where its steps cannot be traced; raises the error where it cannot."""
        self._check_possible(function, args, kwargs)
        for x in operands((args, kwargs)):
            below = peeled(x)[0]
            if not isinstance(below, Operand):
                continue
            if not isinstance(below, Tracer) or below.scope is not self.scope:
                raise error
        return self._call(function, *args, **kwargs)

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A node that NumPy executes: the function, with the arrays of the trace put in their places."""
        applied, nodes = self._applied(function, args, kwargs)
        if applied is not None:
            outcome = self._sampled(applied, nodes)
            if all(n.op == "constant" for n in nodes) and isinstance(outcome, (np.ndarray, np.generic)):
                return self._wrap(self.record.constant(self._sampled(applied, nodes, known=True)))
            if not isinstance(outcome, (tuple, list, Jet)):
                return self._traced(Node("call", nodes, *described(outcome), applied), outcome, function)
        leaves, structure = optree.tree_flatten((args, kwargs), none_is_leaf=True, namespace=_OURS)  # type: ignore[arg-type, var-annotated]
        leaves = [as_it_is(leaf) for leaf in leaves]
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Operand)]
        bare = [peeled(leaves[i]) for i in places]
        nodes = tuple(self._node(x) for x, _ in bare)
        layers = [above for _, above in bare]
        scopes = sorted({scope for above in layers for _, scope in above}, key=lambda scope: scope.level)
        found: list[Any] = []  # of the first run: structure, and the layers of jets above each array

        def call(*arrays: Any) -> Any:
            filled = list(leaves)
            with ExitStack() as stack:
                anew = {scope: stack.enter_context(open_scope(scope.name)) for scope in scopes}
                for i, array, above in zip(places, arrays, layers, strict=True):
                    filled[i] = rebuilt(array, above, anew)
                args, kwargs = optree.tree_unflatten(structure, filled)
                result = function(*args, **kwargs)
                if not isinstance(result, (tuple, list, Jet)):
                    return result
                given: list[Any]
                given, its_structure = optree.tree_flatten(result, none_is_leaf=True, namespace=_OURS)  # type: ignore[arg-type]
                pairs = list(map(peeled, given))
                if not found:
                    back = {new: old for old, new in anew.items()}
                    found.extend((its_structure, [[(a, back[s]) for a, s in above] for _, above in pairs]))
                return [y for y, _ in pairs]

        outcome = self._sampled(call, nodes)
        if not found:
            return self._traced(Node("call", nodes, *described(outcome), call), outcome, function)
        its_structure, above = found
        if len(outcome) == 1:
            all_nodes = [Node("call", nodes, *described(outcome[0]), lambda *arrays: call(*arrays)[0])]
        else:
            many = Node("call", nodes, None, object, call)
            all_nodes = [Node("item", (many,), *described(y), i) for i, y in enumerate(outcome)]
        results = [self._traced(*each, function) for each in zip(all_nodes, outcome, strict=True)]
        results = [rebuilt(y, jets) for y, jets in zip(results, above, strict=True)]
        return optree.tree_unflatten(its_structure, results)

    def _applied(self, function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Applied | None, tuple[Node, ...]]:
        """A call whose arrays of the trace are arguments themselves, neither inside of containers nor under jets."""
        tracers = [x for x in args if isinstance(x, Tracer)]
        if not tracers or len(tracers) < sum(1 for _ in operands((args, kwargs))):
            return None, ()
        if function is np.sum and len(args) == 1 and not kwargs.keys() - SUMS:
            function, kwargs = np.add.reduce, {"axis": None, **kwargs}  # what it does, by the short way
        elif args[0] is tracers[0] and tracers[0].shape and not kwargs and self.record.machine.looks:
            function = _METHODS.get(function, function)  # type: ignore[assignment]
        given = tuple(HOLE if isinstance(x, Tracer) else as_it_is(x) for x in args)
        return Applied(function, given, {name: as_it_is(x) for name, x in kwargs.items()}), tuple(
            map(self._node, tracers)
        )

    def _sampled(self, call: Callable[..., Any], nodes: Sequence[Node], known: bool = False) -> Any:
        """What comes out for arrays of such shapes and types; or for the arrays themselves, which are known."""
        own = self.record.machine.own
        tries = list(zip(*(itertools.islice(n.samples(own), 3) for n in nodes), strict=True)) or [()]
        for arrays in [tuple(n.extra for n in nodes)] if known else tries:
            try:
                with np.errstate(all="ignore"):
                    return call(*arrays)
            except (DualnumError, ArithmeticError, ValueError, TypeError, IndexError) as error:
                failed = error
        raise failed

    def _traced(self, node: Node, outcome: Any, function: Callable[..., Any]) -> Any:
        """One result of a call: a tracer, or what a function says of shapes and types alone."""
        if is_array(outcome) or isinstance(outcome, (bool, int, float, complex)):
            if function in _BY_TYPE:
                return outcome
            return (
                self._wrap(node)
                if isinstance(outcome, (np.generic, bool, int, float, complex))
                else (self._wrap(node)._as_array())
            )
        if isinstance(outcome, (np.dtype, type)) or function in _BY_TYPE:
            return outcome
        name = getattr(function, "__name__", str(function))
        what = f"{name}, which gives a {type(outcome).__name__} and no array,"
        raise self._refused(what, "it outside of the function")

    def _linear(
        self, function: Callable[..., Any], data: tuple[Any, ...], adjoint: Any = None, stacked: Any = None
    ) -> Any:
        return self._closed(function, data)

    def _closed(self, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        """A function that moves, adds or multiplies entries, with arrays of its own in it."""
        result = apart(self, function, data, {})
        if result is not NotImplemented and result.dtype == np.float32:  # what is in it may widen the type
            sampled = self._sampled(function, [self._node(x) for x in data])
            result = result if sampled.dtype == np.float32 else NotImplemented
        return self._call(function, *data) if result is NotImplemented else result

    def _placed(self, index: Index, shape: tuple[int, ...]) -> Any:
        part = basic(index)
        if part is not None and shape and self.record.numbers is not None:
            node = self.record.numbers.placed(self.node, part, shape)
            if node is not None:
                return self._wrap(node)
        return None if part is None or not shape else self._wrap(placed(self.node, part, shape))

    def _put_together(self, blocks: Sequence[tuple[Any, int]], size: int) -> Any:
        return put_together(self, blocks, size)

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        if operation.may_turn_complex and not any(np.iscomplexobj(x) for x in args):
            what = f"{operation.name} of real numbers, which is real or complex as they are,"
            raise self._refused(what, "a complex argument, x.astype(complex)")
        return self._call(operation, *args)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Any = None) -> Any:
        return function(self, 0)

    def _bilinear(
        self, function: Callable[[Any, Any], Any], a: Value, b: Value, adjoints: Any = None, stacked: Any = None
    ) -> Any:
        return self._closed(function, (a, b))


class ArrayTracer(Tracer):
    """An array without axes, where other tracers without axes are numbers."""

    __slots__ = ()
    _is_array = True

    def _as_number(self) -> Tracer:
        return self._wrap(self.node)


def _from_outside() -> InvalidType:
    return InvalidType(
        "jit: a jet or variable from outside is used inside the function without being one of its "
        "arguments; pass it as an argument"
    )


def trace(run: Callable[..., Sequence[Any]], samples: Sequence[Any], machine: Target, whole: bool = False) -> Trace:
    """Runs a function on tracers like `samples` (a machine's arrays, or Python floats) and keeps what it did.

    With `whole` also small arrays are not taken apart.
    """
    with open_scope("jit") as scope, Tracing(scope, machine, whole) as record:
        inputs = [
            Node("input", (), np.shape(x), getattr(x, "dtype", np.float64), i, weak=type(x) is float)
            for i, x in enumerate(samples)
        ]
        results = run(*(Tracer(n, record) for n in inputs))
        anyone = Tracer(record.constant(0.0), record)
        outputs = [record.whole_array(anyone._node(y), type(y) is ArrayTracer) for y in results]
        return Trace(inputs, *record.finished(outputs), record.seldom)
