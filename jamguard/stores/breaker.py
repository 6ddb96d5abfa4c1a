"""A store that fails is left alone for a while, and then for longer.

Waiting for a store that is away costs every request its patience. So after one failure
nobody asks for a second; then one request tries, while all others go on without, and each
try that fails doubles the pause.

Source: Michael Nygard, Release It!, the chapter on stability patterns (circuit breaker).
"""

from collections.abc import Callable
from random import uniform
from typing import Final, TypeVar

from .locks import Threaded

Answer = TypeVar("Answer")

#: seconds for which a store is left alone after its first failure, and at most
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
#: what a pause is stretched by, so that not all processes come back in the same moment
JITTER: Final = (0.8, 1.2)


class Breaker(Threaded):
    """Asks a store, and does something else while the store is away.

    Those in `lost` are told in a word why the store is away, those in `back` the time when it
    is there again: once for each change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.lost: list[Callable[[str], None]] = []
        self.back: list[Callable[[float], None]] = []
        self._pause = FIRST_PAUSE
        self._next_try = 0.0

    def ask(self, now: float, store: Callable[[], Answer], instead: Callable[[], Answer]) -> Answer:
        """Return what `store` answers; while it is away, what `instead` does.

        `now` is in seconds on a clock that never steps back. Nothing that `store` raises
        gets out.
        """
        trying = self.away
        if trying and not self._may_try(now):
            return instead()
        try:
            answer = store()
        except Exception as error:  # noqa: BLE001 - the edge of a store: whatever its client raises
            self._failed(now, type(error).__name__, trying=trying)
            return instead()
        if trying:
            self.away = False
            for tell in self.back:
                tell(now)
        return answer

    def _may_try(self, now: float) -> bool:
        with self.threads:
            if now < self._next_try:
                return False
            self._next_try = now + self._pause  # the others wait for what this one finds
            return True

    def _failed(self, now: float, error: str, *, trying: bool) -> None:
        with self.threads:
            if self.away and not trying:
                return  # it was on its way when the store went away
            self._pause = min(2 * self._pause, LONGEST_PAUSE) if trying else FIRST_PAUSE
            self._next_try = now + self._pause * uniform(*JITTER)  # noqa: S311 - no secret
            self.away = True
        if not trying:
            for tell in self.lost:
                tell(error)
