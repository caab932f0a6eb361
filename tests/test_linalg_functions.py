"""Functions of a matrix to any order: against mpmath and SciPy, by identities, and the same by every way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from mpmath import mp, mpf
from test_linalg import ORDER, SQUARE, B, C, at, exact, jet, matrix, second_derivatives_agree, zero

import dualnum as dn

pytestmark = [
    pytest.mark.filterwarnings("ignore:logm result may be"), pytest.mark.filterwarnings("ignore:.*singular"),
]  # fmt: skip
RNG = np.random.default_rng(7)
# A(t) with eigenvalues apart from the negative axis
CALM = SQUARE * np.array([0.5, 0.25, 0.25])[:, None, None]
NEAR = CALM * np.array([1 / 64, 1 / 16, 1 / 16])[:, None, None] + np.array([1.0, 0.0, 0.0])[:, None, None] * np.eye(3)
APART = CALM + np.array([1.0, 0.0, 0.0])[:, None, None] * np.diag([64.0, 1024.0, 0.25])

CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "expm": (lambda: dn.linalg.expm(jet(CALM)), lambda t: mp.expm(at(CALM, t))),
    "expm, large": (lambda: dn.linalg.expm(jet(4 * CALM)), lambda t: mp.expm(at(4 * CALM, t))),
    "expm, small": (lambda: dn.linalg.expm(jet(CALM / 64)), lambda t: mp.expm(at(CALM / 64, t))),
    "sqrtm": (lambda: dn.linalg.sqrtm(jet(CALM)), lambda t: mp.sqrtm(at(CALM, t))),
    "logm": (lambda: dn.linalg.logm(jet(CALM)), lambda t: mp.logm(at(CALM, t))),
    "logm, near 1": (lambda: dn.linalg.logm(jet(NEAR)), lambda t: mp.logm(at(NEAR, t))),
    "logm, of large and small": (lambda: dn.linalg.logm(jet(APART)), lambda t: mp.logm(at(APART, t))),
    "fractional_matrix_power": (
        lambda: dn.linalg.fractional_matrix_power(jet(CALM), -0.3), lambda t: mp.expm(-mpf(0.3) * mp.logm(at(CALM, t))),
    ),
    "fractional_matrix_power, whole": (
        lambda: dn.linalg.fractional_matrix_power(jet(CALM), -2.0), lambda t: at(CALM, t) ** -2,
    ),
    "fractional_matrix_power, by t": (
        lambda: dn.linalg.fractional_matrix_power(CALM[0], dn.jet(0.3, ORDER)),
        lambda t: mp.expm((mpf(0.3) + t) * mp.logm(at(CALM[:1], t))),
    ),
    "cosm": (lambda: dn.linalg.cosm(jet(CALM)), lambda t: mp.cosm(at(CALM, t))),
    "sinm": (lambda: dn.linalg.sinm(jet(CALM)), lambda t: mp.sinm(at(CALM, t))),
    "tanm": (lambda: dn.linalg.tanm(jet(CALM)), lambda t: mp.cosm(at(CALM, t)) ** -1 * mp.sinm(at(CALM, t))),
    "coshm": (lambda: dn.linalg.coshm(jet(CALM)), lambda t: (mp.expm(at(CALM, t)) + mp.expm(-at(CALM, t))) / 2),
    "sinhm": (lambda: dn.linalg.sinhm(jet(CALM)), lambda t: (mp.expm(at(CALM, t)) - mp.expm(-at(CALM, t))) / 2),
    "tanhm": (
        lambda: dn.linalg.tanhm(jet(CALM)),
        lambda t: (mp.expm(2 * at(CALM, t)) + mp.eye(3)) ** -1 * (mp.expm(2 * at(CALM, t)) - mp.eye(3)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_against_exact_coefficients(name: str) -> None:
    ours, theirs = CASES[name]
    expected = exact(theirs, (3, 3))
    np.testing.assert_allclose(ours().coeffs, expected, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("order", [1, 2, 5, 12, 30])
@pytest.mark.parametrize("size", [0.0, 0.3, 3.0, 20.0])
def test_the_exponential_has_all_digits_to_high_orders(order: int, size: float) -> None:
    """e^((x + t) R) is a rotation for a generator R."""
    y = dn.linalg.expm((size + dn.jet(0.0, order)) * np.array([[0.0, -1.0], [1.0, 0.0]]))
    t = np.cos(size + dn.jet(0.0, order)), np.sin(size + dn.jet(0.0, order))
    for k in range(order + 1):
        expected = [[t[0].derivative(k), -t[1].derivative(k)], [t[1].derivative(k), t[0].derivative(k)]]
        np.testing.assert_allclose(y.derivative(k), expected, rtol=0, atol=1e-15 * max(1.0, size) * (k + 8))


def test_high_orders_are_right_in_nested_jets_and_records() -> None:
    generator = np.array([[0.0, -1.0], [1.0, 0.0]])
    f = lambda t: dn.linalg.expm(t * generator)[1, 0]  # noqa: E731
    sixteenth = dn.derivative(dn.derivative(f, 8), 8)
    np.testing.assert_allclose(sixteenth(2.0), np.sin(2.0), rtol=1e-13)
    np.testing.assert_allclose(dn.grad(dn.derivative(dn.grad(f), 6))(2.0), np.sin(2.0), rtol=1e-13)


@pytest.mark.parametrize("kind", [float, complex, np.float32])
@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (0, 0), (2, 4, 4), (2, 1, 3, 3), (0, 3, 3)])
def test_exponentials_of_batches_by_identities(shape: tuple[int, ...], kind: Any) -> None:
    parts = RNG.normal(size=(3, *shape)) + (1j * RNG.normal(size=(3, *shape)) if kind is complex else 0)
    a = jet(parts.astype(kind))
    y, back = dn.linalg.expm(a), dn.linalg.expm(-a)
    assert y.shape == shape
    assert y.dtype == kind
    if a.size:
        zero(y @ back - np.eye(shape[-1], dtype=kind), y, back)
        zero(np.linalg.det(y) - np.exp(np.trace(a, axis1=-2, axis2=-1)), np.linalg.det(y), y)
        np.testing.assert_array_equal(y.value, scipy.linalg.expm(a.value))


def test_the_exponential_where_parts_have_other_sizes() -> None:
    """Along t = 0 coefficients are those of a polynomial in what moves, however large it is."""
    v = 100 * RNG.normal(size=(4, 4))
    y = dn.linalg.expm(dn.jet(np.zeros((4, 4)), 5, direction=v))
    power = np.eye(4)
    for k in range(6):
        np.testing.assert_allclose(y.derivative(k), power, rtol=1e-13, atol=1e-13 * np.max(np.abs(power)))
        power = power @ v


def sign_of(a: Any) -> Any:
    return dn.linalg.signm(a - 2.5 * np.eye(3))


def test_many_directions_are_one_series() -> None:
    v = RNG.normal(size=(4, 3, 3))
    for function in (dn.linalg.expm, dn.linalg.sqrtm, dn.linalg.logm, dn.linalg.cosm, sign_of):
        many = function(dn.jet(CALM[0], 5, directions=v))
        for p in range(4):
            one = function(dn.jet(CALM[0], 5, direction=v[p]))
            for k in range(1, 6):
                scale = np.max(np.abs(one.coefficient(k)))
                np.testing.assert_allclose(many.coefficient(k)[p], one.coefficient(k), rtol=0, atol=1e-12 * scale)


# ── the derivative of the exponential ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [float, complex])
def test_the_derivative_is_that_of_scipy(kind: Any) -> None:
    a, e = (RNG.normal(size=(5, 5)) + (1j * RNG.normal(size=(5, 5)) if kind is complex else 0) for _ in range(2))
    value, slope = scipy.linalg.expm_frechet(a, e)
    np.testing.assert_allclose(dn.linalg.expm(dn.jet(a, 1, direction=e)).derivative(1), slope, rtol=1e-12, atol=1e-12)
    y = dn.linalg.expm_frechet(dn.jet(a, 2), e)
    np.testing.assert_allclose(y[0].value, value, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(y[1].value, slope)
    how = {"method": "blockEnlarge", "compute_expm": False}
    np.testing.assert_array_equal(dn.linalg.expm_frechet(a, e, **how), scipy.linalg.expm_frechet(a, e, **how))
    second = dn.linalg.expm(dn.jet(a, 2, direction=e)).derivative(2)
    moved = dn.linalg.expm_frechet(dn.jet(a, 1, direction=e), e, compute_expm=False)
    np.testing.assert_allclose(moved.derivative(1), second, rtol=1e-11, atol=1e-11)


def test_the_sweep_transposes_the_derivative() -> None:
    a, e, g = RNG.normal(size=(3, 4, 4))
    swept = dn.grad(lambda a: np.sum(dn.linalg.expm(a) * g))(a)
    np.testing.assert_allclose(np.sum(swept * e), np.sum(g * scipy.linalg.expm_frechet(a, e)[1]), rtol=1e-12)


# ── powers and the logarithm ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [float, complex, np.float32])
@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (0, 0), (2, 4, 4), (2, 1, 3, 3), (0, 3, 3)])
def test_inverse_functions(shape: tuple[int, ...], kind: Any) -> None:
    n = shape[-1]
    parts = 0.3 * (RNG.normal(size=(3, *shape)) + (1j * RNG.normal(size=(3, *shape)) if kind is complex else 0))
    parts[0] += 2 * np.eye(n)
    a = jet(parts.astype(kind))
    log, root, third = dn.linalg.logm(a), dn.linalg.sqrtm(a), dn.linalg.fractional_matrix_power(a, 1 / 3)
    for y in (log, root, third, dn.linalg.signm(a), dn.linalg.cosm(a), dn.linalg.tanhm(a)):
        assert y.shape == shape
        assert y.dtype == kind
    if not a.size:
        return
    zero(dn.linalg.expm(log) - a, a, log)
    zero(root @ root - a, root, root)
    zero(third @ third @ third - a, third, third, third)
    zero(np.exp(np.trace(log, axis1=-2, axis2=-1)) - np.linalg.det(a), np.linalg.det(a), log)
    zero(log - 2 * dn.linalg.logm(root), log, a)
    cosine, sine = dn.linalg.cosm(a), dn.linalg.sinm(a)
    zero(cosine @ cosine + sine @ sine - np.eye(n, dtype=kind), cosine, cosine, sine)
    zero(dn.linalg.tanm(a) @ cosine - sine, sine, dn.linalg.tanm(a), a)
    cosine, sine = dn.linalg.coshm(a), dn.linalg.sinhm(a)
    zero(cosine @ cosine - sine @ sine - np.eye(n, dtype=kind), cosine, cosine)
    zero(dn.linalg.tanhm(a) @ cosine - sine, cosine, dn.linalg.tanhm(a))
    if a.ndim == 2:
        for name, y in (("logm", log), ("sqrtm", root), ("cosm", dn.linalg.cosm(a))):
            np.testing.assert_array_equal(y.value, getattr(scipy.linalg, name)(a.value).astype(kind))


@pytest.mark.parametrize("kind", [float, complex])
def test_branches_of_negative_eigenvalues_are_kept(kind: Any) -> None:
    parts = 0.3 * RNG.normal(size=(3, 4, 4)) + (0.1j * RNG.normal(size=(3, 4, 4)) if kind is complex else 0)
    parts[0] += np.diag([-1.0, -2.5, 3.0, 1.0])
    a = jet(parts)
    log, root = dn.linalg.logm(a), dn.linalg.sqrtm(a)
    assert log.dtype == root.dtype == complex
    zero(dn.linalg.expm(log) - a, a, log, log)
    zero(root @ root - a, root, root, root)
    np.testing.assert_array_equal(log.value, scipy.linalg.logm(a.value))
    f = lambda t: np.sum(np.imag(dn.linalg.logm(parts[0] + t * parts[1]) @ parts[2]))  # noqa: E731
    np.testing.assert_allclose(dn.grad(f)(0.1), dn.derivative(f)(0.1), rtol=1e-10)
    np.testing.assert_allclose(dn.grad(dn.grad(f))(0.1), dn.derivative(f, 2)(0.1), rtol=1e-9)


def test_the_logarithm_has_all_digits_to_high_orders() -> None:
    """log of e^x times a rotation by t is x and t times its generator."""
    generator = np.array([[0.0, -1.0], [1.0, 0.0]])
    for order in (2, 8, 20):
        t = dn.jet(0.7, order)
        a = np.exp(0.25 + t) * (np.cos(t) * np.eye(2) + np.sin(t) * generator)
        expected = (0.25 + t) * np.eye(2) + t * generator
        np.testing.assert_allclose(dn.linalg.logm(a).coeffs, expected.coeffs, rtol=0, atol=2e-13)
    f = lambda t: dn.linalg.logm(t * np.eye(2))[0, 0]  # noqa: E731
    np.testing.assert_allclose(dn.derivative(dn.derivative(f, 5), 5)(1.5), -362880 / 1.5**10, rtol=1e-11)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (1, 4)])
@pytest.mark.parametrize("side", ["right", "left"])
def test_polar_factors(shape: tuple[int, int], side: str, kind: Any) -> None:
    parts = RNG.normal(size=(3, *shape)) + (1j * RNG.normal(size=(3, *shape)) if kind is complex else 0)
    a = jet(parts + np.array([9.0, 0.0, 0.0])[:, None, None] * np.eye(*shape))
    u, p = dn.linalg.polar(a, side)
    zero((u @ p if side == "right" else p @ u) - a, u, p, a)
    zero(p - np.conjugate(p.T), p, u)
    zero(u @ np.conjugate(u.T) @ u - u, u, u, p)
    for ours, theirs in zip((u, p), scipy.linalg.polar(a.value, side), strict=True):
        np.testing.assert_allclose(ours.value, theirs, rtol=1e-15, atol=1e-15)


def test_the_sign() -> None:
    a = jet(SQUARE - 5 * np.array([1.0, 0.0, 0.0])[:, None, None] * np.eye(3))
    sign = dn.linalg.signm(a)
    zero(sign @ sign - np.eye(3), sign, sign, a)
    zero(sign @ a - a @ sign, sign, a)
    np.testing.assert_allclose(sign.value, scipy.linalg.signm(a.value), rtol=1e-12, atol=1e-12)


# ── every way ────────────────────────────────────────────────────────────────────────────────────

PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "expm": lambda x: np.sum(dn.linalg.expm(0.3 * matrix(x)) * C) * 1e-2,
    "sqrtm": lambda x: np.sum(dn.linalg.sqrtm(matrix(x) @ matrix(x).T) * C),
    "sqrtm, complex": lambda x: np.sum(np.abs(dn.linalg.sqrtm(matrix(x) @ matrix(x).T + 1j * x[0] * C)) ** 2),
    "logm": lambda x: np.sum(dn.linalg.logm(matrix(x) @ matrix(x).T) * C),
    "logm, complex": lambda x: np.sum(np.abs(dn.linalg.logm(matrix(x) @ matrix(x).T + 1j * x[0] * C)) ** 2),
    "fractional_matrix_power": lambda x: np.sum(
        dn.linalg.fractional_matrix_power(matrix(x) @ matrix(x).T, 0.3) * C
    ) + np.sum(dn.linalg.fractional_matrix_power(matrix(x) + 0j, x[0]) ** 2).real,
    "signm": lambda x: np.sum(dn.linalg.signm(matrix(x) - 13 * np.eye(3)) * C),
    "polar": lambda x: (
        np.sum(dn.linalg.polar(matrix(x)[:, :2])[0] * C[:, :2]) + np.sum(dn.linalg.polar(matrix(x), "left")[1] * C)
        + np.sum(np.real(dn.linalg.polar(matrix(x) + 1j * x[1] * C)[0]) * C)
    ),
    "cosm, sinm, tanm": lambda x: np.sum(dn.linalg.tanm(0.1 * matrix(x)) * C),
    "coshm, sinhm, tanhm": lambda x: np.sum(dn.linalg.tanhm(0.1 * matrix(x)) * C),
    "cosm, complex": lambda x: np.sum(np.abs(dn.linalg.cosm(0.1 * matrix(x) + 0.2j * x[1] * B)) ** 2),
    "expm_frechet": lambda x: np.sum(dn.linalg.expm_frechet(0.3 * matrix(x), x[2] * C)[1] * C) * 1e-2,
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_second_derivatives(name: str) -> None:
    second_derivatives_agree(PROGRAMS, name)


# ── what has no derivative ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (dn.InvalidValue, r"expm: a has shape \(3, 2\)", lambda x: dn.linalg.expm(x * np.ones((3, 2)))),
        (dn.NonsmoothPoint, "sqrtm: the matrix is singular", lambda x: dn.linalg.sqrtm(x * np.ones((2, 2)))),
        (dn.NonsmoothPoint, "sqrtm: the matrix is singular", lambda x: dn.linalg.sqrtm(x * np.array([[0, 1], [0, 0]]))),
        (dn.NonsmoothPoint, "logm: the matrix is singular", lambda x: dn.linalg.logm(x * np.ones((2, 2)))),
        (dn.NonsmoothPoint, "logm", lambda x: dn.linalg.fractional_matrix_power(x * np.ones((2, 2)), 0.5)),
        (dn.NonsmoothPoint, "polar: the rank of a 3 × 2", lambda x: dn.linalg.polar(x * np.ones((3, 2)))[0]),
        (dn.InvalidValue, "polar: side is 'up'", lambda x: dn.linalg.polar(x * np.eye(2), "up")[0]),
        (dn.InvalidValue, "polar: a has shape", lambda x: dn.linalg.polar(x * np.ones(2))[0]),
        (dn.NonsmoothPoint, "signm: the matrix has", lambda x: dn.linalg.signm(x * np.array([[0, 1], [-1, 0]]))),
        (dn.InvalidValue, "expm_frechet: A has shape", lambda x: dn.linalg.expm_frechet(x * np.eye(2), np.eye(3))[1]),
    ],
)  # fmt: skip
def test_what_has_no_derivative_says_so(error: Any, message: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(error, match=message):
        call(dn.jet(1.0, 2))
    with pytest.raises(error, match=message):
        dn.grad(lambda x: np.sum(np.abs(call(x))))(1.0)
