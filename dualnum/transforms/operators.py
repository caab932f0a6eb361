"""Products with second derivatives, and the Laplacian: none of them forms a Hessian."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..backend import as_floating
from ..errors import InvalidType, InvalidValue
from ..jets.seeding import seed
from ..kinds import Value
from ..operand import Operand
from ..operand.levels import open_scope
from ..series import total
from .dense import unit_blocks
from .forward import Argnums, _directional, _named, _owned, _positions, _returned
from .reverse import _grad, floats

__all__ = ["hvp", "laplacian", "vhp"]


def hvp(f: Callable[..., Any], *, argnums: Argnums = 0) -> Callable[..., Any]:
    """The Hessian-vector product of a scalar function: (x, v) ↦ ∇²f(x)·v, forward over reverse.

    Args:
        f: a function of arrays (or nested containers of arrays) to one real number.
        argnums: which positional arguments vary, all together; one index or several.

    Returns:
        A function of f's positional arguments and then v, with the structure of the varying argument (a tuple of as
        many for several argnums) and shapes that broadcast to its own. The result has its structure, shapes and types.

    Raises:
        InvalidValue, InvalidType: as for `grad`, and where v does not fit or is left out.

    Source:
        Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.

    Example:
        >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.5]))
        array([13.,  6.])
    """
    return _named(
        _directional(_grad(f, argnums, False, "hvp"), 1, argnums, "hvp"), f, "hvp", 0, partial(hvp, argnums=argnums)
    )


def vhp(f: Callable[..., Any], *, argnums: Argnums = 0) -> Callable[..., Any]:
    """The vector-Hessian product (x, v) ↦ vᵀ ∇²f(x), reverse over forward: the gradient of x ↦ ∇f(x)·v.

    It equals `hvp` wherever the second derivatives are continuous; arguments, result and errors as for `hvp`.

    Example:
        >>> vhp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.5]))
        array([13.,  6.])
    """

    def scalar(*args: Any, **kwargs: Any) -> Any:
        return floats(_returned(f(*args, **kwargs), "vhp"), "vhp")

    transformed = _grad(_directional(scalar, 1, argnums, "vhp"), argnums, False, "vhp")
    return _named(transformed, f, "vhp", 0, partial(vhp, argnums=argnums))


def laplacian(f: Callable[..., Any], *, argnums: int = 0) -> Callable[..., Any]:
    """The Laplacian Σ_i ∂²f/∂x_i² over all entries of an array x, by jets of order 2 along every axis.

    Blocks of axes go through f at once, as many as the memory budget allows.

    Args:
        f: a function of real arrays to one array.
        argnums: which positional argument x is, an array of any shape; one index.

    Returns:
        A function of the same arguments; its result has the shape and type of f's.

    Raises:
        InvalidValue: argnums are several indices, or one that names no argument.
        InvalidType: x is complex, a container or not made of numbers; f returns an integer or None.

    Example:
        >>> laplacian(lambda x: x[0] ** 3 + x[0] * x[1] ** 2)(np.array([2.0, 5.0]))
        np.float64(16.0)
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        position, *others = _positions(argnums, args, "laplacian")
        if others:
            raise InvalidValue(f"laplacian: argnums is {argnums}; expected one index: add the Laplacians by each")
        x = args[position]
        if not isinstance(x, Operand):
            x = as_floating(x, "laplacian", f"argument {position}")
        if x.dtype.kind == "c":
            raise InvalidType("laplacian: the argument is complex; expected real numbers")
        return total(_second_derivatives(f, args, kwargs, position, x, units) for units in unit_blocks(x))

    return _named(transformed, f, "laplacian", argnums, partial(laplacian, argnums=argnums))


def _second_derivatives(f: Callable[..., Any], args: Any, kwargs: Any, position: int, x: Value, units: Any) -> Any:
    """The sum of the second derivatives of f along these directions."""
    with open_scope(f"laplacian of {getattr(f, '__name__', 'f')}") as scope:
        filled = list(args)
        filled[position] = seed(x, 2, None, units, scope)
        result = floats(_returned(f(*filled, **kwargs), "laplacian"), "laplacian")
        y, depends = _owned(result, scope, "laplacian")
        if not depends:
            return np.zeros_like(y)[()]
        return 2.0 * np.sum(y.planes[y.algebra.block(2)], axis=0)
