"""Matrices that are made of others by their places."""

from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..functions.keywords import array
from ..functions.matrices import conjugated
from ..kinds import Value
from ..operand import library, operands, primal, visible
from .values import scipy_of

__all__ = ["block_diag", "circulant", "companion", "hankel", "khatri_rao", "toeplitz"]


def block_diag(*arrays: Any) -> Any:
    """Matrices along the diagonal of one, zeros beside them.

    Args:
        arrays: (m, n) each; (n,) stands for (1, n), and a number for (1, 1).

    Returns:
        A matrix with the sums of their rows and of their columns, in their common type.

    Raises:
        InvalidValue: one has more than two axes (without any derivatives SciPy decides).

    Example:
        >>> dn.linalg.block_diag(dn.jet([[5.0]], 1), np.array([[2.0, 3.0]])).derivative(1)
        array([[1., 0., 0.],
               [0., 0., 0.]])
    """
    if library(*arrays) is np and not any(True for _ in operands(arrays)):
        return scipy_of("block_diag", *arrays)
    blocks = [np.reshape(x, (1, -1)) if x.ndim < 2 else x for x in (array(x, *arrays) for x in arrays)]
    columns = sum(x.shape[1] for x in blocks)
    rows, before, zeros = [], 0, library(*arrays).zeros
    for x in blocks:
        after = columns - before - x.shape[1]
        parts = [zeros((x.shape[0], before), x.dtype), x, zeros((x.shape[0], after), x.dtype)]
        rows.append(np.concatenate(parts, axis=1))
        before += x.shape[1]
    return np.concatenate(rows, axis=0)


def _vector(name: str, argument: str, x: Value, *others: Any) -> Any:
    x = np.atleast_1d(array(x, *others))
    if x.ndim != 1:
        raise InvalidValue(f"{name}: {argument} has shape {tuple(x.shape)}; expected one axis, (n,)")
    return x


def toeplitz(c: Value, r: Value = None) -> Any:
    """The matrix with constant diagonals, T_ij = c_{i−j} for i ≥ j, else r_{j−i}.

    Args:
        c: the first column, (m,).
        r: the first row, (n,), whose first entry is not read; the conjugate of c if it is not given.

    Returns:
        A matrix, (m, n), in the common type of both.

    Raises:
        InvalidValue: c or r has not one axis.

    Example:
        >>> dn.linalg.toeplitz(dn.jet([3.0, 0.5], 1), [3.0, 2.0]).derivative(1)
        array([[1., 0.],
               [1., 1.]])
    """
    c = _vector("toeplitz", "c", c, r)
    r = conjugated(c) if r is None else _vector("toeplitz", "r", r, c)
    entries = np.concatenate([c[::-1], r[1:]])
    return entries[np.arange(len(c) - 1, -1, -1)[:, None] + np.arange(len(r))]


def hankel(c: Value, r: Value = None) -> Any:
    """The matrix with constant anti-diagonals, H_ij = c_{i+j} as far as c goes, then r.

    Args:
        c: the first column, (m,).
        r: the last row, (n,), whose first entry is not read; zeros if it is not given.

    Returns:
        A matrix, (m, n), in the common type of both.

    Raises:
        InvalidValue: c or r has not one axis.

    Example:
        >>> dn.linalg.hankel(dn.jet([3.0, 0.5], 1)).derivative(1)
        array([[1., 1.],
               [1., 0.]])
    """
    c = _vector("hankel", "c", c, r)
    r = np.zeros_like(c) if r is None else _vector("hankel", "r", r, c)
    return np.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


def circulant(c: Value) -> Any:
    """The matrix whose columns are c, turned once more each, C_ij = c_{(i−j) mod n}.

    Args:
        c: the first column, (…, n).

    Returns:
        A matrix for each, (…, n, n), of c's type.

    Example:
        >>> dn.linalg.circulant(dn.jet([3.0, 0.5], 1, direction=[1.0, 2.0])).derivative(1)
        array([[1., 2.],
               [2., 1.]])
    """
    c = np.atleast_1d(array(c))
    places = np.arange(c.shape[-1])
    return c[..., (places[:, None] - places) % max(1, len(places))]


def companion(a: Value) -> Any:
    """The companion matrix of a polynomial, whose eigenvalues are its roots.

    Args:
        a: its coefficients, highest first, (…, n + 1) with n ≥ 1.

    Returns:
        A matrix for each, (…, n, n), of a's type, integers as floats.

    Raises:
        InvalidValue: there are less than two coefficients, or a first one is zero.

    Example:
        >>> dn.linalg.companion(dn.jet([2.0, -10.0, 12.0], 1, direction=[0.0, 1.0, 2.0])).derivative(1)
        array([[-0.5, -1. ],
               [ 0. ,  0. ]])
    """
    a = np.atleast_1d(array(a))
    if a.shape[-1] < 2:
        raise InvalidValue(f"companion: a has shape {tuple(a.shape)}; expected two coefficients or more")
    first = primal(a)[..., 0]
    if visible(first) and np.any(first == 0):
        raise InvalidValue("companion: a first coefficient is zero; leave it out")
    row = -a[..., 1:] / (1.0 * a[..., :1])
    n = row.shape[-1]
    below = np.broadcast_to(library(a).eye(n - 1, n, dtype=row.dtype), (*row.shape[:-1], n - 1, n))
    return np.concatenate([row[..., None, :], below], axis=-2)


def khatri_rao(a: Value, b: Value) -> Any:
    """The Kronecker products of each column of a with that of b.

    Args:
        a: (…, m, n).
        b: (…, k, n).

    Returns:
        A matrix, (…, m k, n), in the common type of both.

    Raises:
        InvalidValue: they have not as many columns.

    Example:
        >>> dn.linalg.khatri_rao(dn.jet([[3.0, 0.5]], 1), np.array([[1.0, 2.0], [3.0, 4.0]])).derivative(1)
        array([[1., 2.],
               [3., 4.]])
    """
    a, b = array(a, b), array(b, a)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise InvalidValue(
            f"khatri_rao: a has shape {tuple(a.shape)}, b has {tuple(b.shape)}; expected matrices with as many columns"
        )
    product = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(product, (*product.shape[:-3], a.shape[-2] * b.shape[-2], a.shape[-1]))
