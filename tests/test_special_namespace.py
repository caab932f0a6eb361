"""dualnum.special against SciPy, mpmath, and itself by every way to a derivative."""

import inspect

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dualnum as dn
from dualnum import special

sp = pytest.importorskip("scipy.special")

rng = np.random.default_rng(3)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
WEIGHTS = np.abs(B[:2]) + 0.5 - A[:2] ** 2 / 9
INF = np.inf


def test_the_table_has_a_row_for_each_function():
    rows = [
        line.split("`")[1] for line in inspect.getdoc(special).splitlines() if line.startswith("`") and "  " in line
    ]
    assert sorted(rows) == special.__all__


def test_ufuncs_of_scipy_stand_under_their_names():
    assert special.erf is sp.erf
    with pytest.raises(AttributeError, match="it has comb"):
        special.spherical_jn  # noqa: B018  no ufunc


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────

ARGUMENTS = [
    {},
    {"axis": 0},
    {"axis": (0, 1), "keepdims": True},
    {"axis": 1, "b": B, "return_sign": True},
    {"b": B, "axis": 0},
    {"b": np.abs(B[:1]), "axis": -1},
]


@pytest.mark.parametrize("kwargs", ARGUMENTS, ids=str)
@pytest.mark.parametrize("a", [A, A + 1j * B, A.astype(np.float32), A[::-1, ::2]], ids=["f8", "c16", "f4", "strided"])
def test_logsumexp_is_scipys(kwargs, a):
    if "b" in kwargs:
        kwargs = kwargs | {"b": kwargs["b"][:, : a.shape[1]].astype(a.real.dtype)}
    given, expected = special.logsumexp(a, **kwargs), sp.logsumexp(a, **kwargs)
    if not isinstance(expected, tuple):
        given, expected = (given,), (expected,)
    for y, z in zip(given, expected, strict=True):
        assert np.shape(y) == np.shape(z) and np.asarray(y).dtype == np.asarray(z).dtype
        np.testing.assert_allclose(y, z, rtol=20 * np.finfo(a.dtype).eps)


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("a", [A, A + 1j * B, A.astype(np.float32), A * 1000], ids=["f8", "c16", "f4", "large"])
def test_softmax_is_scipys(function, axis, a):
    y, z = getattr(special, function)(a, axis), getattr(sp, function)(a, axis)
    assert y.dtype == z.dtype
    np.testing.assert_allclose(y, z, rtol=20 * np.finfo(a.dtype).eps, atol=20 * np.finfo(a.dtype).eps)


