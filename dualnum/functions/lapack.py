"""Factors of plain matrices that are kept, and systems solved with them: LAPACK's and BLAS's where SciPy is there."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from ..backend import namespace
from ..errors import InvalidValue
from ..kinds import DType, Value
from ..memory import empty

__all__ = ["factored", "general", "packed", "permutation", "solved", "triangle_solved", "triangle_times"]

_LETTERS = {"f": "s", "d": "d", "F": "c", "D": "z"}
_SMALL = 16  # rows up to which the inverses of many matrices are made at once
_STACKED = 64  # rows up to which the columns of several right sides are put side by side


_found: dict[tuple[str, str], Any] = {}


def _routine(name: str, dtype: DType) -> Any:
    """A routine of LAPACK or BLAS for this type; None without SciPy, or where there is none."""
    known = _found.get((name, dtype.char))
    if known is not None:
        return known
    letter = _LETTERS.get(dtype.char)
    try:
        from scipy.linalg import blas, lapack
    except ImportError:
        return None
    if letter is not None:
        library = lapack if hasattr(lapack, letter + name) else blas
        known = _found[name, dtype.char] = getattr(library, letter + name)
    return known


def _common(a: Value, b: Value) -> Any:
    """The type of what both give."""
    return a.dtype if a.dtype == b.dtype and a.dtype.kind in "fc" else np.result_type(floating(a), floating(b))


def factored(a: Value) -> Any:
    """What is kept of A for systems: packed factors, or where matrices are small and many the inverse.

    So on a device and without SciPy.
    """
    if namespace(a) is not np:
        return np.linalg.inv(a)
    a = floating(a)
    getrf = None if not a.size or (a.ndim > 2 and a.shape[-1] <= _SMALL) else _routine("getrf", a.dtype)
    return np.linalg.inv(a) if getrf is None else packed(a, getrf)


def floating(a: Value) -> Any:
    return a.astype(float) if a.dtype.kind in "biu" else a


def packed(a: Value, getrf: Any = None, singular: bool = False) -> Any:
    """P A = L U of (…, m, n): L and U in one, transposed, as LAPACK's memory lies, and a row of pivots under them.

    Args:
        a: of a type that LAPACK has.
        getrf: its routine.
        singular: whether such matrices are allowed.

    Raises:
        LinAlgError: as NumPy's, where one is singular.
    """
    getrf = getrf or _routine("getrf", a.dtype)
    assert getrf is not None
    *leading, m, n = a.shape
    kept = np.empty((*leading, n + 1, m), a.dtype)
    kept[..., :n, :] = np.swapaxes(a, -1, -2)
    for index in np.ndindex(*leading):
        block = kept[index]
        if not a.size:
            continue
        lu, pivots, info = getrf(block[:n].T, overwrite_a=True)
        if info > 0 and not singular:
            raise np.linalg.LinAlgError("Singular matrix")
        if not np.may_share_memory(lu, block):
            block[:n] = lu.T
        block[n, : len(pivots)] = pivots
        block[n, len(pivots) :] = 0
    return kept


def is_packed(factors: Value) -> bool:
    """Whether these are packed factors of square matrices, else inverses."""
    return bool(factors.shape[-2] != factors.shape[-1])


def _pivots(row: Value) -> Any:
    """Of one matrix, within its rows also where numbers only stand for others."""
    return row.real.astype(np.int32) % len(row)


def permutation(pivots: Value, rows: int) -> Any:
    """Which row of A is row i of P A, from the pivots (…, k): row i was exchanged with row pivots[i], one by one."""
    pivots = np.asarray(pivots)
    found = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    for index in np.ndindex(*pivots.shape[:-1]):
        order = found[index]
        for i, j in enumerate(np.clip(pivots[index], 0, max(rows - 1, 0)).tolist()):
            order[i], order[j] = order[j], order[i]
    return found


def solved(factors: Value, b: Value, turned: bool = False, a: Value = None) -> Any:
    """A⁻¹ B, or A⁻ᵀ B, for b of (…, n, m) by what `factored` keeps.

    What an inverse gives is corrected by the residual where a is given; one step leaves what an elimination leaves
    (Skeel, Math. Comp. 35, 1980).
    """
    if not is_packed(factors):
        inverse, a = (x if x is None or not turned else np.swapaxes(x, -1, -2) for x in (factors, a))
        x = np.matmul(inverse, b)
        return x if a is None else x + np.matmul(inverse, b - np.matmul(a, x))
    n, leading = factors.shape[-1], factors.shape[:-2]
    dtype = _common(factors, b)
    if factors.dtype != dtype:
        if dtype.kind == "c" and factors.dtype.kind != "c":  # real factors
            return solved(factors, np.real(b), turned) + 1j * solved(factors, np.imag(b), turned)
        factors = factors.astype(dtype)
    getrs = partial(_routine("getrs", dtype), trans=int(turned), overwrite_b=True)
    if not leading:
        return _by_columns(lambda c: getrs(factors[:n].T, _pivots(factors[n]), c)[0], b, dtype)
    x = np.empty((*np.broadcast_shapes(leading, b.shape[:-2]), *b.shape[-2:]), dtype)
    x[...] = b
    for index, there in _matrices(leading, x.shape[:-2]):
        f = factors[index]
        x[there] = _by_columns(lambda c, f=f: getrs(f[:n].T, _pivots(f[n]), c)[0], x[there], dtype)
    return x


def _matrices(leading: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """For each of many matrices where it lies, and where the right sides lie over which it is broadcast."""
    ends = wanted[len(wanted) - len(leading) :]
    for index in np.ndindex(*leading):
        yield index, (..., *(i if n == m else slice(None) for i, n, m in zip(index, leading, ends, strict=True)),
                      slice(None), slice(None))  # fmt: skip


def _by_columns(solve: Any, b: Value, dtype: DType) -> Any:
    """solve(columns) in place, with the columns of all of (…, n, m) side by side."""
    turned = np.swapaxes(b, -1, -2)
    columns = empty(turned.shape, dtype)
    columns[...] = turned
    if not columns.size:
        return np.swapaxes(columns, -1, -2)
    x = solve(columns.reshape(-1, columns.shape[-1]).T)
    return np.swapaxes(x.T.reshape(columns.shape), -1, -2)


# ── triangular matrices ───────────────────────────────────────────────────────────────────────────


def triangle_solved(a: Value, b: Value, lower: bool, turned: bool = False, unit: bool = False) -> Any:
    """T⁻¹ B, or T⁻ᵀ B, for b of (…, n, m), T one triangle of A; with `unit` with ones on the diagonal.

    Nothing else of A is read.

    Raises:
        InvalidValue: T is singular.
    """
    if not unit and namespace(a) is np and not a.diagonal(0, -2, -1).all():
        raise InvalidValue("solve_triangular: Singular matrix; expected no zero on the diagonal")
    if (diagonal := _diagonal(a, b)) is not None:
        trtri = _routine("trtri", a.dtype)
        if trtri is not None:
            kept, below = (a, lower) if a.flags.f_contiguous else (np.ascontiguousarray(a).T, not lower)
            inverse = triangle(trtri(kept, lower=below, unitdiag=unit)[0], below, unit)
            inverse = inverse if below == (lower ^ turned) else inverse.T
            inverse *= diagonal
            return inverse
    x = _by_blas("trsm", a, b, lower, turned, unit)
    if x is None:
        x = general(triangle(a, lower, unit, turned), b)
    return x


def triangle_times(
    a: Value, b: Value, out: Value = None, *, lower: bool, turned: bool = False, unit: bool = False, half: bool = False
) -> Any:
    """T B, or Tᵀ B, with such a triangle; with `half` only the lower triangle of the product is asked for."""
    if (diagonal := _diagonal(a, b)) is None:
        y = _by_blas("trmm", a, b, lower, turned, unit)
        if y is None:
            y = np.matmul(triangle(a, lower, unit, turned), b)
    elif half and lower == turned and not unit:
        y = np.diag(np.diagonal(a) * diagonal)
    else:
        y = triangle(a, lower, unit, turned) * diagonal
    if out is None:
        return y
    out[...] = y
    return out


def triangle(a: Value, lower: bool, unit: bool = False, turned: bool = False) -> Any:
    """Such a triangle as a matrix."""
    xp = namespace(a)
    a = (xp.tril if lower else xp.triu)(a)
    if unit:
        a = xp.where(xp.eye(a.shape[-1], dtype=bool), xp.ones((), a.dtype), a)
    return xp.swapaxes(a, -1, -2) if turned else a


def _diagonal(a: Value, b: Value) -> Any:
    """The diagonal of B, if A and B are single large matrices of one type and B has nothing else; or None.

    That of a logarithm of a determinant, by Cholesky's factor, sends such cotangents.
    """
    if type(b) is not np.ndarray or b.ndim != 2 or a.ndim != 2 or len(b) <= _STACKED or b.shape != a.shape:
        return None
    if a.dtype != b.dtype or b[0, 1:].any() or b[-1, :-1].any():
        return None
    diagonal = np.diagonal(b)
    return diagonal if np.count_nonzero(b) == np.count_nonzero(diagonal) else None


def _by_blas(name: str, a: Value, b: Value, lower: bool, turned: bool, unit: bool) -> Any:
    """What BLAS makes of a triangle of A and of B; None where the matrices are small and many, or it is not there."""
    if namespace(a, b) is not np or not a.size or not b.size or (a.ndim > 2 and a.shape[-1] <= _SMALL):
        return None
    dtype = _common(a, b)
    routine = _routine(name, dtype)
    if routine is None:
        return None
    a = a.astype(dtype, copy=False)
    if a.ndim == 2:
        return _by_order(routine, a, b, lower, turned, unit)
    x = np.empty((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), dtype)
    x[...] = b
    for index, there in _matrices(a.shape[:-2], x.shape[:-2]):
        x[there] = _by_order(routine, a[index], x[there], lower, turned, unit)
    return x


def _by_order(routine: Any, a: Value, b: Value, lower: bool, turned: bool, unit: bool) -> Any:
    """BLAS takes a matrix for its transpose in our order of memory: what lies in it so is not copied."""
    if not a.flags.f_contiguous:
        a, lower, turned = np.ascontiguousarray(a).T, not lower, not turned
    left = partial(routine, 1.0, a, lower=lower, trans_a=turned, diag=unit, overwrite_b=True)
    by_rows = b.flags.c_contiguous and not np.swapaxes(b, -1, -2).flags.c_contiguous
    if not by_rows or (b.ndim > 2 and len(a) <= _STACKED):
        return _by_columns(left, b, a.dtype)
    x = empty(b.shape, a.dtype)
    x[...] = b
    right = partial(routine, 1.0, a, lower=lower, trans_a=not turned, diag=unit, overwrite_b=True, side=1)
    for index in np.ndindex(*x.shape[:-2]):  # Xᵀ op(T)ᵀ = Bᵀ
        y = right(x[index].T)
        if not np.may_share_memory(x, y):
            x[index] = y.T
    return x


def general(a: Value, b: Value) -> Any:
    """A⁻¹ B, also where leading axes are broadcast: CuPy's wants them equal."""
    if namespace(a, b) is not np and a.shape[:-2] != b.shape[:-2]:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (np.broadcast_to(x, (*leading, *x.shape[-2:])) for x in (a, b))
    return np.linalg.solve(a, b)
