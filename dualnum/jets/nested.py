"""The short way of a ufunc through jets of jets, and through jets of what is recorded; beside `eager`."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..algebra import Stack, product_of
from ..errors import DualnumError
from ..kernel import engine, launch
from ..kernel.target import Target
from ..kinds import Value
from ..operand import Operand, highest
from ..primitives.table import lookup
from .evaluation import kink_mode
from .planes import Level

__all__ = ["nested", "recorded", "row_of"]


def row_of(ufunc: np.ufunc) -> Any:
    """The row of a ufunc of one output, or None: the general way says what is wrong."""
    if ufunc.nout > 1 or ufunc.signature is not None:
        return None
    try:
        row = lookup(ufunc)
    except DualnumError:
        return None
    return row if row.rule is not None else None


class _Nest(NamedTuple):
    """What a jet of jets is made of: its levels from the top down, the extents of each, and the array below them."""

    scopes: tuple[Any, ...]
    algebras: tuple[Any, ...]
    extents: tuple[int, ...]
    base: Any


def recorded(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs) of jets whose planes are recorded and numbers, as one step of the record, or None."""
    row = row_of(ufunc)
    if row is None or row.even is not None or row.of_squares is not None or kink_mode() == "raise":
        return None
    top: Any = None
    stacks = []
    for x in inputs:
        if type(x) is jet_type:
            top = x if top is None else top
            if x.scope is not top.scope or x.algebra is not top.algebra:
                return None
            stacks.append(Stack(x.planes, (x.extent,)))
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
    if made is None or made.extents[0] is None:
        return None
    return top._like(made.base, made.extents[0])


def _is_constant(x: Value) -> bool:
    """Whether x is a real number or array, or one that is recorded (or traced), and no jet."""
    if isinstance(x, Operand):
        return x.algebra is None
    if type(x) is np.ndarray:
        return x.dtype.kind in "fiu"
    return type(x) is float or (type(x) is int and abs(x) < 1 << 53)


def _nest(x: Value, jet_type: Any) -> _Nest:
    scopes, algebras, extents = [], [], []
    while type(x) is jet_type:
        scopes.append(x.scope)
        algebras.append(x.algebra)
        extents.append(x._extent if x._shared is None else x._shared.extent)
        x = x.planes
    return _Nest(tuple(scopes), tuple(algebras), tuple(extents), x)


def nested(ufunc: np.ufunc, inputs: tuple[Any, ...], jet_type: Any) -> Any:
    """ufunc(*inputs) of jets of jets that are all alike and numbers, or None."""
    machine = engine.target()
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
        elif type(n.base) is not np.ndarray or n.base.shape != base.shape or n.base.dtype is not base.dtype:
            return None
        elif n.scopes != first.scopes or n.algebras != first.algebras or not n.base.flags.c_contiguous:
            return None
    described = [n.extents if type(n) is _Nest else "number" for n in nests]
    key: Any = (machine, ufunc, first.algebras, base.dtype, *described)
    plan = _plans.get(key)
    if plan is None or plan is _BY_VALUE:
        plan = _remembered(key, machine, ufunc, nests, first)
    if plan is _NO_PLAN or not all(scope.alive for scope in first.scopes):
        return None
    planes = np.empty(base.shape, base.dtype)
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
    extents = plan.extents[0]
    for i in range(len(first.scopes) - 1, -1, -1):
        result = object.__new__(jet_type)._set(result, extents[-1 - i], first.algebras[i], first.scopes[i])
    return result


_plans: dict[Any, Any] = {}
_LIMIT = 4096
_BY_VALUE, _NO_PLAN = object(), object()


def _remembered(key: Any, machine: Target, ufunc: np.ufunc, nests: list[Any], first: _Nest) -> Any:
    """The plan for such nests and, where they decide how the rule goes, for these numbers."""
    valued = (key, *[repr(n) for n in nests if type(n) is not _Nest])
    plan = _plans.get(valued)
    if plan is None:
        if len(_plans) >= _LIMIT:
            _plans.clear()
        plan = _nested_plan(machine, ufunc, nests, first)
        if plan is not None and plan.literal:
            _plans[key] = _BY_VALUE
            key = valued
        plan = _plans[key] = _NO_PLAN if plan is None else plan
    return plan


def _nested_plan(machine: Target, ufunc: np.ufunc, nests: list[Any], first: _Nest) -> Any:
    """The plan of machine code, or None."""
    row = row_of(ufunc)
    dtype = first.base.dtype
    if row is None or not machine.computes(dtype):
        return None
    if any(algebra.directions is not None for algebra in first.algebras):
        return None
    algebra = product_of(first.algebras[::-1])
    described = tuple((n.extents[::-1], "c") if type(n) is _Nest else "number" for n in nests)
    operands = [launch.Planes(n.base, algebra.size) if type(n) is _Nest else n for n in nests]
    plan = launch.plan_for(row, algebra, described, dtype, machine, operands)
    return plan if plan is not None and plan.direct is not None else None
