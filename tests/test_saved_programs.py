"""Compiled programs in files: called in another process, to the bit, where nothing is traced and nothing compiled."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

import dualnum as dn
from dualnum.errors import InvalidType, InvalidValue
from dualnum.kernel.engine import available
from dualnum.program import saved

X = np.linspace(0.2, 1.7, 6)
A = np.random.default_rng(0).normal(size=(6, 6))


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def pendulum(s: Any, steps: int = 80) -> Any:
    for _ in range(steps):
        s = s + 0.01 * np.stack([s[1], -np.sin(s[0])])
    return s[0] * s[1]


def written(x: Any) -> Any:
    y = np.zeros_like(x)
    y[1:-1] += x[2:] * x[:-2]
    return y


def branching(x: Any) -> Any:
    return np.sin(x) if x[0] > 0 else np.cos(x) * 2


# what is saved, and the arguments of its calls
CASES: dict[str, tuple[Any, list[Any]]] = {
    "elementwise": (lambda x: x * np.tanh(x), [(X,)]),
    "gradient": (dn.grad(rosenbrock), [(np.linspace(-1.0, 1.5, 100),)]),
    "Hessian of a short array": (dn.hessian(rosenbrock), [(X,)]),
    "loop": (dn.grad(pendulum), [(np.array([0.3, -1.2]),)]),
    "loop with a jet": (lambda s: dn.hvp(pendulum)(s, np.array([1.0, 0.5])), [(np.array([0.3, -1.2]),)]),
    "jet": (np.sin, [(dn.jet(X, order=3),)]),
    "jets of two variables": (
        lambda x, y: np.exp(x * y) / (1 + x),
        [tuple(dn.jets(np.linspace(0.1, 1, 4), np.linspace(2, 3, 4), order=2))],
    ),
    "containers": (lambda p: {"a": p["x"] * p["s"], "b": (p["x"] + 1, [2.5, None])}, [({"x": X, "s": 1.5},)]),
    "numbers": (lambda x, n: x**n + 1j, [(0.3, 3), (-1.2, 2)]),
    "single precision": (dn.grad(rosenbrock), [(np.linspace(-1, 1.5, 70).astype(np.float32),)]),
    "complex": (lambda z: np.exp(z) * z.conj(), [(X + 1j * X[::-1],)]),
    "half precision": (lambda x: np.sin(x) + 1, [(X.astype(np.float16),)]),
    "constants": (lambda x: np.sum(np.tanh(A @ np.tanh(A @ x)) * np.arange(6)), [(X,)]),
    "constants in Fortran's order": (lambda x: (np.asfortranarray(A) * x).ravel("K"), [(X,)]),
    "linear algebra": (lambda x: np.linalg.solve(A + np.diag(x), x), [(X,)]),
    "derivative of a solution": (dn.jacfwd(lambda x: np.linalg.solve(A + np.diag(x), np.sin(x))), [(X,)]),
    "special functions": (dn.grad(lambda x: np.sum(scipy.special.gammaln(x) + scipy.special.j0(x))), [(X,)]),
    "writes": (written, [(np.linspace(0.1, 1.0, 100),)]),
    "branches": (branching, [(X,), (-X,)]),
    "a count": (lambda x: x[: int(np.sum(x > 0.5))], [(X,)]),
    "masks": (lambda x, m: np.where(m, np.log(x), 0.0), [(X, X > 0.7)]),
    "rolled": (lambda x: np.roll(x, 1) - 2 * x + np.roll(x, -1), [(np.linspace(0, 1, 200),)]),
    "sorted": (dn.grad(lambda x: np.sum(np.sort(x) * np.arange(6.0))), [(X[::-1].copy(),)]),
    "not in one piece": (lambda x: np.exp(x) + 1, [(np.linspace(0, 1, 24).reshape(4, 6).T,)]),
    "empty": (lambda x: np.exp(x), [(np.empty((0, 3)),)]),
    "types": (lambda x: (x.astype(np.float32), np.result_type(x)), [(X,)]),
}

CHILD = """
import pickle, sys
import dualnum as dn
from dualnum.kernel.cpu import host
from dualnum.program import jit, trace
def refused(*args, **kwargs):
    raise AssertionError("traced or compiled")
host.compile_object = jit.trace = trace.trace = refused
results = {}
for path, calls in pickle.load(open(sys.argv[1], "rb")):
    program = dn.load_program(path)
    results[path] = [program(*args) for args in calls]
