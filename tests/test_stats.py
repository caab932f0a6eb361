"""dualnum.stats against SciPy's values, mpmath's derivatives in 50 digits, and itself by every way to a derivative."""

import doctest
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

import dualnum as dn
from dualnum import stats

ss = pytest.importorskip("scipy.stats")

INF = np.inf
SHAPES = {
    "norm": (), "expon": (), "uniform": (), "lognorm": (0.7,), "gamma": (2.3,), "beta": (0.6, 2.2), "t": (3.5,),
}  # fmt: skip
COUNTING = {"poisson": (2.5,), "binom": (10, 0.3)}
X = np.array([-INF, -30, -1.0, -0.2, 0, 1e-9, 0.25, 0.5, 0.9, 1, 1.5, 4, 30, 1e10, INF, np.nan])
Q = np.array([0, 1e-20, 0.1, 0.5, 0.9, 1, 1.1, -0.1, np.nan])


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def close(y, z, rtol=1e-12):
    np.testing.assert_allclose(y, z, rtol=rtol, atol=0)


# ── values ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kwargs", [{}, {"loc": 0.2, "scale": 1.3}], ids=["standard", "placed"])
def test_values_are_scipys(name, kwargs):
    family, theirs, shapes = getattr(stats, name), getattr(ss, name), SHAPES[name]
    for method in family.methods[:8]:
        x = Q if method in ("ppf", "isf") else X[X < INF] if name == "gamma" else X  # whose density SciPy has NaN at ∞
        close(getattr(family, method)(x, *shapes, **kwargs), getattr(theirs, method)(x, *shapes, **kwargs))
    for method in family.methods[8:]:
        close(getattr(family, method)(*shapes, **kwargs), getattr(theirs, method)(*shapes, **kwargs))


@pytest.mark.parametrize("name", COUNTING)
def test_values_of_discrete_distributions_are_scipys(name):
    family, theirs, shapes = getattr(stats, name), getattr(ss, name), COUNTING[name]
    k = np.array([-1, 0, 0.5, 1, 3, 9, 10, 11, np.nan])
    for loc in (0, 2):
        for method in family.methods[:6]:
            close(getattr(family, method)(k, *shapes, loc=loc), getattr(theirs, method)(k, *shapes, loc=loc), 1e-10)
        for method in family.methods[6:]:
            close(getattr(family, method)(*shapes, loc=loc), getattr(theirs, method)(*shapes, loc=loc))


@pytest.mark.parametrize("name", [*SHAPES, *COUNTING])
def test_wrong_parameters_give_nan_in_their_own_element(name):
    family, shapes = getattr(stats, name), (SHAPES | COUNTING)[name]
    if shapes:
        first = np.array([shapes[0], -1.0])
        y = family.cdf(1.0, first, *shapes[1:])
        assert np.isfinite(y[0]) and np.isnan(y[1])
        assert np.isnan(family.mean(-1.0, *shapes[1:]))
    if name in SHAPES:
        y = family.logpdf(0.5, *shapes, scale=np.array([1.0, 0.0, -1.0]))
        assert np.isfinite(y[0]) and np.isnan(y[1:]).all()


@pytest.mark.parametrize("name", [*SHAPES, *COUNTING])
def test_single_precision_stays(name):
    family, shapes = getattr(stats, name), (SHAPES | COUNTING)[name]
    x = np.array([0.0, 1.0, 3.0], np.float32)
    for method in family.methods[:6]:
        y = getattr(family, method)(x, *shapes)
        assert y.dtype == np.float32, method
        close(y, getattr(family, method)(x.astype(float), *shapes), 1e-4)
    assert family.mean(*(np.float32(s) for s in shapes)).dtype == (np.float32 if shapes else float)


def test_infinite_degrees_of_freedom_are_the_normal_distribution():
    x = np.array([-2.0, 0.3])
    for method in ("logpdf", "cdf", "logsf"):
        close(getattr(stats.t, method)(x, INF), getattr(stats.norm, method)(x), 1e-15)
    assert stats.t.var(INF) == 1.0 and stats.t.ppf(0.3, INF) == stats.norm.ppf(0.3)


