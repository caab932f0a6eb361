"""What the equations at single points share: systems that can be solved, and messages that name the others."""

from typing import Any

import numpy as np

from ..backend import to_device
from ..errors import InvalidValue
from ..kinds import Value
from ..operand import Operand, library, primal

__all__ = ["check_regular", "named"]

_MOST = 5  # points that a message names


def named(places: Value) -> str:
    """Points by their indices, rows of an array; the first of them, if there are many."""
    if not places.shape[1]:
        return "the point"
    places = to_device(places, "cpu")
    shown = ", ".join(str(tuple(map(int, i)) if len(i) > 1 else int(i[0])) for i in places[:_MOST])
    one = "point" if len(places) == 1 else "points"
    return f"{one} {shown}{f' and {len(places) - _MOST} others' if len(places) > _MOST else ''}"


def check_regular(a: Value, message: str) -> None:
    """Raises where square matrices (…, n, n) are singular to rounding; of a trace nothing is known."""
    a = primal(a)
    if isinstance(a, Operand) or not a.size:
        return
    singular = a[..., 0, 0] == 0 if a.shape[-1] == 1 else _are_singular(a)
    if np.any(singular):
        raise InvalidValue(message.format(named(np.argwhere(singular))))


def _are_singular(a: Value) -> Any:
    known = np.isfinite(a).all(axis=(-1, -2), keepdims=True)  # what is not finite spoils its own point only
    a = np.where(known, a, library(a).eye(a.shape[-1], dtype=a.dtype))
    for axis in (-1, -2):  # units of the variables do not count
        largest = np.abs(a).max(axis=axis, keepdims=True)
        a = a / np.where(largest > 0, largest, 1)
    sizes = np.linalg.svd(a, compute_uv=False)
    return ~(sizes[..., -1] > a.shape[-1] * np.finfo(sizes.dtype).eps * sizes[..., 0])
