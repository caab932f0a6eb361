"""Functions of dualnum in programs of PyTorch and JAX, and what the array API standard asks of an array."""

import importlib.util
import sys

import numpy as np
import pytest

import dualnum as dn
from dualnum.errors import InvalidType, InvalidValue

W = np.random.default_rng(1).normal(size=(3, 3))


def f(x):
    return np.sum(np.tanh(W @ x) ** 2)


def pair(tree, scale=1.0):
    return {"y": np.exp(tree["a"]) * tree["b"][0] * scale, "s": np.sum(tree["a"])}


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


@needs_torch
def test_pytorch_differentiates_to_the_third_order():
    import torch

    x = torch.tensor(W[0], requires_grad=True)
    g = dn.interop.to_torch(f)
    y = g(x * 2)
    assert y.item() == f(W[0] * 2) and y.dtype == torch.float64
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), x)
    h = lambda x: f(x * 2)  # noqa: E731
    np.testing.assert_allclose(first.detach(), dn.grad(h)(W[0]), rtol=1e-13)
    np.testing.assert_allclose(second.detach(), dn.hvp(h)(W[0], np.ones(3)), rtol=1e-12)
    np.testing.assert_allclose(third, dn.derivative(dn.grad(h), 2)(W[0]), rtol=1e-11)
    g(x).backward()
    np.testing.assert_allclose(x.grad, dn.grad(f)(W[0]), rtol=1e-13)
    assert torch.autograd.gradcheck(g, x) and torch.autograd.gradgradcheck(g, x)


@needs_torch
def test_pytorch_takes_containers_complex_numbers_and_single_precision():
    import torch

    a, b = torch.rand(3, requires_grad=True), torch.rand(3, requires_grad=True)
    result = dn.interop.to_torch(pair)({"a": a, "b": (b,)}, scale=2.0)
    assert set(result) == {"y", "s"} and result["y"].dtype == torch.float32
    (result["y"].sum() + result["s"]).backward()
    np.testing.assert_allclose(a.grad, 2 * np.exp(a.detach()) * b.detach() + 1, rtol=1e-6)
    assert b.grad.dtype == torch.float32
    z = torch.tensor([0.3 + 0.4j, -1.0 + 0.5j], dtype=torch.complex128, requires_grad=True)
    square = dn.interop.to_torch(lambda z: z * z * np.exp(z))
    assert torch.autograd.gradcheck(square, z) and torch.autograd.gradgradcheck(square, z)
    with torch.no_grad():
        assert not square(z).requires_grad


@needs_torch
def test_a_module_of_pytorch_learns_through_the_bridge():
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 3).double()
    physics = dn.interop.to_torch(dn.jit(f))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = physics(layer(torch.tensor(W[1])))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


# ── JAX ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def jax():
    module = pytest.importorskip("jax")
    before = module.config.jax_enable_x64
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", before)


def test_jax_differentiates_twice_compiled_and_mapped(jax):
    g = dn.interop.to_jax(f)
    x = jax.numpy.asarray(W[0])
    np.testing.assert_allclose(g(x), f(W[0]), rtol=1e-15)
    for first in (jax.grad(g), jax.jit(jax.grad(g))):
        np.testing.assert_allclose(first(x), dn.grad(f)(W[0]), rtol=1e-13)
    np.testing.assert_allclose(jax.jacrev(jax.grad(g))(x), dn.hessian(f)(W[0]), rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.grad(g))(W), np.stack([dn.grad(f)(row) for row in W]), rtol=1e-13)
    second = jax.grad(lambda x: jax.grad(g)(x * 2).sum())(x)
    np.testing.assert_allclose(second, 2 * dn.hessian(f)(2 * W[0]).sum(0), rtol=1e-12)


