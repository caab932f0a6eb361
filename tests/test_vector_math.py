"""Vector functions of our own, where there is no library of such: within 2 ulp, at the edges what NumPy gives."""

import platform
from typing import Any

import minimax
import mpmath
import numpy as np
import pytest

from dualnum.kernel import elementary
from dualnum.kernel.cpu import host
from dualnum.kernel.engine import available, named
from dualnum.kernel.ir import Graph
from dualnum.kernel.layout import Group, Routine

pytestmark = pytest.mark.skipif("llvm" not in available(), reason="llvmlite is not installed")

EDGES = np.array([
    0.0, 5e-324, 1e-310, 2.0**-1022, 1e-300, 1e-160, 1e-20, 1e-8, 0.5, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 2.0, np.pi / 4,
    np.pi / 2, np.pi, 355.0, 36.0, 40.0, 88.7, 88.8, 103.9, 104.0, 709.7, 709.79, 710.0, 744.0, 745.1, 746.0, 1e3, 1e9,
    2.0**30, 1.1e9, 1e22, 1e300, 1.7e308, np.inf, np.nan,
])  # fmt: skip
EVERYWHERE = (-60, 9)  # powers of two
POINTS: dict[str, list[Any]] = {  # intervals, and with a pair inside of one powers of two
    "exp": [(-745, 709), (-1, 1)],
    "expm1": [(-40, 709), (-3, 3), [EVERYWHERE]],
    "tanh": [(-3, 3), (-23, 23), [EVERYWHERE]],
    "log": [(0.3, 3), [(-1074, 1023)]],
    "log1p": [(-1, 3), [(-60, 1000)]],
    "sin": [(-10, 10), (-1e9, 1e9), [EVERYWHERE]],
    "cos": [(-10, 10), (-1e9, 1e9), [EVERYWHERE]],
}


