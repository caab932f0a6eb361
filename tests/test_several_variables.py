"""Jets in several variables as people meet them: how they are made, read, shown, written to, and what is refused."""

import copy
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum.algebra import Box, Nilpotent, TotalDegree

X = np.array([0.3, 0.7, 1.1])
T = np.array([1.9, 0.4, 0.8])


def f(x: Any, t: Any) -> Any:
    return np.sin(x * t) + x**3 * t


def df(x: Any, t: Any, m: tuple[int, int]) -> Any:
    """∂^m f in closed form."""
    s, c = np.sin(x * t), np.cos(x * t)
    return {
        (0, 0): s + x**3 * t,
        (1, 0): t * c + 3 * x**2 * t,
        (0, 1): x * c + x**3,
        (2, 0): -t * t * s + 6 * x * t,
        (1, 1): c - x * t * s + 3 * x**2,
        (0, 2): -x * x * s,
        (2, 1): -2 * t * s - x * t * t * c + 6 * x,
        (1, 2): -2 * x * s - x * x * t * c,
        (3, 0): -(t**3) * c + 6 * t,
        (0, 3): -(x**3) * c,
    }[m]


# ── how they are made ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_all_partials_at_once(dtype: Any) -> None:
    x, t = X.astype(dtype), T.astype(dtype)
    y = f(*dn.jets(x, t, order=3))
    eps = float(np.finfo(dtype).eps)
    assert list(y.partials()) == [(i - j, j) for i in range(4) for j in range(i + 1)]
    for m, given in y.partials().items():
        assert given.dtype == dtype and given.shape == (3,)
        np.testing.assert_allclose(given, df(X, T, m), rtol=200 * eps, atol=50 * eps)
        np.testing.assert_array_equal(given, y.partial(*m))
        np.testing.assert_array_equal(y.coefficient(*m) * math.prod(map(math.factorial, m)), given)


@pytest.mark.parametrize("point", [2, 2.0, np.float64(2), np.array(2), True, [2.0, 3.0], np.array([[1.0], [2.0]]), []])
def test_points_of_every_kind(point: Any) -> None:
    x, t = dn.jets(point, 3.0, order=2)
    assert x.shape == np.shape(point) and t.shape == () and x.dtype == float
    y = x * t
    assert y.shape == np.shape(point)
    np.testing.assert_array_equal(y.partial(1, 1), np.ones(np.shape(point)))
    np.testing.assert_array_equal(y.partial(0, 1), np.asarray(point, float))


def test_points_broadcast_where_they_meet() -> None:
    x, t = dn.jets(X[:, None], T, order=2)
    y = f(x, t)
    assert y.shape == (3, 3) and y.gradient().shape == (3, 3, 2) and y.hessian().shape == (3, 3, 2, 2)
    np.testing.assert_allclose(y.partial(1, 1), df(X[:, None], T, (1, 1)), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_entries_along_an_axis(axis: int) -> None:
    points = np.array([[1.0, 2.0, 3.0], [0.5, 1.5, -2.0]])
    y = np.prod(dn.jets(points, order=2, axis=axis), axis=axis)
    each = points if axis else points.T
    for p, gradient, hessian in zip(each, y.gradient(), y.hessian(), strict=True):
        others = [[np.prod(np.delete(p, [i, j])) for j in range(len(p))] for i in range(len(p))]
        np.testing.assert_allclose(gradient, np.diagonal(others), rtol=1e-14)
        np.testing.assert_allclose(hessian, others - np.diag(np.diagonal(others)), rtol=1e-14)


def test_limits_for_each_variable() -> None:
    x, t = dn.jets(X, T, order=(2, 1))
    assert x.algebra is Box(2, 1)
    y = f(x, t)
    assert list(y.partials()) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (2, 1)]
    for m, given in y.partials().items():
        np.testing.assert_allclose(given, df(X, T, m), rtol=1e-13, atol=1e-13)


def test_order_zero_has_values_alone() -> None:
    x, t = dn.jets(X, T, order=0)
    assert f(x, t).partials().keys() == {(0, 0)}
    np.testing.assert_allclose(f(x, t).value, f(X, T), rtol=1e-15)


