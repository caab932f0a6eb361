"""The README says what happens: its tour, its table of the command line, and its links."""

import doctest
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dualnum.__main__ import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBER = r"-?\d+\.?\d*(?:e[+-]\d+)?"


def blocks(language):
    """The contents of the README's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_tour_prints_what_it_says():
    tour = "\n".join(blocks("python"))
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    test = doctest.DocTestParser().get_doctest(tour, {}, "tour", "README.md", 0)
    assert len(test.examples) >= 12
    printed = []
    with np.printoptions():  # restores what the tour sets
        doctest.DocTestRunner(optionflags=flags, checker=_Numbers()).run(test, out=printed.append)
    assert not printed, "".join(printed)


class _Numbers(doctest.OutputChecker):
    """Numbers count as far as libraries of mathematics agree on them; the text around them, exactly."""

    def check_output(self, want, got, optionflags):
        expected, found = re.findall(NUMBER, want), re.findall(NUMBER, got)
        if not expected or len(expected) != len(found):
            return super().check_output(want, got, optionflags)
        around = [" ".join(re.sub(NUMBER, "#", text).split()) for text in (want, got)]
        return around[0] == around[1] and np.allclose(_floats(expected), _floats(found), rtol=1e-12, atol=1e-12)


def _floats(texts):
    return [float(t) for t in texts]


def test_the_checker_of_the_tour_fails_on_a_wrong_number():
    checker = _Numbers()
    assert checker.check_output("np.float64(1.5)\n", "np.float64(1.5000000000000002)\n", 0)
    assert not checker.check_output("np.float64(1.5)\n", "np.float64(1.6)\n", 0)
    assert not checker.check_output("np.float64(1.5)\n", "np.float32(1.5)\n", 0)


@pytest.mark.parametrize("session", blocks("console"), ids=["one variable", "several"])
def test_the_command_line_prints_what_the_readme_shows(capsys, session):
    command, _, shown = session.partition("\n")
    assert command.startswith("$ python -m dualnum ")
    assert main(shlex.split(command)[4:]) == 0
    printed = capsys.readouterr().out
    assert re.sub(NUMBER, "#", printed) == re.sub(NUMBER, "#", shown)
    assert_allclose(_floats(re.findall(NUMBER, printed)), _floats(re.findall(NUMBER, shown)), rtol=1e-10)


def test_the_two_commands_come_first():
    assert blocks("bash")[0].splitlines() == ["pip install . && python -m dualnum", 'pip install ".[test]" && pytest']


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_the_modules_it_names_exist():
    section = README.partition("## How to read the source")[2].partition("## ")[0]
    names = re.findall(r"`([\w/]+(?:\.py|/))`", section)
    assert len(names) >= 10
    for name in names:
        assert (ROOT / "dualnum" / name).exists(), name
