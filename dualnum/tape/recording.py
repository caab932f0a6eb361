"""Python's operators on variables, recorded by a short way past NumPy's dispatch.

Most steps of a program on short arrays are of this kind, and their cost is Python's overhead. Whatever is not
(operands of other levels, complex numbers, keywords) takes the general way, to the same result.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import memory
from ..functions.adjoints import spread
from ..kernel.pullback import PullBack, pullback, written_value
from ..kinds import Value
from ..memory import LARGE
from ..operand import Operand
from ..operand.constants import frozen
from ..operand.levels import Scope
from ..primitives import Row, lookup
from ..primitives.derived import Derived
from .step import LinearPull, Step, is_recording

__all__ = ["PLAIN", "Recording"]


class Recording(Operand):
    """An operand with a value and a step, whose arithmetic is recorded."""

    __slots__ = ("__weakref__", "_seen", "_step", "_value", "_writes", "scope")

    scope: Scope
    _plain: ClassVar[type]  # this kind, without what it remembers (see `roots`)
    _value: Any
    _step: Step | None
    # how often the memory of this value was written to; one list, shared by all views of it, and what it said
    # when this view looked last. None as long as there are no views
    _writes: list[int] | None
    _seen: int

    def __init_subclass__(cls) -> None:
        if "_plain" not in vars(cls):
            cls._plain = cls

    def _new(self, value: Value, step: Step | None) -> Any:
        """Another one of this kind and scope."""
        other: Any = _bare(self._plain)
        other._value = value
        other._step = step
        other._writes = None
        other.scope = self.scope
        return other

    def _read(self) -> Any:
        """The value, of a view as it is since the last assignment to the whole."""
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """A smooth function of one or two is recorded by a short way as well."""
        if method == "__call__" and not kwargs and len(inputs) < 3:
            row = _smooth(ufunc)
            result = None if row is None else self._shortly(row, inputs)
            if result is not None:
                return result
        return Operand.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)

    def _shortly(self, row: Row, inputs: tuple[Any, ...]) -> Any:
        """The result on variables of one scope, real arrays and numbers; None where there are others."""
        scope, own = self.scope, self._plain
        values: list[Any] = []
        steps: list[Step | None] = []
        for x in inputs:
            kind = x.__class__
            if kind is own and x.scope is scope:
                values.append(x._value if x._writes is None else x._read())
                steps.append(x._step)
            elif kind is float or kind is np.float64 or (kind is _ndarray and x.dtype.kind in "fiub"):
                values.append(x)
                steps.append(None)
            else:
                return None
        if not scope.alive or not is_recording() or not any(steps):
            return None
        function: Any = row.ufunc
        written = type(function) is Derived and all(v.__class__ in _REAL for v in values)
        written = written and all(v.dtype.kind == "f" for v in values)
        call: Any = written_value(function) if written else function
        try:
            y = call(*values)
        except (TypeError, ValueError):  # what is wrong is said on the general way
            return None
        return self._result(row, y, values, tuple(steps))

    def _result(self, row: Row, y: Value, values: Sequence[Any], parents: tuple[Step | None, ...]) -> Any:
        """The recorded result y of a primitive."""
        raise NotImplementedError


PLAIN = frozenset((float, int, np.float64))  # numbers that widen nothing
_DOUBLE = np.dtype(float)
_bare, _ndarray = object.__new__, np.ndarray
_REAL = frozenset((np.ndarray, np.float64))
_rows: dict[np.ufunc, Any] = {}


def _smooth(ufunc: Any) -> Row | None:
    """The row of a ufunc of one result, or of a derivative, that has derivatives everywhere; None of others."""
    if type(ufunc) is Derived:
        return ufunc.row
    row: Any = _rows.get(ufunc, ufunc)
    if row is ufunc:
        row = None
        if isinstance(ufunc, np.ufunc) and ufunc.nout == 1 and ufunc.signature is None:
            row = lookup(ufunc)
            if row.kind == "predicate" or not (row.kink is row.even is row.of_squares is None):
                row = None
        _rows[ufunc] = row
    return row  # type: ignore[no-any-return]


def _operator(method: str, ufunc: np.ufunc, reflected: bool = False) -> None:
    """x + y on variables of one scope, real arrays and numbers."""
    general = getattr(Operand, method)
    row = lookup(ufunc)
    rules: list[PullBack | None] = [None] * 4  # of real numbers, by which of the two are recorded

    def operate(self: Recording, other: Value) -> Any:
        x, own, scope = self._value, self._step, self.scope
        kind = type(other)
        if kind in PLAIN or (kind is _ndarray and other.dtype.kind in "fiub"):
            v, step = other, None
        elif kind is type(self) and other.scope is scope:
            if other._writes is not None:
                other._read()
            v, step = other._value, other._step
        else:
            return general(self, other)
        if self._writes is not None:
            self._read()
            x, own = self._value, self._step
        if not scope.alive or not is_recording():
            return general(self, other)
        if reflected:
            x, own, v, step = v, step, x, own
        value = self._value
        large = value.__class__ is _ndarray and value.nbytes >= LARGE
        try:
            y = memory.applied(ufunc, x, v) if large else ufunc(x, v)
        except (TypeError, ValueError):
            return general(self, other)  # says what does not fit
        if own is None and step is None:
            return self._new(y, None)
        dtype = y.dtype
        which = 1 if step is None else 2 if own is None else 3
        rule = rules[which] if dtype is _DOUBLE else None
        if rule is None:
            rule = pullback(row, (own is not None, step is not None), y, (x, v))
            if dtype is _DOUBLE:
                rules[which] = rule
        result: Any = _bare(self._plain)
        result._value = y
        saved = rule.keep(y, x, v)
        if kind is _ndarray and saved[1 if reflected else 2] is not None:
            saved = (saved[0], frozen(x), saved[2]) if reflected else (saved[0], saved[1], frozen(v))
        result._step = Step(row, (own, step), rule, saved, y.shape, dtype)
        result._writes = None
        result.scope = scope
        return result

    operate.__name__ = method
    setattr(Recording, method, operate)


for _method, _ufunc in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.divide)):
    _operator(f"__{_method}__", _ufunc)
    _operator(f"__r{_method}__", _ufunc, reflected=True)


def _power(self: Recording, exponent: Any) -> Any:
    """x**2 is x squared, as in NumPy."""
    if (exponent.__class__ is int or exponent.__class__ is float) and exponent == 2:
        x, step, scope = self._read() if self._writes is not None else self._value, self._step, self.scope
        if step is not None and scope.alive and is_recording() and x.dtype.kind == "f":
            y = memory.applied(np.square, x) if x.__class__ is _ndarray and x.nbytes >= LARGE else np.square(x)
            result: Any = _bare(self._plain)
            result._value = y
            result._step = Step("power", (step,), _SQUARE, _SQUARE.keep(y, x), y.shape, y.dtype)
            result._writes = None
            result.scope = scope
            return result
        return np.square(self)
    return _general_power(self, exponent)


def _sum(self: Recording, *args: Any, **kwargs: Any) -> Any:
    """``np.sum`` of this operand."""
    x, step, scope = self._read(), self._step, self.scope
    if args or kwargs or step is None or not scope.alive or not is_recording():
        return _general_sum(self, *args, **kwargs)
    y = x.sum()
    return self._new(y, Step("sum", (step,), _to_all, (), y.shape, y.dtype))


_to_all = LinearPull(spread(None, 0, False), True)
_general_sum = Operand.sum
setattr(Recording, "sum", _sum)  # noqa: B010
_SQUARE = pullback(lookup(np.square), (True,), np.ones(1), (np.ones(1),))
_SQUARE.squares = True
_general_power = Operand.__pow__
setattr(Recording, "__pow__", _power)  # noqa: B010  the class is closed
