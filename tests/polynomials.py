"""Truncated polynomials in t, elementwise over arrays, by np.convolve alone: what jets are compared with.

Coefficients are stacked first, as in a jet. With entries that are multiples of 1/8 the sums and
products of a few of them are exact, so tests may compare bit for bit.
"""

import numpy as np

from dualnum import Jet


def coefficients(shape, order, seed=0, dtype=float):
    """Random multiples of 1/8 between −2 and 2, none of them zero."""
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1, 1], (order + 1, *shape))
    return (sign * rng.integers(1, 17, (order + 1, *shape)) / 8).astype(dtype)


def random_jet(shape=(), order=3, seed=0, dtype=float):
    return Jet(coefficients(shape, order, seed, dtype))


def constant(a, order):
    """A plain array as a polynomial of degree 0."""
    a = np.asarray(a)
    return np.concatenate([a[None], np.zeros((order, *a.shape), a.dtype)])


def product(a, b):
    """Σ_j a_j b_{k−j}, element by element."""
    order = len(a) - 1
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    a, b = (np.broadcast_to(x.reshape(len(x), *(1,) * (len(shape) - x.ndim + 1), *x.shape[1:]), (len(x), *shape))
            for x in (a, b))  # fmt: skip
    result = np.zeros((order + 1, *shape), np.result_type(a, b))
    for i in np.ndindex(*shape):
        result[(slice(None), *i)] = np.convolve(a[(slice(None), *i)], b[(slice(None), *i)])[: order + 1]
    return result


def quotient(a, b):
    """The polynomial q with q·b = a, by long division of power series."""
    order = len(a) - 1
    q = np.zeros(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b))
    for k in range(order + 1):
        q[k] = (a[k] - sum((b[j] * q[k - j] for j in range(1, k + 1)), np.zeros(()))) / b[0]
    return q
