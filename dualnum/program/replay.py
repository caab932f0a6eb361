"""A compiled trace, written as a function of Python: its kernels and NumPy's calls in order, and nothing beside them.

The text is made once, with everything in it that is known then: which arrays are read where they lie, what is to be
allocated, how long the arrays are, and when a long one is needed no more. It holds no arrays but constants, and so
may run in several threads at once.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .. import collector, memory
from ..backend import contiguous, is_array, namespace, writable
from ..counterparts import on_device
from ..kernel.target import Target
from ..kinds import DType, Value
from .cut import Cut
from .fused import Kernel, Source, ringed, spread
from .nodes import HOLE, Applied, Node, Trace
from .pared import Pared
from .places import pieced, turned
from .reuse import FRESH, overwritten
from .writes import rewritten, rewritten_in_place

__all__ = ["ALARM", "GUARD", "Replay"]

# what a replay gives back where the function itself must run: a recurrence met a point that only the eager mends
# get right
ALARM = "alarm"
# and where it is another trace's turn: a guard has other numbers, or a result another shape or type, than when it was
# traced
GUARD = "guard"


def _differs(y: Value, shape: tuple[int, ...], dtype: DType) -> bool:
    """Whether an array has another shape or type than it had when it was traced."""
    return bool(np.shape(y) != shape or getattr(y, "dtype", dtype) != dtype)


def _apart(outputs: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
    """The outputs in memory of their own, apart from the inputs' and from one another's, that can be written to."""
    others, results = [x for x in inputs if is_array(x)], []
    for y in outputs:
        if is_array(y) and not isinstance(y, np.generic):
            if (0 in y.strides and y.size > 1) or not writable(y) or any(np.may_share_memory(y, x) for x in others):
                y = y.copy()
            others.append(y)
        results.append(y)
    return results


def _copied(x: Value) -> Any:
    return namespace(x).array(x)


def _overlapping(args: Sequence[Any], written: Sequence[int]) -> bool:
    """Whether arrays that are written into share memory with other arguments."""
    arrays = [(i, x) for i, x in enumerate(args) if is_array(x)]
    return any(i != k and np.may_share_memory(args[k], x) for k in written for i, x in arrays)


def _may_be_shared(node: Node) -> bool:
    """Whether what comes out may be an input, or a view of something."""
    return node.op in ("input", "held", "item", "row", "slice", "broadcast") or (
        node.op == "call" and not (isinstance(node.extra, Applied) and node.extra.function in FRESH)
    )


_HELPERS = {
    "ALARM": ALARM, "GUARD": GUARD, "apart": _apart, "array": _copied, "broadcast_to": np.broadcast_to,
    "concatenate": np.concatenate, "contiguous": contiguous, "differs": _differs, "empty": np.empty,
    "errstate": np.errstate, "leased": memory.leased, "overlapping": _overlapping, "packed": np.array,
    "placed": pieced, "ringed": ringed, "spread": spread, "turned": turned, "where": np.where,
}  # fmt: skip
# bytes from which on an array that is needed no more is given up before the end, and its memory kept: more than one
# such array makes the system take memory back and hand it out again at each call
_LONG = 1 << 17
# functions whose results have the shape and type that they had when they were traced, whatever the numbers
_STEADY = {
    np.add.reduce, np.dot, np.outer, np.ndarray.reshape, np.ndarray.ravel, np.ndarray.transpose, np.ndarray.swapaxes,
    np.ndarray.squeeze, rewritten,
}  # fmt: skip
# no warnings come from these
_QUIET = ("item", "row", "slice", "concatenate", "broadcast", "stack", "rolled", "entry", "pack")


class Replay:
    """A trace, compiled.

    Attributes:
        pared: what it runs.
        steps: kernels, and nodes that NumPy executes.
        text: the function of Python that runs them.
        run: (inputs, arrays and Python floats) → the outputs, or ALARM where the function itself must run.
    """

    @staticmethod
    def of(traced: Trace, samples: Sequence[Any], machine: Target) -> "Replay":
        with collector.seldom():
            return Replay(Pared.of(traced, Cut(traced, samples, machine)))

    def __init__(self, pared: Pared) -> None:
        writer = _Writer(pared)
        self.pared, self.steps = pared, pared.steps
        self.text = writer.text
        exec(compile(self.text, "<jit>", "exec"), writer.names)
        self.run = writer.names["replay"]


class _Writer:
    """The text of a replay, and the names in it."""

    def __init__(self, pared: Pared) -> None:
        self.names: dict[str, Any] = dict(_HELPERS)
        self.machine, self.apart = pared.machine, pared.apart
        self.computed = pared.computed
        self.kept = {n.number for n in (*pared.wanted, *pared.alarms)}
        self.guards = {g.node.number: g for g in pared.guards}
        self.lines: list[str] = []
        self._known: dict[int, str] = {}
        self._bound: dict[int, tuple[str, Any]] = {}
        self._own: dict[int, str] = {}  # constants, on the machine
        inputs = [self.name(n) for n in pared.inputs]
        last = _last_uses(pared.steps, self.kept)
        self.overwritten = overwritten(pared.steps, self.kept)
        if pared.written and len(inputs) > 1:  # of arrays that share memory both change
            self.lines.append(f"if overlapping(args, {sorted(pared.written)}): return ALARM")
        for node in pared.inputs:
            self._guard(node)
        for i, step in enumerate(pared.steps):
            if isinstance(step, Kernel):
                self._kernel(step)
            else:
                self._call(step)
            if i in last:
                self.lines.append(f"del {', '.join(map(self.name, last[i]))}")
        watching = [s for s in pared.steps if isinstance(s, Kernel) and self._starts(s) and s.watches]
        if watching:
            self.lines.insert(0, f"raised = {self.bound(self.machine.alarm)}()")
            self.lines.append("if raised: return ALARM")
        self.lines += [f"if {self.bound(np.any)}({self.value(n)}): return ALARM" for n in pared.alarms]
        outputs = f"[{', '.join(map(self._output, pared.outputs))}]"
        shared = any(_may_be_shared(n) for n in pared.outputs if n.number not in pared.reduced)
        if shared or len({n.number for n in pared.outputs}) < len(pared.outputs):
            outputs = f"apart({outputs}, args)"
        if pared.written:  # once nothing can fail any more
            values = ", ".join(f"array({self.value(n)})" for n in pared.written.values())
            self.lines += [f"outputs = {outputs}", f"written = [{values}]"]
            self.lines += [f"args[{i}][...] = written[{k}]" for k, i in enumerate(pared.written)]
            outputs = "outputs"
        self.lines.append(f"return {outputs}")
        head = "def replay(args):\n"
        if inputs:
            head += f"    {', '.join(inputs)}, = args\n"
        space = "    "
        if any(not isinstance(step, Kernel) and step.op not in _QUIET for step in pared.steps):
            head += '    with errstate(all="ignore"):\n'
            space += "    "
        self.text = head + "".join(f"{space}{line}\n" for line in self.lines)

    def _guard(self, node: Node) -> None:
        """The check of a node's numbers, as soon as they are there."""
        guard = self.guards.get(node.number)
        if guard is not None and node.shape == () and node.dtype == bool:
            self.lines.append(f"if {'not ' if guard.value else ''}{self.name(node)}: return GUARD")
        elif guard is not None:
            self.lines.append(f"if {self.bound(guard.fails)}({self.name(node)}): return GUARD")

    # ── names ────────────────────────────────────────────────────────────────────────────────────

    def name(self, node: Node) -> str:
        """The name of the array of a node."""
        if node.op == "constant" or node.op == "held":
            if self.machine.looks:
                return self.bound(node.extra)
            if node.number not in self._own:
                self._own[node.number] = self.bound(self.machine.own(node.extra))
            return self._own[node.number]
        return self._known.setdefault(node.number, f"x{len(self._known)}")

    def bound(self, thing: Any) -> str:
        """The name of a thing from outside."""
        known = self._bound.get(id(thing))
        if known is None:
            known = self._bound[id(thing)] = f"c{len(self._bound)}", thing  # held, so that its id stays its own
            self.names[known[0]] = thing
        return known[0]

    def value(self, node: Node) -> str:
        """What NumPy would have computed: a scalar where a kernel writes an array without axes."""
        single = node.shape == () and node.number in self.computed
        return f"{self.name(node)}[()]" if single else self.name(node)

    # ── steps ────────────────────────────────────────────────────────────────────────────────────

    def _kernel(self, kernel: Kernel) -> None:
        names = [self.name(o.node) for o in kernel.outputs]
        if self._starts(kernel) and kernel.at_once:
            self._at_once(kernel, names)
        elif self._starts(kernel):
            given = ", ".join(self.name(s.node) for s in kernel.sources)
            raised = "raised" if kernel.watches else "None"
            self.lines += [
                f"results = {self.bound(kernel.start)}({raised}, {given})",
                "if results is None: return ALARM",
            ]
            self.lines += [f"{', '.join(names)}, = results", "del results"]
        elif not kernel.direct:
            given = ", ".join(self.name(s.node) for s in kernel.sources)
            self.lines += [f"results = {self.bound(kernel.run)}({given})", "if results is None: return ALARM"]
            self.lines += [f"{', '.join(names)}, = results", "del results"]
        else:
            self._direct(kernel, names)
        for output, name in zip(kernel.outputs, names, strict=True):
            if output.reduced is not None:
                if kernel.direct and not self._starts(kernel):
                    self.lines.append(f"{name} = {self.bound(output.reduced.finish)}({name})")
            elif output.node.dtype == bool:
                self.lines.append(f"{name} = {name}.astype({self.bound(np.dtype(bool))})")
            self._guard(output.node)

    def _at_once(self, kernel: Kernel, names: list[str]) -> None:
        """The launch on a machine that is not looked at, of what it reads where it lies."""
        target, dtype = kernel.plan.target, self.bound(kernel.dtype)
        for output, name in zip(kernel.outputs, names, strict=True):
            shape = (output.size, *kernel.shape) if output.size else kernel.shape
            self.lines.append(f"{name} = {self.bound(target.empty)}({shape}, {dtype})")
        given = [*names, *(self._number(s) if s.layout == "s" else self.name(s.node) for s in kernel.sources)]
        call = self.bound(kernel.plan.call.direct)  # type: ignore[union-attr]
        self.lines.append(f"{call}([{', '.join(given)}], {names[0]}, {prod(kernel.shape)})")

    def _starts(self, kernel: Kernel) -> bool:
        """Whether its machine is not looked at."""
        return not kernel.plan.target.looks

    def _direct(self, kernel: Kernel, names: list[str]) -> None:
        """The call of the machine code itself."""
        target, owners, dtype = kernel.plan.target, list(names), self.bound(kernel.dtype)
        for output, name in zip(kernel.outputs, names, strict=True):
            shape = output.shape(kernel.shape)
            fresh = "leased" if self._pays(output.node, shape) else "empty"
            self.lines.append(f"{name} = {fresh}({shape}, {dtype})")
            if output.planes < output.size:
                self.lines.append(f"{name}[{output.planes}:] = 0.0")
        given = [
            target.argument(name, "c" if o.reduced is None else "+")
            for o, name in zip(kernel.outputs, names, strict=True)
        ]
        for i, source in enumerate(kernel.sources):
            name = self.name(source.node)
            if source.layout == "s":
                given.append(self._number(source))
                continue
            if source.layout == "r" and not source.ready:
                self.lines.append(f"y{i} = ringed({name})")
                name = f"y{i}"
            elif not source.ready:
                shape = source.node.shape if source.layout in "wW" or source.planes else kernel.shape
                plain = source.node.shape == shape != () and source.node.dtype == kernel.dtype
                self.lines.append(f"y{i} = contiguous({name})" if plain else f"y{i} = spread({name}, {shape}, {dtype})")
                name = f"y{i}"
            owners.append(name)
            given.append(target.argument(name, source.layout, source.window))
        self.names.update(target.names)
        run = target.called(
            self.bound(kernel.plan.call), given, owners, prod(kernel.shape), kernel.plan.work, kernel.plan.unit
        )
        self.lines.append(run if kernel.program.alarm is None else f"if {run}: return ALARM")

    def _pays(self, node: Node, shape: Sequence[int] | None = None) -> bool:
        """Whether an array of this shape, its own when left out, is written into memory that was given back."""
        size = prod(node.shape if shape is None else shape) * node.dtype.itemsize
        return self.machine.looks and size >= (memory.LARGE if node.number in self.kept else _LONG)

    def _number(self, source: Source) -> str:
        """An array of one entry as a number of Python."""
        node = source.node
        if node.weak:
            return self.name(node)
        array = node.shape != () or node.number in self.computed or node.op == "input"
        return f"{self.name(node)}.item()" if array else f"float({self.name(node)})"

    def _call(self, node: Node) -> None:
        target, given = self.name(node), [self.value(a) for a in node.args]
        self.lines.append(f"{target} = {self._expression(node, given)}")
        if _is_uncertain(node):
            self.lines.append(
                f"if {self.bound(_differs)}({target}, {node.shape}, {self.bound(node.dtype)}): return GUARD"
            )
        self._guard(node)

    def _expression(self, node: Node, given: list[str]) -> str:
        """What runs for a node outside the kernels."""
        k, several = node.extra, ", ".join(given)
        if node.op == "call":
            if not isinstance(k, Applied):
                return f"{self.bound(k)}({several})"
            arrays = iter(given)
            args = [next(arrays) if x is HOLE else self.bound(x) for x in k.args]
            args += [f"{name}={self.bound(x)}" for name, x in k.kwargs.items()]
            function = rewritten_in_place if node.number in self.overwritten else k.function
            if k.function is np.matmul and self._pays(node) and _is_of_matrices(node):
                function, args = memory.matmul, [*args, f"leased({node.shape}, {self.bound(node.dtype)})"]
            return f"{self.bound(function)}({', '.join(args)})"
        if node.op in ("item", "row", "slice"):
            return f"{given[0]}[{self.bound(k)}]"
        if node.op == "entry":
            return f"{given[0]}.reshape(-1)[{k}]"
        if node.op == "pack":
            return f"packed([{several}], {self.bound(node.dtype)}).reshape({node.shape})"
        if node.op == "concatenate":  # in the order of its pieces, were it not for kernels that read it in one piece
            return f"contiguous(concatenate(({several},)))"
        if node.op == "broadcast":
            return f"broadcast_to({several}, {node.shape})"
        if node.op == "rolled":
            return f"turned({several}, {k[0]}, {k[1]})"
        if node.op in ("stack", "placed"):
            indices = self.bound([*(range(len(given)) if node.op == "stack" else k.values())])
            return f"placed(({several},), {indices}, {node.shape}, {self.bound(node.dtype)})"
        if node.op == "select":
            return f"where({several})"
        return f"{self.bound(node.op if self.machine.looks else on_device(node.op))}({several})"

    def _output(self, node: Node) -> str:
        if node.op == "constant" and not node.weak:
            return f"{self.name(node)}{'.copy()' if node.shape else '[()]'}"
        if node.weak and node.op != "constant" and node.op != "input":
            return f"{'complex' if node.dtype.kind == 'c' else 'float'}({self.name(node)})"
        single = node.shape == () and (node.elementwise or node.op == "broadcast")
        return f"{self.name(node)}[()]" if single else self.name(node)


