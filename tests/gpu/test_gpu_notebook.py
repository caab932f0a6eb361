"""The notebook on devices, on a device: its code in this process, at fewer points."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "08_gpu.ipynb"
SMALLER = {"1_000_000": "10_000", "repeats=20": "repeats=2", "1:-1:1000": "1:-1:10", "atol=1e-9": "atol=1e-5"}


def test_it_computes_on_the_device(cp: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for large, small in SMALLER.items():
        assert program.count(large) == 1 or large == "1:-1:1000"
        program = program.replace(large, small)
    exec(program, {})
    printed = capsys.readouterr().out
    assert "computing on cuda" in printed and "device='cuda:0'" in printed and "there is no GPU" not in printed
    assert "multiply: the operands are on cuda:0 and cpu" in printed
