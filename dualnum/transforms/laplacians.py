"""The Laplacian and the biharmonic operator, in collapsed Taylor mode or estimated from random directions."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ..errors import InvalidType, InvalidValue
from ..jets.seeding import seed
from ..kinds import Axis
from ..operand import beside
from ..operand.levels import open_scope
from ..series import total
from .dense import _size, blocks
from .forward import _owned, _returned
from .pointwise import Entries, Seen, entries, passed, seen
from .reverse import floats
from .transformed import _named, _positions

__all__ = ["Estimate", "biharmonic", "laplacian"]

_WIDEST = 32  # variables in one pass: their planes stay in the cache, and programs of them are compiled soon
_BLOCK = 8  # of the biharmonic operator, whose planes grow with the square


class Estimate(NamedTuple):
    """A mean over random directions.

    Attributes:
        value: the mean, an unbiased estimate.
        error: its standard error, of the same shape: the standard deviation over the root of the number of samples.
    """

    value: Any
    error: Any


def laplacian(
    f: Callable[..., Any],
    *,
    argnums: int = 0,
    axis: Axis = None,
    samples: int | None = None,
    rng: Any = None,
    device: str | None = None,
) -> Callable[..., Any]:
    """The Laplacian Σ_i ∂²f/∂x_i² over the entries of an array x, by one pass with value, n slopes and one sum.

    Args:
        f: a function of real arrays to one array.
        argnums: which positional argument x is, an array of any shape; one index.
        axis: the axes whose entries are the variables, where f takes points (…, n) to (…) one by one and x holds many
            of them: -1 for points in rows. All entries of x are variables when it is left out.
        samples: how many random directions stand in for the n axes, where there are too many of those.
        rng: their generator, a seed, or None.
        device: as for `derivative`.

    Returns:
        A function of the same arguments; its result has the shape and type of f's. With `samples` it is an `Estimate`:
        the mean of v·∇²f·v over random signs v_i = ±1, and its standard error.

    Raises:
        InvalidValue: argnums are several indices, or one that names no argument; samples is less than 2.
        InvalidType: x is complex, a container or not made of numbers; f returns an integer or None.
        InvalidAxis: x has no such axis.

    Source:
        Dangel et al., "Collapsing Taylor mode automatic differentiation", 2025; Hutchinson, "A stochastic estimator of
        the trace of the influence matrix", Commun. Stat. Simul. 19, 1990.

    Example:
        >>> laplacian(lambda x: x[0] ** 3 + x[0] * x[1] ** 2)(np.array([2.0, 5.0]))
        np.float64(16.0)
        >>> laplacian(lambda x: np.sum(x**3, axis=-1), axis=-1)(np.array([[2.0, 5.0], [1.0, 0.0]]))
        array([42.,  6.])
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        given, where = _entries(args, argnums, axis, "laplacian")
        if samples is not None:
            return _sampled(f, given, kwargs, where, 2, samples, rng, "laplacian")
        parts = [range(*ends) for ends in blocks(len(where.chosen), _size(given[where.position]), _WIDEST)]
        return total(_part(f, given, kwargs, where, chosen, _squares(len(chosen)), "laplacian") for chosen in parts)

    remake = partial(laplacian, argnums=argnums, axis=axis, samples=samples, rng=rng)
    return _named(transformed, f, "laplacian", argnums, remake, device)


