"""Algebraic Riccati equations: the value is SciPy's, the derivatives follow from linear equations.

Their matrices are those of the closed loop, the same for all orders: one Schur form of them serves all (Kao & Hennequin
2020). The equations are written in A, Aᴴ, … as independent of one another, so that the rules need no conjugation.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidValue, ours
from ..functions.keywords import array, with_value
from ..functions.matrices import adjoint, product, solver, transposed
from ..kinds import Value
from ..operand import Operand, highest, library, primal
from ..primitives.operation import Operation
from .equations import STEIN, SYLVESTER, solved_for
from .schur import Factors, SteinFactors, factors_of
from .values import scipy_of

__all__ = ["solve_continuous_are", "solve_discrete_are"]

Coefficients = Sequence[Any]


def _total(*terms: Any) -> Any:
    """Their sum without the structural zeros."""
    return series.total(x for x in terms if type(x) is not int)


def _minus(x: Any) -> Any:
    return x if type(x) is int else -x


# ── in continuous time ───────────────────────────────────────────────────────────────────────────


def _continuous_series(
    order: int, x0: Value, given: Any, ah: Coefficients, a: Coefficients, g: Coefficients, q: Coefficients
) -> list[Any]:
    """Aᴴ X + X A − X G X + Q = 0:  (Aᴴ − X G)_0 X_k + X_k (A − G X)_0 = −(what is left of degree k without X_k)."""
    x, gx = [x0], [g[0] @ x0]
    left, right = ah[0] - x0 @ g[0], a[0] - gx[0]
    factors = factors_of(Factors, left, right)
    for k in range(1, order + 1):
        known = product(g, x, k, 1)
        squares = _total(product(x, gx, k, 1, k - 1), 0 if type(known) is int else x0 @ known)
        rest = _total(product(ah, x, k, 1), product(x, a, k, 0, k - 1), _minus(squares), series.coefficient(q, k))
        x.append(0 if type(rest) is int else solved_for(SYLVESTER, factors, left, right, -rest))
        gx.append(product(g, x, k))
    return x


def _continuous_pull(
    wanted: Sequence[bool], y: Value, x: Value, given: Any, ah: Value, a: Value, g: Value, q: Value
) -> list[Any]:
    left, right = transposed(ah - x @ g), transposed(a - g @ x)
    to_q = -SYLVESTER(factors_of(Factors, left, right), left, right, y)
    xt = transposed(x)
    return [
        None, to_q @ xt if wanted[1] else None, xt @ to_q if wanted[2] else None,
        -(xt @ to_q @ xt) if wanted[3] else None, to_q,
    ]  # fmt: skip


# the first argument is the solution for the numbers of the others
CONTINUOUS = Operation("solve_continuous_are", lambda given, *args: given, _continuous_series, _continuous_pull)


def solve_continuous_are(
    a: Value, b: Value, q: Value, r: Value, e: Value = None, s: Value = None, balanced: bool = True
) -> Any:
    """The stabilizing solution X of Aᴴ X + X A − X B R⁻¹ Bᴴ X + Q = 0.

    With e and s it is Aᴴ X E + Eᴴ X A − (Eᴴ X B + S) R⁻¹ (Bᴴ X E + Sᴴ) + Q = 0. The derivatives solve Lyapunov
    equations with the matrix A − B R⁻¹ Bᴴ X of the closed loop.

    Args:
        a: A, (m, m).
        b: B, (m, n).
        q: Q, (m, m), Hermitian.
        r: R, (n, n), Hermitian and not singular.
        e: E, (m, m), not singular; the identity if it is not given.
        s: S, (m, n); zero if it is not given.
        balanced: whether SciPy balances the data of the value first.

    Returns:
        X, (m, m), in the common type of all.

    Raises:
        InvalidValue: the shapes do not fit, q or r is not Hermitian, there is no such solution, or SciPy finds none.

    Source:
        Kao & Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations",
        arXiv 2011.11430, 2020.

    Example:
        >>> one = np.array([[1.0]])
        >>> dn.linalg.solve_continuous_are(dn.jet([[0.75]], 1), one, one, one).derivative(1)
        array([[1.6]])
    """
    args = (a, b, q, r, e, s)
    native, a, b, q, r, e, s = _native(CONTINUOUS_VALUE, balanced, *args)
    if highest(args) is None:
        return native
    a, b = _divided(e, a), _divided(e, b)
    g = b @ np.linalg.solve(r, adjoint(b))
    if s is not None:  # completing the square
        over = np.linalg.solve(r, adjoint(s))
        a, q = a - b @ over, q - s @ over
    x = CONTINUOUS(_between(e, native), adjoint(a), a, g, q)
    return _around(e, x, native)


def _divided(e: Value, x: Value) -> Any:
    """E⁻¹ X."""
    return x if e is None else np.linalg.solve(e, x)


def _between(e: Value, x: Value) -> Any:
    """Eᴴ X E, of numbers."""
    return x if e is None else adjoint(primal(e)) @ x @ primal(e)


def _around(e: Value, x: Value, native: Value) -> Any:
    """E⁻ᴴ X E⁻¹, with the value that SciPy computes."""
    return x if e is None else with_value(adjoint(_divided(adjoint(e), adjoint(_divided(adjoint(e), x)))), native)


def _value(name: str, residual: Callable[..., Any]) -> Operation:
    """SciPy's function of numbers, those of a trace as well."""

    def value(balanced: bool, traced: bool, *data: Any) -> Any:
        if traced:  # the numbers that stand for others in a trace are not those of Hermitian matrices
            a, b, q, r, *rest = data
            data = a, b, 0.5 * (q + adjoint(q)), 0.5 * (r + adjoint(r)), *rest
        try:
            x = scipy_of(name, *data, balanced)
        except ValueError as error:
            raise ours(error, name) from None
        terms = residual(x, *data)
        if np.max(np.abs(sum(terms)), initial=0.0) > 1e-6 * max(np.max(np.abs(t), initial=0.0) for t in terms):
            raise InvalidValue(
                f"{name}: what SciPy finds does not solve the equation; try balanced=False, as balancing minds no e"
            )
        return x

    return Operation(name, value, lambda order, x, *args: [x], lambda wanted, g, x, *args: [None for _ in args])


