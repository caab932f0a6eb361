"""Powers of a matrix, its logarithm, and the functions that follow from roots: sign and polar factors."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np

from ..errors import InvalidValue, NonsmoothPoint
from ..functions import matrices
from ..functions.keywords import array, with_native
from ..functions.matrices import adjoint, difference, product
from ..kinds import Value
from ..operand import Operand, highest, primal, visible
from .equations import SYLVESTER, solved_for
from .functions import expm, matrix_function, orders_below
from .schur import Factors, factors_of
from .values import scipy_of, scipy_of_each

__all__ = ["fractional_matrix_power", "logm", "polar", "signm", "sqrtm"]

Coefficients = Sequence[Any]

# ── roots ────────────────────────────────────────────────────────────────────────────────────────


def _root_series(order: int, x0: Value, a: Coefficients, name: str = "sqrtm") -> list[Any]:
    """X X = A:  X_0 X_k + X_k X_0 = A_k − Σ_{0<j<k} X_j X_{k−j}."""
    x, numbers = [x0], primal(x0)
    singular = visible(numbers) and np.all(np.isfinite(primal(a[0]))) and not np.all(np.isfinite(numbers))
    factors = None if singular else factors_of(Factors, x0, x0)
    if factors is not None:
        least, largest = factors.sizes().T
        singular = np.any(least**2 <= x0.shape[-1] * np.finfo(x0.dtype).eps * largest**2)
    if singular:
        raise NonsmoothPoint(
            f"{name}: the matrix is singular to working precision, and its root has no derivative; add a small "
            "multiple of the identity, or leave out what depends on others"
        )
    for k in range(1, order + 1):
        x.append(solved_for(SYLVESTER, factors, x0, x0, difference(a, k, product(x, x, k, 1, k - 1))))
    return x


ROOT = matrix_function("sqrtm", lambda a: scipy_of_each("sqrtm", a), _root_series, True)


def sqrtm(a: Value) -> Any:
    """The principal square root X of a matrix A: X X = A, X dX + dX X = dA.

    Eigenvalues on the negative axis have roots on the imaginary one, as SciPy takes them, and keep to this branch.

    Args:
        a: (…, n, n), real or complex.

    Returns:
        X, of the same shape; of a's type, or complex where the root of a real matrix is.

    Raises:
        InvalidValue: the matrix is not square.
        NonsmoothPoint: it is singular, and the root has no derivative.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 6.

    Example:
        >>> a = dn.jet([[4.0, 0.0], [0.0, 9.0]], 1)
        >>> dn.linalg.sqrtm(a).derivative(1)
        array([[0.25      , 0.2       ],
               [0.2       , 0.16666667]])
    """
    return ROOT(matrices.square("sqrtm", a))


# ── the logarithm ────────────────────────────────────────────────────────────────────────────────

_NEAR = 0.25  # ‖A^(1/2ˢ) − 1‖ where the rational function takes over
_TRACED = 8  # roots in a trace


def _logarithm_series(order: int, y0: Value, a: Coefficients) -> list[Any]:
    """log A = 2ˢ log R with R = A^(1/2ˢ), and log(1 + Z) = ∫ Z/(1 + u Z) du by Gauss's rule in m points of [0, 1].

    Around ‖Z‖ ≤ ¼ a disc of radius ¼ fits, in which the rule is right to 2^−5.08m.
    """
    depth, root = 0, list(a)
    eye = matrices.identity(a[0].shape[-1], a[0], a[0].dtype)
    while True:
        size = np.max(np.sum(np.abs(primal(root[0]) - eye), axis=-2), initial=0.0)
        traced = isinstance(size, Operand)
        if traced and depth == _TRACED:
            np.logical_not(size <= _NEAR)._alarm()
        if depth == _TRACED if traced else not size > _NEAR:
            break
        root = _root_series(order, ROOT(root[0]), root, "logm")
        depth += 1
    bits = np.finfo(a[0].dtype).nmant + 1
    points, weights = np.polynomial.legendre.leggauss(ceil((bits + 2 * (order + orders_below(a[0]))) / 5.08))
    z = [root[0] - eye, *root[1:]]
    sums: list[Any] = []
    for u, w in zip((points + 1) / 2, weights * 2.0 ** (depth - 1), strict=True):
        matrix = [eye + float(u) * z[0], *(float(u) * z_k for z_k in z[1:])]
        terms = [float(w) * t for t in matrices.quotient(order, matrix, z)]
        sums = [s + t for s, t in zip(sums, terms, strict=True)] if sums else terms
    _check_branch(primal(y0), primal(sums[0]))
    return sums


def _check_branch(native: Value, own: Value) -> None:
    """Raises where SciPy's logarithm is another one: of eigenvalues at the negative axis either side may be meant."""
    if visible(native, own) and np.any(np.abs(native - own) > 0.1 * np.maximum(1.0, np.abs(native))):
        raise NonsmoothPoint(
            "logm: the matrix has eigenvalues at the negative axis, or is nearly singular, and it is not clear which "
            "of its logarithms is meant; turn it away, as in logm(a * np.exp(1j * angle))"
        )


