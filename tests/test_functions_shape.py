"""Functions that move entries about: every coefficient plane is what NumPy does to a plain array.

A case is a function of arrays, each of them varying (a shape) or constant (an array). It must be
linear in all of them together, so plane k of the result is the function of the planes k, with zeros
in place of the constants for k ≥ 1. NumPy on plain arrays is the reference.
"""

import re

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from polynomials import coefficients

import dualnum as dn
from dualnum import Jet, jet
from dualnum.errors import DualnumError

C23 = np.arange(1.0, 7.0).reshape(2, 3)
C3 = np.array([10.0, 20.0, 30.0])
MASK = np.array([[True, False, True], [False, True, True]])
INDEX = np.array([[2, 0, 1], [1, 1, 0]])


def case(name, function, *arguments):
    return pytest.param(function, arguments, id=name)


def filled(x, value):
    x = np.copy(x)
    np.fill_diagonal(x, value)
    return x


def written(function, *arguments):
    """The array that an in-place function leaves behind."""

    def write(x, *values):
        x = np.copy(x)
        function(x, *arguments, *values)
        return x

    return write


SHAPE = [
    case("reshape", lambda x: np.reshape(x, (3, 2)), (2, 3)),
    case("reshape -1", lambda x: np.reshape(x, (-1, 2, 1)), (2, 3)),
    case("reshape int", lambda x: np.reshape(x, 6), (2, 3)),
    case("reshape F", lambda x: np.reshape(x, (3, 2), order="F"), (2, 3)),
    case("reshape F 3d", lambda x: np.reshape(x, (4, -1), order="F"), (2, 3, 4)),
    case("reshape 0-d", lambda x: np.reshape(x, (1, 1)), ()),
    case("reshape empty", lambda x: np.reshape(x, (0, 5)), (3, 0)),
    case("reshape to 0-d", lambda x: np.reshape(x, ()), (1, 1)),
    case("reshape keyword", lambda x: np.reshape(x, shape=(3, 2)), (2, 3)),
    case("reshape copy", lambda x: np.reshape(x, (3, 2), copy=True), (2, 3)),
    case("method reshape", lambda x: x.reshape(3, 2), (2, 3)),
    case("ravel", np.ravel, (2, 3)),
    case("ravel F", lambda x: np.ravel(x, "F"), (2, 3)),
    case("ravel 0-d", np.ravel, ()),
    case("method flatten", lambda x: x.flatten(), (2, 3)),
    case("transpose", np.transpose, (2, 3, 4)),
    case("transpose axes", lambda x: np.transpose(x, (1, -1, 0)), (2, 3, 4)),
    case("permute_dims", lambda x: np.permute_dims(x, (2, 0, 1)), (2, 3, 4)),
    case("swapaxes", lambda x: np.swapaxes(x, 0, -1), (2, 3, 4)),
    case("moveaxis", lambda x: np.moveaxis(x, 0, -1), (2, 3, 4)),
    case("moveaxis several", lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 4)),
    case("rollaxis", lambda x: np.rollaxis(x, 2), (2, 3, 4)),
    case("rollaxis start", lambda x: np.rollaxis(x, 0, 2), (2, 3, 4)),
    case("rollaxis equal lengths", lambda x: np.rollaxis(x, 2, 1), (3, 3, 3)),
    case("matrix_transpose", np.matrix_transpose, (2, 3, 4)),
    case("linalg.matrix_transpose", np.linalg.matrix_transpose, (2, 3)),
    case("property mT", lambda x: x.mT, (2, 3)),
    case("property T", lambda x: x.T, (2, 3)),
    case("squeeze", np.squeeze, (1, 3, 1)),
    case("squeeze axis", lambda x: np.squeeze(x, -1), (1, 3, 1)),
    case("squeeze axes", lambda x: np.squeeze(x, (0, 2)), (1, 3, 1)),
    case("expand_dims", lambda x: np.expand_dims(x, 0), (2, 3)),
    case("expand_dims axes", lambda x: np.expand_dims(x, (0, -1)), (2, 3)),
    case("expand_dims 0-d", lambda x: np.expand_dims(x, 0), ()),
    case("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)), (2, 3)),
    case("broadcast_to inner", lambda x: np.broadcast_to(x, (2, 3)), (2, 1)),
    case("broadcast_to 0-d", lambda x: np.broadcast_to(x, 3), ()),
    case("broadcast_arrays", lambda x, c: np.broadcast_arrays(x, c), (2, 1), C3),
    case("broadcast_arrays scalar", lambda x, c: np.broadcast_arrays(c, x), (2, 1), 2.0),
    case("atleast_1d", np.atleast_1d, ()),
    case("atleast_2d", np.atleast_2d, (3,)),
    case("atleast_3d", np.atleast_3d, (3,)),
    case("atleast_3d of 2-d", np.atleast_3d, (2, 3)),
    case("atleast_2d several", lambda x, c: np.atleast_2d(c, x), (), C3),
    case("sliding_window_view", lambda x: sliding_window_view(x, 3), (5,)),
    case("sliding_window_view axis", lambda x: sliding_window_view(x, 2, axis=1), (2, 4)),
    case("sliding_window_view all axes", lambda x: sliding_window_view(x, (2, 3)), (3, 4)),
    case("sliding_window_view twice", lambda x: sliding_window_view(x, (2, 2), axis=(-1, -1)), (2, 5)),
    case("meshgrid", lambda x, c: np.meshgrid(x, c), (2,), C3),
    case("meshgrid ij", lambda x, y, c: np.meshgrid(x, c, y, indexing="ij"), (2,), (4,), C3),
    case("meshgrid xy", lambda x, y, c: np.meshgrid(x, c, y), (2,), (4,), C3),
    case("meshgrid sparse", lambda x, y: np.meshgrid(x, y, sparse=True, copy=False), (2,), (3,)),
    case("concatenate", lambda x, y: np.concatenate((x, y)), (2, 3), (1, 3)),
    case("concatenate constant last", lambda x, c: np.concatenate((x, c), axis=1), (2, 2), C23),
    case("concatenate constant first", lambda x, c: np.concatenate((c, x), axis=-1), (2, 2), C23),
    case("concatenate flat", lambda x, c: np.concatenate((c, x), axis=None), (2, 2), C3),
    case("concatenate one array", np.concatenate, (2, 2, 3)),
    case("concatenate list", lambda x, c: np.concatenate(([1.0 * c, 2.0 * c], x)), (3,), 4.0),
    case("concat", lambda x, c: np.concat((x, c)), (3,), C3),
    case("stack", lambda x, c: np.stack((x, c)), (2, 3), C23),
    case("stack axis", lambda x, c: np.stack([c, x, x], axis=-1), (2, 3), C23),
    case("stack 0-d", lambda x, c: np.stack([c, x]), (), 3.0),
    case("hstack", lambda x, c: np.hstack((x, c)), (2, 1), C23),
    case("hstack 1-d", lambda x, c: np.hstack((c, x)), (2,), C3),
    case("vstack", lambda x, c: np.vstack((x, c)), (3,), C23),
    case("dstack", lambda x, c: np.dstack((c, x)), (2, 3), C23),
    case("column_stack", lambda x, c: np.column_stack((x, c)), (3,), C3),
    case("block", lambda x, y, c: np.block([[x, y], [c, x]]), (2, 3), (2, 3), C23),
    case("block 1-d", lambda x, c: np.block([x, c, 1.0 * c[0]]), (2,), C3),
    case("append", lambda x, c: np.append(x, c), (2, 3), C3),
    case("append axis", lambda x, c: np.append(c, x, axis=0), (1, 3), C23),
    case("tile", lambda x: np.tile(x, 2), (2, 3)),
    case("tile axes", lambda x: np.tile(x, (2, 1, 3)), (2, 3)),
    case("repeat", lambda x: np.repeat(x, 2), (2, 3)),
    case("repeat axis", lambda x: np.repeat(x, [1, 0, 2], axis=1), (2, 3)),
    case("method repeat", lambda x: x.repeat(3, axis=-1), (2, 3)),
    case("resize", lambda x: np.resize(x, (3, 4)), (2, 3)),
    case("split", lambda x: np.split(x, 2), (4, 3)),
    case("split indices", lambda x: np.split(x, [1, 3, 2, 9], axis=-1), (2, 5)),
    case("array_split", lambda x: np.array_split(x, 3, axis=1), (2, 5)),
    case("hsplit", lambda x: np.hsplit(x, 2), (2, 4)),
    case("hsplit 1-d", lambda x: np.hsplit(x, 2), (4,)),
    case("vsplit", lambda x: np.vsplit(x, [1]), (2, 4)),
    case("dsplit", lambda x: np.dsplit(x, 3), (1, 2, 3)),
    case("unstack", lambda x: np.unstack(x, axis=1), (2, 3)),
    case("flip", np.flip, (2, 3)),
    case("flip axis", lambda x: np.flip(x, -1), (2, 3)),
    case("flip axes", lambda x: np.flip(x, (0, 2)), (2, 3, 4)),
    case("fliplr", np.fliplr, (2, 3)),
    case("flipud", np.flipud, (2, 3)),
    *(case(f"rot90 k={k}", lambda x, k=k: np.rot90(x, k), (2, 3)) for k in range(-2, 5)),
    case("rot90 axes", lambda x: np.rot90(x, 1, (1, 2)), (2, 3, 4)),
    case("rot90 axes reversed", lambda x: np.rot90(x, 3, (2, -3)), (2, 3, 4)),
    case("roll", lambda x: np.roll(x, 2), (2, 3)),
    case("roll axis", lambda x: np.roll(x, -1, axis=1), (2, 3)),
    case("roll axes", lambda x: np.roll(x, (1, 2), axis=(0, 1)), (2, 3)),
    case("fftshift", np.fft.fftshift, (2, 5)),
    case("fftshift axis", lambda x: np.fft.fftshift(x, axes=1), (2, 5)),
    case("ifftshift", np.fft.ifftshift, (3, 5)),
    case("delete", lambda x: np.delete(x, [1, 4]), (2, 3)),
    case("delete axis", lambda x: np.delete(x, slice(None, None, 2), axis=1), (2, 3)),
    case("insert", lambda x, c: np.insert(x, 1, c), (2, 3), 7.0),
    case("insert several", lambda x, c: np.insert(c, [0, 2, 2], x), (3,), C3),
    case("insert axis", lambda x, c: np.insert(x, 1, c, axis=0), (2, 3), C3),
    case("copy", np.copy, (2, 3)),
    case("astype", lambda x: np.astype(x, np.float64), (2, 3)),
]

