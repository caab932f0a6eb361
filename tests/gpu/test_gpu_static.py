"""What kernels are made of on real cards: they compile for each, spill nothing and leave registers to others."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cards import LAYOUTS, Usage, compiled, jitted, kernels, listed, missing, usual

import dualnum as dn
from dualnum.kernel.cuda.text import Variant, render
from dualnum.primitives.table import lookup

special = pytest.importorskip("scipy.special")
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

CARDS = (80, 90, 100, 120)
ROWS = [np.add, np.multiply, np.divide, np.sqrt, np.exp, np.log, np.sin, np.tanh, np.arctan, np.hypot, special.erf]


def usages(ufunc: Any, order: int, dtype: Any, layout: str, card: int = 90) -> Iterator[tuple[Usage, bool]]:
    """What the kernels of a row take on a card, of which there is one at least, and whether it is a mend."""
    found = kernels(lookup(ufunc), order, dtype, layout)
    assert found
    for text, routine in found:
        yield compiled(text, card).usage, routine.guarded


@pytest.mark.parametrize("ufunc", ROWS)
def test_order_3(ufunc: Any) -> None:
    for dtype in (np.float64, np.float32):
        for usage, _ in usages(ufunc, 3, dtype, "contiguous"):
            assert usage.spilled == 0 and usage.registers <= 64


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("order", [1, 10])
def test_every_card(card: int, order: int) -> None:
    for ufunc in (np.divide, np.sin):
        for usage, _ in usages(ufunc, order, np.float64, "contiguous", card):
            assert usage.spilled == 0 and usage.registers <= (64 if order == 1 else 128)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str) -> None:
    for ufunc in (np.multiply, np.arctan2, *([special.j1] if layout != "with numbers" else [])):
        for usage, mend in usages(ufunc, 3, np.float64, layout):
            assert usage.spilled == 0 and usage.registers <= (80 if mend else 64)


def reference(x: Any) -> Any:
    return np.sin(x) * np.exp(-x * x) + np.log(1 + x * x) / (2 + np.cos(x))


def fused() -> Any:
    """Of the series of a function the kernel, without what follows for exponentials that overflow."""
    (found,) = (k for k in jitted(dn.taylor(reference, 3), np.linspace(0.1, 1.0, 7)) if not k[1].guarded)
    return found


def test_a_whole_function() -> None:
    """One kernel, whose instructions leave the memory to set the pace."""
    text, routine = fused()
    code = compiled(text, 90)
    assert code.usage.spilled == 0 and code.usage.registers <= 64
    if not (lines := listed(code)):
        pytest.skip("there is no nvdisasm (pip install nvidia-cuda-nvdisasm)")
    instructions, total = usual(lines, routine.outputs[0].planes)
    assert 200 < len(instructions) <= 341 < total
    assert [x.op for x in instructions].count("STG") == 4


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_windows_and_places_of_64_bits() -> None:
    found = jitted(dn.grad(rosenbrock), np.linspace(-1.0, 1.5, 9))
    assert any(group.layout == "w" for _, routine in found for group in routine.inputs)
    ((_, strided),) = kernels(lookup(np.multiply), 3, np.float64, "in three axes")
    for text in (*(text for text, _ in found), render(strided, Variant(3, True, "dd"))):
        usage = compiled(text, 90).usage
        assert usage.spilled == 0 and usage.registers <= 64


# ── what looks at kernels ────────────────────────────────────────────────────────────────────────


def test_spills_are_seen() -> None:
    text, _ = fused()
    assert compiled(text, 90, "--maxrregcount=32").usage.spilled > 0


def test_what_does_not_compile_says_why() -> None:
    with pytest.raises(RuntimeError, match="nothing"):
        compiled('extern "C" __global__ void kernel() { nothing; }', 90)


def test_the_usual_way() -> None:
    """Around calls, loops and the stores of alarms."""
    text = """\
.text.kernel:
        /*0000*/              @P0 EXIT ;
        /*0010*/                   LDG.E R0, desc[UR6][R2.64] ;
        /*0020*/              @!P1 BRA `(.L_x_2) ;
        /*0030*/                   CALL.REL.NOINC `($slow) ;
        /*0040*/                   BRA `(.L_x_2) ;
.L_x_2:
        /*0050*/              @!P3 BRA `(.L_x_4) ;
.L_x_1:
        /*0060*/                   IADD3 R1, R1, 0x1, RZ ;
        /*0070*/                   IADD3 R1, R1, 0x1, RZ ;
        /*0080*/              @P2 BRA `(.L_x_1) ;
.L_x_4:
        /*0090*/                   STG.E desc[UR6][R2.64], R0 ;
        /*00a0*/              @!P4 EXIT ;
        /*00b0*/                   STG.E desc[UR6][R4.64], R5 ;
        /*00c0*/                   EXIT ;
.L_x_3:
        /*00d0*/                   BRA `(.L_x_3);
        /*00e0*/                   NOP;
"""
    instructions, total = usual(text, 1)
    assert [x.op for x in instructions] == ["EXIT", "LDG", "BRA", "BRA", "STG", "EXIT"]
    assert total == 14
