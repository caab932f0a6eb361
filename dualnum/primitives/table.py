"""The table of primitives: one row each, from which everything else about it follows.

A row says how the series of f(u, …) follows from the series of its operands. The declarers below
read as mathematics; use the first that fits:

=================  =========================================================================
`zero`             piecewise constant: sign, floor
`linear`           f(u, v)_k = c u_k + d v_k: add, remainder; f(u)_k = f(u_k): negative, deg2rad
`by_derivative`    the derivative, as an expression in u: ``by_derivative(np.log, lambda u: 1 / u)``
`composed`         an expression of other primitives (the value stays native)
`by_equation`      a differential equation: ``by_equation(np.exp, lambda du, y: du * y)``
`by_coefficients`  f⁽ⁿ⁾/n! at a point, where a recurrence in u would be unstable: Bessel functions
`recurrence`       a recurrence of `series`, for what the others would lose digits or time with
`predicate`        acts on values and returns a plain array: isnan, less
`unsupported`      no derivative; the reason goes into the error message
=================  =========================================================================
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .. import series
from ..algebra import NotGraded
from ..errors import InvalidType, InvalidValue, NotDifferentiable
from ..kinds import Coefficient
from .row import POSITIVE, REAL, UNIT, Interval, Mend, Row, in_recurrence

__all__ = [
    "POSITIVE", "REAL", "UNIT", "Interval", "Mend", "Row", "Series", "by_coefficients",
    "by_derivative", "by_equation", "composed", "in_recurrence", "linear", "lookup", "on_series",
    "predicate", "recurrence", "require_constant", "rows", "unsupported", "zero",
]  # fmt: skip


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
        if ufunc is np.divide and not isinstance(inputs[0], Series):
            return Quotient(*inputs)
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


def _coefficients(x: Coefficient) -> Sequence[Any]:
    return x.coefficients if isinstance(x, Series) else [x]


class Quotient(Series):
    """c/d for a constant c, worked out where something is made of it: as a slope it need not be (d y' = c u')."""

    def __init__(self, constant: Coefficient, denominator: Series) -> None:
        self.order = denominator.order
        self.constant = constant
        self.denominator = denominator.coefficients

    @cached_property
    def coefficients(self) -> Any:  # type: ignore[override]
        return lookup(np.divide).expand(self.order, [self.constant], self.denominator)

    def integral(self, order: int, u: Sequence[Any]) -> list[Any]:
        """∫ c/d du, without a constant term."""
        y = series.integral_over(order, 0, u, self.denominator)
        return y if type(self.constant) is int and self.constant == 1 else [self.constant * y_k for y_k in y]


def on_series(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule (order, *series) → coefficients, as a function that expressions can call."""

    def function(*operands: Any) -> Any:
        order = next(u.order for u in operands if isinstance(u, Series))
        return Series(order, rule(order, *map(_coefficients, operands)))

    return function


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

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        return [value] if ufunc.nout == 1 else tuple([v] for v in value)

    recurrence(ufunc, rule, kind="zero", **row)


def linear(ufunc: np.ufunc, *factors: Any, **row: Any) -> None:
    """f(u, …)_k = Σ_i c_i u_{i,k}, a factor being a number or a function of y_0 and the values; without any f(u_k)."""

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> list[Any]:
        if not factors:
            return [value, *map(ufunc, operands[0][1:])]
        values = [u[0] for u in operands]
        known = [c(value, *values) if callable(c) else c for c in factors]
        return series.combination(value, *zip(known, operands, strict=True))

    recurrence(ufunc, rule, kind="linear", **row)


def by_derivative(ufunc: np.ufunc, *partials: Any, of_log: bool = False, **row: Any) -> None:
    """From the partial derivatives as expressions in the operands: y' = Σ_i ∂_i f(u, …) u_i'.

    They are tuples where there are several results. In place of one, the name of an argument that must be constant.
    With `of_log` they are those of log f: y' = y Σ_i ∂_i log f(u, …) u_i'.
    """
    if len(partials) != ufunc.nin:
        raise InvalidValue(
            f"by_derivative: {ufunc.__name__} has {ufunc.nin} arguments, and {len(partials)} partial derivatives are "
            "given; expected one for each"
        )
    for i, each in enumerate(partials):
        if not callable(each) and not isinstance(each, str):
            raise InvalidType(
                f"by_derivative: the partial derivative of {ufunc.__name__} by argument {i} is {each!r}; expected a "
                "function of the operands, or the name of the argument if it must be constant"
            )

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        require_constant(ufunc, partials, operands)
        inner = [Series(order - 1, u[:order]) for u in operands]
        slopes = [(u, partial(*inner)) for u, partial in zip(operands, partials, strict=True) if len(u) > 1]
        if of_log:
            return series.exponential(order, value, *((u, _coefficients(p)) for u, p in slopes))
        if ufunc.nout == 1:
            return _integral(order, value, slopes)
        return tuple(_integral(order, v, [(u, p[i]) for u, p in slopes]) for i, v in enumerate(value))

    recurrence(ufunc, rule, kind="by_derivative", **row)


