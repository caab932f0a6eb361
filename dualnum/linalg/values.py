"""SciPy's functions of plain matrices, asked for when they are needed."""

from typing import Any

import numpy as np

from ..errors import not_on_device
from ..kinds import Value
from ..operand import library

__all__ = ["scipy_of"]


def scipy_of(name: str, *arrays: Value, **keywords: Any) -> Any:
    """SciPy's function of these arrays. Of those that are asked for here CuPy has none that is needed."""
    if library(*arrays) is not np:
        raise not_on_device(name, f"CuPy has no {name}")
    import scipy.linalg

    return getattr(scipy.linalg, name)(*arrays, **keywords)
