"""Several directions on nested levels as axes of arrays, so that a kernel for one direction does all of them.

The planes of such levels are numbered (degree 0, degree 1 along each direction, …) at every level. A kernel wants the
coefficient of every monomial at every combination of directions: what has degree 0 in a level is the same for all of
that level's directions. The tables say which plane stands where; moving is then one `take`, and what was the same is
summed by one `reduceat`.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..kinds import Coefficient
from .polynomials import Algebra, Extents
from .product import product_of

__all__ = ["Table", "is_short", "table"]

_SHORT = 1 << 14  # elements, of all directions, of which a kernel is quicker than operations on the coefficients


class Table(NamedTuple):
    """The planes of levels by monomial and directions.

    Attributes:
        sizes: how many planes each level has (of those that there are), and
        axes: directions (1 where nothing moves along them).
        there: (monomials, *axes) → the number of the plane.
        first: where a plane stands for the first time, and nowhere else (see `once`).
        present: the planes that stand anywhere.
        places: all places, those of the first such plane, of the second, …
        starts: where among these each begins.
        stands: the first place of each plane.
    """

    sizes: tuple[int, ...]
    axes: tuple[int, ...]
    there: Any
    first: Any
    present: Any
    places: Any
    starts: Any
    stands: Any

    def spread(self, base: Coefficient, shape: tuple[int, ...]) -> Any:
        """The planes of a base at all their places: (monomials, *axes, *shape)."""
        return base.reshape(prod(self.sizes), *shape).take(self.there, axis=0)

    def once(self, base: Coefficient, shape: tuple[int, ...]) -> Any:
        """The same with zeros in all places of a plane but the first, of what will be summed."""
        full = self.spread(base, shape)
        full[~self.first] = 0
        return full

    def gathered(self, planes: Coefficient, shape: tuple[int, ...]) -> Any:
        """The base from what a kernel has written, all planes of it."""
        found = planes.reshape(self.there.size, *shape).take(self.stands, axis=0)
        return found.reshape((*self.sizes, *shape))

    def summed(self, planes: Coefficient, shape: tuple[int, ...]) -> Any:
        """The base whose planes are the sums of what stands at their places; zeros of what stands nowhere."""
        base = np.zeros((prod(self.sizes), *shape), planes.dtype)
        found = planes.reshape(self.there.size, *shape).take(self.places, axis=0)
        base[self.present] = np.add.reduceat(found, self.starts, axis=0)
        return base.reshape((*self.sizes, *shape))


def is_short(algebras: Sequence[Algebra], shape: tuple[int, ...]) -> bool:
    """Whether there is anything, and a kernel quicker, for all directions of so many elements."""
    places = prod(len(a.monomials) * (1 if a.directions is None else a.directions) for a in algebras)
    return 0 < places * prod(shape) <= _SHORT


@lru_cache(maxsize=1024)
def table(algebras: Sequence[Algebra], extents: Extents, full: bool = False) -> Table:
    """The table of a base with these extents; with `full` it has all axes, also those along which nothing moves."""
    whole = product_of(algebras)
    sizes = tuple(algebra.size for algebra, d in zip(algebras, extents, strict=True) if d is not None)
    counts = [len(algebra.monomials) for algebra, d in zip(algebras, extents, strict=True) if d is not None]
    axes = [
        1 if d is None and not full else algebra.directions
        for algebra, d in zip(algebras, extents, strict=True)
        if algebra.directions is not None
    ]
    there = np.zeros((prod(counts), *axes), np.intp)
    first = np.zeros(there.shape, bool)
    for place, m in whole.within(extents):
        numbers: Any = np.zeros((1,) * len(axes), np.intp)
        index: list[Any] = []
        for part, d, algebra in zip(whole.split(m), extents, algebras, strict=True):
            at = algebra.at(part)
            own = np.array(at) if algebra.directions is None else np.zeros((), np.intp)
            if algebra.directions is not None:
                axis = len(index)
                if isinstance(at, slice):
                    own = np.arange(at.start, at.stop).reshape((1,) * axis + (-1,) + (1,) * (len(axes) - axis - 1))
                index.append(slice(None) if isinstance(at, slice) else slice(0, 1))
            numbers = numbers if d is None else numbers * algebra.size + own
        there[place] = numbers
        first[(place, *index)] = True
    used = np.zeros(there.shape, bool)
    used[[place for place, _ in whole.within(extents)]] = True
    places = np.flatnonzero(used)
    places = places[np.argsort(there.ravel()[places], kind="stable")]
    present, starts = np.unique(there.ravel()[places], return_index=True)
    return Table(sizes, tuple(axes), there, first, present, places, starts, places[starts])
