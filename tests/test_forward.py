"""The forward transforms, against closed forms: derivative, taylor, directional, jvp."""

import functools
import inspect
import math
from collections import namedtuple

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualnum as dn
from dualnum import derivative, directional, jvp, taylor

X = np.array([0.3, 0.9, 1.7])

# f, and its k-th derivative in closed form
CLOSED = {
    "sin": (np.sin, lambda x, k: np.sin(x + k * np.pi / 2)),
    "exp(2x)": (lambda x: np.exp(2 * x), lambda x, k: 2**k * np.exp(2 * x)),
    "x^5": (lambda x: x**5, lambda x, k: math.perm(5, k) * x ** max(5 - k, 0)),
    "1/x": (lambda x: 1 / x, lambda x, k: (-1) ** k * math.factorial(k) / x ** (k + 1)),
    "log": (np.log, lambda x, k: (-1) ** (k - 1) * math.factorial(k - 1) / x**k if k else np.log(x)),
    "sqrt": (np.sqrt, lambda x, k: float(mpmath.ff(0.5, k)) * x ** (0.5 - k)),
    "2^x": (lambda x: 2.0**x, lambda x, k: np.log(2) ** k * 2.0**x),
    "x exp(x)": (lambda x: x * np.exp(x), lambda x, k: (x + k) * np.exp(x)),
    "x^2 sin": (
        lambda x: x**2 * np.sin(x),
        lambda x, k: sum(
            math.comb(k, j) * [x**2, 2 * x, 2][j] * np.sin(x + (k - j) * np.pi / 2) for j in range(min(k, 2) + 1)
        ),
    ),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 8])
def test_derivative_in_closed_form(name, order):
    f, expected = CLOSED[name]
    result = derivative(f, order)(X)
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, expected(X, order), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(derivative(f, order)(0.9), expected(0.9, order), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", CLOSED)
def test_nested_to_order_four(name):
    f, expected = CLOSED[name]
    for order in range(1, 5):
        f = derivative(f)
        np.testing.assert_allclose(f(X), expected(X, order), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("split", [(1, 3), (2, 2), (3, 1), (1, 2, 1)])
def test_orders_add_up_when_nested(split):
    f, expected = CLOSED["x^2 sin"]
    for order in split:
        f = derivative(f, order)
    np.testing.assert_allclose(f(X), expected(X, 4), rtol=1e-12)


@pytest.mark.parametrize("name", CLOSED)
def test_taylor_coefficients_in_closed_form(name):
    f, expected = CLOSED[name]
    result = taylor(f, 5)(X)
    assert result.shape == (6, 3)
    for k in range(6):
        np.testing.assert_allclose(result[k], expected(X, k) / math.factorial(k), rtol=1e-11, atol=1e-14)


def test_taylor_against_mpmath():
    f = lambda m: lambda x: m.exp(m.sin(x)) / (1 + x**2)  # noqa: E731
    with mpmath.workdps(30):
        expected = [float(c) for c in mpmath.taylor(f(mpmath), 0.4, 10)]
    np.testing.assert_allclose(taylor(f(np), 10)(0.4), expected, rtol=1e-12)


def test_taylor_along_a_direction_scales_as_powers():
    for direction in (0.5, 2, [1.0, -2.0, 0.5]):
        v = np.asarray(direction)
        plain, along = taylor(np.exp, 4)(X), taylor(np.exp, 4, direction=direction)(X)
        for k in range(5):
            np.testing.assert_allclose(along[k], plain[k] * v**k, rtol=1e-14)


def test_taylor_of_a_coupled_function_along_several_directions():
    """f(x) = Πx along v: the coefficients are the elementary symmetric functions of v/x, times f."""
    directions = np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 0.5], [0.0, -1.0, 1.0]])
    f = lambda x: x[0] * x[1] * x[2]  # noqa: E731
    result = taylor(f, 4, directions=directions)(X)
    assert result.shape == (3, 5)
    for row, v in zip(result, directions, strict=True):
        expected = (
            np.polynomial.polynomial.polyfromroots(-X[v != 0] / v[v != 0]) * np.prod(v[v != 0]) * np.prod(X[v == 0])
        )
        np.testing.assert_allclose(row, np.pad(expected, (0, 5 - len(expected))), rtol=1e-13, atol=1e-15)
    for p, v in enumerate(directions):
        np.testing.assert_allclose(result[p], taylor(f, 4, direction=v)(X), rtol=1e-15)
    g = taylor(lambda x: np.outer(np.sin(x), x), 2, directions=directions)(X)
    assert g.shape == (3, 3, 3, 3)


