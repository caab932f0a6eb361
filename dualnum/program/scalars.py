"""Small arrays as scalars: while a function is traced, an array of a few entries is taken apart.

Its node is a `Pack`, whose entries are scalar nodes and numbers in an object array of NumPy. Elementwise operations
run on the entries one by one. Functions that move, add or multiply entries are NumPy's own, on the object array, whose
loops call + and * of the entries. What is zero by structure is the integer 0, which vanishes as they run.
"""

from collections.abc import Callable, Sequence
from math import copysign, prod
from typing import Any

import numpy as np

from ..kinds import DType
from ..primitives.table import in_recurrence
from .nodes import Node

__all__ = ["KEEP_WEAK", "MOST_ENTRIES", "Pack", "Scalar", "Scalars", "is_small"]

MOST_ENTRIES = 64  # of an array that is taken apart
_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
_BOOL = np.dtype(bool)
_IN_ORDER = np.empty(0)


class Scalar(Node):
    """One number of a trace, with the arithmetic that NumPy's loops over objects call."""

    __slots__ = ("scalars",)
    __array_ufunc__ = None  # a number of NumPy's leaves arithmetic to it
    scalars: "Scalars"

    def __add__(self, other: Any) -> Any:
        return _of_two(np.add, self, other, self.scalars)

    def __radd__(self, other: Any) -> Any:
        return _of_two(np.add, other, self, self.scalars)

    def __sub__(self, other: Any) -> Any:
        return _of_two(np.subtract, self, other, self.scalars)

    def __rsub__(self, other: Any) -> Any:
        return _of_two(np.subtract, other, self, self.scalars)

    def __mul__(self, other: Any) -> Any:
        return _of_two(np.multiply, self, other, self.scalars)

    def __rmul__(self, other: Any) -> Any:
        return _of_two(np.multiply, other, self, self.scalars)

    def __truediv__(self, other: Any) -> Any:
        return _of_two(np.divide, self, other, self.scalars)

    def __rtruediv__(self, other: Any) -> Any:
        return _of_two(np.divide, other, self, self.scalars)

    def __neg__(self) -> Any:
        return scalar(np.negative, (self,), self.dtype, self.scalars)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return scalar(np.absolute, (self,), self.dtype, self.scalars)

    def sqrt(self) -> Any:
        """What np.sqrt asks of an object."""
        return scalar(np.sqrt, (self,), self.dtype, self.scalars)

    def conjugate(self) -> Any:
        return self

    @property
    def real(self) -> Any:
        return self

    def _looked_at(self, *args: Any) -> Any:
        raise TypeError("a number of a trace is not known")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __index__ = _looked_at
    __hash__ = None  # type: ignore[assignment]


class Pack(Node):
    """An array of entries; `extra` holds them as an array of objects.

    Attributes:
        made: of an elementwise operation, the operation and the arrays: what it is as long as it stays whole.
    """

    __slots__ = ("_args", "made", "scalars")

    def __init__(self, entries: Any, dtype: DType, scalars: "Scalars | None" = None, made: Any = None) -> None:
        self.op = "pack"
        self.shape = entries.shape
        self.dtype = dtype
        self.extra = entries
        self.weak, self.relaxed = False, in_recurrence()
        self.made = made
        self.number = next(Node._numbers)
        self.scalars = scalars
        self._args: tuple[Node, ...] | None = None

    @property
    def args(self) -> tuple[Node, ...]:  # type: ignore[override]
        """Its entries as nodes."""
        if self._args is None:
            self._args = tuple([x if isinstance(x, Node) else self._known(x) for x in self.extra.flat])
        return self._args

    def _known(self, x: Any) -> Node:
        assert self.scalars is not None
        return self.scalars.node(x if self.dtype == _BOOL else self.dtype.type(x))