@pytest.fixture(params=["", "haswell"], ids=["at hand", "AVX2"])
def processor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a vector library; also for one that can do less."""
    if request.param and (platform.machine() not in ("x86_64", "AMD64") or host.host().vector_bytes < 32):
        pytest.skip("it is not one that could do more")
    monkeypatch.setattr(host, "HIDE_LIBMVEC", True)
    monkeypatch.setattr(host, "LESSER", request.param)
    if not host.host().fuses:
        pytest.skip("multiply-adds are no instruction here")


def compiled(name: str, *given: Any) -> Any:
    machine, graph = named("llvm"), Graph(given[0].dtype)
    group = [Group("c", 1)]
    inputs = [graph.input() for _ in given]
    routine = Routine(
        graph.finish([(np.power if name == "pow" else getattr(np, name))(*inputs)]), group, group * len(given)
    )
    assert f"@elementary.{name}." in machine.render(routine)
    y = np.empty_like(given[0])
    machine.compile(routine)(machine.handle(y), *map(machine.handle, given), y.size, 0, y.size)
    return y


def points(name: str, count: int, dtype: Any = np.float64) -> Any:
    rng = np.random.default_rng(3)
    found = []
    for interval in POINTS[name]:
        if isinstance(interval, list):
            x = np.ldexp(rng.uniform(1, 2, count), rng.integers(*interval[0], count))
            found.append(x if name.startswith("log") else x * rng.choice([-1, 1], count))
        else:
            found.append(rng.uniform(*interval, count))
    with np.errstate(all="ignore"):
        return np.concatenate(found).astype(dtype)


def worst(name: str, x: Any) -> float:
    """In units of the last place, against 40 digits."""
    with mpmath.workdps(40), np.errstate(all="ignore"):
        y, f = compiled(name, x), getattr(mpmath, name)
        assert y.dtype == x.dtype
        regular = np.isfinite(getattr(np, name)(x))
        exact = [f(mpmath.mpf(float(a))) for a in x[regular]]
        units = np.spacing(np.abs(np.array([float(e) for e in exact])).astype(x.dtype))
        return max(
            float(abs(mpmath.mpf(float(a)) - e) / mpmath.mpf(float(u)))
            for a, e, u in zip(y[regular], exact, units, strict=True)
            if np.isfinite(u)
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", POINTS)
def test_within_two_units(name, dtype, processor):
    assert worst(name, points(name, 300, dtype)) <= 2
    with np.errstate(over="ignore"):
        edges = np.concatenate([EDGES, -EDGES]).astype(dtype)
    assert worst(name, edges) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTS)
def test_within_two_units_at_many_points(name, processor):
    assert worst(name, points(name, 100_000)) <= 2


def worst_power(x: Any, y: Any) -> float:
    z, found = compiled("pow", x, y), 0.0
    with mpmath.workdps(60):
        for a, b, c in zip(x, y, z, strict=True):
            exact = mpmath.mpf(float(a)) ** mpmath.mpf(float(b))
            unit = np.spacing(np.abs(x.dtype.type(float(exact))))
            if np.isfinite(unit):
                found = max(found, float(abs(mpmath.mpf(float(c)) - exact) / mpmath.mpf(float(unit))))
    return found


def bases_and_exponents(count: int) -> Any:
    """Results all over the range, near 1 and far from it."""
    rng = np.random.default_rng(4)
    x = np.concatenate(
        [rng.uniform(0.5, 2, count), np.ldexp(rng.uniform(1, 2, count), rng.integers(-1022, 1023, count))]
    )
    return x, rng.uniform(-709, 709, x.size) * rng.choice([1.0, 1e-3], x.size) / np.log(x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_powers_within_two_units(dtype, processor):
    x, y = bases_and_exponents(400)
    if dtype == np.float32:
        x, y = x[:400], np.clip(y[:400], -60, 60)
    assert worst_power(x.astype(dtype), y.astype(dtype)) <= 2


@pytest.mark.slow
def test_powers_within_two_units_at_many_points(processor):
    assert worst_power(*bases_and_exponents(50_000)) <= 2


def test_edges_of_powers(processor):
    numbers = np.array([0.0, 5e-324, 0.5, 1.0, 2.0, 2.5, 3.0, 1e300, np.inf, np.nan])
    x, y = (a.ravel() for a in np.meshgrid(np.concatenate([numbers, -numbers]), np.concatenate([numbers, -numbers])))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(compiled("pow", x, y), np.power(x, y), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", POINTS)
def test_edges(name, dtype, processor):
    with np.errstate(all="ignore"):
        x = np.concatenate([EDGES, -EDGES]).astype(dtype)
        y, expected = compiled(name, x), getattr(np, name)(x)
    assert np.array_equal(np.isnan(y), np.isnan(expected))
    known = ~np.isnan(expected)
    assert np.array_equal(np.signbit(y[known]), np.signbit(expected[known]))
    special = known & (~np.isfinite(expected) | (expected == 0))
    assert np.array_equal(y[special], expected[special])


@pytest.mark.parametrize("name", POINTS)
def test_neighbours_change_nothing(name, processor):
    """Neither numbers that go another way nor the place in a vector."""
    x = np.abs(points(name, 20))
    alone = np.concatenate([compiled(name, x[i : i + 1]) for i in range(x.size)])
    for other in (1e300, np.nan, np.inf, 5e-324):
        mixed = np.repeat(x, 2)
        mixed[1::2] = other
        with np.errstate(all="ignore"):
            assert np.array_equal(compiled(name, mixed)[::2], alone)


def test_the_coefficients_are_those_that_are_computed():
    for name, (f, low, high, *counts) in minimax.REMAINDERS.items():
        for fitted, count in zip(getattr(elementary, f"_{name}"), counts, strict=True):
            np.testing.assert_allclose(fitted, minimax.fitted(f, low, high, count), rtol=1e-15)
    with mpmath.workdps(60):
        assert elementary._LN2 == tuple(minimax.parts(mpmath.log(2), 42))
        assert elementary._HALF_PI == tuple(minimax.parts(mpmath.pi / 2, 53, 53))
