"""Weights files made to break a reader. Each gives an error that names the file; none crashes, hangs or is believed."""

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.errors import CheckpointError
from tests.checkpoint.builders import read_raw, write_raw

NAME = "embeddings.LayerNorm.bias"


@pytest.fixture
def weights(folder: Path) -> Path:
    return folder / "model.safetensors"


def refuse(weights: Path, expected: str) -> None:
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(weights.parent)
    assert str(weights) in str(caught.value)


def change_entry(weights: Path, **changes: Any) -> None:
    header, data = read_raw(weights)
    header[NAME] |= changes
    write_raw(weights, header, data)


def test_a_file_cut_short_in_its_data(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1])
    refuse(weights, r"tensor '.*': expected data that ends within [\d,]+ bytes, found an end at [\d,]+")


def test_a_file_cut_short_in_its_header(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:1000])
    refuse(weights, r"expected a header of at most 992 bytes \(the file has 1,000\), found a length of")


def test_a_file_of_no_bytes(weights: Path) -> None:
    weights.write_bytes(b"")
    refuse(weights, "expected a safetensors file, found one of 0 bytes")


def test_a_file_of_seven_bytes(weights: Path) -> None:
    weights.write_bytes(b"1234567")
    refuse(weights, "expected a safetensors file, found one of 7 bytes")


def test_a_header_length_of_nearly_two_to_the_64(weights: Path) -> None:
    weights.write_bytes(struct.pack("<Q", (1 << 64) - 1) + weights.read_bytes()[8:])
    refuse(weights, "found a length of 18,446,744,073,709,551,615")


def test_a_header_length_of_nought(weights: Path) -> None:
    weights.write_bytes(struct.pack("<Q", 0) + weights.read_bytes()[8:])
    refuse(weights, "expected a header in JSON")


def test_a_header_that_is_not_json(weights: Path) -> None:
    write_raw(weights, b"{" + b"\xff" * 100, b"")
    refuse(weights, "expected a header in JSON")


def test_a_header_that_is_a_list(weights: Path) -> None:
    write_raw(weights, [1, 2, 3], b"")
    refuse(weights, "expected a header in JSON, found one that does not parse: it does not begin with an object")


def test_a_header_nested_a_hundred_thousand_levels_deep(weights: Path) -> None:
    write_raw(weights, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"")
    refuse(weights, "expected a header in JSON")


def test_a_header_with_a_number_of_ten_thousand_digits(weights: Path) -> None:
    entry = b'{"a":{"dtype":"F32","shape":[' + b"9" * 10_000 + b'],"data_offsets":[0,4]}}'
    write_raw(weights, entry, b"1234")
    refuse(weights, "expected a header in JSON")


def test_a_shape_whose_product_has_thousands_of_digits(weights: Path) -> None:
    change_entry(weights, shape=[10**4000] * 64)
    refuse(weights, f"tensor '{NAME}': expected a shape of non-negative integers")


def test_a_shape_whose_product_overflows_64_bits(weights: Path) -> None:
    change_entry(weights, shape=[1 << 62, 1 << 62, 32])
    refuse(weights, f"tensor '{NAME}': expected [\\d,]+ bytes for shape")


def test_a_shape_of_a_million_dimensions(weights: Path) -> None:
    change_entry(weights, shape=[1] * 1_000_000)
    refuse(weights, f"tensor '{NAME}': expected a shape of non-negative integers")


def test_a_negative_shape(weights: Path) -> None:
    change_entry(weights, shape=[-4, -8])
    refuse(weights, f"tensor '{NAME}': expected a shape of non-negative integers, found \\[-4, -8\\]")


def test_a_shape_of_fractions(weights: Path) -> None:
    change_entry(weights, shape=[32.0])
    refuse(weights, f"tensor '{NAME}': expected a shape of non-negative integers, found \\[32.0\\]")


def test_a_shape_of_truth_values(weights: Path) -> None:
    change_entry(weights, shape=[True])
    refuse(weights, f"tensor '{NAME}': expected a shape of non-negative integers")


def test_a_shape_that_disagrees_with_its_bytes(weights: Path) -> None:
    change_entry(weights, shape=[33])
    refuse(weights, f"tensor '{NAME}': expected 66 bytes for shape \\[33\\] of F16, found 64")


def test_a_dtype_that_disagrees_with_its_bytes(weights: Path) -> None:
    change_entry(weights, dtype="F32")
    refuse(weights, f"tensor '{NAME}': expected 128 bytes for shape \\[32\\] of F32, found 64")


