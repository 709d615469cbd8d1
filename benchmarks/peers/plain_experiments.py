"""A search as DVC alone runs it: one `dvc exp run --temp` after another, some at a time, of trials known beforehand.

``python -m benchmarks.peers.plain_experiments PROJECT ASKED.json JOBS``
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> None:
    """Run every trial as the experiment `plain-NUMBER`; exit 1 where one fails."""
    project, asked = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))

    def experiment(number: int) -> int:
        settings = [part for name, value in asked["trials"][number].items() for part in ("-S", f"{name}={value}")]
        command = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--name", f"plain-{number}", *settings, "train"]
        return subprocess.run(command, cwd=project, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode  # noqa: S603

    with ThreadPoolExecutor(int(sys.argv[3])) as jobs:
        if any(jobs.map(experiment, range(len(asked["trials"])))):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
