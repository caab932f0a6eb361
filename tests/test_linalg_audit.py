"""All of np.linalg: PyTorch's numbers, exact fractions, closed forms, values and types of NumPy, what is degenerate."""

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import numpy.polynomial as polynomials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linalg_cases import CASES, POINT, REFERENCE, Words
from ways import HESSIANS, differences, in_turn

import dualnum as dn
import dualnum.linalg as la

# ── PyTorch's numbers ────────────────────────────────────────────────────────────────────────────

THEIRS = json.loads(REFERENCE.read_text())
NUMPY = Words(np, np.asarray)


@pytest.mark.parametrize("name", CASES)
def test_gradients_and_hessians_are_those_of_pytorch(name: str) -> None:
    f = lambda x: CASES[name](NUMPY, x)  # noqa: E731
    gradient, hessian = (np.array(THEIRS[name][what]) for what in ("gradient", "hessian"))
    ways = in_turn(HESSIANS, list(CASES).index(name), 4)
    computed = {way: lambda made=made: made(f)(POINT) for way, made in ways.items()}
    found = differences(computed, hessian, 1e-12, 0.0) + differences(
        {"grad": lambda: dn.grad(f)(POINT)}, gradient, 1e-12
    )
    assert not found, "\n".join(found)


def test_no_case_was_forgotten() -> None:
    assert list(THEIRS) == list(CASES)


# ── exact fractions ──────────────────────────────────────────────────────────────────────────────

ORDER = 6
RNG = np.random.default_rng(8)
WHOLE = [RNG.integers(-4, 5, (4, 4)) + 9 * (k == 0) * np.eye(4, dtype=int) for k in range(3)]
RIGHT = [RNG.integers(-4, 5, (4, 2)) for _ in range(2)]
TALL = [RNG.integers(-4, 5, (5, 2)) + 6 * (k == 0) * np.eye(5, 2, dtype=int) for k in range(2)]


def fractions(parts: Any) -> list[Any]:
    exact = [np.vectorize(Fraction, otypes=[object])(p) for p in parts]
    return exact + [0 * exact[0]] * (ORDER + 1 - len(exact))


def times(a: Any, b: Any) -> list[Any]:
    return [sum((a[j] @ b[k - j] for j in range(1, k + 1)), a[0] @ b[k]) for k in range(ORDER + 1)]


def inverse(a: Any) -> Any:
    """Of a matrix of fractions, by Gauss and Jordan."""
    n = len(a)
    rows = np.concatenate([a, np.vectorize(Fraction, otypes=[object])(np.eye(n, dtype=int))], axis=1)
    for j in range(n):
        pivot = next(i for i in range(j, n) if rows[i, j])
        rows[[j, pivot]] = rows[[pivot, j]]
        rows[j] = rows[j] / rows[j, j]
        for i in range(n):
            if i != j:
                rows[i] = rows[i] - rows[i, j] * rows[j]
    return rows[:, n:]


def solved(a: Any, b: Any) -> list[Any]:
    """X_k = A_0⁻¹ (B_k − Σ_{j≥1} A_j X_{k−j})."""
    first, x = inverse(a[0]), []
    for k in range(ORDER + 1):
        x.append(first @ (b[k] - sum((a[j] @ x[k - j] for j in range(1, k + 1)), 0 * b[0])))
    return x


def jet(parts: Any) -> dn.Jet:
    planes = np.zeros((ORDER + 1, *np.shape(parts[0])))
    planes[: len(parts)] = parts
    return dn.Jet(planes)


def close(given: dn.Jet, exact: Any) -> None:
    expected = np.array(exact, dtype=float)
    scale = np.max(np.abs(expected), axis=tuple(range(1, expected.ndim)), keepdims=True)
    np.testing.assert_allclose(given.coeffs / scale, expected / scale, rtol=0, atol=1e-13)


def determinant(a: Any) -> list[int]:
    """Leibniz's formula, of polynomials with whole coefficients."""
    total = np.zeros(ORDER + 1, object)
    for p in permutations(range(4)):
        sign = (-1) ** sum(p[i] > p[j] for i in range(4) for j in range(i + 1, 4))
        term = np.array([sign], object)
        for i in range(4):
            term = np.convolve(term, [int(c[i, p[i]]) for c in a])[: ORDER + 1]
        total[: len(term)] += term
    return list(total)


