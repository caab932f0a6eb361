"""Selection by value."""

from typing import Any

import numpy as np

from ..operand import implements, linear, primal


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    condition = primal(condition)
    return linear(lambda x, y: np.where(condition, x, y), x, y)
