"""Order statistics, sorting, searching, counting and sets.

Where the values of x are distinct, a function of order is linear in the neighbourhood, and so
f(x(t)) is a polynomial in t there: NumPy at a few t close to 0 determines its coefficients. Ties,
NaN, `initial` and `where` have tests of their own.
"""

import re
import warnings

import numpy as np
import pytest
from polynomials import coefficients

import dualnum as dn
from dualnum import Jet, jet
from dualnum.errors import DualnumError

METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip
WHERE = np.array([[True, False, True], [False, True, True]])


def distinct(shape, order, seed=0):
    """Coefficients of a jet whose values are whole numbers, 1 apart and in no order."""
    c = coefficients(shape, order, seed)
    c[0] = np.random.default_rng(seed).permutation(c[0].size).reshape(shape) + 1.0
    return c


def along(function, c):
    """The coefficients of t ↦ function(Σ c_k t^k), a polynomial while |t| ≤ 1/8 leaves the order alone."""
    order = len(c) - 1
    ts = np.cos(np.pi * (np.arange(order + 1) + 0.5) / (order + 1)) / 8
    values = np.array([function(sum(c[k] * t**k for k in range(order + 1))) for t in ts])
    flat = np.linalg.solve(np.vander(ts, increasing=True), values.reshape(order + 1, -1))
    return flat.reshape(values.shape)


def case(name, function, shape=(2, 3)):
    return pytest.param(function, shape, id=name)


CASES = [
    case("sort", np.sort),
    case("sort 3-d", lambda x: np.sort(x, axis=1), (2, 3, 2)),
    case("sort flat", lambda x: np.sort(x, axis=None)),
    case("sort kind", lambda x: np.sort(x, 0, kind="heapsort")),
    case("sort stable", lambda x: np.sort(x, stable=True)),
    case("sort empty", lambda x: np.sort(x, axis=0), (3, 0)),
    case("partition", lambda x: np.sort(np.partition(x, 1)[..., :1], 0)),
    case("partition flat", lambda x: np.partition(x, (1, 3), axis=None)[[1, 3]]),
    case("take argsort", lambda x: np.take_along_axis(x, np.argsort(x, axis=0), 0)),
    case("max", np.max),
    case("max method", lambda x: x.max(axis=0)),
    case("max axis", lambda x: np.max(x, axis=-1)),
    case("max axes", lambda x: np.max(x, axis=(0, 2)), (2, 3, 2)),
    case("max keepdims", lambda x: np.max(x, axis=(0, -1), keepdims=True), (2, 3, 2)),
    case("max no axes", lambda x: np.max(x, axis=())),
    case("max 0-d", np.max, ()),
    case("max keepdims of all", lambda x: np.max(x, keepdims=True)),
    case("max initial", lambda x: np.max(x, axis=0, initial=3.5)),
    case("max where", lambda x: np.max(x, axis=1, where=WHERE, initial=-np.inf)),
    case("max where row", lambda x: np.max(x, where=WHERE[0], initial=0.0)),
    case("max empty axis", lambda x: np.max(x, axis=0, initial=-1.0), (0, 3)),
    case("max empty result", lambda x: np.max(x, axis=0), (3, 0)),
    case("amax", lambda x: np.amax(x, axis=1)),
    case("min", np.min),
    case("min axis", lambda x: np.min(x, 1)),
    case("min initial", lambda x: np.min(x, axis=1, initial=2.5)),
    case("amin", lambda x: np.amin(x, axis=1)),
    case("nanmax", lambda x: np.nanmax(x, axis=0)),
    case("nanmin", np.nanmin),
    case("maximum.reduce", lambda x: np.maximum.reduce(x, axis=1)),
    case("ptp", np.ptp),
    case("ptp axis", lambda x: np.ptp(x, axis=0, keepdims=True)),
    case("median", np.median),
    case("median odd", np.median, (5,)),
    case("median axis", lambda x: np.median(x, axis=1)),
    case("median keepdims", lambda x: np.median(x, axis=(0, 1), keepdims=True)),
    case("median 0-d", np.median, ()),
    case("nanmedian", lambda x: np.nanmedian(x, axis=0)),
    case("quantile", lambda x: np.quantile(x, 0.3)),
    case("quantile many", lambda x: np.quantile(x, [[0.0, 0.1], [0.9, 1.0]], axis=1)),
    case("quantile keepdims", lambda x: np.quantile(x, [0.2], axis=0, keepdims=True)),
    case("quantile no q", lambda x: np.quantile(x, [], axis=0)),
    case("percentile", lambda x: np.percentile(x, (10, 40, 77.7))),
    case("nanquantile", lambda x: np.nanquantile(x, (0.25, 0.5), axis=1)),
    case("nanpercentile", lambda x: np.nanpercentile(x, 60)),
    *(case(f"quantile {m}", lambda x, m=m: np.quantile(x, [0, 0.21, 0.5, 0.6, 1], method=m), (7,)) for m in METHODS),
    case("unique", np.unique),
    case("unique axis", lambda x: np.unique(x, axis=0)),
    case("unique_values", lambda x: np.sort(np.unique_values(x))),
    case("union1d", lambda x: np.union1d(x, np.array([2.5, 0.25]))),
    case("setdiff1d", lambda x: np.setdiff1d(x, np.array([100.0]))),
    case("setxor1d", lambda x: np.setxor1d(x, np.array([100.0, 1.5]))),
    case("pad maximum", lambda x: np.pad(x, 1, "maximum")),
    case("pad minimum", lambda x: np.pad(x, ((1, 2), (0, 1)), "minimum", stat_length=2)),
    case("pad median", lambda x: np.pad(x, (2, 1), "median")),
]  # fmt: skip


