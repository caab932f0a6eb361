"""What a caller is given is the caller's: no result shares memory with an argument, with another, or with a record."""

import threading
import tracemalloc

import numpy as np
import pytest

import dualnum as dn

X = np.linspace(0.1, 1.0, 5)
LONG = 200_000  # entries: above the size from which memory is kept


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    g[:-1] = -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1.0 - x[:-1])
    g[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
    return g


@pytest.mark.parametrize("n", [5, LONG])
def test_gradients_of_two_arguments_of_a_sum_are_two(n):
    x, y = np.linspace(0.1, 1.0, n), np.linspace(1.0, 2.0, n)
    by_x, by_y = dn.grad(lambda x, y: np.sum(np.sin(x + y)), (0, 1))(x, y)
    np.testing.assert_allclose(by_x, np.cos(x + y))
    assert not np.shares_memory(by_x, by_y)
    by_x[...] = 0.0
    np.testing.assert_allclose(by_y, np.cos(x + y))


@pytest.mark.parametrize("f", [lambda x: x, lambda x: x + 1.0, lambda x: x[:], lambda x: np.reshape(x, (5,))])
def test_a_cotangent_is_not_handed_back(f):
    given = np.ones(5)
    _, pull = dn.vjp(f, X)
    pulled = pull(given)
    assert not np.shares_memory(pulled, given)
    jitted = dn.jit(lambda x, g: dn.vjp(f, x)[1](g))(X, given)
    assert not np.shares_memory(jitted, given)
    np.testing.assert_array_equal(jitted, pulled)


@pytest.mark.parametrize("f", [np.exp, lambda x: np.exp(x)[1:], lambda x: np.exp(x).reshape(5, 1), lambda x: x**3 * x])
def test_a_value_may_be_written_to_before_the_pull_back_is_called(f):
    value, pull = dn.vjp(f, X)
    before = pull(np.ones(value.shape))
    value[...] = 0.0
    np.testing.assert_array_equal(pull(np.ones(value.shape)), before)


def test_what_a_rule_of_ones_own_keeps_stays_with_it():
    kept = np.linspace(1.0, 2.0, 5)

    @dn.custom_derivative
    def energy(x):
        return np.sum(x * kept)

    energy.pull_back(lambda g, y, x: kept)
    gradient = dn.grad(energy)
    gradient(X)[...] = 0.0
    np.testing.assert_array_equal(gradient(X), np.linspace(1.0, 2.0, 5))


@pytest.mark.parametrize("engine", ["llvm", "interpret"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.copy(),
        lambda x: x[1:].copy(),
        lambda x: +x,
        lambda x: np.sum(x, axis=()),
        lambda x: np.broadcast_to(x[:, 1:2], (5, 3)),
        lambda x: (2.0 * x).T,
        lambda x: x.T.copy(),
        lambda x: x.reshape(-1).copy(),
    ],
)
def test_what_jit_gives_back_is_new_and_can_be_written_to(engine, f):
    x = np.arange(15.0).reshape(5, 3)
    with dn.engine(engine):
        jitted = dn.jit(f)
        first, second = jitted(x), jitted(x)
    np.testing.assert_array_equal(first, f(x))
    assert not np.shares_memory(first, x) and not np.shares_memory(first, second)
    first[...] = 7.0
    np.testing.assert_array_equal(second, f(np.arange(15.0).reshape(5, 3)))
    np.testing.assert_array_equal(jitted(x), second)


def test_results_of_jit_are_apart_from_one_another():
    def f(x):
        y = np.sin(x)
        return y, y.copy(), y[1:].copy(), x.copy(), np.zeros(3), np.zeros(3) + 1.0

    results = dn.jit(f)(X)
    for k, y in enumerate(results):
        np.testing.assert_allclose(y, f(X)[k], rtol=1e-15)
        assert not any(np.shares_memory(y, other) for other in (X, *results[:k]))


def test_a_gradient_that_is_broadcast_can_be_written_to():
    gradient = dn.jit(dn.grad(lambda x: np.sum(np.sum(x, axis=0) ** 2)))(np.ones((3, 4)))
    gradient *= 2.0
    np.testing.assert_array_equal(gradient, np.full((3, 4), 12.0))


def test_jit_takes_arrays_from_outside_as_they_are_when_they_are_used():
    def f(x):
        buffer, total = np.empty(3), 0.0
        for i in range(4):
            buffer[:] = i
            total = total + np.sum(x * buffer) + np.sum(np.concatenate([x, buffer])) + np.sum(np.clip(x, None, buffer))
        return total

    x = np.array([0.5, 1.5, 2.5])
    np.testing.assert_allclose(dn.jit(f)(x), f(x), rtol=1e-15)


def test_an_index_may_be_written_to_before_the_sweep():
    def f(x):
        at, total = np.zeros(2, int), 0.0
        for i in range(3):
            at[:] = i, i + 1
            y = 1.0 * x
            y[at] = x[at] ** 2
            total = total + np.sum(y)
        return total

    expected = 3.0 + np.array([1, 2, 2, 1, 0]) * (2.0 * X - 1.0)
    np.testing.assert_allclose(dn.grad(f)(X), expected, rtol=1e-14)


def test_single_numbers_between_kernels_are_arrays():
    """Of a kernel that computes some functions beforehand came a NumPy number, which the next took for an array."""

    def f(x):
        y = np.logaddexp(np.hypot(x, 1.0 + x * x), x)
        return y * np.sum(np.stack([y, np.sin(x)])) + np.hypot(y, x)

    for x in (np.array(0.7), np.array(-1.3)):
        np.testing.assert_allclose(dn.jit(f)(x), f(x), rtol=1e-14)
        np.testing.assert_allclose(dn.jit(dn.grad(f))(x), dn.grad(f)(x), rtol=1e-13)


def test_joined_pieces_in_the_order_of_columns():
    x = np.asfortranarray(np.random.default_rng(3).normal(size=(4, 4)))
    f = lambda x: np.einsum("...i,...i->...", x, x)  # noqa: E731
    expected = np.zeros((4, 4, 4))
    expected[np.arange(4), np.arange(4)] = 2.0 * x
    np.testing.assert_allclose(dn.jit(dn.jacrev(f))(x), expected, rtol=1e-15)


@pytest.mark.parametrize("index", [(), Ellipsis, (slice(None),), None])
def test_the_whole_of_an_array_as_its_part(index):
    gradient = dn.jit(dn.grad(lambda x: np.sum(x[index] ** 3)))
    np.testing.assert_allclose(gradient(X), 3.0 * X**2, rtol=1e-15)


@pytest.mark.parametrize("shape", [(0,), (0, 2), (2, 0), (3, 0, 2)])
def test_derivatives_by_nothing(shape):
    x = np.ones(shape)

    def f(x):
        return np.sum(x * np.ones(shape[-1:]) + x[..., ::-1] * x)

    for derivative in (dn.grad(f), dn.jit(dn.grad(f))):
        assert derivative(x).shape == shape
    for derivative in (dn.hessian(f), dn.jit(dn.hessian(f)), dn.jacrev(dn.jacfwd(f))):
        assert derivative(x).shape == shape * 2
    if len(shape) == 2:
        assert dn.jacfwd(lambda x: x.T @ x)(x).shape == (shape[1], shape[1], *shape)
        assert (dn.jet(x, 3, directions=np.ones((0, *shape))).T @ dn.jet(x, 3, directions=np.ones((0, *shape)))).shape


def test_no_directions_at_all():
    x = np.ones((3, 3))
    y = dn.jet(x, 2, directions=np.ones((0, 3, 3)))
    for result in (y @ y, y * y[0], np.logaddexp(y, y), np.stack([y, y])):
        assert result.coeffs.shape == (1, *result.shape)


@pytest.mark.parametrize("exponent", [np.float64(2.0), np.float32(2.0), 2, 2.0, np.int64(2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_square_has_the_type_of_numpy(exponent, dtype):
    x = X.astype(dtype)
    value, pull = dn.vjp(lambda x: x**exponent, x)
    assert value.dtype == (x**exponent).dtype
    np.testing.assert_allclose(pull(np.ones(5, value.dtype)), 2.0 * x, rtol=1e-6)


@pytest.mark.parametrize("ufunc", [np.hypot, np.arctan2, np.divide, np.power, np.fmod, np.logaddexp])
def test_the_edges_of_long_arrays_are_those_of_short_ones(ufunc):
    """Long pull-backs are one kernel; where a reciprocal of it overflows, the quotient need not."""
    edges = [-np.inf, -1e300, -2.0, -5e-324, -0.0, 0.0, 5e-324, 1e-300, 0.5, 3.0, 1e300, np.inf, np.nan]
    a, b = (grid.ravel() for grid in np.meshgrid(edges, edges))
    cotangent = np.linspace(0.5, 1.5, a.size)
    times = LONG // a.size
    with np.errstate(all="ignore"):
        for short, long in zip(
            dn.vjp(ufunc, a, b)[1](cotangent),
            dn.vjp(ufunc, np.tile(a, times), np.tile(b, times))[1](np.tile(cotangent, times)),
            strict=True,
        ):
            np.testing.assert_allclose(long[: a.size], short, rtol=1e-13)


def test_a_product_of_a_long_row_by_a_column_lays_nothing_out():
    x = np.linspace(0.0, 1.0, LONG)[None]
    np.testing.assert_allclose(dn.hvp(lambda x: np.sum(x @ x.T))(x, np.ones_like(x)), np.full_like(x, 2.0))


@pytest.mark.parametrize("over", [dn.jacrev, dn.jacfwd, lambda f: dn.jacrev(dn.jacrev(f))])
def test_assignment_to_jets_of_variables(over):
    def f(x):
        y = 1.0 * x
        y[1:] = x[:-1] ** 2
        y[0] = 0.5
        return np.sum(y**2)  # ¼ + Σ x_i⁴ but for the last

    third = np.zeros((3, 3, 3))
    third[(0, 1), (0, 1), (0, 1)] = 24.0 * X[:2]
    outer = over(dn.jacfwd(f))(X[:3])
    expected = third if outer.ndim == 3 else np.diag([*(12.0 * X[:2] ** 2), 0.0])
    np.testing.assert_allclose(outer, expected, rtol=1e-13)


def test_a_number_has_no_axis_to_pad():
    np.testing.assert_allclose(dn.grad(lambda x: np.pad(np.sum(x**2), 1) * 3.0)(X), 6.0 * X)


# ── kept memory ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gradient", [dn.grad(rosenbrock), dn.jit(dn.grad(rosenbrock))])
def test_many_gradients_need_the_memory_of_one(gradient):
    x = np.linspace(-1.0, 1.0, 100_000)
    np.testing.assert_allclose(gradient(x), rosenbrock_gradient(x), rtol=1e-12, atol=1e-12)
    gradient(x)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        gradient(x)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < x.nbytes


def test_results_that_are_held_stay_what_they_are():
    """Kept memory goes to nobody else as long as anyone refers to it, in whatever thread."""
    gradient, rng = dn.grad(rosenbrock), np.random.default_rng(0)
    points = [rng.normal(size=LONG) for _ in range(4)]
    expected = [gradient(x).copy() for x in points]
    wrong: list[int] = []

    def work(k):
        held = []
        for i in range(8):
            held.append(gradient(points[(k + i) % 4])[i:])  # a view: it keeps the whole
            for j, view in enumerate(held):
                if not np.array_equal(view, expected[(k + j) % 4][j:]):
                    wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
