"""dualnum: exact derivatives of any order for NumPy and CuPy code."""

from . import autograd, functions, linalg, primitives, roots, testing  # noqa: F401  roots adds to jets and variables
from .compile import jit
from .custom import checkpoint, custom_derivative, stop_gradient
from .errors import (
    DerivativeDropped,
    DualnumError,
    InvalidAxis,
    InvalidIndex,
    InvalidType,
    InvalidValue,
    LevelError,
    NoAttribute,
    NonsmoothPoint,
    NotDifferentiable,
    PrecisionWarning,
)
from .evaluation import nonsmooth
from .functions.creation import array
from .jet import Jet
from .kernel.engine import engine
from .seeding import dual, jet
from .transforms import (
    derivative,
    directional,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    laplacian,
    taylor,
    value_and_grad,
    vhp,
    vjp,
)

__version__ = "0.1.0"
__all__ = [
    "DerivativeDropped",
    "DualnumError",
    "InvalidAxis",
    "InvalidIndex",
    "InvalidType",
    "InvalidValue",
    "Jet",
    "LevelError",
    "NoAttribute",
    "NonsmoothPoint",
    "NotDifferentiable",
    "PrecisionWarning",
    "__version__",
    "array",
    "autograd",
    "checkpoint",
    "custom_derivative",
    "derivative",
    "directional",
    "dual",
    "engine",
    "functions",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jit",
    "jvp",
    "laplacian",
    "linalg",
    "nonsmooth",
    "primitives",
    "stop_gradient",
    "taylor",
    "testing",
    "value_and_grad",
    "vhp",
    "vjp",
]