@pytest.mark.parametrize(("function", "shape"), CASES)
@pytest.mark.parametrize("order", [0, 1, 3])
def test_order_statistics_along_a_curve(function, shape, order):
    c = distinct(shape, order)
    found = function(Jet(c))
    assert np.array_equal(planes(found, order)[0], function(c[0]))
    np.testing.assert_allclose(planes(found, order), along(function, c), rtol=1e-9, atol=1e-9)


def planes(x, order):
    return x.coeffs if isinstance(x, Jet) else np.stack([x, *[np.zeros_like(x)] * order])


@pytest.mark.parametrize(("function", "shape"), CASES)
def test_any_layout(function, shape):
    if not shape:
        pytest.skip("no axes")
    c = distinct(shape, 2)
    expected = planes(function(Jet(c)), 2)
    fortran = Jet(np.stack([plane.T for plane in c])).T
    strided = Jet(np.repeat(c, 2, axis=1))[::2]
    for x in (fortran, strided, Jet(np.copy(c[:, ::-1]))[::-1]):
        assert np.array_equal(planes(function(x), 2), expected)


@pytest.mark.parametrize(("function", "shape"), CASES)
def test_nested(function, shape):
    """f is linear near x: d²/dx² f(x³) is its derivative along 6x, d/dx [d/dy f(x·y) at y = 1] that along 1."""
    x = distinct(shape, 0)[0] + 10.0
    base = function(x**3)
    twice = dn.derivative(dn.derivative(lambda v: function(v**3)))(x)
    h = 2.0**-20  # f(x³ + h·6x) − f(x³) = h·(6x, rearranged) exactly, for nothing changes its place
    np.testing.assert_allclose(twice, (function(x**3 + h * 6 * x) - base) / h, rtol=1e-6, atol=1e-5)
    mixed = dn.derivative(lambda u: dn.derivative(lambda v: function(u * v))(np.ones(shape)))(x)
    np.testing.assert_allclose(mixed, (function(x + h) - function(x)) / h, rtol=1e-6, atol=1e-6)


SHAPED_BY_VALUES = ("unique", "union1d", "setdiff1d", "setxor1d", "nanmedian", "nanquantile", "nanpercentile")


@pytest.mark.parametrize(("function", "shape"), [c for c in CASES if not c.id.startswith(SHAPED_BY_VALUES)])
def test_a_traced_derivative_decides_anew_at_every_point(function, shape):
    derivative = dn.derivative(lambda x: function(x**2))
    fast = dn.jit(derivative)
    for x in (distinct(shape, 0, seed)[0] for seed in range(3)):
        np.testing.assert_allclose(fast(x), derivative(x), rtol=1e-14, atol=1e-14)
    tied = np.ones(shape)
    np.testing.assert_allclose(fast(tied), derivative(tied), rtol=1e-14, atol=1e-14)


