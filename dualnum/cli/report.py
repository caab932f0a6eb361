"""The derivatives of a formula at given points, as a table for people and as CSV for programs."""

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..algebra import Monomial, TotalDegree, multiple, underflowed
from ..errors import InvalidValue
from ..formula import Formula
from ..jets.jet import Jet
from ..jets.variables import jets
from ..kinds import Value
from ..transforms import taylor

__all__ = ["Report", "differentiate"]

Closed = Callable[[int, Any], Any]  # (k, x) → the k-th derivative at x, known from elsewhere
MOST = 1_000_000  # numbers in a report
LONGEST = 12  # terms of a polynomial
FEW = 4  # points that are named
WIDTH = 79
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Report:
    """All partial derivatives up to an order, at several points.

    Attributes:
        formula: what was differentiated.
        variables: its variables, m of them.
        points: shape (n, m).
        order: K, the highest total order.
        coefficients: the Taylor coefficients, shape (terms, n), in the order of `multi_indices`.
        closed: the derivatives in closed form, where they are known (of one variable).
    """

    formula: str
    variables: tuple[str, ...]
    points: Any
    order: int
    coefficients: Any
    closed: Closed | None = None

    @property
    def multi_indices(self) -> tuple[Monomial, ...]:
        """The orders in each variable with a sum of at most K, lowest sum first."""
        return TotalDegree(len(self.variables), self.order).monomials

    @property
    def derivatives(self) -> Any:
        """The partial derivatives, m! times the coefficients, in the same order."""
        factorials = [math.prod(map(math.factorial, m)) for m in self.multi_indices]
        return np.array([multiple(f, a) for f, a in zip(factorials, self.coefficients, strict=True)])

    @property
    def undefined(self) -> Any:
        """Which points are outside of the formula's domain: the value is NaN there."""
        return np.isnan(self.coefficients[0])

    def note(self) -> str:
        """Where the formula is not defined, for people; empty where it is everywhere."""
        outside = [f"{', '.join(self.variables)} = {self._at(i)}" for i in range(len(self.points)) if self.undefined[i]]
        more = f" and {len(outside) - FEW} more" if len(outside) > FEW else ""
        return f"not defined at {'; '.join(outside[:FEW])}{more}: all derivatives are nan there" if outside else ""

    def _at(self, i: int) -> str:
        return ", ".join(f"{x:g}" for x in self.points[i])

    def underflowed(self) -> int | None:
        """The lowest order in one variable from which on digits are lost to coefficients that are too small."""
        tiny = np.finfo(self.coefficients.dtype).tiny
        lost = []
        for c in self._series():
            # where a series ends with zeros behind numbers of full precision, the function is taken for a polynomial
            end = int(np.max(np.nonzero(c.any(axis=1))[0], initial=0))
            last = end if np.all((c[end] == 0) | (np.abs(c[end]) >= tiny)) else len(c) - 1
            lost += [k for k in range(last + 1) if underflowed(k, c)][:1]
        return min(lost, default=None)

    def _series(self) -> Iterator[Any]:
        """The coefficients by the powers of one variable, for all powers of the others."""
        for i in range(len(self.variables)):
            places: dict[Monomial, list[int]] = {}
            for place, m in enumerate(self.multi_indices):
                places.setdefault(m[:i] + m[i + 1 :], []).append(place)
            yield from (self.coefficients[chosen] for chosen in places.values())

    def label(self, multi_index: tuple[int, ...]) -> str:
        """f, f', f'', f''', f(4) of one variable; f, f_x, f_xt of several."""
        if len(self.variables) == 1:
            (k,) = multi_index
            return "f" + "'" * k if k < 4 else f"f({k})"
        short = all(len(v) == 1 for v in self.variables) and sum(multi_index) < 6
        powers = zip(self.variables, multi_index, strict=True)
        names = [v * k if short else f"{v}^{k}" if k > 1 else v for v, k in powers if k]
        return "f" + "_" * bool(names) + ("" if short else " ").join(names)

    def quotient(self, multi_index: tuple[int, ...]) -> str:
        """The same as Leibniz writes it: f, ∂f/∂x, ∂²f/∂x∂t."""
        count = sum(multi_index)
        powers = zip(self.variables, multi_index, strict=True)
        return f"∂{_power(count)}f/" + "".join(f"∂{v}{_power(k)}" for v, k in powers if k) if count else "f"

    def polynomial(self, i: int) -> str:
        """The Taylor polynomial at a point, f(1 + δx, 3 + δt) = 13 + 6·δx + …, without terms that are zero."""
        at = ", ".join(f"{x:g} + δ{v}" for v, x in zip(self.variables, self.points[i], strict=True))
        if self.undefined[i]:
            return f"f({at}) is not defined"
        given = list(zip(self.multi_indices, self.coefficients[:, i], strict=True))
        terms = [(m, a) for m, a in given if a] or given[:1]
        pieces = [f"f({at}) ="]
        for m, a in terms[:LONGEST]:
            powers = [f"δ{v}{_power(k)}" for v, k in zip(self.variables, m, strict=True) if k]
            sign = ("-" if a < 0 else "") if len(pieces) == 1 else "- " if a < 0 else "+ "
            number = [f"{abs(a):g}"] if abs(a) != 1 or not powers else []
            pieces.append(sign + "·".join(number + powers))
        rest = "…" if len(terms) > LONGEST else f"O(|δ|{_power(self.order + 1)})"
        return _filled([*pieces, f"+ {rest}"])

    def rows(self) -> Iterator[tuple[int, tuple[int, ...], float, float]]:
        """(point, multi-index, derivative, Taylor coefficient)."""
        derivatives = self.derivatives
        for i in range(len(self.points)):
            for m, d, a in zip(self.multi_indices, derivatives[:, i], self.coefficients[:, i], strict=True):
                yield i, m, float(d), float(a)

    # ── for people ───────────────────────────────────────────────────────────────────────────────

    def text(self) -> str:
        """The table, with a blank line between points; in several variables also between degrees."""
        rows = list(self.rows())
        several = len(self.variables) > 1
        first = [self._at(i) if not any(m) else "" for i, m, *_ in rows]
        columns = [
            _column(", ".join(self.variables), first),
            _column("", [self.label(m) for _, m, *_ in rows], left=True),
            *([_column("", [self.quotient(m) for _, m, *_ in rows], left=True)] if several else []),
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
        groups = [lines[i : i + each] for i in range(0, len(lines), each)]
        blocks = [self._by_degree(i, group) if several else "\n".join(group) for i, group in enumerate(groups)]
        kind = "partial derivatives" if several else "derivatives"
        title = f"f({', '.join(self.variables)}) = {self.formula}, and its {kind} to order {self.order}"
        return f"{title}\n\n{head}\n" + ("\n\n" if each > 1 else "\n").join(blocks) + closing

    def _by_degree(self, i: int, lines: Sequence[str]) -> str:
        """The lines of a point with a blank one between degrees, and its polynomial."""
        degrees = [
            [line for m, line in zip(self.multi_indices, lines, strict=True) if sum(m) == degree]
            for degree in range(self.order + 1)
        ]
        return "\n\n".join([*("\n".join(block) for block in degrees), self.polynomial(i)])

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
    """The report on a formula: every derivative at every point comes from one pass.

    Args:
        formula: a function of `variables`.
        variables: m names, in the formula's order (a name that it does not use where it has none).
        points: shape (n, m).
        order: K, the highest total order.
        closed: (k, x) → the k-th derivative, to compare with.

    Example:
        >>> from dualnum.formula import parse
        >>> report = differentiate(parse("x**3*t"), ("x", "t"), np.array([[2.0, 5.0]]), order=2)
        >>> dict(zip(report.multi_indices, report.derivatives[:, 0].tolist()))
        {(0, 0): 40.0, (1, 0): 60.0, (0, 1): 8.0, (2, 0): 60.0, (1, 1): 12.0, (0, 2): 0.0}
    """
    m, n = len(variables), len(points)
    terms = math.comb(m + order, order)
    if terms * n > MOST:
        raise InvalidValue(f"order {order} in {m} variables at {n} points is more than {MOST} numbers; lower the order")
    if m == 1:
        coefficients = taylor(lambda x: formula(*(x,)[: len(formula.variables)]), order)(points[:, 0])
        coefficients = coefficients if coefficients.ndim > 1 else coefficients[:, None]  # the formula is a constant
    else:
        y = formula(*jets(*points.T, order=order))
        coefficients = y.coeffs if isinstance(y, Jet) else np.array([y, *[0.0 * y] * (terms - 1)])
    coefficients = np.broadcast_to(coefficients, (terms, n))
    # the series of log goes on where its value ends
    coefficients = np.where(np.isnan(coefficients[0]), np.nan, coefficients)
    return Report(formula.text, variables, points, order, coefficients, closed)


def digits(a: float, b: float) -> float:
    """How many decimal digits of a and b agree: −log₁₀ |a − b|/|b|, inf where they are equal."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return math.inf
    difference = abs(a - b) / abs(b) if b else math.inf
    return max(0.0, -math.log10(difference)) if difference < math.inf else 0.0


def _power(k: int) -> str:
    return str(k).translate(_SUPERSCRIPTS) if k > 1 else ""


def _filled(pieces: Sequence[str]) -> str:
    """The pieces with spaces between them, in lines that a terminal shows."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + len(piece) < WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"    {piece}")
    return "\n".join(lines)


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
