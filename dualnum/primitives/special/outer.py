"""Functions whose Taylor coefficients are known at every point.

Where a recurrence in the operand's series would be unstable (the equation has a second solution that
grows faster), the coefficients f_n = f⁽ⁿ⁾(x)/n! are computed at the values and composed with the
operand's series: f∘u = Σ f_n (u − u_0)ⁿ.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import series
from ...errors import NotDifferentiable
from ..table import recurrence

__all__ = ["by_coefficients", "exponential", "require_constant", "require_real", "variable_last", "whole"]

Coefficients = Sequence[Any]


def require_constant(name: str, **parameters: Coefficients) -> None:
    """Raises where a parameter with no derivative rule carries derivatives."""
    for parameter, p in parameters.items():
        if len(p) > 1:
            raise NotDifferentiable(
                f"{name}: the argument {parameter} carries derivatives, and dualnum has no rule for the derivative "
                f"with respect to {parameter}; give a constant there ({parameter}.value)"
            )


def require_real(name: str, *values: Any) -> None:
    """Raises for complex arguments of a function that is differentiated on the real line only."""
    if any(np.iscomplexobj(x) for x in values):
        raise NotDifferentiable(f"{name}: dualnum has no derivative rule for complex arguments; give real ones")


def whole(n: Any) -> Any:
    """n without its fraction, as SciPy cuts orders that must be whole; a number of Python stays one."""
    return type(n)(np.trunc(n)) if isinstance(n, (int, float)) else np.trunc(n)


def by_coefficients(ufunc: np.ufunc, outer: Callable[..., list[Any]], **row: Any) -> None:
    """A row of one argument from outer(order, y_0, x) → [f(x), f'(x), …, f⁽ᵏ⁾(x)/k!]."""

    def rule(order: int, value: Any, u: Coefficients) -> list[Any]:
        return series.compose(order, outer(order, value, u[0]), u)

    recurrence(ufunc, rule, **row)


def variable_last(ufunc: np.ufunc, parameters: Sequence[str], outer: Callable[..., list[Any]], **row: Any) -> None:
    """A row of constant parameters and one variable behind them, from outer(order, y_0, *parameters, x)."""

    def rule(order: int, value: Any, *operands: Coefficients) -> list[Any]:
        require_constant(str(ufunc.__name__), **dict(zip(parameters, operands[:-1], strict=True)))
        return series.compose(order, outer(order, value, *(u[0] for u in operands)), operands[-1])

    recurrence(ufunc, rule, **row)


def exponential(order: int, y0: Any, *slopes: tuple[Coefficients, Coefficients]) -> list[Any]:
    """y' = y Σ p·u' over the pairs (u, p):  y_k = y_0 q_k,  q_0 = 1,  k q_k = Σ_j s_j q_{k−1−j},  s = Σ p·u'."""
    s = series.integral(order, 0, *slopes)  # its j-th coefficient is s_{j−1}/j
    s = [j * s_j for j, s_j in enumerate(s)][1:]
    q: list[Any] = [s[0]]  # q without its leading 1
    for k in range(2, order + 1):
        rest = series.convolve(s, q, k - 2)
        q.append((rest + s[k - 1] if k <= len(s) else rest) / k)
    return [y0, *(y0 * q_k for q_k in q)]
