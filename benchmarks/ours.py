"""Our own extraction as users run it: ``python -m stages.extract`` in a folder with ``params.yaml``.

Only the command line, the parameters and ``metrics/extract.json`` are used, never what lies behind them.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fields import SUBREDDIT
from persuasion.yaml12 import load_yaml

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "stages.extract")
LEAVINGS = ("data", "metrics")  # what a run writes into its folder
KEY = "a key for synthetic names only: 4e0d5a1c7b3f92686d10e5c84ab7f3d9"


def prepared(folder: Path, dump: Path) -> Path:
    """Make ``folder`` one in which the stage reads ``dump``: the project's parameters, no removals, a key beside it."""
    folder.mkdir(parents=True)
    key, removals = folder.parent / "pseudonym.key", folder / "removals.txt"
    key.touch(mode=0o600)
    key.write_text(KEY, encoding="utf-8")
    removals.touch()
    params = load_yaml(ROOT / "params.yaml")
    params["source"] |= {
        "path": str(dump),
        "subreddit": SUBREDDIT,
        "pseudonym_key_file": str(key),
        "removals_file": removals.name,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    return folder


def environment(home: Path) -> dict[str, str]:
    """The variables of a run: our code is found, and what others leave in a home lands in ``home``."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return os.environ | {"PYTHONPATH": path, "HOME": str(home)}


def found(folder: Path) -> dict[str, int]:
    """What a run in ``folder`` found: rows, awards that DeltaBot confirmed, and refusals."""
    metrics: dict[str, Any] = json.loads((folder / "metrics/extract.json").read_text(encoding="utf-8"))["extract"]
    counts = {name: metrics[name] for name in ("submissions", "comments", "refused")}
    return counts | {"awards": metrics["deltas_by"]["confirmed"]}
