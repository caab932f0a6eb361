"""Linear algebra that NumPy has no name for, with SciPy's signatures: on arrays, jets, variables and traces.

What NumPy has (`np.linalg.solve`, `np.linalg.eigh`, …) takes jets itself. The functions here need SciPy
(``pip install scipy``), which computes the values; the derivatives follow from the equations that define the result.

triangular: systems with triangular matrices and with factors that are at hand. functions: of a matrix, such as its
exponential; trigonometric, powers: others of it. equations, riccati: for a matrix; schur: the forms that these keep.
structured: matrices that are made of others by their places; toeplitz_systems: systems with such. bases: what has no
derivative. values: SciPy's functions of plain matrices.
"""

from .bases import null_space, orth
from .equations import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
from .functions import expm, expm_frechet
from .powers import fractional_matrix_power, logm, polar, signm, sqrtm
from .riccati import solve_continuous_are, solve_discrete_are
from .structured import block_diag, circulant, companion, hankel, khatri_rao, toeplitz
from .toeplitz_systems import matmul_toeplitz, solve_circulant, solve_toeplitz
from .triangular import cho_solve, solve_triangular
from .trigonometric import coshm, cosm, sinhm, sinm, tanhm, tanm

__all__ = [
    "block_diag", "cho_solve", "circulant", "companion", "coshm", "cosm", "expm", "expm_frechet",
    "fractional_matrix_power", "hankel", "khatri_rao", "logm", "matmul_toeplitz", "null_space", "orth", "polar",
    "signm", "sinhm", "sinm", "solve_circulant", "solve_continuous_are", "solve_continuous_lyapunov",
    "solve_discrete_are", "solve_discrete_lyapunov", "solve_sylvester", "solve_toeplitz", "solve_triangular", "sqrtm",
    "tanhm", "tanm", "toeplitz",
]  # fmt: skip
