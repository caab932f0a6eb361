"""Values as descriptions that a file can hold: JSON with arrays beside it, and no code.

What can be described are numbers, arrays, containers of NumPy's and Python's own, and functions by their names. A name
is looked up among the public functions of NumPy and SciPy and in this package; a function within one of this package
is told by the code that it was made from, and what it holds.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from importlib import import_module
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import optree

from ..algebra import Algebra
from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..operand.levels import Scope
from .constants import is_uniform
from .nodes import HOLE

__all__ = ["Reader", "Undescribed", "Writer"]

_LIBRARIES, _PACKAGE = ("numpy", "scipy"), __package__.partition(".")[0]
_OPERATORS = {"setitem", "getitem"}  # of Python's module of that name
_TYPES: dict[str, Any] = {t.__name__: t for t in (bool, int, float, complex, str, tuple, list, set, dict)}
# modules and functions that do more than to compute
_OTHERS = {"testing", "f2py", "ctypeslib", "distutils", "io", "datasets", "format", "npyio", "introspect", "misc"}
_FILES = {
    "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "memmap", "fromregex",
    "frombuffer", "fromfunction", "vectorize", "apply_along_axis", "apply_over_axes", "piecewise", "info", "test",
    "show",
}  # fmt: skip
_METHODS = {"reduce", "accumulate", "reduceat", "outer", "at"}  # of ufuncs
_NESTED = ".<locals>."
_OF_ARRAYS = {"reshape", "ravel", "transpose", "swapaxes", "squeeze"}  # functions that are methods of ndarray


class Undescribed(InvalidType):
    """A value that no file can hold."""


class Writer:
    """Describes values.

    Attributes:
        arrays: those that were described, by number.
    """

    def __init__(self) -> None:
        self.arrays: list[Any] = []
        self._names: dict[int, tuple[Any, Any]] = {}
        self._scopes: list[Scope] = []

    def value(self, x: Value) -> Any:
        """A value as JSON; raises Undescribed."""
        if x is None or x.__class__ in (bool, int, str):
            return x
        kind = type(x)
        if kind is float:
            return ["float", x.hex()]
        if kind is complex:
            return ["complex", x.real.hex(), x.imag.hex()]
        if kind in (tuple, list, set):
            return [kind.__name__, *map(self.value, x)]
        if isinstance(x, tuple) and hasattr(x, "_fields") and _is_known(kind.__module__):
            return ["record", kind.__module__, kind.__qualname__, *map(self.value, x)]
        if kind is dict:
            return ["dict", *([self.value(k), self.value(v)] for k, v in x.items())]
        if kind is slice:
            return ["slice", *map(self.value, (x.start, x.stop, x.step))]
        if x is Ellipsis or x is HOLE:
            return ["…" if x is Ellipsis else "hole"]
        if isinstance(x, (np.ndarray, np.generic)):
            return self._array(x)
        if isinstance(x, np.dtype):
            return ["dtype", _dtype(x)]
        if kind is Fraction:
            return ["fraction", x.numerator, x.denominator]
        if isinstance(x, Algebra):
            return ["algebra", type(x).__name__, self.value(x._args), self.value(x.names)]
        if isinstance(x, Scope):
            if x not in self._scopes:
                self._scopes.append(x)
            return ["scope", self._scopes.index(x), x.name]
        if isinstance(x, optree.PyTreeSpec):
            return ["structure", x.namespace, self.value(optree.tree_unflatten(x, [HOLE] * x.num_leaves))]
        return self.function(x)

    def _array(self, x: Any) -> Any:
        if type(x) is not np.ndarray and not isinstance(x, np.generic):
            raise Undescribed(f"an array of type {type(x).__name__}")
        _dtype(x.dtype)
        number = isinstance(x, np.generic)
        array = np.asarray(x)
        self.arrays.append(array[(slice(0, 1),) * array.ndim] if array.size and is_uniform(array) else array)
        return ["number" if number else "array", len(self.arrays) - 1, *array.shape]

    def function(self, f: Any) -> Any:
        """A function, a class or an object of this package."""
        known = self._names.get(id(f))
        if known is None:
            self._names[id(f)] = f, ["again", len(self._names)]  # f is held, so that its id stays its own
            known = self._names[id(f)] = f, self._function(f, len(self._names) - 1)
        return known[1]

    def _function(self, f: Any, number: int) -> Any:
        name = getattr(f, "__name__", "")
        if isinstance(f, type) and f.__module__ == "builtins" and f in _TYPES.values():
            return ["type", name]
        found = _named(f)
        if found is not None:
            return ["named", *found]
        if isinstance(f, BuiltinFunctionType) and isinstance(f.__self__, np.ufunc):
            return ["method", self.function(f.__self__), name]
        if getattr(f, "__objclass__", None) is np.ndarray:
            return ["ndarray", name]
        if type(f) is partial:
            return ["partial", self.function(f.func), self.value(f.args), self.value(f.keywords)]
        if type(f) is MethodType:
            return ["bound", self.value(f.__self__), f.__func__.__name__]
        if type(f) is FunctionType and _of_package(f.__module__):
            return ["closure", number, *self._closure(f)]
        if _of_package(type(f).__module__):
            return ["object", number, *(_named(type(f)) or ()), *([name, self.value(x)] for name, x in _state(f))]
        what = getattr(f, "__qualname__", None)
        raise Undescribed(f"the function {what}" if what else f"a {type(f).__name__}")

    def _closure(self, f: FunctionType) -> Any:
        """A function that was made within another: which code it runs, and what it holds."""
        codes = list(_nested(_outermost(f.__module__, f.__qualname__), f.__qualname__))
        if f.__code__ not in codes:
            raise Undescribed(f"the function {f.__qualname__}")
        cells = [self.value(c.cell_contents) for c in f.__closure__ or ()]
        more = self.value(f.__defaults__), self.value(f.__kwdefaults__)
        return [f.__module__, f.__qualname__, codes.index(f.__code__), cells, *more]


class Reader:
    """Reads what a `Writer` has described.

    Args:
        arrays: those beside the descriptions.
    """

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.arrays = arrays
        self._scopes: dict[int, Scope] = {}
        self._made: dict[int, Any] = {}  # functions and objects, by number

    def value(self, d: Any) -> Any:
        """The value that was described."""
        if type(d) is not list:
            return d
        kind, *rest = d
        if kind in ("tuple", "list", "set"):
            return _TYPES[kind](map(self.value, rest))
        read = _READ.get(kind)
        if read is not None:
            return read(*rest)
        if kind == "dict":
            return {self.value(k): self.value(v) for k, v in rest}
        if kind == "slice":
            return slice(*map(self.value, rest))
        if kind in ("array", "number"):
            array = self.arrays[rest[0]]
            array = array if array.shape == tuple(rest[1:]) else np.broadcast_to(array, rest[1:])
            return array if kind == "array" else array[()]
        if kind == "algebra":
            kinds = {kind.__name__: kind for kind in _subclasses(Algebra)}
            return kinds[rest[0]](*self.value(rest[1])).named(self.value(rest[2]))
        if kind == "scope":
            return self._scopes.setdefault(rest[0], Scope(0, rest[1]))
        if kind == "structure":
            return optree.tree_flatten(self.value(rest[1]), none_is_leaf=True, namespace=rest[0])[1]
        if kind == "method" and rest[1] in _METHODS:
            return getattr(self.value(rest[0]), rest[1])
        if kind == "partial":
            return partial(self.value(rest[0]), *self.value(rest[1]), **self.value(rest[2]))
        if kind == "bound":
            return MethodType(getattr(type(x := self.value(rest[0])), rest[1]), x)
        if kind == "record":
            return _record(*rest[:2])(*map(self.value, rest[2:]))
        if kind in ("again", "closure", "object"):
            if rest[0] not in self._made:
                (self._closure if kind == "closure" else self._object)(*rest)
            return self._made[rest[0]]
        raise InvalidValue(f"a description of kind {kind!r}")

    def _closure(self, number: int, module: str, name: str, which: int, cells: Any, defaults: Any, named: Any) -> None:
        code = list(_nested(_outermost(module, name), name))[which]
        held = tuple(CellType() for _ in cells)
        f = self._made[number] = FunctionType(code, vars(sys.modules[module]), code.co_name, None, held)
        for cell, c in zip(held, cells, strict=True):  # which may be the function itself
            cell.cell_contents = self.value(c)
        f.__defaults__, f.__kwdefaults__, f.__qualname__ = self.value(defaults), self.value(named), name

    def _object(self, number: int, module: str, name: str, *state: Any) -> None:
        x = self._made[number] = object.__new__(_lookup(module, name))
        for attribute, its in state:
            object.__setattr__(x, attribute, self.value(its))


_READ: dict[str, Callable[..., Any]] = {
    "float": float.fromhex,
    "complex": lambda a, b: complex(float.fromhex(a), float.fromhex(b)),
    "…": lambda: Ellipsis,
    "hole": lambda: HOLE,
    "dtype": lambda name: np.dtype(name),
    "fraction": Fraction,
    "type": lambda name: _TYPES[name],
    "named": lambda module, name: _lookup(module, name),
    "ndarray": lambda name: getattr(np.ndarray, name if name in _OF_ARRAYS else ""),
}


def _dtype(dtype: Any) -> str:
    if dtype.kind not in "fcbiu":
        raise Undescribed(f"an array of type {dtype}")
    name: str = dtype.str
    return name


def _subclasses(kind: type) -> Iterator[type]:
    yield kind
    below: type
    for below in kind.__subclasses__():
        yield from _subclasses(below)


def _state(x: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of an object."""
    yield from getattr(x, "__dict__", {}).items()
    for kind in type(x).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(x, name) and not name.startswith("__"):
                yield name, getattr(x, name)


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def _of_package(module: Any) -> bool:
    return str(module).partition(".")[0] == _PACKAGE and module != f"{_PACKAGE}.cli"


