"""Runs the command line as `python -m gtekit`."""

import sys

from gtekit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
