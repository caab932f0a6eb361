"""Machine code of the processor at hand as a target, whatever language it is written in."""

from collections.abc import Callable, Sequence
from ctypes import ArgumentError
from typing import Any

import numpy as np

from ...kinds import DType
from ..emit import renderable
from ..layout import Routine
from ..target import Prepared, Target
from . import threads
from .call import NAMES, arguments, called, data_offset, in_blocks, signature, written

__all__ = ["Native"]

_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
_MOST_NODES = 20_000  # beyond, a compiler takes seconds: the interpreter begins at once
_MOST_ARGUMENTS = 1000  # of a call through ctypes


class Native(Target):
    """Functions that take addresses, or array objects, and elements from here to there; see `call`.

    Attributes:
        offset: where an array object keeps its address; −1 where the address itself must be given.
    """

    compiled = True
    layouts = "cpgrwvmWbs*"
    refused = (ArgumentError,)
    names = NAMES

    def __init__(self, offset: int | None = None) -> None:
        self.offset = data_offset() if offset is None else offset
        self.handle = id if self.offset >= 0 else None

    def load(self, text: str, types: Sequence[Any]) -> Callable[..., int]:
        """The function that a text describes, its arguments of these types."""
        raise NotImplementedError

    def computes(self, dtype: DType) -> bool:
        return dtype in _TYPES

    def possible(self, op: Any) -> bool:
        return renderable(op)

    def fits(self, routine: Routine) -> bool:
        arguments = 3 * len(routine.inputs) + len(routine.outputs)
        return len(routine.program.nodes) <= self.longest(routine) and arguments < _MOST_ARGUMENTS

    def longest(self, routine: Routine) -> int:
        """How many nodes such a program may have."""
        return _MOST_NODES

    def compile(self, routine: Routine) -> Callable[..., int]:
        return self.load(self.render(routine), signature(routine))

    def run(
        self,
        plan: Prepared,
        results: Any,
        operands: Sequence[Any],
        length: int,
        directions: int | None,
        raised: Any = None,
    ) -> bool:
        assert plan.call is not None
        given, spread = arguments(results, operands, self.offset >= 0)
        if spread:
            return in_blocks(plan.call, given, spread, results[0], length)
        work = plan.work
        if directions is not None:
            given.append(directions)
            work = plan.cost(directions)
        return threads.in_chunks(plan.call, given, (plan, results, operands), length, work, plan.unit)

    alone = staticmethod(threads.alone)
    in_chunks = staticmethod(threads.in_chunks)
    argument = staticmethod(written)
    called = staticmethod(called)