# ── ties ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", [np.max, np.amax, np.nanmax, lambda x: np.quantile(x, 1.0),
                                      lambda x: -np.min(-x), lambda x: -np.nanmin(-x)])  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's quantile subtracts infinities
@pytest.mark.parametrize("value", [0.1, 1.7e308, 5e-324, np.inf])
def test_tied_entries_share_equally(function, value):
    c = coefficients((5,), 3)
    c[0] = [value, -1.0, value, 0.0, value]
    y = function(Jet(c))
    assert y.value == value  # to the last bit
    np.testing.assert_allclose(y.coeffs[1:], c[1:, [0, 2, 4]].mean(axis=1), rtol=1e-15, atol=1e-15)


def test_ties_agree_with_maximum():
    a, b = jet(2.0, order=2), jet(2.0, order=2) ** 2 / 2
    assert np.array_equal(np.max(np.stack([a, b])).coeffs, np.maximum(a, b).coeffs)
    assert np.array_equal(np.min(np.stack([a, b])).coeffs, np.minimum(a, b).coeffs)


def test_ties_at_an_order_statistic():
    c = coefficients((5,), 2)
    c[0] = [3.0, 2.0, 9.0, 2.0, 2.0]
    y = np.median(Jet(c))
    np.testing.assert_allclose(y.coeffs[1:], c[1:, [1, 3, 4]].mean(axis=1), rtol=1e-15)
    y = np.quantile(Jet(c), 0.65)  # 0.6 of the way from the third (2) to the fourth (3)
    np.testing.assert_allclose(y.coeffs[1:], 0.4 * c[1:, [1, 3, 4]].mean(axis=1) + 0.6 * c[1:, 0], rtol=1e-14)


def test_ties_in_nested_derivatives():
    """Both levels share: ∂²/∂x∂y of max(x·y, x²·y) at x = y = 1 is the mean of 1 and 2."""
    f = dn.derivative(lambda x: dn.derivative(lambda y: np.max(np.stack([x * y, x**2 * y])))(1.0))
    assert f(1.0) == 1.5


def test_a_sort_keeps_equal_entries_in_order():
    x = jet([1.0, 0.0, 1.0, 0.0], order=1, direction=[1.0, 2.0, 3.0, 4.0])
    assert np.array_equal(np.sort(x).coeffs[1], [2.0, 4.0, 1.0, 3.0])
    many = jet(np.zeros(100), order=1, direction=np.arange(100.0))
    assert np.array_equal(np.sort(many, kind="quicksort").coeffs[1], np.arange(100.0))


# ── NaN, initial, where ──────────────────────────────────────────────────────────────────────────

HOLED = np.array([[3.0, np.nan, 1.0, 2.0], [5.0, 7.0, 6.0, 8.0], [np.nan] * 4])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [
    np.max, np.min, np.nanmax, np.nanmin, np.median, np.nanmedian, np.ptp, np.sort,
    lambda x, axis: np.quantile(x, [0.2, 1.0], axis), lambda x, axis: np.nanquantile(x, [0.2, 1.0], axis),
    lambda x, axis: np.percentile(x, 30, axis), lambda x, axis: np.nanpercentile(x, 30, axis, method="hazen"),
])  # fmt: skip
@pytest.mark.parametrize("axis", [0, 1])
def test_nan_goes_where_numpy_has_it(function, axis):
    y = function(jet(HOLED, order=2, direction=np.arange(12.0).reshape(3, 4)), axis=axis)
    np.testing.assert_array_equal(y.value, function(HOLED, axis=axis))
    assert np.array_equal(y.coeffs[2], np.zeros_like(y.value))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_functions_that_leave_nan_out():
    x = jet(HOLED, order=1, direction=np.arange(12.0).reshape(3, 4))
    assert np.array_equal(np.nanmax(x, axis=1).coeffs[1][:2], [0.0, 7.0])
    assert np.array_equal(np.nanmin(x, axis=1).coeffs[1][:2], [2.0, 4.0])
    assert np.array_equal(np.nanmedian(x, axis=1).coeffs[1][:2], [3.0, 5.5])
    np.testing.assert_allclose(np.nanquantile(x, 0.25, axis=1).coeffs[1][:2], [2.5, 0.25 * 4 + 0.75 * 6], rtol=1e-15)


