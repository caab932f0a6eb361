"""Every transform on device arrays: the same as on NumPy's, and nothing goes over the bus unasked."""

import copy
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import cupy_linalg
import numpy as np
import optree
import pytest

import dualnum as dn

X = np.array([0.3, -0.7, 1.1, 0.5])
V = np.array([0.2, 0.9, -0.4, 1.3])
A = np.array([[2.0, 0.3, -0.5, 0.1], [0.2, 1.5, 0.4, -0.3], [-0.1, 0.6, 1.8, 0.2], [0.5, -0.2, 0.1, 2.2]])
P = np.array([[0.3, -0.7, 1.1, 0.5], [1.2, 0.4, -0.6, 0.8], [-0.9, 0.1, 0.7, -0.2]])  # points in rows

Case = Callable[..., Any]


def loss(x: Any) -> Any:
    """A smooth number, with products, divisions, sums and slices."""
    return np.sum(np.sin(x) * x / (2 + np.cos(x))) + x[0] * x[1] ** 2 + np.sum((x[1:] - x[:-1] ** 2) ** 2)


def field(x: Any) -> Any:
    """Entries of the shape of x, each of which depends on all."""
    return np.exp(-0.1 * x) * np.sum(x**2) + x[::-1]


def pointwise(x: Any) -> Any:
    """Numbers for points in rows."""
    return np.sin(x[..., 0]) * x[..., 1] ** 2 + np.exp(x[..., 2]) * x[..., 3] + np.sum(x**4, axis=-1)


def vectors(x: Any) -> Any:
    """Vectors for points in rows."""
    return np.stack([x[..., 1] * x[..., 2], np.sin(x[..., 0]), x[..., 3] ** 2, x[..., 0] * x[..., 3]], axis=-1)


def tree(p: Any) -> Any:
    return np.sum(p["a"] ** 2 * p["b"][0]) + np.sum(np.exp(p["b"][1]))


def network(w: Any, x: Any) -> Any:
    return np.mean(np.tanh(x @ w) ** 2)


def layered(w: Any, x: Any) -> Any:
    return np.tanh(x @ w["in"] + w["bias"]) @ w["out"]


def residual(w: Any, x: Any) -> Any:
    """Of a differential equation, by a network at points in rows."""
    return np.mean((dn.laplacian(lambda x: layered(w, x), axis=-1)(x) + layered(w, x)) ** 2)


def with_jets(x: Any) -> Any:
    """A loss over derivatives."""
    y = dn.jet(x, order=2)
    u = np.sin(y) * y**2
    return np.sum((u.derivative(2) + u.value) ** 2)


FORWARD: dict[str, Case] = {
    "derivative": lambda x, v, a, p: dn.derivative(lambda x: np.exp(x) * np.sin(x), 3)(x),
    "derivative of nested ones": lambda x, v, a, p: dn.derivative(dn.derivative(lambda x: np.sin(x) * x**2))(x),
    "taylor": lambda x, v, a, p: dn.taylor(np.sin, 4)(x),
    "taylor along v": lambda x, v, a, p: dn.taylor(field, 3, direction=v)(x),
    "taylor along several": lambda x, v, a, p: dn.taylor(field, 2, directions=np.stack([v, x]))(x),
    "taylor of a constant": lambda x, v, a, p: dn.taylor(lambda x: v, 2)(x),
    "directional": lambda x, v, a, p: dn.directional(loss, 2)(x, v),
    "jvp": lambda x, v, a, p: dn.jvp(field, (x,), (v,)),
    "jvp of two": lambda x, v, a, p: dn.jvp(lambda x, y: np.sum(x * y), (x, v), (v, x)),
    "jvp of a tree": lambda x, v, a, p: dn.jvp(tree, ({"a": x, "b": (v, x)},), ({"a": v, "b": (x, v)},)),
    "jvp of jvp": lambda x, v, a, p: dn.jvp(lambda y: dn.jvp(field, (y,), (v,))[1], (x,), (v,)),
    "jvp of a product of matrices": lambda x, v, a, p: dn.jvp(lambda x: a @ x, (x,), (v,)),
    "jacfwd": lambda x, v, a, p: dn.jacfwd(field)(x),
    "jacobian forward": lambda x, v, a, p: dn.jacobian(field, mode="forward")(x),
    "jacfwd of jacfwd": lambda x, v, a, p: dn.jacfwd(dn.jacfwd(field))(x),
    "jacfwd of a constant": lambda x, v, a, p: dn.jacfwd(lambda x: v)(x),
    "derivative of a constant": lambda x, v, a, p: dn.derivative(lambda x: v)(x),
}

