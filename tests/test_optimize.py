"""dn.optimize: what scipy.optimize asks for, in one line."""

import numpy as np
import pytest

import dualnum as dn
from dualnum.optimize import objective, residuals

opt = pytest.importorskip("scipy.optimize")
START = np.array([-1.2, 1.0, 1.5])
T = np.linspace(0.0, 2.0, 9)


def rosen(x, a=100.0):
    return np.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("jit", [False, True])
def test_the_derivatives_are_scipys(jit):
    obj, p = objective(rosen, jit=jit), np.array([1.0, -0.5, 2.0])
    np.testing.assert_allclose(obj.fun(START), opt.rosen(START))
    np.testing.assert_allclose(obj.jac(START), opt.rosen_der(START))
    np.testing.assert_allclose(obj.hess(START), opt.rosen_hess(START))
    np.testing.assert_allclose(obj.hessp(START, p), opt.rosen_hess_prod(START, p))


@pytest.mark.parametrize("way, method", [
    ("quasi_newton", "L-BFGS-B"), ("quasi_newton", "BFGS"), ("quasi_newton", "SLSQP"), ("quasi_newton", "CG"),
    ("newton", "trust-exact"), ("newton", "Newton-CG"), ("newton", "dogleg"), ("newton", "trust-constr"),
    ("krylov", "trust-krylov"), ("krylov", "trust-ncg"), ("krylov", "Newton-CG"),
])  # fmt: skip
def test_minimize_in_one_line(way, method):
    start = [1.05, 1.1, 1.21] if method == "dogleg" else START
    found = opt.minimize(**getattr(objective(rosen), way)(start, method))
    assert found.success or method == "trust-constr"
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-3)


def test_minimize_with_its_own_arguments():
    obj = objective(rosen)
    found = opt.minimize(obj.fun, START, args=(10.0,), jac=obj.jac, hess=obj.hess, method="trust-exact")
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-4)


def test_value_and_gradient_come_from_one_evaluation():
    calls = []

    def f(x, a=1.0):
        calls.append(1)
        return a * np.sum(x**2)

    obj = objective(f)
    x = np.array([1.0, 2.0])
    assert obj.fun(x) == 5.0 and len(calls) == 1
    np.testing.assert_array_equal(obj.jac(x), [2.0, 4.0])
    assert len(calls) == 1
    x[0] = 3.0  # the same array with other numbers
    assert obj.fun(x) == 13.0 and len(calls) == 2
    assert obj.fun(x, 2.0) == 26.0 and len(calls) == 3
    g = obj.jac(x, 2.0)
    g[:] = 0.0  # what is kept is nobody else's
    np.testing.assert_array_equal(obj.jac(x, 2.0), [12.0, 8.0])


def test_containers_and_matrices():
    obj = objective(lambda p: np.sum((p["a"] - 2) ** 2) + np.sum((p["b"] @ np.ones(2) - 1) ** 2))
    start = {"a": 1.0, "b": np.ones((2, 2))}
    best = obj.unflat(opt.minimize(**obj.newton(start)).x)
    np.testing.assert_allclose(best["a"], 2.0)
    np.testing.assert_allclose(best["b"] @ np.ones(2), 1.0)
    matrix = objective(lambda m: np.sum((m - np.eye(2)) ** 2), like=np.zeros((2, 2)))
    np.testing.assert_allclose(matrix.unflat(opt.minimize(**matrix.quasi_newton(np.zeros((2, 2)))).x), np.eye(2))


@pytest.mark.parametrize("jit", [False, True])
def test_least_squares_in_one_line(jit):
    decay = residuals(lambda p: p[0] * np.exp(-p[1] * T) - 3 * np.exp(-0.7 * T), jit=jit)
    np.testing.assert_allclose(opt.least_squares(**decay.start([1.0, 1.0])).x, [3.0, 0.7])
    np.testing.assert_allclose(decay.jac([1.0, 1.0])[:, 0], np.exp(-T))


def test_root_in_one_line():
    circle = residuals(lambda x: np.stack([x[0] ** 2 + x[1] ** 2 - 25, x[0] - x[1]]))
    np.testing.assert_allclose(opt.root(**circle.start([4.0, 3.0])).x, np.sqrt(12.5))


def test_misuse_is_explained():
    with pytest.raises(dn.InvalidType, match="expected a function"):
        objective(3)
    with pytest.raises(dn.InvalidValue, match="as flat as `like`"):
        objective(np.sum, like=np.zeros((2, 2))).fun(np.zeros(3))
    with pytest.raises(dn.InvalidValue, match="expected one number"):
        objective(np.sin).fun(np.ones(3))
