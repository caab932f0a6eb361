"""Corners where NumPy's own result, or the true derivative, is easily missed; found by random programs."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum import jet, memory
from dualnum.kernel.cpu import store

ENGINES = pytest.mark.parametrize("engine", ["llvm", "interpret"])


@ENGINES
def test_fmod_takes_away_what_its_value_says(engine: str) -> None:
    # a/b is rounded to a whole number, or a·(1/b) misses it, where fmod(a, b) says otherwise
    b = np.array([49.0, 1.1, 0.1, 0.3, 0.7, -1.1])
    a = np.array([49.0, 9 * 1.1, 3 * 0.1, 7 * 0.3, 10 * 0.7, 9 * 1.1])
    value = np.fmod(a, b)
    with dn.engine(engine):
        in_b = np.fmod(a, jet(b, 2))
        both = np.fmod(jet(a, 1), jet(b, 1))
    np.testing.assert_array_equal(in_b.value, value)
    taken = (a - value) / b
    np.testing.assert_allclose(in_b.derivative(1), -np.rint(taken))
    np.testing.assert_allclose(both.derivative(1), 1 - np.rint(taken))


@ENGINES
@pytest.mark.parametrize("p", [2.0, 3.0, -1.0, 0.0, 0.7])
def test_a_power_in_its_exponent_where_that_is_whole(engine: str, p: float) -> None:
    """∂_p ∂_u u^p = u^{p−1} (1 + p log u), p itself being an outer variable."""
    u = 1.8
    with dn.engine(engine):
        forward = dn.derivative(lambda q: dn.derivative(lambda t: t**q)(u))(p)
        backward = dn.grad(lambda q: dn.derivative(lambda t: t**q)(u))(p)
        several = dn.derivative(lambda q: dn.derivative(lambda t: t ** np.stack([q, q + 0.5]), 2)(u))(p)
    true = u ** (p - 1) * (1 + p * np.log(u))
    np.testing.assert_allclose([forward, backward], [true, true], rtol=1e-14)
    q = np.array([p, p + 0.5])
    np.testing.assert_allclose(several, u ** (q - 2) * (2 * q - 1 + q * (q - 1) * np.log(u)), rtol=1e-13)


def test_a_reduction_of_one_element() -> None:
    one = jet([-1.25], order=1)
    np.testing.assert_array_equal(np.hypot.reduce(one).coeffs, [np.hypot.reduce([-1.25]), -1.0])
    for whole in (jet(-1.25, order=1), jet([-1.25], order=1)):
        np.testing.assert_array_equal(np.hypot.reduce(whole, axis=()).value, np.hypot.reduce(whole.value, axis=()))
    x = jet([[1.0, 2.0]], order=1)
    total = np.subtract.reduce(x, axis=0)
    total[0] = 9.0
    np.testing.assert_array_equal(x.value, [[1.0, 2.0]])


@pytest.mark.parametrize("mode", ["constant", "edge", "wrap", "linear_ramp", "mean", "median", "maximum", "minimum"])
def test_padding_by_nothing_is_a_copy(mode: Any) -> None:
    x = jet([1.0, 2.0], order=1)
    y = np.pad(x, 0, mode=mode)
    x[0] = 9.0
    np.testing.assert_array_equal(y.value, [1.0, 2.0])


def test_a_running_sum_of_a_number() -> None:
    y = np.cumulative_sum(jet(2.5, order=1), axis=0, include_initial=True)
    np.testing.assert_array_equal(y.coeffs, [[0.0, 2.5], [0.0, 1.0]])
    assert np.cumulative_prod(jet(2.5, order=1), axis=-1).shape == (1,)


@ENGINES
def test_an_integer_that_no_float_holds(engine: str) -> None:
    x = jet(1.5, order=1)
    with dn.engine(engine):
        for operation in (lambda: x * 10**400, lambda: -(10**400) + x, lambda: np.maximum(x, 10**400)):
            with pytest.raises(dn.DualnumError, match="an integer of 1329 bits"):
                operation()
        np.testing.assert_array_equal((x + 10**300).coeffs, [1e300, 1.0])


@ENGINES
@pytest.mark.parametrize("huge", [2**63, -(2**63) - 1, 2**64, 10**300])
def test_an_integer_that_c_does_not_hold(engine: str, huge: int) -> None:
    special = pytest.importorskip("scipy.special")
    with dn.engine(engine):
        for x in (jet(0.5, 2), jet([0.5, 0.25], 2)):
            for f in (lambda n, x: special.betaincc(2, n, x), lambda n, x: special.kn(n, x), np.logaddexp, np.fmod):
                np.testing.assert_array_equal(f(huge, x).coeffs, f(float(huge), x).coeffs)
            with pytest.raises(dn.NotDifferentiable, match="whole degrees"):
                special.eval_legendre(huge, x)


_INTERRUPTED = """
import signal
import numpy as np
import dualnum as dn
from dualnum.kernel.cpu import threads

