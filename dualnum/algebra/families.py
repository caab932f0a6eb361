"""The sets of monomials that have names: up to a degree, up to a power of each variable, without squares."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Self

from .graded import Monomial
from .polynomials import KNOWN, Algebra, listed

__all__ = ["Box", "Nilpotent", "TotalDegree", "by_degree", "of_degree"]


class TotalDegree(Algebra):
    """The polynomials in m variables of a total degree K at most: C(m + K, K) planes.

    A product takes C(2m + K, K) products of coefficients (Griewank & Walther, Evaluating Derivatives, 2nd ed., 2008,
    section 13.3).

    Args:
        count: m.
        order: K.
    """

    def __new__(cls, count: int, order: int) -> Self:
        known = KNOWN.get((cls, (count, order), None))
        return cls._one((count, order), _up_to(count, order)) if known is None else known

    def truncated(self, order: int) -> Algebra:
        return TotalDegree(self._args[0], min(order, self.order)).named(self.names)

    def __str__(self) -> str:
        return f"order {self.order} in {listed(self)}"


class Box(Algebra):
    """The polynomials whose powers of each variable are limited on their own: Π (K_i + 1) planes.

    Args:
        limits: K_1, …, K_m.
    """

    def __new__(cls, *limits: int) -> Self:
        return cls._one(limits, sorted(product(*(range(k + 1) for k in limits)), key=by_degree), limits=limits)

    def __str__(self) -> str:
        return f"order {self.order} in {listed(self)} with powers up to ({', '.join(map(str, self._args))})"


class Nilpotent(Algebra):
    """The hyper-dual numbers: n variables whose squares vanish, and all their products.

    Nilpotent(1) are the dual numbers; of Nilpotent(2) the planes are those of 1, ε₁, ε₂ and ε₁ε₂ (Fike & Alonso, "The
    Development of Hyper-Dual Numbers for Exact Second-Derivative Calculations", AIAA 2011-886).

    Args:
        count: n.
        order: the highest number of ε that are multiplied; all of them when left out.
    """

    letter = "ε"

    def __new__(cls, count: int, order: int | None = None) -> Self:
        order = count if order is None else order
        kept = (m for m in product((0, 1), repeat=count) if sum(m) <= order)
        return cls._one((count, order), sorted(kept, key=by_degree))

    def truncated(self, order: int) -> Algebra:
        return Nilpotent(self._args[0], min(order, self.order)).named(self.names)

    def __str__(self) -> str:
        return f"order {self.order} in {self._args[0]} nilpotent ε"


def by_degree(m: Monomial) -> Any:
    """The order of the planes: by degree, and among those of one degree the first variables first."""
    return sum(m), tuple([-power for power in m])


def _up_to(count: int, order: int) -> Iterator[Monomial]:
    """All monomials up to a degree, in order."""
    for degree in range(order + 1):
        yield from of_degree(count, degree)


def of_degree(count: int, degree: int) -> Iterator[Monomial]:
    """Those of one degree, the first variables first."""
    if count <= 1:
        yield from [(degree,)] if count else [()] if degree == 0 else []
        return
    for first in range(degree, -1, -1):
        for rest in of_degree(count - 1, degree - first):
            yield (first, *rest)
