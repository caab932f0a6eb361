"""The shortest way of a ufunc through jets: one lookup, one allocation, one call.

The cost of operations on short arrays is Python's overhead. The entry for operands that are all alike is made by
their first call. Jets that lie in one piece, with each other or with numbers, are the quickest; views, arrays and
broadcasting cost a layout more. Whatever else there is (other types, nested jets, keywords) takes the general way
of `evaluation`, to the same result.
"""

from collections import defaultdict
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .. import memory
from ..algebra.graded import Box
from ..errors import DualnumError
from ..kernel import engine, launch
from ..kernel.layout import laid_out
from ..kernel.target import Target
from ..operand import Operand, highest
from ..primitives.table import lookup
from .evaluation import CHEAP, kink_mode
from .planes import Level
from .tower import Stack

__all__ = ["quick"]


class _Ready(NamedTuple):
    """What a call needs: the machine's function, how many planes it writes, its work an element."""

    call: Callable[..., int]
    known: int  # planes that may be nonzero
    degree: int
    work: int
    alone: int  # elements up to which one call does
    literal: bool  # a number among the operands is written into the kernel


_LIMIT = 4096
_MISSING, _BY_VALUE = object(), object()
_entries: defaultdict[Target, dict[Any, Any]] = defaultdict(dict)
_float64, _DOUBLE = np.float64, np.dtype(float)
_ndarray, _empty, _new, _target = np.ndarray, np.empty, object.__new__, engine.target


