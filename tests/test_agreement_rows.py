"""Every row of the table, at the points where its rule changes formula, by every way to a derivative.

The numbers to agree on come from mpmath where the function is analytic at the point and mpmath has it, and from one
jet elsewhere (other tests hold that against exact coefficients). At kinks all ways give the same subgradient, and at
infinite derivatives the same infinity.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.special  # noqa: F401 (its rows)
import test_primitives as of_numpy
import test_special_errors as of_errors
import test_special_gamma_bessel as of_gamma
from mpmath import mp, mpf
from oracle import coefficients
from ways import DIRECTIONS, EVERY_WAY, Function, Way, along, differences, in_turn, mixed_partials, ways_of

import dualnum as dn
from dualnum.primitives import rows

ROWS = [row for row in rows() if row.rule is not None]
N = 4  # the highest derivative

# ── the points ───────────────────────────────────────────────────────────────────────────────────

# Where a rule or its function changes formula, by the names of the rows: zeros, ties, whole numbers, ±1, ½, edges of
# domains. Points that only the rule knows about stand in the table of primitives (`Row.special`).
BRANCH_POINTS: dict[str, tuple[Any, ...]] = {
    "add": ((0.0, 0.0), (1.0, -1.0)),
    "fmax fmin maximum minimum subtract": ((0.0, 0.0), (1.0, 1.0)),
    "multiply": ((0.0, 0.0), (0.0, 2.0), (1.0, 1.0)),
    "divide": ((0.0, 1.0), (0.0, -2.0), (1.0, 1.0)),
    "airy arcsinh ceil exp exp10 exp2 exprel floor fresnel i0e i1e j0 j1 spacing sqrt square trunc": (0.0, 1.0),
    "reciprocal": (1.0, -1.0),
    "conjugate cos cosh cosm1 dawsn deg2rad degrees erf erfc erfcx erfi expm1 i0 i1 log_expit ndtr negative "
    "positive rad2deg radians sign sin sinh tan wofz": (0.0,),
    "arctan cbrt wrightomega": (0.0, 1.0, -1.0),
    "hypot": ((0.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (1.0, 1.0)),
    "float_power power": (
        *((x, p) for x in (0.0, 1.0, -2.0) for p in (0.0, 1.0, 2.0, 3.0)), (0.0, 1.5), (0.0, 2.5), (1.0, 0.5),
        (-2.0, -1.0), (1e-300, 1.3), (1e300, 1.3),
    ),
    "log": (1.0, 0.0),
    "log2": (1.0, 2.0, 0.0),
    "log10": (1.0, 10.0, 0.0),
    "absolute fabs log1p": (0.0, -1.0),
    "logaddexp logaddexp2": ((0.0, 0.0), (1.0, 1.0), (-2.0, -2.0)),
    "expit tanh": (0.0, 1e-20),
    "arccosh": (1.0, 2.0),
    "arccos arcsin arctanh": (0.0, 0.5, 1.0, -1.0),
    "clip": ((-1.0, -1.0, 1.0), (1.0, -1.0, 1.0), (0.0, -1.0, 1.0), (0.0, 0.0, 0.0)),
    "copysign": ((0.0, 1.0), (1.0, -1.0), (-1.0, 0.0)),
    "nextafter": ((1.0, 1.0), (0.0, 1.0)),
    "ldexp": ((0.0, 2), (1.0, 0)),
    "frexp": (0.5, 1.0, 0.0),
    "modf": (0.0, 1.0, -0.5),
    "divmod floor_divide fmod remainder": ((2.0, 1.0), (0.0, 1.0), (-1.5, 0.75)),
    "heaviside": ((0.0, 0.5), (0.0, 0.0)),
    "rint round": (0.0, 0.5, 1.0),
    "arctan2": ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (1.0, 1.0)),
    "sinc": (0.0, 1.0, 0.5),
    "root_of_product": ((1.0, 1.0),),
    "exp1 expi iti0k0 itj0y0 k0 k1 shichi sici y0 y1": (1.0,),
    "iv jv": ((0.0, 1.0), (0.5, 1.0), (2.0, 0.0)),
    "hankel1 hankel2 jve kv yv yve": ((0.0, 1.0), (1.0, 1.0), (0.5, 1.0)),
    "kve": ((0.0, 1.0), (1.0, 0.5)),
    "k0e k1e": (0.5, 1.0),
    "kn yn": ((0, 1.0), (1, 1.0)),
    "ellipe ellipk erfinv": (0.0, 0.5),
    "ellipkm1 erfcinv": (1.0, 0.5),
    "ellipeinc ellipkinc": ((0.0, 0.5), (1.0, 0.0), (0.0, 0.0)),
    "ellipj": ((0.0, 0.5), (1.0, 0.5)),
    "voigt_profile": ((0.0, 1.0, 1.0), (1.0, 1.0, 0.0)),
    "powm1": ((1.0, 0.0), (2.0, 3.0), (2.0, 0.0), (1.0, 2.0)),
    "sindg": (0.0, 30.0, 90.0),
    "cosdg": (0.0, 60.0, 90.0),
    "tandg": (0.0, 45.0),
    "cotdg": (45.0, 90.0),
    "radian": ((0.0, 0.0, 0.0),),
    "logit ndtri": (0.5,),
    "xlogy": ((0.0, 1.0), (1.0, 1.0), (0.0, 3.0)),
    "xlog1py": ((0.0, 0.0), (1.0, 0.0), (0.0, 2.0)),
    "entr": (1.0, 0.36787944117144233),
    "kl_div rel_entr": ((1.0, 1.0), (0.5, 0.5)),
    "boxcox": ((1.0, 0.0), (2.0, 0.0), (1.0, 1.0), (2.0, 1.0), (2.0, 2.0)),
    "boxcox1p": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 2.0)),
    "inv_boxcox inv_boxcox1p": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)),
    "huber": ((1.0, 0.0), (1.0, 1.0), (1.0, -1.0)),
    "pseudo_huber": ((1.0, 0.0), (1.0, 1.0)),
    "psi": (1.0, 2.0, 0.5, 1.4616321449683622),
    "gammaln loggamma": (1.0, 2.0, 0.5),
    "_zeta": ((2.0, 1.0), (3.0, 1.0)),
    "gammasgn": (0.5, -0.5),
    "gamma": (1.0, 2.0, 0.5, -0.5),
    "rgamma": (0.0, 1.0, 2.0, -1.0),
    "beta betaln": ((1.0, 1.0), (0.5, 0.5), (2.0, 1.0)),
    "poch": ((1.0, 1.0), (2.0, 1.0), (1.0, 0.0), (0.5, 2.0), (3.0, 2.0)),
    "binom": ((3.0, 1.0), (3.0, 2.0), (4.0, 0.0), (5.0, 5.0), (3.5, 1.0)),
    "_igam_fac": ((1.0, 1.0), (2.0, 1.0)),
    "_beta_pdf": ((0.5, 1.0, 1.0), (0.5, 2.0, 2.0)),
    "gammainc gammaincc": ((1.0, 1.0), (2.0, 0.0), (1.0, 0.0), (3.0, 0.0), (1.5, 1.0)),
    "betainc betaincc": ((1.0, 1.0, 0.5), (2.0, 2.0, 0.5), (2.0, 3.0, 0.0), (1.0, 1.0, 1.0)),
    "expn": ((1, 1.0), (2, 1.0), (0, 1.0)),
    "spence": (1.0, 0.5, 2.0, 1.5),
    "_lambertw": ((0.0, 0, 1e-08), (1.0, 0, 1e-08)),
    "log_ndtr": (0.0, -3.0),
    "ndtri_exp": (-1.0, -0.6931471805599453),
    "owens_t": ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)),
    "eval_jacobi": ((0, 1.0, 1.0, 0.0), (0, 1.0, 1.0, 1.0), (3, 1.0, 1.0, 0.0), (3, 1.0, 1.0, 1.0)),
    "eval_gegenbauer eval_genlaguerre": ((0, 1.0, 0.0), (0, 1.0, 1.0), (3, 1.0, 0.0), (3, 1.0, 1.0)),
    "eval_chebyc eval_chebys eval_chebyt eval_chebyu eval_hermite eval_hermitenorm eval_laguerre eval_legendre "
    "eval_sh_chebyt eval_sh_chebyu eval_sh_legendre": ((0, 0.0), (0, 1.0), (3, 0.0), (3, 1.0)),
}  # fmt: skip
SPECIAL = {name: points for names, points in BRANCH_POINTS.items() for name in names.split()}


def special_points(row: Any) -> list[tuple[float, ...]]:
    found = [p if isinstance(p, tuple) else (p,) for p in SPECIAL.get(row.name, ())]
    return list(dict.fromkeys([*found, *row.special]))


# ── exact functions ──────────────────────────────────────────────────────────────────────────────


def guarded(f: Any) -> Any:
    """f with digits to spare, where its terms cancel."""

    def with_more(*xs: Any) -> Any:
        with mp.workdps(mp.dps + 30):
            return f(*xs)

    return with_more


def first_or(point: Sequence[float]) -> Any:
    return mpf(point[0])


def second(point: Sequence[float]) -> Any:
    return mpf(point[1])


def both(point: Sequence[float]) -> Any:
    return min(map(mpf, point[:2]))


def whole(x: float) -> bool:
    return x == round(x)


def power_radius(point: Sequence[float]) -> Any:
    return mp.inf if whole(point[1]) and point[1] >= 0 else mpf(abs(point[0]))


def boxcox(x: Any, p: Any) -> Any:
    return mp.log(x) if p == 0 else mp.expm1(p * mp.log(x)) / p


def inv_boxcox(y: Any, p: Any) -> Any:
    return mp.exp(y) if p == 0 else mp.exp(mp.log1p(p * y) / p)


def gammainc(a: Any, x: Any) -> Any:
    """x^a e^{−x} M(1, a + 1, x)/Γ(a + 1) (DLMF 8.5.1)."""
    return mp.power(x, a) * mp.exp(-x) * mp.hyp1f1(1, a + 1, x) / mp.gamma(a + 1)


def within(r: float) -> Callable[[Any], Any]:
    return lambda point: mpf(r)


# of several arguments: the function, and the distance from a point to its singularities in each argument
SEVERAL: dict[str, tuple[Any, Callable[[Sequence[float]], Any]]] = {
    "add": (lambda a, b: a + b, within(1)),
    "subtract": (lambda a, b: a - b, within(1)),
    "multiply": (lambda a, b: a * b, within(1)),
    "divide": (lambda a, b: a / b, lambda point: abs(mpf(point[1]))),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), lambda point: mp.hypot(*point) / 2),
    "arctan2": (of_numpy.angle, lambda point: mp.hypot(*point) / 2 if point[1] >= 0 else mpf(0)),
    "logaddexp": (of_numpy.log_of_sum, within(1)),
    "logaddexp2": (of_numpy.log2_of_sum, within(1)),
    "power": (mp.power, power_radius),
    "float_power": (mp.power, power_radius),
    "powm1": (lambda x, p: mp.power(x, p) - 1, power_radius),
    "xlogy": (lambda x, y: x * mp.log(y), second),
    "xlog1py": (lambda x, y: x * mp.log(1 + y), lambda point: 1 + mpf(point[1])),
    "rel_entr": (lambda x, y: x * mp.log(x / y), both),
    "kl_div": (lambda x, y: x * mp.log(x / y) - x + y, both),
    "boxcox": (guarded(boxcox), first_or),
    "boxcox1p": (guarded(lambda x, p: boxcox(1 + x, p)), lambda point: 1 + mpf(point[0])),
    "inv_boxcox": (guarded(inv_boxcox), within(0.4)),
    "inv_boxcox1p": (guarded(lambda y, p: inv_boxcox(y, p) - 1), within(0.4)),
    "poch": (mp.rf, first_or),
    "binom": (mp.binomial, within(0.9)),
    "beta": (mp.beta, both),
    "betaln": (lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), both),
    "gammainc": (gammainc, lambda point: mp.inf if whole(point[0]) else second(point)),
    "gammaincc": (lambda a, x: 1 - gammainc(a, x), lambda point: mp.inf if whole(point[0]) else second(point)),
    "pseudo_huber": (
        lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1), lambda point: mp.hypot(*point) if point[1] else point[0],
    ),
    "owens_t": (
        lambda h, a: mp.quad(lambda x: mp.exp(-h * h * (1 + x * x) / 2) / (1 + x * x), [0, a]) / (2 * mp.pi), within(0)
    ),
}  # fmt: skip
ONE: dict[str, tuple[Any, Callable[[float], Any]]] = {
    **of_numpy.UNARY,
    **{name: entry[:2] for table in (of_errors.UNARY, of_gamma.UNARY) for name, entry in table.items()},
    "spence": (lambda z: mp.polylog(2, 1 - z), lambda x: min(mpf(x), mpf(0.9))),
    "sinc": (lambda z: mp.sinc(mp.pi * z), lambda x: mp.inf),
    "i0e": (lambda z: mp.exp(-z) * mp.besseli(0, z), lambda x: mpf(x)),
    "i1e": (lambda z: mp.exp(-z) * mp.besseli(1, z), lambda x: mpf(x)),
}


def truth(row: Any, point: Sequence[float], direction: Sequence[float]) -> list[Any] | None:
    """The derivatives 1 … N along a direction, None where it is not known."""
    if row.ufunc.nout > 1 or (row.kink is not None and np.any(row.kink(*map(np.float64, point)))):
        return None
    if row.ufunc.nin == 1 and row.name in ONE:
        g, radius = ONE[row.name][0], ONE[row.name][1](point[0])
    elif row.name in SEVERAL:
        f, distance = SEVERAL[row.name]
        moves = max(abs(v) for v in direction)
        radius = distance(point) / moves
        if row.name.endswith(("power", "powm1")) and direction[1]:
            radius = min(mpf(point[0]), mpf(1))

        def g(t: Any) -> Any:
            return f(*(mpf(x) + v * t if v else mpf(x) for x, v in zip(point, direction, strict=True)))

    else:
        return None
    if not radius > 1e-6:
        return None
    c = coefficients(g, point[0] if row.ufunc.nin == 1 else 0, N, radius)
    return [float(mp.re(c[n]) * mp.factorial(n)) for n in range(1, N + 1)]


# ── the cases ────────────────────────────────────────────────────────────────────────────────────


class Case(NamedTuple):
    """A row along a direction, one of its results, and the points."""

    row: Any
    direction: Sequence[float]
    output: int
    points: list[tuple[float, ...]]

    @property
    def name(self) -> str:
        moving = "" if self.row.ufunc.nin == 1 else f" along {self.direction}"
        return f"{self.row.name}{moving}{f', result {self.output}' if self.row.ufunc.nout > 1 else ''}"

    def function(self, points: Any) -> Function:
        """t ↦ f(x + t v), of one point or a list of them; x ↦ f(x) for functions of one argument."""
        return self.call if self.row.ufunc.nin == 1 else along(self.call, self.arguments(points), self.direction)

    def call(self, *xs: Any) -> Any:
        """The function itself; the real part of a complex result."""
        y = self.row.ufunc(*xs)
        y = y[self.output] if self.row.ufunc.nout > 1 else y
        return np.real(y) if y.dtype.kind == "c" else y

    def arguments(self, points: Any) -> list[Any]:
        """As numbers of one point (a tuple), as arrays of several; whole numbers where the function wants such."""
        if isinstance(points, tuple):
            return list(points)
        return [np.array(column) for column in zip(*points, strict=True)]

    def start(self, points: Any) -> Any:
        """Where the one variable stands."""
        if self.row.ufunc.nin == 1:
            return self.arguments(points)[0]
        return 0.0 if isinstance(points, tuple) else np.zeros(len(points))


def points_of(row: Any) -> list[tuple[float, ...]]:
    """The special ones, and two that are like any others."""
    whole = [all(isinstance(end, int) for end in interval) for interval in row.sample]
    usual = [tuple(low + (high - low) * s for low, high in row.sample) for s in (0.3, 0.65)]
    return [
        tuple(int(x) if w else float(x) for x, w in zip(point, whole, strict=True))
        for point in (*special_points(row), *usual)
    ]


def directions_of(row: Any) -> list[tuple[float, ...]]:
    if row.ufunc.nin == 1:
        return [(1.0,)]
    if row.ufunc.nin == 2:
        return [DIRECTIONS[0], DIRECTIONS[1], DIRECTIONS[3]]
    return [tuple(float(i == k) for i in range(row.ufunc.nin)) for k in range(row.ufunc.nin)]


def cases() -> list[Case]:
    found = []
    for row in ROWS:
        for direction in directions_of(row):
            for output in range(row.ufunc.nout):
                case = Case(row, direction, output, points_of(row))
                x = case.start(case.points)
                try:  # a parameter that has no rule for its derivative cannot move
                    y = case.function(case.points)(dn.jet(x, order=1))
                except (dn.NotDifferentiable, TypeError):
                    continue
                if isinstance(y, dn.Jet):
                    found.append(case)
    return found


with np.errstate(all="ignore"):
    CASES = {case.name: case for case in cases()}


@functools.cache
def expected(name: str) -> tuple[Any, Any]:
    """The derivatives 1 … N at the points of a case, and which points have finite ones only."""
    case = CASES[name]
    with np.errstate(all="ignore"):
        jet = dn.taylor(case.function(case.points), N)(case.start(case.points))
    derivatives = np.array([jet[n] * float(mp.factorial(n)) for n in range(1, N + 1)])
    for i, point in enumerate(case.points):
        exact = truth(case.row, point, case.direction)
        if exact is not None:
            derivatives[:, i] = exact
    return derivatives, np.all(np.isfinite(derivatives), axis=0)


def disagreements(
    case: Case, points: Any, n: int, ways: dict[str, Way], derivatives: Any, kind: Callable[[Any], Any] = lambda x: x
) -> list[str]:
    f, x = case.function(points), kind(case.start(points))
    computed = {way: lambda made=made: made(f, n)(x) for way, made in ways.items()}
    at = points if isinstance(points, tuple) else f"all of {points}"
    return [f"n = {n} at {at}: {line}" for line in differences(computed, derivatives, elementwise=True)]


# How many of the ways each case tries for the n-th derivative; SciPy's rules are long, and nested ones take their time.
ARRAYS = ({1: 2, 2: 7, 3: 3, 4: 1}, {1: 1, 2: 3, 3: 1})
NUMBERS = ({1: 1, 2: 3, 3: 1}, {2: 1})


def of_scipy(row: Any) -> bool:
    return getattr(np, row.name, None) is not row.ufunc


@pytest.mark.parametrize("name", CASES)
def test_ways_agree_on_arrays(name: str) -> None:
    case, k = CASES[name], list(CASES).index(name)
    derivatives, finite = expected(name)
    points = [p for p, known in zip(case.points, finite, strict=True) if known]
    found = []
    for n, count in ARRAYS[of_scipy(case.row)].items():
        found += disagreements(case, points, n, in_turn(ways_of(n), k, count), derivatives[n - 1, finite])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", CASES)
def test_ways_agree_on_numbers(name: str) -> None:
    case, k = CASES[name], list(CASES).index(name)
    derivatives, finite = expected(name)
    found = []
    for i in np.flatnonzero(finite[: len(special_points(case.row))]):
        for n, count in NUMBERS[of_scipy(case.row)].items():
            kind = (float, np.float64, np.array)[(k + i + n) % 3]
            ways = in_turn(ways_of(n), k + i, count)
            found += disagreements(case, case.points[i], n, ways, derivatives[n - 1, i], kind)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name", [name for k, name in enumerate(CASES) if k % 2 or not of_scipy(CASES[name].row) or EVERY_WAY]
)
def test_compiled_ways_agree(name: str) -> None:
    """One way for a row, on all its points at once or as a number on one of them."""
    case, k = CASES[name], list(CASES).index(name)
    derivatives, finite = expected(name)
    known = np.flatnonzero(finite)
    if not known.size:
        return
    n = 3 if k % 6 == 5 and not of_scipy(case.row) else 2
    ways = in_turn(ways_of(n, jit=True), k)
    if k % 4 > 1:
        i = known[k // 4 % len(known)]
        found = disagreements(case, case.points[i], n, ways, derivatives[n - 1, i])
    else:
        found = disagreements(case, [case.points[i] for i in known], n, ways, derivatives[n - 1, finite])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", CASES)
def test_infinite_derivatives_are_the_same_by_every_way(name: str) -> None:
    """The first that is infinite has its sign by every way, and no way has a finite one above it."""
    case, k = CASES[name], list(CASES).index(name)
    derivatives, finite = expected(name)
    found = []
    for i in np.flatnonzero(~finite):
        n = int(np.flatnonzero(~np.isfinite(derivatives[:, i]))[0]) + 1
        if n > 3 or np.isnan(derivatives[n - 1, i]):  # outside of the domain
            continue
        for m in range(1, n + 1):
            found += disagreements(case, case.points[i], m, in_turn(ways_of(m), k, 9), derivatives[m - 1, i])
        for way, made in in_turn(ways_of(n + 1), k, 6).items():
            with np.errstate(all="ignore"):
                above = made(case.function(case.points[i]), n + 1)(case.start(case.points[i]))
            if np.isfinite(above):
                found.append(f"n = {n + 1} at {case.points[i]}: {way}: {above}, which is finite")
    assert not found, "\n".join(found)


PAIRS = [
    row for row in ROWS
    if row.ufunc.nin == 2 and all(f"{row.name} along {d}" in CASES for d in DIRECTIONS[:2]) and row.ufunc.nout == 1
]  # fmt: skip


@pytest.mark.parametrize("row", PAIRS, ids=lambda row: row.name)
def test_mixed_partial_derivatives_agree(row: Any) -> None:
    """∂²f/∂x∂y from ∂² along (1, −¾), x and y."""
    (dxx, finite_x), (dyy, finite_y), (dvv, finite_v) = (
        expected(f"{row.name} along {d}") for d in (DIRECTIONS[0], DIRECTIONS[1], DIRECTIONS[3])
    )
    case = CASES[f"{row.name} along {DIRECTIONS[0]}"]
    known = finite_x & finite_y & finite_v
    if row.kink is not None:
        known &= ~row.kink(*case.arguments(case.points))
    if not np.any(known):
        return
    (v, w) = DIRECTIONS[3]
    mixed = ((dvv - v * v * dxx - w * w * dyy) / (2 * v * w))[1, known]
    xs = case.arguments([p for p, k in zip(case.points, known, strict=True) if k])
    ways = in_turn(dict(mixed_partials()), PAIRS.index(row), 9)
    computed = {way: lambda made=made: made(case.call)(*xs) for way, made in ways.items()}
    found = differences(computed, mixed, 1e-8, elementwise=True)
    assert not found, f"at {xs}:\n" + "\n".join(found)


# ── the engine tells right from wrong ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "expected", "right"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.0 + 1e-6, False),
        (np.inf, np.inf, True),
        (-np.inf, np.inf, False),
        (np.nan, np.inf, False),
        (np.nan, np.nan, True),
        (0.0, np.nan, False),
        ([1.0, np.nan], [1.0, 2.0], False),
        ([1.0], 1.0, False),
    ],
)
def test_differences_are_found(given: Any, expected: Any, right: bool) -> None:
    assert (not differences({"a way": lambda: given}, expected)) is right
    assert (not differences({"a way": lambda: given}, expected, elementwise=True)) is right


def test_what_raises_differs() -> None:
    assert differences({"a way": lambda: 1 / 0, "another": lambda: 2.0}, 2.0) == [
        "a way: ZeroDivisionError: division by zero"
    ]
