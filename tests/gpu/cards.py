"""What kernels are made of on real cards, without one: the kernels of the table, and what NVRTC makes of their text.

NVRTC writes machine code for any card and says how many registers it takes and spills; nvdisasm lists it. Both are
wheels: nvidia-cuda-nvrtc-cu12, nvidia-cuda-nvdisasm.
"""

import ctypes
import ctypes.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dualnum import jet
from dualnum.algebra import Univariate
from dualnum.errors import NotDifferentiable
from dualnum.kernel.cuda.call import OPTIONS
from dualnum.kernel.cuda.machine import CUDA
from dualnum.kernel.cuda.text import Variant, render
from dualnum.kernel.launch import plan_for
from dualnum.kernel.layout import Routine
from dualnum.program.cut import Cut
from dualnum.program.fused import Kernel
from dualnum.program.trace import trace

__all__ = [
    "LAYOUTS",
    "Code",
    "Instruction",
    "Usage",
    "compiled",
    "jitted",
    "kernels",
    "listed",
    "missing",
    "usual",
    "version",
]

_OPTIONS = (*OPTIONS, "-ftz=true", "--ptxas-options=-v")  # as CuPy, which adds the second


class _Elsewhere(CUDA):
    """A device that is not there: constants stay where they are."""

    place = "cuda:0"

    def own(self, x: Any) -> Any:
        return x


_MACHINE = _Elsewhere()


# ── the kernels ──────────────────────────────────────────────────────────────────────────────────

LAYOUTS = ("contiguous", "strided", "in three axes", "with numbers", "directions")


def kernels(row: Any, order: int, dtype: Any, layout: str = "contiguous") -> list[tuple[str, Routine]]:
    """(text, routine) of what a row launches for jets of an order: its kernel, and its mend; none without a program.

    Arguments that may move are jets, those that must not numbers; "with numbers" the second of two is one as well.
    """
    moving = _moving(row)
    if layout == "with numbers":
        moving = [moving[0], *[False] * (len(moving) - 1)]
        if len(moving) == 1:
            return []
    name = "n" if layout in ("strided", "in three axes") else "c"
    described = tuple(((order,), name) if moves else "number" for moves in moving)
    numbers = [0.5 * (low + high) for low, high in row.sample]
    plan = plan_for(row, Univariate(order), described, np.dtype(dtype), _MACHINE, numbers, layout == "directions")
    return _launched(plan, {"strided": 1, "in three axes": 3}.get(layout, 0))


def jitted(f: Callable[[Any], Any], x: Any) -> list[tuple[str, Routine]]:
    """The same of a whole function, as `jit` makes it for device arrays like x."""
    cut = Cut(trace(lambda x: [f(x)], [x], _MACHINE), [x], _MACHINE)
    return [one for step in cut.steps if isinstance(step, Kernel) for one in _launched(step.plan, 0)]


def _launched(plan: Any, axes: int) -> list[tuple[str, Routine]]:
    found = []
    while plan is not None:
        if plan.call is not None:
            routine = plan.call.routine
            arrays = sum(group.layout != "s" for group in routine.inputs)
            found.append((render(routine, Variant(axes, False, routine.program.dtype.char * arrays)), routine))
        plan = plan.mend
    return found


def _moving(row: Any) -> list[bool]:
    """Which arguments may carry derivatives, with the others fixed."""
    at = [np.array([0.5 * (low + high)]) for low, high in row.sample]
    moving = []
    for i in range(len(at)):
        try:
            row.ufunc(*(jet(x, 1) if i == j else x for j, x in enumerate(at)))
            moving.append(True)
        except (NotDifferentiable, TypeError):
            moving.append(False)
    return moving


# ── NVRTC ────────────────────────────────────────────────────────────────────────────────────────


class Usage(NamedTuple):
    """What a kernel takes: registers a thread, and bytes of its stack, of which it spills some."""

    registers: int
    stack: int
    spilled: int


class Code(NamedTuple):
    """Machine code."""

    cubin: bytes
    usage: Usage


