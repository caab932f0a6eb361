"""What a kink must not forget: the square of |u|, of hypot, of a norm, which is smooth where they are zero.

At u = 0 a jet of |u| has the subgradient 0 for a slope, and |u|² made from it would have lost its second derivative, 2.
So a modulus with zeros in it, and a multiple of it, remembers its square; an even power of it, or a product with its
equal, is taken from that where it is zero, and other even functions, cos |u|, from their series there, f(√w) =
Σ f_{2k} wᵏ. The other way round, √w is a modulus and |w| is ±w where w is known to be a sum of squares, as a record
tells (`_squares`).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..backend import namespace
from ..errors import DualnumError
from ..jets.jet import Jet
from ..kinds import Index, Value
from ..operand import Operand, primal, visible
from ..primitives import Row, lookup
from .recorded import Recorded

__all__ = ["Remembering"]


class Remembering:
    """An operand that remembers its square, for where it is zero: `_scale`² times `_square`."""

    __slots__ = ()
    _square: Any
    _scale: float

    def _forgetful(self) -> Any:
        """The same without the memory."""
        raise NotImplementedError

    # past the short ways of variables
    __mul__, __rmul__, __truediv__, __pow__ = (
        NDArrayOperatorsMixin.__mul__, NDArrayOperatorsMixin.__rmul__, NDArrayOperatorsMixin.__truediv__,
        NDArrayOperatorsMixin.__pow__,
    )  # fmt: skip

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if _is_short(self) and method == "__call__" and not kwargs:
            result = ufunc(*(x._forgetful() if _is_short(x) else x for x in inputs))
        else:
            result = super().__array_ufunc__(ufunc, method, *inputs, **kwargs)  # type: ignore[misc]
        if method != "__call__" or kwargs:
            return result
        power = _even_power(self, ufunc, inputs)
        if power:
            w = self._squared()
            smooth = w if power == 2 else w ** (power // 2)
            return np.where(primal(self) == 0, smooth, result)
        if ufunc is np.multiply and (same := _same_places(*inputs)) is not None:
            return np.where((primal(self) == 0) & same, self._squared(), result)
        factor = _factor(self, ufunc, inputs)
        if factor is not None:
            return result._remembering(self._square, self._scale * factor)
        coefficients = _even_series(ufunc, self._terms()) if len(inputs) == 1 else None
        if coefficients is None:
            return result
        w, smooth = self._squared(), coefficients[-1]
        for c in coefficients[-2::-1]:
            smooth = smooth * w + c
        return np.where(primal(self) == 0, smooth, result)

    def _squared(self) -> Any:
        return self._square if abs(self._scale) == 1.0 else self._square * self._scale**2

    def _terms(self) -> int:
        """How many powers of the square can be told from zero."""
        orders, x = 0, self
        while isinstance(x, Jet):
            orders, x = orders + x.order, x.planes
        return max(_TERMS, orders // 2 + 1)

    def _as_number(self) -> Any:
        return self._forgetful()._as_number()._remembering(self._square, self._scale)

    def __getitem__(self, index: Index) -> Any:
        part = self._forgetful()[index]
        return part._remembering(self._square[index], self._scale) if isinstance(part, Operand) else part


def _is_short(x: Value) -> bool:
    """Whether x is a jet of device arrays, all of which remember: without the memory it goes the short way of jets."""
    return isinstance(x, Remembering) and isinstance(x, Jet) and namespace(x.planes) is not np


def _even_power(x: Value, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> int:
    """n where the call is xⁿ for an even n > 0; else 0."""
    if ufunc is np.square or (ufunc is np.multiply and all(_is_same(x, other) for other in inputs)):
        return 2
    if ufunc in (np.power, np.float_power) and inputs[0] is x and isinstance(inputs[1], (int, float, np.number)):
        n: Any = inputs[1]
        return int(n) if n > 0 and n % 2 == 0 else 0
    return 0


def _is_same(x: Value, other: Value) -> bool:
    """Whether another modulus is one of the same: its square has the same coefficients, or came by the same steps."""
    if x is other or not isinstance(other, Remembering):
        return x is other
    return x._scale == other._scale and _is_equal(x._square, other._square)


def _same_places(x: Value, y: Value) -> Any:
    """Where two moduli on a device are of the same, which nobody looks at; None of others."""
    if not (isinstance(x, Remembering) and isinstance(y, Remembering)) or x._scale != y._scale:
        return None
    a, b = x._square, y._square
    if not (isinstance(a, Jet) and isinstance(b, Jet)) or a.scope is not b.scope or a.algebra is not b.algebra:
        return None
    a, b = a.planes, b.planes
    if isinstance(a, Operand) or isinstance(b, Operand) or visible(a, b) or a.shape != b.shape:
        return None
    return np.all(a == b, axis=0)


def _is_equal(a: Value, b: Value) -> bool:
    if isinstance(a, Jet) and isinstance(b, Jet):
        return a.scope is b.scope and a.algebra is b.algebra and _is_equal(a.planes, b.planes)
    if isinstance(a, Recorded) and isinstance(b, Recorded):
        return _is_same_step(a._step, b._step)
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)


def _is_same_step(m: Value, n: Any) -> bool:
    """Whether two steps are the same function of the same variables and constants."""
    if m is n or m is None or n is None:
        return m is n is not None
    if not isinstance(m.source, Row) or m.source is not n.source:
        return False
    return all(
        _is_same_constant(m.saved[i + 1 :], n.saved[i + 1 :]) if p is q is None else _is_same_step(p, q)
        for i, (p, q) in enumerate(zip(m.parents, n.parents, strict=True))
    )


def _is_same_constant(a: Value, b: Value) -> bool:
    """Whether the first of what two steps have saved is known, and the same."""
    return bool(a and b) and a[0] is not None and not isinstance(a[0], Operand) and np.array_equal(a[0], b[0])


_TERMS = 8  # of a record it is not known how often it will be differentiated: sixteen times


def _factor(x: Value, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """c where the call is c·x, x·c or x/c for a number c; else None."""
    if ufunc is np.negative:
        return -1.0
    if ufunc not in (np.multiply, np.divide) or len(inputs) != 2:
        return None
    first, second = inputs
    if ufunc is np.divide:
        return 1 / second if first is x and isinstance(second, (int, float, np.floating)) and second else None
    other = second if first is x else first
    return other if isinstance(other, (int, float, np.floating)) else None


@lru_cache(maxsize=256)
def _even_series(ufunc: Any, terms: int) -> tuple[float, ...] | None:
    """The even coefficients at 0 of a function of one argument that is even and smooth there; None of others."""
    try:
        row = lookup(ufunc)
    except DualnumError:
        return None
    if row.rule is None or row.kink is not None or row.ufunc.nin != 1 or row.ufunc.nout != 1:
        return None
    with np.errstate(all="ignore"):
        series = [float(np.real(c)) for c in row.expand(2 * terms, [np.float64(0.0), 1.0])]
    series += [0.0] * (2 * terms + 1 - len(series))
    if any(series[1::2]) or not any(series[2::2]) or not np.all(np.isfinite(series)):
        return None
    return tuple(series[::2])


@lru_cache(maxsize=64)
def _remembering(kind: type, forget: Callable[[Any], Any]) -> type:
    """Operands of this kind that remember."""
    body = {"__slots__": ("_scale", "_square"), "_forgetful": forget, "__doc__": kind.__doc__, "_plain": kind}
    return type(kind.__name__, (Remembering, kind), body)


def _jet(self: Jet, square: Value, scale: float = 1.0) -> Jet:
    result: Any = object.__new__(_remembering(Jet, _plain_jet))
    result._set(self.planes, self._extent, self.algebra, self.scope)
    result._shared = self._share()
    result._square, result._scale = square, scale
    return result  # type: ignore[no-any-return]


def _plain_jet(self: Jet) -> Jet:
    return self._view(self.planes)


def _variable(self: Recorded, square: Value, scale: float = 1.0) -> Recorded:
    result: Any = object.__new__(_remembering(self._plain, _plain_variable))
    result._value, result._step, result._writes, result.scope = self._read(), self._step, None, self.scope
    result._square, result._scale = square, scale
    return result  # type: ignore[no-any-return]


def _plain_variable(self: Recorded) -> Any:
    return self._new(self._read(), self._step)


Jet._remembering = _jet  # type: ignore[method-assign, assignment]
Recorded._remembering = _variable  # type: ignore[method-assign, assignment]
