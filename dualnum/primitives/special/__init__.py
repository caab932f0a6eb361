"""The ufuncs of scipy.special, group by group; imported only once the caller has imported scipy.special.

`unsupported` comes last: it names what no other module has a rule for.
"""

from . import (
    bessel,
    elliptic,
    errorfunctions,
    exponential,
    gamma,
    incomplete,
    integrals,
    lambert,
    normal,
    orthogonal,
    unsupported,
)

__all__ = [
    "bessel", "elliptic", "errorfunctions", "exponential", "gamma", "incomplete", "integrals", "lambert",
    "normal", "orthogonal", "unsupported",
]  # fmt: skip