REVERSE: dict[str, Case] = {
    "grad": lambda x, v, a, p: dn.grad(loss)(x),
    "grad of a constant": lambda x, v, a, p: dn.grad(lambda x: np.sum(v))(x),
    "grad of two": lambda x, v, a, p: dn.grad(lambda x, y: np.sum(np.sin(x * y)), argnums=(0, 1))(x, v),
    "grad of a tree": lambda x, v, a, p: dn.grad(tree)({"a": x, "b": (v, x)}),
    "grad with aux": lambda x, v, a, p: dn.grad(lambda x: (loss(x), np.sin(x)), has_aux=True)(x),
    "value_and_grad": lambda x, v, a, p: dn.value_and_grad(loss)(x),
    "value_and_grad of a network": lambda x, v, a, p: dn.value_and_grad(network)(a, p),
    "vjp": lambda x, v, a, p: dn.vjp(field, x)[1](v),
    "vjp value": lambda x, v, a, p: dn.vjp(field, x)[0],
    "vjp of two": lambda x, v, a, p: dn.vjp(lambda x, y: np.sin(x) * y, x, v)[1](x),
    "jacrev": lambda x, v, a, p: dn.jacrev(field)(x),
    "jacobian": lambda x, v, a, p: dn.jacobian(field)(x),
    "jacobian of a number": lambda x, v, a, p: dn.jacobian(loss)(x),
    "jacrev of a matrix": lambda x, v, a, p: dn.jacrev(lambda a: a @ x)(a),
    "grad of an index": lambda x, v, a, p: dn.grad(lambda x: np.sum(x[np.array([0, 2, 2])] ** 3))(x),
    "grad of an index of the device": lambda x, v, a, p: dn.grad(lambda x: np.sum(x[np.argsort(v)[:2]] ** 3))(x),
    "grad of an assignment": lambda x, v, a, p: dn.grad(assigned)(x),
    "grad of where": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x**2)))(x),
    "grad of max": lambda x, v, a, p: dn.grad(lambda x: np.max(x) * np.min(x) + np.sum(np.maximum(x, v)))(x),
    "grad of sort": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.sort(x) * v))(x),
    "grad of cumsum": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.cumsum(x) ** 2))(x),
    "grad of prod": lambda x, v, a, p: dn.grad(np.prod)(x),
    "grad of a norm": lambda x, v, a, p: dn.grad(np.linalg.norm)(x),
    "grad of var": lambda x, v, a, p: dn.grad(lambda x: np.var(x) + np.std(x))(x),
    "grad of concatenate": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.concatenate([x, x[:2], v]) ** 2))(x),
    "grad of transpose": lambda x, v, a, p: dn.grad(lambda a: np.sum(a.T @ a * np.reshape(a, (4, 4)).T))(a),
    "grad of einsum": lambda x, v, a, p: dn.grad(lambda a: np.sum(np.einsum("ij,j->i", a, x) ** 2))(a),
    "grad of broadcasting": lambda x, v, a, p: dn.grad(lambda x: np.sum(p * x + np.broadcast_to(x, (3, 4)) ** 2))(x),
    "grad of powers": lambda x, v, a, p: dn.grad(lambda x: np.sum(x**3 + np.abs(x) ** 1.5 + 2.0**x + x**-1))(x),
    "grad of powers of arrays": lambda x, v, a, p: dn.grad(
        lambda x: np.sum((1.2 + np.tanh(x) ** 2) ** np.sin(x) + (2 + x) ** v)
    )(x),
    "grad of a loop": lambda x, v, a, p: dn.grad(looped)(x),
    "grad of relu": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.maximum(x, 0) ** 2))(x),
    "grad of diff": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.diff(x) ** 2))(x),
    "grad of mean": lambda x, v, a, p: dn.grad(lambda a: np.sum(np.mean(a, axis=0) ** 2))(a),
    "grad of logsumexp": lambda x, v, a, p: dn.grad(lambda x: np.log(np.sum(np.exp(x - np.max(x)))))(x),
    "grad of logaddexp": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.logaddexp(x, v)))(x),
    "grad of a number": lambda x, v, a, p: dn.grad(lambda s: np.sin(s) * s)(x[0]),
    "grad of complex parts": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.abs(x + 1j * v) ** 2))(x),
    "grad of a complex": lambda x, v, a, p: dn.grad(lambda z: np.sum(np.real(z * z * np.conj(z))))(x + 1j * v),
    "grad of iteration": lambda x, v, a, p: dn.grad(lambda x: sum(s**2 for s in x))(x),
}

