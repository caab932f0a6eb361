"""What holds of devices where there is none: all is on the host, CuPy is not imported, errors say what is missing."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualnum as dn
from dualnum import devices
from dualnum.autograd import variable
from dualnum.errors import InvalidType, InvalidValue
from dualnum.operand import away, moved

ROOT = Path(__file__).resolve().parents[1]
N = np.array([0.5, 1.5, 2.5])


class CUDARuntimeError(RuntimeError):
    """What CuPy raises where the driver says no."""


class FakeArray:
    """An array that says where it is."""

    ndim, dtype = 1, np.dtype(float)

    def __init__(self, place):
        self.device = types.SimpleNamespace(id=place)
        self.data = types.SimpleNamespace(device_id=place)


class FakeDevice:
    """CuPy's object for a device, the current one where no number is given."""

    current = 0

    def __init__(self, number=None):
        self.id = FakeDevice.current if number is None else number

    def use(self):
        FakeDevice.current = self.id


def fake_cupy(monkeypatch, count):
    """A module in CuPy's place with so many devices, or an error in their place."""

    def get_device_count():
        if isinstance(count, Exception):
            raise count
        return count

    cupy = types.ModuleType("cupy")
    runtime = types.SimpleNamespace(
        getDeviceCount=get_device_count, getDevice=lambda: FakeDevice.current, CUDARuntimeError=CUDARuntimeError,
        getDeviceProperties=lambda i: {"name": b"NVIDIA H100", "totalGlobalMem": 80 << 30, "major": 9, "minor": 0},
    )  # fmt: skip
    cupy.ndarray = FakeArray
    cupy.cuda = types.SimpleNamespace(runtime=runtime, Device=FakeDevice)
    monkeypatch.setattr(FakeDevice, "current", 0)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(devices, "_count", lambda: 0 if isinstance(count, Exception) else count)
    return cupy


@pytest.fixture
def without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # an import raises as where it is not installed


ASKS = [
    lambda device: dn.jet(N, device=device),
    lambda device: dn.jets(N, N, device=device),
    lambda device: dn.dual(N, device=device),
    lambda device: dn.hyperdual(N, device=device),
    lambda device: variable(N, device=device),
    lambda device: dn.use_device(device),
    lambda device: dn.jet(N).to_device(device),
    lambda device: variable(N).to_device(device),
    lambda device: dn.grad(np.sum, device=device),
    lambda device: dn.jvp(np.sin, (N,), (N,), device=device),
    lambda device: dn.vjp(np.sin, N, device=device),
]


# ── the host is a device ─────────────────────────────────────────────────────────────────────────


def test_everything_is_on_the_cpu(without_cupy):
    x, v = dn.jet(N, 2, device="cpu"), variable(N, device="cpu")
    assert x.device == v.device == np.sin(x).device == np.sin(v).device == "cpu"
    assert x.to_device("cpu") is x is x.get() and v.to_device("cpu") is v is v.get()
    with dn.use_device(dn.best_device()):
        assert dn.jet(N).device == dn.jets(N, N)[0].device == "cpu"
    assert "device" not in repr(x) + repr(v)
    for of in (dn.grad, dn.hessian, dn.jacobian):
        assert_allclose(of(lambda x: np.sum(np.sin(x)), device="cpu")(N), of(lambda x: np.sum(np.sin(x)))(N), rtol=0)
    assert_allclose(dn.derivative(np.sin, device="cpu")(0.5), np.cos(0.5))
    _, pull = dn.vjp(np.sin, N, device="cpu")
    assert_allclose(pull(np.ones(3)), np.cos(N))


def test_devices_of_nested_operands():
    def f(x):
        assert x.device == "cpu"
        return x.get() ** 2

    assert dn.derivative(dn.derivative(f))(3.0) == 2.0
    assert_allclose(dn.hvp(lambda x: np.sum(f(x)))(N, N), 2 * N)
    assert_allclose(dn.jit(dn.grad(lambda x: np.sum(f(x))))(N), 2 * N)


def test_transforms_are_called_as_ever_with_a_device():
    with pytest.raises(InvalidValue, match="argnums is 2"):
        dn.grad(np.sum, argnums=2, device="cpu")(N)
    assert dn.grad(lambda a, b, *, c: a * b * c, argnums=(0, 1), device="cpu")(2.0, 3.0, c=5.0) == (15.0, 10.0)
    assert dn.hvp(lambda x, y: x * x * y, argnums=(0, 1), device="cpu")(2.0, 3.0, (1.0, 0.5)) == (8.0, 4.0)
    assert dn.grad(np.sum, device="cpu").__name__ == "grad(sum)"


# ── what is missing is said ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ask", ASKS)
def test_cupy_is_not_installed(without_cupy, ask):
    with pytest.raises(InvalidValue, match=r"device is 'cuda', but CuPy is not installed; pip install .*cuda13"):
        ask("cuda")


