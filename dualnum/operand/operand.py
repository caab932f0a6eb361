"""The one interception point: everything NumPy does to an operand arrives here.

Jets, tape variables and tracers are operands. Python's operators and ndarray's methods become calls
of NumPy's functions; NumPy hands those over through `__array_ufunc__` and `__array_function__`; and
they run on the operand of the highest level among their arguments (see `levels`). A kind of operand
says what these mean for it: a ufunc, a linear map, a rearrangement of entries, and a bilinear map.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from sys import modules
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from ..backend import cupy, device_of, is_array, lacking, namespace
from ..devices import apart, several
from ..errors import DualnumError, InvalidType, InvalidValue, NotDifferentiable, NotTraceable, ours
from ..kinds import Index, Value
from .holders import is_holder
from .levels import Scope, require_alive, same_scope
from .ondevice import OnDevice
from .registry import IMPLEMENTATIONS, WITHOUT_AXES, function_name

__all__ = [
    "Adjoint", "Adjoints", "Operand", "Stacked", "as_array", "away", "beside", "explained", "highest", "is_jet",
    "library", "operands", "primal", "promoted", "visible",
]  # fmt: skip

Adjoint = Callable[[Any], Any]  # a cotangent of the result → that of the datum (of several: a tuple)
Adjoints = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]  # (ȳ, b) → ā and (ȳ, a) → b̄
Stacked = tuple[Callable[..., Any], Callable[..., Any]]  # the same for many a, and for many b


class Operand(OnDevice):
    """What carries derivatives in place of an array."""

    __slots__ = ()
    __array_priority__ = 1000.0
    scope: Scope
    algebra: Any = None  # that of jets

    # ── what each kind gives ─────────────────────────────────────────────────────────────────────

    @property
    def value(self) -> Any:
        """The operand without its derivatives of this level."""
        raise NotImplementedError

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """ufunc.method(*inputs, **kwargs), this being the operand of the highest level."""
        raise NotImplementedError

    def _is_mine(self, x: Value, name: str = "") -> bool:
        """Whether x belongs to this level (else it is a constant here).

        Raises where it does not fit, by this name; the interception point knows that of an array function.
        """
        raise NotImplementedError

    def _primitive(self, row: Any, inputs: tuple[Any, ...]) -> Any:
        """The primitive of a row of the table, element by element."""
        raise NotImplementedError

    def _snapshot(self) -> Any:
        """This operand as it is now, whatever is assigned to it later; None where that would cost a copy."""
        return None

    def _readonly(self) -> Any:
        """This operand, not to be written to where that would change it."""
        return self

    def _frozen(self) -> Any:
        """This operand as it is now, to be read by a record (see `constants`)."""
        return self

    def _constant(self, x: Value) -> Any:
        """An array as an operand of this kind, for a trace."""
        return x

    def _shares(self, whole: Value) -> bool:
        """Whether this, of a trace, is a view of another array of it."""
        return False

    def _placed(self, index: Index, shape: tuple[int, ...]) -> Any:
        """Zeros of this shape but for self at the index, its own memory; None if that is not quicker than a sum."""
        return None

    def _add_at(self, index: Index, x: Value) -> bool:
        """self[index] += x in place, if that can be done quicker than by the sum of two; whether it was done."""
        return False

    def _stacked(self, row: Any, levels: Any, operands: Sequence[Any]) -> Any:
        """The primitive on stacks of such operands (see `tower`) in one step; None to go coefficient by coefficient."""
        return None

    def _planes_along(self, vs: Value, size: int) -> Any:
        """So many planes: this, the directions `vs`, and zeros, in one step; None where it takes several."""
        return None

    def _put_together(self, blocks: Sequence[tuple[Any, int]], size: int) -> Any:
        """So many planes like this, blocks of one or more and zeros, in one step; None where it takes several."""
        return None

    def _pull_back(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """A pull-back, elementwise, in one step; None to go operation by operation.

        The operands are the cotangent, the value and the arguments, None for what the function does not read.
        """
        return None

    def _linear(
        self,
        function: Callable[..., Any],
        data: tuple[Any, ...],
        adjoint: Adjoint | None = None,
        stacked: Callable[..., Any] | None = None,
    ) -> Any:
        """function(*data), which is jointly linear in data."""
        raise NotImplementedError

    def _rearrange(self, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        """function(*data), every entry of which is a copy of an entry of data, or zero."""
        return self._linear(function, data)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Adjoint | None = None) -> Any:
        """function(x, b), a rearrangement of x under b leading axes that it leaves alone; b = 0 on arrays."""
        raise NotImplementedError

    def _bilinear(
        self,
        function: Callable[[Any, Any], Any],
        a: Value,
        b: Value,
        adjoints: Adjoints | None = None,
        stacked: Stacked | None = None,
    ) -> Any:
        """function(a, b), linear in each."""
        raise NotImplementedError

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        """An `Operation` on args, this being the operand of the highest level."""
        raise NotImplementedError

    def _as_array(self) -> Any:
        """This result, if it has no axes, as such an array."""
        return self

    def _as_number(self) -> Any:
        """The number of such an array."""
        return self

    def _strong(self) -> Any:
        """This operand with a type of its own, which widens others."""
        return self

    def _squares(self, of_first: bool = False) -> int:
        """1 where this (or its first plane) is known to be a sum of squares, −1 of their negatives, 0 if nothing is."""
        return 0

    def _remembering(self, square: Value, scale: float = 1.0) -> Any:
        """This operand, which is zero somewhere, with its square, scale²·square, to remember there (see `roots`)."""
        return self

    def _later(self, function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
        """function(*inputs), which may never be needed, as this is an operand of their level."""
        return function(*inputs)

    def _unsettled(self, labels: Value, axis: int, known: int, message: str) -> Any:
        """This operand, in which vectors along an axis with the same label are some basis of one space.

        To the degree `known` they are what they should be; the message is for who asks for more.
        """
        return self

    def _alarm(self) -> None:
        """Where this truth value holds, a row's rule has failed and its mend must follow."""

    def _seldom(self) -> bool:
        """Notes that this truth value hardly ever holds, where another branch must be taken.

        Whether that branch is to be written beside the other; else an alarm is raised in its place.
        """
        self._alarm()
        return False

    # ── shape, type and place, by the value ──────────────────────────────────────────────────────

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the numbers are: "cpu" or "cuda:N"."""
        return device_of(self.value)

    # ── the protocols ────────────────────────────────────────────────────────────────────────────

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(map(is_holder, map(type, inputs))):  # what it holds may be such as this
            return NotImplemented
        if "cupy" in modules and (device := away(inputs)) is not None:
            with device:
                return self.__array_ufunc__(ufunc, method, *inputs, **kwargs)
        top = highest((*inputs, *kwargs["out"]) if "out" in kwargs else inputs)
        if top is None:  # only where= carries derivatives
            raise InvalidType(f"{ufunc.__name__}: where= is an operand with derivatives; expected booleans")
        try:
            return top._ufunc(ufunc, method, inputs, kwargs)
        except DualnumError:
            raise
        except Exception as error:
            name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise explained(error, name, inputs, kwargs) from error

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if any(map(is_holder, types)):
            return NotImplemented
        if "cupy" in modules and (device := away(args)) is not None:
            with device:
                return self.__array_function__(function, types, args, kwargs)
        implementation = IMPLEMENTATIONS.get(function)
        if implementation is None:
            raise NotDifferentiable(
                f"{function_name(function)}: dualnum has no rule for this function; apply it to x.value if "
                "the result is meant as a constant, or write it with functions listed in docs/coverage.md"
            )
        try:
            result = implementation(*args, **kwargs)
            if not isinstance(result, Operand):
                return result
            kind = WITHOUT_AXES.get(function)
            if kind is None and result._is_array and not any(result is x for x in (*args, kwargs.get("out"))):
                return result._as_number()
            return result._as_array() if kind == "array" else result
        except NotTraceable as error:
            return error.whole(error, function, args, kwargs)
        except DualnumError:
            raise
        except Exception as error:
            raise explained(error, function_name(function), args, kwargs) from error

    def __hash__(self) -> NoReturn:
        raise InvalidType(
            f"unhashable type: {type(self).__name__} is compared element by element; use id(x) for a key, and "
            "scipy.special.gamma(n + 1) in place of factorial(n), which looks n up in a set"
        )

    # ── Python's protocols, on values ────────────────────────────────────────────────────────────

    def __bool__(self) -> bool:
        value = primal(self)
        if value.size != 1:
            raise InvalidValue(
                f"bool(): the truth value of an array of shape {self.shape} is ambiguous; use np.any(x), np.all(x) or "
                "np.where(condition, a, b)"
            )
        return bool(value)

    def __contains__(self, item: Value) -> bool:
        return bool(np.any(primal(self) == primal(item)))

    def put(self, indices: Index, values: Value, mode: Any = "raise") -> None:
        """x.flat[indices] = values, which are repeated as often as needed."""
        if next(operands(indices), None) is not None:
            raise InvalidType("put: the index carries derivatives; use its .value (as integers)")
        np.put(self, indices, values, mode)  # type: ignore[arg-type]


# ── finding the operand that an operation runs on ────────────────────────────────────────────────


def operands(data: Value) -> Iterator[Operand]:
    """The operands in data, also inside tuples, lists and dicts of arguments."""
    if isinstance(data, Operand):
        yield data
    elif isinstance(data, (tuple, list)):
        for item in data:
            yield from operands(item)
    elif isinstance(data, dict):
        yield from operands(list(data.values()))


def highest(data: Iterable[Any]) -> Operand | None:
    """The first operand on the highest level in data; raises `LevelError` where levels are confused."""
    top: Operand | None = None
    for x in data:
        if not isinstance(x, Operand):
            continue
        if not x.scope.alive:
            require_alive(x.scope)
        if top is None or x.scope.level > top.scope.level:
            top = x
        elif x.scope.level == top.scope.level:
            same_scope(top.scope, x.scope)
    return top


def explained(error: Exception, function: str, *data: Any) -> Exception:
    """An error that NumPy or CuPy raised within `function`, as that of ours: it says where data are, or what lacks."""
    misplaced = apart(function, *arrays_in(data)) if isinstance(error, _OF_MIXTURES) else None
    return misplaced or lacking(error, function) or ours(error, function)


# what NumPy and CuPy make of arrays on host and device; a clip of a host array by a device array calls itself
_OF_MIXTURES = (TypeError, ValueError, NotImplementedError, RecursionError)


def arrays_in(data: Any) -> Iterator[Any]:
    """The arrays and operands in data, also inside tuples, lists and dicts of arguments."""
    if isinstance(data, (tuple, list, dict)):
        for item in data.values() if isinstance(data, dict) else data:
            yield from arrays_in(item)
    elif isinstance(data, Operand) or is_array(data):
        yield data


def away(data: Any) -> Any:
    """The device to enter for data: that of the first array on one, where it is not CuPy's current one; else None.

    CuPy makes arrays on its current device and starts its kernels there, wherever their operands are.
    """
    if several():
        for x in map(primal, arrays_in(data)):
            if isinstance(x, cupy().ndarray):
                return None if x.data.device_id == cupy().cuda.runtime.getDevice() else x.device
    return None


def is_jet(x: Value) -> bool:
    """Whether x has planes of an algebra."""
    return isinstance(x, Operand) and x.algebra is not None


def beside(numbers: Any, x: Value) -> Any:
    """An array of constants in the type of x, where x is: on the host or on a device."""
    return namespace(numbers, primal(x)).asarray(numbers, x.dtype)


def library(*data: Any) -> ModuleType:
    """NumPy, or CuPy where arrays under data (in lists as well) are on a device: what makes others beside them."""
    module = cupy()
    if module is None:
        return np
    arrays = list(map(primal, _items(data)))
    traced = any(isinstance(x, Operand) and x.device != "cpu" for x in arrays)
    return module if traced else namespace(*arrays)


def _items(data: Value) -> Iterator[Any]:
    for x in data:
        if isinstance(x, (tuple, list)):
            yield from _items(x)
        else:
            yield x


def as_array(x: Value, *others: Any) -> Any:
    """x as an operand or an array; lists and Python's numbers become arrays where the others are."""
    if isinstance(x, Operand) or (is_array(x) and not isinstance(x, np.generic)):
        return x
    xp = library(*others)
    return x if xp is np and isinstance(x, np.generic) else xp.asarray(x)


def visible(*values: Any) -> bool:
    """Whether the numbers of plain arrays can be looked at: not of traced ones, nor, without waiting, on a device."""
    return namespace(*values) is np and not any(isinstance(x, Operand) for x in values)


def primal(x: Value) -> Any:
    """x without any derivatives: the plain array under all levels (containers of arguments as well)."""
    while isinstance(x, Operand) and (value := x.value) is not x:  # a tracer is its own value
        x = value
    if isinstance(x, (tuple, list)) and any(True for _ in operands(x)):
        return type(x)(primal(item) for item in x)
    return x


def promoted(x: Value) -> Any:
    """An operand with a type that carries derivatives: a traced array may be one of integers or truth values.

    A traced number of Python's becomes one of NumPy's, as it does where it is not traced.
    """
    return x._strong() if x.dtype.kind in "fc" else x.astype(np.float64)
