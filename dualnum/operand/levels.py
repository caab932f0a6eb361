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
from weakref import WeakSet

from ..errors import LevelError

__all__ = [
    "AMBIENT", "RECORDING", "Scope", "ambient", "innermost", "open_scope", "recording", "require_alive", "same_scope",
]  # fmt: skip


class Scope:
    """One derivative being taken: its level, its name for messages, and whether it is still open.

    Attributes:
        root: the outermost one that is open.
        lasting: what it records is read after it ended.
        held: of the outermost one, what ends with it (see `constants`).
    """

    __slots__ = ("_ambient", "_held", "_recording", "alive", "lasting", "level", "name", "root")

    def __init__(self, level: int, name: str, outer: "Scope | None" = None, lasting: bool = False) -> None:
        self.level = level
        self.name = name
        self.alive = True
        self.root: Scope = self if outer is None else outer.root
        self.lasting: bool = lasting or (outer is not None and outer.lasting)
        self._held: WeakSet[Any] | None = None
        self._ambient: Scope | None = None
        self._recording: Scope | None = None

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

    @property
    def held(self) -> "WeakSet[Any]":
        if self._held is None:
            self._held = WeakSet()
        return self._held

    def close(self, error: BaseException | None = None) -> None:
        self.alive = False
        for hold in self._held or ():
            hold.release(error)
        for scope in (self._ambient, self._recording):
            if scope is not None:
                scope.alive = False

    def __reduce__(self) -> tuple[object, ...]:
        if self is not AMBIENT:
            raise LevelError(f"an operand of {self.name} cannot be copied or pickled: it lives inside it only")
        return _the_ambient, ()

    def __deepcopy__(self, memo: object) -> "Scope":
        return self


RECORDING = Scope(1, "variables made by hand")
AMBIENT = Scope(2, "the ambient level")
_innermost: ContextVar[Scope | None] = ContextVar("innermost", default=None)
innermost = _innermost.get


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

    def __init__(self, name: str, lasting: bool = False) -> None:
        outer = _innermost.get()
        self._scope = Scope(3 if outer is None else outer.level + 3, name, outer, lasting)

    def __enter__(self) -> Scope:
        self._token = _innermost.set(self._scope)
        return self._scope

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        _innermost.reset(self._token)
        self._scope.close(error)


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
