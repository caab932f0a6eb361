"""Curves as they are drawn here: one style for the notebooks and for `Jet.plot`, with gaps where a function jumps.

Matplotlib is imported when something is drawn.
"""

from typing import Any

import numpy as np

from .errors import MissingLibrary
from .kinds import Axis, Value

__all__ = ["STYLE", "axes_of", "broken", "curve", "framed", "power_of_ten", "style"]

STYLE = {
    "figure.dpi": 110,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
}


def style() -> None:
    """Sets the style of what is drawn from now on."""
    _pyplot().rcParams.update(STYLE)


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise MissingLibrary("a picture needs Matplotlib; pip install matplotlib") from None
    return pyplot


def axes_of(axes: Axis = None) -> Any:
    """The axes to draw in: those given, or Matplotlib's current ones, in this style where they are new."""
    if axes is not None:
        return axes
    pyplot = _pyplot()
    with pyplot.rc_context(STYLE):
        return pyplot.gca()


def curve(axes: Axis, x: Value, y: Value, slope: Value = None, **keywords: Any) -> Any:
    """Draws y over x from the left to the right, with gaps; what is not finite is left out."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], np.where(np.isfinite(y), y, np.nan)[order]
    if slope is not None:
        x, y = broken(x, y, slope[order])
    return axes.plot(x, y, **keywords)


def broken(x: Value, y: Value, slope: Value) -> tuple[Any, Any]:
    """A curve with gaps where it jumps: between places where it goes one way, and its slopes at both the other way.

    So it is at poles of odd order, and (with slopes that are zero) at steps.
    """
    with np.errstate(invalid="ignore"):
        rise = np.diff(y)
        jumps = (rise != 0) & (rise * slope[:-1] <= 0) & (rise * slope[1:] <= 0)
    low, high = _range(y)
    gaps = np.flatnonzero(jumps & (np.abs(rise) > 0.02 * (high - low))) + 1
    return np.insert(x, gaps, np.nan), np.insert(y, gaps, np.nan)


def _range(curves: Value) -> tuple[float, float]:
    """Between what the curves lie but for their poles."""
    finite = curves[np.isfinite(curves)]
    low, high = np.quantile(finite, [0.01, 0.99]) if finite.size else (0.0, 0.0)
    return float(low), float(high)


def power_of_ten(curve: Value) -> float:
    """What brings the better part of a curve down to the size of 1."""
    size = np.quantile(np.abs(curve[np.isfinite(curve)]), 0.8) if np.isfinite(curve).any() else 1.0
    return float(10.0 ** np.ceil(np.log10(size))) if size > 2 else 1.0


def framed(axes: Axis, curves: Value) -> None:
    """Limits that show the curves without their poles, a grid and a legend."""
    low, high = _range(curves)
    if np.isfinite(curves).any():
        margin = 0.25 * (high - low) or 1.0
        axes.set_ylim(low - margin, high + margin)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
