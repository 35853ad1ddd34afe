"""Which HTTP server, framework and JSON library cost least? What gtekit serve is built on was chosen by this.

    python -m benchmarks.serving.stack

Each stack answers a POST of 70 bytes with 2 kB in one process, on one connection and on 64, in turns. Makes an
environment of its own (.venv-stacks) unless an interpreter is named.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe_machine, load_average
from benchmarks.serving.environments import python_of
from benchmarks.serving.load import Call, closed_loop, http_request
from benchmarks.serving.servers import Program, running, versions_of
from benchmarks.serving.wire import PATH
from benchmarks.serving.work import OUT, WORK

BODY = b'{"input":"how to implement quick sort in python?","model":"gte-small"}'
PACKAGES = ["uvicorn", "httptools", "uvloop", "h11", "starlette", "fastapi", "granian", "orjson", "msgspec", "numpy"]
CONNECTIONS = (1, 64)
STACKS = {  # server, event loop and HTTP parser, application
    "uvicorn, httptools, raw ASGI": ("uvicorn", "asyncio", "httptools", "raw"),
    "uvicorn, httptools, uvloop, raw ASGI": ("uvicorn", "uvloop", "httptools", "raw"),
    "uvicorn, h11, raw ASGI": ("uvicorn", "asyncio", "h11", "raw"),
    "uvicorn, httptools, Starlette": ("uvicorn", "asyncio", "httptools", "with_starlette"),
    "uvicorn, httptools, FastAPI": ("uvicorn", "asyncio", "httptools", "with_fastapi"),
    "granian, raw ASGI": ("granian", "asyncio", "", "raw"),
    "granian, uvloop, raw ASGI": ("granian", "uvloop", "", "raw"),
}

Result = dict[str, Any]


def program_of(title: str, python: str) -> Program:
    server, loop, parser, name = STACKS[title]
    app = f"benchmarks.serving.stacks.{name}:app"
    arguments = ["-m", server, app, "--host", "127.0.0.1", "--port", "{port}", "--loop", loop]
    if server == "granian":
        arguments += ["--interface", "asgi", "--workers", "1", "--no-access-log"]
    else:
        arguments += ["--http", parser, "--no-access-log", "--log-level", "warning"]
    return Program(
        name=title.replace(", ", "-").replace(" ", "-").lower(),
        title=title,
        precision="",
        python=python,
        arguments=arguments,
        versions=PACKAGES,
    )


def measure(python: str, rounds: int, seconds: float) -> dict[str, list[dict[str, float]]]:
    """Give a row a round for each stack."""
    programs = [program_of(title, python) for title in STACKS]
    calls = itertools.repeat(Call(http_request(PATH, BODY)))
    rows: dict[str, list[dict[str, float]]] = {}
    with running(programs, ROOT, WORK / "logs") as servers:
        for _, server in itertools.product(range(rounds), servers):
            row = {}
            with server.awake() as port:
                for connections in CONNECTIONS:
                    run = asyncio.run(closed_loop(port, calls, connections, seconds))
                    row[f"requests_per_s_{connections}"] = run.requests_per_s
                    row[f"p50_us_{connections}"] = 1000 * run.quantile_ms(0.5)
            rows.setdefault(server.program.title, []).append(row)
            print(f"{server.program.title}: {row[f'requests_per_s_{CONNECTIONS[-1]}']:,.0f}/s", file=sys.stderr)
    return rows


def report(result: Result) -> str:
    """Write the tables."""
    machine, (one, many) = result["machine"], CONNECTIONS
    lines = [
        "# HTTP stacks and JSON libraries",
        "",
        f"{machine['cpu']}, {machine['cores']} cores; load before and after: {machine['load_before']}, "
        f"{machine['load_after']}. Commit {machine['commit']}, {machine['date']}. Command: `{machine['command']}`.",
        "",
        f"| stack | requests/s, {many} connections | p50, one connection |",
        "|---|---:|---:|",
    ]
    for title, rows in result["stacks"].items():
        rate, p50 = (statistics.median(row[key] for row in rows) for key in (f"requests_per_s_{many}", f"p50_us_{one}"))
        lines.append(f"| {title} | {rate:,.0f} | {p50:,.0f} µs |")
    for what, values in result["bodies"].items():
        lines += ["", f"| {what} | |", "|---|---:|"]
        lines += [f"| {name} | {value:,.1f} |" for name, value in values.items()]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT, help="folder for stack.json and stack.md")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--python", help="an interpreter that has all the servers")
    args = parser.parse_args()
    os.environ.setdefault("BENCHMARK_COMMAND", " ".join(["python -m benchmarks.serving.stack", *sys.argv[1:]]))
    machine, python = describe_machine(), args.python or python_of("stacks")
    command = [python, "-m", "benchmarks.serving.stacks.bodies"]
    bodies = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    result = {
        "question": "stack",
        "stacks": measure(python, args.rounds, args.seconds),
        "bodies": json.loads(bodies),
        "versions": versions_of(program_of(next(iter(STACKS)), python)),
        "machine": {**machine, "load_after": load_average()},
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "stack.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (args.out / "stack.md").write_text(report(result), encoding="utf-8")
    print(report(result))


if __name__ == "__main__":
    main()
