"""dualnum: exact derivatives of any order for NumPy and CuPy code."""

from . import functions, primitives
from .errors import *  # noqa: F403
from .jet import Jet, dual, jet
from .ufuncs import nonsmooth

__version__ = "0.1.0"
from .transforms import derivative, directional, jvp, taylor  # noqa: E402,F401
