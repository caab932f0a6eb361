"""Public docstrings are complete: a sentence, arguments, shapes, result, errors, source and an example."""

import inspect
import re

import numpy as np
import pytest

import dualnum as dn
from dualnum.autograd import variable
from dualnum.jets.reading import Reading
from dualnum.program.explained import Lowered
from dualnum.program.jit import Jitted
from dualnum.transforms.custom import CustomDerivative

MODULES = [
    dn,
    dn.autograd,
    dn.functions,
    dn.interop,
    dn.linalg,
    dn.optimize,
    dn.primitives,
    dn.special,
    dn.stats,
    dn.testing,
]
THINGS = {f"{m.__name__}.{n}": getattr(m, n) for m in MODULES for n in m.__all__ if n not in ("__version__", "WAYS")}
THINGS = {n: x for n, x in THINGS.items() if not getattr(x, "__module__", "").startswith("numpy")}  # whose are NumPy's
THINGS |= {f"dualnum.{c.__name__}": c for c in (CustomDerivative, Jitted, Lowered)}
FUNCTIONS = {n: x for n, x in THINGS.items() if inspect.isfunction(x)}
CLASSES = {n: x for n, x in THINGS.items() if inspect.isclass(x) and not issubclass(x, Exception)}
# what a class defines itself; what it inherits is ndarray's
MEMBERS = {
    f"{c}.{name}": x
    for c, kind in CLASSES.items()
    for name, x in (vars(Reading) | vars(kind) if kind is dn.Jet else vars(kind)).items()
    if (name[0] != "_" or f"{c}.{name}" == "dualnum.Jet.__call__") and isinstance(x, (property, type(inspect.getdoc)))
}
METHODS = {n: x for n, x in MEMBERS.items() if inspect.isfunction(x) and not hasattr(np.ndarray, n.rpartition(".")[2])}
DOCS = {n: inspect.getdoc(x) or "" for n, x in (THINGS | MEMBERS).items()}
NO_ARRAYS = {"best_device", "engine", "nonsmooth", "checkpoint", "lookup", "rows"}
BY_PLACES = {"block_diag", "circulant", "companion", "hankel", "khatri_rao", "null_space", "orth", "toeplitz"}
SOURCED = {"Jet", "derivative", "taylor", "grad", "vjp", "hvp", "dual", "hyperdual", "jets"}
SOURCED |= {"compose", "convergence_radius", "fixed_point", "flow", "implicit", "inverse_map", "pade", "reversion"}
SOURCED |= {f"linalg.{name}" for name in set(dn.linalg.__all__) - {*BY_PLACES, *np.linalg.__all__}}


def full(name, seen=()):
    """A docstring and those that it refers to: "as for `grad`"."""
    text, scope = DOCS[name], name.rpartition(".")[0]
    for other in re.findall(r"(?:as for|made by) `([\w.]+)`", text, re.IGNORECASE):
        found = next(n for s in (scope, scope.rpartition(".")[0], "dualnum") if (n := f"{s}.{other}") in DOCS)
        text += "" if found in (name, *seen) else "\n" + full(found, (*seen, name))
    return text


