"""The picture of a jet: its value and derivatives over the points where it was computed."""

from typing import Any

import numpy as np

from .. import pictures
from ..backend import as_floating, to_device
from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, Value
from ..operand import primal
from .base import Base
from .display import partial_name

__all__ = ["plotted"]


def plotted(jet: Base, points: Value, order: int | None, axes: Axis) -> Any:
    """Draws, and gives the axes."""
    if jet.ndim != 1:
        raise InvalidValue(
            f"plot: the jet has shape {jet.shape}; expected one axis, of points: take x[…, i] or x.ravel()"
        )
    if jet.dtype.kind != "f":
        raise InvalidType("plot: the jet is complex; draw np.real(x), np.imag(x) or np.abs(x)")
    if points is None:
        where: Any = np.arange(float(jet.shape[0]))
    else:
        where = to_device(as_floating(primal(points), "plot", "points"), "cpu")
        if where.shape != jet.shape or where.dtype.kind != "f":
            raise InvalidValue(f"plot: points have shape {where.shape}; expected {jet.shape}, one for each of the jet")
    several = jet.algebra.variables > 1 or jet.algebra.directions is not None
    curves = _partials(jet, order) if several else _derivatives(jet, order)
    axes = pictures.axes_of(axes)
    shown: list[Any] = []
    for name, y, slope in curves:
        scale = pictures.power_of_ten(y) if shown else 1.0
        label = name + (f" / {scale:g}" if scale > 1 else "")
        pictures.curve(axes, where, y / scale, slope, lw=2.2 if not shown else 1.3, label=label)
        shown.append(y / scale)
    pictures.framed(axes, np.array(shown))
    return axes


def _plain(x: Value) -> Any:
    return np.asarray(to_device(primal(x), "cpu"))


def _derivatives(jet: Any, order: int | None) -> list[tuple[str, Any, Any]]:
    """(name, derivative, the next one) up to this order; of the last one, gaps are not known but from its own sign."""
    last = min(jet.order, 3) if order is None else order
    found = [_plain(jet.derivative(k)) for k in range(min(last + 1, jet.order) + 1)]
    if last > jet.order or last < 0:
        raise InvalidValue(f"plot: order is {last}; expected 0 to {jet.order}, what the jet has")
    found = [np.where(np.isnan(found[0]), np.nan, y) for y in found]
    names = ["f", "f′", "f″", "f‴", *(f"f⁽{k}⁾".translate(_RAISED) for k in range(4, last + 1))]
    return [(names[k], found[k], found[k + 1] if k + 1 < len(found) else None) for k in range(last + 1)]


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _partials(jet: Any, order: int | None) -> list[tuple[str, Any, Any]]:
    """The value and the partial derivatives up to this order; along directions the first derivatives."""
    value = _plain(jet.value)
    if jet.algebra.directions is not None:
        slopes = _plain(jet.derivative(1)) if jet.order else np.zeros((0, value.size))
        return [("f", value, None), *((f"f′ along {p + 1}", y, None) for p, y in enumerate(slopes))]
    last = min(jet.order, 1) if order is None else order
    if last > jet.order or last < 0:
        raise InvalidValue(f"plot: order is {last}; expected 0 to {jet.order}, what the jet has")
    partials = ((m, _plain(y)) for m, y in jet.partials().items())
    named = [(partial_name(jet.algebra, m), np.where(np.isnan(value), np.nan, y), m) for m, y in partials]
    return [(name, y, None) for name, y, m in named if sum(m) <= last]
