"""Whole programs of plain NumPy side by side with their peers, in one run: ``python benchmarks/programs.py [STEPS …]``.

Each program is written once, with Python's loops, and runs unchanged for its value. For JAX it is rewritten with
``lax.scan``. A row gives the seconds that the first call takes (tracing, compiling and running), and then the medians
of later calls. Results are compared before anything is timed; what is not installed is left out.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DUALNUM_CACHE", "0")  # first calls are those of a first process

import numpy as np
from reverse import medians

import dualnum as dn

try:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
except ImportError:
    jax = None

EAGER = 200  # steps up to which the function itself is timed as well: beyond it takes seconds a call


def field(s: Any) -> Any:
    """Newton's law: position and velocity to velocity and acceleration."""
    x, v = s[:2], s[2:]
    r2 = x @ x
    return np.concatenate([v, -x / (r2 * np.sqrt(r2))])


def step(s: Any, field: Callable[[Any], Any] = field, h: float = 0.01) -> Any:
    """One step of Runge and Kutta's method."""
    k1 = field(s)
    k2 = field(s + h / 2 * k1)
    k3 = field(s + h / 2 * k2)
    k4 = field(s + h * k3)
    return s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def kepler(n: int) -> Callable[[Any], Any]:
    """n steps along an orbit, as a loop of Python."""

    def orbit(s: Any) -> Any:
        for _ in range(n):
            s = step(s)
        return s

    return orbit


def kepler_in_jax(n: int) -> Callable[[Any], Any]:
    """The same as a scan."""

    def its_field(s: Any) -> Any:
        x, v = s[:2], s[2:]
        r2 = x @ x
        return jnp.concatenate([v, -x / (r2 * jnp.sqrt(r2))])

    def orbit(s: Any) -> Any:
        return jax.lax.scan(lambda s, _: (step(s, its_field), None), s, None, length=n)[0]

    return orbit


START, ALONG = np.array([1.0, 0.0, 0.0, 1.1]), np.array([0.3, -0.2, 0.5, 0.1])


def ours(n: int) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    orbit = kepler(n)

    def size(s: Any) -> Any:
        return np.sum(orbit(s) ** 2)

    return {
        "value": (size, (START,)), "gradient": (dn.grad(size), (START,)), "H·v": (dn.hvp(size), (START, ALONG)),
        "jacfwd": (dn.jacfwd(orbit), (START,)),
    }  # fmt: skip


def theirs(n: int) -> dict[str, Callable[..., Any]]:
    orbit = kepler_in_jax(n)

    def size(s: Any) -> Any:
        return jnp.sum(orbit(s) ** 2)

    gradient = jax.grad(size)
    return {
        "value": size, "gradient": gradient, "H·v": lambda s, v: jax.jvp(gradient, (s,), (v,))[1],
        "jacfwd": jax.jacfwd(orbit),
    }  # fmt: skip


def first(run: Callable[[], Any]) -> float:
    """The seconds of a call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main(counts: list[int]) -> None:
    print(f"{'Kepler orbit, RK4':24}{'':10}{'first call (s)':>16}{'later (ms)':>14}{'ratio':>10}")
    for n in counts:
        peers = theirs(n) if jax else {}
        for what, (f, args) in ours(n).items():
            fast = dn.jit(f)
            runs: dict[str, Callable[[], Any]] = {"jit": lambda fast=fast, args=args: fast(*args)}
            if what in peers:
                peer, given = jax.jit(peers[what]), tuple(map(jnp.asarray, args))
                runs["jax.jit"] = lambda peer=peer, given=given: peer(*given).block_until_ready()
            if n <= EAGER:
                runs["eager"] = lambda f=f, args=args: f(*args)
            begun = {name: first(run) for name, run in runs.items()}
            for run in runs.values():
                np.testing.assert_allclose(np.asarray(run()), np.asarray(runs["jit"]()), rtol=1e-8)
            for name, seconds in (later := medians(runs)).items():
                ratio = seconds / later["jit"]
                print(
                    f"{n:5} steps, {what:11}{name:>12}{begun[name]:16.2f}{1e3 * seconds:14.4f}{ratio:10.2f}", flush=True
                )


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [100, 1000])
