"""What a new user does in the first hour with NumPy's, PyTorch's, pandas' and xarray's habits: it works as there."""

import math

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import DerivativeDropped, InvalidType, InvalidValue, NotDifferentiable

variable = dn.autograd.variable


def number(value=0.5, order=2):
    return dn.jet(value, order=order)


# ── functions of NumPy on numbers and lists ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "function", [np.sum, np.prod, np.max, np.min, np.amax, np.amin, np.nansum, np.nanprod, np.nanmax, np.nanmin, np.ptp]
)
@pytest.mark.parametrize("axis", [0, -1, None, ()])
def test_a_reduction_of_a_number_along_axis_0(function, axis):
    expected = function(np.float64(0.5), axis=axis)
    slope = 0.0 if function is np.ptp else 1.0
    y = function(number(), axis=axis)
    assert (y.shape, y.value, y.derivative(1)) == ((), expected, slope)
    for call in (lambda x: function(x, axis=axis), lambda x: function(x * 1, axis=axis)):
        assert dn.grad(call)(0.5) == dn.jit(dn.grad(call))(0.5) == slope
    with pytest.raises(np.exceptions.AxisError):
        function(number(), axis=1)


def test_running_products_repetitions_and_entries_of_a_number():
    for call in (
        lambda x: np.cumprod(x, axis=0), lambda x: np.cumsum(x, axis=-1), lambda x: np.repeat(x, 2, axis=0),
        lambda x: np.take(x, 0, axis=0), lambda x: np.cumulative_sum(x), lambda x: np.nanmean(x, axis=0),
        lambda x: np.nanstd(x, axis=0),
    ):  # fmt: skip
        y, expected = call(number()), call(np.float64(0.5))
        assert y.shape == np.shape(expected) and np.array_equal(y.value, expected)


def test_coordinates_of_a_gradient_that_carry_derivatives():
    """ḟ of df/dx on a moving grid, by the quotient rule on the nodes."""
    rng = np.random.default_rng(3)
    f, c = rng.normal(size=6), np.cumsum(rng.random(6) + 0.2)
    df, dc = rng.normal(size=(2, 6))
    for edge_order in (1, 2):
        g = lambda f, c, e=edge_order: np.gradient(f, c, edge_order=e)  # noqa: E731
        y = g(dn.jet(f, order=2, direction=df), dn.jet(c, order=2, direction=dc))
        np.testing.assert_array_equal(y.value, g(f, c))
        t = 1e-5
        slope = (g(f + t * df, c + t * dc) - g(f - t * df, c - t * dc)) / (2 * t)
        np.testing.assert_allclose(y.derivative(1), slope, rtol=1e-7)
        dn.testing.check_derivatives(lambda fc, g=g: g(*fc), (f, c), 2, jit=True)
    assert np.gradient([0, 1, 4], dn.jet([0.0, 1.0, 3.0], order=1)).dtype == float


def test_interpolation_between_nodes_that_move():
    """The line through (x_i, f_i) and (x_{i+1}, f_{i+1}): ∂y/∂x_i = −slope (1 − w), ∂y/∂x_{i+1} = −slope w."""
    xp, fp, at = np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 0.0]), 2.5
    jacobian = dn.jacobian(lambda xp: np.interp(at, xp, fp))(xp)
    slope, w = -1.0, 0.75
    np.testing.assert_allclose(jacobian, [0, -slope * (1 - w), -slope * w], rtol=1e-15)
    for x in (-1.0, 4.0):  # beyond the ends nothing moves
        np.testing.assert_array_equal(dn.jacobian(lambda xp, x=x: np.interp(x, xp, fp))(xp), np.zeros(3))
    x = np.array([0.3, 1.7, 2.2])
    f = lambda q: np.interp(q[0], q[1], q[2], left=9.0)  # noqa: E731
    dn.testing.check_derivatives(f, (x, xp, fp), 3, jit=True)
    dn.testing.check_derivatives(lambda q: np.interp(q[0], q[1], q[2], period=4.0), (x, xp, fp), 3)


def test_a_histogram_whose_edges_follow_the_data():
    x = dn.jet(np.array([0.5, 1.5, 2.0, 3.5]), order=2, direction=[1.0, 0.3, -0.2, 0.4])
    counts, edges = np.histogram(x, bins=2)
    assert counts.tolist() == [2, 2] and edges.derivative(1).tolist() == [1.0, 0.7, 0.4]
    density, _ = np.histogram(x, bins=2, density=True)
    width = edges[1] - edges[0]
    np.testing.assert_allclose(density.coeffs, np.stack([(0.5 / width).coeffs] * 2, axis=1), rtol=1e-14)
    weighted, _ = np.histogram(x, bins=2, weights=x)
    np.testing.assert_allclose(weighted.derivative(1), [1.3, 0.2])
    for each in np.histogram2d(x, x, bins=2)[1:]:
        np.testing.assert_array_equal(each.coeffs, edges.coeffs)


