"""How good a model is: on MTEB's tasks beside the published scores, and on a person's own data.

`evaluate` and `compare` take one's own data and need the extra "metrics"; `run_mteb` needs the extra "eval"; the
published scores and the report need nothing.
"""

from gtekit.evaluation.one_call import run_mteb
from gtekit.evaluation.own_data import Comparison, Evaluation, compare, evaluate
from gtekit.evaluation.published import averages, find_published, published_names
from gtekit.evaluation.report import Report, build_report, compare_models, write_report
from gtekit.evaluation.results import ResultStore, TaskScore

__all__ = [
    "Comparison",
    "Evaluation",
    "Report",
    "ResultStore",
    "TaskScore",
    "averages",
    "build_report",
    "compare",
    "compare_models",
    "evaluate",
    "find_published",
    "published_names",
    "run_mteb",
    "write_report",
]
