"""The incomplete gamma and beta functions in their last argument: y' = density(u) u'."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ... import series
from ..table import POSITIVE, recurrence, unsupported
from .outer import exponential, require_constant

Coefficients = Sequence[Any]


def _negative(u: Coefficients) -> list[Any]:
    return [-u_k for u_k in u]


def _powers(order: int, weight: Any, x: Any, p: Any) -> list[Any]:
    """weight · (x + t)^p:  weight · binom(p, n) x^{p−n}, right at x = 0 and where the power alone overflows."""
    c = []
    for n in range(order + 1):
        half = np.power(x, 0.5 * (p - n))
        c.append(np.where(weight == 0, 0.0, (weight * half) * half))
        weight = weight * ((p - n) / (n + 1))
    return c


def _gamma_density(order: int, a: Any, u: Coefficients) -> list[Any]:
    """g = u^{a−1} e^{−u}/Γ(a), composed from its coefficients at x.

    Where x and a are small or a does not matter, as the product of the power and e^{−t}; elsewhere
    that cancels, and n x g_n = (a − n − x) g_{n−1} − g_{n−2} is stable (for whole a near 0 it would
    bring in x^{−n}).
    """
    x = u[0]
    product = (a <= 3) | ((x <= 8) & (a <= 16)) | ((30 * x <= a) & (a < 150))
    near, p = np.where(product, x, 1.0), np.where(product, a, 1.0)
    powers = _powers(order, sp.rgamma(p) * np.exp(-near), near, p - 1)
    decay = series.exp(order, 1.0, [0.0, -1.0])
    far = np.where(product, 8.0, x)
    c = [private._igam_fac(a, far) / far]
    for n in range(1, order + 1):
        step = (a - n - far) * c[n - 1] - (c[n - 2] if n > 1 else 0.0)
        c.append(step / n / far)
    outer = [np.where(product, series.convolve(powers, decay, n), c[n]) for n in range(order + 1)]
    return series.compose(order, outer, u)


def _gammainc(order: int, value: Any, a: Coefficients, u: Coefficients) -> list[Any]:
    """P(a, u)' = u^{a−1} e^{−u}/Γ(a) u' (DLMF 8.8.13)."""
    require_constant("gammainc", a=a)
    return series.integral(order, value, (u, _gamma_density(order - 1, a[0], u[:order])))


def _gammaincc(order: int, value: Any, a: Coefficients, u: Coefficients) -> list[Any]:
    """Q = 1 − P."""
    require_constant("gammaincc", a=a)
    return [value, *_negative(_gammainc(order, value, a, u)[1:])]


def _alternating(c: Coefficients) -> list[Any]:
    """The coefficients of f(−t)."""
    return [-c_n if n % 2 else c_n for n, c_n in enumerate(c)]


def _betainc(order: int, value: Any, a: Coefficients, b: Coefficients, u: Coefficients) -> list[Any]:
    """I_u(a, b)' = u^{a−1} (1−u)^{b−1}/B(a, b) u' (DLMF 8.17.1)."""
    require_constant("betainc", a=a, b=b)
    x, p, q = u[0], a[0], b[0]
    edge = ((x < 1e-3) | (x > 1 - 1e-3)) & (p + q < 500)
    near, one = np.where(edge, x, 0.5), 1.0 + 0.0 * x
    left = _powers(order - 1, one / sp.beta(p, q), near, p - 1)
    right = _alternating(_powers(order - 1, one, 1 - near, q - 1))
    x = np.where(edge, 0.5, x)
    g0 = private._beta_pdf(x, p, q)
    # inside, relative to g_0: the coefficients of (1 + t/x)^{a−1} and (1 − t/(1−x))^{b−1}
    a_part = [c / x**n for n, c in enumerate(_powers(order - 1, one, one, p - 1))]
    b_part = _alternating([c / (1 - x) ** n for n, c in enumerate(_powers(order - 1, one, one, q - 1))])
    outer = []
    for n in range(order):
        at_edge, largest = series.convolve(left, right, n), np.where(near < 0.5, left[n] * right[0], left[0] * right[n])
        at_edge = np.where(np.isfinite(largest), at_edge, largest)
        outer.append(np.where(edge, at_edge, g0 * series.convolve(a_part, b_part, n)))
    return series.integral(order, value, (u, series.compose(order - 1, outer, u[:order])))


def _betaincc(order: int, value: Any, a: Coefficients, b: Coefficients, u: Coefficients) -> list[Any]:
    """1 − I_u(a, b)."""
    require_constant("betaincc", a=a, b=b)
    return [value, *_negative(_betainc(order, value, a, b, u)[1:])]


def _power_density(order: int, value: Any, a: Coefficients, u: Coefficients) -> list[Any]:
    """g = u^a e^{−u}/Γ(a):  g' = g (a/u − 1) u'. What the incomplete gamma functions start from."""
    require_constant("_igam_fac", a=a)
    slope = [a[0] * r for r in series.reciprocal(order - 1, 1 / u[0], u[:order])]
    return exponential(order, value, (u, [slope[0] - 1, *slope[1:]]))


def _beta_density(order: int, value: Any, u: Coefficients, a: Coefficients, b: Coefficients) -> list[Any]:
    """g = u^{a−1} (1−u)^{b−1}/B(a, b):  g' = g ((a−1)/u − (b−1)/(1−u)) u'."""
    require_constant("_beta_pdf", a=a, b=b)
    left = series.reciprocal(order - 1, 1 / u[0], u[:order])
    rest = [1 - u[0], *_negative(u[1:order])]
    right = series.reciprocal(order - 1, 1 / rest[0], rest)
    slope = [(a[0] - 1) * p - (b[0] - 1) * q for p, q in zip(left, right, strict=True)]
    return exponential(order, value, (u, slope))


recurrence(private._igam_fac, _power_density, domain=POSITIVE, sample=((0.5, 4.0), (0.2, 6.0)))
recurrence(
    private._beta_pdf, _beta_density, domain=((0.0, 1.0), POSITIVE, POSITIVE),
    sample=((0.1, 0.9), (0.5, 4.0), (0.5, 4.0)),
)  # fmt: skip
recurrence(sp.gammainc, _gammainc, domain=POSITIVE, sample=((0.5, 4.0), (0.2, 6.0)))
recurrence(sp.gammaincc, _gammaincc, domain=POSITIVE, sample=((0.5, 4.0), (0.2, 6.0)))
_BETAINC: dict[str, Any] = {"domain": (POSITIVE, POSITIVE, (0.0, 1.0)), "sample": ((0.5, 4.0), (0.5, 4.0), (0.1, 0.9))}
recurrence(sp.betainc, _betainc, **_BETAINC)
recurrence(sp.betaincc, _betaincc, **_BETAINC)

unsupported(
    "dualnum has no rule for inverse incomplete integrals yet",
    sp.gammaincinv, sp.gammainccinv, sp.betaincinv, sp.betainccinv,
)  # fmt: skip
