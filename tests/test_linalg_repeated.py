"""Eigenvalues and singular values that are equal: how they split along a curve, and what has a gradient there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn

RNG = np.random.default_rng(12)
SKEW = RNG.normal(size=(4, 4))
SKEW = SKEW - SKEW.T
C = RNG.normal(size=(3, 3))
C = C + C.T
EQUAL = np.diag([1.0, 1.0, 2.0])
ORTHONORMAL = np.linalg.qr(RNG.normal(size=(4, 3)))[0]


def symmetric(a: Any) -> Any:
    return (a + np.swapaxes(a, -1, -2)) / 2


def is_small(x: Any, *factors: Any) -> None:
    planes = getattr(x, "planes", x)
    scale = np.prod([np.max(np.abs(getattr(y, "planes", y))) for y in factors])
    np.testing.assert_allclose(planes, 0.0, atol=1e4 * np.finfo(planes.dtype).eps * max(scale, 1.0))


# ── along a curve ────────────────────────────────────────────────────────────────────────────────

# λ(t), in the order of the values for small t > 0; the degrees at which those that are equal part
CURVES: dict[str, tuple[Callable[[Any], list[Any]], int]] = {
    "two cross": (lambda t: [1 - t + t * t, 1 + t, 3 + t**3, 4 - t], 1),
    "three, two of which stay longer": (lambda t: [1 - t, 1 + t, 1 + t + t**3, 4 + 0 * t], 3),
    "all at different degrees": (lambda t: [2 - t, 2 - t**2, 2 + 0 * t, 2 + t**3], 3),
    "two pairs": (lambda t: [-1 - t**2, -1 + 0 * t, 5 + t, 5 + 2 * t], 2),
}


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", CURVES)
def test_eigenvalues_split_where_they_part(name: str, kind: Any) -> None:
    curve, degree = CURVES[name]
    t = dn.jet(0.0, 6)
    skew = SKEW + 1j * (np.abs(SKEW) + np.abs(SKEW.T)) if kind is complex else SKEW
    basis, values = dn.linalg.expm(t * skew), np.stack(curve(t))
    a = (basis * values) @ np.conjugate(basis.T)
    w, v = np.linalg.eigh(a)
    np.testing.assert_allclose(w.coeffs, values.coeffs, atol=1e-13 * np.max(np.abs(a.coeffs)))
    np.testing.assert_array_equal(w.coeffs, np.linalg.eigvalsh(a).coeffs)
    is_small(a @ v - v * w, a)
    is_small(np.conjugate(v.T) @ v - np.eye(4), a)
    known = v.truncate(6 - degree)
    phase = np.sum(np.conjugate(known.value) * basis.value, axis=0)
    np.testing.assert_allclose(np.abs(phase), 1.0, rtol=1e-9)  # they are those of small t
    if kind is float:
        np.testing.assert_allclose((known * phase).coeffs, basis.coeffs[: 7 - degree], atol=1e-8)
    with pytest.raises(dn.NonsmoothPoint, match=f"part at degree {degree}: .* to order {6 - degree} only"):
        v[:, 0].derivative(1)


def test_a_published_curve() -> None:
    """Andrew & Tan, "Computation of derivatives of repeated eigenvalues and the corresponding eigenvectors of symmetric
    matrix pencils", SIAM J. Matrix Anal. Appl. 20, 1998: two eigenvalues are equal to their second derivatives."""
    x = dn.jet(1.0, 5)
    c, s = np.cos(x), np.sin(x)
    rows = [[c, 1, s, -1], [-s, -1, c, -1], [1, -s, 1, c], [-1, c, 1, s]]
    q = np.stack([np.stack([y + 0 * x for y in row]) for row in rows]) / np.sqrt(3)
    values = np.stack([x**2 - x + 0.5, 4 * x**2 - 3 * x, x**3 + x**2 - 1, 3 * x - 1])
    w, v = np.linalg.eigh((q * values) @ q.T)
    np.testing.assert_allclose(w.coeffs, values.coeffs, atol=1e-12)
    known = v.truncate(2)
    sign = np.sign(np.sum(known.value * q.value, axis=0))
    np.testing.assert_allclose((known * sign).coeffs, q.coeffs[:3], atol=1e-11)


