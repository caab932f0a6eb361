"""The Laplacian against closed forms, in any number of dimensions, and under further derivatives."""

from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum.transforms import dense

DIMENSIONS = pytest.mark.parametrize("n", [1, 2, 5, 50])


def point(n: int) -> Any:
    return np.random.default_rng(n).uniform(0.3, 1.4, n)


def radius(x: Any) -> Any:
    return np.sqrt(np.sum(x * x))


@DIMENSIONS
def test_powers_of_the_radius(n):
    """∆|x|^p = p (p + n − 2) |x|^{p−2}; for p = 2 − n it is harmonic."""
    x = point(n)
    r = radius(x)
    for p in (1, 2, 3, -1.5, 2 - n):
        expected = p * (p + n - 2) * r ** (p - 2)
        tolerance = 1e-13 * n * (1 + abs(p)) ** 2 * r ** (p - 2)  # of the terms, which cancel for p = 2 − n
        for f in (lambda x, p=p: radius(x) ** p, lambda x, p=p: np.linalg.norm(x) ** p):
            np.testing.assert_allclose(dn.laplacian(f)(x), expected, rtol=1e-12, atol=tolerance)


@DIMENSIONS
def test_exponentials_sines_and_gaussians(n):
    x, a = point(n), np.random.default_rng(n + 1).normal(size=n) / np.sqrt(n)
    for f, expected in (
        (lambda x: np.exp(a @ x), a @ a * np.exp(a @ x)),
        (lambda x: np.sum(np.sin(2 * x)), -4 * np.sum(np.sin(2 * x))),
        (lambda x: np.prod(np.sin(x)), -n * np.prod(np.sin(x))),
        (lambda x: np.exp(-np.sum(x**2) / 2), (x @ x - n) * np.exp(-x @ x / 2)),
        (lambda x: np.log(np.sum(x * x)), 2 * (n - 2) / (x @ x)),
        (lambda x: np.sum(np.outer(x, x) @ x), np.sum(x) * 2 * n + 4 * np.sum(x)),
    ):
        np.testing.assert_allclose(dn.laplacian(f)(x), expected, rtol=1e-11, atol=1e-13)


def test_harmonic_polynomials():
    x, y = 0.7, -1.2
    for k in range(1, 8):
        for part in (np.real, np.imag):
            harmonic = lambda z, k=k, part=part: part((z[0] + 1j * z[1]) ** k)  # noqa: E731
            assert abs(dn.laplacian(harmonic)(np.array([x, y]))) < 1e-12 * k**2 * abs(x + 1j * y) ** k
    solid = lambda x: x[0] * x[1] * x[2] + x[0] ** 2 - x[2] ** 2  # noqa: E731
    assert dn.laplacian(solid)(np.array([0.3, 0.4, 0.5])) == 0.0


def test_of_every_entry_of_the_result_and_of_an_array_of_points():
    """∆ of several functions at once, by the entries of a matrix."""
    x = point(6).reshape(2, 3)
    f = lambda x: np.stack([np.sum(x**3), np.prod(x), np.sum(x**2, dtype=x.dtype) ** 2])  # noqa: E731
    expected = [6 * np.sum(x), 0.0, (4 * 6 + 8) * np.sum(x**2)]
    np.testing.assert_allclose(dn.laplacian(f)(x), expected, rtol=1e-13, atol=1e-13)
    assert dn.laplacian(lambda x: np.sum(x**2))(x.astype(np.float32)).dtype == np.float32


