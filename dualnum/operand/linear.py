"""How functions are said to be linear, so that every kind of operand can run them by their structure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import as_floating, cupy, namespace, resolved
from ..backend import to_device as array_to_device
from ..devices import apart, chosen
from ..kinds import Value
from .operand import Adjoint, Adjoints, Operand, Stacked, highest, primal

__all__ = ["Moving", "batched", "bilinear", "linear", "moved", "put", "rearrange"]


class Moving:
    """An adjoint that moves cotangents, adds them up and leaves some out, whatever they are.

    So, of ones and zeros, it tells which entries of the datum are reached.
    """

    __slots__ = ("adjoint", "omits")

    def __init__(self, adjoint: Adjoint, omits: bool = True) -> None:
        self.adjoint = adjoint
        self.omits = omits  # whether some entries of the datum may not occur in the result

    def __call__(self, cotangent: Value) -> Any:
        return self.adjoint(cotangent)


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
    return function(*data) if top is None else top._linear(function, _together(data), adjoint, stacked)


def rearrange(function: Callable[..., Any], *data: Any) -> Any:
    """function(*data) whose every entry is a copy of one entry of data, or zero (take, concatenate, tril).

    Where entries go can be seen by sending their numbers through the function, so its transpose (the
    reverse sweep) follows by itself; use it in preference to `linear`.
    """
    top = highest(data)
    return function(*data) if top is None else top._rearrange(function, _together(data))


def batched(function: Callable[[Any, int], Any], x: Value, adjoint: Adjoint | None = None) -> Any:
    """function(x, 0) for a rearrangement that can also work under b leading axes: function(x, b).

    For what NumPy does by a view (reshape, transpose, broadcast_to): it stays one for jets. An adjoint is
    given where it is quicker than the one that follows from where the entries go.
    """
    return x._batched(function, adjoint) if isinstance(x, Operand) else function(x, 0)


def bilinear(
    function: Callable[[Any, Any], Any],
    a: Value,
    b: Value,
    adjoints: Adjoints | None = None,
    stacked: Stacked | None = None,
) -> Any:
    """function(a, b) for a function that is linear in each of a and b.

    The adjoints serve the reverse sweep: (ȳ, b) ↦ ā and (ȳ, a) ↦ b̄, as for `linear`. Where the library can take
    all planes of a jet in one call, `stacked` has (planes of a, b) and (a, planes of b) ↦ planes of the result, of
    arrays into a third argument if there is one.
    """
    top = highest((a, b))
    if top is None:
        return function(a, b)
    _together((a, b))
    return top._bilinear(function, a, b, adjoints, stacked)


def _together(data: tuple[Any, ...]) -> tuple[Any, ...]:
    """The data, which are on one device: some of CuPy's functions would copy others there in silence."""
    if len(data) > 1 and cupy() is not None:
        arrays = list(map(primal, data))
        traced = any(isinstance(x, Operand) for x in arrays)  # constants of a trace are brought to its device
        if not traced and (elsewhere := apart("", *arrays)) is not None:
            raise TypeError(str(elsewhere).removeprefix(": "))  # the function's name is put before it where it is known
    return data


def moved(x: Value, device: str) -> Any:
    """An operand or array on a device, itself where it is there."""
    return x.to_device(device) if isinstance(x, Operand) else array_to_device(x, device)


def moved_by_record(x: Value, device: str) -> Any:
    """The same as a linear function of x, whose cotangent comes back to where x is."""
    source, device = x.device, resolved(device)
    if device == source:
        return x
    refused = getattr(primal(x), "_refused", None)
    if refused is not None:  # a traced program is made for the machine that its arguments live on
        raise refused("a move between devices", "to_device before the call or after it")

    def to_device(x: Value) -> Any:
        return moved(x, device)

    to_device.__qualname__ = "to_device"  # by which the step is called
    return x._linear(to_device, (x,), Moving(lambda g: moved(g, source), omits=False), to_device)


def put(x: Value, device: str | None, function: str, argument: str) -> Any:
    """x, which was given to a function that starts derivatives, as an operand or array of floats on this device.

    Where none is named, what comes from the host goes where `use_device` says, and all else stays.
    """
    if x is None:
        return None
    given = isinstance(x, Operand)
    x = x if given else as_floating(x, function, argument)
    if device is None:
        device = chosen()
        if device is None or given or namespace(x) is not np:
            return x
    return moved(x, device)
