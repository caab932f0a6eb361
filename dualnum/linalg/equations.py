"""Linear matrix equations: Sylvester's, Lyapunov's, Stein's."""

from collections.abc import Sequence
from typing import Any

from ..algebra import Part
from ..errors import InvalidValue
from ..functions import matrices
from ..functions.keywords import array, with_native
from ..functions.matrices import adjoint, difference, product, transposed
from ..kinds import Value
from ..operand import highest
from ..primitives.operation import Operation
from .schur import Factors, SteinFactors, factors_of
from .values import scipy_of

__all__ = [
    "STEIN", "SYLVESTER", "solve_continuous_lyapunov", "solve_discrete_lyapunov", "solve_sylvester", "solved_for",
]  # fmt: skip

Coefficients = Sequence[Any]


def solved_for(operation: Operation, factors: Any, a: Value, b: Value, q: Value) -> Any:
    """The operation on a right side, which may be a homogeneous part."""
    return q.map(lambda c: operation(factors, a, b, c)) if isinstance(q, Part) else operation(factors, a, b, q)


def _sylvester(factors: Any, a: Value, b: Value, q: Value) -> Any:
    return (factors or Factors(a, b))(q)


def _sylvester_series(
    order: int, x0: Value, factors: Any, a: Coefficients, b: Coefficients, q: Coefficients
) -> list[Any]:
    """A X + X B = Q:  A_0 X_k + X_k B_0 = Q_k − Σ_{j≥1} (A_j X_{k−j} + X_{k−j} B_j)."""
    x, moving = [x0], len(a) > 1 or len(b) > 1
    for k in range(1, order + 1 if moving else len(q)):
        left, right = product(a, x, k, 1), product(x, b, k, 0, k - 1)
        known = left if type(right) is int else right if type(left) is int else left + right
        x.append(solved_for(SYLVESTER, factors[0], a[0], b[0], difference(q, k, known)))
    return x


def _sylvester_pull(
    wanted: Sequence[bool], g: Value, x: Value, factors: Any, a: Value, b: Value, q: Value
) -> list[Any]:
    """Aᵀ Q̄ + Q̄ Bᵀ = X̄,  Ā = −Q̄ Xᵀ,  B̄ = −Xᵀ Q̄."""
    to_q = SYLVESTER(factors and factors.transposed(), transposed(a), transposed(b), g)
    to_a, to_b = -(to_q @ transposed(x)) if wanted[1] else None, -(transposed(x) @ to_q) if wanted[2] else None
    return [None, to_a, to_b, to_q]


# the first argument are the factors of A and B; None where they are not known
SYLVESTER = Operation("solve_sylvester", _sylvester, _sylvester_series, _sylvester_pull)


def solve_sylvester(a: Value, b: Value, q: Value) -> Any:
    """The solution X of A X + X B = Q: A dX + dX B = dQ − dA X − X dB.

    The Schur forms of A and B are computed once, and serve all orders and the sweep back.

    Args:
        a: A, (…, m, m), which has no eigenvalue in common with −B.
        b: B, (…, n, n).
        q: Q, (…, m, n).

    Returns:
        X, of the shape of Q and the common type of all three.

    Raises:
        InvalidValue: a or b is not square, q does not fit them, or A and −B have an eigenvalue in common.

    Source:
        Bartels & Stewart, "Solution of the matrix equation AX + XB = C", Comm. ACM 15, 1972, for the value.

    Example:
        >>> a, b = np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[1.0]])
        >>> dn.linalg.solve_sylvester(a, b, dn.jet([[6.0], [8.0]], 1)).derivative(1)
        array([[0.33333333],
               [0.25      ]])
    """
    a, b, q = matrices.square("solve_sylvester", a), matrices.square("solve_sylvester", b), array(q)
    if tuple(q.shape[-2:]) != (a.shape[-1], b.shape[-1]):
        raise InvalidValue(
            f"solve_sylvester: q has shape {tuple(q.shape)}; expected ({a.shape[-1]}, {b.shape[-1]}), the rows of a "
            "and the columns of b"
        )
    return SYLVESTER(factors_of(Factors, a, b), a, b, q)


