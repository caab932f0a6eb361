"""What to write in place of a function that knows plain arrays and numbers only: a table with a row for each.

A row is found by the longest dotted name that begins the function's own: a function, a class with its methods, a
module. Its text follows "write"; in it {function} is the function's name and {name} the last part of that.
"""

from collections.abc import Sequence

__all__ = ["SUBSTITUTES", "shown", "substitute"]

_RULES = (
    "x.value for the value, dn.array([...]) to collect results, np.full_like(x, …) to fill, or the function of NumPy "
    "in place of a method of ndarray (np.dot(a, x) or a @ x for a.dot(x))"
)
_COLLECT = "dn.array([...]), which collects numbers, arrays and what carries derivatives; x.value is the value alone"
_ELEMENTWISE = "f(x) itself if f is made of functions of NumPy (np.where for a branch), which run on whole arrays; "
_DISTRIBUTION = "dn.stats.{at}.{name}(x, …)"
_AT_THE_PIECE = (
    "np.polyval(p.c[:, i], x - p.x[i]) with i = np.clip(np.searchsorted(p.x, x.value, 'right') - 1, 0, len(p.x) - 2), "
    "the polynomials of p = CubicSpline(…) and its like"
)
_LABELS = "x * s.to_numpy() and label the result, as pd.Series(y.value, s.index): pandas holds plain numbers"

