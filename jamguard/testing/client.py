"""A client of a hardened application, in this process, and a clock that can be moved."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from werkzeug.test import Client
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from ..shield import Shield
    from ..stores.process import ProcessStore

#: functions of the module `time` that jamguard reads
READ: Final = ("monotonic", "time")


class Clock:
    """What time it is for jamguard; Jam.py and everything else keep their own.

    It is read by the modules of jamguard that are loaded when it is made.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        for name in READ:
            real: Callable[[], float] = getattr(time, name)
            moved = self._moved(real)
            for path, module in [*sys.modules.items()]:
                if path.startswith("jamguard.") and getattr(module, name, None) is real:
                    setattr(module, name, moved)

    def move(self, seconds: float) -> None:
        """Let time pass. Raises `ValueError` when it is to go back."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._ahead += seconds

    def _moved(self, real: Callable[[], float]) -> Callable[[], float]:
        return lambda: real() + self._ahead


class HardenedClient(Client):
    """Werkzeug's client, which comes by https from `address` unless a request says otherwise."""

    def __init__(self, application: "Shield", clock: Clock) -> None:
        super().__init__(application, Response)  # it has to be named to Jam.py v5's Werkzeug
        self.clock = clock
        self.address = "192.0.2.1"  #: whom the application sees asking
        cast("ProcessStore", application.site.store).clear()  # see `APART`

    def open(self, *args: Any, **kwargs: Any) -> "TestResponse":  # noqa: ANN401 - as Werkzeug has it
        """Send a request, and take all of the answer; see Werkzeug's documentation."""
        kwargs.setdefault("buffered", True)  # what is not closed counts as being under way
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", "https://localhost")
            kwargs.setdefault("environ_base", {"REMOTE_ADDR": self.address})
        return super().open(*args, **kwargs)