def test_initial_is_one_more_entry():
    x = jet([1.0, 3.0, 3.0], order=1)
    assert np.max(x, initial=2.0).coeffs[1] == 1.0
    assert np.max(x, initial=3.0).coeffs[1] == pytest.approx(2 / 3)  # a constant among three
    assert np.max(x, initial=4.0).coeffs[1] == 0.0 and np.max(x, initial=4.0).value == 4.0
    assert np.max(x, initial=np.inf).value == np.inf
    assert np.min(x, initial=1.0).coeffs[1] == 0.5
    rising = jet(2.0, order=1, direction=5.0)
    assert np.max(jet([1.0, 1.5], order=1), initial=rising).coeffs[1] == 5.0
    assert np.max(jet([1.0, 2.5], order=1), initial=rising).coeffs[1] == 1.0
    assert np.max(np.zeros((0,)) * jet(1.0, order=1), initial=rising).coeffs[1] == 5.0


def test_where_leaves_entries_out():
    x = jet([[1.0, 9.0, 3.0]], order=1, direction=[[1.0, 2.0, 3.0]])
    where = [[True, False, True]]
    assert np.max(x, axis=1, where=where, initial=0.0).coeffs[1] == [3.0]
    assert np.max(x, where=np.array(where), initial=0.0).coeffs[1] == 3.0
    assert np.nanmin(x, where=[False, False, True], initial=10.0).coeffs[1] == 3.0
    assert np.max(x, where=False, initial=-7.0).value == -7.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_the_value_is_numpys_to_the_last_bit_and_of_its_type(dtype):
    rng = np.random.default_rng(7)
    for _ in range(20):
        v = np.round(rng.normal(size=(4, 5)), 1).astype(dtype)  # with ties
        x = jet(v, order=1)
        for f in (
            np.max, np.min, np.ptp, np.median, np.nanmedian, lambda a: np.median(a, axis=1),
            lambda a: np.quantile(a, [0.1, 1 / 3, 0.77]), lambda a: np.percentile(a, 12.5, axis=0),
        ):  # fmt: skip
            y, plain = f(x), f(v)
            assert y.dtype == plain.dtype
            np.testing.assert_array_equal(y.value, plain)


def test_complex_entries_are_ordered_as_numpy_does():
    v = np.array([1 + 2j, 1 + 1j, 0 + 5j])
    x = jet(v, order=1, direction=[1.0, 2.0, 3.0])
    for function in (np.max, np.min, np.median, np.sort, np.sort_complex):
        assert np.array_equal(function(x).value, function(v))
    assert np.array_equal(np.sort(x).coeffs[1], [3.0, 2.0, 1.0])
    assert np.sort_complex(jet(np.float32([2.0, 1.0]), 1)).dtype == np.complex64


# ── positions, counts and decisions ──────────────────────────────────────────────────────────────

V = np.array([[3.0, 0.0, 2.0], [0.0, 5.0, 2.0]])
W = np.array([1.0, 2.5, 4.0])

ON_VALUES = [
    np.argsort, np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.nonzero, np.flatnonzero, np.argwhere,
    np.any, np.all, np.count_nonzero, np.isreal,
    lambda x: np.argsort(x, axis=0, kind="stable"), lambda x: np.argmax(x, axis=1, keepdims=True),
    lambda x: np.argpartition(x, 1), lambda x: np.lexsort((x[0], x[1])), lambda x: np.lexsort(x),
    lambda x: np.searchsorted(W, x), lambda x: np.searchsorted(x[0] * 0 + W, 2.0, side="right"),
    lambda x: np.digitize(x, W), lambda x: np.count_nonzero(x, axis=0, keepdims=True),
    lambda x: np.any(x, axis=1), lambda x: np.all(x, axis=(0, 1), keepdims=True),
    lambda x: np.isclose(x, V + 1e-12), lambda x: np.allclose(V, x, atol=1e-3), lambda x: np.array_equal(x, V),
    lambda x: np.array_equiv(x, V[:1]), lambda x: np.isin(x, [2.0, 3.0]), lambda x: np.isin(W, x, invert=True),
    lambda x: np.where(x), lambda x: np.histogram(x, bins=4)[0], lambda x: np.histogram(W, bins=np.sort(x[0]))[0],
    lambda x: np.histogram2d(x[0], x[1], bins=(2, 3), range=[[0, 5], [0, 6]])[0],
    lambda x: np.histogramdd(x.T, bins=3, range=[[0, 5]] * 2)[0],
    lambda x: np.histogram(x, 3, (0, 9), weights=V)[0], lambda x: np.histogram(x, 3, (0, 6), density=True),
    np.isposinf, np.isneginf, lambda x: x.argmax(), lambda x: x.any(), lambda x: x.nonzero(),
]  # fmt: skip


