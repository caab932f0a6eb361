"""Starting jets in several variables: independent ones with `jets`, nilpotent ones with `dual` and `hyperdual`."""

import math
from collections.abc import Sequence
from sys import modules
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..algebra import Algebra, Box, Nilpotent, TotalDegree, check_order
from ..devices import apart
from ..errors import InvalidValue, ours
from ..kinds import Value
from ..operand import Operand, away, beside, promoted, put
from ..operand.levels import Scope
from .jet import Jet, ambient_above
from .planes import stack_blocks
from .seeding import begun

__all__ = ["check_budget", "dual", "hyperdual", "jets", "started"]

_PLANES = 20_000  # more, and the products of one operation are more than anybody waits for
_BYTES = 1 << 34


def jets(
    *points: Value,
    order: int | Sequence[int] = 2,
    axis: int | None = None,
    device: str | None = None,
    **named: Value,
) -> Any:
    """The starting jets x_i + t_i in several variables, one for each point: all mixed partials at once.

    Args:
        points: one number or array for each variable; their shapes broadcast where they meet. Or
        named: the same with names for the variables, which `partial`, the display and the others use.
        order: K, the highest total degree Σ m_i of what is kept; or for each variable the highest power.
        axis: of a single array whose entries along this axis are the variables: a point of Rⁿ, or many of them.
        device: as for `jet`.

    Returns:
        A tuple of `Jet`s of the shapes of the points; with `axis` one `Jet` of the shape of the array.

    Raises:
        InvalidType: a point is not made of numbers; an order or the axis is not an integer.
        InvalidValue: there is no point; points are given by place and by name; an order is negative, or there are not
            as many as variables; an axis is given for several points; there would be too many planes.
        InvalidAxis: the axis is not one of the array's.
        LevelError: a point is itself a jet of this level; nest transforms instead.

    Source:
        Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 13.3; Berz, "Differential algebraic
        description of beam dynamics to very high orders", Particle Accelerators 24, 1989.

    Example:
        >>> x, t = jets(2.0, 3.0, order=2)
        >>> f = x**3 + x * t + t**2
        >>> f.partial(1, 1), f.partial(2, 0)
        (np.float64(1.0), np.float64(12.0))
        >>> np.prod(jets([2.0, 3.0, 5.0], order=2, axis=0)).gradient()
        array([15., 10.,  6.])
    """
    if bool(points) == bool(named):
        given = "points are given by place and by name" if points else "no point is given"
        raise InvalidValue(f"jets: {given}; expected dn.jets(x, t, order=2) or dn.jets(x=x, t=t, order=2)")
    if axis is not None:
        return _along_axis(points, order, axis, device)
    names = tuple(named) if named else None
    values = {f"argument {i}": x for i, x in enumerate(points)} or named
    arrays = [_point(x, name, "jets", device) for name, x in values.items()]
    algebra = _algebra(len(arrays), order).named(names)
    results = []
    for i, (x, scope) in enumerate(arrays):
        check_budget(algebra, x)
        unit = tuple([int(i == j) for j in range(len(arrays))])
        results.append(started(x, {unit: 1.0} if unit in algebra.places else {}, algebra, scope))
    return tuple(results)


def _along_axis(points: Sequence[Value], order: int | Sequence[int], axis: int, device: str | None) -> Jet:
    if len(points) != 1:
        raise InvalidValue(f"jets: axis is {axis} with {len(points)} points; expected one array, by place")
    x, scope = _point(points[0], "argument 0", "jets", device)
    try:
        axis = normalize_axis_index(axis, x.ndim)
    except (TypeError, ValueError) as error:
        raise ours(error, "jets") from None
    count = x.shape[axis]
    algebra = _algebra(count, order)
    check_budget(algebra, x)
    units = {}
    for i in range(count):
        m = tuple([int(i == j) for j in range(count)])
        if m in algebra.places:
            unit = np.zeros((count, *(1,) * (x.ndim - axis - 1)), x.dtype)
            unit[i] = 1
            units[m] = beside(unit, x)
    return started(x, units, algebra, scope)


def _algebra(count: int, order: int | Sequence[int]) -> Algebra:
    if isinstance(order, Sequence) and not isinstance(order, str):
        limits = [check_order(k, "jets") for k in order]
        if len(limits) != count:
            raise InvalidValue(f"jets: order is {tuple(order)} for {count} variables; expected one limit for each")
        size = math.prod(k + 1 for k in limits)
    else:
        limits, order = [], check_order(order, "jets")
        size = math.comb(count + order, order)
    if size > _PLANES:
        raise InvalidValue(
            f"jets: order {order} in {count} variables has {size} planes; expected {_PLANES} at most: take a lower "
            "order, a limit for each variable, or single partials by dn.partial and dn.operator"
        )
    return Box(*limits) if limits else TotalDegree(count, int(order))  # type: ignore[arg-type]


