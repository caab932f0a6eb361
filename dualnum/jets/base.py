"""What a jet is to this folder: planes of an algebra on a level, and how others are made like it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..algebra import Algebra, unlike
from ..errors import InvalidValue
from ..kinds import Index, Value
from ..operand import Operand
from ..operand.constants import guarded
from ..operand.index import as_tuple
from ..operand.levels import Scope
from .planes import add_at, placed, readonly, stack_blocks

__all__ = ["Base"]


class Shared:
    """What all have in common that look at the same planes.

    Attributes:
        extent: see `Base`.
        readers: those that will read the planes as they are now, by weak references: jets that wait to be computed, and
            holds of records. A write computes the first and raises for the others.
    """

    __slots__ = ("extent", "readers")

    def __init__(self, extent: int) -> None:
        self.extent = extent
        self.readers: Sequence[Any] = ()


class Base(Operand):
    """The planes of a jet, on a level.

    Attributes:
        planes: the coefficients, stacked in the order of the algebra: an array, or an operand of a lower level.
        algebra: which coefficients there are.
        extent: of the planes that may be nonzero, see `algebra.polynomials`.
        scope: the level.
    """

    __slots__ = ("__weakref__", "_extent", "_pending", "_shared", "algebra", "planes", "scope")

    kind: ClassVar[Any]  # the type of jets
    algebra: Algebra
    planes: Any
    _extent: int
    _shared: Shared | None  # None as long as nobody else looks at the planes
    _pending: Any  # of those that wait: what they are to be computed from

    def _set(self, planes: Value, extent: int, algebra: Algebra, scope: Scope) -> Self:
        self.planes = planes
        self.algebra = algebra
        self.scope = scope
        self._extent = extent
        self._shared = None
        return self

    def _like(self, planes: Value, extent: int) -> Self:
        """A jet of this algebra and scope over other planes."""
        new: Self = object.__new__(self.kind)
        return new._set(planes, extent, self.algebra, self.scope)

    def _view(self, planes: Value) -> Self:
        """The same over a view of the planes: a write through one is known to the other."""
        shared = self._shared
        if shared is None:
            shared = self._shared = Shared(self._extent)
        view: Self = object.__new__(self.kind)
        view.planes, view.algebra, view.scope = planes, self.algebra, self.scope
        view._extent, view._shared = shared.extent, shared
        return view

    def _again(self, planes: Value, extent: int) -> Self:
        """This jet, over other planes."""
        jet = self._like(planes, extent)
        return jet._as_array() if self._is_array else jet

    # ── who else looks at the planes ─────────────────────────────────────────────────────────────

    @property
    def extent(self) -> int:
        """What of the planes may be nonzero."""
        return self._extent if self._shared is None else self._shared.extent

    def _share(self) -> Shared:
        if self._shared is None:
            self._shared = Shared(self._extent)
        return self._shared

    def _extend(self, extent: int) -> None:
        """Planes of this extent have been written."""
        extent = self.algebra.union(self.extent, extent)
        if extent != self.extent:
            self._extent = extent
            if self._shared is not None:
                self._shared.extent = extent

    def _read_by(self, reader: Any) -> None:
        """Remembers a weak reference to whoever will read the planes as they are now."""
        shared = self._share()
        shared.readers = [*(other for other in shared.readers if other() is not None), reader]

    def _before_a_write(self) -> None:
        """Computes what waits for these planes; raises where a record reads them again."""
        shared = self._shared
        while shared is not None and shared.readers:
            reader = shared.readers[-1]()
            if isinstance(reader, Base):
                reader.planes  # noqa: B018
            elif reader is not None and reader.holds:
                raise InvalidValue(
                    "x[…] = value: a recorded function has read x, and the reverse sweep will read it again; write to "
                    "a copy of it, or to a new jet"
                )
            shared.readers = shared.readers[:-1]

    def _snapshot(self) -> Any:
        if isinstance(self.planes, Operand):
            planes = self.planes._snapshot()
            return None if planes is None else self._again(planes, self.extent)
        return self._seen(self.planes)  # it is computed before a write

    def _readonly(self) -> Any:
        return self if isinstance(self.planes, Operand) else self._seen(readonly(self.planes))

    def _seen(self, planes: Value) -> Any:
        """This jet over a view of its planes."""
        jet = self._view(planes)
        return jet._as_array() if self._is_array else jet

    def _frozen(self) -> Any:
        if isinstance(self.planes, Operand):
            return self._again(self.planes._frozen(), self.extent)
        planes, hold = guarded(self.planes)
        if hold is not None:
            self._read_by(hold)
        return self._again(planes, self.extent)

    def _as_number(self) -> Any:
        return self._view(self.planes) if self._is_array else self

    def _postponed(self, row: Any, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
        """The primitive, to be computed later (see `waiting`); None where it must not wait."""
        return None

    # ── parts and planes ─────────────────────────────────────────────────────────────────────────

    @property
    def order(self) -> int:
        """K, the highest index kept."""
        return self.algebra.order

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return tuple(self.planes.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of all coefficients, real or complex."""
        dtype: np.dtype[Any] = self.planes.dtype
        return dtype

    @property
    def filled(self) -> int:
        """How many planes there are up to the last that may be nonzero."""
        return self.algebra.planes(self.extent)

    def _parts(self, ndim: int) -> list[Any]:
        """The homogeneous parts, for operands broadcast to `ndim` axes."""
        return self.algebra.parts(self.planes, self.extent, ndim)

    def _join(self, parts: Sequence[Any]) -> Any:
        """A jet from its homogeneous parts, as the recurrences give them."""
        first = parts[0]
        if first.dtype.kind not in "fc":
            return first
        algebra = self.algebra
        return self._like(stack_blocks(algebra.blocks(parts), algebra.size, first), algebra.reached(parts))

    def _is_mine(self, x: Value, name: str = "") -> bool:
        """Whether x is a jet of this level (else it is a constant here)."""
        if not (isinstance(x, Base) and x.scope is self.scope):
            return False
        if x.algebra is not self.algebra:
            message = unlike(self.algebra, x.algebra)
            raise InvalidValue(f"{name}: {message}") if name else ValueError(message)
        return True

    def _placed(self, index: Index, shape: tuple[int, ...]) -> Any:
        known = self.filled
        if isinstance(self.planes, Operand):
            inner = self.planes[:known]._placed((slice(None), *as_tuple(index)), (known, *shape))
            if inner is None:
                return None
            size = self.algebra.size
            blocks = [(inner[0], 1), (inner[1:], known - 1)][: min(known, 2)]
            return self._like(inner if known == size else stack_blocks(blocks, size, inner[0]), self.extent)
        at = (slice(known), *as_tuple(index))
        return self._like(placed(self.planes[:known], at, (self.algebra.size, *shape)), self.extent)

    def _add_at(self, index: Index, x: Value) -> bool:
        if not self._is_mine(x, "sum") or isinstance(self.planes, Operand) or isinstance(x.planes, Operand):
            return False
        self._before_a_write()
        known = x.filled
        add_at(self.planes, (slice(known), *as_tuple(index)), x.planes[:known])
        self._extend(x.extent)
        return True
