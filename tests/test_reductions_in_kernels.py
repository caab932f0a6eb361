"""Sums and their kin are found by the kernel that computes what is summed."""

import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn
from dualnum.kernel import engine
from dualnum.kernel.cpu import host, threads
from dualnum.kernel.interpret import INTERPRETER
from dualnum.kernel.ir import Graph
from dualnum.kernel.layout import Group, Planes
from dualnum.kernel.plan import prepare
from dualnum.kernel.reduction import Way

pytest.importorskip("llvmlite")
SIZES = [0, 1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 100_003, 1_000_000]
UFUNCS = [np.add, np.multiply, np.maximum, np.minimum]


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def counts(f: Any, *args: Any) -> tuple[int, int, int]:
    """Kernels, calls of NumPy and passes over memory."""
    why = dn.jit(f).explain(*args)
    return len(why.kernels), len(why.calls), why.passes


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", SIZES)
def test_a_sum_is_as_exact_as_that_of_numpy(n: int, dtype: Any) -> None:
    x = np.random.default_rng(n).normal(size=n).astype(dtype)
    total = dn.jit(lambda x: np.sum(x * x * x))(x)
    terms = x * x * x
    bound = (12 + math.log2(max(n, 128))) * np.finfo(dtype).eps * np.sum(np.abs(terms), dtype=float)
    assert total.dtype == dtype and np.shape(total) == ()
    assert abs(float(total) - math.fsum(terms)) <= bound


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ufunc", UFUNCS)
@pytest.mark.parametrize("row", [0, 32, 33, 39, 257, 600])
def test_a_kernel_reduces_as_the_interpreter_does(ufunc: np.ufunc, dtype: Any, row: int) -> None:
    ways = [Way(ufunc, row), Way(np.maximum, row)] + ([Way(ufunc, row, columns=True)] if row else [])
    graph = Graph(np.dtype(dtype))
    x = graph.input()
    y = graph.node(np.multiply, x, x)
    program = graph.finish([graph.reduced(way, z) for way, z in zip(ways, (y, x, y), strict=False)] + [y])
    for n in (
        (1, 2, 7, 8, 9, 31, 32, 33, 255, 256, 257, 1000, 5001) if row == 0 else (row, 2 * row, 63 * row, 130 * row)
    ):
        x = np.random.default_rng(n).uniform(0.9, 1.1, n).astype(dtype)
        found = []
        for machine in (engine.named("llvm"), INTERPRETER):
            plan = prepare(program, [Group("c", 1)], [1] * (len(ways) + 1), machine)
            results = [np.ones((1, *shape), dtype) for shape in (*(way.parts(n) for way in ways), (n,))]
            plan.run(results, [(Planes(x[None], 1), "c")], n)
            if row:
                results[2] = results[2][..., :row]
            found.append(results)
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(found[0][0][0], ways[0].partial(x * x))


@pytest.mark.parametrize("lesser", ["haswell", "x86-64"])
def test_bits_do_not_depend_on_the_width_of_vectors(lesser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not host.host_key()[1] or host.host().mvec_letter not in ("d", "e"):
        pytest.skip("another kind of processor")
    x = np.random.default_rng(0).normal(size=100_003)
    fast = dn.jit(lambda x: (np.sum(x * x - x), np.max(x * 3.0), np.prod(1.0 + x * 1e-3)))(x)
    monkeypatch.setattr(host, "LESSER", lesser)
    slow = dn.jit(lambda x: (np.sum(x * x - x), np.max(x * 3.0), np.prod(1.0 + x * 1e-3)))(x)
    assert list(map(float, fast)) == list(map(float, slow))


def test_bits_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=1_000_003)

    def f(x: Any) -> Any:
        y = np.sin(x) * np.exp(-x * x)
        return y, np.sum(y), np.min(y), np.sum(np.cosh(x) > 2.0)

    monkeypatch.setattr(threads, "WORTH", 1000)
    found = []
    for count in (1, 2, 3, 7):
        monkeypatch.setattr(threads, "_threads", count)
        found.append(dn.jit(f)(x))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_bits_do_not_depend_on_the_process() -> None:
    code = (
        "import numpy as np, dualnum as dn\nx = np.random.default_rng(0).normal(size=500_001)\n"
        "print(float(dn.jit(lambda x: np.sum(np.tanh(x) * x))(x)).hex())"
    )
    said = []
    for count in ("1", "2"):
        environment = os.environ | {"DUALNUM_NUM_THREADS": count}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        said.append(run.stdout)
    assert said[0] == said[1]


