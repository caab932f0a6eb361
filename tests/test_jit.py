"""`dn.jit`: what is traced and replayed is what the function itself gives, for everything that works eagerly."""

import threading
import tracemalloc
import warnings
from collections import namedtuple

import numpy as np
import optree
import pytest
import scipy.optimize
import scipy.special
import what_works
from array_function_calls import CALLS

import dualnum as dn
from dualnum import jet
from dualnum.errors import DualnumError
from dualnum.kernel.engine import available
from dualnum.operand.levels import AMBIENT, ambient
from dualnum.primitives import rows

ENGINES = pytest.mark.parametrize("name", available())
needs_llvm = pytest.mark.skipif("llvm" not in available(), reason="llvmlite is not installed")
X, V = what_works.sample_matrix()
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
FLOAT_ROWS = [r for r in rows() if r.rule is not None and isinstance(r.ufunc, np.ufunc) and r.kind != "predicate"]


def f(x):
    return np.sin(x) * np.exp(-x * x) + np.log(1 + x * x) / (2 + np.cos(x))


def numbers(y):
    return y.coeffs if isinstance(y, dn.Jet) else y


def copied(args):
    """The arguments, of which arrays may be written to."""
    return [x.copy("K") if type(x) is np.ndarray and x.flags.c_contiguous else x for x in args]


