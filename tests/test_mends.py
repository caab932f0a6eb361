"""Mends as programs: what they write on symbols, where every case is computed, is what arrays give."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.special as sp  # noqa: F401 (its rows)

import dualnum as dn
from dualnum import Jet
from dualnum.algebra import Algebra, TotalDegree, Univariate
from dualnum.kernel.interpret import evaluate
from dualnum.kernel.ir import Untraceable
from dualnum.kernel.writing import Writing
from dualnum.primitives import lookup, rows
from dualnum.primitives.derived import derived
from dualnum.primitives.mends import mending

MENDED = [row for row in rows() if row.mend is not None]
# arguments that numbers decide about, which are written into a program, with their place
LITERAL: dict[str, tuple[int, tuple[float, ...]]] = {
    "power": (1, (0.5, 1.5, 2.5, 1 / 3, 2.0)), "float_power": (1, (0.5, 1.5)), "iv": (0, (0.0, 2.0)),
    **dict.fromkeys(("boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p"), (1, (0.5, 1.0, 2.0))),
}  # fmt: skip
CASES = [(row, p) for row in MENDED for p in LITERAL.get(row.name, (0, (None,)))[1]]
each = pytest.mark.parametrize(("row", "p"), CASES, ids=lambda x: getattr(x, "name", x))


def points_of(row: Any, count: int) -> Any:
    """Zeros, ties, ends of the domain and what the row says, in every combination; shape (count, points)."""
    ends = {x for interval in row.domain for x in interval if np.isfinite(x)}
    values = {0.0, 1.0, -1.0, 0.5, -0.5, -2.0, 1e-5, -3e-5, 1e-200, *ends, *(x for p in row.special for x in p)}
    values |= {800.0} if count == 1 else set()
    grid = [*product([*sorted(values), -0.0, np.inf, np.nan], repeat=count)]
    return np.array(grid).T


def coefficients(algebra: Algebra, count: int, points: Any) -> Any:
    """Series at each point, which begin with several zeros of either parity; shape (count, planes, series)."""
    rng = np.random.default_rng(7)
    size = algebra.size - 1
    bits = np.array([*product([0, 1], repeat=min(size, 4))]).T if size else np.ones((0, 1))
    pattern = np.concatenate([bits, np.ones((size - len(bits), bits.shape[1]))])
    each = []
    for i in range(count):
        here = np.repeat(points[i], 2 * pattern.shape[1])
        u = rng.uniform(0.3, 2.0, (size, len(here))) * rng.choice([-1, 1], (size, len(here)))
        mask = np.tile(np.repeat(pattern, 2, axis=1), len(points[i]))
        if i == 1:  # the second argument begins with other zeros than the first
            mask = mask[:, ::-1]
        each.append(np.concatenate([here[None], u * mask]))
    return np.array(each)


def written(row: Any, algebra: Algebra, p: Any, place: int) -> Any:
    """The program of rule and mend, which reads the number p last, if it does."""
    writing = Writing(np.float64, algebra)
    operands = [
        [p] if p is not None and i == place else algebra.homogeneous(writing.operand((algebra.full,)))
        for i in range(row.ufunc.nin)
    ]
    try:  # as a kernel of the rule is made: a number is read, unless it decides how the rule goes
        result = expanded(row, algebra, [[writing.number()] if u == [p] else u for u in operands])
    except Untraceable:
        result = expanded(row, algebra, operands)
    made = mending(row, algebra.order, result[0], operands)
    where, mended = (False, result) if made is None else made
    rule, mend = ([y.get(m, 0.0) for m in algebra.monomials] for y in map(algebra.terms, (result, mended)))
    outputs = rule if made is None else [np.where(where, a, b) for a, b in zip(mend, rule, strict=True)]
    return writing.graph.finish([where, *outputs])


def expanded(row: Any, algebra: Algebra, operands: Any) -> Any:
    return row.expand(algebra.order, *operands, value=row.ufunc(*(u[0] for u in operands)))


def jet_of(algebra: Algebra, planes: Any) -> Any:
    if isinstance(algebra, Univariate):
        return Jet(planes)
    x, _ = dn.jets(planes[0], planes[0], order=algebra.order)
    return x._like(planes.copy(), algebra.full)


def compare(row: Any, algebra: Algebra, p: Any, times: int = 0) -> None:
    """The program of a row, or of a derivative of it along its first argument that is no number."""
    count, place = row.ufunc.nin - (p is not None), LITERAL.get(row.name, (0, ()))[0]
    given = coefficients(algebra, count, points_of(row, count))
    if times:
        first = 1 if p is not None and place == 0 else 0
        row = derived(row, tuple(times * (i == first) for i in range(row.ufunc.nin))).row
    program = written(row, algebra, p, place)
    with np.errstate(all="ignore"), dn.engine("interpret"):
        where, *program_planes = evaluate(program, [*(plane for u in given for plane in u), p])
        operands = [jet_of(algebra, u) for u in given]
        if p is not None:
            operands.insert(place, p)
        y = next(x for x in operands if isinstance(x, Jet))._primitive(row, tuple(operands))
    assert p == 2.0 or np.any(where) or count > 1
    for k, plane in enumerate(program_planes):
        plane = np.broadcast_to(plane, y.planes[k].shape)
        np.testing.assert_allclose(plane, y.planes[k], rtol=1e-12, atol=0, err_msg=f"{row.name}, plane {k}")


@each
@pytest.mark.parametrize("order", range(1, 6))
def test_a_mend_in_one_variable(row: Any, p: Any, order: int) -> None:
    compare(row, Univariate(order), p)


@each
def test_a_mend_in_two_variables(row: Any, p: Any) -> None:
    compare(row, TotalDegree(2, 2), p)


@each
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("order", [1, 3])
def test_a_mend_of_a_derivative(row: Any, p: Any, order: int, times: int) -> None:
    compare(row, Univariate(order), p, times)


@each
def test_a_mend_of_a_derivative_in_two_variables(row: Any, p: Any) -> None:
    compare(row, TotalDegree(2, 2), p, 1)


def test_what_looks_at_the_numbers_has_no_program() -> None:
    with pytest.raises(Untraceable):
        writing = Writing(np.float64, Univariate(2))
        u, v = (Univariate(2).homogeneous(writing.operand(extents)) for extents in ((2,), (None,)))
        mending(lookup(np.power), 2, u[0], [u, v])


@pytest.mark.parametrize("name", ["sqrt", "cbrt", "absolute", "arccos", "arcsin"])
def test_a_mend_in_two_variables_does_not_depend_on_the_neighbours(name: str) -> None:
    row = lookup(getattr(np, name))
    algebra = TotalDegree(2, 2)
    (u,) = coefficients(algebra, 1, np.array([[0.0, 0.5, 1.0]]))
    together = row.ufunc(jet_of(algebra, u))
    for i in range(u.shape[1]):
        alone = row.ufunc(jet_of(algebra, u[:, i : i + 1]))
        np.testing.assert_array_equal(together.planes[:, i : i + 1], alone.planes)
