"""What functions of NumPy are for a batch: themselves, with one axis more in front.

A rule takes the batch, the function and its arguments, and gives a batch, or NotImplemented where the function is to
be called for each point. (A wrong argument may raise anything: the points are taken one by one then, and it is said.)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..kinds import Value
from ..operand import Operand

__all__ = ["RULES"]


def _reduction(batch: Any, function: Any, a: Value, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1:
        kwargs, args = {"axis": args[0], **kwargs}, ()
    return batch._reduced(function, a, *args, **kwargs)


def _of_matrices(batch: Any, function: Any, a: Value, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs or a.ndim < 2:
        return NotImplemented
    result = function(a.points)
    if isinstance(result, tuple):
        made = [batch._new(y) for y in result]
        return type(result)(*made) if hasattr(result, "_fields") else tuple(made)
    return batch._new(result)


def _solve(batch: Any, function: Any, a: Value, b: Value) -> Any:
    """A vector b is one of a matrix of one column."""
    if np.ndim(a) != 2 or np.ndim(b) not in (1, 2):
        return NotImplemented
    vector = np.ndim(b) == 1
    y = function(batch._in_front(a, 2), batch._in_front(b[:, None] if vector else b, 2))
    return batch._new(y[..., 0] if vector else y)


def _reshape(batch: Any, function: Any, a: Value, shape: Any, **kwargs: Any) -> Any:
    if kwargs or not batch._is_mine(a):
        return NotImplemented
    shape = shape if isinstance(shape, (tuple, list)) else (shape,)
    if -1 in shape and 0 in a.shape:
        return NotImplemented
    return batch._new(np.reshape(a.points, (len(a.points), *shape)))


def _ravel(batch: Any, function: Any, a: Value, order: str = "C") -> Any:
    return batch._new(np.reshape(a.points, (len(a.points), a.size))) if order == "C" else NotImplemented


def _transpose(batch: Any, function: Any, a: Value, axes: Any = None) -> Any:
    if not batch._is_mine(a):
        return NotImplemented
    axes = range(a.ndim)[::-1] if axes is None else normalize_axis_tuple(axes, a.ndim)
    return batch._new(np.transpose(a.points, (0, *(i + 1 for i in axes))))


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a batch for those of a point, which has so many."""
    return tuple(i + 1 for i in normalize_axis_tuple(axis, ndim))


def _moved(batch: Any, function: Any, a: Value, source: Any, destination: Any) -> Any:
    """np.moveaxis and np.swapaxes."""
    return batch._new(function(a.points, *(_one_or_all(i, a.ndim) for i in (source, destination))))


def _one_or_all(axis: Any, ndim: int) -> Any:
    axes = _axes(axis, ndim)
    return axes if isinstance(axis, (tuple, list)) else axes[0]


def _expanded(batch: Any, function: Any, a: Value, axis: Any) -> Any:
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    return batch._new(function(a.points, _axes(axis, a.ndim + count)))


def _squeezed(batch: Any, function: Any, a: Value, axis: Any = None) -> Any:
    axes = tuple(i + 1 for i, n in enumerate(a.shape) if n == 1) if axis is None else _axes(axis, a.ndim)
    return batch._new(function(a.points, axes))


def _along(batch: Any, function: Any, a: Value, axis: Any = -1, **kwargs: Any) -> Any:
    """What keeps the axes, and works along one of them."""
    if kwargs or axis is None or not a.ndim:
        return NotImplemented
    return batch._new(function(a.points, axis=_axes(axis, a.ndim)[0]))


def _taken(batch: Any, function: Any, a: Value, indices: Value, axis: Any = -1) -> Any:
    if axis is None or not (batch._is_mine(a) and batch._is_mine(indices)):
        return NotImplemented
    return batch._new(function(a.points, indices.points, axis=_axes(axis, a.ndim)[0]))


def _accumulated(batch: Any, function: Any, a: Value, axis: Any = None, **kwargs: Any) -> Any:
    return _along(batch, function, np.ravel(a) if axis is None else a, 0 if axis is None else axis, **kwargs)


