"""Truncated power series in one variable, along one direction or along several at once."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Self

from ..kinds import Coefficient
from .graded import Monomial
from .polynomials import KNOWN, Algebra, Extents, Partial

__all__ = ["Univariate"]


class Univariate(Algebra):
    """Truncated power series a_0 + a_1 t + … + a_K t^K.

    Along P directions these are the polynomials of P variables whose products t_p t_q vanish for p ≠ q. All powers of
    one degree are one coefficient then, a block of P planes that multiply side by side; the recurrences do not notice.

    Args:
        order: K, the highest index kept.
        directions: None for one direction (coefficients without an extra axis), or P for a vector
            jet: 1 + K·P planes, the constant and then the P coefficients of each degree.
    """

    _wide: int  # how many planes each degree above 0 has

    def __new__(cls, order: int, directions: int | None = None) -> Self:
        known = KNOWN.get((cls, (order, directions), None))
        if known is not None:  # nearly always
            return known  # type: ignore[no-any-return]
        monomials = ((k,) for k in range(order + 1))
        wide = 1 if directions is None else directions
        facts = {"size": 1 + order * wide, "full": order, "directions": directions, "_wide": wide}
        return cls._one((order, directions), monomials, **facts)

    def __repr__(self) -> str:
        return f"Univariate(order={self.order}, directions={self.directions})"

    def __str__(self) -> str:
        along = "" if self.directions is None else f" along {self.directions} directions"
        return f"order {self.order}{along}"

    @cached_property
    def single(self) -> Algebra:
        return self if self.directions is None else Univariate(self.order)

    def truncated(self, order: int) -> "Univariate":
        return Univariate(order, self.directions)

    @property
    def variables(self) -> int:
        return self._wide

    def powers(self, i: int) -> list[int]:
        return [0, *range(1 + i, self.size, self._wide)]

    def derivative(self, i: int) -> Partial:
        planes = self.powers(i)
        return Partial(Univariate(self.order - 1), planes[:-1], planes[1:], range(1, self.order + 1))

    # ── extents: the highest degree ──────────────────────────────────────────────────────────────

    def extent_of(self, monomials: Iterable[Monomial]) -> int:
        return max((m[0] for m in monomials), default=0)

    def holds(self, extent: int, m: Monomial) -> bool:
        return m[0] <= extent

    def union(self, a: int, b: int) -> int:
        return max(a, b)

    def of_product(self, a: int, b: int) -> int:
        return min(self.order, a + b)

    def below(self, extent: int, degree: int) -> int:
        return min(extent, degree)

    def within(self, extents: Extents) -> Iterator[tuple[int, Monomial]]:
        return enumerate(self.laid(extents))

    def coefficients(self, extent: int) -> int:
        return 1 + extent

    def planes(self, extent: int) -> int:
        return 1 + extent * self._wide

    # ── planes ───────────────────────────────────────────────────────────────────────────────────

    def block(self, k: int) -> Any:
        if self.directions is None or k == 0:
            return k
        return slice(1 + (k - 1) * self.directions, 1 + k * self.directions)

    def at(self, m: Monomial) -> Any:
        return self.block(m[0])

    def factored(self, plane: int) -> tuple[tuple[int, int], ...]:
        if plane == 0:
            return ()
        k, p = divmod(plane - 1, self._wide)
        return ((0 if self.directions is None else p + 1, k + 1),)

    def products(self, a: int | None = None, b: int | None = None) -> Sequence[tuple[int, int, int, Any]]:
        if a is None or b is None:
            return self._products
        i_end, j_end = self.planes(a), self.planes(b)
        return [product for product in self._products if product[0] < i_end and product[1] < j_end]

    @cached_property
    def _products(self) -> tuple[tuple[int, int, int, Any], ...]:
        at = [[0] * self._wide, *([1 + k * self._wide + p for p in range(self._wide)] for k in range(self.order))]
        above = ((k, j, p) for k in range(1, self.order + 1) for p in range(self._wide) for j in range(k + 1))
        return (0, 0, 0, 1), *((at[j][p], at[k - j][p], at[k][p], 1) for k, j, p in above)

    # ── homogeneous parts: the coefficients themselves ───────────────────────────────────────────

    def parts(self, planes: Coefficient, extent: int, ndim: int) -> list[Any]:
        parts = [planes[self.block(k)] for k in range(extent + 1)]
        missing = ndim - (planes.ndim - 1)
        if self.directions is None or missing == 0:
            return parts
        # a block has the directions in front: open the axes that broadcasting will need behind them
        return parts[:1] + [part[(slice(None),) + (None,) * missing] for part in parts[1:]]

    def blocks(self, parts: Sequence[Any]) -> list[tuple[Any, int]]:
        return [(part, self._wide if k else 1) for k, part in enumerate(parts)]

    def homogeneous(self, terms: dict[Monomial, Any]) -> list[Any]:
        return [terms[(k,)] for k in range(len(terms))]

    def terms(self, parts: Sequence[Any]) -> dict[Monomial, Any]:
        return {(k,): part for k, part in enumerate(parts)}

    def reached(self, parts: Sequence[Any]) -> int:
        return len(parts) - 1
