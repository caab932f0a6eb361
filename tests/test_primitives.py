"""Every row of the table of primitives against exact coefficients, and against NumPy."""

import functools
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import coefficients, edge_grid, jet_of, sensitivity, worst

import dualnum as dn
from dualnum.kernel.engine import available, engine
from dualnum.primitives import rows

NUMPY_ROWS = [row for row in rows() if getattr(np, row.name, None) is row.ufunc or row.name in ("clip", "_ones_like")]
FLOAT_ROWS = [row for row in NUMPY_ROWS if row.rule is not None]
LIMIT = 8.0
LIMITS = {"interpret": LIMIT, "llvm": 16.0}


def random(*names: Any) -> np.random.Generator:
    """Random numbers that are the same in every run, and others for every row."""
    return np.random.default_rng([ord(c) for c in "".join(map(str, names))])


# ── exact functions of one argument ──────────────────────────────────────────────────────────────


def to(*singularities: float) -> Any:
    """The distance to the nearest of these points."""
    return lambda x: min(abs(mpf(float(x)) - s) for s in singularities)


def to_pole(offset: float) -> Any:
    """The distance to the nearest of (n + offset)·π."""

    def distance(x: float) -> Any:
        with mp.workdps(60 + max(0, int(np.log10(abs(x) + 1)))):
            turns = mpf(float(x)) / mp.pi - mpf(offset)
            return abs(turns - mp.nint(turns)) * mp.pi

    return distance


def beside(height: float) -> Any:
    """The distance to ±i·height."""
    return lambda x: mp.hypot(float(x), height)


def entire(x: float) -> Any:
    return mp.inf


def real_cbrt(z: Any) -> Any:
    return mp.cbrt(z) if mp.re(z) > 0 else -mp.cbrt(-z)


def guarded(f: Any) -> Any:
    """f with digits to spare, where its terms cancel."""

    def with_more(z: Any) -> Any:
        with mp.workdps(mp.dps + 20):
            return f(z)

    return with_more


UNARY: dict[str, tuple[Any, Any]] = {
    "square": (lambda z: z * z, entire),
    "reciprocal": (lambda z: 1 / z, to(0)),
    "positive": (lambda z: +z, entire),
    "negative": (lambda z: -z, entire),
    "conjugate": (lambda z: +z, entire),
    "sqrt": (mp.sqrt, to(0)),
    "cbrt": (real_cbrt, to(0)),
    "exp": (mp.exp, entire),
    "exp2": (lambda z: mp.power(2, z), entire),
    "expm1": (guarded(lambda z: mp.exp(z) - 1), entire),
    "log": (mp.log, to(0)),
    "log2": (lambda z: mp.log(z) / mp.ln2, to(0)),
    "log10": (lambda z: mp.log(z) / mp.ln10, to(0)),
    "log1p": (guarded(lambda z: mp.log(1 + z)), to(-1)),
    "sin": (mp.sin, entire),
    "cos": (mp.cos, entire),
    "tan": (mp.tan, to_pole(0.5)),
    "arcsin": (mp.asin, to(-1, 1)),
    "arccos": (mp.acos, to(-1, 1)),
    "arctan": (mp.atan, beside(1)),
    "sinh": (mp.sinh, entire),
    "cosh": (mp.cosh, entire),
    "tanh": (mp.tanh, beside(1.5)),
    "arcsinh": (mp.asinh, beside(1)),
    "arccosh": (mp.acosh, to(1)),
    "arctanh": (mp.atanh, to(-1, 1)),
    "deg2rad": (lambda z: z * mp.pi / 180, entire),
    "radians": (lambda z: z * mp.pi / 180, entire),
    "rad2deg": (lambda z: z / mp.pi * 180, entire),
    "degrees": (lambda z: z / mp.pi * 180, entire),
}
POLES = {"reciprocal": [0.0], "cbrt": [0.0]}  # inside the domain, and tested by themselves


DEGREES = {"square": 2} | dict.fromkeys(
    ("positive", "negative", "conjugate", "deg2rad", "radians", "rad2deg", "degrees"), 1
)


