"""The report as data: one row for each model and task, and everything in one JSON value."""

import csv
import io
import json
import math
from dataclasses import asdict

from gtekit.evaluation.report.content import Report, TaskLine
from gtekit.evaluation.report.page_table import card_checks, published_lines
from gtekit.evaluation.report.sources import published_sources

FORMAT = 1  # of the JSON file


def csv_text(report: Report) -> str:
    """Give one row for each model and task, with every field; what is not known is empty."""
    rows = [_row(line) for line in report.tasks]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def json_value(report: Report) -> dict[str, object]:
    """Give everything as JSON knows it; a number that is none becomes null."""
    return {"format": FORMAT, **{key: _plain(of) for key, of in asdict(report).items()}}


def published_value() -> dict[str, object]:
    """Give the published table alone as JSON knows it."""
    return {
        "format": FORMAT,
        "page": [asdict(line) for line in published_lines()],
        "card_checks": [asdict(check) for check in card_checks()],
        "sources": published_sources(),
    }


def json_text(report: Report) -> str:
    """Give everything as JSON."""
    return json.dumps(json_value(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row(line: TaskLine) -> dict[str, object]:
    score, evaluated, data = line.measured, line.measured.evaluated, line.measured.data
    return {
        "label": line.label,
        "model": evaluated.model,
        "kind": evaluated.kind,
        "precision": evaluated.precision,
        "settings": evaluated.settings,
        "max_tokens": evaluated.max_tokens,
        "fingerprint": evaluated.fingerprint,
        "task": score.task,
        "category": score.category,
        "metric": score.metric,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "published": line.published,
        "published_by": line.published_by,
        "rerun": line.rerun,
        "difference": line.difference,
        "not_compared": line.not_compared,
        "unlike": line.unlike,
        "data_revision": data.revision,
        "data_source": data.source,
        "data_rows": data.rows,
        "data_difference": data.difference,
        "is_partial": data.is_partial,
        "normalize": score.normalize,
        "prompts": json.dumps(score.prompts, ensure_ascii=False),
        "texts": score.texts,
        "texts_embedded": score.texts_embedded,
        "texts_cut": score.texts_cut,
        "embed_s": score.embed_s,
        "total_s": score.total_s,
        "texts_per_s": score.texts_per_s,
        "dimension": score.dimension,
        "size_bytes": score.size_bytes,
        "machine": score.machine,
        "versions": json.dumps(score.versions, ensure_ascii=False),
        "date": score.date,
        "scores": json.dumps(_plain(score.scores), ensure_ascii=False),
    }


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
