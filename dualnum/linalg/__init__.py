"""Linear algebra that NumPy has no name for, with SciPy's signatures: on arrays, jets, variables and traces.

What NumPy has (`np.linalg.solve`, `np.linalg.eigh`, …) takes jets itself. The functions here need SciPy
(``pip install scipy``), which computes the values; the derivatives follow from the equations that define the result.

systems: with factors that are kept, LU and Cholesky. triangular: with triangular matrices. functions: of a matrix,
such as its exponential. equations: for a matrix. structured: matrices that are made of others by their places. values:
SciPy's functions of plain matrices.
"""

from .equations import solve_continuous_lyapunov, solve_sylvester
from .functions import expm, sqrtm
from .structured import block_diag
from .systems import cho_factor, cho_solve, lu, lu_factor, lu_solve
from .triangular import solve_triangular

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "expm", "lu", "lu_factor", "lu_solve", "solve_continuous_lyapunov",
    "solve_sylvester", "solve_triangular", "sqrtm",
]  # fmt: skip