def solve_continuous_lyapunov(a: Value, q: Value) -> Any:
    """The solution X of A X + X Aᴴ = Q; errors as for `solve_sylvester`.

    Args:
        a: A, (…, n, n).
        q: Q, (…, n, n).

    Returns:
        X, of the shape of Q, in the common type of both.

    Example:
        >>> dn.linalg.solve_continuous_lyapunov(np.array([[-2.0]]), dn.jet([[5.0]], 1)).derivative(1)
        array([[-0.25]])
    """
    a = matrices.square("solve_continuous_lyapunov", a)
    return solve_sylvester(a, adjoint(a), q)


# ── Stein's equation ─────────────────────────────────────────────────────────────────────────────


def _stein(factors: Any, a: Value, b: Value, q: Value) -> Any:
    return (factors or SteinFactors(a, b))(q)


def _stein_series(order: int, x0: Value, factors: Any, a: Coefficients, b: Coefficients, q: Coefficients) -> list[Any]:
    """X − A X B = Q:  X_k − A_0 X_k B_0 = Q_k + Σ_{j≥1} (A_j X_{k−j} B_0 + (A X)_{k−j} B_j)."""
    x, ax, moving = [x0], [a[0] @ x0], len(a) > 1 or len(b) > 1
    for k in range(1, order + 1 if moving else len(q)):
        known = product(a, x, k, 1)
        parts = [product(ax, b, k, 0, k - 1), 0 if type(known) is int else known @ b[0]]
        known = parts[0] if type(parts[1]) is int else parts[1] if type(parts[0]) is int else parts[0] + parts[1]
        x.append(solved_for(STEIN, factors[0], a[0], b[0], difference(q, k, known if type(known) is int else -known)))
        ax.append(product(a, x, k))
    return x


def _stein_pull(wanted: Sequence[bool], g: Value, x: Value, factors: Any, a: Value, b: Value, q: Value) -> list[Any]:
    """Q̄ − Aᵀ Q̄ Bᵀ = X̄,  Ā = Q̄ (X B)ᵀ,  B̄ = (A X)ᵀ Q̄."""
    to_q = STEIN(factors and factors.transposed(), transposed(a), transposed(b), g)
    to_a, to_b = to_q @ transposed(x @ b) if wanted[1] else None, transposed(a @ x) @ to_q if wanted[2] else None
    return [None, to_a, to_b, to_q]


STEIN = Operation("solve_discrete_lyapunov", _stein, _stein_series, _stein_pull)


def solve_discrete_lyapunov(a: Value, q: Value, method: str | None = None) -> Any:
    """The solution X of A X Aᴴ − X + Q = 0: dX − A dX Aᴴ = dQ + dA X Aᴴ + A X dAᴴ.

    The Schur form of A is computed once, and serves all orders and the sweep back.

    Args:
        a: A, (…, n, n), no two eigenvalues of which have the product 1.
        q: Q, (…, n, n).
        method: None, "direct" or "bilinear": how SciPy computes the value.

    Returns:
        X, of the shape of Q, in the common type of both.

    Raises:
        InvalidValue: a is not square, q does not fit it, method is another word, or no solution is the only one.

    Source:
        Kao & Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations",
        arXiv 2011.11430, 2020.

    Example:
        >>> dn.linalg.solve_discrete_lyapunov(dn.jet([[0.5]], 1), np.array([[3.0]])).derivative(1)
        array([[5.33333333]])
    """
    name = "solve_discrete_lyapunov"
    a, q = matrices.square(name, a), array(q)
    if tuple(q.shape[-2:]) != tuple(a.shape[-2:]):
        raise InvalidValue(f"{name}: q has shape {tuple(q.shape)}; expected that of a, {tuple(a.shape)}")
    if method not in (None, "direct", "bilinear"):
        raise InvalidValue(f"{name}: method is {method!r}; expected None, 'direct' or 'bilinear'")
    single = max(a.ndim, q.ndim) == 2
    if single and highest((a, q)) is None:
        return scipy_of(name, a, q, method=method)
    b = adjoint(a)
    x = STEIN(factors_of(SteinFactors, a, b), a, b, q)
    if not single:
        return x
    return with_native(x, lambda a, q: scipy_of(name, a, q, method=method).astype(x.dtype, copy=False), a, q)
