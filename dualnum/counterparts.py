"""What stands on a device for ufuncs that CuPy does not find by their names.

CuPy's arrays answer a ufunc with what CuPy has by that name, or cupyx.scipy.special. Some have another name there, some
are a line of others, and many are functions of the header library xsf, the one that SciPy's are made of, which comes
with CuPy. What is left raises, and is never computed on the host.
"""

from collections.abc import Callable
from functools import cache, partial
from math import pi
from typing import Any, NamedTuple

import numpy as np

from .backend import cupy, is_array, namespace
from .errors import not_on_device

__all__ = ["KERNELS", "applied", "on_device"]


def applied(ufunc: Any, *args: Any) -> Any:
    """ufunc(*args), wherever arrays are."""
    plain = namespace(*args) is not np and all(is_array(x) or isinstance(x, (int, float, complex)) for x in args)
    return (on_device(ufunc) if plain else ufunc)(*args)


def on_device(ufunc: Any) -> Callable[..., Any]:
    """The function of CuPy's arrays that a ufunc stands for: the ufunc itself where CuPy knows it by its name."""
    return _counterpart(ufunc) if isinstance(ufunc, np.ufunc) else ufunc


@cache
def _counterpart(ufunc: np.ufunc) -> Callable[..., Any]:
    name: str = ufunc.__name__
    special = _special()
    renamed = getattr(special, _RENAMED.get(name, ""), None)
    if renamed is not None:
        return renamed  # type: ignore[no-any-return]
    composed = _COMPOSED.get(name)
    if composed is not None:
        return composed
    if name in KERNELS:
        return partial(_run, name, ufunc.nin, ufunc.nout)
    if callable(getattr(cupy(), name, None)) or callable(getattr(special, name, None)):
        return ufunc
    return partial(_missing, name)


def _special() -> Any:
    import cupyx.scipy.special as module

    return module


def _missing(name: str, *args: Any) -> Any:
    raise not_on_device(name.lstrip("_"), f"CuPy has no {name}")


# ── names, and lines of other functions ──────────────────────────────────────────────────────────

_RENAMED = {"_zeta": "zeta", "_lambertw": "lambertw"}


def _spacing(x: Any) -> Any:
    """The distance to the next number away from zero, with the sign of x."""
    size = np.abs(x)
    return np.copysign(np.nextafter(size, np.inf) - size, x)


def _powm1(x: Any, p: Any) -> Any:
    """x^p − 1; by the logarithm where the power is about 1."""
    exponent = p * np.log(x)
    return np.where(np.abs(exponent) < 0.5, np.expm1(exponent), np.power(x, p) - 1)


def _betaincc(a: Any, b: Any, x: Any) -> Any:
    return _special().betainc(b, a, 1 - x)


def _beta_pdf(x: Any, a: Any, b: Any) -> Any:
    """x^{a−1} (1−x)^{b−1}/B(a, b)."""
    special = _special()
    exponent = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
    return np.exp(exponent)


def _hankel(sign: complex, v: Any, x: Any) -> Any:
    return _run("jv", 2, 1, v, x) + sign * _run("yv", 2, 1, v, x)


_COMPOSED: dict[str, Callable[..., Any]] = {
    "spacing": _spacing, "powm1": _powm1, "betaincc": _betaincc, "_beta_pdf": _beta_pdf,
    "hankel1": partial(_hankel, 1j), "hankel2": partial(_hankel, -1j),
}  # fmt: skip


# ── kernels ──────────────────────────────────────────────────────────────────────────────────────


class _Kernel(NamedTuple):
    """Statements that set y0, y1, … from x0, x1, …, all of them of one type, and the header that they need."""

    text: str
    header: str = ""
    dtype: str = "float64"


def _of(call: str, header: str) -> _Kernel:
    return _Kernel(f"y0 = xsf::{call};", header)


