"""How fast this machine embeds the user's own texts, and which choice is the fastest on it."""

from gtekit.bench.measure import Bench, Measured, bench
from gtekit.bench.picture import draw
from gtekit.bench.spread import Spread
from gtekit.bench.texts import TextSource, made_source, read_source
from gtekit.bench.tune import Choice, Tuning, threads_to_try, tune

__all__ = [
    "Bench",
    "Choice",
    "Measured",
    "Spread",
    "TextSource",
    "Tuning",
    "bench",
    "draw",
    "made_source",
    "read_source",
    "threads_to_try",
    "tune",
]
