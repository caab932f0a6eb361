"""Bases that have no derivative of their own."""

from typing import Any

from ..errors import NotDifferentiable
from ..kinds import Value
from ..operand import highest
from .values import scipy_of

__all__ = ["null_space", "orth"]


def null_space(A: Value, rcond: Any = None) -> Any:
    """An orthonormal basis of the vectors x with A x = 0, of plain arrays: which one it is has no meaning.

    Args:
        A: (m, n), real or complex.
        rcond: singular values below this fraction of the largest count as zero.

    Returns:
        (n, k), of A's type, by SciPy.

    Raises:
        NotDifferentiable: A carries derivatives; the projector on that space has some, 1 − A⁺A.

    Example:
        >>> a = dn.jet([[3.0, 4.0]], 1)
        >>> (np.eye(2) - np.linalg.pinv(a) @ a).derivative(1)  # of the projector
        array([[-0.0384, -0.0112],
               [-0.0112,  0.0384]])
    """
    if highest((A,)) is not None:
        raise NotDifferentiable(
            "null_space: A carries derivatives, and the basis is one of many; use the projector on the space, "
            "np.eye(n) - np.linalg.pinv(A) @ A, or A.value"
        )
    return scipy_of("null_space", A, rcond)


def orth(A: Value, rcond: Any = None) -> Any:
    """An orthonormal basis of the columns of A, of plain arrays: which one it is has no meaning.

    Args:
        A: (m, n), real or complex.
        rcond: singular values below this fraction of the largest count as zero.

    Returns:
        (m, k), of A's type, by SciPy.

    Raises:
        NotDifferentiable: A carries derivatives; the projector on that space has some, A A⁺, and so has Q of
            ``np.linalg.qr`` where the columns are independent.

    Example:
        >>> a = dn.jet([[3.0], [4.0]], 1)
        >>> np.linalg.qr(a)[0].derivative(1)
        array([[-0.032],
               [ 0.024]])
    """
    if highest((A,)) is not None:
        raise NotDifferentiable(
            "orth: A carries derivatives, and the basis is one of many; use np.linalg.qr(A)[0] of independent columns, "
            "the projector A @ np.linalg.pinv(A), or A.value"
        )
    return scipy_of("orth", A, rcond)
