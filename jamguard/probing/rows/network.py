"""How the site is reached."""

from collections.abc import Iterable

import attrs

from .. import judge
from ..ask import Asked
from ..judge import of_any
from ..question import PROXY, Question, get, hardened


def rows() -> Iterable[Question]:
    """Ask how the site is reached."""

    def without_tls(site: Asked) -> str:
        return "" if site.https and site.wired else "there is no TLS to look at"

    yield Question(
        "https",
        "Nobody on the way reads what is sent",
        "high",
        "Serve over https; a certificate costs nothing: https://letsencrypt.org",
        (get("/"),),
        of_any(judge.an_answer("passwords, cookies and data, by whoever is on the way")),
        unless=lambda site: (
            "it is https"
            if site.https
            else "it does not leave this machine"
            if site.loopback
            else ""
        ),
    )
    yield Question(
        "certificate",
        "A certificate that browsers accept",
        "high",
        "Get one from an authority that browsers know, for this name, and renew it in time",
        (attrs.evolve(get("/"), verified=True),),
        of_any(judge.certificate),
        unless=without_tls,
    )
    yield Question(
        "old-tls",
        "No TLS that is older than 1.2",
        "medium",
        "Allow TLS 1.2 and 1.3 alone; in nginx: ssl_protocols TLSv1.2 TLSv1.3",
        (attrs.evolve(get("/"), old_tls=True),),
        of_any(judge.an_answer("the site speaks a version that can be broken")),
        unless=without_tls,
    )
    yield Question(
        "hsts",
        "Browsers that were here once come by https only",
        "medium",
        hardened("headers", PROXY),
        (get("/"),),
        of_any(judge.no_hsts),
        unless=lambda site: "" if site.https and site.named else "it is for names and https alone",
    )
