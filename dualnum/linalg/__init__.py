"""Linear algebra under one name, as in ``import dualnum.linalg as la``: on arrays, jets, variables and traces.

What NumPy has (`solve`, `eigh`, …) is NumPy's own function, which takes jets itself. The others have SciPy's signatures
and need SciPy (``pip install scipy``), which computes the values; the derivatives follow from the equations that define
the result.

of_numpy: what NumPy has. triangular: systems with triangular matrices and with factors that are at hand. functions: of
a matrix, such as its exponential; trigonometric, powers: others of it. equations, riccati: for a matrix; schur: the
forms that these keep. structured: matrices that are made of others by their places. pattern, sparse: matrices of which
few entries are there; sparse_systems: with such ones. values: SciPy's functions of plain matrices.
"""

from . import of_numpy
from .equations import solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester
from .functions import expm, expm_frechet
from .of_numpy import *  # noqa: F403
from .powers import fractional_matrix_power, logm, polar, signm, sqrtm
from .riccati import solve_continuous_are, solve_discrete_are
from .sparse import csr_array
from .sparse_systems import splu, spsolve
from .structured import block_diag
from .triangular import cho_solve, solve_triangular
from .trigonometric import coshm, cosm, sinhm, sinm, tanhm, tanm

__all__ = [
    "block_diag", "cho_solve", "coshm", "cosm", "csr_array", "expm", "expm_frechet", "fractional_matrix_power", "logm",
    "polar", "signm", "sinhm", "sinm", "solve_continuous_are", "solve_continuous_lyapunov", "solve_discrete_are",
    "solve_discrete_lyapunov", "solve_sylvester", "solve_triangular", "splu", "spsolve", "sqrtm", "tanhm", "tanm",
]  # fmt: skip
__all__ += of_numpy.__all__
