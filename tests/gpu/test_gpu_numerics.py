"""Accuracy on a device: the edge grid of the suite, against mpmath."""

from typing import Any

import numpy as np
import pytest
import test_primitives as primitives
from oracle import worst

from dualnum import jet

LIMIT = 16.0


def failures(cp: Any, name: str, dtype: Any, order: int) -> list[str]:
    row = primitives.row_of(name)
    points = primitives.points_of(row, dtype, 2)
    if dtype == np.float32:  # CuPy compiles everything so that subnormal numbers of this type are zero
        points = points[(points == 0) | (np.abs(points) >= 1e-30)]
    planes = row.ufunc(jet(cp.asarray(points), order)).planes.get()
    assert planes.dtype == dtype
    found = []
    for x, c in zip(points, planes.T, strict=True):
        exact = primitives.exact(name, float(x), order)
        e = worst(c, exact, x)
        if not e <= LIMIT:
            found.append(f"{name}({x!r}): E = {e:.3g}")
    return found


@pytest.mark.parametrize("name", primitives.UNARY)
def test_float64(cp: Any, name: str) -> None:
    assert not (found := failures(cp, name, np.float64, 8)), "\n".join(found)


@pytest.mark.parametrize("name", [name for k, name in enumerate(primitives.UNARY) if k % 4 == 0])
def test_float32(cp: Any, name: str) -> None:
    assert not (found := failures(cp, name, np.float32, 4)), "\n".join(found)