def section(title, text):
    """All that stands below this title."""
    return "".join(re.findall(rf"^{title}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE))


def each(names):
    return pytest.mark.parametrize("name", sorted(names))


@each(DOCS)
def test_it_begins_with_a_sentence(name):
    assert re.match(r"\S.*\.$", DOCS[name].partition("\n")[0])


@each(FUNCTIONS | METHODS | CLASSES)
def test_every_parameter_is_named(name):
    text = section("Args", full(name)) if name in FUNCTIONS and "primitives" not in name else full(name)
    names = [] if "made by `" in DOCS[name] else inspect.signature(THINGS.get(name) or METHODS[name]).parameters
    assert [p for p in names if p != "self" and not re.search(rf"\b{p}\b", text, re.IGNORECASE)] == []


@each(FUNCTIONS | METHODS)
def test_the_result_is_described(name):
    """In a section of its own, but where one sentence says it, or the text of a method without arguments to explain."""
    text = full(name)
    nothing = "None" in str(inspect.signature((FUNCTIONS | METHODS)[name]).return_annotation)
    if not nothing and ("\nArgs:" in DOCS[name] or (name in FUNCTIONS and "\n" in DOCS[name])):
        assert section("Returns", text)
    if name in FUNCTIONS and name.rpartition(".")[2] not in NO_ARRAYS:
        assert re.search(r"\b(shapes?|types?)\b|\(m, n\)", text)


@each(FUNCTIONS | CLASSES)
def test_there_is_an_example(name):
    module = dn.primitives.__doc__ if "primitives" in name else ""  # one for all of them
    assert ">>> " in full(name) + module


@each(SOURCED)
def test_the_source_is_named(name):
    assert re.search(r"\b(18|19|20)\d\d\b", section("Source", full(f"dualnum.{name}")))


# each call raises what the docstring says
ONES, J, V = np.ones(2), dn.jet(np.array([0.5, 2.0]), 2), variable([0.5, 2.0])
F, H = np.prod(dn.jets(np.array([0.5, 2.0]), order=1, axis=0)), dn.hyperdual(0.5, 1.0, 2.0)
FAILING = """
derivative(np.sin, 1.5); derivative(np.sin, -1); derivative(np.sin, argnums=1)(0.5); derivative(lambda x: None)(0.5)
taylor(np.sin, 2, direction=1.0, directions=ONES); taylor(np.sin, "2"); directional(np.sin)(0.5)
directional(np.sin)(ONES, np.ones(3)); jvp(np.sin, 0.5, 2.0); jvp(np.sin, (0.5,), (2.0, 3.0))
vjp(np.sin); vjp(np.sin, "x"); vjp(np.sin, ONES)[1](np.ones(3)); grad(np.sin)(ONES); grad(lambda x: 3)(0.5)
grad(lambda x: 1j * x)(0.5); value_and_grad(np.sin)(ONES); value_and_grad(np.sin, has_aux=True)(0.5)
jacobian(np.sin, mode="x"); jacobian(np.sin)("x"); jacfwd(np.sin, 1)(0.5); jacrev(np.sin)("x"); hessian(np.sin)(ONES)
hessian(lambda x: None)(0.5); hvp(np.sum)(ONES); hvp(np.sum)(ONES, np.ones(3)); hvp(np.sin)(ONES, ONES)
vhp(np.sum)(ONES); vhp(np.sum)(ONES, np.ones(3)); laplacian(np.sum)(1j * ONES); laplacian(np.add, argnums=(0, 1))(1, 2)
jets("x"); jets(); jets(ONES, order=-1); jets(J); jets(ONES, axis=2); jets(0.5, 2.0, order=(1,))
jets(ONES, ONES, axis=0); jet("x"); jet(ONES, -1); jet(J); jet(0.5, device="x"); use_device("x")
dual("x"); dual(ONES, np.ones(3)); dual(J)
hyperdual("x"); hyperdual(ONES, np.ones(3)); hyperdual(J); F.coefficient(1); F.coefficient(2, 0); F.coefficient(y=1)
F.partial(0.5, 0); F.partial(0, 2); F.hessian(); F.tensor(2); F.tensor(0.5); F.degree(2); F.degree("x"); F.along(1.0)
F.along("x", 1.0); F.along(ONES, np.ones(3)); F.derivative(); F.eps(1); F.__call__(1.0); F.__call__(1.0, y=1.0)
H.eps(3); H.eps(1, 1); H.eps(0.5)
Jet("x"); Jet(0.5); Jet([J, J]); J.coefficient(3); J.derivative(1.5); J.derivative(-1); J.partial(1, 1)
J.__call__("x"); J.__call__(np.ones(3)); J.truncate(3); J.truncate(1.0); J.astype(int); J.astype(complex).astype(float)
J.to_device("x"); engine("x").__enter__(); nonsmooth("x").__enter__(); array([J, [J]]); array([J, "x"]); array([J], int)
checkpoint(3); grad(lambda x: checkpoint(lambda y: x * y)(x))(0.5); custom_derivative(3); custom_derivative(np.sin)(J)
jit(3); jit(lambda x: x, static_argnums=0)([1.0])
linalg.solve_triangular(ONES, J); linalg.solve_triangular([ONES, ONES], J, 3); linalg.cho_solve(([ONES], True), J)
linalg.expm(J); linalg.sqrtm(J); linalg.solve_sylvester(J, J, J); linalg.solve_continuous_lyapunov([[2.0]], J)
linalg.logm(J); linalg.logm(0.0 * dn.jet(np.eye(2))); linalg.sqrtm(0.0 * dn.jet(np.eye(2))); linalg.polar(J)
linalg.polar(J, "x"); linalg.polar(0.0 * dn.jet(np.eye(2))); linalg.signm(J); linalg.signm(0.0 * dn.jet(np.eye(2)))
linalg.fractional_matrix_power(J, 0.5); linalg.fractional_matrix_power(0.0 * dn.jet(np.eye(2)), 0.5)
linalg.cosm(J); linalg.sinm(J); linalg.tanm(J); linalg.coshm(J); linalg.sinhm(J); linalg.tanhm(J)
linalg.toeplitz(dn.jet(np.eye(2))); linalg.hankel(dn.jet(np.eye(2))); linalg.companion(0.5); linalg.companion(0.0 * J)
linalg.khatri_rao(J, J); linalg.solve_toeplitz(J, [1.0]); linalg.solve_toeplitz(0.0 * J, ONES)
linalg.matmul_toeplitz(J, [1.0]); linalg.solve_circulant(J, [1.0]); linalg.solve_circulant(J, J, "x")
linalg.solve_circulant(0.0 * J, J); linalg.solve_circulant(0.0 * J, J, "lstsq"); linalg.null_space(J); linalg.orth(J)
linalg.expm_frechet(J, 0.5); linalg.expm_frechet([[0.5]], J); linalg.solve_sylvester([[1.0]], [[-1.0]], [[2.0]])
linalg.solve_discrete_lyapunov(J, J); linalg.solve_continuous_are(J, J, J, J); linalg.solve_discrete_are(J, J, J, J)
linalg.block_diag(dn.jet([[[0.5]]])); autograd.variable("x"); autograd.variable([[1], 2]); autograd.variable(J)
autograd.grad(ONES, V); autograd.grad(V, V); autograd.Variable(2.0); V.backward(); V.numpy(); V.item()
testing.check_derivatives(np.sin, "x"); testing.check_derivatives(np.sin, 0.5, ways="x")
testing.check_grads(np.sin, 0.5); testing.check_grads(np.sin, (0.5,), modes="x")
compose(0.5, J); compose(J, 0.5); compose(F, (F,)); compose(F, dn.jets(ONES, order=2, axis=0)); compose(F, F, axis=2)
inverse_map(0.5); inverse_map(F); inverse_map((F, F)); inverse_map((F, 2 * F), ONES); reversion(0.5); reversion(F)
reversion(J**2 - J); pade(0.5, 1); pade(J, 0.5); pade(J, 2, 1); convergence_radius(0.5); convergence_radius(J)
implicit(np.subtract, "x", 0.5); implicit(np.subtract, 0.5, 2.0); implicit(lambda x, p: p, 0.5, 0.0)
implicit(np.subtract, 0.5, 0.5, axis=0); implicit(np.subtract, 0.5, J, order=1); fixed_point(np.subtract, J, 0.5)
fixed_point(lambda x, p: -x, 0.5, 2.0); fixed_point(lambda x, p: ONES, 0.5, 2.0)
flow(3, 0.5, [0, 1]); flow(np.add, 0.5, 1.0); flow(np.add, 0.5, [0, 1], steps=0.5); flow(np.add, "x", [0, 1])
flow(lambda t, y: ONES, 0.5, [0, 1]); taylor_step(np.add, 0.0, 0.5, 1.0, 0); taylor_step(np.add, 0.0, "x", 0.5)
"""


@pytest.mark.parametrize("call", re.split("; |\n", FAILING.strip()))
def test_errors_are_described(call):
    name = (
        re.match(r"[\w.]+", call)[0]
        .replace("J.", "Jet.")
        .replace("F.", "Jet.")
        .replace("H.", "Jet.")
        .replace("V.", "autograd.Variable.")
    )
    with pytest.raises(dn.DualnumError) as caught:
        eval(call, vars(dn) | {"np": np, "dn": dn, "ONES": ONES, "J": J, "V": V, "F": F, "H": H})
    kinds = [k.__name__ for k in type(caught.value).__mro__]
    described = section("Raises", full(f"dualnum.{name}"))
    assert any(re.search(rf"\b{kind}\b", described) for kind in kinds[: kinds.index("DualnumError")])
