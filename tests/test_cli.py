"""The command line: what it prints, what it refuses, and how it reads formulas."""

import csv
import importlib
import io
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import dualnum
from dualnum.__main__ import EXAMPLE, example_in_closed_form, info, main
from dualnum.cli.plot import _curves
from dualnum.cli.report import digits
from dualnum.formula import DEEPEST, LONGEST, FormulaError, functions, parse, special_functions
from dualnum.pictures import broken

ROOT = Path(__file__).resolve().parents[1]


def run(capsys, *arguments):
    """Exit status, standard output and standard error of the command."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    return (status, *capsys.readouterr())


def table(text):
    """The rows of --csv as dictionaries."""
    return list(csv.DictReader(io.StringIO(text)))


# ── what it prints ───────────────────────────────────────────────────────────────────────────────


def test_lost_digits_are_named(capsys):
    status, out, error = run(capsys, "exp(x)", "--at", "1", "--order", "200", "--csv")
    assert status == 0 and "from order 171 on digits are lost" in error and "k!/64^k" in error
    # the way out that it names
    status, out, error = run(capsys, "exp(64*y)", "--at", "1/64", "--order", "178", "--csv")
    coefficient = float(table(out)[178]["taylor_coefficient"])
    assert status == 0 and not error
    assert math.isclose(coefficient * (math.factorial(178) / 64**178), math.e, rel_tol=1e-13)
    for formula in ("x**3-x", "log(x)", "3", "exp(x)*t"):
        order = "20" if "t" in formula else "200"
        at = ("--at", "x=1,t=2") if "t" in formula else ()
        assert run(capsys, formula, *at, "--order", order, "--csv")[2] == ""


def test_without_arguments_the_example_agrees_with_mpmath_and_its_closed_form(capsys):
    status, text, _ = run(capsys)
    assert status == 0
    assert EXAMPLE in text and "closed form" in text and "30 numbers" in text
    _, text, _ = run(capsys, "--csv")
    rows = table(text)
    assert len(rows) == 30
    for row in rows:
        x, k = float(row["x"]), int(row["order"])
        with mpmath.workdps(40):
            exact = float(mpmath.diff(lambda z: mpmath.exp(-z * z) * mpmath.sin(z), x, k))
        assert_allclose(float(row["derivative"]), exact, rtol=2e-14, atol=1e-15)
        assert_allclose(float(row["closed_form"]), exact, rtol=2e-14, atol=1e-15)


def test_the_smallest_agreement_is_the_one_that_is_reported(capsys):
    _, text, _ = run(capsys)
    column = [line.split()[-1] for line in text.splitlines() if line.strip()[:1] in "0123456789f" and "   f" in line]
    least = min(float(cell) for cell in column if cell != "exact")
    assert len(column) == 30
    assert f"to {least} digits or more" in text
    assert least > 14


def test_a_formula_at_points(capsys):
    _, text, _ = run(capsys, "sin(3*x)", "--at", "0.5", "pi/6", "-1e-3", "--order", "6", "--csv")
    rows = table(text)
    assert len(rows) == 3 * 7
    for row in rows:
        x, k = float(row["x"]), int(row["order"])
        exact = 3.0**k * math.sin(3 * x + k * math.pi / 2)
        assert_allclose(float(row["derivative"]), exact, rtol=1e-13, atol=1e-12)
        assert_allclose(float(row["taylor_coefficient"]) * math.factorial(k), exact, rtol=1e-13, atol=1e-12)


def test_the_table_shows_what_the_csv_says(capsys):
    _, text, _ = run(capsys, "exp(x/2)", "--at", "0.5", "--order", "3")
    shown = [line.split() for line in text.splitlines()[3:]]
    assert [cells[-3] for cells in shown] == ["f", "f'", "f''", "f'''"]
    for k, cells in enumerate(shown):
        assert_allclose(float(cells[-2]), math.exp(0.25) / 2**k, rtol=1e-10)


def test_several_variables_in_one_pass(capsys):
    status, text, _ = run(capsys, "x**3+x*t+t**2", "--at", "x=1,t=3", "t=4,x=2", "--csv")
    assert status == 0
    found = {(float(r["x"]), int(r["order_x"]), int(r["order_t"])): float(r["derivative"]) for r in table(text)}
    assert found == {
        (1.0, 0, 0): 13.0, (1.0, 1, 0): 6.0, (1.0, 0, 1): 7.0, (1.0, 2, 0): 6.0, (1.0, 1, 1): 1.0, (1.0, 0, 2): 2.0,
        (2.0, 0, 0): 32.0, (2.0, 1, 0): 16.0, (2.0, 0, 1): 10.0, (2.0, 2, 0): 12.0, (2.0, 1, 1): 1.0, (2.0, 0, 2): 2.0,
    }  # fmt: skip


def test_a_table_of_partial_derivatives_by_degree(capsys):
    status, text, error = run(capsys, "x**3 + x*t + t**2", "--at", "x=1,t=3", "--order", "2")
    assert status == 0 and not error
    assert [line.split() for line in text.splitlines()] == [
        "f(x, t) = x**3 + x*t + t**2, and its partial derivatives to order 2".split(), [],
        ["x,", "t", "derivative", "Taylor", "coefficient"],
        ["1,", "3", "f", "f", "13", "13"], [],
        ["f_x", "∂f/∂x", "6", "6"],
        ["f_t", "∂f/∂t", "7", "7"], [],
        ["f_xx", "∂²f/∂x²", "6", "3"],
        ["f_xt", "∂²f/∂x∂t", "1", "1"],
        ["f_tt", "∂²f/∂t²", "2", "1"], [],
        "f(1 + δx, 3 + δt) = 13 + 6·δx + 7·δt + 3·δx² + δx·δt + δt² + O(|δ|³)".split(),
    ]  # fmt: skip


def test_several_variables_against_mpmath(capsys):
    _, text, _ = run(capsys, "exp(x*b)*sin(t + b)", "--at", "x=0.3,b=-0.5,t=1.25", "--order", "3", "--csv")
    rows = table(text)
    assert len(rows) == math.comb(6, 3)
    for row in rows:
        orders = tuple(int(row[f"order_{v}"]) for v in "xbt")
        with mpmath.workdps(40):
            f = lambda x, b, t: mpmath.exp(x * b) * mpmath.sin(t + b)  # noqa: E731
            exact = float(mpmath.diff(f, (0.3, -0.5, 1.25), orders))
        assert_allclose(float(row["derivative"]), exact, rtol=1e-13, atol=1e-14)


def test_names_of_several_letters_and_zeros_in_the_polynomial(capsys):
    _, text, _ = run(capsys, "sin(x)*alpha", "--at", "x=0,alpha=-1", "--order", "3")
    assert "f_x^2 alpha" in text and "∂³f/∂x²∂alpha" in text
    assert text.rstrip().endswith("f(0 + δx, -1 + δalpha) = -δx + δx·δalpha + 0.166667·δx³ + O(|δ|⁴)")
    _, text, _ = run(capsys, "floor(x)*ceil(t)", "--at", "x=0.5,t=0.5", "--order", "1")
    assert text.rstrip().endswith("f(0.5 + δx, 0.5 + δt) = 0 + O(|δ|²)")
    _, text, _ = run(capsys, "exp(x*t)", "--at", "x=1,t=2", "--order", "5")
    assert "+ …" in text and max(map(len, text.splitlines())) <= 79


def test_ranges_and_grids(capsys):
    _, text, _ = run(capsys, "x**2", "--at", "-1:1:5", "7", "--order", "0", "--csv")
    assert [float(r["x"]) for r in table(text)] == [-1.0, -0.5, 0.0, 0.5, 1.0, 7.0]
    _, text, _ = run(capsys, "x*t", "--at", "x=0:pi:2,t=1:2:3", "t=0,x=5", "--order", "1", "--csv")
    rows = [r for r in table(text) if (r["order_x"], r["order_t"]) == ("1", "0")]
    assert [(float(r["x"]), float(r["t"])) for r in rows] == [
        (0.0, 1.0), (0.0, 1.5), (0.0, 2.0), (math.pi, 1.0), (math.pi, 1.5), (math.pi, 2.0), (5.0, 0.0),
    ]  # fmt: skip
    assert all(r["derivative"] == r["t"] for r in rows)


def test_outside_the_domain_of_several_variables(capsys, recwarn):
    status, text, _ = run(capsys, "log(x)*t", "--at", "x=0,t=1", "--order", "1")
    assert status == 0 and "-inf" in text and not recwarn.list


def test_outside_the_domain_there_is_nan_and_inf_and_no_warning(capsys, recwarn):
    status, text, _ = run(capsys, "log(x)", "--at", "0", "-1", "--order", "1", "--csv")
    assert status == 0
    rows = table(text)
    assert float(rows[0]["derivative"]) == -math.inf and float(rows[1]["derivative"]) == math.inf
    assert math.isnan(float(rows[2]["derivative"]))
    assert not recwarn.list
    status, text, _ = run(capsys, "log(x)", "--at", "0", "-1")
    assert status == 0 and "nan" in text and "inf" in text


def test_outside_the_domain_there_is_nan_throughout_and_a_note(capsys):
    """The series of log at −1 is that of log(−x); the formula has none there."""
    status, text, error = run(capsys, "log(x)", "--at", "-1", "2", "--order", "3")
    assert status == 0 and not error
    assert text.count("nan") == 2 * 4 + 1 and text.endswith("\nnot defined at x = -1: all derivatives are nan there\n")
    status, text, error = run(capsys, "log(x)", "--at", "-6:-1:6", "--order", "1", "--csv")
    assert all(math.isnan(float(row["derivative"])) for row in table(text))
    assert "not defined at x = -6; x = -5; x = -4; x = -3 and 2 more" in error
    _, text, _ = run(capsys, "log(x)*t", "--at", "x=-1,t=2", "x=1,t=2", "--order", "1")
    assert "f(-1 + δx, 2 + δt) is not defined" in text and "f(1 + δx, 2 + δt) = 2·δx" in text
    assert "not defined at x, t = -1, 2:" in text
    assert "not defined" not in run(capsys, "log(x)", "--at", "0", "1")[1]  # −inf is what NumPy gives


def test_a_range_of_eleven_points(capsys):
    _, text, _ = run(capsys, "x**2", "--at", "0:1:11", "--order", "1", "--csv")
    assert_allclose([float(row["derivative"]) for row in table(text)][1::2], np.linspace(0, 2, 11), rtol=1e-15)


def test_functions_of_scipy_where_it_is_installed(capsys):
    special = pytest.importorskip("scipy.special")
    for formula, exact in [
        ("erf(x)", [special.erf(0.7), 2 / math.sqrt(math.pi) * math.exp(-0.49)]),
        ("gamma(x)", [special.gamma(0.7), special.gamma(0.7) * special.psi(0.7)]),
        ("jv(2, x)", [special.jv(2, 0.7), special.jvp(2, 0.7)]),
        ("x*erf(erf(0)) + 1", [1.0, 0.0]),
    ]:
        status, text, error = run(capsys, formula, "--at", "0.7", "--order", "1", "--csv")
        assert status == 0, error
        assert_allclose([float(row["derivative"]) for row in table(text)], exact, rtol=1e-13)
    assert {"erf", "gammainc", "digamma"} <= special_functions().keys() and not {
        "exp",
        "airy",
    } & special_functions().keys()


def test_names_of_scipys_functions_are_free_for_variables(capsys):
    assert parse("y0*x + beta").variables == ("y0", "x", "beta")
    assert parse("gamma*gamma(x)").variables == ("gamma", "x")


def test_without_scipy_a_formula_says_that_there_are_more_functions(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    special_functions.cache_clear()
    try:
        status, _, error = run(capsys, "qqq(x)")
        assert status == 2 and "no elementwise function of NumPy is named qqq; for those of scipy.special" in error
    finally:
        special_functions.cache_clear()


def test_a_huge_tower_of_powers_is_inf_at_once(capsys):
    status, text, _ = run(capsys, "9**9**9 + 0*x", "--at", "1", "--order", "1", "--csv")
    assert status == 0
    assert float(table(text)[0]["derivative"]) == math.inf


def test_a_constant_has_no_derivatives(capsys):
    _, text, _ = run(capsys, "pi", "--order", "2", "--csv")
    assert [float(r["derivative"]) for r in table(text)] == [math.pi, 0.0, 0.0] * 3


def test_a_leading_minus_is_no_option(capsys):
    _, text, _ = run(capsys, "-x**2", "--at", "-3", "-.5", "--order", "1", "--csv")
    assert [float(r["derivative"]) for r in table(text)] == [-9.0, 6.0, -0.25, 1.0]


def test_info_version_and_help(capsys):
    status, text, _ = run(capsys, "--info")
    assert status == 0
    for line in (f"dualnum {dualnum.__version__}", f"NumPy {np.__version__}"):
        assert line in " ".join(text.split())
    assert "engines" in info() and "cpu (" in info()
    assert run(capsys, "--version")[:2] == (0, f"dualnum {dualnum.__version__}\n")
    status, text, _ = run(capsys, "--help")
    assert status == 0 and "--order" in text


def test_plot_writes_a_picture(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "f.png"
    status, text, _ = run(capsys, "1/(1+x**2)", "--at", "0.5", "2", "--order", "6", "--plot", str(picture))
    assert status == 0 and str(picture) in text
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run(capsys, "pi", "--plot", str(picture))[0] == 0


@pytest.mark.parametrize(
    ("formula", "places", "pole"),
    [("1/x", 1, 0.0), ("tan(x)", 2, math.pi / 2), ("floor(x)", 5, 0.0), ("sin(30*x)", 0, None), ("x**3 - x", 0, None)],
)
def test_curves_break_at_poles_and_steps_and_nowhere_else(formula, places, pole):
    x = np.linspace(-2.95, 2.85, 601)
    curves = _curves(parse(formula), x, 2)
    at, y = broken(x, curves[0], curves[1])
    gaps = np.flatnonzero(np.isnan(at))
    assert len(gaps) == places and np.isnan(y[gaps]).all() and np.array_equal(at[~np.isnan(at)], x)
    if pole is not None:
        assert any(at[i - 1] < pole < at[i + 1] for i in gaps)


def test_curves_leave_out_what_is_undefined(capsys, tmp_path):
    x = np.linspace(-1.0, 1.0, 8)
    curves = _curves(parse("log(x)"), x, 2)
    assert np.array_equal(np.isnan(curves), np.broadcast_to(x < 0, (3, 8)))
    pytest.importorskip("matplotlib")
    picture = tmp_path / "f.png"
    status, text, error = run(capsys, "log(x)", "--at", "-1", "0", "2", "--plot", str(picture))
    assert status == 0 and not error and "not defined at x = -1" in text and picture.exists()
    assert run(capsys, "arcsin(x)", "--at", "9", "--plot", str(picture))[0] == 0  # nothing to draw


def test_plot_without_matplotlib_says_what_to_install(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, _, error = run(capsys, "x", "--plot", str(tmp_path / "f.png"))
    assert status == 2 and "pip install matplotlib" in error


def test_the_console_script_is_the_command(capsys, monkeypatch):
    script = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["dualnum"]
    module, _, name = script.partition(":")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/dualnum", "x**2", "--at", "3", "--order", "1", "--csv"])
    assert getattr(importlib.import_module(module), name)() == 0
    assert [float(row["derivative"]) for row in table(capsys.readouterr().out)] == [9.0, 6.0]
    assert "usage: dualnum " in run(capsys, "--help")[1]


def test_as_a_command_of_its_own():
    """The process: exit status, streams, and an ASCII terminal."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}

    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "dualnum", *arguments], env=environment, capture_output=True, text=True, timeout=60
        )

    good = command("φ**2", "--at", "3", "--order", "2")
    assert good.returncode == 0 and not good.stderr and "9" in good.stdout
    bad = command("foo(x)")
    assert bad.returncode == 2 and not bad.stdout and "Traceback" not in bad.stderr


