"""Arguments and results that hold arrays: dataclasses, attrs, classes of one's own, labels of pandas and xarray."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import InvalidType, InvalidValue

X = np.array([0.5, -1.0, 2.0])


@dataclass(frozen=True)
class Spring:
    stiffness: Any
    rest: Any
    name: str = "spring"
    law: Any = np.tanh
    steps: int = field(default=3, metadata={"static": True})


@dataclass
class Checked:
    mass: Any
    inverse: Any = field(init=False)

    def __post_init__(self):
        self.inverse = 1 / self.mass


def energy(s, x):
    assert s.name == "spring" and isinstance(s.steps, int)
    return np.sum(s.stiffness * s.law(x - s.rest) ** 2) / s.steps


def test_a_dataclass_is_an_argument_and_a_gradient():
    s = Spring(np.array([1.0, 2.0, 3.0]), 0.1)
    g = dn.grad(energy)(s, X)
    r = np.tanh(X - 0.1)
    assert type(g) is Spring and g.name == "spring" and g.steps == 3
    np.testing.assert_allclose(g.stiffness, r**2 / 3, rtol=1e-15)
    np.testing.assert_allclose(g.rest, -np.sum(2 * s.stiffness * r * (1 - r**2)) / 3, rtol=1e-12)
    value, again = dn.value_and_grad(energy)(s, X)
    assert value == energy(s, X) and again.rest == g.rest
    h = dn.hessian(energy)(s, X)
    np.testing.assert_allclose(h.rest.stiffness, h.stiffness.rest)
    tangent = Spring(np.ones(3), 0.5)
    along = dn.jvp(lambda s: energy(s, X), (s,), (tangent,))[1]
    np.testing.assert_allclose(along, np.sum(g.stiffness) + 0.5 * g.rest, rtol=1e-14)
    np.testing.assert_allclose(dn.directional(lambda s: energy(s, X))(s, tangent), along, rtol=1e-14)


def test_a_dataclass_is_a_result():
    split = lambda x: Spring(x**2, np.sum(x))  # noqa: E731
    d = dn.derivative(split)(X)
    assert type(d) is Spring and d.rest == 3.0
    np.testing.assert_array_equal(d.stiffness, 2 * X)
    _, pull = dn.vjp(split, X)
    np.testing.assert_array_equal(pull(Spring(np.ones(3), 2.0)), 2 * X + 2)
    both = dn.jvp(split, (X,), (np.ones(3),))
    assert all(type(part) is Spring for part in both)
    assert dn.jacobian(split)(X).stiffness.shape == (3, 3)
    with pytest.raises(InvalidValue, match="has the structure"):
        pull(X)


def test_a_dataclass_under_jit():
    s = Spring(np.array([1.0, 2.0, 3.0]), 0.1)
    fast = dn.jit(dn.grad(energy))
    for _ in range(4):
        g, expected = fast(s, X), dn.grad(energy)(s, X)
        assert type(g) is Spring and g.rest == pytest.approx(expected.rest, rel=1e-14)
        np.testing.assert_allclose(g.stiffness, expected.stiffness, rtol=1e-14)
    assert dn.jit(lambda x: Spring(x * 2, 1.0))(X).name == "spring"


def test_fields_that_are_computed_are_computed_anew():
    c = Checked(np.array([2.0, 4.0]))
    g = dn.grad(lambda c: np.sum(c.inverse * c.mass**2))(c)
    np.testing.assert_allclose(g.mass, [1.0, 1.0], rtol=1e-15)


def test_dataclasses_nest_and_are_named_in_errors():
    tree = {"a": [Spring(X, 0.5)], "b": (1.0, 2.0)}
    g = dn.grad(lambda t: np.sum(t["a"][0].stiffness) * t["b"][0])(tree)
    np.testing.assert_array_equal(g["a"][0].stiffness, np.ones(3))
    with pytest.raises(InvalidType, match="argument 0"):
        dn.grad(lambda s: s.rest)(Spring(object(), 1.0))


def test_a_class_of_attrs_is_a_container():
    attrs = pytest.importorskip("attrs")

    @attrs.frozen
    class Point:
        x: Any
        y: Any
        label: str = "p"

    @attrs.define
    class Slotted:
        p: Point
        scale: Any = 2.0

    g = dn.grad(lambda s: s.scale * s.p.x * s.p.y)(Slotted(Point(3.0, 4.0)))
    assert (g.p.x, g.p.y, g.scale, g.p.label) == (8.0, 6.0, 12.0, "p")
    assert dn.jit(lambda s: s.p.x + s.p.y)(Slotted(Point(3.0, 4.0))) == 7.0


def test_a_class_of_ones_own_is_registered():
    class Line:
        __slots__ = ("shift", "slope")

        def __init__(self, slope, shift):
            self.slope, self.shift = slope, shift

    line = Line(2.0, 1.0)
    loss = lambda line: np.sum((line.slope * X + line.shift) ** 2)  # noqa: E731
    with pytest.raises(InvalidType, match="dtype object"):
        dn.grad(loss)(line)
    assert dn.register_container(Line, lambda x: ((x.slope, x.shift), None), lambda _, held: Line(*held)) is Line
    r = 2.0 * X + 1.0
    for gradient in (dn.grad(loss), dn.jit(dn.grad(loss))):
        g = gradient(line)
        np.testing.assert_allclose([g.slope, g.shift], [np.sum(2 * r * X), np.sum(2 * r)], rtol=1e-15)
    with pytest.raises(InvalidValue, match="Line is a container already"):
        dn.register_container(Line, lambda x: ((), None), lambda *_: None)
    with pytest.raises(InvalidType, match="cls is a Line"):
        dn.register_container(line, len, len)
    with pytest.raises(InvalidType, match="expected two functions"):
        dn.register_container(type("Other", (), {}), None, None)


def test_other_libraries_see_dataclasses_as_before():
    optree = pytest.importorskip("optree")
    dn.grad(lambda s: s.rest)(Spring(1.0, 2.0))
    assert optree.tree_leaves(Spring(1.0, 2.0)) == [Spring(1.0, 2.0)]


# ── labels ───────────────────────────────────────────────────────────────────────────────────────


def test_a_series_comes_back_with_its_labels():
    pd = pytest.importorskip("pandas")
    s = pd.Series([1.0, 2.0, 3.0], index=["a", "b", "c"], name="load")
    for result, expected in (
        (dn.grad(lambda x: np.sum(x**3))(s), 3 * s**2),
        (dn.value_and_grad(lambda x: np.sum(x**3))(s)[1], 3 * s**2),
        (dn.derivative(np.exp, 2)(s), np.exp(s)),
        (dn.hvp(lambda x: np.sum(x**3))(s, np.ones(3)), 6 * s),
        (dn.vjp(lambda x: x**2, s)[1](np.ones(3)), 2 * s),
        (dn.grad(lambda w, x: np.sum(w * x), argnums=1)(np.ones(3), s), s * 0 + 1),
    ):
        pd.testing.assert_series_equal(result, expected)
    assert type(dn.grad(lambda w, x: np.sum(w * x))(np.ones(3), s)) is np.ndarray
    assert dn.jacobian(lambda x: x**2)(s).shape == (3, 3)
    assert dn.hessian(lambda x: np.sum(x**2))(s).shape == (3, 3)
    assert dn.jet(s, 1).shape == (3,)
    pd.testing.assert_series_equal(dn.grad(lambda d: np.sum(d["s"] ** 2))({"s": s})["s"], 2 * s)
    integers = pd.Series([1, 2])
    assert dn.grad(np.sum)(integers).dtype == np.float64
    assert dn.jit(lambda s: s.mean() * 2)(s) == 4.0  # the function itself
    pd.testing.assert_series_equal(dn.jit(dn.grad(lambda x: np.sum(x**3)))(s), 3 * s**2)


def test_a_frame_comes_back_with_its_columns():
    pd = pytest.importorskip("pandas")
    df = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0], "who": ["a", "b"]}, index=[10, 20])

    def area(d):
        assert list(d["who"]) == ["a", "b"]
        return d["x"] * d["y"] ** 2

    g = dn.grad(lambda d: np.sum(area(d)))(df)
    pd.testing.assert_frame_equal(g, pd.DataFrame({"x": df.y**2, "y": 2 * df.x * df.y}))
    pd.testing.assert_series_equal(
        dn.directional(lambda x: x**2)(df["x"], np.ones(2)), pd.Series([2.0, 4.0], index=[10, 20], name="x")
    )
    along = dn.derivative(area)(df)  # all columns with t
    pd.testing.assert_series_equal(along, df.y**2 + 2 * df.x * df.y)
    j = dn.jacobian(area)(df)
    np.testing.assert_array_equal(j["x"], np.diag(df.y**2))


def test_an_array_of_xarray_keeps_its_coordinates():
    xr = pytest.importorskip("xarray")
    x = xr.DataArray([[1.0, 2.0, 3.0]], dims=("t", "z"), coords={"z": [10, 20, 30]}, name="u")
    f = lambda x: (x.sel(z=20) * x).sum()  # noqa: E731  labels are there within
    g = dn.grad(lambda x: f(x).data)(x)
    assert type(g) is xr.DataArray and g.dims == ("t", "z") and list(g.z) == [10, 20, 30]
    np.testing.assert_array_equal(g, [[2.0, 8.0, 2.0]])
    xr.testing.assert_allclose(dn.derivative(np.exp)(x), np.exp(x))
    xr.testing.assert_allclose(dn.grad(f)(x), g)  # of no axes
    xr.testing.assert_allclose(dn.jvp(np.exp, (x,), (x,))[1], np.exp(x) * x)
    assert dn.jacobian(np.exp)(x).shape == (1, 3, 1, 3)
    both = xr.Dataset({"u": x, "v": x * 2})
    g = dn.grad(lambda d: (d.u * d.v).sum())(both)
    xr.testing.assert_allclose(g, xr.Dataset({"u": x * 2, "v": x}))
    assert dn.jet(x, 1).shape == (1, 3)
