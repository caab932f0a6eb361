"""The numbers at hand while a function is traced: Python's own decisions are made by them, and guarded.

A trace is made with the arguments of a call. Where Python must know a number (a branch, an index, a count, `float(x)`),
it is computed from them, node by node, as NumPy computes it without a trace, and is kept as a guard: a replay whose
number is another one is not that of the function. Functions of the package prefer to be one step of the trace as a
whole (see `Operand.__array_function__`), and follow numbers only where they cannot be.
"""

import operator
import sys
from collections.abc import Sequence
from functools import reduce
from typing import Any, NoReturn

import numpy as np

from ..counterparts import on_device
from ..errors import NotTraceable
from ..operand import Operand
from ..operand.culprit import place
from .nodes import Applied, Node
from .places import pieced, turned

__all__ = ["Followed", "Guard", "Numbers", "in_library", "together"]

MOST = 4096  # entries of an array whose numbers are guarded

_IN_ORDER = {np.add.reduce, np.outer, np.ndarray.ravel}  # functions whose results lie as they are written

# through these a question comes, whoever asks it
_BETWEEN = {f"{__package__}.{name}" for name in "following calls trace shortcuts tracing writes apart scalars".split()}
_BETWEEN |= {"dualnum.operand.operand", "dualnum.operand.ndarray"}
_LIBRARIES = ("numpy", "scipy", "optree", "dualnum")


class Numbers:
    """The numbers of the nodes of one trace, computed when they are asked for.

    Args:
        samples: the arguments.
        looks: whether the machine's arrays are NumPy's.
    """

    def __init__(self, samples: Sequence[Any], looks: bool) -> None:
        self._samples = samples
        self._looks = looks
        self._known: dict[int, Any] = {}
        self._ordered: dict[int, bool] = {}

    def of(self, node: Node) -> Any:
        """What NumPy computes for a node; not to be written to."""
        known = self._known
        if node.number in known:
            return known[node.number]
        waiting = [node]
        with np.errstate(all="ignore"):
            while waiting:
                node = waiting[-1]
                if node.number not in known:
                    missing = [a for a in node.args if a.number not in known]
                    if missing:
                        waiting += missing
                        continue
                    known[node.number] = self._executed(node, [known[a.number] for a in node.args])
                waiting.pop()
        return known[node.number]

    def laid_out(self, node: Node) -> Any:
        """An array that lies in memory as the node's does without a trace; its numbers are anything."""
        if node.op == "input":
            return self._samples[node.extra]
        if node.op == "pack":
            return node.extra  # the objects lie as the numbers do
        if not self._is_in_order(node):
            return self.of(node)
        return np.empty(node.shape, np.uint8)

    def in_order(self, node: Node) -> Node:
        """The node whose axes lie in memory as they are written."""
        if not node.shape or not self._looks or self.laid_out(node).flags.c_contiguous:
            return node
        return Node("broadcast", (node,), node.shape, node.dtype, "C")

    def _is_in_order(self, node: Node) -> bool:
        """Whether the axes of an array are known to lie in memory as they are written."""
        known, waiting = self._ordered, [node]
        while waiting:
            n = waiting[-1]
            if n.number not in known:
                read = n.args if n.elementwise or n.op in ("row", "slice", "rolled") else ()
                read = tuple(a for a in read if len(a.shape) > 1 and len(n.shape) > 1)
                missing = [a for a in read if a.number not in known]
                if missing:
                    waiting += missing
                    continue
                known[n.number] = all(known[a.number] for a in read) and self._keeps_order(n)
            waiting.pop()
        return known[node.number]

    def _keeps_order(self, node: Node) -> bool:
        if len(node.shape) < 2 or node.elementwise:
            return True
        if node.op == "input":
            return bool(self._samples[node.extra].flags.c_contiguous)
        if node.op == "broadcast":
            return bool(node.extra == "C")
        if node.op == "call":
            return isinstance(node.extra, Applied) and node.extra.function in _IN_ORDER
        return node.op in ("row", "slice", "rolled", "stack", "placed", "concatenate")

    def _executed(self, node: Node, given: list[Any]) -> Any:
        op = node.op
        if op == "input":
            return self._samples[node.extra]
        if op in ("constant", "held"):
            return node.extra
        if op == "call":
            return node.extra(*given)
        if op in ("row", "slice", "item"):
            return given[0][node.extra]
        if op == "entry":
            return given[0].reshape(-1)[node.extra]
        if op == "pack":
            return np.array(given, node.dtype).reshape(node.shape)
        if op == "broadcast":
            return np.broadcast_to(given[0], node.shape) if node.extra is None else np.array(given[0], order=node.extra)
        if op == "concatenate":
            return np.concatenate(given)
        if op == "rolled":
            return turned(*given, *node.extra)
        if op in ("stack", "placed"):
            return pieced(given, range(len(given)) if op == "stack" else node.extra.values(), node.shape, node.dtype)
        y = (np.where if op == "select" else op if self._looks else on_device(op))(*given)
        return y.item() if node.weak else y