# ── derivatives ──────────────────────────────────────────────────────────────────────────────────

LOG_DENSITIES = {
    "norm": lambda z: -z * z / 2 - mp.log(2 * mp.pi) / 2,
    "expon": lambda z: -z,
    "uniform": lambda z: 0 * z,
    "lognorm": lambda z, s: -((mp.log(z) / s) ** 2) / 2 - mp.log(s * z) - mp.log(2 * mp.pi) / 2,
    "gamma": lambda z, a: (a - 1) * mp.log(z) - z - mp.loggamma(a),
    "beta": lambda z, a, b: (a - 1) * mp.log(z) + (b - 1) * mp.log(1 - z) - mp.log(mp.beta(a, b)),
    "t": lambda z, v: mp.loggamma((v + 1) / 2) - mp.loggamma(v / 2) - mp.log(mp.pi * v) / 2
    - (v + 1) / 2 * mp.log(1 + z * z / v),
}  # fmt: skip
UPPER = {
    "norm": lambda z: mp.erfc(z / mp.sqrt(2)) / 2,
    "expon": lambda z: mp.exp(-z),
    "uniform": lambda z: 1 - z,
    "lognorm": lambda z, s: mp.erfc(mp.log(z) / s / mp.sqrt(2)) / 2,
    "gamma": lambda z, a: mp.gammainc(a, z, mp.inf, regularized=True),
    "beta": lambda z, a, b: mp.betainc(a, b, z, 1, regularized=True),
    "t": lambda z, v: mp.betainc(v / 2, mp.mpf(1) / 2, 0, v / (v + z * z), regularized=True) / 2,
}
POINTS = {"uniform": (0.3,), "beta": (1e-6, 0.3, 0.9)}  # standard; of the others these
TAILS = (0.1, 1.5, 6.0, 35.0)


def exact(f, arguments, i):
    """Derivatives 1 and 2 by argument i, in 50 digits."""
    arguments = [mp.mpf(float(x)) for x in arguments]

    def along(x):
        return f(*arguments[:i], x, *arguments[i + 1 :])

    return [float(mp.diff(along, arguments[i], k, h=mp.mpf(10) ** -15)) for k in (1, 2)]


def placed(f, *, log=False):
    """A standard formula with loc and scale at the end."""

    def g(x, *parameters):
        *shapes, loc, scale = parameters
        y = f((x - loc) / scale, *shapes)
        return y - mp.log(scale) if log else y

    return g


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("loc, scale", [(0.0, 1.0), (0.25, 1.5)])
def test_log_densities_by_every_argument(name, loc, scale):
    f = placed(LOG_DENSITIES[name], log=True)
    with mpmath.workdps(50):
        for z in POINTS.get(name, TAILS):
            arguments = (loc + scale * z, *SHAPES[name], loc, scale)
            for i in range(len(arguments)):
                for k, its in enumerate(exact(f, arguments, i), 1):
                    one = lambda x, i=i: getattr(stats, name).logpdf(*arguments[:i], x, *arguments[i + 1 :])  # noqa: E731, B023
                    np.testing.assert_allclose(dn.derivative(one, k)(arguments[i]), its, rtol=2e-13, atol=2e-14)
                    if k == 1:
                        np.testing.assert_allclose(dn.grad(one)(arguments[i]), its, rtol=2e-13, atol=2e-14)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("method", ["cdf", "sf", "logcdf", "logsf", "pdf"])
