"""A dictionary that cannot be made to grow."""

from typing import TypeVar

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
