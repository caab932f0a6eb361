"""The reverse transforms: adjoint to the forward ones for every row and every array function, in every nesting."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.special
from array_function_calls import CALLS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

import dualnum as dn
from dualnum.errors import DualnumError, InvalidType, InvalidValue, LevelError, NotDifferentiable
from dualnum.operand import Operand
from dualnum.primitives import rows

ROWS = [row for row in rows() if row.rule is not None]


def random(*names: Any) -> np.random.Generator:
    """Random numbers that are the same in every run, and others for every name."""
    return np.random.default_rng([ord(c) for c in "".join(map(str, names))])


def arguments_of(row: Any) -> tuple[list[Any], list[int]]:
    """Generic arguments that broadcast against each other, and the places of those that may vary."""
    rng = random(row.name)
    shapes = [(3, 1, 4), (2, 1), (3, 2, 4), (4,), (1, 1, 4)]
    points, varying = [], []
    for i, (low, high) in enumerate(row.sample if len(row.sample) == row.ufunc.nin else [*row.sample] * row.ufunc.nin):
        if isinstance(low, int):
            points.append(rng.integers(low, high + 1, shapes[i]))
        else:
            points.append(rng.uniform(low, high, shapes[i] if row.ufunc.nin > 1 else (3, 4)))
            varying.append(i)
    return points, [i for i in varying if has_derivative(row, points, i)]


def has_derivative(row: Any, points: list[Any], i: int) -> bool:
    """Whether there is a rule for the argument i: not for the order of a Bessel function."""
    try:
        dn.derivative(on_varying(row, points, [i]))(points[i])
    except (NotDifferentiable, IndexError):
        return False
    return True


def real_parts(y: Any) -> list[Any]:
    """The arrays of a result that carry derivatives."""
    return [part for part in (y if isinstance(y, (tuple, list)) else [y]) if part.dtype.kind in "fc"]


def pairing(a: Any, b: Any) -> tuple[float, float]:
    """Re Σ a·b, and the sum of the sizes of its terms."""
    terms = [np.real(np.asarray(x) * np.asarray(y)).ravel() for x, y in zip(a, b, strict=True)]
    terms = np.concatenate(terms) if terms else np.zeros(1)
    return float(np.sum(terms)), float(np.sum(np.abs(terms))) + 1e-300


def assert_adjoint(f: Any, xs: list[Any], rng: Any, tolerance: float = 1e-13) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩."""
    vs = [rng.normal(size=np.shape(x)) for x in xs]
    value, push = dn.jvp(lambda *a: tuple(real_parts(f(*a))), tuple(xs), tuple(vs))
    value_, pull = dn.vjp(lambda *a: tuple(real_parts(f(*a))), *xs)
    for a, b in zip(value, value_, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-15)  # a kernel's sine may be another library's
    us = tuple(
        (rng.normal(size=np.shape(y)) + (1j * rng.normal(size=np.shape(y)) if np.iscomplexobj(y) else 0)).astype(
            y.dtype
        )
        for y in map(np.asarray, value)
    )
    pulled = pull(us)
    pulled = [pulled] if len(xs) == 1 else list(pulled)
    for p, x in zip(pulled, xs, strict=True):
        assert p.shape == np.shape(x) and p.dtype == np.asarray(x).dtype
    left, size = pairing(us, push)
    right, size_ = pairing(pulled, vs)
    assert abs(left - right) <= tolerance * max(size, size_), (left, right)


each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def on_varying(row: Any, points: list[Any], varying: list[int]) -> Any:
    """The primitive as a function of the arguments that vary."""

    def f(*xs: Any) -> Any:
        filled = list(points)
        for i, x in zip(varying, xs, strict=True):
            filled[i] = x
        operand = next((x for x in filled if isinstance(x, Operand)), None)
        if operand is None:
            return row.ufunc(*filled)
        return operand.__array_ufunc__(row.ufunc, "__call__", *filled)  # not every primitive is a ufunc

    return f


@each_row
def test_push_forward_and_pull_back_of_a_row_are_adjoint(row):
    points, varying = arguments_of(row)
    assert_adjoint(on_varying(row, points, varying), [points[i] for i in varying], random(row.name, "adjoint"))


