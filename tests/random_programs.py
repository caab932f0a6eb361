"""Random programs of NumPy: steps drawn one after the other, each on the results of earlier ones.

The shapes are those that come out when NumPy runs a step on the sample; what NumPy refuses is drawn again, and what
grows large is scaled down. So a program is a function of arrays like the sample, smooth around it but for kinks that
the sample does not sit on.

A special program is drawn for samples of equal elements, zeros and whole numbers: it has no step with a corner there
that is not differentiated by choice (|a|, norms), but steps that are at a tie, at a stationary point, at a fit that is
exact, or beside an infinity that a mask leaves out.
"""

from collections.abc import Callable, Sequence
from operator import setitem
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Program", "random_program"]

Step = tuple[str, tuple[int, ...], Callable[..., Any]]  # its name, the numbers of its operands, what it does

_UNARY: dict[str, Callable[[Any], Any]] = {
    "sin(a)": np.sin,
    "tanh(a)**2": lambda a: np.tanh(a) ** 2,
    "-a": lambda a: -a,
    "+a": lambda a: +a,
    "copy(a)": np.copy,
    "|a|": np.absolute,
    "a/2": lambda a: a / 2,
    "2 - a": lambda a: 2 - a,
    "√(1 + a²)": lambda a: np.sqrt(1.0 + a * a),
    "exp(−a²)": lambda a: np.exp(-(a**2)),
    "log1p(a²)": lambda a: np.log1p(a**2),
    "1/(2 + cos a)": lambda a: 1 / (2 + np.cos(a)),
    "(1.5 + sin a)^2.5": lambda a: (1.5 + np.sin(a)) ** 2.5,
    "max(a, 0)": lambda a: np.maximum(a, 0),
    "where(a > 0, log1p a, sin a)": lambda a: np.where(a > 0, np.log1p(np.where(a > 0, a, 1.0)), np.sin(a)),
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "a + b": lambda a, b: a + b,
    "a − b": lambda a, b: a - b,
    "a b": lambda a, b: a * b,
    "a/(2 + cos b)": lambda a, b: a / (2 + np.cos(b)),
    "max(a, b)": np.maximum,
    "hypot(a, 1 + b²)": lambda a, b: np.hypot(a, 1 + b * b),
    "logaddexp(a, b)": np.logaddexp,
    "(1.2 + tanh² a)^sin b": lambda a, b: (1.2 + np.tanh(a) ** 2) ** np.sin(b),
    "where(a > b, a b, a − b)": lambda a, b: np.where(a > b, a * b, a - b),
    "a @ b": lambda a, b: a @ b,
    "a.T @ b": lambda a, b: a.T @ b,
    "dot(a, b)": np.dot,
    "outer(a, b)": np.outer,
    "Σ a b": lambda a, b: np.einsum("...i,...i->...", a, b),
    "all of a and b": lambda a, b: np.concatenate([a, b], axis=None),
    "sums of a and b": lambda a, b: np.stack([np.sum(a), np.sum(b), np.mean(a)]),
}
_PRODUCTS = {"a @ b", "a.T @ b", "dot(a, b)", "outer(a, b)"}
_WITH_CONSTANT: dict[str, Callable[[Any, Any], Any]] = {
    "a c": lambda a, c: a * c,
    "c a": lambda a, c: c * a,
    "c − a": lambda a, c: c - a,
    "c/(2 + cos a)": lambda a, c: c / (2 + np.cos(a)),
    "a/(3.5 + |c|)": lambda a, c: a / (3.5 + np.abs(c)),
    "where(c > 0, a, ½)": lambda a, c: np.where(np.asarray(c) > 0, a, 0.5),
}
# of an array, an axis of it, and whether that is kept
_ALONG: dict[str, Callable[[Any, Any, bool], Any]] = {
    "sum": lambda a, axis, keep: np.sum(a, axis=axis, keepdims=keep),
    "mean": lambda a, axis, keep: a.mean(axis=axis, keepdims=keep),
    "max": lambda a, axis, keep: np.max(a, axis=axis, keepdims=keep),
    "sum of all": lambda a, axis, keep: a.sum(),
    "std": lambda a, axis, keep: np.std(a, axis=axis),
    "prod": lambda a, axis, keep: np.prod(np.tanh(a), axis=axis),
    "cumsum": lambda a, axis, keep: np.cumsum(a, axis=axis),
    "flip": lambda a, axis, keep: np.flip(a, axis),
    "roll": lambda a, axis, keep: np.roll(a, 1, axis),
    "diff": lambda a, axis, keep: np.diff(a, axis=axis),
    "expand_dims": lambda a, axis, keep: np.expand_dims(a, axis),
    "twice": lambda a, axis, keep: np.concatenate([a, 0.5 * a], axis=axis),
    "stack": lambda a, axis, keep: np.stack([a, a * a], axis=axis),
    "transpose": lambda a, axis, keep: a.T,
    "ravel": lambda a, axis, keep: np.ravel(a, order="F"),
    "reshape": lambda a, axis, keep: a.reshape(-1, a.shape[0]),
    "squeeze": lambda a, axis, keep: np.squeeze(a),
    "broadcast_to": lambda a, axis, keep: np.broadcast_to(a, (2, *a.shape)),
    "pad": lambda a, axis, keep: np.pad(a, 1),
}
_IN_PLACE: dict[str, Callable[[Any, Any, Any], None]] = {
    "c[i] = b": lambda c, i, b: setitem(c, i, b),
    "c[i] += b": lambda c, i, b: setitem(c, i, c[i] + b),
    "c[i] *= ½": lambda c, i, b: setitem(c, i, c[i] * 0.5),
    "c[i] = ¼": lambda c, i, b: setitem(c, i, 0.25),
}


