"""dn.vmap: functions written for one point, at many; JAX's semantics."""

import pickle

import numpy as np
import pytest

import dualnum as dn
from dualnum import vmap

rng = np.random.default_rng(2)
X, W, B = rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=(5, 2))


def layer(x, w):
    return np.tanh(w @ x)


def looped(f, *args):
    return np.stack([f(*each) for each in zip(*args, strict=True)])


PROGRAMS = {
    "elementwise": lambda x: np.sin(x) * x[0] + 1.5,
    "sum": lambda x: np.sum(x**2),
    "axis": lambda x: np.sum(np.outer(x, x), axis=0),
    "matmul": lambda x: W @ x,
    "dot": lambda x: x @ x,
    "einsum": lambda x: np.einsum("i,j,ij->", x, x, np.outer(x, x) + 1),
    "solve": lambda x: np.linalg.solve(np.outer(x, x) + 2 * np.eye(3), x),
    "det": lambda x: np.linalg.det(np.outer(x, x) + 2 * np.eye(3)),
    "eigh": lambda x: np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2.0, 3.0]))[0],
    "sort": lambda x: np.sort(x)[::-1],
    "max": lambda x: np.max(x) - np.argmax(x),
    "branch": lambda x: x[0] * 2 if x[0] > 0 else x[1] ** 2,
    "where": lambda x: np.where(x > 0, x, x**2),
    "shapes": lambda x: np.concatenate([x[1:], x[:1]])[None, :].T.reshape(3),
    "stack": lambda x: np.stack([x, 2 * x], axis=1).ravel(),
    "indices": lambda x: x[np.array([2, 0])] + x[-1],
    "cumulative": lambda x: np.cumsum(x) * np.cumprod(x),
    "buffer": lambda x: _filled(x),
    "while": lambda x: _halved(x),
    "norm": lambda x: x / np.linalg.norm(x),
    "mean": lambda x: np.mean(x) + np.var(x) + np.std(x),
    "constant": lambda x: 3.0,
    "softmax": dn.special.softmax,
    "interp": lambda x: np.interp(x, [0.0, 1.0, 2.0], [1.0, 3.0, -2.0]),
    "methods": lambda x: x.reshape(3, 1).T.sum(axis=0) * x.mean() + x.max() - x.clip(0, 1).prod(),
    "meshed": lambda x: np.meshgrid(x, x)[0] + np.broadcast_to(x, (3, 3)),
    "trace": lambda x: np.trace(np.outer(x, x)) * np.diag(x),
    "inverse": lambda x: np.linalg.inv(np.outer(x, x) + np.eye(3)) @ x,
    "median": lambda x: np.median(x) + np.ptp(x),
    "fft": lambda x: np.abs(np.fft.fft(x)) ** 2,
    "gradient": lambda x: dn.grad(lambda y: np.sum(y**3) * y[0])(x),
    "hessian": lambda x: dn.hessian(lambda y: np.sum(y**3) * y[0])(x),
    "taylor": lambda x: dn.taylor(lambda y: np.exp(y) * np.sum(y), 3)(x),
    "jacobian": lambda x: dn.jacobian(lambda y: np.tanh(W @ y))(x),
    "jit": lambda x: dn.jit(lambda y: np.sin(y) * y)(x),
    "expm": lambda x: dn.linalg.expm(np.outer(x, x) * 0.1),
}


def _filled(x):
    y = np.zeros_like(x)
    for i in range(3):
        y[i] = x[i] ** i
    return y


def _halved(x):
    while np.sum(x**2) > 1:
        x = x / 2
    return x


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_the_function_at_every_point(name):
    f = PROGRAMS[name]
    y = vmap(f)(X)
    expected = looped(f, X)
    assert np.shape(y) == expected.shape and y.dtype == expected.dtype
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - {"constant"}))
def test_its_derivatives_are_those_of_the_points(name):
    f = PROGRAMS[name]
    v = rng.normal(size=X.shape)
    expected = looped(lambda x, v: dn.jvp(f, (x,), (v,))[1], X, v)
    np.testing.assert_allclose(dn.jvp(vmap(f), (X,), (v,))[1], expected, rtol=1e-11, atol=1e-12)
    u = rng.normal(size=expected.shape)
    pulled = looped(lambda x, u: dn.vjp(f, x)[1](u[()]), X, u)
    np.testing.assert_allclose(dn.vjp(vmap(f), X)[1](u), pulled, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["elementwise", "matmul", "solve", "branch", "gradient", "hessian", "shapes"])
def test_inside_of_jit(name):
    f = vmap(PROGRAMS[name])
    np.testing.assert_allclose(dn.jit(f)(X), f(X), rtol=1e-13, atol=1e-14)
    slope = dn.grad(lambda x: np.sum(f(x) ** 2))
    np.testing.assert_allclose(dn.jit(slope)(X), slope(X), rtol=1e-12, atol=1e-13)


