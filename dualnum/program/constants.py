"""Arrays that a trace knows: as few numbers as they need, compared by as few."""

from math import gcd
from typing import Any

import numpy as np

from ..kinds import Value

__all__ = ["compact", "is_uniform", "same"]


def compact(array: Value) -> Any:
    """A copy of an array, spread as it is; of one with the same bits everywhere a number that is spread."""
    if array.size and array.dtype != object:
        first = array[(0,) * array.ndim]
        if not any(array.strides) or _repeats(array, first.tobytes()):
            return np.broadcast_to(first, array.shape)
        if 0 in array.strides:
            few = array[tuple([slice(None) if stride else slice(1) for stride in array.strides])]
            return np.broadcast_to(few.copy(), array.shape)
    return array.copy()


def _repeats(array: Value, first: bytes) -> bool:
    """Whether all entries are these bytes; the last one tells most."""
    if array[(-1,) * array.ndim].tobytes() != first:
        return False
    word = f"u{gcd(len(first), 8)}"
    here = np.ascontiguousarray(array).reshape(-1).view(word).reshape(array.size, -1)
    return bool((here == np.frombuffer(first, word)).all())


def same(a: Value, b: Value) -> bool:
    """Whether two arrays of one shape and type have the same bits; of one number everywhere only that is compared."""
    if a.size and is_uniform(b):
        first = b[(0,) * b.ndim].tobytes()
        return bool(a[(0,) * a.ndim].tobytes() == first and (is_uniform(a) or _repeats(a, first)))
    return bool(a.tobytes() == b.tobytes())


def is_uniform(x: Value) -> bool:
    """Whether an array holds one number only, in one place or spread over its shape."""
    x = np.asarray(x)
    return x.size == 1 or not any(x.strides)
