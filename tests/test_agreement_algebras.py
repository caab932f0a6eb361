"""Every row, array function and program in every algebra, and what is known to be absent stays so.

A jet in several variables is right if it is so along every line, where it must be what a jet in one variable gives. An
algebra with fewer monomials must agree with that of the total degree on those that it keeps. And what an operand does
not have may be left out but for nothing else: the same operand with zeros in all planes gives the same numbers.
"""

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import test_primitives as of_numpy
from array_function_calls import CALLS
from examination import leaves
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from oracle import coefficients, worst
from random_programs import random_program
from test_agreement_arrays import MORE
from test_agreement_rows import ONE, ROWS, of_scipy, points_of
from test_apolar import bilaplace, laplace
from test_random_programs import SHAPES, sample, special_sample
from what_works import sample_matrix

import dualnum as dn
from dualnum import Jet
from dualnum.algebra import Algebra, Apolar, Box, Monomials, Nilpotent, TotalDegree
from dualnum.errors import DualnumError
from dualnum.jets.variables import started
from dualnum.operand import Operand
from dualnum.operand.levels import ambient

pytestmark = pytest.mark.filterwarnings("ignore")

OTHERS = [
    Box(2, 1), Nilpotent(3), Nilpotent(2), Box(1, 1, 1), Nilpotent(3, 2),
    Monomials(((0, 0), (1, 0), (0, 1), (2, 0), (3, 0))), Apolar(laplace(2)), Apolar(bilaplace(2)),
]  # fmt: skip


# ── jets with random coefficients ────────────────────────────────────────────────────────────────


def moving(x: Any, algebra: Algebra, rng: np.random.Generator, monomials: Sequence[Any] | None = None) -> Jet:
    """x with random coefficients of these monomials, of all when left out."""
    chosen = algebra.monomials[1:] if monomials is None else monomials
    return started(x, {m: rng.normal(size=np.shape(x)) * 0.6 ** sum(m) for m in chosen}, algebra, ambient())


def some(algebra: Algebra, rng: np.random.Generator) -> list[Any]:
    """A few monomials, or most."""
    share = rng.choice([0.2, 0.5, 0.9])
    return [m for m in algebra.monomials[1:] if rng.random() < share]


def dense(x: Jet) -> Jet:
    """The same, of which all is said to be there."""
    return object.__new__(Jet)._set(np.array(x.planes), x.algebra.full, x.algebra, x.scope)


def lifted(x: Jet) -> Jet:
    """The same in the algebra of the total degree."""
    algebra = x.algebra
    terms = {m: x.planes[p] for p, m in enumerate(algebra.monomials) if p and algebra.holds(x.extent, m)}
    return started(x.planes[0], terms, TotalDegree(algebra.variables, algebra.order), x.scope)


def results(f: Callable[..., Any], *xs: Any) -> list[Any]:
    """The arrays of a result; an error of ours in their place."""
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        try:
            return [y for (y,) in leaves(f(*xs))]
        except (DualnumError, np.linalg.LinAlgError) as error:
            return [type(error)]


def same(given: Any, expected: Any, what: str, floor: float, tolerance: float = 1e-9) -> None:
    """Equal numbers wherever finite ones are expected, to the size of each element's coefficients or the floor."""
    given, expected = np.asarray(given), np.asarray(expected)
    assert given.shape == expected.shape, what
    known = np.abs(expected) < 1e290  # false for NaN
    given, expected = np.where(known, given, 0.0), np.where(known, expected, 0.0)
    error = np.abs(given - expected)
    allowed = tolerance * np.maximum(floor, np.max(np.abs(expected), axis=0))
    assert np.all(error <= allowed), f"{what}: {given}, not {expected}"


def pairs(given: list[Any], expected: list[Any], what: str) -> Iterator[tuple[Jet, Any]]:
    """The jets of two results, side by side."""
    assert len(given) == len(expected), what
    for y, z in zip(given, expected, strict=True):
        assert isinstance(y, Operand) == isinstance(z, Operand), f"{what}: {y} and {z}"
        if isinstance(y, Operand):
            yield y, z
        elif isinstance(y, type):
            assert y is z, what


def absent_is_zero(ys: list[Any], what: str) -> None:
    for y in ys:
        if isinstance(y, Jet):
            for plane, m in enumerate(y.algebra.monomials):
                if not y.algebra.holds(y.extent, m):
                    assert np.all(np.asarray(y.planes[plane]) == 0), f"{what}: {m} is not in the extent"


