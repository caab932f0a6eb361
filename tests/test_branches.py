"""`dn.jit` of functions that look at numbers, write into arrays and cannot be traced: what they give is what they give.

A branch is guarded, so each call below is made with numbers that go another way than those of the call before.
"""

import itertools
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import dualnum as dn
from dualnum.program import variants

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
RNG = np.random.default_rng(4)


def alike(got, expected, rtol=1e-11):
    if isinstance(expected, (tuple, list)):
        assert type(got) is type(expected) and len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            alike(a, b, rtol)
    elif isinstance(expected, dict):
        assert got.keys() == expected.keys()
        alike(list(got.values()), list(expected.values()), rtol)
    elif isinstance(expected, (np.ndarray, np.generic)):
        rtol = 1e-5 if expected.dtype == np.float32 else rtol
        assert (np.shape(got), got.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol)
    else:
        assert type(got) is type(expected)
        assert got == expected or np.isclose(got, expected, rtol=rtol)


def traces(fast):
    """How many traces there are of all signatures; raises where one runs as it is."""
    assert not [k.reason for k in fast._entries.values() if k.reason]
    return sum(len(k.variants) for k in fast._entries.values())


# ── guards ───────────────────────────────────────────────────────────────────────────────────────


def two_branches(x):
    y = np.sin(x) if x > 0 else x * x
    return y * 2 if abs(y) > 0.5 else y + 1


def newton(a):
    x = a
    while abs(x * x - a) > 1e-12 * a:
        x = (x + a / x) / 2
    return x


def bisect(c):
    """The root of x³ = c."""
    lo, hi = c * 0, c * 0 + 4.0
    for _ in range(50):
        middle = (lo + hi) / 2
        if middle**3 < c:
            lo = middle
        else:
            hi = middle
    return lo + (c - lo**3) / (3 * lo**2)


def power(x, n=5):
    """By squaring, and calling itself."""
    if n == 0:
        return x * 0 + 1
    half = power(x, n // 2)
    return half * half * (x if n % 2 else 1.0)


def collatz(x):
    """Calls itself as often as the number at hand asks for."""
    return x if x < 1 else collatz(x / 2) * x


def sign(x):
    if x > 0:
        return x
    elif x < 0:
        return -x
    return x * 0.0


SCALAR = {
    "two branches": (two_branches, (0.3, 1.2, -0.2, -1.5)),
    "newton": (newton, (2.0, 3.0, 100.0, 0.01)),
    "bisect": (bisect, (2.0, 5.0, 11.0)),
    "recursion": (power, (0.3, 1.2)),
    "recursion by a number": (collatz, (0.3, 3.0, 9.0)),
    "abs": (sign, (0.7, -0.4)),
    "and or not": (lambda x: x**2 if (x > 1 and x < 2) or not x > -1 else np.exp(x), (1.5, 0.0, -2.0, 3.0)),
    "chained": (lambda x: np.sin(x) if 0 < x < 1 else np.cos(x), (0.5, 1.5, -0.5)),
    "min max": (lambda x: max(x, 0.5) * min(x, 2.0), (0.2, 1.0, 3.0)),
    "int": (lambda x: x ** int(x), (2.5, 3.5, 2.25)),
    "range": (lambda x: sum((x * k for k in range(int(x))), 0.5), (2.5, 4.5)),
    "floor": (lambda x: x - math.floor(x), (2.25, 3.25, 2.5)),
    "assert": (lambda x: x**3 if np.isfinite(x) else 0.0, (0.5, 2.0)),
    "any": (lambda x: x * 2 if np.any(np.array([x > 1]) if isinstance(x, float) else x > 1) else x, (0.5, 2.0)),
    "table": (lambda x: [np.sin, np.cos, np.exp][int(x) % 3](x), (0.5, 1.5, 2.5)),
    "in": (lambda x: x + 1 if x in (0.5, 2.0) else x * 3, (0.5, 2.0, 3.0)),
}
WAYS = {
    "value": lambda f: f,
    "grad": dn.grad,
    "second derivative": lambda f: dn.derivative(f, 2),
    "taylor": lambda f: dn.taylor(f, 3),
    "hvp": lambda f: lambda x: dn.hvp(f)(np.array(x), np.array(1.5)),
    "grad of grad": lambda f: dn.grad(dn.grad(f)),
}


def is_differentiable(name, way):
    """Whether it has that derivative without a trace: int(x) of what carries derivatives has none."""
    f, points = SCALAR[name]
    try:
        WAYS[way](f)(points[0])
    except dn.DualnumError:
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SCALAR)
def test_branches_go_the_way_of_the_numbers_at_hand(name, way):
    if not is_differentiable(name, way):
        pytest.skip("not differentiable without a trace either")
    f, points = SCALAR[name]
    g = WAYS[way](f)
    fast = dn.jit(g)
    for x in (*points, *points[::-1], *points):
        alike(fast(x), g(x))
    assert 1 <= traces(fast) <= len(points)


