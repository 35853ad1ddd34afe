"""Plots: true to their numbers, inside their frames, labels beside and not on one another."""

import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from gtekit.evaluation.report import Report
from gtekit.evaluation.report.content import Comparison, Point, Scatter, TaskDifference
from gtekit.evaluation.report.plots import PLOTS, Plot
from gtekit.evaluation.report.plots.place import Box, place_labels
from gtekit.evaluation.report.plots.svg import log_ticks, shorten, text_width, ticks
from gtekit.evaluation.report.style import DARK, LIGHT


def drawn(report: Report, name: str) -> list[Plot]:
    plots = PLOTS[name](report)
    assert plots
    return plots


def elements(svg: str, tag: str, kind: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter(tag) if kind in (one.get("class") or "").split()]


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_valid_and_stay_in_their_frames(report: Report, name: str) -> None:
    for plot in drawn(report, name):
        assert plot.about
        for svg, width in ((plot.wide, 760), (plot.narrow, 360)):
            root = ET.fromstring(svg)
            frame = [float(value) for value in (root.get("viewBox") or "").split()]
            assert frame[:3] == [0, 0, width]
            for one in root.iter():
                for attribute, limit in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", frame[3])):
                    assert 0 <= float(one.get(attribute) or 0) <= limit, ET.tostring(one)


def test_a_bar_is_as_long_as_its_score_and_the_line_stands_at_the_published_one(report: Report) -> None:
    one = next(one for one in report.categories if one.category == "Summarization")
    alone = replace(report, categories=(one,))
    (plot,) = drawn(alone, "categories")
    (track,), (bar,), (line,) = (
        elements(plot.wide, *what) for what in (("rect", "track"), ("rect", "bar"), ("line", "published"))
    )
    length = float(track.get("width") or 0)
    assert one.measured.mean is not None
    assert one.published is not None
    assert float(bar.get("width") or 0) == pytest.approx(length * one.measured.mean / 100, abs=0.1)
    at = float(track.get("x") or 0) + length * one.published / 100
    assert float(line.get("x1") or 0) == pytest.approx(at, abs=0.1)
    assert "1 of 1" in plot.wide


def test_differences_stand_around_zero_with_their_intervals() -> None:
    tasks = (
        TaskDifference(task="up", category="STS", first=1, second=0, value=0.1, low=0.05, high=0.15, is_real=True),
        TaskDifference(task="down", category="STS", first=0, second=1, value=-0.1, low=-0.3, high=0.1, is_real=False),
        TaskDifference(task="bare", category="STS", first=0, second=0, value=0.0, untested="no items"),
    )
    comparison = Comparison(
        first="a",
        second="b",
        tasks=tasks,
        left_out={},
        mean=0.0,
        won=1,
        lost=0,
        undecided=1,
        untested=1,
        by_chance=0.1,
        largest_loss=tasks[1],
    )
    plot = PLOTS["precisions"](replace_precisions(comparison))[0]
    assert "Of 1 the interval is not known." in plot.about
    dots = elements(plot.wide, "circle", "dot")
    up, down, bare = (float(dot.get("cx") or 0) for dot in dots)
    assert up - bare == pytest.approx(bare - down, abs=0.2)
    assert ["open" in (dot.get("class") or "") for dot in dots] == [False, True, True]
    (axis,) = elements(plot.wide, "line", "axis")
    assert float(axis.get("x1") or 0) == pytest.approx(bare, abs=0.1)
    (band,) = elements(plot.wide, "rect", "band")
    assert float(band.get("width") or 0) == pytest.approx(4 * (up - bare), abs=0.5)  # 0.4 wide, the dot is at 0.1
    whiskers = [line for line in elements(plot.wide, "line", "whisker") if line.get("y1") == line.get("y2")]
    assert len(whiskers) == 2
    assert float(whiskers[0].get("x2") or 0) - bare == pytest.approx(1.5 * (up - bare), abs=0.3)


