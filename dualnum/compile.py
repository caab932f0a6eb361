"""`jit`: a function traced once for each signature, its elementwise parts fused into kernels, and replayed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce, update_wrapper
from math import prod
from typing import Any

import numpy as np
import optree

from .algebra import Univariate
from .errors import InvalidType
from .jet import Jet
from .kernel import engine, launch, llvm, threads
from .kernel.host import assembly
from .kernel.ir import SELECT, Graph, Program, Symbol
from .kernel.optimize import optimize
from .kernel.store import Bounded
from .levels import ambient
from .operand import Operand
from .trace import Node, Trace, Tracer, is_uniform, trace

__all__ = ["jit"]

_engine = engine.current

_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.longdouble))


def jit(f: Callable[..., Any], *, static_argnums: int | Sequence[int] = ()) -> "Jitted":
    """The same function, traced once for each signature of its arguments, fused and replayed.

    Arrays, jets and Python floats among the arguments (also in nested tuples, lists and dicts) are traced;
    everything else, and the arguments named by `static_argnums`, is part of the signature. Inside a transform,
    on tape variables and on jets of a transform, the function itself is called.

    Args:
        f: a function of NumPy operations, without side effects and without branches on array values.
        static_argnums: positions of arguments to take as they are; they must be hashable.

    Raises:
        NotDifferentiable: the function does something with an array's numbers that cannot be traced.

    Example:
        >>> fast = dn.jit(dn.derivative(lambda x: np.exp(-x**2), 3))
        >>> bool(np.isclose(fast(np.array([0.5]))[0], 5 * np.exp(-0.25)))
        True
    """
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    return Jitted(f, static)


class Jitted:
    """A function under `jit`; `lower(*args)` shows what becomes of it."""

    def __init__(self, f: Callable[..., Any], static: tuple[int, ...]) -> None:
        if not callable(f):
            raise InvalidType(f"jit: f is a {type(f).__name__}; expected a function")
        update_wrapper(self, f, updated=())
        self._f = f
        self._static = static
        self._replays: Bounded[Any, Any] = Bounded(256)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # the usual call: arrays, and nothing else
        if not kwargs and not self._static:
            key: Any = (_engine(),)
            for a in args:
                if type(a) is not np.ndarray:
                    break
                key += (a.shape, a.dtype, a.flags.c_contiguous)
            else:
                replay = self._replays.get(key)
                if replay is None:
                    replay = self._replays.put(key, self._traced(args, kwargs))
                result = replay(args)
                return self._f(*args) if result is _ALARM else result
        return self._general(args, kwargs)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, structure, described = self._flattened(args, kwargs)
        if described is None:
            return self._f(*args, **kwargs)
        key = (engine.current(), structure, described)
        replay = self._replays.get(key)
        if replay is None:
            replay = self._replays.put(key, self._traced(args, kwargs))
        result = replay([_planes(x) for x, d in zip(leaves, described, strict=True) if d[0] != "static"])
        return self._f(*args, **kwargs) if result is _ALARM else result

    def _flattened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any, Any]:
        """Leaves, structure and the description of each; None where the function must run as it is."""
        wrapped = tuple(_Static(a) if i in self._static else a for i, a in enumerate(args))
        leaves, structure = optree.tree_flatten((wrapped, kwargs), none_is_leaf=True)  # type: ignore[arg-type]
        described = []
        for x in leaves:
            if isinstance(x, Jet):
                if x.scope is not ambient() or type(x._planes) is not np.ndarray:
                    return leaves, structure, None
                described.append(("jet", x._planes.shape, x.dtype, x.algebra, x._support[0]))
            elif isinstance(x, Operand):
                return leaves, structure, None
            elif isinstance(x, (np.ndarray, np.generic)):
                described.append(("array", x.shape, x.dtype, x.flags.c_contiguous))
            elif type(x) is float:
                described.append(("number",))
            else:
                described.append(("static", x))
        return leaves, structure, tuple(described)

    def _traced(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Replay":
        leaves, structure, described = self._flattened(args, kwargs)
        results: list[Any] = []

        def run(*tracers: Tracer) -> list[Any]:
            given = iter(tracers)
            filled = [
                x.x if isinstance(x, _Static) else x if d[0] == "static" else _rebuilt(x, next(given))
                for x, d in zip(leaves, described, strict=True)
            ]
            inner_args, inner_kwargs = optree.tree_unflatten(structure, filled)  # type: ignore[misc]
            result = self._f(*inner_args, **inner_kwargs)
            leaves_out, structure_out = optree.tree_flatten(result, none_is_leaf=True)  # type: ignore[arg-type]
            results.extend((structure_out, [_described_result(y) for y in leaves_out]))
            return [y._planes if isinstance(y, Jet) else y for y in leaves_out if not _plain(y)]

        samples = [_planes(x) for x, d in zip(leaves, described, strict=True) if d[0] != "static"]
        traced = trace(run, samples)
        return Replay(traced, samples, *results)

    def lower(self, *args: Any, **kwargs: Any) -> "Lowered":
        """The programs, the LLVM text and the assembly that a call with these arguments runs."""
        return Lowered(self._traced(args, kwargs))


# what a replay gives back where a recurrence met a point that only the eager mends get right
_ALARM = object()


class _Static:
    """An argument that is part of the signature: a leaf, whatever it is."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and type(self.x) is type(other.x) and bool(self.x == other.x)

    def __hash__(self) -> int:
        return hash(self.x)