def test_systems_and_determinants_are_exact() -> None:
    a, b, eye = fractions(WHOLE), fractions(RIGHT), fractions([np.eye(4, dtype=int)])
    close(np.linalg.solve(jet(WHOLE), jet(RIGHT)), solved(a, b))
    close(np.linalg.inv(jet(WHOLE)), solved(a, eye))
    close(np.linalg.matrix_power(jet(WHOLE), -2), times(solved(a, eye), solved(a, eye)))
    close(np.linalg.det(jet(WHOLE)), determinant(WHOLE))
    sign, size = np.linalg.slogdet(jet(WHOLE))
    close(sign * np.exp(size), determinant(WHOLE))
    cube = np.linalg.tensorinv(np.reshape(jet(WHOLE), (4, 2, 2)), ind=1)
    close(np.reshape(cube, (4, 4)), solved(a, eye))
    close(np.linalg.tensorsolve(np.reshape(jet(WHOLE), (2, 2, 4)), np.reshape(jet(RIGHT)[:, 0], (2, 2))), [
        x[:, 0] for x in solved(a, b)
    ])  # fmt: skip


def test_least_squares_are_exact() -> None:
    a = fractions(TALL)
    turned = [c.T for c in a]
    exact = solved(times(turned, a), turned)
    close(np.linalg.pinv(jet(TALL)), exact)
    b = np.arange(10.0).reshape(5, 2)
    x, residuals, _, _ = np.linalg.lstsq(jet(TALL), b)
    right = fractions([b.astype(int)])
    close(x, times(exact, right))
    rest = [r - p for r, p in zip(right, times(a, times(exact, right)), strict=True)]
    close(residuals, [np.diagonal(s) for s in times([r.T for r in rest], rest)])


def test_pseudo_inverses_of_rank_one_are_exact() -> None:
    """(l rᵀ)⁺ = r lᵀ/(lᵀl rᵀr)."""
    left, right = [c[:, :1] for c in TALL], [c[:1].T + 1 for c in RIGHT]
    l_, r_ = fractions(left), fractions(right)
    lengths = times(times([c.T for c in l_], l_), times([c.T for c in r_], r_))
    exact = times(r_, solved(lengths, [c.T for c in l_]))
    close(np.linalg.pinv(jet(left) @ jet(right).T), exact)


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6, 1e9, 1e12])
def test_errors_grow_with_the_condition_as_theory_says(condition: float) -> None:
    """|δX_k| ≤ c ε κ · ‖A⁻¹‖ (‖A⁻¹‖ ‖A₁‖)ᵏ ‖b‖, of a backward stable solution (Higham 2002, chapters 7 and 14)."""
    u, v = (np.linalg.qr(RNG.normal(size=(4, 4)))[0] for _ in range(2))
    planes = np.zeros((4, 4, 4))
    planes[0], planes[1] = (u * np.logspace(0, -np.log10(condition), 4)) @ v, RNG.normal(size=(4, 4)) / 4
    right = RNG.normal(size=(4, 2))
    a = [np.vectorize(Fraction, otypes=[object])(p) for p in planes]
    first = inverse(a[0])
    b = np.vectorize(Fraction, otypes=[object])(right)
    for given_, x in ((np.linalg.solve(dn.Jet(planes), right), first @ b), (np.linalg.inv(dn.Jet(planes)), first)):
        size = condition * np.linalg.norm(right)
        for k in range(4):
            error = np.max(np.abs((given_.coefficient(k) - x).astype(float)))
            assert error <= 20 * np.finfo(float).eps * condition * size, k
            x, size = -first @ (a[1] @ x), size * condition * np.linalg.norm(planes[1], 2)


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────

A, B, C = (RNG.normal(size=(4, 4)) for _ in range(3))
S = A @ A.T + np.eye(4)


def second(f: Callable[[Any], Any], a: Any = A) -> Any:
    """∂_s ∂_t f(A + s B + t C)."""
    return dn.derivative(lambda s: dn.grad(lambda t: f(a + s * B + t * C))(0.0))(0.0)