PADDING = [
    case("pad", lambda x: np.pad(x, 1), (2, 3)),
    case("pad empty array", lambda x: np.pad(x, 1), (0,)),
    case("pad widths", lambda x: np.pad(x, ((1, 0), (2, 3))), (2, 3)),
    case("pad dict", lambda x: np.pad(x, {-1: (1, 2)}), (2, 3)),
    case("pad constant", lambda x, c: np.pad(x, (1, 2), constant_values=c), (2, 3), 5.0),
    case("pad constants", lambda x, c: np.pad(x, 2, constant_values=c), (2, 3), np.array([[1.0, 2.0], [3.0, 4.0]])),
    *(
        case(f"pad {mode}", lambda x, mode=mode: np.pad(x, ((1, 2), (0, 5)), mode), (2, 4))
        for mode in ("edge", "wrap", "reflect", "symmetric", "mean")
    ),
    case("pad reflect odd", lambda x: np.pad(x, 2, "reflect", reflect_type="odd"), (3, 4)),
    case("pad symmetric odd", lambda x: np.pad(x, (1, 5), "symmetric", reflect_type="odd"), (3, 4)),
    case("pad mean of two", lambda x: np.pad(x, 2, "mean", stat_length=((2, 1), (1, 2))), (3, 4)),
    case("pad linear_ramp", lambda x: np.pad(x, (1, 3), "linear_ramp"), (3, 4)),
    case("pad linear_ramp ends", lambda x, c: np.pad(x, (2, 3), "linear_ramp", end_values=c), (3, 4), (8.0, 16.0)),
]

