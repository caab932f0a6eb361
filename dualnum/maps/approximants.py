"""Beyond the polynomial: rational functions that agree with a series, and how far the series converges."""

from typing import Any, NamedTuple

import numpy as np

from ..algebra import Univariate
from ..errors import InvalidType, InvalidValue
from ..jets.jet import Jet
from ..kinds import Value
from ..operand import Operand, library, primal

__all__ = ["Pade", "convergence_radius", "pade"]


class Pade(NamedTuple):
    """The rational function p(t)/q(t), made by `pade`.

    Attributes:
        p: the coefficients of the numerator by powers of t, shape (n + 1, *shape), and
        q: of the denominator, shape (m + 1, *shape), q_0 = 1.
    """

    p: Any
    q: Any

    def __call__(self, t: Value) -> Any:
        """p(t)/q(t) at displacements t, which broadcast against the shape."""
        return _at(self.p, t) / _at(self.q, t)


def _at(coefficients: Value, t: Value) -> Any:
    result = coefficients[-1]
    for c in coefficients[-2::-1]:
        result = result * t + c
    return result


def pade(y: Jet, m: int, n: int | None = None) -> Pade:
    """The Padé approximant [n/m] of a series: p(t)/q(t) = y(t) + O(t^{n+m+1}), of degrees n above and m below.

    Where the system for q is singular to rounding, both degrees are lowered until it is not, which removes common
    factors; p and q are filled up with zeros.

    Args:
        y: a series in one variable, any shape.
        m: the degree of the denominator; arguments are as those of ``scipy.interpolate.pade``.
        n: of the numerator; what the order of y allows when left out.

    Returns:
        A `Pade`: arrays p, q of shapes (n + 1, *shape) and (m + 1, *shape), which can be called with t.

    Raises:
        InvalidType: y is no jet; m or n is no integer.
        InvalidValue: y has several variables; m or n is negative, or n + m above the order; a system is singular, and y
            carries derivatives of other levels, which a change of degrees does not have.

    Source:
        Gonnet, Güttel & Trefethen, "Robust Padé Approximation via SVD", SIAM Review 55, 2013, algorithm 2.

    Example:
        >>> r = pade(np.tan(dn.jet(0.0, 7)), 4)
        >>> r(1.5), np.tan(1.5)
        (np.float64(14.0425532), np.float64(14.1014199))
    """
    order = _series("pade", y).order
    n = order - m if n is None and isinstance(m, (int, np.integer)) else n
    if any(isinstance(k, bool) or not isinstance(k, (int, np.integer)) for k in (m, n)):
        raise InvalidType(f"pade: m is {m!r}, n is {n!r}; expected integers")
    assert n is not None
    if m < 0 or n < 0 or n + m > order:
        raise InvalidValue(f"pade: m is {m}, n is {n}, the order of y {order}; expected 0 or more, together {order}")
    c = np.reshape(y.planes, (order + 1, -1))[: n + m + 1]
    scale = _scale(primal(c))
    powers = scale ** library(c).arange(n + m + 1, dtype=scale.dtype)[:, None]
    p, q = _quotient(c * powers, int(m), int(n))
    p, q = p / powers[: n + 1], q / powers[: m + 1]
    return Pade(np.reshape(p, (n + 1, *y.shape)), np.reshape(q, (m + 1, *y.shape)))


def _scale(c: Value) -> Any:
    """A power of two for t at each point, with which the coefficients are of one size, whatever the unit of t."""
    real = np.zeros((), c.dtype).real.dtype
    if isinstance(c, Operand):
        return np.ones((), real)
    with np.errstate(all="ignore"):
        slope = _fit(np.log2(np.abs(c)), np.arange(len(c)) + 0.0, np.ones(len(c)))
    most = 0.9 * np.finfo(real).maxexp / len(c)
    return np.exp2(np.round(np.clip(np.where(np.isfinite(slope), -slope, 0.0), -most, most))).astype(real)


