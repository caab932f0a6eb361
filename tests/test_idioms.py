"""Sixty things that people write with NumPy: what works without `dn.jit` works with it, and gives the same."""

import warnings
from functools import reduce

import numpy as np
import pytest
from test_branches import alike

import dualnum as dn

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(2, 12))
A = RNG.normal(size=(4, 4)) + 4 * np.eye(4)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def gram_schmidt(a):
    q = np.zeros_like(a)
    for i in range(a.shape[1]):
        v = a[:, i] - q[:, :i] @ (q[:, :i].T @ a[:, i])
        q[:, i] = v / np.linalg.norm(v)
    return q


def power_iteration(a):
    v = np.ones(a.shape[0])
    for _ in range(20):
        v = a @ v
        v = v / np.linalg.norm(v)
    return v @ a @ v


def conjugate_gradients(a):
    m, b = a @ a.T, np.arange(1.0, 5.0)
    x, r = np.zeros_like(b), b
    p, rs = r, r @ r
    while rs > 1e-20:
        step = rs / (p @ m @ p)
        x, r = x + step * p, r - step * (m @ p)
        new = r @ r
        p, rs = r + new / rs * p, new
    return x


def horner(x):
    total = 0.0
    for c in (1.0, -2.0, 0.5, 3.0):
        total = total * x + c
    return total


def running_mean(x, n=3):
    c = np.cumsum(np.concatenate([[0.0], x]))
    return (c[n:] - c[:-n]) / n


def kmeans_step(x):
    points, centres = x.reshape(6, 2), x.reshape(6, 2)[:2]
    labels = np.argmin(((points[:, None] - centres) ** 2).sum(-1), axis=1)
    return np.stack([points[labels == k].mean(axis=0) for k in range(2)])


def rk4(x):
    y = x[:2]
    f = lambda y: np.array([y[1], -np.sin(y[0])]) if isinstance(y, np.ndarray) else np.stack([y[1], -np.sin(y[0])])  # noqa: E731
    for _ in range(3):
        k1 = f(y)
        k2 = f(y + 0.05 * k1)
        k3 = f(y + 0.05 * k2)
        y = y + 0.1 / 6 * (k1 + 4 * k2 + f(y + 0.1 * k3)) + 0 * k3
    return y


def dictionary(x):
    p = {"w": x[:6], "b": x[6:]}
    return {k: np.tanh(v) for k, v in p.items()}


def filled(x):
    out = np.empty_like(x)
    for i, v in enumerate(x):
        out[i] = v * v if v > 0 else -v
    return out


