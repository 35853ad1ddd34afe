"""gtekit index optimize, verify, versions and tag: what keeps an index fast and safe."""

import argparse
from dataclasses import asdict

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, print_table, say

INDEX_HELP = "a folder, or s3://bucket/prefix"


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the four commands."""
    parser = new_parser(
        commands,
        "optimize",
        "Tidy up an index, and build what makes search fast where it has rows enough.",
        "  gtekit index optimize my.index",
    )
    parser.add_argument("index", metavar="INDEX", help=INDEX_HELP)
    parser.set_defaults(run=run_optimize)
    parser = new_parser(
        commands,
        "verify",
        "Read an index back and say what is wrong with it; the exit code is 1 where something is.",
        "  gtekit index verify my.index",
    )
    parser.add_argument("index", metavar="INDEX", help=INDEX_HELP)
    parser.set_defaults(run=run_verify)
    parser = new_parser(
        commands, "versions", "List the states that an index can be searched in.", "  gtekit index versions my.index"
    )
    parser.add_argument("index", metavar="INDEX", help=INDEX_HELP)
    parser.set_defaults(run=run_versions)
    parser = new_parser(
        commands,
        "tag",
        "Give the present state of an index a name, which keeps it: gtekit search --version NAME.",
        "  gtekit index tag my.index release-1\n  gtekit index tag my.index release-1 --remove",
    )
    parser.add_argument("index", metavar="INDEX", help=INDEX_HELP)
    parser.add_argument("name", metavar="NAME", help="letters, digits, _ and -; one that is there moves here")
    parser.add_argument("--remove", action="store_true", help="take the name away; optimize may then drop its state")
    parser.set_defaults(run=run_tag)


def run_optimize(arguments: argparse.Namespace) -> int:
    """Tidy up, and print how the index is searched now."""
    from gtekit.index import open as open_index

    with open_index(arguments.index) as index:
        say(f"optimizing {count_text(index.count(), 'row')}")
        index.optimize()
        stats = index.stats()
    if arguments.json:
        print_json(asdict(stats))
        return ExitCode.OK
    print(f"{arguments.index}: {count_text(stats.rows, 'row')}, search: {stats.search}")
    if stats.recall:
        found = f"{stats.recall.recall:.4f} of the exact {stats.recall.top_k}"
        print(f"recall: {found}, measured with {stats.recall.queries:,} queries")
    return ExitCode.OK


def run_verify(arguments: argparse.Namespace) -> int:
    """Print what is wrong; exit code 1 where something is."""
    from gtekit.index import open as open_index

    with open_index(arguments.index) as index:
        problems = index.verify()
        rows = index.count() if not problems else None
    if arguments.json:
        print_json({"index": arguments.index, "rows": rows, "problems": problems})
    else:
        print("\n".join(problems) if rows is None else f"{arguments.index}: {count_text(rows, 'row')}, all is well")
    return ExitCode.FAILED if problems else ExitCode.OK


def run_versions(arguments: argparse.Namespace) -> int:
    """Print the versions, oldest first."""
    from gtekit.index import open as open_index

    with open_index(arguments.index) as index:
        versions = index.versions()
    if arguments.json:
        print_json([asdict(version) for version in versions])
        return ExitCode.OK
    rows = [[str(entry.number), f"{entry.created:%Y-%m-%d %H:%M:%S}", ", ".join(entry.tags)] for entry in versions]
    print_table([["version", "written", "tags"], *rows], right=(0,))
    return ExitCode.OK


def run_tag(arguments: argparse.Namespace) -> int:
    """Tag the present version, or take a tag away."""
    from gtekit.index import open as open_index

    with open_index(arguments.index) as index:
        if arguments.remove:
            index.untag(arguments.name)
            if arguments.json:
                print_json({"index": arguments.index, "removed": arguments.name})
            else:
                print(f"{arguments.index}: no version is {arguments.name} any more")
            return ExitCode.OK
        index.tag(arguments.name)
        number = index.stats().version
    if arguments.json:
        print_json({"index": arguments.index, "version": number, "tag": arguments.name})
    else:
        print(f"{arguments.index}: version {number} is {arguments.name}")
    return ExitCode.OK
