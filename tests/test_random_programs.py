"""All ways to a derivative agree on programs that nobody chose, and with differences; the values are NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import Program, random_program
from ways import PRODUCTS, THIRD, differences, in_turn, ways_of

import dualnum as dn

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of empty arrays

SHAPES: list[tuple[int, ...]] = [(), (1,), (5,), (7,), (70,), (2, 3), (4, 4), (2, 1, 3), (0,), (0, 2)]
LONG: list[tuple[int, ...]] = [(200_000,), (500, 400), (2, 100_000), (1, 200_000)]  # above 1 MiB: kept memory


def sample(seed: int, shapes: list[tuple[int, ...]], dtype: Any = np.float64) -> np.ndarray:
    """Numbers of one of the shapes, in rows or columns, forwards or backwards, or not to be written to."""
    rng = np.random.default_rng([seed, 0])
    x = rng.normal(size=shapes[rng.integers(len(shapes))]).astype(dtype)
    layout = rng.integers(5)
    if x.ndim and layout < 3:
        x = [np.asfortranarray(x), x[::-1], np.repeat(x, 2, axis=-1)[..., ::2]][layout]
    x.flags.writeable = layout != 3
    return x


def agree(given: Any, expected: Any, tolerance: float, what: str, program: Program) -> None:
    given, expected = np.asarray(given), np.asarray(expected)
    assert given.shape == expected.shape, f"{what}: {given.shape}, not {expected.shape}, of\n{program.text}"
    assert given.dtype == expected.dtype, f"{what}: {given.dtype}, not {expected.dtype}, of\n{program.text}"
    scale = tolerance * max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    message = f"{what} of\n{program.text}"
    np.testing.assert_allclose(given, expected, rtol=0.0, atol=scale, err_msg=message)


def gradients_agree(x: np.ndarray, program: Program, tolerance: float) -> tuple[Any, Any, Any]:
    """The gradient, a direction and the Hessian along it, that modes and their nestings agree on."""
    f = program.scalar
    v = np.random.default_rng(5).normal(size=x.shape).astype(x.dtype)
    before = x.copy(), v.copy()
    value, gradient = dn.value_and_grad(f)(x)
    agree(value, f(x), tolerance, "value", program)
    assert gradient.dtype == x.dtype and gradient.shape == x.shape
    assert not np.shares_memory(gradient, x)
    pushed = dn.jvp(f, (x,), (v,))[1]
    agree(np.sum(gradient * v, dtype=float), float(pushed), tolerance, "gradient", program)
    hv = dn.hvp(f)(x, v)
    agree(dn.vhp(f)(x, v), hv, 30 * tolerance, "vhp", program)
    twice = dn.grad(lambda x: np.sum(dn.grad(f)(x) * v))(x)
    agree(twice, hv, 30 * tolerance, "reverse over reverse", program)
    assert np.array_equal(x, before[0]) and np.array_equal(v, before[1]), "the caller's arrays"
    return gradient, v, hv


def central_difference(f: Callable[[Any], Any], x: np.ndarray, v: np.ndarray) -> Any:
    """By Richardson's extrapolation of two steps: of fourth order."""
    h = 1e-4
    wide, narrow = ((f(x + s * v) - f(x - s * v)) / (2 * s) for s in (2 * h, h))
    return (4 * narrow - wide) / 3


@pytest.mark.parametrize("seed", range(40))
def test_eager_ways_agree(seed):
    x = sample(seed, SHAPES)
    program = random_program(seed, x, in_place=True)
    f, g = program.scalar, program.vector
    gradient, v, hv = gradients_agree(x, program, 1e-11)
    agree(central_difference(f, x, v), np.sum(gradient * v), 1e-6, "central difference", program)
    if x.size > 20:
        return
    jacobian = dn.jacfwd(g)(x)
    agree(dn.jacrev(g)(x), jacobian, 1e-11, "jacrev", program)
    hessian = dn.hessian(f)(x)
    agree(np.tensordot(hessian, v, v.ndim), hv, 3e-10, "hessian", program)
    agree(dn.jacfwd(dn.jacfwd(f))(x), hessian, 3e-10, "forward over forward", program)
    if x.size > 6:
        return
    third = dn.jacfwd(dn.hessian(f))(x)
    for name, derivative in {
        "reverse over forward over reverse": dn.jacrev(dn.hessian(f)),
        "reverse over reverse over reverse": dn.jacrev(dn.jacrev(dn.jacrev(f))),
        "forward over reverse over forward": dn.jacfwd(dn.jacrev(dn.jacfwd(f))),
        "reverse over forward over forward": dn.jacrev(dn.jacfwd(dn.jacfwd(f))),
    }.items():
        agree(derivative(x), third, 1e-8, name, program)


