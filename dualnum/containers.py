"""Containers of arrays among arguments and results: how they are taken apart and put together again.

Tuples, lists, dicts and named tuples are containers (optree), dataclasses and classes of attrs too, by their fields; of
one's own by `register_container`. The arrays of pandas and xarray are containers of one array, so that labels come
back with a result of the same shape; pandas cannot hold an operand, and what is computed with it is the operand itself.
"""

from collections.abc import Callable, Sequence
from sys import modules
from typing import Any

import numpy as np
import optree

from .errors import InvalidType, InvalidValue

__all__ = ["alone", "flatten", "is_one_array", "map_leaves", "register_container", "relabelled"]

_PLAIN = "dualnum.containers"  # what is the same whatever its leaves are
_LABELLED = "dualnum.labelled"  # and what holds labels of arrays
_SPACES = {True: _LABELLED, False: _PLAIN}
_leaves: set[type] = {float, int, complex, bool, str, np.ndarray, np.float64, np.float32, type(None)}
_containers: set[type] = set()

_flatten: Any = optree.tree_flatten
_map: Any = optree.tree_map
_register: Any = optree.register_pytree_node


def flatten(tree: Any, none_is_leaf: bool = False, labels: bool = True) -> tuple[list[Any], Any]:
    """The leaves of nested containers, and their structure, from which ``optree.tree_unflatten`` makes others like it.

    Args:
        none_is_leaf: whether None is one.
        labels: take arrays out of what labels them.
    """
    leaves, structure = _flatten(tree, none_is_leaf=none_is_leaf, namespace=_SPACES[labels])
    for x in leaves:
        if type(x) not in _leaves and _learned(type(x)):
            return flatten(tree, none_is_leaf, labels)
    return leaves, structure


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any, **keywords: Any) -> Any:
    """The same containers with function of each leaf."""
    flatten(tree)
    return _map(function, tree, *others, namespace=_LABELLED, **keywords)


def register_container(
    cls: type,
    flatten: Callable[[Any], tuple[Sequence[Any], Any]],
    unflatten: Callable[[Any, Sequence[Any]], Any],
) -> type:
    """Lets transforms and `jit` look into objects of a class, as they do into tuples and dicts.

    Dataclasses and classes of attrs need no word: their fields are what they hold, but for strings, truth values and
    functions, and for fields with ``metadata={"static": True}``.

    Args:
        cls: the class.
        flatten: (object) → what it holds (arrays and containers of them), and what else it takes to make one like
            it, which is compared by ``==``.
        unflatten: (that, what another holds) → the other object. The arrays may be of other shapes and types; it
            should check nothing.

    Returns:
        The class.

    Raises:
        InvalidType: cls is no class, or the others are no functions.
        InvalidValue: the class is a container already.

    Example:
        >>> class Line:
        ...     def __init__(self, slope, shift):
        ...         self.slope, self.shift = slope, shift
        >>> _ = dn.register_container(Line, lambda l: ((l.slope, l.shift), None), lambda _, held: Line(*held))
        >>> dn.grad(lambda line: line.slope**2 * 3.0 + line.shift)(Line(2.0, 1.0)).slope
        np.float64(12.0)
    """
    if not isinstance(cls, type):
        raise InvalidType(f"register_container: cls is a {type(cls).__name__}; expected a class")
    if not callable(flatten) or not callable(unflatten):
        raise InvalidType("register_container: expected two functions: (object) → (held, rest), (rest, held) → object")
    try:
        for space in _SPACES.values():
            _register(cls, flatten, unflatten, namespace=space)
    except ValueError as error:
        raise InvalidValue(f"register_container: {cls.__name__} is a container already ({error})") from None
    _leaves.discard(cls)
    _containers.add(cls)
    return cls


def _learned(cls: type) -> bool:
    """Whether a type that was met for the first time is a container, and is registered now."""
    if cls in _containers:  # there are labels, and they are not asked for
        return False
    if _is_labelled(cls):
        _containers.add(cls)
        _register(cls, *_ARRAYS[cls.__name__], namespace=_LABELLED)
        return True
    fields = _fields(cls)
    if fields is None:
        _leaves.add(cls)
        return False
    register_container(cls, *_by_fields(cls, *fields))
    return True


# ── dataclasses and attrs ────────────────────────────────────────────────────────────────────────


def _fields(cls: type) -> tuple[list[str], set[str], bool] | None:
    """Of a class with fields the names of those that it is made of, of the static ones, and if it computes others."""
    found: Any = getattr(cls, "__attrs_attrs__", None)
    if found is None and hasattr(cls, "__dataclass_fields__"):
        import dataclasses

        found = dataclasses.fields(cls)
    if found is None:
        return None
    names = [field.name for field in found if field.init]
    static = {field.name for field in found if field.metadata.get("static", False)}
    return names, static, any(not field.init for field in found)


def _is_static(x: Any) -> bool:
    return isinstance(x, (str, bytes, bool)) or (callable(x) and not hasattr(x, "dtype"))


