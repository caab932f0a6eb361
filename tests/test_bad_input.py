"""Bad input: every case raises an error of ours that names the function, what was given and what to do.

Each case works on fresh objects (`World`); afterwards all of them must be what they were, bit for bit:
the caller's arrays, the jet that was to be assigned to, and the one that was given as out=.
"""

import array
import copy
import math
import operator
import pickle
import statistics
from types import SimpleNamespace

import numpy as np
import pytest

import dualnum as dn
from dualnum import Jet, dual, jet
from dualnum.errors import DualnumError


class World(SimpleNamespace):
    """What a case may touch."""

    def __init__(self):
        super().__init__(
            x=jet([1.0, 2.0, 3.0], order=2) ** 2,  # a jet of order 2
            s=jet(1.5, order=2),  # a scalar one
            y=jet([1.0, 2.0, 3.0], order=3),  # of another order
            v=jet([1.0, 2.0, 3.0], order=2, directions=np.eye(3)),  # of another algebra
            m=jet(np.eye(2), order=2),
            c=jet([1j, 2.0], order=2),
            a=np.array([4.0, 5.0, 6.0]),
            i=np.array([1, 2, 3]),
            b=np.array([True, False, True]),
            l=[1.0, 2.0, 3.0],
        )

    def snapshot(self):
        return {
            name: (thing.coeffs.tobytes(), thing.dtype, thing.shape, thing.extent) if isinstance(thing, Jet)
            else (thing.tobytes(), thing.dtype, thing.shape) if isinstance(thing, np.ndarray) else copy.deepcopy(thing)
            for name, thing in vars(self).items()
        }  # fmt: skip


DROP = "drop the derivatives"
NO_RULE = "apply it to x.value"
T, V, N, X, A = TypeError, ValueError, NotImplementedError, IndexError, AttributeError

