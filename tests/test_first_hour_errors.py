"""The first errors of a new user: each names the function that the line calls, the argument, and what to write."""

import importlib
import math
import re
import statistics
import sys

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import DerivativeDropped
from dualnum.operand.substitutes import SUBSTITUTES

x, s = dn.jet(np.array([0.5, 1.5, 2.0]), order=2), dn.jet(0.5, order=2)
v, loss = dn.autograd.variable(np.array([0.5, 1.5, 2.0])), dn.autograd.variable(0.5)


def said(*words):
    """The error contains these words, one after the other."""
    return pytest.raises(DerivativeDropped, match=".*".join(map(re.escape, words)))


# ── collecting results ───────────────────────────────────────────────────────────────────────────


def test_collecting_results_in_np_array_names_dn_array():
    with said("np.array: a jet", "write dn.array([...])"):
        np.array([s**2, np.sin(s)])
    with said("np.array: a variable", "write dn.array([...])"):
        np.array([loss**2, np.sin(loss)])
    np.testing.assert_allclose(dn.array([s**2, np.sin(s)]).derivative(1), [1, np.cos(0.5)], rtol=1e-15)


def test_filling_an_array_with_results_says_how_to_make_one_that_holds_them():
    """NumPy puts an error of its own around ours, which names the cause first."""
    u = np.zeros(3)
    for value in (s, loss):
        with pytest.raises(ValueError) as raised:
            u[1] = value
        cause = raised.value.__cause__
        assert isinstance(cause, DerivativeDropped)
        assert str(cause).startswith("u[…] = x: a ")
        assert "dn.array([...])" in str(cause) and "np.zeros_like(x, shape=…)" in str(cause)
    with said("u[…] = x: a jet", "np.zeros_like(x, shape=…)"):
        u[:] = x
    u = np.zeros_like(s, shape=3)  # as it says
    u[1] = np.sin(s)
    np.testing.assert_allclose(u.derivative(1), [0, np.cos(0.5), 0], rtol=1e-15)


def test_a_mean_of_a_list_names_dn_array():
    for call, name in [
        (np.mean, "np.mean"),
        (np.max, "np.max"),
        (np.linalg.norm, "np.linalg.norm"),
        (np.sin, "np.sin"),
    ]:
        with said(f"{name}: ", "a jet", f"write {name}(dn.array([...]), …)"):
            call([s, s])
    assert np.mean(dn.array([s, s])).derivative(1) == 1


def test_np_r_and_np_c_name_the_functions_behind_them():
    with said("np.r_[…]", "np.concatenate([x, y])"):
        np.r_[x, x]
    with said("np.c_[…]", "np.column_stack([x, y])"):
        np.c_[x, x]


def test_appending_to_a_list():
    for new in (loss, s):
        y = np.append([1.0, 2.0], new)
        assert isinstance(y, type(new)) and np.array_equal(y.value, [1, 2, 0.5])
    assert np.array_equal(np.append([s, s], x).derivative(1), np.ones(5))
    with said("np.append", "dn.array([...])"):
        np.append([s], [s])


# ── functions of Python ──────────────────────────────────────────────────────────────────────────


def test_functions_of_math_name_those_of_numpy():
    for call, instead in [(math.sin, "np.sin(x)"), (math.erf, "scipy.special.erf"), (math.floor, "np.floor(x)")]:
        with said(f"math.{call.__name__}: a jet as a number", f"write {instead}"):
            call(s)
        with said(f"math.{call.__name__}: a variable as a number", f"write {instead}"):
            call(loss)


def test_float_of_a_jet_says_how_to_get_the_number():
    for call in (float, int, complex):
        with said(f"{call.__name__}(): a jet", f"{call.__name__}(x.value)"):
            call(s)


def test_a_name_of_ones_own_for_a_function_is_no_hindrance():
    collect = np.array
    with said("np.array", "dn.array"):
        collect([s, s])
    from math import sin as sine

    with said("math.sin", "np.sin(x)"):
        [sine(y) for y in [s]]


def test_statements_of_several_lines_and_code_without_a_source():
    with said("np.array", "dn.array"):
        np.array(
            [
                s,
                np.sin(s),
            ]
        )
    with said("np.array", "dn.array"):
        exec("y = np.array([s, np.sin(s)])", {"np": np, "s": s})
    with pytest.raises(TypeError):  # Python's own
        statistics.mean([s, s])


def test_within_a_transform_the_error_is_the_same():
    for f in (dn.derivative(lambda t: np.array([t, t])), dn.grad(lambda t: np.sum(np.array([t, t])))):
        with said("np.array", "dn.array([...])"):
            f(0.5)


def test_methods_of_an_array():
    a = np.ones(3)
    with said("np.ndarray.dot", "np.dot(a, x) or a @ x"):
        a.dot(x)
    with said("np.dot(a, x) or a @ x for a.dot(x)"):  # what it is a method of cannot be told
        np.ones(3).dot(x)


def test_vectorize_names_broadcasting_and_vmap():
    with said("np.vectorize", "f(x) itself", "dn.vmap(f)(x)"):
        np.vectorize(math.sin)(x)


# ── SciPy and others ─────────────────────────────────────────────────────────────────────────────