@pytest.mark.parametrize("order", [2, -2])
def test_the_largest_and_the_smallest_singular_value_as_a_norm(order):
    a, v = np.array([[2.0, 0.5], [0.3, 1.0], [0.1, -0.4]]), np.array([[0.1, 0.7], [-0.3, 0.2], [0.5, 0.4]])
    left, values, right = np.linalg.svd(a, full_matrices=False)
    i = 0 if order == 2 else -1
    y = np.linalg.norm(dn.jet(a, order=2, direction=v), order)
    np.testing.assert_allclose(
        [y.value, y.derivative(1)], [values[i], left[:, i] @ v @ right[i]], rtol=1e-13, atol=1e-15
    )


def test_real_if_close_looks_at_all_coefficients():
    x = dn.jet(np.array([0.5, 1.5]), order=2)
    y = np.real_if_close(x * (1 + 1e-16j))
    assert y.dtype == float and np.array_equal(y.derivative(1), [1, 1])
    assert np.real_if_close(x + 1j * (x - x.value)).dtype == complex  # real, but not along t
    with pytest.raises(NotDifferentiable, match=r"a variable .* use x\.real"):
        np.real_if_close(variable(1.0) * 1j)


# ── numbers that are read on purpose ─────────────────────────────────────────────────────────────


def test_the_loss_as_a_number():
    w = variable([0.5, 2.0])
    loss = np.sum(w**2)
    history = []
    history.append(float(loss))
    assert history == [4.25] and int(loss) == 4 and complex(loss) == 4.25
    assert f"{loss:.3f}" == "4.250" and "%.3f" % loss == "4.250"  # noqa: UP031
    loss.backward()
    assert w.grad.tolist() == [1.0, 4.0]


def test_what_would_lose_the_gradient_of_the_loss_in_silence():
    loss = np.sum(variable([0.5, 2.0]) ** 2)
    with pytest.raises(DerivativeDropped, match=r"math\.sqrt: a variable as a number .* write np\.sqrt\(x\)"):
        math.sqrt(loss)
    with pytest.raises(DerivativeDropped):
        list(map(math.sqrt, [loss]))
    with pytest.raises(DerivativeDropped):
        np.array([loss, loss])
    with pytest.raises(DerivativeDropped):  # jets, and variables of a transform, have no record to be read beside
        dn.grad(lambda x: float(x) * x)(2.0)


def test_a_variable_that_requires_no_gradient_is_an_array_to_numpy():
    x = variable([0.5, 2.0])
    constants = [np.asarray(x.detach(), dtype=np.float32), np.asarray(variable(x, requires_grad=False))]
    for y in (np.array(x.detach()), *constants):
        assert type(y) is np.ndarray and y.tolist() == [0.5, 2.0]
    assert math.sqrt(variable(4.0).detach()) == 2.0
    buffer = np.zeros(2)
    buffer[0] = x.detach()[1]
    buffer[1:] = x.detach()[:1]
    assert buffer.tolist() == [2.0, 0.5]
    with dn.autograd.no_grad():  # nothing is recorded there
        assert np.asarray(x).tolist() == [0.5, 2.0] and math.sqrt(np.sum(x)) == math.sqrt(2.5)
    with pytest.raises(DerivativeDropped):
        np.asarray(x)
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x.detach())[0] = 1.0


def test_plotting_a_detached_variable():
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt

    x = variable([0.5, 2.0])
    (line,) = plt.plot(x.detach(), (x**2).detach())
    assert line.get_ydata().tolist() == [0.25, 4.0]
    plt.close("all")


