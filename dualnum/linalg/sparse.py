"""Sparse matrices whose entries carry derivatives: where they stand is fixed, and no zero is ever written down.

A matrix of SciPy holds a plain array and turns whatever it is given into one. `csr_array` has SciPy's name, arguments
and attributes; its data may be an array, a jet, a variable or a trace.
"""

from typing import Any

import numpy as np
import optree

from ..errors import InvalidType, InvalidValue, not_on_device
from ..functions.keywords import array
from ..kinds import DType, Value
from ..operand import Operand, library, primal, promoted, visible
from .pattern import Pattern, scipy_sparse, sparse_entries, sparse_matmul, sparse_toarray

__all__ = ["csr_array"]


class csr_array:
    """A sparse matrix with derivatives in its data: A = Σ_e data_e e_{row(e)} e_{col(e)}ᵀ, at places that are fixed.

    It takes the place of `scipy.sparse.csr_array`, which would turn its data into a plain array:

    - ``csr_array((data, (row, col)), shape=(m, n))``: entries in any order; those of one place are summed, as the
      parts of finite elements are;
    - ``csr_array((data, indices, indptr), shape=(m, n))``: the same, row after row;
    - ``csr_array(A)``: the matrix or array A of SciPy, in any format, as a constant.

    There are ``A @ x`` and ``x @ A`` for dense vectors and matrices, ``A @ B`` and ``A + B`` for sparse ones (of
    SciPy as well), and ``A * x``, ``A / x`` for numbers and what broadcasts to the shape of A. It is a container of
    its data: a transform by an argument that is a sparse matrix gives another one, with the derivatives by its entries.

    Args:
        arg: as above; data of shape (nnz,), rows and columns integers.
        shape: (m, n); where it is left out, just large enough for the entries.

    Raises:
        InvalidValue: data, rows and columns are not of one length, or a place is outside of the shape.
        InvalidType: arg is none of the three (a dense array has no pattern), or data are not of single or double
            precision.
        NotOnDevice: the data are on a device.
        ImportError: SciPy is not installed.

    Source:
        Duff, Erisman & Reid, Direct Methods for Sparse Matrices, 2nd ed., Oxford 2017, chapter 2.

    Example:
        >>> k = dn.jet([2.0, 3.0], 1)  # the stiffness of two springs in a row
        >>> a = dn.linalg.csr_array((np.stack([k[0], k[1], -k[1], -k[1], k[1]]), ([0, 0, 0, 1, 1], [0, 0, 1, 0, 1])))
        >>> a
        csr_array(2 × 2, 4 entries, order 1)
        >>> (a @ np.array([1.0, 4.0])).coeffs
        array([[-7.,  9.],
               [-2.,  3.]])
    """

    __slots__ = ("_pattern", "data")
    __array_ufunc__ = None  # so that NumPy's operators leave it to this class

    _pattern: Pattern
    data: Any

    def __init__(self, arg: Any, shape: tuple[int, int] | None = None) -> None:
        if isinstance(arg, csr_array):
            self._pattern, self.data = arg._pattern, arg.data
            return
        if isinstance(arg, tuple) and len(arg) in (2, 3):
            data = _numbers(arg[0])
            rows, cols, shape = _places(arg[1:], data.shape[0], shape)
        elif callable(getattr(arg, "tocoo", None)) and getattr(arg, "ndim", 0) == 2:
            arg = arg.tocoo()
            data, rows, cols, shape = _numbers(arg.data), arg.row, arg.col, arg.shape
        else:
            raise InvalidType(
                f"csr_array: given a {type(arg).__name__}; expected (data, (row, col)), (data, indices, indptr) or a "
                "sparse matrix of SciPy with two axes: derivatives need to know which entries there are"
            )
        order = np.lexsort((cols, rows))
        rows, cols = rows[order], cols[order]
        first = np.ones(len(rows), bool)
        first[1:] = (rows[1:] != rows[:-1]) | (cols[1:] != cols[:-1])
        starts = None if first.all() else np.flatnonzero(first)
        if starts is not None:
            rows, cols = rows[starts], cols[starts]
        place = np.empty(len(order), np.intp)
        place[order] = np.cumsum(first) - 1
        self._pattern = Pattern(shape, rows, cols)
        self.data = sparse_entries(order, starts, place, data)

    @classmethod
    def _of(cls, pattern: Pattern, data: Value) -> "csr_array":
        """The matrix of these data, one for each place of the pattern."""
        new = object.__new__(cls)
        new._pattern = pattern
        new.data = data
        return new

    # ── what it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return self._pattern.shape

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def nnz(self) -> int:
        """How many entries there are."""
        return len(self._pattern.cols)

    @property
    def dtype(self) -> DType:
        """The type of the data."""
        return self.data.dtype

    @property
    def indices(self) -> Any:
        """The column of each entry."""
        return self._pattern.cols

    @property
    def indptr(self) -> Any:
        """Where each row begins among the entries, and where the last one ends."""
        return self._pattern.indptr

    @property
    def T(self) -> "csr_array":
        """The transpose."""
        pattern = self._pattern
        return csr_array((self.data, (pattern.cols, pattern.rows)), shape=pattern.shape[::-1])

    @property
    def value(self) -> Any:
        """The matrix without any derivatives, SciPy's."""
        data = primal(self.data)
        if not visible(data):
            raise InvalidType("csr_array: the numbers of a traced matrix are not known; use what it is made of")
        return self._pattern.matrix(data.copy())

    def toarray(self) -> Any:
        """The whole matrix, with its derivatives.

        Returns:
            (m, n).
        """
        return sparse_toarray(self._pattern, self.data[None, :])

    def __repr__(self) -> str:
        more = f", {self.data.algebra}" if getattr(self.data, "algebra", None) is not None else ""
        return f"csr_array({self.shape[0]} × {self.shape[1]}, {self.nnz} entries{more})"

    # ── products ─────────────────────────────────────────────────────────────────────────────────

    def __matmul__(self, other: Value) -> Any:
        if _is_sparse(other):
            return _sparse_product(self, csr_array(other))
        return self._times(other, False)

    def __rmatmul__(self, other: Value) -> Any:
        if _is_sparse(other):
            return _sparse_product(csr_array(other), self)
        return np.transpose(self._times(np.transpose(_on_host(other)), True))

    def _times(self, x: Value, transposed: bool) -> Any:
        x, n = _on_host(x), self.shape[0 if transposed else 1]
        if x.ndim not in (1, 2) or x.shape[0] != n:
            what = "x @ A: x has shape " if transposed else "A @ x: x has shape "
            expected = f"(…, {n})" if transposed else f"({n},) or ({n}, m)"
            raise InvalidValue(f"{what}{tuple(x.shape[::-1] if transposed else x.shape)}; expected {expected}")
        y = sparse_matmul(self._pattern, self.data[None, :], x[:, None] if x.ndim == 1 else x, transposed)
        return y[:, 0] if x.ndim == 1 else y

    def __mul__(self, other: Value) -> "csr_array":
        return csr_array._of(self._pattern, self.data * self._at_entries(other, "A * x"))

    __rmul__ = __mul__

    def __truediv__(self, other: Value) -> "csr_array":
        return csr_array._of(self._pattern, self.data / self._at_entries(other, "A / x"))

    def _at_entries(self, x: Value, what: str) -> Any:
        """x, broadcast to the shape, at the entries."""
        if _is_sparse(x):
            raise InvalidType(f"{what}: x is a sparse matrix; expected a number or a dense array")
        x = _on_host(x)
        shape = (1,) * (2 - x.ndim) + tuple(x.shape)
        if len(shape) > 2 or any(a not in (1, n) for a, n in zip(shape, self.shape, strict=True)):
            raise InvalidValue(f"{what}: x has shape {tuple(x.shape)}, which does not broadcast to {self.shape}")
        index = zip(shape[2 - x.ndim :], (self._pattern.rows, self._pattern.cols)[2 - x.ndim :], strict=True)
        return x[tuple([0 if length == 1 else places for length, places in index])]

    # ── sums ─────────────────────────────────────────────────────────────────────────────────────

    def __neg__(self) -> "csr_array":
        return csr_array._of(self._pattern, -self.data)

    def __add__(self, other: Value) -> "csr_array":
        if type(other) is int and other == 0:  # with which sum() begins
            return self
        if not _is_sparse(other):
            raise InvalidType(
                f"A + x: x is a {type(other).__name__}; expected a sparse matrix (A.toarray() + x is the dense sum)"
            )
        a, b = self, csr_array(other)
        if a.shape != b.shape:
            raise InvalidValue(f"A + B: sparse matrices of shapes {a.shape} and {b.shape}; expected the same")
        if a._pattern == b._pattern:
            return csr_array._of(a._pattern, a.data + b.data)
        rows, cols = (np.concatenate([getattr(x._pattern, which) for x in (a, b)]) for which in ("rows", "cols"))
        return csr_array((np.concatenate([a.data, b.data]), (rows, cols)), shape=a.shape)

    __radd__ = __add__

    def __sub__(self, other: Value) -> "csr_array":
        return self.__add__(-other)

    def __rsub__(self, other: Value) -> "csr_array":
        return (-self).__add__(other)


