"""What reductions and products do with the arguments that most of them have: arrays, axis=, dtype=."""

from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..errors import InvalidType, NotDifferentiable
from ..kinds import Axis, DType, Value
from ..operand import Operand, as_array, highest, implements, library, primal

__all__ = [
    "apply", "array", "axes_of", "below", "cast", "of_number", "of_reduction", "present", "raises", "real_dtype",
    "with_native", "with_value",
]  # fmt: skip


def present(*names: str) -> list[Any]:
    """Those of NumPy's functions with these names that the installed NumPy has."""
    return [getattr(np, name) for name in names if hasattr(np, name)]


def array(x: Value, *others: Any) -> Any:
    """x as an operand or an array of numbers; lists and Python's numbers become arrays, beside others."""
    if isinstance(x, Operand):
        return x
    x = as_array(x, *others)
    if x.dtype.kind not in "fcbiu":
        raise InvalidType(f"an argument has dtype {x.dtype}; expected numbers")
    return x


def cast(x: Value, dtype: DType) -> Any:
    """x in the type of dtype=, where one is given."""
    x = array(x)
    return x if dtype is None else x.astype(dtype)


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """axis= as a tuple of axes counted from the front; all of them for None."""
    return tuple(range(ndim)) if axis is None else tuple(normalize_axis_tuple(axis, ndim))


def of_number(axis: Axis, ndim: int) -> bool:
    """Whether axis= is 0 or −1 of a number, which has none; many functions of NumPy take them nevertheless."""
    return not ndim and isinstance(axis, int) and axis in (0, -1)


def of_reduction(axis: Axis, ndim: int) -> Axis:
    """axis= of a sum, product or extreme, as of those functions."""
    return () if of_number(axis, ndim) else axis


def below(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The same axes of stacked planes, which have one more in front."""
    return tuple([i + 1 for i in axes_of(axis, ndim)])


def real_dtype(x: Value) -> np.dtype[Any]:
    """The type of |x|."""
    return np.empty(0, x.dtype).real.dtype


def with_value(y: Value, native: Any) -> Any:
    """y with the value that NumPy computes in its own order of operations, which differs by roundings."""
    with np.errstate(all="ignore"):
        difference = native - primal(y)
        return y + np.where(np.isfinite(difference), difference, 0.0)


def with_native(y: Value, function: Any, *args: Any) -> Any:
    """The same for a function of these arguments; CuPy's, where there is one, is no closer to NumPy's."""
    return with_value(y, function(*map(primal, args))) if library(y) is np else y


def apply(function: Any, *args: Any) -> Any:
    """An `Elementwise` function, which runs as a ufunc does on the highest level among its arguments."""
    top = highest(args)
    return function(*args) if top is None else top.__array_ufunc__(function, "__call__", *args)


def raises(reason: str, *functions: Any) -> None:
    """These functions have no derivative rule, for this reason; it says what to do instead."""
    for function in functions:
        module = (function.__module__ or "numpy").replace("numpy", "np", 1)
        _raise(function, f"{module}.{function.__name__}: {reason}")


def _raise(function: Any, message: str) -> None:
    @implements(function)
    def unsupported(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotDifferentiable(message)
