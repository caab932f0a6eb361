"""The README says what happens: its tour, its table of the command line, and its links."""

import re
import shlex

import pytest
from numpy.testing import assert_allclose
from pages import NUMBER, ROOT, Numbers, blocks, failures, floats

from dualnum.__main__ import main

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tour_prints_what_it_says():
    tour = "\n".join(blocks(README, "python"))
    assert tour.count(">>>") >= 12
    assert not failures(tour, "README.md")


def test_the_checker_of_the_tour_fails_on_a_wrong_number():
    checker = Numbers()
    assert checker.check_output("np.float64(1.5)\n", "np.float64(1.5000000000000002)\n", 0)
    assert not checker.check_output("np.float64(1.5)\n", "np.float64(1.6)\n", 0)
    assert not checker.check_output("np.float64(1.5)\n", "np.float32(1.5)\n", 0)


@pytest.mark.parametrize("session", blocks(README, "console"), ids=["one variable", "several"])
def test_the_command_line_prints_what_the_readme_shows(capsys, session):
    command, _, shown = session.partition("\n")
    assert command.startswith("$ python -m dualnum ")
    assert main(shlex.split(command)[4:]) == 0
    printed = capsys.readouterr().out
    assert re.sub(NUMBER, "#", printed) == re.sub(NUMBER, "#", shown)
    assert_allclose(floats(re.findall(NUMBER, printed)), floats(re.findall(NUMBER, shown)), rtol=1e-10)


def test_the_two_commands_come_first():
    assert blocks(README, "bash")[0].splitlines() == [
        "pip install . && python -m dualnum",
        'pip install ".[test]" && pytest',
    ]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


def test_the_modules_it_names_exist():
    section = README.partition("## How to read the source")[2].partition("## ")[0]
    names = re.findall(r"`([\w/]+(?:\.py|/))`", section)
    assert len(names) >= 10
    for name in names:
        assert (ROOT / "dualnum" / name).exists(), name
