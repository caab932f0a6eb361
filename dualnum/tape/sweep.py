"""The tape: what was recorded, and the reverse sweep over it.

A `Node` is one recorded operation: the nodes that its result was computed from, and the pull-back that takes
a cotangent ȳ = ∂L/∂y to theirs. The pull-backs are written with the same overloaded operations, so the sweep
runs on whatever the values are. A cotangent pairs with a perturbation as Re Σ ȳ·dy, without conjugation:
∂L/∂Re z − i ∂L/∂Im z for a complex z.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from heapq import heappop, heappush
from typing import Any, NoReturn

import numpy as np

from ..broadcasting import summed_to
from ..errors import InvalidValue, NotTraceable
from ..jets.evaluation import pulled
from ..jets.planes import placed
from ..kernel.pullback import PullBack
from ..memory import LARGE
from ..operand import Moving, Operand, highest, linear
from ..operand.constants import unchanged
from ..operand.index import as_tuple
from ..operand.rearrangement import Rearrangement
from ..primitives import Row
from .reach import Reach, all_or_some, fitted, kept, through, united
from .transposed import StackPull

__all__ = ["LinearPull", "Node", "Placing", "is_recording", "name_of", "not_recording", "sign_of_squares", "sweep"]

_numbers = itertools.count(0, -1)
_recording: ContextVar[bool] = ContextVar("recording", default=True)
is_recording = _recording.get


@contextmanager
def not_recording() -> Iterator[None]:
    """What is computed inside depends on no variable."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


