"""`jamguard probe`: ask one's own site for what must not be had."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import attrs
import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..probing.http import HttpSite
from ..probing.page import page
from ..probing.scorecard import Outcome, ProbeError, Scorecard, probe
from .terminal import fail, show_json, visible

#: requests a second, unless it is said: a site must not feel it
RATE: Final = 10
#: and to this machine, whose owner is the one who asks
LOCAL_RATE: Final = 200

STYLES: Final[dict[Outcome, str]] = {
    "failed": "bold red",
    "passed": "green",
    "unknown": "yellow",
    "not asked": "dim",
}


def ask(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The address of your site, as its users type it.")
    ],
    compare: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask another site as well, and show it beside this one."),
    ] = None,
    form: Annotated[
        Literal["text", "json", "html"],
        typer.Option("--format", help="html: a page of its own, to be kept or handed on."),
    ] = "text",
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help=f"Requests a second. {RATE} unless you say, {LOCAL_RATE} to this machine.",
            show_default=False,
        ),
    ] = None,
    i_am_allowed: Annotated[
        bool,
        typer.Option(
            "--i-am-allowed", help="The site is mine, or its owner has asked me to do this."
        ),
    ] = False,
) -> None:
    """Ask a site for what must not be had, and print a scorecard with a grade.

    About 150 requests, none of which changes anything. The exit status is 0 when all rows pass.
    """
    sites = [_site(one, rate, i_am_allowed) for one in (url, compare) if one is not None]
    try:
        cards = [_probe(site) for site in sites]
    except ProbeError as error:
        fail(visible(str(error)))
    if form == "json":
        show_json({"sites": [_as_json(card) for card in cards]})
    elif form == "html":
        typer.echo(page(cards), nl=False)
    else:
        _show(cards)
    raise typer.Exit(0 if cards[0].sound else 1)


def _site(url: str, rate: float | None, allowed: bool) -> HttpSite:
    try:
        site = HttpSite.at(url, RATE)
    except ValueError as error:
        fail(f"{visible(url)} is not an address that can be asked: {error}")
    if not site.loopback and not allowed:
        fail(
            f"{visible(site.url)} is not on this machine. Asking such things of other people's "
            "sites is an attack: add --i-am-allowed if it is yours"
        )
    return attrs.evolve(site, rate=rate or (LOCAL_RATE if site.loopback else RATE))


def _probe(site: HttpSite) -> Scorecard:
    """Ask one site, and show on stderr how far it has come."""
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(f"Asking {visible(site.url)}, at most {site.rate:g} requests a second:")
    with console.status("is there a site of Jam.py's?") as status:
        card = probe(site, lambda row, of: status.update(f"row {row + 1} of {of}"))
    console.print(f"  {site.sent} requests, {len(card.rows)} rows")
    return card


def _show(cards: Sequence[Scorecard]) -> None:
    """Print the table, then what an attacker got from each site and what to do."""
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table("", "what there should be", box=None, pad_edge=False)
    for card in cards:
        table.add_column(visible(card.url), overflow="fold", max_width=22)
    for rows in zip(*(card.rows for card in cards), strict=True):
        table.add_row(
            rows[0].question.severity,
            rows[0].question.asks,
            *[Text(row.outcome, STYLES[row.outcome]) for row in rows],
        )
    console.print(table)
    for card in cards:
        console.print()
        console.print(
            f"{visible(card.url)}: grade {card.grade}, {card.verdict}", style="bold", soft_wrap=True
        )
        if card.stopped:
            console.print(Padding(Text(f"Not all was asked: {visible(card.stopped)}."), (0, 2)))
        for row in card.failed:
            title = Text(f"{row.question.severity}: {visible(row.said)}", "bold")
            console.print(Padding(title, (0, 2)))
            console.print(Padding(Text(f"There should be: {row.question.asks}"), (0, 4)))
            console.print(Padding(Text(row.question.advice), (0, 4)))
        for row in card.rows:
            if row.outcome == "not asked":
                title = Text(f"not asked  {row.question.asks}: {row.said}", "dim")
                console.print(Padding(title, (0, 2)))


def _as_json(card: Scorecard) -> dict[str, Any]:
    return {
        "url": card.url,
        "grade": card.grade,
        "stopped": card.stopped,
        "rows": [
            {
                "id": row.question.id,
                "expected": row.question.asks,
                "severity": row.question.severity,
                "outcome": row.outcome,
                "said": row.said,
                "advice": row.question.advice,
            }
            for row in card.rows
        ],
    }