# ── what it refuses ──────────────────────────────────────────────────────────────────────────────

# formula, column of the caret, words of the message
BAD_FORMULAS = [
    ("", 0, "empty"),
    ("sin(x", 3, "never closed"),
    ("x +", 3, "no formula"),
    ("2x", 0, "product is written with *"),
    ("3 sin(x)", 2, "product is written with *"),
    ("x(1+x)", 0, "product is written with *"),
    ("e(3)", 0, "product is written with *"),
    ("(x)(x)", 0, "product is written with *"),
    ("1 + x^2", 5, "**, not ^"),
    ("x & 1", 2, "'and'"),
    ("x | 1", 2, "'or'"),
    ("~x", 0, "'not'"),
    ("x @ x", 2, "no matrices"),
    ("x << 2", 2, "not allowed"),
    ("1 + np.sin(x)", 4, "without a dot"),
    ("x.__class__", 0, "without a dot"),
    ("().__class__.__bases__", 0, "without a dot"),
    ("x[0]", 0, "index"),
    ("1 + foo(x)", 4, "named foo"),
    ("sni(x)", 0, "is it sin?"),
    ("ln(x)", 0, "is it log?"),
    ("max(x, 0)", 0, "is it maximum?"),
    ("sum(x)", 0, "named sum"),
    ("matmul(x, x)", 0, "named matmul"),
    ("bitwise_count(x)", 0, "named bitwise_count"),
    ("__import__('os')", 0, "__import__"),
    ("eval('1')", 0, "named eval"),
    ("1 + __builtins__", 4, "starts with a letter"),
    ("1 + sin", 4, "write sin(u)"),
    ("arctan2", 0, "write arctan2(u, v)"),
    ("sin(x, x)", 0, "takes 1 argument, 2 given"),
    ("where(x, 1)", 0, "takes 3 arguments, 2 given"),
    ("sin(x=3)", 0, "by position"),
    ("sin(*x)", 0, "by position"),
    ("sin(x, out=x)", 0, "by position"),
    ("lambda: 1", 0, "not allowed"),
    ("[x for x in x]", 0, "not allowed"),
    ("{1}", 0, "not allowed"),
    ("f'{x}'", 0, "not allowed"),
    ("1,5*x", 0, "decimal point"),
    ("x if x else 1", 0, "where("),
    ("x is x", 0, "not allowed"),
    ("x in x", 0, "not allowed"),
    ("(x := 3)", 1, "not allowed"),
    ("x = 3", 2, "no formula"),
    ("'x'", 0, "real numbers"),
    ("2j*x", 0, "real numbers"),
    ("None", 0, "real numbers"),
    ("...", 0, "real numbers"),
    ("x # y", 2, "no meaning"),
    ("import os", 0, "no formula"),
    ("α*Ω*sni(α)", 4, "is it sin?"),
]


