"""One call of a function under examination, forward and backward, against NumPy itself.

What a call comes to:

=========  ==========================================================================================
works      the result is a jet, its value is NumPy's, and its Taylor polynomial agrees with what NumPy
           gives at points nearby
constant   the result is a plain array or another object, and is the same nearby (a shape, an order)
raises     an error of dualnum's that says why
wrong      anything else: a derivative dropped or not right, a value that is not NumPy's, another error
=========  ==========================================================================================

and, recorded on a tape and swept back:

=========  ==========================================================================================
exact      the result depends on the variables, its value is NumPy's, and the pull-back is the transpose
           of the push-forward: ⟨u, J v⟩ = ⟨Jᵀ u, v⟩
none       the result is constant
raises     an error of dualnum's that says why
wrong      anything else
=========  ==========================================================================================
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import dualnum as dn
from dualnum.errors import DualnumError
from dualnum.operand import Operand

__all__ = ["SEVERITY", "Outcome", "examine", "leaves", "refusal", "together"]

ORDER = 6
STEP = 0.01  # where Taylor polynomials are compared: order 7 and up is below 1e-10 there

Function = Callable[..., Any]
Points = Sequence[np.ndarray]
Directions = Sequence[np.ndarray | None]  # None: a constant


@dataclass
class Outcome:
    """What came of the calls of one function."""

    name: str
    status: str
    note: str = ""
    reverse: str = "raises"
    reverse_note: str = ""
    native: bool = True  # whether NumPy itself has an answer
    methods: dict[str, str] = field(default_factory=dict)


def examine(f: Function, points: Points, directions: Directions) -> Outcome:
    """f at the points, moved along the directions."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            plain = [f(*_moved(points, directions, t)) for t in (0.0, STEP, -STEP)]
        except (TypeError, ValueError, np.linalg.LinAlgError):  # for integers only, for example
            plain = []
        status, note, pushed = _forward(f, points, directions, plain)
        if status == "wrong":
            return Outcome("", status, note, "wrong", "there is nothing right to compare with", bool(plain))
        reverse, reverse_note = _backward(f, points, directions, plain, pushed)
    return Outcome("", status, note, reverse, reverse_note, bool(plain))


def refusal(f: Function, points: Points, directions: Directions) -> Outcome | None:
    """f as a function that is expected to raise, without asking NumPy; None where it does not understand its call."""
    try:
        f(*_jets(points, directions))
    except DualnumError as error:
        return Outcome("", "raises", str(error), *_backward(f, points, directions, [], None))
    except Exception:
        return None
    return Outcome("", "wrong", "it answers, but array_function_calls.py has no call that tests it", "wrong")


def _moved(points: Points, directions: Directions, t: float) -> list[Any]:
    return [np.copy(x) if v is None else x + t * v for x, v in zip(points, directions, strict=True)]


def _jets(points: Points, directions: Directions) -> list[Any]:
    return [x if v is None else dn.jet(x, ORDER, direction=v) for x, v in zip(points, directions, strict=True)]


def leaves(*results: Any) -> Iterator[tuple[Any, ...]]:
    """The arrays of nested results, side by side."""
    first = results[0]
    if isinstance(first, (tuple, list)):
        for i in range(len(first)):
            assert all(len(r) == len(first) for r in results), "the results have different lengths"
            yield from leaves(*(r[i] for r in results))
    else:
        yield results


# ── forward ──────────────────────────────────────────────────────────────────────────────────────


def _forward(f: Function, points: Points, directions: Directions, plain: list[Any]) -> tuple[str, str, Any]:
    """What comes of f at jets, why, and the push-forward of every array of the result (None: a constant)."""
    try:
        result = f(*_jets(points, directions))
    except DualnumError as error:
        return "raises", str(error), None
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}", None
    if not plain:
        return "wrong", "an answer, where NumPy has none", None
    try:
        differentiated = [_compare(*leaves) for leaves in leaves(result, *plain)]
    except (AssertionError, ValueError, TypeError) as error:
        return "wrong", " ".join(str(error).split()), None
    pushed = [y.coeffs[1] if isinstance(y, Operand) else None for (y,) in leaves(result)]
    return "works" if any(differentiated) else "constant", "", pushed


def _compare(result: Any, plain: Any, ahead: Any, behind: Any) -> bool:
    """Asserts that a result is right; true if it is a jet."""
    if not isinstance(result, Operand):
        assert _same(result, plain), f"a constant {result!r}, where NumPy gives {plain!r}"
        assert _same(plain, ahead) and _same(plain, behind), "the derivatives are dropped"
        return False
    scale = _assert_value(result.value, plain)
    slack = 1e-9 * max(scale, *(np.max(np.abs(c), initial=0.0) for c in result.coeffs[:3]))
    np.testing.assert_allclose(result(STEP), ahead, rtol=1e-9, atol=slack, err_msg="the derivatives, ahead")
    np.testing.assert_allclose(result(-STEP), behind, rtol=1e-9, atol=slack, err_msg="the derivatives, behind")
    return True


