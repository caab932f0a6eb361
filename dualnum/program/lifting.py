"""Arrays that are put into a longer one are computed there, rather than written and read again.

The pull-back of slices adds arrays at windows of another: g[1:] += a, g[:-1] += b. Where a and b are cheap they are
written once more for each window, on what they read there, and the kernel of g is all there is. What memory takes for
an array that is written and read is worth many additions and products.
"""

from collections.abc import Callable, Collection, Sequence
from math import prod
from typing import Any, NamedTuple

from ..kernel.emit import MATH
from .nodes import Node
from .places import place

__all__ = ["Lifted", "Rider", "lifted", "riders"]

_MOST = 64  # cheap operations that are written again
_MOST_PAIRS = 10_000  # of nodes and reductions that are looked at


class Lifted:
    """What the kernel of a "placed" node computes itself.

    Attributes:
        inside: the numbers of the nodes that are written in it, at each window.
        leaves: the nodes that it reads.
    """

    def __init__(self, inside: set[int], leaves: list[Node]) -> None:
        self.inside = inside
        self.leaves = leaves


class Rider(NamedTuple):
    """A reduction that the kernel of a "placed" node finds by the way.

    Attributes:
        on: that node.
        window: where in it what is reduced lies.
        inside: the numbers of the nodes that are written there.
    """

    on: Node
    window: tuple[int, int]
    inside: set[int]


def riders(
    nodes: Sequence[Node],
    kinds: dict[int, Any],
    found: dict[int, Lifted],
    reductions: Sequence[Node],
    direct: Callable[[Sequence[Node], Any], bool],
) -> dict[int, Rider]:
    """Of those reductions for which the same arrays are read, by their number."""
    readers: dict[int, int] = {}
    for node in nodes:
        for arg in node.args:
            readers[arg.number] = readers.get(arg.number, 0) + 1
    result: dict[int, Rider] = {}
    if len(found) * len(reductions) > _MOST_PAIRS:
        return result
    for on in (n for n in nodes if n.number in found):
        leaves = {n.number for n in found[on.number].leaves}
        latest = max((n.number for n in found[on.number].leaves if n.op != "constant"), default=0)
        for node in reductions:
            (array,) = node.args
            own = kinds[array.number]
            if node.number in result or own is None or own[1] != on.dtype or latest > node.number:
                continue
            inside, read = _closure(array, kinds)
            if not {n.number for n in read if _is_array(n)} <= leaves or any(n.number > on.number for n in read):
                continue
            pieces = [
                (p, i)
                for p, i in zip(on.args, on.extra.values(), strict=True)
                if p.shape == array.shape and _is_most(p, on)
            ]
            if not inside or not pieces or not direct(inside, on.dtype):
                continue
            its = {n.number for n in inside}
            _, index = max(pieces, key=lambda pair: len(its & {n.number for n in _closure(pair[0], kinds)[0]}))
            window = place(index, on.shape)
            if window is not None and readers[array.number] == 1:  # else a kernel of its own stays
                result[node.number] = Rider(on, window, its)
    return result


def lifted(
    nodes: Sequence[Node],
    kinds: dict[int, Any],
    fixed: Collection[int],
    in_one_piece: Callable[[Node], bool],
    direct: Callable[[Sequence[Node], Any], bool],
) -> dict[int, Lifted]:
    """Of those "placed" nodes for which it is worth it, by their number.

    Args:
        nodes: of a trace, in order.
        kinds: the kernels that they can be part of.
        fixed: the numbers of those that have to be written, or that watch.
        in_one_piece: whether an array is known to be contiguous.
        direct: whether a kernel of such nodes, of a type, takes arrays as they are.
    """
    if not any(n.op == "placed" for n in nodes):
        return {}
    readers: dict[int, set[int]] = {}
    for node in nodes:
        for arg in node.args:
            readers.setdefault(arg.number, set()).add(node.number)
    found: dict[int, Lifted] = {}
    for node in nodes:
        if node.op != "placed" or kinds[node.number] is None:
            continue
        if any(place(index, node.shape) is None for index in node.extra.values()):
            continue
        members: dict[int, Node] = {}
        leaves: dict[int, Node] = {}
        again: list[Node] = []
        for piece in node.args:
            inside, read = _closure(piece, kinds) if _is_most(piece, node) else ([], [piece])
            again += [n for n in inside if n.number in members]
            members.update((n.number, n) for n in inside)
            leaves.update((n.number, n) for n in read)
        if not members or any(_is_array(n) and not in_one_piece(n) for n in leaves.values()):
            continue
        kept = {n for n in members if n in fixed or readers[n] - members.keys() - {node.number}}
        again += [members[n] for n in _needed(kept, members)]
        if len(again) > _MOST or any(n.op in MATH for n in again) or not direct([*members.values()], node.dtype):
            continue
        found[node.number] = Lifted(set(members), list(leaves.values()))
    return found


def _is_most(piece: Node, node: Node) -> bool:
    """Whether a piece is large enough to be computed for all elements."""
    most: bool = 2 * prod(piece.shape) >= prod(node.shape)
    return most


def _closure(piece: Node, kinds: dict[int, Any]) -> tuple[list[Node], list[Node]]:
    """The nodes of a piece's own kernel that it needs, and what they read."""
    inside: dict[int, Node] = {}
    read: dict[int, Node] = {}
    waiting = [piece]
    while waiting:
        node = waiting.pop()
        if node.number in inside or node.number in read:
            continue
        own = node.elementwise and node.shape == piece.shape and kinds[node.number] == kinds[piece.number] is not None
        if own and all(a.shape == piece.shape or prod(a.shape) == 1 for a in node.args):
            inside[node.number] = node
            waiting.extend(node.args)
        else:
            read[node.number] = node
    return list(inside.values()), list(read.values())


def _needed(numbers: set[int], members: dict[int, Node]) -> set[int]:
    """These and all that they need of the same."""
    found: set[int] = set()
    waiting = list(numbers)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting.extend(a.number for a in members[number].args if a.number in members)
    return found


def _is_array(node: Node) -> bool:
    while node.op == "broadcast":
        node = node.args[0]
    return prod(node.shape) != 1 and not (node.op == "constant" and node.dtype.kind == "f")
