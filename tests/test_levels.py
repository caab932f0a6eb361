"""Levels: nested derivatives are not confused, and nothing of a transform outlives it.

The cases are those of Siskind & Pearlmutter, "Perturbation confusion and referential transparency"
(2005) and "Nesting forward-mode AD in a functional framework" (2008), and of Manzyuk, Pearlmutter,
Radul, Rush & Siskind, "Perturbation confusion in forward automatic differentiation of higher-order
functions" (2019).
"""

import contextvars
import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dualnum import Jet, derivative, directional, jet, jvp, taylor
from dualnum.errors import DualnumError, LevelError
from dualnum.operand import levels

D = derivative


@pytest.fixture(autouse=True)
def no_level_is_left_behind():
    yield
    assert levels._innermost.get() is None
    assert levels.ambient() is levels.AMBIENT and levels.AMBIENT.alive


# ── nesting ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: x * D(lambda y: x + y)(1.0), 1.0, 1.0),  # 2005: the confused answer is 2
        (lambda x: x * D(lambda y: x * y)(2.0), 3.0, 6.0),
        (lambda x: D(lambda y: x * y)(2.0), 3.0, 1.0),
        (lambda x: D(lambda y: x + y)(2.0), 3.0, 0.0),
        (lambda x: x * D(lambda y: 5.0)(1.0), 2.0, 0.0),
        (lambda x: D(lambda y: x**2 * y**3)(x), 2.0, 3 * 4 * 2.0**3),
        (lambda x: D(lambda x: x**3)(x**2), 1.5, 3 * 4 * 1.5**3),
        (lambda x: D(lambda y: D(lambda z: x * y * z)(1.0) * y)(2.0), 3.0, 4.0),
        (lambda x: D(lambda y: D(lambda z: x**2 * y**2 * z**2)(x))(x), 1.5, 16 * 1.5**3),
        (lambda x: x * D(lambda y: x * D(lambda z: x + y + z)(1.0) + y)(1.0), 4.0, 1.0),
    ],
)  # fmt: skip
def test_the_inner_variable_is_not_the_outer_one(f, x, expected):
    assert D(f)(x) == expected
    assert np.array_equal(D(f)(np.array([x, x])), [expected, expected])
    assert jvp(f, (x,), (2.0,))[1] == 2 * expected
    assert taylor(f, 3)(x)[1] == expected
    assert directional(f)(x, -1.0) == -expected


def test_the_two_variables_of_a_product_kept_apart():
    """d/dx of x·(d/dy of (x·y)²) = 2x³y, at different transforms inside and outside."""
    inner = [
        lambda x, y: D(lambda y: (x * y) ** 2)(y),
        lambda x, y: jvp(lambda y: (x * y) ** 2, (y,), (1.0,))[1],
        lambda x, y: taylor(lambda y: (x * y) ** 2, 2)(y)[1],
        lambda x, y: (x * jet(y, order=1)).__pow__(2).derivative(),
    ]
    for g in inner:
        assert D(lambda x, g=g: x * g(x, 3.0))(2.0) == pytest.approx(6 * 2.0**2 * 3.0, rel=1e-15)
        assert D(lambda y, g=g: 2.0 * g(2.0, y))(3.0) == pytest.approx(2 * 2.0**3, rel=1e-15)


def test_nesting_is_iteration():
    f = lambda x: np.exp(np.sin(x)) / (1 + x**2)  # noqa: E731
    nested = f
    for k in range(1, 5):
        nested = D(nested)
        assert nested(0.7) == pytest.approx(D(f, k)(0.7), rel=1e-11)


# ── higher-order functions ───────────────────────────────────────────────────────────────────────


def test_a_function_that_returns_a_function_raises():
    """Manzyuk et al.: s(u)(f)(x) = f(x + u); the derivative of s at 0 would leak u in its closure."""
    shift = lambda u: lambda f: lambda x: f(x + u)  # noqa: E731
    with pytest.raises(TypeError, match="f returned a function"):
        D(shift)(0.0)
    with pytest.raises(TypeError, match="f returned a function"):
        D(lambda u: {"shifted": shift(u)(np.sin)})(0.0)
    # made to return numbers, the same function is right, nested as in the paper
    d_hat = lambda f: lambda x: D(lambda u: shift(u)(f)(x))(0.0)  # noqa: E731
    assert d_hat(d_hat(np.sin))(0.5) == pytest.approx(-np.sin(0.5), rel=1e-15)
    assert d_hat(d_hat(lambda x: x**3))(2.0) == 12.0


