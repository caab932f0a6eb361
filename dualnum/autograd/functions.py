"""The gradient of what was recorded, and how not to record."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ContextDecorator
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue
from ..operand import Operand
from ..tape.step import not_recording
from .variable import Variable, described, own_array, swept, variable

__all__ = ["Variable", "grad", "no_grad", "variable"]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients ∂(Σ grad_outputs·outputs)/∂inputs, without touching any `grad`.

    Args:
        outputs: a variable, or a sequence of them.
        inputs: likewise; what the outputs were computed from.
        grad_outputs: as many, of the shapes of the outputs; None for single numbers.
        retain_graph: keep the record for another sweep; as create_graph when left out.
        create_graph: record the sweep itself: the gradients are variables, which can be differentiated.
        allow_unused: give None for an input on which the outputs do not depend, instead of raising.

    Returns:
        A tuple with a gradient for each input, of its shape and type.

    Raises:
        InvalidType: an output or input is no variable; a gradient of an output is not made of numbers.
        InvalidValue: an input requires no gradient, or the outputs do not depend on it; the gradients of outputs are
            not as many, have other shapes, or are left out for an array; the record was given up by an earlier sweep.

    Example:
        >>> x = variable([1.0, 2.0])
        >>> (f_x,) = grad(x**3, x, np.ones(2), create_graph=True)
        >>> (f_xx,) = grad(f_x, x, np.ones(2))
        >>> f_x.data, f_xx
        (array([ 3., 12.]), array([ 6., 12.]))
    """
    outs, ins = _listed(outputs, "outputs"), _listed(inputs, "inputs")
    given = (
        [None] * len(outs)
        if grad_outputs is None
        else [grad_outputs]
        if isinstance(outputs, Operand) and not isinstance(grad_outputs, (tuple, list))
        else list(grad_outputs)
    )
    if len(given) != len(outs):
        raise InvalidValue(f"grad: {len(outs)} outputs and {len(given)} grad_outputs; expected as many")
    for k, x in enumerate(ins):
        if not isinstance(x, Variable):
            raise InvalidType(
                f"grad: input {k} is {described(x)}; expected a variable: make it by variable(…), and compute the "
                "outputs from that"
            )
        if not x.requires_grad:
            raise InvalidValue(f"grad: input {k} does not require a gradient; make it with requires_grad=True")
    steps = [x._step for x in ins]
    pairs = swept(outs, given, steps, retain_graph, create_graph, "grad", False, allow_unused)
    found = {step.number: g for step, g in pairs}
    results = []
    for k, step in enumerate(steps):
        if step.number not in found and not allow_unused:
            raise InvalidValue(
                f"grad: the outputs do not depend on input {k}; pass allow_unused=True to get None for it"
            )
        g = found.get(step.number)
        results.append(g if g is None or create_graph else own_array(g))
    return tuple(results)


def _listed(given: Any, what: str) -> list[Any]:
    if isinstance(given, Operand):
        return [given]
    if isinstance(given, (np.ndarray, np.generic, dict, str)) or not isinstance(given, Iterable):
        raise InvalidType(f"grad: {what} is {described(given)}; expected a variable or a sequence of variables")
    return list(given)


class no_grad(ContextDecorator):
    """Nothing is recorded inside: what is computed there is constant, and leaves may be assigned to.

    Args:
        function: the function below ``@no_grad``, nothing of which is recorded; left out in ``with no_grad():`` and
            in ``@no_grad()``.

    Example:
        >>> w = variable([1.0, 2.0])
        >>> np.sum(w**2).backward()
        >>> with no_grad():
        ...     w -= 0.1 * w.grad
        >>> w.data
        array([0.8, 1.6])
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else no_grad()(function)

    def __init__(self) -> None:
        self._entered: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        self._entered.append(not_recording())
        self._entered[-1].__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._entered.pop().__exit__(*exception)
