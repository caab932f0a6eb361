"""Polynomials of polynomials, of jets whose coefficients are jets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, Self

from .graded import Monomial
from .polynomials import Algebra, Combination, Extents

__all__ = ["Product", "product_of"]


def _joined(ms: Iterable[Monomial]) -> Monomial:
    return tuple([power for m in ms for power in m])


class Product(Algebra):
    """Polynomials of polynomials: a factor for each level of nesting, the lowest first.

    The planes of jets of jets have an axis for each level, so that they stand row by row: those of the last factor run
    fastest, whatever their extents.
    """

    def __new__(cls, *factors: Algebra) -> Self:
        return cls._one(factors, map(_joined, product(*(a.monomials for a in factors))))

    @property
    def factors(self) -> tuple[Algebra, ...]:
        return self._args

    @cached_property
    def _factored(self) -> dict[Monomial, tuple[Monomial, ...]]:
        return {_joined(ms): ms for ms in product(*(a.monomials for a in self.factors))}

    def split(self, m: Monomial) -> tuple[Monomial, ...]:
        return self._factored[m]

    def _times(self, m: Monomial) -> Mapping[Monomial, Combination]:
        each = [a.multiples(part).items() for a, part in zip(self.factors, self.split(m), strict=True)]
        found = {}
        for chosen in product(*each):
            combinations = product(*(combination for _, combination in chosen))
            found[_joined(n for n, _ in chosen)] = tuple(
                (_joined(p for p, _ in terms), prod(c for _, c in terms)) for terms in combinations
            )
        return found

    def laid(self, extents: Extents) -> tuple[Monomial, ...]:
        there = (a.monomials[:1] if d is None else a.monomials for a, d in zip(self.factors, extents, strict=True))
        return tuple(map(_joined, product(*there)))

    def within(self, extents: Extents) -> Iterator[tuple[int, Monomial]]:
        for place, m in enumerate(self.laid(extents)):
            if all(a.holds(d or 0, p) for a, d, p in zip(self.factors, extents, self.split(m), strict=True)):
                yield place, m

    def extents(self, terms: dict[Monomial, Any]) -> tuple[int, ...]:
        each = zip(*map(self.split, terms), strict=True)
        return tuple(a.extent_of(ms) for a, ms in zip(self.factors, each, strict=True))

    def read(self, extents: Extents) -> int:
        count = 1
        for a, d in zip(self.factors, extents, strict=True):
            count *= 1 if d is None else a.size
        return count

    def written(self, extents: tuple[int, ...]) -> tuple[Monomial, ...]:
        return self.monomials

    def filled(self, extents: tuple[int, ...]) -> int:
        return self.size


def product_of(algebras: Sequence[Algebra]) -> Algebra:
    """The algebra of all levels together, along one direction each."""
    singles = [a.single for a in algebras]
    return singles[0] if len(singles) == 1 else Product(*singles)
