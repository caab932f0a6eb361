"""Uncertainty of what is computed from uncertain numbers: `propagate`, by first or second derivatives.

propagation: the function, and the table that it gives. Imports transforms.
"""

from .propagation import Propagated, propagate

__all__ = ["Propagated", "propagate"]
