"""Stage ``sample``: write the synthetic dump of r/changemyview to data/raw/sample."""

from pathlib import Path

from persuasion.config import load_params
from persuasion.running import run
from persuasion.sample import write_sample

FOLDER = Path("data/raw/sample")


def main() -> None:
    """Write two dump files and the answer key, and say in one line what was written."""
    settings = load_params().sample
    dump = write_sample(settings, FOLDER)
    print(f"{FOLDER}: {len(dump.submissions)} submissions, {len(dump.comments)} comments, seed {settings.seed}")


if __name__ == "__main__":
    run(main)
