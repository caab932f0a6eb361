"""Python's collector of cyclic garbage looks less often while something is recorded or traced.

A record of small arrays is many objects that refer to each other and form no cycles. The collector finds nothing to
free among them, but walks over all of them again and again: a third of the time of such a gradient. So the number of
objects after which it looks is raised as long as a record grows, in the whole process, for there is one collector.
"""

import gc
from threading import RLock

__all__ = ["seldom"]

_OBJECTS = 10_000  # after which the youngest are looked at: they still fit the second-level cache
_lock = RLock()  # a collection inside may run code that records
_open = 0
_before = _raised = gc.get_threshold()


class seldom:
    """The collector's threshold is raised inside, and put back by the last that leaves.

    It stays as it is where it is higher, or 0 (never); what somebody else sets meanwhile stays as well.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        global _open, _before, _raised
        with _lock:
            _open += 1
            if _open == 1:
                _before = _raised = gc.get_threshold()
                if 0 < _before[0] < _OBJECTS:
                    _raised = (_OBJECTS, *_before[1:])
                    gc.set_threshold(*_raised)

    def __exit__(self, *error: object) -> None:
        global _open
        with _lock:
            _open -= 1
            if _open == 0 and _raised is not _before and gc.get_threshold() == _raised:
                gc.set_threshold(*_before)
