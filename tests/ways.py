"""All ways to a derivative, and what holds them against each other.

A way turns a function into the function of its derivative: by one jet in one variable or in several, by nesting
first-order transforms in any order, by products with the Hessian, by the record of the imperative style. They are one
number in mathematics, and so they must be one here: to rounding, at every point, ties and zeros and masked infinities
included.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import factorial
from typing import Any, TypeVar

import numpy as np

import dualnum as dn
from dualnum.operand import Operand

__all__ = [
    "DIRECTIONS", "EVERY_WAY", "HESSIANS", "JITTED_HESSIANS", "KINDS", "MATRICES", "ONE_VARIABLE", "PRODUCTS",
    "SEVERAL_VARIABLES", "THIRD", "Function", "Way", "along", "differences", "in_turn", "jitted", "mixed_partials",
    "of_kind", "ways_of",
]  # fmt: skip

# Compiling takes longer than all else: of the compiled ways each case tries some, in turn, unless asked for all.
EVERY_WAY = bool(os.environ.get("DUALNUM_EVERY_WAY"))

T = TypeVar("T")
Function = Callable[..., Any]
Way = Callable[[Function, int], Function]  # f and n ↦ the function of the n-th derivative


# ── first-order transforms of a function that works element by element ───────────────────────────


def _total(y: Any) -> Any:
    return np.sum(y) if np.ndim(y) else y


def _ones(x: Any) -> Any:
    return np.ones_like(x) if np.ndim(x) else 1.0


def _derivative(f: Function) -> Function:
    return dn.derivative(f)


def _jvp(f: Function) -> Function:
    return lambda x: dn.jvp(f, (x,), (_ones(x),))[1]


def _grad(f: Function) -> Function:
    return dn.grad(lambda x: _total(f(x)))


def _vjp(f: Function) -> Function:
    def pulled(x: Any) -> Any:
        y, pull = dn.vjp(f, x)
        return pull(np.ones_like(y))

    return pulled


def _diagonal(transform: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """The Jacobian of a function that works element by element is diagonal."""

    def first(f: Function) -> Function:
        def diagonal(x: Any) -> Any:
            jacobian = transform(f)(x)
            return np.diagonal(jacobian) if np.ndim(x) else jacobian

        return diagonal

    return first


_jacfwd, _jacrev = _diagonal(dn.jacfwd), _diagonal(dn.jacrev)


def _nested(*firsts: Callable[[Function], Function]) -> Way:
    """Again and again: firsts[0] is the outermost, and they repeat inwards."""

    def way(f: Function, n: int) -> Function:
        for i in range(n - 1, -1, -1):
            f = firsts[i % len(firsts)](f)
        return f

    return way


def _taylor(f: Function, n: int) -> Function:
    return lambda x: dn.taylor(f, n)(x)[n] * factorial(n)


def _directional(f: Function, n: int) -> Function:
    return lambda x: dn.directional(f, n)(x, _ones(x))


def _twice(product: Callable[[Function], Function]) -> Way:
    """By a product of the Hessian with ones, of the derivative two orders below."""

    def way(f: Function, n: int) -> Function:
        below = dn.derivative(f, n - 2) if n > 2 else f
        return lambda x: product(lambda x: _total(below(x)))(x, _ones(x))

    return way


def _hessian(f: Function, n: int) -> Function:
    return _diagonal(lambda g: dn.hessian(lambda x: _total(g(x))))(dn.derivative(f, n - 2) if n > 2 else f)


def _moves(y: Any) -> bool:
    return getattr(y, "requires_grad", False)


def _create_graph(f: Function, n: int) -> Function:
    """Swept n times, and every sweep but the last recorded."""

    def derived(x: Any) -> Any:
        x = dn.autograd.variable(x)
        y = f(x)
        for k in range(n):
            (g,) = dn.autograd.grad(_total(y), x, create_graph=k < n - 1, allow_unused=True) if _moves(y) else (None,)
            if g is None:  # what is flat by its form does not depend on x any more
                return np.zeros(np.shape(x))
            y = g
        return y

    return derived


# ── several variables at once ────────────────────────────────────────────────────────────────────


def _partial(y: Any, variable: Any, m: Sequence[int]) -> Any:
    """∂^m of a result; zero of one that does not move along the variables."""
    moves = isinstance(y, dn.Jet) and y.scope is variable.scope
    return y.partial(*m) if moves else np.zeros_like(np.real(y))


def _of_kind(x: Any, moved: Any) -> Any:
    """x where it moves, as an array without axes if x is one: a sum with one is a number."""
    is_array = x._is_array if isinstance(x, Operand) else type(x) is np.ndarray
    return dn.array([moved])[0, ...] if is_array and not np.ndim(x) else moved


def _total_degree(f: Function, n: int) -> Function:
    """∂^n along x + s/2 − 2t, whose mixed derivatives are those of one variable times powers of two."""

    def derived(x: Any) -> Any:
        s, t = dn.jets(0.0, 0.0, order=n)
        return _partial(f(_of_kind(x, x + 0.5 * s - 2.0 * t)), s, (n - n // 2, n // 2)) / (
            0.5 ** (n - n // 2) * (-2.0) ** (n // 2)
        )

    return derived


def _box(f: Function, n: int) -> Function:
    """∂_s ∂_t^{n−1} along x + s + t, of a jet that has the first power of s only."""

    def derived(x: Any) -> Any:
        s, t = dn.jets(0.0, 0.0, order=(1, n - 1))
        return _partial(f(_of_kind(x, x + s + t)), s, (1, n - 1))

    return derived


def _hyperdual(f: Function, n: int) -> Function:
    """The coefficient of ε₁ε₂…, of x + ε₁ + ε₂ + …."""

    def derived(x: Any) -> Any:
        x = dn.hyperdual(x, *[_ones(x)] * n)
        return _partial(f(x), x, (1,) * n)

    return derived


SEVERAL_VARIABLES: dict[str, tuple[Way, Sequence[int]]] = {
    "total degree": (_total_degree, range(1, 9)),
    "hyper-dual": (_hyperdual, range(1, 7)),
    "box": (_box, range(2, 9)),
    "grad of hyper-dual": (lambda f, n: _grad(_hyperdual(f, n - 1)), range(2, 4)),
    "hyper-dual of grad": (lambda f, n: _hyperdual(_grad(f), n - 1), range(2, 4)),
    "derivative of total degree": (lambda f, n: dn.derivative(_total_degree(f, n - 1)), range(2, 4)),
    "total degree of derivative": (lambda f, n: _total_degree(dn.derivative(f), n - 1), range(2, 4)),
    "grad of box": (lambda f, n: _grad(_box(f, n - 1)), range(3, 4)),
    "derivative of total degree of grad": (
        lambda f, n: dn.derivative(_total_degree(_grad(f), n - 2)), range(3, 4)
    ),
}  # fmt: skip
# name: the way, and the orders that it is for
ONE_VARIABLE: dict[str, tuple[Way, Sequence[int]]] = {
    "one jet": (lambda f, n: dn.derivative(f, n), range(1, 99)),
    "taylor": (_taylor, range(1, 99)),
    "directional": (_directional, range(1, 99)),
    "nested derivative": (_nested(_derivative), range(2, 5)),
    "nested jvp": (_nested(_jvp), range(1, 5)),
    "nested grad": (_nested(_grad), range(1, 5)),
    "nested vjp": (_nested(_vjp), range(2, 4)),
    "grad of derivative": (lambda f, n: _grad(dn.derivative(f, n - 1)), range(2, 99)),
    "derivative of grad": (lambda f, n: dn.derivative(_grad(f), n - 1), range(2, 99)),
    "grad, jvp, grad, …": (_nested(_grad, _jvp), range(2, 5)),
    "jvp, grad, jvp, …": (_nested(_jvp, _grad), range(2, 5)),
    "grad of grad of derivative": (lambda f, n: _grad(_grad(dn.derivative(f, n - 2))), range(3, 5)),
    "derivative of grad of grad": (lambda f, n: dn.derivative(_grad(_grad(f)), n - 2), range(3, 5)),
    "grad of derivative of grad": (lambda f, n: _grad(dn.derivative(_grad(f), n - 2)), range(3, 5)),
    "jacfwd of jacfwd": (_nested(_jacfwd), range(2, 4)),
    "jacrev of jacrev": (_nested(_jacrev), range(2, 4)),
    "jacfwd of jacrev": (_nested(_jacfwd, _jacrev), range(2, 4)),
    "jacrev of jacfwd": (_nested(_jacrev, _jacfwd), range(2, 4)),
    "hessian": (_hessian, range(2, 5)),
    "hvp": (_twice(dn.hvp), range(2, 5)),
    "vhp": (_twice(dn.vhp), range(2, 5)),
    "create_graph": (_create_graph, range(1, 5)),
    **SEVERAL_VARIABLES,
}


def jitted(way: Way) -> Way:
    """The same, compiled."""
    return lambda f, n: dn.jit(way(f, n))


def ways_of(n: int, jit: bool = False) -> dict[str, Way]:
    """Those for the n-th derivative; with jit each of them compiled."""
    chosen = {name: way for name, (way, orders) in ONE_VARIABLE.items() if n in orders}
    return {f"jit of {name}": jitted(way) for name, way in chosen.items()} if jit else chosen


KINDS = ("float", "np.float64", "0-d", "1-d")


def of_kind(kind: str, x: float) -> Any:
    """A point as a Python float, as NumPy's, as an array without axes and with one."""
    made: dict[str, Callable[[float], Any]] = {
        "float": float, "np.float64": np.float64, "0-d": np.array, "1-d": lambda x: np.array([x, x]),
    }  # fmt: skip
    return made[kind](x)


