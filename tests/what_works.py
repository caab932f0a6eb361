"""What works: every ufunc and array function of NumPy, and every ufunc of scipy.special, put to the test.

``python tests/what_works.py`` writes docs/coverage.md; test_coverage.py keeps it current. What counts as working,
forward and backward, says examination.py.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.special
from array_function_calls import CALLS, generic_calls
from cupy_outcomes import on_cupy
from examination import SEVERITY, Outcome, examine, refusal, together
from numpy._core import umath
from numpy.testing.overrides import get_overridable_numpy_array_functions

from dualnum.errors import DualnumError
from dualnum.operand import Operand, function_name
from dualnum.primitives import lookup

# functions register themselves when their modules are imported
for _module in ("numpy.fft", "numpy.char", "numpy.strings", "numpy.polynomial", "numpy.lib.recfunctions"):
    importlib.import_module(_module)

DOCUMENT = Path(__file__).parent.parent / "docs" / "coverage.md"
METHODS = ("reduce", "accumulate", "outer", "reduceat", "at")


# ── array functions ──────────────────────────────────────────────────────────────────────────────


@functools.cache
def array_functions() -> dict[str, Outcome]:
    """All functions that NumPy lets others override, by name."""
    outcomes: dict[str, list[Outcome]] = {}
    for function in get_overridable_numpy_array_functions():
        name = function_name(function)
        outcomes.setdefault(name, []).append(_array_function(name, function))
    # functions that take like= are there twice: how they are called, and what like= asks for
    return {
        name: min(outcomes[name], key=lambda o: (SEVERITY.index(o.status), "like=" in o.note, o.note))
        for name in sorted(outcomes)
    }


def _array_function(name: str, function: Callable[..., Any]) -> Outcome:
    x, v = sample_matrix()
    if name in CALLS:
        return together(name, [examine(call, [x], [v]) for call in CALLS[name]])
    for call in generic_calls(function):
        outcome = refusal(call, [x], [v])
        if outcome is not None:
            return together(name, [outcome])
    return Outcome(name, "wrong", "array_function_calls.py has no call for it", "wrong")


def sample_matrix() -> tuple[np.ndarray, np.ndarray]:
    """A generic matrix of positive numbers, no two of them closer than the steps, and a direction."""
    x = 0.35 + 0.137 * np.array([[7, 2, 10, 4], [0, 9, 5, 11], [8, 3, 6, 1]])
    v = np.array([[0.9, -0.4, 0.3, 1.0], [-0.7, 0.6, 0.8, -0.2], [0.5, -1.0, 0.1, 0.7]])
    return x, v


# ── ufuncs ───────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def numpy_ufuncs() -> dict[str, Outcome]:
    """NumPy's public ufuncs, with all their methods."""
    return {name: _ufunc(f"np.{name}", ufunc) for name, ufunc in public_ufuncs().items()}


def public_ufuncs() -> dict[str, np.ufunc]:
    """These, and the one behind np.clip, by name."""
    public = (getattr(np, name) for name in dir(np))
    ufuncs = {u.__name__: u for u in (*public, umath.clip) if isinstance(u, np.ufunc)}
    return dict(sorted(ufuncs.items()))


@functools.cache
def special_ufuncs() -> dict[str, Outcome]:
    """The ufuncs of scipy.special."""
    public = (getattr(scipy.special, name) for name in dir(scipy.special))
    ufuncs = {u.__name__: u for u in public if isinstance(u, np.ufunc)}
    return {name: _ufunc(f"scipy.special.{name}", ufuncs[name], False) for name in sorted(ufuncs)}


