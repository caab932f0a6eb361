"""Taylor maps: jets as functions of their displacements, put into one another, inverted and carried along.

`composition` is jets of jets and their inverses, `approximants` rational functions and the radius of convergence;
`equations` are functions defined by equations, `flows` solutions of differential equations, in whatever arithmetic
carries the derivatives. Imports jets and what is below them.
"""

from .approximants import Pade, convergence_radius, pade
from .composition import compose, inverse_map, reversion
from .equations import fixed_point, implicit
from .flows import flow, taylor_step

__all__ = [
    "Pade", "compose", "convergence_radius", "fixed_point", "flow", "implicit", "inverse_map", "pade", "reversion",
    "taylor_step",
]  # fmt: skip
