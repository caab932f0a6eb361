"""Apolar algebras: associative, no larger than they must be, and right where the full algebra is."""

from fractions import Fraction
from itertools import product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dualnum as dn
from dualnum.algebra import Apolar, Product, TotalDegree, Univariate, paired
from dualnum.algebra.families import of_degree
from dualnum.jets.variables import started
from dualnum.operand.levels import ambient

X = np.array([0.3, 0.7, 1.1])


def unit(count: int, *factors: int) -> tuple[int, ...]:
    return tuple(factors.count(i) for i in range(count))


def laplace(n: int) -> Any:
    return (tuple((unit(n, i, i), Fraction(1)) for i in range(n)),)


def bilaplace(n: int) -> Any:
    squares = [(unit(n, i, i, j, j), Fraction(1 if i == j else 2)) for i in range(n) for j in range(i + 1)]
    return (tuple(squares),)


SEVERAL = (
    ((unit(2, 0, 0), Fraction(1)), (unit(2, 1, 1), Fraction(-3))),
    ((unit(2, 0, 1, 1), Fraction(2)), (unit(2, 0, 0, 0), Fraction(1, 3))),
)
FORMS = [laplace(1), laplace(4), bilaplace(2), bilaplace(3), SEVERAL]
forms = pytest.mark.parametrize("forms", FORMS)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_sizes_are_those_of_the_inverse_systems(n):
    """1, n, 1 for the Laplacian; 1, n, n(n+1)/2, n, 1 for its square; the divisors of a monomial."""
    assert Apolar(laplace(n)).size == 2 + n
    assert Apolar(bilaplace(n)).size == 2 + 2 * n + n * (n + 1) // 2
    assert Apolar((((unit(2, 0, 0, 1), Fraction(1)),),)).size == 6
    along = tuple((m, Fraction(comb(3, m[0]))) for m in of_degree(2, 3))  # (∂_x + ∂_y)³ sees one combination
    assert Apolar((along,)).size == 4


@forms
def test_products_are_commutative_and_associative(forms):
    algebra = Apolar(forms)
    table: dict[tuple[int, int], dict[int, Fraction]] = {}
    for i, j, m, c in algebra.products():
        table.setdefault((i, j), {})[m] = Fraction(c).limit_denominator(1000)

    def times(u: Any, v: Any) -> Any:
        result: dict[int, Fraction] = {}
        for (i, a), (j, b) in product(u.items(), v.items()):
            for m, c in table.get((i, j), {}).items():
                result[m] = result.get(m, Fraction(0)) + a * b * c
        return {m: c for m, c in result.items() if c}

    units = [{i: Fraction(1)} for i in range(algebra.size)]
    for u, v, w in product(units, repeat=3):
        assert times(u, v) == times(v, u)
        assert times(times(u, v), w) == times(u, times(v, w))
        assert times(units[0], u) == u


@forms
def test_it_is_the_quotient_of_the_full_algebra(forms):
    """A product in the full algebra, projected, is the product of the projections."""
    algebra = Apolar(forms)
    full = TotalDegree(algebra.variables, algebra.order)
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, full.size))

    def projected(planes: Any) -> Any:
        found = np.zeros(algebra.size)
        for m, c in zip(full.monomials, planes, strict=True):
            for s, factor in algebra.projected(m):
                found[algebra.places[s]] += factor * c
        return found

    def times(algebra: Any, a: Any, b: Any) -> Any:
        found = np.zeros(algebra.size)
        for i, j, m, c in algebra.products():
            found[m] += c * a[i] * b[j]
        return found

    np.testing.assert_allclose(projected(times(full, a, b)), times(algebra, projected(a), projected(b)), rtol=1e-13)


@forms
def test_there_is_one_of_each_and_it_truncates(forms):
    import pickle

    algebra = Apolar(forms)
    assert pickle.loads(pickle.dumps(algebra)) is algebra
    assert Apolar(forms).named(("x",) * algebra.variables).single is algebra
    lower = algebra.truncated(algebra.order - 1)
    assert lower.monomials == tuple(m for m in algebra.monomials if sum(m) < algebra.order)
    assert "operator" in str(algebra)


def seeds(algebra: Any, x: Any, weights: Any) -> Any:
    """x + Σ w_i t_i in an algebra, as the projection of that in the full one."""
    slopes: dict[Any, Any] = {}
    for i, w in enumerate(weights):
        for s, c in algebra.projected(unit(algebra.variables, i)):
            slopes[s] = slopes.get(s, 0.0) + c * w
    return started(np.asarray(x), slopes, algebra, ambient())


