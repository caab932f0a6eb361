"""Exceptions: what was given, what was expected, what to do next.

Every error of the package is a `DualnumError` and, at the same time, the built-in exception that
a NumPy user would expect in its place, so both ``except DualnumError`` and ``except TypeError`` work.
"""

__all__ = [
    "DerivativeDropped",
    "DualnumError",
    "InvalidAxis",
    "InvalidIndex",
    "InvalidMatrix",
    "InvalidType",
    "InvalidValue",
    "LevelError",
    "MissingLibrary",
    "NoAttribute",
    "NonsmoothPoint",
    "NotDifferentiable",
    "NotFinite",
    "NotOnDevice",
    "NotTraceable",
    "PerformanceWarning",
    "PrecisionWarning",
]

from collections.abc import Callable
from typing import Any

import numpy as np


class DualnumError(Exception):
    """The base class of every error that dualnum raises on purpose."""


class InvalidType(DualnumError, TypeError):
    """An argument of a kind that cannot be used here."""


class InvalidValue(DualnumError, ValueError):
    """An argument of the right kind with a value that cannot be used here."""


class InvalidMatrix(InvalidValue, np.linalg.LinAlgError):
    """A matrix that cannot be used here: singular, not positive definite, not square."""


class InvalidIndex(DualnumError, IndexError):
    """An index that the operand does not have."""


class InvalidAxis(DualnumError, np.exceptions.AxisError):
    """An axis that the operand does not have."""


class NoAttribute(DualnumError, AttributeError):
    """An attribute of ndarray that has no meaning for what carries derivatives."""


class DerivativeDropped(InvalidType):
    """An operation that would keep the value and lose the derivatives in silence."""


class LevelError(InvalidValue):
    """Operands of one level that do not belong together, or that outlived their transform."""


class MissingLibrary(DualnumError, ImportError):
    """An optional library that a task needs is not installed."""


class NotDifferentiable(DualnumError, NotImplementedError):
    """A function without a derivative rule."""


class NonsmoothPoint(DualnumError, ArithmeticError):
    """There is no derivative here: a kink under `nonsmooth("raise")`, eigenvalues that meet, a rank that may change."""


class NotFinite(DualnumError, FloatingPointError):
    """A NaN or an infinity that `debug_nans` has found."""


class NotOnDevice(DualnumError, NotImplementedError):
    """What the library of the arrays on a device lacks."""


class NotTraceable(NotDifferentiable):
    """What cannot be done with an array of which only shape and type are known.

    Attributes:
        whole: (error, function, args, kwargs) → the whole function, in which it happened, as one step of the trace.
    """

    def __init__(self, what: str, instead: str, whole: Callable[..., Any]) -> None:
        super().__init__(f"jit: {what} is not possible while a function is traced; use {instead}")
        self.whole = whole


class PerformanceWarning(UserWarning):
    """A result is right and takes longer than it might; the message says why."""


class PrecisionWarning(UserWarning):
    """A result has fewer digits than its type; the message says how to get them all."""


def dropped(what: str, instead: str) -> DerivativeDropped:
    """The error for `what` would drop the derivatives; `instead` is what to write."""
    return DerivativeDropped(f"{what} would keep the value and drop the derivatives; write {instead}")


def not_on_device(function: str, what: str) -> NotOnDevice:
    """The error for what arrays on a device cannot do."""
    return NotOnDevice(f'{function}: {what}; compute it on the host, with x.to_device("cpu")')


_OURS: dict[type[Exception], type[DualnumError]] = {
    TypeError: InvalidType,
    ValueError: InvalidValue,
    IndexError: InvalidIndex,
    np.exceptions.AxisError: InvalidAxis,
    np.linalg.LinAlgError: InvalidMatrix,
    np.exceptions.DTypePromotionError: InvalidType,
}


def ours(error: Exception, function: str) -> Exception:
    """An error that NumPy raised within `function`, as the error of ours that stands for it.

    Errors of any other class, those of a user's callback among them, come back as they are.
    """
    kind = _OURS.get(type(error))
    if kind is None and type(error).__module__.startswith("numpy"):
        kind = next((ours for theirs, ours in _OURS.items() if isinstance(error, theirs)), None)
    return error if kind is None else kind(f"{function}: {error}")
