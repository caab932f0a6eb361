"""Rules of one's own in all modes, constants, recomputation, and the checkers that find wrong rules."""

from typing import Any

import numpy as np
import pytest
import scipy.special

import dualnum as dn
from dualnum.errors import InvalidType, InvalidValue, NotDifferentiable
from dualnum.testing import WAYS, check_derivatives, check_grads
from dualnum.transforms.custom import checkpoint, custom_derivative, stop_gradient

X = np.array([0.3, -0.7, 1.2])


def by_derivative() -> Any:
    @custom_derivative
    def f(x):
        return scipy.special.expit(x)

    @f.derivative
    def slope(x):
        return f(x) * (1 - f(x))

    return f


def by_series() -> Any:
    @custom_derivative
    def f(x):
        return scipy.special.expit(x)

    @f.series
    def coefficients(order, y0, u):
        """y' = y (1 − y) u'."""
        y, slope = [y0], [y0 * (1 - y0)]
        for k in range(1, order + 1):
            terms = [j * u[j] * slope[k - j] for j in range(1, min(k + 1, len(u)))]
            y.append(sum(terms[1:], terms[0]) / k)
            slope.append(y[k] - sum(y[j] * y[k - j] for j in range(k + 1)))
        return y

    return f


def by_push_forward() -> Any:
    @custom_derivative
    def f(x):
        return scipy.special.expit(x)

    @f.push_forward
    def push(primals, tangents):
        y = f(*primals)
        return y * (1 - y) * tangents[0]

    return f


def by_pull_back() -> Any:
    @custom_derivative
    def f(x):
        return scipy.special.expit(x)

    @f.pull_back
    def pull(g, y, x):
        return g * y * (1 - y)

    return f


@pytest.mark.parametrize("make", [by_derivative, by_series, by_push_forward, by_pull_back])
def test_one_rule_serves_all_modes_and_orders(make):
    f = make()
    exact = scipy.special.expit
    np.testing.assert_array_equal(f(X), exact(X))
    for k in range(1, 4):
        np.testing.assert_allclose(dn.derivative(f, k)(X), dn.derivative(exact, k)(X), rtol=1e-12, atol=1e-14)
    y = exact(X)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(f(x)))(X), y * (1 - y), rtol=1e-14)
    np.testing.assert_allclose(
        dn.hessian(lambda x: np.sum(f(x)))(X), np.diag(y * (1 - y) * (1 - 2 * y)), rtol=1e-13, atol=1e-16
    )
    np.testing.assert_allclose(dn.grad(dn.grad(f))(0.4), dn.derivative(exact, 2)(0.4), rtol=1e-13)
    np.testing.assert_allclose(dn.grad(dn.derivative(f))(0.4), dn.derivative(exact, 2)(0.4), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(dn.grad(lambda x: np.sum(f(x))))(X), y * (1 - y), rtol=1e-14)


def solve() -> Any:
    """x = A⁻¹ b, which has no rule of its own: dx = A⁻¹ (db − dA x)."""

    @custom_derivative
    def f(a, b):
        return np.linalg.solve(dn.operand.primal(a), dn.operand.primal(b))

    return f


A = np.array([[2.0, 0.3, 0.1], [-0.4, 1.5, 0.2], [0.3, 0.1, 1.1]])


def test_a_function_of_several_arguments_that_is_not_elementwise():
    f = solve()

    @f.pull_back
    def pull(g, x, a, b):
        back = f(np.transpose(a), g)
        return -np.outer(back, x), back

    inverse = np.linalg.inv(A)
    u = np.array([1.0, -2.0, 0.5])
    to_a, to_b = dn.vjp(f, A, X)[1](u)
    np.testing.assert_allclose(to_b, inverse.T @ u, rtol=1e-13)
    np.testing.assert_allclose(to_a, -np.outer(inverse.T @ u, inverse @ X), rtol=1e-13)
    np.testing.assert_allclose(dn.jvp(f, (A, X), (np.zeros((3, 3)), u))[1], inverse @ u, rtol=1e-13)
    np.testing.assert_allclose(dn.jacfwd(f, 1)(A, X), inverse, rtol=1e-13)
    check_grads(f, (A, X), order=2)


