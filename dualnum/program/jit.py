"""`jit`: a function traced once for each signature of its arguments, compiled, and replayed."""

from collections.abc import Callable, Sequence
from functools import update_wrapper
from sys import modules
from types import MethodType
from typing import Any

import numpy as np
import optree

from ..devices import apart
from ..errors import InvalidType
from ..jets.evaluation import kink_mode
from ..jets.jet import Jet
from ..kernel import engine
from ..kernel.bounded import Bounded
from ..kernel.ir import LOOP, Program
from ..kernel.plan import rendered
from ..kernel.target import Target
from ..kinds import Value
from ..operand import Operand, away
from ..operand.levels import ambient
from .fused import Kernel
from .replay import ALARM, Replay
from .scalars import StayWhole
from .trace import Tracer, trace
from .tracing import Elsewhere

__all__ = ["Jitted", "Lowered", "jit"]

_target, _machine_of, _ndarray = engine.target, engine.machine_of, np.ndarray
_TRACED_KINDS = "fcbiu"


def jit(
    f: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> "Jitted":
    """The same function, traced once for each signature of its arguments, fused and replayed.

    Arrays, jets and Python floats among the arguments (also in nested tuples, lists and dicts) are traced;
    everything else, and the arguments named by `static_argnums` and `static_argnames`, is part of the signature.
    Arrays from outside that f uses are taken as they are when it is traced. Inside a transform, on tape variables
    and on jets of a transform, under `nonsmooth("raise")`, and on arrays that are not NumPy's own, the function
    itself is called.

    Args:
        f: a function of NumPy operations, without side effects and without branches on array values.
        static_argnums: positions of arguments to take as they are; they must be hashable.
        static_argnames: names of keyword arguments to take as they are.

    Returns:
        A `Jitted`: a function of f's arguments, with f's results in their structure, shapes and types.

    Raises:
        NotDifferentiable: the function does something with an array's numbers that cannot be traced.
        InvalidType: f is no function; a position is no integer; a static argument is not hashable; f uses a jet from
            outside.

    Example:
        >>> fast = dn.jit(dn.derivative(lambda x: np.exp(-x**2), 3))
        >>> bool(np.isclose(fast(np.array([0.5]))[0], 5 * np.exp(-0.25)))
        True
    """
    if not callable(f):
        raise InvalidType(f"jit: f is a {type(f).__name__}; expected a function")
    positions = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    for i in positions:
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)):
            raise InvalidType(f"jit: static_argnums is {static_argnums!r}; expected an index or a sequence of indices")
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    return Jitted(f, positions, names)


