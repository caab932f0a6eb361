"""Transforms: functions to the functions of their derivatives."""

from .dense import hessian, jacfwd, jacobian, jacrev
from .forward import derivative, directional, jvp, taylor
from .operators import hvp, laplacian, vhp
from .reverse import grad, value_and_grad, vjp

__all__ = [
    "derivative", "directional", "grad", "hessian", "hvp", "jacfwd", "jacobian", "jacrev", "jvp", "laplacian", "taylor",
    "value_and_grad", "vhp", "vjp",
]  # fmt: skip
