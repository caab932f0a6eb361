"""Compiled traces in a file, and out of one: what runs is described (see `described`), machine code lies beside.

A file is a line that names the format, the hash of what follows, a header of JSON, and arrays and object code behind
it. Kernels are kept as programs, and their text is written anew where they are loaded: object code is taken for the
very text that it was compiled from, on a processor such as it was compiled for, and compiled where there is none.
"""

import json
import sys
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue
from ..kernel.cpu import store
from ..kernel.interpret import INTERPRETER
from ..kernel.ir import CONST, LOOP, Instruction, Loop, Program, Series, verify
from ..kernel.layout import Group
from ..kernel.plan import prepare, rendered
from ..kernel.target import Target
from .described import Reader, Undescribed, Writer
from .following import Guard
from .fused import Kernel, Output, Source
from .nodes import Applied, Node
from .pared import Pared
from .replay import Replay
from .signature import Static
from .variants import Variant

__all__ = ["Entry", "read", "write"]

_MAGIC = b"dualnum program 1\n"
_HASH = 32


class Entry:
    """What a file has for one signature.

    Attributes:
        described: the signature.
        variants: (machine) → its traces.
    """

    def __init__(self, described: Any, variants: Callable[[Target], list[Variant]]) -> None:
        self.described = described
        self.variants = variants


def write(path: Any, entries: Sequence[tuple[Any, Sequence[Variant]]], static: Any) -> None:
    """Writes the traces of some signatures to a file.

    Args:
        path: where to.
        entries: signatures, each with its traces.
        static: which arguments are taken as they are.
    """
    writer = Writer()
    codes: dict[str, bytes] = {}
    signatures = []
    for described, variants in entries:
        its = [_variant(writer, v, codes) for v in variants]
        try:
            signatures.append([writer.value(_open(described)), its])
        except Undescribed as what:
            raise InvalidType(f"save: {what} is part of the signature, and cannot be written to a file") from None
    arrays, blobs, place = [], [], 0
    for array in writer.arrays:
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        arrays.append([place, array.dtype.str, array.shape, order])
        blobs.append(array.tobytes(order))
        place += len(blobs[-1])
    code = {}
    for digest, c in codes.items():
        code[digest] = [place, len(c)]
        blobs.append(c)
        place += len(c)
    header = {"static": writer.value(static), "signatures": signatures, "arrays": arrays, "code": code, **_versions()}
    text = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join((len(text).to_bytes(8, "little"), text, *blobs))
    Path(path).write_bytes(_MAGIC + _hash(body) + body)


def read(path: Any) -> tuple[Any, list[Entry]]:
    """Which arguments are taken as they are, and what a file has for each signature.

    Raises:
        InvalidValue: it is none of dualnum's, damaged, or of other versions.
    """
    text = Path(path).read_bytes()
    kind = _MAGIC.rsplit(b" ", 1)[0]
    if not text.startswith(_MAGIC):
        what = "of another format" if text.startswith(kind) else "no program that was saved by jit(f).save(path)"
        raise InvalidValue(f"load_program: {path} is {what}; save it again with this version")
    body = text[len(_MAGIC) + _HASH :]
    if _hash(body) != text[len(_MAGIC) : len(_MAGIC) + _HASH]:
        raise InvalidValue(f"load_program: {path} is damaged; save it again, or copy it again")
    size = 8 + int.from_bytes(body[:8], "little")
    header = json.loads(body[8:size])
    for name, its in _versions().items():
        if header.get(name) != its:
            raise InvalidValue(
                f"load_program: {path} was saved by {name} {header.get(name)}, and this is {name} {its}; save it again"
            )
    blobs = memoryview(body)[size:]
    arrays = [_array(blobs, *each) for each in header["arrays"]]
    codes = {digest: bytes(blobs[place : place + length]) for digest, (place, length) in header["code"].items()}
    reader = Reader(arrays)
    entries = []
    for described, variants in header["signatures"]:

        def built(machine: Target, variants: Any = variants) -> list[Variant]:
            with store.offered(codes):
                return [_read_variant(Reader(arrays), v, machine) for v in variants]

        entries.append(Entry(_closed(reader.value(described)), built))
    return reader.value(header["static"]), entries


def _hash(body: bytes) -> bytes:
    from hashlib import sha256  # which loads a library of its own

    return sha256(body).digest()


def _versions() -> dict[str, str]:
    own = sys.modules[__package__.partition(".")[0]].__version__
    return {"dualnum": own, "NumPy": np.__version__.split(".")[0], "byte order": sys.byteorder}


