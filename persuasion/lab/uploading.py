"""``persuasion export hub``: what would be uploaded, and whether it may be. Uploads nothing itself.

Refused: texts that people wrote, whatever they stand in; a model whose replies exceed the safety gate or were never
held to it; a folder without its card; what names a credential or a path of this machine.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow.parquet as parquet
import yaml

from persuasion import measures
from persuasion.config import PARAMS, Params, load_params
from persuasion.errors import DataFailure, IntegrityFailure, SafetyFailure, UsageFailure
from persuasion.examples import QUOTED
from persuasion.files import digest
from persuasion.finished import SYNTHETIC
from persuasion.lab.hashes import output_md5
from persuasion.lab.locks import entries
from persuasion.lab.publishing import ADAPTER, CONFIG, KEY, PAIRS, README, WEIGHTS
from persuasion.lab.traces import TEXTS
from persuasion.records import SPLITS, Pair, Reply
from persuasion.replyfigures import rates
from persuasion.running import SECRET
from persuasion.safety import require_within
from persuasion.tables import read_rows, stream_rows

REPLIES = Path("data/replies.parquet")
_TEXT = {".csv", ".html", ".json", ".jsonl", ".md", ".tsv", ".txt", ".yaml", ".yml"}
_VOCABULARY = {"tokenizer.json", "vocab.json"}
"""Words, none in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What would go where: ``kind`` is the Hub's, model or dataset; the size of each file, in bytes."""

    repo: str
    kind: str
    folder: str
    files: dict[str, int]
    command: str


def upload(root: Path, folder: str | None, repo: str) -> Upload:
    """Look through a folder and say what would be uploaded.

    Raises DataFailure for a missing folder, card or verdict on safety; SafetyFailure for people's texts, a credential
    or an exceeded gate; IntegrityFailure for a model that is not the one judged here; UsageFailure for a base that
    nobody else could find.
    """
    place = (Path(folder) if folder else root / "exports/adapter").absolute()
    if not place.is_dir():
        raise DataFailure(f"there is no folder {folder or place}", fix="persuasion export adapter")
    if repo.count("/") != 1 or not all(repo.split("/")):
        raise UsageFailure(f"{repo!a} is no repository of the Hub", fix="--repo OWNER/NAME")
    files = [path for path in sorted(place.rglob("*")) if path.is_file()]
    _require_card(place)
    with chdir(root):
        params = load_params(PARAMS)
        _require_nobodys(files, place, params)
        kind = "dataset"
        if any(path.suffix == ".safetensors" for path in files):
            kind = "model"
            _require_judged(place, params)
            _require_findable(place)
    return Upload(
        repo=repo,
        kind=kind,
        folder=folder or "exports/adapter",
        files={path.relative_to(place).as_posix(): path.stat().st_size for path in files},
        command=f"hf upload {quote(repo)} {quote(folder or 'exports/adapter')} --repo-type {kind} --private",
    )


def as_json(told: Upload) -> dict[str, Any]:
    """The whole of it for scripts."""
    return asdict(told)


def text(told: Upload) -> str:
    """The whole of it for people."""
    lines = [f"Would go to {told.repo} ({told.kind}):"]
    lines += [f"{size:>14,}  {name}" for name, size in told.files.items()]
    total = f"{sum(told.files.values()):>14,}  in {len(told.files)} files"
    return "\n".join([*lines, total, "Nothing was uploaded. To do so:", "", f"  {told.command}"])


def _require_card(place: Path) -> None:
    try:
        _, front, body = (place / README).read_text(encoding="utf-8").split("---\n", 2)
        whole = isinstance(yaml.safe_load(front), dict) and bool(yaml.safe_load(front).get("license")) and body.strip()
    except (OSError, ValueError, yaml.YAMLError):
        whole = False
    if not whole:
        raise DataFailure(
            "there is no card", where=place / README, why="a README.md that begins with its licence is missing",
            fix="export it anew: `persuasion export adapter` writes one, and `dvc repro pair` that of the pairs",
        )  # fmt: skip


