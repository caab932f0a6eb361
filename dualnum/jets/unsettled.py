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
    """A jet whose vectors are asked for in blocks; those of degrees that are known stand in a truncated one.

    Attributes:
        _about: the labels of the vectors, along which axis (−1 or −2) they stand, the last degree that is known, and
            what is said to who asks for more.
    """

    __slots__ = ("_about",)

    _about: tuple[Any, int, int, str]

    def __getitem__(self, index: Index) -> Any:
        labels, axis, _, message = self._about
        entries = np.zeros(self.shape, bool)
        entries[index] = True
        taken = np.any(entries, axis=-3 - axis)
        same = labels[..., :, None] == labels[..., None, :]
        if np.any(taken[..., :, None] & ~taken[..., None, :] & same):
            raise NonsmoothPoint(message)
        return super().__getitem__(index)

    def truncate(self, order: int) -> Jet:
        jet = super().truncate(order)
        return jet if 0 < order <= self._about[2] else _unsettled(jet, *self._about)

    @property
    def T(self) -> Any:
        return self._flipped(super().T) if self.ndim == 2 else super().T

    @property
    def mT(self) -> Any:
        return self._flipped(super().mT)

    def _flipped(self, jet: Jet) -> Any:
        labels, axis, known, message = self._about
        return _unsettled(jet, labels, -3 - axis, known, message)

    def __getattribute__(self, name: str) -> Any:
        if name in _READING:
            raise NonsmoothPoint(object.__getattribute__(self, "_about")[-1])
        return super().__getattribute__(name)


_READING = frozenset(("coefficient", "coeffs", "derivative", "derivatives", "partial", "partials"))


def _unsettled(self: Jet, labels: Value, axis: int, known: int, message: str) -> Any:
    jet = object.__new__(Unsettled)._set(self.planes, self.extent, self.algebra, self.scope)
    jet._about = labels, axis, known, message
    return jet


Jet._unsettled = _unsettled  # type: ignore[method-assign, assignment]
