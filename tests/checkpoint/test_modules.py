"""modules.json, pooling, lengths and prompts, in the keys of old and new versions of sentence-transformers."""

import json
from pathlib import Path
from typing import Any

import pytest

from gtekit.checkpoint import load_checkpoint
from gtekit.checkpoint.modules import read_max_tokens, read_modules, read_pooling, read_prompts
from gtekit.checkpoint.seeded import seeded_config, write_seeded_checkpoint
from gtekit.errors import ArchitectureError, CheckpointError
from tests.checkpoint.builders import edit_json

CONFIG = seeded_config("tiny")  # 64 positions
OLD_KEYS = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")
    return path


@pytest.mark.parametrize(("key", "pooling"), [("mean_tokens", "mean"), ("cls_token", "cls")])
def test_pooling_in_its_old_keys(tmp_path: Path, key: str, pooling: str) -> None:
    settings = {f"pooling_mode_{name}": name == key for name in OLD_KEYS}
    path = write_json(tmp_path / "config.json", {"word_embedding_dimension": 32, **settings})
    assert read_pooling(path) == pooling


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("in_list", [True, False])
def test_pooling_as_sentence_transformers_6_writes_it(tmp_path: Path, pooling: str, in_list: bool) -> None:
    mode = [pooling] if in_list else pooling
    settings = {"embedding_dimension": 32, "pooling_mode": mode, "include_prompt": True}
    assert read_pooling(write_json(tmp_path / "config.json", settings)) == pooling


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
        ({"pooling_mode": ["mean", "max"]}, "mean and max"),
        ({"pooling_mode": 7}, "7"),
        ({"pooling_mode": []}, "no mode"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "cls and mean"),
        ({"pooling_mode_mean_tokens": False}, "no mode"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_new_invention": True}, "mean and pooling_mode_new_invention"),
    ],
)
def test_another_pooling_is_refused_by_name(tmp_path: Path, settings: dict[str, Any], found: str) -> None:
    path = write_json(tmp_path / "config.json", settings)
    with pytest.raises(CheckpointError, match=rf"config.json: expected one pooling mode, mean or cls, found {found}\."):
        read_pooling(path)


def test_a_pooling_without_the_prompt_is_refused(tmp_path: Path) -> None:
    path = write_json(tmp_path / "config.json", {"pooling_mode": "mean", "include_prompt": False})
    with pytest.raises(CheckpointError, match="expected include_prompt true, found the truth value False"):
        read_pooling(path)


def test_the_whole_form_of_sentence_transformers_6_loads(folder: Path) -> None:
    base, dense = "sentence_transformers.base.modules", "sentence_transformers.sentence_transformer.modules"
    kinds = [f"{base}.transformer.Transformer", f"{dense}.pooling.Pooling", f"{base}.normalize.Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    steps = [{"idx": i, "name": str(i), "path": paths[i], "type": kind} for i, kind in enumerate(kinds)]
    write_json(folder / "modules.json", steps)
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": 32, "pooling_mode": "cls"})
    names = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}
    write_json(folder / "2_Normalize" / "config.json", names)
    text = {"method": "forward", "method_output_name": "last_hidden_state"}
    encoder = {"transformer_task": "feature-extraction", "modality_config": {"text": text}}
    write_json(folder / "sentence_bert_config.json", {**encoder, "module_output_name": "token_embeddings"})
    edit_json(folder / "tokenizer_config.json", model_max_length=48)
    prompts = {"document": "passage: ", "query": "query: "}
    settings = {"model_type": "SentenceTransformer", "default_prompt_name": None, "prompts": prompts}
    write_json(folder / "config_sentence_transformers.json", settings)
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_tokens) == ("cls", True, 48)
    assert checkpoint.prompts == prompts


