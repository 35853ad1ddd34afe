"""What a serving process is set to; each in a process of its own."""

import subprocess
import sys

LIMITS = """
import resource
from gtekit.serving.process import allow_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))
print(allow_connections(500) or "fits", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
print(allow_connections(2000), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_of_files_is_raised_as_far_as_it_may_be() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITS], capture_output=True, text=True, check=True)
    fits, short = done.stdout.splitlines()
    assert fits == "fits 628"
    assert "ulimit -n 2128" in short
    assert short.endswith(" 1000")
