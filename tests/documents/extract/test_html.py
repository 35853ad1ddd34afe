"""HTML: what a person reads, in blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.documents.extract.html import extract_html


def text_of(markup: str) -> str:
    return extract_html(markup.encode()).text


def test_blocks_stand_on_lines_of_their_own_and_words_in_one() -> None:
    markup = "<body>\n<h1>A  title</h1>\n<p>One <b>bold</b>\nword.</p><p>Two<br>lines</p>"
    markup += "<ul><li>a</li><li>b <i>c</i></li></ul>"
    assert text_of(markup) == "A title\n\nOne bold word.\n\nTwo\nlines\n\n- a\n- b c"


def test_tables_keep_their_rows() -> None:
    assert text_of("<table><tr><th>a<th>b</tr><tr><td>1<td><p>2</p></tr></table>") == "a | b\n1\n\n2"
    assert text_of("<table><tr><td>1</td><td></td><td>3</td></tr></table>") == "1 | 3"


def test_preformatted_text_keeps_its_lines() -> None:
    assert text_of("<p>x</p><pre>def f():\n    return 1\n</pre><p>y</p>").startswith("x\n\ndef f():\n    return 1\n")


def test_scripts_styles_menus_and_what_is_hidden_are_left_out() -> None:
    markup = (
        "<head><title>T</title><style>p{}</style></head><body><nav><p>menu</p></nav><script>var x</script>"
        "<div role=navigation>more menu</div><div class='sphinxsidebar x'>side</div><p hidden>no</p>"
        "<noscript>no</noscript><template><p>no</p></template><!-- no --><p>yes<a class=headerlink href=#>¶</a></p>"
    )
    assert text_of(markup) == "yes"


def test_the_main_part_is_taken_where_the_page_says_which_it_is() -> None:
    assert text_of("<header>top</header><main><p>The point.</p></main><footer>bottom</footer>") == "The point."
    assert text_of("<main></main><p>The point.</p>") == "The point."


def test_the_title_and_the_sections_are_known() -> None:
    found = extract_html(
        b"<title>The\n guide</title><h1>The guide</h1>a<h2>Install &amp; run</h2>b<h3>Linux</h3>c<h2>Use</h2>d"
    )
    assert found.title == "The guide"
    assert [(found.text[part.start :].split("\n")[0], part.section) for part in found.parts] == [
        ("The guide", ""),
        ("Install & run", "Install & run"),
        ("Linux", "Install & run > Linux"),
        ("Use", "Use"),
    ]
    assert extract_html(b"<h1>Only a heading</h1>x").title == "Only a heading"


@pytest.mark.parametrize(
    "markup",
    [
        b"<meta charset=windows-1251><p>\xec\xe8\xf0",
        b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>\xec\xe8\xf0',
        b'<?xml version="1.0" encoding="windows-1251"?><html><p>\xec\xe8\xf0',
    ],
)
def test_the_declared_encoding_is_used(markup: bytes) -> None:
    assert extract_html(markup).text == "мир"


def test_markup_nested_without_end_is_read() -> None:
    assert text_of("<div>" * 20_000 + "deep" + "</div>" * 20_000) == "deep"
    assert text_of("<b>" * 5_000 + "deep") == "deep"


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<table>", "<td>", "<pre>", "</pre>", "<h2>", "<li>", "<", "a", " b "]))
)
def test_any_markup_gives_text_without_a_tag(pieces: list[str]) -> None:
    text = text_of("".join(pieces))
    assert "<p>" not in text
    assert text == text.lstrip() or "<pre>" in pieces


def test_a_heading_within_a_heading_leaves_the_parts_in_order() -> None:
    found = extract_html(b"<body><h1>Outer <div><h2>Inner</h2></div> end</h1><p>text</p><h2>Next</h2></body>")
    starts = [part.start for part in found.parts]
    assert len(starts) == 3
    assert starts == sorted(starts)
