"""gtekit eval: MTEB's tasks with any model, beside the published scores; its subcommands report and data."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli import eval_data, eval_report
from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.config import DEFAULT_MODEL
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.evaluation.models import EvaluatedModel, ModelSpec, OpenOptions
    from gtekit.evaluation.mteb_tasks import PlannedTask
    from gtekit.evaluation.results import EvaluatedAs, ResultStore, SettingsName, TaskScore

RESULTS = Path("eval-results")
SUMMARY = "Run MTEB's tasks with any model, and show the scores beside the published ones."
EXAMPLE = """\
  gtekit eval --tasks STSBenchmark,Banking77Classification
  gtekit eval -m gte-small --precision float32,int8 --tasks sts
  gtekit eval -m gte-small -m sentence-transformers:thenlper/gte-small --benchmark "MTEB(eng, v1)"
  gtekit eval --compare gte-small@float32 gte-small@int8 --tasks sts --data test-sets
  gtekit eval -m openai:text-embedding-ada-002 --tasks STS12
  gtekit eval report -o report
  gtekit eval data pairs.csv

Scores are kept in a folder (--results), one file each: a run that was stopped goes on where it was."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "eval", SUMMARY, EXAMPLE)
    _add_task_options(parser)
    _add_model_options(parser)
    _add_endpoint_options(parser)
    parser.set_defaults(run=run)
    more = parser.add_subparsers(title="subcommands", metavar="report | data")
    eval_report.add_parser(more)
    eval_data.add_parser(more)
    for name, subcommand in more.choices.items():
        subcommand.set_defaults(run=partial(_run_subcommand, name, subcommand.get_default("run")))
        for action in subcommand._actions:  # whose defaults would undo what stands before the subcommand
            if action.dest in ("json", "debug", "results"):
                action.default = argparse.SUPPRESS


def _add_task_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tasks")
    group.add_argument("--tasks", metavar="NAMES", help="tasks and categories, with commas between (all)")
    group.add_argument("--benchmark", metavar="NAME", help='one of MTEB\'s ("MTEB(eng, v1)", the 56 English tasks)')
    group.add_argument("--data", type=Path, metavar="FOLDER", help="read the test sets from here, not from the hub")
    group.add_argument(
        "--partial-data",
        action="store_true",
        help="the folder may have fewer rows than MTEB has; scores are not compared with published ones",
    )
    group.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where scores go (%(default)s)")
    group.add_argument("--fresh", action="store_true", help="run again what has a score")
    group.add_argument("--list", action="store_true", help="list the tasks, with gte-small's published scores")
    group.add_argument(
        "--published-settings",
        action="store_true",
        help="make vectors as each model's published scores were made (GTE and E5: not of length 1)",
    )
    group.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="run both models and say where the difference is real"
    )


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument(
        "-m",
        "--model",
        action="append",
        metavar="MODEL",
        help=f"as often as there are models: a short name, hub id or folder, with @int8 or @float32 if you like; "
        f"openai:NAME; sentence-transformers:NAME ({DEFAULT_MODEL})",
    )
    group.add_argument(
        "--precision", default="float32", metavar="NAMES", help="of models that name none: float32,int8 (%(default)s)"
    )
    group.add_argument("--cache-folder", type=Path, metavar="FOLDER", help="stands in for the Hugging Face cache")
    group.add_argument("--local-files-only", action="store_true", help="never ask the hub for a model")
    group.add_argument("--max-tokens", type=int, metavar="N", help="cut texts sooner than the model would")
    group.add_argument("--threads", type=int, metavar="N", help="the most threads to use (as many as allowed)")
    group.add_argument("--isa", help="force kernels, one of those that gtekit doctor lists")


