"""Orthogonal polynomials of constant, whole degree, by the derivatives that stay in the family.

A derivative of a polynomial of one family is a polynomial of lower degree and shifted parameters
(DLMF 18.9(iii)), so every Taylor coefficient is one evaluation of SciPy's own, and nothing cancels.
"""

from collections.abc import Callable, Sequence
from math import factorial, inf
from typing import Any

import numpy as np
import scipy.special as sp

from ...backend import namespace
from ...counterparts import applied
from ...errors import NotDifferentiable, not_on_device
from ...kinds import Coefficient
from ..table import REAL, Interval, by_coefficients, unsupported

Lower = Callable[..., tuple[Any, Any]]

_DEGREE: Interval = (0.0, inf)
_PARAMETER: Interval = (-0.5, inf)


def _polynomial(ufunc: np.ufunc, parameters: Sequence[str], lower: Lower, sample: Any = (-0.9, 0.9)) -> None:
    """A row from lower(k, n, *parameters, x) → (weight, p) with P_n⁽ᵏ⁾(x)/k! = weight · p for k ≤ n."""
    name = str(ufunc.__name__)

    def outer(order: int, value: Coefficient, n: Coefficient, *rest: Any) -> list[Any]:
        # asks for numbers: in a kernel the degree would become a float, for which SciPy sums a series that cancels
        np.any(rest[-1] != rest[-1])
        degree = _whole(name, n)
        c = [value]
        for k in range(1, order + 1):
            there = degree >= k
            weight, p = lower(k, np.where(there, degree, k), *rest)
            c.append(np.where(there, weight * p, 0.0))
        return c

    others = len(parameters) - 1
    by_coefficients(
        ufunc, outer, *parameters, domain=(_DEGREE, *(_PARAMETER,) * others, REAL),
        sample=((0, 6), *((0.5, 2.0),) * others, sample),
    )  # fmt: skip


def _whole(name: str, n: Coefficient) -> Any:
    """The degrees as integers; on a device, where they are not looked at, they must be such."""
    if namespace(n) is not np:
        if n.dtype.kind not in "iu":
            raise not_on_device(name, f"the degrees n are of type {n.dtype}, and nobody looks whether they are whole")
        return n
    if not np.all(np.equal(n, np.rint(n)) & (np.asarray(n) >= 0) & (np.asarray(n) < 2.0**53)):
        raise NotDifferentiable(f"{name}: n is {n!r}; dualnum has a rule for whole degrees 0 ≤ n < 2⁵³ only")
    return np.asarray(n).astype(int)


def _rising(a: Coefficient, k: int) -> Any:
    """(a)_k/k!, as a product of quotients."""
    result = 1.0
    for i in range(k):
        result = result * ((a + i) / (i + 1))
    return result


def _jacobi(k: int, n: Coefficient, alpha: Coefficient, beta: Any, x: Coefficient) -> tuple[Any, Any]:
    """P^{(α,β)}_n' = ½ (n+α+β+1) P^{(α+1,β+1)}_{n−1}."""
    return 0.5**k * _rising(n + alpha + beta + 1, k), applied(sp.eval_jacobi, n - k, alpha + k, beta + k, x)


def _gegenbauer(k: int, n: Coefficient, alpha: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """C^{(λ)}_n' = 2λ C^{(λ+1)}_{n−1}."""
    return 2.0**k * _rising(alpha, k), applied(sp.eval_gegenbauer, n - k, alpha + k, x)


def _legendre(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """P_n = C^{(½)}_n."""
    return _gegenbauer(k, n, 0.5, x)


def _chebyu(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """U_n = C^{(1)}_n."""
    return _gegenbauer(k, n, 1.0, x)


def _chebyt(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """T_n' = n U_{n−1}."""
    weight, p = _gegenbauer(k - 1, n - 1, 1.0, x)
    return weight * (n / k), p


def _laguerre(k: int, n: Coefficient, alpha: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """L^{(α)}_n' = −L^{(α+1)}_{n−1}."""
    return (-1.0) ** k / factorial(k), applied(sp.eval_genlaguerre, n - k, alpha + k, x)


def _hermite(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """H_n' = 2n H_{n−1}."""
    return 2.0**k * _rising(n - k + 1.0, k), applied(sp.eval_hermite, n - k, x)


def _hermitenorm(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """He_n' = n He_{n−1}."""
    return _rising(n - k + 1.0, k), applied(sp.eval_hermitenorm, n - k, x)


def _of(lower: Lower, slope: float, shift: float) -> Lower:
    """The same family at slope·x + shift."""

    def scaled(k: int, *rest: Any) -> tuple[Any, Any]:
        weight, p = lower(k, *rest[:-1], slope * rest[-1] + shift)
        return weight * slope**k, p

    return scaled


def _chebys(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """S_n(x) = U_n(x/2)."""
    return _of(_chebyu, 0.5, 0.0)(k, n, x)


def _chebyc(k: int, n: Coefficient, x: Coefficient) -> tuple[Any, Any]:
    """C_n(x) = 2 T_n(x/2)."""
    weight, p = _of(_chebyt, 0.5, 0.0)(k, n, x)
    return 2.0 * weight, p


_polynomial(sp.eval_jacobi, ("n", "alpha", "beta"), _jacobi)
_polynomial(sp.eval_gegenbauer, ("n", "alpha"), _gegenbauer)
_polynomial(sp.eval_legendre, ("n",), _legendre)
_polynomial(sp.eval_chebyt, ("n",), _chebyt)
_polynomial(sp.eval_chebyu, ("n",), _chebyu)
_polynomial(sp.eval_chebyc, ("n",), _chebyc)
_polynomial(sp.eval_chebys, ("n",), _chebys)
_polynomial(sp.eval_genlaguerre, ("n", "alpha"), _laguerre, sample=(0.0, 6.0))
_polynomial(sp.eval_laguerre, ("n",), lambda k, n, x: _laguerre(k, n, 0.0, x), sample=(0.0, 6.0))
_polynomial(sp.eval_hermite, ("n",), _hermite)
_polynomial(sp.eval_hermitenorm, ("n",), _hermitenorm)
_polynomial(sp.eval_sh_legendre, ("n",), _of(_legendre, 2.0, -1.0), sample=(0.1, 0.9))
_polynomial(sp.eval_sh_chebyt, ("n",), _of(_chebyt, 2.0, -1.0), sample=(0.1, 0.9))
_polynomial(sp.eval_sh_chebyu, ("n",), _of(_chebyu, 2.0, -1.0), sample=(0.1, 0.9))

unsupported("dualnum has no rule for it; write it with eval_jacobi(n, p − q, q − 1, 2x − 1)", sp.eval_sh_jacobi)
unsupported("its derivative is singular at ±1 and dualnum has no rule for it yet", sp.lpmv)
