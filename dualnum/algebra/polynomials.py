"""Truncated polynomial algebras: which monomials are kept, where their planes lie, and how they multiply.

Every algebra here keeps the monomials t^m of some set that is closed under division, and drops all others: powers up
to an order, squares that vanish (t_i² = 0), products of such. All are graded: the homogeneous parts of degree 0, 1, …,
K multiply like the coefficients of a series in one variable, u_j v_k being of degree j + k. So the recurrences of
`series` run on parts, without knowing the algebra. The planes of a jet stand by degree, the constant first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, product
from typing import Any, NamedTuple, Self

from ..kinds import Coefficient
from .graded import Monomial, NotGraded, Part, is_zero

__all__ = ["KNOWN", "Algebra", "Degrees", "Monomials", "Nilpotent", "Partial", "Product", "by_degree", "product_of"]

Degrees = tuple[int | None, ...]  # for each level the highest degree that may be nonzero; None where it has no axis


class Algebra:
    """The polynomials of these monomials, one plane for each.

    There is one object for each algebra, so that comparing two is comparing identities.

    Attributes:
        monomials: the exponents of the variables, in the order of the planes: the constant first, by degree.
        order: the highest degree.
        size: how many planes a jet has.
        directions: along how many directions a series goes at once, with as many planes for each coefficient; None of
            all else.
        letter: what the variables are called.
    """

    monomials: tuple[Monomial, ...]
    order: int
    size: int
    directions: int | None = None
    letter: str | None = None
    _args: tuple[Any, ...]

    @classmethod
    def _one(cls, args: tuple[Any, ...], monomials: Iterable[Monomial], **more: Any) -> Self:
        """The algebra of these arguments: the one that there is, or a new one."""
        known = KNOWN.get((cls, args))
        if known is None:
            known = object.__new__(cls)
            kept = tuple(monomials)
            order = max(map(sum, kept))
            vars(known).update({"order": order, "size": len(kept), **more, "monomials": kept, "_args": args})
            known = KNOWN.setdefault((cls, args), known)
        return known  # type: ignore[no-any-return]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an algebra is immutable; {self!r}.{name} is fixed")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._args

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._args))})"

    @cached_property
    def places(self) -> dict[Monomial, int]:
        """Where each monomial stands; those that are not there are not kept."""
        return {m: place for place, m in enumerate(self.monomials)}

    @property
    def factors(self) -> tuple["Algebra", ...]:
        """The algebras of which this is the product."""
        return (self,)

    @cached_property
    def single(self) -> "Algebra":
        """What the recurrences run in: the same along one direction."""
        return self

    # ── planes ───────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        """How many monomials there are up to each degree."""
        of_degree = Counter(map(sum, self.monomials))
        return tuple(accumulate(of_degree[k] for k in range(self.order + 1)))

    def coefficients(self, degree: int) -> int:
        """How many coefficients there are up to a degree."""
        return self._counts[degree]

    @cached_property
    def planes(self) -> Sequence[int]:
        """How many planes there are up to each degree."""
        return self._counts

    def block(self, k: int) -> Any:
        """Index of the homogeneous part of degree k among the planes."""
        return slice(self._counts[k - 1], self._counts[k]) if k else 0

    def truncated(self, order: int) -> "Algebra":
        """The same algebra, cut at a lower order."""
        return Monomials(tuple(m for m in self.monomials if sum(m) <= order))

    def products(self) -> Sequence[tuple[int, int, int]]:
        """All (i, j, m) with plane i × plane j contributing to plane m."""
        return self._products

    @cached_property
    def _products(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(
            (i, j, self.places[p])
            for i, m in enumerate(self.monomials)
            for j, n in enumerate(self.monomials)
            if (p := tuple([a + b for a, b in zip(m, n, strict=True)])) in self.places
        )

    def at(self, m: Monomial) -> Any:
        """Index of the planes of a coefficient."""
        return self.places[m]

    def split(self, m: Monomial) -> tuple[Monomial, ...]:
        """The monomial of each level."""
        return (m,)

    @property
    def variables(self) -> int:
        """How many there are: those along which a jet may move."""
        return len(self.monomials[0])

    def powers(self, i: int) -> list[int]:
        """The planes of 1, t_i, t_i², …"""
        unit = [tuple(k if j == i else 0 for j in range(self.variables)) for k in range(self.order + 1)]
        return [self.places[m] for m in unit if m in self.places]

    def derivative(self, i: int) -> "Partial":
        """How ∂/∂t_i goes: c_m t^m ↦ m_i c_m t^m/t_i."""
        above = {}
        for m in self.monomials:
            if m[i]:
                above[(*m[:i], m[i] - 1, *m[i + 1 :])] = m
        lower = Monomials(tuple(n for n in self.monomials if n in above))
        planes = [self.places[n] for n in lower.monomials]
        return Partial(
            lower, planes, *zip(*((self.places[above[n]], above[n][i]) for n in lower.monomials), strict=True)
        )

    def factored(self, plane: int) -> tuple[tuple[int, int], ...]:
        """The monomial of a plane: (number of the variable, power) of each that occurs; number 0 of the only one."""
        return tuple((i, power) for i, power in enumerate(self.monomials[plane], 1) if power)

    # ── homogeneous parts ────────────────────────────────────────────────────────────────────────

    def parts(self, planes: Coefficient, degree: int, ndim: int) -> list[Any]:
        """The homogeneous parts 0 … degree of stacked planes, for operands broadcast to `ndim` axes."""
        count = self.planes[degree]
        return self.homogeneous({m: planes[place] for place, m in enumerate(self.monomials[:count])})

    def blocks(self, parts: Sequence[Any]) -> list[tuple[Any, int]]:
        """The first planes from homogeneous parts, as (planes, how many)."""
        terms = self.terms(parts)
        return [(terms.get(m, 0.0), 1) for m in self.monomials[: self.planes[max(map(sum, terms))]]]

    def homogeneous(self, terms: dict[Monomial, Any]) -> list[Any]:
        """The homogeneous parts, up to the highest degree that occurs, of coefficients by monomial."""
        by_degree: dict[int, dict[Monomial, Any]] = {}
        for m, c in terms.items():
            by_degree.setdefault(sum(m), {})[m] = c
        higher = (Part(self, by_degree.get(k, {})) for k in range(1, max(by_degree) + 1))
        return [terms[self.monomials[0]], *higher]

    def terms(self, parts: Sequence[Any]) -> dict[Monomial, Any]:
        """What `homogeneous` was given."""
        found = {self.monomials[0]: parts[0]}
        for part in parts[1:]:
            if isinstance(part, Part):
                found.update(part.terms)
            elif not is_zero(part):
                raise NotGraded("a number as a homogeneous part")
        return found

    # ── operands that depend on some of the levels ───────────────────────────────────────────────

    def laid(self, degrees: Degrees) -> tuple[Monomial, ...]:
        """The monomials of the planes that are read of an operand, in their order."""
        return self.monomials[: self.read(degrees)]

    def within(self, degrees: Degrees) -> Iterator[tuple[int, Monomial]]:
        """Those up to the operand's degrees, each with its place among these planes."""
        for place, m in enumerate(self.laid(degrees)):
            if all(sum(part) <= (d or 0) for part, d in zip(self.split(m), degrees, strict=True)):
                yield place, m

    def degrees(self, terms: dict[Monomial, Any]) -> tuple[int, ...]:
        """The highest degree of these coefficients."""
        return (max(map(sum, terms)),)

    def read(self, degrees: Degrees) -> int:
        """How many coefficients are read of an operand."""
        return 1 if degrees[0] is None else self.coefficients(degrees[0])

    def written(self, degrees: tuple[int, ...]) -> tuple[Monomial, ...]:
        """The monomials that are computed of a result, in the order of its planes."""
        return self.monomials[: self._counts[degrees[0]]]

    def filled(self, degrees: tuple[int, ...]) -> int:
        """How many planes these are."""
        return self.planes[degrees[0]]