pickle.dump(results, open(sys.argv[2], "wb"))
"""


def in_a_process(code: str, *args: Any) -> None:
    env = os.environ | {"DUALNUM_CACHE": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, *map(str, args)], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def leaves(y: Any) -> list[Any]:
    if isinstance(y, dict):
        return [x for k in y for x in leaves(y[k])]
    return [x for part in y for x in leaves(part)] if isinstance(y, (list, tuple)) else [y]


@pytest.fixture(scope="module")
def results(tmp_path_factory: Any) -> dict[str, tuple[list[Any], list[Any]]]:
    """Of each case what the compiled function gives here, and what its file gives in another process."""
    where = tmp_path_factory.mktemp("programs")
    given, here = [], {}
    for i, (name, (f, calls)) in enumerate(CASES.items()):
        fast, path = dn.jit(f), str(where / f"{i}.dn")
        here[name] = [fast(*args) for args in calls], path
        for args in calls:
            fast(*args)
        assert not any(k.reason for k in fast._entries.values()), name
        fast.save(path)
        given.append((path, calls))
    (where / "calls").write_bytes(pickle.dumps(given))
    in_a_process(CHILD, where / "calls", where / "results")
    there = pickle.loads((where / "results").read_bytes())
    return {name: (mine, there[path]) for name, (mine, path) in here.items()}


@pytest.mark.parametrize("name", CASES)
def test_another_process_gives_the_same_bits(name: str, results: Any) -> None:
    for mine, theirs in zip(*results[name], strict=True):
        assert type(mine) is type(theirs)
        for a, b in zip(leaves(mine), leaves(theirs), strict=True):
            assert type(a) is type(b)
            if isinstance(a, dn.Jet):
                assert a.algebra is b.algebra
                a, b = a.coeffs, b.coeffs
            if isinstance(a, (np.ndarray, np.generic)):
                assert (a.shape, a.dtype) == (b.shape, b.dtype) and (a.strides == b.strides or not a.size)
                np.testing.assert_array_equal(a, b)
            else:
                assert a is b or a == b


def test_what_is_written_into_arguments(tmp_path: Path) -> None:
    def f(x: Any) -> Any:
        x[0] = 2 * x[1]
        return np.sum(x)

    path = tmp_path / "f.dn"
    x = np.arange(1.0, 4.0)
    dn.jit(f).save(path, x)
    np.testing.assert_array_equal(x, [1.0, 2.0, 3.0])  # saving calls nothing that is seen
    assert dn.load_program(path)(x) == 9.0
    np.testing.assert_array_equal(x, [4.0, 2.0, 3.0])


def test_static_arguments(tmp_path: Path) -> None:
    fast = dn.jit(lambda x, how: x**2 if how == "square" else x, static_argnums=1)
    fast.save(tmp_path / "f.dn", X, "square")
    program = dn.load_program(tmp_path / "f.dn")
    np.testing.assert_array_equal(program(X, "square"), X**2)
    with pytest.raises(InvalidType, match=r"there is no program for these arguments.*float64\[6\], 'square'"):
        program(X, "other")


def test_another_signature_says_what_is_there(tmp_path: Path) -> None:
    fast = dn.jit(np.sin)
    fast(X), fast(dn.jet(X, 2)), fast(0.5)
    fast.save(tmp_path / "sin.dn")
    program = dn.load_program(tmp_path / "sin.dn")
    for args in ((X[:-1],), (X.astype(np.float32),), (X, X), (dn.jet(X, 3),), (3,), ([0.5],)):
        with pytest.raises(InvalidType, match=r"sin: there is no program .* \(float64\[6\]; jet of order 2, .*float\)"):
            program(*args)
    with pytest.raises(InvalidType, match="there is no program"):
        dn.grad(lambda x: np.sum(program(x)))(X)


def test_a_way_that_was_not_saved(tmp_path: Path) -> None:
    fast = dn.jit(branching)
    fast(X)
    fast.save(tmp_path / "one.dn")
    program = dn.load_program(tmp_path / "one.dn")
    np.testing.assert_array_equal(program(X), fast(X))
    with pytest.raises(InvalidValue, match=r"a way that was not saved, .*test_saved_programs.py:\d+"):
        program(-X)
    np.testing.assert_array_equal(program(X), fast(X))


def test_points_that_ask_for_the_function(tmp_path: Path) -> None:
    dn.jit(np.linalg.inv).save(tmp_path / "inv.dn", A)
    program = dn.load_program(tmp_path / "inv.dn")
    np.testing.assert_array_equal(program(A), np.linalg.inv(A))
    with pytest.raises(InvalidValue, match="ask for the function itself"):
        program(np.zeros((6, 6)))


def test_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(InvalidType, match="nothing was compiled yet; call it first"):
        dn.jit(np.sin).save(tmp_path / "sin.dn")
    assert not (tmp_path / "sin.dn").exists()


def test_what_cannot_be_described(tmp_path: Path) -> None:
    def mine(row: Any) -> Any:
        return row[0]

    def f(x: Any) -> Any:
        return np.apply_along_axis(mine, 0, x)

    with pytest.raises(InvalidType, match=r"save: the function .* is called for an array .* cannot be written"):
        dn.jit(f).save(tmp_path / "f.dn", A)
    with pytest.raises(InvalidType, match=r"save: the function .*mine is part of the signature"):
        dn.jit(lambda g, x: g(x) * 2, static_argnums=0).save(tmp_path / "f.dn", mine, X)


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "sin.dn"
    dn.jit(np.sin).save(path, X)
    good = path.read_bytes()
    for bad in (good[:-1], good[:60], good[:100] + b"x" + good[101:], good + b" "):
        path.write_bytes(bad)
        with pytest.raises(InvalidValue, match="damaged"):
            dn.load_program(path)
    for bad, what in (
        (b"", "no program"),
        (b"PK\x03\x04", "no program"),
        (good.replace(b" 1\n", b" 0\n", 1), "another"),
    ):
        path.write_bytes(bad)
        with pytest.raises(InvalidValue, match=what):
            dn.load_program(path)
    with pytest.raises(FileNotFoundError):
        dn.load_program(tmp_path / "none.dn")


@pytest.mark.parametrize(("name", "other"), [("dualnum", "0.0.1"), ("NumPy", "1"), ("byte order", "middle")])
def test_other_versions(name: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = saved._versions()
    monkeypatch.setattr(saved, "_versions", lambda: versions | {name: other})
    dn.jit(np.sin).save(tmp_path / "sin.dn", X)
    monkeypatch.undo()
    with pytest.raises(InvalidValue, match=f"saved by {name} {other}, and this is {name} {versions[name]}; save it"):
        dn.load_program(tmp_path / "sin.dn")


@pytest.mark.skipif("llvm" not in available(), reason="llvmlite is not installed")
def test_another_processor_compiles_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dualnum.kernel.cpu import host

    gradient = dn.grad(pendulum)
    path, s = tmp_path / "f.dn", np.array([0.3, -1.2])
    dn.jit(gradient).save(path, s)
    expected = gradient(s)
    monkeypatch.setattr(host, "LESSER", "nehalem")
    compiled = []
    compile_object = host.compile_object
    monkeypatch.setattr(host, "compile_object", lambda text: compiled.append(text) or compile_object(text))
    monkeypatch.setenv("DUALNUM_CACHE", "0")
    np.testing.assert_allclose(dn.load_program(path)(s), expected, rtol=1e-12)
    assert compiled


@pytest.mark.parametrize("name", available())
def test_every_engine_runs_it(name: str, tmp_path: Path) -> None:
    gradient, x = dn.grad(rosenbrock), np.linspace(-1.0, 1.5, 100)
    dn.jit(gradient).save(tmp_path / "f.dn", x)
    with dn.engine(name):
        np.testing.assert_allclose(dn.load_program(tmp_path / "f.dn")(x), gradient(x), rtol=1e-12)


def test_functions_are_looked_up_in_few_places(tmp_path: Path) -> None:
    """A file that names anything else is refused, even where its hash fits."""
    path = tmp_path / "f.dn"
    dn.jit(np.linalg.inv).save(path, A)
    text = path.read_bytes()
    body = text[len(saved._MAGIC) + 32 :]
    size = 8 + int.from_bytes(body[:8], "little")
    for module, name in (("os", "system"), ("numpy", "load"), ("numpy.testing", "rundocs"), ("dualnum.cli", "main")):
        header = json.loads(body[8:size])
        changed = json.dumps(header).replace('"numpy.linalg", "inv"', f'"{module}", "{name}"').encode()
        assert changed != json.dumps(header).encode()
        new = len(changed).to_bytes(8, "little") + changed + body[size:]
        path.write_bytes(saved._MAGIC + saved._hash(new) + new)
        with pytest.raises(InvalidValue, match="is not looked up"):
            dn.load_program(path)(A)


def test_a_loaded_program_is_shown_and_copied(tmp_path: Path) -> None:
    dn.jit(dn.grad(rosenbrock)).save(tmp_path / "f.dn", X)
    program = dn.load_program(tmp_path / "f.dn")
    assert program.lower(X).programs and "1 kernel" in repr(program.explain(X))
    again = pickle.loads(pickle.dumps(program))
    np.testing.assert_array_equal(again(X), program(X))
    program.save(tmp_path / "g.dn")
    np.testing.assert_array_equal(dn.load_program(tmp_path / "g.dn")(X), program(X))