def right_along_lines(
    f: Callable[..., Any], xs: Sequence[Any], rng: np.random.Generator, what: str, floor: float = 1.0
) -> None:
    """f of jets of a total degree, against f of jets in one variable."""
    ys = results(f, *xs)
    absent_is_zero(ys, what)
    algebra = next(x.algebra for x in xs if isinstance(x, Jet))
    v = rng.normal(size=algebra.variables).round(2)
    alone = results(f, *(x.along(*v) if isinstance(x, Jet) else x for x in xs))
    for y, z in pairs(ys, alone, what):
        same(y.along(*v).coeffs, z.coeffs, f"{what} along {v}", floor)


def right_where_less_is_kept(f: Callable[..., Any], xs: Sequence[Any], what: str, floor: float = 1.0) -> None:
    """f of jets of any algebra, against those of the total degree."""
    ys = results(f, *xs)
    absent_is_zero(ys, what)
    more = results(f, *(lifted(x) if isinstance(x, Jet) else x for x in xs))
    for y, z in pairs(ys, more, what):
        projected: dict[Any, Any] = dict.fromkeys(y.algebra.monomials, 0.0)
        for m in z.algebra.monomials:
            for n, c in y.algebra.projected(m):
                projected[n] = projected[n] + c * z.coefficient(*m)
        expected = np.stack([projected[m] + 0 * z.value for m in y.algebra.monomials])
        same(y.coeffs, expected, f"{what} in {y.algebra!r}", floor)


def right_where_some_is_absent(f: Callable[..., Any], xs: Sequence[Any], what: str, floor: float = 1.0) -> None:
    """f of jets with their structure, against f of the same without."""
    ys = results(f, *xs)
    absent_is_zero(ys, what)
    for y, z in pairs(ys, results(f, *(dense(x) if isinstance(x, Jet) else x for x in xs)), what):
        same(y.coeffs, z.coeffs, f"{what}, of {[x.extent for x in xs if isinstance(x, Jet)]}", floor)


def test_the_checks_find_what_is_wrong() -> None:
    x, t = dn.jets(np.ones(2), np.ones(2), order=2)
    y = x * t
    less = object.__new__(Jet)._set(y.planes, x.extent, y.algebra, y.scope)
    with pytest.raises(AssertionError, match="not in the extent"):
        absent_is_zero([less], "too little is claimed")
    with pytest.raises(AssertionError, match="along"):
        right_along_lines(
            lambda u: u * u + (0 if u.algebra is x.algebra else 1e-6 * u), [y], np.random.default_rng(0), ""
        )
    with pytest.raises(AssertionError):
        right_where_some_is_absent(lambda u: u * (1 + 1e-6 * u.filled), [x], "a rule that looks at the extent")


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def arguments(row: Any) -> list[Any]:
    """The row's special points and two usual ones, whole numbers where it wants such."""
    return [np.array(column) for column in zip(*points_of(row), strict=True)]


def movable(row: Any, xs: Sequence[Any]) -> list[int]:
    """The arguments that may move."""
    alone = ([dn.jet(x, 1) if k == i else x for k, x in enumerate(xs)] for i in range(len(xs)))
    return [i for i, (x, ys) in enumerate(zip(xs, alone, strict=True)) if x.dtype.kind == "f" and any(
        isinstance(y, Jet) for y in results(row.ufunc, *ys)
    )]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows(row: Any) -> None:
    rng = np.random.default_rng(ROWS.index(row))
    xs = arguments(row)
    which = movable(row, xs)
    if not which:
        return
    k, algebra = ROWS.index(row), TotalDegree(2, 3 if of_scipy(row) else 4)

    def start(algebra: Algebra, own: bool) -> list[Any]:
        """All that moves, along all variables or each argument along its own."""
        along = [[algebra.monomials[1 + i % 2]] if own else None for i in range(len(xs))]
        return [moving(x, algebra, rng, m) if i in which else x for i, (x, m) in enumerate(zip(xs, along, strict=True))]

    other = OTHERS[k % len(OTHERS)]
    right_along_lines(row.ufunc, start(algebra, False), rng, row.name, 0.0)
    right_along_lines(row.ufunc, start(algebra, True), rng, row.name, 0.0)
    right_where_some_is_absent(row.ufunc, start(algebra, True), row.name, 0.0)
    right_where_less_is_kept(row.ufunc, start(other, False), row.name, 0.0)


