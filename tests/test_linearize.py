"""dn.linearize: one evaluation, and the tangents of dn.jvp."""

import numpy as np
import pytest

import dualnum as dn

X, Z = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.2, 0.1])
V, W = np.array([0.1, -0.2, 0.3]), np.array([1.0, 0.0, 2.0])


def program(x, z):
    return np.sin(x) * z[0], {"a": np.sum(x**2 * z), "b": np.linalg.norm(x - z)}


CASES = {
    "containers": (program, (X, Z), (V, W)),
    "one": (lambda x: np.exp(x) * x[::-1], (X,), (V,)),
    "number": (lambda x: x * np.sin(x), (0.7,), (2.0,)),
    "complex": (lambda z: np.abs(z) ** 2 * np.exp(z), (X + 2j * Z,), (V - 1j * W,)),
    "single": (lambda x: np.tanh(x) @ x, (X.astype(np.float32),), (V.astype(np.float32),)),
    "ties": (lambda x: np.max(x) + np.sort(x)[0], (np.ones(3),), (V,)),
    "linalg": (lambda x: np.linalg.solve(np.diag(x) + 1.0, x), (X,), (V,)),
    "dict": (lambda p: p["x"] * p["y"], ({"x": X, "y": Z},), ({"x": V, "y": W},)),
    "empty": (lambda x: x * 2, (np.zeros((0, 2)),), (np.zeros((0, 2)),)),
    "constant": (lambda x: 3.0, (X,), (V,)),
}


def close(a, b):
    import optree

    for y, z in zip(optree.tree_leaves(a), optree.tree_leaves(b), strict=True):
        assert np.shape(y) == np.shape(z) and np.asarray(y).dtype == np.asarray(z).dtype
        np.testing.assert_allclose(y, z, rtol=1e-12 if np.asarray(y).dtype.itemsize > 4 else 1e-5)


@pytest.mark.parametrize("name", CASES)
def test_it_is_jvp(name):
    f, primals, tangents = CASES[name]
    value, tangent = dn.jvp(f, primals, tangents)
    y, push = dn.linearize(f, *primals)
    close(y, value)
    close(push(*tangents), tangent)


def test_f_runs_once():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x) * x

    _, push = dn.linearize(f, X)
    for v in np.eye(3):
        np.testing.assert_allclose(push(v), v * (np.cos(X) * X + np.sin(X)), rtol=1e-15)
    assert len(calls) == 1


def test_inside_and_outside_of_other_transforms():
    def slope(x):
        return np.sum(dn.linearize(lambda x: x**3, x)[1](V))

    np.testing.assert_allclose(slope(X), np.sum(3 * X**2 * V))
    for gradient in (dn.grad(slope), dn.jit(dn.grad(slope)), dn.jacfwd(slope)):
        np.testing.assert_allclose(gradient(X), 6 * X * V, rtol=1e-14)
    np.testing.assert_allclose(dn.jit(slope)(X), slope(X), rtol=1e-15)
    _, push = dn.linearize(dn.grad(lambda x: np.sum(np.exp(x) * x[0])), X)
    np.testing.assert_allclose(push(V), dn.hvp(lambda x: np.sum(np.exp(x) * x[0]))(X, V), rtol=1e-14)


def test_of_linear_maps_by_an_iteration():
    """Newton's steps by conjugate gradients with one linearization of the gradient."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=(4, 4))
    a = a @ a.T + np.eye(4)
    g, push = dn.linearize(dn.grad(lambda x: 0.5 * x @ (a @ x) - np.sum(x)), np.zeros(4))
    x, r = np.zeros(4), -g
    p = r
    for _ in range(4):
        step = r @ r / (p @ push(p))
        x, new = x + step * p, r - step * push(p)
        p, r = new + new @ new / (r @ r) * p, new
    np.testing.assert_allclose(a @ x, 1.0, rtol=1e-10)


def test_misuse_is_explained():
    with pytest.raises(dn.InvalidValue, match="no arguments"):
        dn.linearize(np.sin)
    with pytest.raises(dn.InvalidValue, match="2 tangents and 1 primals"):
        dn.linearize(np.sin, X)[1](X, X)
    with pytest.raises(dn.InvalidValue, match="shape"):
        dn.linearize(np.sin, X)[1](np.ones(2))
    with pytest.raises(dn.InvalidType, match="linearize"):
        dn.linearize(np.sin, "x")
