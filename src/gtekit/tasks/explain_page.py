"""An explanation as one HTML file: words coloured by what they add. No script, nothing to load, light and dark."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gtekit.tasks.explain import Explanation, Part, Side

MOST_WORDS = 30  # of a side of the table: more is no table that a person reads
UNREAD_CHARS = 500  # shown of what the model did not read
PAIRS = 10
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
# The ink keeps a contrast of 4.5 or more on the strongest colours: 7.1 and 7.3 in light, 5.0 and 5.6 in dark (WCAG).
STYLE = f"""
:root {{ color-scheme: light dark; --page: #fbfbf9; --card: #ffffff; --ink: #1d2433; --soft: #596173; --line: #d9dce2;
  --more: 37, 99, 201; --less: 200, 70, 20; --strongest: 0.5; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #14171d; --card: #1d222b; --ink: #e8eaf0; --soft: #a3abbb;
  --line: #363d4a; --more: 64, 132, 246; --less: 214, 84, 40; --strongest: 0.65; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 20px 16px 48px; max-width: 960px; background: var(--page); color: var(--ink);
  font: 16px/1.5 {FONT}; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 4px; }} h2 {{ font-size: 1.15rem; margin: 28px 0 8px; }}
p {{ margin: 4px 0; }} .soft {{ color: var(--soft); font-size: 0.9rem; }}
article {{ background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }}
.text {{ white-space: pre-wrap; line-height: 1.9; }}
.more, .less {{ border-radius: 4px; color: var(--ink); }} span.more, span.less {{ padding: 2px 1px; }}
.more {{ background: rgba(var(--more), calc(var(--share) * var(--strongest))); }}
.less {{ background: rgba(var(--less), calc(var(--share) * var(--strongest))); }}
.unread {{ color: var(--soft); text-decoration: line-through; }}
.scroll {{ overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }}
.scroll:focus-visible {{ outline: 3px solid rgb(var(--more)); outline-offset: 2px; }}
table {{ border-collapse: separate; border-spacing: 2px; font-variant-numeric: tabular-nums; font-size: 0.85rem;
  overflow-wrap: normal; padding: 6px; }}
th, td {{ padding: 4px 8px; text-align: right; white-space: nowrap; }}
th {{ color: var(--soft); font-weight: 600; }} .left, tbody th {{ text-align: left; }}
tbody th {{ position: sticky; left: 0; background: var(--card); color: var(--ink); }}
"""


def draw_page(explanation: "Explanation") -> str:
    """Give the page as text."""
    query, document = explanation.query, explanation.document
    words = sum(part.contribution for part in document.words)
    takes_away = (explanation.matrix < 0).any()
    legend = ' <span class="less" style="--share: 1">This colour</span> takes away.' if takes_away else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cosine {explanation.score:.4f}: what the words add</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Cosine {explanation.score:.4f}</h1>
<p class="soft">{escape(explanation.model)}. The words of the document add {words:+.4f}, special tokens and the prompt
{document.rest:+.4f}; together they are the cosine. The stronger the colour, the more a word adds.{legend}
Each word has read its whole text: this is what it adds here, not what would be lost without it.</p>
<h2>Query</h2>
<article><p class="text" dir="auto">{_coloured(query)}</p></article>
<h2>Document</h2>
<article><p class="text" dir="auto">{_coloured(document)}</p></article>
<h2>Pairs of words that add most</h2>
{_pairs(explanation)}
<h2>Every word with every word</h2>
{_table(explanation)}
</body>
</html>
"""


def _coloured(side: "Side") -> str:
    if not side.text.strip():
        return '<span class="soft">(empty)</span>'
    peak = max((abs(part.contribution) for part in side.words), default=0.0)
    pieces = []
    at = 0
    for part in side.words:
        start, end = part.start or 0, part.end or 0
        pieces.append(escape(side.text[at:start]))
        pieces.append(
            f'<span {_shade(part.contribution, peak)} title="{part.contribution:+.4f}">'
            f"{escape(side.text[max(at, start) : end])}</span>"
        )
        at = max(at, end)
    if side.cut_at is None:
        return "".join([*pieces, escape(side.text[at:])])
    unread = side.text[at : at + UNREAD_CHARS]
    rest = len(side.text) - at - len(unread)
    more = f' <span class="soft">… {rest:,} more characters that were not read</span>' if rest else ""
    return "".join([*pieces, f'<span class="unread" title="not read">{escape(unread)}</span>{more}'])


def _pairs(explanation: "Explanation") -> str:
    rows = "\n".join(
        f'<tr><td class="left">{escape(match.query.text)}</td><td class="left">{escape(match.document.text)}</td>'
        f"<td>{match.contribution:+.4f}</td></tr>"
        for match in explanation.matches(PAIRS)
    )
    return f"""<div class="scroll" role="region" aria-label="Pairs of words that add most" tabindex="0"><table>
<thead><tr><th class="left" scope="col">query</th><th class="left" scope="col">document</th>
<th scope="col">adds</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""


def _table(explanation: "Explanation") -> str:
    rows, columns = _strongest(explanation.query.parts), _strongest(explanation.document.parts)
    queries, documents = explanation.query.parts, explanation.document.parts
    shown = explanation.matrix[np.ix_(rows, columns)]
    peak = float(np.abs(shown).max(initial=0.0))
    heading = "".join(f'<th scope="col">{escape(documents[column].text)}</th>' for column in columns)
    body = "\n".join(
        f'<tr><th scope="row">{escape(queries[row].text)}</th>'
        + "".join(f"<td {_shade(value, peak)}>{1000 * value:.1f}</td>" for value in map(float, values))
        + "</tr>"
        for row, values in zip(rows, shown, strict=True)
    )
    left_out = len(explanation.document.words) - len(columns) + len(explanation.query.words) - len(rows)
    note = f" Of long texts the {MOST_WORDS} words that add most." if left_out else ""
    return f"""<p class="soft">Rows are words of the query, columns words of the document, in thousandths.{note}</p>
<div class="scroll" role="region" aria-label="Every word of the query with every word of the document" tabindex="0">
<table>
<thead><tr><td></td>{heading}</tr></thead>
<tbody>
{body}
</tbody></table></div>"""


def _strongest(parts: "tuple[Part, ...]") -> list[int]:
    """Give the places of the words that add most, in the order of the text."""
    words = [place for place, part in enumerate(parts) if part.kind == "word"]
    return sorted(sorted(words, key=lambda place: -parts[place].contribution)[:MOST_WORDS])


def _shade(value: float, peak: float) -> str:
    share = abs(value) / peak if peak else 0.0
    return f'class="{"more" if value >= 0 else "less"}" style="--share: {share:.3f}"'
