"""Jets with several directions: what one pass gives is what a pass for each gives, by every engine and every way."""

from typing import Any

import numpy as np
import pytest
import scipy.special

import dualnum as dn
from dualnum import jet
from dualnum.algebra import directions as along_axes
from dualnum.algebra.univariate import Univariate
from dualnum.errors import NotDifferentiable
from dualnum.operand.rearrangement import MANY
from dualnum.primitives import rows


def takes_floats(row: Any) -> bool:
    """Some take integers for an argument (ldexp, eval_hermite)."""
    try:
        row.ufunc(*(np.full(1, float(high)) for _, high in row.sample))
    except TypeError:
        return False
    return True


ROWS = [row for row in rows() if row.rule is not None and takes_floats(row)]


def random(name: str) -> np.random.Generator:
    return np.random.default_rng([ord(c) for c in name])


def points(row: Any, shape: tuple[int, ...], rng: np.random.Generator) -> list[np.ndarray]:
    """Generic points of the row's domain."""
    return [rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low), shape) for low, high in row.sample]


def movable(row: Any) -> list[bool]:
    """Which arguments may carry derivatives."""
    at = [np.array(0.4 * low + 0.6 * high) for low, high in row.sample]
    result = []
    for i in range(row.ufunc.nin):
        try:
            row.ufunc(*(jet(x, 1) if j == i else x for j, x in enumerate(at)))
            result.append(True)
        except NotDifferentiable:
            result.append(False)
    return result


def moved(x: np.ndarray, may: bool, order: int, direction: Any = None, directions: Any = None) -> Any:
    return jet(x, order, direction=direction, directions=directions) if may else x


