"""Several variables side by side with the peers, in one run: ``python benchmarks/several_variables.py``.

All partial derivatives of a function at many points and at one, hyper-dual numbers, the Laplacian and the biharmonic
operator of a network. Results are compared before anything is timed; contenders alternate, a figure is the median of
warm calls, and a ratio above 1 says how many times longer the peer takes. Peers: see requirements.txt; one that is not
installed is left out, and said so.
"""

import argparse
import contextlib
import importlib
import io
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from math import factorial, prod
from typing import Any

import numpy as np

import dualnum as dn

Case = Callable[[], Any]
RNG = np.random.default_rng(7)
_LONG = 5.0  # seconds of a first call after which a contender is called once more only


def optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed, and left out")
        return None


torch, jax = optional("torch"), optional("jax")
mtflib, sandalwood, pyaudi = optional("mtflib"), optional("sandalwood"), optional("pyaudi")
hyperjet, num_dual, fastdual = optional("hyperjet"), optional("num_dual"), optional("fastdual")
jnp: Any = None
if jax is not None:
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
if torch is not None:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(2)


# ── functions, for any namespace with NumPy's names ──────────────────────────────────────────────


def cubic(x: Any, t: Any, xp: Any) -> Any:
    return x * x * x + x * t + t * t


def thirty(x: Any, t: Any, xp: Any) -> Any:
    """About thirty operations."""
    for i in range(5):
        x, t = xp.sin(x * t + 0.1 * i), xp.exp(-t * t) + 0.5 * x
    return xp.sqrt(1 + x * x) * xp.tanh(t) + x / (2 + t * t)


def smooth(xs: Any, xp: Any, cut: Callable[[Any], Any] = lambda value: value) -> Any:
    """A function of any number of variables; ``cut`` is for polynomials whose products are not truncated."""
    total = xs[0]
    for i, x in enumerate(xs[1:], 1):
        total = cut(total * xp.cos(x)) + 0.1 * i * x
    return cut(xp.exp(total) / (2 + xs[0] * xs[-1]))


def multi_indices(count: int, order: int) -> list[tuple[int, ...]]:
    return [m for m in product(range(order + 1), repeat=count) if sum(m) <= order]


# ── all partials at many points ──────────────────────────────────────────────────────────────────


def partials_by_torch(f: Any, x: np.ndarray, t: np.ndarray, order: int) -> Case:
    def run() -> Any:
        a, b = (torch.from_numpy(v).requires_grad_() for v in (x, t))
        known = {(0, 0): f(a, b, torch)}
        for m in sorted(multi_indices(2, order), key=sum):
            if sum(m) < order:
                for i, unit in enumerate(((1, 0), (0, 1))):
                    higher = (m[0] + unit[0], m[1] + unit[1])
                    if higher not in known:
                        last = sum(higher) == order
                        (known[higher],) = torch.autograd.grad(
                            known[m].sum(), (a, b)[i], create_graph=not last, retain_graph=True
                        )
        return known

    return run


def partials_by_jax(f: Any, x: np.ndarray, t: np.ndarray, order: int) -> Case:
    a, b = jnp.asarray(x), jnp.asarray(t)

    def g(x: Any, t: Any) -> Any:
        return f(x, t, jnp)

    def derivative(g: Any, i: int) -> Any:
        def slope(x: Any, t: Any) -> Any:
            one, zero = jnp.ones_like(x), jnp.zeros_like(x)
            return jax.jvp(g, (x, t), (one, zero) if i == 0 else (zero, one))[1]

        return slope

    known: dict[tuple[int, ...], Any] = {(0, 0): g}
    for m in sorted(multi_indices(2, order), key=sum):
        if sum(m):
            i = 0 if m[0] else 1
            known[m] = derivative(known[(m[0] - (i == 0), m[1] - (i == 1))], i)
    every = jax.jit(lambda x, t: {str(m): d(x, t) for m, d in known.items()})

    def run() -> Any:
        found = every(a, b)
        jax.block_until_ready(found)
        return {m: found[str(m)] for m in known}

    return run


