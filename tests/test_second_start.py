"""A second process finds all object code on disk: it traces, and compiles nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dualnum.kernel.engine import available

PROGRAMS = """
import sys
import numpy as np
import dualnum as dn
from dualnum.kernel.cpu import host

def kepler(s):
    for _ in range(30):
        r = (s[0] ** 2 + s[1] ** 2) ** 1.5
        s = s + 0.01 * np.stack([s[2], s[3], -s[0] / r, -s[1] / r])
    return s[0] * s[1]

def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

W = np.random.default_rng(0).normal(size=(8, 5))

def network(p):
    return np.sum(np.tanh(W @ np.tanh(p)) ** 2)

def heat(u):
    for _ in range(5):
        u = u + 0.1 * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return np.sum(u**2)

s, x, v = np.array([1.0, 0.0, 0.1, 0.9]), np.linspace(-1, 1, 100), np.linspace(1, 2, 100)
CALLS = {
    "value of a loop": lambda: dn.jit(kepler)(s),
    "gradient of a loop": lambda: dn.jit(dn.grad(kepler))(s),
    "Jacobian of a loop": lambda: dn.jit(dn.jacfwd(kepler))(s),
    "Hessian of a loop": lambda: dn.jit(dn.hessian(kepler))(s),
    "gradient": lambda: dn.jit(dn.grad(rosenbrock))(x),
    "product": lambda: dn.jit(lambda x: dn.hvp(rosenbrock)(x, v))(x),
    "network": lambda: dn.jit(dn.grad(network))(x[:5]),
    "stencil": lambda: dn.jit(dn.grad(heat))(np.linspace(0, 1, 1000)),
    "single precision": lambda: dn.jit(dn.grad(rosenbrock))(x.astype(np.float32)),
    "jets": lambda: np.exp(dn.jet(x, 4)) / (1 + dn.jet(x, 4) ** 2),
}
compile_object, count = host.compile_object, 0
def counted(text):
    global count
    count += 1
    return compile_object(text)
host.compile_object = counted
for name, call in CALLS.items():
    before = count
    call()
    print(name, count - before)
"""


@pytest.mark.skipif("llvm" not in available(), reason="llvmlite is not installed")
def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    env = os.environ | {"DUALNUM_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    env.pop("DUALNUM_CACHE", None)
    found = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", PROGRAMS], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append({line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()})
    assert all(found[0].values()), found[0]
    assert not any(found[1].values()), found[1]
