"""The guards, in the order in which a request meets them.

The order is part of the protection, so it is not a setting. Code that wants another one
builds its own `Shield`.
"""

from typing import Final

from ..guard import Guard
from .api import Api
from .ban import Ban
from .builder import Builder
from .concurrency import Concurrency
from .debugger import Debugger
from .errors import Errors
from .headers import Headers
from .host import Host
from .https import Https
from .login import Login
from .origin import Origin
from .path import Path
from .proxy import Proxy
from .rate_limit import RateLimit
from .request_id import RequestId
from .request_size import RequestSize
from .session import Session
from .timeout import Timeout

GUARDS: Final[tuple[type[Guard], ...]] = (
    Headers,  # first, so that every answer has them: refusals and failures too
    Errors,  # outside of all that can fail
    Proxy,  # who asks, and by https or not: all that follows relies on it
    RequestId,  # needs to know whether the peer may name a request
    Timeout,  # whoever refuses leaves a body behind that somebody has to end
    Ban,  # as soon as it is known who asks, and under which name the log has it
    Debugger,  # nothing else matters while a debugger is open
    Host,  # before a redirect could send anyone to an unknown host
    Https,  # before any other answer says something in clear text
    Session,  # before anybody asks who is logged in
    Path,  # cheap, and what it refuses needs no counting
    Origin,  # as cheap: a browser says where a request was born
    Concurrency,  # before a byte of the body is read
    RateLimit,  # as early
    RequestSize,  # before anybody reads the body
    Builder,  # has to read a call to know whose it is
    Login,  # knows whom it concerns, and spares Jam.py's sleep
    Api,  # reads all of it, for those who may call at all
)