def _require_nobodys(files: list[Path], place: Path, params: Params) -> None:
    """Raise SafetyFailure where a file holds a credential, or texts but those of the synthetic sample."""
    synthetic = Path(params.source.path) == SYNTHETIC
    people = [text for split in SPLITS for pair in _pairs(split) for text in (pair.prompt, pair.chosen, pair.rejected)]
    for file in files:
        name = file.relative_to(place).as_posix()
        fix = "publish figures and models; for texts ask those who wrote them (docs/how-to/privacy.md)"
        told = set(_texts(file))
        if told - set(people if synthetic else ()):
            why = "it holds texts that people wrote" if not synthetic else "its texts are not those of the sample"
            raise SafetyFailure(f"{name} is not for the Hub", where=file, why=why, fix=fix)
        if file.suffix not in _TEXT or file.name in _VOCABULARY or told:
            continue
        content = file.read_text(encoding="utf-8", errors="replace")
        if SECRET.search(content):
            raise SafetyFailure(f"{name} is not for the Hub", where=file, why="it names a credential", fix="remove it")
        if not synthetic and measures.copied([content], people, QUOTED)[0]:
            why = f"it repeats {QUOTED} words in a row of what people wrote"
            raise SafetyFailure(f"{name} is not for the Hub", where=file, why=why, fix=fix)


def _pairs(split: str) -> Iterator[Pair]:
    path = PAIRS / f"{split}.parquet"
    return stream_rows(path, Pair) if path.is_file() else iter(())


def _texts(file: Path) -> Iterator[str]:
    """Every text in the columns of a table that bear texts, as it would be in ours or in a form of ours."""
    if file.suffix == ".parquet":
        table = parquet.ParquetFile(file)
        columns = sorted(TEXTS & set(table.schema_arrow.names))
        for batch in table.iter_batches(columns=columns) if columns else ():
            for row in batch.to_pylist():
                yield from _strings(row)
    elif file.suffix in (".csv", ".tsv"):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t" if file.suffix == ".tsv" else ","):
                yield from _strings({name: value.removeprefix("'") for name, value in row.items() if name in TEXTS})
    elif file.suffix in (".jsonl", ".json"):
        for row in _rows(file):
            yield from _strings({name: row[name] for name in (TEXTS | {"instruction", "messages"}) & row.keys()})


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    content = file.read_text(encoding="utf-8", errors="replace")
    try:
        rows = [json.loads(line) for line in content.splitlines()] if file.suffix == ".jsonl" else json.loads(content)
    except ValueError:
        return
    yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _strings(value: Any) -> Iterator[str]:
    """Every text in a value, a message's content as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in ("role", "from"):
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _require_judged(place: Path, params: Params) -> None:
    """Raise unless this is the model whose replies lie here, and they are within the limits of the safety gate."""
    key = json.loads((place / KEY).read_text(encoding="utf-8")) if (place / KEY).is_file() else {}
    here = ADAPTER / WEIGHTS
    same = key.get("adapter_sha256") == digest(ADAPTER) if "adapter_sha256" in key else (
        (place / WEIGHTS).is_file() and here.is_file() and digest(place / WEIGHTS) == digest(here)
    )  # fmt: skip
    if not same:
        raise IntegrityFailure(
            "this is not the model that was judged here", where=place, why="models/adapter is another",
            fix="export it anew: persuasion export adapter",
        )  # fmt: skip
    made = {entry.path: entry.md5 for entry in entries(Path())}
    if any(made.get(path.as_posix()) != output_md5(path) or not path.exists() for path in (ADAPTER, REPLIES)):
        raise DataFailure(
            "nobody knows whether this model's replies are safe", where=REPLIES,
            why="there are none of this adapter, as dvc.lock has it", fix="dvc repro generate",
        )  # fmt: skip
    require_within(rates(read_rows(REPLIES, Reply)), asdict(params.safety.limits))


def _require_findable(place: Path) -> None:
    """Raise UsageFailure for an adapter whose base is named by a path of this machine."""
    if not (place / CONFIG).is_file():
        return
    base = json.loads((place / CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    if Path(base).is_absolute() or (place / "base").exists():
        raise UsageFailure(
            "nobody else could find the base of this adapter", where=place / CONFIG, why="it is a path of this machine",
            fix="persuasion export adapter --merge, or upload the base and export with --base OWNER/BASE",
        )  # fmt: skip
