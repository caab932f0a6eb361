"""The contract of machines: a third one behind it gives what the others give, by every layout and every way."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special
from c_target import C

import dualnum as dn
from dualnum import jet
from dualnum.errors import NotDifferentiable
from dualnum.kernel import engine
from dualnum.kernel.cpu import threads
from dualnum.kernel.cpu.llvm import LLVM
from dualnum.kernel.interpret import INTERPRETER
from dualnum.kernel.ir import Graph
from dualnum.kernel.launch import Planes
from dualnum.kernel.layout import BLOCK, Group, laid_out
from dualnum.kernel.plan import prepare
from dualnum.kernel.target import Target
from dualnum.primitives import rows


@pytest.fixture(scope="module", params=["objects", "addresses"])
def c(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[C]:
    """Plain C among the engines, called with array objects or with their addresses."""
    machine = C(tmp_path_factory.mktemp("c"), None if request.param == "objects" else -1)
    if machine.missing():
        pytest.skip(machine.missing())
    with engine.registered(machine):
        yield machine


@pytest.fixture(scope="module", params=["c", "llvm"])
def machine(request: pytest.FixtureRequest, c: C) -> Target:
    if request.param == "c":
        return c
    llvm = LLVM(c.offset)
    if llvm.missing():
        pytest.skip(llvm.missing())
    return llvm


def close(a: Any, b: Any, factor: float = 200.0) -> None:
    """Equal but for what other libraries of mathematical functions make of it."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape and a.dtype == b.dtype
    tolerance = factor * float(np.finfo(b.dtype).eps) if b.dtype.kind == "f" else 0.0
    scale = np.max(np.abs(np.where(np.isfinite(b), b, 0)), initial=1e-300)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def moved(row: Any, at: Any, order: int) -> Any:
    """The row with derivatives in every argument that may have them, or None where it takes no floats."""
    operands: list[Any] = list(at)
    for i, x in enumerate(at):
        try:
            row.ufunc(*(jet(x[:1], 1) if j == i else y[:1] for j, y in enumerate(at)))
        except NotDifferentiable:
            continue
        except TypeError:
            return None
        operands[i] = jet(x, order)
    return row.ufunc(*operands)


@pytest.mark.filterwarnings("ignore:floating point number truncated")  # kn, yn and expn of whole numbers
@pytest.mark.parametrize("c", ["objects"], indirect=True)  # the call is one for all rows
@pytest.mark.parametrize("row", [row for row in rows() if row.rule is not None], ids=lambda row: row.name)
def test_every_row(c: C, row: Any) -> None:
    rng = np.random.default_rng(7)
    at = [rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low), 9) for low, high in row.sample]
    for order in (1, 3):
        with dn.engine("interpret"):
            expected = moved(row, at, order)
        with dn.engine("c"):
            got = moved(row, at, order)
        if expected is None:
            assert got is None
            continue
        for y, z in zip(got, expected, strict=True) if row.ufunc.nout > 1 else [(got, expected)]:
            if isinstance(z, dn.Jet):
                for k in range(order + 1):
                    close(y.coeffs[k], z.coeffs[k], 200.0 * (k + 1))


def test_it_was_c(c: C) -> None:
    before = len(c.loaded)
    with dn.engine("c"):
        assert engine.current() == "c" and engine.target() is c
        np.sin(jet(np.linspace(0, 1, 5), 7)) / jet(np.linspace(2, 3, 5), 7)
    assert len(c.loaded) == before + 2
    assert engine.current() != "c" and engine.target_of(np.ones(1, np.float16)) is INTERPRETER


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────

MADE = {  # two planes (or so many) that come in a layout, to be spread over a shape
    "c": lambda make, count: (make(count, 20, 250), (20, 250)),
    "p": lambda make, count: (make(count, 3, 20, 250)[:, 1], (20, 250)),
    "r": lambda make, count: (make(count, 1, 250), (20, 250)),
    "b": lambda make, count: (make(count, 1, 1), (20, 250)),
    "g": lambda make, count: (make(count, 10_000)[::-1, ::-2], (5000,)),
}


def planes(kind: str, dtype: Any, seed: int, count: int = 2) -> tuple[Any, Any]:
    """Planes as they come, and spread."""
    rng = np.random.default_rng(seed)
    x, shape = MADE[kind](lambda *shape: rng.uniform(0.5, 1.5, shape).astype(dtype), count)
    return x, np.broadcast_to(x, (count, *shape))


def program(dtype: Any, groups: int, alarm: float = np.inf) -> Any:
    """The product of jets of order 1, and the largest of their values; an alarm where the first is too large."""
    graph = Graph(dtype)
    jets = [[graph.input(), graph.input()] for _ in range(groups)]
    value, slope = jets[0]
    for u in jets[1:]:
        value, slope = value * u[0], slope * u[0] + value * u[1]
    largest = jets[0][0]
    for u in jets[1:]:
        largest = np.maximum(largest, u[0])
    watched = None if alarm == np.inf else jets[0][0] > graph.constant(alarm)
    return graph.finish([value, slope, largest], watched)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", MADE)
