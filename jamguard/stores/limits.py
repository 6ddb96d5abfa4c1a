"""Counting in any store that `limits` knows: Memcached, MongoDB, a cluster of Redis, memory.

What a hit comes to is found in two steps, so a number that is left may be older than the hit;
never more than the limit passes. `limits` keeps no marks, so these stay on the machine.
"""

from math import ceil
from time import monotonic, time
from typing import Any

from . import Count, Store
from .breaker import Breaker


class LimitsStore:
    """Adapts a `limits` URI to the one operation `hit`; `fallback` counts while it is away.

    Raises `ValueError` when the URI is not understood or needs a package that is missing.
    """

    def __init__(self, uri: str, fallback: Store) -> None:
        import limits  # noqa: PLC0415 - a tenth of a second for those who count in process
        import limits.strategies  # noqa: PLC0415

        try:
            storage: Any = limits.storage.storage_from_string(uri)
            self._limiter: Any = limits.strategies.SlidingWindowCounterRateLimiter(storage)
        except Exception:  # noqa: BLE001 - whatever the client finds wrong
            # there may be a password in the URI, so nothing that the client says is repeated
            raise ValueError(
                "cannot be used as a store: it is no URI that limits knows, such as "
                "memcached://192.0.2.9:11211, or the client library for it is missing"
            ) from None
        self._item = limits.RateLimitItemPerSecond
        self._fallback = fallback
        self.breaker = Breaker()
        self.marks = fallback.marks

    @property
    def away(self) -> bool:
        """Whether this machine counts alone for the moment."""
        return self.breaker.away

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`. The time is that of the store."""
        return self.breaker.ask(
            now,
            lambda: self._hit(key, limit, period, weight),
            lambda: self._fallback.hit(key, limit, period, now, weight),
        )

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        self._fallback.forget(key, limit, period)
        item = self._item(limit, period, namespace="jamguard")
        self.breaker.ask(monotonic(), lambda: self._limiter.clear(item, key), lambda: None)

    def _hit(self, key: str, limit: int, period: int, weight: int) -> Count:
        item = self._item(limit, period, namespace="jamguard")
        if weight:
            passed = self._limiter.hit(item, key, cost=weight)
        else:
            passed = self._limiter.test(item, key)
        reset, remaining = self._limiter.get_window_stats(item, key)
        wait = max(1.0, ceil(reset - time()))  # `limits` reports wall time
        return (max(0, remaining) if passed else -1), wait
