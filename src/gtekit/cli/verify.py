"""gtekit verify: do the kernels of this machine compute right vectors?"""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_model_options, chosen_precisions, load_model, new_parser
from gtekit.cli.printing import print_json

if TYPE_CHECKING:
    from gtekit.config import Precision
    from gtekit.embedder import Embedder
    from gtekit.verify import Check

SUMMARY = "Check that the kernels of this machine compute right vectors."
EXAMPLE = """\
  gtekit verify
  gtekit verify --model all-MiniLM-L6-v2
  gtekit verify --no-model        golden vectors only, on a small checkpoint made from a seed

First every kernel set that runs here embeds a small checkpoint and is compared with what transformers gave for it;
then, in float32 and in int8, every kernel set is compared with the scalar one on the model, and with itself: texts in
another order, and one by one on one thread, must give the same bits. The exit code is 1 if a comparison fails. Whether
the files of the model are those that its makers meant can't be told from here: scalar kernels would follow a wrong
config.json as well."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "verify", SUMMARY, EXAMPLE)
    parser.add_argument("--no-model", action="store_true", help="check the golden vectors only, load no model")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the checks, print each and the largest error."""
    from gtekit.verify import Check, check_golden, check_kernels

    done: list[Check] = []
    model_names: set[str] = set()

    def load(isa: str, threads: int | None, precision: "Precision") -> "Embedder":
        model = load_model(arguments, isa=isa, threads=threads, precision=precision)
        model_names.add(model.name)
        return model

    def take(check: Check) -> None:
        done.append(check)
        if not arguments.json:
            print(f"{'ok    ' if check.passed else 'FAILED'}  {_result(check)}  {check.name}", flush=True)

    for check in check_golden(arguments.threads):
        take(check)
    if not arguments.no_model:
        for check in check_kernels(load, chosen_precisions(arguments)):
            take(check)
    passed = all(check.passed for check in done)
    if arguments.json:
        checks = [
            {
                "name": check.name,
                "precision": check.precision,
                "passed": check.passed,
                "texts": check.texts,
                "max_abs_diff": check.max_abs_diff,
                "min_cosine": check.min_cosine,
                "allowed": check.allowed,
                "note": check.note,
            }
            for check in done
        ]
        print_json({"passed": passed, "max_abs_diff": max(check.max_abs_diff for check in done), "checks": checks})
    else:
        print(f"\nlargest error: {_largest(done)}")
        print(_verdict(model_names) if passed else "Some vectors are WRONG: do not use gtekit on this machine.")
    return ExitCode.OK if passed else ExitCode.FAILED


def _largest(done: "Sequence[Check]") -> str:
    """Say the largest error of each precision that was looked at, beside the largest that passes."""
    said = []
    for precision in dict.fromkeys(check.precision for check in done):
        checks = [check for check in done if check.precision == precision]
        largest, allowed = (max(getattr(check, name) for check in checks) for name in ("max_abs_diff", "allowed"))
        said.append(f"{largest:.2g} in {precision} (allowed: {allowed:.0e})")
    return ", ".join(said)


def _verdict(model_names: Iterable[str]) -> str:
    shown = "Every kernel set gives the vectors of transformers for the golden checkpoint"
    names = ", ".join(model_names)
    if not names:
        return f"{shown}. No other model was looked at."
    return (
        f"{shown}, and those of the scalar kernels for {names}, in any order and company.\n"
        f"Not looked at: whether the files of {names} are right."
    )


def _result(check: "Check") -> str:
    if check.note:
        return check.note
    if not check.allowed:
        return "same bits         " if not check.max_abs_diff else f"differs by {check.max_abs_diff:.1e}"
    return f"largest error {check.max_abs_diff:.1e}"