SECOND: dict[str, Case] = {
    "hessian": lambda x, v, a, p: dn.hessian(loss)(x),
    "hessian of a tree": lambda x, v, a, p: dn.hessian(tree)({"a": x, "b": (v, x)}),
    "hessian of two": lambda x, v, a, p: dn.hessian(lambda x, y: np.sum(x**2 * y**3), argnums=(0, 1))(x, v),
    "hessian forward over forward": lambda x, v, a, p: dn.jacfwd(dn.jacfwd(loss))(x),
    "hessian reverse over reverse": lambda x, v, a, p: dn.jacrev(dn.jacrev(loss))(x),
    "hessian reverse over forward": lambda x, v, a, p: dn.jacrev(dn.jacfwd(loss))(x),
    "hessian forward over reverse": lambda x, v, a, p: dn.jacfwd(dn.jacrev(loss))(x),
    "jacobian of grad": lambda x, v, a, p: dn.jacobian(dn.grad(loss))(x),
    "hvp": lambda x, v, a, p: dn.hvp(loss)(x, v),
    "hvp of two": lambda x, v, a, p: dn.hvp(lambda x, y: np.sum(x**2 * y**3), argnums=(0, 1))(x, v, (v, x)),
    "vhp": lambda x, v, a, p: dn.vhp(loss)(x, v),
    "grad of grad": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.grad(loss)(x) * v))(x),
    "jvp of grad": lambda x, v, a, p: dn.jvp(dn.grad(loss), (x,), (v,)),
    "vjp of grad": lambda x, v, a, p: dn.vjp(dn.grad(loss), x)[1](v),
    "taylor of grad": lambda x, v, a, p: dn.taylor(dn.grad(loss), 3, direction=v)(x),
    "grad of jvp": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.jvp(field, (x,), (v,))[1]))(x),
    "grad of hvp": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.hvp(loss)(x, v)))(x),
    "grad of grad of grad": lambda x, v, a, p: dn.grad(
        lambda x: np.sum(dn.grad(lambda y: np.sum(dn.grad(loss)(y) * v))(x) * v)
    )(x),
    "hessian of a norm": lambda x, v, a, p: dn.hessian(np.linalg.norm)(x),
    "hessian of max": lambda x, v, a, p: dn.hessian(lambda x: np.max(x * v) ** 2 + np.sum(np.abs(x) ** 3))(x),
    "hvp of a network": lambda x, v, a, p: dn.hvp(network)(a, p, a),
    "grad of a residual": lambda x, v, a, p: dn.grad(residual)({"in": a, "bias": x, "out": v}, p),
    "hvp of a residual": lambda x, v, a, p: dn.hvp(residual)(
        {"in": a, "bias": x, "out": v}, p, {"in": a, "bias": v, "out": x}
    ),
    "grad over jets": lambda x, v, a, p: dn.grad(with_jets)(x),
    "hessian over jets": lambda x, v, a, p: dn.hessian(with_jets)(x),
    "hvp over jets": lambda x, v, a, p: dn.hvp(with_jets)(x, v),
    "jvp of a loss over jets": lambda x, v, a, p: dn.jvp(with_jets, (x,), (v,)),
    "grad of a laplacian": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.laplacian(pointwise, axis=-1)(x) ** 2))(p),
    "grad of derivative": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.derivative(np.sin, 2)(x) * x))(x),
    "grad of taylor": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.taylor(lambda x: np.exp(x) * x, 3)(x)))(x),
    "grad of jacfwd": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.jacfwd(field)(x) ** 2))(x),
    "grad of jacrev": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.jacrev(field)(x) ** 2))(x),
    "grad of hessian": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.hessian(loss)(x)))(x),
    "hessian of where": lambda x, v, a, p: dn.hessian(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), x**3)))(x),
    "derivative of grad of a number": lambda x, v, a, p: dn.derivative(dn.grad(lambda s: np.sin(s) * s))(x[0]),
}