def test_wrong_rules_are_found():
    right = by_derivative()
    check_derivatives(right, X, 4)
    check_grads(right, (X,), 3)

    @custom_derivative
    def wrong(x):
        return x**3

    @wrong.derivative
    def _(x):
        return 3 * x**2 + 0.01

    with pytest.raises(AssertionError, match="derivative 1 of wrong differs"):
        check_derivatives(wrong, X, 1)
    for mode in ("forward", "reverse"):
        with pytest.raises(AssertionError, match=f"the {mode} derivative of wrong"):
            check_grads(wrong, (X,), 1, (mode,))


def test_checks_in_the_precision_of_the_arguments():
    for dtype in (np.float32, np.float64):
        check_grads(np.tanh, [X.astype(dtype)], 2)
        check_grads(lambda x: np.sum(x**3), (X.astype(dtype),), 2, "reverse")
        check_derivatives(np.tanh, X.astype(dtype), 3)
    check_grads(lambda x: 3, (X,), 2)

    @custom_derivative
    def wrong(x):
        return np.sin(x)

    wrong.derivative(lambda x: 1.02 * np.cos(x))
    with pytest.raises(AssertionError, match="the forward derivative of wrong"):
        check_grads(wrong, (X.astype(np.float32),), 1)


def test_rules_that_are_wrong_at_second_order_only_are_found():
    @custom_derivative
    def wrong(x):
        return np.sin(x)

    @wrong.push_forward
    def _(primals, tangents):
        return np.cos(dn.operand.primal(primals[0])) * tangents[0]  # forgets that the slope varies

    check_grads(wrong, (X,), 1)
    with pytest.raises(AssertionError, match="forward over forward"):
        check_grads(wrong, (X,), 2, ("forward",))
    with pytest.raises(AssertionError, match="derivative 2 of wrong"):
        check_derivatives(wrong, X, 2)


def test_misuse_says_what_to_do():
    with pytest.raises(InvalidType, match="expected a function"):
        custom_derivative(3)
    f = custom_derivative(lambda x: x)
    with pytest.raises(NotDifferentiable, match="no rule yet"):
        dn.grad(f)(1.0)
    f.push_forward(lambda primals, tangents: tangents[0])
    with pytest.raises(InvalidValue, match="a rule already"):
        f.pull_back(lambda g, y, x: g)
    g = custom_derivative(np.sum)
    g.pull_back(lambda u, y, x: u)
    with pytest.raises(InvalidValue, match=r"shape \(\) for argument 0, whose shape is \(3,\)"):
        dn.grad(g)(X)
    with pytest.raises(InvalidValue, match="a mode is 'both'"):
        check_grads(np.sin, (1.0,), 1, ("both",))
    with pytest.raises(InvalidType, match="args is a ndarray; expected a tuple"):
        check_grads(np.sin, X)
    with pytest.raises(InvalidValue, match="check_grads: order is -1"):
        check_grads(np.sin, (X,), -1)
    with pytest.raises(InvalidType, match=r"check_derivatives: order is 1\.5"):
        check_derivatives(np.sin, X, 1.5)
    with pytest.raises(InvalidValue, match="check_derivatives: a way is 'backward'; expected some of quotient, nested"):
        check_derivatives(np.sin, X, ways=("nested", "backward"))


