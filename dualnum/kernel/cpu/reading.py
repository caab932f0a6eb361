"""How kernels read their operands: where the lanes of a vector lie in each layout (see `kernel.layout`)."""

from collections.abc import Callable
from typing import NamedTuple

from ..layout import Routine
from .instructions import Instructions

__all__ = ["LAYOUTS", "Layout", "Reading"]


class Reading(Instructions):
    """The body of the loop, with what it reads."""

    def __init__(self, routine: Routine, offset: int) -> None:
        super().__init__(routine.program.dtype)
        self.whole = _OBJECT.replace("{offset}", str(offset)) if offset >= 0 else _ADDRESS
        self.groups = [*routine.outputs, *routine.inputs]
        self.inner = False  # whether what is written now is for vectors that no window ends in

    def lay(self, part: str) -> list[str]:
        """The lines that the layouts of all groups add to one part of the kernel."""
        size, width, lines, copies = self.dtype.itemsize, self.h.vector_bytes, [], 0
        for g, group in enumerate(self.groups):
            layout = LAYOUTS[group.layout]
            for line in getattr(layout, part):
                line = line.replace("{whole}", self.whole)
                lines.append("  " + line.format(g=g, size=size, lanes=self.lanes, width=width, copies=copies))
            copies += group.planes * width if layout.copied else 0
        return lines

    def address(self, g: int, m: int | str, again: bool) -> str:
        """The address of the first lane in plane m, or in the plane of the direction at hand of coefficient m."""
        if LAYOUTS[self.groups[g].layout].copied:
            return self._plane(f"%at{g}", f"%near.ps{g}", m, ("%near.directions", "%near.d") if again else None)
        return self._plane(f"%at{g}", f"%ps{g}", m, ("%directions", "%d") if again else None)

    def _plane(self, first: str, distance: str, m: int | str, again: tuple[str, str] | None) -> str:
        """So many planes on; `again` is how many directions there are, and which one is at hand."""
        if again:  # coefficient after coefficient, each along all directions
            many = again[0] if m == 2 else self.emit(f"mul i64 {again[0]}, {self.emit(f'sub i64 {m}, 1')}")
            before = again[1] if m == 1 else self.emit(f"add i64 {many}, {again[1]}")
            m = self.emit(f"add i64 {before}, 1")
        if m == 0:
            return first
        offset = distance if m == 1 else self.emit(f"mul i64 {distance}, {m}")
        return self.emit(f"getelementptr i8, ptr {first}, i64 {offset}")

    def all_lanes(self, one: str) -> str:
        """An integer in all lanes."""
        return self.splat(one, "i64", self.longs)

    def load(self, g: int, m: int | str, again: bool) -> str:
        return LAYOUTS[self.groups[g].layout].load(self, g, m, again)

    def load_masked(self, at: str, mask: str, other: str) -> str:
        name = self.declare(f"llvm.masked.load.{self.suffix}.p0", self.vector, "ptr", self.mask, self.vector)
        masked = f"{self.mask} {mask}, {self.vector} {other}"
        return self.emit(f"call {self.vector} @{name}(ptr align 1 {at}, {masked})")

    def gather(self, at: str, step: str, mask: str) -> str:
        """Elements at a distance from each other, where the mask is not set a harmless number."""
        pointers = f"<{self.lanes} x ptr>"
        name = self.declare(
            f"llvm.masked.gather.{self.suffix}.v{self.lanes}p0", self.vector, pointers, self.mask, self.vector
        )
        offsets = self.emit(f"mul {self.longs} {self.all_lanes(step)}, <{self.iota}>")
        many = self.emit(f"getelementptr i8, ptr {at}, {self.longs} {offsets}")
        masked = f"{self.mask} {mask}, {self.vector} {self.number(1.0)}"
        return self.emit(f"call {self.vector} @{name}({pointers} align {self.dtype.itemsize} {many}, {masked})")


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────


def _number(w: Reading, g: int, m: int | str, again: bool) -> str:
    return w.splat(f"%n{g}")


def _single(w: Reading, g: int, m: int | str, again: bool) -> str:
    at = w.address(g, m, again)
    return w.splat(w.emit(f"load {w.scalar}, ptr {at}, align 1"))


def _in_a_row(w: Reading, g: int, m: int | str, again: bool) -> str:
    return w.emit(f"load {w.vector}, ptr {w.address(g, m, again)}, align 1")


def _within(w: Reading, g: int, m: int | str, again: bool) -> str:
    if w.inner:
        return _in_a_row(w, g, m, again)
    return w.load_masked(w.address(g, m, again), _inside(w, g), w.number(0.0))


