"""Array functions by structure: what moves entries, adds them, multiplies them; linear systems, factors and spectra.

Importing a module here registers what it implements; `shape` is a good beginning. `adjoints`, `arguments`, `keywords`
and `matrices` are what they share. They are written against `operand` and its linear functions, and import primitives.
"""

from . import (
    creation,
    einsum,
    elementwise,
    extremes,
    factors,
    fourier,
    histograms,
    indexing,
    joining,
    leastsquares,
    norms,
    padding,
    polynomial,
    products,
    reductions,
    shape,
    signal,
    singular,
    sorting,
    spectra,
    statistics,
    systems,
    unsupported,
)

__all__ = [
    "creation",
    "einsum",
    "elementwise",
    "extremes",
    "factors",
    "fourier",
    "histograms",
    "indexing",
    "joining",
    "leastsquares",
    "norms",
    "padding",
    "polynomial",
    "products",
    "reductions",
    "shape",
    "signal",
    "sorting",
    "singular",
    "spectra",
    "statistics",
    "systems",
    "unsupported",
]