# what is done, the built-in exception, and what the message must contain
CASES = [
    # ── the starting jet ──
    ("jet order -1", lambda w: jet(1.0, order=-1), V, "jet: order is -1; expected 0 or more"),
    ("jet order float", lambda w: jet(1.0, order=2.0), T, "jet: order is 2.0; expected an integer"),
    ("jet order string", lambda w: jet(1.0, order="3"), T, "jet: order is '3'; expected an integer"),
    ("jet order None", lambda w: jet(1.0, order=None), T, "jet: order is None"),
    ("jet order True", lambda w: jet(1.0, order=True), T, "jet: order is True"),
    ("jet order array", lambda w: jet(1.0, order=w.a), T, "jet: order"),
    ("jet of a string", lambda w: jet("a"), T, "jet: x has dtype <U1; carries no derivatives; numbers"),
    ("jet of None", lambda w: jet(None), T, "jet: x has dtype object"),
    ("jet of objects", lambda w: jet(np.array([1, None])), T, "jet: x has dtype object; carries no derivatives"),
    ("jet of a string array", lambda w: jet(np.array(["1.0"])), T, "jet: x has dtype <U3; astype(float)"),
    ("jet of dates", lambda w: jet(np.array(["2020"], "M8[Y]")), T, "jet: x has dtype datetime64[Y]"),
    ("jet of records", lambda w: jet(np.zeros(2, "f8,i4")), T, "jet: x has dtype"),
    ("jet of a ragged list", lambda w: jet([[1.0], [1.0, 2.0]]), V, "jet: x is not a rectangular array"),
    ("jet of a huge integer", lambda w: jet(10**400), T, "jet: x has dtype object"),
    ("jet of a jet", lambda w: jet(w.x), V, "jet: x is itself a jet; dn.derivative; x.value"),
    ("jet of a list of jets", lambda w: jet([w.s, w.s]), T, f"{DROP}; dn.array"),
    ("jet of a masked array", lambda w: jet(np.ma.array(w.a, mask=w.b)), T, "jet: x is a masked array; filled"),
    ("jet direction misfit", lambda w: jet(w.a, direction=[1.0, 2.0]), V, "direction has shape (2,), x has shape (3,)"),
    ("jet direction too large", lambda w: jet(1.0, direction=w.a), V, "direction has shape (3,), x has shape ()"),
    ("jet direction string", lambda w: jet(w.a, direction="a"), T, "jet: direction has dtype <U1"),
    ("jet direction a jet", lambda w: jet(w.a, direction=w.x), V, "jet: a direction is itself a jet; nest"),
    ("jet directions a jet", lambda w: jet(1.0, directions=w.x), V, "jet: a direction is itself a jet; nest"),
    ("jet directions flat", lambda w: jet(w.a, directions=w.a), V, "directions has shape (3,); expected (P, *x.shape)"),
    ("jet directions scalar", lambda w: jet(w.a, directions=1.0), V, "directions has shape (); expected (P, *x.shape)"),
    ("jet both directions", lambda w: jet(1.0, direction=1.0, directions=[1.0]), V, "both; expected one of them"),
    ("jet device unknown", lambda w: jet(1.0, device="tpu"), V, "device is 'tpu'; expected; \"cpu\"; \"cuda\""),
    ("jet device number", lambda w: jet(1.0, device=0), V, "device is 0; expected"),
    ("jet device index", lambda w: jet(1.0, device="cuda:x"), V, "device is 'cuda:x'; \"cuda:N\""),
    ("dual misfit", lambda w: dual(w.a, [1.0, 2.0]), V, "dx1 has shape (2,), x has shape (3,)"),
    ("dual of a string", lambda w: dual("a"), T, "x has dtype <U1"),
    ("Jet of a number", lambda w: Jet(1.0), V, "Jet: coeffs has shape (); expected (K+1, *shape); dn.jet(x)"),
    ("Jet of nothing", lambda w: Jet([]), V, "Jet: coeffs has shape (0,); one coefficient at least"),
    ("Jet of strings", lambda w: Jet(["a"]), T, "Jet: coeffs has dtype <U1"),
    ("Jet of a ragged list", lambda w: Jet([1.0, [1.0, 2.0]]), V, "Jet: coeffs is not a rectangular array"),
    ("Jet of a jet", lambda w: Jet(w.x), V, "Jet: x is itself a jet"),
    ("Jet of jets", lambda w: Jet([w.s, w.s]), V, "Jet: x is itself a jet"),
    # ── reading ──
    ("derivative beyond", lambda w: w.x.derivative(9), V, "derivative: k is 9; order 2; order=9"),
    ("derivative negative", lambda w: w.x.derivative(-1), V, "derivative: k is -1; 0 ≤ k ≤ 2"),
    ("derivative float", lambda w: w.x.derivative(1.0), T, "derivative: k is 1.0; an integer from 0 to 2"),
    ("derivative bool", lambda w: w.x.derivative(True), T, "derivative: k is True"),
    ("coefficient beyond", lambda w: w.x.coefficient(3), V, "coefficient: k is 3; order 2"),
    ("coefficient string", lambda w: w.x.coefficient("1"), T, "coefficient: k is '1'"),
    ("partial of two", lambda w: w.x.partial(1, 1), V, "partial: 2 given; an index for each variable"),
    ("partial of none", lambda w: w.x.partial(), V, "partial: 0 given; expected an index"),
    ("truncate upwards", lambda w: w.x.truncate(5), V, "truncate: order is 5; has order 2; a higher order"),
    ("truncate negative", lambda w: w.x.truncate(-1), V, "truncate: order is -1"),
    ("truncate float", lambda w: w.x.truncate(1.0), T, "truncate: order is 1.0"),
    ("evaluate at a string", lambda w: w.x("a"), T, "y(t): t has dtype <U1"),
    ("evaluate at a misfit", lambda w: w.x(np.ones(4)), V, "y(t); (3,) (4,)"),
    ("astype int", lambda w: w.x.astype(int), T, "astype: dtype is int64; carries no derivatives; x.value"),
    ("astype bool", lambda w: w.x.astype(bool), T, "astype: dtype is bool"),
    ("astype object", lambda w: w.x.astype(object), T, "astype: dtype is object"),
    ("astype unknown", lambda w: w.x.astype("nope"), T, "astype: dtype is 'nope'; expected a real or complex type"),
    ("astype real of complex", lambda w: w.c.astype(float), T, "astype from complex to real; x.real; np.abs(x)"),
    ("astype safe", lambda w: w.x.astype("f4", casting="safe"), T, "astype; casting='safe'; float32"),
    ("to_device unknown", lambda w: w.x.to_device("tpu"), V, "device is 'tpu'"),
    ("view as another type", lambda w: w.x.view(int), T, "view; x.astype"),
    ("strides", lambda w: w.x.strides, A, "strides; x.value.strides"),
    ("resize", lambda w: w.x.resize(4), A, "resize; np.resize(x, shape)"),
    ("tofile", lambda w: w.x.tofile("nowhere"), A, "tofile; pickle.dump(x, file)"),
    # ── conversions that would drop derivatives ──
    ("np.asarray", lambda w: np.asarray(w.x), T, f"{DROP}; x.value; dn.array"),
    ("np.asarray to float", lambda w: np.asarray(w.s, dtype=float), T, f"{DROP}; x.value"),
    ("np.asarray to object", lambda w: np.asarray(w.x, dtype=object), T, f"{DROP}; x.value"),
    ("np.asanyarray", lambda w: np.asanyarray(w.x), T, f"{DROP}; x.value"),
    ("np.ascontiguousarray", lambda w: np.ascontiguousarray(w.x), T, f"{DROP}; x.value"),
    ("np.array of jets", lambda w: np.array([w.x, w.x]), T, f"{DROP}; dn.array([...])"),
    ("np.array of scalars", lambda w: np.array([w.s, 2.0]), T, f"{DROP}; dn.array([...])"),
    ("np.array to object", lambda w: np.array([w.s, 2.0], dtype=object), T, f"{DROP}; dn.array([...])"),
    ("np.array of lists", lambda w: np.array([[w.s, 1.0], [2.0, w.s]]), T, f"{DROP}; dn.array([...])"),
    ("np.full", lambda w: np.full(3, w.s), T, f"{DROP}; np.full_like(x, …)"),
    ("np.full_like", lambda w: np.full_like(w.a, w.s), T, f"{DROP}; np.zeros_like(x)"),
    ("np.float64", lambda w: np.float64(w.s), T, DROP),
    ("np.float32", lambda w: np.float32(w.x), T, DROP),
    ("np.int64", lambda w: np.int64(w.s), T, DROP),
    ("np.bool_", lambda w: np.bool_(w.s), T, DROP),
    ("np.complex128", lambda w: np.complex128(w.s), T, DROP),
    ("np.arange", lambda w: np.arange(w.s), T, DROP),
    ("np.sum of a list", lambda w: np.sum([w.x, w.x]), T, f"{DROP}; dn.array([...])"),
    ("np.copyto", lambda w: np.copyto(w.a, w.x), T, f"copyto; {DROP}; np.zeros_like(x)"),
    ("np.put", lambda w: np.put(w.a, [0], w.s), T, f"put; {DROP}"),
    ("np.putmask", lambda w: np.putmask(w.a, w.b, w.x), T, f"putmask; {DROP}"),
    ("np.place", lambda w: np.place(w.a, w.b, w.x), T, f"place; {DROP}"),
    ("np.save", lambda w: np.save("nowhere/x.npy", w.x), T, f"save; {DROP}; pickle"),
    ("float", lambda w: float(w.s), T, f"float(); {DROP}; float(x.value)"),
    ("int", lambda w: int(w.s), T, f"int(); {DROP}; int(x.value)"),
    ("complex", lambda w: complex(w.s), T, f"complex(); {DROP}; complex(x.value)"),
    ("math.sin", lambda w: math.sin(w.s), T, f"math.sin; {DROP}; np.sin(x) in place of a function of math"),
    ("math.floor", lambda w: math.floor(w.s), T, DROP),
    ("math.trunc", lambda w: math.trunc(w.s), T, f"math.trunc; {DROP}; np.trunc(x)"),
    ("math.fsum", lambda w: math.fsum([w.s, w.s]), T, DROP),
    ("array.array", lambda w: array.array("d", [w.s]), T, DROP),
    ("%f", lambda w: operator.mod("%f", w.s), T, DROP),
    ("item", lambda w: w.s.item(), T, f"item(); {DROP}; x.value.item()"),
    ("tolist", lambda w: w.x.tolist(), T, f"tolist(); {DROP}; x.value.tolist()"),
    ("tobytes", lambda w: w.x.tobytes(), T, f"tobytes(); {DROP}; x.value.tobytes()"),
    ("ndarray[:] =", lambda w: w.a.__setitem__(slice(None), w.x), T, f"{DROP}; x.value"),
    ("ndarray +=", lambda w: operator.iadd(w.a, w.x), T, f"add: out= of type ndarray; {DROP}; np.zeros_like(x)"),
    ("ndarray *=", lambda w: operator.imul(w.a, w.s), T, f"multiply: out= of type ndarray; {DROP}"),
    ("ndarray.dot", lambda w: w.a.dot(w.x), T, f"{DROP}; np.dot(a, x) or a @ x for a.dot(x)"),
    ("ndarray.put", lambda w: w.a.put([0], w.s), T, DROP),
    ("ndarray.choose", lambda w: w.i.choose([w.x]), T, DROP),
    ("ndarray.searchsorted", lambda w: w.a.searchsorted(w.s), T, DROP),
    ("ndarray[jet]", lambda w: w.a[jet([0.0, 1.0])], T, DROP),
    ("np.polynomial", lambda w: np.polynomial.Polynomial([1.0, 2.0])(w.s), T, DROP),
    ("np.random", lambda w: np.random.default_rng(0).normal(w.s), T, DROP),
    ("np.vectorize", lambda w: np.vectorize(math.sin)(w.x), T, DROP),
    # ── ufuncs ──
    ("orders", lambda w: w.x + w.y, V, "add: jets of order 2 and of order 3; .truncate(2)"),
    ("orders of a function", lambda w: np.arctan2(w.y, w.x),
     V, "arctan2: jets of order 3 and of order 2; .truncate(2)"),
    ("orders in place", lambda w: operator.iadd(w.x, w.y), V, "add: jets of order 2 and of order 3"),
    ("algebras", lambda w: w.x * w.v, V, "multiply: jets of order 2 and of order 2 along 3 directions"),
    ("shapes", lambda w: w.x + jet([1.0, 2.0], order=2), V, "add; (3,); (2,)"),
    ("shapes with an array", lambda w: w.x * np.ones(4), V, "multiply; (3,); (4,)"),
    ("shapes compared", lambda w: w.x < np.ones(4), V, "less; (3,) (4,)"),
    ("a string", lambda w: w.x + "a", T, "add: an operand has dtype <U1; expected numbers"),
    ("None", lambda w: None * w.x, T, "multiply: an operand has dtype object; expected numbers"),
    ("objects", lambda w: w.x + np.array([None] * 3), T, "add: an operand has dtype object"),
    ("dates", lambda w: w.x + np.array(["2020"], "M8[Y]"), T, "add: an operand has dtype datetime64[Y]"),
    ("compared with a string", lambda w: w.x < "a", T, "less"),
    ("a masked array", lambda w: w.x + np.ma.array(w.a, mask=w.b), T, "add: an operand is a masked array; filled"),
    ("out= ndarray", lambda w: np.add(w.x, 1, out=w.a),
     T, f"add: out= of type ndarray; {DROP}; out=np.zeros_like(x)"),
    ("out= of another order", lambda w: np.add(w.x, 1, out=w.y), V, "add: out=; order 2 and of order 3"),
    ("out= of another shape", lambda w: np.add(w.m, 1, out=w.x), V, "add; (2, 2); (3,)"),
    ("out= too small", lambda w: np.add(w.x, 1, out=w.s), V, "add: the result has shape (3,), out= has shape ()"),
    ("out= of a narrower type", lambda w: np.add(w.c, 1, out=jet(w.a[:2], order=2)), T,
     "add: cannot cast the result from complex128 to float64 of out="),
    ("out= jet of truth values", lambda w: np.less(w.x, 1, out=w.x), T, "less: out= is a jet; a plain array"),
    ("where= jet", lambda w: np.sqrt(w.x, where=w.x), T, "sqrt: where= is an operand with derivatives; booleans"),
    ("where= integers", lambda w: np.sqrt(w.x, out=w.x, where=w.i), T, "sqrt: where= has dtype int64; booleans"),
    ("where= misfit", lambda w: np.sqrt(w.x, out=w.x, where=[True, False]), V, "sqrt"),
    ("dtype=int", lambda w: np.add(w.x, 1, dtype=int), T, "add: dtype is int64, which carries no derivatives; x.value"),
    ("dtype=object", lambda w: np.sin(w.x, dtype=object), T, "sin: dtype is object"),
    ("dtype= with casting", lambda w: np.sin(w.x, dtype="f4", casting="safe"), T,
     "sin: cannot cast from float64 to float32 with casting='safe'; astype"),
    ("casting= unknown", lambda w: np.sin(w.x, casting="maybe"), V, "sin: casting is 'maybe'; same_kind"),
    ("order= unknown", lambda w: np.sin(w.x, order="Q"), V, "sin: order is 'Q'; \"K\""),
    ("signature=", lambda w: np.add(w.x, 1, signature="dd->d"), N, "add: signature=; use dtype="),
    ("floor of complex", lambda w: np.floor(w.c), T, "floor"),
    ("bits", lambda w: w.x & 1, N, f"bitwise_and; bits of integers; {NO_RULE}"),
    ("shift", lambda w: w.x << 1, N, f"left_shift; bits of integers; {NO_RULE}"),
    ("not", lambda w: ~w.x, N, f"invert; bits of integers; {NO_RULE}"),
    ("gcd", lambda w: np.gcd(w.x, 2), N, f"gcd; integers; {NO_RULE}"),
    ("isnat", lambda w: np.isnat(w.x), N, "isnat; dates"),
    ("a ufunc of one's own", lambda w: np.frompyfunc(math.sin, 1, 1)(w.x), N, f"no derivative rule; {NO_RULE}"),
    ("matmul of scalars", lambda w: w.s @ w.s, V, "matmul"),
    ("matmul misfit", lambda w: w.x @ np.ones(4), V, "matmul; mismatch"),
    ("reduce axis", lambda w: np.hypot.reduce(w.x, axis=3), V, "hypot.reduce: axis 3 is out of bounds"),
    ("reduce axes", lambda w: np.subtract.reduce(w.m, axis=(0, 1)), V, "subtract.reduce; not reorderable"),
    ("reduce axis twice", lambda w: np.add.reduce(w.m, axis=(0, 0)), V, "add.reduce; duplicate"),
    ("reduce nothing", lambda w: np.subtract.reduce(w.x[:0]), V, "subtract.reduce; empty axis; no identity"),
    ("reduce out= ndarray", lambda w: np.add.reduce(w.x, out=w.a[:1].reshape(())), T, DROP),
    ("reduce dtype=int", lambda w: np.hypot.reduce(w.x, dtype=int), T, "hypot.reduce: dtype is int64"),
    ("accumulate axis", lambda w: np.hypot.accumulate(w.x, axis=1), V, "hypot.accumulate: axis 1 is out of bounds"),
    ("accumulate a scalar", lambda w: np.add.accumulate(w.s), T, "add.accumulate; no axes"),
    ("reduceat beyond", lambda w: np.add.reduceat(w.x, [0, 3]), X, "add.reduceat: indices are [0, 3]; 0 ≤ index < 3"),
    ("reduceat negative", lambda w: np.add.reduceat(w.x, [-1]), X, "add.reduceat: indices are [-1]"),
    ("at an ndarray", lambda w: np.add.at(w.a, [0], w.s), T, f"add.at on a plain array; {DROP}; as its first"),
    ("at beyond", lambda w: np.add.at(w.x, [0, 9], 1.0), X, "add.at: index 9 is out of bounds"),
    ("at misfit", lambda w: np.add.at(w.x, [0], [1.0, 2.0]), V, "add.at"),
    ("at another order", lambda w: np.add.at(w.x, [0, 1], w.y[0]), V, "add: jets of order 2 and of order 3"),
    ("at truth values", lambda w: np.logical_not.at(w.x, [0]), T, "logical_not.at; truth values"),
    ("nonsmooth", lambda w: dn.nonsmooth("maybe").__enter__(), V, "nonsmooth: mode is 'maybe'; \"raise\""),
    # ── indexing and assignment ──
    ("index beyond", lambda w: w.x[3], X, "x[…]: index 3 is out of bounds for axis 0 with size 3"),
    ("index beyond, second axis", lambda w: w.m[0, -3], X, "x[…]: index -3 is out of bounds for axis 1 with size 2"),
    ("too many indices", lambda w: w.x[0, 0], X, "x[…]: too many indices; 1-dimensional, but 2"),
    ("index float", lambda w: w.x[1.5], X, "x[…]: only integers"),
    ("index string", lambda w: w.x["a"], X, "x[…]: only integers"),
    ("index mask misfit", lambda w: w.x[[True]], X, "x[…]: boolean index did not match; size of axis is 3"),
    ("index list beyond", lambda w: w.x[[0, 5]], X, "x[…]: index 5 is out of bounds for axis 0 with size 3"),
    ("index jet", lambda w: w.x[w.s], T, "x[…]: the index carries derivatives; .value"),
    ("index list of jets", lambda w: w.x[[w.s]], T, f"{DROP}"),
    ("assign beyond", lambda w: w.x.__setitem__(3, 1.0), X, "x[…] = value: index 3 is out of bounds"),
    ("assign misfit", lambda w: w.x.__setitem__(slice(None), [1.0, 2.0]), V, "x[…] = value; (2,); (3,)"),
    ("assign a jet that misfits", lambda w: w.x.__setitem__(0, w.x), V, "x[…] = value"),
    ("assign a string", lambda w: w.x.__setitem__(0, "a"), T, "x[…] = value: value has dtype <U1"),
    ("assign None", lambda w: w.x.__setitem__(0, None), T, "x[…] = value: value has dtype object"),
    ("assign a complex number", lambda w: w.x.__setitem__(0, 1j),
     T, "value is complex and x is real; x.astype(complex)"),
    ("assign another order", lambda w: w.x.__setitem__(0, w.y[0]),
     V, "x[…] = value; order 2 and of order 3; .truncate(2)"),
    ("assign another algebra", lambda w: w.x.__setitem__(0, w.v[0]), V, "x[…] = value; along 3 directions"),
    ("assign by a jet", lambda w: w.x.__setitem__(w.s, 1.0), T, "x[…] = …: the index carries derivatives"),
    ("assign to a broadcast view", lambda w: np.broadcast_to(w.x, (2, 3)).__setitem__(0, 1.0), V,
     "x[…] = value: assignment destination is read-only"),
    ("delete", lambda w: operator.delitem(w.x, 0), V, "del x[…]; np.delete(x, index)"),
    ("put beyond", lambda w: w.x.put([9], 1.0), X, "put: index 9 is out of bounds"),
    ("put by a jet", lambda w: w.x.put([w.s], 1.0), T, "put: the index carries derivatives"),
    ("fill with a string", lambda w: w.x.fill("a"), T, "value has dtype <U1"),
    ("flat beyond", lambda w: w.x.flat[9], X, "index 9 is out of bounds"),
    ("len of a scalar", lambda w: len(w.s), T, "len(): the operand has no axes"),
    ("iterate a scalar", lambda w: list(w.s), T, "iter(): the operand has no axes"),
    ("bool of an array", lambda w: bool(w.x), V, "bool(); ambiguous; shape (3,); np.any(x)"),
    ("bool of nothing", lambda w: bool(w.x[:0]), V, "bool(); ambiguous; shape (0,)"),
    # ── array functions ──
    ("no rule", lambda w: np.polydiv(w.x, w.x), N, "np.polydiv"),
    ("where of two orders", lambda w: np.where(w.b, w.x, w.y),
     V, "np.where: jets of order 2 and of order 3; .truncate(2)"),
    ("stack of two orders", lambda w: np.stack([w.x, w.y]), V, "jets of order 2 and of order 3; .truncate(2)"),
    ("concatenate misfit", lambda w: np.concatenate([w.x, w.m]), V, "np.concatenate; dimensions"),
    ("sum axis", lambda w: np.sum(w.x, axis=3), V, "np.sum: axis 3 is out of bounds"),
    ("reshape", lambda w: w.x.reshape(7), V, "np.reshape; size 3; (7,)"),
    ("transpose", lambda w: w.x.transpose(1, 0), V, "np.transpose; axes"),
    ("choose", lambda w: w.x.choose([1, 2]), T, "choose: the index carries derivatives; np.choose"),
    # ── transforms ──
    ("derivative order", lambda w: dn.derivative(np.sin, -1), V, "derivative: order is -1"),
    ("derivative order float", lambda w: dn.derivative(np.sin, 1.5), T, "derivative: order is 1.5"),
    ("derivative of a string", lambda w: dn.derivative(np.sin)("a"), T, "derivative: argument 0 has dtype <U1"),
    ("derivative to a string", lambda w: dn.derivative(lambda x: "a")(1.0), T, "derivative: f returned a str"),
    ("derivative to a function", lambda w: dn.derivative(lambda x: np.sin)(1.0), T, "derivative: f returned a ufunc"),
    ("derivative argnums beyond", lambda w: dn.derivative(np.sin, argnums=1)(1.0),
     V, "derivative: argnums is 1; 1 arg"),
    ("derivative argnums float", lambda w: dn.derivative(np.sin, argnums=1.0)(1.0), T, "derivative: argnums is 1.0"),
    ("derivative argnums twice", lambda w: dn.derivative(np.add, argnums=(0, -2))(1.0, 2.0), V,
     "derivative: argnums; twice"),
    ("derivative argnums none", lambda w: dn.derivative(np.sin, argnums=())(1.0), V, "derivative: argnums is (); one"),
    ("derivative of what is no function", lambda w: dn.derivative(3.0), T, "derivative: f is a float; a function"),
    ("taylor both", lambda w: dn.taylor(np.sin, 2, direction=1.0, directions=[1.0]), V, "taylor: both; one of them"),
    ("taylor direction misfit", lambda w: dn.taylor(np.sin, 2, direction=[1.0, 2.0])(w.a), V,
     "taylor: direction has shape (2,), x has shape (3,)"),
    ("taylor directions misfit", lambda w: dn.taylor(np.sin, 2, directions=w.a)(w.a), V,
     "taylor: directions has shape (3,); expected (P, *x.shape)"),
    ("jvp no tuple", lambda w: dn.jvp(np.sin, w.a, w.a), T, "jvp: primals is a ndarray; expected a tuple"),
    ("jvp count", lambda w: dn.jvp(np.add, (1.0, 2.0), (1.0,)), V, "jvp: 2 primals and 1 tangents"),
    ("jvp structure", lambda w: dn.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},)),
     V, "jvp: tangents has the structure"),
    ("jvp misfit", lambda w: dn.jvp(np.sin, (w.a,), (np.ones(2),)),
     V, "jvp: direction has shape (2,), x has shape (3,)"),
    ("jvp of what is no function", lambda w: dn.jvp(3.0, (1.0,), (1.0,)), T, "jvp: f is a float"),
    ("derivative at None", lambda w: dn.derivative(np.sin)(None), T, "derivative: argument 0 is None"),
    ("directional without a direction", lambda w: dn.directional(np.sin)(1.0),
     T, "directional: 1 arguments; the direction v"),
    ("a jet of another order inside", lambda w: dn.derivative(lambda x: jet(1.0, order=1) + jet(1.0, order=2))(1.0), V,
     "add: jets of order 1 and of order 2"),
]  # fmt: skip


