"""What a record reads again stays as it was: of constants short arrays are copied, long ones are locked.

A pull-back reads its constants when the sweep comes by, and a buffer that was filled anew in between would give a
wrong gradient. Copies are always right, and of an array of a few pages they cost less than the step that is recorded;
a copy that is still the same is used again, so that a matrix in a loop of a thousand steps is kept once. A copy of a
long array costs as much as a product with it (a third of the gradient of a least-squares problem; three times its
memory). So long arrays cannot be written to while a record needs them: NumPy raises where it is tried. What is locked
is the array and all that it is a view of. What reads the array for the record is a view that owns the lock
(`_Hold`), so whatever drops the record unlocks the array; the end of the outermost transform does in any case, also
by an exception, whose traceback would keep the record. What outlives its transform (`vjp`) takes copies instead.
NumPy cannot say which other views of the memory were made before: entries at random, one of each of 256
blocks, are compared before each further use and before the sweep, and it raises where they differ. A few entries that
are written through such an older view may go unnoticed; a look at all would double the time of a least-squares
gradient. Memory of others, which cannot be unlocked again once it is locked, is copied.
"""

from collections import deque
from collections.abc import Iterator
from functools import cache
from threading import Lock, get_ident
from typing import Any
from weakref import ref

import numpy as np

from .. import memory
from ..backend import is_array
from ..errors import InvalidValue
from ..kinds import Value
from .levels import innermost
from .operand import Operand

__all__ = ["SHORT", "frozen", "guarded", "unchanged"]

SHORT = 1 << 16  # bytes of an array that is copied without a thought
_NUMBERS = frozenset((float, int, bool, complex, np.float64))
_COPIES = 64  # short arrays of which the last copy is kept for the next use
_BLOCKS = 1 << 8  # of a long array, in each of which an entry is compared


def frozen(x: Value) -> Any:
    """x as it is now: what is written to it later changes nothing, or raises."""
    if x.__class__ in _NUMBERS:
        return x
    known = _copies.get(id(x))
    if known is not None and known[0]() is x and known[2] == x.tobytes() and known[3] == (x.shape, x.dtype):
        return known[1]  # the usual case, without a call
    if isinstance(x, np.ndarray):
        return _array(x)
    if isinstance(x, Operand):
        return x._frozen()
    if type(x) is list or type(x) is tuple:
        return type(x)(map(frozen, x))
    return x.copy() if is_array(x) and not isinstance(x, np.generic) else x


def _array(x: Value) -> Any:
    if _is_frozen(x):
        return x
    if x.nbytes <= SHORT or x.dtype.kind not in "fciub":
        return _copied(x)
    scope = innermost()
    if (scope is not None and scope.lasting) or not _can_be_unlocked(x):
        return _long_copy(x)
    known = _views.get(id(x))
    if known is not None and known[0]() is x:
        view = known[1]()
        if view is not None and view.shape == x.shape and view.strides == x.strides and view.base.holds:
            view.base.check(16)
            return view
    view = _held(x, True)
    if len(_views) > _COPIES:
        _views.clear()
    _views[id(x)] = ref(x), ref(view)
    return view


def guarded(x: Value) -> tuple[Any, Any]:
    """The same of planes that only their jet writes to: with them, of long ones, what is alive while they are read."""
    if not isinstance(x, np.ndarray):
        return frozen(x), None
    scope = innermost()
    if _is_frozen(x):
        return x, None
    if x.nbytes <= SHORT or type(x) is not np.ndarray or (scope is not None and scope.lasting):
        return frozen(x), None
    view = _held(x, False)
    return view, ref(view.base)


def _held(x: Value, lock: bool) -> Any:
    hold = _Hold(x, lock)
    scope = innermost()
    if scope is not None:
        scope.root.held.add(hold)
    return np.asarray(hold)


_views: dict[int, tuple[Any, Any]] = {}  # by the id of an array: the array and what reads it, both as they live


def _is_frozen(x: Value) -> bool:
    """Whether x was made here, or is a part of what was."""
    while not x.flags.writeable:
        if type(x.base) is _Hold:
            return True
        if memory.is_whole(x):
            return id(x) not in _locked
        if not isinstance(x.base, np.ndarray):
            return False
        x = x.base
    return False


# ── copies ───────────────────────────────────────────────────────────────────────────────────────

# by the id of a short array: the array, as it lives, its last copy, and that in bytes, with shape and type
_copies: dict[int, tuple[Any, Any, bytes, Any]] = {}
_long_copies: dict[int, tuple[Any, Any]] = {}  # the same of long ones, as they live


def _copied(x: Value) -> Any:
    """A copy that nobody writes to; `frozen` gives it again as long as it is the same to the last bit."""
    copy = x.copy(order="K")
    copy.setflags(write=False)
    if len(_copies) >= _COPIES:
        _copies.clear()
    _copies[id(x)] = ref(x), copy, copy.tobytes(), (x.shape, x.dtype)
    return copy


