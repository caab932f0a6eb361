"""Linear algebra that NumPy has no name for, with SciPy's signatures: on arrays, jets, variables and traces.

What NumPy has (`np.linalg.solve`, `np.linalg.eigh`, …) takes jets itself. The functions here need SciPy
(``pip install scipy``), which computes the values; the derivatives follow from the equations that define the result.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .algebra import Part
from .backend import to_device
from .errors import InvalidValue, not_on_device
from .functions import matrices
from .functions.keywords import array, with_value
from .functions.matrices import adjoint, difference, product, transposed
from .kinds import Value
from .operand import Operand, library, operands, primal
from .primitives.operation import Operation

__all__ = [
    "block_diag", "cho_solve", "expm", "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular", "sqrtm",
]  # fmt: skip

Coefficients = Sequence[Any]


def _scipy(name: str, *arrays: Value) -> Any:
    """SciPy's function of these arrays. Of those that are asked for here CuPy has none that is needed."""
    if library(*arrays) is not np:
        raise not_on_device(name, f"CuPy has no {name}")
    import scipy.linalg

    return getattr(scipy.linalg, name)(*arrays)


# ── triangular systems ───────────────────────────────────────────────────────────────────────────


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


# ── functions of a matrix ────────────────────────────────────────────────────────────────────────

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
        return _scipy("expm", a)
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
    return with_value(x, _scipy("expm", numbers)) if here and not isinstance(numbers, Operand) else x


def _pade(a: Value) -> Any:
    b, eye = _PADE, matrices.identity(a.shape[-1], a, a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    return np.linalg.solve(even - odd, even + odd)


def _root(a: Value) -> Any:
    root = _scipy("sqrtm", a)
    return root if root.dtype.kind == "c" or a.dtype.kind == "c" else root.astype(a.dtype)


def _root_series(order: int, x0: Value, a: Coefficients) -> list[Any]:
    """X X = A:  X_0 X_k + X_k X_0 = A_k − Σ_{0<j<k} X_j X_{k−j}."""
    x = [x0]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        x.append(_each(SYLVESTER, x0, x0, difference(a, k, product(x, x, k, 1, k - 1))))
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


# ── matrix equations ─────────────────────────────────────────────────────────────────────────────


def _each(operation: Any, a: Value, b: Value, q: Value) -> Any:
    """The operation on right sides with directions in front, or on all of a homogeneous part."""
    if isinstance(q, Part):
        return q.map(lambda c: operation(a, b, c))
    if q.ndim == 2:
        return operation(a, b, q)
    return np.stack([_each(operation, a, b, q[i]) for i in range(q.shape[0])])


def _sylvester_series(order: int, x0: Value, a: Coefficients, b: Coefficients, q: Coefficients) -> list[Any]:
    """A X + X B = Q:  A_0 X_k + X_k B_0 = Q_k − Σ_{j≥1} (A_j X_{k−j} + X_{k−j} B_j)."""
    x, moving = [x0], len(a) > 1 or len(b) > 1
    for k in range(1, order + 1 if moving else len(q)):
        left, right = product(a, x, k, 1), product(x, b, k, 0, k - 1)
        known = left if type(right) is int else right if type(left) is int else left + right
        x.append(_each(SYLVESTER, a[0], b[0], difference(q, k, known)))
    return x


def _sylvester_pull(wanted: Sequence[bool], g: Value, x: Value, a: Value, b: Value, q: Value) -> list[Any]:
    to_q = SYLVESTER(transposed(a), transposed(b), g)
    return [-(to_q @ transposed(x)) if wanted[0] else None, -(transposed(x) @ to_q) if wanted[1] else None, to_q]


SYLVESTER = Operation(
    "solve_sylvester", lambda a, b, q: _scipy("solve_sylvester", a, b, q), _sylvester_series, _sylvester_pull
)


def solve_sylvester(a: Value, b: Value, q: Value) -> Any:
    """The solution X of A X + X B = Q: A dX + dX B = dQ − dA X − X dB.

    Args:
        a: A, (m, m), which has no eigenvalue in common with −B.
        b: B, (n, n).
        q: Q, (m, n).

    Returns:
        X, (m, n), in the common type of all three.

    Raises:
        InvalidValue: a or b is not square, or q does not fit them.

    Source:
        Bartels & Stewart, "Solution of the matrix equation AX + XB = C", Comm. ACM 15, 1972, for the value.

    Example:
        >>> a, b = np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[1.0]])
        >>> dn.linalg.solve_sylvester(a, b, dn.jet([[6.0], [8.0]], 1)).derivative(1)
        array([[0.33333333],
               [0.25      ]])
    """
    a, b, q = matrices.square("solve_sylvester", a), matrices.square("solve_sylvester", b), array(q)
    if tuple(q.shape) != (a.shape[-1], b.shape[-1]):
        raise InvalidValue(
            f"solve_sylvester: q has shape {tuple(q.shape)}; expected ({a.shape[-1]}, {b.shape[-1]}), the rows of a "
            "and the columns of b"
        )
    return SYLVESTER(a, b, q)


def solve_continuous_lyapunov(a: Value, q: Value) -> Any:
    """The solution X of A X + X Aᴴ = Q; errors as for `solve_sylvester`.

    Args:
        a: A, (n, n).
        q: Q, (n, n).

    Returns:
        X, (n, n), in the common type of both.

    Example:
        >>> dn.linalg.solve_continuous_lyapunov(np.array([[-2.0]]), dn.jet([[5.0]], 1)).derivative(1)
        array([[-0.25]])
    """
    a = matrices.square("solve_continuous_lyapunov", a)
    return solve_sylvester(a, adjoint(a), q)


def block_diag(*arrays: Any) -> Any:
    """Matrices along the diagonal of one, zeros beside them.

    Args:
        arrays: (m, n) each; (n,) stands for (1, n), and a number for (1, 1).

    Returns:
        A matrix with the sums of their rows and of their columns, in their common type.

    Raises:
        InvalidValue: one has more than two axes (without any derivatives SciPy decides).

    Example:
        >>> dn.linalg.block_diag(dn.jet([[5.0]], 1), np.array([[2.0, 3.0]])).derivative(1)
        array([[1., 0., 0.],
               [0., 0., 0.]])
    """
    if library(*arrays) is np and not any(True for _ in operands(arrays)):
        return _scipy("block_diag", *arrays)
    blocks = [np.reshape(x, (1, -1)) if x.ndim < 2 else x for x in (array(x, *arrays) for x in arrays)]
    columns = sum(x.shape[1] for x in blocks)
    rows, before, zeros = [], 0, library(*arrays).zeros
    for x in blocks:
        after = columns - before - x.shape[1]
        parts = [zeros((x.shape[0], before), x.dtype), x, zeros((x.shape[0], after), x.dtype)]
        rows.append(np.concatenate(parts, axis=1))
        before += x.shape[1]
    return np.concatenate(rows, axis=0)
