"""Cholesky and QR factors, and what is solved with them: least squares and pseudo-inverses, to any order."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import NonsmoothPoint, NotDifferentiable
from ..kinds import Value
from ..operand import Operand, implements, library, primal
from ..primitives.operation import Operation
from .arguments import NOT_GIVEN
from .keywords import array, with_value
from .matrices import (
    adjoint,
    conjugated,
    difference,
    from_triangle,
    identity,
    lower_half,
    product,
    solve,
    square,
    transposed,
    triangle_product,
    triangle_solve,
)
from .norms import squared_modulus
from .spectra import sizes_of

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


# ── QR and least squares ──────────────────────────────────────────────────────────────────────────


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
    if isinstance(r, Operand):
        return
    sizes = np.abs(np.diagonal(r, 0, -2, -1))
    if not sizes.size:
        return
    limit = sizes.shape[-1] * np.finfo(sizes.dtype).eps * np.max(sizes, axis=-1, keepdims=True)
    if np.any(sizes <= limit):
        raise NonsmoothPoint(
            "qr: the first columns depend on one another, and have no factors that move smoothly; leave some out, or "
            "use np.linalg.svd"
        )


@implements(np.linalg.qr)
def qr(a: Value, mode: str = "reduced") -> Any:
    """Of matrices whose first columns are independent, with NumPy's signs."""
    a = array(a)
    if mode not in ("reduced", "complete", "r"):
        raise NotDifferentiable(f"qr: mode={mode!r} has no derivative rule; expected 'reduced', 'complete' or 'r'")
    rows, columns = a.shape[-2:]
    if mode == "complete" and rows > columns:
        raise NotDifferentiable(
            f"qr: of {rows} × {columns} matrices the last columns of a complete Q are arbitrary, and have no "
            "derivative; use mode='reduced'"
        )
    head = a[..., :rows]
    r = TRIANGLE(head)
    _check_rank(primal(r))
    if mode == "r" and rows >= columns:
        return r
    q = with_value(_divided(head, r), np.linalg.qr(primal(head))[0])
    if rows < columns:
        r = np.concatenate([r, adjoint(q) @ a[..., rows:]], axis=-1)
    return r if mode == "r" else _QR(q, r)


def _pseudo_inverse_times(name: str, a: Value, b: Value, rank: Any) -> Any:
    """A⁺ B for matrices of full rank."""
    rows, columns = a.shape[-2:]
    if not isinstance(rank, Operand) and np.any(rank < min(rows, columns)):
        raise NonsmoothPoint(
            f"{name}: a {rows} × {columns} matrix has the rank {np.min(rank)}; where the rank may change the result "
            "jumps: add a small multiple of the identity (ridge), or leave out dependent columns"
        )
    if rows >= columns:
        q, r = np.linalg.qr(a)
        return solve(r, adjoint(q) @ b)
    q, r = np.linalg.qr(adjoint(a))
    return q @ solve(adjoint(r), b)


def _unknown_series(order: int, s0: Any, a: Coefficients) -> list[Any]:
    return [s0, *[np.full_like(s0, np.nan)] * order]


# singular values that are equal: they have no derivatives, which nobody may have asked for
UNKNOWN = Operation("svdvals", sizes_of, _unknown_series, lambda wanted, g, s, a: [np.full_like(a, np.nan)])


def _singular_values(a: Value) -> Any:
    try:
        return np.linalg.svd(a, compute_uv=False)
    except NonsmoothPoint:
        return UNKNOWN(a)


@implements(np.linalg.lstsq)
def lstsq(a: Value, b: Value, rcond: Any = None) -> Any:
    """Of full rank; the solution by QR, residuals and singular values as NumPy gives them.

    The derivatives of singular values that are equal are NaN.
    """
    a, b = array(a), array(b)
    value, rest, rank, _ = np.linalg.lstsq(primal(a), primal(b), rcond)
    x = _pseudo_inverse_times("lstsq", a, b[:, None] if b.ndim == 1 else b, rank)
    x = with_value(x[:, 0] if b.ndim == 1 else x, value)
    residuals = library(a).zeros(0, x.dtype)
    if a.shape[0] > a.shape[1]:
        residuals = np.atleast_1d(np.sum(squared_modulus(b - a @ x), axis=0))
        if not isinstance(rest, Operand):  # of a trace there may be none
            residuals = with_value(residuals, rest)
    return x, residuals, rank, _singular_values(a)


@implements(np.linalg.pinv)
def pinv(a: Value, rcond: Any = None, hermitian: bool = False, *, rtol: Any = NOT_GIVEN) -> Any:
    """Of full rank."""
    a = array(a)
    keywords = {} if rcond is None else {"rcond": rcond}
    keywords |= {} if rtol is NOT_GIVEN else {"rtol": rtol}
    values, limit = primal(a), rcond if rcond is not None else None if rtol is NOT_GIVEN else rtol
    inverse = _pseudo_inverse_times("pinv", a, identity(a.shape[-2], a, a.dtype), _rank(values, limit))
    if library(a) is not np:
        return inverse
    return with_value(inverse, np.linalg.pinv(values, hermitian=hermitian, **keywords))


def _rank(values: Value, limit: Any) -> Any:
    if limit is None:
        return np.linalg.matrix_rank(values)
    if library(values) is np:
        return np.linalg.matrix_rank(values, rtol=limit)
    sizes = sizes_of(values)  # CuPy's knows no relative limit
    return np.sum(sizes > limit * np.max(sizes, axis=-1, keepdims=True), axis=-1)
