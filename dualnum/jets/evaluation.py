"""How a jet runs a primitive and its pull-back: as one kernel, as one step of a record, or part by part."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..algebra import Stack
from ..backend import is_array, lacking, namespace, plain, to_device
from ..devices import apart
from ..errors import DualnumError, InvalidType, InvalidValue, NonsmoothPoint
from ..kernel import engine, launch, transpose
from ..kinds import Value
from ..operand import Operand, primal
from ..primitives.mends import around_zeros
from ..primitives.table import Row
from . import tower
from .base import Base
from .planes import Level, as_jets
from .tower import together

__all__ = ["CHEAP", "check_kinks", "computed", "constant", "fused", "kink_mode", "nonsmooth", "primitive", "pull_back"]

CHEAP = frozenset((np.add, np.subtract, np.multiply))  # what may wait for what follows it (see `waiting`)

_kinks: ContextVar[str] = ContextVar("nonsmooth", default="subgradient")
kink_mode = _kinks.get


@contextmanager
def nonsmooth(mode: str) -> Iterator[None]:
    """What happens at kinks (abs at 0, ties of maximum, jumps of floor), within a ``with`` block.

    Args:
        mode: "subgradient" (the default: the documented subgradient stands in) or "raise" (a
            `NonsmoothPoint` reports the elements that sit on a kink).

    Raises:
        InvalidValue: mode is another word.
        NonsmoothPoint: within the block, by an operation on jets or variables at a kink, if mode is "raise".

    Example:
        >>> np.abs(jet([-2.0, 0.0], order=1)).derivative()
        array([-1.,  0.])
        >>> with nonsmooth("raise"):
        ...     np.abs(jet([-2.0, 0.0], order=1))
        Traceback (most recent call last):
        dualnum.errors.NonsmoothPoint: absolute: no derivative at the elements [(1,)]; they sit on a kink
    """
    if mode not in ("subgradient", "raise"):
        raise InvalidValue(f'nonsmooth: mode is {mode!r}; expected "subgradient" or "raise"')
    token = _kinks.set(mode)
    try:
        yield
    finally:
        _kinks.reset(token)


def primitive(top: Base, row: Row, inputs: tuple[Any, ...]) -> Any:
    """One primitive on jets of this level and constants."""
    mine = [top._is_mine(x, row.name) for x in inputs]
    operands = [x if own else constant(row, x) for x, own in zip(inputs, mine, strict=True)]
    check_kinks(row, inputs)
    if row.ufunc in CHEAP and (waiting := top._postponed(row, operands, mine)) is not None:
        return waiting
    if row.even is not None or row.of_squares is not None:
        return around_zeros(row, inputs, lambda: computed(top, row, operands, mine))
    return computed(top, row, operands, mine)


def computed(top: Base, row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
    """The same, without waiting for what follows."""
    made = fused(top, row, operands, mine) if any(mine) else None  # out= alone may be a jet
    if made is not None and not made[1]:
        return made[0]
    if not any(mine):
        y = row.ufunc(*operands)
        return top._join([y]) if row.ufunc.nout == 1 else tuple(top._join([part]) for part in y)
    try:
        levels, stacks = _alone(top, operands, mine) or together(row, operands)
        result = tower.primitive(row, levels, stacks)
    except (ValueError, TypeError) as error:
        if isinstance(error, DualnumError):
            raise
        if (missing := lacking(error, row.name)) is not None:
            raise missing from error
        kind = InvalidValue if isinstance(error, ValueError) else InvalidType
        shapes = ", ".join(str(np.shape(x)) for x in operands)
        raise apart(row.name, *operands) or kind(f"{row.name}: {error} (operands of shape {shapes})") from None
    return as_jets(levels, *result) if row.ufunc.nout == 1 else tuple(as_jets(levels, *part) for part in result)


def _alone(top: Base, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
    """The one level of jets that there is above what is recorded or traced, and the stacks; None for several."""
    stacks = []
    for x, own in zip(operands, mine, strict=True):
        base = x.planes if own else x
        if isinstance(base, Operand) and base.algebra is not None:
            return None
        stacks.append(Stack(base, (x.extent if own else None,)))
    return (Level(top.scope, top.algebra, top.kind),), stacks


def fused(top: Base, row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
    """The primitive as one kernel, and whether its mend must follow.

    None where the operands are no plain arrays or no program can be written.
    """
    if row.rule is None or not launch.has_kernel(row):
        return None
    given = _given(operands, mine)
    if given is None:
        return None
    try:
        results = launch.primitive(row, top.algebra, given)
    except ValueError as error:
        shapes = ", ".join(str(np.shape(x)) for x in operands)
        described = InvalidValue(f"{row.name}: {error} (operands of shape {shapes})")
        raise apart(row.name, *operands) or described from None
    if results is None:
        return None
    jets = tuple(top._like(planes, extents[0]) for planes, extents in results[0])
    return jets[0] if row.ufunc.nout == 1 else jets, results[1]


def _given(operands: Sequence[Any], mine: Sequence[bool]) -> list[Any] | None:
    """Operands as kernels take them; None where one is no array of NumPy."""
    given: list[Any] = []
    for x, own in zip(operands, mine, strict=True):
        if own:
            if not engine.accepted(x.planes):
                return None
            extent = x.extent
            given.append(launch.Planes(x.planes, x.algebra.coefficients(extent), (extent,)))
        elif engine.accepted(x) and (x.ndim or not isinstance(x, np.ndarray)):
            given.append(launch.Planes(x[None], 1, (None,)))
        elif isinstance(x, Operand) or not isinstance(x, (float, int, complex, np.generic, np.ndarray)):
            return None
        else:
            given.append(x)
    return given


def pull_back(top: Base | None, function: Any, operands: Sequence[Any]) -> tuple[Any, ...] | None:
    """A pull-back on jets of this level and constants as one kernel, or None; without a level on arrays."""
    read = [x for x in operands if x is not None]
    given = _given(read, [top is not None and top._is_mine(x, "pull-back") for x in read])
    if given is None:
        return None
    known = iter(given)
    planes = [None if x is None else next(known) for x in operands]
    numbers = [x.item() if isinstance(x, (np.generic, np.ndarray)) else x for x in planes]
    made = (
        transpose.pull_back(function, numbers) if top is None else transpose.pull_back(function, numbers, top.algebra)
    )
    if made is None:
        return None

    def contribution(c: Value) -> Any:
        if c is None or isinstance(c, int):
            return None if c is None else operands[c]
        stacked, extent = c
        return stacked[0] if top is None else top._like(stacked, extent)

    return tuple(map(contribution, made))


_LARGEST = int(np.finfo(float).max)


def constant(row: Row, x: Value) -> Any:
    """x as a coefficient; lists become arrays, what is no number is refused."""
    if type(x) is int and not -_LARGEST <= x <= _LARGEST:
        raise InvalidValue(f"{row.name}: an operand is an integer of {x.bit_length()} bits, which no float64 holds")
    if isinstance(x, (Operand, float, int, complex)):
        return float(x) if type(x) is int and x.bit_length() > 63 else x  # beyond the integers of C
    if not is_array(x):
        x = np.asarray(x)
    if x.dtype.kind not in "fcbiu":
        raise InvalidType(f"{row.name}: an operand has dtype {x.dtype}; expected numbers")
    # a number of NumPy's mixes with arrays on any device, an array without axes does not
    return plain(x, row.name, "an operand") if x.ndim or type(x) is not np.ndarray else x[()]


def check_kinks(row: Row, inputs: tuple[Any, ...]) -> None:
    """Raises where `nonsmooth("raise")` is in force and an element sits on a kink of the primitive."""
    if row.kink is None or kink_mode() != "raise":
        return
    on_kink = row.kink(*map(primal, inputs))
    on_kink = np.asarray(on_kink) if namespace(on_kink) is np else on_kink
    if on_kink.any():
        on_kink = to_device(on_kink, "cpu")
        places = [tuple(map(int, i)) for i in np.argwhere(on_kink)[:5]]
        more = "" if on_kink.sum() <= 5 else f" and {int(on_kink.sum()) - 5} more"
        raise NonsmoothPoint(f"{row.name}: no derivative at the elements {places}{more}; they sit on a kink")