def test_a_dtype_that_nobody_knows(weights: Path) -> None:
    change_entry(weights, dtype="Q3_K_M")
    refuse(weights, f"tensor '{NAME}': expected dtype F32, F16 or BF16, found Q3_K_M")


def test_a_dtype_that_is_no_word(weights: Path) -> None:
    change_entry(weights, dtype=["F16"])
    refuse(weights, f"tensor '{NAME}': expected a dtype such as F16, found a list")


def test_offsets_far_outside_of_the_file(weights: Path) -> None:
    change_entry(weights, data_offsets=[1 << 60, (1 << 60) + 64])
    refuse(weights, f"tensor '{NAME}': expected data that ends within")


def test_offsets_before_the_file(weights: Path) -> None:
    change_entry(weights, data_offsets=[-64, 0])
    refuse(weights, f"tensor '{NAME}': expected data_offsets \\[begin, end\\], found \\[-64, 0\\]")


def test_offsets_in_the_wrong_order(weights: Path) -> None:
    change_entry(weights, data_offsets=[128, 64])
    refuse(weights, f"tensor '{NAME}': expected data_offsets \\[begin, end\\], found \\[128, 64\\]")


def test_three_offsets(weights: Path) -> None:
    change_entry(weights, data_offsets=[0, 32, 64])
    refuse(weights, f"tensor '{NAME}': expected data_offsets \\[begin, end\\]")


def test_offsets_that_overlap_another_tensor(weights: Path) -> None:
    header, data = read_raw(weights)
    header[NAME]["data_offsets"] = header["embeddings.LayerNorm.weight"]["data_offsets"]
    write_raw(weights, header, data)
    refuse(weights, f"tensor '{NAME}': expected data_offsets that begin at .* which overlap the tensor before it")


def test_a_gap_between_two_tensors(weights: Path) -> None:
    header, data = read_raw(weights)
    del header[NAME]
    write_raw(weights, header, data)
    refuse(weights, "which leave a gap before it")


def test_bytes_behind_the_last_tensor(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes() + b"code")
    refuse(weights, "4 bytes belong to no tensor")


def test_a_tensor_that_is_there_twice(weights: Path) -> None:
    entry = b'"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    write_raw(weights, b"{" + entry + b", " + entry + b"}", b"1234")
    refuse(weights, "the key 'x' is there twice")


def test_an_entry_without_fields(weights: Path) -> None:
    header, data = read_raw(weights)
    header[NAME] = {}
    write_raw(weights, header, data)
    refuse(weights, f"tensor '{NAME}': expected a dtype such as F16, found null")


def test_an_entry_that_is_a_number(weights: Path) -> None:
    header, data = read_raw(weights)
    header[NAME] = 7
    write_raw(weights, header, data)
    refuse(weights, f"tensor '{NAME}': expected an object with dtype, shape, data_offsets, found the number 7")


def test_a_file_with_no_tensors(weights: Path) -> None:
    write_raw(weights, {"__metadata__": {"format": "pt"}}, b"")
    refuse(weights, "found 0 of them among 0 tensors")


def test_a_pickle_under_the_name_of_safetensors(weights: Path) -> None:
    weights.write_bytes(b"PK\x03\x04" + b"\0" * 5000)
    refuse(weights, "expected a header")


def test_a_pointer_of_git_lfs(weights: Path) -> None:
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 66746168\n")
    refuse(weights, "expected a header of at most")


def test_a_folder_in_place_of_the_file(weights: Path) -> None:
    weights.unlink()
    weights.mkdir()
    refuse(weights, "expected a file, found a folder")


def test_a_link_to_nowhere(weights: Path) -> None:
    weights.unlink()
    weights.symlink_to("nowhere")
    refuse(weights, "expected a file, found none that can be opened")


def test_a_link_to_itself(weights: Path) -> None:
    weights.unlink()
    weights.symlink_to(weights)
    refuse(weights, "expected a file, found none that can be opened")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_make_the_reader_wait(weights: Path) -> None:
    weights.unlink()
    os.mkfifo(weights)
    refuse(weights, "found something that is not a regular file")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(weights: Path) -> None:
    weights.chmod(0)
    refuse(weights, "can't be read: Permission denied")


def test_a_file_that_is_cut_after_its_header_was_read(weights: Path) -> None:
    from gtekit.checkpoint.safetensors_file import read_header
    from gtekit.checkpoint.weights import read_entries

    entries = read_header(weights)
    weights.write_bytes(weights.read_bytes()[: entries[NAME].begin])
    with pytest.raises(CheckpointError, match=f"tensor '{NAME}': expected 64 bytes, found 0: the file became shorter"):
        read_entries(weights, {NAME: entries[NAME]})
