"""Two clean clones of the project, run in different folders under different hash seeds, must agree on every hash.

``python -m tests.reproducible`` (`make reproducible`) does it at full size and prints the hashes.
"""

import sys
import tempfile
from pathlib import Path

from tests.project import copied, outputs, run


def compare(folder: Path, changes: dict[str, object]) -> list[tuple[str, str, str]]:
    """Run two clones of one commit from nothing; return (output, hash in the first, hash in the second)."""
    origin = copied(folder / "origin", changes)
    made = []
    for name, hash_seed in (("first", "0"), ("the second", "4711")):
        project = folder / name
        run(folder, "git", "clone", "--quiet", str(origin), str(project))
        print(f"running the pipeline in {name} clone", file=sys.stderr)
        run(project, "dvc", "repro", PYTHONHASHSEED=hash_seed, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
        made.append(outputs(project))
    first, second = made
    return [(path, first.get(path, "-"), second.get(path, "-")) for path in sorted(first.keys() | second.keys())]


def main() -> None:
    """Print the table; exit 7 when a hash differs."""
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(Path(folder), {})
    for path, first, second in rows:
        print(f"{'same' if first == second else 'DIFFERS':8}{path:28}{first}  {second if first != second else ''}")
    if any(first != second for _, first, second in rows):
        raise SystemExit(7)
    print(f"all {len(rows)} outputs of both clones are identical")


if __name__ == "__main__":
    main()