@cache
def _nvrtc() -> Any:
    named = ctypes.util.find_library("nvrtc")
    return next(map(ctypes.CDLL, [*_found("lib/libnvrtc.so.*[0-9]"), *([named] if named else [])]), None)


def _found(pattern: str) -> Iterator[str]:
    """Files of NVIDIA's wheels."""
    for folder in sys.path:
        yield from map(str, sorted(Path(folder, "nvidia").glob("*/" + pattern)))


def missing() -> str:
    """Why nothing can be compiled here, with the remedy; nothing where it can."""
    return "" if _nvrtc() else "there is no NVRTC (pip install nvidia-cuda-nvrtc-cu12)"


def version() -> str:
    """Of NVRTC."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _nvrtc().nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


def compiled(text: str, card: int, *options: str) -> Code:
    """The machine code of ``kernel(…)`` for a card of this compute capability, 90 for 9.0."""
    nvrtc = _nvrtc()
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernel.cu", 0, None, None)
    given = [*_OPTIONS, f"-arch=sm_{card}", *options]
    failed = nvrtc.nvrtcCompileProgram(program, len(given), (ctypes.c_char_p * len(given))(*map(str.encode, given)))

    def received(what: str) -> bytes:
        getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        getattr(nvrtc, f"nvrtcGet{what}")(program, buffer)
        return buffer.raw

    log = received("ProgramLog").decode().rstrip("\0")
    cubin = b"" if failed else received("CUBIN")
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    if failed:
        raise RuntimeError(f"{log}\n{text}")
    return Code(cubin, _usage(log))


def _usage(log: str) -> Usage:
    numbers = re.search(
        r"properties for kernel\b.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) .*?Used (\d+) reg",
        log,
        re.S,
    )
    assert numbers is not None, log
    stack, stores, loads, registers = map(int, numbers.groups())
    return Usage(registers, stack, max(stores, loads))


# ── machine code ─────────────────────────────────────────────────────────────────────────────────

_INSTRUCTION = re.compile(r"\s+/\*[0-9a-f]+\*/\s+(?:@(\S+)\s+)?([A-Z][A-Z0-9_.]*)\s*([^;]*);(.*)")
_LABEL = re.compile(r"([.$\w]+):")
_TARGET = re.compile(r"`\(([^)]*)\)")
_ENDS_A_BLOCK = ("BRA", "EXIT", "RET", "CALL")


class Instruction(NamedTuple):
    """One of them: under what predicate, the operation with what modifies it, its arguments, what nvdisasm remarks."""

    predicate: str | None
    name: str
    arguments: str
    remark: str = ""

    @property
    def op(self) -> str:
        return self.name.partition(".")[0]


@cache
def _nvdisasm() -> str | None:
    return shutil.which("nvdisasm") or next(_found("bin/nvdisasm"), None)


def listed(code: Code) -> str:
    """Machine code as text, or nothing where there is no nvdisasm."""
    tool = _nvdisasm()
    if tool is None:
        return ""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code.cubin)
        file.flush()
        return subprocess.run([tool, "-c", file.name], capture_output=True, text=True, check=True).stdout


def usual(text: str, stores: int) -> tuple[list[Instruction], int]:
    """The instructions of a listed kernel on its usual way, and how many there are in all.

    The usual way is the longest through all `stores` stores of results (with several directions, one time around) that
    calls nothing, meets no other loop and stores nothing else: calls and loops are the slow paths of functions, for
    large angles and for quotients of extreme numbers, and what else is stored is an alarm.
    """
    blocks, names = _blocks(text)
    total = sum(map(len, blocks))
    return [x for k in _Flow(blocks, names).longest(stores) for x in blocks[k]], total


def _blocks(text: str) -> tuple[list[list[Instruction]], dict[str, int]]:
    """The pieces without a jump, and which of them labels name."""
    blocks: list[list[Instruction]] = [[]]
    names: dict[str, int] = {}
    begun = False
    for line in text.splitlines():
        label = _LABEL.match(line)
        begun = begun or line.startswith(".text.kernel:")
        if not begun:
            continue
        if label:
            if blocks[-1]:
                blocks.append([])
            names[label[1]] = len(blocks) - 1
        elif (match := _INSTRUCTION.match(line)) and match[2] != "NOP":
            one = Instruction(match[1], match[2], match[3].strip(), match[4])
            blocks[-1].append(one)
            if one.op in _ENDS_A_BLOCK:
                blocks.append([])
    return blocks, names


class _Flow:
    """Which block follows which, but for slow paths."""

    def __init__(self, blocks: Sequence[Sequence[Instruction]], names: dict[str, int]) -> None:
        self.blocks = blocks
        self.stores = [sum(x.op == "STG" for x in block) for block in blocks]
        self.next = [self._next(k, names) for k in range(len(blocks))]
        slow = {k for k, block in enumerate(blocks) if any(_is_slow(x) for x in block)}
        self.next = [[t for t in then if t < len(blocks) and t not in slow] for then in self.next]
        self._without_loops(set(range(len(blocks))))

    def _next(self, k: int, names: dict[str, int]) -> list[int]:
        last = self.blocks[k][-1] if self.blocks[k] else Instruction(None, "", "")
        conditional = last.predicate is not None or re.match(r"!?U?P\d", last.arguments)
        if last.op == "BRA":
            target = _TARGET.search(last.arguments)
            assert target is not None
            return [names[target[1]], *([k + 1] if conditional else [])]
        if last.op in ("EXIT", "RET"):
            return [k + 1] if conditional else []
        return [k + 1]

    def _without_loops(self, inside: set[int]) -> None:
        """Cuts loops: of one that stores results the way back, others altogether."""
        for loop in self._loops(inside):
            if any(self.stores[k] for k in loop):
                head = min(loop)
                for k in loop:
                    self.next[k] = [t for t in self.next[k] if t != head]
                self._without_loops(loop)
            else:
                for k, then in enumerate(self.next):
                    self.next[k] = [t for t in then if t not in loop]

    def _loops(self, inside: set[int]) -> list[set[int]]:
        """The largest sets of blocks that lead to each other."""
        reached = {k: self._reached(k, inside) for k in inside}
        loops: list[set[int]] = []
        for k in sorted(inside):
            if k in reached[k] and not any(k in loop for loop in loops):
                loops.append({t for t in reached[k] if k in reached[t]})
        return loops

    def _reached(self, k: int, inside: set[int]) -> set[int]:
        found: set[int] = set()
        waiting = [k]
        while waiting:
            new = [t for t in self.next[waiting.pop()] if t in inside and t not in found]
            found.update(new)
            waiting += new
        return found

    def longest(self, stores: int) -> list[int]:
        """The blocks of the longest way from the first one to an end that makes so many stores; none without one."""
        best: dict[int, dict[int, tuple[int, int | None]]] = {}  # of a block, by stores: how long, and what comes next
        for k in self._last_first():
            block, made = self.blocks[k], self.stores[k]
            found: dict[int, tuple[int, int | None]] = {}
            if block and block[-1].op == "EXIT":
                found[made] = len(block), None
            for t in self.next[k]:
                for rest, (n, _) in best[t].items():
                    if n + len(block) > found.get(rest + made, (0, None))[0]:
                        found[rest + made] = n + len(block), t
            best[k] = found
        way: list[int] = []
        at: int | None = 0
        while at is not None and stores in best[at]:
            way.append(at)
            at, stores = best[at][stores][1], stores - self.stores[at]
        return way

    def _last_first(self) -> list[int]:
        """The blocks that are reached, each after those that follow it."""
        done: list[int] = []
        seen, waiting = {0}, [(0, iter(self.next[0]))]
        while waiting:
            k, then = waiting[-1]
            new = next((t for t in then if t not in seen), None)
            if new is None:
                done.append(k)
                waiting.pop()
            else:
                seen.add(new)
                waiting.append((new, iter(self.next[new])))
        return done


def _is_slow(x: Instruction) -> bool:
    """A call, or what stands in an array of a thread's own, which only slow paths have."""
    return x.op in ("CALL", "RET") or (x.op in ("LDL", "STL") and "Spill" not in x.remark)
