"""A process that reads an index while another writes, and makes sure that it never sees half a write.

    python -m tests.index.read_whole_writes LOCATION

All rows are written again and again, each time with one number as metadata: whoever sees two numbers at once has seen
half a write. Ends when standard input does; prints how many states it has seen.
"""

import sys
import threading

import numpy as np

import gtekit.index


def main() -> None:
    index = gtekit.index.open(sys.argv[1])
    is_asked_to_stop = threading.Event()
    threading.Thread(target=wait_for_line, args=(is_asked_to_stop,), daemon=True).start()
    seen: set[object] = set()
    is_first = True
    while is_first or not is_asked_to_stop.is_set():
        rows = [row["n"] for records in index.scan() for row in records.metadata or ()]
        assert len(rows) == 30, f"{len(rows)} rows"
        assert len(set(rows)) == 1, f"half a write: {set(rows)}"
        seen |= set(rows)
        query = np.random.default_rng(len(seen)).normal(size=index.space.dimension)
        numbers = {hit.metadata["n"] for hit in index.search(query, top_k=30)}
        assert len(numbers) == 1, f"half a write: {numbers}"
        if is_first:
            say("ready")
            is_first = False
    say(str(len(seen)))


def wait_for_line(is_there: threading.Event) -> None:
    sys.stdin.readline()
    is_there.set()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