@each_row
def test_pull_back_of_a_row_in_jets_is_the_series_of_the_pull_back(row):
    points, varying = arguments_of(row)
    f = on_varying(row, points, varying)
    xs = [points[i] for i in varying]
    rng = random(row.name, "nested")
    vs = [rng.normal(size=np.shape(x)) for x in xs]
    outcome = real_parts(f(*xs))
    us = [rng.normal(size=np.shape(y)) for y in outcome]

    def pulled(*xs: Any) -> Any:
        return dn.vjp(lambda *a: tuple(real_parts(f(*a))), *xs)[1](tuple(us))

    def pushed(*xs: Any) -> Any:
        ys = dn.jvp(lambda *a: tuple(real_parts(f(*a))), tuple(xs), tuple(vs))[1]
        return sum(np.sum(np.real(u * y)) for u, y in zip(us, ys, strict=True))

    def total(y: Any) -> Any:
        y = [y] if len(xs) == 1 else y
        return sum(np.sum(v * part) for v, part in zip(vs, y, strict=True))

    # d/dt ⟨u, f'(x + tv) v⟩ twice: forward over reverse, and forward over forward
    for order in (1, 2):
        mixed = dn.directional(lambda *a: total(pulled(*a)), order, argnums=tuple(range(len(xs))))(*xs, tuple(vs))
        direct = dn.directional(pushed, order, argnums=tuple(range(len(xs))))(*xs, tuple(vs))
        np.testing.assert_allclose(mixed, direct, rtol=1e-10, atol=1e-11)
    # the gradient of ⟨u, f'(x) v⟩: reverse over forward, and reverse over reverse
    over_forward = dn.grad(pushed, tuple(range(len(xs))))(*xs)
    over_reverse = dn.grad(lambda *a: total(pulled(*a)), tuple(range(len(xs))))(*xs)
    for a, b in zip(over_forward, over_reverse, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)


# ── array functions ──────────────────────────────────────────────────────────────────────────────

MATRIX = np.random.default_rng(7).permutation(np.linspace(0.31, 1.93, 12)).reshape(3, 4)
CASES = [(name, i, call) for name, calls in CALLS.items() for i, call in enumerate(calls)]


@pytest.mark.parametrize("name, i, call", CASES, ids=[f"{name}-{i}" for name, i, _ in CASES])
def test_push_forward_and_pull_back_of_an_array_function_are_adjoint(name, i, call):
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        try:
            jets = call(dn.jet(MATRIX, 1))
        except DualnumError:
            with pytest.raises(DualnumError):
                dn.vjp(call, MATRIX)
            return
        if not any(isinstance(y, dn.Jet) for y in flat(jets)):
            return  # a shape, an order, a decision
        rng = random(name, i)
        assert_adjoint(lambda x: [np.nan_to_num(y) for y in flat(call(x)) if hasattr(y, "dtype")], [MATRIX], rng, 1e-12)


def flat(y: Any) -> list[Any]:
    if isinstance(y, (tuple, list)):
        return [leaf for item in y for leaf in flat(item)]
    return [y]


@st.composite
def reductions(draw: Any) -> Any:
    """Two arrays that broadcast, and the axes and keepdims of a reduction of their result."""
    shapes = draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3))
    ndim = len(shapes.result_shape)
    axes = [None, *range(-ndim, ndim)] + [tuple(range(k)) for k in range(1, ndim + 1)]
    return shapes.input_shapes, draw(st.sampled_from(axes)), draw(st.booleans()), draw(st.integers(0, 99))


@settings(max_examples=60, deadline=None)
@given(reductions())
def test_broadcasting_and_reductions_of_any_shape_are_adjoint(case):
    (shape_a, shape_b), axis, keepdims, seed = case
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.5, 2.0, shape_a), rng.uniform(0.5, 2.0, shape_b)
    for reduce in (np.sum, np.mean, np.prod, np.max, np.std, np.linalg.norm):
        if reduce is np.linalg.norm and isinstance(axis, tuple) and len(axis) > 2:
            continue
        f = lambda a, b, reduce=reduce: reduce(a * b + a, axis=axis, keepdims=keepdims)  # noqa: E731
        assert_adjoint(f, [a, b], rng, 1e-12)
    cumulative = lambda a, b: np.cumsum(a / b, axis=axis if isinstance(axis, int) else None)  # noqa: E731
    assert_adjoint(cumulative, [a, b], rng, 1e-12)


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


X = np.random.default_rng(1).normal(size=7)
V = np.random.default_rng(2).normal(size=7)


