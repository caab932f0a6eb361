"""Families of continuous distributions: loc and scale, the support, and what is made of formulas in standard form."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, ClassVar

import numpy as np

from ..kinds import Value
from ..operand import primal
from .family import Distribution, like, log_of, number

__all__ = ["Continuous"]


class Continuous(Distribution):
    """A family of continuous distributions, a row of formulas in standard form; loc + scale·z has the others.

    Methods: pdf, logpdf, cdf, logcdf, sf, logsf (x, *shapes, loc=0, scale=1), ppf and isf (q, …), mean, var, std and
    entropy (*shapes, loc=0, scale=1), as of scipy.stats. Outside of the support densities are 0 and constant, where
    parameters are outside of their domain all are NaN.

    Args:
        name: of the family.
        doc: its docstring.
        shapes: the names of its shape parameters.
        valid: from the values of these whether they are in their domain.
        support: the ends of the standard support.
        is_open: its ends do not belong to it.
        formulas: of the standard variable and the shapes: logpdf, cdf, sf, ppf, isf; mean, var, entropy of the shapes;
            and what is better than the default: pdf, logcdf, logsf.

    Example:
        >>> dn.stats.norm
        <distribution norm>
    """

    methods = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf", "mean", "var", "std", "entropy")
    _placing: ClassVar[dict[str, float]] = {"loc": 0.0, "scale": 1.0}

    def __init__(
        self,
        name: str,
        doc: str,
        shapes: str = "",
        valid: Callable[..., Any] = lambda: True,
        support: tuple[float, float] = (-inf, inf),
        is_open: bool = False,
        **formulas: Callable[..., Any],
    ) -> None:
        super().__init__(name, doc, shapes, valid)
        self.support = support
        self.is_open = is_open
        self.formulas = {"pdf": lambda z, *shapes: np.exp(formulas["logpdf"](z, *shapes))} | formulas
        # a point of the support, for what lies outside
        self.inner = 0.0 if support[0] == -inf else 0.5

    def _at(self, method: str, x: Value, args: Any, kwargs: Any, low: float, high: float) -> Any:
        """The formula at (x − loc)/scale, with values below and above the support; NaN for wrong parameters."""
        x, (*shapes, loc, scale) = self._arguments(method, x, args, kwargs)
        with np.errstate(all="ignore"):
            z = (x - loc) / scale
            z0 = primal(z)
            below, above = (np.less_equal, np.greater_equal) if self.is_open else (np.less, np.greater)
            below = np.logical_or(below(z0, self.support[0]), np.equal(z0, -inf))
            above = np.logical_or(above(z0, self.support[1]), np.equal(z0, inf))
            outside = np.logical_or(below, above)
            known, shapes = self._known(shapes, scale)
            y = self._formula(method)(np.where(np.logical_or(outside, ~known), self.inner, z), *shapes)
            if method.endswith("pdf"):
                scale = np.where(known, scale, 1.0)
                y = y - np.log(scale) if method == "logpdf" else y / scale
            y = np.where(above, high, np.where(below, low, y))
            return number(np.where(np.logical_and(known, ~np.isnan(z0)), y, np.nan))

    def _known(self, shapes: Sequence[Any], scale: Value) -> tuple[Any, list[Any]]:
        """Where parameters are in their domain, and the shapes with others elsewhere."""
        values = [primal(s) for s in shapes]
        proper = np.logical_and(self.valid(*values), True)
        known = np.logical_and(proper, np.greater(primal(scale), 0))
        return known, [np.where(proper, s, 1.0) for s in shapes]

    def _formula(self, method: str) -> Callable[..., Any]:
        f = self.formulas
        if method in f:
            return f[method]
        one, other = ("cdf", "sf") if method == "logcdf" else ("sf", "cdf")
        return lambda z, *shapes: log_of(f[one](z, *shapes), f[other](z, *shapes))

    def pdf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The density at x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("pdf", x, args, kwargs, 0.0, 0.0)

    def logpdf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the density at x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("logpdf", x, args, kwargs, -inf, -inf)

    def cdf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The probability of at most x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("cdf", x, args, kwargs, 0.0, 1.0)

    def sf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The probability of more than x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("sf", x, args, kwargs, 1.0, 0.0)

    def logcdf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of at most x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("logcdf", x, args, kwargs, -inf, 0.0)

    def logsf(self, x: Value, *args: Any, **kwargs: Any) -> Any:
        """The logarithm of the probability of more than x.

        Args:
            x: points of any shape.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._at("logsf", x, args, kwargs, 0.0, -inf)

    def _quantile(self, method: str, q: Value, args: Any, kwargs: Any) -> Any:
        q, (*shapes, loc, scale) = self._arguments(method, q, args, kwargs)
        with np.errstate(all="ignore"):
            known, shapes = self._known(shapes, scale)
            q0 = primal(q)
            known = np.logical_and(known, np.logical_and(np.greater_equal(q0, 0), np.less_equal(q0, 1)))
            z = self.formulas[method](np.where(known, q, 0.5), *shapes)
            return number(np.where(known, loc + scale * z, np.nan))

    def ppf(self, q: Value, *args: Any, **kwargs: Any) -> Any:
        """The quantile: the x with cdf(x) = q.

        Args:
            q: probabilities.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._quantile("ppf", q, args, kwargs)

    def isf(self, q: Value, *args: Any, **kwargs: Any) -> Any:
        """The upper quantile: the x with sf(x) = q.

        Args:
            q: probabilities.
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._quantile("isf", q, args, kwargs)

    def _moment(self, method: str, args: Any, kwargs: Any, placed: Callable[..., Any]) -> Any:
        _, (*shapes, loc, scale) = self._arguments(method, like(args, kwargs), args, kwargs)
        with np.errstate(all="ignore"):
            known, shapes = self._known(shapes, scale)
            y = placed(self.formulas[method](*shapes), loc, scale)
            return number(np.where(known, y, np.nan))

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """The expected value.

        Args:
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._moment("mean", args, kwargs, lambda y, loc, scale: loc + scale * y)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """The variance.

        Args:
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._moment("var", args, kwargs, lambda y, loc, scale: scale * scale * y)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """The standard deviation.

        Args:
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return np.sqrt(self.var(*args, **kwargs))

    def entropy(self, *args: Any, **kwargs: Any) -> Any:
        """The differential entropy, −∫ f log f.

        Args:
            args: shape parameters, loc and scale, as of `Continuous`.
            kwargs: the same by name.

        Returns:
            An array of the common shape and type.
        """
        return self._moment("entropy", args, kwargs, lambda y, loc, scale: y + np.log(scale))
