"""What became of a jitted function, to look at: in words, as programs, and as text of the machine."""

import os
import sys
from collections.abc import Callable, Sequence
from math import prod
from operator import setitem
from threading import Timer
from time import perf_counter
from typing import Any

import numpy as np

from ..backend import is_array
from ..jets.jet import Jet
from ..kernel import engine
from ..kernel.ir import LOOP, REDUCE, Program
from ..kernel.plan import rendered
from ..kernel.target import Target
from ..kinds import Value
from .fused import Kernel
from .nodes import Applied, Node
from .replay import Replay
from .variants import Variant
from .writes import rewritten

__all__ = ["Explained", "Lowered", "Progress", "kind"]

_SEEN_THROUGH = ("row", "slice", "broadcast", "item", "entry")  # which cost nothing


class Explained:
    """What happens in a call of a jitted function, in words; made by `Jitted.explain`.

    Attributes:
        reason: why the function runs as it is; empty where it is replayed.
        kernels: (shape and type, operations, bytes) of each kernel.
        calls: (function, bytes) of what NumPy runs between kernels.
        guards: (numbers, the line that asked for them).
        bytes: that are read and written in all.
        variants: how many traces there are for such arguments.

    Example:
        >>> why = dn.jit(lambda x: x if x[0] > 0 else -x).explain(np.array([0.3, -1.2]))
        >>> why.reason, [value for value, _ in why.guards]
        ('', [True])
    """

    def __init__(
        self, name: str, leaves: Sequence[Any], variant: Variant | None = None, variants: int = 0, reason: str = ""
    ) -> None:
        self.reason = reason
        self.variants = variants
        self.kernels: list[tuple[str, int, int]] = []
        self.calls: list[tuple[str, int]] = []
        self.guards: list[tuple[Any, str]] = []
        self.bytes = self.passes = 0
        self._head = f"{name}({', '.join(map(_of_argument, leaves))})"
        self._lines: list[str] = []
        if variant is not None:
            for step in variant.replay.steps:
                self._step(step)
            self.guards = [(_value(g), g.place) for whole in variant.guards for g in whole.parts]

    def _step(self, step: Kernel | Node) -> None:
        if isinstance(step, Kernel):
            sources = {_whole(s.node).number: _whole(s.node) for s in step.sources if s.layout not in "so"}
            read = sum(map(_bytes, sources.values()))
            written = sum(_bytes(o.node) for o in step.outputs)
            count = sum(1 for n in step.program.nodes if n.op not in ("input", "constant", "reduce"))
            what = kind(step.shape, step.dtype)
            self.kernels.append((what, count, read + written))
            arrays = len(sources)
            summed = sum(o.reduced is not None for o in step.outputs)
            passes = arrays + len(step.outputs) - summed
            text = f"{_many(count, 'operation')}, {_many(arrays, 'array')} read, {len(step.outputs) - summed} written"
            text += f", {summed} summed" if summed else ""
            self._line("kernel", what, text, read + written, passes)
        elif step.op not in _SEEN_THROUGH:
            reads, total = [a for a in step.args if a.op != "constant" or a.shape], _bytes(step)
            total += sum(map(_bytes, reads))
            name = _name(step)
            self.calls.append((name, total))
            of = ", ".join(kind(a.shape, a.dtype) for a in step.args)
            passes = sum(1 for a in (step, *reads) if a.shape)  # a number is none
            self._line("NumPy", name, f"of {of} ({_why(step)})", total, passes)

    def _line(self, kind: str, what: str, text: str, total: int, passes: int) -> None:
        self.bytes += total
        self.passes += passes
        self._lines.append(f"  {kind:<8} {what:<16} {text}: {_size(total)}")

    def __repr__(self) -> str:
        if self.reason:
            return f"{self._head}: runs as it is\n  {self.reason}"
        counts = f"{_many(len(self.kernels), 'kernel')}, {_many(len(self.calls), 'call')} of NumPy"
        lines = [f"{self._head}: {counts}, {_many(len(self.guards), 'guard')}", *self._lines]
        lines += [f"  guard    {value!s:<16} {place}" for value, place in self.guards]
        if self.variants > 1:
            lines.append(f"  one of {self.variants} traces for such arguments, the one that was used last")
        return "\n".join([*lines, f"{_many(self.passes, 'pass', 'passes')} over memory, {_size(self.bytes)}"])


def _name(node: Node) -> str:
    """What NumPy runs for a node."""
    if node.op == "call":
        function = node.extra.function if isinstance(node.extra, Applied) else node.extra
        of = getattr(function, "__self__", None)
        name = getattr(function, "__name__", type(function).__name__)
        if function is rewritten:
            write = node.extra.args[2]
            return "x[…] = y" if write is setitem else getattr(write, "__name__", "out=")
        return f"{of.__name__}.{name}" if isinstance(of, np.ufunc) else name
    return getattr(node.op, "__name__", str(node.op))


