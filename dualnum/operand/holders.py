"""Containers that hold operands as they hold arrays: whose turn it is where both meet."""

from functools import cache

import numpy as np

from ..algebra import Part
from .ndarray import Ndarray

__all__ = ["is_holder"]


@cache
def is_holder(kind: type) -> bool:
    """Whether a type takes ufuncs over for what it holds, an operand among that: an operand leaves it the call.

    A DataArray of xarray or a quantity of pint does; pandas' labels stand over plain numbers only (what has its
    priority), so they are arrays here, and the result has none.
    """
    if kind is Part:
        return True
    if getattr(kind, "__array_ufunc__", None) is None or hasattr(kind, "__pandas_priority__"):
        return False
    known = issubclass(kind, (np.ndarray, np.generic, Ndarray))
    return not known and kind.__module__.partition(".")[0] not in ("cupy", "dualnum")
