"""Checks of derivatives against difference quotients and each other, along random directions and in all modes."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from . import containers
from .algebra import check_order
from .autograd import grad
from .autograd.variable import variable
from .backend import as_floating, to_device
from .errors import InvalidType, InvalidValue
from .kinds import Value
from .operand import beside
from .program.jit import jit as compile_
from .transforms import directional, hvp, jvp, vhp, vjp

__all__ = ["WAYS", "check_derivatives", "check_grads"]


# what check_derivatives compares with one jet
WAYS = ("quotient", "nested", "mixed", "products", "recorded")


def check_derivatives(
    f: Callable[[Any], Any], x: Value, order: int = 3, *, ways: Sequence[str] = WAYS, jit: bool = False, seed: int = 0
) -> None:
    """Checks dᵏ/dtᵏ f(x + t·v), k = 1 … order, along a random direction v: one jet against all other ways.

    The ways, for h(x) = ⟨u, f(x)⟩ with a random cotangent u where a gradient is among them:

        "quotient"   a difference quotient of the derivative below, of f itself for k = 1
        "nested"     first derivatives of first derivatives, all 2ᵏ mixtures of `jvp` and `vjp`
        "mixed"      a jet over a gradient, and a gradient over a jet
        "products"   ⟨v, H v⟩ of the derivative two orders below, by `hvp` and by `vhp`
        "recorded"   `dualnum.autograd.grad` with create_graph, k times

    They agree to rounding at every point, kinks included, where the quotient alone is to be left out. Products
    and what is recorded are for real arguments.

    Args:
        f: a function of one array (or nested container of arrays) to the same.
        x: the point, of any shape; for the quotient at some distance from where f is not smooth.
        order: the highest derivative.
        ways: some of the above; all of them unless given.
        jit: whether each of them is compiled as well, but the quotient.
        seed: of the random direction and cotangent.

    Raises:
        AssertionError: they disagree; it says which way, at which order, and by how much.
        InvalidValue: a way that there is not; order is negative.
        InvalidType: x is not made of numbers; order is no integer.

    Example:
        >>> check_derivatives(np.tanh, np.array([0.3, -0.8]), 4)
        >>> check_derivatives(lambda x: np.abs(x) ** 2, np.zeros(2), 3, ways=("nested", "mixed"), jit=True)
    """
    chosen = (ways,) if isinstance(ways, str) else tuple(ways)
    unknown = [way for way in chosen if way not in WAYS]
    if unknown:
        raise InvalidValue(f"check_derivatives: a way is {unknown[0]!r}; expected some of {', '.join(WAYS)}")
    x = containers.map_leaves(_floating, x)
    rng = np.random.default_rng(seed)
    v = _random_like(x, rng)
    u = _random_like(f(x), rng)
    real = all(leaf.dtype.kind == "f" for leaf in _leaves(x))
    below = f
    for k in range(1, check_order(order, "check_derivatives") + 1):
        exact = directional(f, k)(x, v)
        if "quotient" in chosen:
            _agree(f"derivative {k} of {_name(f)}", exact, _difference(below, (x,), (v,)))
        below = _directional(f, k, v)
        expected = _seen(_paired(u, exact))
        for name, way in _ways(lambda y: _paired(u, f(y)), v, k, real, chosen):
            for compiled in (False, True) if jit else (False,):
                given = _seen((compile_(way) if compiled else way)(x))
                if not _alike(given, expected):
                    what = f"jit of {name}" if compiled else name
                    raise AssertionError(
                        f"derivative {k} of {_name(f)} by {what} differs from that of one jet: {given} instead of "
                        f"{expected}"
                    )


def _ways(
    h: Callable[[Any], Any], v: Value, k: int, real: bool, chosen: Sequence[str]
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """The ways to dᵏ/dtᵏ h(x + t·v), as functions of x, and what they are called."""

    def forward(h: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: jvp(h, (x,), (v,))[1]

    def reverse(h: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def slope(x: Value) -> Any:
            y, pull = vjp(h, x)
            return _paired(pull(np.ones_like(y)), v)

        return slope

    def jet(h: Callable[[Any], Any], n: int) -> Callable[[Any], Any]:
        return (lambda x: directional(h, n)(x, v)) if n else h

    def recorded(x: Value) -> Any:
        x = containers.map_leaves(variable, x)
        y = h(x)
        for i in range(k):
            if not getattr(y, "requires_grad", False):  # it has been differentiated to a constant
                return np.zeros(np.shape(y))
            slopes = grad(y, _leaves(x), create_graph=i < k - 1, allow_unused=True)
            known = [(g, w) for g, w in zip(slopes, _leaves(v), strict=True) if g is not None]
            y = _paired([g for g, _ in known], [w for _, w in known])
        return y

    if "nested" in chosen:
        for word in product((("jvp", forward), ("vjp", reverse)), repeat=k):
            nested = h
            for _, first in reversed(word):
                nested = first(nested)
            yield " of ".join(name for name, _ in word), nested
    if "mixed" in chosen and k > 1:
        yield "a jet over a gradient", jet(reverse(h), k - 1)
        yield "a gradient over a jet", reverse(jet(h, k - 1))
    if "products" in chosen and k > 1 and real:
        yield "hvp", lambda x: _paired(hvp(jet(h, k - 2))(x, v), v)
        yield "vhp", lambda x: _paired(vhp(jet(h, k - 2))(x, v), v)
    if "recorded" in chosen and real:
        yield "create_graph", recorded


def _directional(f: Callable[[Any], Any], k: int, v: Value) -> Callable[[Any], Any]:
    return lambda y: directional(f, k)(y, v)


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("forward", "reverse"),
    *,
    seed: int = 0,
) -> None:
    """Checks the first derivative of f in the given modes, and so on recursively: all mixtures up to the order.

    Forward: J·v is compared with a difference quotient. Reverse: ⟨Jᵀu, v⟩ = ⟨u, J·v⟩ for a random cotangent u.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        args: a tuple of its arguments, of any shapes, at some distance from where f is not smooth.
        order: how often to differentiate.
        modes: "forward", "reverse" or a sequence of both.
        seed: of the random directions.

    Raises:
        AssertionError: they disagree; it says in which mixture of modes, and by how much.
        InvalidValue: a mode that there is not; order is negative.
        InvalidType: args is no tuple or list, or not made of numbers; order is no integer.

    Example:
        >>> check_grads(lambda x, y: np.sin(x) * y, (0.5, np.array([1.0, 2.0])), order=3)
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    unknown = [mode for mode in modes if mode not in ("forward", "reverse")]
    if unknown:
        raise InvalidValue(f'check_grads: a mode is {unknown[0]!r}; expected "forward" or "reverse"')
    if not isinstance(args, (tuple, list)):
        raise InvalidType(f"check_grads: args is a {type(args).__name__}; expected a tuple of f's arguments")
    order = check_order(order, "check_grads")
    _check(f, tuple(containers.map_leaves(_floating, x) for x in args), order, modes, np.random.default_rng(seed), "")


