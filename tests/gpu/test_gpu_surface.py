"""Devices as users meet them: what is put, moved, mixed and shown, and what is said where that cannot be."""

import copy
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dualnum as dn
from dualnum.autograd import no_grad, variable
from dualnum.errors import DerivativeDropped, DualnumError, InvalidType, InvalidValue, NotDifferentiable

N = np.array([0.5, 1.5, 2.5])
V = np.array([2.0, -1.0, 0.5])


@pytest.fixture
def a(cp: Any) -> Any:
    return cp.asarray(N)


@pytest.fixture
def x(a: Any) -> dn.Jet:
    return dn.jet(a, 2)


def on_host(y: Any) -> Any:
    """All numbers of a result, copied to the host."""
    if isinstance(y, dn.Jet):
        return y.get().coeffs
    if isinstance(y, dn.autograd.Variable):
        return y.detach().get().numpy()
    return y.get() if hasattr(y, "get") else y


def is_on_device(y: Any, cp: Any) -> bool:
    bottom = dn.operand.primal(y)
    return isinstance(bottom, cp.ndarray)


# ── where arrays are put ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "make",
    [
        lambda **on: dn.jet(N, 2, **on),
        lambda **on: dn.jet([1, 2, 3], 2, **on),
        lambda **on: dn.jet(0.5, 2, **on),
        lambda **on: dn.jet(N, 2, direction=V, **on),
        lambda **on: dn.jet(N, 2, direction=[1, 2, 3], **on),
        lambda **on: dn.jet(N, 2, directions=[V, V], **on),
        lambda **on: dn.jets(N, 1.5, order=2, **on)[1],
        lambda **on: dn.jets(x=N, y=V, order=2, **on)[0],
        lambda **on: dn.jets(N, order=2, axis=0, **on),
        lambda **on: dn.dual(N, V, **on),
        lambda **on: dn.hyperdual(N, V, 1.0, **on),
        lambda **on: variable(N, **on),
        lambda **on: variable([1.0, 2.0], dtype=np.float32, **on),
    ],
)
def test_what_makes_jets_and_variables_puts_them_where_it_is_told(cp: Any, make: Callable[..., Any]) -> None:
    plain = make()
    assert plain.device == "cpu"
    for name in ("cuda", "cuda:0"):
        made = make(device=name)
        assert made.device == "cuda:0" and is_on_device(made, cp) and type(made) is type(plain)
        assert_allclose(on_host(made), on_host(plain), rtol=0)
        assert made.dtype == plain.dtype
    with dn.use_device("cuda"):
        assert make().device == "cuda:0"
        assert make(device="cpu").device == "cpu"
    assert make().device == "cpu"


def test_use_device_holds_from_now_on_and_leaves_device_arrays_alone(cp: Any, a: Any) -> None:
    before = dn.use_device(dn.best_device())
    try:
        assert repr(before) == "use_device('cuda:0')"
        assert dn.jet(N, 1).device == "cuda:0"
        with dn.use_device("cpu"):
            assert dn.jet(N, 1).device == "cpu" and dn.jet(a, 1).device == "cuda:0"
        assert dn.jet(N, 1).device == "cuda:0"
        assert dn.jet(variable(N, device="cpu"), 1).device == "cpu"  # it has its place
        assert type(dn.grad(np.sum)(N)) is np.ndarray  # a transform computes where its arguments are
    finally:
        dn.use_device("cpu")
    assert dn.jet(N, 1).device == "cpu"


def test_a_device_array_comes_in_and_goes_out_without_a_copy(cp: Any, a: Any, counted: Any) -> None:
    np.exp(dn.jet(a, 2))  # compiles it
    with counted() as counts:
        y = np.exp(dn.jet(a, 2))
        value, slope = y.value, y.derivative(1)
    assert isinstance(value, cp.ndarray) and isinstance(slope, cp.ndarray)
    assert counts["h2d"] == counts["d2h"] == counts["sync"] == 0


@pytest.mark.parametrize("name", ["cuda:1", "cuda:7"])
def test_a_device_that_is_not_there_is_named(cp: Any, name: str) -> None:
    if cp.cuda.runtime.getDeviceCount() > 1:
        pytest.skip("there are several devices")
    for ask in (lambda: dn.jet(N, 1, device=name), lambda: dn.use_device(name), lambda: dn.grad(np.sum, device=name)):
        with pytest.raises(InvalidValue, match=f"device is '{name}'; expected one of cuda:0"):
            ask()
    for wrong in ("gpu", "cuda:x", "cuda:-1", 0):
        with pytest.raises(InvalidValue, match=r'expected "cpu", "cuda" or "cuda:N"'):
            dn.jet(N, 1, device=wrong)  # type: ignore[arg-type]


