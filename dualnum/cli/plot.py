"""The picture of a report: a function with its Taylor polynomials, and its derivatives."""

import numpy as np

from ..errors import InvalidValue, MissingLibrary
from ..formula import Formula
from ..pictures import framed, power_of_ten
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
    shown = min(report.order, MOST_CURVES)
    derivatives = taylor(formula, shown)(x) if formula.variables else np.zeros((shown + 1, x.size))
    derivatives = derivatives * np.array([[float(np.prod(range(1, k + 1)))] for k in range(shown + 1)])
    if not formula.variables:
        derivatives[0] = formula()

    figure = Figure(figsize=(8, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for i, at in enumerate(points):
        polynomial = np.polynomial.Polynomial(report.coefficients[:, i])(x - at)
        above.plot(x, polynomial, lw=1.2, ls="--", color=f"C{i + 1}", label=f"order {report.order} at {at:g}")
        above.plot([at], [report.coefficients[0, i]], "o", ms=5, color=f"C{i + 1}")
    above.plot(x, derivatives[0], lw=2.2, color="C0", zorder=1, label="f")
    above.set_title(f"f({report.variables[0]}) = {report.formula} and its Taylor polynomials", parse_math=False)
    framed(above, derivatives[:1])
    scales = np.array([power_of_ten(curve) for curve in derivatives])
    for k, (curve, scale) in enumerate(zip(derivatives, scales, strict=True)):
        label = report.label((k,)) + (f" / {scale:g}" if scale > 1 else "")
        below.plot(x, curve / scale, lw=2.2 if k == 0 else 1.3, color=f"C{k}", label=label)
    below.set_title("f and its derivatives, the large ones divided by a power of ten")
    below.set_xlabel(report.variables[0])
    framed(below, derivatives / scales[:, None])
    try:
        figure.savefig(path, dpi=120)
    except ValueError as error:  # an ending that names no format
        raise InvalidValue(f"{path}: {error}") from None
