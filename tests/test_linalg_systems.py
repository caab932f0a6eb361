"""Systems and their factors: exact numbers, conditions up to 1e12, one factorization for all orders, and every way."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from ways import HESSIANS, JITTED_HESSIANS, differences, in_turn

import dualnum as dn
from dualnum.functions import lapack

RNG = np.random.default_rng(11)
KINDS = [np.float64, np.complex128, np.float32]


def numbers(shape: tuple[int, ...], kind: Any = float, rng: Any = RNG) -> Any:
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if np.dtype(kind).kind == "c" else x).astype(kind)


def regular(shape: tuple[int, ...], kind: Any = float, rng: Any = RNG) -> Any:
    """Matrices that are far from singular ones, whose rows LAPACK exchanges."""
    n = shape[-1]
    return (numbers(shape, kind, rng) + 3 * np.sqrt(n) * np.roll(np.eye(n), 1, 0)).astype(kind)


def adjoint(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def zero(x: Any, *factors: Any) -> None:
    """x = 0, but for roundings in the coefficients of what it was made of."""
    if x.size:
        scale = np.prod([np.max(np.abs(y.coeffs), initial=1.0) for y in factors])
        eps = max(np.finfo(y.dtype).eps for y in factors)
        np.testing.assert_allclose(x.coeffs, 0.0, atol=1e4 * eps * scale)


# ── exact numbers ────────────────────────────────────────────────────────────────────────────────


def fractions(x: Any) -> Any:
    return np.vectorize(lambda c: Fraction(float(c)), otypes=[object])(x)


def eliminated(a: Any, b: Any) -> Any:
    """A⁻¹ B in rational numbers."""
    n, work = len(a), np.concatenate([a, b], axis=1)
    for j in range(n):
        i = j + next(i for i, c in enumerate(work[j:, j]) if c != 0)
        work[[j, i]] = work[[i, j]]
        work[j] = work[j] / work[j, j]
        for r in range(n):
            if r != j:
                work[r] = work[r] - work[r, j] * work[j]
    return work[:, n:]


def exact_series(a: Any, b: Any, order: int) -> Any:
    """X(t) with A(t) X(t) = B(t), from A and B of any degree, as floats."""
    a, b, x = [fractions(c) for c in a], [fractions(c) for c in b], []
    for k in range(order + 1):
        right = b[k] if k < len(b) else 0 * b[0]
        for j in range(1, min(k, len(a) - 1) + 1):
            right = right - a[j] @ x[k - j]
        x.append(eliminated(a[0], right))
    return np.array(x, float)


def jet(parts: Any, order: int) -> dn.Jet:
    planes = np.zeros((order + 1, *np.shape(parts)[1:]), np.asarray(parts).dtype)
    planes[: len(parts)] = parts
    return dn.Jet(planes)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_solutions_are_exact_rational_series(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.integers(-3, 4, (3, n, n)) / 4, rng.integers(-3, 4, (2, n, 2)) / 4
    a[0] += 3 * np.eye(n)
    expected = exact_series(a, b, 6)
    np.testing.assert_allclose(np.linalg.solve(jet(a, 6), jet(b, 6)).coeffs, expected, rtol=1e-11, atol=1e-13)
    twice = np.linalg.solve(jet(np.stack([a, a], 1), 6), jet(b, 6)).coeffs
    np.testing.assert_allclose(twice, np.stack([expected, expected], 1), rtol=1e-11, atol=1e-13)
    factors = dn.linalg.lu_factor(jet(a, 6))
    np.testing.assert_allclose(dn.linalg.lu_solve(factors, jet(b, 6)).coeffs, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("condition", [1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("batched", [False, True])
def test_errors_scale_with_the_condition(condition: float, batched: bool) -> None:
    """e_k ≤ c (ε κ ‖x_k‖ + ‖A⁻¹‖ Σ_{j≥1} ‖A_j‖ e_{k−j}), as theory says; reverse mode's as those of one system."""
    rng, n, eps = np.random.default_rng(3), 6, np.finfo(float).eps
    (u, _), (v, _) = np.linalg.qr(numbers((n, n), rng=rng)), np.linalg.qr(numbers((n, n), rng=rng))
    sizes = condition ** -np.linspace(0, 1, n)
    a = np.stack([u * sizes @ v, 1e-3 / condition * numbers((n, n), rng=rng)])
    b, c = numbers((1, n, 1), rng=rng), numbers((n, 1), rng=rng)
    expected = exact_series(a, b, 3)
    given = np.linalg.solve(jet(a[:, None] if batched else a, 3), b[0]).coeffs.reshape(expected.shape)
    bounds: list[float] = []
    for k in range(4):
        after = condition * np.linalg.norm(a[1]) * bounds[-1] if k else 0.0
        bounds.append(4 * n * condition * eps * np.linalg.norm(expected[k]) + after)
        assert np.linalg.norm(given[k] - expected[k]) <= bounds[k]
    to_b = dn.grad(lambda b: np.sum(np.linalg.solve(a[0][None] if batched else a[0], b) * c))(b[0])
    transposed = exact_series([a[0].T], [c], 0)[0]
    assert np.linalg.norm(to_b - transposed) <= 4 * n * condition * eps * np.linalg.norm(transposed)


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────