@pytest.mark.reference
def test_what_the_installed_sentence_transformers_saves_loads_as_the_same_space(
    minilm_folder: str, tmp_path: Path
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    model = sentence_transformers.SentenceTransformer(minilm_folder, device="cpu", prompts={"query": "query: "})
    model.save(str(tmp_path / "saved"))
    saved, original = load_checkpoint(tmp_path / "saved"), load_checkpoint(minilm_folder)
    assert saved.fingerprint == original.fingerprint
    assert (saved.max_tokens, saved.prompts["query"]) == (256, "query: ")


def test_normalize_is_what_modules_json_says(tmp_path: Path) -> None:
    write_seeded_checkpoint(tmp_path, size="tiny", normalize=False, pooling="cls")
    checkpoint = load_checkpoint(tmp_path)
    assert (checkpoint.pooling, checkpoint.normalize) == ("cls", False)


@pytest.mark.parametrize("kind", ["Dense", "Router", "WordWeights"])
def test_a_module_that_changes_vectors_is_refused_by_name(folder: Path, kind: str) -> None:
    steps = json.loads((folder / "modules.json").read_text("utf-8"))
    steps.insert(2, {"idx": 9, "name": "9", "path": f"2_{kind}", "type": f"sentence_transformers.models.{kind}"})
    write_json(folder / "modules.json", steps)
    with pytest.raises(CheckpointError, match=rf"modules.json: expected the modules Transformer.*found .*{kind}"):
        read_modules(folder)


def test_a_module_with_code_of_its_own_is_never_imported(folder: Path) -> None:
    steps = json.loads((folder / "modules.json").read_text("utf-8"))
    steps[0]["type"] = "custom_code.Transformer"
    write_json(folder / "modules.json", steps)
    with pytest.raises(CheckpointError, match=r"found 'custom_code.Transformer'.*never run"):
        read_modules(folder)


@pytest.mark.parametrize("place", ["../1_Pooling", "/etc", "a/../../b", "..", "C:\\x", "a\0b"])
def test_a_module_path_can_not_leave_the_folder(folder: Path, place: str) -> None:
    steps = json.loads((folder / "modules.json").read_text("utf-8"))
    steps[1]["path"] = place
    write_json(folder / "modules.json", steps)
    with pytest.raises(CheckpointError, match=r"module 1: expected a path inside the folder, found"):
        read_modules(folder)


@pytest.mark.parametrize("value", [{}, [], [1], [{"type": 3}], [{"path": ""}], "modules", None])
def test_a_modules_file_of_another_form_is_refused(folder: Path, value: object) -> None:
    write_json(folder / "modules.json", value)
    with pytest.raises(CheckpointError, match=r"modules.json.*expected .*found"):
        read_modules(folder)


@pytest.mark.parametrize(
    ("sentence_bert", "tokenizer", "expected"),
    [
        ({"max_seq_length": 20}, {"model_max_length": 40}, 20),
        ({"max_seq_length": 5000}, {}, 64),
        ({"max_seq_length": None}, {"model_max_length": 40}, 40),
        ({}, {"model_max_length": 40}, 40),
        ({}, {"model_max_length": 10**30}, 64),
        ({}, {"model_max_length": 1e30}, 64),
        ({}, {}, 64),
    ],
)
def test_the_maximum_length_is_the_models_own(
    tmp_path: Path, sentence_bert: dict[str, Any], tokenizer: dict[str, Any], expected: int
) -> None:
    write_json(tmp_path / "sentence_bert_config.json", sentence_bert)
    assert read_max_tokens(tmp_path, tokenizer, CONFIG) == expected


@pytest.mark.parametrize("value", [0, 2, -5, True, "512", 12.5, [512]])
def test_an_impossible_length_is_refused(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "sentence_bert_config.json", {"max_seq_length": value})
    with pytest.raises(CheckpointError, match=r"sentence_bert_config.json: expected a maximum length of at least 3"):
        read_max_tokens(tmp_path, {}, CONFIG)


@pytest.mark.parametrize(
    "settings",
    [
        {"transformer_task": "fill-mask"},
        {"module_output_name": "sentence_embedding"},
        {"modality_config": {"text": {"method": "get_text_features"}}},
        {"modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}}},
        {"processing_kwargs": {"text": {"padding": "max_length"}}},
        {"query_length": 32},
    ],
)
def test_steps_of_the_encoder_that_are_not_computed_here_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    write_json(tmp_path / "sentence_bert_config.json", settings)
    with pytest.raises(CheckpointError, match=r"sentence_bert_config.json: expected .*found"):
        read_max_tokens(tmp_path, {}, CONFIG)


@pytest.mark.parametrize(
    "settings",
    [
        {"prompts": ["query: "]},
        {"prompts": {"query": 3}},
        {"prompts": {"query": "q"}, "default_prompt_name": "document"},
        {"default_prompt_name": "query"},
        {"default_prompt_name": ["query"], "prompts": {"query": "q"}},
    ],
)
def test_prompts_that_fit_nothing_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    write_json(tmp_path / "config_sentence_transformers.json", settings)
    with pytest.raises(CheckpointError, match=r"config_sentence_transformers.json: expected .*found"):
        read_prompts(tmp_path)


def test_a_model_that_gives_no_dense_vectors_is_another_architecture(tmp_path: Path) -> None:
    write_json(tmp_path / "config_sentence_transformers.json", {"model_type": "SparseEncoder"})
    with pytest.raises(ArchitectureError, match="expected model_type 'SentenceTransformer', found the text 'SparseE"):
        read_prompts(tmp_path)
