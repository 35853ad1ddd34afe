"""gtekit inspect: the tokens of a text, and what would be cut."""

import argparse
import sys

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_model_options, load_model, new_parser
from gtekit.cli.printing import count_text, print_json, print_table

SUMMARY = "Show the tokens of a text, how many they are, and what would be cut."
EXAMPLE = """\
  gtekit inspect "how to implement quick sort in python?"
  gtekit inspect - < chapter.txt"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "inspect", SUMMARY, EXAMPLE)
    parser.add_argument("text", metavar="TEXT", help="the text; - reads standard input")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print tokens with the characters that they stand for."""
    model = load_model(arguments)
    text = read_standard_input() if arguments.text == "-" else arguments.text
    names = model.tokenize([text])[0]
    tokens = model.tokenizer.encode_with_offsets(text)
    spans = [None, *zip(map(int, tokens.starts), map(int, tokens.ends), strict=True), None]  # [CLS] and [SEP] have none
    ids = [model.tokenizer.cls_id, *map(int, tokens.token_ids), model.tokenizer.sep_id]
    cut = next(iter(model.truncation_report([text])), None)
    if arguments.json:
        print_json(
            {
                "model": model.name,
                "characters": len(text),
                "token_count": len(names),
                "max_tokens": model.max_tokens,
                "tokens_lost": cut.tokens_lost if cut else 0,
                "cut_at": cut.cut_at if cut else None,
                "unknown_tokens": ids.count(model.tokenizer.unk_id) if model.tokenizer.unk_id is not None else 0,
                "tokens": [
                    {"id": number, "token": name, "start": span and span[0], "end": span and span[1]}
                    for number, name, span in zip(ids, names, spans, strict=True)
                ],
            }
        )
        return ExitCode.OK
    last_kept = model.max_tokens - 2 if cut else len(names)  # [SEP] takes the place after it
    rows = [("", "id", "token", "characters", "text")]
    for place, (number, name, span) in enumerate(zip(ids, names, spans, strict=True)):
        mark = "cut" if last_kept < place < len(names) - 1 else ""
        where, piece = (f"{span[0]}-{span[1]}", repr(text[span[0] : span[1]])) if span else ("", "")
        rows.append((mark, str(number), name, where, piece))
    print_table(rows, right=(1,))
    characters = count_text(len(text), "character")
    print(f"\n{len(names):,} tokens from {characters}; {model.name} reads {model.max_tokens:,} tokens.")
    if cut:
        print(
            f"{count_text(cut.tokens_lost, 'token')} would be cut, from character {cut.cut_at:,} on: "
            f"{text[cut.cut_at : cut.cut_at + 40]!r}... Embed all of it with --on-truncation chunk."
        )
    else:
        print("Nothing would be cut.")
    return ExitCode.OK


def read_standard_input() -> str:
    """Read one text, without the line end that the shell puts after it."""
    from gtekit.files import decode_text

    return decode_text(sys.stdin.buffer.read(), "standard input")
