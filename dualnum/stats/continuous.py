"""Continuous distributions, each a row of formulas of the standard variable."""

from math import inf, log, pi
from typing import Any

import numpy as np

from ..kinds import Value
from ..operand import primal
from .densities import Continuous
from .family import special as sp

__all__ = ["beta", "expon", "gamma", "lognorm", "norm", "t", "uniform"]

_LOG_SQRT_2PI = 0.5 * log(2 * pi)


def _doc(first: str, args: str, source: str, example: str) -> str:
    shapes = "".join(f"\n    {line}" for line in args.split("; ")) if args else ""
    return (
        f"{first}\n\nArgs:\n    x: points of any shape, or probabilities q of ppf and isf.{shapes}\n"
        "    loc: is added to the standard variable, 0 by default.\n"
        "    scale: > 0, multiplies it, 1 by default.\n\n"
        "Returns:\n    Its methods give arrays of the common shape and floating-point type of their arguments.\n\n"
        f"Source:\n    {source}\n\nExample:\n{example}"
    )


# ── the normal distribution, and what is made of it ──────────────────────────────────────────────

norm = Continuous(
    "norm",
    _doc(
        "The normal distribution, f(x) = e^{−x²/2}/√(2π).",
        "",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, 2nd ed., Wiley 1994, chapter 13.",
        "    >>> dn.grad(dn.stats.norm.logpdf, argnums=(0, 1, 2))(1.5, 0.5, 2.0)\n"
        "    (np.float64(-0.25), np.float64(0.25), np.float64(-0.375))",
    ),
    logpdf=lambda z: -0.5 * (z * z) - _LOG_SQRT_2PI,
    cdf=lambda z: sp.ndtr(z),
    sf=lambda z: sp.ndtr(-z),
    logcdf=lambda z: sp.log_ndtr(z),
    logsf=lambda z: sp.log_ndtr(-z),
    ppf=lambda q: sp.ndtri(q),
    isf=lambda q: -sp.ndtri(q),
    mean=lambda: 0.0,
    var=lambda: 1.0,
    entropy=lambda: _LOG_SQRT_2PI + 0.5,
)

lognorm = Continuous(
    "lognorm",
    _doc(
        "The lognormal distribution, that of e^{s z} for a normal z: f(x) = e^{−log²x/(2s²)}/(s x √(2π)).",
        "s: > 0, the standard deviation of the logarithm.",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, 2nd ed., Wiley 1994, chapter 14.",
        "    >>> dn.grad(dn.stats.lognorm.logpdf, argnums=(0, 1))(1.5, 0.5)\n"
        "    (np.float64(-1.747907), np.float64(-0.684784))",
    ),
    "s",
    lambda s: np.greater(s, 0),
    (0.0, inf),
    is_open=True,
    logpdf=lambda z, s: -0.5 * (np.log(z) / s) ** 2 - np.log(s * z) - _LOG_SQRT_2PI,
    cdf=lambda z, s: sp.ndtr(np.log(z) / s),
    sf=lambda z, s: sp.ndtr(-np.log(z) / s),
    logcdf=lambda z, s: sp.log_ndtr(np.log(z) / s),
    logsf=lambda z, s: sp.log_ndtr(-np.log(z) / s),
    ppf=lambda q, s: np.exp(s * sp.ndtri(q)),
    isf=lambda q, s: np.exp(-s * sp.ndtri(q)),
    mean=lambda s: np.exp(0.5 * (s * s)),
    var=lambda s: np.expm1(s * s) * np.exp(s * s),
    entropy=lambda s: _LOG_SQRT_2PI + 0.5 + np.log(s),
)


# ── exponential and uniform ──────────────────────────────────────────────────────────────────────


def _expon_logcdf(z: Value) -> Any:
    """log(1 − e^{−z}) (Mächler, "Accurately computing log(1 − exp(−|a|))", 2012)."""
    near = np.less(primal(z), log(2))
    return np.where(near, np.log(-np.expm1(-np.where(near, z, 1.0))), np.log1p(-np.exp(-np.where(near, 1.0, z))))


expon = Continuous(
    "expon",
    _doc(
        "The exponential distribution, f(x) = e^{−x} for x ≥ 0; with rate λ it has scale 1/λ.",
        "",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, 2nd ed., Wiley 1994, chapter 19.",
        "    >>> dn.grad(lambda rate: dn.stats.expon.logsf(1.5, scale=1 / rate))(0.5)\n    np.float64(-1.5)",
    ),
    support=(0.0, inf),
    logpdf=lambda z: -z,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logcdf=_expon_logcdf,
    logsf=lambda z: -z,
    ppf=lambda q: -np.log1p(-q),
    isf=lambda q: -np.log(q),
    mean=lambda: 1.0,
    var=lambda: 1.0,
    entropy=lambda: 1.0,
)