LOGARITHM = matrix_function("logm", lambda a: scipy_of_each("logm", a), _logarithm_series, True)


def logm(A: Value) -> Any:
    """The principal logarithm X of a matrix A: exp X = A.

    The value is SciPy's; the derivatives are those of repeated square roots and a rational function near 1.
    Eigenvalues on the negative axis have logarithms with the imaginary part π, and keep to this branch.

    Args:
        A: (…, n, n), real or complex.

    Returns:
        X, of the same shape; of A's type, or complex where the logarithm of a real matrix is.

    Raises:
        InvalidValue: the matrix is not square.
        NonsmoothPoint: it is singular, or it is not clear which logarithm is meant.

    Source:
        Al-Mohy, Higham & Relton, "Computing the Fréchet derivative of the matrix logarithm and estimating the condition
        number", SIAM J. Sci. Comput. 35, 2013.

    Example:
        >>> a = dn.jet([[4.0, 1.0], [0.0, 9.0]], 1, direction=np.eye(2))
        >>> dn.linalg.logm(a).derivative(1)
        array([[ 0.25      , -0.02777778],
               [ 0.        ,  0.11111111]])
    """
    return LOGARITHM(matrices.square("logm", A))


def fractional_matrix_power(A: Value, t: Value) -> Any:
    """Aᵗ = exp(t log A).

    Args:
        A: (…, n, n), real or complex.
        t: a number; of whole ones the power is a product.

    Returns:
        A matrix of the same shape; of A's type, or complex where the power of a real matrix is.

    Raises:
        InvalidValue: the matrix is not square.
        NonsmoothPoint: as for `logm`.

    Source:
        Higham & Lin, "An improved Schur–Padé algorithm for fractional powers of a matrix and their Fréchet
        derivatives", SIAM J. Matrix Anal. Appl. 34, 2013.

    Example:
        >>> a = dn.jet([[4.0, 0.0], [0.0, 9.0]], 1)
        >>> dn.linalg.fractional_matrix_power(a, 1.5).derivative(1)
        array([[3. , 3.8],
               [3.8, 4.5]])
    """
    a = matrices.square("fractional_matrix_power", A)
    if not isinstance(t, Operand):
        if not isinstance(a, Operand):
            return scipy_of_each("fractional_matrix_power", a, t)
        if float(t).is_integer():
            return np.linalg.matrix_power(a, int(t))
    power = expm(t * logm(a))
    if isinstance(primal(t), Operand):
        return power
    native = scipy_of_each("fractional_matrix_power", primal(a), float(primal(t)))
    return with_native(power, lambda: native if power.dtype.kind == "c" else np.real(native))


# ── sign and polar factors ───────────────────────────────────────────────────────────────────────


