"""Derivatives on a GPU beside the peers, in one run.

    python benchmarks/gpu.py [CASE …] [--points N …] [--orders K …] [--dtype T] [--seconds S] [--json FILE] [--quick]

series      all Taylor coefficients of one function at many points, against what a copy moves in the same time
network     u, u′ … u⁗ of a network at many points
laplacian   of a network of 50 variables at 2,048 points
gradient    of Rosenbrock's function in many variables, and product its Hessian times a vector
eager       one operation on a short jet: the time of a call, nothing being waited for

Contenders take turns; a figure is the median of warm calls, measured by CUDA events (JAX, whose streams are its own, by
the clock until its results are there), and a ratio says how many times longer the peer takes. Results are compared
before anything is timed. Peers: JAX and PyTorch, as built for CUDA; one that is not installed is left out, and so is,
with the reason, what fails or has too little memory.

With --quick sizes are tiny, and it runs on a stand-in for a GPU as well (see tests/gpu/conftest.py), with peers on the
CPU: it shows that everything runs, and its times say nothing.
"""

import argparse
import contextlib
import datetime
import importlib
import itertools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from math import factorial
from typing import Any, NamedTuple

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # there are others on the device

import numpy as np
from kernels import reference
from reverse import jax, rosenbrock, torch

import dualnum as dn

QUICK = "--quick" in sys.argv


def _cupy() -> Any:
    """CuPy; with --quick on a stand-in for a device, where there is one, which comes first."""
    if QUICK:
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module("fakegpu")
    return importlib.import_module("cupy")


cp = _cupy()
if torch is not None and not (torch.cuda.is_available() or QUICK):
    print("torch is built without CUDA, and left out")
    torch = None
if torch is not None:
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
if jax is not None and not (jax.default_backend() == "gpu" or QUICK):
    print("jax is built without CUDA, and left out")
    jax = None

_SEEN = 1000  # entries of each result that are compared


class Contender(NamedTuple):
    """Something to be timed.

    Attributes:
        run: gives its results, which may not be there yet.
        shown: the results in the form of all contenders, as a list of arrays.
        wait: until they are there, for those whose streams CUDA events of ours do not see.
    """

    run: Callable[[], Any]
    shown: Callable[[Any], Any] = lambda y: [y]
    wait: Callable[[Any], Any] | None = None


class Row(NamedTuple):
    """What is computed in several ways, the first of them ours; `moved` bytes at least."""

    title: str
    contenders: dict[str, Contender]
    moved: int = 0
    tolerance: float = 1e-9


def with_jax(run: Callable[[], Any], shown: Callable[[Any], Any] = lambda y: [y]) -> Contender:
    return Contender(run, shown, jax.block_until_ready)


def tensor(x: np.ndarray) -> Any:
    return torch.as_tensor(x, device=torch.get_default_device())


# ── what is computed ─────────────────────────────────────────────────────────────────────────────


def series(points: int, order: int, dtype: str) -> Row:
    x = np.linspace(0.1, 2.0, points).astype(dtype)
    a = cp.asarray(x)
    g = lambda x: reference(x, np)  # noqa: E731
    fast = dn.jit(dn.taylor(g, order))

    def derivatives(c: Any) -> list[Any]:
        return [c[k, :_SEEN] * factorial(k) for k in range(order + 1)]

    found = {"dualnum, jitted": Contender(lambda: fast(a), derivatives)}
    if points <= 20_000_000:
        found["dualnum, eager"] = Contender(lambda: g(dn.jet(a, order)).coeffs, derivatives)
    found["cupy, f alone"] = Contender(lambda: g(a), lambda y: [])
    if jax is not None:
        found |= series_by_jax(x, order)
    if torch is not None and order <= 5:
        found |= series_by_torch(x, order)
    tolerance = 1e-9 if dtype == "float64" else 1e-2
    return Row(f"series, order {order}, {points:,} points, {dtype}", found, (order + 2) * a.nbytes, tolerance)


