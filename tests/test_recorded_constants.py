"""What a record has read may be written to afterwards: the gradient is right, or a write or the sweep raises."""

import gc
import threading
from typing import Any

import array_function_calls
import numpy as np
import pytest
from what_works import sample as operands_of
from what_works import sample_matrix

import dualnum as dn
from dualnum.errors import DualnumError, InvalidValue
from dualnum.operand import constants
from dualnum.primitives.table import rows

X = np.array([0.4, 1.3, 0.8])
LONG = 50_000  # entries: above the length from which arrays are locked
ONES = np.ones(LONG)


@pytest.fixture(autouse=True)
def all_is_unlocked():
    yield
    if constants._locked or constants._holds:  # of cycles, as tracebacks are
        gc.collect()
    assert not constants._locked and not constants._holds


# ── short arrays: filled anew, and nothing is wrong ──────────────────────────────────────────────

# a use of x with a buffer, its gradient by x, and what the buffer is filled with
ROUNDS = np.array([[0.5, 2.0, 3.0], [1.5, 0.25, 2.5], [0.75, 1.25, 1.0]])
MATRICES = np.stack([np.outer(r, r) + np.eye(3) for r in ROUNDS])
MASKS = ROUNDS > 1.0
PLACES = np.array([[0, 1, 1], [2, 0, 1], [2, 2, 2]])
USES: dict[str, tuple[Any, Any, Any]] = {
    "x·b": (lambda x, b: x * b, lambda x, b: b, ROUNDS),
    "b·x": (lambda x, b: b * x, lambda x, b: b, ROUNDS),
    "multiply": (lambda x, b: np.multiply(x, b, dtype=float), lambda x, b: b, ROUNDS),
    "x/b": (lambda x, b: x / b, lambda x, b: 1 / b, ROUNDS),
    "b/x": (lambda x, b: b / x, lambda x, b: -b / x**2, ROUNDS),
    "x**b": (lambda x, b: x**b, lambda x, b: b * x ** (b - 1), ROUNDS),
    "b**x": (lambda x, b: b**x, lambda x, b: b**x * np.log(b), ROUNDS),
    "hypot": (np.hypot, lambda x, b: x / np.hypot(x, b), ROUNDS),
    "arctan2": (lambda x, b: np.arctan2(b, x), lambda x, b: -b / (x**2 + b**2), ROUNDS),
    "maximum": (np.maximum, lambda x, b: (x > b).astype(float), ROUNDS),
    "clip": (lambda x, b: np.clip(x, None, b), lambda x, b: (x < b).astype(float), ROUNDS),
    "a view": (lambda x, b: x[1:] * b[1:], lambda x, b: b * [0, 1, 1], ROUNDS),
    "a view back": (lambda x, b: x * b[::-1], lambda x, b: b[::-1], ROUNDS),
    "dot": (np.dot, lambda x, b: b, ROUNDS),
    "matmul": (lambda x, b: b @ x, lambda x, b: b.sum(axis=0), MATRICES),
    "matmul from the left": (lambda x, b: x @ b, lambda x, b: b.sum(axis=1), MATRICES),
    "einsum": (lambda x, b: np.einsum("ij,j,i", b, x, x), lambda x, b: (b + b.T) @ x, MATRICES),
    "outer": (np.outer, lambda x, b: np.full(3, b.sum()), ROUNDS),
    "convolve": (lambda x, b: np.convolve(x, b), lambda x, b: np.full(3, b.sum()), ROUNDS),
    "where": (lambda x, m: np.where(m, x**2, 3.0 * x), lambda x, m: np.where(m, 2 * x, 3.0), MASKS),
    "select": (lambda x, m: np.select([m], [x**2], 3.0 * x), lambda x, m: np.where(m, 2 * x, 3.0), MASKS),
    "a mask": (lambda x, m: (x**2)[m], lambda x, m: 2 * x * m, MASKS),
    "sum, where": (lambda x, m: np.sum(x**2, where=m), lambda x, m: 2 * x * m, MASKS),
    "mean, where": (lambda x, m: np.mean(x, where=m), lambda x, m: m / m.sum(), MASKS),
    "an index": (lambda x, i: (x**2)[i], lambda x, i: 2 * x * np.bincount(i, minlength=3), PLACES),
    "take": (lambda x, i: np.take(x**2, i), lambda x, i: 2 * x * np.bincount(i, minlength=3), PLACES),
    "choose": (
        lambda x, i: np.choose(i, [x, 2 * x, x**2]), lambda x, i: np.choose(i, [np.ones(3), np.full(3, 2), 2 * x]),
        PLACES,
    ),
    "repeat": (lambda x, i: np.repeat(x**2, i), lambda x, i: 2 * x * i, PLACES),
    "roll": (lambda x, i: np.roll(x, i[:1], 0)[0], lambda x, i: np.roll([1.0, 0.0, 0.0], -i[0]), PLACES),
    "bincount": (lambda x, i: np.bincount(i, x**2), lambda x, i: 2 * x, PLACES),
    "interp": (
        lambda x, b: np.interp(b[:1], [0.0, 2.0, 4.0], x),
        lambda x, b: np.array([np.interp(b[0], [0.0, 2.0, 4.0], e) for e in np.eye(3)]), ROUNDS,
    ),
    "a number": (lambda x, b: x * b[1, ...], lambda x, b: np.full(3, b[1]), ROUNDS),
}  # fmt: skip


