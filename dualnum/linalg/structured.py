"""Matrices that are made of others by their places."""

from typing import Any

import numpy as np

from ..functions.keywords import array
from ..operand import library, operands
from .values import scipy_of

__all__ = ["block_diag"]


def block_diag(*arrays: Any) -> Any:
    """Matrices along the diagonal of one, zeros beside them.

    Args:
        arrays: (m, n) each; (n,) stands for (1, n), and a number for (1, 1).

    Returns:
        A matrix with the sums of their rows and of their columns, in their common type.

    Raises:
        InvalidValue: one has more than two axes (without any derivatives SciPy decides).

    Example:
        >>> dn.linalg.block_diag(dn.jet([[5.0]], 1), np.array([[2.0, 3.0]])).derivative(1)
        array([[1., 0., 0.],
               [0., 0., 0.]])
    """
    if library(*arrays) is np and not any(True for _ in operands(arrays)):
        return scipy_of("block_diag", *arrays)
    blocks = [np.reshape(x, (1, -1)) if x.ndim < 2 else x for x in (array(x, *arrays) for x in arrays)]
    columns = sum(x.shape[1] for x in blocks)
    rows, before, zeros = [], 0, library(*arrays).zeros
    for x in blocks:
        after = columns - before - x.shape[1]
        parts = [zeros((x.shape[0], before), x.dtype), x, zeros((x.shape[0], after), x.dtype)]
        rows.append(np.concatenate(parts, axis=1))
        before += x.shape[1]
    return np.concatenate(rows, axis=0)
