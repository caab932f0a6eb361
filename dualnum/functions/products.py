"""Products of arrays."""

from typing import Any

import numpy as np

from ..operand import bilinear, implements


@implements(np.matmul)
def matmul(a: Any, b: Any, **kwargs: Any) -> Any:
    return bilinear(np.matmul, a, b)