def _long_copy(x: Value) -> Any:
    known = _long_copies.get(id(x))
    if known is not None and known[0]() is x:
        copy = known[1]()
        if copy is not None and copy.dtype == x.dtype and copy.shape == x.shape and x.flags.c_contiguous:
            if np.array_equal(copy.reshape(-1).view(np.uint8), x.reshape(-1).view(np.uint8)):
                return copy
    copy = memory.empty(x.shape, x.dtype)
    copy[...] = x
    copy.setflags(write=False)
    if len(_long_copies) >= _COPIES:
        _long_copies.clear()
    _long_copies[id(x)] = ref(x), ref(copy)
    return copy


# ── long arrays ──────────────────────────────────────────────────────────────────────────────────


class _Hold:
    """The owner of a view that reads an array, which is locked as long as this lives.

    Attributes:
        holds: whether the array must stay as it is.
        locked: whether NumPy knows.
    """

    __slots__ = ("__array_interface__", "__weakref__", "array", "entries", "holds", "locked", "places", "thread")

    def __init__(self, array: Value, lock: bool) -> None:
        self.holds = self.locked = False
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "strides": array.strides, "data": (interface["data"][0], True)}
        self.places = _places(array.size)
        self.entries = _entries(array, self.places)
        self.thread = get_ident()
        if lock:
            _lock(array)
        self.locked = lock
        self.holds = True
        _holds[id(self)] = ref(self)

    def check(self, one_of: int = 1) -> None:
        """Raises where entries have changed; some of them only are looked at between two uses."""
        if _entries(self.array, self.places[::one_of]).tobytes() != self.entries[::one_of].tobytes():
            raise InvalidValue(
                f"an array of shape {self.array.shape} was written to, through another view of its memory, although a "
                "recorded function has read it and the reverse sweep needs it as it was; give the function a copy of "
                "it, or write to a new array"
            )

    def release(self, error: BaseException | None = None) -> None:
        """Unlocks the array; an error of a write to what is locked is told the reason."""
        if not self.holds:
            return
        self.holds = False
        _holds.pop(id(self), None)
        if isinstance(error, ValueError) and "read-only" in str(error) and _REASON not in _notes(error):
            error.add_note(_REASON)
        if self.locked:
            _released.append(self.array)
            _settle()

    def __del__(self) -> None:
        if _settle is not None:  # the interpreter may be going down
            self.release()


@cache
def _at_random() -> Any:
    """Where in its block an entry is compared; NumPy's random numbers are imported once they are needed."""
    return np.random.default_rng().random(_BLOCKS)


def _places(size: int) -> Any:
    """One entry at random of each block of an array of this size."""
    count = min(_BLOCKS, size // 256)
    return ((np.arange(count) + _at_random()[:count]) * (size / count)).astype(np.intp)


def _entries(array: Value, places: Any) -> Any:
    return array.reshape(-1)[places] if array.flags.c_contiguous else array.flat[places]


_REASON = (
    "dualnum: long arrays that a recorded function has read are locked until the reverse sweep has read them again; "
    "write to a new array in place of one that is filled anew"
)
_holds: dict[int, Any] = {}


def _notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def unchanged() -> None:
    """Raises where an array that a record of this thread reads again was written to through an older view."""
    if _holds:
        for known in list(_holds.values()):
            hold = known()
            if hold is not None and hold.thread == get_ident():
                hold.check()


class _Locked:
    """The memory of an array: how many hold it, and which arrays were made read-only for that, bases first."""

    __slots__ = ("arrays", "count", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.arrays: list[Any] = []
        self.count = 0


_locked: dict[int, _Locked] = {}  # by the id of the array that owns the memory
_released: deque[Any] = deque()
_mutex = Lock()


def _owners(x: Value) -> Iterator[Any]:
    """The array, what it is a view of, and so on."""
    while isinstance(x, np.ndarray):
        yield x
        x = x.base


def _can_be_unlocked(x: Value) -> bool:
    """Whether NumPy will let all of them be written to again."""
    *_, owner = _owners(x)
    if owner.base is None:
        return True
    try:
        return bool(owner.flags.writeable != memoryview(owner.base).readonly)
    except TypeError:
        return False


def _lock(x: Value) -> None:
    chain = list(_owners(x))[::-1]
    with _mutex:
        memory = _locked.setdefault(id(chain[0]), _Locked(chain[0]))
        memory.count += 1
        for array in chain:
            if array.flags.writeable:
                array.setflags(write=False)
                memory.arrays.append(array)
    _settle()


def _settle() -> None:
    """Unlocks what was released.

    The collector may call this in the midst of any line, also of one that holds the mutex: it is not waited for, and
    whoever has it comes by here afterwards.
    """
    while _released and _mutex.acquire(blocking=False):
        try:
            *_, owner = _owners(_released.popleft())
            memory = _locked[id(owner)]
            memory.count -= 1
            if not memory.count:
                del _locked[id(owner)]
                for array in memory.arrays:
                    array.setflags(write=True)
        except IndexError:  # another thread was quicker
            pass
        finally:
            _mutex.release()
