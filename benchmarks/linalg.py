"""Linear algebra side by side with its peers, in one run: ``python benchmarks/linalg.py``.

Taylor coefficients of solutions and eigenvalues, and value, gradient and Hessian of a Gaussian process's likelihood by
its hyper-parameters. Results are compared before anything is timed; what is not installed is left out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from reverse import autograd, jax, medians, torch

import dualnum as dn

try:
    import algopy
except ImportError:
    algopy = None

RNG = np.random.default_rng(0)


def row(name: str, runs: dict[str, Callable[[], Any]]) -> None:
    results = {peer: np.asarray(run()) for peer, run in runs.items() if peer != "the value alone"}
    first = next(iter(results.values()))
    for peer, result in results.items():
        np.testing.assert_allclose(
            result, first, rtol=1e-6, atol=1e-8 * np.max(np.abs(first)), err_msg=f"{name}: {peer}"
        )
    found = medians(runs)
    ours = found["dualnum"]
    print(
        f"{name:52}" + "  ".join(f"{peer} {t * 1e3:.3g} ms ({t / ours:.2f}×)" for peer, t in found.items()), flush=True
    )


def series(parts: Any, order: int) -> tuple[dn.Jet, Any]:
    planes = np.zeros((order + 1, *parts[0].shape))
    planes[: len(parts)] = parts
    utpm = None if algopy is None else algopy.UTPM(planes[:, None].copy())
    return dn.Jet(planes), utpm


def systems() -> None:
    n, order = 500, 3
    a, a_ = series([RNG.normal(size=(n, n)) + n**0.5 * 3 * np.eye(n), RNG.normal(size=(n, n))], order)
    b = RNG.normal(size=(n, 1))
    runs = {
        "dualnum": lambda: np.linalg.solve(a, b).coeffs,
        "the value alone": lambda: np.linalg.solve(a.value, b),
    }
    if algopy is not None:
        runs["algopy"] = lambda: algopy.solve(
            a_, algopy.UTPM(np.concatenate([b[None], np.zeros((order, n, 1))])[:, None])
        ).data[:, 0]
    row(f"solve, order {order}, n = {n}", runs)
    many, _ = series([RNG.normal(size=(10_000, 4, 4)) + 6 * np.eye(4), RNG.normal(size=(10_000, 4, 4))], 2)
    right = RNG.normal(size=(10_000, 4, 1))
    ten = [dn.Jet(many.coeffs[:, i]) for i in range(100)]
    few = right[:100]
    runs = {
        "dualnum": lambda: np.linalg.solve(many, right).coeffs[:, :100],
        "a hundredth of a loop": lambda: np.stack([np.linalg.solve(*x).coeffs for x in zip(ten, few, strict=True)], 1),
        "the value alone": lambda: np.linalg.solve(many.value, right),
    }
    row("10,000 systems of 4 equations, order 2", runs)


def eigenvalues() -> None:
    n, order = 100, 3
    parts = [(x + x.T) / 2 for x in RNG.normal(size=(2, n, n))]
    a, a_ = series(parts, order)
    runs = {"dualnum": lambda: np.linalg.eigh(a)[0].coeffs, "the value alone": lambda: np.linalg.eigh(a.value)[0]}
    if algopy is not None:
        runs["algopy"] = lambda: algopy.eigh(a_)[0].data[:, 0]
    row(f"eigh, order {order}, n = {n}", runs)


def gaussian_process() -> None:
    n = 300
    points, y = np.sort(RNG.uniform(0, 10, n)), RNG.normal(size=n)
    squares = (points[:, None] - points) ** 2
    eye, start = np.eye(n), np.array([0.1, -0.3, -1.0])

    def likelihood(x: Any, xp: Any = np) -> Any:
        x = xp.exp(x)
        k = x[0] * xp.exp(-0.5 * squares / x[1]) + x[2] * eye
        lower = xp.linalg.cholesky(k)
        return xp.sum(xp.log(xp.diagonal(lower, 0, -1, -2))) + 0.5 * xp.dot(y, xp.linalg.solve(k, y))

    both = dn.value_and_grad(likelihood)
    runs: dict[str, Callable[[], Any]] = {
        "dualnum": lambda: both(start)[1], "the value alone": lambda: likelihood(start),
    }  # fmt: skip
    if autograd is not None:
        import autograd.numpy as anp

        theirs = autograd.grad(lambda x: likelihood(x, anp))
        runs["autograd"] = lambda: theirs(start)
    if torch is not None:
        yt, st, et = map(torch.tensor, (y, squares, eye))

        def f(x: Any) -> Any:
            x = torch.exp(x)
            k = x[0] * torch.exp(-0.5 * st / x[1]) + x[2] * et
            return torch.sum(torch.log(torch.diagonal(torch.linalg.cholesky(k)))) + 0.5 * yt @ torch.linalg.solve(k, yt)

        def swept() -> Any:
            x = torch.tensor(start, requires_grad=True)
            f(x).backward()
            return x.grad.numpy()

        runs["torch"] = swept
    row(f"likelihood of a Gaussian process and its gradient, n = {n}", runs)
    ours = dn.hessian(likelihood)
    runs = {"dualnum": lambda: ours(start)}
    if torch is not None:
        runs["torch.func"] = lambda: torch.func.hessian(f)(torch.tensor(start)).numpy()
    row(f"its Hessian by 3 parameters, n = {n}", runs)


def exponentials() -> None:
    n = 50
    a, v = RNG.normal(size=(2, n, n)) / n**0.5
    x = dn.jet(a, 2, direction=v)
    runs: dict[str, Callable[[], Any]] = {
        "dualnum": lambda: dn.linalg.expm(x).derivative(2), "the value alone": lambda: dn.linalg.expm(a),
    }  # fmt: skip
    if jax is not None:
        first = lambda a: jax.jvp(jax.scipy.linalg.expm, (a,), (v,))[1]  # noqa: E731
        nested = jax.jit(lambda a: jax.jvp(first, (a,), (v,))[1])
        runs["jax, nested and compiled"] = lambda: nested(a).block_until_ready()
    row(f"expm, order 2, n = {n}", runs)


if __name__ == "__main__":
    exponentials()
    systems()
    eigenvalues()
    gaussian_process()
