"""The audit for programs and for pages: JSON, SARIF, Markdown.

Source: SARIF 2.1.0 (OASIS), of which code hosts show the results beside the code.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from .. import __version__
from .disk import exists
from .findings import PAGE, Finding, Level, Place
from .rules import RULES
from .target import Target

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
#: what SARIF calls a level
LEVELS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "note"}


def as_json(target: Target, findings: Sequence[Finding]) -> str:
    """Write the audit as one JSON object."""
    return _dumped(
        {
            "project": str(target.folder),
            "jam.py": target.version or None,
            "hardened": target.hardened,
            "settings": target.source.name,
            "findings": [_json_finding(finding) for finding in findings],
        }
    )


def _json_finding(finding: Finding) -> dict[str, Any]:
    rule, where = RULES[finding.id], finding.where
    return {
        "id": finding.id,
        "level": rule.level,
        "title": rule.title,
        "where": {"file": where.file, "line": where.line, "part": where.part or None},
        "detail": finding.detail,
        "mend": rule.mend,
        "fix": finding.fix is not None,
        "silenced": finding.silenced or None,
        "documentation": anchor(finding.id),
    }


def as_sarif(target: Target, findings: Sequence[Finding]) -> str:
    """Write the audit as a SARIF log, with the rules that were broken."""
    numbers = sorted({finding.id for finding in findings})
    rules = [_sarif_rule(number) for number in numbers]
    results = [
        _sarif_result(finding, numbers.index(finding.id), fingerprint, target.folder)
        for finding, fingerprint in zip(findings, _fingerprints(findings), strict=True)
    ]
    driver = {"name": "jamguard", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {"PROJECT": {"uri": f"{target.folder.as_uri()}/"}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return _dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _sarif_rule(number: str) -> dict[str, Any]:
    rule = RULES[number]
    return {
        "id": number,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.mend} See {anchor(number)}."},
        "defaultConfiguration": {"level": LEVELS[rule.level]},
    }


def _sarif_result(finding: Finding, index: int, fingerprint: str, folder: Path) -> dict[str, Any]:
    rule = RULES[finding.id]
    detail = f" {finding.where}: {finding.detail}." if finding.detail else f" {finding.where}."
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": LEVELS[rule.level],
        "message": {"text": f"{rule.title}{detail} {rule.mend}"},
        "locations": [_sarif_location(finding.where, folder)],
        "partialFingerprints": {"place/v1": fingerprint},
    }
    if finding.silenced:
        suppression = {"kind": "external", "justification": finding.silenced}
        result["suppressions"] = [suppression]
    return result


def _fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """Name findings so that each stays the same one while the file around it changes."""
    seen = Counter[str]()
    for finding in findings:
        # neither line nor detail; those of one rule in one place are told apart by their order
        place = f"{finding.id} {finding.where.file} {finding.where.part}"
        seen[place] += 1
        yield f"{sha256(place.encode()).hexdigest()}:{seen[place]}"


def _sarif_location(where: Place, folder: Path) -> dict[str, Any]:
    is_file = exists(folder / where.file)  # else a package, or a variable
    artifact = {"uri": quote(where.file) if is_file else ".", "uriBaseId": "PROJECT"}
    if Path(where.file).is_absolute():
        artifact = {"uri": Path(where.file).as_uri()}
    physical: dict[str, Any] = {"artifactLocation": artifact}
    # the lines of a server module are none of the database that it lies in
    if where.line is not None and not where.part:
        physical["region"] = {"startLine": where.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if where.part or not is_file:
        name = str(where).removeprefix(f"{where.file} ")
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return location


def as_markdown(target: Target, findings: Sequence[Finding]) -> str:
    """Write the audit as a page, for an issue or a report."""
    lines = [f"# jamguard check: `{target.folder.name}`", ""]
    counted = [finding for finding in findings if not finding.silenced]
    for number, found in groupby(counted, key=lambda finding: finding.id):
        rule = RULES[number]
        lines += [f"## {rule.level} {number}", "", rule.title, ""]
        for finding in found:
            detail = f": {_escaped(finding.detail)}" if finding.detail else ""
            lines.append(f"- {_code(str(finding.where))}{detail}")
        lines += ["", f"**Mend:** {_escaped(rule.mend)}", ""]
    if not counted:
        lines += ["Nothing was found.", ""]
    if silenced := {one.id: one.silenced for one in findings if one.silenced}:
        lines += ["## Silenced", ""]
        lines += [f"- {number}: {_escaped(why)}" for number, why in silenced.items()] + [""]
    return "\n".join(lines).rstrip()


def anchor(number: str) -> str:
    """Return where the documentation explains a rule."""
    return f"{PAGE}#{number.lower()}"


def _code(text: str) -> str:
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _escaped(text: str) -> str:
    """Return a text that means nothing else in Markdown, and stays on its line."""
    marked = "".join(f"\\{mark}" if mark in "\\`*_[]<>#|!" else mark for mark in text)
    return " ".join(marked.split())


def _dumped(value: Any) -> str:  # noqa: ANN401 - whatever JSON has
    return json.dumps(value, indent=2)
