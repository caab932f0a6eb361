"""Sparse matrices and systems: against dense ones by every way, exact series, adjoints of an elliptic equation."""

import gc
import sys
from collections.abc import Callable
from fractions import Fraction
from threading import Thread
from typing import Any
from weakref import ref

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from ways import HESSIANS, JITTED_HESSIANS, differences, in_turn

import dualnum as dn
from dualnum.linalg import csr_array, sparse_systems, splu, spsolve

RNG = np.random.default_rng(4)
N = 5
# a tridiagonal matrix and two more entries; (0, 0) and (0, 3) are given in two parts, as finite elements give them
ROWS = np.r_[np.arange(N), np.arange(N - 1), np.arange(1, N), [0, 0, 4, 0]]
COLS = np.r_[np.arange(N), np.arange(1, N), np.arange(N - 1), [0, 3, 0, 3]]
DATA = RNG.normal(size=ROWS.size) + 4.0 * (ROWS == COLS)
B, C, W = RNG.normal(size=(N, N)), RNG.normal(size=(N, 2)), RNG.normal(size=ROWS.size)
X = np.array([0.2, -0.3, 0.4])
PLACES = np.eye(N)[ROWS][:, :, None] * np.eye(N)[COLS][:, None, :]


def entries(x: Any) -> Any:
    return DATA * np.exp(x[0] * W) + x[1] * np.sin(W[::-1] + x[2])


def sparse(x: Any) -> Any:
    return csr_array((entries(x), (ROWS, COLS)), shape=(N, N))


def dense(x: Any) -> Any:
    return np.tensordot(entries(x), PLACES, 1)


def right(x: Any) -> Any:
    return np.cos(C * x[1] + x[2])


def turned(x: Any) -> Any:
    """Complex data."""
    return csr_array((entries(x) * np.exp(1j * x[2] * W), (ROWS, COLS)), shape=(N, N))


def dense_turned(x: Any) -> Any:
    return np.tensordot(entries(x) * np.exp(1j * x[2] * W), PLACES, 1)


def size(z: Any) -> Any:
    return np.sum(np.real(z) ** 2 + 0.3 * np.imag(z) ** 3)


