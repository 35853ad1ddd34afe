"""The confusion matrix: counts that add up, and pictures that are files of their kind."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, FileFormatError, ShapeError
from gtekit.tasks.classification.confusion import MOST_CLASSES, confusion, draw_confusion

TRUTH = st.sampled_from(["a", "b", "c"])


@given(texts=st.lists(st.tuples(TRUTH, st.none() | TRUTH)))
def test_every_text_is_counted_once(texts: list[tuple[str, str | None]]) -> None:
    truths, labels = [truth for truth, _ in texts], [label for _, label in texts]
    found = confusion(truths, labels, ["a", "b"])
    assert found.texts == len(texts)
    assert found.right == sum(truth == label for truth, label in texts)
    assert found.unlabelled == labels.count(None)
    assert [int(row.sum()) for row in found.counts[:2]] == [truths.count("a"), truths.count("b")]


def test_a_true_label_that_is_never_given_has_a_row() -> None:
    assert confusion(["a", "new"], ["a", "a"], ["a", "b"]).classes == ("a", "b", "new")


def test_truths_and_labels_are_equally_many() -> None:
    with pytest.raises(ShapeError, match="1 true labels and 0 given"):
        confusion(["a"], [], ["a"])


def test_a_picture_holds_names_as_text_whatever_is_in_them(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = confusion(["<b>&", "$x$", "$x$"], ["<b>&", None, "<b>&"], ["<b>&", "$x$"])
    draw_confusion(found, tmp_path / "a.svg", title="Two & three")
    draw_confusion(found, tmp_path / "b.svg", title="Two & three")
    text = "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    assert "<b>&" in text
    assert "$x$" in text
    assert "1 of 2 right, 1 without a label" in text
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    draw_confusion(confusion(["北京", "a\x00\n"], ["北京", None], ["北京"]), tmp_path / "a.png", title="Two")
    draw_confusion(confusion(["北京", "a\x00\n"], ["北京", None], ["北京"]), tmp_path / "c.svg", title="Two")
    assert "北京" in "".join(ElementTree.parse(tmp_path / "c.svg").getroot().itertext())
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_dollar_begins_no_formula(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    label = r"$\foo{$ \$5"
    draw_confusion(confusion([label, "b"], [label, None], [label, "b"]), tmp_path / "a.svg", title=r"a$\bar{b$.csv")
    text = "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    assert label in text
    assert r"a$\bar{b$.csv" in text


def test_of_many_labels_the_ones_with_errors_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = [f"label {number}" for number in range(MOST_CLASSES + 20)]
    given = [*names[:-1], names[0]]  # the last is taken for the first
    draw_confusion(confusion(names, given, names), tmp_path / "a.svg", title="Many")
    text = "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    assert f"label {MOST_CLASSES + 19}" in text
    assert f"shown are the {MOST_CLASSES} of {MOST_CLASSES + 20} labels" in text


def test_other_pictures_and_folders_that_are_not_there_are_refused(tmp_path: Path) -> None:
    found = confusion(["a"], ["a"], ["a", "b"])
    with pytest.raises(ArgumentError, match=r"\.svg or \.png"):
        draw_confusion(found, tmp_path / "a.jpg", title="")
    with pytest.raises(FileFormatError, match="there is no folder"):
        draw_confusion(found, tmp_path / "none" / "a.svg", title="")
