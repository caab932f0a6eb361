"""The pull-back of a primitive on jets whose coefficients are recorded: from stacks to stacks, as one step."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..algebra import Algebra, Extents, Monomial, Stack
from ..algebra.directions import table
from ..broadcasting import summed_to
from ..jets import tower
from ..jets.planes import Level
from ..jets.tower import coefficients, joint, stacked_up
from ..kernel import engine, launch, transpose
from ..kernel.pullback import pullback
from ..kinds import Value
from ..operand import Operand, library, primal, visible
from ..operand.levels import open_scope
from ..primitives.derived import derived
from ..primitives.table import Row
from ..series import total
from .reach import Mask, Reach, all_or_some, fitted, spread

__all__ = ["StackPull"]

_ANY = np.zeros(1)


class StackPull:
    """ū_j = Σ_n p_{n−j} ȳ_n over the coefficients of jets, p the series of the derivative.

    Attributes:
        row: the primitive.
        wanted: for which arguments there are contributions.
        levels: of the jets; their scopes may have ended.
        result: the extents of the result.
        arguments: those of the arguments.
    """

    __slots__ = ("arguments", "levels", "result", "row", "wanted")

    def __init__(
        self,
        row: Row,
        wanted: tuple[bool, ...],
        levels: tuple[Level, ...],
        result: Extents,
        arguments: Sequence[Extents],
        saved: Sequence[Any],
    ) -> None:
        self.row = row
        self.levels = levels
        self.result = result
        self.arguments = arguments
        self.wanted = pullback(row, wanted, _ANY, self._stands(saved)).moved

    def __call__(self, cotangent: Value, value: Value, *arguments: Any) -> Sequence[Any]:
        return self.contributions(cotangent, (value, *arguments), None)

    def contributions(self, cotangent: Value, saved: Sequence[Any], reach: Reach | None) -> Sequence[Any]:
        """The contributions, of the elements that are reached alone."""
        arguments = saved[1:]
        there = reach.planes if reach is not None and self._axes == 1 and not self._directed else None
        apart = reach is None or there is not None
        if apart or visible(primal(cotangent)):
            found = self._launched(cotangent, arguments, there)
            if found is not None and (apart or all(map(_is_finite, found))):
                return found
        mask = None if reach is None else spread(reach(), cotangent.shape, library(cotangent))
        with ExitStack() as stack:
            scopes = [stack.enter_context(open_scope(level.scope.name)) for level in self.levels]
            levels = tuple(level._replace(scope=scope) for level, scope in zip(self.levels, scopes, strict=True))
            return self._composed(levels, cotangent, arguments, mask)

    @property
    def _axes(self) -> int:
        """How many axes of planes the result has."""
        return sum(d is not None for d in self.result)

    @property
    def _directed(self) -> bool:
        """Whether there are several directions along a level."""
        return any(level.algebra.directions is not None for level in self.levels)

    def elements(self, reach: Reach, shape: tuple[int, ...], xp: Any) -> Reach:
        """Of the coefficients of the result: an element is reached if any of its coefficients is."""
        axes = tuple(range(self._axes))
        return Mask(lambda: np.any(spread(reach(), shape, xp), axis=axes), (reach,))

    def reach(
        self, reach: Reach | None, shape: tuple[int, ...], saved: Sequence[Any], i: int, parent: tuple[int, ...]
    ) -> Reach | None:
        """Which coefficients of argument i are reached."""
        if reach is not None and reach.planes is not None:
            reach = None  # an element is reached if any of its coefficients is
        if reach is None and self._own(saved) is None:
            return None

        def mask() -> Any:
            first = []
            for x, extents in zip(saved[1:], self.arguments, strict=True):
                axes = sum(d is not None for d in extents)
                first.append(primal(x[(0,) * axes]) if axes else primal(x))
            xp = library(saved[1 + i])
            its = None if reach is None else self.elements(reach, shape, xp)
            its = all_or_some(its, self._own(saved), (self.row.ufunc(*first), *first), i)
            axes = sum(d is not None for d in self.arguments[i])
            its = fitted(its, shape[self._axes :], parent[axes:], xp)
            return spread(True if its is None else its(), parent, xp)

        return Mask(mask, (reach,))

    def _own(self, saved: Sequence[Any]) -> Any:
        """Which elements the primitive itself leaves out, see `PullBack.reached`."""
        return pullback(self.row, self.wanted, _ANY, self._stands(saved[1:])).reached

    def _stands(self, arguments: Sequence[Any]) -> list[Any]:
        """What the pull-back may look at: of what moves no number decides anything, and another stands in for it."""
        return [
            _ANY if isinstance(x, Operand) or any(d is not None for d in extents) else x
            for x, extents in zip(arguments, self.arguments, strict=True)
        ]

    def _launched(
        self, cotangent: Value, arguments: Sequence[Any], there: frozenset[int] | None = None
    ) -> Sequence[Any] | None:
        """By one kernel on plain arrays; of the planes of the cotangent that are there, None for all."""
        if not engine.accepted(cotangent) or any(isinstance(x, Operand) for x in arguments):
            return None
        if self._directed:
            return self._launched_along(cotangent, arguments)
        if None in self.result:
            return None
        algebra = joint(self.levels)
        given = [_planes(algebra, x, extents) for x, extents in zip(arguments, self.arguments, strict=True)]
        if not all(type(x) is launch.Planes or not hasattr(x, "dtype") for x in given):
            return None
        g = _planes(algebra, cotangent, self.result)
        results = transpose.planes(self.row, self.wanted, algebra, g, given, there)
        if results is None:
            return None
        return [None if c is None else c.reshape(x.shape) for c, x in zip(results, arguments, strict=True)]

    def _launched_along(self, cotangent: Value, arguments: Sequence[Any]) -> Sequence[Any] | None:
        """The same on short arrays with several directions, axes of the kernel's; nobody looks at a device for it."""
        if not visible(cotangent):
            return None
        ndim = np.ndim(cotangent) - self._axes
        stacks = [Stack(x, extents) for x, extents in zip(arguments, self.arguments, strict=True)]
        g = tower.spread(self.levels, Stack(cotangent, self.result), ndim, once=True)
        given = [tower.spread(self.levels, u, ndim, as_array=w) for u, w in zip(stacks, self.wanted, strict=True)]
        if type(g) is not launch.Planes or None in given or None in self.result:
            return None
        if not all(type(x) is launch.Planes or not hasattr(x, "dtype") for x in given):
            return None
        results = transpose.planes(self.row, self.wanted, joint(self.levels), g, given)
        if results is None or not all(map(_is_finite, results)):
            return None  # a zero in the place of what is elsewhere may have met an infinity
        algebras = tuple([level.algebra for level in self.levels])
        return [
            None if c is None else table(algebras, u.extents).summed(c, tuple(np.shape(u.base))[u.axes :])
            for c, u in zip(results, stacks, strict=True)
        ]

    def _composed(
        self, levels: tuple[Level, ...], cotangent: Value, arguments: Sequence[Any], mask: Value
    ) -> Sequence[Any]:
        """By operations on what the coefficients are."""
        stacks = [Stack(x, extents) for x, extents in zip(arguments, self.arguments, strict=True)]
        ndim = np.ndim(cotangent) - self._axes
        g = coefficients(levels, Stack(cotangent, self.result), ndim)
        masks = None if mask is None else coefficients(levels, Stack(mask, self.result), ndim)
        results: list[Any] = []
        for i, (w, u) in enumerate(zip(self.wanted, stacks, strict=True)):
            if not w:
                results.append(None)
                continue
            partial = derived(self.row, tuple(int(i == j) for j in range(len(stacks)))).row
            slope = tower.on_jets(partial, levels, stacks)
            p = coefficients(levels, slope, ndim)
            terms = {j: _paired(levels, p, g, j, masks) for j in coefficients(levels, u, ndim)}
            results.append(_of_shape(levels, terms, u))
        return results


