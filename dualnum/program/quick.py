"""Arithmetic of tracers by a short way, past NumPy's dispatch: most of what a trace consists of."""

from typing import Any

import numpy as np

from .calls import Called
from .nodes import Node

__all__ = ["Quick"]

_NUMBERS = frozenset((float, int, np.float64, np.ndarray))


class Quick(Called):
    """A traced array, whose operations with others of its trace, with numbers and arrays are written at once.

    All else, and what raises, takes the general way.
    """

    __slots__ = ()
    record: Any

    def _shortly(self, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Node | None:
        """The node of ufunc(*inputs); None where the general way must be taken."""
        record, nodes = self.record, []
        for x in inputs:
            if isinstance(x, Quick):
                if x.record is not record:
                    return None
                nodes.append(x._now if x._origin is None else x.node)
            elif x.__class__ in _NUMBERS:
                nodes.append(record.constant(x))
            else:
                return None
        if not record.short or not record.scope.alive:
            return None
        try:
            node: Node = record.elementwise(ufunc, *nodes)
        except (TypeError, ValueError):  # what is wrong is said on the general way
            return None
        return node

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc.nout == 1 and ufunc.signature is None:
            node = self._shortly(ufunc, inputs)
            if node is not None:
                return self._wrap(node)
        return Called.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)


def _operator(method: str, ufunc: np.ufunc, reflected: bool = False) -> None:
    general = getattr(Called, method)

    def operate(self: Quick, other: Any) -> Any:
        node = self._shortly(ufunc, (other, self) if reflected else (self, other))
        return general(self, other) if node is None else self._wrap(node)

    operate.__name__ = method
    setattr(Quick, method, operate)


for _method, _ufunc in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.divide)):
    _operator(f"__{_method}__", _ufunc)
    _operator(f"__r{_method}__", _ufunc, reflected=True)
