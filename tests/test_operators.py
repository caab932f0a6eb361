"""Differential operators at one point and at many: closed forms, networks, each way against the others."""

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn
from dualnum.transforms import laplacians

RNG = np.random.default_rng(11)


def network(n: int, outputs: int | None = None) -> Any:
    w1, w2, w3 = RNG.normal(size=(n, 8)) / np.sqrt(n), RNG.normal(size=(8, 8)) / 3, RNG.normal(size=(8, outputs or 1))

    def net(z: Any) -> Any:
        y = np.tanh(np.tanh(z @ w1 + 0.1) @ w2) @ w3
        return y if outputs else y[..., 0]

    return net


# ── point by point ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", [1, 2, 3, 7, 70])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_the_laplacian_of_a_network_is_the_trace_of_its_hessian(n, shape):
    net, x = network(n), RNG.normal(size=(*shape, n))
    got = dn.laplacian(net, axis=-1)(x)
    assert np.shape(got) == shape
    for index in np.ndindex(*shape):
        np.testing.assert_allclose(np.asarray(got)[index], np.trace(dn.hessian(net)(x[index])), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_the_biharmonic_operator_is_the_laplacian_of_the_laplacian(n):
    net, x = network(n), RNG.normal(size=(3, n))
    got = dn.biharmonic(net, axis=-1)(x)
    expected = [dn.laplacian(dn.laplacian(net))(p) for p in x]
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11)