def _quotient(c: Value, m: int, n: int) -> tuple[Any, Any]:
    """p and q for coefficients (n + m + 1, points)."""
    zero = np.zeros_like(c[:1])
    one = zero + 1
    if m == 0:
        return c[: n + 1], one
    padded = np.concatenate([*[zero] * m, c])  # c_k at place k + m
    rows = np.arange(n + 1, n + m + 1)[:, None] - np.arange(m + 1) + m
    system = np.moveaxis(padded[rows], -1, 0)  # Σ_j c_{k−j} q_j = 0 for n < k ≤ n + m
    good = _is_regular(primal(system), primal(c))
    if isinstance(c, Operand):
        if not np.all(good):
            raise InvalidValue(
                f"pade: the system for the denominator of degree {m} is singular; expected lower degrees where y "
                "carries derivatives of other levels"
            )
        return _solved(system, c, m, n)
    known = np.isfinite(c).all(axis=0)  # what is not finite spoils its own point only
    whole, rest = known & good, known & ~good
    if whole.all():
        return _solved(system, c, m, n)
    p, q = (np.where(known, library(c).zeros((k + 1, 1), c.dtype), np.nan).astype(c.dtype) for k in (n, m))
    if whole.any():
        p[:, whole], q[:, whole] = _solved(system[whole], c[:, whole], m, n)
    if rest.any():
        _reduced(c[:, rest], system[rest], (p, q), np.flatnonzero(rest), m, n)
    return p, q


def _is_regular(system: Value, c: Value) -> Any:
    """Whether q_1, …, q_m follow from q_0 = 1."""
    if isinstance(system, Operand):
        return True
    system = np.where(np.isfinite(system), system, 0)
    sizes = np.linalg.svd(system, compute_uv=False)[..., -1]
    square = np.linalg.svd(system[..., 1:], compute_uv=False)
    least = _ROUNDINGS * np.finfo(square.dtype).eps
    return (sizes > least * np.max(np.abs(c), axis=0)) & (square[..., -1] > least * square[..., 0])


_ROUNDINGS = 45  # 1e-14 in double precision


def _solved(system: Value, c: Value, m: int, n: int) -> tuple[Any, Any]:
    higher = np.linalg.solve(system[..., 1:], -system[..., :1])[..., 0]
    q = np.concatenate([np.zeros_like(c[:1]) + 1, np.moveaxis(higher, -1, 0)])
    return _product(c, q, n), q


def _product(c: Value, q: Value, n: int) -> Any:
    """The coefficients up to n of the product of two series."""
    terms = [sum(q[j] * c[k - j] for j in range(min(k + 1, len(q)))) for k in range(n + 1)]
    return np.stack(terms)


def _reduced(c: Value, system: Value, into: tuple[Any, Any], places: Value, m: int, n: int) -> None:
    """Each point of a singular system by lower degrees: by the rank, and without common powers of t."""
    for i, place in enumerate(places):
        a, one = system[i], c[:, i]
        least = _ROUNDINGS * np.finfo(one.dtype).eps * np.max(np.abs(one))
        rank = int(np.sum(np.linalg.svd(a, compute_uv=False) > least))
        if rank < m:
            # fewer poles, and as many degrees fewer above, none below 0
            lower = max(n - (m - rank), 0)
            p, q = _quotient(one[: lower + rank + 1, None], rank, lower)
            p, q = p[:, 0], q[:, 0]
        else:
            q = np.linalg.svd(a)[2][-1].conj()
            first = int(np.argmax(np.abs(q) > _ROUNDINGS * np.finfo(q.real.dtype).eps))
            p = _product(one[:, None], q[:, None], n)[first:, 0] / q[first]
            q = q[first:] / q[first]
        into[0][: len(p), place], into[1][: len(q), place] = p, q


# ── the radius of convergence ────────────────────────────────────────────────────────────────────