def partials_by_dualnum(f: Any, x: np.ndarray, t: np.ndarray, order: int, compiled: bool) -> Case:
    def every(x: Any, t: Any) -> Any:
        a, b = dn.jets(x, t, order=order)
        return list(f(a, b, np).partials().values())

    call = dn.jit(every) if compiled else every
    names = list(dn.jets(0.5, 0.5, order=order)[0].partials())
    return lambda: dict(zip(names, call(x, t), strict=True))


def partials(points: int, order: int, functions: Any) -> Any:
    x, t = RNG.uniform(0.2, 1.2, (2, points))
    for f in functions:
        cases: dict[str, Case] = {
            "dualnum": partials_by_dualnum(f, x, t, order, True),
            "dualnum, eager": partials_by_dualnum(f, x, t, order, False),
        }
        if torch is not None:
            cases["torch"] = partials_by_torch(f, x, t, order)
        if jax is not None:
            cases["JAX, jitted"] = partials_by_jax(f, x, t, order)
        yield f"{f.__name__}, all partials to degree {order}, {points:,} points", cases, agreeing_partials


def agreeing_partials(a: Any, b: Any) -> None:
    for m, x in a.items():
        y = np.asarray(b[m].detach() if hasattr(b[m], "detach") else b[m])
        np.testing.assert_allclose(x, y, rtol=1e-7, atol=1e-7)


# ── a Taylor polynomial at one point ─────────────────────────────────────────────────────────────


def taylor(count: int, order: int) -> Any:
    x = RNG.uniform(0.2, 1.2, count)

    def ours(x: Any) -> Any:
        return smooth(dn.jets(*x, order=order), np).coeffs

    compiled = dn.jit(lambda *x: smooth(dn.jets(*x, order=order), np).coeffs)
    cases: dict[str, Case] = {"dualnum": lambda: compiled(*x), "dualnum, eager": lambda: ours(x)}
    names = list(dn.jets(*x, order=order)[0].partials())
    if pyaudi is not None:

        def by_pyaudi() -> Any:
            xs = [pyaudi.gdual_double(float(v), f"x{i}", order) for i, v in enumerate(x)]
            return smooth(xs, pyaudi)

        cases["pyaudi"] = by_pyaudi
    for library in (mtflib, sandalwood):
        if library is not None and (count < 6 or library is sandalwood):  # mtflib wants 86 GB for six
            mtf = library.mtf
            with contextlib.redirect_stdout(io.StringIO()):  # it tells what it prepares, once in a process
                mtf.initialize_mtf(max_order=order, max_dimension=6)
            cases[library.__name__] = lambda mtf=mtf: smooth(
                [mtf.var(i + 1) + float(v) for i, v in enumerate(x)], mtf, lambda value: value.truncate(order)
            )

    def agree(a: Any, b: Any) -> None:
        if isinstance(b, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-9)
        elif hasattr(b, "exponents"):
            known = {tuple(map(int, m[:count])): c for m, c in zip(b.exponents, b.coeffs, strict=True)}
            np.testing.assert_allclose(a, [known.get(m, 0.0) for m in names], rtol=1e-7, atol=1e-9)
        elif pyaudi is not None and isinstance(b, pyaudi.gdual_double):
            factors = [prod(map(factorial, m)) for m in names]
            theirs = [b.get_derivative(list(m)) / k for m, k in zip(names, factors, strict=True)]
            np.testing.assert_allclose(a, theirs, rtol=1e-7, atol=1e-9)

    yield f"Taylor polynomial of degree {order} in {count} variables, one point", cases, agree