def test_guards_fail_in_every_order():
    def f(x):
        return tuple(a * 2 if a > 0 else -a * a for a in (x[0], x[1], x[2]))

    points = [np.array(p) for p in itertools.product((0.5, -0.7), repeat=3)]
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(points) * 3) % len(points)
        fast, slope = dn.jit(f), dn.jit(dn.grad(lambda x: sum(f(x))))
        for k in order:
            alike(fast(points[k]), f(points[k]))
            alike(slope(points[k]), dn.grad(lambda x: sum(f(x)))(points[k]))
        assert traces(fast) == traces(slope) == variants.MOST == 8


def test_beyond_eight_ways_the_function_itself_runs():
    calls = []

    def f(x):
        calls.append(1)
        return x ** int(x)

    fast = dn.jit(f)
    for n in range(8):
        assert fast(n + 0.5) == pytest.approx((n + 0.5) ** n)
    assert traces(fast) == 8
    for n in range(8):
        assert fast(n + 0.25) == pytest.approx((n + 0.25) ** n)
    before = len(calls)
    assert fast(9.5) == pytest.approx(9.5**9) and len(calls) == before + 1 and traces(fast) == 8
    with pytest.warns(dn.PerformanceWarning, match="in more than 8 ways") as caught:
        for n in range(10, 40):
            fast(n + 0.5)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert "in more than 8 ways" in fast.explain(0.5).reason


def test_a_number_that_is_always_another_one_is_not_traced_for_ever():
    fast = dn.jit(lambda x: math.sin(x) * np.ones(3))
    with pytest.warns(dn.PerformanceWarning, match="others at each call"):
        for x in np.linspace(0.0, 1.0, 12):
            np.testing.assert_allclose(fast(float(x)), math.sin(x))
    steps = dn.jit(lambda x, dt: x + float(dt))
    for dt in (0.5, 0.25) * 4:
        np.testing.assert_array_equal(steps(np.ones(2), dt), 1 + dt)
    assert traces(steps) == 2


def test_guards_are_exact():
    signed = dn.jit(lambda x: np.ones(2) * math.copysign(1.0, x))
    assert [signed(x)[0] for x in (0.0, -0.0, 0.0, np.nan, -0.0)][:3] == [1, -1, 1]
    fast = dn.jit(lambda x: np.ones(2) * float(np.sum(np.sin(x) ** 2)))  # a kernel rounds otherwise than NumPy
    x = RNG.normal(size=1001)
    for _ in range(3):
        np.testing.assert_allclose(fast(x), np.sum(np.sin(x) ** 2), rtol=1e-14)
    assert traces(fast) == 1


def test_errors_of_the_way_that_is_taken():
    def f(x):
        if x[0] < 0:
            raise ValueError("below zero")
        return np.sqrt(x)

    fast = dn.jit(f)
    for _ in range(2):
        alike(fast(np.ones(2)), np.ones(2))
        with pytest.raises(ValueError, match="below zero"):
            fast(-np.ones(2))

    def cholesky(a):
        try:
            return np.linalg.cholesky(a)
        except np.linalg.LinAlgError:
            return np.zeros_like(a)

    for first in (1.0, -1.0):
        both = dn.jit(cholesky)
        with warnings.catch_warnings(action="ignore"):
            for s in (first, -first, first):
                alike(both(s * np.eye(2)), cholesky(s * np.eye(2)))


