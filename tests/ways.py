"""The ways to a derivative, which must all give one number."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import dualnum as dn
from dualnum.primitives.table import Row

__all__ = ["FIELD", "WAYS", "agree", "call", "generic", "jitted", "lines", "points"]

Function = Callable[[Any], Any]


def _jvp(f: Function) -> Function:
    return lambda t: dn.jvp(f, (t,), (np.ones_like(t),))[1]


def _repeated(*steps: Callable[[Function], Function]) -> Callable[[Function, int], Function]:
    """The n-th derivative by n first ones, the steps in turn, the first innermost."""

    def way(f: Function, n: int) -> Function:
        for k in range(n):
            f = steps[k % len(steps)](f)
        return f

    return way


def _create_graph(f: Function, n: int) -> Function:
    def derivative(t: Any) -> Any:
        x = dn.autograd.variable(t)
        y = f(x)
        for _ in range(n):
            (y,) = dn.autograd.grad(y, x, create_graph=True, allow_unused=True)
            if y is None:
                return np.float64(0.0)
        return y.value

    return derivative


# (f, n) ↦ the n-th derivative of a function of one number; the first is what the others are held against
WAYS: dict[str, Callable[[Function, int], Function]] = {
    "one jet": lambda f, n: dn.derivative(f, n),
    "nested derivatives": _repeated(dn.derivative),
    "nested jvp": _repeated(_jvp),
    "nested grad": _repeated(dn.grad),
    "grad of a jet": lambda f, n: dn.grad(dn.derivative(f, n - 1)),
    "jet of grad": lambda f, n: dn.derivative(dn.grad(f), n - 1),
    "grad and derivative in turn": _repeated(dn.grad, dn.derivative),
    "derivative and grad in turn": _repeated(dn.derivative, dn.grad),
    "jacfwd and jacrev in turn": _repeated(dn.jacfwd, dn.jacrev),
    "jacrev and jacfwd in turn": _repeated(dn.jacrev, dn.jacfwd),
    "hessian": lambda f, n: dn.hessian(dn.derivative(f, n - 2)) if n > 1 else dn.grad(f),
    "hvp": lambda f, n: (lambda t: dn.hvp(dn.derivative(f, n - 2))(t, np.ones_like(t))) if n > 1 else dn.grad(f),
    "vhp": lambda f, n: (lambda t: dn.vhp(dn.derivative(f, n - 2))(t, np.ones_like(t))) if n > 1 else dn.grad(f),
    "create_graph": _create_graph,
}
# of a function of an array: its Hessian
FIELD: dict[str, Callable[[Function], Function]] = {
    "hessian": dn.hessian,
    "forward over forward": lambda f: dn.jacfwd(dn.jacfwd(f)),
    "reverse over forward": lambda f: dn.jacrev(dn.jacfwd(f)),
    "reverse over reverse": lambda f: dn.jacrev(dn.jacrev(f)),
    "products": lambda f: lambda x: np.stack([dn.hvp(f)(x, e) for e in np.eye(x.size)], axis=-1),
    "products the other way": lambda f: lambda x: np.stack([dn.vhp(f)(x, e) for e in np.eye(x.size)], axis=-1),
    "grad of jvp": lambda f: (
        lambda x: np.stack([dn.grad(lambda y, e=e: dn.jvp(f, (y,), (e,))[1])(x) for e in np.eye(x.size)])
    ),
    "create_graph": lambda f: lambda x: _rows(f, x),
}


def _rows(f: Function, x: Any) -> Any:
    v = dn.autograd.variable(x)
    (g,) = dn.autograd.grad(f(v), v, create_graph=True)
    rows = [dn.autograd.grad(g[i], v, retain_graph=True, allow_unused=True)[0] for i in range(x.size)]
    return np.stack([np.zeros(x.size) if row is None else row for row in rows])


def jitted(way: Callable[..., Function]) -> Callable[..., Function]:
    return lambda *args: dn.jit(way(*args))


def agree(given: Any, expected: Any, what: str, tolerance: float = 1e-9, scale: float = 0.0) -> None:
    """The same number, or infinity; where the one is not known (NaN), nothing is asked of the other.

    Args:
        scale: of the derivatives around, of which roundings may be a part.
    """
    given, expected = np.asarray(given, float), np.asarray(expected, float)
    known = ~np.isnan(expected)
    error = 1e-3 * tolerance * scale + 1e-300
    if expected.ndim:
        error += tolerance * float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
    given, expected = (np.where(known, x, 0.0) for x in (given, expected))
    np.testing.assert_allclose(given, expected, rtol=tolerance, atol=error, err_msg=what)


# ── where rows are tried ─────────────────────────────────────────────────────────────────────────

_GENERIC = (0.0, 0.5, 1.0, -1.0, -0.5, 2.0)


def generic(row: Row, rng: Any) -> list[Any]:
    """A point in the middle of the sample; whole numbers stay whole."""
    whole = [all(isinstance(end, int) for end in ends) for ends in row.sample]
    return [
        int(rng.integers(a, b + 1)) if w else float(rng.uniform(a, b))
        for (a, b), w in zip(row.sample, whole, strict=True)
    ]


def points(row: Row, rng: Any) -> Iterator[list[Any]]:
    """A generic point, and those where functions or rules change their form."""
    yield generic(row, rng)
    for special in row.special:
        yield list(special)
    for i in rng.permutation(len(_GENERIC)):
        x = _GENERIC[i]
        point = generic(row, rng)
        # functions of several variables have corners at the ends of their domains
        inside = [lo < x < hi or (len(point) == 1 and x in (lo, hi)) for lo, hi in row.domain]
        moved = [x if ok and isinstance(p, float) else p for p, ok in zip(point, inside, strict=True)]
        if any(inside):
            yield moved  # of several arguments a tie
        if len(point) > 1:
            yield [moved[0], *point[1:]]
            yield [*point[:-1], moved[-1]]


def lines(count: int) -> Iterator[list[float]]:
    """Directions through a point: all arguments together, and each alone."""
    if count > 1:
        yield [1.0, 0.75, -0.5, 0.25][:count]
    for i in range(count):
        yield [float(i == j) for j in range(count)]


def call(row: Row, *args: Any) -> Any:
    """The primitive, whatever stands for a ufunc."""
    if isinstance(row.ufunc, np.ufunc):
        return row.ufunc(*args)
    top = next((x for x in args if hasattr(x, "scope")), None)
    return row.ufunc(*args) if top is None else top.__array_ufunc__(row.ufunc, "__call__", *args)
