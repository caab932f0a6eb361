"""The imperative style: what PyTorch's tutorials show, on NumPy."""

import copy
import pickle

import numpy as np
import pytest

import dualnum as dn
from dualnum.autograd import Variable, grad, no_grad, variable
from dualnum.errors import DerivativeDropped, InvalidType, InvalidValue

# ── the tutorials ────────────────────────────────────────────────────────────────────────────────


def test_first_and_second_derivatives_at_an_array():
    x = variable([[1.0], [2.0]])
    f = x**3
    (f_x,) = grad(outputs=f, inputs=x, grad_outputs=np.ones_like(f.data), create_graph=True)
    (f_xx,) = grad(f_x, x, np.ones((2, 1)), create_graph=True)
    np.testing.assert_array_equal(f_x.data, [[3.0], [12.0]])
    np.testing.assert_array_equal(f_xx.data, [[6.0], [12.0]])


def test_mixed_partial_derivatives():
    x, t = variable([[1.0], [2.0]]), variable([[3.0], [4.0]])
    f = x**3 + x * t + t**2
    ones = np.ones((2, 1))
    (f_x,), (f_t,) = grad(f, x, ones, create_graph=True), grad(f, t, ones, create_graph=True)
    for y, by, expected in (
        (f, x, [6, 16]), (f, t, [7, 10]), (f_x, t, [1, 1]), (f_t, x, [1, 1]), (f_x, x, [6, 12]), (f_t, t, [2, 2]),
    ):  # fmt: skip
        (g,) = grad(y, by, ones, retain_graph=True)
        np.testing.assert_array_equal(g.ravel(), expected)


def test_backward_fills_grad_and_the_attributes_say_what_a_variable_is():
    x = variable(3.0)
    assert repr(x) == "variable(3., requires_grad=True)" and x.is_leaf and x.requires_grad and x.grad is None
    assert x.grad_fn is None
    y = 3 * x**2
    assert repr(y) == "variable(27., grad_fn=<MultiplyBackward>)" and not y.is_leaf and y.requires_grad
    assert repr(y.grad_fn) == "<MultiplyBackward>"
    y.backward()
    assert x.grad == 18.0 and type(x.grad) is np.ndarray and x.item() == 3.0
    x = variable(3.0)
    (6 * x**2 + 2 * x + 4).backward()
    assert x.grad == 38.0


def test_partial_derivatives_of_two_variables():
    u, v = variable(3.0), variable(4.0)
    (u**3 + v**2 + 4 * u * v).backward()
    assert (u.grad, v.grad) == (43.0, 20.0)
    x, y = variable(5.0), variable(5.0)
    (x**2 * y**2).backward()
    assert (x.grad, y.grad) == (250.0, 250.0)


def test_successive_differentiation():
    def nth_derivative(f, wrt, n=2):
        for _ in range(n):
            grads = grad(f, wrt, create_graph=True)[0]
            f = grads.sum()
        return grads

    x = variable(5.0)
    assert nth_derivative(x**2 + x**3, x).item() == 32.0
    np.testing.assert_allclose(
        nth_derivative(np.tanh(x * 0.1), x, 4).data, dn.derivative(lambda x: np.tanh(x * 0.1), 4)(5.0)
    )


def test_a_small_network_at_points_one_by_one():
    w1, b1 = np.array([[0.3677], [-0.9834]]), np.array([0.6622, 0.8933])
    w2, b2 = np.array([[0.3594, 0.3605]]), np.array([0.1341])

    def net(x):
        return 1 / (1 + np.exp(-(x @ w1.T + b1))) @ w2.T + b2

    for point, first, second in ((2.0, -0.0463, 0.0278), (1.0, -0.0628, -0.0005)):
        x = variable([point])
        (g1,) = grad(net(x), x, create_graph=True)
        (g2,) = grad(g1, x, create_graph=True)
        np.testing.assert_allclose([g1.item(), g2.item()], [first, second], atol=5e-5)


def test_rows_of_a_hessian():
    x = variable([0.0, 1.0])
    y = x @ np.array([0.5596, 0.1991]) + 0.0408 + np.sum(x**3)
    (g,) = grad(y, x, create_graph=True)
    np.testing.assert_allclose(g.data, [0.5596, 3.1991])
    rows = [grad(g[i], x, create_graph=True, allow_unused=True)[0].data for i in range(2)]
    np.testing.assert_array_equal(rows, [[0.0, 0.0], [0.0, 6.0]])


def test_norm_and_vector_outputs():
    data = np.arange(10.0)
    x = variable(data)
    y = np.linalg.norm(x)
    y.backward()
    np.testing.assert_allclose(x.grad, data / np.linalg.norm(data))
    a, b = variable(np.arange(4.0)), variable(np.arange(0, 13, 4))
    q = 3 * a**3 - b**2
    q.backward(np.ones(4))
    np.testing.assert_array_equal(a.grad, [0, 9, 36, 81])
    np.testing.assert_array_equal(b.grad, [0, -8, -16, -24])


# ── the contract ─────────────────────────────────────────────────────────────────────────────────


def test_gradients_add_up_until_they_are_zeroed():
    x = variable([1.0, 2.0])
    for _ in range(2):
        np.sum(x**2).backward()
    np.testing.assert_array_equal(x.grad, [4.0, 8.0])
    kept = x.grad
    x.zero_grad()
    assert x.grad is None
    np.sum(x).backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])
    np.testing.assert_array_equal(kept, [4.0, 8.0])
    x.grad = None
    with pytest.raises(InvalidValue, match=r"shape \(3,\); expected \(2,\)"):
        x.grad = np.ones(3)