def test_results_of_other_shapes_and_structures():
    def f(x):
        if x[0] > 1:
            return x, "large"
        return {"x": x.sum(), "n": x[x > 0].size}

    fast = dn.jit(f)
    for x in (np.array([2.0, 3]), np.array([0.5, 2]), np.array([-0.5, 2.0]), np.array([4.0, 3])):
        assert repr(fast(x)) == repr(f(x))


def number(x):
    """What lies under all derivatives."""
    while hasattr(x, "value") and x.value is not x:
        x = x.value
    return x


def random_branches(seed):
    """Steps drawn one after the other, each of which the numbers at hand decide."""
    steps = np.random.default_rng([seed, 5]).integers(0, 7, size=4)

    def run(y):
        for step in steps:
            total = np.sum(y)
            if step == 0:
                y = np.sin(y) if total > 0 else y * 0.5
            elif step == 1:
                while np.max(np.abs(y)) > 1:
                    y = y * 0.7
            elif step == 2:
                y = y[np.argmax(y)] * y
            elif step == 3:
                y = y.copy()
                y[y > 0.2] *= 0.5
            elif step == 4:
                for i in range(int(abs(number(total))) % 4 + 1):
                    y = np.cos(y + i * 0.1)
            elif step == 5:
                y = np.sort(y) * np.arange(1, y.size + 1) / y.size if y[0] < y[-1] else y[::-1] + 0
            else:
                y = y.copy()
                y[1:] += y[:-1] * 0.3
                y[int(np.argmin(number(y)))] = y[0] ** 2
        return y

    return run


@pytest.mark.parametrize("seed", range(10))
def test_random_programs_that_branch(seed):
    f, v = random_branches(seed), np.cos(np.arange(6.0))
    points = np.random.default_rng(seed).normal(size=(5, 6))
    for g in (
        f,
        dn.grad(lambda x: np.sum(f(x) ** 2)),
        dn.hvp(lambda x: np.sum(f(x) ** 2)),
        lambda x: f(dn.jet(x, 2, direction=v)).coeffs,
    ):
        rest = (v,) if getattr(g, "__name__", "").startswith("hvp") else ()
        fast = dn.jit(g)
        for k in (0, 1, 2, 0, 3, 4, 1):
            alike(fast(points[k], *rest), g(points[k], *rest), 1e-9)
        traces(fast)


# ── integers, truth values and what they choose ──────────────────────────────────────────────────


def cross_entropy(w, x, labels):
    z = x @ w
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(labels)), labels].mean()


W, FEATURES, LABELS = RNG.normal(size=(3, 4)), RNG.normal(size=(10, 3)), RNG.integers(0, 4, 10)
X = RNG.normal(size=9)
CHOSEN = {
    "labels": (cross_entropy, (W, FEATURES, LABELS), (W, FEATURES, LABELS[::-1].copy())),
    "mask": (lambda x, m: (x[m] ** 2).sum(), (X, X > 0), (X, X < 0.3)),
    "own mask": (lambda x: (x[x > 0] ** 2).sum(), (X,), (-X,)),
    "written by mask": (lambda x: np.sum(_relu(x) ** 3), (X,), (-X,)),
    "indices": (lambda x, i: x[i] @ x[i], (X, np.array([1, 1, 3])), (X, np.array([0, 2, 4]))),
    "argmax": (lambda x: x[np.argmax(x)] * x[0], (X,), (-X,)),
    "argsort": (lambda x: x[np.argsort(x)] @ np.arange(9.0), (X,), (-X,)),
    "int of argmax": (lambda x: x[: int(np.argmax(np.abs(x))) + 1].sum(), (X,), (X[::-1].copy(),)),
    "nonzero": (lambda x: (x[np.nonzero(x > 0)] ** 2).sum(), (X,), (-X,)),
    "count": (lambda x: x.sum() / np.count_nonzero(x > 0), (X,), (-X,)),
    "segments": (lambda x, s: np.add.reduceat(x, s) @ np.arange(1.0, 4.0), (X, np.array([0, 3, 5])),
                 (X, np.array([0, 1, 8]))),
    "a count": (lambda x, n: x[: int(n)].sum() * n, (X, np.int64(3)), (X, np.int64(5))),
    "a loop": (lambda x, n: sum(x[k] ** 2 for k in range(n)), (X, np.int64(3)), (X, np.int64(5))),
    "where": (lambda x, m: np.where(m, np.sin(x), x * x).sum(), (X, X > 0), (X, X < 0.1)),
    "scattered": (lambda x, i: _scattered(x, i) @ np.arange(4.0), (X[:4], np.array([0, 1, 1, 2])),
                  (X[:4], np.array([3, 3, 1, 0]))),
}  # fmt: skip