def test_a_leaked_closure_raises_when_it_is_called():
    kept = []
    D(lambda x: kept.append(lambda y: x * y) or x)(1.0)
    with pytest.raises(LevelError, match="is used after it ended"):
        kept[0](2.0)
    with pytest.raises(LevelError, match="is used after it ended"):
        D(kept[0])(2.0)
    with pytest.raises(LevelError, match="is used after it ended"):
        D(lambda x: D(lambda y: kept[0](x * y))(1.0))(2.0)


USES = {
    "operator": lambda x: x + 1,
    "ufunc": np.sin,
    "array function": np.sum,
    "comparison": lambda x: x > 0,
    "with another": lambda x: jet(1.0) * x,
    "as an argument": lambda x: D(np.sin)(x),
    "as a direction": lambda x: jvp(np.sin, (1.0,), (x,)),
    "returned": lambda x: D(lambda y: x)(1.0),
    "returned in a container": lambda x: D(lambda y: [y, {"x": x}])(1.0),
    "assigned": lambda x: jet([1.0, 2.0]).__setitem__(0, x),
    "by hand": lambda x: jet(x),
    "as a direction by hand": lambda x: jet(1.0, direction=x),
    "as out=": lambda x: np.sin(1.0, out=x),
    "in a reduction": lambda x: np.hypot.reduce(x[None]),
    "pickled": pickle.dumps,
}


@pytest.mark.parametrize("use", USES)
def test_a_leaked_jet_raises_at_every_use(use):
    kept = []
    D(lambda x: kept.append(x) or x)(1.0)
    with pytest.raises(LevelError) as raised:
        USES[use](kept[0])
    assert "derivative of <lambda>" in str(raised.value) and isinstance(raised.value, ValueError)
    assert kept[0].value == 1.0 and kept[0].derivative() == 1.0  # reading on purpose stays possible


def test_a_leak_through_a_mutated_array_raises():
    store = jet([0.0, 0.0], order=1)
    with pytest.raises(TypeError, match="cannot hold"):
        D(lambda x: store.__setitem__(0, x) or x)(1.0)
    assert not store.value.any()
    buffer = np.zeros(2)
    with pytest.raises((TypeError, ValueError)):
        D(lambda x: buffer.__setitem__(0, x) or x)(1.0)
    with pytest.raises(TypeError, match="out="):
        D(lambda x: np.multiply(x, 2.0, out=buffer))(np.ones(2))
    assert not buffer.any()


def test_inner_results_are_ordinary_operands_of_the_outer_level():
    seen = []

    def f(x):
        y = D(lambda z: x * z**2)(3.0)
        seen.append((type(y), y.scope is x.scope))
        return y

    assert D(f)(2.0) == 6.0 and seen == [(Jet, True)]


# ── jets by hand ─────────────────────────────────────────────────────────────────────────────────


def test_jets_by_hand_share_one_variable():
    x, y = jet(2.0, order=2), jet(3.0, order=2)
    assert (x * y).derivative(1) == 5.0 and (x * y).derivative(2) == 2.0


def test_a_jet_by_hand_inside_a_transform_is_of_an_inner_level():
    assert D(lambda x: (jet(x, order=2) ** 3).derivative(2))(2.0) == 6.0
    assert D(lambda x: x * (x + jet(1.0, order=1)).derivative(1))(1.0) == 1.0  # by hand, the first case again
    assert D(lambda x: D(lambda y: (jet(x * y, order=1) ** 2).derivative(1))(3.0))(5.0) == 2.0
    third = D(lambda x: D(lambda x: (jet(x, order=1) ** 4).derivative())(x))(2.0)
    assert third == 24 * 2.0


def test_a_jet_by_hand_is_constant_in_a_transform_that_it_is_closed_over_by():
    a = jet(2.0, order=2)
    result = D(lambda y: a * y**2)(3.0)
    assert isinstance(result, Jet) and np.array_equal(result.coeffs, (6 * a).coeffs)
    assert np.array_equal(D(lambda y: a)(3.0).coeffs, np.zeros(3))
    value, tangent = jvp(lambda y: a * y, (3.0,), (1.0,))
    assert np.array_equal(value.coeffs, (3 * a).coeffs) and np.array_equal(tangent.coeffs, a.coeffs)


def test_a_transform_at_a_jet_by_hand_is_differentiated_through():
    a = jet(2.0, order=2)
    result = D(lambda y: y**3)(a)  # 3a²
    assert np.array_equal(result.coeffs, (3 * a * a).coeffs)
    result = D(lambda y: a * y**2)(a)  # 2a·a
    assert np.array_equal(result.coeffs, (2 * a * a).coeffs)
    series = taylor(np.exp, 2)(a)
    np.testing.assert_allclose(series[2].coeffs, (np.exp(a) / 2).coeffs, rtol=1e-15)


