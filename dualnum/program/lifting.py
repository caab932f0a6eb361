"""Arrays that are put into a longer one are computed there, rather than written and read again.

The pull-back of slices adds arrays at windows of another: g[1:] += a, g[:-1] += b. Where a and b are cheap they are
written once more for each window, on what they read there, and the kernel of g is all there is. What memory takes for
an array that is written and read is worth many additions and products.
"""

from collections.abc import Callable, Collection, Sequence
from math import prod
from typing import Any

from ..kernel.emit import MATH
from .nodes import Node
from .places import place

__all__ = ["Lifted", "lifted"]

_MOST = 64  # cheap operations that are written again


class Lifted:
    """What the kernel of a "placed" node computes itself.

    Attributes:
        inside: the numbers of the nodes that are written in it, at each window.
        leaves: the nodes that it reads.
    """

    def __init__(self, inside: set[int], leaves: list[Node]) -> None:
        self.inside = inside
        self.leaves = leaves


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
        members, leaves, again = {}, {}, []
        for piece in node.args:
            inside, read = _closure(piece, kinds)
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