OPERATORS: dict[str, Case] = {
    "laplacian": lambda x, v, a, p: dn.laplacian(loss)(x),
    "laplacian of points": lambda x, v, a, p: dn.laplacian(pointwise, axis=-1)(p),
    "laplacian of a network, compiled": lambda x, v, a, p: dn.jit(
        dn.laplacian(lambda p: np.sum(np.tanh(p @ a), axis=-1), axis=-1)
    )(p),
    "laplacian of a constant": lambda x, v, a, p: dn.laplacian(lambda x: np.sum(v))(x),
    "laplacian sampled": lambda x, v, a, p: dn.laplacian(loss, samples=3, rng=0)(x),
    "biharmonic": lambda x, v, a, p: dn.biharmonic(loss)(x),
    "biharmonic of points": lambda x, v, a, p: dn.biharmonic(pointwise, axis=-1)(p),
    "biharmonic sampled": lambda x, v, a, p: dn.biharmonic(loss, samples=3, rng=0)(x),
    "divergence": lambda x, v, a, p: dn.divergence(vectors)(p),
    "divergence at a point": lambda x, v, a, p: dn.divergence(vectors)(x),
    "curl of three": lambda x, v, a, p: dn.curl(
        lambda x: np.stack([x[..., 1] ** 2, x[..., 0] * x[..., 2], x[..., 0]], -1)
    )(p[:, :3]),
    "curl of two": lambda x, v, a, p: dn.curl(lambda x: np.stack([-(x[..., 1] ** 2), x[..., 0] ** 3], axis=-1))(
        p[:, :2]
    ),
    "jacobian_trace": lambda x, v, a, p: dn.jacobian_trace(field)(x),
    "operator": lambda x, v, a, p: dn.operator("t - 0.5*xx")(lambda x, t: np.sin(x) * t**2)(x, v),
    "operator of points": lambda x, v, a, p: dn.operator("xx + yz", variables="xyzw", axis=-1)(pointwise)(p),
    "partial": lambda x, v, a, p: dn.partial(lambda x, t: x**3 * t + t**2, (2, 1))(x, v),
    "partial nilpotent": lambda x, v, a, p: dn.partial(lambda x, t: np.sin(x) * t, (1, 1), method="nilpotent")(x, v),
    "partial interpolation": lambda x, v, a, p: dn.partial(
        lambda x, t: np.sin(x) * t**3, (2, 2), method="interpolation"
    )(x, v),
    "partial of points": lambda x, v, a, p: dn.partial(pointwise, (1, 1, 0, 0), axis=-1)(p),
    "mixed": lambda x, v, a, p: dn.mixed(lambda x, t: np.exp(x * t), [(1, 0), (1, 1), (0, 2)])(x, v),
    "grad of an operator": lambda x, v, a, p: dn.grad(
        lambda x: np.sum(dn.operator("t - 0.5*xx")(lambda x, t: np.sin(x) * t**2)(x, v) ** 2)
    )(x),
    "hvp of an operator": lambda x, v, a, p: dn.hvp(
        lambda x: np.sum(dn.partial(lambda x, t: np.sin(x) * t**2, (2, 1))(x, v) ** 2)
    )(x, v),
    "laplacian of grad": lambda x, v, a, p: dn.laplacian(lambda x: np.sum(dn.grad(loss)(x) ** 2))(x),
}

JETS: dict[str, Case] = {
    "jet": lambda x, v, a, p: np.sin(dn.jet(x, order=3, direction=v)).coeffs,
    "jet along several": lambda x, v, a, p: np.sin(dn.jet(x, order=2, directions=np.stack([v, x]))).coeffs,
    "jet at t": lambda x, v, a, p: np.sin(dn.jet(x, order=3))(v),
    "jets": lambda x, v, a, p: list((lambda s, t: np.exp(s * t))(*dn.jets(x, v, order=2)).partials().values()),
    "jets partials": lambda x, v, a, p: [(lambda s, t: s**3 * t + t**2)(*dn.jets(x, v, order=3)).partial(2, 1)],
    "jets with names": lambda x, v, a, p: (lambda s, t: np.sin(s) * t)(*dn.jets(x=x, t=v, order=2)).partial(x=1, t=1),
    "jets along an axis": lambda x, v, a, p: pointwise(dn.jets(p, order=2, axis=-1)).hessian(),
    "jets gradient": lambda x, v, a, p: np.prod(dn.jets(x, order=2, axis=0)).gradient(),
    "jets tensor": lambda x, v, a, p: np.prod(dn.jets(x, order=3, axis=0)).tensor(3),
    "jets at t": lambda x, v, a, p: (lambda s, t: np.sin(s) * t)(*dn.jets(x, v, order=2))(v, x),
    "jets along a curve": lambda x, v, a, p: (
        (lambda s, t: np.sin(s) * t)(*dn.jets(x, v, order=2)).along(1.0, 2.0).coeffs
    ),
    "dual": lambda x, v, a, p: np.sin(dn.dual(x, v)).eps1,
    "hyperdual": lambda x, v, a, p: np.sin(dn.hyperdual(x, v, x)).eps12,
    "hyperdual of numbers": lambda x, v, a, p: np.sin(dn.hyperdual(x, 1.0, 1.0)).eps12,
    "jet of a jet": lambda x, v, a, p: dn.taylor(lambda x: np.sin(dn.jet(x, order=2)).derivative(2), 2)(x),
    "deepcopy": lambda x, v, a, p: copy.deepcopy(np.sin(dn.jet(x, order=2))).coeffs,
    "truncate": lambda x, v, a, p: np.sin(dn.jet(x, order=3)).truncate(1).coeffs,
    "jet assigned": lambda x, v, a, p: jet_assigned(x, v),
}

