"""Who asked for a plain array or number: the function that the user's line calls, and the argument that it got.

NumPy and SciPy ask an operand for its numbers (`__array__`, `__float__`) many calls below the line that is to be
changed. Nothing here costs anything until then: the frames are looked through when an error is to be raised, and
what a line calls is read from its byte code, so that it is known in a console as well, where there is no source.
"""

import builtins
import dis
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

from ..errors import DerivativeDropped, dropped
from .substitutes import shown, substitute

__all__ = ["called", "lost", "place", "wanted_on_purpose"]

_LIBRARIES = ("numpy", "scipy", "optree", "dualnum")  # also where they are not installed but on the path
_INSTALLED = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")})
_CALLS = ("CALL", "PRECALL")
_NUMBERS = {float: "float()", int: "int()", complex: "complex()"}

Step = tuple[str, tuple[str, ...]]  # an operation of the byte code, and the dotted name that it calls or writes to


def _is_users(frame: FrameType) -> bool:
    """Whether a frame is of a program, and not of a library."""
    if str(frame.f_globals.get("__name__")).partition(".")[0] in _LIBRARIES:
        return False
    return not frame.f_code.co_filename.startswith((*_INSTALLED, "<frozen "))


def _frames(depth: int = 2) -> tuple[FrameType | None, FrameType | None]:
    """The user's frame that is innermost, and the one that it called; None where there is none."""
    below: FrameType | None = None
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and not _is_users(frame):
        below, frame = frame, frame.f_back
    return frame, below


def place() -> str:
    """The user's line that is being run, as file:line; empty where there is none."""
    frame, _ = _frames()
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


# ── what a line does ─────────────────────────────────────────────────────────────────────────────


_STEPS: dict[tuple[int, int], tuple[CodeType, Step]] = {}


def _step(frame: FrameType) -> Step:
    """The operation that a frame is at, as in ("CALL", ("np", "array")); the name is empty where it is no name."""
    code, at = frame.f_code, frame.f_lasti
    known = _STEPS.get((id(code), at))  # the code is kept, and so its number is
    if known is None:
        if len(_STEPS) > 500:
            _STEPS.clear()
        known = _STEPS[id(code), at] = code, _read(code, at)
    return known[1]


def _read(code: CodeType, at: int) -> Step:
    *before, instruction = (i for i in dis.get_instructions(code) if i.offset <= at)  # it may be in a cache behind
    start = instruction.positions and instruction.positions[::2]  # the line and the column of an expression
    named: tuple[str, ...] = ()
    if start is None or None in start:  # as Python was asked not to keep them
        return instruction.opname, named
    for each in before:
        if each.positions is None or each.positions[::2] != start:
            continue
        if each.opname.startswith("LOAD_") and "ATTR" not in each.opname and "METHOD" not in each.opname:
            named = (each.argval,) if isinstance(each.argval, str) else ()
        elif each.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")):
            named = (*named, each.argval) if named else ()
        elif each.opname not in ("PUSH_NULL", "PRECALL", "KW_NAMES", "COPY", "SWAP", "CACHE", "NOP"):
            named = ()
    operation = instruction.argrepr if instruction.opname == "BINARY_OP" else instruction.opname
    return operation, named


def _resolved(frame: FrameType, named: tuple[str, ...]) -> Any:
    """What a dotted name means in a frame; None where it means nothing."""
    if not named:
        return None
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if named[0] in names:
            thing = names[named[0]]
            for attribute in named[1:]:
                thing = getattr(thing, attribute, None)
            return thing
    return None


# ── how it is called ─────────────────────────────────────────────────────────────────────────────


def _public(module: Any, name: str) -> str:
    """scipy.special.logsumexp, whose module is scipy.special._logsumexp."""
    parts = [part for part in str(module or "").split(".") if not part.startswith("_")]
    return ".".join([*parts, *(part for part in name.split(".") if part != "<locals>")])


def _wrapped(function: Any) -> Any:
    """The function that a decorator without functools.wraps keeps in its closure."""
    if "<locals>" in getattr(function, "__qualname__", ""):
        for cell in function.__closure__ or ():
            if inspect.isfunction(cell.cell_contents):
                return cell.cell_contents
    return function


