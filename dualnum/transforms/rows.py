"""What a loop reads or writes step by step: the rows of arrays, of which it need not be known how many there are.

Rows of a jet are jets: the axis of the steps comes first at every level, before that of the coefficients.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import NotTraceable
from ..jets.jet import Jet
from ..jets.planes import stack_blocks
from ..kinds import Value
from ..operand import Operand
from ..operand.levels import Scope, open_scope
from ..program.formal import Closed, Given, numbers_of
from ..tape.recorded import Recorded
from ..tape.step import Step

__all__ = ["JOINT", "JetOf", "Joint", "Rows", "joint_step", "lifted", "of_planes", "peel", "unlifted"]

JOINT = np.dtype(object)  # in place of a type, of steps whose cotangents are no arrays


class JetOf:
    """What is put over planes to make a jet: all but these.

    Attributes:
        algebra, extent, scope: those of the jet.
        is_array: whether it is an array without axes.
    """

    __slots__ = ("algebra", "extent", "is_array", "kind", "scope")

    def __init__(self, x: Any) -> None:
        self.algebra, self.extent, self.scope, self.kind = x.algebra, x.extent, x.scope, x.kind
        self.is_array = x._is_array

    def over(self, planes: Value, scope: Scope | None = None) -> Any:
        """The jet over these planes; on another scope if one is given."""
        jet = object.__new__(self.kind)._set(planes, self.extent, self.algebra, scope or self.scope)
        return jet._as_array() if self.is_array else jet

    def on(self, scope: Scope) -> "JetOf":
        """The same on another scope."""
        other: JetOf = object.__new__(JetOf)
        other.algebra, other.extent, other.scope, other.kind = self.algebra, self.extent, scope, self.kind
        other.is_array = self.is_array
        return other

    def joined(self, other: "JetOf | None") -> "JetOf":
        """What holds all planes of both."""
        if other is None:
            return self
        if other.algebra != self.algebra:
            raise NotTraceable("a loop whose jets change their order", "one order", _raised)
        both = self.on(self.scope)
        both.is_array = self.is_array or other.is_array
        both.extent = self.algebra.union(self.extent, other.extent)
        return both

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JetOf) and (self.extent, self.algebra) == (other.extent, other.algebra)

    __hash__ = None  # type: ignore[assignment]


def _raised(error: Exception, *args: Any) -> Any:
    raise error


class Rows:
    """Rows, one for each step: an array at the bottom, with jets or records above it.

    Attributes:
        base: the rows below, at the bottom the array (an operand of a trace, or no array if their number is not known).
        jet: of rows of jets what is above their planes.
        like: of recorded rows a variable of that record; `step` is the step.
        shape, dtype: those of a step of a record.
        row: the shape of a row of the base at the bottom, and its type.
    """

    __slots__ = ("base", "jet", "like", "row", "step")
    row: tuple[Any, Any]
    shape = ()
    dtype = JOINT

    def __init__(self, base: Any, jet: Any = None, like: Any = None, step: Any = None, row: Any = None) -> None:
        self.base, self.jet, self.like, self.step = base, jet, like, step
        if row is None:
            row = base.row if isinstance(base, Rows) else (tuple(base.shape[1:]), base.dtype)
            row = (row[0][1:], row[1]) if jet is not None else row
        self.row = row

    @staticmethod
    def of(x: Value) -> "Rows":
        """The rows of an array or operand along its first axis."""
        if isinstance(x, Rows):
            return x
        if isinstance(x, Jet):
            return Rows(Rows.of(np.moveaxis(x.planes, 1, 0)), jet=JetOf(x))
        if isinstance(x, Recorded):
            value, step = x._read(), x._step
            if isinstance(value, Rows):
                return Rows(value, like=x, step=step)
            its = None if step is None else joint_step("rows", (step,), lambda g: (g.array(),))
            return Rows(Rows.of(value), like=x, step=its)
        return Rows(x)

    def array(self) -> Any:
        """The array or operand of which these are the rows."""
        if self.jet is not None:
            return self.jet.over(np.moveaxis(self.base.array(), 0, 1))
        if self.like is None:
            return self.base
        value = self.base.array()
        if self.step is None:
            return self.like._new(value, None)
        step = Step("rows", (self.step,), lambda g: (Rows.of(g),), (), value.shape, value.dtype)
        return self.like._new(value, step)

    @property
    def scope(self) -> Scope | None:
        """The highest level."""
        if self.jet is not None:
            scope: Scope = self.jet.scope
            return scope
        if self.like is not None:
            return self.like.scope  # type: ignore[no-any-return]
        return self.base.scope if isinstance(self.base, Operand) else None

    @property
    def top(self) -> Any:
        """An operand of that level; None where there is none."""
        return self.like if self.like is not None else self.base if isinstance(self.base, Operand) else None

    def bottom(self) -> Any:
        """What lies under all levels."""
        return self.base.bottom() if isinstance(self.base, Rows) else self.base

    def given(self) -> Given:
        """What is known of a row, where there are no jets or records above."""
        shape, dtype = self.row
        return Given(shape, dtype, sample=self.sample)

    def sample(self) -> Any:
        """The first row, if there is one."""
        if isinstance(self.base, Rows):
            row = self.base.sample()
            return row[0] if row is not None and self.jet is not None else row
        rows = numbers_of(self.base)
        return rows[0] if len(rows) else None

    def __add__(self, other: "Rows") -> "Rows":
        """Sums of cotangents, row by row."""
        if getattr(self.bottom(), "shape", None) is None or getattr(other.bottom(), "shape", None) is None:
            raise NotTraceable("a sum of what a loop of unknown length kept", "one that reads it once", _raised)
        return Rows.of(self.array() + other.array())


def peel(x: Value, scope: Any) -> tuple[Any, JetOf | None]:
    """The planes of a jet (or of rows of jets) of this scope, and what is above them; others as they are, and None."""
    if isinstance(x, Rows):
        return (x.base, x.jet) if x.jet is not None and x.jet.scope is scope else (x, None)
    return (x.planes, JetOf(x)) if isinstance(x, Jet) and x.scope is scope else (x, None)


def lifted(x: Value, above: JetOf | None, own: JetOf | None) -> Any:
    """Planes for what is to be a jet, of what is one or a constant."""
    return stack_blocks([(x, 1)], above.algebra.size, x) if above is not None and own is None else x


def unlifted(flat: Sequence[Any], above: Sequence[JetOf | None], scope: Any = None) -> list[Any]:
    """The jets over planes again, or such jets on another scope."""
    return [x if a is None else a.over(x, scope) for x, a in zip(flat, above, strict=True)]


def of_planes(
    closed: Closed, given: Sequence[Given], above: Sequence[JetOf | None], scope: Any, wanted: Sequence[JetOf | None]
) -> tuple[Closed, list[JetOf | None]]:
    """A closed function of jets as one of planes, and what is above those of its results.

    Args:
        closed: the function.
        given: what is known of its arguments, of jets of the planes.
        above: what is above them.
        scope: the level of the jets.
        wanted: of the first results what must be above them.
    """
    found: list[JetOf | None] = []

    def run(*flat: Any) -> list[Any]:
        with open_scope(scope.name) as anew:  # above the formal arguments
            pairs = [peel(y, anew) for y in closed(*unlifted(flat, above, anew))]
        found[:] = [None if own is None else own.on(scope) for _, own in pairs]
        padded = [*wanted, *[None] * (len(pairs) - len(wanted))]
        return [lifted(y, a, own) for (y, own), a in zip(pairs, padded, strict=True)]

    return Closed(run, given, closed.machine), found


# ── cotangents ───────────────────────────────────────────────────────────────────────────────────


class Joint:
    """Cotangents of several results of one step, by their numbers."""

    __slots__ = ("parts",)
    shape = ()
    dtype = JOINT

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: "Joint") -> "Joint":
        both = dict(self.parts)
        for i, g in other.parts.items():
            both[i] = both[i] + g if i in both else g
        return Joint(both)


def joint_step(name: str, parents: Any, pull: Callable[..., Any], saved: Any = ()) -> Step:
    """A step whose cotangent is no array."""
    return Step(name, parents, pull, saved, (), JOINT)
