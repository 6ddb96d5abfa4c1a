"""What kind of place a path leads to: the one look-up that several guards share."""

from typing import Literal

import attrs

#: how a refusal is written there: Jam.py's envelope, problem+json or a page; or what Jam.py v5
#: says in place of everything else
Form = Literal["envelope", "problem", "page", "notice"]


@attrs.frozen(eq=False)
class Route:
    """A kind of place in an application; compared by identity."""

    name: str
    #: the methods that the application answers there; None: it decides itself
    methods: frozenset[str] | None = None
    form: Form = "page"
    #: part of Jam.py's Application Builder
    builder: bool = False
    #: an HTML page that Jam.py serves from a template file
    page: bool = False


#: a path that nothing is known about: the application's own business
OTHER = Route("other")
#: a path that monitors ask: never counted, never redirected
HEALTH = Route("health")
