"""Long arrays are cut into chunks that run side by side: a kernel call releases the interpreter's lock."""

import os
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

__all__ = ["WORTH", "alone", "count", "in_chunks"]

# handing a chunk to a thread costs some 50 µs; this many operations take some 200
WORTH = 6_000_000
_ALIGN = 64  # chunks start at multiples of every vector width, so a vector never straddles two

# Queues whose locks no interrupt can leave closed, unlike those of an executor: they are one step of C.
_tasks: "SimpleQueue[Any] | None" = None
_lock = Lock()


def count() -> int:
    """How many threads kernels use: ``DUALNUM_NUM_THREADS``, or one for each processor we may run on."""
    named = os.environ.get("DUALNUM_NUM_THREADS", "")
    if named.isdigit() and int(named) > 0:
        return int(named)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def alone(work: int) -> int:
    """Up to how many elements, of so many operations each, one call is as good as several side by side."""
    return (WORTH - 1) // max(work, 1)


def in_chunks(
    call: Callable[..., int], arguments: Sequence[Any], owners: Any, length: int, work: int, unit: int = 0
) -> bool:
    """call(*arguments, length, begin, end) over 0 … length, side by side where `work` operations an element pay.

    Chunks begin at multiples of a unit. The arguments are mere addresses, so each chunk holds on to the `owners` of the
    memory itself: an interrupt takes the caller away while chunks are still at work.

    Returns whether any call gave back an alarm.
    """
    threads = min(_threads, 1 + length * work // WORTH)
    if threads == 1:
        return bool(call(*arguments, length, 0, length))
    step = -(-length // threads)
    step += -step % (unit or _ALIGN)
    starts = range(0, length, step)
    tasks, done = _shared_tasks(), SimpleQueue[Any]()
    for start in starts[1:]:
        tasks.put((done, owners, call, (*arguments, length, start, min(start + step, length))))
    alarms = [call(*arguments, length, 0, min(step, length))]
    for _ in starts[1:]:
        alarm, error = done.get()
        if error is not None:
            raise error
        alarms.append(alarm)
    return any(alarms)


def _work(tasks: "SimpleQueue[Any]") -> None:
    """What a thread does: one chunk after the other, each with its owners held."""
    while True:
        done, owners, call, arguments = tasks.get()
        try:
            answer: Any = call(*arguments), None
        except Exception as error:
            answer = 0, error
        del owners, call, arguments  # before the caller goes on
        done.put(answer)
        del done, answer  # not while it waits


def _shared_tasks() -> "SimpleQueue[Any]":
    """Where the threads wait for chunks; they are started once, and end with the process."""
    global _tasks
    with _lock:
        if _tasks is None:
            tasks: SimpleQueue[Any] = SimpleQueue()
            for number in range(max(1, _threads)):
                Thread(target=_work, args=(tasks,), name=f"dualnum_{number}", daemon=True).start()
            _tasks = tasks
        return _tasks


def _forget() -> None:
    """After a fork the child has no threads but its own."""
    global _tasks, _lock
    _tasks, _lock = None, Lock()


_threads = count()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
