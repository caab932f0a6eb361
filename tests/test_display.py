"""What people see of jets in several variables and of hyper-dual numbers."""

import numpy as np
import pytest

import dualnum as dn


def product(order):
    x, t = dn.jets(x=2.0, t=3.0, order=order)
    return x**2 * t


def test_variables_are_shown_by_number_or_by_name():
    x, t = dn.jets(2.0, 3.0, order=2)
    assert repr(x**2 * t) == "Jet(12. + 12.·t₁ + 4.·t₂ + 3.·t₁² + 4.·t₁·t₂, order=2)"
    assert repr(product(2)) == "Jet(12. + 12.·δx + 4.·δt + 3.·δx² + 4.·δx·δt, order=2)"
    (x,) = dn.jets(x=2.0, order=1)
    assert (x**2)._repr_latex_() == r"$4 + 4\,\delta x + \mathcal{O}(\delta x^{2})$"
    assert product(1)._repr_latex_() == r"$12 + 12\,\delta x + 4\,\delta t + \mathcal{O}(|\delta|^{2})$"


def test_hyperdual_numbers_are_shown_as_people_write_them():
    y = dn.hyperdual(1.5, 1.0, 2.0) ** 2
    assert repr(y) == "Jet(2.25 + 3.·ε₁ + 6.·ε₂ + 4.·ε₁ε₂)"
    assert y._repr_latex_() == r"$2.25 + 3\,\varepsilon_{1} + 6\,\varepsilon_{2} + 4\,\varepsilon_{1}\,\varepsilon_{2}$"
    assert "<th>ε₁ε₂</th><td>4.</td>" in y._repr_html_()
    assert repr(-dn.dual(2.0, 0.5)) == "Jet(-2. - 0.5·ε)"


def test_limits_of_each_variable_are_shown():
    x, t = dn.jets(x=2.0, t=3.0, order=(2, 1))
    y = x**2 * t
    assert repr(y) == "Jet(12. + 12.·δx + 4.·δt + 3.·δx² + 4.·δx·δt + 1.·δx²·δt, order=(2, 1))"
    assert y._repr_latex_().endswith(r"\delta x^{2}\,\delta t + \mathcal{O}(\delta x^{3}, \delta t^{2})$")
    assert "order (2, 1)" in y._repr_html_()


def test_what_is_not_kept_says_which_order_keeps_it():
    x, t = dn.jets(x=2.0, t=3.0, order=(2, 1))
    with pytest.raises(dn.InvalidValue, match=r"\(1, 3\).*order=\(2, 3\) or more"):
        (x * t).partial(1, 3)
    with pytest.raises(dn.InvalidValue, match=r"\(2, 1\).*order=3 or more$"):
        product(2).partial(x=2, t=1)


def test_names_are_set_as_in_print():
    theta, rho_1, speed, b2 = dn.jets(theta=1.0, rho_1=2.0, speed=3.0, b2=4.0, order=1)
    latex = (theta + rho_1 + speed + b2)._repr_latex_()
    for name in (r"\delta \theta", r"\delta \rho_{1}", r"\delta \mathit{speed}", r"\delta b_{2}"):
        assert name in latex


def test_terms_of_some_degrees_are_shown_before_they_are_elided():
    x, t = dn.jets(x=0.3, t=0.7, order=3)
    shown = repr(np.exp(x * t))
    assert shown.count("δ") == 12 and "…" not in shown
    x, t = dn.jets(x=0.3, t=0.7, order=8)
    shown = repr(np.exp(x * t))
    assert "…" in shown and max(map(len, shown.splitlines())) <= np.get_printoptions()["linewidth"]
    assert "…" in repr(np.exp(dn.jet(0.3, order=9)))  # of one variable as ever


@pytest.mark.parametrize("width", range(40, 80))
def test_no_parenthesis_stands_alone(width):
    with np.printoptions(linewidth=width):
        lines = repr(np.sin(dn.hyperdual(0.3, 0.7, 1.1, 1.3))).splitlines()
    assert all(line.strip() != ")" for line in lines)
    assert max(map(len, lines)) <= width + 1


def test_parts_that_are_not_there_are_no_attributes():
    for y, absent in (
        (dn.jet(1.0), "eps1"),
        (product(2), "eps12"),
        (dn.dual(1.0), "eps2"),
        (dn.hyperdual(1.0), "eps3"),
    ):
        assert not hasattr(y, absent)
        with pytest.raises(dn.NoAttribute, match="eps: "):
            getattr(y, absent)
    assert "eps12" not in dir(product(2)) and "eps12" in dir(dn.hyperdual(1.0))
    assert {"partial", "gradient", "hessian", "tensor"} <= set(dir(product(2)))
