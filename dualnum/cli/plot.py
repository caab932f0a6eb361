"""The picture of a report: a function with its Taylor polynomials, and its derivatives."""

import math
from typing import Any

import numpy as np

from ..errors import InvalidValue, MissingLibrary
from ..formula import Formula
from ..pictures import broken, framed, power_of_ten
from ..transforms import taylor
from .report import Report

__all__ = ["MissingLibrary", "draw"]

MOST_CURVES = 5  # derivatives drawn


def draw(report: Report, formula: Formula, path: str) -> None:
    """Writes the picture of a function of one variable to a file (PNG, SVG or PDF, by its ending).

    Above, f and the Taylor polynomial of order K at each point; below, f and its first derivatives.

    Raises:
        MissingLibrary: Matplotlib is not installed.
        InvalidValue: the formula has several variables.
    """
    if len(report.variables) != 1:
        raise InvalidValue(f"a picture shows one variable; the formula has {len(report.variables)}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingLibrary("a picture needs Matplotlib; pip install matplotlib") from None

    points = report.points[:, 0]
    if not np.isfinite(points).all():
        raise InvalidValue("a picture needs finite points")
    margin = max(1.0, float(np.ptp(points)) / 2)
    x = np.linspace(points.min() - margin, points.max() + margin, 601)
    *derivatives, _ = curves = _curves(formula, x, min(report.order, MOST_CURVES) + 1)

    figure = Figure(figsize=(8, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for i in np.flatnonzero(np.isfinite(report.coefficients).all(axis=0)):
        at, color = points[i], f"C{i + 1}"
        polynomial = np.polynomial.Polynomial(report.coefficients[:, i])(x - at)
        above.plot(x, polynomial, lw=1.2, ls="--", color=color, label=f"order {report.order} at {at:g}")
        above.plot([at], [report.coefficients[0, i]], "o", ms=5, color=color)
    above.plot(*broken(x, *curves[:2]), lw=2.2, color="C0", zorder=1, label="f")
    above.set_title(f"f({report.variables[0]}) = {report.formula} and its Taylor polynomials", parse_math=False)
    framed(above, curves[:1])
    scales = np.array([power_of_ten(curve) for curve in derivatives])
    for k, scale in enumerate(scales):
        label = report.label((k,)) + (f" / {scale:g}" if scale > 1 else "")
        at_places, values = broken(x, curves[k], curves[k + 1])
        below.plot(at_places, values / scale, lw=2.2 if k == 0 else 1.3, color=f"C{k}", label=label)
    below.set_title("f and its derivatives, the large ones divided by a power of ten")
    below.set_xlabel(report.variables[0])
    framed(below, curves[:-1] / scales[:, None])
    try:
        figure.savefig(path, dpi=120)
    except ValueError as error:  # an ending that names no format
        raise InvalidValue(f"{path}: {error}") from None


def _curves(formula: Formula, x: Any, order: int) -> Any:
    """The derivatives to this order at many places, NaN where the formula is not defined."""
    if not formula.variables:
        return np.broadcast_to(np.where(np.arange(order + 1) == 0, formula(), 0.0)[:, None], (order + 1, x.size))
    with np.errstate(all="ignore"):
        curves = taylor(formula, order)(x) * np.array([[float(math.factorial(k))] for k in range(order + 1)])
    return np.where(np.isnan(curves[0]), np.nan, curves)