# ── arrays of other libraries ────────────────────────────────────────────────────────────────────


class OfAnotherLibrary:
    """A tensor on a device, as PyTorch, JAX and Numba have them."""

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def __cuda_array_interface__(self) -> Any:
        return self.array.__cuda_array_interface__


class Exported:
    """What speaks DLPack alone."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.array.__dlpack__(**kwargs)


class Recording:
    """A tensor of PyTorch that requires a gradient."""

    @property
    def __cuda_array_interface__(self) -> Any:
        raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")


@pytest.mark.parametrize("kind", [OfAnotherLibrary, Exported])
def test_tensors_of_other_libraries_are_taken_without_a_copy(
    cp: Any, a: Any, kind: Any, counted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "fakegpu" in sys.modules:  # which does not know on which device an address is
        monkeypatch.setattr(cp, "asarray", lambda x: x.array)
    with counted() as counts:
        taken = dn.backend.as_floating(kind(a), "jet", "x")
        y = dn.jet(kind(a), 2)
        g = dn.grad(lambda w: np.sum(w * w))(kind(a))
    assert isinstance(taken, cp.ndarray) and taken.data.ptr == a.data.ptr
    assert y.device == "cuda:0" and isinstance(g, cp.ndarray)
    assert counts["h2d"] == counts["d2h"] == 0
    assert_allclose(g.get(), 2 * N)


def test_a_tensor_that_gives_no_array_is_an_error_of_ours(cp: Any) -> None:
    with pytest.raises(InvalidType, match=r"jet: x is a Recording that gives no array .*requires grad"):
        dn.jet(Recording())


def test_lists_of_device_arrays_are_collected_on_the_device(cp: Any, a: Any, counted: Any) -> None:
    with counted() as counts:
        y = dn.jet([a, 2 * a], 1)
    assert y.shape == (2, 3) and y.device == "cuda:0" and counts["h2d"] == counts["d2h"] == 0


# ── moved, and moved back ────────────────────────────────────────────────────────────────────────


def test_a_jet_moves_in_one_copy(cp: Any, x: dn.Jet, counted: Any) -> None:
    with counted() as counts:
        assert x.to_device("cuda") is x and x.to_device("cuda:0") is x
    assert counts["h2d"] == counts["d2h"] == 0
    with counted() as counts:
        host = np.sin(x).get()
    assert counts["d2h"] == 1
    assert type(host) is dn.Jet and host.device == "cpu" and type(host.value) is np.ndarray
    with counted() as counts:
        back = host.to_device("cuda")
    assert counts["h2d"] == 1 and back.device == "cuda:0"
    assert_allclose(on_host(back), on_host(np.sin(dn.jet(N, 2))), rtol=1e-14)
    assert host.get() is host


def test_a_cotangent_goes_back_to_where_its_argument_is(cp: Any, a: Any) -> None:
    w = variable(N)
    np.sum(w.to_device("cuda") ** 2 * a).get().backward()
    assert type(w.grad) is np.ndarray
    assert_allclose(w.grad, 2 * N * N)
    u = variable(a)
    np.sum(u.get() ** 2 * N).backward()
    assert isinstance(u.grad, cp.ndarray)
    assert_allclose(u.grad.get(), 2 * N * N)
    assert repr(w.to_device("cuda").grad_fn) == "<ToDeviceBackward>"


@pytest.mark.parametrize(
    "of", [dn.grad, dn.hessian, lambda f: lambda x: dn.hvp(f)(x, V), lambda f: lambda x: dn.vhp(f)(x, V)]
)
def test_moves_are_differentiated_in_every_mode(cp: Any, of: Any) -> None:
    def there(x: Any) -> Any:
        return np.sum(np.sin(x.to_device("cuda")) ** 3).get()

    found = of(there)(N)
    assert type(found) is np.ndarray
    assert_allclose(found, of(lambda x: np.sum(np.sin(x) ** 3))(N), rtol=1e-12)


def test_moves_within_forward_transforms(cp: Any) -> None:
    found = dn.derivative(lambda x: (x.to_device("cuda") ** 3).get(), 2)(N)
    assert type(found) is np.ndarray
    assert_allclose(found, 6 * N)
    assert_allclose(dn.taylor(lambda x: (x.to_device("cuda") ** 3).get(), 2)(N)[2], 3 * N)


def test_jit_runs_moves_as_they_are_and_passes_what_is_there(cp: Any, a: Any) -> None:
    with pytest.warns(dn.PerformanceWarning, match=r"a move between devices .* use to_device before the call"):
        assert_allclose(dn.jit(lambda x: np.sin(x).get())(a), np.sin(N))
    assert_allclose(dn.jit(lambda x: np.sin(x.to_device("cuda")))(a).get(), np.sin(N))


# ── transforms with device= ──────────────────────────────────────────────────────────────────────


def loss(x: Any) -> Any:
    return np.sum(np.sin(x) * x)


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "derivative": lambda **on: dn.derivative(np.sin, 2, **on)(N),
    "derivative of a number": lambda **on: dn.derivative(np.sin, 2, **on)(0.5),
    "taylor": lambda **on: dn.taylor(np.sin, 2, direction=V, **on)(N),
    "taylor in directions": lambda **on: dn.taylor(np.sin, 2, directions=[V, N], **on)(N),
    "directional": lambda **on: dn.directional(np.sin, 2, **on)(N, V),
    "jvp": lambda **on: dn.jvp(np.sin, (N,), (V,), **on)[1],
    "vjp": lambda **on: dn.vjp(np.sin, N, **on)[1](V),
    "grad": lambda **on: dn.grad(loss, **on)(N),
    "grad beside constants": lambda **on: dn.grad(lambda w, c, k: np.sum(w * c) * k, **on)(N, V, k=2.0),
    "grad of containers": lambda **on: dn.grad(lambda w, c: np.sum(w["a"] * c[0]), **on)({"a": N}, (V, "name"))["a"],
    "value_and_grad": lambda **on: dn.value_and_grad(loss, **on)(N)[0],
    "jacobian": lambda **on: dn.jacobian(np.sin, **on)(N),
    "jacfwd": lambda **on: dn.jacfwd(np.sin, **on)(N),
    "jacrev": lambda **on: dn.jacrev(np.sin, **on)(N),
    "hessian": lambda **on: dn.hessian(loss, **on)(N),
    "hvp": lambda **on: dn.hvp(loss, **on)(N, V),
    "vhp": lambda **on: dn.vhp(loss, **on)(N, V),
    "laplacian": lambda **on: dn.laplacian(loss, **on)(N),
    "biharmonic": lambda **on: dn.biharmonic(loss, **on)(N),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_move_their_arguments(cp: Any, name: str) -> None:
    found = TRANSFORMS[name](device="cuda")
    assert isinstance(found, cp.ndarray)
    assert_allclose(found.get(), TRANSFORMS[name](), rtol=1e-12)


def test_transforms_with_a_device_can_be_pickled_and_bring_arguments_home(cp: Any, a: Any) -> None:
    again = pickle.loads(pickle.dumps(dn.grad(np.sum, device="cuda")))
    assert isinstance(again(N), cp.ndarray)
    assert type(dn.derivative(np.sin, device="cpu")(a)) is np.ndarray


# ── CuPy's own functions and operators ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["sin", "exp", "tanh", "sqrt", "square", "absolute", "sinc", "degrees", "sign"])
def test_cupys_ufuncs_of_one(cp: Any, x: dn.Jet, name: str) -> None:
    y, expected = getattr(cp, name)(x), getattr(np, name)(x)
    assert isinstance(y, dn.Jet)
    assert_allclose(on_host(y), on_host(expected), rtol=0)
    assert_allclose(on_host(y), on_host(getattr(np, name)(dn.jet(N, 2))), rtol=1e-13)


CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda xp, a, x: xp.add(a, x),
    "multiply": lambda xp, a, x: xp.multiply(x, a),
    "arctan2": lambda xp, a, x: xp.arctan2(a, x),
    "maximum": lambda xp, a, x: xp.maximum(x, 1.0),
    "power": lambda xp, a, x: xp.power(x, 3),
    "where": lambda xp, a, x: xp.where(a > 1, x, 2 * x),
    "clip": lambda xp, a, x: xp.clip(x, 1.0, 2.0),
    "sum": lambda xp, a, x: xp.sum(x),
    "mean along an axis": lambda xp, a, x: xp.mean(x, axis=0),
    "less": lambda xp, a, x: xp.less(x, 1.0),
    "a * x": lambda xp, a, x: a * x,
    "x * a": lambda xp, a, x: x * a,
    "a - x": lambda xp, a, x: a - x,
    "a / x": lambda xp, a, x: a / x,
    "a ** x": lambda xp, a, x: a**x,
    "a @ x": lambda xp, a, x: a @ x,
    "x @ a": lambda xp, a, x: x @ a,
    "a < x": lambda xp, a, x: a < x,
    "a == x": lambda xp, a, x: a == x,
    "divmod": lambda xp, a, x: divmod(a, 2 * x)[1],
}
KINDS: dict[str, Callable[[Any], Any]] = {
    "jet": lambda a: dn.jet(a, 2), "variable": lambda a: variable(a), "dual": lambda a: dn.dual(a)
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_cupys_functions_and_operators(cp: Any, a: Any, name: str, kind: str) -> None:
    y, expected = CALLS[name](cp, a, KINDS[kind](a)), CALLS[name](np, N, KINDS[kind](N))
    assert type(y) is type(expected) or (isinstance(y, cp.ndarray) and isinstance(expected, np.ndarray))
    assert is_on_device(y, cp)
    assert_allclose(on_host(y), on_host(expected), rtol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_cupys_functions_and_operators_on_traced_arrays(cp: Any, a: Any, name: str) -> None:
    fast = dn.jit(lambda x: CALLS[name](cp, a, x))
    for _ in range(2):
        y = fast(a)
        assert isinstance(y, cp.ndarray)
        assert_allclose(y.get(), CALLS[name](np, N, N), rtol=1e-12)


def test_cupys_functions_inside_transforms_and_jit(cp: Any, a: Any) -> None:
    f, g = (lambda x: cp.sum(cp.sin(x) * a)), (lambda x: np.sum(np.sin(x) * N))
    for of in (dn.grad, dn.hessian):
        assert_allclose(of(f)(a).get(), of(g)(N), rtol=1e-12)
    assert_allclose(dn.jit(dn.grad(f))(a).get(), dn.grad(g)(N), rtol=1e-12)
    assert_allclose(dn.taylor(cp.tanh, 3)(a).get(), dn.taylor(np.tanh, 3)(N), rtol=1e-12)


def test_special_functions_of_cupyx(cp: Any, x: dn.Jet) -> None:
    theirs, ours = pytest.importorskip("cupyx.scipy.special"), pytest.importorskip("scipy.special")
    assert dn.devices.numpy_function(theirs.ellipk) is ours.ellipk  # whatever CuPy calls it inside
    assert dn.devices.numpy_function(theirs.xlogy) is ours.xlogy
    assert_allclose(on_host(theirs.erf(x)), on_host(ours.erf(dn.jet(N, 2))), rtol=1e-12)


def test_what_cupy_cannot_hand_over_raises(cp: Any, a: Any, x: dn.Jet) -> None:
    b = a.copy()
    for write in (
        lambda: b.__iadd__(x), lambda: cp.add(a, x, out=b), lambda: cp.sin(x, b), lambda: b.__setitem__(0, x[0]),
        lambda: cp.asarray(x), lambda: cp.save(io.BytesIO(), x), lambda: np.save(io.BytesIO(), x), lambda: float(x[0]),
        lambda: x[0].item(), lambda: b.__iadd__(variable(a)),
    ):  # fmt: skip
        with pytest.raises(DerivativeDropped):
            write()
    assert_allclose(b.get(), N, rtol=0)
    for call in (lambda: cp.concatenate([x, x]), lambda: cp.clip(a, x, 2.0), lambda: cp.dot(a, x)):
        with pytest.raises(TypeError):  # these ask nobody
            call()
    mine = cp.ElementwiseKernel("T x", "T y", "y = x", "mine")
    with pytest.raises(NotDifferentiable, match=r"mine: dualnum has no rule for this kernel .* dn.custom_derivative"):
        mine(x)


# ── several devices ──────────────────────────────────────────────────────────────────────────────


def _mixed(cp: Any) -> Iterator[Callable[[], Any]]:
    a, x, xn, v, vn = cp.asarray(N), dn.jet(cp.asarray(N), 2), dn.jet(N, 2), variable(cp.asarray(N)), variable(N)
    large, far = dn.jet(np.ones(300_000), 2), cp.ones(300_000)
    yield from (
        lambda: N * x, lambda: x * N, lambda: x + xn, lambda: xn - x, lambda: a * xn, lambda: xn / a, lambda: x**N,
        lambda: N @ x, lambda: x @ N, lambda: x < N, lambda: np.maximum(x, N), lambda: np.arctan2(xn, x),
        lambda: N * v, lambda: v * N, lambda: v + vn, lambda: a * vn, lambda: vn @ a,
        lambda: np.concatenate([x, N]), lambda: np.stack([x, xn]), lambda: np.where(N > 1, x, x),
        lambda: np.dot(x, N), lambda: x.__setitem__(slice(None), N), lambda: xn.__setitem__(slice(None), a),
        lambda: x.__iadd__(N), lambda: v.detach().__setitem__(slice(None), N), lambda: x(N),
        lambda: dn.jet(a, direction=N), lambda: dn.jet(N, directions=cp.ones((2, 3))), lambda: dn.dual(a, N),
        lambda: dn.jvp(np.sin, (a,), (N,)), lambda: dn.vjp(np.sin, a)[1](N), lambda: np.sin(v).backward(N),
        lambda: dn.grad(lambda z: np.sum(z * N))(a), lambda: dn.derivative(lambda z: z * N)(a),
        lambda: large * far, lambda: (large + large) * far,
        # of which CuPy would copy one in silence, or run in a circle
        lambda: np.vstack([x, N]), lambda: np.cross(v, N), lambda: np.einsum("i,i", N, x), lambda: np.clip(N, x, None),
    )  # fmt: skip


def test_mixtures_name_both_devices_and_move_nothing(cp: Any, counted: Any) -> None:
    for mix in _mixed(cp):
        with counted() as counts, pytest.raises(InvalidType, match=r"on (cpu and cuda:0|cuda:0 and cpu)") as raised:
            mix()
        assert 'x.to_device("cuda:0")' in str(raised.value) and 'x.to_device("cpu")' in str(raised.value)
        assert counts["h2d"] == counts["d2h"] == 0


def test_numbers_are_on_every_device(cp: Any, a: Any, x: dn.Jet, counted: Any) -> None:
    with counted() as counts:
        results = [2 * x, x + 0.5, x * np.float64(2), np.float64(2) * x, np.array(2.0) * x, x - np.array(2.0), x**3]
        recorded = [2 * variable(a), variable(a) * np.float64(2), variable(a) * np.array(2.0), dn.jet(2.0, 2) * a]
    assert counts["h2d"] == counts["d2h"] == counts["sync"] == 0
    assert all(is_on_device(y, cp) for y in (*results, *recorded))
    assert_allclose(on_host(results[4]), on_host(2 * dn.jet(N, 2)))
    assert_allclose(on_host(recorded[2]), 2 * N)


def test_an_array_without_axes_that_is_recorded_is_no_number(cp: Any, a: Any) -> None:
    with pytest.raises(InvalidType, match="cpu and cuda:0"):
        variable(2.0) * a


# ── shown, copied, asked ─────────────────────────────────────────────────────────────────────────


def test_what_is_shown_says_where_it_is(cp: Any, a: Any, x: dn.Jet) -> None:
    assert repr(x) == "Jet([0.5, 1.5, 2.5]\n  + [1., 1., 1.]·t,\n    order=2, device='cuda:0')"
    assert repr(x[0]) == "Jet(0.5 + 1.·t, order=2, device='cuda:0')"
    assert repr(dn.dual(a)[0]) == "Jet(0.5 + 1.·ε, device='cuda:0')"
    assert x._repr_latex_() == x.get()._repr_latex_()
    assert "float64, cuda:0" in x._repr_html_() and "cuda" not in x.get()._repr_html_()
    assert repr(variable(a)) == "variable([0.5, 1.5, 2.5], device='cuda:0', requires_grad=True)"
    assert repr(variable(a, False)) == "variable([0.5, 1.5, 2.5], device='cuda:0')"
    assert "device='cuda:0', grad_fn=<MultiplyBackward>" in repr(variable(a) * 2)
    assert f"{variable(a)[0]:.2f}" == "0.50"
    t, s = dn.jets(a, a, order=2)
    assert "device='cuda:0'" in repr(t * s)


def test_jets_are_copied_and_pickled_where_they_are(cp: Any, x: dn.Jet) -> None:
    for again in (copy.copy(x), copy.deepcopy(x), x.copy(), pickle.loads(pickle.dumps(x))):
        assert again.device == "cuda:0" and again.planes.data.ptr != x.planes.data.ptr
        assert_allclose(on_host(again), on_host(x), rtol=0)
    with dn.use_device("cuda"):
        assert pickle.loads(pickle.dumps(variable(N, device="cpu"))).device == "cpu"
    assert pickle.loads(pickle.dumps(x.get())).device == "cpu"


def test_variables_are_copied_and_pickled_where_they_are(cp: Any, a: Any) -> None:
    w = variable(a)
    np.sum(w * w).backward()
    for again in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert again.is_leaf and again.requires_grad and again.device == "cuda:0"
        assert_allclose(on_host(again), N, rtol=0)
    assert_allclose(copy.deepcopy(w).grad.get(), 2 * N)


def test_values_are_asked_for_by_name(cp: Any, a: Any, x: dn.Jet) -> None:
    w = variable(a)
    with pytest.raises(InvalidType, match=r"numpy\(\): the variable is on cuda:0; write x.get\(\).numpy\(\)"):
        w.detach().numpy()
    assert type(w.detach().get().numpy()) is np.ndarray
    assert w[1].item() == 1.5 and w.tolist() == N.tolist()
    assert bool(x[0] > 0) and bool(x[0]) and 1.5 in x
    assert len(x) == 3 and [y.device for y in x] == ["cuda:0"] * 3
    with pytest.raises(InvalidValue, match="ambiguous"):
        bool(x)
    with no_grad():
        w -= 0.5 * a
    assert_allclose(on_host(w), 0.5 * N)


def test_tensors_of_derivatives_need_no_copies_after_the_first(cp: Any, a: Any, counted: Any) -> None:
    s, t = dn.jets(a, 2 * a, order=2)
    read = (lambda y: y.gradient()), (lambda y: y.hessian())
    expected = [of(np.sin(dn.jets(N, 2 * N, order=2)[0] * dn.jets(N, 2 * N, order=2)[1])) for of in read]
    y = np.sin(s * t)
    first = [of(y) for of in read]
    with counted() as counts:
        again = [of(y) for of in read]
    assert counts["h2d"] == counts["d2h"] == counts["sync"] == 0
    for found, once_more, wanted in zip(first, again, expected, strict=True):
        assert_allclose(found.get(), wanted, rtol=1e-12)
        assert_allclose(once_more.get(), wanted, rtol=1e-12)


def test_derivatives_are_checked_on_the_device(cp: Any, a: Any) -> None:
    dn.testing.check_derivatives(lambda x: np.sin(x) * x, a, 2, ways=("nested", "quotient", "products"))
    dn.testing.check_grads(lambda x: np.sum(np.sin(x) * x), (a,), order=1)
    wrong = dn.custom_derivative(lambda x: np.sin(x))
    wrong.derivative(np.sin)
    with pytest.raises(AssertionError, match="differs from the difference quotient"):
        dn.testing.check_grads(wrong, (a,), order=1, modes=("forward",))


def test_arrays_of_cupy_are_collected(cp: Any, a: Any, x: dn.Jet) -> None:
    assert isinstance(dn.array([a, a]), cp.ndarray) and type(dn.array([N, N])) is np.ndarray
    assert dn.array([[x[0], 1.0], [2.0, x[1]]]).device == "cuda:0"


def test_info_shows_the_devices(cp: Any) -> None:
    from dualnum.__main__ import info

    (line,) = [line for line in info().splitlines() if line.startswith("devices")]
    assert "cuda:0 (" in line and " GiB, compute capability " in line


# ── out of memory ────────────────────────────────────────────────────────────────────────────────


def test_out_of_memory_is_cupys_own_error_and_passes(cp: Any, a: Any, x: dn.Jet) -> None:
    error = cp.cuda.memory.OutOfMemoryError

    def exhausted(size: int) -> Any:
        raise error(size, 0, 0)

    w = variable(a)
    functions = (
        lambda: np.exp(x), lambda: x * a, lambda: x @ x, lambda: dn.jet(a, 5), lambda: dn.grad(loss)(a),
        lambda: dn.derivative(np.sin)(a), lambda: np.sum(np.sin(w)).backward(), lambda: dn.jet(N, device="cuda"),
        lambda: dn.jit(np.sinh)(a),
    )  # fmt: skip
    kept = [f() for f in functions]  # compiled, and its constants made
    with cp.cuda.using_allocator(exhausted):
        for f in functions:
            with pytest.raises(error) as raised:
                f()
            assert not isinstance(raised.value, DualnumError)
    w.zero_grad()
    for f, before in zip(functions, kept, strict=True):
        again = f()
        if before is not None:
            assert_allclose(on_host(again), on_host(before), rtol=0)
    assert_allclose(w.grad.get(), np.cos(N))


# ── several GPUs ─────────────────────────────────────────────────────────────────────────────────

SEVERAL = """
import sys
if {stand_in!r}:
    sys.path.insert(0, {stand_in!r})
    import fakegpu
