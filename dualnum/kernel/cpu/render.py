"""Programs as LLVM text: the loop around the instructions, and how it reads and writes its operands.

A program becomes a loop over vectors; the tail of an array takes the same path under a mask, so a value does
not depend on its position. A kernel for jets with several directions has a second loop over them inside the first,
which holds what depends on more than the values.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..emit import write
from ..layout import Routine
from .call import INTEGERS
from .instructions import Instructions
from .rolled import is_long, write_rolled
from .single import write_single

__all__ = ["render"]


class _Loop(Instructions):
    """The body of the loop, with what it reads and writes."""

    def __init__(self, routine: Routine, offset: int) -> None:
        super().__init__(routine.program.dtype)
        self.whole = _OBJECT.replace("{offset}", str(offset)) if offset >= 0 else _ADDRESS
        self.groups = [*routine.outputs, *routine.inputs]
        self.entry: list[str] = []  # before the loop
        self.leaving: list[str] = []  # behind it
        self.masked = f"{self.mask} %mask, {self.vector} {self.number(1.0)}"  # beyond the end a harmless number

    def lay(self, part: str) -> list[str]:
        """The lines that the layouts of all groups add to one part of the loop."""
        size, lanes = self.dtype.itemsize, self.lanes
        return [
            "  " + line.replace("{whole}", self.whole).format(g=g, size=size, lanes=lanes)
            for g, group in enumerate(self.groups)
            for line in getattr(_LAYOUTS[group.layout], part)
        ]

    def address(self, g: int, m: int | str, again: bool) -> str:
        """The address of the first lane in plane m, or in the plane of the direction at hand of coefficient m."""
        number = str(m)
        if again:
            before = self.emit(f"mul i64 %directions, {int(m) - 1}")
            number = self.emit(f"add i64 {self.emit(f'add i64 {before}, %d')}, 1")
        plane = self.emit(f"mul i64 %ps{g}, {number}")
        element = self.emit(f"mul i64 %es{g}, {_LAYOUTS[self.groups[g].layout].place.format(g=g)}")
        offset = self.emit(f"add i64 {plane}, {element}")
        return self.emit(f"getelementptr i8, ptr %p{g}, i64 {offset}")

    def all_lanes(self, one: str) -> str:
        """An integer in all lanes."""
        return self.splat(one, "i64", self.longs)

    def load(self, g: int, m: int | str, again: bool) -> str:
        return _LAYOUTS[self.groups[g].layout].load(self, g, m, again)

    def load_masked(self, at: str, masked: str) -> str:
        name = self.declare(f"llvm.masked.load.{self.suffix}.p0", self.vector, "ptr", self.mask, self.vector)
        return self.emit(f"call {self.vector} @{name}(ptr align 1 {at}, {masked})")

    def store(self, g: int, m: int | str, y: str, again: bool) -> None:
        name = self.declare(f"llvm.masked.store.{self.suffix}.p0", "void", self.vector, "ptr", self.mask)
        at = self.address(g, m, again)
        self.lines.append(f"  call void @{name}({self.vector} {y}, ptr align 1 {at}, {self.mask} %mask)")

    def watch(self, alarm: str) -> None:
        raised = self.logic("&", alarm, "%mask")
        self.lines.append(f"  %alarm1 = or {self.mask} %alarm, {raised}")


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────


def _number(w: _Loop, g: int, m: int | str, again: bool) -> str:
    return w.splat(f"%n{g}")


def _single(w: _Loop, g: int, m: int | str, again: bool) -> str:
    at = w.address(g, m, again)
    return w.splat(w.emit(f"load {w.scalar}, ptr {at}, align 1"))


def _in_a_row(w: _Loop, g: int, m: int | str, again: bool) -> str:
    return w.load_masked(w.address(g, m, again), w.masked)


def _within(w: _Loop, g: int, m: int | str, again: bool) -> str:
    at = w.address(g, m, again)
    before = w.emit(f"mul i64 %first{g}, {-w.dtype.itemsize}")
    at = w.emit(f"getelementptr i8, ptr {at}, i64 {before}")
    place = w.all_lanes(w.emit(f"sub i64 %i, %first{g}"))
    place = w.emit(f"add {w.longs} {place}, <{w.iota}>")
    inside = w.emit(f"icmp ult {w.longs} {place}, {w.all_lanes(f'%wide{g}')}")
    return w.load_masked(at, f"{w.mask} {w.logic('&', inside, '%mask')}, {w.vector} {w.number(0.0)}")


def _gathered(w: _Loop, g: int, m: int | str, again: bool) -> str:
    at = w.address(g, m, again)
    pointers = f"<{w.lanes} x ptr>"
    name = w.declare(f"llvm.masked.gather.{w.suffix}.v{w.lanes}p0", w.vector, pointers, w.mask, w.vector)
    offsets = w.emit(f"mul {w.longs} {w.all_lanes(f'%es{g}')}, <{w.iota}>")
    many = w.emit(f"getelementptr i8, ptr {at}, {w.longs} {offsets}")
    return w.emit(f"call {w.vector} @{name}({pointers} align {w.dtype.itemsize} {many}, {w.masked})")


class _Layout(NamedTuple):
    """What a group of one layout adds to a kernel, g its number.

    Attributes:
        load: reads a plane of it at the place of the loop.
        head: before the loop: where its planes begin (%p), how far apart they (%ps) and their elements (%es) are.
        start: where a turn of the loop begins.
        turn: where one ends.
        place: its element at the place of the loop.
    """

    load: Callable[[_Loop, int, int | str, bool], str]
    head: tuple[str, ...]
    start: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    place: str = "%i"


_OBJECT = "%o{g} = getelementptr i8, ptr %a{g}, i64 {offset}\n  %p{g} = load ptr, ptr %o{g}"
_ADDRESS = "%p{g} = getelementptr i8, ptr %a{g}, i64 0"
_PACKED, _DENSE, _SAME = "%ps{g} = mul i64 %length, {size}", "%es{g} = add i64 0, {size}", "%es{g} = add i64 0, 0"
_LAYOUTS = {
    "c": _Layout(_in_a_row, ("{whole}", _PACKED, _DENSE)),
    "p": _Layout(_in_a_row, (_ADDRESS, _DENSE)),
    "g": _Layout(_gathered, (_ADDRESS,)),
    "w": _Layout(_within, ("{whole}", _PACKED, _DENSE, "%wide{g} = sub i64 %last{g}, %first{g}")),
    "b": _Layout(_single, (_ADDRESS, _SAME)),
    "s": _Layout(_number, ()),
    "r": _Layout(  # the place in the period goes round
        _in_a_row,
        (_ADDRESS, _DENSE, "%first{g} = urem i64 %begin, %period{g}"),
        ("%i{g} = phi i64 [ %first{g}, %entry ], [ %next{g}, %turn ]",),
        (
            "%on{g} = add i64 %i{g}, {lanes}",
            "%round{g} = sub i64 %on{g}, %period{g}",
            "%over{g} = icmp sge i64 %round{g}, 0",
            "%next{g} = select i1 %over{g}, i64 %round{g}, i64 %on{g}",
        ),
        "%i{g}",
    ),
}


# ── a kernel ─────────────────────────────────────────────────────────────────────────────────────


def render(routine: Routine, offset: int) -> str:
    """The LLVM text of a kernel; array objects keep their address at `offset`; −1 where addresses are given."""
    w = _Loop(routine, offset)
    if routine.single:
        whole = (_OBJECT if offset >= 0 else _ADDRESS).replace("{offset}", str(offset))
        return write_single(routine, whole, _arguments(w, False))
    (write_rolled if is_long(routine) else write)(w, routine)
    start, finish = w.lay("start"), ["  ret i32 0"]
    if routine.program.alarm is not None:
        start.append(f"  %alarm = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %turn ]")
        reduce = w.declare(f"llvm.vector.reduce.or.v{w.lanes}i1", "i1", w.mask)
        finish = [
            f"  %final = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %turn ]",
            f"  %any1 = call i1 @{reduce}({w.mask} %final)",
            "  %answer = zext i1 %any1 to i32",
            "  ret i32 %answer",
        ]
    newline = "\n"
    return f"""{newline.join(w.declared.values())}
