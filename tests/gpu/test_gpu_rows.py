"""Every row of the table of primitives on a device: jets there are what jets of NumPy's arrays are.

At points like any others and at those where rules or functions change form; nothing is copied and nobody waits. On a
stand-in the kernels that are made of xsf take NVRTC long: of those few are run, and all where DUALNUM_ALL_ROWS is set.
"""

import os
import sys
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import scipy.special
from cupy_outcomes import LOOKS, ROWS, STAND_IN
from test_agreement_rows import points_of

import dualnum as dn
from dualnum import Jet
from dualnum.counterparts import KERNELS
from dualnum.errors import DualnumError, NonsmoothPoint, NotDifferentiable, NotOnDevice
from dualnum.primitives import rows

EACH = [row for row in rows() if row.rule is not None]
EVERY = "DUALNUM_ALL_ROWS" in os.environ
SOME = {"spence", "iv", "gammainc"}  # of those made of xsf
LONG = {name for name, kernel in KERNELS.items() if kernel.header} | {
    "i0", "i1", "j0", "j1", "y0", "y1", "k0e", "k1e", "yn", "ellipk", "ellipkm1", "gammaincc", "gammainc",
    "hankel1", "hankel2",
}  # fmt: skip
ORDERS = (1, 3) if EVERY else (3,)


def operands(row: Any, order: int, constants: tuple[int, ...], xp: Any) -> list[Any]:
    points = np.array(points_of(row), float).T
    rng = np.random.default_rng(3)
    found: list[Any] = []
    for i, x in enumerate(points):
        u = rng.uniform(0.3, 1.5, (order, len(x))) * rng.choice([-1, 1], (order, len(x)))
        if i not in constants:
            found.append(Jet(xp.asarray(np.concatenate([x[None], u]))))
        else:
            whole = all(isinstance(end, int) for end in row.sample[i])
            found.append(xp.asarray(x.astype(int) if whole else x))
    return found


def constants_of(row: Any, order: int) -> tuple[int, ...]:
    """Which arguments must be constant."""
    some = (c for count in range(row.ufunc.nin) for c in combinations(range(row.ufunc.nin), count))
    for constants in some:
        try:
            row.ufunc(*operands(row, order, constants, np))
        except (DualnumError, TypeError):
            continue
        return constants
    raise AssertionError(row.name)


def same(found: Any, expected: Any, cp: Any) -> None:
    if isinstance(expected, Jet):
        assert isinstance(found, Jet)
        found, expected = found.coeffs, expected.coeffs
    assert isinstance(found, cp.ndarray), f"{type(found)} in place of an array on the device"
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(cp.asnumpy(found), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("row", EACH, ids=lambda row: row.name)
def test_as_on_numpy(cp: Any, row: Any, order: int) -> None:
    stand_in = sys.modules.get("fakegpu")
    if stand_in is not None and row.name in STAND_IN:
        pytest.skip(STAND_IN[row.name])
    if stand_in is not None and row.name in LONG - SOME and not EVERY:
        pytest.skip("on a stand-in its kernels take long: set DUALNUM_ALL_ROWS")
    with np.errstate(all="ignore"):
        constants = constants_of(row, order)
        expected = row.ufunc(*operands(row, order, constants, np))
        there = operands(row, order, constants, cp)
        if row.name in ROWS:
            with pytest.raises(NotOnDevice, match=rf'{row.name.lstrip("_")}.*x\.to_device\("cpu"\)'):
                row.ufunc(*there)
            return
        found = row.ufunc(*there)
        before = dict(stand_in.STATS.items()) if stand_in else {}
        row.ufunc(*there)
        assert not stand_in or all(stand_in.STATS[name] == before[name] for name in ("d2h", "sync"))
    if row.ufunc.nout == 1:
        found, expected = (found,), (expected,)
    for y, e in zip(found, expected, strict=True):
        same(y, e, cp)


def test_how_many() -> None:
    assert len(EACH) - len(ROWS) >= 140
    assert not ROWS.keys() - {row.name for row in EACH}


@pytest.mark.parametrize("name", ["power", "hypot", "gammainc", "betainc", "xlogy", "boxcox", "expn", "eval_legendre"])
def test_numbers_beside_jets(cp: Any, name: str) -> None:
    """2.0**x, and parameters that are numbers."""
    if "fakegpu" in sys.modules and name in STAND_IN:
        pytest.skip(STAND_IN[name])
    row = next(row for row in EACH if row.name == name)
    u = np.random.default_rng(5).uniform(0.2, 0.8, (4, 3))
    for place in range(row.ufunc.nin):
        numbers: list[Any] = [2 if name in ("expn", "eval_legendre") else 1.5] * row.ufunc.nin
        for xp in (np, cp):
            given = [Jet(xp.asarray(u)) if i == place else x for i, x in enumerate(numbers)]
            try:
                y = row.ufunc(*given)
            except NotDifferentiable:  # in that argument
                assert xp is np
                break
            if xp is np:
                expected = y
            else:
                same(y, expected, cp)


def test_complex_numbers_that_cupy_has_not(cp: Any) -> None:
    with pytest.raises(NotOnDevice, match=r"erf: CuPy has no erf of these types; .*x\.to_device"):
        scipy.special.erf(Jet(cp.asarray([[0.5 + 0.5j], [1.0]])))


def test_kinks_are_looked_for_where_errors_are_asked_for(cp: Any) -> None:
    with dn.nonsmooth("raise"), pytest.raises(NonsmoothPoint, match=r"elements \[\(1,\)\]"):
        np.abs(Jet(cp.asarray([[-2.0, 0.0], [1.0, 1.0]])))


def test_arrays_of_exponents_are_looked_at(cp: Any) -> None:
    u = np.array([[0.0, 1.0, 2.0, -1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0], [0.5, 0.3, 0.2, 0.1, 0.4]])
    assert "np.power" in LOOKS
    for p in (np.array([1.5, 2.0, 0.5, 3.0, 2.5]), np.array([2, 3, 1, 2, 2])):
        same(Jet(cp.asarray(u)) ** cp.asarray(p), Jet(u) ** p, cp)
