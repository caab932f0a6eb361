"""What is known of a trace by structure is not forgotten on its way to kernels."""

from typing import Any

import numpy as np
import pytest

import dualnum as dn

X = np.random.default_rng(0).normal(size=12)


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def layered(x: Any) -> Any:
    a = np.random.default_rng(1).normal(size=(12, 12))
    return np.sum(np.tanh(a @ np.tanh(a @ x)))


@pytest.mark.parametrize("f", [rosenbrock, layered])
@pytest.mark.parametrize("transform", [dn.hessian, dn.jacfwd, dn.laplacian, dn.grad])
def test_the_same_numbers(f: Any, transform: Any) -> None:
    np.testing.assert_allclose(dn.jit(transform(f))(X), transform(f)(X), rtol=1e-11, atol=1e-11)


def test_products_with_the_hessian_are_one_kernel_or_two() -> None:
    long = np.linspace(0.1, 1.0, 100)
    for product, kernels in ((dn.hvp, 1), (dn.vhp, 2)):
        for x, count in ((X, 1), (long, kernels)):  # a short one is entries
            lowered = dn.jit(product(rosenbrock)).lower(x, x)
            assert len(lowered.programs) == count
            assert "concatenate" not in lowered.python
            np.testing.assert_allclose(dn.jit(product(rosenbrock))(x, x), product(rosenbrock)(x, x), rtol=1e-12)


def test_directions_stay_together() -> None:
    text = dn.jit(dn.hessian(rosenbrock)).lower(np.linspace(0.1, 1.0, 100)).python
    assert text.count("\n") < 40
    assert "concatenate" not in text


def test_the_text_does_not_grow_with_the_directions() -> None:
    sizes = [len(dn.jit(dn.hessian(rosenbrock)).lower(np.ones(n)).python.splitlines()) for n in (20, 60)]
    assert sizes[0] == sizes[1]


def test_masked_infinities_of_a_constant_condition() -> None:
    x = np.array([0.0, 0.5, 2.0])

    def f(x: Any) -> Any:
        return np.sum(np.where(True, x * 2.0, np.log(x)) + np.where(np.array([False, True, True]), np.log(x), 0.0))

    with np.errstate(all="ignore"):
        for way in (f, dn.grad(f), dn.hessian(f), lambda x: dn.vhp(f)(x, x)):
            np.testing.assert_allclose(dn.jit(way)(x), way(x), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_sums_of_one_plane(dtype: Any) -> None:
    x = np.array([[-0.0, 1.5]], dtype)
    for keepdims in (False, True):
        y = dn.jit(lambda x, k=keepdims: np.sum(x, axis=0, keepdims=k))(x)
        expected = np.sum(x, axis=0, keepdims=keepdims)
        assert y.shape == expected.shape and y.dtype == expected.dtype
        assert not np.signbit(y.real).any()
        np.testing.assert_array_equal(y, expected)


def test_slices_of_what_is_put_together() -> None:
    x = np.arange(24.0).reshape(6, 4)

    def f(x: Any, index: Any) -> Any:
        whole = np.concatenate([x[:3] * 2, x[3:4], x[4:] + 1])
        return whole[index] * 1.0

    for index in (
        slice(1, 5), slice(None, None, 2), slice(1, None, 3), slice(4, 1), slice(None, None, -1), slice(2, 3),
        (slice(1, 5), slice(1, 3)), (slice(0, 4, 2), 1), (slice(3, 6), None, slice(None)), (slice(0, 0),),
        (slice(1, 6), Ellipsis, 2), slice(-3, None), 4, (4, slice(None, None, -1)),
    ):  # fmt: skip
        np.testing.assert_array_equal(dn.jit(lambda x, i=index: f(x, i))(x), f(x, index), err_msg=str(index))


def test_constants_of_one_number_are_one_number() -> None:
    x = np.ones(1000)

    def f(x: Any) -> Any:
        zeros, ones = np.zeros_like(x), np.ones_like(x)
        return x * (np.exp(zeros) + np.cos(ones * 0.5)) + np.full(1000, 2.0) * np.full_like(x, 3)

    lowered = dn.jit(f).lower(x)
    np.testing.assert_allclose(dn.jit(f)(x), f(x), rtol=1e-15)
    assert len(lowered.programs) == 1 and lowered.programs[0].inputs == 1


def test_constants_that_are_written_to_in_between() -> None:
    x = np.linspace(0.1, 1.0, 5)

    def f(x: Any) -> Any:
        c = np.zeros(5)
        y = x + c
        c[:] = 2.0
        y = y * c
        c[-1] = -3.0
        return y * c

    np.testing.assert_array_equal(dn.jit(f)(x), f(x))
