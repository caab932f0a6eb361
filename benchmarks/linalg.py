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


def row(name: str, runs: dict[str, Callable[[], Any]]) -> float:
    """One line of the table; the time of ours."""
    results = {peer: np.asarray(run()) for peer, run in runs.items() if peer != "the value alone"}
    first = next(iter(results.values()))
    for peer, result in results.items():
        np.testing.assert_allclose(
            result, first, rtol=1e-6, atol=1e-8 * np.max(np.abs(first)), err_msg=f"{name}: {peer}"
        )
    found = medians(runs)
    ours = found["dualnum"]
    print(
        f"{name:66}" + "  ".join(f"{peer} {t * 1e3:.3g} ms ({t / ours:.2f}×)" for peer, t in found.items()), flush=True
    )
    return ours


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


def by_torch(f: Callable[[Any], Any], a: Any, slopes: Any) -> Callable[[], Any]:
    """Taylor coefficients to order 2 of f along A + t A_1, nested and over all matrices at once."""
    a, slopes = torch.tensor(a), torch.tensor(slopes)
    zero, one = torch.tensor(0.0, dtype=a.dtype), torch.tensor(1.0, dtype=a.dtype)

    def series(a_0: Any, a_1: Any) -> Any:
        def first(t: Any) -> Any:
            y, slope = torch.func.jvp(lambda t: f(a_0 + t * a_1), (t,), (one,))
            return slope, (y, slope)

        _, second, (y, slope) = torch.func.jvp(first, (zero,), (one,), has_aux=True)
        return torch.stack([y, slope, second / 2])

    every = torch.func.vmap(series, out_dims=1)
    return lambda: every(a, slopes).detach().numpy()


