"""Every function of NumPy and scipy.special works, is constant, or says why not; docs/coverage.md is current."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import what_works
from array_function_calls import CALLS, Call
from examination import Outcome, examine, leaves
from what_works import DOCUMENT, array_functions, numpy_ufuncs, special_ufuncs

import dualnum as dn
from dualnum.operand import Operand, linear

X, V = what_works.sample_matrix()
ALLOWED = {"works": "exact", "constant": "none", "raises": "raises"}  # forward, and what goes with it backward


def wrong(outcomes: dict[str, Outcome]) -> list[str]:
    """Whatever dropped a derivative, or gave a wrong number, forward or backward."""
    found = [f"{o.name}: {o.note}" for o in outcomes.values() if o.status not in ALLOWED]
    found += [f"{o.name} backward: {o.reverse_note}" for o in outcomes.values() if o.reverse not in ALLOWED.values()]
    for o in outcomes.values():
        found += [
            f"{o.name}.{method}: {status}" for method, status in o.methods.items() if status not in (*ALLOWED, "—")
        ]
    return found


def test_no_array_function_is_wrong() -> None:
    assert not wrong(array_functions())


def test_no_ufunc_is_wrong() -> None:
    assert not wrong(numpy_ufuncs())


def test_no_special_function_is_wrong() -> None:
    assert not wrong(special_ufuncs())


def test_enough_works() -> None:
    assert sum(o.status == "works" for o in numpy_ufuncs().values()) >= 60
    assert sum(o.status == "works" for o in array_functions().values()) >= 130


def test_what_works_forward_works_backward() -> None:
    for outcomes in (array_functions(), numpy_ufuncs(), special_ufuncs()):
        for outcome in outcomes.values():
            assert outcome.reverse == ALLOWED[outcome.status], outcome
            assert outcome.reverse == "raises" or outcome.reverse_note == outcome.note, outcome


def test_what_raises_says_why() -> None:
    for outcomes in (array_functions(), numpy_ufuncs(), special_ufuncs()):
        for name, outcome in outcomes.items():
            if outcome.status == "raises":
                assert len(outcome.note) > len(name) + 20, outcome
                assert len(outcome.reverse_note) > len(name) + 20, outcome


def test_methods_work_where_the_ufunc_does() -> None:
    """Folding, accumulating and tables need nothing but the call."""
    for outcome in numpy_ufuncs().values():
        if outcome.status == "works":
            assert all(status != "raises" for status in outcome.methods.values()), outcome


def test_document_is_current() -> None:
    versions = [".".join(module.__version__.split(".")[:2]) for module in (np, scipy)]
    text = DOCUMENT.read_text(encoding="utf-8")
    if f"NumPy {versions[0]} and SciPy {versions[1]}" not in text:
        pytest.skip("the document was written with other versions of NumPy and SciPy")
    assert text == what_works.document(), "run: python tests/what_works.py"


def test_the_sweep_runs_as_a_script(tmp_path: Path) -> None:
    script = Path(what_works.__file__)
    code = f"import sys; sys.path[:0] = {[str(script.parent), str(script.parent.parent)]!r}; import what_works"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


# ── the same calls in other settings ─────────────────────────────────────────────────────────────


def working_calls() -> Iterator[tuple[str, Call]]:
    for name, calls in CALLS.items():
        for i, call in enumerate(calls):
            if examine(call, [X], [V]).status == "works":
                yield f"{name}, call {i}", call


def measure(result: Any) -> Any:
    """The sum of the squares of everything in a result."""
    total = 0.0
    for (leaf,) in leaves(result):
        if getattr(leaf, "dtype", np.dtype(int)).kind in "fc":
            total = total + np.nansum(np.real(leaf) ** 2 + np.imag(leaf) ** 2)
    return total


def test_calls_nest() -> None:
    """A derivative of a derivative is the second derivative: the functions work on jets of jets."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for name, call in working_calls():
            along = lambda t, call=call: measure(call(X + t * V))  # noqa: E731
            nested, direct = dn.derivative(dn.derivative(along))(0.0), dn.derivative(along, 2)(0.0)
            assert nested == pytest.approx(direct, rel=1e-9, abs=1e-9), name


