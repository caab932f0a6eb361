"""Functions to programs: a function is called once on tracers, which write down what it does with them.

A tracer stands on a level of its own for an array of known shape and type. Elementwise operations on tracers,
also those that jets of higher levels do with their coefficients, become nodes; `replay` makes one kernel of each
run of them of one shape. Every other function of NumPy is a node that NumPy executes between kernels; so is a
function, or a rule, of jets that looks at their numbers: it runs on jets of the numbers then.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import collector
from ..algebra import Part
from ..errors import InvalidType, NotTraceable
from ..jets.tower import by_parts
from ..kernel.target import Target
from ..kinds import DType, Index, Value
from ..operand import Operand, highest, operands
from ..operand.index import above
from ..operand.levels import open_scope
from .apart import ENTRYWISE, apart, put_together, taken
from .calls import peeled
from .following import in_library
from .nodes import Node, StayWhole, Trace, placed
from .places import basic
from .quick import Quick
from .scalars import Pack, Scalar
from .shortcuts import SHORT
from .tracing import Tracing
from .writes import IN_PLACE, VIEWING

__all__ = ["Tracer", "gathered", "trace"]

# results whose shape depends on the numbers cannot be traced
_SHAPED_BY_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.trim_zeros, np.unique_all,
    np.unique_counts, np.unique_inverse, np.unique_values, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d,
}  # fmt: skip
# these look at a condition or a count of theirs: their other arguments may be traced
_SHAPED_BY_FIRST = {np.compress, np.extract}
_OF_MEMORY = {np.shares_memory, np.may_share_memory}


class Tracer(Quick):
    """An array of which shape and type are known, and the numbers where they are asked for."""

    __slots__ = ("record", "scope")

    def __init__(self, node: Node, record: Tracing) -> None:
        self._now = node
        self._origin = self._writes = None
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
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.node.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the arrays will be that it stands for."""
        return str(self.record.machine.place)

    def astype(self, dtype: DType, **kwargs: Any) -> Any:
        if kwargs.get("copy") is False and np.dtype(dtype) == self.dtype and not self.node.weak:
            return self
        return self._call(lambda x: (x if hasattr(x, "astype") else np.asarray(x)).astype(dtype, **kwargs)[()], self)

    def _as_array(self) -> "Tracer":
        return ArrayTracer(self.node, self.record) if self.node.shape == () else self

    def copy(self, order: str = "C") -> Any:
        node = self.node
        return type(self)(self.record.numbers.in_order(node) if order == "C" else node, self.record)

    def __copy__(self) -> Any:
        return self.copy("K")

    _snapshot = _frozen = __copy__

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __getitem__(self, index: Index) -> Any:
        if index.__class__ is int:  # nearly always of a short array
            node = self._now if self._origin is None else self.node
            if node.op == "pack" and node.dtype.kind == "f":
                entry = node.extra[index]
                if entry.__class__ is Scalar:
                    self.record.scalars.needed = True
                    return Tracer(entry, self.record)
                if entry.__class__ is np.ndarray:
                    self.record.scalars.needed = True
                    return self._shared(Tracer(Pack(entry, node.dtype, self.record.scalars), self.record), (index,))
        part = basic(index)
        if part is None:
            held = above(self, index)
            if held is not None:
                return held[index]
            masks = _has_traced_mask(index)
            if masks and in_library() and not self.record.following:
                raise self._refused("indexing by a mask of traced values", "np.where(mask, …)")
            entries = taken(self, index)
            if entries is not NotImplemented:
                return entries
            return self._called(gathered, (self, index), {}, exact=masks)
        if slice in map(type, part) and any(type(i) is slice and _is_traced(i) for i in part):
            part = tuple(_counted(i) if type(i) is slice else i for i in part)
        entry = taken(self, part)
        if entry is NotImplemented:
            node = self.record.part(self.node, part)
            if node.op == "input" and node.shape == ():  # an entry is a number of NumPy's own
                node = Node("broadcast", (node,), (), node.dtype)
            entry = self._wrap(node)
            if node.shape == () and Ellipsis in part:
                entry = entry._as_array()
        return self._shared(entry, part) if entry.shape or entry._is_array else entry

    def __repr__(self) -> str:
        return f"Tracer(shape={self.shape}, dtype={self.dtype})"

    # ── recording ────────────────────────────────────────────────────────────────────────────────

    def _wrap(self, node: Node) -> "Tracer":
        return Tracer(node, self.record)

    def _constant(self, x: Value) -> "Tracer":
        return self._wrap(self.record.constant(x))

    def _strong(self) -> "Tracer":
        if self.node.weak and self.record.scalars is not None:
            return self._wrap(self.record.scalars.strong(self.node))
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
        if isinstance(x, Tracer) and x.record is self.record:
            return x.node
        if isinstance(x, Operand):
            raise _from_outside()
        node: Node = self.record.constant(x)
        return node

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "out" in kwargs:
            return self._into(ufunc, method, inputs, kwargs)
        if method == "at":
            if not isinstance(inputs[0], Tracer):
                raise self._refused(
                    f"{ufunc.__name__}.at of an array that is not traced", "np.zeros_like of one that is"
                )
            inputs[0]._write(ufunc.at, *inputs[1:])
            return None
        if method != "__call__" or kwargs or ufunc.nout > 1 or ufunc.signature is not None:
            function = ufunc if method == "__call__" else getattr(ufunc, method)
            entries = apart(self, function, inputs, kwargs) if function in ENTRYWISE else NotImplemented
            if entries is NotImplemented and function in SHORT:
                entries = SHORT[function](self, function, inputs, kwargs)
            return self._call(function, *inputs, **kwargs) if entries is NotImplemented else entries
        return self._wrap(self.record.elementwise(ufunc, *map(self._node, inputs)))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if Part in types:
            return NotImplemented
        top = highest(operands((args, kwargs)))
        if not isinstance(top, Tracer):  # jets above: their implementation finds its way down
            return super().__array_function__(function, types, args, kwargs)
        by_values = self._by_values(function, args, kwargs)
        if by_values and in_library() and not self.record.following:
            name = getattr(function, "__name__", str(function))
            raise self._refused(f"{name}, whose result has a shape that depends on values,", "np.where")
        if function in IN_PLACE or kwargs.get("out") is not None:
            return self._in_place(function, args, kwargs)
        if function in _OF_MEMORY and self.record.scalars is not None:
            raise StayWhole
        result = apart(top, function, args, kwargs) if function in ENTRYWISE else NotImplemented
        short = SHORT.get(function)
        if result is NotImplemented and short is not None:
            result = short(top, function, args, kwargs)
        if result is NotImplemented:
            result = self._called(function, args, kwargs, exact=by_values)
        return (
            top._viewed(result, function, args, kwargs)
            if function in VIEWING and any(top is x for x in args)
            else result
        )

    def _by_values(self, function: Callable[..., Any], args: Any, kwargs: Any) -> bool:
        """Whether the shape of a result depends on numbers that are traced."""
        looked_at = args[:1] if function in _SHAPED_BY_FIRST else (args, kwargs)
        shaped = function in _SHAPED_BY_VALUES or (function is np.where and len(args) == 1)
        return shaped and next(operands(looked_at), None) is not None

    def _in_place(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """A function that writes into its first argument, or its result into out=."""
        out = kwargs.pop("out", None) if function not in IN_PLACE else args[0]
        if not isinstance(out, Tracer):
            name = getattr(function, "__name__", str(function))
            raise self._refused(f"{name} into an array that is not traced", "the result itself")
        if function in IN_PLACE:
            return out._write(function, *args[1:], **kwargs)
        return out._give(function(*args, **kwargs))

    def _into(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A ufunc that writes into out=."""
        outs = kwargs.pop("out")
        if not all(out is None or isinstance(out, Tracer) for out in outs):
            raise self._refused(f"{ufunc.__name__} into an array that is not traced", "the result itself")
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        if "where" in kwargs and len(outs) == 1:
            outs[0]._write(lambda part, *inputs: call(*inputs, out=part, **kwargs), *inputs)
            return outs[0]
        results = self._ufunc(ufunc, method, inputs, kwargs)
        if len(outs) == 1:
            return outs[0]._give(results)
        return tuple(y if out is None else out._give(y) for out, y in zip(outs, results, strict=True))

    def _instead(self, error: NotTraceable, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """function(*args, **kwargs) as one node, where its steps cannot be traced; raises the error where it cannot."""
        if function in IN_PLACE or kwargs.get("out") is not None or self._by_values(function, args, kwargs):
            raise error
        for x in operands((args, kwargs)):
            below = peeled(x)[0]
            if not isinstance(below, Operand):
                continue
            if not isinstance(below, Tracer) or below.scope is not self.scope:
                raise error
        return self._call(function, *args, **kwargs)

    def _linear(
        self, function: Callable[..., Any], data: tuple[Any, ...], adjoint: Any = None, stacked: Any = None
    ) -> Any:
        return self._closed(function, data)

    def _closed(self, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        """A function that moves, adds or multiplies entries, with arrays of its own in it."""
        result = apart(self, function, data, {})
        if result is not NotImplemented and result.dtype == np.float32:  # what is in it may widen the type
            sampled, _ = self._sampled(function, [self._node(x) for x in data])
            result = result if sampled.dtype == np.float32 else NotImplemented
        return self._call(function, *data) if result is NotImplemented else result

    def _placed(self, index: Index, shape: tuple[int, ...]) -> Any:
        part = basic(index)
        if part is not None and shape and self.record.scalars is not None:
            node = self.record.scalars.placed(self.node, part, shape)
            if node is not None:
                return self._wrap(node)
        return None if part is None or not shape else self._wrap(placed(self.node, part, shape))

    def _put_together(self, blocks: Sequence[tuple[Any, int]], size: int) -> Any:
        return put_together(self, blocks, size)

    def _stacked(self, row: Any, levels: Any, operands: Sequence[Any]) -> Any:
        return by_parts(row, levels, operands)

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        if operation.may_turn_complex and not self.record.following and not any(np.iscomplexobj(x) for x in args):
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


def gathered(x: Value, index: Index) -> Any:
    """x[index]"""
    return x[index]


def _from_outside() -> InvalidType:
    return InvalidType(
        "jit: a jet or variable from outside is used inside the function without being one of its "
        "arguments; pass it as an argument"
    )


def _is_traced(part: slice) -> bool:
    return any(isinstance(i, Operand) for i in (part.start, part.stop, part.step))


def _counted(part: slice) -> slice:
    """A slice by numbers that are traced, as they are."""
    return slice(*(i.__index__() if isinstance(i, Tracer) else i for i in (part.start, part.stop, part.step)))


def _has_traced_mask(index: Index) -> bool:
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(i, Tracer) and i.dtype == bool for i in items)


def trace(
    run: Callable[..., Sequence[Any]],
    samples: Sequence[Any],
    machine: Target,
    exact: bool = False,
    following: bool = False,
    in_one: bool = False,
) -> Trace:
    """Runs a function on tracers for `samples` (a machine's arrays, or Python floats) and keeps what it did.

    Args:
        run: the function, of tracers.
        samples: the arguments; they are not written to.
        machine: where they are.
        exact: see `Tracing`.
        following: likewise.
        in_one: whether small arrays are not taken apart.
    """
    with (
        collector.seldom(),
        open_scope("jit") as scope,
        Tracing(scope, machine, samples, exact, following, in_one) as record,
    ):
        inputs = [
            Node("input", (), np.shape(x), getattr(x, "dtype", np.float64), i, weak=type(x) is float)
            for i, x in enumerate(samples)
        ]
        given = [Tracer(n, record) for n in inputs]
        results = run(*given)
        if record.refused is not None:
            raise record.refused
        anyone = Tracer(record.constant(0.0), record)
        outputs = [anyone._node(y) for y in results]
        if record.scalars is not None:  # what is an array without axes is no entry any more
            pairs = zip(outputs, results, strict=True)
            outputs = [record.scalars.array(n) if isinstance(y, ArrayTracer) else n for n, y in pairs]
        written = {i: t.node for i, t in enumerate(given) if t.node is not inputs[i]}
        return record.finished(inputs, outputs, written)
