"""Eigenvalues and their vectors, to any order; those of Hermitian matrices also where they are equal."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidValue, NonsmoothPoint
from ..kinds import Value
from ..operand import Operand, implements, primal, visible
from ..primitives.operation import Operation
from .keywords import array, with_value
from .matrices import adjoint, conjugated, from_triangle, identity, product, solve, solver, square, transposed
from .norms import squared_modulus
from .splitting import block_series, blocks_of, constant_in_blocks, diagonal_of, eigen_series, less, unsettled

__all__ = ["SPECTRAL", "check_invariant", "in_order", "turned"]

Coefficients = Sequence[Any]

# ── Hermitian matrices ────────────────────────────────────────────────────────────────────────────


def _eigenvalues_series(order: int, w0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [w0]
    w, v = np.linalg.eigh(a[0])
    return [w0, *eigen_series("eigvalsh", order, v, w, a, "")[0][1:]]


def _eigenvalues_pull(wanted: Sequence[bool], g: Value, w: Value, a: Value) -> list[Any]:
    return [conjugated(SPECTRAL(g[..., None, :], a))]


EIGENVALUES = Operation("eigvalsh", np.linalg.eigvalsh, _eigenvalues_series, _eigenvalues_pull)


def _spectral(g: Value, a: Value) -> Any:
    """V diag(g) Vᴴ of rows of numbers g, (…, 1, n), that are the same where eigenvalues are."""
    w, v = np.linalg.eigh(a)
    if blocks := blocks_of("eigvalsh", w):
        constant_in_blocks("eigvalsh", g[..., 0, :], blocks, w)
    return (v * g) @ adjoint(v)


def _spectral_series(order: int, y0: Any, g: Coefficients, a: Coefficients) -> list[Any]:
    """Σ V_i G_j V_lᴴ, in vectors of each direction's own: what they share at the value does not depend on them."""
    w, v = np.linalg.eigh(a[0])
    if len(a) == 1:
        return [y0, *((v * c) @ adjoint(v) for c in g[1:])]
    blocks = blocks_of("eigvalsh", w) if len(g) == 1 else None
    if blocks:  # nobody needs to know how they split
        vectors = [v @ c for c in block_series(order, v, w, a, blocks, order)[1]]
    else:
        vectors = eigen_series("eigvalsh", order, v, w, a, "each")[1]
    adjoints = [adjoint(x) for x in vectors]
    scaled = [
        series.total(vectors[k - j] * g[j] for j in range(min(k + 1, len(g))) if type(g[j]) is not int)
        for k in range(order + 1)
    ]
    return [y0, *(product(scaled, adjoints, k) for k in range(1, order + 1))]


def _spectral_pull(wanted: Sequence[bool], c: Value, y: Value, g: Value, a: Value) -> list[Any]:
    """ḡ = diag Vᴴ C V, and V (Vᴴ C V ∘ (g_j − g_i)/(w_j − w_i)) Vᴴ (Daleckii & Krein 1965)."""
    w, v = _parted(EIGEN(a))
    inner = adjoint(v) @ conjugated(c) @ v
    inner = 0.5 * (inner + adjoint(inner))
    inside = identity(w.shape[-1], w)
    if blocks := blocks_of("eigvalsh", w):
        if wanted[0]:
            raise NonsmoothPoint(
                f"eigvalsh: {blocks.named(w)}, and a gradient of a gradient needs to know how they split; take the "
                "second derivatives forward (dn.hvp, dn.hessian)"
            )
        inside = blocks.same
    quotients = (g - np.swapaxes(g, -1, -2)) / np.where(inside, 1.0, w[..., None, :] - w[..., :, None])
    result = v @ np.where(inside, 0.0, inner * quotients) @ adjoint(v)
    return [diagonal_of(inner)[..., None, :] if wanted[0] else None, conjugated(result)]


SPECTRAL = Operation("eigvalsh", _spectral, _spectral_series, _spectral_pull)


def _pairs_of(a: Value) -> Any:
    """The eigenvalues as a row above the vectors."""
    w, v = np.linalg.eigh(a)
    return np.concatenate([w[..., None, :], v], axis=-2)


def _parted(pairs: Value) -> tuple[Any, Any]:
    return np.real(pairs[..., 0, :]), pairs[..., 1:, :]


