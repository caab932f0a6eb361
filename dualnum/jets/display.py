"""Jets for people: text, LaTeX and HTML.

A jet is shown as the polynomial it is, Σ a_k t^k, with terms that vanish everywhere left out. The
variables are t for a jet of one direction, t₁ … t_P along P directions or in several variables, δx
for one called x, ε where squares vanish, and s, r, … for the levels below, where the coefficients are
jets themselves. Numbers and elision follow ``np.printoptions``.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from ..algebra import Algebra
from ..backend import to_device
from ..kinds import Value
from ..operand import Operand, primal
from .base import Base

__all__ = ["columns", "formatted", "html", "latex", "partial_name", "table", "text"]

_LETTERS = "tsrqponm"
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MATRIX_ENTRIES = 36  # what still fits on a page as LaTeX
_TABLE_COLUMNS = 12
_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)

Factor = tuple[str, int, int]  # letter, number of its direction (0: the only one), power
Monomial = tuple[Factor, ...]


def text(jet: Base) -> str:
    """The repr: ``Jet(25. + 10.·t + 1.·t², order=3)``, arrays with one aligned block a coefficient."""
    shown = _elided(_nonzero(jet), _longest(jet))
    facts = ", ".join(_facts(jet))
    if jet.ndim == 0:
        return _wrapped(["Jet(", *_signed_sum(shown, _number, "·", _plain), f", {facts})" if facts else ")"])
    # room for a sign in every block where one of them needs it, so that their columns align
    signed = any(term is not None and term[1].dtype.kind == "f" and np.signbit(term[1]).any() for term in shown)
    sign: Any = " " if signed and np.get_printoptions()["sign"] == "-" else None
    blocks: list[str] = []
    for term in shown:
        margin = "  + " if blocks else "Jet("
        if term is None:
            blocks.append("  + …")
            continue
        monomial, plane = term
        block = np.array2string(plane, separator=", ", prefix=margin, sign=sign)
        blocks.append(margin + block + (f"·{_plain(monomial)}" if monomial else ""))
    last = blocks[-1].rsplit("\n", 1)[-1]
    fits = len(blocks) == 1 and len(last) + len(facts) + 3 <= np.get_printoptions()["linewidth"]
    return "\n".join(blocks) + ((", " if fits else ",\n    ") + facts if facts else "") + ")"


def formatted(jet: Base, spec: str) -> str:
    """The repr with every number formatted: ``Jet(0.500 + 1.000·t, order=2)`` for ".3f"."""

    def number(x: Any) -> str:
        return format(x, spec)

    with np.printoptions(formatter={"float_kind": number, "complex_kind": number}):
        return text(jet)


def latex(jet: Base) -> str | None:
    r"""``$25 + 10\,t + t^{2} + \mathcal{O}(t^{4})$``; None where it would not fit on a page."""
    terms = _nonzero(jet)
    if jet.ndim > 2 or jet.size > _MATRIX_ENTRIES or len(terms) * jet.size > 4 * _MATRIX_ENTRIES or not jet.size:
        return None
    if jet.ndim == 0:
        body = "".join(_signed_sum(_elided(terms, _longest(jet)), _latex_number, r"\,", _latex_monomial, r"\cdots"))
        body = re.sub(r"(?<![\d.])1\\,", "", body)  # t² rather than 1 t²
    else:
        body = " + ".join(
            r"\cdots" if term is None else (_matrix(term[1]) + r"\," + _latex_monomial(term[0])).removesuffix(r"\,")
            for term in _elided(terms, _longest(jet))
        )
    rests = [rf"\mathcal{{O}}({', '.join(map(_latex_monomial, each))})" for each in _rests(jet)]
    return f"${' + '.join([body, *rests])}$"


def html(jet: Base) -> str:
    """A table: a row for each coefficient, a column for each element, or a summary of many elements."""
    terms = _elided(list(_terms(jet)), _longest(jet))
    names, cells = columns(jet)
    rows = [("⋮", ["⋮"] * len(names)) if term is None else (_plain(term[0]) or "1", cells(term[1])) for term in terms]
    facts = [f"order {_order_text(jet)}", f"shape {jet.shape}", str(jet.dtype)]
    facts += [] if jet.device == "cpu" else [jet.device]
    whole = table(f"Jet, {', '.join(facts)}", names, rows)
    several = jet.algebra.variables > 1 and jet.algebra.directions is None and jet.algebra.letter != "ε"
    return whole + _partials(jet) if several and len(_orders(jet)) == 1 else whole


def _partials(jet: Any) -> str:
    """A table of the partial derivatives, next to that of the coefficients."""
    names, cells = columns(jet)
    found = [(partial_name(jet.algebra, m), y) for m, y in jet.partials().items()]
    longest = _longest(jet)
    rows = [(name, cells(np.asarray(to_device(primal(y), "cpu")))) for name, y in found[:longest]]
    return table("Partial derivatives", names, rows + [("⋮", ["⋮"] * len(names))] * (len(found) > longest))


def partial_name(algebra: Algebra, monomial: Any) -> str:
    """∂²f/∂x∂y."""
    names = algebra.names or tuple(f"x{i + 1}".translate(_SUBSCRIPTS) for i in range(algebra.variables))
    below = "".join(f"∂{name}{_raised(k)}" for name, k in zip(names, monomial, strict=True) if k)
    return f"∂{_raised(sum(monomial))}f/{below}" if below else "f"


def _raised(power: int) -> str:
    return str(power).translate(_SUPERSCRIPTS) if power > 1 else ""


def table(caption: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table of HTML: a row for each name of rows, under the names of the columns."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


# ── the terms of a jet ───────────────────────────────────────────────────────────────────────────


def _terms(x: Value, depth: int = 0) -> Iterator[tuple[Monomial, Any]]:
    """(monomial, plain array) for every coefficient, lowest degree first, through all levels."""
    if not isinstance(x, Operand):
        yield (), np.asarray(to_device(x, "cpu"))
        return
    if not hasattr(x, "coefficient"):  # a coefficient that is no jet shows as its value
        yield (), np.asarray(to_device(primal(x), "cpu"))
        return
    jet: Any = x
    letter = _LETTERS[min(depth, len(_LETTERS) - 1)]
    for i in range(jet.algebra.size):
        own: Monomial = tuple(_factor(jet.algebra, letter, p, power) for p, power in jet.algebra.factored(i))
        for inner, array in _terms(jet.planes[i], depth + 1):
            yield inner + own, array


def _factor(algebra: Algebra, letter: str, number: int, power: int) -> Factor:
    """A power of a variable, by its name or by its number."""
    if algebra.names is not None:
        return "δ" + algebra.names[number - 1], 0, power
    return algebra.letter or letter, 0 if algebra.variables == 1 and algebra.directions is None else number, power


def _nonzero(jet: Base) -> list[tuple[Monomial, Any]]:
    """The terms that do not vanish everywhere, and the value in any case."""
    return [(monomial, plane) for monomial, plane in _terms(jet) if not monomial or np.any(plane != 0)]


def _longest(jet: Base) -> int:
    """How many terms are shown before they are elided; in several variables those of some more degrees."""
    several = jet.algebra.variables > 1 and jet.algebra.directions is None and not jet.ndim
    return np.get_printoptions()["edgeitems"] * (6 if several else 2) + 2


def _elided(terms: list[tuple[Monomial, Any]], longest: int) -> list[tuple[Monomial, Any] | None]:
    """Both ends of a long list of terms around None, as NumPy shows a long axis."""
    options = np.get_printoptions()
    edge = options["edgeitems"]
    if len(terms) <= longest or options["threshold"] >= sys.maxsize:
        return list(terms)
    return [*terms[: edge + 1], None, *terms[len(terms) - max(edge, 1) :]]


def _orders(jet: Base) -> list[tuple[str, int]]:
    """The order in each variable, the jet's own first."""
    orders: list[tuple[str, int]] = []
    x: Any = jet
    for letter in _LETTERS:
        orders.append((_size(x.algebra, letter), x.order))
        x = x.planes[0]
        if not hasattr(x, "coefficient"):
            break
    return orders