def interrupt(*_):
    raise KeyboardInterrupt

threads._threads = 4
signal.signal(signal.SIGALRM, interrupt)
x = np.linspace(0.0, 1.0, 500_000)
for i in range(40):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.003 + 0.0004 * i, 0.01)  # again and again: a finalizer swallows one
        while True:
            np.exp(np.sin(dn.jet(x[: 100_000 * (1 + i % 5)], order=3)))
    except KeyboardInterrupt:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
np.testing.assert_allclose(np.sin(dn.jet(x[:5], order=1)).derivative(), np.cos(x[:5]), rtol=1e-15)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that interrupts")
def test_an_interrupt_leaves_no_chunk_without_its_memory() -> None:
    subprocess.run([sys.executable, "-c", _INTERRUPTED], check=True, timeout=60)


def test_memory_that_comes_back_while_some_is_being_taken() -> None:
    shape, dtype = (memory.LARGE // 8,), np.dtype(float)
    held = memory.empty(shape, dtype)
    with memory._lock:  # as where the garbage collector runs inside
        del held
    assert memory.empty(shape, dtype).shape == shape


def test_no_one_waits_for_memory_that_is_kept() -> None:
    with memory._lock:  # as where an interrupt kept it from its release
        assert memory.empty((memory.LARGE // 8,), np.dtype(float)).shape == (memory.LARGE // 8,)


def test_the_directory_of_kernels_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_FILES", 3)
    monkeypatch.setattr(store, "_EVERY", 1)
    for i in range(6):
        path = tmp_path / f"{i}.o"
        store._write(path, b"code %d" % i)
        os.utime(path, (1000.0 + i, 1000.0 + i))
        if i == 3:
            assert store._read(tmp_path / "1.o") == b"code 1"  # which makes it the youngest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.o", "4.o", "5.o"]


@pytest.mark.parametrize("narrow", [">f4", "<f4", ">f2"])
def test_float_power_is_double_whatever_the_byte_order(narrow: str) -> None:
    u = np.array([1.7, 0.9], narrow)
    y = np.float_power(jet(u, 2), np.array([1.3, -0.7], narrow))
    base, p = u.astype(float), np.array([1.3, -0.7], narrow).astype(float)
    np.testing.assert_allclose(y.derivative(2), p * (p - 1) * base ** (p - 2), rtol=1e-14)


def test_the_gradient_of_an_angle_at_a_number() -> None:
    t = 0.3  # arg(1 + i t) = arctan t
    np.testing.assert_allclose(dn.grad(lambda t: np.angle(1j * t + 1))(t), 1 / (1 + t * t), rtol=1e-15)
    np.testing.assert_allclose(dn.grad(lambda t: np.abs(np.exp(1j * t) + t))(t), _slope_of_modulus(t), rtol=1e-14)


def _slope_of_modulus(t: float) -> float:
    """d/dt |e^{it} + t| = d/dt √(1 + 2 t cos t + t²)."""
    return float((np.cos(t) - t * np.sin(t) + t) / np.sqrt(1 + 2 * t * np.cos(t) + t * t))


@ENGINES
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "arctan2", "maximum", "hypot"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_number_of_numpy_promotes_as_numpy_has_it(engine: str, name: str, kind: Any) -> None:
    f, points = getattr(np, name), np.array([0.7, 1.9], kind)
    number = np.float64(1.3)
    with dn.engine(engine):
        for y, plain in (
            (f(jet(points, 2), number), f(points, number)),
            (f(number, jet(points, 2)), f(number, points)),
        ):
            assert y.dtype == plain.dtype
            np.testing.assert_allclose(y.value, plain, rtol=4 * np.finfo(plain.dtype).eps)
        whole = f(jet(points.astype(float), 2), np.full(2, number))
        np.testing.assert_allclose(f(jet(points.astype(float), 2), number).coeffs, whole.coeffs, rtol=1e-14, atol=1e-15)
