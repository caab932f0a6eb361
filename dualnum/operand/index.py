"""Indices: what makes a view, what is refused in reading and writing, and the error of one that does not fit."""

from typing import Any

import numpy as np

from ..backend import as_floating
from ..errors import InvalidIndex, InvalidType
from ..kinds import Index, Value
from .operand import Operand, highest, operands

__all__ = ["above", "as_tuple", "cannot_hold", "checked_index", "checked_value", "has_mask", "index_error", "is_basic"]


def as_tuple(index: Index) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def is_basic(index: Index) -> bool:
    return all(
        i is None or i is Ellipsis or (isinstance(i, (slice, int, np.integer)) and not isinstance(i, bool))
        for i in as_tuple(index)
    )


def has_mask(index: Index) -> bool:
    """Whether truth values choose entries, whose number nobody knows but by a look."""
    parts = [np.asarray(i) if isinstance(i, list) else i for i in as_tuple(index)]
    return any(isinstance(i, bool) or (hasattr(i, "dtype") and i.dtype.kind == "b") for i in parts)


def above(x: Operand, index: Index) -> Any:
    """x on the level of an index that is traced above it; None where there is none."""
    for i in operands(as_tuple(index)):
        if i.scope.level > x.scope.level and hasattr(i, "_holding"):
            return i._holding(x)
    return None


def checked_index(index: Index, what: str) -> Any:
    if any(isinstance(i, Operand) and i.value is not i for i in as_tuple(index)):  # a tracer is its own value
        raise InvalidType(f"{what}: the index carries derivatives; use its .value (as integers or booleans)")
    return index


def checked_value(x: Operand, value: Value) -> Any:
    """What is to be written into x, as an array or operand; raises where x cannot hold it."""
    top = highest((x, value))
    if top is not x and isinstance(top, Operand) and top.scope.level > x.scope.level:
        raise cannot_hold(x, top)
    if not isinstance(value, Operand):
        value = as_floating(value, "x[…] = value", "value")
    if value.dtype.kind == "c" and x.dtype.kind == "f":
        raise InvalidType("x[…] = value: the value is complex and x is real; use x.astype(complex)")
    return value


def cannot_hold(x: Operand, value: Operand) -> InvalidType:
    return InvalidType(
        f"x[…] = value: the value carries derivatives of {value.scope.name}, which x, an operand of "
        f"{x.scope.name}, cannot hold; build the result with np.where, np.stack or np.concatenate"
    )


def index_error(index: Index, shape: tuple[int, ...], what: str, error: IndexError) -> Exception:
    """The error of indexing an array of this shape: NumPy's own, which counts no axis for k."""
    try:
        np.broadcast_to(np.empty(()), shape)[index]
    except IndexError as plain:
        error = plain
    return InvalidIndex(f"{what}: {error}")