EYE = scipy.sparse.eye_array(N, format="csc") * 2.0
# name: by sparse matrices, by dense ones
PROGRAMS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "spsolve": (
        lambda x: np.sum(spsolve(sparse(x), right(x)) ** 3), lambda x: np.sum(np.linalg.solve(dense(x), right(x)) ** 3)
    ),
    "spsolve, b constant": (
        lambda x: np.sum(spsolve(sparse(x), B[0]) ** 3), lambda x: np.sum(np.linalg.solve(dense(x), B[0]) ** 3)
    ),
    "spsolve, a constant of SciPy": (
        lambda x: np.sum(spsolve(scipy.sparse.lil_array(B), right(x)) ** 3),
        lambda x: np.sum(np.linalg.solve(B, right(x)) ** 3),
    ),
    "the transpose, twice": (
        lambda x: np.sum(splu(sparse(x)).solve(splu(sparse(x).T).solve(right(x)), "T") ** 3),
        lambda x: np.sum(np.linalg.solve(dense(x).T, np.linalg.solve(dense(x).T, right(x))) ** 3),
    ),
    "factors for several right-hand sides": (
        lambda x: (lambda lu: np.sum(lu.solve(lu.solve(right(x))[:, 0], "T") ** 3))(splu(sparse(x))),
        lambda x: np.sum(np.linalg.solve(dense(x).T, np.linalg.solve(dense(x), right(x))[:, 0]) ** 3),
    ),
    "complex": (
        lambda x: size(splu(turned(x)).solve(spsolve(turned(x), right(x)), "H")),
        lambda x: size(np.linalg.solve(np.conj(dense_turned(x).T), np.linalg.solve(dense_turned(x), right(x)))),
    ),
    "real factors, complex b": (
        lambda x: size(spsolve(sparse(x), right(x) * np.exp(1j * x[0]))),
        lambda x: size(np.linalg.solve(dense(x), right(x) * np.exp(1j * x[0]))),
    ),
    "products": (
        lambda x: np.sum((sparse(x) @ right(x)) ** 3) + np.sum((right(x)[:, 0] @ sparse(x)) ** 3)
        + np.sum((B[:2] @ sparse(x)) ** 2) + np.sum((sparse(x) @ B) ** 2) + np.sum(sparse(X) @ right(x)),
        lambda x: np.sum((dense(x) @ right(x)) ** 3) + np.sum((right(x)[:, 0] @ dense(x)) ** 3)
        + np.sum((B[:2] @ dense(x)) ** 2) + np.sum((dense(x) @ B) ** 2) + np.sum(dense(X) @ right(x)),
    ),
    "sums and products of sparse matrices": (
        lambda x: np.sum((sparse(x).T @ (x[0] * sparse(x) / 3 - EYE) * right(x)[:, 0] - sparse(x)).toarray() ** 2 * B),
        lambda x: np.sum((dense(x).T @ (x[0] * dense(x) / 3 - EYE.toarray()) * right(x)[:, 0] - dense(x)) ** 2 * B),
    ),
    "columns and rows scaled": (
        lambda x: np.sum((EYE @ sparse(x) * right(x)[:, :1] + sparse(x) / (2 + x[1] * B) - -EYE).toarray() ** 3),
        lambda x: np.sum(
            (2 * dense(x) * right(x)[:, :1] + dense(x) / (2 + x[1] * B) + EYE.toarray()) ** 3
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_what_dense_matrices_give(name: str) -> None:
    f, g = PROGRAMS[name]
    np.testing.assert_allclose(f(X), g(X), rtol=1e-12)
    expected = dn.hessian(g)(X)
    k = list(PROGRAMS).index(name)
    ways: dict[str, Any] = {**HESSIANS, **in_turn(JITTED_HESSIANS, k, 4)}
    found = differences({way: lambda made=made: made(f)(X) for way, made in ways.items()}, expected)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_high_orders_and_many_directions(name: str) -> None:
    f, g = PROGRAMS[name]
    v = RNG.normal(size=(3, 3))
    ours, theirs = f(dn.jet(X, 6, directions=v)), g(dn.jet(X, 6, directions=v))
    np.testing.assert_allclose(ours.coeffs, theirs.coeffs, rtol=1e-10, atol=1e-10 * np.max(np.abs(theirs.coeffs)))
    s, t = dn.jets(0.0, 0.0, order=4)
    ours, theirs = (h(X + s * v[0] + t * v[1] * X) for h in (f, g))
    np.testing.assert_allclose(ours.planes, theirs.planes, rtol=1e-10, atol=1e-10 * np.max(np.abs(theirs.planes)))


@pytest.mark.parametrize("seed", range(40))
def test_any_pattern_is_the_dense_matrix(seed: int) -> None:
    """Places at random, many of them twice, empty rows and columns, one or many directions, data or b constant."""
    rng = np.random.default_rng(seed)
    m, n, count = rng.integers(1, 7, size=3)
    count = count * n
    rows, cols = rng.integers(0, m, count), rng.integers(0, n, count)
    directions = int(rng.integers(0, 4))

    def moving(*shape: int) -> Any:
        x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if seed % 5 == 0 else 0)
        if rng.random() < 0.2:
            return x
        return dn.jet(x, 3, **({"directions": rng.normal(size=(directions, *shape))} if directions else {}))

    data, x, y = moving(count), moving(n, 2), moving(m)
    a, whole = (
        csr_array((data, (rows, cols)), (m, n)),
        sum(data[e] * _unit(rows[e], cols[e], m, n) for e in range(count)),
    )
    diagonal = csr_array((9.0 + np.arange(m), (range(m), range(m))))
    pairs = [
        (a.toarray(), whole), (a @ x, whole @ x), (y @ a, y @ whole), ((a @ a.T).toarray(), whole @ whole.T),
        (spsolve(a @ a.T * 0.1 + diagonal, y), np.linalg.solve(0.1 * whole @ whole.T + diagonal.toarray(), y)),
    ]  # fmt: skip
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        for one, other in zip(_coefficients(ours), _coefficients(theirs), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * (1 + np.max(np.abs(other), initial=0.0)))


def _unit(i: int, j: int, m: int, n: int) -> Any:
    unit = np.zeros((m, n))
    unit[i, j] = 1.0
    return unit


def _coefficients(y: Any) -> list[Any]:
    return [y.coefficient(k) for k in range(4)] if isinstance(y, dn.Jet) else [y]


def test_a_series_of_rational_numbers() -> None:
    """The coefficients of A(t)⁻¹ b, A = A_0 + t A_1, by exact elimination."""
    n, order = 4, 5
    rows, cols = np.r_[0, 1, 2, 3, 0, 1, 2, 3], np.r_[0, 1, 2, 3, 1, 2, 3, 0]
    first, second, b = [3, -2, 4, 5, 1, 2, -1, 1], [1, 2, 0, -1, 2, -3, 1, 2], [1, -2, 3, 1]
    x = spsolve(csr_array((dn.Jet([first, second] + [[0] * 8] * (order - 1)), (rows, cols))), np.array(b))

    def matrix(data: list[int]) -> list[list[Fraction]]:
        found = [[Fraction(0)] * n for _ in range(n)]
        for value, i, j in zip(data, rows, cols, strict=True):
            found[i][j] += value
        return found

    a_0, a_1 = matrix(first), matrix(second)
    exact = [_eliminated(a_0, [Fraction(v) for v in b])]
    for _ in range(order):
        exact.append(_eliminated(a_0, [-sum(u * v for u, v in zip(row, exact[-1], strict=True)) for row in a_1]))
    np.testing.assert_allclose(x.coeffs, np.array(exact, float), rtol=1e-14)


def _eliminated(a: list[list[Fraction]], b: list[Fraction]) -> list[Fraction]:
    rows = [[*row, value] for row, value in zip(a, b, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(len(rows)):
            if i != k:
                rows[i] = [u - rows[i][k] * v for u, v in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


# ── an elliptic equation ─────────────────────────────────────────────────────────────────────────


def _grid(g: int) -> tuple[Any, Any]:
    """The cells on either side of each face within a grid of g × g."""
    cell = np.arange(g * g).reshape(g, g)
    return tuple(
        np.concatenate([p.ravel(), q.ravel()]) for p, q in ((cell[:, :-1], cell[:-1]), (cell[:, 1:], cell[1:]))
    )


def laplacian(k: Any, i: Any, j: Any, n: int) -> Any:
    """−∇·k∇ + 1 from the conductivity of faces, each of which adds to four entries."""
    data = np.concatenate([k, k, -k, -k, np.ones(n)])
    every = np.arange(n)
    return csr_array((data, (np.r_[i, j, i, j, every], np.r_[i, j, j, i, every])), shape=(n, n))


@pytest.mark.parametrize("compiled", [False, True])
def test_the_gradient_by_a_conductivity_is_that_of_the_adjoint(compiled: bool) -> None:
    """J = c·u, A(k) u = b:  ∂J/∂k_f = −(λ_i − λ_j)(u_i − u_j) with Aᵀ λ = c, whose second derivative is known, too."""
    g = 12
    i, j = _grid(g)
    k, b, c = np.exp(RNG.normal(size=i.size)), RNG.normal(size=g * g), RNG.normal(size=g * g)
    gradient = dn.grad(lambda k: c @ spsolve(laplacian(k, i, j, g * g), b))
    a = laplacian(k, i, j, g * g).value
    u, adjoint = (scipy.sparse.linalg.spsolve(a.tocsc(), r) for r in (b, c))
    found = (dn.jit(gradient) if compiled else gradient)(k)
    np.testing.assert_allclose(found, -(adjoint[i] - adjoint[j]) * (u[i] - u[j]), rtol=1e-10, atol=1e-14)
    v = RNG.normal(size=k.size)
    moved = [-scipy.sparse.linalg.spsolve(a.tocsc(), laplacian(v, i, j, g * g).value @ x - x) for x in (u, adjoint)]
    product = -(adjoint[i] - adjoint[j]) * (moved[0][i] - moved[0][j]) - (moved[1][i] - moved[1][j]) * (u[i] - u[j])
    np.testing.assert_allclose(dn.jvp(gradient, (k,), (v,))[1], product, rtol=1e-9, atol=1e-13)


def test_ten_thousand_unknowns_never_become_a_dense_matrix() -> None:
    n = 10_000
    places = (
        np.r_[np.arange(n), np.arange(n - 1), np.arange(1, n)],
        np.r_[np.arange(n), np.arange(1, n), np.arange(n - 1)],
    )
    data, b = RNG.normal(size=3 * n - 2) + 5.0 * (places[0] == places[1]), RNG.normal(size=n)
    a = csr_array((dn.jet(data, 3, direction=RNG.normal(size=data.size)), places))
    x = spsolve(a, b)
    np.testing.assert_allclose((a @ x).coeffs, np.stack([b, 0 * b, 0 * b, 0 * b]), atol=1e-12)
    f = lambda data: np.sum(spsolve(csr_array((data, places)), b) ** 2)  # noqa: E731
    v = RNG.normal(size=data.size)
    slope = np.sum(dn.grad(f)(data) * v)
    np.testing.assert_allclose(slope, dn.directional(f)(data, v), rtol=1e-10)
    np.testing.assert_allclose(dn.hvp(f)(data, v) @ v, dn.directional(f, 2)(data, v), rtol=1e-9)


# ── one factorization ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def factored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the matrices that were factored."""
    sizes: list[int] = []
    original = scipy.sparse.linalg.splu

    def counting(a: Any, **options: Any) -> Any:
        sizes.append(a.shape[0])
        return original(a, **options)

    monkeypatch.setattr(scipy.sparse.linalg, "splu", counting)
    return sizes


def test_there_is_one_factorization_whatever_is_asked_for(factored: list[int]) -> None:
    f = PROGRAMS["factors for several right-hand sides"][0]
    v, w = RNG.normal(size=(2, 3))
    for name, run in {
        "value": lambda: f(X),
        "order 6": lambda: f(dn.jet(X, 6)),
        "directions": lambda: f(dn.jet(X, 3, directions=np.eye(3))),
        "gradient": lambda: dn.grad(f)(X),
        "Hessian": lambda: dn.hessian(f)(X),
        "gradient of a gradient": lambda: dn.grad(lambda x: dn.grad(f)(x) @ v)(X),
        "gradient of a third derivative": lambda: dn.grad(lambda x: dn.directional(f, 3)(x, v))(X),
        "nested": lambda: dn.jvp(lambda x: dn.jvp(f, (x,), (v,))[1], (X,), (w,)),
        "recorded": lambda: _recorded(f),
    }.items():
        factored.clear()
        run()
        assert factored == [N], name


def _recorded(f: Callable[[Any], Any]) -> None:
    x = dn.autograd.variable(X)
    (g,) = dn.autograd.grad(f(x), x, create_graph=True)
    dn.autograd.grad(np.sum(g * g), x)


def test_compiled_there_is_one_for_each_value(factored: list[int]) -> None:
    f = PROGRAMS["factors for several right-hand sides"][0]
    for transform in (dn.grad, dn.hessian, lambda f: dn.directional(f, 4)):
        more = (X,) if transform not in (dn.grad, dn.hessian) else ()
        fast = dn.jit(transform(f))
        fast(X, *more)
        factored.clear()
        for k in range(2, 5):
            np.testing.assert_allclose(fast(X / k, *more), transform(f)(X / k, *more), rtol=1e-10)
        assert factored == [N] * 6  # compiled and not


def test_threads_do_not_mind_each_other() -> None:
    fast = dn.jit(dn.grad(PROGRAMS["spsolve"][0]))
    points = [X * k for k in (0.5, 1.0, 1.5, 2.0)]
    expected, found = [fast(x) for x in points], [[] for _ in points]

    def run(k: int) -> None:
        found[k].extend(fast(points[k]) for _ in range(30))

    threads = [Thread(target=run, args=(k,)) for k in range(len(points))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for right, given in zip(expected, found, strict=True):
        assert len(given) == 30
        for g in given:  # some calls run the function itself, to compare times
            np.testing.assert_allclose(g, right, rtol=1e-13)


def test_factors_live_no_longer_than_what_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Known(sparse_systems._Factors):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(ref(self))

    monkeypatch.setattr(sparse_systems, "_Factors", Known)
    gc.collect()
    gc.disable()
    try:
        f = PROGRAMS["spsolve"][0]
        dn.grad(f)(X), dn.hessian(f)(X), f(dn.jet(X, 2)), _recorded(f)
        assert made and not any(known() for known in made)
    finally:
        gc.enable()


# ── what it is ───────────────────────────────────────────────────────────────────────────────────


def test_what_scipy_takes_and_gives() -> None:
    data = np.array([1.0, 2.0, 3.0, 4.0])
    for given in ((data, ([0, 1, 0, 0], [1, 2, 0, 1])), (data, [1, 0, 1, 2], [0, 3, 4])):
        theirs = scipy.sparse.csr_array(given, shape=(2, 3))
        for ours in (
            csr_array(given, shape=(2, 3)),
            csr_array(theirs),
            csr_array(theirs.tocsc()),
            csr_array(theirs.todok()),
        ):
            np.testing.assert_array_equal(ours.toarray(), theirs.toarray())
            np.testing.assert_array_equal(ours.value.toarray(), theirs.toarray())
            np.testing.assert_array_equal(ours.T.toarray(), theirs.T.toarray())
            assert (ours.shape, ours.ndim, ours.dtype, ours.nnz) == ((2, 3), 2, np.dtype(float), 3)
            np.testing.assert_array_equal(ours.indices, [0, 1, 2])
            np.testing.assert_array_equal(ours.indptr, [0, 2, 3])
    assert csr_array((data, ([0, 1, 0, 0], [1, 2, 0, 1]))).shape == (2, 3)
    assert repr(csr_array((dn.jet(data[:1], 2), ([0], [1])))) == "csr_array(1 × 2, 1 entries, order 2)"
    assert csr_array((np.zeros(2), ([0, 1], [0, 1]))).nnz == 2  # a zero by chance is an entry
    a = csr_array((data, ([0, 1, 0, 0], [1, 2, 0, 1])))
    data[:] = 0.0
    assert a.toarray()[1, 2] == 2.0  # it does not look at what it was given


def test_it_is_a_container_of_its_data() -> None:
    a = sparse(X)
    f = lambda a: np.sum(spsolve(a, B[0]) ** 2)  # noqa: E731
    gradient = dn.grad(f)(a)
    assert isinstance(gradient, csr_array)
    whole = dn.grad(lambda a: np.sum(np.linalg.solve(a, B[0]) ** 2))(a.toarray())
    np.testing.assert_allclose(gradient.data, whole[a._pattern.rows, a.indices], rtol=1e-12)
    np.testing.assert_allclose(dn.jit(dn.grad(f))(a).data, gradient.data, rtol=1e-12)
    tangent = dn.jvp(f, (a,), (gradient,))[1]
    np.testing.assert_allclose(tangent, np.sum(gradient.data**2), rtol=1e-12)
    same = sum([a, 2 * a, -a])
    np.testing.assert_allclose(same.toarray(), 2 * a.toarray(), rtol=1e-15)
    assert same._pattern == a._pattern
    assert hash(csr_array((DATA, (ROWS, COLS)))._pattern) == hash(a._pattern)


def test_other_algebras_and_compiled_containers() -> None:
    places, d, b = ([0, 1, 1], [0, 1, 0]), np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0])
    f = lambda d: np.sum(spsolve(csr_array((d, places)), b) ** 2)  # noqa: E731
    np.testing.assert_allclose(dn.laplacian(f)(d), np.trace(dn.hessian(f)(d)), rtol=1e-12)
    x, y = dn.jets(1.0, 2.0, order=(2, 1))
    for z in (d * x + y * b[0], dn.hyperdual(d, d, np.ones(3))):
        a = csr_array((z, places))
        np.testing.assert_allclose(spsolve(a, b).planes, np.linalg.solve(a.toarray(), b).planes, rtol=1e-12, atol=1e-14)
    dn.testing.check_derivatives(
        lambda z: splu(csr_array((z[0], places))).solve(z[1], "T"), (d, np.eye(2)), 3, jit=True
    )
    slopes = dn.jacobian(lambda t: csr_array((t * d, places)))(2.0)
    np.testing.assert_array_equal(slopes.toarray(), [[1.0, 0.0], [3.0, 2.0]])


@pytest.mark.parametrize("kind", [np.float32, float, np.complex64, complex])
@pytest.mark.parametrize("other", [np.float32, float, np.complex64, complex, int])
def test_types_are_those_of_dense_systems(kind: Any, other: Any) -> None:
    a = csr_array((dn.jet(np.array([2, 3, 1], kind), 2), ([0, 1, 0], [0, 1, 1])))
    for b in (np.array([1, 2], other), np.array([[1, 2], [3, 4]], other)[:, ::-1], np.ones((2, 0), other)):
        x = spsolve(a, b)
        assert x.dtype == np.linalg.solve(a.toarray().value, b).dtype
        assert x.shape == b.shape
        right = np.linalg.solve(a.toarray(), b).coeffs
        np.testing.assert_allclose(x.coeffs, right, rtol=100 * np.finfo(x.dtype).eps)


def test_nothing_is_a_system_as_well() -> None:
    a = csr_array(([], ([], [])), shape=(0, 0))
    assert spsolve(a, np.zeros(0)).shape == (0,)
    assert spsolve(a, dn.jet(np.zeros((0, 2)), 2)).shape == (0, 2)
    assert spsolve(a, dn.jet(np.zeros((0, 2)), 2, directions=np.zeros((3, 0, 2)))).shape == (0, 2)
    still = csr_array((dn.jet([2.0, 4.0], 2, directions=np.zeros((0, 2))), ([0, 1], [0, 1])))
    np.testing.assert_array_equal((still @ spsolve(still, np.ones(2))).value, [1.0, 1.0])
    none = csr_array(([], ([], [])), shape=(2, 3))
    np.testing.assert_array_equal((none @ dn.jet(np.ones(3), 1)).coeffs, np.zeros((2, 2)))
    np.testing.assert_array_equal((none @ none.T).toarray(), np.zeros((2, 2)))


def one(x: Any, *more: Any) -> Any:
    return csr_array((x * np.ones(2), ([0, 1], [0, 1])), *more)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (dn.InvalidType, "given a Jet; expected .data, .row, col", lambda x: csr_array(x * np.eye(2))),
        (dn.InvalidValue, "same length", lambda x: csr_array((x * np.ones(3), ([0, 1], [0, 1])))),
        (dn.InvalidValue, "same size", lambda x: csr_array((x * np.ones(3), [0, 1], [0, 1, 2]))),
        (dn.InvalidValue, "index pointer size 3", lambda x: csr_array((x * B[0, :2], [0, 1], [0, 1, 2]), (1, 2))),
        (dn.InvalidValue, "exceeds matrix dimension 1", lambda x: one(x, (1, 2))),
        (dn.InvalidValue, "negative axis 1 index", lambda x: csr_array((x * np.ones(1), ([0], [-1])), (1, 1))),
        (dn.InvalidType, "places have dtype float64", lambda x: csr_array((x * np.ones(1), ([0.5], [0])))),
        (dn.InvalidValue, r"data have shape \(2, 1\)", lambda x: csr_array((x * np.ones((2, 1)), ([0, 1], [0, 1])))),
        (dn.InvalidType, "dtype float16", lambda x: csr_array((np.ones(1, np.float16), ([0], [0])))),
        (dn.InvalidMatrix, r"spsolve: A has shape \(2, 3\); expected a s", lambda x: spsolve(one(x, (2, 3)), B[0])),
        (dn.InvalidValue, r"spsolve: b has shape \(3,\); expected \(2,\) or", lambda x: spsolve(one(x), np.ones(3))),
        (dn.InvalidType, "spsolve: A is a Jet", lambda x: spsolve(x * np.eye(2), np.ones(2))),
        (dn.InvalidType, "b is a sparse matrix", lambda x: spsolve(one(x), one(x))),
        (dn.InvalidValue, "trans is 'C'", lambda x: splu(one(x)).solve(np.ones(2), "C")),
        (dn.InvalidMatrix, "spsolve: the 2 × 2 matrix A is singular", lambda x: spsolve(0 * one(x), np.ones(2))),
        (dn.InvalidMatrix, "spsolve: the 3 × 3 matrix A is singular", lambda x: spsolve(one(x, (3, 3)), np.ones(3))),
        (dn.InvalidMatrix, "splu: A has entries that are infinite or NaN", lambda x: splu(np.nan * one(x))),
        (dn.InvalidValue, r"A @ x: x has shape \(3,\); expected \(2,\)", lambda x: one(x) @ np.ones(3)),
        (dn.InvalidValue, r"x @ A: x has shape \(4, 3\); expected", lambda x: np.ones((4, 3)) @ one(x)),
        (dn.InvalidValue, "A @ B: sparse", lambda x: one(x) @ one(x, (3, 2))),
        (dn.InvalidValue, "A . B: sparse", lambda x: one(x) + one(x, (3, 2))),
        (dn.InvalidType, "A . x: x is a ndarray", lambda x: one(x) - np.eye(2)),
        (dn.InvalidValue, "does not broadcast", lambda x: one(x) * np.ones(3)),
        (dn.InvalidType, "x is a sparse matrix", lambda x: one(x) * one(x)),
    ],
)  # fmt: skip
def test_what_cannot_be_says_so(error: Any, message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(error, match=message.replace("Jet", "Variable|Recorded")):
        dn.grad(lambda x: call(x) and 0.0)(1.0)


def test_a_compiled_system_says_that_it_is_singular() -> None:
    fast = dn.jit(dn.grad(lambda x: np.sum(spsolve(one(x), np.ones(2)))))
    assert fast(2.0) == -0.5
    with pytest.raises(np.linalg.LinAlgError, match="the 2 × 2 matrix A is singular"):
        fast(0.0)
    assert fast(4.0) == -0.125


def test_without_scipy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match="csr_array needs SciPy, which is not installed; pip install scipy"):
        one(1.0)
