"""Which machine runs the programs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import InvalidValue
from ..kinds import DType, Value
from .cpu.llvm import LLVM
from .cuda.machine import CUDA
from .interpret import INTERPRETER
from .target import Target

__all__ = [
    "accepted",
    "available",
    "current",
    "device",
    "engine",
    "machine_of",
    "named",
    "registered",
    "target",
    "target_of",
]

device = CUDA()
_targets: dict[str, Target] = {machine.name: machine for machine in (INTERPRETER, LLVM())}


def available() -> tuple[str, ...]:
    """The engines that can run here."""
    return tuple(name for name, machine in _targets.items() if not machine.missing())


def named(name: str, source: str = "engine") -> Target:
    """The machine of this name, which can run here; `source` is what named it."""
    if name not in _targets:
        raise InvalidValue(f"{source} is {name!r}; expected one of {', '.join(map(repr, _targets))}")
    if missing := _targets[name].missing():
        raise InvalidValue(f"{source} is {name!r}, but {missing}")
    return _targets[name]


_default = named(os.environ.get("DUALNUM_ENGINE") or available()[-1], "DUALNUM_ENGINE")
_current: ContextVar[Target] = ContextVar("engine", default=_default)
target = _current.get  # the machine in force


def current() -> str:
    """The name of the engine in force."""
    return target().name


def target_of(x: Value, dtype: DType = None) -> Target | None:
    """The machine for an array, computed in its own type or in another; None for what no machine takes.

    Of NumPy's arrays it is the one in force, or the interpreter for types in which that one does not compute; of arrays
    on a device its own.
    """
    machine = _current.get()
    if type(x) is not machine.arrays:
        machine = device
        if type(x) is not device.arrays:
            return None
    if machine.computes(x.dtype if dtype is None else dtype):
        return machine
    return INTERPRETER if machine.looks else None


def machine_of(kind: type) -> Target | None:
    """The machine for arrays of a class."""
    machine = target()
    return machine if kind is machine.arrays else device if kind is device.arrays else None


def accepted(x: Value) -> bool:
    """Whether x is an array that there is a machine for."""
    kind = type(x)
    return kind is _current.get().arrays or kind is device.arrays


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Runs what is inside the ``with`` block on the named engine.

    Args:
        name: "interpret" (NumPy, block by block: the definition) or "llvm" (compiled: the default).

    Raises:
        InvalidValue: there is no such engine, or llvmlite is not installed.

    Example:
        >>> with dn.engine("interpret"):
        ...     np.exp(jet(0.5, order=2)).coeffs
        array([1.6487, 1.6487, 0.8244])
    """
    token = _current.set(named(name))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def registered(machine: Target) -> Iterator[None]:
    """Another machine, among the engines within a ``with`` block."""
    _targets[machine.name] = machine
    try:
        yield
    finally:
        del _targets[machine.name]
