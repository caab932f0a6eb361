"""The reverse sweep over what was recorded, from results to what they depend on."""

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, NoReturn

import numpy as np

from ..backend import is_array, namespace
from ..broadcasting import summed_to
from ..errors import InvalidValue
from ..jets.evaluation import pull_back
from ..jets.planes import add_at, placed
from ..kernel.pullback import PullBack
from ..kinds import DType, Index, Value
from ..memory import LARGE
from ..operand import Operand, highest, library
from ..operand.constants import unchanged
from ..operand.index import as_tuple
from .hooks import HOOKS, hooked, leads_to
from .reach import Reach, all_or_some, fitted, kept, through, united
from .step import LinearPull, OperationPull, Placing, Step
from .transposed import StackPull

__all__ = ["sweep"]

# what looks at each pull-back: (step, cotangent, saved, contributions); set while something is looked for
watch: Callable[[Step, Any, Sequence[Any], Sequence[Any]], None] | None = None


def sweep(
    seeds: Iterable[tuple[Step, Any]],
    wanted: Iterable[Step] = (),
    *,
    retain: bool = False,
    wrap: Callable[[Any, Step], Any] | None = None,
    collect: bool = False,
    retained: bool = False,
) -> list[tuple[Step, Any]]:
    """The steps `wanted` that the results depend on, with their cotangents.

    Args:
        seeds: steps of results with their cotangents.
        retain: keep the record for another sweep; else it is given up as the sweep passes.
        wrap: (value, step) → the variable, to record the sweep itself; without it it runs on the values.
        collect: also the leaves, and the steps that retain their gradient.
        retained: also those of the latter that depend on what is wanted; hooks of the others are not called either.
    """
    numbers, watched = {step.number for step in wanted}, HOOKS or None
    found: list[tuple[Step, Any]] = []
    with np.errstate(all="ignore"):
        waiting, heap = _begun(seeds)
        while heap:
            step, cotangent, _, reach = waiting.pop(number := heappop(heap))
            reach = None if reach is not None and reach.everywhere else reach
            pull = step.pull
            if watched is not None and step in watched and (collect or leads_to(step, numbers)):
                cotangent = hooked(step, cotangent)
            if number in numbers or (collect and (pull is None or hasattr(step, "grad"))):
                found.append((step, cotangent))
            elif retained and hasattr(step, "grad") and leads_to(step, numbers):
                found.append((step, cotangent))
            if pull is None:
                continue
            if type(pull) is Placing:
                _place(waiting, heap, step, pull, cotangent, reach)
                step.pull = pull if retain else _freed
                continue
            saved = step.saved if wrap is None else _wrapped(step, wrap)
            if elementwise := type(pull) is PullBack:
                if cotangent.__class__ in _ARRAYS and cotangent.nbytes < LARGE:
                    for v in saved:
                        if v.__class__ not in _PLAIN:
                            contributions = _contributions(pull, cotangent, saved)
                            break
                    else:  # the usual case, without a call
                        contributions = pull.function(cotangent, *saved)
                else:
                    contributions = _contributions(pull, cotangent, saved)
                contributions = kept(contributions, reach) if reach is not None and pull.scales else contributions
            else:
                asks = type(pull) in _READ_REACH
                contributions = pull.contributions(cotangent, saved, reach) if asks else pull(cotangent, *saved)
            if watch is not None:
                watch(step, cotangent, saved, contributions)
            if not retain:
                step.pull, step.saved = _freed, ()
            for i, (parent, c) in enumerate(zip(step.parents, contributions)):  # noqa: B905  as many, the inner loop
                if parent is None or c is None:
                    continue
                looks = (reach is not None or not elementwise or pull.reached is not None) and parent.pull is not None
                its = _reached(pull, reach, step, cotangent, saved, i, parent) if looks else None
                k = parent.number
                if k not in waiting and type(c) is np.ndarray and c.shape == parent.shape and c.dtype is parent.dtype:
                    waiting[k] = [parent, c, False, its]  # the usual case, without a call
                    heappush(heap, k)
                else:
                    _contribute(waiting, heap, parent, c, its)
    return found


def _begun(seeds: Iterable[tuple[Step, Any]]) -> tuple[dict[int, list[Any]], list[int]]:
    """The steps that are waiting, by their numbers, and the heap of these.

    Of each the step, its cotangent so far, whether nobody else refers to that, so that it may be added to in place, and
    which elements it reaches.
    """
    waiting: dict[int, list[Any]] = {}
    heap: list[int] = []
    unchanged()
    for step, cotangent in seeds:
        _contribute(waiting, heap, step, cotangent)
    return waiting, heap


def _wrapped(step: Step, wrap: Callable[[Any, Step], Any]) -> Sequence[Any]:
    """What the pull-back reads, as variables."""
    return [
        v if n is None or v is None or type(v) is tuple else wrap(v, n)
        for v, n in zip(step.saved, (step, *step.parents) if step.saved else (), strict=True)
    ]


