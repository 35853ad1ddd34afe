"""Benchmarks of gtekit against other ways to run the same model on the same CPU."""