@DIMENSIONS
def test_gradient_and_laplacian_of_a_laplacian(n):
    """∇∆ |x|⁴ = 8 (n + 2) x, ∆² |x|⁴ = 8 n (n + 2), ∇∆ e^{a·x} = |a|² a e^{a·x}: in reverse and forward."""
    x, a = point(n), np.random.default_rng(n + 1).normal(size=n) / np.sqrt(n)
    fourth, wave = lambda x: np.sum(x * x) ** 2, lambda x: np.exp(np.sum(a * x))
    for outer in (dn.grad, dn.jacfwd):
        np.testing.assert_allclose(outer(dn.laplacian(fourth))(x), 8 * (n + 2) * x, rtol=1e-11)
        np.testing.assert_allclose(outer(dn.laplacian(wave))(x), a @ a * a * np.exp(a @ x), rtol=1e-11)
    if n <= 5:
        np.testing.assert_allclose(dn.laplacian(dn.laplacian(fourth))(x), 8 * n * (n + 2), rtol=1e-12)
        along = dn.laplacian(lambda x: dn.grad(wave)(x) @ a)  # ∆ (a·∇ e^{a·x}) = |a|⁴ e^{a·x}
        np.testing.assert_allclose(along(x), (a @ a) ** 2 * np.exp(a @ x), rtol=1e-11)


def test_gradient_where_slopes_vanish():
    """∇∆ at a point where inner functions stand still: ∆ e^{|x|²/2} = (n + |x|²) e^{|x|²/2}."""
    g = dn.grad(dn.laplacian(lambda x: np.exp(np.sum(x * x) / 2)))
    np.testing.assert_array_equal(g(np.zeros(3)), np.zeros(3))
    x = np.array([0.0, 0.5, 0.0])
    np.testing.assert_allclose(g(x), (3 + x @ x + 2) * x * np.exp(x @ x / 2), rtol=1e-13)


def test_weights_of_a_network_by_the_residual_of_poisson_s_equation():
    """The gradient of (∆u + 1)² by the weights, u = tanh(x W) v: reverse over the Laplacian, against forward mode."""
    rng = np.random.default_rng(4)
    x, w, v = rng.normal(size=3), rng.normal(size=(3, 7)), rng.normal(size=7)

    def by_hand(w: Any, v: Any) -> Any:
        t = np.tanh(x @ w)
        return (np.sum(-2 * t * (1 - t * t) * np.sum(w * w, axis=0) * v) + 1) ** 2

    loss = lambda w, v: (dn.laplacian(lambda x: np.tanh(x @ w) @ v)(x) + 1) ** 2  # noqa: E731
    np.testing.assert_allclose(loss(w, v), by_hand(w, v), rtol=1e-13)
    for got, expected in zip(dn.grad(loss, (0, 1))(w, v), dn.jacfwd(by_hand, (0, 1))(w, v), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)


def test_axes_in_blocks(monkeypatch):
    f = lambda x: np.exp(np.sum(np.sin(x)) / 3)  # noqa: E731
    x = point(7)
    whole, gradient = dn.laplacian(f)(x), dn.grad(dn.laplacian(f))(x)
    for directions in (1, 3):
        monkeypatch.setattr(dense, "_BUDGET", directions * 8 * 7)
        assert len(list(dense.unit_blocks(x))) == -(-7 // directions)
        np.testing.assert_allclose(dn.laplacian(f)(x), whole, rtol=1e-14)
        np.testing.assert_allclose(dn.grad(dn.laplacian(f))(x), gradient, rtol=1e-12)


def test_what_does_not_depend_and_what_has_no_entries():
    assert dn.laplacian(lambda x: 3.0)(np.ones(3)) == 0.0
    assert dn.laplacian(lambda x: np.sum(x) * 2.0)(np.ones(3)) == 0.0
    assert dn.laplacian(lambda x: np.sum(x**2))(np.ones(0)) == 0.0


def test_compiled():
    f = lambda x: np.exp(-np.sum(x * x)) * np.sum(np.sin(x))  # noqa: E731
    x = point(5)
    np.testing.assert_allclose(dn.jit(dn.laplacian(f))(x), dn.laplacian(f)(x), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(dn.grad(dn.laplacian(f)))(x), dn.grad(dn.laplacian(f))(x), rtol=1e-12)
