"""`jit`: a function traced once for each signature of its arguments, compiled, and replayed."""

import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from sys import modules
from types import MethodType
from typing import Any
from warnings import warn

import numpy as np
import optree

from .. import containers
from ..backend import writable
from ..devices import apart
from ..errors import InvalidType, NotTraceable, PerformanceWarning
from ..jets.evaluation import kink_mode
from ..jets.jet import Jet
from ..kernel import engine
from ..kernel.bounded import Bounded
from ..kernel.target import Target
from ..operand import away
from ..operand.levels import ambient
from .explained import Explained, Lowered, Progress
from .nodes import StayWhole, Trace
from .replay import Replay
from .signature import (
    Static,
    described_result,
    flattened,
    inputs,
    is_written,
    machine_for,
    machines,
    plain,
    rebuilt,
    unhashable,
)  # fmt: skip
from .trace import Tracer, trace
from .tracing import Elsewhere
from .variants import Kept, Variant

__all__ = ["Jitted", "compiled", "jit"]

_target, _machine_of, _ndarray = engine.target, engine.machine_of, np.ndarray
_float64, _asarray = np.float64, np.asarray


def jit(
    f: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    progress: Callable[[str], Any] | None = None,
) -> "Jitted":
    """The same function, traced once for each signature of its arguments, fused and replayed.

    It gives the numbers of f, raises where f does, and is not slower: what cannot be traced, and what is no quicker
    when it is replayed, runs as it is, with one `PerformanceWarning` and a reason in `jit(f).explain(...)`.

    Arrays, jets and Python floats among the arguments (also in nested tuples, lists and dicts) are traced, integers
    and truth values in arrays as well; everything else, and the arguments named by `static_argnums` and
    `static_argnames`, is part of the signature. Where f looks at numbers (`if`, `while`, `float(x)`, an index, a
    count), the trace follows those at hand and guards them: a call with others is traced anew, up to eight ways
    are kept, and beyond them f runs as it is. What f writes into arrays, its arguments among them, is written.
    Inside a transform, on tape variables and on jets of a transform, under `nonsmooth("raise")`, and on arrays that
    are not NumPy's own, the function itself is called.

    What f does besides computing (printing, drawing random numbers, appending to a list) happens when it is traced,
    and when it is measured: twice among the first calls. Arrays from outside that f uses are taken as they are when
    it is traced.

    Args:
        f: a function of NumPy operations.
        static_argnums: positions of arguments to take as they are; they must be hashable.
        static_argnames: names of keyword arguments to take as they are.
        progress: a function that is told, in a sentence, when compiling takes more than two seconds, from a thread of
            its own, and again at the end; `print`, for example. Without it DUALNUM_PROGRESS=1 has it said on stderr.

    Returns:
        A `Jitted`: a function of f's arguments, with f's results in their structure, shapes and types.

    Raises:
        InvalidType: f is no function; a position is no integer; a static argument is not hashable.

    Example:
        >>> fast = dn.jit(dn.derivative(lambda x: np.exp(-x**2), 3))
        >>> bool(np.isclose(fast(np.array([0.5]))[0], 5 * np.exp(-0.25)))
        True
        >>> root = dn.jit(lambda x: np.sqrt(x) if x > 0 else -x)  # two traces
        >>> float(root(np.float64(9.0))), float(root(np.float64(-4.0)))
        (3.0, 4.0)
    """
    if not callable(f):
        raise InvalidType(f"jit: f is a {type(f).__name__}; expected a function")
    positions = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    for i in positions:
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)):
            raise InvalidType(f"jit: static_argnums is {static_argnums!r}; expected an index or a sequence of indices")
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    if progress is not None and not callable(progress):
        raise InvalidType(f"jit: progress is a {type(progress).__name__}; expected a function of a sentence")
    return Jitted(f, positions, names, progress)


