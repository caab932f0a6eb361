"""What the kernels for CUDA devices are made of on real cards, without one.

    python benchmarks/gpu_static.py [--full] [--cards 80 90 …]

The kernels are compiled by NVRTC, as CuPy compiles them, for each card; it says how many registers they take and
spill, and nvdisasm lists their instructions (wheels: nvidia-cuda-nvrtc-cu12, nvidia-cuda-nvdisasm). First what `jit`
makes of the Taylor series of one function, then every row of the table of primitives: orders, types and layouts.

Instructions are counted on the usual way through a kernel, which calls no slow path (see `cards.usual`): an upper
bound, since branches that a function of CUDA's seldom takes are counted where they are the longer. The time of an
element is modelled as the longest of four that overlap, on an H100 with all multiprocessors busy:

    memory        bytes an element, at 90 % of what its memory can do
    issue         instructions, 4 of a warp in a cycle
    FP64          those of float64, 64 lanes
    special       reciprocals, roots and conversions, 16 lanes

and the share of the copy's speed is the first over the longest.
"""

import argparse
import itertools
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dualnum as dn
from dualnum.kernel.ir import INPUT
from dualnum.kernel.layout import Routine
from dualnum.primitives import rows

sys.path.append(str(Path(__file__).parents[1] / "tests" / "gpu"))
import cards

CARDS = (80, 90, 100, 120)
ORDERS = (3, 1, 5, 10)
TYPES = ("float64", "float32")

# an H100 SXM5
_MULTIPROCESSORS, _CLOCK, _MEMORY = 132, 1.755e9, 0.9 * 3.35e12
_FP64 = {"DADD", "DMUL", "DFMA", "DSETP", "DMNMX"}
_SPECIAL = {"MUFU", "F2I", "I2F", "F2F", "FRND"}


class Made(NamedTuple):
    """A kernel on a card; of the instructions nothing where there is no nvdisasm."""

    name: str
    usage: cards.Usage
    bytes: int
    usual: Sequence[cards.Instruction]
    total: int

    @property
    def times(self) -> dict[str, float]:
        """Picoseconds an element."""
        lanes = 1e-12 * _MULTIPROCESSORS * _CLOCK
        return {
            "memory": self.bytes / _MEMORY * 1e12,
            "issue": len(self.usual) / (128 * lanes),
            "FP64": self.count(_FP64) / (64 * lanes),
            "special": self.count(_SPECIAL) / (16 * lanes),
        }

    @property
    def share(self) -> float:
        """Of the speed of a copy."""
        return self.times["memory"] / max(self.times.values())

    def count(self, ops: set[str]) -> int:
        return sum(x.op in ops for x in self.usual)


def made(name: str, text: str, routine: Routine, card: int, looked_into: bool = True) -> Made:
    code = cards.compiled(text, card)
    program, written = routine.program, sum(group.planes for group in routine.outputs)
    numbers = [group.layout == "s" for group in routine.inputs for _ in range(group.planes)]
    read = sum(node.op == INPUT and not numbers[node.extra] for node in program.nodes)
    listed = cards.listed(code) if looked_into else ""
    usual, total = cards.usual(listed, written) if listed else ([], 0)
    return Made(name, code.usage, (read + written) * program.dtype.itemsize, usual, total)


# ── one function ─────────────────────────────────────────────────────────────────────────────────


def reference(x: Any) -> Any:
    """The function of the design note."""
    return np.sin(x) * np.exp(-x * x) + np.log(1 + x * x) / (2 + np.cos(x))