def replace_precisions(comparison: Comparison) -> Report:
    empty = Scatter(points=(), tasks=(), left_out=(), why_empty="nothing")
    return Report(
        headline=(),
        page=(),
        categories=(),
        card_checks=(),
        agreements=(),
        tasks=(),
        settings=(),
        precisions=(comparison,),
        speeds=(),
        speed_groups=(),
        by_speed=empty,
        by_size=empty,
        sources=(),
    )


def test_score_and_speed_stand_on_axes_of_their_own(report: Report) -> None:
    points = tuple(Point(label=f"m{x}", x=x, y=y, is_measured=False) for x, y in ((10, 50), (100, 60), (1000, 70)))
    found = replace(report, by_speed=Scatter(points=points, tasks=("STS12",), left_out=()))
    (plot,) = drawn(found, "speed")
    places = sorted(
        (float(dot.get("cx") or 0), -float(dot.get("cy") or 0)) for dot in elements(plot.wide, "circle", "reference")
    )
    (x1, y1), (x2, y2), (x3, y3) = places
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)  # each ten times the one before: a logarithmic axis
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.2)
    assert "Mean score over the 1 task that all of them have: STS12." in plot.about
    assert "m10 50.00 at 10 texts a second" in plot.wide


def test_one_model_alone_can_be_drawn(report: Report) -> None:
    found = replace(report, by_speed=replace(report.by_speed, points=report.by_speed.points[:1]))
    assert drawn(found, "speed")[0].wide


def test_models_in_one_place_are_both_seen(report: Report) -> None:
    labels = report.labels
    points = tuple(Point(label=label, x=5.0, y=5.0, is_measured=True) for label in (labels[0], labels[0]))
    (plot,) = drawn(replace(report, by_speed=Scatter(points=points, tasks=("STS12",), left_out=())), "speed")
    first, second = (float(one.get("r") or 0) for one in elements(plot.wide, "circle", "mark"))
    assert first > second  # the larger lies beneath


def test_labels_do_not_lie_on_one_another_nor_on_marks() -> None:
    generator = np.random.default_rng(4)
    frame = Box(40, 20, 700, 330)
    points = [(float(x), float(y)) for x, y in generator.uniform((80, 60), (640, 310), (10, 2))]
    placed = place_labels(points, [f"model-{number}@float32" for number in range(10)], frame)
    assert all(one.box.shared(two.box) == 0 for one, two in itertools.combinations(placed, 2))
    marks = [Box(x - 6, y - 6, 12, 12) for x, y in points]
    assert all(one.box.shared(mark) == 0 for one in placed for mark in marks)
    for one in placed:
        assert frame.x <= one.box.x
        assert one.box.x + one.box.width <= frame.x + frame.width + 1


def test_labels_of_points_in_one_place_are_all_placed() -> None:
    placed = place_labels([(300.0, 150.0)] * 6, ["one name of a model"] * 6, Box(0, 0, 700, 300))
    assert all(one.box.shared(two.box) == 0 for one, two in itertools.combinations(placed, 2))
    wide = place_labels([(5.0, 5.0)], ["x" * 300], Box(0, 0, 100, 50))  # has no place at all
    assert len(wide) == 1


def test_ticks_are_round_and_between_the_ends() -> None:
    assert ticks(-0.45, 0.45, 8) == [-0.4, -0.2, 0, 0.2, 0.4]
    assert ticks(71.3, 76.4, 6) == [72, 73, 74, 75, 76]
    assert ticks(0, 100, 4) == [0, 50, 100]
    assert log_ticks(0.02, 13, 8) == [0.03, 0.1, 0.3, 1, 3, 10]
    assert log_ticks(120, 900, 8) == [200, 300, 500, 700]


def test_a_text_that_is_too_wide_is_cut_with_a_sign() -> None:
    assert shorten("short", 100) == "short"
    cut = shorten("a long name of a model", 60)
    assert cut.endswith("…")
    assert text_width(cut) <= 60


def relative_luminance(color: str) -> float:
    values = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("colors", "ground"), [(LIGHT, "#ffffff"), (DARK, "#171b22")])
def test_marks_stand_out_from_their_ground(colors: tuple[str, ...], ground: str) -> None:
    for color in colors:
        dark, light = sorted((relative_luminance(color), relative_luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 2.1, 1.4.11