def test_directional_derivatives_of_a_cubic_form():
    """f(x) = (a·x)³: dᵏf[v, …] = 3!/(3−k)! (a·x)^(3−k) (a·v)^k."""
    a, v = np.array([1.0, -2.0, 0.5]), np.array([0.3, 1.0, 2.0])
    f = lambda x: np.sum(a * x) ** 3  # noqa: E731
    for k in range(6):
        expected = math.perm(3, k) * (a @ X) ** max(3 - k, 0) * (a @ v) ** k
        np.testing.assert_allclose(directional(f, k)(X, v), expected, rtol=1e-13, atol=1e-13)


def test_directional_with_several_arguments():
    f = lambda x, y: x**2 * np.exp(y)  # noqa: E731
    x, y, v, w = 1.5, 0.5, 2.0, -1.0
    assert directional(f)(x, y, v) == pytest.approx(2 * x * np.exp(y) * v)
    assert directional(f, argnums=1)(x, y, w) == pytest.approx(x**2 * np.exp(y) * w)
    both = directional(f, 2, argnums=(0, 1))(x, y, (v, w))
    assert both == pytest.approx((2 * v * v + 2 * 2 * x * v * w + x**2 * w * w) * np.exp(y))


def test_jvp_is_the_jacobian_times_the_tangent():
    f = lambda x, y: (np.sin(x) * y, x[0] * y)  # noqa: E731
    x, y, v, w = X, X[::-1].copy(), np.array([1.0, -0.5, 2.0]), np.array([0.0, 3.0, 1.0])
    (value, other), (tangent, other_tangent) = jvp(f, (x, y), (v, w))
    np.testing.assert_allclose(value, np.sin(x) * y, rtol=1e-15)
    np.testing.assert_array_equal(other, x[0] * y)
    np.testing.assert_allclose(tangent, np.cos(x) * v * y + np.sin(x) * w, rtol=1e-15)
    np.testing.assert_allclose(other_tangent, v[0] * y + x[0] * w, rtol=1e-15)


def test_jvp_accepts_lists_and_whole_numbers():
    assert jvp(lambda x, y: x * y, [3, 4], [1, 10]) == (12.0, 34.0)
    value, tangent = jvp(np.square, (np.arange(3),), (np.ones(3, int),))
    assert value.dtype == tangent.dtype == float and np.array_equal(tangent, [0.0, 2.0, 4.0])


# ── arguments ────────────────────────────────────────────────────────────────────────────────────


def f3(x, y, z):
    return x**2 * y**3 * z**4


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 2 / 1.5), (1, 3 / 2.0), (2, 4 / 0.5), (-1, 4 / 0.5), (-3, 2 / 1.5), ((0,), 2 / 1.5), ([1], 3 / 2.0),
     ((0, 2), 2 / 1.5 + 4 / 0.5), ((-1, 0), 2 / 1.5 + 4 / 0.5), ((0, 1, 2), 2 / 1.5 + 3 / 2.0 + 4 / 0.5),
     (np.int64(1), 3 / 2.0)],
)  # fmt: skip
def test_argnums(argnums, expected):
    x, y, z = 1.5, 2.0, 0.5
    assert derivative(f3, argnums=argnums)(x, y, z) == pytest.approx(expected * f3(x, y, z), rel=1e-14)
    assert taylor(f3, 2, argnums=argnums)(x, y, z)[1] == pytest.approx(expected * f3(x, y, z), rel=1e-14)


def test_mixed_partials_by_nesting():
    mixed = f3
    for i in (0, 1, 1, 2):
        mixed = derivative(mixed, argnums=i)
    x, y, z = 1.5, 2.0, 0.5
    assert mixed(x, y, z) == pytest.approx(2 * x * 6 * y * 4 * z**3, rel=1e-14)
    # the order of differentiation does not matter
    again = f3
    for i in (1, 2, 0, 1):
        again = derivative(again, argnums=i)
    assert again(x, y, z) == pytest.approx(mixed(x, y, z), rel=1e-15)


def test_the_other_arguments_and_keywords_are_passed_on_as_they_are():
    seen = []

    def f(x, name, scale=1.0, *, table=None):
        seen.append((name, scale, table))
        return x**2 * scale

    table = {"a": object()}
    assert derivative(f)(3.0, "name", scale=2.0, table=table) == 12.0
    assert seen[0][0] == "name" and seen[0][1] == 2.0 and seen[0][2] is table


