"""MTEB's tasks: found by name, given data, run with a model, their scores kept."""

from gtekit.evaluation.mteb_tasks.catalog import describe_tasks, find_tasks
from gtekit.evaluation.mteb_tasks.encoder import TaskEncoder
from gtekit.evaluation.mteb_tasks.folder import task_folders
from gtekit.evaluation.mteb_tasks.plan import PlannedTask, RunOptions, plan_tasks, planned_texts
from gtekit.evaluation.mteb_tasks.run import evaluated_as, run_tasks

__all__ = [
    "PlannedTask",
    "RunOptions",
    "TaskEncoder",
    "describe_tasks",
    "evaluated_as",
    "find_tasks",
    "plan_tasks",
    "planned_texts",
    "run_tasks",
    "task_folders",
]