# ── special numbers ──────────────────────────────────────────────────────────────────────────────

REDUCTIONS = [np.sum, np.mean, np.max, np.min, np.prod, np.linalg.norm, np.var, np.std]


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("special", [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [np.inf, np.nan], [-0.0]])
@pytest.mark.parametrize("n", [65, 100, 1000])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_special_numbers(reduce: Any, special: list[float], n: int) -> None:
    x = np.random.default_rng(0).uniform(0.9, 1.1, n)
    x[[n // 3, n - 1][: len(special)]] = special
    np.testing.assert_allclose(dn.jit(lambda x: reduce(x * 1.0 - 0.0))(x), reduce(x), rtol=1e-12)
    x[:] = special[0]
    np.testing.assert_allclose(dn.jit(lambda x: reduce(0.0 + x))(x), reduce(x), rtol=1e-12)


def test_zeros_that_are_negative_or_none() -> None:
    x = np.full(1000, -0.0)
    for n in (0, 1, 64, 65, 1000):
        ours, theirs = dn.jit(lambda x: np.sum(x * 1.0))(x[:n]), np.sum(x[:n])
        assert ours == theirs == 0.0 and np.signbit(ours) == np.signbit(theirs)
    with pytest.raises(ValueError, match="zero-size array"):
        dn.jit(lambda x: np.max(np.sin(x)))(np.zeros(0))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_truth_values(dtype: Any) -> None:
    x = np.random.default_rng(0).normal(size=100_003).astype(dtype)
    x[5] = np.nan
    cases = [
        lambda x: np.sum(np.sin(x) > 0.5), lambda x: np.count_nonzero(np.sin(x) > 0.5),
        lambda x: np.any(np.sin(x) > 2.0), lambda x: np.all(np.sin(x) < 2.0), lambda x: np.all(np.abs(np.sin(x)) < 2.0),
        lambda x: np.any(np.isnan(x)), lambda x: np.any(x * 0.0), lambda x: np.all(x * 0.0),
        lambda x: np.count_nonzero(np.floor(x)), lambda x: np.mean(x > 0), lambda x: np.sum((x > 0) & (x < 1)),
    ]  # fmt: skip
    for f in cases:
        ours, theirs = dn.jit(f)(x), f(x)
        assert ours == theirs and type(ours) is type(theirs), (ours, theirs)


def test_a_branch_on_a_reduction() -> None:
    f = dn.jit(lambda x: np.sum(x * x) if np.max(np.abs(x) * 2.0) < 10.0 else np.sum(np.abs(x)))
    x = np.random.default_rng(0).normal(size=1000)
    for y in (x, 10.0 * x, x):
        assert f(y) == pytest.approx(np.sum(y * y) if np.max(np.abs(y)) * 2 < 10.0 else np.sum(np.abs(y)), rel=1e-13)


# ── shapes and layouts ───────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    how=st.sampled_from(["C", "F", "step", "broadcast"]),
    axis=st.sampled_from([None, 0, -1, (0, -1), "all"]),
    keepdims=st.booleans(),
    reduce=st.sampled_from([np.sum, np.max, np.min, np.prod, np.mean, np.any]),
)
def test_shapes_and_layouts(shape: list[int], how: str, axis: Any, keepdims: bool, reduce: Any) -> None:
    x = np.random.default_rng(0).uniform(0.9, 1.1, shape)
    if how == "F":
        x = np.asfortranarray(x)
    elif how == "step":
        x = np.repeat(x, 2, 0)[::2]
    elif how == "broadcast":
        x = np.broadcast_to(x[:1], shape)
    if axis == "all":
        axis = tuple(range(len(shape)))
    elif axis == (0, -1) and len(shape) == 1:
        axis = 0

    def f(x: Any) -> Any:
        return reduce(x * x - 0.5 * x, axis=axis, keepdims=keepdims)

    ours, theirs = dn.jit(f)(x), f(x)
    assert np.shape(ours) == np.shape(theirs) and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_products_of_vectors() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 1000))
    for f in (np.dot, np.vdot, np.inner, np.matmul, np.vecdot):
        g = lambda x, y, f=f: f(np.sin(x), y)  # noqa: E731
        assert counts(g, x, y) == (1, 0, 2)
        assert dn.jit(g)(x, y) == pytest.approx(g(x, y), rel=1e-12)
        for its in (dn.grad(g), dn.hessian(g)):
            np.testing.assert_allclose(dn.jit(its)(x[:100], y[:100]), its(x[:100], y[:100]), rtol=1e-12, atol=1e-13)


# ── what is beside ───────────────────────────────────────────────────────────────────────────────


