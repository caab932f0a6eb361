"""Sums, products and statistics along axes."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operand import batched, implements


@implements(np.sum)
def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    axes = tuple(range(a.ndim)) if axis is None else normalize_axis_tuple(axis, a.ndim)
    return batched(lambda x, b: np.sum(x, axis=tuple(b + i for i in axes), keepdims=keepdims), a)
