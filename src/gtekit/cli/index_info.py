"""gtekit index info: what an index is made of."""

import argparse
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, print_table, size_text

if TYPE_CHECKING:
    from gtekit.index import Index

SUMMARY = "Say what an index is made of: model, documents, passages, how it is searched."
EXAMPLE = """\
  gtekit index info my.index
  gtekit index info my.index --documents"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "info", SUMMARY, EXAMPLE)
    parser.add_argument("index", metavar="INDEX", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--documents", action="store_true", help="list the documents, with their passages")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known."""
    from gtekit.index import open as open_index
    from gtekit.index.build.entries import read_entries

    with open_index(arguments.index) as index:
        entries = sorted(read_entries(index).values(), key=lambda entry: entry.document_id)
        facts = _facts(index, len(entries), Counter(entry.root for entry in entries))
    documents = [
        {
            "id": entry.document_id,
            "source": entry.source,
            "passages": entry.passages,
            "content_hash": entry.content_hash,
        }
        for entry in entries
    ]
    if arguments.json:
        print_json({**facts, **({"documents": documents} if arguments.documents else {})})
    elif arguments.documents:
        print_table(
            [["passages", "document"], *([str(row["passages"]), str(row["id"])] for row in documents)], right=(0,)
        )
    else:
        print_table([["", ""], *_lines(facts)][1:])
    return ExitCode.OK


def _facts(index: "Index", documents: int, roots: "Counter[str]") -> dict[str, Any]:
    from gtekit.index.build.build import SETTINGS_NOTE

    stats = asdict(index.stats())
    return {
        **stats,
        "document_count": documents,
        "paths": dict(roots),
        "passages": dict(index.read_note(SETTINGS_NOTE) or {}),
    }


def _lines(facts: dict[str, Any]) -> list[list[str]]:
    space, recall = facts["space"], facts["recall"]
    size = facts["size_bytes"]
    of_documents = f" of {facts['document_count']:,} documents" if facts["document_count"] else ""
    lines = [
        ["index", f"{facts['location']} ({facts['backend']}, version {facts['version']})"],
        ["model", f"{space['model']}, {space['dimension']} dimensions, fingerprint {space['fingerprint'][:12]}"],
        ["rows", f"{facts['rows']:,}{of_documents}"],
        ["size", size_text(size) if size is not None else "not known"],
        [
            "search",
            facts["search"] + (f", {facts['unindexed_rows']:,} rows exactly" if facts["unindexed_rows"] else ""),
        ],
        ["words", "searched (BM25)" if facts["has_text"] else "not searched"],
    ]
    if recall:
        lines.append(["recall", f"{recall['recall']:.4f} of the exact {recall['top_k']}, {recall['queries']} queries"])
    if facts["passages"]:
        settings = facts["passages"]
        lines.append(["passages", f"{settings['passage_tokens']} tokens, {settings['overlap_tokens']} shared"])
    lines += [["path", f"{root} ({count_text(count, 'document')})"] for root, count in facts["paths"].items()]
    lines.append(["columns", ", ".join(f"{name} ({kind})" for name, kind in facts["columns"].items()) or "none"])
    return lines
