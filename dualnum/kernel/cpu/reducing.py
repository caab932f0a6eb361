"""How kernels reduce what they compute (see `kernel.reduction`): lanes in memory, and a tree where a block ends.

A kernel that reduces rows or columns is a function for one row, and a loop that calls it.
"""

from collections.abc import Sequence

from ..emit import step
from ..ir import REDUCE
from ..layout import Routine
from ..reduction import BLOCK, GROUP, IDENTITY, LANES, Way
from .reading import Reading

__all__ = ["Reducing", "by_rows"]


class Reducing(Reading):
    """The body of the loop, with what it reads, writes and reduces.

    Attributes:
        entry: lines before the loop.
        row: how long rows are; 0 where there are none.
    """

    def __init__(self, routine: Routine, offset: int) -> None:
        super().__init__(routine, offset)
        self.entry: list[str] = []
        self.row = max((n.extra.row for n in routine.program.nodes if n.op == REDUCE), default=0)
        self._ways: dict[int, Way] = {}  # by groups of outputs

    def memory(self, name: str, size: int) -> None:
        """So many bytes for the time of a call."""
        raise NotImplementedError

    def store(self, g: int, m: int | str, y: str, again: bool) -> None:
        self.lines.append(f"  store {self.vector} {y}, ptr {self.address(g, m, again)}, align 1")

    def watch(self, alarm: str) -> None:
        self.lines.append(f"  %alarm1 = or {self.mask} %alarm, {alarm}")

    def accumulate(self, g: int, way: Way, y: str) -> None:
        """What is reduced to group g of the outputs."""
        if way.columns:
            return self._down(g, way, y)
        if g not in self._ways:
            self._open(g, way)
        if not self.inner:
            left = self.all_lanes(self.emit("sub i64 %end, %i"))
            there = self.emit(f"icmp slt {self.longs} <{self.iota}>, {left}")
            y = self.select(there, y, self.number(IDENTITY[way.ufunc]))
        lane = self.emit(f"and i64 {self._along()}, {LANES - 1}")
        at = self._entry(f"%lanes{g}", lane)
        before = self.emit(f"load {self.vector}, ptr {at}, align 16")
        after = step(self, way.ufunc, [before, y], [False, False])
        self.lines.append(f"  store {self.vector} {after}, ptr {at}, align 16")
        return None

    def closed(self) -> list[str]:
        """The lines at the end of a turn, that end a block where it is full, or nothing is behind it."""
        if not self._ways:
            return ["  br label %turn"]
        self.lines = []
        along = self._along()
        upto = self.emit(f"add i64 {along}, {self.lanes}")
        full = self.emit(f"icmp eq i64 {self.emit(f'and i64 {upto}, {BLOCK - 1}')}, 0")
        last = self.emit(f"icmp sge i64 {self.emit(f'add i64 %i, {self.lanes}')}, %end")
        self.lines += [f"  br i1 {self.emit(f'or i1 {full}, {last}')}, label %close, label %turn", "close:"]
        block = self.emit(f"sdiv i64 {along if self.row else '%i'}, {BLOCK}")
        if self.row:
            before = self.emit(f"mul i64 {self._number_of_row()}, {-(-self.row // BLOCK)}")
            block = self.emit(f"add i64 {block}, {before}")
        for g, way in self._ways.items():
            one = self.emit(f"extractelement {self.vector} {self._tree(g, way)}, i32 0")
            at = self._entry(f"%p{g}", block)
            self.lines.append(f"  store {self.scalar} {one}, ptr {at}, align {self.dtype.itemsize}")
            self._begin(g, way)
        return [*self.lines, "  br label %turn"]

    def _along(self) -> str:
        """How many elements are before this one in what is reduced as one."""
        return self.emit("sub i64 %i, %begin") if self.row else "%i"

    def _number_of_row(self) -> str:
        return self.emit(f"sdiv i64 %begin, {self.row}")

    def _entry(self, of: str, which: str) -> str:
        place = self.emit(f"mul i64 {which}, {self.dtype.itemsize}")
        return self.emit(f"getelementptr i8, ptr {of}, i64 {place}")

    def _open(self, g: int, way: Way) -> None:
        """Memory for the lanes of a group, before the loop."""
        if not self._ways:
            count = sum(group.layout == "+" for group in self.groups)
            self.memory("lanes", count * LANES * self.dtype.itemsize)
        first = len(self._ways) * LANES * self.dtype.itemsize
        self.entry.append(f"  %lanes{g} = getelementptr i8, ptr %lanes, i64 {first}")
        self._ways[g] = way
        lines, self.lines = self.lines, self.entry
        self._begin(g, way)
        self.lines = lines

    def _begin(self, g: int, way: Way) -> None:
        nothing = self.number(IDENTITY[way.ufunc])
        for k in range(0, LANES, self.lanes):
            self.lines.append(f"  store {self.vector} {nothing}, ptr {self._entry(f'%lanes{g}', str(k))}, align 16")

    def _tree(self, g: int, way: Way) -> str:
        """The lanes by halves; what comes out is in the first."""
        places = [self._entry(f"%lanes{g}", str(k)) for k in range(0, LANES, self.lanes)]
        parts = [self.emit(f"load {self.vector}, ptr {at}, align 16") for at in places]
        while len(parts) > 1:
            half = len(parts) // 2
            pairs = zip(parts[:half], parts[half:], strict=True)
            parts = [step(self, way.ufunc, pair, [False, False]) for pair in pairs]
        y, half = parts[0], self.lanes // 2
        while half:
            lanes = ", ".join(f"i32 {(i + half) % self.lanes}" for i in range(self.lanes))
            mask = f"<{self.lanes} x i32> <{lanes}>"
            other = self.emit(f"shufflevector {self.vector} {y}, {self.vector} poison, {mask}")
            y, half = step(self, way.ufunc, [y, other], [False, False]), half // 2
        return y

    def _down(self, g: int, way: Way, y: str) -> None:
        """To the columns of the rows before; what is beyond the end of a row is nobody's."""
        row = self._number_of_row()
        group = self.emit(f"sdiv i64 {row}, {GROUP}")
        first = self.emit(f"icmp eq i64 {self.emit(f'and i64 {row}, {GROUP - 1}')}, 0")
        before = self.emit(f"mul i64 {group}, {way.parts(way.unit)[1]}")
        at = self._entry(f"%p{g}", self.emit(f"add i64 {before}, {self._along()}"))
        known = self.emit(f"load {self.vector}, ptr {at}, align {self.dtype.itemsize}")
        nothing = self.number(IDENTITY[way.ufunc])
        known = self.emit(f"select i1 {first}, {self.vector} {nothing}, {self.vector} {known}")
        y = step(self, way.ufunc, [known, y], [False, False])
        self.lines.append(f"  store {self.vector} {y}, ptr {at}, align {self.dtype.itemsize}")


def by_rows(row: int, arguments: Sequence[str]) -> str:
    """The function that calls that of one row for each."""
    names = [*arguments[:-2], "i64 %from", "i64 %to"]
    return f"""
define i32 @kernel({", ".join(arguments)}) {{
entry:
  br label %rows
rows:
  %from = phi i64 [ %begin, %entry ], [ %to, %rows ]
  %seen = phi i32 [ 0, %entry ], [ %raised, %rows ]
  %to = add i64 %from, {row}
  %here = call i32 @row({", ".join(names)})
  %raised = or i32 %seen, %here
  %more = icmp slt i64 %to, %end
  br i1 %more, label %rows, label %done
done:
  ret i32 %raised
}}
"""
