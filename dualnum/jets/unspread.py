"""Jets of points that all move alike: the planes above the value are those of one point, and spread when asked for.

Starting jets along the entries of an axis are such, and what a matrix makes of them: the first layer of a network takes
its n directions once, not once for each point.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kinds import Value
from ..operand import Adjoints, Stacked, library
from ..operand.ndarray import missing
from .jet import Jet
from .planes import stack_blocks

__all__ = ["Unspread"]


class Unspread(Jet):
    """A jet of which the value is known, and the planes behind it for one point."""

    __slots__ = ()

    @classmethod
    def made(cls, like: Any, value: Value, planes: Value) -> "Unspread":
        """A jet of the algebra, scope and extent of another; the axes of the planes that differ have one entry."""
        jet: Unspread = object.__new__(cls)
        jet.algebra, jet.scope, jet._extent, jet._shared = like.algebra, like.scope, like._extent, None
        jet._pending = value, planes
        return jet

    def __getattr__(self, name: str) -> Any:
        if name != "planes":
            return missing(self, name)
        pending = self._pending
        if pending is not None:  # else another thread was quicker
            value, planes = pending
            self.planes = stack_blocks([(value, 1), (planes, len(planes))], self.algebra.size, value)
            self.__class__ = Jet  # type: ignore[assignment]
            self._pending = None
        return self.planes

    @property
    def shape(self) -> tuple[int, ...]:
        pending = self._pending
        return tuple((self.planes[0] if pending is None else pending[0]).shape)

    @property
    def dtype(self) -> Any:
        pending = self._pending
        return (self.planes if pending is None else pending[0]).dtype

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is not np.matmul or self._pending is None:
            self.planes  # noqa: B018  it is spread now, and is a jet like any other
        return Jet.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)

    def _bilinear(
        self,
        function: Callable[[Any, Any], Any],
        a: Value,
        b: Value,
        adjoints: Adjoints | None = None,
        stacked: Stacked | None = None,
    ) -> Any:
        pending = self._pending
        if pending is None or stacked is None or a is not self or self._is_mine(b) or np.ndim(b) != 2:
            return super()._bilinear(function, a, b, adjoints, stacked)
        value, planes = pending
        xp = library(b)  # of a trace for a device the planes are constants, which were made on the host
        planes = xp.asarray(planes) if type(planes) is np.ndarray and xp is not np else planes
        return self.made(self, function(value, b), stacked[0](planes, b))