def _is_known(module: str) -> bool:
    return module.partition(".")[0] in (*_LIBRARIES, _PACKAGE)


def _record(module: str, name: str) -> Any:
    """A class of tuples with names."""
    kind = _found(import_module(module), name) if _is_known(module) else None
    if not (isinstance(kind, type) and issubclass(kind, tuple)):
        raise InvalidValue(f"{module}.{name} is not looked up")
    return kind


def _named(f: Any) -> tuple[str, str] | None:
    """Module and name by which a function or an object is found; None if there are none."""
    name = getattr(f, "__qualname__", None) or getattr(f, "__name__", "")
    home = getattr(f, "__module__", None) or ""
    for module in (*_public(str(home)), "numpy", "scipy.special"):
        if isinstance(name, str) and module in sys.modules and _allowed(module, name):
            if _found(sys.modules[module], name) is f:
                return module, name
    if name in _OPERATORS and _found(sys.modules["operator"], name) is f:
        return "operator", name
    if not isinstance(f, FunctionType) and not _plain(f):  # an object of this package that has a name there
        for module, its in list(sys.modules.items()):
            if _of_package(module) and its is not None:
                for key, x in list(vars(its).items()):
                    if x is f:
                        return module, key
    return None


def _plain(f: Any) -> bool:
    return isinstance(f, (type, BuiltinFunctionType, partial, MethodType))


