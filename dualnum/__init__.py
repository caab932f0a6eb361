"""dualnum: exact derivatives of any order for NumPy and CuPy code."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import autograd, functions, linalg, primitives, testing
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
    NotFinite,
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
    linearize,
    mixed,
    operator,
    partial,
    taylor,
    value_and_grad,
    vhp,
    vjp,
    vmap,
)
from .transforms.custom import checkpoint, custom_derivative, stop_gradient

if _TYPE_CHECKING:
    from . import interop, optimize, special, stats
    from .nans import debug_nans
    from .program.loaded import load_program
    from .transforms.control import cond, fori_loop, scan, while_loop
    from .uncertainty import propagate

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
    "NotFinite",
    "PerformanceWarning",
    "PrecisionWarning",
    "__version__",
    "array",
    "autograd",
    "best_device",
    "biharmonic",
    "checkpoint",
    "compose",
    "cond",
    "convergence_radius",
    "curl",
    "custom_derivative",
    "debug_nans",
    "derivative",
    "directional",
    "divergence",
    "dual",
    "engine",
    "fixed_point",
    "flow",
    "fori_loop",
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
    "linearize",
    "load_program",
    "mixed",
    "nonsmooth",
    "operator",
    "optimize",
    "pade",
    "partial",
    "primitives",
    "propagate",
    "register_container",
    "reversion",
    "scan",
    "special",
    "stats",
    "stop_gradient",
    "taylor",
    "taylor_step",
    "testing",
    "use_device",
    "value_and_grad",
    "vhp",
    "vjp",
    "vmap",
    "while_loop",
]


# imported when they are first asked for: nothing below needs them
_LATER = {
    "cond": "transforms.control", "debug_nans": "nans", "fori_loop": "transforms.control", "interop": "",
    "load_program": "program.loaded", "optimize": "", "propagate": "uncertainty", "scan": "transforms.control",
    "special": "", "stats": "", "while_loop": "transforms.control",
}  # fmt: skip


def __getattr__(name: str) -> object:
    home = _LATER.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _import_module(f".{home or name}", __name__)
    found = globals()[name] = getattr(module, name) if home else module
    return found


def __dir__() -> list[str]:
    return __all__
