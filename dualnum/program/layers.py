"""What goes into a call of a trace and comes out of it: jets taken off their arrays and put over others, types."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Algebra
from ..backend import is_array
from ..jets.jet import Jet
from ..kinds import Value
from ..operand.levels import Scope

__all__ = ["Layer", "as_it_is", "described", "peeled", "rebuilt"]

Layer = tuple[Algebra, Scope]


def peeled(x: Value) -> tuple[Any, list[Layer]]:
    """What lies under the jets of x, and of these the algebras and scopes, from the top down."""
    above: list[Layer] = []
    while isinstance(x, Jet):
        above.append((x.algebra, x.scope))
        x = x.planes
    return x, above


def rebuilt(x: Value, above: Sequence[Layer], scopes: dict[Scope, Scope] | None = None) -> Any:
    """Such jets over x again; on their own scopes, or on those that stand for them now."""
    for algebra, scope in reversed(above):
        x = object.__new__(Jet)._set(x, algebra.full, algebra, scope if scopes is None else scopes[scope])
    return x


def as_it_is(x: Value) -> Any:
    """x, a copy where it is an array that may be written to later."""
    return x.copy() if is_array(x) and not isinstance(x, np.generic) else x


def described(y: Value) -> tuple[Any, Any]:
    """Shape and type of a result."""
    if is_array(y):
        return y.shape, y.dtype
    return np.shape(y), type(y) if isinstance(y, (bool, int, float, complex)) else object
