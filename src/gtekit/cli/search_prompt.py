"""gtekit search without a query: one a line, the model kept loaded."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from gtekit.cli.printing import count_text, say
from gtekit.cli.search_asked import Asked, print_error
from gtekit.cli.wording import in_flags
from gtekit.errors import ArgumentError, GtekitError

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.index import Index, Mode

PROMPT = "search> "
HELP = """\
  :k 5            show five passages
  :mode hybrid    search by meaning (vector), by words (text), or by both (hybrid)
  :weight 0.7     what words count in hybrid, 0 to 1
  :diversity 0.3  make room for what is different, 0 to 1
  :where page=1   only these; without a filter: all
  :full           show passages whole, or in part again
  :help           this
  :quit           end, as Ctrl-D does
Everything else is looked for."""
CHANGES: dict[str, Callable[[Asked, str], Asked]] = {
    "k": lambda asked, value: replace(asked, top_k=int(value)),
    "mode": lambda asked, value: replace(asked, mode=cast("Mode", value)),
    "weight": lambda asked, value: replace(asked, text_weight=float(value)),
    "diversity": lambda asked, value: replace(asked, diversity=float(value)),
    "where": lambda asked, value: replace(asked, where=value or None),
    "full": lambda asked, _: replace(asked, is_full=not asked.is_full),
}


def answer_lines(index: "Index", model: "Embedder", asked: Asked) -> int:
    """Answer each line of standard input until it ends; gives how many could not be answered.

    What is wrong with a query is said, and the next one read; with --json in a line of its own.

    Raises:
        ArgumentError: If a command can't be followed and nobody sits there to type another: what comes after would get
            answers that were not asked for.
    """
    is_terminal = sys.stdin.isatty()
    if is_terminal:
        say(f"{count_text(index.count(), 'passage')} of {index.location}; :help says what can be typed, Ctrl-D ends.")
    failed = 0
    number = 0
    while (line := _read_line(is_terminal=is_terminal)) is not None:
        number += 1
        command = line.rstrip() if line.startswith(":") else ""
        if command in (":quit", ":q"):
            break
        if command in (":help", ":h", ":?"):
            print(HELP, file=sys.stderr)
            continue
        try:
            if command:
                asked = _changed(asked, command, index)
            elif line.strip():
                _check_text(line)
                asked.answer(index, model, line.strip())
        except GtekitError as error:
            message = in_flags(str(error)) if is_terminal else f"line {number}: {in_flags(str(error))}"
            if command and not is_terminal:
                raise ArgumentError(message) from None
            failed += 1
            if asked.is_json:
                print_error(line.strip(), message)
            else:
                say(message)
        sys.stdout.flush()
    return 0 if is_terminal else failed


def _read_line(*, is_terminal: bool) -> str | None:
    """Read a line; None at the end, and at Ctrl-C on a terminal."""
    if not is_terminal:
        # as bytes: what Python makes of them is a matter of the locale
        return sys.stdin.buffer.readline().decode("utf-8", "surrogateescape") or None
    try:
        if sys.stdout.isatty():
            with suppress(ImportError):  # Windows has none: lines can be edited there without it
                import readline  # noqa: F401 gives input() its arrow keys
            return input(PROMPT)
        print(PROMPT, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline() or None
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return None


def _check_text(line: str) -> None:
    if not line.isascii() and any("\ud800" <= character <= "\udfff" for character in line):
        raise ArgumentError("is not UTF-8. Convert it first, such as by: iconv -f latin1 -t utf-8")


def _changed(asked: Asked, command: str, index: "Index") -> Asked:
    name, _, value = command[1:].partition(" ")
    if name not in CHANGES:
        raise ArgumentError(
            f"{command}: there is no :{name}; :help lists what there is. To look for it: a space first."
        )
    try:
        changed = CHANGES[name](asked, value.strip())
    except ValueError:
        raise ArgumentError(f"{command}: {value.strip()!r} is no number.") from None
    changed.check(index)
    return changed
