"""Solutions of linear systems, inverses, determinants and Cholesky factors, to any order.

They are defined by equations between series, A X = B, whose coefficient of degree k is a linear equation for X_k with
the matrix A_0 of the value: one factorization serves all orders (Griewank & Walther, Evaluating Derivatives, 13.3).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidValue
from ..operand import Operand, implements, primal
from ..operation import Operation
from .keywords import array, with_value

__all__: list[str] = []

Coefficients = Sequence[Any]


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _adjoint(x: Any) -> Any:
    return np.conjugate(_transposed(x)) if x.dtype.kind == "c" else _transposed(x)


def _product(a: Coefficients, b: Coefficients, k: int, first: int = 0, last: int | None = None) -> Any:
    """Σ a_j b_{k−j} for first ≤ j ≤ last; the structural zero where there are no coefficients."""
    last = k if last is None else last
    return series.total(a[j] @ b[k - j] for j in range(max(first, k + 1 - len(b)), min(last + 1, len(a))))


def _square(name: str, a: Any) -> Any:
    a = array(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise InvalidValue(f"{name}: a has shape {tuple(a.shape)}; expected square matrices, (…, n, n)")
    return a


# ── systems ──────────────────────────────────────────────────────────────────────────────────────


def _solver(a: Any) -> Callable[[Any], Any]:
    """B ↦ A⁻¹ B; the factors of one plain matrix are kept, and the columns of all B solved for at once."""
    if type(a) is not np.ndarray or a.ndim > 2 or not a.size:
        return lambda b: np.linalg.solve(a, b)
    try:
        from scipy.linalg import lu_factor, lu_solve
    except ImportError:
        return lambda b: np.linalg.solve(a, b)
    factors = lu_factor(a, check_finite=False)

    def solve(b: Any) -> Any:
        if isinstance(b, Operand):  # of a lower level, which has factors of its own
            return np.linalg.solve(a, b)
        columns = np.moveaxis(b, -2, 0)
        x = lu_solve(factors, columns.reshape(len(a), -1), check_finite=False)
        return np.moveaxis(x.reshape(columns.shape), 0, -2)

    return solve


def _solve_series(order: int, x0: Any, a: Coefficients, b: Coefficients) -> list[Any]:
    """A X = B:  X_k = A_0⁻¹ (B_k − Σ_{j≥1} A_j X_{k−j})."""
    solve, x = _solver(a[0]), [x0]
    for k in range(1, order + 1 if len(a) > 1 else len(b)):
        x.append(solve(_difference(b, k, _product(a, x, k, 1))))
    return x


def _difference(b: Coefficients, k: int, s: Any) -> Any:
    """b_k − s, either of which may be the structural zero."""
    if type(s) is int:
        return b[k]
    return series.less(b, k, s)


def _solve_pull(wanted: Sequence[bool], g: Any, x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    to_b = np.linalg.solve(_transposed(a), g)
    return -(to_b @ _transposed(x)) if wanted[0] else None, to_b


SOLVE = Operation("solve", np.linalg.solve, _solve_series, _solve_pull)


@implements(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    a, b = _square("solve", a), array(b)
    if b.ndim == 0 or b.shape[-1 if b.ndim == 1 else -2] != a.shape[-1]:
        raise InvalidValue(
            f"solve: a has shape {tuple(a.shape)}, b has shape {tuple(b.shape)}; expected (…, n, n) with (n,) or "
            "(…, n, m)"
        )
    return SOLVE(a, b[:, None])[..., 0] if b.ndim == 1 else SOLVE(a, b)


def _inverse_series(order: int, x0: Any, a: Coefficients) -> list[Any]:
    """A X = 1:  X_k = −X_0 Σ_{j≥1} A_j X_{k−j}."""
    x = [x0]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        x.append(-(x0 @ _product(a, x, k, 1)))
    return x


INVERSE = Operation(
    "inv", np.linalg.inv, _inverse_series, lambda wanted, g, x, a: [-(_transposed(x) @ g @ _transposed(x))]
)


@implements(np.linalg.inv)
def inv(a: Any) -> Any:
    return INVERSE(_square("inv", a))


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = array(a), array(b)
    if axes is not None:
        others = [k for k in range(a.ndim) if k not in [i % a.ndim for i in axes]]
        a = np.transpose(a, (*others, *[i % a.ndim for i in axes]))
    shape = a.shape[-(a.ndim - b.ndim) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (b.size, -1)), np.ravel(b)), shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise InvalidValue(f"tensorinv: ind is {ind}; expected 1 or more")
    a = array(a)
    rows = int(np.prod(a.shape[:ind]))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), a.shape[ind:] + a.shape[:ind])


# ── determinants ─────────────────────────────────────────────────────────────────────────────────


def _log_determinant(a: Any) -> Any:
    """log |det a|, for complex matrices with the angle of the determinant as imaginary part."""
    sign, size = np.linalg.slogdet(a)
    return size + 1j * np.angle(sign) if a.dtype.kind == "c" else size


def _log_determinant_series(order: int, y0: Any, a: Coefficients) -> list[Any]:
    """y' = tr(A⁻¹ A'):  k y_k = Σ_j j tr(A_j X_{k−j}) with X = A⁻¹ (Jacobi)."""
    if len(a) == 1 or not order:
        return [y0]
    x, y = _inverse_series(order - 1, np.linalg.inv(a[0]), a[:order]), [y0]
    for k in range(1, order + 1):
        terms = (j * np.sum(a[j] * _transposed(x[k - j]), axis=(-1, -2)) for j in range(1, min(k + 1, len(a))))
        y.append(series.total(terms) / k)
    return y


LOG_DETERMINANT = Operation(
    "slogdet", _log_determinant, _log_determinant_series,
    lambda wanted, g, y, a: [g[..., None, None] * _transposed(np.linalg.inv(a))],
)  # fmt: skip


@implements(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """The sign and log |det a|; infinite slopes at singular matrices raise, as an inverse does."""
    a = _square("slogdet", a)
    y = LOG_DETERMINANT(a)
    if a.dtype.kind == "c":
        return _SIGN_AND_LOG(np.exp(1j * np.imag(y)), np.real(y))
    return _SIGN_AND_LOG(np.linalg.slogdet(primal(a))[0], y)


_SIGN_AND_LOG: Any = type(np.linalg.slogdet(np.eye(1)))


def _determinant_series(order: int, y0: Any, a: Coefficients) -> list[Any]:
    """y' = y (log y)'."""
    return series.exp(order, y0, _log_determinant_series(order, y0, a))


DETERMINANT = Operation(
    "det", np.linalg.det, _determinant_series,
    lambda wanted, g, y, a: [(g * y)[..., None, None] * _transposed(np.linalg.inv(a))],
)  # fmt: skip
_SMALL = 6  # rows up to which a determinant is a polynomial in the entries


@implements(np.linalg.det)
def det(a: Any) -> Any:
    """By Jacobi's formula; of small matrices, and of singular ones, without a division."""
    a = _square("det", a)
    if a.shape[-1] > _SMALL and not _is_singular(a):
        return DETERMINANT(a)
    return with_value(_polynomial_determinant(a), np.linalg.det(primal(a)))


