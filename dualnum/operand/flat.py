"""The elements of an operand one after another, in C order: ``x.flat``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kinds import Index, Value

__all__ = ["Flat"]


class Flat:
    """The elements of an operand in C order: to iterate over, to read and to write (``x.flat[1] = y``)."""

    __slots__ = ("_of",)

    def __init__(self, of: Any) -> None:
        self._of = of

    def __len__(self) -> int:
        return int(self._of.size)

    def __iter__(self) -> Iterator[Any]:
        return iter(np.ravel(self._of))

    def __getitem__(self, index: Index) -> Any:
        return np.ravel(self._of)[index]

    def __setitem__(self, index: Index, values: Value) -> None:
        self._of.put(np.arange(self._of.size)[index], values)