def test_jax_goes_forward(jax):
    g = dn.interop.to_jax(lambda x: np.tanh(W @ x), "forward")
    h = lambda x: np.tanh(W @ x)  # noqa: E731
    x = jax.numpy.asarray(W[0])
    np.testing.assert_allclose(jax.jacfwd(g)(x), dn.jacobian(h)(W[0]), rtol=1e-13)
    np.testing.assert_allclose(jax.jacfwd(jax.jacfwd(g))(x), dn.jacobian(dn.jacobian(h))(W[0]), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(jax.jvp(g, (x,), (x,))[1], dn.jvp(h, (W[0],), (W[0],))[1], rtol=1e-13)


def test_jax_takes_containers_and_complex_numbers(jax):
    a, b = jax.numpy.ones(3), jax.numpy.arange(3.0)
    g = dn.interop.to_jax(pair)
    found = jax.grad(lambda t: g(t, scale=2.0)["y"].sum())({"a": a, "b": (b,)})
    np.testing.assert_allclose(found["a"], 2 * np.e * np.arange(3.0), rtol=1e-15)
    z = jax.numpy.asarray([0.3 + 0.4j, -1.0 + 0.5j])
    ours = jax.grad(lambda z: dn.interop.to_jax(lambda z: z * z * np.exp(z))(z).sum().real)
    theirs = jax.grad(lambda z: (z * z * jax.numpy.exp(z)).sum().real)
    np.testing.assert_allclose(ours(z), theirs(z), rtol=1e-14)
    single = jax.numpy.ones(3, dtype=jax.numpy.float32)
    assert jax.grad(dn.interop.to_jax(lambda x: np.sum(x**2)))(single).dtype == jax.numpy.float32


# ── the array API standard ───────────────────────────────────────────────────────────────────────


def program(x):
    """Written for any library of the standard."""
    xp = x.__array_namespace__()
    y = xp.asarray(x, dtype=xp.float64)
    z = xp.concat([xp.permute_dims(y, (1, 0)), xp.ones((1, 2))], axis=0)
    s = xp.sum(xp.where(z > 0.5, xp.exp(z), xp.zeros_like(z)), axis=0) + xp.linalg.vector_norm(z, axis=0)
    return xp.astype(xp.matmul(xp.matrix_transpose(z), z)[0, :] * s, xp.float64, copy=False)


def test_a_program_of_the_array_api_takes_jets_and_variables():
    x = W[:2] + 0.1
    exact = dn.jacobian(lambda x: program(x))(x)
    plain = program(x)
    for h in np.eye(6).reshape(6, 2, 3):
        slope = (program(x + 1e-6 * h) - program(x - 1e-6 * h)) / 2e-6
        np.testing.assert_allclose(np.sum(exact * h, axis=(1, 2)), slope, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(program(dn.jet(x, 1)).value, plain, rtol=1e-15)
    v = dn.autograd.variable(x)
    program(v).sum().backward()
    np.testing.assert_allclose(v.grad, exact.sum(0), rtol=1e-13)
    np.testing.assert_allclose(dn.jit(program)(x), plain, rtol=1e-14)


def test_what_the_standard_asks_of_an_array():
    x = dn.jet(W, 1)
    xp = x.__array_namespace__(api_version="2024.12")
    assert x.device == "cpu" and x.to_device("cpu") is x and xp.pi == np.pi and "sin" in dir(xp)
    assert xp.asarray(x) is x and xp.asarray(x, copy=True) is not x
    assert xp.astype(x, xp.float32).dtype == np.float32 and xp.asarray([1.0]).shape == (1,)
    with pytest.raises(ValueError, match="1999"):
        x.__array_namespace__(api_version="1999.12")
    compat = pytest.importorskip("array_api_compat")
    assert compat.array_namespace(x) is xp


@pytest.mark.parametrize("bridge", [dn.interop.to_torch, dn.interop.to_jax])
def test_bridges_refuse(bridge, monkeypatch):
    with pytest.raises(InvalidType, match="f is a int"):
        bridge(3)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match="pip install"):
        bridge(f)


def test_a_mode_that_is_none():
    with pytest.raises(InvalidValue, match="mode is 'x'"):
        dn.interop.to_jax(f, "x")