# ── array functions ──────────────────────────────────────────────────────────────────────────────

NAMES = [(table, name) for table in (CALLS, MORE) for name in table]


@pytest.mark.parametrize(("table", "name"), NAMES, ids=[name for _, name in NAMES])
def test_array_functions(table: Any, name: str) -> None:
    k = NAMES.index((table, name))
    rng = np.random.default_rng(k)
    x, _ = sample_matrix()
    for i, call in enumerate(table[name]):
        what = f"{name}, call {i}"
        right_along_lines(call, [moving(x, TotalDegree(2, 3), rng)], rng, what)
        other = OTHERS[(k + i) % len(OTHERS)]
        right_where_less_is_kept(call, [moving(x, other, rng)], what)
        right_where_some_is_absent(call, [moving(x, other, rng, some(other, rng))], what)
        right_where_some_is_absent(call, [moving(x, other, rng, other.monomials[-1:])], what)


# ── programs ─────────────────────────────────────────────────────────────────────────────────────

ALGEBRAS = [TotalDegree(2, 2), TotalDegree(3, 3), TotalDegree(2, 4), *OTHERS]


@pytest.mark.parametrize("special", [False, True], ids=["generic", "special"])
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_programs(seed: int, special: bool) -> None:
    """After every step."""
    rng = np.random.default_rng([seed, 4])
    x = np.array(special_sample(seed) if special else sample(seed, SHAPES))
    program = random_program(seed, x, in_place=True, special=special)
    algebra = ALGEBRAS[seed % len(ALGEBRAS)]
    start = [moving(x, algebra, rng, some(algebra, rng))]
    right_where_some_is_absent(program.results, start, program.text)
    right_where_less_is_kept(program.results, start, program.text)
    if isinstance(algebra, TotalDegree):
        right_along_lines(program.results, start, rng, program.text)


# ── what is absent ───────────────────────────────────────────────────────────────────────────────

P = np.linspace(0.5, 1.0, 4)
FIRST, SECOND, MIXED = ((1, 0),), ((1, 0), (2, 0)), ((1, 0), (0, 1), (1, 1))
ALL_OF_X = ((1, 0), (2, 0), (3, 0), (4, 0))
# functions of x and t, and the monomials that a result has
STRUCTURES: dict[str, tuple[Callable[[Any, Any], Any], tuple[tuple[int, int], ...]]] = {
    "x + t²": (lambda x, t: x + t**2, ((1, 0), (0, 1), (0, 2))),
    "x t": (lambda x, t: x * t, MIXED),
    "x²": (lambda x, t: x**2, SECOND),
    "x x": (lambda x, t: x * x, SECOND),
    "sin x": (lambda x, t: np.sin(x), ALL_OF_X),
    "exp t": (lambda x, t: np.exp(t), ((0, 1), (0, 2), (0, 3), (0, 4))),
    "t/x": (lambda x, t: t / x, ((1, 0), (0, 1), (2, 0), (1, 1), (3, 0), (2, 1), (4, 0), (3, 1))),
    "hypot(x, 1)": (lambda x, t: np.hypot(x, 1.0), ALL_OF_X),
    "clip": (lambda x, t: np.clip(x, 0.6, 0.9), FIRST),
    "a branch that t does not take": (lambda x, t: np.where(P > 0.7, np.sin(x), 1.0), ALL_OF_X),
    "where": (lambda x, t: np.where(P > 0.7, x, t), ((1, 0), (0, 1))),
    "concatenate": (lambda x, t: np.concatenate([x, t]), ((1, 0), (0, 1))),
    "concatenate with numbers": (lambda x, t: np.concatenate([x, P]), FIRST),
    "stack": (lambda x, t: np.stack([x, x]), FIRST),
    "sum": (lambda x, t: np.sum(x * x), SECOND),
    "cumsum": (lambda x, t: np.cumsum(x), FIRST),
    "std": (lambda x, t: np.std(x), ALL_OF_X),
    "prod": (lambda x, t: np.prod(x), ALL_OF_X),
    "x/Σx²": (lambda x, t: x / np.sum(x**2), ALL_OF_X),
    "outer": (lambda x, t: np.outer(x, t), MIXED),
    "einsum": (lambda x, t: np.einsum("i,i", x, x), SECOND),
    "exp(t) @ t": (lambda x, t: np.exp(t) @ t, ((0, 1), (0, 2), (0, 3), (0, 4))),
    "solve": (lambda x, t: np.linalg.solve(np.eye(4) + np.diag(x), P), ALL_OF_X),
    "cholesky": (lambda x, t: np.linalg.cholesky(np.eye(4) + np.outer(x, x)), ALL_OF_X),
    "fft": (lambda x, t: np.fft.fft(x), FIRST),
    "part of an array": (lambda x, t: np.outer(x, x)[1:].T, SECOND),
    "derivative of x t²": (lambda x, t: dn.derivative(lambda s: (x + s) * t * s)(P), MIXED),
}  # fmt: skip
ASSIGNED: dict[str, tuple[Callable[[Any, Any], Any], tuple[tuple[int, int], ...]]] = {
    "x[0] = t²": (lambda x, t: written(x, 0, t[0] ** 2), ((1, 0), (0, 1), (0, 2))),
    "x[0] = 3": (lambda x, t: written(x, 0, 3.0), FIRST),
    "x[1:] = sin x": (lambda x, t: written(x, slice(1, None), np.sin(x[1:])), ALL_OF_X),
    "zeros[:] = x t": (lambda x, t: written(np.zeros_like(x), slice(None), x * t), MIXED),
    "a view of x": (lambda x, t: written(x, slice(1, None), x[:-1] ** 2, through=True), SECOND),
}  # fmt: skip


