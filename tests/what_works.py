"""What works: every ufunc and array function of NumPy, and every ufunc of scipy.special, put to the test.

``python tests/what_works.py`` writes docs/coverage.md; test_coverage.py keeps it current. A call counts as

=========  ==========================================================================================
works      the result is a jet, its value is NumPy's, and its Taylor polynomial agrees with what NumPy
           gives at points nearby
constant   the result is a plain array or another object, and is the same nearby (a shape, an order)
raises     an error of dualnum's that says why
wrong      anything else: a derivative dropped or not right, a value that is not NumPy's, another error
=========  ==========================================================================================
"""

import functools
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import scipy.special
from array_function_calls import CALLS, generic_calls
from numpy._core import umath
from numpy.testing.overrides import get_overridable_numpy_array_functions

import dualnum as dn
from dualnum.errors import DualnumError
from dualnum.operand import Operand, function_name
from dualnum.primitives import lookup

# functions register themselves when their modules are imported
for _module in ("numpy.fft", "numpy.char", "numpy.strings", "numpy.polynomial", "numpy.lib.recfunctions"):
    importlib.import_module(_module)

DOCUMENT = Path(__file__).parent.parent / "docs" / "coverage.md"
ORDER = 6
STEP = 0.01  # where Taylor polynomials are compared: order 7 and up is below 1e-10 there
METHODS = ("reduce", "accumulate", "outer", "reduceat", "at")


@dataclass
class Outcome:
    """What came of the calls of one function."""

    name: str
    status: str
    note: str = ""
    native: bool = True  # whether NumPy itself has an answer
    methods: dict[str, str] = field(default_factory=dict)


# ── one call ─────────────────────────────────────────────────────────────────────────────────────