def _size(algebra: Algebra, letter: str) -> str:
    """What the terms that are left out are powers of."""
    if algebra.variables == 1 and algebra.names:
        return f"δ{algebra.names[0]}"
    if algebra.variables == 1 or algebra.directions is not None or algebra.letter:
        return algebra.letter or letter
    return "|δ|" if algebra.names else f"|{letter}|"


def _rests(jet: Base) -> list[list[Monomial]]:
    """The lowest of what is left out, for each level."""
    limits = jet.algebra.limits
    if limits is not None:
        return [[(_factor(jet.algebra, "t", i, limit + 1),) for i, limit in enumerate(limits, 1)]]
    return [[((x, 0, k + 1),)] for x, k in _orders(jet) if x != "ε"]


def _order_text(jet: Base) -> str:
    orders = _orders(jet)
    if len(orders) == 1:
        return str(jet.order if jet.algebra.limits is None else jet.algebra.limits)
    return ", ".join(f"{order} in {letter}" for letter, order in orders)


def _facts(jet: Base) -> list[str]:
    """What the numbers do not show by themselves."""
    facts = [f"order={_order_text(jet)}"] if len(_orders(jet)) == 1 else [f"order=({_order_text(jet)})"]
    if jet.algebra.letter == "ε" and len(facts) == 1 and jet.algebra.order == jet.algebra.variables:
        facts = []  # there are no others
    if jet.algebra.directions is not None:
        facts.append(f"directions={jet.algebra.directions}")
    if jet.size > np.get_printoptions()["threshold"] or jet.size == 0:
        facts.append(f"shape={jet.shape}")
    if jet.dtype not in (np.dtype(np.float64), np.dtype(np.complex128)):
        facts.append(f"dtype={jet.dtype}")
    if jet.device != "cpu":
        facts.append(f"device={jet.device!r}")
    return facts


