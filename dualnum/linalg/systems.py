"""Factors that are kept for many systems, LU and Cholesky, in the form that SciPy's functions give them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidValue, not_on_device
from ..functions import lapack, matrices
from ..functions.keywords import array, with_value
from ..functions.matrices import (
    check_right_side,
    constant,
    difference,
    product,
    transposed,
    triangle_product,
    triangle_solve,
)
from ..kinds import Value
from ..operand import library, linear, primal
from ..primitives.operation import Operation
from .triangular import solve_triangular, turned_by

__all__ = ["cho_factor", "cho_solve", "lu", "lu_factor", "lu_solve"]

Coefficients = Sequence[Any]

# ── LU factors ────────────────────────────────────────────────────────────────────────────────────


def _packed(a: Value) -> Any:
    import scipy.linalg  # noqa: F401  says what is missing

    return lapack.packed(a if a.dtype.char in "fdFD" else a.astype(np.result_type(a.dtype, float)), singular=True)


def _unpacked(kept: Value) -> Any:
    """L under the diagonal and U from there on."""
    return np.ascontiguousarray(transposed(kept[..., :-1, :]))


def _pivots(kept: Value) -> Any:
    *_, columns, rows = kept.shape
    return np.real(kept[..., -1, : min(rows, columns - 1)]).astype(np.int32)


PACKED = constant("lu_factor", _packed)
UNPACKED = constant("lu_factor", _unpacked)
PIVOTS = constant("lu_factor", _pivots)
ORDER = constant("lu_factor", lapack.permutation)


def _strict(p: Value) -> Any:
    return np.tril(p, -1)


def _lu_series(order: int, p0: Value, kept: Coefficients, a: Coefficients) -> list[Any]:
    """L U = A:  L_k = L_0 M⁻, U_k = M⁺ U_0 with M = L_0⁻¹ (A_k − Σ_{0<j<k} L_j U_{k−j}) U_0⁻¹.

    M⁻ is M under the diagonal, and M⁺ the rest.
    """
    p, lower, upper = [p0], [_strict(p0)], [np.triu(p0)]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        left = triangle_solve(p0, difference(a, k, product(lower, upper, k, 1, k - 1)), lower=True, unit=True)
        m = transposed(triangle_solve(p0, transposed(left), turned=True))
        under = _strict(m)
        lower.append(under + triangle_product(lower[0], under, lower=True))
        upper.append(transposed(triangle_product(p0, transposed(np.triu(m)), turned=True)))
        p.append(lower[k] + upper[k])
    return p


def _lu_pull(wanted: Sequence[bool], g: Value, p: Value, kept: Value, a: Value) -> tuple[Any, Any]:
    """L⁻ᵀ ((Lᵀ L̄)⁻ + (Ū Uᵀ)⁺) U⁻ᵀ."""
    to_l = _strict(g)
    inner = _strict(to_l + triangle_product(_strict(p), to_l, lower=True, turned=True))
    inner = inner + np.triu(transposed(triangle_product(p, transposed(np.triu(g)))))
    left = triangle_solve(p, inner, lower=True, turned=True, unit=True)
    return None, transposed(triangle_solve(p, transposed(left)))


def _square_factors(kept: Value, a: Value) -> Any:
    n = a.shape[-1]
    return _unpacked(kept)[..., :n, :n]


LU = Operation("lu_factor", _square_factors, _lu_series, _lu_pull)


def _rows(x: Value, order: Value) -> Any:
    """The rows of x in another order; the adjoint puts them back."""
    if primal(x) is not x:
        return linear(lambda x: _rows(x, order), x, adjoint=lambda g: _rows(g, np.argsort(order, axis=-1)))
    leading = np.broadcast_shapes(order.shape[:-1], x.shape[:-2])
    order = np.broadcast_to(order, (*leading, order.shape[-1]))
    return np.take_along_axis(np.broadcast_to(x, (*leading, *x.shape[-2:])), order[..., None], axis=-2)


def _factors(name: str, a: Value) -> tuple[Any, Any, Any]:
    """L and U in one, the pivots, and the order of A's rows."""
    a = array(a)
    if a.ndim < 2:
        raise InvalidValue(f"{name}: a has shape {tuple(a.shape)}; expected matrices, (…, m, n)")
    if library(a) is not np:
        raise not_on_device(name, f"CuPy has no {name} that keeps to SciPy's")
    rows, columns = a.shape[-2:]
    kept = PACKED(primal(a))
    pivots = PIVOTS(kept)
    order = ORDER(pivots, rows)
    value = UNPACKED(kept)
    if a is primal(a):
        return value, pivots, order
    a = _rows(a, order)
    k = min(rows, columns)
    p = LU(kept, a[..., :k, :k])
    if rows > k:
        rest = transposed(triangle_solve(p, transposed(a[..., k:, :]), turned=True))
        p = np.concatenate([p, rest], axis=-2)
    if columns > k:
        p = np.concatenate([p, triangle_solve(p, a[..., k:], lower=True, unit=True)], axis=-1)
    return with_value(p, value), pivots, order


