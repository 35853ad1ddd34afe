"""Settings from flags, environment and a TOML file: one schema, and for each value where it came from."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from gtekit.errors import ArgumentError, FileFormatError, GtekitError
from gtekit.serving.settings import ServerSettings

PREFIX: Final = "GTEKIT_SERVE_"
CONFIG_VARIABLE: Final = f"{PREFIX}CONFIG"  # names the file
KUBERNETES: Final = re.compile(rf"{PREFIX}(SERVICE_(HOST|PORT).*|PORT_\d+.*|PORT)")
TRUE: Final = ("true", "yes", "on", "1")
FALSE: Final = ("false", "no", "off", "0")

Kind = Literal["yes or no", "whole number", "number", "text", "path", "texts", "choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of ServerSettings, as people write it."""

    name: str
    kind: Kind
    default: Any
    help: str
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"{PREFIX}{self.name.upper()}"

    def from_text(self, text: str) -> Any:  # noqa: ANN401 - as many types as there are kinds
        """Give the value that a flag or a variable spells.

        Raises:
            ValueError: If it is none of this kind; its message says what was expected.
        """
        if self.kind == "yes or no":
            if text.lower() not in TRUE + FALSE:
                raise ValueError("expected true or false")
            return text.lower() in TRUE
        if self.kind == "texts":
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if self.kind == "whole number" or self.kind == "number":
            try:
                return int(text) if self.kind == "whole number" else float(text)
            except ValueError:
                raise ValueError(f"expected a {self.kind}") from None
        return self._checked(text)

    def from_toml(self, value: object, folder: Path) -> Any:  # noqa: ANN401
        """Give the value that a TOML file has. A path is taken from the folder of the file.

        Raises:
            ValueError: As `from_text`.
        """
        if self.kind == "texts":
            values = [value] if isinstance(value, str) else value
            if not isinstance(values, list) or not all(isinstance(part, str) for part in values):
                raise ValueError("expected a list of texts in quotes")
            return tuple(values)
        if self.kind == "number" and type(value) is int:
            return float(value)
        expected = {"yes or no": bool, "whole number": int, "number": float}.get(self.kind, str)
        if type(value) is not expected:
            words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
            raise ValueError(f"expected {words[expected]}")
        checked = self._checked(value) if isinstance(value, str) else value
        return folder / checked if isinstance(checked, Path) else checked

    def _checked(self, text: str) -> str | Path:
        if self.kind == "choice" and text not in self.choices:
            raise ValueError(f"choose from: {', '.join(self.choices)}")
        if self.kind == "path":
            return Path(text).expanduser()  # no shell has seen what stands in a file
        return text


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    rank: int  # 0 default, 1 file, 2 environment, 3 flag: the higher goes first
    words: str  # for messages: serve.toml: port = 80


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings, and where each came from."""

    settings: ServerSettings
    origins: Mapping[str, Origin]

    def as_toml(self) -> str:
        """Give a file with these settings; where each came from stands beside it."""
        lines = []
        for setting in SETTINGS:
            value = getattr(self.settings, setting.name)
            spelled = f"{setting.name} = {toml_of(value)}" if value is not None else f"# {setting.name} is not set"
            words = self.origins[setting.name].words
            lines.append(f"{spelled}  # {''.join(char if char.isprintable() else ' ' for char in words)}")
        return "\n".join(lines) + "\n"


def read_settings(
    flags: Mapping[str, object], environment: Mapping[str, str], config: Path | None = None
) -> ReadSettings:
    """Put settings together: a flag goes before the environment, that before the file, that before the default.

    Nothing is checked but what each value is by itself; `check_settings` does the rest.

    Args:
        flags: Values by name of the field: texts as they were given, bools, or tuples. Only those that were given.
        environment: All variables; GTEKIT_SERVE_CONFIG names the file where `config` does not.
        config: The TOML file.

    Raises:
        ArgumentError: If a flag or variable has no possible value, or there is no such variable.
        FileFormatError: If the file can't be read, or has an unknown name or an impossible value.
    """
    if config is None and environment.get(CONFIG_VARIABLE):
        config = Path(environment[CONFIG_VARIABLE]).expanduser()
    values: dict[str, Any] = {}
    origins = {setting.name: Origin(0, "default") for setting in SETTINGS}
    if config is not None:
        _take_file(config, values, origins)
    _take_environment(environment, values, origins)
    _take_flags(flags, values, origins)
    return ReadSettings(ServerSettings(**values), origins)


def toml_of(value: object) -> str:
    """Spell a value in TOML, or a text for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_of, value))}]"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _take_file(path: Path, values: dict[str, Any], origins: dict[str, Origin]) -> None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(f"{path}: the settings can't be read ({error.strerror}).") from None
    except ValueError as error:  # of TOML or of UTF-8
        raise FileFormatError(f"{path}: is not TOML ({error}).") from None
    for name, value in content.items():
        if name not in _BY_NAME and isinstance(value, dict):
            raise FileFormatError(
                f"{path}: [{name}]: there is no such group of settings. All of them stand at the top level, such as "
                f"port = 9000: leave that line out."
            )
        if name not in _BY_NAME:
            raise FileFormatError(
                f"{path}: there is no setting {name!r}.{_guess(name, list(_BY_NAME))} gtekit serve --print-config "
                f"shows all of them."
            )
        words = f"{path}: {name} = {_shown(value)}"
        values[name] = _converted(words, _BY_NAME[name], value, FileFormatError, path.parent)
        origins[name] = Origin(1, words)


