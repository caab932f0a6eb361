"""Systems with triangular matrices and with factors that are at hand."""

from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..functions import matrices
from ..functions.keywords import array
from ..functions.matrices import adjoint, transposed
from ..kinds import Value

__all__ = ["cho_solve", "solve_triangular"]


def solve_triangular(a: Value, b: Value, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution of a x = b, of which one triangle is read: dx = a⁻¹ (db − da x).

    Args:
        a: (…, n, n), real or complex.
        b: (n,) or (…, n, m).
        trans: 0 or "N" for a x = b, 1 or "T" for aᵀ x = b, 2 or "C" for aᴴ x = b.
        lower: which triangle.
        unit_diagonal: the diagonal is taken to be 1, and not read.

    Returns:
        x, of the shape of b and the common type of both.

    Raises:
        InvalidValue: a is not square, trans is another word; b does not fit or a is singular (of plain arrays the
            ValueError is NumPy's).

    Source:
        Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
        Advances in Automatic Differentiation, Springer 2008.

    Example:
        >>> a = dn.jet([[2.0, 9.0], [1.0, 4.0]], 1)
        >>> dn.linalg.solve_triangular(a, np.array([2.0, 5.0]), lower=True).derivative(1)
        array([-0.5  , -0.375])
    """
    a = matrices.square("solve_triangular", a)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise InvalidValue(f"solve_triangular: trans is {trans!r}; expected 0, 1, 2, 'N', 'T' or 'C'")
    a = np.tril(a) if lower else np.triu(a)
    if unit_diagonal:
        a = np.where(matrices.identity(a.shape[-1], a), 1.0, a)
    a = transposed(a) if trans in (1, "T") else adjoint(a) if trans in (2, "C") else a
    return matrices.solve(a, b)


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
    c = array(c)
    first, second = (c, adjoint(c)) if lower else (adjoint(c), c)
    return solve_triangular(second, solve_triangular(first, b, lower=True))
