"""Algebras are sets of monomials: one that is new runs everywhere, and what each says of itself fits together.

The hyper-dual numbers, of which nothing but `algebra` knows, go through arrays, kernels, the tape and jit.
"""

import pickle
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum import Jet
from dualnum.algebra import Algebra, Box, Monomials, Nilpotent, Product, Stack, TotalDegree, Univariate, product_of
from dualnum.operand.levels import ambient

SIMPLEX = tuple(sorted((m for m in product(range(4), repeat=2) if sum(m) <= 3), key=lambda m: (sum(m), (-m[0], -m[1]))))
ALGEBRAS = [
    Univariate(0), Univariate(4), Univariate(3, 2), Univariate(2, 0), Nilpotent(1), Nilpotent(2), Nilpotent(3),
    Nilpotent(3, 2), Monomials(SIMPLEX), TotalDegree(2, 3), TotalDegree(3, 2).named(("x", "y", "z")), Box(1, 3),
]  # fmt: skip
each = pytest.mark.parametrize("algebra", ALGEBRAS, ids=repr)
RNG = np.random.default_rng(5)
X = np.array([0.3, 0.7, 1.1])


def monomial(algebra: Algebra, plane: int) -> tuple[int, ...]:
    """The exponents of a plane."""
    exponents = [0] * algebra.variables
    for variable, power in algebra.factored(plane):
        exponents[max(variable, 1) - 1] = power
    return tuple(exponents)


@each
def test_there_is_one_object_for_each_and_it_is_immutable(algebra: Algebra) -> None:
    assert pickle.loads(pickle.dumps(algebra)) is algebra
    assert algebra.named(None).named(algebra.names) is algebra
    with pytest.raises(AttributeError, match="immutable"):
        algebra.order = 5
    assert str(algebra.order) in str(algebra)


@each
def test_products_add_exponents_and_drop_what_is_not_kept(algebra: Algebra) -> None:
    planes = {monomial(algebra, i): i for i in range(algebra.size)}
    assert len(planes) == algebra.size
    expected = set()
    for (m, i), (n, j) in product(planes.items(), repeat=2):
        power = tuple(a + b for a, b in zip(m, n, strict=True))
        if power in planes:
            expected.add((i, j, planes[power], 1))
    assert len(algebra.products()) == len(expected)
    assert set(algebra.products()) == expected


@each
def test_planes_stand_by_degree_in_blocks(algebra: Algebra) -> None:
    extents = [sum(monomial(algebra, i)) for i in range(algebra.size)]
    assert extents == sorted(extents)
    for k in range(algebra.order + 1):
        block = np.arange(algebra.size)[algebra.block(k)]
        assert np.all(np.take(extents, block) == k)
        count = algebra.planes(algebra.below(algebra.full, k))
        assert count == sum(d <= k for d in extents)
        assert algebra.truncated(k).size == count


@each
def test_parts_are_the_planes(algebra: Algebra) -> None:
    planes = RNG.normal(size=(algebra.size, 3))
    blocks = algebra.blocks(algebra.parts(planes, algebra.full, 1))
    again = np.concatenate([np.broadcast_to(part, (count, 3)) for part, count in blocks])
    np.testing.assert_array_equal(again, planes)


@each
def test_derivatives_and_powers(algebra: Algebra) -> None:
    for i in range(algebra.variables if algebra.order else 0):
        unit = np.eye(algebra.variables, dtype=int)[i]
        powers = [monomial(algebra, plane) for plane in algebra.powers(i)]
        assert powers == [tuple(k * unit) for k in range(len(powers))]
        partial = algebra.derivative(i)
        found = zip(partial.planes, partial.above, partial.powers, strict=True)
        for plane, above, power in found:
            m = monomial(algebra, above)
            assert m[i] == power
            assert monomial(algebra, plane) == tuple(m - unit)
        assert (
            len(partial.planes) == partial.algebra.size == sum(monomial(algebra, j)[i] > 0 for j in range(algebra.size))
        )


def test_levels_together_keep_what_each_keeps() -> None:
    algebra = product_of([Univariate(2, 5), Nilpotent(2)])
    assert algebra is Product(Univariate(2), Nilpotent(2))
    assert algebra.size == 12
    assert product_of([Nilpotent(2)]) is Nilpotent(2)
    extents = (1, None)  # of the first level up to its first power, and nothing of the second
    assert [m for _, m in algebra.within(extents)] == [(0, 0, 0), (1, 0, 0)]
    assert algebra.read(extents) == len(algebra.laid(extents)) == 3
    assert algebra.extents({(2, 0, 0): 1.0, (0, 1, 1): 1.0}) == (2, 0b100)
    stack = Stack(np.zeros((3, 4, 7, 6)), (1, 2))
    assert (stack.axes, stack.shape, stack.flat.shape) == (2, (7, 6), (12, 7, 6))
    assert Stack(X, (None,)).flat.shape == (1, 3)


# ── hyper-dual numbers ───────────────────────────────────────────────────────────────────────────


def hyperdual(x: Any) -> Any:
    """x + ε₁ + ε₂, with f(x)·1 + f'(x)·(ε₁ + ε₂) + f''(x)·ε₁ε₂ for every f."""
    planes = np.stack([x, np.ones_like(x), np.ones_like(x), np.zeros_like(x)])
    return object.__new__(Jet)._set(planes, 0b011, Nilpotent(2), ambient())


