"""Sums, products, statistics, norms, einsum, signals and polynomials: the hard points and the arguments.

That values and derivatives are right at generic points is in test_coverage.py.
"""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_allclose, assert_array_equal
from oracle import coefficients, edge_grid, jet_of, worst

import dualnum as dn
from dualnum import errors, jet

A = np.array([[0.5, -1.2, 2.0], [1.5, 0.7, -0.4]])
V = np.array([[1.0, 0.3, -0.6], [-0.2, 0.9, 0.4]])


def taylor(f: Callable[[Any], Any], x: Any, v: Any, order: int) -> np.ndarray:
    """The coefficients of f(x + t v) for f made of +, − and × on object arrays, by exact polynomials."""
    t = np.empty(np.shape(x), object)
    for i in np.ndindex(t.shape):
        t[i] = np.polynomial.Polynomial([np.asarray(x)[i], np.asarray(v)[i]])
    result = f(t)
    coef = np.zeros((order + 1, *np.shape(result)))
    for i in np.ndindex(np.shape(result)):
        c = np.asarray(result, object)[i].coef[: order + 1]
        coef[(slice(len(c)), *i)] = c
    return coef


# ── products without division ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zeros", [0, 1, 2, 5])
def test_products_with_zero_factors(zeros: int) -> None:
    x = np.array([1.5, -0.5, 2.0, 3.0, 0.25])
    x[:zeros] = 0.0
    v = np.array([1.0, 2.0, -1.0, 0.5, 3.0])
    y = jet(x, 6, direction=v)
    assert_allclose(np.prod(y).coeffs, taylor(np.prod, x, v, 6), rtol=1e-14, atol=1e-15)
    assert_allclose(np.cumprod(y).coeffs, taylor(np.cumprod, x, v, 6), rtol=1e-14, atol=1e-15)


def test_products_of_nothing_are_one() -> None:
    x = jet(np.ones((0, 2)), 3)
    y = np.prod(x, axis=0)
    assert_array_equal(y.coeffs, [[1, 1], [0, 0], [0, 0], [0, 0]])
    assert np.prod(x).value == 1.0
    assert np.sum(x).value == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_values_of_products_are_numpys_to_the_bit(n: int) -> None:
    x = np.random.default_rng(n).uniform(-2, 2, (n, 3))
    y = jet(x, 2)
    assert_array_equal(np.prod(y, axis=0).value, np.prod(x, axis=0))
    assert_array_equal(np.cumprod(y, axis=0).value, np.cumprod(x, axis=0))


def test_product_arguments() -> None:
    x, mask = jet(A, 3, direction=V), np.array([[True, False, True], [True, True, False]])
    assert_allclose(np.prod(x, where=mask, initial=2.0).coeffs, 2 * np.prod(x[mask]).coeffs)
    assert np.prod(x, axis=(0, 1), keepdims=True).shape == (1, 1)
    out = jet(np.zeros(3), 3)
    assert np.multiply.reduce(x, axis=0, out=out) is out
    assert_allclose(out.coeffs, (x[0] * x[1]).coeffs)


# ── sums and their arguments ─────────────────────────────────────────────────────────────────────


def test_sum_arguments() -> None:
    x, mask = jet(A, 2, direction=V), np.array([True, False, True])
    y = np.sum(x, axis=1, keepdims=True, initial=10.0, where=mask)
    assert_allclose(y.value, np.sum(A, axis=1, keepdims=True, initial=10.0, where=mask))
    assert_allclose(y.derivative(1), np.sum(V, axis=1, keepdims=True, where=mask))
    start = jet(1.0, 2)
    assert_allclose(np.sum(x, initial=start).derivative(1), V.sum() + 1)
    assert np.sum(x, dtype=np.float32).dtype == np.float32
    assert np.add.reduce(x, axis=None).shape == ()


