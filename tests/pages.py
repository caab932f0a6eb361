"""Pages of documentation as tests: their sessions, and numbers compared as far as libraries agree on them."""

import doctest
import re
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"-?\d+\.?\d*(?:e[+-]\d+)?"


def blocks(text: str, language: str) -> list[str]:
    """The contents of the code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def failures(session: str, name: str, **options: Any) -> str:
    """What a session prints that it does not say it prints."""
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    test = doctest.DocTestParser().get_doctest(session, {}, name, name, 0)
    printed: list[str] = []
    with np.printoptions(**options):  # restores what a session sets
        doctest.DocTestRunner(optionflags=flags, checker=Numbers()).run(test, out=printed.append)
    return "".join(printed)


class Numbers(doctest.OutputChecker):
    """Numbers count as far as libraries of mathematics agree on them; the text around them, exactly."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        expected, found = re.findall(NUMBER, want), re.findall(NUMBER, got)
        if not expected or len(expected) != len(found):
            return super().check_output(want, got, optionflags)
        around = [" ".join(re.sub(NUMBER, "#", text).split()) for text in (want, got)]
        return around[0] == around[1] and np.allclose(floats(expected), floats(found), rtol=1e-12, atol=1e-12)


def floats(texts: list[str]) -> list[float]:
    return [float(t) for t in texts]
