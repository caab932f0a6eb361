"""Eigenvalues, singular values and their vectors, to any order, where they are distinct."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidValue, NonsmoothPoint, NotDifferentiable
from ..kinds import Value
from ..operand import Operand, implements, primal
from ..primitives.operation import Operation
from .arguments import on_values
from .keywords import array, with_value
from .matrices import adjoint, conjugated, from_triangle, identity, product, solve, solver, square, transposed
from .norms import squared_modulus

__all__ = ["in_order", "sizes_of"]

Coefficients = Sequence[Any]

# ── Hermitian matrices ────────────────────────────────────────────────────────────────────────────


def _gaps(name: str, w: Value, digits: float = 1.0) -> Any:
    """w_j − w_i, 1 on the diagonal; raises where two are equal to so many of all digits."""
    gaps = w[..., None, :] - w[..., :, None]
    gaps = np.where(identity(w.shape[-1], w), 1.0, gaps)
    _check_apart(name, gaps, w, digits)
    return gaps


def _check_apart(name: str, gaps: Any, w: Value, digits: float = 1.0) -> None:
    """Raises where a gap between eigenvalues or singular values is zero."""
    numbers, sizes = primal(gaps), primal(w)
    if isinstance(numbers, Operand):  # traced: where it holds, the function itself runs, and raises
        zero: Any = np.any(numbers == 0)
        zero._alarm()
        return
    if not sizes.size:
        return
    largest = np.max(np.abs(sizes), axis=-1)[..., None, None]
    if np.any(np.abs(numbers) <= 8 * np.finfo(numbers.dtype).eps ** digits * largest):
        raise NonsmoothPoint(
            f"{name}: there are equal values (or zeros, of singular values), whose order and vectors have no "
            "derivative; functions of all of them may be written without them (np.linalg.det, np.trace, a @ a, …)"
        )


def _eigen_series(name: str, order: int, basis: Any, w: Value, a: Coefficients) -> tuple[list[Any], list[Any]]:
    """A V = V Λ in the basis of the eigenvectors at the value: Λ_k, and U_k with V = V_0 U.

    (U_k)_ij (w_j − w_i) = (S_k)_ij and Λ_k = diag S_k, with S_k = Σ_{j≥1} Ã_j U_{k−j} − Σ_{0<j<k} U_{k−j} Λ_j, and a
    real diagonal from Uᴴ U = 1.
    """
    n = basis.shape[-1]
    gaps, diagonal = _gaps(name, w), identity(n, w)
    moved = [a[0], *(adjoint(basis) @ a_k @ basis for a_k in a[1:])]
    u: list[Any] = [identity(n, basis, float) + 0 * basis]
    adjoints, values = [adjoint(u[0])], [w]
    for k in range(1, order + 1):
        s = series.total(moved[j] @ u[k - j] for j in range(1, min(k + 1, len(moved))))
        back = series.total(u[k - j] * values[j][..., None, :] for j in range(1, k))
        s = s if type(back) is int else -back if type(s) is int else s - back
        if type(s) is int:
            values.append(0 * values[0])
            u.append(0 * u[0])
        else:
            values.append(np.real(np.sum(np.where(diagonal, s, 0.0), axis=-2)))
            length = product(adjoints, u, k, 1, k - 1)
            on: Any = 0.0
            if type(length) is not int:
                on = -0.5 * np.real(np.sum(np.where(diagonal, length, 0.0), axis=-1))[..., None, :]
            u.append(np.where(diagonal, on, s / gaps))
        adjoints.append(adjoint(u[k]))
    return values, u


def _eigenvalues_series(order: int, w0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [w0]
    w, v = np.linalg.eigh(a[0])
    return [w0, *_eigen_series("eigvalsh", order, v, w, a)[0][1:]]


def _eigenvectors_series(order: int, v0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [v0]
    w = np.linalg.eigvalsh(a[0])
    return [v0, *(v0 @ u_k for u_k in _eigen_series("eigh", order, v0, w, a)[1][1:])]


def _eigenvalues_pull(wanted: Sequence[bool], g: Value, w: Value, a: Value) -> list[Any]:
    """V diag(w̄) Vᴴ, of cotangents without conjugation."""
    _gaps("eigvalsh", w)
    v = np.linalg.eigh(a)[1]
    return [np.conjugate(v) @ (g[..., :, None] * transposed(v))]


def _eigenvectors_pull(wanted: Sequence[bool], g: Value, v: Value, a: Value) -> list[Any]:
    """V (Vᴴ v̄ / (w_j − w_i)) Vᴴ without the diagonal, of cotangents without conjugation."""
    w = np.linalg.eigvalsh(a)
    inner = adjoint(v) @ conjugated(g)
    inner = np.where(identity(w.shape[-1], w), 0.0, inner / _gaps("eigh", w))
    result = v @ inner @ adjoint(v)
    result = 0.5 * (result + adjoint(result))
    return [conjugated(result)]


EIGENVALUES = Operation("eigvalsh", np.linalg.eigvalsh, _eigenvalues_series, _eigenvalues_pull)
EIGENVECTORS = Operation("eigh", lambda a: np.linalg.eigh(a)[1], _eigenvectors_series, _eigenvectors_pull)
_EIGH: Any = type(np.linalg.eigh(np.eye(1)))


def _triangle_of(name: str, uplo: Any) -> bool:
    if str(uplo).upper() not in ("L", "U"):
        raise InvalidValue(f"{name}: UPLO is {uplo!r}; expected 'L' or 'U'")
    return str(uplo).upper() == "L"


def _turned(v: Value, row: Any) -> Any:
    """Vectors whose component in this row stays real, as at the value: LAPACK has such a row for each function."""
    if v.dtype.kind != "c":
        return v
    turn = v[..., row, :] if isinstance(row, slice) else np.take_along_axis(v, row, axis=-2)
    now = primal(turn)
    turn = np.where(now == 0, 1.0, turn)
    return v * (np.conjugate(turn) / np.abs(turn)) * np.where(np.real(now) < 0, -1.0, 1.0)


@implements(np.linalg.eigh)
def eigh(a: Value, UPLO: Any = "L") -> Any:
    """Of distinct eigenvalues; the vectors stay of length 1 and turn in the complex plane as LAPACK's do."""
    lower = _triangle_of("eigh", UPLO)
    values, vectors = np.linalg.eigh(primal(square("eigh", a)), UPLO)
    a = from_triangle(array(a), lower)
    w, v = EIGENVALUES(a), EIGENVECTORS(a)
    apart = np.sum(np.conjugate(primal(v)) * vectors, axis=-2, keepdims=True)
    v = _turned(v * (apart / np.abs(apart)), slice(0, 1) if lower else slice(-1, None))
    return _EIGH(with_value(w, values), with_value(v, vectors))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: Value, UPLO: Any = "L") -> Any:
    return EIGENVALUES(from_triangle(square("eigvalsh", a), _triangle_of("eigvalsh", UPLO)))