def test_a_distribution_names_the_function_and_the_argument():
    stats = pytest.importorskip("scipy.stats")
    for y, kind in [(x, "a jet"), (v, "a variable")]:
        with said("scipy.stats.norm.cdf: its argument x", kind, "dn.stats.norm.cdf(x), or scipy.special.ndtr(x)"):
            stats.norm.cdf(y)
    with said("scipy.stats.norm.cdf", "dn.stats.norm.cdf"):
        stats.norm(0, 1).cdf(x)
    with said("scipy.stats.gamma.pdf: its argument x", "dn.stats.gamma.pdf"):
        stats.gamma.pdf(x, 2.0)
    with said("scipy.stats.linregress", "np.polyfit(x, y, 1)"):
        stats.linregress(x, x)


def test_special_functions_that_scipy_writes_in_python():
    special = pytest.importorskip("scipy.special")
    for name in ("logsumexp", "softmax", "log_softmax"):
        with said(f"scipy.special.{name}: its argument", f"dn.special.{name}(x)"):
            getattr(special, name)(x)
    with said("scipy.special.polygamma", "dn.special.polygamma"):
        special.polygamma(1, s)
    with said("scipy.special.comb: its argument N", "dn.special.comb(n, k)"):
        special.comb(s, 2)


def test_a_spline_says_how_to_evaluate_its_polynomials():
    interpolate = pytest.importorskip("scipy.interpolate")
    p = interpolate.CubicSpline([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.5])
    with said("scipy.interpolate.CubicSpline: its argument x", "np.polyval(p.c[:, i], x - p.x[i])"):
        p(x)
    i = np.clip(np.searchsorted(p.x, x.value, "right") - 1, 0, len(p.x) - 2)  # as it says
    y = np.polyval(p.c[:, i], x - p.x[i])
    np.testing.assert_allclose(y.derivative(1), p(x.value, 1), rtol=1e-13)


def test_transforms_factors_and_sparse_matrices():
    fft, linalg, sparse = map(pytest.importorskip, ("scipy.fft", "scipy.linalg", "scipy.sparse"))
    with said("scipy.fft.fft", "np.fft.fft(x)"):
        fft.fft(x)
    with said("scipy.linalg.cho_factor: its argument a", "dn.linalg.cho_factor(a)"):
        linalg.cho_factor(np.outer(x, x) + np.eye(3))
    with said("scipy.sparse", "dn.linalg.csr_array(A) @ x"):
        sparse.eye(3).tocsr() @ x
    a = dn.linalg.csr_array(sparse.csr_array(np.diag([1.0, 2.0, 3.0])))
    np.testing.assert_array_equal((a @ x).derivative(1), [1, 2, 3])


def test_linear_functions_by_their_matrix():
    """What the table says for those that have no rule."""
    fft, integrate = map(pytest.importorskip, ("scipy.fft", "scipy.integrate"))
    np.testing.assert_allclose((fft.dct(np.eye(3), axis=0) @ x).value, fft.dct(x.value))
    t = np.array([0.0, 0.5, 2.0])
    np.testing.assert_allclose((integrate.simpson(np.eye(3), t) @ x).value, integrate.simpson(x.value, t))


def test_plotting_what_carries_derivatives_names_the_value():
    pytest.importorskip("matplotlib").use("Agg")
    plt = importlib.import_module("matplotlib.pyplot")
    with said("matplotlib.pyplot.plot", "plt.plot(t, y.value)"):
        plt.plot(x)
    plt.close("all")


# ── what an operand is called ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("operand", "kind"), [(x, "a jet"), (v, "a variable")])
def test_messages_call_a_variable_a_variable(operand, kind):
    other = {"a jet": "variable", "a variable": "jet"}[kind]
    out = np.zeros_like(operand)
    for call in (
        lambda: np.less(operand, 1, out=out), lambda: np.argmax(operand, out=out), lambda: np.asarray(operand),
        lambda: np.logical_not.at(operand, [0]), lambda: np.add(operand, 1, out=np.zeros(3)),
        lambda: np.copyto(np.zeros(3), operand), lambda: np.add.at(np.zeros(3), [0], operand[0]),
        lambda: np.full(3, operand[0]), lambda: np.zeros(3, like=operand), lambda: np.float64(operand[0]),
    ):  # fmt: skip
        with pytest.raises(TypeError) as raised:
            call()
        assert other not in str(raised.value).replace("np.zeros_like", ""), raised.value


# ── the table ────────────────────────────────────────────────────────────────────────────────────

THEIRS = sorted(name for name in SUBSTITUTES if name.partition(".")[0] in ("builtins", "math", "numpy", "scipy"))


@pytest.mark.parametrize("name", THEIRS)
def test_every_row_is_of_a_function_that_exists(name):
    pytest.importorskip(name.partition(".")[0])
    if name == "math.sumprod" and sys.version_info < (3, 12):
        return
    names = name.split(".")
    for n in range(len(names), 0, -1):
        try:
            thing = importlib.import_module(".".join(names[:n]))
        except ImportError:
            continue
        break
    if names[:2] == ["numpy", "lib"]:  # whose classes are private
        thing = importlib.import_module("numpy.lib._index_tricks_impl")
    for attribute in names[n:]:
        thing = getattr(thing, attribute)


@pytest.mark.parametrize("name", sorted(SUBSTITUTES))
def test_every_substitute_exists(name):
    text = SUBSTITUTES[name].replace("{name}", "")
    for found in re.findall(r"\b(?:dn|np|scipy)(?:\.\w+)+", text):
        head, *rest = found.split(".")
        thing = {"dn": dn, "np": np}.get(head) or pytest.importorskip(".".join([head, *rest[:-1]]))
        rest = rest if head != "scipy" else rest[-1:]
        for part in rest:
            assert hasattr(thing, part), found
            thing = getattr(thing, part)
