"""gtekit pairs: score pairs of texts, and fit what turns scores into answers and probabilities."""

import argparse
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import (
    add_encode_options,
    add_model_options,
    encode_keywords,
    load_model,
    new_parser,
    read_delimiter,
)
from gtekit.cli.pairs_file import LabelledFile, TextPair, read_labelled, read_text_pairs, split_columns
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.cli.seekable_input import seekable_input
from gtekit.cli.task_files import (
    RECORD_FORMATS,
    add_output,
    check_output,
    check_own_fields,
    check_targets,
    refuse_json_with_rows,
    write_records,
)
from gtekit.errors import ArgumentError, FileFormatError, SpaceError

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.tasks.pairs.calibration import Calibration
    from gtekit.tasks.pairs.pair_classifier import PairClassifier

SUMMARY = "Say whether two texts mean the same: score pairs, fit a threshold, calibrate scores."
EXAMPLE = """\
  gtekit pairs score questions.csv -o scored.csv -m all-MiniLM-L6-v2
  gtekit pairs fit labelled.csv -o threshold.json --measure f1
  gtekit pairs calibrate labelled.csv -o my.json --plot reliability.svg --meaning "the same question"
  gtekit pairs score questions.csv --classifier threshold.json --calibration my.json

Files have two columns of texts, such as sentence1 and sentence2, and for fit and calibrate a label, 0 or 1."""
FILE_HELP = ".csv, .tsv or .jsonl, also with .gz, or .parquet; - reads standard input (-)"
BLOCK_PAIRS = 2048
ADDED = ("cosine", "probability", "same")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command and its subcommands."""
    parser = new_parser(commands, "pairs", SUMMARY, EXAMPLE)
    more = parser.add_subparsers(title="subcommands", metavar="score | fit | calibrate", required=True)
    _add_score(more)
    _add_fit(more)
    _add_calibrate(more)
    for subcommand in more.choices.values():
        for action in subcommand._actions:  # whose defaults would undo what stands before the subcommand
            if action.dest in ("json", "debug"):
                action.default = argparse.SUPPRESS


def _add_score(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "Give the cosine of each pair, its probability where there is a calibration, and an answer."
    example = """\
  gtekit pairs score questions.csv -o scored.csv -m all-MiniLM-L6-v2
  gtekit pairs score questions.jsonl --columns asked,known --classifier threshold.json
  gtekit pairs score questions.csv --calibration my.json --prior 0.01

Fields are kept; cosine is added, and where they are known probability and same (true or false)."""
    parser = new_parser(commands, "score", summary, example)
    _add_file(parser, "the two columns of texts, with a comma between (known names)")
    add_output(parser)
    group = parser.add_argument_group("answers")
    group.add_argument("--classifier", type=Path, metavar="FILE", help="a threshold that gtekit pairs fit wrote")
    group.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="what gtekit pairs calibrate wrote (the model's, if it has one)",
    )
    group.add_argument(
        "--prior",
        type=float,
        metavar="SHARE",
        help="the share of your pairs that mean the same, where it is not that of the calibration's data",
    )
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run_score)


def _add_fit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "Find the cosine that tells labelled pairs apart best, and say how well it does."
    example = """\
  gtekit pairs fit labelled.csv -m all-MiniLM-L6-v2
  gtekit pairs fit labelled.csv -o threshold.json --measure f1
  gtekit pairs fit graded.csv --columns one,two,grade --least 4 --json

Needs the extra: pip install 'gtekit[tasks]'."""
    parser = new_parser(commands, "fit", summary, example)
    _add_labelled_file(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="write the threshold and its figures")
    parser.add_argument(
        "--measure",
        choices=("accuracy", "f1"),
        default="accuracy",
        help="what is to be best; f1 where few pairs are labelled 1 (%(default)s)",
    )
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run_fit)


def _add_calibrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "Fit probabilities to the cosines of labelled pairs, and say how far they can be trusted."
    example = """\
  gtekit pairs calibrate pairs.csv -o my.json
  gtekit pairs calibrate pairs.csv -o my.json --plot reliability.svg --data "support tickets" --meaning "same problem"
  gtekit pairs calibrate graded.csv --columns one,two,grade --least 4 --method logistic

