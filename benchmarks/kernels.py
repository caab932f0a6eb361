"""Taylor coefficients of elementwise functions, beside the peers, in one run.

    python benchmarks/kernels.py [--full] [--json FILE]

Every contender computes all coefficients (or derivatives) up to the order at every point. Contenders alternate
within a measurement; a figure is the median of warm calls; the table shows how many times longer the peer takes
than dualnum (more than 1: dualnum is faster). Peers: see requirements.txt; one that is not installed is left out.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import dualnum as dn
from dualnum import jet
from dualnum.kernel import interpret
from dualnum.kernel.engine import engine

Case = Callable[..., Any]


# ── the functions, for any namespace with NumPy's names ──────────────────────────────────────────


def reference(x: Any, xp: Any) -> Any:
    """The function of the design note."""
    return xp.sin(x) * xp.exp(-x * x) + xp.log(1 + x * x) / (2 + xp.cos(x))


def rational(x: Any, xp: Any) -> Any:
    """A rational function of degree (5, 4)."""
    return (1 + x * (2 - x * (0.5 + x * (0.25 - x * (0.1 + 0.05 * x))))) / (3 + x * x * (1 + x * x))


def deep(x: Any, xp: Any) -> Any:
    """A composition of 30 operations."""
    for i in range(6):
        x = xp.tanh(0.9 * x + 0.1 * i)
        x = xp.sqrt(1 + x * x) - 0.5
    return x


def helmholtz(x: Any, xp: Any) -> Any:
    """A sum of powers and exponentials, as in equations of state, along a line through (density, temperature)."""
    d, t = 0.3 + 0.1 * x, 1.2 + 0.05 * x
    total = xp.log(d)
    for n, i, j in ((0.8, 1, 0.25), (-1.8, 1, 1.25), (0.5, 2, 0.5), (-0.3, 3, 1.0)):
        total = total + n * d**i * t**j
    for n, i, j, p in ((0.2, 1, 2.0, 1), (-0.1, 2, 4.0, 2), (0.05, 4, 1.5, 2)):
        total = total + n * d**i * t**j * xp.exp(-(d**p))
    return total


FUNCTIONS = {f.__name__: f for f in (reference, rational, deep, helmholtz)}


# ── contenders ───────────────────────────────────────────────────────────────────────────────────


def jax_contenders(f: Case, order: int, x: np.ndarray) -> dict[str, Case]:
    """JAX's jet and nested jvp, jitted, with its results awaited."""
    try:
        import jax
        import jax.numpy as jnp
        from jax.experimental import jet as jaxjet
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    a = jnp.asarray(x)
    g = lambda x: f(x, jnp)  # noqa: E731

    def by_jet(x: Any) -> Any:
        series = [jnp.ones_like(x)] + [jnp.zeros_like(x)] * (order - 1)
        return jaxjet.jet(g, (x,), (series,))

    def by_jvp(x: Any) -> Any:
        results, h = [g(x)], g
        for _ in range(order):
            h = derivative_of(h)
            results.append(h(x))
        return results

    def derivative_of(h: Case) -> Case:
        return lambda x: jax.jvp(h, (x,), (jnp.ones_like(x),))[1]

    def awaited(c: Case) -> Case:
        return lambda: jax.block_until_ready(c(a))

    found = {"jax jet, jitted": awaited(jax.jit(by_jet))}
    if order <= 5:
        found["jax nested jvp, jitted"] = awaited(jax.jit(by_jvp))
    if len(x) <= 100_000 or order <= 3:
        found["jax jet, eager"] = awaited(by_jet)
    return found


def torch_contender(f: Case, order: int, x: np.ndarray) -> dict[str, Case]:
    """PyTorch's nested grad."""
    try:
        import torch
    except ImportError:
        return {}
    if order > 3 or len(x) > 1_000_000:
        return {}

    def nested() -> Any:
        t = torch.tensor(x, requires_grad=True)
        results = [f(t, torch)]
        for _ in range(order):
            results.append(torch.autograd.grad(results[-1].sum(), t, create_graph=True)[0])
        return results

    return {"torch nested grad": nested}


def algopy_contender(f: Case, order: int, x: np.ndarray) -> dict[str, Case]:
    """algopy's univariate Taylor polynomials."""
    try:
        import algopy
    except ImportError:
        return {}
    if len(x) > 1_000_000 or order > 10:
        return {}
    data = np.zeros((order + 1, 1, len(x)), x.dtype)
    data[0, 0], data[1, 0] = x, 1
    return {"algopy": lambda: f(algopy.UTPM(data), algopy)}


