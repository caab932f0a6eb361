"""The primitives: every ufunc of NumPy stands in one class, in the groups of NumPy's manual.

A `Row` says all about one of them; `lookup` finds it, `rows` are all of them, and `Series` are coefficients that a
rule calculates with.

Example:
    >>> tanh = lookup(np.tanh)
    >>> tanh.kind, tanh.name, tanh in rows()
    ('by_equation', 'tanh', True)
    >>> tanh.expand(2, [0.5, 1.0])  # the series of tanh(0.5 + t)
    [np.float64(0.4621), np.float64(0.7864), np.float64(-0.3634)]
    >>> lookup(np.multiply).pull(0, 2.0, 12.0, 3.0, 4.0)  # of x·y = 12 at (3, 4), for the cotangent 2
    8.0
    >>> (np.tanh(Series(2, [0.5, 1.0])) * 2.0).coefficients
    [np.float64(0.9242), np.float64(1.5729), np.float64(-0.7269)]
"""

from . import arithmetic, explog, hyperbolic, piecewise, trigonometric, unsupported
from .table import Row, Series, lookup, rows

__all__ = [
    "Row", "Series", "arithmetic", "explog", "hyperbolic", "lookup", "piecewise", "rows", "trigonometric",
    "unsupported",
]  # fmt: skip
