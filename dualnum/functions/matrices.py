"""What the rules of linear algebra share: products of series of matrices, adjoints, and systems with one matrix."""

from collections.abc import Callable, Sequence
from operator import matmul
from typing import Any

import numpy as np

from .. import series
from ..algebra import Part
from ..backend import namespace
from ..errors import InvalidMatrix
from ..kinds import DType, Value
from ..operand import Operand, library
from .keywords import array

__all__ = [
    "adjoint", "conjugated", "difference", "from_triangle", "identity", "product", "solve", "solver", "square",
    "transposed",
]  # fmt: skip

Coefficients = Sequence[Any]


def transposed(x: Value) -> Any:
    return np.swapaxes(x, -1, -2)


def conjugated(x: Value) -> Any:
    """x̄, of real matrices themselves. Cotangents here are without conjugation, those of the literature with it."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x: Value) -> Any:
    return conjugated(transposed(x))


def product(
    a: Coefficients,
    b: Coefficients,
    k: int,
    first: int = 0,
    last: int | None = None,
    times: Callable[[Any, Any], Any] = matmul,
) -> Any:
    """Σ a_j b_{k−j} for first ≤ j ≤ last; the structural zero where there are no coefficients."""
    last = k if last is None else last
    return series.total(times(a[j], b[k - j]) for j in range(max(first, k + 1 - len(b)), min(last + 1, len(a))))


def square(name: str, a: Value) -> Any:
    a = array(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise InvalidMatrix(f"{name}: a has shape {tuple(a.shape)}; expected square matrices, (…, n, n)")
    return a


def difference(b: Coefficients, k: int, s: Value) -> Any:
    """b_k − s, either of which may be the structural zero."""
    return series.coefficient(b, k) if type(s) is int else series.less(b, k, s)


def identity(n: int, like: Value, dtype: DType = bool) -> Any:
    """The n × n identity, where another matrix is."""
    return library(like).eye(n, dtype=dtype)


def solve(a: Value, b: Value) -> Any:
    """A⁻¹ B, also where leading axes are broadcast: CuPy's wants them equal."""
    if library(a, b) is not np and a.shape[:-2] != b.shape[:-2]:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (np.broadcast_to(x, (*leading, *x.shape[-2:])) for x in (a, b))
    return np.linalg.solve(a, b)


def solver(a: Value, lower: bool = False) -> Callable[[Any], Any]:
    """B ↦ A⁻¹ B; the factors of one plain matrix are kept, and the columns of all B solved for at once.

    With `lower` A is lower triangular, and needs no factors. On a device it is a product with the inverse, made once:
    CuPy waits for the factors.
    """
    if namespace(a) is not np:
        inverse = np.linalg.inv(a)
        return lambda b: np.matmul(inverse, b)
    if type(a) is not np.ndarray or a.ndim > 2 or not a.size:
        return lambda b: np.linalg.solve(a, b)
    try:
        from scipy.linalg import lu_factor, lu_solve, solve_triangular
    except ImportError:
        return lambda b: np.linalg.solve(a, b)
    factors = None if lower else lu_factor(a, check_finite=False)

    def solve(b: Value) -> Any:
        if isinstance(b, Part):
            return b.map(solve)
        if isinstance(b, Operand):  # of a lower level, which has factors of its own
            return np.linalg.solve(a, b)
        columns = np.moveaxis(b, -2, 0)
        flat = columns.reshape(len(a), -1)
        if factors is None:
            x = solve_triangular(a, flat, lower=True, check_finite=False)
        else:
            x = lu_solve(factors, flat, check_finite=False)
        return np.moveaxis(x.reshape(columns.shape), 0, -2)

    return solve


def from_triangle(a: Value, lower: bool = True) -> Any:
    """The Hermitian matrix of which one triangle is read."""
    below = np.tril(a, -1) if lower else adjoint(np.triu(a, 1))
    return below + adjoint(below) + np.where(identity(a.shape[-1], a), np.real(a), 0.0)
