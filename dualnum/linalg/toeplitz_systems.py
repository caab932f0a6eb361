"""Systems and products with Toeplitz and circulant matrices, of which only a column and a row are given."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Part
from ..errors import InvalidValue, NonsmoothPoint
from ..functions.keywords import array, with_native
from ..functions.matrices import conjugated, difference, product, transposed
from ..kinds import Value
from ..operand import Operand, highest, library, primal, visible
from ..primitives.operation import Operation
from .structured import toeplitz
from .values import scipy_of

__all__ = ["matmul_toeplitz", "solve_circulant", "solve_toeplitz"]

Coefficients = Sequence[Any]


def _given(name: str, c_or_cr: Any, x: Value) -> tuple[Any, Any, Any]:
    """Column, row and the other factor, whose first axis fits the row."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    x = array(x, c, r)
    c = np.ravel(array(c, x, r))
    r = conjugated(c) if r is None else np.ravel(array(r, c, x))
    if x.ndim not in (1, 2) or x.shape[0] != len(r):
        raise InvalidValue(
            f"{name}: the other factor has shape {tuple(x.shape)}, the row has {len(r)} entries; expected as many rows"
        )
    return c, r, x


# ── products ─────────────────────────────────────────────────────────────────────────────────────


def _product(c: Value, r: Value, x: Value) -> Any:
    """T X by Fourier transforms, with T in a corner of a circulant matrix; leading axes are broadcast."""
    rows, columns = c.shape[-1], r.shape[-1]
    size = rows + columns - 1
    first = np.concatenate([c, r[..., :0:-1]], axis=-1)[..., None]
    if np.iscomplexobj(first) or np.iscomplexobj(x):
        y: Any = np.fft.ifft(np.fft.fft(first, axis=-2) * np.fft.fft(x, n=size, axis=-2), axis=-2)
    else:
        y = np.fft.irfft(np.fft.rfft(first, axis=-2) * np.fft.rfft(x, n=size, axis=-2), n=size, axis=-2)
    return y[..., :rows, :]


def matmul_toeplitz(c_or_cr: Any, x: Value, check_finite: bool = False, workers: int | None = None) -> Any:
    """T X with the Toeplitz matrix T, by fast Fourier transforms: in O(n log n).

    Args:
        c_or_cr: the first column c, (m,), or a tuple of it and the first row r, (n,); without a row it is the
            conjugate of c.
        x: (n,) or (n, k).
        check_finite: whether SciPy looks for NaN and infinities in the value.
        workers: threads that SciPy uses for the value.

    Returns:
        T X, (m,) or (m, k), in the common type of all.

    Raises:
        InvalidValue: x does not fit.

    Source:
        Golub & Van Loan, Matrix Computations, Johns Hopkins 2013, 4.7.7.

    Example:
        >>> dn.linalg.matmul_toeplitz(dn.jet([3.0, 0.5], 1), np.array([1.0, 2.0])).derivative(1)
        array([3., 3.])
    """
    c, r, x = _given("matmul_toeplitz", c_or_cr, x)

    def native(c: Value, r: Value, x: Value) -> Any:
        return scipy_of("matmul_toeplitz", (c, r), x, check_finite, workers)

    if highest((c, r, x)) is None and library(c, r, x) is np:
        return native(c, r, x)
    if not (c.shape[0] and r.shape[0] and x.size):
        return toeplitz(c, r) @ x
    y = _product(c, r, x[:, None])[:, 0] if x.ndim == 1 else _product(c, r, x)
    if not visible(*map(primal, (c, r, x))):
        return y
    return with_native(y, lambda *args: native(*args).astype(y.dtype, copy=False), c, r, x)


# ── systems ──────────────────────────────────────────────────────────────────────────────────────


def _places(n: int) -> Any:
    """Where in the row of its diagonals, from the lower left to the upper right, the entries of a matrix are."""
    return np.arange(n - 1, -1, -1)[:, None] + np.arange(n)


