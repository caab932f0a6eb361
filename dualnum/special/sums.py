"""Sums of exponentials and their logarithms, shifted by the largest term, which is a constant of the formula."""

from typing import Any

import numpy as np

from ..functions.keywords import apply, array, axes_of
from ..kinds import Axis, Value
from ..operand import Operand, primal
from ..primitives.elementwise import Elementwise
from ..primitives.table import linear

__all__ = ["log_softmax", "logsumexp", "softmax", "softplus"]


def _difference(u: Value, v: Value) -> Any:
    """u − v, and 0 where they are the same infinity."""
    return np.where(np.equal(u, v), 0, np.subtract(u, np.where(np.equal(u, v), 0, v)))


_DIFFERENCE: Any = Elementwise(_difference, 2, ruled=True)
linear(_DIFFERENCE, 1, -1)


def logsumexp(a: Value, axis: Axis = None, b: Value = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """The logarithm of a sum of exponentials, log Σ b e^a, which neither overflows nor loses digits.

    With the largest term m it is m + log k + log1p(r/k), k the weight of the terms that are equal to m and r the sum
    of the others. Its derivative by a is `softmax`, also at ties, and where all terms are −∞ the equal weights that
    they tend to together (as of `np.logaddexp`).

    Args:
        a: of any shape, real or complex.
        axis: along which to sum, one axis or several; all by default.
        b: weights of any sign, broadcast to a. A constant weight of 0 leaves its term out, whatever that is.
        keepdims: the axes stay, with length 1.
        return_sign: the pair (log |Σ|, sign of Σ), for complex terms its phase; else a negative sum gives NaN.

    Returns:
        The logarithm, of the shape that is left, in the floating-point type of a and b.

    Source:
        Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax functions", IMA Journal of
        Numerical Analysis 41, 2021.

    Example:
        >>> dn.grad(dn.special.logsumexp)(np.array([1000.5, 1000.5, 998.0, -np.inf]))
        array([0.480288, 0.480288, 0.039424, 0.    ])
        >>> dn.special.logsumexp(dn.jet(0.3, 1), b=np.array([2.0, -0.5]))
        Jet(0.705465 + 1.·t, order=1)
    """
    a = _floating(a)
    used = None
    if b is not None:
        b = _floating(b)
        a = np.broadcast_to(a, np.broadcast_shapes(np.shape(a), np.shape(b)))
        if not isinstance(b, Operand) or primal(b) is b:
            used = np.broadcast_to(np.not_equal(b, 0), np.shape(a))
            a = np.where(used, a, -np.inf)
    axes = axes_of(axis, np.ndim(a))
    with np.errstate(all="ignore"):
        if "c" in (a.dtype.kind, getattr(b, "dtype", a.dtype).kind):
            largest, log, sign = _complex(a, axes, b, return_sign)
        else:
            largest, log, sign = _real(a, axes, b, used)
            if not return_sign and b is not None:
                log = np.where(np.less(primal(sign), 0), np.nan, log)
        results = [log + largest, sign] if return_sign else [log + largest]
    if not keepdims and axes:
        results = [np.squeeze(y, axis=axes) for y in results]
    results = [y if isinstance(y, Operand) else y[()] for y in results]
    return tuple(results) if return_sign else results[0]


def _largest(a: Value, axes: tuple[int, ...]) -> Any:
    """The largest value along these axes, which stay; a constant."""
    return np.max(np.real(primal(a)), axis=axes, keepdims=True, initial=-np.inf)


def _real(a: Value, axes: tuple[int, ...], b: Value = None, used: Value = None) -> tuple[Any, Any, Any]:
    """m, log |Σ b e^{a−m}| and its sign."""
    largest = _largest(a, axes)
    top = np.equal(primal(a), largest)
    d = apply(_DIFFERENCE, a, largest)
    terms = np.where(top, np.expm1(d), np.exp(d))
    if b is None:
        count = np.sum(top, axis=axes, keepdims=True, dtype=terms.dtype)
        ratio = np.sum(terms, axis=axes, keepdims=True) / np.where(np.equal(count, 0), 1, count)
        return largest, np.log1p(ratio) + np.log(count), np.sign(count)
    weights = np.where(top, primal(b), 0)
    count = np.sum(weights, axis=axes, keepdims=True)
    rest = np.sum(np.where(top, b - weights, 0) + b * terms, axis=axes, keepdims=True)
    cancelled = np.equal(count, 0)
    ratio = rest / np.where(cancelled, 1, count)
    negative = np.less(primal(ratio), -1)
    log = np.log1p(np.where(negative, -2 - ratio, np.where(cancelled, 0, ratio))) + np.log(np.abs(count))
    there = True if used is None else np.any(used, axis=axes, keepdims=True)
    rest = np.where(np.logical_and(cancelled, there), rest, 1)  # of no terms at all, or not needed
    log = np.where(cancelled, np.where(there, np.log(np.abs(rest)), -np.inf), log)
    one = np.sign(count) * np.where(negative, -1, np.sign(1 + primal(ratio)))
    return largest, log, np.where(cancelled, np.where(there, np.sign(primal(rest)), 0), one)


def _complex(a: Value, axes: tuple[int, ...], b: Value, polar: bool) -> tuple[Any, Any, Any]:
    """m and log Σ b e^{a−m}; with `polar` its real part, and the phase of the sum."""
    largest = _largest(a, axes)
    largest = np.where(np.isfinite(largest), largest, 0)
    terms = np.exp(a - largest)
    total = np.sum(terms if b is None else b * terms, axis=axes, keepdims=True)
    if not polar:
        return largest, np.log(total), None
    size = np.abs(total)
    return largest, np.log(size), total / np.where(np.equal(primal(size), 0), 1, size)


def softmax(x: Value, axis: Axis = None) -> Any:
    """The exponentials as shares of their sum, e^x/Σ e^x.

    Args:
        x: of any shape, real or complex; a term of −∞ has no share.
        axis: along which the shares add up to 1, one axis or several; all by default.

    Returns:
        The shares, of the shape and floating-point type of x.

    Source:
        As for `logsumexp`.

    Example:
        >>> dn.special.softmax(dn.jet([0.5, 2.0, -1.0], 1, direction=[1.0, 0.0, 0.0]))
        Jet([ 0.17529,   0.785597,  0.039113]
          + [ 0.144564, -0.137708, -0.006856]·t,
            order=1)
    """
    x = _floating(x)
    axes = axes_of(axis, np.ndim(x))
    with np.errstate(all="ignore"):
        terms = np.exp(x - _largest(x, axes))
        return terms / np.sum(terms, axis=axes, keepdims=True)


def log_softmax(x: Value, axis: Axis = None) -> Any:
    """The logarithm of `softmax`, x − log Σ e^x, also where the share itself is too small for a number.

    Args:
        x: of any shape, real or complex.
        axis: along which the shares add up to 1, one axis or several; all by default.

    Returns:
        The logarithms, of the shape and floating-point type of x.

    Source:
        As for `logsumexp`.

    Example:
        >>> dn.special.log_softmax(dn.jet([0.0, -800.0], 1, direction=[1.0, 0.0]))
        Jet([ 0., -800.]
          + [ 0., -1.]·t,
            order=1)
    """
    x = _floating(x)
    axes = axes_of(axis, np.ndim(x))
    with np.errstate(all="ignore"):
        largest, log, _ = _complex(x, axes, None, False) if x.dtype.kind == "c" else _real(x, axes)
        finite = np.where(np.isfinite(largest), largest, 0)
        return (x - finite) - (log + (largest - finite))


def softplus(x: Value) -> Any:
    """The smooth max(x, 0), log(1 + e^x).

    Args:
        x: of any shape, real.

    Returns:
        The logarithms, of the shape and floating-point type of x.

    Source:
        Dugas et al., "Incorporating second-order functional knowledge for better option pricing", NIPS 13, 2000.

    Example:
        >>> dn.taylor(dn.special.softplus, 2)(-40.0)
        array([4.24835e-18, 4.24835e-18, 2.12418e-18])
    """
    return np.logaddexp(_floating(x), 0)


def _floating(x: Value) -> Any:
    x = array(x)
    return x.astype(np.float64) if x.dtype.kind in "biu" else x