uniform = Continuous(
    "uniform",
    _doc(
        "The uniform distribution, f(x) = 1 for 0 ≤ x ≤ 1: between loc and loc + scale.",
        "",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, 2nd ed., Wiley 1995, chapter 26.",
        "    >>> dn.grad(dn.stats.uniform.logpdf, argnums=(0, 2))(1.5, 0.5, 4.0)\n"
        "    (np.float64(0.0), np.float64(-0.25))",
    ),
    support=(0.0, 1.0),
    logpdf=lambda z: 0.0 * z,
    cdf=lambda z: z,
    sf=lambda z: 1.0 - z,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
    mean=lambda: 0.5,
    var=lambda: 1 / 12,
    entropy=lambda: 0.0,
)


# ── gamma and beta ───────────────────────────────────────────────────────────────────────────────


def _gamma_logpdf(z: Value, a: Value) -> Any:
    return sp.xlogy(a - 1.0, z) - z - sp.gammaln(a)


def _gamma_pdf(z: Value, a: Value) -> Any:
    """By powers at 0, where the logarithm is infinite and the density need not be."""
    edge = np.equal(primal(z), 0)
    at = np.where(edge, z, 0.0)
    return np.where(
        edge, np.power(at, a - 1.0) * np.exp(-at) * sp.rgamma(a), np.exp(_gamma_logpdf(np.where(edge, 1.0, z), a))
    )


def _gamma_entropy(a: Value) -> Any:
    """a + log Γ(a) + (1 − a) ψ(a); from 250 on the asymptotic series (DLMF 5.11), as the terms cancel."""
    large = np.greater(primal(a), 250)
    b, c = np.where(large, 1.0, a), 1 / np.where(large, a, 250.0)
    series = 0.5 * (1 + log(2 * pi) - np.log(c)) - c * (1 / 3 + c * (1 / 12 + c * (1 / 90 - c / 120)))
    return np.where(large, series, b + sp.gammaln(b) + (1 - b) * sp.psi(b))


gamma = Continuous(
    "gamma",
    _doc(
        "The gamma distribution, f(x) = x^{a−1} e^{−x}/Γ(a) for x ≥ 0; with rate β it has scale 1/β.",
        "a: > 0; the distribution function and quantiles have no derivatives by it.",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1, 2nd ed., Wiley 1994, chapter 17.",
        "    >>> dn.grad(dn.stats.gamma.logpdf, argnums=(0, 1))(1.5, 2.5)\n"
        "    (np.float64(0.0), np.float64(-0.297691))",
    ),
    "a",
    lambda a: np.greater(a, 0),
    (0.0, inf),
    logpdf=_gamma_logpdf,
    pdf=_gamma_pdf,
    cdf=lambda z, a: sp.gammainc(a, z),
    sf=lambda z, a: sp.gammaincc(a, z),
    ppf=lambda q, a: sp.gammaincinv(a, q),
    isf=lambda q, a: sp.gammainccinv(a, q),
    mean=lambda a: a,
    var=lambda a: a,
    entropy=_gamma_entropy,
)


def _beta_logpdf(z: Value, a: Value, b: Value) -> Any:
    return sp.xlog1py(b - 1.0, -z) + sp.xlogy(a - 1.0, z) - sp.betaln(a, b)


def _beta_pdf(z: Value, a: Value, b: Value) -> Any:
    """By powers at 0 and 1, as of the gamma distribution."""
    z0 = primal(z)
    edge = np.logical_or(np.equal(z0, 0), np.equal(z0, 1))
    at = np.where(edge, z, 0.5)
    powers = np.power(at, a - 1.0) * np.power(1.0 - at, b - 1.0) / sp.beta(a, b)
    return np.where(edge, powers, np.exp(_beta_logpdf(np.where(edge, 0.5, z), a, b)))


beta = Continuous(
    "beta",
    _doc(
        "The beta distribution, f(x) = x^{a−1} (1−x)^{b−1}/B(a, b) for 0 ≤ x ≤ 1.",
        "a: > 0; the distribution function and quantiles have no derivatives by a and b.; b: > 0.",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, 2nd ed., Wiley 1995, chapter 25.",
        "    >>> dn.grad(dn.stats.beta.logpdf, argnums=(1, 2))(0.3, 2.0, 3.0)\n"
        "    (np.float64(-0.120639), np.float64(0.226658))",
    ),
    "a b",
    lambda a, b: np.logical_and(np.greater(a, 0), np.greater(b, 0)),
    (0.0, 1.0),
    logpdf=_beta_logpdf,
    pdf=_beta_pdf,
    cdf=lambda z, a, b: sp.betainc(a, b, z),
    sf=lambda z, a, b: sp.betaincc(a, b, z),
    ppf=lambda q, a, b: sp.betaincinv(a, b, q),
    isf=lambda q, a, b: sp.betainccinv(a, b, q),
    mean=lambda a, b: a / (a + b),
    var=lambda a, b: a * b / ((a + b) ** 2 * (a + b + 1)),
    entropy=lambda a, b: sp.betaln(a, b) - (a - 1) * sp.psi(a) - (b - 1) * sp.psi(b) + (a + b - 2) * sp.psi(a + b),
)


