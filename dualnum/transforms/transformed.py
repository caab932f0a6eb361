"""What a transform gives: a function with a name, which can be pickled and moves its arguments where it is told to."""

from collections.abc import Callable, Sequence
from functools import partial
from sys import modules
from types import MethodType
from typing import Any

import numpy as np

from .. import containers
from ..backend import is_array, resolved
from ..devices import within
from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..operand import Operand, away, moved

__all__ = ["Argnums", "Transformed", "everything", "placed"]

Argnums = int | Sequence[int]


class Transformed:
    """A function that a transform made of another; pickled as that one and the transform."""

    def __init__(
        self, call: Callable[..., Any], f: Callable[..., Any], name: str, remake: Any, argnums: Argnums = 0
    ) -> None:
        self._call = call
        self._argnums = argnums
        self._remake = remake
        self.__name__ = self.__qualname__ = f"{name}({getattr(f, '__name__', 'f')})"
        self.__doc__ = f"The {name} of {getattr(f, '__name__', 'f')}."
        self.__wrapped__ = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "cupy" in modules and (device := away((args, kwargs))) is not None:
            with device:
                return self._call(*args, **kwargs)
        result = self._call(*args, **kwargs)
        if "pandas" not in modules:
            return result
        indices = self._argnums if isinstance(self._argnums, Sequence) else (self._argnums,)
        return containers.relabelled(result, [args[i] for i in indices if i < len(args)])

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return self._remake, (self.__wrapped__,)


def _named(
    transformed: Callable[..., Any],
    f: Callable[..., Any],
    name: str,
    argnums: Argnums = 0,
    remake: Any = None,
    device: str | None = None,
    directions: int = 0,
) -> Callable[..., Any]:
    """The function under the name of its transform; `remake` makes it of f again.

    With a device on arguments that are moved there: those that vary, and as many directions behind f's own.
    """
    _check_callable(f, name)
    if type(argnums) is not int:
        _indices(argnums, name)
    if device is None:
        return Transformed(transformed, f, name, remake, argnums)

    def varying(args: Sequence[Any]) -> Sequence[int]:
        own = len(args) - directions
        return *_positions(argnums, args[:own], name), *range(own, len(args))

    return Transformed(placed(transformed, device, varying), f, name, partial(remake, device=device))


def _check_callable(f: Any, name: str) -> None:
    if not callable(f):
        raise InvalidType(f"{name}: f is a {type(f).__name__}; expected a function of arrays, as np.sin is one")


# ── which arguments vary ─────────────────────────────────────────────────────────────────────────


def _positions(argnums: Argnums, args: Sequence[Any], name: str) -> tuple[int, ...]:
    if type(argnums) is int and 0 <= argnums < len(args) and args[argnums] is not None:
        return (argnums,)
    positions = _indices(argnums, name)
    for i in positions:
        if not -len(args) <= i < len(args):
            raise InvalidValue(
                f"{name}: argnums is {argnums}, but the function was called with {len(args)} arguments by position "
                "(what is given by keyword is constant)"
            )
    chosen = tuple(int(i) % len(args) for i in positions)
    if not chosen:
        raise InvalidValue(f"{name}: argnums is {argnums}; expected one index at least")
    if len(set(chosen)) < len(chosen):
        raise InvalidValue(f"{name}: argnums is {argnums}, which names an argument twice; expected each once")
    for i in chosen:
        if args[i] is None:
            raise InvalidType(f"{name}: argument {i} is None; expected an array or a container of arrays")
    return chosen


def _indices(argnums: Argnums, name: str) -> tuple[int, ...]:
    indices = tuple(argnums) if isinstance(argnums, Sequence) else (argnums,)
    if any(isinstance(i, bool) or not isinstance(i, (int, np.integer)) for i in indices):
        raise InvalidType(
            f"{name}: argnums is {argnums!r}; expected an index or a sequence of indices (the point goes to the "
            f"result: dn.{name}(f)(x))"
        )
    return indices


# ── on a device ──────────────────────────────────────────────────────────────────────────────────


def placed(
    call: Callable[..., Any], device: str, varying: Callable[[Sequence[Any]], Sequence[int]]
) -> Callable[..., Any]:
    """The function with its arguments on a device: all arrays, and the numbers among those that vary.

    Args:
        call: what a transform made.
        device: "cpu", "cuda" or "cuda:N".
        varying: from the arguments the positions of those that vary.
    """
    device = resolved(device)

    def there(*args: Any, **kwargs: Any) -> Any:
        vary = varying(args)
        with within(device):
            there = [everything(x, device) if i in vary else _arrays(x, device) for i, x in enumerate(args)]
            return call(*there, **_arrays(kwargs, device))

    return there


def everything(tree: Any, device: str) -> Any:
    """The arrays and numbers of a nested container on a device."""
    return _arrays(containers.map_leaves(lambda x: np.asarray(x) if isinstance(x, _NUMBERS) else x, tree), device)


_NUMBERS = (int, float, complex, np.generic)


def _arrays(tree: Any, device: str) -> Any:
    return containers.map_leaves(lambda x: _moved(x, device), tree)


def _moved(x: Value, device: str) -> Any:
    """An operand or array on a device; a number of NumPy's is everywhere."""
    return moved(x, device) if isinstance(x, Operand) or (is_array(x) and not isinstance(x, np.generic)) else x
