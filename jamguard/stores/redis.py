"""Counting on several machines: in Redis, or in Valkey, which speaks the same protocol.

Each operation is one script, so one round trip and atomic, by the clock of Redis. Whoever
names the same database and the same `key_prefix` in the URI meets there. Every key has a
lifetime.

The site stays up when Redis does not: `Breaker` asks once and then leaves it alone for a
while, and meanwhile the machine counts in its own store. What was marked in that time is
told to Redis when it is back.
"""

import json
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from ..cache import Bounded
from . import MOST_MARKS, Count, Kind, Mark, Store
from .breaker import Breaker
from .scripts import ALL, COUNT, GET, LOG, PUT, REMOVE

if TYPE_CHECKING:
    from collections.abc import Callable

#: schemes as `limits` has them -> as the client has them
SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "redis+unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
    "valkey+unix": "unix",
}
#: what the names of all keys begin with, unless the URI says otherwise
PREFIX: Final = "jamguard"

#: seconds for a connection, and for an answer: a request asks for several. The system counts
#: them, so time that this process is busy is none of it
CONNECT_SECONDS: Final = 0.15
ANSWER_SECONDS: Final = 0.1
#: a connection for each thread that asks at the same time
CONNECTIONS: Final = 1024

#: limits up to which every hit is kept
FEW: Final = 14

#: kinds that are asked for at each request, and seconds for which an answer is believed
OFTEN: Final = frozenset({"banned", "ended"})
BELIEVED: Final = 1.0
#: marks that a process keeps to tell Redis when it is back, and how many it tells at a time
MOST_OWED: Final = 4096
SOME: Final = 5