class Guard:
    """A node whose numbers a replay must find as they were when the function was traced.

    Numbers, not truth values, may differ in rounding from what NumPy computed: the first replay, of the same
    arguments, says what it makes of them.

    Attributes:
        node: whose numbers.
        value: what they were.
        place: the line of the function that asked for them.
        settled: whether a replay has seen the arguments of the trace.
        parts: of one that stands for several these, else itself.
    """

    __slots__ = ("_bits", "node", "parts", "place", "settled", "value")

    def __init__(self, node: Node, value: Any, place: str, parts: Sequence["Guard"] = ()) -> None:
        self.parts = parts or (self,)
        self.node, self.value, self.place = node, value, place
        self.settled = node.dtype.kind not in "fc"
        self._bits = self._of(value)

    def _of(self, x: Any) -> bytes:
        return np.asarray(_on_host(x), self.node.dtype).tobytes()

    def fails(self, x: Any) -> bool:
        """Whether these are other numbers, to the last bit."""
        bits = self._of(x)
        if bits != self._bits and not self.settled:
            near = 1e3 * float(np.finfo(self.node.dtype).eps)
            if np.allclose(_on_host(x), self.value, rtol=near, atol=0.0, equal_nan=True):
                self._bits = bits
        return bits != self._bits

    @property
    def known(self) -> Any:
        """The numbers that a replay must find, as it makes them."""
        return np.frombuffer(self._bits, self.node.dtype).reshape(np.shape(self.value))

    @property
    def is_choice(self) -> bool:
        """Whether there are few things that it can be: truth values and integers."""
        return self.node.shape == () and (self.node.dtype.kind in "biu" or self.node.op in _WHOLE)


_WHOLE = (np.trunc, np.floor, np.ceil)  # of which there are few, whatever the number


def _on_host(x: Any) -> Any:
    return x.get() if hasattr(x, "get") else x


def together(guards: Sequence[Guard], nodes: Sequence[Node]) -> list[Guard]:
    """The guards, those of truth values that one kernel computes as one.

    Args:
        guards: those of a trace.
        nodes: all its nodes, arguments first.
    """
    stages: dict[int, int] = {}
    for n in nodes:
        stages[n.number] = max((stages[a.number] + (not a.elementwise and bool(a.args)) for a in n.args), default=0)
    found: dict[tuple[int, Any], list[Guard]] = {}
    others = []
    for guard in guards:
        node = guard.node
        floats = {a.dtype for a in node.args if not a.weak} or {a.dtype for a in node.args}
        if node.elementwise and node.shape == () and node.dtype == bool and {d.kind for d in floats} == {"f"}:
            found.setdefault((stages[node.number], frozenset(floats)), []).append(guard)
        else:
            others.append(guard)
    for several in found.values():
        held = [g.node if g.value else Node(np.logical_not, (g.node,), (), bool) for g in several]
        if len(held) > 1:
            node = reduce(lambda a, b: Node(np.logical_and, (a, b), (), bool), held)
            others.append(Guard(node, np.True_, several[0].place, several))
        else:
            others += several
    return others


