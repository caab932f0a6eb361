"""Distributions of scipy.stats on arrays, jets, variables and traces: ``dn.stats.norm.logpdf(x, loc, scale)``.

Densities, distribution functions, their logarithms, quantiles and moments have SciPy's names, arguments and values, and
derivatives by the point, by loc and scale, and by shape parameters where special functions have them; where not they
raise `NotDifferentiable`. A distribution is a row of formulas in standard form, of `continuous` or `discrete`; loc,
scale and support are written once, in `densities` and `masses`, and what both share in `family`.

==========  ================  =======  ====================================================
name        shape parameters  support  density
==========  ================  =======  ====================================================
`norm`                        ℝ        e^{−x²/2}/√(2π)
`expon`                       x ≥ 0    e^{−x}
`uniform`                     [0, 1]   1
`lognorm`   s                 x > 0    e^{−log²x/(2s²)}/(s x √(2π))
`gamma`     a                 x ≥ 0    x^{a−1} e^{−x}/Γ(a)
`beta`      a, b              [0, 1]   x^{a−1} (1−x)^{b−1}/B(a, b)
`t`         df                ℝ        (df/2)_{1/2}/√(π df) (1 + x²/df)^{−(df+1)/2}
`poisson`   mu                k ≥ 0    μ^k e^{−μ}/k!
`binom`     n, p              0 … n    n!/(k! (n−k)!) p^k (1−p)^{n−k}
==========  ================  =======  ====================================================

Imports functions; SciPy is imported when they are called.
"""

from .continuous import beta, expon, gamma, lognorm, norm, t, uniform
from .densities import Continuous
from .discrete import binom, poisson
from .family import Frozen
from .masses import Discrete

__all__ = [
    "Continuous", "Discrete", "Frozen", "beta", "binom", "expon", "gamma", "lognorm", "norm", "poisson", "t", "uniform",
]  # fmt: skip
