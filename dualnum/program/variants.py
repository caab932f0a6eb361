"""What is kept of a jitted function for arguments of one signature: its traces, or why it runs as it is.

A function that branches on numbers has a trace for each way it went (`Variant`), of which the guards tell the one that
fits. The first calls of each are measured, the function itself among them, and what loses is not used.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import optree

from ..jets.jet import Jet
from ..operand.levels import ambient
from .replay import ALARM, GUARD, Replay

__all__ = ["Kept", "Variant"]

MOST = 8  # traces of one signature
_UNLUCKY = 3  # traces in succession that did not fit again, guarded by numbers that may be anything
_TIMED = "timed"  # what a variant gives where it is the turn of the function itself
_ROUND = 5  # calls of one round of measurements: three replays, and the function itself twice
_LOSES = 1.1  # times the function's own time
_SLACK = 3e-6  # seconds a call that are lost in the clock, and in looking up the signature
_WATCHED = 16  # calls, after one that raised an alarm, among which most must not
_LONG = 0.5  # seconds by which the function may take longer on its first call, because it compiles kernels


_OF_NUMBERS = (ArithmeticError, ValueError, IndexError)  # errors that numbers may lead to, LinAlgError among them


class Variant:
    """One trace, and how its outputs are given back.

    Attributes:
        replay: the compiled trace.
        run: (inputs) → the outputs; ALARM, GUARD or the like where there are none.
        single: whether there is one output, an array.
        guards: its guards.
        structure, described: how its outputs are given back.
        calls: how often it ran while it was measured.
        best: the shortest time of a replay, and of the function itself, in seconds.
        alarms: how many of the calls that were watched raised an alarm, and of how many.
    """

    def __init__(self, replay: Replay, structure: Any, described: list[Any], guards: Sequence[Any], measured: bool):
        self.replay = replay
        self.guards = guards
        self.structure = structure
        self.described = described
        self.single = structure == optree.tree_structure(0, none_is_leaf=True) and described[0] == ("array",)  # type: ignore[arg-type]
        flat = optree.tree_structure((0,) * len(described), none_is_leaf=True)  # type: ignore[arg-type]
        self._flat = structure == flat and all(d == ("array",) for d in described)
        self.run: Callable[[Sequence[Any]], Any] = self._measured if measured else replay.run
        self.calls = 0
        self.best = [np.inf, np.inf]
        self.alarms = [0, 0]
        self._resumed = self.run

    def given_back(self, outputs: Sequence[Any]) -> Any:
        """The results in the structure that the function returned."""
        if self._flat:
            return tuple(outputs)
        arrays = iter(outputs)
        results = []
        for d in self.described:
            if d[0] == "plain":
                results.append(d[1])
            elif d[0] == "jet":
                results.append(object.__new__(Jet)._set(next(arrays), d[2], d[1], ambient()))
            else:
                results.append(next(arrays))
        return optree.tree_unflatten(self.structure, results)

    def tried(self, inputs: Sequence[Any]) -> Any:
        """The outputs, unmeasured; another trace's turn where what it does cannot be done with these arguments."""
        try:
            return self.replay.run(inputs)
        except Exception as error:
            return self.failed(error)

    def settle(self, inputs: Sequence[Any]) -> Any:
        """The outputs for the arguments of the trace, for which its guards are as they are to be."""
        results = self.tried(inputs)
        for guard in self.guards:
            guard.settled = True
        return results

    def failed(self, error: Exception) -> Any:
        """What to do where a replay raises: with guards still ahead the function itself may have gone another way."""
        if self.guards:
            return GUARD
        if isinstance(error, _OF_NUMBERS):  # the function itself may know what to do with a singular matrix
            return ALARM
        raise error

    # ── measuring ────────────────────────────────────────────────────────────────────────────────

    def _measured(self, inputs: Sequence[Any]) -> Any:
        """A call among the first few: its time, unless it is the function's own turn."""
        if self.calls % _ROUND > 2:
            return _TIMED
        start = perf_counter()
        results = self.replay.run(inputs)
        if type(results) is list:
            self.best[0] = min(self.best[0], perf_counter() - start)
            self.calls += 1
        return results

    def beside(self, f: Callable[[], Any]) -> Any:
        """f(), the function itself, and its time."""
        start = perf_counter()
        result = f()
        seconds = perf_counter() - start
        self.best[1] = min(self.best[1], seconds)
        self.calls += 1
        replay, own = self.best
        wins = replay <= _LOSES * own + _SLACK
        if (wins and self.calls % _ROUND == 0) or own > 3 * replay + _LONG:
            self.run = self.replay.run
        return result

    def _watched(self, inputs: Sequence[Any]) -> Any:
        """A call among those after an alarm."""
        results = self.replay.run(inputs)
        self.alarms = [self.alarms[0] + (results is ALARM), self.alarms[1] + 1]
        if self.alarms[1] == _WATCHED and 2 * self.alarms[0] < _WATCHED:
            self.run, self.alarms = self._resumed, [0, 0]
        return results

    def alarmed(self) -> bool:
        """Notes an alarm; whether there are too many."""
        if not self.alarms[1]:
            self._resumed, self.run = self.run, self._watched
        return self.alarms[1] >= _WATCHED

    @property
    def lost(self) -> str:
        """Why it is not worth while, once that is known."""
        replay, own = self.best
        if self.calls < 2 * _ROUND or replay <= _LOSES * own + _SLACK:
            return ""
        return f"its replay took {_time(replay)}, the function itself {_time(own)}"