def check_budget(algebra: Algebra, x: Value) -> None:
    """Raises where the planes of an array would take more memory than anybody has."""
    given = x.size * x.dtype.itemsize
    if algebra.size * given > _BYTES:
        raise InvalidValue(
            f"jets: {algebra.size} planes for {algebra} of an array of {given} bytes take "
            f"{algebra.size * given >> 30} GiB; expected {_BYTES >> 30} at most: take the points in pieces, a lower "
            "order, or single partials by dn.partial and dn.operator"
        )


def _point(x: Value, name: str, function: str, device: str | None) -> tuple[Any, Scope]:
    """A point as an array or an operand of a lower level, and the scope of its jet."""
    scope = ambient_above(x, function, name)
    x = put(x, device, function, name)
    return (promoted(x) if isinstance(x, Operand) else x), scope


def started(x: Value, slopes: dict[tuple[int, ...], Any], algebra: Algebra, scope: Scope) -> Jet:
    """x + Σ a_m t^m for a few monomials, in the type of x."""
    if "cupy" in modules and (device := away((x,))) is not None:
        with device:
            return started(x, slopes, algebra, scope)
    last = max((algebra.places[m] for m in slopes), default=0)
    blocks: list[tuple[Any, int]] = [(x, 1)]
    by_place = {algebra.places[m]: a for m, a in slopes.items()}
    blocks += [(by_place.get(place, 0.0), 1) for place in range(1, last + 1)]
    planes = stack_blocks(blocks, algebra.size, x)
    return begun(object.__new__(Jet)._set(planes, algebra.extent_of(slopes), algebra, scope), x)


# ── numbers whose squares vanish ─────────────────────────────────────────────────────────────────


def dual(x: Value, dx: Any = 1.0, *, device: str | None = None) -> Jet:
    """The dual number x + dx·ε, ε² = 0.

    Args:
        x: the point, as for `jet`.
        dx: the perturbation, broadcast to x's shape.
        device: as for `jet`.

    Returns:
        A `Jet` of x's shape; `eps1` (or `derivative(1)`) is the coefficient of ε.

    Raises:
        InvalidType, InvalidValue, LevelError: as for `jet`.

    Source:
        Clifford, "Preliminary sketch of biquaternions", Proc. London Math. Soc. 4, 1873.

    Example:
        >>> dual(3.0, 0.5) ** 2
        Jet(9. + 3.·ε)
    """
    return _nilpotent(x, (dx,), "dual", device)


def hyperdual(x: Value, *dx: Any, device: str | None = None) -> Jet:
    """The hyper-dual number x + dx₁·ε₁ + dx₂·ε₂ + …, ε_i² = 0: exact mixed derivatives, ∂_{dx₁}∂_{dx₂} f at ε₁ε₂.

    Args:
        x: the point, as for `jet`.
        dx: one perturbation for each ε, broadcast to x's shape; ε₁ and ε₂ with 1 where none is given.
        device: as for `jet`.

    Returns:
        A `Jet` of x's shape. `eps1`, `eps2`, `eps12` and so on are its parts, `eps(1, 2, 4)` any of them.

    Raises:
        InvalidType, InvalidValue, LevelError: as for `jet`; more ε than anybody waits for.

    Source:
        Fike & Alonso, "The Development of Hyper-Dual Numbers for Exact Second-Derivative Calculations", AIAA 2011-886.

    Example:
        >>> hyperdual(1.5, 1.0, 1.0) ** 3
        Jet(3.375 + 6.75·ε₁ + 6.75·ε₂ + 9.·ε₁ε₂)
    """
    return _nilpotent(x, dx or (1.0, 1.0), "hyperdual", device)


def _nilpotent(x: Value, dx: Sequence[Any], function: str, device: str | None) -> Jet:
    x, scope = _point(x, "x", function, device)
    if 1 << len(dx) > _PLANES:
        raise InvalidValue(f"{function}: {len(dx)} ε have {1 << len(dx)} planes; expected {_PLANES} at most")
    algebra = Nilpotent(len(dx))
    slopes = {}
    for i, v in enumerate(dx):
        ambient_above(v, function, "a perturbation")
        v = v if isinstance(v, (float, int)) else put(v, device, function, f"dx{i + 1}")
        _check_fits(v, x, function, i)
        x = x.astype(np.result_type(x.dtype, v.dtype), copy=False) if hasattr(v, "dtype") else x
        slopes[tuple([int(i == j) for j in range(len(dx))])] = v
    try:
        return started(x, slopes, algebra, scope)
    except (TypeError, ValueError) as error:
        raise apart(function, x, *slopes.values()) or error from None


def _check_fits(v: Value, x: Value, function: str, i: int) -> None:
    """Raises where a perturbation does not broadcast to the shape of x."""
    try:
        fits = np.broadcast_shapes(np.shape(v), x.shape) == tuple(x.shape)
    except ValueError:
        fits = False
    if not fits:
        raise InvalidValue(
            f"{function}: dx{i + 1} has shape {np.shape(v)}, x has shape {tuple(x.shape)}; "
            f"expected a shape that broadcasts to {tuple(x.shape)}"
        )