@functools.cache
def exact(name: str, x: float, order: int) -> list[Any]:
    """The coefficients to order + 1; there are no more of a polynomial than its degree says."""
    f, radius = UNARY[name]
    known = min(order + 1, DEGREES.get(name, order + 1))
    return coefficients(f, x, known, radius(x)) + [mpf(0)] * (order + 1 - known)


def points_of(row: Any, dtype: Any, count: int) -> np.ndarray:
    """The edge grid within the row's domain, and random points of its sample interval."""
    low, high = row.sample[0]
    points = np.concatenate(
        [edge_grid(dtype, row.domain[0]), random(row.name, dtype).uniform(low, high, count).astype(dtype)]
    )
    return points[~np.isin(points, POLES.get(row.name, []))]


def failures(row: Any, dtype: Any, orders: tuple[int, ...], count: int, compute: Any = None) -> list[str]:
    """All points at which the row misses the limit, in words."""
    points = points_of(row, dtype, count)
    found, seen = [], {}
    for machine in available():
        with engine(machine):
            computed = [(order, (compute or jet_of)(row.ufunc, points, order)) for order in orders]
        for order, c_hat in computed:
            assert c_hat.dtype == dtype
            for i, x in enumerate(points):
                key = (i, order, c_hat[:, i].tobytes())
                if key not in seen:  # the machines agree nearly everywhere
                    seen[key] = worst(c_hat[:, i], exact(row.name, float(x), max(orders)), x)
                if not seen[key] <= LIMITS[machine]:
                    found.append(f"{row.name}({x!r}) at order {order} by {machine}: E = {seen[key]:.3g}")
    return found


def row_of(name: str) -> Any:
    return next(r for r in FLOAT_ROWS if r.ufunc is getattr(np, name))


@pytest.mark.parametrize("name", UNARY)
def test_unary_float64(name: str) -> None:
    row = row_of(name)
    found = failures(row, np.float64, (8,) if row.kind == "linear" else (8, 24), 4)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", UNARY)
def test_unary_float32(name: str) -> None:
    found = failures(row_of(name), np.float32, (8,), 4)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("spoil", [lambda c: c * (1 + 1e-13), lambda c: c[::-1], lambda c: np.where(c == 0, 1e-30, c)])
def test_the_measure_finds_wrong_rules(spoil: Any) -> None:
    def wrong(f: Any, x: Any, order: int) -> Any:
        return spoil(jet_of(f, x, order))

    assert failures(row_of("tanh"), np.float64, (8,), 4, wrong)


# ── functions of two arguments ───────────────────────────────────────────────────────────────────


def angle(y: Any, x: Any) -> Any:
    if abs(mp.re(x)) < abs(mp.re(y)):
        return mp.sign(mp.re(y)) * mp.pi / 2 - mp.atan(x / y)
    return mp.atan(y / x) + (mp.pi * (1 if mp.re(y) >= 0 else -1) if mp.re(x) < 0 else 0)


def log_of_sum(a: Any, b: Any) -> Any:
    return mp.log(mp.exp(a) + mp.exp(b))


def log2_of_sum(a: Any, b: Any) -> Any:
    return mp.log(mp.power(2, a) + mp.power(2, b)) / mp.ln2


def everywhere(x: float, y: float) -> Any:
    return mp.inf


def off_origin(x: float, y: float) -> Any:
    return mp.hypot(x, y) / 2


