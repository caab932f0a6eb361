"""Where the first number that is none is born: `debug_nans`.

While it is active the points at which operations arrive are wrapped, so that nothing is slower without it. Only the
outermost operation is looked at: what is left out inside of one never shows.
"""

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .errors import NotFinite
from .jets.jet import Jet
from .operand import Operand, function_name
from .program.jit import Jitted
from .program.trace import Tracer
from .tape import sweep as sweeping
from .tape.recording import Recording
from .tape.step import Step

__all__ = ["debug_nans"]

_depth: ContextVar[int | None] = ContextVar("depth of operations that are watched", default=None)
_infinities: ContextVar[bool] = ContextVar("infinities are found as well", default=True)
_sites: "WeakKeyDictionary[Step, str]" = WeakKeyDictionary()  # where a step was recorded
_original: list[tuple[Any, str, Any]] = []
_open = 0


@contextmanager
def debug_nans(infinities: bool = True) -> Iterator[None]:
    """Raises at the first operation whose result has a NaN or infinity that its operands do not have.

    Looked at are the value and all coefficients of jets, of several levels as well, the values of variables, and the
    cotangents of the reverse sweep, there by the pull-back and the line that recorded it. `jit` is off inside: the
    functions themselves run. It costs a look at all operands and results.

    Args:
        infinities: whether they are found as well; a NaN is often made of one, as 0·∞, some lines later.

    Returns:
        A context manager; arrays and results of all shapes and types are looked at.

    Raises:
        NotFinite: there is one: it names the operation, the coefficient and index, the operands there, and the line.

    Example:
        >>> with debug_nans():
        ...     dn.grad(lambda x: np.sqrt(x[0] ** 3 + x[1] ** 3))(np.zeros(2))
        Traceback (most recent call last):
        dualnum.errors.NotFinite: the pull-back of sqrt gives inf to operand 0; ...
    """
    global _open
    if not _open:
        _wrap_all()
    _open += 1
    tokens = _depth.set(0), _infinities.set(infinities)
    try:
        yield
    finally:
        _depth.reset(tokens[0])
        _infinities.reset(tokens[1])
        _open -= 1
        if not _open:
            while _original:
                setattr(*_original.pop())
            sweeping.watch = None


# ── what is wrapped ──────────────────────────────────────────────────────────────────────────────

_OPERATORS = ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__",
              "__pow__", "sum")  # fmt: skip


def _kinds(kind: type) -> Iterator[type]:
    """The kind of operands and those below it, but for what is traced."""
    if not issubclass(kind, Tracer):
        yield kind
        for other in kind.__subclasses__():
            yield from _kinds(other)


def _wrap_all() -> None:
    for kind in (Operand, *_kinds(Jet), *_kinds(Recording)):
        own = vars(kind)
        if "__array_ufunc__" in own:
            _replace(kind, "__array_ufunc__", partial(_watched, describe=_of_ufunc))
        if "__array_function__" in own:
            _replace(kind, "__array_function__", partial(_watched, describe=_of_function))
        if "_operation" in own:
            _replace(kind, "_operation", partial(_watched, describe=_of_operation))
        for name in _OPERATORS:
            if name in own:
                _replace(kind, name, partial(_watched, describe=_Named(name.strip("_"))))
    _replace(Step, "__init__", _located)
    _replace(Jitted, "__call__", _uncompiled)
    original = sweeping.sweep
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("dualnum.") and vars(module).get("sweep") is original:
            _replace(module, "sweep", _quiet)
    sweeping.watch = _pulled


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    function = vars(owner)[name]
    _original.append((owner, name, function))
    setattr(owner, name, wrap(function))


class _Named:
    """The description of a call of an operator: its name, operands, and that it works element by element."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[str, Any, bool]:
        return self.name, args, self.name != "sum"


def _of_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> tuple[str, Any, bool]:
    alone = method == "__call__" and getattr(ufunc, "signature", None) is None
    return ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", inputs, alone


def _of_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> tuple[str, Any, bool]:
    return function_name(function), (*args, *kwargs.values()), False


def _of_operation(self: Any, operation: Any, args: Any) -> tuple[str, Any, bool]:
    return operation.name, args, False


def _watched(f: Callable[..., Any], describe: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        depth = _depth.get()
        if depth is None:
            return f(*args, **kwargs)
        token = _depth.set(depth + 1)
        try:
            result = f(*args, **kwargs)
            if not depth and result is not NotImplemented:
                _look(result, *describe(*args, **kwargs))
        finally:
            _depth.reset(token)
        return result

    return call


def _quiet(f: Callable[..., Any]) -> Callable[..., Any]:
    """The sweep, the pull-backs of which are looked at as a whole."""

    def call(*args: Any, **kwargs: Any) -> Any:
        depth = _depth.get()
        token = _depth.set(depth if depth is None else depth + 1)
        try:
            return f(*args, **kwargs)
        finally:
            _depth.reset(token)

    return call


def _uncompiled(f: Callable[..., Any]) -> Callable[..., Any]:
    """A call of a compiled function, which runs as it is."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return f(self, *args, **kwargs) if _depth.get() is None else self._f(*args, **kwargs)

    return call


def _located(f: Callable[..., Any]) -> Callable[..., Any]:
    def initialize(self: Step, *args: Any) -> None:
        f(self, *args)
        if _depth.get() is not None:
            _sites[self] = _line()

    return initialize