def test_second_derivatives_of_determinants() -> None:
    inverse = np.linalg.inv(A)
    b, c = np.trace(inverse @ B), np.trace(inverse @ C)
    both = np.trace(inverse @ B @ inverse @ C)
    np.testing.assert_allclose(second(np.linalg.det), np.linalg.det(A) * (b * c - both), rtol=1e-12)
    np.testing.assert_allclose(second(lambda a: np.linalg.slogdet(a)[1]), -both, rtol=1e-12)
    np.testing.assert_allclose(second(lambda a: np.linalg.det(a) ** -1), (b * c + both) / np.linalg.det(A), rtol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
def test_second_derivatives_through_cholesky(upper: bool) -> None:
    b, c = B + B.T, C + C.T
    inverse = np.linalg.inv(S)

    def factors(t: Any, s: Any) -> Any:
        lower = np.linalg.cholesky(S + t * b + s * c, upper=upper)
        return lower.T if upper else lower

    def inverted(t: Any, s: Any) -> Any:
        lower = np.linalg.inv(factors(t, s))
        return lower.T @ lower

    def solution(t: Any, s: Any) -> Any:
        lower = factors(t, s)
        return np.linalg.solve(lower.T, np.linalg.solve(lower, A[:, :2]))

    for f in (inverted, solution):
        mixed = dn.derivative(lambda t, f=f: dn.derivative(lambda s: f(t, s))(0.0))(0.0)
        exact = inverse @ (b @ inverse @ c + c @ inverse @ b) @ inverse @ (np.eye(4) if f is inverted else A[:, :2])
        np.testing.assert_allclose(mixed, exact, rtol=1e-11)
    size = lambda t, s: 2 * np.sum(np.log(np.diagonal(factors(t, s))))  # noqa: E731
    mixed = dn.derivative(lambda t: dn.grad(lambda s: size(t, s))(0.0))(0.0)
    np.testing.assert_allclose(mixed, -np.trace(inverse @ b @ inverse @ c), rtol=1e-11)


def test_gradients_of_norms() -> None:
    u, s, v = np.linalg.svd(A)
    inverse = np.linalg.inv(A)
    np.testing.assert_allclose(dn.grad(lambda a: np.linalg.norm(a, "nuc"))(A), u @ v, rtol=1e-12)
    np.testing.assert_allclose(dn.grad(lambda a: np.linalg.norm(a, 2))(A), np.outer(u[:, 0], v[0]), rtol=1e-12)
    np.testing.assert_allclose(dn.grad(lambda a: np.linalg.norm(a, -2))(A), np.outer(u[:, 3], v[3]), rtol=1e-11)
    np.testing.assert_allclose(dn.grad(np.linalg.norm)(A), A / np.linalg.norm(A), rtol=1e-14)
    np.testing.assert_allclose(
        dn.grad(np.linalg.cond)(A), (np.outer(u[:, 0], v[0]) - s[0] / s[3] * np.outer(u[:, 3], v[3])) / s[3], rtol=1e-11
    )
    weights = np.sum(inverse * inverse)
    np.testing.assert_allclose(
        dn.grad(lambda a: np.linalg.cond(a, "fro") ** 2)(A),
        2 * A * weights - 2 * np.sum(A * A) * (inverse.T @ inverse @ inverse.T), rtol=1e-11,
    )  # fmt: skip


# ── values, types and directions of all functions, of any shape ──────────────────────────────────

L = np.linalg
ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
SQUARE: dict[str, Callable[[Any], Any]] = {
    "inv": L.inv, "det": L.det, "slogdet": L.slogdet, "matrix_power": lambda a: L.matrix_power(a, -3),
    "solve": lambda a: L.solve(a, a[..., ::-1]), "eigh": L.eigh, "eigh, U": lambda a: L.eigh(a, "U"),
    "eigvalsh": L.eigvalsh, "cond, 1": lambda a: L.cond(a, 1), "cond, fro": lambda a: L.cond(a, "fro"),
    "pinv, hermitian": lambda a: L.pinv(a, hermitian=True), "eig": lambda a: np.abs(L.eig(a)[1]),
    "eigvals": lambda a: np.abs(L.eigvals(a)), "svdvals, hermitian": lambda a: L.svd(a, True, False, True),
    "svd, hermitian": lambda a: L.svd(a, hermitian=True),
}  # fmt: skip
ANY: dict[str, Callable[[Any], Any]] = {
    "qr": L.qr, "qr, r": lambda a: L.qr(a, "r"), "svd": lambda a: L.svd(a, full_matrices=False),
    "svdvals": L.svdvals, "svd, values": lambda a: L.svd(a, compute_uv=False), "cond": L.cond,
    "cond, -2": lambda a: L.cond(a, -2), "pinv": lambda a: L.pinv(a, rtol=None),
    "cholesky": lambda a: L.cholesky(_gram(a)), "cholesky, upper": lambda a: L.cholesky(_gram(a), upper=True),
    "multi_dot": lambda a: a if a.ndim > 2 else L.multi_dot([a, a.T, a]), "norm": L.matrix_norm,
    **{f"norm, {p}": lambda a, p=p: L.norm(a, p, axis=(-1, -2), keepdims=p in (1, 2)) for p in ORDERS},
    **{f"matrix_norm, {p}": lambda a, p=p: L.matrix_norm(a, ord=p, keepdims=True) for p in ORDERS[1:]},
    **{f"vector_norm, {p}": lambda a, p=p: L.vector_norm(a, axis=-1, ord=p) for p in (2, 1, 3.5, 0, np.inf, -1)},
    "lstsq": lambda a: L.lstsq(a, a[:, :1])[::3] if a.ndim == 2 else a, "rank": L.matrix_rank,
}  # fmt: skip


def _gram(a: Any) -> Any:
    return a @ np.conjugate(np.swapaxes(a, -1, -2)) + np.eye(a.shape[-2], dtype=a.dtype)


LAYOUTS: list[Callable[[Any], Any]] = [
    lambda a: a, lambda a: np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2), lambda a: a[..., ::-1, ::-1],
    lambda a: np.repeat(a, 2, axis=-1)[..., ::2], np.asfortranarray,
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_function_of_any_matrices(data: Any) -> None:
    """The value and the type are NumPy's, and the slope along a direction is the gradient's product with it."""
    square = data.draw(st.booleans())
    name = data.draw(st.sampled_from(sorted(SQUARE if square else ANY)))
    f = (SQUARE if square else ANY)[name]
    least = 0 if name in ("inv", "det", "slogdet", "solve", "qr", "pinv", "svd", "eigh", "cholesky", "norm") else 1
    rows = data.draw(st.integers(least, 4))
    columns = rows if square else data.draw(st.integers(least, 4))
    leading = data.draw(st.sampled_from([(), (2,), (2, 1), (0,)]))
    kind = data.draw(st.sampled_from([np.float64, np.float32, np.complex128, np.complex64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    a, direction = (_drawn(rng, (*leading, rows, columns), kind) for _ in range(2))
    a = data.draw(st.sampled_from(LAYOUTS))(a + 2 * np.diag(np.arange(1.0, 5))[:rows, :columns].astype(kind))
    expected = _leaves(f(a))
    found = _leaves(f(dn.jet(a, 1, direction=direction)))
    digits = 2e-4 if kind in (np.float32, np.complex64) else 1e-12
    for given_, right in zip(found, expected, strict=True):
        value = getattr(given_, "value", given_)
        assert np.shape(value) == np.shape(right)
        assert np.asarray(value).dtype == np.asarray(right).dtype
        np.testing.assert_allclose(value, right, rtol=digits, atol=digits)
    if kind in (np.float32, np.complex64):
        return
    weights = [rng.normal(size=np.shape(y)) + 1j * rng.normal(size=np.shape(y)) for y in expected]

    def scalar(parts: Any) -> Any:
        x = parts[0] + 1j * parts[1] if kind is np.complex128 else parts[0]
        return sum((np.sum(np.real(w * y)) for w, y in zip(weights, _leaves(f(x)), strict=True)), 0.0 * np.sum(parts))

    parts, moved = (np.stack([np.real(x), np.imag(x)]) for x in (a, direction))
    slope = dn.derivative(lambda t: scalar(parts + t * moved))(0.0)
    gradient = dn.grad(scalar)(parts)
    scale = np.sum(np.abs(gradient * moved)) + 1
    np.testing.assert_allclose(np.sum(gradient * moved), slope, rtol=0, atol=1e-11 * scale)


def _drawn(rng: Any, shape: tuple[int, ...], kind: Any) -> Any:
    a = rng.normal(size=shape)
    return (a + 1j * rng.normal(size=shape) if np.dtype(kind).kind == "c" else a).astype(kind)


def _leaves(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 0, 0), (0, 2, 2)])
@pytest.mark.parametrize("order", ORDERS)
def test_norms_of_nothing_are_those_of_numpy(order: Any, shape: tuple[int, ...]) -> None:
    norm = lambda a: np.linalg.norm(a, order, axis=(-2, -1))  # noqa: E731
    try:
        expected = norm(np.zeros(shape))
    except ValueError:
        with pytest.raises((dn.InvalidValue, dn.InvalidIndex)):
            norm(dn.jet(np.zeros(shape), 2))
        return
    np.testing.assert_array_equal(norm(dn.jet(np.zeros(shape), 2)).value, expected)


def test_whole_numbers_become_floats() -> None:
    a = np.array([[4, 1], [2, 3]])
    for f in (L.inv, L.det, L.svdvals, L.norm, L.eigvals):
        np.testing.assert_allclose(f(dn.jet(a, 1)).value, f(a), rtol=1e-15)
    np.testing.assert_allclose(L.solve(a, dn.jet(np.array([1.0, 2.0]), 1)).derivative(1), L.solve(a, [1, 1]))
    assert L.lstsq(dn.jet(np.float32([[4, 1], [2, 3]]), 1), np.ones(2))[3].dtype == np.float64
    assert np.roots(dn.jet(np.float32([1.0, -3, 2]), 1)).dtype == np.float32


# ── what is degenerate ───────────────────────────────────────────────────────────────────────────

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    "f",
    [
        L.inv, L.slogdet, lambda a: L.solve(a, np.ones(2)), lambda a: L.cholesky(-a), lambda a: L.matrix_power(a, -1),
        lambda a: L.inv(a[:1]), lambda a: L.matrix_power(a[:1], 2), lambda a: L.eigh(a[:1]),
        lambda a: L.cond(a[:0]), lambda a: L.cond(a[:1], 1), lambda a: L.lstsq(a, np.ones(3)),
    ],
)  # fmt: skip
def test_an_error_of_numpy_is_one_of_ours(f: Callable[[Any], Any]) -> None:
    with pytest.raises(L.LinAlgError) as caught:
        f(dn.jet(SINGULAR, 1))
    assert isinstance(caught.value, dn.InvalidMatrix)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(L.LinAlgError):
        dn.grad(lambda a: np.sum(_leaves(f(a))[-1]))(SINGULAR)
    with pytest.raises(L.LinAlgError):
        dn.jit(dn.grad(lambda a: np.sum(_leaves(f(a))[-1])))(SINGULAR)


def test_the_logarithm_of_a_singular_determinant_is_there_without_its_slope() -> None:
    sign, size = L.slogdet(dn.autograd.variable(SINGULAR))
    with pytest.raises(dn.InvalidMatrix, match=r"np\.linalg\.det is smooth"):
        dn.grad(lambda a: L.slogdet(a)[1])(SINGULAR)
    assert sign == 0
    assert size.value == -np.inf


@pytest.mark.parametrize("p", [None, 2, 1, -1, np.inf, "fro"])
def test_the_condition_of_a_singular_matrix_has_no_slope(p: Any) -> None:
    for way in (dn.derivative(lambda t: L.cond(t * SINGULAR, p)), dn.jit(dn.grad(lambda t: L.cond(t * SINGULAR, p)))):
        with pytest.raises(dn.NonsmoothPoint, match=r"np.linalg.cond\(x, -2\)"):
            way(1.0)
    reciprocal = L.cond(dn.jet(SINGULAR, 2), -2)
    np.testing.assert_allclose(reciprocal.coeffs, 0.0, atol=1e-15)


def test_a_singular_value_that_is_zero_has_the_subgradient_of_a_modulus() -> None:
    expected = SINGULAR / 5  # u vᵀ of the other one
    for f in (lambda a: L.norm(a, "nuc"), lambda a: L.norm(a, 2), lambda a: np.sum(L.svdvals(a))):
        np.testing.assert_allclose(dn.grad(f)(SINGULAR), expected, rtol=1e-14)
        np.testing.assert_allclose(dn.jit(dn.grad(f))(SINGULAR), expected, rtol=1e-14)
        slope = dn.derivative(lambda t, f=f: f(SINGULAR + t * B[:2, :2]))(0.0)
        np.testing.assert_allclose(slope, np.sum(expected * B[:2, :2]))
    np.testing.assert_allclose(dn.grad(lambda a: L.norm(a, -2))(SINGULAR), 0.0, atol=1e-15)
    np.testing.assert_array_equal(dn.grad(lambda a: L.norm(a, "nuc"))(np.zeros((2, 3))), np.zeros((2, 3)))


def test_lists_of_jets_are_refused_with_a_way_out() -> None:
    t = dn.jet(2.0, 1)
    for call in (lambda: L.inv([[t, 1.0], [0.0, t]]), lambda: L.norm([t, 1.0]), lambda: L.solve(np.eye(2), [t, 1.0])):
        with pytest.raises(dn.DerivativeDropped, match=r"dn\.array"):
            call()
    np.testing.assert_allclose(L.det(dn.array([[t, 1.0], [0.0, t]])).derivative(1), 4.0)


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def test_one_name_holds_all_of_linear_algebra() -> None:
    for name in np.linalg.__all__:
        assert getattr(la, name) is getattr(np.linalg, name)
        assert name in la.__all__
    assert la.norm(la.solve(dn.jet(4.0, 1) * np.eye(2), np.array([3.0, 4.0]))).derivative(1) == -0.3125


# ── polynomials ──────────────────────────────────────────────────────────────────────────────────

GRID = np.linspace(-0.9, 0.8, 7)
SERIES = [
    polynomials.Polynomial,
    polynomials.Chebyshev,
    polynomials.Legendre,
    polynomials.Hermite,
    polynomials.Laguerre,
]


@pytest.mark.parametrize("kind", SERIES)
def test_series_of_polynomials_take_jets_or_say_what_to_write(kind: Any) -> None:
    p, x = kind([1.0, -2.0, 3.0], domain=[0, 2]), dn.jet(GRID, 2)
    module = __import__(kind.__module__, fromlist=["x"])
    short = kind.__module__.rpartition(".")[2]
    prefix = {"polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "laguerre": "lag"}[short]
    of_powers = p.convert()  # with a window that is the domain
    value, matrix = getattr(module, f"{prefix}val"), getattr(module, f"{prefix}vander")
    y = value(x, of_powers.coef)
    np.testing.assert_allclose(y.derivative(2), p.deriv(2)(GRID), rtol=1e-13)
    for refused in (
        lambda: p(x), lambda: kind(x), lambda: kind.fit(GRID, x, 2), lambda: value(0.3, x), lambda: matrix(x, 2),
        lambda: getattr(module, f"{prefix}roots")(x), lambda: getattr(module, f"{prefix}fit")(GRID, x, 2),
    ):  # fmt: skip
        with pytest.raises(dn.DerivativeDropped, match=r"np\.polyval, np\.polyfit and np\.roots"):
            refused()
    fitted = np.linalg.lstsq(matrix(GRID, 2), np.exp(x))[0]
    np.testing.assert_allclose(fitted.derivative(1), getattr(module, f"{prefix}fit")(GRID, np.exp(GRID), 2), rtol=1e-10)
    c = dn.jet(np.array([1.0, 2.0, 3.0]), 1)
    np.testing.assert_allclose((matrix(GRID, 2) @ c).derivative(1), value(GRID, [1.0, 1.0, 1.0]), rtol=1e-13)


def test_poly1d_keeps_derivatives() -> None:
    c = np.array([2.0, -3.0, 1.0])
    p = np.poly1d(dn.jet(c, 2))
    np.testing.assert_allclose(p(0.5).derivative(1), 1.75)
    np.testing.assert_allclose(p.deriv().c.derivative(1), [2.0, 1.0])
    np.testing.assert_allclose((p * p).c.derivative(1), 2 * np.polymul(c, np.ones(3)))
    roots = p.r  # r' = −(r² + r + 1)/p'(r)
    r = roots.value
    np.testing.assert_allclose(roots.derivative(1), -(r * r + r + 1) / (4 * r - 3), rtol=1e-14)
