"""The contract of a machine: what it accepts, how a program is written, compiled and called, where results live.

A program's operands and results are groups of planes that lie in one of the ways of `layout`. What was compiled is
kept in a `Plan`, and a plan runs by its target. Where a machine function can be called on array objects, with
nothing between, a target says how: short arrays and replayed traces go that way.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .. import memory
from ..kinds import DType
from .ir import Program
from .layout import Routine
from .steps import Steps

__all__ = ["Prepared", "Target"]


class Prepared(Protocol):
    """What a target is told of a plan."""

    @property
    def program(self) -> Program: ...

    @property
    def call(self) -> Callable[..., int] | None: ...

    @property
    def counts(self) -> tuple[int, ...]: ...

    @property
    def work(self) -> int: ...

    @property
    def unit(self) -> int: ...

    def cost(self, directions: int | None) -> int: ...


class Target:
    """A machine that runs programs.

    Attributes:
        name: of the engine.
        arrays: the class of the arrays that it takes and gives.
        compiled: whether programs become functions of the machine; else `run` does with the program as it is.
        looks: whether it can be asked what numbers it has; else programs take care of all that may come, and write
            the zeros of their results as well.
        loops: whether programs of scalars may have loops.
        reduces: whether programs of arrays may reduce their elements.
        interpreter: what runs the programs that it does not, if that is not the one of NumPy.
        layouts: what it reads as it lies; "*" among them: of any shape and type, spread over the elements by itself.
        handle: what a function of the machine takes for an array in one piece, or None: it is not called directly.
        refused: what such a call raises for a number that it cannot take.
        names: what the text of such a call takes for granted.
    """

    name = ""
    arrays: Any = np.ndarray
    compiled = False
    layouts = "cs"
    looks = True
    loops = False
    reduces = False
    interpreter: "Target | None" = None
    handle: Callable[[Any], Any] | None = None
    refused: tuple[type[Exception], ...] = ()
    names: Mapping[str, Any] = {}

    def missing(self) -> str:
        """Why it cannot run here, with the remedy; nothing where it can."""
        return ""

    # ── what it accepts ──────────────────────────────────────────────────────────────────────────

    def computes(self, dtype: DType) -> bool:
        """Whether it computes in this type."""
        return True

    def possible(self, op: Any) -> bool:
        """Whether it has an operation; others are interpreted before."""
        return True

    def fits(self, routine: Routine) -> bool:
        """Whether a program is short enough to be compiled."""
        return True

    # ── how a program is written, compiled and called ────────────────────────────────────────────

    def render(self, routine: Routine) -> str:
        """The text of a program in the machine's language; raises `Unrenderable` where it has none."""
        raise NotImplementedError

    def assembly(self, text: str) -> str:
        """What the machine makes of its text, to look at."""
        raise NotImplementedError

    def object_code(self, text: str) -> dict[str, bytes]:
        """What a file may hold in place of compiling the text again, by its hash; nothing where there is no such."""
        return {}

    def compile(self, routine: Routine) -> Callable[..., int]:
        """The function (outputs…, inputs…, [directions,] length, begin, end) → whether the alarm was raised."""
        raise NotImplementedError

    def stepped(self, steps: Steps) -> Callable[..., int] | None:
        """A loop over rows as one function of the machine, called as `cpu.stepped` says; None where it has none."""
        return None

    def run(
        self,
        plan: Prepared,
        results: Sequence[Any],
        operands: Sequence[Any],
        length: int,
        directions: int | None,
        raised: Any = None,
    ) -> Any:
        """Fills the first `counts` planes of each result; gives back whether the alarm was raised.

        What comes back is true or false; of a machine that is not looked at, once it is asked.

        Args:
            plan: of this target.
            results: stacks of planes in one piece.
            operands: (planes, layout), of windows with the window; and numbers.
            length: elements of a plane.
            directions: P of jets with several.
            raised: for a guarded program, what came back for the one before it.
        """
        raise NotImplementedError

    def empty(self, shape: tuple[int, ...], dtype: DType) -> Any:
        """An array for results."""
        return memory.empty(shape, dtype)

    @property
    def place(self) -> str:
        """The name of the device that it is now."""
        return "cpu"

    def own(self, x: Any) -> Any:
        """An array or number of NumPy's as one of the machine's."""
        return x

    def alarm(self) -> Any:
        """What several programs raise, to be asked once they all have started; of a machine that is not looked at."""
        raise NotImplementedError

    # ── calls with nothing between ───────────────────────────────────────────────────────────────

    def alone(self, work: int) -> int:
        """Up to how many elements, of so many operations each, one call is as good as several side by side."""
        raise NotImplementedError

    def in_chunks(
        self, call: Callable[..., int], arguments: Any, owners: Any, length: int, work: int, unit: int = 0
    ) -> bool:
        """call(*arguments, length, begin, end) over all elements, side by side where that pays.

        Chunks begin at multiples of a unit. The arguments are handles, numbers, and the directions where there are
        several; the `owners` hold the memory.
        """
        raise NotImplementedError

    def argument(self, name: str, layout: str, window: tuple[int, ...] = (0, 0)) -> str:
        """The text of the arguments for an array of this name in one piece."""
        raise NotImplementedError

    def called(
        self, call: str, arguments: Sequence[str], owners: Sequence[str], length: int, work: int, unit: int = 0
    ) -> str:
        """The text of the call of a function of this name over all elements."""
        raise NotImplementedError