def _is_singular(a: Any) -> bool:
    """Whether the inverse of some matrix has lost half of its digits; not known of a trace."""
    values = primal(a)
    if isinstance(values, Operand):
        return False
    with np.errstate(all="ignore"):
        sizes = np.linalg.svd(values, compute_uv=False)
    return not bool(np.all(sizes[..., -1] > np.sqrt(np.finfo(sizes.dtype).eps) * sizes[..., 0]))


def _polynomial_determinant(a: Any) -> Any:
    """± the last coefficient of the characteristic polynomial, by those of the lower right corners (Berkowitz 1984)."""
    n = a.shape[-1]
    one = np.ones(a.shape[:-2], a.dtype)[()]
    coefficients: list[Any] = [one]
    for r in range(n - 1, -1, -1):
        row, corner, column = a[..., r, r + 1 :], a[..., r + 1 :, r + 1 :], a[..., r + 1 :, r]
        first: list[Any] = [one, -a[..., r, r]]
        for _ in range(n - 1 - r):
            first.append(-np.sum(row * column, axis=-1))
            column = np.sum(corner * column[..., None, :], axis=-1)
        size = len(coefficients)
        coefficients = [
            series.total(first[i - j] * coefficients[j] for j in range(max(0, i + 1 - len(first)), min(i + 1, size)))
            for i in range(size + 1)
        ]
    return coefficients[-1] if n % 2 == 0 else -coefficients[-1]


# ── Cholesky factors ─────────────────────────────────────────────────────────────────────────────


def _lower_half(m: Any) -> Any:
    """The lower triangle with half of the diagonal: P with P + Pᴴ = M for Hermitian M."""
    n = m.shape[-1]
    return m * (np.tril(np.ones((n, n))) - 0.5 * np.eye(n)).astype(m.dtype)


def _cholesky_series(order: int, l0: Any, a: Coefficients) -> list[Any]:
    """L Lᴴ = A:  L_k = L_0 Φ(L_0⁻¹ (A_k − Σ_{0<j<k} L_j L_{k−j}ᴴ) L_0⁻ᴴ), Φ the lower half (Smith 1995)."""
    solve, lower, upper = _solver(l0), [l0], [_adjoint(l0)]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        rest = (
            _difference(a, k, _product(lower, upper, k, 1, k - 1))
            if k < len(a)
            else -_product(lower, upper, k, 1, k - 1)
        )
        inner = _adjoint(solve(_adjoint(solve(rest))))
        lower.append(l0 @ _lower_half(inner))
        upper.append(_adjoint(lower[k]))
    return lower


def _cholesky_pull(wanted: Sequence[bool], g: Any, lower: Any, a: Any) -> list[Any]:
    """½ L⁻ᴴ (P + Pᴴ) L⁻¹ with P = Φ(Lᴴ Ḡ) (Murray 2016), of cotangents without conjugation."""
    upper = _adjoint(lower)
    half = _lower_half(upper @ np.conjugate(g) if g.dtype.kind == "c" else upper @ g)
    outer = np.linalg.solve(upper, half + _adjoint(half))
    result = 0.5 * _adjoint(np.linalg.solve(upper, _adjoint(outer)))
    return [np.conjugate(result) if result.dtype.kind == "c" else result]


CHOLESKY = Operation("cholesky", np.linalg.cholesky, _cholesky_series, _cholesky_pull)


@implements(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The factor of the Hermitian matrix whose lower (or upper) triangle a has: the other one is not read."""
    a = _square("cholesky", a)
    if upper:
        return _adjoint(np.linalg.cholesky(_adjoint(a)))
    below = np.tril(a, -1)
    diagonal = np.where(np.eye(a.shape[-1], dtype=bool), np.real(a), 0.0)
    return CHOLESKY(below + _adjoint(below) + diagonal)
