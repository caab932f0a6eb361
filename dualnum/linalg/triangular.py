"""Systems with triangular matrices and with factors that are at hand."""

from typing import Any

import numpy as np

from ..errors import InvalidValue, ours
from ..functions import matrices
from ..functions.keywords import array
from ..functions.matrices import conjugated
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
        InvalidValue: a is not square, trans is another word; b does not fit; a is singular.

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
    b = array(b)
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise InvalidValue(
            f"solve_triangular: a has shape {tuple(a.shape)}, b has shape {tuple(b.shape)}; expected (…, n, n) with "
            "(n,) or (…, n, m)"
        )
    if trans in (2, "C"):
        a = conjugated(a)
    turned = trans not in (0, "N")
    try:
        x = matrices.triangle_solve(a, b[:, None] if b.ndim == 1 else b, lower, turned, unit_diagonal)
    except np.linalg.LinAlgError as error:
        raise ours(error, "solve_triangular") from None
    return x[..., 0] if b.ndim == 1 else x


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