class Jitted:
    """A traced function, made by `jit`; `lower(*args)` shows what becomes of it.

    It is called as the function itself; results and errors as for `jit`.

    Example:
        >>> fast = dn.jit(lambda x, n: np.tanh(x) ** n, static_argnums=1)
        >>> fast(np.array([0.5, -2.0]), 3)
        array([ 0.0987, -0.8960])
    """

    def __init__(self, f: Callable[..., Any], static: tuple[int, ...], names: tuple[str, ...]) -> None:
        update_wrapper(self, f, updated=())
        self._f = f
        self._static = static
        self._names = names
        self._entries: Bounded[Any, _Entry] = Bounded(256)
        self._last: tuple[Any, _Entry | None] = None, None  # signatures rarely change from call to call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # the usual call: arrays, jets and Python floats, and nothing else
        if kwargs or self._static or kink_mode() == "raise":
            return self._general(args, kwargs)
        key: list[Any] = [_target()]
        given: Sequence[Any] = args
        for i, a in enumerate(args):
            kind = type(a)
            if kind is Jet:
                if given is args:
                    given = list(args)
                a = given[i] = a.planes  # type: ignore[index]
                x = args[i]
                if x.scope is not ambient() or (type(a) is not _ndarray and _machine_of(type(a)) is None):
                    return self._general(args, kwargs)
                key += (x.algebra, x.extent)
            elif kind is float:
                key.append(float)
                continue
            elif kind is not _ndarray and _machine_of(kind) is None:
                return self._general(args, kwargs)
            if type(a) is not _ndarray:
                if not engine.device.is_here(a):
                    return self._there(args)
                key += (type(a), a.data.device_id)
            key += (a.shape, a.dtype, a.flags.c_contiguous)
        found = tuple(key)
        known, entry = self._last
        if known != found:
            entry = self._entries.get(found)
        if entry is None:
            if self._flattened(args, kwargs)[2] is None:
                return self._f(*args)
            entry = self._entries.put(found, self._traced(args, kwargs))
        if known != found:
            self._last = found, entry
        try:
            results = entry.run(given)
        except np.linalg.LinAlgError:  # the function itself may know what to do with a singular matrix
            results = ALARM
        if results is ALARM:
            return self._f(*args)
        return results[0] if entry.single else entry.given_back(results)

    def _there(self, args: tuple[Any, ...]) -> Any:
        """The call, on the device where the arguments are."""
        device = away(args) if "cupy" in modules else None
        if device is None:
            raise apart("jit", *args) or InvalidType("jit: the arguments are on several devices")
        with device:
            return self(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return Jitted, (self._f, self._static, self._names)  # compiled anew where it is needed

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, structure, described = self._flattened(args, kwargs)
        if described is None:
            return self._f(*args, **kwargs)
        key = (_machine(described), structure, described)
        try:
            entry = self._entries.get(key)
        except TypeError:
            raise _unhashable(leaves, described) from None
        if entry is None:
            entry = self._entries.put(key, self._traced(args, kwargs))
        try:
            results = entry.run(_inputs(leaves, described, key[0]))
        except np.linalg.LinAlgError:
            results = ALARM
        return self._f(*args, **kwargs) if results is ALARM else entry.given_back(results)

    def _flattened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any, Any]:
        """Leaves, structure and the description of each; None where the function must run as it is."""
        static = {i % len(args) for i in self._static if -len(args) <= i < len(args)}
        wrapped = tuple(_Static(a) if i in static else a for i, a in enumerate(args))
        named = {name: _Static(a) if name in self._names else a for name, a in kwargs.items()}
        leaves, structure = optree.tree_flatten((wrapped, named), none_is_leaf=True)  # type: ignore[arg-type, var-annotated]
        described: list[Any] = []
        possible = kink_mode() != "raise"
        for x in leaves:
            if isinstance(x, Jet):
                planes = x.planes
                possible = possible and x.scope is ambient() and engine.accepted(planes)
                if possible:
                    contiguous = planes.flags.c_contiguous
                    described.append(
                        (type(planes), "jet", planes.shape, x.dtype, x.algebra, x.extent, contiguous, x._is_array)
                    )
            elif isinstance(x, np.generic) or engine.accepted(x):
                possible = possible and x.dtype.kind in _TRACED_KINDS
                described.append((type(x), x.shape, x.dtype, x.flags.c_contiguous))
            elif isinstance(x, (Operand, np.ndarray)) or hasattr(x, "__array_interface__") or hasattr(x, "__dlpack__"):
                possible = False
            elif type(x) is float:
                described.append(("number",))
            else:
                x = x if isinstance(x, _Static) else _Static(x)
                described.append(("static", x))
        possible = possible and len(_machines(described)) < 2
        return leaves, structure, tuple(described) if possible else None

    def _traced(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Entry":
        leaves, structure, described = self._flattened(args, kwargs)
        if described is None:
            raise InvalidType("jit: nothing is compiled for such arguments; the function itself is called on them")
        out: list[Any] = []

        def run(*tracers: Tracer) -> list[Any]:
            given = iter(tracers)
            filled = [
                x.x if isinstance(x, _Static) else x if d[0] == "static" else _rebuilt(x, next(given))
                for x, d in zip(leaves, described, strict=True)
            ]
            inner_args, inner_kwargs = optree.tree_unflatten(structure, filled)
            result = self._f(*inner_args, **inner_kwargs)
            leaves_out, structure_out = optree.tree_flatten(result, none_is_leaf=True)
            out.extend((structure_out, [_described_result(y) for y in leaves_out]))
            return [y.planes if isinstance(y, Jet) else y for y in leaves_out if not _plain(y)]

        machine = _machine(described)
        samples = _inputs(leaves, described, machine)

        def compiled(machine: Target) -> Replay:
            try:
                return Replay(trace(run, samples, machine), samples, machine)
            except StayWhole:
                out.clear()
                return Replay(trace(run, samples, machine, whole=True), samples, machine)

        try:
            replay = compiled(machine)
        except Elsewhere as other:  # arrays that the function holds live on a device
            if _machines(described):
                raise InvalidType(
                    "jit: the function uses an array on a device, and an argument is an array on the CPU; give all on "
                    "one device, x.to_device(…)"
                ) from None
            out.clear()
            replay = compiled(other.machine)
        return _Entry(replay, *out)

    def lower(self, *args: Any, **kwargs: Any) -> "Lowered":
        """The programs, the LLVM text and the assembly that a call with these arguments runs.

        Args:
            args: as in the call; of arrays the shapes and types count.
            kwargs: likewise.

        Returns:
            A `Lowered`.

        Raises:
            InvalidType: for such arguments nothing is compiled (variables, jets of a transform, arrays of objects).
            NotDifferentiable: as for `jit`.
        """
        return Lowered(self._traced(args, kwargs).replay)


class _Entry:
    """What is kept for a signature: the replay, and how its outputs are given back."""

    def __init__(self, replay: Replay, structure: Any, described: list[Any]) -> None:
        self.replay = replay
        self.run = replay.run
        self._structure = structure
        self._described = described
        self.single = structure == optree.tree_structure(0, none_is_leaf=True) and described[0] == ("array",)  # type: ignore[arg-type]

    def given_back(self, outputs: Sequence[Any]) -> Any:
        """The results in the structure that the function returned."""
        arrays = iter(outputs)
        results = []
        for d in self._described:
            if d[0] == "plain":
                results.append(d[1])
            elif d[0] == "jet":
                results.append(object.__new__(Jet)._set(next(arrays), d[2], d[1], ambient()))
            else:
                results.append(next(arrays))
        return optree.tree_unflatten(self._structure, results)


def _machines(described: Sequence[Any]) -> set[Target | None]:
    """The machines that the arrays among the arguments are for."""
    kinds = {d[0] for d in described if isinstance(d[0], type) and not issubclass(d[0], np.generic)}
    return {_machine_of(kind) for kind in kinds}


def _machine(described: Sequence[Any]) -> Target:
    """The one machine for the arguments."""
    return next(iter(_machines(described)), None) or _target()


class _Static:
    """An argument that is part of the signature: a leaf, whatever it is."""

    def __init__(self, x: Value) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Static) or type(self.x) is not type(other.x):
            return False
        if isinstance(self.x, (float, complex)):  # 0.0 is not −0.0, and NaN is NaN
            return repr(self.x) == repr(other.x)
        return bool(self.x == other.x)

    def __hash__(self) -> int:
        return hash(repr(self.x) if isinstance(self.x, (float, complex)) else self.x)


