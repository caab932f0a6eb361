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
from ..algebra import NotGraded
from ..backend import occurs
from ..kinds import Coefficient
from ..operand import Operand, primal
from .row import Row

__all__ = ["around_zeros", "attempted", "mended", "mending", "without_rule"]


def mended(row: Row, order: int, result: Any, operands: Sequence[Sequence[Any]]) -> Any:
    """The result with the points redone at which the row's own rule fails, if there are any."""
    where = _fails(row, order, result, operands)
    if isinstance(where, Operand):  # no numbers to look at yet
        where._alarm()
        return result
    if any(isinstance(u[0], Operand) for u in operands) or not occurs(where):
        return result
    return _redone(row, order, where, result, operands)


def mending(row: Row, order: int, result: Any, operands: Sequence[Sequence[Any]]) -> tuple[Any, Any] | None:
    """The mend of a row for a program: where its rule fails, and the result with those points redone.

    Called like this, with the symbols of a graph, it writes the program of the mend beside that of the rule::

        result = row.expand(order, *operands)  # or symbols for what a kernel has computed
        where, redone = mending(row, order, result, operands)

    Outside of the mask `redone` is `result`, so that it may be run for elements or blocks of them that need it alone.

    Args:
        row: the primitive, or a derivative of one.
        order: the highest degree.
        result: its series by the row's own rule, the value first.
        operands: the series of its operands; of several variables in homogeneous parts.

    Returns:
        (mask, series), or None for a row whose rule fails nowhere.

    Raises:
        Untraceable: the mend must see the numbers (np.power with an array of exponents).
        NotGraded: it has no rule in several variables.
    """
    where = _fails(row, order, result, operands)
    return (where, _redone(row, order, where, result, operands)) if occurs(where) else None


def _fails(row: Row, order: int, result: Any, operands: Sequence[Sequence[Any]]) -> Any:
    """The mask of the points at which the row's own rule fails; False where there are none whatever the numbers."""
    if row.mend is None or (row.kind != "derived" and (not order or all(len(u) == 1 for u in operands))):
        return False  # of the row itself a value is right everywhere
    return row.mend.where(result[0], *(u[0] for u in operands))


def _redone(row: Row, order: int, where: Any, result: Any, operands: Sequence[Sequence[Any]]) -> Any:
    assert row.mend is not None
    rule = row.mend.rule
    redone, missing = attempted(rule, order, result[0], operands)
    if occurs(missing):
        moving = [i for i, u in enumerate(operands) if len(u) > 1]
        by_outer = result
        if len(moving) == 1:
            along = [[u[0], 1.0] if len(u) > 1 else [u[0]] for u in operands]
            by_outer = series.compose_safely(order, rule(order, result[0], *along), operands[moving[0]])
        redone = by_outer if missing is True else _selected(order, missing, by_outer, redone)
    return _selected(order, where, redone, result)


def _selected(order: int, where: Any, u: Sequence[Any], v: Sequence[Any]) -> Any:
    """The value as well: that of a derivative is a coefficient of the rule that failed."""
    value = np.where(where, u[0], v[0])
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
        zero = primal(inputs[0]) == 0
        if isinstance(zero, Operand) or not occurs(zero):  # of a trace the mend takes care
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
