"""The tape: what was recorded.

A `Step` is one recorded operation: the steps that its result was computed from, and the pull-back that takes
a cotangent ȳ = ∂L/∂y to theirs. The pull-backs are written with the same overloaded operations, so a sweep over them
runs on whatever the values are. A cotangent pairs with a perturbation as Re Σ ȳ·dy, without conjugation:
∂L/∂Re z − i ∂L/∂Im z for a complex z.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..backend import namespace
from ..errors import NotDifferentiable, NotTraceable
from ..jets.planes import placed
from ..kernel.pullback import PullBack
from ..kinds import DType, Index, Value
from ..operand import Moving, Operand, linear
from ..operand.index import as_tuple
from ..operand.rearrangement import Rearrangement
from ..primitives import Row
from .reach import Reach
from .transposed import StackPull

__all__ = [
    "LinearPull",
    "OperationPull",
    "Placing",
    "Step",
    "added_at",
    "irreversible",
    "is_recording",
    "name_of",
    "recording_is",
    "set_recording",
    "sign_of_squares",
]

_numbers = itertools.count(0, -1)
_recording: ContextVar[bool] = ContextVar("recording", default=True)
is_recording = _recording.get


set_recording = _recording.set


@contextmanager
def recording_is(on: bool) -> Iterator[None]:
    """Whether what is computed inside is recorded; what is not depends on no variable."""
    token = _recording.set(on)
    try:
        yield
    finally:
        _recording.reset(token)


class Step:
    """One recorded operation; without parents a variable to differentiate by.

    Attributes:
        number: when it was recorded, counted down: the smallest of a heap is the latest, before its parents.
        parents: the step of each argument, None for a constant.
        pull: a primitive's `PullBack`, a `Placing`, or (cotangent, *saved) → a contribution for each parent; None for
            a leaf.
        saved: the values that pull reads: the result and the arguments, None for what it does not need.
        shape, dtype: of the value.
        source: the row, or the name of the function, or what stands in for it.
        grad: of leaves and of steps that retain theirs, once it is set (see `autograd`).
    """

    __slots__ = ("__weakref__", "dtype", "grad", "number", "parents", "pull", "saved", "shape", "source")

    grad: Any

    def __init__(
        self,
        source: Any,
        parents: Sequence["Step | None"],
        pull: PullBack | Callable[..., Any] | None,
        saved: Sequence[Any],
        shape: tuple[int, ...],
        dtype: DType,
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


def irreversible(function: Callable[..., Any]) -> NotDifferentiable:
    return NotDifferentiable(
        f"{name_of(function)}: dualnum has no reverse rule for this function; use forward mode (dn.jvp, dn.jacfwd)"
    )


def _is_even(exponent: Any) -> bool:
    return isinstance(exponent, (int, float)) and exponent > 0 and exponent % 2 == 0


def sign_of_squares(step: Step, of_first: bool = False) -> int:
    """1 for what is recorded as a sum of squares, −1 for one of their negatives; 0 for anything else.

    With `of_first` of the first of stacked planes.
    """
    sign = 1
    while True:
        pull, parents = step.pull, step.parents
        if type(pull) is LinearPull and pull.moves and len(parents) == 1:  # a sum, or some of the entries
            (parent,) = parents
        elif type(pull) is Placing:  # an entry; of coefficients only the value is a square where the whole is one
            (parent,) = parents
            if parent is not None and type(parent.pull) is StackPull and pull.index != 0:
                return 0
        elif of_first and type(pull) is LinearPull and isinstance(pull.adjoint, Moving) and not pull.adjoint.omits:
            parent = parents[0]  # planes put together, the value first
        elif isinstance(step.source, Row):
            ufunc = step.source.ufunc
            if ufunc is np.square or (ufunc is np.multiply and parents[0] is parents[1]):
                return sign
            if ufunc in (np.power, np.float_power) and _is_even(step.saved[-1] if step.saved else None):
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
        step = parent


class OperationPull:
    """The pull-back of an operation that asks which elements of its result are reached."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, cotangent: Value, *saved: Any) -> Any:
        return self.function(cotangent, *saved)

    def contributions(self, cotangent: Value, saved: Sequence[Any], reach: Reach | None) -> Any:
        """The contributions; the mask is made once it is asked for."""
        return self.function(cotangent, *saved, reach=reach)


class Placing:
    """The pull-back of x[index], of slices and integers, so that no entry occurs twice: zeros but at the index."""

    __slots__ = ("index",)

    def __init__(self, index: Index) -> None:
        self.index = index

    def planes(self, shape: tuple[int, ...]) -> frozenset[int] | None:
        """Which planes along the first axis the index takes, where it takes whole ones; else None."""
        first, *others = as_tuple(self.index)
        if any(other != slice(None) for other in others) or not isinstance(first, (int, np.integer, slice)):
            return None
        taken = range(shape[0])[first]
        return frozenset(taken if isinstance(taken, range) else (taken,))

    def __call__(self, cotangent: Value, shape: tuple[int, ...]) -> Any:
        """The cotangent of x, of this shape."""

        def put(g: Value) -> Any:
            if not isinstance(g, Operand):
                return placed(g, as_tuple(self.index), shape)
            alone = g._placed(self.index, shape)
            return linear(put, g, adjoint=Moving(lambda h: h[self.index], omits=False)) if alone is None else alone

        return put(cotangent)


def added_at(index: Index, shape: tuple[int, ...]) -> Moving:
    """The adjoint of x[index] on a device, where an entry may occur twice: its cotangents are added up."""

    def put(g: Value) -> Any:
        if isinstance(g, Operand):
            return linear(put, g, adjoint=Moving(lambda h: h[index]))
        xp: Any = namespace(g)
        sums = xp.zeros(shape, g.dtype)
        xp.add.at(sums, index, g)
        return sums

    return Moving(put)


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

    def __call__(self, cotangent: Value) -> Any:
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
