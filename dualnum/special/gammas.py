"""What is made of the gamma function and its logarithmic derivatives; SciPy has these as ufuncs."""

from math import log, pi
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue
from ..functions.keywords import array
from ..kinds import Value
from ..operand import Operand, operands, primal, visible

__all__ = ["comb", "factorial", "multigammaln", "polygamma"]


def polygamma(n: Value, x: Value) -> Any:
    """The n-th derivative of the digamma function, ψ⁽ⁿ⁾(x) = (−1)^{n+1} n! ζ(n+1, x).

    Args:
        n: the order, integers ≥ 0, constant.
        x: of any shape, broadcast against n.

    Returns:
        ψ⁽ⁿ⁾(x), of the common shape and floating-point type.

    Raises:
        InvalidType: n carries derivatives.
        InvalidValue: n is negative or no integer.

    Source:
        DLMF, equation 25.11.12, https://dlmf.nist.gov/25.11, 2010.

    Example:
        >>> dn.derivative(lambda x: dn.special.polygamma(1, x))(2.5), dn.special.polygamma(2, 2.5)
        (np.float64(-0.236204), np.float64(-0.236204))
    """
    import scipy.special as sp

    if any(primal(x) is not x for x in operands((n,))):
        raise InvalidType("polygamma: n carries derivatives; expected integers, which have none (n.value)")
    n, x = array(n), array(x)
    if visible(n) and np.any((n < 0) | (n != np.floor(n))):
        raise InvalidValue(f"polygamma: n is {n}; expected integers that are not negative")
    if visible(n) and np.ndim(n) == 0 and n == 0:
        return sp.psi(x)
    above = np.where(n == 0, 1, n).astype(x.dtype if x.dtype.kind == "f" else np.float64)
    sign = np.where(above % 2 == 0, -1, 1).astype(above.dtype)
    higher = sp.zeta(above + 1, x) * (sign * sp.gamma(above + 1))
    return np.where(n == 0, sp.psi(x), higher) if not visible(n) or np.any(n == 0) else higher


def multigammaln(a: Value, d: int) -> Any:
    """The logarithm of the multivariate gamma function, log Γ_d(a) = d(d−1)/4 log π + Σ_{j=1}^d log Γ(a − (j−1)/2).

    Args:
        a: above (d − 1)/2, of any shape.
        d: the dimension, an integer ≥ 1.

    Returns:
        The logarithms, of the shape and floating-point type of a.

    Raises:
        InvalidType: d is no integer.
        InvalidValue: an a is not above (d − 1)/2, or d is below 1.

    Source:
        DLMF, equation 35.3.4, https://dlmf.nist.gov/35.3, 2010.

    Example:
        >>> dn.special.multigammaln(dn.jet(4.5, 1), 3)
        Jet(7.163564 + 3.748145·t, order=1)
    """
    import scipy.special as sp

    if isinstance(d, Operand) or np.ndim(d) or d != np.floor(d):
        raise InvalidType(f"multigammaln: d is {d!r}; expected an integer, the dimension")
    a, d = array(a), int(d)
    value = primal(a)
    if d < 1 or (visible(value) and np.any(value <= 0.5 * (d - 1))):
        raise InvalidValue(f"multigammaln: d is {d} and a is {value}; expected d ≥ 1 and a > (d − 1)/2")
    return sum((sp.gammaln(a - 0.5 * j) for j in range(1, d)), sp.gammaln(a)) + d * (d - 1) * 0.25 * log(pi)


def factorial(n: Value, exact: bool = False, extend: str = "zero") -> Any:
    """The factorial as a function of real numbers, n! = Γ(n + 1).

    Args:
        n: of any shape.
        exact: integers of any size from integers, by SciPy; these have no derivatives.
        extend: "zero" for 0 at all n < 0, "complex" for Γ(n + 1) there as well.

    Returns:
        The factorials, of the shape of n, as floating-point numbers.

    Raises:
        InvalidType: exact=True, and n carries derivatives.
        InvalidValue: extend is something else.

    Source:
        DLMF, equation 5.2.4, https://dlmf.nist.gov/5.2, 2010.

    Example:
        >>> dn.derivative(dn.special.factorial)(2.5)
        np.float64(3.666177)
    """
    import scipy.special as sp

    if exact:
        _exact("factorial", n)
        return sp.factorial(n, exact=True)
    if extend not in ("zero", "complex"):
        raise InvalidValue(f"factorial: extend is {extend!r}; expected 'zero' or 'complex'")
    n = array(n)
    if extend == "complex" or n.dtype.kind == "c":
        return sp.gamma(n + 1)
    below = np.less(primal(n), 0)
    return np.where(below, 0, sp.gamma(np.where(below, 1, n) + 1))[()]


def comb(N: Value, k: Value, *, exact: bool = False, repetition: bool = False) -> Any:
    """How many ways there are to choose k of N things, as a function of real numbers, N!/(k! (N − k)!).

    Args:
        N: of any shape.
        k: of any shape, broadcast against N.
        exact: integers of any size from integers, by SciPy; these have no derivatives.
        repetition: each thing may be chosen again, N + k − 1 in place of N.

    Returns:
        The numbers, of the common shape, as floating-point numbers; 0 for k > N, k < 0 or N < 0.

    Raises:
        InvalidType: exact=True, and an argument carries derivatives.

    Source:
        DLMF, equation 1.2.6, https://dlmf.nist.gov/1.2, 2010.

    Example:
        >>> dn.grad(dn.special.comb, argnums=(0, 1))(7.0, 2.5)
        (np.float64(11.721089), np.float64(14.716583))
    """
    import scipy.special as sp

    if exact:
        _exact("comb", N, k)
        return sp.comb(N, k, exact=True, repetition=repetition)
    N, k = array(N), array(k)
    if repetition:
        none = np.logical_and(np.equal(primal(N), 0), np.equal(primal(k), 0))
        return np.where(none, 1, comb(np.where(none, 1, N + k - 1), k))[()]
    n0, k0 = primal(N), primal(k)
    inside = np.logical_and(np.less_equal(k0, n0), np.logical_and(n0 >= 0, k0 >= 0))
    return np.where(inside, sp.binom(np.where(inside, N, 1), np.where(inside, k, 1)), 0)[()]


def _exact(name: str, *data: Any) -> None:
    if any(True for _ in operands(data)):
        raise InvalidType(f"{name}: exact=True counts in integers, which have no derivatives; leave it out")
