"""What of a variable is read on purpose: its numbers, where nothing is given up or a line asks for them by name.

A variable that requires no gradient, or is met within `no_grad`, is a constant: NumPy, SciPy and Matplotlib may have
it as an array. Of one that requires a gradient `float(x)` in a program is meant as the number, as in PyTorch; a library
that makes a number of it, or `math.sin(x)`, would drop the gradient in silence, and so raises.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import is_array
from ..kinds import DType, Value
from ..operand import Operand
from ..operand.culprit import wanted_on_purpose
from ..tape.recorded import Recorded
from ..tape.step import is_recording

__all__ = ["Data", "Values", "as_data"]


class Values(Recorded):
    """The conversions of a variable to plain arrays and numbers."""

    __slots__ = ()

    def _is_constant(self) -> bool:
        """Whether nothing is lost with what was recorded."""
        return self._step is None or not is_recording()

    def __array__(self, dtype: DType = None, copy: bool | None = None) -> Any:
        value = self._read()
        if not self._is_constant():
            return super().__array__()
        return np.array(self.value if is_array(value) else value, dtype, copy=copy)

    def _number(self, kind: Callable[[Any], Any], general: Callable[[Any], Any]) -> Any:
        self._read()
        return kind(self._value) if self._is_constant() or wanted_on_purpose(3) else general(self)

    def __float__(self) -> float:
        return self._number(float, Recorded.__float__)  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return self._number(int, Recorded.__int__)  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        return self._number(complex, Recorded.__complex__)  # type: ignore[no-any-return]

    # compared element by element and told apart by identity, as PyTorch's tensors, so that it can be a key
    __hash__ = object.__hash__  # type: ignore[assignment]


class Data(np.ndarray[Any, Any]):
    """The numbers of a variable, which are not written to: the record may read them.

    ``x.data -= step`` sets x to another array, by the property.
    """

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else np.asarray(array)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _anew(name: str, plain: Callable[[Any, Any], Any]) -> None:
    general = getattr(np.ndarray, f"__i{name}__")

    def method(self: Data, other: Any) -> Any:
        if not self.flags.writeable:
            return plain(np.asarray(self), other)
        general(self, other)
        return self

    setattr(Data, f"__i{name}__", method)


for _name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod"):
    _anew(_name, getattr(operator, _name))


def as_data(value: Value) -> Any:
    """What `data` shows: an array of NumPy's as `Data`."""
    return value.view(Data) if isinstance(value, np.ndarray) and not isinstance(value, Operand) else value
