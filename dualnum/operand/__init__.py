"""What stands in for an array: the one point at which all that NumPy does arrives.

`operand` is that point, `levels` say on which operand an operation runs, `linear` how functions are written for all
kinds of operands and `registry` for which of NumPy's (exported here); `ndarray` is its methods, and `index`, `flat`,
`constants` and `rearrangement` what all kinds share; `culprit` says who asked for plain numbers, `substitutes` what to
write instead. Imports the algebra below it.
"""

from .linear import Moving, batched, bilinear, linear, moved, put, rearrange
from .operand import (
    Adjoint,
    Adjoints,
    Operand,
    Stacked,
    as_array,
    away,
    beside,
    explained,
    highest,
    is_jet,
    library,
    operands,
    primal,
    promoted,
    visible,
)
from .registry import function_name, implementation, implements

__all__ = [
    "Adjoint", "Adjoints", "Moving", "Operand", "Stacked", "as_array", "away", "batched", "beside", "bilinear",
    "explained", "function_name", "highest", "implementation", "implements", "is_jet", "library", "linear", "moved",
    "operands", "primal", "promoted", "put", "rearrange", "visible",
]  # fmt: skip
