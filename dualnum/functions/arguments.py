"""What array functions share: out=, constants, and functions that see values only."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue, dropped
from ..kinds import Index, Value
from ..operand import Operand, as_array, function_name, implements, primal
from ..operand.constants import frozen
from ..operand.culprit import called

__all__ = ["NOT_GIVEN", "index_values", "into", "numbers", "on_values", "stand_in"]

NOT_GIVEN: Any = np._NoValue


def stand_in(shape: tuple[int, ...]) -> Any:
    """An array of this shape that takes no memory: NumPy checks arguments and works out shapes on it."""
    return np.broadcast_to(np.empty(()), shape)


def numbers(name: str, *data: Any) -> list[Any]:
    """The data as operands, arrays of numbers or Python's numbers; `InvalidType` for strings, objects, ….

    Without this check a single array of another kind would make the whole result one without derivatives.
    """
    return [_number(name, x, data) for x in data]


def _number(name: str, x: Value, others: Any) -> Any:
    if isinstance(x, (Operand, bool, int, float, complex)):
        return x
    x = as_array(x, *others)
    if x.dtype.kind not in "fcbiu":
        raise InvalidType(f"{name}: an argument has dtype {x.dtype}; expected numbers")
    return x


def index_values(indices: Index, name: str) -> Any:
    """Integer indices as they are now; refuses an operand with derivatives: an index has none (a traced one may)."""
    if isinstance(indices, Operand) and primal(indices) is not indices:
        raise InvalidType(f"{name}: the indices carry derivatives; expected integers, as x.value.astype(int)")
    return frozen(indices)


def into(out: Value, result: Any, name: str) -> Any:
    """The result, or out= with the result written into it; a plain array in out= would lose derivatives."""
    if isinstance(out, tuple):  # as ufuncs have it
        (out,) = out
    if out is None:
        return result
    if not isinstance(out, Operand):
        if isinstance(result, Operand):
            raise dropped(
                f"{name}: out= of type {type(out).__name__}, which cannot hold derivatives,",
                "the result without out=, or out=np.zeros_like(x)",
            )
        np.copyto(out, result)
        return out
    if np.shape(result) != out.shape:
        raise InvalidValue(f"{name}: the result has shape {np.shape(result)}, out= has shape {out.shape}")
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise InvalidType(f"{name}: the result has dtype {result.dtype}, which out= of dtype {out.dtype} cannot hold")
    out[...] = result
    return out


def on_values(*functions: Callable[..., Any]) -> None:
    """Functions whose results are constant almost everywhere (orders, counts, decisions): they see values."""
    for function in functions:
        implements(function)(_on_values(function))


def _on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        if isinstance(kwargs.get("out"), Operand):
            raise InvalidType(
                f"{function_name(function)}: out= is {called(kwargs['out'])}, but the result has no derivatives; "
                "give a plain array"
            )
        return function(*primal(args), **{name: primal(x) for name, x in kwargs.items()})

    return evaluate
