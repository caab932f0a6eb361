"""Linear differential operators as people write them: "xx + yy", "x*xt - 3*t", "xxxx + 2*xxyy + yyyy"."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any

from ..algebra import Algebra, Monomial, TotalDegree
from ..errors import InvalidType, InvalidValue
from ..formula import CONSTANTS, Formula, FormulaError, parse
from ..kinds import Axis
from .pointwise import Polynomial, Seen, Separate, entries, passed, seen
from .transformed import Argnums, _named, _positions

__all__ = ["Operator", "operator"]

_USUAL = "xyzt"


@dataclass(frozen=True)
class Operator:
    """A linear differential operator Σ_j c_j(x) P_j(∂), made by `operator`: L(f) is the function of its values.

    Attributes:
        text: as it was written.
        variables: their letters, in the order of the arguments or entries.
        axis: of the entries; None where the variables are arguments.
        argnums: which arguments they are; the first ones when left out.
        terms: c_j (None for 1) and P_j as {multi-index: coefficient}.
    """

    text: str
    variables: tuple[str, ...]
    axis: Axis
    argnums: Argnums | None
    terms: tuple[tuple[Formula | None, Polynomial], ...]

    @cached_property
    def _seen(self) -> Seen:
        return seen([polynomial for _, polynomial in self.terms], len(self.variables))

    @property
    def plan(self) -> str:
        """What was chosen, and what it costs beside the alternatives: planes, and products for each multiplication.

        Example:
            >>> print(operator("xx + yy").plan)
            xx + yy: order 2 in 2 variables
              apolar algebra   4 planes    9 products  (chosen)
              total degree     6 planes   15 products
              curves           7 planes   18 products
        """
        return planned(self.text, self._seen.algebra)

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The function of the operator's values for f.

        Args:
            f: a function of arrays to one array, elementwise in points that broadcast; with an axis from points
                (…, n) to (…).

        Returns:
            A function of the same arguments; its result has the shape and type of f's.

        Raises:
            InvalidType: an argument is complex or not made of numbers; f returns an integer or None.
            InvalidValue: there are fewer arguments or entries than variables.
        """

        def transformed(*args: Any, **kwargs: Any) -> Any:
            given, where = self._placed(args)
            parts = passed(f, given, kwargs, where, self._seen, "operator")
            result: Any = None
            for (coefficient, _), part in zip(self.terms, parts, strict=True):
                if coefficient is not None:
                    own = [where.value(given, self.variables.index(v)) for v in coefficient.variables]
                    part = coefficient(*own) * part
                result = part if result is None else result + part
            return result

        return _named(transformed, f, self.text, remake=self)

    def _placed(self, args: Sequence[Any]) -> tuple[list[Any], Any]:
        """The arguments as arrays, and where the variables are."""
        count = len(self.variables)
        if self.axis is not None:
            position, *_ = _positions(0 if self.argnums is None else self.argnums, args, "operator")
            given, where = entries(args, position, self.axis, "operator")
            if len(where.chosen) != count:
                raise InvalidValue(
                    f"operator: the points have {len(where.chosen)} entries along axis {self.axis}; expected {count}, "
                    f"{', '.join(self.variables)}: name all of them with variables="
                )
            return given, where
        chosen = tuple(range(count)) if self.argnums is None else self.argnums
        if count > len(args) and self.argnums is None:
            raise InvalidValue(
                f"operator: {len(args)} arguments; expected one for each of {', '.join(self.variables)}, or axis= for "
                "points in one array"
            )
        positions = _positions(chosen, args, "operator")
        if len(positions) != count:
            raise InvalidValue(f"operator: argnums is {chosen}; expected one for each of {', '.join(self.variables)}")
        given = list(args)
        for position in positions:
            given, _ = entries(given, position, None, "operator")
        return given, Separate(positions)


