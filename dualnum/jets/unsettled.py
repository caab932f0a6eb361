"""Jets of vectors that span a space together, and are not known alone: eigenvectors of equal eigenvalues.

Products with all of them are what they are in any basis; what asks for some of them raises.
"""

from typing import Any

import numpy as np

from ..errors import NonsmoothPoint
from ..kinds import Index, Value
from .jet import Jet

__all__ = ["Unsettled"]


class Unsettled(Jet):
    """A jet whose columns are asked for in blocks; those of degrees that are known stand in a truncated one."""

    __slots__ = ("_known", "_labels", "_message")

    _known: int
    _labels: Any
    _message: str

    def __getitem__(self, index: Index) -> Any:
        columns = np.zeros(self.shape, bool)
        columns[index] = True
        taken = np.any(columns, axis=-2)
        same = self._labels[..., :, None] == self._labels[..., None, :]
        if np.any(taken[..., :, None] & ~taken[..., None, :] & same):
            raise NonsmoothPoint(self._message)
        return super().__getitem__(index)

    def truncate(self, order: int) -> Jet:
        jet = super().truncate(order)
        return jet if 0 < order <= self._known else _unsettled(jet, self._labels, self._known, self._message)

    def __getattribute__(self, name: str) -> Any:
        if name in _READING:
            raise NonsmoothPoint(object.__getattribute__(self, "_message"))
        return super().__getattribute__(name)


_READING = frozenset(("coefficient", "coeffs", "derivative", "derivatives", "partial", "partials"))


def _unsettled(self: Jet, labels: Value, known: int, message: str) -> Any:
    jet = object.__new__(Unsettled)._set(self.planes, self.extent, self.algebra, self.scope)
    jet._known, jet._labels, jet._message = known, labels, message
    return jet


Jet._unsettled = _unsettled  # type: ignore[method-assign, assignment]