def _names(thing: Any) -> Iterator[str]:
    """The full names of a function, of a method by its object's classes, or of an object that is called."""
    owner = getattr(thing, "__self__", None)
    if isinstance(thing, type) or (hasattr(thing, "__name__") and (owner is None or isinstance(owner, ModuleType))):
        yield _public(getattr(thing, "__module__", None), getattr(thing, "__qualname__", thing.__name__))
    elif hasattr(thing, "__name__"):
        yield from _methods(owner, thing.__name__)
    else:
        yield from _methods(thing, "")


def _methods(owner: Any, method: str) -> Iterator[str]:
    tail = f".{method}" if method and not method.startswith("__") else ""
    if type(owner).__module__.startswith("scipy.stats"):  # its distributions are objects, or frozen ones
        yield f"scipy.stats.{getattr(getattr(owner, 'dist', owner), 'name', '')}{tail}"
    for kind in (owner if isinstance(owner, type) else type(owner)).__mro__[:-1]:
        yield _public(kind.__module__, kind.__qualname__) + tail


def _names_of_frame(frame: FrameType) -> Iterator[str]:
    code = frame.f_code
    if code.co_varnames[:1] == ("self",):
        yield from _methods(frame.f_locals["self"], code.co_name)
    yield _public(frame.f_globals.get("__name__"), code.co_qualname)


def _argument(frame: FrameType, x: Any, function: Any) -> str:
    """The name of the parameter of a library's function in which x came, or something with derivatives like it."""
    code = frame.f_code
    values = frame.f_locals
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = [(name, values.get(name)) for name in named]
    if code.co_flags & inspect.CO_VARARGS:  # a wrapper around the function
        try:
            parameters = list(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            parameters = []
        at = code.co_argcount + code.co_kwonlyargcount
        rest = values.get(code.co_varnames[at], ())
        given += [(parameters[i] if i < len(parameters) else f"{i + 1}", y) for i, y in enumerate(rest)]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        at = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        given += list(values.get(code.co_varnames[at], {}).items())
    given = [(name, y) for name, y in given if name not in ("self", "args", "kwargs")]
    same = [name for name, y in given if y is x]
    like = [name for name, y in given if _holds(y, type(x))]
    return next(iter(same + like), "")


def _holds(y: Any, kind: type) -> bool:
    return isinstance(y, kind) or (isinstance(y, (list, tuple)) and any(_holds(item, kind) for item in y))


# ── the error, and where there is none ───────────────────────────────────────────────────────────


def called(x: Any) -> str:
    """What an operand is called in messages."""
    return "a variable" if x.algebra is None else "a jet"


def lost(x: Any, what: str) -> DerivativeDropped:
    """The error for a library that makes `what` of x, "a plain array" or "a number"."""
    try:
        return dropped(*_explained(x, what))
    except Exception:  # what objects do that are looked at must not hide the error
        return dropped(f"{called(x)} as {what}", substitute(["array"])[1])


def _explained(x: Any, what: str) -> tuple[str, str]:
    """What is lost where, and what to write instead."""
    kind = called(x)
    frame, below = _frames(3)
    if frame is None:
        return f"{kind} as {what}", substitute(["array"])[1]
    operation, named = _step(frame)
    if operation.startswith("STORE_S"):  # SUBSCR or SLICE
        return f"{'.'.join(named) or 'u'}[…] = x: {kind} in a plain array", substitute(["u[…] = x"])[1]
    indexed = operation.startswith("BINARY_S") or operation == "[]"
    thing = _wrapped(_resolved(frame, named)) if indexed or operation.startswith(_CALLS) else None
    names = [] if thing is None else list(_names(thing))
    argument = ""
    if below is not None and not str(below.f_globals.get("__name__")).startswith("dualnum"):
        names += _names_of_frame(below)
        argument = _argument(below, x, thing)
    name, instead = substitute([*names, "array" if what == "a plain array" else "number"])
    function = _NUMBERS.get(thing, "") if isinstance(thing, type) else ""
    if indexed and named:  # np.r_[…]
        function, argument = f"{'.'.join(named)}[…]", ""
    function = function or shown(name)
    described = f"its argument {argument}, {kind}, as {what}" if argument else f"{kind} as {what}"
    return f"{function}: {described}" if function else described, instead


def wanted_on_purpose(depth: int = 2) -> bool:
    """Whether the caller of the caller is a user's line that writes float(x), int(x), complex(x) or "%g" % x."""
    frame = sys._getframe(depth)
    if not _is_users(frame):
        return False
    operation, named = _step(frame)
    if not operation.startswith(_CALLS):
        return operation == "%"
    function = _resolved(frame, named)
    return isinstance(function, type) and function in _NUMBERS
