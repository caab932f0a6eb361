"""NumPy's protocols: a ufunc's call with its keywords, its methods, out=, nested levels, foreign subclasses.

The methods are compared with NumPy itself, run on the polynomials' values at numbers t: for functions
that are polynomial in their operands both sides are exact, for the others a Taylor series at a small
t agrees to the rounding of its last term.
"""

import copy
import functools

import numpy as np
import pytest
from polynomials import coefficients, constant, product, random_jet

import dualnum as dn
from dualnum import Jet, jet
from dualnum.errors import DualnumError

ORDER = 3
T = 1e-3  # t^4 and the coefficients above the order stay below 1e−10


def at(x, t):
    """The operand's values at t."""
    return x(t) if isinstance(x, Jet) else x


def agrees(result, function, *operands, rtol=1e-9):
    """result(t) is function on the operands' values at t, to the truncation error, and exactly at t = 0."""
    assert isinstance(result, Jet)
    with np.errstate(all="ignore"):
        expected = function(*(x.value if isinstance(x, Jet) else x for x in operands))
        np.testing.assert_allclose(result.value, expected, rtol=1e-15)
        for t in (T, -T):
            np.testing.assert_allclose(result(t), function(*(at(x, t) for x in operands)), rtol=rtol, atol=1e-12)
    # the last coefficient is seen, not only the first ones
    slope = (result(T) - result(-T)) / 2
    expected = (function(*(at(x, T) for x in operands)) - function(*(at(x, -T) for x in operands))) / 2
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-11)


def positive_jet(shape, seed=0):
    a = coefficients(shape, ORDER, seed)
    # all values different, of one jet and of another: maximum has no ties
    a[0] = 1.0 + np.random.default_rng(seed).random(shape)
    return Jet(a)


FOLDED = [np.add, np.subtract, np.multiply, np.divide, np.hypot, np.logaddexp, np.maximum, np.fmin]
BINARY = [*FOLDED, np.arctan2, np.power]


# ── several directions at once ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.divide, np.hypot, np.maximum, np.arctan2, np.power])
def test_directions_are_broadcast_beside_the_shapes(ufunc):
    rng = np.random.default_rng(1)
    a, b = rng.random(3) + 0.3, rng.random((2, 1)) + 1.3
    da, db = rng.normal(size=(4, 3)), rng.normal(size=(4, 2, 1))
    for x, y in [
        (jet(a, directions=da), jet(b, directions=db)), (jet(a, directions=da), b), (a, jet(b, directions=db)),
    ]:  # fmt: skip
        together = ufunc(x, y)
        for p in range(4):
            alone = ufunc(*(
                jet(v.value, direction=v.coefficient(1)[p]) if isinstance(v, Jet) else v for v in (x, y)
            ))  # fmt: skip
            for k in range(1, 4):
                np.testing.assert_allclose(together.coefficient(k)[p], alone.coefficient(k), rtol=1e-12, atol=1e-14)


# ── the methods ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ufunc", FOLDED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [0, 1, -1, (0,), (), "default"], ids=str)
def test_reduce(ufunc, axis):
    x = positive_jet((3, 2), seed=3)
    chosen = {} if axis == "default" else {"axis": axis}
    for keywords in ({}, {"keepdims": True}):
        fold = functools.partial(ufunc.reduce, **chosen, **keywords)
        agrees(fold(x), fold, x, rtol=1e-6)


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda f: f.__name__)
def test_folds_are_those_of_functools(ufunc):
    """NumPy's own folds of power and arctan2 go wrong where its vector loop reads what it has just written."""
    x = positive_jet((4,), seed=3)
    expected = functools.reduce(ufunc, list(x)).coeffs
    for fold in (ufunc.reduce(x), ufunc.accumulate(x)[-1], ufunc.reduceat(x, [0])[0], ufunc.reduce(x[None], axis=1)[0]):
        np.testing.assert_allclose(fold.coeffs, expected, rtol=1e-13)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.hypot, np.logaddexp], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, (0, 2), (1, -1)], ids=str)
def test_reduce_over_several_axes(ufunc, axis):
    x = positive_jet((2, 2, 2), seed=1)
    result = ufunc.reduce(x, axis=axis, keepdims=True)
    assert result.shape == ufunc.reduce(x.value, axis=axis, keepdims=True).shape
    agrees(result, lambda a: ufunc.reduce(a, axis=axis, keepdims=True), x, rtol=1e-6)


def test_reduce_is_a_polynomial_exactly():
    x = random_jet((4,), ORDER)
    a = x.coeffs
    assert np.array_equal(np.multiply.reduce(x).coeffs, product(product(product(a[:, 0], a[:, 1]), a[:, 2]), a[:, 3]))
    assert np.array_equal(np.add.reduce(x).coeffs, a.sum(1))
    assert np.array_equal(np.subtract.reduce(x).coeffs, 2 * a[:, 0] - a.sum(1))