GENERAL = [(0.3, 1.7), (-2.5, 0.4), (1.25, -0.75), (1e-20, 3.0), (4.0, 1e-20), (1e8, 1e-3), (2.0, 2.0)]
FAR = [(1e200, 1e200), (1e-200, 1e-200), (3e-200, 1.0), (1e300, 1e-300), (-1e155, 1e154), (0.0, 1.0), (1.0, 0.0)]
SUMS = [(700.0, 710.0), (-745.0, 3.0), (0.0, 0.0), (40.0, -1.0), (1e4, -1e4), (-800.0, -801.0), (1e-20, 0.0)]
POWERS = [
    (x, p)
    for p in (0.5, 1.5, 2.5, -0.5, -2.3, 3.0, -3.0, 1.0, 0.0, 1 / 3, 7.0)
    for x in (1.7, 0.2, 1e-20, 1e-300, 1e20, 1e200)
]
BINARY: dict[str, tuple[Any, Any, list[tuple[float, float]]]] = {
    "add": (lambda a, b: a + b, everywhere, GENERAL + FAR[1:3]),
    "subtract": (lambda a, b: a - b, everywhere, GENERAL + FAR[1:3]),
    "multiply": (lambda a, b: a * b, everywhere, GENERAL + FAR),
    "divide": (lambda a, b: a / b, lambda x, y: abs(y), GENERAL + FAR[1:4]),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), off_origin, GENERAL + FAR),
    "arctan2": (angle, off_origin, GENERAL + FAR),
    "logaddexp": (log_of_sum, lambda x, y: 1.5, GENERAL[:5] + SUMS),
    "logaddexp2": (log2_of_sum, lambda x, y: 1.5, GENERAL[:5] + SUMS),
    "power": (mp.power, lambda x, y: x, POWERS),
    "float_power": (mp.power, lambda x, y: x, POWERS[::3]),
}
DIRECTIONS = {"first": (1.0, 0.0), "second": (0.0, 1.0), "both": (1.0, -0.75)}


@pytest.mark.parametrize("which", DIRECTIONS)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, which: str) -> None:
    f, radius, pairs = BINARY[name]
    ufunc, (dx, dy) = getattr(np, name), DIRECTIONS[which]
    if name.endswith("power"):
        pairs = (
            pairs if which == "first" else [(x, p) for x, p in pairs if 1e-20 <= x <= 1e20][:: 3 + (which == "both")]
        )
        radius = {"first": radius, "second": everywhere, "both": lambda x, y: min(x, 1)}[which]
    order = 12

    @functools.cache
    def along(x: Any, y: Any) -> list[Any]:
        return coefficients(lambda t: f(x + dx * t, y + dy * t), 0, order, radius(x, y))

    found = []
    for x, y in pairs:
        c = along(mpf(x), mpf(y))
        slack = sensitivity(along, x, y)
        for machine in available():
            with engine(machine), np.errstate(all="ignore"):
                a = dn.jet([x], order=order, direction=dx) if dx else np.array([x])
                b = dn.jet([y], order=order, direction=dy) if dy else y
                e = worst(ufunc(a, b).coeffs[:, 0], c, slack=slack)
            if not e <= LIMITS[machine]:
                found.append(f"{name}({x!r}, {y!r}) along {which} by {machine}: E = {e:.3g}")
    assert not found, "\n".join(found)


# ── piecewise functions ──────────────────────────────────────────────────────────────────────────


def dense(name: str, x: Any, order: int = 5) -> tuple[Any, np.ndarray]:
    """A jet at x with random coefficients, and these."""
    c = random(name, "dense").uniform(-2, 2, (order + 1, *np.shape(x)))
    c[0] = x
    return dn.Jet(c), c


