"""How the operands of a program lie in memory.

Groups of planes are the operands: the outputs first, then the inputs. A group has one layout:

    "c"  contiguous planes, one after the other
    "p"  contiguous planes at any distance
    "g"  planes and elements at any distances, to be gathered
    "r"  planes that repeat, each followed by its beginning
    "w"  a contiguous plane with zeros before and behind it
    "b"  one number a plane, the same everywhere
    "s"  one number

Of jets with several directions plane 0 of a group, the values, is followed by a plane for each direction for each
further program input.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .ir import INPUT, Program

__all__ = ["Group", "moving"]


@dataclass(frozen=True)
class Group:
    """Operands of one layout: `planes` program inputs (or outputs) in a row."""

    layout: str
    planes: int


def moving(program: Program, inputs: Sequence[Group]) -> list[bool]:
    """Which nodes depend on more than the values, the first of each group of inputs."""
    numbers = [m for group in inputs for m in range(group.planes)]
    result: list[bool] = []
    for node in program.nodes:
        result.append(numbers[node.extra] > 0 if node.op == INPUT else any(result[a] for a in node.args))
    return result