CLOSED: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "det": (np.linalg.det, lambda a, x: np.linalg.det(a) * (np.trace(x) ** 2 - np.trace(x @ x))),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], lambda a, x: -np.trace(x @ x)),
    "inv": (np.linalg.inv, lambda a, x: 2 * x @ x @ np.linalg.inv(a)),
    "inverse by Cholesky": (
        lambda a: dn.linalg.cho_solve(dn.linalg.cho_factor(a), np.eye(8)), lambda a, x: 2 * x @ x @ np.linalg.inv(a),
    ),
    "log-determinant by Cholesky": (
        lambda a: 2 * np.sum(np.log(np.diagonal(np.linalg.cholesky(a)))), lambda a, x: -np.trace(x @ x),
    ),
    "solve by Cholesky": (
        lambda a: dn.linalg.cho_solve(dn.linalg.cho_factor(a, lower=True), np.arange(8.0)),
        lambda a, x: 2 * x @ x @ np.linalg.solve(a, np.arange(8.0)),
    ),
    "solve by LU": (
        lambda a: dn.linalg.lu_solve(dn.linalg.lu_factor(a), np.arange(8.0)),
        lambda a, x: 2 * x @ x @ np.linalg.solve(a, np.arange(8.0)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_second_derivatives_have_closed_forms(name: str) -> None:
    f, second = CLOSED[name]
    root, slope = regular((8, 8)), numbers((8, 8))
    a, slope = root @ root.T, slope + slope.T
    expected = second(a, np.linalg.solve(a, slope))
    line = lambda t: np.sum(f(a + t * slope) * weights)  # noqa: E731
    weights = numbers(np.shape(f(a)))
    for way in (dn.derivative(line, 2), dn.derivative(dn.derivative(line)), dn.derivative(dn.grad(line)),
                dn.grad(dn.grad(line)), dn.jit(dn.derivative(dn.grad(line)))):  # fmt: skip
        scale = np.sum(np.abs(expected * weights))
        np.testing.assert_allclose(way(0.0), np.sum(expected * weights), rtol=0, atol=1e-11 * scale)


# ── one factorization ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often LAPACK factors a matrix for us, and NumPy does."""
    counts = {"packed": 0, "inv": 0, "solve": 0}

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **keywords: Any) -> Any:
            counts[name] += 1
            return function(*args, **keywords)

        return called

    monkeypatch.setattr(lapack, "packed", counting("packed", lapack.packed))
    for name in ("inv", "solve"):
        monkeypatch.setattr(np.linalg, name, counting(name, getattr(np.linalg, name)))
    return counts


SOLVES = {
    "one matrix": (numbers((20, 20)) + 20 * np.eye(20), "packed"),
    "many small ones": (numbers((7, 3, 3)) + 9 * np.eye(3), "inv"),
    "some large ones": (numbers((2, 20, 20)) + 20 * np.eye(20), "packed"),
}
RUNS: dict[str, Callable[[Any, Any], Any]] = {
    "order 5": lambda f, a: dn.derivative(lambda t: f(a + t * a[..., ::-1, :]), 5)(0.1),
    "nested": lambda f, a: dn.derivative(dn.derivative(lambda t: f(a + t * a[..., ::-1, :])))(0.1),
    "value and gradient": lambda f, a: dn.value_and_grad(f)(a),
    "gradient of a gradient": lambda f, a: dn.grad(dn.grad(lambda t: f(a + t * a[..., ::-1, :])))(0.1),
    "forward over reverse": lambda f, a: dn.derivative(dn.grad(lambda t: f(a + t * a[..., ::-1, :])))(0.1),
}


@pytest.mark.parametrize("name", SOLVES)
@pytest.mark.parametrize("run", RUNS)
def test_a_matrix_is_factored_once(counted: dict[str, int], name: str, run: str) -> None:
    a, how = SOLVES[name]
    implementation = np.linalg.solve  # the counter of calls from outside
    RUNS[run](lambda a: np.sum(implementation(a, np.ones((a.shape[-1], 2))) ** 2), a)
    assert counted == {"packed": 0, "inv": 0, "solve": 1, how: 1}


def test_replays_factor_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a = SOLVES["one matrix"][0]
    both = dn.jit(dn.value_and_grad(lambda a: np.sum(np.linalg.solve(a, np.ones(20)) ** 2)))
    both(a)
    calls, packed = [], lapack.packed
    monkeypatch.setattr(lapack, "packed", lambda *args, **keywords: calls.append(1) or packed(*args, **keywords))
    value, gradient = both(a)
    assert len(calls) == 1
    x = np.linalg.solve(a, np.ones(20))
    np.testing.assert_allclose(value, x @ x, rtol=1e-13)
    np.testing.assert_allclose(gradient, -np.outer(np.linalg.solve(a.T, 2 * x), x), rtol=1e-11, atol=1e-15)


# ── factors ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (1, 1), (1, 3), (2, 5, 3), (2, 3, 20, 20), (0, 0), (0, 2)])
def test_lu_is_that_of_scipy(shape: tuple[int, ...], kind: Any) -> None:
    a = numbers(shape, kind)
    packed, pivots = dn.linalg.lu_factor(a)
    assert packed.shape == shape and packed.dtype == kind and pivots.dtype == np.int32
    if a.size:
        expected, its = scipy.linalg.lu_factor(a)
        np.testing.assert_allclose(packed, expected, rtol=1e-9 if kind is not np.float32 else 1e-2, atol=1e-5)
        np.testing.assert_array_equal(pivots, its)
        for keywords in ({}, {"permute_l": True}, {"p_indices": True}):
            for ours, theirs in zip(dn.linalg.lu(a, **keywords), scipy.linalg.lu(a, **keywords), strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-4 if kind is np.float32 else 1e-12)
    x = dn.jet(a, 3, direction=numbers(shape, kind))
    p, lower, upper = dn.linalg.lu(x)
    zero(p @ lower @ upper - x, lower, upper)
    np.testing.assert_array_equal(np.tril(upper.coeffs, -1), 0)
    np.testing.assert_array_equal(np.triu(lower.coeffs, 1), 0)
    np.testing.assert_array_equal(dn.linalg.lu_factor(x)[0].value, packed)
    zero(np.subtract(dn.linalg.lu(x, permute_l=True)[0], p @ lower), lower)
    assert lower.dtype == upper.dtype == kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 4, 4), (2, 20, 20), (70, 70)])
