"""What is worked out once and kept: a fact of an object, a dictionary that cannot grow."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

Fact = TypeVar("Fact")
Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(dict[Key, Value]):
    """A cache of at most `size` entries that starts afresh when it is full.

    A miss costs a microsecond or two, so a flood of distinct keys gains an attacker
    nothing, and there is no order to keep. Safe between threads: the worst that a race
    does is to forget.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def put(self, key: Key, value: Value) -> Value:
        """Remember `value` under `key` and return it."""
        if len(self) >= self._size:
            self.clear()
        self[key] = value
        return value


class lazy(Generic[Fact]):  # noqa: N801 - used as a decorator, like `property`
    """A fact that is worked out at its first use and then is a plain attribute.

    Like `functools.cached_property`, without the lock that one takes on Python 3.11.
    """

    def __init__(self, work_out: Callable[[Any], Fact]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__
        self._name = work_out.__name__

    @overload
    def __get__(self, request: None, owner: object) -> "lazy[Fact]": ...
    @overload
    def __get__(self, request: object, owner: object) -> Fact: ...
    def __get__(self, request: object, owner: object) -> "Fact | lazy[Fact]":
        if request is None:
            return self
        fact = self._work_out(request)
        # not by `__dict__`: asking for that makes every later look-up on the object slower
        setattr(request, self._name, fact)
        return fact

    if TYPE_CHECKING:
        # for the checkers alone: at run time a fact that a guard sets is a plain attribute
        def __set__(self, request: object, fact: Fact) -> None: ...
