"""The files of a report: whole, equal in their numbers, and safe whatever a name holds."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gtekit.evaluation.report import Report, build_report, write_html, write_markdown, write_report
from gtekit.evaluation.report.rows import csv_text, json_text
from gtekit.evaluation.results import ResultStore
from tests.evaluation.report.scores import MINILM, evaluated, fill, items, score

HOSTILE = "a<script>alert(1)</script>|`*&\"'\n# b"
VOID = {"meta", "wbr", "br"}


class Page(HTMLParser):
    """Checks that every element ends where it should, and gathers what is on the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data if self.open and self.open[-1] != "style" else ""


@pytest.fixture(scope="module")
def written(report: Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    paths = write_report(report, tmp_path_factory.mktemp("made") / "deep" / "report")
    assert [path.name for path in paths] == ["report.md", "report.csv", "report.json", "report.html"]
    return {path.suffix: path.read_text(encoding="utf-8") for path in paths}


def test_files_replace_those_before_and_leave_no_others(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("old")
    write_report(report, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(first) == {"report.md", "report.csv", "report.json", "report.html"}
    write_report(report, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first  # the same scores, the same bytes


def test_a_write_that_fails_leaves_the_old_file(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(OSError, match="No space"):
        write_html(report, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_csv_has_a_row_for_each_model_and_task_with_every_field(report: Report, written: dict[str, str]) -> None:
    rows = list(csv.DictReader(written[".csv"].splitlines()))
    assert len(rows) == len(report.tasks) == 16
    by = {(row["label"], row["task"]): row for row in rows}
    row = by[f"{MINILM}@int8", "STS12"]
    assert float(row["score"]) - float(row["published"]) == pytest.approx(float(row["difference"]))
    assert (row["model"], row["precision"], row["settings"]) == (MINILM, "int8", "default")
    assert (row["category"], row["metric"], row["published_by"]) == ("STS", "cosine_spearman", "MTEB team")
    assert (row["texts"], row["texts_embedded"], row["embed_s"], row["texts_per_s"]) == ("1000", "900", "1.5", "600.0")
    assert (json.loads(row["versions"]), json.loads(row["prompts"])) == ({"gtekit": "1.0"}, {"symmetric": ""})
    partial = by["gte-small@float32", "STS12"]
    assert (partial["is_partial"], partial["difference"], partial["not_compared"]) == ("True", "", "partial data")


def test_json_has_everything(report: Report, written: dict[str, str]) -> None:
    value = json.loads(written[".json"])
    assert value["format"] == 1
    assert value["tasks"][0]["measured"]["evaluated"]["model"] == MINILM
    assert value["precisions"][0]["lost"] == report.precisions[0].lost
    assert value["page"][0]["average"] == {"mean": 63.13, "tasks": 56, "of": 56}
    assert set(value) == {"format", *(name for name in Report.__slots__ if name != "labels")}


def test_numbers_that_are_none_become_null(tmp_path: Path) -> None:
    store = fill(tmp_path, [score("STS12", 70.0, scores={"p": float("nan")})])
    text = json_text(build_report(store.scores(), store))
    assert json.loads(text)["tasks"][0]["measured"]["scores"] == {"p": None}
    assert json.loads(next(csv.DictReader(csv_text(build_report(store.scores(), store)).splitlines()))["scores"]) == {
        "p": None
    }


def test_tables_of_markdown_have_as_many_cells_in_every_row(written: dict[str, str]) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", written[".md"], re.M)
    assert len(blocks) > 10
    for block in blocks:
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in block.splitlines()]
        assert len({len(row) for row in rows}) == 1
        assert all(set(cell.strip()) <= {"-", ":"} for cell in rows[1])


def test_markdown_shows_coverage_beside_the_mean(written: dict[str, str]) -> None:
    line = next(line for line in written[".md"].splitlines() if line.startswith(f"| {MINILM}@float32 |"))
    assert "| 4 of 56 (mean " in line
    assert "(2 of 10) |" in line


def test_the_page_loads_nothing_and_runs_nothing(written: dict[str, str]) -> None:
    page = Page(written[".html"])
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "data", "action"), (tag, name)
            assert name != "href" or (value or "").startswith("#")
    style = re.search(r"<style>(.*?)</style>", written[".html"], re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "prefers-color-scheme: dark" in style[1]


def test_the_page_can_be_read_without_seeing_it(written: dict[str, str]) -> None:
    page = Page(written[".html"])
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) == 8  # four plots, each for wide pages and for phones
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)
    boxes = [attributes for _, attributes in page.tags if attributes.get("class") == "scroll"]
    assert all(box["tabindex"] == "0" and box["role"] == "region" and box["aria-label"] for box in boxes)
    anchors = {attributes.get("href", "") or "" for tag, attributes in page.tags if tag == "a"}
    assert {f"#{attributes['id']}" for tag, attributes in page.tags if tag == "section"} == anchors
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert ("html", {"lang": "en"}) in page.tags


def test_every_text_is_escaped_in_every_file(tmp_path: Path) -> None:
    of, int8 = evaluated(HOSTILE), evaluated(HOSTILE, precision="int8")
    store = ResultStore(tmp_path)
    for one, points in ((of, 50.0), (int8, 49.0)):
        hostile = score(
            "STS12",
            points,
            one,
            machine=HOSTILE,
            prompts={"symmetric": HOSTILE},
            versions={HOSTILE: HOSTILE},
            data=replace(score("STS12", 1.0).data, difference=HOSTILE, source=HOSTILE),
        )
        store.write(hostile, items(np.full(9, points / 100)))
    report = build_report(store.scores(), store)
    write_report(report, tmp_path / "report")
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert "<script" not in html
    assert "a<script>alert(1)</script>|`*&\"'" in page.words
    with (tmp_path / "report" / "report.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["model"] == HOSTILE
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "a&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`\\*&amp;" in text
    assert sum(line.startswith("#") for line in text.splitlines()) == 7  # the title and six parts, none from a name


def test_a_report_of_own_data_alone_has_sentences_where_plots_would_be(tmp_path: Path) -> None:
    store = fill(tmp_path / "results", [score("my own", 50.0, size_bytes=None, embed_s=0.0)])
    report = build_report(store.scores(), store)
    write_markdown(report, tmp_path / "report.md")
    write_html(report, tmp_path / "report.html")
    words = Page((tmp_path / "report.html").read_text(encoding="utf-8")).words
    assert words.count("Nothing to draw:") == 4
    assert "No model has been measured on the same tasks in float32 and in int8." in words
