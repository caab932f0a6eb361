"""A loop on arrays: its body compiled, called as often as the numbers say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kinds import Value
from ..program.formal import Alarmed, Closed
from ..program.jit import compiled
from ..program.replay import ALARM
from ..program.stepped import Stepped

__all__ = ["Compiled", "Running", "whole"]


class Compiled:
    """A closed function on arrays, compiled when it is called first."""

    def __init__(self, closed: Closed) -> None:
        self.closed = closed
        self._run: Any = None

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """The results; every argument lies in one piece."""
        run = self._run
        if run is None:
            run = self._compiled(args)
        results = run(args)
        if type(results) is not list:
            if results is ALARM:
                raise Alarmed("jit: a point was met at which the rules that are compiled do not hold")
            return [np.asarray(y) for y in self.closed(*args)]
        return results

    def _compiled(self, args: Sequence[Any]) -> Any:
        _, replay = compiled(lambda *xs: self.closed(*xs), args, self.closed.machine, False)
        self._run = replay.run
        return replay.run


class Running:
    """The loop on arrays; see `loops.Loop`."""

    def __init__(self, body: Closed, carries: int, fixed: int, test: Closed | None, reverse: bool) -> None:
        self.carries, self.fixed, self.reverse = carries, fixed, reverse
        self.closed, self.test = body, test
        self.whole: Any = False  # all of it as one function of the machine: not known yet
        self.body = Compiled(body)
        self.rows = [(n.shape, n.dtype) for n in body.outputs[carries:]]
        self.kinds = [n.dtype for n in body.outputs[:carries]]
        self.tested = None if test is None else Compiled(test)

    def __call__(
        self, carry: Sequence[Any], xs: Sequence[Any], same: Sequence[Any], count: Any
    ) -> tuple[list[Any], list[Any]]:
        """The carry at the end, and the ys."""
        values, ys = self._ran(carry, xs, same, count)
        return [x[()] for x in values], ys

    def _ran(self, carry: Sequence[Any], xs: Sequence[Any], same: Sequence[Any], count: Any) -> tuple[Any, Any]:
        carry = [whole(np.asarray(x, dtype)) for x, dtype in zip(carry, self.kinds, strict=True)]
        xs, same = list(map(whole, xs)), list(map(whole, same))
        n = 1 if self.tested is not None else max(int(count) if count is not None else len(xs[0]), 0)
        if self.whole is False and n:
            fixed, others = same[: self.fixed], same[self.fixed :]
            samples = [*carry, *[x[0, ...] for x in xs], *fixed]
            self.whole = Stepped.of(self.closed, self.carries, self.fixed, self.test, samples, others)
        if self.whole:
            found: tuple[Any, Any] = self.whole(carry, xs, same, n, self.reverse)
            return found
        if self.tested is not None:
            return self._tested(carry, xs, same)
        ys = [np.empty((n, *shape), dtype) for shape, dtype in self.rows]
        k, run, fixed = self.carries, self.body, same[: self.fixed]
        for i in range(n - 1, -1, -1) if self.reverse else range(n):
            results = run([*carry, *[x[i, ...] for x in xs], *fixed])
            carry = list(map(whole, results[:k]))
            for y, row in zip(ys, results[k:]):  # noqa: B905  the inner loop
                y[i] = row
        return carry, ys

    def _tested(self, carry: list[Any], xs: list[Any], same: list[Any]) -> tuple[list[Any], list[Any]]:
        assert self.tested is not None
        k, run, test = self.carries, self.body, self.tested
        fixed, others = same[: self.fixed], same[self.fixed :]
        kept: list[list[Any]] = []
        while test([*carry, *others])[0]:
            results = run([*carry, *fixed])
            carry = list(map(whole, results[:k]))
            kept.append(results[k:])
        ys = [np.empty((len(kept), *shape), dtype) for shape, dtype in self.rows]
        for i, row in enumerate(kept):
            for y, r in zip(ys, row, strict=True):
                y[i] = r
        return carry, ys


def whole(x: Value) -> Any:
    """x as an array in one piece: machine code reads it where it lies."""
    if isinstance(x, (np.generic, bool, int, float, complex)):
        return np.asarray(x)
    return x if x.ndim == 0 or x.flags.c_contiguous else np.ascontiguousarray(x)