def test_calls_take_several_directions() -> None:
    vs = np.stack([V, V[::-1]])
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for name, call in working_calls():
            together = call(dn.jet(X, 3, directions=vs))
            for p, v in enumerate(vs):
                for many, one in leaves(together, call(dn.jet(X, 3, direction=v))):
                    for k in range(1, 4 * isinstance(many, dn.Jet)):
                        np.testing.assert_allclose(
                            many.derivative(k)[p], one.derivative(k), rtol=1e-9, atol=1e-11, err_msg=name
                        )


# ── the sweep finds what is wrong ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "function"),
    {
        "right": np.exp,
        "dropped": lambda x: np.exp(getattr(x, "value", x)),
        "dropped on the way": lambda x: x * np.exp(getattr(x, "value", x)),
        "wrong value": lambda x: np.exp(x) + (1e-12 if isinstance(x, dn.Jet) else 0.0),
        "wrong slope": lambda x: (
            linear(lambda p: p * 1.0001 if p is not x.coeffs[0] else p, x) - x.value * 0.0001
            if isinstance(x, dn.Jet)
            else x
        ),
        "wrong third coefficient": lambda x: np.exp(x) + (1e-2 * (x - x.value) ** 3 if isinstance(x, dn.Jet) else 0.0),
        "wrong shape": lambda x: x[0] if isinstance(x, dn.Jet) else x,
        "another error": lambda x: 1 // 0 if isinstance(x, dn.Jet) else x,
        "an answer without question": lambda x: x if isinstance(x, dn.Jet) else np.reshape(x, (5, 5)),
    }.items(),
)
def test_the_sweep_tells_right_from_wrong(name: str, function: object) -> None:
    assert examine(function, [X], [V]).status == ("works" if name == "right" else "wrong")  # type: ignore[arg-type]


def on_tape(x: Any) -> bool:
    return isinstance(x, Operand) and not isinstance(x, dn.Jet)


@pytest.mark.parametrize(
    ("name", "function"),
    {
        "exact": lambda x: linear(lambda p: 2 * p, x, adjoint=lambda g: 2 * g),
        "raises": lambda x: linear(lambda p: 2 * p, x),
        "none": np.argsort,
        "wrong: another factor": lambda x: linear(lambda p: 2 * p, x, adjoint=lambda g: 2.0001 * g),
        "wrong: not transposed": lambda x: linear(lambda p: p[::-1] * 2, x, adjoint=lambda g: 2 * g),
        "wrong: the derivative is dropped": lambda x: np.exp(x.value) if on_tape(x) else np.exp(x),
        "wrong: dropped in one of two": lambda x: (np.exp(x.value) if on_tape(x) else np.exp(x), np.sin(x)),
        "wrong: another value": lambda x: np.exp(x) + 1e-12 * on_tape(x),
        "wrong: another shape": lambda x: x[0] if on_tape(x) else x,
        "wrong: another order": lambda x: np.argsort(-x if on_tape(x) else x),
        "wrong: another error": lambda x: 1 // 0 if on_tape(x) else x,
        "wrong: an answer where there is none forward": lambda x: x if on_tape(x) else np.polydiv(x[0], x[1]),
        "wrong: forward already": lambda x: np.exp(getattr(x, "value", x)),
    }.items(),
)
def test_the_sweep_tells_right_from_wrong_backward(name: str, function: object) -> None:
    outcome = examine(function, [X], [V])  # type: ignore[arg-type]
    assert outcome.reverse == name.partition(":")[0], outcome
    assert outcome.reverse_note or outcome.reverse in ("exact", "none")


def test_the_sweep_tells_constants_and_refusals() -> None:
    assert examine(np.argmax, [X], [V]).status == "constant"
    refusal = examine(lambda x: np.polydiv(x, x), [X[0]], [V[0]])
    assert refusal.status == "raises"
    assert "leading zeros" in refusal.note
