"""The ufuncs of scipy.special, group by group; imported only once the caller has imported scipy.special."""

from . import bessel, elliptic, errorfunctions, exponential, gamma, integrals, lambert, normal, orthogonal
from . import unsupported  # isort: skip  (last: what is left)
