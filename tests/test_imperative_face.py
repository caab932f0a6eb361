"""What people from PyTorch type, on variables; expected numbers are those that PyTorch 2.13 prints."""

import numpy as np
import pytest

import dualnum as dn
from dualnum.autograd import (
    Function,
    Variable,
    enable_grad,
    functional,
    grad,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
    variable,
)
from dualnum.errors import InvalidType, InvalidValue, NoAttribute, NotDifferentiable

# ── names of tensors ─────────────────────────────────────────────────────────────────────────────


def test_names_that_say_the_same_are_there():
    x = variable([[1.0, 2.0]])
    y = x.clone().pow(2).unsqueeze(0).squeeze().cpu()
    assert y.shape == (2,) and y.numel() == 2 and y.dim() == 1 and x.clone().requires_grad
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[2.0, 4.0]])
    assert x.to("cpu") is x and x.to(np.float64) is x and x.float().dtype == np.float32
    assert x.to(variable(np.float32(1.0))).dtype == np.float32 and x.float().double().to(dtype=float).dtype == float
    x.grad = None
    x.float().sum().backward()
    assert x.grad.dtype == np.float64


@pytest.mark.parametrize("name, instead", [("cuda", "x.to"), ("add", r"x \+ y"), ("_version", "no version")])
def test_names_that_are_not_are_translated(name, instead):
    with pytest.raises(NoAttribute, match=instead):
        getattr(variable(1.0), name)


# ── hooks ────────────────────────────────────────────────────────────────────────────────────────


def test_a_hook_replaces_the_gradient_before_it_is_retained():
    x = variable([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [30.0, 30.0])
    np.testing.assert_array_equal(y.grad, [10.0, 10.0])


def test_hooks_run_in_their_order_and_are_removed():
    x = variable([1.0, 2.0])
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    handle = x.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 1).sum().backward()
    assert seen == [[1.0, 1.0], [2.0, 2.0]] and x.grad.tolist() == [2.0, 2.0]
    handle.remove()
    handle.remove()
    x.zero_grad()
    (x * 1).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    with x.register_hook(lambda g: g * 7):
        assert grad(x.sum(), x)[0].tolist() == [7.0, 7.0]
    assert grad(x.sum(), x)[0].tolist() == [1.0, 1.0]