def _eigen_pairs_series(order: int, pairs: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [pairs]
    w, v = _parted(pairs)
    values, vectors = eigen_series("eigh", order, v, w, a)
    above = [(0 * w if type(x) is int else x)[..., None, :] for x in values]
    return [np.concatenate([x, y], axis=-2) for x, y in zip(above, vectors, strict=True)]


def _eigen_pairs_pull(wanted: Sequence[bool], g: Value, pairs: Value, a: Value, reach: Any = None) -> list[Any]:
    """V (diag w̄ + ½(P + Pᴴ)) Vᴴ with P = Vᴴ v̄ / (w_j − w_i) outside of the diagonal.

    Where values are equal, P is zero for functions that see no more of the vectors than the space of the block.
    """
    w, v = _parted(pairs)
    to_w, to_v = _parted(g)
    inner, inside = adjoint(v) @ conjugated(to_v), identity(w.shape[-1], w)
    if blocks := blocks_of("eigh", w):
        check_invariant("eigh", to_w, inner, blocks, w, reach, g.shape)
        inside = blocks.same
    off = np.where(inside, 0.0, inner / np.where(inside, 1.0, w[..., None, :] - w[..., :, None]))
    inner = 0.5 * (off + adjoint(off)) + np.where(identity(w.shape[-1], w), to_w[..., None, :], 0.0)
    return [conjugated(v @ inner @ adjoint(v))]


def check_invariant(
    name: str, to_w: Value, inner: Value, blocks: Any, w: Value, reach: Any, shape: tuple[int, ...]
) -> None:
    """Raises where a function tells equal values, or the vectors of a block, apart.

    And where it uses both: h(A) = V diag h(w) Vᴴ has a derivative by all of the block, of which neither knows.
    """
    if not visible(primal(inner)):
        return
    uses_w = uses_v = np.ones(w.shape, bool)
    if reach is not None:
        used = np.broadcast_to(reach(), shape)
        uses_w, uses_v = used[..., 0, :], np.any(used[..., 1:, :], axis=-2)
    some_w, some_v = (np.any(blocks.same & used[..., None, :], axis=-1) for used in (uses_w, uses_v))
    if np.any((some_w & ~uses_w) | (some_v & ~uses_v)):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, and the function uses some of them, or of their vectors, and not all: it has "
            "no gradient there. Functions of all of them have one; along one curve they split (dn.taylor, dn.jvp)"
        )
    if np.any(some_w & some_v & ~blocks.alone):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, and the function uses both them and their vectors, which does not tell how it "
            "depends on them; call np.linalg.eigvalsh for the values, dn.linalg.expm, logm or sqrtm for functions of "
            "the matrix, or differentiate forward along one curve (dn.jvp, dn.taylor)"
        )
    constant_in_blocks(name, to_w, blocks, w)
    numbers = primal(inner)
    skew = np.where(blocks.same, np.abs(numbers - adjoint(numbers)), 0.0)
    limit = 64 * w.shape[-1] * np.finfo(numbers.dtype).eps * np.max(np.abs(numbers), axis=(-2, -1), initial=0.0)
    if np.any(skew > limit[..., None, None]):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, so their vectors may be any of one space, and the function tells them apart; "
            "functions of the space (v @ v.T of all of its vectors) have a gradient"
        )


EIGEN = Operation("eigh", _pairs_of, _eigen_pairs_series, _eigen_pairs_pull, reads_reach=True)
_EIGH: Any = type(np.linalg.eigh(np.eye(1)))


def _triangle_of(name: str, uplo: Any) -> bool:
    if str(uplo).upper() not in ("L", "U"):
        raise InvalidValue(f"{name}: UPLO is {uplo!r}; expected 'L' or 'U'")
    return str(uplo).upper() == "L"


def turned(v: Value, row: Any) -> Any:
    """Vectors whose component in this row stays real, as at the value: LAPACK has such a row for each function."""
    if v.dtype.kind != "c":
        return v
    turn = v[..., row, :] if isinstance(row, slice) else np.take_along_axis(v, row, axis=-2)
    now = primal(turn)
    phased = np.abs(now) > np.sqrt(np.finfo(now.dtype).eps)  # what is zero has no phase
    turn = np.where(phased, turn, 1.0)
    return v * (np.conjugate(turn) / np.abs(turn)) * np.where(phased & (np.real(now) < 0), -1.0, 1.0).astype(v.dtype)


@implements(np.linalg.eigh)
def eigh(a: Value, UPLO: Any = "L") -> Any:
    """Vectors of length 1, which turn in the complex plane as LAPACK's do; of equal values see `splitting`."""
    a, lower = square("eigh", a), _triangle_of("eigh", UPLO)
    w, v = _parted(EIGEN(from_triangle(array(a), lower)))
    blocks = blocks_of("eigh", w)
    own, right = primal(w), primal(v)
    if not lower:  # LAPACK has other phases
        own, right = np.linalg.eigh(primal(a), UPLO)
        apart = np.sum(np.conjugate(primal(v)) * right, axis=-2, keepdims=True)
        v = v * _phase(apart if blocks is None else np.where(blocks.alone[..., None, :], apart, 1.0))
    v = turned(v, slice(0, 1) if lower else slice(-1, None))
    right = right if blocks is None else np.where(blocks.alone[..., None, :], right, primal(v))
    v = with_value(v, right)
    return _EIGH(with_value(w, own), v if blocks is None else unsettled("eigh", w, v, blocks))


def _phase(x: Value) -> Any:
    return x / np.abs(x)


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Value, UPLO: Any = "L") -> Any:
    return EIGENVALUES(from_triangle(square("eigvalsh", a), _triangle_of("eigvalsh", UPLO)))