def test_out_is_a_jet_or_an_error() -> None:
    x, out = jet(A, 2), jet(np.zeros(3), 2)
    assert np.sum(x, axis=0, out=out) is out
    assert_array_equal(out.coeffs, np.sum(x, axis=0).coeffs)
    for f in (np.sum, np.prod, np.mean, np.var, np.std, np.nansum, np.nanmean, np.nanvar):
        with pytest.raises(errors.DerivativeDropped, match="out="):
            f(x, axis=0, out=np.zeros(3))
    with pytest.raises(errors.InvalidValue, match="shape"):
        np.sum(x, axis=1, out=out)
    with pytest.raises(errors.InvalidType, match="complex"):
        np.sum(x * 1j, axis=0, out=out)
    with pytest.raises(errors.DerivativeDropped):
        np.matmul(x, x.T, out=np.zeros((2, 2)))
    with pytest.raises(errors.DerivativeDropped):
        np.dot(x, x.T, out=np.zeros((2, 2)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64, np.longdouble])
def test_types_are_kept(dtype: Any) -> None:
    x = jet(np.abs(A).astype(dtype), 2)
    mask = np.array([[True, False, True], [True, True, False]])
    functions = (
        np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod, np.linalg.norm, np.nanmean, np.nanvar,
        np.diff, np.trapezoid, np.sinc, lambda x: np.var(x, where=mask), lambda x: np.linalg.norm(x, 3, axis=0),
        lambda x: np.average(x, weights=mask), lambda x: np.polyval(x[0], x), lambda x: x @ x.T, np.angle,
    )  # fmt: skip
    for f in functions:
        assert f(x).dtype == f(x.value).dtype


def test_wrong_arguments_name_the_function() -> None:
    x = jet(A, 2)
    with pytest.raises(errors.InvalidAxis, match=r"np\.sum"):
        np.sum(x, axis=5)
    with pytest.raises(errors.InvalidType, match="dtype"):
        np.sum(x, dtype=int)
    with pytest.raises(errors.InvalidValue, match="ddof"):
        np.var(x, ddof=1, correction=1)
    with pytest.raises(ZeroDivisionError, match="weights"):
        np.average(x, weights=np.zeros((2, 3)))
    with pytest.raises(errors.InvalidValue, match="weights"):
        np.average(x, axis=1, weights=np.ones(2))
    with pytest.raises(errors.InvalidType, match="weights"):
        np.average(x, weights=np.ones(2))
    with pytest.raises(errors.InvalidValue, match="axis"):
        np.cumulative_sum(x)
    with pytest.raises(errors.InvalidValue, match="axis"):
        np.cumulative_prod(x)


# ── NaN left out ─────────────────────────────────────────────────────────────────────────────────


def test_nan_is_left_out_with_its_derivatives() -> None:
    x = jet(np.array([1.0, np.nan, 3.0]), 2, direction=[1.0, 5.0, 2.0])
    kept = x[[0, 2]]
    for f in (np.sum, np.prod, np.mean, np.var, np.std):
        nanf = getattr(np, f"nan{f.__name__}")
        assert_allclose(nanf(x).coeffs, f(kept).coeffs, rtol=1e-15)
    assert_allclose(np.nancumsum(x).coeffs[:, 1], x.coeffs[:, 0])
    assert np.isnan(np.sum(x).value)


# ── statistics ───────────────────────────────────────────────────────────────────────────────────


def test_standard_deviation_of_a_constant_has_the_subgradient_zero() -> None:
    x = jet(np.array([[2.0, 2.0], [1.0, 3.0]]), 3, direction=[[1.0, -1.0], [1.0, 0.0]])
    y = np.std(x, axis=1)
    assert_array_equal(y.coeffs[:, 0], 0)
    # half the distance of two numbers: 1 − t/2
    assert_allclose(y.coeffs[:, 1], [1, -0.5, 0, 0], atol=1e-16)


def test_standard_deviation_beyond_the_squares() -> None:
    for scale in (1e-200, 1e200):
        y = np.std(jet(np.array([1.0, 2.0, 4.0]) * scale, 2, direction=[scale, 0, 0]))
        small = np.std(jet(np.array([1.0, 2.0, 4.0]), 2, direction=[1.0, 0, 0]))
        assert_allclose(y.coeffs / scale, small.coeffs, rtol=1e-14)