def named(**rules: Any) -> Any:
    f = custom_derivative(lambda x: np.exp(-x * x))
    for kind, rule in rules.items():
        getattr(f, kind)(rule)
    return f


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: named(derivative=lambda x: None), "its derivative returned None; expected f'"),
        (lambda: named(pull_back=lambda g, y, x: None), "its pull-back returned None; expected a cotangent"),
        (lambda: named(push_forward=lambda xs, ts: None), "its push-forward returned None; expected the tangent"),
        (lambda: named(push_forward=lambda xs, ts: np.ones(7)), r"a tangent of shape \(7,\) for a .* shape \(3,\)"),
        (lambda: named(derivative=lambda x, y: x), "its rule takes 2 arguments; expected 1"),
        (lambda: named(series=lambda order, y0: [y0]), "its rule takes 2 arguments; expected 3"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_right_are_named(make, message):
    for use in (lambda f: dn.grad(lambda x: np.sum(f(x)))(X), lambda f: dn.derivative(f, 2)(X)):
        with pytest.raises((InvalidType, InvalidValue), match=message):
            use(make())


def test_the_number_of_arguments_is_that_of_the_function_or_of_its_rule():
    f = custom_derivative(np.sin)
    f.derivative(np.cos)
    assert dn.grad(f)(0.3) == np.cos(0.3)
    f = named(derivative=lambda *xs: -2 * xs[0] * np.exp(-(xs[0] ** 2)))
    np.testing.assert_allclose(dn.grad(f)(0.3), -0.6 * np.exp(-0.09), rtol=1e-15)
    f = custom_derivative(lambda x, power=3: x**power)
    f.derivative(lambda x: 3 * x**2)
    assert dn.grad(f)(2.0) == 12.0
    with pytest.raises(InvalidValue, match="name them, without a star"):
        custom_derivative(lambda *xs: xs[0]).derivative(lambda *xs: 1.0)
    f = custom_derivative(lambda x, y: x * y)
    f.derivative(lambda x, y: y)
    with pytest.raises(InvalidType, match="expected a tuple of 2 partial derivatives"):
        dn.grad(f, (0, 1))(2.0, 3.0)
    assert repr(by_derivative()) == "<custom_derivative f>"


def test_none_stands_for_a_cotangent_that_is_zero():
    @custom_derivative
    def f(x, flag):
        return x * x

    f.pull_back(lambda g, y, x, flag: (2 * x * g, None))
    np.testing.assert_array_equal(dn.grad(lambda x, flag: np.sum(f(x, flag)), (0, 1))(X, X)[1], np.zeros(3))
    np.testing.assert_allclose(dn.derivative(f, 2, argnums=(0, 1))(X, X), [2.0, 2.0, 2.0])


# ── constants and recomputation ──────────────────────────────────────────────────────────────────


def test_stop_gradient():
    for d in (dn.derivative, dn.grad):
        assert d(lambda x: x * stop_gradient(x) ** 2)(3.0) == 9.0
        assert d(lambda x: stop_gradient({"a": x})["a"])(3.0) == 0.0
    assert dn.grad(dn.grad(lambda x: x**2 * stop_gradient(x)))(3.0) == 6.0


def test_checkpoint():
    calls = []

    def f(p: Any) -> Any:
        calls.append(1)
        return np.tanh(p["a"]) * p["b"]

    p = {"a": X, "b": np.array([2.0, 3.0, 4.0])}
    plain = dn.grad(lambda p: np.sum(f(p) ** 2))(p)
    calls.clear()
    kept = dn.grad(lambda p: np.sum(checkpoint(f)(p) ** 2))(p)
    assert len(calls) == 2
    for name in p:
        np.testing.assert_allclose(kept[name], plain[name], rtol=1e-15)
    second = dn.hessian(lambda x: np.sum(checkpoint(np.tanh)(x) ** 3))(X)
    np.testing.assert_allclose(second, dn.hessian(lambda x: np.sum(np.tanh(x) ** 3))(X), rtol=1e-13, atol=1e-16)
    np.testing.assert_array_equal(checkpoint(np.tanh)(X), np.tanh(X))
    scaled = checkpoint(lambda x, scale=1.0, more=None: np.tanh(x) * scale)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(scaled(x, scale=3.0)))(X), 3 / np.cosh(X) ** 2, rtol=1e-14)
    np.testing.assert_allclose(dn.grad(lambda s: np.sum(scaled(X, scale=s)))(3.0), np.sum(np.tanh(X)), rtol=1e-15)


def test_checkpoint_refuses_what_it_would_lose():
    with pytest.raises(InvalidValue, match="not among its arguments"):
        dn.grad(lambda x: np.sum(checkpoint(lambda y: y * x)(x * 1.0)))(X)
    with pytest.raises(InvalidValue, match="one array"):
        dn.grad(lambda x: checkpoint(lambda y: (y, y))(x)[0])(1.0)
    with pytest.raises(InvalidValue, match="returned None; expected one array"):
        dn.grad(checkpoint(lambda y: None))(1.0)
    with pytest.raises(InvalidType, match="checkpoint: f is a int"):
        checkpoint(3)


