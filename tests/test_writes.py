"""What is written into arrays and their views, by whatever means, counts in value and derivatives, or the write raises.

The programs below are polynomials in one variable, so that NumPy's own values at a few points give all derivatives.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from array_function_calls import CALLS
from numpy.lib.stride_tricks import sliding_window_view

import dualnum as dn
from dualnum.errors import DualnumError

T = 0.7
WAYS: dict[str, tuple[int, Callable[..., Any]]] = {
    "derivative": (1, dn.derivative),
    "grad": (1, dn.grad),
    "jacrev": (1, dn.jacrev),
    "jacfwd": (1, dn.jacfwd),
    "jet": (1, lambda f: lambda t: f(dn.jet(t, 1)).derivative(1)),
    "variable": (1, lambda f: lambda t: _swept(f, t)),
    "derivative, 2": (2, lambda f: dn.derivative(f, 2)),
    "grad of derivative": (2, lambda f: dn.grad(dn.derivative(f))),
    "derivative of grad": (2, lambda f: dn.derivative(dn.grad(f))),
    "grad of grad": (2, lambda f: dn.grad(dn.grad(f))),
    "derivative of derivative": (2, lambda f: dn.derivative(dn.derivative(f))),
    "hessian": (2, dn.hessian),
    "vhp": (2, lambda f: lambda t: dn.vhp(f)(t, np.array(1.0))),
    "hvp": (2, lambda f: lambda t: dn.hvp(f)(t, np.array(1.0))),
    "jet of a variable": (2, lambda f: dn.grad(lambda t: f(dn.jet(t, 1)).derivative(1))),
    "create_graph": (2, lambda f: lambda t: _swept_twice(f, t)),
}


def _swept(f: Any, t: Any) -> Any:
    v = dn.autograd.variable(t)
    f(v).backward()
    return v.grad


def _swept_twice(f: Any, t: Any) -> Any:
    v = dn.autograd.variable(t)
    (slope,) = dn.autograd.grad(f(v), v, create_graph=True)
    return dn.autograd.grad(slope, v)[0]


def expected(f: Any, kind: Any = np.array) -> list[float]:
    """f and its first two derivatives at T, of a polynomial of degree ≤ 8, from NumPy's values."""
    points = T + 0.25 * np.cos(np.pi * (np.arange(9) + 0.5) / 9)
    values = [float(f(kind(p))) for p in points]
    polynomial = np.polynomial.Polynomial.fit(points, values, 8)
    return [float(polynomial.deriv(k)(T)) if k else float(f(kind(T))) for k in range(3)]


def holds(f: Any) -> None:
    """The derivatives of f in every way, and the same under jit."""
    right = expected(f)
    np.testing.assert_allclose(dn.value_and_grad(f)(np.array(T))[0], right[0], rtol=1e-14)
    for name, (order, way) in WAYS.items():
        np.testing.assert_allclose(way(f)(np.array(T)), right[order], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(dn.jit(way(f))(np.array(T)), right[order], rtol=1e-9, err_msg=f"jit, {name}")


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def _out_where(x, y):
    np.square(x, out=y, where=np.array(True))


NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "[...]": lambda x, y: y.__setitem__(..., x**2),
    "[()]": lambda x, y: y.__setitem__((), x**2),
    "[True]": lambda x, y: y.__setitem__(np.array(True), x**2),
    "[x < 10]": lambda x, y: y.__setitem__(x < 10, x**2),
    "fill": lambda x, y: y.fill(x**2),
    "copyto": lambda x, y: np.copyto(y, x**2),
    "copyto, where": lambda x, y: np.copyto(y, x**2, where=np.array(True)),
    "out=": lambda x, y: np.square(x, out=y),
    "out=, where=": _out_where,
    "place": lambda x, y: np.place(y, np.array(True), (x**2)[None]),
    "putmask": lambda x, y: np.putmask(y, np.array(True), x**2),
    "put": lambda x, y: np.put(y, 0, x**2),
    "[...] +=": lambda x, y: y.__setitem__(..., y[...] + (x**2 - x)),
    "reshape": lambda x, y: y.reshape(1).__setitem__(0, x**2),
    "[None]": lambda x, y: y[None].__setitem__(slice(None), x**2),
    "ravel": lambda x, y: np.ravel(y).__setitem__(0, x**2),
    "a view": lambda x, y: y[...].__setitem__(..., x**2),
    "T": lambda x, y: y.T.__setitem__(..., x**2),
    "real": lambda x, y: y.real.__setitem__(..., x**2),
}


@pytest.mark.parametrize("write", NUMBERS.values(), ids=NUMBERS)
def test_what_is_written_into_a_number(write):
    def f(x):
        y = x.copy()
        write(x, y)
        return y**2 * x

    holds(f)


def _scaled_argument(x):
    y = x
    y *= 2.0
    return x * x


def _copy_by_two_names(x):
    out = np.copy(x)
    a = out
    out *= 0.0
    out += x**3
    return a * x


def _number_by_two_names(x):
    y = x**2
    a = y
    y += x
    return a * y


