"""At the rare points where a row's own rule fails: its mend, and what is known of squares there.

A mend runs on arrays of numbers, where it looks for what occurs at all, and on symbols of a program or arrays of a
device, where it computes every case and chooses (see `backend.occurs`). Some cases have no rule in homogeneous
parts: those elements are noted, and redone by the derivatives of the outer function.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import reduce
from typing import Any

import numpy as np

from .. import series
from ..algebra import Algebra, NotGraded, Part
from ..algebra.extended import algebra_of
from ..algebra.graded import is_zero
from ..backend import occurs
from ..kinds import Coefficient
from ..operand import Operand, primal, visible
from .row import Row

__all__ = ["around_zeros", "attempted", "mended", "mending", "without_rule"]


def mended(row: Row, order: int, result: Any, operands: Sequence[Sequence[Any]]) -> Any:
    """The result with the points redone at which the row's own rule fails, if there are any."""
    where = _fails(row, order, result[0], operands)
    if isinstance(where, Operand):  # no numbers to look at yet
        if not where._seldom():
            return result
    elif any(isinstance(u[0], Operand) for u in operands) or not occurs(where):
        return result
    where, redone = _redone(row, order, where, result[0], operands)
    return result if redone is None else _selected(order, where, redone, result, algebra_of(operands))


def mending(
    row: Row, order: int, value: Coefficient, operands: Sequence[Sequence[Any]]
) -> tuple[Any, Sequence[Any]] | None:
    """The mend of a row for a program: the mask of the points where its own rule fails, and their series.

    Called with symbols of a graph it writes the program that may follow that of the rule, for what the mask holds::

        where, redone = mending(row, order, row.ufunc(*(u[0] for u in operands)), operands)

    Args:
        row: the primitive, or a derivative of one.
        order: the highest degree.
        value: its value by the ufunc.
        operands: the series of its operands; of several variables in homogeneous parts.

    Returns:
        (mask, series), or None where nothing is to be redone.

    Raises:
        Untraceable: the mend must see the numbers (np.power with an array of exponents).
        NotGraded: it has no rule in several variables.
    """
    where, redone = _redone(row, order, _fails(row, order, value, operands), value, operands)
    if redone is None or not occurs(where):
        return None
    return where, _in_parts(algebra_of(operands), redone)


def _in_parts(algebra: Algebra | None, u: Sequence[Any]) -> Sequence[Any]:
    return u if algebra is None else [u[0], *(_part(algebra, k, c) for k, c in enumerate(u) if k)]


def _part(algebra: Algebra, k: int, c: Coefficient) -> Any:
    """A homogeneous part; what cannot be known is so in every monomial of its degree."""
    if isinstance(c, Part) or is_zero(c):
        return c
    return Part(algebra, dict.fromkeys(algebra.monomials[algebra.block(k)], c))


def _fails(row: Row, order: int, value: Coefficient, operands: Sequence[Sequence[Any]]) -> Any:
    """The mask of the points at which the row's own rule fails; False where there are none whatever the numbers."""
    if row.mend is None or (row.kind != "derived" and (not order or all(len(u) == 1 for u in operands))):
        return False  # of the row itself a value is right everywhere
    return row.mend.where(value, *(u[0] for u in operands))


def _redone(
    row: Row, order: int, where: Any, value: Coefficient, operands: Sequence[Sequence[Any]]
) -> tuple[Any, Sequence[Any] | None]:
    """The mask of the points that can be redone, and their series; None where there are none."""
    if row.mend is None or not occurs(where):
        return False, None
    rule = row.mend.rule
    redone, missing = attempted(rule, order, value, operands)
    if not occurs(missing):
        return where, redone
    moving = [i for i, u in enumerate(operands) if len(u) > 1]
    if len(moving) != 1:
        return np.logical_and(where, np.logical_not(missing)), redone
    along = [[u[0], 1.0] if len(u) > 1 else [u[0]] for u in operands]
    by_outer = series.compose_safely(order, rule(order, value, *along), operands[moving[0]])
    return where, by_outer if redone is None else _selected(order, missing, by_outer, redone, algebra_of(operands))


def _selected(order: int, where: Any, u: Sequence[Any], v: Sequence[Any], algebra: Algebra | None) -> Any:
    """The value as well: that of a derivative is a coefficient of the rule that failed."""
    u, v = _in_parts(algebra, u), _in_parts(algebra, v)
    value = u[0] if u[0] is v[0] else np.where(where, u[0], v[0])
    return series.select(order, value[()] if isinstance(value, np.ndarray) else value, where, u, v)


# ── cases without a rule ─────────────────────────────────────────────────────────────────────────

_missing: ContextVar[list[Any] | None] = ContextVar("where a rule has nothing to say", default=None)


def attempted(
    rule: Callable[..., Any], order: int, value: Coefficient, operands: Sequence[Sequence[Any]]
) -> tuple[Any, Any]:
    """What a rule of homogeneous parts gives, and the mask of the elements for which it has none (True: of all)."""
    missing: list[Any] = []
    token = _missing.set(missing)
    try:
        return rule(order, value, *operands), reduce(np.logical_or, missing, np.False_)
    except NotGraded:
        return None, True
    finally:
        _missing.reset(token)


def without_rule(where: Any, error: NotGraded) -> None:
    """Notes these elements for `attempted`; else raises the error."""
    missing = _missing.get()
    if missing is None:
        raise error
    missing.append(where)


# ── squares ──────────────────────────────────────────────────────────────────────────────────────


def around_zeros(row: Row, inputs: Sequence[Any], compute: Callable[[], Any]) -> Any:
    """The value by `compute`, or around its zeros by what the row says of squares."""
    if row.of_squares is not None and isinstance(inputs[0], Operand):
        if not _may_be_zero(inputs[0]):
            return compute()
        sign = inputs[0]._squares()
        if sign:
            return row.of_squares(inputs[0], sign, primal(inputs[0]) == 0)
    y = compute()
    if row.even is not None and isinstance(y, Operand) and _may_be_zero(y):
        return y._remembering(y._later(row.even, inputs))
    return y


def _may_be_zero(x: Operand) -> bool:
    """Whether there are zeros among the values; nobody looks at a device, and of a trace the mend takes care."""
    value = primal(x)
    if visible(value):
        return bool(np.any(value == 0))
    return not isinstance(value, Operand)
