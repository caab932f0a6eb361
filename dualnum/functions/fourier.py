"""Discrete Fourier transforms: linear, so every coefficient is transformed by itself."""

from typing import Any

import numpy as np

from ..kinds import Axis, Shape, Value
from ..operand import implements, linear
from ..operand.constants import frozen
from . import adjoints
from .arguments import into
from .keywords import axes_of


def _one_axis(transform: Any) -> None:
    @implements(transform)
    def call(a: Value, n: Any = None, axis: int = -1, norm: Any = None, out: Value = None) -> Any:
        back = _BACK[transform](a.shape, None if n is None else (n,), (axis,), norm)
        return into(out, linear(lambda x: transform(x, n=n, axis=axis, norm=norm), a, adjoint=back), transform.__name__)


def _several_axes(transform: Any, default: Any) -> None:
    @implements(transform)
    def call(a: Value, s: Value = None, axes: Axis = default, norm: Any = None, out: Value = None) -> Any:
        s, axes = frozen(s), frozen(axes)
        given = range(-len(s), 0) if axes is None and s is not None else axes
        back = _BACK[transform](a.shape, s, given, norm)
        return into(out, linear(lambda x: transform(x, s=s, axes=axes, norm=norm), a, adjoint=back), transform.__name__)


# ── adjoints ─────────────────────────────────────────────────────────────────────────────────────


def _whole(same: Any) -> Any:
    return lambda shape, s, axes, norm: adjoints.transform(same, shape, axes, norm)


def _rfftn(shape: Shape, s: Value, axes: Axis, norm: Any) -> Any:
    axes = axes_of(axes, len(shape))
    back = adjoints.transform(np.fft.fftn, shape, axes, norm)
    lengths = [shape[i] for i in axes] if s is None else s
    return lambda g: back(g, lengths)


def _irfftn(shape: Shape, s: Value, axes: Axis, norm: Any) -> Any:
    axes = axes_of(axes, len(shape))
    return adjoints.irfftn(shape, axes, norm, 2 * (shape[axes[-1]] - 1) if s is None else s[-1])


def _hfft(shape: Shape, s: Value, axes: Axis, norm: Any) -> Any:
    """irfft of the conjugate, in the other direction."""
    back = _irfftn(shape, s, axes, adjoints.OTHER[norm])
    return lambda g: np.conjugate(back(g))


def _ihfft(shape: Shape, s: Value, axes: Axis, norm: Any) -> Any:
    """The conjugate of rfft, in the other direction."""
    back = _rfftn(shape, s, axes, adjoints.OTHER[norm])
    return lambda g: back(np.conjugate(g))


_BACK: dict[Any, Any] = {
    **dict.fromkeys((np.fft.fft, np.fft.fft2, np.fft.fftn), _whole(np.fft.fftn)),
    **dict.fromkeys((np.fft.ifft, np.fft.ifft2, np.fft.ifftn), _whole(np.fft.ifftn)),
    **dict.fromkeys((np.fft.rfft, np.fft.rfft2, np.fft.rfftn), _rfftn),
    **dict.fromkeys((np.fft.irfft, np.fft.irfft2, np.fft.irfftn), _irfftn),
    np.fft.hfft: _hfft,
    np.fft.ihfft: _ihfft,
}


_transform: Any
for _transform in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft):
    _one_axis(_transform)
for _transform in (np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2):
    _several_axes(_transform, (-2, -1))
for _transform in (np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn):
    _several_axes(_transform, None)
