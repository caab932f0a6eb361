"""Functions of NumPy that run on the entries of small arrays: NumPy's own, on an array of objects.

They move entries, add and multiply them, and look at nothing else.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend import is_array
from ..errors import DualnumError
from ..kinds import DType
from ..operand import Operand, operands
from .nodes import Node
from .scalars import MOST_ENTRIES, Pack, Scalar, Scalars, is_small

__all__ = ["ENTRYWISE", "apart", "assigned", "put_together", "taken"]

_NAMES = """
    reshape ravel transpose permute_dims swapaxes moveaxis rollaxis squeeze expand_dims atleast_1d atleast_2d
    atleast_3d matrix_transpose broadcast_to stack concatenate concat vstack hstack dstack column_stack block append
    insert delete flip fliplr flipud roll rot90 repeat tile take resize pad diag diagonal diagflat tril triu copy
    sum cumsum prod cumprod cumulative_sum cumulative_prod dot inner outer matmul vecdot tensordot einsum kron cross
    trace diff ediff1d convolve correlate vander meshgrid
"""
# what does no more with entries than to move, add and multiply them
_MOVES: set[Any] = {getattr(np, name) for name in _NAMES.split() if hasattr(np, name)} | {
    np.add.reduce, np.add.accumulate, np.multiply.reduce, np.multiply.accumulate, np.add.outer, np.subtract.outer,
    np.multiply.outer, np.linalg.outer, np.linalg.trace, np.linalg.diagonal, np.linalg.multi_dot,
    np.linalg.matrix_transpose, np.linalg.matmul, np.linalg.tensordot, np.linalg.vecdot, np.linalg.cross,
}  # fmt: skip
_HOW = {"axis", "ddof", "keepdims"}
_MOST_KNOWN = 1024  # entries of an array from outside that entries are computed with
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _norm(x: Any) -> Any:
    flat = np.ravel(x)
    return np.sqrt(flat @ flat)


def _var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    mean = np.mean(x, axis=axis, keepdims=True)
    total = np.sum((x - mean) ** 2, axis=axis, keepdims=keepdims)
    return total / float(max(x.size // mean.size - ddof, 0))


# others, as NumPy computes them for real numbers, of other functions; with further arguments they stay calls
WRITTEN: dict[Any, Callable[..., Any]] = {
    np.linalg.norm: _norm, np.var: _var, np.std: lambda x, **how: np.sqrt(_var(x, **how)),
}  # fmt: skip


_PRODUCTS = {
    getattr(np, name)
    for name in "dot inner outer matmul vecdot tensordot einsum kron cross convolve correlate".split()
    if hasattr(np, name)
} | {np.linalg.outer, np.linalg.multi_dot, np.linalg.matmul, np.linalg.tensordot, np.linalg.vecdot, np.linalg.cross}
# NumPy begins these sums with 0, but for objects
_FROM_ZERO = {np.sum, np.add.reduce, np.trace, np.dot, np.inner, np.matmul, np.vecdot, np.linalg.trace}
# these refuse what is no array, and NumPy would hold it for ever then
_BY_UFUNC = {np.sum, np.prod} | {f for f in _MOVES if isinstance(getattr(f, "__self__", None), np.ufunc)}
_SIMPLE = {int, slice, type(None), type(Ellipsis)}  # kinds of indices
_POSITIVE = {np.square, np.absolute, np.exp, np.cosh}
ENTRYWISE = _MOVES | WRITTEN.keys()


class _Whole(Exception):
    """An array of a trace is not taken apart."""


def apart(top: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """function(*args, **kwargs) on entries, as a tracer; NotImplemented where arrays stay whole."""
    scalars: Scalars | None = top.record.scalars
    if scalars is None:
        return NotImplemented
    if function in WRITTEN:
        node = top.node
        if len(args) != 1 or args[0] is not top or kwargs.keys() - _HOW or node.dtype not in _FLOATS:
            return NotImplemented
        if not is_small(node) or (function is np.linalg.norm and kwargs):
            return NotImplemented
        return WRITTEN[function](top, **kwargs)
    dtypes: set[Any] = set()

    def opened(x: Any, counts: bool = function in _PRODUCTS) -> Any:
        """An argument; whole numbers among the numbers that are computed with count as such of double precision."""
        if isinstance(x, Operand):
            node = getattr(x, "node", None)
            if node is None or node.dtype not in _FLOATS or not is_small(node):
                raise _Whole
            dtypes.add(node.dtype)
            entries = scalars.entries(node)
            return entries if node.shape or x._is_array else entries[()]
        if type(x) in (list, tuple):
            inside = any(isinstance(i, Operand) for i in x)
            return type(x)(opened(i, inside) for i in x)
        if is_array(x) and not isinstance(x, np.generic):
            if not isinstance(x, np.ndarray) or x.size > _MOST_KNOWN:
                raise _Whole
            x = x.astype(float) if counts and x.dtype.kind in "iub" else x
            return scalars.entries(Node("constant", (), x.shape, x.dtype, x)) if x.dtype in _FLOATS else x
        if counts and type(x) in (int, float) and function not in _PRODUCTS:
            entry = np.empty(1, object)
            entry[0] = np.float64(x)  # of no axes it would become Python's
            return entry.reshape(())
        return x

    try:
        given = [opened(x) for x in args]
        named = {name: opened(x) for name, x in kwargs.items()}
    except _Whole:
        return NotImplemented
    if function in _BY_UFUNC and any(isinstance(x, Node) for x in given):
        return NotImplemented
    return _wrapped(top, _run(scalars, function, given, named, np.result_type(*dtypes)))


def taken(top: Any, index: Any) -> Any:
    """top[index] of entries, as a tracer; NotImplemented where the array stays whole."""
    scalars: Scalars | None = top.record.scalars
    node = top.node
    if scalars is None or not node.shape or node.dtype not in _FLOATS or not is_small(node):
        return NotImplemented
    if not (type(index) is tuple and _SIMPLE.issuperset(map(type, index))):
        if next(operands((index,)), None) is not None:
            return NotImplemented
    part = scalars.entries(node)[index]  # an index that does not fit raises as ever
    if type(part) is not np.ndarray:
        scalars.needed = True
        return top._wrap(scalars.known(part, node.dtype))
    if not 0 < part.size <= MOST_ENTRIES:
        return NotImplemented
    scalars.needed = True
    y = top._wrap(scalars.packed(part, node.dtype))
    return y if part.shape else y._as_array()


def assigned(top: Any, looked: Callable[[Any], Any], index: Any, value: Any) -> Node | None:
    """looked(top)[index] = value on entries, as a node; None where the array stays whole."""
    scalars: Scalars | None = top.record.scalars
    node = top.node
    if scalars is None or not node.shape or node.dtype not in _FLOATS or not is_small(node):
        return None
    if next(operands((index,)), None) is not None:
        return None
    its = top._node(value if isinstance(value, Operand) else np.asarray(value))
    if its.op == "constant" and its.dtype.kind in "iubf" and np.size(its.extra):
        its = Node("constant", (), its.shape, node.dtype, np.asarray(its.extra, node.dtype))
    if its.dtype != node.dtype or not is_small(its):
        return None
    given = scalars.entries(scalars.strong(its) if its.weak else its)
    entries = scalars.entries(node).copy(order="K")
    part = looked(entries)
    if not np.may_share_memory(part, entries):
        return None
    np.empty(part.shape, node.dtype)[index] = np.broadcast_to(node.dtype.type(0), given.shape)  # raises as ever
    part[index] = given if given.shape else given[()]
    scalars.needed = True
    return Pack(entries, node.dtype, scalars)


def put_together(top: Any, blocks: Sequence[tuple[Any, int]], size: int) -> Any:
    """Planes like this array from blocks of entries, zeros by structure behind them; None where arrays stay whole."""
    scalars: Scalars | None = top.record.scalars
    node = top.node
    if scalars is None or node.dtype not in _FLOATS or not 0 < size * prod(node.shape) <= MOST_ENTRIES:
        return None
    planes, start = np.zeros((size, *node.shape), object), 0
    for part, count in blocks:
        if isinstance(part, Operand):
            its = getattr(part, "node", None)
            if its is None or (its.dtype is not node.dtype and its.dtype != node.dtype):
                return None
            if its.__class__ is Scalar and count == 1:  # nearly always
                planes[start] = its
                start += 1
                continue
            if not is_small(its):
                return None
        else:
            its = top._node(node.dtype.type(part) if np.ndim(part) == 0 else np.asarray(part, node.dtype))
        entries = scalars.entries(its)
        if not node.shape and count == 1:
            planes[start] = entries.reshape(-1)[0]
        else:
            planes[start : start + count] = entries
        start += count
    scalars.needed = True
    return top._wrap(scalars.packed(planes, node.dtype))


def _wrapped(top: Any, found: Any) -> Any:
    if found is NotImplemented:
        return found
    node, array = found
    y = top._wrap(node)
    return y._as_array() if array and not node.shape else y


def _run(scalars: Scalars, function: Callable[..., Any], args: Any, kwargs: Any, dtype: DType) -> Any:
    """function(*args, **kwargs) where arrays are arrays of entries: a node, and whether it is an array.

    NotImplemented where NumPy cannot tell of objects what comes out, or gives something else than one array.

    Args:
        dtype: of the result where nothing in it has one.
    """
    try:
        with np.errstate(all="ignore"):
            y = function(*args, **kwargs)
    except (TypeError, ValueError, AttributeError, ArithmeticError, IndexError, NotImplementedError, DualnumError):
        return NotImplemented
    entries = y
    if not isinstance(y, np.ndarray):
        entries = np.empty((), object)
        entries.reshape(-1)[0] = y
    if entries.dtype != object or not 0 < entries.size <= MOST_ENTRIES:
        return NotImplemented
    if function in _FROM_ZERO:
        entries = entries.copy()
        for i, x in enumerate(entries.flat):
            if isinstance(x, Node) and _may_be_minus_zero(x):
                total = scalars.elementwise(np.add, (x, scalars.node(x.dtype.type(0))))
                entries.flat[i] = x if total is None else total
    dtypes = set()
    for x in entries.flat:
        if isinstance(x, (Node, np.floating)):
            dtypes.add(x.dtype)
        elif x.__class__ is not int and x.__class__ is not float:
            return NotImplemented
    dtype = dtypes.pop() if dtypes else dtype
    if dtypes or dtype not in _FLOATS:
        return NotImplemented
    scalars.needed = True
    return scalars.packed(entries, dtype), isinstance(y, np.ndarray)


def _may_be_minus_zero(node: Node) -> bool:
    """Whether a sum may be −0, which it is where all its terms are."""
    waiting = [node]
    for _ in range(2 * MOST_ENTRIES):
        if not waiting:
            break
        x = waiting.pop()
        if x.op is np.add:
            waiting += x.args
        elif x.op in _POSITIVE or (x.op is np.multiply and x.args[0] is x.args[1]):
            return False
    return True
