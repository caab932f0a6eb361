"""Which monomials a jet keeps, and how they multiply.

A jet stores one plane per monomial, the constant first, ordered by degree. Every algebra here is
graded: the homogeneous parts of degree 0, 1, …, K multiply like the coefficients of a univariate
series, so the recurrences of `series` run on parts without knowing the algebra. In the univariate
algebra a part is the single coefficient a_k; with P directions it is the block of P coefficients of
t_p^k (t_p·t_q = 0 for p ≠ q), which multiply plane by plane.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from warnings import warn

import numpy as np

from .errors import InvalidType, InvalidValue, PrecisionLost

__all__ = ["Univariate", "check_digits", "check_order", "factorial_times"]


class Univariate:
    """Truncated power series a_0 + a_1 t + … + a_K t^K, along one direction or along several at once.

    There is one object for each algebra, so that comparing two is comparing identities.

    Args:
        order: K, the highest index kept.
        directions: None for one direction (coefficients without an extra axis), or P for a vector
            jet: 1 + K·P planes, the constant and then the P coefficients of each degree.

    Attributes:
        size: how many planes a jet has.
    """

    __slots__ = ("directions", "order", "size")
    order: int
    directions: int | None
    size: int

    def __new__(cls, order: int, directions: int | None = None) -> "Univariate":
        known = _KNOWN.get((order, directions))
        if known is None:
            known = super().__new__(cls)
            for name, value in (
                ("order", order),
                ("directions", directions),
                ("size", 1 + order * (1 if directions is None else directions)),
            ):
                object.__setattr__(known, name, value)
            known = _KNOWN.setdefault((order, directions), known)
        return known

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an algebra is immutable; Univariate({self.order}, {self.directions}).{name} is fixed")

    def __reduce__(self) -> tuple[Any, ...]:
        return Univariate, (self.order, self.directions)

    def __repr__(self) -> str:
        return f"Univariate(order={self.order}, directions={self.directions})"

    @property
    def size_of_a_degree(self) -> int:
        """How many planes each degree above 0 has."""
        return 1 if self.directions is None else self.directions

    def truncated(self, order: int) -> "Univariate":
        """The same algebra, cut at a lower order."""
        return Univariate(order, self.directions)

    def block(self, k: int) -> Any:
        """Index of the homogeneous part of degree k among the planes."""
        if self.directions is None or k == 0:
            return k
        return slice(1 + (k - 1) * self.directions, 1 + k * self.directions)

    def parts(self, planes: Any, degree: int, ndim: int) -> list[Any]:
        """The homogeneous parts 0 … degree of stacked planes, for operands broadcast to `ndim` axes."""
        parts = [planes[self.block(k)] for k in range(degree + 1)]
        missing = ndim - (planes.ndim - 1)
        if self.directions is None or missing == 0:
            return parts
        # a block has the directions in front: open the axes that broadcasting will need behind them
        return parts[:1] + [part[(slice(None),) + (None,) * missing] for part in parts[1:]]

    def products(self) -> Sequence[tuple[int, int, int]]:
        """All (i, j, m) with plane i × plane j contributing to plane m (the product plan)."""
        return _products(self)

    def __str__(self) -> str:
        along = "" if self.directions is None else f" along {self.directions} directions"
        return f"order {self.order}{along}"


_KNOWN: dict[tuple[int, int | None], Univariate] = {}


@lru_cache(maxsize=256)
def _products(algebra: Univariate) -> tuple[tuple[int, int, int], ...]:
    count = 1 if algebra.directions is None else algebra.directions

    def plane(k: int, p: int) -> int:
        return 0 if k == 0 else 1 + (k - 1) * count + p

    def plan() -> Iterator[tuple[int, int, int]]:
        yield 0, 0, 0
        for k in range(1, algebra.order + 1):
            for p in range(count):
                for j in range(k + 1):
                    yield plane(j, p), plane(k - j, p), plane(k, p)

    return tuple(plan())


def factorial_times(k: int, a: Any) -> Any:
    """k!·a, rounded once, with k! exact and an overflow only where the product overflows."""
    if k < 2:
        return a
    exact = math.factorial(k)
    exponent = max(0, exact.bit_length() - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        result = a * (exact / (1 << exponent))  # a quotient of integers is correctly rounded
        while exponent:  # in steps that no type overflows
            step = min(exponent, 15)
            result = result * float(1 << step)
            exponent -= step
    return result


_DEEP = 20  # the order from which on normalized coefficients may underflow although derivatives do not


def check_digits(k: int, planes: Any, function: str) -> None:
    """Warns where coefficients up to k have underflowed, so that digits of the k-th derivative are gone."""
    if k < _DEEP or type(planes) is not np.ndarray or planes.dtype.kind not in "fc":
        return
    size = np.abs(planes[: k + 1])
    if np.any((size > 0) & (size < np.finfo(size.dtype).tiny)):
        warn(
            f"{function}: coefficients y⁽ᵏ⁾/k! of an order up to {k} are below the smallest {planes.dtype} of full "
            "precision, and so are wrong by a part of themselves, or zero; scale the variable: along direction=2.0**m "
            "the k-th derivative is 2.0**(m·k) times as large (dn.taylor(f, k, direction=…), jet(x, k, direction=…))",
            PrecisionLost,
            stacklevel=3,
        )


def check_order(order: Any, function: str) -> int:
    """order as an int ≥ 0."""
    if isinstance(order, (bool, np.bool_)) or not isinstance(order, (int, np.integer)):
        raise InvalidType(f"{function}: order is {order!r}; expected an integer of 0 or more")
    if order < 0:
        raise InvalidValue(f"{function}: order is {order}; expected 0 or more")
    return int(order)
