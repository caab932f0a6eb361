"""A program made ready for a machine, and run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any, NamedTuple

import numpy as np

from . import interpret
from .emit import MATH, Unrenderable
from .interpret import INTERPRETER
from .ir import INPUT, REDUCE, Instruction, Program, prune
from .layout import Group, Routine, elements, flat_inputs, moving
from .optimize import optimize
from .target import Target

__all__ = ["Plan", "prepare", "rendered", "split"]

_LONG = 60  # a mathematical function costs about as much as so many additions: only for cutting into chunks


@dataclass(frozen=True, slots=True)
class Plan:
    """A program, ready to run on operands laid out in one way.

    Attributes:
        target: the machine.
        program: what the interpreter runs, or what was compiled.
        call: the function of the machine, where it has such.
        early: what is computed before, operation by operation, for want of a machine counterpart.
        counts: how many coefficients each result has.
        work: operations an element, for cutting long arrays into chunks.
        literal: numbers among the operands are written into the program.
        each: those of the operations that are done again for each of several directions.
        extents: of the results, in each level.
        mend: what follows on the device where the alarm was raised.
    """

    target: Target
    program: Program
    call: Callable[..., int] | None
    early: Program | None
    counts: tuple[int, ...]
    work: int
    literal: bool = False
    each: int = 0
    extents: tuple[tuple[int, ...], ...] = ()
    mend: "Plan | None" = None

    @property
    def direct(self) -> Callable[..., int] | None:
        """The function of the machine, where it can be called on handles with nothing before."""
        return None if self.early is not None or self.target.handle is None else self.call

    @property
    def unit(self) -> int:
        """At multiples of how many elements it may be cut into chunks; 0 for any."""
        return max((n.extra.unit for n in self.program.nodes if n.op == REDUCE), default=0)

    def cost(self, directions: int | None) -> int:
        """Operations an element."""
        return self.work + self.each * (directions or 0)

    def run(
        self,
        results: Sequence[Any],
        operands: Sequence[Any],
        length: int,
        directions: int | None = None,
        raised: Any = None,
    ) -> Any:
        """Fills stacked result planes (the first `counts` of each) from (Planes, layout) pairs and numbers.

        Returns whether the program's alarm was raised and nothing has followed.
        """
        if length == 0:
            return False
        given = operands
        if self.early is not None:
            given = [*operands, *((_Computed(y), "c") for y in self._before(operands, elements(results, length)))]
        alarm = self.target.run(self, results, given, length, directions, raised)
        return alarm if self.mend is None else self.mend.run(results, operands, length, directions, alarm)

    def _before(self, operands: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Any]:
        """What is computed before, each an array of the elements of this shape in one piece."""
        assert self.early is not None
        dtype, length = self.program.dtype, prod(shape)
        with np.errstate(all="ignore"):
            computed = interpret.evaluate(self.early, flat_inputs(operands, shape))
        for y in computed:
            if getattr(y, "shape", None) != (length,) or y.dtype != dtype or not y.flags.c_contiguous:
                y, number = self.target.empty((length,), dtype), y
                y[...] = number
            yield y


class _Computed(NamedTuple):
    """An operand, as a target looks at it."""

    array: Any


def prepare(
    program: Program,
    groups: Sequence[Group],
    counts: Any,
    target: Target,
    directed: bool = False,
    guarded: bool = False,
    single: bool = False,
) -> Any:
    """The plan of a program whose inputs come in `groups` and whose outputs are stacks of `counts` coefficients.

    None where jets with several directions have none: they are compiled, or go the way of whole arrays.
    """
    outputs = _outputs(program, counts)
    counts, work, each = tuple(counts), sum(map(_weight, program.nodes)), 0
    if not target.compiled or not target.fits(Routine(program, outputs, groups, single=single)):
        machine = (target.interpreter or INTERPRETER) if target.compiled else target
        if guarded:
            return None
        return None if directed else Plan(machine, program, None, None, counts, work)
    early, routine = _routine(program, outputs, groups, target, directed, guarded, single)
    if directed:
        if early is not None and any(moving(early, groups)):
            return None
        late = routine.program
        each = sum(_weight(n) for n, moves in zip(late.nodes, moving(late, routine.inputs), strict=True) if moves)
    try:
        call = target.compile(routine)
    except Unrenderable:
        return None
    return Plan(target, program, call, early, counts, work, each=each)


def rendered(
    program: Program, groups: Sequence[Group], counts: Sequence[int], target: Target, single: bool = False
) -> str:
    """The text of the same, to look at."""
    return target.render(_routine(program, _outputs(program, counts), groups, target, single=single)[1])


def _outputs(program: Program, counts: Sequence[int]) -> list[Group]:
    """How the results of a program lie in memory."""
    first = accumulate(counts, initial=0)
    reduced = [n > 0 and program.nodes[program.outputs[k]].op == REDUCE for k, n in zip(first, counts, strict=False)]
    return [Group("+" if its else "c", n) for its, n in zip(reduced, counts, strict=True)]


def _routine(
    program: Program,
    outputs: Sequence[Group],
    groups: Sequence[Group],
    target: Target,
    directed: bool = False,
    guarded: bool = False,
    single: bool = False,
) -> tuple[Program | None, Routine]:
    """What is computed before, and what the machine does."""
    early, rest = split(program, target.possible)
    inputs = [*groups, *(Group("c", 1) for _ in (early.outputs if early else ()))]
    return early, Routine(optimize(rest), outputs, inputs, directed, guarded, single)


def _weight(node: Instruction) -> int:
    return _LONG if not isinstance(node.op, str) and node.op in MATH else 1


def split(program: Program, possible: Callable[[Any], bool]) -> tuple[Program | None, Program]:
    """Two programs: what impossible operations need and give, and the rest, which reads it.

    The inputs of the second are those of the first, and then the first's outputs.
    """
    missing = [i for i, n in enumerate(program.nodes) if not possible(n.op)]
    if not missing:
        return None, program
    nodes = list(program.nodes)
    for number, i in enumerate(missing):
        nodes[i] = Instruction(INPUT, (), program.inputs + number)
    late = prune(nodes, program.inputs + len(missing), program.outputs, program.dtype, program.alarm)
    return prune(program.nodes, program.inputs, missing, program.dtype), late
