"""The incomplete gamma and beta functions and Student's, in their last argument: y' = density(u) u'; their inverses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ... import series
from ...counterparts import applied
from ...kinds import Coefficient
from ..table import POSITIVE, REAL, by_derivative, on_series

Coefficients = Sequence[Any]


def _powers(order: int, weight: Any, x: Coefficient, p: Coefficient) -> list[Any]:
    """weight · (x + t)^p:  weight · binom(p, n) x^{p−n}, right at x = 0 and where the power alone overflows."""
    c = []
    for n in range(order + 1):
        half = np.power(x, 0.5 * (p - n))
        c.append(np.where(weight == 0, 0.0, (weight * half) * half))
        weight = weight * ((p - n) / (n + 1))
    return c


@on_series
def _gamma_density(order: int, parameter: Coefficients, u: Coefficients) -> list[Any]:
    """g = u^{a−1} e^{−u}/Γ(a), composed from its coefficients at x.

    Where x and a are small or a does not matter, as the product of the power and e^{−t}; elsewhere
    that cancels, and n x g_n = (a − n − x) g_{n−1} − g_{n−2} is stable (for whole a near 0 it would
    bring in x^{−n}).
    """
    (a,), x = parameter, u[0]
    product = (a <= 3) | ((x <= 8) & (a <= 16)) | ((30 * x <= a) & (a < 150))
    near, p = np.where(product, x, 1.0), np.where(product, a, 1.0)
    powers = _powers(order, sp.rgamma(p) * np.exp(-near), near, p - 1)
    decay = series.exp(order, 1.0, [0.0, -1.0])
    far = np.where(product, 8.0, x)
    c = [applied(private._igam_fac, a, far) / far]
    for n in range(1, order + 1):
        step = (a - n - far) * c[n - 1] - (c[n - 2] if n > 1 else 0.0)
        c.append(step / n / far)
    outer = [np.where(product, series.convolve(powers, decay, n), c[n]) for n in range(order + 1)]
    return series.compose(order, outer, u)


def _alternating(c: Coefficients) -> list[Any]:
    """The coefficients of f(−t)."""
    return [-c_n if n % 2 else c_n for n, c_n in enumerate(c)]


@on_series
def _beta_density(order: int, a: Coefficients, b: Coefficients, u: Coefficients) -> list[Any]:
    """g = u^{a−1} (1−u)^{b−1}/B(a, b), composed from its coefficients at x."""
    x, p, q = u[0], a[0], b[0]
    edge = ((x < 1e-3) | (x > 1 - 1e-3)) & (p + q < 500)
    near, one = np.where(edge, x, 0.5), 1.0 + 0.0 * x
    left = _powers(order, one / sp.beta(p, q), near, p - 1)
    right = _alternating(_powers(order, one, 1 - near, q - 1))
    x = np.where(edge, 0.5, x)
    g0 = applied(private._beta_pdf, x, p, q)
    # inside, relative to g_0: the coefficients of (1 + t/x)^{a−1} and (1 − t/(1−x))^{b−1}
    a_part = [c / x**n for n, c in enumerate(_powers(order, one, one, p - 1))]
    b_part = _alternating([c / (1 - x) ** n for n, c in enumerate(_powers(order, one, one, q - 1))])
    outer = []
    for n in range(order + 1):
        at_edge, largest = series.convolve(left, right, n), np.where(near < 0.5, left[n] * right[0], left[0] * right[n])
        at_edge = np.where(np.isfinite(largest), at_edge, largest)
        outer.append(np.where(edge, at_edge, g0 * series.convolve(a_part, b_part, n)))
    return series.compose(order, outer, u)


_GAMMA: dict[str, Any] = {"domain": POSITIVE, "sample": ((0.5, 4.0), (0.2, 6.0))}
by_derivative(private._igam_fac, "a", lambda a, u: a / u - 1, of_log=True, **_GAMMA)  # u^a e^{−u}/Γ(a)
by_derivative(sp.gammainc, "a", _gamma_density, **_GAMMA)  # DLMF 8.8.13
by_derivative(sp.gammaincc, "a", lambda a, u: -_gamma_density(a, u), **_GAMMA)

_BETA: dict[str, Any] = {"domain": (POSITIVE, POSITIVE, (0.0, 1.0)), "sample": ((0.5, 4.0), (0.5, 4.0), (0.1, 0.9))}
by_derivative(
    private._beta_pdf, lambda u, a, b: (a - 1) / u - (b - 1) / (1 - u), "a", "b", of_log=True,
    domain=((0.0, 1.0), POSITIVE, POSITIVE), sample=((0.1, 0.9), (0.5, 4.0), (0.5, 4.0)),
)  # fmt: skip
by_derivative(sp.betainc, "a", "b", _beta_density, **_BETA)  # DLMF 8.17.1
by_derivative(sp.betaincc, "a", "b", lambda a, b, u: -_beta_density(a, b, u), **_BETA)

# inverses in the last argument:  y' = u'/density(y)
_INVERSE_GAMMA: dict[str, Any] = {"domain": (POSITIVE, (0.0, 1.0)), "sample": ((0.5, 4.0), (0.1, 0.9))}
by_derivative(sp.gammaincinv, "a", lambda a, u: 1 / _gamma_density(a, sp.gammaincinv(a, u)), **_INVERSE_GAMMA)
by_derivative(sp.gammainccinv, "a", lambda a, u: -1 / _gamma_density(a, sp.gammainccinv(a, u)), **_INVERSE_GAMMA)
by_derivative(sp.betaincinv, "a", "b", lambda a, b, u: 1 / _beta_density(a, b, sp.betaincinv(a, b, u)), **_BETA)
by_derivative(sp.betainccinv, "a", "b", lambda a, b, u: -1 / _beta_density(a, b, sp.betainccinv(a, b, u)), **_BETA)


def _student_density(df: Any, t: Any) -> Any:
    """(df/2)_{1/2}/√(π df) (1 + t²/df)^{−(df+1)/2}."""
    return sp.poch(0.5 * df, 0.5) / np.sqrt(np.pi * df) * np.exp(-0.5 * (df + 1) * np.log1p(t * t / df))


_STUDENT: dict[str, Any] = {"domain": (POSITIVE, REAL), "sample": ((0.5, 9.0), (-3.0, 3.0))}
by_derivative(sp.stdtr, "df", _student_density, **_STUDENT)
by_derivative(
    sp.stdtrit, "df", lambda df, u: 1 / _student_density(df, sp.stdtrit(df, u)),
    domain=(POSITIVE, (0.0, 1.0)), sample=((0.5, 9.0), (0.1, 0.9)),
)  # fmt: skip
