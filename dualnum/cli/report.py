"""The derivatives of a formula at given points, as a table for people and as CSV for programs."""

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ..algebra import factorial_times, underflowed
from ..errors import InvalidValue
from ..formula import Formula
from ..kinds import Value
from ..transforms import taylor

__all__ = ["Report", "differentiate"]

Closed = Callable[[int, Any], Any]  # (k, x) → the k-th derivative at x, known from elsewhere
MOST = 1_000_000  # numbers in a report


@dataclass(frozen=True)
class Report:
    """All partial derivatives up to an order, at several points.

    Attributes:
        formula: what was differentiated.
        variables: its variables, m of them.
        points: shape (n, m).
        order: K, the highest total order.
        coefficients: the Taylor coefficients, shape (K+1, …, K+1, n) with one axis of orders a variable.
        closed: the derivatives in closed form, where they are known (of one variable).
    """

    formula: str
    variables: tuple[str, ...]
    points: Any
    order: int
    coefficients: Any
    closed: Closed | None = None

    def multi_indices(self) -> list[tuple[int, ...]]:
        """The orders in each variable with a sum of at most K, lowest sum first."""
        each = product(range(self.order + 1), repeat=len(self.variables))
        return sorted((m for m in each if sum(m) <= self.order), key=lambda m: (sum(m), [-k for k in m]))

    def derivative(self, multi_index: tuple[int, ...]) -> Any:
        """The partial derivative at each point: m! times the coefficient."""
        result = self.coefficients[multi_index]
        for k in multi_index:
            result = factorial_times(k, result)
        return result

    def underflowed(self) -> int | None:
        """The lowest order in one variable from which on digits are lost to coefficients that are too small."""
        each = [
            np.moveaxis(self.coefficients, i, 0).reshape(self.order + 1, -1) for i in range(self.coefficients.ndim - 1)
        ]
        # where all ends with zeros behind numbers of full precision, the function is taken for a polynomial
        ends = [np.max(np.nonzero(c.any(axis=1))[0], initial=0) for c in each]
        tiny = np.finfo(self.coefficients.dtype).tiny
        last = [
            end if np.all((c[end] == 0) | (np.abs(c[end]) >= tiny)) else self.order
            for c, end in zip(each, ends, strict=True)
        ]
        lost = (k for c, end in zip(each, last, strict=True) for k in range(end + 1) if underflowed(k, c))
        return min(lost, default=None)

    def label(self, multi_index: tuple[int, ...]) -> str:
        """f, f', f'', f''', f(4) of one variable; f, f_x, f_xt of several."""
        if len(self.variables) == 1:
            (k,) = multi_index
            return "f" + "'" * k if k < 4 else f"f({k})"
        short = all(len(v) == 1 for v in self.variables) and sum(multi_index) < 6
        powers = zip(self.variables, multi_index, strict=True)
        names = [v * k if short else f"{v}^{k}" if k > 1 else v for v, k in powers if k]
        return "f" + "_" * bool(names) + ("" if short else " ").join(names)

    def rows(self) -> Iterator[tuple[int, tuple[int, ...], float, float]]:
        """(point, multi-index, derivative, Taylor coefficient)."""
        for i in range(len(self.points)):
            for m in self.multi_indices():
                yield i, m, float(self.derivative(m)[i]), float(self.coefficients[(*m, i)])

    # ── for people ───────────────────────────────────────────────────────────────────────────────

    def text(self) -> str:
        """The table, with a blank line between points."""
        rows = list(self.rows())
        at = [", ".join(f"{x:g}" for x in point) for point in self.points]
        first = [at[i] if not any(m) else "" for i, m, *_ in rows]
        columns = [
            _column(", ".join(self.variables), first),
            _column("", [self.label(m) for _, m, *_ in rows], left=True),
            _column("derivative", _numerals([d for *_, d, _ in rows])),
        ]
        closing = ""
        if self.closed is None:
            columns.append(_column("Taylor coefficient", _numerals([c for *_, c in rows])))
        else:
            exact = self._closed_form()
            agreement = [digits(d, e) for (*_, d, _), e in zip(rows, exact, strict=True)]
            columns.append(_column("closed form", _numerals(exact)))
            columns.append(_column("digits", [f"{a:.1f}" if a < math.inf else "exact" for a in agreement]))
            closing = f"\n\n{len(rows)} numbers; all agree with the closed form to {min(agreement):.1f} digits or more."
        head, *lines = ("   ".join(cells).rstrip() for cells in zip(*columns, strict=True))
        each = len(rows) // len(self.points)
        groups = ["\n".join(lines[i : i + each]) for i in range(0, len(lines), each)]
        title = f"f({', '.join(self.variables)}) = {self.formula}, and its derivatives to order {self.order}"
        return f"{title}\n\n{head}\n" + ("\n\n" if each > 1 else "\n").join(groups) + closing

    def _closed_form(self) -> list[float]:
        assert self.closed is not None
        return [float(self.closed(m[0], self.points[i, 0])) for i, m, *_ in self.rows()]

    # ── for programs ─────────────────────────────────────────────────────────────────────────────

    def csv(self) -> str:
        """One line a derivative, every number with all its digits."""
        several = len(self.variables) > 1
        orders = [f"order_{v}" for v in self.variables] if several else ["order"]
        head = [*self.variables, *orders, "derivative", "taylor_coefficient"]
        lines = [[*map(float, self.points[i]), *m, d, c] for i, m, d, c in self.rows()]
        if self.closed is not None:
            head.append("closed_form")
            lines = [[*line, e] for line, e in zip(lines, self._closed_form(), strict=True)]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([head, *lines])
        return out.getvalue().rstrip("\n")


