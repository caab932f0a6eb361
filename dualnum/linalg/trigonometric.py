"""Cosines, sines and tangents of a matrix, circular and hyperbolic: sums of exponentials, as SciPy computes them."""

from typing import Any

import numpy as np

from ..functions import matrices
from ..kinds import Value
from ..operand import Operand
from .functions import expm
from .values import scipy_of_each

__all__ = ["coshm", "cosm", "sinhm", "sinm", "tanhm", "tanm"]


def _cosine_and_sine(a: Value) -> tuple[Any, Any]:
    if a.dtype.kind != "c":
        turned = expm(1j * a)
        return np.real(turned), np.imag(turned)
    ahead, back = expm(1j * a), expm(-1j * a)
    return 0.5 * (ahead + back), -0.5j * (ahead - back)


def cosm(A: Value) -> Any:
    """The cosine of a matrix, (exp iA + exp −iA)/2.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.cosm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[-0.47942554, -0.87758256],
               [ 0.        , -0.47942554]])
    """
    a = matrices.square("cosm", A)
    return _cosine_and_sine(a)[0] if isinstance(a, Operand) else scipy_of_each("cosm", a)


def sinm(A: Value) -> Any:
    """The sine of a matrix, (exp iA − exp −iA)/2i.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.sinm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[ 0.87758256, -0.47942554],
               [ 0.        ,  0.87758256]])
    """
    a = matrices.square("sinm", A)
    return _cosine_and_sine(a)[1] if isinstance(a, Operand) else scipy_of_each("sinm", a)


def tanm(A: Value) -> Any:
    """The tangent of a matrix, (cos A)⁻¹ sin A.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.tanm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[1.29844641, 1.41868901],
               [0.        , 1.29844641]])
    """
    a = matrices.square("tanm", A)
    if not isinstance(a, Operand):
        return scipy_of_each("tanm", a)
    return np.linalg.solve(*_cosine_and_sine(a))


def coshm(A: Value) -> Any:
    """The hyperbolic cosine of a matrix, (exp A + exp −A)/2.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.coshm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[0.52109531, 1.12762597],
               [0.        , 0.52109531]])
    """
    a = matrices.square("coshm", A)
    return 0.5 * (expm(a) + expm(-a)) if isinstance(a, Operand) else scipy_of_each("coshm", a)


def sinhm(A: Value) -> Any:
    """The hyperbolic sine of a matrix, (exp A − exp −A)/2.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.sinhm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[1.12762597, 0.52109531],
               [0.        , 1.12762597]])
    """
    a = matrices.square("sinhm", A)
    return 0.5 * (expm(a) - expm(-a)) if isinstance(a, Operand) else scipy_of_each("sinhm", a)


def tanhm(A: Value) -> Any:
    """The hyperbolic tangent of a matrix, (cosh A)⁻¹ sinh A.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        A matrix of the same shape; of A's type, integers as floats.

    Raises:
        InvalidValue: the matrix is not square.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 12.

    Example:
        >>> dn.linalg.tanhm(dn.jet([[0.5, 1.0], [0.0, 0.5]], 1, direction=np.eye(2))).derivative(1)
        array([[ 0.78644773, -0.72686198],
               [ 0.        ,  0.78644773]])
    """
    a = matrices.square("tanhm", A)
    if not isinstance(a, Operand):
        return scipy_of_each("tanhm", a)
    above, below = expm(a), expm(-a)
    return np.linalg.solve(0.5 * (above + below), 0.5 * (above - below))
