"""Programs in which branches, writes, small arrays, loops and stencils meet: under jit the results of NumPy as well."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualnum as dn

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "float32": lambda x: x.astype(np.float32),
}


def neighbours(x: Any) -> Any:
    y = x * 1.0
    for i in range(len(x) - 1):
        y[i + 1] = y[i] * 0.5 + x[i]
    return y


def a_view_of_a_copy(x: Any) -> Any:
    """ravel gives a view or a copy, as the array lies; part of it is a part of either."""
    y = np.ravel(x)
    part = y[:1]
    part += 1
    y *= 1.25
    return y, x + 0


def behind_a_transpose(x: Any) -> Any:
    y = x * 1.5
    z = y.T.ravel()
    z[0] = 9
    z[1:3] += 1
    return y, np.ravel(y)


def behind_a_copy(x: Any) -> Any:
    y = x.copy()
    y.ravel()[0] = 7
    z = np.where(y > 0, y, 0.5 * y)
    w = np.ravel(z)
    w *= 1.1
    return z, y


def after_a_write(x: Any) -> Any:
    x += 0.5
    y = np.ravel(x)
    y[:] = np.cos(y)
    return x, y


def a_branch_on_what_was_written(x: Any) -> Any:
    y = np.zeros_like(x)
    y[0] = x[-1]
    y[1:] += x[1:] ** 2
    if np.sum(y) > 1:
        y[-1] = -1.0
    return np.roll(y, 1, axis=0) * np.pad(y, 1).sum()


def until_it_is_small(x: Any) -> Any:
    y = np.ravel(x)[:4] * 1.0
    count = 0
    while np.max(np.abs(y)) > 0.1:
        y = y - 0.5 * np.sin(y)
        y[0] *= 0.5
        count += 1
    return y * count


def rolled_views(x: Any) -> Any:
    y = np.roll(x, 2, axis=0)
    z = y[1:]
    z *= 2
    w = np.pad(x, 0)
    w[0] = 7
    return x + y + w


PROGRAMS = [neighbours, a_view_of_a_copy, behind_a_transpose, behind_a_copy, after_a_write,
            a_branch_on_what_was_written, until_it_is_small, rolled_views]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 2), (9, 10), (20, 33)])
@pytest.mark.parametrize("f", PROGRAMS)
def test_results_and_what_is_written(f: Any, shape: tuple[int, ...], layout: Any) -> None:
    def argument() -> Any:
        return layout(np.random.default_rng(3).normal(size=shape))

    x, fast = argument(), dn.jit(f)
    right = f(x)
    tolerance = 1e-12 if x.dtype == np.float64 else 1e-4
    for _ in range(3):
        given = argument()
        found = fast(given)
        for a, b in zip([*right, x], [*found, given], strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    assert not fast.explain(argument()).reason


def test_a_loop_that_ends_by_its_numbers_is_one_kernel() -> None:
    def root(a: Any) -> Any:
        x = a
        for _ in range(50):
            step = (x * x - a) / (2 * x)
            x = x - step
            if abs(step) < 1e-9:
                break
        return x

    fast = dn.jit(dn.derivative(root))
    for a in (2.0, 3.0, 2.0):
        np.testing.assert_allclose(fast(np.float64(a)), 0.5 / np.sqrt(a), rtol=1e-12)
    with dn.engine("llvm"):
        assert len(dn.jit(root).explain(np.float64(2.0)).kernels) == 1


def test_a_gradient_through_writes_into_a_short_state() -> None:
    def energy(p: Any) -> Any:
        x = p * 1.0
        for _ in range(120):
            x[2:] -= 0.01 * x[:2] / (1.0 + np.sum(x[:2] ** 2))
            x[:2] += 0.01 * x[2:]
        return np.sum(x**2)

    p = np.array([1.0, 0.5, 0.2, 0.3])
    right = dn.grad(energy)(p)
    fast = dn.jit(dn.grad(energy))
    for _ in range(2):
        np.testing.assert_allclose(fast(p), right, rtol=1e-10)


@pytest.mark.parametrize("value", [lambda x: x[:1], lambda x: x[:2], lambda x: "a", lambda x: None, lambda x: 1j,
                                   lambda x: [1.0], lambda x: x[0], lambda x: 2])  # fmt: skip
def test_what_is_written_into_one_entry(value: Any) -> None:
    def f(x: Any) -> Any:
        y = x * 1
        y[0] = value(x)
        return y

    x = np.arange(1.0, 5.0)
    try:
        right = f(x)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error), match=str(error)[:20].replace("(", ".").replace(")", ".")):
            dn.jit(f)(x)
    else:
        np.testing.assert_array_equal(dn.jit(f)(x), right)
