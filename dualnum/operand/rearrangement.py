"""Functions every entry of whose result is a copy of one entry of the data, or zero: take, concatenate, tril.

The numbers of the entries, sent through the function once, say where each comes from. That is all there is to know:
the transpose for the reverse sweep, and the function on many planes at once.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend import sums_at
from ..errors import NotDifferentiable, NotTraceable
from ..kinds import Value
from .linear import Moving, bilinear, linear
from .operand import Operand, library, primal, visible

__all__ = ["MANY", "Rearrangement"]

MANY = 8  # planes from which on it pays to find out where entries go


class Rearrangement:
    """The adjoint of a function whose every entry is a copy of one entry of its data, or zero.

    The numbers of the entries, sent through the function once, say where each comes from; the cotangents of
    its copies are summed.
    """

    def __init__(self, function: Callable[..., Any], data: Sequence[Any]) -> None:
        self.function = function
        self.shapes = [np.shape(x) for x in data]
        self.library = library(*data)
        self._traced = next((x for x in map(primal, data) if isinstance(x, Operand)), None)
        self._source: Any = None

    def source(self) -> Any:
        """For each entry of the result 1 + its number among the entries of all data, or 0."""
        if self._source is None:
            numbered, first = [], 1
            for shape in self.shapes:
                size = prod(shape)
                numbered.append(self.library.arange(first, first + size).reshape(shape))
                first += size
            try:
                source = self.library.asarray(self.function(*numbered))
            except NotTraceable:  # an index is traced
                if self._traced is None:
                    raise
                self._source = self.function(*map(self._traced._constant, numbered)).astype(np.intp)
                return self._source
            if source.dtype.kind == "f" and first > 2 ** (np.finfo(source.dtype).nmant + 1):
                raise NotDifferentiable(f"an array of {first} entries cannot be traced through {source.dtype}")
            self._source = source.real.astype(np.intp)
        return self._source

    @property
    def omits(self) -> bool:
        """Whether some entry of the data does not occur in the result."""
        if isinstance(self.source(), Operand):
            return True
        read = self.library.zeros(1 + sum(map(prod, self.shapes)), bool)
        read[self.source()] = True
        return not visible(read) or not read[1:].all()

    def __call__(self, cotangent: Value) -> Any:
        source, first, results = self.source(), 1, []
        for shape in self.shapes:
            results.append(_scattered(cotangent, source - first, shape))
            first += prod(shape)
        return results[0] if len(results) == 1 else tuple(results)

    def gathered(self, planes: Sequence[Any]) -> Any:
        """The function on stacked planes of the data (None for zeros), all at once."""
        source, first = self.source(), 1
        result: Any = 0.0
        for stack, shape in zip(planes, self.shapes, strict=True):
            size = prod(shape)
            if stack is not None:
                flat = stack.reshape(len(stack), size)
                inside = (source >= first) & (source < first + size)
                known = visible(inside)
                if known and inside.all():
                    return np.take(flat, source - first, axis=1)
                if size and (not known or inside.any()):
                    result = np.where(inside, np.take(flat, np.where(inside, source - first, 0), axis=1), result)
                elif type(result) is float:
                    result = self.library.zeros((len(stack), *source.shape), stack.dtype)
            first += size
        return result


def _summed_at(cotangent: Value, positions: Value, size: int) -> Any:
    """The sums of the cotangents of equal position, of positions that are traced; those behind the end are left out."""

    def scatter(g: Value, at: Value) -> Any:
        if isinstance(g, Operand) or isinstance(at, Operand):
            return bilinear(scatter, g, at, (gather, lambda h, g: None))
        return sums_at(at.ravel(), g.ravel(), size + 1)[:size]

    def gather(h: Value, at: Value) -> Any:
        inside = at < size
        return np.where(inside, np.take(h, np.where(inside, at, 0)), 0.0)

    return scatter(cotangent, positions)


def _scattered(cotangent: Value, source: Any, shape: tuple[int, ...]) -> Any:
    """The sums of the cotangents of equal source among the entries of this shape."""
    size = prod(shape)
    inside = (source >= 0) & (source < size)
    if isinstance(source, Operand):
        return np.reshape(_summed_at(cotangent, np.where(inside, source, size), size), shape)
    positions = source[inside] if visible(source) else None

    def scatter(g: Value) -> Any:
        if isinstance(g, Operand):
            return linear(scatter, g, adjoint=Moving(gather))
        if positions is None:  # what lies outside is summed behind the end
            return sums_at(np.where(inside, source, size), g, size + 1)[:size].reshape(shape)
        return sums_at(positions, g[inside], size).reshape(shape)

    def gather(h: Value) -> Any:
        if not size:
            return library(source).zeros(())
        return np.where(inside, np.take(np.ravel(h), np.where(inside, source, 0)), 0.0)

    return scatter(cotangent)
