"""The picture of a measurement: valid, self-contained SVG."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from gtekit.bench import Bench, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_valid_and_loads_nothing(measured: Bench) -> None:
    svg = draw(replace(measured, model="a <b> & c", source='"mine"'))
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert "href" not in svg
    assert svg.count("http") == 1  # the name of the format itself
    words = "".join(root.itertext())
    for expected in ("a <b> & c", '"mine"', "float32", "int8 p99", "query key value"):
        assert expected in words


def test_bars_fit_and_the_parts_fill_theirs(measured: Bench) -> None:
    root = ET.fromstring(draw(measured))
    bars = [float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect") if bar.attrib.get("class") == "bar"]
    assert len(bars) == 2 + 6 + 2
    assert all(0 <= width <= 600 for width in bars)
    stacked = [
        float(part.attrib["width"])
        for part in root.iter(f"{SVG}rect")
        if part.attrib.get("height") == "20" and "fill" in part.attrib
    ]
    assert abs(sum(stacked) - 1200) < 2


def test_one_precision_can_be_drawn(measured: Bench) -> None:
    ET.fromstring(draw(replace(measured, measured=measured.measured[:1])))