def _check(f: Callable[..., Any], args: tuple[Any, ...], order: int, modes: Sequence[str], rng: Any, path: str) -> None:
    if order == 0:
        return
    vs = tuple(_random_like(x, rng) for x in args)
    numeric = _difference(f, args, vs)
    for mode in modes:
        here = f"{path} over {mode}" if path else mode
        if mode == "forward":
            _agree(f"{here} derivative of {_name(f)}", jvp(f, args, vs)[1], numeric)
            derived = lambda *xs: jvp(f, xs, vs)[1]  # noqa: E731
        else:
            u = _random_like(f(*args), rng)
            pulled = _as_tuple(vjp(f, *args)[1](u), args)
            reference = _seen(_paired(u, numeric))
            _agree(f"{here} derivative of {_name(f)}", _paired(pulled, vs), reference)
            derived = lambda *xs, u=u: _as_tuple(vjp(f, *xs)[1](u), xs)  # noqa: E731
        derived.__name__ = _name(f)
        _check(derived, args, order - 1, modes, rng, here)


def _as_tuple(pulled: Any, args: Sequence[Any]) -> tuple[Any, ...]:
    return (pulled,) if len(args) == 1 else tuple(pulled)


def _name(f: Any) -> str:
    return str(getattr(f, "__name__", "f"))


def _floating(x: Value) -> Any:
    return as_floating(x, "testing", "an argument")


def _leaves(x: Value) -> list[Any]:
    return list(containers.flatten(x)[0])


def _seen(x: Value) -> Any:
    """A result to be compared, on the host."""
    return np.asarray(to_device(x, "cpu"))


def _random_like(x: Value, rng: Any) -> Any:
    def one(x: Value) -> Any:
        x = _floating(x)
        v = rng.normal(size=x.shape)
        return beside(v + 1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else v, x)

    return containers.map_leaves(one, x)


def _paired(a: Value, b: Value) -> Any:
    """Re Σ a·b."""
    return sum(np.sum(np.real(x * y)) for x, y in zip(_leaves(a), _leaves(b), strict=True))


def _alike(given: Any, expected: Any) -> bool:
    """Whether two ways to a number, which are all exact, gave the same."""
    scale = float(np.max(np.abs(expected), where=np.isfinite(expected), initial=1.0))
    tolerance = float(np.finfo(expected.dtype).eps) ** 0.5 * scale
    return given.shape == expected.shape and np.allclose(given, expected, rtol=0.0, atol=tolerance, equal_nan=True)


def _difference(f: Callable[..., Any], args: Sequence[Any], vs: Sequence[Any]) -> Any:
    """The derivative of f(args + t·vs), by two central differences and Richardson's extrapolation.

    Its error is of order h⁴ + ε/h; the step h = 3 ε^(1/5) makes both alike, ε of the least exact argument.
    """
    step = 3 * max(float(np.finfo(x.dtype).eps) for x in _leaves(args)) ** 0.2

    def at(t: float) -> list[Any]:
        moved = [containers.map_leaves(lambda x, v: x + t * v, x, v) for x, v in zip(args, vs, strict=True)]
        return [_floating(y) for y in _leaves(f(*moved))]

    def quotient(h: float) -> list[Any]:
        return [(a - b) / (2 * h) for a, b in zip(at(h), at(-h), strict=True)]

    wide, narrow = quotient(step), quotient(step / 2)
    return [(4 * a - b) / 3 for a, b in zip(narrow, wide, strict=True)]


def _agree(what: str, exact: Any, numeric: Any) -> None:
    for a, b in zip(_leaves(exact), _leaves(numeric), strict=True):
        a, b = _seen(a), _seen(b)
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        error = float(np.max(np.abs(a - b), initial=0.0))
        if not error <= 2 * float(np.finfo(b.dtype).eps) ** 0.4 * scale:  # 1e-6 of doubles
            raise AssertionError(f"the {what} differs from the difference quotient by {error:.3g}: {a} instead of {b}")
