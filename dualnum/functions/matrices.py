"""What the rules of linear algebra share: products of series of matrices, adjoints, and systems with one matrix."""

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import series
from ..algebra import Part, graded_product
from ..errors import InvalidMatrix, InvalidValue
from ..kinds import DType, Value
from ..operand import Operand, bilinear, highest, library, linear, primal
from ..primitives.operation import Operation
from . import lapack
from .keywords import array

__all__ = [
    "FACTORS", "SYSTEMS", "TRIANGULAR", "adjoint", "check_right_side", "conjugated", "constant", "difference",
    "from_triangle", "identity", "lower_half", "product", "quotient", "solve", "solver", "square", "transposed",
    "triangle_product", "triangle_solve",
]  # fmt: skip

Coefficients = Sequence[Any]
Times = Callable[[Any, Any], Any]


def transposed(x: Value) -> Any:
    return np.swapaxes(x, -1, -2)


def conjugated(x: Value) -> Any:
    """x̄, of real matrices themselves. Cotangents here are without conjugation, those of the literature with it."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x: Value) -> Any:
    return conjugated(transposed(x))


def product(
    a: Coefficients, b: Coefficients, k: int, first: int = 0, last: int | None = None, times: Times = operator.matmul
) -> Any:
    """Σ a_j b_{k−j} for first ≤ j ≤ last; the structural zero where there are no coefficients but such."""
    indices = range(max(first, k + 1 - len(b)), min(k if last is None else last, len(a) - 1) + 1)
    pairs = ((a[j], b[k - j]) for j in indices)
    return series.total(times(x, y) for x, y in pairs if type(x) is not int and type(y) is not int)


def square(name: str, a: Value) -> Any:
    a = array(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise InvalidMatrix(f"{name}: a has shape {tuple(a.shape)}; expected square matrices, (…, n, n)")
    return a


def check_right_side(name: str, a: Value, b: Value) -> None:
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise InvalidValue(
            f"{name}: a has shape {tuple(a.shape)}, b has shape {tuple(b.shape)}; expected (…, n, n) with (n,) or "
            "(…, n, m)"
        )


def difference(b: Coefficients, k: int, s: Value) -> Any:
    """b_k − s, either of which may be the structural zero."""
    return series.coefficient(b, k) if type(s) is int else series.less(b, k, s)


def identity(n: int, like: Value, dtype: DType = bool) -> Any:
    """The n × n identity, where another matrix is."""
    return library(like).eye(n, dtype=dtype)


# ── systems ──────────────────────────────────────────────────────────────────────────────────────


def constant(name: str, function: Callable[..., Any]) -> Operation:
    """A function that is only asked for numbers, or a trace of them."""

    def no_rule(*args: Any) -> Any:
        raise NotImplementedError(name)

    return Operation(name, function, None, no_rule)


# what is kept of plain matrices, made once: by the value, all coefficients and the reverse sweep of a system it is used
FACTORS = constant("solve", lapack.factored)


def _system(turned: bool) -> Operation:
    """(factors, A, B) ↦ A⁻¹ B, or A⁻ᵀ B. A X = B gives X_k = A_0⁻¹ (B_k − Σ_{j≥1} A_j X_{k−j})."""
    side = transposed if turned else lambda x: x

    def value(factors: Value, a: Value, b: Value) -> Any:
        return lapack.solved(factors, b, turned, a)

    def expand(order: int, x0: Value, factors: Coefficients, a: Coefficients, b: Coefficients) -> list[Any]:
        solve, x = _with_factors(factors[0], a[0], turned), [x0]
        a = [a[0], *map(side, a[1:])]
        for k in range(1, order + 1 if len(a) > 1 else len(b)):
            x.append(solve(difference(b, k, product(a, x, k, 1))))
        return x

    def pull(wanted: Sequence[bool], g: Value, x: Value, factors: Value, a: Value, b: Value) -> tuple[Any, Any, Any]:
        to_b = SYSTEMS[not turned](factors, a, g)
        to_a = None
        if wanted[1]:
            to_a = -x @ transposed(to_b) if turned else -to_b @ transposed(x)
        return None, to_a, to_b

    return Operation("solve", value, expand, pull)


def _with_factors(factors: Value, a: Value, turned: bool = False) -> Callable[[Any], Any]:
    def solve(b: Value) -> Any:
        if isinstance(b, Part):
            return b.map(solve)
        if type(b) is int:  # the structural zero
            return b
        if isinstance(a, Operand) or isinstance(b, Operand) or isinstance(factors, Operand):
            return SYSTEMS[turned](factors, a, b)
        return lapack.solved(factors, b, turned)

    return solve


SYSTEMS = {turned: _system(turned) for turned in (False, True)}


def solve(a: Value, b: Value) -> Any:
    """A⁻¹ B of matrices B, also where leading axes are broadcast; B may be a homogeneous part."""
    if isinstance(b, Part):
        return solver(a)(b)
    if highest((a, b)) is None:
        return lapack.general(a, b)
    if a.dtype != b.dtype and a.dtype.kind in "fc":  # the factors in the precision of the solution
        a = a.astype(np.promote_types(a.dtype, np.zeros((), np.result_type(a.dtype, b.dtype)).real.dtype), copy=False)
    return SYSTEMS[False](FACTORS(primal(a)), a, b)


def solver(a: Value) -> Callable[[Any], Any]:
    """B ↦ A⁻¹ B for any number of B, by one factorization."""
    return _with_factors(FACTORS(primal(a)), a)


def quotient(order: int, a: Coefficients, b: Coefficients) -> Sequence[Any]:
    """The coefficients of A⁻¹ B, by one factorization."""
    factors, system = FACTORS(primal(a[0])), SYSTEMS[False]
    assert system.expand is not None
    return system.expand(order, system(factors, a[0], b[0]), [factors], a, b)


# ── triangular systems ────────────────────────────────────────────────────────────────────────────


def _triangular(lower: bool, turned: bool, unit: bool) -> Operation:
    """(A, B) ↦ T⁻¹ B, or T⁻ᵀ B, with one triangle T of A: the series is that of a system."""

    def value(a: Value, b: Value) -> Any:
        return lapack.triangle_solved(a, b, lower, turned, unit)

    def times(a: Value, b: Value) -> Any:  # of the higher coefficients, which have no ones on the diagonal
        return triangle_product(strict(a), b, lower, turned)

    def strict(a: Value) -> Any:
        return (np.tril(a, -1) if lower else np.triu(a, 1)) if unit else a

    def expand(order: int, x0: Value, a: Coefficients, b: Coefficients) -> list[Any]:
        x = [x0]
        for k in range(1, order + 1 if len(a) > 1 else len(b)):
            x.append(triangle_solve(a[0], difference(b, k, product(a, x, k, 1, times=times)), lower, turned, unit))
        return x

    def pull(wanted: Sequence[bool], g: Value, x: Value, a: Value, b: Value) -> tuple[Any, Any]:
        to_b = TRIANGULAR[lower, not turned, unit](a, g)
        to_a = None
        if wanted[0]:
            outer = -x @ transposed(to_b) if turned else -to_b @ transposed(x)
            to_a = strict(np.tril(outer) if lower else np.triu(outer))
        return to_a, to_b

    return Operation("solve_triangular", value, expand, pull)


TRIANGULAR = {key: _triangular(*key) for key in itertools.product((False, True), repeat=3)}


def triangle_solve(a: Value, b: Value, lower: bool = False, turned: bool = False, unit: bool = False) -> Any:
    """T⁻¹ B, or T⁻ᵀ B, by one triangle of A, which alone is read; B may be a homogeneous part."""
    if isinstance(b, Part):
        return b.map(lambda c: TRIANGULAR[lower, turned, unit](a, c))
    return b if type(b) is int else TRIANGULAR[lower, turned, unit](a, b)


def triangle_product(a: Value, b: Value, lower: bool = False, turned: bool = False, half: bool = False) -> Any:
    """T B, or Tᵀ B, with one triangle of A, which alone is read; both may be homogeneous parts.

    With `half` the upper triangle of the product is not asked for, and may be anything.
    """
    if isinstance(a, Part) or isinstance(b, Part):
        return graded_product(lambda x, y: triangle_product(x, y, lower, turned, half), a, b)

    def times(a: Value, b: Value, *out: Any) -> Any:
        if highest((a, b)) is not None:
            return triangle_product(a, b, lower, turned, half)
        return lapack.triangle_times(a, b, *out, lower=lower, turned=turned, half=half)

    return bilinear(times, a, b, _ADJOINTS[lower, turned], (times, times) if a.ndim == b.ndim == 2 else None)


def _adjoints(lower: bool, turned: bool) -> tuple[Times, Times]:
    def to_a(g: Value, b: Value) -> Any:
        outer = b @ transposed(g) if turned else g @ transposed(b)
        return np.tril(outer) if lower else np.triu(outer)

    return to_a, lambda g, a: triangle_product(a, g, lower, not turned)


_ADJOINTS = {key: _adjoints(*key) for key in itertools.product((False, True), repeat=2)}


# ── halves ────────────────────────────────────────────────────────────────────────────────────────


def lower_half(m: Value) -> Any:
    """The lower triangle with half of the diagonal: P with P + Pᴴ = M for Hermitian M."""
    if isinstance(m, Part):
        return m.map(lower_half)
    if isinstance(m, Operand):
        return linear(lower_half, m, adjoint=lower_half, stacked=lower_half)
    half = library(m).tril(m)
    k = library(m).arange(m.shape[-1])
    half[..., k, k] *= 0.5
    return half


def from_triangle(a: Value, lower: bool = True) -> Any:
    """The Hermitian matrix of which one triangle is read."""
    if isinstance(a, Part):
        return a.map(lambda c: from_triangle(c, lower))
    if not lower:
        return from_triangle(adjoint(a))
    if isinstance(a, Operand) and a.dtype.kind != "c":
        return linear(from_triangle, a, adjoint=_to_triangle, stacked=from_triangle)
    if isinstance(a, Operand):
        below: Any = np.tril(a, -1)
        return below + adjoint(below) + np.where(identity(a.shape[-1], a), np.real(a), 0.0)
    full = np.where(library(a).tri(a.shape[-1], dtype=bool), a, adjoint(a))
    if a.dtype.kind == "c":
        k = library(a).arange(a.shape[-1])
        full[..., k, k] = np.real(a[..., k, k])
    return full


def _to_triangle(g: Value) -> Any:
    """The adjoint of that: the cotangents of both triangles fall on one."""
    return 2 * lower_half(0.5 * (g + transposed(g)))
