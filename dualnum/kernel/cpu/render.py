"""Programs as LLVM text: the loop around the instructions, and how it writes its results.

A program becomes a loop over whole vectors. What is left of an array goes through the same loop once more, on copies
filled up with harmless numbers: so a value does not depend on its position, nothing in the loop is masked, and the
program is there once. A kernel for jets with several directions has a second loop over them inside the first, which
holds what depends on more than the values.
"""

from collections.abc import Callable

from ..emit import write
from ..layout import Routine
from .call import INTEGERS
from .reading import LAYOUTS
from .reducing import Reducing, by_rows
from .rolled import is_long, write_rolled
from .single import write_single

__all__ = ["render"]

_STACK = 3 << 16  # bytes of one piece of memory on the stack, of which a thread has 512 KiB on some systems
_UNROLLED = 5  # planes that are copied one by one, more of them by a loop


class _Loop(Reducing):
    """The body of the loop, with what it reads and writes."""

    def __init__(self, routine: Routine, offset: int) -> None:
        super().__init__(routine, offset)
        self.directed = routine.directed
        self.outputs = len(routine.outputs)
        self.leaving: list[str] = []  # behind it
        self.label = "loop"  # of the block that is being written
        copied = [group.planes for group in self.groups if LAYOUTS[group.layout].copied]
        self.memory("copies", sum(copied) * self.h.vector_bytes)

    def memory(self, name: str, size: int) -> None:
        """So many bytes for the time of a call."""
        if size <= _STACK:
            self.entry.insert(0, f"  %{name} = alloca i8, i64 {max(size, 1)}, align 64")
            return
        self.declare("malloc", "ptr", "i64")
        self.declare("free", "void", "ptr")
        self.entry.insert(0, f"  %{name} = call ptr @malloc(i64 {size})")
        self.leaving.append(f"  call void @free(ptr %{name})")

    def repeat(self, name: str, count: int, body: Callable[[str], None]) -> None:
        """body(number) for all numbers below the count."""
        self.lines += [
            f"  br label %{name}",
            f"{name}:",
            f"  %{name}.k = phi i64 [ 0, %{self.label} ], [ %{name}.k1, %{name} ]",
        ]
        body(f"%{name}.k")
        self.lines += [
            f"  %{name}.k1 = add i64 %{name}.k, 1",
            f"  %{name}.on = icmp slt i64 %{name}.k1, {count}",
            f"  br i1 %{name}.on, label %{name}, label %{name}.end",
            f"{name}.end:",
        ]
        self.label = f"{name}.end"

    # ── what is left of an array ─────────────────────────────────────────────────────────────────

    def left(self) -> str:
        """The lanes of what is left."""
        return self.emit(f"icmp slt {self.longs} <{self.iota}>, {self.all_lanes(self.emit('sub i64 %end, %full'))}")

    def copied(self, label: str, back: bool, again: bool = False) -> list[str]:
        """The lines that copy what is left of the inputs, or of the outputs back; `again` for each direction."""
        self.lines, self.label = [], label
        mask = self.left()
        for g, group in enumerate(self.groups):
            if not LAYOUTS[group.layout].copied or back != (g < self.outputs):
                continue
            along = self.emit(f"mul i64 %es{g}, %full")
            at = self.emit(f"getelementptr i8, ptr %p{g}, i64 {along}")
            first, last = int(again), 1 if self.directed and not again else group.planes

            def one(k: int | str, g: int = g, at: str = at, first: int = first) -> None:
                m = self.emit(f"add i64 {k}, {first}") if isinstance(k, str) else k + first
                self._copy(g, m, self._plane(at, f"%ps{g}", m, ("%directions", "%d") if again else None), mask)

            if last - first > _UNROLLED:
                self.repeat(f"{label}{g}", last - first, one)
            else:
                for k in range(last - first):
                    one(k)
        return self.lines

    def _copy(self, g: int, m: int | str, at: str, mask: str) -> None:
        copy = self._plane(f"%copy{g}", str(self.h.vector_bytes), m, None)
        if g >= self.outputs:
            gathered = self.groups[g].layout == "g"
            x = self.gather(at, f"%es{g}", mask) if gathered else self.load_masked(at, mask, self.number(1.0))
            self.lines.append(f"  store {self.vector} {x}, ptr {copy}, align 16")
            return
        y = self.emit(f"load {self.vector}, ptr {copy}, align 16")
        name = self.declare(f"llvm.masked.store.{self.suffix}.p0", "void", self.vector, "ptr", self.mask)
        self.lines.append(f"  call void @{name}({self.vector} {y}, ptr align 1 {at}, {self.mask} {mask})")


# ── a kernel ─────────────────────────────────────────────────────────────────────────────────────


_KERNEL = """
define {name}({arguments}) {{
entry:
  %count = sub i64 %end, %begin
  %whole = and i64 %count, -{lanes}
  %full = add i64 %begin, %whole
  %minus = mul i64 %full, -{size}
{entry}
  br label %near
near:
  %last = phi i1 [ false, %entry ], [ true, %rest ]
  %from = phi i64 [ %begin, %entry ], [ %full, %rest ]
  %to = phi i64 [ %full, %entry ], [ %end, %rest ]
{near}
  %some = icmp slt i64 %from, %to
  br i1 %some, label %loop, label %behind
loop:
  %i = phi i64 [ %from, %near ], [ %next, %turn ]
{loop}
turn:
{turn}
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %to
  br i1 %more, label %loop, label %behind
behind:
{behind}
  br i1 %last, label %back, label %check
check:
  %open = icmp slt i64 %full, %end
  br i1 %open, label %ahead, label %done
ahead:
{ahead}
  br label %rest
rest:
  br label %near
back:
{back}
  br label %done
done:
{done}
}}
"""


