"""Matrices of constant rank, and bases of orthogonal complements: against mpmath, closed forms, and by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_linalg import ORDER, RNG, X, adjoint, at, by_differences, exact, jet, zero
from ways import HESSIANS, JITTED_HESSIANS, differences, in_turn

import dualnum as dn

# A = L R of rank 2, L and R series of full rank
LEFT, RIGHT = (np.round(8 * RNG.normal(size=shape)) / 8 for shape in ((3, 5, 2), (3, 2, 4)))
SIDE = np.round(8 * RNG.normal(size=(5, 3))) / 8
WEIGHTS = RNG.normal(size=(5, 5))


def product(x: Any, left: Any = LEFT, right: Any = RIGHT) -> Any:
    """A matrix of rank 2 for every x."""
    return (left[0] + x[0] * left[1] + x[1] * x[2] * left[2]) @ (right[0] + x[2] * right[1] + x[0] * x[1] * right[2])


def rotated(x: Any) -> Any:
    return product(x, LEFT + 0.5j * LEFT[::-1], RIGHT - 0.25j * RIGHT[::-1])


def batch(x: Any) -> Any:
    """Matrices of the ranks 2, 4, 0 and 2."""
    full = product(x) + np.eye(5, 4) * (2 + x[0])
    return np.reshape(np.stack([product(x), full, 0 * x[1] * full, product(x * x)]), (2, 2, 5, 4))


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "pinv": lambda x: np.sum(np.linalg.pinv(product(x)) * WEIGHTS[:4]),
    "pinv, wide": lambda x: np.sum(np.linalg.pinv(product(x).T, rtol=None) * WEIGHTS[:, :4]),
    "pinv, complex": lambda x: np.sum(np.abs(np.linalg.pinv(rotated(x))) ** 2 * WEIGHTS[:4]),
    "pinv, Hermitian": lambda x: np.sum(np.linalg.pinv(product(x) @ product(x).T, 1e-12, True) * WEIGHTS),
    "pinv of a batch": lambda x: np.sum(np.linalg.pinv(batch(x)) * WEIGHTS[:4]),
    "lstsq": lambda x: np.sum(np.linalg.lstsq(product(x), SIDE * x[1])[0] ** 3),
    "lstsq, wide": lambda x: np.sum(np.linalg.lstsq(product(x).T, SIDE[:4, 0] * x[1])[0] * WEIGHTS[0]),
    "singular values of lstsq": lambda x: np.sum(np.linalg.lstsq(product(x), SIDE[:, 0])[3][:2] ** 3),
    "polyfit through too few points": lambda x: np.polyfit(
        np.stack([x[0], x[1], x[0]]), np.stack([x[2], x[0] * x[2], x[2]]), 2
    ) @ WEIGHTS[0, :3],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Polyfit")
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    f = PROGRAMS[name]
    expected = HESSIANS["one jet along lines"](f)(X)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(by_differences(f), expected, rtol=0, atol=1e-4 * scale + 1e-5)
    compiled = in_turn(JITTED_HESSIANS, list(PROGRAMS).index(name), 2)
    ways: dict[str, Any] = {**HESSIANS, **compiled}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected, 1e-8)
    assert not found, "\n".join(found)


def test_a_pseudo_inverse_of_rank_two_has_the_exact_coefficients() -> None:
    def theirs(t: Any) -> Any:
        left, right = at(LEFT, t), at(RIGHT, t)
        return right.T * (right * right.T) ** -1 * (left.T * left) ** -1 * left.T

    expected = exact(theirs, (4, 5))
    found = np.linalg.pinv(jet(LEFT) @ jet(RIGHT)).coeffs
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * np.max(np.abs(expected)))
    x, residuals, rank, s = np.linalg.lstsq(jet(LEFT) @ jet(RIGHT), SIDE)
    np.testing.assert_allclose(x.coeffs, expected @ SIDE, rtol=1e-9, atol=1e-11 * np.max(np.abs(expected)))
    assert rank == 2
    assert residuals.shape == (0,)
    assert s.shape == (4,)


@pytest.mark.parametrize("kind", [float, complex, np.float32])
def test_its_gradient_is_that_of_golub_and_pereyra(kind: Any) -> None:
    """dA⁺ = −A⁺ dA A⁺ + A⁺ A⁺ᴴ dAᴴ (1 − A A⁺) + (1 − A⁺ A) dAᴴ A⁺ᴴ A⁺."""
    a = (rotated(X) if kind is complex else product(X)).astype(kind)
    p, d = np.linalg.pinv(a, rtol=None), adjoint(WEIGHTS[:4] + 1j * WEIGHTS[1:]) if kind is complex else WEIGHTS[:4].T
    d = d.astype(kind)
    kernel, rest = np.eye(4) - p @ a, np.eye(5) - a @ p
    expected = -p @ d @ p + p @ adjoint(p) @ adjoint(d) @ rest + kernel @ adjoint(d) @ adjoint(p) @ p
    weights = RNG.normal(size=(4, 5))

    def f(parts: Any) -> Any:
        b = parts[0] + 1j * parts[1] if kind is complex else parts[0]
        return np.sum(np.real(np.linalg.pinv(b, rtol=None)) * weights)

    parts, moved = (np.stack([x.real, x.imag]) for x in (a, d))
    for gradient in (dn.grad(f), dn.jit(dn.grad(f))):
        slope = gradient(parts)
        assert slope.dtype == parts.dtype
        digits = 1e-4 if kind is np.float32 else 1e-10
        np.testing.assert_allclose(np.sum(slope * moved), np.sum(expected.real * weights), rtol=digits)


def test_a_trace_of_full_rank_knows_when_it_is_not() -> None:
    gradient = dn.jit(dn.grad(lambda a: np.sum(np.linalg.pinv(a) * WEIGHTS[:4])))
    full = product(X) + np.eye(5, 4)
    for a in (full, product(X), full):
        np.testing.assert_allclose(gradient(a), dn.grad(lambda a: np.sum(np.linalg.pinv(a) * WEIGHTS[:4]))(a))


ONES = np.ones(2, np.float32)


def _noisy(t: Any) -> Any:
    return (np.array([[1.0, 2.0], [2.0, 4.0 + 1e-6]]) * (1 + t)).astype(np.float32)


def _beside(power: int) -> Callable[[Any], Any]:
    return lambda t: product(X) + t**power * WEIGHTS[:, :4]


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("pinv: a 5 × 4 matrix has the rank 2, and another one beside", lambda t: np.linalg.pinv(_beside(1)(t))),
        ("lstsq: a 5 × 4 matrix has the rank 2, and", lambda t: np.linalg.lstsq(_beside(2)(t), np.ones(5))),
        ("pinv: a 2 × 2 matrix has the rank 0, and", lambda t: np.linalg.pinv(t * np.eye(2))),
        ("limit leaves the rank 1, but", lambda t: np.linalg.pinv(np.diag([2.0, 1.0]) * (1 + t), 0.7)),
        ("limit leaves the rank 1, but", lambda t: np.linalg.lstsq(np.diag([2.0, 1.0]) * (1 + t), [1, 2.0], 0.7)),
        ("lstsq: columns depend .* rcond=2e-07", lambda t: np.linalg.lstsq(_noisy(t), ONES)),
        ("with rtol=None they count", lambda t: np.linalg.pinv(_noisy(t))),
    ],
)  # fmt: skip
def test_a_rank_that_changes_says_so(message: str, call: Callable[[Any], Any]) -> None:
    leaf = lambda t: (lambda y: y[0] if isinstance(y, tuple) else y)(call(t))  # noqa: E731
    for derived in (dn.derivative(leaf, 2), dn.derivative(dn.derivative(leaf))):
        with pytest.raises(dn.NonsmoothPoint, match=message):
            derived(0.0)


def test_a_higher_limit_is_heard() -> None:
    for y in (
        np.linalg.lstsq(_noisy(dn.jet(0.0, 2)), ONES, 1e-6)[0],
        np.linalg.pinv(_noisy(dn.jet(0.0, 2)), 1e-6) @ ONES,
    ):
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.coeffs, np.outer([1, -1, 1], [0.12, 0.24]), rtol=1e-5)


def test_what_has_not_moved_yet_has_its_rank() -> None:
    first = dn.derivative(lambda t: np.linalg.pinv(_beside(2)(t)))(0.0)
    np.testing.assert_array_equal(first, 0 * first)
    with pytest.raises(dn.InvalidValue, match="rcond and rtol"):
        np.linalg.pinv(dn.jet(product(X)), 1e-3, rtol=1e-3)


# ── complements ──────────────────────────────────────────────────────────────────────────────────

TALL, TALL_COMPLEX = LEFT, LEFT + 1j * LEFT[::-1]


def _gauge(q: Any, first: Any) -> Any:
    w = first - q @ (adjoint(q) @ first)
    return w @ np.linalg.inv(adjoint(np.linalg.cholesky(adjoint(w) @ w)))


@pytest.mark.parametrize("kind", [float, complex, np.float32])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 1), (2, 4, 2), (3, 0), (0, 2)])
def test_a_basis_made_complete_is_orthonormal(shape: tuple[int, ...], kind: Any) -> None:
    rng = np.random.default_rng(5)
    parts = rng.normal(size=(3, *shape)) + (1j * rng.normal(size=(3, *shape)) if kind is complex else 0)
    a = jet(parts.astype(kind))
    rows, columns = a.shape[-2:]
    least = min(rows, columns)
    q, r = np.linalg.qr(a, "complete")
    u, s, v = np.linalg.svd(a)
    for given, right in zip(
        (q, r, u, s, v), (*np.linalg.qr(a.value, "complete"), *np.linalg.svd(a.value)), strict=True
    ):
        np.testing.assert_allclose(given.value, right, rtol=0, atol=8 * np.finfo(kind).eps)
        assert given.dtype == right.dtype
    if not a.size:
        return
    zero(q @ r - a, q, r)
    zero(adjoint(q) @ q - np.eye(rows, dtype=kind), q, q)
    zero(adjoint(u) @ u - np.eye(rows, dtype=kind), u, u)
    zero(v @ adjoint(v) - np.eye(columns, dtype=kind), v, v)
    zero((u[..., :least] * s[..., None, :]) @ v[..., :least, :] - a, u, s, v)
    reduced = np.linalg.svd(a, full_matrices=False)
    np.testing.assert_array_equal(u[..., :least].coeffs, reduced[0].coeffs)


def _tall(x: Any, c: Any = TALL) -> Any:
    return c[0] + x[0] * c[1] + x[1] * x[2] * c[2]


COMPLETE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "qr": (lambda a: np.linalg.qr(a, "complete")[0], lambda a: np.linalg.qr(a)[0]),
    "svd": (lambda a: np.linalg.svd(a)[0], lambda a: np.linalg.svd(a, full_matrices=False)[0]),
    "svd, wide": (lambda a: adjoint(np.linalg.svd(adjoint(a))[2]), lambda a: np.linalg.svd(a, full_matrices=False)[0]),
}  # fmt: skip


@pytest.mark.parametrize("matrix", [TALL, TALL_COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("name", COMPLETE)
def test_a_complement_is_a_function_of_the_matrix(name: str, matrix: Any) -> None:
    complete, reduced = COMPLETE[name]
    first = complete(_tall(X, matrix))[:, 2:]
    weights = WEIGHTS[:, :3] + (1j * WEIGHTS[:, 2:] if matrix is TALL_COMPLEX else 0)

    def f(x: Any) -> Any:
        return np.sum(np.real(complete(_tall(x, matrix))[:, 2:] * weights))

    def theirs(x: Any) -> Any:
        return np.sum(np.real(_gauge(reduced(_tall(x, matrix)), first) * weights))

    expected = by_differences(theirs)
    ways: dict[str, Any] = {**HESSIANS, **in_turn(JITTED_HESSIANS, list(COMPLETE).index(name), 2)}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected, 1e-5)
    assert not found, "\n".join(found)
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, dn.hessian(f)(X), 1e-9)
    assert not found, "\n".join(found)


def test_projections_on_a_complement_know_no_gauge() -> None:
    """The projection is 1 − A A⁺, whatever the basis, to every order."""
    a = jet(LEFT)
    rest = np.eye(5) - a @ np.linalg.pinv(a)
    for basis in (np.linalg.qr(a, "complete")[0][:, 2:], np.linalg.svd(a)[0][:, 2:]):
        zero(basis @ adjoint(basis) - rest, rest, rest)
    assert ORDER == a.order


def test_a_complement_beside_equal_singular_values() -> None:
    base = np.eye(5, 2) + dn.jet(0.0, 3) * LEFT[1]
    u = np.linalg.svd(base)[0]
    rest = np.eye(5) - base @ np.linalg.pinv(base)
    zero(u[:, 2:] @ u[:, 2:].T - rest, rest)
    zero(u[:, 3:].T @ u[:, 2:3], rest)
    assert np.all(np.isfinite(u[:, 4].coeffs))
