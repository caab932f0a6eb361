"""Products with second derivatives, without forming a Hessian."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .forward import _directional, _returned
from .reverse import _grad, floats
from .transformed import Argnums, _named

__all__ = ["hvp", "vhp"]


def hvp(f: Callable[..., Any], *, argnums: Argnums = 0, device: str | None = None) -> Callable[..., Any]:
    """The Hessian-vector product of a scalar function: (x, v) ↦ ∇²f(x)·v, forward over reverse.

    Args:
        f: a function of arrays (or nested containers of arrays) to one real number.
        argnums: which positional arguments vary, all together; one index or several.
        device: as for `derivative`.

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
    transformed = _directional(_grad(f, argnums, False, "hvp"), 1, argnums, "hvp")
    return _named(transformed, f, "hvp", argnums, partial(hvp, argnums=argnums), device, 1)


def vhp(f: Callable[..., Any], *, argnums: Argnums = 0, device: str | None = None) -> Callable[..., Any]:
    """The vector-Hessian product (x, v) ↦ vᵀ ∇²f(x), reverse over forward: the gradient of x ↦ ∇f(x)·v.

    It equals `hvp` wherever the second derivatives are continuous; arguments, result and errors as for `hvp`.

    Example:
        >>> vhp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.5]))
        array([13.,  6.])
    """

    def scalar(*args: Any, **kwargs: Any) -> Any:
        return floats(_returned(f(*args, **kwargs), "vhp"), "vhp")

    transformed = _grad(_directional(scalar, 1, argnums, "vhp"), argnums, False, "vhp")
    return _named(transformed, f, "vhp", argnums, partial(vhp, argnums=argnums), device, 1)
