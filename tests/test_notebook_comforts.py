"""What one sees in a notebook: pictures of jets, tables of variables and partial derivatives, news of a compilation."""

import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import dualnum as dn
from dualnum.autograd import variable
from dualnum.errors import InvalidType, InvalidValue, MissingLibrary
from dualnum.program.explained import Progress

X = np.linspace(-2.0, 2.0, 201)


@pytest.fixture
def axes():
    matplotlib = pytest.importorskip("matplotlib.figure")
    return matplotlib.Figure().subplots()


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines()}


def test_a_jet_draws_its_value_and_derivatives(axes):
    y = np.sin(dn.jet(X, 4))
    assert y.plot(X, axes=axes) is axes
    drawn = lines(axes)
    assert list(drawn) == ["f", "f′", "f″", "f‴"]
    np.testing.assert_allclose(drawn["f″"], np.stack([X, -np.sin(X)], axis=1), atol=1e-15)
    axes.clear()
    y.plot(dn.jet(X, 4), order=4, axes=axes)
    assert list(lines(axes))[-1] == "f⁽⁴⁾"
    axes.clear()
    y.plot(axes=axes, order=0)
    np.testing.assert_array_equal(lines(axes)["f"][:, 0], np.arange(201))


def test_a_picture_breaks_at_poles_and_leaves_out_what_is_undefined(axes):
    with np.errstate(all="ignore"):
        np.tan(dn.jet(X, 2)).plot(X, order=1, axes=axes)
        tangent = lines(axes)["f"]
        assert np.isnan(tangent).any(axis=1).sum() == 2  # at ±π/2
        assert axes.get_ylim()[1] < 200
        axes.clear()
        np.log(dn.jet(X, 2)).plot(X, axes=axes)
        for label, curve in lines(axes).items():
            finite = curve[np.isfinite(curve[:, 1])]
            assert finite[:, 0].min() > 0, label


def test_points_in_any_order_and_large_derivatives(axes):
    x = np.random.default_rng(0).permutation(X)
    np.sin(10 * dn.jet(x, 2)).plot(x, order=2, axes=axes)
    drawn = lines(axes)
    assert list(drawn) == ["f", "f′ / 10", "f″ / 100"]
    np.testing.assert_allclose(drawn["f″ / 100"][:, 1], -np.sin(10 * X), atol=1e-12)


def test_partial_derivatives_and_directions_are_drawn(axes):
    f = np.sin(X) * dn.jets(x=X, t=np.full(201, 0.5), order=2)[1]
    f.plot(X, axes=axes)
    assert list(lines(axes)) == ["f", "∂f/∂x", "∂f/∂t"]
    axes.clear()
    np.sin(dn.jet(X, 1, directions=np.stack([np.ones(201), X]))).plot(X, axes=axes)
    assert list(lines(axes)) == ["f", "f′ along 1", "f′ along 2"]


def test_pictures_refuse(axes, monkeypatch):
    y = dn.jet(X, 2)
    with pytest.raises(InvalidValue, match=r"the jet has shape \(\); expected one axis"):
        dn.jet(1.0).plot()
    with pytest.raises(InvalidValue, match=r"points have shape \(3,\); expected \(201,\)"):
        y.plot(np.ones(3))
    with pytest.raises(InvalidValue, match="order is 3; expected 0 to 2"):
        y.plot(X, order=3, axes=axes)
    with pytest.raises(InvalidType, match="complex"):
        (1j * y).plot(X, axes=axes)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingLibrary, match="pip install matplotlib"):
        y.plot(X)


def rows(html):
    for whole in re.findall(r"<table>.*?</table>", html):
        tree = ElementTree.fromstring(whole)
        yield tree.find("caption").text, [[cell.text or "" for cell in row] for row in tree.iter("tr")]


def test_a_variable_is_a_table():
    x = variable([0.5, 2.0])
    ((caption, table),) = rows(x._repr_html_())
    assert caption == "variable, shape (2,), float64, requires_grad"
    assert table == [["", "[0]", "[1]"], ["value", "0.5", "2."]]
    y = x**2
    y.sum().backward()
    ((_, table),) = rows(x._repr_html_())
    assert table[2] == ["grad", "1.", "4."]
    ((caption, _),) = rows(y._repr_html_())
    assert caption == "variable, shape (2,), float64, grad_fn <PowerBackward>"
    ((_, table),) = rows(variable(np.arange(100.0), False)._repr_html_())
    assert table == [["", "min", "mean", "max", "not finite"], ["value", "0.", "49.5", "99.", "0"]]


def test_several_variables_show_their_partial_derivatives():
    x, t = dn.jets(x=2.0, t=3.0, order=2)
    (_, coefficients), (caption, partials) = rows((x**3 * t)._repr_html_())
    assert caption == "Partial derivatives"
    assert ["δx²", "18."] in coefficients and ["∂²f/∂x²", "36."] in partials and ["∂²f/∂x∂t", "12."] in partials
    many = np.prod(dn.jets(np.arange(1.0, 9.0), order=2, axis=0))._repr_html_()
    (_, _), (_, partials) = rows(many)
    assert partials[1][0] == "f" and partials[2][0] == "∂f/∂x₁" and partials[-1] == ["⋮", "⋮"]
    assert len(list(rows(dn.hyperdual(0.5, 1.0, 2.0)._repr_html_()))) == 1
    assert len(list(rows(dn.jet(0.5, 2)._repr_html_()))) == 1


def test_jit_tells_what_takes_long(monkeypatch):
    monkeypatch.setattr(Progress, "AFTER", 0.0)
    told = []

    def slow(x):
        for k in range(30):
            x = np.sin(x) + k
        return x

    dn.jit(slow, progress=told.append)(X)
    assert told and told[-1].startswith("test_jit_tells_what_takes_long.<locals>.slow took")
    with pytest.raises(InvalidType, match="progress is a bool"):
        dn.jit(slow, progress=True)