def second(y: Any) -> Any:
    """The coefficient of ε₁ε₂."""
    return y.planes[3]


FUNCTIONS: list[Callable[..., Any]] = [
    np.sin, np.exp, np.sqrt, np.arctan, lambda x: x * x / (1 + x), lambda x: np.where(x > 0.5, x**3, np.tanh(x)),
    lambda x: np.power(x, 1.5) * np.abs(x - 0.7), lambda x: np.cumsum(x) ** 2, lambda x: np.max(x) * x,
    lambda x: np.sum(np.outer(x, x) @ x) * x[::-1],
]  # fmt: skip
functions = pytest.mark.parametrize("f", FUNCTIONS)


@functions
@pytest.mark.parametrize("engine", ["interpret", "llvm"])
def test_hyperdual_numbers_are_second_derivatives(f: Callable[..., Any], engine: str) -> None:
    with dn.engine(engine):
        y = f(hyperdual(X))
        t = f(dn.jet(X, 2))
    assert y.algebra is Nilpotent(2)
    for plane, k in ((0, 0), (1, 1), (2, 1), (3, 2)):
        np.testing.assert_allclose(y.planes[plane], t.derivative(k), rtol=1e-13, atol=1e-13)


@functions
def test_hyperdual_numbers_over_jets_variables_and_tracers(f: Callable[..., Any]) -> None:
    def by_curve(x: Any) -> Any:
        return np.sum(dn.derivative(lambda t: f(x + t), 2)(0.0))

    def by_pair(x: Any) -> Any:
        return np.sum(second(f(hyperdual(x))))

    gradient, hessian = dn.grad(by_curve)(X), dn.hessian(by_curve)(X)
    np.testing.assert_allclose(dn.jacfwd(by_pair)(X), gradient, rtol=1e-12, atol=1e-12)
    for way in (dn.grad, lambda g: dn.jit(dn.grad(g))):
        np.testing.assert_allclose(way(by_pair)(X), gradient, rtol=1e-12, atol=1e-12)
    for way in (dn.hessian, lambda g: dn.jit(dn.hessian(g)), lambda g: dn.jacfwd(dn.jacfwd(g))):
        np.testing.assert_allclose(way(by_pair)(X), hessian, rtol=1e-12, atol=1e-11)


def matrix(x: Any) -> Any:
    return np.outer(x, np.sin(x)) + np.diag(np.exp(x)) + 2 * np.eye(3)


def gram(x: Any) -> Any:
    return matrix(x) @ matrix(x).T + np.eye(3)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "solve": lambda x: np.linalg.solve(matrix(x), x),
    "inv": lambda x: np.linalg.inv(matrix(x)),
    "slogdet": lambda x: np.linalg.slogdet(matrix(x))[1],
    "cholesky": lambda x: np.linalg.cholesky(gram(x)),
    "qr": lambda x: np.linalg.qr(matrix(x)[:, :2])[0],
    "eigh": lambda x: np.linalg.eigh(gram(x))[1] ** 2,
    "svd": lambda x: np.linalg.svd(matrix(x)[:, :2], full_matrices=False)[0] ** 2,
    "eig": lambda x: np.abs(np.linalg.eig(matrix(x) + 0j)[1]),
    "lstsq": lambda x: np.linalg.lstsq(matrix(x)[:, :2], x)[0],
    "expm": lambda x: dn.linalg.expm(0.1 * matrix(x)),
    "sqrtm": lambda x: dn.linalg.sqrtm(gram(x)),
    "sylvester": lambda x: dn.linalg.solve_sylvester(matrix(x), gram(x), matrix(x)),
    "polyfit": lambda x: np.polyfit(X, x**3, 1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_hyperdual_numbers(name: str) -> None:
    y, t = OPERATIONS[name](hyperdual(X)), OPERATIONS[name](dn.jet(X, 2))
    np.testing.assert_allclose(second(y), t.derivative(2), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(y.planes[1], t.derivative(1), rtol=1e-10, atol=1e-11)


def test_the_product_of_epsilons_is_a_mixed_derivative() -> None:
    planes = np.stack([X, np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.zeros(3)])
    x = object.__new__(Jet)._set(planes, 0b011, Nilpotent(2), ambient())

    def f(x: Any) -> Any:
        return np.sin(x[0] * x[2]) + x[1] * x[2]

    np.testing.assert_allclose(second(f(x)), dn.hessian(f)(X)[0, 2], rtol=1e-14)
    assert repr(x[0]) == "Jet(0.3 + 1.·ε₁)"


def test_compiled_hyperdual_numbers() -> None:
    x = hyperdual(X)
    np.testing.assert_allclose(dn.jit(lambda x: np.sin(x) * np.exp(x))(x).planes, (np.sin(x) * np.exp(x)).planes)


def test_a_rule_of_ones_own_along_nilpotent_variables() -> None:
    @dn.custom_derivative
    def total(x: Any) -> Any:
        return np.sum(np.exp(x))

    total.push_forward(lambda primals, tangents: np.sum(np.exp(primals[0]) * tangents[0]))
    np.testing.assert_allclose(total(hyperdual(X)).planes, np.sum(np.exp(hyperdual(X))).planes, rtol=1e-14)


def test_algebras_that_differ_do_not_meet() -> None:
    with pytest.raises(dn.InvalidValue, match="order 2 in 2 nilpotent ε and of order 2 meet"):
        hyperdual(X) + dn.jet(X, 2)
