def text(x):
    return f"Jet({x.coeffs!r})"
