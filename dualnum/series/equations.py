"""Differential equations: coefficient k of y follows from those of y' = f(u', y) below k, which need no more of y."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..kinds import Coefficient
from .recurrences import convolve, derivative, over, self_convolve, total

__all__ = ["Unknown", "solve"]


class Unknown:
    """A series of which ever more coefficients become known, and with them those of sums and products."""

    __slots__ = ("coefficient", "known")
    __array_ufunc__ = None  # an array times one is one

    def __init__(self, known: Iterable[Any] = (), coefficient: Callable[[int], Any] | None = None) -> None:
        self.known = list(known)
        self.coefficient = coefficient  # None where there are no more

    def upto(self, k: int) -> list[Any]:
        """The coefficients 0 … k, and maybe more; fewer where there are no more."""
        if self.coefficient is not None:
            for j in range(len(self.known), k + 1):
                self.known.append(self.coefficient(j))
        return self.known

    def _each(self, function: Callable[[Any], Any]) -> "Unknown":
        if self.coefficient is None:
            return Unknown(map(function, self.known))
        return Unknown((), lambda k: function(self.upto(k)[k]))

    def __mul__(self, other: Coefficient) -> "Unknown":
        if not isinstance(other, Unknown):
            return self._each(lambda c: other * c)
        if other is self:
            return Unknown((), lambda k: self_convolve(self.upto(k), k))
        return Unknown((), lambda k: convolve(self.upto(k), other.upto(k), k))

    __rmul__ = __mul__

    def __neg__(self) -> "Unknown":
        return self._each(lambda c: -c)

    def __add__(self, other: "Unknown") -> "Unknown":
        return Unknown((), lambda k: total(c for u in (self, other) for c in u.upto(k)[k : k + 1]))


def solve(
    order: int, equations: Callable[..., Any], u: Sequence[Any], initial: Sequence[Any], count: int = 1
) -> list[list[Any]]:
    """The first `count` of the series y, … with these values, whose derivatives are equations(u', y, …)."""

    def of(rate: Unknown) -> Callable[[int], Any]:
        return lambda k: over(total(rate.upto(k - 1)[k - 1 : k]), k)

    unknowns = [Unknown([y0], lambda k: None) for y0 in initial]  # there are more
    rates = equations(Unknown(derivative(u)), *unknowns)
    for y, rate in zip(unknowns, rates if isinstance(rates, tuple) else (rates,), strict=True):
        y.coefficient = of(rate)
    try:
        return [y.upto(order) for y in unknowns[:count]]
    finally:
        for y in unknowns:  # they refer to each other, and would keep their coefficients for long
            y.coefficient = None