def test_a_jet_by_hand_cannot_be_the_point_of_another():
    with pytest.raises(LevelError, match="nest"):
        jet(jet(1.0))
    with pytest.raises(LevelError, match="nest"):
        D(lambda x: jet(jet(x)).value)(1.0)


def test_a_jet_by_hand_ends_with_the_transform_that_it_was_made_in():
    with pytest.raises(LevelError, match=r"return its \.value"):
        D(lambda x: jet(x, order=1) ** 2)(1.0)
    kept = []
    D(lambda x: kept.append(jet(3.0, order=1)) or x)(1.0)
    with pytest.raises(LevelError, match="a jet made by hand inside derivative"):
        kept[0] + 1


def test_an_inner_jet_cannot_be_written_into_an_outer_one():
    def f(x):
        y = x * np.ones(2)
        with pytest.raises(TypeError, match=r"np\.where, np\.stack"):
            D(lambda z: y.__setitem__(0, z) or z)(1.0)
        return y

    assert np.array_equal(D(f)(2.0), [1.0, 1.0])


def test_an_outer_jet_is_written_into_an_inner_one_that_has_room_for_it():
    def f(x, z_of):
        def g(y):
            z = z_of(x, y)
            z[0] = x
            return z * y

        return D(g)(3.0)

    # z = [x, x y²]: its coefficients are jets of the outer level already
    assert np.array_equal(D(lambda x: f(x, lambda x, y: x * y**2 * np.ones(2)))(2.0), [1.0, 27.0])
    with pytest.raises(TypeError, match=r"cannot hold; build .* np\.where, np\.stack"):
        D(lambda x: f(x, lambda x, y: y * np.ones(2)))(2.0)


def test_copies_inside_a_transform_stay_in_it():
    f = lambda x: copy.deepcopy(x) * copy.copy(x) * x.copy()  # noqa: E731
    assert D(f)(2.0) == 12.0
    with pytest.raises(LevelError, match="pickled"):
        D(lambda x: pickle.loads(pickle.dumps(x)))(1.0)


# ── errors and threads ───────────────────────────────────────────────────────────────────────────


class Wrong(Exception):
    pass


def test_an_exception_passes_and_leaves_no_level_behind():
    def fails(x):
        raise Wrong

    for transform in (D(fails), taylor(fails, 2), lambda x: jvp(fails, (x,), (x,)), D(lambda x: D(fails)(x)),
                      lambda x: directional(fails)(x, x)):  # fmt: skip
        with pytest.raises(Wrong):
            transform(1.0)
        assert levels._innermost.get() is None
    assert D(lambda x: x * D(lambda y: x + y)(1.0))(1.0) == 1.0


def test_an_exception_that_is_caught_inside_ends_the_inner_level_only():
    def f(x):
        def fails(y):
            raise Wrong

        try:
            D(fails)(x)
        except Wrong:
            return x * x

    assert D(f)(3.0) == 6.0


def test_a_domain_error_of_ours_leaves_no_level_behind():
    with pytest.raises(DualnumError):
        D(lambda x: x & 1)(1.0)
    assert levels._innermost.get() is None


def test_threads_differentiate_at_once_without_knowing_of_each_other():
    together = threading.Barrier(4, timeout=30)

    def work(i):
        def f(x):
            together.wait()  # all four are inside their transforms now
            inner = D(lambda y: x * y**2)(float(i))
            together.wait()
            return x * inner

        return D(f)(1.0)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0.0, 4.0, 8.0, 12.0]


def test_a_jet_of_another_thread_s_transform_raises_or_is_right():
    """A new thread knows of no active transform; with the caller's context it stands inside it."""

    def f(x):
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(LevelError, match="different variables"):
                pool.submit(D(lambda y: x * y), 3.0).result()
            with pytest.raises(LevelError, match="different variables"):
                pool.submit(D(lambda y: y * y), x).result()
            return pool.submit(contextvars.copy_context().run, D(lambda y: x**2 * y), 3.0).result()

    assert D(f)(5.0) == 10.0


def test_jets_by_hand_can_cross_threads():
    x = jet(2.0, order=2)
    with ThreadPoolExecutor(2) as pool:
        squares = list(pool.map(lambda k: x**k, [2, 3]))
    assert (squares[0] * squares[1]).derivative(1) == 5 * 2.0**4
