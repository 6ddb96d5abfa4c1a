"""The audit as a person reads it on a terminal: the worst first, each with its mend."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..cli.terminal import visible
from .findings import PAGE, Finding, Level
from .rules import RULES
from .target import Target

STYLES: Final = {Level.ERROR: "bold red", Level.WARNING: "bold yellow", Level.INFO: "bold cyan"}
#: what a finding is called when they are counted
WORDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "remark"}
#: places that are told of one rule; the other formats have them all
MOST: Final = 6


def show_text(target: Target, findings: Sequence[Finding], console: Console) -> None:
    """Print the findings, each rule once, with the places where it is broken."""
    console.print(Text(_heading(target), style="bold"), soft_wrap=True)
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    counted = [finding for finding in findings if not finding.silenced]
    for number, group in groupby(counted, key=lambda finding: finding.id):
        rule = RULES[number]
        level = Text(rule.level, style=STYLES[rule.level])
        table.add_row(level, Text(number), _body(number, list(group)))
    if counted:
        console.print(table)
        console.print()
    for line in _summary(findings):
        console.print(Text(line))


def _heading(target: Target) -> str:
    version = f"Jam.py {visible(target.version)}" if target.version else "Jam.py (unknown version)"
    source = visible(target.source.name)
    return f"{visible(str(target.folder))}: {version}, settings from {source}"


def _body(number: str, group: list[Finding]) -> Text:
    rule = RULES[number]
    body = Text(rule.title, style="bold")
    for finding in group[:MOST]:
        detail = f": {visible(finding.detail)}" if finding.detail else ""
        body.append(f"\nat {visible(str(finding.where))}{detail}", style="not bold")
    if len(group) > MOST:
        more = f"\nand {len(group) - MOST} more, which --format json has"
        body.append(more, style="not bold")
    body.append(f"\nMend: {rule.mend}", style="not bold green")
    if any(finding.fix for finding in group):
        body.append(" [--fix does it]", style="not bold dim")
    return body


def _summary(findings: Sequence[Finding]) -> list[str]:
    counted = [finding for finding in findings if not finding.silenced]
    if not findings:
        return ["Nothing was found."]
    counts = [
        f"{count} {WORDS[level]}{'s' if count != 1 else ''}"
        for level in Level
        if (count := sum(RULES[one.id].level is level for one in counted))
    ]
    lines = [f"{', '.join(counts) or 'nothing else'}. {PAGE} explains each."]
    if silenced := {one.id: one.silenced for one in findings if one.silenced}:
        reasons = "; ".join(f"{number} ({visible(why)})" for number, why in silenced.items())
        lines.append(f"Silenced: {reasons}.")
    if fixes := sum(bool(one.fix) for one in counted):
        lines.append(f"--fix mends {fixes} of them.")
    return lines
