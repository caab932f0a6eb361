"""Transforms: functions to the functions of their derivatives.

`forward` pushes a jet through, `reverse` records and sweeps back, `dense` makes matrices of either, `operators` are
products with them; `custom` are rules of one's own. Imports jets and the tape.
"""

from .dense import hessian, jacfwd, jacobian, jacrev
from .fields import curl, divergence, jacobian_trace
from .forward import derivative, directional, jvp, taylor
from .laplacians import biharmonic, laplacian
from .notation import operator
from .operators import hvp, vhp
from .partials import mixed, partial
from .reverse import grad, value_and_grad, vjp

__all__ = [
    "biharmonic", "curl", "derivative", "directional", "divergence", "grad", "hessian", "hvp", "jacfwd", "jacobian",
    "jacobian_trace", "jacrev", "jvp", "laplacian", "mixed", "operator", "partial", "taylor", "value_and_grad", "vhp",
    "vjp",
]  # fmt: skip