def test_factors_solve_systems(shape: tuple[int, ...], kind: Any) -> None:
    a, b = dn.jet(regular(shape, kind), 2, direction=numbers(shape, kind)), numbers((*shape[:-1], 2), kind)
    packed = dn.linalg.lu_factor(a)
    for trans, turned in (("N", a), (1, np.swapaxes(a, -1, -2)), ("C", adjoint(a))):
        x = dn.linalg.lu_solve(packed, b, trans)
        zero(turned @ x - b, a, x)
    if len(shape) == 2:
        assert dn.linalg.lu_solve(packed, b[:, 0]).shape == (shape[0],)
    h = a @ adjoint(a)
    for lower in (False, True):
        c, same = dn.linalg.cho_factor(h + 1e3 * np.triu(np.ones(shape, kind), 1) * lower, lower)
        assert same is lower
        zero((c @ adjoint(c) if lower else adjoint(c) @ c) - h, c, c)
        other = (np.triu if lower else np.tril)(np.full(shape, 7, kind), 1 if lower else -1)
        x = dn.linalg.cho_solve((c + other, lower), b)
        zero(h @ x - b, h, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (70, 70), (2, 3, 3), (2, 20, 20)])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_one_triangle_is_read(shape: tuple[int, ...], lower: bool, unit: bool, kind: Any) -> None:
    keep = np.tril if lower else np.triu
    a = (0.1 * numbers(shape, kind) + 3 * np.eye(shape[-1])).astype(kind)
    slopes = numbers((2, *shape), kind)
    other = np.where(keep(np.ones(shape, bool), (-1 if lower else 1) if unit else 0), 0, np.nan).astype(kind)
    b = numbers((*shape[:-1], 3), kind)
    for order_of_memory in ("C", "F"):
        spoiled = np.asarray(a + other, order=order_of_memory)  # type: ignore[call-overload]
        x = dn.jet(spoiled, 2, directions=slopes + other)
        clean = np.where(np.isnan(other), 0, a).astype(kind) + (np.eye(shape[-1], dtype=kind) if unit else 0)
        t = dn.jet(clean, 2, directions=np.where(np.isnan(other), 0, slopes).astype(kind))
        for trans, turned in ((0, t), ("T", np.swapaxes(t, -1, -2)), (2, adjoint(t))):
            y = dn.linalg.solve_triangular(x, b, trans, lower, unit)
            assert y.dtype == kind
            zero(turned @ y - b, t, t, y)
            tolerance = 1e-3 if kind is np.float32 else 1e-9
            np.testing.assert_allclose(y.value, np.linalg.solve(turned.value, b), rtol=tolerance, atol=tolerance)