def _levinson(diagonals: Value, b: Value) -> Any:
    """T X = B, for right sides under leading axes as well."""
    n, dtype = b.shape[-2], np.result_type(diagonals, b)
    if not b.size:
        return np.zeros(b.shape, dtype)
    columns = np.moveaxis(b, -2, 0)
    first = diagonals[0]
    try:
        x = scipy_of("solve_toeplitz", (first[n - 1 :: -1], first[n - 1 :]), columns.reshape(n, -1))
    except np.linalg.LinAlgError as error:
        raise InvalidValue(
            f"solve_toeplitz: {error}, where Levinson's recursion ends; use "
            "np.linalg.solve(dn.linalg.toeplitz(c, r), b)"
        ) from None
    return np.moveaxis(x.reshape(columns.shape), 0, -2).astype(dtype, copy=False)


def _levinson_series(order: int, x0: Value, diagonals: Coefficients, b: Coefficients) -> list[Any]:
    """T X = B:  X_k = T_0⁻¹ (B_k − Σ_{j≥1} T_j X_{k−j}), each by a recursion of its own.

    That is O(n²), as the products are. A factorization to be kept would cost O(n³); the inverse by two recursions
    (Gohberg & Semencul 1972) loses more digits.
    """
    x, places = [x0], _places(x0.shape[-2])
    t = [None, *(d[..., 0, :][..., places] for d in diagonals[1:])]
    for k in range(1, order + 1 if len(t) > 1 else len(b)):
        rest = difference(b, k, product(t, x, k, 1))
        x.append(_recursion(diagonals[0], rest))
    return x


def _recursion(diagonals: Value, b: Value) -> Any:
    return b.map(lambda c: LEVINSON(diagonals, c)) if isinstance(b, Part) else LEVINSON(diagonals, b)


def _levinson_pull(wanted: Sequence[bool], g: Value, x: Value, diagonals: Value, b: Value) -> list[Any]:
    """Tᵀ B̄ = X̄ and T̄ = −B̄ Xᵀ, summed along its diagonals."""
    to_b = LEVINSON(diagonals[..., ::-1], g)
    if not wanted[0]:
        return [None, to_b]
    n = x.shape[-2]
    outer = -(to_b @ transposed(x))[..., ::-1, :]
    leading = outer.shape[:-2]
    row = np.reshape(np.concatenate([outer, np.zeros_like(outer)], axis=-1), (*leading, -1))  # each one place further
    rows = np.reshape(row[..., : n * (2 * n - 1)], (*leading, n, 2 * n - 1))
    return [np.sum(rows, axis=-2, keepdims=True), to_b]


# of the row of all diagonals, (1, 2n − 1), and of right sides
LEVINSON = Operation("solve_toeplitz", _levinson, _levinson_series, _levinson_pull)


def solve_toeplitz(c_or_cr: Any, b: Value, check_finite: bool = True) -> Any:
    """The solution of T x = b with the Toeplitz matrix T, by Levinson's recursion: T dx = db − dT x, in O(n²) as well.

    Args:
        c_or_cr: the first column c, (n,), or a tuple of it and the first row r, (n,); without a row it is the
            conjugate of c.
        b: (n,) or (n, k).
        check_finite: whether SciPy looks for NaN and infinities.

    Returns:
        x, of the shape of b and the common type of all.

    Raises:
        InvalidValue: the shapes do not fit, or a leading block of T is singular (of plain arrays the ValueError is
            SciPy's).

    Source:
        Golub & Van Loan, Matrix Computations, Johns Hopkins 2013, 4.7.3.

    Example:
        >>> dn.linalg.solve_toeplitz(dn.jet([2.0, 1.0], 1, direction=[1.0, 0.0]), np.array([3.0, 6.0])).derivative(1)
        array([ 1.,  -2.])
    """
    if highest(c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr,)) is None and highest((b,)) is None:
        return scipy_of("solve_toeplitz", c_or_cr, b, check_finite)
    c, r, b = _given("solve_toeplitz", c_or_cr, b)
    if c.shape != r.shape:
        raise InvalidValue(f"solve_toeplitz: c has {len(c)} entries, r has {len(r)}; expected as many")
    diagonals = np.concatenate([c[::-1], r[1:]])[None]
    return LEVINSON(diagonals, b[:, None])[:, 0] if b.ndim == 1 else LEVINSON(diagonals, b)