MAPS: dict[str, Case] = {
    "compose": lambda x, v, a, p: (lambda y: dn.compose(np.sin(dn.jet(y.value, 3)), y).coeffs)(np.exp(dn.jet(x, 3))),
    "compose several": lambda x, v, a, p: composed(x, v),
    "inverse_map": lambda x, v, a, p: dn.inverse_map(np.sin(dn.jets(x, order=2, axis=0)) @ a, x).coeffs,
    "reversion": lambda x, v, a, p: dn.reversion(np.sin(dn.jet(x, 4)), x).coeffs,
    "pade": lambda x, v, a, p: tuple(dn.pade(np.exp(dn.jet(x, 4)), 2)),
    "pade singular": lambda x, v, a, p: tuple(dn.pade(1 / (2 + dn.jet(x, 6)), 2)),
    "convergence_radius": lambda x, v, a, p: dn.convergence_radius(np.log(2 + dn.jet(x, 12))),
    "convergence_radius by ratios": lambda x, v, a, p: dn.convergence_radius(np.log(2 + dn.jet(x, 12)), "ratio"),
    "convergence_radius of a pair": lambda x, v, a, p: dn.convergence_radius(1 / (1 + dn.jet(x, 16) ** 2), "pair"),
    "implicit": lambda x, v, a, p: dn.implicit(lambda y, q: y**3 - q, np.cbrt(v), dn.jet(v, order=2)).coeffs,
    "implicit by order": lambda x, v, a, p: dn.implicit(lambda y, q: y**3 - q, np.cbrt(v), v, order=2).coeffs,
    "implicit along an axis": lambda x, v, a, p: (
        dn.implicit(lambda y, q: a @ y - q, np.linalg.solve(a, x), dn.jet(x, order=2), axis=0).coeffs
    ),
    "grad of implicit": lambda x, v, a, p: dn.grad(
        lambda q: np.sum(dn.implicit(lambda y, q: y**3 - q, np.cbrt(v), q) ** 2)
    )(v),
    "fixed_point": lambda x, v, a, p: dn.fixed_point(lambda y, q: np.cos(q * y) / 2, x, dn.jet(v, order=2)).coeffs,
    "grad of fixed_point": lambda x, v, a, p: dn.grad(
        lambda q: np.sum(dn.fixed_point(lambda y, q: np.cos(q * y) / 2, x, q) ** 2)
    )(v),
    "flow": lambda x, v, a, p: dn.flow(lambda t, y: -y * np.cos(t), dn.jet(x, order=2), [0.0, 0.5], steps=2)[-1].coeffs,
    "flow of an array": lambda x, v, a, p: dn.flow(lambda t, y: -y, x, [0.0, 0.5, 1.0], steps=2),
    "flow by series": lambda x, v, a, p: dn.flow(lambda t, y: -y * t, x, [0.0, 0.5], method="taylor", order=4),
    "flow of a map": lambda x, v, a, p: (
        dn.flow(lambda t, y: np.stack([y[1], -np.sin(y[0])]), dn.jets(x[:2], order=2, axis=0), [0.0, 0.5], steps=2)[
            -1
        ].coeffs
    ),
    "taylor_step": lambda x, v, a, p: dn.taylor_step(lambda t, y: -y, 0.0, x, 0.5, order=4),
    "grad of flow": lambda x, v, a, p: dn.grad(
        lambda x: np.sum(dn.flow(lambda t, y: -(y**2), x, [0.0, 0.2], steps=2)[-1])
    )(x),
}


