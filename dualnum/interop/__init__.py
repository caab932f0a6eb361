"""Functions of dualnum in the programs of other libraries: PyTorch and JAX differentiate them as their own.

`pytorch` and `jaxbridge` say in their first lines what they are built on; the library is imported when a bridge is
made. Imports transforms.
"""

from .jaxbridge import to_jax
from .pytorch import to_torch

__all__ = ["to_jax", "to_torch"]
