"""Reverse mode side by side with its peers, in one run: ``python benchmarks/reverse.py``.

Every row times all that can compute it in turn, again and again, and gives the medians and their ratios to
dualnum's. What is not installed is left out. Results are compared before anything is timed.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

# threads that spin while they wait for work would take a core from whoever is measured next
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

import dualnum as dn

try:
    import torch
except ImportError:
    torch = None
try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None
try:
    import jax

    jax.config.update("jax_enable_x64", True)
except ImportError:
    jax = None

SECONDS = float(os.environ.get("SECONDS", "1.5"))  # for one row


def medians(runs: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median time of each, measured in turn so that all see the same machine."""
    for run in runs.values():
        run(), run()
    # a time of one repetition that the clock can see
    repeats = {}
    for name, run in runs.items():
        start = time.perf_counter()
        run()
        repeats[name] = max(1, int(2e-3 / max(1e-7, time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in runs}
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until or len(times[name]) < 5:
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(t) for name, t in times.items()}


def compared(title: str, runs: dict[str, Callable[[], Any] | None], tolerance: float = 1e-9) -> None:
    """One row of the table; the results must agree with the first one's."""
    available = {name: run for name, run in runs.items() if run is not None}
    expected = None
    for name, run in available.items():
        if name == "value":
            continue
        result = run()
        leaves = result if isinstance(result, (tuple, list)) else [result]
        leaves = [np.asarray(x.detach() if torch is not None and isinstance(x, torch.Tensor) else x) for x in leaves]
        if expected is None:
            expected = leaves
        for a, b in zip(leaves, expected, strict=True):
            scale = np.max(np.abs(b)) or 1.0
            assert np.max(np.abs(a - b)) <= tolerance * scale, f"{title}: {name} differs by {np.max(np.abs(a - b))}"
    times = medians(available)
    own = times["dualnum"]
    row = "  ".join(f"{name} {t * 1e6:.0f} µs ({t / own:.2f}×)" for name, t in times.items())
    print(f"{title:<42}{row}", flush=True)


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def gradient_of_rosenbrock(n: int) -> None:
    x = np.linspace(-1.0, 1.5, n)
    own = dn.grad(rosenbrock)
    jitted = dn.jit(own)

    def with_torch() -> Any:
        v = torch.tensor(x, requires_grad=True)
        (g,) = torch.autograd.grad(rosenbrock(v), v)
        return g

    theirs = autograd and autograd.grad(lambda x: anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2))
    compiled = jax and jax.jit(jax.grad(rosenbrock))
    compared(
        f"gradient, Rosenbrock in {n} variables",
        {
            "dualnum": lambda: own(x),
            "value": lambda: rosenbrock(x),
            "dualnum jit": lambda: jitted(x),
            "torch": torch and with_torch,
            "autograd": autograd and (lambda: theirs(x)),
            "jax jit": jax and (lambda: compiled(x).block_until_ready()),
        },
    )


def hessian_vector_product(n: int) -> None:
    x, v = np.linspace(-1.0, 1.5, n), np.cos(np.arange(n))
    own = dn.hvp(rosenbrock)

    def with_torch() -> Any:
        u = torch.tensor(x, requires_grad=True)
        (g,) = torch.autograd.grad(rosenbrock(u), u, create_graph=True)
        (h,) = torch.autograd.grad(g, u, torch.tensor(v))
        return h

    compared(
        f"H·v, Rosenbrock in {n} variables",
        {
            "dualnum": lambda: own(x, v),
            "value": lambda: rosenbrock(x),
            "torch": torch and with_torch,
        },
    )


def dense_hessian(n: int) -> None:
    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(n, n)) / np.sqrt(n), rng.normal(size=n)

    def f(x: Any, xp: Any, a: Any) -> Any:
        return xp.sum(xp.tanh(a @ x) ** 2) + xp.sum(x**3)

    own = dn.hessian(lambda x: f(x, np, a))
    with_torch = None
    if torch is not None:
        a_, x_ = torch.tensor(a), torch.tensor(x)
        theirs = torch.func.hessian(lambda x: f(x, torch, a_))
        with_torch = lambda: theirs(x_)  # noqa: E731
    compared(f"dense Hessian with a matmul, n = {n}", {"dualnum": lambda: own(x), "torch.func": with_torch})


def network(points: int, width: int) -> None:
    rng = np.random.default_rng(1)
    shapes = [(1, width), (width,), (width, width), (width,), (width, 1), (1,)]
    weights = [rng.normal(size=s) / np.sqrt(s[0]) for s in shapes]
    x = np.linspace(-2.0, 2.0, points)[:, None]

    def u(x: Any, w: Any, xp: Any) -> Any:
        return xp.tanh(xp.tanh(x @ w[0] + w[1]) @ w[2] + w[3]) @ w[4] + w[5]

    def derivatives() -> Any:
        return u(dn.jet(x, 4), weights, np).derivatives()

    def with_torch() -> Any:
        t = torch.tensor(x, requires_grad=True)
        w = [torch.tensor(v) for v in weights]
        y = u(t, w, torch)
        results = [y]
        for _ in range(4):
            (y,) = torch.autograd.grad(y, t, torch.ones_like(y), create_graph=True)
            results.append(y)
        return results

    compared("u … u⁗ of a network, 10,000 points", {"dualnum": derivatives, "torch": torch and with_torch}, 1e-8)

    def loss(w: Any) -> Any:
        y = u(dn.jet(x, 2), w, np)
        return np.mean((y.derivative(2) + y.value) ** 2)

    own = dn.grad(loss)

    def double_backward() -> Any:
        t = torch.tensor(x, requires_grad=True)
        w = [torch.tensor(v, requires_grad=True) for v in weights]
        y = u(t, w, torch)
        (d1,) = torch.autograd.grad(y, t, torch.ones_like(y), create_graph=True)
        (d2,) = torch.autograd.grad(d1, t, torch.ones_like(y), create_graph=True)
        return torch.autograd.grad(torch.mean((d2 + y) ** 2), w)

    compared(
        "gradient of ‖u″ + u‖², its weights",
        {"dualnum": lambda: own(weights), "torch": torch and double_backward},
        1e-8,
    )


def memory(n: int) -> None:
    """The peak of a gradient, in arrays of the size of x, beside what is recorded."""
    import tracemalloc

    x = np.linspace(-1.0, 1.5, n)
    own = dn.grad(rosenbrock)
    own(x)
    for name, run in (("value", rosenbrock), ("gradient", own), ("H·v", lambda x: dn.hvp(rosenbrock)(x, x))):
        dn.memory.release()  # what is kept from earlier calls would not be counted
        tracemalloc.start()
        run(x)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"peak memory of the {name}: {peak / x.nbytes:.1f} arrays of the size of x")


ROWS: dict[str, Callable[[], None]] = {
    "small": lambda: gradient_of_rosenbrock(10),
    "large": lambda: gradient_of_rosenbrock(1_000_000),
    "hvp": lambda: hessian_vector_product(1_000_000),
    "hessian": lambda: dense_hessian(200),
    "network": lambda: network(10_000, 64),
    "memory": lambda: memory(1_000_000),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ROWS:
        ROWS[name]()
