"""The device that these tests run on."""

from collections.abc import Callable
from typing import Any

import numpy as np


def test_it_computes(cp: Any) -> None:
    np.testing.assert_array_equal(cp.asnumpy(cp.arange(3) * 2), [0, 2, 4])


def test_it_counts(cp: Any, counted: Callable[[], Any]) -> None:
    x = cp.arange(3.0)
    with counted() as counts:
        y = x + 1
    assert counts["launch"] == 1 and counts["d2h"] == counts["sync"] == 0
    with counted() as counts:
        cp.asnumpy(y)
    assert counts["d2h"] == 1