def filled_anew(use: Any, fillings: Any) -> Any:
    def total(x: Any) -> Any:
        buffer, result = np.empty_like(fillings[0]), 0.0
        for filling in fillings:
            buffer[...] = filling
            result = result + np.sum(use(x, buffer))
        buffer[...] = fillings[0] * 0
        return result

    return total


def _by_variables(f: Any) -> Any:
    def gradient(x: Any) -> Any:
        v = dn.autograd.variable(x)
        f(v).backward()
        return v.grad

    return gradient


def _by_graph(f: Any) -> Any:
    def gradient(x: Any) -> Any:
        v = dn.autograd.variable(x)
        return dn.autograd.grad(f(v), v, create_graph=True)[0].data

    return gradient


WAYS = {
    "grad": dn.grad,
    "jit": lambda f: dn.jit(dn.grad(f)),
    "vjp": lambda f: lambda x: dn.vjp(f, x)[1](1.0),
    "jacrev": dn.jacrev,
    "variables": _by_variables,
    "create_graph": _by_graph,
    "value_and_grad": lambda f: lambda x: dn.value_and_grad(f)(x)[1],
    "taylor of grad": lambda f: lambda x: dn.taylor(dn.grad(f), 2)(x)[0],
    "grad of jvp": lambda f: lambda x: dn.grad(lambda x: dn.jvp(f, (x,), (np.zeros(3),))[0])(x),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("use", "slope", "fillings"), USES.values(), ids=USES)
def test_a_buffer_that_is_filled_anew(use, slope, fillings, way):
    expected = sum(np.asarray(slope(X, b), float) for b in fillings)
    np.testing.assert_allclose(way(filled_anew(use, fillings))(X), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "way",
    [
        lambda f, v: dn.hvp(f)(X, v), lambda f, v: dn.vhp(f)(X, v), lambda f, v: dn.jit(dn.hvp(f))(X, v),
        lambda f, v: dn.hessian(f)(X) @ v, lambda f, v: dn.jacrev(dn.grad(f))(X) @ v,
        lambda f, v: dn.grad(lambda x: dn.grad(f)(x) @ v)(X), lambda f, v: dn.jacrev(dn.jacfwd(f))(X) @ v,
    ],
)  # fmt: skip
def test_second_derivatives_with_a_buffer(way):
    """Σ_i Σ b_i x³ + (Σ b_i x)²: the Hessian is diag(6 b x) + 2 b bᵀ, summed over the fillings."""
    v = np.array([1.0, -2.0, 0.5])
    f = filled_anew(lambda x, b: np.sum(x**3 * b) + np.sum(b * x) ** 2, ROUNDS)
    expected = sum(6 * b * X * v + 2 * b * (b @ v) for b in ROUNDS)
    np.testing.assert_allclose(way(f, v), expected, rtol=1e-12)


MODULE_ARRAYS = {n: x for n, x in vars(array_function_calls).items() if isinstance(x, np.ndarray)}


def _other(x: Any) -> Any:
    return ~x if x.dtype == bool else x * 0 if x.dtype.kind == "i" else 3 * x[::-1]


@pytest.mark.parametrize("name", array_function_calls.CALLS)
def test_what_array_functions_have_read_may_be_written_to(name):
    """The pull-back of every function is the same after its constants were written to."""
    x, kept = sample_matrix()[0], {n: a.copy() for n, a in MODULE_ARRAYS.items()}
    for call in array_function_calls.CALLS[name]:
        try:
            values, pull = dn.vjp(call, x)
            cotangents = _ones(values)
            before = pull(cotangents)
        except (DualnumError, TypeError, ValueError, AttributeError):
            continue  # it gives no floats, or has no rule
        try:
            _, pull = dn.vjp(call, x)
            for a in MODULE_ARRAYS.values():
                a[...] = _other(a).copy()
            after = pull(cotangents)
        finally:
            for n, a in MODULE_ARRAYS.items():
                a[...] = kept[n]
        np.testing.assert_array_equal(after, before)