@pytest.mark.parametrize("count", [0, CUDARuntimeError("cudaErrorInsufficientDriver: the driver is too old")])
@pytest.mark.parametrize("ask", ASKS)
def test_there_is_no_device(monkeypatch, ask, count):
    fake_cupy(monkeypatch, count)
    with pytest.raises(
        InvalidValue, match=r"'cuda', but CuPy finds no CUDA device.* NVIDIA GPU and its driver"
    ) as said:
        ask("cuda")
    assert "best_device" in str(said.value) and ("too old" in str(said.value)) == bool(count)
    assert dn.best_device() == "cpu" and devices.devices() == ["cpu"]


def test_the_number_is_too_large(monkeypatch):
    fake_cupy(monkeypatch, 2)
    for ask in ASKS:
        with pytest.raises(InvalidValue, match="device is 'cuda:2'; expected one of cuda:0, cuda:1"):
            ask("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "", 0, None])
def test_names_of_devices(name):
    if name == "cuda:":  # as "cuda"
        return
    with pytest.raises(InvalidValue, match=r'expected "cpu", "cuda" or "cuda:N"'):
        dn.use_device(name)


def test_cupy_cannot_be_imported(tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcuda.so.1 is missing')")
    said = python("import dualnum as dn; print(dn.best_device()); dn.jet(0.5, device='cuda')", path=tmp_path)
    assert said.stdout == "cpu\n"
    assert "but CuPy is installed and cannot be imported: libcuda.so.1 is missing" in said.stderr


def test_a_tensor_on_a_device_needs_cupy(without_cupy):
    tensor = types.SimpleNamespace(__cuda_array_interface__={})
    with pytest.raises(InvalidValue, match="jet: x is on a CUDA device, but CuPy is not installed"):
        dn.jet(tensor)


def test_host_arrays_of_other_libraries_are_taken_as_numpy_takes_them():
    class OnHost:
        def __dlpack_device__(self):
            return 1, 0

        def __array__(self, dtype=None, copy=None):
            return np.array(N, dtype)

    assert_allclose(dn.jet(OnHost(), 1).value, N)
    assert_allclose(dn.grad(np.sum)(OnHost()), np.ones(3))


# ── several devices ──────────────────────────────────────────────────────────────────────────────


def test_arrays_on_several_devices_are_named(monkeypatch):
    fake_cupy(monkeypatch, 2)
    here, there = FakeArray(0), FakeArray(1)
    assert devices.apart("f", here, here) is None and devices.apart("f", here, np.float64(2)) is None
    error = devices.apart("f", here, N, there)
    assert isinstance(error, InvalidType) and "f: the operands are on cuda:0 and cpu and cuda:1" in str(error)


def test_the_device_of_operands_is_entered_where_it_is_not_the_current_one(monkeypatch):
    fake_cupy(monkeypatch, 2)
    here, there = FakeArray(0), FakeArray(1)
    assert away((here, there)) is None and away(((2.0, N), {"c": here})) is None
    assert away(([N, there], here)) is there.device and away({"w": there}) is there.device
    fake_cupy(monkeypatch, 1)
    assert away((there,)) is None  # there are no others


def test_the_current_device_is_the_one_that_is_used(monkeypatch):
    fake_cupy(monkeypatch, 2)
    assert dn.best_device() == "cuda"
    assert devices.devices()[2] == "cuda:1 (NVIDIA H100, 80 GiB, compute capability 9.0)"
    with dn.use_device("cuda:1"):
        assert devices.chosen() == "cuda:1" and FakeDevice.current == 1 and dn.backend.resolved("cuda") == "cuda:1"
        with dn.use_device("cpu"):
            assert devices.chosen() is None
        assert devices.chosen() == "cuda:1"
    assert devices.chosen() is None and FakeDevice.current == 0
    assert moved(N, "cpu") is N


# ── a machine without CuPy ───────────────────────────────────────────────────────────────────────


def python(program, path=None):
    places = [str(ROOT), *([str(path)] if path else [])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120
    )  # fmt: skip


def test_nobody_imports_cupy_on_the_host():
    program = """
import pickle, sys
import numpy as np, dualnum as dn
n = np.array([0.5, 1.5])
with dn.use_device("cpu"):
    x, v = dn.jet(n, 2), dn.autograd.variable(n)
print(np.sin(x * n), x.device, x.get() is x, pickle.loads(pickle.dumps(x)))
np.sum(v * v).backward()
f = lambda x: np.sum(np.sin(x) * x)
print(v, v.grad, dn.grad(f, device="cpu")(n), dn.hessian(f)(n), dn.jit(dn.grad(f))(n), dn.jets(n, n, device="cpu"))
assert not [m for m in sys.modules if m.startswith("cupy")]
"""
    done = python(program)
    assert not done.returncode, done.stderr
