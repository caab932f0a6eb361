"""What a tracer knows to say of NumPy's functions in nodes that kernels see through, in place of a call of NumPy.

Each takes a tracer, the function and its arguments, and gives NotImplemented where it has nothing to say.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..operand import operands
from .apart import WRITTEN
from .nodes import broadcast, joined, lifted, placed, planes, rolled
from .places import SHORTEST
from .tracing import select

__all__ = ["SHORT", "SUMS"]

SUMS = {"axis", "keepdims"}  # all that a sum may be told for its short ways
_REAL = {np.dtype(np.float32), np.dtype(np.float64)}  # NumPy's mean is their sum by their number


def _chosen(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 3:
        return NotImplemented
    nodes = tuple(map(top._node, args))
    scalars = top.record.scalars
    entries = None if scalars is None else scalars.select(nodes)
    return top._wrap(select(*nodes) if entries is None else entries)


def _broadcast(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 2 or kwargs:
        return NotImplemented
    shape = tuple(map(int, args[1])) if isinstance(args[1], (tuple, list)) else (int(args[1]),)
    node = top._node(args[0])
    if shape == node.shape:
        return args[0]
    return top._wrap(broadcast(node, shape))


def _filled(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if next(operands((args[1:], kwargs)), None) is not None:
        return NotImplemented
    like, shape = np.zeros((), top.dtype), top.shape  # the numbers say nothing
    if kwargs.keys() - {"dtype"} or any(np.ndim(x) for x in args[1:]):
        return top._wrap(top.record.constant(function(np.broadcast_to(like, shape), *args[1:], **kwargs)))
    return top._wrap(top.record.constant(np.broadcast_to(function(like, *args[1:], **kwargs), shape)))


def _put_together(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Along the first axis, as the planes of jets are."""
    if len(args) != 1 or kwargs.keys() - {"axis", "casting"}:
        return NotImplemented
    if kwargs.get("axis", 0) != 0 or kwargs.get("casting", "same_kind") != "same_kind":
        return NotImplemented
    shapes = list(map(np.shape, args[0]))
    if () in shapes or len({shape[function is np.concatenate :] for shape in shapes}) != 1:
        function([np.broadcast_to(0.0, shape) for shape in shapes])  # raises where they do not fit
    nodes = tuple(map(top._node, args[0]))
    return top._wrap(joined(nodes if function is np.concatenate else list(map(lifted, nodes))))