def test_a_diagonal_cotangent_gives_what_a_full_one_gives() -> None:
    n = 80
    root = numbers((n, n)) + 20 * np.eye(n)
    a, slope = root @ root.T, numbers((n, n))
    inverse = np.linalg.inv(a)
    logarithm = lambda a: np.sum(np.log(np.diagonal(np.linalg.cholesky(a))))  # noqa: E731
    both = np.tril(inverse, -1) + 0.5 * np.diag(np.diagonal(inverse))  # of the triangle that is read
    np.testing.assert_allclose(dn.grad(logarithm)(a), both, rtol=1e-9, atol=1e-15)
    full = dn.grad(lambda a: logarithm(a) + 1e-30 * np.sum(np.linalg.cholesky(a)))(a)
    np.testing.assert_allclose(full, both, rtol=1e-9, atol=1e-15)
    changed = dn.jvp(dn.grad(logarithm), (a,), (slope + slope.T,))[1]
    expected = -inverse @ (slope + slope.T) @ inverse
    np.testing.assert_allclose(
        changed, np.tril(expected, -1) + 0.5 * np.diag(np.diagonal(expected)), atol=1e-9 * np.max(np.abs(expected))
    )


# ── without SciPy, of any shape ──────────────────────────────────────────────────────────────────


def test_without_scipy_the_numbers_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> list[Any]:
        found = []
        for shape in ((4, 4), (2, 3, 3), (80, 80)):
            rng = np.random.default_rng(1)
            a = dn.jet(regular(shape, rng=rng), 2, direction=numbers(shape, rng=rng))
            b = numbers((*shape[:-1], 2), rng=rng)
            found += [np.linalg.solve(a, b), np.linalg.cholesky(a @ adjoint(a)), np.linalg.inv(a)]
            found.append(dn.linalg.solve_triangular(a + 9 * np.eye(shape[-1]), b, lower=True))
            found.append(dn.jet(dn.grad(lambda a, b=b: np.sum(np.linalg.solve(a, b) ** 2))(a.value), 0))
        return [x.coeffs for x in found]

    with_it = everything()
    monkeypatch.setattr(lapack, "_routine", lambda *args: None)
    for ours, theirs in zip(everything(), with_it, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * np.max(np.abs(theirs)))


