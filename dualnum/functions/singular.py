"""Singular values and their vectors, to any order: (u, ±v) are the eigenvectors of (0 A; Aᴴ 0) with eigenvalues ±s.

Values that are equal split along a curve as eigenvalues do (see `splitting`). Where one is zero it is the modulus of
a function that changes its sign, and has the subgradient 0 as a modulus has; its vectors have no derivatives.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidMatrix, NonsmoothPoint
from ..kinds import Value
from ..operand import Operand, implements, library, primal
from ..primitives.operation import Operation
from .arguments import on_values
from .complement import completed
from .keywords import array, with_value
from .matrices import adjoint, conjugated, from_triangle, identity, product, square, transposed
from .spectra import SPECTRAL, check_invariant, turned
from .splitting import (
    Blocks,
    blocks_of,
    constant_in_blocks,
    diagonal_of,
    less,
    size,
    sizes_of_sums,
    split,
    unsettled,
)

__all__ = ["sizes_of"]

Coefficients = Sequence[Any]

# ── series ────────────────────────────────────────────────────────────────────────────────────────


def _zeros(s: Value) -> Any:
    """Which values are zero, within rounding; None where none is, which a trace takes for granted, with an alarm."""
    numbers = primal(s)
    if not isinstance(numbers, Operand) and not numbers.size:
        return None
    eps = np.finfo(numbers.dtype).eps
    zero: Any = numbers <= 8 * eps * np.max(numbers, axis=-1, keepdims=True)
    if isinstance(numbers, Operand):
        some: Any = np.any(zero)
        some._alarm()
        return None
    return zero if np.any(zero) else None


def _structure(s: Value) -> tuple[Blocks | None, Any]:
    """The blocks of equal values above zero, and which values are zero; None where there are none."""
    blocks, zero = blocks_of("svd", s), _zeros(s)
    if blocks is not None and zero is not None:
        n = s.shape[-1]
        blocks = Blocks(np.where(zero, n + np.arange(n), blocks.labels))
        blocks = None if np.all(blocks.alone) else blocks
    return blocks, zero


def _across(x: Value, basis: Any, s: Value, zero: Any) -> Any:
    """What of the columns of x is orthogonal to the basis, over s; the structural zero of a basis that is complete."""
    if zero is None and basis.shape[-1] == basis.shape[-2]:
        return 0
    return (x - basis @ (adjoint(basis) @ x)) / s[..., None, :]


def _without(zero: Any, *vectors: Value) -> Any:
    """The vectors, zeros in place of those that belong to zero values: these are any basis of what is across."""
    return (np.where(zero[..., None, :], 0.0, x) for x in vectors)


def _singular_series(
    order: int, u0: Any, s0: Any, v0: Any, a: Coefficients, vectors: str
) -> tuple[list[Any], list[Any], list[Any]]:
    """A V = U S and Aᴴ U = V S, with Hermitian blocks M in place of S where values are equal.

    In the bases at the value U = U_0 (P + Q), V = V_0 (P − Q), where P is what the eigenvectors of (0 A; Aᴴ 0) have in
    common and Q what belongs to −S: their gaps are s_j − s_i and s_j + s_i. Columns of zero values do not move.
    """
    first, others = u0, v0
    blocks, zero = _structure(s0)
    inside = identity(s0.shape[-1], s0) if blocks is None else blocks.same
    gaps = np.where(inside, 1.0, s0[..., None, :] - s0[..., :, None])
    sums, over = s0[..., None, :] + s0[..., :, None], s0
    if zero is not None:
        both = zero[..., None, :] & zero[..., :, None]
        gaps, sums, over = np.where(both, 1.0, gaps), np.where(both, 1.0, sums), np.where(zero, 1.0, s0)
        u0, v0 = _without(zero, u0, v0)
    adjoints = [adjoint(a_k) if type(a_k) is not int else 0 for a_k in a]
    u, v = [u0], [v0]
    m: list[Any] = []
    for k in range(1, order + 1):
        p, q = _known(a, v, u, m, k, blocks), _known(adjoints, u, v, m, k, blocks)
        if type(p) is int:
            m.append(0)
            u.append(0 * u0)
            v.append(0 * v0)
            continue
        if zero is not None:
            p, q = _without(zero, p, q)
        x, y = adjoint(u0) @ p, adjoint(v0) @ q
        plus, minus = 0.5 * (x + y), 0.5 * (x - y)
        m.append(diagonal_of(plus) if blocks is None else np.where(inside, 0.5 * (plus + adjoint(plus)), 0.0))
        on: Any = 0.0
        if k > 1:
            on = product([*map(adjoint, u)], u, k, 1, k - 1) + product([*map(adjoint, v)], v, k, 1, k - 1)
            on = -0.25 * (diagonal_of(on)[..., None, :] if blocks is None else 0.5 * (on + adjoint(on)))
        plus, minus = np.where(inside, on, plus / gaps), minus / sums
        u.append(u0 @ (plus + minus) + _across(p, u0, over, zero))
        v.append(v0 @ (plus - minus) + _across(q, v0, over, zero))
    if blocks is None:
        return [first, *u[1:]], [s0, *(0 * s0 if type(x) is int else x for x in m)], [others, *v[1:]]
    both_sizes = [x + y for x, y in zip(map(size, u), map(size, v), strict=True)]
    sizes = sizes_of_sums([*map(size, a)], both_sizes, [*map(size, m)])
    values, turned = split("svd", order, s0, m, blocks, sizes, vectors, descending=True)
    if not vectors:
        return [], [s0, *values], []
    u, v = ([product(x, turned, k) for k in range(order + 1)] for x in ([first, *u[1:]], [others, *v[1:]]))
    return u, [s0, *values], v


def _known(a: Coefficients, v: Coefficients, u: Coefficients, m: Coefficients, k: int, blocks: Blocks | None) -> Any:
    """Σ_{j≥1} A_j V_{k−j} − Σ_{0<j<k} U_{k−j} M_j."""
    back = (
        u[k - j] * m[j - 1][..., None, :] if blocks is None else u[k - j] @ m[j - 1]
        for j in range(1, k)
        if type(m[j - 1]) is not int
    )
    return less(product(a, v, k, 1), series.total(back))


# ── the values ────────────────────────────────────────────────────────────────────────────────────


def _singular_values_series(order: int, s0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [s0]
    _, u, v = _parted(SINGULAR(a[0]), a[0].shape[-2])
    return [s0, *_singular_series(order, u, s0, v, a, "")[1][1:]]


def _singular_values_pull(wanted: Sequence[bool], g: Value, s: Value, a: Value) -> list[Any]:
    """U diag(s̄) Vᴴ, of cotangents without conjugation; where the vectors are not known alone, by (0 A; Aᴴ 0)."""
    blocks, zero = _structure(s)
    if zero is not None:
        g = np.where(zero, 0.0, g)
    if blocks is None:
        _, u, v = _parted(SINGULAR(a), a.shape[-2])
        if zero is not None:  # their vectors are not asked for
            u, v = _without(zero, u, v)
        return [np.conjugate(u * g[..., None, :]) @ transposed(v)]
    constant_in_blocks("svd", g, blocks, s)
    rows, columns = a.shape[-2:]
    zeros = library(a).zeros
    above = np.concatenate([zeros((*a.shape[:-1], rows), a.dtype), a], axis=-1)
    below = np.concatenate([adjoint(a), zeros((*a.shape[:-2], columns, columns), a.dtype)], axis=-1)
    rest = zeros((*s.shape[:-1], rows + columns - 2 * s.shape[-1]), s.dtype)
    ascending = np.concatenate([-g, rest, np.flip(g, -1)], axis=-1)
    both = SPECTRAL(ascending[..., None, :], np.concatenate([above, below], axis=-2))
    return [conjugated(both[..., :rows, rows:])]


SINGULAR_VALUES = Operation(
    "svd", lambda a: np.linalg.svd(a, full_matrices=False)[1], _singular_values_series, _singular_values_pull
)


# ── values and vectors ────────────────────────────────────────────────────────────────────────────


def _pairs(a: Value) -> Any:
    """The singular values as a row above U, and that above V."""
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([s[..., None, :], u, adjoint(vh)], axis=-2)


def _parted(pairs: Any, rows: int) -> tuple[Any, Any, Any]:
    return np.real(pairs[..., 0, :]), pairs[..., 1 : rows + 1, :], pairs[..., rows + 1 :, :]


def _singular_pairs_series(order: int, pairs: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [pairs]
    s0, u0, v0 = _parted(pairs, a[0].shape[-2])
    u, s, v = _singular_series(order, u0, s0, v0, a, "shared")
    above = [(0 * s0 if type(x) is int else x)[..., None, :] for x in s]
    return [np.concatenate(parts, axis=-2) for parts in zip(above, u, v, strict=True)]


def _check_zeros(zero: Any) -> None:
    if zero is not None and np.any(zero):
        raise NonsmoothPoint(
            "svd: there are zeros among the singular values, whose vectors have no derivatives; np.linalg.svdvals and "
            "np.linalg.norm have them, with the subgradient 0 there"
        )


def _singular_pairs_pull(wanted: Sequence[bool], g: Value, pairs: Any, a: Value, reach: Any = None) -> list[Any]:
    """The transpose of one step of `_singular_series`, of cotangents without conjugation."""
    s, u, v = _parted(pairs, a.shape[-2])
    to_s, to_u, to_v = _parted(g, a.shape[-2])
    blocks, zero = _structure(s)
    if zero is not None:
        u, v = _without(zero, u, v)
    x, y = adjoint(u) @ conjugated(to_u), adjoint(v) @ conjugated(to_v)
    inside, sums, over = identity(s.shape[-1], s), s[..., None, :] + s[..., :, None], s
    if blocks is not None:
        check_invariant("svd", to_s, x + y, blocks, s, reach, g.shape)
        inside = blocks.same
    if zero is not None:
        used = True if reach is None else np.any(np.broadcast_to(reach(), g.shape)[..., 1:, :], axis=-2)
        _check_zeros(zero & used)
        both = zero[..., None, :] & zero[..., :, None]
        to_s, inside = np.where(zero, 0.0, to_s), inside | both
        sums, over = np.where(both, 1.0, sums), np.where(zero, 1.0, s)
    plus = np.where(inside, 0.0, (x + y) / np.where(inside, 1.0, s[..., None, :] - s[..., :, None]))
    minus = (x - y) / sums
    p = 0.5 * (u @ (plus + minus)) + _across(conjugated(to_u), u, over, zero)
    q = 0.5 * (v @ (plus - minus)) + _across(conjugated(to_v), v, over, zero)
    result = p @ adjoint(v) + u @ adjoint(q) + (u * to_s[..., None, :]) @ adjoint(v)
    return [conjugated(result)]


SINGULAR = Operation("svd", _pairs, _singular_pairs_series, _singular_pairs_pull, reads_reach=True)
_SVD: Any = type(np.linalg.svd(np.eye(1)))


def sizes_of(a: Value) -> Any:
    """np.linalg.svdvals, which CuPy knows by its older name."""
    return np.linalg.svd(a, compute_uv=False)


@implements(np.linalg.svdvals)
def svdvals(x: Value, /) -> Any:
    x = array(x)
    return with_value(SINGULAR_VALUES(x), sizes_of(primal(x)))


@implements(np.linalg.svd)
def svd(a: Value, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Vectors of length 1, which turn as LAPACK's do; a full set has the gauge of `complement`."""
    a = array(a)
    rows, columns = a.shape[-2:]
    if hermitian:
        a = from_triangle(square("svd", a))
    if not compute_uv:
        return np.linalg.svdvals(a)
    if hermitian:
        return _of_hermitian(a)
    s, u, v = _parted(SINGULAR(a), rows)
    if hasattr(a, "planes"):  # of what is recorded, the sweep knows which vectors are asked for
        _check_zeros(_zeros(s))
    pairs = np.concatenate([u, v], axis=-2)
    if rows and columns:
        pairs = turned(pairs, slice(0, 1) if rows < columns else slice(rows, rows + 1))
    u, v = pairs[..., :rows, :], pairs[..., rows:, :]
    if full_matrices and rows != columns:
        left, _, right = np.linalg.svd(primal(a))
        u, v = (completed(u, left), v) if rows > columns else (u, completed(v, adjoint(right)))
    return _SVD(*_guarded(u, s, adjoint(v)))


