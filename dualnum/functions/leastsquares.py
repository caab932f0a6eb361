"""Least squares and pseudo-inverses, to any order, of matrices whose rank is constant near the point.

Of full rank they are solved by QR. A matrix A of rank r is C W⁻¹ R with C = A V, R = Uᴴ A and W = Uᴴ A V, where U and V
are the singular vectors of its r singular values at the value, constants: so it is as long as its rank is r, and
A⁺ = R⁺ W C⁺ are pseudo-inverses of full rank (Golub & Pereyra, SIAM J. Numer. Anal. 10, 1973). A jet whose rank
changes along its curve raises, because A⁺ jumps there. A gradient has no curve: it takes the rank for constant.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidValue, NonsmoothPoint
from ..kinds import Value
from ..operand import Operand, implements, is_jet, library, primal
from ..primitives.operation import Operation
from .arguments import NOT_GIVEN
from .keywords import array, with_value
from .matrices import adjoint, from_triangle, identity, solve, square
from .norms import squared_modulus
from .singular import sizes_of

__all__: list[str] = []


def _of_full_rank(name: str, a: Value, b: Value) -> Any:
    """A⁺ B."""
    tall = a.shape[-2] >= a.shape[-1]
    try:
        q, r = np.linalg.qr(a if tall else adjoint(a))
    except NonsmoothPoint:
        raise NonsmoothPoint(
            f"{name}: columns depend on one another within rounding, which NumPy's limit does not cut off; give a "
            f"higher one, such as {'rcond' if name == 'lstsq' else 'rtol'}={max(a.shape[-2:]) * _eps(a):.1g}"
        ) from None
    return solve(r, adjoint(q) @ b) if tall else q @ solve(adjoint(r), b)


def _eps(a: Value) -> float:
    return float(np.finfo(a.dtype).eps)


def _factors(name: str, a: Value, r: int) -> tuple[Any, Any, Any]:
    """C, W and R of matrices of rank r."""
    u, _, vh = np.linalg.svd(primal(a), full_matrices=False)
    u, v = u[..., :r], adjoint(vh)[..., :r]
    _check_constant_rank(name, _without_record(a), u, v)
    c = a @ v
    return c, adjoint(u) @ c, adjoint(u) @ a


def _of_rank(name: str, a: Value, b: Value, r: int) -> Any:
    """A⁺ B of matrices of rank r."""
    if r == min(a.shape[-2:]):
        return _of_full_rank(name, a, b)
    c, w, row = _factors(name, a, r)
    return _of_full_rank(name, row, w @ _of_full_rank(name, c, b))


def _of_ranks(name: str, a: Value, b: Value, ranks: Any) -> Any:
    """A⁺ B, of each matrix of its own rank; b is one for all."""
    full = min(a.shape[-2:])
    lacks: Any = np.any(ranks < full)
    if isinstance(lacks, Operand):  # traced: where it holds, the function itself runs
        lacks._alarm()
        return _of_full_rank(name, a, b)
    if not lacks or a.ndim == 2:
        return _of_rank(name, a, b, int(ranks) if lacks else full)
    flat, ranks = np.reshape(a, (-1, *a.shape[-2:])), np.reshape(ranks, -1)
    places = [np.flatnonzero(ranks == r) for r in np.unique(ranks)]
    parts = np.concatenate([_of_rank(name, flat[of], b, int(ranks[of[0]])) for of in places])
    back = np.argsort(np.concatenate(places))
    return np.reshape(parts[back], (*a.shape[:-2], *parts.shape[1:]))


# ── whether the rank is constant ──────────────────────────────────────────────────────────────────


def _without_record(x: Value) -> Any:
    """Jets of all levels, without what is recorded of them."""
    while isinstance(x, Operand) and not is_jet(x) and x.value is not x:
        x = x.value
    return x._like(_without_record(x.planes), x.extent) if is_jet(x) else x


def _majorant(x: Value) -> Any:
    """The moduli of all coefficients."""
    return x._like(_majorant(x.planes), x.extent) if is_jet(x) else np.abs(x)


def _exceeds(x: Value, y: Value) -> bool:
    """Whether some coefficient of x is larger than the largest entry of the same of y."""
    if is_jet(x) and is_jet(y):
        return _exceeds(x.planes, y.planes)
    return bool(np.any(np.max(np.abs(primal(x)), axis=(-1, -2), initial=0.0) > np.max(primal(y), axis=(-1, -2))))


def _check_constant_rank(name: str, a: Value, u: Value, v: Value) -> None:
    """Raises where A − C W⁻¹ R is not zero within what rounds in such sums."""
    (rows, columns), r = a.shape[-2:], u.shape[-1]
    c, row = a @ v, adjoint(u) @ a
    inverse = np.linalg.inv(adjoint(u) @ c)
    digits = max(rows, columns) * _eps(a) ** 0.75
    sizes = digits * (_majorant(a) + _majorant(c) @ _majorant(inverse) @ _majorant(row))
    rest = a - c @ inverse @ row
    if _exceeds(primal(rest), primal(sizes)):
        raise NonsmoothPoint(
            f"{name}: of a {rows} × {columns} matrix the limit leaves the rank {r}, but the singular values that it "
            "cuts off are not zero, and as they move the result does in another way; write the cut with "
            "np.linalg.svd, or give a lower limit"
        )
    if _exceeds(rest, sizes):
        raise NonsmoothPoint(
            f"{name}: a {rows} × {columns} matrix has the rank {r}, and another one beside this point, where the "
            "result jumps: add a small multiple of the identity (ridge), or leave out dependent columns"
        )


# ── NumPy's functions ─────────────────────────────────────────────────────────────────────────────


def _unknown_series(order: int, s0: Any, a: Sequence[Any]) -> list[Any]:
    return [s0, *[np.nan * s0] * order]


# singular values that are equal in several variables: they have no derivatives, which nobody may have asked for
UNKNOWN = Operation("svdvals", sizes_of, _unknown_series, lambda wanted, g, s, a: [np.nan * a])


def _singular_values(a: Value, rank: Any) -> Any:
    """Those that are zero stay so, and the others are those of a matrix of full rank."""
    if not isinstance(rank, Operand) and rank < min(a.shape):
        c, w, row = _factors("lstsq", a, int(rank))
        s = _singular_values(np.linalg.qr(c, "r") @ solve(w, row), rank)
        zeros = library(a).zeros(min(a.shape) - int(rank), s.dtype)
        return with_value(np.concatenate([s, zeros]), sizes_of(primal(a)))
    try:
        return np.linalg.svd(a, compute_uv=False)
    except NonsmoothPoint:
        return UNKNOWN(a)


@implements(np.linalg.lstsq)
def lstsq(a: Value, b: Value, rcond: Any = None) -> Any:
    """The solution of least length of matrices of constant rank, by QR; residuals and singular values as NumPy's.

    Singular values that are equal and have no derivatives have NaN for them.
    """
    a, b = array(a), array(b)
    value, rest, rank, _ = np.linalg.lstsq(primal(a), primal(b), rcond)
    x = _of_ranks("lstsq", a, b[:, None] if b.ndim == 1 else b, rank)
    x = with_value(x[:, 0] if b.ndim == 1 else x, value)
    real = np.finfo(x.dtype).dtype  # of the common type of both
    residuals, s = library(a).zeros(0, real), _singular_values(a, rank)
    rows, columns = a.shape
    if rows > columns and (isinstance(rank, Operand) or rank == columns):
        residuals = np.atleast_1d(np.sum(squared_modulus(b - a @ x), axis=0))
        if not isinstance(rest, Operand):  # of a trace there may be none
            residuals = with_value(residuals, rest)
    return x, residuals, rank, s if s.dtype == real else s.astype(real)


@implements(np.linalg.pinv)
def pinv(a: Value, rcond: Any = None, hermitian: bool = False, *, rtol: Any = NOT_GIVEN) -> Any:
    """Of constant rank, which is the number of singular values above NumPy's limit."""
    if rcond is not None and rtol is not NOT_GIVEN:
        raise InvalidValue("pinv: rcond and rtol are both given; expected one of them, rtol")
    a = array(a)
    if hermitian:
        a = from_triangle(square("pinv", a))
    values, given = primal(a), rtol if rcond is None else rcond
    roundings = max(a.shape[-2:]) * _eps(a)
    limit = 1e-15 if given is NOT_GIVEN else roundings if given is None else given
    ranks = _ranks(values, limit, roundings if given is NOT_GIVEN else 0.0)
    inverse = _of_ranks("pinv", a, identity(a.shape[-2], a, a.dtype), ranks)
    return with_value(inverse, np.linalg.pinv(values, limit, hermitian)) if library(a) is np else inverse


def _ranks(values: Value, limit: Any, least: float) -> Any:
    """How many singular values lie above the limit; raises where some of these do not lie above the least."""
    sizes = sizes_of(values)
    if not sizes.shape[-1]:
        return library(values).zeros(sizes.shape[:-1], int)
    largest = np.max(sizes, axis=-1, keepdims=True)
    kept = sizes > (limit[..., None] if np.ndim(limit) else limit) * largest
    noise: Any = np.any(kept & (sizes <= least * largest))
    if isinstance(noise, Operand):
        noise._alarm()
    elif noise:
        raise NonsmoothPoint(
            "pinv: there are singular values that are roundings and lie above the limit of 1e-15; with rtol=None they "
            "count as zero"
        )
    return np.sum(kept, axis=-1)
