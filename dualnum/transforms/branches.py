"""A branch as one operation on arrays, jets, variables and tracers: both sides are closed, and numbers choose.

As for loops (see `loops`): over jets it is a branch of planes, of variables one step of the record, whose pull-back is
a branch between the pull-backs, and on tracers a node, of which only the side that is chosen runs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..jets.jet import Jet
from ..operand import Operand, primal
from ..program.formal import Closed, Given
from ..program.nodes import Node
from ..program.trace import Tracer
from ..tape.recorded import Recorded
from .loops import item_step, left_to_itself_at_nan, top_of
from .reverse import vjp
from .rows import Joint, joint_step, of_planes, peel, unlifted
from .running import Compiled, whole

__all__ = ["Branch"]


class Branch:
    """A choice between two functions of the same results.

    Attributes:
        sides: the closed functions, the one for a true predicate first.
        shared: how many arguments both have; behind these come those of the one, and of the other.
        pulls: as for loops.
    """

    def __init__(self, sides: Sequence[Closed], shared: int, pulls: bool = False) -> None:
        self.sides, self.shared, self.pulls = sides, shared, pulls
        self._compiled = [Compiled(side) for side in sides]
        self.__name__ = "cond"

    def of_side(self, which: int, args: Sequence[Any]) -> list[Any]:
        """The arguments of one side."""
        first = len(self.sides[0].inputs)
        return [*args[:first]] if which == 0 else [*args[: self.shared], *args[first:]]

    def places(self, which: int) -> list[int]:
        """Where the arguments of one side stand among all."""
        count = self.shared + sum(len(side.inputs) - self.shared for side in self.sides)
        return self.of_side(which, range(count))

    def __call__(self, predicate: Any, args: Sequence[Any]) -> list[Any]:
        """The results of the side that the predicate chooses."""
        if not isinstance(predicate, Operand):
            which = 0 if bool(predicate) else 1
            its = self.of_side(which, args)
            if any(isinstance(x, Operand) for x in its):
                return self.sides[which](*its)
            return [np.asarray(y)[()] for y in self._compiled[which](list(map(whole, its)))]
        top = top_of([predicate, *args])
        if isinstance(top, Jet):
            return self._of_jets(top.scope, predicate, args)
        if isinstance(top, Recorded):
            return self._recorded(top, predicate, args)
        assert isinstance(top, Tracer)
        nodes = tuple(map(top._node, (predicate, *args)))
        many = Node("call", nodes, None, object, self.called)
        if self.pulls:
            left_to_itself_at_nan(top, many)
        return [top._wrap(Node("item", (many,), n.shape, n.dtype, i)) for i, n in enumerate(self.sides[0].outputs)]

    def called(self, predicate: Any, *args: Any) -> list[Any]:
        """The same, of arguments in a row."""
        return self(predicate, args)

    def _of_jets(self, scope: Any, predicate: Any, args: Sequence[Any]) -> list[Any]:
        pairs = [peel(x, scope) for x in args]
        flat, above = [x for x, _ in pairs], [a for _, a in pairs]
        wanted: list[Any] = [None] * len(self.sides[0].outputs)
        while True:  # what one side gives as a jet the other must as well
            sides = []
            for which, side in enumerate(self.sides):
                given = list(map(Given.of, self.of_side(which, flat)))
                closed, found = of_planes(side, given, self.of_side(which, above), scope, wanted)
                wanted = [b if a is None else a.joined(b) for a, b in zip(wanted, found, strict=True)]
                sides.append((closed, [b if a is None else a for a, b in zip(wanted, found, strict=True)]))
            if all((w is None) == (f is None) for _, fs in sides for w, f in zip(wanted, fs, strict=True)):
                break
        return unlifted(Branch([closed for closed, _ in sides], self.shared, self.pulls)(predicate, flat), wanted)

    # ── variables ────────────────────────────────────────────────────────────────────────────────

    def _recorded(self, top: Recorded, predicate: Any, args: Sequence[Any]) -> list[Any]:
        values, parents = top._parts(list(args))
        predicate = primal(predicate)
        varied = [p is not None for p in parents]
        depends = [side.depending(self.of_side(w, varied)) for w, side in enumerate(self.sides)]
        after = [a or b for a, b in zip(*depends, strict=True)]
        results = self(predicate, values)
        if not any(after):
            return [top._new(y, None) for y in results]
        pull = partial(self._pulled, predicate, varied)
        joint = joint_step("cond", tuple(parents), pull, (None, *values))
        return [
            top._new(y, item_step(joint, i, y) if a else None)
            for i, (y, a) in enumerate(zip(results, after, strict=True))
        ]

    def _pulled(self, predicate: Any, varied: Sequence[bool], cotangent: Joint, _: Any, *args: Any) -> list[Any]:
        """The cotangents of the arguments."""
        parts = cotangent.parts
        present = [i in parts for i in range(len(self.sides[0].outputs))]
        found = [False] * len(args)
        for which, side in enumerate(self.sides):
            for i, r in zip(self.places(which), side.reached(present), strict=True):
                found[i] = found[i] or (r and varied[i])
        wanted = [i for i, f in enumerate(found) if f]
        cotangents, count = list(parts.values()), len(parts)
        shared = [*cotangents, *args]
        given = list(map(Given.of, shared))
        sides = [
            Closed(self._back(which, list(parts), wanted), given, side.machine) for which, side in enumerate(self.sides)
        ]
        pulled = iter(Branch(sides, count + len(args), pulls=True)(predicate, shared))
        return [next(pulled) if f else None for f in found]

    def _back(self, which: int, outputs: list[int], wanted: list[int]) -> Callable[..., Any]:
        """The pull-back of one side: of the cotangents and all arguments."""
        places, side = self.places(which), self.sides[which]
        own = [i for i in wanted if i in places]

        def back(*flat: Any) -> list[Any]:
            cotangents, args = flat[: len(outputs)], flat[len(outputs) :]

            def of_own(*xs: Any) -> list[Any]:
                filled = list(args)
                for i, x in zip(own, xs, strict=True):
                    filled[i] = x
                results = side(*self.of_side(which, filled))
                return [results[i] for i in outputs]

            pulled: Any = vjp(of_own, *(args[i] for i in own))[1](list(cotangents)) if own else ()
            by = dict(zip(own, (pulled,) if len(own) == 1 else pulled, strict=True))
            return [by[i] if i in by else np.zeros_like(args[i]) for i in wanted]

        return back