PROGRAMS = {
    "logsumexp": (special.logsumexp, A),
    "ties": (lambda x: special.logsumexp(x, axis=1), np.zeros((2, 3))),
    "weights": (
        lambda ab: special.logsumexp(ab[0], axis=1, b=ab[1], return_sign=True)[0],
        (A[:2], np.abs(B[:2]) + 0.5 - A[:2] ** 2 / 9),
    ),
    "cancelled": (lambda x: special.logsumexp(x, b=[2.0, -2.0, 1.0]), np.array([1.0, 1.0, 0.5])),
    "softmax": (lambda x: special.softmax(x, axis=1), A),
    "log_softmax": (lambda x: special.log_softmax(x, axis=0), A),
    "softplus": (special.softplus, A * 10),
    "polygamma": (lambda x: special.polygamma(2, x), np.abs(A) + 0.5),
    "orders": (lambda x: special.polygamma(np.array([0, 1, 2, 3]), x), np.abs(A) + 0.5),
    "multigammaln": (lambda x: special.multigammaln(x, 3), np.abs(A) + 1.5),
    "factorial": (special.factorial, np.abs(A) + 0.5),
    "comb": (lambda x: special.comb(*x), (np.abs(A[0]) + 5, np.abs(B[0]) + 0.3)),
    "repetition": (lambda x: special.comb(*x, repetition=True), (np.abs(A[0]) + 5, np.abs(B[0]) + 0.3)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_by_every_way(name):
    f, x = PROGRAMS[name]
    dn.testing.check_derivatives(f, x, 2, jit=True)


@pytest.mark.parametrize(
    "a, value, gradient",
    [
        ([-INF, -INF], -INF, [0.5, 0.5]),
        ([-INF, 1.0], 1.0, [0.0, 1.0]),
        ([INF, 0.0], INF, [1.0, 0.0]),
        ([INF, -INF, INF], INF, [0.5, 0.0, 0.5]),
        ([1e308, 1e308], 1e308, [0.5, 0.5]),
        ([-1e308, -1e308, 0.0], 0.0, [0.0, 0.0, 1.0]),
        ([3.0, 3.0, 3.0], 3 + np.log(3), [1 / 3] * 3),
    ],
    ids=str,
)
def test_infinities_ties_and_huge_terms(a, value, gradient):
    a = np.array(a)
    for f in (special.logsumexp, dn.jit(special.logsumexp)):
        np.testing.assert_allclose(f(a), value, rtol=1e-15)
    for slope in (dn.grad(special.logsumexp), dn.jacfwd(special.logsumexp), dn.jit(dn.grad(special.logsumexp))):
        np.testing.assert_allclose(slope(a), gradient, rtol=1e-15)
    g = np.array(gradient)
    np.testing.assert_allclose(dn.hessian(special.logsumexp)(a), np.diag(g) - np.outer(g, g), atol=1e-15)


def test_what_is_masked_out_has_no_derivative():
    masked = lambda x: special.logsumexp(np.where(x > 0, x, -INF))  # noqa: E731
    np.testing.assert_array_equal(dn.grad(masked)(np.array([-1.0, -2.0])), 0.0)
    weighted = lambda x: special.logsumexp(x, b=np.array([0.0, 0.0]))  # noqa: E731
    assert weighted(np.array([1.0, INF])) == -INF
    np.testing.assert_array_equal(dn.grad(weighted)(np.array([1.0, 2.0])), 0.0)
    one = lambda x: special.logsumexp(x, b=np.array([0.0, 1.0]))  # noqa: E731
    np.testing.assert_array_equal(dn.grad(one)(np.array([INF, 2.0])), [0.0, 1.0])


def test_a_weight_that_varies_has_a_derivative_at_zero():
    by_weight = dn.grad(lambda b: special.logsumexp(np.array([0.5, 1.0]), b=b))(np.array([0.0, 2.0]))
    np.testing.assert_allclose(by_weight, [np.exp(-0.5) / 2, 0.5], rtol=1e-15)


def test_an_empty_sum():
    assert special.logsumexp(np.zeros(0)) == -INF
    assert special.logsumexp(np.zeros((2, 0)), axis=1).shape == (2,)
    assert special.softmax(np.zeros((2, 0)), axis=0).shape == (2, 0)


def test_a_negative_sum_gives_nan_as_scipys():
    assert np.isnan(special.logsumexp([0.0, 1.0], b=[1.0, -1.0]))
    assert special.logsumexp([0.0, 1.0], b=[1.0, -1.0], return_sign=True)[1] == -1


@pytest.mark.parametrize("a", [[0.0, -40.0], [-0.5, -0.5 - 1e-9, 700.0], [5.0, 4.0, -700.0], [1e-300, -60.0]], ids=str)
def test_logsumexp_and_softmax_against_mpmath(a):
    with mpmath.workdps(400):
        terms = [mpmath.exp(mpmath.mpf(x)) for x in a]
        total = sum(terms)
        log, shares = float(mpmath.log(total)), [float(t / total) for t in terms]
        logs = [float(mpmath.log(t / total)) for t in terms]
    a = np.array(a)
    np.testing.assert_allclose(special.logsumexp(a), log, rtol=1e-15)
    np.testing.assert_allclose(dn.grad(special.logsumexp)(a), shares, rtol=4e-16 + 2e-16 * np.ptp(a))
    np.testing.assert_allclose(special.softmax(a), shares, rtol=4e-16 + 2e-16 * np.ptp(a))
    np.testing.assert_allclose(special.log_softmax(a), logs, rtol=4e-16 + 2e-16 * np.ptp(a))


@settings(max_examples=50, deadline=None)
@given(arrays(float, st.integers(1, 5), elements=st.floats(-700, 700)))
def test_the_gradient_is_the_softmax(a):
    np.testing.assert_allclose(dn.grad(special.logsumexp)(a), special.softmax(a), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("function", [special.logsumexp, special.softmax, special.log_softmax, special.softplus])
def test_single_precision_stays(function):
    x = A.astype(np.float32)
    assert function(x).dtype == np.float32
    assert dn.derivative(function)(x).dtype == np.float32
    assert dn.jit(function)(x).dtype == np.float32


def test_complex_logsumexp():
    f = lambda z: special.logsumexp(z, axis=1)  # noqa: E731
    z = A + 1j * B
    np.testing.assert_allclose(dn.jvp(f, (z,), (B + 0j,))[1], np.sum(special.softmax(z, 1) * B, axis=1), rtol=1e-14)


# ── the gamma function's kin ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("x", [0.3, 1.0, 7.5, 120.0])
def test_polygamma_against_mpmath(n, x):
    with mpmath.workdps(50):
        exact = [float(mpmath.polygamma(n + k, x)) for k in range(4)]
    np.testing.assert_allclose(special.polygamma(n, x), sp.polygamma(n, x), rtol=1e-14)
    for k in range(1, 4):
        np.testing.assert_allclose(dn.derivative(lambda x: special.polygamma(n, x), k)(x), exact[k], rtol=1e-13)


def test_polygamma_refuses():
    with pytest.raises(dn.InvalidType, match=r"n\.value"):
        special.polygamma(dn.jet(1.0), 0.5)
    with pytest.raises(dn.InvalidValue, match="expected integers"):
        special.polygamma(1.5, 0.5)


def test_multigammaln_factorial_comb_are_scipys():
    a = np.abs(A) + 3
    np.testing.assert_allclose(special.multigammaln(a, 4), sp.multigammaln(a, 4), rtol=1e-14)
    n = np.array([-1.5, -1, 0, 0.5, 3, 10])
    np.testing.assert_allclose(special.factorial(n), sp.factorial(n), rtol=1e-15)
    np.testing.assert_allclose(special.factorial(n[[0, 3]], extend="complex"), sp.gamma(n[[0, 3]] + 1), rtol=1e-15)
    N, k = np.meshgrid([0.0, 1, 5, 7.5, -1], [-1.0, 0, 0.5, 2, 5, 6])
    np.testing.assert_allclose(special.comb(N, k), sp.comb(N, k), rtol=1e-14)
    N, k = N[1:, :4], k[1:, :4]  # of what is negative SciPy makes NaN here
    np.testing.assert_allclose(special.comb(N, k, repetition=True), sp.comb(N, k, repetition=True), rtol=1e-14)
    assert special.comb(60, 30, exact=True) == sp.comb(60, 30, exact=True)
    assert special.factorial(25, exact=True) == sp.factorial(25, exact=True)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: special.multigammaln(1.0, 3), "expected d ≥ 1"),
        (lambda: special.multigammaln(5.0, 1.5), "expected an integer"),
        (lambda: special.factorial(3.0, extend="x"), "'zero' or 'complex'"),
        (lambda: special.factorial(dn.jet(3.0), exact=True), "leave it out"),
        (lambda: special.comb(dn.jet(3.0), 2, exact=True), "leave it out"),
    ],
)
def test_misuse_is_explained(call, error):
    with pytest.raises(dn.DualnumError, match=error):
        call()


@pytest.mark.parametrize("name, x", [("factorial", 2.5), ("comb", 7.5)])
def test_outside_of_their_domain_they_are_constant(name, x):
    f = special.factorial if name == "factorial" else lambda n: special.comb(n, 2.0)
    assert dn.grad(f)(-x) == 0.0 and dn.derivative(f, 2)(-x) == 0.0
    assert dn.jit(dn.grad(f))(-x) == 0.0
