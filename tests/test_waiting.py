"""A row of numbers added to a long jet waits to become part of what follows; nobody can see that it does."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum import Jet, jet
from dualnum.jets.waiting import Waiting

N, M = 3000, 40  # three planes and more are long enough
RNG = np.random.default_rng(7)
W, B = RNG.normal(size=(4, M)) / 2, RNG.normal(size=M)
X = RNG.normal(size=(N, 4))
V = RNG.normal(size=(N, 4))


def expected(f: Any, order: int = 2) -> Any:
    """The same where nothing waits."""
    with dn.engine("interpret"):
        return f(jet(X, order, direction=V) @ W).coeffs


def assert_close(y: Any, other: Any) -> None:
    np.testing.assert_allclose(y.coeffs, other, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.tanh(z + B),
        lambda z: np.sin(B - z),
        lambda z: np.cos(z * B),
        lambda z: np.exp(z - B),
        lambda z: np.sqrt((z + B) ** 2 + 1.0),
        lambda z: (z + B) * (z + B),
        lambda z: (z + B)[::2] + 1.0,
        lambda z: np.sum(z + B, 0),
        lambda z: np.arctan((z + B).T),
        lambda z: np.abs(z + B),
        lambda z: -(z + B),
        lambda z: np.logaddexp(z + B, 0.0),
    ],
)
def test_what_follows(f: Any) -> None:
    for order in (1, 2, 5):
        assert_close(f(jet(X, order, direction=V) @ W), expected(f, order))
    many = f(jet(X, 2, directions=np.stack([V, -V])) @ W)
    alone = f(jet(X, 2, direction=-V) @ W)
    for k in (1, 2):
        np.testing.assert_allclose(many.coefficient(k)[1], alone.coefficient(k), rtol=1e-12, atol=1e-12)


def test_that_it_waits_and_is_a_jet_once_it_is_read() -> None:
    y = jet(X, 2) @ W + B
    assert type(y) is Waiting
    assert isinstance(y, Jet) and y.shape == (N, M) and type(y) is Jet
    assert type(jet(X[:5], 2) @ W + B) is Jet  # too short to pay


def test_used_twice_and_after_what_followed() -> None:
    y = jet(X, 2, direction=V) @ W + B
    first, second = np.tanh(y), np.sin(y)
    assert_close(first, expected(lambda z: np.tanh(z + B)))
    assert_close(second, expected(lambda z: np.sin(z + B)))
    assert_close(y, expected(lambda z: z + B))


def test_writes_to_what_it_is_computed_from() -> None:
    z, b = jet(X, 2, direction=V) @ W, B.copy()
    y = z + b
    b[:] = 0.0
    z[0] = 7.0
    z[1:] += 1.0
    z[:, ::2][5] = -1.0
    assert_close(np.tanh(y), expected(lambda z: np.tanh(z + B)))
    z = jet(X, 2, direction=V) @ W
    view = z[10:20]
    y = z + B
    view[...] = 0.0
    assert_close(y, expected(lambda z: z + B))
    y = z + B
    np.add(z, 1.0, out=z)
    np.testing.assert_array_equal(y.value, z.value - 1.0 + B - (z.value - 1.0 + B - y.value))
    np.testing.assert_allclose(y.value, z.value - 1.0 + B, rtol=1e-13, atol=1e-13)


def test_a_write_to_itself() -> None:
    z = jet(X, 2, direction=V) @ W
    y = z + B
    y[0] = 0.0
    assert np.all(y.coeffs[:, 0] == 0.0) and np.any(z.coeffs[:, 0] != 0.0)
    y = z * B
    y += 1.0
    assert_close(y, expected(lambda z: z * B + 1.0))


def test_copies_and_other_readers() -> None:
    reference = expected(lambda z: z + B)
    for read in (
        copy.copy,
        copy.deepcopy,
        lambda y: pickle.loads(pickle.dumps(y)),
        lambda y: y.truncate(2),
        lambda y: y.astype(float),
        lambda y: y[...],
        lambda y: np.copy(y),
        lambda y: dn.Jet(y.coeffs),
    ):
        assert_close(read(jet(X, 2, direction=V) @ W + B), reference)
    assert repr(jet(X, 2, direction=V) @ W + B) == repr(dn.Jet(reference))[:0] + repr(jet(X, 2, direction=V) @ W + B)


def test_engines_that_change_and_errors() -> None:
    y = jet(X, 2, direction=V) @ W + B
    with dn.engine("interpret"):
        assert_close(np.tanh(y), expected(lambda z: np.tanh(z + B)))
    y = jet(X, 2, direction=V) @ W + B
    with pytest.raises(dn.errors.NotDifferentiable, match="invert"):
        np.invert(y)
    assert_close(y, expected(lambda z: z + B))
    assert np.all(np.isfinite(jet(X, 2) @ W + B))


def test_types() -> None:
    z = jet(X.astype(np.float32), 2) @ W.astype(np.float32)
    assert np.tanh(z + B.astype(np.float32)).dtype == np.float32
    assert np.tanh(z + B).dtype == np.float64
    assert np.tanh(z + np.arange(M)).dtype == np.float64
    assert np.tanh(z + 1j * B).dtype == np.complex128


def loss(w: Any, order: int) -> Any:
    y = np.tanh(jet(X, order, direction=V) @ w[0] + w[1])
    return np.mean((y.derivative(order) + y.value) ** 2) + np.mean(y.derivative(1) * w[1])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_recorded(order: int) -> None:
    """The weights' gradient, through what waited, against forward mode along random directions and interpreted."""
    gradient = dn.grad(loss)([W, B], order)
    with dn.engine("interpret"):
        other = dn.grad(loss)([W, B], order)
    for g, h in zip(gradient, other, strict=True):
        np.testing.assert_allclose(g, h, rtol=1e-11, atol=1e-14)
    dw, db = RNG.normal(size=W.shape), RNG.normal(size=B.shape)
    slope = dn.jvp(lambda w: loss(w, order), ([W, B],), ([dw, db],))[1]
    np.testing.assert_allclose(np.sum(gradient[0] * dw) + gradient[1] @ db, slope, rtol=1e-10)
    jitted = dn.jit(lambda w, b: dn.grad(loss)([w, b], order))(W, B)
    for g, h in zip(gradient, jitted, strict=True):
        np.testing.assert_allclose(g, h, rtol=1e-11, atol=1e-14)


