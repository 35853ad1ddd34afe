"""The Dockerfile against what it relies on: no image is built here."""

import json
import re
from pathlib import Path

import pytest

from gtekit.serving.settings import ServerSettings
from gtekit.serving.settings_checks import check_settings
from gtekit.serving.settings_sources import CONFIG_VARIABLE, SETTINGS, read_settings

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTIONS = re.compile(r"^(?:FROM|ARG|RUN|COPY|WORKDIR|ENV|USER|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT) ")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The instructions of the last stage and those before it, each on one line."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def variables(lines: list[str]) -> dict[str, str]:
    return {
        name: value for line in lines if line.startswith("ENV ") for name, value in re.findall(r"(\w+)=(\S*)", line[4:])
    }


def test_every_line_is_an_instruction(lines: list[str]) -> None:
    assert [line for line in lines if not INSTRUCTIONS.match(line)] == []


def test_its_variables_are_settings_and_pass_the_checks(lines: list[str]) -> None:
    found = {name: value.replace("${MODEL}", "gte-base") for name, value in variables(lines).items()}
    chosen = {name: value for name, value in found.items() if name.startswith("GTEKIT_")}
    assert set(chosen) <= {setting.variable for setting in SETTINGS}
    read = read_settings({}, chosen)
    check_settings(read)
    assert read.settings.host == "0.0.0.0"
    assert read.settings.model == ("gte-base",)


def test_without_a_model_in_the_image_the_default_is_served(lines: list[str]) -> None:
    empty = {name: value.replace("${MODEL}", "") for name, value in variables(lines).items()}
    chosen = {name: value for name, value in empty.items() if name.startswith("GTEKIT_")}
    assert read_settings({}, chosen).settings.model == ServerSettings().model


def test_the_variables_in_its_comments_are_settings_too() -> None:
    named = set(re.findall(r"GTEKIT_SERVE_[A-Z_]*[A-Z]", (ROOT / "Dockerfile").read_text(encoding="utf-8")))
    assert named <= {setting.variable for setting in SETTINGS} | {CONFIG_VARIABLE}


def test_it_does_not_run_as_root_and_says_how_it_is_seen_to_live(lines: list[str]) -> None:
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in last if line.startswith("USER ")][-1] == "USER 10001:10001"
    assert json.loads(last[-1].removeprefix("ENTRYPOINT ")) == ["gtekit", "serve"]
    (port,) = (line.split()[1] for line in last if line.startswith("EXPOSE "))
    assert int(port) == ServerSettings().port


def test_the_health_check_is_a_program_that_compiles(lines: list[str]) -> None:
    (check,) = (line for line in lines if line.startswith("HEALTHCHECK "))
    words = json.loads(check[check.index("[") :])
    assert words[:2] == ["python", "-c"]
    compile(words[2], "HEALTHCHECK", "exec")
    assert "/ready" in words[2]
    assert f"'GTEKIT_SERVE_PORT', '{ServerSettings().port}'" in words[2]


def test_a_file_decides_about_all_that_the_image_does_not_need(lines: list[str], tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('model = ["small=gte-small"]\nalias = ["text-embedding-3-small=small"]\nport = 9000\n')
    found = {name: value.replace("${MODEL}", "") for name, value in variables(lines).items()}
    read = read_settings({}, {**found, CONFIG_VARIABLE: str(file)})
    check_settings(read)
    assert (read.settings.port, read.settings.model) == (9000, ("small=gte-small",))


def test_what_the_wheel_is_built_from_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for name in ("CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml", "core", "src"):
        assert f"!{name}" in ignored
        assert (ROOT / name).exists()
