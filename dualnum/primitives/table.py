"""The table of primitives: one row each, from which everything else about it follows.

A row says how the series of f(u, …) follows from the series of its operands. The declarers below
read as mathematics; use the first that fits:

=================  =========================================================================
`zero`             piecewise constant: sign, floor
`linear`           f(u)_k = f(u_k): negative, conjugate, deg2rad
`by_derivative`    the derivative, as an expression in u: ``by_derivative(np.arctan, lambda u: 1/(1 + u*u))``
`composed`         an expression of other primitives (the value stays native)
`recurrence`       a recurrence of `series`, for what the others would lose digits with
`predicate`        acts on values and returns a plain array: isnan, less
`unsupported`      no derivative; the reason goes into the error message
=================  =========================================================================

The derivative of a row at a point, needed by the reverse sweep, is coefficient 1 of its series at
[u, 1]: one rule serves both directions and they cannot diverge.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .. import series
from ..algebra import NotGraded
from ..algebra.extended import algebra_of, padded
from ..errors import NotDifferentiable, NotTraceable
from ..operand import Operand, primal

__all__ = [
    "POSITIVE", "REAL", "UNIT", "Mend", "Row", "Series", "around_zeros", "by_derivative", "composed", "linear",
    "lookup", "mended", "predicate", "recurrence", "rows", "unsupported", "zero",
]  # fmt: skip

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

    def expand(self, order: int, *operands: Sequence[Any], value: Any = None) -> Any:
        """The series of the result to this order from the series of the operands (a tuple of them if nout > 1).

        The value, where it is not given, comes from the ufunc itself, never from a series. On arrays it is NumPy's, to
        the last bit; a compiled kernel calls the same function of libm, or glibc's vector form of it, whose last places
        differ (by up to 4 units, for sin at most points by 1 or 2).
        """
        assert self.rule is not None
        if value is None:
            value = self.ufunc(*[u[0] for u in operands])
        if order == 0 or all(len(u) == 1 for u in operands):
            return [value] if self.ufunc.nout == 1 else tuple([v] for v in value)
        token = _recurring.set(True)
        try:
            return self.applied(order, value, *[u[: order + 1] for u in operands])
        finally:
            _recurring.reset(token)

    def pull(self, i: int, cotangent: Any, value: Any, *arguments: Any, output: int = 0) -> Any:
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

    def applied(self, order: int, value: Any, *operands: Sequence[Any]) -> Any:
        """The rule at this order, value and operands; as a whole where it looks at numbers that a trace has not."""
        assert self.rule is not None
        series = _as_computed(self.ufunc, value, operands)
        try:
            return self.rule(order, value, *series)
        except NotTraceable as error:
            return error.whole(error, self._in_full, (order, value, *map(list, series)), {})

    def _in_full(self, order: int, value: Any, *operands: Sequence[Any]) -> Any:
        """The rule with all coefficients there can be: how many it gives must not hang on numbers that may change."""
        assert self.rule is not None
        algebra = algebra_of(operands)
        y = self.rule(order, value, *operands)
        return tuple(padded(order, c, algebra) for c in y) if self.ufunc.nout > 1 else padded(order, y, algebra)

    def _pushed(self, i: int, tangent: Any, value: Any, arguments: Sequence[Any], output: int) -> Any:
        assert self.rule is not None
        y = self.applied(1, value, *([u, tangent] if j == i else [u] for j, u in enumerate(arguments)))
        y = y[output] if self.ufunc.nout > 1 else y
        return y[1] if len(y) > 1 else None


_NUMBERS = (int, float, complex)  # whose type does not count


def _as_computed(ufunc: Any, value: Any, operands: Sequence[Any]) -> Sequence[Any]:
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


def _kind(x: Any) -> Any:
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


def mended(row: Row, order: int, result: Any, operands: Sequence[Sequence[Any]]) -> Any:
    """The result with the points redone at which the row's own rule fails, if there are any."""
    mend = row.mend
    if mend is None or (row.kind != "derived" and (not order or all(len(u) == 1 for u in operands))):
        return result  # of the row itself a value is right everywhere
    where = mend.where(result[0], *(u[0] for u in operands))
    if isinstance(where, Operand):  # no numbers to look at yet
        where._alarm()
        return result
    if any(isinstance(u[0], Operand) for u in operands) or not np.any(where):
        return result
    try:
        redone = mend.rule(order, result[0], *operands)
        return _redone(order, where, redone, result)
    except NotGraded:  # it looks at coefficients, which several variables have no order for
        moving = [i for i, u in enumerate(operands) if len(u) > 1]
        if len(moving) > 1:
            return result
        along = [[u[0], 1.0] if len(u) > 1 else [u[0]] for u in operands]
        outer = mend.rule(order, result[0], *along)
        redone = series.compose_safely(order, outer, operands[moving[0]])
        return _redone(order, where, redone, result)


