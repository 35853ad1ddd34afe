"""gtekit classify: a label for each text, by descriptions or by a classifier that `gtekit classify fit` made."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.cli import classify_fit
from gtekit.cli.classify_labels import read_labels
from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import (
    FILE_HELP,
    add_encode_options,
    add_input_options,
    add_model_options,
    encode_keywords,
    load_model,
    new_parser,
    read_keep,
)
from gtekit.cli.printing import count_text, print_json, say
from gtekit.cli.task_files import (
    RECORD_FORMATS,
    add_output,
    check_output,
    check_own_fields,
    check_targets,
    read_rows,
    row_place,
    write_records,
)
from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.files import Keep, Row
    from gtekit.tasks import Predictions
    from gtekit.tasks.classification.confusion import Confusion

SUMMARY = "Give each text a label: by descriptions of the labels, or by a classifier fitted on examples."
EXAMPLE = """\
  gtekit classify tickets.txt --labels "billing,shipping,technical problem"
  gtekit classify tickets.jsonl --labels labels.csv --abstain-below 0.5 -o labelled.csv
  gtekit classify fit train.csv -o topics.classifier --least-accuracy 0.95 --plot confusion.svg
  gtekit classify tickets.csv --classifier topics.classifier --keep all -o labelled.jsonl
  gtekit classify test.csv --classifier topics.classifier --truth label --plot confusion.png

A file of labels has the columns label and description (.csv, .tsv, .jsonl), or is a .json object of both. Examples
have the columns text and label. fit needs pip install 'gtekit[tasks]'. A file that is called fit: ./fit."""
USAGE = """\
gtekit classify [FILE] --labels NAMES|FILE [-o OUT] [options]
       gtekit classify [FILE] --classifier FILE [-o OUT] [options]
       gtekit classify fit [FILE] [-o FILE] [options]"""
ADDED = ("label", "confidence", "scores", "truth")
OF_ANSWERS = ("labels", "classifier", "template", "temperature", "truth", "keep", "scores")
OF_ENCODING = ("query", "document", "prompt_name", "prompt", "normalize", "dimensions", "batch_tokens")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "classify", SUMMARY, EXAMPLE)
    parser.usage = USAGE
    # "fit" stands where FILE may stand, and FILE may be left out: argparse has no subcommands like that
    parser.add_argument("words", nargs="*", metavar="[fit] FILE", help=f"{FILE_HELP} (-)")
    add_input_options(parser.add_argument_group("the file"))
    add_output(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the confusion matrix, .svg or .png")
    parser.add_argument(
        "--abstain-below",
        type=float,
        metavar="P",
        help="give no label that is less probable, 0 to 1 (that of the classifier, or 0)",
    )
    group = parser.add_argument_group("labels")
    group.add_argument("--labels", metavar="NAMES|FILE", help="names with commas between, or a file of descriptions")
    group.add_argument("--template", metavar="TEXT", help='put around descriptions: "This text is about {}"')
    group.add_argument("--temperature", type=float, metavar="T", help="divides cosines (0.01 for GTE; see the docs)")
    group.add_argument("--classifier", type=Path, metavar="FILE", help="what gtekit classify fit wrote")
    group.add_argument("--keep", metavar="NAMES", help="fields to carry along: text, all, none, or names (text)")
    group.add_argument("--scores", action="store_true", help="add the probabilities of all labels")
    group.add_argument("--truth", metavar="FIELD", help="the field with the true label: says how many are right")
    classify_fit.add_fit_options(parser)
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fit where the first word is fit, else label the texts."""
    is_fit = arguments.words[:1] == ["fit"]
    files = arguments.words[1:] if is_fit else arguments.words
    if len(files) > 1:
        raise ArgumentError(f"{' '.join(files)}: one file at a time, or its texts on standard input.")
    arguments.file = files[0] if files else "-"
    refuse(arguments, OF_ANSWERS if is_fit else classify_fit.OF_FIT, "is not for fit" if is_fit else "is for fit")
    check_targets(arguments, "output", "plot")
    if arguments.plot is not None:
        from gtekit.tasks.classification.confusion import check_plot

        check_plot(arguments.plot)
    return classify_fit.run_fit(arguments) if is_fit else _label(arguments)


def refuse(arguments: argparse.Namespace, names: Sequence[str], reason: str) -> None:
    """Refuse options that would have no effect.

    Raises:
        ArgumentError: If one of them was given.
    """
    for name in names:
        value = getattr(arguments, name)
        if value is not None and value is not False:  # 0 counts as given
            raise ArgumentError(f"--{name.replace('_', '-')} {reason}; leave it out.")


def _label(arguments: argparse.Namespace) -> int:
    from gtekit.tasks.classification.predictions import check_share

    if (arguments.labels is None) == (arguments.classifier is None):
        raise ArgumentError("say what the labels are: either --labels, or --classifier that gtekit classify fit made.")
    if arguments.plot is not None and arguments.truth is None:
        raise ArgumentError("--plot compares with true labels: name the field that has them with --truth.")
    if arguments.abstain_below is not None:
        check_share("abstain_below", arguments.abstain_below)
    check_output(arguments)
    predict = _by_labels(arguments) if arguments.labels is not None else _by_classifier(arguments)
    rows, kept = _read(arguments)
    model = load_model(arguments)
    found = predict(model, [row.text for row in rows])
    counted = _compare(arguments, rows, found)
    return _write(arguments, model, found, _records(arguments, rows, kept, found), counted)


