"""Identities between functions, and what holds for every row whatever its formula."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import dualnum as dn
from dualnum.kernel.engine import available, engine
from dualnum.primitives import rows

ROWS = [row for row in rows() if row.rule is not None and getattr(np, row.name, None) is row.ufunc]
quick = settings(deadline=None, max_examples=30)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)

seeds = st.integers(0, 2**32 - 1)


# ── identities ───────────────────────────────────────────────────────────────────────────────────


@st.composite
def series(draw: Any, low: float, high: float, order: int = 12) -> dn.Jet:
    """A random series with its constant term in an interval, and a radius of convergence of about 1."""
    start = draw(st.floats(low, high))
    rest = draw(arrays.arrays(float, order, elements=st.floats(-1, 1)))
    return dn.Jet([start, *rest])


def close(y: Any, z: Any, growth: float = 1.0) -> None:
    """Equal to rounding, measured against the largest coefficient so far (the terms of the sums)."""
    a, b = np.asarray(y.coeffs), np.asarray(z.coeffs)
    scale = np.maximum.accumulate(np.maximum(1.0, np.maximum(abs(a), abs(b))))
    assert (abs(a - b) <= 1e-12 * growth * scale).all(), (a, b)


ONE_ARGUMENT: dict[str, tuple[tuple[float, float], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin² + cos² = 1": ((-6, 6), lambda u: np.sin(u) ** 2 + np.cos(u) ** 2, lambda u: 1 + 0 * u),
    "tan = sin/cos": ((-1, 1), np.tan, lambda u: np.sin(u) / np.cos(u)),
    "sin 2u = 2 sin u cos u": ((-6, 6), lambda u: np.sin(2 * u), lambda u: 2 * np.sin(u) * np.cos(u)),
    "cosh² − sinh² = 1": ((-1, 1), lambda u: np.cosh(u) ** 2 - np.sinh(u) ** 2, lambda u: 1 + 0 * u),
    "tanh = sinh/cosh": ((-3, 3), np.tanh, lambda u: np.sinh(u) / np.cosh(u)),
    "exp log u = u": ((0.7, 3), lambda u: np.exp(np.log(u)), lambda u: u),
    "log exp u = u": ((-3, 3), lambda u: np.log(np.exp(u)), lambda u: u),
    "exp2 log2 u = u": ((0.7, 3), lambda u: np.exp2(np.log2(u)), lambda u: u),
    "10^log10 u = u": ((0.7, 3), lambda u: 10 ** np.log10(u), lambda u: u),
    "expm1 log1p u = u": ((-0.3, 3), lambda u: np.expm1(np.log1p(u)), lambda u: u),
    "e^u e^−u = 1": ((-3, 3), lambda u: np.exp(u) * np.exp(-u), lambda u: 1 + 0 * u),
    "(√u)² = u": ((0.7, 3), lambda u: np.sqrt(u) ** 2, lambda u: u),
    "(∛u)³ = u": ((0.7, 3), lambda u: np.cbrt(u) ** 3, lambda u: u),
    "√u = u^½": ((0.7, 3), np.sqrt, lambda u: u**0.5),
    "1/u = u⁻¹": ((0.7, 3), np.reciprocal, lambda u: u**-1),
    "u³ = u·u·u": ((-2, 2), lambda u: u**3, lambda u: u * u * u),
    "u²·⁵ = u² √u": ((0.7, 3), lambda u: u**2.5, lambda u: u**2 * np.sqrt(u)),
    "u⁻³ u³ = 1": ((0.7, 3), lambda u: u**-3 * u**3, lambda u: 1 + 0 * u),
    "u^u = e^{u log u}": ((0.7, 2), lambda u: u**u, lambda u: np.exp(u * np.log(u))),
    "sin arcsin u = u": ((-0.4, 0.4), lambda u: np.sin(np.arcsin(u)), lambda u: u),
    "arcsin + arccos = π/2": ((-0.4, 0.4), lambda u: np.arcsin(u) + np.arccos(u), lambda u: np.pi / 2 + 0 * u),
    "tan arctan u = u": ((-1, 1), lambda u: np.tan(np.arctan(u)), lambda u: u),
    "arctan u = arctan2(u, 1)": ((-2, 2), np.arctan, lambda u: np.arctan2(u, 1.0)),
    "sinh arcsinh u = u": ((-1, 1), lambda u: np.sinh(np.arcsinh(u)), lambda u: u),
    "cosh arccosh u = u": ((1.7, 3), lambda u: np.cosh(np.arccosh(u)), lambda u: u),
    "tanh arctanh u = u": ((-0.4, 0.4), lambda u: np.tanh(np.arctanh(u)), lambda u: u),
    "arcsinh u = log(u + √(u²+1))": ((0, 1), np.arcsinh, lambda u: np.log(u + np.hypot(u, 1.0))),
    "logaddexp = log of the sum": ((-2, 2), lambda u: np.logaddexp(u, 0.3), lambda u: np.log(np.exp(u) + np.exp(0.3))),
    "logaddexp2 = log2 of the sum": ((-2, 2), lambda u: np.logaddexp2(u, 0.3), lambda u: np.log2(2**u + 2**0.3)),
    "deg2rad rad2deg u = u": ((-3, 3), lambda u: np.deg2rad(np.rad2deg(u)), lambda u: u),
    "|u| = √(u²)": ((0.7, 2), np.abs, lambda u: np.sqrt(u * u)),
}


@pytest.mark.parametrize("identity", ONE_ARGUMENT)
@given(data=st.data())
@quick
def test_one_argument(identity: str, data: Any) -> None:
    (low, high), left, right = ONE_ARGUMENT[identity]
    # a distance of at least 0.6 from the singularities, so that numbers grow by 1/0.3 a degree at most
    u = data.draw(series(low, high))
    close(left(u), right(u), growth=1e3)


TWO_ARGUMENTS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "e^{u+v} = e^u e^v": (lambda u, v: np.exp(u + v), lambda u, v: np.exp(u) * np.exp(v)),
    "log uv = log u + log v": (lambda u, v: np.log(u * v), lambda u, v: np.log(u) + np.log(v)),
    "(u/v) v = u": (lambda u, v: u / v * v, lambda u, v: u),
    "hypot² = u² + v²": (lambda u, v: np.hypot(u, v) ** 2, lambda u, v: u**2 + v**2),
    "hypot cos arctan2 = v": (lambda u, v: np.hypot(u, v) * np.cos(np.arctan2(u, v)), lambda u, v: v),
    "hypot sin arctan2 = u": (lambda u, v: np.hypot(u, v) * np.sin(np.arctan2(u, v)), lambda u, v: u),
    "max + min = u + v": (lambda u, v: np.maximum(u, v) + np.minimum(u, v), lambda u, v: u + v),
    "u − ⌊u/v⌋ v = u mod v": (lambda u, v: u - np.floor_divide(u, v) * v, np.remainder),
    "log u^v = v log u": (lambda u, v: np.log(u**v), lambda u, v: v * np.log(u)),
    "(u+v)² = u² + 2uv + v²": (lambda u, v: (u + v) ** 2, lambda u, v: u * u + 2 * u * v + v * v),
}


@pytest.mark.parametrize("identity", TWO_ARGUMENTS)
@given(u=series(0.8, 3), v=series(0.8, 3))
@quick
def test_two_arguments(identity: str, u: Any, v: Any) -> None:
    left, right = TWO_ARGUMENTS[identity]
    close(left(u, v), right(u, v), growth=1e3)


# ── what holds for every row ─────────────────────────────────────────────────────────────────────


def operands_of(row: Any, seed: int, order: int, shape: tuple[int, ...] = (5,), size: float = 1.0) -> list[np.ndarray]:
    """Random coefficients for each argument, its constant terms in the sample interval."""
    generator = np.random.default_rng(seed)
    given_ = []
    for low, high in row.sample:
        c = generator.uniform(-size, size, (order + 1, *shape))
        c[0] = generator.uniform(low, high, shape)
        given_.append(c)
    return given_


def run(row: Any, coefficients: list[Any]) -> list[np.ndarray]:
    """The coefficients of all results (a plain array as one coefficient)."""
    jets = [dn.Jet(c) for c in coefficients]
    if row.name == "ldexp":
        jets[1] = coefficients[1][0].astype(int)
    y = row.ufunc(*jets)
    return [np.array(z.coeffs) if isinstance(z, dn.Jet) else z[None] for z in (y if isinstance(y, tuple) else (y,))]


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


@each_row
@given(seed=seeds, orders=st.tuples(st.integers(0, 9), st.integers(0, 9)))
@quick
def test_a_lower_order_is_a_prefix(row: Any, seed: int, orders: tuple[int, int]) -> None:
    low, high = sorted(orders)
    given_ = operands_of(row, seed, high)
    for machine in available():
        with engine(machine):
            for short, long in zip(run(row, [c[: low + 1] for c in given_]), run(row, given_), strict=True):
                assert same_bits(short, long[: low + 1])


@each_row
@given(seed=seeds, m=st.integers(-8, 8))
@quick
def test_scaling_the_direction_by_a_power_of_two_is_exact(row: Any, seed: int, m: int) -> None:
    order = 7
    factors = 2.0 ** (m * np.arange(order + 1))[:, None]
    given_ = operands_of(row, seed, order)
    for machine in available():
        with engine(machine):
            for scaled, plain in zip(run(row, [c * factors for c in given_]), run(row, given_), strict=True):
                assert same_bits(scaled, plain * factors[: len(plain)].astype(plain.dtype))


def layouts(c: np.ndarray) -> dict[str, Any]:
    """The same jet of shape (4, 6) in other layouts of memory."""
    wide = np.zeros((*c.shape[:2], 3 * c.shape[2]))
    wide[..., ::3] = c
    return {
        "strided": dn.Jet(wide)[:, ::3],
        "reversed": dn.Jet(c[:, ::-1, ::-1])[::-1, ::-1],
        "Fortran": np.transpose(dn.Jet(np.ascontiguousarray(c.transpose(0, 2, 1)))),
    }


@each_row
@given(seed=seeds)
@settings(deadline=None, max_examples=5)
def test_layouts_agree(row: Any, seed: int) -> None:
    given_ = operands_of(row, seed, 3, (4, 6))
    expected = run(row, given_)
    for machine in available():
        with engine(machine):
            expected = run(row, given_)
            for name in ("strided", "reversed", "Fortran"):
                jets = [layouts(c)[name] for c in given_]
                if row.name == "ldexp":
                    jets[1] = given_[1][0].astype(int)
                y = row.ufunc(*jets)
                for z, e in zip(y if isinstance(y, tuple) else (y,), expected, strict=True):
                    assert same_bits(np.array(z.coeffs) if isinstance(z, dn.Jet) else z[None], e), name


@each_row
@given(seed=seeds)
@settings(deadline=None, max_examples=5)
def test_a_value_does_not_depend_on_its_neighbours(row: Any, seed: int) -> None:
    given_ = operands_of(row, seed, 3, (19,))
    for machine in available():
        with engine(machine):
            whole = run(row, given_)
            for part in (slice(0, 1), slice(3, 10), slice(18, 19), slice(2, 19)):
                for y, z in zip(run(row, [c[:, part] for c in given_]), whole, strict=True):
                    assert same_bits(y, z[:, part])


@each_row
@given(seed=seeds)
@settings(deadline=None, max_examples=5)
def test_broadcasting_repeats(row: Any, seed: int) -> None:
    if row.ufunc.nin == 1:
        (c,) = operands_of(row, seed, 3, (1, 6))
        x = np.broadcast_to(dn.Jet(c), (4, 6))
        y = row.ufunc(x)
        for z, e in zip(y if isinstance(y, tuple) else (y,), run(row, [c]), strict=True):
            z_ = np.array(z.coeffs) if isinstance(z, dn.Jet) else z[None]
            assert same_bits(z_, np.broadcast_to(e, (len(e), 4, 6)))
        return
    first, second, *rest = operands_of(row, seed, 3, (4, 6))
    column, line = first[:, :, :1], second[:, :1]
    rest = [c[:, :1, :1] for c in rest]
    full = [np.broadcast_to(c, (4, 4, 6)) for c in (column, line, *rest)]
    for y, z in zip(run(row, [column, line, *rest]), run(row, full), strict=True):
        assert same_bits(y, z)


@each_row
@given(seed=seeds)
@settings(deadline=None, max_examples=5)
def test_inputs_stay_as_they_were(row: Any, seed: int) -> None:
    given_ = operands_of(row, seed, 4)
    jets: list[Any] = [dn.Jet(c) for c in given_]
    if row.name == "ldexp":
        jets[1] = given_[1] = given_[1][0].astype(int)
    before = [c.copy() for c in given_]
    y = row.ufunc(*jets)
    for z in y if isinstance(y, tuple) else (y,):  # nor does writing into the result reach them
        if isinstance(z, dn.Jet):
            z[...] = 77.0
    for x, c in zip(jets, before, strict=True):
        np.testing.assert_array_equal(x.coeffs if isinstance(x, dn.Jet) else x, c)
