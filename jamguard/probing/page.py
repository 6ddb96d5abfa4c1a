"""The scorecard as a page of its own: no scripts, nothing from elsewhere, light and dark."""

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from .scorecard import Row, Scorecard

STYLE: Final = """
:root{color-scheme:light dark;--ground:#f4f6f8;--card:#fff;--line:#d5dce3;--ink:#1c2733;
--soft:#51606f;--bad:#b3261e;--good:#1a6b3c;--warn:#8a5300}
@media (prefers-color-scheme:dark){:root{--ground:#12181f;--card:#1b232c;--line:#35414d;
--ink:#e7ecf1;--soft:#a9b6c3;--bad:#ff8a80;--good:#7ddba3;--warn:#ffc069}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:min(68rem,100% - 2rem);margin:2rem auto}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1.25rem}
h2{font-size:1.2rem;margin:2.25rem 0 .75rem;overflow-wrap:anywhere}
p{margin:.35rem 0}
section,table{background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.sites{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr))}
.site{display:flex;gap:1.25rem;align-items:center;padding:1.25rem}
.site div{min-width:0;overflow-wrap:anywhere}
.grade{font-size:3.5rem;font-weight:700;line-height:1}
.A,.passed{color:var(--good)}.B,.C,.unknown{color:var(--warn)}.D,.F,.failed{color:var(--bad)}
small,.soft,.not-asked{color:var(--soft)}
table{width:100%;border-collapse:separate;border-spacing:0;overflow:hidden}
th,td{text-align:left;vertical-align:top;padding:.55rem .9rem}
tr+tr>*{border-top:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;overflow-wrap:anywhere}
tbody th{font-weight:400}
td{font-weight:600;min-width:7rem}
td small{display:block;font-weight:400}
.severity{font-weight:400;color:var(--soft)}
section.finding{padding:1rem 1.25rem;margin:0 0 .75rem;border-left:.3rem solid var(--bad)}
.finding b{display:block}
.finding p{overflow-wrap:anywhere}
@media (max-width:40rem){thead{display:none}table,tbody,tr,th,td{display:block}
tr{padding:.6rem 0}tr+tr{border-top:1px solid var(--line)}tr+tr>*{border:0}
th,td{padding:.1rem .9rem}td[data-of]:before{content:attr(data-of)": ";
color:var(--soft);font-weight:400}}
@media print{body{background:#fff}section,tr{break-inside:avoid}}
"""

PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title><style>{style}</style></head>
<body><main><h1>{title}</h1>
<div class="sites">{sites}</div>
{findings}
<h2>All that was asked</h2>
<table><thead><tr><th scope="col">What there should be</th><th scope="col">If it is not</th>
{columns}</tr></thead><tbody>
{rows}
</tbody></table>
<p class="soft"><small>Asked by jamguard probe on {day}. Of what could be had,
size and type were noted; its content was not kept. A good grade says that these doors are
shut, not that there is no other.</small></p>
</main></body>
</html>
"""


def page(cards: Sequence[Scorecard]) -> str:
    """Write one or two scorecards as a page."""
    return PAGE.format(
        title="What this site gives to a stranger" if len(cards) == 1 else "Two sites compared",
        style=STYLE,
        sites="".join(map(_site, cards)),
        columns="".join(f'<th scope="col">{html.escape(card.url)}</th>' for card in cards),
        rows="\n".join(
            _row(rows, [card.url for card in cards] if len(cards) > 1 else [""])
            for rows in zip(*(card.rows for card in cards), strict=True)
        ),
        findings="".join(map(_findings, cards)),
        day=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _site(card: Scorecard) -> str:
    missing = card.count("unknown") + card.count("not asked")
    counted = f"{card.count('passed')} passed, {card.count('failed')} failed, {missing} not asked"
    stopped = f"<p>Not all was asked: {html.escape(card.stopped)}.</p>" if card.stopped else ""
    return (
        f'<section class="site"><span class="grade {card.grade}">{card.grade}</span>'
        f"<div><b>{html.escape(card.url)}</b><p>{card.verdict}</p>"
        f'<p class="soft">{counted}</p>{stopped}</div></section>'
    )


def _row(rows: Sequence[Row], sites: Sequence[str]) -> str:
    question = rows[0].question
    cells = "".join(map(_cell, rows, sites))
    return (
        f'<tr><th scope="row">{html.escape(question.asks)}</th>'
        f'<td class="severity">{question.severity}</td>{cells}</tr>'
    )


def _cell(row: Row, site: str) -> str:
    why = "" if row.outcome == "failed" else f"<small>{html.escape(row.said)}</small>"
    label = f' data-of="{html.escape(site)}"' if site else ""
    return f'<td class="{row.outcome.replace(" ", "-")}"{label}>{row.outcome}{why}</td>'


def _findings(card: Scorecard) -> str:
    if not card.failed:
        return ""
    return f"<h2>What an attacker gets from {html.escape(card.url)}</h2>" + "".join(
        map(_finding, card.failed)
    )


def _finding(row: Row) -> str:
    question = row.question
    return (
        f'<section class="finding"><b>{html.escape(row.said)}</b>'
        f'<p><span class="failed">{question.severity}</span>. There should be: '
        f"{html.escape(question.asks)}</p>"
        f"<p>{html.escape(question.advice)}</p></section>"
    )