def written(x: Any, index: Any, value: Any, through: bool = False) -> Any:
    """A copy with an assignment, to itself or to a view."""
    y = x.copy()
    if through:
        y[index][...] = value
    else:
        y[index] = value
    return y


def there(y: Jet) -> list[Any]:
    return [m for m in y.algebra.monomials[1:] if y.algebra.holds(y.extent, m)]


@pytest.mark.parametrize("name", [*STRUCTURES, *ASSIGNED])
def test_what_is_absent_stays_absent(name: str) -> None:
    """Eagerly, recorded, inside another derivative, and in what is compiled."""
    f, expected = {**STRUCTURES, **ASSIGNED}[name]
    found = []

    def measured(x: Any, t: Any) -> Any:
        y = f(*dn.jets(x, t, order=4))
        found.append(there(y))
        return sum(np.sum(np.real(y.coefficient(*m)) ** 2) for m in [(0, 0), *expected])

    for way in (measured, dn.grad(measured, (0, 1)), lambda x, t: dn.jvp(measured, (x, t), (t, x))):
        way(P, P[::-1] + 1)
    if name in STRUCTURES:
        for way in (dn.jit(measured), dn.jit(dn.grad(measured))):
            way(P, P[::-1] + 1)
    assert len(found) >= 3
    for monomials in found:
        assert monomials == list(expected)


def test_planes_that_are_absent_are_not_computed() -> None:
    """A function of x alone takes as long among six variables as alone: what is multiplied is counted."""
    xs = dn.jets(*np.ones((6, 2)), order=4)
    y = np.exp(xs[0])
    assert len(y.algebra.products(y.extent, y.extent)) == 15 and y.algebra.size == 210
    assert len(y.algebra.products()) > 1000


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────────


def plane_of_each_degree(j: int) -> Callable[[Any, Any, int], np.ndarray]:
    """c_k of f(x + s/2 − t/2), from the coefficient of s^{k−j} t^j (of t^k for k < j)."""

    def compute(f: Any, x: np.ndarray, order: int) -> np.ndarray:
        s, t = dn.jets(x.dtype.type(0), x.dtype.type(0), order=order)
        with np.errstate(all="ignore"):
            y = f(x + 0.5 * s - 0.5 * t)
        found = []
        for k in range(order + 1):
            i, j_k = k - min(j, k), min(j, k)
            found.append(np.broadcast_to(y.coefficient(i, j_k) / (math.comb(k, i) * 0.5**k * (-1) ** j_k), x.shape))
        return np.array(found)

    return compute


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", of_numpy.UNARY)
def test_accuracy_of_mixed_derivatives(name: str, dtype: Any) -> None:
    """E_k of all coefficients of degree 4 at most, at the edges of float's range and of the function's domain."""
    row = of_numpy.row_of(name)
    found = [e for j in (0, 2, 3) for e in of_numpy.failures(row, dtype, (4,), 2, plane_of_each_degree(j))]
    assert not found, "\n".join(found)


