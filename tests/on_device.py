"""The calls of the coverage table on a device, forward and backward, against the same calls on NumPy's arrays.

What a call comes to:

=========  ==========================================================================================
right      what NumPy's arrays give, to rounding, and every array of it on the device
refused    an error of dualnum's, and one with NumPy's arrays as well
raises     an error of dualnum's that says why
wrong      anything else
=========  ==========================================================================================
"""

import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cupy_linalg
import numpy as np
from examination import leaves
from what_works import sample_matrix

import dualnum as dn
from dualnum.backend import namespace
from dualnum.errors import DualnumError
from dualnum.operand import Operand

__all__ = ["Outcome", "attempt", "outcomes", "transferred"]

Call = Callable[[Any], Any]
ORDER = 3


class Outcome(NamedTuple):
    """What came of a call on a device, and how often the host waited for it."""

    status: str
    note: str = ""
    looks: int = 0


def transferred(call: Any, cp: Any, known: dict[int, Any] | None = None) -> Any:
    """A function of the tests with the arrays that it reads on the device."""
    known = {} if known is None else known
    if id(call) in known:
        return known[id(call)]
    if isinstance(call, np.ndarray):
        return cp.asarray(call)
    if not isinstance(call, types.FunctionType) or Path(call.__code__.co_filename).parent not in _TESTS:
        return call
    names = {}
    copy = types.FunctionType(call.__code__, names, call.__name__, call.__defaults__, _cells(call, cp, known))
    known[id(call)] = copy
    names.update({name: transferred(value, cp, known) for name, value in _used(call)})
    return copy


_TESTS = (Path(__file__).parent, Path(__file__).parent / "gpu")


def _cells(call: Any, cp: Any, known: dict[int, Any]) -> Any:
    return tuple(types.CellType(transferred(cell.cell_contents, cp, known)) for cell in call.__closure__ or ())


def _used(call: Any) -> Iterator[tuple[str, Any]]:
    """The names of its module that a function may read; a table of calls reads itself in no call."""
    names = call.__globals__.items()
    return ((name, value) for name, value in names if name == "__builtins__" or not isinstance(value, dict))


def outcomes(call: Call, cp: Any) -> tuple[Outcome, Outcome]:
    """Forward at order 3, and backward."""
    x, v = sample_matrix()
    there = transferred(call, cp)
    x_there, v_there = cp.asarray(x), cp.asarray(v)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        forward = attempt(
            lambda: call(dn.jet(x, ORDER, direction=v)),
            lambda: there(dn.jet(x_there, ORDER, direction=v_there)),
            cp,
        )
        backward = attempt(lambda: _pulled(call, x), lambda: _pulled(there, x_there), cp)
    return forward, backward


def _pulled(call: Call, x: Any) -> list[Any]:
    """The values of what has derivatives, and the pull-back of generic cotangents."""

    def recorded(variable: Any) -> list[Any]:
        return [y for (y,) in leaves(call(variable)) if isinstance(y, Operand)]

    values, pull = dn.vjp(recorded, x)
    return [*values, pull([_cotangent(y) for y in values])] if values else []


def _cotangent(value: Any) -> Any:
    """A generic cotangent, zero where the value is none."""
    rng = np.random.default_rng(value.size)
    u = rng.uniform(0.5, 1.5, value.shape) * rng.choice([-1, 1], value.shape)
    if value.dtype.kind == "c":
        u = u + 1j * rng.uniform(0.5, 1.5, value.shape)
    u = u if isinstance(value, (np.ndarray, np.generic)) else namespace(value).asarray(u)
    return np.where(np.isfinite(value), u, 0.0).astype(value.dtype)


def attempt(native: Callable[[], Any], here: Callable[[], Any], cp: Any, tolerance: float = 1e-11) -> Outcome:
    """A computation on a device against the same on the host."""
    try:
        expected = native()
    except DualnumError as error:
        expected = error
    before = _waited()
    try:
        found = here()
    except DualnumError as error:
        return Outcome("refused" if isinstance(expected, Exception) else "raises", str(error))
    except Exception as error:
        return Outcome("wrong", f"{type(error).__name__}: {error}")
    looks = _waited() - before
    if isinstance(expected, Exception):
        return Outcome("wrong", f"an answer, where NumPy's arrays raise {expected}")
    try:
        for a, b in leaves(found, expected):
            _compare(a, b, cp, tolerance)
    except Exception as error:
        return Outcome("wrong", f"{type(error).__name__}: {' '.join(str(error).split())}")
    return Outcome("right", "", looks)


def _waited() -> int:
    return cupy_linalg.waits() - cupy_linalg.WAITS[0]


def _compare(found: Any, expected: Any, cp: Any, tolerance: float) -> None:
    if isinstance(expected, Operand):
        assert isinstance(found, type(expected)), f"{type(found)} in place of a jet"
        found, expected = found.coeffs, expected.coeffs
    if isinstance(expected, bool) and hasattr(found, "shape"):  # on a device an array, until somebody asks
        expected = np.bool(expected)
    if not isinstance(expected, (np.ndarray, np.generic)):
        assert found == expected, f"{found!r} in place of {expected!r}"
        return
    assert isinstance(found, cp.ndarray) or not expected.ndim, f"{type(found)} in place of an array on the device"
    assert found.shape == expected.shape, f"shape {found.shape} in place of {expected.shape}"
    # eigenvalues are complex in CuPy, also where all of them are real
    complex_type = np.result_type(expected.dtype, np.complex64) if expected.dtype.kind == "f" else expected.dtype
    assert found.dtype in (expected.dtype, complex_type), f"type {found.dtype} in place of {expected.dtype}"
    found = cp.asnumpy(found)
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected)
        return
    scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=0.1 * tolerance * scale + 1e-300)
