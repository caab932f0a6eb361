"""docs/architecture.md tells what happens: its lists are compared with the calls, and what it names exists."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from test_layers import FLOOR

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dualnum"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
PROGRAMS = {
    section.partition("\n")[0]: code.group(1)
    for section in SECTIONS
    if (code := re.search(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
}
# (section, whether of a later call, the stops)
LISTS = [
    (section.partition("\n")[0], which == "Later calls", re.findall(r"^\d+\. `([^`]+)`", items, re.MULTILINE))
    for section in SECTIONS
    for which, items in re.findall(r"^(First call|Later calls): .*?\n\n((?:\d+\. .*\n)+)", section, re.MULTILINE)
]

# what is entered in the last line of a program, in its first run and in its second
RECORDER = """
import ast, json, sys
from pathlib import Path
import numpy as np
import dualnum as dn

package = str(Path(dn.__file__).parent) + "/"
*before, last = ast.parse(sys.argv[1]).body
names = {"np": np, "dn": dn}
exec(compile(ast.Module(before, []), "<program>", "exec"), names)
line = compile(ast.Module([last], []), "<program>", "exec")


def run():
    entered = []

    def profile(frame, event, arg):
        if event == "call":
            code = frame.f_code
            if code.co_filename.startswith(package) or code.co_filename == "<jit>":
                entered.append(f"{code.co_filename.removeprefix(package)}:{code.co_qualname}")

    sys.setprofile(profile)
    try:
        exec(line, names)
    finally:
        sys.setprofile(None)
    return entered


print(json.dumps([run(), run()]))
"""


@functools.cache
def entered(section: str) -> tuple[list[str], list[str]]:
    """The functions that the last line of a section's program enters, the first time and the second."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DUALNUM_CACHE": "0", "DUALNUM_ENGINE": "llvm"}
    command = [sys.executable, "-c", RECORDER, PROGRAMS[section]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    return first, second


def missing(stops: Iterable[str], calls: Iterable[str]) -> str | None:
    """The first stop that is not entered after the one before it."""
    following = iter(calls)
    return next((stop for stop in stops if stop not in following), None)


@pytest.mark.parametrize(
    ("section", "later", "stops"), LISTS, ids=[f"{s}, {'later' if k else 'first'}" for s, k, _ in LISTS]
)
def test_the_stops_are_entered_in_this_order(section: str, later: bool, stops: list[str]) -> None:
    calls = entered(section)[later]
    stop = missing(stops, calls)
    assert stop is None, f"{stop} is {'not entered in this order' if stop in calls else 'not entered'}"


def test_every_program_has_a_list_and_every_list_some_stops() -> None:
    assert {section for section, _, _ in LISTS} == set(PROGRAMS)
    assert len(PROGRAMS) == 4
    assert all(len(stops) >= 2 for _, _, stops in LISTS)
    assert sum(len(stops) for _, _, stops in LISTS) == len(re.findall(r"^\d+\. ", TEXT, re.MULTILINE))


def test_a_list_in_another_order_is_noticed() -> None:
    calls = ["a.py:f", "b.py:g", "a.py:f", "c.py:h"]
    assert missing(["a.py:f", "b.py:g", "c.py:h"], calls) is None
    assert missing(["b.py:g", "a.py:f", "c.py:h"], calls) is None
    assert missing(["c.py:h", "a.py:f"], calls) == "a.py:f"
    assert missing(["a.py:f", "b.py:f"], calls) == "b.py:f"


# ── what is named elsewhere ──────────────────────────────────────────────────────────────────────


def definitions(node: ast.AST, within: str = "") -> Iterator[str]:
    """The qualified names of the functions and classes in a module."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            name = within + child.name
            yield name
            yield from definitions(child, f"{name}.{'' if isinstance(child, ast.ClassDef) else '<locals>.'}")
        else:
            yield from definitions(child, within)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z]+[\w/]*(?:\.py(?::[^`]+)?|/))`", TEXT))))
def test_what_it_names_exists(name: str) -> None:
    file, _, function = name.partition(":")
    path = next((folder / file for folder in (PACKAGE, ROOT) if (folder / file).exists()), None)
    assert path is not None
    if function:
        assert function in set(definitions(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / "docs" / target).exists()


def test_the_picture_has_every_folder_on_its_floor() -> None:
    (picture,) = re.findall(r"^```\n([^`]*│[^`]*)^```$", TEXT, re.MULTILINE)
    rows = [re.findall(r"\w+", line.partition("│")[0]) for line in picture.splitlines()]
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= {name for row in rows for name in row}
    floors = [[FLOOR[name] for name in row if name in FLOOR] for row in rows]
    for above, below in pairwise(floors):
        assert min(above) > max(below), picture