def test_rosenbrock():
    value, gradient = dn.value_and_grad(rosenbrock)(X)
    assert value == rosen(X) or abs(value - rosen(X)) < 1e-12 * value
    np.testing.assert_allclose(gradient, rosen_der(X), rtol=1e-13)
    np.testing.assert_allclose(dn.hessian(rosenbrock)(X), rosen_hess(X), rtol=1e-13)
    for product in (dn.hvp, dn.vhp):
        np.testing.assert_allclose(product(rosenbrock)(X, V), rosen_hess_prod(X, V), rtol=1e-12)
    np.testing.assert_allclose(dn.laplacian(rosenbrock)(X), np.trace(rosen_hess(X)), rtol=1e-13)


def test_logsumexp_and_softmax():
    def logsumexp(x: Any) -> Any:
        largest = np.max(dn.operand.primal(x))
        return largest + np.log(np.sum(np.exp(x - largest)))

    softmax = scipy.special.softmax(X)
    np.testing.assert_allclose(dn.grad(logsumexp)(X), softmax, rtol=1e-14)
    hessian = np.diag(softmax) - np.outer(softmax, softmax)
    np.testing.assert_allclose(dn.hessian(logsumexp)(X), hessian, rtol=1e-12, atol=1e-16)


def test_likelihood_of_a_gaussian():
    """∂/∂μ = Σ (x−μ)/σ², ∂/∂σ = Σ ((x−μ)² − σ²)/σ³."""
    x = np.random.default_rng(3).normal(2.0, 1.5, 50)

    def log_likelihood(parameters: dict[str, Any]) -> Any:
        mu, sigma = parameters["mu"], parameters["sigma"]
        return np.sum(-0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    gradient = dn.grad(log_likelihood)({"mu": 1.7, "sigma": 1.2})
    np.testing.assert_allclose(gradient["mu"], np.sum(x - 1.7) / 1.2**2, rtol=1e-13)
    np.testing.assert_allclose(gradient["sigma"], np.sum((x - 1.7) ** 2 - 1.2**2) / 1.2**3, rtol=1e-13)


def test_every_nesting_to_third_order_agrees():
    f = lambda x: np.sin(x) * np.exp(0.3 * x)  # noqa: E731
    exact = dn.derivative(f, 3)(0.7)
    forward, reverse = dn.derivative, dn.grad
    for a in (forward, reverse):
        for b in (forward, reverse):
            for c in (forward, reverse):
                np.testing.assert_allclose(a(b(c(f)))(0.7), exact, rtol=1e-13)


def test_a_jet_through_a_gradient_is_the_series_of_the_gradient():
    g = dn.grad(rosenbrock)(dn.jet(X, 3, direction=V))
    h = 1e-2
    np.testing.assert_allclose(g.coeffs[1], rosen_hess_prod(X, V), rtol=1e-12)
    np.testing.assert_allclose(g(h), rosen_der(X + h * V), rtol=1e-12)  # the gradient is a cubic polynomial


def test_perturbations_are_not_confused():
    """Siskind & Pearlmutter, 2008: d/dx (x · d/dy (x + y)) = 1; and its kin in all modes."""
    for outer in (dn.derivative, dn.grad):
        for inner in (dn.derivative, dn.grad):
            assert outer(lambda x, inner=inner: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
            assert outer(lambda x, inner=inner: x * inner(lambda y: x * y)(2.0))(3.0) == 6.0


def test_jacobians_agree_and_the_mode_can_be_forced():
    f = lambda x: np.tanh(np.outer(x, x) @ x)[:5] * np.sum(x)  # noqa: E731
    forward, reverse = dn.jacfwd(f)(X), dn.jacrev(f)(X)
    assert forward.shape == (5, 7)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12, atol=1e-15)
    for mode in (None, "forward", "reverse"):
        np.testing.assert_allclose(dn.jacobian(f, mode=mode)(X), forward, rtol=1e-12, atol=1e-15)
    with pytest.raises(InvalidValue, match="mode is 'sideways'"):
        dn.jacobian(f, mode="sideways")


def test_jacobians_of_containers():
    f = lambda p, c: {"a": p["u"] * c, "b": (np.sum(p["v"]), p["u"][0] * p["v"])}  # noqa: E731
    p = {"u": np.array([1.0, 2.0]), "v": np.array([3.0, 4.0, 5.0])}
    for jac in (dn.jacfwd, dn.jacrev):
        j = jac(f)(p, 7.0)
        np.testing.assert_array_equal(j["a"]["u"], 7 * np.eye(2))
        np.testing.assert_array_equal(j["a"]["v"], np.zeros((2, 3)))
        np.testing.assert_array_equal(j["b"][0]["v"], np.ones(3))
        np.testing.assert_array_equal(j["b"][1]["u"], [[3.0, 0], [4.0, 0], [5.0, 0]])
        both = jac(f, argnums=(0, 1))(p, 7.0)
        np.testing.assert_array_equal(both[1]["a"], p["u"])


def test_hessian_by_blocks_of_directions(monkeypatch):
    from dualnum.transforms import dense

    whole = dn.hessian(rosenbrock)(X)
    monkeypatch.setattr(dense, "_BUDGET", 3 * 8 * 7)
    np.testing.assert_array_equal(dn.hessian(rosenbrock)(X), whole)
    np.testing.assert_allclose(dn.jacrev(dn.grad(rosenbrock))(X), whole, rtol=1e-13)


def test_jit_of_gradients():
    for f in (dn.grad(rosenbrock), dn.hessian(rosenbrock), dn.grad(lambda x: np.sum(dn.grad(rosenbrock)(x) ** 2))):
        np.testing.assert_allclose(dn.jit(f)(X), f(X), rtol=1e-12)


def test_jets_with_variables_as_coefficients():
    """u″ of a small network and the gradient of Σ (u″ + u)² by its weights, against forward mode."""
    rng = np.random.default_rng(5)
    w, x = (rng.normal(size=(1, 6)), rng.normal(size=(6, 1))), np.linspace(-1.0, 1.0, 9)[:, None]

    def loss(w: Any) -> Any:
        u = np.tanh(dn.jet(x, 2) @ w[0]) @ w[1]
        return np.sum((u.derivative(2) + u.value) ** 2)

    def by_hand(w: Any) -> Any:
        t = np.tanh(x @ w[0])
        second = -2 * t * (1 - t * t) * w[0] ** 2
        return np.sum((second @ w[1] + t @ w[1]) ** 2)

    gradient = dn.grad(loss)(w)
    for k in range(2):
        direct = dn.jacfwd(lambda p, k=k: by_hand((p, w[1]) if k == 0 else (w[0], p)))(w[k])
        np.testing.assert_allclose(gradient[k], direct, rtol=1e-10, atol=1e-13)


# ── the contract ─────────────────────────────────────────────────────────────────────────────────


def test_what_does_not_depend_has_zeros():
    g = dn.grad(lambda x, y: np.sum(x * x), (0, 1))(np.ones(3), np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(g[1], np.zeros((2, 2)))
    assert g[1].dtype == np.float32
    np.testing.assert_array_equal(dn.grad(lambda x: 3.0)(np.ones(3)), np.zeros(3))
    np.testing.assert_array_equal(dn.jacobian(lambda x: np.ones(2))(np.ones(3)), np.zeros((2, 3)))


def test_the_gradient_has_the_type_of_the_argument():
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        x = np.linspace(0.5, 1.5, 4, dtype=dtype)
        g = dn.grad(lambda x: np.sum(np.tanh(2 * x) * x.astype(np.float64)) * np.float64(2.0))(x)
        assert g.dtype == dtype
    assert dn.grad(lambda x: np.sum(x**2))(np.array([1, 2])).dtype == np.float64  # integers become floats


def test_complex_arguments():
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    g = dn.grad(lambda z: np.sum(np.abs(z) ** 2))(z)  # a² + b²: ∂/∂a − i ∂/∂b
    np.testing.assert_allclose(g, 2 * np.conj(z), rtol=1e-15)
    g = dn.grad(lambda z: np.sum(np.real(np.exp(z))))(z)
    np.testing.assert_allclose(g, np.exp(z), rtol=1e-15)
    g = dn.grad(lambda x: np.sum(np.imag(np.exp(1j * x))))(np.array([0.3, 0.7]))
    np.testing.assert_allclose(g, np.cos([0.3, 0.7]), rtol=1e-15)


def test_aux_and_keywords():
    f = lambda x, scale=1.0: (np.sum(x**2) * scale, {"doubled": 2 * x, "n": 3})  # noqa: E731
    gradient, more = dn.grad(f, has_aux=True)(np.array([1.0, 2.0]), scale=10.0)
    np.testing.assert_array_equal(gradient, [20.0, 40.0])
    assert type(more["doubled"]) is np.ndarray and more["n"] == 3
    (value, more), gradient = dn.value_and_grad(f, has_aux=True)(np.array([1.0, 2.0]))
    assert value == 5.0 and more["n"] == 3
    with pytest.raises(InvalidType, match="returned no pair"):
        dn.grad(lambda x: np.sum(x), has_aux=True)(np.ones(2))


def test_a_pull_back_can_be_called_many_times_and_the_argument_may_change_meanwhile():
    x = np.array([1.0, 2.0])
    y, pull = dn.vjp(lambda x: x**3, x)
    x[:] = 0.0
    for u in (np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([2.0, 3.0])):
        np.testing.assert_array_equal(pull(u), 3 * np.array([1.0, 4.0]) * u)
    np.testing.assert_array_equal(y, [1.0, 8.0])


def test_results_do_not_share_memory():
    x = np.ones(3)
    g, h = dn.grad(lambda x, y: np.sum(x + y), (0, 1))(x, np.ones(3))
    g[0] = 5.0
    np.testing.assert_array_equal(h, np.ones(3))
    np.testing.assert_array_equal(x, np.ones(3))


def test_threads_do_not_disturb_each_other():
    from concurrent.futures import ThreadPoolExecutor

    _, pull = dn.vjp(lambda x: np.tanh(x) * x, X)
    expected = [pull(np.full(7, float(k))) for k in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for a, b in zip(expected, pool.map(lambda k: pull(np.full(7, float(k))), range(20)), strict=True):
            np.testing.assert_array_equal(a, b)
        for g in pool.map(lambda k: dn.grad(rosenbrock)(X + k), range(8)):
            assert g.shape == (7,)


# ── hard points ──────────────────────────────────────────────────────────────────────────────────


def test_a_branch_not_taken_contributes_exact_zeros():
    x = np.array([-1.0, 0.0, 4.0])
    g = dn.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)))(x)
    np.testing.assert_array_equal(g, [0.0, 0.0, 0.25])
    with np.errstate(all="ignore"):
        for f in (np.sqrt, np.log, lambda x: 1 / x, lambda x: x**0.5):
            g = dn.grad(lambda x, f=f: np.sum(np.where(x > 0, f(x), 0.0)))(x)
            np.testing.assert_allclose(g[:2], [0.0, 0.0])
            np.testing.assert_allclose(g[2], dn.derivative(f)(4.0), rtol=1e-15)
            jitted = dn.jit(dn.grad(lambda x, f=f: np.sum(np.where(x > 0, f(x), 0.0))))(x)
            np.testing.assert_allclose(jitted, g, rtol=1e-14)
            h = dn.hessian(lambda x, f=f: np.sum(np.where(x > 0, f(x), 0.0)))(x)
            np.testing.assert_allclose(np.diag(h), [0.0, 0.0, dn.derivative(f, 2)(4.0)], rtol=1e-14)
        g = dn.grad(lambda x: np.sum(np.maximum(np.where(x > 0, 1.0, np.nan), x)))(np.array([2.0]))
    np.testing.assert_array_equal(g, [1.0])