def _is_finite(c: Value) -> bool:
    """Whether a contribution (None for none) is finite."""
    return c is None or bool(np.isfinite(c.sum()))


def _planes(algebra: Algebra, x: Value, extents: Extents) -> Any:
    """An array as kernels take it."""
    return launch.planes_of(algebra, Stack(x, extents)) if engine.accepted(x) else x


def _paired(levels: Sequence[Level], p: Value, g: Value, j: Monomial, masks: Any) -> Any:
    """Σ p_m ȳ_n, t^n in t^j t^m; the constant of a level with directions takes part in all of them."""
    algebra = joint(levels)
    split = algebra.split
    directed = [i for i, level in enumerate(levels) if level.algebra.directions is not None]
    found = ((m, n, c) for m, terms in algebra.multiples(j).items() if m in p for n, c in terms if n in g)
    summed = []
    for m, n, c in found:
        term = p[m] * g[n] if c == 1 else c * (p[m] * g[n])
        if masks is not None:
            term = np.where(masks[n], term, 0.0)
        for axis, i in enumerate(directed):
            if sum(split(n)[i]) and not sum(split(j)[i]):
                term = np.sum(term, axis=axis, keepdims=True)
        summed.append(term)
    return total(summed)


def _of_shape(levels: Sequence[Level], terms: Any, u: Stack) -> Any:
    """The coefficients as a stack of u's shape, summed where it was broadcast."""
    directed = [
        d is not None for level, d in zip(levels, u.extents, strict=True) if level.algebra.directions is not None
    ]
    shape = tuple(np.shape(u.base))[u.axes :]
    example = next(c for c in terms.values() if not isinstance(c, int))
    example = example[(slice(0, 1),) * len(directed)] if directed else example
    fitted = {}
    for m, c in terms.items():
        c = np.zeros_like(example) if isinstance(c, int) else c  # an integer: nothing of it reached the result
        wanted = (*tuple(np.shape(c))[: len(directed)], *shape)
        fitted[m] = c if tuple(np.shape(c)) == wanted else _summed(c, len(directed), wanted)
    if not u.axes:
        (c,) = fitted.values()
        return np.reshape(c, shape)
    kept = [level for level, d in zip(levels, u.extents, strict=True) if d is not None]
    if len(kept) < len(levels):
        split = joint(levels).split
        parts = {m: [part for part, d in zip(split(m), u.extents, strict=True) if d is not None] for m in fitted}
        # the directions of levels that u has no axis for have been summed to one
        index = tuple(slice(None) if there else 0 for there in directed)
        fitted = {sum(parts[m], ()): c[index] if index else c for m, c in fitted.items()}
    return stacked_up(kept, fitted)


def _summed(c: Value, directed: int, wanted: tuple[int, ...]) -> Any:
    """c summed to this shape; its first axes, of directions, stay."""
    missing = np.ndim(c) - len(wanted)
    if missing > 0:
        c = np.sum(c, axis=tuple(range(directed, directed + missing)))
    return summed_to(c, wanted)
