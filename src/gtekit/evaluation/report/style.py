"""How the HTML page looks: light and dark, wide and on a phone. Nothing is loaded."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"

# Six colours for marks: any two are 18 or more apart (CIE 1976), also as those see them who lack one of the three cones
# (Machado, Oliveira and Fernandes 2009), and each has a contrast of 3.2 or more to its ground. Shapes differ as well.
LIGHT = ("#2563c9", "#d86600", "#2f9c7c", "#a77dd4", "#1b325e", "#880f37")
DARK = ("#6e9bff", "#faa74c", "#9beeb6", "#9a62ad", "#e5eeff", "#e75767")

_VARIABLES_LIGHT = """
  --ink: #1d2433; --soft: #586173; --ground: #f4f4f1; --card: #ffffff; --edge: #dcdfe4; --track: #e9ebee;
  --band: #e3ecf8; --grid: #e6e8ec; --axis: #7b8494; --stripe: #f7f8f9;
"""
_VARIABLES_DARK = """
  --ink: #e8eaf0; --soft: #a3acbc; --ground: #0f1217; --card: #171b22; --edge: #2f3642; --track: #2a303b;
  --band: #1d2c42; --grid: #272d38; --axis: #8d97a8; --stripe: #1b2028;
"""


def _series(colors: tuple[str, ...]) -> str:
    return " ".join(f"--s{place}: {color};" for place, color in enumerate(colors))


STYLE = f"""
:root {{ color-scheme: light dark; {_VARIABLES_LIGHT} {_series(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_VARIABLES_DARK} {_series(DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 {FONT}; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 24px 20px 60px; }}
h1 {{ font-size: 1.7rem; line-height: 1.2; margin: 8px 0 4px; }} h2 {{ font-size: 1.25rem; margin: 0 0 10px; }}
h3 {{ font-size: 1rem; margin: 0; }}
p {{ margin: 6px 0; max-width: 75ch; }} .soft {{ color: var(--soft); }}
nav ul {{ display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 10px 0 18px; }}
a {{ color: var(--s0); }}
section {{ background: var(--card); border: 1px solid var(--edge); border-radius: 14px; }}
section {{ padding: 20px; margin: 0 0 20px; }}
section > * + * {{ margin-top: 12px; }}
ul.facts {{ margin: 0; padding-left: 1.2em; }} ul.facts li {{ margin: 4px 0; max-width: 90ch; }}
section > .table {{ margin-top: 20px; }}
.scroll {{ overflow-x: auto; border: 1px solid var(--edge); border-radius: 10px; }}
.scroll:focus-visible {{ outline: 3px solid var(--s0); outline-offset: 2px; }}
table {{ border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.86rem; }}
caption {{ display: none; }}
.caption {{ font-size: 0.92rem; font-weight: 600; margin: 0 0 6px; max-width: none; overflow-wrap: anywhere; }}
th, td {{ padding: 6px 8px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--edge); }}
tbody:last-child tr:last-child > * {{ border-bottom: 0; }}
thead th {{ color: var(--soft); font-weight: 600; vertical-align: bottom; font-size: 0.92em; }}
th.number, td.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
thead th.number {{ white-space: normal; }}
tbody th {{ font-weight: 500; position: sticky; left: 0; background: var(--card); min-width: 11rem; }}
td {{ white-space: nowrap; }} td.long {{ white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }}
tbody tr:hover > * {{ background: var(--stripe); }}
tbody tr.group th {{ position: static; font-weight: 600; color: var(--soft); background: var(--stripe); }}
tbody tr.group span {{ position: sticky; left: 11px; }}
td small, th small {{ display: block; color: var(--soft); font-size: 0.92em; font-weight: 400; }}
.notes {{ margin: 8px 0 0; padding: 0; list-style: none; font-size: 0.84rem; color: var(--soft); }}
.notes li {{ margin: 2px 0; max-width: 100ch; overflow-wrap: anywhere; }}
figure {{ margin: 0; }} section > figure {{ margin-top: 26px; }}
figcaption p {{ font-size: 0.86rem; color: var(--soft); max-width: 100ch; }}
figcaption p, figcaption h3 {{ overflow-wrap: anywhere; }}
svg {{ display: block; width: 100%; height: auto; margin-top: 10px; }}
.wide svg {{ max-width: 860px; }} .narrow {{ display: none; }}
svg text {{ font-family: {FONT}; font-size: 13px; fill: var(--ink); }}
svg .small, svg .soft {{ font-size: 12px; }} svg .soft {{ fill: var(--soft); }} svg .heading {{ font-weight: 600; }}
svg .label {{ paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; }}
svg .track {{ fill: var(--track); }} svg .band {{ fill: var(--band); }}
svg .grid {{ stroke: var(--grid); }} svg .axis {{ stroke: var(--axis); stroke-width: 1.4; }}
svg .dotted {{ stroke: var(--axis); stroke-dasharray: 2 3; }} svg .leader {{ stroke: var(--axis); stroke-width: 0.8; }}
svg .halo {{ stroke: var(--card); stroke-width: 5; }} svg .published {{ stroke: var(--ink); stroke-width: 2; }}
svg .reference {{ fill: none; stroke: var(--axis); stroke-width: 1.8; }}
svg .mark {{ stroke: var(--card); stroke-width: 1; fill-opacity: 0.9; }}
svg .whisker {{ stroke: var(--ink); stroke-width: 1.5; }}
svg .dot {{ fill: var(--s0); stroke: var(--s0); stroke-width: 2; }} svg .dot.open {{ fill: var(--card); }}
{" ".join(f"svg .s{place} {{ fill: var(--s{place}); }}" for place in range(len(LIGHT)))}
@media (max-width: 720px) {{
  main {{ padding: 14px 10px 40px; }} section {{ padding: 14px 12px; border-radius: 12px; }}
  h1 {{ font-size: 1.4rem; }}
  .wide {{ display: none; }} .narrow {{ display: block; }}
  th, td {{ padding: 6px 8px; }}
  tbody th {{ min-width: 8.5rem; max-width: 10rem; overflow-wrap: anywhere; }}
  td.long {{ min-width: 10rem; }}
}}
@media print {{
  body {{ background: none; }} section {{ break-inside: avoid-page; }} .scroll {{ overflow: visible; }}
}}
"""
