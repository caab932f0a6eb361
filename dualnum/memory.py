"""Large results are written into memory that earlier ones gave back.

The system hands out fresh memory page by page and zeroes each; on long arrays that costs more than a kernel's
arithmetic. So the memory of a large array that nobody refers to any more is kept for the next one of its size, up
to a limit, and starts on a cache line.
"""

from collections import OrderedDict
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from .kinds import DType, Value

__all__ = ["KEPT", "LARGE", "applied", "empty", "is_whole", "kept", "matmul", "leased", "release"]

KEPT = 1 << 17  # bytes from which on it pays; planes that start on a cache line are read in half the time
LARGE = 1 << 20  # bytes from which on a pass over memory of its own costs more than anything else
_LIMIT = 1 << 28  # bytes that are kept at most
_LINE = 64
_PATIENCE = 0.001  # seconds: an interrupt may have kept the lock from its release, and fresh memory does as well

_free: OrderedDict[int, list[Any]] = OrderedDict()  # by size, the size used last at the end
_kept = 0
_lock = Lock()


class _Lease:
    """The owner of an array's memory, which goes back when the last view of it is gone."""

    __slots__ = ("__array_interface__", "memory")

    def __init__(self, memory: Any, shape: tuple[int, ...], dtype: DType) -> None:
        self.memory = memory
        address = memory.__array_interface__["data"][0]
        self.__array_interface__ = {
            "shape": shape, "typestr": dtype.str, "data": (address + -address % _LINE, False), "version": 3,
        }  # fmt: skip

    def __del__(self) -> None:
        if _give_back is not None:  # the interpreter may be going down
            _give_back(self.memory)


def empty(shape: tuple[int, ...], dtype: DType) -> Any:
    """``np.empty``, from kept memory where the array is large."""
    size = prod(shape) * dtype.itemsize
    if size < KEPT:
        return np.empty(shape, dtype)
    return leased(shape, dtype)


def leased(shape: tuple[int, ...], dtype: DType) -> Any:
    """``np.empty``, from kept memory whatever the size: for what is allocated again and again beside others."""
    return np.asarray(_Lease(_take(prod(shape) * dtype.itemsize + _LINE), shape, dtype))


def _take(size: int) -> Any:
    global _kept
    if _lock.acquire(timeout=_PATIENCE):
        try:
            found = _free.get(size)
            if found:
                _kept -= size
                return found.pop()
        finally:
            _lock.release()
    return np.empty(size, np.uint8)


def _give_back(memory: Any) -> None:
    global _kept
    size = memory.size
    # the collector may call this in the midst of any line, also of one that holds the lock: never wait for it
    if size > _LIMIT or not _lock.acquire(blocking=False):
        return
    try:
        _free.setdefault(size, []).append(memory)
        _free.move_to_end(size)
        _kept += size
        while _kept > _LIMIT:
            oldest, stack = next(iter(_free.items()))
            if stack:
                stack.pop()
                _kept -= oldest
            else:
                del _free[oldest]
    finally:
        _lock.release()


def applied(ufunc: np.ufunc, *operands: Any) -> Any:
    """ufunc(*operands), into kept memory where all arrays are of one type and the result is large."""
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    dtype = arrays[0].dtype
    weak = (float, int, dtype.type)
    if all(x.dtype == dtype for x in arrays) and all(type(x) in weak or type(x) is np.ndarray for x in operands):
        return ufunc(*operands, out=empty(np.broadcast_shapes(*(x.shape for x in arrays)), dtype))
    return ufunc(*operands)


def matmul(a: Value, b: Value, out: Value = None) -> Any:
    """``np.matmul``; of two matrices, where the result is large, into kept memory or into `out`."""
    if not (type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype.kind == "f"):
        return np.matmul(a, b) if out is None else np.matmul(a, b, out=out)
    shape = a.shape[0], b.shape[1]
    if prod(shape) * a.itemsize < LARGE or a.shape[1] != b.shape[0]:
        return np.matmul(a, b) if out is None else np.matmul(a, b, out=out)
    if a.shape[1] == 1:  # NumPy keeps a column by a row from BLAS, at a fifth of its speed
        a, b = _with_zeros(a, (shape[0], 2)), _with_zeros(b, (2, shape[1]))
    return np.matmul(a, b, out=empty(shape, a.dtype) if out is None else out)


def _with_zeros(x: Value, shape: tuple[int, ...]) -> Any:
    full = np.zeros(shape, x.dtype)
    full[: x.shape[0], : x.shape[1]] = x
    return full


def is_whole(array: Value) -> bool:
    """Whether an array is no view of another, so that nobody else writes to its memory."""
    return array.base is None or type(array.base) is _Lease


def kept() -> int:
    """How many bytes are kept now."""
    return _kept


def release() -> None:
    """Gives all kept memory back to the system."""
    global _kept
    with _lock:
        _free.clear()
        _kept = 0