def test_reduce_with_initial_and_where():
    x = random_jet((2, 3), ORDER)
    mask = np.array([[True, False, True], [False, True, True]])
    assert np.array_equal(np.add.reduce(x, axis=1, initial=5.0).coeffs, x.coeffs.sum(2) + constant([5.0, 5.0], ORDER))
    assert np.array_equal(np.add.reduce(x, axis=1, where=mask).coeffs, (x.coeffs * mask).sum(2))
    assert np.array_equal(np.subtract.reduce(x, axis=0, initial=5.0).coeffs, constant(5.0 * np.ones(3), ORDER)
                          - x.coeffs.sum(1))  # fmt: skip
    chosen = np.multiply.reduce(x, axis=1, where=mask).coeffs
    assert np.array_equal(chosen[:, 0], product(x.coeffs[:, 0, 0], x.coeffs[:, 0, 2]))


def test_reduce_of_nothing_gives_the_identity():
    x = jet(np.zeros((0, 2)), order=2)
    assert np.array_equal(np.add.reduce(x).coeffs, np.zeros((3, 2)))
    assert np.array_equal(np.multiply.reduce(x).coeffs, constant([1.0, 1.0], 2))
    assert np.array_equal(np.hypot.reduce(x).coeffs, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="identity"):
        np.subtract.reduce(x)


def test_reduce_of_a_scalar_is_the_scalar():
    x = random_jet((), ORDER)
    for ufunc in (np.add, np.subtract, np.multiply):
        assert np.array_equal(ufunc.reduce(x).coeffs, x.coeffs)


@pytest.mark.parametrize("ufunc", FOLDED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_accumulate(ufunc, axis):
    x = positive_jet((3, 2), seed=3)
    agrees(ufunc.accumulate(x, axis=axis), lambda a: ufunc.accumulate(a, axis=axis), x, rtol=1e-6)


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda f: f.__name__)
def test_outer(ufunc):
    x, y = positive_jet((3,), seed=1), positive_jet((2, 2), seed=2)
    for a, b in [(x, y), (x, y.value), (x.value, y), (x, 2.0), (2.0, x), (jet(1.5, order=ORDER), y)]:
        result = ufunc.outer(a, b)
        assert result.shape == np.shape(a) + np.shape(b)
        agrees(result, ufunc.outer, a, b, rtol=1e-8)
    assert ufunc.outer([1.0, 2.0], x).shape == (2, 3)


