"""Solutions of linear systems, inverses and determinants, to any order.

They are defined by equations between series, A X = B, whose coefficient of degree k is a linear equation for X_k with
the matrix A_0 of the value: one factorization serves all orders (Griewank & Walther, Evaluating Derivatives, 13.3).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from ..errors import InvalidMatrix, InvalidValue
from ..kinds import Axis, Value
from ..operand import implements, library, primal, visible
from ..primitives.operation import Operation
from . import matrices
from .keywords import array, with_native
from .matrices import check_right_side, product, square, transposed

__all__ = ["characteristic"]

Coefficients = Sequence[Any]

# ── systems ──────────────────────────────────────────────────────────────────────────────────────


@implements(np.linalg.solve)
def solve(a: Value, b: Value) -> Any:
    a, b = square("solve", a), array(b)
    check_right_side("solve", a, b)
    return matrices.solve(a, b[:, None])[..., 0] if b.ndim == 1 else matrices.solve(a, b)


def _inverse_series(order: int, x0: Value, a: Coefficients) -> list[Any]:
    """A X = 1:  X_k = −X_0 Σ_{j≥1} A_j X_{k−j}."""
    x = [x0]
    for k in range(1, order + 1 if len(a) > 1 else 1):
        x.append(-(x0 @ product(a, x, k, 1)))
    return x


INVERSE = Operation(
    "inv", np.linalg.inv, _inverse_series, lambda wanted, g, x, a: [-(transposed(x) @ g @ transposed(x))]
)


@implements(np.linalg.inv)
def inv(a: Value) -> Any:
    return INVERSE(square("inv", a))


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Value, b: Value, axes: Axis = None) -> Any:
    a, b = array(a), array(b)
    if axes is not None:
        others = [k for k in range(a.ndim) if k not in [i % a.ndim for i in axes]]
        a = np.transpose(a, (*others, *[i % a.ndim for i in axes]))
    shape = a.shape[-(a.ndim - b.ndim) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (b.size, -1)), np.ravel(b)), shape)


@implements(np.linalg.tensorinv)
def tensorinv(a: Value, ind: int = 2) -> Any:
    if ind <= 0:
        raise InvalidValue(f"tensorinv: ind is {ind}; expected 1 or more")
    a = array(a)
    rows = int(np.prod(a.shape[:ind]))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), a.shape[ind:] + a.shape[:ind])


# ── determinants ──────────────────────────────────────────────────────────────────────────────────


def _log_determinant(a: Value) -> Any:
    """log |det a|, for complex matrices with the angle of the determinant as imaginary part."""
    sign, size = np.linalg.slogdet(a)
    return size + 1j * np.angle(sign) if a.dtype.kind == "c" else size


def _inverted(a: Value) -> Any:
    """A⁻¹, which the derivatives of the logarithm are made of."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise InvalidMatrix(
            "slogdet: a matrix is singular, where log |det a| is −inf and has no derivative; np.linalg.det is smooth "
            "there"
        ) from None


def _log_determinant_series(order: int, y0: Any, a: Coefficients) -> list[Any]:
    """y' = tr(A⁻¹ A'):  k y_k = Σ_j j tr(A_j X_{k−j}) with X = A⁻¹ (Jacobi)."""
    if len(a) == 1 or not order:
        return [y0]
    x, y = _inverse_series(order - 1, _inverted(a[0]), a[:order]), [y0]
    for k in range(1, order + 1):
        terms = (j * np.sum(a[j] * transposed(x[k - j]), axis=(-1, -2)) for j in range(1, min(k + 1, len(a))))
        y.append(series.total(terms) / k)
    return y


LOG_DETERMINANT = Operation(
    "slogdet", _log_determinant, _log_determinant_series,
    lambda wanted, g, y, a: [g[..., None, None] * transposed(_inverted(a))],
)  # fmt: skip


@implements(np.linalg.slogdet)
def slogdet(a: Value) -> Any:
    """The sign and log |det a|; infinite slopes at singular matrices raise, as an inverse does."""
    a = square("slogdet", a)
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
    lambda wanted, g, y, a: [(g * y)[..., None, None] * transposed(np.linalg.inv(a))],
)  # fmt: skip
_SMALL = 6  # rows up to which a determinant is a polynomial in the entries


@implements(np.linalg.det)
def det(a: Value) -> Any:
    """By Jacobi's formula; of small matrices, and of singular ones, without a division."""
    a = square("det", a)
    if a.shape[-1] > _SMALL and not _is_singular(a):
        return DETERMINANT(a)
    return with_native(_polynomial_determinant(a), np.linalg.det, a)


def _is_singular(a: Value) -> bool:
    """Whether the inverse of some matrix has lost half of its digits; not known of a trace, nor on a device."""
    values = primal(a)
    if not visible(values):
        return False
    with np.errstate(all="ignore"):
        sizes = np.linalg.svd(values, compute_uv=False)
    return not bool(np.all(sizes[..., -1] > np.sqrt(np.finfo(sizes.dtype).eps) * sizes[..., 0]))


def _polynomial_determinant(a: Value) -> Any:
    """± the last coefficient of the characteristic polynomial; of two or three rows by their minors."""
    if a.shape[-1] == 2:
        return _minor(a, 0, 1, 0, 1)
    if a.shape[-1] == 3:
        first, second, third = (_minor(a, 1, 2, j, k) for j, k in ((1, 2), (0, 2), (0, 1)))
        return a[..., 0, 0] * first - a[..., 0, 1] * second + a[..., 0, 2] * third
    last = characteristic(a)[-1]
    return last if a.shape[-1] % 2 == 0 else -last


def _minor(a: Value, i: int, j: int, k: int, m: int) -> Any:
    return a[..., i, k] * a[..., j, m] - a[..., i, m] * a[..., j, k]


def characteristic(a: Value) -> list[Any]:
    """The coefficients of det(s − A), highest first, by those of the lower right corners (Berkowitz 1984)."""
    n = a.shape[-1]
    one = library(a).ones(a.shape[:-2], a.dtype)[()]
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
    return coefficients
