"""A compiled trace: its kernels and NumPy's calls in order, over slots that hold the arrays."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from .cut import Cut
from .fused import Kernel
from .kernel import engine, llvm, threads
from .nodes import Node, Trace

__all__ = ["ALARM", "Replay"]

# what a replay gives back where the function itself must run: a recurrence met a point that only the eager mends
# get right, or a result has another shape or type than it had when it was traced
ALARM = object()


class Replay:
    """A trace, compiled: kernels and calls of NumPy in order, over slots that hold the arrays."""

    def __init__(self, traced: Trace, samples: Sequence[Any]) -> None:
        cut = Cut(traced, samples, engine.current() == "llvm")
        self.steps = cut.steps
        self._slots = cut.count
        self._inputs = [cut.slot[n.number] for n in traced.inputs]
        self._outputs = [cut.slot[n.number] for n in traced.outputs]
        self._constants = cut.constants
        self._alarms = cut.alarms
        self._finish = [(i, finish) for i, n in enumerate(traced.outputs) if (finish := _finishing(n)) is not None]
        self._direct = self._as_one_call(traced)

    def _as_one_call(self, traced: Trace) -> Callable[[Sequence[Any]], Any] | None:
        """The whole replay as one call of one kernel, where inputs and outputs are its own."""
        if len(self.steps) != 1 or type(self.steps[0]) is not Kernel or self._alarms:
            return None
        step = self.steps[0]
        plan, targets = step.plan, step.targets
        length = prod(step.shape)
        places = [self._inputs.index(i) if i in self._inputs else -1 for i, _, _ in step.sources]
        if (
            plan.call is None
            or plan.early is not None
            or step.booleans
            or llvm.data_offset() < 0
            or length == 0
            or length * plan.work >= threads.WORTH
            or -1 in places
            or any(layout not in "cs" for _, layout, _ in step.sources)
            or [i for i, _, _ in targets] != self._outputs
            or any(size not in (0, count) for _, count, size in targets)
        ):
            return None
        call, dtype, empty = plan.call, step.dtype, np.empty
        shapes = [(size, *step.shape) if size else step.shape for _, _, size in targets]
        numbers = any(layout == "s" for _, layout, _ in step.sources)
        scalars = [not shape for shape in shapes]
        if len(shapes) == len(places) == 1 and not numbers and not scalars[0]:
            # by far the most common: one array in, one out
            shape, place = shapes[0], places[0]

            def one(args: Sequence[Any]) -> Any:
                result = empty(shape, dtype)
                return ALARM if call(id(result), id(args[place]), length, 0, length) else (result,)

            return one

        weak = [layout == "s" for _, layout, _ in step.sources]

        def several(args: Sequence[Any]) -> Any:
            results = [empty(shape, dtype) for shape in shapes]
            if numbers:
                given = [args[i] if w else id(args[i]) for i, w in zip(places, weak, strict=True)]
            else:
                given = [id(args[i]) for i in places]
            if call(*map(id, results), *given, length, 0, length):
                return ALARM
            return [y[()] if s else y for y, s in zip(results, scalars, strict=True)] if any(scalars) else results

        return several

    def __call__(self, args: Sequence[Any]) -> Any:
        """The outputs for these inputs, arrays and Python floats; ALARM where the function itself must run."""
        if self._direct is not None:
            return self._direct(args)
        slots: list[Any] = [None] * self._slots
        for i, x in self._constants:
            slots[i] = x
        for i, x in zip(self._inputs, args, strict=True):
            slots[i] = x
        for step in self.steps:
            if type(step) is Kernel:
                if step.run(slots):
                    return ALARM
                continue
            target, function, sources, shape, dtype = step
            y = slots[target] = function(*[slots[i] for i in sources])
            if shape is not None and (np.shape(y) != shape or getattr(y, "dtype", dtype) != dtype):
                return ALARM
        if any(np.any(slots[i]) for i in self._alarms):
            return ALARM
        outputs = [slots[i] for i in self._outputs]
        for i, finish in self._finish:
            outputs[i] = finish(outputs[i])
        return outputs


def _finishing(node: Node) -> Callable[[Any], Any] | None:
    """What is still to do with an output."""
    if node.op == "constant" and not node.weak:
        return np.copy if node.shape else None
    if node.weak and node.op != "constant" and node.op != "input":
        return float
    if node.elementwise and node.shape == ():
        return lambda y: y[()] if type(y) is np.ndarray else y  # a scalar, as NumPy gives
    return None
