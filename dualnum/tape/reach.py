"""Which entries of a value its results depend on at all.

A branch that `where` did not take and an entry that an index did not read are absent: whatever their derivatives are
(infinite, NaN), they contribute nothing, to no order. That is known where the branch is chosen and is handed on from
there, as masks of the elements that are reached; that a cotangent happens to be zero says nothing.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from ..broadcasting import summed_to
from ..errors import NotTraceable
from ..kinds import Value
from ..operand import Operand, primal, visible

__all__ = ["Mask", "Reach", "all_or_some", "fitted", "kept", "spread", "through", "united"]


class Mask:
    """A mask that is worked out where it is needed, and once: many ways through a record lead to the same one.

    Args:
        function: what gives it, once there is what it `needs` of other masks.

    Attributes:
        planes: those that are reached, where it is a mask of whole planes of stacked coefficients; else None.
        parts: the masks whose union it is; itself where it is none, or one of many.
        everywhere: whether it is known that all elements are reached.
    """

    __slots__ = ("_found", "_function", "_needs", "everywhere", "parts", "planes")

    def __init__(
        self,
        function: Callable[[], Any],
        needs: "Sequence[Mask | None]" = (),
        planes: frozenset[int] | None = None,
        parts: "tuple[Mask, ...]" = (),
    ) -> None:
        self._function: Callable[[], Any] | None = function
        self._needs = needs
        self._found: Any = None
        self.planes = planes
        self.parts = parts or (self,)
        self.everywhere = False

    def __call__(self) -> Any:
        waiting = [self] if self._function is not None else []
        while waiting:  # of a long record there are more, one behind the other, than Python calls functions
            mask = waiting[-1]
            missing = [m for m in mask._needs if m is not None and m._function is not None]
            if missing:
                waiting += missing
                continue
            if mask._function is not None:
                mask._found, mask._function, mask._needs = mask._function(), None, ()
                mask.everywhere = isinstance(mask._found, (np.ndarray, np.bool_)) and bool(mask._found.all())
            waiting.pop()
        return self._found


Reach = Mask  # None for all elements
_FEW = 8  # masks whose union is told from that of others


def united(a: Reach | None, b: Reach | None) -> Reach | None:
    """The union. In a loop that of one turn is part of that of the next: what is found there is all there is to ask."""
    if a is None or b is None or a.everywhere or b.everywhere:
        return None
    parts = a.parts + tuple([mask for mask in b.parts if mask not in a.parts])
    if len(parts) == len(a.parts):
        return a
    planes = None if a.planes is None or b.planes is None else a.planes | b.planes
    return Mask(lambda: reduce(or_, [mask() for mask in parts]), parts, planes, parts if len(parts) <= _FEW else ())


def kept(contributions: Sequence[Any], reach: Reach) -> list[Any]:
    """Contributions, exact zeros where they are not reached: 0·∞ is 0 there."""
    mask: Any = None
    results = []
    for c in contributions:
        if c is None or _is_finite(c):
            results.append(c)
            continue
        if mask is None:
            try:
                mask = reach()
            except NotTraceable:  # a trace cannot tell where entries go: where it would matter, f itself must run
                mask = True
        if mask is True:
            if isinstance(c, Operand):
                primal(np.logical_not(np.isfinite(c)))._alarm()
            results.append(c)
            continue
        results.append(c if reach.everywhere else np.where(mask, c, 0.0))
    return results


def _is_finite(c: Any) -> bool:
    """Whether all that is known of c is finite numbers; of what is recorded or traced more follows than there is.

    Nobody looks at a device for that.
    """
    while isinstance(c, Operand):
        inner = getattr(c, "planes", None)
        if inner is None:
            return False
        c = inner
    if not visible(c):
        return False
    # the quickest look at all entries; of huge ones it overflows, and the mask is used
    square: Any = np.vdot(c, c).real
    return bool(square - square == 0)


def all_or_some(reach: Reach | None, own: Callable[..., Any] | None, operands: Sequence[Any], i: int) -> Reach | None:
    """What is reached of argument i of an elementwise function: where its result is, and it is not left out itself.

    Args:
        reach: of the result.
        own: (value, *arguments) → masks, see `PullBack`.
        operands: value and arguments.
        i: the argument.
    """
    if own is None:
        return reach

    def mask() -> Any:
        its = own(None, *map(primal, operands))[i]
        if its is None:
            its = np.True_
        return its if reach is None else reach() & its

    return Mask(mask, (reach,))


def spread(mask: Value, shape: tuple[int, ...], xp: Any) -> Any:
    """A mask of all elements of this shape, as an array of this module."""
    return np.broadcast_to(mask if xp is np or isinstance(mask, Operand) else xp.asarray(mask), shape)


def _ones(reach: Reach | None, shape: tuple[int, ...], xp: Any) -> Any:
    """1 at the elements that are reached, 0 elsewhere."""
    return xp.ones(shape) if reach is None else np.where(spread(reach(), shape, xp), 1.0, 0.0)


def fitted(reach: Reach | None, shape: tuple[int, ...], parent: tuple[int, ...], xp: Any) -> Reach | None:
    """The reach of an operand of the parent's shape that was broadcast, its mask an array of this module."""
    if reach is None or shape == parent:
        return reach
    return Mask(lambda: summed_to(_ones(reach, shape, xp), parent) != 0, (reach,))


def through(
    adjoint: Callable[[Any], Any],
    reach: Reach | None,
    shape: tuple[int, ...],
    parent: tuple[int, ...],
    xp: Any,
    i: int | None = None,
    planes: frozenset[int] | None = None,
) -> Reach:
    """What is reached of datum i behind a function that moves entries, adds them up and leaves some out.

    `xp` is the array module of the cotangents, and `planes` are what is reached, where it is whole planes.
    """

    def mask() -> Any:
        moved = adjoint(_ones(reach, shape, xp))
        return summed_to(moved if i is None else moved[i], parent) != 0  # of an imaginary part they are −i

    return Mask(mask, (reach,), planes)