def _rolled(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Along one axis, or all: entries that lie one after another in memory go round together."""
    given = dict(zip(("a", "shift", "axis"), args, strict=False)) | kwargs
    shift, axis = given.get("shift"), given.get("axis")
    if given.keys() - {"a", "shift", "axis"} or given.get("a") is not top or not isinstance(shift, (int, np.integer)):
        return NotImplemented
    if isinstance(axis, tuple) and len(axis) == 1:
        (axis,) = axis
    axis = 0 if axis is None else axis
    if not isinstance(axis, (int, np.integer)) or not -len(top.shape) <= axis < len(top.shape):
        return NotImplemented
    whole = given.get("axis") is None
    period, inner = prod(top.shape[axis:]), 1 if whole else prod(top.shape[axis:][1:])
    if period == 0 or (period != top.size and period < SHORTEST) or not top.record.machine.looks:
        return NotImplemented
    return top._wrap(rolled(top.node, period, int(shift) * inner))


def _raveled(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return top.copy() if len(args) == 1 and not kwargs and len(top.shape) == 1 else NotImplemented


def _unmoved(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Of one axis there is no other order."""
    return top.copy("K") if args[0] is top and len(top.shape) == 1 and not kwargs else NotImplemented


def _differences(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Of the first order, of real or complex numbers: a slice less another."""
    if len(args) != 1 or kwargs.keys() - {"axis"} or top.dtype.kind not in "fc" or not top.shape:
        return NotImplemented
    axis = kwargs.get("axis", -1)
    if not isinstance(axis, int) or not -len(top.shape) <= axis < len(top.shape):
        return NotImplemented
    before = (slice(None),) * (axis % len(top.shape))
    return top[(*before, slice(1, None))] - top[(*before, slice(None, -1))]


def _padded(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """With zeros."""
    widths = args[1] if len(args) > 1 else kwargs.get("pad_width")
    mode = args[2] if len(args) > 2 else kwargs.get("mode", "constant")
    if mode != "constant" or kwargs.keys() - {"pad_width", "mode"} or isinstance(widths, dict) or not top.shape:
        return NotImplemented
    np.pad(np.broadcast_to(np.False_, (0,) * len(top.shape)), widths)  # raises where they do not fit
    pairs = np.broadcast_to(np.asarray(widths), (len(top.shape), 2)).tolist()
    shape = tuple([n + before + after for n, (before, after) in zip(top.shape, pairs, strict=True)])
    index = tuple([slice(before, before + n) for n, (before, _) in zip(top.shape, pairs, strict=True)])
    return top.copy() if shape == top.shape else top._wrap(placed(top.node, index, shape))


def _reshaped(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 2 or kwargs or args[0] is not top:
        return NotImplemented
    node, shape = top.node, args[1]
    if shape == node.shape:
        return top
    if shape == (1, *node.shape):
        return top._wrap(lifted(node))
    if len(node.shape) > 1 and node.shape == (1, *(shape if isinstance(shape, tuple) else (shape,))):
        return top[0]
    if shape == (*node.shape[:1], 1, *node.shape[1:]) and planes(node):
        return top._wrap(joined([lifted(lifted(plane)) for plane in planes(node)]))
    return NotImplemented


def _not_summed(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """A sum over no axis, or of one plane: its sum with 0, which turns −0 to 0."""
    if len(args) != 1 or kwargs.keys() - SUMS:
        return NotImplemented
    axis = kwargs.get("axis")
    if axis == ():
        return top.copy("K")
    if _are_made(planes(top.node), top) and _all_but_first(axis, len(top.shape)):  # each of a jet's planes by itself
        sums = [np.sum(plane) for plane in top]
        return np.reshape(np.stack(sums), (len(sums), *(1,) * (len(top.shape) - 1 if kwargs.get("keepdims") else 0)))
    if axis in (0, (0,)) and top.dtype in _REAL and len(top.shape) > 1 and top.shape[0] == 1:
        return np.reshape(top[0] + 0.0, top.shape if kwargs.get("keepdims") else top.shape[1:])
    return NotImplemented


def _all_but_first(axis: Any, ndim: int) -> bool:
    axes = axis if isinstance(axis, tuple) else (axis,)
    return ndim > 1 and all(isinstance(a, int) for a in axes) and sorted(a % ndim for a in axes) == [*range(1, ndim)]


def _are_made(planes: Sequence[Any], top: Any) -> bool:
    """Whether kernels compute the planes of a stack, and may sum by the way."""
    made = all(plane.elementwise or plane.op == "constant" for plane in planes)
    return len(planes) > 1 and made and top.record.machine.reduces


def _is_made(top: Any, *nodes: Any) -> bool:
    """Whether a kernel computes one of these arrays of one real type, and may sum by the way."""
    types = {node.dtype for node in nodes}
    return top.record.machine.reduces and len(types) == 1 and types <= _REAL and any(n.elementwise for n in nodes)


def _multiplied(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """The sum of products of two vectors."""
    if len(args) != 2 or kwargs:
        return NotImplemented
    a, b = map(top._node, args)
    if a.shape != b.shape or not (len(a.shape) == 1 or function is np.vdot) or not _is_made(top, a, b):
        return NotImplemented
    return np.sum(args[0] * args[1])


def _norm(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 1 or kwargs or not _is_made(top, top.node):
        return NotImplemented
    return np.sqrt(np.sum(top * top))


def _varied(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 1 or kwargs.keys() - {"ddof"} or top.dtype not in _REAL or not top.record.machine.reduces:
        return NotImplemented
    return WRITTEN[function](top, **kwargs) if top.size > 1 else NotImplemented


def _copied(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return top.copy("K")._as_array() if len(args) == 1 and not kwargs else NotImplemented


def _mean(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 1 or top.dtype not in _REAL or kwargs.keys() - SUMS:
        return NotImplemented
    total = np.sum(top, **kwargs)
    return total / float(top.size // max(total.size, 1))


def _attribute(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return getattr(top, function.__name__)


def _is_complex(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return top.dtype.kind == "c"


def _real(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return NotImplemented if top.dtype.kind == "c" else top


SHORT: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: _chosen, np.broadcast_to: _broadcast, np.zeros_like: _filled, np.ones_like: _filled,
    np.full_like: _filled, np.concatenate: _put_together, np.stack: _put_together, np.reshape: _reshaped,
    np.roll: _rolled, np.ravel: _raveled, np.diff: _differences, np.pad: _padded, np.sum: _not_summed,
    np.mean: _mean, np.shape: _attribute, np.ndim: _attribute, np.size: _attribute,
    np.copy: _copied, np.dot: _multiplied, np.vdot: _multiplied, np.inner: _multiplied, np.matmul: _multiplied,
    np.vecdot: _multiplied, np.linalg.vecdot: _multiplied, np.linalg.norm: _norm, np.linalg.vector_norm: _norm,
    np.var: _varied, np.std: _varied, np.transpose: _unmoved, np.moveaxis: _unmoved,
    np.iscomplexobj: _is_complex, np.real: _real,
}  # fmt: skip
