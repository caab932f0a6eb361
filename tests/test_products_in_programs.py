"""Products of matrices in programs: how many there are, of which shapes, and the numbers of the function itself."""

from itertools import pairwise

import numpy as np
import pytest

import dualnum as dn
from dualnum.program.cut import Kernel


def network(dimensions, width, dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [dimensions, width, width, 1]
    layers = [
        (rng.normal(size=(m, n)).astype(dtype) / np.sqrt(m).astype(dtype), rng.normal(size=n).astype(dtype))
        for m, n in pairwise(sizes)
    ]

    def f(x):
        for W, b in layers[:-1]:
            x = np.tanh(x @ W + b)
        return (x @ layers[-1][0] + layers[-1][1])[..., 0]

    return f


def points(count, dimensions, dtype=float):
    return np.random.default_rng(1).normal(size=(count, dimensions)).astype(dtype)


def steps(f, *args):
    """The kernels of a program, and the shapes of the products that NumPy runs."""
    found = dn.jit(f)._traced(args, {}).replay.steps
    kernels = [s for s in found if isinstance(s, Kernel)]
    calls = [s for s in found if not isinstance(s, Kernel) and s.op == "call"]
    products = [s.shape for s in calls if s.extra.function is np.matmul]
    return kernels, products, [s.op for s in found if not isinstance(s, Kernel)]


def test_a_layer_is_one_kernel_and_one_product():
    kernels, products, others = steps(dn.laplacian(network(5, 32), axis=-1), points(300, 5))
    assert products == [(300, 32), (7 * 300, 32), (300, 1)]
    assert "concatenate" not in others
    stacks = [(y.planes, y.size) for k in kernels[:2] for y in k.outputs]
    assert stacks == [(7, 7), (1, 1)]  # of the last layer only the sum is needed
    assert [s.planes for s in kernels[1].sources] == [7, 0]


def test_directions_in_parts_stay_apart():
    kernels, _, _ = steps(dn.laplacian(network(64, 64), axis=-1), points(100, 64))
    assert max(len(k.program.outputs) for k in kernels) <= 34


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (100, 64), (600, 10)])
def test_laplacians_agree(shape, dtype):
    f, x = dn.laplacian(network(shape[1], 48, dtype), axis=-1), points(*shape, dtype)
    replayed = dn.jit(f)._traced((x,), {}).replay.run((x,))[0]
    assert replayed.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 2e-4
    np.testing.assert_allclose(replayed, f(x), rtol=tolerance, atol=tolerance * 10)


@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
def test_points_in_any_order_of_memory(axes):
    f, x = dn.laplacian(network(6, 32), axis=-1), points(700, 6).T.copy().T if axes[0] else points(700, 6)
    replay = dn.jit(f)._traced((x,), {}).replay
    np.testing.assert_allclose(replay.run((x,))[0], f(x), rtol=1e-12, atol=1e-12)


def test_hessians_agree():
    A = np.random.default_rng(2).normal(size=(90, 90)) / 9
    f = dn.hessian(lambda x: np.sum(np.tanh(A @ x)))
    x = points(1, 90)[0]
    replay = dn.jit(f)._traced((x,), {}).replay
    np.testing.assert_allclose(replay.run((x,))[0], f(x), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(200,), (1, 200), (100, 1), ()])
def test_what_goes_round(shape):
    b = np.random.default_rng(3).normal(size=shape)
    x = points(100, 200)
    jitted = dn.jit(lambda x, b: np.sin(x) * b + b)
    for given in (b, np.repeat(b, 2, axis=-1)[..., ::2] if b.ndim else b):
        replay = jitted._traced((x, given), {}).replay
        np.testing.assert_allclose(replay.run((x, given))[0], np.sin(x) * b + b, rtol=1e-14, atol=4e-15)


def test_constants_that_repeat():
    row = np.random.default_rng(4).normal(size=50)
    whole = np.broadcast_to(row, (1000, 50))
    x = points(1000, 50)
    (y,) = dn.jit(lambda x: np.exp(x) + whole)._traced((x,), {}).replay.run((x,))
    np.testing.assert_allclose(y, np.exp(x) + row, rtol=1e-14, atol=4e-15)


def test_planes_that_are_asked_for_twice_stay():
    W = np.random.default_rng(5).normal(size=(40, 40))

    def f(x):
        y = dn.jet(x, 2)
        y = np.tanh(y @ W)
        z = y @ W
        return z.planes[1], z.planes

    x = points(200, 40)
    for got, expected in zip(dn.jit(f)._traced((x,), {}).replay.run((x,)), f(x), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_the_gradient_of_a_network():
    rng = np.random.default_rng(6)
    W, b, V = rng.normal(size=(10, 80)), rng.normal(size=80), rng.normal(size=(80, 1))
    X, y = points(256, 10), rng.normal(size=(256, 1))
    g = dn.value_and_grad(lambda W, b, V: np.mean((np.tanh(X @ W + b) @ V - y) ** 2), argnums=(0, 1, 2))
    value, slopes = g(W, b, V)
    got = dn.jit(g)(W, b, V)
    np.testing.assert_allclose(got[0], value, rtol=1e-13)
    for a, c in zip(got[1], slopes, strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-11, atol=1e-13)
