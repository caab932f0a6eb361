"""Matrix equations: Sylvester's, Lyapunov's."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Part
from ..errors import InvalidValue
from ..functions import matrices
from ..functions.keywords import array
from ..functions.matrices import adjoint, difference, product, transposed
from ..kinds import Value
from ..primitives.operation import Operation
from .values import scipy_of

__all__ = ["SYLVESTER", "each", "solve_continuous_lyapunov", "solve_sylvester"]

Coefficients = Sequence[Any]


def each(operation: Any, a: Value, b: Value, q: Value) -> Any:
    """The operation on right sides with directions in front, or on all of a homogeneous part."""
    if isinstance(q, Part):
        return q.map(lambda c: operation(a, b, c))
    if q.ndim == 2:
        return operation(a, b, q)
    return np.stack([each(operation, a, b, q[i]) for i in range(q.shape[0])])


def _sylvester_series(order: int, x0: Value, a: Coefficients, b: Coefficients, q: Coefficients) -> list[Any]:
    """A X + X B = Q:  A_0 X_k + X_k B_0 = Q_k − Σ_{j≥1} (A_j X_{k−j} + X_{k−j} B_j)."""
    x, moving = [x0], len(a) > 1 or len(b) > 1
    for k in range(1, order + 1 if moving else len(q)):
        left, right = product(a, x, k, 1), product(x, b, k, 0, k - 1)
        known = left if type(right) is int else right if type(left) is int else left + right
        x.append(each(SYLVESTER, a[0], b[0], difference(q, k, known)))
    return x


def _sylvester_pull(wanted: Sequence[bool], g: Value, x: Value, a: Value, b: Value, q: Value) -> list[Any]:
    to_q = SYLVESTER(transposed(a), transposed(b), g)
    return [-(to_q @ transposed(x)) if wanted[0] else None, -(transposed(x) @ to_q) if wanted[1] else None, to_q]


SYLVESTER = Operation(
    "solve_sylvester", lambda a, b, q: scipy_of("solve_sylvester", a, b, q), _sylvester_series, _sylvester_pull
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
