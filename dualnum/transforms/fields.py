"""First derivatives of vector fields: divergence, curl, and the trace of a Jacobian."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import InvalidValue
from ..jets.seeding import seed
from ..kinds import Axis, Value
from ..operand import beside
from ..operand.levels import open_scope
from ..series import total
from .dense import _size, blocks
from .forward import _owned, _returned
from .pointwise import Entries, entries
from .reverse import floats
from .transformed import _named, _positions

__all__ = ["curl", "divergence", "jacobian_trace"]


def divergence(f: Callable[..., Any], *, argnums: int = 0, axis: int = -1) -> Callable[..., Any]:
    """The divergence Σ_i ∂f_i/∂x_i of a vector field, at one point or at many.

    Args:
        f: a function of real arrays that maps points (…, n) to vectors (…, n), one by one.
        argnums: which positional argument the points are; one index.
        axis: their axis, and that of the vectors.

    Returns:
        A function of the same arguments to an array of the points' shape without the axis.

    Raises:
        InvalidValue: the vectors have another shape than the points; argnums are several indices, or name no argument.
        InvalidType: the points are complex or not made of numbers; f returns an integer or None.
        InvalidAxis: there is no such axis.

    Example:
        >>> divergence(lambda x: x**2)(np.array([[1.0, 2.0], [3.0, 5.0]]))
        array([ 6., 16.])
    """
    transformed = _trace(f, argnums, axis, "divergence")
    return _named(transformed, f, "divergence", argnums, partial(divergence, argnums=argnums, axis=axis))


def jacobian_trace(f: Callable[..., Any], *, argnums: int = 0, axis: Axis = None) -> Callable[..., Any]:
    """The trace of the Jacobian, Σ_i ∂f_i/∂x_i over all entries of x, or along some axes at many points.

    Args:
        f: a function of real arrays to one array of the shape of x.
        argnums: which positional argument x is; one index.
        axis: the axes that are summed over, where f treats all others point by point; all when left out.

    Returns:
        A function of the same arguments to a number, or an array of the shape of x without these axes.

    Raises:
        InvalidValue, InvalidType, InvalidAxis: as for `divergence`.

    Example:
        >>> jacobian_trace(lambda x: x * np.sum(x))(np.array([2.0, 3.0]))
        np.float64(15.0)
    """
    transformed = _trace(f, argnums, axis, "jacobian_trace")
    return _named(transformed, f, "jacobian_trace", argnums, partial(jacobian_trace, argnums=argnums, axis=axis))


def curl(f: Callable[..., Any], *, argnums: int = 0, axis: int = -1) -> Callable[..., Any]:
    """The curl of a vector field: (∂_y f_z − ∂_z f_y, …) of three components, ∂_x f_y − ∂_y f_x of two.

    Args:
        f, argnums, axis: as for `divergence`, with two or three entries along the axis.

    Returns:
        A function of the same arguments to an array of the points' shape; of two components without the axis.

    Raises:
        InvalidValue: there are neither two nor three entries; else as for `divergence`.
        InvalidType, InvalidAxis: as for `divergence`.

    Example:
        >>> curl(lambda x: np.stack([-x[..., 1] ** 2, x[..., 0] ** 3], axis=-1))(np.array([1.0, 2.0]))
        np.float64(7.0)
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        given, where = _entries(args, argnums, axis, "curl")
        n, (along,) = len(where.chosen), where.axes
        if n not in (2, 3):
            raise InvalidValue(f"curl: the points have {n} entries along axis {axis}; expected 2 or 3")
        ((slopes, _),) = _slopes(f, given, kwargs, where, "curl")

        def slope(i: int, j: int) -> Any:
            """∂f_j/∂x_i."""
            return slopes[(i, *(slice(None),) * along, j)]

        if n == 2:
            return slope(0, 1) - slope(1, 0)
        return np.stack([slope(i, j) - slope(j, i) for i, j in ((1, 2), (2, 0), (0, 1))], axis=along)

    return _named(transformed, f, "curl", argnums, partial(curl, argnums=argnums, axis=axis))


def _entries(args: Sequence[Any], argnums: int, axis: Axis, name: str) -> tuple[list[Any], Entries]:
    position, *others = _positions(argnums, args, name)
    if others:
        raise InvalidValue(f"{name}: argnums is {argnums}; expected one index")
    return entries(args, position, axis, name)


def _trace(f: Callable[..., Any], argnums: int, axis: Axis, name: str) -> Callable[..., Any]:
    def transformed(*args: Any, **kwargs: Any) -> Any:
        given, where = _entries(args, argnums, axis, name)
        x = given[where.position]
        lengths = [x.shape[a] for a in where.axes]

        def diagonal(slopes: Value, chosen: range) -> Any:
            terms = []
            for i, variable in enumerate(chosen):
                index: list[Any] = [slice(None)] * x.ndim
                for a, k in zip(where.axes, np.unravel_index(variable, lengths), strict=True):
                    index[a] = int(k)
                terms.append(slopes[(i, *index)])
            return total(terms) if terms else np.zeros_like(x)[()].sum()

        return total(diagonal(slopes, chosen) for slopes, chosen in _slopes(f, given, kwargs, where, name))

    return transformed


def _slopes(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Any, where: Entries, name: str
) -> Iterator[tuple[Any, range]]:
    """∂f/∂x_i along an axis in front, for blocks of the variables."""
    x = args[where.position]
    lengths = [x.shape[axis] for axis in where.axes]
    shape = [1] * x.ndim
    for axis, length in zip(where.axes, lengths, strict=True):
        shape[axis] = length
    count = len(where.chosen)
    for start, stop in blocks(count, _size(x)):
        units = np.zeros((stop - start, count), x.dtype)
        units[np.arange(stop - start), np.arange(start, stop)] = 1
        directions = beside(np.broadcast_to(units.reshape(-1, *shape), (stop - start, *x.shape)), x)
        with open_scope(f"{name} of {getattr(f, '__name__', 'f')}") as scope:
            filled = list(args)
            filled[where.position] = seed(x, 1, None, directions, scope)
            y, own = _owned(floats(_returned(f(*filled, **kwargs), name), name), scope, name)
            if tuple(y.shape) != tuple(x.shape):
                raise InvalidValue(
                    f"{name}: f maps an array of shape {tuple(x.shape)} to one of shape {tuple(y.shape)}; expected the "
                    "same, one component for each variable"
                )
            slopes = y.planes[y.algebra.block(1)] if own else np.zeros((stop - start, *x.shape), y.dtype)
            yield slopes, range(start, stop)