def _whether_within(w: Reading, g: int, m: int | str, again: bool) -> str:
    return w.number(1.0) if w.inner else w.select(_inside(w, g), w.number(1.0), w.number(0.0))


def _inside(w: Reading, g: int) -> str:
    place = w.emit(f"add {w.longs} {w.all_lanes(f'%place{g}')}, <{w.iota}>")
    return w.emit(f"icmp ult {w.longs} {place}, {w.all_lanes(f'%wide{g}')}")


def _turned(w: Reading, g: int, m: int | str, again: bool) -> str:
    """From two places: behind the beginning of a group, and from its end."""
    place, _ = _around(w, g)
    shift, there = w.all_lanes(f"%shift{g}"), _there(w)
    near = w.logic("&", w.emit(f"icmp sge {w.longs} {place}, {shift}"), there)
    far = w.logic("&", w.emit(f"icmp slt {w.longs} {place}, {shift}"), there)
    return _from_two(w, w.address(g, m, again), near, f"%period{g}", far, 1.0)


def _by_rows(w: Reading, g: int, m: int | str, again: bool) -> str:
    """From the row at hand, and from the next one."""
    (_, over), there = _around(w, g), _there(w)
    far = w.logic("&", over, there)
    return _from_two(w, w.address(g, m, again), w.logic("^", far, there), f"%gap{g}", far, 1.0)


def _within_rows(w: Reading, g: int, m: int | str, again: bool) -> str:
    """The same, zero on all sides."""
    place, over = _around(w, g)
    lane, inside = w.emit(f"add {w.longs} {w.all_lanes('%i')}, <{w.iota}>"), w.boolean(True)
    for x, low, high in ((place, "west", "east"), (lane, "north", "south")):
        inside = w.logic("&", inside, w.emit(f"icmp sge {w.longs} {x}, {w.all_lanes(f'%{low}{g}')}"))
        inside = w.logic("&", inside, w.emit(f"icmp slt {w.longs} {x}, {w.all_lanes(f'%{high}{g}')}"))
    far = w.logic("&", over, inside)
    return _from_two(w, w.address(g, m, again), w.logic("^", far, inside), f"%gap{g}", far, 0.0)


def _there(w: Reading) -> str:
    """The lanes that are elements: all but at the end, where these layouts have nothing behind them."""
    return w.emit(f"icmp slt {w.longs} <{w.iota}>, {w.all_lanes(w.emit('sub i64 %to, %i'))}")


def _around(w: Reading, g: int) -> tuple[str, str]:
    """The places of the lanes in the period, and which of them are in the next one."""
    place = w.emit(f"add {w.longs} {w.all_lanes(f'%i{g}')}, <{w.iota}>")
    period = w.all_lanes(f"%period{g}")
    over = w.emit(f"icmp sge {w.longs} {place}, {period}")
    beyond = w.emit(f"sub {w.longs} {place}, {period}")
    return w.emit(f"select {w.mask} {over}, {w.longs} {beyond}, {w.longs} {place}"), over


def _from_two(w: Reading, at: str, near: str, on: str, far: str, none: float) -> str:
    """Some lanes, others so many elements on, and a number in the rest."""
    first = w.load_masked(at, near, w.number(none))
    offset = w.emit(f"mul i64 {on}, {w.dtype.itemsize}")
    return w.load_masked(w.emit(f"getelementptr i8, ptr {at}, i64 {offset}"), far, first)


def _gathered(w: Reading, g: int, m: int | str, again: bool) -> str:
    return w.gather(w.address(g, m, again), f"%near.es{g}", w.boolean(True))


class Layout(NamedTuple):
    """What a group of one layout adds to a kernel, g its number.

    Attributes:
        load: reads a plane of it at the place of the loop.
        head: before all: where its planes begin (%p) and how far apart they (%ps) and their elements (%es) are.
        near: before the loop: the same of what it passes, which is the array, and at last the copy of what is left.
        start: where a turn of the loop begins.
        here: the address of its first lane then (%at).
        turn: where one ends.
        behind: after the loop.
        copied: what is left is copied; of others all that a vector reads is there.
    """

    load: Callable[[Reading, int, int | str, bool], str]
    head: tuple[str, ...]
    near: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    copied: bool = False


