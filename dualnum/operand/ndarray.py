"""What ndarray can do, said with NumPy's functions, and what it does that would drop derivatives: that raises."""

from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..errors import InvalidType, InvalidValue, NoAttribute, dropped
from ..kinds import Axis, DType, Index, Value
from .culprit import lost
from .flat import Flat

__all__ = ["Ndarray", "missing"]

Method = Callable[..., Any]


class Ndarray(NDArrayOperatorsMixin):
    """The methods of ndarray and the protocols of Python for what is an array but has no memory of one."""

    __slots__ = ()
    __pandas_priority__ = 10_000  # a Series cannot hold this: s * x is x * s

    @property
    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def _is_array(self) -> bool:
        """Whether this, without axes, is an array to NumPy, which operators such as += write into, and no number."""
        return False

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        raise NotImplementedError

    sum: Method
    prod: Method
    mean: Method
    var: Method
    std: Method
    max: Method
    min: Method
    cumsum: Method
    cumprod: Method
    argmax: Method
    argmin: Method
    argsort: Method
    nonzero: Method
    any: Method
    all: Method
    ravel: Method
    squeeze: Method
    swapaxes: Method
    repeat: Method
    take: Method
    diagonal: Method
    trace: Method
    dot: Method
    round: Method
    searchsorted: Method
    argpartition: Method
    ptp: Method

    def __getitem__(self, index: Index) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: Index, value: Value) -> None:
        raise InvalidType(f"x[…] = value: a {type(self).__name__} cannot be written to; use np.where or np.stack")

    def astype(self, dtype: DType) -> Any:
        """This in another real or complex type."""
        raise NotImplementedError

    def copy(self, order: str = "C") -> Any:
        """This, in memory of its own."""
        raise NotImplementedError

    def put(self, indices: Index, values: Value, mode: Any = "raise") -> None:
        raise NotImplementedError

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise lost(self, "a plain array")

    def __float__(self) -> float:
        raise lost(self, "a number")

    def __int__(self) -> int:
        raise lost(self, "a number")

    def __complex__(self) -> complex:
        raise lost(self, "a number")

    def __trunc__(self) -> NoReturn:
        raise lost(self, "a number")

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    def item(self, *args: Any) -> NoReturn:
        raise dropped("item()", "x.value.item()")

    def tolist(self) -> NoReturn:
        raise dropped("tolist()", "x.value.tolist()")

    def tobytes(self, order: str = "C") -> NoReturn:
        raise dropped("tobytes()", "x.value.tobytes()")

    def __pow__(self, exponent: Value) -> Any:
        """x**0.5 is the root of x, as in NumPy, and remembers what it is the root of."""
        return np.sqrt(self) if exponent.__class__ is float and exponent == 0.5 else super().__pow__(exponent)

    def __ipow__(self, exponent: Value) -> Any:
        if exponent.__class__ is float and exponent == 0.5:
            return np.sqrt(self, out=(self,)) if self.ndim or self._is_array else np.sqrt(self)  # type: ignore[arg-type]
        return _power_in_place(self, exponent)

    def __len__(self) -> int:
        if not self.shape:
            raise InvalidType("len(): the operand has no axes; it is a scalar (np.size(x) counts its elements)")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise InvalidType("iter(): the operand has no axes; it is a scalar (np.atleast_1d(x) gives it one)")
        return (self[i] for i in range(self.shape[0]))

    def __delitem__(self, index: Index) -> NoReturn:
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
    def real(self, value: Value) -> None:
        np.real(self)[...] = value

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @imag.setter
    def imag(self, value: Value) -> None:
        np.imag(self)[...] = value

    @property
    def flat(self) -> "Flat":
        return Flat(self)

    @flat.setter
    def flat(self, values: Value) -> None:
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

    def view(self, dtype: DType = None, type: Any = None) -> Any:
        if dtype is not None or type is not None:
            raise InvalidType(
                "view: coefficients cannot be seen as another type; use x.astype(dtype), or for another shape "
                "x.reshape(…)"
            )
        return self[...]

    def compress(self, condition: Value, axis: Axis = None, out: Value = None) -> Any:
        return np.compress(condition, self, axis=axis, out=out)

    def choose(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise InvalidType("choose: the index carries derivatives; use np.choose(x.value.astype(int), choices)")

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
    def method(self: Ndarray, other: Value) -> Any:
        # a number is bound anew, as Python's and NumPy's are; an array is written into
        return ufunc(self, other, out=(self,)) if self.ndim or self._is_array else ufunc(self, other)

    return method


for _name, _ufunc in (
    ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("truediv", np.true_divide),
    ("floordiv", np.floor_divide), ("mod", np.remainder),
):  # fmt: skip
    setattr(Ndarray, f"__i{_name}__", _in_place(_ufunc))
_power_in_place = _in_place(np.power)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Ndarray, *args: Any, **kwargs: Any) -> Any:  # past NumPy's dispatch, which would come here
        return self.__array_function__(function, (), (self, *args), kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"``np.{function.__name__}`` of this operand."
    return method


for _function in (
    np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.cumsum, np.cumprod, np.argmax, np.argmin,
    np.argsort, np.nonzero, np.any, np.all, np.ravel, np.squeeze, np.swapaxes, np.repeat, np.take, np.diagonal,
    np.trace, np.dot, np.round, np.searchsorted, np.argpartition, np.ptp,
):  # fmt: skip
    setattr(Ndarray, _function.__name__, _method(_function))


def missing(self: Ndarray, name: str) -> NoReturn:
    """What is raised for an attribute that is not there."""
    own = getattr(type(self), name, None)
    if isinstance(own, property) and own.fget is not None:  # it says itself why it has none
        own.fget(self)
    if not name.startswith("_") and hasattr(np.ndarray, name):
        raise NoAttribute(
            f"{name}: {type(self).__name__} has no such attribute, although ndarray has; "
            f"{_INSTEAD.get(name, f'use x.value.{name} for that of the value')}"
        )
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


setattr(Ndarray, "__getattr__", missing)  # noqa: B010  not in the class: there it would hide every typo from mypy
