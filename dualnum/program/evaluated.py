"""Nodes of a closed function, evaluated on operands of any kind: each as the function of NumPy that it stands for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kinds import Value
from ..operand import Operand, highest, operands, primal
from ..primitives.operation import Operation
from ..tape.step import Placing
from .nodes import Applied, Node
from .trace import Tracer, gathered
from .writes import rewritten

__all__ = ["evaluated"]

# by what a trace replaces functions of NumPy on arrays, and what these are on operands
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.ndarray.reshape: np.reshape, np.ndarray.ravel: np.ravel, np.ndarray.transpose: np.transpose,
    np.ndarray.swapaxes: np.swapaxes, np.ndarray.squeeze: np.squeeze, np.add.reduce: np.sum,
}  # fmt: skip


def evaluated(node: Node, given: list[Any]) -> Any:
    """What a node stands for, of what its arguments are."""
    op, extra = node.op, node.extra
    if op == "constant":
        return extra if node.weak else np.asarray(extra)[()] if node.shape == () else extra
    if op == "held":
        return extra
    if op == "call":
        return _called(extra, given)
    if op in ("row", "slice", "item"):
        return given[0][extra]
    if op == "select":
        return np.where(*given)
    if op == "broadcast":
        (x,) = given
        if extra is not None:
            return np.copy(x)
        if np.shape(x) != node.shape:
            return np.broadcast_to(x, node.shape)
        return x if hasattr(x, "dtype") else node.dtype.type(x)
    if op == "concatenate":
        return np.concatenate(given)
    if op == "stack":
        return np.stack([*given, *[np.zeros_like(given[0])] * (node.shape[0] - len(given))])
    if op == "placed":
        pieces = [Placing(index)(x, node.shape) for x, index in zip(given, extra.values(), strict=True)]
        return sum(pieces[1:], pieces[0])
    if op == "rolled":
        period, shift = extra
        return np.reshape(np.roll(np.reshape(given[0], (-1, period)), shift, axis=1), node.shape)
    if not callable(op):
        raise AssertionError(op)
    return op(*given)


def _called(extra: Any, given: list[Any]) -> Any:
    if not isinstance(extra, Applied) or not any(isinstance(x, Operand) for x in given):
        return extra(*given)
    function = extra.function
    if function is rewritten:
        arrays = Applied(lambda *args: args, extra.args, {})(*given)
        return _rewritten(*arrays, **extra.kwargs)
    if function is gathered and not isinstance(given[0], Operand):
        arrays = Applied(lambda *args: args, extra.args, {})(*given)
        return gathered(_raised(arrays[0], next(operands(given))), arrays[1])
    if isinstance(function, Operation) and function.expand is function.push is None:  # it is asked for numbers only
        given = list(map(primal, given))
    return Applied(_FUNCTIONS.get(function, function), extra.args, extra.kwargs)(*given)


def _rewritten(whole: Value, path: Any, write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """See `writes.rewritten`; of an operand, or of an array into which one is written."""
    top = highest([whole, *operands(args)])
    if top is not whole and top is not None:
        whole = _raised(whole, next(x for x in operands(args) if x.scope is top.scope))
    whole = part = np.copy(whole)
    for how in path.steps:
        part = how(part) if callable(how) else part[how]
    write(part, *args, **kwargs)
    return whole


def _raised(x: Value, like: Operand) -> Any:
    """x as an operand of the level of another one."""
    if isinstance(like, Tracer):
        return like._constant(x)
    return (x + np.broadcast_to(np.sum(np.zeros_like(like)), np.shape(x))).astype(x.dtype)