@pytest.mark.parametrize(
    "f, x, expected",
    [
        (lambda x: np.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.prod(x), [0.0, 3.0, 5.0], [15.0, 0.0, 0.0]),
        (lambda x: np.prod(x), [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]),
        (lambda x: np.max(x), [2.0, 1.0, 2.0], [0.5, 0.0, 0.5]),
        (lambda x: np.maximum(x[0], x[1]), [2.0, 2.0], [0.5, 0.5]),
        (lambda x: np.abs(x[0]), [0.0], [0.0]),
        (lambda x: x[0] ** 0, [0.0], [0.0]),
        (lambda x: x[0] ** 2 + x[0] ** 2.0 + x[0] ** 3, [0.0], [0.0]),
        (lambda x: x[0] ** 1.5, [0.0], [0.0]),
        (lambda x: np.sqrt(x[0]), [0.0], [np.inf]),
        (lambda x: np.hypot(x[0], x[1]), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.arctan2(x[0], x[1]), [2.0, 0.0], [0.0, -0.5]),
        (lambda x: np.sinc(x[0]), [0.0], [0.0]),
        (lambda x: np.std(x), [1.0, 1.0], [0.0, 0.0]),
    ],
)  # fmt: skip
def test_gradients_at_hard_points(f, x, expected):
    np.testing.assert_allclose(dn.grad(f)(np.array(x)), expected, rtol=1e-15)


