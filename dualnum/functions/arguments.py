"""What the array functions do with the arguments that many of them have: arrays, dtype=, out=, axis=."""

from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..backend import is_array
from ..errors import InvalidType, InvalidValue, NotDifferentiable, dropped
from ..operand import Operand, implements, primal

__all__ = ["array", "axes_of", "cast", "deliver", "present", "raises", "real_dtype", "with_value"]


def present(*names: str) -> list[Any]:
    """Those of NumPy's functions with these names that the installed NumPy has."""
    return [getattr(np, name) for name in names if hasattr(np, name)]


def array(x: Any) -> Any:
    """x as an operand or array; lists become arrays."""
    return x if isinstance(x, Operand) or is_array(x) else np.asarray(x)


def cast(x: Any, dtype: Any) -> Any:
    """x in the type of dtype=, where one is given."""
    x = array(x)
    return x if dtype is None else x.astype(dtype)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """axis= as a tuple of axes counted from the front; all of them for None."""
    return tuple(range(ndim)) if axis is None else tuple(normalize_axis_tuple(axis, ndim))


def real_dtype(x: Any) -> np.dtype[Any]:
    """The type of |x|."""
    return np.empty(0, x.dtype).real.dtype


def deliver(result: Any, out: Any, name: str) -> Any:
    """The result, or out= with the result written into it; a plain array in out= would lose derivatives."""
    if isinstance(out, tuple):  # as ufuncs have it
        (out,) = out
    if out is None:
        return result
    if not isinstance(out, Operand):
        if isinstance(result, Operand):
            raise dropped(
                f"{name}: out= of type {type(out).__name__}, which cannot hold derivatives,",
                "the result without out=, or out=np.zeros_like(jet)",
            )
        np.copyto(out, result)
        return out
    if np.shape(result) != out.shape:
        raise InvalidValue(f"{name}: the result has shape {np.shape(result)}, out= has shape {out.shape}")
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise InvalidType(f"{name}: the result has dtype {result.dtype}, which out= of dtype {out.dtype} cannot hold")
    out[...] = result  # type: ignore[index]
    return out


def with_value(y: Any, native: Any) -> Any:
    """y with the value that NumPy computes in its own order of operations, which differs by roundings."""
    with np.errstate(all="ignore"):
        difference = native - primal(y)
        return y + np.where(np.isfinite(difference), difference, 0.0)


def raises(reason: str, *functions: Any) -> None:
    """These functions have no derivative rule, for this reason; it says what to do instead."""
    for function in functions:
        module = (function.__module__ or "numpy").replace("numpy", "np", 1)
        _raise(function, f"{module}.{function.__name__}: {reason}")


def _raise(function: Any, message: str) -> None:
    @implements(function)
    def unsupported(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotDifferentiable(message)
