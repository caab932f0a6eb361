"""Transforms: functions to the functions of their derivatives.

`forward` pushes a jet through, `reverse` records and sweeps back, `dense` makes matrices of either, `operators` are
products with them; `custom` are rules of one's own. Imports jets and the tape.
"""

from .dense import hessian, jacfwd, jacobian, jacrev
from .forward import derivative, directional, jvp, taylor
from .operators import hvp, laplacian, vhp
from .reverse import grad, value_and_grad, vjp

__all__ = [
    "derivative", "directional", "grad", "hessian", "hvp", "jacfwd", "jacobian", "jacrev", "jvp", "laplacian", "taylor",
    "value_and_grad", "vhp", "vjp",
]  # fmt: skip
