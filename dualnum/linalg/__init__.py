"""Linear algebra that NumPy has no name for, with SciPy's signatures: on arrays, jets, variables and traces.

What NumPy has (`np.linalg.solve`, `np.linalg.eigh`, …) takes jets itself. The functions here need SciPy
(``pip install scipy``), which computes the values; the derivatives follow from the equations that define the result.

triangular: systems with triangular matrices and with factors that are at hand. functions: of a matrix, such as its
exponential. equations: for a matrix. structured: matrices that are made of others by their places. pattern, sparse:
matrices of which few entries are there. sparse_systems: with such ones. values: SciPy's functions of plain matrices.
"""

from .equations import solve_continuous_lyapunov, solve_sylvester
from .functions import expm, sqrtm
from .sparse import csr_array
from .sparse_systems import splu, spsolve
from .structured import block_diag
from .triangular import cho_solve, solve_triangular

__all__ = [
    "block_diag", "cho_solve", "csr_array", "expm", "solve_continuous_lyapunov", "solve_sylvester", "solve_triangular",
    "splu", "spsolve", "sqrtm",
]  # fmt: skip
