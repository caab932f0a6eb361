"""Programs as LLVM text: the loop around the instructions, and how it reads and writes its operands.

A program becomes a loop over vectors; the tail of an array takes the same path under a mask, so a value does
not depend on its position.
"""

from collections.abc import Sequence

from ..ir import CONST, INPUT, Program
from ..layout import Group, moving
from .call import data_offset
from .instructions import Unrenderable, Writer, write

__all__ = ["render"]


def render(program: Program, outputs: Sequence[Group], inputs: Sequence[Group], directed: bool = False) -> str:
    """The LLVM text of a kernel; `directed` for jets with several directions."""
    w = Writer(program.dtype)
    size = program.dtype.itemsize
    arguments, head, start, turn = [], [], [], []
    groups = [*outputs, *inputs]
    for g, group in enumerate(groups):
        if group.layout == "s":
            arguments.append(f"{w.scalar} %n{g}")
            continue
        arguments.append(f"ptr %a{g}")
        if group.layout in "cw" and data_offset() >= 0:  # an array object: its data pointer is a field
            head.append(f"  %o{g} = getelementptr i8, ptr %a{g}, i64 {data_offset()}")
            head.append(f"  %p{g} = load ptr, ptr %o{g}")
        else:
            head.append(f"  %p{g} = getelementptr i8, ptr %a{g}, i64 0")
        if group.layout in "cw":
            head.append(f"  %ps{g} = mul i64 %length, {size}")
        else:
            arguments.append(f"i64 %ps{g}")
        if group.layout == "g":
            arguments.append(f"i64 %es{g}")
        else:
            head.append(f"  %es{g} = add i64 0, {0 if group.layout == 'b' else size}")
        if group.layout == "w":
            arguments += [f"i64 %first{g}", f"i64 %last{g}"]
            head.append(f"  %wide{g} = sub i64 %last{g}, %first{g}")
        if group.layout == "r":  # the place in the period, which goes round
            arguments.append(f"i64 %period{g}")
            head.append(f"  %first{g} = urem i64 %begin, %period{g}")
            start.append(f"  %i{g} = phi i64 [ %first{g}, %entry ], [ %next{g}, %turn ]")
            turn += [
                f"  %on{g} = add i64 %i{g}, {w.lanes}",
                f"  %round{g} = sub i64 %on{g}, %period{g}",
                f"  %over{g} = icmp sge i64 %round{g}, 0",
                f"  %next{g} = select i1 %over{g}, i64 %round{g}, i64 %on{g}",
            ]
    arguments += [*(["i64 %directions"] if directed else []), "i64 %length", "i64 %begin", "i64 %end"]

    # what depends on values only is written once for all directions
    once = w.lines
    each: list[str] = []
    places = [(g, m) for g, group in enumerate(inputs, len(outputs)) for m in range(group.planes)]
    moves = moving(program, inputs) if directed else [False] * len(program.nodes)
    values: list[str] = []
    kinds: list[bool] = []
    for node, again in zip(program.nodes, moves, strict=True):
        w.lines = each if again else once
        if node.op == INPUT:
            g, m = places[node.extra]
            values.append(_loaded(w, groups, g, m, again))
        elif node.op == CONST:
            values.append(w.number(node.extra) if not node.boolean else f"splat (i1 {str(node.extra).lower()})")
        else:
            values.append(write(w, node, [values[a] for a in node.args], [kinds[a] for a in node.args]))
        kinds.append(node.boolean)

    stored = iter(program.outputs)
    for g, group in enumerate(outputs):
        for m in range(group.planes):
            i = next(stored)
            if moves[i] and m == 0:
                raise Unrenderable("a value that depends on more than values")
            w.lines = each if directed and m else once
            y = w.emit(f"uitofp {w.mask} {values[i]} to {w.vector}") if kinds[i] else values[i]
            name = w.declare(f"llvm.masked.store.{w.suffix}.p0", "void", w.vector, "ptr", w.mask)
            at = _plane_address(w, group, g, m, directed and m > 0)
            w.lines.append(f"  call void @{name}({w.vector} {y}, ptr align 1 {at}, {w.mask} %mask)")

    finish = ["  ret i32 0"]
    if program.alarm is not None:
        if moves[program.alarm]:
            raise Unrenderable("an alarm that depends on more than values")
        w.lines = once
        raised = w.logic("and", values[program.alarm], "%mask")
        once.append(f"  %alarm1 = or {w.mask} %alarm, {raised}")
        start.append(f"  %alarm = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %turn ]")
        reduce = w.declare(f"llvm.vector.reduce.or.v{w.lanes}i1", "i1", w.mask)
        finish = [
            f"  %final = phi {w.mask} [ zeroinitializer, %entry ], [ %alarm1, %turn ]",
            f"  %any1 = call i1 @{reduce}({w.mask} %final)",
            "  %answer = zext i1 %any1 to i32",
            "  ret i32 %answer",
        ]
    into = "  br label %turn"
    if directed:
        into = "\n".join(
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
    lanes = w.lanes
    newline = "\n"
    return f"""{newline.join(w.declared.values())}
define i32 @kernel({", ".join(arguments)}) {{
entry:
{newline.join(head)}
  %any = icmp slt i64 %begin, %end
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ %begin, %entry ], [ %next, %turn ]
{newline.join(start)}
  %left = sub i64 %end, %i
  %left1 = insertelement <{lanes} x i64> poison, i64 %left, i32 0
  %lefts = shufflevector <{lanes} x i64> %left1, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer
  %mask = icmp slt <{lanes} x i64> <{_iota(w)}>, %lefts
{newline.join(once)}
{into}
turn:
{newline.join(turn)}
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %end
  br i1 %more, label %loop, label %done
done:
{newline.join(finish)}
}}
"""


def _loaded(w: Writer, groups: Sequence[Group], g: int, m: int, directed: bool) -> str:
    """The input at the place of the loop: plane m of group g."""
    group = groups[g]
    if group.layout == "s":
        return w.splat(f"%n{g}")
    at = _plane_address(w, group, g, m, directed)
    if group.layout == "b":
        return w.splat(w.emit(f"load {w.scalar}, ptr {at}, align 1"))
    beyond = f"{w.mask} %mask, {w.vector} {w.number(1.0)}"
    if group.layout == "w":
        before = w.emit(f"mul i64 %first{g}, {-w.dtype.itemsize}")
        at = w.emit(f"getelementptr i8, ptr {at}, i64 {before}")
        place = _longs(w, w.emit(f"sub i64 %i, %first{g}"))
        longs = f"<{w.lanes} x i64>"
        place = w.emit(f"add {longs} {place}, <{_iota(w)}>")
        inside = w.emit(f"icmp ult {longs} {place}, {_longs(w, f'%wide{g}')}")
        beyond = f"{w.mask} {w.logic('and', inside, '%mask')}, {w.vector} {w.number(0.0)}"
    if group.layout != "g":
        name = w.declare(f"llvm.masked.load.{w.suffix}.p0", w.vector, "ptr", w.mask, w.vector)
        return w.emit(f"call {w.vector} @{name}(ptr align 1 {at}, {beyond})")
    pointers = f"<{w.lanes} x ptr>"
    name = w.declare(f"llvm.masked.gather.{w.suffix}.v{w.lanes}p0", w.vector, pointers, w.mask, w.vector)
    many = _lane_addresses(w, g, at)
    return w.emit(f"call {w.vector} @{name}({pointers} align {w.dtype.itemsize} {many}, {beyond})")


def _iota(w: Writer) -> str:
    return ", ".join(f"i64 {i}" for i in range(w.lanes))


def _plane_address(w: Writer, group: Group, g: int, m: int, directed: bool) -> str:
    """The address of the first lane in plane m, or in the plane of the direction at hand of coefficient m."""
    if directed:
        before = w.emit(f"mul i64 %directions, {m - 1}")
        number = w.emit(f"add i64 {w.emit(f'add i64 {before}, %d')}, 1")
        plane = w.emit(f"mul i64 %ps{g}, {number}")
    else:
        plane = w.emit(f"mul i64 %ps{g}, {m}")
    element = w.emit(f"mul i64 %es{g}, %i{g if group.layout == 'r' else ''}")
    offset = w.emit(f"add i64 {plane}, {element}")
    return w.emit(f"getelementptr i8, ptr %p{g}, i64 {offset}")


def _lane_addresses(w: Writer, g: int, at: str) -> str:
    longs = f"<{w.lanes} x i64>"
    offsets = w.emit(f"mul {longs} {_longs(w, f'%es{g}')}, <{_iota(w)}>")
    return w.emit(f"getelementptr i8, ptr {at}, {longs} {offsets}")


def _longs(w: Writer, one: str) -> str:
    """An integer in all lanes."""
    longs = f"<{w.lanes} x i64>"
    first = w.emit(f"insertelement {longs} poison, i64 {one}, i32 0")
    return w.emit(f"shufflevector {longs} {first}, {longs} poison, <{w.lanes} x i32> zeroinitializer")