def check(g, *args, rtol=1e-11, traced=True, **kwargs):
    """jit(g)(…) twice (traced, replayed) against g(…): structure, kind, shape, type and numbers."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        expected = g(*copied(args), **kwargs)
        fast = dn.jit(g)
        for _ in range(2):
            got = fast(*copied(args), **kwargs)
            leaves, structure = optree.tree_flatten(got, none_is_leaf=True)
            wanted, its_structure = optree.tree_flatten(expected, none_is_leaf=True)
            assert structure == its_structure
            for a, b in zip(leaves, wanted, strict=True):
                assert isinstance(a, dn.Jet) == isinstance(b, dn.Jet)
                a, b = numbers(a), numbers(b)
                if not isinstance(b, (np.ndarray, np.generic)):
                    assert a is b or a == b or np.isclose(a, b, rtol=rtol), (a, b)
                    continue
                assert (a.shape, a.dtype) == (b.shape, b.dtype)
                if b.dtype.kind in "fc":
                    rough = max(rtol, 200 * float(np.finfo(b.dtype).eps))
                    scale = np.max(np.abs(np.where(np.isfinite(b), b, 0)), initial=0.0)
                    np.testing.assert_allclose(a, b, rtol=rough, atol=rough * float(scale) + 1e-30)
                else:
                    np.testing.assert_array_equal(a, b)
    for kept in fast._entries.values():
        assert not kept.reason or not traced, kept.reason
    return got


# ── everything in the tables ─────────────────────────────────────────────────────────────────────


def sample(row, dtype=float):
    rng = np.random.default_rng(7)
    return tuple(rng.uniform(lo, hi, 5).astype(dtype) for lo, hi in row.sample)


def settings(g, args):
    ones = tuple(1.5 * np.ones_like(x) for x in args)
    yield g, args
    yield dn.derivative(g), args
    yield dn.derivative(g, 3), args
    yield dn.taylor(g, 3), args
    yield lambda *xs: dn.jvp(g, xs, ones), args
    yield g, (jet(args[0], 2), *args[1:])
    yield dn.derivative(dn.derivative(g)), args


@ENGINES
@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda r: r.name)
def test_every_ufunc(row, name):
    args = sample(row)
    with dn.engine(name):
        for g, given in list(settings(row.ufunc, args))[:: 1 if name == available()[-1] else 3]:
            try:
                g(*given)
            except (DualnumError, TypeError):  # integer or constant parameters
                continue
            check(g, *given, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, complex, int])
def test_every_ufunc_in_other_types(dtype):
    for row in FLOAT_ROWS:
        args = sample(row, dtype)
        for g, given in ((row.ufunc, args), (dn.derivative(row.ufunc), args)):
            try:
                g(*given)
            except (DualnumError, TypeError, ValueError):  # no such powers of integers
                continue
            try:
                check(g, *given, rtol=1e-3 if dtype in (np.float16, np.float32) else 1e-9)
            except AssertionError as error:
                raise AssertionError(f"{row.name}: {error}") from None


@pytest.mark.parametrize("kind", ["arrays", "derivative", "jets"])
def test_every_array_function(kind):
    for name, calls in CALLS.items():
        for call in calls:
            g = dn.derivative(call, 2) if kind == "derivative" else call
            x = jet(X, 2, direction=V) if kind == "jets" else X
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                try:
                    g(x)
                except Exception:
                    continue
            try:
                check(g, x, rtol=1e-9, traced=not name.startswith("np.array"))
            except Exception as error:
                raise AssertionError(f"{name}: {error}") from error


# ── arguments and results ────────────────────────────────────────────────────────────────────────


@ENGINES
def test_shapes_and_memory_layouts(name):
    rng = np.random.default_rng(0)
    a = rng.uniform(0.5, 1.5, (6, 7))
    with dn.engine(name):
        for x in (
            a,
            a.T,
            np.asfortranarray(a),
            a[::2, 1::3],
            a[::-1],
            a[0],
            a[0, ::-2],
            a[:, :0],
            a[0, 0],
            np.array(0.7),
        ):
            for g in (f, dn.derivative(f, 3), dn.taylor(f, 2), lambda x: np.sum(f(x), axis=0) if np.ndim(x) else f(x)):
                check(g, x)
            check(f, jet(x, 3))
            check(f, jet(x, 3).T)
        odd = np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(float)  # misaligned
        check(f, odd)
        check(f, odd[::2])


@ENGINES
@pytest.mark.parametrize(
    "shapes", [((4, 1), (1, 5)), ((4, 5), (5,)), ((), (3,)), ((1,), (3,)), ((2, 1, 3), (4, 1)), ((0, 1), (3,))]
)
def test_arrays_are_broadcast(name, shapes):
    x, y = (np.random.default_rng(1).uniform(0.5, 1.5, s) for s in shapes)
    g = lambda x, y: x**2 * np.exp(y) / (x + y)  # noqa: E731
    with dn.engine(name):
        check(g, x, y)
        check(dn.derivative(g, 2, argnums=(0, 1)), x, y)
        check(g, jet(x, 2), y)
        check(lambda x, y: dn.jvp(g, (x, y), (x, y)), x, y)


@needs_llvm
@pytest.mark.parametrize("shape", [(300, 400), (3, 50_000), (70_000, 2), (2, 3, 4, 5000)])
def test_long_arrays_are_broadcast_block_by_block(shape):
    rng = np.random.default_rng(2)
    for other in (shape[1:], (*shape[:-1], 1), (1,) * len(shape)):
        x, y = rng.uniform(0.5, 1.5, shape), rng.uniform(0.5, 1.5, other)
        expected = x * y + np.sqrt(y)
        for given in (x, np.asfortranarray(x)):
            np.testing.assert_allclose(dn.jit(lambda x, y: x * y + np.sqrt(y))(given, y), expected, rtol=1e-14)
    mask = rng.uniform(size=shape) < 0.5
    np.testing.assert_array_equal(dn.jit(lambda m, x: np.where(m, x, -x))(mask, x), np.where(mask, x, -x))
    whole = rng.integers(-5, 5, shape)
    np.testing.assert_array_equal(dn.jit(lambda n, x: n * x)(whole, x), whole * x)


def test_types_follow_numpy():
    for dtype in (np.float16, np.float32, np.float64, np.longdouble, np.complex64, complex, np.int32, bool, np.uint8):
        x = np.array([1, 0, 1, 1]).astype(dtype)
        for g in (
            lambda x: np.cos(x) + 1,
            lambda x: np.where(x > 0, x, 2),
            lambda x: x * np.float32(2),
            lambda x: (x + 1, x * 0.5, 3 * x, -x if x.dtype != bool else x),
            dn.derivative(lambda x: x * x),
            lambda x: dn.jet(x, 2) * 2 if x.dtype.kind in "fc" else x,
        ):
            check(g, x)


def test_python_numbers_do_not_widen():
    x = np.linspace(0, 1, 3, dtype=np.float32)
    assert dn.jit(lambda x, c: x * (2 * c + 1))(x, 0.3).dtype == np.float32
    assert isinstance(dn.jit(lambda c: 2 * c)(0.3), float)
    for args in ((0.3,), (3,), (np.float32(0.5),), (np.float64(0.5),), (True,), (1 + 2j,)):
        check(lambda c: np.sin(c) * c, *args)
        check(lambda c: x * np.sin(c), *args)
    check(dn.derivative(f, 2), 0.3)


def test_containers_in_and_out():
    Pair = namedtuple("Pair", "a b")
    x, y = np.linspace(0, 1, 4), np.linspace(1, 2, 4)

    def g(p, *rest, scale=1.0, **named):
        return {
            "sum": p["x"] + p["y"][0],
            "pair": Pair(p["x"] * scale, [rest, named]),
            "none": None,
            "one": 1,
            "s": "t",
        }

    got = check(g, {"x": x, "y": [y, (y,)]}, y, None, scale=2.0, extra={"z": x})
    assert isinstance(got["pair"], Pair)
    check(dn.derivative(lambda p: {"a": p[0] * p[1], "b": np.sum(p[1])}), (x, y))
    assert dn.jit(lambda x: None)(x) is None and dn.jit(lambda: 3)() == 3 and dn.jit(lambda x: ())(x) == ()
    check(lambda x: (x, x, 2.0, np.float32(2)), x)
    check(lambda: np.arange(3.0))


def test_constants_of_a_trace_are_never_shared_with_the_caller():
    made = dn.jit(lambda x: (np.arange(3.0), x + 1))
    made(np.ones(3))[0][:] = 9
    np.testing.assert_array_equal(made(np.ones(3))[0], [0, 1, 2])
    table = np.array([1.0, 2.0])
    g = dn.jit(lambda x: x * table)
    g(np.ones(2))
    table[:] = 5  # taken as it was when f was traced
    np.testing.assert_array_equal(g(np.ones(2)), [1, 2])


def test_static_arguments():
    calls = []

    def g(x, n, mode="up", *, k=1):
        calls.append(n)
        return x**n if mode == "up" else -(x**n) * k

    x = np.linspace(0.5, 1, 3)
    for fast in (
        dn.jit(g, static_argnums=1),
        dn.jit(g, static_argnums=(1,), static_argnames="k"),
        dn.jit(g, static_argnums=-1),
    ):
        np.testing.assert_allclose(fast(x, 3), x**3)
    fast = dn.jit(g, static_argnames=("n", "k"))
    np.testing.assert_allclose(fast(x, n=2.0, mode="down", k=3), -3 * x**2)
    # what compares equal is not the same: types, and the sign of zero
    which = dn.jit(lambda x, s: x * 0 + (1 if s is True else 2 if isinstance(s, int) else 3))
    assert [which(x, s)[0] for s in (1, True, 1)] == [2, 1, 2]
    sign = dn.jit(lambda x, s: np.copysign(x, s), static_argnums=1)
    assert [sign(x, s)[0] for s in (0.0, -0.0)] == [0.5, -0.5]


def test_methods_and_names():
    class Model:
        scale = 3.0

        @dn.jit
        def __call__(self, x):
            """Scales."""
            return self.scale * x

    np.testing.assert_array_equal(Model()(np.ones(2)), [3, 3])
    assert Model.__call__.__doc__ == "Scales." and Model.__call__.__name__ == "__call__"


# ── nesting ──────────────────────────────────────────────────────────────────────────────────────


@ENGINES
def test_nesting_in_any_order(name):
    x = np.linspace(0.2, 1.4, 5)
    fast = dn.jit(f)
    with dn.engine(name):
        for g, h in (
            (dn.derivative(fast, 2), dn.derivative(f, 2)),
            (dn.jit(dn.derivative(fast, 2)), dn.derivative(f, 2)),
            (dn.jit(dn.jit(fast)), f),
            (dn.taylor(fast, 3), dn.taylor(f, 3)),
            (dn.derivative(dn.jit(dn.derivative(fast))), dn.derivative(f, 2)),
            (dn.grad(lambda x: np.sum(fast(x))), dn.derivative(f)),
            (dn.jit(dn.grad(lambda x: np.sum(f(x)))), dn.derivative(f)),
            (dn.jit(dn.grad(lambda x: np.sum(dn.derivative(fast)(x)))), dn.derivative(f, 2)),
            (dn.jit(lambda x: dn.derivative(lambda t: np.sum(dn.grad(lambda y: np.sum(f(y)))(x + t)))(0.0)),
             lambda x: np.sum(dn.derivative(f, 2)(x))),
        ):  # fmt: skip
            np.testing.assert_allclose(g(x), h(x), rtol=1e-12)
        quadratic = lambda x: np.sum(x**2 * x[::-1]) + x @ x  # noqa: E731
        for make in (dn.grad, dn.hessian, dn.jacobian, dn.value_and_grad):
            check(make(quadratic), x)
        check(lambda x, v: dn.vjp(np.sin, x)[1](v), x, x)
        check(lambda x: dn.jet(x, 2, directions=np.stack([x, x * x])).coeffs, x)
        check(f, jet(x, 2, directions=np.stack([x, x * x])))
    assert ambient() is AMBIENT


def test_modes_and_engines_are_part_of_the_signature():
    g = dn.jit(lambda x: dn.derivative(np.abs)(x))
    x = np.array([0.0, 1.0])
    np.testing.assert_array_equal(g(x), [0, 1])
    with dn.nonsmooth("raise"), pytest.raises(dn.NonsmoothPoint):
        g(x)
    np.testing.assert_array_equal(g(x), [0, 1])


# ── points at which the eager mends follow ───────────────────────────────────────────────────────


@ENGINES
@pytest.mark.parametrize(
    "g",
    [
        lambda x: np.sqrt(x**4), lambda x: np.sqrt(x**2), lambda x: np.exp(x), lambda x: x**1.5,
        lambda x: np.cbrt(x**3),
        lambda x: np.sinc(x), lambda x: np.hypot(x, x), lambda x: np.abs(x) * np.maximum(x, 0),
        lambda x: np.tanh(x), lambda x: 1 / np.exp(x),
    ],
)  # fmt: skip
def test_hard_points(name, g):
    x = np.array([0.0, -0.0, 710.0, 709.5, 1e-160, 1.5, -1.5, np.inf, np.nan, 5e-324])
    with dn.engine(name):
        for point in (x, x[:1], x[2:3], x[5:6]):
            check(g, point)
            for k in (1, 2, 3):
                check(dn.derivative(g, k), point, rtol=1e-9)
            check(dn.taylor(g, 3), point, rtol=1e-9)
            check(g, jet(point, 3), rtol=1e-9)


def test_shapes_and_types_that_numbers_decide_run_the_function_itself():
    for g in (np.roots, np.emath.sqrt, lambda x: np.emath.log(x) * 2, lambda x: np.bincount(x.astype(int)) + 0.5):
        fast = dn.jit(g)
        for x in (np.array([1.0, 2.0, 1.0]), np.array([0.0, 2.0, 1.0]), np.array([1.0, -2.0, 1.0])):
            try:
                expected = g(x)
            except ValueError:
                continue
            got = fast(x)
            assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(got, expected)


# ── one kernel, and nothing beside its outputs ───────────────────────────────────────────────────


def deep(x):
    for _ in range(30):
        x = np.sin(x) * 1.1 + x / (1 + x * x)
    return x


@ENGINES
@pytest.mark.parametrize("g", [f, deep, lambda x: np.where(x > 0.5, np.exp(x), np.abs(x)), lambda x: x**2.5 / (1 + x)])
def test_an_elementwise_function_is_one_kernel(name, g):
    x = np.linspace(0.1, 0.9, 10)
    with dn.engine(name):
        for h, args in (
            (g, (x,)), (dn.derivative(g, 3), (x,)), (dn.taylor(g, 3), (x,)), (g, (jet(x, 3),)), (g, (0.3,)),
            (lambda x, v: dn.jvp(g, (x,), (v,)), (x, x)), (dn.derivative(dn.derivative(g)), (x,)),
            (lambda x, y: g(x * y), (x, x)), (lambda x: g(x[0]) * x[1], (np.stack([x, x]),)),
            (dn.derivative(lambda x, y: g(x) * y, 2, argnums=(0, 1)), (x, x)),
        ):  # fmt: skip
            assert len(dn.jit(h).lower(*args).programs) == 1


@needs_llvm
def test_a_call_allocates_its_outputs_only():
    n = 200_000
    x, column, row = np.linspace(0.1, 1, n), np.linspace(0.1, 1, n // 100)[:, None], np.linspace(1, 2, 100)
    spare = 600_000  # the buffers in which awkward inputs are laid out, whatever the length
    with dn.engine("llvm"):
        for g, args in (
            (f, (x,)), (dn.derivative(f, 3), (x,)), (dn.taylor(f, 3), (x,)), (f, (jet(x, 3),)),
            (lambda x, v: dn.jvp(f, (x,), (v,)), (x, x)), (lambda x, c: f(x) * c, (x, 2.0)), (f, (x[::2],)),
            (lambda x, y: x * y + 1, (column, row)), (lambda x, y: x * y, (x, np.array(2.0))),
            (lambda x: x * 2 + 1, (x.reshape(400, 500).T,)), (lambda x, n: x * n, (x, np.arange(n))),
            (lambda m, x: np.where(m, x, 0.0), (x > 0.5, x)), (lambda x: x[0] * x[1], (x.reshape(2, -1),)),
        ):  # fmt: skip
            fast = dn.jit(g)
            outputs = sum(numbers(y).nbytes for y in optree.tree_leaves(fast(*args)))
            tracemalloc.start()
            fast(*args)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak <= outputs + spare, (peak, outputs)


@needs_llvm
def test_what_became_of_it_can_be_read():
    with dn.engine("llvm"):
        lowered = dn.jit(dn.derivative(np.sin)).lower(np.ones(3))
        assert "cos" in str(lowered.programs[0]) and "return" in str(lowered.programs[0])
        assert "define i32 @kernel" in lowered.llvm and "kernel" in lowered.assembly
        assert 'extern "C" __global__ void kernel(' in lowered.cuda
        whole = dn.jit(lambda x: np.sum(np.sin(x)) * np.cos(x)).lower(np.ones(300))
        assert len(whole.programs) >= 2 and whole.llvm.count("define") == len(whole.programs)
        assert "kernel" in whole.assembly
        assert whole.python.startswith("def replay(args):") and "return [" in whole.python


# ── parts of arrays, and gradients by them ───────────────────────────────────────────────────────


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


PARTS = {
    "neighbours": lambda x: (x[1:] * x[:-1]).sum(),
    "every other": lambda x: (x[::2] ** 2).sum() * x[0],
    "reversed": lambda x: (x[::-1] * x).sum() + x[-1],
    "the whole": lambda x: np.sin(x[:]).sum() + (x[1:] ** 2).sum(),
    "one": lambda x: (x[:1] * x[-1:]).sum() + np.exp(x[0]),
    "a constant cotangent": lambda x: x[1:].sum() + (x[:2] ** 2).sum(),
    "a number's cotangent": lambda x: np.sin(x[1:].sum()),
    "parts of parts": lambda x: (x[1:][:-1] * x[2:]).sum(),
    "one by one": lambda x: sum(x[i] ** 2 * x[i - 1] for i in range(len(x))),
    "many parts": lambda x: sum((x[i:] * x[: len(x) - i]).sum() for i in range(min(30, len(x)))),
    "new axes": lambda x: x[..., None].sum() * x[None, 1, ...].sum() + (x[np.int64(0)] * x).sum(),
}
GRIDS = {
    "rows": lambda u: (u[1:] * u[:-1]).sum(),
    "columns": lambda u: (u[:, 1:] - u[:, :-1]).sum() ** 2,
    "five points": lambda u: (u[1:-1, 1:-1] * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])).sum(),
    "an entry": lambda u: u[0].sum() * u[-1, 0] + (u[:, 0] * u[:, -1]).sum(),
    "part of a row": lambda u: (u[0, 1:] ** 2).sum() * u[0, 0],
    "one row spread": lambda u: (u[1:2] * u).sum(),
}


@ENGINES
@pytest.mark.parametrize("dtype", [float, np.float32, np.longdouble])
@pytest.mark.parametrize("part", PARTS)
def test_gradients_by_parts_of_arrays(part, dtype, name):
    g, rtol = PARTS[part], 1e-4 if dtype is np.float32 else 1e-11
    with dn.engine(name):
        for n in (3, 8, 17, 200):
            x = np.random.default_rng(n).normal(size=n).astype(dtype)
            for h in (g, dn.grad(g), dn.value_and_grad(g)):
                check(h, x, rtol=rtol)
                check(h, np.repeat(x, 2)[::2], rtol=rtol)


@ENGINES
@pytest.mark.parametrize("part", GRIDS)
def test_gradients_by_parts_of_grids(part, name):
    with dn.engine(name):
        for shape in ((4, 5), (3, 70), (200, 300)):
            u = np.random.default_rng(0).normal(size=shape)
            for given in (u, np.asfortranarray(u)):
                check(GRIDS[part], given)
                check(dn.grad(GRIDS[part]), given)


@ENGINES
@pytest.mark.parametrize("n", [2, 3, 9, 1000, 40_000, 300_000])
def test_a_gradient_over_neighbours_against_its_formula(n, name):
    x = np.linspace(-1.0, 1.5, n)
    with dn.engine(name):
        fast = dn.jit(dn.value_and_grad(rosenbrock))
        for _ in range(2):
            value, gradient = fast(x)
            np.testing.assert_allclose(value, scipy.optimize.rosen(x), rtol=1e-12)
            np.testing.assert_allclose(gradient, scipy.optimize.rosen_der(x), rtol=1e-12, atol=1e-9)


def test_higher_derivatives_by_parts_of_arrays():
    x, v = np.linspace(-1.0, 1.5, 7), np.cos(np.arange(7.0))
    hessian = scipy.optimize.rosen_hess(x)
    np.testing.assert_allclose(dn.jit(dn.hessian(rosenbrock))(x), hessian, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dn.jit(dn.hvp(rosenbrock))(x, v), hessian @ v, rtol=1e-12)
    twice = dn.jit(dn.grad(lambda x: dn.grad(rosenbrock)(x) @ v))
    np.testing.assert_allclose(twice(x), hessian @ v, rtol=1e-12)
    check(lambda x: dn.jet(x, 3)[1:].coeffs, x)
    check(lambda x: (x[1:] * x[:-1]).sum(), jet(x, 3))


@needs_llvm
def test_a_gradient_over_neighbours_is_one_kernel():
    with dn.engine("llvm"):
        assert len(dn.jit(dn.grad(rosenbrock)).lower(np.ones(10)).programs) == 1  # entries
        assert len(dn.jit(dn.grad(rosenbrock)).lower(np.ones(100)).programs) == 1
        by_entries = dn.grad(lambda x: x[0] ** 2 * x[1] + np.sin(x[2] * x[0]))
        assert len(dn.jit(by_entries).lower(np.ones(3)).programs) == 1
        # what is not needed is not computed: the value, and what the planes of a long array would be
        last = dn.jit(dn.grad(lambda x: x[-1] ** 3)).lower(np.ones(100_000))
        assert max(program.inputs for program in last.programs) == 1


def test_an_infinite_entry_stays_with_its_neighbours():
    x = np.linspace(-1.0, 1.5, 40)
    expected = dn.grad(rosenbrock)(x)
    for bad in (np.nan, np.inf, -np.inf):
        y = x.copy()
        y[20] = bad
        got = dn.jit(dn.grad(rosenbrock))(y)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(np.isfinite(got), np.isfinite(dn.grad(rosenbrock)(y)))
        np.testing.assert_allclose(got[:19], expected[:19])
        np.testing.assert_allclose(got[22:], expected[22:])


@ENGINES
@pytest.mark.parametrize("n", [10, 20_000, 200_000])
def test_results_are_nobody_elses_memory(n, name):
    with dn.engine(name):
        fast = dn.jit(lambda x: (dn.grad(rosenbrock)(x), np.sin(x), np.zeros_like(x), x[1:] * 2))
        x = np.linspace(-1.0, 1.5, n)
        first = fast(x)
        kept = [y.copy() for y in first]
        second = fast(x + 1)
        assert all(y.flags.writeable for y in first)
        for y in (x, *second):
            for z in first:
                assert y is not z and not np.shares_memory(y, z)
        x += 1
        for y, z in zip(first, kept, strict=True):
            np.testing.assert_array_equal(y, z)
        for i, y in enumerate(second):
            y[:] = i
        np.testing.assert_array_equal([y[0] for y in second], range(4))
        for y, z in zip(fast(x - 1), kept, strict=True):
            np.testing.assert_allclose(y, z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [10, 300_000])
def test_threads_share_no_temporaries(n):
    fast, failures = dn.jit(dn.grad(rosenbrock)), []
    start = threading.Barrier(4)

    def work(seed):
        x = np.linspace(-1, 1, n) + seed
        expected = scipy.optimize.rosen_der(x)
        start.wait()
        for _ in range(200 if n == 10 else 5):
            if not np.allclose(fast(x), expected, rtol=1e-10):
                failures.append(seed)

    workers = [threading.Thread(target=work, args=(i / 8,)) for i in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not failures


def test_more_arrays_than_a_call_through_ctypes_takes():
    given = [np.full(3, float(i)) for i in range(1100)]
    np.testing.assert_array_equal(dn.jit(lambda *xs: sum(xs))(*given), np.full(3, 1099 * 1100 / 2))


def test_what_is_known_when_a_function_is_traced_is_computed_then():
    x, scale = np.linspace(0, 1, 5), np.arange(5.0)
    lowered = dn.jit(lambda x: x * (np.exp(scale) + np.ones_like(x) * 2)).lower(x)
    assert sum(np.exp in [n.op for n in p.nodes] for p in lowered.programs) == 0
    check(lambda x: x * (np.exp(scale) + np.ones_like(x) * 2), x)
    fast = dn.jit(lambda x: scale @ x + np.mean(x))  # taken as it is now
    before = fast(x)
    scale[:] = 7
    assert fast(x) == before == np.arange(5.0) @ x + np.mean(x)


# ── tracing once ─────────────────────────────────────────────────────────────────────────────────


def test_traced_once_for_each_signature():
    calls = []
    fast = dn.jit(lambda x, *rest: calls.append(1) or x * 2)
    x = np.linspace(0, 1, 4)
    given = [
        (x,), (x[:3],), (x.astype(np.float32),), (x, 1), (x, 2), (x, 0.5), (jet(x, 2),), (jet(x, 3),), (x[::2],),
        (x[:, None],), (x, "a"), (x, None), (2.0,),
    ]  # fmt: skip
    for args in given:
        before = len(calls)
        for _ in range(3):
            fast(*args)
        assert len(calls) == before + 1, args
    fast(x + 1), fast(x, 0.7), fast(3.0)
    assert len(calls) == len(given)


def test_the_cache_is_bounded():
    fast = dn.jit(lambda x, n: x + n)
    for n in range(300):
        fast(np.ones(1), n)
    assert len(fast._entries) == 256


@ENGINES
def test_threads_may_call_one_function_at_once(name):
    fast, failures = dn.jit(dn.derivative(f, 2)), []
    start = threading.Barrier(8)

    def work(seed):
        try:
            with dn.engine(name):
                start.wait()
                for n in range(1, 6):
                    x = np.linspace(0, 1, n) + seed
                    np.testing.assert_allclose(fast(x), dn.derivative(f, 2)(x), rtol=1e-12)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(i / 8,)) for i in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not failures


# ── what looks at numbers, or writes ─────────────────────────────────────────────────────────────


def written(x):
    x[0] = 1.0
    return x


def added(x):
    x += 1
    return x


LOOKING = {
    "branch": lambda x: x if x[0] > 0 else -x,
    "branch on any": lambda x: 1.0 if np.any(x > 0) else 2.0,
    "branch on equality": lambda x: 1.0 if np.array_equal(x, x) else 2.0,
    "float": lambda x: float(x[0]),
    "int": lambda x: int(x[0]),
    "complex": lambda x: complex(x[0]),
    "bool": lambda x: bool(x[0]),
    "item": lambda x: x[0].item(),
    "tolist": lambda x: x.tolist(),
    "range": lambda x: list(range(np.argmax(x))),
    "in": lambda x: 1.0 in x,
    "asarray": lambda x: np.asarray(x) * 2,
    "mask": lambda x: x[x > 0],
    "assignment": written,
    "in place": added,
    "out": lambda x: np.sin(x, out=x),
    "at": lambda x: np.add.at(x, 0, 1),
    "unique": lambda x: np.unique(x),
    "nonzero": lambda x: np.nonzero(x),
    "where of one": lambda x: np.where(x > 0),
    "extract": lambda x: np.extract(x > 0, x),
    "copyto": lambda x: np.copyto(x, 0.0),
}


@pytest.mark.parametrize("name", LOOKING)
def test_what_looks_at_numbers_or_writes_is_traced(name):
    g, x = LOOKING[name], np.array([0.5, 1.5])
    check(g, x)
    assert not dn.jit(g).explain(x).reason
    assert ambient() is AMBIENT  # nothing is left open


def test_what_gives_text_runs_as_it_is():
    fast = dn.jit(lambda x: np.array2string(x))
    with pytest.warns(dn.PerformanceWarning, match=r"runs as it is: array2string, which gives a str"):
        assert fast(np.array([0.5, 1.5])) == "[0.5 1.5]"
    assert "array2string" in fast.explain(np.array([0.5, 1.5])).reason


def test_jets_from_outside_run_the_function_itself():
    outside = jet(np.ones(2), 2)
    with pytest.warns(dn.PerformanceWarning, match="pass it as an argument"):
        np.testing.assert_array_equal(dn.jit(lambda x: x * outside)(np.ones(2)).coeffs, outside.coeffs)
    with pytest.warns(dn.PerformanceWarning, match="pass it as an argument"):
        got = dn.derivative(lambda t: dn.jit(lambda x: x * t)(np.ones(2)))(1.0)
    np.testing.assert_array_equal(got, np.ones(2))
    np.testing.assert_allclose(dn.jit(lambda x, y: x * y)(np.ones(2), outside).coeffs, outside.coeffs)


def test_static_arguments_must_be_hashable():
    with pytest.raises(TypeError, match=r"list cannot be hashed.*tuple"):
        dn.jit(lambda x, n: x, static_argnums=1)(np.ones(2), [1, 2])
    assert dn.jit(lambda x, n: x + len(n))(np.ones(2), {1}).tolist() == [2, 2]  # nobody said that it is one
    with pytest.raises(TypeError, match=r"static_argnums is 'n'"):
        dn.jit(lambda x, n: x, static_argnums="n")
    with pytest.raises(TypeError, match="f is a ndarray"):
        dn.jit(np.ones(2))


def test_a_tracer_kept_outside_is_dead():
    kept = []
    dn.jit(lambda x: kept.append(x) or x)(np.ones(2))
    with pytest.raises(dn.DualnumError, match="after it ended"):
        kept[0] + 1
    assert "shape=(2,)" in repr(kept[0])


def test_errors_of_the_function_pass_through():
    def fails(x):
        raise KeyError("mine")

    fast = dn.jit(fails)
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            fast(np.ones(2))
    with pytest.raises(ValueError):
        dn.jit(lambda x, y: x + y)(np.ones(2), np.ones(3))
    assert ambient() is AMBIENT


def test_arrays_of_other_kinds_run_the_function_itself():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    assert isinstance(dn.jit(lambda x: x + 1)(masked), np.ma.MaskedArray)
    assert dn.jit(lambda x: x[0])(np.array(["a", "b"])) == "a"
    assert dn.jit(lambda x: x[0])(np.array([None, 2], object)) is None
    assert scipy.special.erf(0.5) == pytest.approx(dn.jit(scipy.special.erf)(np.array([0.5]))[0])