def _guarded(u: Value, s: Value, vh: Value) -> tuple[Any, Any, Any]:
    """The same, where values are equal with vectors that may be asked for together only."""
    blocks, _ = _structure(s)
    if blocks is None:
        return u, s, vh
    return unsettled("svd", s, u, blocks), s, unsettled("svd", s, vh, blocks, axis=-2)


def _of_hermitian(a: Value) -> Any:
    """By the eigenvalues w, as NumPy has it: s = |w|, and v = u sign w."""
    w, u = np.linalg.eigh(a)
    sign, places = np.sign(primal(w)), np.flip(np.argsort(np.abs(primal(w)), axis=-1), -1)
    s = np.take_along_axis(w * sign, places, axis=-1)
    _check_zeros(_zeros(s))
    u, v = (np.take_along_axis(x, places[..., None, :], axis=-1) for x in (u, u * sign[..., None, :]))
    return _SVD(*_guarded(u, s, adjoint(v)))


@implements(np.linalg.cond)
def cond(x: Value, p: Value = None) -> Any:
    """‖A‖ ‖A⁻¹‖; by the singular values for p = 2 and −2."""
    x = array(x)
    if 0 in x.shape[-2:]:
        raise InvalidMatrix(f"cond: x has shape {tuple(x.shape)}; expected matrices that are not empty")
    if p is None or p in (2, -2):
        s = SINGULAR_VALUES(x)
        zero = _zeros(s)
        if zero is not None and np.any(zero[..., 0 if p == -2 else -1]):
            raise _infinite_condition()
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    x = square("cond", x)
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise _infinite_condition() from None
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1))


def _infinite_condition() -> NonsmoothPoint:
    return NonsmoothPoint(
        "cond: a matrix is singular, where its condition is infinite and has no derivative; its reciprocal, "
        "np.linalg.cond(x, -2), is zero there and has the subgradient of a modulus"
    )


on_values(np.linalg.matrix_rank)