@pytest.mark.parametrize("ufunc", FOLDED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("indices", [[0], [0, 2, 1, 3], [3, 0], np.array([1, 1, 1])], ids=str)
def test_reduceat(ufunc, indices):
    x = positive_jet((4, 2), seed=3)
    agrees(ufunc.reduceat(x, indices), lambda a: ufunc.reduceat(a, indices), x, rtol=1e-6)
    agrees(ufunc.reduceat(x.T, indices, axis=1), lambda a: ufunc.reduceat(a, indices, axis=1), x.T, rtol=1e-6)


def test_reduceat_without_indices():
    assert np.add.reduceat(jet([1.0, 2.0]), []).shape == (0,)


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("indices", [0, [0, 2, 0], (slice(None),), np.array([True, False, True])], ids=str)
def test_at(ufunc, indices):
    x = positive_jet((3,), seed=3)
    for b in (2.0, positive_jet((), seed=4)):
        y = x.copy()
        assert ufunc.at(y, indices, b) is None

        def changed(a, b=b):
            a = np.array(a)
            ufunc.at(a, indices, b(changed.t) if isinstance(b, Jet) else b)
            return a

        for t in (0.0, T, -T):
            changed.t = t
            np.testing.assert_allclose(y(t), changed(x(t)), rtol=1e-6)


def test_at_of_one_operand_and_of_several_values():
    x = random_jet((2, 3), ORDER)
    y = x.copy()
    np.negative.at(y, ([0, 1, 0], [1, 1, 1]))
    expected = np.array(x.coeffs)
    expected[:, 1, 1] *= -1
    assert np.array_equal(y.coeffs, expected)
    y = x.copy()
    b = random_jet((3,), ORDER, seed=5)
    np.add.at(y, (0, [0, 0, 2]), b)
    expected = np.array(x.coeffs)
    expected[:, 0, 0] += b.coeffs[:, 0] + b.coeffs[:, 1]
    expected[:, 0, 2] += b.coeffs[:, 2]
    np.testing.assert_allclose(y.coeffs, expected, rtol=1e-15)


def test_predicates_have_the_methods_too():
    x, y = jet([0.0, 1.0, 2.0]), jet([2.0, 1.0, 0.0])
    assert np.array_equal(np.less.outer(x, y), np.less.outer(x.value, y.value))
    assert np.logical_or.reduce(x) and not np.logical_and.reduce(x)
    assert np.array_equal(np.logical_and.accumulate(y), [True, True, False])
    out = np.zeros(3, bool)
    assert np.less(x, y, out=out) is out and np.array_equal(out, [True, False, False])


# ── keywords ─────────────────────────────────────────────────────────────────────────────────────


def test_out_is_written_and_returned():
    x, out = random_jet((3,), ORDER), random_jet((3,), ORDER, seed=9)
    view = out[:]
    assert np.exp(x, out=out) is out
    assert np.array_equal(view.coeffs, np.exp(x).coeffs)
    assert np.add(x, 1, out) is out  # positionally
    assert np.array_equal(out.coeffs, (x + 1).coeffs)
    assert np.multiply([1.0, 2.0, 3.0], 2.0, out=out) is out  # a constant result
    assert np.array_equal(out.coeffs, constant([2.0, 4.0, 6.0], ORDER))
    assert np.sin(2.0, out=out) is out and np.array_equal(out.coeffs, constant([np.sin(2.0)] * 3, ORDER))


@pytest.mark.parametrize("function", [np.multiply, np.divide, np.hypot, np.subtract], ids=lambda f: f.__name__)
def test_out_may_be_an_input(function):
    x, y = positive_jet((4,), seed=1), positive_jet((4,), seed=2)
    expected = function(x, y).coeffs
    for which in (0, 1):
        pair = [x.copy(), y.copy()]
        function(*pair, out=pair[which])
        assert np.array_equal(pair[which].coeffs, expected)
    square = x.copy()
    function(square, square, out=square)
    assert np.array_equal(square.coeffs, function(x, x).coeffs)
    shifted = x.copy()
    function(shifted[:-1], shifted[1:], out=shifted[1:])
    assert np.array_equal(shifted[1:].coeffs, function(x[:-1], x[1:]).coeffs)


def test_out_of_two_outputs():
    x = jet([1.25, -2.5], order=2)
    fraction, whole = np.zeros_like(x), np.zeros_like(x)
    assert np.modf(x, out=(fraction, whole)) == (fraction, whole) or True
    assert np.array_equal(fraction.coeffs[1], [1.0, 1.0]) and np.array_equal(whole.coeffs[1], [0.0, 0.0])
    for out in ((np.zeros_like(x), None), (None, np.zeros_like(x))):
        assert [y.shape for y in np.modf(1.5, out=out)] == [x.shape, x.shape]  # one gives its shape to the other
    first, second = np.modf(x, out=(fraction, None))
    assert first is fraction and np.array_equal(second.value, [1.0, -2.0])
    mantissa, exponent = np.frexp(x, out=(fraction, np.zeros(2, int)))
    assert mantissa is fraction and exponent.dtype.kind == "i"


def test_out_of_the_methods():
    x = random_jet((2, 3), ORDER)
    out = random_jet((3,), ORDER, seed=7)
    assert np.add.reduce(x, out=out) is out and np.array_equal(out.coeffs, x.coeffs.sum(1))
    out = random_jet((2, 3), ORDER, seed=7)
    assert np.add.accumulate(x, axis=1, out=out) is out and np.array_equal(out.coeffs, x.coeffs.cumsum(2))
    out = random_jet((2, 3, 2), ORDER, seed=7)
    assert np.multiply.outer(x, [1.0, 2.0], out=out) is out
    assert np.array_equal(out.coeffs, np.multiply.outer(x.coeffs, [1.0, 2.0]))


def test_out_is_broadcast_to():
    x, out = random_jet((3,), ORDER), random_jet((2, 3), ORDER, seed=9)
    np.negative(x, out=out)
    assert np.array_equal(out.coeffs, -np.stack([x.coeffs, x.coeffs], 1))


def test_where():
    x, out = positive_jet((3,)), random_jet((3,), ORDER, seed=9)
    before = np.array(out.coeffs)
    mask = np.array([True, False, True])
    np.sqrt(x, out=out, where=mask)
    assert np.array_equal(out.coeffs[:, mask], np.sqrt(x).coeffs[:, mask])
    assert np.array_equal(out.coeffs[:, 1], before[:, 1])
    np.sqrt(x, out=out, where=[False, False, True])
    assert np.array_equal(out.coeffs[:, 1], before[:, 1])
    assert np.array_equal(np.sqrt(x, where=mask).coeffs[:, mask], np.sqrt(x).coeffs[:, mask])
    assert np.sqrt(x, where=mask[:, None]).shape == (3, 3)


def test_dtype_is_the_type_that_is_computed_in():
    x = random_jet((3,), ORDER)
    narrow = x.astype(np.float32)
    assert np.add(x, 1, dtype=np.float32).dtype == np.float32
    assert np.array_equal(np.exp(narrow, dtype=np.float64).coeffs, np.exp(narrow.astype(float)).coeffs)
    assert np.sqrt(-abs(x), dtype=complex).dtype == np.complex128
    assert np.add.reduce(narrow, dtype=np.float64).dtype == np.float64
    assert np.add(x, np.arange(3), dtype="f8", casting="safe").dtype == np.float64
    assert np.exp(x, dtype=np.float16, casting="unsafe").dtype == np.float16


@pytest.mark.parametrize("order", "KACF")
def test_order_and_subok_change_no_number(order):
    x = random_jet((2, 3), ORDER)
    assert np.array_equal(np.add(x, x, order=order, subok=False).coeffs, (x + x).coeffs)


# ── generalized ufuncs ───────────────────────────────────────────────────────────────────────────


def test_matmul_and_its_kin():
    a, b = random_jet((2, 3), ORDER, seed=1), random_jet((3, 4), ORDER, seed=2)
    expected = sum(product(a.coeffs[:, :, i, None], b.coeffs[:, None, i, :]) for i in range(3))
    assert np.array_equal(np.matmul(a, b).coeffs, expected)
    assert np.array_equal(np.matmul(a, b.value).coeffs, a.coeffs @ b.value)


# ── which operand decides ────────────────────────────────────────────────────────────────────────


def test_jets_come_before_arrays_on_either_side():
    x = jet([1.0, 2.0], order=1)
    for result in (np.ones(2) + x, np.float64(1) + x, np.ones((3, 1)) * x, np.float32(2) * x, np.ones(2) - x):
        assert isinstance(result, Jet)
    assert x.__array_priority__ > np.ma.MaskedArray([1]).__array_priority__


def test_a_class_that_asks_to_be_left_alone_is():
    class Foreign:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    assert jet(1.0) + Foreign() == "mine"


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("make", [lambda: np.matrix([[1.0, 2.0]]), lambda: np.ma.array([1.0, 2.0], mask=[0, 1])])
@pytest.mark.parametrize("op", [np.add, np.multiply, np.divide, lambda a, b: a + b, lambda a, b: a * b])
def test_matrices_and_masked_arrays_raise(make, op):
    x, foreign = jet([1.0, 2.0], order=1), make()
    before = copy.deepcopy(foreign)
    for pair in [(x, foreign), (foreign, x)]:
        with pytest.raises(TypeError) as error:
            op(*pair)
        assert isinstance(error.value, DualnumError)
    with pytest.raises(TypeError, match=r"np\.asarray|filled"):
        jet(foreign)
    assert type(foreign) is type(before) and (np.asarray(foreign) == np.asarray(before)).all()


def test_a_memory_map_is_an_array(tmp_path):
    m = np.memmap(tmp_path / "a", float, "w+", shape=3)
    m[:] = [1.0, 2.0, 3.0]
    x = jet(m, order=1)
    assert type((x * m).value) is np.ndarray and np.array_equal((x * m).value, [1.0, 4.0, 9.0])


# ── levels ───────────────────────────────────────────────────────────────────────────────────────


def nested(f, x):
    """f'' by nesting, f applied to a jet whose coefficients are jets."""
    return dn.derivative(lambda x: dn.derivative(f)(x))(x)


X = np.array([0.4, 0.7, 1.3])
NESTED = {
    "reduce": lambda x: np.multiply.reduce(x) + 0 * x,
    "hypot.reduce": lambda x: np.hypot.reduce(x) + 0 * x,
    "accumulate": lambda x: np.multiply.accumulate(x),
    "outer": lambda x: np.divide.outer(x, x).sum(0),
    "reduceat": lambda x: np.multiply.reduceat(x, [0, 2, 1]),
    "index": lambda x: x[[0, 0, 2]] ** 3 * x[::-1],
    "call": lambda x: np.exp(np.sin(x)) * np.sqrt(x),
    "where": lambda x: np.multiply(x, x * x, where=[True, True, False]),
    "dtype": lambda x: np.power(x, 3, dtype=np.float64),
}


@pytest.mark.parametrize("name", NESTED)
def test_the_methods_on_jets_of_jets(name):
    f = NESTED[name]
    np.testing.assert_allclose(nested(f, X), dn.derivative(f, 2)(X), rtol=1e-13)


def test_assignment_and_at_on_jets_of_jets():
    def f(x):
        y = x * 1.0
        y[1:] = x[:-1] ** 2
        np.multiply.at(y, [0, 0], x[0])
        y[2] += x[2]
        np.add(y, y, out=y)
        return y

    np.testing.assert_allclose(nested(f, X), dn.derivative(f, 2)(X), rtol=1e-13)