def assert_same(several: Any, alone: Any, p: int, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(several.value, alone.value, rtol=1e-15)
    for k in range(1, several.order + 1):
        expected = alone.coefficient(k)
        scale = np.max(np.abs(expected), initial=1e-300)
        np.testing.assert_allclose(several.coefficient(k)[p], expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.filterwarnings("ignore:floating point number truncated")  # kn, yn and expn of whole numbers
@pytest.mark.parametrize("engine", ["interpret", "llvm"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_along_several_directions(row: Any, engine: str) -> None:
    rng = random(row.name)
    may = movable(row)
    with dn.engine(engine):
        for order, count, shape in ((1, 3, (5,)), (3, 2, (2, 9)), (2, 1, ())):
            at = points(row, shape, rng)
            along = [rng.normal(size=(count, *shape)) for _ in at]
            several = row.ufunc(*(moved(x, m, order, None, v) for x, v, m in zip(at, along, may, strict=True)))
            for p in range(count):
                alone = row.ufunc(*(moved(x, m, order, v[p]) for x, v, m in zip(at, along, may, strict=True)))
                outputs = zip(several, alone, strict=True) if row.ufunc.nout > 1 else [(several, alone)]
                for many, one in outputs:
                    if isinstance(one, dn.Jet):
                        assert_same(many, one, p)


def test_operands_that_broadcast() -> None:
    rng = random("broadcast")
    x, row, column, one = (rng.normal(size=s) for s in ((4, 3), (3,), (4, 1), (1, 1)))
    vs = rng.normal(size=(5, 4, 3))
    deep, more = rng.normal(size=(2, 4, 3)), rng.normal(size=(100,))
    for f in (
        lambda x: x * row,
        lambda x: column - x,
        lambda x: one / (2 + np.cos(x)),
        lambda x: x + deep,
        lambda x: x[1:2] * x,
        lambda x: x[:, :1] * x[0],
        lambda x: np.hypot(x[..., None], more),
        lambda x: np.arctan2(x[2], x),
    ):
        several = f(jet(x, 2, directions=vs))
        for p, v in enumerate(vs):
            assert_same(several, f(jet(x, 2, direction=v)), p)
            with dn.engine("interpret"):
                assert_same(several, f(jet(x, 2, direction=v)), p)


@pytest.mark.parametrize("count", [1, MANY - 1, MANY + 4])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[[0, 2, 2]],
        lambda x: x[x.value > 0],
        lambda x: np.where(x.value > 0, x, 1.0),
        lambda x: np.where(x.value[0] > 0, x[0], x),
        lambda x: np.where(np.array([True, False]), x[0, 0], 2.0),
        lambda x: np.where(np.ones((2, 3, 4), bool), x[0, 0], x),
        lambda x: np.concatenate([x, np.ones((2, 4)), x[:1]]),
        lambda x: np.stack([x[0], np.arange(4.0), x[1] ** 2]),
        lambda x: np.tril(x),
        lambda x: np.roll(x, 1, 1),
        lambda x: np.pad(x, 1),
        lambda x: np.repeat(x, [1, 0, 2], 0),
        lambda x: np.sum(x, 0),
        lambda x: np.sum(x, where=x.value > 0),
        lambda x: np.mean(x, (0, 1), keepdims=True),
        lambda x: np.cumsum(x, 1),
        lambda x: np.cumsum(x, -2),
        lambda x: np.cumsum(x),
        lambda x: np.full_like(x, 3.0) * x,
        lambda x: x @ x.T,
        lambda x: x @ np.arange(8.0).reshape(4, 2),
        lambda x: np.arange(6.0).reshape(2, 3) @ x**2,
        lambda x: x[0] @ x[1:].T,
        lambda x: np.einsum("ij,kj->ik", x, np.sin(x)),
        lambda x: np.prod(x, 1),
        lambda x: np.sort(x, 0),
    ],
)
def test_array_functions_along_several_directions(f: Any, count: int) -> None:
    rng = random("functions")
    x, vs = rng.normal(size=(3, 4)), rng.normal(size=(count, 3, 4))
    for order in (1, 3):
        several = f(jet(x, order, directions=vs) ** 2 + 0.5)
        for p, v in enumerate(vs):
            assert_same(several, f(jet(x, order, direction=v) ** 2 + 0.5), p)


def test_no_elements_and_no_directions() -> None:
    assert (jet(np.zeros((0, 2)), 2, directions=np.zeros((3, 0, 2))) * 2.0).coeffs.shape == (7, 0, 2)
    empty = jet([1.0, 2.0], 2, directions=np.zeros((0, 2)))
    np.testing.assert_allclose(np.exp(empty * [1.0, 3.0]).coeffs, [np.exp([1.0, 6.0])], rtol=1e-15)


def test_mends_follow_several_directions() -> None:
    x = np.array([0.0, 4.0])
    vs = np.array([[1.0, 1.0], [-2.0, 0.5]])
    root = np.sqrt(jet(x, 3, directions=vs) ** 2)
    for p, v in enumerate(vs):
        np.testing.assert_array_equal(
            root.coeffs[[1 + p, 3 + p, 5 + p]], np.sqrt(jet(x, 3, direction=v) ** 2).coeffs[1:]
        )


# ── what the dense transforms do with them ───────────────────────────────────────────────────────

A = np.random.default_rng(3).normal(size=(9, 9)) / 3


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.tanh(A @ x) ** 2) + np.sum(x**3),
        lambda x: np.sum(x[1:] * x[:-1] ** 2),
        lambda x: np.prod(x),
        lambda x: np.sum(np.exp(x)[:, None] * np.sin(x)),
        lambda x: np.linalg.norm(x) ** 3,
        lambda x: np.sum(np.where(x > 0.6, x**3, np.sqrt(x))),
        lambda x: np.max(x) * np.sum(x),
        lambda x: np.sum(x[::-1][:3] * x[2]) + x[4] ** 4,
        lambda x: np.sum(np.cumsum(x) ** 2 / x),
        lambda x: np.sum(scipy.special.gammaln(x) * x),
        lambda x: np.mean(x.reshape(3, 3) @ x.reshape(3, 3)),
        lambda x: np.sum(np.logaddexp(x, x[::-1])),
        lambda x: np.sum(np.outer(x, x) * A) + np.std(x),
    ],
)
def test_hessians_by_every_nesting_and_engine(f: Any) -> None:
    x = np.random.default_rng(4).uniform(0.3, 1.2, 9)
    h = dn.hessian(f)(x)
    np.testing.assert_allclose(h, h.T, rtol=1e-12, atol=1e-13)
    v = np.cos(np.arange(9.0))
    others = [dn.jacfwd(dn.jacfwd(f))(x), dn.jacrev(dn.grad(f))(x), dn.jacrev(dn.jacrev(f))(x)]
    with dn.engine("interpret"):
        others.append(dn.hessian(f)(x))
    for other in others:
        np.testing.assert_allclose(h, other, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(dn.hvp(f)(x, v), h @ v, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.tanh(x) * x**2),
        lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
        lambda x: np.mean(x.reshape(3, -1) * np.arange(1.0, 4.0)[:, None]),
        lambda x: np.sum(x.reshape(-1, 3) * x[:3]),
        lambda x: np.sum(np.where(x > 0.5, np.log(x), x)) + x[5],
        lambda x: np.sum(x[None] * np.ones((2, 1))) + np.sum(x[::3]) + np.sum(x[10:20:2]) + np.sum(x[::-1] ** 2),
        lambda x: np.sum(x.astype(np.float32) ** 2) + np.sum(x[5:4]),
    ],
)
def test_gradients_of_long_arrays(f: Any) -> None:
    """Their pull-backs are kernels; those of short arrays are NumPy's operations."""
    rng = np.random.default_rng(5)
    n = 150_000
    x, v = rng.uniform(0.3, 1.2, n), rng.normal(size=n)
    g, h = dn.grad(f)(x), dn.hvp(f)(x, v)
    assert g.flags.writeable and g.dtype == x.dtype
    tolerance = 1e-5 if "float32" in f.__code__.co_names else 1e-12
    with dn.engine("interpret"):
        np.testing.assert_allclose(dn.grad(f)(x), g, rtol=tolerance)
        np.testing.assert_allclose(dn.hvp(f)(x, v), h, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(g @ v, dn.jvp(f, (x,), (v,))[1], rtol=max(tolerance, 1e-10))
    for i in (0, 2, 5, 10, n - 1):
        np.testing.assert_allclose(g[i], dn.jvp(f, (x,), (np.eye(1, n, i)[0],))[1], rtol=max(tolerance, 1e-10))


def test_tables_of_many_directions_are_no_larger_than_what_they_move():
    algebras = (Univariate(1, 60), Univariate(1, 50))
    its = along_axes.table(algebras, (1, 1))
    assert sum(x.nbytes for x in its if isinstance(x, np.ndarray)) < 50 * its.there.size
    base = np.random.default_rng(0).normal(size=(61, 51, 2))
    once = its.once(base, (2,))
    np.testing.assert_array_equal(its.gathered(its.spread(base, (2,)), (2,)), base)
    np.testing.assert_array_equal(its.summed(once, (2,)), base)
    assert not along_axes.is_short(algebras, (2,)) and along_axes.is_short(algebras, (1,))