_CORNERS = {"|a|", "std"}  # where a special sample sits
_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "where(a > 0, 1/a, 0)": lambda a: np.where(a > 0, 1 / a, 0.0),
    "where(a ≠ 0, sin(a)/a, ¼)": lambda a: np.where(a == 0, 0.25, np.sin(a) / a),
    "where(a > 0, log a, a)": lambda a: np.where(a > 0, np.log(a), a),
    "where(a > 0, log(where(a > 0, a, 1)), 0)": lambda a: np.where(a > 0, np.log(np.where(a > 0, a, 1.0)), 0.0),
    "where(a > 0, √a, −a)": lambda a: np.where(a > 0, np.sqrt(a), -a),
    "where(a = 1, a, 1/(1 − a)²)": lambda a: np.where(a == 1, a, 1 / (1 - a) ** 2),
    "select 1/a, exp(1/a)": lambda a: np.select([a > 0, a < 0], [1 / a, np.exp(1 / a)], 0.5),
    "min(1/a², 3)": lambda a: np.minimum(1 / a**2, 3.0),
    "nansum of √a": lambda a: np.nansum(np.where(a > 0, np.sqrt(a), np.nan)),
    "logaddexp(a, 0)": lambda a: np.logaddexp(a, 0.0),
    "logaddexp(a, a²)": lambda a: np.logaddexp(a, a * a),
    "logaddexp2(a, 1)": lambda a: np.logaddexp2(a, 1.0),
    "log Σ exp a": lambda a: np.logaddexp.reduce(a, axis=None),
    "a² + a³": lambda a: a**2 + a**3,
    "a^[0, 1, 2, 3]": lambda a: np.sum(a[..., None] ** np.arange(4.0), axis=-1),
    "∏ a": np.prod,
    "max of all": np.max,
    "median": np.median,
    "sorted": lambda a: np.sort(a, axis=None),
    "clip(a, −0.7, 1.2)": lambda a: np.clip(a, -0.7, 1.2),
    "variance": np.var,
    "softmax": lambda a: np.exp(a - np.max(a)) / np.sum(np.exp(a - np.max(a))),
    "pairs": lambda a: np.sum(np.where(np.eye(a.size) > 0, 0.0, 1 / (1 + (np.ravel(a)[:, None] - np.ravel(a)) ** 2))),
    "arctan2(a, 1)": lambda a: np.arctan2(a, 1.0),
    "tanh a": np.tanh,
    "cosh a − 1": lambda a: np.cosh(a) - 1,
}


class Program(NamedTuple):
    """A program and what it is made of.

    Attributes:
        vector: x ↦ the result of the last step.
        scalar: x ↦ one number that depends on the last three.
        results: x ↦ itself and the results of all steps.
        text: the steps, for messages.
    """

    vector: Callable[[Any], Any]
    scalar: Callable[[Any], Any]
    results: Callable[[Any], list[Any]]
    text: str


def random_program(seed: int, x: Any, in_place: bool = False, special: bool = False) -> Program:
    """A program for arrays like x; `in_place` with assignments to parts of arrays among its steps."""
    rng = np.random.default_rng([seed, 1])
    steps: list[Step] = []
    values = [x]
    wanted = int(rng.integers(1, 8))
    for _ in range(200):
        if len(steps) == wanted:
            break
        draw = _drawn_specially if special and rng.random() < 0.6 else _drawn
        name, numbers, function = draw(rng, values, in_place)
        if special and name.split(" along")[0] in _CORNERS:
            continue
        if x.size > 1000 and _grows(name, [np.shape(values[k]) for k in numbers]):
            continue
        try:
            with np.errstate(all="ignore"):
                y = function(*(values[k] for k in numbers))
        except (ValueError, TypeError, IndexError):  # NumPy refuses it
            continue
        if getattr(y, "dtype", None) not in (np.float32, np.float64) or not np.all(np.isfinite(y)):
            continue
        if y.size > max(4 * x.size, 200):
            continue
        largest = float(np.max(np.abs(y), initial=0.0))
        if largest > 20:
            name, function = f"{name}, scaled", _scaled(function, 1 / largest)
            y = function(*(values[k] for k in numbers))
        steps.append((name, numbers, function))
        values.append(y)
    weights = [np.cos(np.arange(v.size) + k).reshape(v.shape).astype(v.dtype) for k, v in enumerate(values)]

    def results(x: Any) -> list[Any]:
        found = [x]
        for _, numbers, function in steps:
            found.append(function(*(found[k] for k in numbers)))
        return found

    def scalar(x: Any) -> Any:
        found = results(x)
        inner = [np.sum(np.sin(v) * w) for v, w in zip(found[-3:-1], weights[-3:-1], strict=True)]
        return sum(inner, np.sum(found[-1] * weights[-1]))

    lines = [
        f"  %{k + 1} = {name} of {numbers}: {np.shape(values[k + 1])}" for k, (name, numbers, _) in enumerate(steps)
    ]
    return Program(lambda x: results(x)[-1], scalar, results, "\n".join([f"  %0: {x.dtype}{x.shape}", *lines]))


