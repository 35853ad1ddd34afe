"""The file of tuned models: who is honoured, who is ignored, and what a damaged one says."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gtekit
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.engine.native import chosen_isa
from gtekit.machine import Machine, this_machine
from gtekit.tuned import Tuned, config_file, find_tuned, forget, model_key, read_entries, write_entry

HERE = this_machine(chosen_isa(None))


def entry(model: str, **changes: Any) -> Tuned:
    values = {
        "model": model,
        "revision": None,
        "machine": HERE,
        "precision": "int8",
        "threads": 3,
        "batch_tokens": 777,
        "tokens_per_s": 1000.0,
        "query_ms": 2.5,
        "cosine_mean": 0.9993,
        "cosine_min": 0.998,
    }
    return Tuned(**{**values, **changes})


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "tuned.json"
    monkeypatch.setenv("GTEKIT_CONFIG", str(path))
    monkeypatch.delenv("GTEKIT_THREADS", raising=False)
    return path


def choice(model: gtekit.Embedder) -> tuple[str, int, int]:
    return model.precision, model.threads, model.batch_tokens


def test_load_takes_what_was_tuned_where_nothing_is_said(config: Path, tiny_checkpoint: Path) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    model = gtekit.load(tiny_checkpoint)
    assert choice(model) == ("int8", 3, 777)
    assert "int8" in repr(model)
    assert model.with_max_tokens(32).batch_tokens == 777


def test_arguments_go_before_the_environment_and_that_before_what_was_tuned(
    config: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    assert choice(gtekit.load(tiny_checkpoint, precision="float32", threads=1)) == ("float32", 1, 777)
    monkeypatch.setenv("GTEKIT_THREADS", "2")
    assert gtekit.load(tiny_checkpoint).threads == 2
    assert gtekit.load(tiny_checkpoint, threads=1).threads == 1


def test_the_micro_batch_is_that_of_the_call_before_that_of_the_model(
    config: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    model = gtekit.load(tiny_checkpoint)
    seen: list[int] = []
    right = type(model.engine).encode

    def watch(*arguments: Any, **options: Any) -> Any:
        seen.append(options["batch_tokens"])
        return right(*arguments, **options)

    monkeypatch.setattr(type(model.engine), "encode", watch)
    model.encode(["a"])
    model.encode(["a"], batch_tokens=5)
    list(model.encode_stream(["a"]))
    assert seen == [777, 5, 777]


def test_without_an_entry_it_is_float32_and_256_tokens(config: Path, tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint)
    assert (model.precision, model.batch_tokens) == ("float32", gtekit.EncodeOptions().batch_tokens)
    assert not config.parent.exists()


@pytest.mark.parametrize(
    "machine",
    [replace(HERE, processor="another"), replace(HERE, cpus=HERE.cpus + 1), replace(HERE, kernels="another")],
)
def test_an_entry_of_another_machine_is_ignored(config: Path, tiny_checkpoint: Path, machine: Machine) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve()), machine=machine))
    assert gtekit.load(tiny_checkpoint).precision == "float32"


def test_an_entry_of_another_revision_is_ignored(config: Path) -> None:
    write_entry(config, entry("thenlper/gte-small", revision="a" * 40))
    found = find_tuned("thenlper/gte-small", Path("/cache"), "a" * 40, isa=HERE.kernels)
    assert found is not None
    assert find_tuned("thenlper/gte-small", Path("/cache"), "b" * 40, isa=HERE.kernels) is None
    assert find_tuned("thenlper/gte-base", Path("/cache"), "a" * 40, isa=HERE.kernels) is None


def test_forced_kernels_are_another_machine(config: Path, tiny_checkpoint: Path) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    if HERE.kernels != "scalar":
        assert gtekit.load(tiny_checkpoint, isa="scalar").precision == "float32"


def test_off_passes_over_it(config: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    monkeypatch.setenv("GTEKIT_CONFIG", "OFF")
    assert config_file() is None
    assert gtekit.load(tiny_checkpoint).precision == "float32"


def test_a_folder_is_known_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_seeded_checkpoint(tmp_path / "model", size="tiny")
    monkeypatch.chdir(tmp_path)
    relative = gtekit.load("./model").checkpoint
    key = model_key(relative.name, relative.folder, relative.revision)
    assert key == model_key(str(folder), folder, None) == str(folder.resolve())
    assert model_key("org/name", Path("/cache/snapshot"), "a" * 40) == "org/name"


def test_a_new_entry_takes_the_place_of_the_old_one_and_leaves_the_others(config: Path) -> None:
    elsewhere = entry("one", machine=replace(HERE, processor="another"))
    for new in (elsewhere, entry("one"), entry("two"), entry("one", revision="c", threads=1)):
        write_entry(config, new)
    assert read_entries(config) == [elsewhere, entry("two"), entry("one", revision="c", threads=1)]
    assert [path.name for path in config.parent.iterdir()] == ["tuned.json"]


def test_forgetting_takes_the_entries_of_a_model_and_then_the_file(config: Path) -> None:
    for new in (entry("one"), entry("one", machine=replace(HERE, cpus=999)), entry("two")):
        write_entry(config, new)
    assert forget(config, ["three"]) == 0
    assert forget(config, ["one"]) == 2
    assert read_entries(config) == [entry("two")]
    assert forget(config, ["two"]) == 1
    assert not config.exists()
    assert forget(config, ["two"]) == 0


def damaged(**changes: Any) -> str:
    good = {"format": 1, "entries": [json.loads(json.dumps(as_json(entry("m"))))]}
    inner = {name: value for name, value in changes.items() if name in good["entries"][0]}  # type: ignore[index]
    good["entries"][0].update(inner)  # type: ignore[index]
    return json.dumps(good | {name: value for name, value in changes.items() if name not in inner})


def as_json(tuned: Tuned) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(tuned)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "\udcff",
        "[" * 100_000,
        '{"format": 1}',
        damaged(format=2),
        damaged(entries=[1]),
        damaged(threads=0),
        damaged(threads=True),
        damaged(threads="2"),
        damaged(batch_tokens=10**9),
        damaged(precision="int4"),
        damaged(precision=[]),
        damaged(model=None),
        damaged(revision=5),
        damaged(machine={"cpus": 2}),
        damaged(machine=None),
        damaged(cosine_mean="high"),
        " " * (2 << 20),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it_and_the_way_out(
    config: Path, tiny_checkpoint: Path, content: str
) -> None:
    config.parent.mkdir()
    config.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(gtekit.FileFormatError) as error:
        gtekit.load(tiny_checkpoint)
    for words in (str(config), "Delete it", "gtekit tune --forget", "GTEKIT_CONFIG=off"):
        assert words in str(error.value)
    assert len(str(error.value)) < len(str(config)) + 500
    with pytest.raises(gtekit.FileFormatError):
        write_entry(config, entry("m"))
    assert forget(config, ["m"]) is None
    assert not config.exists()


def test_the_damage_of_the_tests_is_what_they_say() -> None:
    assert json.loads(damaged())["entries"][0] == as_json(entry("m"))


def test_a_folder_in_place_of_the_file_is_told_of_and_not_removed(config: Path, tiny_checkpoint: Path) -> None:
    config.mkdir(parents=True)
    with pytest.raises(gtekit.FileFormatError, match=r"tuned\.json: can't be read") as error:
        gtekit.load(tiny_checkpoint)
    assert "Delete it" not in str(error.value)
    with pytest.raises(gtekit.FileFormatError):
        forget(config, ["m"])
    assert config.is_dir()


def test_the_file_lies_where_the_platform_keeps_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/gtekit/tuned.json")
    assert config_file({"GTEKIT_CONFIG": "/y/z.json", "XDG_CONFIG_HOME": "/x"}) == Path("/y/z.json")
    monkeypatch.setattr(sys, "platform", "linux")
    assert config_file({}) == Path("~/.config/gtekit/tuned.json").expanduser()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert config_file({}) == Path("~/Library/Application Support/gtekit/tuned.json").expanduser()


def test_another_process_takes_it_too(config: Path, tiny_checkpoint: Path) -> None:
    write_entry(config, entry(str(tiny_checkpoint.resolve())))
    program = f"import gtekit; print(gtekit.load({str(tiny_checkpoint)!r}).precision)"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout == "int8\n"
