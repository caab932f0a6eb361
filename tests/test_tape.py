"""The tape: what is recorded, in-place changes, views, and what the sweep keeps and frees."""

import gc
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import InvalidType
from dualnum.kernel.engine import engine
from dualnum.operand.levels import open_scope
from dualnum.tape.recorded import Recorded
from dualnum.tape.sweep import sweep

X = np.array([0.3, -0.7, 1.2])


def test_a_chain_of_a_hundred_thousand_nodes_needs_no_recursion():
    def f(x: Any) -> Any:
        y = x
        for _ in range(100_000):
            y = y * 1.00001
        return y

    np.testing.assert_allclose(dn.grad(f)(1.0), 1.00001**100_000, rtol=1e-9)


def test_memory_is_freed_as_the_sweep_passes():
    n, steps = 100_000, 30
    x = np.linspace(0.1, 1.0, n)

    def f(x: Any) -> Any:
        y = x
        for _ in range(steps):
            y = np.sin(y)
        return np.sum(y)

    gradient = dn.grad(f)
    gradient(x)
    tracemalloc.start()
    gradient(x)
    peak = tracemalloc.get_traced_memory()[1] / x.nbytes
    tracemalloc.stop()
    assert peak < steps + 5  # one recorded argument a step, and the live cotangents


def test_what_a_pull_back_does_not_read_is_not_kept():
    with open_scope("test") as scope:
        x = Recorded.leaf(X.copy(), scope)
        y = x + 1.0
        z = y + x * 2.0
        kept = weakref.ref(y._value)
        del y
        gc.collect()
        assert kept() is None  # a sum needs none of its operands
        [(_, g)] = sweep([(z._step, np.ones(3))], [x._step])
        np.testing.assert_array_equal(g, [3.0, 3.0, 3.0])


def test_broadcasting_is_undone():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 1, 4)), rng.normal(size=(3, 1))
    ga, gb = dn.grad(lambda a, b: np.sum(a * b), (0, 1))(a, b)
    np.testing.assert_allclose(ga, np.full((2, 1, 4), b.sum()), rtol=1e-13)
    np.testing.assert_allclose(gb, np.full((3, 1), a.sum()), rtol=1e-13)
    assert dn.grad(lambda s: np.sum(s * a))(2.0).shape == ()


# ── assignment ───────────────────────────────────────────────────────────────────────────────────


def assigned_slices(x: Any) -> Any:
    y = x * 2.0
    y[1:] = y[:-1] ** 2
    y[0] *= 3.0
    return np.sum(y * np.array([1.0, 10.0, 100.0]))


def assigned_entries(x: Any) -> Any:
    y = np.sin(x)
    y[[0, 2]] = np.cos(x[:2])
    y[y > 0.9] = 5.0
    return np.sum(y**2)


def assigned_repeatedly(x: Any) -> Any:
    y = x * 1.0
    y[[0, 0]] = x[1:]  # the last one counts
    return np.sum(y * np.array([1.0, 10.0, 100.0]))


def in_place_operators(x: Any) -> Any:
    y = x * 1.0
    y += x
    y *= y
    y -= 1.0
    y /= 2.0
    return np.sum(y)


def written_by_out(x: Any) -> Any:
    y = np.zeros_like(x)
    np.exp(x, out=y)
    np.multiply(y, x, out=y, where=np.array([True, False, True]))
    return np.sum(y)


def written_by_functions(x: Any) -> Any:
    y = np.sin(np.stack([x, x * x, x + 1.0]))
    np.fill_diagonal(y, x[0])
    np.put(y, [1, 5], x[:2])
    np.copyto(y, 2.0 * y, where=np.eye(3, dtype=bool))
    y[2].fill(1.0) if False else None
    y.sort(axis=0)
    return np.sum(y * np.arange(9.0).reshape(3, 3))


def recurrence(x: Any) -> Any:
    y = np.zeros_like(np.stack([x] * 5))
    y[0] = x
    for i in range(1, 5):
        y[i] = y[i - 1] + 0.1 * np.sin(y[i - 1])
    return np.sum(y**2)