def in_library() -> bool:
    """Whether a function of the package asks for a number, not the user's."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name not in _BETWEEN:
            package = name.partition(".")[0]
            if package not in _LIBRARIES:
                return False
            if package == "dualnum":
                return True
        frame = frame.f_back
    return False


class Followed(Operand):
    """A traced array whose numbers are looked up where Python needs them."""

    __slots__ = ()
    node: Any
    record: Any

    def _known(self, what: str, instead: str) -> Any:
        """The numbers, guarded; raises where they cannot be told."""
        node, record = self.node, self.record
        if node.op == "constant":
            return node.extra
        if not record.following and in_library():
            raise self._refused(what, instead)
        if self.size > MOST:
            raise self._refused(
                f"{what} of {self.size} entries (more than {MOST} are not compared at each call)", instead
            )
        known = record.guards.get(node.number)
        if known is None:
            known = record.guards[node.number] = Guard(node, record.numbers.of(node), place())
        return _on_host(known.value)

    def _refused(self, what: str, instead: str) -> NotTraceable:
        error = NotTraceable(what, instead, self._instead)
        if not in_library():  # even if the function goes on: it would not have met this without a trace
            self.record.refused = error
        return error

    def _instead(self, error: NotTraceable, function: Any, args: Any, kwargs: Any) -> Any:
        """function(*args, **kwargs) as one step of the trace; raises the error where it cannot be one."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        if self.size != 1:
            return bool(np.broadcast_to(np.True_, self.shape))  # raises as NumPy does
        return bool(
            self._known("a branch on a traced value", "np.where(condition, …), or static_argnums for a parameter")
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        known = np.array(self._known("turning a traced value into an ndarray", "functions of NumPy on it"))
        return known if dtype is None else known.astype(dtype)

    def __float__(self) -> float:
        return float(self._one("float()"))

    def __int__(self) -> int:
        return int(self._whole("int()", np.trunc))

    def __complex__(self) -> complex:
        return complex(self._one("complex()"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.shape:
            operator.index(np.broadcast_to(np.ones((), self.dtype), self.shape))  # raises as NumPy does
        return int(self._one("a traced value as an index or a count", "np.take, or static_argnums for a parameter"))

    def __trunc__(self) -> int:  # type: ignore[override]
        return int(self._whole("math.trunc()", np.trunc))

    def __floor__(self) -> int:
        return int(self._whole("math.floor()", np.floor))

    def __ceil__(self) -> int:
        return int(self._whole("math.ceil()", np.ceil))

    def _whole(self, what: str, rounded: np.ufunc) -> Any:
        """A rounded number: others that are rounded to the same have the same trace."""
        return (rounded(self) if self.dtype.kind == "f" and self.size == 1 else self)._one(what)

    def _one(self, what: str, instead: str = "functions of NumPy on it, or static_argnums") -> Any:
        """The only number, one of Python's."""
        known = self._known(f"{what} of a traced value" if what.endswith("()") else what, instead)
        return known if type(known) in (bool, int, float, complex) else np.asarray(known).item()

    def __hash__(self) -> int:  # type: ignore[override]
        if self.shape or self._is_array:
            return super().__hash__()
        return hash(self._one("hash()"))

    def item(self, *args: Any) -> Any:
        return np.asarray(self._known("item() of a traced value", "x[i], or the array itself")).item(*args)

    def tolist(self) -> Any:
        return np.asarray(self._known("tolist() of a traced value", "the array itself")).tolist()

    def tobytes(self, order: Any = "C") -> Any:
        return np.asarray(self._known("tobytes() of a traced value", "the array itself")).tobytes(order)

    def __format__(self, spec: str) -> str:
        return format(self._one("format()"), spec) if spec and not self.shape else super().__format__(spec)

    def __reduce__(self) -> NoReturn:
        raise self._refused("pickling a traced value", "it outside of the function")
