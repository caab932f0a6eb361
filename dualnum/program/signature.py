"""The signature of a call of a jitted function: what is traced of its arguments, and what is part of the signature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import containers
from ..errors import InvalidType
from ..jets.evaluation import kink_mode
from ..jets.jet import Jet
from ..kernel import engine
from ..kernel.target import Target
from ..kinds import Value
from ..operand import Operand
from ..operand.levels import ambient
from .trace import Tracer

__all__ = [
    "Static",
    "described_result",
    "flattened",
    "inputs",
    "is_written",
    "machine_for",
    "machines",
    "plain",
    "rebuilt",
    "unhashable",
]

_machine_of, _target = engine.machine_of, engine.target
_TRACED_KINDS = "fcbiu"


def flattened(
    args: tuple[Any, ...], kwargs: dict[str, Any], positions: Sequence[int], names: Sequence[str]
) -> tuple[list[Any], Any, Any]:
    """Leaves, structure and the description of each; None where the function must run as it is."""
    static = {i % len(args) for i in positions if -len(args) <= i < len(args)}
    wrapped = tuple(Static(a) if i in static else a for i, a in enumerate(args))
    named = {name: Static(a) if name in names else a for name, a in kwargs.items()}
    leaves, structure = containers.flatten((wrapped, named), none_is_leaf=True, labels=False)
    described: list[Any] = []
    possible = kink_mode() != "raise"
    for x in leaves:
        if isinstance(x, Jet):
            planes = x.planes
            possible = possible and x.scope is ambient() and engine.accepted(planes)
            if possible:
                contiguous = planes.flags.c_contiguous
                described.append(
                    (type(planes), "jet", planes.shape, x.dtype, x.algebra, x.extent, contiguous, x._is_array)
                )
        elif isinstance(x, np.generic) or engine.accepted(x):
            possible = possible and x.dtype.kind in _TRACED_KINDS
            described.append((type(x), x.shape, x.dtype, x.flags.c_contiguous))
        elif isinstance(x, (Operand, np.ndarray)) or hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__"):
            possible = False
        elif type(x) is float:
            described.append(("number",))
        else:
            x = x if isinstance(x, Static) else Static(x)
            described.append(("static", x))
    possible = possible and len(machines(described)) < 2
    return leaves, structure, tuple(described) if possible else None


def machines(described: Sequence[Any]) -> set[Target | None]:
    """The machines that the arrays among the arguments are for."""
    kinds = {d[0] for d in described if isinstance(d[0], type) and not issubclass(d[0], np.generic)}
    return {_machine_of(kind) for kind in kinds}


def machine_for(described: Sequence[Any]) -> Target:
    """The one machine for the arguments."""
    return next(iter(machines(described)), None) or _target()


class Static:
    """An argument that is part of the signature: a leaf, whatever it is."""

    def __init__(self, x: Value) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static) or type(self.x) is not type(other.x):
            return False
        if isinstance(self.x, (float, complex)):  # 0.0 is not −0.0, and NaN is NaN
            return repr(self.x) == repr(other.x)
        return bool(self.x == other.x)

    def __hash__(self) -> int:
        return hash(repr(self.x) if isinstance(self.x, (float, complex)) else self.x)


def unhashable(leaves: Sequence[Any], described: Sequence[Any]) -> InvalidType:
    for x, d in zip(leaves, described, strict=True):
        x = x.x if isinstance(x, Static) else x
        if d[0] == "static":
            try:
                hash(x)
            except TypeError:
                break
    return InvalidType(
        f"jit: a static argument of type {type(x).__name__} cannot be hashed, and so not be part of the signature; "
        "give a tuple in place of a list or array, or let the argument be traced"
    )


def plain(y: Value) -> bool:
    """A result that is no array: given back as it is."""
    return isinstance(y, type) or not (isinstance(y, (Operand, np.generic)) or hasattr(y, "__array__"))


def inputs(leaves: Sequence[Any], described: Sequence[Any], machine: Target) -> list[Any]:
    """What is traced and replayed: arrays, planes of jets, and Python floats; on a device NumPy's numbers as well."""
    traced = [x.planes if isinstance(x, Jet) else x for x, d in zip(leaves, described, strict=True) if d[0] != "static"]
    return [np.asarray(x) if isinstance(x, np.generic) and machine.looks else x for x in traced]


def rebuilt(x: Value, tracer: Tracer) -> Any:
    """What the function receives for x."""
    if isinstance(x, Jet):
        jet = object.__new__(Jet)._set(tracer, x.extent, x.algebra, ambient())
        return jet._as_array() if x._is_array else jet
    if type(x) is float or isinstance(x, np.generic) or tracer.shape:
        return tracer
    return tracer._shared(tracer._as_array(), (...,))  # which may be written to


def described_result(y: Value) -> Any:
    """How to give back one result: (algebra, support) of a jet, or a constant that is no array."""
    if isinstance(y, Jet):
        return ("jet", y.algebra, y.extent)
    return ("plain", y) if plain(y) else ("array",)


def is_written(x: Jet, given: Jet) -> bool:
    """Whether a jet was written to that stands for the argument x."""
    return given.extent != x.extent or given.planes.node.op != "input"
