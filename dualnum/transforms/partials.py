"""Mixed partial derivatives, by the way that counts least: one algebra, nilpotent ε, or a family of curves."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, reduce
from functools import partial as partially
from math import factorial, prod
from operator import add
from typing import Any

import numpy as np

from ..algebra import Monomial, Univariate, amplification, polarized, weights
from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, Value
from .pointwise import Seen, Separate, entries, passed, seen
from .transformed import Argnums, Transformed, _check_callable, _positions

__all__ = ["Mixed", "mixed", "partial"]

_METHODS = ("polynomial", "nilpotent", "interpolation")
_DIGITS = 100.0  # amplification of rounding errors by interpolation, above which it is not chosen
_PLANE = 8  # what a plane costs in products: it is written and read again, from where is slower than arithmetic
_LONGEST = 4096  # curves that are counted at all, and
_NILPOTENT = 512  # divisors of products of ε

MultiIndex = int | Sequence[int] | Mapping[str, int]


def partial(
    f: Callable[..., Any],
    m: MultiIndex,
    *,
    argnums: Argnums | None = None,
    axis: Axis = None,
    method: str | None = None,
) -> "Mixed":
    """The mixed partial derivative ∂^m f, elementwise at arrays of points.

    Args:
        f: a function of real arrays, elementwise in points that broadcast, to an array or a container of arrays.
        m: the multi-index: how many times by each argument, or {name of the argument: times}.
        argnums: which positional arguments these are; the first ones when left out.
        axis: of one argument, whose entries are the variables: f maps points (…, n) to (…) one by one.
        method: "polynomial" (the divisors of t^m as one algebra), "nilpotent" (an ε for each time), "interpolation"
            (jets along several directions, combined with exact weights; at high orders digits are lost); what costs
            least when left out, see `plan`.

    Returns:
        A function of the same arguments; its result has the structure, shapes and types of f's. Its `plan` says what
        was chosen.

    Raises:
        InvalidType: an index is not an integer; an argument is complex or not made of numbers.
        InvalidValue: an index is negative; there are more than arguments; no argument has such a name; the method is
            another word.

    Example:
        >>> partial(lambda x, t: x**3 * t + t**2, (2, 1))(np.array([1.0, 2.0]), 5.0)
        array([ 6., 12.])
    """
    return Mixed(f, (m,), argnums, axis, method, True)


def mixed(
    f: Callable[..., Any],
    ms: Sequence[MultiIndex],
    *,
    argnums: Argnums | None = None,
    axis: Axis = None,
    method: str | None = None,
) -> "Mixed":
    """Several mixed partial derivatives ∂^m f from one pass.

    Args:
        f, argnums, axis, method: as for `partial`.
        ms: their multi-indices.

    Returns:
        A function of the same arguments to a tuple of results, in the order of the multi-indices, each with the shapes
        of f's.

    Raises:
        InvalidType, InvalidValue: as for `partial`; there is no multi-index.

    Source:
        Griewank, Utke & Walther, "Evaluating higher derivative tensors by forward propagation of univariate Taylor
        series", Math. Comp. 69, 2000, for the interpolation.

    Example:
        >>> mixed(lambda x, t: x**3 * t, [(1, 0), (1, 1)])(2.0, 5.0)
        (np.float64(60.0), np.float64(12.0))
    """
    if isinstance(ms, (int, Mapping)) or not len(ms) or any(isinstance(m, (int, np.integer)) for m in ms):
        raise InvalidValue(f"mixed: the multi-indices are {ms!r}; expected a list of one or more, such as [(1, 1)]")
    return Mixed(f, tuple(ms), argnums, axis, method, False)


class Mixed(Transformed):
    """The function that `partial` or `mixed` made of another."""

    def __init__(
        self,
        f: Callable[..., Any],
        ms: tuple[MultiIndex, ...],
        argnums: Argnums | None,
        axis: Axis,
        method: str | None,
        single: bool,
    ) -> None:
        name = "partial" if single else "mixed"
        _check_callable(f, name)
        if method is not None and method not in _METHODS:
            raise InvalidValue(f"{name}: method is {method!r}; expected one of {', '.join(_METHODS)}")
        self.indices = _indices_of(f, ms, name)
        self._given = (argnums, axis, method, single)
        remake = partially(Mixed, ms=ms, argnums=argnums, axis=axis, method=method, single=single)
        super().__init__(self._run, f, name, remake)

    @cached_property
    def plan(self) -> "Plan":
        """Which ways there are, what they count, and which was chosen.

        Example:
            >>> partial(np.hypot, (2, 1)).plan
            (2, 1): order 3 in 2 variables
              polynomial       6 planes    18 products   cost    66  (chosen, the least)
              nilpotent        8 planes    27 products   cost    91
              interpolation   10 planes    28 products   cost   108, errors × 2.3
        """
        return Plan(self.indices, self._given[2])

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        argnums, axis, _, single = self._given
        name = "partial" if single else "mixed"
        given, where = _placed(args, self.indices[0], argnums, axis, name)
        found = passed(self.__wrapped__, given, kwargs, where, self.plan.chosen.seen, name)
        return found[0] if single else tuple(found)


def _placed(args: Sequence[Any], m: Monomial, argnums: Argnums | None, axis: Axis, name: str) -> tuple[list[Any], Any]:
    """The arguments as arrays, and where the variables are."""
    count = len(m)
    if axis is not None:
        position, *_ = _positions(0 if argnums is None else argnums, args, name)
        given, where = entries(args, position, axis, name)
        if len(where.chosen) != count:
            raise InvalidValue(
                f"{name}: the multi-index is {m}, but the points have {len(where.chosen)} entries; expected as many"
            )
        return given, where
    if argnums is None and count > len(args):
        raise InvalidValue(f"{name}: the multi-index is {m} for {len(args)} arguments; expected one index for each")
    positions = _positions(tuple(range(count)) if argnums is None else argnums, args, name)
    if len(positions) != count:
        raise InvalidValue(f"{name}: the multi-index is {m}, argnums is {argnums}; expected as many")
    given = list(args)
    for position in positions:
        given, _ = entries(given, position, None, name)
    return given, Separate(positions)


def _indices_of(f: Callable[..., Any], ms: Sequence[MultiIndex], name: str) -> tuple[Monomial, ...]:
    """One multi-index of the same length for each of those given."""
    found = [_index_of(f, m, name) for m in ms]
    longest = max(map(len, found))
    return tuple(m + (0,) * (longest - len(m)) for m in found)


def _index_of(f: Callable[..., Any], m: MultiIndex, name: str) -> Monomial:
    if isinstance(m, Mapping):
        parameters = list(inspect.signature(f).parameters)
        unknown = next((x for x in m if x not in parameters), None)
        if unknown is not None:
            raise InvalidValue(f"{name}: f has no argument {unknown}; expected some of {', '.join(parameters)}")
        m = [m.get(x, 0) for x in parameters[: max(map(parameters.index, m), default=0) + 1]]
    given = (m,) if isinstance(m, (int, np.integer)) else tuple(m)
    if any(isinstance(k, bool) or not isinstance(k, (int, np.integer)) for k in given):
        raise InvalidType(f"{name}: the multi-index is {m}; expected integers")
    if not given or min(given) < 0:
        raise InvalidValue(f"{name}: the multi-index is {m}; expected 0 or more for each variable")
    return tuple(map(int, given))


# ── the ways ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Way:
    """One way to the derivatives.

    Attributes:
        name: of the method.
        seen: what carries them, and where they are read.
        planes, products: what an array takes, and a multiplication.
        amplification: of rounding errors.
    """

    name: str
    seen: Seen
    planes: int
    products: int
    amplification: float = 1.0

    @property
    def cost(self) -> int:
        """What an operation counts, in products of coefficients."""
        return self.products + _PLANE * self.planes

    @property
    def is_accurate(self) -> bool:
        """Whether it loses so few digits that it may be chosen."""
        return self.amplification <= _DIGITS

    def __str__(self) -> str:
        lost = f", errors × {self.amplification:.2g}" if self.amplification > 1 else ""
        more = lost if self.is_accurate else f"{lost}: only if asked for"
        return f"{self.name:<14}{self.planes:>4} planes {self.products:>5} products   cost {self.cost:>5}{more}"


class Plan:
    """The ways to some derivatives, and the one that was chosen: that which costs least and loses few digits.

    The cost is counted for one operation on jets: the products of coefficients that a multiplication takes, and 8 for
    each plane, which is written and read again. Times go with the planes more than with the products: of 44
    pairs of ways that differ clearly (13 sets of derivatives in 2 to 7 variables, 200 and 20,000 points), products
    alone order 35, this cost 41; the way of least cost was the fastest in all of them, to the noise.
    What a function does not depend on is left out by an algebra, and is not counted.

    Interpolation has the fewest products at high orders, but ever more planes, and errors: measured, derivatives of
    order 2, 4, 6, 8 of two variables, (1, 1) to (4, 4), lose 2, 3, 10, 28 eps of the largest; all of them up to order
    4 and 6 from one family lose 13 and 350, and up to 8 and 10 would lose 1,500 and 24,000. Families that count more
    than 100 are left for others with more directions, and where there are none the way is not chosen.

    Attributes:
        ways: by method.
        chosen: one of them.
    """

    def __init__(self, ms: tuple[Monomial, ...], method: str | None) -> None:
        self.indices = ms
        self.ways = {way.name: way for way in _ways(ms)}
        self.forced = method is not None
        if method is not None and method not in self.ways:
            raise InvalidValue(f"method {method!r} takes too many planes for {ms}; leave the method out")
        least = min((way for way in self.ways.values() if way.is_accurate), key=lambda way: way.cost)
        self.chosen = least if method is None else self.ways[method]

    def __repr__(self) -> str:
        ms = ", ".join(map(str, self.indices))
        lines = [f"{ms}: order {max(map(sum, self.indices))} in {len(self.indices[0])} variables"]
        for way in self.ways.values():
            why = "asked for" if self.forced else "chosen, the least"
            lines.append(f"  {way}{f'  ({why})' if way is self.chosen else ''}")
        return "\n".join(lines)


@lru_cache(maxsize=256)
def _ways(ms: tuple[Monomial, ...]) -> tuple[Way, ...]:
    found = [_polynomial(ms)]
    if sum(1 << sum(m) for m in ms) <= _NILPOTENT:
        found.append(_nilpotent(ms))
    found.extend(_interpolation(ms))
    return tuple(found)


def _highest(ms: Sequence[Monomial]) -> Monomial:
    return tuple(map(max, zip(*ms, strict=True)))


def _polynomial(ms: Sequence[Monomial]) -> Way:
    """The divisors of the monomials: what these derivatives see."""
    what = seen([{m: Fraction(1)} for m in ms], len(ms[0]))
    return Way("polynomial", what, what.algebra.size, len(what.algebra.products()))


def _nilpotent(ms: Sequence[Monomial]) -> Way:
    """As many ε for each variable as it has derivatives at most, x_i + ε_i1 + ε_i2 + …; the first of them are read."""
    highest = _highest(ms)
    own = np.repeat(np.arange(len(highest)), highest)  # the variable of each ε
    chosen = [tuple([int(k < m[i]) for i, n in enumerate(highest) for k in range(n)]) for m in ms]
    what = seen([{c: Fraction(1)} for c in chosen], len(own))
    what = what._replace(slopes=what.slopes @ (own[:, None] == np.arange(len(highest))))
    return Way("nilpotent", what, what.algebra.size, len(what.algebra.products()))


def _interpolation(ms: Sequence[Monomial]) -> Iterator[Way]:
    """Jets along several directions: of one family for all derivatives of the order, or of one for each of these."""
    order = max(1, *map(sum, ms))
    families = []
    if prod(range(len(ms[0]), len(ms[0]) + order)) // factorial(order) <= _LONGEST:
        families.append([weights(m, order) for m in ms])
    if sum(prod(k + 1 for k in m) for m in ms) <= _LONGEST:
        families.append([polarized(m) for m in ms])
    ways = [_along(ms, order, family) for family in families]
    if ways:
        yield min(ways, key=lambda way: (not way.is_accurate, way.cost, way.amplification))


def _along(ms: Sequence[Monomial], order: int, family: Sequence[dict[Monomial, Fraction]]) -> Way:
    """Jets along all directions that have a weight."""
    directions = list(dict.fromkeys(v for own in family for v in own))
    count = len(directions)
    algebra = Univariate(order, count)
    slopes = np.array(directions, float).reshape(count, len(ms[0]))
    readers = [
        partially(_interpolated, degree=sum(m), gamma={directions.index(v): float(w) for v, w in own.items()})
        for m, own in zip(ms, family, strict=True)
    ]
    products = 1 + count * ((order + 1) * (order + 2) // 2 - 1)
    errors = max(1.0, *(amplification(m, own) for m, own in zip(ms, family, strict=True)))
    return Way("interpolation", Seen(algebra, slopes, readers), algebra.size, products, errors)


def _interpolated(y: Value, own: bool, degree: int, gamma: Mapping[int, float]) -> Any:
    """Σ γ_v y_k(v), by number of direction."""
    if not own or degree == 0:
        value = y.planes[0] if own else y
        return value if degree == 0 else np.zeros_like(value)[()]
    planes = y.planes[y.algebra.block(degree)]
    return reduce(add, (w * planes[p] for p, w in gamma.items()))