def test_a_hook_of_an_input_acts_on_grad_as_well_and_one_off_the_path_is_not_called():
    x, z = variable(1.0), variable(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    assert grad(y, y)[0] == 10.0
    z.register_hook(lambda g: pytest.fail("off the path"))
    (x * z).backward(inputs=[x])
    assert x.grad == 2.0 and z.grad is None


def test_a_hook_is_recorded_with_the_sweep():
    x, w = variable(2.0), variable(3.0)
    y = x * x
    y.register_hook(lambda g: g * w)
    (first,) = grad(y, x, create_graph=True)
    assert isinstance(first, Variable) and first.item() == 12.0
    assert [g.item() for g in grad(first, [x, w])] == [6.0, 4.0]
    y = x * x
    y.register_hook(lambda g: g * w)  # a variable, where nothing is recorded
    y.backward()
    assert x.grad == 12.0 and type(x.grad) is np.ndarray


def test_hooks_refuse():
    x = variable([1.0, 2.0])
    with pytest.raises(InvalidValue, match="does not require a gradient"):
        variable(1.0, False).register_hook(print)
    with pytest.raises(InvalidType, match="the hook is a int"):
        x.register_hook(3)
    x.register_hook(lambda g: np.ones(3))
    with pytest.raises(InvalidValue, match=r"a gradient of shape \(3,\); expected \(2,\)"):
        x.sum().backward()
    x = variable([1.0, 2.0])
    x.register_hook(lambda g: g.__imul__(2))  # would write into what others read
    with pytest.raises(ValueError, match="read-only"):
        (x * 2).sum().backward()


# ── backward and grad ────────────────────────────────────────────────────────────────────────────


def test_backward_fills_the_inputs_that_are_named():
    x = variable(1.0)
    y = x * 3
    (y * y).backward(inputs=y)  # no leaf
    assert y.grad == 6.0 and x.grad is None
    y = x * 3
    (y * y).backward(inputs=(y, x))
    assert y.grad == 6.0 and x.grad == 18.0
    with pytest.raises(InvalidValue, match="inputs are empty"):
        (x * 2).backward(inputs=[])
    z = variable(2.0)
    (x * 2).backward(inputs=[z])
    assert z.grad is None
    with pytest.raises(InvalidType, match="backward: input 0 is a float"):
        (x * 2).backward(inputs=[1.0])


def test_grad_fills_what_is_retained_on_the_way():
    x = variable([1.0, 2.0])
    y, off = x * 3, variable(2.0) * 2
    y.retain_grad()
    off.retain_grad()
    grad((y * y * off).sum(), x)
    np.testing.assert_array_equal(y.grad, [24.0, 48.0])
    assert off.grad is None


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_batch_of_gradients_in_one_sweep(create_graph):
    x, w = variable([1.0, 2.0]), variable([[1.0, 2.0], [3.0, 4.0]])
    y = np.tanh(w @ x**3 / 10)
    units = np.concatenate([np.eye(2), [[0.5, -2.0]]])
    rows = grad(y, [x, w], units, retain_graph=True, create_graph=create_graph, is_grads_batched=True)
    for k, unit in enumerate(units):
        for one, row in zip(grad(y, [x, w], unit, retain_graph=True), rows, strict=True):
            np.testing.assert_allclose(np.asarray(getattr(row[k], "value", row[k])), one, rtol=1e-14)
    if create_graph:
        (second,) = grad(rows[0].sum(), x)
        total = lambda x: np.sum(units @ dn.jacobian(lambda x: np.tanh(w.value @ x**3 / 10))(x))  # noqa: E731
        np.testing.assert_allclose(second, dn.grad(total)(x.value), rtol=1e-13)


def test_a_batch_is_checked_and_zeros_are_materialized():
    x, z = variable([1.0, 2.0]), variable(1.0)
    with pytest.raises(InvalidValue, match=r"shape \(2,\); expected a batch of \(2,\)"):
        grad(x * 2, x, np.ones(2), is_grads_batched=True)
    assert grad(x.sum(), [x, z], materialize_grads=True)[1] == 0.0
    assert grad(x * 2, [x, z], np.eye(2), allow_unused=True, is_grads_batched=True)[1] is None


def test_recording_is_switched_on_and_off():
    x = variable(2.0)
    with no_grad():
        with enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with set_grad_enabled(False):
        assert not is_grad_enabled()
    assert is_grad_enabled()
    set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        set_grad_enabled(True)

    @set_grad_enabled(False)
    def off():
        return is_grad_enabled()

    @enable_grad
    def on():
        return is_grad_enabled()

    assert is_grad_enabled() and not off() and not off() and is_grad_enabled()
    with no_grad():
        assert on()
    with pytest.raises(ZeroDivisionError), set_grad_enabled(False):
        raise ZeroDivisionError
    assert is_grad_enabled()


def test_what_is_written_after_a_step_does_not_change_its_gradient():
    """PyTorch raises, by versions: its record reads the memory. Here it has the value that was there."""
    x = variable([1.0, 2.0])
    y = x * x
    with no_grad():
        x += 1.0
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    a = np.array([1.0, 2.0])
    x = variable([1.0, 2.0])
    y = x * a
    a *= 100.0
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


# ── functional ───────────────────────────────────────────────────────────────────────────────────

A, B = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def test_functional_gives_what_pytorch_prints():
    f = lambda x, y: (x**2 * y, x.sum() * y)  # noqa: E731
    (xx, xy), (sx, sy) = functional.jacobian(f, (A, B))
    for given, expected in (
        (xx, [[6, 0], [0, 16]]), (xy, [[1, 0], [0, 4]]), (sx, [[3, 3], [4, 4]]), (sy, [[3, 0], [0, 3]]),
        (functional.jacobian(lambda x: x.pow(3), A), [[3, 0], [0, 12]]),
        (functional.jacobian(lambda x: np.sum(x), A), [1, 1]),
    ):  # fmt: skip
        assert type(given) is np.ndarray
        np.testing.assert_array_equal(given, expected)
    h = functional.hessian(lambda x, y: (x**2 * y).sum(), (A, B))
    np.testing.assert_array_equal(h, [[[[6, 0], [0, 8]], [[2, 0], [0, 4]]], [[[2, 0], [0, 4]], [[0, 0], [0, 0]]]])
    for product in (functional.jvp, functional.vjp):
        y, found = product(lambda x: x**3, A, B)
        assert y.tolist() == [1.0, 8.0] and found.tolist() == [9.0, 48.0]
    for product in (functional.hvp, functional.vhp):
        y, (by_x, by_y) = product(lambda x, y: (x**3 * y).sum(), (A, B), (B, A))
        assert y == 35.0 and by_x.tolist() == [57.0, 216.0] and by_y.tolist() == [9.0, 48.0]


def test_functional_is_differentiated_again():
    x = variable(A)
    jacobian = functional.jacobian(lambda x: x**3, x, create_graph=True)
    assert isinstance(jacobian, Variable)
    jacobian.sum().backward()
    np.testing.assert_array_equal(x.grad, [6.0, 12.0])
    hessian = functional.hessian(lambda x: np.sum(np.exp(x)), x, create_graph=True)
    (third,) = grad(hessian.sum(), x)
    np.testing.assert_allclose(third, np.exp(A), rtol=1e-15)
    for product in (functional.jvp, functional.vjp):
        y, along = product(lambda x: x**3, x, B, create_graph=True)
        np.testing.assert_array_equal(grad(along.sum() + y.sum(), x)[0], 6 * A * B + 3 * A**2)
    for product in (functional.hvp, functional.vhp):
        _, along = product(lambda x: np.sum(x**4), x, B, create_graph=True)
        np.testing.assert_array_equal(grad(along.sum(), x)[0], 24 * A * B)


def test_functional_agrees_with_the_transforms():
    w = np.random.default_rng(0).normal(size=(3, 3))
    x, v = w[0], w[1]
    f = lambda x: np.tanh(w @ x)  # noqa: E731
    np.testing.assert_allclose(functional.jacobian(f, x), dn.jacobian(f)(x), rtol=1e-13)
    np.testing.assert_allclose(functional.jvp(f, x, v)[1], dn.jvp(f, (x,), (v,))[1], rtol=1e-13)
    g = lambda x: np.sum(f(x) ** 2)  # noqa: E731
    np.testing.assert_allclose(functional.hessian(g, x), dn.hessian(g)(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(functional.hvp(g, x, v)[1], dn.hvp(g)(x, v), rtol=1e-12)
    with no_grad():  # recorded in any case
        np.testing.assert_allclose(functional.vhp(g, x, v)[1], dn.hvp(g)(x, v), rtol=1e-12)
    assert functional.jacobian(lambda x: x**2, x.astype(np.float32)).dtype == np.float32
    assert functional.jacobian(lambda x: x[:0], x).shape == (0, 3)


def test_what_does_not_depend_is_zero_or_refused():
    assert functional.jacobian(lambda x: x.detach(), B).tolist() == [[0, 0], [0, 0]]
    assert functional.hessian(lambda x: x.sum(), B).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(InvalidValue, match="output 0 does not depend on the inputs"):
        functional.jacobian(lambda x: A, B, strict=True)
    with pytest.raises(InvalidValue, match="does not depend on"):
        functional.hessian(lambda x: x.sum(), B, strict=True)
    with pytest.raises(InvalidValue, match="output 0 does not depend on input 1"):
        functional.jacobian(lambda x, y: x, (A, B), strict=True)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: functional.vjp(lambda x: x**2, A), "v may be left out only"),
        (lambda: functional.hvp(lambda x: x**2, A, A), "expected a single number"),
        (lambda: functional.jacobian(3, A), "func is a int"),
        (lambda: functional.jvp(lambda x: x**2, A, (A, A)), "v has 2 arrays; expected 1"),
        (lambda: functional.jvp(lambda x: x**2, A, np.ones(1)), r"v has shape \(1,\); expected \(2,\)"),
        (lambda: functional.jacobian(lambda x: None, A), "func returned None"),
        (lambda: functional.jacobian(lambda x: x, A, strategy="x"), "strategy is 'x'"),
        (lambda: functional.jacobian(lambda x: x, dn.jet(A)), "an input is an operand"),
        (lambda: functional.jacobian(lambda: A, ()), "there are no inputs"),
    ],
)
def test_functional_refuses(call, error):
    with pytest.raises(dn.DualnumError, match=error):
        call()