def _is_sparse(x: Value) -> bool:
    return isinstance(x, csr_array) or callable(getattr(x, "tocoo", None))


def _on_host(x: Value) -> Any:
    if library(x) is not np:
        raise not_on_device("csr_array", "CuPy's sparse matrices are others, and carry no derivatives")
    return array(x)


def _numbers(data: Value) -> Any:
    """Data in single or double precision, on the host."""
    data = _on_host(data)
    data = promoted(data) if isinstance(data, Operand) else data
    data = data.astype(np.float64) if data.dtype.kind in "biu" else data
    if data.dtype.char not in "fdFD":
        raise InvalidType(f"csr_array: data have dtype {data.dtype}; expected single or double precision")
    if data.ndim != 1:
        raise InvalidValue(f"csr_array: data have shape {tuple(data.shape)}; expected (nnz,), one for each entry")
    return data


def _places(given: tuple[Any, ...], count: int, shape: tuple[int, int] | None) -> tuple[Any, Any, tuple[int, int]]:
    """Rows, columns and shape from what SciPy's constructors take, by SciPy's own checks."""
    sparse = scipy_sparse("csr_array")
    indices = [np.asarray(x) for x in (given[0] if len(given) == 1 else given)]
    for x in indices:
        if x.dtype.kind not in "iu" and x.size:
            raise InvalidType(f"csr_array: places have dtype {x.dtype}; expected integers")
    try:
        if len(given) == 1:
            made = sparse.coo_array((np.ones(count), tuple(indices)), shape=shape)
        else:
            made = sparse.csr_array((np.ones(count), *indices), shape=shape)
            made.check_format(full_check=True)
            made = made.tocoo()
    except (ValueError, TypeError) as error:
        raise InvalidValue(f"csr_array: {error}") from None
    if made.nnz != count or made.ndim != 2:
        raise InvalidValue(f"csr_array: {count} data for {made.nnz} places in {made.ndim} axes; expected one for each")
    m, n = made.shape
    return made.row, made.col, (int(m), int(n))


def _sparse_product(a: csr_array, b: csr_array) -> csr_array:
    """A B, from all pairs of entries that meet."""
    if a.shape[1] != b.shape[0]:
        raise InvalidValue(f"A @ B: sparse matrices of shapes {a.shape} and {b.shape}; expected (m, n) and (n, k)")
    counts = np.diff(b.indptr)[a.indices]  # how many entries of b each of a meets: those of one row
    left = np.repeat(np.arange(a.nnz), counts)
    within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    right = b.indptr[a.indices][left] + within
    rows, cols = a._pattern.rows[left], b.indices[right]
    return csr_array((a.data[left] * b.data[right], (rows, cols)), shape=(a.shape[0], b.shape[1]))


_as_container: Any = optree.register_pytree_node
_as_container(
    csr_array,
    lambda a: ((a.data,), a._pattern),
    lambda pattern, data: csr_array._of(pattern, *data),
    namespace=optree.registry.__GLOBAL_NAMESPACE,
)
