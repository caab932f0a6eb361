"""Writes into traced arrays: x[1:-1] += y, out=, np.add.at, np.copyto.

Nodes are never written into, because others read them. A write gives the tracer of the whole array a new node, and the
tracers that are views of it look again, as variables do (see `tape.views`).
"""

from collections.abc import Callable
from functools import reduce
from operator import setitem
from typing import Any, NamedTuple

import numpy as np

from ..backend import namespace
from ..errors import InvalidType
from ..kinds import Index, Value
from ..operand import operands
from ..operand.constants import frozen
from .apart import assigned
from .following import Followed
from .nodes import Node, joined, lifted, row
from .places import basic

__all__ = ["IN_PLACE", "VIEWING", "Written", "rewritten", "rewritten_in_place"]

# functions that write into their first argument
IN_PLACE = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}
# functions whose results may be views of their first argument
VIEWING = {
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.real, np.imag, np.diagonal, np.matrix_transpose, np.permute_dims,
    np.flip, np.fliplr, np.flipud, np.rot90, np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack,
    np.einsum, np.lib.stride_tricks.sliding_window_view,
}  # fmt: skip
_FEW = 16  # rows of an array whose assignment kernels see through


class _Path(NamedTuple):
    """How a part of an array is found.

    Attributes:
        steps: indices and functions one after another.
        axes: in which order they lie in memory, where functions give views then; else None.
    """

    steps: tuple[Any, ...]
    axes: tuple[int, ...] | None


