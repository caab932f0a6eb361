"""Einstein sums of any number of operands, as a sequence of sums over one or two of them."""

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from ..backend import is_array
from ..errors import InvalidType, InvalidValue
from ..kinds import DType, Value
from ..operand import Operand, batched, bilinear, implements, linear
from . import adjoints
from .arguments import into, stand_in
from .keywords import array, cast


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    """Which depends on shapes alone."""
    shapes = [stand_in(np.shape(x)) if isinstance(x, Operand) or is_array(x) else x for x in operands]
    return np.einsum_path(*shapes, optimize=optimize, einsum_call=einsum_call)  # type: ignore[arg-type]


@implements(np.einsum, without_axes="view")
def einsum(
    *operands: Any,
    out: Value = None,
    optimize: Any = False,
    dtype: DType = None,
    casting: Any = "safe",
    order: Any = "K",
) -> Any:
    subscripts, arrays = _separated(operands)
    inputs, output = _spelled_out(subscripts, arrays)
    arrays = [cast(x, dtype) for x in arrays]
    for pair in _path(inputs, output, arrays, optimize):
        chosen = sorted(pair, reverse=True)
        # the last operands first, as they are taken out; a sum over three or more runs by twos
        terms, xs = [inputs.pop(i) for i in chosen][::-1], [arrays.pop(i) for i in chosen][::-1]
        while len(xs) > 1:
            others = [*terms[2:], *inputs, output]
            kept = "".join(c for c in dict.fromkeys(terms[0] + terms[1]) if any(c in term for term in others))
            if len(others) == 1:
                kept = output
            product = _pair(f"{terms[0]},{terms[1]}->{kept}", xs[0], xs[1], bool(optimize))
            terms[:2], xs[:2] = [kept], [product]
        inputs.append(terms[0])
        arrays.append(xs[0])
    (term,), (result,) = inputs, arrays
    if term != output and set(term) == set(output) and set(term) <= set(ascii_letters):
        # nothing is summed: a view, as NumPy's
        result = batched(lambda x, b: np.einsum(f"{'...' if b else ''}{term}->{'...' if b else ''}{output}", x), result)
    elif term != output:
        shape = result.shape
        result = linear(
            lambda x: np.einsum(f"{term}->{output}", x),
            result,
            adjoint=lambda g: adjoints.einsum_adjoint(output, term, shape, g),
        )
    return into(out, result, "einsum")


def _pair(subscripts: str, a: Value, b: Value, optimize: bool) -> Any:
    terms, _, output = subscripts.partition("->")
    term_a, term_b = terms.split(",")
    back = adjoints.einsum(term_a, term_b, output, a.shape, b.shape)
    return bilinear(lambda x, y: np.einsum(subscripts, x, y, optimize=optimize), a, b, back)


def _path(inputs: list[str], output: str, arrays: list[Any], optimize: Any) -> Sequence[tuple[int, ...]]:
    """Which operands to sum over next, again and again, until one is left."""
    if len(arrays) == 1:
        return []
    if len(arrays) == 2:
        return [(0, 1)]
    strategy = "greedy" if isinstance(optimize, bool) or optimize is None else optimize
    shapes = [np.broadcast_to(np.empty(()), x.shape) for x in arrays]
    path = np.einsum_path(f"{','.join(inputs)}->{output}", *shapes, optimize=strategy)[0]
    return path[1:]


def _separated(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Subscripts as a string, and the operands, from either of the two forms of the arguments."""
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), [array(x) for x in operands[1:]]
    arrays = [array(x) for x in operands[: len(operands) - len(operands) % 2 : 2]]
    lists = operands[1::2]
    labels = sorted({i for sublist in (*lists, *operands[len(operands) - len(operands) % 2 :]) for i in sublist
                     if i is not Ellipsis})  # fmt: skip
    if any(isinstance(i, bool) or not isinstance(i, (int, np.integer)) for i in labels):
        raise InvalidType(f"einsum: the sublists hold {labels}; expected integers and Ellipsis")
    letter = dict(zip(labels, ascii_letters, strict=False))
    spelled = ["".join("..." if i is Ellipsis else letter[i] for i in sublist) for sublist in lists]
    subscripts = ",".join(spelled)
    if len(operands) % 2:
        subscripts += "->" + "".join("..." if i is Ellipsis else letter[i] for i in operands[-1])
    return subscripts, arrays


def _spelled_out(subscripts: str, arrays: list[Any]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the result, with letters for ellipses and the output written out."""
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(arrays):
        raise InvalidValue(f"einsum: {subscripts!r} has {len(inputs)} terms; {len(arrays)} operands are given")
    free = [c for c in ascii_letters if c not in subscripts]
    widths = [x.ndim - len(term.replace("...", "")) for term, x in zip(inputs, arrays, strict=True)]
    for term, x, width in zip(inputs, arrays, widths, strict=True):
        if width < 0 or ("..." not in term and width != 0):
            raise InvalidValue(f"einsum: the term {term!r} does not fit an operand of shape {x.shape}")
    widest = free[: max((w for term, w in zip(inputs, widths, strict=True) if "..." in term), default=0)]
    dots = "".join(widest)
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        output = "..." * ("..." in left) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    elif dots and "..." not in output:
        raise InvalidValue(f"einsum: {subscripts!r} sums over axes of an ellipsis; write ... in the output as well")
    inputs = [term.replace("...", dots[len(dots) - width :]) for term, width in zip(inputs, widths, strict=True)]
    return inputs, output.replace("...", dots)