def test_correlation_of_one_has_higher_derivatives() -> None:
    x = jet(np.array([1.0, 2.0, 4.0]), 2, direction=[1.0, -1.0, 0.5])
    c = np.corrcoef(np.stack([x, x.value]))
    assert c.value[0, 1] == pytest.approx(1, abs=1e-15)
    assert c.derivative(1)[0, 1] == pytest.approx(0, abs=1e-14)
    h = 1e-3
    plain = [np.corrcoef(np.stack([x(t), x.value]))[0, 1] for t in (-h, 0, h)]
    assert c.derivative(2)[0, 1] == pytest.approx((plain[0] - 2 * plain[1] + plain[2]) / h**2, rel=1e-3)


def test_weights_may_be_jets() -> None:
    w = jet(np.array([1.0, 2.0, 3.0]), 3, direction=[1.0, 0.0, -0.5])
    y, total = np.average(A, axis=1, weights=w, returned=True)
    assert_allclose(y.coeffs, (np.dot(A, w) / np.sum(w)).coeffs, rtol=1e-15)
    assert_allclose(total.value, [6.0, 6.0])


# ── norms ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("p", [None, 1, 2, 3, 4, 2.5, 0.5, np.inf, -np.inf, 0, -1, -2])
def test_norms_at_zero_have_the_subgradient_zero(p: Any) -> None:
    with np.errstate(all="ignore"):
        y = np.linalg.norm(jet(np.zeros((2, 3)), 4), p, axis=1)
    assert_array_equal(y.coeffs, 0)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("p", [None, 1, 3, 4, 2.5, -2, np.inf])
def test_norms_do_not_overflow(p: Any, scale: float) -> None:
    y = np.linalg.norm(jet(np.array([3.0, 4.0]) * scale, 3, direction=[scale, 0.0]), p)
    small = np.linalg.norm(jet(np.array([3.0, 4.0]), 3, direction=[1.0, 0.0]), p)
    assert_allclose(y.coeffs / scale, small.coeffs, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-307, 1e-300, 1e-200, 1e200, 8e307])
def test_coefficients_of_norms_overflow_only_where_they_are_large(scale: float) -> None:
    """Along (1, 0): r, a/r, b²/(2r³), −a b²/(2r⁵)."""
    x = np.array([4.0, 3.0]) * scale / 4
    c_hat = np.linalg.norm(jet(x, 3, direction=[1.0, 0.0])).coeffs
    with mp.workdps(400):
        a, b = (mp.mpf(float(v)) for v in x)
        r = mp.hypot(a, b)
        exact = [r, a / r, b**2 / (2 * r**3), -a * b**2 / (2 * r**5)]
    for found, wanted in zip(c_hat, exact, strict=True):
        assert_allclose(found, float(wanted), rtol=1e-14, atol=1e-307)


def test_norm_of_one_zero_among_others() -> None:
    y = np.linalg.norm(jet(np.array([0.0, 2.0]), 4), 4)  # (t⁴ + (2+t)⁴)^{1/4}
    with mp.workdps(40):
        exact = coefficients(lambda t: mp.root(t**4 + (2 + t) ** 4, 4), 0.0, 4, 0.8)
    assert_allclose(y.coeffs, [float(c) for c in exact], rtol=1e-14)


def test_complex_norm() -> None:
    z = jet(np.array([3.0 + 4.0j, 1.0 - 1.0j]), 2, direction=[1.0, 1.0j])
    y = np.linalg.norm(z)
    assert y.dtype == np.float64
    assert y.value == np.linalg.norm(z.value)
    assert y.derivative(1) == pytest.approx((3.0 - 1.0) / np.sqrt(27.0))


def test_infinite_entries() -> None:
    with np.errstate(all="ignore"):
        assert np.linalg.norm(jet(np.array([np.inf, 1.0]), 1)).value == np.inf
        assert np.linalg.norm(jet(np.array([np.inf, 1.0]), 1), 3).value == np.inf
        assert np.isnan(np.linalg.norm(jet(np.array([np.nan, 1.0]), 1)).value)


