"""How kernels sum, multiply up, and find the largest: in blocks of fixed length, by one tree, whatever the machine.

Of the elements of a block those that are congruent modulo LANES are taken together one after another, then the LANES
results by halves. What comes of each block is written to memory, and NumPy does the rest (a sum pairwise). So the bits
do not depend on the width of vectors or the number of threads, and a sum of n elements has a relative error of at most
about log₂(n) + 17 rounding errors, where NumPy's pairwise sum has log₂(n) + 12.

Source: N. J. Higham, The accuracy of floating point summation, SIAM J. Sci. Comput. 14 (1993), section 3.
"""

from typing import Any

import numpy as np

from ..kinds import Value

__all__ = ["BLOCK", "IDENTITY", "LANES", "blocks", "partial"]

LANES = 32  # a multiple of all that vectors have
BLOCK = 256  # elements
IDENTITY = {np.add: 0.0, np.multiply: 1.0, np.maximum: -np.inf, np.minimum: np.inf}


def blocks(length: int) -> int:
    """How many there are of so many elements."""
    return -(-length // BLOCK)


def partial(ufunc: np.ufunc, x: Value) -> Any:
    """What comes of each block of an array of one axis."""
    whole = np.full(blocks(len(x)) * BLOCK, IDENTITY[ufunc], x.dtype)
    whole[: len(x)] = x
    turns = whole.reshape(-1, BLOCK // LANES, LANES)
    lanes = np.full_like(turns[:, 0], IDENTITY[ufunc])
    for k in range(turns.shape[1]):
        lanes = ufunc(lanes, turns[:, k])
    while lanes.shape[1] > 1:
        half = lanes.shape[1] // 2
        lanes = ufunc(lanes[:, :half], lanes[:, half:])
    return lanes[:, 0]
