"""What stands in for an array: the one point at which all that NumPy does arrives.

`operand` (exported here) is that point, `levels` say on which operand an operation runs; `index`, `flat`, `constants`
and `rearrangement` are what all kinds of operands share. Imports the algebra below it.
"""

from .operand import (
    Adjoint,
    Adjoints,
    Moving,
    Operand,
    Stacked,
    batched,
    bilinear,
    function_name,
    highest,
    implementation,
    implements,
    linear,
    operands,
    primal,
    promoted,
    rearrange,
)

__all__ = [
    "Adjoint", "Adjoints", "Moving", "Operand", "Stacked", "batched", "bilinear", "function_name", "highest",
    "implementation", "implements", "linear", "operands", "primal", "promoted", "rearrange",
]  # fmt: skip
