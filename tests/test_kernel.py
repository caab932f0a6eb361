"""Programs and the machines that run them: every engine gives what the interpreter gives."""

import os
import platform
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dualnum import jet, memory
from dualnum.algebra import Univariate
from dualnum.jets import eager
from dualnum.kernel import interpret, launch
from dualnum.kernel.bounded import Bounded
from dualnum.kernel.cpu import host, native, store, threads
from dualnum.kernel.cpu.call import signature
from dualnum.kernel.engine import available, engine, named
from dualnum.kernel.interpret import INTERPRETER
from dualnum.kernel.ir import INPUT, Graph, Instruction, Program, Symbol, Untraceable, prune, verify
from dualnum.kernel.layout import Group, Routine
from dualnum.kernel.optimize import _rewrite, optimize
from dualnum.kernel.plan import prepare
from dualnum.primitives import rows
from dualnum.primitives.table import Series

needs_llvm = pytest.mark.skipif("llvm" not in available(), reason="llvmlite is not installed")
# NumPy's; SciPy's are measured on every engine in tests of their own
FLOAT_ROWS = [r for r in rows() if r.rule is not None and r.ufunc.nout == 1 and r.ufunc in vars(np).values()]


def close(a, b, dtype, factor=64):
    """Equal within the tolerance of compiled code, infinities and NaNs in the same places."""
    a, b = np.asarray(a), np.asarray(b)
    scale = np.max(np.abs(np.where(np.isfinite(b), b, 0)), initial=np.finfo(dtype).tiny)
    return np.allclose(
        a, b, rtol=factor * np.finfo(dtype).eps, atol=factor * np.finfo(dtype).eps * scale, equal_nan=True
    )


def points(row, n, dtype, rng):
    return [rng.uniform(lo, hi, n).astype(dtype) for lo, hi in row.sample]


# ── programs ─────────────────────────────────────────────────────────────────────────────────────


def program_of(f, order, dtype=np.float64):
    graph = Graph(dtype)
    x = graph.input()
    with graph.relax():
        return graph.finish(f(Series(order, [x, 1.0])).coefficients)


def test_a_program_is_its_recurrence():
    program = program_of(np.exp, 3)
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(interpret.evaluate(program, [x]), [np.exp(x) / k for k in (1, 1, 2, 6)], rtol=4e-16)


def test_equal_operations_are_found_and_ones_vanish():
    graph = Graph(np.float64)
    x, y = graph.input(), graph.input()
    assert (x * y).index == (y * x).index and (1.0 * x).index == x.index and (x / 1).index == x.index
    assert (x + y).index != (y + x).index  # which product is fused depends on the side
    assert (graph.constant(2.0) * graph.constant(3.0)).constant == 6.0
    # nothing that IEEE arithmetic would see: x·0 and x + 0 stay
    assert (x * 0.0).index != graph.constant(0.0).index and (x + 0.0).index != x.index


def test_a_seed_of_degree_one_leaves_no_trace_of_its_zeros_and_ones():
    names = [n.op if isinstance(n.op, str) else n.op.__name__ for n in program_of(lambda u: u * u, 5).nodes]
    assert names.count("multiply") <= 2 and "power" not in names


def test_symbols_refuse_to_be_looked_at():
    graph = Graph(np.float64)
    x = graph.input()
    for look in (bool, float, np.asarray, lambda x: np.unique(x), lambda x: np.add.reduce(x), lambda x: range(10)[x]):
        with pytest.raises(Untraceable):
            look(x)


def test_the_verifier_finds_malformed_programs():
    good = Program((Instruction(INPUT, (), 0), Instruction(np.sin, (0,))), 1, (1,), np.dtype(float))
    verify(good)
    for nodes, outputs in (
        ((Instruction(np.sin, (0,)),), (0,)),
        (good.nodes, (2,)),
        ((Instruction(INPUT, (), 3),), (0,)),
    ):
        with pytest.raises(AssertionError):
            verify(Program(nodes, 1, outputs, np.dtype(float)))


def test_pruning_drops_what_no_output_needs():
    graph = Graph(np.float64)
    x = graph.input()
    np.sin(x)
    assert [n.op for n in prune(graph.nodes, 1, [np.cos(x).index], graph.dtype).nodes] == [INPUT, np.cos]