def _is_of_matrices(node: Node) -> bool:
    """Whether a product is one of two matrices of its type."""
    factors = iter(node.args)
    both = [next(factors) if x is HOLE else x for x in node.extra.args]
    alike = all(len(x.shape) == 2 and x.dtype == node.dtype for x in both if hasattr(x, "dtype"))
    return node.dtype.kind in "fc" and len(both) == 2 and not node.extra.kwargs and alike


def _is_uncertain(node: Node) -> bool:
    """Whether numbers may decide what comes out."""
    if node.op not in ("call", "item") or node.dtype == object:
        return False
    function = node.extra.function if isinstance(node.extra, Applied) else None
    return not (isinstance(function, np.ufunc) or function in _STEADY)


def _last_uses(steps: Sequence[Kernel | Node], kept: set[int]) -> dict[int, list[Node]]:
    """Long arrays by the step after which nothing reads them."""
    last: dict[int, tuple[int, Node]] = {}
    for i, step in enumerate(steps):
        reads = [s.node for s in step.sources] if isinstance(step, Kernel) else step.args
        last.update((n.number, (i, n)) for n in reads)
    found: dict[int, list[Node]] = {}
    for i, node in last.values():
        if node.op != "constant" and node.number not in kept and prod(node.shape or ()) * node.dtype.itemsize >= _LONG:
            found.setdefault(i, []).append(node)
    return found
