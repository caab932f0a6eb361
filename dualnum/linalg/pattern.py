"""Which entries of a sparse matrix there are, and what is linear in them."""

from collections.abc import Callable
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ..jets.planes import aligned
from ..kinds import Value
from ..operand import Moving, Operand, bilinear, linear

__all__ = ["Pattern", "in_columns", "scipy_sparse", "sparse_entries", "sparse_matmul", "sparse_toarray"]


def scipy_sparse(name: str) -> Any:
    """SciPy's module of sparse matrices, for the function of this name."""
    try:
        import scipy.sparse
        import scipy.sparse.linalg
    except ImportError:
        raise ImportError(f"{name} needs SciPy, which is not installed; pip install scipy") from None
    return scipy.sparse


class Pattern:
    """Which entries of a matrix there are, row after row, and in each row from the left."""

    def __init__(self, shape: tuple[int, int], rows: Any, cols: Any) -> None:
        self.shape = shape
        self.rows = rows
        self.cols = cols
        self.indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]).astype(cols.dtype)
        for x in (self.rows, self.cols, self.indptr):
            x.setflags(write=False)

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Pattern):
            return self is other
        alike = self.shape == other.shape and len(self.cols) == len(other.cols)
        return alike and np.array_equal(self.cols, other.cols) and np.array_equal(self.indptr, other.indptr)

    @cached_property
    def _hash(self) -> int:
        return hash((self.shape, self.cols.tobytes(), self.indptr.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def by_columns(self) -> Any:
        """The numbers of the entries, column after column, as SciPy's matrix."""
        return self.matrix(np.arange(len(self.cols))).tocsc()

    def matrix(self, data: Value) -> Any:
        """SciPy's matrix of plain data."""
        return scipy_sparse("csr_array").csr_array((data, self.cols, self.indptr), shape=self.shape)


def sparse_matmul(pattern: Pattern, data: Value, x: Value, transposed: bool = False) -> Any:
    """A X, or Aᵀ X, for data of shape (…, 1, nnz) and X of shape (…, n, m), their leading axes broadcast."""
    if not (isinstance(data, Operand) or isinstance(x, Operand)):
        return _plain_product(pattern, data, x, transposed)

    def matmul(data: Value, x: Value) -> Any:
        return sparse_matmul(pattern, data, x, transposed)

    def into(out: Value, y: Value) -> Any:
        if out is None:
            return y
        out[...] = y
        return out

    of_planes = (
        lambda planes, x, out=None: into(out, matmul(aligned(planes, x.ndim), x)),
        lambda data, planes, out=None: into(out, matmul(data, aligned(planes, data.ndim))),
    )
    to, of = (pattern.cols, pattern.rows) if transposed else (pattern.rows, pattern.cols)
    adjoints = (
        lambda g, x: np.sum(g[..., to, :] * x[..., of, :], axis=-1)[..., None, :],
        lambda g, data: sparse_matmul(pattern, data, g, not transposed),
    )
    return bilinear(matmul, data, x, adjoints, of_planes)


def _plain_product(pattern: Pattern, data: Value, x: Value, transposed: bool) -> Any:
    """The same of arrays: one product for all matrices X that meet one A."""
    leading = np.broadcast_shapes(data.shape[:-2], x.shape[:-2])
    data, x = (a.reshape((1,) * (len(leading) + 2 - a.ndim) + a.shape) for a in (data, x))
    if data.size == data.shape[-1]:
        matrix = pattern.matrix(data.reshape(-1))
        return in_columns(lambda columns: (matrix.T if transposed else matrix) @ columns, x)
    if not prod(leading):  # along no directions
        m = pattern.shape[1 if transposed else 0]
        return np.zeros((*leading, m, x.shape[-1]), np.result_type(data, x))
    every = ([a[0 if len(a) == 1 else i] for a in (data, x)] for i in range(leading[0]))
    return np.stack([_plain_product(pattern, a, b, transposed) for a, b in every])


def in_columns(function: Callable[[Any], Any], x: Value) -> Any:
    """A function of the columns of a matrix, on those of all matrices x at once."""
    if x.ndim == 2:
        return function(x)
    columns = np.moveaxis(x, -2, 0)
    y = function(columns.reshape(len(columns), prod(columns.shape[1:])))
    return np.moveaxis(y.reshape(len(y), *columns.shape[1:]), 0, -2)


def sparse_entries(order: Any, starts: Any, place: Any, data: Value) -> Any:
    """The given entries in order, and those of one place summed."""
    if isinstance(data, Operand):

        def collect(data: Value) -> Any:
            return sparse_entries(order, starts, place, data)

        return linear(collect, data, adjoint=Moving(lambda g: g[..., place], omits=False), stacked=collect)
    data = data[..., order]
    return data if starts is None else np.add.reduceat(data, starts, axis=-1)


def sparse_toarray(pattern: Pattern, data: Value) -> Any:
    """The whole matrix, of data of shape (…, 1, nnz)."""
    if isinstance(data, Operand):

        def whole(data: Value) -> Any:
            return sparse_toarray(pattern, data)

        to_data = Moving(lambda g: g[..., None, pattern.rows, pattern.cols])
        return linear(whole, data, adjoint=to_data, stacked=whole)
    y = np.zeros((*data.shape[:-2], *pattern.shape), data.dtype)
    y[..., pattern.rows, pattern.cols] = data[..., 0, :]
    return y
