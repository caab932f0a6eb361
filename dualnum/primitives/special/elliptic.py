"""Elliptic integrals and Jacobi's elliptic functions, of the parameter m = k²."""

from collections.abc import Sequence
from math import inf, pi
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...counterparts import applied
from ...kinds import Coefficient
from ..table import REAL, by_coefficients, by_derivative, by_equation, lookup, on_series, unsupported
from ..trigonometric import inverse_root

Coefficients = Sequence[Any]
_NODES = 64


# ── complete integrals ───────────────────────────────────────────────────────────────────────────


def _by_quadrature(order: int, m: Coefficient) -> tuple[list[Any], list[Any]]:
    """K and E from their integrals (DLMF 19.2.8), differentiated under the sign, s = sin θ:

    K_n = ((½)_n/n!) ∫ s^{2n} (1 − m s²)^{−½−n} dθ,   E_n = ((−½)_n/n!) ∫ s^{2n} (1 − m s²)^{½−n} dθ.

    All terms have one sign, and the trapezoidal rule on a period converges geometrically.
    """
    k_sums: list[Any] = [0.0] * (order + 1)
    e_sums: list[Any] = [0.0] * (order + 1)
    for i in range(_NODES + 1):
        theta = 0.5 * pi * i / _NODES
        s2 = float(np.sin(theta)) ** 2
        root2 = 1 - m * s2
        k_term = (pi / (4 * _NODES) if i in (0, _NODES) else pi / (2 * _NODES)) / np.sqrt(root2)
        e_term, ratio = k_term * root2, s2 / root2
        for n in range(order + 1):
            k_sums[n] = k_sums[n] + k_term
            e_sums[n] = e_sums[n] + e_term
            k_term = k_term * (((n + 0.5) / (n + 1)) * ratio)
            e_term = e_term * (((n - 0.5) / (n + 1)) * ratio)
    return k_sums, e_sums


def _by_equation(order: int, k0: Coefficient, e0: Any, m: Coefficient, p: Coefficient) -> tuple[list[Any], list[Any]]:
    """K and E from m p K'' + (p − m) K' = K/4 and 2 m E' = E − K, p = 1 − m (DLMF 19.4.1, 19.4.8):

    m p (n+1)(n+2) K_{n+2} = (n+½)² K_n + (n+1)² (m − p) K_{n+1},   2m (n+1) E_{n+1} = (1 − 2n) E_n − K_n.

    Stable where the nearest singularity is m = 1, or both are far; around m = 0, where another
    solution is singular, it would bring in m^{−n}.
    """
    k, e = [k0], [e0]
    if order > 0:
        k.append((e0 - p * k0) / m / p / 2)
    for n in range(order - 1):
        sum_ = ((n + 0.5) ** 2 / ((n + 1) * (n + 2))) * k[n] + ((n + 1) / (n + 2)) * (m - p) * k[n + 1]
        k.append(sum_ / m / p)
    for n in range(order):
        sum_ = np.where(np.isfinite(k[n]), (1 - 2 * n) * e[n] - k[n], -k[n])  # K overflows first
        e.append(sum_ / (2 * (n + 1)) / m)
    return k, e


def _complete(order: int, m: Coefficient, p: Coefficient) -> tuple[list[Any], list[Any]]:
    """The coefficients of K and E in m; p = 1 − m is given beside m, so that neither is rounded off."""
    inner = (m >= -10) & (m <= 0.5)
    k_in, e_in = _by_quadrature(order, np.where(inner, m, 0.0))
    m_, p_ = np.where(inner, 0.75, m), np.where(inner, 0.25, p)
    k_out, e_out = _by_equation(order, sp.ellipkm1(p_), applied(sp.ellipe, m_), m_, p_)
    return (
        [np.where(inner, a, b) for a, b in zip(k_in, k_out, strict=True)],
        [np.where(inner, a, b) for a, b in zip(e_in, e_out, strict=True)],
    )


def _ellipk(order: int, value: Coefficient, m: Coefficient) -> list[Any]:
    return [value, *_complete(order, m, 1 - m)[0][1:]]


def _ellipkm1(order: int, value: Coefficient, p: Coefficient) -> list[Any]:
    c = _complete(order, 1 - p, p)[0]
    return [value, *(-c_n if n % 2 else c_n for n, c_n in enumerate(c[1:], 1))]


def _ellipe(order: int, value: Coefficient, m: Coefficient) -> list[Any]:
    return [value, *_complete(order, m, 1 - m)[1][1:]]


by_coefficients(sp.ellipk, _ellipk, domain=(-inf, 1.0), sample=(-2.0, 0.9))
by_coefficients(sp.ellipkm1, _ellipkm1, domain=(0.0, inf), sample=(0.1, 3.0))
by_coefficients(sp.ellipe, _ellipe, domain=(-inf, 1.0), sample=(-2.0, 0.9))


# ── incomplete integrals in the amplitude ────────────────────────────────────────────────────────


@on_series
def _delta_squared(order: int, phi: Coefficients, m: Coefficients) -> list[Any]:
    """1 − m sin² φ; its constant term for m > 0 as (1 − m) + m cos² φ, which does not cancel."""
    cosine = lookup(np.cos).expand(order, phi)
    square = series.square(order, cosine[0] * cosine[0], cosine)
    sine = np.sin(phi[0])
    constant = np.where(m[0] > 0, (1 - m[0]) + m[0] * square[0], 1 - m[0] * (sine * sine))
    return [constant, *(m[0] * c for c in square[1:])]


_AMPLITUDE: dict[str, Any] = {"domain": (REAL, (-inf, 1.0)), "sample": ((-1.4, 1.4), (-2.0, 0.9))}
by_derivative(sp.ellipkinc, lambda phi, m: inverse_root(_delta_squared(phi, m)), "m", **_AMPLITUDE)
by_derivative(sp.ellipeinc, lambda phi, m: np.sqrt(_delta_squared(phi, m)), "m", **_AMPLITUDE)


# ── Jacobi's functions ───────────────────────────────────────────────────────────────────────────


def _jacobi(du: Any, sn: Any, cn: Any, dn: Any, phi: Any, m: Coefficient) -> tuple[Any, ...]:
    """sn' = cn dn, cn' = −sn dn, dn' = −m sn cn, φ' = dn (DLMF 22.13.1–3, 22.16.1)."""
    return du * (cn * dn), -(du * (sn * dn)), -m * (du * (sn * cn)), du * dn


by_equation(sp.ellipj, _jacobi, None, "m", domain=(REAL, (0.0, 1.0)), sample=((-3.0, 3.0), (0.1, 0.9)))

unsupported(
    "its partial derivatives cancel where its arguments are close, and dualnum has no stable rule for them yet",
    sp.elliprc, sp.elliprd, sp.elliprf, sp.elliprg, sp.elliprj,
)  # fmt: skip
unsupported("dualnum has no rule for the arithmetic-geometric mean yet; it is π/4 (a+b)/ellipk(((a−b)/(a+b))²)", sp.agm)
