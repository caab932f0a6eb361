"""Every row, array function and program in every algebra, and what is known to be absent stays so.

A jet in several variables is right if it is so along every line, where it must be what a jet in one variable gives. An
algebra with fewer monomials must agree with that of the total degree on those that it keeps. And what an operand does
not have may be left out but for nothing else: the same operand with zeros in all planes gives the same numbers.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from array_function_calls import CALLS
from examination import leaves
from random_programs import random_program
from test_agreement_arrays import MORE
from test_agreement_rows import ROWS, of_scipy, points_of
from test_random_programs import SHAPES, sample, special_sample
from what_works import sample_matrix

import dualnum as dn
from dualnum import Jet
from dualnum.algebra import Algebra, Box, Monomials, Nilpotent, TotalDegree
from dualnum.errors import DualnumError
from dualnum.jets.variables import started
from dualnum.operand import Operand
from dualnum.operand.levels import ambient

pytestmark = pytest.mark.filterwarnings("ignore")

OTHERS = [
    Box(2, 1), Nilpotent(3), Nilpotent(2), Box(1, 1, 1), Nilpotent(3, 2),
    Monomials(((0, 0), (1, 0), (0, 1), (2, 0), (3, 0))),
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
        same(y.coeffs, np.stack([z.coefficient(*m) for m in y.algebra.monomials]), f"{what} in {y.algebra!r}", floor)


def right_where_some_is_absent(f: Callable[..., Any], xs: Sequence[Any], what: str, floor: float = 1.0) -> None:
    """f of jets with their structure, against f of the same without."""
    ys = results(f, *xs)
    absent_is_zero(ys, what)
    for y, z in pairs(ys, results(f, *(dense(x) if isinstance(x, Jet) else x for x in xs)), what):
        same(y.coeffs, z.coeffs, f"{what}, of {[x.extent for x in xs if isinstance(x, Jet)]}", floor)


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
@pytest.mark.parametrize("seed", range(1000, 1060))
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