def taylor_at_points(count: int, order: int, points: int) -> Any:
    x = RNG.uniform(0.2, 1.2, (count, points))
    compiled = dn.jit(lambda *x: smooth(dn.jets(*x, order=order), np).coeffs)
    cases: dict[str, Case] = {"dualnum": lambda: compiled(*x)}
    if pyaudi is not None:

        def loop() -> Any:
            found = []
            for p in x.T[: points // 100]:  # a hundredth of them, and the time is taken a hundred times
                found.append(smooth([pyaudi.gdual_double(float(v), f"x{i}", order) for i, v in enumerate(p)], pyaudi))
            return found

        loop.times = 100  # type: ignore[attr-defined]
        cases["pyaudi, a loop"] = loop
    yield f"the same in {count} variables at {points:,} points", cases, lambda a, b: None


# ── hyper-dual numbers ───────────────────────────────────────────────────────────────────────────


def chain(x: Any, sin: Callable[[Any], Any]) -> Any:
    """A thousand operations."""
    y = x
    for _ in range(250):
        y = sin(y * x + 0.5) * 0.9
    return y


def hyperdual() -> Any:
    def parts(x: float) -> Any:
        y = chain(dn.hyperdual(x, 1.0, 1.0), np.sin)
        return y.value, y.eps1, y.eps12

    compiled = dn.jit(parts)
    cases: dict[str, Case] = {"dualnum": lambda: compiled(0.3), "dualnum, eager": lambda: parts(0.3)}
    if num_dual is not None:
        cases["num-dual"] = lambda: num_dual.second_derivative(lambda x: chain(x, lambda y: y.sin()), 0.3)
    if hyperjet is not None:
        cases["hyperjet"] = lambda: chain(hyperjet.DDScalar.variables([0.3])[0], lambda y: y.sin())
    if fastdual is not None:
        cases["fastdual"] = lambda: chain(fastdual.HyperDual(0.3, 1.0, 1.0, 0.0), lambda y: y.sin())

    def agree(a: Any, b: Any) -> None:
        if fastdual is not None and isinstance(b, fastdual.HyperDual):
            b = b.f, b.f1, b.f12
        elif hyperjet is not None and isinstance(b, hyperjet.DDScalar):
            b = b.f, b.g[0], b.hm()[0][0]
        if isinstance(b, tuple):
            np.testing.assert_allclose(a, b, rtol=1e-9)

    yield "hyper-dual number through 1,000 operations", cases, agree


# ── operators ────────────────────────────────────────────────────────────────────────────────────


def network(n: int, wide: int = 64) -> Any:
    return [RNG.normal(size=s) / np.sqrt(s[0]) for s in ((n, wide), (wide, wide), (wide, 1))]


def through(weights: Any, z: Any, xp: Any) -> Any:
    for w in weights[:-1]:
        z = xp.tanh(z @ w)
    return (z @ weights[-1])[..., 0]


def laplacian(n: int, points: int) -> Any:
    weights, x = network(n), RNG.normal(size=(points, n))
    operator = dn.laplacian(lambda z: through(weights, z, np), axis=-1)
    compiled = dn.jit(operator)
    cases: dict[str, Case] = {"dualnum": lambda: operator(x), "dualnum, jitted": lambda: compiled(x)}
    if torch is not None:
        ws, a = [torch.from_numpy(w) for w in weights], torch.from_numpy(x)
        hessian = torch.func.vmap(torch.func.hessian(lambda z: through(ws, z, torch)))
        cases["torch.func.hessian, trace"] = lambda: torch.einsum("bii->b", hessian(a)).numpy()
    if jax is not None:
        jws, ja = [jnp.asarray(w) for w in weights], jnp.asarray(x)
        f = lambda z: through(jws, z, jnp)  # noqa: E731
        ways = {
            "JAX, hessian": jax.vmap(lambda z: jnp.trace(jax.hessian(f)(z))),
            "JAX, jvp of grad": jax.vmap(
                lambda z: jnp.trace(jax.vmap(lambda v: jax.jvp(jax.grad(f), (z,), (v,))[1])(jnp.eye(n)))
            ),
            "JAX, jet": jax.vmap(lambda z: jnp.sum(jax.vmap(lambda v: second(f, z, v))(jnp.eye(n)))),
        }
        for name, way in ways.items():
            fast = jax.jit(way)
            cases[name] = lambda fast=fast: np.asarray(fast(ja))
    name = f"Laplacian of a 64-64 tanh network in {n} dimensions, {points} points"
    yield name, cases, partial(np.testing.assert_allclose, rtol=1e-7, atol=1e-9)


def second(f: Any, z: Any, v: Any) -> Any:
    from jax.experimental import jet

    return jet.jet(f, (z,), ((v, jnp.zeros_like(v)),))[1][1]


def biharmonic(n: int, points: int) -> Any:
    weights, x = network(n), RNG.normal(size=(points, n))
    operator = dn.biharmonic(lambda z: through(weights, z, np), axis=-1)
    compiled = dn.jit(operator)
    cases: dict[str, Case] = {"dualnum": lambda: operator(x), "dualnum, jitted": lambda: compiled(x)}
    if jax is not None:
        jws, ja = [jnp.asarray(w) for w in weights], jnp.asarray(x)
        f = lambda z: through(jws, z, jnp)  # noqa: E731
        delta = lambda f: lambda z: jnp.trace(jax.hessian(f)(z))  # noqa: E731
        forward = lambda f: lambda z: jnp.sum(jax.vmap(lambda v: second(f, z, v))(jnp.eye(n)))  # noqa: E731
        for name, way in {
            "JAX, Laplacian of Laplacian": delta(delta(f)),
            "JAX, jet of jet": forward(forward(f)),
        }.items():
            fast = jax.jit(jax.vmap(way))
            cases[name] = lambda fast=fast: np.asarray(fast(ja))
    if torch is not None:
        ws, a = [torch.from_numpy(w) for w in weights], torch.from_numpy(x)
        tensor = lambda z: through(ws, z, torch)  # noqa: E731
        once = lambda f: lambda z: torch.trace(torch.func.hessian(f)(z))  # noqa: E731
        nested = torch.func.vmap(once(once(tensor)))
        cases["torch, Laplacian of Laplacian"] = lambda: nested(a).numpy()
    name = f"biharmonic operator of a 64-64 tanh network in {n} dimensions, {points} points"
    yield name, cases, partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-7)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────


