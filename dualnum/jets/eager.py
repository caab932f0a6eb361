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
from ..algebra import Stack
from ..kernel import engine, launch
from ..kernel.layout import laid_out
from ..kernel.target import Target
from .evaluation import CHEAP, kink_mode
from .nested import nested, recorded, row_of

__all__ = ["quick"]


class _Ready(NamedTuple):
    """What a call needs: the machine's function, how many planes it writes, its work an element."""

    call: Callable[..., int]
    known: int  # planes that may be nonzero
    extent: int
    work: int
    alone: int  # elements up to which one call does
    literal: bool  # a number among the operands is written into the kernel


_LIMIT = 4096
_MISSING, _BY_VALUE = object(), object()
_entries: defaultdict[Target, dict[Any, Any]] = defaultdict(dict)
_float64, _DOUBLE = np.float64, np.dtype(float)
_ndarray, _empty, _new, _target = np.ndarray, np.empty, object.__new__, engine.target
_device = engine.device
_EXACT = 1 << 53


def quick(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs), or None where the general way must be taken.

    Args:
        ufunc: the function.
        inputs: a jet; or two jets, or a jet with a number or an array in either order.
        jet_type: the class of jets.
    """
    machine = _target()
    handle: Any = machine.handle
    top: Any = None
    number, place, described = None, 0, []
    given: list[Any] = [None]
    for x in inputs:
        kind = type(x)
        if kind is jet_type and handle is not None:
            a = x.planes
            if type(a) is not _ndarray or not a.flags.c_contiguous:
                return _elsewhere(ufunc, inputs, jet_type)
            if top is None:
                top, first = x, a
            elif a.shape != first.shape or a.dtype != first.dtype or x.scope is not top.scope:
                return _elsewhere(ufunc, inputs, jet_type)
            elif x.algebra is not top.algebra:
                return None
            described.append(x._extent if x._shared is None else x._shared.extent)
            given.append(handle(a))
        elif kind is float or kind is int:
            number, place = x, len(given)
            described.append(None)
            given.append(x)
        else:
            return _elsewhere(ufunc, inputs, jet_type)
    algebra = top.algebra
    key = (ufunc, algebra, first.dtype, *described)
    entries = _entries[machine]
    entry = entries.get(key, _MISSING)
    if entry is _BY_VALUE:
        key = (*key, repr(number))
        entry = entries.get(key, _MISSING)
    if entry is _MISSING:
        entry = _remembered(machine, key, ufunc, inputs, top, jet_type)
    length = first.size // len(first)
    if entry is None or not length or not top.scope.alive or kink_mode() == "raise":
        return None
    call, known, extent, work, alone, literal = entry
    planes = _empty(first.shape, first.dtype) if first.nbytes < memory.KEPT else memory.empty(first.shape, first.dtype)
    given[0] = handle(planes)
    if literal:
        del given[place]
    if algebra.directions is not None:
        given.append(algebra.directions)
    try:
        if length <= alone:
            alarm = call(*given, length, 0, length)
        else:
            alarm = machine.in_chunks(call, given, (planes, inputs), length, work)
    except machine.refused:  # an integer that no float holds
        return None
    if alarm:  # the mend must follow
        return None
    if known < len(first):
        planes[known:] = 0
    result = _new(jet_type)
    result.planes, result._extent, result._shared = planes, extent, None
    result.algebra, result.scope = algebra, top.scope
    return result


def _elsewhere(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """The same of what is not alike: jets of special kinds, of jets, of what is recorded; arrays, NumPy's numbers."""
    if ufunc.signature is not None or len(inputs) > 2:
        return None
    top: Any = None
    special, numbers, kinds = False, False, set()
    for x in inputs:
        kind = type(x)
        if kind is jet_type:
            top = x if top is None else top
            if x.scope is not top.scope or x.algebra is not top.algebra:
                return None
            kinds.add(type(x.planes))
        elif isinstance(x, jet_type):
            if not x._is_array:
                return None
            special = True
        elif kind is _float64:
            numbers = True
        elif kind not in _PLAIN:
            kinds.add(kind)
    if special:
        return quick(ufunc, tuple([x._as_number() if isinstance(x, jet_type) else x for x in inputs]), jet_type)
    if jet_type in kinds:
        return nested(ufunc, inputs, jet_type)
    if numbers and top.planes.dtype == _DOUBLE:  # among jets of its own type NumPy's number is as good as Python's
        return quick(ufunc, tuple([float(x) if type(x) is _float64 else x for x in inputs]), jet_type)
    machine = None if numbers or len(kinds) > 1 else engine.machine_of(type(top.planes))
    if machine is None:
        return recorded(ufunc, inputs, jet_type)
    if machine is _device and not _device.is_here(top.planes):
        return None  # and the general way goes there
    if machine is _device and (made := _on_device(ufunc, inputs, top, jet_type)) is not None:
        return made
    return _by_layout(machine, ufunc, inputs, top, jet_type)


_PLAIN = frozenset((float, int, np.ndarray))


