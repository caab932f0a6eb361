"""Sparse systems: one factorization of the matrix at the value serves all orders, and the sweep back."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Part, graded_product
from ..errors import InvalidMatrix, InvalidType, InvalidValue, not_on_device
from ..functions.keywords import array
from ..functions.matrices import difference, product
from ..kinds import Value
from ..operand import library, primal, promoted, visible
from ..primitives.operation import Operation
from .pattern import Pattern, in_columns, scipy_sparse, sparse_matmul
from .sparse import csr_array

__all__ = ["splu", "spsolve"]

Coefficients = Sequence[Any]


class _Factors:
    """The factors of a matrix with this pattern, for the data that it had the last time.

    Whoever solves with the same numbers again, at another order, in the sweep back, or in the second half of a compiled
    gradient, finds them here; a comparison of the data costs nothing beside a solution. Threads that solve with other
    numbers take the place of each other's factors, and each goes on with its own.
    """

    def __init__(self, name: str, pattern: Pattern, options: dict[str, Any]) -> None:
        self.name = name
        self.pattern = pattern
        self.options = options
        self._last: tuple[Any, Any] | None = None

    def of(self, data: Value) -> Any:
        """SciPy's SuperLU of plain data."""
        last = self._last
        if last is None or last[0].dtype != data.dtype or last[0].tobytes() != data.tobytes():
            last = self._last = data.copy(), self._factored(data)
        return last[1]

    def _factored(self, data: Value) -> Any:
        sparse, columns = scipy_sparse(self.name), self.pattern.by_columns
        matrix = sparse.csc_array((data[columns.data], columns.indices, columns.indptr), shape=columns.shape)
        try:
            return sparse.linalg.splu(matrix, **self.options)
        except RuntimeError as error:
            if not np.all(np.isfinite(data)):
                raise InvalidMatrix(f"{self.name}: A has entries that are infinite or NaN") from None
            n = self.pattern.shape[0]
            raise InvalidMatrix(
                f"{self.name}: the {n} × {n} matrix A is singular at its value ({error}); a structure that is not held "
                "fast, or an equation without an entry, leaves it so"
            ) from None


def _solved(factors: _Factors, data: Value, b: Value, transposed: bool) -> Any:
    """A⁻¹ B, or A⁻ᵀ B, of plain arrays, in their common type."""
    if library(data, b) is not np:
        raise not_on_device(factors.name, "the factors of sparse matrices are SciPy's")
    dtype = np.result_type(data, b)
    if not b.size:
        return np.zeros(b.shape, dtype)
    real = data.dtype.kind != "c"
    own = np.empty(0, dtype).real.dtype if real else dtype
    lu = factors.of(data[0].astype(own, copy=False))
    trans = "T" if transposed else "N"

    def solve(columns: Value) -> Any:
        if real and columns.dtype.kind == "c":
            parts = lu.solve(np.concatenate([columns.real, columns.imag], axis=1).astype(own, copy=False), trans)
            return parts[:, : columns.shape[1]] + 1j * parts[:, columns.shape[1] :]
        return lu.solve(columns.astype(own, copy=False), trans)

    return in_columns(solve, b)


def _system(factors: _Factors, transposed: bool = False) -> Operation:
    """The solution X of A X = B, or Aᵀ X = B, by the data (1, nnz) of A and by B (…, n, m).

    Made where it is needed: operations that knew each other would keep the factors alive until the collector comes.
    """
    pattern = factors.pattern

    def value(data: Value, b: Value) -> Any:
        return _solved(factors, data, b, transposed)

    def expand(order: int, x0: Value, a: Coefficients, b: Coefficients) -> list[Any]:
        """A X = B:  X_k = A_0⁻¹ (B_k − Σ_{j≥1} A_j X_{k−j})."""
        solve, x = _system(factors, transposed), [x0]

        def times(a: Value, x: Value) -> Any:
            return graded_product(lambda data, x: sparse_matmul(pattern, data, x, transposed), a, x)

        for k in range(1, order + 1 if len(a) > 1 else len(b)):
            right = difference(b, k, product(a, x, k, 1, times=times))
            x.append(right.map(lambda c: solve(a[0], c)) if isinstance(right, Part) else solve(a[0], right))
        return x

    def pull(wanted: Sequence[bool], g: Value, x: Value, data: Value, b: Value) -> tuple[Any, Any]:
        """B̄ = A⁻ᵀ X̄,  Ā = −B̄ Xᵀ where A has entries, and nowhere else."""
        to_b = _system(factors, not transposed)(data, g)
        if not wanted[0]:
            return None, to_b
        rows, cols = (pattern.cols, pattern.rows) if transposed else (pattern.rows, pattern.cols)
        return -np.sum(to_b[..., rows, :] * x[..., cols, :], axis=-1)[..., None, :], to_b

    return Operation(factors.name, value, expand, pull)


