"""Levels: which derivative an operand belongs to, so that nested ones cannot be confused.

Every transform opens a `Scope`; its operands carry it. Scopes opened inside stand on higher levels.
An operation runs at the highest level among its operands, and operands of lower levels are constants
there, whatever they carry themselves. (Siskind & Pearlmutter, "Nesting forward-mode AD in a
functional framework", 2008, called the mistake that this avoids perturbation confusion.)

Jets that the user makes by hand (`jet(x)`) stand on the *ambient* scope of the innermost active
transform, above it and below the next: at the top of a program there is one ambient scope for good, and
so all jets made there share the variable t. Variables made by hand (`autograd.variable(x)`) stand on the
*recording* scope just below, so that a jet may have them as its coefficients.
"""

from contextvars import ContextVar
from typing import Any
from weakref import ref

from .errors import LevelError

__all__ = ["AMBIENT", "RECORDING", "Scope", "ambient", "open_scope", "recording", "require_alive", "same_scope"]


class Scope:
    """One derivative being taken: its level, its name for messages, and whether it is still open."""

    __slots__ = ("_ambient", "_held", "_recording", "alive", "level", "name", "outlived")

    def __init__(self, level: int, name: str) -> None:
        self.level = level
        self.name = name
        self.alive = True
        self._ambient: Scope | None = None
        self._recording: Scope | None = None
        self._held: list[ref[Any]] = []  # what is locked for its records (see `constants`)
        self.outlived = False  # whether its record is kept after it has ended

    def hold(self, lease: Any) -> None:
        """Something to release when this scope ends, whatever ends it, unless its record is kept."""
        if self is not RECORDING:
            self._held.append(ref(lease))

    @property
    def ambient(self) -> "Scope":
        """The scope of jets that are made by hand while this one is the innermost."""
        if self._ambient is None:
            self._ambient = Scope(self.level + 2, f"a jet made by hand inside {self.name}")
        return self._ambient

    @property
    def recording(self) -> "Scope":
        """The scope of variables that are made by hand while this one is the innermost."""
        if self._recording is None:
            self._recording = Scope(self.level + 1, f"a variable made by hand inside {self.name}")
        return self._recording

    def close(self) -> None:
        self.alive = False
        for scope in (self._ambient, self._recording):
            if scope is not None:
                scope.alive = False

    def release(self) -> None:
        held, self._held = self._held, []
        for lease in (r() for r in held):
            if lease is not None:
                lease.release()

    def __reduce__(self) -> tuple[object, ...]:
        if self is not AMBIENT:
            raise LevelError(f"an operand of {self.name} cannot be copied or pickled: it lives inside it only")
        return _the_ambient, ()

    def __deepcopy__(self, memo: object) -> "Scope":
        return self


RECORDING = Scope(1, "variables made by hand")
AMBIENT = Scope(2, "the ambient level")
_innermost: ContextVar[Scope | None] = ContextVar("innermost", default=None)


def _the_ambient() -> Scope:
    return AMBIENT


def ambient() -> Scope:
    """The scope on which a jet made by hand now stands."""
    scope = _innermost.get()
    return AMBIENT if scope is None else scope.ambient


def recording() -> Scope:
    """The scope on which a variable made by hand now stands."""
    scope = _innermost.get()
    return RECORDING if scope is None else scope.recording


class open_scope:
    """A new scope above all active ones, closed on the way out, by an exception as well."""

    __slots__ = ("_scope", "_token")

    def __init__(self, name: str) -> None:
        outer = _innermost.get()
        self._scope = Scope(3 if outer is None else outer.level + 3, name)

    def __enter__(self) -> Scope:
        self._token = _innermost.set(self._scope)
        return self._scope

    def __exit__(self, *exception: object) -> None:
        _innermost.reset(self._token)
        self._scope.close()
        if self._scope._held and (exception[0] is not None or not self._scope.outlived):
            self._scope.release()


def require_alive(scope: Scope) -> None:
    if not scope.alive:
        raise LevelError(
            f"an operand of {scope.name} is used after it ended; return it from the function "
            "that is differentiated instead of storing it outside"
        )


def same_scope(a: Scope, b: Scope) -> None:
    if a is not b:
        raise LevelError(
            f"operands of {a.name} and of {b.name} meet at one level; they are different variables: "
            "nest the transforms (call the inner one inside the outer one's function)"
        )