def differentiate(
    formula: Formula, variables: tuple[str, ...], points: Value, order: int, closed: Closed | None = None
) -> Report:
    """The report on a formula: every derivative comes from one pass, nested once a variable.

    Args:
        formula: a function of `variables`.
        variables: m names, in the formula's order (a name that it does not use where it has none).
        points: shape (n, m).
        order: K, the highest total order.
        closed: (k, x) → the k-th derivative, to compare with.

    Example:
        >>> from dualnum.formula import parse
        >>> report = differentiate(parse("x**3"), ("x",), np.array([[2.0]]), order=2)
        >>> [float(report.derivative((k,))[0]) for k in range(3)]
        [8.0, 12.0, 12.0]
    """
    m, n = len(variables), len(points)
    if (order + 1) ** m * n > MOST:
        raise InvalidValue(f"order {order} in {m} variables at {n} points is more than {MOST} numbers; lower the order")

    def expand(*fixed: Any) -> Any:
        if len(fixed) == m:
            return formula(*fixed[: len(formula.variables)])
        return taylor(lambda x: expand(*fixed, x), order)(points[:, len(fixed)])

    coefficients = expand()
    if coefficients.ndim == m:  # the formula is a constant
        coefficients = coefficients[..., None]
    return Report(
        formula.text, variables, points, order, np.broadcast_to(coefficients, (order + 1,) * m + (n,)), closed
    )


def digits(a: float, b: float) -> float:
    """How many decimal digits of a and b agree: −log₁₀ |a − b|/|b|, inf where they are equal."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return math.inf
    difference = abs(a - b) / abs(b) if b else math.inf
    return max(0.0, -math.log10(difference)) if difference < math.inf else 0.0


def _column(head: str, cells: Sequence[str], left: bool = False) -> list[str]:
    """Head and cells, padded to one width."""
    width = max(map(len, [head, *cells]))
    return [cell.ljust(width) if left else cell.rjust(width) for cell in [head, *cells]]


def _numerals(values: Sequence[float]) -> list[str]:
    """Whole numbers as such, or twelve decimals, where that shows every number; else twelve digits and an exponent."""
    values = [v + 0.0 for v in values]  # no −0
    finite = [abs(v) for v in values if math.isfinite(v) and v]
    if all(v.is_integer() and v < 1e15 for v in finite):
        return [f"{v:.0f}" for v in values]
    if max(finite) < 1e6 and min(finite) >= 1e-4:
        return [f"{v:.12f}" for v in values]
    return [f"{v:.11e}" if math.isfinite(v) and v else f"{v:g}" for v in values]
