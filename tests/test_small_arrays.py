"""Small arrays are taken apart under jit: the numbers, shapes and types of the function itself, and nothing between."""

import numpy as np
import pytest

import dualnum as dn
from dualnum.kernel.engine import available

pytestmark = pytest.mark.skipif("llvm" not in available(), reason="needs llvmlite")

A = np.random.default_rng(0).normal(size=(4, 4))
X = np.array([0.7, -0.3, 1.2, 0.4])
V = np.array([0.1, 0.5, -0.4, 0.3])

FUNCTIONS = {
    "entries": lambda x: x[0] * x[-1] - x[1] / x[2],
    "dot": lambda x: x @ x + np.dot(x, x[::-1]),
    "matrix": lambda x: A @ np.tanh(A.T @ x),
    "stack": lambda x: np.stack([np.sin(x[i]) * x[i - 1] for i in range(4)]),
    "concatenate": lambda x: np.concatenate([x[2:], -x[:2] / (x[:2] @ x[:2])]),
    "blocks": lambda x: np.vstack([x, 2 * x]).T @ np.hstack([x[:2], x[2:]]).reshape(2, 2),
    "norm": lambda x: x / np.linalg.norm(x),
    "cross": lambda x: np.cross(x[:3], x[1:]),
    "outer": lambda x: np.outer(x, x).sum(axis=0) + np.trace(np.outer(x, x)),
    "einsum": lambda x: np.einsum("i,ij,j->i", x, A, x),
    "moves": lambda x: np.roll(x, 1) * np.flip(x) + np.diff(x, append=x[:1]) * np.cumsum(x),
    "pad": lambda x: np.pad(x, 1)[1:-1] * np.tile(x[:2], 2) + np.repeat(x[::2], 2),
    "statistics": lambda x: np.mean(x) + np.var(x) * np.std(x) - np.sum(x**3),
    "products": lambda x: np.prod(x) + np.cumprod(x),
    "choices": lambda x: np.where(x > 0.5, x[0] * x, np.maximum(x, 0.1)).sum() * x,
    "masks": lambda x: ((x > 0) & (x < 1)) * x.sum(),
    "indices": lambda x: x[[2, 0, 0]].sum() * x[np.array([True, False, True, True])],
    "new axes": lambda x: (x[:, None] * x[None, :] - x[..., None]).sum(axis=1),
    "sorted": lambda x: np.max(x) * np.min(x) + x,
    "solve": lambda x: np.linalg.solve(A + np.diag(x), x),
    "complex": lambda x: np.abs(np.exp(1j * x)).sum() * x,
    "long": lambda x: np.linspace(0, 1, 500) * x[0] + np.sum(x) + np.outer(np.ones(100), x).sum(),
    "many entries": lambda x: np.stack([x[i % 4] * x[i % 3] + i for i in range(100)])[::7] * x[0],
    "elementwise": lambda x: np.exp(-x) * 3.0,
    "constants": lambda x: np.concatenate([x[:1], [1.0, 2.0]]) @ np.ones(3) + 0.0 * x,
    "nothing": lambda x: np.zeros(3) + x[0] * np.zeros_like(x[:3]),
    "empty": lambda x: x[4:].sum() + x[:0] @ x[:0] + x,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_mode(name, dtype):
    f, x, v = FUNCTIONS[name], X.astype(dtype), V.astype(dtype)

    def scalar(x):
        return np.sum(f(x) ** 2)

    for g, args in (
        (f, (x,)), (f, (np.repeat(x, 2)[::2],)), (scalar, (x,)), (dn.grad(scalar), (x,)), (dn.hvp(scalar), (x, v)),
        (dn.jacfwd(f), (x,)), (dn.jacrev(f), (x,)), (dn.hessian(scalar), (x,)),
    ):  # fmt: skip
        try:
            exact = g(*args)
        except Exception:  # not differentiable, not in this mode
            continue
        y = dn.jit(g)(*args)
        single = dtype is np.float32
        assert type(y) is type(exact) and y.dtype == exact.dtype and y.shape == exact.shape, name
        np.testing.assert_allclose(y, exact, rtol=2e-4 if single else 1e-10, atol=1e-4 if single else 1e-11)


@pytest.mark.parametrize("name", ["matrix", "stack", "concatenate", "norm", "cross", "einsum", "moves", "statistics"])
def test_nothing_stands_between(name):
    f = FUNCTIONS[name]
    scaled = name in ("norm", "statistics")  # where the derivatives are taken of
    for g in (f,) if scaled else (f, dn.jacfwd(f), dn.grad(lambda x: np.sum(f(x)))):
        lowered = dn.jit(g).lower(X)
        assert len(lowered.programs) == 1
        assert len(lowered.python.splitlines()) == 5, lowered.python  # arguments, a result, the kernel


def test_elementwise_functions_keep_their_vectors():
    (program,) = dn.jit(lambda x: np.exp(x) * x).lower(X).programs
    assert program.inputs == 1 and len(program.nodes) == 3


def test_types_and_numbers():
    x = X.astype(np.float32)
    assert dn.jit(lambda x: x[0] * 2.0)(x).dtype == np.float32
    assert dn.jit(lambda x: x[0] * np.float64(2.0))(x).dtype == np.float64
    assert dn.jit(lambda x: np.stack([x[0], 1.0]))(x).dtype == np.stack([x[0], 1.0]).dtype
    assert dn.jit(lambda x: A @ x)(x).dtype == np.float64
    assert type(dn.jit(lambda x: x[0])(X)) is np.float64
    assert type(dn.jit(lambda x: x[0, ...])(X)) is np.ndarray
    assert dn.jit(lambda x: x[:2] > x[2:])(X).dtype == bool
    y = dn.jit(lambda x: (x[::-1], x[::-1]))(X)
    assert not np.shares_memory(*y) and not np.shares_memory(y[0], X)
    assert dn.jit(lambda x: np.shares_memory(x, x[1:]))(X)


def test_infinities_and_signed_zeros():
    zeros = np.array([0.0, -0.0, 1.0])
    for f in (lambda x: np.stack([1 / (x[0] * -1.0), 1 / (x[1] + 0.0), 1 / x[1], x[2]]), lambda x: x[:2] @ x[1:] * 0.0):
        with np.errstate(all="ignore"):
            for x in (zeros, np.array([np.inf, -1.0, np.nan])):
                np.testing.assert_array_equal(dn.jit(f)(x), f(x))


def test_errors_are_those_of_numpy():
    with pytest.raises(Exception, match="out of bounds"):
        dn.jit(lambda x: x[0] + x[7])(X)
    with pytest.raises(ValueError, match="could not be broadcast"):
        dn.jit(lambda x: x[:3] + x[:2])(X)
    with pytest.raises(ValueError, match="matmul"):
        dn.jit(lambda x: A[:3, :3] @ x)(X)


def test_a_trace_of_too_many_scalars_keeps_its_arrays():
    rng = np.random.default_rng(3)
    matrices = [rng.normal(size=(8, 8)) / 4 for _ in range(3)]
    ops = rng.integers(0, 3, 100)

    def f(x):
        for i, k in enumerate(ops):
            x = np.tanh(matrices[k] @ x) + 0.01 * i if k else np.sin(matrices[k] @ x)[::-1]
        return x

    x = rng.normal(size=(8, 2))
    fast = dn.jit(f)
    np.testing.assert_allclose(fast(x), f(x), rtol=1e-11)