def _by_labels(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 - a function of model and texts
    """Check what --labels says; give what labels texts by it."""
    from gtekit.tasks import zero_shot
    from gtekit.tasks.classification.zero_shot import check_temperature, describe_labels

    labels = read_labels(arguments.labels)
    describe_labels(labels, arguments.template)  # type: ignore[arg-type]
    if arguments.temperature is not None:
        check_temperature(arguments.temperature)

    def predict(model: "Embedder", texts: list[str]) -> "Predictions":
        return zero_shot(
            model,
            texts,
            labels,  # type: ignore[arg-type]
            template=arguments.template,
            temperature=arguments.temperature,
            abstain_below=arguments.abstain_below or 0.0,
            encode=encode_keywords(arguments, model),
        )

    return predict


def _by_classifier(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 - a function of model and texts
    """Check the file of a classifier; give what labels texts by it."""
    from gtekit.tasks import load_classifier
    from gtekit.tasks.classification.classifier_file import read_classifier

    refuse(arguments, ("template", "temperature"), "is for --labels")
    refuse(arguments, OF_ENCODING, "is part of a classifier, which embeds texts as in its fit")
    if arguments.on_truncation != "warn":
        raise ArgumentError("--on-truncation is part of a classifier, which embeds texts as in its fit; leave it out.")
    if arguments.classifier.suffix.lower() in RECORD_FORMATS:
        raise FileFormatError(
            f"--classifier {arguments.classifier}: is a table by its name. Fit a classifier to it first: gtekit "
            f"classify fit {arguments.classifier} -o topics.classifier"
        )
    read_classifier(arguments.classifier)

    def predict(model: "Embedder", texts: list[str]) -> "Predictions":
        return load_classifier(arguments.classifier, model).predict(texts, abstain_below=arguments.abstain_below)

    return predict


def _read(arguments: argparse.Namespace) -> "tuple[list[Row], tuple[str, ...] | None]":
    """Read the rows, and name the fields that go to the output; None: all that were read."""
    asked: Keep = "text" if arguments.keep is None else read_keep(arguments.keep)
    rows = read_rows(arguments, keep=asked if arguments.truth is None else "all")
    kept = None if arguments.truth is None else _kept_of_all(arguments, rows[0], asked)
    for row in rows:
        where = row_place(arguments, row)
        if arguments.truth is not None and row.kept.get(arguments.truth) in (None, ""):
            raise FileFormatError(
                f"{where}: no field {arguments.truth!r}, or nothing in it. --truth names the field with the true "
                f"label; this row has: {', '.join(row.kept)}."
            )
        check_own_fields(where, row.kept if kept is None else kept, ADDED)
    return rows, kept


def _kept_of_all(arguments: argparse.Namespace, row: "Row", asked: "Keep") -> tuple[str, ...] | None:
    """Name the fields to keep, where all were read for the sake of one."""
    from gtekit.files.rows import choose_field, choose_kept

    if asked == "all":
        return None
    name, fields = arguments.file, list(row.kept)
    strings = [field for field, value in row.kept.items() if isinstance(value, str)]
    return choose_kept(name, fields, choose_field(name, fields, strings, arguments.field), asked)


def _records(
    arguments: argparse.Namespace, rows: "list[Row]", kept: tuple[str, ...] | None, found: "Predictions"
) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(rows):
        record = dict(row.kept) if kept is None else {name: row.kept.get(name) for name in kept}
        record["label"] = found.labels[place]
        record["confidence"] = round(float(found.confidence[place]), 6)
        if arguments.truth is not None:
            record["truth"] = row.kept[arguments.truth]
        if arguments.scores:
            scores = found.scores[place].tolist()
            record["scores"] = {str(name): round(score, 6) for name, score in zip(found.classes, scores, strict=True)}
        yield record


def _compare(arguments: argparse.Namespace, rows: "list[Row]", found: "Predictions") -> "Confusion | None":
    if arguments.truth is None:
        return None
    from gtekit.tasks.classification.confusion import confusion, draw_confusion

    # csv has no numbers: what a classifier calls 1 may be "1" in the file
    names = {str(label): label for label in found.classes}
    truths = [names.get(str(row.kept[arguments.truth]), str(row.kept[arguments.truth])) for row in rows]
    counted = confusion(truths, found.labels, found.classes)
    if arguments.plot is not None:
        draw_confusion(counted, arguments.plot, title=f"Labels of {arguments.file}")
        say(f"the confusion matrix is in {arguments.plot}")
    return counted


def _write(
    arguments: argparse.Namespace,
    model: "Embedder",
    found: "Predictions",
    records: Iterator[dict[str, Any]],
    counted: "Confusion | None",
) -> int:
    unlabelled = found.labels.count(None)
    answered = len(found.labels) - unlabelled
    summary: dict[str, Any] = {
        "model": model.name,
        "classes": list(found.classes),
        "texts": len(found.labels),
        "without_label": unlabelled,
    }
    line = f"{count_text(len(found.labels), 'text')}, {unlabelled:,} without a label"
    if counted is not None:
        accuracy = counted.right / answered if answered else None
        summary |= {"right": counted.right, "accuracy": accuracy}
        line += f"; {counted.right:,} of {answered:,} labels are right"
        line += f" ({accuracy:.1%})" if accuracy is not None else ""
    if arguments.json and arguments.output == "-":
        print_json({**summary, "results": list(records)})
    else:
        write_records(arguments, records)
        if arguments.json:
            print_json({**summary, "output": arguments.output})
    say(line)
    return ExitCode.OK