def test_probabilities_by_the_point_loc_and_scale(name, method):
    loc, scale, shapes = 0.25, 1.5, SHAPES[name]
    upper = placed(UPPER[name])
    forms = {
        "cdf": lambda *a: 1 - upper(*a), "sf": upper, "logcdf": lambda *a: mp.log(1 - upper(*a)),
        "logsf": lambda *a: mp.log(upper(*a)), "pdf": lambda *a: mp.exp(placed(LOG_DENSITIES[name], log=True)(*a)),
    }  # fmt: skip
    with mpmath.workdps(50):
        for z in POINTS.get(name, TAILS[:3]):
            arguments = (loc + scale * z, *shapes, loc, scale)
            for i in (0, len(arguments) - 2, len(arguments) - 1):
                for k, its in enumerate(exact(forms[method], arguments, i), 1):
                    one = lambda x, i=i: getattr(getattr(stats, name), method)(*arguments[:i], x, *arguments[i + 1 :])  # noqa: E731, B023
                    np.testing.assert_allclose(dn.derivative(one, k)(arguments[i]), its, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("q", [1e-30, 1e-3, 0.2, 0.5, 0.95])
def test_quantiles_by_the_inverse_function_theorem(name, q):
    """x' = 1/f(x), x'' = −f'(x)/f(x)³ in 50 digits at SciPy's quantile."""
    shapes, family = SHAPES[name], getattr(stats, name)
    for method, sign in (("ppf", 1), ("isf", -1)):
        z = getattr(family, method)(q, *shapes)
        assert dn.jit(getattr(family, method))(q, *shapes) == pytest.approx(z, rel=1e-14)
        with mpmath.workdps(50):
            if name == "beta" and not 0 < z < 1 - 1e-6:  # rounded beyond recognition
                continue
            f = lambda x: mp.exp(LOG_DENSITIES[name](x, *map(mp.mpf, shapes)))  # noqa: E731
            at = mp.mpf(float(z))
            first = sign / f(at)
            second = -mp.diff(f, at, h=at * mp.mpf(10) ** -15 if at else mp.mpf(10) ** -15) / f(at) ** 3
            expected = [float(first), float(second)]
        # the quantile itself is rounded, which the density magnifies
        rtol = 1e-12 if name != "beta" or method == "ppf" else 1e-9
        for k in (1, 2):
            got = dn.derivative(lambda q: getattr(family, method)(q, *shapes), k)(q)  # noqa: B023
            np.testing.assert_allclose(got, expected[k - 1], rtol=rtol, atol=1e-13)
        slope = dn.grad(getattr(family, method), argnums=len(shapes) + 2)(q, *shapes, 0.5, 2.0)
        np.testing.assert_allclose(slope, z, rtol=1e-13)


def test_the_far_tail_of_students_quantile():
    """Where SciPy's stdtrit gives the other sign of infinity."""
    x = stats.t.ppf(1e-300, 2.5)
    close(ss.t.cdf(x, 2.5), 1e-300)
    close(dn.derivative(lambda q: np.log(-stats.t.ppf(q, 2.5)))(1e-150), -1 / 2.5 / 1e-150)


WAYS = {
    "norm.logpdf": (stats.norm.logpdf, (0.3, 0.1, 1.4)),
    "norm.logsf": (stats.norm.logsf, (3.3, 0.1, 1.4)),
    "lognorm.logpdf": (stats.lognorm.logpdf, (0.8, 0.7, 0.1, 1.4)),
    "expon.logcdf": (stats.expon.logcdf, (0.8, 0.1, 1.4)),
    "uniform.logpdf": (stats.uniform.logpdf, (0.8, 0.1, 1.4)),
    "gamma.logpdf": (stats.gamma.logpdf, (0.8, 2.3, 0.1, 1.4)),
    "gamma.pdf": (stats.gamma.pdf, (0.8, 2.3, 0.1, 1.4)),
    "gamma.logcdf": (lambda x, loc, scale: stats.gamma.logcdf(x, 2.3, loc, scale), (0.8, 0.1, 1.4)),
    "gamma.ppf": (lambda q, loc, scale: stats.gamma.ppf(q, 2.3, loc, scale), (0.8, 0.1, 1.4)),
    "beta.pdf": (stats.beta.pdf, (0.8, 2.3, 0.7, 0.1, 1.4)),
    "beta.cdf": (lambda x: stats.beta.cdf(x, 2.3, 0.7), (0.8,)),
    "beta.isf": (lambda q: stats.beta.isf(q, 2.3, 0.7), (0.8,)),
    "t.logpdf": (stats.t.logpdf, (0.8, 2.3, 0.1, 1.4)),
    "t.cdf": (lambda x: stats.t.cdf(x, 2.3), (0.8,)),
    "t.ppf": (lambda q: stats.t.ppf(q, 2.3), (0.8,)),
    "poisson.logpmf": (lambda mu: stats.poisson.logpmf(np.arange(4), mu), (2.5,)),
    "poisson.pmf": (lambda mu: stats.poisson.pmf(np.arange(4), mu), (2.5,)),
    "poisson.cdf": (lambda mu: stats.poisson.cdf(np.arange(-1, 4), mu), (2.5,)),
    "poisson.entropy": (stats.poisson.entropy, (2.5,)),
    "binom.logpmf": (lambda p: stats.binom.logpmf(np.arange(-1, 6), 4, p)[1:-1], (0.3,)),
    "binom.sf": (lambda p: stats.binom.logsf(np.arange(-1, 4), 4, p), (0.3,)),
    "binom.entropy": (lambda p: stats.binom.entropy(4, p), (0.3,)),
    "lognorm.var": (stats.lognorm.var, (0.5, 0.1, 1.4)),
    "gamma.entropy": (stats.gamma.entropy, (2.5, 0.1, 1.4)),
    "beta.entropy": (stats.beta.entropy, (2.5, 0.7, 0.1, 1.4)),
    "t.entropy": (stats.t.entropy, (2.5, 0.1, 1.4)),
    "t.var": (stats.t.var, (2.5, 0.1, 1.4)),
}


@pytest.mark.parametrize("name", WAYS)
def test_derivatives_by_every_way(name):
    f, arguments = WAYS[name]
    dn.testing.check_derivatives(lambda xs: f(*xs), arguments, 2, jit=name.endswith("pdf"))


@pytest.mark.parametrize("name", [*SHAPES, *COUNTING])
def test_jit_gives_the_same(name):
    family, shapes = getattr(stats, name), (SHAPES | COUNTING)[name]
    x = np.array([-1.0, 0.0, 0.5, 1.0, 4.0])
    for method in family.methods[:6]:
        f = getattr(family, method)
        close(dn.jit(f)(x, *shapes), f(x, *shapes), 1e-14)
        if name in SHAPES:
            slope = dn.derivative(f)
            np.testing.assert_allclose(dn.jit(slope)(x, *shapes), slope(x, *shapes), rtol=1e-13)


@pytest.mark.parametrize("name, outside", [("expon", -0.5), ("uniform", 1.5), ("gamma", -0.5), ("beta", 1.5),
                                           ("lognorm", -0.5), ("lognorm", 0.0)])  # fmt: skip
def test_outside_of_the_support_nothing_moves(name, outside):
    family, shapes = getattr(stats, name), SHAPES[name]
    for method, value in (("pdf", 0.0), ("logpdf", -INF), ("cdf", None), ("sf", None), ("logcdf", None)):
        f = lambda *a: getattr(family, method)(*a)  # noqa: E731, B023
        arguments = (outside, *shapes, 0.0, 1.0)
        moving = (0, len(arguments) - 2, len(arguments) - 1)
        if value is not None:
            assert f(*arguments) == value
            moving = range(len(arguments))
        for gradient in (dn.grad(f, argnums=tuple(moving)), dn.jit(dn.grad(f, argnums=tuple(moving)))):
            np.testing.assert_array_equal(gradient(*arguments), 0.0)
        np.testing.assert_array_equal(dn.derivative(f, 2)(*arguments), 0.0)


@pytest.mark.parametrize(
    "f, x, expected",
    [
        (stats.expon.pdf, 0.0, [1.0, -1.0, 1.0]),
        (stats.expon.cdf, 0.0, [0.0, 1.0, -1.0]),
        (stats.uniform.cdf, 1.0, [1.0, 1.0, 0.0]),
        (stats.uniform.logpdf, 0.0, [0.0, 0.0, 0.0]),
        (lambda x: stats.gamma.pdf(x, 1.0), 0.0, [1.0, -1.0, 1.0]),
        (lambda x: stats.gamma.pdf(x, 2.0), 0.0, [0.0, 1.0, -2.0]),
        (lambda x: stats.gamma.pdf(x, 3.0), 0.0, [0.0, 0.0, 1.0]),
        (lambda x: stats.gamma.logpdf(x, 1.0), 0.0, [0.0, -1.0, 0.0]),
        (lambda x: stats.gamma.cdf(x, 2.0), 0.0, [0.0, 0.0, 1.0]),
        (lambda x: stats.beta.pdf(x, 2.0, 2.0), 0.0, [0.0, 6.0, -12.0]),
        (lambda x: stats.beta.pdf(x, 2.0, 2.0), 1.0, [0.0, -6.0, -12.0]),
        (lambda x: stats.beta.logpdf(x, 1.0, 1.0), 0.0, [0.0, 0.0, 0.0]),
        (lambda x: stats.beta.logpdf(x, 1.0, 3.0), 0.0, [np.log(3), -2.0, -2.0]),
        (lambda x: stats.lognorm.cdf(x, 0.5), 0.0, [0.0, 0.0, 0.0]),
        (lambda mu: stats.poisson.pmf(1, mu), 0.0, [0.0, 1.0, -2.0]),
        (lambda mu: stats.poisson.pmf(0, mu), 0.0, [1.0, -1.0, 1.0]),
        (lambda mu: stats.poisson.logpmf(0, mu), 0.0, [0.0, -1.0, 0.0]),
        (lambda p: stats.binom.pmf(1, 3, p), 0.0, [0.0, 3.0, -12.0]),
        (lambda p: stats.binom.pmf(3, 3, p), 1.0, [1.0, 3.0, 6.0]),
        (lambda p: stats.binom.logpmf(0, 3, p), 0.0, [0.0, -3.0, -3.0]),
        (lambda q: stats.expon.ppf(q), 0.0, [0.0, 1.0, 1.0]),
        (lambda x: stats.norm.logpdf(x), 1e200, [-INF, -1e200, -1.0]),
    ],
)
def test_at_the_edges(f, x, expected):
    series = dn.taylor(f, 2)(x) * np.array([1, 1, 2])
    np.testing.assert_allclose(series, expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dn.grad(f)(x), expected[1], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dn.grad(dn.grad(f))(x), expected[2], rtol=1e-14, atol=1e-15)


def test_the_far_tails_in_logarithms():
    with mpmath.workdps(60):
        hazard = float(mp.npdf(40) / (mp.erfc(40 / mp.sqrt(2)) / 2))
    close(dn.grad(stats.norm.logsf)(40.0), -hazard, 1e-14)
    close(dn.grad(stats.norm.logcdf)(-40.0), hazard, 1e-14)
    assert dn.grad(stats.expon.logsf)(1e5) == -1.0
    close(dn.grad(stats.t.logpdf)(1e200, 3.0), -4e-200, 1e-14)


# ── hypothesis ───────────────────────────────────────────────────────────────────────────────────

positive = st.floats(0.05, 30.0)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.floats(0.001, 0.999), positive, positive, positive)
def test_the_slope_of_cdf_is_pdf_and_of_ppf_its_inverse(name, q, one, other, scale):
    loc, family, shapes = 0.0, getattr(stats, name), (one, other)[: len(SHAPES[name])]
    x = family.ppf(q, *shapes, loc, scale)
    if name in ("beta", "gamma") and min(shapes) < 0.3:
        return  # the quantile may lie on the edge of the support
    density = family.pdf(x, *shapes, loc, scale)
    close(dn.grad(family.cdf)(x, *shapes, loc, scale), density, 1e-8)
    close(dn.grad(family.sf)(x, *shapes, loc, scale), -density, 1e-8)
    close(dn.grad(family.ppf)(q, *shapes, loc, scale) * density, 1.0, 1e-6)
    close(np.exp(family.logpdf(x, *shapes, loc, scale)), density, 1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), positive, st.floats(0.01, 0.99))