@pytest.mark.parametrize("engine", ["llvm", "interpret"])
@pytest.mark.parametrize("seed", range(100, 125))
def test_jit_gives_what_the_function_gives(engine, seed):
    x = sample(seed, SHAPES)
    program = random_program(seed, x, in_place=seed % 2 == 0)
    f, g = program.scalar, program.vector
    v = np.random.default_rng(6).normal(size=x.shape)
    with dn.engine(engine), np.errstate(all="ignore"):
        exact = 0.0 if engine == "interpret" else 1e-13
        for name, plain in {"scalar": f, "vector": g}.items():
            agree(dn.jit(plain)(x), plain(x), exact, f"jit of the {name}", program)
        jitted = dn.jit(dn.grad(f))
        gradient, first, second = dn.grad(f)(x), jitted(x), jitted(x)
        agree(first, gradient, 1e-11, "jit of the gradient", program)
        assert not np.shares_memory(first, second) and not np.shares_memory(first, x)
        if first.ndim:
            first[...] = 7.0
        agree(jitted(x), gradient, 1e-11, "jit of the gradient after a result was written to", program)
        agree(dn.jit(dn.hvp(f))(x, v), dn.hvp(f)(x, v), 3e-10, "jit of hvp", program)
        if x.size <= 16:
            agree(dn.jit(dn.jacrev(g))(x), dn.jacrev(g)(x), 1e-11, "jit of jacrev", program)
            agree(dn.jit(dn.jacfwd(g))(x), dn.jacrev(g)(x), 1e-11, "jit of jacfwd", program)
            agree(dn.jit(dn.hessian(f))(x), dn.hessian(f)(x), 3e-10, "jit of the Hessian", program)


@pytest.mark.parametrize("seed", range(200, 212))
def test_long_arrays(seed):
    x = sample(seed, LONG)
    program = random_program(seed, x)
    gradient = gradients_agree(x, program, 1e-10)[0]
    agree(dn.jit(dn.grad(program.scalar))(x), gradient, 1e-10, "jit of the gradient", program)


@pytest.mark.parametrize("seed", range(300, 320))
def test_single_precision(seed):
    x = sample(seed, SHAPES, np.float32)
    program = random_program(seed, x)
    gradient = gradients_agree(x, program, 2e-3)[0]
    agree(dn.jit(dn.grad(program.scalar))(x), gradient, 2e-3, "jit of the gradient", program)


@pytest.mark.parametrize("seed", range(400, 430))
def test_several_directions_are_single_ones(seed):
    x = sample(seed, SHAPES)
    program = random_program(seed, x, in_place=True)
    rng = np.random.default_rng([seed, 2])
    order, directions = int(rng.integers(1, 4)), rng.normal(size=(int(rng.integers(0, 4)), *x.shape))
    several = program.vector(dn.jet(x, order, directions=directions))
    agree(several.value, program.vector(x), 1e-13, "value", program)
    for p, v in enumerate(directions):
        alone = program.vector(dn.jet(x, order, direction=v))
        for k in range(1, order + 1):
            agree(several.coefficient(k)[p], alone.coefficient(k), 1e-10, f"coefficient {k}", program)


# ── at ties, zeros, whole numbers, stationary points and exact fits ──────────────────────────────

SMALL: list[tuple[int, ...]] = [(2,), (3,), (4,), (2, 2), (1, 3)]
VALUES = [0.0, 0.0, 1.0, 1.0, 1.0, -1.0, 2.0, 0.5, -0.5]