def _polynomial(first: str, step: str, zeroth: str = "1", before: str = "") -> _Kernel:
    """A polynomial of whole degree x0: P_0, P_1, and P_{k+1} from q = P_k and p = P_{k−1}, for k = 1, 2, …"""
    return _Kernel(
        f"double p = {zeroth}, q = {first};"
        f"for (double k = 1; k < x0; ++k) {{ {before} const double r = {step}; p = q; q = r; }}"
        f"y0 = x0 == 0 ? {zeroth} : q;"
    )


_I = "xsf::cephes::iv(x0, x1)"
_IK = (
    "double first, second; const double v = fabs(x0);"
    "if (v > 50) xsf::cephes::detail::ikv_asymptotic_uniform(v, x1, &first, &second);"
    "else xsf::cephes::detail::ikv_temme(v, x1, &first, &second);"
    "y0 = x1 < 0 ? nan(\"\") : x1 == 0 ? 1 / x1 : second;"
)  # fmt: skip
# e^{−x} I_v of large x by Hankel's expansion (DLMF 10.40.1)
_SCALED_I = (
    "const double a = fabs(x1);"
    f"if (a < 500) y0 = {_I} * exp(-a);"
    "else { double term = 1, sum = 1; for (int k = 1; k < 40; ++k) {"
    "term *= -(4 * x0 * x0 - (2.0 * k - 1) * (2.0 * k - 1)) / (8 * k * a); sum += term;"
    "if (fabs(term) < 1e-17 * fabs(sum)) break; }"
    f"y0 = sum / sqrt({2 * pi} * a); if (x1 < 0) y0 = x0 != floor(x0) ? nan(\"\") : fmod(x0, 2.0) != 0 ? -y0 : y0; }}"
)  # fmt: skip
# ω + log ω = x by Fritsch, Shafer and Crowley (Comm. ACM 16, 1973), whose steps are of the fourth order
_OMEGA = (
    "double w = x0 > 1 ? x0 - log(x0) : exp(x0 < -1 ? x0 : 0.5 * (x0 - 1));"
    "if (w > 0 && w < 1e19) for (int k = 0; k < 4; ++k) {"
    "const double r = x0 - w - log(w), s = 2 * (1 + w) * (1 + w + 2 / 3.0 * r);"
    "w *= 1 + r / (1 + w) * (s - r) / (s - 2 * r); }"
    "y0 = x0 < -50 ? exp(x0) : x0 > 1e20 ? x0 : w;"
)
_FADDEEVA = (
    "const auto w = xsf::wofz(std::complex<double>(x0.real(), x0.imag()));y0 = complex<double>(w.real(), w.imag());"
)

