"""Passes over programs: each takes a program and gives back one that means the same within rounding.

Only relaxed operations are touched (those of the recurrences), and of the values small whole powers, always by the
same rule whatever the order, so that coefficient k does not depend on how many coefficients are wanted.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from .ir import CONST, FINAL, FMA, INPUT, KEPT, LOOP, REDUCE, Graph, Program, Symbol

__all__ = ["optimize"]

_LARGEST_POWER = 8  # by products the error stays below that of a vector pow


def optimize(program: Program) -> Program:
    """Powers by multiplication, reciprocals shared, products and sums fused."""
    if any(node.op == LOOP for node in program.nodes):
        nodes = [
            n._replace(extra=n.extra._replace(body=optimize(n.extra.body))) if n.op == LOOP else n
            for n in program.nodes
        ]
        program = replace(program, nodes=tuple(nodes))
    for pattern, ops in _PASSES:
        if any(node.op in ops for node in program.nodes):  # a pass over a long program takes its time
            program = _rewrite(program, pattern)
    return program


def _rewrite(program: Program, pattern: Any) -> Program:
    """The program written anew, each node by the pattern or, where that gives None, as it was."""
    graph = Graph(program.dtype)
    made: list[Symbol] = []
    for node in program.nodes:
        args = [made[a] for a in node.args]
        if node.op == CONST:
            made.append(graph.constant(node.extra))
        elif node.op == INPUT:
            made.append(graph.input(node.extra))
        elif node.op == REDUCE:
            made.append(graph.reduced(node.extra, args[0]))
        elif node.op == LOOP:
            made.append(graph.loop(node.extra, args))
        elif node.op in (FINAL, KEPT):
            made.append(graph.part(node.op, args[0], node.extra))
        else:
            new = pattern(graph, node, args)
            made.append(graph.node(node.op, *args, relaxed=node.relaxed) if new is None else new)
    alarm = None if program.alarm is None else made[program.alarm]
    return replace(graph.finish([made[i] for i in program.outputs], alarm), inputs=program.inputs)


def _multiply_out(graph: Graph, node: Any, args: list[Symbol]) -> Symbol | None:
    """Small whole powers, and the square root: also of a value, which a product gives no worse than libm."""
    if node.op not in (np.power, np.float_power) or args[1].constant is None:
        return None
    x, exponent = args[0], float(args[1].constant)
    if exponent == 0.5 and node.relaxed:
        return graph.node(np.sqrt, x, relaxed=True)
    if not exponent.is_integer() or not 1 <= abs(exponent) <= _LARGEST_POWER:
        return None
    n, result, square = int(abs(exponent)), graph.constant(1.0), x
    while n:
        if n & 1:
            result = graph.node(np.multiply, result, square, relaxed=False)
        n >>= 1
        if n:
            square = graph.node(np.multiply, square, square, relaxed=False)
    return result if exponent > 0 else graph.node(np.divide, graph.constant(1.0), result, relaxed=False)


def _share_reciprocals(graph: Graph, node: Any, args: list[Symbol]) -> Symbol | None:
    """a/b → a·(1/b): a recurrence divides again and again by the same number."""
    if not node.relaxed:
        return None
    if node.op is np.reciprocal or (node.op is np.divide and args[0].constant == 1):
        return graph.node(np.divide, graph.constant(1.0), args[-1], relaxed=False)
    if node.op is not np.divide:
        return None
    reciprocal = graph.node(np.divide, graph.constant(1.0), args[1], relaxed=False)
    return graph.node(np.multiply, args[0], reciprocal, relaxed=True)


def _fuse(graph: Graph, node: Any, args: list[Symbol]) -> Symbol | None:
    """s + a·b, s − a·b and a·b − s in one rounding."""
    if not node.relaxed or node.op not in (np.add, np.subtract):
        return None
    s, product = args
    if _is_product(graph, product):
        a, b = _factors(graph, product)
        if node.op is np.subtract:
            a = graph.node(np.negative, a, relaxed=True)
        return graph.node(FMA, a, b, s, relaxed=True)
    if _is_product(graph, s):
        a, b = _factors(graph, s)
        other = graph.node(np.negative, product, relaxed=True) if node.op is np.subtract else product
        return graph.node(FMA, a, b, other, relaxed=True)
    return None


def _is_product(graph: Graph, x: Symbol) -> bool:
    node = graph.nodes[x.index]
    return node.relaxed and (node.op is np.multiply or node.op is np.square)


def _factors(graph: Graph, x: Symbol) -> tuple[Symbol, Symbol]:
    node = graph.nodes[x.index]
    return Symbol(graph, node.args[0]), Symbol(graph, node.args[-1])


_PASSES = (
    (_multiply_out, {np.power, np.float_power}),
    (_share_reciprocals, {np.divide, np.reciprocal}),
    (_fuse, {np.add, np.subtract}),
)
