"""Constants that a record will read again stay what they were when they were read.

A short array is copied, which costs less than to think about it. A long one is locked instead, and with it what it is
a view of: NumPy raises where it is written to, for as long as the record needs it. It is unlocked when the sweep has
passed, when the transform ends (by an exception as well), or when the record is dropped.
"""

from collections.abc import Sequence
from threading import RLock
from typing import Any

import numpy as np

from .levels import Scope
from .operand import Operand

__all__ = ["Held", "held", "kept_apart", "locked"]

_SHORT = 1 << 16  # bytes that are copied without a thought
_lock = RLock()  # the collector may release in the midst of a call that holds it
_waiting: list[Any] = []  # views to unlock, whose whole is still locked for somebody else
_locked: dict[int, list[Any]] = {}  # by id: the array, and how many hold it


class Held:
    """Arrays that are locked for a record."""

    __slots__ = ("__weakref__", "_arrays")

    def __init__(self, arrays: Sequence[Any]) -> None:
        self._arrays = list(arrays)

    def release(self) -> None:
        """Unlocks what nobody else holds; what an array is a view of before it."""
        arrays, self._arrays = self._arrays, []
        with _lock:
            for x in reversed(arrays):
                entry = _locked[id(x)]
                entry[1] -= 1
                if not entry[1]:
                    del _locked[id(x)]
                    _waiting.append(x)
            _waiting[:] = [x for x in _waiting if not _unlocked(x)]

    def __del__(self) -> None:
        if self._arrays:
            self.release()


def _unlocked(x: Any) -> bool:
    if id(x) not in _locked:
        try:
            x.flags.writeable = True
        except ValueError:
            return False
    return True


def _base(x: Any) -> Any:
    """The array under the jets of a constant."""
    while isinstance(x, Operand) and x.algebra is not None:
        x = x._planes
    return x


def kept_apart(x: Any, arrays: list[Any]) -> Any:
    """x as it is now; a long array itself, which is put among those to lock."""
    base = _base(x)
    if type(base) is not np.ndarray or not base.size:
        return x
    if base.nbytes <= _SHORT:
        return x.copy()
    arrays.append(base)
    return x


def held(saved: Sequence[Any], parents: Sequence[Any], scope: Scope) -> tuple[Sequence[Any], Held | None]:
    """(value, *arguments) as they are now, of those arguments that are constants, and what is locked for it."""
    arrays: list[Any] = []
    kept = [saved[0]] + [
        v if n is not None or v is None else kept_apart(v, arrays) for v, n in zip(saved[1:], parents, strict=True)
    ]
    return kept, locked(arrays, scope)


def locked(arrays: Sequence[Any], scope: Scope) -> Held | None:
    """Locks arrays until the record is gone or the scope ends."""
    chains: list[Any] = []
    for x in arrays:
        while isinstance(x, np.ndarray):
            with _lock:
                entry = _locked.get(id(x))
                if entry is not None:
                    entry[1] += 1
                elif x.flags.writeable:
                    _locked[id(x)] = [x, 1]
                    x.flags.writeable = False
                else:
                    x = x.base  # whoever made it read-only knows why; what it looks at may be written to
                    continue
            chains.append(x)
            x = x.base
    if not chains:
        return None
    lease = Held(chains)
    scope.hold(lease)
    return lease
