"""The house stands: imports point down, nothing optional is imported unasked, every module is one thought."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import dualnum

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dualnum"

# From the ground up; what stands on one floor does not know each other. A folder is one name.
FLOORS = [
    {"errors", "kinds"},
    {"backend", "pictures"},
    {"algebra", "broadcasting", "collector", "containers", "counterparts", "devices", "memory", "series"},
    {"operand"},
    {"primitives"},
    {"formula", "functions", "kernel"},
    {"jets"},
    {"tape"},
    {"program"},
    {"special", "stats"},
    {"autograd", "linalg", "maps", "transforms"},
    {"nans", "optimize", "testing", "uncertainty"},
    {"interop"},
    {"cli"},
    {"__init__"},
    {"__main__"},
]
FLOOR = {name: i for i, floor in enumerate(FLOORS) for name in floor}

# imported when they are needed, never by `import dualnum`
OPTIONAL = ["attrs", "cupy", "dask", "jax", "llvmlite", "matplotlib", "pandas", "scipy", "torch", "xarray"]


def modules():
    """Every module of the package, by its path."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    """dualnum.primitives.table"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(name):
    """The floor's name of a module: the part of the package that it belongs to."""
    return name.split(".")[1] if "." in name else "__init__"


def imports(path):
    """(module, whether at import time) for every import of the package's own modules, those for types as well."""
    name = name_of(path)
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    names = {name_of(p) for p in modules()}

    def visit(node, at_import):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            base += f".{node.module}" if node.module else ""
            for alias in node.names:
                within = f"{base}.{alias.name}"
                yield (within if within in names else base), at_import
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            full = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for module in full:
                assert module.split(".")[0] != "dualnum", f"{path}: write the import of {module} as a relative one"
        here = at_import and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, here)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), True)


each = pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))


@each
def test_every_module_has_a_floor_and_imports_point_down(path):
    part = part_of(name_of(path))
    assert part in FLOOR, f"{part} is new: give it a floor in this test"
    for target, _ in imports(path):
        below = part_of(target)
        # __init__ holds the version too, which the floor above it reads
        assert below == part or FLOOR[below] < FLOOR[part], f"{name_of(path)} imports {target}, which is not below it"


def test_no_modules_import_each_other_in_a_circle():
    names = {name_of(p): p for p in modules()}
    # a package imports its modules, and they do not wait for it
    graph = {
        name: {t for t, at_import in imports(path) if at_import and t != name and not name.startswith(f"{t}.")}
        for name, path in names.items()
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle
    assert set(names) <= set(order)


@each
def test_only_the_backend_and_the_kernels_know_cupy(path):
    part = part_of(name_of(path))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(a.name.split(".")[0] in ("cupy", "cupyx") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("cupy", "cupyx"))
    ]
    assert not found or part in ("backend", "counterparts", "kernel"), f"CuPy is imported in line {found[0]}"


def test_nothing_optional_is_imported_unasked():
    """In a process of its own, at import and after a first jet."""
    program = (
        "import sys, dualnum, numpy as np; first = set(sys.modules); "
        "np.sin(dualnum.jet(0.5)); dualnum.derivative(np.exp)(1.0); "
        f"print([m for m in {OPTIONAL} if m in first], [m for m in {OPTIONAL} if m in sys.modules and m != 'llvmlite'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[] []", done.stdout + done.stderr


@each
def test_every_module_is_one_thought(path):
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring and docstring.splitlines()[0].endswith((".", ":")), "the docstring begins with a sentence"
    assert len(text.splitlines()) <= 400, "split it"


@each
def test_every_function_fits_on_a_page(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            documented = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
            lines = node.end_lineno - node.lineno + 1 - documented
            assert lines <= 60, f"{node.name} has {lines} lines without its docstring; split it"


@each
def test_a_folder_says_what_lives_there(path):
    if path.name == "__init__.py" and path.parent != PACKAGE:
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert len(said.splitlines()) >= 3, "what lives there, where to begin, and what it may import"


PUBLIC = [name for name in dualnum.__all__ if callable(getattr(dualnum, name))]


def test_all_says_what_there_is():
    assert len(set(dualnum.__all__)) == len(dualnum.__all__)
    assert dualnum.__all__ == sorted(dualnum.__all__)
    assert all(hasattr(dualnum, name) for name in dualnum.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented_with_an_example(name):
    thing = getattr(dualnum, name)
    docstring = inspect.getdoc(thing) or ""
    assert docstring.splitlines()[0].endswith((".", ":"))
    if not (isinstance(thing, type) and issubclass(thing, Exception)):
        assert ">>>" in docstring


@each
def test_what_a_module_exports_exists(path):
    if path.stem == "__main__":
        return
    module = importlib.import_module(name_of(path))
    missing = [name for name in getattr(module, "__all__", []) if not hasattr(module, name)]
    assert not missing