@pytest.mark.parametrize(("text", "column", "words"), BAD_FORMULAS, ids=[b[0] or "empty" for b in BAD_FORMULAS])
def test_a_bad_formula_gets_one_line_a_caret_and_status_2(capsys, text, column, words):
    status, out, error = run(capsys, text, "--at", "1")
    assert status == 2 and out == ""
    message, formula, caret = error.rstrip("\n").split("\n")
    assert message.startswith("dualnum: ") and words in message
    assert formula == f"  {text}" and caret == "  " + " " * column + "^"


@pytest.mark.parametrize(
    "text",
    ["x+" * LONGEST + "x", "(" * 900 + "x" + ")" * 900, "-" * 1500 + "x", "x" + "+x" * (DEEPEST + 1), "x\0"],
    ids=["long", "parentheses", "signs", "terms", "null"],
)
def test_long_deep_and_broken_formulas_are_refused(text):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert max(map(len, caught.value.pointed().splitlines())) <= 80


# arguments, words of the message
BAD_ARGUMENTS = [
    (("x*t",), "--at x=1,t=1"),
    (("x*t", "--at", "1", "2"), "--at x=1,t=1"),
    (("x*t", "--at", "x=1"), "no value for t"),
    (("x*t", "--at", "x=1,t"), "one value for each"),
    (("x*t", "--at", "x=1,x=2"), "one value for each"),
    (("x", "--at", "y=1"), "y is no variable"),
    (("x*t", "--at", "x=1,t=2,z=3"), "z is no variable of x*t; expected x, t"),
    (("x", "--at", "0:1"), "expected start:stop:count"),
    (("x", "--at", "0:1:0"), "expected start:stop:count"),
    (("x", "--at", "0:1:2.5"), "expected start:stop:count"),
    (("x", "--at", "0:y:2"), "y is no number"),
    (("x*t", "--at", "x=0:1:2000,t=0:1:2000"), "more than 1000000 points"),
    (("x*t", "--at", "x=1,t=1", "--order", "300"), "lower order"),
    (("x", "--at", "foo"), "foo is no number"),
    (("x", "--at", "2*("), "never closed"),
    (("x", "--order", "-1"), "expected 0 to 1000"),
    (("x", "--order", "1001"), "expected 0 to 1000"),
    (("x", "--order", "1.5"), "invalid int"),
    (("x*y*z", "--at", "x=1,y=1,z=1", "--order", "200"), "lower the order"),
    (("x*t", "--at", "x=1,t=1", "--plot", "f.png"), "one variable"),
    (("x", "--plot", "no/such/folder/f.png"), "No such file"),
    (("x", "--plot", "f.xyz"), "not supported"),
    (("x", "--at", "inf", "--plot", "f.png"), "finite"),
    (("x", "--nonsense"), "unrecognized"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD_ARGUMENTS, ids=[" ".join(a[0]) for a in BAD_ARGUMENTS])
def test_bad_arguments_get_a_message_and_status_2(capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    status, out, error = run(capsys, *arguments)
    assert status == 2 and out == ""
    assert words in error and "Traceback" not in error
    assert not list(tmp_path.iterdir())


# ── how formulas are read ────────────────────────────────────────────────────────────────────────


PIECES = [
    "x", "t", "2", ".5", "1e9", "0", "9**9**9", "pi", "inf", " ", "+", "-", "*", "/", "**", "//", "%", "<", "==", "(",
    ")", ",", "not ", " and ", " or ", "sin(", "log(", "where(", "arctan2(", "maximum(", "^", ".", "=", "#", "α",
    "[", "'",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_is_typed_it_is_a_formula_or_an_error_of_ours(text):
    try:
        formula = parse(text)
    except FormulaError as error:
        assert 0 <= error.column <= max(len(error.text), LONGEST)
        assert str(error) and "\n" not in str(error)
        return
    values = [np.array([0.5, -1.0])] * len(formula.variables)
    assert np.shape(formula(*values)) in ((2,), ())
    assert np.asarray(formula(*values)).dtype == np.float64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**2 - 3*x/2 + 7 // 2", lambda x: x**2 - 1.5 * x + 3),
        ("-x % 2", lambda x: np.remainder(-x, 2)),
        ("2**-1 + +x", lambda x: 0.5 + x),
        ("arctan2(x, 2) + hypot(x, 1)", lambda x: np.arctan2(x, 2) + np.hypot(x, 1)),
        ("where(0 < x <= 1, x, -x)", lambda x: np.where((x > 0) & (x <= 1), x, -x)),
        ("(x > 0) - (x < 0)", np.sign),
        ("not x > 0 or x == 2", lambda x: ((x <= 0) | (x == 2)) * 1.0),
        ("sin(x < 0)", lambda x: np.sin((x < 0) * 1.0)),
        ("pi*e + 0*x", lambda x: np.pi * np.e + 0 * x),
        ("sinc(x) + clip(x, -1, 1) + i0(x)", lambda x: np.sinc(x) + np.clip(x, -1, 1) + np.i0(x)),
        ("  1e3 *\n x ", lambda x: 1000 * x),
    ],
)
def test_formulas_mean_what_numpy_means(text, expected):
    x = np.array([-1.5, 0.0, 0.7, 1.0, 2.0])
    assert_allclose(parse(text)(x), expected(x), rtol=1e-15)


def test_variables_come_in_the_order_in_which_they_appear():
    assert parse("b*exp(-a*t) + b").variables == ("b", "a", "t")
    assert parse("2*pi").variables == ()


def test_formulas_may_call_elementwise_functions_only():
    names = functions()
    assert {"exp", "arctanh", "maximum", "where", "heaviside", "float_power"} <= names.keys()
    assert not {"sum", "matmul", "divmod", "load", "gcd", "isnat", "fromfile", "ldexp"} & names.keys()


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_can_be_differentiated(capsys, name):
    """Its value is NumPy's, and its first derivative a difference quotient's."""
    _, count = functions()[name]
    formula = f"{name}({', '.join(['x/2', '1.5 - x', 'x**2'][:count])})"
    status, text, error = run(capsys, formula, "--at", "0.7", "1.3", "--order", "1", "--csv")
    assert status == 0, error
    found = [float(row["derivative"]) for row in table(text)]
    at = lambda x: np.asarray(parse(formula)(np.array([x])), dtype=float)[0]  # noqa: E731
    for x, value, slope in [(0.7, *found[:2]), (1.3, *found[2:])]:
        assert_allclose(value, at(x), rtol=1e-15)
        if name != "spacing" and not math.isnan(at(x)):
            assert_allclose(slope, (at(x + 1e-6) - at(x - 1e-6)) / 2e-6, rtol=1e-6, atol=1e-8)


def test_digits_of_agreement():
    assert digits(1.0, 1.0) == digits(math.nan, math.nan) == math.inf
    assert digits(1.0, 0.0) == digits(math.nan, 1.0) == 0.0
    assert_allclose(digits(1.001, 1.0), 3.0, rtol=1e-3)


@pytest.mark.parametrize("k", range(9))
def test_the_closed_form_is_right(k):
    with mpmath.workdps(40):
        exact = mpmath.diff(lambda z: mpmath.exp(-z * z) * mpmath.sin(z), 0.7, k)
    assert_allclose(example_in_closed_form(k, 0.7), float(exact), rtol=1e-13)
