"""Programs that people write every day, at the points where they stand: every way to the Hessian against closed forms.

At w = 0 and at uniform logits, at the solution of a fit (every residual exactly zero), with a masked diagonal and a
masked infinity, at rest length, with equal and with zero elements.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from ways import EVERY_WAY, HESSIANS, JITTED_HESSIANS, Function, differences, in_turn, ways_of

import dualnum as dn

rng = np.random.default_rng(11)


class Case:
    """A function, a point, and its Hessian there."""

    def __init__(self, f: Function, x: Any, hessian: Any) -> None:
        self.f, self.x, self.hessian = f, np.asarray(x, float), np.asarray(hessian, float)


CASES: dict[str, Case] = {}


def case(name: str, f: Function, x: Any, hessian: Any) -> None:
    assert name not in CASES, name
    CASES[name] = Case(f, x, hessian)


# ── logistic regression and softmax ──────────────────────────────────────────────────────────────

FEATURES = rng.normal(size=(6, 3))
LABELS = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
SIGNS = 2 * LABELS - 1
AT_ZERO = FEATURES.T @ FEATURES / 4

LOGISTIC: dict[str, Function] = {
    "logaddexp(0, z) − y z": lambda w: np.sum(np.logaddexp(0, FEATURES @ w) - LABELS * (FEATURES @ w)),
    "logaddexp(z, 0) − y z": lambda w: np.sum(np.logaddexp(FEATURES @ w, 0.0)) - LABELS @ (FEATURES @ w),
    "logaddexp(0, −s z)": lambda w: np.sum(np.logaddexp(0.0, -SIGNS * (FEATURES @ w))),
    "log1p(exp(−s z))": lambda w: np.sum(np.log1p(np.exp(-SIGNS * (FEATURES @ w)))),
    "−log_expit(s z)": lambda w: -np.sum(sp.log_expit(SIGNS * (FEATURES @ w))),
    "−log expit(s z)": lambda w: -np.sum(np.log(sp.expit(SIGNS * (FEATURES @ w)))),
    "xlogy of expit": lambda w: (
        -np.sum(sp.xlogy(LABELS, sp.expit(FEATURES @ w)) + sp.xlogy(1 - LABELS, sp.expit(-(FEATURES @ w))))
    ),
    "log(2 cosh(z/2)) and a line": lambda w: np.sum(
        np.logaddexp(0.5 * (FEATURES @ w), -0.5 * (FEATURES @ w)) + (0.5 - LABELS) * (FEATURES @ w)
    ),
}
for name, f in LOGISTIC.items():
    case(f"logistic regression at 0: {name}", f, np.zeros(3), AT_ZERO)

WEIGHTS = np.array([0.3, -0.2, 0.5])
_p = sp.expit(FEATURES @ WEIGHTS)
case(
    "logistic regression with a ridge",
    lambda w: np.mean(np.logaddexp(0.0, -SIGNS * (FEATURES @ w))) + 0.1 * np.sum(w**2),
    WEIGHTS, (FEATURES.T * (_p * (1 - _p))) @ FEATURES / 6 + 0.2 * np.eye(3),
)  # fmt: skip
case(
    "logistic regression with a ridge by the norm, at 0",
    lambda w: np.mean(np.logaddexp(0.0, -SIGNS * (FEATURES @ w))) + 0.1 * np.linalg.norm(w) ** 2,
    np.zeros(3), AT_ZERO / 6 + 0.2 * np.eye(3),
)  # fmt: skip


def log_sum(z: Any) -> Any:
    shift = np.max(z, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(z - shift), axis=-1)) + shift[..., 0]


def log_sum_of_constant_shift(z: Any) -> Any:
    shift = dn.stop_gradient(np.max(z, axis=-1, keepdims=True))
    return np.log(np.sum(np.exp(z - shift), axis=-1)) + shift[..., 0]


LOG_SUMS: dict[str, Function] = {
    "logaddexp.reduce": lambda z: np.logaddexp.reduce(z, axis=-1),
    "logaddexp, one by one": lambda z: functools.reduce(np.logaddexp, [z[..., k] for k in range(z.shape[-1])]),
    "shifted by the maximum": log_sum,
    "shifted by the maximum, a constant": log_sum_of_constant_shift,
    "log of the sum": lambda z: np.log(np.sum(np.exp(z), axis=-1)),
    "in powers of 2": lambda z: np.logaddexp2.reduce(z / np.log(2), axis=-1) * np.log(2),
}
UNIFORM = np.eye(3) / 3 - 1 / 9
for name, f in LOG_SUMS.items():
    case(f"softmax at uniform logits: {name}", lambda z, f=f: f(z) - z[1], np.full(3, 0.7), UNIFORM)

INPUTS = rng.normal(size=(4, 2))
_over_inputs = np.einsum("ab,ni,nj->aibj", UNIFORM, INPUTS, INPUTS)
for name in ("logaddexp.reduce", "shifted by the maximum"):
    case(
        f"softmax cross-entropy at 0: {name}",
        lambda w, f=LOG_SUMS[name]: np.sum(f(INPUTS @ w.T) - (INPUTS @ w.T)[np.arange(4), [0, 2, 1, 1]]),
        np.zeros((3, 2)), _over_inputs,
    )  # fmt: skip
_two = np.array([0.25, 0.25, 0.5])
case(
    "softmax at two equal logits of three", lambda z: np.logaddexp.reduce(z), np.array([0.1, 0.1, 0.1 + np.log(2)]),
    np.diag(_two) - np.outer(_two, _two),
)  # fmt: skip

# ── least squares at the solution ────────────────────────────────────────────────────────────────

TIMES = np.array([0.5, 1.0, 2.0])
SOLUTION = np.array([2.0, 0.5])


def decay(w: Any) -> Any:
    return w[0] * np.exp(-w[1] * TIMES)


def line(w: Any) -> Any:
    return w[0] * TIMES + w[1]


_e = np.exp(-0.5 * TIMES)
JACOBIAN = np.stack([_e, -2 * TIMES * _e], axis=1)
SLOPES = np.stack([TIMES, np.ones(3)], axis=1)
MEASURED = decay(SOLUTION)
J2, L2 = 2 * JACOBIAN.T @ JACOBIAN, 2 * SLOPES.T @ SLOPES
LOSSES: dict[str, tuple[Function, float]] = {
    "Σ r²": (lambda r: np.sum(r**2), 1.0),
    "Σ r r": (lambda r: np.sum(r * r), 1.0),
    "r @ r": (lambda r: r @ r, 1.0),
    "mean of square(r)": (lambda r: np.mean(np.square(r)), 1 / 3),
    "Σ r^2.0": (lambda r: np.sum(np.power(r, 2.0)), 1.0),
    "Σ |r|²": (lambda r: np.sum(np.abs(r) ** 2), 1.0),
    "‖r‖²": (lambda r: np.linalg.norm(r) ** 2, 1.0),
    "√(Σ r²)²": (lambda r: np.sqrt(np.sum(r**2)) ** 2, 1.0),
    "hypot²": (lambda r: np.hypot(np.hypot(r[0], r[1]), r[2]) ** 2, 1.0),
    "Σ log1p(r²)": (lambda r: np.sum(np.log1p(r**2)), 1.0),
    "Σ (√(1 + r²) − 1)": (lambda r: np.sum(np.sqrt(1 + r * r) - 1), 0.5),
    "Σ log cosh r": (lambda r: np.sum(np.logaddexp(r, -r) - np.log(2)), 0.5),
    "Σ log(cosh r)": (lambda r: np.sum(np.log(np.cosh(r))), 0.5),
    "−Σ exp(−r²)": (lambda r: -np.sum(np.exp(-(r**2))), 1.0),
    "−exp(−‖r‖²)": (lambda r: -np.exp(-(np.linalg.norm(r) ** 2)), 1.0),
    "Σ huber(1, r)": (lambda r: np.sum(sp.huber(1.0, r)), 0.5),
    "Σ pseudo_huber(1, r)": (lambda r: np.sum(sp.pseudo_huber(1.0, r)), 0.5),
    "Huber by where": (lambda r: np.sum(np.where(np.abs(r) < 1, 0.5 * r**2, np.abs(r) - 0.5)), 0.5),
    "Σ clip(r, −1, 1)²": (lambda r: np.sum(np.clip(r, -1, 1) ** 2), 1.0),
    "Σ min(r², 1)": (lambda r: np.sum(np.minimum(r**2, 1.0)), 1.0),
    "nansum of r²": (lambda r: np.nansum(np.square(r)), 1.0),
    "max(r, −1)² summed": (lambda r: np.sum(np.maximum(r, -1.0) ** 2), 1.0),
    "Geman–McClure": (lambda r: np.sum(r**2 / (1 + r**2)), 1.0),
    "Cauchy product": (lambda r: np.prod(1 + r**2), 1.0),
}
for name, (loss, factor) in LOSSES.items():
    case(f"at the solution: {name}", lambda w, loss=loss: loss(decay(w) - MEASURED), SOLUTION, factor * J2)

MODELS: dict[str, tuple[Function, Any]] = {
    "clip": (lambda w: np.clip(decay(w), 0.1, 5.0), J2),
    "max": (lambda w: np.maximum(decay(w), 0.1), J2),
    "min": (lambda w: np.minimum(decay(w), 5.0), J2),
    "fmax": (lambda w: np.fmax(decay(w), 0.1), J2),
    "fmin": (lambda w: np.fmin(decay(w), 5.0), J2),
    "where": (lambda w: np.where(decay(w) > 1, decay(w), decay(w) * 1.0), J2),
    "select": (lambda w: np.select([decay(w) > 1, decay(w) <= 1], [decay(w), +decay(w)], 0.0), J2),
    "choose": (lambda w: np.choose([0, 1, 0], [decay(w), 1.0 * decay(w)]), J2),
    "nan_to_num": (lambda w: np.nan_to_num(decay(w)), J2),
    "abs": (lambda w: np.abs(decay(w)), J2),
    "sort": (lambda w: np.sort(decay(w))[::-1], J2),
    "ReLU": (lambda w: np.maximum(line(w), 0.0), L2),
    "ReLU by where": (lambda w: np.where(line(w) > 0, line(w), 0.0), L2),
    "ReLU by a product": (lambda w: line(w) * (line(w) > 0), L2),
    "remainder": (lambda w: np.remainder(line(w), 100.0), L2),
    "concatenate": (lambda w: np.concatenate([line(w)[:1], line(w)[1:]]), L2),
    "cumsum of diff": (lambda w: np.cumsum(np.concatenate([line(w)[:1], np.diff(line(w))])), L2),
    "interp": (lambda w: np.interp(line(w), [-10.0, 0.0, 10.0], [-10.0, 0.0, 10.0]), L2),
}
for name, (model, hessian) in MODELS.items():
    fitted = np.asarray(model(SOLUTION))
    case(
        f"a perfect fit with {name}",
        lambda w, model=model, y=fitted: np.sum((model(w) - y) ** 2),
        SOLUTION, hessian,
    )  # fmt: skip

# one number fitted by a statistic: 2 ∇s ∇sᵀ
_x = np.array([1.0, 4.0, 2.0])
_deviations = _x - np.mean(_x)
STATISTICS: dict[str, tuple[Function, Any]] = {
    "max": (np.max, [0, 1, 0]),
    "min": (np.min, [1, 0, 0]),
    "ptp": (np.ptp, [-1, 1, 0]),
    "median": (np.median, [0, 0, 1]),
    "quantile": (lambda x: np.quantile(x, 0.75), [0, 0.5, 0.5]),
    "norm": (np.linalg.norm, _x / np.linalg.norm(_x)),
    "std": (np.std, _deviations / (3 * np.std(_x))),
    "var": (np.var, 2 * _deviations / 3),
    "nansum": (np.nansum, [1, 1, 1]),
    "nanmax": (np.nanmax, [0, 1, 0]),
    "mean": (np.mean, np.full(3, 1 / 3)),
    "prod": (np.prod, [8, 2, 4]),
    "amax of a matrix": (lambda x: np.max(np.outer(x, np.ones(2)), axis=0)[1], [0, 1, 0]),
    "sum of all but the largest": (lambda x: np.sum(np.sort(x)[:-1]), [1, 0, 1]),
    "partition": (lambda x: np.partition(x, 1)[1], [0, 0, 1]),
}
for name, (statistic, slope) in STATISTICS.items():
    measured = float(statistic(_x))
    case(
        f"a statistic that fits exactly: {name}",
        lambda x, s=statistic, y=measured: (s(x) - y) ** 2,
        _x, 2 * np.outer(slope, slope),
    )  # fmt: skip

# ── potentials of pairs ──────────────────────────────────────────────────────────────────────────

POSITIONS = np.array([[0.0, 0.1], [1.3, 0.2], [0.4, 1.2]])
CHARGES = np.array([1.0, -0.5, 2.0])
DIAGONAL = np.eye(3, dtype=bool)


def squared_distances(x: Any) -> Any:
    return np.sum((x[:, None] - x[None, :]) ** 2, axis=-1)


def pair_hessian(first: Function, second: Function, weights: Any) -> Any:
    """Of Σ_{i<j} w_ij φ(r_ij): blocks of w ((φ'' − φ'/r) n nᵀ + φ'/r 1)."""
    h = np.zeros((3, 2, 3, 2))
    for i in range(3):
        for j in range(3):
            if i != j:
                d = POSITIONS[i] - POSITIONS[j]
                r = np.sqrt(d @ d)
                n = np.outer(d, d) / r**2
                block = weights[i, j] * ((second(r) - first(r) / r) * n + first(r) / r * np.eye(2))
                h[i, :, i] += block
                h[i, :, j] -= block
    return h


LENNARD_JONES = pair_hessian(
    lambda r: 4 * (-12 / r**13 + 6 / r**7), lambda r: 4 * (156 / r**14 - 42 / r**8), np.ones((3, 3))
)
COULOMB = pair_hessian(lambda r: -1 / r**2, lambda r: 2 / r**3, np.outer(CHARGES, CHARGES))


def lennard_jones(r2: Any) -> Any:
    return 4 * (1 / r2**6 - 1 / r2**3)


def safe(r2: Any) -> Any:
    return np.where(DIAGONAL, 1.0, r2)


COUPLED = np.outer(CHARGES, CHARGES)
PAIRS: dict[str, tuple[Function, Any]] = {
    "Lennard-Jones, mask before": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, lennard_jones(safe(squared_distances(x))))), LENNARD_JONES,
    ),
    "Lennard-Jones, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, lennard_jones(squared_distances(x)))), LENNARD_JONES,
    ),
    "Lennard-Jones by negative powers, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, 4 * (squared_distances(x) ** -6 - squared_distances(x) ** -3))),
        LENNARD_JONES,
    ),
    "Lennard-Jones of roots, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, lennard_jones(np.sqrt(squared_distances(x)) ** 2))),
        LENNARD_JONES,
    ),
    "Lennard-Jones, select": (
        lambda x: 0.5 * np.sum(np.select([~DIAGONAL], [lennard_jones(squared_distances(x))], 0.0)), LENNARD_JONES,
    ),
    "Lennard-Jones, off the diagonal by indices": (
        lambda x: np.sum(lennard_jones(squared_distances(x)[np.triu_indices(3, 1)])), LENNARD_JONES,
    ),
    "Lennard-Jones, off the diagonal by a mask": (
        lambda x: 0.5 * np.sum(lennard_jones(squared_distances(x))[~DIAGONAL]), LENNARD_JONES,
    ),
    "Lennard-Jones, nansum": (lambda x: 0.5 * np.nansum(lennard_jones(squared_distances(x))), LENNARD_JONES),
    "Lennard-Jones, sum with where": (
        lambda x: 0.5 * np.sum(lennard_jones(squared_distances(x)), where=~DIAGONAL), LENNARD_JONES,
    ),
    "Lennard-Jones, cut off": (
        lambda x: 0.5 * np.sum(
            np.where((squared_distances(x) < 9.0) & ~DIAGONAL, lennard_jones(squared_distances(x)), 0.0)
        ), LENNARD_JONES,
    ),
    "Coulomb, mask before": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, COUPLED / np.sqrt(safe(squared_distances(x))))), COULOMB,
    ),
    "Coulomb, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, COUPLED / np.sqrt(squared_distances(x)))), COULOMB,
    ),
    "Coulomb by the norm, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, COUPLED / np.linalg.norm(x[:, None] - x[None, :], axis=-1))),
        COULOMB,
    ),
    "Coulomb by hypot, mask after": (
        lambda x: 0.5 * np.sum(
            np.where(DIAGONAL, 0.0, COUPLED / np.hypot(*(x[:, None, k] - x[None, :, k] for k in range(2))))
        ), COULOMB,
    ),
    "Coulomb by the power −½, mask after": (
        lambda x: 0.5 * np.sum(np.where(DIAGONAL, 0.0, COUPLED * squared_distances(x) ** -0.5)), COULOMB,
    ),
    "Coulomb, the diagonal made 1": (
        lambda x: 0.5 * np.sum((COUPLED / np.sqrt(squared_distances(x) + np.eye(3))) * ~DIAGONAL), COULOMB,
    ),
    "Coulomb, nan_to_num": (
        lambda x: 0.5 * np.sum(np.nan_to_num(COUPLED / np.sqrt(squared_distances(x)), posinf=0.0)), COULOMB,
    ),
}  # fmt: skip
for name, (f, hessian) in PAIRS.items():
    case(name, f, POSITIONS, hessian)

# ── losses with corners, away from them, beside points that stand at zero ────────────────────────

_r = np.array([0.0, 0.5, 2.0, -3.0])
_inside = np.diag([1.0, 1.0, 0.0, 0.0])
case("Huber by where", lambda r: np.sum(np.where(np.abs(r) <= 1, 0.5 * r**2, np.abs(r) - 0.5)), _r, _inside)
case(
    "Huber by select",
    lambda r: np.sum(np.select([r < -1, r > 1], [-r - 0.5, r - 0.5], 0.5 * r * r)), _r, _inside,
)  # fmt: skip
case("Huber of SciPy", lambda r: np.sum(sp.huber(1.0, r)), _r, _inside)
case("Huber by clip", lambda r: np.sum(np.clip(r, -1, 1) * (r - 0.5 * np.clip(r, -1, 1))), _r, _inside)
_margins = np.array([0.25, 2.0, -1.0])
case("hinge with a ridge", lambda m: np.sum(np.maximum(0, 1 - m)) + np.sum(m**2), _margins, 2 * np.eye(3))
case("squared hinge", lambda m: np.sum(np.maximum(0, 1 - m) ** 2), _margins, np.diag([2.0, 0.0, 2.0]))
case(
    "smoothed hinge",
    lambda m: np.sum(np.where(m >= 1, 0.0, np.where(m <= 0, 0.5 - m, 0.5 * (1 - m) ** 2))),
    _margins, np.diag([1.0, 0.0, 0.0]),
)  # fmt: skip
case(
    "softplus network at 0",
    lambda w: (np.logaddexp(w[0] * 2.0, 0) - np.logaddexp(0, w[1] * 3.0)) ** 2,
    np.zeros(2), 2 * np.outer([1.0, -1.5], [1.0, -1.5]),
)  # fmt: skip

# ── statistics ───────────────────────────────────────────────────────────────────────────────────

DATA = np.array([1.0, 2.0, 2.0, 3.0])  # two of them at the mean
_variance = np.var(DATA)


def gaussian(p: Any) -> Any:
    return np.sum(0.5 * ((DATA - p[0]) / np.exp(p[1])) ** 2 + p[1])


case("Gaussian log-likelihood at its maximum", gaussian, [2.0, 0.5 * np.log(_variance)], np.diag([4 / _variance, 8.0]))
case("Gaussian log-likelihood at σ = 1", gaussian, [1.0, 0.0], [[4.0, 8.0], [8.0, 12.0]])
case(
    "Gaussian log-likelihood by log_ndtr, censored at the mean",
    lambda p: -np.sum(sp.log_ndtr(p - 1.0)),
    [1.0, 1.0], 2 / np.pi * np.eye(2),
)  # fmt: skip
case("variance of equal numbers", np.var, np.ones(3), 2 / 3 * (np.eye(3) - 1 / 3))
case("standard deviation squared, of equal numbers", lambda x: np.std(x) ** 2, np.ones(3), 2 / 3 * (np.eye(3) - 1 / 3))
case(
    "Poisson likelihood with zero counts",
    lambda r: np.sum(r - sp.xlogy([0.0, 3.0], r)),
    [0.0, 1.5],
    np.diag([0, 4 / 3]),
)
case("product with one zero", np.prod, [0.0, 2.0, 3.0], [[0, 3, 2], [3, 0, 0], [2, 0, 0]])
case("product with two zeros", np.prod, [0.0, 0.0, 3.0], [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
case(
    "cumulative products with a zero",
    lambda x: np.sum(np.cumprod(x)), [0.0, 2.0, 3.0], [[0, 4, 2], [4, 0, 0], [2, 0, 0]],
)  # fmt: skip

# ── networks ─────────────────────────────────────────────────────────────────────────────────────

RELUS: dict[str, Function] = {
    "maximum": lambda z: np.maximum(z, 0),
    "where": lambda z: np.where(z > 0, z, 0.0),
    "clip": lambda z: np.clip(z, 0.0, None),
    "product": lambda z: z * (z > 0),
    "half of z + |z|": lambda z: 0.5 * (z + np.abs(z)),
    "fmax": lambda z: np.fmax(z, 0.0),
}
NETWORK = np.array([1.0, -0.5, 0.3, 0.8, 2.0, -1.0])  # two rows of weights and the weights of the result
EXAMPLE = np.array([0.6, 0.2])


def network(relu: Function, w: Any) -> Any:
    return w[4:] @ relu(np.reshape(w[:4], (2, 2)) @ EXAMPLE)


_hidden = np.reshape(NETWORK[:4], (2, 2)) @ EXAMPLE
assert np.all(_hidden > 0)
_gradient = np.concatenate([np.outer(NETWORK[4:], EXAMPLE).ravel(), _hidden])
_curvature = np.zeros((6, 6))
for j in range(2):
    _curvature[2 * j : 2 * j + 2, 4 + j] = _curvature[4 + j, 2 * j : 2 * j + 2] = EXAMPLE
_target = float(NETWORK[4:] @ _hidden)
for name, relu in RELUS.items():
    case(
        f"a ReLU network that fits, by {name}", lambda w, relu=relu: (network(relu, w) - _target) ** 2,
        NETWORK, 2 * np.outer(_gradient, _gradient),
    )  # fmt: skip
case(
    "a ReLU network that does not fit", lambda w: (network(RELUS["maximum"], w) - _target - 1.0) ** 2,
    NETWORK, 2 * np.outer(_gradient, _gradient) - 2 * _curvature,
)  # fmt: skip

# ── constraints at rest ──────────────────────────────────────────────────────────────────────────

ENDS = np.array([[0.0, 0.0], [3.0, 4.0]])
_along = np.array([[-0.6, -0.8], [0.6, 0.8]])
AT_REST = 100.0 * np.einsum("ai,bj->aibj", _along, _along)
LENGTHS: dict[str, Function] = {
    "norm": lambda x: np.linalg.norm(x[1] - x[0]),
    "root of a sum": lambda x: np.sqrt(np.sum((x[1] - x[0]) ** 2)),
    "root of a product": lambda x: np.sqrt((x[1] - x[0]) @ (x[1] - x[0])),
    "hypot": lambda x: np.hypot(x[1, 0] - x[0, 0], x[1, 1] - x[0, 1]),
}
for name, length in LENGTHS.items():
    case(f"a spring at rest: {name}", lambda x, f=length: 50.0 * (f(x) - 5.0) ** 2, ENDS, AT_REST)
case(
    "a rope that is slack", lambda x: np.maximum(np.linalg.norm(x[1] - x[0]) - 6.0, 0.0) ** 2, ENDS, np.zeros((2,) * 4)
)
case(
    "a constraint with its compliance, at rest",
    lambda x: np.where(np.linalg.norm(x[1] - x[0]) - 5.0 < 1.0, 50.0 * (np.linalg.norm(x[1] - x[0]) - 5.0) ** 2, 0.0),
    ENDS, AT_REST,
)  # fmt: skip

# ── masks beside infinities ──────────────────────────────────────────────────────────────────────

POINTS = np.array([0.0, 0.5, 2.0])


def diagonal(second: Function) -> Any:
    """Where x = 0 is masked, its row is zero."""
    return np.diag([0.0, *(second(x) for x in POINTS[1:])])


def sinc_second(x: float) -> float:
    return float(-np.sin(x) / x - 2 * np.cos(x) / x**2 + 2 * np.sin(x) / x**3)


def self_power_second(x: float) -> float:
    return float(x**x * ((np.log(x) + 1) ** 2 + 1 / x))


def flat_second(x: float) -> float:
    return float(np.exp(-1 / x) * (1 / x**4 - 2 / x**3))


def tanh_second(x: float) -> float:
    """With u = 1/x: tanh(u)'' = t''(u) u'² + t'(u) u''."""
    t = np.tanh(1 / x)
    return float(-2 * t * (1 - t * t) / x**4 + (1 - t * t) * 2 / x**3)


MASKED: dict[str, tuple[Function, Any]] = {
    "1/x": (lambda x: 1 / x, diagonal(lambda x: 2 / x**3)),
    "x^−2": (lambda x: x**-2, diagonal(lambda x: 6 / x**4)),
    "x^−½": (lambda x: x**-0.5, diagonal(lambda x: 0.75 * x**-2.5)),
    "reciprocal x": (np.reciprocal, diagonal(lambda x: 2 / x**3)),
    "log x": (np.log, diagonal(lambda x: -1 / x**2)),
    "log2 x": (np.log2, diagonal(lambda x: -1 / (x**2 * np.log(2)))),
    "x log x": (lambda x: x * np.log(x), diagonal(lambda x: 1 / x)),
    "√x": (np.sqrt, diagonal(lambda x: -0.25 * x**-1.5)),
    "x^0.3": (lambda x: x**0.3, diagonal(lambda x: -0.21 * x**-1.7)),
    "sin(x)/x": (lambda x: np.sin(x) / x, diagonal(sinc_second)),
    "exp(−1/x)": (lambda x: np.exp(-1 / x), diagonal(flat_second)),
    "tanh(1/x)": (lambda x: np.tanh(1 / x), diagonal(tanh_second)),
    "x^x": (lambda x: x**x, diagonal(self_power_second)),
    "arctanh(x/4)/x": (
        lambda x: np.arctanh(x / 4) / x,
        diagonal(lambda x: 2 * np.arctanh(x / 4) / x**3 - 8 / (x**2 * (16 - x**2)) + 8 / (16 - x**2) ** 2),
    ),
    "log of 1/x": (lambda x: np.log(1 / x), diagonal(lambda x: 1 / x**2)),
    "gammaln x": (sp.gammaln, diagonal(lambda x: float(sp.polygamma(1, x)))),
}
MASKS: dict[str, Callable[[Function, Any], Any]] = {
    "where, after": lambda f, x: np.where(x > 0, f(x), 0.0),
    "where, before": lambda f, x: np.where(x > 0, f(np.where(x > 0, x, 1.0)), 0.0),
    "where, turned": lambda f, x: np.where(x == 0, 0.5, f(x)),
    "select": lambda f, x: np.select([x == 0, x > 0], [0.0 * x, f(x)], 1.0),
    "choose": lambda f, x: np.choose([0, 1, 1], [0.0, f(x)]),
    "sum with where": lambda f, x: np.sum(f(x), where=POINTS > 0),
    "boolean index": lambda f, x: f(x)[POINTS > 0],
    "compress": lambda f, x: np.compress(POINTS > 0, f(x)),
}
for masked, (f, hessian) in MASKED.items():
    for mask in ("where, after", "where, before"):
        case(f"{masked}, {mask}", lambda x, f=f, m=MASKS[mask]: np.sum(m(f, x)), POINTS, hessian)
for mask, apply in MASKS.items():
    _sum = 3.0 if mask == "where, turned" else 2.5  # of 1/x at ½ and 2, and what stands in for that at 0
    case(
        f"1/x, the sum squared, {mask}", lambda x, m=apply: np.sum(m(lambda x: 1 / x, x)) ** 2, POINTS,
        [[0, 0, 0], [0, 32 + 32 * _sum, 2], [0, 2, 0.125 + 0.5 * _sum]],
    )  # fmt: skip

CHOSEN: dict[str, tuple[Function, Any]] = {
    "min(1/x, 1)": (lambda x: np.minimum(1 / x, 1.0), np.diag([0.0, 0.0, 0.25])),
    "fmin(1/x, 1)": (lambda x: np.fmin(1 / x, 1.0), np.diag([0.0, 0.0, 0.25])),
    "clip(1/x, 0, 1)": (lambda x: np.clip(1 / x, 0.0, 1.0), np.diag([0.0, 0.0, 0.25])),
    "max(log x, −2)": (lambda x: np.maximum(np.log(x), -2.0), np.diag([0.0, -4.0, -0.25])),
    "fmax(log(x − 1), −2)": (lambda x: np.fmax(np.log(x - 1), -2.0), np.diag([0.0, 0.0, -1.0])),
    "nan_to_num(log(x − 1))": (lambda x: np.nan_to_num(np.log(x - 1)), np.diag([0.0, 0.0, -1.0])),
    "nan_to_num(1/x, posinf=0)": (lambda x: np.nan_to_num(1 / x, posinf=0.0), np.diag([0.0, 16.0, 0.25])),
    "nansum of √(x − 1)": (lambda x: np.nansum(np.sqrt(x - 1)), np.diag([0.0, 0.0, -0.25])),
    "nanmax of √(x − 1)": (lambda x: np.nanmax(np.sqrt(x - 1)), np.diag([0.0, 0.0, -0.25])),
    "smallest two of 1/x": (lambda x: np.sort(1 / x)[:2], np.diag([0.0, 16.0, 0.25])),
    "smallest of 1/x": (lambda x: np.min(1 / x), np.diag([0.0, 0.0, 0.25])),
    "median of 1/x": (lambda x: np.median(1 / x), np.diag([0.0, 16.0, 0.0])),
    "quantile of 1/x": (lambda x: np.quantile(1 / x, 0.25), np.diag([0.0, 8.0, 0.125])),
    "partition of 1/x": (lambda x: np.partition(1 / x, 1)[:2], np.diag([0.0, 16.0, 0.25])),
    "piecewise": (lambda x: np.piecewise(x, [x > 0], [lambda v: 1 / v, 0.0]), np.diag([0.0, 16.0, 0.25])),
    "maximum.reduce of −1/x": (lambda x: np.maximum.reduce(-1 / x), np.diag([0.0, 0.0, -0.25])),
    "xlogy(x, x) where x > 0": (lambda x: np.where(x > 0, sp.xlogy(x, x), 0.0), np.diag([0.0, 2.0, 0.5])),
}
for name, (f, hessian) in CHOSEN.items():
    case(f"a branch beside an infinity: {name}", lambda x, f=f: np.sum(f(x)), POINTS, hessian)

# ── even functions of a kink, which are no kinks ─────────────────────────────────────────────────

ORIGIN = np.zeros(2)
EVEN: dict[str, tuple[Function, float]] = {
    "Σ |x|²": (lambda x: np.sum(np.abs(x) ** 2), 2.0),
    "square(|x|)": (lambda x: np.sum(np.square(np.fabs(x))), 2.0),
    "‖x‖²": (lambda x: np.linalg.norm(x) ** 2, 2.0),
    "‖x‖^2.0": (lambda x: np.power(np.linalg.norm(x), 2.0), 2.0),
    "hypot²": (lambda x: np.hypot(x[0], x[1]) ** 2, 2.0),
    "(Σ x²)**0.5, squared": (lambda x: (np.sum(x**2) ** 0.5) ** 2, 2.0),
    "exp(−‖x‖²)": (lambda x: np.exp(-(np.linalg.norm(x) ** 2)), -2.0),
    "sin ‖x‖²": (lambda x: np.sin(np.linalg.norm(x) ** 2), 2.0),
    "√(Σ x²)²": (lambda x: np.sqrt(np.sum(x * x)) ** 2, 2.0),
    "|−Σ x²|": (lambda x: np.abs(-np.sum(x**2)), 2.0),
}
for name, (f, factor) in EVEN.items():
    case(f"{name} at 0", f, ORIGIN, factor * np.eye(2))

# ── the tests ────────────────────────────────────────────────────────────────────────────────────

LARGE = {"one jet along lines", "jets of jets"}  # which take an evaluation for every pair of variables


@pytest.mark.parametrize("name", CASES)
def test_hessians(name: str) -> None:
    """Every case by most of the ways, in turn."""
    c = CASES[name]
    ways = {way: made for way, made in HESSIANS.items() if c.x.size <= 3 or way not in LARGE}
    ways = in_turn(ways, list(CASES).index(name), 8)
    found = differences({way: lambda made=made: made(c.f)(c.x) for way, made in ways.items()}, c.hessian)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", [name for k, name in enumerate(CASES) if k % 3 or EVERY_WAY])
def test_compiled_hessians(name: str) -> None:
    """Every case by one of the ways, in turn."""
    c = CASES[name]
    ways = {way: made for way, made in JITTED_HESSIANS.items() if c.x.size <= 3 or "of jac" not in way or EVERY_WAY}
    chosen = in_turn(ways, list(CASES).index(name))
    found = differences({way: lambda made=made: made(c.f)(c.x) for way, made in chosen.items()}, c.hessian)
    assert not found, "\n".join(found)


# ── one variable: the n-th derivative ────────────────────────────────────────────────────────────

PAIR = np.array([1.0, 0.0])


def both(t: Any) -> Any:
    """t beside a zero."""
    return np.stack([t, 0 * t])


def below(x: Any) -> Any:
    return np.where(both(x) > 0, 1 / both(x), 0.0)


LN2 = np.log(2.0)
# name: the function, the point, {n: the n-th derivative}
SCALARS: dict[str, tuple[Function, float, dict[int, float]]] = {
    # a mask beside an infinity
    "Σ where(x > 0, 1/x, 0) over [t, 0]": (lambda t: np.sum(below(t)), 2.0, {1: -0.25, 2: 0.25, 3: -0.375}),
    "where(t > 0, 1/t, 0) times t³": (lambda t: np.sum(below(t) * t**3), 2.0, {1: 4.0, 2: 2.0, 3: 0.0}),
    "Σ where(d > 0, t³/d, 0)": (
        lambda t: np.sum(np.where(PAIR > 0, t**3 / PAIR, 0.0)), 2.0, {1: 12.0, 2: 12.0, 3: 6.0}
    ),
    "where in a column, 1/d in a row": (
        lambda t: np.sum(np.where(PAIR[:, None] * PAIR > 0, t**3 / (PAIR * np.ones((2, 1))), 0.0)), 2.0,
        {1: 12.0, 2: 12.0, 3: 6.0},
    ),
    "Σ t^[0, 1, 2, 3]": (lambda t: np.sum(t ** np.arange(4)), 0.0, {1: 1.0, 2: 2.0, 3: 6.0}),
    "Σ t^[0., 1., 2., 3.]": (lambda t: np.sum(t ** np.arange(4.0)), 0.0, {1: 1.0, 2: 2.0, 3: 6.0}),
    "sin(t)/t where t ≠ 0": (lambda t: np.where(t == 0, 1.0, np.sin(t) / t), np.pi, {1: -1 / np.pi, 2: 2 / np.pi**2}),
    # a fit that is exact
    "(where(t > 0, t², t) − 4)²": (lambda t: (np.where(t > 0, t**2, t) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(max(t², t) − 4)²": (lambda t: (np.maximum(t**2, t) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(min(t², 9) − 4)²": (lambda t: (np.minimum(t**2, 9.0) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(fmax(t², t) − 4)²": (lambda t: (np.fmax(t**2, t) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(fmin(t², 9) − 4)²": (lambda t: (np.fmin(t**2, 9.0) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(clip(t², 0, 9) − 4)²": (lambda t: (np.clip(t**2, 0, 9) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(norm [t, 0] − 2)²": (lambda t: (np.linalg.norm(both(t)) - 2) ** 2, 2.0, {1: 0.0, 2: 2.0, 3: 0.0}),
    "(std [t, 0] − 1)²": (lambda t: (np.std(both(t)) - 1) ** 2, 2.0, {1: 0.0, 2: 0.5, 3: 0.0}),
    "(median [t², t, 0] − 2)²": (
        lambda t: (np.median(np.stack([t**2, t, 0 * t])) - 2) ** 2, 2.0, {1: 0.0, 2: 2.0, 3: 0.0}
    ),
    "(quantile [t², t] − 3)²": (
        lambda t: (np.quantile(np.stack([t**2, t]), 0.5) - 3) ** 2, 2.0, {1: 0.0, 2: 12.5, 3: 15.0}
    ),
    "(max [t², t] − 4)²": (lambda t: (np.max(np.stack([t**2, t])) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    "(ptp [t², t] − 2)²": (lambda t: (np.ptp(np.stack([t**2, t])) - 2) ** 2, 2.0, {1: 0.0, 2: 18.0, 3: 36.0}),
    "(nansum [t², NaN] − 4)²": (
        lambda t: (np.nansum(np.stack([t**2, np.nan * t])) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}
    ),
    "(select − 4)²": (lambda t: (np.select([t > 0], [t**2], t) - 4) ** 2, 2.0, {1: 0.0, 2: 32.0, 3: 48.0}),
    # higher orders of plain functions
    "1/(1 + t²)": (lambda t: 1 / (1 + t * t), 1.0, {3: 0.0, 4: -3.0, 5: 15.0}),
    "arctan t": (np.arctan, 0.0, {2: 0.0, 3: -2.0, 4: 0.0, 5: 24.0}),
    # ties and special values of rules
    "logaddexp(t, 0)": (lambda t: np.logaddexp(t, 0), 0.0, {1: 0.5, 2: 0.25, 3: 0.0, 4: -0.125}),
    "logaddexp(2t, t + 1)": (lambda t: np.logaddexp(2 * t, t + 1), 1.0, {1: 1.5, 2: 0.25, 3: 0.0, 4: -0.125}),
    "logaddexp2(t, 0)": (lambda t: np.logaddexp2(t, 0), 0.0, {1: 0.5, 2: LN2 / 4, 3: 0.0, 4: -(LN2**3) / 8}),
    "logaddexp.reduce [t, 0, 0]": (
        lambda t: np.logaddexp.reduce(np.stack([t, 0 * t, 0 * t])), 0.0, {1: 1 / 3, 2: 2 / 9, 3: 2 / 27}
    ),
    "logaddexp2.reduce [t, 0]": (lambda t: np.logaddexp2.reduce(both(t)), 0.0, {1: 0.5, 2: LN2 / 4, 3: 0.0}),
    "ndtri": (sp.ndtri, 0.5, {1: np.sqrt(2 * np.pi), 2: 0.0, 3: np.sqrt(2 * np.pi) ** 3}),
    "erfinv": (sp.erfinv, 0.0, {1: np.sqrt(np.pi) / 2, 2: 0.0, 3: np.pi**1.5 / 4}),
    "erfcinv": (sp.erfcinv, 1.0, {1: -np.sqrt(np.pi) / 2, 2: 0.0, 3: -(np.pi**1.5) / 4}),
    "spence": (sp.spence, 1.0, {1: -1.0, 2: 0.5, 3: -2 / 3, 4: 1.5}),
    "xlogy(t, t)": (lambda t: sp.xlogy(t, t), 1.0, {1: 1.0, 2: 1.0, 3: -1.0, 4: 2.0}),
    "xlogy(t − 1, t)": (lambda t: sp.xlogy(t - 1, t), 1.0, {1: 0.0, 2: 2.0, 3: -3.0, 4: 8.0}),
    "xlogy(t, 3)": (lambda t: sp.xlogy(t, 3.0), 0.0, {1: np.log(3.0), 2: 0.0, 3: 0.0}),
    "xlogy(t, 3 + t)": (lambda t: sp.xlogy(t, 3 + t), 0.0, {1: np.log(3.0), 2: 2 / 3, 3: -1 / 3}),
    "xlogy(t², 3)": (lambda t: sp.xlogy(t**2, 3.0), 0.0, {1: 0.0, 2: 2 * np.log(3.0), 3: 0.0}),
    "xlogy(2, (t − 1)² + 1)": (lambda t: sp.xlogy(2.0, (t - 1) ** 2 + 1), 1.0, {1: 0.0, 2: 4.0, 3: 0.0, 4: -24.0}),
    "xlog1py(t, 2)": (lambda t: sp.xlog1py(t, 2.0), 0.0, {1: np.log(3.0), 2: 0.0, 3: 0.0}),
    "xlog1py(t, t)": (lambda t: sp.xlog1py(t, t), 0.0, {1: 0.0, 2: 2.0, 3: -3.0, 4: 8.0}),
    "xlog1py(2, t²)": (lambda t: sp.xlog1py(2.0, t**2), 0.0, {1: 0.0, 2: 4.0, 3: 0.0, 4: -24.0}),
    "boxcox(2, t)": (lambda t: sp.boxcox(2.0, t), 0.0, {1: LN2**2 / 2, 2: LN2**3 / 3, 3: LN2**4 / 4}),
    "boxcox(t, 0)": (lambda t: sp.boxcox(t, 0.0), 2.0, {1: 0.5, 2: -0.25, 3: 0.25}),
    "boxcox(t, 1)": (lambda t: sp.boxcox(t, 1.0), 1.0, {1: 1.0, 2: 0.0, 3: 0.0}),
    "boxcox(1 + t, t)": (lambda t: sp.boxcox(1 + t, t), 0.0, {1: 1.0, 2: -1.0, 3: 5.0}),
    "inv_boxcox(1, t)": (lambda t: sp.inv_boxcox(1.0, t), 0.0, {1: -np.e / 2, 2: 11 * np.e / 12}),
    "inv_boxcox(t, 0)": (lambda t: sp.inv_boxcox(t, 0.0), 0.0, {1: 1.0, 2: 1.0, 3: 1.0}),
    "inv_boxcox(t, t)": (lambda t: sp.inv_boxcox(t, t), 0.0, {1: 1.0, 2: 1.0, 3: -2.0}),
    "gammainc(2, t)": (lambda t: sp.gammainc(2.0, t), 0.0, {1: 0.0, 2: 1.0, 3: -2.0, 4: 3.0}),
    "gammainc(1, t)": (lambda t: sp.gammainc(1.0, t), 0.0, {1: 1.0, 2: -1.0, 3: 1.0}),
    "poch(t, t)": (lambda t: sp.poch(t, t), 1.0, {1: 2 * (1 - np.euler_gamma) + np.euler_gamma}),
    "binom(t, 2)": (lambda t: sp.binom(t, 2.0), 3.0, {1: 2.5, 2: 1.0, 3: 0.0}),
    # a power of a negative number, and of zero
    "t³": (lambda t: t**3, -2.0, {1: 12.0, 2: -12.0, 3: 6.0, 4: 0.0}),
    "t^3.0": (lambda t: np.power(t, 3.0), -2.0, {1: 12.0, 2: -12.0, 3: 6.0, 4: 0.0}),
    "t^array(3.)": (lambda t: np.power(t, np.array(3.0)), 0.0, {1: 0.0, 2: 0.0, 3: 6.0, 4: 0.0}),
    "t^1.5": (lambda t: t**1.5, 0.0, {1: 0.0, 2: np.inf}),
    "t^2.5": (lambda t: t**2.5, 0.0, {1: 0.0, 2: 0.0, 3: np.inf}),
    "t^[1.5, 2]": (lambda t: np.sum(t ** np.array([1.5, 2.0])), 1.0, {1: 3.5, 2: 2.75, 3: -0.375}),
    # kinks, and what is none
    "|t|": (np.abs, 0.0, {1: 0.0}),
    "√(t²)": (lambda t: np.sqrt(t**2), 0.0, {1: 0.0}),
    "√(t t)": (lambda t: np.sqrt(t * t), 0.0, {1: 0.0}),
    "|t|²": (lambda t: np.abs(t) ** 2, 0.0, {1: 0.0, 2: 2.0, 3: 0.0}),
    "|t|⁴": (lambda t: np.abs(t) ** 4, 0.0, {1: 0.0, 2: 0.0, 3: 0.0, 4: 24.0}),
    "|−t²|": (lambda t: np.abs(-(t**2)), 0.0, {1: 0.0, 2: 2.0}),
    "√(t²)²": (lambda t: np.sqrt(t**2) ** 2, 0.0, {1: 0.0, 2: 2.0}),
    "cos(|t|²)": (lambda t: np.cos(np.abs(t) ** 2), 0.0, {1: 0.0, 2: 0.0, 3: 0.0, 4: -12.0}),
    "exp(−|t|²)": (lambda t: np.exp(-(np.abs(t) ** 2)), 0.0, {1: 0.0, 2: -2.0, 3: 0.0}),
    "hypot(t, 0)²": (lambda t: np.hypot(t, 0.0) ** 2, 0.0, {1: 0.0, 2: 2.0}),
    "|t − 1|²": (lambda t: np.abs(t - 1) ** 2, 1.0, {1: 0.0, 2: 2.0, 3: 0.0}),
    # one-sided infinite slopes
    "arcsin": (np.arcsin, 1.0, {1: np.inf}),
    "arccos": (np.arccos, 1.0, {1: -np.inf}),
    "arctanh": (np.arctanh, 1.0, {1: np.inf}),
    "√t": (np.sqrt, 0.0, {1: np.inf}),
    "∛t": (np.cbrt, 0.0, {1: np.inf}),
}  # fmt: skip
# small and large arguments, where only a relative error says anything
RELATIVE: dict[str, tuple[Function, float, dict[int, float]]] = {
    "tanh": (np.tanh, 1e-20, {1: 1.0, 2: -2e-20, 3: -2.0}),
    "tanh, tiny": (np.tanh, 1e-200, {1: 1.0, 2: -2e-200, 3: -2.0}),
    "expit": (sp.expit, 1e-20, {1: 0.25, 2: -0.125e-20, 3: -0.125}),
    "expit, tiny": (sp.expit, 1e-200, {1: 0.25, 2: -0.125e-200, 3: -0.125}),
    "arcsin": (np.arcsin, 1e-20, {1: 1.0, 2: 1e-20, 3: 1.0}),
    "arcsin, tiny": (np.arcsin, 1e-200, {1: 1.0, 2: 1e-200, 3: 1.0}),
    "arccos": (np.arccos, 1e-20, {1: -1.0, 2: -1e-20, 3: -1.0}),
    "arccos, tiny": (np.arccos, 1e-200, {1: -1.0, 2: -1e-200, 3: -1.0}),
    "arctanh": (np.arctanh, 1e-20, {1: 1.0, 2: 2e-20, 3: 2.0}),
    "arctanh, tiny": (np.arctanh, 1e-200, {1: 1.0, 2: 2e-200, 3: 2.0}),
    "arctan": (np.arctan, 1e-200, {1: 1.0, 2: -2e-200, 3: -2.0}),
    "x^1.3, huge": (lambda x: x**1.3, 1e300, {1: 1.3 * 1e90, 2: 0.39e-210}),
    "x^1.3, tiny": (lambda x: x**1.3, 1e-300, {1: 1.3 * 1e-90, 2: 0.39e210}),
    "tanh, where it is flat": (np.tanh, 20.0, {1: 4 * np.exp(-40.0), 2: -8 * np.exp(-40.0), 3: 16 * np.exp(-40.0)}),
}
KIND_OF = {"float": float, "0-d": np.array, "np.float64": np.float64}


def scalar_differences(
    table: dict[str, tuple[Function, float, dict[int, float]]], name: str, jit: bool, **tolerance: float
) -> list[str]:
    f, x, derivatives = table[name]
    found = []
    for n, expected in derivatives.items():
        k = list(table).index(name) + n
        if jit and n > 2 and (n > 3 or k % 3) and not EVERY_WAY:
            continue
        ways = in_turn(ways_of(n, jit), k, 1 if jit else 8 if n < 3 else 4)
        kind, point = list(KIND_OF.items())[k % 3]
        at = point(x)
        computed = {way: lambda made=made, n=n, at=at: made(f, n)(at) for way, made in ways.items()}
        found += [f"n = {n}, {kind}: {line}" for line in differences(computed, expected, **tolerance)]
    return found


@pytest.mark.parametrize("name", SCALARS)
def test_derivatives_of_one_variable(name: str) -> None:
    found = scalar_differences(SCALARS, name, jit=False)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", SCALARS)
def test_compiled_derivatives_of_one_variable(name: str) -> None:
    found = scalar_differences(SCALARS, name, jit=True)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", RELATIVE)
def test_small_and_large_arguments(name: str, jit: bool) -> None:
    found = scalar_differences(RELATIVE, name, jit, tolerance=1e-12, floor=0.0)
    assert not found, "\n".join(found)


# ── what jit sees is what the number is ──────────────────────────────────────────────────────────

# an exponent that is an argument: f, x and p, {n: dⁿ/dxⁿ f(x, p)}
EXPONENTS: dict[str, tuple[Function, float, Any, dict[int, float]]] = {
    "x^p, p = 3.": (lambda x, p: x**p, 2.0, 3.0, {1: 12.0, 2: 12.0, 3: 6.0, 4: 0.0}),
    "x^p, p = 3": (lambda x, p: x**p, 2.0, 3, {1: 12.0, 2: 12.0, 3: 6.0, 4: 0.0}),
    "x^p, p = np.int64(3)": (lambda x, p: x**p, 2.0, np.int64(3), {1: 12.0, 2: 12.0, 3: 6.0, 4: 0.0}),
    "x^p, p = 2.5": (lambda x, p: x**p, 4.0, 2.5, {1: 20.0, 2: 7.5, 3: 0.9375}),
    "x^p, x = 0": (lambda x, p: x**p, 0.0, 2.0, {1: 0.0, 2: 2.0, 3: 0.0}),
    "x^p, x < 0": (lambda x, p: x**p, -2.0, 3.0, {1: 12.0, 2: -12.0, 3: 6.0, 4: 0.0}),
    "x^p, array p": (lambda x, p: np.sum(x**p), 2.0, np.array([3.0, 1.0, 0.0]), {1: 13.0, 2: 12.0, 3: 6.0}),
    "float_power": (np.float_power, 2.0, 3.0, {1: 12.0, 2: 12.0, 3: 6.0, 4: 0.0}),
    "powm1": (sp.powm1, 2.0, 3.0, {1: 12.0, 2: 12.0, 3: 6.0}),
    "boxcox": (sp.boxcox, 2.0, 3.0, {1: 4.0, 2: 4.0, 3: 2.0}),
    "boxcox1p": (sp.boxcox1p, 1.0, 3.0, {1: 4.0, 2: 4.0, 3: 2.0}),
}


@pytest.mark.parametrize("name", EXPONENTS)
def test_an_exponent_that_is_an_argument(name: str) -> None:
    f, x, p, derivatives = EXPONENTS[name]
    found = []
    for n, expected in derivatives.items():
        computed: dict[str, Callable[[], Any]] = {}
        for way in ("one jet", "nested grad", "nested jvp")[: 3 if n < 3 else 2]:
            if way in ways_of(n):
                made = lambda x, p, n=n, way=way: ways_of(n)[way](lambda t: f(t, p), n)(x)  # noqa: E731
                computed[way] = lambda made=made: made(x, p)
                computed[f"jit of {way}"] = lambda made=made: dn.jit(made)(x, p)
        found += [f"n = {n}: {line}" for line in differences(computed, expected)]
    assert not found, "\n".join(found)


# y0 after its three derivatives, by y0' = −y1 and y1' = y0 − y1/x
Y0 = np.array([*((1 - 2 / x**2) * sp.y1(x) + sp.y0(x) / x for x in (1.0, 2.0)), np.nan])
PLAIN: dict[str, tuple[Function, Any, Any]] = {
    "1j g": (lambda g: 1j * g, 3.0, 3j),
    "g 1j": (lambda g: g * 1j, 3.0, 3j),
    "exp(1j g)": (lambda g: np.exp(1j * g), 0.5, np.exp(0.5j)),
    "derivative of exp(1j g)": (dn.derivative(lambda g: np.exp(1j * g)), 0.5, 1j * np.exp(0.5j)),
    "slope of t^1.5 at 0": (dn.grad(lambda t: t**1.5), 0.0, 0.0),
    "slope of exp2 at 1024": (dn.grad(np.exp2), 1024.0, LN2 * 2.0**1023 * 2),
    "third derivative of y0 beside NaN": (dn.derivative(sp.y0, 3), np.array([1.0, 2.0, -1.0]), Y0),
    "the same by gradients": (ways_of(3)["nested grad"](sp.y0, 3), np.array([1.0, 2.0, -1.0]), Y0),
    "the same by jvp": (ways_of(3)["nested jvp"](sp.y0, 3), np.array([1.0, 2.0, -1.0]), Y0),
    "the same by vhp": (ways_of(3)["vhp"](sp.y0, 3), np.array([1.0, 2.0, -1.0]), Y0),
    "arccos(clip(t)) beyond the edge": (dn.grad(lambda t: np.arccos(np.clip(t, -1, 1))), 2.0, 0.0),
    "arccos(clip(t)) beyond the edge, forward": (dn.derivative(lambda t: np.arccos(np.clip(t, -1, 1))), 2.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_functions_of_one_call(name: str, jit: bool) -> None:
    f, x, expected = PLAIN[name]
    found = differences({name: lambda: (dn.jit(f) if jit else f)(x)}, expected, 1e-12)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("transform", [dn.derivative, dn.grad])
def test_types_are_those_of_the_eager_call(transform: Any) -> None:
    f = transform(lambda t: np.float32(2) * t)
    assert dn.jit(f)(1.5).dtype == f(1.5).dtype


# ── what was recorded stays as it was ────────────────────────────────────────────────────────────


def with_a_buffer(x: Any) -> Any:
    buf = np.zeros(3)
    total = 0.0
    for i in range(1, 4):
        buf[:] = i
        total = total + np.sum(x * buf)
    return total


def with_squares_of_a_buffer(x: Any) -> Any:
    buf = np.zeros(3)
    total = 0.0
    for i in range(1, 4):
        buf[:] = i
        total = total + np.sum(x**2 * buf)
    return total


def or_refused(f: Function, *args: Any) -> Any:
    """The result, or None where it says that it cannot be (never a wrong number in silence)."""
    try:
        return f(*args)
    except (ValueError, TypeError):
        return None


def swept(f: Function, x: Any) -> Any:
    x = dn.autograd.variable(x)
    f(x).backward()
    return x.grad


BUFFERED: dict[str, tuple[Function, Any]] = {
    "grad": (lambda: dn.grad(with_a_buffer)(np.ones(3)), [6.0, 6.0, 6.0]),
    "jit of grad": (lambda: dn.jit(dn.grad(with_a_buffer))(np.ones(3)), [6.0, 6.0, 6.0]),
    "jvp": (lambda: dn.jvp(with_a_buffer, (np.ones(3),), (np.ones(3),))[1], 18.0),
    "hvp": (lambda: dn.hvp(with_squares_of_a_buffer)(np.ones(3), np.ones(3)), [12.0, 12.0, 12.0]),
    "vhp": (lambda: dn.vhp(with_squares_of_a_buffer)(np.ones(3), np.ones(3)), [12.0, 12.0, 12.0]),
    "hessian": (lambda: dn.hessian(with_squares_of_a_buffer)(np.ones(3)), 12 * np.eye(3)),
    "autograd": (lambda: swept(with_a_buffer, np.ones(3)), [6.0, 6.0, 6.0]),
}


@pytest.mark.parametrize("name", BUFFERED)
def test_a_buffer_that_is_used_again(name: str) -> None:
    compute, expected = BUFFERED[name]
    result = or_refused(compute)
    if result is not None:
        np.testing.assert_allclose(result, expected)


def written(write: Callable[[Any, Any], Any]) -> Function:
    """sin x, by way of a copy of x that is written to."""

    def f(x: Any) -> Any:
        out = x.copy()
        write(out, np.sin(x))
        return np.sum(out)

    return f


WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "out[...] = y": lambda out, y: out.__setitem__(..., y),
    "out[()] = y": lambda out, y: out.__setitem__((), y),
    "out[mask] = y": lambda out, y: out.__setitem__(np.array(True), y),
    "out *= 0; out += y": lambda out, y: out.__imul__(0).__iadd__(y),
    "copyto": np.copyto,
    "add with out": lambda out, y: np.add(y, 0.0, out=out),
    "putmask": lambda out, y: np.putmask(out, np.array(True), y),
    "place": lambda out, y: np.place(out, np.array(True), y),
    "fill": lambda out, y: out.fill(y),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_into_arrays_without_axes(name: str) -> None:
    """−sin, the second derivative, by every way; or it says that it cannot be written to."""
    found = []
    for way, made in ways_of(2).items():
        result = or_refused(made(written(WRITES[name]), 2), np.array(0.7))
        if result is not None:
            found += differences({way: lambda result=result: result}, -np.sin(0.7))
    assert not found, "\n".join(found)


def through_a_view(write: Callable[[Any], Any]) -> Function:
    def f(x: Any) -> Any:
        y = x * 1.0
        write(y)
        return np.sum(y**2)

    return f


def scaled(v: Any) -> None:
    v *= 5


# what is done to y = x (2 by 2), and the factor that the entries have afterwards
VIEWS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "v = y[0]; v[...] = 5": (lambda y: y[0].__setitem__(..., 5.0), [[0, 0], [1, 1]]),
    "v = y[0, ...]; v[...] = 5": (lambda y: y[0, ...].__setitem__(..., 5.0), [[0, 0], [1, 1]]),
    "v = y[0]; v *= 5": (lambda y: scaled(y[0]), [[5, 5], [1, 1]]),
    "v = y.T; v[0] = 5": (lambda y: y.T.__setitem__(0, 5.0), [[0, 1], [0, 1]]),
    "v = y.real; v[...] = 5": (lambda y: y.real.__setitem__(..., 5.0), [[0, 0], [0, 0]]),
    "the diagonal by einsum": (lambda y: np.einsum("ii->i", y).__setitem__(slice(None), 5.0), [[0, 1], [1, 0]]),
    "ravel": (lambda y: np.ravel(y).__setitem__(0, 5.0), [[0, 1], [1, 1]]),
    "reshape": (lambda y: y.reshape(4).__setitem__(0, 5.0), [[0, 1], [1, 1]]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_writes_through_views(name: str) -> None:
    """As NumPy has them, value and gradient; or it says that it cannot be written to."""
    write, factor = VIEWS[name]
    f, x = through_a_view(write), np.array([[1.0, 2.0], [3.0, 4.0]])
    for what, compute, expected in (
        ("gradient", dn.grad(f), 2 * np.square(factor) * x),
        ("Jacobian, forward", dn.jacfwd(f), 2 * np.square(factor) * x),
        ("value", lambda x: dn.value_and_grad(f)(x)[0], f(x)),
        ("value of a jet", lambda x: f(dn.jet(x, order=1)).value, f(x)),
        ("Hessian", lambda x: np.reshape(dn.hessian(f)(x), (4, 4)), np.diag(2 * np.square(factor).ravel())),
    ):
        result = or_refused(compute, x)
        if result is not None:
            np.testing.assert_allclose(result, expected, err_msg=what)


def test_the_mean_of_an_empty_selection_is_the_same_in_both_modes() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.mean(x, axis=1, where=np.array([[True, True], [False, False]])))

    x = np.ones((2, 2))
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        np.testing.assert_array_equal(dn.jacfwd(f)(x), dn.grad(f)(x))


@pytest.mark.parametrize("f", [lambda x: np.allclose(x, x), np.argmax, lambda x: np.sum(x > 0)])
def test_a_gradient_of_what_is_no_real_number_is_refused(f: Function) -> None:
    with pytest.raises(TypeError):
        dn.grad(f)(np.array([1.0, 2.0]))