_OBJECT = "%o{g} = getelementptr i8, ptr %a{g}, i64 {offset}\n  %p{g} = load ptr, ptr %o{g}"
_ADDRESS = "%p{g} = getelementptr i8, ptr %a{g}, i64 0"
_PACKED, _DENSE = "%ps{g} = mul i64 %length, {size}", "%es{g} = add i64 0, {size}"
_COPY = (  # and where element 0 of it would be
    "%copy{g} = getelementptr i8, ptr %copies, i64 {copies}",
    "%before{g} = getelementptr i8, ptr %copy{g}, i64 %minus",
)
_NEAR = (
    "%near.p{g} = phi ptr [ %p{g}, %entry ], [ %before{g}, %rest ]",
    "%near.ps{g} = phi i64 [ %ps{g}, %entry ], [ {width}, %rest ]",
)
_NEAR_APART = (*_NEAR, "%near.es{g} = phi i64 [ %es{g}, %entry ], [ {size}, %rest ]")
_HERE = ("%along{g} = mul i64 %i, {size}", "%at{g} = getelementptr i8, ptr %near.p{g}, i64 %along{g}")
_HERE_APART = ("%along{g} = mul i64 %i, %near.es{g}", _HERE[1])
_AT = "%at{g} = getelementptr i8, ptr %p{g}, i64 %along{g}"
_AROUND = Layout(  # the place in the period, which goes round
    _in_a_row,
    ("%first{g} = urem i64 %begin, %period{g}",),
    near=("%begin{g} = phi i64 [ %first{g}, %entry ], [ %then{g}, %rest ]",),
    start=("%i{g} = phi i64 [ %begin{g}, %near ], [ %next{g}, %turn ]",),
    turn=(
        "%on{g} = add i64 %i{g}, {lanes}",
        "%round{g} = sub i64 %on{g}, %period{g}",
        "%over{g} = icmp sge i64 %round{g}, 0",
        "%next{g} = select i1 %over{g}, i64 %round{g}, i64 %on{g}",
    ),
    behind=("%then{g} = phi i64 [ %begin{g}, %near ], [ %next{g}, %turn ]",),
)
_ROWS = Layout(  # so many elements are left out before the row at hand
    _by_rows,
    ("{whole}", _PACKED, *_AROUND.head, "%row{g} = sdiv i64 %begin, %period{g}", "%out{g} = mul i64 %row{g}, %gap{g}"),
    near=(*_AROUND.near, "%before{g} = phi i64 [ %out{g}, %entry ], [ %after{g}, %rest ]"),
    start=(*_AROUND.start, "%skip{g} = phi i64 [ %before{g}, %near ], [ %skips{g}, %turn ]"),
    here=("%place{g} = add i64 %i, %skip{g}", "%along{g} = mul i64 %place{g}, {size}", _AT),
    turn=(
        *_AROUND.turn,
        "%further{g} = add i64 %skip{g}, %gap{g}",
        "%skips{g} = select i1 %over{g}, i64 %further{g}, i64 %skip{g}",
    ),
    behind=(*_AROUND.behind, "%after{g} = phi i64 [ %before{g}, %near ], [ %skips{g}, %turn ]"),
)
LAYOUTS = {
    "c": Layout(_in_a_row, ("{whole}", _PACKED, _DENSE, *_COPY), _NEAR, here=_HERE, copied=True),
    "p": Layout(_in_a_row, (_ADDRESS, _DENSE, *_COPY), _NEAR, here=_HERE, copied=True),
    "g": Layout(_gathered, (_ADDRESS, *_COPY), _NEAR_APART, here=_HERE_APART, copied=True),
    "w": Layout(
        _within,
        ("{whole}", _PACKED, "%wide{g} = sub i64 %last{g}, %first{g}"),
        here=(
            "%place{g} = sub i64 %i, %first{g}",
            "%along{g} = mul i64 %place{g}, {size}",
            _AT,
        ),
    ),
    "o": Layout(
        _whether_within, ("%wide{g} = sub i64 %last{g}, %first{g}",), here=("%place{g} = sub i64 %i, %first{g}",)
    ),
    "b": Layout(_single, (_ADDRESS, "%at{g} = getelementptr i8, ptr %p{g}, i64 0")),
    "s": Layout(_number, ()),
    "+": Layout(_number, ("{whole}",)),  # never read
    "r": _AROUND._replace(head=("{whole}", *_AROUND.head), here=("%along{g} = mul i64 %i{g}, {size}", _AT)),
    "v": _AROUND._replace(
        load=_turned,
        head=("{whole}", _PACKED, *_AROUND.head),
        here=("%back{g} = sub i64 %i, %shift{g}", "%along{g} = mul i64 %back{g}, {size}", _AT),
    ),
    "m": _ROWS,
    "W": _ROWS._replace(
        load=_within_rows,
        here=("%lies{g} = sub i64 %skip{g}, %ahead{g}", "%place{g} = add i64 %i, %lies{g}", *_ROWS.here[1:]),
    ),
}