def test_matrix_norms() -> None:
    x = jet(A, 2, direction=V)
    for p in ("fro", 1, -1, np.inf, -np.inf):
        y = np.linalg.norm(x, p, keepdims=True)
        assert_allclose(y.value, np.linalg.norm(A, p, keepdims=True), rtol=1e-15)
        assert y.shape == (1, 1)
    assert_allclose(np.linalg.norm(x, 1).derivative(1), np.sum(np.sign(A) * V, axis=0)[2])
    for p in (2, -2, "nuc"):
        assert_allclose(np.linalg.norm(x, p, keepdims=True).value, np.linalg.norm(A, p, keepdims=True), rtol=1e-14)
    with pytest.raises(errors.InvalidValue, match="ord"):
        np.linalg.norm(x, "nuclear")
    with pytest.raises(errors.InvalidValue, match="ord"):
        np.linalg.norm(x[0], "fro")
    with pytest.raises(errors.InvalidValue, match="axes"):
        np.linalg.norm(x[None], 2, axis=(0, 1, 2))


# ── products ─────────────────────────────────────────────────────────────────────────────────────


def test_gufuncs_take_axes_and_out() -> None:
    x, y = jet(A, 2, direction=V), jet(A * A, 2)
    out = jet(np.zeros((3, 3)), 2)
    assert np.matmul(x, y, axes=[(1, 0), (0, 1), (0, 1)], out=out) is out
    assert_allclose(out.coeffs, (x.T @ y).coeffs, rtol=1e-15)
    assert_allclose(np.vecdot(x, y, axis=0).coeffs, np.sum(x * y, axis=0).coeffs, rtol=1e-15)
    assert np.matmul(x, A.T, dtype=np.float32, casting="same_kind").dtype == np.float32
    with pytest.raises(errors.InvalidType, match="casting"):
        np.matmul(x, A.T, dtype=np.float32, casting="safe")
    with pytest.raises(errors.NotDifferentiable):
        np.matmul(x, A.T, signature="dd->d")
    with pytest.raises(errors.DualnumError):
        np.matmul(x, y)


def test_conjugation() -> None:
    z = jet(A[0] + 1j * A[1], 2, direction=V[0] - 1j * V[1])
    w = A[1] - 2j
    square = np.sum(np.conj(z) * z)
    for y in (np.vdot(z, z), np.vecdot(z, z)):
        assert_allclose(y.coeffs, square.coeffs, rtol=1e-15, atol=1e-15)
    if hasattr(np, "vecmat"):
        assert_allclose(np.vecmat(z, np.diag(w)).coeffs, (np.conj(z) * w).coeffs)
    assert_allclose(np.correlate(z, w).coeffs, np.sum(z * np.conj(w))[None].coeffs)


def test_einsum_forms() -> None:
    rng = np.random.default_rng(5)
    a, b, c, d = (rng.uniform(-1, 1, s) for s in ((2, 3), (3, 4), (4, 2), (4,)))
    ja, jb, jd = jet(a, 3, direction=a), jet(b, 3), jet(d, 3, direction=d * d)
    whole = (ja @ jb * jd) @ c
    for optimize in (False, True, "optimal", ["einsum_path", (0, 1), (0, 1), (0, 1)]):
        y = np.einsum("ij,jk,k,kl->il", ja, jb, jd, c, optimize=optimize)
        assert_allclose(y.coeffs, whole.coeffs, rtol=1e-13, atol=1e-15)
    y = np.einsum(ja, [0, 1], jb, [1, 2], jd, [2], c, [2, 3], [0, 3])
    assert_allclose(y.coeffs, whole.coeffs, rtol=1e-13, atol=1e-15)
    assert_allclose(np.einsum("ij, jk", ja, b).coeffs, (ja @ b).coeffs, rtol=1e-15)
    assert_allclose(np.einsum("...j,j...", ja, jb[:, 0]).coeffs, (ja @ jb[:, 0]).coeffs, rtol=1e-15)
    assert_allclose(np.einsum("ij,ij,ij->j", ja, ja, ja).coeffs, np.sum(ja**3, axis=0).coeffs, rtol=1e-13)
    assert_allclose(np.einsum("ii->i", jb[:, :3]).coeffs, np.diagonal(jb).coeffs)
    assert np.einsum("i,j", a[0], jb[0]).shape == (3, 4)
    out = jet(np.zeros(2), 3)
    assert np.einsum("ij->i", ja, out=out) is out