def _ufunc(name: str, ufunc: np.ufunc, methods: bool = True) -> Outcome:
    points = sample(ufunc)
    directions = [np.resize([1.0, -0.6, 0.8, 0.5], x.shape) * (1 - 0.3 * i) for i, x in enumerate(points)]
    varying = [i for i, x in enumerate(points) if x.dtype.kind == "f"]
    calls = [[v if i in varying else None for i, v in enumerate(directions)]]
    if ufunc.nin > 1:  # each argument alone as well
        calls += [[v if i == j else None for i, v in enumerate(directions)] for j in varying]
    outcomes = [examine(ufunc, points, along) for along in calls]
    result = together(name, outcomes)
    if ufunc.nin > 1:
        alone = dict(zip(varying, outcomes[1:], strict=True))
        if result.status in ("works", "constant"):
            result.note = _constants([i for i in alone if alone[i].status == "raises"])
        if result.reverse in ("exact", "none"):
            result.reverse_note = _constants([i for i in alone if alone[i].reverse == "raises"])
    if methods:
        result.methods = {method: _method(ufunc, method) for method in METHODS if has(ufunc, method)}
    return result


def _constants(refused: list[int]) -> str:
    return f"argument {', '.join(map(str, refused))} must be constant" if refused else ""


def has(ufunc: np.ufunc, method: str) -> bool:
    if ufunc.signature is not None:
        return False
    if method == "at":
        return ufunc.nin <= 2 and ufunc.nout == 1
    return ufunc.nin == 2 and (ufunc.nout == 1 or method == "outer")


def sample(ufunc: np.ufunc) -> list[np.ndarray]:
    """Four generic points for each argument, from the middle of the row's sample intervals."""
    if ufunc.signature is not None:
        x, _ = sample_matrix()
        square = x[:, :3]
        shapes = {"matvec": (square, x[:, 3]), "vecmat": (x[:, 3], square), "vecdot": (square, square.T)}
        return list(shapes.get(ufunc.__name__, (square, square.T)))
    try:
        row = lookup(ufunc)
    except DualnumError:
        return [np.full(4, 0.5)] * ufunc.nin
    fractions = np.array([0.13, 0.38, 0.59, 0.87])
    points = []
    for i in range(ufunc.nin):
        low, high = row.sample[i] if row.sample else (0.2, 0.9)
        middle = 0.25 * (3 * low + high) + 0.5 * (high - low) * np.roll(fractions, i)
        whole = isinstance(low, int) and isinstance(high, int)
        points.append(np.rint(middle).astype(int) if whole else middle)
    return points


def _method(ufunc: np.ufunc, method: str) -> str:
    """What comes of a method: works, constant, raises, wrong with the reason, or — where NumPy has no answer;
    of one that does not work backward, that.
    """
    x, v = np.array([0.6, 0.43, 0.87, 0.71]), np.array([1.0, -0.6, 0.8, 0.5])
    constant = ufunc is np.ldexp and np.array([1, 2, 0, 1])
    calls: dict[str, Callable[..., Any]] = {
        # NumPy 2.4's own np.power.reduce and np.arctan2.reduce are wrong on processors with AVX-512
        "reduce": lambda x: ufunc.reduce(x) if isinstance(x, Operand) else functools.reduce(ufunc, x),
        "accumulate": lambda x: ufunc.accumulate(x),
        "outer": lambda x: ufunc.outer(x, 0.77 * x[:3] if constant is False else constant),
        "reduceat": lambda x: ufunc.reduceat(x, [0, 2]),
        "at": lambda x: _at(ufunc, x, constant),
    }
    if ufunc is np.arccosh:
        x = x + 1
    outcome = examine(calls[method], [x], [v])
    for way, status, note in (("", outcome.status, outcome.note), (" backward", outcome.reverse, outcome.reverse_note)):
        if status == "wrong" or (way and status == "raises" != outcome.status):
            return f"{status}{way}: {note}"
    return outcome.status if outcome.native else "—"


def _at(ufunc: np.ufunc, x: Any, constant: Any) -> Any:
    result = np.copy(x)
    if ufunc.nin == 1:
        ufunc.at(result, [0, 2])
    else:
        ufunc.at(result, [0, 2], 0.77 * x[:2] if constant is False else constant[:2])
    return result


# ── the document ─────────────────────────────────────────────────────────────────────────────────