def test_recorded_twice_over() -> None:
    v = RNG.normal(size=B.shape)
    f = lambda b: loss([W, b], 2)  # noqa: E731
    h = dn.hvp(f)(B, v)
    np.testing.assert_allclose(h, dn.jacrev(lambda b: dn.grad(f)(b) @ v)(B), rtol=1e-9, atol=1e-12)
    with dn.engine("interpret"):
        np.testing.assert_allclose(h, dn.hvp(f)(B, v), rtol=1e-10, atol=1e-13)


def test_an_assignment_to_a_recorded_row() -> None:
    def f(b: Any) -> Any:
        y = jet(X, 2, direction=V) @ W + b
        b[:] = 0.0
        return np.sum(np.tanh(y).derivative(2)) + np.sum(b)

    expected_gradient = dn.grad(lambda b: np.sum(np.tanh(jet(X, 2, direction=V) @ W + b).derivative(2)))(B)
    np.testing.assert_allclose(dn.grad(f)(B.copy()), expected_gradient, rtol=1e-12)


def test_threads() -> None:
    reference = expected(lambda z: np.tanh(z + B))
    y = jet(X, 2, direction=V) @ W + B
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda k: np.tanh(y) if k % 2 else np.tanh(y[...]), range(8)):
            assert_close(result, reference)


def test_what_no_longer_waits_is_forgotten() -> None:
    z = jet(X, 2, direction=V) @ W
    for _ in range(100):
        np.tanh(z + B)
    assert len(z._shared.readers) <= 1