def test_an_array_that_is_wanted_is_written_in_the_same_pass() -> None:
    x = np.random.default_rng(0).normal(size=5000)

    def f(x: Any) -> Any:
        y = np.sin(x)
        return y, np.sum(y), np.max(y)

    assert counts(f, x) == (1, 0, 2)
    for a, b in zip(dn.jit(f)(x), f(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_number_is_read_by_the_next_kernel() -> None:
    x = np.random.default_rng(0).normal(size=5000)

    def f(x: Any) -> Any:
        e = np.exp(x - np.max(x * 1.0))
        return e / np.sum(e)

    assert counts(f, x)[:2] == (3, 0)
    np.testing.assert_allclose(dn.jit(f)(x), f(x), rtol=1e-12)


DERIVED = [
    lambda x: np.sum(np.sin(x) ** 2), lambda x: np.mean(np.tanh(x)) ** 2, lambda x: np.max(np.sin(x)),
    lambda x: np.linalg.norm(np.exp(x)), lambda x: np.dot(np.sin(x), x), lambda x: np.prod(1.0 + 0.01 * np.sin(x)),
    lambda x: np.var(np.sin(x)), lambda x: np.log(np.sum(np.exp(x - np.max(x)))), rosenbrock,
    lambda x: np.sum(np.diff(np.sin(x)) ** 2), lambda x: np.sum(x[2:] * x[:-2] * np.exp(x[1:-1])),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(DERIVED)))
@pytest.mark.parametrize("n", [70, 300])
def test_derivatives_are_those_of_eager(number: int, n: int) -> None:
    f = DERIVED[number]
    x = np.random.default_rng(n).normal(size=n)
    v = np.random.default_rng(n + 1).normal(size=n)
    transforms = [dn.grad(f), dn.value_and_grad(f), dn.taylor(f, 3), dn.hessian(f) if n < 100 else f, dn.derivative(f)]
    for g in [*transforms, lambda x: dn.vhp(f)(x, v), lambda x: dn.hvp(f)(x, v)]:
        ours, theirs = dn.jit(g)(x), g(x)
        for a, b in (
            zip(np.atleast_1d(ours), np.atleast_1d(theirs), strict=True)
            if not isinstance(ours, tuple)
            else zip(ours, theirs, strict=True)
        ):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


# ── how many passes ──────────────────────────────────────────────────────────────────────────────


def test_a_sum_is_one_pass() -> None:
    x = np.random.default_rng(0).normal(size=10_000)
    assert counts(lambda x: np.sum(np.sin(x) ** 2), x) == (1, 0, 1)
    assert counts(rosenbrock, x) == (1, 0, 1)
    assert "1 summed" in repr(dn.jit(rosenbrock).explain(x))


def test_the_gradient_of_slices_is_one_kernel() -> None:
    x, v = np.random.default_rng(0).normal(size=(2, 10_000))
    assert counts(dn.grad(rosenbrock), x) == (1, 0, 2)
    assert counts(lambda x, v: dn.hvp(rosenbrock)(x, v), x, v) == (1, 0, 3)


@pytest.mark.parametrize("n", [2, 3, 8, 9, 66, 100, 1000, 1001, 100_003])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_windows_that_are_computed_where_they_are_put(n: int, dtype: Any) -> None:
    x, v = np.random.default_rng(n).normal(size=(2, n)).astype(dtype)
    exact = 1e-12 if dtype == np.float64 else 1e-4

    def parts(x: Any) -> Any:
        a = x[1:] * x[:-1] - 3.0
        b = np.where(x[1:] > 0.0, x[1:] / (1.0 + x[1:] ** 2), x[:-1])
        return np.sum(a * b) + np.sum(a[1:] * b[:-1])

    for f in (rosenbrock, parts):
        for g in (dn.grad(f), lambda x, f=f: dn.hvp(f)(x, v)):
            y = dn.jit(g)(x)
            assert y.dtype == dtype
            np.testing.assert_allclose(y, g(x), rtol=exact, atol=exact * 100)


def test_dear_functions_are_not_computed_twice() -> None:
    x = np.random.default_rng(0).normal(size=1000)
    text = str(dn.jit(dn.grad(lambda x: np.sum(np.sin(x[1:] * x[:-1])))).lower(x).programs)
    programs = dn.jit(dn.grad(lambda x: np.sum(np.sin(x[1:] * x[:-1])))).lower(x).programs
    assert sum(node.op is np.cos for p in programs for node in p.nodes) == 1, text


def test_what_is_put_into_few_places_is_not_computed_everywhere() -> None:
    x = np.random.default_rng(0).normal(size=1000)
    gradient = dn.grad(lambda x: np.sum(x * x) + np.sum(np.exp(x[:100] * x[100:200])))
    assert all(k[0] != "float64[1000]" or k[1] < 12 for k in dn.jit(gradient).explain(x).kernels)
    np.testing.assert_allclose(dn.jit(gradient)(x), gradient(x), rtol=1e-13)


def test_the_value_is_summed_in_the_kernel_of_the_gradient() -> None:
    x = np.random.default_rng(0).normal(size=10_000)
    both = dn.value_and_grad(rosenbrock)
    assert counts(both, x) == (1, 0, 2)
    (a, b), (c, d) = dn.jit(both)(x), both(x)
    assert a == pytest.approx(c, rel=1e-14)
    np.testing.assert_allclose(b, d, rtol=1e-12, atol=1e-11)

    def scaled(x: Any) -> Any:  # the sum is needed before the gradient
        return np.log(np.sum(x[1:] ** 2 * x[:-1] ** 2)) * np.max(x[1:] - x[:-1])

    for y, z in zip(dn.jit(dn.value_and_grad(scaled))(x), dn.value_and_grad(scaled)(x), strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-11, atol=1e-14)


def test_other_machines_have_other_kernels() -> None:
    x = np.linspace(0.1, 1.0, 100)
    for f in (rosenbrock, dn.grad(rosenbrock)):
        lowered = dn.jit(f).lower(x)
        assert lowered.cuda.startswith("; ") and "define" in lowered.llvm and lowered.assembly
    assert dn.jit(rosenbrock)(
        x,
    ) == pytest.approx(rosenbrock(x))


# ── rows and columns ─────────────────────────────────────────────────────────────────────────────


def softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x * 1.0, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(2, 32), (3, 33), (70, 100), (5, 7, 40), (130, 600), (1, 1000), (1000, 1)])
def test_rows_and_columns(shape: tuple[int, ...], dtype: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x[0, ..., -1] = np.nan if dtype == np.float64 else 2.0
    cases = [
        lambda x: np.sum(x * x, axis=-1), lambda x: np.mean(np.sin(x), axis=0), lambda x: np.max(np.sin(x), axis=-1),
        lambda x: np.min(np.sin(x), axis=0), softmax, lambda x: (np.sum(x * x, axis=0), np.sum(x * x), x * x),
        lambda x: np.sum(x > 0.5, axis=0), lambda x: np.any(np.sin(x) > 0.9, axis=-1, keepdims=True),
        lambda x: np.all(x < 2.0, axis=0), lambda x: np.sum(x * x, axis=(0, 1)), lambda x: np.prod(np.cos(x), axis=0),
    ]  # fmt: skip
    exact = 1e-12 if dtype == np.float64 else 2e-5
    for f in cases:
        ours, theirs = dn.jit(f)(x), f(x)
        for a, b in zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]:
            assert np.shape(a) == np.shape(b) and a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=exact, atol=exact)