def examine(f: Callable[..., Any], points: Sequence[np.ndarray], directions: Sequence[np.ndarray | None]) -> Outcome:
    """f at jets along the directions (None: a constant), against f itself at the points and beside them."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            plain = [f(*_moved(points, directions, t)) for t in (0.0, STEP, -STEP)]
        except (TypeError, ValueError, np.linalg.LinAlgError):  # for integers only, for example
            plain = []
        jets = [x if v is None else dn.jet(x, ORDER, direction=v) for x, v in zip(points, directions, strict=True)]
        try:
            result = f(*jets)
        except DualnumError as error:
            return Outcome("", "raises", str(error), bool(plain))
        except Exception as error:
            return Outcome("", "wrong", f"{type(error).__name__}: {error}")
        if not plain:
            return Outcome("", "wrong", "an answer, where NumPy has none")
        try:
            differentiated = [_compare(*leaves) for leaves in leaves(result, *plain)]
        except (AssertionError, ValueError, TypeError) as error:
            return Outcome("", "wrong", " ".join(str(error).split()))
    return Outcome("", "works" if any(differentiated) else "constant")


def _moved(points: Sequence[Any], directions: Sequence[Any], t: float) -> list[Any]:
    return [np.copy(x) if v is None else x + t * v for x, v in zip(points, directions, strict=True)]


def leaves(*results: Any) -> Iterator[tuple[Any, ...]]:
    """The arrays of nested results, side by side."""
    first = results[0]
    if isinstance(first, (tuple, list)):
        for i in range(len(first)):
            assert all(len(r) == len(first) for r in results), "the results have different lengths"
            yield from leaves(*(r[i] for r in results))
    else:
        yield results


def _compare(result: Any, plain: Any, ahead: Any, behind: Any) -> bool:
    """Asserts that a result is right; true if it is a jet."""
    if not isinstance(result, Operand):
        assert _same(result, plain), f"a constant {result!r}, where NumPy gives {plain!r}"
        assert _same(plain, ahead) and _same(plain, behind), "the derivatives are dropped"
        return False
    assert result.shape == np.shape(plain), f"shape {result.shape} instead of {np.shape(plain)}"
    assert result.dtype == np.asarray(plain).dtype, f"type {result.dtype} instead of {np.asarray(plain).dtype}"
    scale = np.max(np.abs(plain), initial=0.0) + 1e-30
    np.testing.assert_allclose(result.value, plain, rtol=1e-14, atol=1e-15 * scale, err_msg="the value")
    slack = 1e-9 * max(scale, *(np.max(np.abs(c), initial=0.0) for c in result.coeffs[:3]))
    np.testing.assert_allclose(result(STEP), ahead, rtol=1e-9, atol=slack, err_msg="the derivatives, ahead")
    np.testing.assert_allclose(result(-STEP), behind, rtol=1e-9, atol=slack, err_msg="the derivatives, behind")
    return True


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and a.dtype.kind in "fc":
        return a.shape == np.shape(b) and bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.array_equal(a, b)) if isinstance(a, (np.ndarray, np.generic)) else bool(np.all(a == b))


_SEVERITY = ("wrong", "works", "constant", "raises")


def _together(name: str, outcomes: Sequence[Outcome]) -> Outcome:
    """The calls of one function as one outcome."""
    worst = min(outcomes, key=lambda o: _SEVERITY.index(o.status))
    if worst.status in ("wrong", "raises"):
        return Outcome(name, worst.status, worst.note)
    refused = [o.note for o in outcomes if o.status == "raises"]
    return Outcome(name, worst.status, "; ".join(dict.fromkeys(refused)))


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
        name: min(outcomes[name], key=lambda o: (_SEVERITY.index(o.status), "like=" in o.note, o.note))
        for name in sorted(outcomes)
    }


def _array_function(name: str, function: Callable[..., Any]) -> Outcome:
    x, v = sample_matrix()
    if name in CALLS:
        return _together(name, [examine(call, [x], [v]) for call in CALLS[name]])
    for call in generic_calls(function):
        try:
            call(dn.jet(x, ORDER, direction=v))
        except DualnumError as error:
            return Outcome(name, "raises", str(error))
        except Exception:  # not a call that the function understands
            continue
        return Outcome(name, "wrong", "it answers, but array_function_calls.py has no call that tests it")
    return Outcome(name, "wrong", "array_function_calls.py has no call for it")


def sample_matrix() -> tuple[np.ndarray, np.ndarray]:
    """A generic matrix of positive numbers, no two of them closer than the steps, and a direction."""
    x = 0.35 + 0.137 * np.array([[7, 2, 10, 4], [0, 9, 5, 11], [8, 3, 6, 1]])
    v = np.array([[0.9, -0.4, 0.3, 1.0], [-0.7, 0.6, 0.8, -0.2], [0.5, -1.0, 0.1, 0.7]])
    return x, v


# ── ufuncs ───────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def numpy_ufuncs() -> dict[str, Outcome]:
    """NumPy's public ufuncs, and the one behind np.clip, with all their methods."""
    public = (getattr(np, name) for name in dir(np))
    ufuncs = {u.__name__: u for u in (*public, umath.clip) if isinstance(u, np.ufunc)}
    return {name: _ufunc(f"np.{name}", ufuncs[name]) for name in sorted(ufuncs)}


@functools.cache
def special_ufuncs() -> dict[str, Outcome]:
    """The ufuncs of scipy.special."""
    public = (getattr(scipy.special, name) for name in dir(scipy.special))
    ufuncs = {u.__name__: u for u in public if isinstance(u, np.ufunc)}
    return {name: _ufunc(f"scipy.special.{name}", ufuncs[name], False) for name in sorted(ufuncs)}


