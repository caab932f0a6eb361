"""What a kink must not forget: the square of |u|, of hypot, of a norm, which is smooth where they are zero.

At u = 0 a jet of |u| has the subgradient 0 for a slope, and |u|² made from it would have lost its second derivative, 2.
So a modulus with zeros in it remembers its square, and an even power of it is taken from that where it is zero. The
other way round, √w is a modulus and |w| is ±w where w is known to be a sum of squares, as a record tells (`_squares`).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .jet import Jet
from .operand import Operand, primal
from .variable import Variable

__all__ = ["Remembering"]


class Remembering:
    """An operand that remembers its square, for where it is zero."""

    __slots__ = ()
    _square: Any

    def _forgetful(self) -> Any:
        """The same without the memory."""
        raise NotImplementedError

    # past the short ways of variables
    __mul__, __rmul__, __pow__ = (
        NDArrayOperatorsMixin.__mul__, NDArrayOperatorsMixin.__rmul__, NDArrayOperatorsMixin.__pow__,
    )  # fmt: skip

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        result = super().__array_ufunc__(ufunc, method, *inputs, **kwargs)  # type: ignore[misc]
        power = _even_power(self, ufunc, inputs) if method == "__call__" and not kwargs else 0
        if not power:
            return result
        smooth = self._square if power == 2 else self._square ** (power // 2)
        return np.where(primal(self) == 0, smooth, result)

    def _as_number(self) -> Any:
        return self._forgetful()._as_number()._remembering(self._square)

    def __getitem__(self, index: Any) -> Any:
        part = self._forgetful()[index]
        return part._remembering(self._square[index]) if isinstance(part, Operand) else part


def _even_power(x: Any, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> int:
    """n where the call is xⁿ for an even n > 0; else 0."""
    if ufunc is np.square or (ufunc is np.multiply and inputs[0] is inputs[1] is x):
        return 2
    if ufunc in (np.power, np.float_power) and inputs[0] is x and isinstance(inputs[1], (int, float, np.number)):
        n: Any = inputs[1]
        return int(n) if n > 0 and n % 2 == 0 else 0
    return 0


@lru_cache(maxsize=64)
def _remembering(kind: type, forget: Callable[[Any], Any]) -> type:
    """Operands of this kind that remember."""
    body = {"__slots__": ("_square",), "_forgetful": forget, "__doc__": kind.__doc__, "_plain": kind}
    return type(kind.__name__, (Remembering, kind), body)


def _jet(self: Jet, square: Any) -> Jet:
    result: Any = object.__new__(_remembering(Jet, _plain_jet))
    result._set(self._planes, self._support, self.algebra, self.scope)
    result._square = square
    return result  # type: ignore[no-any-return]


def _plain_jet(self: Jet) -> Jet:
    return self._like(self._planes, self._support)


def _variable(self: Variable, square: Any) -> Variable:
    result: Any = object.__new__(_remembering(self._plain, _plain_variable))
    result._value, result._node, result._writes, result.scope = self._read(), self._node, None, self.scope
    result._square = square
    return result  # type: ignore[no-any-return]


def _plain_variable(self: Variable) -> Any:
    return self._new(self._read(), self._node)


Jet._remembering = _jet  # type: ignore[method-assign, assignment]
Variable._remembering = _variable  # type: ignore[method-assign, assignment]
