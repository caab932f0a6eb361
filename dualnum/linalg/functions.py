"""Functions of a matrix: its exponential, its square root."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import to_device
from ..functions import matrices
from ..functions.keywords import with_value
from ..functions.matrices import difference, product, transposed
from ..kinds import Value
from ..operand import Operand, library, primal
from ..primitives.operation import Operation
from .equations import SYLVESTER, each
from .values import scipy_of

__all__ = ["expm", "sqrtm"]

Coefficients = Sequence[Any]

# the coefficients of the Padé approximant of e^x of order 13 (Higham 2005, table 2.3)
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_MANY = 6  # squarings in a trace
_NORM = 4.0  # below 5.37, the largest ‖A‖₁ for which it is right in double precision


def expm(a: Value) -> Any:
    """The exponential Σ Aᵏ/k! of square matrices.

    Scaling and squaring of a Padé approximant in the arithmetic of whatever carries the derivatives; the value is
    SciPy's.

    Args:
        a: (…, n, n), real or complex.

    Returns:
        The matrices of the same shape; of a's type, integers as floats.

    Raises:
        InvalidValue: the matrices are not square.

    On a device the largest norm is looked at, and the value is that of the approximant.

    Source:
        Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix Anal. Appl. 26,
        2005.

    Example:
        >>> t = dn.jet(0.5, 2)
        >>> dn.linalg.expm(t * np.array([[0.0, 1.0], [-1.0, 0.0]])).derivative(1)[0]
        array([-0.47942554,  0.87758256])
    """
    a = matrices.square("expm", a)
    here = library(a) is np
    if here and not isinstance(a, Operand):
        return scipy_of("expm", a)
    numbers = primal(a)
    largest = to_device(np.max(np.sum(np.abs(numbers), axis=-2)), "cpu") if a.size else 0.0
    if isinstance(largest, Operand):  # traced: enough squarings for most, else the function itself runs
        squarings = _MANY
        np.logical_not(largest <= _NORM * 2.0**_MANY)._alarm()
    else:
        squarings = max(0, int(np.ceil(np.log2(largest / _NORM)))) if 0 < largest < np.inf else 0
    x = _pade(a / 2.0**squarings)
    for _ in range(squarings):
        x = x @ x
    return with_value(x, scipy_of("expm", numbers)) if here and not isinstance(numbers, Operand) else x


def _pade(a: Value) -> Any:
    b, eye = _PADE, matrices.identity(a.shape[-1], a, a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    return np.linalg.solve(even - odd, even + odd)


def _root(a: Value) -> Any:
    root = scipy_of("sqrtm", a)
    return root if root.dtype.kind == "c" or a.dtype.kind == "c" else root.astype(a.dtype)


def _root_series(order: int, x0: Value, a: Coefficients) -> list[Any]:
    """X X = A:  X_0 X_k + X_k X_0 = A_k − Σ_{0<j<k} X_j X_{k−j}."""
    x = [x0]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        x.append(each(SYLVESTER, x0, x0, difference(a, k, product(x, x, k, 1, k - 1))))
    return x


def _root_pull(wanted: Sequence[bool], g: Value, x: Value, a: Value) -> list[Any]:
    return [SYLVESTER(transposed(x), transposed(x), g)]


ROOT = Operation("sqrtm", _root, _root_series, _root_pull, True)


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
