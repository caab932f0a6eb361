"""dn.propagate against closed forms, simulation, and the package uncertainties at order 1."""

import numpy as np
import pytest

import dualnum as dn

MEAN = np.array([3.0, 5.0, 1.5])
COV = np.array([[0.1, 0.02, 0.0], [0.02, 0.2, -0.03], [0.0, -0.03, 0.05]])
FUNCTIONS = {
    "product": lambda x: x[0] * x[1] / x[2],
    "mixed": lambda x: np.sin(x[0]) * np.exp(-x[1]) + np.sqrt(x[2]),
    "power": lambda x: x[0] ** x[2],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_order_1_is_that_of_uncertainties(name):
    un = pytest.importorskip("uncertainties")
    from uncertainties import umath

    variables = un.correlated_values(MEAN, COV)
    f = {
        "product": lambda x: x[0] * x[1] / x[2],
        "mixed": lambda x: umath.sin(x[0]) * umath.exp(-x[1]) + umath.sqrt(x[2]),
        "power": lambda x: x[0] ** x[2],
    }[name]
    theirs, ours = f(variables), dn.propagate(FUNCTIONS[name], MEAN, COV)
    np.testing.assert_allclose([ours.mean, ours.std], [theirs.n, theirs.s], rtol=1e-9)


def test_order_1_in_closed_form():
    p = dn.propagate(lambda x: x[0] * x[1], [3.0, 5.0], [0.3, 0.1])
    np.testing.assert_allclose(p.cov, (5 * 0.3) ** 2 + (3 * 0.1) ** 2)
    np.testing.assert_allclose(p.sensitivities, [5.0, 3.0])
    np.testing.assert_allclose(p.contributions, [2.25, 0.09])
    assert p.mean == 15.0 and p.second == 0.0


def test_order_2_is_exact_for_quadratic_functions_of_normal_variables():
    """E xᵀAx = tr(AC) + μᵀAμ, var = 2 tr(ACAC) + 4 μᵀACAμ (Mathai & Provost, Quadratic Forms, 1992)."""
    a = np.array([[1.0, 0.5, 0.0], [0.5, -2.0, 0.3], [0.0, 0.3, 0.7]])
    p = dn.propagate(lambda x: x @ (a @ x), MEAN, COV, order=2)
    np.testing.assert_allclose(p.mean, np.trace(a @ COV) + MEAN @ a @ MEAN)
    ac = a @ COV
    np.testing.assert_allclose(p.cov, 2 * np.trace(ac @ ac) + 4 * MEAN @ ac @ a @ MEAN)
    np.testing.assert_allclose(p.second, 2 * np.trace(ac @ ac))
    np.testing.assert_allclose(p.std, np.sqrt(p.cov))


def test_order_2_of_several_functions_against_simulation():
    f = lambda x: np.stack([x[0] * x[1], x[0] ** 2 + x[2], np.exp(0.1 * x[1])])  # noqa: E731
    p = dn.propagate(f, MEAN, COV, order=2)
    samples = np.random.default_rng(5).multivariate_normal(MEAN, COV, 400_000)
    ys = f(samples.T)
    np.testing.assert_allclose(p.mean, ys.mean(axis=1), rtol=2e-3)
    np.testing.assert_allclose(p.cov, np.cov(ys), rtol=0.02)
    np.testing.assert_allclose(p.std, np.sqrt(np.diag(p.cov)))
    assert p.sensitivities.shape == p.contributions.shape == (3, 3)


def test_contributions_add_up_to_the_variance():
    p = dn.propagate(FUNCTIONS["mixed"], MEAN, COV)
    np.testing.assert_allclose(np.sum(p.contributions), p.cov)
    p = dn.propagate(FUNCTIONS["mixed"], MEAN, COV, order=2)
    np.testing.assert_allclose(np.sum(p.contributions) + p.second, p.cov)


def test_containers_and_names():
    period = lambda p: 2 * np.pi * np.sqrt(p["length"] / p["g"])  # noqa: E731
    p = dn.propagate(period, {"length": 1.2, "g": 9.81}, {"length": 0.01, "g": 0.05})
    assert p.names == ["g", "length"]
    q = dn.propagate(lambda x: x[0] * np.sum(x[1]), (2.0, np.array([1.0, 3.0])), (0.1, np.array([0.2, 0.3])))
    assert q.names == ["0", "1[0]", "1[1]"]
    np.testing.assert_allclose(q.cov, (4 * 0.1) ** 2 + (2 * 0.2) ** 2 + (2 * 0.3) ** 2)
    one = dn.propagate(lambda x: x**2, 3.0, 0.1, order=2)
    assert one.names == ["x"]
    np.testing.assert_allclose([one.mean, one.cov], [9.01, 36 * 0.01 + 2e-4])


def test_the_table():
    p = dn.propagate(lambda x: x[0] * x[1], [3.0, 5.0], [0.3, 0.1], order=2)
    assert str(p).splitlines()[0] == "15 ± 1.53  (order 2)"
    assert str(p).splitlines()[1].split() == ["input", "value", "u", "∂f/∂x", "share", "of", "variance"]
    assert "x[0]" in str(p) and "second order" in str(p) and "96.1 %" in str(p)
    assert p._repr_html_().count("<tr>") == 4 and "x[1]" in p._repr_html_()
    several = dn.propagate(lambda x: x * 2, [3.0, 5.0], [0.3, 0.1])
    assert str(several) == "[6 ± 0.6, 10 ± 0.2]  (order 1)" and "6 ± 0.6" in several._repr_html_()
    assert "—" in str(dn.propagate(lambda x: 0 * x, 1.0, 0.1))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: dn.propagate(np.sum, MEAN, COV, order=3), "expected 1 or 2"),
        (lambda: dn.propagate(np.sum, MEAN, np.eye(2)), r"expected \(3, 3\)"),
        (lambda: dn.propagate(np.sum, MEAN, np.triu(np.ones((3, 3)))), "not symmetric"),
        (lambda: dn.propagate(np.sum, MEAN, -np.eye(3)), "a variance is negative"),
        (lambda: dn.propagate(np.sum, MEAN + 1j, COV), "expected real numbers"),
        (lambda: dn.propagate(np.sum, {"a": 1.0}, {"b": 1.0}), "another structure"),
    ],
)
def test_misuse_is_explained(call, words):
    with pytest.raises(dn.DualnumError, match=words):
        call()