def _by_fields(cls: Any, names: list[str], static: set[str], computes: bool) -> tuple[Any, Any]:
    def apart(x: Any) -> Any:
        given = [(name, getattr(x, name)) for name in names]
        rest = tuple((name, value) for name, value in given if name in static or _is_static(value))
        kept = {name for name, _ in rest}
        held = tuple(name for name in names if name not in kept)
        return tuple(value for name, value in given if name not in kept), (held, rest), held

    def together(known: Any, held: Any) -> Any:
        """Past the constructor, which may check or convert, but what is computed from the fields is computed anew."""
        x = object.__new__(cls)
        for name, value in (*zip(known[0], held, strict=True), *known[1]):
            object.__setattr__(x, name, value)
        if computes:
            for after in ("__post_init__", "__attrs_post_init__"):
                if hasattr(x, after):
                    getattr(x, after)()
        return x

    return apart, together


# ── arrays with labels ───────────────────────────────────────────────────────────────────────────


class _Labels:
    """What labels an array: compared by what it says."""

    __slots__ = ("constant", "index", "names")

    def __init__(self, index: Any, names: Any, constant: Any = ()) -> None:
        self.index = index
        self.names = names
        self.constant = constant

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, _Labels) and self.index.equals(other.index)
        return bool(same and list(self.names) == list(other.names))  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(type(self.index))


def _series_apart(x: Any) -> Any:
    return (x.to_numpy(),), _Labels(x.index, [x.name])


def _series_together(labels: _Labels, held: Any) -> Any:
    (y,) = held
    return _labelled(y, labels.index, labels.names[0]) if _fits(y, labels.index) else y


def _labelled(y: Any, index: Any, name: Any = None) -> Any:
    return modules["pandas"].Series(y, index=index, name=name)


def _fits(y: Any, index: Any) -> bool:
    return type(y) is np.ndarray and y.shape == (len(index),)


def _frame_apart(x: Any) -> Any:
    columns = [(name, x.iloc[:, i]) for i, name in enumerate(x.columns)]
    moving = [(name, column.to_numpy()) for name, column in columns if column.dtype.kind in "fciu"]
    constant = [(name, column) for name, column in columns if column.dtype.kind not in "fciu"]
    return tuple(column for _, column in moving), _Labels(x.index, [name for name, _ in moving], constant)


def _frame_together(labels: _Labels, held: Any) -> Any:
    """A frame of plain columns; a dict, where they are none that pandas can hold."""
    if not all(_fits(y, labels.index) for y in held):
        return dict(zip(labels.names, held, strict=True)) | dict(labels.constant)
    frame = modules["pandas"].DataFrame(dict(enumerate(held)), index=labels.index)
    frame.columns = labels.names
    return frame


class _Coordinates:
    """What labels an array of xarray, compared by what it says."""

    __slots__ = ("whole",)

    def __init__(self, whole: Any) -> None:
        self.whole = whole

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Coordinates) or type(self.whole) is not type(other.whole):
            return False
        coordinates, theirs = self.whole.coords.to_dataset(), other.whole.coords.to_dataset()
        return bool(self.whole.sizes == other.whole.sizes and coordinates.equals(theirs))

    def __hash__(self) -> int:
        return hash(type(self.whole))


def _array_apart(x: Any) -> Any:
    return (x.data,), _Coordinates(x)


def _array_together(known: _Coordinates, held: Any) -> Any:
    (y,) = held
    return known.whole.copy(data=y) if _is_like(y, known.whole) else y


def _is_like(y: Any, x: Any) -> bool:
    return hasattr(y, "dtype") and hasattr(y, "__array_function__") and tuple(np.shape(y)) == tuple(x.shape)


def _set_apart(x: Any) -> Any:
    names = tuple(x.data_vars)
    return tuple(x[name].data for name in names), _Coordinates(x), names


def _set_together(known: _Coordinates, held: Any) -> Any:
    named = dict(zip(known.whole.data_vars, held, strict=True))
    fits = all(_is_like(y, known.whole[name]) for name, y in named.items())
    return known.whole.copy(data=named) if fits else named


_ARRAYS = {
    "Series": (_series_apart, _series_together),
    "DataFrame": (_frame_apart, _frame_together),
    "DataArray": (_array_apart, _array_together),
    "Dataset": (_set_apart, _set_together),
}


def _is_labelled(cls: Any) -> bool:
    return cls.__module__.partition(".")[0] in ("pandas", "xarray") and cls.__name__ in _ARRAYS


def alone(x: Any) -> Any:
    """The array in what labels one; anything else as it is."""
    if not _is_labelled(type(x)):
        return x
    leaves, _ = flatten(x)
    return leaves[0] if len(leaves) == 1 else x


def is_one_array(structure: Any) -> bool:
    """Whether a structure is that of one array with labels."""
    kind: Any = structure.type
    return structure.num_leaves == 1 and kind is not None and _is_labelled(kind)


def relabelled(result: Any, args: Sequence[Any]) -> Any:
    """A plain result with the labels of the first argument of pandas' among these, where it is as long."""
    if type(result) is np.ndarray:
        for x in args:
            if type(x).__module__.partition(".")[0] == "pandas" and hasattr(x, "index") and _fits(result, x.index):
                return _labelled(result, x.index, getattr(x, "name", None))
    return result
