"""dualnum: exact derivatives of any order for NumPy and CuPy code."""

from . import functions, primitives
from .errors import (
    DerivativeDropped,
    DualnumError,
    InvalidType,
    InvalidValue,
    LevelError,
    NotDifferentiable,
)
from .jet import Jet, dual, jet
from .transforms import derivative, directional, jvp, taylor
from .ufuncs import NonsmoothPoint, nonsmooth

__version__ = "0.1.0"
__all__ = [
    "DerivativeDropped",
    "DualnumError",
    "InvalidType",
    "InvalidValue",
    "Jet",
    "LevelError",
    "NonsmoothPoint",
    "NotDifferentiable",
    "__version__",
    "derivative",
    "directional",
    "dual",
    "functions",
    "jet",
    "jvp",
    "nonsmooth",
    "primitives",
    "taylor",
]