def batches() -> None:
    """Many small matrices, to second order; the loop over jets is a hundredth of it."""
    count, size = 10_000, 4
    a, slopes = RNG.normal(size=(2, count, size, size))
    right = RNG.normal(size=(size, 1))
    with_factors: Any = None  # torch.linalg.solve is half of it when its derivative is pushed forward again
    if torch is not None:
        to_the_right = torch.tensor(right)
        with_factors = lambda a: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), to_the_right)  # noqa: E731
    rows: dict[str, tuple[Any, Any, Callable[[Any], Any], Any]] = {
        f"{count:,} systems of {size} equations, order 2": (
            a + 6 * np.eye(size), slopes, lambda a: np.linalg.solve(a, right), with_factors,
        ),
        f"eigenvalues of {count:,} symmetric {size} × {size} matrices, order 2": (
            a + np.swapaxes(a, -1, -2), slopes + np.swapaxes(slopes, -1, -2), lambda a: np.linalg.eigh(a)[0],
            None if torch is None else lambda a: torch.linalg.eigh(a)[0],
        ),
    }  # fmt: skip
    for name, (start, slope, f, theirs) in rows.items():
        many, _ = series([start, slope], 2)
        few = [dn.Jet(many.coeffs[:, i]) for i in range(count // 100)]
        runs = {
            "dualnum": lambda f=f, many=many: f(many).coeffs,
            "the value alone": lambda f=f, start=start: f(start),
        }
        if torch is not None:
            runs["torch.func"] = by_torch(theirs, start, slope)
        found = row(name, runs)
        loop = medians({"loop": lambda f=f, few=few: [f(x).coeffs for x in few]})["loop"]
        print(f"{'':12}a Python loop over jets would take {100 * loop / found:.0f}× the time", flush=True)


def eigenvalues() -> None:
    n, order = 100, 3
    parts = [(x + x.T) / 2 for x in RNG.normal(size=(2, n, n))]
    a, a_ = series(parts, order)
    runs = {"dualnum": lambda: np.linalg.eigh(a)[0].coeffs, "the value alone": lambda: np.linalg.eigh(a.value)[0]}
    if algopy is not None:
        runs["algopy"] = lambda: algopy.eigh(a_)[0].data[:, 0]
    row(f"eigh, order {order}, n = {n}", runs)


def gaussian_process() -> None:
    n = 500
    points, y = np.sort(RNG.uniform(0, 10, n)), RNG.normal(size=n)
    squares = (points[:, None] - points) ** 2
    eye, start = np.eye(n), np.array([0.1, -0.3, -1.0, -0.5, 0.4])

    def likelihood(x: Any, xp: Any = np, squares: Any = squares, eye: Any = eye, y: Any = y) -> Any:
        x = xp.exp(x)
        k = x[0] * xp.exp(-0.5 * squares / x[1]) + x[2] * eye + x[3] / (1 + squares / x[4])
        lower = xp.linalg.cholesky(k)
        return xp.sum(xp.log(xp.diagonal(lower, 0, -1, -2))) + 0.5 * xp.dot(y, xp.linalg.solve(k, y))

    both = dn.value_and_grad(likelihood)
    traced = dn.jit(both)
    runs: dict[str, Callable[[], Any]] = {
        "dualnum": lambda: both(start)[1], "dualnum.jit": lambda: traced(start)[1],
        "the value alone": lambda: likelihood(start),
    }  # fmt: skip
    hessian = dn.hessian(likelihood)
    second: dict[str, Callable[[], Any]] = {"dualnum": lambda: hessian(start)}
    if autograd is not None:
        import autograd.numpy as anp

        theirs = autograd.grad(lambda x: likelihood(x, anp))
        runs["autograd"] = lambda: theirs(start)
    if torch is not None:
        st, et, yt = map(torch.tensor, (squares, eye, y))

        def f(x: Any) -> Any:
            return likelihood(x, torch, st, et, yt)

        def swept() -> Any:
            x = torch.tensor(start, requires_grad=True)
            f(x).backward()
            return x.grad.numpy()

        runs["torch"] = swept
        second["torch.func"] = lambda: torch.func.hessian(f)(torch.tensor(start)).numpy()
    if jax is not None:
        sj, ej, yj = map(jax.numpy.asarray, (squares, eye, y))
        g = jax.jit(jax.value_and_grad(lambda x: likelihood(x, jax.numpy, sj, ej, yj)))
        h = jax.jit(jax.hessian(lambda x: likelihood(x, jax.numpy, sj, ej, yj)))
        runs["jax.jit"] = lambda: np.asarray(g(start)[1])
        second["jax.jit"] = lambda: np.asarray(h(start))
    row(f"likelihood of a Gaussian process and its gradient, n = {n}", runs)
    row(f"its Hessian by {len(start)} parameters, n = {n}", second)


def sparse() -> None:
    """An elliptic equation on a grid by its conductivities; what is computed again varies, so that it is factored."""
    try:
        import scipy.sparse as sp
        from scipy.sparse.linalg import spsolve
    except ImportError:
        return
    g = 100
    n, cell = g * g, np.arange(g * g).reshape(g, g)
    i, j = (np.concatenate([p.ravel(), q.ravel()]) for p, q in ((cell[:, :-1], cell[:-1]), (cell[:, 1:], cell[1:])))
    rows, cols = np.concatenate([i, j, i, j, np.arange(n)]), np.concatenate([i, j, j, i, np.arange(n)])
    conductivity, along, b = np.exp(RNG.normal(size=i.size)), RNG.normal(size=i.size), RNG.normal(size=n)
    moving = dn.jet(conductivity, 3, direction=along)
    scales = iter(range(1 << 62))

    def again(k: Any) -> Any:
        return k * (1 + 1e-12 * (next(scales) % 97))

    def entries(k: Any, xp: Any = np) -> Any:
        return xp.concatenate([k, k, -k, -k, np.ones(n)])

    def solved(k: Any) -> Any:
        return dn.linalg.spsolve(dn.linalg.csr_array((entries(k), (rows, cols))), b)

    def alone(k: Any) -> Any:
        return spsolve(sp.coo_array((entries(k), (rows, cols))).tocsc(), b)

    row(
        f"5-point equation, n = {n}, order 3",
        {"dualnum": lambda: solved(again(moving)).coeffs, "the value alone": lambda: alone(again(conductivity))},
    )
    gradient = dn.grad(lambda k: np.sum(solved(k) ** 2))
    compiled = dn.jit(gradient)
    runs: dict[str, Callable[[], Any]] = {
        "dualnum": lambda: gradient(again(conductivity)), "the value alone": lambda: alone(again(conductivity)),
        "dualnum, jit": lambda: compiled(again(conductivity)),
    }  # fmt: skip
    try:
        import jax
        import jax.numpy as jnp
        from jax.experimental.sparse.linalg import spsolve as by_jax
    except ImportError:
        pass
    else:
        jax.config.update("jax_enable_x64", True)
        pattern = sp.coo_array((np.ones(rows.size), (rows, cols))).tocsr()
        numbers = sp.csr_array((np.arange(pattern.nnz), pattern.indices, pattern.indptr), shape=(n, n))
        place = np.asarray(numbers[rows, cols]).ravel()

        def f(k: Any) -> Any:
            data = jnp.zeros(pattern.nnz).at[place].add(entries(k, jnp))
            return jnp.sum(by_jax(data, pattern.indices, pattern.indptr, jnp.asarray(b)) ** 2)

        theirs = jax.jit(jax.grad(f))
        runs["jax, jit (SciPy twice)"] = lambda: theirs(again(conductivity)).block_until_ready()
    row(f"5-point equation, n = {n}, gradient by {i.size}", runs)


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
    batches()
    eigenvalues()
    gaussian_process()
    sparse()