def _broadcast(batch: Any, function: Any, a: Value, shape: Any, **kwargs: Any) -> Any:
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if kwargs or not batch._is_mine(a) or len(shape) < a.ndim:
        return NotImplemented
    return batch._new(np.broadcast_to(batch._in_front(a, len(shape)), (len(a.points), *shape)))


def _where(batch: Any, function: Any, condition: Value, *choices: Any) -> Any:
    if len(choices) != 2:
        return NotImplemented
    choices = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in choices)
    ndim = max(map(np.ndim, (condition, *choices)))
    return batch._new(np.where(*(batch._in_front(x, ndim) for x in (condition, *choices))))


def _stack(batch: Any, function: Any, arrays: Any, axis: int = 0, **kwargs: Any) -> Any:
    """np.stack and np.concatenate: what is the same at all points is repeated."""
    if kwargs or axis is None or not isinstance(arrays, (list, tuple)):
        return NotImplemented
    ndim = np.ndim(arrays[0]) + (function is np.stack)
    axis = normalize_axis_index(axis, ndim) + 1
    count = len(batch.points)
    full = [x.points if batch._is_mine(x) else np.broadcast_to(x, (count, *np.shape(x))) for x in arrays]
    return batch._new(function(full, axis=axis))


def _like(batch: Any, function: Any, a: Value, *args: Any, **kwargs: Any) -> Any:
    if not batch._is_mine(a) or kwargs.get("shape") is not None or any(isinstance(x, Operand) for x in args):
        return NotImplemented
    return batch._new(function(a.points, *args, **kwargs))


def _einsum(batch: Any, function: Any, subscripts: Any, *arrays: Any, **kwargs: Any) -> Any:
    """One letter more in front of the batches, and of the result."""
    if not isinstance(subscripts, str) or "..." in subscripts or set(kwargs) - {"optimize"}:
        return NotImplemented
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    if not arrow:
        result = "".join(sorted(c for c in set(given) - {","} if given.count(c) == 1))
    letter = next(c for c in "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in subscripts)
    mine = [batch._is_mine(x) for x in arrays]
    terms = [letter + term if own else term for term, own in zip(given.split(","), mine, strict=True)]
    each = [x.points if own else x for x, own in zip(arrays, mine, strict=True)]
    return batch._new(np.einsum(f"{','.join(terms)}->{letter}{result}", *each, **kwargs))


def _dot(batch: Any, function: Any, a: Value, b: Value) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return batch._matmul(a, b) if np.ndim(a) <= 2 and np.ndim(b) <= 2 else NotImplemented


def _outer(batch: Any, function: Any, a: Value, b: Value) -> Any:
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


def _of_shape(batch: Any, function: Any, a: Value, *args: Any) -> Any:
    if not batch._is_mine(a):
        return NotImplemented
    stand_in = np.broadcast_to(np.empty((), a.dtype), a.shape)
    return function(stand_in, *args)


RULES: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.any, np.all), _reduction),
    **dict.fromkeys((np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.eigh), _of_matrices),
    np.linalg.slogdet: _of_matrices,
    **dict.fromkeys((np.stack, np.concatenate), _stack),
    **dict.fromkeys((np.zeros_like, np.ones_like, np.full_like, np.empty_like, np.copy, np.real, np.imag), _like),
    **dict.fromkeys((np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj), _of_shape),
    **dict.fromkeys((np.moveaxis, np.swapaxes), _moved),
    **dict.fromkeys((np.sort, np.argsort), _along),
    **dict.fromkeys((np.cumsum, np.cumprod), _accumulated),
    np.expand_dims: _expanded, np.squeeze: _squeezed, np.take_along_axis: _taken, np.linalg.solve: _solve,
    np.reshape: _reshape, np.ravel: _ravel, np.transpose: _transpose, np.where: _where,
    np.broadcast_to: _broadcast, np.einsum: _einsum, np.dot: _dot, np.outer: _outer,
}  # fmt: skip