@dn.custom_derivative
def softplus(x: Any) -> Any:
    return np.logaddexp(x, 0.0)


@softplus.derivative
def _(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@dn.custom_derivative
def pushed(x: Any) -> Any:
    return np.sin(x) * x


@pushed.push_forward
def _(primals: Any, tangents: Any) -> Any:
    (x,), (dx,) = primals, tangents
    return (np.cos(x) * x + np.sin(x)) * dx


@dn.custom_derivative
def pulled(x: Any) -> Any:
    return np.sin(x) * x


@pulled.pull_back
def _(cotangent: Any, value: Any, x: Any) -> Any:
    return (np.cos(x) * x + np.sin(x)) * cotangent


@dn.custom_derivative
def by_series(x: Any) -> Any:
    return np.exp(x)


@by_series.series
def _(order: int, value: Any, u: Any) -> Any:
    y = [value]
    for k in range(1, order + 1):
        y.append(sum(j * u[j] * y[k - j] for j in range(1, min(k, len(u) - 1) + 1)) / k)
    return y


CUSTOM: dict[str, Case] = {
    "custom derivative": lambda x, v, a, p: dn.derivative(softplus, 2)(x),
    "grad of a custom derivative": lambda x, v, a, p: dn.grad(lambda x: np.sum(softplus(x)))(x),
    "grad of a push-forward": lambda x, v, a, p: dn.grad(lambda x: np.sum(pushed(x) * v))(x),
    "jvp of a push-forward": lambda x, v, a, p: dn.jvp(pushed, (x,), (v,)),
    "grad of a pull-back": lambda x, v, a, p: dn.grad(lambda x: np.sum(pulled(x) * v))(x),
    "jvp of a pull-back": lambda x, v, a, p: dn.jvp(pulled, (x,), (v,)),
    "hvp of a pull-back": lambda x, v, a, p: dn.hvp(lambda x: np.sum(pulled(x) * v))(x, v),
    "taylor by a series": lambda x, v, a, p: dn.taylor(by_series, 3)(x),
    "grad by a series": lambda x, v, a, p: dn.grad(lambda x: np.sum(by_series(x) * v))(x),
    "checkpoint": lambda x, v, a, p: dn.grad(lambda x: np.sum(dn.checkpoint(lambda x: np.exp(np.sin(x)))(x)))(x),
    "hvp of a checkpoint": lambda x, v, a, p: dn.hvp(lambda x: np.sum(dn.checkpoint(lambda x: np.exp(x) * x)(x)))(x, v),
    "stop_gradient": lambda x, v, a, p: dn.grad(lambda x: np.sum(x * dn.stop_gradient(x)))(x),
    "derivatives at kinks": lambda x, v, a, p: dn.grad(lambda x: np.sum(np.abs(x - x[0]) + np.hypot(x, v)))(x),
}


def assigned(x: Any) -> Any:
    y = x * 2
    y[1:] = y[1:] * x[:-1]
    y[0] += x[3] ** 2
    return np.sum(y**2)


def looped(x: Any) -> Any:
    y = x
    for _ in range(5):
        y = y + 0.1 * np.sin(y) * x
    return np.sum(y)


def jet_assigned(x: Any, v: Any) -> Any:
    y = np.sin(dn.jet(x, order=2))
    y[1:] = y[:-1] * v[1:]
    y[0] += 2.0
    return y.coeffs


def composed(x: Any, v: Any) -> Any:
    s, t = dn.jets(x, v, order=2)
    u, w = s * t, s + t**2
    outer = (lambda a, b: np.sin(a) * b)(*dn.jets(u.value, w.value, order=2))
    return dn.compose(outer, [u, w]).coeffs


TABLE = {**FORWARD, **REVERSE, **SECOND, **OPERATORS, **JETS, **MAPS, **CUSTOM}

# What reads numbers by its nature: iterations until nothing changes, systems that must not be singular.
LOOKS = {
    "inverse_map", "reversion", "pade", "pade singular", "convergence_radius", "convergence_radius by ratios",
    "convergence_radius of a pair", "implicit", "implicit by order", "implicit along an axis", "grad of implicit",
    "fixed_point", "grad of fixed_point",
}  # fmt: skip
SOLVES = LOOKS - {
    "reversion",
    "implicit",
    "implicit by order",
    "grad of implicit",
    "fixed_point",
    "grad of fixed_point",
}


@pytest.fixture(scope="module", autouse=True)
def started(cp: Any) -> None:
    """The first kernel of a process waits for what the device sets up."""
    np.exp(dn.jet(cp.zeros(1), order=1))


@pytest.fixture
def solvers(cp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The linear algebra of a real device; a stand-in borrows it from NumPy."""
    if "fakegpu" not in sys.modules:
        return

    for name, function in cupy_linalg.substitutes(cp).items():
        monkeypatch.setattr(cp.linalg, name, function)


@pytest.mark.parametrize("name", TABLE)
def test_as_on_numpy(cp: Any, unread: Any, name: str, request: pytest.FixtureRequest) -> None:
    if name in SOLVES:
        request.getfixturevalue("solvers")
    case = TABLE[name]
    expected, structure = optree.tree_flatten(case(X, V, A, P))
    given = [cp.asarray(x) for x in (X, V, A, P)]
    with nullcontext() if name in LOOKS else unread():
        found, its = optree.tree_flatten(case(*given))
    assert its == structure
    for y, e in zip(found, expected, strict=True):
        assert type(y) is cp.ndarray, type(y)
        assert y.dtype == np.asarray(e).dtype and y.shape == np.shape(e)
        np.testing.assert_allclose(cp.asnumpy(y), e, rtol=1e-12, atol=1e-12)


# ── what arrays on a device are like ─────────────────────────────────────────────────────────────

WAYS: dict[str, Case] = {
    "value_and_grad": lambda f, x, v: dn.value_and_grad(f)(x),
    "jvp": lambda f, x, v: dn.jvp(f, (x,), (v,)),
    "hvp": lambda f, x, v: dn.hvp(f)(x, v),
    "hessian": lambda f, x, v: dn.hessian(f)(x),
    "jacrev of jacfwd": lambda f, x, v: dn.jacrev(dn.jacfwd(f))(x),
    "taylor of grad": lambda f, x, v: dn.taylor(dn.grad(f), 2, direction=v)(x),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["float32", "no axes", "no entries", "strided", "an axis of one"])
def test_types_and_shapes(cp: Any, unread: Any, kind: str, way: str) -> None:
    x, v = X, V
    if kind == "float32":
        x, v = x.astype(np.float32), v.astype(np.float32)
    elif kind == "no axes":
        x, v = np.array(0.3), np.array(0.7)
    elif kind == "no entries":
        x, v = x[:0], v[:0]
    elif kind == "an axis of one":
        x, v = x[:2, None], v[:2, None]

    def f(x: Any) -> Any:
        return np.sum(np.sin(x) * x + np.sqrt(2 + x)) * np.sum(x**2)

    expected = optree.tree_leaves(WAYS[way](f, x, v))
    given = [cp.asarray(x), cp.asarray(v)]
    if kind == "strided":
        given = [cp.stack([y, y], axis=1)[::-1, 0][::-1] for y in given]
    with unread():
        found = optree.tree_leaves(WAYS[way](f, *given))
    tolerance = 1e-12 if x.dtype == float else 1e-4
    for y, e in zip(found, expected, strict=True):
        assert type(y) is cp.ndarray and y.shape == np.shape(e) and y.dtype == np.asarray(e).dtype
        np.testing.assert_allclose(cp.asnumpy(y), e, rtol=tolerance, atol=tolerance)


def test_gradients_have_memory_of_their_own(cp: Any) -> None:
    x = cp.asarray(X)
    for f in (np.sum, lambda x: np.sum(x[::-1]), lambda x: x[1], lambda x: np.sum(x + x)):
        gradient = dn.grad(f)(x)
        before = cp.asnumpy(gradient)
        gradient += 1
        np.testing.assert_array_equal(cp.asnumpy(gradient), before + 1)
    value, pull = dn.vjp(lambda x: x, x)
    value += 1
    cotangent = cp.asarray(V)
    pulled = pull(cotangent)
    pulled += 1
    np.testing.assert_array_equal(cp.asnumpy(x), X)
    np.testing.assert_array_equal(cp.asnumpy(cotangent), V)


def test_a_buffer_that_is_filled_anew_was_read_as_it_was(cp: Any) -> None:
    def filled(xp: Any) -> Case:
        buffer = xp.zeros(4)

        def f(x: Any) -> Any:
            total = 0.0
            for k in range(3):
                buffer[...] = k + 1.0
                total = total + np.sum(buffer * x**2)
            return total

        return f

    for transform in (dn.grad, lambda f: lambda x: dn.hvp(f)(x, x)):
        found = transform(filled(cp))(cp.asarray(X))
        np.testing.assert_allclose(cp.asnumpy(found), transform(filled(np))(X))


def test_integers_become_floats(cp: Any) -> None:
    found = dn.grad(lambda x: np.sum(x**2))(cp.arange(3))
    assert found.dtype == float
    np.testing.assert_array_equal(cp.asnumpy(found), [0.0, 2.0, 4.0])


def test_kinks_are_reported(cp: Any) -> None:
    x = cp.asarray([-2.0, 0.0])
    with dn.nonsmooth("raise"), pytest.raises(dn.NonsmoothPoint, match=r"absolute: .*\[\(1,\)\]"):
        dn.grad(lambda x: np.sum(np.abs(x)))(x)
    with dn.nonsmooth("raise"):
        np.testing.assert_array_equal(cp.asnumpy(dn.grad(lambda x: np.sum(np.abs(x)))(x[:1])), [-1.0])


def test_what_reads_numbers_says_what_is_wrong(cp: Any) -> None:
    x = cp.asarray(X)
    with pytest.raises(dn.InvalidValue, match=r"y_1 is 0 at point 1"):
        dn.reversion(dn.jet(x, order=3, direction=cp.asarray([1.0, 0.0, 1.0, 1.0])))
    with pytest.raises(dn.InvalidValue, match=r"x does not solve g\(x, p\) = 0 at points 0, 1, 2, 3"):
        dn.implicit(lambda y, q: y**3 - q, x + 2.0, dn.jet(x, order=1))
    with pytest.raises(dn.InvalidValue, match=r"after 2 iterations x still changes at points"):
        dn.fixed_point(lambda y, q: np.cos(q * y) / 2, x, dn.jet(x, order=1), maxiter=2)


def test_the_branch_that_is_not_taken_contributes_nothing(cp: Any, unread: Any) -> None:
    """Beside an infinity, to any order: masks stand on the device, and nobody looks."""

    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.log(x), x**2)) + np.sum(np.sqrt(x)[1:])

    def series(x: Any) -> Any:
        u = np.sqrt(dn.jet(x, order=2))
        return np.sum(u.value * x)

    x = np.array([0.0, 0.5, 2.0, 1.0])
    for case in (
        lambda x: dn.grad(f)(x),
        lambda x: dn.hvp(f)(x, x + 1),
        lambda x: dn.grad(lambda x: np.sum(dn.grad(f)(x)[1:]))(x),
        lambda x: dn.grad(series)(x)[1:],
    ):
        with np.errstate(all="ignore"):
            expected = case(x)
        given = cp.asarray(x)
        with unread():
            found = case(given)
        np.testing.assert_allclose(cp.asnumpy(found), expected, rtol=1e-12)


@pytest.mark.parametrize("on_device", [False, True])
def test_entries_that_an_index_takes_twice_are_added_up(cp: Any, on_device: bool) -> None:
    """By whatever index; masks, of which nobody knows how many they take, are looked at."""

    def derivatives(x: Any, index: Any) -> list[Any]:
        def f(x: Any) -> Any:
            return np.sum(np.sin(x)[index] ** 3)

        return [dn.grad(f)(x), dn.hvp(f)(x, x), dn.grad(lambda x: np.sum(dn.grad(f)(x) ** 2))(x)]

    def placed(i: Any) -> Any:
        return cp.asarray(i) if on_device and isinstance(i, np.ndarray) else i

    for index in (
        np.array([0, 2, 2]), [0, 1, 1], (slice(None), [1, 1]), (None, [0, 0]), (np.array([0, 1]), np.array([1, 1])),
        (Ellipsis, np.array([[0, 1], [1, 1]])), ([0, 2], slice(None, None, 2)), np.array(1), P > 0, (P[:, 0] > 0, 2),
    ):  # fmt: skip
        expected = derivatives(P, index)
        found = derivatives(cp.asarray(P), tuple(map(placed, index)) if isinstance(index, tuple) else placed(index))
        for y, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(cp.asnumpy(y), e, rtol=1e-12, atol=1e-12)