class Scalars:
    """What is known of numbers in one trace: a node for each, and the entries of arrays that were taken apart.

    Attributes:
        possible: whether the machine has an operation.
        packs: how many elementwise operations were done on entries of arrays.
        needed: whether an array of several entries had to be taken apart; elementwise operations alone do without.
    """

    def __init__(self, possible: Callable[[Any], bool], samples: Sequence[Any]) -> None:
        self.possible = possible
        self._samples = samples
        self.needed = False
        self.packs = 0
        self._known: dict[Any, Node] = {}
        self._entries: dict[int, Any] = {}
        self._outcomes: dict[Any, Any] = {}
        self._alike: dict[Any, DType] = {}  # of two numbers of one type that of the result, by ufunc and type

    def node(self, x: Any) -> Node:
        """A number as a node; one of Python's is weak."""
        key = x.__class__, x, copysign(1.0, x)
        found = self._known.get(key)
        if found is None:
            weak = x.__class__ in (bool, int, float)
            dtype = np.asarray(x).dtype
            found = self._known[key] = Node("constant", (), (), dtype, x, weak=weak)
        return found

    def entries(self, node: Node) -> Any:
        """The entries of an array of the trace, as an array of objects."""
        if node.op == "pack":
            return node.extra
        found = self._entries.get(node.number)
        if found is None:
            like = self._samples[node.extra] if node.op == "input" and len(node.shape) > 1 else _IN_ORDER
            found = np.empty(node.shape, object) if like.flags.c_contiguous else np.empty_like(like, object)
            flat = found.flat
            if node.op == "constant":
                array = None if node.weak else np.asarray(node.extra).reshape(-1)
                for i in range(found.size):
                    flat[i] = _known(node) if array is None else array[i]
            elif not node.shape:
                flat[0] = node
            elif node.op == "broadcast" and node.args[0].shape in ((), node.shape):
                found[...] = self.entries(node.args[0])
            else:
                for i in range(found.size):
                    flat[i] = entry = scalar("entry", (node,), node.dtype, self)
                    entry.extra = i
            self._entries[node.number] = found
        return found

    def packed(self, entries: Any, dtype: DType) -> Node:
        """A node for an array of objects; for one without axes the entry itself."""
        return Pack(entries, dtype, self) if entries.shape else self.known(entries[()], dtype)

    def forget(self) -> None:
        """Gives up the arrays of entries, through which the garbage collector finds no way around a circle."""
        self._entries.clear()

    def array(self, node: Node) -> Node:
        """An array without axes that is one of the entries."""
        if type(node) is not Scalar:
            return node
        self.needed = True
        return Pack(self.entries(node), node.dtype, self)

    def known(self, x: Any, dtype: DType) -> Node:
        """An entry as a node."""
        return x if isinstance(x, Node) else self.node(x if dtype == _BOOL else dtype.type(x))

    def elementwise(self, ufunc: np.ufunc, nodes: Sequence[Node]) -> Node | None:
        """What a ufunc gives of small arrays; None where they stay whole."""
        if len(nodes) == 2 and nodes[0].__class__ is Scalar and nodes[1].__class__ is Scalar:  # two numbers of a type
            first, second = nodes
            alike = self._alike.get((ufunc, first.dtype)) if first.dtype is second.dtype else None
            if alike is not None and not (first.weak or second.weak):
                return scalar(ufunc, tuple(nodes), alike, self)
        shape: tuple[int, ...] = ()
        key: tuple[Any, ...] = (ufunc,)
        for n in nodes:
            if n.shape != shape:
                if not is_small(n):
                    return None
                shape = n.shape if not shape else shape if not n.shape else np.broadcast_shapes(shape, n.shape)
            key += (n.dtype, n.weak, n.op == "constant")
        outcome = self._outcomes.get(key)
        if outcome is None:
            outcome = self._outcomes[key] = self._outcome(ufunc, nodes)
        dtype, within, weak, possible = outcome
        if not possible:
            return None
        if not shape:
            if len(nodes) == 2 and nodes[0].dtype is nodes[1].dtype and not (nodes[0].weak or nodes[1].weak):
                self._alike[ufunc, nodes[0].dtype] = dtype
            y = self._applied(ufunc, [_known(n) if n.op == "constant" else n for n in nodes], dtype, within, weak)
            return y if isinstance(y, Node) else self.node(y)
        entries = [self.entries(n) for n in nodes]
        size = prod(shape)
        if size > MOST_ENTRIES:
            return None
        result = _lying_as(entries, shape)
        columns = [_column(x, shape, size) for x in entries]
        applied = self._applied
        flat = result if len(shape) == 1 else result.flat
        for i, given in enumerate(zip(*columns, strict=True)):
            flat[i] = applied(ufunc, given, dtype, within, weak)
        self.packs += 1
        return Pack(result, dtype, self, (ufunc, nodes))

    def _outcome(self, ufunc: np.ufunc, nodes: Sequence[Node]) -> Any:
        """The type of the result, that in which is computed, whether it is weak, and whether entries can have it."""
        weak = all(n.weak for n in nodes) and ufunc in KEEP_WEAK
        if not all(
            n.dtype in _TYPES or n.dtype == _BOOL or (n.op == "constant" and n.dtype.kind in "iu") for n in nodes
        ):
            return None, None, False, False
        samples = [n.extra if n.weak and n.op == "constant" else 1.0 if n.weak else np.ones((), n.dtype) for n in nodes]
        with np.errstate(all="ignore"):
            dtype = ufunc(*samples).dtype
            floats = [x for x, n in zip(samples, nodes, strict=True) if n.dtype.kind == "f" or n.dtype.kind in "iu"]
            within = np.result_type(*floats) if floats else dtype
        possible = (
            self.possible(ufunc) and (dtype == _BOOL or dtype in _TYPES) and (within == _BOOL or within in _TYPES)
        )
        return dtype, within, weak, possible

    def _applied(self, ufunc: Any, given: Sequence[Any], dtype: DType, within: DType, weak: bool) -> Any:
        """The result on entries."""
        if len(given) == 2 and given[0].__class__ is Scalar and given[1].__class__ is Scalar:  # nearly always
            return scalar(ufunc, tuple(given), dtype, self, weak)
        known = 0
        for x in given:
            if not isinstance(x, Node):
                known += 1
        if known:
            if known == len(given):
                with np.errstate(all="ignore"):
                    y = ufunc(*given)
                return y.item() if weak else y if type(y) is dtype.type else dtype.type(y)
            if ufunc in _ABSENT:
                for i, x in enumerate(given):
                    if x.__class__ is int and x == 0:
                        y = _ABSENT[ufunc](i, *given)
                        if y is not NotImplemented:
                            return y
            given = [x if isinstance(x, Node) else self._argument(x, within) for x in given]
        return scalar(ufunc, tuple(given), dtype, self, weak)

    def _argument(self, x: Any, within: DType) -> Node:
        absent = x.__class__ is int and x == 0
        return self.node(within.type(x) if within != _BOOL and (absent or isinstance(x, np.integer)) else x)

    def strong(self, node: Node) -> Node:
        """A number with a type of its own."""
        return scalar(np.positive, (node,), node.dtype, self)

    def placed(self, node: Node, index: tuple[Any, ...], shape: tuple[int, ...]) -> Node | None:
        """An array of this shape that is zero but at an index; None where it stays whole."""
        size = prod(shape)
        if node.dtype not in _TYPES or not is_small(node) or size > MOST_ENTRIES:
            return None
        full = np.zeros(shape, object)
        entries = self.entries(node)
        full[index] = entries if node.shape else entries[()]
        self.needed = True
        return Pack(full, node.dtype, self)

    def select(self, nodes: Sequence[Node]) -> Node | None:
        """np.where of small arrays; None where they stay whole."""
        dtypes = {n.dtype for n in nodes[1:] if not n.weak} or {n.dtype for n in nodes[1:]}
        if not all(map(is_small, nodes)) or nodes[0].dtype != _BOOL or len(dtypes) > 1:
            return None
        (dtype,) = dtypes
        shape = np.broadcast_shapes(*(n.shape for n in nodes))
        if (dtype not in _TYPES and dtype != _BOOL) or prod(shape) > MOST_ENTRIES:
            return None
        entries = [self.entries(n) for n in nodes]
        result = _lying_as(entries, shape)
        columns = [_column(x, shape, prod(shape)) for x in entries]
        for i, (where, *given) in enumerate(zip(*columns, strict=True)):
            if not isinstance(where, Node):
                result.flat[i] = given[0] if where else given[1]
                continue
            args = [x if isinstance(x, Node) else self._argument(x, dtype) for x in given]
            result.flat[i] = scalar("select", (where, *args), dtype, self)
        return Pack(result, dtype, self, ("select", nodes)) if shape else self.packed(result, dtype)