def test_a_step_of_descent_on_data():
    x = variable([1.0, 2.0])
    for _ in range(2):
        x.zero_grad()
        np.sum(x**2).backward()
        x.data -= 0.25 * x.grad
    assert x.data.tolist() == [0.25, 0.5] and x.requires_grad and x.is_leaf
    x.data *= 2
    assert x.data.tolist() == [0.5, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        x.data[0] = 5.0
    assert repr(x.data) == "array([0.5, 1. ])" and type(np.sin(x.data)) is np.ndarray
    z = x.data.copy()
    again = z
    z -= 1.0  # an array of one's own is written into
    assert again is z and z.tolist() == [-0.5, 0.0]


def test_a_record_keeps_what_it_read_when_data_changes():
    x = variable([1.0, 2.0])
    y = np.sum(x**2)
    x.data -= 1.0
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_variables_are_keys_by_identity():
    a, b = variable([1.0, 2.0]), variable([1.0, 2.0])
    state = {a: "first", b: "second"}
    assert state[a] == "first" and state[b] == "second" and len({a, b, a}) == 2
    assert (a == b).tolist() == [True, True]
    with pytest.raises(InvalidType, match="unhashable type: Jet"):
        hash(number())


def test_a_jet_in_an_f_string():
    assert f"{number():.3f}" == "Jet(0.500 + 1.000·t, order=2)"
    assert f"{np.sin(number()):.2e}" == "Jet(4.79e-01 + 8.78e-01·t - 2.40e-01·t², order=2)"
    assert f"{number()}" == repr(number())
    assert f"{dn.jet([0.5, -1.0], order=1):.2f}" == "Jet([0.50, -1.00]\n  + [1.00, 1.00]·t,\n    order=1)"
    with pytest.raises(ValueError, match="format"):
        format(number(), "nope")


# ── labelled containers ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [lambda a: dn.jet(a, order=2), variable])
def test_a_dataarray_keeps_its_labels_on_either_side(kind):
    xr = pytest.importorskip("xarray")
    x = kind(np.array([0.5, 1.5, 2.0]))
    labelled = xr.DataArray([1.0, 2.0, 3.0], dims="time", coords={"time": [10, 20, 30]})
    for y in (x * labelled, labelled * x, np.multiply(x, labelled), x - labelled + 2 * x, labelled / x):
        assert isinstance(y, xr.DataArray) and y.dims == ("time",) and type(y.data) is type(x)
    assert (x * labelled).sel(time=20).item is not None
    np.testing.assert_array_equal((x * labelled).data.value, [0.5, 3.0, 6.0])
    np.testing.assert_array_equal((labelled - x).data.value, [0.5, 0.5, 1.0])


@pytest.mark.parametrize("kind", [lambda a: dn.jet(a, order=2), variable])
def test_a_series_is_an_array_on_either_side(kind):
    """pandas holds plain numbers only, so that the result has no labels."""
    pd = pytest.importorskip("pandas")
    x = kind(np.array([0.5, 1.5, 2.0]))
    series = pd.DataFrame({"weight": [1.0, 2.0, 3.0]})["weight"]
    for y in (x * series, series * x, np.multiply(series, x)):
        assert type(y) is type(x) and np.array_equal(y.value, [0.5, 3.0, 6.0])
    assert np.array_equal((series - x).value, [0.5, 0.5, 1.0])
    with pytest.raises(DerivativeDropped, match=r"pandas\.Series: its argument data.*pd\.Series\(y\.value, s\.index\)"):
        pd.Series(x)


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def test_the_derivative_of_a_sum_is_the_sum_of_the_gradient_and_the_docstring_begins_with_that():
    x = np.array([1.0, 2.0])
    assert dn.derivative(lambda x: np.sum(x**2))(x) == np.sum(dn.grad(lambda x: np.sum(x**2))(x)) == 6.0
    beginning = "\n".join(dn.derivative.__doc__.splitlines()[:5])
    assert "np.sum(x**2)" in beginning and "dn.grad(f)" in beginning


def test_an_order_in_place_of_the_function():
    with pytest.raises(InvalidType, match=r"derivative: f is a int; expected a function of arrays, as np.sin is one"):
        dn.derivative(-1)
    with pytest.raises(InvalidValue, match="derivative: order is -1; expected 0 or more"):
        dn.derivative(np.sin, -1)
    with pytest.raises(InvalidValue, match="k is -1, but the jet has order 2; expected 0 ≤ k ≤ 2, 0 for the value"):
        number().derivative(-1)


def test_a_partial_derivative_that_is_not_there():
    special = pytest.importorskip("scipy.special")
    from dualnum.primitives.table import by_derivative

    with pytest.raises(InvalidType, match=r"of stdtr by argument 0 is None; expected a function .* or the name"):
        by_derivative(special.stdtr, None, np.sin)
    with pytest.raises(InvalidValue, match="stdtr has 2 arguments, and 1 partial derivatives are given"):
        by_derivative(special.stdtr, np.sin)


def test_a_series_rule_that_gives_too_few_coefficients():
    def square(rule):
        f = dn.custom_derivative(lambda x: x * x)
        f.series(rule)
        return f

    few = square(lambda order, value, u: [value, 2 * u[0] * u[1]])
    assert dn.derivative(few)(3.0) == 6.0
    for twice in (dn.derivative(few, 2), dn.jit(dn.derivative(few, 2))):
        with pytest.raises(InvalidValue, match="gave 2 coefficients for order 2; expected 3"):
            twice(3.0)
    with pytest.raises(InvalidType, match="gave a NoneType for order 1; expected a list of at most 2"):
        dn.derivative(square(lambda order, value, u: None))(3.0)
    from dualnum import series

    right = square(lambda order, value, u: series.square(order, value, u))
    assert dn.derivative(right, 2)(3.0) == 2.0
    doubled = dn.custom_derivative(lambda x: 2 * x)
    doubled.series(lambda order, value, u: [value, *(2 * c for c in u[1:])])  # as many as the argument has
    assert dn.taylor(doubled, 3)(0.5).tolist() == [1.0, 2.0, 0.0, 0.0]