def _array(blobs: Any, place: int, dtype: str, shape: Any, order: Any) -> Any:
    array = np.frombuffer(blobs, np.dtype(dtype), prod(shape), place) if prod(shape) else np.empty(0, np.dtype(dtype))
    return array.reshape(shape, order=order).copy(order)  # which lies as any array does


# ── signatures ───────────────────────────────────────────────────────────────────────────────────


def _open(described: Any) -> Any:
    """A signature, static arguments as they are."""
    structure, leaves = described
    if leaves is None:
        return structure, None
    return structure, tuple([("static", d[1].x) if d[0] == "static" else d for d in leaves])


def _closed(described: Any) -> Any:
    structure, leaves = described
    return structure, tuple([("static", Static(d[1])) if d[0] == "static" else d for d in leaves])


# ── traces ───────────────────────────────────────────────────────────────────────────────────────


def _variant(writer: Writer, variant: Variant, codes: dict[str, bytes]) -> Any:
    pared = variant.replay.pared
    if not pared.machine.looks:
        raise InvalidType("save: a program for arrays on a device cannot be saved; save that for NumPy's arrays")
    places: dict[int, int] = {}
    nodes = []
    for node in pared.nodes():
        nodes.append(_node(writer, node, places))
        places[node.number] = len(nodes) - 1

    def of(nodes: Sequence[Node]) -> list[int]:
        return [places[n.number] for n in nodes]

    steps = [
        _kernel(writer, s, places, codes, pared.machine) if isinstance(s, Kernel) else places[s.number]
        for s in pared.steps
    ]
    guards = [_guard(writer, g, places) for g in pared.guards]
    written = [[i, places[n.number]] for i, n in pared.written.items()]
    try:
        results = writer.value((variant.structure, variant.described))
    except Undescribed as what:
        raise InvalidType(f"save: {what} is among the results, and cannot be written to a file") from None
    return {
        "nodes": nodes, "steps": steps, "inputs": of(pared.inputs), "outputs": of(pared.outputs),
        "alarms": of(pared.alarms), "shaped": of(pared.shaped), "guards": guards, "written": written,
        "computed": [places[k] for k in pared.computed], "results": results,
    }  # fmt: skip


def _read_variant(reader: Reader, d: Any, machine: Target) -> Variant:
    nodes: list[Node] = []
    for each in d["nodes"]:
        nodes.append(_read_node(reader, each, nodes))

    def of(places: Sequence[int]) -> list[Node]:
        return [nodes[i] for i in places]

    steps: list[Any] = [nodes[s] if type(s) is int else _read_kernel(reader, s, nodes, machine) for s in d["steps"]]
    guards = [_read_guard(reader, g, nodes) for g in d["guards"]]
    pared = Pared(
        steps, of(d["inputs"]), of(d["outputs"]), of(d["alarms"]), guards, {i: nodes[k] for i, k in d["written"]},
        of(d["shaped"]), {nodes[k].number for k in d["computed"]}, set(), machine,
    )  # fmt: skip
    structure, described = reader.value(d["results"])
    return Variant(Replay(pared), structure, described, guards, measured=False)


def _node(writer: Writer, node: Node, places: dict[int, int]) -> Any:
    extra = node.extra
    op = node.op if isinstance(node.op, str) else ""
    try:
        if isinstance(extra, Applied):
            what = ["applied", writer.function(extra.function), writer.value(extra.args), writer.value(extra.kwargs)]
        elif op == "call" and extra is not None:
            what = ["calls", writer.function(extra)]
        else:
            what = ["extra", writer.value(extra)]
        kind = op or writer.function(node.op)
        shape = None if node.shape is None else list(map(int, node.shape))
        dtype = "object" if node.dtype == object else writer.value(node.dtype)
    except Undescribed as reason:
        kind = f"{np.dtype(node.dtype)}{list(node.shape or ())}"
        raise InvalidType(
            f"save: {reason} is called for an array {kind} of the program, and cannot be written to a file; write it "
            "with NumPy's functions, or pass what it holds as an argument"
        ) from None
    return [kind, [places[a.number] for a in node.args], shape, dtype, node.weak, what]


def _read_node(reader: Reader, d: Any, nodes: Sequence[Node]) -> Node:
    kind, args, shape, dtype, weak, what = d
    if what[0] == "applied":
        extra: Any = Applied(*map(reader.value, what[1:]))
    else:
        extra = reader.value(what[1])
    dtype = np.dtype(object) if dtype == "object" else reader.value(dtype)
    shape = None if shape is None else tuple(map(int, shape))
    op = kind if type(kind) is str else reader.value(kind)
    if op == "constant" and not weak and isinstance(extra, np.ndarray):
        extra.flags.writeable = False
    if op in ("entry", "rolled"):  # which are written into the text of a replay
        extra = int(extra) if op == "entry" else (int(extra[0]), int(extra[1]))
    return Node(op, tuple(nodes[i] for i in args), shape, dtype, extra, weak)