def _unhashable(leaves: Sequence[Any], described: Sequence[Any]) -> InvalidType:
    for x, d in zip(leaves, described, strict=True):
        x = x.x if isinstance(x, _Static) else x
        if d[0] == "static":
            try:
                hash(x)
            except TypeError:
                break
    return InvalidType(
        f"jit: a static argument of type {type(x).__name__} cannot be hashed, and so not be part of the signature; "
        "give a tuple in place of a list or array, or let the argument be traced"
    )


def _plain(y: Value) -> bool:
    """A result that is no array: given back as it is."""
    return isinstance(y, type) or not (isinstance(y, (Operand, np.generic)) or hasattr(y, "__array__"))


def _inputs(leaves: Sequence[Any], described: Sequence[Any], machine: Target) -> list[Any]:
    """What is traced and replayed: arrays, planes of jets, and Python floats; on a device NumPy's numbers as well."""
    traced = [x.planes if isinstance(x, Jet) else x for x, d in zip(leaves, described, strict=True) if d[0] != "static"]
    return [np.asarray(x) if isinstance(x, np.generic) and machine.looks else x for x in traced]


def _rebuilt(x: Value, tracer: Tracer) -> Any:
    """What the function receives for x."""
    if isinstance(x, Jet):
        jet = object.__new__(Jet)._set(tracer, x.extent, x.algebra, ambient())
        return jet._as_array() if x._is_array else jet
    return tracer if type(x) is float or isinstance(x, np.generic) else tracer._as_array()


def _described_result(y: Value) -> Any:
    """How to give back one result: (algebra, support) of a jet, or a constant that is no array."""
    if isinstance(y, Jet):
        return ("jet", y.algebra, y.extent)
    return ("plain", y) if _plain(y) else ("array",)


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
    return rendered(kernel.program, kernel.groups, kernel.plan.counts, machine, not kernel.shape)