# ── numbers and monomials ────────────────────────────────────────────────────────────────────────


def _number(x: Value) -> str:
    s = np.array2string(x).strip()
    return f"({s})" if x.dtype.kind == "c" else s


def _plain(monomial: Monomial) -> str:
    written = "·".join(
        letter
        + (str(direction).translate(_SUBSCRIPTS) if direction else "")
        + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "")
        for letter, direction, power in monomial
    )
    return written.replace("·ε", "ε")


def _signed_sum(
    terms: list[tuple[Monomial, Any] | None], number: Value, times: str, name: Any, ellipsis: str = "…"
) -> list[str]:
    """The pieces of a + b·t − c·t²: the sign of a real coefficient stands between the terms."""
    pieces: list[str] = []
    for term in terms:
        if term is None:
            pieces.append(f" + {ellipsis}")
            continue
        monomial, x = term
        negative = bool(pieces) and x.dtype.kind == "f" and bool(np.signbit(x))
        part = number(-x if negative else x) + (times + name(monomial) if monomial else "")
        pieces.append((" - " if negative else " + ") + part if pieces else part)
    return pieces


def _wrapped(pieces: list[str]) -> str:
    """The pieces in lines of ``np.printoptions``' width, broken before a piece."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece) > np.get_printoptions()["linewidth"]:
            if piece == ")":
                lines[-1] += piece
                continue
            if piece.startswith(","):
                lines[-1], piece = lines[-1] + ",", " " * 4 + piece.removeprefix(", ")
            else:
                piece = " " + piece
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _latex_number(x: Value) -> str:
    if x.dtype.kind == "c":
        sign = "-" if np.signbit(x.imag) else "+"
        return rf"({_latex_number(x.real)} {sign} {_latex_number(abs(x.imag))}\mathrm{{i}})"
    if not np.isfinite(x):
        return r"\mathrm{NaN}" if np.isnan(x) else r"-\infty" if x < 0 else r"\infty"
    mantissa, _, exponent = np.array2string(x).strip().partition("e")
    mantissa = mantissa.removesuffix(".")
    return mantissa + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def _latex_monomial(monomial: Monomial) -> str:
    written = r"\,".join(
        _latex_name(letter) + (f"_{{{direction}}}" if direction else "") + (f"^{{{power}}}" if power > 1 else "")
        for letter, direction, power in monomial
    )
    return written.replace("ε", r"\varepsilon")


def _latex_name(letter: str) -> str:
    """A variable by its name: δx, δtheta and δrho_1 as they are set in print."""
    delta, name, number = re.fullmatch(r"(δ?)(.+?)(?:_?(\d+))?", letter).groups()  # type: ignore[union-attr]
    if name in _GREEK:
        name = rf"\{name}"
    elif len(name) > 1 and name.isidentifier():
        name = rf"\mathit{{{name}}}".replace("_", r"\_")
    name = name.replace("|δ|", r"|\delta|")
    return (r"\delta " if delta else "") + name + (f"_{{{number}}}" if number else "")


def _matrix(plane: Any) -> str:
    """A vector is written as a row, as NumPy prints it."""
    rows = [" & ".join(_latex_number(entry) for entry in map(np.asarray, row)) for row in np.atleast_2d(plane)]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


# ── the columns of a table ───────────────────────────────────────────────────────────────────────


def columns(x: Any) -> tuple[list[str], Callable[[Any], list[str]]]:
    """The names of columns for what has elements, and from an array what stands below them."""
    return _summary(x) if x.size > _TABLE_COLUMNS else _elements(x)


def _elements(jet: Base) -> tuple[list[str], Any]:
    names = ["" if jet.ndim == 0 else str(list(map(int, i))) for i in np.ndindex(*jet.shape)]
    return names, lambda plane: [np.array2string(np.asarray(entry)).strip() for entry in np.ravel(plane)]


def _summary(jet: Base) -> tuple[list[str], Any]:
    real = jet.dtype.kind == "f"
    names = ["min", "mean", "max", "not finite"] if real else ["min |a|", "mean |a|", "max |a|", "not finite"]

    def cells(plane: Any) -> list[str]:
        finite = plane[np.isfinite(plane)]
        missing = str(plane.size - finite.size)
        if not finite.size:
            return ["–", "–", "–", missing]
        sizes = finite if real else np.abs(finite)
        return [np.array2string(np.asarray(f(sizes))).strip() for f in (np.min, np.mean, np.max)] + [missing]

    return names, cells