def _zeros_by_two_names(x):
    total = np.zeros_like(x)
    a = total
    for i in range(3):
        total += x**i
    return a * x


def _filled_by_two_names(x):
    y = np.full_like(x, 2.0)
    a = y
    y *= x
    return a * y * x


def _view_by_two_names(x):
    y = np.reshape(x * x, ())[...]
    a = y
    y += 1.0
    return a * x


def _entry_and_view(x):
    v = np.stack([x, x * x])
    a, b = v[0], v[1, ...]
    a += 5.0
    b *= x
    return np.sum(v**2) * a


ALIASES = [
    _scaled_argument, _copy_by_two_names, _number_by_two_names, _zeros_by_two_names, _filled_by_two_names,
    _view_by_two_names, _entry_and_view,
]  # fmt: skip


@pytest.mark.parametrize("kind", [np.array, float, np.float64], ids=["0-d", "float", "float64"])
@pytest.mark.parametrize("f", ALIASES, ids=lambda f: f.__name__)
def test_operators_write_into_arrays_and_bind_numbers_anew(f, kind):
    """As Python and NumPy do: under another name an array has changed, a number has not."""
    right = expected(f, kind)
    for name, (order, way) in WAYS.items():
        if name in ("variable", "create_graph"):
            continue  # their leaf is an array, which must not be written to
        if kind is not np.array and name in ("vhp", "hvp"):
            continue  # their arguments are arrays
        np.testing.assert_allclose(way(f)(kind(T)), right[order], rtol=1e-9, err_msg=name)
        np.testing.assert_allclose(dn.jit(way(f))(kind(T)), right[order], rtol=1e-9, err_msg=f"jit, {name}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("x", [np.array(T), np.float64(T), np.array([0.3, 0.2, 0.5]), np.eye(2)], ids=repr)
def test_results_without_axes_are_arrays_or_numbers_as_numpy_has_them(x):
    def kind_of(call, x):
        """Whether it gives an array without axes; None where it gives something else."""
        try:
            y = call(x)
        except (DualnumError, TypeError, ValueError, LookupError, RuntimeError, ArithmeticError):
            return None
        if isinstance(y, (list, tuple)) or np.ndim(y) or getattr(getattr(y, "dtype", None), "kind", "") not in "fc":
            return None
        return y._is_array if hasattr(y, "_is_array") else type(y) is np.ndarray

    differ = []
    for name, calls in CALLS.items():
        for call in calls:
            with np.errstate(all="ignore"):
                right = kind_of(call, x)
                given = [kind_of(call, dn.jet(x, 1))]
                if isinstance(x, np.ndarray):
                    given.append(kind_of(call, dn.autograd.variable(x)))
            if right is not None and any(g is not None and g != right for g in given) and "fft" not in name:
                differ.append(name)
    assert not differ


# ── views of vectors and matrices ────────────────────────────────────────────────────────────────


def _times(v, x):
    v *= x


def _rows(y, x):
    for row in y:
        row *= x


VECTORS: dict[str, Callable[[Any, Any], Any]] = {
    "[0, ...]": lambda y, x: y[0, ...].__setitem__(..., x[0] ** 2),
    "[0, ...] *=": lambda y, x: _times(y[0, ...], 5.0),
    "[1:][0, ...] *=": lambda y, x: _times(y[1:][0, ...], x[2]),
    "[0] *=, a number": lambda y, x: _times(y[0], 5.0),
    "[1:]": lambda y, x: y[1:].__setitem__(..., x[1:] ** 2),
    "[1:] *=": lambda y, x: _times(y[1:], x[1:]),
    "[::-1]": lambda y, x: y[::-1].__setitem__(0, x[1] ** 2),
    "flip": lambda y, x: np.flip(y).__setitem__(0, x[1] ** 2),
    "real": lambda y, x: y.real.__setitem__(..., x**2),
    "windows": lambda y, x: sliding_window_view(y, 2, writeable=True).__setitem__(0, x[:2] ** 2),
    "reshape": lambda y, x: np.reshape(y, (3, 1)).__setitem__((0, 0), x[1] ** 2),
    "squeeze to a number": lambda y, x: np.squeeze(y[:1]).__setitem__(..., x[1] ** 2),
    "squeeze to a number *=": lambda y, x: _times(np.squeeze(y[:1]), x[1]),
    "T": lambda y, x: y.T.__setitem__(0, x[1] ** 2),
    "split": lambda y, x: np.split(y, [1])[1].__setitem__(0, x[0] ** 2),
    "out=": lambda y, x: np.square(x[1:], out=y[1:]),
    "out= a number": lambda y, x: np.square(x[1], out=y[1, ...]),
    "fill": lambda y, x: y[1, ...].fill(x[0] ** 2),
    "copyto": lambda y, x: np.copyto(y[:2], x[1:] ** 2),
    "sort": lambda y, x: y[:2].sort(),
    "no view: a list": lambda y, x: y[[0, 1]].__setitem__(0, x[1] ** 2),
    "no view: a mask": lambda y, x: y[np.array([True, False, True])].__setitem__(0, x[1] ** 2),
    "no view: flatten": lambda y, x: y.flatten().__setitem__(0, x[1] ** 2),
}

MATRICES: dict[str, Callable[[Any, Any], Any]] = {
    "einsum ii->i": lambda y, x: np.einsum("ii->i", y).__setitem__(slice(None), x**2),
    "einsum ij->ji": lambda y, x: np.einsum("ij->ji", y).__setitem__(0, x**2),
    "T[0]": lambda y, x: y.T[0].__setitem__(..., x**2),
    "T[0] *=": lambda y, x: _times(y.T[0], x),
    "rows": _rows,
    "[0, 0, ...]": lambda y, x: y[0, 0, ...].__setitem__(..., x[1] ** 2),
    "[0][0, ...] *=": lambda y, x: _times(y[0][0, ...], x[1]),
    "swapaxes": lambda y, x: np.swapaxes(y, 0, 1).__setitem__((0, 1), x[1] ** 2),
    "a block": lambda y, x: _times(y[:2, 1:], x[:2]),
    "reshape": lambda y, x: _times(np.reshape(y, 9)[3:5], x[1]),
    "no view: reshape of T": lambda y, x: _times(np.reshape(y.T, 9)[3:5], x[1]),
    "rot90": lambda y, x: np.rot90(y).__setitem__((0, 0), x[1] ** 2),
    "fill_diagonal": lambda y, x: np.fill_diagonal(y, x),
    "no view: triu": lambda y, x: np.triu(y).__setitem__((0, 1), x[1] ** 2),
}


@pytest.mark.parametrize("write", VECTORS.values(), ids=VECTORS)
def test_what_is_written_into_parts_of_a_vector(write):
    def f(t):
        x = np.stack([t, t**2, 0.3 + t])
        y = 1.5 * x + 0.1
        write(y, x)
        return np.sum(y**2 * [1.0, 10.0, 100.0])

    holds(f)


@pytest.mark.parametrize("write", MATRICES.values(), ids=MATRICES)
def test_what_is_written_into_parts_of_a_matrix(write):
    def f(t):
        x = np.stack([t, 0.5 - t, 0.3 + t])
        y = np.outer(x, [1.0, 2.0, 4.0]) + 0.5
        write(y, x)
        return np.sum(y**2 * np.arange(1.0, 10.0).reshape(3, 3))

    holds(f)


# ── what cannot be written to ────────────────────────────────────────────────────────────────────

READ_ONLY: dict[str, Callable[[Any], Any]] = {
    "diagonal": np.diagonal,
    "diag": np.diag,
    "broadcast_to": lambda y: np.broadcast_to(y, (2, 3, 3)),
    "windows": lambda y: sliding_window_view(y, 2, 0),
}


@pytest.mark.parametrize("way", [way for _, way in WAYS.values()], ids=WAYS)
@pytest.mark.parametrize("view", READ_ONLY.values(), ids=READ_ONLY)
def test_a_view_that_is_read_only_in_numpy_raises(view, way):
    def f(t):
        y = np.stack([t, t, t])[:, None] * np.ones((3, 3))
        view(y)[0] = 1.0
        return np.sum(y)

    with pytest.raises(ValueError, match="read-only"):
        f(np.array(T))
    with pytest.raises(DualnumError, match="read-only"):
        way(f)(np.array(T))


@pytest.mark.parametrize(("order", "way"), WAYS.values(), ids=WAYS)
def test_real_and_imaginary_parts_are_written_through(order, way):
    """Of z = e^{i t k}, k ≤ 2, with Im z₁ = t² and Re z = 1: Σ Re z + 10 Im z₁ + 100 Im z₂² with Im z₂ = sin 2t."""

    def f(t):
        y = np.exp(1j * t * np.arange(3.0))
        y.imag[1] = t**2
        y[1:].real[...] = t**3
        y[:1].imag *= 2.0
        return np.sum(y.real) + 10 * y.imag[1] + 100 * y.imag[2] ** 2

    right = 1 + 2 * T**3 + 10 * T**2 + 100 * np.sin(2 * T) ** 2
    first = 6 * T**2 + 20 * T + 200 * np.sin(4 * T)
    second = 12 * T + 20 + 800 * np.cos(4 * T)
    np.testing.assert_allclose(f(np.array(T)), right, rtol=1e-14)
    np.testing.assert_allclose(way(f)(np.array(T)), [right, first, second][order], rtol=1e-12)


def test_an_entry_stays_what_it_was() -> None:
    """x[0] is a number, not a view: a write into x leaves it alone."""

    def f(x: Any) -> Any:
        x = x * 1.0
        first, all_of_it, row = x[0], x[0, ...], x[1:]
        x[0] = 5.0
        x[1] += 2.0
        return first + x[0], all_of_it * 1.0, row * 1.0

    for x in (np.arange(1.0, 4.0), np.arange(1.0, 100.0)):
        for a, b in zip(dn.jit(f)(x.copy()), f(x.copy()), strict=True):
            np.testing.assert_array_equal(a, b)
