"""Python's collector looks less often while a record grows, and as often as before when it has ended."""

import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import dualnum as dn


@pytest.fixture(autouse=True)
def threshold() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        yield (700, 10, 10)
    finally:
        gc.set_threshold(*before)


def observed(x: object, seen: list[int]) -> object:
    seen.append(gc.get_threshold()[0])
    return np.sum(np.sin(x) ** 2)  # type: ignore[call-overload]


def test_raised_inside_and_put_back() -> None:
    seen: list[int] = []
    x = np.linspace(0.1, 1.0, 4)
    dn.grad(lambda x: observed(x, seen))(x)
    assert seen[0] > 700
    assert gc.get_threshold() == (700, 10, 10)
    dn.grad(lambda x: np.sum(dn.grad(lambda x: observed(x, seen))(x)))(x)  # by the outermost
    dn.jit(lambda x: observed(x, seen))(x)
    assert min(seen) > 700
    assert gc.get_threshold() == (700, 10, 10)


def test_put_back_after_an_error() -> None:
    def fails(x: object) -> object:
        raise KeyError("f's own")

    with pytest.raises(KeyError):
        dn.grad(fails)(1.0)
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [0, 50_000])
def test_what_is_seldom_enough_stays(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    seen: list[int] = []
    dn.grad(lambda x: observed(x, seen))(np.ones(2))
    assert seen == [own]
    assert gc.get_threshold() == (own, 10, 10)


def test_what_the_function_sets_stays() -> None:
    def sets(x: object) -> object:
        gc.set_threshold(1234, 5, 5)
        return np.sum(x)  # type: ignore[call-overload]

    dn.grad(sets)(np.ones(2))
    assert gc.get_threshold() == (1234, 5, 5)


def test_the_last_thread_puts_it_back() -> None:
    first, second = threading.Event(), threading.Event()

    def slow(x: object) -> object:
        first.set()
        second.wait(10)
        return np.sum(x)  # type: ignore[call-overload]

    thread = threading.Thread(target=lambda: dn.grad(slow)(np.ones(2)))
    thread.start()
    first.wait(10)
    dn.grad(lambda x: np.sum(x))(np.ones(2))
    assert gc.get_threshold()[0] > 700
    second.set()
    thread.join()
    assert gc.get_threshold() == (700, 10, 10)
