"""Checks of derivatives against difference quotients, along random directions and in all modes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from .algebra import check_order
from .backend import as_floating
from .errors import InvalidType, InvalidValue
from .transforms import directional, jvp, vjp

__all__ = ["check_derivatives", "check_grads"]


def check_derivatives(f: Callable[[Any], Any], x: Any, order: int = 3, *, seed: int = 0) -> None:
    """Checks dᵏ/dtᵏ f(x + t·v), k = 1 … order, along a random direction v.

    Each is compared with a difference quotient of the one below, f itself for k = 1.

    Args:
        f: a function of one array (or nested container of arrays) to the same.
        x: the point, at some distance from where f is not smooth.
        order: the highest derivative.
        seed: of the random direction.

    Raises:
        AssertionError: they disagree; it says at which order, and by how much.

    Example:
        >>> check_derivatives(np.tanh, np.array([0.3, -0.8]), 4)
    """
    x = optree.tree_map(_floating, x)
    v = _random_like(x, np.random.default_rng(seed))
    below = f
    for k in range(1, check_order(order, "check_derivatives") + 1):
        exact = directional(f, k)(x, v)
        _agree(f"derivative {k} of {_name(f)}", exact, _difference(below, (x,), (v,)))
        below = _directional(f, k, v)


def _directional(f: Callable[[Any], Any], k: int, v: Any) -> Callable[[Any], Any]:
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
        args: a tuple of its arguments, at some distance from where f is not smooth.
        order: how often to differentiate.
        modes: "forward", "reverse" or a sequence of both.
        seed: of the random directions.

    Raises:
        AssertionError: they disagree; it says in which mixture of modes, and by how much.

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
    _check(f, tuple(optree.tree_map(_floating, x) for x in args), order, modes, np.random.default_rng(seed), "")


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
            _agree(f"{here} derivative of {_name(f)}", _pairing(pulled, vs), _pairing(u, numeric))
            derived = lambda *xs, u=u: _as_tuple(vjp(f, *xs)[1](u), xs)  # noqa: E731
        derived.__name__ = _name(f)
        _check(derived, args, order - 1, modes, rng, here)


def _as_tuple(pulled: Any, args: Sequence[Any]) -> tuple[Any, ...]:
    return (pulled,) if len(args) == 1 else tuple(pulled)


def _name(f: Any) -> str:
    return str(getattr(f, "__name__", "f"))


def _floating(x: Any) -> Any:
    return as_floating(x, "testing", "an argument")


def _leaves(x: Any) -> list[Any]:
    return list(optree.tree_leaves(x))


def _random_like(x: Any, rng: Any) -> Any:
    def one(x: Any) -> Any:
        x = _floating(x)
        v = rng.normal(size=x.shape)
        return (v + 1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else v).astype(x.dtype)

    return optree.tree_map(one, x)


def _pairing(a: Any, b: Any) -> Any:
    """Re Σ a·b."""
    return np.array(sum(np.sum(np.real(x * y)) for x, y in zip(_leaves(a), _leaves(b), strict=True)))


def _difference(f: Callable[..., Any], args: Sequence[Any], vs: Sequence[Any]) -> Any:
    """The derivative of f(args + t·vs), by two central differences and Richardson's extrapolation.

    Its error is of order h⁴ + ε/h; the step h = 3 ε^(1/5) makes both alike, ε of the least exact argument.
    """
    step = 3 * max(float(np.finfo(x.dtype).eps) for x in _leaves(args)) ** 0.2

    def at(t: float) -> list[Any]:
        moved = [optree.tree_map(lambda x, v: x + t * v, x, v) for x, v in zip(args, vs, strict=True)]
        return [_floating(y) for y in _leaves(f(*moved))]

    def quotient(h: float) -> list[Any]:
        return [(a - b) / (2 * h) for a, b in zip(at(h), at(-h), strict=True)]

    wide, narrow = quotient(step), quotient(step / 2)
    return [(4 * a - b) / 3 for a, b in zip(narrow, wide, strict=True)]


def _agree(what: str, exact: Any, numeric: Any) -> None:
    for a, b in zip(_leaves(exact), _leaves(numeric), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        error = float(np.max(np.abs(a - b), initial=0.0))
        if not error <= 2 * float(np.finfo(b.dtype).eps) ** 0.4 * scale:  # 1e-6 of doubles
            raise AssertionError(f"the {what} differs from the difference quotient by {error:.3g}: {a} instead of {b}")