class RedisStore:
    """Counts in the Redis that `uri` names; in `fallback` while it is away.

    Nothing is asked before the first hit. Raises `ValueError` when the URI is not understood
    or the client library is missing.
    """

    def __init__(self, uri: str, fallback: Store) -> None:
        self._client, self._prefix = connect(uri)
        self._count: Any = self._client.register_script(COUNT)
        self._log: Any = self._client.register_script(LOG)
        self._fallback = fallback
        self.breaker = Breaker()
        self.marks = RedisMarks(self._client, self._prefix, self.breaker, fallback)

    @property
    def away(self) -> bool:
        """Whether this machine counts alone for the moment."""
        return self.breaker.away

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`. The time is that of Redis."""
        script = self._log if limit <= FEW else self._count

        def store() -> Count:
            left, wait = script([self._name(key, limit, period)], (limit, period, weight))
            return left, wait / 1_000_000

        def instead() -> Count:
            return self._fallback.hit(key, limit, period, now, weight)

        return self.breaker.ask(now, store, instead)

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        self._fallback.forget(key, limit, period)
        name = self._name(key, limit, period)
        self.breaker.ask(monotonic(), lambda: self._client.delete(name), lambda: None)

    def _name(self, key: str, limit: int, period: int) -> bytes:
        return encoded(f"{self._prefix}:{'log' if limit <= FEW else 'count'}:{period}:{key}")


class RedisMarks:
    """Marks as keys that expire, and for each kind a list of them; see `Marks`.

    What is marked here is also kept by the machine's own store, for the time in which Redis
    is away.
    """

    def __init__(self, client: Any, prefix: str, breaker: Breaker, fallback: Store) -> None:  # noqa: ANN401 - has no types
        self._put, self._get, self._remove, self._all = (
            client.register_script(script) for script in (PUT, GET, REMOVE, ALL)
        )
        self._prefix = prefix
        self._breaker = breaker
        self._fallback = fallback.marks
        #: what was asked -> when, and the answer
        self._believed: Bounded[tuple[Kind, str], tuple[float, Mark | None]] = Bounded(4096)
        #: marks that Redis does not have yet
        self._owed: dict[tuple[Kind, str], Callable[[float], None]] = {}

    def put(
        self,
        kind: Kind,
        key: str,
        now: float,
        seconds: float,
        *,
        times: int = 1,
        keep: float = 0.0,
        why: str = "",
    ) -> None:
        """Mark `key`; see `Marks`."""
        self._fallback.put(kind, key, now, seconds, times=times, keep=keep, why=why)
        self._believed.pop((kind, key), None)

        value = json.dumps([keep, times, why])
        marks, name, member = self._names(kind, key)

        def tell(later: float) -> None:
            life = ceil(1000 * (seconds + keep - (later - now)))
            args = member, life, value, MOST_MARKS[kind], marks + b":"
            if life > 0:
                self._breaker.ask(later, lambda: self._put([name, marks], args), owe)

        def owe() -> None:
            if len(self._owed) < MOST_OWED:
                self._owed[kind, key] = tell

        self._owed.pop((kind, key), None)
        tell(now)

    def get(self, kind: Kind, key: str, now: float) -> Mark | None:
        """Return the mark of `key`; see `Marks`. What others mark is seen within a second."""
        if self._owed and not self._breaker.away:
            self._tell_some(now)
        asked, mark = self._believed.get((kind, key), (-BELIEVED, None))
        if 0 <= now - asked < BELIEVED:
            return mark

        def store() -> Mark | None:
            value, milliseconds = self._get([self._names(kind, key)[1]])
            mark = read(key, value, milliseconds) if value else None
            if kind in OFTEN:
                self._believed.put((kind, key), (now, mark))
            return mark

        return self._breaker.ask(now, store, lambda: self._fallback.get(kind, key, now))

    def remove(self, kind: Kind, key: str) -> bool:
        """Take a mark away; see `Marks`."""
        removed = self._fallback.remove(kind, key)
        self._believed.pop((kind, key), None)
        self._owed.pop((kind, key), None)
        marks, name, member = self._names(kind, key)
        return self._breaker.ask(
            monotonic(), lambda: bool(self._remove([name, marks], [member])), lambda: removed
        )

    def all(self, kind: Kind, now: float) -> list[Mark]:
        """Return the marks in force; see `Marks`."""

        def store() -> list[Mark]:
            name = self._names(kind, "")[0]
            marks = [read(decoded(key), *rest) for key, *rest in self._all([name], [name + b":"])]
            return sorted((mark for mark in marks if mark.left), key=lambda mark: -mark.left)

        return self._breaker.ask(now, store, lambda: self._fallback.all(kind, now))

    def _tell_some(self, now: float) -> None:
        """Tell Redis, which is back, some of what was marked while it was away."""
        with suppress(KeyError):  # that was all: other threads tell, too
            for _ in range(SOME):
                self._owed.popitem()[1](now)

    def _names(self, kind: Kind, key: str) -> tuple[bytes, bytes, bytes]:
        """Return the names of the list and of the mark, and the key itself, as Redis has them."""
        member = encoded(key)
        marks = encoded(f"{self._prefix}:{kind}")
        return marks, marks + b":" + member, member


def connect(uri: str) -> tuple[Any, str]:
    """Return a client, not connected yet, and what the names of its keys begin with.

    Raises `ValueError`, which never repeats the URI: there may be a password in it.
    """
    try:
        import redis  # noqa: PLC0415 - a tenth of a second for those who do not use it
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError:
        raise ValueError("needs a package: pip install 'jamguard[redis]'") from None
    try:
        url, prefix = _url(uri)
        client: Any = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS,
        )
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)  # knows all options, or raises
    except Exception:  # noqa: BLE001 - whatever the client finds wrong
        raise ValueError(
            "cannot be used as a store: it is not like redis://user:password@192.0.2.9:6379/0, "
            "in which special characters of a password are written %40"
        ) from None
    return client, prefix


def _url(uri: str) -> tuple[str, str]:
    """Return the URI as the client wants it, and its `key_prefix`. Raises `ValueError`."""
    parts = urlsplit(uri)
    scheme = SCHEMES[parts.scheme]
    options = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    prefix = options.pop("key_prefix", [PREFIX])[-1]
    database = parts.path.strip("/")
    if parts.fragment or (scheme != "unix" and database and not database.isdecimal()):
        raise ValueError("the client would pass over it")
    return f"{scheme}://{parts.netloc}{parts.path}?{urlencode(options, doseq=True)}", prefix


def read(key: str, value: bytes, milliseconds: int) -> Mark:
    """Make a mark of what Redis has, and how long that has to live."""
    keep, times, why = json.loads(value)
    return Mark(key, max(0.0, milliseconds / 1000 - keep), times, why)


def encoded(text: str) -> bytes:
    """Return bytes of any text, of what is no valid Unicode too."""
    return text.encode("utf-8", "surrogatepass")


def decoded(name: bytes) -> str:
    """Return the text of bytes."""
    return name.decode("utf-8", "surrogatepass")