def test_axes_in_front_several_axes_and_several_outputs():
    f = lambda x: np.sum(np.sin(x) * x[::-1], axis=0)  # noqa: E731
    x = RNG.normal(size=(3, 5))
    rows = lambda z: f(np.moveaxis(z, -1, 0))  # noqa: E731
    np.testing.assert_allclose(dn.laplacian(f, axis=0)(x), dn.laplacian(rows, axis=-1)(x.T), rtol=1e-13)
    pairs = lambda z: np.sum(z**3, axis=(1, 2)) * z[:, 0, 0]  # noqa: E731
    z = RNG.normal(size=(4, 2, 3))
    flat = lambda y: pairs(y.reshape(-1, 2, 3))  # noqa: E731
    np.testing.assert_allclose(dn.laplacian(pairs, axis=(1, 2))(z), dn.laplacian(flat, axis=1)(z.reshape(4, 6)))
    net = network(2, 3)
    y = dn.laplacian(net, axis=-1)(x[:2].T)
    assert y.shape == (5, 3)
    for k in range(3):
        np.testing.assert_allclose(y[:, k], dn.laplacian(lambda z, k=k: net(z)[..., k], axis=-1)(x[:2].T), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_radial_functions(n):
    """∆ r^p = p (p + n − 2) r^{p−2}, ∆² r^p = p (p−2) (p+n−2) (p+n−4) r^{p−4}."""
    x = RNG.uniform(0.5, 1.5, (6, n))
    r = np.linalg.norm(x, axis=-1)
    for p in (1.0, 3.0, -0.5, 4.0):
        f = lambda z, p=p: np.sum(z * z, axis=-1) ** (p / 2)  # noqa: E731
        np.testing.assert_allclose(dn.laplacian(f, axis=-1)(x), p * (p + n - 2) * r ** (p - 2), rtol=1e-12)
        factor = p * (p - 2) * (p + n - 2) * (p + n - 4)
        np.testing.assert_allclose(dn.biharmonic(f, axis=-1)(x), factor * r ** (p - 4), rtol=1e-10, atol=1e-10)


def test_plane_waves_and_gaussians_in_many_dimensions():
    for n in (3, 40, 150):
        a, x = RNG.normal(size=n) / np.sqrt(n), RNG.normal(size=(2, n))
        wave = lambda z, a=a: np.exp(z @ a)  # noqa: E731
        np.testing.assert_allclose(dn.laplacian(wave, axis=-1)(x), a @ a * np.exp(x @ a), rtol=1e-11)
        bell = lambda z: np.exp(-np.sum(z * z, axis=-1) / 2)  # noqa: E731
        squared = np.sum(x * x, axis=-1)
        np.testing.assert_allclose(dn.laplacian(bell, axis=-1)(x), (squared - n) * np.exp(-squared / 2), rtol=1e-10)
    a, x = a[:20], x[:, :20]
    np.testing.assert_allclose(
        dn.biharmonic(lambda z: np.exp(z @ a), axis=-1)(x), (a @ a) ** 2 * np.exp(x @ a), rtol=1e-9
    )


def test_types_constants_and_empty_points():
    net = network(3)
    assert dn.laplacian(lambda z: np.sum(z**2, axis=-1), axis=-1)(np.ones((2, 3), np.float32)).dtype == np.float32
    assert dn.laplacian(lambda z: np.zeros(2), axis=-1)(np.ones((2, 3))).shape == (2,)
    assert dn.laplacian(net, axis=-1)(np.ones((0, 3))).shape == (0,)
    assert dn.laplacian(lambda z: np.sum(z, axis=-1), axis=-1)(np.ones((2, 0))).shape == (2,)
    assert dn.biharmonic(lambda z: np.sum(z, axis=-1), axis=-1)(np.ones((2, 0))).shape == (2,)
    assert dn.laplacian(lambda z: np.sum(z**2, axis=-1), axis=-1)([[1, 2], [3, 4]]).tolist() == [4.0, 4.0]


def test_blocks_of_variables_give_the_same(monkeypatch):
    net, x = network(7), RNG.normal(size=(3, 7))
    whole, fourth = dn.laplacian(net, axis=-1)(x), dn.biharmonic(net, axis=-1)(x)
    monkeypatch.setattr(laplacians, "_WIDEST", 3)
    monkeypatch.setattr(laplacians, "_BLOCK", 2)
    np.testing.assert_allclose(dn.laplacian(net, axis=-1)(x), whole, rtol=1e-12)
    np.testing.assert_allclose(dn.biharmonic(net, axis=-1)(x), fourth, rtol=1e-11)


# ── under other transforms ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("axis", [-1, None])
def test_weights_of_a_network_by_the_residual(axis):
    """The gradient of (∆u + u)² by the weights: reverse over the operator, against forward mode, and compiled."""
    x, w, v = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 5)), RNG.normal(size=5)

    def loss(w: Any, v: Any) -> Any:
        u = lambda z: np.tanh(z @ w + 0.2) @ v  # noqa: E731
        if axis is None:
            return np.sum(np.stack([dn.laplacian(u)(p) + u(p) for p in x]) ** 2)
        return np.sum((dn.laplacian(u, axis=-1)(x) + u(x)) ** 2)

    gradient = dn.grad(loss, (0, 1))
    for got, expected in zip(gradient(w, v), dn.jacfwd(loss, (0, 1))(w, v), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    for got, expected in zip(dn.jit(gradient)(w, v), gradient(w, v), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_nested_with_other_transforms():
    net, x = network(3), RNG.normal(size=3)
    third = dn.grad(dn.laplacian(net))(x)
    np.testing.assert_allclose(dn.laplacian(dn.grad(net), axis=-1)(x), third, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dn.jacfwd(dn.laplacian(net))(x), third, rtol=1e-10, atol=1e-12)
    along = dn.jet(x, 1, direction=x)
    np.testing.assert_allclose(dn.laplacian(net, axis=-1)(along).derivative(), third @ x, rtol=1e-10)
    np.testing.assert_allclose(dn.jit(dn.laplacian(net, axis=-1))(x), dn.laplacian(net)(x), rtol=1e-12)
    twice = dn.laplacian(dn.laplacian(net, axis=-1), axis=-1)(x)
    np.testing.assert_allclose(twice, dn.biharmonic(net)(x), rtol=1e-10)


# ── vector fields ────────────────────────────────────────────────────────────────────────────────


def test_divergence_curl_and_trace():
    """div curl = 0, curl grad = 0, div grad = ∆, and the trace of the Jacobian."""
    net, field = network(3), network(3, 3)
    x = RNG.normal(size=(5, 3))
    gradient = lambda z: np.stack([dn.partial(net, m, axis=-1)(z) for m in np.eye(3, dtype=int)], axis=-1)  # noqa: E731
    np.testing.assert_allclose(dn.divergence(dn.curl(field))(x), np.zeros(5), atol=1e-12)
    np.testing.assert_allclose(dn.curl(gradient)(x), np.zeros((5, 3)), atol=1e-12)
    np.testing.assert_allclose(dn.divergence(gradient)(x), dn.laplacian(net, axis=-1)(x), rtol=1e-11)
    for p, d, c in zip(x, dn.divergence(field)(x), dn.curl(field)(x), strict=True):
        jacobian = dn.jacobian(field)(p)
        np.testing.assert_allclose(d, np.trace(jacobian), rtol=1e-12)
        expected = [jacobian[2, 1] - jacobian[1, 2], jacobian[0, 2] - jacobian[2, 0], jacobian[1, 0] - jacobian[0, 1]]
        np.testing.assert_allclose(c, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(dn.jacobian_trace(np.sin)(x), np.sum(np.cos(x)), rtol=1e-13)
    z = x[:2].T
    flipped = dn.divergence(lambda z: z[::-1] ** 2 * z, axis=0)(z)
    np.testing.assert_allclose(flipped, np.sum(z**2, axis=0) + 2 * z[1] ** 2, rtol=1e-13)


# ── operators as they are written ────────────────────────────────────────────────────────────────


def test_operators_of_arguments_and_of_points():
    f = lambda x, y: np.sin(x) * np.exp(2 * y)  # noqa: E731
    x, y = np.linspace(0.1, 1.0, 4), np.array([[0.3], [0.5]])
    np.testing.assert_allclose(dn.operator("xx + yy")(f)(x, y), 3 * f(x, y), rtol=1e-13)
    points = np.stack(np.broadcast_arrays(x, y), axis=-1)
    on_points = dn.operator("xx + yy", axis=-1)(lambda z: f(z[..., 0], z[..., 1]))
    np.testing.assert_allclose(on_points(points), 3 * f(x, y), rtol=1e-13)
    heat = dn.operator("t - 0.5*xx")(lambda x, t: np.exp(-t / 2) * np.sin(x))
    np.testing.assert_allclose(heat(x, 0.7), np.zeros(4), atol=1e-15)
    g = lambda x, t: x**3 * t**2  # noqa: E731
    got = dn.operator("x*xt - 3*t + sin(x)*u")
    np.testing.assert_allclose(got(g)(2.0, 3.0), 2 * 72.0 - 3 * 48.0 + np.sin(2.0) * 72.0, rtol=1e-14)
    euler = dn.operator("x*x*xx + 2*x*y*xy + y*y*yy")  # of functions of degree p: p (p − 1) f
    np.testing.assert_allclose(euler(lambda x, y: x**3 * y**2)(x, y), 20 * x**3 * y**2, rtol=1e-12)
    swapped = dn.operator("x - 2*t", variables="tx")(lambda t, x: t * x**2)
    np.testing.assert_allclose(swapped(2.0, 3.0), 12.0 - 18.0)
    later = dn.operator("xx", argnums=(1,))(lambda a, x: a * x**3)
    np.testing.assert_allclose(later(2.0, 5.0), 60.0)
    third = dn.operator("1/3*xxx + 1/2*u")
    np.testing.assert_allclose(third(lambda x: x**3)(2.0), 2.0 + 4.0)


def test_the_fourth_order_against_mpmath():
    f = lambda x, y: np.exp(x * y) / (1 + x * x)  # noqa: E731
    g = lambda x, y: mpmath.exp(x * y) / (1 + x * x)  # noqa: E731
    with mpmath.workdps(60):
        point = (mpmath.mpf(0.4), mpmath.mpf(0.9))
        parts = {m: mpmath.diff(g, point, m) for m in ((4, 0), (2, 2), (0, 4))}
        expected = float(parts[4, 0] + 2 * parts[2, 2] + parts[0, 4])
    got = dn.operator("xxxx + 2*xxyy + yyyy")(f)(0.4, 0.9)
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    np.testing.assert_allclose(dn.biharmonic(lambda z: f(z[0], z[1]))(np.array([0.4, 0.9])), expected, rtol=1e-13)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.text("xyz", min_size=1, max_size=4)), min_size=1, max_size=4))
def test_random_operators_on_polynomials(terms):
    """Σ c ∂^m of a polynomial with whole coefficients is exact."""
    text = " + ".join(f"{c}*{word}" for c, word in terms)
    f = lambda x, y, z: (1 + x + 2 * y - z) ** 4  # noqa: E731
    got = dn.operator(text, variables="xyz")(f)(1.0, 2.0, -1.0)
    base, falling = 1 + 1 + 4 + 1, (1, 4, 12, 24, 24)
    weights = {"x": 1, "y": 2, "z": -1}
    expected = sum(c * falling[len(w)] * base ** (4 - len(w)) * np.prod([weights[v] for v in w]) for c, w in terms)
    assert got == expected


