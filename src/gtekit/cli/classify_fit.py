"""gtekit classify fit: a classifier from labelled examples, and how well it does on texts that it has not seen."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import encode_keywords, load_model
from gtekit.cli.printing import count_text, print_json, say
from gtekit.cli.task_files import read_rows
from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.files import Row
    from gtekit.tasks import Classifier

OF_FIT = ("columns", "c", "class_weight", "folds", "least_accuracy", "least_coverage")
PLACE = re.compile(r"labels\[(\d+)\](:?)")


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of gtekit classify fit alone."""
    group = parser.add_argument_group("fit")
    group.add_argument("--columns", metavar="TEXT,LABEL", help="the columns of text and label (text,label)")
    group.add_argument("--c", type=float, metavar="C", help="inverse strength of the penalty (by cross-validation)")
    group.add_argument("--class-weight", choices=("balanced",), help="let rare labels count as much as frequent ones")
    group.add_argument("--folds", type=int, metavar="N", help="of the cross-validation; 0, with --c: none (5)")
    group.add_argument(
        "--least-accuracy", type=float, metavar="A", help="abstain so that this share of the labels given is right"
    )
    group.add_argument("--least-coverage", type=float, metavar="A", help="abstain, but label this share of the texts")


def run_fit(arguments: argparse.Namespace) -> int:
    """Fit, report, save."""
    from gtekit.tasks import fit_classifier
    from gtekit.tasks.classification.cross_validation import FOLDS, load_sklearn
    from gtekit.tasks.classification.few_shot import check_examples, check_plan

    plan = {
        "c": arguments.c,
        "class_weight": arguments.class_weight,
        "folds": FOLDS if arguments.folds is None else arguments.folds,
        "abstain_below": 0.0 if arguments.abstain_below is None else arguments.abstain_below,
        "least_accuracy": arguments.least_accuracy,
        "least_coverage": arguments.least_coverage,
    }
    check_plan(**plan)
    load_sklearn()
    rows, label_field = _read_examples(arguments)
    labels = [row.kept[label_field] for row in rows]
    with _lines_for_places(arguments.file, rows):
        check_examples(labels, len(rows), plan["folds"])
    if arguments.plot is not None and not plan["folds"]:
        raise ArgumentError("--plot shows what cross-validation found, and --folds 0 leaves it out.")
    model = load_model(arguments)
    encode = encode_keywords(arguments, model)
    encode.pop("batch_tokens", None)  # decides the speed, not the vectors
    with _lines_for_places(arguments.file, rows):
        classifier = fit_classifier(model, [row.text for row in rows], labels, **plan, encode=encode)
    if arguments.output != "-":
        classifier.save(arguments.output)
    _draw(arguments, classifier)
    _report(arguments, classifier)
    return ExitCode.OK


def _read_examples(arguments: argparse.Namespace) -> "tuple[list[Row], str]":
    label_field = "label"
    if arguments.columns is not None:
        names = [name.strip() for name in arguments.columns.split(",")]
        if len(names) != 2 or not all(names) or names[0] == names[1]:
            raise ArgumentError(f"--columns {arguments.columns}: name two columns, of text and label: text,label.")
        if arguments.field is not None:
            raise ArgumentError("--field and --columns both name the texts; leave one out.")
        arguments.field, label_field = names
    try:
        return read_rows(arguments, keep=[label_field]), label_field
    except FileFormatError as error:
        raise FileFormatError(_in_columns(str(error))) from None


def _in_columns(message: str) -> str:
    """Name --columns, which says here what --field and --keep say elsewhere."""
    advice = "Name the columns of text and label: --columns text,label."
    message = message.replace(" to keep; its", " for the labels; its")
    message = message.replace("--keep takes all, none, or names with commas between.", advice)
    return message.replace("Choose one with --field.", advice)


@contextmanager
def _lines_for_places(file: str, rows: "list[Row]") -> Iterator[None]:
    """Say the line of the file where the library says the place in the list."""
    try:
        yield
    except ArgumentError as error:
        message = PLACE.sub(
            lambda place: f"{file}, line {rows[int(place[1])].number}:{'' if place[2] else ' the label'}", str(error)
        )
        raise ArgumentError(message) from None


def _draw(arguments: argparse.Namespace, classifier: "Classifier") -> None:
    if arguments.plot is None:
        return
    from gtekit.tasks.classification.confusion import confusion, draw_confusion

    assert classifier.seen is not None
    seen, classes = classifier.seen, classifier.classes
    given = [
        classes[number] if confidence >= classifier.abstain_below else None
        for number, confidence in zip(seen.predicted.tolist(), seen.confidence.tolist(), strict=True)
    ]
    counted = confusion([classes[number] for number in seen.truths.tolist()], given, classes)
    draw_confusion(counted, arguments.plot, title=f"Cross-validation on {arguments.file}")


def _report(arguments: argparse.Namespace, classifier: "Classifier") -> None:
    saved = arguments.output if arguments.output != "-" else None
    if arguments.json:
        print_json(
            {
                "model": classifier.model.name,
                "fingerprint": classifier.model.fingerprint,
                "classes": list(classifier.classes),
                "abstain_below": classifier.abstain_below,
                "report": asdict(classifier.report),
                "output": saved,
            }
        )
    for line in report_lines(classifier):
        say(line)
    say(f"saved as {saved}" if saved else "not saved; -o topics.classifier keeps it")


def report_lines(classifier: "Classifier") -> list[str]:
    """Say what a classifier was fitted on and how well it did, for people."""
    report = classifier.report
    fewest, most = min(report.examples), max(report.examples)
    examples = f"{fewest:,}{f' to {most:,}' if most > fewest else ''} examples each"
    lines = [f"{count_text(report.texts, 'text')}, {count_text(len(classifier.classes), 'label')}, {examples}"]
    if report.accuracy is None or report.macro_f1 is None:
        return [*lines, f"c={report.c:g}, not cross-validated: how good it is, is not known"]
    tried = ", ".join(f"{entry.c:g} ({entry.log_loss:.3f})" for entry in report.candidates)
    macro_f1 = f"macro-F1 {report.macro_f1.value:.3f}"
    if report.macro_f1.value < 1:  # without an error to draw there is no interval
        macro_f1 += f" ({report.macro_f1.low:.3f} to {report.macro_f1.high:.3f})"
    lines += [
        f"C {report.c:g}, by the least log loss in {report.folds}-fold cross-validation: {tried}",
        f"on texts not seen, with 95 % intervals: accuracy {report.accuracy.value:.1%} ({report.accuracy.low:.1%} to "
        f"{report.accuracy.high:.1%}), {macro_f1}",
        "abstain below  texts labelled  accuracy of these",
    ]
    points = [*report.abstention, *([report.chosen] if report.chosen else [])]
    for point in sorted(points, key=lambda point: point.threshold):
        accuracy = "–" if point.accuracy is None else f"{point.accuracy:.1%}"
        chosen = "  <- chosen" if point is report.chosen else ""
        lines.append(f"{point.threshold:13.3f}  {point.coverage:14.1%}  {accuracy:>17}{chosen}")
    return lines