def test_optimizing_shares_reciprocals_and_fuses():
    program = optimize(program_of(lambda u: np.log(1 + u * u), 5))
    names = [n.op if isinstance(n.op, str) else n.op.__name__ for n in program.nodes]
    assert names.count("divide") == 1 and names.count("fma") >= 4


def test_the_value_is_never_relaxed():
    graph = Graph(np.float64)
    x, y = graph.input(), graph.input()
    value = x * y + x / y
    program = optimize(graph.finish([value]))
    assert [n.op for n in program.nodes if n.op != INPUT] == [np.multiply, np.divide, np.add]


@st.composite
def programs(draw):
    graph = Graph(np.float64)
    symbols = [graph.input(), graph.input()]
    unary = [np.negative, np.sqrt, np.exp, np.sin, np.tanh, np.absolute, np.floor, np.sign, np.rint, np.square]
    binary = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.fmax, np.copysign, np.hypot]
    for _ in range(draw(st.integers(1, 12))):
        graph.relaxed = draw(st.booleans())
        kind = draw(st.sampled_from(["unary", "binary", "select"]))
        pick = lambda: draw(st.sampled_from(symbols))  # noqa: E731
        if kind == "unary":
            symbols.append(draw(st.sampled_from(unary))(pick()))
        elif kind == "binary":
            symbols.append(draw(st.sampled_from(binary))(pick(), pick()))
        else:
            symbols.append(np.where(pick() < pick(), pick(), pick()))
    return graph.finish([symbols[-1]])


@needs_llvm
@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(0, 40))
def test_random_programs_agree_on_every_engine(program, n):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(2, n))
    expected, got = _interpreted(program, x, y), np.full((1, n), np.nan)
    arguments = [(launch.Planes(a[None], 1), "c") for a in (x, y)]
    prepare(program, [Group("c", 1)] * 2, (1,), named("llvm")).run([got], arguments, n)
    # a chain of operations may amplify a rounding: compare the ones it leaves well conditioned
    steady = ~np.isfinite(expected)
    near = [_interpreted(_rounded(program, by), x * (1 + by), y * (1 - by)) for by in (2.0**-52, -(2.0**-52))]
    steady |= np.all([np.isclose(expected, other, rtol=1e-13, atol=0) for other in near], axis=0)
    assert np.allclose(got[steady], expected[steady], rtol=1e-11, equal_nan=True)


def _rounded(program, by):
    """The program with another rounding of what may be rearranged within rounding."""

    def other(graph, node, args):
        return graph.node(node.op, *args, relaxed=False) * (1 + by) if node.relaxed else None

    return _rewrite(program, other)


def _interpreted(program, *arrays):
    result, n = np.empty((1, len(arrays[0]))), len(arrays[0])
    arguments = [(launch.Planes(a[None], 1), "c") for a in arrays]
    prepare(program, [Group("c", 1)] * len(arrays), (1,), INTERPRETER).run([result], arguments, n)
    return result


# ── primitives on every engine ───────────────────────────────────────────────────────────────────


@needs_llvm
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", [0, 1, 3, 8])
@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda r: r.name)
def test_engines_agree(row, order, dtype):
    rng = np.random.default_rng(5)
    arrays = points(row, 21, dtype, rng)
    for moving in range(len(arrays)):
        operands = [jet(a, order) if i == moving else a for i, a in enumerate(arrays)]
        results = []
        for name in ("interpret", "llvm"):
            with engine(name):
                try:
                    results.append(row.ufunc(*operands).coeffs)
                except (TypeError, NotImplementedError):  # constant parameters, integer operands
                    results.append(None)
        if results[0] is None:
            assert results[1] is None
            continue
        expected, got = results
        assert got.dtype == expected.dtype and got.shape == expected.shape
        for k in range(order + 1):
            assert close(got[k], expected[k], expected.dtype, 200 * (k + 1)), (row.name, k)


@needs_llvm
def test_almost_every_float_row_is_compiled():
    without = []
    for row in FLOAT_ROWS:
        described = tuple(((1,), "c") for _ in range(row.ufunc.nin))
        operands = [launch.Planes(np.ones((2, 3)), 2, (1,)) for _ in range(row.ufunc.nin)]
        if launch.plan_for(row, Univariate(3), described, np.dtype(float), named("llvm"), operands) is None:
            without.append(row.name)
    assert len(without) <= len(FLOAT_ROWS) // 3, without
    assert not {"sin", "exp", "multiply", "divide", "tanh", "sqrt", "maximum", "arctan2", "hypot"} & set(without)