def _plain(y: Any) -> bool:
    """A result that is no array: given back as it is."""
    return y is None or isinstance(y, (bool, int, str))


def _planes(x: Any) -> Any:
    return x._planes if isinstance(x, Jet) else x


def _rebuilt(x: Any, tracer: Tracer) -> Any:
    """What the function receives for x."""
    if isinstance(x, Jet):
        return object.__new__(Jet)._set(tracer, list(x._support), x.algebra, ambient())
    return tracer


def _described_result(y: Any) -> Any:
    """How to give back one result: (algebra, support) of a jet, or a constant that is no array."""
    if isinstance(y, Jet):
        return ("jet", y.algebra, y._support[0])
    return ("plain", y) if _plain(y) else ("array",)


# ── replaying ────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Kernel:
    """A fused run of elementwise nodes of one shape and type."""

    plan: launch.Plan
    shape: tuple[int, ...]
    dtype: Any
    sources: list[tuple[int, str]]  # slot and layout of each input; layout "s" for a number
    targets: list[tuple[int, int, int]]  # slot of each output, how many planes are computed, and how many it has
    booleans: list[int]  # slots to turn into booleans
    program: Program
    groups: list[llvm.Group]


class Replay:
    """A trace, compiled: kernels and calls of NumPy in order, over slots that hold the arrays."""

    def __init__(self, traced: Trace, samples: Sequence[Any], structure: Any, described: list[Any]) -> None:
        self._structure = structure
        self._described = described
        self.compiled = engine.current() == "llvm"
        builder = _Builder(traced, samples, self.compiled)
        self.steps = builder.steps
        self._slots = builder.count
        self._inputs = [builder.slot[n.number] for n in traced.inputs]
        self._outputs = [builder.slot[n.number] for n in traced.outputs]
        self._constants = builder.constants
        self._alarms = builder.alarms
        self._direct = self._as_one_call(traced)
        self._single = structure == optree.tree_structure(0) and described[0] == ("array",)  # type: ignore[arg-type]

    def _as_one_call(self, traced: Trace) -> Callable[[Sequence[Any]], Any] | None:
        """The whole replay as one call of one kernel, where inputs and outputs are its own."""
        if len(self.steps) != 1 or type(self.steps[0]) is not _Kernel or self._alarms:
            return None
        step = self.steps[0]
        plan, targets = step.plan, step.targets
        length = prod(step.shape)
        order = [self._inputs.index(i) for i, _ in step.sources if i in self._inputs]
        if (
            plan.call is None
            or plan.early is not None
            or step.booleans
            or llvm.data_offset() < 0
            or length == 0
            or length * plan.work >= threads.WORTH
            or len(order) != len(step.sources)
            or any(layout != "c" for _, layout in step.sources)
            or any(traced.inputs[i].shape != step.shape or traced.inputs[i].dtype != step.dtype for i in order)
            or [i for i, _, _ in targets] != self._outputs
            or any(size not in (0, count) for _, count, size in targets)
        ):
            return None
        call, dtype, empty = plan.call, step.dtype, np.empty
        shapes = [(size, *step.shape) if size else step.shape for _, _, size in targets]
        if len(shapes) == len(order) == 1:  # by far the most common: one array in, one out
            shape = shapes[0]

            def one(args: Sequence[Any]) -> Any:
                result = empty(shape, dtype)
                return _ALARM if call(id(result), id(args[0]), length, 0, length) else (result,)

            return one

        def several(args: Sequence[Any]) -> Any:
            results = [empty(shape, dtype) for shape in shapes]
            alarm = call(*map(id, results), *[id(args[i]) for i in order], length, 0, length)
            return _ALARM if alarm else results

        return several

    def __call__(self, args: Sequence[Any]) -> Any:
        if self._direct is not None:
            results = self._direct(args)
            if results is _ALARM:
                return _ALARM
            return results[0] if self._single else self._given_back(results)
        slots: list[Any] = [None] * self._slots
        for i, x in self._constants:
            slots[i] = x
        for i, x in zip(self._inputs, args, strict=True):
            slots[i] = x
        for step in self.steps:
            if type(step) is _Kernel:
                if _run_kernel(step, slots):
                    return _ALARM
            else:
                target, function, sources = step
                slots[target] = function(*[slots[i] for i in sources])
        if any(np.any(slots[i]) for i in self._alarms):
            return _ALARM
        if self._single:
            return slots[self._outputs[0]]
        return self._given_back([slots[i] for i in self._outputs])

    def _given_back(self, outputs: Sequence[Any]) -> Any:
        """The results in the structure that the function returned."""
        arrays = iter(outputs)
        results = []
        for d in self._described:
            if d[0] == "plain":
                results.append(d[1])
            elif d[0] == "jet":
                results.append(_jet(next(arrays), d[1], d[2]))
            else:
                results.append(next(arrays))
        return optree.tree_unflatten(self._structure, results)


