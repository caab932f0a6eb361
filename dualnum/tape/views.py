"""Views of variables: which results are views of what, and how what is written into one reaches the whole.

The values of variables are never written into, because a record reads them. An assignment gives the whole a new value
and step, and its views look again: each knows what it was taken from, and how.
"""

from typing import Any

import numpy as np

from ..backend import is_array, namespace
from ..errors import DualnumError
from ..kinds import Index, Value
from ..operand import Operand, explained, primal
from ..operand.constants import frozen
from ..operand.index import as_tuple

__all__ = ["assign", "is_view", "looked"]


def looked(x: Value, how: Any) -> Any:
    """The view of x by an index or function."""
    return how(x) if callable(how) else x[how]


def is_view(y: Value, x: Value, how: Any) -> bool:
    """Whether the value y, that was taken from x, is a view of it."""
    if y.shape == () and not callable(how) and Ellipsis not in as_tuple(how):  # a number
        return False
    if type(y) is np.ndarray:
        return y is x or (y.base is not None and (y.base is x or y.base is x.base)) or bool(np.may_share_memory(y, x))
    a, b = primal(y), primal(x)
    if (x.shape == () or y.shape == ()) and namespace(a) is np:
        # numbers have no memory: what does NumPy say of such an array?
        b = np.broadcast_to(np.empty(()), x.shape)
        a = looked(b, how)
    if isinstance(a, Operand):  # of a trace: it knows what would be a view
        return a._shares(b)
    return _is_memory(a) and _is_memory(b) and bool(np.may_share_memory(a, b))


def _is_memory(a: Value) -> bool:
    return isinstance(a, np.ndarray) or (is_array(a) and not isinstance(a, np.generic))


def assign(part: Value, index: Index, value: Value) -> None:
    """part[index] = value, for a variable and all that it is a view of; outside of a record its value only."""
    path: list[Any] = []
    whole, index = part, frozen(index)
    while whole._writes is not None and whole._origin is not None:
        above, how = whole._origin
        if whole.dtype.kind != "c" and above.dtype.kind == "c":
            new = np.copy(whole)
            _assign_along(new, path, index, value)
            _join(above, how, new)
            return
        whole = above
        path.append(how)
    _assign_along(whole, path, index, value)


def _assign_along(whole: Any, path: list[Any], index: Index, value: Value) -> None:
    """Writes into the view of a variable by the last of these, of that by the one before, and so on."""

    def assigned(x: Value, v: Value) -> Any:
        part = x = np.copy(x)
        for how in reversed(path):
            part = looked(part, how)
        part[index] = v
        return x

    try:
        new = whole._rearrange(assigned, (whole, value), "setitem")
    except (IndexError, TypeError, ValueError) as error:
        raise error if isinstance(error, DualnumError) else explained(error, "x[…] = value", whole, value) from None
    whole._replace(new)


def _join(z: Value, how: Any, part: Value) -> None:
    """Gives a complex variable another real part, or imaginary part, whichever `how` takes."""
    if looked(np.array(1.0 + 2.0j), how) == 1.0:
        z[...] = part + 1j * np.imag(z)
    else:
        z[...] = np.real(z) + 1j * part
