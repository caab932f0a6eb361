"""Loops and branches as functions: as Python runs them, by every way to a derivative, and traced once."""

import mpmath
import numpy as np
import optree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn
from dualnum.errors import InvalidType, InvalidValue
from dualnum.transforms import control

RNG = np.random.default_rng(7)
X = np.array([0.3, 0.5])
XS = RNG.uniform(0.2, 1.0, (5, 2))


@pytest.fixture
def strict(monkeypatch):
    """What cannot be one step of a program raises, in place of being traced step by step."""
    monkeypatch.setattr(control, "_FAILURES", ())


def same(a, b, rtol=1e-11):
    """Whether containers are the same, with their types."""
    a_leaves, a_structure = optree.tree_flatten(a)
    b_leaves, b_structure = optree.tree_flatten(b)
    assert a_structure == b_structure
    for x, y in zip(a_leaves, b_leaves, strict=True):
        assert np.shape(x) == np.shape(y)
        assert np.asarray(x).dtype == np.asarray(y).dtype
        assert np.allclose(x, y, rtol=rtol, atol=rtol)


# ── functions, and what they are as loops of Python ──────────────────────────────────────────────


def scanned(x, xs):
    def body(c, r):
        scanned.count += 1
        c = np.sin(c) * r + x
        return c, c * 2

    c, ys = dn.scan(body, x, xs)
    return np.sum(c) + np.sum(ys**2)


def scanned_by_hand(x, xs):
    c, total = x, 0.0
    for r in xs:
        c = np.sin(c) * r + x
        total = total + np.sum((2 * c) ** 2)
    return np.sum(c) + total


def counted(x, xs):
    def body(i, c):
        counted.count += 1
        return {"a": np.sin(c["a"]) * xs[i] + x, "b": c["b"] + np.sum(c["a"]) * i}

    c = dn.fori_loop(0, 5, body, {"a": x, "b": 0.0})
    return np.sum(c["a"]) * c["b"]


def counted_by_hand(x, xs):
    a, b = x, 0.0
    for i in range(5):
        a, b = np.sin(a) * xs[i] + x, b + np.sum(a) * i
    return np.sum(a) * b


def repeated(x, xs):
    def body(c):
        repeated.count += 1
        k, y, z = c
        return k + 1, 0.5 * (y + x / y), z + np.sum(np.sin(y) * xs[1])

    far = lambda c: np.max(np.abs(c[1] ** 2 - x)) > 1e-13  # noqa: E731
    k, y, z = dn.while_loop(far, body, (0, np.ones(2) + xs[0], 0.0))
    return np.sum(y**3) * z + 0 * k


def while_by_hand(x, xs):
    y, z = np.ones(2) + xs[0], 0.0
    while np.max(np.abs(y**2 - x)) > 1e-13:
        y, z = 0.5 * (y + x / y), z + np.sum(np.sin(y) * xs[1])
    return np.sum(y**3) * z


def branched(x, xs):
    def a(u):
        branched.count += 1
        return {"p": np.sin(u) * x, "q": 0.0}

    def b(u):
        branched.count += 1
        return {"p": u * u, "q": np.sum(u * xs[1])}

    r = dn.cond(np.sum(x) > 0.5, a, b, xs[0])
    s = dn.cond(np.sum(x) < 0.5, a, b, xs[0])
    return np.sum(r["p"] * x) + r["q"] ** 2 + np.sum(s["p"] * x) + s["q"] ** 2


def branched_by_hand(x, xs):
    return np.sum(np.sin(xs[0]) * x * x) + np.sum(xs[0] ** 2 * x) + np.sum(xs[0] * xs[1]) ** 2


def nested(x, xs):
    def outer(c, r):
        inner, _ = dn.scan(lambda d, _: (np.sin(d) + r * c, None), c, None, 3)
        _, ended = dn.while_loop(
            lambda s: np.sum(s[1] ** 2) > 0.2, lambda s: (s[0] + 1, s[1] * 0.7 * np.cos(r)), (0, c)
        )
        chosen = dn.cond(np.sum(r) > 1.1, lambda a: np.sin(a) * x, lambda a: a * r, inner)
        return chosen + ended, np.sum(chosen)

    c, ys = dn.scan(outer, x, xs)
    return np.sum(c * ys[-1])


def nested_by_hand(x, xs):
    c = x
    for r in xs:
        inner = c
        for _ in range(3):
            inner = np.sin(inner) + r * c
        ended = c
        while np.sum(ended**2) > 0.2:
            ended = ended * 0.7 * np.cos(r)
        chosen = np.sin(inner) * x if np.sum(r) > 1.1 else inner * r
        c = chosen + ended
    return np.sum(c * np.sum(chosen))


