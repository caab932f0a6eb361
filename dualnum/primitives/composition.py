"""Two primitives, one behind the other, as one: what is cheap can wait and become part of what follows."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..kinds import Coefficient
from .table import Row

__all__ = ["Composition", "composed"]


class Composition:
    """g∘f element by element, with what the table and the kernels ask of a ufunc."""

    signature = None
    nout = 1

    def __init__(self, first: np.ufunc, second: np.ufunc) -> None:
        self.ufuncs = first, second
        self.nin = first.nin
        self.__name__ = second.__name__

    def __call__(self, *args: Any) -> Any:
        first, second = self.ufuncs
        return second(first(*args))


@lru_cache(maxsize=256)
def composed(first: Row, second: Row) -> Row:
    """The row of g(f(u, …)): the recurrence of g on the series of f."""

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        return second.expand(order, first.expand(order, *operands), value=value)

    return Row(Composition(first.ufunc, second.ufunc), "composed", rule)  # type: ignore[arg-type]
