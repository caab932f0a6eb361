"""How kernels sum, multiply up, and find the largest: in blocks of fixed length, by one tree, whatever the machine.

Of the elements of a block those that are congruent modulo LANES are taken together one after another, then the LANES
results by halves. What comes of each block is written to memory, and NumPy does the rest (a sum pairwise). So the bits
do not depend on the width of vectors or the number of threads, and a sum of n elements has a relative error of at most
about log₂(n) + 17 rounding errors, where NumPy's pairwise sum has log₂(n) + 12. Rows are such sums each; of columns
GROUP rows are added one after another.

Source: N. J. Higham, The accuracy of floating point summation, SIAM J. Sci. Comput. 14 (1993), section 3.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..kinds import Value

__all__ = ["BLOCK", "GROUP", "IDENTITY", "LANES", "Way"]

LANES = 32  # a multiple of all that vectors have
BLOCK = 256  # elements
GROUP = 64  # rows
IDENTITY: dict[np.ufunc, float] = {np.add: 0.0, np.multiply: 1.0, np.maximum: -np.inf, np.minimum: np.inf}


class Way(NamedTuple):
    """What is reduced: all elements, or the elements of each row, or of each column.

    Attributes:
        ufunc: puts two numbers together.
        row: elements in a row; 0 where there are none.
        columns: whether each column is reduced.
    """

    ufunc: np.ufunc
    row: int = 0
    columns: bool = False

    @property
    def unit(self) -> int:
        """Of how many elements the pieces are multiples that may be reduced apart."""
        return max(self.row, 1) * GROUP if self.columns else self.row or BLOCK

    def parts(self, length: int) -> tuple[int, ...]:
        """The shape of what is written for so many elements."""
        if self.columns:
            return -(-length // self.unit), self.row + -self.row % LANES
        blocks = -(-(self.row or length) // BLOCK)
        return (length // self.row, blocks) if self.row else (blocks,)

    def partial(self, x: Value) -> Any:
        """What is written for an array of one axis."""
        ufunc, nothing = self.ufunc, IDENTITY[self.ufunc]
        written = np.full(self.parts(len(x)), nothing, x.dtype)
        if self.columns:
            for i, line in enumerate(x.reshape(-1, self.row)):
                group = written[i // GROUP, : self.row]
                group[...] = ufunc(group, line)
            return written
        lines = x.reshape(-1, self.row or len(x))
        whole = np.full((len(lines), written.shape[-1] * BLOCK), nothing, x.dtype)
        whole[:, : lines.shape[1]] = lines
        turns = whole.reshape(-1, BLOCK // LANES, LANES)
        lanes = np.full_like(turns[:, 0], nothing)
        for k in range(turns.shape[1]):
            lanes = ufunc(lanes, turns[:, k])
        while lanes.shape[1] > 1:
            half = lanes.shape[1] // 2
            lanes = ufunc(lanes[:, :half], lanes[:, half:])
        return lanes.reshape(written.shape)

    def place(self, length: int) -> int:
        """Where in memory the parts of what is behind so many elements begin."""
        return prod(self.parts(length)) if length else 0
