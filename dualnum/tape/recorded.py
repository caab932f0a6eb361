"""Variables: operands that record what is done with them on a tape.

A variable holds a value of a lower level (an array, a jet, another variable, a tracer) and the step that it
was recorded as; a constant has none.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np

from ..algebra import Stack
from ..errors import InvalidType, LevelError, dropped
from ..jets import evaluation, tower
from ..jets.planes import Level, readonly
from ..kernel import launch
from ..kernel.pullback import pullback, written_value
from ..kinds import DType, Index, Value
from ..operand import Adjoint, Adjoints, Moving, Operand, Stacked, batched, library, linear
from ..operand.constants import frozen
from ..operand.index import above, checked_index, checked_value, has_mask
from ..operand.levels import Scope, require_alive
from ..operand.rearrangement import Rearrangement
from ..primitives import ufuncs
from ..primitives.derived import Derived, derived
from ..primitives.mends import around_zeros
from ..primitives.operation import Operation
from ..primitives.table import Row
from .recording import Recording
from .step import LinearPull, OperationPull, Placing, Step, added_at, irreversible, is_recording, sign_of_squares
from .transposed import StackPull
from .views import assign, is_view, looked

__all__ = ["Recorded", "own"]

_BASIC = frozenset((slice, int))  # kinds of indices that select no entry twice


class Recorded(Recording):
    """An array that records the operations on it.

    What NumPy gives as a view of an array's memory is one here as well, although values are never written into,
    because the record reads them: an assignment gives the whole a new value, and its views look again.
    """

    __slots__ = ("_origin",)

    # of a view: what it was taken from, and by which index or function; None of what was made as a whole. Set
    # where _writes is
    _origin: tuple["Recorded", Any] | None

    @staticmethod
    def leaf(value: Value, scope: Scope) -> "Recorded":
        """A variable to differentiate by."""
        variable = object.__new__(Recorded)
        variable._value = value
        variable._step = Step("variable", (), None, (), value.shape, value.dtype)
        variable._writes = None
        variable.scope = scope
        return variable

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    @property
    def value(self) -> Any:
        """The value without the record; arrays as read-only views."""
        value = self._read()
        return value._readonly() if isinstance(value, Operand) else readonly(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._value.shape)

    @property
    def ndim(self) -> int:
        ndim: int = self._value.ndim
        return ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self._value.dtype
        return dtype

    def _read(self) -> Any:
        """The value, of a view as it is since the last assignment to the whole."""
        if self._writes is not None and self._writes[0] != self._seen:
            assert self._origin is not None
            whole, how = self._origin
            whole._read()
            now = looked(whole, how)
            self._value = now._value
            if is_recording():  # else a reader that records looks once more
                if now._step is not None and self._step is not None:
                    now._step.source = self._step.source
                self._step, self._seen = now._step, self._writes[0]
        return self._value

    def __repr__(self) -> str:
        return f"Variable({self._value!r})"

    def astype(self, dtype: DType, casting: Any = "unsafe", copy: bool = True) -> Any:
        """The variable with a value of another real or complex type; for other types the value is needed."""
        dtype = np.dtype(dtype)
        if dtype.kind not in "fc" or (dtype.kind == "f" and self.dtype.kind == "c"):
            raise dropped(f"astype from {self.dtype} to {dtype}", "x.value.astype(…), or x.real")
        if dtype == self.dtype and not copy:
            return self
        return linear(lambda x: x.astype(dtype), self, adjoint=Moving(lambda g: g, omits=False))

    def copy(self, order: str = "C") -> Any:
        return np.copy(self) if self.ndim or self._is_array else self._snapshot()

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> NoReturn:
        raise InvalidType("a variable cannot be pickled: its record lives in this process; pickle x.value")

    # ── indexing and assignment ──────────────────────────────────────────────────────────────────

    def __getitem__(self, index: Index) -> Any:
        if type(index) not in _BASIC:
            for i in index if isinstance(index, tuple) else (index,):
                if isinstance(i, Operand) and i.value is not i:  # a tracer has no derivatives of its own
                    raise InvalidType("x[…]: the index carries derivatives; use its .value (as integers or booleans)")
                if not (type(i) in _BASIC or i is None or i is Ellipsis or isinstance(i, np.integer)):
                    return self._gathered(frozen(index))
        if not self.scope.alive:
            require_alive(self.scope)
        x = self._read() if self._writes is not None else self._value
        y, step = x[index], self._step
        if step is not None:
            step = Step("getitem", (step,), Placing(index), (), y.shape, y.dtype) if is_recording() else None
        return self._shared(self._new(y, step), x, index)

    def _gathered(self, index: Index) -> Any:
        if (held := above(self, index)) is not None:
            return held[index]
        taken = lambda x: x[index]  # noqa: E731
        if library(self) is np or has_mask(index):
            return self._rearrange(taken, (self,), "getitem")
        return self._linear(taken, (self,), added_at(index, self.shape), name="getitem")

    def _shared(self, view: Any, x: Value, how: Any) -> Any:
        """The new variable, marked as a view of this one where it shares its memory."""
        if not is_view(view._value, x, how):
            return view
        if self._writes is None:
            self._writes, self._seen, self._origin = [0], 0, None
        view._writes, view._seen, view._origin = self._writes, self._writes[0], (self, how)
        return view

    def __setitem__(self, index: Index, value: Value) -> None:
        """Recorded as a new value of this variable; what was computed before keeps the old one."""
        index, value = checked_index(index, "x[…] = value"), checked_value(self, value)
        if isinstance(value, Recorded) and value.scope is self.scope:
            if value._writes is not None and value._origin is not None and value._origin[0] is self:
                its = value._origin[1]
                if its is index or (type(its) is slice and type(index) is slice and its == index):
                    return  # x[i] += y has written already, to the view x[i]
            if value.dtype != self.dtype:
                value = value.astype(self.dtype)
        assign(self, index, value)

    @property
    def _is_array(self) -> bool:
        value = self._value
        return value._is_array if isinstance(value, Operand) else type(value) is np.ndarray and not value.ndim

    def _as_array(self) -> Any:
        if not self.ndim:
            value = self._value
            self._value = value._as_array() if isinstance(value, Operand) else library(value).asarray(value)
        return self

    def _as_number(self) -> Any:
        value = self._read()
        return self._new(value._as_number() if isinstance(value, Operand) else value[()], self._step)

    def _replace(self, new: "Recorded") -> None:
        self._value = new._value
        if is_recording():
            self._step = new._step
        if self._writes is not None:
            self._writes[0] += 1
            self._seen = self._writes[0]

    def fill(self, value: Value) -> None:
        """x[...] = value."""
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None) -> None:
        self[...] = np.sort(self, axis=axis)

    # ── what the interception point asks for ─────────────────────────────────────────────────────

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return _named(Operand.__array_function__(self, function, types, args, kwargs), function.__name__)

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _named(ufuncs.apply(self, ufunc, method, inputs, kwargs), ufunc.__name__)

    def _is_mine(self, x: Value, name: str = "") -> bool:
        return isinstance(x, Recorded) and x.scope is self.scope

    def _parts(self, data: Sequence[Any]) -> tuple[list[Any], tuple[Step | None, ...]]:
        """The values of the data on this level, and their steps."""
        keep = is_recording()
        if len(data) == 1 and data[0] is self:  # nearly always
            return [self._read()], (self._step if keep else None,)
        values: list[Any] = []
        steps: list[Step | None] = []
        for x in data:
            if isinstance(x, Recorded) and x.scope is self.scope:
                values.append(x._read())
                steps.append(x._step if keep else None)
            else:
                values.append(x)
                steps.append(None)
        return values, tuple(steps)

    def _snapshot(self) -> Any:
        return self._new(self._read(), self._step)  # an assignment gives a variable another value and step

    _frozen = _snapshot

    def _primitive(self, row: Row, inputs: tuple[Any, ...]) -> Any:
        if row.kink is not None:
            evaluation.check_kinks(row, inputs)
        if row.even is not None or row.of_squares is not None:
            return around_zeros(row, inputs, lambda: self._applied(row, inputs))
        return self._applied(row, inputs)

    def _squares(self, of_first: bool = False) -> int:
        self._read()
        return 0 if self._step is None else sign_of_squares(self._step, of_first)

    def _applied(self, row: Row, inputs: tuple[Any, ...]) -> Any:
        values, parents = self._parts(inputs)
        if len(inputs) > 1:
            values = [evaluation.constant(row, x) if p is None else x for x, p in zip(values, parents, strict=True)]
        function: Any = row.ufunc
        if type(function) is Derived and not any(isinstance(v, Operand) for v in values):
            function = written_value(function) if all(_is_real(v) for v in values) else function
        y = function(*values)
        if row.ufunc.nout == 1:
            return self._result(row, y, values, parents)
        return tuple(self._result(row, part, values, parents, k, y) for k, part in enumerate(y))

    def _result(
        self,
        row: Row,
        y: Value,
        values: Sequence[Any],
        parents: tuple[Step | None, ...],
        output: int = 0,
        outputs: Any = None,
    ) -> Any:
        if y.dtype.kind not in "fc":
            return y
        wanted = tuple([p is not None for p in parents])
        if True not in wanted:
            return self._new(y, None)
        rule = pullback(row, wanted, y, values, output)
        if not any(rule.moved) and isinstance(row.ufunc, Derived):  # x³ has been differentiated three times
            return self._new(y, None)
        saved = rule.keep(y if outputs is None else outputs, *values)
        return self._recorded(row, parents, rule, saved, y)

    def _recorded(
        self, source: Any, parents: tuple[Step | None, ...], pull: Any, saved: Sequence[Any], y: Value
    ) -> Any:
        """The result of a recorded step, whose constants stay what they are now."""
        if None in parents:
            kept = [v if n is not None or v is None else frozen(v) for v, n in zip(saved[1:], parents, strict=True)]
            saved = (saved[0], *kept)
        return self._new(y, Step(source, parents, pull, saved, y.shape, y.dtype))

    def _stacked(self, row: Row, levels: tuple[Level, ...], operands: Sequence[Stack]) -> Any:
        """One step of the record, whatever the levels of jets above."""
        if row.ufunc.nout > 1:  # each result is a step of its own
            none = (0,) * row.ufunc.nin
            each = [self._stacked(derived(row, none, k).row, levels, operands) for k in range(row.ufunc.nout)]
            return None if None in each else tuple(each)
        values, parents = self._parts([s.base for s in operands])
        extents = [s.extents for s in operands]
        stack = tower.on_jets(row, levels, [Stack(v, d) for v, d in zip(values, extents, strict=True)])
        y = stack.base
        if y.dtype.kind == "c" or any(np.iscomplexobj(v) for v in values):
            return None
        if not any(parents):
            return stack._replace(base=self._new(y, None))
        if any(
            p is not None and not any(d) and not np.ndim(v) for p, v, d in zip(parents, values, extents, strict=True)
        ):
            # a number that varies must not decide what there is: t**p at p = 0
            its = launch.structural_extents(row, tower.joint(levels), tuple(extents))
            stack = stack._replace(extents=its)
        pull = StackPull(row, tuple([p is not None for p in parents]), levels, stack.extents, extents, values)
        return stack._replace(base=self._recorded(row, parents, pull, (None, *values), y))

    def _planes_along(self, vs: Value, size: int) -> Any:
        x, step = self._read(), self._step
        if isinstance(x, Operand) or x.dtype.kind != "f" or step is None or not is_recording():
            return None
        planes = library(x).zeros((size, *x.shape), x.dtype)
        planes[0] = x
        planes[1 : 1 + len(vs)] = vs if np.ndim(vs) > 1 else vs.reshape(len(vs), *(1,) * x.ndim)
        return self._new(planes, Step("seed", (step,), _TO_VALUE, (), planes.shape, planes.dtype))

    def _linear(
        self,
        function: Callable[..., Any],
        data: tuple[Any, ...],
        adjoint: Adjoint | None = None,
        stacked: Callable[..., Any] | None = None,
        name: str = "",
    ) -> Any:
        values, parents = self._parts(data)
        y = function(*values)
        if y.dtype.kind not in "fc":
            return y
        if not any(parents):
            return self._new(y, None)
        if adjoint is None:
            raise irreversible(function)
        pull = LinearPull(adjoint, len(data) == 1)
        return self._new(y, Step(name or function, parents, pull, (), y.shape, y.dtype))

    def _rearrange(self, function: Callable[..., Any], data: tuple[Any, ...], name: str = "") -> Any:
        return self._linear(function, data, Rearrangement(function, data), name=name)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Adjoint | None = None) -> Any:
        plain = lambda x: batched(function, x, adjoint)  # noqa: E731
        back = Rearrangement(plain, (self,)) if adjoint is None else Moving(adjoint, omits=False)
        return self._shared(self._linear(plain, (self,), back), self._value, plain)

    def _bilinear(
        self,
        function: Callable[[Any, Any], Any],
        a: Value,
        b: Value,
        adjoints: Adjoints | None = None,
        stacked: Stacked | None = None,
    ) -> Any:
        values, parents = self._parts((a, b))
        y = function(*values)
        if not any(parents):
            return self._new(y, None)
        if adjoints is None:
            raise irreversible(function)
        to_a, to_b = adjoints
        on_a, on_b = (p is not None for p in parents)

        def pull(g: Value, y: Value, a: Value, b: Value) -> Any:
            return to_a(g, b) if on_a else None, to_b(g, a) if on_b else None

        saved = (None, values[0] if on_b else None, values[1] if on_a else None)
        return self._recorded(function, parents, pull, saved, y)

    def _operation(self, operation: Operation, args: tuple[Any, ...]) -> Any:
        values, parents = self._parts(args)
        y = operation(*values)
        if not any(parents):
            return self._new(y, None)
        pull: Any = partial(operation.pull, tuple([p is not None for p in parents]))
        if operation.reads_reach:
            pull = OperationPull(pull)
        return self._recorded(operation.name, parents, pull, (y, *values), y)


_TO_VALUE = LinearPull(Moving(lambda g: g[0], omits=False), True)


def _is_real(x: Value) -> bool:
    return isinstance(x, (int, float)) or x.dtype.kind in "fiub"


def _named(result: Any, name: str) -> Any:
    """The result, its last step by the name of the function that it stands for."""
    if isinstance(result, Recorded) and result._step is not None and not isinstance(result._step.source, Row):
        result._step.source = name
    return result


def own(y: Value, scope: Scope) -> Recorded | None:
    """y, if it is a variable of this scope that depends on something; None for a constant there."""
    if isinstance(y, Operand) and y.scope.level > scope.level:
        raise LevelError(
            f"{scope.name}: f returned an operand of {y.scope.name}, which ends with this call; "
            "return its .value, .coeffs or .derivative(k)"
        )
    if not isinstance(y, Recorded) or y.scope is not scope:
        return None
    y._read()
    return None if y._step is None else y
