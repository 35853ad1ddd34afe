"""A whole process, from its start to its first vector, or through a corpus: what cold_start.py times from outside.

python -m benchmarks.peers.first_vector openvino --work build/benchmarks/small --setting '{"threads": 2}'
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.job import read_job
from benchmarks.peers.catalog import BY_NAME, load_peer

READY = "first vector"
QUERY = "how to implement quick sort in python?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=BY_NAME)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--setting", type=json.loads, required=True, help="as JSON")
    parser.add_argument("--bulk", help="embed a quarter of this workload instead of one query")
    args = parser.parse_args()
    job = read_job(args.work)
    peer = load_peer(BY_NAME[args.peer], job)
    if args.bulk:
        # a quarter is enough for the peak: the longest texts come first with every peer
        peer.encode(job.texts(args.bulk)[::4], args.setting)
    else:
        peer.encode_one(QUERY, args.setting)
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
