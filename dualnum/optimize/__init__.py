"""Derivatives in the form in which scipy.optimize asks for them: `objective` for minimize, `residuals` for the rest.

scipy_of: both. Imports transforms and jit; SciPy itself is not needed.
"""

from .scipy_of import Objective, Residuals, objective, residuals

__all__ = ["Objective", "Residuals", "objective", "residuals"]
