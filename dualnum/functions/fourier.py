"""Discrete Fourier transforms: linear, so every coefficient is transformed by itself."""

from typing import Any

import numpy as np

from ..operand import implements, linear
from .arguments import into


def _one_axis(transform: Any) -> None:
    @implements(transform)
    def call(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        return into(out, linear(lambda x: transform(x, n=n, axis=axis, norm=norm), a), transform.__name__)


def _several_axes(transform: Any, default: Any) -> None:
    @implements(transform)
    def call(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        return into(out, linear(lambda x: transform(x, s=s, axes=axes, norm=norm), a), transform.__name__)


_transform: Any
for _transform in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft):
    _one_axis(_transform)
for _transform in (np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2):
    _several_axes(_transform, (-2, -1))
for _transform in (np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn):
    _several_axes(_transform, None)
