"""What arguments must be."""

from typing import Any

import numpy as np

from ...backend import namespace, occurs
from ...errors import NotDifferentiable
from ...kinds import Coefficient

__all__ = ["require_real", "somewhere", "unseen", "whole"]


def require_real(name: str, *values: Any) -> None:
    """Raises for complex arguments of a function that is differentiated on the real line only."""
    if any(np.iscomplexobj(x) for x in values):
        raise NotDifferentiable(f"{name}: dualnum has no derivative rule for complex arguments; give real ones")


def whole(n: Coefficient) -> Any:
    """n without its fraction, as SciPy cuts orders that must be whole; a number of Python stays one."""
    return type(n)(np.trunc(n)) if isinstance(n, (int, float)) else np.trunc(n)


def unseen(x: Any) -> bool:
    """Whether nobody looks at numbers: on a device, or in a program for one."""
    graph = getattr(x, "graph", None)
    return namespace(x) is not np if graph is None else not graph.looks


def somewhere(mask: Any) -> bool:
    """Whether truth values hold anywhere, or may where nobody looks."""
    return occurs(mask) if unseen(mask) else bool(np.any(mask))