def halves(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (u + v) / 2


# (u, v) ↦ coefficients above the value, at one point of the value pair
ZERO, FIRST, SECOND, MEAN, MINUS = (
    lambda u, v: 0 * u,
    lambda u, v: u,
    lambda u, v: v,
    halves,
    lambda u, v: -u,
)
PIECEWISE: list[tuple[str, tuple[float, ...], Any]] = [
    ("absolute", (1.5,), FIRST),
    ("absolute", (-1.5,), MINUS),
    ("absolute", (0.0,), ZERO),
    ("absolute", (-5e-324,), MINUS),
    ("fabs", (-0.3,), MINUS),
    ("fabs", (0.0,), ZERO),
    *(
        (name, (x,), ZERO)
        for name in ("sign", "floor", "ceil", "trunc", "rint", "spacing")
        for x in (0.0, 0.5, -1.0, 2.3)
    ),
    *((name, (x, 0.8), ZERO) for name in ("floor_divide",) for x in (0.0, 0.8, -1.7)),
    ("maximum", (1.0, 2.0), SECOND),
    ("maximum", (2.0, 1.0), FIRST),
    ("maximum", (1.0, 1.0), MEAN),
    ("minimum", (1.0, 2.0), FIRST),
    ("minimum", (2.0, 1.0), SECOND),
    ("minimum", (-0.0, 0.0), MEAN),
    ("fmax", (1.0, 2.0), SECOND),
    ("fmax", (1.0, np.nan), FIRST),
    ("fmax", (np.nan, 1.0), SECOND),
    ("fmin", (1.0, 2.0), FIRST),
    ("fmin", (1.0, np.nan), FIRST),
    ("fmin", (np.nan, 1.0), SECOND),
    ("fmin", (3.0, 3.0), MEAN),
    ("copysign", (1.5, -2.0), MINUS),
    ("copysign", (-1.5, -2.0), FIRST),
    ("copysign", (-1.5, 0.0), MINUS),
    ("nextafter", (1.5, 2.0), FIRST),
    ("heaviside", (0.3, 0.5), ZERO),
    ("heaviside", (0.0, 0.5), SECOND),
    ("remainder", (5.5, 2.0), lambda u, v: u - 2 * v),
    ("remainder", (-5.5, 2.0), lambda u, v: u + 3 * v),
    ("fmod", (-5.5, 2.0), lambda u, v: u + 2 * v),
    ("fmod", (5.5, -2.0), lambda u, v: u + 2 * v),
]


@pytest.mark.parametrize(("name", "point", "expected"), PIECEWISE)
def test_piecewise(name: str, point: tuple[float, ...], expected: Any) -> None:
    f = getattr(np, name)
    u, a = dense(name, point[0])
    v, b = dense(name + "'", point[1]) if len(point) == 2 else (None, a)
    y = f(u, v) if len(point) == 2 else f(u)
    np.testing.assert_equal(y.value, f(*point))
    np.testing.assert_allclose(y.coeffs[1:], expected(a[1:], b[1:]), rtol=1e-15, atol=0)
    if len(point) == 2:  # one of them a constant
        zero = 0 * a[1:]
        first, second = f(u, point[1]), f(point[0], v)
        np.testing.assert_allclose(first.coeffs[1:], expected(a[1:], zero), rtol=1e-15, atol=0)
        np.testing.assert_allclose(second.coeffs[1:], expected(zero, b[1:]), rtol=1e-15, atol=0)


@pytest.mark.parametrize("x", [-2.0, -1.0, -0.75, 0.5, 0.7])
def test_clip_inside_on_and_outside_of_its_bounds(x: float) -> None:
    u, a = dense("clip", x)
    y = np.clip(u, -1.0, 0.5)
    assert y.value == np.clip(x, -1.0, 0.5)
    np.testing.assert_array_equal(y.coeffs[1:], a[1:] if -1 <= x <= 0.5 else 0 * a[1:])


def test_several_results_and_exponents() -> None:
    x = np.array([-2.75, 0.3, 5.0, 1e-3])
    u, a = dense("several", x)
    fraction, whole = np.modf(u)
    np.testing.assert_array_equal(fraction.value, np.modf(x)[0])
    np.testing.assert_array_equal(whole.value, np.modf(x)[1])
    np.testing.assert_array_equal(fraction.coeffs[1:], a[1:])
    assert not whole.coeffs[1:].any()
    mantissa, exponent = np.frexp(u)
    np.testing.assert_array_equal(exponent, np.frexp(x)[1])
    np.testing.assert_array_equal(mantissa.coeffs, a * 2.0 ** -np.frexp(x)[1])
    np.testing.assert_array_equal(np.ldexp(u, [3, -1, 0, 2]).coeffs, a * [8, 0.5, 1, 4])
    quotient, rest = np.divmod(u, 0.7)
    np.testing.assert_array_equal(quotient.value, np.divmod(x, 0.7)[0])
    assert not quotient.coeffs[1:].any()
    np.testing.assert_array_equal(rest.coeffs[1:], a[1:])
    np.testing.assert_array_equal(rest.value, np.divmod(x, 0.7)[1])


@pytest.mark.parametrize("row", [r for r in FLOAT_ROWS if r.kink is not None], ids=lambda r: r.name)
def test_kinks_are_reported_on_demand(row: Any) -> None:
    at = {"clip": (0.5, 0.5, 2.0), "rint": (0.5,), "trunc": (1.0,), "modf": (2.0,), "heaviside": (0.0, 0.5)}
    ties = (1.5, 1.5) if row.name in ("maximum", "minimum", "fmax", "fmin") else None
    multiples = (2.0, 1.0) if row.name in ("remainder", "fmod", "divmod", "floor_divide") else None
    point = at.get(row.name) or ties or multiples or (0.0,) * row.ufunc.nin
    x = dn.jet([0.37, point[0]], order=1)
    row.ufunc(x, *point[1:])
    with dn.nonsmooth("raise"):
        row.ufunc(x[:1], *point[1:])
        with pytest.raises(dn.DualnumError, match=row.name):
            row.ufunc(x, *point[1:])


# ── every row ────────────────────────────────────────────────────────────────────────────────────


def sample_of(row: Any, dtype: Any = np.float64, count: int = 5) -> list[np.ndarray]:
    generator = random(row.name, "sample")
    points = [generator.uniform(low, high, count).astype(dtype) for low, high in row.sample]
    return [points[0], np.array([-2, 0, 1, 2, 3])] if row.name == "ldexp" else points


def results(y: Any) -> tuple[Any, ...]:
    return y if isinstance(y, tuple) else (y,)


@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda r: r.name)
def test_values_are_numpys_own(row: Any) -> None:
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        points = sample_of(row, dtype)
        expected = results(row.ufunc(*points))
        for order in (0, 1, 3):
            for y, value in zip(results(row.ufunc(dn.jet(points[0], order=order), *points[1:])), expected, strict=True):
                v = y.value if isinstance(y, dn.Jet) else y
                assert v.dtype == value.dtype
                if dtype is np.longdouble or dtype is np.float16:
                    np.testing.assert_array_equal(v, value)
                else:  # compiled kernels have their own mathematical functions
                    np.testing.assert_array_max_ulp(v, value, 4)


