"""What a tracer knows to say of NumPy's functions in nodes that kernels see through, in place of a call of NumPy.

Each takes a tracer, the function and its arguments, and gives NotImplemented where it has nothing to say.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..operand import operands
from .nodes import Node, joined, lifted, planes
from .tracing import select

__all__ = ["SHORT", "SUMS"]

SUMS = {"axis", "keepdims"}  # all that a sum may be told for its short ways
_SUMMED = (np.dtype(np.float32), np.dtype(np.float64))  # NumPy's mean is their sum by their number


def _chosen(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 3:
        return NotImplemented
    nodes = tuple(map(top._node, args))
    numbers = top.record.numbers
    entries = None if numbers is None else numbers.select(nodes)
    return top._wrap(select(*nodes) if entries is None else entries)


def _broadcast(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 2 or kwargs:
        return NotImplemented
    shape = tuple(map(int, args[1])) if isinstance(args[1], (tuple, list)) else (int(args[1]),)
    node = top._node(args[0])
    if shape == node.shape:
        return args[0]
    if node.op == "constant":
        return top._wrap(top.record.constant(np.broadcast_to(node.extra, shape)))
    return top._wrap(Node("broadcast", (node,), shape, args[0].dtype))


def _filled(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if next(operands((args[1:], kwargs)), None) is not None:
        return NotImplemented
    like = np.broadcast_to(np.zeros((), top.dtype), top.shape)  # the numbers say nothing
    return top._wrap(top.record.constant(function(like, *args[1:], **kwargs)))


def _put_together(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Along the first axis, as the planes of jets are."""
    if len(args) != 1 or kwargs.keys() - {"axis", "casting"}:
        return NotImplemented
    if kwargs.get("axis", 0) != 0 or kwargs.get("casting", "same_kind") != "same_kind":
        return NotImplemented
    function([np.broadcast_to(0.0, np.shape(x)) for x in args[0]])  # raises where they do not fit
    nodes = tuple(map(top._node, args[0]))
    return top._wrap(joined(nodes if function is np.concatenate else list(map(lifted, nodes))))


def _reshaped(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 2 or kwargs or args[0] is not top:
        return NotImplemented
    node, shape = top.node, args[1]
    if shape == node.shape:
        return top
    if shape == (1, *node.shape):
        return top._wrap(lifted(node))
    if shape == (*node.shape[:1], 1, *node.shape[1:]) and planes(node):
        return top._wrap(joined([lifted(lifted(plane)) for plane in planes(node)]))
    return NotImplemented


def _not_summed(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    return top if len(args) == 1 and kwargs.get("axis") == () and not kwargs.keys() - SUMS else NotImplemented


def _mean(top: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if len(args) != 1 or top.dtype not in _SUMMED or kwargs.keys() - SUMS:
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
    np.sum: _not_summed, np.mean: _mean, np.shape: _attribute, np.ndim: _attribute, np.size: _attribute,
    np.iscomplexobj: _is_complex, np.real: _real,
}  # fmt: skip
