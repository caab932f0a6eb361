"""The primitives: every ufunc of NumPy stands in one class, in the groups of NumPy's manual."""

from . import arithmetic, explog, hyperbolic, piecewise, trigonometric, unsupported
from .table import Row, Series, lookup, rows

__all__ = [
    "Row", "Series", "arithmetic", "explog", "hyperbolic", "lookup", "piecewise", "rows", "trigonometric",
    "unsupported",
]  # fmt: skip