def rewritten(whole: Value, path: _Path, write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A copy of an array after write(part, *args)."""
    return rewritten_in_place(namespace(whole).array(whole), path, write, *args, **kwargs)


def rewritten_in_place(whole: Value, path: _Path, write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same of an array that nobody else reads."""
    if path.axes is not None and not whole.transpose(path.axes).flags.c_contiguous:
        xp = namespace(whole)
        whole = xp.ascontiguousarray(whole.transpose(path.axes)).transpose(tuple(np.argsort(path.axes).tolist()))
    write(reduce(_looked, path.steps, whole), *args, **kwargs)
    return whole


def _looked(x: Value, how: Any) -> Any:
    return how(x) if callable(how) else x[how]


class Written(Followed):
    """A traced array that can be written to.

    Attributes:
        _now: what it was when it was looked at last.
        _origin: of what may be a view the tracer that it was taken from, and by which index or function.
        _writes: how often the whole was written to, and its first node, shared by all its views; None where there
            are none.
        _seen: how often, when this was looked at last.
    """

    __slots__ = ("_now", "_origin", "_seen", "_writes")

    _now: Node
    _origin: tuple["Written", Any] | None
    _writes: list[Any] | None
    _seen: int

    @property
    def node(self) -> Node:
        """The node that this stands for now."""
        if self._origin is not None and self._writes[0] != self._seen:  # type: ignore[index]
            self._look()
        return self._now

    def _look(self) -> None:
        self._settle()
        if self._origin is not None:
            self._now, self._seen = _looked(*self._origin).node, self._writes[0]  # type: ignore[index]

    def _settle(self) -> None:
        """Cuts this off from what it is no view of after all, and so what it was taken from."""
        if self._origin is None:
            return
        before = self._origin[0]
        before._settle()
        if before._writes is not self._writes:  # that was cut off, and this is a view of it
            self._writes, self._seen = before._writes, -1
        if not self._is_view():
            self._writes[0] += 1  # type: ignore[index]  # what was taken from this looks again
            self._origin, self._writes, self._seen = None, [0, self._now], 0

    def _is_view(self) -> bool:
        """Whether NumPy makes this a view: reshaped arrays may be, and their layout tells."""
        path, whole = self._path()
        if all(not callable(how) for how in path):
            return True
        part = array = self.record.numbers.laid_out(whole._writes[1])  # type: ignore[index]
        for how in path:
            part = _looked(part, how)
        return bool(np.may_share_memory(part, array))

    def _shares(self, whole: Value) -> bool:
        if self is whole or not isinstance(whole, Written):
            return self is whole
        self._settle()
        whole._settle()
        return self._writes is not None and self._writes is whole._writes

    def _path(self) -> tuple[tuple[Any, ...], "Written"]:
        """The indices and functions by which this is found in the whole, and that."""
        path, whole = [], self
        while whole._origin is not None:
            whole, how = whole._origin
            path.append(how)
        return tuple(path[::-1]), whole

    def _shared(self, view: Any, how: Any) -> Any:
        """The new tracer, marked as what may be a view of this one."""
        if self._writes is None:
            self._writes, self._seen = [0, self._now], 0
        view._origin, view._writes, view._seen = (self, how), self._writes, self._writes[0]
        return view

    def _viewed(self, result: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """The result of a function that may give views of this, its only traced argument."""
        if sum(1 for _ in operands((args, kwargs))) > 1:
            return result

        def how(x: Value) -> Any:
            return function(*(x if a is self else a for a in args), **kwargs)

        if isinstance(result, Written):
            return result if result is self else self._shared(result, how)
        if isinstance(result, (list, tuple)):
            for i, part in enumerate(result):
                self._shared(part, lambda x, i=i: how(x)[i])
        return result

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    def _write(self, write: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """write(self, *args, **kwargs), of a function that writes into its first argument."""
        if not (self.shape or self._is_array):
            raise TypeError(f"'{self.dtype.type.__name__}' object does not support item assignment")
        self._settle()
        path, whole = self._path()
        if whole._writes is None:  # it lies in memory as it did at first
            whole._writes = [0, whole._now]
        for x in operands((args, kwargs)):
            if not isinstance(x, Followed):
                raise InvalidType(
                    "x[…] = value: the value carries derivatives, and x is an array that has none; build the result "
                    "with np.where, np.stack or np.concatenate, or write into np.zeros_like of what carries them"
                )
        node = _assigned(whole, path, *args) if write is setitem else None
        if node is None:
            found = _Path(path, self._axes(whole._writes[1]) if any(map(callable, path)) else None)
            node = self._call(rewritten, whole, found, write, *args, **kwargs).node  # type: ignore[attr-defined]
        whole._now = node
        whole._writes[0] += 1
        whole._seen = whole._writes[0]

    def _axes(self, node: Node) -> tuple[int, ...]:
        """The axes of an array, from the one along which its entries lie farthest apart in memory."""
        strides = self.record.numbers.laid_out(node).strides
        return tuple(sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))

    def __setitem__(self, index: Index, value: Value) -> None:
        if isinstance(value, Written) and value._origin is not None and value._origin[0] is self:
            if not callable(value._origin[1]) and repr(value._origin[1]) == repr(basic(index)):
                return  # x[i] += y has written already, to the view x[i]
        self._write(setitem, frozen(index), value)

    def _give(self, result: Any) -> Any:
        """out= of a function: its result, written here if its type allows that."""
        dtype = np.result_type(result)
        if not np.can_cast(dtype, self.dtype, "same_kind"):
            raise TypeError(f"Cannot cast output from {dtype!r} to {self.dtype!r} with casting rule 'same_kind'")
        if np.shape(result) != self.shape and np.broadcast_shapes(np.shape(result), self.shape) != self.shape:
            raise ValueError(f"non-broadcastable output operand with shape {self.shape}")
        self._write(setitem, ..., result)
        return self

    def fill(self, value: Value) -> None:
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None) -> None:
        self[...] = np.sort(self, axis=axis, kind=kind)


def _assigned(whole: Any, path: tuple[Any, ...], index: Index, value: Value) -> Node | None:
    """whole[path][index] = value as a node that kernels see through; None if there is none."""
    entries = assigned(whole, lambda x: reduce(_looked, path, x), index, value)
    if entries is not None:
        return entries
    if any(callable(how) for how in path) or len(path) > 1 or (path and index not in (..., (...,), slice(None))):
        return None
    part, node, dtype = basic(path[0] if path else index), whole.node, whole.dtype
    if type(value) in (int, float) and dtype.kind == "f":
        value = dtype.type(value)
    if part is None or getattr(value, "dtype", object) != dtype:  # None would count as float64
        return None
    new = whole._node(value)
    if part in ((...,), (slice(None),)) and (node.shape or part == (...,)):
        broadcast = len(new.shape) <= len(node.shape) and np.broadcast_shapes(new.shape, node.shape) == node.shape
        if new.weak or not broadcast:
            return None
        return new if new.shape == node.shape else Node("broadcast", (new,), node.shape, dtype)
    if len(part) != 1 or not node.shape or node.shape[0] > _FEW or type(part[0]) is not int:
        return None
    (i,) = part
    if new.shape != node.shape[1:] or new.weak or not -node.shape[0] <= i < node.shape[0]:
        return None
    i %= node.shape[0]
    return joined([lifted(new if k == i else row(node, k)) for k in range(node.shape[0])])