import cupy as cp, numpy as np, dualnum as dn
if cp.cuda.runtime.getDeviceCount() < 2:
    sys.exit(77)
n = np.array([0.5, 1.5, 2.5])
f = lambda w: np.sum(np.sin(w) * w)
a = cp.asarray(n)
with cp.cuda.Device(1):
    b = cp.asarray(n)
x, v = dn.jet(b, 2), dn.autograd.variable(b)
with dn.use_device("cuda:1"):
    assert dn.jet(n, 2).device == dn.jet(n, 2, device="cuda").device == "cuda:1"
made = [
    x, v, dn.jet(a, 2, device="cuda:1"), dn.jets(b, b, order=2)[0], dn.hyperdual(b, b, 1.0),
    dn.jet(a).to_device("cuda:1"), np.sin(x), x * x, x * b, b * x, x + 2, np.sum(x), x @ b, np.where(x > 1, x, 0.0),
    np.concatenate([x, b]), x.copy(), x[0], x.truncate(1), np.sin(v), v * v, v * b, b * v, np.sum(v), dn.grad(f)(b),
    dn.derivative(np.sin)(b), dn.hessian(f)(b), dn.hvp(f)(b, b), dn.jvp(np.sin, (b,), (b,))[1],
    dn.vjp(np.sin, b)[1](b), dn.jit(dn.grad(f))(b), dn.grad(f, device="cuda:1")(n), dn.grad(f, device="cuda:1")(a),
]
np.sum(v * v).backward()
for i, y in enumerate([*made, v.grad]):
    assert dn.backend.device_of(y) == "cuda:1", i
