"""Runner of plain workers: one `dvc exp run --temp` at a time in each workshop; needs no queue and no celery."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from persuasion.lab.sweep import diskroom, owners, proposing
from persuasion.lab.sweep.bench import Bench
from persuasion.lab.sweep.runner import Ended
from persuasion.lab.sweep.workshop import Workshop


class Loop:
    """Workers in as many workshops as trials may run at once here."""

    def __init__(self, workshops: Sequence[Workshop], stages: Sequence[str], logs: Path, *options: str) -> None:
        self.benches = [Bench(workshop=workshop, logs=logs) for workshop in workshops]
        self.stages, self.logs, self.options = list(stages), logs, options
        self.since: dict[str, float] = {}

    @property
    def running(self) -> dict[str, float]:
        """What runs, and since when (``time.monotonic``)."""
        return dict(self.since)

    @property
    def free(self) -> int:
        """How many more may be started."""
        return sum(bench.name is None for bench in self.benches)

    def start(self, name: str, params: dict[str, Any], message: str) -> None:
        """Run the experiment in a free workshop."""
        bench = next(bench for bench in self.benches if bench.name is None)
        arguments = proposing.experiment(name, params, self.stages, "--message", message, *self.options)
        log = self.logs / f"{name}.log"
        diskroom.begin(log)
        bench.give(name, arguments, log)
        self.since[name] = time.monotonic()

    def ended(self) -> list[Ended]:
        """Experiments that have ended since the last look; whatever they left is gone, and they are published."""
        found = []
        for bench in self.benches:
            if (ended := bench.ended()) is not None:
                found.append(ended)
                self._settle(bench, ended.name)
        return found

    def stop(self, name: str) -> None:
        """End an experiment; nothing more is heard of it."""
        for bench in self.benches:
            if bench.name == name:
                bench.kill()
                self._settle(bench, name)

    def copies(self, name: str) -> list[Path]:
        """Where the experiment runs, as far as it has got."""
        return [copy for bench in self.benches if bench.name == name for copy in bench.workshop.copies()]

    def close(self) -> None:
        """End everything and remove the workshops."""
        for bench in self.benches:
            bench.kill()
            bench.workshop.clear()

    def _settle(self, bench: Bench, name: str) -> None:
        """After an experiment, well or not: nothing of it runs, its ref is in the project, its copy is gone."""
        worker = bench.process.pid if bench.process and not bench.dead else -1
        owners.reap(bench.workshop.folder, but=frozenset({worker}))
        bench.workshop.publish()
        bench.workshop.tidy()
        del self.since[name]
