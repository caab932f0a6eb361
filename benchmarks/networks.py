"""Networks, Hessians, series and numbers under `jit`, side by side with peers: ``python benchmarks/networks.py``.

Every row times all that can compute it in turn, and gives the medians and their ratios to `dn.jit`. What is not
installed is left out. Results are compared before anything is timed. Set DUALNUM_NUM_THREADS=1 and
OPENBLAS_NUM_THREADS=1 for one thread each; XLA is told here.
"""

import os
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from reverse import medians

import dualnum as dn

try:
    import jax
    import jax.numpy as jnp
    from jax.experimental import jet as jax_jet

    jax.config.update("jax_enable_x64", True)
except ImportError:
    jax = None
try:
    import folx
except ImportError:
    folx = None

Row = tuple[str, dict[str, Callable[[], Any]]]


def waited(f: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """A call of JAX whose results are there when it returns."""
    compiled = jax.jit(f)
    return lambda: jax.block_until_ready(compiled(*args))


def layers(dimensions: int, width: int) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    sizes = [dimensions, width, width, width, 1]
    shapes = pairwise(sizes)
    return [(rng.normal(size=(m, n)) / np.sqrt(m), rng.normal(size=n)) for m, n in shapes]


def network(xp: Any, x: Any, weights: Any) -> Any:
    for W, b in weights[:-1]:
        x = xp.tanh(x @ W + b)
    return (x @ weights[-1][0] + weights[-1][1])[..., 0]


def ours(f: Callable[..., Any], *args: Any) -> dict[str, Callable[[], Any]]:
    jitted = dn.jit(f)
    for _ in range(12):  # it is measured against the function itself on the first of these
        jitted(*args)
    return {"jit": lambda: jitted(*args), "eager": lambda: f(*args)}


def laplacian(dimensions: int, count: int, width: int) -> Row:
    weights, x = layers(dimensions, width), np.random.default_rng(1).normal(size=(count, dimensions))
    runs = ours(dn.laplacian(lambda x: network(np, x, weights), axis=-1), x)
    if folx is not None and jax is not None:
        at = [(jnp.asarray(W), jnp.asarray(b)) for W, b in weights]
        one = folx.forward_laplacian(lambda x: network(jnp, x, at))
        runs["folx"] = waited(jax.vmap(lambda x: one(x).laplacian), jnp.asarray(x))
    return f"Laplacian, {dimensions} dimensions, {count} points, {width} units", runs


def hessian(n: int) -> Row:
    rng = np.random.default_rng(2)
    A, x = rng.normal(size=(n, n)) / np.sqrt(n), rng.normal(size=n)
    runs = ours(dn.hessian(lambda x: np.sum(np.tanh(A @ x))), x)
    if jax is not None:
        B = jnp.asarray(A)
        runs["jax"] = waited(jax.hessian(lambda x: jnp.sum(jnp.tanh(B @ x))), jnp.asarray(x))
    return f"Hessian of sum(tanh(A x)), n = {n}", runs


def gradient(width: int) -> Row:
    weights, rng = layers(10, width), np.random.default_rng(3)
    x, y = rng.normal(size=(256, 10)), rng.normal(size=256)

    def loss(xp: Any) -> Callable[..., Any]:
        x0, y0 = xp.asarray(x), xp.asarray(y)
        return lambda weights: xp.mean((network(xp, x0, weights) - y0) ** 2)

    runs = ours(dn.value_and_grad(loss(np)), weights)
    if jax is not None:
        runs["jax"] = waited(jax.value_and_grad(loss(jnp)), [(jnp.asarray(W), jnp.asarray(b)) for W, b in weights])
    return f"gradient of a network, 256 points, {width} units", runs


def formula(xp: Any, x: Any) -> Any:
    """14 operations."""
    return xp.exp(-x * x) * xp.sin(3 * x) + xp.tanh(x) / (1 + x**2) + xp.log(2 + xp.cos(x))


def series(n: int) -> Row:
    x = np.random.default_rng(4).normal(size=n)
    runs = ours(lambda x: formula(np, dn.jet(x, 3)).planes, x)
    if jax is not None:

        def coefficients(x: Any) -> Any:
            zero = jnp.zeros_like(x)
            y, higher = jax_jet.jet(lambda x: formula(jnp, x), (x,), ((jnp.ones_like(x), zero, zero),))
            return jnp.stack([y, *(h / k for h, k in zip(higher, (1.0, 2.0, 6.0), strict=True))])

        runs["jax"] = waited(coefficients, jnp.asarray(x))
    return f"order-3 jets, n = {n}", runs


def numbers(k: int) -> Row:
    return f"derivative {k} of a number", ours(dn.derivative(lambda x: formula(np, x), k), 0.7)


def flat(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return np.concatenate([flat(y) for y in result])
    return np.ravel(np.asarray(result))


def main() -> None:
    rows = [laplacian(*sizes) for sizes in ((10, 100, 64), (10, 1000, 64), (100, 100, 64), (100, 100, 128))]
    rows += [hessian(200), *map(gradient, (64, 128, 256)), series(10**6), *map(numbers, range(1, 5))]
    start = time.perf_counter()
    for name, runs in rows:
        expected = flat(runs["eager"]())
        for peer, run in runs.items():
            np.testing.assert_allclose(flat(run()), expected, rtol=1e-8, atol=1e-8, err_msg=f"{name}: {peer}")
        times = medians(runs)
        shown = (f"{peer} {t * 1e6:10.1f} µs ({t / times['jit']:.2f})" for peer, t in times.items())
        print(f"{name:52s}", "  ".join(shown), flush=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
