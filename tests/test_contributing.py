"""CONTRIBUTING.md does what it says: its examples register something new, and notice when that is wrong."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = {section.partition("\n")[0]: section for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}
# the blocks of a section are one program
PROGRAMS = {
    title: "\n".join(blocks)
    for title, section in SECTIONS.items()
    if (blocks := re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
}
# section: something in its rules, and what is wrong in its place
WRONG = {
    "A ufunc: one row": ("np.exp(-x / 2)", "np.exp(-x / 3)"),
    "An array function": ("adjoint=idct", "adjoint=dct"),
    "An operation": ("-to_q @ transposed(x)", "to_q @ transposed(x)"),
    "An algebra": ("sorted(kept, key=by_degree)", "sorted(kept)"),
    "A target": ("length * len(plan.program.nodes)", "0"),
}


def run(program: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, where what it registers stays."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, timeout=300)


def assertions(program: str) -> list[ast.AST]:
    """What raises where the program is wrong."""
    return [
        node
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and re.search(r"\b(assert_\w+|check_derivatives)$", ast.unparse(node.func)))
    ]


def test_what_can_be_added_has_an_example() -> None:
    assert set(WRONG) <= set(PROGRAMS)


@pytest.mark.parametrize("title", PROGRAMS)
def test_the_examples_run(title: str, tmp_path: Path) -> None:
    assert assertions(PROGRAMS[title])
    done = run(PROGRAMS[title], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("title", WRONG)
def test_an_example_fails_when_its_rule_is_wrong(title: str, tmp_path: Path) -> None:
    right, wrong = WRONG[title]
    assert PROGRAMS[title].count(right) == 1
    done = run(PROGRAMS[title].replace(right, wrong), tmp_path)
    assert re.search(r"^AssertionError", done.stderr, re.MULTILINE), done.stderr


def test_the_files_that_it_names_exist() -> None:
    names = re.findall(r"`(?:python )?([a-z]+/[\w/*.]*(?:\.py|\.md|/))`", TEXT)
    assert len(names) >= 10
    for name in set(names):
        assert any((ROOT / "dualnum").glob(name)) or any(ROOT.glob(name)), name


def test_the_tables_of_tests_that_it_names_exist() -> None:
    for names, file in re.findall(r"(`[A-Z_]+`(?: and `[A-Z_]+`)?) (?:of|in)\s+`(tests/\w+\.py)`", TEXT):
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"[A-Z_]+", names):
            assert re.search(rf"^{name}\b", text, re.MULTILINE), f"{file}: {name}"