Needs the extra: pip install 'gtekit[tasks]'."""
    parser = new_parser(commands, "calibrate", summary, example)
    _add_labelled_file(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="write the calibration")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw predicted against observed shares, .svg or .png"
    )
    parser.add_argument(
        "--method", choices=("logistic", "beta", "isotonic"), help="which curve (the best in cross-validation)"
    )
    parser.add_argument("--meaning", default="", metavar="TEXT", help="what label 1 says of two texts")
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run_calibrate)


def _add_file(parser: argparse.ArgumentParser, columns: str) -> None:
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=FILE_HELP)
    group = parser.add_argument_group("the file")
    group.add_argument("--format", choices=("csv", "tsv", "jsonl", "parquet"), default="csv", help="of - (%(default)s)")
    group.add_argument(
        "--delimiter", type=read_delimiter, metavar="C", help="between the columns of csv, or the word tab (a comma)"
    )
    group.add_argument("--columns", metavar="NAMES", help=columns)


def _add_labelled_file(parser: argparse.ArgumentParser) -> None:
    _add_file(parser, "the columns of both texts and the label, with commas between (known names)")
    parser.add_argument(
        "--least", type=float, metavar="GRADE", help="the values are grades: from this one on they count as 1"
    )
    parser.add_argument("--data", metavar="TEXT", help="where the pairs come from (the name of the file)")


def run_score(arguments: argparse.Namespace) -> int:
    """Go through the pairs block by block: what was scored is written at once."""
    columns = split_columns(arguments.columns, ("text_a", "text_b"))
    check_output(arguments)
    refuse_json_with_rows(arguments)
    _check_cosines(arguments)
    for option, path in (("--classifier", arguments.classifier), ("--calibration", arguments.calibration)):
        if path is not None and not path.is_file():
            raise FileFormatError(f"{option} {path}: there is no such file. Is the path right?")
        if path is not None and path.suffix.lower() in RECORD_FORMATS:
            made_by = "fit" if option == "--classifier" else "calibrate"
            raise FileFormatError(
                f"{option} {path}: is a table by its name. Make the file of it first: gtekit pairs {made_by} {path} "
                f"-o FILE.json"
            )
    if arguments.prior is not None and not 0 < arguments.prior < 1:
        raise ArgumentError(f"--prior {arguments.prior:g} is not possible; choose a number between 0 and 1.")
    with seekable_input(arguments.file, f".{arguments.format}") as path:
        pairs = _without_own_fields(read_text_pairs(path, columns, arguments.delimiter))
        first = next(pairs)
        model = load_model(arguments)
        answers = _answers(arguments, model)
        count = write_records(arguments, _scored(arguments, model, chain([first], pairs), *answers))
    if arguments.output != "-":
        say(f"{count_text(count, 'pair')} scored.")
        if arguments.json:
            print_json({"model": model.name, "pairs": count, "output": arguments.output})
    return ExitCode.OK


def run_fit(arguments: argparse.Namespace) -> int:
    """Fit a threshold, print how well it does, and write it."""
    found, data = _read(arguments)
    model = load_model(arguments)
    from gtekit.tasks.pairs.pair_classifier import fit_pairs

    keywords = encode_keywords(arguments, model)
    fitted = fit_pairs(model, found.left, found.right, found.labels, measure=arguments.measure, data=data, **keywords)
    if arguments.output is not None:
        fitted.save(arguments.output)
    if arguments.json:
        print_json(fitted.as_json())
        return ExitCode.OK
    figures = fitted.figures
    print(f"threshold  {fitted.threshold:.4f}  (a cosine of {model.name}, best for {fitted.measure})\n")
    shares = ("accuracy", "f1", "precision", "recall")
    rows = [["cross-validated", ""], *([name, f"{getattr(figures, name):.4f}"] for name in shares)]
    print_table(rows, right=(1,))
    print(
        f"\nAlways the more frequent label has accuracy {figures.majority:.4f}. Average precision of the cosines "
        f"{figures.average_precision:.4f}.\n{figures.pairs:,} pairs, {figures.positives:,} labelled 1."
    )
    return ExitCode.OK


def run_calibrate(arguments: argparse.Namespace) -> int:
    """Fit a calibration, print how it was chosen, write and draw it."""
    from gtekit.tasks.pairs.calibration import fit_calibration
    from gtekit.tasks.pairs.reliability import check_plot, plot_reliability

    if arguments.plot is not None:
        check_plot(arguments.plot)
        check_targets(arguments, "output", "plot")
    found, data = _read(arguments)
    model = load_model(arguments)
    fitted = fit_calibration(
        model,
        found.left,
        found.right,
        found.labels,
        method=arguments.method,
        data=data,
        meaning=arguments.meaning,
        **encode_keywords(arguments, model),
    )
    if arguments.output is not None:
        fitted.save(arguments.output)
    if arguments.plot is not None:
        note = f"{fitted.curve.method} curve, cross-validated; {data}"
        plot_reliability(fitted.reliability, arguments.plot, title=fitted.model, note=note)
    if arguments.json:
        print_json(fitted.as_json())
    else:
        _print_calibration(fitted)
    return ExitCode.OK


def _read(arguments: argparse.Namespace) -> tuple[LabelledFile, str]:
    """Check all that can be known before a model is loaded, and read the file."""
    columns = split_columns(arguments.columns, ("text_a", "text_b", "label"))
    _check_cosines(arguments)
    if arguments.output is not None and arguments.output.suffix.lower() != ".json":
        raise FileFormatError(f"-o {arguments.output}: name the file .json.")
    check_targets(arguments, "output")
    with seekable_input(arguments.file, f".{arguments.format}") as path:
        found = read_labelled(path, columns, arguments.least, arguments.delimiter)
    name = "standard input" if arguments.file == "-" else Path(arguments.file).name
    return found, arguments.data if arguments.data is not None else name


def _check_cosines(arguments: argparse.Namespace) -> None:
    if arguments.normalize is False:
        raise ArgumentError("--no-normalize has no meaning here: pairs are told apart by cosines.")


def _answers(arguments: argparse.Namespace, model: "Embedder") -> "tuple[PairClassifier | None, Calibration | None]":
    from gtekit.tasks.pairs.calibration import calibration_for, load_calibration
    from gtekit.tasks.pairs.pair_classifier import load_pairs

    keywords = encode_keywords(arguments, model)
    classifier = None if arguments.classifier is None else load_pairs(arguments.classifier, model)
    if classifier is not None:
        classifier.check(**keywords)
    asked = arguments.calibration
    try:
        calibration = calibration_for(model) if asked is None else load_calibration(asked, model)
        calibration.check(model, **keywords)
    except SpaceError as error:
        if asked is not None or arguments.prior is not None:
            raise
        say(f"no probabilities: {error}")
        return classifier, None
    return classifier, calibration


def _scored(
    arguments: argparse.Namespace,
    model: "Embedder",
    pairs: Iterator[TextPair],
    classifier: "PairClassifier | None",
    calibration: "Calibration | None",
) -> Iterator[Mapping[str, Any]]:
    from gtekit.tasks.pairs.labelled_pairs import pair_scores

    keywords = encode_keywords(arguments, model)
    while block := list(islice(pairs, BLOCK_PAIRS)):
        scores = pair_scores(model, [pair.left for pair in block], [pair.right for pair in block], **keywords)
        columns: dict[str, list[Any]] = {"cosine": [round(score, 6) for score in scores.tolist()]}
        if calibration is not None:
            likely = calibration.probability(scores, prior=arguments.prior)
            columns["probability"] = [round(value, 6) for value in likely.tolist()]
        if classifier is not None:
            columns["same"] = classifier.decide(scores).tolist()
        for row, pair in enumerate(block):
            yield {**pair.row, **{name: values[row] for name, values in columns.items()}}


def _without_own_fields(pairs: Iterator[TextPair]) -> Iterator[TextPair]:
    for pair in pairs:
        check_own_fields(pair.place, pair.row, ADDED, advice="Rename it.")
        yield pair


def _print_calibration(fitted: "Calibration") -> None:
    rows = [["cross-validated", "log loss", "Brier", "ECE", ""]]
    rows += [
        [name, *(f"{value:.4f}" for value in (judged.log_loss, judged.brier, judged.ece)), "chosen" * is_chosen]
        for name, judged in fitted.compared.items()
        for is_chosen in [name == fitted.curve.method]
    ]
    rows.append(["without scores", f"{fitted.unskilled_log_loss:.4f}", "", "", ""])
    print_table(rows, right=(1, 2, 3))
    print(f"\n{fitted.pairs:,} pairs, {fitted.positives:,} labelled 1 ({fitted.base_rate:.1%}).\n")
    shares = (0.1, 0.5, 0.9, 0.95)
    reached = [share for share in shares if float(fitted.probability(1.0)) >= share]
    table = [["probability", "from cosine"], *([f"{share}", f"{fitted.threshold(share):.4f}"] for share in reached)]
    print_table(table, right=(0, 1))
