"""Matrix equations and structured systems to any order: residuals, SciPy's values, and the same by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from test_linalg import GRAM, ORDER, B, C, X, adjoint, jet, matrix, second_derivatives_agree, zero

import dualnum as dn

RNG = np.random.default_rng(11)
KINDS = [float, complex, np.float32]


def parts(*shape: int, kind: Any = float, shift: float = 0.0) -> Any:
    """A jet of degree 2, its value that of a square matrix with a multiple of the identity."""
    found = RNG.normal(size=(3, *shape)) + (1j * RNG.normal(size=(3, *shape)) if kind is complex else 0)
    if shift:
        found[0] += shift * np.eye(*shape[-2:])
    return jet(found.astype(kind))


def definite(n: int, kind: Any = float) -> Any:
    a = parts(n, n, kind=kind)
    return a @ adjoint(a) + np.eye(n, dtype=kind)


# ── residuals ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("m", "n"), [(4, 3), (1, 1), (2, 5)])
def test_sylvester(m: int, n: int, kind: Any) -> None:
    a, b, q = parts(m, m, kind=kind, shift=4), parts(n, n, kind=kind, shift=4), parts(m, n, kind=kind)
    x = dn.linalg.solve_sylvester(a, b, q)
    assert x.dtype == kind
    zero(a @ x + x @ b - q, a + 0, x)
    np.testing.assert_array_equal(x.value, scipy.linalg.solve_sylvester(a.value, b.value, q.value))
    for given in ((a.value, b, q), (a, b.value, q), (a, b, q.value), (a.value, b.value, q)):
        x = dn.linalg.solve_sylvester(*given)
        zero(given[0] @ x + x @ given[1] - given[2], x, a)


def test_real_matrices_with_a_complex_right_side() -> None:
    """LAPACK's real forms are not triangular, which complex right sides ask for."""
    a, b, q = parts(4, 4, shift=4), parts(3, 3, shift=4), parts(4, 3, kind=complex)
    for given in ((a, b, q), (a, b + 0j, q), (a + 0j, b, q), (a.value, b.value, q), (a.value, b + 0j, q)):
        x = dn.linalg.solve_sylvester(*given)
        zero(given[0] @ x + x @ given[1] - given[2], x, a)
    x = dn.linalg.solve_sylvester(a.value, b.value, q.value)
    np.testing.assert_allclose(a.value @ x + x @ b.value, q.value, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [4, 1, 12])
def test_lyapunov(n: int, kind: Any) -> None:
    a, q = parts(n, n, kind=kind, shift=8), parts(n, n, kind=kind)
    x = dn.linalg.solve_continuous_lyapunov(a, q)
    zero(a @ x + x @ adjoint(a) - q, a, x)
    np.testing.assert_allclose(x.value, scipy.linalg.solve_continuous_lyapunov(a.value, q.value), rtol=2e-4)
    a = a / 64 if kind is not float else a
    x = dn.linalg.solve_discrete_lyapunov(a, q)
    zero(a @ x @ adjoint(a) - x + q, a, a, x)
    assert x.dtype == kind
    np.testing.assert_array_equal(x.value, scipy.linalg.solve_discrete_lyapunov(a.value, q.value).astype(kind))
    x = dn.linalg.solve_discrete_lyapunov(a, q, method="bilinear")
    np.testing.assert_array_equal(
        x.value, scipy.linalg.solve_discrete_lyapunov(a.value, q.value, "bilinear").astype(kind)
    )


def test_batches_of_equations() -> None:
    a, b, q = parts(5, 3, 3, shift=6), parts(2, 1, 2, 2, shift=6), parts(5, 3, 2)
    x = dn.linalg.solve_sylvester(a, b, q)
    assert x.shape == (2, 5, 3, 2)
    zero(a @ x + x @ b - q, x, a)
    y = dn.linalg.solve_sylvester(a[1], b[1, 0], q[1])
    np.testing.assert_allclose(x[1, 1].coeffs, y.coeffs, rtol=1e-13, atol=1e-14)
    x = dn.linalg.solve_discrete_lyapunov(a, a)
    zero(a @ x @ adjoint(a) - x + a, x, a, a)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("with_e", [False, True])