FUNCTIONS = [
    np.tanh, np.exp, np.sqrt, lambda x: x**2.5 / (1 + x), lambda x: np.arctan2(x, x * x),
    lambda x: np.where(x > 0.5, np.sin(x), x * x), lambda x: np.cumsum(x) * np.outer(x, x)[0], lambda x: np.prod(x) * x,
    lambda x: np.linalg.solve(np.outer(x, x) + np.eye(3), x), np.linalg.norm,
]  # fmt: skip


@forms
@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("engine", ["interpret", "llvm"])
def test_operators_read_the_same_as_in_the_full_algebra(forms, f, engine):
    algebra = Apolar(forms)
    weights = np.random.default_rng(1).normal(size=(algebra.variables, 3)) / 2
    with dn.engine(engine):
        y = f(seeds(algebra, X, weights))
        full = f(seeds(TotalDegree(algebra.variables, algebra.order), X, weights))
    for form in forms:
        expected = sum(float(c) * full.partial(*m) for m, c in form)
        got = sum(w * y.planes[place] for place, w in paired(form, algebra))
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-10)


@forms
def test_the_tape_jit_and_other_levels_carry_it(forms):
    algebra = Apolar(forms)
    weights = np.random.default_rng(2).normal(size=(algebra.variables, 3)) / 2

    def value(x: Any, algebra: Any = algebra) -> Any:
        y = np.sum(np.tanh(seeds_of(algebra, x)) @ np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.1]]) ** 2)
        return sum(w * y.planes[place] for place, w in paired(forms[0], y.algebra))

    def seeds_of(algebra: Any, x: Any) -> Any:
        slopes: dict[Any, Any] = {}
        for i, w in enumerate(weights):
            for s, c in algebra.projected(unit(algebra.variables, i)):
                slopes[s] = slopes.get(s, 0.0) + c * w
        return started(x, slopes, algebra, ambient())

    full = TotalDegree(algebra.variables, algebra.order)

    def expected(x: Any) -> Any:
        y = np.sum(np.tanh(seeds_of(full, x)) @ np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.1]]) ** 2)
        return sum(float(c) * y.partial(*m) for m, c in forms[0])

    np.testing.assert_allclose(value(X), expected(X), rtol=1e-12)
    for transform in (dn.grad, dn.jacfwd, dn.hessian, lambda f: dn.jit(dn.grad(f))):
        np.testing.assert_allclose(transform(value)(X), transform(expected)(X), rtol=1e-9, atol=1e-9)


def test_rules_of_one_s_own_go_through_the_algebra_that_covers_it():
    @dn.custom_derivative
    def cube(x):
        return x**3

    @cube.push_forward
    def _(primals, tangents):
        (x,), (v,) = primals, tangents
        return 3 * cube(x) / x * v

    algebra = Apolar(bilaplace(2))
    x = seeds(algebra, X, np.array([[1.0, 2.0, 0.5], [0.3, 0.1, 1.0]]))
    np.testing.assert_allclose(cube(x).planes, (x**3).planes, rtol=1e-12, atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 10**6))
def test_random_forms_against_the_full_algebra(n, order, seed):
    rng = np.random.default_rng(seed)
    ms = list(of_degree(n, order))
    form = tuple((m, Fraction(int(c))) for m, c in zip(ms, rng.integers(-3, 4, len(ms)), strict=True) if c)
    if not form:
        return
    algebra = Apolar((form,))
    assert algebra.size <= TotalDegree(n, order).size
    slopes = rng.normal(size=(n, 3))
    y = np.exp(seeds(algebra, X, slopes)) * np.sin(seeds(algebra, X, slopes[::-1]))
    full = np.exp(seeds(TotalDegree(n, order), X, slopes)) * np.sin(seeds(TotalDegree(n, order), X, slopes[::-1]))
    expected = sum(float(c) * full.partial(*m) for m, c in form)
    got = sum(w * y.planes[place] for place, w in paired(form, algebra))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-9)


def test_products_of_levels():
    """Two Laplacians nested are polynomials of polynomials."""
    algebra = Product(Apolar(laplace(2)), Univariate(1))
    assert algebra.size == 8
    assert algebra.multiples((1, 0, 0))[1, 0, 1] == (((2, 0, 1), 1),)
    assert algebra.multiples((0, 1, 1))[0, 1, 0] == (((2, 0, 1), 1),)
    assert (1, 0, 0) not in algebra.multiples((0, 1, 0))
