"""A trace, compiled: its elementwise runs cut into kernels, and these and NumPy's calls replayed in order.

Nodes of one shape and type that need nothing but each other become one kernel, whatever their number. A kernel
reads what lies in one piece where it is; numbers are spread in its registers, and what must be broadcast, cast or
gathered comes to it block by block, so that no temporary grows with the arrays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from .kernel import engine, launch, llvm, memory, threads
from .kernel.ir import SELECT, Graph, Program, Symbol
from .trace import Node, Trace, is_uniform

__all__ = ["ALARM", "Kernel", "Replay"]

# what a replay gives back where the function itself must run: a recurrence met a point that only the eager mends
# get right, or a result has another shape or type than it had when it was traced
ALARM = object()

_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.longdouble))
_BLOCK = 32768  # elements that are broadcast, cast or gathered at a time
_UNKNOWN = object()


@dataclass(slots=True)
class Kernel:
    """A fused run of elementwise nodes of one shape and type.

    Attributes:
        sources: slot, layout and number of planes of each input (see `kernel.llvm`; "p" for what may have to come
            block by block).
        targets: slot of each output, how many planes are computed, and how many it has (0: it is no stack).
        booleans: slots to turn into booleans.
    """

    plan: launch.Plan
    shape: tuple[int, ...]
    dtype: Any
    sources: list[tuple[int, str, int]]
    targets: list[tuple[int, int, int]]
    booleans: list[int]
    program: Program
    groups: list[llvm.Group]

    def run(self, slots: list[Any]) -> bool:
        """Computes the targets from the sources in the slots; true where its alarm was raised."""
        arguments: list[Any] = []
        spread = False
        for i, layout, count in self.sources:
            x = slots[i]
            if layout == "s":
                arguments.append(float(x))
                continue
            if type(x) is not np.ndarray:
                x = np.asarray(x)
            if layout == "c" or layout == "p":
                x = x if count else x[None]
                if x.dtype != self.dtype or x.shape[1:] != self.shape or not x.flags.c_contiguous:
                    if layout == "p" and self.plan.call is not None and self.plan.early is None:
                        spread = True
                    else:
                        x = np.ascontiguousarray(np.broadcast_to(x, (len(x), *self.shape)), self.dtype)
            else:
                x = x[None] if x.dtype == self.dtype else x[None].astype(self.dtype)
            arguments.append((launch.Planes(x, count or 1), layout))
        results = [memory.empty((size or 1, *self.shape), self.dtype) for _, _, size in self.targets]
        run = self._run_in_blocks if spread else launch.run
        alarm = run(self.plan, results, arguments, prod(self.shape))
        for (i, count, size), planes in zip(self.targets, results, strict=True):
            planes[count:] = 0
            slots[i] = planes if size else planes[0]
        for i in self.booleans:
            slots[i] = slots[i].astype(bool)
        return bool(alarm)

    def _run_in_blocks(self, plan: launch.Plan, results: Sequence[Any], arguments: Sequence[Any], length: int) -> bool:
        """The kernel over pieces of the elements, each after its part of the awkward inputs was laid out."""
        given = [_address(y) for y in results]
        views: list[tuple[int, Any, Any]] = []  # place among the arguments, the spread array, its buffer
        for x in arguments:
            if type(x) is not tuple:
                given.append(x)
                continue
            array, layout = x[0].array, x[1]
            if layout == "p" and (array.dtype != self.dtype or array.shape[1:] != self.shape or not _flat(array)):
                buffer = np.empty(min(length, _BLOCK), self.dtype)
                views.append((len(given), np.broadcast_to(array[0], self.shape), buffer))
            given.append(_address(array) if layout == "c" else array.__array_interface__["data"][0])
            given += [array.strides[0]] if layout in "pbg" else []
            given += [array.strides[1]] if layout == "g" else []
        assert plan.call is not None
        alarm = 0
        for begin, end, index in _blocks(self.shape):
            for place, view, buffer in views:
                part = view[index]
                np.copyto(buffer[: end - begin].reshape(part.shape), part, casting="unsafe")
                given[place] = buffer.__array_interface__["data"][0] - begin * self.dtype.itemsize
            alarm |= plan.call(*given, length, begin, end)
        return bool(alarm)


def _flat(array: Any) -> bool:
    return bool(array.flags.c_contiguous)


def _address(array: Any) -> int:
    """What a kernel takes for a contiguous array."""
    return id(array) if llvm.data_offset() >= 0 else array.ctypes.data


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, Any]]:
    """Consecutive elements of an array of this shape, at most _BLOCK at a time: begin, end, and their index."""
    axis, inner = 0, prod(shape)
    while axis < len(shape) and inner > _BLOCK:  # the first axis whose entries fit into a block
        inner //= shape[axis]
        axis += 1
    axis = max(axis - 1, 0)
    inner = prod(shape[axis + 1 :])
    step = max(1, _BLOCK // inner)
    begin = 0
    for outer in np.ndindex(shape[:axis]):
        for i in range(0, shape[axis], step):
            count = min(step, shape[axis] - i)
            yield begin, begin + count * inner, (*outer, slice(i, i + count))
            begin += count * inner


class Replay:
    """A trace, compiled: kernels and calls of NumPy in order, over slots that hold the arrays."""

    def __init__(self, traced: Trace, samples: Sequence[Any]) -> None:
        builder = _Builder(traced, samples, engine.current() == "llvm")
        self.steps = builder.steps
        self._slots = builder.count
        self._inputs = [builder.slot[n.number] for n in traced.inputs]
        self._outputs = [builder.slot[n.number] for n in traced.outputs]
        self._constants = builder.constants
        self._alarms = builder.alarms
        self._finish = [(i, finish) for i, n in enumerate(traced.outputs) if (finish := _finishing(n)) is not None]
        self._direct = self._as_one_call(traced)

    def _as_one_call(self, traced: Trace) -> Callable[[Sequence[Any]], Any] | None:
        """The whole replay as one call of one kernel, where inputs and outputs are its own."""
        if len(self.steps) != 1 or type(self.steps[0]) is not Kernel or self._alarms:
            return None
        step = self.steps[0]
        plan, targets = step.plan, step.targets
        length = prod(step.shape)
        places = [self._inputs.index(i) if i in self._inputs else -1 for i, _, _ in step.sources]
        if (
            plan.call is None
            or plan.early is not None
            or step.booleans
            or llvm.data_offset() < 0
            or length == 0
            or length * plan.work >= threads.WORTH
            or -1 in places
            or any(layout not in "cs" for _, layout, _ in step.sources)
            or [i for i, _, _ in targets] != self._outputs
            or any(size not in (0, count) for _, count, size in targets)
        ):
            return None
        call, dtype, empty = plan.call, step.dtype, np.empty
        shapes = [(size, *step.shape) if size else step.shape for _, _, size in targets]
        numbers = any(layout == "s" for _, layout, _ in step.sources)
        scalars = [not shape for shape in shapes]
        if len(shapes) == len(places) == 1 and not numbers and not scalars[0]:
            # by far the most common: one array in, one out
            shape, place = shapes[0], places[0]

            def one(args: Sequence[Any]) -> Any:
                result = empty(shape, dtype)
                return ALARM if call(id(result), id(args[place]), length, 0, length) else (result,)

            return one

        weak = [layout == "s" for _, layout, _ in step.sources]

        def several(args: Sequence[Any]) -> Any:
            results = [empty(shape, dtype) for shape in shapes]
            if numbers:
                given = [args[i] if w else id(args[i]) for i, w in zip(places, weak, strict=True)]
            else:
                given = [id(args[i]) for i in places]
            if call(*map(id, results), *given, length, 0, length):
                return ALARM
            return [y[()] if s else y for y, s in zip(results, scalars, strict=True)] if any(scalars) else results

        return several

    def __call__(self, args: Sequence[Any]) -> Any:
        """The outputs for these inputs, arrays and Python floats; ALARM where the function itself must run."""
        if self._direct is not None:
            return self._direct(args)
        slots: list[Any] = [None] * self._slots
        for i, x in self._constants:
            slots[i] = x
        for i, x in zip(self._inputs, args, strict=True):
            slots[i] = x
        for step in self.steps:
            if type(step) is Kernel:
                if step.run(slots):
                    return ALARM
                continue
            target, function, sources, shape, dtype = step
            y = slots[target] = function(*[slots[i] for i in sources])
            if shape is not None and (np.shape(y) != shape or getattr(y, "dtype", dtype) != dtype):
                return ALARM
        if any(np.any(slots[i]) for i in self._alarms):
            return ALARM
        outputs = [slots[i] for i in self._outputs]
        for i, finish in self._finish:
            outputs[i] = finish(outputs[i])
        return outputs


def _finishing(node: Node) -> Callable[[Any], Any] | None:
    """What is still to do with an output."""
    if node.op == "constant" and not node.weak:
        return np.copy if node.shape else None
    if node.weak and node.op != "constant" and node.op != "input":
        return float
    if node.elementwise and node.shape == ():
        return lambda y: y[()] if type(y) is np.ndarray else y  # a scalar, as NumPy gives
    return None


class _Builder:
    """Cuts a trace into steps."""

    def __init__(self, traced: Trace, samples: Sequence[Any], compiled: bool) -> None:
        self.compiled = compiled
        self.steps: list[Any] = []
        self.slot: dict[int, int] = {}
        self.constants: list[tuple[int, Any]] = []
        self.alarms: list[int] = []  # slots of alarms that no kernel watches
        self.count = 0
        self.nodes = list(traced.nodes())
        self.made: set[int] = set()  # numbers of the nodes that kernels or calls have put into their slots
        self.layouts = {n.number: _layout_of(x) for n, x in zip(traced.inputs, samples, strict=True)}
        self._assign(traced)

    def _assign(self, traced: Trace) -> None:
        for node in (*traced.inputs, *self.nodes):
            self.slot.setdefault(node.number, len(self.slot))
        self.count = len(self.slot)
        stages: dict[int, int] = {}
        groups: dict[Any, list[Node]] = {}
        kinds: dict[int, Any] = {}
        for node in self.nodes:
            kind = kinds[node.number] = _kind(node, kinds)
            stage = 0
            for arg in node.args:
                same = kind is not None and kinds.get(arg.number) == kind
                stage = max(stage, stages[arg.number] + (0 if same else 1))
            stages[node.number] = stage
            groups.setdefault((stage, kind if kind is not None else node.number), []).append(node)
        users: dict[int, set[Any]] = {}
        where = {n.number: key for key, members in groups.items() for n in members}
        for node in self.nodes:
            for arg in node.args:
                users.setdefault(arg.number, set()).add(where[node.number])
        # a stack whose planes one kernel computes is written by it
        stacks: dict[Any, list[Node]] = {}
        for node in self.nodes:
            made = {where[a.number] for a in node.args if a.elementwise}
            if node.op == "stack" and len(made) == 1 and node.args[-1].elementwise:
                (key,) = made
                others = [_source(a) for a in node.args if where[a.number] != key]
                if kinds[node.args[-1].number] is not None and all(stages[a.number] < key[0] for a in others):
                    stacks.setdefault(key, []).append(node)
        written = {n.number: key for key, members in stacks.items() for n in members}
        wanted = {n.number for n in traced.outputs}
        alarms = {n.number for n in traced.alarms}
        for key in sorted(groups, key=lambda k: (k[0], groups[k][0].number)):
            members = groups[key]
            first = members[0]
            if first.number in written:
                continue
            if kinds[first.number] is None:
                readers = {written.get(groups[k][0].number, k) for k in users.get(first.number, ())}
                if first.number in wanted or not readers or not all(self._is_plane(first, k[1]) for k in readers):
                    self._single_step(first)
                if first.number in alarms:
                    self.alarms.append(self.slot[first.number])
            else:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                given = [n for n in members if n.number in wanted or users.get(n.number, set()) - here]
                self._kernel(members, given, stacks.get(key, []), alarms, kinds[first.number])

    def _is_plane(self, node: Node, kind: Any) -> bool:
        """Whether a node is a plane of an input that kernels of this kind read where it lies."""
        if node.op != "row" or node.args[0].op != "input":
            return False
        return kind == (node.shape, node.dtype) and self.layouts[node.args[0].number] == "c"

    def _single_step(self, node: Node) -> None:
        if node.op == "input":
            return
        if node.op == "constant":
            self.constants.append((self.slot[node.number], node.extra))
            return
        sources = [self.slot[a.number] for a in node.args]
        checked = (node.shape, node.dtype) if node.op in ("call", "item") and node.dtype != object else (None, None)
        self.steps.append((self.slot[node.number], _executed(node), sources, *checked))

    def _kernel(self, members: list[Node], given: list[Node], stacks: list[Node], alarms: set[int], kind: Any) -> None:
        shape, dtype = kind
        graph = Graph(dtype)
        symbols: dict[int, Symbol] = {}
        sources: list[tuple[int, str, int]] = []
        planes: dict[int, list[Symbol]] = {}  # of inputs whose planes are read one by one
        inside = {n.number for n in members}
        outside = [a for n in (*members, *stacks) for a in n.args if a.number not in inside]

        def symbol(node: Node) -> Symbol:
            known = symbols.get(node.number)
            if known is None:
                known = symbols[node.number] = made(node)
            return known

        def made(node: Node) -> Symbol:
            if self._is_plane(node, kind):
                parent = node.args[0]
                if parent.number not in planes:
                    count = 1 + max(a.extra for a in outside if a.op == "row" and a.args[0] is parent)
                    sources.append((self.slot[parent.number], "c", count))
                    planes[parent.number] = [graph.input() for _ in range(count)]
                return planes[parent.number][node.extra]
            while node.op == "broadcast":
                node = node.args[0]
            if node.op == "constant" and np.size(node.extra) and is_uniform(node.extra):
                one = graph.constant(np.asarray(node.extra).ravel()[0])
            elif node.number in symbols:
                return symbols[node.number]
            else:
                sources.append((self.slot[node.number], self._layout(node, shape, dtype), 0))
                one = symbols[node.number] = graph.input()
            if node.dtype == bool and not one.boolean:
                one = symbols[node.number] = graph.node(np.not_equal, one, graph.constant(0.0))
            return one

        for node in members:
            args = [symbols[a.number] if a.number in inside else symbol(a) for a in node.args]
            op = SELECT if node.op == "select" else node.op
            if op == SELECT and not args[0].boolean:
                args[0] = graph.node(np.not_equal, args[0], graph.constant(0.0), relaxed=False)
            symbols[node.number] = graph.node(op, *args, relaxed=node.relaxed)
        watched = [symbols[n.number] for n in members if n.number in alarms]
        alarm = reduce(lambda a, b: graph.node(np.logical_or, a, b), watched) if watched else None
        outputs = [symbols[n.number] for n in given]
        outputs += [symbols[n.number] if n.number in inside else symbol(n) for s in stacks for n in s.args]
        program = graph.finish(outputs, alarm)
        targets = [(self.slot[n.number], 1, 0) for n in given]
        targets += [(self.slot[s.number], len(s.args), s.shape[0]) for s in stacks]
        groups = [llvm.Group(layout, count or 1) for _, layout, count in sources]
        counts = tuple(count for _, count, _ in targets)
        plan = launch.prepare(program, groups, counts, self.compiled and dtype in launch.COMPILED)
        booleans = [self.slot[n.number] for n in given if n.dtype == bool]
        self.steps.append(Kernel(plan, shape, dtype, sources, targets, booleans, program, groups))

    def _layout(self, node: Node, shape: tuple[int, ...], dtype: Any) -> str:
        """How a kernel of this shape and type reads what a slot holds."""
        if node.weak:
            return "s"
        if node.shape == shape and node.dtype == dtype:
            if node.op == "input":
                return self.layouts[node.number]
            return "c" if node.elementwise or node.op == "constant" else "p"
        return "b" if prod(node.shape) == 1 else "p"


def _kind(node: Node, kinds: dict[int, Any]) -> Any:
    """(shape, type) of the kernel that a node can be part of, or None."""
    if not node.elementwise or any(a.dtype.kind not in "fbiu" for a in node.args):
        return None
    if node.dtype in _FLOATS:
        return (node.shape, node.dtype) if node.op == "select" or launch.uniform(node.op, node.dtype) else None
    if node.dtype == bool:  # a comparison goes where its operands are compared
        types = {a.dtype for a in node.args if a.dtype in _FLOATS and not a.weak}
        types = types or {a.dtype for a in node.args if a.dtype in _FLOATS}
        if len(types) == 1 and all(a.dtype in _FLOATS or a.dtype == bool or a.weak for a in node.args):
            return node.shape, types.pop()
        inner = {kinds[a.number] for a in node.args if kinds.get(a.number) is not None}
        if len(inner) == 1 and all(a.dtype == bool for a in node.args) and next(iter(inner))[0] == node.shape:
            return inner.pop()
    return None


def _source(node: Node) -> Node:
    """The node whose slot a kernel reads for this one."""
    while node.op == "broadcast" or (node.op == "row" and node.args[0].op == "input"):
        node = node.args[0]
    return node


def _executed(node: Node) -> Callable[..., Any]:
    """What runs for a node outside the kernels."""
    k = node.extra
    if node.op == "call":
        return k  # type: ignore[no-any-return]
    if node.op in ("item", "row"):
        return lambda x: x[k]
    if node.op == "concatenate":
        return lambda *xs: np.concatenate(xs)
    if node.op == "broadcast":
        return lambda x: np.broadcast_to(x, node.shape)
    if node.op == "stack":
        return lambda *xs: _stack(xs, node)
    return np.where if node.op == "select" else _quietly(node.op)


def _quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return quiet


def _stack(planes: Sequence[Any], node: Node) -> Any:
    stack = np.zeros(node.shape, node.dtype)
    for k, plane in enumerate(planes):
        stack[k] = plane
    return stack


def _layout_of(x: Any) -> str:
    """How a kernel reads an argument of its own shape and type."""
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous:
        return "c"
    return "g" if x.ndim == 1 and x.flags.aligned else "p"
