"""The Jet: an array that carries the Taylor coefficients of its entries.

A jet of order K stands for the truncated series y(t) = Σ_{k≤K} a_k t^k, elementwise, a_k = y⁽ᵏ⁾(0)/k!.
Its planes lie in one array of shape (K+1, *shape), coefficient first.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..algebra import Algebra, Univariate, check_order
from ..backend import as_floating, asked, floating_dtype
from ..errors import DualnumError, InvalidValue, LevelError, dropped, ours
from ..kinds import DType, Index, Value
from ..operand import Adjoint, Adjoints, Operand, Stacked, away, explained, library, moved
from ..operand.index import above, as_tuple, cannot_hold, checked_index, checked_value, index_error, is_basic
from ..operand.levels import Scope, ambient
from ..primitives import Row, ufuncs
from . import evaluation, multilinear, operations
from .eager import quick
from .planes import unshared
from .reading import Reading

__all__ = ["Jet", "ambient_above"]


class Jet(Reading):
    """An array with its Taylor coefficients up to order K along t.

    Args:
        coeffs: the normalized coefficients a_k = y⁽ᵏ⁾(0)/k!, stacked: shape (K+1, *shape), real or
            complex; copied. Integers become float64.

    Raises:
        InvalidType: coeffs are not numbers.
        InvalidValue: coeffs have no axis for k.
        LevelError: coeffs are themselves jets of this level.

    Source:
        Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13.

    Example:
        >>> y = Jet([[2.0, 3.0], [1.0, 1.0]]) ** 2
        >>> y.derivative(1)
        array([4., 6.])
    """

    __slots__ = ()

    def __init__(self, coeffs: Any) -> None:
        if isinstance(coeffs, (list, tuple)) and any(isinstance(c, Operand) for c in coeffs):
            coeffs = np.stack(coeffs)
        if not isinstance(coeffs, Operand):
            coeffs = as_floating(coeffs, "Jet", "coeffs")
            coeffs = coeffs.copy()
        if coeffs.ndim == 0 or coeffs.shape[0] == 0:
            raise InvalidValue(
                f"Jet: coeffs has shape {coeffs.shape}; expected (K+1, *shape), one coefficient at least. "
                "To differentiate at a point, write dn.jet(x)"
            )
        self._set(coeffs, coeffs.shape[0] - 1, Univariate(coeffs.shape[0] - 1), ambient_above(coeffs, "Jet"))

    # ── changing order, type, place ──────────────────────────────────────────────────────────────

    def truncate(self, order: int) -> "Jet":
        """The jet without its coefficients above `order`, a copy.

        Raises:
            InvalidType: order is not an integer.
            InvalidValue: it is negative, or above that of the jet.

        Example:
            >>> jet([2.0, 5.0], order=3).truncate(1)
            Jet([2., 5.]
              + [1., 1.]·t,
                order=1)
        """
        order = check_order(order, "truncate")
        if order > self.order:
            raise InvalidValue(
                f"truncate: order is {order}, but the jet has order {self.order} and the coefficients above it "
                "are not known; build the jet with a higher order"
            )
        algebra = self.algebra.truncated(order)
        with away((self,)) or nullcontext():  # CuPy copies to its current device
            planes = np.copy(self.planes[: algebra.size])
        return object.__new__(Jet)._set(planes, self.algebra.below(self.extent, order), algebra, self.scope)

    def astype(self, dtype: DType, casting: Any = "unsafe", copy: bool = True) -> "Jet":
        """The jet with coefficients of another real or complex type; arguments as of ``ndarray.astype``.

        Raises:
            InvalidType: dtype is no such type, or casting forbids it.
            DerivativeDropped: from complex to real (write x.real).
        """
        dtype = floating_dtype(dtype, "astype")
        if dtype == self.dtype and not copy:
            return self
        if self.dtype.kind == "c" and dtype.kind == "f":
            raise dropped("astype from complex to real", "x.real or np.abs(x)")
        if isinstance(self.planes, Operand):
            return self._again(self.planes.astype(dtype), self.extent)
        try:
            return self._again(self.planes.astype(dtype, **asked("unsafe", casting=casting)), self.extent)
        except TypeError as error:
            raise ours(error, f"astype with casting={casting!r}") from None

    def copy(self, order: str = "C") -> "Jet":
        """The jet with coefficients of its own, in C order."""
        with away((self,)) or nullcontext():
            return self._again(self.planes.copy(), self.extent)

    def __copy__(self) -> "Jet":
        return self.copy()

    def __deepcopy__(self, memo: Any) -> "Jet":
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.planes, self.extent, self.algebra, self.scope)

    # ── indexing ─────────────────────────────────────────────────────────────────────────────────

    def __getitem__(self, index: Index) -> Any:
        index = checked_index(index, "x[…]")
        try:
            if is_basic(index):  # a view, as in NumPy
                index = as_tuple(index)
                planes = self.planes[(slice(None), *index)]
                if planes.ndim > 1:
                    return self._view(planes)
                # a single element is a scalar of its own, so that a swap through a variable swaps
                if Ellipsis in index:
                    return self._view(planes)._as_array()
                if type(planes) is np.ndarray:
                    return self._like(planes.copy(), self.extent)
                return self._like(planes, self.extent).copy()
            held = above(self, index)
            return self._rearrange(lambda x: x[index], (self,)) if held is None else held[index]
        except IndexError as error:
            raise index_error(index, self.shape, "x[…]", error) from None

    _is_array = False

    def _as_array(self) -> "Jet":
        if type(self) is Jet and self.planes.ndim == 1:
            self.__class__ = Array
        return self

    def __setitem__(self, index: Index, value: Value) -> None:
        index = checked_index(index, "x[…] = …")
        value = checked_value(self, value)
        if self._is_mine(value, "x[…] = value"):
            # a copy where it shares memory with x: planes are written one after the other
            planes, extent = unshared(value.planes, self.planes), value.extent
        else:
            planes, extent = [value], 0
        if isinstance(planes[0], Operand) and not isinstance(self.planes, Operand):
            raise cannot_hold(self, planes[0])
        self._before_a_write()
        algebra = self.algebra
        written, given = algebra.planes(algebra.union(extent, self.extent)), algebra.planes(extent)
        try:
            whole = isinstance(self.planes, Operand)  # of what is recorded a plane is another one
            for m in range(written):  # a misfit fails at the first plane, before anything has changed
                plane = planes[m] if m < given else 0.0
                if whole:
                    self.planes[(slice(m, m + 1), *as_tuple(index))] = plane
                else:
                    self.planes[m, ...][index] = plane
        except DualnumError:
            raise
        except IndexError as error:
            raise index_error(index, self.shape, "x[…] = value", error) from None
        except (TypeError, ValueError) as error:
            raise explained(error, "x[…] = value", self, value) from None
        self._extend(extent)

    @property
    def nbytes(self) -> int:
        """The bytes of all coefficients."""
        return int(self.planes.nbytes)

    def to_device(self, device: str, /, *, stream: Any = None) -> "Jet":
        planes = moved(self.planes, device)  # all of them in one copy
        return self if planes is self.planes else self._again(planes, self.extent)

    to_device.__doc__ = Operand.to_device.__doc__

    def fill(self, value: Value) -> None:
        """x[...] = value."""
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None) -> None:
        """Sorts the entries along an axis by value, in place; each keeps its coefficients."""
        self[...] = np.sort(self, axis=axis)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__":
            result = quick(ufunc, inputs, Jet)
            if result is not None:
                return result
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    # ── what the interception point asks for ─────────────────────────────────────────────────────

    def _squares(self, of_first: bool = False) -> int:
        return self.planes._squares(of_first=True) if isinstance(self.planes, Operand) else 0

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return ufuncs.apply(self, ufunc, method, inputs, kwargs)

    def _primitive(self, row: Row, inputs: tuple[Any, ...]) -> Any:
        return evaluation.primitive(self, row, inputs)

    def _pull_back(self, function: Callable[..., Any], operands: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return evaluation.pull_back(self, function, operands)

    def _linear(
        self,
        function: Callable[..., Any],
        data: tuple[Any, ...],
        adjoint: Adjoint | None = None,
        stacked: Callable[..., Any] | None = None,
    ) -> Any:
        return multilinear.linear(self, function, data, stacked)

    def _rearrange(self, function: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        return multilinear.rearranged(self, function, data)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Adjoint | None = None) -> Any:
        result = self._view(function(self.planes, 1))  # it may be one
        if result.planes.ndim > 1 or not (self.ndim or self._is_array):
            return result
        array = np.broadcast_to(library(self).empty(()), self.shape)
        return result._as_array() if np.may_share_memory(function(array, 0), array) else result

    def _bilinear(
        self,
        function: Callable[[Any, Any], Any],
        a: Value,
        b: Value,
        adjoints: Adjoints | None = None,
        stacked: Stacked | None = None,
    ) -> Any:
        return multilinear.bilinear(self, function, a, b, stacked)

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        return operations.operated(self, operation, args)

    def plot(self, points: Value = None, *, order: int | None = None, axes: Any = None) -> Any:
        """Draws the value and derivatives over the points: curves with gaps at poles, nothing where it is undefined.

        Large derivatives are divided by a power of ten, as the legend says; of several variables the partial
        derivatives are drawn.

        Args:
            points: where the jet of one axis was computed, as many; their numbers when left out.
            order: up to which derivatives are drawn; 3 when left out, of several variables 1.
            axes: of Matplotlib, to draw in; the current ones when left out.

        Returns:
            The axes.

        Raises:
            MissingLibrary: Matplotlib is not installed.
            InvalidValue: the jet has not one axis, the points are not as many, or the order is not there.
            InvalidType: the jet is complex.

        Example:
            >>> x = np.linspace(-2.0, 2.0, 201)
            >>> axes = np.tan(jet(x, 2)).plot(x)  # doctest: +SKIP
        """
        from .plotting import plotted

        return plotted(self, points, order, axes)

    def __repr__(self) -> str:
        from .display import text

        return text(self)

    def __format__(self, spec: str) -> str:
        """The repr, every number as `spec` says: ``f"{x:.3f}"``."""
        from .display import formatted

        return formatted(self, spec) if spec else repr(self)

    def _repr_latex_(self) -> str | None:
        from .display import latex

        return latex(self)

    def _repr_html_(self) -> str:
        from .display import html

        return html(self)


Jet.kind = Jet


class Array(Jet):
    """An array without axes, where other jets without axes are numbers: `x += 1` writes into it, as into x[0, ...]."""

    __slots__ = ()
    _is_array = True


def ambient_above(x: Value, function: str, name: str = "x") -> Scope:
    """The ambient scope, which must stand above x."""
    scope = ambient()
    if isinstance(x, Operand) and x.scope.level >= scope.level:
        raise LevelError(
            f"{function}: {name} is itself a jet of {x.scope.name}, which would share t with the new one; nest with "
            "dn.derivative or dn.jvp, or start from x.value"
        )
    return scope


def _restore(planes: Value, extent: int, algebra: Algebra, scope: Scope) -> Jet:
    jet: Jet = object.__new__(Jet)._set(planes, extent, algebra, scope)
    return jet