KNOWN: dict[Any, Any] = {}


def by_degree(m: Monomial) -> Any:
    """The order of the planes: by degree, and among those of one degree the first variables first."""
    return sum(m), tuple([-power for power in m])


def _joined(ms: Iterable[Monomial]) -> Monomial:
    return tuple([power for m in ms for power in m])


class Partial(NamedTuple):
    """A partial derivative.

    Attributes:
        algebra: to which it leads; for each plane there
        planes: the plane of the same monomial before,
        above: of t_i times it, and
        powers: of t_i in that.
    """

    algebra: Algebra
    planes: Sequence[int]
    above: Sequence[int]
    powers: Sequence[int]


class Monomials(Algebra):
    """The polynomials of any monomials that are closed under division.

    Args:
        monomials: by degree.
    """

    def __new__(cls, monomials: tuple[Monomial, ...]) -> Self:
        return cls._one((monomials,), monomials)

    def __str__(self) -> str:
        return f"order {self.order} in {self.variables} variables"


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
        return Nilpotent(self._args[0], min(order, self.order))

    def __str__(self) -> str:
        return f"order {self.order} in {self._args[0]} nilpotent ε"


class Product(Algebra):
    """Polynomials of polynomials: a factor for each level of nesting, the lowest first.

    The planes of jets of jets have an axis for each level, so that they stand row by row: those of the last factor run
    fastest, whatever their degrees.
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

    def laid(self, degrees: Degrees) -> tuple[Monomial, ...]:
        there = (a.monomials[:1] if d is None else a.monomials for a, d in zip(self.factors, degrees, strict=True))
        return tuple(map(_joined, product(*there)))

    def degrees(self, terms: dict[Monomial, Any]) -> tuple[int, ...]:
        return tuple(map(max, zip(*(map(sum, self.split(m)) for m in terms), strict=True)))

    def read(self, degrees: Degrees) -> int:
        count = 1
        for a, d in zip(self.factors, degrees, strict=True):
            count *= 1 if d is None else a.size
        return count

    def written(self, degrees: tuple[int, ...]) -> tuple[Monomial, ...]:
        return self.monomials

    def filled(self, degrees: tuple[int, ...]) -> int:
        return self.size


def product_of(algebras: Sequence[Algebra]) -> Algebra:
    """The algebra of all levels together, along one direction each."""
    singles = [a.single for a in algebras]
    return singles[0] if len(singles) == 1 else Product(*singles)
