"""The page: nothing from outside, nothing that a text could start, everything that the map shows."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtekit.errors import ArgumentError
from gtekit.tasks.clusters import cluster_vectors, map_page, write_map_page
from tests.tasks.clusters.maps import AWKWARD, small_map


class Page(HTMLParser):
    """What a browser would find: elements, attributes, and the contents of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        (self.scripts if self.tags and self.lasttag == "script" and data.strip() else self.words).append(data)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_texts_with_markup_stay_texts() -> None:
    page = map_page(small_map())
    found = Page(page)
    assert found.tags.count("script") == 2
    assert page.count("</script") == 2
    assert "alert(1)" not in "".join(found.words)
    assert not {"b", "i"} & set(found.tags)
    texts = data_of(page)["texts"]
    assert texts[:4] == list(AWKWARD[:4])
    assert texts[4] == "half ? a pair"


def test_the_title_is_escaped_and_places_in_it_are_left_alone() -> None:
    page = map_page(small_map())
    assert "<h1>&lt;Title&gt; &amp; &quot;more&quot; {{data}}</h1>" in page
    assert "How &lt;it&gt; was made." in page


def test_nothing_comes_from_outside() -> None:
    page = map_page(small_map())
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", page)
    assert not {"link", "img", "iframe", "object", "embed"} & set(Page(page).tags)
    assert not {"src", "href", "action"} & {name for name, _ in Page(page).attributes}
    assert "default-src 'none'" in page
    assert "innerHTML" not in page


def test_every_point_has_its_place_text_and_cluster() -> None:
    drawn = small_map()
    data = data_of(map_page(drawn))
    assert data["labels"] == drawn.clusters.labels.tolist()
    assert np.allclose(np.array([data["x"], data["y"]]).T, drawn.points, atol=1e-4)
    assert [cluster["size"] for cluster in data["clusters"]] == [cluster.size for cluster in drawn.clusters.clusters]
    assert [cluster["name"] for cluster in data["clusters"]] == list(drawn.clusters.names)
    marks = [(cluster["color"], cluster["shape"]) for cluster in data["clusters"]]
    assert len(set(marks)) == len(marks)


def test_the_curve_is_there_where_a_number_was_chosen() -> None:
    drawn = small_map()
    assert "4 clusters have the largest silhouette" in map_page(drawn)
    plain = replace(drawn, clusters=replace(drawn.clusters, count_choice=None))
    assert "<details>" not in map_page(plain)


def test_long_texts_are_cut_and_of_many_points_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtekit.tasks.clusters.map.MOST_POINTS", 10)
    drawn = small_map()
    page = map_page(replace(drawn, texts=["long " * 200, *drawn.texts[1:]]))
    data = data_of(page)
    assert len(data["texts"]) == len(data["x"]) == 10
    assert (data["rows"][0], data["rows"][-1]) == (1, len(drawn.texts))
    assert len(data["texts"][0]) <= 400
    assert data["texts"][0].endswith("…")
    assert f"Of {len(drawn.texts)} texts 10 are drawn" in page


def test_a_map_of_nothing_is_a_page(tmp_path: Path) -> None:
    empty = np.empty((0, 2), np.float32)
    drawn = replace(small_map(), points=empty, texts=[], clusters=cluster_vectors(np.empty((0, 4), np.float32)))
    write_map_page(tmp_path / "map.html", drawn)
    assert data_of((tmp_path / "map.html").read_text(encoding="utf-8"))["texts"] == []


def test_points_and_texts_have_to_be_as_many() -> None:
    with pytest.raises(ArgumentError, match="42 points, 41 texts and 42 labels"):
        replace(small_map(), texts=small_map().texts[1:])