PAIRS = [
    (scanned, scanned_by_hand, 1),
    (counted, counted_by_hand, 2),  # a number of Python's is carried: what it becomes is seen first
    (repeated, while_by_hand, 2),
    (branched, branched_by_hand, 4),  # two branches
    (nested, nested_by_hand, None),
]


def create_graph(f):
    def run(x, xs):
        v = dn.autograd.variable(x)
        (g,) = dn.autograd.grad([f(v, xs)], [v], create_graph=True)
        return dn.autograd.grad([np.sum(g * g)], [v])[0]

    return run


MODES = {
    "value": lambda f: f,
    "grad": dn.grad,
    "grad by xs": lambda f: dn.grad(f, 1),
    "jvp": lambda f: lambda x, xs: dn.jvp(f, (x, xs), (x + 1, xs * 2)),
    "jacfwd": dn.jacfwd,
    "third derivative": lambda f: lambda x, xs: dn.derivative(lambda t: f(t * x, xs * t), 3)(np.float64(1.01)),
    "taylor": lambda f: lambda x, xs: dn.taylor(lambda t: f(t * x, xs), 3)(np.float64(1.01)),
    "hessian": dn.hessian,
    "hvp": lambda f: lambda x, xs: dn.hvp(lambda z: f(z, xs))(x, x + 1),
    "grad of grad": lambda f: dn.grad(lambda x, xs: np.sum(dn.grad(f)(x, xs) ** 2)),
    "jacrev twice": lambda f: dn.jacrev(dn.jacrev(f)),
    "create_graph": create_graph,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("f", "by_hand", "count"), PAIRS, ids=[f.__name__ for f, *_ in PAIRS])
def test_every_way_gives_the_number_of_the_loop(f, by_hand, count, mode, strict):
    expected = MODES[mode](by_hand)(X, XS)
    f.count = 0
    same(MODES[mode](f)(X, XS), expected)
    f.count = 0
    fast = dn.jit(MODES[mode](f))
    same(fast(X, XS), expected, 1e-10)
    if count is not None:
        assert f.count == count  # traced, and not called again
    if mode == "value" and f is not repeated:
        same(dn.grad(fast)(X, XS), dn.grad(by_hand)(X, XS), 1e-10)  # around a jitted function


# ── lengths, containers, types ───────────────────────────────────────────────────────────────────


@settings(max_examples=20, deadline=None)
@given(n=st.integers(0, 4), reverse=st.booleans(), keep=st.booleans())
def test_lengths_and_containers(n, reverse, keep):
    xs = {"r": XS[:n], "s": (RNG.normal(size=(n,)),)}

    def f(x, xs):
        def body(c, row):
            u = np.sin(c["u"]) * row["r"] + row["s"][0]
            return {"u": u, "v": (c["v"][0] * 2, c["v"][1] + 1)}, (c["u"], {"k": row["r"] * 2}) if keep else None

        return dn.scan(body, {"u": x, "v": (1.0, 0)}, xs, reverse=reverse)

    same(dn.jit(f)(X, xs), f(X, xs))
    u, kept = X, []
    for i in range(n - 1, -1, -1) if reverse else range(n):
        kept.append(u)
        u = np.sin(u) * xs["r"][i] + xs["s"][0][i]
    carry, ys = f(X, xs)
    same(carry, {"u": u, "v": (np.float64(2.0**n), np.int64(n))})
    if keep and n:
        same(ys[0], np.stack(kept[::-1] if reverse else kept))
    total = lambda x, xs: np.sum(f(x, xs)[0]["u"] ** 2)  # noqa: E731
    same(dn.jit(dn.grad(total, (0, 1)))(X, xs), dn.grad(total, (0, 1))(X, xs))
    same(dn.jit(dn.hessian(total))(X, xs), dn.hessian(total)(X, xs))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_types(dtype, strict):
    a = RNG.normal(size=(3, 3)).astype(dtype)
    a = a + (1j * RNG.normal(size=(3, 3))).astype(dtype) if a.dtype.kind == "c" else a

    def powers(a):
        return dn.scan(lambda c, _: (a @ c / 2, (c[0], np.trace(c))), np.eye(3, dtype=dtype), None, 4)

    def total(a):
        end, (rows, _) = powers(a)
        return np.sum(np.abs(end) ** 2) + np.sum(np.abs(rows) ** 2)

    rtol = 1e-4 if a.dtype.itemsize in (4,) or dtype is np.complex64 else 1e-11
    same(dn.jit(powers)(a), powers(a), rtol)
    same(powers(a)[0], (a @ a @ a @ a / 16).astype(dtype), rtol)
    same(dn.jit(dn.grad(total))(a), dn.grad(total)(a), rtol)


