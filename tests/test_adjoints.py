"""The adjoints of what keywords turn and axes move: products along axes of one's own, cross products, histograms."""

import warnings
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import DualnumError

RNG = np.random.default_rng(11)
STACK, TURNED = RNG.normal(size=(4, 2, 3)), RNG.normal(size=(3, 5, 4))
MATRIX, VECTOR = RNG.normal(size=(2, 3)), RNG.normal(size=3)


def assert_transposed(f: Any, *xs: Any) -> None:
    """The value is NumPy's, the pull-back the transposed Jacobian of forward mode, and so it is one order higher."""
    value, pull = dn.vjp(f, *xs)
    np.testing.assert_array_equal(value, f(*xs))
    u = np.random.default_rng(3).normal(size=np.shape(value))
    pulled = pull(u) if len(xs) > 1 else (pull(u),)
    for k, x in enumerate(xs):
        jacobian = dn.jacfwd(f, k)(*xs)
        assert pulled[k].shape == x.shape
        np.testing.assert_allclose(pulled[k], np.tensordot(u, jacobian, u.ndim), rtol=1e-12, atol=1e-14)
        squares = lambda *xs: np.sum(f(*xs) ** 2)  # noqa: E731
        np.testing.assert_allclose(
            dn.hessian(squares, k)(*xs), dn.jacfwd(dn.jacfwd(squares, k), k)(*xs), rtol=1e-12, atol=1e-13
        )


@pytest.mark.parametrize(
    ("product", "a", "b", "keywords"),
    [
        (np.matmul, STACK, TURNED, {"axes": [(-2, -1), (0, 1), (0, 1)]}),
        (np.matmul, MATRIX, MATRIX, {"axes": [(1, 0), (0, 1), (1, 0)]}),
        (np.matmul, MATRIX.T.copy(), VECTOR, {"axes": [(1, 0), 0, 0]}),
        (np.matmul, VECTOR, VECTOR + 1, {"axes": [0, (0,), ()]}),
        (np.vecdot, STACK, STACK + 1, {"axis": 1}),
        (np.vecdot, STACK, STACK[:1] + 1, {"axis": 1, "keepdims": False}),
        (np.vecdot, STACK, STACK + 1, {"axis": -2, "keepdims": True}),
        (np.vecdot, STACK, STACK + 1, {"keepdims": True}),
        (np.vecdot, STACK, VECTOR, {"axes": [2, 0]}),
        (np.vecdot, STACK, np.moveaxis(STACK, 0, -1) + 1, {"axes": [0, 2], "keepdims": True}),
        (np.vecdot, STACK, STACK + 1, {"axes": [(1,), (1,), (0,)], "keepdims": True}),
        (np.matvec, STACK, VECTOR, {"axes": [(1, 2), 0, 0]}),
        (np.vecmat, VECTOR, TURNED, {"axes": [0, (0, 1), 0]}),
    ],
)
def test_products_along_axes_of_ones_own(product, a, b, keywords):
    assert_transposed(lambda a, b: product(a, b, **keywords), a, b)


@pytest.mark.parametrize("product", [np.matmul, np.matvec, np.vecmat, np.vecdot])
def test_axes_that_are_not_there_say_so(product):
    for keywords in ({"axes": [0]}, {"axes": [(0, 7), (0, 1), (0, 1)]}, {"axis": "x"}, {"keepdims": 2}):
        for differentiated in (lambda f: dn.jvp(f, (STACK,), (STACK,)), lambda f: dn.vjp(f, STACK)):
            with pytest.raises(DualnumError, match=product.__name__):
                differentiated(lambda x, keywords=keywords: product(x, x, **keywords))


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "keywords"),
    [
        ((5, 2), (5, 2), {}),
        ((2,), (5, 2), {}),
        ((5, 2), (3,), {}),
        ((3,), (4, 5, 2), {}),
        ((2, 4), (4, 2), {"axisa": 0, "axisb": 1}),
        ((3,), (3, 5), {"axis": 0}),
        ((3, 4), (4, 3), {"axisa": 0, "axisb": -1, "axisc": 0}),
        ((2, 4), (4, 3), {"axisa": 0, "axisc": 0}),
    ],
)
def test_cross_products_in_the_plane_and_along_any_axis(shape_a, shape_b, keywords):
    with warnings.catch_warnings(action="ignore"):  # NumPy deprecates vectors in the plane
        assert_transposed(lambda a, b: np.cross(a, b, **keywords), RNG.normal(size=shape_a), RNG.normal(size=shape_b))


X = np.random.default_rng(5).uniform(0.0, 1.0, (3, 20))
X[0, :4] = 0.0, 0.25, 0.5, 1.0  # on edges
W = np.random.default_rng(6).normal(size=X.shape)


@pytest.mark.parametrize(
    ("counts", "weights"),
    {
        "a number of bins": (lambda w: np.histogram(X, 4, weights=w)[0], W),
        "a range": (lambda w: np.histogram(X, 4, range=(0.25, 0.75), weights=w)[0], W),
        "edges": (lambda w: np.histogram(X, [0.0, 0.25, 0.5, 0.9, 1.0], weights=w)[0], W),
        "an empty bin": (lambda w: np.histogram(X, [0.1, 0.25, 0.25, 0.5], weights=w)[0], W),
        "two axes": (lambda w: np.histogram2d(X[0], X[1], [3, 4], [(0, 1), (0.1, 0.9)], weights=w)[0], W[0]),
        "the same edges": (lambda w: np.histogram2d(X[0], X[1], [0.0, 0.25, 0.5, 1.0], weights=w)[0], W[0]),
        "a matrix of samples": (lambda w: np.histogramdd(X.T, [3, 4, [0.0, 0.5, 1.0]], weights=w)[0], W[0]),
        "columns of samples": (lambda w: np.histogramdd(list(X), [3, 4, [0.0, 0.5, 1.0]], weights=w)[0], W[0]),
        "one axis": (lambda w: np.histogramdd(X[0], [4], weights=w)[0], W[0]),
    }.values(),
)
def test_weighted_histograms(counts, weights):
    assert_transposed(counts, weights)


def test_a_weighted_histogram_of_many_samples_gathers_its_cotangent():
    """Each weight has the cotangent of its bin; a matrix of weights by bins would not fit into memory."""
    n = 1_000_000
    rng = np.random.default_rng(8)
    x, w, edges = rng.uniform(-0.1, 1.1, n), rng.normal(size=n), np.linspace(0.0, 1.0, 501)
    _, pull = dn.vjp(lambda w: np.histogram(x, edges, weights=w)[0], w)
    g = rng.normal(size=500)
    bins = np.digitize(x, edges) - 1
    expected = np.where((x >= 0) & (x < 1), g[np.clip(bins, 0, 499)], 0.0)
    np.testing.assert_array_equal(pull(g), expected)
