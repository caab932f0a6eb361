"""A loop whose body is scalar code, whole, as one function of the machine.

The body is traced on tracers of small arrays, whose entries are numbers; so it is one program of numbers, as in
`scalars`. Integers of the carry and of rows that are only counted with, by small steps, are floats in it.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import DualnumError
from ..kernel.emit import Unrenderable
from ..kernel.ir import Program
from ..kernel.optimize import optimize
from ..kernel.steps import CARRY, SAME, Steps
from ..kinds import DType
from .cut import Cut
from .formal import Alarmed, Closed
from .fused import Kernel
from .nodes import Node, StayWhole
from .scalars import MOST_ENTRIES, Pack
from .trace import trace

__all__ = ["Stepped"]

_FAILURES = (TypeError, ValueError, IndexError, ArithmeticError)  # of floats where integers are expected
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_DOUBLE = np.dtype(np.float64)
_CHUNK = 256  # rows that are written at first, where it is not known how many there will be


class _NotNumbers(Exception):
    """The body is no program of numbers."""


class Stepped:
    """The loop on arrays.

    Args:
        body: of the carry, rows and what stays the same to the carry and rows.
        carries, fixed: how many arrays are carried, and stay the same for the body.
        test: of the carry and what stays the same for it.
        samples: arguments of the body, and what stays the same for the test.

    Raises:
        _NotNumbers: see there.
    """

    def __init__(
        self, body: Closed, carries: int, fixed: int, test: Closed | None, samples: Sequence[Any], others: Sequence[Any]
    ) -> None:
        rows = len(body.inputs) - carries - fixed
        self.carry = [(n.shape, n.dtype) for n in body.outputs[:carries]]
        self.written = [(n.shape, n.dtype) for n in body.outputs[carries:]]
        self.sizes = [prod(shape) for shape, _ in self.carry]
        nodes = [*body.inputs, *body.outputs, *(test.inputs if test is not None else ())]
        self.dtype = _one_type(nodes, [body] if test is None else [body, test])
        same = [*body.inputs[carries + rows :], *(test.inputs[carries:] if test is not None else ())]
        places = [
            *_places(CARRY, body.inputs[:carries]),
            *((i, 0) for i in range(rows)),
            *_places(SAME, same),
        ]
        program, reads = _program(body, samples, places[: len(body.inputs)], self.dtype)
        tested: Program | None = None
        test_reads: list[tuple[int, int]] = []
        if test is not None:
            its = [*places[:carries], *places[carries + rows + fixed :]]
            tested, test_reads = _program(test, [*samples[:carries], *others], its, self.dtype)
            if tested.alarm is not None:
                raise _NotNumbers
        sizes = [prod(n.shape) for n in body.inputs[carries : carries + rows]]
        steps = Steps(
            program, tuple(reads), tested, tuple(test_reads), tuple(sizes), tuple(prod(s) for s, _ in self.written),
            sum(self.sizes), sum(prod(n.shape) for n in same),
        )  # fmt: skip
        self.tests = test is not None
        run = body.machine.stepped(steps)
        if run is None:
            raise _NotNumbers
        self.run: Callable[..., int] = run

    def __call__(
        self, carry: Sequence[Any], xs: Sequence[Any], same: Sequence[Any], n: int, reverse: bool
    ) -> tuple[list[Any], list[Any]]:
        """The carry at the end, and the ys; n is the number of steps where it is known."""
        state, constants = self._together(carry), self._together(same)
        rows = [np.ascontiguousarray(x, self.dtype) for x in xs]
        done = np.zeros(1, np.int64)
        if not self.tests:
            ys = self._steps(state, constants, done, n, rows, reverse)
        else:
            parts: list[Any] = []
            most = _CHUNK if self.written else _CHUNK << 16
            while not parts or done[0] == most // 2:
                part = self._steps(state, constants, done, most, rows, False)
                parts.append([y[: done[0]] for y in part])
                most *= 2
            ys = [np.concatenate(y) for y in zip(*parts, strict=True)]
        ys = [y if y.dtype == dtype else y.astype(dtype) for y, (_, dtype) in zip(ys, self.written, strict=True)]
        return self._apart(state), ys

    def _steps(self, state: Any, constants: Any, done: Any, n: int, rows: Sequence[Any], reverse: bool) -> list[Any]:
        ys = [np.empty((n, *shape), self.dtype) for shape, _ in self.written]
        first, by = (n - 1, -1) if reverse else (0, 1)
        arrays = [x.ctypes.data for x in (state, constants, done, *rows, *ys)]
        if self.run(*arrays[:3], n, first, by, *arrays[3:]):
            raise Alarmed("jit: a point was met at which the rules that are compiled do not hold")
        return ys

    def _together(self, arrays: Sequence[Any]) -> Any:
        """Their numbers in a row."""
        if not arrays:
            return np.empty(0, self.dtype)
        return np.concatenate([np.ravel(x) for x in arrays]).astype(self.dtype)

    def _apart(self, state: Any) -> list[Any]:
        results, start = [], 0
        for (shape, dtype), size in zip(self.carry, self.sizes, strict=True):
            results.append(state[start : start + size].reshape(shape).astype(dtype))
            start += size
        return results

    @staticmethod
    def of(*args: Any) -> "Stepped | None":
        """The loop; None where it is not written."""
        try:
            return Stepped(*args)
        except (_NotNumbers, StayWhole, Unrenderable, DualnumError, *_FAILURES):
            return None


def _places(which: int, nodes: Sequence[Node]) -> list[tuple[int, int]]:
    """Where the numbers of arrays begin that lie one after the other."""
    found, start = [], 0
    for n in nodes:
        found.append((which, start))
        start += prod(n.shape)
    return found


def _one_type(nodes: Sequence[Node], closed: Sequence[Closed]) -> DType:
    """The type of all numbers; integers that are counted with are doubles."""
    floats = {n.dtype for n in nodes if n.dtype in _FLOATS}
    others = [n for n in nodes if n.dtype not in _FLOATS]
    if len(floats) != 1 or any(n.shape is None or prod(n.shape) > MOST_ENTRIES for n in nodes):
        raise _NotNumbers
    (dtype,) = floats
    if others and (dtype != _DOUBLE or any(n.dtype.kind not in "iu" or n.shape != () for n in others)):
        raise _NotNumbers
    if others and not all(c.counts() for c in closed):
        raise _NotNumbers
    return dtype


def _program(
    closed: Closed, samples: Sequence[Any], places: Sequence[tuple[int, int]], dtype: DType
) -> tuple[Program, list[tuple[int, int]]]:
    """A closed function as a program of numbers, all results in a row, and where its inputs are."""

    def run(*tracers: Any) -> list[Any]:
        record = tracers[0].record
        scalars = record.scalars
        if scalars is None:
            raise _NotNumbers
        entries: list[Any] = []
        for y in closed(*tracers):
            y = np.where(y, dtype.type(1), dtype.type(0)) if y.dtype == bool else y
            node = tracers[0]._node(y)
            if prod(node.shape) > MOST_ENTRIES or (node.dtype != dtype and node.op != "constant"):
                raise _NotNumbers
            entries += scalars.entries(node).ravel().tolist()
        array = np.empty(len(entries), object)
        for i, x in enumerate(entries):
            array[i] = x
        scalars.needed = True
        return [tracers[0]._wrap(Pack(array, dtype, scalars))]

    samples = [np.ascontiguousarray(x, dtype) for x in samples]
    traced = trace(run, samples, closed.machine)
    if traced.guards or traced.written or traced.shaped:
        raise _NotNumbers
    steps = Cut(traced, samples, closed.machine).steps
    kernel = steps[0] if len(steps) == 1 else None
    if not isinstance(kernel, Kernel):
        raise _NotNumbers
    if kernel.shape or kernel.dtype != dtype or len(kernel.outputs) != 1 or kernel.plan.mend is not None:
        raise _NotNumbers
    reads: list[tuple[int, int]] = []
    for source in kernel.sources:
        if source.node.op != "input" or source.layout not in "cs":
            raise _NotNumbers
        which, start = places[source.node.extra]
        reads += [(which, start + m) for m in range(source.planes or 1)]
    if not all(closed.machine.possible(n.op) for n in kernel.program.nodes):
        raise _NotNumbers
    return optimize(kernel.program), reads