def _relu(x):
    y = x.copy()
    y[y < 0] = 0
    return y


def _scattered(x, i):
    y = np.zeros_like(x)
    np.add.at(y, i, x)
    return y


@pytest.mark.parametrize("way", ["value", "grad", "hvp", "jvp", "taylor"])
@pytest.mark.parametrize("name", CHOSEN)
def test_what_integers_and_masks_choose(name, way):
    f, *calls = CHOSEN[name]
    v = RNG.normal(size=calls[0][0].shape)
    g = {
        "value": f,
        "grad": dn.grad(f),
        "hvp": lambda x, *rest: dn.hvp(lambda x: f(x, *rest))(x, v),
        "jvp": lambda x, *rest: dn.jvp(lambda x: f(x, *rest), (x,), (v,)),
        "taylor": lambda x, *rest: f(dn.jet(x, 3, direction=v), *rest).coeffs,
    }[way]
    try:
        g(*calls[0])
    except dn.DualnumError:
        pytest.skip("not differentiable without a trace either")
    fast = dn.jit(g)
    for args in (*calls, *calls):
        alike(fast(*args), g(*args), 1e-10)
    traces(fast)


# ── writes ───────────────────────────────────────────────────────────────────────────────────────


def heat(u):
    u = u.copy()
    for _ in range(5):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        u[0] = u[-1] = 0.0
    return np.sum(u**2)