def series_by_jax(x: np.ndarray, order: int) -> dict[str, Contender]:
    from jax.experimental import jet as jaxjet

    jnp, f = jax.numpy, lambda x: reference(x, jax.numpy)
    a = jnp.asarray(x)

    def by_jet(x: Any) -> Any:
        value, terms = jaxjet.jet(f, (x,), ([jnp.ones_like(x)] + [jnp.zeros_like(x)] * (order - 1),))
        return [value, *terms]

    def by_jvp(x: Any) -> Any:
        results, h = [f(x)], f
        for _ in range(order):
            h = slope(h)
            results.append(h(x))
        return results

    def slope(h: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x: jax.jvp(h, (x,), (jnp.ones_like(x),))[1]

    jet, jvp = jax.jit(by_jet), jax.jit(by_jvp)
    found = {"jax jet, jitted": with_jax(lambda: jet(a), _heads)}
    if order <= 5:
        found["jax nested jvp, jitted"] = with_jax(lambda: jvp(a), _heads)
    return found


def series_by_torch(x: np.ndarray, order: int) -> dict[str, Contender]:
    t = tensor(x)

    def nested() -> Any:
        return nested_gradients(lambda t: reference(t, torch), t, order)

    def functional(t: Any) -> Any:  # what torch.compile takes more than one of
        h = lambda t: reference(t, torch)  # noqa: E731
        results = [h(t)]
        for _ in range(order):
            h = slope(h)
            results.append(h(t))
        return results

    def slope(h: Callable[..., Any]) -> Callable[..., Any]:
        return torch.func.grad(lambda t: h(t).sum())

    compiled = torch.compile(functional)
    return {
        "torch nested grad": Contender(nested, _heads),
        "torch nested grad, compiled": Contender(lambda: compiled(t), _heads),
    }


def nested_gradients(f: Callable[..., Any], t: Any, order: int) -> list[Any]:
    """f and its derivatives, f being elementwise or one row at a time."""
    t = t.detach().requires_grad_()
    results = [f(t)]
    for _ in range(order):
        y = results[-1]
        results.append(torch.autograd.grad(y, t, torch.ones_like(y), create_graph=True)[0])
    return results


def _heads(results: Any) -> list[Any]:
    return [y[:_SEEN] for y in results]


def through(weights: Any, z: Any, xp: Any) -> Any:
    """A network of tanh, to one number."""
    for w in weights[:-1]:
        z = xp.tanh(z @ w)
    return (z @ weights[-1])[..., 0]


def network(points: int, width: int) -> Row:
    """Of one variable."""
    rng = np.random.default_rng(1)
    shapes = [(1, width), (width, width), (width, width), (width, 1)]
    weights = [rng.normal(size=s) / np.sqrt(s[0]) for s in shapes]
    x = np.linspace(-2.0, 2.0, points)[:, None]
    a, w = cp.asarray(x), [cp.asarray(v) for v in weights]
    fast = dn.jit(dn.taylor(lambda x: through(w, x, np), 4))

    def derivatives(c: Any) -> list[Any]:
        return [c[k, :_SEEN] * factorial(k) for k in range(5)]

    found = {
        "dualnum, jitted": Contender(lambda: fast(a), derivatives),
        "dualnum, eager": Contender(lambda: through(w, dn.jet(a, 4), np).coeffs, derivatives),
    }

    if jax is not None:
        from jax.experimental import jet as jaxjet

        ja, jw = jax.numpy.asarray(x), [jax.numpy.asarray(v) for v in weights]

        def by_jet(x: Any) -> Any:
            terms = [jax.numpy.ones_like(x)] + [jax.numpy.zeros_like(x)] * 3
            value, found = jaxjet.jet(lambda x: through(jw, x, jax.numpy), (x,), (terms,))
            return [value, *found]

        jet = jax.jit(by_jet)
        found["jax jet, jitted"] = with_jax(lambda: jet(ja), lambda ys: [y.ravel()[:_SEEN] for y in ys])
    if torch is not None:
        t, tw = tensor(x), [tensor(v) for v in weights]
        nested = lambda: nested_gradients(lambda t: through(tw, t, torch), t, 4)  # noqa: E731
        found["torch nested grad"] = Contender(nested, lambda ys: [y.ravel()[:_SEEN] for y in ys])
    return Row(f"u … u⁗ of a network {width} wide, {points:,} points", found, 0, 1e-7)


def laplacian(variables: int, points: int, widths: tuple[int, ...]) -> Row:
    """The measurement of torch-jet: a network of tanh with layers of these widths, in float64."""
    rng = np.random.default_rng(2)
    sizes = (variables, *widths, 1)
    weights = [rng.normal(size=s) / np.sqrt(s[0]) for s in itertools.pairwise(sizes)]
    x = rng.normal(size=(points, variables))
    a, w = cp.asarray(x), [cp.asarray(v) for v in weights]
    operator = dn.laplacian(lambda z: through(w, z, np), axis=-1)
    compiled = dn.jit(operator)
    found = {
        "dualnum, jitted": Contender(lambda: compiled(a)),
        "dualnum, eager": Contender(lambda: operator(a)),
    }
    if jax is not None:
        from jax.experimental import jet as jaxjet

        jnp = jax.numpy

        def by_jet(z: Any, v: Any) -> Any:
            return jaxjet.jet(f, (z,), ((v, jnp.zeros_like(v)),))[1][1]

        ja, jw = jnp.asarray(x), [jnp.asarray(v) for v in weights]
        f = lambda z: through(jw, z, jnp)  # noqa: E731
        ways = {
            "jax hessian, trace": lambda z: jnp.trace(jax.hessian(f)(z)),
            "jax jet": lambda z: jnp.sum(jax.vmap(lambda v: by_jet(z, v))(jnp.eye(variables))),
        }
        for name, way in ways.items():
            fast = jax.jit(jax.vmap(way))
            found[name + ", jitted"] = with_jax(lambda fast=fast: fast(ja))
    if torch is not None:
        t, tw = tensor(x), [tensor(v) for v in weights]
        trace = torch.func.vmap(lambda z: torch.trace(torch.func.hessian(lambda z: through(tw, z, torch))(z)))
        fast_trace = torch.compile(trace)
        found["torch.func.hessian, trace"] = Contender(lambda: trace(t))
        found["the same, compiled"] = Contender(lambda: fast_trace(t))
    return Row(f"Laplacian in {variables} variables, {points:,} points", found, 0, 1e-7)


def gradient(n: int) -> Row:
    x = np.linspace(-1.0, 1.5, n)
    a, own = cp.asarray(x), dn.grad(rosenbrock)
    fast = dn.jit(own)
    found = {
        "dualnum, jitted": Contender(lambda: fast(a)),
        "dualnum, eager": Contender(lambda: own(a)),
        "cupy, f alone": Contender(lambda: rosenbrock(a), lambda y: []),
    }
    if jax is not None:
        ja, theirs = jax.numpy.asarray(x), jax.jit(jax.grad(rosenbrock))
        found["jax, jitted"] = with_jax(lambda: theirs(ja))
    if torch is not None:
        t, compiled = tensor(x), torch.compile(torch.func.grad(rosenbrock))

        def backward() -> Any:
            v = t.detach().requires_grad_()
            return torch.autograd.grad(rosenbrock(v), v)[0]

        found["torch"] = Contender(backward)
        found["torch, compiled"] = Contender(lambda: compiled(t))
    return Row(f"gradient, Rosenbrock in {n:,} variables", found, 2 * a.nbytes)


def product(n: int) -> Row:
    x, v = np.linspace(-1.0, 1.5, n), np.cos(np.arange(n))
    a, b, own = cp.asarray(x), cp.asarray(v), dn.hvp(rosenbrock)
    fast = dn.jit(own)
    found = {
        "dualnum, jitted": Contender(lambda: fast(a, b)),
        "dualnum, eager": Contender(lambda: own(a, b)),
    }
    if jax is not None:
        ja, jb = jax.numpy.asarray(x), jax.numpy.asarray(v)
        theirs = jax.jit(lambda x, v: jax.jvp(jax.grad(rosenbrock), (x,), (v,))[1])
        found["jax, jitted"] = with_jax(lambda: theirs(ja, jb))
    if torch is not None:
        t, u = tensor(x), tensor(v)

        def twice() -> Any:
            z = t.detach().requires_grad_()
            (g,) = torch.autograd.grad(rosenbrock(z), z, create_graph=True)
            return torch.autograd.grad(g, z, u)[0]

        found["torch"] = Contender(twice)
    return Row(f"H·v, Rosenbrock in {n:,} variables", found, 3 * a.nbytes)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


def compared(row: Row) -> dict[str, Contender]:
    """Those that work and agree with the first; of the others the reason is printed."""
    good: dict[str, Contender] = {}
    expected: list[np.ndarray] = []
    for name, c in row.contenders.items():
        try:
            result = c.run()
            arrays = [_on_host(y).ravel()[:_SEEN] for y in c.shown(result)]
            del result
        except Exception as error:  # no memory, or what a peer cannot do
            print(f"  ({name}: {type(error).__name__}: {str(error).splitlines()[0][:80] if str(error) else ''})")
            continue
        expected = expected or arrays
        for y, z in zip(arrays, expected, strict=False):
            scale = np.max(np.abs(z)) or 1.0
            assert np.max(np.abs(y - z)) <= row.tolerance * scale, f"{row.title}: {name} differs"
        good[name] = c
    return good


def _on_host(y: Any) -> np.ndarray:
    if torch is not None and isinstance(y, torch.Tensor):
        return y.detach().cpu().numpy()
    return cp.asnumpy(y) if isinstance(y, cp.ndarray) else np.asarray(y)


def once(c: Contender, repeats: int) -> float:
    """Seconds of one of so many calls in a row."""
    if c.wait is not None:
        start = time.perf_counter()
        for _ in range(repeats):
            y = c.run()
        c.wait(y)
        return (time.perf_counter() - start) / repeats
    begin, end = cp.cuda.Event(), cp.cuda.Event()
    begin.record()
    for _ in range(repeats):
        y = c.run()
    end.record()
    end.synchronize()
    del y
    return float(cp.cuda.get_elapsed_time(begin, end)) * 1e-3 / repeats


def medians(contenders: dict[str, Contender], seconds: float) -> dict[str, float]:
    """Median seconds of warm calls, the contenders taking turns."""
    repeats = {}
    for name, c in contenders.items():
        once(c, 1)
        repeats[name] = min(1000, max(1, int(5e-3 / max(once(c, 1), 1e-6)))) if seconds else 1
    times: dict[str, list[float]] = {name: [] for name in contenders}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or min(map(len, times.values())) < (5 if seconds else 1):
        for name, c in contenders.items():
            times[name].append(once(c, repeats[name]))
    return {name: statistics.median(t) for name, t in times.items()}


def copy_speed(size: int, seconds: float) -> float:
    """Bytes a second, read and written, of a copy on the device."""
    a, b = cp.zeros(size, np.uint8), cp.empty(size, np.uint8)
    time = medians({"copy": Contender(lambda: cp.copyto(b, a))}, seconds)["copy"]
    return 2 * size / max(time, 1e-12)


def shown(row: Row, speed: float, seconds: float) -> dict[str, float]:
    """A row of the table; times of its contenders."""
    contenders = compared(row)
    times = medians(contenders, seconds) if contenders else {}
    own = next(iter(times.values()), 0.0)
    text = f"{row.title}\n"
    for name, t in times.items():
        text += f"    {name:<28}{1e6 * t:>14,.1f} µs{t / max(own, 1e-12):>9.2f}×"
        if row.moved and name.startswith("dualnum"):
            text += f"{row.moved / max(t, 1e-12) / speed:>8.0%} of a copy's speed"
        text += "\n"
    print(text, end="", flush=True)
    return times


def eager(points: int, calls: int) -> dict[str, float]:
    """Microseconds of Python's until a call gives its result back, which need not be there yet."""
    a = cp.linspace(0.1, 1.0, points)
    x = dn.jet(a, 3)
    runs: dict[str, Callable[[], Any]] = {
        "np.sin(jet)": lambda: np.sin(x),
        "np.exp(jet)": lambda: np.exp(x),
        "jet * jet": lambda: x * x,
        "jet + array": lambda: x + a,
        "cupy.sin(array)": lambda: cp.sin(a),
    }
    found = {}
    for name, run in runs.items():
        samples = []
        for _ in range(5 if calls > 100 else 1):
            run()
            cp.cuda.get_current_stream().synchronize()
            start = time.perf_counter()
            for _ in range(calls):
                run()
            samples.append((time.perf_counter() - start) / calls)
            cp.cuda.get_current_stream().synchronize()
        found[name] = statistics.median(samples)
    print(
        f"eager, order 3, {points:,} points, float64: " + ", ".join(f"{n} {1e6 * t:.1f} µs" for n, t in found.items())
    )
    return found


# ── the run ──────────────────────────────────────────────────────────────────────────────────────


def rows(options: Any) -> Iterator[Row]:
    """One after the other, so that each has the whole memory."""
    chosen = options.cases
    if "series" in chosen:
        for points in options.points:
            for order in options.orders:
                yield series(points, order, options.dtype)
    if "network" in chosen:
        yield network(*((50, 8) if QUICK else (1_000_000, 64)))
    if "laplacian" in chosen:
        yield laplacian(*((5, 7, (8, 8)) if QUICK else (50, 2048, (768, 768, 512, 512))))
    if "gradient" in chosen:
        yield gradient(100 if QUICK else 10_000_000)
    if "product" in chosen:
        yield product(100 if QUICK else 10_000_000)


def released() -> None:
    """Gives memory back that libraries keep."""
    dn.memory.release()
    cp.get_default_memory_pool().free_all_blocks()
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if jax is not None:
        jax.clear_caches()


def machine() -> str:
    with contextlib.suppress(Exception):
        name = cp.cuda.runtime.getDeviceProperties(0)["name"].decode()
        versions = f"CUDA {cp.cuda.runtime.runtimeGetVersion()}, driver {cp.cuda.runtime.driverGetVersion()}"
        peers = ", ".join(f"{m.__name__} {m.__version__}" for m in (jax, torch) if m is not None)
        return f"{name}, {versions}, cupy {cp.__version__}, numpy {np.__version__}, {peers or 'no peers'}"
    return "no name"


CASES = ("series", "network", "laplacian", "gradient", "product", "eager")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"some of {', '.join(CASES)}; all when left out")
    parser.add_argument("--points", type=int, nargs="*", default=[1000] if QUICK else [10**7, 10**8])
    parser.add_argument("--orders", type=int, nargs="*", default=[1, 3, 5, 10])
    parser.add_argument("--dtype", default="float64", choices=["float64", "float32"])
    parser.add_argument("--seconds", type=float, default=0.0 if QUICK else 3.0, help="for each row")
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    options = parser.parse_args()
    options.cases = options.cases or CASES
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {machine()}")
    speed = copy_speed(10**6 if QUICK else 2**30, options.seconds)
    print(f"a copy reads and writes {speed / 1e9:,.0f} GB/s\n")
    found: dict[str, Any] = {"copy": speed}
    for row in rows(options):
        found[row.title] = shown(row, speed, options.seconds)
        del row
        released()
    if "eager" in options.cases:
        found["eager"] = eager(1000, 20 if QUICK else 2000)
    if QUICK:
        print("\nEverything ran; the times above say nothing.")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