def quick(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs), or None where the general way must be taken.

    Args:
        ufunc: the function.
        inputs: a jet; or two jets, or a jet with a number or an array in either order.
        jet_type: the class of jets.
    """
    number = None
    for x in inputs:
        if type(x) is jet_type:
            if type(x._planes) is jet_type:
                return _nested(ufunc, inputs, jet_type)
        elif isinstance(x, jet_type):  # one of a special kind
            if not x._is_array:
                return None
            numbers = tuple(a._as_number() if isinstance(a, jet_type) else a for a in inputs)
            return quick(ufunc, numbers, jet_type)
    if len(inputs) == 1:
        (x,) = inputs
        a = x._planes
        key: Any = (ufunc, x.algebra, x._support[0], a.dtype) if type(a) is _ndarray else None
    elif len(inputs) == 2:
        x, y = inputs
        # among jets of its own type NumPy's number is as good as Python's
        if type(y) is _float64 and type(x) is jet_type and x._planes.dtype == _DOUBLE:
            inputs = x, y = x, float(y)
        elif type(x) is _float64 and type(y) is jet_type and y._planes.dtype == _DOUBLE:
            inputs = x, y = float(x), y
        if type(x) is jet_type and type(y) is jet_type:
            a, b = x._planes, y._planes
            if x.scope is not y.scope or x.algebra is not y.algebra:
                return None
            if type(a) is not _ndarray or type(b) is not _ndarray:
                return _recorded(ufunc, inputs, jet_type)
            if a.shape != b.shape or a.dtype != b.dtype or not b.flags.c_contiguous:
                return _laid_out(ufunc, inputs, x, jet_type)
            key = (ufunc, x.algebra, x._support[0], a.dtype, y._support[0])
        elif type(y) is float or type(y) is int:
            number, a = y, x._planes
            key = (ufunc, x.algebra, x._support[0], a.dtype, "number") if type(a) is _ndarray else None
        elif type(x) is float or type(x) is int:
            number, x = x, y
            a = x._planes
            key = (ufunc, x.algebra, "number", a.dtype, x._support[0]) if type(a) is _ndarray else None
        elif type(x) is _ndarray or type(y) is _ndarray:
            jet = y if type(x) is _ndarray else x
            if type(jet._planes) is not _ndarray:
                return _recorded(ufunc, inputs, jet_type)
            return _laid_out(ufunc, inputs, jet, jet_type)
        else:
            return _recorded(ufunc, inputs, jet_type)
    else:
        return None
    if key is None and type(a) is not _ndarray:
        return _recorded(ufunc, inputs, jet_type)
    machine = _target()
    handle = machine.handle
    if key is None or not x.scope.alive or handle is None:
        return None
    if not a.flags.c_contiguous:
        return _laid_out(ufunc, inputs, x, jet_type)
    entries = _entries[machine]
    entry = entries.get(key, _MISSING)
    if entry is _BY_VALUE:
        key = (key, repr(number))
        entry = entries.get(key, _MISSING)
    if entry is _MISSING:
        entry = _remember(machine, key, ufunc, inputs, x, jet_type)
        if entry is _BY_VALUE:
            entry = _remember(machine, (key, repr(number)), ufunc, inputs, x, jet_type)
    if entry is None or kink_mode() == "raise":
        return None
    length = a.size // len(a)
    if not length:
        return None
    call, known, degree, work, alone, literal = entry
    planes = _empty(a.shape, a.dtype) if a.nbytes < memory.KEPT else memory.empty(a.shape, a.dtype)
    if number is None:
        arguments = [handle(planes), handle(a)] if len(inputs) == 1 else [handle(planes), handle(a), handle(b)]
    elif literal:
        arguments = [handle(planes), handle(a)]
    else:
        arguments = [handle(planes), handle(a), number] if inputs[-1] is number else [handle(planes), number, handle(a)]
    if x.algebra.directions is not None:
        arguments.append(x.algebra.directions)
    try:
        if length <= alone:
            alarm = call(*arguments, length, 0, length)
        else:
            alarm = machine.in_chunks(call, arguments, (planes, inputs), length, work)
    except machine.refused:  # an integer that no float holds
        return None
    if alarm:  # the mend must follow
        return None
    if known < len(a):
        planes[known:] = 0
    result = _new(jet_type)
    result._planes = planes
    result._support = [degree]
    result.algebra = x.algebra
    result.scope = x.scope
    return result


# ── jets of jets ─────────────────────────────────────────────────────────────────────────────────


class _Nest(NamedTuple):
    """What a jet of jets is made of: its levels from the top down, the degrees of each, and the array below them."""

    scopes: tuple[Any, ...]
    algebras: tuple[Any, ...]
    degrees: tuple[int, ...]
    base: Any


def _recorded(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs) of jets whose planes are recorded and numbers, as one step of the record, or None."""
    row = _row(ufunc)
    if row is None or row.even is not None or row.of_squares is not None or kink_mode() == "raise":
        return None
    top: Any = None
    stacks = []
    for x in inputs:
        if type(x) is jet_type:
            top = x if top is None else top
            if x.scope is not top.scope or x.algebra is not top.algebra:
                return None
            stacks.append(Stack(x._planes, (x._support[0],)))
        elif _is_constant(x):
            stacks.append(Stack(x, (None,)))
        else:
            return None
    below = highest([stack.base for stack in stacks])
    if below is None or below.algebra is not None or not top.scope.alive or below.scope.level >= top.scope.level:
        return None
    try:
        made = below._stacked(row, (Level(top.scope, top.algebra, jet_type),), stacks)
    except (TypeError, ValueError):  # what is wrong is said on the general way
        return None
    if made is None or made.degrees[0] is None:
        return None
    result = _new(jet_type)
    result._planes, result._support, result.algebra, result.scope = made.base, [made.degrees[0]], top.algebra, top.scope
    return result


def _is_constant(x: Any) -> bool:
    """Whether x is a real number or array, or one that is recorded (or traced), and no jet."""
    if isinstance(x, Operand):
        return x.algebra is None
    if type(x) is _ndarray:
        return x.dtype.kind in "fiu"
    return type(x) is float or (type(x) is int and abs(x) < 1 << 53)


def _nest(x: Any, jet_type: Any) -> _Nest:
    scopes, algebras, degrees = [], [], []
    while type(x) is jet_type:
        scopes.append(x.scope)
        algebras.append(x.algebra)
        degrees.append(x._support[0])
        x = x._planes
    return _Nest(tuple(scopes), tuple(algebras), tuple(degrees), x)


