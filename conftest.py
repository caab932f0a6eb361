"""What every run of the tests has: one thread for small matrices, little to collect, and the names of the examples."""

import gc
import os

# BLAS's threads wait for work by spinning, for longer than matrices of three rows take; set before NumPy loads it
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from typing import Any

import numpy as np
import pytest

import dualnum as dn


def pytest_collection_finish() -> None:
    """Twelve thousand collected tests are not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process for files that are named, which does not have to be started first."""
    return 0 if config.args_source is pytest.Config.ArgsSource.ARGS else None


@pytest.fixture(autouse=True, scope="session")
def _names_of_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace.update(np=np, dn=dn, jet=dn.jet, Jet=dn.Jet)
