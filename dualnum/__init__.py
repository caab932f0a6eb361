"""dualnum: exact derivatives of any order for NumPy and CuPy code."""

from . import autograd, functions, interop, linalg, primitives, testing
from .containers import register_container
from .devices import best_device, use_device
from .errors import (
    DerivativeDropped,
    DualnumError,
    InvalidAxis,
    InvalidIndex,
    InvalidMatrix,
    InvalidType,
    InvalidValue,
    LevelError,
    NoAttribute,
    NonsmoothPoint,
    NotDifferentiable,
    PerformanceWarning,
    PrecisionWarning,
)
from .functions.creation import array
from .jets import unsettled, waiting  # noqa: F401  vectors that span a space together; primitives that wait for others
from .jets.evaluation import nonsmooth
from .jets.jet import Jet
from .jets.seeding import jet
from .jets.variables import dual, hyperdual, jets
from .kernel.engine import engine
from .maps import (
    compose,
    convergence_radius,
    fixed_point,
    flow,
    implicit,
    inverse_map,
    pade,
    reversion,
    taylor_step,
)
from .program.jit import jit
from .tape import roots  # noqa: F401  what jets and variables remember
from .transforms import (
    biharmonic,
    curl,
    derivative,
    directional,
    divergence,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacobian_trace,
    jacrev,
    jvp,
    laplacian,
    mixed,
    operator,
    partial,
    taylor,
    value_and_grad,
    vhp,
    vjp,
)
from .transforms.custom import checkpoint, custom_derivative, stop_gradient

__version__ = "0.1.0"
__all__ = [
    "DerivativeDropped",
    "DualnumError",
    "InvalidAxis",
    "InvalidIndex",
    "InvalidMatrix",
    "InvalidType",
    "InvalidValue",
    "Jet",
    "LevelError",
    "NoAttribute",
    "NonsmoothPoint",
    "NotDifferentiable",
    "PerformanceWarning",
    "PrecisionWarning",
    "__version__",
    "array",
    "autograd",
    "best_device",
    "biharmonic",
    "checkpoint",
    "compose",
    "convergence_radius",
    "curl",
    "custom_derivative",
    "derivative",
    "directional",
    "divergence",
    "dual",
    "engine",
    "fixed_point",
    "flow",
    "functions",
    "grad",
    "hessian",
    "hvp",
    "hyperdual",
    "implicit",
    "interop",
    "inverse_map",
    "jacfwd",
    "jacobian",
    "jacobian_trace",
    "jacrev",
    "jet",
    "jets",
    "jit",
    "jvp",
    "laplacian",
    "linalg",
    "mixed",
    "nonsmooth",
    "operator",
    "pade",
    "partial",
    "primitives",
    "register_container",
    "reversion",
    "stop_gradient",
    "taylor",
    "taylor_step",
    "testing",
    "use_device",
    "value_and_grad",
    "vhp",
    "vjp",
]


def __dir__() -> list[str]:
    return __all__
