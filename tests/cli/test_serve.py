"""gtekit serve: its settings, and the process from the first line to the last."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from gtekit.cli.serve import EXTRA_PACKAGES
from gtekit.serving.settings import ServerSettings
from tests.cli.conftest import Run, program

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


@contextmanager
def serving(*arguments: str | Path, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a server on any free port; give the process and its address."""
    process = subprocess.Popen(
        program("serve", *arguments, "--port", "0", "--log", "json"),
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        url = ""
        for line in process.stderr:
            if line.startswith("{"):
                record = json.loads(line)
                url = record.get("url", url)
                if record["message"].startswith("ready"):
                    break
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_quietly_at_a_signal(tiny_checkpoint: Path, number: signal.Signals) -> None:
    with serving(f"tiny={tiny_checkpoint}", "--alias", "text-embedding-3-small=tiny") as (process, url):
        answer = httpx.post(f"{url}/v1/embeddings", json={"input": "hello", "model": "text-embedding-3-small"})
        assert answer.status_code == 200
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 0
        assert output == ""
        assert "Traceback" not in errors
        assert json.loads(errors.splitlines()[-1])["message"] == "stopped"


def test_keys_are_needed_where_a_file_names_them_and_a_new_one_is_seen(
    run: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.toml"
    first = run("keys", "new", "first", "--file", keys)[1].strip()
    with serving(tiny_checkpoint, GTEKIT_SERVE_KEYS_FILE=str(keys)) as (_, url):

        def status(key: str) -> int:
            headers = {"authorization": f"Bearer {key}"}
            return httpx.post(f"{url}/embed", json={"inputs": "hello"}, headers=headers).status_code

        assert [status(first), status("wrong")] == [200, 401]
        second = run("keys", "new", "second", "--file", keys)[1].strip()
        run("keys", "remove", "first", "--file", keys)
        end = time.monotonic() + 20
        while status(first) == 200:
            assert time.monotonic() < end
        assert [status(first), status(second)] == [401, 200]


def test_what_is_printed_is_toml_of_every_setting_with_its_source(run: Run, tmp_path: Path) -> None:
    code, output, errors = run("serve", "gte-base", "--max-texts", "5", "--no-page", "--print-config")
    assert (code, errors) == (0, "")
    assert 'model = ["gte-base"]  # --model gte-base\n' in output
    assert "max_texts = 5  # --max-texts 5\n" in output
    assert "page = false  # --no-page\n" in output
    assert "port = 8080  # default\n" in output
    for field in fields(ServerSettings):
        assert re.search(rf"^(# )?{field.name} ", output, re.MULTILINE)
    path = tmp_path / "serve.toml"
    path.write_text(output)
    again = run("serve", "--config", path, "--print-config")[1]
    assert tomllib.loads(again) == tomllib.loads(output)
    assert f"max_texts = 5  # {path}: max_texts = 5\n" in again


def test_what_is_printed_may_be_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTEKIT_SERVE_DRAIN_S", "3")
    printed = json.loads(run("serve", "--print-config", "--json")[1])
    assert printed["drain_s"] == {"value": 3.0, "from": "GTEKIT_SERVE_DRAIN_S=3"}
    assert printed["host"] == {"value": "127.0.0.1", "from": "default"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "abc"], "gtekit: --port abc: expected a whole number"),
        (["--port", "70000"], "gtekit: --port 70000: is not possible"),
        (["a=gte-small", "a=gte-base"], "two models are called a"),
        (["--alias", "x"], "gtekit: --alias x: 'x' is no alias"),
        (["--config", "nowhere.toml"], "gtekit: nowhere.toml: the settings can't be read"),
        (["--keys-file", "nowhere.toml"], "gtekit: nowhere.toml: there is no such file of keys"),
        (["--log", "xml"], "invalid choice: 'xml'"),
        (["--prot", "80"], "gtekit serve: error: unrecognized arguments: --prot. Is --port meant?"),
        (["--prot=80"], "Is --port meant?"),
    ],
)
def test_a_wrong_setting_ends_it_before_a_model_is_loaded(run: Run, arguments: list[str], words: str) -> None:
    code, output, errors = run("serve", *arguments)
    assert (code, output) == (2, "")
    assert words in errors
    assert len(errors.splitlines()) <= 2


def test_a_model_that_is_not_there_has_the_exit_code_of_all_commands(tmp_path: Path) -> None:
    arguments = ("--local-files-only", "--cache-folder", tmp_path, "--port", "0")
    done = subprocess.run(program("serve", "gte-small", *arguments), capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith("gtekit: gte-small: not in the cache")
    assert "Traceback" not in done.stderr
    assert '"message"' not in done.stderr  # that it listens, and that it has stopped


def test_an_address_for_everybody_without_keys_is_warned_of(run: Run, tmp_path: Path) -> None:
    arguments = ["--host", "0.0.0.0", "--port", "0", "--local-files-only", "--cache-folder", str(tmp_path)]
    done = subprocess.run(program("serve", *arguments), capture_output=True, text=True)
    assert "warning: 0.0.0.0 can be reached from other machines" in done.stderr
    assert "gtekit keys new NAME" in done.stderr
    run("keys", "new", "a", "--file", tmp_path / "keys.toml")
    arguments += ["--keys-file", str(tmp_path / "keys.toml")]
    done = subprocess.run(program("serve", *arguments), capture_output=True, text=True)
    assert "warning" not in done.stderr


def test_an_address_that_is_none_is_not_warned_of() -> None:
    done = subprocess.run(program("serve", "--host", "999.1.1.1"), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("gtekit: 999.1.1.1:8080 can't be listened on")


def test_a_port_in_use_is_said(tiny_checkpoint: Path) -> None:
    with serving(tiny_checkpoint) as (_, url):
        port = url.rpartition(":")[2]
        done = subprocess.run(program("serve", tiny_checkpoint, "--port", port), capture_output=True, text=True)
    assert done.returncode == 2
    assert "can't be listened on" in done.stderr


def test_the_packages_of_the_extra_are_known() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {re.split(r"[<>=\[ ]", requirement)[0].replace("-", "_") for requirement in extras["serve"]}
    assert set(EXTRA_PACKAGES) <= named


@pytest.mark.parametrize("package", ["httptools", "prometheus_client"])
def test_a_package_that_is_not_installed_names_the_extra(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from gtekit.cli.main import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'gtekit[serve]'" in done.stderr
    assert done.returncode == 4