# ── layouts, lengths, threads ────────────────────────────────────────────────────────────────────


def f(x):
    return np.sin(x) * np.exp(-x * x) + np.log(1 + x * x) / (2 + np.cos(x))


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_value_does_not_depend_on_where_it_stands(name, dtype):
    x = np.linspace(-2, 2, 67).astype(dtype)
    with engine(name):
        whole = f(jet(x, 3)).coeffs
        for n in [*range(1, 35), 66]:
            assert np.array_equal(f(jet(x[:n], 3)).coeffs, whole[:, :n])
            assert np.array_equal(f(jet(x[67 - n :], 3)).coeffs, whole[:, 67 - n :])
        for i in (0, 13, 66):
            assert np.array_equal(f(jet(x[i], 3)).coeffs, whole[:, i])
        assert np.array_equal(f(jet(x[::-3], 3)).coeffs, whole[:, ::-3])
        assert np.array_equal(f(jet(x, 3)[::2]).coeffs, whole[:, ::2])
        assert np.array_equal(f(jet(x[:66].reshape(6, 11), 3).T).coeffs, whole[:, :66].reshape(4, 6, 11).swapaxes(1, 2))


@pytest.fixture(params=["", "haswell", "x86-64"])
def processor(request, monkeypatch):
    """The processor at hand, and two that can do less."""
    if request.param and (platform.machine() not in ("x86_64", "AMD64") or host.host().vector_bytes < 32):
        pytest.skip("it is not one that could do more")

    def clear():
        launch._plans.clear()
        eager._entries.clear()

    monkeypatch.setattr(host, "LESSER", request.param)
    clear()
    yield request.param
    clear()


@needs_llvm
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_left_of_an_array_goes_through_the_same_loop(processor, dtype):
    """Every length, layout and begin, one direction or several: nothing beyond the end is read or written."""
    x = np.linspace(-2, 2, 67).astype(dtype)
    with engine("llvm"):
        whole = f(jet(x, 3)).coeffs
        many = f(jet(x, 2, directions=np.linspace(0.5, 1.5, 201).reshape(3, 67).astype(dtype))).coeffs
        for n in [*range(1, 35), 66]:
            assert np.array_equal(f(jet(x[:n], 3)).coeffs, whole[:, :n])
            assert np.array_equal(f(jet(x[::-2], 3)[:n]).coeffs, whole[:, ::-2][:, :n])
            part = jet(x[:n], 2, directions=np.linspace(0.5, 1.5, 201).reshape(3, 67)[:, :n].astype(dtype))
            assert np.array_equal(f(part).coeffs, many[..., :n])
    graph, group = Graph(dtype), [Group("c", 1)]
    a, b = graph.input(), graph.input()
    routine = Routine(graph.finish([a * b], a > graph.constant(1.5)), group, [*group, *group])
    machine = named("llvm")
    call = machine.compile(routine)
    a, b = x.copy(), x[::-1].copy()
    for begin in (0, 1, 5, 16, 64):
        for end in (*range(begin, begin + 20), 67):
            y = np.full(67, np.nan, dtype)
            raised = call(machine.handle(y), machine.handle(a), machine.handle(b), 67, begin, min(end, 67))
            expected = np.full(67, np.nan, dtype)
            expected[begin:end] = (a * b)[begin:end]
            assert np.array_equal(y, expected, equal_nan=True) and bool(raised) == bool((a[begin:end] > 1.5).any())
    loop = machine.render(routine).partition("loop:")[2].partition("behind:")[0]
    assert "masked" not in loop and loop.count("fmul") == 1


@needs_llvm
@pytest.mark.parametrize("count", [1, 2, 8])
def test_threads_change_nothing(monkeypatch, count):
    x = np.linspace(-2, 2, 300_001)
    with engine("llvm"):
        expected = f(jet(x[::100], 2)).coeffs
        monkeypatch.setattr(threads, "_threads", count)
        assert np.array_equal(f(jet(x, 2)).coeffs[:, ::100], expected)


