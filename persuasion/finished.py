"""A finished run, read from the files that its stages left, for the report."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from persuasion import lineage
from persuasion.config import Params
from persuasion.contents import Inputs
from persuasion.errors import DataFailure
from persuasion.examples import quoting
from persuasion.files import digest
from persuasion.records import SPLITS, Pair, Reply
from persuasion.seen import read_previews
from persuasion.tables import read_rows, stream_rows

METRICS = Path("metrics")
STAGES = ("extract", "pair", "base", "reference", "train", "evaluate", "generate")
JUDGES = ("evaluate", "generate")  # those that say why a figure is null
TABLES = {
    "training": "train/training",
    "validation": "train/validation",
    "reliability": "evaluate/reliability",
    "margins": "evaluate/margins",
    "rewards": "evaluate/rewards",
    "lengths": "pair/lengths",
    "scatter": "evaluate/lengths",
    "tokens": "reference/tokens",
}
PAIRS, REPLIES, VERDICTS = Path("data/pairs"), Path("data/replies.parquet"), Path("data/verdicts.parquet")
ADAPTER, PREVIEW = Path("models/adapter"), Path("data/reference/preview.jsonl")
MADE = (PAIRS, ADAPTER, VERDICTS, REPLIES)
SYNTHETIC = Path("data/raw/sample")


def read_run(params: Params) -> Inputs:
    """Everything that the page shows. Raises DataFailure for what is missing or no output of ours."""
    metrics = {name: _metrics(name) for name in STAGES}
    synthetic = Path(params.source.path) == SYNTHETIC
    replies = read_rows(REPLIES, Reply)
    base = ("the base model's folder (sha256)", read_facts()["base_sha256"])
    return Inputs(
        metrics=metrics,
        tables=_tables(),
        undefined={f"{stage}.{name}": why for stage in JUDGES for name, why in _json(_undefined(stage)).items()},
        slices={(r["by"], r["slice"]): r["words"] for r in _json(METRICS / "evaluate/slices.json")},
        previews=read_previews(PREVIEW),
        replies=replies,
        quoting=quoting(replies, _people()) if params.report.public and not synthetic else frozenset(),
        made=[*((f"{path} (md5 in dvc.lock)", lineage.content(path)) for path in MADE), base],
        params=params,
        synthetic=synthetic,
    )


def read_facts() -> dict[str, Any]:
    """What the adapter's folder says of its origin."""
    facts: dict[str, Any] = _json(ADAPTER / "persuasion.json")
    return facts


def read_data() -> dict[str, str]:
    """The sha256 of each file of pairs, by its name."""
    return {f"{split}.parquet": digest(PAIRS / f"{split}.parquet") for split in SPLITS}


def _tables() -> dict[str, Sequence[dict[str, float | None]]]:
    """The rows that the pictures are drawn from."""
    return {name: _rows(METRICS / f"{path}.tsv") for name, path in TABLES.items()}


def _undefined(stage: str) -> Path:
    return METRICS / stage / "undefined.json"


def _people() -> Iterator[str]:
    """Every text of every pair."""
    for split in SPLITS:
        for pair in stream_rows(PAIRS / f"{split}.parquet", Pair):
            yield from (pair.prompt, pair.chosen, pair.rejected)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFailure(f"{path} cannot be read", why=str(error), fix="run `dvc repro` to make it") from None


def _metrics(stage: str) -> Any:
    """The tree that ``stage`` wrote, without its own name at the top."""
    path = METRICS / f"{stage}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))[stage]
    except FileNotFoundError:
        raise DataFailure(f"{path} is missing", fix="run `dvc repro` to make it") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataFailure(f"{path} holds no figures of {stage}", why=repr(error), fix="run `dvc repro`") from None


def _rows(path: Path) -> list[dict[str, float | None]]:
    """A table of figures; an empty field is None."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [
                {name: float(value) if value else None for name, value in row.items()}
                for row in csv.DictReader(stream, delimiter="\t")
            ]
    except FileNotFoundError:
        raise DataFailure(f"{path} is missing", fix="run `dvc repro` to make it") from None
    except (ValueError, TypeError) as error:
        raise DataFailure(f"{path} is no table of figures", why=str(error), fix="run `dvc repro`") from None