@pytest.mark.parametrize("function", ON_VALUES, ids=range(len(ON_VALUES)))
def test_results_that_are_constant_are_plain(function):
    expected = function(V)
    x = jet(V, order=2)
    nested = []
    dn.derivative(lambda a: nested.append(function(a + jet(0.0))) or a)(V)
    for found in (function(x), nested[0]):
        assert not isinstance(found, Jet)
        for a, b in zip(found if isinstance(found, tuple) else [found],
                        expected if isinstance(expected, tuple) else [expected], strict=True):  # fmt: skip
            assert not isinstance(a, Jet)
            assert np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype


def test_unique_takes_the_first_occurrence():
    v = np.array([2.0, 1.0, 2.0, 1.0, 3.0])
    x = jet(v, order=1, direction=np.arange(5.0))
    y, index, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert np.array_equal(y.coeffs, [[1.0, 2.0, 3.0], [1.0, 0.0, 4.0]])
    for a, b in zip((index, inverse, counts), np.unique(v, True, True, True)[1:], strict=True):
        assert np.array_equal(a, b)
    entries, counts = np.unique(x, return_counts=True)
    assert entries.shape == (3,) and np.array_equal(counts, [2, 2, 1])
    for function in (np.unique_all, np.unique_counts, np.unique_inverse):
        found, plain = function(x), function(v)
        assert found._fields == plain._fields and np.array_equal(found.values.coeffs, y.coeffs)
        assert all(np.array_equal(a, b) for a, b in zip(found[1:], plain[1:], strict=True))
    assert np.array_equal(np.unique_values(x).coeffs, y.coeffs)


def test_set_functions_take_entries_of_the_first():
    a = jet([1.0, 2.0, 3.0], order=1)
    b = jet([3.0, 1.0, 4.0], order=1, direction=10.0)
    assert np.array_equal(np.intersect1d(a, b).coeffs, [[1.0, 3.0], [1.0, 1.0]])
    common, i, j = np.intersect1d(a, b, return_indices=True)
    assert np.array_equal(i, [0, 2]) and np.array_equal(j, [1, 0]) and common.shape == (2,)
    assert np.array_equal(np.setdiff1d(a, b).coeffs, [[2.0], [1.0]])
    assert np.array_equal(np.setxor1d(a, b).coeffs, [[2.0, 4.0], [1.0, 10.0]])
    assert np.array_equal(np.union1d(a, b).coeffs, [[1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 10.0]])
    assert np.array_equal(np.setdiff1d(np.array([5.0, 1.0]), a), [5.0])


def test_edges_that_follow_a_list_of_samples():
    a, b = jet([0.0, 1.0, 2.0], 1), jet([0.0, 1.0, 3.0], 1)
    for samples in ([a, b], (a, b.value), np.stack([a, b], axis=1)):
        density, (first, second) = np.histogramdd(samples, bins=2, density=True)
        expected, _ = np.histogramdd((a.value, b.value), bins=2, density=True)
        np.testing.assert_allclose(density.value, expected)
        np.testing.assert_array_equal(first.coeffs, [[0, 1, 2], [1, 1, 1]])  # as far apart as before
        np.testing.assert_allclose(density.derivative(1), 0, atol=1e-16)
        if isinstance(second, dn.Jet):
            np.testing.assert_array_equal(second.coeffs, [[0, 1.5, 3], [1, 1, 1]])
        counts, _ = np.histogramdd(samples, bins=2, range=[[0, 4]] * 2)
        np.testing.assert_array_equal(counts, [[2, 0], [0, 1]])


