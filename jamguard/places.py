"""How many may be under way at once: of one client, and in all.

Exact between the threads of a process. Where all places are taken, a newcomer waits for one as
long as most of those who have them came within the last second: a page that asks for thirty
files at once loses nothing by it. Once most of them are slow, it is turned away at once: who
waits keeps a thread from others.
"""

from collections.abc import Sequence
from math import inf
from threading import Event
from time import monotonic
from typing import Final

from .stores.locks import Threaded

#: seconds after which somebody who has a place is slow
SLOW: Final = 1.0

#: whose places they are, and how many there are
Room = tuple[str, int]


class Places(Threaded):
    """Who is under way, in which rooms, and since when."""

    def __init__(self) -> None:
        super().__init__()
        #: room -> who is there, the first one first, and since when (seconds, monotonic)
        self._rooms: dict[str, dict[object, float]] = {}
        self._taken: dict[object, Sequence[Room]] = {}
        self._waiting: list[Event] = []

    def take(self, who: object, rooms: Sequence[Room], *, patient: bool = True) -> str:
        """Take a place in each of `rooms`; return which one is full, or nothing.

        Who is `patient` waits for a place, for a second at most.
        """
        until = inf
        while True:
            with self.threads:
                for name, most in rooms:
                    there = self._rooms.get(name)
                    if there is not None and len(there) >= most:
                        break
                else:
                    now = monotonic()
                    for name, _ in rooms:
                        self._rooms.setdefault(name, {})[who] = now
                    self._taken[who] = rooms
                    return ""
                now = monotonic()
                until = min(until, now + SLOW)
                # the one in the middle, of those who came one after another
                patience = min(until, list(there.values())[len(there) // 2] + SLOW) - now
                if not patient or patience <= 0:
                    return name
                turn = Event()
                self._waiting.append(turn)
            turn.wait(patience)

    def leave(self, who: object) -> None:
        """Give back what was taken."""
        with self.threads:
            for name, _ in self._taken.pop(who, ()):
                room = self._rooms[name]
                del room[who]
                if not room:
                    del self._rooms[name]
            for turn in self._waiting:
                turn.set()
            self._waiting.clear()
