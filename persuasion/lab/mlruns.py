"""What goes into a run of MLflow, and each of it once, however often it is sent.

What is in the run is asked of the store itself, so a kill between any two calls leaves nothing double.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from re import sub
from typing import Any

from persuasion.lab.workspace import DATA, Point

LONGEST = 500
"""Characters of a parameter that every MLflow server takes; params.yaml, logged as a file, has it whole."""
BATCH = {"metrics": 1000, "params": 100, "tags": 100}
"""Most entities that MLflow takes at once."""
PAGE = 1000
"""Runs asked for at once."""


def found(client: Any, place: str, tag: str, value: str) -> list[Any]:
    """Every run whose ``tag`` is ``value``, the oldest first."""
    runs, token = [], None
    while True:
        page = client.search_runs([place], f"tags.`{tag}` = '{value}'", max_results=PAGE, page_token=token)
        runs += page
        token = page.token
        if not token:
            return sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id))


def known(client: Any, run_id: str) -> set[tuple[str, int]]:
    """The points, as name and step, that the run has."""
    names = client.get_run(run_id).data.metrics
    return {(name, point.step) for name in names for point in client.get_metric_history(run_id, name)}


def lacking(run: Any, points: Iterable[Point]) -> list[Point]:
    """The points of metrics that the run has no point of."""
    return [point for point in points if safe(point.name) not in run.data.metrics]


def add_points(client: Any, run_id: str, points: Sequence[Point], at: int | None = None) -> None:
    """Log points of metrics, as of their own time, ``at`` (milliseconds since 1970) or now."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000) if at is None else at
    _add(client, run_id, "metrics", [Metric(safe(one.name), one.value, one.at or now, one.step) for one in points])


def add_params(client: Any, run: Any, params: Mapping[str, str]) -> None:
    """Log the parameters that the run lacks, shortened to what every server takes."""
    from mlflow.entities import Param

    fresh = {name: value for name, value in params.items() if safe(name) not in run.data.params}
    _add(client, run.info.run_id, "params", [Param(safe(name), short(value)) for name, value in fresh.items()])


def add_tags(client: Any, run: Any, tags: Mapping[str, str]) -> None:
    """Log the tags that the run lacks."""
    from mlflow.entities import RunTag

    fresh = [RunTag(name, value) for name, value in tags.items() if name not in run.data.tags]
    _add(client, run.info.run_id, "tags", fresh)


def add_inputs(client: Any, run: Any, tags: Mapping[str, str]) -> None:
    """Name the data and models of tags such as ``pairs.md5`` as the run's inputs, with DVC's hashes as digests."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    there = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs} if run.inputs else set()
    fresh = []
    for name, path in DATA.items():
        digest = tags.get(f"{name}.md5")
        if digest and (name, digest) not in there:
            source = json.dumps({"path": path, "md5": digest})
            dataset = Dataset(name=name, digest=digest, source_type="dvc", source=source)
            fresh.append(DatasetInput(dataset=dataset, tags=[InputTag("mlflow.data.context", name)]))
    if fresh:
        client.log_inputs(run.info.run_id, datasets=fresh)


def safe(name: str) -> str:
    """A name that MLflow takes and that leads nowhere: data may have named a reason or a kind of cue."""
    return sub(r"^/|(?<![^/])\.+(?![^/])", "_", sub(r"[^\w./: -]", "_", name))[:250] or "_"


def short(value: str) -> str:
    """A parameter's value, cut."""
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"


def _add(client: Any, run_id: str, kind: str, entities: Sequence[Any]) -> None:
    for batch in _batches(entities, BATCH[kind]):
        client.log_batch(run_id, **{kind: batch})


def _batches(entities: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entities), size):
        yield entities[start : start + size]
