"""Loops of Python under jit are loops of the machine: the numbers of the function itself, in every mode."""

import gc

import numpy as np
import pytest

import dualnum as dn
from dualnum.kernel.engine import available
from dualnum.kernel.interpret import evaluate
from dualnum.kernel.ir import FINAL, KEPT, LOOP, Graph, Loop, Series
from dualnum.kernel.layout import Group
from dualnum.kernel.plan import prepare
from dualnum.program.nodes import Node

pytestmark = pytest.mark.skipif("llvm" not in available(), reason="needs llvmlite")

STEPS = np.random.default_rng(0).uniform(0.005, 0.02, 10_001)


def orbit(s, n):
    """n steps of Runge and Kutta's method along a Kepler orbit."""

    def field(s):
        r2 = s[:2] @ s[:2]
        return np.concatenate([s[2:], -s[:2] / (r2 * np.sqrt(r2))])

    for _ in range(n):
        k1 = field(s)
        k2 = field(s + 0.005 * k1)
        k3 = field(s + 0.005 * k2)
        s = s + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + field(s + 0.01 * k3))
    return s


def map_of(s, n):
    """A step on components, its length another each time, and the last turn another."""
    x, y = s[0], s[1]
    for k in range(n):
        x, y = y + 1 - (1.1 + STEPS[k]) * x**2, 0.3 * x + s[k % 2] * STEPS[n - k]
        if k == n - 1:
            x = np.tanh(x) * y
    return np.stack([x, y, x * y])


def two_before(s, n):
    """What is carried over two turns, and what is summed of all."""
    before, now, total = s, np.sin(s), 0.0
    for _ in range(n):
        before, now = now, 0.9 * now - 0.2 * before * now
        total = total + np.sum(now * now)
    return np.concatenate([now, np.reshape(total, 1)])


def nested(s, n):
    """Loops within a loop."""
    for _ in range(n):
        for _ in range(3):
            s = 0.9 * s + 0.1 * np.sin(s[::-1])
        s = s / np.sqrt(1 + s @ s)
    return s


