"""Norms: scaled, so that nothing overflows before the result does, and with the subgradient 0 at zero."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidValue, NotDifferentiable
from ..operand import implements, primal
from .keywords import array, axes_of

__all__ = ["root_of_squares", "squared_modulus"]


def squared_modulus(x: Any) -> Any:
    """|x|², smooth at zero."""
    if x.dtype.kind != "c":
        return x * x
    re, im = np.real(x), np.imag(x)
    return re * re + im * im


def root_of_squares(x: Any, axes: Sequence[int], keepdims: bool, divisor: Any = 1) -> Any:
    """√(Σ |x|²/divisor), zero with all its derivatives where all of x is zero.

    x is divided by a power of two near its largest entry, which changes no digit of the result.
    """
    axes = tuple(axes)
    scale = _power_of_two(x, axes)
    total = np.sum(squared_modulus(x / scale), axis=axes, keepdims=keepdims) / divisor
    kink = primal(total) == 0
    root = np.sqrt(np.where(kink, 1.0, total)) * (scale if keepdims else np.squeeze(scale, axes))
    return np.where(kink, 0.0, root)


def _power_of_two(x: Any, axes: tuple[int, ...]) -> Any:
    """A power of two near the largest |x| along the axes; 1 where that is zero, infinite or NaN."""
    size = np.abs(primal(x))
    if size.size == 0:
        return np.ones(tuple(1 if i in axes else n for i, n in enumerate(size.shape)), size.dtype)
    largest = np.max(size, axis=axes, keepdims=True)
    usable = np.where(np.isfinite(largest) & (largest > 0), largest, 1.0)
    mantissa, _ = np.frexp(usable)
    # exact, and not so small that its reciprocal overflows
    return np.maximum(0.5 * usable / mantissa, np.finfo(largest.dtype).tiny)


def _vector_norm(x: Any, axes: tuple[int, ...], order: Any, keepdims: bool) -> Any:
    """(Σ |x|^p)^{1/p} over the axes, with the limits max, min and the count of what is not zero."""
    if order == 2:
        return root_of_squares(x, axes, keepdims)
    if order == np.inf:
        return np.max(np.abs(x), axis=axes, keepdims=keepdims)
    if order == -np.inf:
        return np.min(np.abs(x), axis=axes, keepdims=keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axes, keepdims=keepdims)
    if order == 0:  # constant but for its jumps
        return np.sum(np.sign(np.abs(x)), axis=axes, keepdims=keepdims)
    try:
        order = float(order)
    except (TypeError, ValueError):
        raise InvalidValue(f"norm: ord is {order!r}; expected a number for vectors") from None
    scale = _power_of_two(x, axes)
    scaled = x / scale
    if order > 0 and order % 2 == 0:
        powers = squared_modulus(scaled) ** int(order // 2)  # a polynomial, at zeros too
    else:
        zero = primal(scaled) == 0
        powers = np.where(zero, 0.0 if order > 0 else np.inf, np.abs(np.where(zero, 1.0, scaled)) ** order)
    total = np.sum(powers, axis=axes, keepdims=keepdims)
    kink = (primal(total) == 0) | np.isinf(primal(total))
    root = np.where(kink, 1.0, total) ** (1 / order)
    # at zero the subgradient 0; infinite entries give what NumPy gives
    result = root * (scale if keepdims else np.squeeze(scale, axes))
    return np.where(kink, primal(total) ** (1 / order), result)


def _matrix_norm(x: Any, axes: tuple[int, int], order: Any, keepdims: bool) -> Any:
    """The Frobenius norm, and the largest (smallest) sum of a column's or row's moduli."""
    row, column = axes
    if order in (None, "fro", "f"):
        return root_of_squares(x, axes, keepdims)
    if order in (2, -2, "nuc"):
        raise NotDifferentiable(
            f"np.linalg.norm: ord={order!r} of a matrix needs singular values, which have no derivative rule yet; "
            "use the Frobenius norm, or ord=1 or inf"
        )
    if order not in (1, -1, np.inf, -np.inf):
        raise InvalidValue(f"norm: ord is {order!r}; expected 'fro', 1, -1, inf or -inf for matrices")
    summed, compared = (row, column) if abs(order) == 1 else (column, row)
    sums = np.sum(np.abs(x), axis=summed, keepdims=True)
    result = (np.max if order > 0 else np.min)(sums, axis=compared, keepdims=True)
    return result if keepdims else np.squeeze(result, axes)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = array(x)
    axes = axes_of(axis, x.ndim)
    if ord is None and (axis is None or len(axes) == 2):
        return root_of_squares(x, axes, keepdims)
    if len(axes) == 1:
        return _vector_norm(x, axes, 2 if ord is None else ord, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, (axes[0], axes[1]), ord, keepdims)
    raise InvalidValue(f"norm: {len(axes)} axes are given with ord={ord!r}; expected one axis or two")


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = array(x)
    return _vector_norm(x, axes_of(axis, x.ndim), ord, keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    x = array(x)
    return _matrix_norm(x, (x.ndim - 2, x.ndim - 1), ord, keepdims)
