"""Formulas typed by a person: text to a function of NumPy arrays, without handing the text to Python.

The text is parsed with `ast`, every node is checked against a white list, and the tree is then walked
with NumPy's functions. There is no attribute, no subscript, no keyword, no string, and no name but the
elementwise functions of NumPy and scipy.special, a few constants and the variables. All numbers are floats, so no
formula can ask for an integer of a billion digits.
"""

import ast
import difflib
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import InvalidValue
from .kinds import Value
from .primitives import rows

__all__ = ["Formula", "FormulaError", "parse"]

LONGEST = 2000  # characters
DEEPEST = 400  # levels of nesting; a sum of n terms has n

CONSTANTS = {name: np.float64(getattr(np, name)) for name in ("pi", "e", "inf", "nan", "euler_gamma")}

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.FloorDiv: np.floor_divide, ast.Mod: np.remainder,
    ast.UAdd: np.positive, ast.USub: np.negative,
    ast.Not: np.logical_not, ast.And: np.logical_and, ast.Or: np.logical_or,
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_REFUSED: dict[type[ast.AST], str] = {
    ast.BitXor: "a power is written with **, not ^",
    ast.BitAnd: "write 'and' instead of &",
    ast.BitOr: "write 'or' instead of |",
    ast.Invert: "write 'not' instead of ~",
    ast.MatMult: "there are no matrices in a formula; a product is written with *",
    ast.IfExp: "write where(condition, a, b) instead of 'a if condition else b'",
    ast.Attribute: "a name stands alone, without a dot: sin(x), not np.sin(x)",
    ast.Subscript: "there is nothing to index in a formula",
    ast.Tuple: "a single expression is expected; a decimal point is '.', not ','",
    ast.Constant: "only real numbers are allowed",
}

# what a function is called elsewhere
_OTHER_NAMES = {"ln": "log", "max": "maximum", "min": "minimum", "sgn": "sign", "lgamma": "gammaln"}


