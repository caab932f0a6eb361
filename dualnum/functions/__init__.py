"""Array functions by structure; importing a module here registers what it implements."""

from . import creation, products, reductions, shape, sorting

__all__ = ["creation", "products", "reductions", "shape", "sorting"]