def lu_factor(a: Value) -> tuple[Any, Any]:
    """L and U of a in one matrix, P a = L U with the ones of L left out, and the pivots that say what P is.

    The pivots are those of the value, and constants: dL = L (L⁻¹ P da U⁻¹)⁻, dU = (L⁻¹ P da U⁻¹)⁺ U with what stands
    under the diagonal (−) and the rest (+).

    Args:
        a: (…, m, n), real or complex.

    Returns:
        lu of shape (…, m, n), and piv of shape (…, min(m, n)): row i was exchanged with row piv[i].

    Raises:
        InvalidValue: a has fewer than two axes; a is singular where derivatives are asked for.
        NotOnDevice: a lies on a device.

    Source:
        de Hoog, Anderssen & Lukas, "Differentiation of matrix functionals using triangular factorization",
        Mathematics of Computation 80, 2011.

    Example:
        >>> a = dn.jet([[1.0, 2.0], [4.0, 3.0]], 1)
        >>> lu, piv = dn.linalg.lu_factor(a)
        >>> lu.derivative(1)
        array([[1.    , 1.    ],
               [0.1875, 0.1875]])
        >>> dn.linalg.lu_solve((lu, piv), np.array([3.0, 7.0])).value
        array([1., 1.])
    """
    p, pivots, _ = _factors("lu_factor", a)
    return p, pivots


def lu(a: Value, permute_l: bool = False, p_indices: bool = False) -> tuple[Any, ...]:
    """P, L and U with a = P L U, L with ones on its diagonal and U with zeros under it.

    Args:
        a: (…, m, n), real or complex.
        permute_l: whether P L is wanted in place of P and L.
        p_indices: whether P is wanted as indices, a = L[p] U.

    Returns:
        P (…, m, m) or (…, m), which is constant, L (…, m, k) and U (…, k, n) with k = min(m, n); or P L and U.

    Raises:
        InvalidValue, NotOnDevice: as for `lu_factor`.

    Example:
        >>> a = dn.jet([[1.0, 2.0], [4.0, 3.0]], 1)
        >>> p, l, u = dn.linalg.lu(a)
        >>> (p @ l @ u).derivative(1)
        array([[1., 1.],
               [1., 1.]])
    """
    packed, _, order = _factors("lu", a)
    rows, columns = packed.shape[-2:]
    k = min(rows, columns)
    one = np.eye(rows, k, dtype=packed.dtype)
    lower, upper = np.tril(packed[..., :k], -1) + one, np.triu(packed[..., :k, :])
    back = np.argsort(order, axis=-1)
    if permute_l:
        return _rows(lower, back), upper
    if p_indices:
        return back, lower, upper
    return (back[..., None] == np.arange(rows)).astype(np.finfo(packed.dtype).dtype), lower, upper


def lu_solve(lu_and_piv: tuple[Any, Any], b: Value, trans: Any = 0) -> Any:
    """The solution of a x = b from what `lu_factor` gives for a.

    Args:
        lu_and_piv: lu of shape (…, n, n), and the pivots.
        b: (n,) or (…, n, m).
        trans: 0 or "N" for a x = b, 1 or "T" for aᵀ x = b, 2 or "C" for aᴴ x = b.

    Returns:
        x, of the shape of b and the common type of both.

    Raises:
        InvalidValue: as for `solve_triangular`.

    Example:
        >>> factors = dn.linalg.lu_factor(np.array([[1.0, 2.0], [4.0, 3.0]]))
        >>> dn.linalg.lu_solve(factors, dn.jet([3.0, 7.0], 1, direction=[0.0, 5.0]), trans="T").coeffs
        array([[ 3.8, -0.2],
               [ 4. , -1. ]])
    """
    p, pivots = lu_and_piv
    p, b = matrices.square("lu_solve", p), array(b)
    check_right_side("lu_solve", p, b)
    p, turned = turned_by("lu_solve", p, trans)
    columns = b[:, None] if b.ndim == 1 else b
    order = ORDER(pivots, p.shape[-1])
    if not turned:
        x = triangle_solve(p, _rows(columns, order), lower=True, unit=True)
        x = triangle_solve(p, x)
    else:
        x = triangle_solve(p, columns, turned=True)
        x = triangle_solve(p, x, lower=True, turned=True, unit=True)
        x = _rows(x, np.argsort(order, axis=-1))
    return x[..., 0] if b.ndim == 1 else x


# ── Cholesky factors ──────────────────────────────────────────────────────────────────────────────


def cho_factor(a: Value, lower: bool = False) -> tuple[Any, bool]:
    """The Cholesky factor of a for `cho_solve`: c with a = cᴴ c, or c cᴴ if lower.

    Unlike SciPy's c it has zeros in the other triangle.

    Args:
        a: (…, n, n), symmetric or Hermitian, of which that triangle is read, and positive definite.
        lower: which triangle.

    Returns:
        c of the shape of a, and `lower`.

    Raises:
        InvalidValue: a is not square or not positive definite (of plain arrays the ValueError is NumPy's).

    Source:
        Smith, "Differentiation of the Cholesky algorithm", Journal of Computational and Graphical Statistics 4, 1995.

    Example:
        >>> a = dn.jet([[4.0, 2.0], [2.0, 3.0]], 1, direction=np.eye(2))
        >>> dn.linalg.cho_solve(dn.linalg.cho_factor(a), np.array([8.0, 8.0])).derivative(1)
        array([ 0.125, -0.75 ])
    """
    a = matrices.square("cho_factor", a)
    return np.linalg.cholesky(a, upper=not lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Value) -> Any:
    """The solution of A x = b from the Cholesky factor of A: (c, lower) with A = c cᴴ if lower, else cᴴ c.

    Args:
        c_and_lower: c of shape (n, n), of which that triangle is read, and whether it is the lower one.
        b: (n,) or (n, m).

    Returns:
        x, of the shape of b and the common type of both.

    Raises:
        InvalidValue: as for `solve_triangular`.

    Example:
        >>> a = np.array([[4.0, 2.0], [2.0, 3.0]])
        >>> dn.linalg.cho_solve((np.linalg.cholesky(a), True), np.array([8.0, 8.0]))
        array([1., 2.])
    """
    c, lower = c_and_lower
    first, second = ("N", "C") if lower else ("C", "N")
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)
