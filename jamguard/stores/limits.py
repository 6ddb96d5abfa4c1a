"""Counting in any store that `limits` knows: Redis, Valkey, Memcached, MongoDB, memory.

The site stays up when the store does not: a hit that fails is counted in this process, and
the store is left alone for a few seconds.
"""

from contextlib import suppress
from math import ceil
from time import time
from typing import TYPE_CHECKING, Any, Final

from . import Count, Store
from .process import ProcessMarks, ProcessStore

if TYPE_CHECKING:
    from collections.abc import Callable

#: seconds that a store has to answer in, and that it is left alone after a failure
PATIENCE: Final = 0.25
PAUSE: Final = 5.0

REDIS: Final = ("redis", "valkey")


class LimitsStore:
    """Adapts a `limits` URI to the one operation `hit`.

    Raises `ValueError` when the URI is not understood or needs a package that is missing.
    """

    def __init__(self, uri: str) -> None:
        import limits  # noqa: PLC0415 - a tenth of a second for those who count in process
        import limits.strategies  # noqa: PLC0415

        options: dict[str, Any] = {}
        if uri.startswith(REDIS):
            options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        try:
            storage: Any = limits.storage.storage_from_string(uri, **options)
        except Exception as error:
            # the URI may hold a password, so it is not repeated
            raise ValueError(f"cannot be used as a store: {_without(uri, error)}") from error
        self._limiter: Any = limits.strategies.SlidingWindowCounterRateLimiter(storage)
        self._item = limits.RateLimitItemPerSecond
        self._fallback: Store = ProcessStore()
        #: is told, in a word, when the store cannot be reached
        self.lost: Callable[[str], None] | None = None
        self._away_until = 0.0
        self.marks = ProcessMarks()

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`."""
        if now < self._away_until:
            return self._fallback.hit(key, limit, period, now, weight)
        try:
            return self._hit(key, limit, period, weight)
        except Exception as error:  # noqa: BLE001 - the edge of a store: whatever its client raises
            self._away_until = now + PAUSE
            if self.lost:
                self.lost(type(error).__name__)
            return self._fallback.hit(key, limit, period, now, weight)

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        self._fallback.forget(key, limit, period)
        with suppress(Exception):  # it is away: what it counted outlives it
            self._limiter.clear(self._item(limit, period, namespace="jamguard"), key)

    def _hit(self, key: str, limit: int, period: int, weight: int) -> Count:
        item = self._item(limit, period, namespace="jamguard")
        if weight:
            passed = self._limiter.hit(item, key, cost=weight)
        else:
            passed = self._limiter.test(item, key)
        reset, remaining = self._limiter.get_window_stats(item, key)
        wait = max(1.0, ceil(reset - time()))  # `limits` reports wall time
        return (max(0, remaining) if passed else -1), wait


def _without(uri: str, error: Exception) -> str:
    return str(error).replace(uri, "the URI") if uri else str(error)