# ── Function ─────────────────────────────────────────────────────────────────────────────────────


class Exp(Function):
    """PyTorch's own example: the result is what backward reads."""

    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Relu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.clip(x, 0, None)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        g = g.clone()
        g[x < 0] = 0
        return g


class Products(Function):
    """Two results, a constant and a setting."""

    calls = 0

    @staticmethod
    def forward(x, y, power):
        return x**power * y, x + y, np.sign(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, y, ctx.power = inputs
        ctx.save_for_backward(x, y)
        ctx.mark_non_differentiable(output[2])

    @staticmethod
    def backward(ctx, g, h, nothing):
        Products.calls += 1
        assert ctx.needs_input_grad == (True, True, False)
        x, y = ctx.saved_tensors
        n = ctx.power
        return g * n * x ** (n - 1) * y + h, g * x**n + h, None


def test_a_function_of_ones_own_is_recorded():
    x = variable([0.5, -1.0])
    y = Exp.apply(x)
    assert repr(y.grad_fn) == "<ExpBackward>"
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.exp(x.value))
    x.zero_grad()
    (Relu.apply(x) * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 0.0])
    np.testing.assert_array_equal(Exp.apply(A), np.exp(A))  # of arrays
    with no_grad():
        assert not Exp.apply(x).requires_grad


