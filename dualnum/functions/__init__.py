"""Array functions by structure; importing a module here registers what it implements."""

from . import (
    creation,
    einsum,
    elementwise,
    extremes,
    fourier,
    indexing,
    norms,
    padding,
    polynomial,
    products,
    reductions,
    shape,
    signal,
    sorting,
    statistics,
    unsupported,
)

__all__ = [
    "creation",
    "einsum",
    "elementwise",
    "extremes",
    "fourier",
    "indexing",
    "norms",
    "padding",
    "polynomial",
    "products",
    "reductions",
    "shape",
    "signal",
    "sorting",
    "statistics",
    "unsupported",
]