def test_rows_are_one_pass() -> None:
    x = np.random.default_rng(0).normal(size=(200, 100))
    for axis in (0, 1):
        why = dn.jit(lambda x, a=axis: np.sum(x * x, axis=a)).explain(x)
        assert (len(why.kernels), len(why.calls), why.passes) == (1, 0, 1)
    assert counts(softmax, x)[:2] == (3, 0)


def test_bits_of_rows_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(1003, 301))
    monkeypatch.setattr(threads, "WORTH", 1000)
    found = []
    for count in (1, 2, 5):
        monkeypatch.setattr(threads, "_threads", count)
        f = dn.jit(lambda x: (np.sum(x * x, axis=0), np.sum(x * x, axis=1), np.sum(x * x), x * x))
        found.append(f(x))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_derivatives_of_rows() -> None:
    x = np.random.default_rng(0).normal(size=(40, 35))
    w = np.random.default_rng(1).normal(size=35)

    def loss(x: Any, w: Any) -> Any:
        return np.mean(np.log(np.sum(np.exp(x * w), axis=1))) + np.sum(np.mean(np.tanh(x * w), axis=0) ** 2)

    for argnums in (0, 1):
        g = dn.grad(loss, argnums=argnums)
        np.testing.assert_allclose(dn.jit(g)(x, w), g(x, w), rtol=1e-11, atol=1e-14)
    g = dn.jacfwd(loss, argnums=1)
    np.testing.assert_allclose(dn.jit(g)(x, w), g(x, w), rtol=1e-11, atol=1e-14)
