"""Steps of a trace that NumPy executes: a call of a function, with the arrays of the trace put in their places.

So is a function, or a rule, of jets that looks at their numbers: it runs on jets of the numbers then.
"""

import itertools
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from typing import Any, cast

import numpy as np
import optree

from ..algebra import Algebra, Part
from ..backend import is_array
from ..errors import DualnumError
from ..jets.jet import Jet
from ..kinds import Value
from ..operand import Operand, operands
from ..operand.levels import Scope, open_scope
from .following import in_library
from .nodes import HOLE, Applied, Node
from .shortcuts import SUMS
from .writes import Written

__all__ = ["Called", "peeled"]

# what these do with an array, by a short way as well
_METHODS = {
    np.reshape: np.ndarray.reshape, np.ravel: np.ndarray.ravel, np.transpose: np.ndarray.transpose,
    np.swapaxes: np.ndarray.swapaxes, np.squeeze: np.ndarray.squeeze,
}  # fmt: skip
# what these say of an array is said by its shape and type
_BY_TYPE = {
    np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj, np.isrealobj, np.einsum_path,
}  # fmt: skip


_OURS = "dualnum"


def _coefficients(part: Value) -> tuple[tuple[Any, ...], Any]:
    return tuple(part.terms.values()), (part.algebra, tuple(part.terms))


def _part(known: Any, coefficients: Any) -> Any:
    return Part(known[0], dict(zip(known[1], coefficients, strict=True)))


optree.register_pytree_node(cast(Any, Part), _coefficients, _part, namespace=_OURS)


