"""Powers and the logarithm of a matrix."""

from collections.abc import Sequence
from typing import Any

from ..functions import matrices
from ..functions.matrices import difference, product
from ..kinds import Value
from .equations import SYLVESTER, solved_for
from .functions import matrix_function
from .schur import Factors, factors_of
from .values import scipy_of

__all__ = ["sqrtm"]

Coefficients = Sequence[Any]


def _root(a: Value) -> Any:
    root = scipy_of("sqrtm", a)
    return root if root.dtype.kind == "c" or a.dtype.kind == "c" else root.astype(a.dtype)


def _root_series(order: int, x0: Value, a: Coefficients) -> list[Any]:
    """X X = A:  X_0 X_k + X_k X_0 = A_k − Σ_{0<j<k} X_j X_{k−j}."""
    x, factors = [x0], factors_of(Factors, x0, x0)
    for k in range(1, order + 1):
        x.append(solved_for(SYLVESTER, factors, x0, x0, difference(a, k, product(x, x, k, 1, k - 1))))
    return x


ROOT = matrix_function("sqrtm", _root, _root_series, True)


def sqrtm(a: Value) -> Any:
    """The principal square root X of a matrix A without eigenvalues on the negative axis: X X = A, X dX + dX X = dA.

    Args:
        a: (n, n), real or complex. At a singular matrix there is no derivative, and what comes out is not to be used.

    Returns:
        X, of the same shape; of a's type, or complex where the root of a real matrix is.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 6.

    Example:
        >>> a = dn.jet([[4.0, 0.0], [0.0, 9.0]], 1)
        >>> dn.linalg.sqrtm(a).derivative(1)
        array([[0.25      , 0.2       ],
               [0.2       , 0.16666667]])
    """
    return ROOT(matrices.square("sqrtm", a))