def special_sample(seed: int) -> np.ndarray:
    """Equal elements, zeros and whole numbers."""
    rng = np.random.default_rng([seed, 2])
    return rng.choice(VALUES, size=SMALL[rng.integers(len(SMALL))])


def along_a_line(seed: int) -> tuple[Program, Any, np.ndarray, np.ndarray]:
    """A special program, t ↦ its number at x + t v, x and v."""
    x = special_sample(seed)
    program = random_program(seed, x, special=True)
    v = np.random.default_rng([seed, 3]).normal(size=x.shape).round(2)
    return program, lambda t: program.scalar(x + t * v), x, v


def one_jet(f: Callable[[Any], Any], n: int) -> Any:
    with np.errstate(all="ignore"):
        return dn.derivative(f, n)(0.0)


@pytest.mark.parametrize("seed", range(1000, 1040))
def test_ways_agree_at_special_points(seed: int) -> None:
    program, along, x, v = along_a_line(seed)
    f, found = program.scalar, []
    for n, count in ((1, 2), (2, 7), (3, 3)):
        expected = one_jet(along, n)
        ways = in_turn(ways_of(n), seed, count)
        computed = {way: lambda made=made, n=n: made(along, n)(0.0) for way, made in ways.items()}
        if n == 2:
            products = in_turn(PRODUCTS, seed, 4)
            computed |= {way: lambda made=made: np.sum(v * made(f)(x, v)) for way, made in products.items()}
            computed["hessian"] = lambda: np.sum(v * np.tensordot(dn.hessian(f)(x), v, v.ndim))
        if n == 3 and x.size <= 3:
            for way, made in in_turn(THIRD, seed, 2).items():
                third = lambda made=made: made(f)(x)  # noqa: E731
                computed[way] = lambda third=third: np.einsum(
                    "ijk,i,j,k", np.reshape(third(), (x.size,) * 3), *[np.ravel(v)] * 3
                )
        found += [f"n = {n}: {line}" for line in differences(computed, expected, 1e-8)]
    assert not found, f"at {x} along {v}, of\n{program.text}\n" + "\n".join(found)


@pytest.mark.parametrize("seed", range(1040, 1065))
def test_compiled_ways_agree_at_special_points(seed: int) -> None:
    program, along, x, v = along_a_line(seed)
    found = []
    for n in (1, 2):
        ways = in_turn(ways_of(n, jit=True), seed)
        computed = {way: lambda made=made, n=n: made(along, n)(np.array(0.0)) for way, made in ways.items()}
        found += [f"n = {n}: {line}" for line in differences(computed, one_jet(along, n), 1e-8)]
    assert not found, f"at {x} along {v}, of\n{program.text}\n" + "\n".join(found)


@pytest.mark.parametrize("seed", range(1000, 1100))
def test_one_jet_is_right_at_special_points(seed: int) -> None:
    """Differences of the values show it, where the program has no corner and no masked infinity within reach."""
    program, along, _, _ = along_a_line(seed)
    h = 1e-3
    nodes = h * np.arange(-4, 5)
    with np.errstate(all="ignore"):
        values = np.array([along(t) for t in nodes])
        fitted = np.polynomial.Polynomial.fit(nodes, values, 6).convert()
        smooth = np.max(np.abs(fitted(nodes) - values)) < 1e-12 * max(1.0, float(np.max(np.abs(values))))
    if smooth:
        for n in (1, 2):
            scale = max(1.0, abs(fitted.deriv(n)(0.0)))
            assert abs(one_jet(along, n) - fitted.deriv(n)(0.0)) < 1e-4 * scale, f"n = {n}, of\n{program.text}"


def test_special_programs_stand_at_special_points() -> None:
    """Ties, zeros and exact fits come up, and masked infinities."""
    texts = "".join(along_a_line(seed)[0].text for seed in range(1000, 1100))
    for step in ("its value", "logaddexp(a, a²)", "where(a > 0, 1/a, 0)", "max of all", "select", "a^[0, 1, 2, 3]"):
        assert step in texts
    samples = [special_sample(seed) for seed in range(1000, 1100)]
    assert sum(0.0 in x for x in samples) > 30
    assert sum(len(np.unique(x)) < x.size for x in samples) > 30