def test_kinks_can_be_reported():
    with dn.nonsmooth("raise"), pytest.raises(dn.NonsmoothPoint, match="sit on a kink"):
        dn.grad(lambda x: np.sum(np.abs(x)))(np.array([1.0, 0.0]))


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


def bad(f: Any, *args: Any, **kwargs: Any) -> Any:
    return lambda: f(*args, **kwargs)


@pytest.mark.parametrize(
    "call, kind, message",
    [
        (bad(dn.grad(lambda x: x * 2), np.ones(3)), InvalidValue, r"shape \(3,\).*dn.jacobian.*dn.vjp"),
        (bad(dn.grad(lambda x: np.sum(x) * 1j), np.ones(3)), InvalidType, "complex.*np.real"),
        (bad(dn.grad(lambda x: "no"), np.ones(3)), InvalidType, "returned a str"),
        (bad(dn.grad(lambda x: (np.sum(x), 1)), np.ones(3)), InvalidType, "has_aux=True"),
        (bad(dn.grad(np.sum, 1), np.ones(3)), InvalidValue, "argnums is 1"),
        (bad(dn.grad, np.sum, True), InvalidType, "argnums"),
        (bad(dn.grad, np.sum, np.ones(3)), InvalidType, r"grad: argnums is array.*dn\.grad\(f\)\(x\)"),
        (lambda: dn.grad(np.sum)(a=np.ones(3)), InvalidValue, "grad: .*0 arguments by position.*keyword is constant"),
        (bad(dn.grad(lambda x: None), np.ones(3)), InvalidType, "grad: f returned None; expected one number"),
        (bad(dn.grad, 3.0), InvalidType, "grad: f is a float; expected a function"),
        (bad(dn.value_and_grad, 3.0), InvalidType, "value_and_grad: f is a float; expected a function"),
        (bad(dn.grad(np.sum), np.array(["a"])), InvalidType, "carries no derivatives"),
        (bad(dn.grad(lambda x: np.polydiv(x, x)), np.ones(3)), NotDifferentiable, "polydiv"),
        (bad(dn.vjp, np.sin), InvalidValue, "no arguments"),
        (bad(dn.vjp, 3.0, X), InvalidType, "vjp: f is a float; expected a function"),
        (bad(dn.vjp, lambda x: None, X), InvalidType, "vjp: f returned None"),
        (bad(dn.vjp, np.sum, X, has_aux=True), InvalidType, "vjp: has_aux=True, but f returned no pair"),
        (bad(dn.hvp(rosenbrock), X, np.ones(3)), InvalidValue, r"hvp: direction has shape \(3,\), x has shape \(7,\)"),
        (bad(dn.vhp(rosenbrock), X, np.ones(3)), InvalidValue, r"vhp: direction has shape \(3,\), x has shape \(7,\)"),
        (bad(dn.hvp(rosenbrock), X), InvalidType, "hvp: 1 arguments; expected f's arguments and then the direction"),
        (bad(dn.hvp(np.tanh), X, X), InvalidValue, r"hvp: f returned an array of shape \(7,\)"),
        (bad(dn.vhp(np.tanh), X, X), InvalidValue, r"vhp: f returned an array of shape \(7,\)"),
        (bad(dn.hessian(np.tanh), X), InvalidValue, r"hessian: .*shape \(7,\).*dn\.jacobian\(dn\.jacobian\(f\)\)"),
        (bad(dn.hessian, 3.0), InvalidType, "hessian: f is a float; expected a function"),
        (bad(dn.jacobian(lambda x: None), X), InvalidType, "jacobian: f returned None"),
        (bad(dn.jacobian(lambda x: "no"), X), InvalidType, "jacobian: f's result has dtype <U2"),
        (bad(dn.jacobian(np.sin, 2), X), InvalidValue, "jacobian: argnums is 2"),
        (bad(dn.jacfwd(lambda x: None), X), InvalidType, "jacfwd: f returned None"),
        (bad(dn.laplacian(np.sum), np.ones(2) * 1j), InvalidType, "complex"),
        (bad(dn.laplacian(np.sum, argnums=3), X), InvalidValue, "laplacian: argnums is 3"),
        (bad(dn.laplacian(np.multiply, argnums=(0, 1)), X, X), InvalidValue, "expected one index"),
        (bad(dn.laplacian(lambda x: None), X), InvalidType, "laplacian: f returned None"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_cotangent_must_fit():
    _, pull = dn.vjp(lambda x: {"y": x * 2}, np.ones(3))
    with pytest.raises(InvalidValue, match="structure"):
        pull(np.ones(3))
    with pytest.raises(InvalidValue, match=r"shape \(4,\); expected \(3,\)"):
        pull({"y": np.ones(4)})
    with pytest.raises(InvalidValue, match=r"the structure \[\*, \*\], f's result has \{'y': \*\}; expected the same"):
        pull([np.ones(3), np.ones(3)])
    _, pull = dn.vjp(lambda x: x**2, X)
    with pytest.raises(InvalidValue, match="has the structure None, f's result has one array"):
        pull(None)
    np.testing.assert_array_equal(pull([1, 0, 0, 0, 0, 0, 2]), 2 * X * [1, 0, 0, 0, 0, 0, 2])  # a list is an array


def test_a_variable_that_outlives_its_transform():
    kept = []

    def f(x: Any) -> Any:
        kept.append(x)
        return np.sum(x * x)

    dn.grad(f)(np.ones(3))
    for use in (lambda x: x * 2, lambda x: x[0], np.sum, lambda x: x**2, lambda x: np.exp(x), lambda x: x + x):
        with pytest.raises(LevelError, match="after it ended"):
            use(kept[0])


def test_a_level_does_not_leak_when_f_raises():
    with pytest.raises(ZeroDivisionError):
        dn.grad(lambda x: 1 // 0)(1.0)
    assert dn.grad(lambda x: x * dn.grad(lambda y: x + y)(1.0))(1.0) == 1.0


# ── what f returns, and what comes back ──────────────────────────────────────────────────────────

CONSTANT_KINDS = {
    "np.allclose": (lambda x: np.allclose(x, 1.0), "a truth value"),
    "a comparison": (lambda x: np.all(x > 0), "a truth value"),
    "True": (lambda x: True, "a truth value"),
    "np.argmax": (np.argmax, "an integer"),
    "np.count_nonzero": (np.count_nonzero, "an integer"),
    "a whole number": (lambda x: 3, "an integer"),
    "np.int64": (lambda x: np.int64(3), "an integer"),
}
GRADIENTS = {
    "grad": dn.grad,
    "value_and_grad": dn.value_and_grad,
    "grad with more": lambda f: dn.grad(lambda x: (f(x), x), has_aux=True),
    "hessian": dn.hessian,
    "hvp": lambda f: lambda x: dn.hvp(f)(x, x),
    "vhp": lambda f: lambda x: dn.vhp(f)(x, x),
    "laplacian": dn.laplacian,
    "grad of grad": lambda f: dn.grad(lambda x: np.sum(dn.grad(f)(x))),
    "jit": lambda f: dn.jit(dn.grad(f)),
}


@pytest.mark.parametrize("gradient", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize(("f", "given"), CONSTANT_KINDS.values(), ids=CONSTANT_KINDS)
def test_what_is_no_float_has_no_gradient(f, given, gradient):
    with pytest.raises(InvalidType, match=f"f returned {given}, which has no gradient; expected a float"):
        gradient(f)(np.array([0.3, 0.7]))


@pytest.mark.parametrize(("f", "given"), CONSTANT_KINDS.values(), ids=CONSTANT_KINDS)
def test_what_is_no_float_is_constant_elementwise(f, given):
    x = np.array([0.3, 0.7])
    for derivative in (dn.derivative, dn.jacfwd, dn.jacrev, dn.jacobian, lambda f: lambda x: dn.jvp(f, (x,), (x,))[1]):
        result = derivative(f)(x)
        assert result.dtype == float and not np.any(result)
    assert dn.vjp(f, x)[0] == f(x)


NUMBERS: dict[str, tuple[Any, Any]] = {
    "grad": (dn.grad, lambda x: 3 * x**2),
    "grad of two": (lambda f: lambda x: dn.grad(lambda x, y: f(x) * y, (0, 1))(x, 2.0)[1], lambda x: x**3),
    "jacrev": (dn.jacrev, lambda x: 3 * x**2),
    "jacfwd": (dn.jacfwd, lambda x: 3 * x**2),
    "jacobian": (dn.jacobian, lambda x: 3 * x**2),
    "derivative": (dn.derivative, lambda x: 3 * x**2),
    "jvp": (lambda f: lambda x: dn.jvp(f, (x,), (1.0,))[1], lambda x: 3 * x**2),
    "vjp": (lambda f: lambda x: dn.vjp(f, x)[1](1.0), lambda x: 3 * x**2),
    "hessian": (dn.hessian, lambda x: 6 * x),
    "hvp": (lambda f: lambda x: dn.hvp(f)(x, 1.0), lambda x: 6 * x),
    "vhp": (lambda f: lambda x: dn.vhp(f)(x, 1.0), lambda x: 6 * x),
    "laplacian": (dn.laplacian, lambda x: 6 * x),
    "grad of grad": (lambda f: dn.grad(dn.grad(f)), lambda x: 6 * x),
}


@pytest.mark.parametrize(("way", "right"), NUMBERS.values(), ids=NUMBERS)
def test_of_a_number_comes_a_number(way, right):
    cubes = [lambda x: x**3, lambda x: np.reshape(x**3, ()), lambda x: np.stack([x, x**3])[1], lambda x: x**3.0]
    for transform in (way, lambda f: dn.jit(way(f))):
        for f in cubes:
            result = transform(f)(0.7)
            assert type(result) is np.float64
            np.testing.assert_allclose(result, right(0.7), rtol=1e-14)
            assert type(transform(f)(np.array(0.7))) is np.float64
        constant = transform(lambda x: 2.0)(0.7)
        assert type(constant) is np.float64 and constant in (0.0, 2.0)


def test_a_mean_of_nothing_is_nan_and_constant():
    """Row 1 has no entries: NaN as NumPy's value, and nothing is read."""
    x, mask = np.arange(1.0, 7.0).reshape(2, 3), np.array([[True, False, True], [False, False, False]])
    right = np.zeros((2, 2, 3))
    right[0, 0] = [0.5, 0.0, 0.5]
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = lambda x: np.mean(x, axis=1, where=mask)  # noqa: E731
        np.testing.assert_array_equal(dn.vjp(f, x)[0], f(x))
        for jacobian in (dn.jacfwd, dn.jacrev, lambda f: dn.jit(dn.jacfwd(f)), lambda f: dn.jit(dn.jacrev(f))):
            np.testing.assert_array_equal(jacobian(f)(x), right)
        np.testing.assert_array_equal(dn.jvp(f, (x,), (x,))[1], [2.0, 0.0])
        holes = np.where(mask, x, np.nan)
        for jacobian in (dn.jacfwd, dn.jacrev):
            np.testing.assert_array_equal(jacobian(lambda x: np.nanmean(x, axis=1))(holes), right)


# ── as objects ───────────────────────────────────────────────────────────────────────────────────


def cubed(x: Any) -> Any:
    return np.sum(x**3)


TRANSFORMS: dict[str, Any] = {
    "grad": dn.grad, "value_and_grad": dn.value_and_grad, "derivative": lambda f: dn.derivative(f, 2),
    "taylor": lambda f: dn.taylor(f, 3), "directional": lambda f: dn.directional(f, 2), "hessian": dn.hessian,
    "jacobian": lambda f: dn.jacobian(f, mode="reverse"), "jacfwd": dn.jacfwd, "jacrev": dn.jacrev, "hvp": dn.hvp,
    "vhp": dn.vhp, "laplacian": dn.laplacian, "jit": dn.jit, "jit of grad": lambda f: dn.jit(dn.grad(f)),
    "grad of derivative": lambda f: dn.grad(dn.derivative(f)), "by argnums": lambda f: dn.grad(f, argnums=(0,)),
    "grad of jit": lambda f: dn.grad(dn.jit(f)),
}  # fmt: skip


@pytest.mark.parametrize("f", [np.sin, cubed])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_transforms_are_copied_and_pickled(transform, f):
    transformed = transform(f)
    arguments = (0.7, 1.0) if transformed.__name__.split("(")[0] in ("directional", "hvp", "vhp") else (0.7,)
    before = transformed(*arguments)
    for again in (pickle.loads(pickle.dumps(transformed)), copy.deepcopy(transformed), copy.copy(transformed)):
        assert again.__name__ == transformed.__name__
        np.testing.assert_array_equal(again(*arguments), before)