@given(
    st.tuples(st.integers(0, 2), st.integers(1, 3)), st.integers(0, 20), st.integers(0, 3), st.booleans(),
    st.sampled_from(KINDS), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_shapes(leading: Any, n: int, m: int, same: bool, kind: Any, strided: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*leading, n, n)
    a, slope = regular(shape, kind, rng), numbers(shape, kind, rng)
    b = numbers((*(leading if same else ()), n, 2 * m), kind, rng)
    b = b[..., ::2] if strided else b[..., :m]
    if strided:
        a, slope = (np.swapaxes(np.ascontiguousarray(np.swapaxes(x, -1, -2)), -1, -2) for x in (a, slope))
    x = dn.jet(a, 2, direction=slope)
    y = np.linalg.solve(x, b)
    assert y.shape == (*leading, n, m) and y.dtype == kind
    zero(x @ y - b, x, y)
    zero(dn.linalg.lu_solve(dn.linalg.lu_factor(x), np.broadcast_to(b, y.shape)) - y, x, y, y)
    if np.dtype(kind).kind == "f" and a.size and m:
        c = numbers(y.shape, kind, rng)
        to_a, to_b = dn.grad(lambda a, b: np.sum(np.linalg.solve(a, b) * c), argnums=(0, 1))(a, b)
        ours, slopes = np.sum(to_a * slope), np.sum(y.coefficient(1) * c)
        assert to_a.shape == a.shape and to_b.shape == b.shape and to_a.dtype == to_b.dtype == kind
        scale = np.sum(np.abs(to_a * slope)) + np.sum(np.abs(y.coefficient(1) * c))
        assert abs(ours - slopes) <= 1e4 * np.finfo(kind).eps * scale


@pytest.mark.parametrize("kinds", [(np.float32, float), (float, np.float32), (float, complex), (complex, float),
                                   (np.float32, np.complex64), (int, float), (float, int)])  # fmt: skip
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (2, 20, 20)])
def test_types_are_those_of_numpy(kinds: tuple[Any, Any], shape: tuple[int, ...]) -> None:
    a, b = regular(shape), numbers((*shape[:-1], 2))
    a, b = (4 * a).astype(kinds[0]), (4 * b).astype(kinds[1])
    expected = np.linalg.solve(a, b)
    tolerance = 1e-3 if expected.dtype in (np.float32, np.complex64) else 1e-12
    found = [np.linalg.solve(a, dn.jet(b, 1))] if kinds[1] is not int else []
    found += [np.linalg.solve(dn.jet(a, 1), b)] if kinds[0] is not int else []
    for x in found:
        assert x.dtype == expected.dtype
        np.testing.assert_allclose(x.value, expected, rtol=tolerance, atol=tolerance)


# ── every way ────────────────────────────────────────────────────────────────────────────────────

X = np.array([0.2, -0.3, 0.4])
B, C = np.random.default_rng(4).normal(size=(2, 3, 3))
WIDE = np.random.default_rng(5).normal(size=(3, 5))
SHIFTED = np.array([[0.5, 6.0, 1.0], [1.0, -0.5, 7.0], [8.0, 1.0, 0.2]])


def matrix(x: Any) -> Any:
    return SHIFTED + x[0] * B + x[1] * C @ B + 0.1 * np.outer(x, x)


def gram(x: Any) -> Any:
    return matrix(x) @ matrix(x).T