INDEXING = [
    case("take", lambda x: np.take(x, [0, 4, -1]), (2, 3)),
    case("take 0-d", lambda x: np.take(x, 0), ()),
    case("take one", lambda x: np.take(x, 1, axis=1), (2, 3)),
    case("take axis", lambda x: np.take(x, [[2, 0], [1, 1]], axis=-1), (2, 3)),
    case("take wrap", lambda x: np.take(x, [5, -4], axis=1, mode="wrap"), (2, 3)),
    case("take clip", lambda x: np.take(x, [5, 1], axis=0, mode="clip"), (2, 3)),
    case("take_along_axis", lambda x: np.take_along_axis(x, INDEX, axis=1), (2, 3)),
    case("take_along_axis broadcast", lambda x: np.take_along_axis(x, INDEX[:1], axis=-1), (2, 3)),
    case("take_along_axis flat", lambda x: np.take_along_axis(x, np.array([5, 0]), axis=None), (2, 3)),
    case("put", written(np.put, [0, -2, 3]), (2, 3), (3,)),
    case("put repeats", written(np.put, [4, 1, 2]), (2, 3), ()),
    case("put wrap", lambda x, v: written(lambda a, w: np.put(a, [7, -1], w, mode="wrap"))(x, v), (2, 3), (2,)),
    case("put 0-d", written(np.put, [0]), (), ()),
    case("put constant", written(np.put, [0, 5]), (2, 3), np.array([8.0, 9.0])),
    case(
        "put_along_axis",
        lambda x, v: written(lambda a, w: np.put_along_axis(a, INDEX[:, :1], w, 1))(x, v),
        (2, 3),
        (2, 1),
    ),
    case(
        "put_along_axis flat",
        lambda x, v: written(lambda a, w: np.put_along_axis(a, np.array([5, 0]), w, None))(x, v),
        (2, 3),
        (2,),
    ),
    case("place", written(np.place, MASK), (2, 3), (2,)),
    case("putmask", written(np.putmask, MASK), (2, 3), (6,)),
    case("putmask repeats", written(np.putmask, MASK), (2, 3), (4,)),
    case("copyto", written(np.copyto), (2, 3), (3,)),
    case("copyto where", lambda x, v: written(lambda a, w: np.copyto(a, w, where=MASK))(x, v), (2, 3), (3,)),
    case("copyto constant", lambda x, v: written(lambda a, w: np.copyto(a, w, where=MASK))(x, v), (2, 3), 4.0),
    case("fill_diagonal", filled, (3, 3), ()),
    case("fill_diagonal values", filled, (3, 3), (3,)),
    case("fill_diagonal wrap", lambda x, v: written(lambda a, w: np.fill_diagonal(a, w, wrap=True))(x, v), (7, 3), 2.0),
    case("compress", lambda x: np.compress([False, True], x, axis=0), (2, 3)),
    case("compress flat", lambda x: np.compress([True, False, True, True], x), (2, 3)),
    case("extract", lambda x: np.extract(MASK, x), (2, 3)),
    case("choose", lambda x, y, c: np.choose(INDEX, [x, c, y]), (2, 3), (3,), C23),
    case("choose wrap", lambda x, c: np.choose(INDEX, [c, x], mode="wrap"), (2, 3), C23),
    case("select", lambda x, c: np.select([MASK, INDEX == 0], [x, c]), (2, 3), C23),
    case("select default", lambda x, y, c: np.select([MASK, INDEX == 1], [c, x], default=y), (2, 3), (3,), C23),
    case("where", lambda x, y: np.where(MASK, x, y), (2, 3), (3,)),
    case("where constant", lambda x, c: np.where(MASK, c, x), (2, 1), 3.0),
    case("diag", np.diag, (3, 4)),
    case("diag k", lambda x: np.diag(x, 1), (3, 4)),
    case("diag of a vector", lambda x: np.diag(x, -1), (3,)),
    case("diagonal", lambda x: np.diagonal(x, -1), (3, 4)),
    case("diagonal axes", lambda x: np.diagonal(x, 1, -1, 0), (3, 2, 4)),
    case("linalg.diagonal", lambda x: np.linalg.diagonal(x, offset=1), (2, 3, 4)),
    case("diagflat", lambda x: np.diagflat(x, 1), (2, 2)),
    case("tril", np.tril, (3, 4)),
    case("triu", lambda x: np.triu(x, -1), (2, 3, 4)),
    case("tril of a vector", np.tril, (3,)),
    case("trace", np.trace, (3, 4)),
    case("trace axes", lambda x: np.trace(x, 1, 0, 2), (3, 2, 4)),
    case("apply_along_axis", lambda x: np.apply_along_axis(lambda v: v[::-1][:2], 1, x), (2, 3, 4)),
    case("apply_along_axis sum", lambda x: np.apply_along_axis(np.sum, 0, x), (2, 3)),
    case("apply_along_axis matrix", lambda x: np.apply_along_axis(np.diag, -1, x), (2, 3)),
    case("apply_over_axes", lambda x: np.apply_over_axes(np.sum, x, (0, -1)), (2, 3, 4)),
    case("apply_over_axes shape kept", lambda x: np.apply_over_axes(np.cumsum, x, 1), (2, 3)),
]