def operator(
    text: str, *, variables: str | Sequence[str] | None = None, axis: Axis = None, argnums: Argnums | None = None
) -> Operator:
    """The linear differential operator that a text describes.

    A sum of products; the last factor of each is a derivative, written as the letters of its variables (xxt is
    ∂³/∂x²∂t), or u for the function itself. The factors before it are numbers, variables and functions of NumPy.

    Args:
        text: such as "xx + yy", "xxxx + 2*xxyy + yyyy", "x*xt - 3*t", "t - 0.1*xx + sin(x)*u".
        variables: their letters in the order of f's arguments or of the entries along the axis; those of x, y, z, t
            that occur when left out.
        axis: of the entries that are the variables, for points in one array.
        argnums: which arguments are the variables (with an axis, which holds the points); the first ones when left out.

    Returns:
        An `Operator`: called with f it gives a function of the same arguments, whose result has the shape and type of
        f's; `plan` says what it will cost.

    Raises:
        InvalidValue: the text does not parse (the message points at the place); a letter is no variable.
        InvalidType: the text is no text.

    Example:
        >>> heat = operator("t - 0.5*xx")
        >>> heat(lambda x, t: np.exp(-t / 2) * np.sin(x))(np.array([0.3, 2.0]), 0.7)
        array([0., 0.])
    """
    if not isinstance(text, str):
        raise InvalidType(f"operator: the text is a {type(text).__name__}; expected such as 'xx + yy'")
    try:
        formula = parse(text)
        terms = [_term(node, sign, formula) for node, sign in _summands(formula.tree, Fraction(1))]
        letters = _letters(formula, terms, variables)
        grouped: dict[str, tuple[Formula | None, dict[Monomial, Fraction]]] = {}
        for number, coefficient, word in terms:
            m = tuple([0 if word.id == "u" else word.id.count(v) for v in letters])
            key = "" if coefficient is None else coefficient.text
            polynomial = grouped.setdefault(key, (coefficient, {}))[1]
            polynomial[m] = polynomial.get(m, Fraction(0)) + number
    except FormulaError as error:
        raise InvalidValue(f"operator: {error}\n{error.pointed()}") from None
    return Operator(formula.text, letters, axis, argnums, tuple(grouped.values()))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def _summands(node: ast.expr, sign: Fraction) -> list[tuple[ast.expr, Fraction]]:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            return _summands(left, sign) + _summands(right, -sign if isinstance(op, ast.Sub) else sign)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as op, operand=operand):
            return _summands(operand, -sign if isinstance(op, ast.USub) else sign)
    return [(node, sign)]


def _term(node: ast.expr, sign: Fraction, formula: Formula) -> tuple[Fraction, Formula | None, ast.Name]:
    """The number, the function of the variables and the derivative of a product."""
    *factors, word = _factors(node)
    if not isinstance(word, ast.Name) or word.id in CONSTANTS:
        message = "a term ends with a derivative, as in 3*x*xt, or with u for the function itself"
        raise FormulaError(message, formula.text, getattr(word, "col_offset", 0))
    number = sign
    functions: list[ast.expr] = []
    for factor in factors:
        exact = _exact(factor)
        if exact is None:
            functions.append(factor)
        else:
            number *= exact
    if not functions:
        return number, None, word
    text = "*".join(f"({ast.unparse(f)})" for f in functions)
    return number, parse(text), word


def _factors(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return [*_factors(left), *_factors(right)]
    return [node]


def _exact(node: ast.expr) -> Fraction | None:
    """A number, as it is in double precision."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return Fraction(value)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            a, b = _exact(left), _exact(right)
            return None if a is None or not b else a / b
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            a = _exact(operand)
            return None if a is None else -a
    return None


def _letters(formula: Formula, terms: Any, variables: str | Sequence[str] | None) -> tuple[str, ...]:
    words = [word for *_, word in terms if word.id != "u"]
    used = {letter: word for word in words for letter in word.id}
    read = {name for _, coefficient, _ in terms if coefficient is not None for name in coefficient.variables}
    known = tuple(variables) if variables is not None else tuple(v for v in _USUAL if v in used or v in read)
    for letter in [*used, *sorted(read)]:
        if letter not in known:
            what = f"{letter} is no variable; they are {', '.join(known)}" if known else f"{letter} is no variable"
            place = used[letter].col_offset if letter in used else formula.position(letter)
            raise FormulaError(f"{what}: name others with variables=", formula.text, place)
    return known


# ── what it costs ────────────────────────────────────────────────────────────────────────────────


def planned(text: str, algebra: Algebra) -> str:
    """The planes and products of an algebra beside those of other ways to the same derivatives."""
    count, order = algebra.variables, algebra.order
    total = TotalDegree(count, order)
    curves = comb(count + order - 1, order) if count and order else 1
    rows = [
        ("apolar algebra", algebra.size, len(algebra.products()), "  (chosen)"),
        ("total degree", total.size, comb(2 * count + order, order), ""),
        ("curves", 1 + curves * order, curves * (order + 1) * (order + 2) // 2, ""),
    ]
    lines = [f"{text}: order {order} in {count} variables"]
    lines += [f"  {name:<15}{planes:>4} planes {products:>4} products{mark}" for name, planes, products, mark in rows]
    return "\n".join(lines)