def test_numbers_of_python_take_the_type_that_they_have_later(strict):
    x = np.float32(0.7)
    f = lambda x: dn.fori_loop(0, 3, lambda i, c: (c[0] + x, c[1] * 2, c[2] + 1), (0, 1.0, 0))  # noqa: E731
    same(f(x), (np.float32(2.1), np.float64(8.0), np.int64(3)), 1e-6)
    same(dn.jit(f)(x), f(x))
    same(dn.jit(lambda x: dn.fori_loop(0, 0, lambda i, c: c + x, 0))(x), np.float32(0))


def test_jets_and_variables_of_ones_own(strict):
    def jet(x):
        y, _ = dn.scan(lambda c, _: (np.sin(c) * x, None), dn.jet(x, order=3), None, 3)
        return y.coeffs

    def several(x):
        u, v = dn.jets(x[0], x[1], order=2)
        return dn.fori_loop(0, 3, lambda i, c: np.sin(c) * u + v, u * v).coeffs

    same(dn.jit(jet)(X), jet(X))
    same(dn.jit(several)(X), several(X))


def test_transforms_inside_of_a_body(strict):
    def f(x, xs):
        h = lambda u: np.sum(np.sin(u) * u * x)  # noqa: E731
        c, _ = dn.scan(lambda c, r: (c - 0.1 * dn.grad(h)(c) + 0.01 * dn.hessian(h)(c) @ r, None), x, xs)
        return np.sum(c**2)

    for mode in (dn.grad, dn.hessian):
        same(dn.jit(mode(f))(X, XS), mode(f)(X, XS))


def test_matrices_and_writes(strict):
    def solved(x):
        def body(c, r):
            return np.linalg.solve(np.eye(2) * 2 + np.outer(c, r), c + r), np.linalg.norm(c)

        return np.sum(dn.scan(body, x, XS)[1])

    def written(x):
        def body(i, c):
            c = np.copy(c)
            c[i] = c[i - 1] * x[0] + np.sin(c[i])
            return c

        return np.sum(dn.fori_loop(1, 4, body, np.concatenate([x, x])) ** 2)

    for f in (solved, written):
        for mode in (lambda f: f, dn.grad, dn.hessian, lambda f: dn.jacrev(dn.jacrev(f))):
            same(dn.jit(mode(f))(X), mode(f)(X))


def test_a_recurrent_network(strict):
    w, b, xs = RNG.normal(size=(80, 80)) / 10, RNG.normal(size=80), RNG.normal(size=(6, 80))

    def loss(w, b):
        h, _ = dn.scan(lambda h, x: (np.tanh(w @ h + b + x), None), b * 0, xs)
        return np.sum(h**2)

    same(dn.jit(dn.grad(loss, (0, 1)))(w, b), dn.grad(loss, (0, 1))(w, b))
    along = lambda w, b: dn.hvp(lambda w: loss(w, b))(w, w)  # noqa: E731
    same(dn.jit(along)(w, b), along(w, b))


# ── numbers that are known otherwise ─────────────────────────────────────────────────────────────


def newton(a):
    far = lambda y: np.abs(y * y - a) > 1e-14 * a  # noqa: E731
    return dn.while_loop(far, lambda y: 0.5 * (y + a / y), a)


@pytest.mark.parametrize("a", [0.31, 2.7, 5.9e4])
def test_roots_by_newton(a, strict):
    found = dn.jit(dn.grad(newton))(a)
    assert np.isclose(found, 0.5 / np.sqrt(a), rtol=1e-7)
    same(found, dn.grad(newton)(a))


def test_the_logistic_map(strict):
    def f(x):
        return dn.fori_loop(0, 30, lambda i, y: 3.7 * y * (1 - y), x)

    with mpmath.workdps(60):
        y = slope = None
        y, slope = mpmath.mpf("0.3125"), mpmath.mpf(1)
        for _ in range(30):
            y, slope = mpmath.mpf(3.7) * y * (1 - y), mpmath.mpf(3.7) * (1 - 2 * y) * slope
    for derivative in (dn.grad, dn.derivative):
        assert np.isclose(dn.jit(derivative(f))(0.3125), float(slope), rtol=1e-6)


