"""How a jet runs an operation: by its series rule over homogeneous parts, or by its push-forward for each variable."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra import Partial
from ..errors import InvalidValue
from ..kinds import Value
from ..operand import Operand, library
from ..primitives.operation import Operation
from .base import Base
from .planes import stack_blocks

__all__ = ["fitting", "operated", "zero_of"]


def operated(top: Base, operation: Operation, args: tuple[Any, ...]) -> Any:
    """The operation on jets of this level and constants."""
    if operation.expand is None:
        return _by_push_forward(top, operation, args)
    ndim = max(map(np.ndim, args))
    parts = [x._parts(ndim) if top._is_mine(x, operation.name) else [x] for x in args]
    value = operation(*(u[0] for u in parts))
    return top._join(operation.expand(top.order, value, *parts))


def _by_push_forward(top: Base, operation: Operation, args: tuple[Any, ...]) -> Any:
    """∂_i y = push(x, ∂_i x) in jets of the algebra that ∂_i leads to, for each variable t_i.

    Their order is one less, so that a push-forward may call the operation itself. Where products are combinations of
    monomials, all of them are computed, and combined.
    """
    own = [top._is_mine(x, operation.name) for x in args]
    if top.algebra.cover is not top.algebra:
        return _projected(top, _by_push_forward(*_covered(top, operation, args, own)))
    value = operation(*(x.planes[0] if mine else x for x, mine in zip(args, own, strict=True)))
    algebra = top.algebra
    planes: list[Any] = [value, *[None] * (algebra.size - 1)]
    for i in range(algebra.variables if algebra.order else 0):
        if len(algebra.powers(i)) < 2:  # what is left of a derivative does not depend on it
            continue
        partial = algebra.derivative(i)
        if any(planes[m] is None for m in partial.above):
            found = _slope(top, operation, args, own, partial)
            for m, plane, power in zip(partial.above, found, partial.powers, strict=True):
                planes[m] = fitting(operation.name, plane if power == 1 else plane / power, value)
    return top._like(stack_blocks([(p, 1) for p in planes], algebra.size, value), algebra.full)


def _covered(
    top: Base, operation: Operation, args: Sequence[Any], own: Sequence[bool]
) -> tuple[Base, Operation, tuple[Any, ...]]:
    """The same for jets of the algebra of which theirs is a quotient."""
    algebra, cover = top.algebra, top.algebra.cover
    places = [algebra.places.get(m) for m in cover.monomials]
    lifted = []
    for x, mine in zip(args, own, strict=True):
        if mine:
            zero = np.zeros_like(x.planes[0])
            planes = np.stack([zero if p is None else x.planes[p] for p in places])
            x = object.__new__(top.kind)._set(planes, cover.full, cover, top.scope)
        lifted.append(x)
    return next(x for x, mine in zip(lifted, own, strict=True) if mine), operation, tuple(lifted)


def _projected(top: Base, y: Base) -> Any:
    """Back again."""
    algebra, planes = top.algebra, y.planes
    found: list[Any] = [np.zeros_like(planes[0])] * algebra.size
    for place, m in enumerate(y.algebra.monomials):
        for s, c in algebra.projected(m):
            found[algebra.places[s]] = found[algebra.places[s]] + c * planes[place]
    return top._like(np.stack(found), algebra.full)


def _slope(
    top: Base, operation: Operation, args: Sequence[Any], own: Sequence[bool], partial: Partial
) -> Sequence[Any]:
    """The planes of push(x, ∂_i x)."""
    assert operation.push is not None
    algebra = partial.algebra
    raised = list(zip(partial.above, partial.powers, strict=True))
    moved = [
        [k * x.planes[m] if k > 1 else x.planes[m] for m, k in raised] if mine else zero_of(x, top)
        for x, mine in zip(args, own, strict=True)
    ]
    if algebra.order == 0:
        primals = [x.planes[0] if mine else x for x, mine in zip(args, own, strict=True)]
        return [operation.push(primals, [v[0] if mine else v for v, mine in zip(moved, own, strict=True)])]

    def jet(planes: Sequence[Any]) -> Any:
        return object.__new__(top.kind)._set(np.stack(planes), algebra.full, algebra, top.scope)

    primals = [jet([x.planes[m] for m in partial.planes]) if mine else x for x, mine in zip(args, own, strict=True)]
    slope = operation.push(primals, [jet(v) if mine else v for v, mine in zip(moved, own, strict=True)])
    if not (isinstance(slope, Base) and slope.scope is top.scope):
        return [slope, *[np.zeros_like(slope)] * (algebra.size - 1)]
    return [slope.planes[m] for m in range(algebra.size)]


def zero_of(x: Value, *others: Any) -> Any:
    """Zeros like x, of a number where the others are."""
    if isinstance(x, Operand):
        return np.zeros_like(x)
    return library(x, *others).zeros(np.shape(x), getattr(x, "dtype", float))


def fitting(name: str, tangent: Value, value: Value) -> Any:
    """A tangent of the shape of the result."""
    if np.shape(tangent) != np.shape(value):
        raise InvalidValue(
            f"{name}: its push-forward gives a tangent of shape {np.shape(tangent)} for a result of shape "
            f"{np.shape(value)}; expected the same"
        )
    return tangent
