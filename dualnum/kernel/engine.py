"""Which machine runs the programs."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import InvalidValue

__all__ = ["ENGINES", "available", "current", "engine"]

ENGINES = ("interpret", "llvm")


def available() -> tuple[str, ...]:
    """The engines that can run here."""
    return ENGINES if importlib.util.find_spec("llvmlite") else ENGINES[:1]


def _checked(name: str, source: str) -> str:
    if name not in ENGINES:
        raise InvalidValue(f"{source} is {name!r}; expected one of {', '.join(map(repr, ENGINES))}")
    if name not in available():
        raise InvalidValue(f'{source} is {name!r}, but llvmlite is not installed; pip install llvmlite, or "interpret"')
    return name


_named = os.environ.get("DUALNUM_ENGINE")
_current: ContextVar[str] = ContextVar(
    "engine", default=_checked(_named, "DUALNUM_ENGINE") if _named else available()[-1]
)
current = _current.get


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Runs what is inside the ``with`` block on the named engine.

    Args:
        name: "interpret" (NumPy, block by block: the definition) or "llvm" (compiled: the default).

    Raises:
        InvalidValue: there is no such engine, or llvmlite is not installed.

    Example:
        >>> with dn.engine("interpret"):
        ...     np.exp(jet(0.5, order=2)).coeffs
        array([1.6487, 1.6487, 0.8244])
    """
    token = _current.set(_checked(name, "engine"))
    try:
        yield
    finally:
        _current.reset(token)