assert cp.cuda.runtime.getDevice() == 0
fast = dn.jit(dn.grad(f))
for y in (fast(a), fast(b), fast(a)):
    assert np.allclose(y.get(), dn.grad(f)(n))
assert np.allclose(np.sin(x).get().coeffs, np.sin(dn.jet(n, 2)).coeffs)
x0 = dn.jet(a, 2)
for mix in (
    lambda: x * x0, lambda: x0 + x, lambda: x * a, lambda: a * x, lambda: np.arctan2(x0, x), lambda: x0 @ x,
    lambda: np.concatenate([x, a]), lambda: v * a, lambda: dn.jvp(np.sin, (a,), (b,)), lambda: dn.vjp(np.sin, a)[1](b),
    lambda: dn.jit(lambda p, q: np.sin(p) * q)(a, b),
):
    try:
        mix()
    except TypeError as error:
        assert "cuda:0 and cuda:1" in str(error) or "cuda:1 and cuda:0" in str(error), error
    else:
        raise AssertionError("two devices were mixed")
"""


def test_several_gpus_in_a_process_of_their_own(cp: Any) -> None:
    stand_in = sys.modules.get("fakegpu")
    place = "" if stand_in is None else str(Path(str(stand_in.__file__)).parent)
    environment = os.environ | {"FAKE_DEVICES": "2", "PYTHONPATH": str(Path(dn.__file__).parents[1])}
    program = [sys.executable, "-c", SEVERAL.format(stand_in=place)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode == 77:
        pytest.skip("there is one GPU")
    assert not done.returncode, done.stderr


def test_functions_of_one_point_are_called_once_where_cupy_is_there():
    calls = []

    def f(x):
        calls.append(x.device)
        return np.sum(np.tanh(np.outer(x, x) @ x)) + np.linalg.norm(x)

    x = np.array([[0.5, -1.5, 2.0], [1.0, 0.3, -0.7]])
    found = dn.vmap(dn.grad(f))(x)
    assert calls == ["cpu"]
    np.testing.assert_allclose(found, np.stack([dn.grad(f)(row) for row in x]), rtol=1e-13)
