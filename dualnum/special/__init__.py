"""Functions of scipy.special that SciPy writes in Python, on arrays, jets, variables and traces.

SciPy's ufuncs take jets themselves, and stand here under their names as well (`dualnum.special.erf` is
`scipy.special.erf`). The others call `np.asarray`, which no jet survives; so they are written anew, with SciPy's
signatures and values, by the formulas of this table. A new function is a row here and a few lines of its module.

================  ==========================================  =======  ================================================
function          formula                                     module   source
================  ==========================================  =======  ================================================
`logsumexp`       m + log Σ b e^{a−m}, m = max a              sums     Blanchard, Higham & Higham, IMA J. Num. Anal. 41
`softmax`         e^{x−m}/Σ e^{x−m}                           sums     the same
`log_softmax`     x − m − log Σ e^{x−m}                       sums     the same
`softplus`        log(1 + e^x)                                sums     Dugas et al., NIPS 13
`polygamma`       (−1)^{n+1} n! ζ(n+1, x)                     gammas   DLMF 25.11.12
`multigammaln`    d(d−1)/4 log π + Σ_j log Γ(a − (j−1)/2)     gammas   DLMF 35.3.4
`factorial`       Γ(n + 1)                                    gammas   DLMF 5.2.4
`comb`            Γ(N+1)/(Γ(k+1) Γ(N−k+1))                    gammas   DLMF 1.2.6
================  ==========================================  =======  ================================================

sums: what NumPy suffices for. gammas: what needs SciPy, which is imported when they are called. Imports functions and
the primitives.
"""

from typing import Any

import numpy as np

from .gammas import comb, factorial, multigammaln, polygamma
from .sums import log_softmax, logsumexp, softmax, softplus

__all__ = ["comb", "factorial", "log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "softplus"]


def __getattr__(name: str) -> Any:
    """A ufunc of scipy.special by its name."""
    if not name.startswith("_"):
        import scipy.special

        found = getattr(scipy.special, name, None)
        if isinstance(found, np.ufunc):
            return found
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}, and the ufuncs of scipy.special"
    )