def _add_endpoint_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("endpoints (openai:NAME)")
    group.add_argument("--endpoint", metavar="URL", help="what stands before /embeddings (https://api.openai.com/v1)")
    group.add_argument("--key-variable", metavar="NAME", help="the environment variable with the key (OPENAI_API_KEY)")
    group.add_argument("--price", type=float, metavar="USD", help="for a million tokens (the list price, if known)")
    group.add_argument("--parallel", type=int, default=1, metavar="N", help="requests at once (%(default)s)")
    group.add_argument("--batch-size", type=int, metavar="N", help="texts in a request (2,048; 128 if not OpenAI's)")
    group.add_argument("--timeout-s", type=float, default=120.0, metavar="S", help="for each answer (%(default)g)")
    group.add_argument("--encoding", choices=("base64", "float"), help="of vectors (base64; float if not OpenAI's)")
    group.add_argument("--max-characters", type=int, metavar="N", help="cut texts there (no: the server may refuse)")
    group.add_argument("--yes", action="store_true", help="start without asking when it costs money")


def _run_subcommand(name: str, run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    for option in ("tasks", "benchmark", "compare"):
        if getattr(arguments, option, None):
            raise ArgumentError(f"--{option} has no place before {name}; it is for gtekit eval, which runs tasks.")
    return run(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Run the tasks and print what came out."""
    from gtekit.evaluation.mteb_tasks import RunOptions, find_tasks, plan_tasks, run_tasks, task_folders
    from gtekit.evaluation.results import ResultStore

    asked = [name.strip() for name in (arguments.tasks or "").split(",") if name.strip()]
    held = task_folders(arguments.data) if arguments.data else None
    if arguments.list:
        return _list(find_tasks(asked, arguments.benchmark, held), as_json=arguments.json)
    specs, opened = _specs(arguments), _open_options(arguments)
    _check_results(arguments.results)
    pair = _compared(arguments, opened)
    _check_published(specs, is_published=arguments.published_settings)
    options = RunOptions(
        store=ResultStore(arguments.results),
        data=arguments.data,
        settings="published" if arguments.published_settings else "default",
        is_partial=arguments.partial_data,
        is_fresh=arguments.fresh,
        say=say,
    )
    tasks = plan_tasks(find_tasks(asked, arguments.benchmark, held), options)
    texts = sum(task.texts for task in tasks)
    say(
        f"{count_text(len(tasks), 'task')} with about {count_text(texts, 'text')} for {count_text(len(specs), 'model')}"
    )
    _agree_on_cost(specs, opened, tasks, arguments)
    scores = run_tasks([_opener(spec, opened) for spec in specs], tasks, options)
    return _print(scores, options.store, pair, as_json=arguments.json)


def _specs(arguments: argparse.Namespace) -> "list[ModelSpec]":
    asked = [*(arguments.model or []), *(arguments.compare or [])] or [DEFAULT_MODEL]
    return _specs_of(asked, arguments.precision)


def _specs_of(asked: Sequence[str], precision: str) -> "list[ModelSpec]":
    from gtekit.evaluation.models import PRECISIONS, parse_spec, with_precisions

    names = [name.strip() for name in precision.split(",")]
    precisions = [precision for name in names for precision in PRECISIONS if precision == name]
    if len(precisions) != len(names):
        raise ArgumentError(f"--precision {precision}: choose from {', '.join(PRECISIONS)}, or both.")
    return with_precisions([parse_spec(text) for text in asked], precisions)


def _check_results(folder: Path) -> None:
    """Refuse before any work what could not be written after it."""
    from gtekit.files import check_writable

    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"--results {folder}: is no folder. Name one; it is made where it is missing.")
    there = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.is_dir())
    check_writable(there / folder.name)


def _compared(arguments: argparse.Namespace, options: "OpenOptions") -> "tuple[EvaluatedAs, EvaluatedAs] | None":
    """Open both models of --compare, so that what can't be compared is known before anything runs."""
    from gtekit.evaluation.models import open_model, parse_spec
    from gtekit.evaluation.mteb_tasks import evaluated_as

    if not arguments.compare:
        return None
    if "," in arguments.precision and any(parse_spec(name).precision is None for name in arguments.compare):
        raise ArgumentError("--compare with two precisions: say which one each model has, such as gte-small@int8.")
    settings: SettingsName = "published" if arguments.published_settings else "default"
    specs = [spec for name in arguments.compare for spec in _specs_of([name], arguments.precision)]
    first, second = (evaluated_as(open_model(spec, options).facts, settings) for spec in specs)
    if first == second:
        raise ArgumentError(
            f"--compare {' '.join(arguments.compare)}: has to name two different models, such as gte-small@float32 "
            f"gte-small@int8."
        )
    return first, second


def _open_options(arguments: argparse.Namespace) -> "OpenOptions":
    from gtekit.evaluation.models import OPENAI_ADDRESS, EndpointOptions, OpenOptions

    return OpenOptions(
        cache_folder=arguments.cache_folder,
        local_files_only=arguments.local_files_only,
        max_tokens=arguments.max_tokens,
        threads=arguments.threads,
        isa=arguments.isa,
        address=arguments.endpoint or OPENAI_ADDRESS,
        key_variable=arguments.key_variable,
        # what a server on one's own machine gives is free, and may be another model tomorrow
        paid_vectors=None if arguments.endpoint and not arguments.price else arguments.results / "paid-vectors.sqlite",
        endpoint=EndpointOptions(
            parallel=arguments.parallel,
            batch_size=arguments.batch_size,
            timeout_s=arguments.timeout_s,
            encoding=arguments.encoding,
            max_characters=arguments.max_characters,
        ),
    )


def _opener(spec: "ModelSpec", options: "OpenOptions") -> "Callable[[], EvaluatedModel]":
    from gtekit.evaluation.models import open_model

    return lambda: open_model(spec, options)


def _check_published(specs: "Sequence[ModelSpec]", *, is_published: bool) -> None:
    """Refuse before any work what no model can be evaluated with."""
    from gtekit.evaluation.models import short_name
    from gtekit.evaluation.settings import published_rule

    for spec in specs if is_published else ():
        published_rule(short_name(spec.name))


def _agree_on_cost(
    specs: "Sequence[ModelSpec]",
    options: "OpenOptions",
    tasks: "Sequence[PlannedTask]",
    arguments: argparse.Namespace,
) -> None:
    """Say what endpoints will cost, and go on only if that is wanted."""
    from gtekit.evaluation.models import describe_cost, estimate_cost, may_cost, open_server
    from gtekit.evaluation.mteb_tasks import planned_texts

    endpoints = [spec for spec in specs if spec.kind == "openai"]
    if not endpoints:
        return
    arguments.results.mkdir(parents=True, exist_ok=True)
    texts = planned_texts(tasks, arguments.data)
    is_paid = False
    for spec in endpoints:
        unpaid = open_server(spec, options).unpaid(texts, prompt="")
        cost = estimate_cost(
            unpaid, spec.name, price_per_million_tokens=arguments.price, already_paid=len(texts) - len(unpaid)
        )
        say(describe_cost(cost))
        is_paid = is_paid or may_cost(cost, is_own_server=bool(arguments.endpoint))
    if not is_paid or arguments.yes:
        return
    if not sys.stdin.isatty():
        raise ArgumentError("this costs money and nobody is there to agree. Add --yes to start it.")
    print("Start? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ArgumentError("not started; nothing was sent.")


def _list(tasks: "Sequence[object]", *, as_json: bool) -> int:
    from gtekit.evaluation.mteb_tasks import describe_tasks

    rows = describe_tasks(tasks)
    if as_json:
        print_json(rows)
    else:
        heading = ["task", "category", "split", "rows in MTEB", "gte-small, published"]
        print_table([heading, *([str(value) for value in row.values()] for row in rows)], right=(3, 4))
    return ExitCode.OK


def _print(
    scores: "Sequence[TaskScore]",
    store: "ResultStore",
    pair: "tuple[EvaluatedAs, EvaluatedAs] | None",
    *,
    as_json: bool,
) -> int:
    from gtekit.evaluation.report import build_report, compare_pair, comparison_lines, label_models, table_lines

    comparison = pair and compare_pair(store, scores, label_models(scores), pair)
    if as_json:
        print_json({"scores": [asdict(score) for score in scores], "comparison": comparison and asdict(comparison)})
        return ExitCode.OK
    print("\n".join(table_lines(build_report(scores, store, with_precisions=False))))
    if comparison:
        print("\n" + "\n".join(comparison_lines(comparison)))
    say(f"kept in {store.folder}; the whole report, with plots: gtekit eval report --results {store.folder} -o report")
    return ExitCode.OK