# ── rules that use their own function, and what they are given ───────────────────────────────────

MATRIX = np.array([[1.2, 0.2, 0.4], [0.6, 1.8, 1.0], [1.2, 1.4, 2.6], [1.8, 2.0, 2.2]])


def linear_by_itself():
    """x ↦ A x, whose tangent is A x', by the function itself."""

    @custom_derivative
    def product(x):
        return np.einsum("ij,j->i", MATRIX, x)

    product.push_forward(lambda primals, tangents: product(tangents[0]))
    return product


def sine_by_itself():
    """sin, elementwise, whose tangent is sin(x + π/2) x'."""

    @custom_derivative
    def sine(x):
        return np.sin(x)

    sine.push_forward(lambda primals, tangents: sine(primals[0] + np.pi / 2) * tangents[0])
    return sine


HESSIANS = {
    "hessian": dn.hessian,
    "grad of grad": lambda f: dn.jacrev(dn.grad(f)),
    "grad of derivative": lambda f: dn.jacrev(dn.jacfwd(f)),
    "jit": lambda f: dn.jit(dn.hessian(f)),
}


@pytest.mark.parametrize("way", HESSIANS.values(), ids=HESSIANS)
def test_a_push_forward_that_calls_its_own_function(way):
    x, weights = np.array([0.3, -0.4, 0.9]), np.array([1.0, 2.0, 3.0, 4.0])
    product, sine = linear_by_itself(), sine_by_itself()
    f = lambda x: np.sum(weights * product(x) ** 3)  # noqa: E731
    np.testing.assert_allclose(dn.grad(f)(x), MATRIX.T @ (3 * weights * (MATRIX @ x) ** 2), rtol=1e-13)
    np.testing.assert_allclose(way(f)(x), MATRIX.T @ np.diag(6 * weights * (MATRIX @ x)) @ MATRIX, rtol=1e-13)
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(sine(x)))(x), np.cos(x), rtol=1e-13)
    np.testing.assert_allclose(way(lambda x: np.sum(sine(x)))(x), np.diag(-np.sin(x)), rtol=1e-12, atol=1e-15)


def test_two_push_forwards_that_call_each_other():
    @custom_derivative
    def twice(x):
        return 2.0 * x

    @custom_derivative
    def thrice(x):
        return 3.0 * x

    twice.push_forward(lambda primals, tangents: thrice(tangents[0]) * (2 / 3))
    thrice.push_forward(lambda primals, tangents: twice(tangents[0]) * (3 / 2))
    x = np.array([0.3, -0.4])
    np.testing.assert_allclose(dn.grad(lambda x: np.sum(twice(x) ** 2))(x), 8 * x, rtol=1e-14)


def test_a_push_forward_of_two_arguments_that_calls_its_own_function():
    @custom_derivative
    def product(x, y):
        return x * y

    product.push_forward(lambda p, t: product(t[0], p[1]) + product(p[0], t[1]))
    x, y = np.array([0.3, -0.4]), np.array([2.0, 5.0])
    by_x, by_y = dn.grad(lambda x, y: np.sum(product(x, y) ** 2), (0, 1))(x, y)
    np.testing.assert_allclose(by_x, 2 * x * y**2, rtol=1e-14)
    np.testing.assert_allclose(by_y, 2 * x**2 * y, rtol=1e-14)


def test_a_pull_back_cannot_change_what_it_is_given():
    """The sweep hands the same cotangent on to others."""

    @custom_derivative
    def square(x):
        return x**2

    def rule(g, y, x):
        g *= 2 * x
        return g

    square.pull_back(rule)
    with pytest.raises(ValueError, match="read-only"):
        dn.grad(lambda x: np.sum(x + square(x)))(np.ones(3))