class Called(Written):
    """A traced array, of which NumPy may execute functions."""

    __slots__ = ()

    def _wrap(self, node: Node) -> Any:
        """Another traced array of this trace."""
        raise NotImplementedError

    def _node(self, x: Value) -> Node:
        """x as a node of this trace."""
        raise NotImplementedError

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A node that NumPy executes: the function, with the arrays of the trace put in their places."""
        return self._called(function, args, kwargs)

    def _called(self, function: Callable[..., Any], args: Any, kwargs: Any, exact: bool = False) -> Any:
        """The same; `exact` where the numbers, not others like them, tell what comes out."""
        applied, nodes = self._applied(function, args, kwargs)
        if applied is not None:
            constant = all(n.op == "constant" for n in nodes)
            outcome, shaped = self._sampled(applied, nodes, exact or constant)
            if constant and isinstance(outcome, (np.ndarray, np.generic)):
                return self._wrap(self.record.constant(outcome))
            if not isinstance(outcome, (tuple, list, Jet)):
                return self._traced(Node("call", nodes, *_described(outcome), applied), outcome, function, shaped)
        leaves, structure = optree.tree_flatten((args, kwargs), none_is_leaf=True, namespace=_OURS)  # type: ignore[arg-type, var-annotated]
        leaves = [_as_it_is(leaf) for leaf in leaves]
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Operand)]
        under = [peeled(leaves[i]) for i in places]
        nodes = tuple(self._node(x) for x, _ in under)
        layers = [above for _, above in under]
        leaves = [HOLE if isinstance(leaf, Operand) else leaf for leaf in leaves]  # the trace ends with this call
        scopes = sorted({scope for above in layers for _, scope in above}, key=lambda scope: scope.level)
        found: list[Any] = []  # of the first run: structure, and the layers of jets above each array

        def call(*arrays: Any) -> Any:
            filled = list(leaves)
            with ExitStack() as stack:
                anew = {scope: stack.enter_context(open_scope(scope.name)) for scope in scopes}
                for i, array, above in zip(places, arrays, layers, strict=True):
                    filled[i] = _rebuilt(array, above, anew)
                args, kwargs = optree.tree_unflatten(structure, filled)
                result = function(*args, **kwargs)
                back = {new: old for old, new in anew.items()}  # what stands on other levels is evaluated there
                if not isinstance(result, (tuple, list)) and not (isinstance(result, Jet) and result.scope in back):
                    return result
                given: list[Any]
                given, its_structure = optree.tree_flatten(result, none_is_leaf=True, namespace=_OURS)  # type: ignore[arg-type]
                pairs = [peeled(y, back) for y in given]
                if not found:
                    found.extend((its_structure, [[(a, back[s]) for a, s in above] for _, above in pairs]))
                return [y for y, _ in pairs]

        outcome, shaped = self._sampled(call, nodes, exact)
        if not found:
            return self._traced(Node("call", nodes, *_described(outcome), call), outcome, function, shaped)
        its_structure, above = found
        if len(outcome) == 1:
            all_nodes = [Node("call", nodes, *_described(outcome[0]), lambda *arrays: call(*arrays)[0])]
        else:
            many = Node("call", nodes, None, object, call)
            all_nodes = [Node("item", (many,), *_described(y), i) for i, y in enumerate(outcome)]
        results = [self._traced(*each, function, shaped) for each in zip(all_nodes, outcome, strict=True)]
        results = [_rebuilt(y, jets) for y, jets in zip(results, above, strict=True)]
        return optree.tree_unflatten(its_structure, results)

    def _applied(self, function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Applied | None, tuple[Node, ...]]:
        """A call whose arrays of the trace are arguments themselves, neither inside of containers nor under jets."""
        tracers = [x for x in args if isinstance(x, Called)]
        if not tracers or len(tracers) < sum(1 for _ in operands((args, kwargs))):
            return None, ()
        if function is np.sum and len(args) == 1 and not kwargs.keys() - SUMS:
            function, kwargs = np.add.reduce, {"axis": None, **kwargs}  # what it does, by the short way
        elif args[0] is tracers[0] and tracers[0].shape and not kwargs and self.record.machine.looks:
            function = _METHODS.get(function, function)  # type: ignore[assignment]
        given = tuple(HOLE if isinstance(x, Called) else _as_it_is(x) for x in args)
        nodes = tuple([self.record.in_one(self._node(x)) for x in tracers])
        return Applied(function, given, {name: _as_it_is(x) for name, x in kwargs.items()}), nodes

    def _sampled(self, call: Callable[..., Any], nodes: Sequence[Node], exact: bool = False) -> tuple[Any, bool]:
        """What comes out for arrays of such shapes and types, and whether the numbers have a say in theirs.

        The arrays themselves are taken if others will not do, or if that is asked for.
        """
        record, own = self.record, self.record.machine.own
        outcome = failed = None
        for arrays in () if exact else zip(*(itertools.islice(n.samples(own), 3) for n in nodes), strict=True):
            try:
                with np.errstate(all="ignore"):
                    outcome = call(*arrays)
                if not record.exact:
                    return outcome, False
                break
            except _FAILURES as error:
                failed = error
        try:
            with np.errstate(all="ignore"):
                result = call(*(_readonly(record.numbers.of(n)) for n in nodes))
        except _FAILURES as error:
            if record.refused is None and not in_library():  # what the function does now is no guard's to find again
                record.refused = error
            raise
        return result, exact or failed is not None or _shapes(outcome) != _shapes(result)

    def _traced(self, node: Node, outcome: Any, function: Callable[..., Any], shaped: bool = False) -> Any:
        """One result of a call: a tracer, or what a function says of shapes and types alone."""
        if is_array(outcome) or isinstance(outcome, (bool, int, float, complex)):
            if function in _BY_TYPE:
                return outcome
            if shaped:
                self.record.shaped.append(node)
            return (
                self._wrap(node)
                if isinstance(outcome, (np.generic, bool, int, float, complex))
                else (self._wrap(node)._as_array())
            )
        if isinstance(outcome, (np.dtype, type)) or function in _BY_TYPE:
            return outcome
        name = getattr(function, "__name__", str(function))
        what = f"{name}, which gives a {type(outcome).__name__} and no array,"
        raise self._refused(what, "it outside of the function")


# what is tried on other arrays may fail in these ways
_FAILURES = (DualnumError, ArithmeticError, ValueError, TypeError, IndexError)


def _shapes(outcome: Any) -> Any:
    return list(map(_described, outcome)) if isinstance(outcome, (tuple, list)) else _described(outcome)


def _readonly(x: Value) -> Any:
    """A view of an array that nothing is written through."""
    if type(x) is np.ndarray:
        x = x.view()
        x.flags.writeable = False
    return x


def _as_it_is(x: Value) -> Any:
    """x, a copy where it is an array that may be written to later."""
    return x.copy() if is_array(x) and not isinstance(x, np.generic) else x


Layer = tuple[Algebra, Scope]


def peeled(x: Value, scopes: Collection[Scope] | None = None) -> tuple[Any, list[Layer]]:
    """What lies under the jets of x (of these scopes), and of these the algebras and scopes, from the top down."""
    above: list[Layer] = []
    while isinstance(x, Jet) and (scopes is None or x.scope in scopes):
        above.append((x.algebra, x.scope))
        x = x.planes
    return x, above


def _rebuilt(x: Value, above: Sequence[Layer], scopes: dict[Scope, Scope] | None = None) -> Any:
    """Such jets over x again; on their own scopes, or on those that stand for them now."""
    for algebra, scope in reversed(above):
        x = object.__new__(Jet)._set(x, algebra.full, algebra, scope if scopes is None else scopes[scope])
    return x


def _described(y: Value) -> tuple[Any, Any]:
    """Shape and type of a result."""
    if is_array(y):
        return y.shape, y.dtype
    return np.shape(y), type(y) if isinstance(y, (bool, int, float, complex)) else object
