"""New arrays like given ones, what an array is (its shape, its type), and where arrays leave NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import floating_dtype, is_array
from ..errors import InvalidType, InvalidValue, dropped
from ..kinds import Axis, DType, Shape, Value
from ..operand import (
    Operand,
    as_array,
    batched,
    function_name,
    implements,
    library,
    linear,
    operands,
    primal,
    rearrange,
    visible,
)
from .arguments import numbers, on_values

__all__ = ["array", "between"]


# ── jets from nested lists ───────────────────────────────────────────────────────────────────────


def array(object: Any, dtype: DType = None) -> Any:
    """Collects numbers, arrays and jets in nested lists into one jet, as ``np.array`` does with numbers.

    NumPy itself cannot: ``np.array([jet, jet])`` asks nobody and raises.

    Args:
        object: nested lists or tuples, or a jet, which is copied; without any jet: what ``np.array`` takes.
        dtype: the real or complex type of the result; by NumPy's promotion rules when left out.

    Returns:
        A jet (a variable, a traced array) of the shape of the nesting, then that of the items; without any a new array.

    Raises:
        InvalidValue: the nested lists are ragged.
        InvalidType: something in them is no number; dtype carries no derivatives.

    Example:
        >>> from dualnum import jet
        >>> x = jet(0.5, order=2)
        >>> array([[x, 1.0], [2.0, x**2]]).derivative(1)
        array([[1., 0.],
               [0., 1.]])
    """
    if not any(True for _ in operands(object)):
        return library(object).array(object, dtype)
    kinds = [x if isinstance(x, (bool, int, float, complex)) else x.dtype for x in _leaves(object)]
    dtype = floating_dtype(np.result_type(*kinds) if dtype is None else dtype, "array")
    collected = _collected(object, dtype, library(*operands(object)))
    return collected._as_array() if isinstance(collected, Operand) else collected


def _leaves(nested: Any) -> list[Any]:
    """The numbers, arrays and operands in nested lists; Python's numbers as they are, for they widen nothing."""
    if isinstance(nested, (list, tuple)):
        return [leaf for item in nested for leaf in _leaves(item)]
    return list(numbers("array", nested))


def _collected(nested: Any, dtype: DType, xp: Any) -> Any:
    if not isinstance(nested, (list, tuple)):
        return nested.astype(dtype) if isinstance(nested, Operand) or is_array(nested) else xp.asarray(nested, dtype)
    items = [_collected(item, dtype, xp) for item in nested]
    shapes = sorted({np.shape(item) for item in items})
    if len(shapes) > 1:
        raise InvalidValue(f"array: the nested lists are ragged: they hold items of shapes {shapes}; expected one")
    return np.stack(items) if items else np.empty(0, dtype)


# ── filled like another ──────────────────────────────────────────────────────────────────────────


@implements(np.zeros_like, np.empty_like, without_axes="array")
def zeros_like(
    a: Value,
    /,
    dtype: DType = None,
    order: Any = "K",
    subok: bool = True,
    shape: Shape = None,
    *,
    device: Any = None,
) -> Any:
    """A jet of a's level, all coefficients zero; of an integer dtype a plain array (`empty_like` as well:
    memory without a value has no derivatives either)."""
    if shape == ():  # which CuPy takes for none that is given
        return np.reshape(np.zeros_like(a, dtype=dtype, shape=(1,)), ())
    return rearrange(lambda x: np.zeros_like(x, dtype=dtype, shape=shape), a)


@implements(np.full_like, without_axes="array")
def full_like(
    a: Value,
    fill_value: Any,
    dtype: DType = None,
    order: Any = "K",
    subok: bool = True,
    shape: Shape = None,
    *,
    device: Any = None,
) -> Any:
    if not isinstance(fill_value, Operand):
        (fill_value,) = numbers("full_like", fill_value)
        if shape == ():
            return np.reshape(np.full_like(a, fill_value, dtype=dtype, shape=(1,)), ())
        return rearrange(lambda x, value: np.full_like(x, value, dtype=dtype, shape=shape), a, fill_value)
    zeros = np.zeros_like(a, dtype=dtype, shape=shape)
    return (zeros + fill_value).astype(floating_dtype(zeros.dtype, "full_like"), copy=False)