def _why(node: Node) -> str:
    """Why it is part of no kernel."""
    function = node.extra.function if isinstance(node.extra, Applied) else None
    if node.elementwise:
        return f"no kernel computes in {np.result_type(*(a.dtype for a in node.args))}"
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return "needs all of its argument at once"
    if function is rewritten:
        return "writes into a part of an array"
    return "puts arrays together" if node.op in ("concatenate", "stack", "placed") else "is not elementwise"


def _whole(node: Node) -> Node:
    """The array that a part lies in: of parts that overlap the memory is read once."""
    while node.op in ("slice", "row", "broadcast"):
        node = node.args[0]
    return node


def _bytes(node: Node) -> int:
    return 0 if node.shape is None else prod(node.shape) * node.dtype.itemsize


def kind(shape: Any, dtype: Any) -> str:
    """float64[3,4]"""
    return f"{dtype}[{','.join(map(str, shape or ()))}]" if shape else str(dtype)


def _of_argument(x: Value) -> str:
    if isinstance(x, Jet):
        return f"jet of order {x.order}, {kind(x.shape, x.dtype)}"
    return kind(x.shape, x.dtype) if is_array(x) else type(x).__name__ if type(x) is float else repr(getattr(x, "x", x))


def _value(guard: Any) -> Any:
    value = guard.value
    return np.asarray(value).item() if np.size(value) == 1 else kind(np.shape(value), guard.node.dtype)


def _many(count: int, what: str, several: str = "") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {several or what + 's'}"


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


class Progress:
    """Says that a function is being compiled, once that takes two seconds: to `tell`, or on stderr.

    The latter only where DUALNUM_PROGRESS is set.
    """

    AFTER = 2.0

    def __init__(self, f: Callable[..., Any], tell: Callable[[str], Any] | None = None) -> None:
        self._tell = tell
        self._name = getattr(f, "__qualname__", type(f).__name__)
        self._timer = Timer(self.AFTER, self._say, ["is being traced and compiled …"])
        self._timer.daemon = True

    def _say(self, what: str) -> None:
        if self._tell is not None:
            self._tell(f"{self._name} {what}")
        else:
            print(f"dualnum: {self._name} {what}", file=sys.stderr, flush=True)

    def __enter__(self) -> None:
        self._start = perf_counter()
        self._wanted = self._tell is not None or os.environ.get("DUALNUM_PROGRESS", "0") not in ("", "0")
        if self._wanted:
            self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        seconds = perf_counter() - self._start
        if self._wanted and seconds > self.AFTER:
            self._say(
                f"took {seconds:.1f} s to compile" if error[0] is None else f"cannot be compiled ({seconds:.1f} s)"
            )


class Lowered:
    """What a jitted function became, to look at; made by `Jitted.lower`.

    `python` calls `programs`, whose texts are `llvm`, `assembly` and `cuda`.

    Example:
        >>> lowered = dn.jit(lambda x: x * np.tanh(x)).lower(np.array([0.5, 2.0]))
        >>> [node.op for node in lowered.programs[0].nodes]
        ['input', <ufunc 'tanh'>, <ufunc 'multiply'>]
    """

    def __init__(self, replay: Replay) -> None:
        self._kernels = [s for s in replay.steps if isinstance(s, Kernel)]
        self._text = replay.text

    @property
    def python(self) -> str:
        """The function of Python that calls the kernels, and NumPy between them."""
        return self._text

    @property
    def programs(self) -> list[Program]:
        """The straight-line programs, one for each kernel."""
        return [k.program for k in self._kernels]

    @property
    def llvm(self) -> str:
        """The LLVM text of the kernels."""
        machine = engine.named("llvm")
        return "\n".join(_rendered(k, machine) for k in self._kernels)

    @property
    def assembly(self) -> str:
        """The machine's assembly of the kernels."""
        machine = engine.named("llvm")
        return "\n".join(machine.assembly(_rendered(k, machine)) for k in self._kernels)

    @property
    def cuda(self) -> str:
        """The CUDA C of the kernels, each as it is for arrays in one piece."""
        return "\n".join(_rendered(k, engine.device) for k in self._kernels)


def _rendered(kernel: Kernel, machine: Target) -> str:
    """The machine's text of a kernel, of a type that it computes in."""
    if not machine.computes(kernel.dtype):
        return f"; {kernel.dtype}: interpreted\n"
    if not machine.loops and any(node.op == LOOP for node in kernel.program.nodes):
        return f"; {machine.name}: no loops\n"
    if not machine.reduces and any(node.op == REDUCE for node in kernel.program.nodes):
        return f"; {machine.name}: reduced by other means\n"
    if "o" not in machine.layouts and any(group.layout == "o" for group in kernel.groups):
        return f"; {machine.name}: computed apart from the array that it is put into\n"
    return rendered(kernel.program, kernel.groups, kernel.plan.counts, machine, not kernel.shape)