def test_histograms_are_linear_in_the_weights():
    x, w = np.array([0.1, 0.4, 0.45, 0.9]), jet([1.0, 2.0, 3.0, 4.0], order=2) ** 2
    counts, edges = np.histogram(x, bins=2, range=(0, 1), weights=w)
    assert np.array_equal(edges, [0.0, 0.5, 1.0]) and not isinstance(edges, Jet)
    assert np.array_equal(counts.coeffs, [[14.0, 16.0], [12.0, 8.0], [3.0, 1.0]])
    counts, *_ = np.histogram2d(x, x, bins=2, range=[[0, 1], [0, 1]], weights=w)
    assert np.array_equal(counts.coeffs[1], [[12.0, 0.0], [0.0, 8.0]])
    counts, edges = np.histogramdd(x[:, None], bins=[np.array([0.0, 0.5, 1.0])], weights=w)
    assert np.array_equal(counts.coeffs[1], [12.0, 8.0]) and len(edges) == 1
    counts = np.bincount([0, 0, 2, 0], weights=w, minlength=4)
    assert np.array_equal(counts.coeffs[1], [2 + 4 + 8, 0.0, 6.0, 0.0])
    second = dn.derivative(dn.derivative(lambda v: np.histogram(x, 2, (0, 1), weights=v**3)[0]))
    assert np.array_equal(second(np.array([1.0, 2.0, 3.0, 4.0])), [36.0, 24.0])


def test_edges_that_follow_the_data_move_with_its_extremes():
    x = jet([1.0, 4.0, 2.0, 9.0], order=2) ** 2  # from 1 + 2t + t² to 81 + 18t + t²
    counts, edges = np.histogram(x, bins=4)
    assert np.array_equal(counts, [3, 0, 0, 1]) and not isinstance(counts, Jet)
    for found in (edges, np.histogram_bin_edges(x, 4)):
        assert np.array_equal(found.value, np.histogram_bin_edges(x.value, 4))
        np.testing.assert_allclose(found.coeffs[1:], [np.linspace(2, 18, 5), np.ones(5)], rtol=1e-15)
    assert np.array_equal(np.histogram_bin_edges(x, 2, range=(0, 4)), [0.0, 2.0, 4.0])


def test_methods_of_the_jet():
    x = jet([[3.0, 1.0], [2.0, 4.0]], order=1, direction=[[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(x.max(0).coeffs[1], [1.0, 4.0])
    assert np.array_equal(x.min(axis=1, keepdims=True).coeffs[1], [[2.0], [3.0]])
    assert x.ptp().coeffs[1] == 2.0
    x.sort(axis=0)
    assert np.array_equal(x.coeffs[1], [[3.0, 2.0], [1.0, 4.0]])


# ── what is refused ──────────────────────────────────────────────────────────────────────────────

X = jet([3.0, 1.0, 2.0], order=1)

REFUSED = [
    ("order= names fields", TypeError, lambda: np.sort(X, order="a")),
    ("order= names fields", TypeError, lambda: np.partition(X, 1, order="a")),
    ("q carries derivatives", NotImplementedError, lambda: np.quantile(W, jet(0.5))),
    ("q carries derivatives", NotImplementedError, lambda: np.percentile(X, X)),
    ("weights= has no rule", NotImplementedError, lambda: np.quantile(X, 0.5, weights=W, method="inverted_cdf")),
    ("x carries derivatives", TypeError, lambda: np.bincount(X)),
    ("out= is a jet", TypeError, lambda: np.argmax(X, out=np.zeros_like(X, shape=()))),
    ("out= of type ndarray", TypeError, lambda: np.max(X, out=np.zeros(()))),
    ("zero-size array", ValueError, lambda: np.max(X[:0])),
    ("axis 3", ValueError, lambda: np.max(X, axis=3)),
    ("Quantiles must be in the range", ValueError, lambda: np.quantile(X, 1.5)),
    ("Percentiles must be in the range", ValueError, lambda: np.percentile(X, -1)),
    ("method", ValueError, lambda: np.quantile(X, 0.5, method="best")),
    ("kth", ValueError, lambda: np.partition(X, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("words", "kind", "call"), REFUSED, ids=range(len(REFUSED)))
def test_refused(words, kind, call):
    with pytest.raises(kind, match=re.escape(words)) as caught:
        call()
    assert isinstance(caught.value, DualnumError)


def test_empty_lines_have_no_median():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = np.median(np.zeros_like(X, shape=(2, 0)), axis=1)
    assert np.isnan(y.value).all() and not np.any(y.coeffs[1])