def _ones(values: Any) -> Any:
    if isinstance(values, (tuple, list)):
        return type(values)(map(_ones, values))
    return np.ones(np.shape(values), values.dtype)


def test_a_copy_that_is_the_same_is_used_again():
    a = np.linspace(0.0, 1.0, 1000)
    first = constants.frozen(a)
    assert constants.frozen(a) is first and constants.frozen(first) is first and constants.frozen(first[1:]) is not a
    a[3] = 7.0
    assert constants.frozen(a)[3] == 7.0 and first[3] != 7.0
    assert a.flags.writeable and not first.flags.writeable


@pytest.mark.parametrize(("f", "slope"), [(lambda x, b: x[0] * b, 6.0), (lambda x, b: np.where(b > 1, x[0], 0.0), 2.0)])
def test_arrays_of_integers(f, slope):
    b = np.array([1, 2, 3])

    def g(x):
        y = np.sum(f(x, b))
        b[:] = 0
        return y

    assert dn.grad(g)(np.ones(1)) == slope


# ── jets and variables of outer transforms ───────────────────────────────────────────────────────


@pytest.mark.parametrize("outer", [dn.derivative, dn.jacfwd, lambda f: lambda a: np.sum(dn.jacrev(f)(a), axis=-1)])
def test_a_buffer_that_carries_outer_derivatives(outer):
    """Inside ∂/∂z Σ_i z·(i a) = 6 a."""

    def inner(a):
        buffer = 1.0 * a

        def f(z):
            total = 0.0
            for i in range(4):
                buffer[...] = i * a
                total = total + np.sum(z * buffer)
            return total

        return dn.grad(f)(np.ones(3))

    result = outer(inner)(X)
    np.testing.assert_allclose(result if result.ndim == 1 else np.diag(result), np.full(3, 6.0), rtol=1e-14)


def test_the_point_of_a_gradient_may_carry_outer_derivatives_and_be_written_to():
    def outer(t):
        y = t.copy()

        def f(z):
            w = np.sum(z**3)
            y[...] = 0.0
            return w

        return dn.grad(f)(y)

    np.testing.assert_allclose(dn.derivative(outer)(X), 6 * X, rtol=1e-14)
    with pytest.raises(InvalidValue, match=r"x\[…\] = value: a recorded function has read x"):
        dn.derivative(outer)(ONES)


def test_the_point_of_a_gradient_may_be_written_to():
    x = X.copy()

    def f(z):
        w = np.sum(z**3)
        x[:] = 0.0
        return w

    np.testing.assert_allclose(dn.grad(f)(x), 3 * X**2, rtol=1e-14)


def test_a_gradient_given_to_create_graph_may_be_written_to():
    v, g = dn.autograd.variable(X), np.ones(3)
    (slope,) = dn.autograd.grad(v**3, v, g, create_graph=True)
    g[:] = 0.0
    (curvature,) = dn.autograd.grad(slope, v, np.ones(3))
    np.testing.assert_allclose(curvature, 6 * X, rtol=1e-14)


@pytest.mark.parametrize("outer", [lambda f: f, dn.derivative, lambda f: dn.jacfwd(f)])
def test_the_value_of_a_variable_cannot_be_written_to(outer):
    def f(x):
        y = x * x
        y.value[...] = 0.0
        return np.sum(y * x)

    with pytest.raises(ValueError, match="read-only"):
        outer(dn.grad(f))(X)


def test_more_results_of_vjp_are_the_callers():
    _, pull, more = dn.vjp(lambda x: (np.sum((y := np.exp(x)) * y), y), X, has_aux=True)
    more[...] = 0.0
    np.testing.assert_allclose(pull(1.0), 2 * np.exp(2 * X), rtol=1e-14)


# ── long arrays: locked as long as a record needs them ───────────────────────────────────────────