def _guard(writer: Writer, guard: Guard, places: dict[int, int]) -> Any:
    parts = [_guard(writer, g, places) for g in guard.parts if g is not guard]
    return [places[guard.node.number], writer.value(np.asarray(guard.known)), guard.place, parts]


def _read_guard(reader: Reader, d: Any, nodes: Sequence[Node]) -> Guard:
    place, value, line, parts = d
    value = reader.value(value)
    guard = Guard(
        nodes[place], value if value.shape else value[()], line, [_read_guard(reader, p, nodes) for p in parts]
    )
    guard.settled = True
    return guard


# ── kernels ──────────────────────────────────────────────────────────────────────────────────────


def _kernel(writer: Writer, k: Kernel, places: dict[int, int], codes: dict[str, bytes], machine: Target) -> Any:
    if k.plan.call is not None:
        codes.update(machine.object_code(rendered(k.program, k.groups, k.plan.counts, machine, not k.shape)))
    sources = [[places[s.node.number], s.layout, s.planes, s.ready, list(s.window)] for s in k.sources]
    outputs = [[places[o.node.number], o.planes, o.size, writer.value(o.reduced)] for o in k.outputs]
    return {
        "shape": list(k.shape), "dtype": writer.value(np.dtype(k.dtype)), "sources": sources, "outputs": outputs,
        "program": _program(writer, k.program), "groups": list(map(list, k.groups)), "counts": list(k.plan.counts),
    }  # fmt: skip


def _read_kernel(reader: Reader, d: Any, nodes: Sequence[Node], machine: Target) -> Kernel:
    dtype, shape = reader.value(d["dtype"]), tuple(map(int, d["shape"]))
    sources = [Source(nodes[i], layout, n, ready, tuple(window)) for i, layout, n, ready, window in d["sources"]]
    outputs = [Output(nodes[i], planes, size, reader.value(its)) for i, planes, size, its in d["outputs"]]
    program, groups = _read_program(reader, d["program"]), [Group(*g) for g in d["groups"]]
    target = machine if machine.computes(dtype) else machine.interpreter or INTERPRETER
    plan = prepare(program, groups, d["counts"], target, single=not shape)
    return Kernel(plan, shape, dtype, sources, outputs, program, groups)


def _program(writer: Writer, program: Program) -> Any:
    ops: dict[Any, int] = {}
    nodes = []
    for op, args, extra, relaxed, boolean in program.nodes:
        nodes.append([ops.setdefault(op, len(ops)), args, _extra(writer, op, extra), relaxed + 2 * boolean])
    names = [op if isinstance(op, str) else writer.function(op) for op in ops]
    return [names, nodes, program.inputs, program.outputs, writer.value(program.dtype), program.alarm]


def _extra(writer: Writer, op: Any, extra: Any) -> Any:
    if op == LOOP:
        series = [[s.kind, writer.value(s.source), s.first, s.step, s.beside] for s in extra.series]
        return [_program(writer, extra.body), extra.turns, extra.carried, extra.same, series]
    if op == CONST:
        return extra if isinstance(extra, bool) else float(extra).hex()
    return writer.value(extra)


def _read_program(reader: Reader, d: Any) -> Program:
    names, each, inputs, outputs, dtype, alarm = d
    ops = [name if type(name) is str else reader.value(name) for name in names]
    dtype = reader.value(dtype)
    nodes = []
    for op, args, extra, flags in each:
        its = _read_extra(reader, ops[op], extra, dtype)
        nodes.append(Instruction(ops[op], tuple(args), its, bool(flags & 1), bool(flags & 2)))
    program = Program(tuple(nodes), inputs, tuple(outputs), dtype, alarm)
    verify(program)
    return program


def _read_extra(reader: Reader, op: Any, extra: Any, dtype: Any) -> Any:
    if op == LOOP:
        body, turns, carried, same, series = extra
        its = [Series(k, reader.value(s), a, b, tuple(map(tuple, beside))) for k, s, a, b, beside in series]
        return Loop(_read_program(reader, body), turns, carried, same, tuple(its))
    if op == CONST:
        return extra if isinstance(extra, bool) else dtype.type(float.fromhex(extra))
    return reader.value(extra)