def _integral(order: int, value: Coefficient, slopes: Sequence[tuple[Sequence[Any], Any]]) -> list[Any]:
    """y' = Σ p u'."""
    quotients = [p.integral(order, u) for u, p in slopes if isinstance(p, Quotient)]
    others = [(u, _coefficients(p)) for u, p in slopes if not isinstance(p, Quotient)]
    return [value, *series.added(series.integral(order, value, *others), *quotients)[1:]]


def require_constant(ufunc: np.ufunc, names: Sequence[Any], operands: Sequence[Sequence[Any]]) -> None:
    """Raises where an argument with a name, which has no derivative rule, carries derivatives."""
    for name, u in zip(names, operands, strict=False):
        if isinstance(name, str) and len(u) > 1:
            raise NotDifferentiable(
                f"{ufunc.__name__.lstrip('_')}: the argument {name} carries derivatives, and dualnum has no rule for "
                f"the derivative with respect to {name}; give a constant there ({name}.value)"
            )


def composed(ufunc: np.ufunc, expression: Callable[..., Any], **row: Any) -> None:
    """From an expression of other primitives, for coefficients 1 and up (say why nothing cancels)."""

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> list[Any]:
        result = expression(*(Series(order, u) for u in operands))
        return [value, *_coefficients(result)[1:]]

    recurrence(ufunc, rule, kind="composed", **row)


def by_equation(
    ufunc: np.ufunc,
    equations: Callable[..., Any],
    companions: Callable[..., Any] | None = None,
    *parameters: str,
    **row: Any,
) -> None:
    """From y' = f(u', y), or (y', z', …) = f(u', y, z, …) with companions(y_0, u_0) → z_0, ….

    Both functions are given the parameters as well, which must be constant.
    """

    def rule(order: int, value: Coefficient, u: Sequence[Any], *others: Sequence[Any]) -> Any:
        require_constant(ufunc, parameters, others)
        constants = [c[0] for c in others]
        initial = [value] if ufunc.nout == 1 else list(value)
        if companions is not None:
            z = companions(value, u[0], *constants)
            initial += z if isinstance(z, tuple) else [z]
        y = series.solve(order, lambda *unknowns: equations(*unknowns, *constants), u, initial, ufunc.nout)
        return y[0] if ufunc.nout == 1 else tuple(y)

    recurrence(ufunc, rule, kind="by_equation", **row)


def by_coefficients(ufunc: np.ufunc, outer: Callable[..., Any], *parameters: str, **row: Any) -> None:
    """From outer(order, y_0, *parameters, x) → [f(x), f'(x), …, f⁽ᵏ⁾(x)/k!], the parameters being constant.

    f∘u = Σ f_n (u − u_0)ⁿ, where a recurrence in u would be unstable: where the equation of f has a second solution
    that grows faster.
    """

    def rule(order: int, value: Coefficient, *operands: Sequence[Any]) -> Any:
        require_constant(ufunc, parameters, operands)
        f = outer(order, value, *(u[0] for u in operands))
        u = operands[-1]
        return series.compose(order, f, u) if ufunc.nout == 1 else tuple(series.compose(order, g, u) for g in f)

    recurrence(ufunc, rule, kind="by_coefficients", **row)


def predicate(*ufuncs: np.ufunc) -> None:
    """Acts on values; the result is a plain array."""
    for ufunc in ufuncs:
        _register(Row(ufunc, "predicate"))


def unsupported(reason: str, *ufuncs: np.ufunc) -> None:
    """No derivative, for this reason."""
    for ufunc in ufuncs:
        _register(Row(ufunc, "unsupported", reason=reason))