def test_there_are_at_least_a_hundred_cases_with_names_of_their_own():
    assert len(CASES) >= 100 and len({name for name, *_ in CASES}) == len(CASES)


@pytest.mark.parametrize(("action", "builtin", "fragments"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_bad_input_raises_clearly_and_changes_nothing(action, builtin, fragments):
    world = World()
    before = world.snapshot()
    with pytest.raises(builtin) as raised:
        action(world)
    assert isinstance(raised.value, DualnumError), f"{type(raised.value).__name__}: {raised.value}"
    for fragment in fragments.split("; "):
        assert fragment in str(raised.value)
    assert world.snapshot() == before


# Python or NumPy raise these before we are asked; none of them drops a derivative
FOREIGN = [
    ("ndarray[i] =", lambda w: w.a.__setitem__(0, w.s), ValueError),
    ("ndarray.fill", lambda w: w.a.fill(w.s), ValueError),
    ("ndarray.flat =", lambda w: w.a.flat.__setitem__(0, w.s), ValueError),
    ("np.fromiter", lambda w: np.fromiter([w.s, w.s], float), ValueError),
    ("np.zeros", lambda w: np.zeros(w.s), TypeError),
    ("range", lambda w: range(w.s), TypeError),
    ("list[jet]", lambda w: w.l[w.s], TypeError),
    ("operator.index", lambda w: operator.index(w.s), TypeError),
    ("memoryview", lambda w: memoryview(w.x), TypeError),
    ("bytes", lambda w: bytes(w.x), TypeError),
    ("format", lambda w: format(w.s, "nope"), ValueError),
    ("statistics", lambda w: statistics.mean([w.s, w.s]), TypeError),
    ("hash", lambda w: {w.s: 1}, TypeError),
    ("chained comparison", lambda w: 0 < w.x < 1, ValueError),
    ("sin.reduce", lambda w: np.sin.reduce(w.x), ValueError),
    ("matmul.reduce", lambda w: np.matmul.reduce(w.x), RuntimeError),
    ("unknown keyword", lambda w: np.sin(w.x, foo=1), TypeError),
    ("write into the value", lambda w: w.x.value.__setitem__(0, 1.0), ValueError),
    ("set the value", lambda w: setattr(w.x, "value", 1.0), AttributeError),
    ("set the shape", lambda w: setattr(w.x, "shape", (3, 1)), AttributeError),
    ("an unknown attribute", lambda w: w.x.no_such_thing, AttributeError),
]


@pytest.mark.parametrize(("action", "kind"), [case[1:] for case in FOREIGN], ids=[c[0] for c in FOREIGN])
def test_what_python_and_numpy_refuse_before_us(action, kind):
    world = World()
    before = world.snapshot()
    with pytest.raises(kind):
        action(world)
    assert world.snapshot() == before


def test_an_element_of_an_ndarray_cannot_be_a_jet_and_the_cause_says_what_to_do():
    a = np.zeros(3)
    with pytest.raises(ValueError) as raised:
        a[0] = jet(1.0)
    assert isinstance(raised.value.__cause__, DualnumError) and "x.value" in str(raised.value.__cause__)


def test_what_looks_dangerous_and_works():
    x, a = jet([1.0, 2.0, 3.0], order=1), np.array([4.0, 5.0])
    assert np.array_equal(np.concatenate([a, x]).coeffs, [[4.0, 5.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 1.0, 1.0]])
    assert isinstance(sum([x, x]), Jet) and isinstance(max(x), Jet) and isinstance(a.clip(x[0], 9.0), Jet)
    items = list(jet([3.0, 1.0, 2.0], order=1))
    items.sort()
    assert [y.value for y in items] == [1.0, 2.0, 3.0]
    assert np.array_equal(np.linspace(0.0, x[1], 3).coeffs, [[0.0, 1.0, 2.0], [0.0, 0.5, 1.0]])
    assert np.array_equal(a[x[:2] > 1.0], [5.0])
    assert np.array_equal(dn.array([[x[0], 1.0], [2.0, x[1]]]).coeffs[1], [[1.0, 0.0], [0.0, 1.0]])


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_no_function_gives_an_array_of_objects():
    """Where NumPy would wrap a jet as an object, it raises or makes a jet."""
    x, s = jet([1.0, 2.0], order=1), jet(3.0, order=1)
    attempts = [
        lambda: np.array([x, s], dtype=object), lambda: np.asarray([s]), lambda: np.full(2, s, dtype=object),
        lambda: np.append([1.0], s), lambda: np.where([True, False], s, 0.0), lambda: np.stack([x, x]),
        lambda: np.select([x > 1], [x]), lambda: np.atleast_1d(s), lambda: np.broadcast_to(s, 2), lambda: np.r_[x, x],
        lambda: np.c_[x, x], lambda: np.vstack([x, [0.0, 1.0]]), lambda: np.asarray_chkfinite(x), lambda: np.require(x),
        lambda: np.hstack([s, 1.0]), lambda: np.block([x, x]), lambda: np.apply_along_axis(lambda r: r, 0, x),
        lambda: np.fromfunction(lambda i: s + i, (2,)), lambda: np.piecewise(x, [x > 1], [lambda x: x]),
        lambda: np.insert([1.0, 2.0], 0, s), lambda: np.interp(s, [0.0, 9.0], [0.0, 1.0]), lambda: np.tile(x, 2),
        lambda: np.nan_to_num([s]), lambda: np.ma.array(x), lambda: np.matrix(x), lambda: np.array(x, copy=None),
    ]  # fmt: skip
    for attempt in attempts:
        try:
            result = attempt()
        except (DualnumError, TypeError, ValueError):
            continue
        assert getattr(result, "dtype", None) != np.dtype(object), attempt


def test_errors_can_be_caught_both_ways_and_pickled():
    for error_class, do in [
        (TypeError, lambda: float(jet(1.0))),
        (ValueError, lambda: jet(1.0, order=-1)),
        (np.exceptions.AxisError, lambda: np.sum(jet([1.0]), axis=2)),
        (IndexError, lambda: jet([1.0])[5]),
        (NotImplementedError, lambda: jet(1.0) & 1),
    ]:
        with pytest.raises(error_class) as raised:
            do()
        assert isinstance(raised.value, DualnumError)
        again = pickle.loads(pickle.dumps(raised.value))
        assert again.__class__ is raised.value.__class__ and str(again) == str(raised.value)
