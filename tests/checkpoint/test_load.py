"""A checkpoint in every layout that people have on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.fingerprint import widen
from gtekit.checkpoint.seeded import Dtype, seeded_config, seeded_tensors, to_bfloat16, write_seeded_checkpoint
from gtekit.errors import ArchitectureError, CheckpointError, CheckpointWarning, ModelNotFoundError
from tests.checkpoint.builders import edit_json


def test_a_folder_gives_all_that_its_files_say(tiny_checkpoint: Path) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    assert checkpoint.config == seeded_config("tiny")
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_tokens) == ("mean", True, 64)
    assert (checkpoint.name, checkpoint.revision) == (str(tiny_checkpoint), None)
    assert checkpoint.tokenizer_files.tokenizer_json == tiny_checkpoint / "tokenizer.json"
    assert checkpoint.tokenizer_files.settings["do_lower_case"] is True
    assert (checkpoint.prompts, checkpoint.default_prompt_name) == ({}, None)


@pytest.mark.parametrize("prefix", ["", "bert.", "model.", "0.auto_model."])
@pytest.mark.parametrize("extra_tensors", [True, False])
def test_prefixes_and_extra_tensors_do_not_show(tmp_path: Path, prefix: str, extra_tensors: bool) -> None:
    write_seeded_checkpoint(tmp_path, size="tiny", prefix=prefix, extra_tensors=extra_tensors)
    tensors = load_checkpoint(tmp_path).tensors
    expected = seeded_tensors(seeded_config("tiny"), 0)
    assert set(tensors) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(tensors[name].astype(np.float32), values)


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16"])
def test_each_dtype_is_read_bit_by_bit(tmp_path: Path, dtype: Dtype) -> None:
    write_seeded_checkpoint(tmp_path, size="tiny", dtype=dtype)
    for name, values in seeded_tensors(seeded_config("tiny"), 0).items():
        found = load_checkpoint(tmp_path).tensors[name]
        if dtype == "bfloat16":
            assert found.dtype == np.uint16
            np.testing.assert_array_equal(found, to_bfloat16(values))
            assert np.abs(widen(found) - values).max() <= np.abs(values).max() / 256
        else:
            assert found.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(found.astype(np.float32), values)


def test_tensors_are_aligned_and_stay_when_the_file_goes(folder: Path) -> None:
    tensors = load_checkpoint(folder).tensors
    before = {name: tensor.copy() for name, tensor in tensors.items()}
    (folder / "model.safetensors").write_bytes(b"")
    for name, tensor in tensors.items():
        assert tensor.ctypes.data % 64 == 0
        np.testing.assert_array_equal(tensor, before[name])


def test_a_vocabulary_alone_is_a_tokenizer(tmp_path: Path) -> None:
    write_seeded_checkpoint(tmp_path, size="tiny", tokenizer="vocab")
    files = load_checkpoint(tmp_path).tokenizer_files
    assert (files.tokenizer_json, files.vocab_txt) == (None, tmp_path / "vocab.txt")


def test_no_tokenizer_at_all_is_an_error(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").unlink()
    with pytest.raises(CheckpointError, match=r"expected tokenizer.json or vocab.txt, found neither"):
        load_checkpoint(folder)


def test_the_length_in_tokenizer_json_has_no_say(folder: Path) -> None:
    assert json.loads((folder / "tokenizer.json").read_text("utf-8"))["truncation"]["max_length"] == 128
    edit_json(folder / "sentence_bert_config.json", max_seq_length=50)
    assert load_checkpoint(folder).max_tokens == 50


def test_the_real_minilm_reads_256_tokens_and_needs_no_hub(minilm_folder: str) -> None:
    for name in ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"):
        checkpoint = load_checkpoint(name)
        assert (checkpoint.folder, checkpoint.revision) == (Path(minilm_folder), None)
        assert checkpoint.name == "sentence-transformers/all-MiniLM-L6-v2"
        assert (checkpoint.max_tokens, checkpoint.pooling, checkpoint.normalize) == (256, "mean", True)
        assert len(checkpoint.tensors) == 101


def test_the_safetensors_package_reads_the_same_values(minilm_folder: str) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    reference = safetensors.load_file(Path(minilm_folder) / "model.safetensors")
    for name, tensor in load_checkpoint(minilm_folder).tensors.items():
        np.testing.assert_array_equal(tensor, reference[name])


@pytest.mark.parametrize(("known", "prompts"), [(True, {"query": "query: ", "document": "passage: "}), (False, {})])
def test_prompts_come_from_the_table_where_the_files_lack_them(
    tiny_checkpoint: Path, home: Path, known: bool, prompts: dict[str, str]
) -> None:
    hub_id = "intfloat/e5-small-v2" if known else "someone/something"
    put_into_cache(tiny_checkpoint, home, hub_id)
    assert load_checkpoint(hub_id).prompts == prompts


def test_prompts_of_the_files_win_over_the_table(folder: Path, home: Path) -> None:
    edit_json(folder / "config_sentence_transformers.json", prompts={"query": "q: "}, default_prompt_name="query")
    put_into_cache(folder, home, "intfloat/e5-small-v2")
    checkpoint = load_checkpoint("e5-small-v2")
    assert (checkpoint.prompts, checkpoint.default_prompt_name) == ({"query": "q: "}, "query")


def test_empty_prompts_as_sentence_transformers_writes_them_count_as_none(folder: Path, home: Path) -> None:
    edit_json(folder / "config_sentence_transformers.json", prompts={"query": "", "document": ""})
    put_into_cache(folder, home, "BAAI/bge-small-en-v1.5")
    assert load_checkpoint("BAAI/bge-small-en-v1.5").prompts["query"].startswith("Represent this sentence")


def test_without_modules_json_a_warning_says_that_the_mean_is_assumed(folder: Path) -> None:
    (folder / "modules.json").unlink()
    (folder / "1_Pooling" / "config.json").unlink()
    with pytest.warns(CheckpointWarning, match=r"no modules.json.*Assumed: pooling by mean, as sentence-tr.*no norm"):
        checkpoint = load_checkpoint(folder)
    assert (checkpoint.pooling, checkpoint.normalize) == ("mean", False)


def test_without_modules_json_the_folder_of_the_pooling_has_its_say(folder: Path) -> None:
    (folder / "modules.json").unlink()
    path = folder / "1_Pooling" / "config.json"
    path.write_text(json.dumps({"pooling_mode": "cls"}), "utf-8")
    with pytest.warns(CheckpointWarning, match=r"pooling by cls, as 1_Pooling/config.json says, and no normalization"):
        checkpoint = load_checkpoint(folder)
    assert (checkpoint.pooling, checkpoint.normalize) == ("cls", False)
    assert str(path) in [str(stamp.path) for stamp in checkpoint.stamps]
    path.write_text(json.dumps({"pooling_mode": "max"}), "utf-8")
    with pytest.raises(CheckpointError, match="expected one pooling mode, mean or cls, found max"):
        load_checkpoint(folder)


def test_without_modules_json_the_table_knows_the_pooling_of_its_models(folder: Path, home: Path) -> None:
    (folder / "modules.json").unlink()
    put_into_cache(folder, home, "BAAI/bge-small-en-v1.5")
    checkpoint = load_checkpoint("bge-small-en-v1.5")
    assert (checkpoint.pooling, checkpoint.normalize) == ("cls", True)


def test_a_snapshot_without_modules_json_is_not_guessed_at_for_an_unknown_model(folder: Path, home: Path) -> None:
    (folder / "modules.json").unlink()
    snapshot = put_into_cache(folder, home, "someone/something")
    with pytest.raises(ModelNotFoundError, match=r"has only a part of it .* lacks modules.json.*HF_HUB_OFFLINE is set"):
        load_checkpoint("someone/something")
    note = snapshot.parent.parent / ".no_exist" / snapshot.name / "modules.json"  # the repository has none: known
    note.parent.mkdir(parents=True)
    note.touch()
    with pytest.warns(CheckpointWarning, match="someone/something: has no modules.json"):
        assert load_checkpoint("someone/something").pooling == "mean"


def test_modules_may_lie_in_folders(folder: Path) -> None:
    inner = folder / "0_Transformer"
    inner.mkdir()
    for file in [path for path in folder.iterdir() if path.is_file() and path.name != "modules.json"]:
        file.rename(inner / file.name)
    steps = json.loads((folder / "modules.json").read_text("utf-8"))
    steps[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(steps), "utf-8")
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.encoder_folder, checkpoint.pooling) == (inner, "mean")


def test_lower_casing_by_sentence_transformers_is_refused_where_the_tokenizer_does_not_do_it(folder: Path) -> None:
    edit_json(folder / "sentence_bert_config.json", do_lower_case=True)
    assert load_checkpoint(folder).max_tokens == 64  # the tokenizer lowers all letters anyway
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    edit_json(folder / "tokenizer.json", normalizer=tokenizer["normalizer"] | {"lowercase": False})
    assert load_checkpoint(folder).max_tokens == 64  # tokenizer_config.json, which wins for BERT, still lowers them
    edit_json(folder / "tokenizer_config.json", do_lower_case=False)
    with pytest.raises(CheckpointError, match=r"sentence_bert_config.json: expected do_lower_case false"):
        load_checkpoint(folder)
    edit_json(folder / "tokenizer.json", normalizer=tokenizer["normalizer"])  # it lowers, and has no say
    with pytest.raises(CheckpointError, match=r"sentence_bert_config.json: expected do_lower_case false"):
        load_checkpoint(folder)
    edit_json(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    assert load_checkpoint(folder).max_tokens == 64


def test_an_adapter_is_named_as_one(folder: Path) -> None:
    edit_json(folder / "adapter_config.json", peft_type="LORA")
    with pytest.raises(ArchitectureError, match=r"expected a whole model, found an adapter"):
        load_checkpoint(folder)


def test_weights_can_be_let_go(tiny_checkpoint: Path) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    assert checkpoint.without_tensors().tensors == {}
    assert checkpoint.without_tensors().fingerprint == checkpoint.fingerprint


def test_loading_imports_neither_the_hub_nor_anything_slow(tiny_checkpoint: Path) -> None:
    code = (
        "import sys; from gtekit.checkpoint import load_checkpoint; load_checkpoint(sys.argv[1]);"
        "print([name for name in ('huggingface_hub', 'safetensors', 'tokenizers', 'torch', 'requests', 'httpx')"
        " if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tiny_checkpoint)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def put_into_cache(folder: Path, home: Path, hub_id: str) -> Path:
    """Lay a checkpoint out as the Hugging Face cache does: blobs, links to them, and the commit of main."""
    commit = "a" * 40
    repository = home / "huggingface" / "hub" / f"models--{hub_id.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    for number, file in enumerate(path for path in sorted(folder.rglob("*")) if path.is_file()):
        blob = repository / "blobs" / f"{number:040x}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(file.read_bytes())
        link = snapshot / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    return snapshot
