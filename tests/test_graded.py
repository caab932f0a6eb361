"""Rules on homogeneous parts: a rule may decide by the values alone, and does the same in every graded algebra.

`Part` is a homogeneous polynomial in two variables that allows what a rule may do with a coefficient above degree 0
(sums of one degree, products, quotients by numbers, `np.where` with a mask of numbers, linear functions) and refuses
everything else: to compare a coefficient, to ask whether it is zero, to take another function of it.
"""

from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy.special import _ufuncs as private

from dualnum.errors import NotDifferentiable
from dualnum.primitives import Row, rows

ORDER = 4
DIRECTIONS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -2.0], [0.5, 1.25]])
LINEAR = {row.ufunc for row in rows() if row.kind == "linear" and row.ufunc.nin == 1 and row.kink is None}
NUMBER = (bool, int, float, complex, np.generic, np.ndarray)


class Part(NDArrayOperatorsMixin):
    """Σ c_i x^i y^{d−i}, by its d + 1 coefficients."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, c: Any) -> None:
        self.c = list(c)

    def at(self, x: float, y: float) -> Any:
        return sum(c * x**i * y ** (len(self.c) - 1 - i) for i, c in enumerate(self.c))

    def _each(self, f: Any, *others: Any) -> "Part":
        return Part(map(f, self.c, *others))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> "Part":
        assert method == "__call__" and not kwargs, f"{ufunc.__name__}.{method} of a part"
        a, b = inputs if len(inputs) == 2 else (inputs[0], None)
        if ufunc in (np.add, np.subtract):
            x, y = (p if isinstance(p, Part) else _zeros(p, self) for p in (a, b))
            assert len(x.c) == len(y.c), "a sum of parts of different degree"
            return x._each(ufunc, y.c)
        if ufunc is np.multiply and isinstance(a, Part) and isinstance(b, Part):
            c: list[Any] = [0.0] * (len(a.c) + len(b.c) - 1)
            for i, p in enumerate(a.c):
                for j, q in enumerate(b.c):
                    c[i + j] = c[i + j] + p * q
            return Part(c)
        if ufunc is np.multiply:
            part, number = (a, b) if isinstance(a, Part) else (b, a)
            return part._each(lambda p: p * _number(number))
        if ufunc in (np.divide, np.ldexp) and isinstance(a, Part):
            return a._each(lambda p: ufunc(p, _number(b)))
        assert ufunc in LINEAR, f"{ufunc.__name__} of a part"
        return self._each(ufunc)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> "Part":
        if function is np.where:
            condition, a, b = args
            x, y = (p if isinstance(p, Part) else _zeros(p, self) for p in (a, b))
            assert len(x.c) == len(y.c), "a choice between parts of different degree"
            return x._each(lambda p, q: np.where(_number(condition), p, q), y.c)
        assert function in (np.real, np.imag), f"{function.__name__} of a part"
        return self._each(function)


def _number(x: Any) -> Any:
    assert isinstance(x, NUMBER), f"{type(x).__name__} where a number of degree 0 is expected"
    return x


def _zeros(x: Any, like: Part) -> Part:
    """A structural zero as a part of this degree (a NaN stands for a part that is not known)."""
    assert isinstance(x, NUMBER) and np.all((np.asarray(x) == 0) | np.isnan(x)), "a part plus a number"
    return Part([x] * len(like.c))


def moving(u0: Any, seed: int) -> list[Any]:
    """u_0 and random parts of degree 1, 2, …, the first of which does not move along y."""
    random = np.random.default_rng(seed)
    parts = [Part(0.3 * random.uniform(-1, 1, k + 1)) for k in range(1, ORDER + 1)]
    parts[0].c[0] = 0.0
    return [u0, *parts]


def agree(row: Row, point: tuple[Any, ...], which: tuple[int, ...]) -> bool:
    """Asserts that the rule on parts is the rule on their values along lines; false where it has no rule for that."""
    u = [moving(np.float64(x), 7 * i + 1) if i in which else [x] for i, x in enumerate(point)]
    assert row.rule is not None
    with np.errstate(all="ignore"):
        value = row.ufunc(*(v[0] for v in u))
        lines = [[[v[0], *(p.at(*h) for p in v[1:])] for v in u] for h in DIRECTIONS]
        try:
            along = [row.rule(ORDER, value, *line) for line in lines]
        except (NotDifferentiable, TypeError):
            return False
        graded = row.rule(ORDER, value, *u)
    for i in range(row.ufunc.nout):
        y = graded if row.ufunc.nout == 1 else graded[i]
        for k in range(1, len(y)):
            part = y[k] if isinstance(y[k], Part) else _zeros(y[k], Part([0.0] * (k + 1)))
            assert len(part.c) == k + 1
            for h, line in zip(DIRECTIONS, along, strict=True):
                c = line if row.ufunc.nout == 1 else line[i]
                np.testing.assert_allclose(part.at(*h), c[k], rtol=1e-9, atol=1e-11, err_msg=f"{point}, degree {k}")
    return True


def sample(row: Row) -> tuple[Any, ...]:
    if row.ufunc in (np.ldexp, private._lambertw):
        return (0.7, 2) if row.ufunc is np.ldexp else (0.7, 0, 1e-8)
    return tuple(low + 0.37 * (high - low) if isinstance(low, float) else low + 1 for low, high in row.sample)


# where a rule changes over from one formula to another
SPECIAL: dict[str, list[tuple[Any, ...]]] = {
    "logaddexp": [(1.0, 1.0)], "logaddexp2": [(-2.0, -2.0)], "tanh": [(0.0,), (1e-200,)], "expit": [(0.0,)],
    "arcsin": [(0.0,)], "arctanh": [(0.0,)], "tan": [(0.0,), (1.5,)], "ndtri": [(0.5,)], "erfinv": [(0.0,)],
    "erfcinv": [(1.0,)], "spence": [(1.0,)], "xlogy": [(0.0, 2.0), (2.0, 1.0)], "xlog1py": [(0.0, 2.0), (0.0, 0.0)],
    "poch": [(2.0, 2.0), (2.0, 3.0), (2.0, 0.0)], "binom": [(5.0, 2.0), (5.0, 0.0)],
    "boxcox": [(2.0, 0.0), (1.0, 0.0), (1.0, 0.5)], "boxcox1p": [(0.0, 0.0), (0.0, 0.5)],
    "inv_boxcox": [(1.0, 0.0), (0.0, 0.5)], "inv_boxcox1p": [(1.0, 0.0), (0.0, 0.5)],
    "power": [(2.0, 2.0), (0.0, 4.0), (0.0, 5.0), (-2.0, 3.0)], "hypot": [(0.0, 0.0), (0.0, 2.0)],
    "gammainc": [(2.0, 0.0)], "gammaincc": [(1.0, 0.0)], "betainc": [(2.0, 3.0, 0.0), (2.0, 3.0, 1.0)],
    "huber": [(1.0, 1.0)], "pseudo_huber": [(1.0, 0.0)], "rel_entr": [(2.0, 2.0)], "kl_div": [(2.0, 2.0)],
    "exprel": [(0.0,)], "sici": [(1.0,)], "voigt_profile": [(0.0, 1.0, 0.5), (1.0, 0.0, 0.5)], "maximum": [(1.0, 1.0)],
    "log_ndtr": [(-8.0,), (0.0,)], "erfcx": [(0.0,)], "dawsn": [(2.0,)], "rgamma": [(0.0,), (-1.0,)],
    "float_power": [(0.0, 4.0)], "powm1": [(2.0, 3.0)], "psi": [(1.0,)], "beta": [(1.0, 1.0)], "i0e": [(1.0,)],
}  # fmt: skip


ROWS = [row for row in rows() if row.rule is not None and isinstance(row.ufunc, np.ufunc)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_rule_is_the_same_in_every_graded_algebra(row: Row) -> None:
    found = False
    for point in [sample(row), *SPECIAL.get(row.name, [])]:
        n = len(point)
        for which in {tuple(range(n)), *((i,) for i in range(n))}:
            which = tuple(i for i in which if isinstance(point[i], float))  # a whole number is an order or an exponent
            found = (bool(which) and agree(row, point, which)) or found
    assert found, "no argument may move"


@pytest.mark.parametrize("wrong", [
    lambda order, value, u: [value, *(np.where(u_k == 0, 0.0, u_k) for u_k in u[1:])],
    lambda order, value, u: [value, *(u_k * np.isfinite(u_k) for u_k in u[1:])],
    lambda order, value, u: [value, *(np.sin(u_k) for u_k in u[1:])],
    lambda order, value, u: [value, *(u_k + 1.0 for u_k in u[1:])],
    lambda order, value, u: [value, u[1], u[1] * u[2]],
])  # fmt: skip
def test_a_part_refuses_what_a_rule_may_not_do(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        agree(Row(np.positive, "recurrence", wrong), (0.5,), (0,))
    assert agree(Row(np.positive, "recurrence", lambda order, value, u: [value, *u[1:]]), (0.5,), (0,))
    assert sp.xlogy(0.0, 0.0) == 0