def scalar(op: Any, args: tuple[Node, ...], dtype: DType, scalars: Scalars, weak: bool = False) -> Scalar:
    """A scalar node; as `Node`, which takes longer."""
    node: Scalar = _bare(Scalar)
    node.op = op
    node.args = args
    node.shape = ()
    node.dtype = dtype
    node.extra = None
    node.weak = weak
    node.relaxed = in_recurrence()
    node.number = _next()
    node.scalars = scalars
    return node


def _known(constant: Node) -> Any:
    """The number of a constant without axes; the integer 0 stands for what is zero by structure."""
    x = constant.extra if constant.weak else np.asarray(constant.extra)[()]
    return float(x) if x.__class__ is int else x


_bare, _next = object.__new__, Node._numbers.__next__
# Python's arithmetic on a Python number gives a Python number, which does not widen other types
KEEP_WEAK = {
    np.add, np.subtract, np.multiply, np.true_divide, np.power, np.negative, np.positive, np.absolute,
    np.floor_divide, np.remainder,
}  # fmt: skip
# what becomes of entries of which one, of this number, is zero by structure
_ABSENT: dict[Any, Callable[..., Any]] = {
    np.add: lambda i, a, b: b if i == 0 else a,
    np.subtract: lambda i, a, b: a if i == 1 else NotImplemented,
    np.multiply: lambda i, a, b: 0,
    np.divide: lambda i, a, b: 0 if i == 0 else NotImplemented,
}


