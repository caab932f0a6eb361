"""The partial derivatives of a primitive as primitives of their own.

∂^m f needs no rule: its series along the operands are the terms with s^m, times m!, of the series of f at u_i + s_i
(see `algebra.extended`), computed by f's own recurrence. So a derivative that is differentiated again, as reverse
mode does, is right wherever f's series is, to all orders.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import factorial, perm, prod
from typing import Any

import numpy as np

from .. import series
from ..algebra import Algebra, Part
from ..algebra.extended import extended
from ..backend import is_array
from ..kinds import Coefficient
from ..operand import Operand
from .mends import mended
from .table import Mend, Row, Series

__all__ = ["Derived", "derived"]


class Derived:
    """∂^m f of one output of f, element by element, with what the table and the kernels ask of a ufunc.

    Attributes:
        of: the row of f.
        powers: m, how often by each argument.
        output: which of f's results.
        row: that of the derivative.
    """

    signature = None
    nout = 1

    def __init__(self, of: Row, powers: tuple[int, ...], output: int = 0) -> None:
        self.of = of
        self.powers = powers
        self.output = output
        self.nin = of.ufunc.nin
        self.__name__ = f"derivative of {of.name}"
        mend = None if of.mend is None else Mend(self._fails, self._mended)
        self.row = Row(self, "derived", self._rule, of.domain, of.sample, None, mend)  # type: ignore[arg-type]

    def __call__(self, *args: Any) -> Any:
        own = next((x for x in args if isinstance(x, (Operand, Series))), None)
        if own is not None:
            return own.__array_ufunc__(self, "__call__", *args)  # type: ignore[arg-type]
        if all(isinstance(x, (float, int, complex)) and not isinstance(x, np.generic) for x in args):
            args = tuple(np.float64(x) if type(x) is float else x for x in args)  # whose quotients by 0 do not raise
        with np.errstate(all="ignore"):
            y = self._rule(0, None, *([x] for x in args))[0]
            if self.of.mend is None or not all(is_array(x) or isinstance(x, (float, int, complex)) for x in args):
                return y
            return mended(self.row, 0, [y], [[x] for x in args])[0]

    def __repr__(self) -> str:
        return f"<{self.__name__} by {self.powers}>"

    def _rule(self, order: int, value: Coefficient, *operands: Sequence[Any]) -> list[Any]:
        """m! times the terms with s^m."""
        return self._terms(order, operands, self.of.applied)

    def _terms(self, order: int, operands: Sequence[Sequence[Any]], rule: Any) -> list[Any]:
        moved, known = extended(order, operands, self.powers)
        times = sum(self.powers)
        value = self.of.ufunc(*(u[0] for u in moved))
        if not order + times:
            return [value[self.output] if self.of.ufunc.nout > 1 else value]
        y = rule(order + times, value, *moved)
        y = y[self.output] if self.of.ufunc.nout > 1 else y
        scale = prod(map(factorial, self.powers))
        last = tuple(p for p in self.powers if p)
        results: list[Any] = []
        for part in y[times : order + times + 1]:
            terms = part.of(last) if isinstance(part, Part) else {} if times else {(): part}
            if scale != 1:
                terms = {m: c * scale for m, c in terms.items()}
            results.append(terms)
        return [_constant(results, operands)] + [_higher(t, known) for t in _shortened(results[1:])]

    # ── where f's own rule fails ─────────────────────────────────────────────────────────────────

    def _fails(self, value: Coefficient, *arguments: Any) -> Any:
        assert self.of.mend is not None
        return self.of.mend.where(self.of.ufunc(*arguments), *arguments)

    def _mended(self, order: int, value: Coefficient, *operands: Sequence[Any]) -> list[Any]:
        assert self.of.mend is not None
        times, rule = sum(self.powers), self.of.mend.rule
        moving = {i for i, u in enumerate(operands) if len(u) > 1 or self.powers[i]}
        if len(moving) > 1:
            return self._terms(order, operands, rule)
        # in one variable the rule may look at its coefficients: of f at u_0 + t, and so of ∂ⁿf there
        along = [[u[0], 1.0] if i in moving else [u[0]] for i, u in enumerate(operands)]
        y = rule(order + times, self.of.ufunc(*(u[0] for u in operands)), *along)
        y = y[self.output] if self.of.ufunc.nout > 1 else y
        outer = [float(perm(n + times, times)) * c for n, c in enumerate(y[times:])]
        (i,) = moving
        return series.compose_safely(order, outer or [0.0], operands[i])


def _constant(results: Sequence[dict[Any, Any]], operands: Sequence[Sequence[Any]]) -> Any:
    """The coefficient of degree 0: zeros where the function has no such derivative anywhere."""
    found = next(iter(results[0].values())) if results and results[0] else 0.0
    plain = type(found) in (int, float, bool)
    if not plain and np.ndim(found) == max(np.ndim(u[0]) for u in operands):
        return found
    values = [u[0] for u in operands if hasattr(u[0], "dtype")]
    shaped: list[Any] = [x.dtype.type(0) if isinstance(x, np.generic) else np.zeros_like(x) for x in values]
    return sum(shaped[1:], shaped[0]) + found if shaped else found


def _shortened(results: Sequence[dict[Any, Any]]) -> Sequence[dict[Any, Any]]:
    """Without the degrees behind the last that occurs."""
    known = len(results)
    while known and not results[known - 1]:
        known -= 1
    return results[:known]


def _higher(terms: dict[Any, Any], algebra: Algebra | None) -> Any:
    """One part of the result, of the kind that the operands have."""
    return next(iter(terms.values()), 0) if algebra is None else Part(algebra, terms)


@lru_cache(maxsize=4096)
def derived(row: Row, powers: tuple[int, ...], output: int = 0) -> Derived:
    """The derivative of a row as something like a ufunc; a derivative of a derivative is one of the function itself."""
    if isinstance(row.ufunc, Derived):
        inner = row.ufunc
        return derived(inner.of, tuple(p + q for p, q in zip(inner.powers, powers, strict=True)), inner.output)
    return Derived(row, powers, output)
