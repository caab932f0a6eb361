"""What is carried from step to step of a loop: containers of arrays that stay like each other."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from ..backend import is_array
from ..errors import InvalidType, InvalidValue
from ..kinds import DType, Value
from ..operand import Operand
from ..program.formal import Closed, Given
from ..program.trace import Tracer

__all__ = ["Carry", "dtype_of", "numbers", "place"]

_NUMBERS = (bool, int, float, complex)


class Carry:
    """The carry of a loop.

    Attributes:
        first: its leaves at first.
        weak: which of them are numbers of Python's, that take the type of what comes after a step.
    """

    def __init__(self, init: Any, name: str) -> None:
        self.name = name
        self.first, self.structure = optree.tree_flatten(init)
        for i, x in enumerate(self.first):
            if not (isinstance(x, Operand) or type(x) in _NUMBERS or is_array(x)):
                raise InvalidType(
                    f"{name}: {place(self.structure, i)} of the carry is a {type(x).__name__}; expected an array or a "
                    "number"
                )
        self.weak = list(map(_is_weak, self.first))

    def behind(self, more: Any) -> "Carry":
        """The same leaves behind another one."""
        other: Carry = object.__new__(Carry)
        other.name, other.structure = self.name, self.structure
        other.first, other.weak = [more, *self.first], [False, *self.weak]
        return other

    def tree(self, leaves: Sequence[Any]) -> Any:
        """The containers that hold these leaves."""
        return optree.tree_unflatten(self.structure, leaves)

    def after(self, tree: Any) -> list[Any]:
        """The leaves after a step, which must be like those before."""
        leaves, structure = optree.tree_flatten(tree)
        if structure != self.structure:
            raise InvalidValue(
                f"{self.name}: the carry is {structure} after a step, {self.structure} before; give back the same "
                "containers"
            )
        return [self._checked(i, y) for i, y in enumerate(leaves)]

    def _checked(self, i: int, y: Any) -> Any:
        x, weak = self.first[i], self.weak[i]
        where = f"{self.name}: {place(self.structure, i)} of the carry"
        if not (isinstance(y, Operand) or type(y) in _NUMBERS or is_array(y)):
            raise InvalidType(f"{where} is a {type(y).__name__} after a step; expected an array or a number")
        if type(y) in _NUMBERS and not weak and np.can_cast(type(y), x.dtype, "same_kind"):
            y = np.asarray(y, x.dtype)[()]
        if np.shape(y) != np.shape(x):
            raise InvalidValue(
                f"{where} has shape {np.shape(y)} after a step, {np.shape(x)} before; expected the same: start with an "
                "array of that shape, np.zeros(shape)"
            )
        its, before = dtype_of(y), dtype_of(x)
        if its != before and not (weak and np.can_cast(before, its, "same_kind")):
            raise InvalidType(
                f"{where} is {its} after a step, {before} before; expected the same: start with an array of that type, "
                f"or give back y.astype({before.name!r})"
            )
        return y

    def closed(self, body: Callable[..., Any], given: Sequence[Given]) -> Closed:
        """The body, closed, for a carry none of whose leaves is a number of Python's any more."""
        self.first = [np.int64(x) if type(x) is int else np.bool_(x) if type(x) is bool else x for x in self.first]
        while True:
            its = [Given.of(x)._replace(weak=_is_weak(x)) for x in self.first]
            closed = Closed(body, [*its, *given])
            settled = [
                _settled(x, n.dtype) if weak else x
                for x, n, weak in zip(self.first, closed.outputs, self.weak, strict=False)
            ]
            if all(x is y for x, y in zip(self.first, settled, strict=True)):
                return closed
            self.first = settled


def _is_weak(x: Value) -> bool:
    return type(x) in _NUMBERS or (isinstance(x, Tracer) and x.node.weak)


def _settled(x: Value, dtype: DType) -> Any:
    """A number of Python's as what it must be at first, if it is of this type after a step."""
    if _is_weak(x):
        return x.astype(dtype) if isinstance(x, Tracer) else np.asarray(x, dtype)[()]
    if x.dtype == dtype:
        return x
    return float(x) if dtype.kind == "f" and x.dtype.kind in "bi" else np.asarray(x, dtype)[()]


def dtype_of(x: Value) -> Any:
    """The type of an array, operand or number."""
    return np.result_type(type(x)) if type(x) in _NUMBERS else x.dtype


def numbers(leaves: Sequence[Any], like: Sequence[Any] | None = None) -> list[Any]:
    """The leaves, numbers of Python's as NumPy's; in the types of others, if there are any."""
    types = map(dtype_of, leaves if like is None else like)
    return [np.asarray(x, t)[()] if type(x) in _NUMBERS else x for x, t in zip(leaves, types, strict=True)]


def place(structure: Any, i: int) -> str:
    """How a leaf is found."""
    path = optree.treespec_paths(structure)[i]
    return "leaf " + "".join(f"[{p!r}]" for p in path) if path else "the value"
