"""Functions that move elements about and leave them as they are."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operand import batched, implements, rearrange


@implements(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: bool | None = None) -> Any:
    shape = shape if isinstance(shape, tuple) else tuple(shape) if np.iterable(shape) else (shape,)
    if order != "C":
        return rearrange(lambda x: np.reshape(x, shape, order=order), a)
    # -1 is worked out here: under leading axes it could swallow them
    shape = _inferred(a.shape, shape)
    return batched(lambda x, b: np.reshape(x, x.shape[:b] + shape), a)


def _inferred(given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with its -1 worked out, as NumPy would."""
    return np.broadcast_to(np.empty(()), given).reshape(wanted).shape


@implements(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    axes = range(a.ndim)[::-1] if axes is None else normalize_axis_tuple(axes, a.ndim)
    return batched(lambda x, b: np.transpose(x, (*range(b), *(b + i for i in axes))), a)


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    shape = tuple(shape) if np.iterable(shape) else (shape,)
    missing = len(shape) - array.ndim

    def spread(x: Any, b: int) -> Any:
        x = np.reshape(x, x.shape[:b] + (1,) * missing + x.shape[b:])
        return np.broadcast_to(x, x.shape[:b] + shape)

    return batched(spread, array)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    source, destination = (normalize_axis_tuple(s, a.ndim) for s in (source, destination))
    return batched(lambda x, b: np.moveaxis(x, [b + i for i in source], [b + i for i in destination]), a)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    axis = axis if isinstance(axis, tuple) else (axis,)
    axis = normalize_axis_tuple(axis, a.ndim + len(axis))
    return batched(lambda x, b: np.expand_dims(x, tuple(b + i for i in axis)), a)


@implements(np.concatenate)
def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    return rearrange(lambda *xs: np.concatenate(xs, axis=axis, dtype=dtype, casting=casting), *arrays)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return rearrange(lambda *xs: np.stack(xs, axis=axis, dtype=dtype, casting=casting), *arrays)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return rearrange(lambda x: np.array(x, order=order) if isinstance(x, np.ndarray) else np.copy(x), a)


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    return np.reshape(a, (-1,), order=order)
