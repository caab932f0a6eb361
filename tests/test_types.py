"""What a user's type checker makes of dualnum: right programs pass under mypy's strict rules, and typos are found."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
ROOT = Path(__file__).resolve().parents[1]

RIGHT = """
import numpy as np

import dualnum as dn
from dualnum import Jet, autograd, jet

x: Jet = jet(np.linspace(0.0, 1.0, 5), order=3)
y = np.exp(-(x**2)) * np.sin(x)
z = x * 2.0 + x / x - np.ones(5) ** x
print(y.value, x.value, x.coeffs, x.derivative(2), x.order, x.shape, x.dtype)
print(x.sum(), x.mean(axis=0), x.max(), x.reshape(5, 1), x.T, x[0], x[1:], len(x), abs(x), -x)
print(np.sum(x), np.where(x.value > 0, x, 0.0), np.concatenate([x, x]), np.linalg.norm(x), x @ np.ones(5), np.dot(x, x))
x[0] = 3.0
gradient = dn.grad(lambda v: np.sum(v**2))(np.ones(3))
fast = dn.jit(dn.value_and_grad(lambda v: np.sum(np.sin(v))))
print(gradient, fast(np.ones(3)), dn.hessian(np.sum)(np.ones(2)))
v = autograd.variable([1.0, 2.0], requires_grad=True)
loss = (v**2).sum()
loss.backward()
print(v.grad, v.requires_grad)
"""

WRONG = """
import dualnum as dn

x = dn.jet(0.5)
print(x.valeu)
print(x.derivatve(2))
v = dn.autograd.variable(1.0)
v.bakward()
n: int = "what comes after is looked at as well"
"""


def checked(program: str, path: Path) -> str:
    """What mypy says of a program."""
    file = path / "program.py"
    file.write_text(program, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--cache-dir",
        str(path / "cache"),
        str(file),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for both."""
    return tmp_path_factory.mktemp("types")


def test_a_right_program_passes(folder: Path) -> None:
    assert checked(RIGHT, folder) == ""


def test_typos_are_found(folder: Path) -> None:
    said = checked(WRONG, folder)
    for what in ('no attribute "valeu"', 'no attribute "derivatve"', 'no attribute "bakward"', "Incompatible types"):
        assert what in said
    assert said.count("error:") == 4