def biharmonic(
    f: Callable[..., Any],
    *,
    argnums: int = 0,
    axis: Axis = None,
    samples: int | None = None,
    rng: Any = None,
    device: str | None = None,
) -> Callable[..., Any]:
    """The biharmonic operator Δ²f = Σ_ij ∂⁴f/∂x_i²∂x_j², in the algebra of (n + 1)(n + 4)/2 planes that it sees.

    Args:
        f, argnums, axis, rng, device: as for `laplacian`.
        samples: how many random directions stand in for all pairs of axes.

    Returns:
        A function of the same arguments; its result has the shape and type of f's. With `samples` it is an `Estimate`:
        a third of the mean of d⁴/dt⁴ f(x + t·v) over normally distributed v, and its standard error.

    Raises:
        InvalidValue, InvalidType, InvalidAxis: as for `laplacian`.

    Source:
        As for `laplacian`; Hu et al., "Hutchinson trace estimation for high-dimensional and high-order physics-informed
        neural networks", Comput. Methods Appl. Mech. Eng. 424, 2024, for the fourth order.

    Example:
        >>> biharmonic(lambda x: x[0] ** 4 + x[0] ** 2 * x[1] ** 2)(np.array([2.0, 5.0]))
        np.float64(32.0)
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        given, where = _entries(args, argnums, axis, "biharmonic")
        if samples is not None:
            return _sampled(f, given, kwargs, where, 4, samples, rng, "biharmonic")
        count = len(where.chosen)
        width = max(count, 1) if count <= _BLOCK + 2 else _BLOCK
        parts = [range(start, min(start + width, count)) for start in range(0, max(count, 1), width)]
        run = partial(_part, f, given, kwargs, where, name="biharmonic")
        own = [run(chosen=p, what=_fourths(len(p))) for p in parts]
        return total([*own, *(run(chosen=[*p, *q], what=_mixed(len(p), len(q))) for p, q in combinations(parts, 2))])

    remake = partial(biharmonic, argnums=argnums, axis=axis, samples=samples, rng=rng)
    return _named(transformed, f, "biharmonic", argnums, remake, device)


def _entries(args: Sequence[Any], argnums: int, axis: Axis, name: str) -> tuple[list[Any], Entries]:
    position, *others = _positions(argnums, args, name)
    if others:
        raise InvalidValue(f"{name}: argnums is {argnums}; expected one index: add what comes of each")
    return entries(args, position, axis, name)


def _part(
    f: Callable[..., Any],
    args: Any,
    kwargs: Any,
    where: Entries,
    chosen: Sequence[int],
    what: Seen,
    name: str,
) -> Any:
    """What an operator in some of the variables gives."""
    return passed(f, args, kwargs, where._replace(chosen=chosen), what, name)[0]


def _unit(count: int, *factors: int) -> tuple[int, ...]:
    """The monomial that is the product of these variables."""
    return tuple([factors.count(i) for i in range(count)])


@lru_cache(maxsize=256)
def _squares(count: int) -> Seen:
    """Σ ∂_i²."""
    return seen([{_unit(count, i, i): Fraction(1) for i in range(count)}], count)


@lru_cache(maxsize=256)
def _fourths(count: int) -> Seen:
    """(Σ ∂_i²)²."""
    pairs = {_unit(count, i, i, j, j): Fraction(2) for i, j in combinations(range(count), 2)}
    return seen([pairs | {_unit(count, i, i, i, i): Fraction(1) for i in range(count)}], count)


@lru_cache(maxsize=256)
def _mixed(first: int, second: int) -> Seen:
    """2 (Σ ∂_i²)(Σ ∂_j²) over the first and the other variables."""
    count = first + second
    pairs = product(range(first), range(first, count))
    return seen([{_unit(count, i, i, j, j): Fraction(2) for i, j in pairs}], count)


def _sampled(
    f: Callable[..., Any], args: Any, kwargs: Any, where: Entries, order: int, samples: Any, rng: Any, name: str
) -> Estimate:
    """The mean of the derivatives of this order along random directions in the chosen entries."""
    if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)):
        raise InvalidType(f"{name}: samples is {samples!r}; expected an integer of 2 or more")
    if samples < 2:
        raise InvalidValue(f"{name}: samples is {samples}; expected 2 or more, for an error to be estimated")
    x = args[where.position]
    generator = np.random.default_rng(rng)
    shape = (int(samples), *x.shape)
    vs = generator.choice([-1.0, 1.0], shape) if order == 2 else generator.normal(size=shape)
    with open_scope(f"{name} of {getattr(f, '__name__', 'f')}") as scope:
        filled = list(args)
        filled[where.position] = seed(x, order, None, beside(vs, x), scope)
        y, own = _owned(floats(_returned(f(*filled, **kwargs), name), name), scope, name)
        if not own:
            return Estimate(np.zeros_like(y)[()], np.zeros_like(y)[()])
        # E (v·∇)² = Δ and E (v·∇)⁴ = 3 Δ²
        each = y.planes[y.algebra.block(order)] * (2.0 if order == 2 else 8.0)
        mean = np.mean(each, axis=0)
        spread = np.sum((each - mean) ** 2, axis=0) / (samples - 1)
        return Estimate(mean, np.sqrt(spread / samples))
