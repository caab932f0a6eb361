"""The gradient of what was recorded, and whether to record."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from ..backend import as_floating
from ..errors import InvalidType, InvalidValue
from ..jets.jet import Jet
from ..jets.seeding import seed
from ..operand import Operand, library, primal
from ..operand.levels import open_scope
from ..tape.step import Step, is_recording, recording_is, set_recording
from .sweeps import accumulated, described, own_array, swept, wanted
from .variable import Variable, variable

__all__ = ["Variable", "enable_grad", "grad", "is_grad_enabled", "no_grad", "set_grad_enabled", "variable"]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients ∂(Σ grad_outputs·outputs)/∂inputs, without touching any `grad`.

    Args:
        outputs: a variable, or a sequence of them.
        inputs: likewise; what the outputs were computed from.
        grad_outputs: as many, of the shapes of the outputs; None for single numbers.
        retain_graph: keep the record for another sweep; as create_graph when left out.
        create_graph: record the sweep itself: the gradients are variables, which can be differentiated.
        allow_unused: give None for an input on which the outputs do not depend, instead of raising.
        is_grads_batched: grad_outputs have a batch in front of their shapes, and the gradients too: one sweep for all.
        materialize_grads: give zeros for such an input.

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
    steps = wanted(ins, "grad")
    allow_unused = allow_unused or materialize_grads
    sweeping = _batch_of if is_grads_batched else _of
    found, retained = sweeping(outs, given, steps, retain_graph, create_graph, allow_unused)
    results = []
    for k, (x, step) in enumerate(zip(ins, steps, strict=True)):
        g = found.get(step.number)
        if g is None and not allow_unused:
            raise InvalidValue(
                f"grad: the outputs do not depend on input {k}; pass allow_unused=True to get None for it"
            )
        if g is None and materialize_grads:
            g = np.zeros_like(primal(x))
            g = variable(g, False) if create_graph else g
        results.append(g if g is None or create_graph else own_array(g))
    accumulated(retained, create_graph)
    return tuple(results)


Found = tuple[dict[int, Any], list[tuple[Step, Any]]]


def _of(
    outs: Sequence[Any],
    given: Sequence[Any],
    steps: Sequence[Step],
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool,
) -> Found:
    """The gradients by the numbers of their steps, and those that are retained on the way."""
    pairs = swept(outs, given, steps, retain_graph, create_graph, "grad", False, allow_unused)
    numbers = {step.number for step in steps}
    found = {step.number: g for step, g in pairs if step.number in numbers}
    return found, [(step, g) for step, g in pairs if hasattr(step, "grad") and step.pull is not None]


def _batch_of(
    outs: Sequence[Any],
    given: Sequence[Any],
    steps: Sequence[Step],
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool,
) -> Found:
    """The same for many cotangents: the sweep is linear in them, so they are the directions of one jet."""
    seeds, count = [], None
    with open_scope("grad") as scope:
        for y, g in zip(outs, given, strict=True):
            g = g if isinstance(g, Operand) else as_floating(g, "grad", "grad_outputs")
            expected = tuple(np.shape(y))
            if np.ndim(g) == 0 or tuple(g.shape[1:]) != expected or (count not in (None, g.shape[0])):
                raise InvalidValue(
                    f"grad: is_grads_batched=True and grad_outputs of shape {np.shape(g)}; expected a batch "
                    f"of {expected}"
                )
            count = g.shape[0]
            zeros = library(primal(y)).zeros(expected, y.dtype)
            seeds.append(seed(zeros, 1, None, g, scope))
        pairs, retained = _of(outs, seeds, steps, retain_graph, create_graph, allow_unused)
        return {k: _planes(g, count, scope) for k, g in pairs.items()}, [
            (step, _planes(g, count, scope).sum(0)) for step, g in retained
        ]


def _planes(g: Any, count: Any, scope: Any) -> Any:
    """The gradients of all directions."""
    if isinstance(g, Jet) and g.scope is scope:
        return g.planes[g.algebra.block(1)]
    return library(primal(g)).zeros((count, *np.shape(g)), g.dtype)


def _listed(given: Any, what: str) -> list[Any]:
    if isinstance(given, Operand):
        return [given]
    if isinstance(given, (np.ndarray, np.generic, dict, str)) or not isinstance(given, Iterable):
        raise InvalidType(f"grad: {what} is {described(given)}; expected a variable or a sequence of variables")
    return list(given)


class _Switch(ContextDecorator):
    """What records or not within ``with``, and in the functions that it decorates."""

    _on: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        self._entered: list[Any] = []

    def __enter__(self) -> None:
        self._entered.append(recording_is(self._on))
        self._entered[-1].__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._entered.pop().__exit__(*exception)


class no_grad(_Switch):
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

    _on = False


class enable_grad(_Switch):
    """What is computed inside is recorded, also within `no_grad`.

    Args:
        function: as for `no_grad`.

    Example:
        >>> w = variable(3.0)
        >>> with no_grad():
        ...     with enable_grad():
        ...         y = w**2
        >>> y.requires_grad
        True
    """

    _on = True


class set_grad_enabled(ContextDecorator):
    """Records or not from now on; within ``with``, and in a function that it decorates, until its end.

    Args:
        mode: whether to record.

    Example:
        >>> w = variable(3.0)
        >>> with set_grad_enabled(False):
        ...     y = w**2
        >>> y.requires_grad, is_grad_enabled()
        (False, True)
    """

    def __init__(self, mode: bool) -> None:
        self._before = is_recording()
        self._mode = bool(mode)
        set_recording(self._mode)

    def __call__(self, function: Callable[..., Any]) -> Any:
        set_recording(self._before)  # only what it decorates
        return super().__call__(function)

    def _recreate_cm(self) -> "set_grad_enabled":
        return type(self)(self._mode)

    def __enter__(self) -> None:
        set_recording(self._mode)

    def __exit__(self, *exception: Any) -> None:
        set_recording(self._before)


def is_grad_enabled() -> bool:
    """Whether what is computed now is recorded: not within `no_grad`.

    Returns:
        True or False, whatever the shapes and types.

    Example:
        >>> is_grad_enabled()
        True
    """
    return is_recording()