@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda r: r.name)
def test_samples_lie_inside_the_domain(row: Any) -> None:
    assert len(row.sample) == len(row.domain) == row.ufunc.nin
    for (low, high), (start, end) in zip(row.sample, row.domain, strict=True):
        assert start <= low < high <= end
        assert (start < low or low == -np.inf) and (high < end or end == np.inf)


@pytest.mark.parametrize("name", sorted(set(UNARY) | set(BINARY)))
def test_longdouble_and_float16(name: str) -> None:
    row = row_of(name)
    for dtype, eps in ((np.longdouble, np.finfo(np.float64).eps), (np.float16, None)):
        points = sample_of(row, dtype, 3)
        y = row.ufunc(dn.jet(points[0], order=4), *points[1:])
        assert y.dtype == row.ufunc(*points).dtype
        for i in range(3):
            rest = [mpf(float(p[i])) for p in points[1:]]
            f = UNARY[name][0] if name in UNARY else lambda z, rest=rest: BINARY[name][0](z, *rest)
            c = coefficients(f, points[0][i], 5, 0.05)
            assert worst(y.coeffs[:, i], c, points[0][i], eps=eps) <= LIMIT


COMPLEX = [0.4 + 0.3j, -1.2 + 0.7j, 2.1 - 0.6j, 1e-9 + 0.5j]


@pytest.mark.parametrize("name", [n for n in UNARY if "D->D" in getattr(np, n).types])
def test_complex_points(name: str) -> None:
    if name == "conjugate":
        c = dn.jet(COMPLEX, order=2, direction=1j)
        np.testing.assert_array_equal(np.conjugate(c).coeffs, np.conjugate(c.coeffs))
        return
    computed = jet_of(getattr(np, name), np.array(COMPLEX), 8)
    for i, z in enumerate(COMPLEX):
        c = coefficients(UNARY[name][0], z, 9, 0.2)
        assert worst(computed[:, i], c, z) <= LIMIT, z