@pytest.mark.parametrize(
    "subscripts", ["ij,jk->ik", "ijk->i", "i->i", "...ijk->i", "ij->ijk", "i...->i", "i j k"], ids=lambda s: s
)
def test_einsum_refuses_what_does_not_fit(subscripts: str) -> None:
    with pytest.raises(errors.DualnumError):
        np.einsum(subscripts, jet(np.ones((2, 3)), 1))


def test_chains() -> None:
    x = jet(np.eye(3) * 0.5 + 0.1, 4)
    assert_allclose(np.linalg.matrix_power(x, 5).coeffs, (x @ x @ x @ x @ x).coeffs, rtol=1e-14)
    assert_array_equal(np.linalg.matrix_power(x, 0).coeffs[0], np.eye(3))
    assert_array_equal(np.linalg.matrix_power(x, 0).coeffs[1:], 0)
    row, column = x[0], x[:, 0]
    assert_allclose(np.linalg.multi_dot([row, x, x, column]).coeffs, (row @ x @ x @ column).coeffs, rtol=1e-14)
    for arguments in ([x], [x, x[None], x]):
        with pytest.raises(errors.InvalidValue, match="multi_dot"):
            np.linalg.multi_dot(arguments)
    with pytest.raises(errors.InvalidValue, match="square"):
        np.linalg.matrix_power(x[:2], 2)
    with pytest.raises(errors.InvalidType, match="n is"):
        np.linalg.matrix_power(x, 2.5)


# ── elementwise ──────────────────────────────────────────────────────────────────────────────────


def exact_sinc(z: Any) -> Any:
    return mp.sincpi(z)