@pytest.mark.parametrize(
    "write",
    [
        lambda b: b.__setitem__(slice(None), 2.0), lambda b: b[1:].fill(0.0), lambda b: np.exp(b, out=b),
        lambda b: b.__imul__(2.0), lambda b: np.copyto(b, 0.0), lambda b: b.sort(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("transform", [dn.grad, lambda f: dn.jit(dn.grad(f)), lambda f: lambda x: dn.hvp(f)(x, x)])
def test_a_write_to_a_long_array_raises_where_it_is(write, transform):
    buffer = np.ones(LONG)

    def f(x):
        y = np.sum(x * buffer)
        write(buffer)
        return y

    with pytest.raises(ValueError, match="read-only") as info:
        transform(f)(ONES)
    assert any("write to a new array" in note for note in info.value.__notes__)
    assert buffer.flags.writeable and np.all(buffer == 1.0)


def test_what_is_written_through_the_array_of_a_view_and_through_views():
    whole = np.ones((2, LONG))
    row = whole[0]
    for read, written in ((row, whole), (whole, whole), (row, row)):

        def f(x, read=read, written=written):
            y = np.sum(x * read)
            written[0] = 5.0
            return y

        with pytest.raises(ValueError, match="read-only"):
            dn.grad(f)(ONES)
        assert whole.flags.writeable and read.flags.writeable and written.flags.writeable


@pytest.mark.parametrize("again", [True, False])
def test_what_is_written_through_an_older_view_is_found_before_the_sweep(again):
    """NumPy does not tell which views of an array there are."""
    buffer = np.ones(LONG)
    older = buffer[:]

    def f(x):
        y = np.sum(x * buffer)
        older[:] = 3.0
        return y + np.sum(x * buffer) if again else y

    with pytest.raises(InvalidValue, match="was written to, through another view of its memory"):
        dn.grad(f)(ONES)
    assert buffer.flags.writeable


@pytest.mark.parametrize(
    ("read", "use"),
    [
        (np.arange(2 * LONG) % 2 == 0, lambda x, m: np.where(m, x[0], 0.0)),
        (np.arange(2 * LONG) % 2 == 0, lambda x, m: np.sum(np.broadcast_to(x[0], m.shape), where=m)),
        (np.arange(LONG), lambda x, i: np.take(x, i)), (np.arange(LONG), lambda x, i: x[i]),
    ],
)  # fmt: skip
def test_long_masks_and_indices(read, use):
    def f(x):
        y = np.sum(use(x, read))
        read[:] = 0
        return y

    with pytest.raises(ValueError, match="read-only"):
        dn.grad(f)(ONES)
    assert read.flags.writeable and read.any()


def used(a: Any) -> Any:
    return dn.grad(lambda x: np.sum(a * x**2))(np.full(a.shape[-1:], 0.5))


def _is_open(*arrays: Any) -> None:
    for a in arrays:
        assert a.flags.writeable
    assert not constants._locked and not constants._holds


def test_the_end_of_a_gradient_unlocks():
    whole = np.ones((3, LONG))
    for a in (whole[1], whole[0, ::-1], np.asfortranarray(np.ones((LONG, 2)))[:, 1], ONES.copy(), whole[:, 1:].T[:, 0]):
        used(a)
        _is_open(a, whole)


def test_an_error_unlocks_although_its_traceback_keeps_the_record():
    a = ONES.copy()

    def f(x):
        y = np.sum(a * x)
        raise RuntimeError("for another reason", y)

    with pytest.raises(RuntimeError) as info:
        dn.grad(f)(ONES)
    _is_open(a)
    assert not getattr(info.value, "__notes__", [])


def test_variables_that_are_kept_outside_unlock():
    a, kept = ONES.copy(), []

    def f(x):
        kept.append(a * x)
        return np.sum(x)

    dn.grad(f)(ONES)
    _is_open(a)


def test_nested_gradients_unlock_and_a_buffer_of_an_inner_one_is_free_after_it():
    a = ONES.copy()

    def f(x):
        total = 0.0
        for i in range(3):
            a[:] = i
            total = total + dn.grad(lambda z: np.sum(a * z))(ONES)[0]
        return np.sum(x) * total + np.sum(x * a)

    np.testing.assert_allclose(dn.grad(f)(ONES), np.full(LONG, 3.0 + 2.0))
    _is_open(a)


def test_a_pull_back_that_lives_on_keeps_a_copy():
    a = ONES.copy()
    _, pull = dn.vjp(lambda x: a * x, ONES)
    _is_open(a)
    a[:] = 7.0
    np.testing.assert_array_equal(pull(ONES), ONES)
    _, pull = dn.vjp(lambda x: a * (x * a), ONES)
    np.testing.assert_array_equal(pull(ONES), 49.0 * ONES)


def test_records_of_variables_hold_what_they_need_until_they_are_swept_or_dropped():
    a, whole, v = ONES.copy(), np.ones((2, LONG)), dn.autograd.variable(ONES)
    first, second = np.sum(a * v), np.sum(a * v**2)
    first.backward()
    assert not a.flags.writeable
    second.backward()
    _is_open(a)
    kept = np.sum(a * v)
    assert not a.flags.writeable
    del kept
    _is_open(a)
    rows = list(whole)
    first, second = np.sum(rows[0] * v), np.sum(rows[1] * v)
    del first
    assert not whole.flags.writeable
    second.backward()
    _is_open(whole, *rows)


def test_what_was_read_only_stays_so():
    whole = np.ones((2, LONG))
    row = whole[0]
    row.flags.writeable = False
    used(row)
    assert not row.flags.writeable
    _is_open(whole)
    fixed = ONES.copy()
    fixed.flags.writeable = False
    used(fixed)
    used(fixed[::-1])
    used(np.broadcast_to(np.float64(3.0), LONG))
    assert not fixed.flags.writeable


def test_memory_of_others(tmp_path):
    mapped = np.memmap(tmp_path / "x", dtype=float, shape=(LONG,), mode="w+")
    lent = np.frombuffer(bytearray(8 * LONG))
    computed = dn.grad(lambda x: np.sum(x**3))(np.ones(4 * LONG))  # in kept memory, which NumPy would not unlock
    for a in (mapped, lent, computed, computed[::2]):
        used(a)
        _is_open(a)
    buffer = dn.jit(lambda x: 1.0 * x)(np.ones(4 * LONG))

    def f(x):
        total = 0.0
        for i in range(3):
            buffer[:] = i
            total = total + np.sum(x * buffer)
        return total

    np.testing.assert_array_equal(dn.grad(f)(np.ones(4 * LONG)), np.full(4 * LONG, 3.0))


def test_threads_that_read_the_same_array():
    a, errors = ONES.copy(), []

    def work():
        try:
            for _ in range(20):
                np.testing.assert_array_equal(used(a), ONES)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    _is_open(a)


def test_a_matrix_in_a_loop_is_kept_once():
    """Of a thousand steps u ← u + A u / 1000 the record holds A once, and it is not compared at every step."""
    a = np.diag(np.full(300, 0.5))
    views = []

    def f(x):
        for _ in range(20):
            x = x + (a @ x) / 20
            views.append(constants.frozen(a))
        return np.sum(x)

    np.testing.assert_allclose(dn.grad(f)(np.ones(300)), np.full(300, 1.025**20), rtol=1e-12)
    assert len({id(v) for v in views}) == 1 and np.shares_memory(views[0], a)
    views.clear()


# ── all ufuncs ───────────────────────────────────────────────────────────────────────────────────

UFUNCS = {
    row.name: row.ufunc
    for row in sorted(rows(), key=lambda row: row.name)
    if isinstance(row.ufunc, np.ufunc) and row.ufunc.nin > 1
}
NESTED = {
    "vjp": lambda f, x, g: dn.vjp(f, x)[1](g),
    "grad of jvp": lambda f, x, g: dn.grad(lambda x: np.sum(g * dn.jvp(f, (x,), (x,))[1]))(x),
    "jvp of grad": lambda f, x, g: dn.jvp(dn.grad(lambda x: np.sum(g * f(x))), (x,), (x,))[1],
    "grad of grad": lambda f, x, g: dn.grad(lambda x: np.sum(x * dn.grad(lambda x: np.sum(g * f(x)))(x)))(x),
}


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in UFUNCS for way in NESTED if way == "vjp" or hasattr(np, name)]
)
def test_what_ufuncs_have_read_may_be_written_to(name, way):
    """Each argument in turn varies; the others are written to as soon as the function has returned."""
    ufunc, points = UFUNCS[name], operands_of(UFUNCS[name])

    def applied(i: int, spoil: bool) -> Any:
        def f(x: Any) -> Any:
            given: list[Any] = [p.copy() for p in points]
            given[i] = x
            results = ufunc(*given)
            for j, p in enumerate(given):
                if j != i and spoil:
                    p[:] = 0
            return results[0] if ufunc.nout > 1 else results

        return NESTED[way](f, points[i], np.linspace(1.0, 2.0, len(points[i])))

    for i, x in enumerate(points):
        if x.dtype.kind != "f":
            continue
        try:
            expected = applied(i, False)
        except (DualnumError, TypeError):
            continue  # an argument that has no rule
        np.testing.assert_array_equal(applied(i, True), expected)
