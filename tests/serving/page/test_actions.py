"""What the page does, by keyboard alone and with the library's numbers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gtekit.serving.keys import sha256_of
from gtekit.serving.settings import ServerSettings
from gtekit.tasks import rank
from tests.serving.conftest import RunningServer, StartServer, running
from tests.serving.page.conftest import HOSTILE, TEXTS, OpenPage, attributes, open_tab, send, tab_to, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from gtekit import Embedder

QUERY = "where do pets rest?"
MAX_ABS_DIFF = 1e-6  # float32 vectors, added up in another order and in doubles


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> "Embedder":
    import gtekit

    return gtekit.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def two_models(minilm: "Embedder", tiny: "Embedder") -> Iterator[RunningServer]:
    settings = ServerSettings(port=0, model=("minilm", "tiny"), log="off")
    with running({"minilm": minilm, "tiny": tiny}, settings) as held:
        yield held


def paragraphs(page: "Page", panel: str) -> list[str]:
    return [str(text) for text in page.locator(f"#{panel} .readout p").all_text_contents()]


def test_a_text_shows_its_tokens_and_the_librarys_vector(open_page: OpenPage, minilm: "Embedder") -> None:
    page = open_page()
    assert "384 dimensions · 256 tokens" in page.inner_text("#model-facts")
    write(page, "text-input", HOSTILE)
    length = minilm.count_tokens([HOSTILE])[0]
    send(page, "text", f"{length} tokens of 256")
    assert page.locator("#text .tokens li").count() == length
    page.click("#text .copy-vector")
    page.locator("#text .copy-vector").filter(has_text="Copied").wait_for()
    copied = np.array(page.evaluate("navigator.clipboard.readText().then(JSON.parse)"), np.float32)
    assert np.array_equal(copied, minilm.encode_one(HOSTILE))
    assert page.evaluate("[window.hit, document.querySelectorAll('main img, main script').length]") == [None, 0]


def test_a_long_text_shows_where_it_is_cut(open_page: OpenPage, minilm: "Embedder") -> None:
    text = "the quick brown fox jumps " * 60
    length = minilm.count_tokens([text])[0]
    page = open_page()
    write(page, "text-input", text)
    send(page, "text", f"{length} tokens, and the model reads 256: the last {length - 256} before [SEP] are cut.")
    states = page.eval_on_selector_all("#text .tokens li", "all => all.map(one => one.className)")
    assert states.index("scissors") == 255  # [CLS] and 254 tokens are read, then [SEP]
    assert states.count("cut") == length - 256
    assert states[-1] == "special"
    assert page.locator("#text .scissors").is_visible()


def test_the_heat_map_has_the_librarys_cosines_and_is_walked_with_arrows(
    open_page: OpenPage, minilm: "Embedder"
) -> None:
    page = open_page(width=390)
    open_tab(page, "similarity")
    write(page, "similarity-input", "\n".join(TEXTS))
    send(page, "similarity", "4 texts")
    vectors = minilm.encode(TEXTS)
    scores = np.array(attributes(page, ".heat tbody td", "score"), float).reshape(4, 4)
    assert np.abs(scores - minilm.similarity(vectors, vectors)).max() < MAX_ABS_DIFF
    shown = page.locator(".heat tbody td").all_inner_texts()
    assert np.abs(np.array(shown, float) - scores.ravel()).max() <= 0.005 + 1e-9
    assert f"Most alike: {scores[0, 1]:.4f}" in page.inner_text("#similarity .readout")
    page.keyboard.press("Tab")  # the button
    page.keyboard.press("Tab")  # the table is one stop
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert paragraphs(page, "similarity")[1:] == [f"3 {TEXTS[2]}", f"2 {TEXTS[1]}"]


def test_documents_are_ranked_as_the_library_ranks_them(open_page: OpenPage, minilm: "Embedder") -> None:
    page = open_page()
    open_tab(page, "ranking")
    write(page, "ranking-query", QUERY)
    write(page, "ranking-input", "\n".join(TEXTS))
    send(page, "ranking", "4 documents, nearest first.")
    expected = rank(minilm, QUERY, TEXTS)
    assert attributes(page, ".ranking li", "index") == [str(found.index) for found in expected]
    scores = np.array(attributes(page, ".ranking li", "score"), float)
    assert np.abs(scores - [found.score for found in expected]).max() < MAX_ABS_DIFF
    assert HOSTILE in page.inner_text(".ranking")


def test_the_map_is_the_plane_of_the_two_principal_components(open_page: OpenPage, minilm: "Embedder") -> None:
    texts = [*TEXTS, "Interest rates went up.", "How do I bake bread?", "Dough needs time."]
    page = open_page()
    open_tab(page, "map")
    write(page, "map-input", "\n".join(texts))
    send(page, "map", "7 texts")
    circles = page.eval_on_selector_all(
        ".map circle", "all => all.map(one => [one.cx.baseVal.value, one.cy.baseVal.value])"
    )
    drawn = np.array(circles) * [1, -1]  # the axis of a picture points down
    vectors = minilm.encode(texts).astype(float)
    centred = vectors - vectors.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    found = drawn - drawn.mean(axis=0)
    found *= np.linalg.norm(expected) / np.linalg.norm(found)  # one scale, for both axes
    found *= np.sign((found * expected).sum(axis=0))  # the direction of a component is free
    assert np.abs(found - expected).max() < 1e-4
    assert f"{round(100 * float((sizes[:2] ** 2).sum() / (sizes**2).sum()))} %" in page.inner_text("#map .summary")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    place = int(page.evaluate("document.activeElement.dataset.place"))
    near = np.argsort(-minilm.similarity(vectors[[place]].astype(np.float32), vectors.astype(np.float32))[0])
    told = paragraphs(page, "map")
    assert told[0] == texts[place]
    assert [line.partition(" ")[2] for line in told[1:]] == [texts[i] for i in near[1:4]]


def test_an_action_has_an_address(open_page: OpenPage, server: RunningServer) -> None:
    page = open_page(f"{server.url}/#/map")
    assert page.locator("#map").is_visible()
    page.keyboard.press("Tab")
    tab_to(page, "tab-map")
    page.keyboard.press("Home")
    assert page.url == f"{server.url}/#/text"
    assert page.locator("#map").is_hidden()


def test_equal_texts_are_drawn_too(open_page: OpenPage) -> None:
    page = open_page()
    for panel in ("similarity", "map"):
        page.click(f"#tab-{panel}")
        page.fill(f"#{panel}-input", "the same\nthe same\nthe same")
        page.click(f"#{panel} .primary")
        page.locator(f"#{panel} .summary").filter(has_text="3 texts").wait_for()
        assert "NaN" not in page.inner_html(f"#{panel} .outcome")


def test_what_the_api_refuses_is_said_in_its_words(open_page: OpenPage, start_server: StartServer) -> None:
    page = open_page(start_server(max_text_chars=50).url, statuses=(400, 422))
    open_tab(page, "ranking")
    write(page, "ranking-query", "x" * 51)
    page.keyboard.press("Control+Enter")
    problem = page.locator("#ranking [role=alert]")
    problem.filter(has_text="query has 51 characters, the limit is 50").wait_for()
    assert re.match(r"4\d\d: .*\(request [0-9a-f]{32}\)$", problem.inner_text())


@pytest.mark.parametrize(
    ("panel", "field", "text", "said"),
    [
        ("text", "text-input", "", "Write a text first."),
        ("ranking", "ranking-query", "", "Write a query first."),
        ("ranking", "ranking-input", "", "Write 1 line or more, a text on each."),
        ("similarity", "similarity-input", "alone", "Write 2 lines or more, a text on each."),
    ],
)
def test_what_is_not_there_is_asked_for_without_the_api(
    open_page: OpenPage, panel: str, field: str, text: str, said: str
) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.click(f"#tab-{panel}")
    page.fill(f"#{field}", text)
    page.click(f"#{panel} .primary")
    page.locator(f"#{panel} [role=alert]").filter(has_text=said).wait_for()
    assert "POST" not in asked


def test_a_key_is_asked_for_and_stays_in_the_tab(
    open_page: OpenPage, start_server: StartServer, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[[key]]\nname = "tester"\nsha256 = "{sha256_of("s3cret")}"\n')
    page = open_page(start_server(keys_file=keys).url, statuses=(401,))
    page.locator("#model-facts").filter(has_text="401:").wait_for()
    assert page.evaluate("document.activeElement.id") == "key"
    page.keyboard.insert_text("s3cret")
    page.keyboard.press("Enter")
    page.locator("#model-facts").filter(has_text="384 dimensions").wait_for()
    page.click("#text .primary")
    page.locator("#text .result").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
    code = page.locator("#text .code pre").all_text_contents()
    assert not any("s3cret" in text for text in code)
    assert all("GTEKIT_API_KEY" in text for text in code)


def test_the_page_waits_for_models_that_are_being_loaded(open_page: OpenPage, start_server: StartServer) -> None:
    server = start_server()
    models, server.state.models = server.state.models, None
    page = open_page(server.url, statuses=(503,))
    page.locator("#model-facts").filter(has_text="503: the models are being loaded").wait_for()
    server.state.models = models
    page.locator("#model-facts").filter(has_text="384 dimensions").wait_for(timeout=5000)


def test_one_of_several_models_can_be_chosen(open_page: OpenPage, two_models: RunningServer, tiny: "Embedder") -> None:
    page = open_page(two_models.url)
    page.select_option("#model", "tiny")
    page.locator("#model-facts").filter(has_text="32 dimensions").wait_for()
    for name in ("similarity", "ranking"):
        page.click(f"#tab-{name}")
        page.fill(f"#{name}-input", "\n".join(TEXTS))
        page.click(f"#{name} .primary")
        page.locator(f"#{name} .result").wait_for()
    assert "Cut at the model's length: line 3." in page.inner_text("#similarity .summary")
    assert "Cut at the model's length: line 3." in page.inner_text("#ranking .summary")
    vectors = tiny.encode(TEXTS, on_truncation="ignore")
    scores = np.array(attributes(page, ".heat tbody td", "score"), float).reshape(4, 4)
    assert np.abs(scores - tiny.similarity(vectors, vectors)).max() < MAX_ABS_DIFF
    expected = rank(tiny, page.input_value("#ranking-query"), TEXTS, on_truncation="ignore")
    assert attributes(page, ".ranking li", "index") == [str(found.index) for found in expected]
    assert '"model": "tiny"' in page.inner_text("#ranking .code pre")


@pytest.mark.slow
def test_live_numbers_come_from_the_metrics(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#live-tokens").filter(has_text=re.compile(r"\d")).wait_for(timeout=10_000)
    page.click("#text .primary")
    page.locator("#live-tokens").filter(has_text=re.compile(r"[1-9]")).wait_for(timeout=10_000)
    assert page.locator("#live polyline").count() == 3
