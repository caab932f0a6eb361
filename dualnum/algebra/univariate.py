"""Which monomials a jet keeps, and how they multiply.

A jet stores one plane per monomial, the constant first, ordered by degree. Every algebra here is
graded: the homogeneous parts of degree 0, 1, …, K multiply like the coefficients of a univariate
series, so the recurrences of `series` run on parts without knowing the algebra. In the univariate
algebra a part is the single coefficient a_k; with P directions it is the block of P coefficients of
t_p^k (t_p·t_q = 0 for p ≠ q), which multiply plane by plane.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue, PrecisionWarning

__all__ = ["Univariate", "check_order", "factorial_times", "scale_of", "underflowed", "warn_of_underflow"]


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


def _log2_factorial(k: int) -> float:
    return math.lgamma(k + 1) / math.log(2)


def underflowed(k: int, coefficients: Any) -> bool:
    """Whether digits of a derivative of order k are lost, because its coefficient is too small to keep them.

    A coefficient below the smallest number of full precision has lost digits, and k! brings them to light. One that
    is zero may be less than the smallest number at all; that shows where k! times that number is not small beside
    the derivatives of lower order. (As long as k! < 1/eps, what is lost is below that smallest number itself.)

    Args:
        k: the order of the derivative.
        coefficients: a_0, a_1, …, a_k and perhaps further ones, stacked.
    """
    if k < 3 or type(coefficients) is not np.ndarray or coefficients.dtype.kind not in "fc":
        return False
    info, factor = np.finfo(coefficients.dtype), _log2_factorial(k)
    if factor + info.machep < 0:
        return False
    size = np.abs(coefficients[k])
    small = size < info.tiny
    if np.any(small & (size > 0)):
        return True
    if not small.any():
        return False
    with np.errstate(divide="ignore"):
        lower = np.log2(np.abs(coefficients[:k][:, small]).astype(float))
    largest = np.max(lower + [[_log2_factorial(j)] for j in range(k)], axis=0)  # of the derivatives of lower order
    lost = factor + info.minexp + info.machep
    return bool(np.any((lost > largest + info.machep) & (largest >= info.minexp)))


def scale_of(k: int) -> int:
    """m, so that 2^m as direction keeps the k-th coefficient of an entire function about as large as its derivative."""
    return round(_log2_factorial(k) / max(k, 1))


def warn_of_underflow(function: str, k: int, coefficients: Any) -> None:
    """Warns where `underflowed`, with the way out."""
    if underflowed(k, coefficients):
        m = scale_of(k)
        message = (
            f"{function}: the Taylor coefficient of order {k} is too small for all digits of the derivative; build "
            f"the jet with direction=2.0**{m} and take coefficient({k}) * (math.factorial({k}) / 2**{m * k})"
        )
        warnings.warn(message, PrecisionWarning, stacklevel=3)


def check_order(order: Any, function: str) -> int:
    """order as an int ≥ 0."""
    if isinstance(order, (bool, np.bool_)) or not isinstance(order, (int, np.integer)):
        raise InvalidType(f"{function}: order is {order!r}; expected an integer of 0 or more")
    if order < 0:
        raise InvalidValue(f"{function}: order is {order}; expected 0 or more")
    return int(order)