def test_retain_grad_and_detach():
    x = variable([1.0, 2.0])
    y = x * 2
    assert y.retain_grad() is None and y.grad is None
    d = y.detach()
    assert not d.requires_grad and d.is_leaf
    np.sum(y * y + d * y).backward()
    np.testing.assert_array_equal(y.grad, 2 * y.data + d.data)
    np.testing.assert_array_equal(x.grad, 2 * y.grad)
    np.testing.assert_array_equal(d.numpy(), [2.0, 4.0])


def test_create_graph_in_backward():
    x = variable(2.0)
    (x**3).backward(create_graph=True)
    assert isinstance(x.grad, Variable)
    first = x.grad
    x.grad = None
    first.backward()
    assert x.grad == 12.0


def test_no_grad_and_steps_of_descent():
    w = variable([1.0, -2.0])
    for _ in range(3):
        np.sum(w**2).backward()
        with no_grad():
            w -= 0.25 * w.grad
        w.zero_grad()
    np.testing.assert_allclose(w.data, np.array([1.0, -2.0]) / 8)
    assert w.is_leaf and w.requires_grad
    with no_grad():
        assert not (w * 2).requires_grad
    w.data = [5.0, 6.0]
    np.sum(w * w).backward()
    np.testing.assert_array_equal(w.grad, [10.0, 12.0])


def test_a_value_set_later_does_not_change_what_was_recorded():
    w = variable(3.0)
    y = w * w
    w.data = 100.0
    y.backward()
    assert w.grad == 6.0


def test_integers_become_floats_and_the_data_are_copied():
    data = np.array([1, 2])
    x = variable(data)
    data[0] = 9
    assert x.dtype == np.float64 and x.data[0] == 1.0
    assert variable([1.0], dtype=np.float32).dtype == np.float32
    assert not variable(1.0, requires_grad=False).requires_grad
    assert variable(1.0, requires_grad=False).requires_grad_().requires_grad


def test_variables_are_coefficients_of_jets_and_constants_of_transforms():
    w = variable(np.ones((3, 2)))
    u = np.tanh(dn.jet(np.array([[0.1, 0.2, 0.3]]), 2) @ w)
    np.sum((u.derivative(2) + u.value) ** 2).backward()
    t = np.tanh(0.6)
    second = -2 * t * (1 - t * t) * 9
    assert w.grad.shape == (3, 2)
    np.testing.assert_allclose(np.sum((u.derivative(2) + u.value).data ** 2), 2 * (second + t) ** 2, rtol=1e-13)
    v = variable(2.0)
    dn.grad(lambda x: x**2 * v)(3.0).backward()
    assert v.grad == 6.0
    inner = dn.derivative(lambda x: grad(variable(1.0) * x, variable(1.0), allow_unused=True)[0] is None and x)(3.0)
    assert inner == 1.0


def test_types_of_gradients_follow_the_variable():
    x = variable([1.0, 2.0], dtype=np.float32)
    np.sum(x * np.array([1.0, 2.0])).backward()
    assert x.grad.dtype == np.float32


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


def test_errors_say_what_to_do():
    x = variable([1.0, 2.0])
    with pytest.raises(InvalidValue, match="gradient=np"):
        (x * 2).backward()
    with pytest.raises(InvalidValue, match="grad_outputs=np"):
        grad(x * 2, x)
    with pytest.raises(InvalidValue, match=r"shape \(3,\); expected \(2,\)"):
        grad(x * 2, x, np.ones(3))
    with pytest.raises(InvalidValue, match="allow_unused=True"):
        grad(np.sum(x), variable(1.0))
    assert grad(np.sum(x), variable(1.0), allow_unused=True) == (None,)
    y = np.sum(x * x)
    y.backward()
    with pytest.raises(InvalidValue, match="retain_graph=True"):
        y.backward()
    with pytest.raises(InvalidValue, match="depends on no variable"):
        variable(1.0, requires_grad=False).backward()
    with pytest.raises(InvalidValue, match="does not require a gradient"):
        grad(np.sum(x), variable(1.0, requires_grad=False))
    with pytest.raises(InvalidType, match="expected a variable"):
        grad([np.ones(())], x)
    with pytest.raises(InvalidValue, match="2 outputs and 1 grad_outputs"):
        grad([np.sum(x), np.sum(x)], x, [np.ones(())])
    with pytest.raises(DerivativeDropped, match=r"x.detach\(\).numpy\(\)"):
        x.numpy()
    with pytest.raises(InvalidValue, match="leaf that requires a gradient"):
        x[0] = 3.0
    with pytest.raises(InvalidValue, match="on leaves only"):
        (x * 2).requires_grad = False
    with pytest.raises(ValueError, match="read-only"):
        x.data[0] = 5.0
    with pytest.raises(InvalidType, match="pickle x"):
        pickle.dumps(x)
    with pytest.raises(InvalidType, match=r"dn\.taylor\(dn\.grad\(f\)"):
        variable(dn.jet(1.0))


def test_a_copy_is_recorded():
    x = variable([1.0, 2.0])
    np.sum(copy.deepcopy(x) * copy.copy(x)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_retained_graphs_serve_several_sweeps():
    x = variable(2.0)
    y = x**3
    assert grad(y, x, retain_graph=True)[0] == grad(y, x)[0] == 12.0
