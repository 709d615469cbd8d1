"""The bookkeeping of a search whose trials cost nothing: asked, linked to an experiment, told, as a sweep does it.

``python -m benchmarks.trials COUNT`` in an empty folder writes trials.json: the seconds of processor time of each
tenth of the trials, and the journal's bytes. The study is Optuna's
journal, opened by ``persuasion.lab.sweep.storage``; figures come from a formula where a sweep reads git and DVC.
"""

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.ours import ROOT
from persuasion.files import write_json
from persuasion.lab.sweep import evidence, owners, spec, storage
from persuasion.lab.sweep.ledger import Ledger
from persuasion.running import run

TENTHS, FOUND = 10, "trials.json"


def main() -> None:
    """Ask and tell so many trials."""
    count = int(sys.argv[1])
    settings = spec.load(ROOT / "sweep.yaml", study="load", trials=count)
    study = storage.opened(settings, Path())
    ledger = Ledger(study=study, spec=settings, baseline=storage.begun(study, "0" * 40), root=Path())
    evidence.read = _at_once
    owner, tenths = owners.me(), []
    for _ in range(TENTHS):
        start = time.process_time()
        for _ in range(count // TENTHS):
            if not ledger.tell(ledger.ask(owner)):
                raise AssertionError("a trial that has its figure was not told")
        tenths.append(time.process_time() - start)
    journal = sum(file.stat().st_size for file in storage.place(Path(), "load").iterdir())
    write_json(Path(FOUND), {"tenths": tenths, "journal": journal})


def _at_once(
    repository: Path, spec: Any, baseline: str, name: str, params: Mapping[str, Any]
) -> evidence.Evidence | None:
    """What a training would find that is best at a rate of 1e-5."""
    value = abs(math.log10(params["train.learning_rate"]) + 5) + params["dpo.beta"]
    return evidence.Evidence(rev="0" * 40, values=(value,))


if __name__ == "__main__":
    run(main)
