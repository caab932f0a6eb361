"""Elementwise functions of NumPy that are no ufuncs."""

from typing import Any

import numpy as np
from numpy._core import umath

from ..errors import NotDifferentiable
from ..kinds import Value
from ..operand import Operand, implements, is_jet, primal
from ..primitives.elementwise import I0, SINC
from .arguments import into
from .keywords import apply, array, with_native

# ── parts of complex numbers ─────────────────────────────────────────────────────────────────────


@implements(np.angle)
def angle(z: Value, deg: bool = False) -> Any:
    """The argument of z, as a function of a real t; constant for real z."""
    if z.dtype.kind == "c":
        result = np.arctan2(np.imag(z), np.real(z))
        return result * (180 / np.pi) if deg else result
    return 0.0 * np.sign(z) + np.angle(primal(z), deg)


@implements(np.real_if_close, without_axes="array")
def real_if_close(a: Value, tol: float = 100) -> Any:
    """The real part of a jet if all its coefficients are as good as real: of no derivative more is left out."""
    if a.dtype.kind != "c":
        return a
    numbers = a
    while isinstance(numbers, Operand) and numbers.value is not numbers:
        if not is_jet(numbers):
            raise NotDifferentiable(
                "np.real_if_close: whether the imaginary part of a variable is negligible cannot be told from its "
                "value, for its derivatives need not be; use x.real to leave it out"
            )
        numbers = numbers.planes  # type: ignore[attr-defined]
    limit = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(numbers)) < limit) else a


_CLIP: Any = umath.clip  # type: ignore[attr-defined]  # the ufunc behind np.clip


# ── rounding and limits ──────────────────────────────────────────────────────────────────────────


@implements(np.clip)
def clip(
    a: Value, a_min: Any = None, a_max: Any = None, out: Value = None, *, min: Any = None, max: Any = None, **ufunc: Any
) -> Any:
    """min(max(a, low), high); inside and on the bounds the derivative is that of a."""
    low, high = a_min if min is None else min, a_max if max is None else max
    if low is None and high is None:
        return np.positive(a, out=out, **ufunc)
    return _CLIP(a, -np.inf if low is None else low, np.inf if high is None else high, out=out, **ufunc)


@implements(np.round, np.around)
def round(a: Value, decimals: int = 0, out: Value = None) -> Any:
    """Piecewise constant; in NumPy's own steps."""
    if decimals == 0:
        result = np.rint(a)
    elif decimals > 0:
        result = np.rint(a * 10.0**decimals) / 10.0**decimals
    else:
        result = np.rint(a / 10.0**-decimals) * 10.0**-decimals
    return into(out, result, "round")


@implements(np.fix)
def fix(x: Value, out: Value = None) -> Any:
    return into(out, np.trunc(x), "fix")


@implements(np.nan_to_num)
def nan_to_num(x: Value, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Constants in place of NaN and of infinities."""
    if x.dtype.kind == "c":
        result = _to_numbers(np.real(x), nan, posinf, neginf) + 1j * _to_numbers(np.imag(x), nan, posinf, neginf)
    else:
        result = _to_numbers(x, nan, posinf, neginf)
    return result if copy else into(x, result, "nan_to_num")


def _to_numbers(x: Value, nan: Any, posinf: Any, neginf: Any) -> Any:
    values, limits = primal(x), np.finfo(x.dtype)
    x = np.where(np.isnan(values), nan, x)
    x = np.where(values == np.inf, limits.max if posinf is None else posinf, x)
    return np.where(values == -np.inf, limits.min if neginf is None else neginf, x)


# ── with recurrences of their own ────────────────────────────────────────────────────────────────


@implements(np.sinc)
def sinc(x: Value) -> Any:
    return apply(SINC, x)


@implements(np.i0, without_axes="array")
def i0(x: Value) -> Any:
    return apply(I0, x)


# ── square roots and logarithms that turn complex ────────────────────────────────────────────────


def _complex_outside(x: Value, inside: Any) -> Any:
    """x, made complex if a value lies outside of the real domain, as np.emath decides it."""
    x = array(x)
    values = primal(x)
    if np.iscomplexobj(values) or not np.any(~inside(values) & ~np.isnan(values)):
        return x
    return x.astype(np.result_type(x.dtype, np.complex64))


def _emath(function: Any, real_function: Any, inside: Any) -> None:
    @implements(function)
    def call(x: Value) -> Any:
        return real_function(_complex_outside(x, inside))


def _not_negative(x: Value) -> Any:
    return x >= 0


_emath(np.emath.sqrt, np.sqrt, _not_negative)
_emath(np.emath.log, np.log, _not_negative)
_emath(np.emath.log2, np.log2, _not_negative)
_emath(np.emath.log10, np.log10, _not_negative)


def _inverse(function: Any, real_function: Any, outside: Any) -> None:
    """An inverse function that is real on [−1, 1]; `outside` is its complex value on the rest of the axis.

    There the complex function has its branch cuts, which real formulas know nothing of.
    """

    @implements(function)
    def call(x: Value) -> Any:
        values = primal(x)
        beyond = np.abs(values) > 1
        if np.iscomplexobj(values) or not np.any(beyond):
            return real_function(x)
        inner, outer = real_function(np.where(beyond, 0.0, x)), outside(np.where(beyond, x, 2.0))
        return with_native(np.where(beyond, outer, inner), function, x)


_inverse(np.emath.arccos, np.arccos, lambda x: np.arccos(np.sign(x)) - 1j * np.arccosh(np.abs(x)))
_inverse(np.emath.arcsin, np.arcsin, lambda x: np.arcsin(np.sign(x)) + 1j * np.arccosh(np.abs(x)))
_inverse(np.emath.arctanh, np.arctanh, lambda x: np.arctanh(1 / x) + 0.5j * np.pi)


@implements(np.emath.logn)
def logn(n: Any, x: Value) -> Any:
    x, n = (_complex_outside(v, _not_negative) for v in (x, n))
    return np.log(x) / np.log(n)


@implements(np.emath.power)
def power(x: Value, p: Value) -> Any:
    return np.power(_complex_outside(x, _not_negative), p)