def solve_circulant(
    c: Value, b: Value, singular: str = "raise", tol: Any = None, caxis: int = -1, baxis: int = 0, outaxis: int = 0
) -> Any:
    """The solution of C x = b with the circulant matrix C, by fast Fourier transforms: in O(n log n).

    Args:
        c: the first column, (n,), or many of them along an axis.
        b: (n,), or many of them along an axis; the other axes of both are broadcast.
        singular: "raise", or "lstsq" for the shortest x that comes closest.
        tol: eigenvalues up to this size count as zero; None for that of ``np.linalg.matrix_rank``.
        caxis: the axis of c.
        baxis: the axis of b.
        outaxis: the axis of the result along which the solutions lie.

    Returns:
        x, in the common type of both.

    Raises:
        InvalidValue: the lengths differ, singular is another word, or the matrix is nearly singular.
        NonsmoothPoint: with "lstsq" it is nearly singular, and c carries derivatives: the solution jumps.

    Source:
        Golub & Van Loan, Matrix Computations, Johns Hopkins 2013, 4.8.

    Example:
        >>> dn.linalg.solve_circulant(dn.jet([2.0, 1.0], 1, direction=[1.0, 0.0]), np.array([3.0, 6.0])).derivative(1)
        array([ 1., -2.])
    """
    c, b = np.atleast_1d(array(c, b)), np.atleast_1d(array(b, c))
    if singular not in ("raise", "lstsq"):
        raise InvalidValue(f"solve_circulant: singular is {singular!r}; expected 'raise' or 'lstsq'")
    c_, b_ = np.moveaxis(c, caxis, -1), np.moveaxis(b, baxis, -1)
    if c_.shape[-1] != b_.shape[-1]:
        raise InvalidValue(
            f"solve_circulant: c has {c_.shape[-1]} entries along axis {caxis}, b has {b_.shape[-1]} along axis "
            f"{baxis}; expected as many"
        )
    if highest((c, b)) is None and library(c, b) is np:
        return scipy_of("solve_circulant", c, b, singular, tol, caxis, baxis, outaxis)
    if not b.size:
        return np.moveaxis(b_ * np.sum(c_), -1, outaxis)
    values = np.fft.fft(c_, axis=-1)
    sizes = np.abs(primal(values))
    if tol is None:
        tol = np.max(sizes, axis=-1, keepdims=True) * sizes.shape[-1] * np.finfo(np.float64).eps
    zero = sizes <= tol
    if isinstance(zero, Operand):
        some: Any = np.any(zero)
        some._alarm()
    elif np.any(zero):
        _near_singular(singular, c)
        values = np.where(zero, 1.0, values)
    quotients = np.fft.fft(b_, axis=-1) / values
    if not isinstance(zero, Operand) and np.any(zero):
        quotients = np.where(zero, 0.0, quotients)
    x = np.fft.ifft(quotients, axis=-1)
    x = x if np.iscomplexobj(c) or np.iscomplexobj(b) else np.real(x)
    return np.moveaxis(x.astype(np.result_type(c.dtype, b.dtype, np.float32), copy=False), -1, outaxis)


def _near_singular(singular: str, c: Value) -> None:
    if singular == "raise":
        raise InvalidValue(
            "solve_circulant: the matrix is nearly singular, as the Fourier transform of c has zeros; singular='lstsq' "
            "gives the shortest of the x that come closest"
        )
    if isinstance(c, Operand):
        raise NonsmoothPoint(
            "solve_circulant: the matrix is nearly singular, and where c moves its rank may change; give a constant c "
            "(c.value)"
        )
