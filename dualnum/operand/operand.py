"""The one interception point: everything NumPy does to an operand arrives here.

Jets, tape variables and tracers are operands. Python's operators and ndarray's methods become calls
of NumPy's functions; NumPy hands those over through `__array_ufunc__` and `__array_function__`; and
they run on the operand of the highest level among their arguments (see `levels`). A kind of operand
says what these mean for it: a ufunc, a linear map, a rearrangement of entries, and a bilinear map.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..algebra import Part
from ..errors import (
    DualnumError,
    InvalidType,
    InvalidValue,
    NoAttribute,
    NotDifferentiable,
    NotTraceable,
    dropped,
    ours,
)
from .flat import Flat
from .levels import Scope, require_alive, same_scope

__all__ = [
    "Moving",
    "Operand",
    "batched",
    "bilinear",
    "highest",
    "implements",
    "linear",
    "operands",
    "primal",
    "promoted",
    "rearrange",
]

F = TypeVar("F", bound=Callable[..., Any])
Adjoint = Callable[[Any], Any]  # a cotangent of the result → that of the datum (of several: a tuple)
Adjoints = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]  # (ȳ, b) → ā and (ȳ, a) → b̄
Stacked = tuple[Callable[..., Any], Callable[..., Any]]  # the same for many a, and for many b
_IMPLEMENTATIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
# what a result without axes is where it is no number as of most functions: "array", or as it came, a "view" perhaps
_WITHOUT_AXES: dict[Callable[..., Any], str] = {}


class Moving:
    """An adjoint that moves cotangents, adds them up and leaves some out, whatever they are.

    So, of ones and zeros, it tells which entries of the datum are reached.
    """

    __slots__ = ("adjoint", "omits")

    def __init__(self, adjoint: Adjoint, omits: bool = True) -> None:
        self.adjoint = adjoint
        self.omits = omits  # whether some entries of the datum may not occur in the result

    def __call__(self, cotangent: Any) -> Any:
        return self.adjoint(cotangent)


class Operand(NDArrayOperatorsMixin):
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

    def _is_mine(self, x: Any, name: str = "") -> bool:
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

    def _placed(self, index: Any, shape: tuple[int, ...]) -> Any:
        """Zeros of this shape but for self at the index, its own memory; None if that is not quicker than a sum."""
        return None

    def _add_at(self, index: Any, x: Any) -> bool:
        """self[index] += x in place, if that can be done quicker than by the sum of two; whether it was done."""
        return False

    def _stacked(self, row: Any, levels: Any, operands: Sequence[Any]) -> Any:
        """The primitive on stacks of such operands (see `tower`) in one step; None to go coefficient by coefficient."""
        return None

    def _planes_along(self, vs: Any, size: int) -> Any:
        """So many planes: this, the directions `vs`, and zeros, in one step; None where it takes several."""
        return None

    def _pulled(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...] | None:
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
        a: Any,
        b: Any,
        adjoints: Adjoints | None = None,
        stacked: Stacked | None = None,
    ) -> Any:
        """function(a, b), linear in each."""
        raise NotImplementedError

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        """An `Operation` on args, this being the operand of the highest level."""
        raise NotImplementedError

    @property
    def _is_array(self) -> bool:
        """Whether this, without axes, is an array to NumPy, which operators such as += write into, and no number."""
        return False

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

    def _remembering(self, square: Any, scale: float = 1.0) -> Any:
        """This operand, which is zero somewhere, with its square, scale²·square, to remember there (see `roots`)."""
        return self

    def _alarm(self) -> None:
        """Where this truth value holds, a row's rule has failed and its mend must follow."""

    # ── shape and type, by the value ─────────────────────────────────────────────────────────────

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    # ── the protocols ────────────────────────────────────────────────────────────────────────────

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if Part in map(type, inputs):  # whose coefficients such as this may be
            return NotImplemented
        top = highest((*inputs, *kwargs["out"]) if "out" in kwargs else inputs)
        if top is None:  # only where= carries derivatives
            raise InvalidType(f"{ufunc.__name__}: where= is an operand with derivatives; expected booleans")
        try:
            return top._ufunc(ufunc, method, inputs, kwargs)
        except DualnumError:
            raise
        except Exception as error:
            raise ours(error, ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}") from error

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if Part in types:
            return NotImplemented
        implementation = _IMPLEMENTATIONS.get(function)
        if implementation is None:
            raise NotDifferentiable(
                f"{function_name(function)}: dualnum has no rule for this function; apply it to x.value if "
                "the result is meant as a constant, or write it with functions listed in docs/coverage.md"
            )
        try:
            result = implementation(*args, **kwargs)
            if not isinstance(result, Operand):
                return result
            kind = _WITHOUT_AXES.get(function)
            if kind is None and result._is_array and not any(result is x for x in (*args, kwargs.get("out"))):
                return result._as_number()
            return result._as_array() if kind == "array" else result
        except NotTraceable as error:
            return error.whole(error, function, args, kwargs)
        except DualnumError:
            raise
        except Exception as error:
            raise ours(error, function_name(function)) from error

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise dropped(
            "turning it into an ndarray",
            "x.value for the value, dn.array([...]) to collect jets, np.full_like(x, …) to fill, or the function of "
            "NumPy in place of a method of ndarray (np.dot(a, x) or a @ x for a.dot(x))",
        )

    def __hash__(self) -> NoReturn:
        raise InvalidType(
            f"unhashable type: {type(self).__name__} is compared element by element; use id(x) for a key, and "
            "scipy.special.gamma(n + 1) in place of factorial(n), which looks n up in a set"
        )

    def __float__(self) -> float:
        raise dropped("float() (or a function of math)", "float(x.value), or the function of NumPy")

    def __int__(self) -> int:
        raise dropped("int()", "int(x.value)")

    def __complex__(self) -> complex:
        raise dropped("complex()", "complex(x.value)")

    def __trunc__(self) -> NoReturn:
        raise dropped("math.trunc()", "np.trunc(x)")

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    def item(self, *args: Any) -> NoReturn:
        raise dropped("item()", "x.value.item()")

    def tolist(self) -> NoReturn:
        raise dropped("tolist()", "x.value.tolist()")

    def tobytes(self, order: str = "C") -> NoReturn:
        raise dropped("tobytes()", "x.value.tobytes()")

    # ── Python's protocols, on values ────────────────────────────────────────────────────────────

    def __bool__(self) -> bool:
        value = primal(self)
        if value.size != 1:
            raise InvalidValue(
                f"bool(): the truth value of an array of shape {self.shape} is ambiguous; use np.any(x), np.all(x) or "
                "np.where(condition, a, b)"
            )
        return bool(value)

    def __len__(self) -> int:
        if not self.shape:
            raise InvalidType("len(): the operand has no axes; it is a scalar (np.size(x) counts its elements)")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise InvalidType("iter(): the operand has no axes; it is a scalar (np.atleast_1d(x) gives it one)")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(primal(self) == primal(item)))

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError

    def __delitem__(self, index: Any) -> NoReturn:
        raise InvalidValue("del x[…]: elements cannot be deleted in place; use np.delete(x, index)")

    # ── ndarray's methods ────────────────────────────────────────────────────────────────────────

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        return np.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        np.real(self)[...] = value

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        np.imag(self)[...] = value

    @property
    def flat(self) -> "Flat":
        return Flat(self)

    @flat.setter
    def flat(self, values: Any) -> None:
        self.put(np.arange(self.size), values)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def flatten(self, order: Any = "C") -> Any:
        return np.copy(np.ravel(self, order=order))

    def conj(self) -> Any:
        return np.conjugate(self)

    conjugate = conj

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        if dtype is not None or type is not None:
            raise InvalidType(
                "view: coefficients cannot be seen as another type; use x.astype(dtype), or for another shape "
                "x.reshape(…)"
            )
        return self[...]

    def put(self, indices: Any, values: Any, mode: Any = "raise") -> None:
        """x.flat[indices] = values, which are repeated as often as needed."""
        if next(operands(indices), None) is not None:
            raise InvalidType("put: the index carries derivatives; use its .value (as integers)")
        try:
            positions = np.take(np.arange(self.size), indices, mode=mode).ravel()
        except (IndexError, TypeError, ValueError) as error:
            raise ours(error, "put") from None
        if positions.size:
            values = np.ravel(values)
            self[np.unravel_index(positions, self.shape)] = values[np.arange(positions.size) % values.size]

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Any:
        return np.compress(condition, self, axis=axis, out=out)

    def choose(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise InvalidType("choose: the index carries derivatives; use np.choose(x.value.astype(int), choices)")

    def __getattr__(self, name: str) -> NoReturn:
        if not name.startswith("_") and hasattr(np.ndarray, name):
            raise NoAttribute(
                f"{name}: {type(self).__name__} has no such attribute, although ndarray has; "
                f"{_INSTEAD.get(name, f'use x.value.{name} for that of the value')}"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def clip(self, min: Any = None, max: Any = None, **kwargs: Any) -> Any:
        return np.clip(self, min, max, **kwargs)


_INSTEAD = {
    "dump": "use pickle.dump(x, file)",
    "dumps": "use pickle.dumps(x)",
    "tofile": "use pickle.dump(x, file), or x.value.tofile for the value",
    "resize": "it cannot change its size in place: use np.resize(x, shape)",
    "partition": "use x.sort(), or np.partition(x, kth)",
}


def _in_place(ufunc: np.ufunc) -> Callable[..., Any]:
    def method(self: Operand, other: Any) -> Any:
        # a number is bound anew, as Python's and NumPy's are; an array is written into
        return ufunc(self, other, out=(self,)) if self.ndim or self._is_array else ufunc(self, other)

    return method


for _name, _ufunc in (
    ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.true_divide), ("pow", np.power),
    ("floordiv", np.floor_divide), ("mod", np.remainder),
):  # fmt: skip
    setattr(Operand, f"__i{_name}__", _in_place(_ufunc))


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Operand, *args: Any, **kwargs: Any) -> Any:  # past NumPy's dispatch, which would come here
        return self.__array_function__(function, (), (self, *args), kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"``np.{function.__name__}`` of this operand."
    return method


for _function in (
    np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.cumsum, np.cumprod, np.argmax, np.argmin,
    np.argsort, np.nonzero, np.any, np.all, np.ravel, np.squeeze, np.swapaxes, np.repeat, np.take, np.diagonal,
    np.trace, np.dot, np.round, np.searchsorted, np.argpartition, np.ptp,
):  # fmt: skip
    setattr(Operand, _function.__name__, _method(_function))


# ── finding the operand that an operation runs on ────────────────────────────────────────────────


def operands(data: Any) -> Iterator[Operand]:
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


def primal(x: Any) -> Any:
    """x without any derivatives: the plain array under all levels (containers of arguments as well)."""
    while isinstance(x, Operand) and (value := x.value) is not x:  # a tracer is its own value
        x = value
    if isinstance(x, (tuple, list)) and any(True for _ in operands(x)):
        return type(x)(primal(item) for item in x)
    return x


def promoted(x: Any) -> Any:
    """An operand with a type that carries derivatives: a traced array may be one of integers or truth values.

    A traced number of Python's becomes one of NumPy's, as it does where it is not traced.
    """
    return x._strong() if x.dtype.kind in "fc" else x.astype(np.float64)


# ── how array functions are written ──────────────────────────────────────────────────────────────


def implements(*functions: Callable[..., Any], without_axes: str = "number") -> Callable[[F], F]:
    """Registers what stands in for NumPy's functions when an argument is an operand.

    Args:
        without_axes: whether a result without axes is a "number" to NumPy, an "array", or as the implementation gives
            it ("view"). The difference is seen by `y += 1`, which writes into arrays and binds numbers anew.
    """

    def register(implementation: F) -> F:
        for function in functions:
            if without_axes != "number":
                _WITHOUT_AXES[function] = without_axes
            assert function not in _IMPLEMENTATIONS, f"two implementations of {function_name(function)}"
            _IMPLEMENTATIONS[function] = implementation
        return implementation

    return register


def implementation(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What is registered for a function of NumPy, if anything."""
    return _IMPLEMENTATIONS.get(function)


def function_name(function: Callable[..., Any]) -> str:
    module = (getattr(function, "__module__", None) or "").replace("numpy", "np", 1)
    return f"{module}.{function.__name__}" if module else str(function.__name__)


def linear(
    function: Callable[..., Any],
    *data: Any,
    adjoint: Adjoint | None = None,
    stacked: Callable[..., Any] | None = None,
) -> Any:
    """function(*data) for a function that is jointly linear in data; each datum an array or operand.

    The adjoint serves the reverse sweep: from a cotangent ȳ of the result the cotangent of the datum, a tuple
    where there are several; Σ ȳ·f(x) = Σ f*(ȳ)·x, without conjugation. It is written with NumPy's functions, so
    that it can be differentiated in turn, and may leave axes along which the data were broadcast to be summed.
    Where the library can take all planes of a jet in one call, `stacked` is the function on data with one more axis
    in front, open to the same number of axes behind it; a datum without derivatives is a number, zero, then.
    """
    top = data[0] if len(data) == 1 and isinstance(data[0], Operand) and data[0].scope.alive else highest(data)
    return function(*data) if top is None else top._linear(function, data, adjoint, stacked)


def rearrange(function: Callable[..., Any], *data: Any) -> Any:
    """function(*data) whose every entry is a copy of one entry of data, or zero (take, concatenate, tril).

    Where entries go can be seen by sending their numbers through the function, so its transpose (the
    reverse sweep) follows by itself; use it in preference to `linear`.
    """
    top = highest(data)
    return function(*data) if top is None else top._rearrange(function, data)


def batched(function: Callable[[Any, int], Any], x: Any, adjoint: Adjoint | None = None) -> Any:
    """function(x, 0) for a rearrangement that can also work under b leading axes: function(x, b).

    For what NumPy does by a view (reshape, transpose, broadcast_to): it stays one for jets. An adjoint is
    given where it is quicker than the one that follows from where the entries go.
    """
    return x._batched(function, adjoint) if isinstance(x, Operand) else function(x, 0)


def bilinear(
    function: Callable[[Any, Any], Any],
    a: Any,
    b: Any,
    adjoints: Adjoints | None = None,
    stacked: Stacked | None = None,
) -> Any:
    """function(a, b) for a function that is linear in each of a and b.

    The adjoints serve the reverse sweep: (ȳ, b) ↦ ā and (ȳ, a) ↦ b̄, as for `linear`. Where the library can take
    all planes of a jet in one call, `stacked` has (planes of a, b) and (a, planes of b) ↦ planes of the result, of
    arrays into a third argument if there is one.
    """
    top = highest((a, b))
    return function(a, b) if top is None else top._bilinear(function, a, b, adjoints, stacked)