def wave(u):
    u, before = u.reshape(4, 5).copy(), np.zeros_like(u).reshape(4, 5)
    for _ in range(4):
        u2 = np.zeros_like(u)
        u2[1:-1, 1:-1] = 2 * u[1:-1, 1:-1] - before[1:-1, 1:-1]
        u2[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        u, before = u2, u
    return (u**2).sum()


def substitution(b):
    x = np.zeros_like(b)
    a = 3 * np.eye(len(b)) + np.sin(np.arange(len(b) ** 2)).reshape(len(b), -1)
    for i in range(len(b)):
        x[i] = (b[i] - a[i, :i] @ x[:i]) / a[i, i]
    return np.sum(np.sin(x))


def views(x):
    a = x.copy()
    grid, tail = a.reshape(4, 5), a[10:]
    grid[1] *= 2
    tail -= 1
    grid.T[0] = a[:4] ** 2
    np.multiply(a, 1.5, out=a)
    part = np.split(a, 4)[2]
    part.sort()
    return np.sum(a * np.arange(20))


WRITING = {"heat": heat, "wave": wave, "substitution": substitution, "views": views}


@pytest.mark.parametrize("way", ["value", "grad", "hvp", "taylor"])
@pytest.mark.parametrize("name", WRITING)
def test_programs_that_write(name, way):
    f, v = WRITING[name], RNG.normal(size=20)
    g = {
        "value": f,
        "grad": dn.grad(f),
        "hvp": lambda x: dn.hvp(f)(x, v),
        "taylor": lambda x: f(dn.jet(x, 2, direction=v)).coeffs,
    }[way]
    fast = dn.jit(g)
    for x in RNG.normal(size=(4, 20)):
        given = x.copy()
        alike(fast(given), g(x), 1e-10)
        np.testing.assert_array_equal(given, x)
    assert traces(fast) == 1


def test_arguments_are_written_to_as_without_a_trace():
    def f(x, y):
        x *= 2
        y[1:] = x[:-1]
        return x, x.sum() + y[0]

    fast = dn.jit(f)
    for _ in range(3):
        x, y = RNG.normal(size=(2, 4))
        a, b = x.copy(), y.copy()
        alike(fast(x, y), f(a, b))
        alike((x, y), (a, b))
    z, w = np.arange(5.0), np.arange(5.0)  # which share memory
    alike(fast(z[:-1], z[1:])[1], f(w[:-1], w[1:])[1])
    alike(z, w)
    swapped = dn.jit(_swap)
    x, y = np.arange(3.0), np.arange(3.0, 6.0)
    swapped(x, y)
    assert (x.tolist(), y.tolist()) == ([3, 4, 5], [0, 1, 2])
    fixed = np.arange(3.0)
    fixed.setflags(write=False)
    for g in (swapped, dn.jit(_swap)):
        with pytest.raises(ValueError, match="read-only"):
            g(fixed, y)


def _swap(x, y):
    kept = x.copy()
    x[:] = y
    y[:] = kept


def test_jets_among_the_arguments_are_written_to():
    def f(x):
        x[1:] = x[:-1] * 2
        return x.sum()

    fast = dn.jit(f)
    with warnings.catch_warnings(action="ignore"):
        for _ in range(2):
            x, y = dn.jet(np.arange(3.0), 2), dn.jet(np.arange(3.0), 2)
            alike(fast(x).coeffs, f(y).coeffs)
            alike(x.coeffs, y.coeffs)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_slower_when_replayed_runs_as_it_is(monkeypatch):
    fast = dn.jit(lambda x: np.sin(x) + 1)
    x = np.ones(5)
    fast(x)
    (kept,) = fast._entries.values()
    replay = kept.front.replay.run
    kept.front.replay.run = lambda given: (sum(range(30_000)), replay(given))[1]  # which takes a while
    with pytest.warns(dn.PerformanceWarning, match="its replay took .* µs, the function itself .* µs") as caught:
        for _ in range(40):
            np.testing.assert_allclose(fast(x), np.sin(x) + 1)
    assert len(caught) == 1 and kept.front.run(None) == "alarm"
    assert "its replay took" in str(fast.explain(x))


def test_what_is_quicker_when_replayed_is_replayed():
    calls = []

    def f(x):
        calls.append(1)
        for _ in range(30):
            x = np.sin(x) * 1.1
        return x

    fast = dn.jit(dn.grad(lambda x: np.sum(f(x))))
    for _ in range(30):
        fast(np.ones(5))
    assert 1 < len(calls) <= 5  # traced, and measured
    assert traces(fast) == 1


def test_what_a_replay_gives_up_at_most_points_runs_as_it_is():
    f = dn.taylor(lambda x: np.hypot(x, x), 3)  # zeros are mended after a look
    fast, zeros, ones = dn.jit(f), np.zeros(3), np.ones(3)
    for _ in range(30):
        alike(fast(ones), f(ones))
    for x in (zeros, *[ones] * 30, zeros):
        alike(fast(x), f(x))
    assert traces(fast) == 1
    with pytest.warns(dn.PerformanceWarning, match="a replay gives up"):
        for _ in range(30):
            alike(fast(zeros), f(zeros))


# ── seeing it ────────────────────────────────────────────────────────────────────────────────────


def test_what_becomes_of_a_function_can_be_read():
    def f(x):
        y = np.sin(x) if x[0] > 0 else x
        return np.sort(y) * 2 + y

    why = dn.jit(f).explain(np.linspace(0.1, 1.0, 1000))
    text = str(why)
    assert (
        text.startswith("f(float64[1000]): ") and "sort" in text and "kernel" in text and "passes over memory" in text
    )
    assert [value for value, _ in why.guards] == [True] and __file__ in why.guards[0][1]
    assert len(why.kernels) >= 2 and [name for name, _ in why.calls] == ["sort"] and why.bytes > 8000
    assert "nothing is compiled" in str(dn.jit(f).explain(np.array(["a"])))
    fast = dn.jit(f)
    fast(np.ones(3)), fast(-np.ones(3))
    assert "one of 2 traces" in str(fast.explain(np.ones(3)))


def test_a_long_compilation_says_so_if_asked():
    code = """
import numpy as np, dualnum as dn
from dualnum.program.explained import Progress
Progress.AFTER = 0.0
dn.jit(lambda x: np.sin(x) + sum(np.cos(x * k) for k in range(50)))(np.ones(3))
"""
    for wanted in ("0", "1"):
        environment = {**os.environ, "DUALNUM_PROGRESS": wanted}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert ("<lambda> took" in run.stderr) == (wanted == "1"), run.stderr
