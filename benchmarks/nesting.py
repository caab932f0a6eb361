"""Derivatives of derivatives side by side with autograd's, in one run: ``python benchmarks/nesting.py``.

One scalar operation under two transforms, nested first-order transforms to any depth, GradBench's particle and saddle
(gradients of functions that take gradients; Pearlmutter and Siskind's examples) in all four modes, and all partial
derivatives of an equation of state to the fourth order by nested gradients. Results are compared before anything is
timed; a ratio above 1 says how many times longer the peer takes.
"""

import argparse
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from reverse import medians

import dualnum as dn

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None

Function = Callable[..., Any]

# ── the transforms of either library ─────────────────────────────────────────────────────────────


class Ours:
    name = "dualnum"
    np = np

    @staticmethod
    def jvp(f: Function) -> Function:
        return lambda x: dn.jvp(f, (x,), (1.0,))[1]

    grad = staticmethod(dn.grad)
    forward = staticmethod(dn.jacfwd)
    reverse = staticmethod(dn.grad)

    @staticmethod
    def partial(f: Function, i: int) -> Function:
        return dn.grad(f, i)


class Autograd:
    name = "autograd"
    np = None if autograd is None else anp

    @staticmethod
    def jvp(f: Function) -> Function:
        return lambda x: autograd.make_jvp(f)(x)(1.0)[1]

    @staticmethod
    def grad(f: Function) -> Function:
        return autograd.grad(f)

    @staticmethod
    def forward(f: Function) -> Function:
        def gradient(x: Any) -> Any:
            pushed = autograd.make_jvp(f)(x)
            return anp.stack([pushed(unit)[1] for unit in np.eye(len(x))])

        return gradient

    reverse = grad

    @staticmethod
    def partial(f: Function, i: int) -> Function:
        return autograd.grad(f, i)


PEERS = [Ours] if autograd is None else [Ours, Autograd]

# ── what is computed ─────────────────────────────────────────────────────────────────────────────


def nestings(peer: Any) -> dict[str, Callable[[], Any]]:
    """Two transforms of one operation on a number."""
    xp, jvp, grad = peer.np, peer.jvp, peer.grad
    twice = {
        "jvp of jvp": lambda f: jvp(jvp(f)),
        "grad of grad": lambda f: grad(grad(f)),
        "jvp of grad": lambda f: jvp(grad(f)),
        "grad of jvp": lambda f: grad(jvp(f)),
    }
    functions = {"tanh": xp.tanh, "x·x": lambda x: x * x, "exp": xp.exp}
    made = {f"{name}, {way}": make(f) for way, make in twice.items() for name, f in functions.items()}
    return {name: lambda f=f: f(0.3) for name, f in made.items()}


MORE = 10  # operations that the longer of two programs has more


def operations(peer: Any) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """One operation more in a function under two transforms: a short chain of them and a longer one."""
    xp, jvp, grad = peer.np, peer.jvp, peer.grad
    functions = {"tanh": xp.tanh, "x·x": lambda x: x * x, "sin": xp.sin, "exp(−x)": lambda x: xp.exp(-x)}

    def chain(op: Function, n: int) -> Function:
        def f(x: Any) -> Any:
            for _ in range(n):
                x = op(x)
            return x

        return f

    twice = {
        "jvp of jvp": lambda f: jvp(jvp(f)),
        "grad of grad": lambda f: grad(grad(f)),
        "jvp of grad": lambda f: jvp(grad(f)),
        "grad of jvp": lambda f: grad(jvp(f)),
    }
    found = {}
    for way, make in twice.items():
        for name, op in functions.items():
            pair = [make(chain(op, n)) for n in (4, 4 + MORE)]
            short, long = ((lambda f=f: f(1.0)) for f in pair)
            found[f"one more {name}, {way}"] = short, long
    return found


def towers(peer: Any) -> dict[str, Callable[[], Any]]:
    """jvp of jvp of … tanh."""
    found = {}
    f = peer.np.tanh
    for n in range(1, 8 if peer is Ours else 6):
        f = peer.jvp(f)
        if n > 2:
            found[f"jvp, {n} times"] = lambda f=f: f(0.3)
    return found


def descent(f: Function, gradient: Function, x: Any, steps: int) -> Any:
    """Gradient descent with a step length that grows and shrinks, by so many evaluations."""
    fx, gx, eta, good = f(x), gradient(x), 1e-2, 0
    for _ in range(steps):
        if good == 5:
            eta, good = 2 * eta, 0
        moved = x - eta * gx
        its = f(moved)
        if its < fx:
            x, fx, gx, good = moved, its, gradient(moved), good + 1
        else:
            eta, good = eta / 2, 0
    return x


def saddle(peer: Any, outer: Function, inner: Function) -> Any:
    """min over x of max over y of |x|² − |y|²: the gradient goes through the inner ascent."""
    xp = peer.np

    def worst(x: Any) -> Any:
        minus = lambda y: xp.sum(y * y) - xp.sum(x * x)  # noqa: E731
        y = descent(minus, inner(minus), np.array([1.0, 1.0]), 8)
        return -minus(y)

    return descent(worst, outer(worst), np.array([1.0, 1.0]), 6)