class splu:
    """The LU factors of a sparse matrix, kept for many right-hand sides: A x = b, dx = A⁻¹ (db − dA x).

    SciPy's SuperLU factors the matrix once, at its value. All orders of derivatives solve with these factors, and the
    sweep back with their transpose; the derivatives by the data of A are −λ_i x_j at its entries alone. In a function
    that is compiled the numbers are known only when it runs: it keeps the factors of its last call, and makes new ones
    where the numbers have changed.

    Args:
        A: a square `csr_array`, or a matrix of SciPy in any format. In single precision the factors are so, too.
        options: as `scipy.sparse.linalg.splu` takes them (``permc_spec``, ``diag_pivot_thresh``, …).

    Raises:
        InvalidMatrix: A is not square, is singular, or has entries that are infinite or NaN.
        InvalidType: A is dense.
        ImportError: SciPy is not installed.

    Source:
        Demmel, Eisenstat, Gilbert, Li & Liu, "A supernodal approach to sparse partial pivoting", SIAM J. Matrix Anal.
        Appl. 20, 1999, for the factors; Griewank & Walther, Evaluating Derivatives, 13.3, for the series.

    Example:
        >>> t = dn.jet(2.0, 2)
        >>> factors = dn.linalg.splu(dn.linalg.csr_array((np.stack([t, 1 + 0 * t, t]), ([0, 0, 1], [0, 1, 1]))))
        >>> factors.solve(np.array([3.0, 4.0])).coeffs  # 3/t − 4/t², 4/t
        array([[ 0.5  ,  2.   ],
               [ 0.25 , -1.   ],
               [-0.375,  0.5  ]])
    """

    def __init__(self, A: Any, **options: Any) -> None:
        self._set("splu", A, options)

    def _set(self, name: str, A: Any, options: dict[str, Any]) -> "splu":
        if not (isinstance(A, csr_array) or callable(getattr(A, "tocoo", None))):
            raise InvalidType(
                f"{name}: A is a {type(A).__name__}; expected dn.linalg.csr_array or a sparse matrix of SciPy "
                "(np.linalg.solve is for dense ones)"
            )
        A = csr_array(A) if not isinstance(A, csr_array) else A
        if A.shape[0] != A.shape[1]:
            raise InvalidMatrix(f"{name}: A has shape {A.shape}; expected a square matrix")
        self._data = A.data[None, :]
        self._factors = _Factors(name, A._pattern, options)
        value = primal(A.data)
        if visible(value) and A.shape[0]:
            self._factors.of(value)
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return self._factors.pattern.shape

    def solve(self, b: Value, trans: str = "N") -> Any:
        """The solution x of A x = b.

        Args:
            b: (n,) or (n, m), dense.
            trans: "N" for A x = b, "T" for Aᵀ x = b, "H" for Aᴴ x = b.

        Returns:
            x, of the shape of b and the common type of both.

        Raises:
            InvalidValue: b does not fit, or trans is another word.
            InvalidType: b is sparse.
        """
        name, n = self._factors.name, self.shape[0]
        if trans not in ("N", "T", "H"):
            raise InvalidValue(f"{name}: trans is {trans!r}; expected 'N', 'T' or 'H'")
        if isinstance(b, csr_array) or callable(getattr(b, "tocoo", None)):
            raise InvalidType(f"{name}: b is a sparse matrix; expected a dense one, b.toarray()")
        b = array(b)
        b = promoted(b) if b.dtype.kind not in "fc" else b
        if b.ndim not in (1, 2) or b.shape[0] != n:
            raise InvalidValue(f"{name}: b has shape {tuple(b.shape)}; expected ({n},) or ({n}, m)")
        columns = b[:, None] if b.ndim == 1 else b
        columns = np.conjugate(columns) if trans == "H" else columns
        x = _system(self._factors, trans != "N")(self._data, columns)
        x = np.conjugate(x) if trans == "H" else x
        return x[:, 0] if b.ndim == 1 else x


def spsolve(A: Any, b: Value, permc_spec: str | None = None) -> Any:
    """The solution x of A x = b with a sparse matrix: dx = A⁻¹ (db − dA x), by one factorization (`splu`).

    Args:
        A: a square `csr_array`, which may carry derivatives, or a matrix of SciPy in any format.
        b: (n,) or (n, m), dense.
        permc_spec: in which order columns are eliminated, as for SciPy.

    Returns:
        x, of the shape of b (also one column stays a column) and the common type of both.

    Raises:
        InvalidMatrix: A is not square, is singular, or has entries that are infinite or NaN.
        InvalidValue: b does not fit.
        InvalidType: A is dense, or b sparse.
        ImportError: SciPy is not installed.

    Source:
        As for `splu`.

    Example:
        >>> k = dn.jet([2.0, 4.0], 1)  # two springs in a row, each of which becomes stiffer, with a load at the end
        >>> a = dn.linalg.csr_array((np.stack([k[0], k[1], -k[1], -k[1], k[1]]), ([0, 0, 0, 1, 1], [0, 0, 1, 0, 1])))
        >>> dn.linalg.spsolve(a, np.array([0.0, 1.0])).coeffs  # 1/k_0, 1/k_0 + 1/k_1
        array([[ 0.5   ,  0.75  ],
               [-0.25  , -0.3125]])
    """
    options = {} if permc_spec is None else {"permc_spec": permc_spec}
    return object.__new__(splu)._set("spsolve", A, options).solve(b)
