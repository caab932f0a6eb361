"""Norms: scaled, so that nothing overflows before the result does, and with the subgradient 0 at zero."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..kinds import Axis, DType, Value
from ..operand import Operand, implements, library, primal, visible
from ..primitives.elementwise import ROOT_OF_PRODUCT
from .keywords import apply, array, axes_of

__all__ = ["root_of_squares", "squared_modulus"]


def squared_modulus(x: Value) -> Any:
    """|x|², smooth at zero."""
    return _product_with_conjugate(x, x)


def _product_with_conjugate(x: Value, y: Value) -> Any:
    """Re(x ȳ)."""
    if x.dtype.kind != "c":
        return x * y
    return np.real(x) * np.real(y) + np.imag(x) * np.imag(y)


def root_of_squares(x: Value, axes: Sequence[int], keepdims: bool, divisor: Any = 1) -> Any:
    """√(Σ |x|²/divisor), zero with all its derivatives where all of x is zero.

    By Σ x·(x/s) with a power of two s near the largest entry, which changes no digit of the result: neither it
    nor its coefficients leave the range where those of the result do not.
    """
    axes = tuple(axes)
    with np.errstate(over="ignore"):
        total = np.sum(squared_modulus(x), axis=axes, keepdims=keepdims)
    if _is_ordinary(x, axes, primal(total)):
        return _root(total if isinstance(divisor, int) and divisor == 1 else total / divisor)
    squares, scale = total, _power_of_two(x, axes)
    info = np.finfo(scale.dtype)
    two = info.dtype.type(2)
    # sums of large numbers must not overflow, and quotients by small ones neither
    scale = np.maximum(scale, 4 * info.tiny)
    shift = np.where(scale > two ** (info.maxexp // 2), two ** -(info.maxexp // 4), 1.0)
    shifted = np.any(shift != 1)
    if not visible(shifted) or shifted:
        x, scale = x * shift, scale * shift
    count = 1
    for i in axes:
        count *= x.shape[i]
    scale = np.minimum(scale * two ** min(count.bit_length(), info.maxexp - 1), two ** (info.maxexp - 1))
    total = np.sum(_product_with_conjugate(x, x / scale), axis=axes, keepdims=keepdims) / divisor
    kink = primal(total) == 0
    if not keepdims:
        scale, shift = np.squeeze(scale, axes), np.squeeze(shift, axes)
    root = apply(ROOT_OF_PRODUCT, np.where(kink, 1.0, total), scale) / shift
    if isinstance(kink, Operand):
        kink._alarm()  # a replay does not remember the square
    root = np.where(kink, 0.0, root)
    if isinstance(root, Operand) and not visible(primal(kink)):  # there may be zeros on a device
        return root._remembering(squares / divisor)
    return root


def _is_ordinary(x: Value, axes: tuple[int, ...], total: Any) -> bool:
    """Whether squares of the largest entries neither overflow nor underflow, by a wide margin, if that is known."""
    if not visible(total):
        return False
    low, high = _RANGES.get(total.dtype) or _RANGES.setdefault(total.dtype, _range(total.dtype))
    if total.ndim == 0:  # the sum of squares says it
        return bool(low < total < high) or bool(total == 0 and not np.any(primal(x)))
    largest = np.max(np.abs(primal(x)), axis=axes, initial=0.0)
    return bool(np.all((largest == 0) | ((largest < np.sqrt(high)) & (largest > np.sqrt(low)))))


_RANGES: dict[Any, tuple[Any, Any]] = {}


def _range(dtype: DType) -> tuple[Any, Any]:
    limit = np.sqrt(np.finfo(dtype).max)
    return 1 / limit, limit


def _root(total: Any) -> Any:
    """√total, zero with all its derivatives where it is zero; even powers of it are smooth there (see `roots`)."""
    kink = primal(total) == 0
    if visible(kink) and not kink.any():
        return np.sqrt(total)
    root = np.where(kink, 0.0, np.sqrt(np.where(kink, 1.0, total)))
    return root._remembering(total) if isinstance(root, Operand) else root


def _power_of_two(x: Value, axes: tuple[int, ...]) -> Any:
    """A power of two near the largest |x| along the axes; 1 where that is zero, infinite or NaN."""
    size = np.abs(primal(x))
    if size.size == 0:
        return library(size).ones(tuple(1 if i in axes else n for i, n in enumerate(size.shape)), size.dtype)
    largest = np.max(size, axis=axes, keepdims=True)
    usable = np.where(np.isfinite(largest) & (largest > 0), largest, 1.0)
    mantissa, _ = np.frexp(usable)
    with np.errstate(over="ignore"):  # exact quotients, halved on the side where nothing is lost
        return np.where(usable < 1, usable / mantissa * 0.5, usable * 0.5 / mantissa)


def _largest(x: Value, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The largest of what is not negative, 0 where there is none."""
    none = 0 in [x.shape[i] for i in axes]
    return (np.sum if none else np.max)(x, axis=axes, keepdims=keepdims)


def _vector_norm(x: Value, axes: tuple[int, ...], order: Any, keepdims: bool) -> Any:
    """(Σ |x|^p)^{1/p} over the axes, with the limits max, min and the count of what is not zero."""
    if order == 2:
        return root_of_squares(x, axes, keepdims)
    if order == np.inf:
        return _largest(np.abs(x), axes, keepdims)
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
    scale = np.maximum(scale, np.finfo(scale.dtype).tiny)  # whose reciprocal is finite
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


def _matrix_norm(x: Value, axes: tuple[int, int], order: Any, keepdims: bool) -> Any:
    """The Frobenius norm, and the largest (smallest) sum of a column's or row's moduli."""
    row, column = axes
    if order in (None, "fro", "f"):
        return root_of_squares(x, axes, keepdims)
    if order in (2, -2, "nuc"):
        values = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        if order == "nuc":
            result = np.sum(values, axis=-1)
        elif values.shape[-1]:
            result = values[..., 0 if order == 2 else -1]
        else:
            result = _largest(values, (values.ndim - 1,), False) if order == 2 else np.min(values, axis=-1)
        return np.expand_dims(result, axes) if keepdims else result
    if order not in (1, -1, np.inf, -np.inf):
        raise InvalidValue(f"norm: ord is {order!r}; expected 'fro', 1, -1, inf or -inf for matrices")
    summed, compared = (row, column) if abs(order) == 1 else (column, row)
    sums = np.sum(np.abs(x), axis=summed, keepdims=True)
    result = _largest(sums, (compared,), True) if order > 0 else np.min(sums, axis=compared, keepdims=True)
    return result if keepdims else np.squeeze(result, axes)


@implements(np.linalg.norm)
def norm(x: Value, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
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
def vector_norm(x: Value, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = array(x)
    return _vector_norm(x, axes_of(axis, x.ndim), ord, keepdims)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Value, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    x = array(x)
    return _matrix_norm(x, (x.ndim - 2, x.ndim - 1), ord, keepdims)