def contenders(f: Case, order: int, x: np.ndarray) -> dict[str, Case]:
    g = lambda x: f(x, np)  # noqa: E731
    fast = dn.jit(dn.taylor(g, order))
    seeded = jet(x, order)

    def interpreted(run: Case, block: int) -> Case:
        def call() -> Any:
            with engine("interpret"):
                before, interpret.run.__defaults__ = interpret.run.__defaults__, (block,)
                try:
                    return run()
                finally:
                    interpret.run.__defaults__ = before

        return call

    found: dict[str, Case] = {
        "dualnum, jitted": lambda: fast(x),
        "dualnum, eager": lambda: g(seeded),
        "interpreter, jitted": interpreted(lambda: fast(x), interpret.BLOCK),
        "the same, one block": interpreted(lambda: fast(x), 10**9),
        "whole-array recurrences": interpreted(lambda: g(seeded), 10**9),
        "numpy, f alone": lambda: g(x),
    }
    if len(x) > 1_000_000:
        found = {name: found[name] for name in ("dualnum, jitted", "numpy, f alone")}
    for peer in (jax_contenders, torch_contender, algopy_contender):
        try:
            found.update(peer(f, order, x))
        except Exception as error:  # a peer that cannot do it
            print(f"  ({peer.__name__}: {type(error).__name__}: {str(error)[:80]})")
    return found


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


def medians(cases: dict[str, Case], budget: float) -> dict[str, float]:
    """Median seconds of warm calls, the contenders taking turns."""
    number, alive = {}, {}
    for name, call in cases.items():
        try:
            call()
            start = time.perf_counter()
            call()
            number[name] = max(1, int(2e-4 / max(time.perf_counter() - start, 1e-7)))
            alive[name] = call
        except Exception as error:
            print(f"  ({name}: {type(error).__name__}: {str(error)[:80]})")
    times: dict[str, list[float]] = {name: [] for name in alive}
    end = time.perf_counter() + budget
    while time.perf_counter() < end or min(map(len, times.values())) < 3:
        for name, call in alive.items():
            start = time.perf_counter()
            for _ in range(number[name]):
                call()
            times[name].append((time.perf_counter() - start) / number[name])
        if len(times["dualnum, jitted"]) >= 60:
            break
    return {name: statistics.median(t) for name, t in times.items()}


def first_call(f: Case, order: int, x: np.ndarray) -> dict[str, float]:
    """Seconds of the first call: trace, compile and run, with nothing kept on disk."""
    import os

    os.environ["DUALNUM_CACHE"] = "0"
    times = {}
    never_seen = float(np.random.default_rng().random())
    g = lambda x: f(x, np) + never_seen  # noqa: E731
    start = time.perf_counter()
    dn.jit(dn.taylor(g, order))(x)
    times["dualnum, jitted"] = time.perf_counter() - start
    for name, call in jax_contenders(f, order, x).items():
        if "jitted" in name:
            start = time.perf_counter()
            call()
            times[name] = time.perf_counter() - start
    return times


def show(rows: list[dict[str, Any]]) -> None:
    """The table: times of dualnum, and how many times longer the others take."""
    names: list[str] = []
    for row in rows:
        names += [n for n in row["seconds"] if n not in names]
    names.remove("dualnum, jitted")
    print("\ntimes of `dn.jit(dn.taylor(f, K))`, and how many times as long the others take\n")
    print(f"{'function':<11}{'type':<9}{'order':>5}{'points':>11}{'jitted':>12}   " + "   ".join(names))
    for row in rows:
        base = row["seconds"]["dualnum, jitted"]
        cells = [
            f"{row['seconds'][n] / base:.1f}".rjust(len(n)) if n in row["seconds"] else " " * len(n) for n in names
        ]
        print(
            f"{row['function']:<11}{row['dtype']:<9}{row['order']:>5}{row['points']:>11,}"
            f"{1e6 * base:>10,.1f}µs   " + "   ".join(cells)
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all functions, types, orders and lengths (half an hour)")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    if options.full:
        orders, lengths, dtypes = (1, 2, 3, 5, 8, 10, 20), (1, 10, 1000, 10**5, 10**6, 10**7), ("float64", "float32")
        plan = [(f, d, k, n) for f in FUNCTIONS for d in dtypes for k in orders for n in lengths if k * n <= 3 * 10**7]
    else:
        plan = [("reference", "float64", k, n) for k in (1, 3, 10) for n in (10, 1000, 10**6)]
        plan += [(f, "float64", 3, 10**6) for f in FUNCTIONS if f != "reference"]
        plan += [("reference", "float32", 3, 10**6), ("reference", "float64", 20, 10**5)]
    rows = []
    with engine("llvm"):
        for name, dtype, order, n in plan:
            print(f"{name} {dtype} order {order}, {n:,} points", flush=True)
            x = np.linspace(0.1, 2.0, n).astype(dtype)
            seconds = medians(contenders(FUNCTIONS[name], order, x), 1.0 if n < 10**6 else 4.0)
            rows.append({"function": name, "dtype": dtype, "order": order, "points": n, "seconds": seconds})
        show(rows)
        first = first_call(reference, 3, np.linspace(0.1, 2.0, 1000))
        base = first["dualnum, jitted"]
        print("\nfirst call, order 3, 1,000 points (trace, compile, run)")
        for contender, seconds in first.items():
            print(f"  {contender:<26}{1e3 * seconds:8.1f} ms   {seconds / base:5.1f}")
    print(
        f"\n{platform.processor() or platform.machine()}, {np.__name__} {np.__version__}, {platform.python_version()}"
    )
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"rows": rows, "first call": first, "machine": platform.machine()}, file, indent=1)


if __name__ == "__main__":
    main()