def test_what_stays_together() -> None:
    a = dn.jet(2.0, 3) * np.eye(3) + np.array([0.0, 0, 1])[:, None] * np.eye(3)
    w, v = np.linalg.eigh(a)
    np.testing.assert_array_equal(w.coeffs[:2], [[2, 2, 3], [1, 1, 1]])
    np.testing.assert_allclose(
        ((v * np.sqrt(w)) @ v.T).derivative(1), np.diag([8**-0.5, 8**-0.5, 12**-0.5]), rtol=1e-15
    )
    is_small((v[:, :2] @ v[:, :2].T).planes[1:])
    np.testing.assert_array_equal(v[:, 2].derivative(1), [0, 0, 0])
    np.testing.assert_array_equal(v.value, np.eye(3))
    for read in (lambda: v[:, 0], lambda: v[:, 1:], lambda: v.coeffs, lambda: v.truncate(1).derivative(1)):
        with pytest.raises(
            dn.NonsmoothPoint, match=r"values 0, 1 are equal \(2\), and stay so to the order of the jet"
        ):
            read()


def test_each_matrix_of_a_batch_by_itself_and_each_direction() -> None:
    a = np.stack([EQUAL, np.diag([1.0, 2.0, 3.0]), np.eye(3)])
    v = symmetric(RNG.normal(size=(5, 3, 3, 3)))
    w = np.linalg.eigvalsh(dn.jet(a, 4, directions=v))
    for p, i in np.ndindex(5, 3):
        one = np.linalg.eigvalsh(dn.jet(a[i], 4, direction=v[p, i]))
        for k in range(1, 5):
            np.testing.assert_allclose(w.coefficient(k)[p, i], one.coefficient(k), rtol=1e-9, atol=1e-11)
    with pytest.raises(dn.NonsmoothPoint, match="along each of 5 directions"):
        np.linalg.eigh(dn.jet(a, 1, directions=v))
    shared = np.linalg.eigh(dn.jet(EQUAL, 2, directions=np.stack([np.diag([1.0, 2.0, 0.0]), np.diag([0.0, 0.5, 1.0])])))
    np.testing.assert_array_equal(shared[0].coefficient(1), [[1, 2, 0], [0, 0.5, 1]])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=5), st.integers(1, 4), st.booleans(), st.integers(0, 2**16),
    st.sampled_from([np.float64, np.float32]),
)  # fmt: skip
def test_power_sums_are_traces(values: list[int], order: int, moving: bool, seed: int, kind: Any) -> None:
    rng = np.random.default_rng(seed)
    n = len(values)
    q = np.linalg.qr(rng.normal(size=(n, n)))[0] if moving else np.eye(n)
    planes = symmetric(rng.integers(-2, 3, size=(order + 1, n, n)).astype(float))
    planes[0] = symmetric((q * values) @ q.T)
    a = dn.Jet(planes.astype(kind))
    w, v = np.linalg.eigh(a)
    assert w.dtype == v.dtype == kind
    scale = np.max(np.abs(planes)) ** 3 * n * (1 + order) ** 3
    loss = 1e3 * (1 + np.max(np.abs(v.planes))) ** 2
    np.testing.assert_allclose(np.sum(w**3).coeffs, np.trace(a @ a @ a).coeffs, atol=scale * loss * np.finfo(kind).eps)
    assert np.all(np.diff(w.value) >= -1e-5)


# ── gradients ────────────────────────────────────────────────────────────────────────────────────


def cube(a: Any) -> Any:
    a = symmetric(a)
    return np.trace(a @ a @ a)


def sum_of_cubes(a: Any) -> Any:
    return np.sum(np.linalg.eigvalsh(symmetric(a)) ** 3)


def projector(a: Any) -> Any:
    v = np.linalg.eigh(symmetric(a))[1][:, :2]
    return np.sum(v @ v.T * C)


def other_projector(a: Any) -> Any:
    x = np.linalg.eigh(symmetric(a))[1][:, 2]
    return np.sum((np.eye(3) - np.outer(x, x)) * C)


def cubes_of(values: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: np.sum(values(symmetric(a)) ** 3)


SYMMETRIC: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "a sum of all": (sum_of_cubes, cube),
    "the values of eigh": (lambda a: np.sum(np.linalg.eigh(symmetric(a))[0] ** 3), cube),
    "log det": (
        lambda a: np.sum(np.log(np.linalg.eigvalsh(symmetric(a)))), lambda a: np.linalg.slogdet(symmetric(a))[1],
    ),
    "the projector of the block": (projector, other_projector),
}  # fmt: skip