def test_the_slopes_of_discrete_distributions(k, mu, p):
    """∂_μ P(K ≤ k) = −P(K = k), and ∂_p of the binomial one −n P'(K' = k) for n − 1 (Johnson, Kemp & Kotz)."""
    close(dn.grad(lambda mu: stats.poisson.cdf(k, mu))(mu), -stats.poisson.pmf(k, mu), 1e-10)
    n = 41
    close(dn.grad(lambda p: stats.binom.cdf(k, n, p))(p), -n * stats.binom.pmf(k, n - 1, p), 1e-9)


# ── misuse, and the rest ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: dn.grad(lambda a: stats.gamma.cdf(1.0, a))(2.0), dn.NotDifferentiable, "argument a"),
        (lambda: dn.grad(lambda a: stats.beta.ppf(0.3, a, 1.0))(2.0), dn.NotDifferentiable, "argument a"),
        (lambda: dn.grad(lambda df: stats.t.sf(0.3, df))(2.0), dn.NotDifferentiable, "argument df"),
        (lambda: dn.grad(lambda k: stats.poisson.logpmf(k, 2.0))(1.0), dn.NotDifferentiable, r"k\.value"),
        (lambda: dn.grad(lambda n: stats.binom.logpmf(1, n, 0.2))(3.0), dn.NotDifferentiable, r"n\.value"),
        (lambda: stats.poisson.ppf(0.3, 2.0), dn.NoAttribute, "scipy.stats.poisson.ppf has its values"),
        (lambda: stats.norm.fit(np.ones(3)), dn.NoAttribute, "norm has no fit; it has pdf"),
        (lambda: stats.gamma.logpdf(1.0), dn.InvalidType, "a is not given; expected a, loc, scale"),
        (lambda: stats.norm.logpdf(1.0, 2.0, 3.0, 4.0), dn.InvalidType, "3 parameters are given"),
        (lambda: stats.norm.logpdf(1.0, 2.0, loc=3.0), dn.InvalidType, "loc is given twice"),
        (lambda: stats.norm.logpdf(1.0, sigma=3.0), dn.InvalidType, "sigma is no parameter"),
        (lambda: stats.norm.logpdf(1j), dn.InvalidType, "expected real numbers"),
        (lambda: stats.norm(1.0).fit, dn.NoAttribute, "norm has no fit"),
        (lambda: stats.norm(1.0)._parameters, dn.NoAttribute, "no method _parameters"),
    ],
)
def test_misuse_is_explained(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_frozen_distributions():
    frozen = stats.gamma(2.3, scale=1.5)
    assert repr(frozen) == "gamma(2.3, scale=1.5)" and "logpdf" in dir(frozen)
    x = np.array([0.3, 2.0])
    np.testing.assert_array_equal(frozen.logpdf(x), stats.gamma.logpdf(x, 2.3, 0.0, 1.5))
    assert frozen.mean() == stats.gamma.mean(2.3, scale=1.5)
    close(dn.grad(lambda s: stats.norm(0.0, s).logpdf(1.5))(2.0), (1.5**2 / 4 - 1) / 2, 1e-14)
    assert pickle.loads(pickle.dumps(frozen.args)) == (2.3,)


@pytest.mark.parametrize("name", [*SHAPES, *COUNTING])
def test_the_example_of_a_distribution(name):
    family = getattr(stats, name)
    test = doctest.DocTestParser().get_doctest(family.__doc__, {"dn": dn, "np": np}, name, None, None)
    flags = doctest.NORMALIZE_WHITESPACE
    checker = __import__("_pytest.doctest", fromlist=["_get_checker"])._get_checker()
    from _pytest.doctest import _get_number_flag

    runner = doctest.DocTestRunner(checker=checker, optionflags=flags | _get_number_flag(), verbose=False)
    assert test.examples and runner.run(test).failed == 0
    for shape in (*family.shapes, "loc"):
        assert f"    {shape}: " in family.__doc__
