"""A CUDA device for the tests: a real one, or a stand-in that runs CuPy on the processor; else they are skipped.

The stand-in is a module `fakegpu`, on the path or in ``../shared/gpu-emulator``, which must be imported before CuPy.
CuPy is imported when the first of these tests runs, not while tests are collected: the others do without.

Where no kernel has been compiled before, all of them take a stand-in about half an hour. DUALNUM_GPU_EVERY=8 leaves
every eighth case of each test.
"""

import importlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dualnum.kernel import engine

_STAND_IN = Path(__file__).parents[3] / "shared" / "gpu-emulator"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    every = int(os.environ.get("DUALNUM_GPU_EVERY", "1"))
    cases: Counter[str] = Counter()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            test = item.nodeid.partition("[")[0]
            if cases[test] % every:
                item.add_marker(pytest.mark.skip(reason="one of the cases that DUALNUM_GPU_EVERY leaves out"))
            cases[test] += 1


def _devices() -> int:
    try:
        count: int = importlib.import_module("cupy").cuda.runtime.getDeviceCount()
    except Exception:  # no CuPy, no driver: CuPy has an error of its own for each
        return 0
    return count


@pytest.fixture(scope="session")
def cp() -> Any:
    """CuPy, with a device."""
    if "fakegpu" not in sys.modules and not _devices():
        sys.modules.pop("cupy", None)
        if _STAND_IN.exists():
            sys.path.append(str(_STAND_IN))
        try:
            importlib.import_module("fakegpu")
        except (ImportError, OSError) as error:
            pytest.skip(f"there is no CUDA device, and no stand-in for one: {error}")
    module = importlib.import_module("cupy")
    engine.device.alarm()  # the slots for alarms are made once
    return module


class Counts(dict[str, int]):
    """What a device did within a ``with`` block: launch, h2d, d2h, d2d, sync, malloc, compile, …"""


@pytest.fixture
def counted(cp: Any) -> Callable[[], AbstractContextManager[Counts]]:
    """Counts launches, copies and synchronizations; a stand-in alone can."""
    stand_in = sys.modules.get("fakegpu")
    if stand_in is None:
        pytest.skip("a real device counts nothing")

    @contextmanager
    def counting() -> Iterator[Counts]:
        before, counts = dict(stand_in.STATS.items()), Counts()
        yield counts
        counts.update({name: count - before[name] for name, count in stand_in.STATS.items()})

    return counting


@pytest.fixture
def unread(cp: Any) -> Callable[..., AbstractContextManager[None]]:
    """A ``with`` block in which nothing is read from the device, and nobody waits for it, but for what is `asked`.

    A stand-in counts; on a real device it only runs.
    """

    @contextmanager
    def within(asked: Sized = ()) -> Iterator[None]:
        stand_in = sys.modules.get("fakegpu")
        names = ("d2h", "sync") if stand_in else ()
        before = [stand_in.STATS[name] for name in names]
        yield
        assert [stand_in.STATS[name] - count for name, count in zip(names, before, strict=True)] == [len(asked)] * len(
            names
        )

    return within
