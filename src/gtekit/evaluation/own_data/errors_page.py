"""One HTML file: the scores and the worst misses with their texts. No script, nothing to load, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from gtekit.evaluation.own_data.misses import (
    BinaryMiss,
    GradedMiss,
    LabelMiss,
    Miss,
    QueryMiss,
    RankedDocument,
    TripleMiss,
)

if TYPE_CHECKING:
    from gtekit.evaluation.own_data.evaluation import Evaluation

SHOWN_CHARS = 500  # of a text; a page of whole documents is none that a person reads
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
STYLE = f"""
:root {{ color-scheme: light dark; --page: #fbfbf9; --card: #ffffff; --ink: #1d2433; --soft: #596173; --line: #d9dce2;
  --good: #22703a; --bad: #b23a1e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #14171d; --card: #1d222b; --ink: #e8eaf0; --soft: #a3abbb;
  --line: #363d4a; --good: #7ccf93; --bad: #ff9a7d; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 20px 16px 48px; max-width: 860px; background: var(--page); color: var(--ink);
  font: 16px/1.5 {FONT}; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 4px; }} h2 {{ font-size: 1.15rem; margin: 32px 0 8px; }}
p {{ margin: 4px 0; }} .soft {{ color: var(--soft); font-size: 0.9rem; }}
table {{ border-collapse: collapse; width: 100%; margin: 16px 0; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
th {{ color: var(--soft); font-size: 0.85rem; font-weight: 600; }}
article {{ background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px;
  margin: 12px 0; }}
article > p:first-child {{ font-variant-numeric: tabular-nums; }}
dl {{ margin: 8px 0 0; }} dt {{ color: var(--soft); font-size: 0.85rem; margin-top: 8px; }}
dd {{ margin: 0; white-space: pre-wrap; }} .good {{ color: var(--good); }} .bad {{ color: var(--bad); }}
ul {{ padding-left: 20px; margin: 8px 0; }}
"""
HEADINGS = {
    "pairs": "Pairs that the model and people see most differently",
    "triples": "Triples with the wrong text nearer, by the largest margin",
    "retrieval": "Queries with the lowest nDCG@10",
    "labelled": "Texts given the wrong label with the most confidence",
}


@dataclass(frozen=True, slots=True)
class _Entry:
    label: str
    text: str
    mark: str = ""  # good or bad: only a colour, the label says it too


def draw_page(result: "Evaluation") -> str:
    """Give the page as text."""
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in result.rows())
    misses = "\n".join(map(_article, result.misses))
    shown = f"The {len(result.misses)} worst." if result.misses else "None: nothing here is wrong."
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(result.model)} on {escape(result.data)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(result.model)}</h1>
<p>on {escape(result.data)}</p>
<p>{escape(result.size())}</p>
<p class="soft">{escape(result.precision)}, fingerprint {escape(result.fingerprint[:16])}</p>
<table>
<tr><th>measure</th><th>score</th><th>95 % interval</th></tr>
{cells}</table>
<ul class="soft">
{"".join(f"<li>{escape(note)}</li>{chr(10)}" for note in (result.scale(), *result.notes))}</ul>
<h2>{escape(HEADINGS[result.kind])}</h2>
<p class="soft">{shown}</p>
{misses}
</body>
</html>
"""


def _article(miss: Miss) -> str:
    match miss:
        case GradedMiss():
            people, model = (
                f"people {miss.value:g}, rank {miss.rank:g}",
                f"cosine {miss.cosine:.4f}, rank {miss.model_rank:g}",
            )
            return _card(
                miss.place, f"{people}; {model}", [_Entry("first", miss.texts[0]), _Entry("second", miss.texts[1])]
            )
        case BinaryMiss():
            side = "below" if miss.label else "not below"
            verdict = f"label {miss.label}; cosine {miss.cosine:.4f}, {side} the threshold {miss.threshold:.4f}"
            return _card(miss.place, verdict, [_Entry("first", miss.texts[0]), _Entry("second", miss.texts[1])])
        case TripleMiss():
            entries = [
                _Entry("anchor", miss.anchor),
                _Entry(f"positive, cosine {miss.positive_cosine:.4f}", miss.positive, "good"),
                _Entry(f"negative, cosine {miss.negative_cosine:.4f}", miss.negative, "bad"),
            ]
            return _card(miss.place, f"margin {miss.positive_cosine - miss.negative_cosine:+.4f}", entries)
        case LabelMiss():
            entries = [
                _Entry("text", miss.text),
                _Entry("label", miss.label, "good"),
                _Entry(f"predicted, confidence {miss.confidence:.2f}", miss.predicted, "bad"),
            ]
            return _card(miss.place, "", entries)
        case QueryMiss():
            entries = [_Entry("query", miss.text), *map(_relevant, miss.relevant)]
            if miss.relevant_count > len(miss.relevant):
                entries.append(_Entry("relevant", f"{miss.relevant_count - len(miss.relevant):,} more", "good"))
            return _card(f"query {miss.query_id}", f"nDCG@10 {miss.ndcg:.4f}", [*entries, *map(_found, miss.found)])


def _relevant(document: RankedDocument) -> _Entry:
    rank = "not found" if document.rank is None else f"rank {document.rank:,}, cosine {document.cosine:.4f}"
    return _Entry(f"relevant, grade {document.grade}: {rank} ({document.id})", document.text, "good")


def _found(document: RankedDocument) -> _Entry:
    verdict = f"relevant, grade {document.grade}" if document.grade > 0 else "not relevant"
    label = f"found at rank {document.rank}, cosine {document.cosine:.4f}: {verdict} ({document.id})"
    return _Entry(label, document.text, "good" if document.grade > 0 else "bad")


def _card(place: str, verdict: str, entries: Sequence[_Entry]) -> str:
    rows = "\n".join(
        f'<dt class="{entry.mark}">{escape(entry.label)}</dt><dd dir="auto">{_shown(entry.text)}</dd>'
        for entry in entries
    )
    heading = f"<p><strong>{escape(place)}</strong> {escape(verdict)}</p>"
    return f"<article>\n{heading}\n<dl>\n{rows}\n</dl>\n</article>"


def _shown(text: str) -> str:
    if not text.strip():
        return '<span class="soft">(empty)</span>'
    rest = len(text) - SHOWN_CHARS
    more = f' <span class="soft">… {rest:,} more characters</span>' if rest > 0 else ""
    return escape(text[:SHOWN_CHARS]) + more