def measured(cases: dict[str, Case], agree: Any, seconds: float) -> dict[str, tuple[float, float]]:
    """(first call, median of warm calls) of each that works and agrees with the first."""
    first: dict[str, float] = {}
    reference: Any = None
    for name, call in list(cases.items()):
        start = time.perf_counter()
        try:
            result = call()
        except Exception as error:
            print(f"    {name} is left out: {type(error).__name__}: {str(error).splitlines()[0]}")
            del cases[name]
            continue
        first[name] = time.perf_counter() - start
        if reference is None:
            reference = result
        else:
            agree(reference, result)
    times: dict[str, list[float]] = {name: [] for name in first}
    batches = {name: 1 if t > _LONG else max(1, int(2e-3 / duration(cases[name]))) for name, t in first.items()}
    begin = time.perf_counter()
    rounds = 0
    while rounds < 3 or (time.perf_counter() - begin < seconds and rounds < 200):
        rounds += 1
        for name, call in cases.items():
            if first[name] > _LONG and rounds > 1:
                continue
            start = time.perf_counter()
            for _ in range(batches[name]):
                call()
            times[name].append((time.perf_counter() - start) / batches[name] * getattr(call, "times", 1))
    return {name: (first[name], statistics.median(each)) for name, each in times.items()}


def duration(call: Case) -> float:
    """Seconds of one warm call: short ones are timed several at once."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def shown(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1 or unit == "µs":
            return f"{seconds * scale:.3g} {unit}"
    raise AssertionError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="to be spent on each row")
    parser.add_argument("--only", default="", help="rows with this in their names")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    for peer in (torch, jax, pyaudi):
        if peer is not None:
            print(f"{peer.__name__} {getattr(peer, '__version__', '')}")
    rows = [
        *partials(1_000_000, 2, (cubic, thirty)), *partials(100_000, 4, (thirty,)), *taylor(3, 4), *taylor(6, 4),
        *taylor_at_points(3, 4, 10_000), *taylor_at_points(6, 4, 10_000), *hyperdual(), *laplacian(100, 100),
        *biharmonic(5, 100),
    ]  # fmt: skip
    for name, cases, agree in rows:
        if options.only not in name:
            continue
        print(f"\n{name}")
        found = measured(cases, agree, options.seconds)
        _, ours = found["dualnum"]
        for contender, (first, warm) in found.items():
            ratio = "" if contender == "dualnum" else f"{warm / ours:8.2f}"
            print(f"    {contender:<32}{shown(warm):>10}{ratio:>10}    first call {shown(first)}")


if __name__ == "__main__":
    main()