# ── looking ──────────────────────────────────────────────────────────────────────────────────────


def _planes(x: Any) -> tuple[Any, list[Any]] | None:
    """The numbers under all levels, and the algebras of the axes in front; None of what has none."""
    algebras = []
    while isinstance(x, Operand):
        if x.algebra is not None:
            algebras.append(x.algebra)
            x = x.planes  # type: ignore[attr-defined]
        else:
            below = x.value
            if below is x:
                return None
            x = below
    if isinstance(x, (bool, str, bytes)) or x is None or callable(x):
        return None
    try:
        numbers = np.asarray(x) if isinstance(x, (int, float, complex, list, tuple)) else x
    except (TypeError, ValueError):
        return None
    return (numbers, algebras) if getattr(numbers, "dtype", np.dtype(object)).kind in "fc" else None


def _bad(numbers: Any) -> Any:
    return ~np.isfinite(numbers) if _infinities.get() else np.isnan(numbers)


def _everything(data: Any) -> Iterator[Any]:
    if isinstance(data, (tuple, list)):
        for x in data:
            yield from _everything(x)
    elif isinstance(data, dict):
        yield from _everything(list(data.values()))
    else:
        yield data


def _look(result: Any, name: str, inputs: Sequence[Any], elementwise: bool) -> None:
    """Raises where the result has a number that is none, and the inputs have not."""
    found = next((y for y in _everything(result) if (p := _planes(y)) and np.any(_bad(p[0]))), None)
    if found is None:
        return
    planes = _planes(found)
    assert planes is not None
    numbers, algebras = planes
    bad = _bad(numbers)
    known = [p for x in _everything(inputs) if (p := _planes(x)) is not None]
    for its, above in known:
        theirs = np.any(_bad(its), axis=tuple(range(len(above)))) if len(above) <= np.ndim(its) else np.any(_bad(its))
        bad = bad & ~theirs if elementwise else bad & ~np.any(theirs)
    if not np.any(bad):
        return
    place = tuple(map(int, np.argwhere(bad)[0]))
    index = place[len(algebras) :]
    at = f" at index {index}" if index else ""
    shown = "; ".join(_shown(x, index if elementwise else None) for x in _everything(inputs) if _planes(x) is not None)
    raise NotFinite(
        f"{name}: {_coefficient(place, algebras)}{at} is {numbers[place]}, and the operands have none; they are "
        f"{shown}{' there' if elementwise and index else ''}; in {_line()}"
    )


def _pulled(step: Step, cotangent: Any, saved: Sequence[Any], contributions: Sequence[Any]) -> None:
    """The same of a pull-back."""
    if _depth.get() is None:
        return
    given = [p for x in (cotangent, *saved) if (p := _planes(x)) is not None]
    if any(np.any(_bad(numbers)) for numbers, _ in given):
        return
    for i, c in enumerate(contributions):
        if i >= len(step.parents) or step.parents[i] is None or (planes := _planes(c)) is None:
            continue
        numbers, algebras = planes
        bad = _bad(numbers)
        if not np.any(bad):
            continue
        place = tuple(map(int, np.argwhere(bad)[0]))
        index = place[len(algebras) :]
        what = f"{_coefficient(place, algebras)} " if algebras else ""
        shown = ", ".join(_shown(x, index) for x in saved if x is not None and _planes(x) is not None)
        raise NotFinite(
            f"the pull-back of {step.name} gives {what}{numbers[place]} to operand {i}"
            f"{f' at index {index}' if index else ''}; the cotangent there is {_shown(cotangent, index)}, and it reads "
            f"{shown or 'nothing else'}; recorded in {_sites.get(step, 'a place that is not known')}"
        )


def _coefficient(place: tuple[int, ...], algebras: Sequence[Any]) -> str:
    """Which coefficient stands there, by its exponents."""
    exponents = []
    for p, algebra in zip(place, algebras, strict=False):
        monomials = list(algebra.monomials)
        exponents.append(monomials[p] if len(monomials) == algebra.size else (p,))
    if not any(any(m) for m in exponents):
        return "the value"
    return "coefficient " + " × ".join(str(m[0]) if len(m) == 1 else str(m) for m in exponents)


def _shown(x: Any, index: tuple[int, ...] | None) -> str:
    """The numbers of an operand, at an index if it is given: a value, or all coefficients."""
    planes = _planes(x)
    assert planes is not None
    numbers, algebras = planes
    if index is None:
        shape = np.shape(numbers)[len(algebras) :]
        return f"an array of shape {shape}" if shape else str(numbers)
    own = np.shape(numbers)[len(algebras) :]
    at = tuple(0 if n == 1 else i for n, i in zip(own, index[len(index) - len(own) :], strict=False))
    try:
        part = np.asarray(numbers[(*(slice(None),) * len(algebras), *at)])
    except IndexError:
        return f"an array of shape {own}"
    return str(part.tolist()) if part.size <= 16 else f"{part.size} coefficients"


def _line() -> str:
    """The line of the user's that is running."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("dualnum", "numpy"):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number, frame.f_globals).strip()
    return f"{name}, line {number}, in {frame.f_code.co_name}{f': {text}' if text else ''}"