def filled_from_outside(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = x[i] * 2
    return out


def appended(x):
    rows = []
    for v in x:
        if v > 0:
            rows.append(v * 2)
    return np.stack(rows)


def clipped_in_place(x):
    y = np.array(x, copy=True) if isinstance(x, np.ndarray) else x.copy()
    np.clip(y, -1, 1, out=y)
    return y


def triangular(x):
    m = np.zeros((4, 4)) + 0 * x[0]
    m[np.triu_indices(4)] = x[:10]
    return m


def with_error_handling(x):
    with np.errstate(divide="raise", invalid="raise"):
        return np.log(np.abs(x))


IDIOMS = {
    # sums and statistics
    "mean and std": lambda x: (x - x.mean()) / x.std(),
    "weighted average": lambda x: np.average(x, weights=np.arange(12.0)),
    "norm": lambda x: x / np.linalg.norm(x),
    "softmax": softmax,
    "logsumexp": lambda x: np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x),
    "variance of rows": lambda x: x.reshape(3, 4).var(axis=1, ddof=1),
    "median": lambda x: np.median(x),
    "quantile": lambda x: np.quantile(x, [0.25, 0.75]),
    "covariance": lambda x: np.cov(x.reshape(3, 4)),
    "correlation": lambda x: np.corrcoef(x.reshape(3, 4))[0, 1],
    "cumulative": lambda x: np.cumprod(1 + 0.1 * x),
    "nan-safe mean": lambda x: np.nanmean(np.where(x > 0, x, np.nan)),
    "percent change": lambda x: np.diff(x) / x[:-1],
    # shapes
    "outer by broadcasting": lambda x: x[:, None] * x[None, :],
    "reshape -1": lambda x: x.reshape(-1, 4).sum(0),
    "transpose": lambda x: x.reshape(3, 4).T.ravel() * np.arange(12),
    "concatenate list": lambda x: np.concatenate([x, [1.0, 2.0]]),
    "stack columns": lambda x: np.column_stack([x, x**2]),
    "split": lambda x: [p.sum() for p in np.array_split(x, 5)],
    "tile and repeat": lambda x: np.tile(x[:2], 3) * np.repeat(x[:3], 2),
    "pad": lambda x: np.pad(x, 2, mode="edge"),
    "roll": lambda x: np.roll(x, 1) - 2 * x + np.roll(x, -1),
    "meshgrid": lambda x: np.sum(np.multiply(*np.meshgrid(x, x[:3]))),
    "moveaxis": lambda x: np.moveaxis(x.reshape(2, 3, 2), -1, 0) + 1,
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, 3).mean(-1),
    "unpacking": lambda x: (lambda a, b, *rest: a * b + sum(rest))(*x),
    "zip": lambda x: sum(a * b for a, b in zip(x, x[1:], strict=False)),  # noqa: RUF007
    "enumerate": lambda x: sum(i * v for i, v in enumerate(x)),
    "functools.reduce": lambda x: reduce(lambda a, b: a * 0.5 + b, x),
    "last axis": lambda x: x[..., -1] * len(x) * x.ndim * x.shape[0],
    "tolist": lambda x: sum(x.tolist()),
    # choices
    "where": lambda x: np.where(x > 0, x, 0.1 * x),
    "select": lambda x: np.select([x < 0, x < 1], [x**2, np.sqrt(np.abs(x))], 1.0),
    "piecewise": lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda t: -t, lambda t: t * 2]),
    "mask": lambda x: x[x > 0].sum(),
    "mask written": lambda x: filled_by_mask(x),
    "count": lambda x: np.count_nonzero(x > 0) * x,
    "any/all": lambda x: x if np.all(x > -10) and not np.any(x > 10) else -x,
    "argmax": lambda x: x[np.argmax(x)],
    "argsort": lambda x: x[np.argsort(-x)][:3],
    "sort": lambda x: np.sort(x)[::-1],
    "top k": lambda x: np.partition(x, -3)[-3:].sum(),
    "searchsorted": lambda x: np.interp(x, np.linspace(-3, 3, 7), np.arange(7.0) ** 2),
    "digitize": lambda x: np.bincount(np.digitize(x, [-1.0, 0.0, 1.0]), minlength=4),
    "histogram": lambda x: np.histogram(x, bins=4, range=(-3, 3))[0],
    "unique": lambda x: np.unique(np.round(x)),
    "nonzero": lambda x: np.nonzero(x > 0)[0],
    "if": lambda x: x**2 if x[0] > 0 else x**3,
    "if size": lambda x: x.sum() if x.size > 3 else x,
    "is finite": lambda x: x if np.isfinite(x).all() else np.zeros_like(x),
    "allclose": lambda x: x * 2 if np.allclose(x, x + 1e-12) else x,
    "while": conjugate_gradients,
    "min of Python": lambda x: max(abs(v) for v in x),
    "float": lambda x: float(x.sum()) * 2,
    "round": lambda x: round(float(x[0]), 3),
    "format": lambda x: f"{x[0]:.3f}",
    # matrices
    "solve": lambda a: np.linalg.solve(a, np.arange(4.0)),
    "inverse and determinant": lambda a: np.linalg.inv(a) * np.linalg.det(a),
    "eigenvalues": lambda a: np.linalg.eigvalsh(a + a.T),
    "svd": lambda a: np.linalg.svd(a, compute_uv=False),
    "least squares": lambda a: np.linalg.lstsq(a[:, :2], a[:, 2], rcond=None)[0],
    "einsum": lambda a: np.einsum("ij,kj->ik", a, a),
    "trace of a product": lambda a: np.trace(a @ a.T),
    "quadratic form": lambda a: a[0] @ a @ a[0],
    "power iteration": power_iteration,
    "Gram-Schmidt": gram_schmidt,
    "triangular": triangular,
    # programs
    "polynomial": horner,
    "np.polyval": lambda x: np.polyval([1.0, -2.0, 0.5], x),
    "running mean": running_mean,
    "k-means": kmeans_step,
    "rk4": rk4,
    "dictionary": dictionary,
    "filled": filled,
    "filled from outside": filled_from_outside,
    "appended": appended,
    "in place": lambda x: clipped_in_place(x),
    "out=": lambda x: np.multiply(x, 2, out=np.empty_like(x)),
    "asarray": lambda x: np.asarray(x, dtype=float) * 2,
    "vectorize": lambda x: np.vectorize(lambda v: v * 2 if v > 0 else v)(x),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda r: r.sum() * r, 1, x.reshape(3, 4)),
    "convolve": lambda x: np.convolve(x, [0.25, 0.5, 0.25], mode="same"),
    "fft": lambda x: np.abs(np.fft.rfft(x)) ** 2,
    "trapezoid": lambda x: np.trapezoid(x**2, dx=0.1),
    "gradient": lambda x: np.gradient(x, 0.1),
    "complex": lambda x: np.exp(1j * x).real,
    "float32": lambda x: x.astype(np.float32) * 2,
    "errstate": with_error_handling,
}
OF_MATRICES = (
    "solve", "inverse and determinant", "eigenvalues", "svd", "least squares", "einsum", "trace of a product",
    "quadratic form", "power iteration", "Gram-Schmidt", "while",
)  # fmt: skip


def filled_by_mask(x):
    y = x.copy()
    y[y > 0.5] *= 2
    y[y < 0] = 0
    return y


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", IDIOMS)
def test_what_people_write(name):
    f = IDIOMS[name]
    points = (A, A.T + 1, A) if name in OF_MATRICES else (X, Y, -X)
    fast = dn.jit(f)
    for x in points * 3:
        given = x.copy()
        alike(fast(given), f(x), 1e-9)
        np.testing.assert_array_equal(given, x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", IDIOMS)
def test_gradients_of_what_people_write(name):
    f = IDIOMS[name]
    x = A if name in OF_MATRICES else X

    def number(x):
        y = f(x)
        y = np.concatenate([np.ravel(v) for v in y.values()]) if isinstance(y, dict) else y
        return np.sum(np.sin(np.stack(y) if isinstance(y, (list, tuple)) else y))

    try:
        expected = dn.grad(number)(x), dn.hvp(number)(x, x)
    except (dn.DualnumError, TypeError, ValueError):
        pytest.skip("not differentiable without a trace either")
    for g, wanted in zip((dn.jit(dn.grad(number)), dn.jit(lambda x: dn.hvp(number)(x, x))), expected, strict=True):
        for _ in range(3):
            alike(g(x), wanted, 1e-6 if name == "float32" else 1e-8)


def test_few_of_them_run_as_they_are():
    """What hands numbers to something that is no function of NumPy, or gives text."""
    as_it_is = set()
    for name, f in IDIOMS.items():
        with warnings.catch_warnings(action="ignore"):
            if dn.jit(f).explain(A if name in OF_MATRICES else X).reason:
                as_it_is.add(name)
    assert as_it_is <= {"format"}, as_it_is
    assert len(IDIOMS) >= 60
