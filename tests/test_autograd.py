"""The imperative style: what PyTorch's tutorials show, on NumPy."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import dualnum as dn
from dualnum.autograd import Variable, grad, no_grad, variable
from dualnum.errors import DerivativeDropped, InvalidType, InvalidValue, NoAttribute

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
    third = nth_derivative(x**2 + x**3, x, 3)
    assert third.item() == 6.0 and not third.requires_grad  # constant, and known to be
    assert grad(third, x, allow_unused=True) == (None,)
    with pytest.raises(InvalidValue, match=r"constant, as a high derivative of a polynomial is.*allow_unused=True"):
        nth_derivative(x**2 + x**3, x, 4)
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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
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


def test_numbers_are_stepped_in_place_as_arrays_are():
    """Least squares of a line by two scalar parameters: gradient descent in place, against the same by formulas."""
    t = np.linspace(-1.0, 1.0, 9)
    y = 2.0 * t + 1.0
    slope, shift = variable(0.0), variable(0.5)
    kept = slope
    a, b = 0.0, 0.5
    for _ in range(20):
        loss = np.mean((slope * t + shift - y) ** 2)
        loss.backward()
        with no_grad():
            slope -= 0.3 * slope.grad
            shift -= 0.3 * shift.grad
        for parameter in (slope, shift):
            parameter.zero_grad()
        r = a * t + b - y
        a, b = a - 0.6 * np.mean(r * t), b - 0.6 * np.mean(r)
    assert slope is kept and slope.is_leaf and slope.requires_grad
    np.testing.assert_allclose([slope.item(), shift.item()], [a, b], rtol=1e-12)
    assert f"loss {loss:.1e}" == f"loss {loss.item():.1e}"
    total = variable(1.0) * 2
    total += slope  # of what was computed it is another number
    assert total.requires_grad and not total.is_leaf
    with pytest.raises(InvalidValue, match="leaf that requires a gradient"):
        slope += 1.0


def test_adam_by_hand():
    """Kingma & Ba, 2015, algorithm 1, on parameters in a dict; against the same steps by a gradient in closed form."""
    matrix, target = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([1.0, -1.0])
    parameters = {"w": variable([0.3, -0.2]), "b": variable(0.1)}
    moments = {name: (np.zeros(p.shape), np.zeros(p.shape)) for name, p in parameters.items()}
    plain = {"w": np.array([0.3, -0.2]), "b": np.array(0.1)}
    plain_moments = copy.deepcopy(moments)

    def stepped(p, g, moments, name, k):
        m, v = moments[name] = (0.9 * moments[name][0] + 0.1 * g, 0.99 * moments[name][1] + 0.01 * g**2)
        return p - 0.05 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.99**k)) + 1e-8)

    for k in range(1, 30):
        for p in parameters.values():
            p.zero_grad()
        w, b = parameters["w"], parameters["b"]
        (0.5 * w @ matrix @ w - target @ w + b * w[0] + b**2).backward()
        for name, p in parameters.items():
            p.data = stepped(p.data, p.grad, moments, name, k)
        w, b = plain["w"], plain["b"]
        gradients = {"w": matrix @ w - target + b * np.array([1.0, 0.0]), "b": w[0] + 2 * b}
        plain = {name: stepped(p, gradients[name], plain_moments, name, k) for name, p in plain.items()}
    for name, p in parameters.items():
        np.testing.assert_allclose(p.data, plain[name], rtol=1e-12)


def test_slices_of_leaves_and_of_results_under_no_grad():
    w = variable([1.0, 2.0, 3.0])
    tail = w[1:]
    np.sum(w**2).backward()
    with no_grad():
        w[1:] -= 0.5 * w.grad[1:]
        w[0] = 7.0
    np.testing.assert_array_equal(w.data, [7.0, 0.0, 0.0])
    assert w.is_leaf and w.requires_grad
    np.testing.assert_array_equal(tail.data, [0.0, 0.0])  # a view
    np.sum(tail * 3).backward()
    np.testing.assert_array_equal(w.grad, [2.0, 7.0, 9.0])
    for write in (lambda: tail.fill(1.0), lambda: w.__setitem__(0, 1.0), lambda: tail.__iadd__(1.0)):
        with pytest.raises(InvalidValue, match="leaf that requires a gradient"):
            write()
    w.data = [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(tail.data, [2.0, 3.0])
    y = w * 2
    part = y[:2]
    with no_grad():
        part *= 10.0  # the value only: the record is as it was
        np.testing.assert_array_equal(y.data, [20.0, 40.0, 6.0])
    assert part.requires_grad and part.grad_fn is not None
    w.zero_grad()
    (np.sum(part) + y[0]).backward()
    np.testing.assert_array_equal(w.grad, [4.0, 2.0, 0.0])


def test_no_grad_as_a_decorator_and_after_an_error():
    x = variable(2.0)

    @no_grad
    def plain(x, power=2):
        return x**power

    @no_grad()
    def called(x):
        return plain(x) * x

    assert not plain(x, power=3).requires_grad and not called(x).requires_grad
    assert plain.__name__ == "plain"
    twice = no_grad()
    with pytest.raises(ZeroDivisionError), twice, twice:
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_a_gradient_asked_of_a_result_warns():
    x = variable(2.0)
    y = x**2
    y.backward()
    with pytest.warns(UserWarning, match="no leaf.*retain_grad"):
        assert y.grad is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.grad == 4.0 and variable(1.0, False).grad is None and y.detach().grad is None


def test_text():
    assert repr(variable(np.float32([1.5, 2.0]))) == "variable([1.5, 2. ], dtype=float32, requires_grad=True)"
    assert repr(variable(1.0, False)) == "variable(1.)"
    assert repr(variable([1.0, 2.0])[0]) == "variable(1., grad_fn=<GetitemBackward>)"
    loss = variable(3.0) ** 2
    assert f"{loss:.3f} {loss}" == "9.000 9.0"
    assert f"{variable([1.0])}" == "variable([1.], requires_grad=True)"
    with pytest.raises(InvalidType, match=r"format: the variable has shape \(2,\), and '.3f' is for a number"):
        f"{variable([1.0, 2.0]):.3f}"
    assert variable(1.0).device == "cpu" and variable(1.0, device="cpu").device == "cpu"


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
    with pytest.raises(InvalidType, match="grad: an output is a ndarray; expected what was computed from a variable"):
        grad([np.ones(())], x)
    for outputs in (np.ones(()), 1.0, {"y": np.sum(x)}, None):
        with pytest.raises(InvalidType, match=r"outputs is a .*; expected a variable or a sequence of variables"):
            grad(outputs, x)
    with pytest.raises(InvalidType, match="input 1 is a ndarray; expected a variable: make it by variable"):
        grad(np.sum(x), [x, np.ones(2)])
    with pytest.raises(InvalidType, match="input 0 is an operand of grad of <lambda>; expected a variable"):
        dn.grad(lambda x: grad(variable(1.0) * 2, x)[0])(1.0)
    with no_grad(), pytest.raises(InvalidValue, match="or was computed within no_grad"):
        np.sum(x).backward()
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
    with pytest.raises(InvalidType, match=r"pickle x\.data"):
        pickle.dumps(x * 2)
    with pytest.raises(InvalidType, match="dtype is int64, which carries no derivatives"):
        variable([1, 2], dtype=np.int64)
    with pytest.raises(InvalidType, match="dtype is 'foo'"):
        variable([1, 2], dtype="foo")
    with pytest.raises(InvalidType, match=r"call dn\.autograd\.variable\(data\)"):
        Variable([1.0])
    with pytest.raises(InvalidValue, match=r"item: the variable has shape \(2,\); expected one number"):
        x.item()
    with pytest.raises(InvalidType, match="grad: the gradient has dtype <U1"):
        variable(1.0).grad = "a"
    with pytest.raises(InvalidType, match=r"dn\.taylor\(dn\.grad\(f\)"):
        variable(dn.jet(1.0))


@pytest.mark.parametrize(
    "name, instead",
    [
        ("permute", r"x\.transpose\("), ("exp", r"np\.exp\(x"), ("norm", r"np\.linalg\.norm\(x"), ("add_", r"x \+= …"),
        ("gather", "take_along_axis"), ("cuda", r"x\.to\("), ("sigmoid", r"1 / \(1 \+ np\.exp\(-x\)\)"),
    ],
)  # fmt: skip
def test_methods_of_tensors_have_their_equals_named(name, instead):
    with pytest.raises(NoAttribute, match=f"{name}: a variable has no such attribute.*write .*{instead}"):
        getattr(variable([1.0]), name)
    assert not hasattr(variable([1.0]), name)
    with pytest.raises(AttributeError, match="no attribute 'nothing_like_it'"):
        _ = variable([1.0]).nothing_like_it


def test_copies():
    x = variable([1.0, 2.0])
    np.sum(copy.copy(x) * x.copy()).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])  # they are recorded
    best = copy.deepcopy({"w": x})["w"]  # another leaf
    np.sum(best**3).backward()
    np.testing.assert_array_equal(best.grad, [2.0 + 3.0, 4.0 + 12.0])
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    with no_grad():
        x += 1.0
    np.testing.assert_array_equal(best.data, [1.0, 2.0])
    x.zero_grad()
    np.sum(copy.deepcopy(x * 2)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])
    for leaf in (x, variable(np.float32(1.5), requires_grad=False)):
        again = pickle.loads(pickle.dumps(leaf))
        assert repr(again) == repr(leaf) and again.dtype == leaf.dtype and again.grad is None


def test_retained_graphs_serve_several_sweeps():
    x = variable(2.0)
    y = x**3
    assert grad(y, x, retain_graph=True)[0] == grad(y, x)[0] == 12.0