def convergence_radius(y: Jet, method: str = "root") -> Any:
    """An estimate of the radius of convergence of a series, the distance to its nearest singularity.

    - "root": |a_k| ≈ C k^α / R^k by least squares over the upper half of the coefficients; any singularities.
    - "ratio": a_k/a_{k−1} ≈ (1 + α/k)/R (Domb & Sykes); a single singularity, on the real axis.
    - "pair": B_k² = (a_{k+1} a_{k−1} − a_k²)/(a_k a_{k−2} − a_{k−1}²) ≈ (1 + α/k)²/R² (Mercer & Roberts); a
      complex-conjugate pair.

    Args:
        y: a series in one variable of order 4 or more, any shape.
        method: one of these.

    Returns:
        R, an array of y's shape: inf where the upper coefficients are all zero, as of a polynomial.

    Raises:
        InvalidType: y is no jet.
        InvalidValue: y has several variables, or an order below 4; there is no such method.

    Source:
        Domb & Sykes, Proc. R. Soc. Lond. A 240, 1957; Mercer & Roberts, "A centre manifold description of contaminant
        dispersion in channels with varying flow properties", SIAM J. Appl. Math. 50, 1990, appendix; Chang & Corliss,
        "Ratio-like and recurrence relation tests for convergence of series", J. Inst. Math. Appl. 25, 1980.

    Example:
        >>> y = np.sqrt(dn.jet([0.5, 2.0], order=30))  # singular at t = −0.5 and −2
        >>> convergence_radius(y).round(2)
        array([0.5, 2. ])
    """
    if _series("convergence_radius", y).order < 4:
        raise InvalidValue(f"convergence_radius: y has order {y.order}; expected 4 or more")
    if method not in _METHODS:
        raise InvalidValue(f"convergence_radius: method is {method!r}; expected {', '.join(map(repr, _METHODS))}")
    a = primal(y.planes)
    with np.errstate(all="ignore"):
        return _METHODS[method](a if a.dtype.itemsize > 4 else a.astype(np.result_type(a, np.float64)))


def _fit(values: Value, *columns: Any) -> Any:
    """The first of the coefficients by least squares at each point, of what is finite; NaN where nothing is."""
    known = np.isfinite(values)
    weights = np.moveaxis(np.where(known, 1.0, 0.0), 0, -1)
    given = np.moveaxis(np.where(known, values, 0.0), 0, -1)
    matrices = weights[..., None] * library(values).asarray(np.stack(columns, axis=1))
    found = np.linalg.pinv(matrices) @ given[..., None]
    return np.where(known.any(axis=0), found[..., 0, 0], np.nan)


def _by_root(a: Value) -> Any:
    k = np.arange(len(a) // 2, len(a))
    sizes = np.abs(a[len(a) // 2 :])
    slope = _fit(np.log(sizes), k / len(a), np.ones(len(k)), np.log(k / len(a))) / len(a)  # −inf of zeros is left out
    return np.where(sizes.any(axis=0), np.exp(-slope), np.inf)


def _by_ratio(a: Value) -> Any:
    k = np.arange(len(a) // 2, len(a))
    inverse = _fit(np.real(a[k] / a[k - 1]), np.ones(len(k)), k[0] / k)
    return np.where(a[k].any(axis=0), 1 / np.abs(inverse), np.inf)


def _by_pair(a: Value) -> Any:
    k = np.arange(max(len(a) // 2, 2), len(a) - 1)
    b = np.sqrt(np.abs((a[k + 1] * a[k - 1] - a[k] ** 2) / (a[k] * a[k - 2] - a[k - 1] ** 2)))
    return np.where(a[k].any(axis=0), 1 / np.abs(_fit(b, np.ones(len(k)), k[0] / k)), np.inf)


_METHODS = {"root": _by_root, "ratio": _by_ratio, "pair": _by_pair}


def _series(name: str, y: Any) -> Jet:
    if not isinstance(y, Jet):
        raise InvalidType(f"{name}: y is a {type(y).__name__}; expected a jet")
    if not isinstance(y.algebra, Univariate) or y.algebra.directions is not None:
        raise InvalidValue(f"{name}: y has {y.algebra}; expected one variable: write .along(…) for a curve")
    return y
