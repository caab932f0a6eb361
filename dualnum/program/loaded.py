"""`load_program`: what `jit(f).save` wrote, to be called without f."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidType, InvalidValue
from . import saved
from .explained import kind
from .jit import Jitted
from .replay import ALARM
from .signature import machine_for
from .variants import Kept, Variant

__all__ = ["load_program"]


class Loaded(Jitted):
    """A compiled function out of a file, made by `load_program`."""

    def __init__(self, path: Any) -> None:
        (static, names), self._saved = saved.read(path)
        super().__init__(self._missing, static, names)
        self.__name__ = self.__qualname__ = Path(path).stem
        self.__doc__ = type(self).__doc__
        self._path = path

    def _missing(self, *args: Any, **kwargs: Any) -> NoReturn:
        there = "; ".join(_in_words(e.described) for e in self._saved)
        raise InvalidType(
            f"{self.__name__}: there is no program for these arguments; there is for ({there}); "
            "save one with jit(f).save(path, *args)"
        )

    def _kept(self, described: Any) -> Kept:
        kept = super()._kept(described)
        entry = next((e for e in self._saved if e.described == described), None)
        if entry is None:
            self._missing()
        kept.variants = tuple(entry.variants(machine_for(described[1])))
        kept.front = kept.variants[0]
        return kept

    def _otherwise(self, kept: Kept, results: Any, given: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for variant in kept.variants:
            if results is not ALARM and variant is not kept.front:
                results = variant.tried(given)
                if type(results) is list:
                    kept.to_front(variant)
                    return variant.given_back(results)
        if results is ALARM:
            raise InvalidValue(
                f"{self.__name__}: these numbers ask for the function itself (a singular matrix, a point at which a "
                "recurrence fails), which is not in the file; call the function there"
            )
        lines = sorted({g.place for v in kept.variants for whole in v.guards for g in whole.parts})
        raise InvalidValue(
            f"{self.__name__}: the function would go a way that was not saved, by the numbers looked at in "
            f"{', '.join(lines)}; call jit(f) with such arguments before save"
        )

    def _traced(self, args: tuple[Any, ...], kwargs: dict[str, Any], exact: bool = False) -> Variant:
        _, structure, described = self._flattened(args, kwargs)
        if described is None:
            self._missing()
        front: Variant = self._kept((structure, described)).front
        return front

    def __reduce__(self) -> tuple[Any, ...]:
        return Loaded, (self._path,)


def load_program(path: Any) -> Loaded:
    """A compiled function that `jit(f).save(path)` wrote, without f, and without tracing or compiling.

    It is called with arguments of the structures, shapes and types that it was saved for. A file holds machine code:
    load only what you would run. On a processor other than the one it was compiled for, it is compiled again.

    Args:
        path: of the file.

    Returns:
        A function of f's arguments, with f's results. Other arguments raise InvalidType, and numbers for which f would
        do something that was not saved InvalidValue.

    Raises:
        InvalidValue: the file is damaged, none of dualnum's, or of another version of it or of NumPy.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "gradient.dn")
        >>> dn.jit(dn.grad(lambda x: np.sum(x**3))).save(path, np.ones(2))
        >>> dn.load_program(path)(np.array([1.0, 2.0]))
        array([ 3., 12.])
    """
    return Loaded(path)


def _in_words(described: Any) -> str:
    """float64[3], float"""
    words = []
    leaves: Sequence[Any] = described[1]
    for d in leaves:
        if d[0] in ("number", "static"):
            words.append("float" if d[0] == "number" else repr(d[1].x))
        elif d[1] == "jet":
            words.append(f"jet of order {d[4].order}, {kind(d[2][1:], d[3])}")
        else:
            words.append(kind(d[1], d[2]))
    return ", ".join(words)