@pytest.mark.parametrize("with_s", [False, True])
@pytest.mark.parametrize(("m", "n"), [(4, 2), (1, 1), (3, 3)])
def test_riccati(m: int, n: int, with_s: bool, with_e: bool, kind: Any) -> None:
    a, b, q, r = parts(m, m, kind=kind), parts(m, n, kind=kind), 9 * definite(m, kind), definite(n, kind)
    e = parts(m, m, kind=kind, shift=4) if with_e else None
    s = parts(m, n, kind=kind) * 0.25 if with_s else None
    e_, s_ = np.eye(m) if e is None else e, np.zeros((m, n)) if s is None else s
    numbers = [None if x is None else x.value for x in (a, b, q, r, e, s)]
    x = dn.linalg.solve_continuous_are(a, b, q, r, e, s, balanced=False)
    half = adjoint(e_) @ x @ b + s_
    rest = adjoint(a) @ x @ e_ + adjoint(e_) @ x @ a - half @ np.linalg.solve(r, adjoint(half)) + q
    zero(rest, half, half, np.linalg.inv(r))
    zero(x - adjoint(x), x, np.linalg.inv(r))
    np.testing.assert_array_equal(x.value, scipy.linalg.solve_continuous_are(*numbers, balanced=False))
    x = dn.linalg.solve_discrete_are(a, b, q, r, e, s, balanced=False)
    half, middle = adjoint(a) @ x @ b + s_, r + adjoint(b) @ x @ b
    rest = adjoint(a) @ x @ a - adjoint(e_) @ x @ e_ - half @ np.linalg.solve(middle, adjoint(half)) + q
    zero(rest, half, half, np.linalg.inv(middle), x)
    np.testing.assert_array_equal(x.value, scipy.linalg.solve_discrete_are(*numbers, balanced=False))


def test_riccati_where_some_are_constant() -> None:
    a, b, q, r = parts(4, 4), parts(4, 2), 9 * definite(4), definite(2)
    for moving in range(4):
        data = [x if i == moving else x.value for i, x in enumerate((a, b, q, r))]
        x = dn.linalg.solve_continuous_are(*data)
        a_, b_, q_, r_ = data
        zero(adjoint(a_) @ x + x @ a_ - x @ b_ @ np.linalg.solve(r_, adjoint(b_)) @ x + q_, x, x, a)
        x = dn.linalg.solve_discrete_are(*data)
        half = adjoint(a_) @ x @ b_
        middle = r_ + adjoint(b_) @ x @ b_
        zero(adjoint(a_) @ x @ a_ - x - half @ np.linalg.solve(middle, adjoint(half)) + q_, x, x, a, a)


def test_closed_forms_of_one_row() -> None:
    """2 a x − x² + 1 = 0, and x = a²x/(1 + x) + 1."""
    one = np.ones((1, 1))
    for order in (1, 2, 5, 9):
        a = dn.jet(0.75, order)
        x = dn.linalg.solve_continuous_are(np.reshape(a, (1, 1)), one, one, one)[0, 0]
        np.testing.assert_allclose(x.coeffs, (a + np.sqrt(a * a + 1)).coeffs, rtol=1e-12, atol=1e-14)
        x = dn.linalg.solve_discrete_are(np.reshape(a, (1, 1)), one, one, one)[0, 0]
        np.testing.assert_allclose(x.coeffs, ((a * a + np.sqrt(a**4 + 4)) / 2).coeffs, rtol=1e-12, atol=1e-14)


