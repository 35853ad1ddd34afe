"""How fast is `gtekit serve`, beside the library, infinity-emb, and FastAPI around sentence-transformers?

    python -m benchmarks.serving             # all figures: twenty-five minutes on two cores; leave the machine alone
    python -m benchmarks.serving --quick     # does everything work? two rounds of seconds, no figures to quote
    python -m benchmarks.serving --no-peers  # gtekit and the library only

The checkpoint has gte-small's shape and seeded weights, the texts are those of benchmarks/prepare.py. Every answer is
checked: gtekit's vectors against the library's, to the last bit; others' by their cosine. Needs what the `serve` extra
brings; the other servers get environments of their own (.venv-infinity, .venv-plain), unless interpreters are named.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from benchmarks.machine import describe_machine, load_average
from benchmarks.serving import latency, throughput
from benchmarks.serving.environments import python_of
from benchmarks.serving.library import load_libraries
from benchmarks.serving.report import report
from benchmarks.serving.servers import Program, infinity, own, plain, running, versions_of
from benchmarks.serving.work import OUT, WORK, prepared


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.serving", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK, help="checkpoint and texts; made where it is not there")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for figures.json and report.md")
    parser.add_argument("--rounds", type=int, help="turns of each program (5; with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="short turns, a quarter of the texts")
    parser.add_argument("--no-peers", action="store_true", help="gtekit and the library only")
    parser.add_argument("--infinity-python", help="an interpreter that has infinity-emb")
    parser.add_argument("--plain-python", help="an interpreter that has FastAPI and sentence-transformers")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    os.environ.setdefault("BENCHMARK_COMMAND", " ".join(["python -m benchmarks.serving", *sys.argv[1:]]))
    machine = describe_machine()
    job = prepared(args.work.with_name(args.work.name + "-quick") if args.quick else args.work, quick=args.quick)
    programs = [own("int8"), own("float32"), *([] if args.no_peers else peers(args))]
    rounds = args.rounds or (2 if args.quick else 5)
    libraries = load_libraries(job)
    with running(programs, job.model, job.work / "logs") as servers:
        seconds, queries = (2.0, 50) if args.quick else (8.0, 300)
        done = throughput.measure(servers, libraries, rounds, seconds)
        waited = latency.measure(servers, libraries, rounds, 4.0 if args.quick else 24.0, queries)
    result = {
        "question": "serving",
        "model": job.name,
        "rounds": rounds,
        "texts": {name: job.distribution(name) for name in job.workloads()},
        "throughput": done,
        "latency": waited,
        "versions": {program.title: versions_of(program) for program in programs},
        "commands": {program.title: ["python", *program.command(Path("MODEL"), 8080)[1:]] for program in programs},
        "machine": {**machine, "load_after": load_average()},
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "figures.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (args.out / "report.md").write_text(report(result), encoding="utf-8")
    print(report(result))


def peers(args: argparse.Namespace) -> list[Program]:
    """Give the other servers."""
    return [
        infinity(args.infinity_python or python_of("infinity")),
        plain(args.plain_python or python_of("plain")),
    ]


if __name__ == "__main__":
    main()