# ── eigenvalues of any matrix ─────────────────────────────────────────────────────────────────────


_HALF = 0.5  # eigenvalues that meet without vectors of their own come out with half of the digits


def _any_eigen_series(order: int, v: Value, w: Value, a: Coefficients) -> tuple[list[Any], list[Any]]:
    """A V = V Λ as for Hermitian matrices, with V⁻¹ in place of Vᴴ and vectors that do not grow along themselves."""
    n = v.shape[-1]
    gaps, diagonal = _gaps("eig", w, _HALF), identity(n, w)
    solved = solver(v)
    moved = [a[0], *(solved(a_k @ v) for a_k in a[1:])]
    u, values = [identity(n, v, float) + 0 * v], [w]
    for k in range(1, order + 1):
        s = series.total(moved[j] @ u[k - j] for j in range(1, min(k + 1, len(moved))))
        back = series.total(u[k - j] * values[j][..., None, :] for j in range(1, k))
        s = s if type(back) is int else -back if type(s) is int else s - back
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
    _gaps("eig", w, _HALF)
    v = ANY_VECTORS(a)
    return [solve(transposed(v), g[..., :, None] * transposed(v))]


def _any_vectors_pull(wanted: Sequence[bool], g: Value, v: Value, a: Value) -> list[Any]:
    """V⁻ᵀ (Vᵀ v̄ / (w_j − w_i)) Vᵀ without the diagonal."""
    gaps = _gaps("eig", ANY_VALUES(a), _HALF)
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
    if isinstance(own, Operand):  # of a trace it is not known whether the others are real
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
    v = _turned(v, np.argmax(np.abs(native), axis=-2)[..., None, :]) if v.dtype.kind == "c" else v
    return _EIG(w, with_value(v, native))


# ── singular values ───────────────────────────────────────────────────────────────────────────────


def _singular_gaps(name: str, s: Value) -> tuple[Any, Any]:
    """s_j − s_i (1 on the diagonal) and s_j + s_i."""
    sums = s[..., None, :] + s[..., :, None]
    _check_apart(name, sums, s)
    return _gaps(name, s), sums


def _across(x: Value, basis: Any, s: Value) -> Any:
    """What of the columns of x is orthogonal to the basis, over s; the structural zero of a basis that is complete."""
    return 0 if basis.shape[-1] == basis.shape[-2] else (x - basis @ (adjoint(basis) @ x)) / s[..., None, :]


