"""The ufuncs of scipy.special that are left: what kind of function each is, and why it has no rule here.

Imported last: what another module of the package has a rule for is no longer left.

Functions of scipy.special that are no ufuncs call NumPy inside. softplus and sinc work so; softmax, log_softmax
and logsumexp begin with np.asarray, which raises on a jet (write them with np.exp, np.sum and np.max).
"""

import numpy as np
import scipy.special as sp

from ..table import rows, unsupported

_REASONS = {
    "it is a distribution function of a kind that dualnum has no derivative rule for": (
        "bdtr bdtrc chdtr chdtrc chndtr fdtr fdtrc gdtr gdtrc kolmogorov nbdtr nbdtrc ncfdtr nctdtr pdtr pdtrc "
        "smirnov tklmbda"
    ),
    "it is a quantile, or an inverse in a parameter, whose derivative needs one that is not to be had": (
        "bdtri bdtrik bdtrin btdtria btdtrib chdtri chdtriv chndtridf chndtrinc chndtrix fdtri "
        "fdtridfd gdtria gdtrib gdtrix kolmogi nbdtri nbdtrik nbdtrin ncfdtri ncfdtridfd "
        "ncfdtridfn ncfdtrinc nctdtridf nctdtrinc nctdtrit nrdtrimn nrdtrisd pdtri pdtrik smirnovi stdtridf "
    ),
    "it is an orthogonal polynomial; numpy.polynomial evaluates one by operations that have rules": (
        "eval_chebyc eval_chebys eval_chebyt eval_chebyu eval_gegenbauer eval_genlaguerre eval_hermite "
        "eval_hermitenorm eval_jacobi eval_laguerre eval_legendre eval_sh_chebyt eval_sh_chebyu eval_sh_jacobi "
        "eval_sh_legendre"
    ),
    "it is a Mathieu or spheroidal wave function, for which dualnum has no derivative rule": (
        "mathieu_a mathieu_b mathieu_cem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2 mathieu_sem "
        "obl_ang1 obl_ang1_cv obl_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv pro_cv pro_rad1 "
        "pro_rad1_cv pro_rad2 pro_rad2_cv"
    ),
}


def _left() -> set[np.ufunc]:
    known = {row.ufunc for row in rows()}
    public = (getattr(sp, name) for name in dir(sp))
    return {f for f in public if isinstance(f, np.ufunc) and f not in known}


for _reason, _names in _REASONS.items():
    unsupported(_reason, *(_left() & {getattr(sp, name, None) for name in _names.split()}))
unsupported("dualnum has no derivative rule for this function of scipy.special", *_left())
