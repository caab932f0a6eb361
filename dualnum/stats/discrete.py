"""Distributions on integers, each a row of formulas of k."""

from math import inf
from typing import Any

import numpy as np

from ..kinds import Value
from ..operand import primal
from .family import special as sp
from .masses import Discrete

__all__ = ["binom", "poisson"]


def _doc(first: str, args: str, source: str, example: str) -> str:
    shapes = "".join(f"\n    {line}" for line in args.split("; "))
    return (
        f"{first}\n\nArgs:\n    k: integers of any shape, constant; elsewhere there is no mass.{shapes}\n"
        "    loc: is added to the standard variable, 0 by default, constant.\n\n"
        "Returns:\n    Its methods give arrays of the common shape and floating-point type of their arguments.\n\n"
        f"Source:\n    {source}\n\nExample:\n{example}"
    )


def _poisson_logpmf(k: Value, mu: Value) -> Any:
    return sp.xlogy(k, mu) - mu - sp.gammaln(k + 1)


def _poisson_pmf(k: Value, mu: Value) -> Any:
    """By powers at μ = 0, where the logarithm is infinite."""
    edge = np.equal(primal(mu), 0)
    at = np.where(edge, mu, 0.0)
    powers = np.power(at, k) * np.exp(-at) * sp.rgamma(k + 1)
    return np.where(edge, powers, np.exp(_poisson_logpmf(k, np.where(edge, 1.0, mu))))


poisson = Discrete(
    "poisson",
    _doc(
        "The Poisson distribution, P(k) = μ^k e^{−μ}/k!.",
        "mu: ≥ 0, the mean.",
        "Johnson, Kemp & Kotz, Univariate Discrete Distributions, 3rd ed., Wiley 2005, chapter 4.",
        "    >>> dn.grad(lambda mu: dn.stats.poisson.logpmf(3, mu))(2.5)\n    np.float64(0.2)",
    ),
    "mu",
    lambda mu: np.greater_equal(mu, 0),
    last=lambda mu: inf,
    terms=lambda mu: mu + 20 * np.sqrt(mu) + 80,
    logpmf=_poisson_logpmf,
    pmf=_poisson_pmf,
    cdf=lambda k, mu: sp.gammaincc(k + 1, mu),
    sf=lambda k, mu: sp.gammainc(k + 1, mu),
    mean=lambda mu: mu,
    var=lambda mu: mu,
)


def _binom_logpmf(k: Value, n: Value, p: Value) -> Any:
    return sp.xlogy(k, p) + sp.xlog1py(n - k, -p) - sp.betaln(n - k + 1, k + 1) - np.log(n + 1)


def _binom_pmf(k: Value, n: Value, p: Value) -> Any:
    """By powers at p = 0 and 1, where the logarithm is infinite."""
    p0 = primal(p)
    edge = np.logical_or(np.equal(p0, 0), np.equal(p0, 1))
    at = np.where(edge, p, 0.0)
    powers = np.power(at, k) * np.power(1.0 - at, n - k) * sp.binom(n, k)
    return np.where(edge, powers, np.exp(_binom_logpmf(k, n, np.where(edge, 0.5, p))))


binom = Discrete(
    "binom",
    _doc(
        "The binomial distribution, P(k) = n!/(k! (n−k)!) p^k (1−p)^{n−k}.",
        "n: integers ≥ 0, constant.; p: the probability of a success.",
        "Johnson, Kemp & Kotz, Univariate Discrete Distributions, 3rd ed., Wiley 2005, chapter 3.",
        "    >>> dn.grad(lambda p: dn.stats.binom.logpmf(3, 10, p))(0.25)\n    np.float64(2.666667)",
    ),
    "n p",
    lambda n, p: np.logical_and(
        np.logical_and(np.greater_equal(n, 0), np.equal(n, np.floor(n))),
        np.logical_and(np.greater_equal(p, 0), np.less_equal(p, 1)),
    ),
    last=lambda n, p: n,
    terms=lambda n, p: n,
    counts=1,
    logpmf=_binom_logpmf,
    pmf=_binom_pmf,
    cdf=lambda k, n, p: sp.betaincc(k + 1, n - k, p),
    sf=lambda k, n, p: sp.betainc(k + 1, n - k, p),
    mean=lambda n, p: n * p,
    var=lambda n, p: n * (p * (1 - p)),
)