def show_reference(chosen: Sequence[int]) -> None:
    print(
        "The Taylor series of sin x·exp(−x²) + log(1 + x²)/(2 + cos x), as jit makes it: one kernel, and a mend after"
    )
    print("it for exponentials that overflow. Times in ps an element by the model of an H100 (on sm_90).\n")
    print(
        f"{'type':<8}{'order':>6}{'card':>8}{'registers':>10}{'spilled':>8}{'instructions':>13}{'in all':>7}{'FP64':>6}"
        f"{'bytes':>6}   {'memory':>7}{'issue':>7}{'FP64':>7}{'special':>8}   share of copy"
    )
    for dtype in TYPES:
        for order in sorted(ORDERS):
            kernels = cards.jitted(dn.taylor(reference, order), np.linspace(0.1, 1.0, 7).astype(dtype))
            (kernel,) = (k for k in kernels if not k[1].guarded)
            for card in chosen:
                m = made("reference", *kernel, card)
                modelled = ""
                if card == 90 and m.usual:
                    times = "".join(f"{t:>{7 if k != 'special' else 8}.1f}" for k, t in m.times.items())
                    modelled = f"   {times}   {m.share:>13.0%}"
                print(
                    f"{dtype:<8}{order:>6}{f'sm_{card}':>8}{m.usage.registers:>10}{m.usage.spilled:>8}"
                    f"{len(m.usual):>13}{m.total:>7}{m.count(_FP64):>6}{m.bytes:>6}{modelled}",
                    flush=True,
                )


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def show_rows(full: bool, chosen: Sequence[int]) -> None:
    """A line for each layout, order, type and card, then those kernels that spill or take more than 64 registers."""
    print("\nEvery row of the table of primitives that has a program: its kernels and mends.")
    print("Without --full: all orders on sm_90, other cards and layouts at order 3.\n")
    print(
        f"{'layout':<15}{'type':<8}{'order':>6}{'card':>8}{'kernels':>8}   registers: {'median':>6}{'most':>5}"
        f"   {'spilled':>8}   instructions: {'median':>6}{'most':>6}   {'share of copy: median':>21}{'least':>7}"
    )
    notable: list[str] = []
    found: dict[Any, list[Made]] = {}
    for (layout, order, dtype), over in itertools.groupby(_plan(full, chosen), lambda one: one[:3]):
        kernels = list(_kernels(order, dtype, layout))
        for *_, card in over:
            looked_into = card == 90 and layout == "contiguous"
            all_made = [made(name, text, routine, card, looked_into) for name, text, routine in kernels]
            found[layout, order, dtype, card] = all_made
            _line(layout, order, dtype, card, all_made)
            notable += _notable(layout, order, dtype, card, all_made)
    print("\nSpilled, or more than 64 registers at order 3 of float64:")
    print("\n".join(notable) if notable else "  none")
    if eager := found.get(("contiguous", 3, "float64", 90)):
        _eager(eager)


def _plan(full: bool, chosen: Sequence[int]) -> Iterator[tuple[str, int, str, int]]:
    """Layouts, orders, types and cards."""
    for layout in cards.LAYOUTS:
        for dtype in TYPES:
            for order in ORDERS:
                for card in chosen:
                    several = (card != 90) + (layout != "contiguous") + (dtype != "float64")
                    if full or several == 0 or (order == 3 and several == 1) or (card == 90 and layout == "contiguous"):
                        yield layout, order, dtype, card


def _kernels(order: int, dtype: str, layout: str) -> Any:
    for row in rows():
        if row.rule is not None:
            for k, (text, routine) in enumerate(cards.kernels(row, order, dtype, layout)):
                yield row.name + (" (mend)" if k else ""), text, routine


def _line(layout: str, order: int, dtype: str, card: int, all_made: Sequence[Made]) -> None:
    registers = [m.usage.registers for m in all_made]
    counted = [m for m in all_made if m.usual]
    text = (
        f"{layout:<15}{dtype:<8}{order:>6}{f'sm_{card}':>8}{len(all_made):>8}              "
        f"{statistics.median(registers):>6.0f}{max(registers):>5}"
        f"   {sum(m.usage.spilled > 0 for m in all_made):>8}"
    )
    if counted:
        lengths, shares = [len(m.usual) for m in counted], [m.share for m in counted]
        text += f"                 {statistics.median(lengths):>6.0f}{max(lengths):>6}"
        text += f"   {statistics.median(shares):>21.0%}{min(shares):>7.0%}"
    print(text, flush=True)


def _notable(layout: str, order: int, dtype: str, card: int, all_made: Sequence[Made]) -> list[str]:
    return [
        f"  {m.name}, {layout}, order {order}, {dtype}, sm_{card}: {m.usage.registers} registers,"
        f" {m.usage.spilled} bytes spilled"
        for m in all_made
        if m.usage.spilled or (order == 3 and dtype == "float64" and m.usage.registers > 64)
    ]


def _eager(all_made: Sequence[Made]) -> None:
    """Some rows one by one, and those that memory does not bound."""
    shown = ("add", "multiply", "divide", "sqrt", "exp", "log", "sin", "tanh", "arctan", "power", "erf", "hypot")
    print("\nSome rows at order 3, float64, sm_90")
    print(f"{'row':<16}{'registers':>10}{'instructions':>13}{'bytes':>6}{'share of copy':>14}")
    for m in all_made:
        if m.name in shown or (m.usual and m.share < 0.95):
            print(f"{m.name:<16}{m.usage.registers:>10}{len(m.usual):>13}{m.bytes:>6}{m.share:>14.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="every layout and order on every card (an hour)")
    parser.add_argument("--cards", type=int, nargs="*", default=CARDS, help="compute capabilities, without the point")
    options = parser.parse_args()
    if missing := cards.missing():
        sys.exit(f"gpu_static: {missing}")
    try:  # rows of special functions are there once it is
        import scipy.special  # noqa: F401
    except ImportError:
        pass
    start = time.perf_counter()
    show_reference(options.cards)
    show_rows(options.full, options.cards)
    print(f"\nNVRTC {cards.version()}, {platform.python_version()}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
