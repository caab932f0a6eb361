"""Calls of NumPy's array functions for the sweep of what works: each takes a generic 3×4 matrix.

The matrix holds twelve positive numbers, no two closer than 0.1 (see `what_works.sample_matrix`). What
a function changes in place is changed in a copy.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["CALLS", "generic_calls"]

Call = Callable[[Any], Any]

WEIGHTS = np.array([0.55, 0.95, 0.69, 0.83])
MATRIX = np.array([[0.3, 0.8, -0.4], [0.93, -0.2, 0.5], [0.1, 0.7, 0.6], [-0.8, 0.2, 0.4]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
SIGNS = np.where(MASK, 1.0, -1.0)
INDICES = np.array([[2, 0, 1, 1], [1, 1, 0, 2], [0, 2, 2, 0]])
GRID = np.array([0.1, 0.55, 0.97, 1.38, 1.99])
ONE = np.eye(7)
APART = np.diag([1.0, 4.0, 9.0])  # keeps eigenvalues apart
FAR_APART = np.diag([1.0, 9.0, 17.0])
TURNING = np.triu(np.full((3, 3), 3.0), 1) - np.tril(np.full((3, 3), 3.0), -1)  # makes eigenvalues complex
STEPS = np.arange(4.0)
SCALES = np.array([1.0, 5.0, -3.0, -2.0])


def holed(x: Any) -> Any:
    """x with some NaN in it."""
    return np.where(MASK, x, np.nan)


def changed(change: Callable[[Any], Any]) -> Call:
    """A function that changes its argument in place, as one that returns the result."""

    def call(x: Any) -> Any:
        y = np.copy(x)
        change(y)
        return y

    return call


CALLS: dict[str, list[Call]] = {
    # reductions
    "np.sum": [np.sum, lambda x: np.sum(x, axis=1, keepdims=True, initial=2.0, where=MASK)],
    "np.prod": [np.prod, lambda x: np.prod(x, axis=(0, 1), where=MASK), lambda x: np.prod(x - x[0], axis=0)],
    "np.cumsum": [np.cumsum, lambda x: np.cumsum(x, axis=0)],
    "np.cumprod": [np.cumprod, lambda x: np.cumprod(x - x[1, 1], axis=1)],
    "np.cumulative_sum": [lambda x: np.cumulative_sum(x, axis=1, include_initial=True)],
    "np.cumulative_prod": [lambda x: np.cumulative_prod(x, axis=0, include_initial=True)],
    "np.mean": [np.mean, lambda x: np.mean(x, axis=0, where=MASK)],
    "np.average": [
        lambda x: np.average(x, axis=1, weights=WEIGHTS),
        lambda x: np.average(MASK, weights=x, returned=True),
    ],
    "np.var": [np.var, lambda x: np.var(x, axis=1, ddof=1), lambda x: np.var(x + 1j * x * x, axis=0, where=MASK)],
    "np.std": [np.std, lambda x: np.std(x, axis=1, keepdims=True, correction=1)],
    "np.nansum": [lambda x: np.nansum(holed(x), axis=1)],
    "np.nanprod": [lambda x: np.nanprod(holed(x), axis=0)],
    "np.nancumsum": [lambda x: np.nancumsum(holed(x), axis=1)],
    "np.nancumprod": [lambda x: np.nancumprod(holed(x))],
    "np.nanmean": [lambda x: np.nanmean(holed(x), axis=0)],
    "np.nanvar": [lambda x: np.nanvar(holed(x), ddof=1)],
    "np.nanstd": [lambda x: np.nanstd(holed(x), axis=1)],
    "np.cov": [np.cov, lambda x: np.cov(x[0], x[1], bias=True), lambda x: np.cov(x, aweights=WEIGHTS)],
    "np.corrcoef": [np.corrcoef, lambda x: np.corrcoef(x, rowvar=False)],
    "np.max": [np.max, lambda x: np.max(x, axis=1, keepdims=True), lambda x: np.max(x, initial=0.2, where=MASK)],
    "np.min": [np.min, lambda x: np.min(x, axis=0)],
    "np.amax": [lambda x: np.amax(x, axis=1)],
    "np.amin": [lambda x: np.amin(x, axis=1)],
    "np.ptp": [lambda x: np.ptp(x, axis=0)],
    "np.nanmax": [lambda x: np.nanmax(holed(x), axis=1)],
    "np.nanmin": [lambda x: np.nanmin(holed(x), axis=1)],
    "np.median": [np.median, lambda x: np.median(x, axis=0)],
    "np.nanmedian": [lambda x: np.nanmedian(holed(x), axis=1)],
    "np.percentile": [lambda x: np.percentile(x, [10, 66], axis=1)],
    "np.nanpercentile": [lambda x: np.nanpercentile(holed(x), 30)],
    "np.quantile": [lambda x: np.quantile(x, 0.3), lambda x: np.quantile(x, 0.4, axis=0, method="lower")],
    "np.nanquantile": [lambda x: np.nanquantile(holed(x), 0.7, axis=1)],
    "np.count_nonzero": [lambda x: np.count_nonzero(x, axis=0)],
    "np.all": [np.all],
    "np.any": [np.any],
    # differences, integrals, interpolation
    "np.diff": [np.diff, lambda x: np.diff(x, 2, axis=0, prepend=0.0, append=x[:1])],
    "np.ediff1d": [np.ediff1d, lambda x: np.ediff1d(x, to_end=[1.0], to_begin=x[0])],
    "np.gradient": [
        np.gradient,
        lambda x: np.gradient(x, 0.5, axis=1, edge_order=2),
        lambda x: np.gradient(x, 2.0, GRID[:4]),
        lambda x: np.gradient(MATRIX, x[0, 0], axis=0),
        lambda x: np.gradient(GRID[:4], np.cumsum(x[0] ** 2)),
    ],
    "np.trapezoid": [np.trapezoid, lambda x: np.trapezoid(x, GRID[:4]), lambda x: np.trapezoid(MATRIX.T, x, axis=0)],
    "np.interp": [
        lambda x: np.interp(x, GRID, [1.0, 3.0, 2.0, 5.0, 4.0]),
        lambda x: np.interp([0.2, 0.9, 7.0, -1.0], GRID[:4], x[0]),
        lambda x: np.interp(x[1], GRID[:4], x[0], left=0.5),
        lambda x: np.interp([0.3, 0.9, 1.9], np.cumsum(x[0] ** 2), GRID[:4]),
    ],
    "np.unwrap": [lambda x: np.unwrap(5 * x, axis=0)],
    # products
    "np.dot": [lambda x: np.dot(x, MATRIX), lambda x: np.dot(x.T, x)],
    "np.vdot": [lambda x: np.vdot(x, x), lambda x: np.vdot(x * (1 + 2j), MATRIX.T)],
    "np.inner": [lambda x: np.inner(x, MATRIX.T)],
    "np.outer": [lambda x: np.outer(x, x)],
    "np.tensordot": [lambda x: np.tensordot(x, MATRIX, 1), lambda x: np.tensordot(x, x, ([0, 1], [0, 1]))],
    "np.kron": [lambda x: np.kron(x, MATRIX)],
    "np.cross": [
        lambda x: np.cross(x[:, :3], MATRIX[:3]),
        lambda x: np.cross(x, x * x, axis=0),
        lambda x: np.cross(x[:, :2], x[:, 1:3]),
    ],
    "np.convolve": [lambda x: np.convolve(x[0], x[1], "same")],
    "np.correlate": [lambda x: np.correlate(x[0], WEIGHTS, "full")],
    "np.einsum": [
        lambda x: np.einsum("ij->ji", x),
        lambda x: np.einsum("ij,jk,lk,l->i", x, MATRIX, x @ MATRIX, x[:, 0]),
        lambda x: np.einsum(x, [0, ...], x, [0, ...], [...]),
    ],
    "np.einsum_path": [lambda x: np.einsum_path("ij,jk,k", x, MATRIX, WEIGHTS[:3])],
    "np.linalg.matmul": [lambda x: np.linalg.matmul(x, MATRIX)],
    "np.linalg.outer": [lambda x: np.linalg.outer(x[0], x[1])],
    "np.linalg.tensordot": [lambda x: np.linalg.tensordot(x, MATRIX, axes=1)],
    "np.linalg.vecdot": [lambda x: np.linalg.vecdot(x, x, axis=0)],
    "np.linalg.cross": [lambda x: np.linalg.cross(x[:, 0], x[:, 1])],
    "np.linalg.multi_dot": [lambda x: np.linalg.multi_dot([x, MATRIX, MATRIX.T, x[0]])],
    "np.linalg.matrix_power": [
        lambda x: np.linalg.matrix_power(x[:, :3], 5),
        lambda x: np.linalg.matrix_power(x[:, :3], -1),
    ],
    "np.linalg.trace": [np.linalg.trace],
    "np.linalg.solve": [
        lambda x: np.linalg.solve(x[:, :3], x[:, 3]),
        lambda x: np.linalg.solve(x[:, :3], x),
        lambda x: np.linalg.solve(MATRIX[:3, :3] + 2 * ONE[:3, :3], x),
        lambda x: np.linalg.solve(np.stack([x[:, :3], x[:, 1:] + 5 * ONE[:3, :3]]), x[:, :2]),
    ],
    "np.linalg.inv": [lambda x: np.linalg.inv(x[:, :3]), lambda x: np.linalg.inv(x[:, :3] + 1j * MATRIX[:3, :3])],
    "np.linalg.tensorsolve": [lambda x: np.linalg.tensorsolve(np.reshape(x[:, :3], (3, 1, 3)), x[:, 3:])],
    "np.linalg.tensorinv": [lambda x: np.linalg.tensorinv(np.reshape(x[:, :3], (3, 1, 3)), ind=1)],
    "np.linalg.det": [
        lambda x: np.linalg.det(x[:, :3]),
        lambda x: np.linalg.det(ONE + np.outer(x[0], x[1]).ravel()[:7] * ONE[::-1]),
    ],
    "np.linalg.slogdet": [lambda x: np.linalg.slogdet(x[:, :3]), lambda x: np.linalg.slogdet(x[:, :3] * (1 + 2j))],
    "np.linalg.cholesky": [
        lambda x: np.linalg.cholesky(x @ x.T + 2 * ONE[:3, :3]),
        lambda x: np.linalg.cholesky(x.T @ x + 2 * ONE[:4, :4], upper=True),
    ],
    "np.linalg.qr": [
        lambda x: np.linalg.qr(x.T), np.linalg.qr, lambda x: np.linalg.qr(x[:, :3], "complete"),
        lambda x: np.linalg.qr(x.T, "r"), lambda x: np.linalg.qr(x.T, "complete"),
    ],
    "np.linalg.lstsq": [lambda x: np.linalg.lstsq(x.T, x[0] ** 2), lambda x: np.linalg.lstsq(x, x[:, :2])],
    "np.linalg.pinv": [np.linalg.pinv, lambda x: np.linalg.pinv(x.T, rcond=1e-10)],
    "np.linalg.eigh": [
        lambda x: np.linalg.eigh(x[:, :3] + APART),
        lambda x: np.linalg.eigh(x[:, :3] + 1j * x[:, 1:] + APART, "U"),
    ],
    "np.linalg.eigvalsh": [lambda x: np.linalg.eigvalsh(x[:, :3]), lambda x: np.linalg.eigvalsh(x[:, :3], UPLO="U")],
    "np.linalg.eig": [
        lambda x: np.linalg.eig(x[:, :3] + FAR_APART),
        lambda x: np.linalg.eig(x[:, :3] + TURNING),
    ],
    "np.linalg.eigvals": [
        lambda x: np.linalg.eigvals(x[:, :3]), lambda x: np.linalg.eigvals(x[:, :3] * 1j + MATRIX.T[:3, :3]),
    ],
    "np.linalg.svd": [
        lambda x: np.linalg.svd(x, full_matrices=False), lambda x: np.linalg.svd(x[:, :3]),
        lambda x: np.linalg.svd(x.T, compute_uv=False), lambda x: np.linalg.svd(x),
        lambda x: np.linalg.svd(x + 1j * x[::-1] ** 2, full_matrices=False),
    ],
    "np.linalg.svdvals": [np.linalg.svdvals],
    "np.linalg.cond": [
        np.linalg.cond, lambda x: np.linalg.cond(x[:, :3], 1), lambda x: np.linalg.cond(x[:, :3], "fro"),
        lambda x: np.linalg.cond(x[:, :3], -2),
    ],
    "np.linalg.matrix_rank": [np.linalg.matrix_rank],
    "np.linalg.norm": [
        *(lambda x, p=p: np.linalg.norm(x, p, axis=0) for p in (None, 0, 1, 3, 2.5, -2, np.inf, -np.inf)),
        *(lambda x, p=p: np.linalg.norm(x, p) for p in (None, "fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")),
    ],
    "np.linalg.vector_norm": [np.linalg.vector_norm, lambda x: np.linalg.vector_norm(x, axis=(0, 1), ord=4)],
    "np.linalg.matrix_norm": [np.linalg.matrix_norm],
    "np.trace": [np.trace, lambda x: np.trace(x, 1)],
    # elementwise
    "np.clip": [lambda x: np.clip(x, 0.6, 1.5), lambda x: np.clip(MATRIX.T, x / 4, None)],
    "np.real": [lambda x: np.real(np.exp(1j * x))],
    "np.imag": [lambda x: np.imag(np.exp(1j * x))],
    "np.angle": [lambda x: np.angle(x + 1j * x * x), lambda x: np.angle(x + 2j, deg=True), np.angle],
    "np.nan_to_num": [lambda x: np.nan_to_num(holed(x), nan=2.0)],
    "np.real_if_close": [np.real_if_close],
    "np.round": [np.round, lambda x: np.round(10 * x, -1)],
    "np.around": [np.around],
    "np.fix": [np.fix],
    "np.sinc": [np.sinc],
    "np.i0": [np.i0],
    "np.lib.scimath.sqrt": [lambda x: np.emath.sqrt(x * SIGNS)],
    "np.lib.scimath.log": [lambda x: np.emath.log(x * SIGNS)],
    "np.lib.scimath.log2": [lambda x: np.emath.log2(x * SIGNS)],
    "np.lib.scimath.log10": [lambda x: np.emath.log10(x)],
    "np.lib.scimath.logn": [lambda x: np.emath.logn(3, x)],
    "np.lib.scimath.power": [lambda x: np.emath.power(x * SIGNS, 1.5)],
    "np.lib.scimath.arccos": [lambda x: np.emath.arccos(1.5 * x * SIGNS + 0.9)],
    "np.lib.scimath.arcsin": [lambda x: np.emath.arcsin(1.5 * x * SIGNS + 0.9)],
    "np.lib.scimath.arctanh": [lambda x: np.emath.arctanh(1.5 * x * SIGNS + 0.9)],
    # polynomials
    "np.polyval": [lambda x: np.polyval([1.0, -2.0, 3.0], x), lambda x: np.polyval(x[0], 2.0)],
    "np.vander": [lambda x: np.vander(x[0]), lambda x: np.vander(x[0], 3, increasing=True)],
    "np.poly": [lambda x: np.poly(x[0]), lambda x: np.poly(x[:, :3])],
    "np.polyadd": [lambda x: np.polyadd(x[0], [1.0, 2.0])],
    "np.polysub": [lambda x: np.polysub([1.0, 2.0], x[0])],
    "np.polymul": [lambda x: np.polymul(x[0], x[1])],
    "np.polyder": [lambda x: np.polyder(x[0], 2)],
    "np.polyint": [lambda x: np.polyint(x[0], 2, [1.0, 2.0])],
    "np.polydiv": [lambda x: np.polydiv(x[0], [1.0, 2.0])],
    "np.polyfit": [
        lambda x: np.polyfit(GRID[:4], x[0], 2),
        lambda x: np.polyfit(np.ravel(x), np.ravel(x[::-1]) ** 2, 3),
        lambda x: np.polyfit(STEPS, x.T, 2, w=x[0], full=True),
        lambda x: np.polyfit(np.ravel(x), np.ravel(x) ** 5, 2, cov=True),
    ],
    "np.roots": [lambda x: np.roots(x[0]), lambda x: np.roots(x[0] * SCALES)],
    # Fourier transforms
    **{f"np.fft.{name}": [getattr(np.fft, name)] for name in (
        "fft", "ifft", "rfft", "hfft", "ihfft", "fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "fftshift",
        "ifftshift",
    )},
    "np.fft.irfft": [lambda x: np.fft.irfft(x * (1 + 2j))],
    "np.fft.irfft2": [lambda x: np.fft.irfft2(x * (1 + 2j))],
    "np.fft.irfftn": [lambda x: np.fft.irfftn(x * (1 + 2j))],
    # shapes
    "np.reshape": [lambda x: np.reshape(x, (2, -1)), lambda x: np.reshape(x, (4, 3), order="F")],
    "np.ravel": [np.ravel, lambda x: np.ravel(x, order="F")],
    "np.transpose": [np.transpose],
    "np.matrix_transpose": [np.matrix_transpose],
    "np.linalg.matrix_transpose": [np.linalg.matrix_transpose],
    "np.swapaxes": [lambda x: np.swapaxes(x, 0, 1)],
    "np.moveaxis": [lambda x: np.moveaxis(x, 0, 1)],
    "np.rollaxis": [lambda x: np.rollaxis(x, 1)],
    "np.squeeze": [lambda x: np.squeeze(x[:1])],
    "np.expand_dims": [lambda x: np.expand_dims(x, (0, 2))],
    "np.broadcast_to": [lambda x: np.broadcast_to(x, (2, 3, 4))],
    "np.broadcast_arrays": [lambda x: np.broadcast_arrays(x, x[0], 1.0)],
    "np.atleast_1d": [lambda x: np.atleast_1d(x[0, 0])],
    "np.atleast_2d": [lambda x: np.atleast_2d(x[0])],
    "np.atleast_3d": [lambda x: np.atleast_3d(x, x[0])],
    "np.concatenate": [lambda x: np.concatenate([x, MATRIX.T], axis=0)],
    "np.stack": [lambda x: np.stack([x, MATRIX.T, x], axis=1)],
    "np.hstack": [lambda x: np.hstack([x, x])],
    "np.vstack": [lambda x: np.vstack([x, WEIGHTS])],
    "np.dstack": [lambda x: np.dstack([x, MATRIX.T])],
    "np.column_stack": [lambda x: np.column_stack([x[:, 0], MATRIX[:3]])],
    "np.block": [lambda x: np.block([[x, MATRIX.T], [x, x]])],
    "np.append": [lambda x: np.append(x, 1.0), lambda x: np.append(x, MATRIX.T, axis=0)],
    "np.insert": [lambda x: np.insert(x, 1, WEIGHTS, axis=0)],
    "np.delete": [lambda x: np.delete(x, [0, 2], axis=1)],
    "np.split": [lambda x: np.split(x, 2, axis=1)],
    "np.array_split": [lambda x: np.array_split(x, 3, axis=1)],
    "np.hsplit": [lambda x: np.hsplit(x, [1, 3])],
    "np.vsplit": [lambda x: np.vsplit(x, 3)],
    "np.dsplit": [lambda x: np.dsplit(x[:, :, None], 1)],
    "np.unstack": [np.unstack],
    "np.tile": [lambda x: np.tile(x, (2, 1, 2))],
    "np.repeat": [lambda x: np.repeat(x, 2), lambda x: np.repeat(x, [1, 0, 2], axis=0)],
    "np.flip": [np.flip, lambda x: np.flip(x, axis=1)],
    "np.fliplr": [np.fliplr],
    "np.flipud": [np.flipud],
    "np.roll": [lambda x: np.roll(x, 2), lambda x: np.roll(x, (1, 2), axis=(0, 1))],
    "np.rot90": [np.rot90],
    "np.resize": [lambda x: np.resize(x, (5, 3))],
    "np.pad": [*(lambda x, mode=mode: np.pad(x, ((1, 2), (0, 1)), mode) for mode in (
        "constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum", "mean", "median",
    ))],
    "np.trim_zeros": [lambda x: np.trim_zeros(np.concatenate([[0.0], x[0], [0.0]]))],
    "np.meshgrid": [lambda x: np.meshgrid(x[0], WEIGHTS)],
    "np.lib.stride_tricks.sliding_window_view": [lambda x: sliding_window_view(x, (2, 2))],
    # indexing and selection
    "np.take": [lambda x: np.take(x, [2, 0], axis=1), lambda x: np.take(x, INDICES)],
    "np.take_along_axis": [lambda x: np.take_along_axis(x, INDICES, axis=1)],
    "np.put": [changed(lambda y: np.put(y, [0, 5], [7.0, 8.0]))],
    "np.put_along_axis": [changed(lambda y: np.put_along_axis(y, INDICES[:, :1], 2.0, axis=1))],
    "np.place": [changed(lambda y: np.place(y, MASK, [7.0, 8.0]))],
    "np.putmask": [changed(lambda y: np.putmask(y, MASK, MATRIX.T))],
    "np.copyto": [changed(lambda y: np.copyto(y, 2.0, where=MASK)), changed(lambda y: np.copyto(y, y * y))],
    "np.fill_diagonal": [changed(lambda y: np.fill_diagonal(y, 3.0))],
    "np.where": [lambda x: np.where(MASK, x, MATRIX.T), lambda x: np.where(x > 1, x * x, x)],
    "np.select": [lambda x: np.select([x < 0.8, x > 1.4], [x, x * x], 0.5)],
    "np.choose": [lambda x: np.choose(INDICES, [x, x * x, 1.0])],
    "np.compress": [lambda x: np.compress([True, False, True], x, axis=0)],
    "np.extract": [lambda x: np.extract(MASK, x)],
    "np.piecewise": [lambda x: np.piecewise(x, [x < 1.0, x >= 1.0], [lambda v: v * v, lambda v: 1 / v])],
    "np.diag": [np.diag, lambda x: np.diag(x[0], 1)],
    "np.diagonal": [np.diagonal],
    "np.linalg.diagonal": [np.linalg.diagonal],
    "np.diagflat": [lambda x: np.diagflat(x)],
    "np.tril": [np.tril],
    "np.triu": [lambda x: np.triu(x, 1)],
    "np.apply_along_axis": [lambda x: np.apply_along_axis(lambda row: row * row[0], 1, x)],
    "np.apply_over_axes": [lambda x: np.apply_over_axes(np.sum, x, [0, 1])],
    "np.diag_indices_from": [lambda x: np.diag_indices_from(x[:, :3])],
    "np.tril_indices_from": [np.tril_indices_from],
    "np.triu_indices_from": [np.triu_indices_from],
    "np.nonzero": [np.nonzero],
    "np.flatnonzero": [np.flatnonzero],
    "np.argwhere": [np.argwhere],
    "np.ix_": [lambda x: np.ix_(x[0], [1])],
    # sorting and sets
    "np.sort": [np.sort, lambda x: np.sort(x, axis=0)],
    "np.sort_complex": [lambda x: np.sort_complex(x[0])],
    "np.partition": [lambda x: np.partition(x, 2, axis=1)],
    "np.argsort": [np.argsort],
    "np.argpartition": [lambda x: np.argpartition(x, 1)],
    "np.lexsort": [lambda x: np.lexsort((x[0], x[1]))],
    "np.searchsorted": [lambda x: np.searchsorted(GRID, x), lambda x: np.searchsorted(np.sort(x[0]), 0.8)],
    "np.digitize": [lambda x: np.digitize(x, GRID)],
    "np.argmax": [np.argmax, lambda x: np.argmax(x, axis=1)],
    "np.argmin": [np.argmin],
    "np.nanargmax": [lambda x: np.nanargmax(holed(x), axis=1)],
    "np.nanargmin": [lambda x: np.nanargmin(holed(x))],
    "np.unique": [np.unique, lambda x: np.unique(x, return_inverse=True)],
    "np.unique_values": [lambda x: np.sort(np.unique_values(x))],
    "np.unique_counts": [np.unique_counts],
    "np.unique_inverse": [np.unique_inverse],
    "np.unique_all": [np.unique_all],
    "np.union1d": [lambda x: np.union1d(x, WEIGHTS)],
    "np.intersect1d": [lambda x: np.intersect1d(x, x[0])],
    "np.setdiff1d": [lambda x: np.setdiff1d(x, x[0])],
    "np.setxor1d": [lambda x: np.setxor1d(x, x[0])],
    "np.isin": [lambda x: np.isin(x, x[0])],
    "np.bincount": [lambda x: np.bincount([0, 2, 2, 1], weights=x[0], minlength=5)],
    "np.histogram": [
        lambda x: np.histogram(x, 3),
        lambda x: np.histogram(x, GRID, density=True),
        lambda x: np.histogram(MATRIX, np.sort(x[0])),
        lambda x: np.histogram(MATRIX, np.sort(x[0]), density=True),
        lambda x: np.histogram(WEIGHTS, GRID, weights=x[0]),
    ],
    "np.histogram2d": [
        lambda x: np.histogram2d(x[0], x[1], [GRID, GRID]),
        lambda x: np.histogram2d(x[0], x[1], 3),
        lambda x: np.histogram2d(WEIGHTS, WEIGHTS[::-1], [2, GRID], weights=x[0]),
    ],
    "np.histogramdd": [
        lambda x: np.histogramdd(x[:, :2], [GRID, GRID]),
        lambda x: np.histogramdd(x[:, :2], [2, 3]),
        lambda x: np.histogramdd(MATRIX, [2, 3, 1], weights=x[0]),
    ],
    "np.histogram_bin_edges": [lambda x: np.histogram_bin_edges(x, 3), lambda x: np.histogram_bin_edges(x, "auto")],
    # creation
    "np.copy": [np.copy],
    "np.astype": [lambda x: np.astype(x, np.longdouble)],
    "np.zeros_like": [np.zeros_like],
    "np.ones_like": [np.ones_like],
    "np.full_like": [lambda x: np.full_like(x, 2.0), lambda x: np.full_like(x, x[0])],
    "np.empty_like": [lambda x: np.empty_like(x).shape],
    "np.linspace": [lambda x: np.linspace(x[0], 2.0, 5)],
    "np.logspace": [lambda x: np.logspace(x[0], 2.0, 4)],
    "np.geomspace": [lambda x: np.geomspace(x[0], 2.0, 4)],
    # what an array is
    "np.shape": [np.shape],
    "np.ndim": [np.ndim],
    "np.size": [np.size],
    "np.iscomplexobj": [np.iscomplexobj],
    "np.isrealobj": [np.isrealobj],
    "np.iscomplex": [np.iscomplex],
    "np.isreal": [np.isreal],
    "np.isposinf": [np.isposinf],
    "np.isneginf": [np.isneginf],
    "np.isclose": [lambda x: np.isclose(x, 0.7)],
    "np.allclose": [lambda x: np.allclose(x, x)],
    "np.array_equal": [lambda x: np.array_equal(x, x)],
    "np.array_equiv": [lambda x: np.array_equiv(x, x[0])],
    "np.result_type": [lambda x: np.result_type(x, np.float32)],
    "np.min_scalar_type": [lambda x: np.min_scalar_type(x)],
    "np.can_cast": [lambda x: np.can_cast(x.dtype, np.float32)],
    "np.common_type": [lambda x: np.common_type(x, MATRIX)],
    "np.shares_memory": [lambda x: np.shares_memory(x, x[0])],
    "np.may_share_memory": [lambda x: np.may_share_memory(x, x.T)],
    "np.array_repr": [lambda x: type(np.array_repr(x))],
    "np.array_str": [lambda x: type(np.array_str(x))],
    "np.array2string": [lambda x: type(np.array2string(x))],
}  # fmt: skip


def generic_calls(function: Callable[..., Any]) -> Iterator[Call]:
    """Calls that hand the matrix to a function that is expected to raise, whatever else it wants."""
    yield lambda x: function(x)
    yield lambda x: function(x, x)
    yield lambda x: function([x, x])
    yield lambda x: function(x[:, :3], x[:, 3])
    yield lambda x: function(3, like=x)
    yield lambda x: function(3, 1.0, like=x)
    yield lambda x: function(lambda i: i, (3,), like=x)
    yield lambda x: function("file", x)
    yield lambda x: function("file", like=x)
    yield lambda x: function(x, "name", x)
    yield lambda x: function("name", x, x)
    yield lambda x: function([1.0], float, like=x)
    yield lambda x: function(b"12345678", sep=" ", like=x)
