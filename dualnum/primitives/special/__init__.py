"""The ufuncs of scipy.special, group by group; imported only once the caller has imported scipy.special."""

from . import errorfunctions, exponential, integrals, lambert, normal