def test_the_plan_tells_what_it_costs():
    plan = dn.operator("xx + 2*xy + yy").plan
    assert "apolar algebra    3 planes    6 products  (chosen)" in plan
    assert "total degree      6 planes   15 products" in plan


# ── random directions ────────────────────────────────────────────────────────────────────────────


def test_estimates_are_unbiased_and_their_errors_are_right():
    n, points = 30, 200
    net, x = network(n), RNG.normal(size=(points, n))
    for operator, samples in ((dn.laplacian, 60), (dn.biharmonic, 400)):
        exact = operator(net, axis=-1)(x) if operator is dn.laplacian else None
        value, error = operator(net, axis=-1, samples=samples, rng=3)(x)
        assert value.shape == error.shape == (points,)
        if exact is None:
            few = RNG.integers(points, size=3)
            exact, value, error = dn.biharmonic(net, axis=-1)(x[few]), value[few], error[few]
            assert np.all(np.abs(value - exact) < 5 * error)
        else:
            pulls = (value - exact) / error
            assert abs(np.mean(pulls)) < 4 / np.sqrt(points)
            assert 0.7 < np.std(pulls) < 1.4
    again = dn.laplacian(net, axis=-1, samples=60, rng=3)(x)
    np.testing.assert_array_equal(again.value, dn.laplacian(net, axis=-1, samples=60, rng=3)(x).value)
    assert dn.laplacian(lambda z: np.sum(z**2), samples=5)(np.ones(4)) == (8.0, 0.0)


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("call", "kind", "words"), [
    (lambda: dn.operator("xx + qq"), ValueError, "q is no variable"),
    (lambda: dn.operator("x*3"), ValueError, "ends with a derivative"),
    (lambda: dn.operator("xx + "), ValueError, r"xx \+\n +\^"),
    (lambda: dn.operator("xx^2"), ValueError, "a power is written with"),
    (lambda: dn.operator(3), TypeError, "expected such as"),
    (lambda: dn.operator("xx + yy")(np.sin)(1.0), ValueError, "1 arguments; expected one for each of x, y"),
    (lambda: dn.operator("xx", axis=-1)(np.sum)(np.ones(3)), ValueError, "3 entries along axis -1; expected 1, x"),
    (lambda: dn.laplacian(np.sum, axis=2)(np.ones(3)), dn.InvalidAxis, "laplacian: axis 2"),
    (lambda: dn.laplacian(np.sum, samples=1)(np.ones(3)), ValueError, "expected 2 or more"),
    (lambda: dn.laplacian(np.sum, samples=2.5)(np.ones(3)), TypeError, "expected an integer"),
    (lambda: dn.laplacian(np.sum)(np.ones(3) * 1j), TypeError, "complex"),
    (lambda: dn.laplacian(lambda x: 3 > 2)(np.ones(3)), TypeError, "truth value"),
    (lambda: dn.biharmonic(np.sum, argnums=(0, 1))(np.ones(3), 1.0), ValueError, "expected one index"),
    (lambda: dn.curl(np.sin)(np.ones((2, 4))), ValueError, "4 entries along axis -1; expected 2 or 3"),
    (lambda: dn.divergence(np.sum)(np.ones((2, 3))), ValueError, "expected the same, one component"),
])  # fmt: skip
def test_bad_input_is_told(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert isinstance(caught.value, dn.DualnumError)