def _assert_value(value: Any, plain: Any) -> float:
    """Asserts that a value is NumPy's; returns its size."""
    assert value.shape == np.shape(plain), f"shape {value.shape} instead of {np.shape(plain)}"
    assert value.dtype == np.asarray(plain).dtype, f"type {value.dtype} instead of {np.asarray(plain).dtype}"
    scale = float(np.max(np.abs(plain), initial=0.0)) + 1e-30
    np.testing.assert_allclose(value, plain, rtol=1e-14, atol=1e-15 * scale, err_msg="the value")
    return scale


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and a.dtype.kind in "fc":
        return a.shape == np.shape(b) and bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.array_equal(a, b)) if isinstance(a, (np.ndarray, np.generic)) else bool(np.all(a == b))


# ── backward ─────────────────────────────────────────────────────────────────────────────────────


def _backward(
    f: Function, points: Points, directions: Directions, plain: list[Any], pushed: list[Any] | None
) -> tuple[str, str]:
    """What comes of f on a tape, and why."""
    found: list[Any] = []

    def recorded(*variables: Any) -> list[Any]:
        given = iter(variables)
        result = f(*(np.copy(x) if v is None else next(given) for x, v in zip(points, directions, strict=True)))
        found[:] = [y for (y,) in leaves(result)]
        return [y for y in found if _has_numbers(y)]

    xs, vs = zip(*((x, v) for x, v in zip(points, directions, strict=True) if v is not None), strict=True)
    try:
        values, pull = dn.vjp(recorded, *xs)
        cotangents = [_cotangent(np.asarray(value)) for value in values]
        pulled = pull(cotangents)
        assert pushed is not None, "an answer, where there is none forward"
        results = iter(values)
        ahead = []
        for y, (native,), w in zip(found, leaves(plain[0]), pushed, strict=True):
            if _has_numbers(y):
                _assert_value(np.asarray(next(results)), native)
                ahead.append((cotangents[len(ahead)], w))
            else:
                assert _same(y, native), f"a constant {y!r}, where NumPy gives {native!r}"
        _assert_transposed(ahead, list(zip(pulled if len(xs) > 1 else [pulled], vs, strict=True)))
    except DualnumError as error:
        return "raises", str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ("exact" if any(isinstance(y, Operand) for y in found) else "none"), ""


def _has_numbers(y: Any) -> bool:
    """Whether a leaf of a result has a derivative, or could have one."""
    return isinstance(y, Operand) or np.asarray(y).dtype.kind in "fc"


def _cotangent(value: Any) -> Any:
    """A generic cotangent, zero where the value is none."""
    rng = np.random.default_rng(value.size)
    u = rng.uniform(0.5, 1.5, value.shape) * rng.choice([-1, 1], value.shape)
    if value.dtype.kind == "c":
        u = u + 1j * rng.uniform(0.5, 1.5, value.shape)
    return np.where(np.isfinite(value), u, 0.0).astype(value.dtype)


def _assert_transposed(ahead: list[tuple[Any, Any]], back: list[tuple[Any, Any]]) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩, from the pairs (u, J v) and (Jᵀ u, v)."""
    for pulled, v in back:
        assert pulled.shape == v.shape, f"the pull-back has shape {pulled.shape} instead of {v.shape}"
        assert pulled.dtype == v.dtype, f"the pull-back has type {pulled.dtype} instead of {v.dtype}"
    terms = [np.ravel(np.real(np.where(u == 0, 0.0, u * w))) for u, w in ahead if w is not None]
    left = np.concatenate(terms) if terms else np.zeros(0)
    right = np.concatenate([np.ravel(x * v) for x, v in back])
    size = max(float(np.sum(np.abs(left))), float(np.sum(np.abs(right))))
    difference = abs(float(np.sum(left)) - float(np.sum(right)))
    assert difference <= 1e-12 * size, f"⟨u, J v⟩ is {np.sum(left)}, ⟨Jᵀ u, v⟩ is {np.sum(right)}"


# ── several calls ────────────────────────────────────────────────────────────────────────────────

SEVERITY = ("wrong", "works", "constant", "raises")
_BACKWARD = ("wrong", "exact", "none", "raises")


def together(name: str, outcomes: Sequence[Outcome]) -> Outcome:
    """The calls of one function as one outcome; what only some of them refuse is said beside it."""
    status, note = _worst([(o.status, o.note) for o in outcomes], SEVERITY)
    reverse, reverse_note = _worst([(o.reverse, o.reverse_note) for o in outcomes], _BACKWARD)
    return Outcome(name, status, note, reverse, reverse_note)


def _worst(results: Sequence[tuple[str, str]], severity: Sequence[str]) -> tuple[str, str]:
    worst, note = min(results, key=lambda result: severity.index(result[0]))
    if worst in ("wrong", "raises"):
        return worst, note
    return worst, "; ".join(dict.fromkeys(why for result, why in results if result == "raises"))