@implements(np.ones_like, without_axes="array")
def ones_like(
    a: Value,
    dtype: DType = None,
    order: Any = "K",
    subok: bool = True,
    shape: Shape = None,
    *,
    device: Any = None,
) -> Any:
    return np.full_like(a, 1, dtype=dtype, shape=shape)


# ── sequences between two ends ───────────────────────────────────────────────────────────────────


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DType = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Linear in both ends: start + (stop − start) i/n."""
    start, stop = numbers("linspace", start, stop)
    if dtype is not None:
        dtype = floating_dtype(dtype, "linspace")

    def adjoint(g: Value) -> Any:
        weight = np.expand_dims(library(g).linspace(0.0, 1.0, num, endpoint), tuple(range(1, np.ndim(g))))
        g = np.moveaxis(g, axis, 0)
        return np.sum((1 - weight) * g, axis=0), np.sum(weight * g, axis=0)

    def samples_of(a: Value, b: Value) -> Any:
        if library(a, b) is not np:
            return between(a, b, num, endpoint, dtype, axis)
        return np.linspace(a, b, num, endpoint, dtype=dtype, axis=axis)

    samples = linear(samples_of, start, stop, adjoint=adjoint)
    if not retstep:
        return samples
    intervals = num - 1 if endpoint else num
    return samples, (stop - start) / intervals if intervals > 0 else np.full_like(stop - start, np.nan)


def between(start: Value, stop: Value, num: int, endpoint: bool, dtype: DType, axis: int) -> Any:
    """np.linspace, of which CuPy's looks whether the step is zero."""
    kind = np.result_type(start, stop, 1.0)
    start, stop = np.broadcast_arrays(as_array(start, stop).astype(kind), as_array(stop, start).astype(kind))
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    numbers = np.expand_dims(library(step).arange(num, dtype=step.dtype), tuple(range(1, step.ndim + 1)))
    samples = numbers * step + start
    if endpoint and num > 1:
        samples = np.concatenate([samples[:-1], stop[None].astype(samples.dtype)])
    samples = np.moveaxis(samples, 0, axis)
    return samples if dtype is None else samples.astype(dtype)


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Value = 10.0,
    dtype: DType = None,
    axis: int = 0,
) -> Any:
    """base ** linspace(start, stop)."""
    if np.ndim(base):  # its axes lie beside the new one
        ndim = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x)) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    samples = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return samples if dtype is None else samples.astype(floating_dtype(dtype, "logspace"))


@implements(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: DType = None, axis: int = 0) -> Any:
    """sign(start) · 10 ** linspace(log10 |start|, log10 |stop|), with both ends as they are given."""
    start, stop = numbers("geomspace", start, stop)
    zeros = [np.any(primal(x) == 0) for x in (start, stop)]
    if any(visible(zero) and zero for zero in zeros):  # of a traced end nothing is known
        raise InvalidValue("geomspace: start or stop holds a zero; expected nonzero ends")
    common = np.result_type(start, stop, float(num))
    start, stop = (as_array(x, start, stop).astype(common) for x in (start, stop))
    sign = np.sign(primal(start))
    first, last = np.broadcast_arrays(start / sign, stop / sign)
    samples = np.logspace(np.log10(first), np.log10(last), num, endpoint)
    if num > 0:
        ends = [last[None]] if endpoint and num > 1 else []
        samples = np.concatenate([first[None], samples[1 : num - len(ends)], *ends])
    samples = np.moveaxis(samples * sign, 0, axis)
    return samples if dtype is None else samples.astype(floating_dtype(dtype, "geomspace"))