@pytest.mark.parametrize(
    ("name", "exact", "limit"),
    [("sinc", exact_sinc, np.inf), ("i0", lambda z: mp.besseli(0, z), 700.0)],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_entire_functions_on_the_edge_grid(name: str, exact: Any, limit: float, dtype: Any) -> None:
    orders = (8, 24) if dtype == np.float64 else (8,)
    limit = min(limit, 80.0) if dtype == np.float32 else limit
    points = np.concatenate([edge_grid(dtype), np.array([0.2, 0.6, 1.25, 1.28, 2.6, 3.5, 5.05, 5.1, 7.7, 12.3], dtype)])
    points = points[np.abs(points) < min(limit, 1e4)]
    for order in orders:
        c_hat = jet_of(getattr(np, name), points, order)
        assert c_hat.dtype == dtype
        for i, x in enumerate(points):
            c = coefficients(exact, x, order + 1, mpmath.inf)
            assert worst(c_hat[:, i], c, x) <= 8, (name, order, x)


@pytest.mark.parametrize("f", [np.sinc, np.i0])
def test_coefficients_do_not_depend_on_the_order_or_the_neighbours(f: Any) -> None:
    x = np.array([0.0, 0.3, -1.7, 4.0, 25.0])
    long = f(jet(x, 20))
    for order in (1, 4, 5, 9):
        assert_array_equal(f(jet(x, order)).coeffs, long.coeffs[: order + 1])
    for i in range(len(x)):
        assert_array_equal(f(jet(x[i : i + 1], 20)).coeffs[:, 0], long.coeffs[:, i])


@pytest.mark.parametrize("f", [np.sinc, np.i0])
def test_entire_functions_nest_and_compose(f: Any) -> None:
    direct = dn.derivative(lambda x: f(x * x), 3)(0.7)
    nested = dn.derivative(dn.derivative(dn.derivative(lambda x: f(x * x))))(0.7)
    assert nested == pytest.approx(direct, rel=1e-12)


def test_clip_with_bounds_that_vary() -> None:
    x = jet(np.array([-2.0, 0.0, 2.0]), 2)
    low = jet(np.array([-1.0, -1.0, -1.0]), 2, direction=5.0)
    assert_array_equal(np.clip(x, low, 1.5).coeffs[:2], [[-1.0, 0.0, 1.5], [5.0, 1.0, 0.0]])
    assert_array_equal(np.clip(x, None, 1.0).coeffs[1], [1.0, 1.0, 0.0])
    assert_array_equal(np.clip(x, min=-1.0).coeffs[1], [0.0, 1.0, 1.0])
    assert_array_equal(np.clip(x).coeffs, x.coeffs)
    assert_array_equal(x.clip(-3, 0).coeffs[1], [1.0, 1.0, 0.0])  # on the bound the derivative is that of x
    assert jet(np.float32(1.0), 1).clip(0.0, None).dtype == np.float32


def test_rounding_is_constant() -> None:
    x = jet(np.array([1.234, -5.678, 123.4]), 2)
    for decimals in (-1, 0, 2):
        assert_array_equal(np.round(x, decimals).value, np.round(x.value, decimals))
        assert_array_equal(np.round(x, decimals).coeffs[1:], 0)
    assert_array_equal(np.fix(x).value, np.fix(x.value))


def test_nan_to_num() -> None:
    x = jet(np.array([1.0, np.nan, np.inf, -np.inf]), 1)
    y = np.nan_to_num(x, nan=7.0, posinf=1e3)
    assert_array_equal(y.value, np.nan_to_num(x.value, nan=7.0, posinf=1e3))
    assert_array_equal(y.coeffs[1], [1, 0, 0, 0])
    z = np.nan_to_num(jet(np.array([complex(1.0, np.inf), complex(np.nan, 2.0)]), 1))
    assert_array_equal(z.value, np.nan_to_num(np.array([complex(1.0, np.inf), complex(np.nan, 2.0)])))
    assert np.nan_to_num(x, copy=False) is x
    assert np.all(np.isfinite(x.value))


def test_angle() -> None:
    z = np.exp(1j * jet(np.array([0.3, 2.0, -1.0]), 3))
    assert_allclose(np.angle(z).coeffs, [[0.3, 2.0, -1.0], [1] * 3, [0] * 3, [0] * 3], atol=1e-15)
    assert_allclose(np.angle(z, deg=True).derivative(1), 180 / np.pi)
    real = np.angle(jet(np.array([1.0, -1.0, 0.0, -0.0]), 1))
    assert_array_equal(real.coeffs, [[0, np.pi, 0, np.pi], [0, 0, 0, 0]])


# ── signals ──────────────────────────────────────────────────────────────────────────────────────


def test_interp_outside_at_nodes_and_periodic() -> None:
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 0.0])
    x = jet(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]), 2)
    y = np.interp(x, xp, fp)
    assert_array_equal(y.value, np.interp(x.value, xp, fp))
    assert_array_equal(y.coeffs[1], [0, 1, 1, -1, -1, -1, 0])
    assert_array_equal(np.interp(x, xp, fp, left=9.0, right=8.0).value, np.interp(x.value, xp, fp, 9.0, 8.0))
    assert_array_equal(np.interp(x, [1.0], [5.0]).coeffs, np.stack([np.full(7, 5.0), np.zeros(7), np.zeros(7)]))
    p = np.interp(jet(np.array([-0.5, 4.25]), 1), xp, jet(fp, 1, direction=[1.0, 0.0, 0.0]), period=4.0)
    assert_allclose(p.value, np.interp([-0.5, 4.25], xp, fp, period=4.0))
    assert_allclose(p.coeffs[1], [1.0 + 0.5, 1.0 + 0.75])
    with pytest.raises(errors.InvalidValue, match="period"):
        np.interp(x, xp, fp, period=0)
    with pytest.raises(errors.InvalidValue, match="xp"):
        np.interp(x, xp, fp[:2])