def _singular_series(order: int, u0: Any, s0: Any, v0: Any, a: Coefficients) -> tuple[list[Any], list[Any], list[Any]]:
    """A V = U S and Aᴴ U = V S: (u, ±v) are the eigenvectors of (0 A; Aᴴ 0) with the eigenvalues ±s, as for `eigh`."""
    gaps, sums = _singular_gaps("svd", s0)
    diagonal = identity(s0.shape[-1], s0)
    adjoints = [adjoint(a_k) for a_k in a]
    u, v, s = [u0], [v0], [s0]
    for k in range(1, order + 1):
        p, q = product(a, v, k, 1), product(adjoints, u, k, 1)
        if k > 1:
            p = p - series.total(u[k - j] * s[j][..., None, :] for j in range(1, k))
            q = q - series.total(v[k - j] * s[j][..., None, :] for j in range(1, k))
        x, y = adjoint(u0) @ p, adjoint(v0) @ q
        plus, minus = 0.5 * (x + y), 0.5 * (x - y)
        s.append(np.real(np.sum(np.where(diagonal, plus, 0.0), axis=-1)))
        on: Any = 0.0
        if k > 1:
            length = product([adjoint(c) for c in u], u, k, 1, k - 1) + product([adjoint(c) for c in v], v, k, 1, k - 1)
            on = -0.25 * np.real(np.sum(np.where(diagonal, length, 0.0), axis=-1))[..., None, :]
        plus, minus = np.where(diagonal, on, plus / gaps), minus / sums
        u.append(u0 @ (plus + minus) + _across(p, u0, s0))
        v.append(v0 @ (plus - minus) + _across(q, v0, s0))
    return u, s, v


def _parted(pairs: Any, rows: int) -> tuple[Any, Any]:
    """U and V of what stands one above the other."""
    return pairs[..., :rows, :], pairs[..., rows:, :]


def _singular_values_series(order: int, s0: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [s0]
    u, v = _parted(SINGULAR_VECTORS(a[0]), a[0].shape[-2])
    return [s0, *_singular_series(order, u, s0, v, a)[1][1:]]


def _singular_vectors_series(order: int, pairs: Any, a: Coefficients) -> list[Any]:
    if len(a) == 1 or not order:
        return [pairs]
    u0, v0 = _parted(pairs, a[0].shape[-2])
    u, _, v = _singular_series(order, u0, SINGULAR_VALUES(a[0]), v0, a)
    return [pairs, *(np.concatenate([x, y], axis=-2) for x, y in zip(u[1:], v[1:], strict=True))]


def _singular_values_pull(wanted: Sequence[bool], g: Value, s: Value, a: Value) -> list[Any]:
    """U diag(s̄) Vᴴ, of cotangents without conjugation."""
    _singular_gaps("svd", s)
    u, v = _parted(SINGULAR_VECTORS(a), a.shape[-2])
    return [np.conjugate(u * g[..., None, :]) @ transposed(v)]


def _singular_vectors_pull(wanted: Sequence[bool], g: Value, pairs: Any, a: Value) -> list[Any]:
    """The transpose of one step of `_singular_series`, of cotangents without conjugation."""
    u, v = _parted(pairs, a.shape[-2])
    s = SINGULAR_VALUES(a)
    gaps, sums = _singular_gaps("svd", s)
    to_u, to_v = _parted(conjugated(g), a.shape[-2])
    x, y = adjoint(u) @ to_u, adjoint(v) @ to_v
    plus = np.where(identity(s.shape[-1], s), 0.0, (x + y) / gaps)
    minus = (x - y) / sums
    p = 0.5 * (u @ (plus + minus)) + _across(to_u, u, s)
    q = 0.5 * (v @ (plus - minus)) + _across(to_v, v, s)
    result = p @ adjoint(v) + u @ adjoint(q)
    return [conjugated(result)]


def _pairs(a: Value) -> Any:
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, adjoint(vh)], axis=-2)


SINGULAR_VALUES = Operation(
    "svd", lambda a: np.linalg.svd(a, full_matrices=False)[1], _singular_values_series, _singular_values_pull
)
SINGULAR_VECTORS = Operation("svd", _pairs, _singular_vectors_series, _singular_vectors_pull)
_SVD: Any = type(np.linalg.svd(np.eye(1)))


def sizes_of(a: Value) -> Any:
    """np.linalg.svdvals, which CuPy knows by its older name."""
    return np.linalg.svd(a, compute_uv=False)


@implements(np.linalg.svdvals)
def svdvals(x: Value, /) -> Any:
    """Of distinct singular values above zero."""
    x = array(x)
    return with_value(SINGULAR_VALUES(x), sizes_of(primal(x)))


@implements(np.linalg.svd)
def svd(a: Value, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Of distinct singular values above zero; the vectors stay of length 1 and turn as LAPACK's do."""
    a = array(a)
    rows, columns = a.shape[-2:]
    if hermitian:
        a = from_triangle(square("svd", a))
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and rows != columns:
        raise NotDifferentiable(
            f"svd: of {rows} × {columns} matrices the last vectors of a full set are arbitrary, and have no "
            "derivative; use full_matrices=False"
        )
    pairs = _turned(SINGULAR_VECTORS(a), slice(0, 1) if rows < columns else slice(rows, rows + 1))
    u, v = _parted(pairs, rows)
    return _SVD(u, SINGULAR_VALUES(a), adjoint(v))


@implements(np.linalg.cond)
def cond(x: Value, p: Value = None) -> Any:
    """‖A‖ ‖A⁻¹‖; by the singular values for p = 2 and −2."""
    x = array(x)
    if p is None or p in (2, -2):
        s = SINGULAR_VALUES(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, axis=(-2, -1))


on_values(np.linalg.matrix_rank)
