"""Systems with triangular matrices."""

from typing import Any

from ..errors import InvalidValue
from ..functions.keywords import array
from ..functions.matrices import check_right_side, conjugated, square, triangle_solve
from ..kinds import Value

__all__ = ["solve_triangular", "turned_by"]


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
    a = square("solve_triangular", a)
    b = array(b)
    check_right_side("solve_triangular", a, b)
    a, turned = turned_by("solve_triangular", a, trans)
    x = triangle_solve(a, b[:, None] if b.ndim == 1 else b, lower, turned, unit_diagonal)
    return x[..., 0] if b.ndim == 1 else x


def turned_by(name: str, a: Value, trans: Any) -> tuple[Any, bool]:
    """For trans as SciPy has it: a or its conjugate, and whether it is transposed."""
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise InvalidValue(f"{name}: trans is {trans!r}; expected 0, 1, 2, 'N', 'T' or 'C'")
    return conjugated(a) if trans in (2, "C") else a, trans not in (0, "N")
