"""Linear algebra to any order: against mpmath, by identities between series, and the same by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import coefficients
from ways import HESSIANS, JITTED_HESSIANS, differences, in_turn

import dualnum as dn

RNG = np.random.default_rng(2)
ORDER = 4
# A(t) = A_0 + A_1 t + A_2 t², square and tall, with small whole numbers over eight
SQUARE = np.round(8 * RNG.normal(size=(3, 3, 3))) / 8 + 4 * np.eye(3) * np.array([1.0, 0.0, 0.0])[:, None, None]
TALL = np.round(8 * RNG.normal(size=(3, 5, 3))) / 8
RIGHT = np.round(8 * RNG.normal(size=(3, 3, 2))) / 8


def jet(parts: Any) -> dn.Jet:
    planes = np.zeros((ORDER + 1, *parts.shape[1:]), parts.dtype)
    planes[: len(parts)] = parts
    return dn.Jet(planes)


def at(parts: Any, t: Any) -> Any:
    return mp.matrix(
        [[sum(mpf(float(c)) * t**k for k, c in enumerate(entry)) for entry in row] for row in _entries(parts)]
    )


def _entries(parts: Any) -> Any:
    return np.moveaxis(parts, 0, -1).tolist()


def exact(f: Callable[[Any], Any], shape: tuple[int, ...], radius: float = 0.05) -> np.ndarray:
    """The coefficients of every entry of a function of t to matrices."""
    found = np.zeros((ORDER + 1, *shape))
    for index in np.ndindex(shape):
        entry = (lambda t, i=index: f(t)[i]) if shape else f
        found[(slice(None), *index)] = [float(mp.re(c)) for c in coefficients(entry, 0.0, ORDER, radius)]
    return found


def cholesky_of(a: Any) -> Any:
    """L of a symmetric matrix, as an analytic function of its entries."""
    n = a.rows
    lower = mp.matrix(n, n)
    for j in range(n):
        for i in range(j, n):
            s = a[i, j] - sum(lower[i, k] * lower[j, k] for k in range(j))
            lower[i, j] = mp.sqrt(s) if i == j else s / lower[j, j]
    return lower


GRAM = SQUARE[0] @ SQUARE[0].T
SYMMETRIC = np.stack([GRAM, SQUARE[1] + SQUARE[1].T, SQUARE[2] + SQUARE[2].T])
CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], tuple[int, ...]]] = {
    "inv": (lambda: np.linalg.inv(jet(SQUARE)), lambda t: at(SQUARE, t) ** -1, (3, 3)),
    "solve": (
        lambda: np.linalg.solve(jet(SQUARE), jet(RIGHT)), lambda t: at(SQUARE, t) ** -1 * at(RIGHT, t), (3, 2),
    ),
    "solve, a constant": (
        lambda: np.linalg.solve(SQUARE[0], jet(RIGHT)), lambda t: at(SQUARE[:1], t) ** -1 * at(RIGHT, t), (3, 2),
    ),
    "solve, b constant": (
        lambda: np.linalg.solve(jet(SQUARE), RIGHT[0]), lambda t: at(SQUARE, t) ** -1 * at(RIGHT[:1], t), (3, 2),
    ),
    "det": (lambda: np.linalg.det(jet(SQUARE)), lambda t: mp.det(at(SQUARE, t)), ()),
    "slogdet": (lambda: np.linalg.slogdet(jet(SQUARE))[1], lambda t: mp.log(mp.det(at(SQUARE, t))), ()),
    "cholesky": (lambda: np.linalg.cholesky(jet(SYMMETRIC)), lambda t: cholesky_of(at(SYMMETRIC, t)), (3, 3)),
    "cholesky, upper": (
        lambda: np.linalg.cholesky(jet(SYMMETRIC), upper=True), lambda t: cholesky_of(at(SYMMETRIC, t)).T, (3, 3),
    ),
    "pinv": (
        lambda: np.linalg.pinv(jet(TALL)),
        lambda t: (at(TALL, t).T * at(TALL, t)) ** -1 * at(TALL, t).T, (3, 5),
    ),
    "lstsq": (
        lambda: np.linalg.lstsq(jet(TALL), TALL[1, :, :2])[0],
        lambda t: (at(TALL, t).T * at(TALL, t)) ** -1 * at(TALL, t).T * at(TALL[1:2, :, :2], t), (3, 2),
    ),
    "R of qr, squared": (
        lambda: np.linalg.qr(jet(TALL))[1] ** 2,
        lambda t: cholesky_of(at(TALL, t).T * at(TALL, t)).T.apply(lambda x: x * x), (3, 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_against_exact_coefficients(name: str) -> None:
    ours, theirs, shape = CASES[name]
    expected = exact(theirs, shape)
    np.testing.assert_allclose(ours().coeffs, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


# ── identities between series ────────────────────────────────────────────────────────────────────


def adjoint(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def zero(x: Any, *factors: Any) -> None:
    """x = 0, but for roundings in the coefficients of what it was made of."""
    scale = np.prod([np.max(np.abs(y.coeffs)) for y in factors])
    eps = max(np.finfo(y.dtype).eps for y in factors)
    np.testing.assert_allclose(x.coeffs, 0.0, atol=1e4 * eps * scale)


@pytest.mark.parametrize("kind", [float, complex, np.float32])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 4), (2, 1, 4, 3), (1, 1)])
def test_identities(shape: tuple[int, ...], kind: Any) -> None:
    rng = np.random.default_rng(5)
    parts = rng.normal(size=(3, *shape)) + (1j * rng.normal(size=(3, *shape)) if kind is complex else 0)
    *_, m, n = shape
    a = jet((parts + np.eye(m, n) * [[[3.0]], [[0.0]], [[0.0]]] if len(shape) == 2 else parts).astype(kind))
    eye = np.eye(min(m, n), dtype=kind)
    q, r = np.linalg.qr(a)
    zero(q @ r - a, q, r)
    zero(adjoint(q) @ q - eye, q, q)
    u, s, v = np.linalg.svd(a, full_matrices=False)
    zero((u * s[..., None, :]) @ v - a, u, s, v)
    zero(adjoint(u) @ u - eye, u, u)
    zero(v @ adjoint(v) - eye, v, v)
    h = a @ adjoint(a) + np.diag(np.arange(1.0, m + 1)).astype(kind)
    w, x = np.linalg.eigh(h)
    zero(h @ x - x * w[..., None, :], h, x)
    zero(adjoint(x) @ x - np.eye(m), x, x)
    lower = np.linalg.cholesky(h)
    zero(lower @ adjoint(lower) - h, lower, lower)
    assert q.dtype == u.dtype == x.dtype == lower.dtype == kind
    if m == n:
        inverse, (sign, size) = np.linalg.inv(a), np.linalg.slogdet(a)
        zero(a @ inverse - eye, a, inverse)
        zero(sign * np.exp(size) - np.linalg.det(a), np.linalg.det(a), np.exp(size))
        if kind is not np.float32:
            values, vectors = np.linalg.eig(a)
            zero(a @ vectors - vectors * values[..., None, :], a, vectors, vectors)
            zero(np.sum(values, axis=-1) - np.trace(a, axis1=-2, axis2=-1), values)


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "qr", "eigh", "svd"])
def test_values_are_those_of_numpy(name: str) -> None:
    function = getattr(np.linalg, name)
    for given, right in zip(_leaves(function(jet(SYMMETRIC))), _leaves(function(GRAM)), strict=True):
        np.testing.assert_array_equal(given.value, right)
    assert type(function(jet(SYMMETRIC))) in (dn.Jet, type(function(GRAM)))


def _leaves(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def test_nothing_is_an_empty_matrix() -> None:
    x = dn.jet(np.zeros((0, 0)), 2)
    assert np.linalg.inv(x).shape == (0, 0)
    assert np.linalg.det(x) == 1


# ── every way ────────────────────────────────────────────────────────────────────────────────────

X = np.array([0.2, -0.3, 0.4])
B, C, E = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(5, 3))
ROOT = RNG.normal(size=(5, 3))


def matrix(x: Any) -> Any:
    return GRAM + x[0] * B + x[1] * C @ B + 0.1 * np.outer(x, x)


def symmetric(x: Any) -> Any:
    return matrix(x) + matrix(x).T + np.diag([0.0, 5.0, 11.0])


def tall(x: Any) -> Any:
    return ROOT + x[0] * E + x[1] * x[2] * E[::-1]


GRID = np.arange(9.0)


def rotated(x: Any) -> Any:
    return matrix(x) + 1j * x[2] * C


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "inv": lambda x: np.sum(np.linalg.inv(matrix(x)) * C),
    "solve": lambda x: np.sum(np.linalg.solve(matrix(x), B * x[2]) ** 2),
    "solve a vector": lambda x: np.sum(np.linalg.solve(matrix(x), x) ** 2),
    "solve with a constant matrix": lambda x: np.sum(np.linalg.solve(GRAM, x * x) ** 3),
    "det": lambda x: np.linalg.det(matrix(x)),
    "det of seven rows": lambda x: np.linalg.det(np.eye(7) + 0.1 * x[0] + x[1] * np.diag(np.arange(7.0))),
    "det of a singular matrix": lambda x: np.linalg.det(np.outer(B[0], C[0]) + x[0] * B - 0.2 * B + (x[1] + 0.3) * C),
    "slogdet": lambda x: np.linalg.slogdet(matrix(x))[1] ** 2,
    "cholesky": lambda x: np.sum(np.linalg.cholesky(matrix(x)) * C),
    "a Gaussian log-likelihood": lambda x: (
        np.sum(np.log(np.diagonal(np.linalg.cholesky(matrix(x))))) + x @ np.linalg.solve(matrix(x), B[0])
    ),
    "qr": lambda x: np.sum(np.linalg.qr(tall(x))[0] * E) + np.sum(np.linalg.qr(tall(x).T)[1] * E.T),
    "lstsq": lambda x: np.sum(np.linalg.lstsq(tall(x), E[:, 0] * x[0])[0] ** 2),
    "pinv": lambda x: np.sum(np.linalg.pinv(tall(x).T) * E),
    "eigh": lambda x: np.linalg.eigh(symmetric(x))[0] @ B[0] + np.sum(np.linalg.eigh(symmetric(x))[1] * C),
    "svd": lambda x: (
        np.linalg.svdvals(tall(x)) @ B[0] + np.sum(np.linalg.svd(tall(x), full_matrices=False)[0] * E)
        + np.sum(np.linalg.svd(tall(x), full_matrices=False)[2] * C)
    ),
    "eig": lambda x: np.sum(np.real(np.linalg.eig(np.diag([1.0, 7.0, 15.0]) + 0.3 * matrix(x))[1]) * C),
    "eigvals, complex pairs": lambda x: np.sum(np.abs(np.linalg.eigvals(matrix(x) + 9 * (B - B.T))) ** 4),
    "norms": lambda x: np.linalg.norm(tall(x), 2) + np.linalg.norm(tall(x), "nuc") + np.linalg.cond(matrix(x)),
    "complex": lambda x: (
        np.sum(np.abs(np.linalg.inv(rotated(x))) ** 2) + np.abs(np.linalg.det(rotated(x))) ** 0.5
        + np.sum(np.real(np.linalg.svd(rotated(x))[0] * C)) + np.sum(np.real(np.linalg.qr(rotated(x))[0] * B))
    ),
    "Hermitian": lambda x: (
        np.sum(np.real(np.linalg.eigh(symmetric(x) + 1j * x[2] * np.tril(C, -1))[1] * C))
        + np.sum(np.imag(np.linalg.cholesky(matrix(x) + 1j * x[2] * np.tril(C, -1))) * B)
    ),
    "roots": lambda x: np.sum(np.abs(np.roots(np.stack([1 + x[0], x[1], 1 + x[2], x[0] ** 2 - 1]))) ** 3),
    "real roots": lambda x: np.roots([1.0, -6, 11, -6] + 0.1 * np.concatenate([x, x[:1]])) ** 2 @ B[0],
    "polyfit": lambda x: np.sum(np.polyfit(GRID + x[2], np.cos(GRID * x[0]) * x[1], 3, cov=True)[0] ** 2),
    "poly": lambda x: np.sum(np.poly(np.eye(3) + (x[0] - 0.2) * B + (x[1] + 0.3) * C) ** 2),
    "expm": lambda x: np.sum(dn.linalg.expm(3 * B + x[0] * C + x[1] * x[2] * B.T) * C),
    "sqrtm": lambda x: np.sum(dn.linalg.sqrtm(matrix(x) @ matrix(x).T) * C),
    "Sylvester and Lyapunov": lambda x: (
        np.sum(dn.linalg.solve_sylvester(matrix(x), GRAM, B * x[2]) * C)
        + np.sum(dn.linalg.solve_continuous_lyapunov(matrix(x), C * x[0]) * B)
    ),
    "triangular systems": lambda x: (
        np.sum(dn.linalg.solve_triangular(matrix(x), x * x) ** 2)
        + np.sum(dn.linalg.solve_triangular(matrix(x), B, trans="T", lower=True, unit_diagonal=True) * C) * 1e-3
        + np.sum(dn.linalg.cho_solve((np.linalg.cholesky(matrix(x)), True), x) ** 2)
        + np.sum(np.linalg.inv(dn.linalg.block_diag(matrix(x), x[:1])) ** 2)
    ),
    "batches": lambda x: np.sum(np.linalg.inv(np.stack([matrix(x), matrix(x * x)])) ** 2),
}  # fmt: skip


def by_differences(f: Callable[[Any], Any], h: float = 1e-4) -> np.ndarray:
    units = np.eye(3) * h
    return np.array(
        [[(f(X + a + b) - f(X + a - b) - f(X - a + b) + f(X - a - b)) / (4 * h * h) for b in units] for a in units]
    )


def second_derivatives_agree(programs: dict[str, Callable[[Any], Any]], name: str) -> None:
    """One jet against differences, and every other way, of the compiled ones some in turn, against it."""
    f = programs[name]
    expected = HESSIANS["one jet along lines"](f)(X)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(by_differences(f), expected, rtol=0, atol=1e-4 * scale + 1e-5)
    k = list(programs).index(name)
    ways: dict[str, Any] = {**HESSIANS, **in_turn(JITTED_HESSIANS, k, 3)}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    second_derivatives_agree(PROGRAMS, name)


def test_many_directions_and_high_orders_are_one_series() -> None:
    v = RNG.normal(size=(4, 3, 3))
    many = np.linalg.inv(dn.jet(GRAM, 5, directions=v))
    for p in range(4):
        one = np.linalg.inv(dn.jet(GRAM, 5, direction=v[p]))
        for k in range(1, 6):
            np.testing.assert_allclose(many.coefficient(k)[p], one.coefficient(k), rtol=1e-12)


def test_functions_of_a_matrix_against_exact_coefficients() -> None:
    a = jet(0.5 * SQUARE)
    expected = exact(lambda t: mp.expm(at(0.5 * SQUARE, t)), (3, 3))
    np.testing.assert_allclose(dn.linalg.expm(a).coeffs, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))
    root = dn.linalg.sqrtm(jet(SYMMETRIC))
    zero(root @ root - jet(SYMMETRIC), root, root)
    x = dn.linalg.solve_sylvester(jet(SQUARE), jet(SYMMETRIC), jet(RIGHT[:, :, :1] * np.ones(3)))
    zero(jet(SQUARE) @ x + x @ jet(SYMMETRIC) - jet(RIGHT[:, :, :1] * np.ones(3)), x, jet(SYMMETRIC))
    many = dn.linalg.sqrtm(dn.jet(GRAM, 3, directions=np.stack([B, C])))
    one = dn.linalg.sqrtm(dn.jet(GRAM, 3, direction=C))
    np.testing.assert_allclose(many.coefficient(3)[1], one.coefficient(3), rtol=1e-9)


# ── what has no derivative ───────────────────────────────────────────────────────────────────────


ONES = np.ones((3, 2))


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (dn.NonsmoothPoint, "eig: there are equal values", lambda x: np.linalg.eig(x * np.eye(2))),
        (dn.NonsmoothPoint, "eig: there are equal values", lambda x: np.linalg.eigvals([[1.0, 1], [0, 1]] * x)),
        (dn.NonsmoothPoint, "svd: there are zeros", lambda x: np.linalg.svd(np.outer(x * [1, 2], [1.0, 1]))),
        (dn.NonsmoothPoint, "svd: there are zeros", lambda x: np.linalg.svd(x * ONES)),
        (dn.NonsmoothPoint, "qr: the first columns depend", lambda x: np.linalg.qr(x * ONES, "complete")),
        (dn.InvalidValue, r"inv: a has shape \(3, 2\); expected square", lambda x: np.linalg.inv(x * np.ones((3, 2)))),
        (dn.InvalidValue, "solve: a has shape", lambda x: np.linalg.solve(x * np.eye(3), np.ones(2))),
        (dn.InvalidValue, "inv: Singular matrix", lambda x: np.linalg.inv(x * np.ones((2, 2)))),
        (dn.InvalidValue, "not positive definite", lambda x: np.linalg.cholesky(-x * np.eye(2))),
    ],
)  # fmt: skip
def test_what_has_no_derivative_says_so(error: Any, message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(error, match=message):
        dn.grad(lambda x: np.sum(np.abs(_leaves(call(x))[0])))(1.0)


def test_least_squares_do_not_mind_equal_singular_values() -> None:
    x, _, _, s = np.linalg.lstsq(dn.jet(2.0, 2) * np.eye(3, 2), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(x.derivative(1), [-0.25, -0.5], rtol=1e-15)
    np.testing.assert_array_equal(s.value, [2.0, 2.0])
    np.testing.assert_array_equal(s.derivative(1), [1.0, 1.0])
    assert dn.grad(lambda t: np.linalg.lstsq(t * np.eye(2), np.ones(2))[0][0])(2.0) == -0.25


def test_values_are_apart_by_the_size_of_their_own_matrix() -> None:
    scales = np.array([1e-12, 1.0, 1e12])[:, None, None]
    a = dn.jet(scales * (GRAM + np.diag([0.0, 1.0, 3.0])), 2, direction=scales * B)
    for function in (np.linalg.eigvalsh, np.linalg.svdvals):
        w = function(a)
        np.testing.assert_allclose(w.coeffs / scales[:, 0], w.coeffs[:, 1:2] + 0 * w.coeffs, rtol=1e-9)


def test_equal_values_may_be_counted_together() -> None:
    """Where eigenvalues meet, functions of all of them are smooth: the determinant and the trace."""
    f = lambda t: np.linalg.det(np.eye(3) + t * B)  # noqa: E731
    polynomial = np.poly(-B)  # det(s + B), s = 1/t
    np.testing.assert_allclose(
        [dn.derivative(f, n)(0.0) for n in range(4)], polynomial * [1, 1, 2, 6], rtol=1e-12, atol=1e-14
    )