def test_interp_nests() -> None:
    g = lambda x: np.interp(0.25, [0.0, 1.0], np.stack([x, x**3]))  # noqa: E731
    assert dn.derivative(dn.derivative(g))(2.0) == pytest.approx(0.25 * 12)
    h = lambda x: np.interp(x, np.array([0.0, 1.0]), np.stack([x**2, x]))  # noqa: E731
    assert dn.derivative(dn.derivative(h))(0.5) == pytest.approx(dn.derivative(h, 2)(0.5))


def test_differences() -> None:
    x = jet(A, 2, direction=V)
    assert np.diff(x, 0) is x
    assert_allclose(np.diff(x, axis=0, prepend=x[:1]).coeffs[1], np.diff(V, axis=0, prepend=V[:1]))
    assert_allclose(np.ediff1d(x, to_begin=[1, 2], to_end=5).value, np.ediff1d(A, to_begin=[1.0, 2], to_end=5.0))
    h = jet(0.5, 2)
    assert_allclose(np.gradient(A, h, axis=1).derivative(1), -np.gradient(A, 1.0, axis=1) / 0.25)
    with pytest.raises(errors.InvalidType, match="spacings"):
        np.gradient(x, 1.0, 2.0, 3.0)
    with pytest.raises(errors.InvalidValue, match="n is"):
        np.diff(x, -1)


def test_unwrap() -> None:
    p = jet(np.array([0.0, 2.0, 7.0, 12.0]), 2, direction=[1.0, 2.0, 3.0, 4.0])
    y = np.unwrap(p, period=4.0)
    assert_allclose(y.value, np.unwrap(p.value, period=4.0), rtol=1e-15)
    assert_array_equal(y.coeffs[1], [1, 2, 3, 4])


def test_fourier_transforms_of_series() -> None:
    t = jet(np.linspace(0.1, 0.9, 8), 3)
    x = np.exp(t)
    assert_allclose(np.fft.ifft(np.fft.fft(x)).coeffs, x.coeffs, rtol=1e-13, atol=1e-15)
    assert_allclose(np.fft.irfft(np.fft.rfft(x)).coeffs, x.coeffs, rtol=1e-13)
    for k in range(4):
        assert_array_equal(np.fft.rfft(x, norm="ortho").coeffs[k], np.fft.rfft(x.coeffs[k], norm="ortho"))
    out = jet(np.zeros(8, complex), 3)
    assert np.fft.fft(x, out=out) is out


SIZES = [1.0, 1e-30, 1e-39, 1e30, 1e39, 1e-170, 1e160]


@pytest.mark.parametrize("size", SIZES)
def test_norms_by_the_plain_root_and_by_the_scaled_one(size: float) -> None:
    """‖(3, 4) s + (1, 2) s t‖ = s √(25 + 22 t + 5 t²), whether the squares stay in range or not."""
    x = jet(np.array([3.0, 4.0]) * size, 3, direction=np.array([1.0, 2.0]) * size)
    exact = np.array([5, 2.2, 0.016, -2.2 * 0.016 / 5]) * size
    assert_allclose(np.linalg.norm(x).coeffs, exact, rtol=1e-13)
    assert_allclose(np.linalg.norm(np.stack([x, 1e-3 * x]), axis=1).coeffs[:, 0], exact, rtol=1e-13)
    assert_allclose(np.std(x).coeffs, np.array([0.5, 0.5, 0, 0]) * size, rtol=1e-13, atol=1e-15 * size)
    assert_allclose(dn.grad(np.linalg.norm)(x.value), [0.6, 0.8], rtol=1e-15)


def test_norms_in_single_and_half_precision() -> None:
    for dtype in (np.float16, np.float32, np.longdouble, np.complex64):
        x = np.array([3.0, 4.0], dtype)
        y = np.linalg.norm(jet(x, 1))
        assert y.dtype == np.linalg.norm(x).dtype
        assert_allclose(y.coeffs.astype(float), [5, 1.4], rtol=2 * float(np.finfo(dtype).eps))


