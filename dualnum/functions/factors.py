"""Cholesky and QR factors, to any order."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import NonsmoothPoint, NotDifferentiable
from ..kinds import Value
from ..operand import Operand, implements, library, primal
from ..primitives.operation import Operation
from .complement import completed
from .keywords import array, with_value
from .matrices import (
    adjoint,
    conjugated,
    difference,
    from_triangle,
    lower_half,
    product,
    solve,
    square,
    transposed,
    triangle_product,
    triangle_solve,
)

__all__: list[str] = []

Coefficients = Sequence[Any]

# ── Cholesky factors ──────────────────────────────────────────────────────────────────────────────


_below = partial(triangle_product, lower=True)


def _cholesky_series(order: int, l0: Any, a: Coefficients) -> list[Any]:
    """L Lᴴ = A:  L_k = L_0 Φ(L_0⁻¹ (A_k − Σ_{0<j<k} L_j L_{k−j}ᴴ) L_0⁻ᴴ), Φ the lower half (Smith 1995)."""
    lower, upper = [l0], [adjoint(l0)]
    a = [0, *map(from_triangle, a[1:])]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        rest = difference(a, k, product(lower, upper, k, 1, k - 1, _below))
        half = adjoint(triangle_solve(l0, rest, lower=True))
        inner = adjoint(triangle_solve(l0, half, lower=True))
        lower.append(_below(l0, lower_half(inner)))
        upper.append(adjoint(lower[k]))
    return lower


def _cholesky_pull(wanted: Sequence[bool], g: Value, lower: Any, a: Value) -> list[Any]:
    """½ L⁻ᴴ (P + Pᴴ) L⁻¹ with P = Φ(Lᴴ Ḡ) (Murray 2016), of cotangents without conjugation.

    It is Hermitian, and falls on the lower triangle.
    """
    inner = from_triangle(triangle_product(lower, g, lower=True, turned=True, half=True))
    outer = adjoint(triangle_solve(lower, inner, lower=True, turned=True))
    return [lower_half(adjoint(triangle_solve(lower, outer, lower=True, turned=True)))]


CHOLESKY = Operation("cholesky", np.linalg.cholesky, _cholesky_series, _cholesky_pull)


@implements(np.linalg.cholesky)
def cholesky(a: Value, /, *, upper: bool = False) -> Any:
    """The factor of the Hermitian matrix whose lower (or upper) triangle a has: the other one is not read."""
    a = square("cholesky", a)
    if upper:
        return adjoint(np.linalg.cholesky(adjoint(a)))
    return CHOLESKY(a)


# ── QR ────────────────────────────────────────────────────────────────────────────────────────────


def _upper_half(m: Value) -> Any:
    return adjoint(lower_half(adjoint(m)))


def _divided(a: Value, r: Value) -> Any:
    """A R⁻¹."""
    return transposed(solve(transposed(r), transposed(a)))


def _under(r: Value, b: Value) -> Any:
    """R⁻ᴴ B."""
    return triangle_solve(adjoint(r), b, lower=True)


def _triangle_series(order: int, r0: Any, a: Coefficients) -> list[Any]:
    """Rᴴ R = Aᴴ A:  R_k = Φ(M + Mᴴ) R_0 with M = Q_0ᴴ A_k R_0⁻¹ and what the lower degrees leave, Φ the upper half."""
    if len(a) == 1 or not order:
        return [r0]
    q0, r = _divided(a[0], r0), [r0]
    adjoints, upper = [adjoint(a_k) for a_k in a], [adjoint(r0)]
    for k in range(1, order + 1):
        inner: Any = 0
        if k < len(a):
            moved = _divided(adjoint(q0) @ a[k], r0)
            inner = moved + adjoint(moved)
        rest = difference([*[0] * k, product(adjoints, a, k, 1, k - 1)], k, product(upper, r, k, 1, k - 1))
        if type(rest) is not int:
            inner = inner + adjoint(_under(r0, adjoint(_under(r0, rest))))
        r.append(_upper_half(inner) @ r0 if type(inner) is not int else 0 * r0)
        upper.append(adjoint(r[k]))
    return r


def _triangle_pull(wanted: Sequence[bool], g: Value, r: Value, a: Value) -> list[Any]:
    """Q (U + Uᴴ) R⁻ᴴ with U = Φ(R̄ Rᴴ), of cotangents without conjugation."""
    half = _upper_half(conjugated(g) @ adjoint(r))
    result = _divided(_divided(a, r) @ (half + adjoint(half)), adjoint(r))
    return [conjugated(result)]


TRIANGLE = Operation("qr", lambda a: np.linalg.qr(a, "r"), _triangle_series, _triangle_pull)
_QR: Any = type(np.linalg.qr(np.eye(1)))


def _check_rank(r: Value) -> None:
    """Raises where columns depend on one another: there the factors jump."""
    sizes = np.abs(np.diagonal(r, 0, -2, -1))
    if not isinstance(r, Operand) and not sizes.size:
        return
    limit = sizes.shape[-1] * np.finfo(sizes.dtype).eps * np.max(sizes, axis=-1, keepdims=True)
    dependent: Any = np.any(sizes <= limit)
    if isinstance(dependent, Operand):  # traced: where it holds, the function itself runs, and raises
        dependent._alarm()
    elif dependent:
        raise NonsmoothPoint(
            "qr: the first columns depend on one another, and have no factors that move smoothly; leave some out, or "
            "use np.linalg.svd"
        )


@implements(np.linalg.qr)
def qr(a: Value, mode: str = "reduced") -> Any:
    """Of matrices whose first columns are independent, with NumPy's signs; complete with the gauge of `complement`."""
    a = array(a)
    if mode not in ("reduced", "complete", "r"):
        raise NotDifferentiable(f"qr: mode={mode!r} has no derivative rule; expected 'reduced', 'complete' or 'r'")
    rows, columns = a.shape[-2:]
    head = a[..., :rows]
    r = TRIANGLE(head)
    _check_rank(primal(r))
    if mode == "r" and rows >= columns:
        return r
    numbers = np.linalg.qr(primal(a), "complete" if mode == "complete" else "reduced")
    q = with_value(_divided(head, r), numbers[0][..., :columns])
    if rows < columns:
        r = with_value(np.concatenate([r, adjoint(q) @ a[..., rows:]], axis=-1), numbers[1])
    elif mode == "complete" and rows > columns:
        q = completed(q, numbers[0])
        r = np.concatenate([r, library(r).zeros((*r.shape[:-2], rows - columns, columns), r.dtype)], axis=-2)
    return r if mode == "r" else _QR(q, r)
