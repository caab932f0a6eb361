"""Hooks: functions that see the cotangent of a step as a sweep passes, and may give another in its place."""

from collections.abc import Callable, Collection
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from ..errors import InvalidValue
from ..jets.planes import readonly
from ..kinds import Value
from ..operand import Operand
from .step import Step

__all__ = ["HOOKS", "Handle", "hooked", "leads_to"]

# of the steps that have some, as they live: the functions in their order, by their handles
HOOKS: WeakKeyDictionary[Step, dict["Handle", Callable[[Any], Any]]] = WeakKeyDictionary()


class Handle:
    """What takes a hook away again; within ``with`` at its end."""

    __slots__ = ("__weakref__", "_step")

    def __init__(self, step: Step, hook: Callable[[Any], Any]) -> None:
        self._step = ref(step)
        HOOKS.setdefault(step, {})[self] = hook

    def remove(self) -> None:
        """The hook is not called any more."""
        step = self._step()
        if step is not None and step in HOOKS:
            HOOKS[step].pop(self, None)
            if not HOOKS[step]:
                del HOOKS[step]

    def __enter__(self) -> "Handle":
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def hooked(step: Step, cotangent: Value) -> Any:
    """The cotangent after the hooks of its step."""
    for hook in list(HOOKS[step].values()):
        given = cotangent if isinstance(cotangent, Operand) else readonly(cotangent)  # others may refer to it
        new = hook(given)
        if new is None:
            continue
        if np.shape(new) != step.shape:
            raise InvalidValue(
                f"register_hook: a hook gave a gradient of shape {np.shape(new)}; expected {step.shape}, that of the "
                "variable, or None to leave it"
            )
        cotangent = new if hasattr(new, "dtype") else step.dtype.type(new)
    return cotangent


def leads_to(step: Step, numbers: Collection[int]) -> bool:
    """Whether a step depends on one of these, by their numbers."""
    seen: set[int] = set()
    waiting, oldest = [step], max(numbers, default=0)
    while waiting:
        one = waiting.pop()
        if one.number in numbers:
            return True
        if one.number in seen or one.number > oldest:  # counted down: it is older than all of them
            continue
        seen.add(one.number)
        waiting.extend(p for p in one.parents if p is not None)
    return False
