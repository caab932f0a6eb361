"""Families of distributions on integers: loc, the support, and what is made of formulas of k."""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ..errors import NotDifferentiable
from ..kinds import Value
from ..operand import operands, primal
from .family import Distribution, like, log_of, number

__all__ = ["Discrete"]


class Discrete(Distribution):
    """A family of distributions on integers, a row of formulas; loc is added to the standard variable.

    Methods: pmf, logpmf, cdf, logcdf, sf, logsf (k, *shapes, loc=0), mean, var, std and entropy (*shapes, loc=0), as of
    scipy.stats. Derivatives are those by the parameters that vary continuously; what counts must be constant.

    Args:
        name: of the family.
        doc: its docstring.
        shapes: the names of its shape parameters.
        valid: from the values of these whether they are in their domain.
        last: from the shapes the last integer of the support, which begins with 0.
        counts: how many of the first shapes are integers, which have no derivatives.
        terms: from the values of the shapes how many terms sums over the support need.
        formulas: of k and the shapes: logpmf, pmf, cdf, sf; mean and var of the shapes.

    Example:
        >>> dn.stats.poisson
        <distribution poisson>
    """

    methods = ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "mean", "var", "std", "entropy")
    _steps = "ppf isf median interval"

    def __init__(
        self,
        name: str,
        doc: str,
        shapes: str,
        valid: Callable[..., Any],
        last: Callable[..., Any],
        terms: Callable[..., Any],
        counts: int = 0,
        **formulas: Callable[..., Any],
    ) -> None:
        super().__init__(name, doc, shapes, valid)
        self.last = last
        self.terms = terms
        self.counts = counts
        self.formulas = formulas

    def _constant(self, method: str, name: str, x: Value) -> Any:
        if any(primal(v) is not v for v in operands((x,))):
            raise NotDifferentiable(
                f"{self.name}.{method}: {name} carries derivatives, and what counts has none; give a constant "
                f"({name}.value)"
            )
        return x

    def _given(self, method: str, k: Value, args: Any, kwargs: Any) -> tuple[Any, list[Any], Any]:
        """k − loc, the shapes, and where they are in their domain (elsewhere they are others)."""
        k, (*shapes, loc) = self._arguments(method, k, args, kwargs)
        k = self._constant(method, "k", k) - self._constant(method, "loc", loc)
        for name, s in zip(self.shapes[: self.counts], shapes, strict=False):
            self._constant(method, name, s)
        known = self.valid(*[primal(s) for s in shapes])
        return k, [np.where(known, s, 0.5 if i >= self.counts else 1.0) for i, s in enumerate(shapes)], known

    def _mass(self, method: str, k: Value, args: Any, kwargs: Any, outside: float) -> Any:
        with np.errstate(all="ignore"):
            k, shapes, known = self._given(method, k, args, kwargs)
            inside = np.logical_and(np.equal(k, np.floor(k)), np.logical_and(k >= 0, k <= self.last(*shapes)))
            y = self.formulas[method](np.where(inside, k, 0.0), *shapes)
            return number(np.where(np.logical_and(known, ~np.isnan(k)), np.where(inside, y, outside), np.nan))

    def _sum(self, method: str, k: Value, args: Any, kwargs: Any, low: float, high: float) -> Any:
        with np.errstate(all="ignore"):
            k, shapes, known = self._given(method, k, args, kwargs)
            whole = np.floor(k)
            below, above = whole < 0, whole >= self.last(*shapes)
            whole = np.where(np.logical_or(below, above), 0.0, whole)
            shapes = [np.where(above, 1.0, s) if i < self.counts else s for i, s in enumerate(shapes)]
            one, other = ("cdf", "sf") if method.endswith("cdf") else ("sf", "cdf")
            y = self.formulas[one](whole, *shapes)
            if method.startswith("log"):
                y = log_of(y, self.formulas[other](whole, *shapes))
            y = np.where(below, low, np.where(above, high, y))
            return number(np.where(np.logical_and(known, ~np.isnan(k)), y, np.nan))

    def pmf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The probability of k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._mass("pmf", k, args, kwargs, 0.0)

    def logpmf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._mass("logpmf", k, args, kwargs, -inf)

    def cdf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The probability of at most k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._sum("cdf", k, args, kwargs, 0.0, 1.0)

    def sf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The probability of more than k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._sum("sf", k, args, kwargs, 1.0, 0.0)

    def logcdf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of at most k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._sum("logcdf", k, args, kwargs, -inf, 0.0)

    def logsf(self, k: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of more than k.

        Args:
            k: integers of any shape, constant.
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._sum("logsf", k, args, kwargs, 0.0, -inf)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The expected value.

        Args:
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        _, shapes, known = self._given("mean", like(args, kwargs), args, kwargs)
        loc = self._parameters(args, kwargs, "mean")["loc"]
        return number(np.where(known, self.formulas["mean"](*shapes) + loc, np.nan))

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance.

        Args:
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        _, shapes, known = self._given("var", like(args, kwargs), args, kwargs)
        return number(np.where(known, self.formulas["var"](*shapes), np.nan))

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation.

        Args:
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return np.sqrt(self.var(*args, **kwargs))

    def entropy(self, *args: Any, **kwargs: Any) -> Any:
        """The entropy, −Σ p log p, summed over all terms that count.

        Args:
            args: shape parameters and loc, as of `Discrete`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        zero = like(args, kwargs)
        _, shapes, known = self._given("entropy", zero, args, kwargs)
        several = max(map(np.ndim, shapes))
        count = int(np.max(self.terms(*[primal(s) for s in shapes]), initial=0)) + 1
        k = np.arange(count, dtype=zero.dtype).reshape(count, *(1,) * several)
        p, log = (getattr(self, name)(k, *shapes) for name in ("pmf", "logpmf"))
        some = np.greater(primal(p), 0)
        terms = np.where(some, p * np.where(some, log, 0.0), 0.0)
        return number(np.where(known, -np.sum(terms, axis=0), np.nan))