def wide(x: Any) -> Any:
    return WIDE + np.concatenate([matrix(x), x[0] * x[2] * C[:, :2]], axis=1)


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "lu_factor": lambda x: np.sum(dn.linalg.lu_factor(matrix(x))[0] * C),
    "lu of wide and tall matrices": lambda x: (
        np.sum(dn.linalg.lu(wide(x))[2] * WIDE) + np.sum(dn.linalg.lu(wide(x).T)[1] * WIDE.T) * x[1]
        + np.sum(dn.linalg.lu(wide(x).T, permute_l=True)[0] ** 2)
    ),
    "lu_solve": lambda x: (
        np.sum(dn.linalg.lu_solve(dn.linalg.lu_factor(matrix(x)), x * x) ** 2)
        + np.sum(dn.linalg.lu_solve(dn.linalg.lu_factor(matrix(x)), B, trans=1) * C)
    ),
    "lu of complex matrices": lambda x: (
        np.sum(np.real(dn.linalg.lu_solve(dn.linalg.lu_factor(matrix(x) + 1j * x[2] * C), B, "C")) * C)
        + np.sum(np.imag(dn.linalg.lu(matrix(x) + 1j * x[2] * C)[1]) * B)
    ),
    "lu of many": lambda x: np.sum(dn.linalg.lu(np.stack([matrix(x), matrix(x * x)]))[2] ** 2),
    "cho_factor": lambda x: (
        np.sum(dn.linalg.cho_factor(gram(x))[0] * C)
        + np.sum(dn.linalg.cho_solve(dn.linalg.cho_factor(gram(x), lower=True), x) ** 2)
    ),
    "triangles": lambda x: sum(
        np.sum(dn.linalg.solve_triangular(matrix(x) + 9 * np.eye(3), B + x[0], trans, lower, unit) * C)
        for trans in "NTC" for lower in (False, True) for unit in (False, True)
    ),
    "complex triangles": lambda x: np.sum(np.real(
        dn.linalg.solve_triangular(matrix(x) + 9 * np.eye(3) + 1j * x[1] * B, C, "C", True) * np.conj(C + 1j * x[0] * B)
    )),
    "many right sides": lambda x: np.sum(np.linalg.solve(matrix(x), np.stack([B, C * x[0], B @ C])) ** 2),
    "many systems": lambda x: np.sum(np.linalg.solve(np.stack([matrix(x), matrix(x * x)]), B * x[1]) ** 2),
    "many larger systems": lambda x: np.sum(
        np.linalg.solve(np.stack([np.kron(np.eye(6), matrix(x)), np.kron(B @ B + np.eye(3), np.eye(6)) * 1.0]),
                        np.ones((18, 1)) * x[1]) ** 2
    ),
    "complex systems": lambda x: np.sum(np.abs(np.linalg.solve(matrix(x) + 1j * x[2] * C, B)) ** 2),
    "real matrix, complex right side": lambda x: np.sum(np.abs(np.linalg.solve(matrix(x), B + 1j * x[2] * C)) ** 2),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    f, h = PROGRAMS[name], 1e-4
    expected = HESSIANS["one jet along lines"](f)(X)
    scale, units = np.max(np.abs(expected)), np.eye(3) * h
    second = [[(f(X + a + b) - f(X + a - b) - f(X - a + b) + f(X - a - b)) / (4 * h * h) for b in units] for a in units]
    np.testing.assert_allclose(second, expected, rtol=0, atol=1e-4 * scale + 1e-5)
    k = list(PROGRAMS).index(name)
    ways: dict[str, Any] = {**HESSIANS, **in_turn(JITTED_HESSIANS, k, 3)}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_jets_of_several_variables(name: str) -> None:
    f = PROGRAMS[name]
    y = f(np.stack(list(dn.jets(*X, order=2))))
    expected = HESSIANS["one jet along lines"](f)(X)
    given = [[y.partial(*(np.eye(3, dtype=int)[i] + np.eye(3, dtype=int)[j])) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(given, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))


# ── what has no derivative ───────────────────────────────────────────────────────────────────────

ONES = np.ones((3, 3))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("solve: Singular matrix", lambda x: np.linalg.solve(x * ONES, np.ones(3))),
        ("solve: Singular matrix", lambda x: np.linalg.solve(x * np.stack([ONES, np.eye(3)]), np.ones((3, 1)))),
        ("solve: Singular matrix", lambda x: np.linalg.solve(x * np.zeros((2, 20, 20)), np.ones((20, 1)))),
        ("solve_triangular: Singular matrix", lambda x: dn.linalg.solve_triangular(x * np.triu(ONES, 1), ONES)),
        ("solve_triangular: Singular matrix", lambda x: dn.linalg.lu_factor(x * ONES)[0]),
        ("lu_solve: a has shape", lambda x: dn.linalg.lu_solve((x * ONES, np.arange(3)), np.ones(2))),
        ("solve_triangular: a has shape", lambda x: dn.linalg.solve_triangular(x * ONES, np.ones(2))),
        ("lu_solve: trans is 3", lambda x: dn.linalg.lu_solve((x * ONES, np.arange(3)), np.ones(3), 3)),
        ("lu: a has shape", lambda x: dn.linalg.lu(x * np.ones(3))),
        ("cho_factor: a has shape", lambda x: dn.linalg.cho_factor(x * np.ones((3, 2)))),
    ],
)
def test_what_cannot_be_solved_says_so(message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(dn.InvalidValue, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(dn.InvalidValue, match=message):
        dn.grad(lambda x: np.sum(call(x)[0]))(1.0)
    with pytest.raises(dn.InvalidValue, match=message):
        dn.derivative(dn.derivative(lambda x: np.sum(call(x)[0])))(1.0)