def test_a_function_of_ones_own_is_differentiated_twice():
    x = variable([0.5, -1.0])
    (first,) = grad(Exp.apply(2 * x).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x, create_graph=True)
    (third,) = grad(second.sum(), x)
    np.testing.assert_allclose(third, 8 * np.exp(2 * x.value), rtol=1e-15)
    f = lambda x: np.sum(Exp.apply(x) * x)  # noqa: E731  within transforms too
    np.testing.assert_allclose(dn.grad(f)(A), np.exp(A) * (1 + A), rtol=1e-15)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(dn.grad(f)(x)))(A), np.exp(A) * (2 + A), rtol=1e-15)
    np.testing.assert_allclose(dn.jit(dn.grad(f))(A), np.exp(A) * (1 + A), rtol=1e-15)
    np.testing.assert_allclose(dn.hessian(f)(A), np.diag(np.exp(A) * (2 + A)), rtol=1e-15)
    np.testing.assert_allclose(dn.jacrev(Exp.apply)(A), np.diag(np.exp(A)), rtol=1e-15)
    np.testing.assert_array_equal(dn.grad(lambda x: np.sum(Relu.apply(x) * 3))(A - 1.5), [0.0, 3.0])
    w = variable(2.0)  # of a level below, which backward meets

    class Scaled(Exp):
        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0] * w

    by_x = dn.grad(lambda x: np.sum(Scaled.apply(x)))(A)
    by_x.sum().backward()
    np.testing.assert_allclose(w.grad, np.sum(np.exp(A)), rtol=1e-15)


def test_several_results_are_pulled_back_together():
    x, y = variable([1.0, -2.0]), variable([3.0, 4.0])
    Products.calls = 0
    p, s, sign = Products.apply(x, y, 3)
    assert not sign.requires_grad and sign.value.tolist() == [1.0, -1.0]
    (p * s).sum().backward(retain_graph=True)
    assert Products.calls == 1
    expected = dn.grad(lambda xy: np.sum(xy[0] ** 3 * xy[1] * (xy[0] + xy[1])))((x.value, y.value))
    np.testing.assert_allclose([x.grad, y.grad], expected, rtol=1e-14)
    (by_x,) = grad(p.sum(), x, create_graph=True)  # of the other zeros
    (mixed,) = grad(by_x.sum(), y)
    np.testing.assert_array_equal(by_x.value, 3 * x.value**2 * y.value)
    np.testing.assert_array_equal(mixed, 3 * x.value**2)


def test_arrays_saved_for_backward_stay_what_they_were():
    buffer = np.array([1.0, 2.0])

    class Scaled(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(buffer)
            return x * buffer

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = variable([1.0, 1.0])
    y = Scaled.apply(x)
    buffer[:] = 100.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_functions_refuse():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    class Shaped(Wrong):
        @staticmethod
        def backward(ctx, g):
            return np.ones(3), None

    class Nothing(Wrong):
        @staticmethod
        def forward(ctx, x, y):
            return None

    x = variable(A)
    with pytest.raises(InvalidValue, match=r"Wrong\.backward returned 1 gradients; expected 2"):
        Wrong.apply(x, B).sum().backward()
    with pytest.raises(InvalidValue, match=r"shape \(3,\) for argument 0; expected \(2,\)"):
        Shaped.apply(x, B).sum().backward()
    with pytest.raises(InvalidType, match=r"Nothing\.forward returned None"):
        Nothing.apply(x, B)
    with pytest.raises(NotDifferentiable, match=r"dn\.custom_derivative"):
        Exp.apply(dn.jet(A))
    with pytest.raises(NotImplementedError, match="needs a static method forward"):
        Function.apply(x)
