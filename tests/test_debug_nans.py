"""dn.debug_nans: the first operation with a NaN or infinity of its own, by name, coefficient, index and line."""

import numpy as np
import pytest

import dualnum as dn
from dualnum.operand import Operand
from dualnum.tape import sweep as sweeping

X = np.array([4.0, 0.0, 1.0])


def masked(x):
    return np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0.0))


def backward():
    x = dn.autograd.variable(X)
    np.sum(np.sqrt(x)).backward()


FOUND = {
    "a coefficient": (lambda: dn.derivative(np.sqrt, 2)(X), r"sqrt: coefficient 1 at index \(1,\) is inf.*0\.0, 1\.0"),
    "a value": (lambda: dn.derivative(np.log)(X), r"log: the value at index \(1,\) is -inf"),
    "nan": (lambda: dn.derivative(np.log)(-X), r"log: the value at index \(0,\) is nan.*-4\.0"),
    "a pull-back": (lambda: dn.grad(lambda x: np.sum(np.sqrt(x)))(X), r"pull-back of sqrt gives inf to operand 0 at"),
    "an operator": (lambda: dn.grad(lambda x: np.sum(1 / x))(X), r"rtruediv: the value at index \(1,\) is inf"),
    "by hand": (backward, r"the pull-back of sqrt.*in backward: np\.sum"),
    "nested": (lambda: dn.derivative(dn.derivative(np.sqrt))(0.0), r"sqrt: coefficient 0 × 1 is inf"),
    "forward over reverse": (
        lambda: dn.hessian(lambda x: np.sum(x**1.5))(X),
        r"pull-back of power gives coefficient 2",
    ),
    "reverse over reverse": (lambda: dn.grad(dn.grad(lambda x: x**1.5))(0.0), r"pull-back"),
    "several variables": (lambda: dn.jets(np.array([0.0, 2.0]), axis=0)[0] / 0.0, r"divide: the value is nan"),
    "a function": (lambda: dn.grad(lambda x: np.sum(np.linalg.norm(x) ** -1))(0 * X), r"the value is inf"),
    "jit": (lambda: dn.jit(dn.grad(lambda x: np.sum(np.sqrt(x))))(X), r"the pull-back of sqrt"),
    "in a sum": (lambda: dn.jvp(lambda x: np.sum(np.sqrt(x)), (X,), (np.ones(3),)), r"sqrt: coefficient 1"),
}


@pytest.mark.parametrize("name", FOUND)
def test_it_finds(name):
    call, words = FOUND[name]
    with np.errstate(all="ignore"), dn.debug_nans(), pytest.raises(dn.NotFinite, match=words) as caught:
        call()
    assert "test_debug_nans.py" in str(caught.value)
    assert isinstance(caught.value, FloatingPointError)


FINE = {
    "what is masked": (lambda: dn.grad(masked)(X), [0.25, 0.0, 0.5]),
    "an infinity that was there": (lambda: dn.grad(lambda x: np.sum(np.where(x > 0, x, -np.inf)))(X + 1), [1, 1, 1]),
    "softmax": (lambda: dn.grad(dn.special.logsumexp)(np.array([-np.inf, 0.0])), [0.0, 1.0]),
    "jit": (lambda: dn.jit(dn.grad(lambda x: np.sum(x**2)))(X), 2 * X),
    "hessian": (lambda: dn.hessian(lambda x: np.sum(x**2))(X), 2 * np.eye(3)),
    "solve": (lambda: dn.grad(lambda x: np.sum(np.linalg.solve(np.diag(x + 1), x)))(X), 1 / (X + 1) ** 2),
}


@pytest.mark.parametrize("name", FINE)
def test_it_leaves_alone(name):
    call, expected = FINE[name]
    with dn.debug_nans():
        np.testing.assert_allclose(call(), expected, rtol=1e-14)


def test_infinities_may_pass():
    with np.errstate(all="ignore"), dn.debug_nans(infinities=False):
        assert dn.grad(np.sqrt)(0.0) == np.inf
        with pytest.raises(dn.NotFinite, match="is nan"):
            dn.derivative(lambda x: np.sqrt(x) * x)(0.0)


def test_everything_is_as_before_afterwards():
    before = (Operand.__array_ufunc__, dn.Jet.__array_ufunc__, sweeping.sweep, type(dn.jit(np.sin)).__call__)
    with dn.debug_nans(), dn.debug_nans(infinities=False):
        assert dn.Jet.__array_ufunc__ is not before[1]
    with np.errstate(all="ignore"), pytest.raises(dn.NotFinite), dn.debug_nans():
        dn.grad(np.sqrt)(0.0)
    after = (Operand.__array_ufunc__, dn.Jet.__array_ufunc__, sweeping.sweep, type(dn.jit(np.sin)).__call__)
    assert before == after and sweeping.watch is None
    with np.errstate(all="ignore"):
        assert dn.grad(np.sqrt)(0.0) == np.inf