# ── eigenvalues of any matrix ─────────────────────────────────────────────────────────────────────


_HALF = 0.5  # eigenvalues that meet without vectors of their own come out with half of the digits


def _gaps(w: Value) -> Any:
    """w_j − w_i, 1 on the diagonal; raises where two are equal to half of all digits."""
    gaps = w[..., None, :] - w[..., :, None]
    gaps = np.where(identity(w.shape[-1], w), 1.0, gaps)
    numbers, sizes = primal(gaps), primal(w)
    if isinstance(numbers, Operand):  # traced: where it holds, the function itself runs, and raises
        zero: Any = np.any(numbers == 0)
        zero._alarm()
    elif sizes.size:
        largest = np.max(np.abs(sizes), axis=-1)[..., None, None]
        if np.any(np.abs(numbers) <= 8 * np.finfo(numbers.dtype).eps ** _HALF * largest):
            raise NonsmoothPoint(
                "eig: there are equal values, and a matrix that is not Hermitian may have no vectors of its own for "
                "them; functions of all of them may be written without them (np.linalg.det, np.trace, a @ a, …), "
                "Hermitian matrices have np.linalg.eigh"
            )
    return gaps


def _any_eigen_series(order: int, v: Value, w: Value, a: Coefficients) -> tuple[list[Any], list[Any]]:
    """A V = V Λ as for Hermitian matrices, with V⁻¹ in place of Vᴴ and vectors that do not grow along themselves."""
    n = v.shape[-1]
    gaps, diagonal = _gaps(w), identity(n, w)
    solved = solver(v)
    moved = [a[0], *(solved(a_k @ v) for a_k in a[1:])]
    u, values = [identity(n, v, v.dtype) + 0 * v], [w]
    for k in range(1, order + 1):
        s = series.total(moved[j] @ u[k - j] for j in range(1, min(k + 1, len(moved))))
        back = series.total(u[k - j] * values[j][..., None, :] for j in range(1, k))
        s = less(s, back)
        values.append(np.sum(np.where(diagonal, s, 0.0), axis=-2) if type(s) is not int else 0 * w)
        u.append(np.where(diagonal, 0.0, s / gaps) if type(s) is not int else 0 * u[0])
    return values, u


def _any_values_series(order: int, w0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [w0]
    return [w0, *_any_eigen_series(order, ANY_VECTORS(a[0]), w0, a)[0][1:]]


def _any_vectors_series(order: int, v0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [v0]
    return [v0, *(v0 @ u_k for u_k in _any_eigen_series(order, v0, ANY_VALUES(a[0]), a)[1][1:])]


def _any_values_pull(wanted: Sequence[bool], g: Value, w: Value, a: Value) -> list[Any]:
    """V⁻ᵀ diag(w̄) Vᵀ."""
    _gaps(w)
    v = ANY_VECTORS(a)
    return [solve(transposed(v), g[..., :, None] * transposed(v))]


def _any_vectors_pull(wanted: Sequence[bool], g: Value, v: Value, a: Value) -> list[Any]:
    """V⁻ᵀ (Vᵀ v̄ / (w_j − w_i)) Vᵀ without the diagonal."""
    gaps = _gaps(ANY_VALUES(a))
    inner = np.where(identity(v.shape[-1], v), 0.0, (transposed(v) @ g) / gaps)
    return [solve(transposed(v), inner @ transposed(v))]


# the values of `eig`, whose order the vectors share
ANY_VALUES = Operation("eig", lambda a: np.linalg.eig(a)[0], _any_values_series, _any_values_pull, True)
ANY_VECTORS = Operation("eig", lambda a: np.linalg.eig(a)[1], _any_vectors_series, _any_vectors_pull, True)
_EIG: Any = type(np.linalg.eig(np.eye(1)))


@implements(np.linalg.eigvals)
def eigvals(a: Value) -> Any:
    """Of distinct eigenvalues."""
    return in_order(ANY_VALUES(square("eigvals", a)), np.linalg.eigvals(primal(a)))


def in_order(w: Value, values: Value) -> Any:
    """Eigenvalues with the values of others, and in their order, that are the same numbers but for roundings."""
    own = primal(w)
    if isinstance(own, Operand) or not own.size:  # of a trace it is not known whether the others are real
        return w
    nearest = np.argmin(np.abs(values[..., :, None] - own[..., None, :]), axis=-1)
    return with_value(np.take_along_axis(w, nearest, axis=-1), values)


@implements(np.linalg.eig)
def eig(a: Value) -> Any:
    """Of distinct eigenvalues; vectors of length 1 whose largest component stays real, as LAPACK has them."""
    a = square("eig", a)
    w, v = ANY_VALUES(a), ANY_VECTORS(a)
    native = primal(v)
    v = v / np.sqrt(np.sum(squared_modulus(v), axis=-2, keepdims=True))
    if v.dtype.kind == "c" and 0 not in v.shape:
        v = turned(v, np.argmax(np.abs(native), axis=-2)[..., None, :])
    return _EIG(w, with_value(v, native))
