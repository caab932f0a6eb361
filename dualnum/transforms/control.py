"""Loops and branches as functions: plain Python outside of `jit`, and one step of the program within.

So a loop's body is traced and compiled once, whatever the number of steps, which may hang on traced numbers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from ..backend import is_array
from ..errors import DualnumError, InvalidType, InvalidValue
from ..operand import Operand, library, primal
from ..program.formal import Closed, Given
from ..program.tracing import Elsewhere, is_tracing
from .branches import Branch
from .carried import Carry, dtype_of, numbers, place
from .loops import Loop
from .rows import Rows

__all__ = ["cond", "fori_loop", "scan", "while_loop"]

# what a body may raise where it cannot be traced by itself; as Python runs it, it works or says what is wrong
_FAILURES = (DualnumError, ArithmeticError, ValueError, TypeError, IndexError, Elsewhere)


# ── scan ─────────────────────────────────────────────────────────────────────────────────────────


def scan(
    f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    """A loop that carries a state on, reads a row of arrays at each step and writes one: (c, x_k) ↦ (c', y_k).

    Under `jit` f is traced and compiled once, whatever the length, in all modes; the reverse sweep keeps the carry of
    each step. Elsewhere it is a loop of Python. What f reads besides its arguments has derivatives as they have; where
    f branches on numbers of its arguments, use `cond`: else the steps are traced one by one.

    Args:
        f: of the carry and one row, to the carry and what is kept of the step (None for nothing).
        init: the carry at first, an array, number or nested container of them; f gives back the same containers,
            shapes and types. A number of Python's takes the type that it has after a step.
        xs: an array or nested container of arrays, whose first axis is that of the steps; None for none.
        length: the number of steps, where xs is None.
        reverse: from the last row to the first; what is kept lies as the rows do.

    Returns:
        The carry at the end, and what was kept, stacked along a new first axis.

    Raises:
        InvalidValue: the carry changes its containers or a shape; the arrays of xs differ in length; no length is
            given.
        InvalidType: the carry changes a type; f returns no pair; length is no integer.

    Source:
        As `jax.lax.scan`. Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 12, for the sweep.

    Example:
        >>> powers = lambda a: scan(lambda c, _: (a @ c, np.trace(c)), np.eye(2), length=4)
        >>> a = np.array([[0.5, 0.3], [0.2, 0.4]])
        >>> dn.jit(powers)(a)[1]
        array([2.   , 0.9  , 0.53 , 0.351])
        >>> dn.jit(dn.grad(lambda a: np.trace(powers(a)[0])))(a)  # 4 (A³)ᵀ
        array([[0.836, 0.536],
               [0.804, 0.568]])
    """
    _check_callable(f, "scan", "f")
    rows, structure = optree.tree_flatten(xs)
    rows = [x if isinstance(x, Operand) or is_array(x) else np.asarray(x) for x in rows]
    n, carry = _length(rows, length), Carry(init, "scan")

    def step(leaves: Sequence[Any], its: Sequence[Any]) -> tuple[list[Any], list[Any], Any]:
        result = f(carry.tree(leaves), optree.tree_unflatten(structure, its))
        if not (isinstance(result, tuple) and len(result) == 2):
            given = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"a {type(result).__name__}"
            raise InvalidType(f"scan: f returned {given}; expected a pair (carry, y), y = None where nothing is kept")
        return carry.after(result[0]), *optree.tree_flatten(result[1])

    found = _as_one(lambda: _scanned(step, carry, rows, n, reverse), [*carry.first, *rows])
    return _stepped(step, carry, rows, n, reverse) if found is None else found


def _stepped(step: Any, carry: Carry, rows: Sequence[Any], n: int, reverse: bool) -> tuple[Any, Any]:
    """The loop of Python."""
    kept: list[Any] = []
    leaves, structure = carry.first, carry.structure
    for i in range(n - 1, -1, -1) if reverse else range(n):
        leaves, ys, structure = step(leaves, [x[i] for x in rows])
        kept.append(ys)
    if not n:  # what would come out is told by a step that is not taken
        with np.errstate(all="ignore"):
            after, ys, structure = step(leaves, [np.ones(x.shape[1:], x.dtype)[()] for x in rows])
        none = [np.zeros((0, *np.shape(y)), dtype_of(y)) for y in ys]
        return carry.tree(numbers(leaves, after)), optree.tree_unflatten(structure, none)
    kept = kept[::-1] if reverse else kept
    ys = [np.stack(y) for y in zip(*kept, strict=True)]
    return carry.tree(numbers(leaves)), optree.tree_unflatten(structure, ys)


def _scanned(step: Any, carry: Carry, arrays: Sequence[Any], n: int, reverse: bool) -> tuple[Any, Any]:
    """The same as a step of a program."""
    structures: list[Any] = []
    k, rows = len(carry.first), list(map(Rows.of, arrays))

    def body(*flat: Any) -> list[Any]:
        after, ys, structure = step(flat[:k], flat[k:])
        structures[:] = [structure]
        return [*after, *ys]

    pairs = zip(arrays, rows, strict=True)
    closed = carry.closed(body, [Given(tuple(x.shape[1:]), x.dtype, sample=r.sample) for x, r in pairs])
    loop = Loop(closed, k, len(closed.captured), None, reverse, "scan")
    leaves, ys = loop(carry.first, rows, _captured(closed), n)
    return carry.tree(leaves), optree.tree_unflatten(structures[0], [y.array() for y in ys])


def _length(rows: Sequence[Any], length: Any) -> int:
    if any(np.ndim(x) == 0 for x in rows):
        raise InvalidValue("scan: an array among xs has no axes; expected the steps along the first axis")
    lengths = {int(x.shape[0]) for x in rows}
    if len(lengths) > 1:
        raise InvalidValue(f"scan: the arrays of xs have {sorted(lengths)} rows; expected as many of each")
    if length is None and not lengths:
        raise InvalidValue("scan: neither xs nor length is given; give the number of steps, length=n")
    n = next(iter(lengths)) if length is None else length
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise InvalidType(
            f"scan: length is {length!r}; expected the number of steps as an integer (one that is traced: fori_loop)"
        )
    if lengths and n not in lengths:
        raise InvalidValue(
            f"scan: length is {length}, and the arrays of xs have {lengths.pop()} rows; give one of both"
        )
    return int(n)


# ── loops ────────────────────────────────────────────────────────────────────────────────────────


def fori_loop(lower: Any, upper: Any, body_fun: Callable[..., Any], init_val: Any) -> Any:
    """A loop over the integers from `lower` to `upper`, the latter excluded: c ↦ body(i, c).

    As `scan`, and the bounds may be traced: others of them need no other trace.

    Args:
        lower: the first i.
        upper: the i before which the loop ends.
        body_fun: of i and the carry to the carry. Under `jit` i is traced: ``np.take(table, i)`` for ``table[i]``
            of an array from outside.
        init_val: the carry at first, as in `scan`.

    Returns:
        The carry at the end.

    Raises:
        InvalidValue: the carry changes its containers or a shape.
        InvalidType: the carry changes a type; a bound is no integer.

    Source:
        As `jax.lax.fori_loop`.

    Example:
        >>> series = dn.jit(lambda x, n: fori_loop(1, n, lambda i, s: s + x**i / i, 0.0))  # −log(1 − x)
        >>> float(series(np.float64(0.3), np.int64(40)))
        0.356675
        >>> dn.jit(dn.derivative(lambda x: series(x, np.int64(40))))(0.3)  # 1/(1 − x)
        np.float64(1.428571)
    """
    _check_callable(body_fun, "fori_loop", "body_fun")
    lower, upper = primal(lower), primal(upper)
    for x, which in ((lower, "lower"), (upper, "upper")):
        if np.shape(x) != () or type(x) is bool or np.result_type(x).kind not in "iu":
            raise InvalidType(f"fori_loop: {which} is {x!r}; expected an integer")
    carry = Carry(init_val, "fori_loop")
    found = _as_one(lambda: _counted(body_fun, carry, lower, upper), [lower, upper, *carry.first])
    if found is not None:
        return found
    leaves = carry.first
    for i in range(int(lower), int(upper)):
        leaves = carry.after(body_fun(i, carry.tree(leaves)))
    return carry.tree(numbers(leaves))


def _counted(body_fun: Callable[..., Any], carry: Carry, lower: Any, upper: Any) -> Any:
    """The loop as a step of a program."""
    first = lower.astype(np.int64) if isinstance(lower, Operand) else np.int64(lower)
    counted = carry.behind(first)
    closed = counted.closed(lambda i, *leaves: [i + 1, *carry.after(body_fun(i, carry.tree(leaves)))], [])
    loop = Loop(closed, len(counted.first), len(closed.captured), None, False, "fori_loop")
    traced = isinstance(lower, Operand) or isinstance(upper, Operand)
    count = upper - lower if traced else max(int(upper) - int(lower), 0)
    leaves, _ = loop(counted.first, [], _captured(closed), count)
    return carry.tree(leaves[1:])


def while_loop(cond_fun: Callable[..., Any], body_fun: Callable[..., Any], init_val: Any) -> Any:
    """A loop as long as a condition holds: c ↦ body(c) while cond(c).

    As `scan`; how many steps it takes follows from the numbers, and other numbers need no other trace. All modes pass
    through it, the reverse sweep too: it keeps the carry of each step, and so knows how many there were. The
    derivatives are those of the steps taken: of an iteration that has converged they may need a few steps more than
    the value (Gilbert 1992; see `fixed_point` and `implicit`).

    Args:
        cond_fun: of the carry to one truth value.
        body_fun: of the carry to the carry.
        init_val: the carry at first, as in `scan`.

    Returns:
        The carry at the end.

    Raises:
        InvalidValue: the carry changes its containers or a shape; the condition is an array with axes.
        InvalidType: the carry changes a type.

    Source:
        As `jax.lax.while_loop`. Gilbert, "Automatic differentiation and iterative processes", Optim. Methods Softw. 1,
        1992.

    Example:
        >>> far = lambda c: abs(c[1] ** 2 - c[0]) > 1e-12
        >>> root = lambda a: while_loop(far, lambda c: (c[0], 0.5 * (c[1] + c[0] / c[1])), (a, a))[1]
        >>> dn.jit(dn.value_and_grad(root))(7.0)
        (np.float64(2.645751), np.float64(0.188982))
    """
    _check_callable(cond_fun, "while_loop", "cond_fun")
    _check_callable(body_fun, "while_loop", "body_fun")
    carry = Carry(init_val, "while_loop")
    found = _as_one(lambda: _tested(cond_fun, body_fun, carry), carry.first)
    if found is not None:
        return found
    leaves = carry.first
    while bool(_truth(cond_fun(carry.tree(leaves)))):
        leaves = carry.after(body_fun(carry.tree(leaves)))
    return carry.tree(numbers(leaves))


def _tested(cond_fun: Callable[..., Any], body_fun: Callable[..., Any], carry: Carry) -> Any:
    """The loop as a step of a program."""
    closed = carry.closed(lambda *leaves: carry.after(body_fun(carry.tree(leaves))), [])
    given = list(map(Given.of, carry.first))
    test = Closed(lambda *leaves: [_truth(cond_fun(carry.tree(leaves))) != 0], given, closed.machine)
    loop = Loop(closed, len(carry.first), len(closed.captured), test, False, "while_loop")
    leaves, _ = loop(carry.first, [], _captured(closed, test))
    return carry.tree(leaves)


def _truth(x: Any) -> Any:
    if np.shape(x) != ():
        raise InvalidValue(
            f"while_loop: cond_fun returned an array of shape {np.shape(x)}; expected one truth value: use np.any or "
            "np.all"
        )
    return primal(x)


# ── branches ─────────────────────────────────────────────────────────────────────────────────────


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    """One function or the other: true_fun(*operands) where pred is true, else false_fun(*operands).

    Under `jit`, where pred is traced, both are compiled, and one of them runs: another pred needs no other trace. The
    other one contributes nothing to derivatives, not even NaN.

    Args:
        pred: one truth value.
        true_fun: a function of the operands.
        false_fun: another; under `jit` its results have the same containers, shapes and types.
        operands: arrays, numbers, or nested containers of them.

    Returns:
        What the function returned that was called.

    Raises:
        InvalidValue: pred is an array with axes; under `jit` the results differ in their containers or shapes.
        InvalidType: under `jit` the results differ in their types.

    Source:
        As `jax.lax.cond`.

    Example:
        >>> branch = lambda x: cond(x > 0, lambda x: np.sqrt(x) * x, lambda x: np.exp(x), x)
        >>> f = dn.jit(dn.grad(branch))
        >>> float(f(np.float64(4.0))), float(f(np.float64(-0.5)))
        (3.0, 0.606531)
    """
    _check_callable(true_fun, "cond", "true_fun")
    _check_callable(false_fun, "cond", "false_fun")
    if np.shape(pred) != ():
        raise InvalidValue(
            f"cond: pred has shape {np.shape(pred)}; expected one truth value: use np.any or np.all (np.where chooses "
            "entry by entry)"
        )
    pred = primal(pred)
    if isinstance(pred, Operand):
        found = _as_one(lambda: _branched(pred, (true_fun, false_fun), operands), [pred, *_leaves(operands)])
        if found is not None:
            return found[0]
    return (true_fun if bool(pred) else false_fun)(*operands)


def _branched(pred: Operand, functions: Sequence[Callable[..., Any]], operands: tuple[Any, ...]) -> Any:
    """The branch as a step of a program, its result in a tuple."""
    leaves: list[Any]
    leaves, structure = optree.tree_flatten(operands)  # type: ignore[arg-type]
    structures: list[Any] = []
    varying = [i for i, x in enumerate(leaves) if isinstance(x, Operand) or is_array(x)]

    def side(f: Callable[..., Any]) -> Callable[..., Any]:
        def run(*flat: Any) -> list[Any]:
            filled = list(leaves)
            for i, x in zip(varying, flat, strict=True):
                filled[i] = x
            results, its = optree.tree_flatten(f(*optree.tree_unflatten(structure, filled)))
            structures.append(its)
            return results

        return run

    shared = [leaves[i] for i in varying]
    sides = [Closed(side(f), list(map(Given.of, shared))) for f in functions]
    _check_alike(structures, sides)
    found = Branch(_of_one_type(sides), len(shared))(pred != 0, [*shared, *_captured(*sides)])
    return (optree.tree_unflatten(structures[0], found),)


def _of_one_type(sides: Sequence[Closed]) -> list[Closed]:
    """The sides, numbers of Python's among the results in the type of the other side's."""
    kinds = [
        a.dtype if b.weak and not a.weak else b.dtype if a.weak and not b.weak else np.result_type(a.dtype, b.dtype)
        for a, b in zip(*(side.outputs for side in sides), strict=True)
    ]
    return [side.typed(kinds) for side in sides]


def _check_alike(structures: Sequence[Any], sides: Sequence[Closed]) -> None:
    if structures[0] != structures[1]:
        raise _Unlike(
            f"cond: true_fun returned {structures[0]}, false_fun {structures[1]}; expected the same containers"
        )
    for i, (a, b) in enumerate(zip(*(side.outputs for side in sides), strict=True)):
        its = f"cond: {place(structures[0], i)}"
        if a.shape != b.shape:
            raise _Unlike(f"{its} has shape {a.shape} from true_fun, {b.shape} from false_fun; expected the same")
        if a.dtype != b.dtype and not (a.weak or b.weak):
            raise _UnlikeType(f"{its} is {a.dtype} from true_fun, {b.dtype} from false_fun; expected the same type")


class _Unlike(InvalidValue):
    """What the user is told, who wrote two functions that do not belong together."""


class _UnlikeType(InvalidType):
    """The same of their types."""


# ── shared ───────────────────────────────────────────────────────────────────────────────────────


def _as_one(closed: Callable[[], Any], given: Sequence[Any]) -> Any:
    """A loop or branch as a step of the program that is being traced; None where none is, or it cannot be one."""
    if not is_tracing() or library(*given) is not np:
        return None
    try:
        return closed()
    except (_Unlike, _UnlikeType):
        raise
    except _FAILURES:
        return None


def _captured(*closed: Closed) -> list[Any]:
    """What closed functions read from outside."""
    found = [x for c in closed for x in c.captured]
    if library(*found) is not np:
        raise InvalidType("a loop on a device is not a step of a program")
    return found


def _leaves(tree: Any) -> list[Any]:
    return optree.tree_leaves(tree)


def _check_callable(f: Any, name: str, which: str) -> None:
    if not callable(f):
        raise InvalidType(f"{name}: {which} is a {type(f).__name__}; expected a function")
