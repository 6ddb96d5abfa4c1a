"""One request of the probe, what came back, and whom it is sent to."""

from http import HTTPStatus
from typing import Final, Protocol

import attrs

Headers = tuple[tuple[str, str], ...]

#: bytes of an answer that are looked at; the rest is left on the wire
LOOKED_AT: Final = 65536
#: says which guard has refused a request
REFUSED: Final = "Jamguard-Refused"


@attrs.frozen
class Ask:
    """A request. Its target goes out to the letter; Host is the site's own unless it is given."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes | None = None
    old_tls: bool = False  #: by TLS 1.0 or 1.1, and nothing newer
    verified: bool = False  #: only if the site's certificate is one that browsers accept


@attrs.frozen
class Answer:
    """What came back. The content is judged and dropped: nobody gets to see it."""

    status: int  #: 0: there was no answer
    headers: Headers = ()
    start: bytes = attrs.field(default=b"", repr=False)  #: of the content
    size: int = 0  #: of the content, in bytes
    problem: str = ""  #: why there was no answer
    secure: bool = False  #: whether it came by https

    def get(self, name: str) -> str:
        """Return the value of a header, `""` where it is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Return the values of a header that there may be several of."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def page(self) -> bool:
        """Whether this is a page that a user would see."""
        return self.status == HTTPStatus.OK and "html" in self.get("Content-Type")


class Asked(Protocol):
    """The site that is asked."""

    @property
    def url(self) -> str:
        """Where it is, as its users would say."""
        ...

    @property
    def https(self) -> bool:
        """Whether it is asked over https."""
        ...

    @property
    def named(self) -> bool:
        """Whether it is asked by a name that the whole network knows."""
        ...

    @property
    def loopback(self) -> bool:
        """Whether it sees this machine asking."""
        ...

    @property
    def wired(self) -> bool:
        """Whether there is a connection in between, and not only a call."""
        ...

    def visitor(self) -> "Asked":
        """Return the site as somebody sees it who has not been there yet, where one can be."""
        ...

    def ask(self, ask: Ask) -> Answer:
        """Send a request."""
        ...