def test_names() -> None:
    x, t = dn.jets(x=X, t=T, order=2)
    y = f(x, t)
    np.testing.assert_array_equal(y.partial(x=1, t=1), y.partial(1, 1))
    np.testing.assert_array_equal(y.partial(t=2), y.partial(0, 2))
    np.testing.assert_array_equal(y.coefficient(x=2), y.coefficient(2, 0))
    np.testing.assert_array_equal(y(x=0.1), y(0.1, 0.0))
    np.testing.assert_array_equal(y.along(t=1.0).coeffs, y.along(0.0, 1.0).coeffs)
    assert y.truncate(1).algebra.names == ("x", "t")
    again = dn.jets(x=X, t=T, order=2)
    np.testing.assert_array_equal((again[0] + t).partial(t=1), np.ones(3))  # the same variables


def test_hyperdual_numbers() -> None:
    h = dn.hyperdual(X, 1.0, T, 0.5)
    y = np.exp(h)
    np.testing.assert_array_equal(y.eps(), np.exp(h).value)
    for numbers, expected in {
        (1,): 1.0,
        (2,): T,
        (3,): 0.5,
        (1, 2): T,
        (1, 3): 0.5,
        (2, 3): T / 2,
        (1, 2, 3): T / 2,
    }.items():
        np.testing.assert_allclose(y.eps(*numbers), expected * np.exp(X), rtol=1e-15)
        np.testing.assert_array_equal(y.eps(*numbers), getattr(y, "eps" + "".join(map(str, numbers))))
        np.testing.assert_array_equal(y.eps(*numbers), y.eps(*reversed(numbers)))
    assert (dn.dual(3.0, 2.0) ** 2).eps1 == 12.0
    assert np.sin(dn.dual([0.5, 0.6])).derivative(1) == pytest.approx(np.cos([0.5, 0.6]))


# ── how they are read ────────────────────────────────────────────────────────────────────────────


def test_tensors_are_symmetric() -> None:
    y = f(*dn.jets(X, T, order=3))
    third = y.tensor(3)
    assert third.shape == (3, 2, 2, 2)
    for index in np.ndindex(2, 2, 2):
        np.testing.assert_allclose(third[:, *index], df(X, T, (3 - sum(index), sum(index))), rtol=1e-12, atol=1e-13)
    for k, by_name in enumerate((y.value, y.gradient(), y.hessian())):
        np.testing.assert_array_equal(y.tensor(k), by_name)
    assert dn.jets(2.0, 3.0)[0].tensor(0) == 2.0


def test_the_polynomial() -> None:
    y = f(*dn.jets(X, T, order=3))
    s, t = 0.01, -0.02
    by_hand = sum(a * s ** m[0] * t ** m[1] for m, a in zip(y.algebra.monomials, y.coeffs, strict=True))
    np.testing.assert_allclose(y(s, t), by_hand, rtol=1e-15)
    np.testing.assert_allclose(y(s, t), f(X + s, T + t), atol=1e-6)
    np.testing.assert_allclose(sum(y.degree(k)(s, t) for k in range(4)), by_hand, rtol=1e-15)
    line = y.along(s, t)
    np.testing.assert_allclose(line(1.0), by_hand, rtol=1e-15)
    assert y.truncate(1).order == 1 and list(y.truncate(1).partials()) == [(0, 0), (1, 0), (0, 1)]
    np.testing.assert_array_equal(y.truncate(2).coeffs, y.coeffs[:6])


def test_what_is_read_cannot_be_written_to() -> None:
    """An array that looks at a plane would write what the jet knows to be absent."""
    x, _ = dn.jets(X, T, order=2)
    for view in (x.value, x.coeffs, x.coefficient(1, 0), x.partial(1, 0), x.partial(0, 1), dn.dual(X).eps1):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 7.0
    x.gradient()[0] = 7.0  # a copy
    np.testing.assert_array_equal(x.partial(1, 0), np.ones(3))


# ── as arrays and as Python's objects ────────────────────────────────────────────────────────────

MADE: dict[str, Callable[[], Any]] = {
    "jets": lambda: f(*dn.jets(X, T, order=2)),
    "jets with names": lambda: f(*dn.jets(x=X, t=T, order=2)),
    "box": lambda: f(*dn.jets(X, T, order=(1, 2))),
    "axis": lambda: dn.jets(X, order=2, axis=0) ** 2,
    "hyper-dual": lambda: np.exp(dn.hyperdual(X, 1.0, T)),
    "dual": lambda: dn.dual(X) ** 2,
    "with structure": lambda: dn.jets(X, T, order=3)[0] ** 2,
    "float32": lambda: f(*dn.jets(X.astype(np.float32), T.astype(np.float32), order=2)),
    "complex": lambda: f(*dn.jets(X + 1j, T, order=2)),
}
each = pytest.mark.parametrize("y", [make() for make in MADE.values()], ids=list(MADE))


