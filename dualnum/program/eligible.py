"""What of a trace can be part of kernels, and how arrays lie that they read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..backend import is_array
from ..kernel import launch
from ..kinds import Value
from .nodes import Applied, Node, Trace

__all__ = ["elementwise_kind", "is_laid_out", "layout_of_argument", "numbers", "once"]

_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.longdouble))


def elementwise_kind(node: Node, kinds: dict[int, Any]) -> Any:
    """(shape, type) of the kernel that a node can be part of, or None."""
    if not node.elementwise or any(a.dtype.kind not in "fbiu" for a in node.args):
        return None
    if node.dtype in _FLOATS:
        return (node.shape, node.dtype) if node.op == "select" or launch.uniform(node.op, node.dtype) else None
    if node.dtype == bool:  # a comparison goes where its operands are compared
        types = {a.dtype for a in node.args if a.dtype in _FLOATS and not a.weak}
        types = types or {a.dtype for a in node.args if a.dtype in _FLOATS}
        if len(types) == 1 and all(a.dtype in _FLOATS or a.dtype == bool or a.weak for a in node.args):
            return node.shape, types.pop()
        inner = {kinds[a.number] for a in node.args if kinds.get(a.number) is not None}
        if len(inner) == 1 and all(a.dtype == bool for a in node.args) and next(iter(inner))[0] == node.shape:
            return inner.pop()
    return None


def once(node: Node) -> Node:
    """A constant without the axes along which it repeats, as far as broadcasting brings them back."""
    if node.op != "constant" or 0 not in (strides := np.asarray(node.extra).strides) or not np.size(node.extra):
        return node
    first = next((i for i, stride in enumerate(strides) if stride), len(strides))
    return Node("constant", (), node.shape[first:], node.dtype, node.extra[(0,) * first]) if first else node


def is_laid_out(node: Node, in_one_piece: Callable[[Node], bool]) -> bool:
    """Whether what NumPy computes is an array in one piece: a product of matrices, and such in another shape."""
    if not isinstance(node.extra, Applied) or node.extra.kwargs:
        return False
    if node.extra.function is np.matmul:
        return len(node.shape) == 2
    return node.extra.function is np.ndarray.reshape and in_one_piece(node.args[0])


def numbers(nodes: Sequence[Node], traced: Trace, samples: Sequence[Any]) -> Iterator[int]:
    """The numbers of a trace on a device that are none of its arrays, and what is computed of such alone."""
    found = {
        n.number for n, x in zip(traced.inputs, samples, strict=True) if not is_array(x) or isinstance(x, np.generic)
    }
    yield from found
    for node in nodes:
        if node.shape == () and node.args and (node.elementwise or node.op == "broadcast"):
            if all(a.number in found or (a.op == "constant" and a.shape == ()) for a in node.args):
                found.add(node.number)
                yield node.number


def layout_of_argument(x: Value) -> str:
    """How a kernel reads an argument of its own shape and type."""
    if not is_array(x) or x.flags.c_contiguous:
        return "c"
    return "g" if x.ndim == 1 and x.flags.aligned else "p"
