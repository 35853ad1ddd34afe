"""The demo's picture: valid, self-contained SVG, whatever is in the texts."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from gtekit.demo import Answer, Picture, wheel_of

EMBEDDINGS = np.random.default_rng(0).standard_normal((60, 16)).astype(np.float32)
FAMILIES = [[None, "files", "text and patterns", "network <and> mail"][number % 4] for number in range(60)]


def picture(**changes: object) -> str:
    parts: dict[str, object] = {
        "title": "A & B",
        "subtitle": "<fast>",
        "texts": ["one", "two & three"],
        "cosines": np.array([[1, -0.2], [-0.2, 1]], np.float32),
        "points": wheel_of(EMBEDDINGS, FAMILIES),
        "families": FAMILIES,
        "answers": [Answer("why?", ["a" * 80], ["text"], [0.5])],
    }
    return Picture(**{**parts, **changes}).svg()  # type: ignore[arg-type]


def test_the_picture_is_valid_and_loads_nothing() -> None:
    svg = picture()
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert "href" not in svg
    assert svg.count("http") == 1  # the name of the format itself
    assert "@import" not in svg
    assert "prefers-color-scheme: dark" in svg
    words = "".join(root.itertext())
    assert "two & three" in words
    assert "<fast>" in words
    assert "-20.0" in words


def test_a_bar_is_as_long_as_its_score_and_grey_dots_are_explained() -> None:
    svg = picture(answers=[Answer("why?", ["a", "b", "c"], ["", "", ""], [0.5, 1.0000001, -0.2])])
    bars = [bar.attrib["width"] for bar in ET.fromstring(svg).iter() if bar.attrib.get("class") == "bar"]
    assert bars == ["32.0", "64.0", "0.0"]
    assert "grey: other subjects" in svg


@pytest.mark.parametrize("families", [[None] * 60, ["files"] * 60])
def test_texts_of_one_family_or_none_can_be_drawn(families: list[str | None]) -> None:
    ET.fromstring(picture(points=wheel_of(EMBEDDINGS, families), families=families, answers=[]))


def test_every_text_lies_in_the_wheel_nearest_to_the_family_that_it_is_like() -> None:
    places = wheel_of(EMBEDDINGS, FAMILIES)
    assert places.shape == (60, 2)
    assert (np.linalg.norm(places, axis=1) <= 1).all()