def _redone(order: int, where: Any, redone: Any, result: Any) -> Any:
    """The value as well: that of a derivative is a coefficient of the rule that failed."""
    return series.select(order, np.where(where, redone[0], result[0])[()], where, redone, result)


def around_zeros(row: Row, inputs: Sequence[Any], compute: Callable[[], Any]) -> Any:
    """The value by `compute`, or around its zeros by what the row says of squares."""
    if row.of_squares is not None and isinstance(inputs[0], Operand):
        zero = primal(inputs[0]) == 0
        if isinstance(zero, Operand) or not zero.any():  # of a trace the mend takes care
            return compute()
        sign = inputs[0]._squares()
        if sign:
            return row.of_squares(inputs[0], sign, zero)
    y = compute()
    if row.even is not None and isinstance(y, Operand):
        zero = primal(y) == 0
        if not isinstance(zero, Operand) and zero.any():
            return y._remembering(row.even(*inputs))
    return y


class Series(NDArrayOperatorsMixin):
    """Coefficients up to an order with operators, on which the expressions of `by_derivative` and `composed` run."""

    __slots__ = ("coefficients", "order")

    def __init__(self, order: int, coefficients: Sequence[Any]) -> None:
        self.order = order
        self.coefficients = coefficients

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any) -> Any:
        if method != "__call__":
            raise NotGraded(f"{ufunc.__name__}.{method} of a series")
        row = lookup(ufunc)
        if row.kind == "predicate":
            return ufunc(*(_coefficients(x)[0] for x in inputs))
        result = row.expand(self.order, *map(_coefficients, inputs))
        if ufunc.nout > 1:
            return tuple(Series(self.order, y) for y in result)
        return Series(self.order, result)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        """What the rules themselves do with coefficients, when these are series in turn."""
        if function is np.where and len(args) == 3:
            condition, u, v = args[0], _coefficients(args[1]), _coefficients(args[2])
            return Series(self.order, series.select(self.order, np.where(condition, u[0], v[0]), condition, u, v))
        if function is np.real:
            return Series(self.order, [np.real(u) for u in self.coefficients])
        if function in (np.iscomplexobj, np.shape, np.ndim):
            return function(self.coefficients[0])
        raise NotGraded(f"{function.__name__} of a series")

    @property
    def ndim(self) -> int:
        """How many axes the value has."""
        return int(np.ndim(self.coefficients[0]))

    @property
    def dtype(self) -> Any:
        """The type of the value."""
        return self.coefficients[0].dtype


def _coefficients(x: Any) -> Sequence[Any]:
    return x.coefficients if isinstance(x, Series) else [x]


# ── the registry ─────────────────────────────────────────────────────────────────────────────────

_ROWS: dict[np.ufunc, Row] = {}


def rows() -> Iterator[Row]:
    """All rows that are registered now (SciPy's are there once scipy.special is imported)."""
    _load_special()
    return iter(list(_ROWS.values()))


