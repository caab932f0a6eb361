"""A jet that waits: a cheap primitive for what follows it, x @ w + b for the tanh, or what may never be needed.

Alone the first would cost a pass over memory, the second a launch. It is computed when its planes are asked for, before
a write to what it was made of, or, a primitive, with the next function of one argument, as one kernel.
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from ..errors import DualnumError
from ..kernel import engine
from ..memory import LARGE
from ..operand import Operand, primal, visible
from ..operand.ndarray import missing
from ..primitives.composition import composed
from ..primitives.table import Row, lookup
from .evaluation import computed, fused
from .jet import Jet

__all__ = ["Waiting"]

_SMALL = 1 << 16  # bytes that are copied without a thought


class Waiting(Jet):
    """A jet without planes as yet."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name != "planes":
            return missing(self, name)
        pending = self._pending
        if pending is not None:  # else another thread was quicker
            function, operands, mine = pending
            done = function(*operands) if mine is None else computed(self, function, operands, mine)
            self.planes = done.planes
            self._extent = done.extent
            if self._shared is not None:
                self._shared.extent = done.extent
            self.__class__ = Jet  # type: ignore[assignment]
            self._pending = None
        return self.planes

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        pending = self._pending
        if (
            pending is not None
            and pending[2] is not None
            and method == "__call__"
            and len(inputs) == 1
            and not kwargs
            and self.scope.alive
        ):
            result = self._followed(ufunc, *pending)
            if result is not None:
                return result
        self.planes  # noqa: B018  it is computed now, and is a jet like any other
        return Jet.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)

    def _followed(self, ufunc: np.ufunc, row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
        """ufunc of what waited, as one primitive; None where they do not make one."""
        try:
            second = lookup(ufunc)
        except DualnumError:
            return None
        if second.rule is None or second.mend is not None or second.kink is not None or ufunc.nin > 1 or ufunc.nout > 1:
            return None
        both = composed(row, second)
        made = fused(self, both, operands, mine)
        return computed(self, both, operands, mine) if made is None else made[0]


def _postponed(self: Jet, row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Jet | None:
    """The primitive, to be computed when its planes are asked for, or as part of what follows; None where it must not.

    It may wait where a long jet meets a short row of numbers, as in x @ w + b.
    """
    machine = engine.target()
    if mine[0] == mine[1] or not machine.compiled:
        return None
    x, b = operands if mine[0] else operands[::-1]
    planes, numbers = primal(x.planes), primal(b)
    if not engine.accepted(planes) or not engine.accepted(numbers):
        return None
    if planes.nbytes < LARGE or numbers.nbytes > _SMALL or not 0 < numbers.ndim < planes.ndim - 1:
        return None
    if planes.dtype != numbers.dtype or not machine.computes(planes.dtype):
        return None
    if numbers.shape != planes.shape[planes.ndim - numbers.ndim :]:
        return None
    now = [a._snapshot() if isinstance(a, Operand) else a.copy() for a in operands]  # whatever is assigned later
    if any(a is None for a in now):
        return None
    result = _waiting(self, x.extent, (row, now, mine))
    x._read_by(ref(result))
    return result


def _later(self: Jet, function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """function(*inputs), on a device once it is asked for."""
    if isinstance(self.planes, Operand) or visible(self.planes) or not all(type(x) in _KEPT for x in inputs):
        return function(*inputs)
    now = [x._snapshot() if type(x) is Jet else x for x in inputs]
    result = _waiting(self, self.algebra.full, (function, now, None))
    for x in inputs:
        if type(x) is Jet:
            x._read_by(ref(result))
    return result


_KEPT = (Jet, float, int)  # of which it is known what is assigned to them


def _waiting(like: Jet, extent: int, pending: Any) -> Jet:
    result: Jet = object.__new__(Waiting)
    result.algebra, result.scope, result._extent, result._shared = like.algebra, like.scope, extent, None
    result._pending = pending
    return result


Jet._postponed = _postponed  # type: ignore[method-assign, assignment]
Jet._later = _later  # type: ignore[method-assign, assignment]