@pytest.mark.parametrize("name", ["where", "sum", "getitem", "norm"])
def test_names_are_for_display_only(name):
    """∂/∂x of x⁻¹·[x > 0] + g(x) with g(x) = x² by a function of any name, and of a checkpoint of any name."""

    def square(x):
        return x**2

    square.__name__ = square.__qualname__ = name
    own = custom_derivative(square)
    own.pull_back(lambda g, y, x: 2 * x * g)
    x = np.array([0.0, 2.0])
    for g in (own, dn.checkpoint(square)):
        with np.errstate(all="ignore"):
            f = lambda x, g=g: np.sum(np.where(x > 0, 1 / x, 0.0) + g(np.where(x > 0, 1 / x, 1.0)))  # noqa: E731
            np.testing.assert_allclose(dn.grad(f)(x), [0.0, -1 / 4 - 2 / 8], rtol=1e-14)
            np.testing.assert_allclose(dn.grad(lambda x, g=g: np.sum(g(x) * np.inf))(x), [np.nan, np.inf])
        assert name.capitalize() in repr(g(dn.autograd.variable(x)).grad_fn)


# ── checkpoints ──────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_that_reads_what_has_changed_is_found_out():
    buffer, x = np.ones(3), np.array([0.1, 0.2, 0.3])

    def f(x):
        total = 0.0
        for i in range(4):
            buffer[:] = i
            total = total + np.sum(dn.checkpoint(lambda x: np.sin(buffer * x))(x))
        return total

    with pytest.raises(InvalidValue, match="gave another value when it was computed again"):
        dn.grad(f)(x)
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidValue, match="a random generator"):
        dn.grad(lambda x: np.sum(dn.checkpoint(lambda x: x * rng.random(3))(x)))(x)


@pytest.mark.parametrize("way", [dn.grad, lambda f: dn.jit(dn.grad(f)), lambda f: lambda x: dn.vjp(f, x)[1](1.0)])
def test_an_array_given_to_a_checkpoint_may_be_written_to(way):
    def f(x):
        buffer, total = np.zeros(3), 0.0
        for i in range(4):
            buffer[:] = i
            total = total + np.sum(dn.checkpoint(lambda x, b: x**2 * b)(x, buffer))
        return total

    x = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(way(f)(x), 12 * x, rtol=1e-14)


def test_an_array_given_to_a_rule_of_ones_own_may_be_written_to():
    @custom_derivative
    def product(x, b):
        return x * b

    product.pull_back(lambda g, y, x, b: (g * b, None))

    def f(x):
        buffer, total = np.zeros(3), 0.0
        for i in range(4):
            buffer[:] = i
            total = total + np.sum(product(x, buffer))
        return total

    np.testing.assert_allclose(dn.grad(f)(np.ones(3)), np.full(3, 6.0), rtol=1e-14)


def test_check_derivatives_holds_all_ways_against_each_other():
    check_derivatives(lambda d: {"u": d["a"] * d["b"], "v": np.exp(d["a"][0])}, {"a": X, "b": 2 * X}, 3, jit=True)
    check_derivatives(lambda x: np.abs(x) ** 2, np.zeros(2), 3, ways=WAYS[1:], jit=True)
    check_derivatives(lambda x: 3 * x, np.float32(0.5), 3)
    check_derivatives(lambda z: np.exp(1j * z), np.array([0.3 + 0.2j]), 3)


@pytest.mark.parametrize("way", ["nested", "mixed", "products", "recorded"])
def test_check_derivatives_finds_what_only_one_jet_gets_right(way):
    def square(x):
        return x * x if isinstance(x, dn.Jet) and x.order == 2 else 3 * x * x

    with pytest.raises(AssertionError, match="derivative 2 of square by "):
        check_derivatives(square, X, 2, ways=way)


def test_a_rule_holds_at_every_level():
    """Its value below another level has the derivatives of the rule, not those of the body."""

    @dn.custom_derivative
    def steep(x):
        return np.sign(x)

    @steep.derivative
    def _(x):
        return 3.0 + 0 * x

    product = lambda y: steep(y) * y  # noqa: E731
    for second in (dn.derivative(product, 2), dn.derivative(dn.grad(product)), dn.grad(dn.grad(product))):
        assert second(0.5) == 6.0
    assert dn.derivative(dn.derivative(product))(0.5) == 6.0