def _jet(planes: Any, algebra: Univariate, degree: int) -> Jet:
    return object.__new__(Jet)._set(planes, [degree], algebra, ambient())


def _run_kernel(step: _Kernel, slots: list[Any]) -> bool:
    """Runs a kernel on the arrays in the slots; true where its alarm was raised."""
    arguments: list[Any] = []
    for i, layout in step.sources:
        x = slots[i]
        if layout == "s":
            arguments.append(float(x))
            continue
        if type(x) is not np.ndarray or x.dtype != step.dtype:
            x = np.asarray(x, step.dtype)
        if layout == "c":
            if x.shape != step.shape or not x.flags.c_contiguous:
                x = np.ascontiguousarray(np.broadcast_to(x, step.shape))
            arguments.append((launch.Planes(x[None], 1), "c"))
        else:
            arguments.append((launch.Planes(x[None], 1), layout))
    results = [np.empty((size or 1, *step.shape), step.dtype) for _, _, size in step.targets]
    alarm = launch.run(step.plan, results, arguments, prod(step.shape))
    for (i, count, size), planes in zip(step.targets, results, strict=True):
        planes[count:] = 0
        slots[i] = planes if size else planes[0]
    for i in step.booleans:
        slots[i] = slots[i].astype(bool)
    return alarm


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
        self._assign(traced, samples)

    def _new(self, node: Node) -> int:
        if node.number not in self.slot:
            self.slot[node.number] = self.count
            self.count += 1
        return self.slot[node.number]

    def _assign(self, traced: Trace, samples: Sequence[Any]) -> None:
        for node in (*traced.inputs, *self.nodes):
            self._new(node)
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
            if node.op == "stack" and len(made) == 1 and node.args[-1].elementwise and None not in made:
                stacks.setdefault(made.pop(), []).append(node)
        written = {n.number for members in stacks.values() for n in members}
        wanted = {n.number for n in traced.outputs}
        alarms = {n.number for n in traced.alarms}
        layouts = {n.number: _layout_of(x) for n, x in zip(traced.inputs, samples, strict=True)}
        for key in sorted(groups, key=lambda k: (k[0], groups[k][0].number)):
            members = groups[key]
            if members[0].number in written:
                continue
            if kinds[members[0].number] is None:
                self._single_step(members[0])
                if members[0].number in alarms:
                    self.alarms.append(self.slot[members[0].number])
            else:
                here = {where[n.number] for n in stacks.get(key, ())} | {key}
                given = [n for n in members if n.number in wanted or users.get(n.number, set()) - here]
                self._kernel(members, given, stacks.get(key, []), alarms, kinds[members[0].number], layouts)

    def _single_step(self, node: Node) -> None:
        if node.op == "input":
            return
        if node.op == "constant":
            self.constants.append((self.slot[node.number], node.extra))
            return
        sources = [self.slot[a.number] for a in node.args]
        self.steps.append((self.slot[node.number], _executed(node), sources))

    def _kernel(
        self,
        members: list[Node],
        given: list[Node],
        stacks: list[Node],
        alarms: set[int],
        kind: Any,
        layouts: dict[int, str],
    ) -> None:
        shape, dtype = kind
        graph = Graph(dtype)
        symbols: dict[int, Symbol] = {}
        sources: list[tuple[int, str]] = []
        inside = {n.number for n in members}

        def symbol(node: Node) -> Symbol:
            known = symbols.get(node.number)
            if known is not None:
                return known
            source = node
            while source.op == "broadcast":
                source = source.args[0]
            if source.op == "constant" and np.size(source.extra) and is_uniform(source.extra):
                one = np.asarray(source.extra).ravel()[0]
                made = graph.constant(one)
            else:
                layout = "s" if source.weak else layouts.get(source.number, "c") if source.shape == shape else "c"
                sources.append((self.slot[source.number], layout))
                self._new(source)
                made = graph.input()
            if source.dtype == bool:
                made = graph.node(np.not_equal, made, graph.constant(0.0))
            symbols[node.number] = made
            return made

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
        groups = [llvm.Group(layout, 1) for _, layout in sources]
        counts = tuple(count for _, count, _ in targets)
        plan = launch.prepare(program, groups, counts, self.compiled and dtype in launch.COMPILED)
        booleans = [self.slot[n.number] for n in given if n.dtype == bool]
        self.steps.append(_Kernel(plan, shape, dtype, sources, targets, booleans, program, groups))


