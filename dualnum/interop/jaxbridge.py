"""A function of NumPy as one of JAX's: a callback with a rule of its own, which crosses by the same bridge.

JAX cannot transpose a callback. So there are two rules: the pull-back (jax.custom_vjp) for jax.grad and jax.jacrev, and
the push-forward (jax.custom_jvp) for jax.jvp and jax.jacfwd; each nests with itself.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np
import optree

from .. import containers
from ..errors import InvalidType, InvalidValue, MissingLibrary
from ..operand import primal
from ..transforms import jvp, vjp

__all__ = ["to_jax"]


def to_jax(f: Callable[..., Any], mode: str = "reverse") -> Callable[..., Any]:
    """The function f of arrays as a function of JAX's arrays, which JAX differentiates, compiles and maps.

    The result is ``f(x)``, computed here in a callback of the compiled program, and its derivative the pull-back
    ``ȳᵀ ∂f/∂x`` or the push-forward ``∂f/∂x v``, in callbacks too. Shapes and types of the result are found by a call
    of f at ones.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same; its shapes do not hang on its numbers.
        mode: "reverse", for jax.grad and jax.jacrev, nested as often as wanted; "forward", for jax.jvp and jax.jacfwd.

    Returns:
        A function of JAX's arrays, in the same containers, to those of the shapes and types that f gives. Without
        ``jax_enable_x64`` JAX's types are single precision.

    Raises:
        MissingLibrary: JAX is not installed.
        InvalidType: f is no function, or gives no arrays.
        InvalidValue: mode is another word.

    Example:
        >>> import jax  # doctest: +SKIP
        >>> jax.grad(dn.interop.to_jax(lambda x: np.sum(x**3)))(jax.numpy.array([0.5, 2.0]))  # doctest: +SKIP
        Array([ 0.75, 12.  ], dtype=float32)
    """
    if not callable(f):
        raise InvalidType(f"to_jax: f is a {type(f).__name__}; expected a function of arrays")
    if mode not in ("reverse", "forward"):
        raise InvalidValue(f'to_jax: mode is {mode!r}; expected "reverse" or "forward"')
    try:
        import jax
    except ImportError:
        raise MissingLibrary("to_jax needs JAX; pip install jax") from None
    crossing = _reverse if mode == "reverse" else _forward

    def bridged(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = containers.flatten((args, kwargs))
        made: list[Any] = []

        def flat(*arrays: Any) -> Any:
            inner, named = optree.tree_unflatten(structure, list(arrays))
            results, its = containers.flatten(f(*inner, **named))
            made[:] = [its]
            return tuple(results)

        results = crossing(jax, flat)(*map(jax.numpy.asarray, leaves))
        return optree.tree_unflatten(made[0], list(results))

    return update_wrapper(bridged, f, updated=())


def _callback(jax: Any, flat: Callable[..., Any], args: Any) -> Any:
    """flat(*args), computed here when JAX's program runs."""
    ones = [np.ones(x.shape, x.dtype) for x in args]
    canonical = jax.dtypes.canonicalize_dtype
    shapes = tuple(jax.ShapeDtypeStruct(np.shape(y), canonical(np.result_type(y))) for y in map(primal, flat(*ones)))

    def called(*arrays: Any) -> Any:
        ys = flat(*[np.asarray(x) for x in arrays])
        return tuple(np.asarray(primal(y), s.dtype) for y, s in zip(ys, shapes, strict=True))

    return jax.pure_callback(called, shapes, *args, vmap_method="sequential")


def _reverse(jax: Any, flat: Callable[..., Any]) -> Any:
    """With the pull-back; JAX's cotangents are as ours, not conjugated."""

    def pulled(count: int) -> Callable[..., Any]:
        def back(*arrays: Any) -> Any:
            found = vjp(flat, *arrays[:count])[1](tuple(arrays[count:]))
            return found if count > 1 else (found,)

        return back

    call: Any = jax.custom_vjp(lambda *args: _callback(jax, flat, args))

    def forward(*args: Any) -> Any:
        return call(*args), args

    def backward(args: Any, cotangents: Any) -> Any:
        return tuple(_reverse(jax, pulled(len(args)))(*args, *cotangents))

    call.defvjp(forward, backward)
    return call


def _forward(jax: Any, flat: Callable[..., Any]) -> Any:
    """With the push-forward."""

    def pushed(*arrays: Any) -> Any:
        half = len(arrays) // 2
        return tuple(jvp(flat, arrays[:half], arrays[half:])[1])

    call: Any = jax.custom_jvp(lambda *args: _callback(jax, flat, args))

    def rule(primals: Any, tangents: Any) -> Any:
        return call(*primals), tuple(_forward(jax, pushed)(*primals, *tangents))

    call.defjvp(rule)
    return call