def particle(peer: Any, outer: Function, inner: Function) -> Any:
    """Where a particle among charges lands, by Euler's method, as a function of the place of one charge."""
    xp = peer.np

    def landing(w: Any) -> Any:
        charges = [xp.stack([10.0 + 0.0 * w[0], 10.0 - w[0]]), np.array([10.0, 0.0])]

        def potential(x: Any) -> Any:
            total = 0.0
            for charge in charges:
                d = x - charge
                total = total + 1 / xp.sqrt(xp.sum(d * d))
            return total

        force = inner(potential)
        x, v, dt = np.array([0.0, 8.0]), np.array([0.75, 0.0]), 0.1
        for _ in range(12):
            x, v = x + dt * v, v - dt * force(x)
        return (x[0] - x[1] * v[0] / v[1]) ** 2

    return outer(landing)(np.array([0.3]))


def nested_programs(peer: Any) -> dict[str, Callable[[], Any]]:
    found = {}
    modes = {"forward": peer.forward, "reverse": peer.reverse}
    for name, program in (("saddle", saddle), ("particle", particle)):
        for outer, a in modes.items():
            for inner, b in modes.items():
                found[f"{name}, {outer} over {inner}"] = lambda program=program, a=a, b=b: program(peer, a, b)
    return found


# Span and Wagner's short form for non-polar fluids: powers of density and temperature, and exponentials of the density
N = np.array([0.93, -2.45, 0.64, 0.06, 0.0002, 0.19, 0.54, -0.09, -0.32, 0.02, -0.08, 0.02])
D = np.array([1.0, 1, 1, 3, 7, 2, 5, 1, 4, 3, 4, 1])
T = np.array([0.25, 1.125, 1.5, 1.375, 0.25, 0.625, 1.75, 3.625, 3.625, 14.5, 12.0, 0.0])
C = np.array([0.0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 1])
HAS = np.where(C > 0, 1.0, 0.0)


def state(peer: Any) -> Function:
    """The residual Helmholtz energy a(δ, τ)."""
    xp = peer.np
    return lambda d, t: xp.sum(N * xp.power(d, D) * xp.power(t, T) * xp.exp(-HAS * xp.power(d, C)))


def partials(peer: Any) -> dict[str, Callable[[], Any]]:
    """∂^{i+j} a/∂δ^i ∂τ^j for i + j ≤ n, each by nested gradients."""

    def all_to(n: int) -> Callable[[], Any]:
        made = []
        for i in range(n + 1):
            for j in range(n + 1 - i):
                f = state(peer)
                for _ in range(i):
                    f = peer.partial(f, 0)
                for _ in range(j):
                    f = peer.partial(f, 1)
                if i + j:
                    made.append(f)
        return lambda: np.array([f(0.7, 1.1) for f in made])

    return {f"equation of state, partials to order {n}": all_to(n) for n in (1, 2, 3, 4)}


GROUPS: dict[str, Callable[[Any], dict[str, Callable[[], Any]]]] = {
    "nestings": nestings, "operations": operations, "towers": towers, "programs": nested_programs, "partials": partials,
}  # fmt: skip


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*", default=list(GROUPS), help=f"of {', '.join(GROUPS)}")
    print(f"{'':52}{'dualnum':>12}{'autograd':>12}{'ratio':>8}")
    ratios: dict[str, list[float]] = {}
    for group in parser.parse_args().groups:
        rows = {peer.name: GROUPS[group](peer) for peer in PEERS}
        for name in rows["dualnum"]:
            found = measured({peer: runs[name] for peer, runs in rows.items() if name in runs}, name)
            text = "".join(f"{_text(found[peer]) if peer in found else '':>12}" for peer in ("dualnum", "autograd"))
            ratio = found["autograd"] / found["dualnum"] if "autograd" in found else None
            print(f"{name:52}{text}{'' if ratio is None else f'{ratio:.2f}':>8}", flush=True)
            if ratio is not None:
                ratios.setdefault(group, []).append(ratio)
    for group, each in ratios.items():
        print(f"{group}: geometric mean {sqrt(np.exp(2 * np.mean(np.log(each)))):.2f}, least {min(each):.2f}")


def measured(runs: dict[str, Any], name: str) -> dict[str, float]:
    """Seconds of each peer, whose results must agree; of a pair of programs what one operation more costs."""
    pairs = all(isinstance(run, tuple) for run in runs.values())
    results = [run[1]() if pairs else run() for run in runs.values()]
    for result in results[1:]:
        np.testing.assert_allclose(results[0], result, rtol=1e-8, atol=1e-300, err_msg=name)
    if not pairs:
        return medians(runs)
    found = medians({f"{peer} {k}": f for peer, run in runs.items() for k, f in enumerate(run)})
    return {peer: (found[f"{peer} 1"] - found[f"{peer} 0"]) / MORE for peer in runs}


def _text(seconds: float) -> str:
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


if __name__ == "__main__":
    main()
