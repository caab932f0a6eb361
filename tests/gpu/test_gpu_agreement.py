"""One derivative, whatever the way to it, on a device as well: the rows of the agreement suite and its ways.

Compiling takes its time where no kernel is known yet: each case tries some ways, in turn, unless asked for all.
"""

from typing import Any

import numpy as np
import pytest
import test_agreement_rows as rows
from ways import EVERY_WAY, Function, Way, along, differences, in_turn, ways_of

from dualnum.errors import NotOnDevice

# of NumPy's rows those whose rules have branches, mends and kinks; the others are like them
FEW = (
    "absolute", "arccos", "arctan2 along (1.0, 1.0)", "cbrt", "cosh", "divide along (1.0, -0.75)", "exp", "expm1",
    "fmax along (1.0, 1.0)", "hypot along (1.0, -0.75)", "log1p", "logaddexp along (1.0, 1.0)",
    "maximum along (1.0, -0.75)", "power along (1.0, 0.0)", "power along (1.0, 1.0)", "reciprocal", "sign", "sin",
    "sqrt", "square", "tanh", "erf", "gammaln", "xlogy along (1.0, 1.0)",
)  # fmt: skip
NAMES = list(rows.CASES) if EVERY_WAY else [name for name in rows.CASES if name in FEW]


def on_host(way: Way, n: int, f: Function, x: Any) -> Any:
    y = way(f, n)(x)
    return y.get() if hasattr(y, "get") else y


@pytest.mark.parametrize("jit", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", NAMES)
def test_ways_agree(cp: Any, name: str, jit: bool) -> None:
    case, k = rows.CASES[name], list(rows.CASES).index(name)
    derivatives, finite = rows.expected(name)
    points = [p for p, known in zip(case.points, finite, strict=True) if known]
    x, arguments = cp.asarray(case.start(points)), list(map(cp.asarray, case.arguments(points)))
    f: Function = case.call if case.row.ufunc.nin == 1 else along(case.call, arguments, case.direction)
    found = []
    for n, count in {1: 1, 2: 2, 3: 1}.items():
        ways = ways_of(n, jit)
        for way, made in (ways if EVERY_WAY else in_turn(ways, k, count)).items():
            try:
                y = on_host(made, n, f, x)
            except NotOnDevice:
                pytest.skip("CuPy has not what it takes")
            found += [
                f"n = {n} at {points}: {line}"
                for line in differences({way: lambda y=y: y}, derivatives[n - 1, finite], elementwise=True)
            ]
    assert not found, "\n".join(found)


def test_numbers_of_the_host_join(cp: Any) -> None:
    x = cp.asarray(np.array([0.5, 2.0]))
    for n in (1, 2, 3):
        for way in ways_of(n).values():
            expected = way(lambda u: u**3 * np.float64(2.0) + 1.0, n)(x.get())
            np.testing.assert_allclose(on_host(way, n, lambda u: u**3 * np.float64(2.0) + 1.0, x), expected, rtol=1e-12)