# ── functions of two arguments ───────────────────────────────────────────────────────────────────

DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, -0.75))


def along(f: Function, x: Any, direction: Sequence[Any]) -> Function:
    """t ↦ f(x + t v), arguments that do not move as they are."""
    return lambda t: f(*(a + v * t if v else a for a, v in zip(x, direction, strict=True)))


def mixed_partials() -> Iterator[tuple[str, Callable[[Function], Function]]]:
    """The ways to ∂²f/∂x∂y as a function of x and y."""

    def derivative(f: Function, i: int) -> Function:
        return dn.derivative(f, argnums=i)

    def jvp(f: Function, i: int) -> Function:
        return lambda *xs: dn.jvp(f, xs, tuple(_ones(x) if k == i else 0 * _ones(x) for k, x in enumerate(xs)))[1]

    def grad(f: Function, i: int) -> Function:
        return dn.grad(lambda *xs: _total(f(*xs)), i)

    firsts = {"derivative": derivative, "jvp": jvp, "grad": grad}
    for outer, a in firsts.items():
        for inner, b in firsts.items():
            for i, j in ((0, 1), (1, 0)):
                yield f"{outer} by {i} of {inner} by {j}", lambda f, a=a, b=b, i=i, j=j: a(b(f, j), i)

    def block(i: int, j: int) -> Callable[[Function], Function]:
        def taken(f: Function) -> Function:
            def entries(*xs: Any) -> Any:
                matrix = dn.hessian(lambda *xs: _total(f(*xs)), (0, 1))(*xs)[i][j]
                return np.diagonal(matrix) if np.ndim(matrix) else matrix

            return entries

        return taken

    yield "hessian", block(0, 1)
    yield "hessian, transposed", block(1, 0)
    yield from _by_independent_variables()


