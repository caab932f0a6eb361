"""Linear algebra under one name, as in ``import dualnum.linalg as la``: on arrays, jets, variables and traces.

What NumPy has (`solve`, `eigh`, …) is NumPy's own function, which takes jets itself. The others have SciPy's signatures
and need SciPy (``pip install scipy``), which computes the values; the derivatives follow from the equations that define
the result.

of_numpy: what NumPy has. systems: with factors that are kept, LU and Cholesky. triangular: with triangular matrices.
functions: of a matrix, such as its exponential; trigonometric, powers: others of it. equations, riccati: for a matrix;
schur: the forms that these keep. structured: matrices that are made of others by their places; toeplitz_systems: with
such ones. pattern, sparse: matrices of which few entries are there; sparse_systems: with such ones. bases: what has no
derivative. values: SciPy's functions of plain matrices.
"""

from . import of_numpy
from .bases import null_space, orth
from .equations import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
from .functions import expm, expm_frechet
from .of_numpy import *  # noqa: F403
from .powers import fractional_matrix_power, logm, polar, signm, sqrtm
from .riccati import solve_continuous_are, solve_discrete_are
from .sparse import csr_array
from .sparse_systems import splu, spsolve
from .structured import block_diag, circulant, companion, hankel, khatri_rao, toeplitz
from .systems import cho_factor, cho_solve, lu, lu_factor, lu_solve
from .toeplitz_systems import matmul_toeplitz, solve_circulant, solve_toeplitz
from .triangular import solve_triangular
from .trigonometric import coshm, cosm, sinhm, sinm, tanhm, tanm

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "circulant", "companion", "coshm", "cosm", "csr_array", "expm",
    "expm_frechet", "fractional_matrix_power", "hankel", "khatri_rao", "logm", "lu", "lu_factor", "lu_solve",
    "matmul_toeplitz", "null_space", "orth", "polar", "signm", "sinhm", "sinm", "solve_circulant",
    "solve_continuous_are", "solve_continuous_lyapunov", "solve_discrete_are", "solve_discrete_lyapunov",
    "solve_sylvester", "solve_toeplitz", "solve_triangular", "splu", "spsolve", "sqrtm", "tanhm", "tanm", "toeplitz",
]  # fmt: skip
__all__ += of_numpy.__all__