SPECIAL_FUNCTIONS = [row for row in ROWS if of_scipy(row) and row.name in ONE and row.ufunc.nin == row.ufunc.nout == 1]


@pytest.mark.parametrize("row", SPECIAL_FUNCTIONS, ids=lambda row: row.name)
def test_accuracy_of_special_functions(row: Any) -> None:
    """The same at their special points and two usual ones, where they have a series."""
    function, radius = ONE[row.name][:2]
    points = [x for (x,) in points_of(row) if row.kink is None and radius(x) > 1e-6]
    found = []
    for j in (0, 2):
        computed = plane_of_each_degree(j)(row.ufunc, np.array(points), 4)
        for x, c_hat in zip(points, computed.T, strict=True):
            e = worst(c_hat, coefficients(function, x, 5, radius(x)), x)
            found += [f"{row.name}({x}): E = {e:.3g}"] if e > 16 else []
    assert not found, "\n".join(found)


@functools.cache
def mixed_coefficients(name: str, x: float, y: float, order: int) -> dict[tuple[int, int], Any]:
    """c_ij of f(x + s, y + t) from series along lines s = u, t = r u: polynomials in the slope r."""
    f, radius, _ = of_numpy.BINARY[name]
    slopes = [mpf(r) for r in (*range(order), -1)]
    reach = min(radius(x, y), 1) if name.endswith("power") else radius(x, y)
    lines = [
        coefficients(lambda t, r=r: f(mpf(x) + t, mpf(y) + r * t), 0, order, reach / (2 * max(1, abs(r))))
        for r in slopes
    ]
    found = {}
    with mp.workdps(60):
        for k in range(order + 1):
            powers = mp.matrix([[r**j for j in range(k + 1)] for r in slopes[: k + 1]])
            solved = mp.lu_solve(powers, mp.matrix([line[k] for line in lines[: k + 1]]))
            found.update({(k - j, j): solved[j] for j in range(k + 1)})
    return found


@pytest.mark.parametrize("name", of_numpy.BINARY)
def test_accuracy_in_two_independent_variables(name: str) -> None:
    """The measure of NUMERICS.md with the roundings of both arguments: x_i ∂c_m/∂x_i = x_i (m_i + 1) c_{m + e_i}."""
    pairs = [(x, y) for x, y in of_numpy.BINARY[name][2] if 1e-20 <= abs(x) <= 1e20 and 1e-20 <= abs(y) <= 1e20]
    found = []
    for x, y in pairs[::2]:
        exact = mixed_coefficients(name, x, y, 4)
        digits = mpf(10) ** -27 * max(map(abs, exact.values()))
        s, t = dn.jets([x], [y], order=3)
        with np.errstate(all="ignore"):
            f = getattr(np, name)(s, t)
        for i, j in f.algebra.monomials:
            moved = abs(mpf(x)) * (i + 1) * abs(exact[i + 1, j]) + abs(mpf(y)) * (j + 1) * abs(exact[i, j + 1])
            unit = mpf(2.0**-52) * (i + j + 1) * (abs(exact[i, j]) + moved)
            gap = abs(mpf(float(f.coefficient(i, j)[0])) - exact[i, j])
            if gap > 16 * unit + digits:
                found.append(f"{name}({x}, {y}), {i, j}: E = {float(gap / unit) if unit else np.inf:.3g}")
    assert not found, "\n".join(found)


# ── exact polynomials, and identities ────────────────────────────────────────────────────────────


def times(p: dict[Any, int], q: dict[Any, int]) -> dict[Any, int]:
    """The product of polynomials with whole coefficients."""
    found: dict[Any, int] = {}
    for (m, a), (n, b) in itertools.product(p.items(), q.items()):
        power = tuple([i + j for i, j in zip(m, n, strict=True)])
        found[power] = found.get(power, 0) + a * b
    return found


