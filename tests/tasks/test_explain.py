"""Explanations: the parts add up to the cosine that the model gives, and stand where they say."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.errors import ArgumentError, FileFormatError, TextTypeError, TruncationError, TruncationWarning
from gtekit.tasks import Explanation, explain
from gtekit.tasks.explain import Side

QUERY = "how to implement quick sort in python?"
DOCUMENT = "Quicksort in Python: pick a pivot. The weather in Beijing is fine."
ROUNDING = 2e-6  # float32: the engine adds up and divides in another order

Texts = st.text(alphabet="ab Éß京\n.,-'\u0301😀<&\"", max_size=60)


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> gtekit.Embedder:
    folder = write_seeded_checkpoint(tmp_path_factory.mktemp("prompted"), size="tiny")
    settings_file = folder / "config_sentence_transformers.json"
    prompts = {"prompts": {"query": "query: ", "document": "a passage: "}, "default_prompt_name": None}
    settings_file.write_text(json.dumps(prompts))
    return gtekit.load(folder, language_warning=False)


def check_sums(model: gtekit.Embedder, explanation: Explanation) -> None:
    texts = explanation.query.text, explanation.document.text
    query = model.encode_query([texts[0]], normalize=True, on_truncation="ignore")
    document = model.encode_document([texts[1]], normalize=True, on_truncation="ignore")
    assert explanation.score == pytest.approx(float((query @ document.T)[0, 0]), abs=ROUNDING)
    assert explanation.matrix.shape == (len(explanation.query.parts), len(explanation.document.parts))
    assert explanation.matrix.sum() == pytest.approx(explanation.score, abs=1e-12)
    for axis, side in ((1, explanation.query), (0, explanation.document)):
        contributions = [part.contribution for part in side.parts]
        assert contributions == pytest.approx(explanation.matrix.sum(axis=axis).tolist(), abs=1e-12)
        assert sum(contributions) == pytest.approx(explanation.score, abs=1e-12)
        assert sum(part.contribution for part in side.words) + side.rest == pytest.approx(explanation.score, abs=1e-12)


def check_places(model: gtekit.Embedder, side: Side, prompt: str = "") -> None:
    assert [side.parts[0].text, side.parts[-1].text] == ["[CLS]", "[SEP]"]
    at = 0
    for part in side.words:
        assert part.start is not None
        assert part.end is not None
        assert at <= part.start <= part.end
        assert side.text[part.start : part.end] == part.text
        at = part.end
    if side.cut_at is None:
        assert sum(part.tokens for part in side.parts) == model.count_tokens([prompt + side.text])[0]
    else:
        assert sum(part.tokens for part in side.parts) == model.max_tokens


@settings(deadline=None, max_examples=60)
@given(query=Texts, document=Texts)
def test_contributions_of_any_two_texts_add_up_to_their_cosine(
    tiny: gtekit.Embedder, query: str, document: str
) -> None:
    explanation = explain(tiny, query, document, on_truncation="ignore")
    check_sums(tiny, explanation)
    check_places(tiny, explanation.query)
    check_places(tiny, explanation.document)


@settings(deadline=None, max_examples=30)
@given(query=Texts, document=Texts)
def test_prompts_are_parts_of_their_own(prompted: gtekit.Embedder, query: str, document: str) -> None:
    explanation = explain(prompted, query, document, on_truncation="ignore")
    check_sums(prompted, explanation)
    for side, prompt in ((explanation.query, "query: "), (explanation.document, "a passage: ")):
        check_places(prompted, side, prompt)
        assert [part.text for part in side.parts if part.kind == "prompt"] == [prompt]
        assert side.parts[1].kind == "prompt"


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_real_model_s_cosine_is_taken_apart(minilm_folder: str, precision: gtekit.config.Precision) -> None:
    model = gtekit.load(minilm_folder, precision=precision)
    explanation = explain(model, QUERY, DOCUMENT)
    check_sums(model, explanation)
    words = {part.text: part.contribution for part in explanation.document.words}
    assert max(words, key=words.__getitem__) == "Quicksort"
    assert words["Python"] > words["Beijing"]
    assert {match.query.text for match in explanation.matches(2)} <= {"quick", "sort", "python"}


def test_words_are_whole_and_punctuation_stands_alone(tiny: gtekit.Embedder) -> None:
    explanation = explain(tiny, "Crème brûlée, 北京!", "b")
    assert [part.text for part in explanation.query.words] == ["Crème", "brûlée", ",", "北", "京", "!"]
    assert explanation.query.words[1].start == 6


def test_matches_are_pairs_of_words_the_largest_first(minilm: gtekit.Embedder) -> None:
    explanation = explain(minilm, QUERY, DOCUMENT)
    count = len(explanation.query.words) * len(explanation.document.words)
    matches = explanation.matches(top_k=10_000)
    assert len(matches) == count
    assert [match.contribution for match in matches] == sorted((m.contribution for m in matches), reverse=True)
    row = explanation.query.parts.index(matches[0].query)
    column = explanation.document.parts.index(matches[0].document)
    assert explanation.matrix[row, column] == matches[0].contribution
    assert explain(minilm, "", DOCUMENT).matches() == []


def test_the_cut_of_a_long_text_is_told(tiny: gtekit.Embedder) -> None:
    text = "one two three " * 50
    with pytest.warns(TruncationWarning):
        explanation = explain(tiny, "a", text)
    check_sums(tiny, explanation)
    check_places(tiny, explanation.document)
    (cut,) = tiny.truncation_report([text])
    assert explanation.document.cut_at == cut.cut_at
    assert explanation.query.cut_at is None
    with pytest.raises(TruncationError):
        explain(tiny, "a", text, on_truncation="error")


def test_a_model_that_pools_otherwise_is_refused(tmp_path: Path) -> None:
    folder = write_seeded_checkpoint(tmp_path, size="tiny")
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    )
    with pytest.raises(ArgumentError, match=r"pooling='cls'.*mean pooling"):
        explain(gtekit.load(folder, language_warning=False), "a", "b")


def test_what_is_no_text_is_refused(tiny: gtekit.Embedder) -> None:
    with pytest.raises(TextTypeError, match="document is a list"):
        explain(tiny, "a", ["b"])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="on_truncation='chunk' is not possible for explain"):
        explain(tiny, "a", "b", on_truncation="chunk")
    for top_k in (-1, 0, 1.5):
        with pytest.raises(ArgumentError, match=f"top_k={top_k}"):
            explain(tiny, "a", "b").matches(top_k)  # type: ignore[arg-type]


def test_plain_values_are_json_and_add_up(tiny: gtekit.Embedder) -> None:
    values = json.loads(json.dumps(explain(tiny, QUERY, DOCUMENT).to_dict()))
    assert sum(part["contribution"] for part in values["document"]["parts"]) == pytest.approx(values["score"])
    assert np.array(values["matrix"]).sum() == pytest.approx(values["score"])


class PageReader(HTMLParser):
    """Collects what a page shows and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_both_texts_and_loads_nothing(tiny: gtekit.Embedder, tmp_path: Path) -> None:
    hostile = 'a <script>alert("x")</script> & "quoted" </style>\nsecond line'
    explain(tiny, hostile, hostile).write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    reader = PageReader()
    reader.feed(page)
    assert hostile in reader.text
    assert "script" not in reader.tags
    assert reader.tags.count("style") == 1
    assert reader.addresses == []
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_page_of_long_texts_stays_small_and_says_what_was_not_read(minilm: gtekit.Embedder, tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(3000))
    explain(minilm, text, text, on_truncation="ignore").write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(page) < 200_000
    assert "more characters that were not read" in page
    assert "Of long texts the 30 words that add most." in page


def test_a_page_that_can_not_be_written_is_said_with_its_folder(tiny: gtekit.Embedder, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no file can be made"):
        explain(tiny, "a", "b").write_html(tmp_path / "none" / "page.html")


def test_empty_texts_have_a_page_too(tiny: gtekit.Embedder, tmp_path: Path) -> None:
    explain(tiny, "", " ").write_html(tmp_path / "page.html")
    assert "(empty)" in (tmp_path / "page.html").read_text(encoding="utf-8")
