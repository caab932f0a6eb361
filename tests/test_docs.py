"""The guide says what happens: its sessions print what they show, and both columns of its tables give the same."""

import importlib
import re
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pages import ROOT, blocks, failures

import dualnum as dn

PAGES = {p.relative_to(ROOT / "docs").as_posix(): p.read_text(encoding="utf-8") for p in (ROOT / "docs").rglob("*.md")}
SESSIONS = sorted(name for name, text in PAGES.items() if ">>>" in text)
PEERS = {"from/pytorch.md": "torch", "from/jax.md": "jax", "from/autograd.md": "autograd"}
PEERS |= {"from/uncertainties.md": "uncertainties"}
SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_sessions_print_what_they_show(name: str) -> None:
    pytest.importorskip("scipy")
    session = "\n".join(b for b in blocks(PAGES[name], "python") if b.startswith(">>>"))
    assert not failures(session, name, precision=4, suppress=True)


def rows(text: str) -> list[tuple[str, str]]:
    """The lines of those tables whose columns are code: the peer's, and ours."""
    tables = re.findall(r"^\| .* \| dualnum \|\n\|[-|]+\n((?:\|.*\|\n?)+)", text, re.MULTILINE)
    found = [re.fullmatch(r"\| `(.*)` \| `(.*)` \|", line) for table in tables for line in table.splitlines()]
    assert all(found)
    return [(match[1], match[2]) for match in found if match]


def namespaces(text: str) -> tuple[str, str]:
    """The code above the tables, ours and the peer's: blocks in turn."""
    code = blocks(text, "python")
    return "\n".join(code[::2]), "\n".join(code[1::2])


@pytest.mark.parametrize("name", PEERS)
def test_our_column_runs(name: str) -> None:
    ours: dict[str, Any] = {}
    exec(namespaces(PAGES[name])[0], ours)
    assert rows(PAGES[name])
    for _, code in rows(PAGES[name]):
        assert np.all(np.isfinite(np.asarray(dn.stop_gradient(eval(code, ours)), float))), code


@pytest.mark.parametrize("name", PEERS)
def test_both_columns_give_the_same(name: str) -> None:
    try:
        importlib.import_module(PEERS[name])
    except ImportError:
        pytest.skip(f"{PEERS[name]} is not installed")
    ours, theirs = ({}, {})  # type: tuple[dict[str, Any], dict[str, Any]]
    for code, space in zip(namespaces(PAGES[name]), (ours, theirs), strict=True):
        exec(code, space)
    for their_code, our_code in rows(PAGES[name]):
        their = eval(their_code, theirs)
        their = their.detach() if hasattr(their, "detach") else their
        assert_allclose(
            np.asarray(dn.stop_gradient(eval(our_code, ours)), float),
            np.asarray(their, float),
            rtol=1e-12,
            err_msg=our_code,
        )


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r": ([\w/]+\.md)$", SITE, re.MULTILINE))
    assert listed == set(PAGES)


def test_every_public_name_has_its_place_in_the_reference() -> None:
    text = "\n".join(text for name, text in PAGES.items() if name.startswith("reference/"))
    shown = set(re.findall(r"^::: dualnum\.(\w+)$", text, re.MULTILINE))
    assert {n for n in dn.__all__ if not n.startswith("_")} - shown == {"functions"}  # lists of what is covered
