"""`jamguard check`: what is wrong with a project and how it is deployed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..audit import RULES, Finding, Level, Target, audit, look_at
from ..audit.fixes import mend
from ..audit.formats import as_json, as_markdown, as_sarif
from ..audit.text import show_text
from ..config import ConfigError
from .terminal import fail, visible


class Form(StrEnum):
    """How the audit is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"


def check(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the project.")
    ] = Path(),
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.TEXT,
    fail_level: Annotated[
        Level,
        typer.Option(case_sensitive=False, help="End with 1 for this level, or a worse one."),
    ] = Level.ERROR,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended safely, and look again.")
    ] = False,
    aside: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A new folder for what --fix moves and replaces; else one beside the project.",
        ),
    ] = None,
    hardened: Annotated[
        bool, typer.Option("--hardened", help="Servers load a file from elsewhere, which hardens.")
    ] = False,
    advisories: Annotated[
        bool, typer.Option(help="Ask pip-audit, where it is installed, about known flaws.")
    ] = True,
) -> None:
    """Find what is wrong with a Jam.py project, and with how it is deployed.

    Nothing of it is run, and without --fix nothing is changed. Ends with 1 where something
    was found that is bad enough.
    """
    if not folder.is_dir():
        fail(f"{folder} is not a folder")
    look = partial(_look, folder, hardened=hardened or None, advisories=advisories)
    target, findings = look()
    if fix and _mend(target, findings, aside):
        target, findings = look()
    if form is Form.TEXT:
        show_text(target, findings, Console(highlight=False, markup=False, emoji=False))
    else:
        write = {Form.JSON: as_json, Form.SARIF: as_sarif, Form.MARKDOWN: as_markdown}[form]
        typer.echo(write(target, findings))
    ranks = [RULES[one.id].level.rank for one in findings if not one.silenced]
    if ranks and min(ranks) <= fail_level.rank:
        raise typer.Exit(1)


def _look(folder: Path, *, hardened: bool | None, advisories: bool) -> tuple[Target, list[Finding]]:
    target = look_at(folder, hardened=hardened)
    try:
        with Console(stderr=True).status("looking"):  # pip-audit takes a while
            return target, audit(target, ask_network=advisories)
    except ConfigError as error:
        fail(str(error))


def _mend(target: Target, findings: Sequence[Finding], aside: Path | None) -> bool:
    """Mend what can be, and say so on stderr; return whether there was anything."""
    fixes = [finding.fix for finding in findings if finding.fix and not finding.silenced]
    now = datetime.now(UTC)
    place = aside or target.folder.with_name(f"{target.folder.name}-aside-{now:%Y%m%d-%H%M%S}")
    try:
        for done in mend(target.folder, fixes, place.absolute()):
            typer.echo(visible(done), err=True)
    except OSError as error:
        fail(f"{place} cannot be made ({error.strerror}): name a new folder with --aside")
    return bool(fixes)