def _take_environment(environment: Mapping[str, str], values: dict[str, Any], origins: dict[str, Origin]) -> None:
    names = {setting.variable: setting for setting in SETTINGS}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if KUBERNETES.fullmatch(variable) and (variable not in names or "://" in text):
            raise ArgumentError(
                f"{variable}={text}: Kubernetes sets this for a Service of the name gtekit-serve. Call the Service "
                f"something else, or say enableServiceLinks: false in the pod."
            )
        if variable not in names:
            raise ArgumentError(
                f"{variable}: there is no such setting.{_guess(variable, list(names))} gtekit serve --help has all."
            )
        if text == "":  # as compose files leave what was not set
            continue
        words = f"{variable}={text}"
        values[names[variable].name] = _converted(words, names[variable], text, ArgumentError)
        origins[names[variable].name] = Origin(2, words)


def _take_flags(flags: Mapping[str, object], values: dict[str, Any], origins: dict[str, Origin]) -> None:
    for name, value in flags.items():
        setting = _BY_NAME[name]
        if isinstance(value, bool):
            words = setting.flag if value else setting.flag.replace("--", "--no-", 1)
        else:
            words = f"{setting.flag} {' '.join(value) if isinstance(value, tuple) else value}"
        values[name] = _converted(words, setting, value, ArgumentError)
        origins[name] = Origin(3, words)


def _converted(
    words: str, setting: Setting, value: object, error: type[GtekitError], folder: Path | None = None
) -> Any:  # noqa: ANN401
    try:
        if folder is not None:
            return setting.from_toml(value, folder)
        return setting.from_text(value) if isinstance(value, str) else value
    except ValueError as problem:
        raise error(f"{words}: {problem}. {setting.name} is: {setting.help}.") from None


def _shown(value: object) -> str:
    if isinstance(value, list):
        value = tuple(value)
    return toml_of(value)[:100]


def _guess(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Is {close[0]} meant?" if close else ""


def _describe() -> tuple[Setting, ...]:
    hints = get_type_hints(ServerSettings)
    kinds: dict[Any, Kind] = {
        bool: "yes or no",
        int: "whole number",
        float: "number",
        str: "text",
        Path: "path",
        tuple[str, ...]: "texts",
    }
    settings = []
    for field in fields(ServerSettings):
        hint = hints[field.name]
        possible = [kind for kind in get_args(hint) if kind is not NoneType] if NoneType in get_args(hint) else [hint]
        is_choice = get_origin(possible[0]) is Literal
        assert field.default is not MISSING, field.name
        settings.append(
            Setting(
                name=field.name,
                kind="choice" if is_choice else kinds[possible[0]],
                default=field.default,
                help=field.metadata["help"],
                choices=get_args(possible[0]) if is_choice else (),
            )
        )
    return tuple(settings)


SETTINGS: Final = _describe()
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