def _native(value: Operation, balanced: bool, *args: Value) -> list[Any]:
    """The value, and the data as arrays."""
    data = [x if x is None else array(x, *args) for x in args]
    numbers = [x if x is None else primal(x) for x in data]
    traced = False
    for x in numbers[2:4]:
        if isinstance(x, Operand):
            traced = True
            apart = np.max(np.abs(x - adjoint(x)))
            np.logical_not(apart <= 100 * np.finfo(x.dtype).eps * np.max(np.abs(x)))._alarm()
    return [value(balanced, traced, *numbers), *data]


def _continuous_residual(x: Any, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> tuple[Any, ...]:
    xe = x if e is None else x @ e
    half = adjoint(xe) @ b if s is None else adjoint(xe) @ b + s
    return adjoint(a) @ xe, adjoint(xe) @ a, -half @ np.linalg.solve(r, adjoint(half)), q


def _discrete_residual(x: Any, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> tuple[Any, ...]:
    half = adjoint(a) @ x @ b if s is None else adjoint(a) @ x @ b + s
    inner = np.linalg.solve(r + adjoint(b) @ x @ b, adjoint(half))
    return adjoint(a) @ x @ a, -(x if e is None else adjoint(e) @ x @ e), -half @ inner, q


CONTINUOUS_VALUE = _value("solve_continuous_are", _continuous_residual)
DISCRETE_VALUE = _value("solve_discrete_are", _discrete_residual)


# ── in discrete time ─────────────────────────────────────────────────────────────────────────────


def _discrete_series(order: int, x0: Value, given: Any, *data: Coefficients) -> list[Any]:
    """Aᴴ X A − X − N D⁻¹ W + Q = 0 with N = Aᴴ X B + S, D = R + Bᴴ X B and W = Bᴴ X A + Sᴴ.

    Of degree k: X_k − P X_k M = what is left without X_k, with the closed loop M = A − B D⁻¹ W and P = Aᴴ − N D⁻¹ Bᴴ.
    """
    ah, a, bh, b, q, r, sh, s = data
    x: list[Any] = [x0]
    xa, xb, n, k_, d = [x0 @ a[0]], [x0 @ b[0]], [], [], []
    n.append(ah[0] @ xb[0] + s[0])
    d.append(r[0] + bh[0] @ xb[0])
    solve, over = solver(d[0]), adjoint(np.linalg.solve(adjoint(d[0]), adjoint(n[0])))
    k_.append(solve(bh[0] @ xa[0] + sh[0]))
    left, right = ah[0] - over @ bh[0], a[0] - b[0] @ k_[0]
    factors = factors_of(SteinFactors, left, right)
    for k in range(1, order + 1):
        for known in (True, False):  # without X_k, and with it
            if not known:
                rest = _total(product(ah, xa, k), _minus(product(n, k_, k)), series.coefficient(q, k))
                x.append(0 if type(rest) is int else solved_for(STEIN, factors, left, right, rest))
            xa[k:], xb[k:] = [product(x, a, k)], [product(x, b, k)]
            n[k:] = [_total(product(ah, xb, k), series.coefficient(s, k))]
            d[k:] = [_total(product(bh, xb, k), series.coefficient(r, k))]
            w = _total(product(bh, xa, k), series.coefficient(sh, k))
            inner = _total(w, _minus(product(d, k_, k, 1)))
            k_[k:] = [0 if type(inner) is int else solve(inner)]
    return x


def _discrete_pull(wanted: Sequence[bool], y: Value, x: Value, given: Any, *data: Value) -> list[Any]:
    ah, a, bh, b, _, r, sh, s = data
    d, xb, xa = r + bh @ x @ b, x @ b, x @ a
    k_ = np.linalg.solve(d, bh @ xa + sh)
    over = adjoint(np.linalg.solve(adjoint(d), adjoint(ah @ xb + s)))
    p, m = ah - over @ bh, a - b @ k_
    to_q = STEIN(factors_of(SteinFactors, transposed(p), transposed(m)), transposed(p), transposed(m), y)
    to_ah, to_a = to_q @ transposed(x @ m), transposed(p @ x) @ to_q
    over, k_ = transposed(over), transposed(k_)
    return [
        None, to_ah, to_a, -(over @ to_ah), -(to_a @ k_), to_q, over @ to_q @ k_, -(over @ to_q), -(to_q @ k_)
    ]  # fmt: skip


DISCRETE = Operation("solve_discrete_are", lambda given, *args: given, _discrete_series, _discrete_pull)


def solve_discrete_are(
    a: Value, b: Value, q: Value, r: Value, e: Value = None, s: Value = None, balanced: bool = True
) -> Any:
    """The stabilizing solution X of Aᴴ X A − X − Aᴴ X B (R + Bᴴ X B)⁻¹ Bᴴ X A + Q = 0.

    With e and s it is Aᴴ X A − Eᴴ X E − (Aᴴ X B + S) (R + Bᴴ X B)⁻¹ (Bᴴ X A + Sᴴ) + Q = 0. The derivatives solve Stein
    equations with the matrix A − B (R + Bᴴ X B)⁻¹ Bᴴ X A of the closed loop.

    Args:
        a: A, (m, m).
        b: B, (m, n).
        q: Q, (m, m), Hermitian.
        r: R, (n, n), Hermitian.
        e: E, (m, m), not singular; the identity if it is not given.
        s: S, (m, n); zero if it is not given.
        balanced: whether SciPy balances the data of the value first.

    Returns:
        X, (m, m), in the common type of all.

    Raises:
        InvalidValue: the shapes do not fit, q or r is not Hermitian, there is no such solution, or SciPy finds none.

    Source:
        Kao & Hennequin, "Automatic differentiation of Sylvester, Lyapunov, and algebraic Riccati equations",
        arXiv 2011.11430, 2020.

    Example:
        >>> one = np.array([[1.0]])
        >>> dn.linalg.solve_discrete_are(dn.jet([[0.5]], 1), one, one, one).derivative(1)
        array([[0.56201737]])
    """
    args = (a, b, q, r, e, s)
    native, a, b, q, r, e, s = _native(DISCRETE_VALUE, balanced, *args)
    if highest(args) is None:
        return native
    a, b = _divided(e, a), _divided(e, b)
    s = library(b).zeros(b.shape, b.dtype) if s is None else s
    x = DISCRETE(_between(e, native), adjoint(a), a, adjoint(b), b, q, r, adjoint(s), s)
    return _around(e, x, native)
