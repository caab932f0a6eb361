"""One pass through a function in an algebra of several variables, and what operators read of its result.

The variables are entries of one argument along some axes, the same for all points (`Entries`), or arguments of their
own (`Separate`). Of variables that an operator only sees in a combination, as of ∂_x + ∂_y, there is one plane.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import numpy as np
import optree
from numpy.lib.array_utils import normalize_axis_tuple

from ..algebra import Algebra, Apolar, Form, Monomial, TotalDegree, paired
from ..backend import as_floating
from ..errors import InvalidType, ours
from ..jets.jet import Jet
from ..jets.planes import stack_blocks
from ..jets.seeding import begun
from ..jets.unspread import Unspread
from ..jets.variables import check_budget
from ..kinds import Axis, Value
from ..operand import Operand, beside, promoted
from ..operand.levels import Scope, open_scope
from ..series import total
from .forward import _LEAF, _flatten, _owned, _returned
from .reverse import floats

__all__ = ["Entries", "Polynomial", "Seen", "Separate", "entries", "passed", "seen"]

Polynomial = Mapping[Monomial, Fraction]  # Σ c_m ∂^m


class Seen(NamedTuple):
    """What some derivatives need.

    Attributes:
        algebra: of the jets that carry them.
        slopes: of the variables, a matrix of the planes of degree 1 by variables.
        readers: for each derivative, what it is of f's result, which may not depend on the variables: (y, depends) ↦.
    """

    algebra: Algebra
    slopes: Any
    readers: Sequence[Callable[[Any, bool], Any]]


def seen(polynomials: Sequence[Polynomial], count: int) -> Seen:
    """What these operators in so many variables need: the smallest algebra that keeps what one of them sees."""
    forms = dict.fromkeys(form for p in polynomials for form in _forms(p))
    algebra = Apolar(tuple(forms)) if forms else TotalDegree(count, 0)
    known = [m for m in algebra.monomials if sum(m) == 1]
    slopes = np.zeros((len(known), count))
    for i in range(count):
        for m, c in algebra.projected(tuple([int(i == j) for j in range(count)])):
            slopes[known.index(m), i] = c
    return Seen(algebra, slopes, [_reader(p, algebra) for p in polynomials])


def _forms(polynomial: Polynomial) -> Iterable[Form]:
    """The homogeneous parts of degree 1 and more."""
    by_degree: dict[int, list[tuple[Monomial, Fraction]]] = {}
    for m, c in polynomial.items():
        if c and any(m):
            by_degree.setdefault(sum(m), []).append((m, c))
    return map(tuple, by_degree.values())


def _reader(polynomial: Polynomial, algebra: Algebra) -> Callable[[Any, bool], Any]:
    """What an operator reads of a jet."""
    weights = [pair for form in _forms(polynomial) for pair in paired(form, algebra)]
    constants = [float(c) for m, c in polynomial.items() if c and not any(m)]

    def read(y: Value, depends: bool) -> Any:
        value = y.planes[0] if depends else y
        terms = [c * value for c in constants]
        if depends:
            there = [(place, w) for place, w in weights if y.extent >> (place - 1) & 1]
            terms += [y.planes[place] if w == 1 else w * y.planes[place] for place, w in there]
        return total(terms) if terms else np.zeros_like(value)[()]

    return read


class Entries(NamedTuple):
    """Variables that are entries of an argument along some axes.

    Attributes:
        position: of the argument.
        axes: its axes, in order.
        chosen: which of the entries, as they are counted along all these axes.
    """

    position: int
    axes: tuple[int, ...]
    chosen: Sequence[int]

    def seeded(self, args: Sequence[Any], algebra: Algebra, slopes: Any, scope: Scope) -> list[Any]:
        """The arguments with jets in them; `slopes` is a matrix of planes by variables."""
        x = args[self.position]
        lengths = [x.shape[axis] for axis in self.axes]
        units = np.zeros((len(slopes), prod(lengths)), x.dtype)
        units[:, self.chosen] = slopes
        shape = [1] * x.ndim
        for axis, length in zip(self.axes, lengths, strict=True):
            shape[axis] = length
        filled = list(args)
        filled[self.position] = _jet(x, units.reshape(len(units), *shape), algebra, scope)
        return filled

    def value(self, args: Sequence[Any], variable: int) -> Any:
        """A variable at all points."""
        x = args[self.position]
        index = np.unravel_index(self.chosen[variable], [x.shape[axis] for axis in self.axes])
        at: list[Any] = [slice(None)] * x.ndim
        for axis, i in zip(self.axes, index, strict=True):
            at[axis] = int(i)
        return x[tuple(at)]


class Separate(NamedTuple):
    """Variables that are arguments of their own.

    Attributes:
        positions: of the arguments.
    """

    positions: tuple[int, ...]

    def seeded(self, args: Sequence[Any], algebra: Algebra, slopes: Any, scope: Scope) -> list[Any]:
        """The arguments with jets in them; `slopes` is a matrix of planes by variables."""
        filled = list(args)
        for i, position in enumerate(self.positions):
            x = args[position]
            filled[position] = _jet(x, slopes[:, i].reshape(-1, *(1,) * x.ndim), algebra, scope)
        return filled

    def value(self, args: Sequence[Any], variable: int) -> Any:
        """A variable at all points."""
        return args[self.positions[variable]]


def _jet(x: Value, units: Any, algebra: Algebra, scope: Scope) -> Any:
    """x with these planes of degree 1; those that are zero everywhere are not there."""
    check_budget(algebra, x)
    count = len(units)
    moves = algebra.monomials[1 : 1 + count] if algebra.directions is None else algebra.monomials[1:2] * count
    extent = algebra.extent_of([m for m, unit in zip(moves, units, strict=True) if unit.any()])
    units = beside(units, x)
    if extent and x.size > units[0].size > 1:
        like = object.__new__(Jet)._set(units, extent, algebra, scope)
        return Unspread.made(like, x, units)
    blocks = [(x, 1), (units, count)] if extent else [(x, 1)]
    return begun(object.__new__(Jet)._set(stack_blocks(blocks, algebra.size, x), extent, algebra, scope), x)


def entries(args: Sequence[Any], position: int, axis: Axis, name: str) -> tuple[list[Any], Entries]:
    """The arguments with an array at the position, and its entries along the axes (all of them for None)."""
    x = _real_array(args[position], position, name)
    try:
        axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    except (TypeError, ValueError) as error:
        raise ours(error, name) from None
    filled = list(args)
    filled[position] = x
    return filled, Entries(position, tuple(axes), range(prod(x.shape[a] for a in axes)))


def _real_array(x: Value, position: int, name: str) -> Any:
    x = promoted(x) if isinstance(x, Operand) else as_floating(x, name, f"argument {position}")
    if x.dtype.kind == "c":
        raise InvalidType(f"{name}: the argument is complex; expected real numbers")
    return x


def passed(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Any, where: Entries | Separate, what: Seen, name: str
) -> list[Any]:
    """Each of the derivatives by one pass through f, in the structure of its result.

    Args:
        f: a function of arrays to an array or a container of arrays.
        args, kwargs: its arguments.
        where: what the variables are.
        what: the derivatives.
        name: for messages.
    """
    with open_scope(f"{name} of {getattr(f, '__name__', 'f')}") as scope:
        seeded = where.seeded(args, what.algebra, what.slopes, scope)
        leaves, structure = _flatten(_returned(f(*seeded, **kwargs), name))
        owned = [_owned(floats(y, name), scope, name) for y in leaves]
        return [_unflattened(structure, [reader(*each) for each in owned]) for reader in what.readers]


def _unflattened(structure: Any, leaves: list[Any]) -> Any:
    return leaves[0] if structure is _LEAF else optree.tree_unflatten(structure, leaves)
