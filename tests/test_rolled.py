"""Programs that run through a table: bit for bit what is written out, and algebras too large for that."""

from math import comb, factorial, prod
from typing import Any

import numpy as np
import pytest
import scipy.special  # noqa: F401  which has rows of its own

import dualnum as dn
from dualnum.algebra import Algebra, TotalDegree
from dualnum.jets import eager
from dualnum.jets.variables import started
from dualnum.kernel import launch, transpose
from dualnum.kernel.cpu import rolled
from dualnum.operand.levels import ambient
from dualnum.primitives import rows

ALGEBRA = TotalDegree(3, 3)
ROWS = [
    row for row in rows()
    if row.rule is not None and row.sample and row.name != "ldexp" and (hasattr(np, row.name) or row.ufunc.nin == 1)
]  # fmt: skip


@pytest.fixture
def everything_rolled(monkeypatch):
    """Whether a program is written out or not is decided here."""

    def switch(on: bool) -> None:
        monkeypatch.setattr(rolled, "_WRITTEN", 0 if on else 10**9)
        monkeypatch.setattr(rolled, "_EACH", 0 if on else 200)
        for kept in (launch._plans, transpose._ways, transpose._transposed_plans):
            kept.clear()
        launch._by_number.clear()  # else numbers seem to change, and go by whole arrays
        eager._entries.clear()

    yield switch
    monkeypatch.undo()
    switch(False)
    monkeypatch.undo()


def moving(x: Any, i: int, algebra: Algebra = ALGEBRA) -> Any:
    """x with slopes in all variables, and a full polynomial."""
    n = algebra.variables
    t = started(x, {tuple(int(j == k) for j in range(n)): 1.0 + 0.1 * (i + k) for k in range(n)}, algebra, ambient())
    return t + 0.125 * (t - x) ** 2 - 0.0625 * (t - x) ** 3


def samples(row: Any, points: int, dtype: Any = float) -> list[Any]:
    rng = np.random.default_rng(5)
    intervals = row.sample if isinstance(row.sample[0], (tuple, list)) else [row.sample] * row.ufunc.nin
    return [rng.uniform(*interval, points).astype(dtype) for interval in intervals]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_bit_for_bit(row, everything_rolled):
    found = []
    for on in (False, True):
        everything_rolled(on)
        operands = [moving(x, i) for i, x in enumerate(samples(row, 37))]
        with np.errstate(all="ignore"):
            found.append(row.ufunc(*operands))
    if isinstance(found[0], dn.Jet):
        assert found[0].extent == found[1].extent
        np.testing.assert_array_equal(found[0].planes, found[1].planes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("points", [1, 5, 64, 5000])
def test_types_lengths_and_layouts(dtype, points, everything_rolled):
    found = []
    for on in (False, True):
        everything_rolled(on)
        x = moving(np.linspace(0.2, 0.9, points).astype(dtype), 0)
        columns = moving(np.linspace(0.1, 0.5, 3).astype(dtype)[:, None], 1)
        found.append([
            np.exp(x[::-1]), np.tanh(x[::2]) * 3.0, x * columns, np.maximum(x, 0.5) / (1 + x), x**2.5, np.hypot(x, 2.0),
            np.arange(points).astype(dtype) * x, np.where(x > 0.5, np.sin(x), x * x),
        ])  # fmt: skip
    for a, b in zip(*found, strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(a.planes, b.planes)


def test_pull_backs_and_programs_of_jit(everything_rolled):
    """Reverse over the algebra, and compiled."""
    x = np.linspace(0.2, 0.9, 4)

    def f(x: Any) -> Any:
        y = moving(x, 0)
        z = np.tanh(y * np.exp(y)) / (1 + y * y)
        return np.sum(z.partial(1, 1, 1) + z.partial(2, 0, 1))

    found = []
    for on in (False, True):
        everything_rolled(on)
        found.append((f(x), dn.grad(f)(x), dn.jit(f)(x), dn.jit(dn.grad(f))(x)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    step = 1e-6 * np.eye(4)[1]
    np.testing.assert_allclose(found[0][1][1], (f(x + step) - f(x - step)) / 2e-6, rtol=1e-6)


def test_alarms_are_raised(everything_rolled):
    """A mend follows where a row's rule fails: x**y where the base is zero."""
    everything_rolled(True)
    x = moving(np.array([0.0, 0.5]), 0)
    y = np.power(x, 2.0) + np.sqrt(np.square(x))
    assert np.all(np.isfinite(y.planes[:4]))


def test_fateman_s_polynomial_has_its_integers():
    """(1 + x + y + z + w)ⁿ: the multinomial coefficients, in an algebra of 1,001 planes."""
    xs = dn.jets(*[0.0] * 4, order=10)
    power = (1 + sum(xs[1:], xs[0])) ** 10
    assert power.algebra.size == comb(14, 4)
    for m, plane in zip(power.algebra.monomials, power.planes, strict=True):
        exact = factorial(10) // (prod(map(factorial, m)) * factorial(10 - sum(m)))
        assert plane == exact


def test_large_algebras_run_as_one_kernel():
    """1,001 planes, 10,626 products for each multiplication: against the series along random lines."""
    rng = np.random.default_rng(2)
    x = rng.uniform(0.2, 1.0, 10)
    z = dn.jets(x, order=4, axis=0)
    y = np.exp(np.sum(z * z[::-1]) / 5) / (1 + z[0] * z[9])
    v = rng.normal(size=10)
    t = dn.jet(x, 4, direction=v)
    expected = np.exp(np.sum(t * t[::-1]) / 5) / (1 + t[0] * t[9])
    np.testing.assert_allclose(y.along(*v).coeffs, expected.coeffs, rtol=1e-11)