def _kind(node: Node, kinds: dict[int, Any]) -> Any:
    """(shape, type) of the kernel that a node can be part of, or None."""
    if not node.elementwise:
        return None
    if node.dtype in _FLOATS:
        return node.shape, node.dtype
    if node.dtype == bool:  # a comparison goes where its operands are compared
        types = {a.dtype for a in node.args if a.dtype in _FLOATS and not a.weak}
        if len(types) == 1 and all(a.weak or a.dtype in _FLOATS or a.dtype == bool for a in node.args):
            return node.shape, types.pop()
        inner = {kinds[a.number] for a in node.args if kinds.get(a.number) is not None}
        if len(inner) == 1 and all(a.dtype == bool for a in node.args) and next(iter(inner))[0] == node.shape:
            return inner.pop()
    return None


def _executed(node: Node) -> Callable[..., Any]:
    """What NumPy runs for a node outside the kernels."""
    if node.op == "call":
        return node.extra  # type: ignore[no-any-return]
    if node.op == "concatenate":
        return lambda *xs: np.concatenate(xs)
    if node.op == "broadcast":
        return lambda x: np.broadcast_to(x, node.shape)
    if node.op == "stack":
        return lambda *xs: _stack(xs, node)
    return np.where if node.op == "select" else node.op  # type: ignore[return-value,no-any-return]


def _stack(planes: Sequence[Any], node: Node) -> Any:
    stack = np.zeros(node.shape, node.dtype)
    for k, plane in enumerate(planes):
        stack[k] = plane
    return stack


def _layout_of(x: Any) -> str:
    if isinstance(x, np.ndarray) and not x.flags.c_contiguous and x.ndim == 1 and x.flags.aligned:
        return "g"
    return "c"


class Lowered:
    """What a jitted function became, to look at: `programs`, `llvm`, `assembly`."""

    def __init__(self, replay: Replay) -> None:
        self._kernels = [s for s in replay.steps if isinstance(s, _Kernel)]

    @property
    def programs(self) -> list[Program]:
        """The straight-line programs, one for each kernel."""
        return [k.program for k in self._kernels]

    @property
    def llvm(self) -> str:
        """The LLVM text of the kernels."""
        return "\n".join(
            llvm.render(
                optimize(launch.split(k.program, llvm.renderable)[1]), [llvm.Group("c", 1)] * len(k.targets), k.groups
            )
            for k in self._kernels
        )

    @property
    def assembly(self) -> str:
        """The machine's assembly of the kernels."""
        return assembly(self.llvm)