def test_a_harmonic_oscillator(strict):
    n, h = 2000, 0.001

    def f(w):
        rhs = lambda y: np.stack([y[1], -(w**2) * y[0]])  # noqa: E731

        def step(y, _):
            k1 = rhs(y)
            k2 = rhs(y + h / 2 * k1)
            k3 = rhs(y + h / 2 * k2)
            k4 = rhs(y + h * k3)
            return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

        return dn.scan(step, np.array([1.0, 0.0]), length=n)[0][0]

    t = n * h
    assert np.isclose(dn.jit(f)(1.7), np.cos(1.7 * t), rtol=1e-10)
    assert np.isclose(dn.jit(dn.grad(f))(1.7), -t * np.sin(1.7 * t), rtol=1e-9)
    assert np.isclose(dn.jit(dn.derivative(f, 2))(1.7), -(t**2) * np.cos(1.7 * t), rtol=1e-9)


# ── one trace, many steps ────────────────────────────────────────────────────────────────────────


def traces(fast):
    return [len(kept.variants) for kept in fast._entries.values()]


def test_other_numbers_of_steps_need_no_other_trace(strict):
    calls = []

    def f(a, n):
        calls.append(1)
        y = newton(a)
        s = dn.fori_loop(1, n, lambda i, s: s + a**i / i, 0.0)
        return y + dn.cond(a > 0.5, np.sin, np.cos, s)

    fast = dn.jit(dn.value_and_grad(f))
    for i, (a, n) in enumerate([(0.9, 5), (0.2, 1), (0.7, 40), (0.3, 0), (0.6, 7)] * 4):
        value, slope = fast(np.float64(a), np.int64(n))
        if i < 5:
            same((value, slope), dn.value_and_grad(f)(np.float64(a), np.int64(n)), 1e-10)
    assert traces(fast) == [1]
    (kept,) = fast._entries.values()
    assert not kept.front.guards


def test_many_steps(strict):
    n = 100_000
    count = [0]

    def f(x):
        def body(c, _):
            count[0] += 1
            return c + 1e-5 * np.sin(c) * x, None

        return np.sum(dn.scan(body, x, length=n)[0])

    def large(x):  # stays whole
        return np.sum(dn.fori_loop(0, 2000, lambda i, c: c + 1e-5 * np.sin(c) * x, np.ones(100) * x))

    slope = dn.jit(dn.grad(f))(0.7)
    assert count == [1]
    a, b = dn.jit(f)(0.7 + 1e-6), dn.jit(f)(0.7 - 1e-6)
    assert np.isclose(slope, (a - b) / 2e-6, rtol=1e-7)
    same(dn.jit(dn.grad(large))(0.7), dn.grad(large)(0.7), 1e-9)


def test_many_steps_of_python():
    f = lambda x: dn.scan(lambda c, _: (c * 0.9999 + x, None), x, length=100_000)[0]  # noqa: E731
    assert np.isclose(dn.grad(f)(0.7), 1e4, rtol=1e-3)


def test_integers_are_counted_with_exactly(strict):
    """What floats cannot hold is no float in the machine's loop."""
    f = lambda n: dn.fori_loop(0, n, lambda i, c: (c[0] * 1103515245 % 2147483647, c[1] + 0.5), (12345, 0.0))  # noqa: E731
    same(dn.jit(f)(np.int64(50)), f(50))


def test_a_body_that_branches_is_traced_step_by_step():
    def f(x):
        return dn.scan(lambda c, r: (np.sin(c) if c[0] > 0.3 else c * r, c[0]), x, XS)[0]

    same(dn.jit(f)(X), f(X))
    same(dn.jit(dn.jacfwd(f))(X), dn.jacfwd(f)(X))


def test_the_side_that_is_not_taken_contributes_nothing(strict):
    f = lambda x: dn.cond(x > 0, lambda x: np.sqrt(x) * x, lambda x: x * 2, x)  # noqa: E731
    for mode in (dn.grad, dn.derivative, lambda f: dn.derivative(f, 2)):
        fast = dn.jit(mode(f))
        for x in (-1.0, 0.0, 2.0):
            same(fast(np.float64(x)), mode(f)(np.float64(x)))
        assert traces(fast) == [1]


def test_rows_that_are_not_used_contribute_nothing(strict):
    f = lambda x: dn.scan(lambda c, r: (c * 0.5, np.log(c - c)), x, length=3)[0]  # noqa: E731
    same(dn.jit(dn.grad(f))(1.5), np.float64(0.125))


# ── what does not fit ────────────────────────────────────────────────────────────────────────────