def _by_independent_variables() -> Iterator[tuple[str, Callable[[Function], Function]]]:
    """The same by jets in x and y."""

    def jets(f: Function, m: tuple[int, int], order: Any) -> Function:
        def derived(x: Any, y: Any) -> Any:
            x, y = dn.jets(x, y, order=order)
            return _partial(f(x, y), x, m)

        return derived

    def hyperdual(f: Function) -> Function:
        def derived(x: Any, y: Any) -> Any:
            x, y = dn.hyperdual(x, _ones(x), 0.0), dn.hyperdual(y, 0.0, _ones(y))
            return _partial(f(x, y), x, (1, 1))

        return derived

    def grad(f: Function, i: int) -> Function:
        return dn.grad(lambda *xs: _total(f(*xs)), i)

    yield "jets", lambda f: jets(f, (1, 1), 2)
    yield "jets of each variable's first power", lambda f: jets(f, (1, 1), (1, 1))
    yield "hyper-dual", hyperdual
    yield "grad by 1 of jets by 0", lambda f: grad(jets(f, (1, 0), 1), 1)
    yield "jets by 0 of grad by 1", lambda f: jets(grad(f, 1), (1, 0), (1, 2))
    yield "derivative by 0 of jets by 1", lambda f: dn.derivative(jets(f, (0, 1), 2), argnums=0)


# ── Hessians of functions of many variables ──────────────────────────────────────────────────────


def _units(x: Any) -> Iterator[Any]:
    for i in range(np.size(x)):
        unit = np.zeros(np.shape(x))
        unit.reshape(-1)[i] = 1.0
        yield unit