# ── shape and type ───────────────────────────────────────────────────────────────────────────────


@implements(np.shape)
def shape(a: Value) -> tuple[int, ...]:
    return tuple(a.shape)


@implements(np.ndim)
def ndim(a: Value) -> int:
    return int(a.ndim)


@implements(np.size)
def size(a: Value, axis: Axis = None) -> int:
    return int(np.size(np.broadcast_to(np.empty(()), a.shape), axis))


@implements(np.iscomplexobj)
def iscomplexobj(x: Value) -> bool:
    return bool(x.dtype.kind == "c")


@implements(np.isrealobj)
def isrealobj(x: Value) -> bool:
    return bool(x.dtype.kind != "c")


@implements(np.real, without_axes="view")
def real(val: Any) -> Any:
    return batched(lambda x, b: np.real(x), val, adjoint=lambda g: g)  # a view, as in NumPy


@implements(np.imag, without_axes="view")
def imag(val: Any) -> Any:
    return batched(lambda x, b: np.imag(x), val, adjoint=lambda g: g * -1j if val.dtype.kind == "c" else 0.0 * g)


def _typed(x: Value) -> Any:
    return x.dtype if isinstance(x, Operand) else x


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*map(_typed, arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_typed(from_), _typed(to), casting)


@implements(np.common_type)
def common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, x.dtype) if isinstance(x, Operand) else x for x in arrays))


on_values(np.iscomplex, np.isreal, np.min_scalar_type, np.shares_memory, np.may_share_memory)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────


@implements(np.array_repr, np.array_str)
def array_repr(arr: Value, max_line_width: Any = None, precision: Any = None, suppress_small: Any = None) -> str:
    return _text(arr, linewidth=max_line_width, precision=precision, suppress=suppress_small)


@implements(np.array2string)
def array2string(
    a: Value,
    max_line_width: Any = None,
    precision: Any = None,
    suppress_small: Any = None,
    separator: str = " ",
    prefix: str = "",
    *,
    formatter: Any = None,
    threshold: Any = None,
    edgeitems: Any = None,
    sign: Any = None,
    floatmode: Any = None,
    suffix: str = "",
    legacy: Any = None,
) -> str:
    """The repr under these options; separator, prefix and suffix have no place in it."""
    return _text(
        a, linewidth=max_line_width, precision=precision, suppress=suppress_small, formatter=formatter,
        threshold=threshold, edgeitems=edgeitems, sign=sign, floatmode=floatmode, legacy=legacy,
    )  # fmt: skip


def _text(x: Value, **options: Any) -> str:
    with np.printoptions(**{name: option for name, option in options.items() if option is not None}):
        return repr(x)


# ── what leaves NumPy, or would start from nothing ───────────────────────────────────────────────


def _refused(function: Callable[..., Any], error: Callable[[str], Exception]) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error(function_name(function))

    implements(function)(refuse)


def _would_drop(name: str) -> Exception:
    return dropped(name, "pickle.dump(x, file) to keep all of it, or x.value (of a jet also x.coeffs) to save an array")


def _like_cannot(name: str) -> Exception:
    return InvalidType(
        f"{name}: like= is an operand with derivatives, and a new array has none to share; write "
        "dn.array([...]) to collect results, np.zeros_like(x, shape=…) or np.full_like for a constant one"
    )


for _function in (np.save, np.savez, np.savez_compressed, np.savetxt):
    _refused(_function, _would_drop)

# with like= NumPy asks for the function without its __array_function__ wrapper, under the same name
for _name in (
    "arange", "array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "empty", "eye", "frombuffer",
    "fromfile", "fromfunction", "fromiter", "fromstring", "full", "genfromtxt", "identity", "loadtxt", "ones",
    "require", "tri", "zeros",
):  # fmt: skip
    _refused(getattr(np, _name), _like_cannot)