def _grows(name: str, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether columns meet rows, which for long ones would fill the memory."""
    if name in _PRODUCTS:
        return name == "outer(a, b)" or min((n for shape in shapes for n in shape), default=0) < 100
    return len({n for shape in shapes for n in shape[-1:]}) > 1


def _scaled(function: Callable[..., Any], factor: float) -> Callable[..., Any]:
    return lambda *operands: function(*operands) * factor


def _drawn(rng: np.random.Generator, values: Sequence[Any], in_place: bool) -> Step:
    """One step, whether it is possible or not; mostly on a recent result."""
    i = int(rng.integers(max(0, len(values) - 3) if rng.random() < 0.8 else 0, len(values)))
    j = int(rng.integers(len(values)))
    shape = np.shape(values[i])
    kind = rng.choice(["unary", "binary", "constant", "index", "along"] + ["in place"] * in_place)
    if kind == "unary" or (kind == "along" and not shape):
        name = str(rng.choice(list(_UNARY)))
        return name, (i,), _UNARY[name]
    if kind == "binary":
        name = str(rng.choice(list(_BINARY)))
        return name, (i, j), _BINARY[name]
    if kind == "constant":
        name = str(rng.choice(list(_WITH_CONSTANT)))
        c = _constant(rng, shape, values[0].dtype)
        return f"{name}, c: {type(c).__name__} {getattr(c, 'dtype', '')}", (i,), lambda a: _WITH_CONSTANT[name](a, c)
    if kind == "along":
        name = str(rng.choice(list(_ALONG)))
        axis, keep = int(rng.integers(-len(shape), len(shape))), bool(rng.integers(2))
        return f"{name} along {axis}", (i,), lambda a: _ALONG[name](a, axis, keep)
    index = _index(rng, shape)
    if kind == "index":
        return f"a[{index}]", (i,), lambda a: a[index]
    name = str(rng.choice(list(_IN_PLACE)))

    def assigned(a: Any, b: Any) -> Any:
        c = a * 1.0
        _IN_PLACE[name](c, index, b)
        return c

    return f"{name}, i = {index}", (i, j), assigned


def _drawn_specially(rng: np.random.Generator, values: Sequence[Any], in_place: bool) -> Step:
    """One at a branch point: of one array, or the square of what it lacks to its own value, which is nothing."""
    i = int(rng.integers(len(values)))
    if rng.random() < 0.25:
        c = np.array(values[i])
        return "(a − its value)²", (i,), lambda a: (a - c) ** 2
    name = str(rng.choice(list(_SPECIAL)))
    return name, (i,), _SPECIAL[name]


def _constant(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """A number or an array of any type, that broadcasts to this shape."""
    some = tuple(n if rng.random() < 0.7 else 1 for n in shape)[rng.integers(0, len(shape) + 1) :]
    numbers = rng.normal(size=some)
    possible = [
        float(rng.normal()), int(rng.integers(-3, 4)), np.float32(rng.normal()), rng.integers(-3, 4, some),
        numbers > 0, numbers.astype(np.float32), np.asfortranarray(numbers.astype(dtype)), numbers.astype(dtype),
    ]  # fmt: skip
    return possible[rng.integers(len(possible))]


def _index(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """An index of slices and integers, or of an array of integers or truth values."""
    kind = rng.integers(8)
    if kind == 0:
        return ()
    if kind == 1:
        return (None, *[_slice(rng, n) for n in shape])
    if kind == 2 and shape:
        return Ellipsis, _slice(rng, shape[-1])
    if kind == 3 and shape and shape[0]:
        return rng.integers(-shape[0], shape[0], size=int(rng.integers(1, 6)))
    if kind == 4 and shape:
        return rng.random(shape) < 0.6
    return tuple(_slice(rng, n) for n in shape[: rng.integers(0, len(shape) + 1)])


def _slice(rng: np.random.Generator, n: int) -> Any:
    parts = [slice(None), slice(None, None, -1), slice(1, None), slice(None, -1), slice(None, None, 2), slice(1, -1)]
    return int(rng.integers(-n, n)) if n and rng.random() < 0.2 else parts[rng.integers(len(parts))]