# ── polynomials ──────────────────────────────────────────────────────────────────────────────────


def test_polynomials() -> None:
    p = jet(np.array([2.0, -1.0, 0.5]), 2, direction=[1.0, 0.0, 2.0])
    assert_allclose(np.polyval(p, p[0]).coeffs, (p[0] ** 3 - p[0] + p[2]).coeffs)
    assert_allclose(np.polyval([p[0], 1.0], p[0]).coeffs, (p[0] ** 2 + 1).coeffs)
    assert_array_equal(np.polyder(np.polyint(p, 2, [1.0, 2.0]), 2).value, p.value)
    assert_array_equal(np.polyint(p, k=p[0:1]).coeffs[:, -1], p.coeffs[:, 0])
    assert_allclose(np.polymul(p, [1.0, 1.0]).coeffs[1], np.convolve([1.0, 0.0, 2.0], [1.0, 1.0]))
    assert_array_equal(np.polymul(p, [0.0, 0.0, 1.0, 1.0]).value, np.polymul(p.value, [0.0, 0.0, 1.0, 1.0]))
    assert_array_equal(np.polymul(p, [0.0, 0.0]).value, np.polymul(p.value, [0.0, 0.0]))
    with pytest.raises(errors.InvalidValue, match=r"leading coefficient of a2 .*np\.convolve.*a2\[1:\]"):
        np.polymul([1.0, 1.0], jet(np.array([0.0, 1.0]), 1))  # t·x + 1, which NumPy takes for 1
    for one in (np.polyint, np.polyder):
        with pytest.raises(TypeError):
            one(np.array(2.0))
        with pytest.raises(errors.InvalidType, match="atleast_1d"):
            one(p[0])
    assert_allclose(np.poly(p).value, np.poly(p.value))
    assert np.vander(p, 0).shape == (3, 0)
    assert_array_equal(np.vander(p, 4).value, np.vander(p.value, 4))
    for call in (lambda: np.polyder(p, -1), lambda: np.polyint(p, 3, [1.0, 2.0]), lambda: np.vander(p[None])):
        with pytest.raises(errors.InvalidValue):
            call()
    with pytest.raises(errors.NotDifferentiable, match=r"x\.value"):
        np.polydiv(p, [1.0, 2.0])


# ── levels, directions, and what has no rule ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "f",
    [
        np.prod, np.std, np.linalg.norm, lambda x: np.linalg.norm(x, 3), lambda x: np.einsum("i,i,i", x, x, x),
        lambda x: np.sum(np.cumprod(x)), lambda x: np.abs(np.fft.fft(x)[1]), lambda x: np.sum(np.cov(x, x[::-1])),
        lambda x: np.linalg.norm(np.outer(x, x) @ x), lambda x: np.trapezoid(np.sinc(x), x),
        lambda x: np.polyval(x, x[0]),
    ],
)  # fmt: skip
def test_nested_derivatives_agree_with_direct_ones(f: Any) -> None:
    x, v = np.array([0.5, 1.2, 2.0]), np.array([1.0, -0.4, 0.6])
    along = lambda t: f(x + t * v)  # noqa: E731
    nested = dn.derivative(dn.derivative(along))(0.0)
    assert nested == pytest.approx(dn.derivative(along, 2)(0.0), rel=1e-11)


def test_several_directions() -> None:
    vs = np.stack([V, V[::-1], A])
    many = jet(A, 3, directions=vs)
    for f in (np.prod, np.std, np.sinc, lambda x: x @ x.T, lambda x: np.linalg.norm(x, 3, axis=0), np.cumprod):
        y = f(many)
        for p, v in enumerate(vs):
            single = f(jet(A, 3, direction=v))
            for k in (1, 2, 3):
                assert_allclose(y.derivative(k)[p], single.derivative(k), rtol=1e-12, atol=1e-13)