def _public(module: str) -> list[str]:
    """The modules where what is defined in one may be found: of libraries those without an underscore."""
    if _of_package(module):
        return [module]
    parts = module.split(".")
    names = [".".join(parts[:i]) for i in range(len(parts), 0, -1)]
    return [name for name in names if not any(p.startswith("_") for p in name.split("."))]


def _allowed(module: str, name: str) -> bool:
    """Whether this may be looked up at all."""
    if _of_package(module):
        return True
    parts = module.split(".")
    hidden = any(p.startswith("_") or p in _OTHERS for p in (*parts[1:], name))
    return parts[0] in _LIBRARIES and not hidden and name not in _FILES


def _found(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def _lookup(module: str, name: str) -> Any:
    if module == "operator" and name in _OPERATORS:
        return _found(sys.modules[module], name)
    if not _allowed(module, name):
        raise InvalidValue(f"{module}.{name} is not looked up")
    found = _found(import_module(module), name)
    if found is None:
        raise InvalidValue(f"there is no {module}.{name}")
    return found


def _outermost(module: str, name: str) -> Any:
    """The function of this package that the code with a qualified name lies in."""
    if not _of_package(module):
        raise InvalidValue(f"{module}.{name} is not looked up")
    f = _found(import_module(module), name.partition(_NESTED)[0])
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    return getattr(f, "__func__", f)


def _nested(f: Any, name: str) -> Iterator[CodeType]:
    """The pieces of code of a qualified name, in their order."""
    waiting = [f.__code__] if isinstance(f, FunctionType) else []
    while waiting:
        code = waiting.pop(0)
        if code.co_qualname == name:
            yield code
        waiting += [c for c in code.co_consts if isinstance(c, CodeType)]
