"""Long arrays are cut into chunks that run side by side: a kernel call releases the interpreter's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

__all__ = ["WORTH", "count", "in_chunks"]

# handing a chunk to a thread costs some 50 µs; this many operations take some 200
WORTH = 6_000_000
_ALIGN = 64  # chunks start at multiples of every vector width, so a vector never straddles two

_pool: ThreadPoolExecutor | None = None
_lock = Lock()


def count() -> int:
    """How many threads kernels use: ``DUALNUM_NUM_THREADS``, or one for each processor we may run on."""
    named = os.environ.get("DUALNUM_NUM_THREADS", "")
    if named.isdigit() and int(named) > 0:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_chunks(call: Callable[..., int], arguments: Sequence[Any], owners: Any, length: int, work: int) -> bool:
    """call(*arguments, length, begin, end) over 0 … length, side by side where `work` operations an element pay.

    The arguments are mere addresses, so each chunk holds on to the `owners` of the memory itself: an interrupt
    takes the caller away while chunks are still at work.

    Returns whether any call gave back an alarm.
    """
    threads = min(_threads, 1 + length * work // WORTH)
    if threads == 1:
        return bool(call(*arguments, length, 0, length))
    step = -(-length // threads)
    step += -step % _ALIGN
    starts = range(0, length, step)
    pool = _shared_pool()
    rest = [
        pool.submit(_held, owners, call, *arguments, length, start, min(start + step, length)) for start in starts[1:]
    ]
    alarms = [call(*arguments, length, 0, min(step, length))]
    alarms += [future.result() for future in rest]
    return any(alarms)


def _held(owners: Any, call: Callable[..., int], *arguments: Any) -> int:
    return call(*arguments)


def _shared_pool() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(1, _threads), thread_name_prefix="dualnum")
        return _pool


def _forget() -> None:
    """After a fork the child has no threads but its own."""
    global _pool, _lock
    _pool, _lock = None, Lock()


_threads = count()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
