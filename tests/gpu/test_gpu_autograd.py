"""The imperative style on a device: what PyTorch's tutorials compute, on arrays that stay there."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dualnum.autograd import Variable, grad, no_grad, variable


@pytest.fixture
def on(cp: Any) -> Callable[[Any], Variable]:
    """A variable on the device."""
    return lambda data: variable(cp.asarray(np.asarray(data, float)))


class Host:
    """Copies of arrays of the device, counted."""

    def __init__(self, cp: Any) -> None:
        self.cp = cp
        self.asked: list[Any] = []

    def __call__(self, x: Any) -> Any:
        x = x.data if isinstance(x, Variable) else x
        assert type(x) is self.cp.ndarray
        self.asked.append(x)
        return self.cp.asnumpy(x)


@pytest.fixture
def host(cp: Any) -> Host:
    return Host(cp)


@pytest.fixture(autouse=True)
def alone(cp: Any, unread: Any, host: Host) -> Iterator[None]:
    """Nothing is read from the device but by the checks, which ask for it by `host`."""
    variable(cp.zeros(1)).sum().backward()  # the first use of a device waits for what it sets up
    with unread(host.asked):
        yield


def is_close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_first_and_second_derivatives_at_an_array(on: Any, host: Any, cp: Any) -> None:
    x = on([[1.0], [2.0]])
    f = x**3
    (f_x,) = grad(outputs=f, inputs=x, grad_outputs=np.ones_like(f.data), create_graph=True)
    (f_xx,) = grad(f_x, x, cp.ones((2, 1)), create_graph=True)
    is_close(host(f_x), [[3.0], [12.0]])
    is_close(host(f_xx), [[6.0], [12.0]])


def test_mixed_partial_derivatives(on: Any, host: Any, cp: Any) -> None:
    x, t = on([[1.0], [2.0]]), on([[3.0], [4.0]])
    f = x**3 + x * t + t**2
    ones = cp.ones((2, 1))
    (f_x,), (f_t,) = grad(f, x, ones, create_graph=True), grad(f, t, ones, create_graph=True)
    for y, by, expected in (
        (f, x, [6, 16]), (f, t, [7, 10]), (f_x, t, [1, 1]), (f_t, x, [1, 1]), (f_x, x, [6, 12]), (f_t, t, [2, 2]),
    ):  # fmt: skip
        (g,) = grad(y, by, ones, retain_graph=True)
        is_close(host(g).ravel(), expected)
    is_close(host(np.hstack([x, t])), [[1.0, 3.0], [2.0, 4.0]])


def test_backward_fills_grad(on: Any, host: Any) -> None:
    x = on(3.0)
    y = 3 * x**2
    y.retain_grad()
    y.backward()
    is_close(host(x.grad), 18.0)
    is_close(host(y.grad), 1.0)
    assert x.is_leaf and not y.is_leaf and y.requires_grad and x.device == y.device == "cuda:0"
    x.zero_grad()
    (6 * x**2 + 2 * x + 4).backward()
    is_close(host(x.grad), 38.0)
    (x * 2).backward()
    is_close(host(x.grad), 40.0)


def test_partial_derivatives_of_two_variables(on: Any, host: Any) -> None:
    u, v = on(3.0), on(4.0)
    f = u**3 + v**2 + 4 * u * v
    f.backward()
    is_close((host(f), host(u.grad), host(v.grad)), (91.0, 43.0, 20.0))
    x, y = on(5.0), on(5.0)
    (x**2 * y**2).backward()
    is_close((host(x.grad), host(y.grad)), (250.0, 250.0))


def test_successive_differentiation(on: Any, host: Any) -> None:
    def nth_derivative(f: Any, wrt: Any, n: int = 2) -> Any:
        for _ in range(n):
            grads = grad(f, wrt, create_graph=True)[0]
            f = grads.sum()
        return grads

    x = on(5.0)
    is_close(host(nth_derivative(x**2 + x**3, x)), 32.0)
    is_close(host(nth_derivative(x**2 + x**3, x, 3)), 6.0)
    slope = 1 - np.tanh(0.5) ** 2
    is_close(host(nth_derivative(np.tanh(x * 0.1), x)), -0.02 * np.tanh(0.5) * slope)


def test_a_small_network_at_points_one_by_one(on: Any, host: Any, cp: Any) -> None:
    w1, b1 = cp.asarray([[0.3677], [-0.9834]]), cp.asarray([0.6622, 0.8933])
    w2, b2 = cp.asarray([[0.3594, 0.3605]]), cp.asarray([0.1341])

    def net(x: Any) -> Any:
        return 1 / (1 + np.exp(-(x @ w1.T + b1))) @ w2.T + b2 + 0.0 * x**2

    for x, first, second in zip(on([[1.0], [2.0]]), (-0.0628, -0.0463), (-0.0005, 0.0278), strict=True):
        (g1,) = grad(net(x), x, create_graph=True)
        (g2,) = grad(g1, x, create_graph=True)
        np.testing.assert_allclose((host(g1)[0], host(g2)[0]), [first, second], atol=5e-5)


def test_rows_of_a_hessian(on: Any, host: Any, cp: Any) -> None:
    x = on([0.0, 1.0])
    y = x @ cp.asarray([0.5596, 0.1991]) + 0.0408 + np.sum(x**3)
    (g,) = grad(y, x, create_graph=True)
    is_close(host(g), [0.5596, 3.1991])
    rows = [host(grad(g[i], x, create_graph=True, allow_unused=True)[0]) for i in range(2)]
    is_close(rows, [[0.0, 0.0], [0.0, 6.0]])


def test_norm_and_vector_outputs(on: Any, host: Any, cp: Any) -> None:
    data = np.arange(10.0)
    x = on(data)
    np.linalg.norm(x).backward()
    is_close(host(x.grad), data / np.linalg.norm(data))
    x = on(data)
    (x**2).backward(cp.ones(10))
    is_close(host(x.grad), 2 * data)
    a, b = on(np.arange(4.0)), on(np.arange(0, 13, 4))
    q = 3 * a**3 - b**2
    q.backward(cp.ones(4))
    is_close(host(a.grad), [0, 9, 36, 81])
    is_close(host(b.grad), [0, -8, -16, -24])
    is_close(host(9 * a**2), [0, 9, 36, 81])


def test_training_steps(on: Any, host: Any, cp: Any) -> None:
    """As on NumPy, step by step."""
    points, labels = np.linspace(-1.0, 1.0, 12).reshape(4, 3), np.array([0.1, -0.3, 0.2, 0.4])

    def trained(points: Any, labels: Any, w: Variable) -> Variable:
        for _ in range(3):
            loss = np.mean((np.tanh(points @ w) - labels) ** 2)
            loss.backward()
            with no_grad():
                w -= 0.5 * w.grad
            w.zero_grad()
        return w

    start = [0.1, -0.2, 0.3]
    found = trained(cp.asarray(points), cp.asarray(labels), on(start))
    is_close(host(found), trained(points, labels, variable(start)).data)


def test_parts_of_a_variable_are_assigned(on: Any, host: Any) -> None:
    x = on([1.0, 2.0, 3.0])
    y = x * 2
    view = y[1:]
    view *= x[:2]
    y[0] += x[2] ** 2
    np.sum(y**2).backward()
    reference = variable([1.0, 2.0, 3.0])
    z = reference * 2
    part = z[1:]
    part *= reference[:2]
    z[0] += reference[2] ** 2
    np.sum(z**2).backward()
    is_close(host(y), z.data)
    is_close(host(x.grad), reference.grad)


def test_a_gradient_that_is_recorded_can_be_part_of_a_loss(on: Any, host: Any) -> None:
    x = on([0.5, 1.5])
    (g,) = grad(np.sum(np.sin(x) * x), x, create_graph=True)
    np.sum(g**2).backward()
    h = np.array([0.5, 1.5])
    first, second = np.cos(h) * h + np.sin(h), 2 * np.cos(h) - h * np.sin(h)
    is_close(host(x.grad), 2 * first * second)


def test_gradients_are_arrays_of_their_own(on: Any, host: Any) -> None:
    x = on([1.0, 2.0])
    (g,) = grad(np.sum(x), x)
    g += 1.0  # a broadcast view would not hold this
    is_close(host(g), [2.0, 2.0])