def signm(A: Value) -> Any:
    """The sign of a matrix, A (A²)^(−1/2), whose eigenvalues are those of the sign of the real part of A's.

    Args:
        A: (…, n, n), real or complex, without eigenvalues on the imaginary axis.

    Returns:
        A matrix of the same shape and of A's type.

    Raises:
        InvalidValue: the matrix is not square.
        NonsmoothPoint: it has eigenvalues on the imaginary axis.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 5.

    Example:
        >>> a = dn.jet([[2.0, 0.0], [0.0, -3.0]], 1)
        >>> dn.linalg.signm(a).derivative(1)
        array([[0. , 0.4],
               [0.4, 0. ]])
    """
    a = matrices.square("signm", A)
    if highest((a,)) is None:
        return scipy_of_each("signm", a)
    numbers = primal(a)
    if visible(numbers) and numbers.size:
        w = np.linalg.eigvals(numbers)
        limit = w.shape[-1] * np.finfo(numbers.dtype).eps * np.max(np.abs(w), axis=-1, keepdims=True)
        if np.any(np.abs(np.real(w)) <= limit):
            raise NonsmoothPoint("signm: the matrix has eigenvalues on the imaginary axis, where the sign jumps")
    return with_native(np.linalg.solve(sqrtm(a @ a), a), lambda a: scipy_of_each("signm", a), a)


def _positive_root(a: Value) -> Any:
    """The root of a positive definite matrix, which stays real."""
    w, v = np.linalg.eigh(a)
    return (v * np.sqrt(np.maximum(w, 0.0))[..., None, :]) @ adjoint(v)


POSITIVE_ROOT = matrix_function("polar", _positive_root, lambda order, x, a: _root_series(order, x, a, "polar"))


def polar(a: Value, side: str = "right") -> Any:
    """The polar factors of a matrix: a = u p or, of the left side, a = p u, with p = (aᴴa)^(1/2) or (a aᴴ)^(1/2).

    Args:
        a: (m, n), real or complex, of full rank.
        side: "right" or "left".

    Returns:
        u, (m, n), whose columns (or rows, where these are fewer) are orthonormal, and p, (n, n) or (m, m), Hermitian.

    Raises:
        InvalidValue: side is another word, or a is not a matrix.
        NonsmoothPoint: the rank is not full.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapter 8.

    Example:
        >>> u, p = dn.linalg.polar(dn.jet([[0.0, -2.0], [2.0, 0.0]], 1))
        >>> u.derivative(1)
        array([[0.5, 0. ],
               [0. , 0.5]])
    """
    a = array(a)
    if side not in ("right", "left"):
        raise InvalidValue(f"polar: side is {side!r}; expected 'right' or 'left'")
    if a.ndim != 2:
        raise InvalidValue(f"polar: a has shape {tuple(a.shape)}; expected a matrix, (m, n)")
    if highest((a,)) is None:
        return scipy_of("polar", a, side)
    numbers = primal(a)
    values = scipy_of("polar", numbers, side) if visible(numbers) else None
    if values is not None and numbers.size:
        sizes = np.linalg.svd(numbers, compute_uv=False)
        if sizes[-1] ** 2 <= len(sizes) * np.finfo(sizes.dtype).eps * sizes[0] ** 2:
            shape = f"{a.shape[0]} × {a.shape[1]}"
            raise NonsmoothPoint(f"polar: the rank of a {shape} matrix is not full, and its factors have no derivative")
    if a.shape[0] >= a.shape[1]:
        p = POSITIVE_ROOT(adjoint(a) @ a)
        u = adjoint(np.linalg.solve(p, adjoint(a)))
        p = p if side == "right" else a @ adjoint(u)
    else:
        p = POSITIVE_ROOT(a @ adjoint(a))
        u = np.linalg.solve(p, a)
        p = p if side == "left" else adjoint(u) @ a
    if values is None:
        return u, p
    return with_native(u, lambda: values[0]), with_native(p, lambda: values[1])