SOLVERS: dict[str, Callable[[Any], Any]] = {
    "solve_sylvester": lambda a: dn.linalg.solve_sylvester(a, GRAM, a @ a),
    "solve_discrete_lyapunov": lambda a: dn.linalg.solve_discrete_lyapunov(a / 64, a),
    "solve_continuous_are": lambda a: dn.linalg.solve_continuous_are(a, C, GRAM, np.eye(3)),
    "solve_discrete_are": lambda a: dn.linalg.solve_discrete_are(a, C, GRAM, np.eye(3)),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_many_directions_are_one_series(name: str) -> None:
    v = RNG.normal(size=(4, 3, 3))
    many = SOLVERS[name](dn.jet(GRAM, 4, directions=v))
    for p in range(4):
        one = SOLVERS[name](dn.jet(GRAM, 4, direction=v[p]))
        for k in range(1, 5):
            scale = np.max(np.abs(one.coefficient(k)))
            np.testing.assert_allclose(many.coefficient(k)[p], one.coefficient(k), rtol=0, atol=1e-10 * scale)


def test_nothing_is_an_empty_matrix() -> None:
    x = dn.jet(np.zeros((0, 0)), 2)
    assert dn.linalg.solve_sylvester(x, np.eye(2), np.zeros((0, 2))).shape == (0, 2)
    assert dn.linalg.solve_discrete_lyapunov(dn.jet(np.zeros((0, 2, 2)), 1), np.eye(2)).shape == (0, 2, 2)


def test_one_factorization_serves_all_orders_and_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    count = []
    schur = scipy.linalg.schur
    monkeypatch.setattr(scipy.linalg, "schur", lambda *args, **kwargs: count.append(0) or schur(*args, **kwargs))
    a, b = parts(4, 4, shift=4), parts(3, 3, shift=4)
    f = lambda t: np.sum(dn.linalg.solve_sylvester(a.value + t * B[0, 0], b.value, t * C[0, :3] + np.ones((4, 3))))  # noqa: E731
    for compute in (dn.derivative(f, 5), dn.grad(f), dn.grad(dn.grad(f)), dn.derivative(dn.derivative(f))):
        count.clear()
        compute(0.3)
        assert len(count) == 2


# ── structured matrices ──────────────────────────────────────────────────────────────────────────


def column(n: int, kind: Any = float, first: float = 0.0) -> Any:
    x = parts(n, kind=kind) if n else dn.jet(np.zeros(0, kind), ORDER)
    return x + np.asarray(first * (np.arange(n) == 0), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_by_their_places(kind: Any) -> None:
    c, r = column(4, kind), column(3, kind, 1.0)
    for name, args in (
        ("toeplitz", (c, r)), ("toeplitz", (c,)), ("hankel", (c, r)), ("hankel", (c,)), ("circulant", (c,)),
        ("companion", (c + 9,)), ("circulant", (np.stack([c, 2 * c]),)), ("companion", (np.stack([c + 9, c + 8]),)),
    ):  # fmt: skip
        ours, theirs = getattr(dn.linalg, name), getattr(scipy.linalg, name)
        y = ours(*args)
        assert y.dtype == kind
        np.testing.assert_array_equal(y.value, theirs(*(x.value for x in args)))
        np.testing.assert_array_equal(ours(*(x.value for x in args)), theirs(*(x.value for x in args)))
        if name != "companion":
            for k in (1, 2):
                np.testing.assert_array_equal(y.coefficient(k), theirs(*(x.coefficient(k) for x in args)))
    a, b = parts(2, 4, kind=kind), parts(3, 4, kind=kind)
    expected = np.stack([np.kron(a[:, j], b[:, j]) for j in range(4)], axis=-1)
    zero(dn.linalg.khatri_rao(a, b) - expected, a, b)
    roots = np.linalg.eigvals(dn.linalg.companion(c + 9).value)
    np.testing.assert_allclose(np.polyval(c.value + 9, roots), 0, atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "columns"), [(5, ()), (5, (2,)), (1, ()), (64, (3,))])
def test_toeplitz_systems(n: int, columns: tuple[int, ...], kind: Any) -> None:
    c, r, b = column(n, kind, 3.0 * n), column(n, kind), parts(n, *columns, kind=kind)
    for given in ((c, r), c, (c.value, r), (c, r.value), (c.value, r.value)):
        t = dn.linalg.toeplitz(*given) if isinstance(given, tuple) else dn.linalg.toeplitz(given)
        x = dn.linalg.solve_toeplitz(given, b)
        assert x.dtype == kind
        assert x.shape == b.shape
        zero(t @ x - b, x, b, c)
        y = dn.linalg.matmul_toeplitz(given, b)
        assert y.dtype == kind
        zero(y - t @ b, c, b)
    numbers = (c.value, r.value), b.value
    for name in ("solve_toeplitz", "matmul_toeplitz"):
        theirs = getattr(scipy.linalg, name)(*numbers)
        ours = getattr(dn.linalg, name)
        np.testing.assert_array_equal(ours((c, r), b).value, theirs.astype(kind))
        np.testing.assert_array_equal(ours(*numbers), theirs)
    tall = dn.linalg.matmul_toeplitz((column(2 * n, kind), r), b)
    assert tall.shape == (2 * n, *columns)
    zero(dn.linalg.matmul_toeplitz((c[:1], r), b) - dn.linalg.toeplitz(c[:1], r) @ b, c, b)


@pytest.mark.parametrize("kind", KINDS)
def test_circulant_systems(kind: Any) -> None:
    n = 5
    c, b = column(n, kind, 9.0), parts(n, 2, kind=kind)
    x = dn.linalg.solve_circulant(c, b)
    assert x.dtype == kind
    np.testing.assert_allclose(x.value, scipy.linalg.solve_circulant(c.value, b.value), rtol=1e-5, atol=1e-5)
    zero(dn.linalg.circulant(c) @ x[:, 0] - b[:, 0], x, b)
    many = np.stack([c, c + 1, 2 * c], axis=1)
    axes = {"caxis": 0, "baxis": -1, "outaxis": -1}
    x = dn.linalg.solve_circulant(many, b.T[:, None], **axes)
    expected = scipy.linalg.solve_circulant(many.value, b.value.T[:, None], **axes)
    np.testing.assert_allclose(x.value, expected, rtol=1e-5, atol=1e-5)
    zero(dn.linalg.circulant(c + 1) @ x[1, 1] - b[:, 1], x, b)
    ones = np.ones(4)
    x = dn.linalg.solve_circulant(ones, dn.jet(np.arange(4.0), 1), singular="lstsq")
    np.testing.assert_allclose(x.value, scipy.linalg.solve_circulant(ones, np.arange(4.0), "lstsq"))
    np.testing.assert_allclose(x.derivative(1), np.linalg.pinv(np.ones((4, 4))) @ ones)


def test_many_directions_of_structured_systems_are_one_series() -> None:
    v = RNG.normal(size=(3, 6))
    c, b = np.array([9.0, 1, 2, 0.5, -1, 2]), RNG.normal(size=(6, 2))
    for function in (
        lambda x: dn.linalg.solve_toeplitz((c + x, c - x * x), b * x[:, None]),
        lambda x: dn.linalg.solve_circulant(c + x, b),
        lambda x: dn.linalg.matmul_toeplitz((c + x, x), b * x[:, None]),
    ):
        many = function(dn.jet(0.1 * c, 4, directions=v))
        for p in range(3):
            one = function(dn.jet(0.1 * c, 4, direction=v[p]))
            for k in range(1, 5):
                np.testing.assert_allclose(many.coefficient(k)[p], one.coefficient(k), rtol=1e-9, atol=1e-11)


# ── every way ────────────────────────────────────────────────────────────────────────────────────


def calm(x: Any) -> Any:
    return matrix(x) / 16


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "solve_sylvester": lambda x: np.sum(dn.linalg.solve_sylvester(matrix(x), matrix(x * x) + GRAM, B * x[2]) * C),
    "solve_sylvester, complex": lambda x: np.sum(
        np.abs(dn.linalg.solve_sylvester(matrix(x), GRAM + 1j * x[0] * C, B * x[2])) ** 2
    ),
    "solve_sylvester, in a batch": lambda x: np.sum(
        dn.linalg.solve_sylvester(np.stack([matrix(x), GRAM]), matrix(x * x), B * x[2]) ** 3
    ),
    "solve_continuous_lyapunov": lambda x: np.sum(dn.linalg.solve_continuous_lyapunov(matrix(x), C * x[0]) * B),
    "solve_discrete_lyapunov": lambda x: np.sum(dn.linalg.solve_discrete_lyapunov(calm(x), C * x[0]) * B),
    "solve_discrete_lyapunov, complex": lambda x: np.sum(
        np.abs(dn.linalg.solve_discrete_lyapunov(calm(x) + 0.1j * x[1] * B, C * x[0])) ** 2
    ),
    "solve_continuous_are": lambda x: np.sum(
        dn.linalg.solve_continuous_are(calm(x), C + x[0] * B, GRAM + x[1] * np.eye(3), np.eye(3) + x[2] * (B + B.T) / 8)
        * B
    ),
    "solve_continuous_are, e and s": lambda x: np.sum(
        dn.linalg.solve_continuous_are(
            calm(x), C, GRAM, np.eye(3), np.eye(3) + 0.1 * x[0] * C, x[1] * 0.1 * B, False
        ) * B
    ),
    "solve_discrete_are": lambda x: np.sum(
        dn.linalg.solve_discrete_are(calm(x), C + x[0] * B, GRAM + x[1] * np.eye(3), np.eye(3) + x[2] * (B + B.T) / 8)
        * B
    ),
    "solve_discrete_are, complex, e and s": lambda x: np.sum(np.real(
        dn.linalg.solve_discrete_are(
            calm(x) + 0.2j * x[0] * B, C + 1j * x[1] * B, GRAM, np.eye(3), np.eye(3) + 0.1j * x[0] * C, x[2] * 0.1 * B,
            balanced=False,
        ) * (B + 1j * C)
    )),
    "solve_toeplitz": lambda x: np.sum(dn.linalg.solve_toeplitz((x + 3 * (X > 0.3), x * x), B * x[2]) * C),
    "solve_toeplitz, complex": lambda x: np.sum(
        np.abs(dn.linalg.solve_toeplitz(x * (1 + 0.5j) + 3 * (X == 0.2), x * x)) ** 2
    ),
    "matmul_toeplitz": lambda x: np.sum(dn.linalg.matmul_toeplitz((x[:2], x), x * x) ** 3),
    "solve_circulant": lambda x: np.sum(dn.linalg.solve_circulant(x + np.array([3.0, 0, 0]), B * x[1]) * C),
    "structured matrices": lambda x: np.sum(
        dn.linalg.toeplitz(x, x * x) * B + dn.linalg.hankel(x, x[::-1]) * x[0] + dn.linalg.circulant(x * x) ** 2
    ) + np.sum(dn.linalg.companion(x) ** 2) + np.sum(dn.linalg.khatri_rao(matrix(x), matrix(x * x)) ** 2) * 1e-3,
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    second_derivatives_agree(PROGRAMS, name)


# ── what has no derivative ───────────────────────────────────────────────────────────────────────

EYE, EYE_3, ONES = np.eye(2), np.eye(3), np.ones(2)
care, dare = dn.linalg.solve_continuous_are, dn.linalg.solve_discrete_are


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (dn.InvalidValue, "eigenvalue in common", lambda x: dn.linalg.solve_sylvester(x * EYE, -EYE, EYE)),
        (dn.InvalidValue, "eigenvalue in common", lambda x: dn.linalg.solve_continuous_lyapunov(0 * x * EYE, EYE)),
        (dn.InvalidValue, "the reciprocal of one", lambda x: dn.linalg.solve_discrete_lyapunov(x * EYE, EYE)),
        (dn.InvalidValue, "q has shape", lambda x: dn.linalg.solve_discrete_lyapunov(x * EYE, np.eye(3))),
        (dn.InvalidValue, "method is 'x'", lambda x: dn.linalg.solve_discrete_lyapunov(x * EYE, EYE, "x")),
        (dn.InvalidValue, "solve_continuous_are: ", lambda x: care(x * EYE, EYE, EYE, 0 * EYE)),
        (dn.InvalidValue, "solve_continuous_are: ", lambda x: care(x * EYE, EYE, B[:2, :2], EYE)),
        (dn.InvalidValue, "try balanced=False", lambda x: care(matrix(X) / 16 * x, C, GRAM, EYE_3, EYE_3 + 0.02 * C)),
        (dn.InvalidValue, "solve_toeplitz: Singular", lambda x: dn.linalg.solve_toeplitz(0 * x * EYE[0], EYE)),
        (dn.InvalidValue, "solve_toeplitz: the other", lambda x: dn.linalg.solve_toeplitz(x * EYE[0], np.eye(3))),
        (dn.InvalidValue, "c has 2 entries, r has 3", lambda x: dn.linalg.solve_toeplitz((x * ONES, EYE_3[0]), EYE_3)),
        (dn.InvalidValue, "matmul_toeplitz: the other", lambda x: dn.linalg.matmul_toeplitz(x * EYE[0], np.eye(3))),
        (dn.InvalidValue, "nearly singular", lambda x: dn.linalg.solve_circulant(x * np.ones(2), EYE)),
        (dn.NonsmoothPoint, "its rank may", lambda x: dn.linalg.solve_circulant(x * np.ones(2), EYE, "lstsq")),
        (dn.InvalidValue, "singular is 'x'", lambda x: dn.linalg.solve_circulant(x * np.ones(2), EYE, "x")),
        (dn.InvalidValue, "c has 2 entries along", lambda x: dn.linalg.solve_circulant(x * np.ones(2), EYE_3)),
        (dn.InvalidValue, "companion: a first", lambda x: dn.linalg.companion(0 * x * np.ones(3))),
        (dn.InvalidValue, "companion: a has shape", lambda x: dn.linalg.companion(x * np.ones(1))),
        (dn.InvalidValue, "toeplitz: c has shape", lambda x: dn.linalg.toeplitz(x * EYE)),
        (dn.InvalidValue, "hankel: r has shape", lambda x: dn.linalg.hankel(EYE[0], x * EYE)),
        (dn.InvalidValue, "khatri_rao: a has shape", lambda x: dn.linalg.khatri_rao(x * EYE, EYE_3)),
        (dn.NotDifferentiable, "use the projector", lambda x: dn.linalg.null_space(x * EYE)),
        (dn.NotDifferentiable, "of independent columns", lambda x: dn.linalg.orth(x * EYE)),
        (dn.InvalidValue, "solve_discrete_are: ", lambda x: dare(x * EYE, np.ones(3), EYE, EYE)),
    ],
)  # fmt: skip
def test_what_has_no_derivative_says_so(error: Any, message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(error, match=message):
        dn.grad(lambda x: np.sum(np.abs(call(x))))(1.0)