def _nested(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs) of jets of jets that are all alike and numbers, or None."""
    machine = _target()
    handle = machine.handle
    if handle is None or kink_mode() == "raise":
        return None
    nests = [_nest(x, jet_type) if type(x) is jet_type else x for x in inputs]
    first = next(n for n in nests if type(n) is _Nest)
    base = first.base
    for n in nests:
        if type(n) is not _Nest:
            if type(n) is not float and type(n) is not int:
                return None
        elif type(n.base) is not _ndarray or n.base.shape != base.shape or n.base.dtype is not base.dtype:
            return None
        elif n.scopes != first.scopes or n.algebras != first.algebras or not n.base.flags.c_contiguous:
            return None
    described = [n.degrees if type(n) is _Nest else "number" for n in nests]
    key: Any = (ufunc, first.algebras, base.dtype, *described)
    plan = _entries[machine].get(key, _MISSING)
    if plan is _BY_VALUE:
        key = (key, *[repr(n) for n in nests if type(n) is not _Nest])
        plan = _entries[machine].get(key, _MISSING)
    if plan is _MISSING:
        plan = _nested_plan(machine, ufunc, nests, first)
        if plan is not None and plan.literal and type(key[0]) is not tuple:
            _keep(machine, key, _BY_VALUE)
            key = (key, *[repr(n) for n in nests if type(n) is not _Nest])
        _keep(machine, key, plan)
    if plan is None or not all(scope.alive for scope in first.scopes):
        return None
    planes = _empty(base.shape, base.dtype)
    arguments: list[Any] = [handle(planes)]
    arguments += [handle(n.base) if type(n) is _Nest else n for n in nests if type(n) is _Nest or not plan.literal]
    length = prod(base.shape[len(first.scopes) :])
    if not length:
        return None
    try:
        alarm = machine.in_chunks(plan.call, arguments, (planes, inputs), length, plan.work)
    except machine.refused:
        return None
    if alarm:
        return None
    result: Any = planes
    degrees = plan.degrees[0]
    for i in range(len(first.scopes) - 1, -1, -1):
        jet = _new(jet_type)
        jet._planes, jet._support = result, [degrees[-1 - i]]
        jet.algebra, jet.scope = first.algebras[i], first.scopes[i]
        result = jet
    return result


def _nested_plan(machine: Target, ufunc: np.ufunc, nests: list[Any], first: _Nest) -> Any:
    """The plan of machine code, or None."""
    row = _row(ufunc)
    dtype = first.base.dtype
    if row is None or not machine.computes(dtype):
        return None
    if any(algebra.directions is not None for algebra in first.algebras):
        return None
    box = Box.of(tuple(algebra.order for algebra in reversed(first.algebras)))
    described = tuple((box.size, "c", n.degrees[::-1]) if type(n) is _Nest else "number" for n in nests)
    operands = [launch.Planes(n.base, box.size) if type(n) is _Nest else n for n in nests]
    plan = launch.plan_for(row, box, described, dtype, machine, operands)
    return plan if plan is not None and plan.direct is not None else None


class _Layout(NamedTuple):
    """What a call needs where operands are laid out first."""

    plan: Any
    known: int  # planes that may be nonzero
    degree: int


def _laid_out(ufunc: np.ufunc, inputs: tuple[Any, ...], top: Any, jet_type: Any) -> Any:
    """ufunc(*inputs) of jets and arrays of any strides that broadcast, and Python's numbers, or None."""
    machine = _target()
    if not top.scope.alive or not machine.compiled or kink_mode() == "raise":
        return None
    described: list[Any] = [machine, ufunc, top.algebra]
    operands: list[Any] = []
    for x in inputs:
        if type(x) is jet_type:
            a = x._planes
            if type(a) is not _ndarray or (a.nbytes >= memory.LARGE and ufunc in CHEAP):  # it may wait
                return None
            described.append((a.dtype, a.shape, x._support[0]))
            operands.append(launch.Planes(a, x._support[0] + 1))
        elif type(x) is _ndarray:
            described.append((x.dtype, x.shape))
            operands.append(launch.Planes(x[None], 1))
        else:
            described.append(None)
            operands.append(x)
    key: Any = tuple(described)
    shape = _shapes.get(key, _MISSING)
    if shape is _MISSING:
        shape = _shapes[key] = _common_shape(machine, ufunc, operands)
    if shape is None:
        return None
    laid = [laid_out(x, shape, machine) if type(x) is launch.Planes else x for x in operands]
    key = (key, *[x[1] for x in laid if type(x) is tuple])
    entry = _entries[machine].get(key, _MISSING)
    if entry is _MISSING:
        made = _planned(machine, ufunc, laid, top)
        entry = _keep(machine, key, None if made is None or made.plan.literal else made)
    if entry is None:
        return None
    algebra = top.algebra
    planes = memory.empty((algebra.size, *shape), top.dtype)
    try:
        alarm = entry.plan.run((planes,), laid, prod(shape), algebra.directions)
    except machine.refused:  # an integer that no float holds
        return None
    if alarm:  # the mend must follow
        return None
    if entry.known < algebra.size:
        planes[entry.known :] = 0
    return top._like(planes, [entry.degree])