class FormulaError(InvalidValue):
    """A formula that cannot be read; `column` counts characters from 0."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(message)
        self.text = text
        self.column = column

    def pointed(self) -> str:
        """The formula with a caret under the place, cut to a line of a terminal."""
        start = max(0, self.column - 40)
        shown = self.text[start : start + 76]
        return f"  {shown}\n  {' ' * (self.column - start)}^"


@dataclass(frozen=True)
class Formula:
    """A function of its variables, in the order in which they first appear.

    Example:
        >>> f = parse("a*exp(-x**2)")
        >>> f.variables
        ('a', 'x')
        >>> f(2.0, np.array([0.0, 1.0]))
        array([2.        , 0.73575888])
    """

    text: str
    tree: ast.expr
    variables: tuple[str, ...]

    def __call__(self, *values: Any) -> Any:
        with np.errstate(all="ignore"):  # a point outside the domain gives nan or inf, and no warning
            return _number(_evaluate(self.tree, CONSTANTS | dict(zip(self.variables, values, strict=True))))

    def position(self, variable: str) -> int:
        """The column where a variable first appears."""
        return next(
            _column(self.text, node) for node in _nodes(self.tree) if isinstance(node, ast.Name) and node.id == variable
        )


@functools.cache
def functions() -> dict[str, tuple[Callable[..., Any], int]]:
    """The functions a formula may call, with their numbers of arguments: those of NumPy with a row.

    Example:
        >>> functions()["arctan2"]
        (<ufunc 'arctan2'>, 2)
    """
    known = {row.ufunc for row in rows() if row.kind != "unsupported" and row.ufunc.nout == 1}
    named = {name: (f, f.nin) for name, f in vars(np).items() if isinstance(f, np.ufunc) and f in known}
    del named["ldexp"]  # its exponents are integers, and the numbers of a formula are floats
    return named | {"where": (np.where, 3), "clip": (np.clip, 3), "sinc": (np.sinc, 1), "i0": (np.i0, 1)}


@functools.cache
def special_functions() -> dict[str, tuple[Callable[..., Any], int]]:
    """Those of scipy.special, where SciPy is installed: with a row, and not among NumPy's. As a variable each is free.

    Example:
        >>> special_functions()["gammainc"]
        (<ufunc 'gammainc'>, 2)
    """
    try:
        import scipy.special
    except ImportError:
        return {}
    known = {row.ufunc for row in rows() if row.kind != "unsupported" and row.ufunc.nout == 1}
    named = {name: (f, f.nin) for name, f in vars(scipy.special).items() if isinstance(f, np.ufunc) and f in known}
    return {name: found for name, found in named.items() if name not in functions()}


def _function(name: str) -> tuple[Callable[..., Any], int] | None:
    """The function of this name and the number of its arguments, if there is one (NumPy's, else SciPy's)."""
    return functions().get(name) or special_functions().get(name)


def parse(text: str) -> Formula:
    """The function that a text describes.

    Args:
        text: an expression of Python in numbers, + - * / // % **, comparisons, and/or/not,
            `functions()`, `special_functions()`, the constants pi, e, inf, nan and euler_gamma, and any other names as
            variables.

    Raises:
        FormulaError: the text is no such expression; it says what is wrong, and where.

    Example:
        >>> parse("sin(x) + 1/2")(np.pi / 2)
        np.float64(1.5)
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise FormulaError(f"the formula has {len(text)} characters; at most {LONGEST} are read", text, LONGEST)
    if not text:
        raise FormulaError("the formula is empty", text, 0)
    if "#" in text:  # to Python, a comment: what follows would be dropped in silence
        raise FormulaError("# has no meaning in a formula", text, text.index("#"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = error.offset - 1 if error.offset else len(text)  # an unfinished formula has no place
        raise FormulaError(_reworded(error), text, place) from None
    except (RecursionError, MemoryError):
        raise _too_deep(text, 0) from None
    except ValueError as error:  # a null character
        raise FormulaError(f"the formula cannot be read: {error}", text, 0) from None
    variables: list[str] = []
    for node in _nodes(tree, text):
        _check(node, text)
        if isinstance(node, ast.Name) and node.id not in CONSTANTS and node.id not in variables:
            variables.append(node.id)
    return Formula(text, tree, tuple(variables))


# ── the white list ───────────────────────────────────────────────────────────────────────────────


def _nodes(tree: ast.expr, text: str = "") -> Iterator[ast.expr]:
    """All expressions of the tree but the names of called functions, from left to right."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise _too_deep(text, _column(text, node))
        yield node
        within = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        waiting.extend((child, depth + 1) for child in reversed([c for c in within if isinstance(c, ast.expr)]))


def _check(node: ast.expr, text: str) -> None:
    """Raises at a node that is not on the list."""
    match node:
        case ast.Constant(value=bool()) | ast.Name() | ast.BoolOp():
            problem = _misused_name(node.id) if isinstance(node, ast.Name) else None
        case ast.Constant(value=int() | float()):
            problem = None
        case ast.BinOp(op=op) | ast.UnaryOp(op=op):
            problem = None if type(op) in _OPERATORS else _refusal(op)
        case ast.Compare(ops=ops):
            problem = next((_refusal(op) for op in ops if type(op) not in _OPERATORS), None)
        case ast.Call():
            problem = _misused_call(node)
        case _:
            problem = _refusal(node)
    if problem is not None:
        raise FormulaError(problem, text, _operator_column(text, node))


def _refusal(node: ast.AST) -> str:
    known = _REFUSED.get(type(node))
    return known or f"{type(node).__name__} is not allowed in a formula; use numbers, operators and NumPy's functions"


def _misused_name(name: str) -> str | None:
    if name in functions():
        count = functions()[name][1]
        return f"{name} is a function: write {name}({', '.join('uvw'[:count])})"
    return None if not name.startswith("_") else f"{name}: a variable starts with a letter"


def _misused_call(node: ast.Call) -> str | None:
    if not isinstance(node.func, ast.Name):
        return _refusal(node.func) if isinstance(node.func, ast.Attribute) else "a product is written with *"
    name = node.func.id
    if len(name) == 1 or name in CONSTANTS:
        return f"{name} is no function; a product is written with *: {name}*(…)"
    found = _function(name)
    if found is None:
        special = special_functions()
        near = difflib.get_close_matches(_OTHER_NAMES.get(name, name), [*functions(), *special], n=1)
        hint = f"; is it {near[0]}?" if near else "" if special else "; for those of scipy.special install SciPy"
        return f"no elementwise function of NumPy{' or scipy.special' * bool(special)} is named {name}{hint}"
    count = found[1]
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        return f"{name}: arguments are given by position"
    if len(node.args) != count:
        return f"{name} takes {count} argument{'s' * (count > 1)}, {len(node.args)} given"
    return None


def _too_deep(text: str, column: int) -> FormulaError:
    return FormulaError(f"the formula is nested too deeply; at most {DEEPEST} levels are read", text, column)


def _column(text: str, node: ast.expr) -> int:
    """Characters before the node: ast counts bytes."""
    return len(text.encode()[: node.col_offset].decode())


def _operator_column(text: str, node: ast.expr) -> int:
    """The operator of a node of two sides; the start of any other."""
    if not isinstance(node, ast.BinOp) or node.left.end_col_offset is None:
        return _column(text, node)
    between = text.encode()[node.left.end_col_offset : node.right.col_offset].decode()
    return _column(text, node.right) - len(between.lstrip(" )"))


def _reworded(error: SyntaxError) -> str:
    """Python's message, but for those that speak of programs."""
    message = (error.msg or "").removesuffix(" (<unknown>, line 1)")
    if message.startswith(("invalid syntax", "cannot assign", "expression cannot", "invalid decimal")):
        return "this is no formula; a product is written with *, a power with **"
    return message


# ── evaluation ───────────────────────────────────────────────────────────────────────────────────


def _evaluate(node: ast.expr, names: dict[str, Any]) -> Any:
    """The value of a checked node; numbers are NumPy's floats, which overflow to inf."""
    match node:
        case ast.Constant(value=bool(value)):
            return np.bool_(value)
        case ast.Constant(value=int() | float() as value):
            try:
                return np.float64(value)
            except OverflowError:
                return np.float64(np.inf)
        case ast.Name(id=name):
            return names[name]
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_evaluate(a, names) for a in args]
            numbers = map(_number, values if name != "where" else values[1:])
            found = _function(name)
            assert found is not None
            return found[0](*numbers) if name != "where" else np.where(values[0], *numbers)
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_number(_evaluate(operand, names)))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_number(_evaluate(left, names)), _number(_evaluate(right, names)))
        case ast.BoolOp(op=op, values=parts):
            return functools.reduce(_OPERATORS[type(op)], [_evaluate(part, names) for part in parts])
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_evaluate(side, names) for side in (left, *comparators)]
            holds: Any = True
            for relation, a, b in zip(ops, sides, sides[1:], strict=False):
                holds = np.logical_and(holds, _OPERATORS[type(relation)](a, b))
            return holds
    raise AssertionError(f"unchecked node {ast.dump(node)}")


def _number(value: Value) -> Any:
    """A truth value as 0.0 or 1.0: NumPy subtracts no booleans, and takes their sine in half precision."""
    return value + 0.0 if getattr(value, "dtype", None) == np.bool_ else value