def history(s, n):
    """What all turns gave is looked at afterwards, forwards and backwards."""
    found = [s]
    for _ in range(n):
        found.append(np.cos(found[-1]) * s)
    total = 0.0
    for k in range(n):
        total = total + found[k] @ found[n - k]
    return np.stack([total, found[n // 2][0]])


def choices(s, n):
    for _ in range(n):
        s = np.where(s > 0.4, s * 0.7, s + 0.21) + np.maximum(0.01 * s, -0.1)
    return s


PROGRAMS = [orbit, map_of, two_before, nested, history, choices]
START = np.array([0.9, 0.1, -0.05, 1.05])
ALONG = np.array([0.3, -0.2, 0.5, 0.1])


def modes(program, n):
    def scalar(s):
        return np.sum(program(s, n) ** 2)

    return {
        "value": (lambda s: program(s, n), (START,)),
        "gradient": (dn.grad(scalar), (START,)),
        "hvp": (dn.hvp(scalar), (START, ALONG)),
        "vhp": (dn.vhp(scalar), (START, ALONG)),
        "hessian": (dn.hessian(scalar), (START,)),
        "jacfwd": (dn.jacfwd(lambda s: program(s, n)), (START,)),
        "taylor": (dn.taylor(lambda t: scalar(START + t * ALONG), 3), (np.array(0.1),)),
    }


def agree(jitted, exact):
    for y, z in zip(jitted, exact, strict=True) if isinstance(exact, (tuple, list)) else [(jitted, exact)]:
        y, z = np.asarray(y), np.asarray(z)
        assert y.shape == z.shape and y.dtype == z.dtype
        np.testing.assert_allclose(y, z, rtol=1e-10, atol=1e-11 * max(1.0, np.max(np.abs(z))))


def loops_of(jitted, *args):
    return [node.extra for p in jitted.lower(*args).programs for node in p.nodes if node.op == LOOP]


@pytest.mark.parametrize("n", [1, 2, 3, 40])
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_mode(program, n):
    for mode, (g, args) in modes(program, n).items():
        if n < 40 or mode in ("value", "gradient", "jacfwd"):
            agree(dn.jit(g)(*args), g(*args))


def test_a_gradient_is_two_loops_of_one_body_each():
    g, args = modes(orbit, 60)["gradient"]
    forward, backward = loops_of(dn.jit(g), *args)
    assert forward.turns >= 58 and backward.turns >= 58
    assert len(forward.body.nodes) < 150 and len(backward.body.nodes) < 250
    assert {s.kind for s in backward.series} == {"kept"}  # read where the forward loop left it


def test_constants_that_differ_and_entries_of_arguments_are_series():
    kinds = {s.kind for loop in loops_of(dn.jit(lambda s: map_of(s, 300)), START) for s in loop.series}
    assert "constant" in kinds

    def horner(c, x):
        y = c[0]
        for k in range(1, 64):
            y = np.sin(y * x) + c[k] * x - y / (1 + x * x) + np.cos(x + y)
        return y

    c = np.linspace(-1, 1, 64)
    fast = dn.jit(horner)
    np.testing.assert_allclose(fast(c, 0.3), horner(c, 0.3), rtol=1e-13)
    assert {s.kind for loop in loops_of(fast, c, 0.3) for s in loop.series} == {"input"}
    agree(dn.jit(dn.grad(horner))(c, 0.3), dn.grad(horner)(c, 0.3))


def test_long_loops():
    x = np.array([0.1, 0.2])
    fast = dn.jit(lambda s: two_before(s, 10_000))
    agree(fast(x), two_before(x, 10_000))
    assert len(loops_of(fast, x)) == 1
    g = dn.grad(lambda s: np.sum(two_before(s, 1_000)))
    jitted = dn.jit(g)
    agree(jitted(x), g(x))
    assert len(loops_of(jitted, x)) == 2


def test_a_trace_is_given_up():
    x = np.array([0.1, 0.2])
    jitted = dn.jit(dn.grad(lambda s: np.sum(two_before(s, 100))))
    jitted(x)
    gc.collect()
    before = sum(isinstance(o, Node) for o in gc.get_objects())
    more = dn.jit(dn.grad(lambda s: np.sum(two_before(s, 101))))
    more(x)
    gc.collect()
    assert sum(isinstance(o, Node) for o in gc.get_objects()) < before + 100


def test_a_loop_that_takes_nothing_apart():
    def f(s):
        for _ in range(400):
            s = np.sin(s) * 0.9 + np.cos(s) * 0.2
        return s

    fast = dn.jit(f)
    agree(fast(START), f(START))
    assert [loop.turns for loop in loops_of(fast, START)] == [400]
    assert "no loops" in fast.lower(START).cuda


def test_single_precision_stays():
    x = START.astype(np.float32)
    for g in (lambda s: orbit(s, 30), dn.grad(lambda s: np.sum(orbit(s, 30) ** 2))):
        y = dn.jit(g)(x)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, g(x), rtol=1e-4)


def test_alarms_within_loops():
    def f(s):
        for k in range(60):
            s = np.sqrt(s * s * (0.9 + STEPS[k])) + 0.0 * np.hypot(s, s[::-1])
        return s

    fast = dn.jit(dn.jacfwd(f))
    for x in (np.array([0.4, -0.7]), np.array([0.0, 0.3]), np.array([-0.2, 0.0])):
        np.testing.assert_allclose(fast(x), dn.jacfwd(f)(x), rtol=1e-12)


def test_what_does_not_repeat_is_no_loop():
    rng = np.random.default_rng(1)
    ops = [np.sin, np.cos, np.tanh, np.exp, lambda x: x * 0.3, lambda x: x[::-1] + 1.0]

    def f(x):
        for i in rng.integers(0, len(ops), 120):
            x = ops[i](x) * 0.9
        return np.cumsum(x)

    state = rng.bit_generator.state
    exact = f(START)
    rng.bit_generator.state = state
    agree(dn.jit(f)(START), exact)


# ── the instruction ──────────────────────────────────────────────────────────────────────────────


def _a_program():
    """A loop that adds up x_k·a + c_k, keeping what it had, and one that goes back over what it kept."""
    graph, body = Graph(np.float64), Graph(np.float64)
    xs, a = [graph.input() for _ in range(4)], graph.input()
    s, same, x, c = (body.input() for _ in range(4))
    new = s + x * same + c
    first = Loop(body.finish([new, s * 2.0], new > 50.0), 4, 1, 1, (Series("input", 0, 3, -1), Series("constant", C)))
    loop = graph.loop(first, [graph.constant(1.0), a])
    back = Graph(np.float64)
    t, y, z = (back.input() for _ in range(3))
    series = (Series("kept", (1, 0), 4, -1, ((4, 2),)), Series("given", 3))
    second = graph.loop(
        Loop(back.finish([t * 0.5 + y * z]), 5, 1, 0, series), [graph.constant(0.0), loop, xs[1], *xs, a]
    )
    outputs = [graph.part(FINAL, loop, 0), graph.part(KEPT, loop, (0, 2)), graph.part(FINAL, second, 0)]
    return graph.finish(outputs, graph.part(FINAL, loop, -1))


C = np.array([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("a", [0.7, 30.0])
def test_the_interpreter_and_machine_code_mean_the_same(a):
    program = _a_program()
    x = np.array([0.5, -1.0, 2.0, 3.0])
    s, kept = 1.0, []
    for k in range(4):
        kept.append(2 * s)
        s = s + x[3 - k] * a + C[k]
    t = 0.0
    for y, z in zip([x[1], *kept[::-1]], [*x, a], strict=True):
        t = 0.5 * t + y * z
    *exact, alarm = evaluate(program, [*x, a])
    np.testing.assert_allclose(exact, [s, kept[2], t], rtol=1e-15)
    assert bool(alarm) is (a > 10)
    with dn.engine("llvm"):
        from dualnum.kernel import engine

        plan = prepare(program, [Group("c", 4), Group("s", 1)], (3,), engine.target(), single=True)
        result = np.empty(3)
        assert bool(plan.call(id(result), id(x), a, 1, 0, 1)) is (a > 10)
    np.testing.assert_allclose(result, exact, rtol=1e-14)
