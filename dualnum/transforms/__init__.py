"""Transforms: functions to the functions of their derivatives.

`forward` pushes a jet through, `reverse` records and sweeps back, `dense` makes matrices of either, `products`
multiplies by them, `linearized` keeps the tangent map of a point, and `mapped` is at many points; `pointwise` is one
pass in several variables, of which `partials`, `laplacians`, `fields` and `notation` (operators as they are written)
read what they want; `custom` are rules of one's own. Imports jets and the tape.
"""

from .dense import hessian, jacfwd, jacobian, jacrev
from .fields import curl, divergence, jacobian_trace
from .forward import derivative, directional, jvp, taylor
from .laplacians import biharmonic, laplacian
from .linearized import linearize
from .mapped import vmap
from .notation import operator
from .partials import mixed, partial
from .products import hvp, vhp
from .reverse import grad, value_and_grad, vjp

__all__ = [
    "biharmonic", "curl", "derivative", "directional", "divergence", "grad", "hessian", "hvp", "jacfwd", "jacobian",
    "jacobian_trace", "jacrev", "jvp", "laplacian", "linearize", "mixed", "operator", "partial", "taylor",
    "value_and_grad", "vhp", "vjp", "vmap",
]  # fmt: skip
