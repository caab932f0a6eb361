"""Programs as plain C, one element at a time: a third machine behind the contract, to prove it.

What differs from LLVM is a table: how a step is spelled, and how an operand of each layout is read. The call is the
one of all machine code here.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from dualnum.kernel.cpu.call import INTEGERS, OBJECTS
from dualnum.kernel.cpu.native import Native
from dualnum.kernel.emit import BY_NAME, write
from dualnum.kernel.layout import Routine

__all__ = ["C"]

_COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
_FLAGS = ["-O2", "-ffp-contract=off", "-fno-fast-math", "-shared", "-fPIC", "-D_GNU_SOURCE", "-x", "c", "-"]

_PACKED, _DENSE = "int64_t ps{g} = length * sizeof(T);", "int64_t es{g} = sizeof(T);"
# by layout: the distances that are no arguments, and the element of the plane at the address {at}
_LAYOUTS = {
    "c": ((_PACKED, _DENSE), "*(T *)({at} + es{g} * i)"),
    "p": ((_DENSE,), "*(T *)({at} + es{g} * i)"),
    "g": ((), "*(T *)({at} + es{g} * i)"),
    "r": ((_DENSE,), "*(T *)({at} + es{g} * (i % period{g}))"),
    "w": ((_PACKED, _DENSE), "(first{g} <= i && i < last{g} ? *(T *)({at} + es{g} * (i - first{g})) : (T)0)"),
    "b": ((), "*(T *)({at})"),
    "s": ((), "n{g}"),
}


class _Writer:
    """See `emit.Writer`."""

    by_name = BY_NAME

    def __init__(self, routine: Routine) -> None:
        self.dtype = routine.program.dtype
        self.groups = [*routine.outputs, *routine.inputs]
        self.once: list[str] = []
        self.each: list[str] = []
        self.lines = self.once
        self._count = 0

    def _emit(self, text: str, kind: str = "T") -> str:
        self._count += 1
        self.lines.append(f"{kind} v{self._count} = {text};")
        return f"v{self._count}"

    def number(self, x: Any) -> str:
        text = "NAN" if np.isnan(x) else "INFINITY" if np.isinf(x) else abs(float(x)).hex()
        return f"((T){'-' if np.signbit(x) else ''}{text})"

    def boolean(self, x: bool) -> str:
        return str(int(x))

    def negative(self, x: str) -> str:
        return self._emit(f"-{x}")

    def infix(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}")

    def compare(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}", "int")

    def logic(self, op: str, a: str, b: str) -> str:
        return self._emit(f"{a} {op} {b}", "int")

    def select(self, condition: str, a: str, b: str, boolean: bool = False) -> str:
        return self._emit(f"{condition} ? {a} : {b}", "int" if boolean else "T")

    def intrinsic(self, name: str, *args: str) -> str:
        return self._emit(f"{name}{'' if self.dtype.itemsize == 8 else 'f'}({', '.join(args)})")

    math = intrinsic

    def _element(self, g: int, m: int, again: bool) -> str:
        plane = f"({m - 1} * directions + d + 1)" if again else str(m)
        return _LAYOUTS[self.groups[g].layout][1].format(g=g, at=f"p{g} + ps{g} * {plane}")

    def load(self, g: int, m: int, again: bool) -> str:
        return self._emit(self._element(g, m, again))

    def store(self, g: int, m: int, y: str, again: bool) -> None:
        self.lines.append(f"{self._element(g, m, again)} = {y};")

    def watch(self, alarm: str) -> None:
        self.lines.append(f"raised |= {alarm};")


class C(Native):
    """The system's compiler, where there is one."""

    name = "c"

    def __init__(self, folder: Path, offset: int | None = None) -> None:
        super().__init__(offset)
        self.folder = folder
        self.loaded: dict[str, Any] = {}

    def missing(self) -> str:
        return "" if _COMPILER else "there is no C compiler"

    def render(self, routine: Routine) -> str:
        w = _Writer(routine)
        write(w, routine)
        arguments, head = [], []
        for g, group in enumerate(w.groups):
            if group.layout == "s":
                arguments.append(f"S n{g}")
                continue
            arguments += [f"char *a{g}", *(f"int64_t {name}{g}" for name in INTEGERS[group.layout])]
            whole = self.offset >= 0 and group.layout in OBJECTS
            head.append(f"char *p{g} = {f'*(char **)(a{g} + {self.offset})' if whole else f'a{g}'};")
            head += [line.format(g=g) for line in _LAYOUTS[group.layout][0]]
        arguments += ["int64_t directions"] * routine.directed + [f"int64_t {n}" for n in ("length", "begin", "end")]
        each = ["for (int64_t d = 0; d < directions; d++) {", *w.each, "}"] if routine.directed else []
        return "\n".join([
            "#include <math.h>", "#include <stdint.h>",
            f"typedef {'double' if w.dtype.itemsize == 8 else 'float'} S;", "typedef S T __attribute__((aligned(1)));",
            f"int32_t kernel({', '.join(arguments)}) {{", "int32_t raised = 0;", *head,
            "for (int64_t i = begin; i < end; i++) {", *w.once, *each, "}", "return raised;", "}", "",
        ])  # fmt: skip

    def load(self, text: str, types: Any) -> Any:
        name = hashlib.sha256(text.encode()).hexdigest()[:24]
        if name not in self.loaded:
            path = self.folder / f"{name}.so"
            subprocess.run([str(_COMPILER), *_FLAGS, "-o", str(path), "-lm"], input=text, text=True, check=True)
            call = ctypes.CDLL(str(path)).kernel
            call.restype, call.argtypes = ctypes.c_int32, types
            self.loaded[name] = call
        return self.loaded[name]
