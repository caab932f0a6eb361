"""The array functions where elements are equal, zero or one: all ways to vᵀ∇²f w give what one jet along lines does."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from array_function_calls import CALLS
from examination import leaves
from ways import EVERY_WAY, MATRICES, PRODUCTS, Function, differences, in_turn

import dualnum as dn

Call = Callable[[Any], Any]

POINTS = {
    "equal elements": np.array([[1.0, 1.0, 0.0, 2.0], [0.0, 1.0, 1.0, 2.0], [1.0, 1.0, 0.0, 2.0]]),
    "a row of ones and one of zeros": np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 0.5, -1.0, 0.5], [0.0, 0.0, 0.0, 0.0]]),
}
V = np.array([[0.9, -0.4, 0.3, 1.0], [-0.7, 0.6, 0.8, -0.2], [0.5, -1.0, 0.1, 0.7]])
W = np.array([[-0.2, 0.5, 1.1, -0.6], [0.4, 0.9, -0.3, 0.8], [-0.8, 0.2, 0.7, 0.1]])

MORE: dict[str, list[Call]] = {
    "np.logaddexp.reduce": [lambda x: np.logaddexp.reduce(x, axis=1), lambda x: np.logaddexp.accumulate(x, axis=0)],
    "np.logaddexp2.reduce": [lambda x: np.logaddexp2.reduce(x, axis=0)],
    "np.maximum.reduce": [lambda x: np.maximum.reduce(x, axis=1), lambda x: np.maximum.accumulate(x, axis=1)],
    "np.minimum.reduce": [lambda x: np.minimum.reduce(x, axis=0)],
    "np.multiply.reduce": [lambda x: np.multiply.reduce(x, axis=1), lambda x: np.multiply.accumulate(x, axis=0)],
    "np.hypot.reduce": [lambda x: np.hypot.reduce(x, axis=1)],
    "np.add.reduceat": [lambda x: np.add.reduceat(x, [0, 2], axis=1)],
    "np.maximum": [lambda x: np.maximum(x, x[::-1]), lambda x: np.maximum(x, 1.0), lambda x: np.fmin(x, 0.0 * x)],
    "np.where beside infinity": [
        lambda x: np.where(x > 0, 1 / x, 0.0), lambda x: np.where(x > 0, np.log(x), x),
        lambda x: np.where(x > 0, np.sqrt(x), 0.0), lambda x: np.where(x > 1, 1 / (x - 1), x),
    ],
    "np.select beside infinity": [lambda x: np.select([x > 1, x > 0], [1 / (x - 1), 1 / x], 0.5)],
    "np.choose beside infinity": [lambda x: np.choose((x > 0) * 1, [x**2, 1 / x])],
    "np.nan_to_num": [lambda x: np.nan_to_num(1 / x, posinf=3.0, neginf=-3.0), lambda x: np.nan_to_num(x / x)],
    "np.nansum of holes": [lambda x: np.nansum(x / x, axis=0), lambda x: np.nanmax(np.log(x), axis=0)],
    "softmax": [lambda x: np.exp(x - np.max(x, axis=1, keepdims=True)), lambda x: x / np.sum(x**2, axis=1)[1]],
    "pairs": [lambda x: np.where(np.eye(3) > 0, 0.0, np.exp(-np.sum((x[:, None] - x) ** 2, axis=-1)))],
    "norm²": [lambda x: np.linalg.norm(x, axis=1) ** 2, lambda x: np.std(x, axis=1) ** 2, lambda x: np.abs(x) ** 2],
    "powers": [lambda x: x ** np.array([0.0, 1.0, 2.0, 3.0]), lambda x: x**2, lambda x: x**np.int64(3)],
}  # fmt: skip


def measure(call: Call) -> Function:
    """One number from the squares of everything in a result, of which no two weigh the same."""

    def f(x: Any) -> Any:
        total: Any = 0.0 * np.sum(x)
        k = 1.0
        for (leaf,) in leaves(call(x)):
            if getattr(getattr(leaf, "dtype", None), "kind", "O") in "fc" and np.size(leaf):
                weights = np.cos(k + np.arange(np.size(leaf))).reshape(np.shape(leaf)) + 2
                total = total + np.sum(weights * (np.real(leaf) ** 2 + np.imag(leaf) ** 2))
                k += 1.0
        return total

    return f


CASES = [
    (f"{name}, call {i}, {at}", call, x)
    for table in (CALLS, MORE)
    for name, calls in table.items()
    for i, call in enumerate(calls)
    for at, x in POINTS.items()
]


def along_lines(f: Function, x: Any) -> Any:
    """vᵀ∇²f w by polarisation, of one jet for each line; None where there is no finite answer."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            if not np.isfinite(f(x)):
                return None
            plus, minus = (dn.directional(f, 2)(x, v) for v in (V + W, V - W))
    except (dn.DualnumError, ValueError, TypeError, np.linalg.LinAlgError):
        return None  # other tests ask whether it should
    product = (plus - minus) / 4
    return product if np.isfinite(product) else None


def products(f: Function, x: Any, k: int, jit: bool) -> dict[str, Callable[[], Any]]:
    """The ways to it, in turn."""
    compiled: Callable[[Function], Function] = dn.jit if jit else lambda g: g
    ways: dict[str, Callable[[], Any]] = {}
    for name, product in PRODUCTS.items():
        ways[name] = lambda product=product: np.sum(compiled(product(f))(x, V) * W)
    for name, matrix in MATRICES.items():
        ways[name] = lambda matrix=matrix: np.einsum("ij,ijkl,kl", V, compiled(matrix(f))(x), W)
    return in_turn(ways, k, 1 if jit else 5)


def disagreements(name: str, call: Call, x: Any, jit: bool) -> list[str]:
    f = measure(call)
    expected = along_lines(f, x)
    if expected is None:
        pytest.skip("no finite second derivative")
    return differences(products(f, x, [n for n, _, _ in CASES].index(name), jit), expected)


@pytest.mark.parametrize(("name", "call", "x"), CASES, ids=[name for name, _, _ in CASES])
def test_second_derivatives_agree(name: str, call: Call, x: Any) -> None:
    found = disagreements(name, call, x, jit=False)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "call", "x"), CASES[:: 1 if EVERY_WAY else 5], ids=[name for name, _, _ in CASES[:: 1 if EVERY_WAY else 5]]
)
def test_compiled_second_derivatives_agree(name: str, call: Call, x: Any) -> None:
    found = disagreements(name, call, x, jit=True)
    assert not found, "\n".join(found)
