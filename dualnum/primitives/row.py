"""What a row of the table of primitives is: a function with its rule, and all that the rule tells of it.

The derivative of a row at a point, needed by the reverse sweep, is coefficient 1 of its series at
[u, 1]: one rule serves both directions and they cannot diverge.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np

from ..algebra.extended import algebra_of, padded
from ..counterparts import applied
from ..errors import NotTraceable
from ..kinds import Coefficient

__all__ = ["POSITIVE", "REAL", "UNIT", "Interval", "Mend", "Row", "in_recurrence", "recurring"]

Interval = tuple[float, float]
REAL: Interval = (-inf, inf)
POSITIVE: Interval = (0.0, inf)
UNIT: Interval = (-1.0, 1.0)


class Mend(NamedTuple):
    """A rule for the rare points at which a row's own rule fails, run on arrays where there are any.

    It need not be a recurrence that a kernel can be made of: it may look at its coefficients.
    """

    where: Callable[..., Any]  # mask of those points, from the value and the values of the arguments
    rule: Callable[..., Any]  # as Row.rule


@dataclass(frozen=True, eq=False, slots=True)
class Row:
    """One primitive, made by one of the declarers.

    Attributes:
        ufunc: the function itself; it computes the value, coefficient 0.
        kind: which declarer made the row (see the module's table).
        rule: (order, y_0, *series) → at most order + 1 coefficients of the result; of several outputs a tuple of lists.
        domain: per argument, the open interval on which the function is real and analytic.
        sample: per argument, an interval of generic points for tests and examples.
        special: points (a number for each argument) at which the rule or the function changes its form, beside those
            that every function is tried at: 0, ±½, ±1, 2, ties, the ends of the domain.
        kink: mask of the points (from the values of the arguments) where a subgradient stands in for the derivative.
        mend: a costlier rule for points where `rule` fails (a root of a series that begins with zeros).
        even: of a function with a kink where it is zero, the square of its value from the arguments: smooth there.
        of_squares: (u, sign, where it is zero) → the value for u = ± a sum of squares, smooth there, or a modulus.
        slopes: for each argument its partial derivative by other primitives, if that is right everywhere with all its
            derivatives as long as no other argument moves.
        reason: why there is no derivative (kind "unsupported").
    """

    ufunc: np.ufunc
    kind: str
    rule: Callable[..., Any] | None = None
    domain: Sequence[Interval] = ()
    sample: Sequence[Interval] = ()
    kink: Callable[..., Any] | None = None
    mend: Mend | None = None
    reason: str = ""
    special: Sequence[tuple[float, ...]] = ()
    even: Callable[..., Any] | None = None
    of_squares: Callable[..., Any] | None = None
    slopes: Sequence[Callable[..., Any] | None] = ()

    @property
    def name(self) -> str:
        """The name of the ufunc."""
        return str(self.ufunc.__name__)

    def expand(self, order: int, *operands: Sequence[Any], value: Coefficient = None) -> Any:
        """The series of the result to this order from the series of the operands (a tuple of them if nout > 1).

        The value, where it is not given, comes from the ufunc itself, never from a series. On arrays it is NumPy's, to
        the last bit; a compiled kernel calls the same function of libm, or glibc's vector form of it, whose last places
        differ (by up to 4 units, for sin at most points by 1 or 2).
        """
        assert self.rule is not None
        if value is None:
            value = applied(self.ufunc, *[u[0] for u in operands])
        if order == 0 or all(len(u) == 1 for u in operands):
            return [value] if self.ufunc.nout == 1 else tuple([v] for v in value)
        token = _recurring.set(True)
        try:
            return self.applied(order, value, *[u[: order + 1] for u in operands])
        finally:
            _recurring.reset(token)

    def pull(self, i: int, cotangent: Coefficient, value: Coefficient, *arguments: Any, output: int = 0) -> Any:
        """The pull-back along argument i: what the cotangent of the result contributes to that of u_i.

        The Jacobian of an elementwise function is diagonal, and so it is its own transpose: the pull-back of
        a cotangent ȳ is the push-forward of ȳ, coefficient 1 of the series at u_i + t·ȳ (of a real result of
        a complex argument that and −i times the one at u_i + t·iȳ). None where it is zero whatever ȳ is. The value is
        that at the arguments; of a ufunc with several results, output says which one ȳ belongs to.
        """
        assert self.rule is not None
        token = _recurring.set(True)
        try:
            slope = self._pushed(i, cotangent, value, arguments, output)
            if slope is not None and np.iscomplexobj(arguments[i]) and not np.iscomplexobj(value):
                slope = slope - self._pushed(i, cotangent * 1j, value, arguments, output) * 1j
        finally:
            _recurring.reset(token)
        return slope

    def applied(self, order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        """The rule at this order, value and operands; as a whole where it looks at numbers that a trace has not."""
        assert self.rule is not None
        series = _as_computed(self.ufunc, value, operands)
        try:
            return self.rule(order, value, *series)
        except NotTraceable as error:
            return error.whole(error, self._in_full, (order, value, *map(list, series)), {})

    def _in_full(self, order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        """The rule with all coefficients there can be: how many it gives must not hang on numbers that may change."""
        assert self.rule is not None
        algebra = algebra_of(operands)
        y = self.rule(order, value, *operands)
        return tuple(padded(order, c, algebra) for c in y) if self.ufunc.nout > 1 else padded(order, y, algebra)

    def _pushed(self, i: int, tangent: Coefficient, value: Coefficient, arguments: Sequence[Any], output: int) -> Any:
        assert self.rule is not None
        y = self.applied(1, value, *([u, tangent] if j == i else [u] for j, u in enumerate(arguments)))
        y = y[output] if self.ufunc.nout > 1 else y
        return y[1] if len(y) > 1 else None


_NUMBERS = (int, float, complex)  # whose type does not count


def _as_computed(ufunc: Any, value: Coefficient, operands: Sequence[Any]) -> Sequence[Any]:
    """The operands no narrower than the ufunc itself has them, so that a rule loses no digits that the value has.

    (SciPy has no loops for half precision, float_power none below double; log(True) is half precision.)
    """
    dtype = getattr(value[0] if isinstance(value, tuple) else value, "dtype", None)
    kinds = [_kind(u[0]) for u in operands]
    if all(k is dtype or k in _NUMBERS for k in kinds):
        return operands
    if dtype is None:  # symbols, which are all of one type
        return [[float(u[0])] if k is bool else u for u, k in zip(operands, kinds, strict=True)]
    try:
        loop = ufunc.resolve_dtypes((*(np.dtype(bool) if k is bool else k for k in kinds), *[None] * ufunc.nout))
    except (AttributeError, TypeError):  # no ufunc, or none of these types
        return operands
    return [_no_narrower(u, k, wanted) for u, k, wanted in zip(operands, kinds, loop, strict=False)]


def _kind(x: Coefficient) -> Any:
    """The type of a number of Python, the dtype of all else."""
    return type(x) if type(x) in _NUMBERS else getattr(x, "dtype", type(x))


def _no_narrower(u: Sequence[Any], kind: Any, wanted: Any) -> Sequence[Any]:
    """u in a wanted type of floating-point numbers (of a complex type in that of its parts), if its own is narrower."""
    if kind in _NUMBERS or wanted.kind not in "fc":
        return u
    real = np.finfo(wanted).dtype
    if kind is bool:
        return [real.type(u_k) for u_k in u]
    if kind == real or kind.kind == "c" or not np.can_cast(kind, real):
        return u
    return [u_k * real.type(1) for u_k in u]


_recurring: ContextVar[bool] = ContextVar("in a recurrence", default=False)
# Whether a rule is running. What it writes down for a kernel may be rearranged within rounding; the value may not.
in_recurrence = _recurring.get


@contextmanager
def recurring() -> Iterator[None]:
    """What is written down inside was written by a rule."""
    token = _recurring.set(True)
    try:
        yield
    finally:
        _recurring.reset(token)
