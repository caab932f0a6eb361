"""The sweep over what variables recorded: what is asked of outputs and cotangents, and where gradients go."""

from collections.abc import Sequence
from contextlib import nullcontext
from sys import modules
from typing import Any

import numpy as np

from ..backend import as_floating, is_array, namespace
from ..devices import apart, several
from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..operand import Operand, away, library, primal
from ..operand.constants import frozen
from ..tape.step import Step
from ..tape.sweep import sweep
from .tensors import Tensor

__all__ = ["accumulated", "described", "own_array", "swept", "wanted"]


def swept(
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    wanted: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    name: str,
    collect: bool,
    allow_unused: bool = False,
    retained: bool = True,
) -> list[tuple[Step, Any]]:
    """The sweep over what was recorded, and what is asked of outputs and cotangents before it begins."""
    if "cupy" in modules and (device := away(list(outputs))) is not None:
        with device:
            return swept(outputs, cotangents, wanted, retain_graph, create_graph, name, collect, allow_unused, retained)
    seeds = []
    for y, g in zip(outputs, cotangents, strict=True):
        if not isinstance(y, Tensor):
            raise InvalidType(f"{name}: an output is {described(y)}; expected what was computed from a variable")
        y._read()
        if y._step is None:
            if allow_unused:
                continue
            raise InvalidValue(
                f"{name}: an output depends on no variable that requires a gradient: it is constant, as a high "
                "derivative of a polynomial is, or was computed within no_grad, or from x.data or x.detach()"
                + ("; allow_unused=True gives None" if name == "grad" else "")
            )
        if g is None:
            if y.size != 1:
                raise InvalidValue(
                    f"{name}: the output has shape {y.shape}; a gradient is implied for a single number only: give "
                    f"{'gradient' if name == 'backward' else 'grad_outputs'}=np.ones_like(y.data) for that of np.sum(y)"
                )
            traced = namespace(primal(y)) is not library(y)  # and will be on a device
            g = np.ones_like(primal(y)) if traced else namespace(primal(y)).ones(y.shape, y.dtype)
        elif not isinstance(g, Operand):
            g = as_floating(g, name, "a gradient of an output").astype(y.dtype, copy=False)
            g = frozen(g) if create_graph else g
        if np.shape(g) != y.shape:
            raise InvalidValue(f"{name}: a gradient of an output has shape {np.shape(g)}; expected {y.shape}")
        together = type(g) is type(y._value) and not several()
        if not together and is_array(primal(y)) and (misplaced := apart(name, g, y)) is not None:
            raise misplaced
        if not create_graph and isinstance(g, Tensor):
            g = g._read()
        constant = create_graph and not (isinstance(g, Operand) and g.scope.level >= y.scope.level)
        seeds.append((y._step, y._new(g, None) if constant else g))
    retain = create_graph if retain_graph is None else retain_graph
    wrap = outputs[0]._new if create_graph else None
    return sweep(seeds, wanted, retain=retain, wrap=wrap, collect=collect, retained=retained)


def own_array(g: Value) -> Any:
    """An array of its own."""
    if isinstance(g, Operand):
        return g
    with away((g,)) or nullcontext():
        return namespace(g).array(g)


def described(x: Value) -> str:
    return f"an operand of {x.scope.name}" if isinstance(x, Operand) else f"a {type(x).__name__}"


def wanted(inputs: Any, name: str) -> list[Step]:
    """The steps of the variables to differentiate by."""
    steps: list[Step] = []
    for k, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise InvalidType(
                f"{name}: input {k} is {described(x)}; expected a variable: make it by variable(…), and compute the "
                "outputs from that"
            )
        x._read()
        if x._step is None:
            raise InvalidValue(f"{name}: input {k} does not require a gradient; make it with requires_grad=True")
        steps.append(x._step)
    return steps


def accumulated(found: Sequence[tuple[Step, Any]], create_graph: bool) -> None:
    """Adds what a sweep found to the `grad` of the steps."""
    for step, g in found:
        before = getattr(step, "grad", None)
        g = g if create_graph else own_array(g)
        step.grad = g if before is None else before + g