def test_derivative_as_a_decorator_keeps_a_name():
    @derivative
    def square(x):
        return x**2

    assert square(3.0) == 6.0 and square.__name__ == "derivative(square)"
    assert derivative(functools.partial(f3, 1.0, 2.0))(1.0) == 4 * 8.0
    assert inspect.isfunction(square.__wrapped__)


Point = namedtuple("Point", "x y")


def energy(p):
    """x²·Σ y³ of a point (tuple, list or dict of a scalar and an array)."""
    x, y = (p["x"], p["y"]) if isinstance(p, dict) else p
    return {"sum": x**2 * np.sum(y**3), "parts": [x**2 * y**3, (x,)]}


@pytest.mark.parametrize("make", [lambda x, y: (x, y), lambda x, y: [x, y], lambda x, y: {"x": x, "y": y}, Point])
def test_containers_of_arrays(make):
    x, y = 1.5, np.array([1.0, 2.0])
    v, w = 0.5, np.array([-1.0, 3.0])
    value, tangent = jvp(energy, (make(x, y),), (make(v, w),))
    assert value["sum"] == x**2 * np.sum(y**3) and value["parts"][1] == (x,)
    assert tangent["sum"] == 2 * x * v * 9.0 + x**2 * np.sum(3 * y**2 * w)
    np.testing.assert_array_equal(tangent["parts"][0], 2 * x * v * y**3 + x**2 * 3 * y**2 * w)
    assert tangent["parts"][1] == (v,)
    assert directional(energy)(make(x, y), make(v, w))["sum"] == tangent["sum"]
    series = taylor(energy, 2, direction=make(v, w))(make(x, y))
    assert series["sum"].shape == (3,) and series["parts"][0].shape == (3, 2)
    assert series["sum"][1] == tangent["sum"]
    many = taylor(energy, 1, directions=make(np.array([v, 0.0]), np.stack([w, w])))(make(x, y))
    assert many["sum"].shape == (2, 2) and many["sum"][0, 1] == tangent["sum"]
    assert derivative(energy)(make(x, y))["sum"] == 2 * x * 9.0 + x**2 * 3 * 5.0


def test_containers_nested_deeply_and_through_levels():
    tree = {"a": [1.0, (2.0, np.array([3.0]))], "b": {}}
    f = lambda t: {"out": (t["a"][0] ** 3 * t["a"][1][1],)}  # noqa: E731
    first, second = derivative(f), derivative(derivative(f))
    assert first(tree)["out"][0] == 3 * 3.0 + 1.0
    assert second(tree)["out"][0] == 6 * 3.0 + 2 * 3.0
    assert tree["a"][0] == 1.0 and isinstance(tree["a"][1][1], np.ndarray)


# ── results ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "constant", [3.0, 3, True, np.float32(3), np.arange(3), [1.0, (2.0,)], {"a": np.zeros((2, 0))}]
)
def test_constant_results_have_exact_zeros(constant):
    result = derivative(lambda x: constant)(X)
    value, tangent = jvp(lambda x: constant, (X,), (X,))
    for leaf, v, t in zip(
        *(dn.transforms.forward.optree.tree_leaves(s) for s in (result, value, tangent)), strict=True
    ):
        assert not np.any(leaf) and not np.any(t) and np.shape(leaf) == np.shape(v) == np.shape(t)
    flat = dn.transforms.forward.optree.tree_leaves(constant)
    series = dn.transforms.forward.optree.tree_leaves(taylor(lambda x: constant, 2)(X))
    several = dn.transforms.forward.optree.tree_leaves(taylor(lambda x: constant, 2, directions=np.eye(3))(X))
    for leaf, one, many in zip(flat, series, several, strict=True):
        assert one.shape == (3, *np.shape(leaf)) and many.shape == (3, 3, *np.shape(leaf))
        assert np.array_equal(one[0], leaf) and not one[1:].any() and np.array_equal(many[1], one)


def test_results_that_depend_through_their_values_only_are_constant():
    assert np.array_equal(derivative(lambda x: np.floor(x) + (x > 1))(X), [0.0, 0.0, 0.0])
    assert np.array_equal(derivative(lambda x: np.where(x > 1, x**2, 5.0))(X), [0.0, 0.0, 2 * 1.7])


def test_order_zero_is_the_function():
    np.testing.assert_allclose(derivative(np.sin, 0)(X), np.sin(X), rtol=1e-15)
    np.testing.assert_allclose(taylor(np.sin, 0)(X), np.sin(X)[None], rtol=1e-15)
    assert derivative(lambda x: 3.0, 0)(X) == 3.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128])