define i32 @kernel({", ".join(_arguments(w, routine.directed))}) {{
entry:
{newline.join([*w.lay("head"), *w.entry])}
  %any = icmp slt i64 %begin, %end
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %turn ]
{newline.join(start)}
  %left = sub i64 %end, %i
  %left1 = insertelement {w.longs} poison, i64 %left, i32 0
  %lefts = shufflevector {w.longs} %left1, {w.longs} poison, <{w.lanes} x i32> zeroinitializer
  %mask = icmp slt {w.longs} <{w.iota}>, %lefts
{newline.join(w.once)}
{_over_directions(w.each) if routine.directed else "  br label %turn"}
turn:
{newline.join(w.lay("turn"))}
  %next = add i64 %i, {w.lanes}
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
{newline.join([*w.leaving, *finish] if routine.program.alarm is None else [finish[0], *w.leaving, *finish[1:]])}
}}
"""


def _arguments(w: _Loop, directed: bool) -> list[str]:
    """As `call` lists them."""
    arguments = []
    for g, group in enumerate(w.groups):
        if group.layout == "s":
            arguments.append(f"{w.scalar} %n{g}")
        else:
            arguments += [f"ptr %a{g}", *(f"i64 %{name}{g}" for name in INTEGERS[group.layout])]
    return [*arguments, *(["i64 %directions"] if directed else []), "i64 %length", "i64 %begin", "i64 %end"]


def _over_directions(each: Sequence[str]) -> str:
    """The loop inside the loop."""
    return "\n".join(
        [
            "  %some = icmp sgt i64 %directions, 0",
            "  br i1 %some, label %direction, label %turn",
            "direction:",
            "  %d = phi i64 [ 0, %loop ], [ %d1, %direction ]",
            *each,
            "  %d1 = add i64 %d, 1",
            "  %another = icmp slt i64 %d1, %directions",
            "  br i1 %another, label %direction, label %turn",
        ]
    )
