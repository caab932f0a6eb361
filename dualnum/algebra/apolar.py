"""The smallest algebra in which a differential operator can be read off: what it does not see is zero.

An operator P(∂) = Σ c_m ∂^m reads a jet f = Σ a_m t^m at its constant by the functional Λ(f) = Σ c_m m! a_m. The
polynomials g with Λ(g h) = 0 for all h are an ideal, and modulo it nothing is lost that P could see: a function of jets
modulo the ideal is the function modulo the ideal. What is left is the *apolar algebra* of P (Macaulay, The Algebraic
Theory of Modular Systems, 1916, section 60; Iarrobino & Kanev, Power Sums, Gorenstein Algebras, and Determinantal Loci,
1999, chapter 2), of rank (1, n, …, n, 1) by degree. For the Laplacian t_i t_j = δ_ij s: value, n directions and one
summed plane, the collapsed Taylor mode (Dangel et al., "Collapsing Taylor mode automatic differentiation", 2025). For
the biharmonic operator in five dimensions 27 planes are left of 126. Of single derivatives ∂^m what is left are the
divisors of t^m. Several operators at once take the intersection of their ideals.

The basis are *standard monomials*, the first that are independent; a product of two that is not among them is a
combination, with exact rational coefficients.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import factorial, prod
from typing import Any, Self

from .families import by_degree
from .graded import Monomial
from .polynomials import KNOWN, Algebra, Combination, Monomials, listed

__all__ = ["Apolar", "Form", "paired"]

Form = tuple[tuple[Monomial, Fraction], ...]  # Σ c_m ∂^m as pairs (m, c_m), all of one degree
_Factors = tuple[int, ...]  # a monomial as the numbers of its variables, in order: short where there are many variables


class Apolar(Algebra):
    """The polynomials modulo what none of these operators sees.

    Args:
        forms: homogeneous polynomials in ∂, of the same variables.
        order: the highest degree that is kept; that of the forms when left out.
    """

    _reduced: dict[_Factors, Combination]

    def __new__(cls, forms: tuple[Form, ...], order: int | None = None) -> Self:
        known = KNOWN.get((cls, (forms, order), None))
        if known is not None:
            return known  # type: ignore[no-any-return]
        count = len(forms[0][0][0])
        highest = max(sum(form[0][0]) for form in forms)
        standard: list[_Factors] = []
        reduced: dict[_Factors, Combination] = {}
        for degree in range((highest if order is None else min(order, highest)) + 1):
            for factors, combination in _reductions(forms, degree):
                standard += [factors] if combination is None else []
                terms = {factors: Fraction(1)} if combination is None else combination
                reduced[factors] = tuple((_exponents(f, count), _number(c)) for f, c in terms.items())
        known = cls._one((forms, order), (_exponents(factors, count) for factors in standard))
        vars(known).setdefault("_reduced", reduced)
        return known

    def truncated(self, order: int) -> Algebra:
        return Apolar(self._args[0], min(order, self.order)).named(self.names)

    def named(self, names: tuple[str, ...] | None) -> Self:
        known = super().named(names)
        vars(known).setdefault("_reduced", self._reduced)
        return known

    @cached_property
    def _factors(self) -> list[_Factors]:
        return list(map(_factors, self.monomials))

    def _times(self, m: Monomial) -> Mapping[Monomial, Combination]:
        own, found = _factors(m), {}
        for n, factors in zip(self.monomials, self._factors, strict=True):
            combination = self._reduced.get(tuple(sorted(own + factors)))
            if combination:
                found[n] = combination
        return found

    @cached_property
    def cover(self) -> Algebra:
        count = self.variables
        return Monomials(tuple(sorted((_exponents(factors, count) for factors in self._reduced), key=by_degree)))

    def projected(self, m: Monomial) -> Combination:
        return self._reduced.get(_factors(m), ())

    def __str__(self) -> str:
        return f"order {self.order} in {listed(self)}, {self.size} combinations that an operator sees"


def _reductions(forms: Sequence[Form], degree: int) -> Iterator[tuple[_Factors, dict[_Factors, Fraction] | None]]:
    """The monomials of one degree that are not zero: None for a standard one, or the combination of those it is.

    By elimination on Λ(t^m t^n), the catalecticant matrices of the forms, row by row.
    """
    rows: dict[_Factors, dict[Any, Fraction]] = {}
    for i, form in enumerate(forms):
        for p, c in form:
            powers = [(variable, power) for variable, power in enumerate(p) if power]
            for m, rest in _divisors(powers, degree):
                rows.setdefault(m, {})[i, rest] = c * _factorial(p)
    pivots: dict[Any, tuple[dict[Any, Fraction], dict[_Factors, Fraction]]] = {}  # by their columns
    for m in sorted(rows):
        row, own = rows[m], {m: Fraction(1)}
        while (column := next((c for c in row if c in pivots), None)) is not None:
            other, combination = pivots[column]
            factor = row[column] / other[column]
            _subtract(row, factor, other)
            _subtract(own, factor, combination)
        if row:
            pivots[next(iter(row))] = row, own
            yield m, None
        else:
            yield m, {s: -c for s, c in own.items() if s != m}


def _divisors(powers: Sequence[tuple[int, int]], degree: int) -> Iterator[tuple[_Factors, _Factors]]:
    """The divisors of this degree of a product of powers, each with what is left."""
    if not powers:
        if degree == 0:
            yield (), ()
        return
    (variable, power), *others = powers
    for k in range(max(0, degree - sum(q for _, q in others)), min(power, degree) + 1):
        for m, rest in _divisors(others, degree - k):
            yield (variable,) * k + m, (variable,) * (power - k) + rest


def _subtract(row: dict[Any, Fraction], c: Fraction, other: Mapping[Any, Fraction]) -> None:
    """row −= c·other, without zeros."""
    for column, x in other.items():
        left = row.get(column, 0) - c * x
        if left:
            row[column] = left
        else:
            row.pop(column, None)


def paired(form: Form, algebra: Algebra) -> Iterator[tuple[int, Any]]:
    """(plane, weight): what the operator reads of a jet, Λ(f) = Σ weight × plane."""
    for m, c in form:
        if m in algebra.places:
            yield algebra.places[m], _number(c * _factorial(m))


def _number(c: Fraction) -> Any:
    return int(c) if c.denominator == 1 else c.numerator / c.denominator


def _factorial(m: Monomial) -> int:
    return prod(map(factorial, m))


def _factors(m: Monomial) -> _Factors:
    return tuple([i for i, power in enumerate(m) for _ in range(power)])


def _exponents(factors: _Factors, count: int) -> Monomial:
    m = [0] * count
    for i in factors:
        m[i] += 1
    return tuple(m)
