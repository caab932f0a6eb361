"""Every call of the coverage table on a device: right, forward and backward, or what `cupy_outcomes` says.

On a stand-in without cuSOLVER CuPy's linear algebra is that of `cupy_linalg`.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cupy_linalg
import numpy as np
import pytest
from array_function_calls import CALLS, Call, changed
from cupy_outcomes import LOOKS, RAISES, ROWS
from on_device import attempt, outcomes, transferred
from test_coverage import measure
from what_works import has, public_ufuncs, sample, sample_matrix

import dualnum as dn
from dualnum.errors import InvalidType, NotDifferentiable, NotOnDevice


@pytest.fixture(scope="module")
def cupy(cp: Any) -> Iterator[Any]:
    """CuPy with linear algebra."""
    substitutes = cupy_linalg.substitutes(cp) if "fakegpu" in sys.modules else {}
    with pytest.MonkeyPatch.context() as patch:
        for name, function in substitutes.items():
            patch.setattr(cp.linalg, name, function)
        np.exp(dn.jet(cp.zeros(1), 1))  # the first kernel of a process waits for what the device sets up
        yield cp


def judge(name: str, calls: Sequence[Call], cp: Any) -> bool:
    """Whether the host waited for the device, of calls that are right or raise as they should."""
    raised = looked = False
    for i, call in enumerate(calls):
        for way, outcome in zip(("forward", "backward"), outcomes(call, cp), strict=True):
            assert outcome.status != "wrong", f"call {i} {way}: {outcome.note}"
            assert not outcome.looks or name in LOOKS, f"call {i} {way} waits for the device"
            looked = looked or outcome.looks > 0
            if outcome.status == "raises":
                raised = True
                assert 'x.to_device("cpu")' in outcome.note
    assert raised == (name in RAISES)
    return looked


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_table(name: str, cupy: Any) -> None:
    looked = judge(name, CALLS[name], cupy)
    if name in LOOKS and "fakegpu" in sys.modules:
        assert looked, f"{name} does not look at numbers any more"


@pytest.mark.parametrize("name", public_ufuncs())
def test_a_ufunc(name: str, cupy: Any) -> None:
    """Its call, and its methods."""
    ufunc = public_ufuncs()[name]
    methods = [method for method in METHODS if has(ufunc, method)]
    points = sample(ufunc)
    x, v = np.array([0.6, 0.43, 0.87, 0.71]) + (ufunc is np.arccosh), np.array([1.0, -0.6, 0.8, 0.5])
    constant = np.array([1, 2, 0, 1]) if ufunc is np.ldexp else None

    def call(xp: Any) -> Any:
        return ufunc(*(dn.jet(xp.asarray(u), 3) if u.dtype.kind == "f" else xp.asarray(u) for u in points))

    def method(name: str, xp: Any) -> Any:
        there = None if constant is None else xp.asarray(constant)
        return METHODS[name](ufunc, dn.jet(xp.asarray(x), 3, direction=xp.asarray(v)), there)

    with np.errstate(all="ignore"):
        outcomes = [attempt(lambda: call(np), lambda: call(cupy), cupy, 1e-9)]
        outcomes += [attempt(lambda m=m: method(m, np), lambda m=m: method(m, cupy), cupy, 1e-9) for m in methods]  # type: ignore[misc]
    raised = [m for m, outcome in zip(["call", *methods], outcomes, strict=True) if outcome.status == "raises"]
    assert all(outcome.status in ("right", "refused", "raises") for outcome in outcomes), outcomes
    assert bool(raised) == (f"np.{name}" in RAISES), raised


def _at(ufunc: Any, x: Any, constant: Any) -> Any:
    result = np.copy(x)
    ufunc.at(result, [0, 2], *[] if ufunc.nin == 1 else [0.77 * x[:2] if constant is None else constant[:2]])
    return result


METHODS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "reduce": lambda ufunc, x, constant: ufunc.reduce(x),
    "accumulate": lambda ufunc, x, constant: ufunc.accumulate(x),
    "outer": lambda ufunc, x, constant: ufunc.outer(x, 0.77 * x[:3] if constant is None else constant),
    "reduceat": lambda ufunc, x, constant: ufunc.reduceat(x, [0, 2]),
    "at": _at,
}


# ── in other settings ────────────────────────────────────────────────────────────────────────────

WAYS: dict[str, Callable[[Call, Any, Any], Any]] = {
    "along several directions": lambda call, x, v: call(dn.jet(x, 2, directions=np.stack([v, v[::-1]]))),
    "in several variables": lambda call, x, v: call(sum(dn.jets(x, v, order=2))),
    "in single precision": lambda call, x, v: call(dn.jet(x.astype(np.float32), 2, direction=v.astype(np.float32))),
    "forward over reverse": lambda call, x, v: dn.hvp(lambda y: measure(call(y)))(x, v),
    "compiled": lambda call, x, v: dn.jit(dn.value_and_grad(lambda y: measure(call(y))))(x),
    "compiled series": lambda call, x, v: dn.jit(dn.taylor(lambda y: measure(call(y)), 2))(x),
}
SOME = [
    "np.sum", "np.prod", "np.nanmean", "np.std", "np.cov", "np.max", "np.nanmedian", "np.gradient", "np.interp",
    "np.dot", "np.linalg.vecdot", "np.einsum", "np.linalg.solve", "np.linalg.det", "np.linalg.cholesky",
    "np.linalg.qr", "np.linalg.eigh", "np.linalg.svd", "np.clip", "np.polyval", "np.fft.irfft",
    "np.broadcast_arrays", "np.block", "np.insert", "np.repeat", "np.pad", "np.take_along_axis", "np.putmask",
    "np.choose", "np.sort", "np.bincount", "np.histogram", "np.linspace", "np.geomspace", "np.cumulative_prod",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_calls_in_other_settings(way: str, cupy: Any) -> None:
    x, v = sample_matrix()
    run, tolerance = WAYS[way], 1e-3 if "single" in way else 1e-9
    for name in SOME:
        there = transferred(CALLS[name][0], cupy)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            outcome = attempt(
                lambda name=name: run(CALLS[name][0], x, v),  # type: ignore[misc]
                lambda there=there: run(there, cupy.asarray(x), cupy.asarray(v)),  # type: ignore[misc]
                cupy,
                tolerance,
            )
        assert outcome.status in ("right", "refused"), f"{name}: {outcome.note}"


# ── other arguments ──────────────────────────────────────────────────────────────────────────────

# what the table does not call for: other arguments, for which CuPy's functions have no keywords
WHERE = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
INDICES = np.array([[2, 0, 1, 5], [1, -1, 0, 2], [0, 2, 7, 0]])
NODES = np.array([0.1, 0.55, 0.97, 1.38])
STEEP = np.array([[2.0, 0.1, 0.3], [0.2, 3.0, -0.4], [0.1, -0.5, 4.0]])
OTHERS: dict[str, list[Call]] = {
    "np.take": [lambda x: np.take(x, INDICES, mode="wrap"), lambda x: np.take(x, INDICES, axis=1, mode="clip")],
    "np.choose": [lambda x: np.choose(INDICES, [x, x * x], mode="clip"), lambda x: np.choose(WHERE * 1, [2.0, x])],
    "np.put": [changed(lambda y: np.put(y, INDICES, [7.0, 8.0], mode="wrap")), changed(lambda y: y.put([3], 1.0))],
    "np.insert": [
        lambda x: np.insert(x, [0, 12], 7.0), lambda x: np.insert(x, slice(0, 3, 2), x[:, :2], axis=1),
        lambda x: np.insert(x, [2], [[1.0], [2.0]], axis=0), lambda x: np.insert(x, 1, [[1.0], [2.0], [3.0]], axis=1),
    ],
    "np.stack": [lambda x: np.stack([x[0, 0], 1.0, 2])],
    "np.median": [lambda x: np.median(x[:0]), lambda x: np.median(x, axis=(0, 1), keepdims=True)],
    "np.block": [lambda x: np.block([x[0], x[1]]), lambda x: np.block([[x[0]], [x[1]]]), lambda x: np.block(x)],
    "np.repeat": [lambda x: np.repeat(x, 3, axis=1)],
    "np.sum": [lambda x: np.sum(x, where=WHERE), lambda x: np.sum(x, axis=0, initial=1.0)],
    "np.max": [lambda x: np.max(x, axis=0, initial=1.0), lambda x: np.max(x, axis=1, initial=0.0, where=WHERE)],
    "np.nanmin": [lambda x: np.nanmin(np.where(WHERE, x, np.nan), axis=0, initial=1.0)],
    "np.quantile": [lambda x, m=m: np.quantile(x, [0.2, 0.9], method=m) for m in ("weibull", "midpoint")],
    "np.gradient": [lambda x: np.gradient(x, NODES, axis=1, edge_order=2)],
    "np.interp": [lambda x: np.interp(x, NODES, NODES**2, left=0.5, period=1.4)],
    "np.linspace": [lambda x: np.linspace(x, x * x, 4, endpoint=False, axis=-1)],
    "np.vecdot": [lambda x: np.vecdot(x, x * x), lambda x: np.vecdot(x * (1 + 2j), x)],
    "np.matvec": [lambda x: np.matvec(x, NODES)],
    "np.vecmat": [lambda x: np.vecmat(x[:, 0], x)],
    "np.histogram": [lambda x: np.histogram(NODES, 3, weights=x[0], range=(0.0, 1.0))],
    "np.linalg.solve": [lambda x: np.linalg.solve(STEEP, np.stack([x, x * x]))],
    "dn.array": [lambda x: dn.array([[x[0, 0], 1.0], [2.0, x[1, 1]]])],
    "dn.linalg.solve_triangular": [lambda x: dn.linalg.solve_triangular(STEEP, x, lower=True, unit_diagonal=True)],
    "dn.linalg.cho_solve": [lambda x: dn.linalg.cho_solve((np.linalg.cholesky(STEEP @ STEEP.T), True), x)],
    "dn.linalg.expm": [lambda x: dn.linalg.expm(x[:, :3])],
    "dn.linalg.block_diag": [lambda x: dn.linalg.block_diag(x, 2.0, STEEP)],
    "dn.linalg.sqrtm": [lambda x: dn.linalg.sqrtm(x[:, :3] + STEEP)],
    "dn.linalg.solve_sylvester": [lambda x: dn.linalg.solve_sylvester(STEEP, STEEP, x[:, :3])],
    "dn.linalg.solve_discrete_lyapunov": [lambda x: dn.linalg.solve_discrete_lyapunov(x[:, :3] + STEEP, x[:, :3])],
    "dn.linalg.solve_continuous_are": [lambda x: dn.linalg.solve_continuous_are(x[:, :3], STEEP, np.eye(3), np.eye(3))],
    "dn.linalg.solve_discrete_are": [lambda x: dn.linalg.solve_discrete_are(x[:, :3], STEEP, np.eye(3), np.eye(3))],
    "dn.linalg.expm_frechet": [lambda x: dn.linalg.expm_frechet(x[:, :3], x[:, 1:])[1]],
    "dn.linalg.cosm": [lambda x: dn.linalg.cosm(x[:, :3])],
    "dn.linalg.tanhm": [lambda x: dn.linalg.tanhm(x[:, :3])],
    "dn.linalg.logm": [lambda x: dn.linalg.logm(x[:, :3] + STEEP)],
    "dn.linalg.signm": [lambda x: dn.linalg.signm(x[:, :3] + STEEP)],
    "dn.linalg.polar": [lambda x: dn.linalg.polar(x[:, :3] + STEEP)[0]],
    "dn.linalg.fractional_matrix_power": [lambda x: dn.linalg.fractional_matrix_power(x[:, :3] + STEEP, 0.5)],
    "dn.linalg.toeplitz": [lambda x: dn.linalg.toeplitz(x[0], x[1]), lambda x: dn.linalg.toeplitz(x[0])],
    "dn.linalg.hankel": [lambda x: dn.linalg.hankel(x[0], x[1]), lambda x: dn.linalg.hankel(x[0])],
    "dn.linalg.circulant": [lambda x: dn.linalg.circulant(x)],
    "dn.linalg.companion": [lambda x: dn.linalg.companion(x)],
    "dn.linalg.khatri_rao": [lambda x: dn.linalg.khatri_rao(x, x)],
    "dn.linalg.matmul_toeplitz": [lambda x: dn.linalg.matmul_toeplitz((x[0], x[1]), x.T)],
    "dn.linalg.solve_circulant": [lambda x: dn.linalg.solve_circulant(x[0], x.T)],
    "dn.linalg.solve_toeplitz": [lambda x: dn.linalg.solve_toeplitz(x[0], x.T)],
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments(name: str, cupy: Any) -> None:
    judge(name, OTHERS[name], cupy)


def test_what_cupy_lacks_is_named(cupy: Any) -> None:
    x = dn.jet(cupy.asarray(NODES), 2)
    holed = np.where(x > 1, np.nan, x)
    places = 2 * (np.arange(x.size),)
    for call, message in {
        lambda: np.nanquantile(holed, 0.5, method="weibull"): "method='weibull'",
        lambda: np.histogram_bin_edges(x.value + 0 * x, "auto"): "auto",
        lambda: np.astype(x, np.longdouble): "float128|longdouble",
        lambda: np.lexsort(cupy.ones((2, 3, 4)) + 0 * x): "one axis",
        lambda: dn.linalg.csr_array((x, places)): "csr_array: CuPy's sparse matrices are others",
        lambda: dn.linalg.spsolve(dn.linalg.csr_array((np.ones(x.size), places)), x): "spsolve: the factors",
    }.items():
        with pytest.raises((NotOnDevice, NotDifferentiable), match=message):
            call()


def test_positions_of_quantiles_are_on_the_host(cupy: Any) -> None:
    with pytest.raises(InvalidType, match="q is on a device"):
        np.quantile(dn.jet(cupy.asarray(NODES), 1), cupy.asarray([0.5]))


def test_no_name_is_mistaken() -> None:
    ufuncs = [*(f"np.{name}" for name in public_ufuncs()), *(f"scipy.special.{name}" for name in ROWS)]
    assert {*LOOKS, *RAISES} <= {*CALLS, *OTHERS, *ufuncs}