ERRORS = [
    (lambda: dn.scan(lambda c, r: (c, c, r), X, XS), InvalidType, "a tuple of 3; expected a pair"),
    (lambda: dn.scan(lambda c, r: ((c, c), None), X, XS), InvalidValue, "the same containers"),
    (lambda: dn.scan(lambda c, r: ({"a": c["a"][0]}, None), {"a": X}, XS), InvalidValue, r"leaf \['a'\] .*shape \(\)"),
    (lambda: dn.scan(lambda c, r: (c * 1j, None), X, XS), InvalidType, "complex128 after a step, float64 before"),
    (lambda: dn.scan(lambda c, r: (c + 0.5, None), np.int64(1), XS), InvalidType, "float64 after a step, int64"),
    (lambda: dn.scan(lambda c, r: ("no", None), X, XS), InvalidType, "the value of the carry is a str"),
    (lambda: dn.scan(lambda c, r: (c, None), "no", XS), InvalidType, "the value of the carry is a str"),
    (lambda: dn.scan(lambda c, r: (c, None), X, (XS, XS[:2])), InvalidValue, r"\[2, 5\] rows"),
    (
        lambda: dn.scan(lambda c, r: (c, None), X, XS, length=4),
        InvalidValue,
        "length is 4, and the arrays of xs have 5",
    ),
    (lambda: dn.scan(lambda c, r: (c, None), X), InvalidValue, "length=n"),
    (lambda: dn.scan(lambda c, r: (c, None), X, length=2.5), InvalidType, "length is 2.5"),
    (lambda: dn.scan(lambda c, r: (c, None), X, (XS, 1.0)), InvalidValue, "has no axes"),
    (lambda: dn.scan(3, X, XS), InvalidType, "f is a int; expected a function"),
    (lambda: dn.fori_loop(0, 2.5, lambda i, c: c, X), InvalidType, "upper is 2.5; expected an integer"),
    (lambda: dn.fori_loop(0, 2, lambda i, c: c[0], X), InvalidValue, r"shape \(\) after a step, \(2,\) before"),
    (lambda: dn.while_loop(lambda c: c > 0, lambda c: c - 1, X), InvalidValue, "np.any or np.all"),
    (lambda: dn.cond(X > 0, np.sin, np.cos, X), InvalidValue, r"pred has shape \(2,\)"),
    (lambda: dn.cond(True, 1, np.cos, X), InvalidType, "true_fun is a int"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_errors_under_jit():
    f = dn.jit(lambda x: dn.scan(lambda c, r: (c * 1j, None), x, XS)[0])
    with pytest.raises(InvalidType, match="complex128"):
        f(X)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda x: (x, x), "same containers"),
        (lambda x: x[0], "has shape"),
        (lambda x: x * 1j, "is float64 from true_fun"),
    ],
)
def test_sides_of_different_results_run_as_they_are(other, message):
    fast = dn.jit(lambda x: dn.cond(x[0] > 0, lambda x: x * 2, other, x))
    with pytest.warns(dn.PerformanceWarning, match=message):
        same(fast(X), X * 2)
    same(fast(-X), other(-X))


# ── infinities that nobody reads ─────────────────────────────────────────────────────────────────


def _chosen_end(x):
    c, _ = dn.scan(lambda c, _: (c * np.log(x), None), np.ones(2), None, length=3)
    return np.sum(np.where(np.array([True, False]), c, 0.0))


def _chosen_rows(x):
    _, ys = dn.scan(lambda c, _: (c * np.log(x), c), np.ones(2), None, length=3)
    return np.sum(ys[:, 0])


def _chosen_side(x):
    return dn.cond(x[0] > 1, np.log, lambda x: x, x)[0]


def _chosen_iterate(x):
    return dn.while_loop(lambda c: c[0] < 9.0, lambda c: c * np.stack([1.5 + 0 * x[0], np.log(x[1])]), x)[0]


@pytest.mark.parametrize("f", [_chosen_end, _chosen_rows, _chosen_side, _chosen_iterate])
@pytest.mark.parametrize("way", [dn.grad, dn.hessian, lambda f: lambda x: dn.hvp(f)(x, np.ones(2))])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinity_that_is_not_read_contributes_nothing(f, way):
    for x in (np.array([2.0, 0.0]), np.array([2.0, 3.0])):
        expected = way(f)(x)
        assert np.all(np.isfinite(expected))
        np.testing.assert_allclose(dn.jit(way(f))(x), expected, rtol=1e-12, atol=1e-14)