def lookup(ufunc: np.ufunc) -> Row:
    """The row of a ufunc; raises `NotDifferentiable` where there is none or no rule."""
    row = _ROWS.get(ufunc) or getattr(ufunc, "row", None)  # a derivative brings its own
    if row is None and _load_special():
        row = _ROWS.get(ufunc)
    if row is None:
        raise NotDifferentiable(
            f"{ufunc.__name__}: dualnum has no derivative rule for this ufunc; apply it to x.value if the "
            "result is meant as a constant, or write the function with others that have a rule"
        )
    if row.kind == "unsupported":
        raise NotDifferentiable(f"{row.name}: {row.reason}; apply it to x.value if the result is meant as a constant")
    return row


_special_loaded = False


def _load_special() -> bool:
    """Registers the rows of scipy.special once the caller has imported it; true if that was now."""
    global _special_loaded
    if _special_loaded or "scipy.special" not in sys.modules:
        return False
    _special_loaded = True
    from . import special  # noqa: F401

    return True


def _register(row: Row) -> None:
    known = _ROWS.setdefault(row.ufunc, row)
    assert known is row, f"two rows for {row.name}"


# ── the declarers ────────────────────────────────────────────────────────────────────────────────


def _per_argument(ufunc: np.ufunc, intervals: Any) -> tuple[Interval, ...]:
    return (intervals,) * ufunc.nin if isinstance(intervals[0], (int, float)) else tuple(intervals)


def recurrence(
    ufunc: np.ufunc,
    rule: Callable[..., Any],
    *,
    kind: str = "recurrence",
    domain: Any = REAL,
    sample: Any = (-3.0, 3.0),
    kink: Callable[..., Any] | None = None,
    mend: Mend | None = None,
    special: Sequence[tuple[float, ...]] = (),
    even: Callable[..., Any] | None = None,
    of_squares: Callable[..., Any] | None = None,
    slopes: Sequence[Callable[..., Any] | None] = (),
) -> None:
    """A row by its rule (order, y_0, *series) → coefficients."""
    intervals = _per_argument(ufunc, domain), _per_argument(ufunc, sample)
    _register(Row(ufunc, kind, rule, *intervals, kink, mend, "", special, even, of_squares, slopes))


def zero(ufunc: np.ufunc, **row: Any) -> None:
    """Piecewise constant: the value, and no derivative anywhere (the jumps are kinks)."""

    def rule(order: int, value: Any, *operands: Sequence[Any]) -> Any:
        return [value] if ufunc.nout == 1 else tuple([v] for v in value)

    recurrence(ufunc, rule, kind="zero", **row)


def linear(ufunc: np.ufunc, **row: Any) -> None:
    """f(u)_k = f(u_k)."""

    def rule(order: int, value: Any, u: Sequence[Any]) -> list[Any]:
        return [value, *map(ufunc, u[1:])]

    recurrence(ufunc, rule, kind="linear", **row)


def by_derivative(ufunc: np.ufunc, *partials: Callable[..., Any], **row: Any) -> None:
    """From the partial derivatives as expressions in the operands: y' = Σ_i ∂_i f(u, …) u_i'."""

    def rule(order: int, value: Any, *operands: Sequence[Any]) -> list[Any]:
        inner = [Series(order - 1, u[:order]) for u in operands]
        slopes = [
            (u, _coefficients(partial(*inner))) for u, partial in zip(operands, partials, strict=True) if len(u) > 1
        ]
        return series.integral(order, value, *slopes)

    recurrence(ufunc, rule, kind="by_derivative", **row)


def composed(ufunc: np.ufunc, expression: Callable[..., Any], **row: Any) -> None:
    """From an expression of other primitives, for coefficients 1 and up (say why nothing cancels)."""

    def rule(order: int, value: Any, *operands: Sequence[Any]) -> list[Any]:
        result = expression(*(Series(order, u) for u in operands))
        return [value, *_coefficients(result)[1:]]

    recurrence(ufunc, rule, kind="composed", **row)


def predicate(*ufuncs: np.ufunc) -> None:
    """Acts on values; the result is a plain array."""
    for ufunc in ufuncs:
        _register(Row(ufunc, "predicate"))


def unsupported(reason: str, *ufuncs: np.ufunc) -> None:
    """No derivative, for this reason."""
    for ufunc in ufuncs:
        _register(Row(ufunc, "unsupported", reason=reason))