def _on_device(ufunc: np.ufunc, inputs: tuple[Any, ...], top: Any, jet_type: Any) -> Any:
    """ufunc(*inputs) of jets on a device that lie in one piece, all alike, and numbers, in one launch; or None."""
    first = top.planes
    shape, dtype, algebra = first.shape, first.dtype, top.algebra
    given: list[Any] = [None]
    described: list[Any] = [ufunc, algebra, dtype]
    for x in inputs:
        if type(x) is jet_type:
            a = x.planes
            if not a.flags.c_contiguous:
                return None
            if a is not first and (a.shape != shape or a.dtype != dtype or a.data.device_id != first.data.device_id):
                return None
            described.append(x._extent if x._shared is None else x._shared.extent)
            given.append(a)
        elif type(x) is float or (type(x) is int and abs(x) < _EXACT):
            described.append(None)
            given.append(float(x))
        else:
            return None
    key = tuple(described)
    entries = _entries[_device]
    entry = entries.get(key, _MISSING)
    if entry is _MISSING:
        if len(entries) >= _LIMIT:
            entries.clear()
        made = _planned(_device, ufunc, _in_one_piece(inputs, top, jet_type), top)
        plain = made is not None and made.plan.program.alarm is made.plan.early is None and not made.plan.literal
        entry = entries[key] = (made.plan.call, made.extent) if plain and made.plan.call else None
    length = first.size // shape[0]
    if entry is None or not length or not top.scope.alive or kink_mode() == "raise":
        return None
    if first.nbytes >= memory.LARGE and ufunc in CHEAP:  # it may wait
        return None
    given[0] = planes = _device.empty(shape, dtype)
    if algebra.directions is not None:
        given.append(algebra.directions)
    entry[0].direct(given, planes, length)
    return top._like(planes, entry[1])


class _Layout(NamedTuple):
    """What a call needs where operands are laid out first."""

    plan: Any
    known: int  # planes that may be nonzero
    extent: int


def _by_layout(machine: Target, ufunc: np.ufunc, inputs: tuple[Any, ...], top: Any, jet_type: Any) -> Any:
    """ufunc(*inputs) of jets and a machine's arrays of any strides that broadcast, and Python's numbers, or None."""
    if not top.scope.alive or not machine.compiled or kink_mode() == "raise":
        return None
    described: list[Any] = [machine, ufunc, top.algebra]
    operands: list[Any] = []
    arrays = machine.arrays
    for x in inputs:
        kind = type(x)
        if kind is jet_type:
            a = x.planes
            if type(a) is not arrays or (a.nbytes >= memory.LARGE and ufunc in CHEAP):  # it may wait
                return None
            extent = x._extent if x._shared is None else x._shared.extent
            described.append((a.dtype, a.shape, extent))
            operands.append(launch.Planes(a, x.algebra.coefficients(extent), (extent,)))
        elif kind is arrays:
            described.append((x.dtype, x.shape))
            operands.append(launch.Planes(x[None], 1, (None,)))
        elif kind is _ndarray:  # of another machine
            return None
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
    entries = _entries[machine]
    entry = entries.get(key, _MISSING)
    if entry is _MISSING:
        if len(entries) >= _LIMIT:
            entries.clear()
        made = _planned(machine, ufunc, laid, top)
        entry = entries[key] = None if made is None or made.plan.literal else made
    if entry is None:
        return None
    algebra = top.algebra
    planes = machine.empty((algebra.size, *shape), top.dtype)
    try:
        alarm = entry.plan.run((planes,), laid, prod(shape), algebra.directions)
    except machine.refused:  # an integer that no float holds
        return None
    if alarm:  # the mend must follow
        return None
    if entry.known < algebra.size and machine.looks:
        planes[entry.known :] = 0
    return top._like(planes, entry.extent)


_shapes: dict[Any, Any] = {}


def _common_shape(machine: Target, ufunc: np.ufunc, operands: list[Any]) -> tuple[int, ...] | None:
    """The shape of the result, or None where the general way must be taken, also to say what does not fit."""
    arrays = [x.array for x in operands if type(x) is launch.Planes]
    if len(_shapes) >= _LIMIT:
        _shapes.clear()
    dtype = arrays[0].dtype
    if any(a.dtype != dtype for a in arrays) or not machine.computes(dtype) or row_of(ufunc) is None:
        return None
    try:
        return np.broadcast_shapes(*(a.shape[1:] for a in arrays))
    except ValueError:
        return None


def _planned(machine: Target, ufunc: np.ufunc, laid: list[Any], top: Any) -> Any:
    """The plan for (Planes, layout) pairs and numbers, with the planes and the extent of its result; or None."""
    row = row_of(ufunc)
    if row is None or not machine.computes(top.dtype):
        return None
    if not machine.looks and not row.even is row.of_squares is None:  # what comes of zeros must be remembered
        return None
    operands = [x[0] if type(x) is tuple else x for x in laid]
    described = tuple((x[0].extents, x[1]) if type(x) is tuple else "number" for x in laid)
    algebra = top.algebra
    directed = algebra.directions is not None
    plan = launch.plan_for(row, algebra.single, described, top.dtype, machine, operands, directed)
    return plan and _Layout(plan, algebra.filled(plan.extents[0]), plan.extents[0][0])


def _in_one_piece(inputs: tuple[Any, ...], top: Any, jet_type: Any) -> list[Any]:
    """(Planes, layout) pairs of jets that lie in one piece, and numbers."""
    single = top.algebra.single
    return [(launch.planes_of(single, Stack(y.planes, (y.extent,))), "c") if type(y) is jet_type else y for y in inputs]


def _remembered(machine: Target, key: Any, ufunc: np.ufunc, inputs: tuple[Any, ...], top: Any, jet_type: Any) -> Any:
    """The entry for operands in one piece like these; None where they must take the general way."""
    entries = _entries[machine]
    if len(entries) >= _LIMIT:
        entries.clear()
    made = _planned(machine, ufunc, _in_one_piece(inputs, top, jet_type), top)
    entry = None
    if made is not None and made.plan.direct is not None:
        plan = made.plan
        work = plan.cost(top.algebra.directions)
        entry = _Ready(plan.direct, made.known, made.extent, work, machine.alone(work), plan.literal)
        if plan.literal and len(key) == 3 + len(inputs):  # the number decides how the rule goes
            entries[key] = _BY_VALUE
            key = (*key, *[repr(x) for x in inputs if type(x) is not jet_type])
    entries[key] = entry
    return entry