class Node:
    """One recorded operation; without parents a variable to differentiate by.

    Attributes:
        number: when it was recorded, counted down: the smallest of a heap is the latest, before its parents.
        parents: the node of each argument, None for a constant.
        pull: a primitive's `PullBack`, a `Placing`, or (cotangent, *saved) → a contribution for each parent; None for
            a leaf.
        saved: the values that pull reads: the result and the arguments, None for what it does not need.
        shape, dtype: of the value.
        source: the row, or the name of the function, or what stands in for it.
        grad: of leaves and of nodes that retain theirs, once it is set (see `autograd`).
    """

    __slots__ = ("__weakref__", "dtype", "grad", "number", "parents", "pull", "saved", "shape", "source")

    grad: Any

    def __init__(
        self,
        source: Any,
        parents: Sequence["Node | None"],
        pull: PullBack | Callable[..., Any] | None,
        saved: Sequence[Any],
        shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        self.number = next(_numbers)
        self.source = source
        self.parents = parents
        self.pull = pull
        self.saved = saved
        self.shape = shape
        self.dtype = dtype

    @property
    def name(self) -> str:
        source = self.source
        return source.name if isinstance(source, Row) else source if isinstance(source, str) else name_of(source)

    def __repr__(self) -> str:
        return f"<{''.join(word.capitalize() for word in self.name.split('_'))}Backward>"


def name_of(function: Callable[..., Any]) -> str:
    return str(function.__qualname__.split(".")[0]).strip("_")


def _is_even(exponent: Any) -> bool:
    return isinstance(exponent, (int, float)) and exponent > 0 and exponent % 2 == 0


def sign_of_squares(node: Node, of_first: bool = False) -> int:
    """1 for what is recorded as a sum of squares, −1 for one of their negatives; 0 for anything else.

    With `of_first` of the first of stacked planes.
    """
    sign = 1
    while True:
        pull, parents = node.pull, node.parents
        if type(pull) is LinearPull and pull.moves and len(parents) == 1:  # a sum, or some of the entries
            (parent,) = parents
        elif type(pull) is Placing:  # an entry; of coefficients only the value is a square where the whole is one
            (parent,) = parents
            if parent is not None and type(parent.pull) is StackPull and pull.index != 0:
                return 0
        elif of_first and type(pull) is LinearPull and isinstance(pull.adjoint, Moving) and not pull.adjoint.omits:
            parent = parents[0]  # planes put together, the value first
        elif isinstance(node.source, Row):
            ufunc = node.source.ufunc
            if ufunc is np.square or (ufunc is np.multiply and parents[0] is parents[1]):
                return sign
            if ufunc in (np.power, np.float_power) and _is_even(node.saved[-1] if node.saved else None):
                return sign
            if ufunc is np.add:
                signs = {0 if p is None else sign_of_squares(p, of_first) for p in parents}
                return sign * signs.pop() if len(signs) == 1 else 0
            if ufunc is not np.negative:
                return 0
            (parent,) = parents
            sign = -sign
        else:
            return sign if type(pull) is PullBack and pull.squares else 0
        if parent is None:
            return 0
        node = parent


class Placing:
    """The pull-back of x[index], of slices and integers, so that no entry occurs twice: zeros but at the index."""

    __slots__ = ("index",)

    def __init__(self, index: Any) -> None:
        self.index = index

    def __call__(self, cotangent: Any, shape: tuple[int, ...]) -> Any:
        """The cotangent of x, of this shape."""

        def put(g: Any) -> Any:
            if not isinstance(g, Operand):
                return placed(g, as_tuple(self.index), shape)
            alone = g._placed(self.index, shape)
            return linear(put, g, adjoint=Moving(lambda h: h[self.index], omits=False)) if alone is None else alone

        return put(cotangent)


class LinearPull:
    """The pull-back of a linear function: its adjoint.

    Attributes:
        adjoint: (cotangent) → that of the datum; of several data a tuple.
        alone: whether there is one datum.
    """

    __slots__ = ("adjoint", "alone")

    def __init__(self, adjoint: Callable[[Any], Any], alone: bool) -> None:
        self.adjoint = adjoint
        self.alone = alone

    def __call__(self, cotangent: Any) -> Any:
        return (self.adjoint(cotangent),) if self.alone else self.adjoint(cotangent)

    @property
    def moves(self) -> bool:
        """Whether cotangents are moved, added up and left out, whatever they are."""
        return isinstance(self.adjoint, (Moving, Rearrangement))

    @property
    def omits(self) -> bool:
        """Whether entries of the data may not occur in the result."""
        try:
            return isinstance(self.adjoint, (Moving, Rearrangement)) and self.adjoint.omits
        except NotTraceable:  # where entries go hangs on traced numbers
            return True


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────


def sweep(
    seeds: Iterable[tuple[Node, Any]],
    wanted: Iterable[Node] = (),
    *,
    retain: bool = False,
    wrap: Callable[[Any, Node], Any] | None = None,
    collect: bool = False,
) -> list[tuple[Node, Any]]:
    """The nodes `wanted` that the results depend on, with their cotangents.

    Args:
        seeds: nodes of results with their cotangents.
        retain: keep the record for another sweep; else it is given up as the sweep passes.
        wrap: (value, node) → the variable, to record the sweep itself; without it it runs on the values.
        collect: also the leaves, and the nodes that retain their gradient.
    """
    unchanged()
    numbers = {node.number for node in wanted}
    found: list[tuple[Node, Any]] = []
    # of the nodes that are waiting, by their numbers: the node, its cotangent so far, whether nobody else refers
    # to that, so that it may be added to in place, and which elements it reaches
    waiting: dict[int, list[Any]] = {}
    heap: list[int] = []
    with np.errstate(all="ignore"):
        for node, cotangent in seeds:
            _contribute(waiting, heap, node, cotangent)
        while heap:
            number = heappop(heap)
            node, cotangent, _, reach = waiting.pop(number)
            pull = node.pull
            if number in numbers or (collect and (pull is None or hasattr(node, "grad"))):
                found.append((node, cotangent))
            if pull is None:
                continue
            if type(pull) is Placing:
                _place(waiting, heap, node, pull, cotangent, reach)
                if not retain:
                    node.pull = _freed
                continue
            saved = node.saved
            if wrap is not None and saved:
                saved = [
                    v if n is None or v is None or type(v) is tuple else wrap(v, n)
                    for v, n in zip(saved, (node, *node.parents), strict=True)
                ]
            elementwise = type(pull) is PullBack
            if elementwise:
                if cotangent.__class__ in _ARRAYS and cotangent.nbytes < LARGE:
                    for v in saved:
                        if v.__class__ not in _PLAIN:
                            contributions = _pulled(pull, cotangent, saved)
                            break
                    else:  # the usual case, without a call
                        contributions = pull.function(cotangent, *saved)
                else:
                    contributions = _pulled(pull, cotangent, saved)
                if reach is not None and pull.scales:
                    contributions = kept(contributions, reach)
            elif type(pull) is StackPull:
                contributions = pull.pulled(cotangent, saved[1:], reach)
            else:
                contributions = pull(cotangent, *saved)
            if not retain:
                node.pull, node.saved = _freed, ()
            for i, (parent, c) in enumerate(zip(node.parents, contributions)):  # noqa: B905  as many, the inner loop
                if parent is None or c is None:
                    continue
                its = None
                if parent.pull is not None and (reach is not None or not elementwise or pull.reached is not None):
                    its = _reached(pull, reach, node, saved, i, parent)
                k = parent.number
                if k not in waiting and type(c) is np.ndarray and c.shape == parent.shape and c.dtype is parent.dtype:
                    waiting[k] = [parent, c, False, its]  # the usual case, without a call
                    heappush(heap, k)
                else:
                    _contribute(waiting, heap, parent, c, its)
    return found


def _pulled(pull: PullBack, cotangent: Any, saved: Sequence[Any]) -> Any:
    """The contributions of a primitive: in one step where the operands know how."""
    operands = [v for v in (cotangent, *saved) if isinstance(v, Operand)]
    if not operands:
        contributions = None
        if type(cotangent) is np.ndarray and cotangent.nbytes >= LARGE:
            contributions = pulled(None, pull.function, (cotangent, *saved))
        return pull.function(cotangent, *saved) if contributions is None else contributions
    # of what is only recorded here or traced the plain function is enough: it is linear in the cotangent
    differentiated = any(v is not cotangent and v.value is not v for v in operands)
    function = pull.exact if differentiated else pull.function
    top = highest(operands)
    assert top is not None
    contributions = top._pulled(function, (cotangent, *saved))
    return function(cotangent, *saved) if contributions is None else contributions


def _reached(pull: Any, reach: Reach | None, node: Node, saved: Sequence[Any], i: int, parent: Node) -> Reach | None:
    """Which elements of parent i are reached through a node that is reached so far."""
    if type(pull) is PullBack:
        its = all_or_some(reach, pull.reached, saved, i)
        return fitted(its, node.shape, parent.shape)
    if type(pull) is StackPull:
        return pull.reach(reach, node.shape, saved, i, parent.shape)
    if type(pull) is LinearPull and pull.moves and (reach is not None or pull.omits):
        return through(pull.adjoint, reach, node.shape, parent.shape, None if pull.alone else i)
    return None


def _contribute(waiting: dict[int, list[Any]], heap: list[int], node: Node, c: Any, reach: Reach | None = None) -> None:
    """Adds c to the cotangent of a node."""
    if c.shape != node.shape:
        c = summed_to(c, node.shape)
    if c.dtype is not node.dtype and c.dtype != node.dtype:
        c = _typed(c, node.dtype)
    state = waiting.get(node.number)
    if state is None:
        waiting[node.number] = [node, c, False, reach]
        heappush(heap, node.number)
        return
    state[3] = united(state[3], reach)
    before = state[1]
    if state[2] and type(before) is np.ndarray and type(c) in _ARRAYS:
        before += c
    elif not (state[2] and isinstance(before, Operand) and before._add_at(..., c)):
        state[1] = before + c
        state[2] = True


def _place(
    waiting: dict[int, list[Any]], heap: list[int], part: Node, pull: Placing, g: Any, reach: Reach | None
) -> None:
    """Adds what a `Placing` gives to the cotangent of a node: in place, where that is possible."""
    (node,) = part.parents
    if node is None:
        return
    number, index = node.number, pull.index
    if node.pull is not None:
        reach = through(lambda ones: pull(ones, node.shape), reach, part.shape, node.shape)
    state = waiting.get(number)
    if g.dtype is not node.dtype and g.dtype != node.dtype:
        g = _typed(g, node.dtype)
    if state is None:
        own = type(g) in _ARRAYS
        alone = placed(g, as_tuple(index), node.shape) if own else None
        if alone is None and isinstance(g, Operand):
            alone = g._placed(index, node.shape)
            own = alone is not None
        waiting[number] = [node, pull(g, node.shape) if alone is None else alone, own, reach]
        heappush(heap, number)
        return
    before = state[1]
    state[3] = united(state[3], reach)
    if type(before) is np.ndarray and type(g) in _ARRAYS:
        if not state[2]:
            state[1] = before = before.copy()
            state[2] = True
        before[index] += g
    elif not (state[2] and isinstance(before, Operand) and before._add_at(index, g)):
        state[1] = before + pull(g, node.shape)
        state[2] = True


_ARRAYS: Any = frozenset((np.ndarray, np.float64, np.float32))
_PLAIN = frozenset((np.ndarray, np.float64, np.float32, float, int, type(None)))


def _freed(*args: Any) -> NoReturn:
    raise InvalidValue(
        "backward: the record was given up by an earlier sweep over it; pass retain_graph=True to that one to go "
        "through it twice"
    )


def _typed(x: Any, dtype: Any) -> Any:
    """x in the type of the variable; of a complex cotangent of a real one the real part."""
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = np.real(x)
    return x if x.dtype == dtype else x.astype(dtype)