_shapes: dict[Any, Any] = {}


def _common_shape(machine: Target, ufunc: np.ufunc, operands: list[Any]) -> tuple[int, ...] | None:
    """The shape of the result, or None where the general way must be taken, also to say what does not fit."""
    arrays = [x.array for x in operands if type(x) is launch.Planes]
    if len(_shapes) >= _LIMIT:
        _shapes.clear()
    dtype = arrays[0].dtype
    if any(a.dtype != dtype for a in arrays) or not machine.computes(dtype) or _row(ufunc) is None:
        return None
    try:
        return np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    except ValueError:
        return None


def _row(ufunc: np.ufunc) -> Any:
    """The row of a ufunc of one output, or None: the general way says what is wrong."""
    if ufunc.nout > 1 or ufunc.signature is not None:
        return None
    try:
        row = lookup(ufunc)
    except DualnumError:
        return None
    return row if row.rule is not None else None


def _planned(machine: Target, ufunc: np.ufunc, laid: list[Any], top: Any) -> Any:
    """The plan for (Planes, layout) pairs and numbers, with the planes and the degree of its result; or None."""
    row = _row(ufunc)
    if row is None or not machine.computes(top.dtype):
        return None
    operands = [x[0] if type(x) is tuple else x for x in laid]
    described = tuple((x[0].count, x[1]) if type(x) is tuple else "number" for x in laid)
    directions = top.algebra.directions
    plan = launch.plan_for(row, top.algebra.order, described, top.dtype, machine, operands, directions is not None)
    return plan and _Layout(plan, launch.known_planes(plan.counts[0], directions), plan.counts[0] - 1)


def _keep(machine: Target, key: Any, entry: Any) -> Any:
    entries = _entries[machine]
    if len(entries) >= _LIMIT:
        entries.clear()
    entries[key] = entry
    return entry


def _remember(machine: Target, key: Any, ufunc: np.ufunc, inputs: tuple[Any, ...], x: Any, jet_type: Any) -> Any:
    """The entry for operands in one piece like these; None where they must take the general way."""
    laid = [(launch.Planes(y._planes, y._support[0] + 1), "c") if type(y) is jet_type else y for y in inputs]
    made = _planned(machine, ufunc, laid, x)
    if made is None:
        return _keep(machine, key, None)
    plan = made.plan
    if plan.literal and not isinstance(key[0], tuple):
        return _keep(machine, key, _BY_VALUE)
    if plan.direct is None:
        return _keep(machine, key, None)
    work = plan.cost(x.algebra.directions)
    return _keep(machine, key, _Ready(plan.direct, made.known, made.degree, work, machine.alone(work), plan.literal))
