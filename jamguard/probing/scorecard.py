"""Put the questions to a site, and give it a grade."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urljoin, urlsplit

import attrs

from .ask import REFUSED, Answer, Ask, Asked
from .judge import NotThereError, call_result
from .question import Question, Severity
from .rows import questions

#: what became of a row; `unknown`: the site had stopped answering
Outcome = Literal["failed", "passed", "not asked", "unknown"]
#: what the worst row that failed makes of a site
GRADES: Final[dict[Severity, str]] = {"critical": "F", "high": "D", "medium": "C", "low": "B"}
GOOD: Final = "nothing failed that was asked"

START: Final = Ask("GET", "/")
CALL: Final = Ask("POST", "/api", (("Content-Type", "application/json"),), b'["load",1,0,null,0]')
#: guards that refuse whatever is asked, so that an answer says nothing
STOPPING: Final = {
    "ban": (
        "it has banned this address, which is a result, and a good one; "
        "[tool.jamguard.ban] safelist lets an address ask on"
    ),
    "rate-limit": "it has asked to slow down; wait a minute, or take a lower --rate",
}


#: is told the number of the row that is asked, and how many there are
Progress = Callable[[int, int], None]


def ignored(_: int, __: int) -> None:
    """Show no progress."""


class ProbeError(Exception):
    """The site cannot be asked; the text says why, and what to do."""


@attrs.frozen
class Row:
    """A question, and what came of it."""

    question: Question
    outcome: Outcome
    said: str = ""  #: what an attacker got, or why it is not known


@attrs.frozen
class Scorecard:
    """What a site has been asked, and its grade."""

    url: str
    rows: Sequence[Row]  #: those about the worst first
    stopped: str = ""  #: why it was not asked all; `""` when it was

    @property
    def failed(self) -> list[Row]:
        """The rows that failed, the worst first."""
        return [row for row in self.rows if row.outcome == "failed"]

    @property
    def grade(self) -> str:
        """`A` when nothing failed, else what the worst row makes of it."""
        failed = self.failed
        return GRADES[failed[0].question.severity] if failed else "A"

    @property
    def sound(self) -> bool:
        """Whether nothing failed, and nothing is unknown."""
        return not self.failed and not self.stopped

    @property
    def verdict(self) -> str:
        """What the grade means."""
        failed = self.failed
        return f"the worst that failed is {failed[0].question.severity}" if failed else GOOD

    def count(self, outcome: Outcome) -> int:
        """Count the rows of an outcome."""
        return sum(row.outcome == outcome for row in self.rows)


def probe(site: Asked, progress: Progress = ignored) -> Scorecard:
    """Ask a site of Jam.py's all questions. Raises `ProbeError` when it is not one."""
    start = begin(site)
    if call_result(site.ask(CALL)) is None and b"jam/js/" not in start.start:
        raise ProbeError(f"{site.url} does not answer as a site of Jam.py's does")
    return ask_all(site, start.status, progress)


def begin(site: Asked) -> Answer:
    """Ask for the start page. Raises `ProbeError` when there is none to be had."""
    answer = site.ask(START)
    if not answer.status:
        raise ProbeError(f"{site.url} does not answer: {answer.problem}")
    if answer.get(REFUSED) == "ban":
        seconds = answer.get("Retry-After")
        raise ProbeError(
            f"{site.url} has banned this address for {seconds} s more; on its machine: "
            "jamguard bans clear"
        )
    to = answer.get("Location")
    if _leads_away(site.url, to):
        raise ProbeError(f"{site.url} sends everybody to {to[:200]}: name that address instead")
    if answer.status >= HTTPStatus.BAD_REQUEST:
        by = answer.get(REFUSED)
        raise ProbeError(
            f"{site.url} answers its start page with status {answer.status}"
            f"{by and f' (by the guard {by})'}: use the name and the address that its users use"
        )
    return answer


def _leads_away(url: str, to: str) -> bool:
    """Say whether a redirect goes to another host, port or scheme."""
    try:
        return urlsplit(urljoin(f"{url}/", to))[:2] != urlsplit(url)[:2]
    except ValueError:  # brackets that hold no IPv6 address
        return True


def ask_all(site: Asked, normal: int, progress: Progress = ignored) -> Scorecard:
    """Ask a site all questions; its start page is answered with the status `normal`."""
    rows: list[Row] = []
    stopped = ""
    table = questions()
    for number, question in enumerate(table):
        progress(number, len(table))
        reason = question.unless(site)
        if reason:
            row = Row(question, "not asked", reason)
        elif stopped:
            row = Row(question, "unknown", stopped)
        else:
            row = _ask(site.visitor(), question, normal)
            stopped = row.said if row.outcome == "unknown" else ""
        rows.append(row)
    rows.sort(key=lambda row: list(GRADES).index(row.question.severity))
    return Scorecard(site.url, rows, stopped)


def _ask(site: Asked, question: Question, normal: int) -> Row:
    """Ask one question, of which what is heard before a ban counts too."""
    answers: list[Answer] = []
    why = ""
    for ask in question.requests:
        answer = site.ask(ask)
        why = STOPPING.get(answer.get(REFUSED), "")
        if why:
            break
        answers.append(answer)
    try:
        said = question.got(answers) if answers else ""
    except NotThereError as error:
        return Row(question, "not asked", str(error))
    if said and any(answer.status for answer in answers):
        return Row(question, "failed", said)
    row = Row(question, "unknown", why) if why else _sure(site, question, normal)
    if said and row.outcome == "passed":  # what failed is that there was no answer
        return Row(question, "failed", said)
    return row


def _sure(site: Asked, question: Question, normal: int) -> Row:
    """Let a row pass if the site still answers: one that has stopped gives nothing away."""
    answer = site.ask(START)
    if answer.status == normal:
        return Row(question, "passed")
    why = answer.problem or f"its start page is answered with status {answer.status} now"
    why = f"the site has stopped answering this address: {why}"
    return Row(question, "unknown", STOPPING.get(answer.get(REFUSED), why))
