"""New arrays like given ones."""

from typing import Any

import numpy as np

from ..operand import implements, primal


@implements(np.shape)
def shape(a: Any) -> Any:
    return a.shape


@implements(np.ndim)
def ndim(a: Any) -> Any:
    return a.ndim


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return bool(x.dtype.kind == "c")


@implements(np.real)
def real(val: Any) -> Any:
    from ..operand import linear

    return linear(np.real, val)


@implements(np.imag)
def imag(val: Any) -> Any:
    from ..operand import linear

    return linear(np.imag, val)


_ = primal
