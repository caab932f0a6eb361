"""How a jet runs linear, rearranging and bilinear functions: plane by plane, or all planes above the value at once."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..kinds import Value
from ..operand import Operand, Stacked, primal
from ..operand.rearrangement import MANY, Rearrangement
from .base import Base
from .planes import aligned, empty, stack_blocks, zero_like

__all__ = ["bilinear", "linear", "rearranged"]


def linear(
    top: Base, function: Callable[..., Any], data: tuple[Any, ...], stacked: Callable[..., Any] | None = None
) -> Any:
    """f(x, …)_k = f(x_k, …)."""
    if stacked is not None and len(data) == 1 and not isinstance(top.planes, Operand):
        return _all_planes(top, function, stacked)
    mine = [top._is_mine(x) for x in data]
    algebra = top.algebra
    extent = reduce(algebra.union, (x.extent for x, own in zip(data, mine, strict=True) if own))
    if stacked is not None and len(data) == 1 and _is_recorded(top.planes):  # one step of a record, or of a nest
        result = stacked(data[0].planes)
        return top._like(result, extent) if result.dtype.kind in "fc" else result
    size = algebra.planes(extent)
    value = function(*(x.planes[0] if own else x for x, own in zip(data, mine, strict=True)))
    few = MANY if isinstance(value, Operand) else 3  # of a record or a trace: few steps of their own fuse better
    if stacked is not None and size >= few and value.dtype.kind in "fc":
        ndim = max(value.ndim, *(x.ndim for x, own in zip(data, mine, strict=True) if own))
        higher = stacked(*(aligned(x.planes[1:size], ndim) if own else 0.0 for x, own in zip(data, mine, strict=True)))
        return _jet(top, [(value, 1), (higher, size - 1)], extent)
    later = [x if own else zero_like(x) for x, own in zip(data, mine, strict=True)]
    planes = [value]
    for m in range(1, size):
        planes.append(function(*(x.planes[m] if own else x for x, own in zip(later, mine, strict=True))))
    return _jet(top, [(p, 1) for p in planes], extent)


def _all_planes(x: Base, function: Callable[..., Any], stacked: Callable[..., Any]) -> Any:
    """The usual case: of one plain jet, the planes above the value in one call."""
    planes, size = x.planes, x.filled
    value = function(planes[0])
    if value.dtype.kind not in "fc":
        return value
    result = empty((x.algebra.size, *value.shape), value.dtype, planes)
    result[0] = value
    if size > 1:
        result[1:size] = stacked(aligned(planes[1:size], max(value.ndim, planes.ndim - 1)))
    result[size:] = 0
    return x._like(result, x.extent)


def _is_recorded(planes: Value) -> bool:
    """Whether planes are operands, whose numbers are known: of a trace, few steps of their own fuse better."""
    return isinstance(planes, Operand) and not isinstance(primal(planes), Operand)


def rearranged(top: Base, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
    """As `linear`; many planes are gathered from where the entries of one come from."""
    mine = [top._is_mine(x) for x in data]
    own = [x for x, its in zip(data, mine, strict=True) if its]
    size = max(x.filled for x in own)
    if size < MANY or any(isinstance(x.planes, Operand) for x in own):
        return linear(top, function, data)
    moved = Rearrangement(function, data)
    planes = [x.planes[1:size] if its else None for x, its in zip(data, mine, strict=True)]
    return linear(top, function, data, lambda *_: moved.gathered(planes))


def bilinear(top: Base, function: Callable[[Any, Any], Any], a: Value, b: Value, stacked: Stacked | None = None) -> Any:
    """f(a, b)_k = Σ_j f(a_j, b_{k−j})."""
    if not top._is_mine(a):
        if stacked is not None:
            return _in_one_call(top, lambda y: function(a, y), lambda *ys: stacked[1](a, *ys), b, a)
        return linear(top, lambda y: function(a, y), (b,))
    if not top._is_mine(b):
        if stacked is not None:
            return _in_one_call(top, lambda x: function(x, b), lambda xs, *out: stacked[0](xs, b, *out), a, b)
        return linear(top, lambda x: function(x, b), (a,))
    algebra = top.algebra
    extent = algebra.of_product(a.extent, b.extent)
    if algebra.directions is not None and stacked is not None and not isinstance(a.planes, Operand):
        return _in_blocks(top, function, a, b, stacked, extent)
    planes: list[Any] = [None] * algebra.planes(extent)
    pairs: Iterable[tuple[int, int, int, Any]] = algebra.products(a.extent, b.extent)
    if algebra.variables > 1 and stacked is not None and not isinstance(a.planes, Operand):
        pairs = [pair for pair in pairs if pair[0] and pair[1]]
        planes[0] = function(a.planes[0], b.planes[0])
        for m, plane in enumerate(stacked[1](a.planes[0], b.planes[1 : b.filled]) if b.extent else (), 1):
            planes[m] = plane
        for m, plane in enumerate(stacked[0](a.planes[1 : a.filled], b.planes[0]) if a.extent else (), 1):
            planes[m] = plane if planes[m] is None else planes[m] + plane
    for i, j, m, c in pairs:
        term = function(a.planes[i], b.planes[j])
        term = term if c == 1 else c * term
        planes[m] = term if planes[m] is None else planes[m] + term
    zero = zero_like(planes[0])
    return _jet(top, [(zero if p is None else p, 1) for p in planes], extent)


def _in_blocks(top: Base, function: Callable[[Any, Any], Any], a: Base, b: Base, stacked: Stacked, degree: int) -> Any:
    """All directions at once, but for the products of two that move, f(a_j, b_{k−j}) with 0 < j < k."""
    (value_a, *parts_a), (value_b, *parts_b) = a._parts(a.ndim), b._parts(b.ndim)
    value = function(value_a, value_b)
    blocks: list[tuple[Any, Any]] = [(value, 1)]
    count = top.algebra.directions
    for k in range(1, degree + 1):
        terms = [stacked[1](value_a, y) for y in parts_b[k - 1 : k]]
        terms += [stacked[0](x, value_b) for x in parts_a[k - 1 : k]]
        both = range(max(1, k - len(parts_b)), min(k - 1, len(parts_a)) + 1)
        for j in both if count else ():
            terms.append(np.stack([function(x, y) for x, y in zip(parts_a[j - 1], parts_b[k - j - 1], strict=True)]))
        blocks.append((sum(terms[1:], terms[0]) if terms else zero_like(value), count))
    return _jet(top, blocks, degree)


def _in_one_call(
    top: Base, function: Callable[[Any], Any], on_planes: Callable[..., Any], x: Base, constant: Value
) -> Any:
    """A linear function of one jet with the planes above the value in one call."""
    planes, extent = x.planes, x.extent
    if isinstance(planes, Operand) or isinstance(constant, Operand):  # the value as well: one step of a record
        return top._like(on_planes(planes), extent)
    size = x.filled
    if size < 2:
        return linear(top, function, (x,), on_planes)
    value = function(planes[0])
    result = empty((top.algebra.size, *value.shape), value.dtype, planes)
    result[0] = value
    on_planes(planes[1:size], result[1:size])
    result[size:] = 0
    return top._like(result, extent)


def _jet(top: Base, blocks: Sequence[tuple[Any, int]], extent: int) -> Any:
    """A jet from the blocks of its first planes; a plain array where the values are no floats."""
    value = blocks[0][0]
    return top._like(stack_blocks(blocks, top.algebra.size, value), extent) if value.dtype.kind in "fc" else value
