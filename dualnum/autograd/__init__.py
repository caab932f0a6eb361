"""The imperative style of PyTorch's tutorials, on NumPy arrays.

A variable made here records what is done with it wherever that happens; `backward` sweeps back and adds to the
`grad` of the leaves. Variables stand below jets made by hand, so that jets may have them as coefficients.

`variable` is the variable, `functions` what is done with it. Imports the tape.
"""

from .functions import Variable, grad, no_grad, variable

__all__ = ["Variable", "grad", "no_grad", "variable"]