# ── Student's distribution ───────────────────────────────────────────────────────────────────────


def _t_logpdf(z: Value, df: Value) -> Any:
    """log (df/2)_{1/2} − ½ log(π df) − ½ (df+1) log(1 + z²/df), for df = ∞ the normal distribution's."""
    normal = np.isinf(primal(df))
    df = np.where(normal, 1.0, df)
    w = z / np.sqrt(df)
    far = np.greater(np.abs(primal(w)), 1e100)  # whose square overflows
    log1p = np.where(far, 2 * np.log(np.abs(np.where(far, w, 1.0))), np.log1p(np.where(far, 0.0, w) ** 2))
    student = np.log(sp.poch(0.5 * df, 0.5)) - 0.5 * np.log(pi * df) - 0.5 * (df + 1) * log1p
    return np.where(normal, norm.formulas["logpdf"](z), student)


def _t_cdf(z: Value, df: Value) -> Any:
    normal = np.isinf(primal(df))
    return np.where(normal, sp.ndtr(z), sp.stdtr(np.where(normal, 1.0, df), z))


def _t_ppf(q: Value, df: Value) -> Any:
    """SciPy's, in the far tail by the beta distribution, I(df/2, ½; df/(df + t²)) = 2q (DLMF 8.17.1)."""
    normal = np.isinf(primal(df))
    df = np.where(normal, 1.0, df)
    far = np.less(primal(q), 1e-100)
    share = sp.betaincinv(0.5 * df, 0.5, np.where(far, 2 * q, 0.5))
    tail = -np.sqrt(df * (1 - share) / share)
    return np.where(normal, sp.ndtri(q), np.where(far, tail, sp.stdtrit(df, np.where(far, 0.5, q))))


def _t_var(df: Value) -> Any:
    """df/(df − 2), for df = ∞ 1; infinite up to 2, and undefined up to 1."""
    df0 = primal(df)
    finite = np.logical_and(np.greater(df0, 2), np.isfinite(df0))
    ratio = 1 + 2 / (np.where(finite, df, 3.0) - 2)
    return np.where(finite, ratio, np.where(np.isinf(df0), 1.0, np.where(np.greater(df0, 1), inf, np.nan)))


def _t_entropy(df: Value) -> Any:
    """½ (df+1) (ψ(½(df+1)) − ψ(½ df)) + log(√df B(½ df, ½)); from 100 on its series in 1/df, as the terms cancel."""
    large = np.greater(primal(df), 100)
    v, c = np.where(large, 1.0, df), 1 / np.where(large, df, 100.0)
    series = c * (1 + c * (1 / 4 + c * (-1 / 6 + c * (-1 / 8 + c * (3 / 10 + c / 4)))))
    half, more = 0.5 * v, 0.5 * (v + 1)
    exact = more * (sp.psi(more) - sp.psi(half)) + 0.5 * np.log(v) + sp.betaln(half, 0.5)
    return np.where(large, _LOG_SQRT_2PI + 0.5 + series, exact)


t = Continuous(
    "t",
    _doc(
        "Student's distribution, f(x) = (df/2)_{1/2}/√(π df) (1 + x²/df)^{−(df+1)/2}.",
        "df: > 0, ∞ for the normal distribution; the distribution function and quantiles have no derivatives by it.",
        "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2, 2nd ed., Wiley 1995, chapter 28.",
        "    >>> dn.grad(dn.stats.t.logpdf, argnums=(0, 1))(1.5, 4.0)\n    (np.float64(-1.2), np.float64(0.017043))",
    ),
    "df",
    lambda df: np.greater(df, 0),
    logpdf=_t_logpdf,
    cdf=_t_cdf,
    sf=lambda z, df: _t_cdf(-z, df),
    ppf=_t_ppf,
    isf=lambda q, df: -_t_ppf(q, df),
    mean=lambda df: np.where(np.greater(primal(df), 1), np.zeros_like(primal(df)), inf),
    var=_t_var,
    entropy=_t_entropy,
)