SUBSTITUTES = {
    # ── where no function is known ──
    "array": _RULES,
    "number": "x.value as the number, or the function of NumPy or scipy.special that computes on x",
    "u[…] = x": "dn.array([...]) of what is collected in a list, or let u hold derivatives, made by "
    "u = np.zeros_like(x, shape=…); x.value is the value alone",
    # ── Python ──
    "builtins.float": "float(x.value), or the function of NumPy",
    "builtins.int": "int(x.value)",
    "builtins.complex": "complex(x.value), or x + 0j for a complex x",
    "builtins.round": "np.round(x, digits)",
    "math": "np.{name}(x) in place of a function of math: that of NumPy, or of scipy.special",
    "math.comb": "dn.special.comb(n, k)",
    "math.dist": "np.linalg.norm(x - y)",
    "math.erf": "scipy.special.erf(x)",
    "math.erfc": "scipy.special.erfc(x)",
    "math.factorial": "dn.special.factorial(x)",
    "math.fsum": "np.sum(dn.array([...]))",
    "math.gamma": "scipy.special.gamma(x)",
    "math.hypot": "np.hypot(x, y)",
    "math.lgamma": "scipy.special.gammaln(x)",
    "math.pow": "x**y",
    "math.prod": "np.prod(dn.array([...]))",
    "math.sumprod": "np.dot(x, y)",
    "math.trunc": "np.trunc(x)",
    "cmath": "np.{name}(x) of a complex x",
    "random": "a draw times x: loc + scale * rng.normal(size=…)",
    "statistics": "np.{name}(dn.array([...])) (np.var, np.std with ddof=1 for the sample's)",
    # ── NumPy ──
    "numpy": "{function}(dn.array([...]), …): a list is collected by dn.array first; or x.value for the value",
    "numpy.arange": "x0 + h * np.arange(n), or np.linspace(x0, x1, n)",
    "numpy.array": _COLLECT,
    "numpy.asanyarray": _COLLECT,
    "numpy.asarray": _COLLECT,
    "numpy.ascontiguousarray": _COLLECT,
    "numpy.asfortranarray": _COLLECT,
    "numpy.float32": "x.astype(np.float32), or np.float32(x.value) for the value",
    "numpy.float64": "x.astype(np.float64), or np.float64(x.value) for the value",
    "numpy.fromiter": "dn.array(list(…))",
    "numpy.full": "np.full_like(x, …), as in np.full_like(x, x, shape=3), or x * np.ones(shape)",
    "numpy.lib.AxisConcatenator": "np.concatenate([x, y]) in place of np.r_[x, y]",
    "numpy.lib.CClass": "np.column_stack([x, y]) in place of np.c_[x, y]",
    "numpy.lib.RClass": "np.concatenate([x, y]) in place of np.r_[x, y]",
    "numpy.ma": "np.where(mask, …, x)",
    "numpy.matrix": "dn.array([[...], [...]]), and @ for products",
    "numpy.ndarray": "np.{name}(a, x, …), the function of NumPy in place of a method of ndarray "
    "(np.dot(a, x) or a @ x for a.dot(x)); or x.value for the value",
    "numpy.poly1d": "np.polyval(coefficients, x)",
    "numpy.polynomial": "np.polyval, np.polyfit and np.roots (highest power first); of another basis chebval(x, c) "
    "for plain c (p.convert().coef of a Chebyshev p), chebvander(x, deg) @ c for plain x, and "
    "np.linalg.lstsq(chebvander(x, deg), y)[0] for a fit",
    "numpy.random": "a draw that does not depend on x, moved by it: loc + scale * rng.normal(size=…)",
    "numpy.vectorize": _ELEMENTWISE + "dn.vmap(f)(x) for a function of one point",
    # ── SciPy ──
    "scipy": "it with functions of NumPy, dn.linalg, dn.special or dn.stats (docs/coverage.md lists them); or x.value",
    "scipy.fft": "np.fft.{name}(x)",
    "scipy.fft.dct": "its matrix times x: scipy.fft.dct(np.eye(n), axis=0) @ x",
    "scipy.fft.dst": "its matrix times x: scipy.fft.dst(np.eye(n), axis=0) @ x",
    "scipy.fft.idct": "its matrix times x: scipy.fft.idct(np.eye(n), axis=0) @ x",
    "scipy.fft.idst": "its matrix times x: scipy.fft.idst(np.eye(n), axis=0) @ x",
    "scipy.fft.next_fast_len": "x.size in place of x",
    "scipy.integrate": "the rule itself: weights @ f(nodes), as with np.polynomial.legendre.leggauss(n)",
    "scipy.integrate.cumulative_trapezoid": "np.cumsum(np.diff(t) * (y[1:] + y[:-1]) / 2)",
    "scipy.integrate.odeint": "dn.flow(f, …), or the steps of a Runge-Kutta method written out",
    "scipy.integrate.simpson": "weights @ y with scipy's weights: scipy.integrate.simpson(np.eye(n), t) @ y",
    "scipy.integrate.solve_ivp": "dn.flow(f, …), or the steps of a Runge-Kutta method written out",
    "scipy.integrate.trapezoid": "np.trapezoid(y, t)",
    "scipy.interpolate": "np.interp(x, xp, fp) for a broken line, or the spline's polynomial: " + _AT_THE_PIECE,
    "scipy.interpolate.interp1d": "np.interp(x, xp, fp)",
    "scipy.linalg": "dn.linalg.{name} where there is one, or np.linalg's",
    "scipy.linalg.cho_factor": "dn.linalg.cho_factor(a), or np.linalg.cholesky(a)",
    "scipy.linalg.eigh": "np.linalg.eigh(a)",
    "scipy.ndimage": "np.convolve(x, weights), or its matrix times x",
    "scipy.optimize": "dn.implicit, dn.fixed_point for what an equation defines, and x.value where a number is meant",
    "scipy.optimize.brentq": "dn.implicit(f, …) for the root as a function of parameters",
    "scipy.optimize.root_scalar": "dn.implicit(f, …) for the root as a function of parameters",
    "scipy.signal": "np.convolve(x, weights), or its matrix times x",
    "scipy.sparse": "dn.linalg.csr_array(A) @ x, and dn.linalg.spsolve",
    "scipy.spatial.distance": "np.linalg.norm(x[:, None] - y[None, :], axis=-1)",
    "scipy.special": "dn.special.{name}(x) where there is one, or the elementwise functions in docs/coverage.md",
    "scipy.special.comb": "dn.special.comb(n, k)",
    "scipy.special.factorial": "dn.special.factorial(n), or scipy.special.gamma(n + 1)",
    "scipy.special.log_softmax": "dn.special.log_softmax(x)",
    "scipy.special.logsumexp": "dn.special.logsumexp(x), or np.logaddexp.reduce(x)",
    "scipy.special.multigammaln": "dn.special.multigammaln(a, d)",
    "scipy.special.polygamma": "dn.special.polygamma(n, x)",
    "scipy.special.softmax": "dn.special.softmax(x)",
    "scipy.stats": "the density or distribution function from dn.stats, or by functions of scipy.special",
    **{f"scipy.stats.{at}": _DISTRIBUTION.replace("{at}", at)
       for at in ("beta", "binom", "expon", "gamma", "lognorm", "norm", "poisson", "t", "uniform")},
    "scipy.stats.linregress": "np.polyfit(x, y, 1)",
    "scipy.stats.norm.cdf": "dn.stats.norm.cdf(x), or scipy.special.ndtr(x)",
    "scipy.stats.norm.logcdf": "dn.stats.norm.logcdf(x), or scipy.special.log_ndtr(x)",
    "scipy.stats.norm.ppf": "dn.stats.norm.ppf(q), or scipy.special.ndtri(q)",
    "scipy.stats.pearsonr": "np.corrcoef(x, y)[0, 1]",
    "scipy.stats.zscore": "(x - np.mean(x)) / np.std(x)",
    # ── others ──
    "jax": "x.value for the value: JAX differentiates its own arrays",
    "matplotlib": "the value, plt.plot(t, y.value), or of a jet a derivative, plt.plot(t, y.derivative(1))",
    "pandas": _LABELS,
    "torch": "x.value for the value: PyTorch differentiates its own tensors",
    "xarray": "xr.DataArray(x, dims=…), which holds jets and variables",
}  # fmt: skip


def shown(name: str) -> str:
    """A full name as it is written in a program."""
    return name.replace("numpy.", "np.", 1) if name.startswith("numpy.") else name.removeprefix("builtins.")


def substitute(names: Sequence[str]) -> tuple[str, str]:
    """The name that says most of those that a function has, and what to write in its place.

    Args:
        names: of the function, as scipy.stats.norm.cdf; the last is the row that is used where there is no other.

    Example:
        >>> substitute(["scipy.stats.norm.cdf", "array"])[1]
        'dn.stats.norm.cdf(x), or scipy.special.ndtr(x)'
    """
    *functions, other = names
    found: tuple[int, str, str] = (0, functions[0] if functions else "", SUBSTITUTES[other])
    for name in functions:
        parts = name.split(".")
        for n in range(len(parts), 0, -1):
            text = SUBSTITUTES.get(".".join(parts[:n]))
            if text is not None:
                if n > found[0]:
                    found = n, name, text.replace("{name}", parts[-1]).replace("{function}", shown(name))
                break
    return found[1:]
