"""A function of NumPy as one of PyTorch's: a torch.autograd.Function whose forward and backward run here.

Its backward is the pull-back, a function of NumPy as well, and crosses by the same bridge: so PyTorch differentiates it
again as often as it likes. Gradients of complex tensors are the conjugates of ours.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np
import optree

from .. import containers
from ..errors import InvalidType, MissingLibrary
from ..operand import primal
from ..transforms import vjp

__all__ = ["to_torch"]


def to_torch(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function f of arrays as a function of PyTorch's tensors, which PyTorch differentiates to any order.

    The result is ``f(x)``, and its gradient ``ȳᵀ ∂f/∂x``, by one sweep here. Tensors cross without a copy where they
    are on the host; those on a device go over the host and back.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same; `jit` it where it is called often.

    Returns:
        A function of tensors, in the same containers, to tensors of the shapes and types that f gives; arguments that
        are no tensors are constants.

    Raises:
        MissingLibrary: PyTorch is not installed.
        InvalidType: f is no function, or gives no arrays.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)  # doctest: +SKIP
        >>> dn.interop.to_torch(lambda x: np.sum(x**3))(x).backward()  # doctest: +SKIP
        >>> x.grad  # doctest: +SKIP
        tensor([ 0.7500, 12.0000], dtype=torch.float64)
    """
    if not callable(f):
        raise InvalidType(f"to_torch: f is a {type(f).__name__}; expected a function of arrays")
    try:
        import torch
    except ImportError:
        raise MissingLibrary("to_torch needs PyTorch; pip install torch") from None

    def bridged(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = containers.flatten((args, kwargs))
        places = [i for i, x in enumerate(leaves) if isinstance(x, torch.Tensor)]
        made: list[Any] = []

        def flat(*arrays: Any) -> Any:
            filled = list(leaves)
            for i, x in zip(places, arrays, strict=True):
                filled[i] = x
            inner, named = optree.tree_unflatten(structure, filled)
            results, its = containers.flatten(f(*inner, **named))
            made[:] = [its]
            return tuple(results)

        results = _crossing(torch, flat).apply(*[leaves[i] for i in places])
        return optree.tree_unflatten(made[0], list(results))

    return update_wrapper(bridged, f, updated=())


def _crossing(torch: Any, flat: Callable[..., Any]) -> Any:
    """The torch.autograd.Function of a function of arrays to a tuple of them."""

    def array(x: Any) -> Any:
        return x.detach().resolve_conj().cpu().numpy()

    class Crossing(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            device = tensors[0].device if tensors else "cpu"
            arrays = [array(x) for x in tensors]
            if any(ctx.needs_input_grad):
                ys, ctx.pull = vjp(flat, *arrays)
            else:
                ys = flat(*arrays)
            return tuple(torch.as_tensor(np.array(primal(y)), device=device) for y in ys)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            tensors = ctx.saved_tensors
            count = len(tensors)
            if not torch.is_grad_enabled():
                pulled = ctx.pull(tuple(np.conjugate(array(g)) for g in cotangents))
                pulled = pulled if count > 1 else (pulled,)
                found = tuple(torch.as_tensor(np.array(np.conjugate(c)), device=tensors[0].device) for c in pulled)
            else:

                def back(*arrays: Any) -> Any:
                    pulled = vjp(flat, *arrays[:count])[1](tuple(map(np.conjugate, arrays[count:])))
                    return tuple(map(np.conjugate, pulled if count > 1 else (pulled,)))

                found = _crossing(torch, back).apply(*tensors, *cotangents)
            return tuple(g if n else None for g, n in zip(found, ctx.needs_input_grad, strict=True))

    return Crossing
