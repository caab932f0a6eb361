"""The names that the docstrings' examples take for granted."""

from typing import Any

import numpy as np
import pytest

import dualnum as dn


@pytest.fixture(autouse=True)
def _names_of_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace.update(np=np, dn=dn, jet=dn.jet, Jet=dn.Jet)