def alike(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.coeffs, b.coeffs)
    assert a.algebra is b.algebra and a.extent == b.extent and a.dtype == b.dtype


@each
def test_copies_and_pickles(y: Any) -> None:
    for other in (y.copy(), copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        alike(other, y)
        other[0] = 5.0
        assert y.value[0] != 5.0
        assert (other + y).shape == (3,)  # of the same variables still


@each
def test_indexing_assignment_and_iteration(y: Any) -> None:
    np.testing.assert_array_equal(y[1:].coeffs, y.coeffs[:, 1:])
    np.testing.assert_array_equal(y[[2, 0]].coeffs, y.coeffs[:, [2, 0]])
    np.testing.assert_array_equal(y[y.value.real > 0.5].coeffs, y.coeffs[:, y.value.real > 0.5])
    assert [item.shape for item in y] == [()] * 3 == [np.shape(item) for item in y.value]
    np.testing.assert_array_equal(np.stack(list(y)).coeffs, y.coeffs)
    z = y.copy()
    z[0], z[1:] = y[2], y[:-1] * 2
    np.testing.assert_array_equal(z.coeffs, np.stack([y.coeffs[:, 2], *(2 * y.coeffs[:, i] for i in (0, 1))], axis=1))
    z[...] = 1.5
    assert not np.any(z.coeffs[1:]) and np.all(z.value == 1.5)
    view = y.copy()
    view[1:][0] = 7.0
    assert view.value[1] == 7.0 and not np.any(view.coeffs[1:, 1])


@each
def test_an_assignment_brings_what_was_absent(y: Any) -> None:
    z = np.zeros_like(y)
    z[1] = y[1]
    np.testing.assert_array_equal(z.coeffs[:, 1], y.coeffs[:, 1])
    assert not np.any(z.coeffs[:, [0, 2]])
    z += y
    np.testing.assert_array_equal(z.coeffs, y.coeffs + np.where(np.arange(3) == 1, y.coeffs, 0))


@each
def test_shapes_and_methods(y: Any) -> None:
    np.testing.assert_array_equal(y.reshape(3, 1).T.coeffs, y.coeffs[:, None])
    np.testing.assert_allclose(y.sum().coeffs, y.coeffs.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(y.mean().coeffs, y.coeffs.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(y[:, None].coeffs, y.coeffs[:, :, None])
    assert y.astype(np.complex128).dtype == complex and y.ndim == 1 and y.size == len(y) == 3
    assert np.concatenate([y, y.value]).shape == (6,)
    with pytest.raises(dn.DerivativeDropped):
        np.asarray(y)


@each
def test_they_are_shown(y: Any) -> None:
    text, latex, html = repr(y), y._repr_latex_(), y._repr_html_()
    assert text == str(y) and text.startswith("Jet(") and text.endswith(")")
    assert latex.startswith("$") and latex.endswith("$") and html.startswith("<table>")
    for form, letter in ((text, "δx"), (latex, r"\delta x"), (html, "δx")):
        assert (letter in form) == (y.algebra.names is not None)
    for form, letter in ((text, "ε"), (latex, r"\varepsilon"), (html, "ε")):
        assert (letter in form) == isinstance(y.algebra, Nilpotent)


def test_as_people_write_them() -> None:
    x, t = dn.jets(x=2.0, t=3.0, order=2)
    y = x**3 + x * t + t**2
    assert repr(y) == "Jet(23. + 15.·δx + 8.·δt + 6.·δx² + 1.·δx·δt + 1.·δt², order=2)"
    assert repr(dn.hyperdual(1.5, 1.0, 2.0) ** 2) == "Jet(2.25 + 3.·ε₁ + 6.·ε₂ + 4.·ε₁ε₂)"
    assert r"15\,\delta x" in y._repr_latex_() and "<th>δx·δt</th><td>1.</td>" in y._repr_html_()
    many = np.prod(dn.jets(np.ones(9), order=3, axis=0))
    assert len(repr(many)) < 500 and "…" in repr(many)


# ── with the other ways to derivatives ───────────────────────────────────────────────────────────


def test_transforms_of_functions_at_jets() -> None:
    x, t = dn.jets(X, T, order=2)
    gradient = dn.grad(lambda x: np.sum(f(x, t)))(x)
    np.testing.assert_allclose(gradient.partial(0, 1), df(X, T, (1, 1)), rtol=1e-13)
    np.testing.assert_allclose(gradient.partial(1, 1), df(X, T, (2, 1)), rtol=1e-13)
    compiled = dn.jit(lambda x, t: f(x, t))
    for _ in range(2):
        np.testing.assert_allclose(compiled(x, t).coeffs, f(x, t).coeffs, rtol=1e-14)
        assert compiled(x, t).algebra is x.algebra
    slope = dn.derivative(lambda s: f(x + s, t))(0.0)
    np.testing.assert_allclose(slope.partial(0, 2), df(X, T, (1, 2)), rtol=1e-13)
    np.testing.assert_allclose(dn.hessian(lambda x: np.sum(f(x, t)))(x).partial(0, 1)[0, 0], df(X, T, (2, 1))[0])


def test_jets_inside_of_functions_that_are_differentiated() -> None:
    def mixed(x: Any, t: Any) -> Any:
        return f(*dn.jets(x, t, order=2)).partial(1, 1)

    np.testing.assert_allclose(dn.grad(lambda x: np.sum(mixed(x, T)))(X), df(X, T, (2, 1)), rtol=1e-13)
    np.testing.assert_allclose(dn.derivative(lambda t: mixed(X, t))(T), df(X, T, (1, 2)), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(mixed)(X, T), df(X, T, (1, 1)), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(dn.grad(lambda x: np.sum(mixed(x, T))))(X), df(X, T, (2, 1)), rtol=1e-13)
    x = dn.autograd.variable(X, requires_grad=True)
    np.sum(mixed(x, T)).backward()
    np.testing.assert_allclose(x.grad, df(X, T, (2, 1)), rtol=1e-13)


def test_derivatives_do_not_mix_up_their_variables() -> None:
    """The jets inside are constants outside: d/dx of x·∂(x + s)/∂s is 1, not 2."""
    inner = lambda x: x * (x + dn.jets(0.0, 1.0, order=1)[0]).partial(1, 0)  # noqa: E731
    assert dn.derivative(inner)(3.0) == 1.0 == dn.grad(inner)(3.0)


def test_threads_have_jets_of_their_own() -> None:
    found = {}

    def work(i: int) -> None:
        found[i] = f(*dn.jets(X + i, T, order=3)).partial(2, 1)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(8):
        np.testing.assert_allclose(found[i], df(X + i, T, (2, 1)), rtol=1e-11, atol=1e-12)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────

Y = f(*dn.jets(x=X, t=T, order=2))
H = dn.hyperdual(X, 1.0, 1.0)
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "too many indices": (lambda: Y.partial(1, 0, 0), dn.InvalidValue, "3 given .* order 2 in the variables x, t"),
    "too few indices": (lambda: Y.partial(1), dn.InvalidValue, "1 given .* expected an index for each variable"),
    "beyond the order": (lambda: Y.partial(2, 1), dn.InvalidValue, r"\(2, 1\).*build the jets with order=3 or more"),
    "beyond a limit": (
        lambda: dn.jets(X, T, order=(1, 2))[0].partial(2, 0), dn.InvalidValue, r"build the jets with order=\(2, 2\)"),
    "negative": (lambda: Y.partial(-1, 0), dn.InvalidValue, "expected 0 or more"),
    "no integer": (lambda: Y.partial(1.0, 0), dn.InvalidType, "expected integers"),
    "an unknown name": (lambda: Y.partial(y=1), dn.InvalidValue, "no variable is called y; the variables are x, t"),
    "by place and by name": (lambda: Y.partial(1, t=1), dn.InvalidValue, "some are given by place, some by name"),
    "no names": (lambda: H.partial(x=1), dn.InvalidValue, "the variables of the jet have no names"),
    "an unknown name of a displacement": (lambda: Y(y=1.0), dn.InvalidValue, "no variable is called y"),
    "displacements": (lambda: Y(0.1), dn.InvalidValue, "1 given .* expected a displacement for each variable"),
    "a displacement that is text": (lambda: Y.along("a", 1.0), dn.InvalidType, "carries no derivatives"),
    "displacements that do not broadcast": (lambda: Y(np.ones(2), 0.0), dn.InvalidValue, "broadcast"),
    "the derivative of one variable": (lambda: Y.derivative(1), dn.InvalidValue, r"\.partial\(…\)"),
    "the square of ε": (lambda: H.hessian(), dn.InvalidValue, "squares of ε vanish: take dn.jets"),
    "products of directions": (
        lambda: dn.jet(X, 2, directions=np.eye(3)).hessian(), dn.InvalidValue, "products of directions vanish"),
    "an ε that there is not": (lambda: H.eps(3), dn.InvalidValue, "different ones from 1 to 2"),
    "an ε twice": (lambda: H.eps(1, 1), dn.InvalidValue, "different ones"),
    "no ε": (lambda: Y.eps12, AttributeError, "and no ε; build it with dn.dual or dn.hyperdual"),
    "a tensor beyond the order": (lambda: Y.tensor(3), dn.InvalidValue, "order=3 or more"),
    "a longer truncation": (lambda: Y.truncate(3), dn.InvalidValue, "build the jet with a higher order"),
    "no points": (lambda: dn.jets(order=2), dn.InvalidValue, "no point is given"),
    "points by place and name": (lambda: dn.jets(X, t=T), dn.InvalidValue, "by place and by name"),
    "points that do not broadcast": (lambda: np.add(*dn.jets(X, T[:2])), dn.InvalidValue, r"\(3,\).*\(2,\)"),
    "a point that is text": (lambda: dn.jets("a"), dn.InvalidType, "carries no derivatives"),
    "a ragged point": (lambda: dn.jets([[1.0], [1.0, 2.0]]), dn.InvalidValue, "not a rectangular array"),
    "a negative order": (lambda: dn.jets(X, order=-1), dn.InvalidValue, "expected 0 or more"),
    "an order that is no integer": (lambda: dn.jets(X, order=1.5), dn.InvalidType, "expected an integer"),
    "limits that are not as many": (lambda: dn.jets(X, T, order=(1,)), dn.InvalidValue, "one limit for each"),
    "an axis of several arrays": (lambda: dn.jets(X, T, axis=0), dn.InvalidValue, "expected one array"),
    "an axis that there is not": (lambda: dn.jets(X, axis=1), dn.InvalidAxis, "out of bounds"),
    "too many planes": (
        lambda: dn.jets(np.ones(30), order=10, axis=0), dn.InvalidValue, "847660528 planes; .* dn.partial"),
    "too many bytes": (
        lambda: dn.jets(np.broadcast_to(1.0, 10**8), 1.0, order=20), dn.InvalidValue, "231 planes .* 172 GiB"),
    "too many ε": (lambda: dn.hyperdual(1.0, *[1.0] * 20), dn.InvalidValue, "1048576 planes"),
    "a perturbation that does not fit": (lambda: dn.hyperdual(X, T[:2]), dn.InvalidValue, r"dx1 has shape \(2,\)"),
    "jets of jets by hand": (lambda: dn.jets(Y, 1.0), dn.LevelError, "nest with dn.derivative"),
    "two algebras": (lambda: Y * H, dn.InvalidValue, "in the variables x, t and of order 2 in 2 nilpotent ε meet"),
    "two orders": (
        lambda: np.add(dn.jets(X, T, order=2)[0], dn.jets(X, T, order=3)[0]), dn.InvalidValue, r"\.truncate\(2\)"),
    "one variable and several": (lambda: Y + dn.jet(X, 2), dn.InvalidValue, r"one variable with \.along\(…\)"),
    "other names": (lambda: Y + dn.jets(x=X, y=T, order=2)[0], dn.InvalidValue, "x, t .* variables x, y meet"),
    "two algebras in an array function": (lambda: np.concatenate([Y, H]), dn.InvalidValue, "meet"),
    "two algebras in an assignment": (lambda: Y.copy().__setitem__(0, H[0]), dn.InvalidValue, "meet"),
    "two algebras in an operation": (lambda: np.linalg.solve(np.diag(Y), H), dn.InvalidValue, "meet"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    call, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        call()


def test_variables_are_compared_by_what_they_are() -> None:
    """Jets of separate calls with the same variables are jets in these, as univariate ones share t."""
    a, b = dn.jets(X, T, order=2), dn.jets(T, X, order=2)
    np.testing.assert_array_equal((a[0] * b[1]).partial(1, 1), np.ones(3))
    assert a[0].algebra is TotalDegree(2, 2)