@pytest.mark.parametrize("name", available())
def test_broadcasting_and_numbers(name):
    x, y = np.linspace(0.5, 1.5, 4), np.linspace(1, 2, 3)[:, None]
    with engine(name):
        z = jet(x, 2) * jet(y, 2)
        np.testing.assert_allclose(z.coeffs, [x * y, x + y, np.ones((3, 4))])
        np.testing.assert_allclose((jet(2.0, 2) * jet(x, 2)).coeffs, [2 * x, 2 + x, np.ones(4)])
        np.testing.assert_allclose((3 - jet(x, 2)).coeffs, [3 - x, -np.ones(4), np.zeros(4)])
        np.testing.assert_allclose((jet(x, 2) / 4).coeffs, [x / 4, np.full(4, 0.25), np.zeros(4)])
        np.testing.assert_allclose((4 / jet(x, 2)).coeffs, [4 / x, -4 / x**2, 4 / x**3], rtol=4e-15)
        np.testing.assert_allclose((x * jet(x, 2)).coeffs, [x * x, x, np.zeros(4)])


@pytest.mark.parametrize("name", available())
@pytest.mark.parametrize("x", [5e-324, -5e-324, 1e-310, np.inf, -np.inf, np.nan, 0.0, -0.0, 710.0, -745.0])
def test_hard_numbers_come_out_alike(name, x):
    for g in (np.exp, np.tanh, np.arctan, np.square, np.absolute, np.expm1, np.floor, np.cos):
        with engine("interpret"):
            expected = g(jet(np.full(9, x), 3)).coeffs
        with engine(name):
            got = g(jet(np.full(9, x), 3)).coeffs
        assert np.array_equal(np.isnan(got), np.isnan(expected)) and np.array_equal(np.isinf(got), np.isinf(expected))
        finite = np.isfinite(expected)
        np.testing.assert_allclose(got[finite], expected[finite], rtol=1e-14, atol=1e-323)


@needs_llvm
def test_without_the_vector_library_everything_is_the_same(monkeypatch):
    x = np.linspace(0.1, 0.9, 21)
    with engine("llvm"):
        monkeypatch.setenv("DUALNUM_CACHE", "0")
        before = {g: g(jet(x, 3)).coeffs for g in (np.sin, np.exp, np.arctanh, np.log1p, np.cbrt)}
        monkeypatch.setattr(host, "HIDE_LIBMVEC", True)
        assert host.host().mvec is None
        for g, expected in before.items():
            row = next(r for r in rows() if r.ufunc is g)
            groups, graph = [Group("c", 2)], Graph(np.float64)
            u = [graph.input(), graph.input()]
            plan = prepare(graph.finish(row.expand(3, u)), groups, (4,), named("llvm"))
            out = np.empty((4, 21))
            plan.run([out], [(launch.Planes(jet(x, 3).coeffs.copy(), 2), "c")], 21)
            np.testing.assert_allclose(out, expected, rtol=2e-14)


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


@needs_llvm
def test_object_code_is_kept_on_disk_and_damage_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("DUALNUM_CACHE_DIR", str(tmp_path))
    graph = Graph(np.float64)
    machine, group = named("llvm"), [Group("c", 1)]
    routine = Routine(graph.finish([np.sin(graph.input()) * 1.2345]), group, group)
    text, types = machine.render(routine), signature(routine)
    for damage in (None, b"", b"dualnum object 1\nnonsense"):
        store._loaded.clear()
        entries = list(tmp_path.iterdir())
        if damage is not None:
            entries[0].write_bytes(damage)
        call = store.kernel(text, types)
        x, y = np.linspace(0, 1, 11), np.empty(11)
        call(machine.handle(y), machine.handle(x), 11, 0, 11)
        np.testing.assert_allclose(y, np.sin(x) * 1.2345, rtol=1e-15)
        assert len(list(tmp_path.iterdir())) == 1


@needs_llvm
def test_a_directory_that_cannot_be_written_is_no_error(monkeypatch):
    monkeypatch.setenv("DUALNUM_CACHE_DIR", "/dev/null/nowhere")
    store._loaded.clear()
    with engine("llvm"):
        assert np.isclose(np.sin(jet(0.3, 1) * 0.77).value, np.sin(0.3 * 0.77))


@needs_llvm
def test_the_cache_can_be_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv("DUALNUM_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DUALNUM_CACHE", "0")
    assert store.directory() is None


