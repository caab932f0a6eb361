"""CUDA as a target: what it takes and gives, and how a plan becomes launches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...backend import cupy
from ...kinds import DType
from ..emit import renderable
from ..interpret import Interpreter
from ..layout import Routine
from ..target import Prepared, Target
from .call import Alarm, Kernel
from .text import BY_NAME, Variant, render

__all__ = ["CUDA"]

_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
_MOST_NODES = 4000  # beyond, NVRTC takes seconds
_MOST_ARGUMENTS = 400  # of 8 bytes each: a kernel takes 4,096


class Apart(ValueError):
    """Operands of one launch are on several devices."""


class _OfCuPy:
    """Results live beside their operands."""

    @property
    def arrays(self) -> Any:
        module = cupy()
        return None if module is None else module.ndarray

    def empty(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return cupy().ndarray(shape, dtype)

    @property
    def place(self) -> str:
        return f"cuda:{cupy().cuda.runtime.getDevice()}"

    def own(self, x: Any) -> Any:
        """x on the current device; of a number that is spread over a shape that number only."""
        if isinstance(x, np.ndarray) and x.size > 1 and not any(x.strides):
            return np.broadcast_to(cupy().asarray(x.ravel()[0]), x.shape)
        return cupy().asarray(x) if isinstance(x, np.ndarray) else x


class Whole(_OfCuPy, Interpreter):
    """CuPy operation by operation: what programs mean on a device, of any type and length."""

    layouts = "cn"
    looks = False


class CUDA(_OfCuPy, Target):
    """The GPU that an array lives on."""

    name = "cuda"
    refused = (Apart,)
    compiled = True
    layouts = "cnw"
    looks = False

    def __init__(self) -> None:
        self.interpreter = Whole()

    def alarm(self) -> Any:
        return Alarm()

    def is_here(self, x: Any) -> bool:
        """Whether x lives on the current device, to which allocations and launches go."""
        here: bool = x.data.device_id == cupy().cuda.runtime.getDevice()
        return here

    def computes(self, dtype: DType) -> bool:
        return dtype in _TYPES

    def possible(self, op: Any) -> bool:
        return renderable(op, BY_NAME)

    def fits(self, routine: Routine) -> bool:
        return len(routine.program.nodes) <= _MOST_NODES and 5 * len(routine.inputs) < _MOST_ARGUMENTS

    def render(self, routine: Routine) -> str:
        types = [routine.program.dtype.char for group in routine.inputs if group.layout != "s"]
        axes = int(any(group.layout == "n" for group in routine.inputs))
        return render(routine, Variant(axes, False, "".join(types)))

    def compile(self, routine: Routine) -> Callable[..., Any]:
        self.render(routine)  # raises where there is no text
        return Kernel(routine)

    def run(
        self,
        plan: Prepared,
        results: Any,
        operands: Sequence[Any],
        length: int,
        directions: int | None,
        raised: Any = None,
    ) -> Any:
        assert plan.call is not None
        here = results[0].data.device_id  # the current device, where they have just been made
        if any(type(x) is tuple and x[0].array.data.device_id != here for x in operands):
            raise Apart("the operands are on several devices")
        return plan.call(results, operands, length, directions, raised)
