"""Stage report: the run as a page, HTML and Markdown, and a best-effort mirror of the run to MLflow."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from persuasion import report
from persuasion.config import Params, load_params
from persuasion.contents import Inputs
from persuasion.errors import DataFailure
from persuasion.files import replaced_folder
from persuasion.records import Reply
from persuasion.running import run
from persuasion.seen import read_previews
from persuasion.tables import read_rows

METRICS = Path("metrics")
STAGES = ("extract", "pair", "base", "reference", "train", "evaluate", "generate")
LENGTHS = METRICS / "pair" / "lengths.tsv"
SYNTHETIC = Path("data/raw/sample")
MIRROR_SECONDS = 120


def main() -> None:
    """Write ``report/index.html`` and ``report/report.md``."""
    inputs = _inputs(load_params())
    page, text = report.html(inputs), report.markdown(inputs)
    with replaced_folder(Path("report")) as folder:
        (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
        (folder / "report.md").write_text(text, encoding="utf-8", newline="\n")
    _mirror()
    print(f"report: {len(inputs.replies)} replies, report/index.html and report/report.md written")


def _inputs(params: Params) -> Inputs:
    return Inputs(
        metrics={name: _metrics(name) for name in STAGES},
        training=_rows(METRICS / "train" / "training.tsv"),
        validation=_rows(METRICS / "train" / "validation.tsv"),
        reliability=_rows(METRICS / "evaluate" / "reliability.tsv"),
        margins=_rows(METRICS / "evaluate" / "margins.tsv"),
        lengths=_rows(LENGTHS) if LENGTHS.is_file() else [],
        tokens=_rows(METRICS / "reference" / "tokens.tsv"),
        previews=read_previews(Path("data/reference/preview.jsonl")),
        replies=read_rows(Path("data/replies.parquet"), Reply),
        params=params,
        synthetic=Path(params.source.path) == SYNTHETIC,
    )


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


def _mirror() -> None:
    """Show the run in MLflow, in a process of its own so that nothing there can fail or hang this stage."""
    command = [sys.executable, "-m", "persuasion.lab.tracking"]  # says itself, in one line, what went wrong
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=MIRROR_SECONDS, check=False).returncode  # noqa: S603
        trouble = f"exit {code}" if code else ""
    except (OSError, subprocess.SubprocessError) as error:
        trouble = type(error).__name__
    if trouble:
        hint = "`python -m persuasion.lab.tracking` says why and tries again"
        print(f"warning: the run is not mirrored to MLflow ({trouble}); {hint}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