KERNELS: dict[str, _Kernel] = {
    "ellipe": _of("cephes::ellpe(x0)", "cephes/ellpe"),
    "spence": _of("cephes::spence(x0)", "cephes/spence"),
    "erfi": _of("erfi(x0)", "erf"),
    "dawsn": _of("dawsn(x0)", "erf"),
    "wofz": _Kernel(_FADDEEVA, "erf", "complex128"),
    "fresnel": _Kernel("xsf::cephes::fresnl(x0, &y0, &y1);", "cephes/fresnl"),
    "ndtri_exp": _of("ndtri_exp(x0)", "ndtri_exp"),
    "wrightomega": _Kernel(_OMEGA),
    "voigt_profile": _of("voigt_profile(x0, x1, x2)", "erf"),
    "owens_t": _of("cephes::owens_t(x0, x1)", "cephes/owens_t"),
    "_igam_fac": _of("cephes::detail::igam_fac(x0, x1)", "cephes/igam"),
    "jv": _of("cephes::jv(x0, x1)", "cephes/jv"),
    "jve": _of("cephes::jv(x0, x1)", "cephes/jv"),
    "yv": _of("cephes::yv(x0, x1)", "cephes/yv"),
    "yve": _of("cephes::yv(x0, x1)", "cephes/yv"),
    "iv": _Kernel(f"y0 = {_I};", "cephes/scipy_iv"),
    "ive": _Kernel(_SCALED_I, "cephes/scipy_iv"),
    "kv": _Kernel(_IK, "cephes/scipy_iv"),
    "kn": _Kernel(_IK.replace("x0", "trunc(x0)"), "cephes/scipy_iv"),
    "kve": _Kernel(_IK + "y0 *= exp(x1);", "cephes/scipy_iv"),
    "airy": _Kernel("xsf::cephes::airy(x0, &y0, &y1, &y2, &y3);", "cephes/airy"),
    "eval_jacobi": _polynomial(
        "0.5 * (x1 - x2 + (x1 + x2 + 2) * x3)",
        "((c + 1) * ((c + 2) * c * x3 + x1 * x1 - x2 * x2) * q - 2 * (k + x1) * (k + x2) * (c + 2) * p)"
        " / (2 * (k + 1) * (k + x1 + x2 + 1) * c)",
        before="const double c = 2 * k + x1 + x2;",
    ),
    "eval_gegenbauer": _polynomial("2 * x1 * x2", "(2 * (k + x1) * x2 * q - (k + 2 * x1 - 1) * p) / (k + 1)"),
    "eval_genlaguerre": _polynomial("1 + x1 - x2", "((2 * k + 1 + x1 - x2) * q - (k + x1) * p) / (k + 1)"),
    "eval_laguerre": _polynomial("1 - x1", "((2 * k + 1 - x1) * q - k * p) / (k + 1)"),
    "eval_legendre": _polynomial("x1", "((2 * k + 1) * x1 * q - k * p) / (k + 1)"),
    "eval_sh_legendre": _polynomial("2 * x1 - 1", "((2 * k + 1) * (2 * x1 - 1) * q - k * p) / (k + 1)"),
    "eval_chebyt": _polynomial("x1", "2 * x1 * q - p"),
    "eval_chebyu": _polynomial("2 * x1", "2 * x1 * q - p"),
    "eval_chebys": _polynomial("x1", "x1 * q - p"),
    "eval_chebyc": _polynomial("x1", "x1 * q - p", zeroth="2"),
    "eval_sh_chebyt": _polynomial("2 * x1 - 1", "2 * (2 * x1 - 1) * q - p"),
    "eval_sh_chebyu": _polynomial("2 * (2 * x1 - 1)", "2 * (2 * x1 - 1) * q - p"),
    "eval_hermite": _polynomial("2 * x1", "2 * x1 * q - 2 * k * p"),
    "eval_hermitenorm": _polynomial("x1", "x1 * q - k * p"),
}  # fmt: skip

# what xsf takes for granted of the standard library, and NVRTC has not in that place
_XSF = """#include <cupy/xsf/config.h>
namespace std {{ __device__ inline double expm1(double x) {{ return ::expm1(x); }} }}
#include <cupy/xsf/{}.h>
"""


def _run(name: str, nin: int, nout: int, *args: Any) -> Any:
    """The kernel of this name, in double precision as SciPy has it, to the type of the arguments."""
    working = np.dtype(KERNELS[name].dtype)
    dtype = np.result_type(*args)
    if dtype.kind == "c" != working.kind:
        raise not_on_device(name, f"CuPy has no {name} of complex numbers")
    single = dtype in (np.float16, np.float32, np.complex64)
    given = [x.astype(working) if getattr(x, "dtype", working) != working else x for x in args]
    try:
        results = _compiled(name, nin, nout)(*given)
    except cupy().cuda.compiler.CompileException as error:
        raise not_on_device(name, "this CuPy comes with no kernel for it that compiles") from error
    results = results if nout > 1 else (results,)
    if single:
        results = tuple(y.astype(np.float32 if working.kind == "f" else np.complex64) for y in results)
    return results if nout > 1 else results[0]


@cache
def _compiled(name: str, nin: int, nout: int) -> Any:
    kernel = KERNELS[name]
    return cupy().ElementwiseKernel(
        ", ".join(f"{kernel.dtype} x{i}" for i in range(nin)),
        ", ".join(f"{kernel.dtype} y{i}" for i in range(nout)),
        kernel.text,
        f"dualnum_{name}",
        options=("-default-device",),  # some of xsf's functions do not say where they run
        preamble=_XSF.format(kernel.header) if kernel.header else "",
    )