def test_the_type_of_the_argument_is_kept(dtype):
    x = np.array([0.5, 0.25], dtype)
    for result in (derivative(np.exp, 2)(x), taylor(np.exp, 2)(x), *jvp(np.exp, (x,), (x,)), directional(np.exp)(x, x)):
        assert result.dtype == dtype
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(derivative(np.exp, 2)(x), np.exp(x), rtol=tolerance)


def test_a_real_function_of_complex_arguments_and_a_complex_one_of_real_ones():
    z = 0.5 + 2j
    assert derivative(lambda z: z**3)(z) == pytest.approx(3 * z**2)
    assert derivative(lambda x: np.exp(1j * x), 2)(0.7) == pytest.approx(-np.exp(0.7j))
    assert derivative(lambda x: np.abs(np.exp(1j * x) * x))(0.7) == pytest.approx(1.0)


def test_integer_points_become_floats():
    assert derivative(np.square)(3) == 6.0
    assert derivative(np.square)(np.arange(3)).dtype == float


def test_the_caller_s_arrays_are_unchanged():
    x, v, y = X.copy(), X.copy(), np.eye(3)

    def f(x, y):
        x[0] = 7.0  # its own copy
        x += 1
        return x @ y

    jvp(f, (x, y), (v, y))
    derivative(f)(x, y)
    taylor(f, 2, direction=v)(x, y)
    assert np.array_equal(x, X) and np.array_equal(v, X) and np.array_equal(y, np.eye(3))


def test_results_are_the_caller_s_own():
    first = taylor(lambda x: x, 2)(X)
    first[...] = 0.0
    result = derivative(lambda x: x)(X)
    result[0] = 5.0
    assert X[0] == 0.3 and derivative(lambda x: x)(X)[0] == 1.0


def test_empty_and_scalar_arrays():
    assert derivative(np.sin)(np.zeros((0, 3))).shape == (0, 3)
    assert derivative(np.sin, 3)(np.zeros(())).shape == ()


# ── transforms in transforms ─────────────────────────────────────────────────────────────────────

F = lambda x: np.sin(x) * np.exp(x / 2)  # noqa: E731


def test_every_transform_in_every_other():
    x = 0.7
    second = derivative(F, 2)(x)
    ways = [
        derivative(lambda x: derivative(F)(x))(x),
        derivative(lambda x: taylor(F, 1)(x)[1])(x),
        derivative(lambda x: jvp(F, (x,), (1.0,))[1])(x),
        derivative(lambda x: directional(F)(x, 1.0))(x),
        jvp(derivative(F), (x,), (1.0,))[1],
        jvp(lambda x: jvp(F, (x,), (1.0,))[1], (x,), (1.0,))[1],
        directional(derivative(F))(x, 1.0),
        directional(lambda x: directional(F)(x, 1.0))(x, 1.0),
        taylor(derivative(F), 1)(x)[1],
        taylor(lambda x: taylor(F, 2)(x)[2], 0)(x)[0] * 2,
        taylor(lambda x: taylor(F, 1, directions=[1.0])(x)[0, 1], 1)(x)[1],
        taylor(lambda x: derivative(F)(x), 1, directions=[1.0])(x)[0, 1],
    ]
    np.testing.assert_allclose(ways, second, rtol=1e-14)


def test_the_direction_may_carry_derivatives():
    x = np.array([0.4, 0.8])
    np.testing.assert_allclose(derivative(lambda s: directional(np.sin)(x, s * x))(2.0), np.cos(x) * x, rtol=1e-15)
    np.testing.assert_allclose(
        derivative(lambda s: taylor(np.exp, 2, direction=s)(x)[2], 2)(3.0), np.exp(x), rtol=1e-14
    )
    assert derivative(lambda s: jvp(np.square, (3.0,), (s,))[1])(1.0) == 6.0
    doubled = derivative(lambda s: taylor(np.exp, 1, directions=s * np.eye(2))(x)[:, 1])(2.0)
    np.testing.assert_allclose(doubled, np.diag(np.exp(x)), rtol=1e-15)


@given(st.integers(0, 3), st.integers(0, 3), st.floats(0.2, 2.0))
def test_mixed_derivatives_of_a_power(m, n, x):
    """∂ₓᵐ∂ᵧⁿ (x³ y⁴) in closed form, m and n each by one transform."""
    f = lambda x, y: x**3 * y**4  # noqa: E731
    result = derivative(lambda y: derivative(lambda x: f(x, y), m)(x), n)(1.5)
    assert result == pytest.approx(math.perm(3, m) * x ** (3 - m) * math.perm(4, n) * 1.5 ** (4 - n), rel=1e-12)