@pytest.mark.parametrize("algebra", [TotalDegree(4, 4), Box(2, 1, 3, 1), Nilpotent(4)], ids=repr)
@pytest.mark.parametrize("n", [3, 8])
def test_fateman_polynomials_are_exact(algebra: Algebra, n: int) -> None:
    """p (p + 1) with p = (1 + x + y + z + w)ⁿ (Fateman 2003), whatever way the power is taken."""
    units = [tuple(int(i == j) for j in range(4)) for i in range(4)]
    zero = (0,) * 4
    base, p = dict.fromkeys([zero, *units], 1), {zero: 1}
    for _ in range(n):
        p = times(p, base)
    exact = times(p, {**p, zero: p[zero] + 1})
    x, y, z, w = (started(np.zeros(2), {u: 1.0}, algebra, ambient()) for u in units)
    f = (1 + x + y + z + w) ** n
    g = np.prod(np.stack([1 + x + y + z + w] * n), axis=0)
    h = functools.reduce(np.multiply, [w + z + y + x + 1] * n)
    for q in (f, g, h):
        product = q * (q + 1)
        for m in algebra.monomials:
            assert np.all(product.coefficient(*m) == exact.get(m, 0)), m


IDENTITIES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "sin² + cos²": (lambda x, y: np.sin(x) ** 2 + np.cos(x) ** 2, lambda x, y: 0 * x + 1),
    "cosh² − sinh²": (lambda x, y: np.cosh(x) ** 2 - np.sinh(x) ** 2, lambda x, y: 0 * x + 1),
    "exp log": (lambda x, y: np.exp(np.log(x)), lambda x, y: x),
    "log exp": (lambda x, y: np.log(np.exp(x)), lambda x, y: x),
    "√x √x": (lambda x, y: np.sqrt(x) * np.sqrt(x), lambda x, y: x),
    "cbrt³": (lambda x, y: np.cbrt(x) ** 3, lambda x, y: x),
    "tan": (lambda x, y: np.tan(x), lambda x, y: np.sin(x) / np.cos(x)),
    "tanh": (lambda x, y: np.tanh(x), lambda x, y: np.sinh(x) / np.cosh(x)),
    "arctan tan": (lambda x, y: np.arctan(np.tan(x)), lambda x, y: x),
    "sin arcsin": (lambda x, y: np.sin(np.arcsin(x / 2)), lambda x, y: x / 2),
    "tanh arctanh": (lambda x, y: np.tanh(np.arctanh(x / 2)), lambda x, y: x / 2),
    "log1p expm1": (lambda x, y: np.log1p(np.expm1(x)), lambda x, y: x),
    "xʸ": (lambda x, y: x**y, lambda x, y: np.exp(y * np.log(x))),
    "x³": (lambda x, y: x**3.0, lambda x, y: x * x * x),
    "x y/y": (lambda x, y: x * y / y, lambda x, y: x),
    "(x + y)²": (lambda x, y: (x + y) ** 2, lambda x, y: x * x + 2 * x * y + y * y),
    "hypot": (lambda x, y: np.hypot(x, y) ** 2, lambda x, y: x * x + y * y),
    "the angle and the modulus": (lambda x, y: np.hypot(x, y) * np.cos(np.arctan2(y, x)), lambda x, y: x),
    "logaddexp": (lambda x, y: np.exp(np.logaddexp(x, y)), lambda x, y: np.exp(x) + np.exp(y)),
    "sin(x + y)": (lambda x, y: np.sin(x + y), lambda x, y: np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y)),
    "A A⁻¹": (lambda x, y: square(x, y) @ np.linalg.inv(square(x, y)), lambda x, y: np.eye(2) + 0 * square(x, y)),
    "log det": (
        lambda x, y: np.linalg.slogdet(square(x, y))[1], lambda x, y: np.log(2 * y[0] + y[0] * x[1] + x[0] * x[1]),
    ),
    "inverse transform": (lambda x, y: np.real(np.fft.ifft(np.fft.fft(x))), lambda x, y: x),
}  # fmt: skip


def square(x: Any, y: Any) -> Any:
    """(y₀ −x₀; x₁ 2 + x₁)."""
    return np.stack([np.stack([y[0], -x[0]]), np.stack([x[1], 2 + x[1]])])


@given(
    st.sampled_from([*OTHERS, TotalDegree(1, 6), TotalDegree(2, 3), TotalDegree(3, 2), TotalDegree(2, 6), Box(4, 1)]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=6)
@pytest.mark.parametrize("name", IDENTITIES)
def test_identities_of_series(name: str, algebra: Algebra, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (moving(rng.uniform(0.4, 1.2, 3), algebra, rng, some(algebra, rng)) for _ in range(2))
    left, right = (f(x, y) for f in IDENTITIES[name])
    same(left.coeffs, right.coeffs, name, 1.0, 1e-10)
