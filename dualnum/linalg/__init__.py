"""Linear algebra under one name, as in ``import dualnum.linalg as la``: on arrays, jets, variables and traces.

What NumPy has (`solve`, `eigh`, …) is NumPy's own function, which takes jets itself. The others have SciPy's signatures
and need SciPy (``pip install scipy``), which computes the values; the derivatives follow from the equations that define
the result.

of_numpy: what NumPy has.
triangular: systems with triangular matrices and with factors that are at hand. functions: of a matrix, such as its
exponential. equations: for a matrix. structured: matrices that are made of others by their places. pattern, sparse:
matrices of which few entries are there. sparse_systems: with such ones. values: SciPy's functions of plain matrices.
"""

from . import of_numpy
from .equations import solve_continuous_lyapunov, solve_sylvester
from .functions import expm, sqrtm
from .of_numpy import *  # noqa: F403
from .sparse import csr_array
from .sparse_systems import splu, spsolve
from .structured import block_diag
from .triangular import cho_solve, solve_triangular

__all__ = [
    "block_diag", "cho_solve", "csr_array", "expm", "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular",
    "splu", "spsolve", "sqrtm",
]  # fmt: skip
__all__ += of_numpy.__all__
