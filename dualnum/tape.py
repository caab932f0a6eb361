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

from .broadcasting import summed_to
from .constants import unchanged
from .errors import InvalidValue
from .evaluation import pulled
from .index import as_tuple
from .kernel.pullback import PullBack
from .memory import LARGE
from .operand import Operand, linear, primal
from .planes import placed
from .primitives import Row

__all__ = ["Node", "Placing", "is_recording", "name_of", "not_recording", "sweep"]

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


class Placing:
    """The pull-back of x[index], of slices and integers, so that no entry occurs twice: zeros but at the index."""

    __slots__ = ("index",)

    def __init__(self, index: Any) -> None:
        self.index = index

    def __call__(self, cotangent: Any, shape: tuple[int, ...]) -> Any:
        """The cotangent of x, of this shape."""

        def put(g: Any) -> Any:
            if isinstance(g, Operand):
                return linear(put, g, adjoint=lambda h: h[self.index])
            return placed(g, as_tuple(self.index), shape)

        put.at = self.index, shape  # type: ignore[attr-defined]  # a tracer notes where, in place of what is done
        return put(cotangent)


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
    # to that, so that it may be added to in place, and whether it has zeros of branches that were not taken
    waiting: dict[int, list[Any]] = {}
    heap: list[int] = []
    with np.errstate(all="ignore"):
        for node, cotangent in seeds:
            _contribute(waiting, heap, node, cotangent)
        while heap:
            number = heappop(heap)
            node, cotangent, _, masked = waiting.pop(number)
            pull = node.pull
            if number in numbers or (collect and (pull is None or hasattr(node, "grad"))):
                found.append((node, cotangent))
            if pull is None:
                continue
            saved = node.saved
            if wrap is not None and saved:
                saved = [
                    v if n is None or v is None or type(v) is tuple else wrap(v, n)
                    for v, n in zip(saved, (node, *node.parents), strict=True)
                ]
            if type(pull) is PullBack:
                contributions: Any = None
                if type(cotangent) is not np.ndarray:
                    if isinstance(cotangent, Operand):
                        contributions = cotangent._pulled(pull.function, (cotangent, *saved))
                elif cotangent.nbytes >= LARGE:
                    contributions = pulled(None, pull.function, (cotangent, *saved))
                if contributions is None:
                    contributions = pull.function(cotangent, *saved)
                if masked:
                    contributions = [_where_reached(c, cotangent) for c in contributions]
                else:
                    masked = pull.selects
            elif type(pull) is Placing:
                _place(waiting, heap, node.parents[0], pull, cotangent, masked)
                contributions = ()
            else:
                contributions = pull(cotangent, *saved)
                if masked and isinstance(node.source, Row):
                    contributions = [_where_reached(c, cotangent) for c in contributions]
                elif not isinstance(node.source, Row) and node.name == "where":
                    masked = True
            if not retain:
                node.pull, node.saved = _freed, ()
            for parent, c in zip(node.parents, contributions):  # noqa: B905  as many, and this is the inner loop
                if parent is None or c is None:
                    continue
                k = parent.number
                if k not in waiting and type(c) is np.ndarray and c.shape == parent.shape and c.dtype is parent.dtype:
                    waiting[k] = [parent, c, False, masked]  # the usual case, without a call
                    heappush(heap, k)
                else:
                    _contribute(waiting, heap, parent, c, masked)
    return found


def _where_reached(c: Any, cotangent: Any) -> Any:
    """c with exact zeros where the cotangent is one, behind a branch that was not taken: 0·∞ is 0 there."""
    plain = primal(c)
    if plain is None:
        return c
    if not isinstance(plain, Operand) and bool(np.isfinite(plain.sum())):  # a tracer has no numbers to look at
        return c
    coefficients = primal(getattr(cotangent, "coeffs", None))
    zero = primal(cotangent) == 0 if coefficients is None else np.all(coefficients == 0, axis=0)
    return np.where(zero, 0.0, c)


def _contribute(waiting: dict[int, list[Any]], heap: list[int], node: Node, c: Any, masked: bool = False) -> None:
    """Adds c to the cotangent of a node."""
    if c.shape != node.shape:
        c = summed_to(c, node.shape)
    if c.dtype is not node.dtype and c.dtype != node.dtype:
        c = _typed(c, node.dtype)
    state = waiting.get(node.number)
    if state is None:
        waiting[node.number] = [node, c, False, masked]
        heappush(heap, node.number)
        return
    state[3] = state[3] or masked
    before = state[1]
    if state[2] and type(before) is np.ndarray and type(c) in _ARRAYS:
        before += c
    elif not (state[2] and isinstance(before, Operand) and before._add_at(..., c)):
        state[1] = before + c
        state[2] = True


def _place(waiting: dict[int, list[Any]], heap: list[int], node: Node, pull: Placing, g: Any, masked: bool) -> None:
    """Adds what a `Placing` gives to the cotangent of a node: in place, where that is possible."""
    number, index = node.number, pull.index
    state = waiting.get(number)
    if g.dtype is not node.dtype and g.dtype != node.dtype:
        g = _typed(g, node.dtype)
    if state is None:
        own = type(g) in _ARRAYS
        alone = placed(g, as_tuple(index), node.shape) if own else None
        if alone is None and isinstance(g, Operand):
            alone = g._placed(index, node.shape)
            own = alone is not None
        waiting[number] = [node, pull(g, node.shape) if alone is None else alone, own, masked]
        heappush(heap, number)
        return
    before = state[1]
    state[3] = state[3] or masked
    if type(before) is np.ndarray and type(g) in _ARRAYS:
        if not state[2]:
            state[1] = before = before.copy()
            state[2] = True
        before[index] += g
    elif not (state[2] and isinstance(before, Operand) and before._add_at(index, g)):
        state[1] = before + pull(g, node.shape)
        state[2] = True


_ARRAYS = frozenset((np.ndarray, np.float64, np.float32))


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