def _of_two(ufunc: np.ufunc, a: Any, b: Any, scalars: Scalars) -> Any:
    """Python's arithmetic on two entries."""
    if isinstance(a, Node) and isinstance(b, Node):
        if a.dtype is b.dtype:
            return scalar(ufunc, (a, b), a.dtype, scalars, a.weak and b.weak)
    elif not isinstance(a if isinstance(b, Node) else b, (bool, int, float, np.number)):
        return NotImplemented
    elif ufunc in _ABSENT:
        x, i = (a, 0) if isinstance(b, Node) else (b, 1)
        if x.__class__ is int and x == 0:
            y = _ABSENT[ufunc](i, a, b)
            if y is not NotImplemented:
                return y
            if ufunc is np.subtract:
                return -b
    return scalars.elementwise(ufunc, [x if isinstance(x, Node) else scalars.node(x) for x in (a, b)])


def _column(entries: Any, shape: tuple[int, ...], size: int) -> list[Any]:
    """The entries of an array that is broadcast to this shape, one after the other."""
    if entries.shape == shape:
        return entries.ravel().tolist()  # type: ignore[no-any-return]
    return [entries.item()] * size if entries.size == 1 else np.broadcast_to(entries, shape).ravel().tolist()


def _lying_as(arrays: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Objects that lie in memory as the results of an elementwise operation on these arrays do."""
    if len(shape) < 2 or all(x.flags.c_contiguous for x in arrays):
        return np.empty(shape, object)
    if len(arrays) == 1:
        return np.empty_like(arrays[0], object)
    return np.empty_like(np.nditer([*arrays, None], flags=["refs_ok"], order="K").operands[-1], object)


def is_small(node: Node) -> bool:
    """Whether an array is taken apart."""
    size: int = prod(node.shape)
    return 0 < size <= MOST_ENTRIES