def test_every_layout(machine: Target, kind: str, dtype: Any) -> None:
    u, spread = planes(kind, dtype, 1)
    v = np.random.default_rng(2).uniform(0.5, 1.5, spread.shape).astype(dtype)
    operands = [laid_out(Planes(x, 2), spread.shape[1:], machine) for x in (u, v)]
    groups = [Group(name, 2) for _, name in operands]
    assert groups[0].layout == kind
    for limit in (np.inf, 1.0, 2.0):
        plan = prepare(program(dtype, 2, limit), groups, (2, 1), machine)
        results = [np.full((2, *v.shape[1:]), np.nan, dtype), np.full(v[:1].shape, np.nan, dtype)]
        assert plan.target is machine and plan.run(results, operands, v[0].size) is (limit == 1.0)
        close(results[0], np.stack([spread[0] * v[0], spread[1] * v[0] + spread[0] * v[1]]), 4.0)
        np.testing.assert_array_equal(results[1][0], np.maximum(spread[0], v[0]))


@pytest.mark.parametrize("kind", MADE)
def test_every_layout_along_several_directions(machine: Target, kind: str) -> None:
    u, spread = planes(kind, float, 3, count=4)
    v = np.random.default_rng(4).uniform(0.5, 1.5, spread.shape)
    operands = [laid_out(Planes(x, 2), spread.shape[1:], machine) for x in (u, v)]
    plan = prepare(program(float, 2, 2.0), [Group(name, 2) for _, name in operands], (2, 1), machine, True)
    results = [np.full(v.shape, np.nan), np.full(v[:1].shape, np.nan)]
    assert not plan.run(results, operands, v[0].size, 3)
    close(results[0], np.stack([spread[0] * v[0], *(spread[d] * v[0] + spread[0] * v[d] for d in (1, 2, 3))]), 4.0)


def test_numbers_windows_and_what_is_spread(machine: Target) -> None:
    graph = Graph(float)
    number, window, wide = graph.input(), graph.input(), graph.input()
    groups = [Group("s", 1), Group("w", 1), Group("p", 1)]
    plan = prepare(graph.finish([number * window + wide]), groups, (1,), machine)
    rng = np.random.default_rng(5)
    x, row = rng.normal(size=(1, 70_000)), rng.integers(0, 9, (1, 1, 300))
    result = np.full((1, 400, 300), np.nan)
    assert result.size > BLOCK
    expected = np.zeros(result.size)
    expected[1234:71_234] = 0.5 * x[0]
    expected = expected.reshape(result.shape) + row
    assert not plan.run([result], [0.5, (Planes(x, 1), "w", (1234, 71_234)), (Planes(row, 1), "*")], result.size)
    close(result, expected, 4.0)
    laid = np.broadcast_to(row, result.shape).astype(float, order="C")
    assert not plan.run([result], [0.5, (Planes(x, 1), "w", (1234, 71_234)), (Planes(laid, 1), "p")], result.size)
    close(result, expected, 4.0)


def test_chunks_side_by_side(machine: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_threads", 4)
    monkeypatch.setattr(threads, "WORTH", 1000)
    for kind in ("c", "r"):
        test_every_layout(machine, kind, float)


# ── what stands on kernels ───────────────────────────────────────────────────────────────────────


def rosenbrock(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def mixed(x: Any) -> Any:
    return np.sum(np.where(x > 0.7, np.tanh(x) * np.sign(x), scipy.special.erf(x) ** 2) * np.heaviside(x - 0.5, 0.5))


WAYS = [
    lambda x: np.cumsum(jet(x, 2) ** 2).coeffs,
    lambda x: np.sort(np.sin(9 * jet(x, 2))).coeffs,
    lambda x: (jet(x.reshape(3, 4), 2) @ np.exp(jet(x.reshape(4, 3), 2))).coeffs,
    lambda x: np.linalg.solve(np.diag(jet(x, 2)) + np.outer(x, x), np.sqrt(jet(x, 2))).coeffs,
    lambda x: (jet(x[::2], 2) * x[1::2] / np.stack([x[:6], x[6:]])).coeffs,
    lambda x: np.sqrt(jet(np.array([0.0, 4.0]), 2) ** 2).coeffs,
    lambda x: (
        np.arctan2(jet(x, 2, directions=np.ones((3, 12))), x[::-1] * jet(x[0], 2, directions=np.ones((3,)))).coeffs
    ),
    lambda x: dn.derivative(dn.derivative(lambda x: np.sin(x) * x**2.5))(x),
    lambda x: dn.grad(mixed)(x),
    lambda x: dn.hessian(mixed)(x),
    lambda x: dn.hvp(rosenbrock)(x, x),
    lambda x: dn.grad(lambda x: np.sum(dn.derivative(np.tanh)(x) ** 2))(x),
    lambda x: dn.grad(mixed)(np.resize(x, 150_000))[:40],
    lambda x: dn.jit(mixed)(x),
    lambda x: dn.jit(dn.grad(rosenbrock))(x),
    lambda x: dn.jit(dn.hessian(mixed))(x),
    lambda x: dn.jit(lambda x, y: x * np.sqrt(y))(np.resize(x, (300, 400)), np.resize(x, (300, 1)))[:3],
    lambda x: dn.jit(lambda n, x: n * x)(np.arange(60_000).reshape(300, 200), np.resize(x, 200))[:3],
    lambda x: dn.jit(lambda x: np.sqrt(jet(x, 2) ** 2).coeffs)(np.array([0.0, 4.0])),
]


@pytest.mark.parametrize("way", WAYS)
def test_what_stands_on_kernels(c: C, way: Any) -> None:
    x = np.random.default_rng(6).uniform(0.3, 1.2, 12)
    with dn.engine("interpret"):
        expected = way(x)
    with dn.engine("c"):
        close(way(x), expected, 1e4)
