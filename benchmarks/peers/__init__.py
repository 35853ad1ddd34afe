"""One file for each program that is measured. Each runs in a process of its own."""
