"""A program of numbers that is run again and again, on what it gave before: how such a loop lies in memory."""

from typing import NamedTuple

from .ir import Program

__all__ = ["CARRY", "SAME", "Steps"]

CARRY, SAME = -1, -2  # what a program reads beside rows


class Steps(NamedTuple):
    """A loop.

    Attributes:
        body: gives the numbers that are carried on, and then those of a row of each array that is written.
        reads: where its inputs are: (CARRY or SAME or the number of an array of rows, the place there).
        test: gives one number; the loop goes on as long as it is not zero. None where the number of steps is given.
        tested: where the inputs of the test are.
        rows: how many numbers a row of each array has that is read.
        written: likewise of those that are written.
        carried, same: how many numbers are carried, and stay the same.
    """

    body: Program
    reads: tuple[tuple[int, int], ...]
    test: Program | None
    tested: tuple[tuple[int, int], ...]
    rows: tuple[int, ...]
    written: tuple[int, ...]
    carried: int
    same: int