def render(routine: Routine, offset: int) -> str:
    """The LLVM text of a kernel; array objects keep their address at `offset`; −1 where addresses are given."""
    w = _Loop(routine, offset)
    if routine.single:
        return write_single(routine, w.whole, _arguments(w, False))
    _write(w, routine)
    near, start, behind = w.lay("near"), w.lay("start"), w.lay("behind")
    turn = _over_directions(w) if routine.directed else w.closed()
    ahead, back, answer = w.copied("ahead", back=False), w.copied("back", back=True), ["  ret i32 0"]
    if routine.program.alarm is not None:
        quiet = f"phi {w.mask} [ zeroinitializer"
        near.append(f"  %early = {quiet}, %entry ], [ %seen, %rest ]")
        start.append(f"  %alarm = {quiet}, %near ], [ %alarm1, %turn ]")
        behind.append(f"  %seen = {quiet}, %near ], [ %alarm1, %turn ]")
        answer = _answer(w)
    if routine.directed:
        near.append("  %near.directions = select i1 %last, i64 1, i64 %directions")  # a copy has the one at hand
    parts = {
        "entry": [*w.entry, *w.lay("head")],
        "near": near,
        "loop": [*start, *w.lay("here"), *w.once, *turn],
        "turn": w.lay("turn"),
        "behind": behind,
        "ahead": ahead,
        "back": back,
        "done": [*answer[:-1], *w.leaving, answer[-1]],
    }
    arguments = _arguments(w, routine.directed)
    text = _KERNEL.format(
        name="internal i32 @row" if w.row else "i32 @kernel",
        arguments=", ".join(arguments),
        lanes=w.lanes,
        size=w.dtype.itemsize,
        **{name: "\n".join(lines) for name, lines in parts.items()},
    )
    return "\n".join(w.declared.values()) + text + (by_rows(w.row, arguments) if w.row else "")


def _write(w: _Loop, routine: Routine) -> None:
    """The body of the loop; where windows end in few vectors, a second one for all others."""
    windows = [g for g, group in enumerate(w.groups) if group.layout in "wo"]
    if is_long(routine):
        return write_rolled(w, routine)
    if not windows or routine.directed or routine.program.alarm is not None:
        return write(w, routine)
    w.inner = True
    write(w, routine)
    inner, w.once, w.inner = w.once, [], False
    write(w, routine)
    edge, w.lines = w.once, w.entry
    low, high = f"%first{windows[0]}", f"%last{windows[0]}"
    smax, smin = (w.declare(f"llvm.{name}.i64", "i64", "i64", "i64") for name in ("smax", "smin"))
    for g in windows[1:]:
        low = w.emit(f"call i64 @{smax}(i64 {low}, i64 %first{g})")
        high = w.emit(f"call i64 @{smin}(i64 {high}, i64 %last{g})")
    high = w.emit(f"sub i64 {high}, {w.lanes}")
    w.lines = w.once = []
    within = w.emit(f"and i1 {w.emit(f'icmp sge i64 %i, {low}')}, {w.emit(f'icmp sle i64 %i, {high}')}")
    w.once += [f"  br i1 {within}, label %inner, label %edge", "inner:", *inner, "  br label %both"]
    w.once += ["edge:", *edge, "  br label %both", "both:"]


def _answer(w: _Loop) -> list[str]:
    """Whether the alarm was raised; at the end of what copies the outputs back that of what is left is looked at."""
    late = w.logic("|", "%early", w.logic("&", "%seen", w.left()))
    reduce = w.declare(f"llvm.vector.reduce.or.v{w.lanes}i1", "i1", w.mask)
    return [
        f"  %final = phi {w.mask} [ %seen, %check ], [ {late}, %{w.label} ]",
        f"  %any = call i1 @{reduce}({w.mask} %final)",
        "  %answer = zext i1 %any to i32",
        "  ret i32 %answer",
    ]


def _arguments(w: _Loop, directed: bool) -> list[str]:
    """As `call` lists them."""
    arguments = []
    for g, group in enumerate(w.groups):
        if group.layout == "s":
            arguments.append(f"{w.scalar} %n{g}")
        else:
            arguments += [f"ptr %a{g}", *(f"i64 %{name}{g}" for name in INTEGERS[group.layout])]
    return [*arguments, *(["i64 %directions"] if directed else []), "i64 %length", "i64 %begin", "i64 %end"]


def _over_directions(w: _Loop) -> list[str]:
    """The loop inside the loop."""
    return [
        "  %any.d = icmp sgt i64 %directions, 0",
        "  br i1 %any.d, label %direction, label %turn",
        "direction:",
        "  %d = phi i64 [ 0, %loop ], [ %next.d, %on.d ]",
        "  %near.d = select i1 %last, i64 0, i64 %d",
        "  br i1 %last, label %ahead.d, label %each",
        "ahead.d:",
        *w.copied("ahead.d", back=False, again=True),
        "  br label %each",
        "each:",
        *w.each,
        "  br i1 %last, label %back.d, label %on.d",
        "back.d:",
        *w.copied("back.d", back=True, again=True),
        "  br label %on.d",
        "on.d:",
        "  %next.d = add i64 %d, 1",
        "  %more.d = icmp slt i64 %next.d, %directions",
        "  br i1 %more.d, label %direction, label %turn",
    ]