class Jitted:
    """A traced function, made by `jit`; `explain(*args)` tells what becomes of it, and `lower(*args)` shows it.

    It is called as the function itself; results and errors as for `jit`.

    Example:
        >>> fast = dn.jit(lambda x, n: np.tanh(x) ** n, static_argnums=1)
        >>> fast(np.array([0.5, -2.0]), 3)
        array([ 0.0987, -0.8960])
    """

    def __init__(
        self,
        f: Callable[..., Any],
        static: tuple[int, ...],
        names: tuple[str, ...],
        progress: Callable[[str], Any] | None = None,
    ) -> None:
        self._progress = progress
        update_wrapper(self, f, updated=())
        self._f = f
        self._static = static
        self._names = names
        self._entries: Bounded[Any, Kept] = Bounded(256)
        self._last: tuple[Any, Kept | None] = None, None  # signatures rarely change from call to call
        self._told = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # the usual call: arrays, jets and numbers, and nothing else
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
            elif kind is _float64:
                if given is args:
                    given = list(args)
                given[i] = _asarray(a)  # type: ignore[index]
                key.append(kind)
                continue
            elif kind is not _ndarray and _machine_of(kind) is None:
                return self._general(args, kwargs)
            if type(a) is not _ndarray:
                if not engine.device.is_here(a):
                    return self._there(args)
                key += (type(a), a.data.device_id)
            key += (a.shape, a.dtype, a.flags.c_contiguous)
        found = tuple(key)
        known, kept = self._last
        if known != found:
            kept = self._entries.get(found)
        if kept is None:
            described = self._flattened(args, kwargs)[1:]
            if described[1] is None:
                return self._f(*args)
            kept = self._entries.put(found, self._kept(described))
        if known != found:
            self._last = found, kept
        variant = kept.front
        if variant is None:
            return self._otherwise(kept, None, given, args, kwargs)
        try:
            results = variant.run(given)
        except Exception as error:
            results = variant.failed(error)
        if type(results) is not list:
            return self._otherwise(kept, results, given, args, kwargs)
        return results[0] if variant.single else variant.given_back(results)

    def _kept(self, described: Any) -> Kept:
        """What is kept for a signature, at first."""
        return Kept(described, self._tell)

    def _otherwise(self, kept: Kept, results: Any, given: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call where the trace that was used last does not have the results."""
        if kept.reason:
            return self._f(*args, **kwargs)
        return kept.otherwise(
            results, given, lambda: self._f(*args, **kwargs), lambda exact: self._traced(args, kwargs, exact)
        )

    def _tell(self, reason: str) -> None:
        """Says once that the function runs as it is."""
        if not self._told:
            self._told = True
            name = getattr(self._f, "__qualname__", type(self._f).__name__)
            message = f"jit: {name} runs as it is: {reason}; jit(f).explain(...) tells more"
            warn(message, PerformanceWarning, stacklevel=_levels())

    def _there(self, args: tuple[Any, ...]) -> Any:
        """The call, on the device where the arguments are."""
        device = away(args) if "cupy" in modules else None
        if device is None:
            raise apart("jit", *args) or InvalidType("jit: the arguments are on several devices")
        with device:
            return self(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return Jitted, (self._f, self._static, self._names, self._progress)  # compiled anew where it is needed

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def _flattened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any, Any]:
        return flattened(args, kwargs, self._static, self._names)

    def _general(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        leaves, structure, described = self._flattened(args, kwargs)
        if described is None:
            return self._f(*args, **kwargs)
        key = (machine_for(described), structure, described)
        try:
            kept = self._entries.get(key)
        except TypeError:
            if not self._static and not self._names:
                return self._f(*args, **kwargs)
            raise unhashable(leaves, described) from None
        if kept is None:
            kept = self._entries.put(key, self._kept((structure, described)))
        given, variant, results = inputs(leaves, described, key[0]), kept.front, None
        if variant is not None:
            try:
                results = variant.run(given)
            except Exception as error:
                results = variant.failed(error)
            if type(results) is list:
                return variant.given_back(results)
        return self._otherwise(kept, results, given, args, kwargs)

    def _traced(self, args: tuple[Any, ...], kwargs: dict[str, Any], exact: bool = False) -> Variant:
        leaves, structure, described = self._flattened(args, kwargs)
        if described is None:
            raise InvalidType("jit: nothing is compiled for such arguments; the function itself is called on them")
        out: list[Any] = []

        def run(*tracers: Tracer) -> list[Any]:
            given = iter(tracers)
            filled = [
                x.x if isinstance(x, Static) else x if d[0] == "static" else rebuilt(x, next(given))
                for x, d in zip(leaves, described, strict=True)
            ]
            inner_args, inner_kwargs = optree.tree_unflatten(structure, filled)
            result = self._f(*inner_args, **inner_kwargs)
            if any(isinstance(x, Jet) and is_written(x, y) for x, y in zip(leaves, filled, strict=True)):
                raise InvalidType("jit: a jet among the arguments is written to")
            leaves_out, structure_out = containers.flatten(result, none_is_leaf=True, labels=False)
            out[:] = structure_out, [described_result(y) for y in leaves_out]
            return [y.planes if isinstance(y, Jet) else y for y in leaves_out if not plain(y)]

        machine = machine_for(described)
        samples = inputs(leaves, described, machine)
        with Progress(self._f, self._progress):
            try:
                traced, replay = compiled(run, samples, machine, exact)
            except Elsewhere as other:  # arrays that the function holds live on a device
                if machines(described):
                    raise InvalidType(
                        "jit: the function uses an array on a device, and an argument is an array on the CPU; give all "
                        "on one device, x.to_device(…)"
                    ) from None
                machine = other.machine
                traced, replay = compiled(run, samples, machine, exact)
            return Variant(replay, out[0], out[1], traced.guards, machine.looks)

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

    def save(self, path: Any, *args: Any, **kwargs: Any) -> None:
        """Writes what was compiled so far to a file, for `load_program` in another process.

        Args:
            path: of the file.
            args: as in a call, for which f is compiled if it is not yet; without any, that of the calls made so far.
            kwargs: likewise.

        Raises:
            InvalidType: nothing was compiled yet, or f runs as it is; or the program calls what cannot be described in
                a file: functions other than those of NumPy, SciPy and dualnum.

        Example:
            >>> import os, tempfile
            >>> path = os.path.join(tempfile.mkdtemp(), "fast.dn")
            >>> dn.jit(lambda x: x * np.tanh(x)).save(path, np.ones(3))
            >>> dn.load_program(path)(np.array([0.5, 1.0, 2.0])).round(4)
            array([0.2311, 0.7616, 1.9281])
        """
        from . import saved

        found = {id(k.described): (k.described, k.variants) for k in self._entries.values() if k.variants}
        entries = [e for i, e in enumerate(found.values()) if all(e[0] != b[0] for b in [*found.values()][:i])]
        if args or kwargs:
            leaves, structure, described = self._flattened(args, kwargs)
            if all(e[0] != (structure, described) for e in entries):
                variant = self._traced(args, kwargs)
                variant.settle([*map(_copied, inputs(leaves, described, machine_for(described)))])
                entries.append(((structure, described), (variant,)))
        if not entries:
            reasons = [k.reason for k in self._entries.values() if k.reason]
            why = f"f runs as it is ({reasons[0]})" if reasons else "nothing was compiled yet"
            raise InvalidType(f"save: {why}; call it first, or give the arguments to compile it for: save(path, *args)")
        saved.write(path, entries, (self._static, self._names))

    def explain(self, *args: Any, **kwargs: Any) -> Explained:
        """What becomes of a call with these arguments, to print: kernels, what NumPy runs between them, guards, memory.

        Args:
            args: as in the call, which need not have been made; nothing is computed but what branches ask for.
            kwargs: likewise.

        Returns:
            An `Explained`; where the function runs as it is, the reason.

        Example:
            >>> print(dn.jit(lambda x: np.sum(np.sin(x) ** 2)).explain(np.ones(1000)))
            <lambda>(float64[1000]): 1 kernel, 0 calls of NumPy, 0 guards
              kernel   float64[1000]    3 operations, 1 array read, 0 written, 1 summed: 8.0 kB
            1 pass over memory, 8.0 kB
        """
        leaves, structure, described = self._flattened(args, kwargs)
        name = getattr(self._f, "__name__", type(self._f).__name__)
        if described is None:
            return Explained(name, leaves, reason="nothing is compiled for such arguments (variables, jets of a "
                             "transform, arrays of other kinds, nonsmooth('raise'))")  # fmt: skip
        kept = next((k for k in self._entries.values() if k.described == (structure, described)), None)
        if kept is not None and kept.reason:
            return Explained(name, leaves, reason=kept.reason)
        try:
            variant = kept.front if kept is not None and kept.front is not None else self._traced(args, kwargs)
        except Exception as error:
            return Explained(name, leaves, reason=str(error).removeprefix("jit: "))
        return Explained(name, leaves, variant, max(1, len(kept.variants)) if kept is not None else 1)


def compiled(run: Callable[..., Any], samples: Sequence[Any], machine: Target, exact: bool) -> tuple[Trace, Replay]:
    """The trace and its replay; small arrays stay whole in it where they must."""
    try:
        traced = _followed(run, samples, machine, exact)
        return traced, Replay.of(traced, samples, machine)
    except StayWhole:
        traced = _followed(run, samples, machine, exact, in_one=True)
        return traced, Replay.of(traced, samples, machine)


def _followed(
    run: Callable[..., Any], samples: Sequence[Any], machine: Target, exact: bool, in_one: bool = False
) -> Trace:
    """The trace; where functions of the package look at numbers, and cannot be steps of it, these are followed too."""
    try:
        traced = trace(run, samples, machine, exact, in_one=in_one)
    except NotTraceable:
        traced = trace(run, samples, machine, exact=True, following=True, in_one=in_one)
    if not all(writable(samples[i]) for i in traced.written):
        raise InvalidType("jit: an argument that cannot be written to is written to")
    return traced


def _copied(x: Any) -> Any:
    return x.copy() if hasattr(x, "copy") else x


def _levels() -> int:
    """How far up the user's call is, for a warning."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dualnum."):
        level, frame = level + 1, frame.f_back
    return level
