"""Functions of NumPy that run on the entries of small arrays: NumPy's own, on an array of objects.

They move entries, add and multiply them, and look at nothing else.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import is_array
from ..operand import Operand
from .scalars import MOST_ENTRIES, Numbers, is_small, run_apart

__all__ = ["MOVES", "apart", "taken"]

_NAMES = """
    reshape ravel transpose permute_dims swapaxes moveaxis rollaxis squeeze expand_dims atleast_1d atleast_2d
    atleast_3d matrix_transpose broadcast_to stack concatenate concat vstack hstack dstack column_stack block append
    insert delete flip fliplr flipud roll rot90 repeat tile take resize pad diag diagonal diagflat tril triu copy
    sum cumsum prod cumprod cumulative_sum cumulative_prod dot inner outer matmul vecdot tensordot einsum kron cross
    trace diff ediff1d convolve correlate vander meshgrid var std
"""
# what does no more with entries than to move, add and multiply them
MOVES: set[Any] = {getattr(np, name) for name in _NAMES.split() if hasattr(np, name)} | {
    np.add.reduce, np.add.accumulate, np.multiply.reduce, np.multiply.accumulate, np.add.outer, np.subtract.outer,
    np.multiply.outer, np.linalg.norm, np.linalg.outer, np.linalg.trace, np.linalg.diagonal, np.linalg.multi_dot,
    np.linalg.matrix_transpose, np.linalg.matmul, np.linalg.tensordot, np.linalg.vecdot, np.linalg.cross,
}  # fmt: skip
_MOST_KNOWN = 1024  # entries of an array from outside that entries are computed with
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class _Whole(Exception):
    """An array of a trace is not taken apart."""


def apart(top: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """function(*args, **kwargs) on entries, as a tracer; NotImplemented where arrays stay whole."""
    numbers: Numbers | None = top.record.numbers
    if numbers is None:
        return NotImplemented
    dtypes: set[Any] = set()

    def opened(x: Any) -> Any:
        if isinstance(x, Operand):
            node = getattr(x, "node", None)
            if node is None or node.dtype not in _FLOATS or not is_small(node):
                raise _Whole
            dtypes.add(node.dtype)
            entries = numbers.entries(node)
            return entries if node.shape or x._is_array else entries[()]
        if isinstance(x, (list, tuple)):
            return type(x)(map(opened, x)) if type(x) in (list, tuple) else x
        if is_array(x) and not isinstance(x, np.generic):
            if not isinstance(x, np.ndarray) or x.size > _MOST_KNOWN:
                raise _Whole
            return numbers.entries(top._node(x)) if x.dtype in _FLOATS else x
        return x

    try:
        given = [opened(x) for x in args]
        named = {name: opened(x) for name, x in kwargs.items()}
    except _Whole:
        return NotImplemented
    return _wrapped(top, run_apart(numbers, function, given, named, np.result_type(*dtypes)))


def taken(top: Any, index: Any) -> Any:
    """top[index] of entries, as a tracer; NotImplemented where the array stays whole."""
    numbers: Numbers | None = top.record.numbers
    node = top.node
    if numbers is None or not node.shape or node.dtype not in _FLOATS or not is_small(node):
        return NotImplemented
    if any(isinstance(i, Operand) for i in (index if isinstance(index, tuple) else (index,))):
        return NotImplemented
    entries = numbers.entries(node)
    part = entries[index]  # an index that does not fit raises as ever
    if isinstance(part, np.ndarray) and not 0 < part.size <= MOST_ENTRIES:
        return NotImplemented
    return _wrapped(top, run_apart(numbers, lambda: part, (), {}, node.dtype))


def _wrapped(top: Any, found: Any) -> Any:
    if found is NotImplemented:
        return found
    node, array = found
    y = top._wrap(node)
    return y._as_array() if array and not node.shape else y
