"""Polynomials by their coefficients, highest first: numpy's `polyval` and its kin."""

from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue, NonsmoothPoint
from ..kinds import Value
from ..operand import Operand, implements, library, primal, visible
from .keywords import array, with_native
from .spectra import in_order
from .systems import characteristic


@implements(np.polyval)
def polyval(p: Value, x: Value) -> Any:
    """By Horner's rule."""
    p = _coefficients(p, x)
    x = array(x, p)
    y = 0 * x
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


def _coefficients(p: Value, *others: Any) -> Any:
    """Coefficients as one array, where the others are; a single number is a constant."""
    if isinstance(p, (list, tuple)):
        p = np.stack([array(c, *p, *others) for c in p]) if p else library(*others).zeros(0)
    if isinstance(p, np.poly1d):
        p = p.coeffs
    p = array(p, *others)
    return np.reshape(p, (1,)) if p.ndim == 0 else p


@implements(np.roots)
def roots(p: Value) -> Any:
    """The eigenvalues of the companion matrix, of polynomials whose roots are distinct."""
    p = _coefficients(p)
    if p.ndim != 1:
        raise InvalidValue(f"roots: p has shape {tuple(p.shape)}; expected one axis")
    n = p.shape[0] - 1
    leading = primal(p[:1])
    if n > 0 and visible(leading) and np.all(leading == 0):
        raise NonsmoothPoint(
            "roots: the leading coefficient is zero, and where it moves a root comes from infinity; leave out leading "
            "zeros"
        )
    if n < 1:
        return np.roots(primal(p))
    companion = np.concatenate([(-p[1:] / p[0])[None], library(p).eye(n - 1, n, dtype=p.dtype)])
    w = np.linalg.eig(companion)[0]
    return in_order(w, np.roots(primal(p))) if library(p) is np else w


@implements(np.polyfit)
def polyfit(
    x: Value, y: Value, deg: Any, rcond: Any = None, full: bool = False, w: Value = None, cov: Any = False
) -> Any:
    """By least squares with columns of length 1, as NumPy does."""
    x, y = array(x, y), array(y, x)
    order = int(deg) + 1
    columns, right = np.vander(x, order), y
    if w is not None:
        weights = array(w, x, y)
        columns = columns * weights[:, None]
        right = right * (weights[:, None] if right.ndim == 2 else weights)
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    columns = columns / scale
    rcond = x.shape[0] * np.finfo(primal(x).dtype).eps if rcond is None else rcond
    c, residuals, rank, s = np.linalg.lstsq(columns, right, rcond)
    c = np.swapaxes(np.swapaxes(c, 0, -1) / scale, 0, -1)
    c = with_native(c, np.polyfit, x, y, deg, rcond, False, w)
    if full:
        return c, residuals, rank, s, rcond
    if not cov:
        return c
    base = np.linalg.inv(np.swapaxes(columns, 0, 1) @ columns) / np.outer(scale, scale)
    if isinstance(cov, str) and cov == "unscaled":
        factor: Any = 1
    else:
        if x.shape[0] <= order:
            raise InvalidValue(
                "polyfit: the number of points must exceed the degree by 2 or more to scale the covariance"
            )
        factor = residuals / (x.shape[0] - order)
        factor = factor[0] if y.ndim == 1 else factor
    return c, base * factor if y.ndim == 1 else base[:, :, None] * factor


@implements(np.vander)
def vander(x: Value, N: Any = None, increasing: bool = False) -> Any:
    if x.ndim != 1:
        raise InvalidValue(f"vander: x has shape {x.shape}; expected one axis")
    count = x.shape[0] if N is None else int(N)
    if count <= 0:
        return library(x).zeros((x.shape[0], 0), x.dtype)
    x = x.astype(np.promote_types(x.dtype, int))
    powers = [0 * x + 1]
    for _ in range(count - 1):
        powers.append(powers[-1] * x)
    return np.stack(powers if increasing else powers[::-1], axis=1)


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """Π (x − z_i), or the characteristic polynomial of a matrix, whose eigenvalues may meet."""
    zeros = array(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1]:
        return with_native(np.stack(characteristic(zeros)), np.poly, zeros)
    if zeros.ndim != 1:
        raise InvalidValue(f"poly: the zeros have shape {zeros.shape}; expected one axis")
    result = one = library(zeros).ones(1, zeros.dtype)
    for i in range(zeros.shape[0]):
        result = np.convolve(result, np.concatenate([one, -zeros[i : i + 1]]))
    return result


def _padded(p: Value, length: int) -> Any:
    missing = length - p.shape[0]
    return np.concatenate([library(p).zeros(missing, p.dtype), p]) if missing else p


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = _coefficients(a1, a2), _coefficients(a2, a1)
    length = max(a1.shape[0], a2.shape[0])
    return _padded(a1, length) + _padded(a2, length)


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    a1, a2 = _coefficients(a1, a2), _coefficients(a2, a1)
    length = max(a1.shape[0], a2.shape[0])
    return _padded(a1, length) - _padded(a2, length)


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """The product without leading zeros, as NumPy has it."""
    return np.convolve(_trimmed(_coefficients(a1, a2), "a1"), _trimmed(_coefficients(a2, a1), "a2"))


def _trimmed(p: Value, argument: str) -> Any:
    """p without leading zeros, of which none may have derivatives: they would be cut off with it."""
    native = primal(p)
    if p.ndim != 1 or not visible(native):  # its zeros are not known, and stay
        return p
    zeros = len(native) - len(np.trim_zeros(native, "f"))
    if zeros and isinstance(p, Operand):
        raise InvalidValue(
            f"polymul: the leading coefficient of {argument} is zero, and NumPy cuts it off, but its derivatives may "
            f"not be zero; use np.convolve to keep it, or {argument}[{zeros}:] to leave it out"
        )
    return p[zeros:] if zeros < len(native) else np.zeros(1, native.dtype)


def _count(m: Value, name: str) -> int:
    if isinstance(m, bool) or not isinstance(m, (int, np.integer)):
        raise InvalidType(f"{name}: m is {m!r}; expected an integer of 0 or more")
    if m < 0:
        raise InvalidValue(f"{name}: m is {m}; expected 0 or more")
    return int(m)


def _several(p: Value, name: str) -> Any:
    """The coefficients of p, which NumPy wants along an axis here."""
    if np.ndim(p) == 0 and not isinstance(p, np.poly1d):
        raise InvalidType(f"{name}: p is a single number; expected an array of coefficients, as np.atleast_1d(p)")
    return _coefficients(p)


@implements(np.polyder)
def polyder(p: Value, m: int = 1) -> Any:
    m = _count(m, "polyder")
    p = _several(p, "polyder")
    for _ in range(m):
        p = p[:-1] * library(p).arange(p.shape[0] - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Value, m: int = 1, k: Any = None) -> Any:
    """m antiderivatives, with k as their constants, the first one first."""
    m = _count(m, "polyint")
    p = _several(p, "polyint")
    constants = _coefficients(0.0 if k is None else k, p)
    if constants.shape[0] == 1:
        constants = np.broadcast_to(constants, (m,))
    if constants.shape[0] < m:
        raise InvalidValue(f"polyint: k has {constants.shape[0]} constants; expected one or m = {m}")
    for i in range(m):
        divided = p / library(p).arange(p.shape[0], 0, -1)
        p = np.concatenate([divided, constants[i : i + 1]])
    return p
