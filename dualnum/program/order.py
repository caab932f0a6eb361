"""Which nodes one kernel computes, and in what order steps run, so that long arrays are read while they are near."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from .. import memory
from .fused import Kernel
from .nodes import Node

__all__ = ["depth_first", "split"]


def split(groups: dict[Any, list[Node]], stacks: Sequence[Node], on: dict[int, int]) -> dict[Any, list[Node]]:
    """The groups of nodes by kernel, those in parts whose long arrays have nothing to do with each other.

    Args:
        groups: by stage, kind (shape and type) and place.
        stacks: see `apart`.
        on: likewise.
    """
    found: dict[Any, list[Node]] = {}
    for key, members in groups.items():
        whole = type(key[1]) is not tuple or not key[1][0]
        for i, part in enumerate([members] if whole else apart(members, stacks, on)):
            found[(*key, i)] = part
    return found


def apart(members: Sequence[Node], stacks: Iterable[Node], on: dict[int, int]) -> list[list[Node]]:
    """Nodes of one kernel, in as many groups as have no long array in common, where one pass would not stay in cache.

    Args:
        members: elementwise nodes of one shape and type.
        stacks: those whose planes some of them are; a stack stays in one group.
        on: of some the number of another, which stays with it.
    """
    shape, size = members[0].shape, prod(members[0].shape) * members[0].dtype.itemsize
    if len(members) * size < memory.LARGE:
        return [list(members)]
    found: dict[int, int] = {}

    def root(number: int) -> int:
        while (above := found.setdefault(number, number)) != number:
            found[number] = found.setdefault(above, above)
            number = above
        return number

    passed: dict[int, int] = {}  # long arrays that are read or written: a number in their group
    inside = {n.number for n in members}
    for node in members:
        if node.number in on:
            found[root(on[node.number])] = root(node.number)
        for arg in node.args:
            if arg.number in inside:
                found[root(arg.number)] = root(node.number)
            elif arg.shape == shape and arg.op != "constant":
                whole = arg.args[0] if arg.op in ("row", "broadcast") else arg
                found[root(-1 - whole.number)] = root(node.number)
                passed[arg.number] = node.number
    for stack in stacks:
        for arg in stack.args:
            if arg.number in inside:
                found[root(arg.number)] = root(stack.args[-1].number)
                passed[arg.number] = arg.number
    groups: dict[int, list[Node]] = {}
    for node in members:
        groups.setdefault(root(node.number), []).append(node)
    passes: dict[int, int] = {}
    for number in passed.values():
        key = root(number)
        passes[key] = passes.get(key, 0) + size
    pays = sum(passes.values()) >= memory.LARGE and all(passes.get(key, 0) >= memory.KEPT for key in groups)
    return list(groups.values()) if pays else [list(members)]


def depth_first(steps: Sequence[Kernel | Node], wanted: Iterable[Node]) -> list[Kernel | Node]:
    """The steps, each as soon as what it gives is needed."""
    maker: dict[int, int] = {}
    for i, step in enumerate(steps):
        for node in [y.node for y in step.outputs] if isinstance(step, Kernel) else [step]:
            maker[node.number] = i
    ordered: list[int] = []
    state = [0] * len(steps)  # 1: waits for what it reads, 2: is there
    waiting = [*range(len(steps))[::-1], *(maker[n.number] for n in reversed(list(wanted)) if n.number in maker)]
    while waiting:
        i = waiting[-1]
        if state[i]:
            waiting.pop()
            if state[i] == 1:
                state[i] = 2
                ordered.append(i)
            continue
        state[i] = 1
        step = steps[i]
        reads = [s.node for s in step.sources] if isinstance(step, Kernel) else step.args
        waiting += [maker[n.number] for n in reversed(list(reads)) if n.number in maker and not state[maker[n.number]]]
    return [steps[i] for i in ordered]
