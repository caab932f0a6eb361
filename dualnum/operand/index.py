"""Indices: what makes a view, what is refused, and the error of one that does not fit."""

from typing import Any

import numpy as np

from ..errors import InvalidIndex, InvalidType
from .operand import Operand

__all__ = ["as_tuple", "checked_index", "index_error", "is_basic"]


def as_tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def is_basic(index: Any) -> bool:
    return all(
        i is None or i is Ellipsis or (isinstance(i, (slice, int, np.integer)) and not isinstance(i, bool))
        for i in as_tuple(index)
    )


def checked_index(index: Any, what: str) -> Any:
    if any(isinstance(i, Operand) and i.value is not i for i in as_tuple(index)):  # a tracer is its own value
        raise InvalidType(f"{what}: the index carries derivatives; use its .value (as integers or booleans)")
    return index


def index_error(index: Any, shape: tuple[int, ...], what: str, error: IndexError) -> Exception:
    """The error of indexing an array of this shape: NumPy's own, which counts no axis for k."""
    try:
        np.broadcast_to(np.empty(()), shape)[index]
    except IndexError as plain:
        error = plain
    return InvalidIndex(f"{what}: {error}")
