"""The shared file as a storage of `limits`, for those who use `limits` themselves.

Once this module is imported, `limits` and what is built on it (Flask-Limiter) understand
`jamguard+shared:///run/site/limits`: exact over all processes of a machine, with no server.
Both the fixed-window and the sliding-window-counter strategy are one operation of the store.

A key tells its limit and its period, as `limits` writes all its keys.
"""

from pathlib import Path
from time import monotonic, time
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from limits.limits import GRANULARITIES
from limits.storage import SlidingWindowCounterSupport, Storage

from ..values import MOST
from .mapped import SharedFileError
from .shared import shared_store

#: what a key begins with, so that jamguard's own guards may use the same file
PREFIX: Final = "limits|"


class SharedStorage(Storage, SlidingWindowCounterSupport):
    """Counts for `limits` in the file that the path of the URI names.

    Raises `SharedFileError` when it cannot be used.
    """

    STORAGE_SCHEME = ["jamguard+shared"]  # noqa: RUF012 - as `limits` has it

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:  # noqa: ANN401
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._store = shared_store(Path(unquote(urlsplit(uri).path)))

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may be raised."""
        return SharedFileError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` hits in this fixed window and return what it came to."""
        limit, _ = _read(key)
        left, _ = self._store.hit(_window(key, expiry), limit, expiry, monotonic(), amount)
        # what is refused is not counted: once more than the limit tells as much
        return limit - left if left >= 0 else limit + 1

    def get(self, key: str) -> int:
        """Return the hits in this fixed window."""
        limit, period = _read(key)
        return self._count(_window(key, period), limit, period)[0]

    def get_expiry(self, key: str) -> float:
        """Return when this fixed window is over, in wall time."""
        _, period = _read(key)
        return time() + period - monotonic() % period

    def clear(self, key: str) -> None:
        """Let this fixed window begin anew."""
        limit, period = _read(key)
        self._store.forget(_window(key, period), limit, period)

    def check(self) -> bool:
        """Return that the file can be used: it was opened."""
        return True

    def reset(self) -> None:
        """Refuse to forget everything: others count in the file as well."""
        raise NotImplementedError

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` hits, if they fit."""
        _read(key)
        return self._store.hit(PREFIX + key, limit, expiry, monotonic(), amount)[0] >= 0

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return no previous window, for it is weighed into this one, and this one."""
        limit, _ = _read(key)
        return 0, 0.0, *self._count(PREFIX + key, limit, expiry)

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Let the count begin anew."""
        limit, _ = _read(key)
        self._store.forget(PREFIX + key, limit, expiry)

    def _count(self, key: str, limit: int, period: int) -> tuple[int, float]:
        left, wait = self._store.hit(key, limit, period, monotonic(), 0)
        return limit - max(left, 0), wait


def _window(key: str, period: int) -> str:
    """Return the key of a fixed window: one of its own for each."""
    return f"{PREFIX}{key}|{monotonic() // period:.0f}"


def _read(key: str) -> tuple[int, int]:
    """Return the limit and the period in seconds that a key ends with."""
    amount, multiples, unit = key.rsplit("/", 3)[-3:]
    if int(amount) > MOST:
        raise ValueError(f"{amount} is more than this storage can count: at most {MOST}")
    return int(amount), int(multiples) * GRANULARITIES[unit].GRANULARITY.seconds