def _contributions(pull: PullBack, cotangent: Value, saved: Sequence[Any]) -> Any:
    """The contributions of a primitive: in one step where the operands know how."""
    operands = [v for v in (cotangent, *saved) if isinstance(v, Operand)]
    if not operands:
        contributions = None
        if (xp := library(cotangent, *saved)) is not namespace(cotangent):  # in a trace constants are the host's
            cotangent = xp.asarray(cotangent)
        if xp is not np or (type(cotangent) is np.ndarray and cotangent.nbytes >= LARGE):
            contributions = pull_back(None, pull.function, (cotangent, *saved))
        return pull.function(cotangent, *saved) if contributions is None else contributions
    # of what is only recorded here or traced the plain function is enough: it is linear in the cotangent
    differentiated = any(v is not cotangent and v.value is not v for v in operands)
    function = pull.exact if differentiated else pull.function
    top = highest(operands)
    assert top is not None
    contributions = top._pull_back(function, (cotangent, *saved))
    return function(cotangent, *saved) if contributions is None else contributions


def _reached(
    pull: Any, reach: Reach | None, step: Step, cotangent: Value, saved: Sequence[Any], i: int, parent: Step
) -> Reach | None:
    """Which elements of parent i are reached through a step that is reached so far."""
    if type(pull) is PullBack:
        its = all_or_some(reach, pull.reached, saved, i)
        if its is None or step.shape == parent.shape:
            return its
        return fitted(its, step.shape, parent.shape, library(cotangent))
    if type(pull) is StackPull:
        return pull.reach(reach, step.shape, saved, i, parent.shape)
    if type(pull) is LinearPull and pull.moves and (reach is not None or pull.omits):
        xp = library(cotangent)
        return through(pull.adjoint, reach, step.shape, parent.shape, xp, None if pull.alone else i)
    return None


def _contribute(
    waiting: dict[int, list[Any]], heap: list[int], step: Step, c: Value, reach: Reach | None = None
) -> None:
    """Adds c to the cotangent of a step."""
    if c.shape != step.shape:
        c = summed_to(c, step.shape)
    if c.dtype is not step.dtype and c.dtype != step.dtype:
        c = _typed(c, step.dtype)
    state = waiting.get(step.number)
    if state is None:
        waiting[step.number] = [step, c, False, reach]
        heappush(heap, step.number)
        return
    state[3] = united(state[3], reach)
    before = state[1]
    if state[2] and type(before) is np.ndarray and type(c) in _ARRAYS:
        before += c
    elif not (state[2] and _added(state, ..., c)):
        state[1] = before + c
        state[2] = True


def _place(
    waiting: dict[int, list[Any]], heap: list[int], part: Step, pull: Placing, g: Value, reach: Reach | None
) -> None:
    """Adds what a `Placing` gives to the cotangent of a step: in place, where that is possible."""
    (step,) = part.parents
    if step is None:
        return
    number, index = step.number, pull.index
    if step.pull is not None:
        planes = pull.planes(step.shape) if reach is None and type(step.pull) is StackPull else None
        reach = through(lambda ones: pull(ones, step.shape), reach, part.shape, step.shape, library(g), planes=planes)
    state = waiting.get(number)
    if g.dtype is not step.dtype and g.dtype != step.dtype:
        g = _typed(g, step.dtype)
    if state is None:
        own = not isinstance(g, Operand)
        alone = placed(g, as_tuple(index), step.shape) if own else g._placed(index, step.shape)
        own = alone is not None
        waiting[number] = [step, pull(g, step.shape) if alone is None else alone, own, reach]
        heappush(heap, number)
        return
    before = state[1]
    state[3] = united(state[3], reach)
    if type(before) is np.ndarray and type(g) in _ARRAYS:
        if not state[2]:
            state[1] = before = before.copy()
            state[2] = True
        before[index] += g
    elif not _added(state, index, g):
        state[1] = before + pull(g, step.shape)
        state[2] = True


def _added(state: list[Any], index: Index, g: Value) -> bool:
    """Adds g at an index of slices and integers in place, to jets or on a device; whether it was done."""
    before = state[1]
    if isinstance(before, Operand):
        return state[2] and before._add_at(index, g)
    if isinstance(before, (np.ndarray, np.generic)) or isinstance(g, Operand) or not is_array(before):
        return False
    if not state[2]:
        state[1] = before = before.copy()
        state[2] = True
    add_at(before, index, g)
    return True


_READ_REACH = frozenset((StackPull, OperationPull))
_ARRAYS: Any = frozenset((np.ndarray, np.float64, np.float32))
_PLAIN = frozenset((np.ndarray, np.float64, np.float32, float, int, type(None)))


def _freed(*args: Any) -> NoReturn:
    raise InvalidValue(
        "backward: the record was given up by an earlier sweep over it; pass retain_graph=True to that one to go "
        "through it twice"
    )


def _typed(x: Value, dtype: DType) -> Any:
    """x in the type of the variable; of a complex cotangent of a real one the real part."""
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = np.real(x)
    return x if x.dtype == dtype else x.astype(dtype)
