"""Truncated polynomial algebras: which monomials are kept, where their planes lie, and how they multiply.

An algebra keeps the monomials t^m of some set that is closed under division: powers up to an order, squares that vanish
(t_i² = 0), products of such. All others are dropped, or (see `apolar`) are combinations of these. All are graded: the
homogeneous parts of degree 0, 1, …, K multiply like the coefficients of a series in one variable, u_j v_k being of
degree j + k. So the recurrences of `series` run on parts, without knowing the algebra. The planes of a jet stand by
degree, the constant first.

What may be nonzero of a jet is its *extent*: a set of monomials as the bits of a number, bit p − 1 for plane p. So a
variable that something does not depend on costs nothing, and the extent of constants is 0. A series in one variable,
where degrees follow one another, has the highest of them as its extent. Only the algebra looks into it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import add
from typing import Any, NamedTuple, Self

from ..kinds import Coefficient
from .graded import Monomial, NotGraded, Part, is_nothing, is_zero

__all__ = ["KNOWN", "Algebra", "Combination", "Extents", "Monomials", "Partial", "listed", "unlike"]

Combination = Sequence[tuple[Monomial, Any]]  # Σ c t^p as pairs (p, c), c an integer or a float
Extents = tuple[int | None, ...]  # for each level the extent of what may be nonzero; None where it has no axis


class Algebra:
    """The polynomials of these monomials, one plane for each.

    There is one object for each algebra, so that comparing two is comparing identities.

    Attributes:
        monomials: the exponents of the variables, in the order of the planes: the constant first, by degree.
        order: the highest degree.
        size: how many planes a jet has.
        directions: along how many directions a series goes at once, with as many planes for each coefficient; None of
            all else.
        full: the extent of all monomials.
        letter: what the variables are called, with their numbers, and
        names: by names of their own.
        limits: the highest power of each variable, where these alone say what is kept.
    """

    monomials: tuple[Monomial, ...]
    order: int
    size: int
    directions: int | None = None
    full: int
    letter: str | None = None
    names: tuple[str, ...] | None = None
    limits: tuple[int, ...] | None = None
    _args: tuple[Any, ...]

    @classmethod
    def _one(cls, args: tuple[Any, ...], monomials: Iterable[Monomial], **more: Any) -> Self:
        """The algebra of these arguments: the one that there is, or a new one."""
        key = (cls, args, more.get("names"))
        known = KNOWN.get(key)
        if known is None:
            known = object.__new__(cls)
            kept = tuple(monomials)
            facts = {"order": max(map(sum, kept)), "size": len(kept), "full": (1 << len(kept) - 1) - 1}
            vars(known).update({**facts, **more, "monomials": kept, "_args": args})
            known = KNOWN.setdefault(key, known)
        return known  # type: ignore[no-any-return]

    def named(self, names: tuple[str, ...] | None) -> Self:
        """The same algebra with names for its variables, or without."""
        return self if names == self.names else self._one(self._args, self.monomials, names=names, limits=self.limits)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an algebra is immutable; {self!r}.{name} is fixed")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._args) if self.names is None else (_named, (type(self)(*self._args), self.names))

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
        """What the recurrences run in: the same along one direction, without names."""
        return self.named(None)

    # ── extents ──────────────────────────────────────────────────────────────────────────────────

    def extent_of(self, monomials: Iterable[Monomial]) -> int:
        """The extent of these."""
        extent = 0
        for m in monomials:
            extent |= 1 << self.places[m]
        return extent >> 1

    def holds(self, extent: int, m: Monomial) -> bool:
        """Whether a monomial lies in an extent."""
        return bool((extent << 1 | 1) >> self.places[m] & 1)

    def union(self, a: int, b: int) -> int:
        """The extent of a sum."""
        return a | b

    def of_product(self, a: int, b: int) -> int:
        """The extent of a product."""
        if not a or not b:
            return a | b
        return a if a == b == self.full else self.extent_of(self.monomials[m] for _, _, m, _ in self.products(a, b))

    def below(self, extent: int, degree: int) -> int:
        """What of an extent is of this degree at most."""
        return extent & (1 << self._counts[degree] - 1) - 1

    # ── planes ───────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        """How many monomials there are up to each degree."""
        of_degree = Counter(map(sum, self.monomials))
        return tuple(accumulate(of_degree[k] for k in range(self.order + 1)))

    def coefficients(self, extent: int) -> int:
        """How many coefficients there are up to the last of an extent."""
        return extent.bit_length() + 1

    def planes(self, extent: int) -> int:
        """How many planes these are."""
        return extent.bit_length() + 1

    def block(self, k: int) -> Any:
        """Index of the homogeneous part of degree k among the planes."""
        return slice(self._counts[k - 1], self._counts[k]) if k else 0

    def truncated(self, order: int) -> "Algebra":
        """The same algebra, cut at a lower order."""
        return Monomials(self.monomials[: self._counts[min(order, self.order)]]).named(self.names)

    @cached_property
    def _multiples(self) -> dict[Monomial, Mapping[Monomial, Combination]]:
        return {}

    def multiples(self, m: Monomial) -> Mapping[Monomial, Combination]:
        """What t^m·t^n is, by n: a combination of monomials that are kept; those of which it is zero are absent."""
        found = self._multiples.get(m)
        return self._multiples.setdefault(m, self._times(m)) if found is None else found

    def _times(self, m: Monomial) -> Mapping[Monomial, Combination]:
        kept, found = self.places, {}
        for n in self.monomials[: self._counts[self.order - sum(m)]]:
            power = tuple(map(add, m, n))
            if power in kept:
                found[n] = ((power, 1),)
        return found

    @property
    def cover(self) -> "Algebra":
        """The algebra of monomials of which this is a quotient."""
        return self

    def projected(self, m: Monomial) -> Combination:
        """A monomial of that as a combination of those that are kept."""
        return ((m, 1),) if m in self.places else ()

    def products(self, a: int | None = None, b: int | None = None) -> Sequence[tuple[int, int, int, Any]]:
        """All (i, j, m, c) with c × plane i × plane j in plane m of a product, of two extents (all, where left out)."""
        return _products(self, self.full if a is None else a, self.full if b is None else b)

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

    def parts(self, planes: Coefficient, extent: int, ndim: int) -> list[Any]:
        """The homogeneous parts of stacked planes of an extent, for operands broadcast to `ndim` axes."""
        return self.homogeneous({m: planes[place] for place, m in self.within((extent,))})

    def blocks(self, parts: Sequence[Any]) -> list[tuple[Any, int]]:
        """The first planes from homogeneous parts, as (planes, how many)."""
        terms = self.terms(parts)
        return [(terms.get(m, 0.0), 1) for m in self.monomials[: self.planes(self.extent_of(terms))]]

    def reached(self, parts: Sequence[Any]) -> int:
        """The extent of homogeneous parts."""
        return self.extent_of(self.terms(parts))

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
            elif not (is_zero(part) or is_nothing(part)):  # NaN for what cannot be known, of what is not there
                raise NotGraded("a number as a homogeneous part")
        return found

    # ── operands that depend on some of the levels ───────────────────────────────────────────────

    def laid(self, extents: Extents) -> tuple[Monomial, ...]:
        """The monomials of the planes that are read of an operand, in their order."""
        return self.monomials[: self.read(extents)]

    def within(self, extents: Extents) -> Iterator[tuple[int, Monomial]]:
        """Those in the operand's extents, each with its place among these planes."""
        extent = (extents[0] or 0) << 1 | 1
        for place, m in enumerate(self.laid(extents)):
            if extent >> place & 1:
                yield place, m

    def extents(self, terms: dict[Monomial, Any]) -> tuple[int, ...]:
        """The extent of these coefficients, in each level."""
        return (self.extent_of(terms),)

    def read(self, extents: Extents) -> int:
        """How many coefficients are read of an operand."""
        return 1 if extents[0] is None else self.coefficients(extents[0])

    def written(self, extents: tuple[int, ...]) -> tuple[Monomial, ...]:
        """The monomials that are computed of a result, in the order of its planes."""
        return self.monomials[: self.coefficients(extents[0])]

    def filled(self, extents: tuple[int, ...]) -> int:
        """How many planes these are."""
        return self.planes(extents[0])


KNOWN: dict[Any, Any] = {}


@lru_cache(maxsize=4096)
def _products(algebra: Algebra, a: int, b: int) -> tuple[tuple[int, int, int, Any], ...]:
    places = algebra.places
    others = {n: j for j, n in algebra.within((b,))}
    return tuple(
        (i, others[n], places[p], c)
        for i, m in algebra.within((a,))
        for n, combination in algebra.multiples(m).items()
        if n in others
        for p, c in combination
    )


def _named(algebra: Algebra, names: tuple[str, ...]) -> Algebra:
    return algebra.named(names)


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
        return f"order {self.order} in {listed(self)}, not all monomials"


def listed(algebra: Algebra) -> str:
    """The variables of an algebra, for messages."""
    return f"{algebra.variables} variables" if algebra.names is None else f"the variables {', '.join(algebra.names)}"


def unlike(a: Algebra, b: Algebra) -> str:
    """That jets of two algebras meet, and the way out."""
    if a.truncated(0) is b.truncated(0):
        remedy = f"build both alike, or cut the longer one with .truncate({min(a.order, b.order)})"
    else:
        remedy = (
            "they move along different variables: build both by one call of dn.jets or alike, go over to one variable "
            "with .along(…), or take one as a constant with .value"
        )
    return f"jets of {a} and of {b} meet; {remedy}"