def test_bounded_caches_stay_bounded():
    cache = Bounded(3)
    for i in range(10):
        cache.put(i, str(i))
        cache.get(7)
    assert len(cache) == 3 and cache.get(9) == "9" and cache.get(7) == "7" and cache.get(0) is None


@needs_llvm
def test_threads_may_compile_at_once():
    failures = []

    def work(seed):
        try:
            x = np.linspace(0.1, 1, 50) + seed
            with engine("llvm"):
                y = np.cos(jet(x, 4) * (1.0 + seed / 7)) ** 2
                expected = np.cos(x * (1.0 + seed / 7)) ** 2
            np.testing.assert_allclose(y.value, expected, rtol=1e-14)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not failures


@needs_llvm
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_computes():
    code = (
        "import os, numpy as np, dualnum as dn\n"
        "x = dn.jet(np.linspace(0, 1, 400_000), 2)\n"
        "with dn.engine('llvm'):\n"
        "    a = np.sin(x).coeffs.sum()\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        os._exit(0 if np.sin(x).coeffs.sum() == a else 1)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_without_llvmlite_the_interpreter_runs():
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'llvmlite' else find(name, *a)\n"
        "import numpy as np, dualnum as dn\n"
        "from dualnum.kernel.engine import available, current\n"
        "assert available() == ('interpret',) and current() == 'interpret'\n"
        "assert abs(np.exp(dn.jet(0.0, 3)).coeffs[3] - 1 / 6) < 1e-16\n"
        "try:\n"
        "    with dn.engine('llvm'): pass\n"
        "except ValueError as error:\n"
        "    assert 'llvmlite' in str(error)\n"
        "else:\n"
        "    raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_an_engine_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'interpret', 'llvm'"), engine("cuda-core"):
        pass


@needs_llvm
def test_ten_thousand_programs_leave_bounded_caches():
    for i in range(200):  # the caches' limits, not the count, keep memory: see test_bounded_caches_stay_bounded
        launch._plans.get(("filler", i), lambda: None)
    assert len(launch._plans) <= launch._plans.limit and len(store._loaded) <= store._loaded.limit
    assert isinstance(Graph(np.float64).input(), Symbol)


def test_large_memory_is_used_again_and_never_while_someone_looks():
    memory.release()
    shape = (4, memory.LARGE // 16)
    first = memory.empty(shape, np.dtype(float))
    address = first.__array_interface__["data"][0]
    assert address % 64 == 0 and first.flags.writeable and first.flags.c_contiguous and first.shape == shape
    view = first[1:, ::2]
    view[...] = 7.0
    del first
    assert memory.kept() == 0  # the view still looks at it
    second = memory.empty(shape, np.dtype(float))
    second[...] = 1.0
    assert second.__array_interface__["data"][0] != address and (view == 7.0).all()
    del view
    assert memory.kept() > 0
    assert memory.empty(shape, np.dtype(float)).__array_interface__["data"][0] == address
    small = memory.empty((3,), np.dtype(np.float32))
    assert small.shape == (3,) and small.dtype == np.float32
    memory.release()
    assert memory.kept() == 0


def test_kept_memory_is_bounded():
    memory.release()
    size = memory._LIMIT // 8 // 8
    arrays = [memory.empty((size + i,), np.dtype(float)) for i in range(12)]
    del arrays
    assert memory.kept() <= memory._LIMIT
    memory.release()


def test_numbers_that_keep_changing_get_no_programs_of_their_own(monkeypatch):
    monkeypatch.setattr(launch, "_NUMBERS", 3)
    x = np.linspace(0.5, 1.5, 7)
    launch._by_number.clear()
    for p in np.linspace(0.3, 0.9, 8):
        y = jet(x, 4) ** float(p)
        np.testing.assert_allclose(y.coeffs[1], p * x ** (p - 1), rtol=1e-14)
    assert max(launch._by_number._entries.values()) > 3
    launch._plans.clear()


def test_a_program_too_long_for_a_compiler_is_interpreted(monkeypatch):
    monkeypatch.setattr(native, "_MOST_NODES", 10)
    launch._plans.clear()
    y = np.tanh(jet(np.linspace(-1, 1, 9)[None], 7))
    launch._plans.clear()
    monkeypatch.undo()
    np.testing.assert_allclose(
        y.coeffs, np.tanh(jet(np.linspace(-1, 1, 9)[None, ::1], 7)).coeffs, rtol=1e-13, atol=1e-15
    )