def test_axes():
    np.testing.assert_allclose(vmap(layer, (0, None))(X, W), np.tanh(X @ W.T))
    np.testing.assert_allclose(vmap(layer, (1, None))(X.T, W), np.tanh(X @ W.T))
    np.testing.assert_allclose(vmap(layer, (-1, None), out_axes=1)(X.T, W), np.tanh(X @ W.T).T)
    np.testing.assert_allclose(vmap(layer, (0, None), out_axes=-1)(X, W), np.tanh(X @ W.T).T)
    np.testing.assert_allclose(vmap(lambda x, b: x[:2] * b)(X, B), X[:, :2] * B)
    assert vmap(lambda x, k: x * k, (0, None))(X, 2.0).shape == X.shape
    np.testing.assert_array_equal(vmap(lambda x, *, b: x[0] * b[0])(X, b=B), X[:, 0] * B[:, 0])


def test_containers():
    f = lambda p, x: {"y": p["a"] * x, "z": (p["b"], x[0])}  # noqa: E731
    got = vmap(f, ({"a": 0, "b": None}, 0))({"a": B[:, 0], "b": 7.0}, X)
    np.testing.assert_allclose(got["y"], B[:, :1] * X)
    np.testing.assert_array_equal(got["z"][0], 7.0)
    assert got["z"][0].shape == (5,)
    got = vmap(f, ({"a": 0, "b": None}, 0), out_axes={"y": 1, "z": (None, 0)})({"a": B[:, 0], "b": 7.0}, X)
    assert got["y"].shape == (3, 5) and got["z"][0] == 7.0
    tupled = vmap(lambda ab: ab[0] + ab[1], in_axes=((0, 1),))((X, X.T))
    np.testing.assert_allclose(tupled, 2 * X)


def test_nested():
    outer = vmap(vmap(np.multiply, (None, 0)), (0, None))
    np.testing.assert_array_equal(outer(np.arange(3.0), np.arange(2.0)), np.outer(np.arange(3.0), np.arange(2.0)))
    kernel = lambda x, y: np.exp(-np.sum((x - y) ** 2))  # noqa: E731
    gram = vmap(vmap(kernel, (None, 0)), (0, None))
    np.testing.assert_allclose(gram(X, X), np.exp(-np.sum((X[:, None] - X) ** 2, axis=-1)), rtol=1e-14)
    mixed = vmap(vmap(dn.grad(kernel), (None, 0)), (0, None))(X, X)
    np.testing.assert_allclose(mixed, -2 * (X[:, None] - X) * gram(X, X)[..., None], rtol=1e-13)


def test_by_parameters_shared_by_all_points():
    loss = lambda w: np.sum(vmap(layer, (0, None))(X, w) ** 2)  # noqa: E731
    plain = lambda w: np.sum(np.tanh(X @ w.T) ** 2)  # noqa: E731
    np.testing.assert_allclose(dn.grad(loss)(W), dn.grad(plain)(W), rtol=1e-13)
    np.testing.assert_allclose(dn.hessian(loss)(W), dn.hessian(plain)(W), rtol=1e-12, atol=1e-13)
    each = vmap(dn.grad(lambda w, x: np.sum(layer(x, w) ** 2)), (None, 0))(W, X)
    np.testing.assert_allclose(np.sum(each, axis=0), dn.grad(plain)(W), rtol=1e-13)
    closed = dn.grad(lambda w: np.sum(vmap(lambda x: w @ x)(X) ** 2))(W)  # what f holds
    np.testing.assert_allclose(closed, 2 * W @ X.T @ X, rtol=1e-13)


def test_types_and_operands():
    assert vmap(np.sin)(X.astype(np.float32)).dtype == np.float32
    z = vmap(lambda z: z * np.conj(z[0]))(X + 1j)
    np.testing.assert_allclose(z, (X + 1j) * (X[:, :1] - 1j))
    y = vmap(lambda x: np.sin(x) * x[0])(dn.jet(X, 2))
    np.testing.assert_allclose(y.derivative(2), dn.derivative(lambda x: np.sin(x) * x[:, :1], 2)(X), rtol=1e-13)
    assert pickle.loads(pickle.dumps(vmap(np.sin, 1)))(X).shape == (3, 5)
    assert vmap(np.sin).__name__ == "vmap(sin)"


