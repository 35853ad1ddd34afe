"""Options that several commands share, and what they turn into."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gtekit.config import DEFAULT_MODEL, EncodeKeywords, Precision
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.bench import TextSource
    from gtekit.embedder import Embedder
    from gtekit.files import Keep

FILE_HELP = ".txt, .jsonl, .csv, .tsv or .parquet; - reads standard input, which is txt unless --format says otherwise"


def new_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    """Begin the parser of one command, with --json and --debug, which every command has."""
    parser = commands.add_parser(
        name,
        help=summary[0].lower() + summary[1:].rstrip("."),
        description=summary,
        epilog=f"examples:\n{example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # what is no option must fail, also where it begins like one
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    return parser


def add_input_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say how a file of texts is read."""
    formats = "of the input: txt, jsonl, csv, tsv, parquet (by its name; of - txt)"
    group.add_argument("--format", metavar="FORMAT", help=formats)
    group.add_argument("--field", help="which field holds the texts (text, sentence, or the only one of strings)")
    group.add_argument(
        "--delimiter", type=read_delimiter, metavar="C", help="between the fields of csv, or the word tab (a comma)"
    )


def read_keep(text: str) -> "Keep":
    """Give what --keep says: text, all, none, or names with commas between.

    Raises:
        ArgumentError: If it names nothing.
    """
    word = text.strip()
    if word == "text" or word == "all" or word == "none":
        return word
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ArgumentError(f"--keep {text!r} names no field; say text, all, none, or names with commas between.")
    return names


def read_delimiter(text: str) -> str:
    """Give the character that --delimiter names, which for a tab may be a word."""
    return "\t" if text in ("tab", "\\t") else text


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model, from where, and how it runs."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "-m", "--model", default=DEFAULT_MODEL, metavar="MODEL", help="a short name, a hub id or a folder (%(default)s)"
    )
    group.add_argument("--revision", help="a commit, branch or tag of the hub")
    group.add_argument("--cache-folder", type=Path, metavar="FOLDER", help="stands in for the Hugging Face cache")
    group.add_argument("--local-files-only", action="store_true", help="never ask the hub")
    group.add_argument("--max-tokens", type=int, metavar="N", help="cut texts sooner than the model would")
    group.add_argument(
        "--threads", type=int, metavar="N", help="the most threads to use (as tuned, or as many as allowed)"
    )
    group.add_argument(
        "--no-language-warning",
        dest="language_warning",
        action="store_false",
        help="do not warn of text that the model's vocabulary hardly covers",
    )
    group.add_argument(
        "--precision",
        choices=get_args(Precision),
        help="number format of the linear layers; int8 is faster and a little less exact (as tuned, or float32)",
    )
    group.add_argument("--isa", help="force kernels, one of those that gtekit doctor lists (the fastest that run here)")


def add_measure_options(parser: argparse.ArgumentParser, *, rounds: int, seconds: float) -> None:
    """Add the options of the commands that measure: the texts, and how long it may take."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help=f"texts of your own: {FILE_HELP} (made from the model's words)"
    )
    add_input_options(parser.add_argument_group("the file"))
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "--rounds", type=int, default=rounds, metavar="N", help="measure each thing N times (%(default)s)"
    )
    group.add_argument("--seconds", type=float, default=seconds, metavar="S", help="about how long (%(default)g)")


def read_texts(arguments: argparse.Namespace) -> "TextSource":
    """Check the options of `add_measure_options` and read the texts."""
    from gtekit.bench import made_source, read_source
    from gtekit.files import input_format

    if arguments.rounds < 1:
        raise ArgumentError(f"--rounds {arguments.rounds} is not possible; choose a whole number, 1 or more.")
    if not 0 < arguments.seconds < float("inf"):
        raise ArgumentError(f"--seconds {arguments.seconds:g} is not possible; choose a number above 0.")
    if arguments.file is None:
        return made_source()
    path = None if arguments.file == "-" else Path(arguments.file)
    return read_source(
        path,
        input_format(path, arguments.format),
        field=arguments.field,
        delimiter=arguments.delimiter,
        is_format_named=path is not None or arguments.format is not None,
    )


def chosen_precisions(arguments: argparse.Namespace) -> list[Precision]:
    """Give the one that --precision names, or all, float32 first."""
    return [arguments.precision] if arguments.precision else list(get_args(Precision))


def load_model(
    arguments: argparse.Namespace,
    *,
    isa: str | None = None,
    threads: int | None = None,
    precision: Precision | None = None,
) -> "Embedder":
    """Load the model that the options name; kernels, threads and precision given here win over theirs."""
    from gtekit.embedder import load

    return load(
        arguments.model,
        revision=arguments.revision,
        cache_folder=arguments.cache_folder,
        local_files_only=arguments.local_files_only,
        max_tokens=arguments.max_tokens,
        threads=arguments.threads if threads is None else threads,
        isa=arguments.isa if isa is None else isa,
        precision=arguments.precision if precision is None else precision,
        language_warning=arguments.language_warning,
    )


def add_encode_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide how texts become vectors."""
    group = parser.add_argument_group("embedding")
    prompt = group.add_mutually_exclusive_group()
    prompt.add_argument("--query", action="store_true", help="the texts are queries: use the model's query prompt")
    prompt.add_argument("--document", action="store_true", help="the texts are documents: use the document prompt")
    prompt.add_argument("--prompt-name", metavar="NAME", help="use another of the model's prompts")
    prompt.add_argument("--prompt", metavar="TEXT", help="put this before every text")
    group.add_argument(
        "--on-truncation",
        choices=("warn", "error", "ignore", "chunk"),
        default="warn",
        help="what happens to a text that is too long; chunk embeds all of it, in pieces (%(default)s)",
    )
    group.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        help="make vectors of length 1 (as the model's files say)",
    )
    group.add_argument("--dimensions", type=int, metavar="N", help="keep the first N numbers of a vector (all)")
    group.add_argument(
        "--batch-tokens", type=int, metavar="N", help="tokens that a thread works on at once (as tuned, or 256)"
    )


def encode_keywords(arguments: argparse.Namespace, model: "Embedder") -> EncodeKeywords:
    """Turn the options of `add_encode_options` into those of Embedder.encode."""
    keywords = EncodeKeywords(on_truncation=arguments.on_truncation)
    if (name := prompt_name(arguments, model)) is not None:
        keywords["prompt_name"] = name
    if arguments.prompt is not None:
        keywords["prompt"] = arguments.prompt
    if arguments.normalize is not None:
        keywords["normalize"] = arguments.normalize
    if arguments.dimensions is not None:
        if not 1 <= arguments.dimensions <= model.dimension:
            raise ArgumentError(
                f"--dimensions {arguments.dimensions} is not possible; choose a whole number, 1 to {model.dimension:,}."
            )
        keywords["dimensions"] = arguments.dimensions
    if arguments.batch_tokens is not None:
        keywords["batch_tokens"] = arguments.batch_tokens
    return keywords


def prompt_name(arguments: argparse.Namespace, model: "Embedder") -> str | None:
    """Name the prompt that --query, --document or --prompt-name asks for; None leaves the model's default."""
    from gtekit.inputs import DOCUMENT_PROMPTS, QUERY_PROMPTS

    if arguments.query or arguments.document:
        return first_prompt(model, QUERY_PROMPTS if arguments.query else DOCUMENT_PROMPTS)
    name: str | None = arguments.prompt_name
    return name


def first_prompt(model: "Embedder", names: Sequence[str]) -> str | None:
    """Name the first prompt that the model has; None where it has none and needs none."""
    return next((name for name in names if name in model.prompts), None)