def _ufunc(name: str, ufunc: np.ufunc, methods: bool = True) -> Outcome:
    points = _sample(ufunc)
    directions = [np.resize([1.0, -0.6, 0.8, 0.5], x.shape) * (1 - 0.3 * i) for i, x in enumerate(points)]
    varying = [i for i, x in enumerate(points) if x.dtype.kind == "f"]
    calls = [[v if i in varying else None for i, v in enumerate(directions)]]
    if ufunc.nin > 1:  # each argument alone as well
        calls += [[v if i == j else None for i, v in enumerate(directions)] for j in varying]
    outcomes = [examine(ufunc, points, along) for along in calls]
    result = _together(name, outcomes)
    if result.status in ("works", "constant") and ufunc.nin > 1:
        alone = dict(zip(varying, outcomes[1:], strict=True))
        refused = [i for i in alone if alone[i].status == "raises"]
        result.note = f"argument {', '.join(map(str, refused))} must be constant" if refused else ""
    if methods:
        result.methods = {method: _method(ufunc, method) for method in METHODS if _has(ufunc, method)}
    return result


def _has(ufunc: np.ufunc, method: str) -> bool:
    if ufunc.signature is not None:
        return False
    if method == "at":
        return ufunc.nin <= 2 and ufunc.nout == 1
    return ufunc.nin == 2 and (ufunc.nout == 1 or method == "outer")


def _sample(ufunc: np.ufunc) -> list[np.ndarray]:
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
    """What comes of a method: works, constant, raises, wrong with the reason, or — where NumPy has no answer."""
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
    if outcome.status == "wrong":
        return f"wrong: {outcome.note}"
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
        f"{_short(scipy.__version__)}; a test keeps it current. Value: `=` is what NumPy gives. Derivative: `exact`, "
        "or `none` where the result is constant (a shape, an order, a decision) and comes without derivatives. "
        "Order: how many derivatives there are. What raises says why.",
        "",
        "## NumPy's ufuncs",
        "",
        "The methods that the ufunc has and that work with derivatives stand in the last column but one.",
        "",
        "| function | value | derivative | order | methods | notes |",
        "|---|---|---|---|---|---|",
    ]
    for outcome in ufuncs.values():
        works = ", ".join(m for m, status in outcome.methods.items() if status in ("works", "constant"))
        lines.append(f"| `{outcome.name}` | {_cells(outcome)} | {works} | {_note(outcome)} |")
    for title, outcomes in (("NumPy's array functions", functions), ("Ufuncs of scipy.special", special)):
        lines += ["", f"## {title}", "", "| function | value | derivative | order | notes |", "|---|---|---|---|---|"]
        lines += [f"| `{o.name}` | {_cells(o)} | {_note(o)} |" for o in outcomes.values() if not _is_of(o, _TEXT)]
    texts = [o for o in functions.values() if _is_of(o, _TEXT)]
    lines += ["", f"The {len(texts)} functions of `{'`, `'.join(_TEXT)}` work on text and structures, and raise."]
    return "\n".join(lines) + "\n"


_TEXT = ("np.char", "np.strings", "np.lib.recfunctions")


def _is_of(outcome: Outcome, modules: Sequence[str]) -> bool:
    return outcome.status == "raises" and outcome.name.rpartition(".")[0] in modules


def _count(outcomes: dict[str, Outcome], what: str) -> str:
    number = {status: sum(o.status == status for o in outcomes.values()) for status in ("works", "constant", "raises")}
    return (
        f"**{number['works']}** of {len(outcomes)} {what} work, {number['constant']} give constants, "
        f"{number['raises']} raise"
    )


def _cells(outcome: Outcome) -> str:
    return {"works": "= | exact | any", "constant": "= | none | —", "raises": "raises | — | —"}.get(
        outcome.status, f"{outcome.status} | {outcome.status} | —"
    )


def _note(outcome: Outcome) -> str:
    note = outcome.note.removeprefix(f"{outcome.name}: ").removeprefix(f"{outcome.name.rpartition('.')[2]}: ")
    return note.replace("|", "\\|")


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"{DOCUMENT}: {document().splitlines()[2]}", file=sys.stderr)