def _by_columns(product: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """A matrix from its products (x, v) ↦ H v."""

    def matrix(f: Function) -> Function:
        return lambda x: np.reshape(np.stack([product(f)(x, v) for v in _units(x)], axis=-1), np.shape(x) * 2)

    return matrix


def _pushed(f: Function, x: Any, v: Any) -> Any:
    return dn.jvp(f, (x,), (v,))[1]


def _graph_of(f: Function) -> Function:
    """Products by a recorded sweep."""

    def product(x: Any, v: Any) -> Any:
        x = dn.autograd.variable(x)
        (g,) = dn.autograd.grad(f(x), x, create_graph=True)
        return dn.autograd.grad(np.sum(g * v), x, allow_unused=True)[0] if g.requires_grad else np.zeros(np.shape(x))

    return product


def _by_lines(f: Function) -> Function:
    """From second derivatives of one jet along x + t(e_i ± e_j): a polarisation."""

    def matrix(x: Any) -> Any:
        def second(v: Any) -> Any:
            return dn.directional(f, 2)(x, v)

        units = list(_units(x))
        return np.stack([np.stack([(second(a + b) - second(a - b)) / 4 for b in units]) for a in units]).reshape(
            np.shape(x) * 2
        )

    return matrix


def _by_mixed_jets(f: Function) -> Function:
    """∂/∂s ∂/∂t of f(x + s e_i + t e_j)."""

    def matrix(x: Any) -> Any:
        def entry(a: Any, b: Any) -> Any:
            return dn.derivative(lambda s: dn.derivative(lambda t: f(x + s * a + t * b))(0.0))(0.0)

        units = list(_units(x))
        return np.stack([np.stack([entry(a, b) for b in units]) for a in units]).reshape(np.shape(x) * 2)

    return matrix


def _by_entries(order: int) -> Callable[[Function], Function]:
    """A tensor of derivatives from one jet whose variables are the entries of x."""

    def matrix(f: Function) -> Function:
        def derived(x: Any) -> Any:
            shape = np.shape(x)
            x = dn.jets(np.ravel(x), order=order, axis=0)
            y = f(np.reshape(x, shape))
            if not isinstance(y, dn.Jet) or y.scope is not x.scope:
                return np.zeros(shape * order)
            return np.reshape(y.tensor(order), shape * order)

        return derived

    return matrix


def _by_pairs(f: Function) -> Function:
    """From hyper-dual numbers x + ε₁e_i + ε₂e_j."""

    def matrix(x: Any) -> Any:
        def entry(a: Any, b: Any) -> Any:
            h = dn.hyperdual(x, a, b)
            return _partial(f(h), h, (1, 1))

        units = list(_units(x))
        return np.stack([np.stack([entry(a, b) for b in units]) for a in units]).reshape(np.shape(x) * 2)

    return matrix


def _dual_of_gradient(f: Function) -> Function:
    def product(x: Any, v: Any) -> Any:
        h = dn.dual(x, v)
        return _partial(dn.grad(f)(h), h, (1,))

    return product


def _gradient_of_dual(f: Function) -> Function:
    def slope(x: Any, v: Any) -> Any:
        h = dn.dual(x, v)
        return _partial(f(h), h, (1,))

    return lambda x, v: dn.grad(lambda x: slope(x, v))(x)


# (x, v) ↦ H v
PRODUCTS: dict[str, Callable[[Function], Function]] = {
    "hvp": dn.hvp,
    "vhp": dn.vhp,
    "grad of jvp": lambda f: lambda x, v: dn.grad(lambda x: _pushed(f, x, v))(x),
    "jvp of grad": lambda f: lambda x, v: _pushed(dn.grad(f), x, v),
    "grad of grad": lambda f: lambda x, v: dn.grad(lambda x: np.sum(dn.grad(f)(x) * v))(x),
    "vjp of grad": lambda f: lambda x, v: dn.vjp(dn.grad(f), x)[1](v),
    "derivative of grad": lambda f: lambda x, v: dn.derivative(lambda t: dn.grad(f)(x + t * v))(0.0),
    "create_graph": _graph_of,
    "dual of grad": _dual_of_gradient,
    "grad of dual": _gradient_of_dual,
}
MATRICES: dict[str, Callable[[Function], Function]] = {
    "hessian": dn.hessian,
    "jacfwd of jacfwd": lambda f: dn.jacfwd(dn.jacfwd(f)),
    "jacfwd of jacrev": lambda f: dn.jacfwd(dn.jacrev(f)),
    "jacrev of jacfwd": lambda f: dn.jacrev(dn.jacfwd(f)),
    "jacrev of jacrev": lambda f: dn.jacrev(dn.jacrev(f)),
    "jacfwd of grad": lambda f: dn.jacfwd(dn.grad(f)),
    "jacrev of grad": lambda f: dn.jacrev(dn.grad(f)),
    "jets in all entries": _by_entries(2),
}
HESSIANS: dict[str, Callable[[Function], Function]] = {
    **MATRICES,
    **{name: _by_columns(product) for name, product in PRODUCTS.items()},
    "one jet along lines": _by_lines,
    "jets of jets": _by_mixed_jets,
    "hyper-dual": _by_pairs,
}
JITTED_HESSIANS: dict[str, Callable[[Function], Function]] = {
    **{f"jit of {name}": lambda f, m=m: dn.jit(m(f)) for name, m in MATRICES.items()},
    **{
        f"jit of {name}": _by_columns(lambda f, product=product: dn.jit(product(f)))
        for name, product in PRODUCTS.items()
    },
}

# ways to the third derivative, of the shape (*x.shape, *x.shape, *x.shape)
THIRD: dict[str, Callable[[Function], Function]] = {
    "forward, forward, reverse": lambda f: dn.jacfwd(dn.hessian(f)),
    "reverse, forward, reverse": lambda f: dn.jacrev(dn.hessian(f)),
    "forward, forward, forward": lambda f: dn.jacfwd(dn.jacfwd(dn.jacfwd(f))),
    "reverse, reverse, reverse": lambda f: dn.jacrev(dn.jacrev(dn.jacrev(f))),
    "forward, reverse, forward": lambda f: dn.jacfwd(dn.jacrev(dn.jacfwd(f))),
    "reverse, forward, forward": lambda f: dn.jacrev(dn.jacfwd(dn.jacfwd(f))),
    "forward, reverse, reverse": lambda f: dn.jacfwd(dn.jacrev(dn.jacrev(f))),
    "reverse, reverse, forward": lambda f: dn.jacrev(dn.jacrev(dn.jacfwd(f))),
    "jets in all entries": _by_entries(3),
    "reverse, jets in all entries": lambda f: dn.jacrev(_by_entries(2)(f)),
}


def in_turn(ways: Mapping[str, T], k: int, count: int = 1) -> dict[str, T]:
    """Some of the ways, others for every k; all of them if DUALNUM_EVERY_WAY is set."""
    items = list(ways.items())
    if EVERY_WAY or count >= len(items):
        return dict(items)
    return dict(items[(k * count + i) % len(items)] for i in range(count))


# ── holding them against the truth ───────────────────────────────────────────────────────────────


def differences(
    computed: Mapping[str, Callable[[], Any]] | Iterable[tuple[str, Callable[[], Any]]],
    expected: Any,
    tolerance: float = 1e-9,
    floor: float = 1.0,
    elementwise: bool = False,
) -> list[str]:
    """What differs from the expected numbers, in words: one line for all the ways that give the same.

    An infinity must be one of the same sign, and NaN must be NaN. The shapes must be the same; errors are
    measured against the largest finite number that is expected, or the floor; element by element against
    the number that is expected there.
    """
    found: dict[str, list[str]] = {}
    expected = np.asarray(expected)
    scale = floor
    if not elementwise:
        scale = max(floor, float(np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0)))
    for name, compute in computed.items() if isinstance(computed, Mapping) else computed:
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                given = np.asarray(compute())
        except Exception as error:
            found.setdefault(f"{type(error).__name__}: {error}", []).append(name)
            continue
        if given.shape != expected.shape:
            found.setdefault(f"shape {given.shape}, not {expected.shape}", []).append(name)
        elif not np.allclose(given, expected, rtol=tolerance * elementwise, atol=tolerance * scale, equal_nan=True):
            found.setdefault(f"{_short(given)}, not {_short(expected)}", []).append(name)
    return [f"{'; '.join(names)}: {what}" for what, names in found.items()]


def _short(x: Any) -> str:
    return " ".join(np.array2string(np.asarray(x) + 0.0, precision=10, threshold=30).split())
