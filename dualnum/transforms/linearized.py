"""The tangent map of a function at a point, from one evaluation, to be used again and again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from ..errors import InvalidValue
from ..operand import Operand
from .reverse import _vjp, vjp
from .transformed import placed

__all__ = ["linearize"]


def linearize(f: Callable[..., Any], *primals: Any, device: str | None = None) -> tuple[Any, Callable[..., Any]]:
    """The value and the tangent map at a point: f(x) and v ↦ ∂f/∂x·v, without calls of f for further tangents.

    f runs once and is recorded, and so is the sweep back over its record, which is linear in its cotangent; the tangent
    map is the transpose of that, one sweep for each tangent. For one tangent alone `jvp` is quicker.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        primals: its positional arguments.
        device: "cpu", "cuda" or "cuda:N", to which the primals and each tangent are moved.

    Returns:
        f(x) and a function of tangents, as many as there are primals and of their structures and shapes; it gives the
        tangent of the result, with the structure, shapes and types of f(x).

    Raises:
        InvalidValue: there are no arguments; tangents are not as many, or have another structure or shape.
        InvalidType: an argument is not made of numbers, or f returns something that is no array.
        NotDifferentiable: f calls what has no reverse rule; `jvp` does without.

    Source:
        Radul, Paszke, Frostig, Johnson & Maclaurin, "You only linearize once: tangents transpose to gradients", POPL
        2023; as the transpose of a transpose Townsend, "A new trick for calculating Jacobian vector products", 2017.

    Example:
        >>> y, push = linearize(lambda x: x**2 * x[0], np.array([3.0, 5.0]))
        >>> push(np.array([1.0, 0.0])), push(np.array([0.0, 0.1]))
        (array([27., 25.]), array([0., 3.]))
    """
    if device is not None:
        value, there = placed(lambda *args: linearize(f, *args), device, lambda args: range(len(args)))(*primals)
        return value, placed(there, device, lambda args: range(len(args)))
    value, pull = _vjp(f, primals, False, "linearize")
    _, back = vjp(pull, optree.tree_map(_zero, value))

    def push(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise InvalidValue(f"linearize: {len(tangents)} tangents and {len(primals)} primals; expected as many")
        return back(tangents[0] if len(primals) == 1 else tangents)

    return value, push


def _zero(y: Any) -> Any:
    return np.zeros_like(y) if isinstance(y, Operand) else np.zeros_like(y)[()]