CREATION = [
    case("linspace", lambda x, y: np.linspace(x, y, 5), (2,), (2,)),
    case("linspace constant", lambda x, c: np.linspace(c, x, 4, endpoint=False, axis=-1), (2,), 2.0),
    case("linspace step", lambda x, c: np.linspace(x, c, 5, retstep=True), (), 2.0),
    case("zeros_like", np.zeros_like, (2, 3)),
    case("empty_like", lambda x: np.empty_like(x, shape=(2,)) * 0, (2, 3)),
    case("full_like", lambda x, c: np.full_like(x, c), (2, 3), 5.0),
    case("full_like shape", lambda x, y: np.full_like(x, y, shape=(2, 2)), (2, 3), (2,)),
    case("real", np.real, (2, 3)),
]

CASES = [*SHAPE, *PADDING, *INDEXING, *CREATION]


def layouts(coeffs):
    """The same jet over memory of different kinds."""
    yield Jet(coeffs)
    if coeffs.ndim > 1:
        yield np.transpose(Jet(np.stack([plane.T for plane in coeffs])))
        wide = Jet(np.repeat(coeffs, 2, axis=1))
        yield wide[::2]
        yield Jet(np.copy(np.flip(coeffs, 1)))[::-1]


def leaves(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def planes_of(x, order):
    """The coefficients of a result; of a constant the constant."""
    if isinstance(x, Jet):
        return x.coeffs
    return np.stack([np.asarray(x), *[np.zeros_like(x)] * order])


def expected(function, coeffs, order):
    """function(planes k) for all k."""
    results = [
        leaves(function(*(c[k] if varies else c if k == 0 else np.zeros_like(c) for c, varies in coeffs)))
        for k in range(order + 1)
    ]
    return [np.stack([np.asarray(r) for r in parts]) for parts in zip(*results, strict=True)]


def drawn(arguments, order):
    return [
        (coefficients(a, order, seed=i), True) if isinstance(a, tuple) and not any(isinstance(n, float) for n in a)
        else (np.asarray(a), False)
        for i, a in enumerate(arguments)
    ]  # fmt: skip


def check(function, given, order, reference):
    found = leaves(function(*given))
    assert len(found) == len(reference)
    for x, planes in zip(found, reference, strict=True):
        got = planes_of(x, order)
        assert got.shape == planes.shape
        np.testing.assert_allclose(got, planes, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize(("function", "arguments"), CASES)
@pytest.mark.parametrize("order", [0, 1, 4])
def test_every_plane_is_what_numpy_gives(function, arguments, order):
    coeffs = drawn(arguments, order)
    given = [Jet(c) if varies else c for c, varies in coeffs]
    check(function, given, order, expected(function, coeffs, order))
    for (c, varies), x in zip(coeffs, given, strict=True):  # arguments are as they were
        if varies:
            assert np.array_equal(x.coeffs, c)


@pytest.mark.parametrize(("function", "arguments"), CASES)
def test_the_layout_of_memory_does_not_matter(function, arguments):
    coeffs = drawn(arguments, 2)
    reference = expected(function, coeffs, 2)
    for first in layouts(coeffs[0][0]):
        rest = [Jet(c) if varies else c for c, varies in coeffs[1:]]
        check(function, [first, *rest], 2, reference)


@pytest.mark.parametrize(("function", "arguments"), CASES)
def test_nested_derivatives(function, arguments):
    """∂²/∂x∂y of f(x²·y, …) at y = 1 is f(2x, …) without the constants, for f is linear."""
    coeffs = drawn(arguments, 0)
    x0 = [c[0] if varies else c for c, varies in coeffs]
    varying = [i for i, (_, varies) in enumerate(coeffs) if varies]

    def outer(*xs):
        def inner(*ys):
            given = [x0[i] if i not in varying else xs[i] ** 2 * ys[i] for i in range(len(x0))]
            return tuple(leaves(function(*given)))

        return dn.derivative(inner, argnums=varying)(*(np.ones_like(x) for x in x0))

    found = dn.derivative(outer, argnums=varying)(*x0)
    reference = leaves(function(*(2 * x if i in varying else np.zeros_like(x) for i, x in enumerate(x0))))
    for x, y in zip(found, reference, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14, atol=1e-14)


TWO = [c for c in CASES if sum(isinstance(a, tuple) and (8.0 not in a) for a in c.values[1]) > 1]
IN_PLACE = ("put", "place", "copyto", "fill_diagonal")


@pytest.mark.parametrize("higher", [0, 1])
@pytest.mark.parametrize(("function", "arguments"), TWO)
def test_operands_of_two_levels_in_one_call(function, arguments, higher, request):
    """The one of the lower level is a constant at the higher one: f(x, 3y) has ∂/∂y f = f(0, 3), ∂²/∂x∂y = 0."""
    coeffs = drawn(arguments, 0)
    x0 = [c[0] if varies else c for c, varies in coeffs]

    def mixed(low):
        def inner(high):
            given = [high * 3.0, low**2] if higher == 0 else [low**2, high * 3.0]
            return tuple(leaves(function(*given, *x0[2:])))

        return dn.derivative(inner)(x0[higher])

    if request.node.callspec.id.startswith(IN_PLACE):  # an array cannot take up another level by itself
        with pytest.raises(TypeError, match="cannot hold"):
            dn.derivative(mixed)(x0[1 - higher])
        return
    for x in dn.derivative(mixed)(x0[1 - higher]):
        assert not np.any(x)
    if higher == 1 and request.node.callspec.id.startswith(("select default", "full_like")):
        with pytest.raises(TypeError, match="drop the derivatives"):  # NumPy asks the first argument alone
            mixed(x0[0])
        return
    alone = [np.zeros_like(x) for x in x0]
    alone[higher] = 3.0 * np.ones_like(x0[higher])
    for x, y in zip(mixed(x0[1 - higher]), leaves(function(*alone)), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(("function", "arguments"), CASES[::4])
def test_traced(function, arguments, request):
    """jit runs the same rules on tracers."""
    if request.node.callspec.id.startswith(IN_PLACE):
        pytest.skip("a traced array cannot be written into")
    coeffs = drawn(arguments, 0)
    x0 = [c[0] if varies else c for c, varies in coeffs]
    derivative = dn.derivative(lambda x: tuple(leaves(function(x**2, *x0[1:]))))
    for x, y in zip(dn.jit(derivative)(x0[0]), derivative(x0[0]), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize(("function", "arguments"), CASES)
def test_the_pull_back_is_the_transpose_of_the_push_forward(function, arguments):
    """Σ ȳ·(J v) = Σ (Jᵀ ȳ)·v, the right side by a reverse sweep."""
    rng = np.random.default_rng(3)
    coeffs = drawn(arguments, 0)
    varying = [i for i, (_, varies) in enumerate(coeffs) if varies]
    points = [coeffs[i][0][0] for i in varying]

    def f(*xs):
        given = dict(zip(varying, xs, strict=True))
        return tuple(leaves(function(*(given[i] ** 2 if i in given else c for i, (c, _) in enumerate(coeffs)))))

    directions = [rng.normal(size=x.shape) for x in points]
    pushed = dn.jvp(f, points, directions)[1]
    cotangents = [rng.normal(size=np.shape(y)) for y in pushed]
    pulled = dn.vjp(f, *points)[1](tuple(cotangents))
    pulled = pulled if isinstance(pulled, tuple) else (pulled,)
    assert [g.shape for g in pulled] == [x.shape for x in points]
    np.testing.assert_allclose(
        sum(np.sum(g * v) for g, v in zip(pulled, directions, strict=True)),
        sum(np.sum(g * w) for g, w in zip(cotangents, pushed, strict=True)),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize(("function", "arguments"), CASES)
def test_several_directions_at_once(function, arguments):
    """The planes of a vector jet go the same way as those of one direction."""
    coeffs = drawn(arguments, 2)
    given = [jet(c[0], order=2, directions=c[1:]) ** 3 if varies else c for c, varies in coeffs]
    planes = [(x.coeffs, True) if isinstance(x, Jet) else (x, False) for x in given]
    check(function, given, 4, expected(function, planes, 4))


# ── views ────────────────────────────────────────────────────────────────────────────────────────

VIEWS = {
    "T": lambda x: x.T,
    "reshape": lambda x: np.reshape(x, (4, 3)),
    "reshape F": lambda x: np.reshape(x.T, (3, 4), order="F"),
    "ravel": np.ravel,
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "atleast_3d": np.atleast_3d,
    "split": lambda x: np.split(x, 2, axis=1)[1],
    "unstack": lambda x: np.unstack(x)[1],
    "flip": np.flip,
    "rot90": np.rot90,
    "trim_zeros": np.trim_zeros,
    "windows": lambda x: sliding_window_view(x, 2, axis=0, writeable=True),
}


@pytest.mark.parametrize("name", VIEWS)
def test_writing_into_a_view_writes_into_the_array(name):
    x = jet(np.arange(1.0, 13.0).reshape(3, 4), order=2)
    plain = np.arange(1.0, 13.0).reshape(3, 4)
    y = jet(100.0, order=2) ** 2
    view, plain_view = VIEWS[name](x), VIEWS[name](plain)
    view[(0,) * view.ndim] = y
    plain_view[(0,) * plain_view.ndim] = 1e4
    assert np.array_equal(x.value, plain)
    hit = plain == 1e4
    assert np.array_equal(x.coeffs[1], np.where(hit, 200.0, 1.0))
    assert np.array_equal(x.coeffs[2], np.where(hit, 1.0, 0.0))
    x[...] = 0.0
    assert not np.any(view.coeffs)


@pytest.mark.parametrize("view", [np.diagonal, np.diag, lambda x: np.broadcast_to(x, (2, 3, 3))])
def test_read_only_views_stay_read_only(view):
    x = jet(np.ones((3, 3)), order=1)
    result = view(x)
    with pytest.raises(DualnumError, match="read-only"):
        result[...] = 0.0
    x[...] = 5.0
    assert np.all(result.value == 5.0)


def test_a_copy_is_no_view():
    x = jet(np.ones((2, 2)), order=1)
    for y in (np.copy(x), np.reshape(x, 4, copy=True), x.flatten(), np.take(x, [0, 1]), np.tile(x, 1)):
        y[...] = 7.0
        assert np.all(x.value == 1.0)


def test_ravel_in_the_order_of_memory():
    plain = np.arange(24.0).reshape(2, 3, 4)
    for axes in [(0, 1, 2), (2, 0, 1), (1, 2, 0)]:
        for order in "ACFK":
            found = np.ravel(jet(plain, order=1).transpose(axes), order)
            assert np.array_equal(found.value, np.ravel(plain.transpose(axes), order)), (axes, order)


# ── out=, types ──────────────────────────────────────────────────────────────────────────────────

OUT = {
    "concatenate": lambda x, out: np.concatenate((x, x), out=out),
    "stack": lambda x, out: np.stack((x, x), out=out),
    "take": lambda x, out: np.take(x, [0, 1], out=out),
    "choose": lambda x, out: np.choose([0, 1], [x, x], out=out),
    "compress": lambda x, out: np.compress([True, False, True], x, out=out),
    "trace": lambda x, out: np.trace(np.diag(x), out=out),
    "max": lambda x, out: np.max(x, out=out),
    "ptp": lambda x, out: np.ptp(x, out=out),
    "median": lambda x, out: np.median(x, out=out),
    "quantile": lambda x, out: np.quantile(x, [0.2, 0.3], out=out),
}


@pytest.mark.parametrize("name", OUT)
def test_out_takes_a_jet_and_nothing_less(name):
    n = 2 if name == "choose" else 3
    x = jet(np.arange(1.0, n + 1.0), order=2) ** 2
    expected = OUT[name](x, None)
    out = np.zeros_like(expected)
    assert OUT[name](x, out) is out
    assert np.array_equal(out.coeffs, expected.coeffs)
    with pytest.raises(dn.DerivativeDropped, match=f"{name}: out= of type ndarray"):
        OUT[name](x, np.zeros(expected.shape))
    with pytest.raises(ValueError, match="out= has shape"):
        OUT[name](x, np.zeros_like(expected, shape=(7, 7)))
    with pytest.raises(DualnumError):  # a complex result does not go into a real jet
        OUT[name](x + 0j if name not in ("ptp", "quantile") else x, np.zeros_like(expected, shape=(7,)))


def test_insert_into_integers_widens_them():
    y = np.insert(np.array([1, 2]), 1, jet(0.5, order=1))
    assert np.array_equal(y.coeffs, [[1.0, 0.5, 2.0], [0.0, 1.0, 0.0]])


def test_types_follow_numpy():
    x = jet(np.ones(2, np.float32), order=2)
    assert np.concatenate((x, x)).dtype == np.float32
    assert np.concatenate((x, np.ones(2))).dtype == np.float64
    assert np.concatenate((x, x), dtype=np.float64).dtype == np.float64
    assert np.where([True, False], x, 1.0).dtype == np.float32
    assert np.select([[True, False]], [x]).dtype == np.float32
    assert np.pad(x, 1, constant_values=np.float64(3)).dtype == np.float32
    assert np.insert(x, 0, np.float64(3)).dtype == np.float32
    assert np.full_like(x, np.float64(3)).dtype == np.float32
    assert np.hstack((x, 1j * x), dtype=complex).dtype == np.complex128
    assert np.astype(x, np.float64).coeffs.dtype == np.float64
    assert np.piecewise(x, [[True, False]], [np.float64(2)]).dtype == np.float32


# ── piecewise, trim_zeros, collecting ────────────────────────────────────────────────────────────


def test_piecewise_calls_each_function_on_its_entries():
    x = jet([-2.0, -1.0, 0.0, 1.0, 2.0], order=3)
    y = np.piecewise(x, [x < 0, x > 0], [lambda v: -(v**2), np.log, 5.0])
    v = x.value
    np.testing.assert_allclose(y.value, [-4, -1, 5, 0, np.log(2)])
    np.testing.assert_allclose(y.derivative(1), [4, 2, 0, 1, 0.5])
    np.testing.assert_allclose(y.derivative(3), [0, 0, 0, 2, 2 / v[4] ** 3])


def test_piecewise_as_numpy_does_it():
    v = np.array([[-1.0, 0.5], [2.0, 3.0]])
    x = jet(v, order=1)
    for conditions, functions in [
        ([v < 0], [lambda u: 3 * u]),
        ([v < 1, v > 0], [lambda u: 3 * u, lambda u: u + 1]),  # they overlap: the last one counts
        (v > 1, [1.0, lambda u: u]),
        ([np.zeros_like(v, bool)], [lambda u: 1 / 0]),
    ]:
        found = np.piecewise(x, conditions, functions)
        assert np.array_equal(found.value, np.piecewise(v, conditions, functions))
    assert np.piecewise(jet(2.0, order=1), [True], [lambda u: u**2]).derivative(1) == 4.0
    with pytest.raises(ValueError, match="piecewise: 1 conditions, 3 functions"):
        np.piecewise(x, [v < 0], [1, 2, 3])


def test_piecewise_with_a_variable_of_a_higher_level():
    f = dn.derivative(lambda a: np.piecewise(np.array([1.0, 2.0]), [[True, False]], [lambda u: 1.0 * u, 0.0]) * a)
    assert np.array_equal(f(np.array([1.0, 1.0])), [1.0, 0.0])
    g = dn.derivative(lambda a: np.piecewise(jet([1.0, 2.0], 0).value * a, [[True, False]], [lambda u: u * a[0], 0.0]))
    assert np.array_equal(g(np.array([3.0, 3.0])), [6.0, 0.0])


def test_trim_zeros_goes_by_value():
    x = jet([0.0, 1.0, 0.0, 2.0, 0.0, 0.0], order=1)
    for trim in ("fb", "f", "b", "BF"):
        assert np.array_equal(np.trim_zeros(x, trim).value, np.trim_zeros(x.value, trim))
    z = jet([[0.0, 0.0, 0.0], [0.0, 3.0, 0.0]], order=1)
    for axis in (None, 0, 1):
        assert np.array_equal(np.trim_zeros(z, axis=axis).value, np.trim_zeros(z.value, axis=axis))
    assert np.trim_zeros(np.zeros_like(x)).shape == (0,)


def test_array_collects_jets():
    x = jet(0.5, order=2)
    y = dn.array([[x, 1], [np.float64(2.0), x**2]])
    assert np.array_equal(y.value, [[0.5, 1.0], [2.0, 0.25]])
    assert np.array_equal(y.derivative(1), [[1.0, 0.0], [0.0, 1.0]])
    assert np.array_equal(y.derivative(2), [[0.0, 0.0], [0.0, 2.0]])
    assert dn.array([jet(np.float32(1.0), 1), 2.0]).dtype == np.float32
    assert dn.array((x, 1j)).dtype == np.complex128
    assert dn.array([x, x], dtype=np.float32).dtype == np.float32
    assert dn.array([[x, x], jet([1.0, 2.0], order=2)]).shape == (2, 2)
    assert isinstance(dn.array([1, 2]), np.ndarray)
    z = dn.array(x)
    z[...] = 9.0
    assert x.value == 0.5
    second = dn.derivative(dn.derivative(lambda a: dn.array([a, [a[0] ** 3, 7.0]])))(np.array([2.0, 3.0]))
    assert np.array_equal(second, [[0.0, 0.0], [12.0, 0.0]])


# ── filled like another ──────────────────────────────────────────────────────────────────────────


def test_like_functions_give_jets_of_the_same_kind():
    x = jet(np.arange(6.0).reshape(2, 3), order=3)
    for like, value in ((np.zeros_like, 0.0), (np.ones_like, 1.0), (np.empty_like, 0.0)):
        y = like(x)
        assert y.order == 3 and y.shape == (2, 3)
        assert np.array_equal(y.coeffs, np.stack([np.full((2, 3), value), *[np.zeros((2, 3))] * 3]))
        assert like(x, shape=(4,)).shape == (4,)
        assert like(x, dtype=np.float32).dtype == np.float32
        plain = like(x, dtype=int)
        assert isinstance(plain, np.ndarray) and plain.dtype == int
        y[...] = x  # it holds derivatives
        assert np.array_equal(y.coeffs, x.coeffs)
    assert np.array_equal(np.full_like(x, 2.5).value, np.full((2, 3), 2.5))


def test_full_like_of_a_plain_array_does_not_return_memory_without_a_value():
    with pytest.raises(dn.DerivativeDropped, match="zeros_like"):
        np.full_like(np.ones(3), jet(2.0))
    with pytest.raises(dn.DerivativeDropped):
        np.copyto(np.ones(3), jet(2.0))
    with pytest.raises(dn.DerivativeDropped):
        np.full(3, jet(2.0))


def test_logspace_and_geomspace():
    start, stop = jet(np.array([1.0, 2.0]), order=2), 3.0
    y = np.logspace(start, stop, 4, base=2.0)
    s = np.linspace(1, 0, 4)[:, None]  # d/dt of the exponent
    value = np.logspace(start.value, stop, 4, base=2.0)
    np.testing.assert_allclose(y.value, value, rtol=1e-15)
    np.testing.assert_allclose(y.derivative(1), s * np.log(2) * value, rtol=1e-14)
    np.testing.assert_allclose(y.derivative(2), (s * np.log(2)) ** 2 * value, rtol=1e-14)
    base = jet(2.0, order=1)
    np.testing.assert_allclose(np.logspace(0.0, 3.0, 4, base=base).derivative(1), [0, 1, 4, 12], rtol=1e-14)

    z = np.geomspace(jet(-1.0, order=2), -16.0, 5)  # −(1−t)^{1−i/4} 16^{i/4}
    i = np.arange(5) / 4
    np.testing.assert_array_equal(z.value, np.geomspace(-1.0, -16.0, 5))
    np.testing.assert_allclose(z.derivative(1), (1 - i) * 16**i, rtol=1e-14)
    np.testing.assert_allclose(z.derivative(2), -(1 - i) * -i * 16**i, rtol=1e-14, atol=1e-15)
    w = np.geomspace(np.array([1.0, 2.0]), jet(np.array([4.0, 8.0]), order=1), 3, endpoint=False, axis=-1)
    np.testing.assert_allclose(w.value, np.geomspace([1.0, 2.0], [4.0, 8.0], 3, endpoint=False, axis=-1), rtol=1e-15)
    with pytest.raises(ValueError, match="zero"):
        np.geomspace(jet(0.0), 1.0)


# ── what an array is ─────────────────────────────────────────────────────────────────────────────


def test_shape_and_type():
    x, z = jet(np.ones((2, 3), np.float32), order=1), jet(np.ones(2) * 1j, order=1)
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1)) == ((2, 3), 2, 6, 3)
    assert np.iscomplexobj(z) and not np.iscomplexobj(x) and np.isrealobj(x)
    assert np.array_equal(np.iscomplex(z), [True, True]) and np.all(np.isreal(x))
    assert np.result_type(x, np.float64) == np.float64 and np.result_type(x, 1.0) == np.float32
    assert np.can_cast(x, np.float64) and not np.can_cast(z.dtype, x.dtype)
    assert np.common_type(x, z) is np.complex128
    assert np.min_scalar_type(jet(1.0)) == np.min_scalar_type(np.float64(1.0))
    assert np.shares_memory(x, x.T) and not np.shares_memory(x, np.copy(x)) and np.may_share_memory(x, x[0])
    assert np.array_repr(x) == repr(x) == np.array2string(x)
    assert "0.12" in np.array_str(jet(0.123456), precision=2) and "0.123" not in np.array_repr(jet(0.1234), precision=2)
    for function, plain in ((np.tril_indices_from, np.ones((3, 3))), (np.triu_indices_from, np.ones((3, 3))),
                            (np.diag_indices_from, np.ones((3, 3)))):  # fmt: skip
        for a, b in zip(function(jet(plain)), function(plain), strict=True):
            assert np.array_equal(a, b)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────

X = jet(np.arange(1.0, 7.0).reshape(2, 3), order=1)
V = jet([1.0, 2.0, 3.0], order=1)

REFUSED = [
    ("ix_", TypeError, lambda: np.ix_(V)),
    ("indices carry", TypeError, lambda: np.take(C3, V, out=V)),
    ("indices carry", TypeError, lambda: np.take(V, V)),
    ("indices carry", TypeError, lambda: np.take_along_axis(C3, V)),
    ("indices carry", TypeError, lambda: np.choose(V, [C3, C3, C3])),
    ("indices carry", TypeError, lambda: np.unravel_index(V, (2, 2))),
    ("indices carry", TypeError, lambda: np.ravel_multi_index((V, V), (9, 9))),
    ("into np.zeros_like", TypeError, lambda: np.put(np.ones(3), [0], V)),
    ("into np.zeros_like", TypeError, lambda: np.place(np.ones(3), [True] * 3, V)),
    ("into np.zeros_like", TypeError, lambda: np.putmask(np.ones(3), [True] * 3, V)),
    ("dn.array", TypeError, lambda: np.put_along_axis(np.ones(3), np.array([0]), V[:1], 0)),
    ("dn.array", TypeError, lambda: np.fill_diagonal(np.ones((3, 3)), V)),
    ("delete: the indices carry", TypeError, lambda: np.delete(C3, V)),
    ("insert: the indices carry", TypeError, lambda: np.insert(C3, V, 1.0)),
    ("split: the indices carry", TypeError, lambda: np.split(C3, V)),
    ("tile: the indices carry", TypeError, lambda: np.tile(C3, V)),
    ("order 1 and of order 2", ValueError, lambda: np.concatenate((V, jet(1.0, order=2)[None]))),
    ("order 1 and of order 2", ValueError, lambda: dn.array([V[0], jet(1.0, order=2)])),
    ("expected numbers", TypeError, lambda: np.copyto(V, ["a"])),
    ("expected numbers", TypeError, lambda: dn.array([V[0], "a"], dtype=float)),
    ("no values", ValueError, lambda: np.place(jet(np.ones(3)), [True] * 3, [])),
    ("only one of x and y", ValueError, lambda: np.where([True], V)),
    ("expected booleans", TypeError, lambda: np.select([[1, 0, 1]], [V])),
    ("expected as many", ValueError, lambda: np.select([[True] * 3], [V, V])),
    ("no conditions", ValueError, lambda: V.__array_function__(np.select, (), ([], [], V), {})),
    ("dtype <U1; expected numbers", TypeError, lambda: np.concatenate((V, ["a"]))),
    ("dtype object; expected numbers", TypeError, lambda: np.stack((V, [None] * 3))),
    ("dtype is int64", TypeError, lambda: np.concatenate((V, V), dtype=int)),
    ("complex", TypeError, lambda: np.concatenate((V, V * 1j), dtype=float)),
    ("complex", TypeError, lambda: np.insert(V, 0, 1j)),
    ("cannot cast", TypeError, lambda: np.copyto(jet(np.ones(3, np.float32)), V, casting="no")),
    ("mode is a function", TypeError, lambda: np.pad(V, 1, lambda *a: None)),
    ("not supported", ValueError, lambda: np.pad(V, 1, "sideways")),
    ("unsupported keyword", ValueError, lambda: np.pad(V, 1, "edge", constant_values=3)),
    ("pad_width", TypeError, lambda: np.pad(V, 1.5)),
    ("pad_width", ValueError, lambda: np.pad(V, -1)),
    ("cannot reshape", ValueError, lambda: np.reshape(V, (2, 2))),
    ("order is 'Z'", ValueError, lambda: np.reshape(V, 3, order="Z")),
    ("broadcast", ValueError, lambda: np.broadcast_to(X, (3, 2))),
    ("axis 5", ValueError, lambda: np.flip(X, 5)),
    ("axis", ValueError, lambda: np.moveaxis(X, 0, 4)),
    ("axes don't match", ValueError, lambda: np.transpose(X, (0,))),
    ("squeeze", ValueError, lambda: np.squeeze(X, 0)),
    ("two axes at least", ValueError, lambda: np.matrix_transpose(V)),
    ("two axes at least", ValueError, lambda: np.fliplr(V)),
    ("one at least", ValueError, lambda: np.flipud(V[0])),
    ("equal division", ValueError, lambda: np.split(V, 2)),
    ("2 or more axes", ValueError, lambda: np.vsplit(V, 1)),
    ("xy", ValueError, lambda: np.meshgrid(V, V, indexing="yx")),
    ("trim is", ValueError, lambda: np.trim_zeros(V, "x")),
    ("no axes", ValueError, lambda: np.tril(V[0])),
    ("ragged", ValueError, lambda: dn.array([[V[0], 1.0], [2.0]])),
    ("expected numbers", TypeError, lambda: dn.array([V[0], "a"])),
    ("carries no derivatives", TypeError, lambda: dn.array([V[0]], dtype=int)),
    ("dn.array", TypeError, lambda: np.array([V[0], V[1]])),
    ("pickle", TypeError, lambda: np.save("x.npy", V)),
    ("pickle", TypeError, lambda: np.savez("x.npz", V)),
    ("pickle", TypeError, lambda: np.savez_compressed("x.npz", v=V)),
    ("pickle", TypeError, lambda: np.savetxt("x.txt", V)),
    ("like= is an operand", TypeError, lambda: np.zeros(3, like=V)),
    ("like= is an operand", TypeError, lambda: np.asarray([1.0], like=V)),
    ("like= is an operand", TypeError, lambda: np.arange(3, like=V)),
    ("like= is an operand", TypeError, lambda: np.eye(3, like=V)),
]  # fmt: skip


@pytest.mark.parametrize(("words", "kind", "call"), REFUSED, ids=range(len(REFUSED)))
def test_refused(words, kind, call):
    with pytest.raises(kind, match=re.escape(words)) as caught:
        call()
    assert isinstance(caught.value, DualnumError)
