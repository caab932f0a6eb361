"""Starting jets in one variable: x + t·v, by hand with `jet`, and for the transforms with `seed`."""

from sys import modules
from typing import Any

import numpy as np

from ..algebra import Univariate, check_order
from ..backend import as_floating, is_array, namespace
from ..devices import apart, chosen
from ..errors import InvalidValue
from ..kinds import Value
from ..memory import KEPT
from ..operand import Moving, Operand, away, library, linear, promoted, put
from ..operand.levels import Scope
from .jet import Jet, ambient_above
from .planes import as_jets, peeled, stack_blocks

__all__ = ["begun", "jet", "seed"]


def jet(
    x: Value,
    order: int = 3,
    *,
    direction: Value = None,
    directions: Value = None,
    device: str | None = None,
) -> Jet:
    """The starting jet x + t·v of order K, elementwise.

    Args:
        x: the point: a number, nested lists, a NumPy or CuPy array, or what another library has on a CUDA device;
            integers become float64.
        order: K ≥ 0, the highest derivative that is carried.
        direction: v, broadcast to x's shape; all ones when left out.
        directions: P directions at once, of shape (P, *x.shape).
        device: "cpu", "cuda" or "cuda:N", to which x is moved; where x is, or `use_device` says, when left out.

    Returns:
        A `Jet` of x's shape, in the common type of x and v.

    Raises:
        InvalidType: x or a direction is not made of numbers; order is not an integer.
        InvalidValue: order is negative; a direction does not fit x, or both kinds are given; x is a ragged list; there
            is no such device.
        LevelError: x or a direction is itself a jet of this level, and would share t; nest transforms instead.

    Example:
        >>> y = np.sin(jet(0.5, order=2))
        >>> y.derivative(1), np.cos(0.5)
        (np.float64(0.8775825619), np.float64(0.8775825619))
    """
    order = check_order(order, "jet")
    if not isinstance(x, Operand):
        x = as_floating(x, "jet", "x")
    if device is not None or chosen() is not None:
        x = put(x, device, "jet", "x")
        direction = put(direction, device, "jet", "direction")
        directions = put(directions, device, "jet", "directions")
    for given in (direction, directions):
        ambient_above(given, "jet", "a direction")
    return seed(x, order, direction, directions, ambient_above(x, "jet"))


def seed(x: Value, order: int, direction: Value, directions: Value, scope: Scope, function: str = "jet") -> Jet:
    """x + t·direction (all ones for None) as a jet of this scope."""
    return begun(_seeded(x, order, direction, directions, scope, function), x)


def begun(jet: Jet, x: Value) -> Jet:
    """The jet at x: an array without axes where x is one, and no number."""
    array = x._is_array if isinstance(x, Operand) else x.__class__ is np.ndarray
    return jet._as_array() if array else jet


