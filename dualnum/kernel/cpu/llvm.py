"""LLVM as a target: compiled through llvmlite, and kept."""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

from ..layout import Routine
from ..steps import Steps
from . import host, render, rolled, store
from .native import Native
from .stepped import stepped

__all__ = ["LLVM"]


class LLVM(Native):
    """Vectors of the host's width, with the vector library's functions where they are there."""

    name = "llvm"
    layouts = Native.layouts + "o"
    loops = True
    reduces = True

    def longest(self, routine: Routine) -> int:
        return rolled.LONGEST if rolled.is_long(routine) else super().longest(routine)

    def missing(self) -> str:
        if importlib.util.find_spec("llvmlite"):
            return ""
        return 'llvmlite is not installed; pip install llvmlite, or "interpret"'

    def render(self, routine: Routine) -> str:
        return render.render(routine, self.offset)

    def load(self, text: str, types: Sequence[Any]) -> Callable[..., int]:
        return store.kernel(text, types)

    def stepped(self, steps: Steps) -> Callable[..., int] | None:
        return stepped(steps)

    def object_code(self, text: str) -> dict[str, bytes]:
        return dict([store.object_code(text)])

    def assembly(self, text: str) -> str:
        return host.assembly(text)