def test_complex_powers() -> None:
    z = np.array(COMPLEX)
    for p in (2, -3, 0.5, 1.5, 0.3 - 0.4j):
        computed = jet_of(lambda z, p=p: z**p, z, 8)
        for i, z0 in enumerate(COMPLEX):
            c = coefficients(lambda z, p=p: mp.power(z, mp.mpmathify(p)), z0, 9, 0.2)
            assert worst(computed[:, i], c, z0) <= LIMIT


@pytest.mark.parametrize("row", [row_of(n) for n in UNARY if n not in ("conjugate", "positive")], ids=lambda r: r.name)
def test_composition_is_nested_differentiation(row: Any) -> None:
    """One jet of order 4 through f∘g, against four derivatives of order 1 inside each other."""
    low, high = row.sample[0]
    middle, half = (low + high) / 2, (high - low) / 4

    def f(x: Any) -> Any:
        return row.ufunc(middle + half * np.sin(1.3 * x))

    nested = f
    for _ in range(4):
        nested = dn.derivative(nested)
    x = np.array([0.2, 0.9, -0.4])
    direct = dn.derivative(f, 4)(x)
    np.testing.assert_allclose(nested(x), direct, rtol=1e-9, atol=1e-9 * abs(direct).max())


COMPOSITIONS: dict[str, tuple[Any, Any, float]] = {
    "exp(−x²) sin x": (lambda x: np.exp(-(x**2)) * np.sin(x), lambda z: mp.exp(-z * z) * mp.sin(z), 1.0),
    "log1p(x²)/(2 + cos x)": (
        lambda x: np.log1p(x**2) / (2 + np.cos(x)),
        lambda z: mp.log(1 + z * z) / (2 + mp.cos(z)),
        0.9,
    ),
    "√(1 + tanh x)": (lambda x: np.sqrt(1 + np.tanh(x)), lambda z: mp.sqrt(1 + mp.tanh(z)), 1.5),
    "hypot(sin x, cos 2x)": (
        lambda x: np.hypot(np.sin(x), np.cos(2 * x)),
        lambda z: mp.sqrt(mp.sin(z) ** 2 + mp.cos(2 * z) ** 2),
        0.2,
    ),
    "arctan2(sin x, cos 2x + 3)": (
        lambda x: np.arctan2(np.sin(x), np.cos(2 * x) + 3),
        lambda z: mp.atan(mp.sin(z) / (mp.cos(2 * z) + 3)),
        0.5,
    ),
    "(1 + x²)^1.7": (lambda x: (1 + x * x) ** 1.7, lambda z: (1 + z * z) ** mpf(1.7), 0.9),
    "(1 + x²)^sin x": (lambda x: (1 + x * x) ** np.sin(x), lambda z: (1 + z * z) ** mp.sin(z), 0.9),
    "(1 + x²)⁻³": (lambda x: (1 + x * x) ** -3, lambda z: (1 + z * z) ** -3, 0.9),
    "arctan exp x": (lambda x: np.arctan(np.exp(x)), lambda z: mp.atan(mp.exp(z)), 1.0),
    "logaddexp(x², sin x)": (
        lambda x: np.logaddexp(x**2, np.sin(x)),
        lambda z: mp.log(mp.exp(z * z) + mp.exp(mp.sin(z))),
        0.3,
    ),
    "∛(1 + x²)": (lambda x: np.cbrt(1 + x * x), lambda z: mp.cbrt(1 + z * z), 0.9),
    "arcsinh(x³ + x)": (lambda x: np.arcsinh(x**3 + x), lambda z: mp.asinh(z**3 + z), 0.3),
    "arccosh(2 + x²)": (lambda x: np.arccosh(2 + x**2), lambda z: mp.acosh(2 + z**2), 0.9),
    "arctanh(tanh(x)/2)": (lambda x: np.arctanh(np.tanh(x) / 2), lambda z: mp.atanh(mp.tanh(z) / 2), 0.5),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions_are_nearly_as_exact(name: str) -> None:
    f, exact, radius = COMPOSITIONS[name]
    for x in (0.1, 0.7, 1.9, -3.3):
        assert worst(jet_of(f, x, 16), coefficients(exact, x, 17, radius), x) <= 32, x


@pytest.mark.parametrize("row", FLOAT_ROWS, ids=lambda r: r.name)
def test_order_zero_is_the_value_alone(row: Any) -> None:
    points = sample_of(row)
    for y in results(row.ufunc(dn.jet(points[0], order=0), *points[1:])):
        if isinstance(y, dn.Jet):
            assert y.order == 0 and y.coeffs.shape == (1, 5)


@pytest.mark.parametrize(
    "constant", [3, True, np.int64(3), np.int8(3), np.uint16(3), np.bool_(True), 3.0, np.float64(3)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_integers_and_booleans_as_constants(constant: Any, dtype: Any) -> None:
    a = np.array([0.5, 1.5], dtype)
    x = dn.jet(a, order=2)
    for f in (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.arctan2, np.hypot):
        for y, value in ((f(x, constant), f(a, constant)), (f(constant, x), f(constant, a))):
            assert y.dtype == value.dtype
            np.testing.assert_allclose(y.value, value, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose((x * constant).coeffs[1], float(constant))
    np.testing.assert_allclose((constant / x).coeffs[1], -float(constant) / a**2, rtol=4 * np.finfo(dtype).eps)


def test_every_ufunc_of_numpy_stands_in_one_class() -> None:
    found = {f for module in (np, np._core.umath) for f in vars(module).values() if isinstance(f, np.ufunc)}
    known = [row.ufunc for row in rows()]
    assert len(known) == len(set(known))
    for f in found:
        numeric = any(types[0] in np.typecodes["All"].replace("S", "").replace("U", "") for types in f.types)
        if f.signature is None and numeric:
            assert f in known, f"{f.__name__} has no row"
    kinds = {
        "zero", "linear", "by_derivative", "composed", "by_equation", "by_coefficients", "recurrence", "predicate",
        "unsupported",
    }  # fmt: skip
    assert {row.kind for row in rows()} <= kinds


@pytest.mark.parametrize("f", [np.matmul, np.vecdot, np.matvec, np.vecmat], ids=lambda f: f.__name__)
def test_generalized_ufuncs(f: Any) -> None:
    generator = random(f.__name__)
    if f is np.matmul:
        a, b = generator.normal(size=(2, 3, 4)), generator.normal(size=(4, 5))
    elif f is np.vecdot:
        a, b = generator.normal(size=(2, 3)), generator.normal(size=(2, 3))
    elif f is np.matvec:
        a, b = generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 4))
    else:
        a, b = generator.normal(size=(2, 3)), generator.normal(size=(2, 3, 4))
    da, db = generator.normal(size=a.shape), generator.normal(size=b.shape)
    y = f(dn.jet(a, order=3, direction=da), dn.jet(b, order=3, direction=db))
    expected = [f(a, b), f(da, b) + f(a, db), f(da, db), 0 * f(a, b)]
    np.testing.assert_allclose(y.coeffs, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("row", [r for r in NUMPY_ROWS if r.kind == "unsupported"], ids=lambda r: r.name)
def test_unsupported_ufuncs_say_why(row: Any) -> None:
    x = dn.jet([1.0, 2.0], order=1)
    with pytest.raises(dn.NotDifferentiable, match=row.reason):
        row.ufunc(*[x] * row.ufunc.nin)


@pytest.mark.parametrize("row", [r for r in NUMPY_ROWS if r.kind == "predicate"], ids=lambda r: r.name)
def test_predicates_act_on_values(row: Any) -> None:
    a, b = np.array([1.0, -2.0, 0.0]), np.array([1.0, 3.0, -1.0])
    given = (a, b)[: row.ufunc.nin]
    result = row.ufunc(*(dn.jet(x, order=2) for x in given))
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, row.ufunc(*given))