def document() -> str:
    """The text of docs/coverage.md."""
    ufuncs, functions, special = numpy_ufuncs(), array_functions(), special_ufuncs()
    lines = [
        "# What works",
        "",
        f"{_count(ufuncs, 'ufuncs of NumPy')}; {_count(functions, 'array functions of NumPy')}; "
        f"{_count(special, 'ufuncs of scipy.special')}.",
        "",
        f"Written by `python tests/what_works.py` from calls with NumPy {_short(np.__version__)} and SciPy "
        f"{_short(scipy.__version__)}; a test keeps it current. Value: `=` is what NumPy gives, but for the last "
        "places of a function of libm: compiled kernels call glibc's vector functions, at most 4 units in the last "
        'place from the true value; `dn.engine("interpret")` calls NumPy\'s own. Derivative: `exact`, '
        "or `none` where the result is constant (a shape, an order, a decision) and comes without derivatives. "
        "Reverse: the same call recorded on a tape; `exact` where its pull-back is the transpose of the derivative. "
        "Order: how many derivatives there are. CuPy: the same call on CuPy's arrays, held against NumPy's; `=` where "
        "it is the same, and the host does not wait for the device; where it must look at numbers before it can go on "
        "(as for x[mask]), it is said for what. What raises says why.",
        "",
        "## NumPy's ufuncs",
        "",
        "The methods that the ufunc has and that work with derivatives, forward and backward, stand in the last "
        "column but one.",
        "",
        "| function | value | derivative | reverse | order | CuPy | methods | notes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for outcome in ufuncs.values():
        works = ", ".join(m for m, status in outcome.methods.items() if status in ("works", "constant"))
        lines.append(f"| `{outcome.name}` | {_cells(outcome)} | {_cupy(outcome)} | {works} | {_note(outcome)} |")
    for title, outcomes in (("NumPy's array functions", functions), ("Ufuncs of scipy.special", special)):
        lines += ["", f"## {title}", ""]
        lines += ["| function | value | derivative | reverse | order | CuPy | notes |", "|---|---|---|---|---|---|---|"]
        shown = [o for o in outcomes.values() if not _is_of(o, _TEXT)]
        lines += [f"| `{o.name}` | {_cells(o)} | {_cupy(o)} | {_note(o)} |" for o in shown]
    texts = [o for o in functions.values() if _is_of(o, _TEXT)]
    lines += ["", f"The {len(texts)} functions of `{'`, `'.join(_TEXT)}` work on text and structures, and raise."]
    return "\n".join(lines) + "\n"


_TEXT = ("np.char", "np.strings", "np.lib.recfunctions")


def _is_of(outcome: Outcome, modules: Sequence[str]) -> bool:
    return outcome.status == "raises" and outcome.name.rpartition(".")[0] in modules


def _count(outcomes: dict[str, Outcome], what: str) -> str:
    number = {status: sum(o.status == status for o in outcomes.values()) for status in ("works", "constant", "raises")}
    backward = sum(o.reverse == "exact" for o in outcomes.values())
    return (
        f"**{number['works']}** of {len(outcomes)} {what} work, **{backward}** of these in reverse mode as well, "
        f"{number['constant']} give constants, {number['raises']} raise"
    )


def _cells(outcome: Outcome) -> str:
    value, derivative, order = {
        "works": ("=", "exact", "any"),
        "constant": ("=", "none", "—"),
        "raises": ("raises", "—", "—"),
    }.get(outcome.status, (outcome.status, outcome.status, "—"))
    return f"{value} | {derivative} | {outcome.reverse} | {order}"


def _cupy(outcome: Outcome) -> str:
    """What comes of it on CuPy's arrays."""
    return "—" if outcome.status == "raises" else on_cupy(outcome.name)


def _note(outcome: Outcome) -> str:
    """Why it raises; in reverse mode only where that is another matter."""
    note, backward = _without_name(outcome, outcome.note), _without_name(outcome, outcome.reverse_note)
    notes = [note, f"in reverse mode: {backward}" if backward.replace("a variable", "a jet") not in ("", note) else ""]
    return "; ".join(text for text in notes if text).replace("|", "\\|")


def _without_name(outcome: Outcome, note: str) -> str:
    return note.removeprefix(f"{outcome.name}: ").removeprefix(f"{outcome.name.rpartition('.')[2]}: ")


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"{DOCUMENT}: {document().splitlines()[2]}", file=sys.stderr)