@pytest.mark.parametrize("point", [EQUAL, np.eye(3) + np.diag([0.0, 0.0, 2.0])])
@pytest.mark.parametrize("name", SYMMETRIC)
def test_functions_of_all_of_a_block_have_gradients(name: str, point: Any) -> None:
    f, same = SYMMETRIC[name]
    expected, close = dn.grad(same)(point), {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(dn.grad(f)(point), expected, **close)
    np.testing.assert_allclose(dn.jit(dn.grad(f))(point), expected, **close)
    leaf = dn.autograd.variable(point, requires_grad=True)
    f(leaf).backward()
    np.testing.assert_allclose(leaf.grad, expected, **close)
    np.testing.assert_allclose(dn.jvp(f, (point,), (C,))[1], np.sum(expected * C), **close)
    np.testing.assert_allclose(dn.hvp(f)(point, C), dn.hvp(same)(point, C), rtol=1e-11, atol=1e-12)
    second = dn.directional(f, 2)(point, C)
    np.testing.assert_allclose(second, dn.directional(same, 2)(point, C), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["a sum of all", "log det"])
def test_their_hessians(name: str) -> None:
    f, same = SYMMETRIC[name]
    np.testing.assert_allclose(dn.hessian(f)(EQUAL), dn.hessian(same)(EQUAL), atol=1e-12)
    with pytest.raises(dn.NonsmoothPoint, match="forward"):
        dn.jacrev(dn.grad(f))(EQUAL)
    linear = lambda a: np.sum(np.linalg.eigvalsh(symmetric(a)))  # noqa: E731
    np.testing.assert_allclose(dn.jacrev(dn.grad(linear))(EQUAL), 0.0, atol=1e-15)


def roots_of(a: Any) -> Any:
    w, v = np.linalg.eigh(symmetric(a))
    return np.sum((v * np.sqrt(w)) @ v.T * C)


def first_of(a: Any) -> Any:
    return np.linalg.eigvalsh(symmetric(a))[0]


REFUSED: dict[str, tuple[Callable[[Any], Any], Any, str]] = {
    "one of them": (first_of, EQUAL, "values 0, 1 are equal"),
    "one of them, by eigh": (lambda a: np.linalg.eigh(a)[0][1], EQUAL, "some of them"),
    "one vector": (lambda a: np.linalg.eigh(a)[1][0, 0], EQUAL, "some of them"),
    "vectors told apart": (
        lambda a: np.sum(np.linalg.eigh(symmetric(a))[1] * np.arange(9.0).reshape(3, 3)), EQUAL, "may be any",
    ),
    "values with vectors": (roots_of, EQUAL, r"dn.linalg.expm"),
    "where both cotangents vanish": (
        lambda a: (lambda w, v: (v * w) @ v.T)(*np.linalg.eigh(symmetric(a)))[0, 1], np.zeros((2, 2)), "dn.linalg.expm",
    ),
    "the largest": (lambda a: np.linalg.norm(a, 2), ORTHONORMAL, "values 0, 1, 2 are equal"),
    "vectors of zero": (
        lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[0]), np.outer([1.0, 2, 3], [1.0, 2]), "zeros among",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_tells_them_apart_has_none(name: str) -> None:
    f, point, message = REFUSED[name]
    with pytest.raises(dn.NonsmoothPoint, match=message):
        dn.grad(f)(point)
    with pytest.raises(dn.NonsmoothPoint, match=message):
        dn.jit(dn.grad(f))(point)


def test_along_a_curve_they_are_told_apart() -> None:
    along = lambda a: dn.jvp(first_of, (EQUAL,), (a,))[1]  # noqa: E731
    w = np.linalg.eigvalsh(C[:2, :2])
    np.testing.assert_allclose(along(C), w[0], rtol=1e-12)
    np.testing.assert_allclose(along(-C), -w[1], rtol=1e-12)  # of a smallest one the derivative is from one side
    expected = dn.jvp(lambda a: np.sum(dn.linalg.sqrtm(a) * C), (EQUAL,), (C,))[1]
    np.testing.assert_allclose(dn.jvp(roots_of, (EQUAL,), (C,))[1], expected, rtol=1e-12)


def test_several_variables_do_not_split() -> None:
    x, y = dn.jets(0.0, 0.0, order=2)
    together = (1 + x * y) * np.eye(2)
    np.testing.assert_array_equal(np.linalg.eigvalsh(together).partial(1, 1), [1.0, 1.0])
    apart = np.eye(2) + x * np.diag([1.0, -1.0]) + y * np.array([[0.0, 1], [1, 0]])
    with pytest.raises(dn.NonsmoothPoint, match="several variables at once take them apart"):
        np.linalg.eigvalsh(apart)
    with pytest.raises(dn.NonsmoothPoint, match="of a derivative"):
        dn.derivative(dn.derivative(lambda t: np.linalg.eigvalsh(t * C + np.eye(3))[0]))(0.0)
    with pytest.raises(dn.NonsmoothPoint, match="the derivative along a curve of the gradient"):
        dn.grad(dn.derivative(lambda t: np.sum(np.linalg.eigvalsh(t * C + np.eye(3)) ** 3)))(0.0)


# ── singular values ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_singular_values_split(shape: tuple[int, int]) -> None:
    base = np.linalg.qr(RNG.normal(size=(4, 4)))[0][: shape[0], : shape[1]]
    base = np.linalg.svd(base, full_matrices=False)
    a = dn.jet((base[0] * [2.0, 2.0, 1.0]) @ base[2], 4, direction=RNG.normal(size=shape))
    u, s, v = np.linalg.svd(a, full_matrices=False)
    is_small((u * s) @ v - a, a)
    is_small(u.T @ u - np.eye(3), u)
    is_small(v @ v.T - np.eye(3), v)
    np.testing.assert_allclose(np.linalg.svdvals(a).coeffs, s.coeffs, rtol=1e-9, atol=1e-11)
    gram = np.linalg.eigvalsh(a.T @ a if shape[0] > 3 else a @ a.T)[::-1]
    np.testing.assert_allclose((s * s).coeffs, gram.coeffs, atol=1e-9)
    assert s.coeffs[1, 0] > s.coeffs[1, 1]


def test_norms_of_what_has_equal_or_no_singular_values() -> None:
    nuclear = lambda a: np.linalg.norm(a, "nuc")  # noqa: E731
    np.testing.assert_allclose(dn.grad(nuclear)(ORTHONORMAL), ORTHONORMAL, atol=1e-14)
    low = np.outer([1.0, 2, 3, 4], [1.0, 2, 2])
    direction = low / np.linalg.norm(low)
    for norm in (nuclear, lambda a: np.linalg.norm(a, 2), np.linalg.norm):
        np.testing.assert_allclose(dn.grad(norm)(low), direction, atol=1e-14)
        np.testing.assert_allclose(dn.jit(dn.grad(norm))(low), direction, atol=1e-14)
    np.testing.assert_allclose(dn.grad(nuclear)(np.zeros((3, 2))), 0.0)
    b = RNG.normal(size=(4, 3))
    for norm in (nuclear, lambda a: np.linalg.norm(a, 2)):
        np.testing.assert_allclose(dn.jvp(norm, (low,), (b,))[1], np.sum(direction * b), rtol=1e-13)
    # ‖A‖_* = tr √(AᴴA), which is smooth there
    root = lambda a: np.trace(dn.linalg.sqrtm(a.T @ a))  # noqa: E731
    np.testing.assert_allclose(dn.hvp(nuclear)(ORTHONORMAL, b), dn.hvp(root)(ORTHONORMAL, b), atol=1e-12)
    np.testing.assert_allclose(dn.hessian(nuclear)(ORTHONORMAL), dn.hessian(root)(ORTHONORMAL), atol=1e-12)


def test_the_nearest_orthogonal_matrix() -> None:
    """U Vᴴ does not know which vectors of equal singular values it was made of."""
    polar = lambda a: (lambda u, s, v: u @ v)(*np.linalg.svd(a, full_matrices=False))  # noqa: E731
    b = RNG.normal(size=(4, 3))
    # dQ of Q = A (AᴴA)^(−1/2) at orthonormal A
    expected = b - ORTHONORMAL @ symmetric(ORTHONORMAL.T @ b)
    np.testing.assert_allclose(dn.jvp(polar, (ORTHONORMAL,), (b,))[1], expected, atol=1e-14)
    back = dn.vjp(polar, ORTHONORMAL)[1](b)
    np.testing.assert_allclose(back, expected, atol=1e-14)
