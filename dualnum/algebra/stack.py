"""Coefficients as one value, for one level of jets or for many: what jets, kernels and records hand to each other."""

from math import prod
from typing import Any, NamedTuple

from .polynomials import Extents

__all__ = ["Stack"]


class Stack(NamedTuple):
    """The planes of an operand, whose algebra is known beside it.

    Attributes:
        base: an array, or what stands in for one, with one axis of planes in front for each level that it depends on,
            the lowest first.
        extents: for each level what may be nonzero (see `polynomials`); None where there is no axis.
    """

    base: Any
    extents: Extents

    @property
    def axes(self) -> int:
        """How many axes of planes there are."""
        return len(self.extents) - self.extents.count(None)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the elements."""
        return tuple(getattr(self.base, "shape", ()))[self.axes :]

    @property
    def flat(self) -> Any:
        """The planes along one axis."""
        base, axes = self.base, self.axes
        if axes == 1:
            return base
        return base.reshape(prod(base.shape[:axes]), *base.shape[axes:]) if axes else base[None]