def _seeded(x: Value, order: int, direction: Value, directions: Value, scope: Scope, function: str) -> Jet:
    usual = x.__class__ is np.ndarray or x.__class__ is np.float64
    if usual and order and directions is None and x.nbytes < KEPT:
        if direction is None or _is_like(direction, x, x.shape):
            planes = np.zeros((order + 1, *x.shape), x.dtype)
            planes[0] = x
            planes[1] = 1.0 if direction is None else direction
            return object.__new__(Jet)._set(planes, 1, Univariate(order), scope)
    if "cupy" in modules and (device := away((x, direction, directions))) is not None:
        with device:
            return _seeded(x, order, direction, directions, scope, function)
    if order and isinstance(x, Operand) and x.algebra is None:
        planes = _recorded(x, order, direction, directions)
        if planes is not None:
            return object.__new__(Jet)._set(planes, 1, Univariate(order, _count(directions)), scope)
    if isinstance(x, Jet) and order and directions is None:
        nested = _nested_seed(x, order, direction, scope)
        if nested is not None:
            return nested
    if isinstance(x, Operand):
        x = promoted(x)
    if direction is not None and directions is not None:
        raise InvalidValue(f"{function}: both direction and directions are given; expected one of them")
    many = directions is not None
    v: Any = directions if many else 1.0 if direction is None else direction
    name = "directions" if many else "direction"
    if not isinstance(v, Operand) and (many or direction is not None):
        v = as_floating(v, function, name)
    shape = tuple(x.shape)
    if many and (np.ndim(v) != len(shape) + 1 or tuple(v.shape[1:]) != shape):
        wanted = ", ".join(map(str, ("P", *shape)))
        raise InvalidValue(f"{function}: directions has shape {v.shape}; expected (P, *x.shape) = ({wanted})")
    if not many:
        _check_fits(np.shape(v), shape, function)
    recorded = isinstance(x, Operand) and not isinstance(x, Jet) and x.value is not x
    if recorded and order and not many and not isinstance(v, Operand):
        planes = linear(lambda x: _stacked(x, v, order), x, adjoint=Moving(lambda g: g[0], omits=False))
        return object.__new__(Jet)._set(planes, 1, Univariate(order), scope)
    count = v.shape[0] if many else None
    algebra = Univariate(order, count)
    blocks = [(x, 1)] if order == 0 else [(x, 1), (v, 1 if count is None else count)]
    first = x if is_array(v) is False and not isinstance(v, Operand) else _promoted(x, v)
    try:
        planes = stack_blocks(blocks, algebra.size, first)
    except (TypeError, ValueError) as error:
        raise apart(function, x, v) or error from None
    return object.__new__(Jet)._set(planes, len(blocks) - 1, algebra, scope)


def _count(directions: Value) -> int | None:
    return None if directions is None else len(directions)


def _recorded(x: Operand, order: int, direction: Value, directions: Value) -> Any:
    """The planes of what is recorded or traced in one step, for the usual directions; else None."""
    if directions is not None:
        usual = is_array(directions) and directions.shape[1:] == x.shape and directions.dtype == x.dtype
        return x._planes_along(directions, 1 + order * len(directions)) if usual and direction is None else None
    if direction is None or type(direction) is np.float64:
        xp = library(x)
        return x._planes_along(xp.ones(1) if direction is None else xp.full(1, direction), order + 1)
    return None


def _nested_seed(x: Jet, order: int, direction: Value, scope: Scope) -> Jet | None:
    """x + t·direction for jets of jets, in one array; None for what is recorded or traced."""
    base, above = peeled(x)
    if isinstance(base, Operand) or (direction is not None and not _is_like(direction, base, x.shape)):
        return None
    n = len(above)
    planes = namespace(base).zeros((*base.shape[:n], order + 1, *base.shape[n:]), base.dtype)
    value: Any = (*(slice(None),) * n, 0)
    planes[value] = base
    planes[(*(0,) * n, 1)] = 1.0 if direction is None else direction
    jets = as_jets([level for level, _ in above], planes, [degree for _, degree in above])
    return object.__new__(Jet)._set(jets, 1, Univariate(order), scope)


def _is_like(direction: Value, base: Value, shape: tuple[int, ...]) -> bool:
    kind = type(direction)
    if kind is np.float64:
        return bool(base.dtype == kind)
    return kind is type(base) and direction.dtype == base.dtype and direction.shape in (shape, ())


def _stacked(x: Value, v: Value, order: int) -> Any:
    """The planes of x + t·v: as a function of x with a constant in it, whose derivative is to plane 0 alone."""
    first = x if isinstance(v, float) else _promoted(x, v)
    return stack_blocks([(x, 1), (v, 1)], order + 1, first)


def _promoted(x: Value, v: Value) -> Any:
    """x in the common type of x and v."""
    dtype = np.result_type(x.dtype, v.dtype)
    return x if dtype == x.dtype else x.astype(dtype)


def _check_fits(given: tuple[int, ...], wanted: tuple[int, ...], function: str) -> None:
    """Raises where a direction does not broadcast to the shape of x without changing it."""
    if given in ((), wanted):
        return
    try:
        fits = np.broadcast_shapes(given, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise InvalidValue(
            f"{function}: direction has shape {given}, x has shape {wanted}; "
            f"expected a shape that broadcasts to {wanted}"
        )