TIES = np.array([[0.0, 0, 0], [1, 1, 1], [0, 2, 2], [-1, 0, 1], [2, 2, -2]])
SPECIAL = {
    "abs": lambda x: np.sum(np.abs(x) * x),
    "norm": lambda x: np.linalg.norm(x) ** 4,
    "max": np.max,
    "sort": lambda x: np.sum(np.sort(x) * np.arange(3.0)),
    "prod": np.prod,
    "cumprod": lambda x: np.sum(np.cumprod(x)),
    "power": lambda x: np.sum(x**2.0) + np.sum(x**3),
    "hypot": lambda x: np.hypot(x[0], x[1]) ** 2,
    "std": np.std,
    "maximum": lambda x: np.sum(np.maximum(x, x[::-1]) ** 2),
    "sqrt": lambda x: np.sqrt(np.sum(x**2)),
    "xlogy": lambda x: np.sum(dn.special.xlogy(x**2, x**2)),
    "sinc": lambda x: np.sum(np.sinc(x)),
    "arctan2": lambda x: np.arctan2(x[0], x[1]),
    "logsumexp": dn.special.logsumexp,
    "det": lambda x: np.linalg.det(np.diag(x)),
    "clip": lambda x: np.sum(np.clip(x, 0, 1)),
    "density": lambda x: np.sum(dn.stats.gamma.pdf(x, 2.0)),
}


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize(
    "transform",
    [dn.grad, dn.hessian, lambda f: dn.jacrev(dn.grad(f)), lambda f: dn.taylor(f, 3)],
    ids=["grad", "hessian", "reverse twice", "taylor"],
)
@pytest.mark.filterwarnings("ignore")
def test_points_with_ties_and_zeros_have_their_own_derivatives(name, transform):
    f = transform(SPECIAL[name])
    np.testing.assert_allclose(vmap(f)(TIES), looped(f, TIES), rtol=1e-12, atol=1e-13)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SPECIAL)
def test_a_gradient_of_many_points_with_ties_and_zeros(name):
    f = SPECIAL[name]
    gradient = dn.grad(lambda x: np.sum(vmap(f)(x)))(TIES)
    np.testing.assert_allclose(gradient, looped(dn.grad(f), TIES), rtol=1e-12, atol=1e-13)


def test_constants_and_rules_of_ones_own_hold_at_every_point():
    f = vmap(lambda x: x * dn.stop_gradient(x))
    np.testing.assert_array_equal(dn.grad(lambda x: np.sum(f(x)))(X), X)
    np.testing.assert_array_equal(dn.jvp(f, (X,), (np.ones_like(X),))[1], X)
    inner = vmap(dn.grad(lambda x: np.sum(x * dn.stop_gradient(x) ** 2)))
    np.testing.assert_allclose(inner(X), X**2)

    @dn.custom_derivative
    def rounded(x):
        return np.round(x)

    @rounded.push_forward
    def _(primals, tangents):
        return tangents[0]

    @dn.custom_derivative
    def steep(x):
        return np.sign(x)

    @steep.derivative
    def _(x):
        return 3.0 + 0 * x

    for f, slope in ((rounded, 1.0), (steep, 3.0)):
        np.testing.assert_array_equal(vmap(f)(X), f(X))
        for gradient in (dn.grad(lambda x: np.sum(vmap(f)(x))), vmap(dn.grad(lambda x: np.sum(f(x))))):  # noqa: B023
            np.testing.assert_array_equal(gradient(X), slope)


def test_f_runs_once_where_it_can():
    calls = []

    def f(x):
        calls.append(x)
        return np.sum(np.tanh(np.outer(x, x) @ x)) + np.linalg.norm(x)

    vmap(dn.grad(f))(X)
    assert len(calls) == 1
    with pytest.raises(dn.LevelError):  # it lives inside
        calls[0] + 1.0
    vmap(lambda x: f(x) if x[0] > 0 else 0.0)(X)
    assert len(calls) == 1 + np.sum(X[:, 0] > 0)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: vmap(3), "expected a function"),
        (lambda: vmap(np.add)(X, B[:2]), "have 2, 5 points"),
        (lambda: vmap(np.add, (0,))(X, X), "in_axes has 1 entries"),
        (lambda: vmap(np.sin, None)(X), "no argument is mapped"),
        (lambda: vmap(np.sin, 2)(X), "in_axes has 2"),
        (lambda: vmap(np.sin, "x")(X), "expected an integer"),
        (lambda: vmap(np.sin, 1.5)(X), "expected an integer"),
        (lambda: vmap(np.sin)(1.0), "has no axes"),
        (lambda: vmap(np.sin)(np.zeros((0, 2))), "no points"),
        (lambda: vmap(np.sin, ({"a": 0},))({"b": X}), "does not fit"),
        (lambda: vmap(np.sin, out_axes=3)(X), "out_axes has 3"),
        (lambda: vmap(lambda x: x if x[0] > 0 else (x,))(X), "another structure"),
        (lambda: vmap(lambda x: x if x[0] > 0 else x[:1])(X), "other shapes"),
    ],
)
def test_misuse_is_explained(call, words):
    with pytest.raises(dn.DualnumError, match=words):
        call()
