"""The one place where programs are written on symbols, made ready for a machine, and kept."""

from collections.abc import Callable, Sequence
from typing import Any

from ..algebra import Algebra, Extents, Monomial, NotGraded
from ..kinds import DType
from .bounded import Bounded
from .ir import Graph, Untraceable
from .layout import Group
from .plan import Plan, prepare
from .target import Target

__all__ = ["NOT_WRITTEN", "Kept", "Writing"]

NOT_WRITTEN = (Untraceable, NotGraded)  # what a rule raises of which no program can be written


class Writing:
    """A program that is being written, for operands that are coefficients in an algebra.

    Attributes:
        graph: the program so far.
        groups: its operands, each in one layout.
        algebra: along one direction.
    """

    def __init__(self, dtype: DType, algebra: Algebra, looks: bool = True) -> None:
        self.graph = Graph(dtype, looks)
        self.groups: list[Group] = []
        self.algebra = algebra

    def number(self) -> Any:
        """A number among the operands."""
        self.groups.append(Group("s", 1))
        return self.graph.input()

    def operand(self, extents: Extents, layout: str = "c") -> dict[Monomial, Any]:
        """The coefficients of an operand by monomial."""
        count = self.algebra.read(extents)
        self.groups.append(Group(layout, count))
        coefficients = [self.graph.input() for _ in range(count)]
        return {m: coefficients[place] for place, m in self.algebra.within(extents)}

    def planned(
        self,
        results: Sequence[Sequence[Any]],
        target: Target,
        directed: bool = False,
        alarm: Any = None,
        guarded: bool = False,
    ) -> Plan | None:
        """The plan of the program that gives these stacks of coefficients; None where there is none."""
        program = self.graph.finish([c for y in results for c in y], alarm)
        if any(program.nodes[i].boolean for i in program.outputs):
            return None
        plan: Plan | None = prepare(program, self.groups, tuple(map(len, results)), target, directed, guarded)
        return plan


class Kept:
    """What was made for a key, made at its first use; the entries used last, None as well."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: Bounded[Any, Any] = Bounded(limit)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        found = self._entries.get(key)
        if found is None:
            made = make()
            found = self._entries.put(key, _NOTHING if made is None else made)
        return None if found is _NOTHING else found

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


_NOTHING = object()