@pytest.mark.parametrize(
    "f",
    [
        assigned_slices, assigned_entries, assigned_repeatedly, in_place_operators, written_by_out,
        written_by_functions, recurrence,
    ],
)  # fmt: skip
def test_assignment_is_recorded(f):
    x = X.copy()
    gradient = dn.grad(f)(x)
    np.testing.assert_allclose(gradient, dn.jacfwd(f)(X), rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(x, X)  # the caller's array is left alone
    np.testing.assert_allclose(dn.hessian(f)(X), dn.jacfwd(dn.jacfwd(f))(X), rtol=1e-12, atol=1e-13)


VIEWS = {
    "slice": lambda x: x[1:],
    "row": lambda x: x[1],
    "column, reversed": lambda x: x[::-1, 2],
    "slice of a slice": lambda x: x[1:][:, 1:3],
    "T": lambda x: x.T,
    "reshape": lambda x: np.reshape(x, (4, 3)),
    "row of a reshape": lambda x: np.reshape(x, (2, 6))[1],
    "ravel": np.ravel,
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "split": lambda x: np.split(x, 2, axis=1)[1],
    "flip": np.flip,
    "copy": lambda x: np.copy(x[1:]),  # no view
    "take": lambda x: np.take(x, [0, 1], axis=0),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_follow_the_whole_and_the_whole_its_views(view):
    def f(x: Any) -> Any:
        y = np.reshape(x * 1.0, (3, 4))
        part, other = view(y), y[:, 1]
        part *= part + 1.0  # through the view
        y[0] += y[1] * y[2]  # to the whole
        other[1:] = other[:-1] * x[3]
        y[1:, 2:] -= 0.5 * part.ravel()[:2]
        part[..., 0] = x[0] * x[1]
        return np.sum(np.sin(y) * np.arange(12.0).reshape(3, 4)) + np.sum(part**2) + np.sum(other * np.sum(part))

    x = np.linspace(-0.8, 1.1, 12)
    assert dn.value_and_grad(f)(x)[0] == f(x)  # what NumPy's views do
    np.testing.assert_allclose(dn.grad(f)(x), dn.jacfwd(f)(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dn.hessian(f)(x), dn.jacfwd(dn.jacfwd(f))(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(dn.grad(f)(x)))(x), np.sum(dn.hessian(f)(x), 0), rtol=1e-11)


def test_steps_of_a_difference_scheme_in_place():
    """Heat flow by u[1:-1] += r (u[2:] − 2 u[1:-1] + u[:-2]), whose gradient is the transpose of its matrix."""
    n, steps, r = 7, 5, 0.2

    def final(u: Any) -> Any:
        u = np.copy(u)
        for _ in range(steps):
            u[1:-1] += r * (u[2:] - 2 * u[1:-1] + u[:-2])
        return u

    step = np.eye(n)
    for i in range(1, n - 1):
        step[i, i - 1 : i + 2] += r * np.array([1.0, -2.0, 1.0])
    matrix = np.linalg.matrix_power(step, steps)
    u = np.cos(np.arange(float(n)))
    np.testing.assert_allclose(dn.vjp(final, u)[1](u), matrix.T @ u, rtol=1e-13)
    np.testing.assert_allclose(dn.jacrev(final)(u), matrix, rtol=1e-13, atol=1e-16)


def test_an_array_cannot_hold_a_variable_and_a_lower_level_not_a_higher():
    with pytest.raises(InvalidType, match="drop the derivatives"):
        dn.grad(lambda x: np.add(x, 1.0, out=np.zeros(3)))(X)

    def confused(x: Any) -> Any:
        y = x * 1.0

        def inner(t: Any) -> Any:
            y[0] = t
            return t * 1.0

        return dn.derivative(inner)(1.0) + np.sum(y)

    with pytest.raises(InvalidType, match="cannot hold"):
        dn.grad(confused)(X)


def test_the_value_is_read_only_and_nothing_leaves_in_silence():
    def f(x: Any) -> Any:
        with pytest.raises(ValueError, match="read-only"):
            x.value[0] = 1.0
        for leave in (np.asarray, float, lambda v: np.array([v, v]), lambda v: v.astype(int)):
            with pytest.raises(TypeError, match="drop the derivatives"):
                leave(x)
        return np.sum(x)

    dn.grad(f)(X)


def test_indexing_of_every_kind():
    a = np.arange(24.0).reshape(2, 3, 4) / 7
    indices = [
        0, -1, (slice(None), 1), (..., 2), (None, 1), slice(None, None, -1), (1, slice(0, 2), [0, 0, 3]),
        ([0, 1, 1], [2, 2, 2]), a > 1.5, (a[:, 0, 0] > 1.0,), (np.int64(1), 2, 3), [[0, 1], [1, 1]],
    ]  # fmt: skip
    for index in indices:
        f = lambda a, index=index: np.sum(np.sin(a[index]) ** 2)  # noqa: E731
        np.testing.assert_allclose(dn.grad(f)(a), dn.jacfwd(f)(a), rtol=1e-13, atol=1e-15)


def test_every_engine_gives_the_same_gradient_of_jets_of_variables():
    w = np.random.default_rng(3).normal(size=(1, 4))

    def f(w: Any) -> Any:
        u = np.tanh(np.exp(0.3 * (dn.jet(X[:, None], 3) @ w)) / 3 + w**3)
        return np.sum(u.derivative(3) * u.derivative(1))

    results = []
    for name in ("interpret", "llvm"):
        with engine(name):
            results.append(dn.grad(f)(w))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-13)
    np.testing.assert_allclose(results[0], dn.jacfwd(f)(w), rtol=1e-11)


def test_names_of_operations():
    with open_scope("test") as scope:
        x = Recorded.leaf(X.copy(), scope)
        for y, name in (
            (x * x, "Multiply"), (x**2, "Power"), (np.tanh(x), "Tanh"), (np.sum(x), "Sum"), (x[1:], "Getitem"),
            (np.linalg.norm(x), "Sqrt"), (x @ x, "Matmul"), (np.concatenate([x, x]), "Concatenate"),
            (np.floor_divide(x, 2.0), "FloorDivide"), (np.where(X > 0, x, 0.0), "Where"), (x.T, "Transpose"),
        ):  # fmt: skip
            assert repr(y._step) == f"<{name}Backward>"


def test_what_a_long_loop_reaches_is_found_step_by_step() -> None:
    """An infinity at its beginning asks for the reach of all steps, of which there are more than Python nests calls."""

    def f(x: Any, steps: int) -> Any:
        s = np.sqrt(x)
        for _ in range(steps):
            s = s + 0.01 * np.stack([s[1], -s[0], 0.0 * s[2]])
        return s[0]

    for steps in (5, 1500):
        infinite, finite, unread = dn.grad(lambda x, steps=steps: f(x, steps))(np.array([0.0, 1.0, 0.0]))
        turn = np.linalg.matrix_power(np.array([[1.0, 0.01], [-0.01, 1.0]]), steps)
        assert np.isinf(infinite) and unread == 0.0
        assert np.isclose(finite, turn[0, 1] / 2, rtol=1e-12)
