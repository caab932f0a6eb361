"""``python -m dualnum``: the derivatives of a formula, in a terminal."""

import argparse
import importlib.metadata
import math
import os
import platform
import sys
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from . import __version__
from .algebra import scale_of
from .cli.report import MOST, differentiate
from .devices import devices
from .errors import DualnumError, InvalidValue
from .formula import Formula, FormulaError, parse
from .kernel.engine import available, current
from .kinds import Value

EXAMPLE = "exp(-x**2)*sin(x)"
CLOSED_FORM = "closed form: f(k) = Im (-1)^k H_k(x - i/2) exp(-x^2 + ix), by Hermite polynomials"
EXAMPLE_POINTS = ("0", "0.5", "1", "1.5", "2")
USUAL_POINTS = ("0.5", "1", "2")
HIGHEST_ORDER = 1000


def example_in_closed_form(k: int, x: Value) -> Any:
    """The k-th derivative of the example, e^{−x²} sin x = Im e^{−x² + ix}, by Hermite polynomials.

    f⁽ᵏ⁾(x) = Im (−1)ᵏ H_k(x − i/2) e^{−x² + ix}, for e^{−x² + ix} = e^{−1/4} e^{−(x − i/2)²} and
    dᵏ/dzᵏ e^{−z²} = (−1)ᵏ H_k(z) e^{−z²} (DLMF 18.5.5).
    """
    hermite = np.polynomial.Hermite.basis(k)(x - 0.5j)
    return ((-1) ** k * hermite * np.exp(-x * x + 1j * x)).imag


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit status is 0, or 2 for what cannot be understood."""
    options = _parser().parse_args(_guarded(sys.argv[1:] if arguments is None else arguments))
    if options.info:
        print(info())
        return 0
    try:
        print(_answer(options), flush=True)
    except FormulaError as error:
        print(f"dualnum: {error}\n{error.pointed()}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough (… | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (DualnumError, OSError) as error:
        print(f"dualnum: {error}", file=sys.stderr)
        return 2
    return 0


def _answer(options: argparse.Namespace) -> str:
    """What is printed for a formula, or for the example where none is given."""
    formula = parse(EXAMPLE if options.formula is None else options.formula)
    at = options.at or (EXAMPLE_POINTS if options.formula is None else USUAL_POINTS)
    variables, points = _points(at, formula, asked=bool(options.at))
    order = options.order if options.order is not None else 5 if len(variables) == 1 else 2
    if not 0 <= order <= HIGHEST_ORDER:
        raise InvalidValue(f"--order is {order}; expected 0 to {HIGHEST_ORDER}")
    closed = example_in_closed_form if options.formula is None else None
    report = differentiate(formula, variables, points, order, closed)
    lost = report.underflowed()
    if lost is not None:
        x, s = variables[0], 2 ** scale_of(order)
        print(
            f"dualnum: from order {lost} on digits are lost, for the Taylor coefficients are too small; write {s}*y "
            f"for {x} (at y = {x}/{s}): then the k-th derivative in {x} is k!/{s}^k times the Taylor coefficient in y",
            file=sys.stderr,
        )
    if options.plot is not None:
        from .cli.plot import draw

        draw(report, formula, options.plot)
    if options.csv:
        if report.note():
            print(f"dualnum: {report.note()}", file=sys.stderr)
        return report.csv()
    notes = [CLOSED_FORM] if closed is not None else []
    notes += [report.note()] if report.note() else []
    notes += [f"picture: {options.plot}"] if options.plot is not None else []
    return "\n".join([report.text(), *([""] if notes and closed is None else []), *notes])


def _points(given: Sequence[str], formula: Formula, asked: bool) -> tuple[tuple[str, ...], Any]:
    """The variables, and the points of shape (n, m), from 0.5 or x=1,t=3 or x=0:1:5,t=3, one word a point or grid."""
    variables = formula.variables or ("x",)
    if len(variables) > 1 and not (asked and all("=" in word for word in given)):
        wanted = ",".join(f"{v}=1" for v in variables)
        raise FormulaError(
            f"the formula has the variables {', '.join(variables)}; say where with --at {wanted}",
            formula.text,
            formula.position(variables[1]),
        )
    points: list[tuple[float, ...]] = []
    for word in given:
        named = dict(_named(word)) if "=" in word else {variables[0]: word}
        for v in named:
            if v not in variables:
                raise InvalidValue(
                    f"--at {word}: {v or 'nothing'} is no variable of {formula.text}; expected {', '.join(variables)}"
                )
        for v in variables:
            if v not in named:
                raise FormulaError(f"--at {word} gives no value for {v}", formula.text, formula.position(v))
        each = [_values(named[v], word) for v in variables]
        if math.prod(map(len, each)) > MOST:
            raise InvalidValue(f"--at {word} is more than {MOST} points")
        points += product(*each)
    return variables, np.array(points)


def _named(word: str) -> list[tuple[str, str]]:
    """x=1,t=3 as pairs of names and values."""
    pairs = [part.partition("=") for part in word.split(",")]
    names = [name.strip() for name, *_ in pairs]
    if len(set(names)) < len(names) or not all(sign for _, sign, _ in pairs):
        raise InvalidValue(f"--at {word}: expected one value for each variable, as in x=1,t=3")
    return [(name, value) for name, (*_, value) in zip(names, pairs, strict=True)]


def _values(text: str, word: str) -> list[float]:
    """A number, or start:stop:count: as many numbers with the same distance, both ends among them."""
    parts = text.split(":")
    if len(parts) == 1:
        return [_value(text, word)]
    count = parts[-1].strip()
    if len(parts) != 3 or not count.isdecimal() or not 1 <= int(count) <= MOST:
        raise InvalidValue(f"--at {word.strip()}: {text} is no range; expected start:stop:count, as in 0:1:5")
    return np.linspace(_value(parts[0], word), _value(parts[1], word), int(count)).tolist()  # type: ignore[no-any-return]


def _value(text: str, word: str) -> float:
    """A number, or a formula without variables such as pi/2."""
    try:
        formula = parse(text)
    except FormulaError as error:
        raise FormulaError(f"--at {word.strip()}: {error}", error.text, error.column) from None
    if formula.variables:
        raise InvalidValue(f"--at {word.strip()}: {formula.variables[0]} is no number")
    return float(formula())


def info() -> str:
    """Versions, engines and devices, a line each."""
    lines = [
        ("dualnum", __version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *((name, _version(name.lower())) for name in ("NumPy", "SciPy", "llvmlite", "optree", "Matplotlib")),
        ("CuPy", next((v for v in map(_version, ("cupy-cuda13x", "cupy-cuda12x", "cupy")) if v != _ABSENT), _ABSENT)),
        ("engines", ", ".join(f"{name} (in use)" if name == current() else name for name in available())),
        ("devices", ", ".join(devices()).replace("cpu", f"cpu ({os.cpu_count()} cores)", 1)),
    ]
    return "\n".join(f"{name:<11}{what}" for name, what in lines)


_ABSENT = "not installed"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return _ABSENT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dualnum" if sys.argv[0].endswith("__main__.py") else "dualnum",
        description="Exact derivatives of a formula. Without arguments: an example, checked against its closed form.",
        epilog='For example: dualnum "exp(-x**2)*sin(x)" --at 0.5 1.0 --order 6, or with ranges --at 0:1:11',
    )
    parser.add_argument("formula", nargs="?", help="in NumPy's and SciPy's elementwise functions, pi, e, and variables")
    parser.add_argument(
        "--at",
        nargs="+",
        metavar="POINT",
        help="numbers (0.5, pi/2), ranges (0:1:5), and for several variables points (x=1,t=3) or grids (x=0:1:5,t=3)",
    )
    parser.add_argument("--order", type=int, help="highest derivative (5; in several variables 2)")
    parser.add_argument("--csv", action="store_true", help="print comma-separated values with all their digits")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the function, its derivatives and Taylor polynomials")
    parser.add_argument("--info", action="store_true", help="print versions, engines and devices")
    parser.add_argument("--version", action="version", version=f"dualnum {__version__}")
    return parser


def _guarded(arguments: Sequence[str]) -> list[str]:
    """A formula or number that begins with a minus is no option: a space in front tells argparse so."""
    return [f" {a}" if a.startswith("-") and not a.startswith("--") and a not in ("-", "-h") else a for a in arguments]


def run() -> int:
    """The command `dualnum`."""
    if hasattr(sys.stdout, "reconfigure"):  # a terminal without the letter shows a question mark
        sys.stdout.reconfigure(errors="replace")
        sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]
    return main()


if __name__ == "__main__":
    sys.exit(run())
