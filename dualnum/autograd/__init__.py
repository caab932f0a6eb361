"""The imperative style of PyTorch's tutorials, on NumPy arrays.

A variable made here records what is done with it wherever that happens; `backward` sweeps back and adds to the
`grad` of the leaves. Variables stand below jets made by hand, so that jets may have them as coefficients.

`variable` is the variable, `tensors` its names of PyTorch, `sweeps` and `functions` what is done with it; `functional`
are derivatives of functions of variables, and `function` those with a derivative of one's own. Imports the tape.
"""

from . import functional
from .function import Function
from .functions import Variable, enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled, variable

__all__ = [
    "Function", "Variable", "enable_grad", "functional", "grad", "is_grad_enabled", "no_grad", "set_grad_enabled",
    "variable",
]  # fmt: skip