class Kept:
    """What is kept for a signature.

    Attributes:
        described: the signature.
        front: the variant that was used last; None as long as there is none.
        variants: all, the latest used first.
        reason: why the function runs as it is.

    Args:
        described: the signature.
        tell: what the reason is told to, once there is one.
    """

    __slots__ = ("_tell", "described", "front", "misses", "reason", "rescued", "unlucky", "variants")

    def __init__(self, described: Any, tell: Callable[[str], None]) -> None:
        self.described = described
        self._tell = tell
        self.front: Any = None
        self.variants: tuple[Variant, ...] = ()
        self.reason = ""
        self.unlucky = 0  # new traces since one fitted again
        self.misses = self.rescued = 0

    def otherwise(
        self, results: Any, inputs: Sequence[Any], f: Callable[[], Any], traced: Callable[..., Variant]
    ) -> Any:
        """The call where the variant at the front does not have its outputs.

        Args:
            results: what it gave in place of them; None if there is none yet.
            inputs: what a replay gets.
            f: the function itself, on the arguments.
            traced: (exact) → a new variant.
        """
        front = self.front
        if results is _TIMED:
            result = front.beside(f)
            return self.given_up(front.lost, result) if front.lost else result
        if results is ALARM:
            result = f()
            return (
                self.given_up("most of its points are such that a replay gives up", result)
                if front.alarmed()
                else result
            )
        for variant in self.variants:
            if variant is not front:
                results = variant.tried(inputs)
                if type(results) is list:
                    self.to_front(variant)
                    self.rescued += 1
                    return variant.given_back(results)
                if results is ALARM:
                    return f()
        return self._traced(inputs, f, traced)

    def _traced(self, inputs: Sequence[Any], f: Callable[[], Any], traced: Callable[..., Variant]) -> Any:
        """The call, traced, as no trace fits."""
        if len(self.variants) >= MOST:
            self.misses += 1
            if self.misses > max(2 * MOST, self.rescued):
                return self.given_up(f"numbers decide what it does, in more than {MOST} ways", f())
            return f()
        anything = any(not g.is_choice for v in self.variants for g in v.guards)
        if self.unlucky >= _UNLUCKY and anything:
            return self.given_up("what it does hangs on numbers that are others at each call", f())
        for exact in (False, True) if not self.variants else (True,):
            try:
                variant = traced(exact)
            except Exception as error:
                return self.given_up(_first_line(error), f())
            results = variant.settle(inputs)
            if results is not GUARD:
                break
        if results is GUARD:  # the trace of these very numbers does not fit them: they are at an edge of rounding
            self.misses += 1
            if self.misses > MOST:
                return self.given_up("rounding decides what it does", f())
            return f()
        self.unlucky = self.unlucky + 1 if self.front is not None and not self.front.calls else 0
        self.variants = (variant, *self.variants)
        self.front = variant
        return f() if results is ALARM else variant.given_back(results)

    def to_front(self, variant: Variant) -> None:
        self.unlucky = 0
        self.variants = (variant, *(v for v in self.variants if v is not variant))
        self.front = variant

    def given_up(self, reason: str, result: Any) -> Any:
        """The result of this call; from now on the function runs as it is."""
        self.reason = reason
        self.variants = ()
        self.front = _ITSELF
        self._tell(reason)
        return result


class _Itself:
    """In place of a variant: the function itself."""

    single = False
    guards = ()

    def run(self, inputs: Sequence[Any]) -> Any:
        return ALARM


_ITSELF = _Itself()


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    return text.removeprefix("jit: ") if text.startswith("jit: ") else f"{type(error).__name__}: {text}"


def _time(seconds: float) -> str:
    """3.4 µs"""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or size == 1e-6:
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError
